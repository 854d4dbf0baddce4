public import Quantities

/// Why a queued job has not started in the pass that is just over: the same numbers that the pass
/// went by, at the job's turn.
public enum Obstacle: Hashable, Sendable {
    /// It is first in its queue and its nodes are not free. `promise` is its reservation: when they
    /// are free if every running job runs to its limit. Unit: µs; nil where nodes are shared.
    case firstAndNoRoom(free: Int32, promise: Int64?)
    /// The first in the queue does not fit, and nobody may overtake.
    case behindBlockedHead(head: Int32, headNodes: Int32, free: Int32)
    /// At its turn too few nodes were free.
    case noRoom(free: Int32)
    /// It fits now, but would hold nodes that the head is promised at the shadow time; only `extra`
    /// are not. Unit: µs.
    case wouldDelayHead(head: Int32, shadow: Int64, extra: Int32)
    /// It has a place of its own in the plan. Unit: µs.
    case plannedFor(Int64)
    /// It cannot be placed on the nodes as they are shared now, or would delay the head.
    case noPlaceOnSharedNodes(head: Int32)
    /// More nodes are wanted than are in service.
    case waitsForRepairs(inService: Int32)
    /// So much is free, but the plan keeps it for jobs before this one, or does not reach so far.
    case keptForOthers(free: Int32)
    /// Whoever decides outside did not start it.
    case notChosen
}

extension SchedulingGroup {
    /// Units that were free when the pass at `now` began, if it is over: what is free and what the
    /// jobs hold that it started.
    public func unitsFreeBeforePass(at now: SimInstant, _ table: JobTable) -> Int32 {
        let free = nodes.isUniform ? nodes.idleCount : Int32(clamping: nodes.coresFree)
        return started(at: now, table).reduce(free) { $0 + held(by: $1, table) }
    }

    /// The queued jobs before `slot`, in order: at most `most` of them, and how many there are.
    public func jobsAhead(
        of slot: Int32,
        most: Int,
        _ table: JobTable
    ) -> (slots: [Int32], count: Int) {
        var slots: [Int32] = []
        var count = 0
        var cursor = queue.first()
        while let current = cursor, queue.slot(at: current) != slot {
            if !(table.records[Int(slot)].key < table.records[Int(queue.slot(at: current))].key) {
                count += 1
                if slots.count < most { slots.append(queue.slot(at: current)) }
            }
            cursor = queue.entry(after: current)
        }
        return (slots, count)
    }

    /// What kept a queued job from starting in the pass at `now`, which is just over.
    public func obstacle(to slot: Int32, at now: SimInstant, _ table: JobTable) -> Obstacle? {
        let job = table.records[Int(slot)]
        guard let head = queue.first(), let place = queue.cursor(of: job.key) else { return nil }
        let headSlot = queue.slot(at: head)
        guard nodes.isUniform else {
            return slot == headSlot
                ? .firstAndNoRoom(free: Int32(clamping: nodes.coresFree), promise: nil)
                : .noPlaceOnSharedNodes(head: headSlot)
        }
        if queue.size(at: place) > nodes.inServiceCount {
            return .waitsForRepairs(inService: nodes.inServiceCount)
        }
        switch policy.backfill {
        case .none:
            return slot == headSlot
                ? .firstAndNoRoom(free: nodes.idleCount, promise: shadow(of: head, now)?.instant)
                : .behindBlockedHead(
                    head: headSlot,
                    headNodes: queue.size(at: head),
                    free: nodes.idleCount
                )
        case .easy, .easySJBF:
            guard let shadow = shadow(of: head, now) else { return .noRoom(free: nodes.idleCount) }
            if slot == headSlot {
                return .firstAndNoRoom(free: nodes.idleCount, promise: shadow.instant)
            }
            return obstacle(to: job, behind: headSlot, shadow, at: now, table)
        case .conservative, .conservativeCompress:
            return plannedStart(of: slot, at: now).map { .plannedFor($0) }
        case .slurm:
            return queue.size(at: place) > nodes.idleCount
                ? .noRoom(free: nodes.idleCount) : .keptForOthers(free: nodes.idleCount)
        case .external: return .notChosen
        }
    }

    /// The pass counted down free and extra nodes as it went through the candidates: what those
    /// behind this job took was still there at its turn.
    private func obstacle(
        to job: ActiveJob,
        behind head: Int32,
        _ shadow: ExpectedEnds.Shadow,
        at now: SimInstant,
        _ table: JobTable
    ) -> Obstacle {
        let headKey = table.records[Int(head)].key
        func isLater(_ other: ActiveJob) -> Bool {
            guard headKey < other.key else { return false }
            guard policy.backfill == .easySJBF else { return job.key < other.key }
            return job.key.byLimit(job.plannedSeconds) < other.key.byLimit(other.plannedSeconds)
        }
        var free = nodes.idleCount
        var extra = shadow.extra
        for slot in started(at: now, table) {
            let other = table.records[Int(slot)]
            guard isLater(other) else { continue }
            free += other.nodesHeld
            if other.expectedEnd > shadow.instant { extra += other.nodesHeld }
        }
        if units(of: job.request) > free { return .noRoom(free: free) }
        return .wouldDelayHead(head: head, shadow: shadow.instant, extra: extra)
    }

    private func shadow(of head: WaitingQueue.Cursor, _ now: SimInstant) -> ExpectedEnds.Shadow? {
        guard queue.size(at: head) > nodes.idleCount else { return nil }
        return ends.shadow(
            need: queue.size(at: head),
            free: nodes.idleCount,
            now: now.microseconds,
            grace: Self.overrunGrace
        )
    }

    private func started(at now: SimInstant, _ table: JobTable) -> [Int32] {
        // A pass may follow another at one instant, when a job without run time has ended.
        guard policy.backfill == .external else { return Array(startedSlots) }
        var slots: [Int32] = []
        ends.forEach { entry in
            if table.records[Int(entry.slot)].startedAt == now.microseconds {
                slots.append(entry.slot)
            }
            return true
        }
        return slots
    }

    private func held(by slot: Int32, _ table: JobTable) -> Int32 {
        let job = table.records[Int(slot)]
        return nodes.isUniform ? job.nodesHeld : job.coresHeld
    }
}
