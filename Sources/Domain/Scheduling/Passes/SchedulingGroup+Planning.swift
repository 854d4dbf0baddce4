// Conservative backfilling on equal whole nodes, of both kinds.
//
// *Replan* makes the plan anew at each pass. *Compress* keeps it: a job gets its reservation when it
// arrives, and at every end of a job each waiting job that is reserved later than now is, in queue
// order, taken out and put in again at its earliest, with all others in place. Under compress a
// promise only ever moves earlier. After a failure, a cancellation or anything else that is neither
// an arrival nor an end, the kept plan no longer says what is free, and is made anew.
//
// A plan counts nodes. Where that is not enough, because jobs name nodes or the placement chooses
// among equal ones, a job that may start by the plan is placed on the nodes themselves. One that
// names nodes is planned from the instant at which they are free, and as long as it waits nobody
// behind it gets those that it must have. Which those are a kept plan does not know: while such a job
// waits, compress plans anew at each pass.
//
// A job without run time holds its nodes at its instant all the same: it is planned for 1 µs.

import IndexSets
import Quantities

/// The kept plan of `BackfillPolicy.conservativeCompress`.
struct KeptPlan: Sendable {
    var timeline: FreeTimeline
    /// When each queued job is to start, by slot; `.max` without a promise.
    private var promises: ContiguousArray<Int64> = []
    /// Jobs that have ended since the last pass: what they would have held until when.
    private(set) var ended: [(units: Int32, until: Int64)] = []
    /// Whether something happened that the plan does not know.
    var isStale = false
    /// Jobs that had overrun when the plan was made, and until when it counts them.
    private var overruns: [(slot: Int32, until: Int64)]

    init(timeline: FreeTimeline, overruns: [(slot: Int32, until: Int64)]) {
        self.timeline = timeline
        self.overruns = overruns
    }

    /// Notes that a job has ended which gives `units` back.
    mutating func noteEnd(of slot: Int32, _ job: ActiveJob, units: Int32) {
        var until = max(job.expectedEnd, job.startedAt + 1)
        if let place = overruns.firstIndex(where: { $0.slot == slot }) {
            until = overruns.remove(at: place).until
        }
        ended.append((units, until))
    }

    /// Hands over the jobs that have ended since the last pass.
    mutating func takeEnded() -> [(units: Int32, until: Int64)] {
        defer { ended.removeAll(keepingCapacity: true) }
        return ended
    }

    /// When a queued job is to start; nil when it has just arrived.
    func promise(of slot: Int32) -> Int64? {
        guard Int(slot) < promises.count, promises[Int(slot)] < .max else { return nil }
        return promises[Int(slot)]
    }

    mutating func setPromise(of slot: Int32, to instant: Int64?) {
        while promises.count <= Int(slot) { promises.append(.max) }
        promises[Int(slot)] = instant ?? .max
    }
}

extension SchedulingGroup {
    mutating func passByReplanning(
        _ now: Int64,
        _ table: inout JobTable,
        _ limits: inout ConcurrencyLimits
    ) {
        var timeline = runningTimeline(now)
        var named = nodesNamed()
        var cursor = queue.first()
        while let current = cursor {
            // A job larger than what is in service waits for repairs and reserves nothing.
            if queue.size(at: current) <= nodes.inServiceCount, !park(current, table, &limits),
                let bound = earliestByNodes(current, now, &named, table),
                reserve(current, &timeline, from: bound) == now
            {
                startPlanned(current, now, named, &table, &limits)
            }
            cursor = queue.count > 0 ? queue.entry(after: current) : nil
        }
    }

    /// As `passByReplanning`, with the bounds of `SlurmBackfill`.
    mutating func passAsSlurm(
        _ now: Int64,
        _ table: inout JobTable,
        _ limits: inout ConcurrencyLimits
    ) {
        let rules = policy.slurm
        let resolution = Int64(rules.resolution) * 1_000_000
        let horizon = now + Int64(rules.window) * 60_000_000
        var timeline = runningTimeline(now, resolution: resolution)
        var named = nodesNamed()
        var tested = 0
        var reserved = 0
        var cursor = queue.first()
        while let current = cursor, tested < rules.depth {
            let size = queue.size(at: current)
            if size <= nodes.inServiceCount, !park(current, table, &limits),
                let bound = earliestByNodes(current, now, &named, table)
            {
                tested += 1
                let planned = (length(at: current) + resolution - 1) / resolution * resolution
                let start = timeline.earliest(units: size, length: planned, from: bound)
                if start == now {
                    timeline.take(size, from: start, to: start + planned)
                    startPlanned(current, now, named, &table, &limits)
                } else if start <= horizon, reserved < rules.reservations {
                    timeline.take(size, from: start, to: start + planned)
                    reserved += 1
                }
            }
            cursor = queue.count > 0 ? queue.entry(after: current) : nil
        }
    }

    mutating func passByCompressing(
        _ now: Int64,
        _ table: inout JobTable,
        _ limits: inout ConcurrencyLimits
    ) {
        guard constrainedCount == 0 else {
            keptPlan = nil
            nextPromise = nil
            return passByReplanning(now, &table, &limits)
        }
        var plan: KeptPlan
        if let kept = keptPlan, !kept.isStale {
            plan = kept
        } else {
            plan = KeptPlan(timeline: runningTimeline(now), overruns: overruns(at: now))
        }
        keptPlan = nil
        plan.timeline.trim(before: now)
        for job in plan.takeEnded() {
            plan.timeline.take(-job.units, from: now, to: job.until)
            compress(&plan, now)
        }
        nextPromise = nil
        let named = nodesNamed()
        var cursor = queue.first()
        while let current = cursor {
            keepOrStart(current, &plan, now, named, &table, &limits)
            cursor = queue.count > 0 ? queue.entry(after: current) : nil
        }
        keptPlan = plan
    }

    /// Reserves for a job that has arrived, and starts one whose time has come.
    private mutating func keepOrStart(
        _ cursor: WaitingQueue.Cursor,
        _ plan: inout KeptPlan,
        _ now: Int64,
        _ named: Set<Int>?,
        _ table: inout JobTable,
        _ limits: inout ConcurrencyLimits
    ) {
        let slot = queue.slot(at: cursor)
        let size = queue.size(at: cursor)
        guard size <= nodes.inServiceCount else { return }
        let start = plan.promise(of: slot) ?? reserve(cursor, &plan.timeline)
        if start > now {
            plan.setPromise(of: slot, to: start)
            nextPromise = min(nextPromise ?? .max, start)
            return
        }
        if size > nodes.idleCount {
            // Ends of this instant may still come; when they do not, a job overran its limit.
            plan.setPromise(of: slot, to: start)
            if start < now { plan.isStale = true }
            return
        }
        plan.setPromise(of: slot, to: nil)
        if park(cursor, table, &limits) || !startPlanned(cursor, now, named, &table, &limits) {
            plan.isStale = true
        }
    }

    // MARK: Where counting is not enough

    /// The nodes that a planning pass keeps for jobs that name them, none at first; nil where
    /// counting is enough.
    private mutating func nodesNamed() -> Set<Int>? {
        guard constrainedCount > 0 || looksAtNodes else { return nil }
        nodes.deriveAmounts(policy.placement)
        return []
    }

    /// The instant from which the nodes that a job names are free, if running jobs run to their
    /// limits; `now` for one that names none, nil when that is never.
    ///
    /// - Parameter named: gets those that it must have and cannot now.
    private mutating func earliestByNodes(
        _ cursor: WaitingQueue.Cursor,
        _ now: Int64,
        _ named: inout Set<Int>?,
        _ table: JobTable
    ) -> Int64? {
        let slot = queue.slot(at: cursor)
        guard let kept = named, isConstrained(slot, table) else { return now }
        if placeNow(slot, table, avoiding: kept) != nil { return now }
        guard let shadow = shadow(of: slot, now, table) else { return nil }
        for node in table.extras[slot]?.requiredNodes ?? IDSet() {
            if let local = nodes.localIndex(node) { named?.insert(local) }
        }
        return shadow.instant
    }

    /// Starts a job whose planned time has come.
    ///
    /// - Returns: whether it could be placed.
    @discardableResult
    private mutating func startPlanned(
        _ cursor: WaitingQueue.Cursor,
        _ now: Int64,
        _ named: Set<Int>?,
        _ table: inout JobTable,
        _ limits: inout ConcurrencyLimits
    ) -> Bool {
        guard let named else {
            guard queue.size(at: cursor) <= nodes.idleCount else { return false }
            return tryStartByCount(cursor, now, &table, &limits)
        }
        guard let placed = placeNow(queue.slot(at: cursor), table, avoiding: named) else {
            return false
        }
        start(cursor, placed, now, &table, &limits)
        return true
    }

    private func compress(_ plan: inout KeptPlan, _ now: Int64) {
        var cursor = queue.first()
        while let current = cursor {
            let slot = queue.slot(at: current)
            if let old = plan.promise(of: slot), old > now {
                let size = queue.size(at: current)
                plan.timeline.take(-size, from: old, to: old + length(at: current))
                let start = reserve(current, &plan.timeline)
                precondition(start <= old, "compressing moved a promise later")
                plan.setPromise(of: slot, to: start)
            }
            cursor = queue.entry(after: current)
        }
    }

    /// Takes the earliest place in a plan for a queued job.
    private func reserve(
        _ cursor: WaitingQueue.Cursor,
        _ timeline: inout FreeTimeline,
        from bound: Int64 = .min
    ) -> Int64 {
        let size = queue.size(at: cursor)
        let length = length(at: cursor)
        let start = timeline.earliest(units: size, length: length, from: bound)
        timeline.take(size, from: start, to: start + length)
        return start
    }

    /// How long a queued job is planned to hold its nodes. Unit: µs, at least 1.
    private func length(at cursor: WaitingQueue.Cursor) -> Int64 {
        max(1, Int64(queue.limit(at: cursor)) * 1_000_000)
    }

    /// The running jobs that a plan made now counts as ending after a grace.
    private func overruns(at now: Int64) -> [(slot: Int32, until: Int64)] {
        var list: [(slot: Int32, until: Int64)] = []
        ends.forEach { entry in
            guard entry.end <= now else { return false }
            list.append((entry.slot, now + Self.overrunGrace))
            return true
        }
        return list
    }

    /// When the plan that the last pass left starts a queued job. Unit: µs; nil without a plan.
    func plannedStart(of slot: Int32, at now: SimInstant) -> Int64? {
        if policy.backfill == .conservativeCompress { return keptPlan?.promise(of: slot) }
        guard policy.backfill == .conservative else { return nil }
        var timeline = runningTimeline(now.microseconds)
        var cursor = queue.first()
        while let current = cursor {
            if queue.size(at: current) <= nodes.inServiceCount {
                let start = reserve(current, &timeline)
                if queue.slot(at: current) == slot { return start }
            }
            cursor = queue.entry(after: current)
        }
        return nil
    }

    private func runningTimeline(_ now: Int64, resolution: Int64 = 1) -> FreeTimeline {
        precondition(nodes.isUniform, "conservative backfilling plans equal whole nodes only")
        var timeline = FreeTimeline(now: now, free: nodes.idleCount)
        for end in ends.byInstant(now: now, grace: Self.overrunGrace) {
            let instant = (end.instant + resolution - 1) / resolution * resolution
            timeline.appendEnd(at: instant, units: end.units)
        }
        return timeline
    }
}
