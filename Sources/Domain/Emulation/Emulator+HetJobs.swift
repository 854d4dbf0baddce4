import Accounts
public import JobModel
import Quantities
import Scheduling

// Heterogeneous jobs: components that start at one instant, or not at all.
//
// Components stand in no queue. Before each pass those of one job are planned together. The job before whose
// components nobody queues has nodes kept for it from the earliest instant at which all have room beside
// what runs, and starts there. Any other starts if the policy, with all its components in the queues of a copy
// of the emulator, starts all of them: then the copy is what happens.
//
// Source: Slurm 22.05, "Heterogeneous Job Support", and `_het_job_start_test` of `sched/backfill`.

extension Emulator {
    // MARK: Membership

    func membership(_ slot: Int32) -> HetMembership? {
        jobs[slot].hasExtras ? jobs.extras[slot]?.het : nil
    }

    /// The components of a heterogeneous job that have not ended, by number; the job alone when it is
    /// no component.
    public func components(of id: JobID) -> [JobID] {
        guard let slot = jobs.slot(of: id) else { return [] }
        guard let het = membership(slot) else { return [id] }
        let first = het.leader.number
        return (first..<first + UInt32(het.count)).map { JobID($0) }
            .filter { jobs.slot(of: $0) != nil }
    }

    /// The others of a component.
    func companions(of slot: Int32) -> [JobID] {
        guard membership(slot) != nil else { return [] }
        let own = jobs[slot].id
        return components(of: own).filter { $0 != own }
    }

    /// Notes that a component has arrived, or arrived anew.
    mutating func join(_ het: HetMembership) {
        let place = hetJobs.firstIndex { $0.leader >= het.leader } ?? hetJobs.count
        if place == hetJobs.count || hetJobs[place].leader != het.leader {
            hetJobs.insert(HetJob(leader: het.leader, count: het.count, arrived: 0), at: place)
        }
        hetJobs[place].arrived = max(hetJobs[place].arrived, het.offset + 1)
    }

    /// Notes that a component leaves for good.
    mutating func leaveHetJob(_ slot: Int32) {
        guard let het = membership(slot),
            let place = hetJobs.firstIndex(where: { $0.leader == het.leader })
        else { return }
        freePlaces(of: place)
        if companions(of: slot).isEmpty { hetJobs.remove(at: place) }
    }

    // MARK: Starting

    /// Whether heterogeneous jobs may start at a pass: only backfilling starts them, which comes round at
    /// multiples of `bf_interval`. The next round after one has come is asked for.
    mutating func isHetTurn(at now: SimInstant, into sink: inout some EffectSink) -> Bool {
        guard hetInterval > 0 else { return true }
        if let turn = nextHetTurn, turn <= now {
            nextHetTurn = nil
            return true
        }
        let past = now.seconds - (now.seconds % hetInterval + hetInterval) % hetInterval
        let turn = nextHetTurn ?? SimInstant(seconds: past + hetInterval)
        nextHetTurn = turn
        sink.wake(at: turn)
        return false
    }

    /// Starts the heterogeneous jobs that can start now, and keeps nodes for the next ones.
    mutating func startHetJobs(at now: SimInstant, into sink: inout some EffectSink) {
        // Where somebody else decides nothing is started here.
        if passes.first?.pass is ExternalPass { return }
        var ready: [(key: QueueKey, leader: JobID)] = []
        for place in hetJobs.indices {
            guard let slots = readySlots(of: hetJobs[place]) else {
                freePlaces(of: place)
                continue
            }
            if !order.isTrivial {
                for slot in slots { valueNewcomer(slot, at: now) }
            }
            if let key = slots.map({ jobs[$0].key }).min() {
                ready.append((key, hetJobs[place].leader))
            }
        }
        // The groups in which one that goes before waits for room.
        var claimed: Set<Int> = []
        for (_, leader) in ready.sorted(by: { $0.key < $1.key }) {
            startHetJob(leader, &claimed, at: now, into: &sink)
        }
    }

    /// The components of a job that waits for nothing but room; nil when it waits for something else.
    private func readySlots(of het: HetJob) -> [Int32]? {
        guard het.arrived == het.count else { return nil }
        let slots = het.components.compactMap { jobs.slot(of: JobID($0)) }
        let areReady = slots.allSatisfy {
            jobs[$0].phase == .waiting && jobs.extras[$0]?.isReady == true
        }
        return areReady ? slots : nil
    }

    private mutating func startHetJob(
        _ leader: JobID,
        _ claimed: inout Set<Int>,
        at now: SimInstant,
        into sink: inout some EffectSink
    ) {
        guard let place = hetJobs.firstIndex(where: { $0.leader == leader }),
            let slots = readySlots(of: hetJobs[place])
        else { return }
        if let stop = jointLimit(of: slots, at: now) {
            freePlaces(of: place)
            return wait(slots, under: stop, into: &sink)
        }
        let isFirst = slots.allSatisfy { slot in
            groupsOf(slot).allSatisfy { group in
                !claimed.contains(group) && groups[group].wouldBeFirst(slot, jobs)
            }
        }
        for slot in slots { jobs[slot].reason = isFirst ? .resources : .priority }
        guard isFirst else {
            freePlaces(of: place)
            backfill(slots, at: now, into: &sink)
            if jobs[slots[0]].phase == .waiting { claimed.formUnion(slots.flatMap(groupsOf)) }
            return
        }
        let kept = hetJobs[place].places
        var bare = self
        bare.freePlaces(of: place)
        var best = bare.jointPlaces(of: slots, at: now)
        // What was promised holds as long as nothing takes it away: another plan must be better.
        if let again = bare.places(kept, again: slots, at: now), let from = again.first?.place.from,
            best.map({ $0[0].place.from > now && $0[0].place.from >= from }) ?? true
        {
            best = again
        }
        guard let plan = best, let from = plan.first?.place.from else {
            return freePlaces(of: place)
        }
        guard from > now else {
            if let stop = bare.start(slots, at: plan, now) {
                freePlaces(of: place)
                return wait(slots, under: stop, into: &sink)
            }
            self = bare
            for group in Set(plan.map(\.group)).sorted() {
                reportStarts(in: group, at: now, into: &sink)
            }
            return
        }
        claimed.formUnion(slots.flatMap(groupsOf))
        sink.wake(at: from)
        keep(plan, for: place)
    }

    /// Starts jobs if the policy starts all of them, as one with those that are queued.
    private mutating func backfill(
        _ slots: [Int32],
        at now: SimInstant,
        into sink: inout some EffectSink
    ) {
        let mayFit = slots.allSatisfy { slot in
            groupsOf(slot).contains { groups[$0].mayHaveRoom(for: slot, jobs) }
        }
        guard mayFit, let plan = jointPlaces(of: slots, at: now), plan.first?.place.from == now
        else { return }
        var trial = self
        var effects = EffectBuffer()
        for slot in slots { trial.enqueue(slot, at: now) }
        trial.decide(at: now, into: &effects)
        if slots.allSatisfy({ trial.jobs[$0].phase == .running }) {
            self = trial
            return effects.send(to: &sink)
        }
        for slot in slots {
            if let reason = trial.pendingReason(of: jobs[slot].id) { jobs[slot].reason = reason }
        }
    }

    /// Starts jobs in places that were planned for now.
    ///
    /// - Returns: the limit that keeps one of them from it; some have started then all the same.
    private mutating func start(
        _ slots: [Int32],
        at plan: [HetJob.Kept],
        _ now: SimInstant
    ) -> LimitStop? {
        for group in Set(plan.map(\.group)) { groups[group].forgetStarts() }
        for slot in slots { enqueue(slot, at: now) }
        for own in plan {
            if let stop = groups[own.group].start(own.slot, at: own.place, &jobs) { return stop }
        }
        return nil
    }

    /// Says of jobs that a limit keeps them from starting.
    private mutating func wait(
        _ slots: [Int32],
        under stop: LimitStop,
        into sink: inout some EffectSink
    ) {
        for slot in slots { jobs[slot].reason = stop.reason }
        if stop.isTimed { awaitLimitPeriod(into: &sink) }
    }

    /// The limit that leaves no room for all of some jobs, each in the first of its partitions that has any.
    private func jointLimit(of slots: [Int32], at now: SimInstant) -> LimitStop? {
        guard slots.contains(where: { jobs[$0].hasLimits }) else { return nil }
        var limits = jobs.limits
        for slot in slots where jobs[slot].hasLimits {
            var stop: LimitStop?
            var claim: LimitClaim?
            for partition in jobs.extras[slot]?.partitions ?? [] where claim == nil {
                let own = groups[groupOfPartition[partition]]
                    .leastClaim(slot, inPartition: partition, jobs)
                guard let obstacle = limits.obstacle(to: own, at: now) else {
                    claim = own
                    continue
                }
                stop = stop ?? obstacle
            }
            guard let claim else { return stop }
            let length = Int64(jobs[slot].limitSeconds) * 1_000_000
            limits.hold(claim, until: now.microseconds + length, at: now)
        }
        return nil
    }

    // MARK: Places

    /// Lets others have the nodes that are kept for a component's job, whose request may have changed.
    mutating func unplan(_ slot: Int32) {
        guard let het = membership(slot),
            let place = hetJobs.firstIndex(where: { $0.leader == het.leader })
        else { return }
        freePlaces(of: place)
    }

    /// Lets others have the nodes that are kept for a job.
    private mutating func freePlaces(of place: Int) {
        for own in hetJobs[place].places { groups[own.group].dropReservation(own.id) }
        hetJobs[place].places = []
    }

    /// Keeps nodes for a job.
    private mutating func keep(_ plan: [HetJob.Kept], for place: Int) {
        guard !plan.elementsEqual(hetJobs[place].places, by: { $0.isLike($1) }) else { return }
        freePlaces(of: place)
        hetJobs[place].places = plan
        for own in plan {
            let (start, end) = (own.place.from.microseconds, own.place.until.microseconds)
            let span = RecurringSpan(start: start, end: max(end, start + 1))
            groups[own.group].reserve(own.id, own.place.nodes, during: span, [])
        }
    }

    /// The earliest instant from which all of some jobs have room beside what runs, each in the first of
    /// its groups where it has it; nil when there is none.
    private func jointPlaces(of slots: [Int32], at now: SimInstant) -> [HetJob.Kept]? {
        // Who has the fewest nodes to choose from chooses first.
        let choosing = slots.sorted { left, right in
            (nodesPermitted(to: left), jobs[left].id) < (nodesPermitted(to: right), jobs[right].id)
        }
        // Together they may have room now only if none takes more than it needs.
        let isElastic = slots.contains { jobs[$0].request.isElastic }
        if isElastic, let most = places(of: choosing, from: now, at: now, isLeast: false),
            most.allSatisfy({ $0.place.from == now })
        {
            return most
        }
        var from = now
        // Reservations that come back may never open together.
        for _ in 0..<Self.jointAttemptsMaximum {
            guard let found = places(of: choosing, from: from, at: now, isLeast: true),
                let latest = found.map(\.place.from).max()
            else { return nil }
            if latest == from { return found }
            from = latest
        }
        return nil
    }

    private func nodesPermitted(to slot: Int32) -> Int {
        groupsOf(slot).reduce(0) { $0 + groups[$1].nodesPermitted(to: slot, jobs) }
    }

    /// The earliest place for each of some jobs beside those before it, at or after an instant; nil when
    /// there is none for one of them.
    private func places(
        of slots: [Int32],
        from bound: SimInstant,
        at now: SimInstant,
        isLeast: Bool
    ) -> [HetJob.Kept]? {
        var plans: [JointKey: JointPlan] = [:]
        var found: [HetJob.Kept] = []
        for slot in slots {
            var best: (key: JointKey, from: SimInstant)?
            for group in groupsOf(slot) {
                let key = JointKey(group: group, reservation: jobs.extras[slot]?.reservation)
                let plan = plans[key] ?? JointPlan(groups[group], for: slot, jobs, at: now)
                plans[key] = plan
                guard let own = plan.earliest(slot, jobs, from: bound),
                    own < best?.from ?? .distantFuture
                else { continue }
                best = (key, own)
            }
            guard let best,
                let place = plans[best.key]?.take(slot, jobs, from: bound, isLeast: isLeast)
            else { return nil }
            found.append(
                HetJob.Kept(slot: slot, job: jobs[slot].id, group: best.key.group, place: place)
            )
        }
        return found
    }

    /// The places that were kept for jobs, from when they were to begin or from now on; nil when there are
    /// none, or one of them is there no longer.
    private func places(
        _ kept: [HetJob.Kept],
        again slots: [Int32],
        at now: SimInstant
    ) -> [HetJob.Kept]? {
        guard !kept.isEmpty, Set(kept.map(\.slot)) == Set(slots) else { return nil }
        var plans: [JointKey: JointPlan] = [:]
        var found: [HetJob.Kept] = []
        for var own in kept {
            let reservation = jobs.extras[own.slot]?.reservation
            let key = JointKey(group: own.group, reservation: reservation)
            var plan = plans[key] ?? JointPlan(groups[own.group], for: own.slot, jobs, at: now)
            guard let place = plan.take(own.place, again: own.slot, jobs) else { return nil }
            plans[key] = plan
            own.place = place
            found.append(own)
        }
        return found
    }

    private static let jointAttemptsMaximum = 200

    private struct JointKey: Hashable {
        var group: Int
        var reservation: ReservationID?
    }
}
