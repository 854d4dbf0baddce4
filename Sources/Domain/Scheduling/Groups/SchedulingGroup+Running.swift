public import Accounts
import JobModel
public import Quantities

// Starting jobs, and taking back what they hold.

extension SchedulingGroup {
    // MARK: By counts

    /// Starts an entry that fits, or parks it when a limit stops it.
    ///
    /// - Parameter most: how many nodes it may take beyond its need.
    /// - Returns: how many it took; nil when it does not start.
    @discardableResult
    mutating func tryStartByCount(
        _ cursor: WaitingQueue.Cursor,
        _ now: Int64,
        _ jobs: inout ActiveJobs,
        most: Int32 = .max
    ) -> Int32? {
        if park(cursor, jobs) { return nil }
        let slot = queue.slot(at: cursor)
        var size = queue.size(at: cursor)
        if jobs[slot].request.isElastic {
            size = stretched(size, slot, min(most, nodes.idleCount), jobs)
        }
        let choice = jobs[slot].hasExtras ? openChoices(slot, jobs).first : nil
        removeFromQueue(cursor, jobs)
        jobs[slot].firstNode =
            policy.placement.choosesAmongEqualNodes
            ? nodes.takeChosen(size, for: slot, placementContext(slot, jobs))
            : nodes.takeLowest(size, for: slot)
        jobs[slot].phase = .running
        jobs[slot].startedAt = now
        jobs[slot].nodesHeld = size
        jobs[slot].coresHeld = size &* nodes.capacity[0].cores
        jobs[slot].acceleratorsHeld = size &* nodes.capacity[0].accelerators
        if let choice {
            jobs[slot].partition = Int32(choice.partition)
            jobs[slot].request = choice.request
        }
        ends.insert(end: jobs[slot].expectedEnd, units: size, slot: slot)
        if jobs[slot].hasLimits { jobs.holdLimits(of: slot) }
        startedSlots.append(slot)
        return size
    }

    /// As many nodes as a job takes of those that it may have: no more than its limits leave room for.
    private func stretched(
        _ size: Int32,
        _ slot: Int32,
        _ most: Int32,
        _ jobs: ActiveJobs
    ) -> Int32 {
        let wanted = max(size, min(most, mostNodes(for: jobs[slot].request)))
        guard jobs[slot].hasLimits else { return wanted }
        let claim = jobs.claim(
            slot,
            inPartition: Int(jobs[slot].partition),
            nodes: wanted,
            cores: Int64(wanted) * Int64(nodes.capacity[0].cores),
            cards: Int64(wanted) * Int64(nodes.capacity[0].accelerators)
        )
        return jobs.limits.obstacle(to: claim, at: jobs.now) == nil ? wanted : size
    }

    /// Starts jobs in queue order until one does not fit.
    ///
    /// Jobs larger than all nodes in service are passed over: they wait for repairs.
    ///
    /// - Returns: the job that does not fit.
    mutating func startHeadsByCount(
        _ now: Int64,
        _ jobs: inout ActiveJobs
    ) -> WaitingQueue.Cursor? {
        var cursor = queue.first()
        while let current = cursor {
            let size = queue.size(at: current)
            if size > nodes.inServiceCount {
                let inService = nodes.inServiceCount
                cursor = queue.next(after: current, free: inService, window: .max, extra: inService)
                continue
            }
            guard size <= nodes.idleCount else {
                // The head must not be one that a limit stops: it would block for nothing.
                guard park(current, jobs) else { return current }
                cursor = entry(after: current)
                continue
            }
            tryStartByCount(current, now, &jobs)
            cursor = entry(after: current)
        }
        return nil
    }

    // MARK: By nodes

    /// Starts an entry where it was placed.
    mutating func start(
        _ cursor: WaitingQueue.Cursor,
        _ placed: Placed,
        _ now: Int64,
        _ jobs: inout ActiveJobs
    ) {
        let slot = queue.slot(at: cursor)
        removeFromQueue(cursor, jobs)
        let held = nodes.amountsHeld(by: placed.segments, placed.request)
        jobs[slot].request = placed.request
        jobs[slot].phase = .running
        jobs[slot].startedAt = now
        jobs[slot].partition = Int32(placed.partition)
        jobs[slot].nodesHeld = Int32(placed.segments.count)
        jobs[slot].coresHeld = held.cores
        jobs[slot].acceleratorsHeld = held.accelerators
        if nodes.isUniform {
            jobs[slot].firstNode = nodes.take(placed.segments.map(\.node), for: slot)
            for segment in placed.segments { nodes.noteTaken(segment) }
        } else {
            take(placed.segments, of: placed.request)
            jobs.segments[Int(slot)] = placed.segments
        }
        insertEnd(of: slot, jobs)
        if jobs[slot].hasLimits { jobs.holdLimits(of: slot) }
        startedSlots.append(slot)
    }

    private mutating func take(_ segments: [AllocationSegment], of request: ResourceRequest) {
        let before = chunksWatched(on: segments)
        nodes.take(segments, of: request)
        let after = chunksWatched(on: segments)
        watched?.chunks += after - before
    }

    private mutating func giveBack(_ segments: [AllocationSegment], of request: ResourceRequest) {
        let before = chunksWatched(on: segments)
        nodes.release(segments, of: request)
        let after = chunksWatched(on: segments)
        watched?.chunks += after - before
    }

    private func chunksWatched(on segments: [AllocationSegment]) -> Int64 {
        guard let watched else { return 0 }
        let mask = partitions[Int(watched.shape.partition)]?.nodes
        var chunks: Int64 = 0
        for segment in segments {
            let node = Int(segment.node)
            guard nodes.service[node] == .up, mask?[node] ?? true else { continue }
            var filter = NodeFilter()
            filter.keeper = watched.shape.keeper
            chunks += Int64(nodes.state(node).chunks(watched.shape.request, filter))
        }
        return chunks
    }

    // MARK: Limits

    /// Takes an entry out of the queue when a limit leaves no room for it. A job that different
    /// limits stop in several partitions stays in the queue: room in any of them lets it start.
    ///
    /// - Returns: whether limits stop it.
    mutating func park(_ cursor: WaitingQueue.Cursor, _ jobs: ActiveJobs) -> Bool {
        let slot = queue.slot(at: cursor)
        if !passedOver.isEmpty, passedOver.contains(slot) { return true }
        guard jobs[slot].hasLimits else { return false }
        let stop: LimitStop
        if jobs[slot].hasExtras {
            let stops = limitStops(slot, jobs)
            guard let first = stops.first else { return false }
            stop = first
            if isElsewhereToo(slot, jobs) || stops.contains(where: { $0.counter != stop.counter }) {
                holdBack(slot, under: stop)
                return true
            }
        } else {
            // Of one partition: there are thousands of these.
            let partition = Int(jobs[slot].partition)
            guard let only = limitStop(slot, inPartition: partition, jobs) else { return false }
            stop = only
        }
        removeFromQueue(cursor, jobs)
        parkedSlots.append(StoppedJob(slot: slot, stop: stop))
        return true
    }

    /// What stops a job in each of its partitions of this group; empty when there is one in which
    /// limits leave room for the least that it would hold.
    func limitStops(_ slot: Int32, _ jobs: ActiveJobs) -> [LimitStop] {
        guard jobs[slot].hasExtras, let extras = jobs.extras[slot] else {
            return limitStop(slot, inPartition: Int(jobs[slot].partition), jobs).map { [$0] } ?? []
        }
        var stops: [LimitStop] = []
        for partition in extras.partitions where partitions[partition] != nil {
            guard let stop = limitStop(slot, inPartition: partition, jobs) else { return [] }
            stops.append(stop)
        }
        return stops
    }

    private func limitStop(
        _ slot: Int32,
        inPartition partition: Int,
        _ jobs: ActiveJobs
    ) -> LimitStop? {
        let claim = leastClaim(slot, inPartition: partition, jobs)
        return jobs.limits.obstacle(to: claim, at: jobs.now).flatMap(heeded)
    }

    /// What stops a job before it is planned: licences do not where the plan knows when they come free.
    private func heeded(_ stop: LimitStop) -> LimitStop? {
        stop.reason == .licenses && policy.plansLicenses ? nil : stop
    }

    /// The least that a job would hold under limits in a partition: before it is placed only the
    /// fewest nodes and what it asks for are known.
    @inline(__always)
    public func leastClaim(
        _ slot: Int32,
        inPartition partition: Int,
        _ jobs: ActiveJobs
    ) -> LimitClaim {
        let request = jobs[slot].request
        let count =
            nodes.isUniform ? unitsNeeded(by: slot, jobs) : nodesNeeded(for: request)
        let cores =
            nodes.isUniform
            ? Int64(count) * Int64(nodes.capacity[0].cores) : Int64(units(of: request))
        let cards =
            nodes.isUniform
            ? Int64(count) * Int64(nodes.capacity[0].accelerators)
            : Int64(request.chunkCount) * Int64(request.acceleratorsPerChunk)
        return jobs.claim(slot, inPartition: partition, nodes: count, cores: cores, cards: cards)
    }

    /// The limit that a placement would go beyond; nil when none.
    func limitStop(_ placed: Placed, _ slot: Int32, _ jobs: ActiveJobs) -> LimitStop? {
        guard jobs[slot].hasLimits else { return nil }
        let held = nodes.amountsHeld(by: placed.segments, placed.request)
        let claim = jobs.claim(
            slot,
            inPartition: placed.partition,
            nodes: Int32(placed.segments.count),
            cores: Int64(held.cores),
            cards: Int64(held.accelerators)
        )
        return jobs.limits.obstacle(to: claim, at: jobs.now).flatMap(heeded)
    }

    /// The choices of a job whose partitions' limits leave room for it.
    func openChoices(_ slot: Int32, _ jobs: ActiveJobs) -> [Choice] {
        let all = choices(slot, jobs)
        guard jobs[slot].hasLimits, all.count > 1 else { return all }
        return all.filter { limitStop(slot, inPartition: $0.partition, jobs) == nil }
    }

    /// Whether a job may run in another group as well.
    private func isElsewhereToo(_ slot: Int32, _ jobs: ActiveJobs) -> Bool {
        guard jobs[slot].hasExtras, let extras = jobs.extras[slot] else { return false }
        return extras.partitions.contains { partitions[$0] == nil }
    }

    /// Passes over a job that a limit stops on the nodes that it would get here and now. On others
    /// it need not, so it stays in the queue and every pass looks at it.
    mutating func holdBack(_ slot: Int32, under stop: LimitStop) {
        heldBack.append(StoppedJob(slot: slot, stop: stop))
    }

    // MARK: Ends

    /// Takes back what a running job holds.
    public mutating func release(_ slot: Int32, _ jobs: inout ActiveJobs) {
        news.hasChanged = true
        // The plan of the common queue was made anew when this one started; so it is again.
        if laneIndex(of: slot, jobs) != nil { news.noteDisturbance() }
        ends.remove(end: jobs[slot].expectedEnd, slot: slot)
        if policy.backfill == .conservativeCompress { news.ended.append(endedRun(slot, jobs)) }
        if isInLoan(slot) {
            takeBackLent(slot, jobs)
            endLoans(of: slot, &jobs)
        } else if nodes.isUniform {
            nodes.release(listFrom: jobs[slot].firstNode)
        } else {
            giveBack(jobs.segments[Int(slot)], of: jobs[slot].request)
        }
        if nodes.isUniform { jobs[slot].firstNode = -1 } else { jobs.segments[Int(slot)] = [] }
    }

    private func endedRun(_ slot: Int32, _ jobs: ActiveJobs) -> GroupNews.EndedRun {
        GroupNews.EndedRun(
            slot: slot,
            units: unitsReturning(slot, jobs),
            segments: countsSuffice ? [] : segments(of: slot, jobs),
            request: nodes.isUniform ? .wholeNodes(1) : jobs[slot].request,
            until: max(jobs[slot].expectedEnd, jobs[slot].startedAt + 1)
        )
    }

    /// What a running job holds on which of the group's nodes.
    func segments(of slot: Int32, _ jobs: ActiveJobs) -> [AllocationSegment] {
        guard nodes.isUniform else { return jobs.segments[Int(slot)] }
        if !nodesOfLenders.isEmpty, let whole = nodesOfLenders[slot] {
            return whole.map { AllocationSegment(node: $0, chunks: 1) }
        }
        var held: [AllocationSegment] = []
        held.reserveCapacity(Int(jobs[slot].nodesHeld))
        nodes.forEachNode(listFrom: jobs[slot].firstNode) { node in
            held.append(AllocationSegment(node: Int32(node), chunks: 1))
        }
        return held
    }

    /// Gives a running job another limit.
    public mutating func changeLimit(of slot: Int32, to seconds: UInt32, _ jobs: inout ActiveJobs) {
        ends.remove(end: jobs[slot].expectedEnd, slot: slot)
        news.noteDisturbance()
        let old = jobs.countedDeadline(of: slot)
        jobs.setLimit(of: slot, to: seconds)
        moveDeadline(of: slot, from: old, &jobs)
        insertEnd(of: slot, jobs)
    }

    private func moveDeadline(of slot: Int32, from old: Int64, _ jobs: inout ActiveJobs) {
        guard jobs[slot].hasLimits else { return }
        let new = jobs.countedDeadline(of: slot)
        guard new != old else { return }
        jobs.limits.move(jobs.claim(ofRunning: slot), from: old, to: new)
    }

    /// Changes until when a running job is planned to hold what it holds.
    public mutating func changeEnd(
        of slot: Int32,
        _ jobs: inout ActiveJobs,
        _ change: (inout ActiveJob) -> Void
    ) {
        ends.remove(end: jobs[slot].expectedEnd, slot: slot)
        news.noteDisturbance()
        let old = jobs.countedDeadline(of: slot)
        change(&jobs[slot])
        moveDeadline(of: slot, from: old, &jobs)
        insertEnd(of: slot, jobs)
    }

    /// The running jobs whose limits end first after `now`, all at one instant.
    public func earliestEnds(after now: SimInstant) -> [(end: SimInstant, slot: Int32)] {
        var list: [(end: SimInstant, slot: Int32)] = []
        ends.forEachByInstant(now: now.microseconds, grace: Self.overrunGrace) { entry in
            let end = SimInstant(microseconds: entry.instant)
            guard entry.instant < ActiveJob.suspendedForGood else { return false }
            guard list.isEmpty || list.first?.end == end else { return false }
            list.append((end, entry.slot))
            return true
        }
        return list
    }

    /// The units that a running job gives back: nodes that are out of service never return.
    func unitsReturning(_ slot: Int32, _ jobs: ActiveJobs) -> Int32 {
        guard nodes.isUniform else { return jobs[slot].coresHeld }
        guard nodes.inServiceCount < Int32(nodes.count) else { return jobs[slot].nodesHeld }
        var units: Int32 = 0
        func count(_ node: Int) {
            if nodes.service[node] == .up { units += 1 }
        }
        if !nodesOfLenders.isEmpty, let whole = nodesOfLenders[slot] {
            for node in whole { count(Int(node)) }
        } else {
            nodes.forEachNode(listFrom: jobs[slot].firstNode, count)
        }
        return units
    }

    mutating func insertEnd(of slot: Int32, _ jobs: ActiveJobs) {
        let units = unitsReturning(slot, jobs)
        ends.insert(end: jobs[slot].expectedEnd, units: units, slot: slot)
    }

    func hasOverruns(at now: Int64) -> Bool { ends.hasOverruns(at: now) }

    // MARK: Predictions

    /// Plans running jobs that have outlived their predictions longer.
    public mutating func correctPredictions(at now: Int64, _ jobs: inout ActiveJobs) {
        var outlived: [Int32] = []
        ends.forEach { entry in
            guard entry.end <= now else { return false }
            let job = jobs[entry.slot]
            if job.plannedSeconds < job.limitSeconds { outlived.append(entry.slot) }
            return true
        }
        if !outlived.isEmpty { news.noteDisturbance() }
        for slot in outlived {
            ends.remove(end: jobs[slot].expectedEnd, slot: slot)
            jobs[slot].correctPrediction(at: now)
            insertEnd(of: slot, jobs)
        }
    }
}
