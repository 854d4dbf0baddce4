import JobModel
public import Quantities

/// EASY backfilling: a later job may start now if the head, the first that cannot be placed, can
/// still be placed at its shadow time. Candidates go in queue order, or by time limit (SJBF).
///
/// Source: Lifka, JSSPP 1995; Mu'alem and Feitelson, IEEE TPDS 12(6), 2001; candidates by time
/// limit: Tsafrir, Etsion, Feitelson, IEEE TPDS 18(6), 2007.
///
/// By counts the shadow leaves a number of extra nodes; where nodes are looked at, it is what each
/// node has free at that instant (`EasyPass+ByNode.swift`). As long as nothing but arrivals
/// happens only those that arrived can start, since nothing is free that was not, and the shadow
/// has come nearer.
public struct EasyPass: SchedulingPass {
    /// What the last pass left behind.
    struct BlockedHead: Codable {
        /// The head's place in the queue: who arrives before it becomes the head.
        var key: QueueKey
        /// Its shadow time. Unit: µs since the epoch.
        var shadow: Int64
        /// Units free at the shadow beside the head, by counts.
        var extra: Int32
    }

    /// Good as long as nothing but arrivals happens.
    var blocked: BlockedHead?

    // Where nodes are looked at.
    /// The head's shadow, with what jobs started since hold at it.
    var headShadow: HeadShadow?
    var overlay = ShadowOverlay()
    /// What was found out about the group's shapes, by their numbers.
    var marks: ContiguousArray<ShapeMarks> = []
    /// Marks count only in the generation that made them.
    var nowGeneration: UInt64 = 0
    var longGeneration: UInt64 = 0
    /// Whether a job would have delayed the head since the last pass over the whole queue.
    var hasLongFailure = false
    /// Whether one started after that: the other may now be placed elsewhere, so look again.
    var mustLookAgain = false

    /// Starts what may start.
    public mutating func run(
        _ group: inout SchedulingGroup,
        _ jobs: inout ActiveJobs,
        at now: SimInstant
    ) {
        guard group.beginPass() else { return }
        defer { group.news.clear() }
        if isSettledByArrivals(&group, &jobs, now.microseconds) { return }
        blocked = nil
        group.beginLooking()
        if group.countsSuffice {
            passByCount(&group, &jobs, now.microseconds)
        } else {
            passByNode(&group, &jobs, now.microseconds)
        }
    }

    /// The pass when nothing but one arrival has happened since the last: O(log n).
    ///
    /// - Returns: whether that was so.
    private mutating func isSettledByArrivals(
        _ group: inout SchedulingGroup,
        _ jobs: inout ActiveJobs,
        _ now: Int64
    ) -> Bool {
        guard let head = blocked, !group.news.hasChanged, group.news.arrivalCount <= 1,
            group.outlook == nil, !group.hasOverruns(at: now)
        else { return false }
        guard group.news.arrivalCount == 1 else { return true }
        // One that waited alone may have got its key only now: then the head is not the one that was blocked.
        guard group.queue.cursor(of: head.key) != nil else { return false }
        let arrival = group.news.arrival
        guard head.key < jobs[arrival].key else { return false }
        if group.nodes.isUniform {
            tryArrivalByCount(arrival, head, &group, &jobs, now)
            return true
        }
        return tryArrivalByNode(arrival, &group, &jobs, now)
    }

    // MARK: By counts

    private mutating func passByCount(
        _ group: inout SchedulingGroup,
        _ jobs: inout ActiveJobs,
        _ now: Int64
    ) {
        guard let head = group.startHeadsByCount(now, &jobs) else { return }
        let headKey = group.queue.key(at: head)
        // Without idle nodes nobody can start, whatever the shadow is.
        guard group.nodes.idleCount > 0 else {
            if group.heldBack.isEmpty {
                blocked = BlockedHead(key: headKey, shadow: .max, extra: 0)
            }
            return
        }
        guard group.queue.count > 1 else { return }
        guard
            let shadow = group.ends.shadow(
                need: group.queue.size(at: head),
                free: group.nodes.idleCount,
                now: now,
                grace: SchedulingGroup.overrunGrace
            )
        else { preconditionFailure("the head fits in the nodes in service, so it has a shadow") }
        let window = UInt32(clamping: (shadow.instant - now) / 1_000_000)
        var extra = shadow.extra
        var cursor: WaitingQueue.Cursor?
        while group.nodes.idleCount > 0,
            let candidate = group.candidate(
                after: cursor,
                head: head,
                free: group.nodes.idleCount,
                window: window,
                extra: extra
            )
        {
            let place = group.queueCursor(ofCandidate: candidate, jobs)
            let isLong = group.queue.limit(at: place) > window
            let most = isLong ? extra : .max
            let taken = group.tryStartByCount(place, now, &jobs, most: most)
            if isLong { extra -= taken ?? 0 }
            cursor = candidate
        }
        guard group.heldBack.isEmpty, !group.hasOverruns(at: now) else { return }
        blocked = BlockedHead(key: headKey, shadow: shadow.instant, extra: extra)
    }

    /// After an arrival and nothing else: `slot` may start, nobody else.
    private mutating func tryArrivalByCount(
        _ slot: Int32,
        _ head: BlockedHead,
        _ group: inout SchedulingGroup,
        _ jobs: inout ActiveJobs,
        _ now: Int64
    ) {
        guard group.nodes.idleCount > 0,
            let cursor = group.queue.cursor(of: jobs[slot].key)
        else { return }
        let size = group.queue.size(at: cursor)
        let isLong = Int64(group.queue.limit(at: cursor)) > (head.shadow - now) / 1_000_000
        guard size <= group.nodes.idleCount, !isLong || size <= head.extra else { return }
        let taken = group.tryStartByCount(cursor, now, &jobs, most: isLong ? head.extra : .max)
        if isLong { blocked?.extra -= taken ?? 0 }
        if !group.heldBack.isEmpty { blocked = nil }
    }

    // MARK: Explaining

    /// What kept a job from starting.
    public func obstacle(
        to slot: Int32,
        in group: SchedulingGroup,
        _ jobs: ActiveJobs,
        at now: SimInstant
    ) -> Obstacle? {
        guard let place = group.placeInQueue(of: slot, jobs) else { return nil }
        if let repairs = group.obstacleOfService(place) { return repairs }
        guard group.isUniform, group.outlook == nil, group.loans.isEmpty else {
            return slot == place.headSlot
                ? .firstAndNoRoom(free: group.unitsFree, promise: headShadow?.instant)
                : .noPlaceOnSharedNodes(head: place.headSlot)
        }
        guard let shadow = group.shadowByCount(of: place.head, now) else {
            return .noRoom(free: group.nodes.idleCount)
        }
        if slot == place.headSlot {
            return .firstAndNoRoom(free: group.nodes.idleCount, promise: shadow.instant)
        }
        return obstacle(to: jobs[slot], behind: place.headSlot, shadow, in: group, jobs, at: now)
    }

    /// The pass counted down free and extra nodes as it went through the candidates: what those
    /// behind this job took was still there at its turn.
    private func obstacle(
        to job: ActiveJob,
        behind head: Int32,
        _ shadow: ExpectedEnds.Shadow,
        in group: SchedulingGroup,
        _ jobs: ActiveJobs,
        at now: SimInstant
    ) -> Obstacle {
        let headKey = jobs[head].key
        func isLater(_ other: ActiveJob) -> Bool {
            guard headKey < other.key else { return false }
            guard group.policy.backfill == .easySJBF else { return job.key < other.key }
            return job.key.byLimit(job.plannedSeconds) < other.key.byLimit(other.plannedSeconds)
        }
        var free = group.nodes.idleCount
        var extra = shadow.extra
        for slot in group.started(at: now, jobs) {
            let other = jobs[slot]
            guard isLater(other) else { continue }
            free += other.nodesHeld
            if other.expectedEnd > shadow.instant { extra += other.nodesHeld }
        }
        if group.units(of: job.request) > free { return .noRoom(free: free) }
        return .wouldDelayHead(head: head, shadow: shadow.instant, extra: extra)
    }
}

extension SchedulingGroup {
    /// The first entry behind `cursor` (nil: of all behind the head) that fits, in the order in
    /// which candidates are tried.
    func candidate(
        after cursor: WaitingQueue.Cursor?,
        head: WaitingQueue.Cursor,
        free: Int32,
        window: UInt32,
        extra: Int32
    ) -> WaitingQueue.Cursor? {
        guard policy.backfill == .easySJBF else {
            return queue.next(after: cursor ?? head, free: free, window: window, extra: extra)
        }
        guard let cursor else {
            return byLimit.firstFitting(free: free, window: window, extra: extra)
        }
        return byLimit.next(after: cursor, free: free, window: window, extra: extra)
    }

    /// The place in the queue of a candidate.
    @inline(__always)
    func queueCursor(
        ofCandidate cursor: WaitingQueue.Cursor,
        _ jobs: ActiveJobs
    ) -> WaitingQueue.Cursor {
        guard policy.backfill == .easySJBF else { return cursor }
        let key = jobs[byLimit.slot(at: cursor)].key
        guard let place = queue.cursor(of: key) else {
            preconditionFailure("job \(key.id) is queued by limit only")
        }
        return place
    }
}
