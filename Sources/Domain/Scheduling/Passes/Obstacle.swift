public import Quantities

/// Why a queued job has not started in the pass that is just over: the same numbers that the pass
/// went by, at the job's turn.
public enum Obstacle: Hashable, Sendable {
    /// It is first in its queue and its nodes are not free. `promise` is its reservation: when they
    /// are free if every running job runs to its limit. Unit: µs; nil when that is never.
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
    /// Units that no job holds on nodes in service: nodes by counts, cores elsewhere.
    var unitsFree: Int32 {
        nodes.isUniform ? nodes.idleCount : Int32(clamping: nodes.coresFree)
    }

    /// Units that were free when the pass at `now` began, if it is over: what is free and what the
    /// jobs hold that it started.
    public func unitsFreeBeforePass(at now: SimInstant, _ jobs: ActiveJobs) -> Int32 {
        started(at: now, jobs).reduce(unitsFree) {
            $0 + (nodes.isUniform ? jobs[$1].nodesHeld : jobs[$1].coresHeld)
        }
    }

    /// The queued jobs before `slot`, in order: at most `most` of them, and how many there are.
    public func jobsAhead(
        of slot: Int32,
        most: Int,
        _ jobs: ActiveJobs
    ) -> (slots: [Int32], count: Int) {
        var slots: [Int32] = []
        var count = 0
        var cursor = queue.first()
        while let current = cursor, queue.slot(at: current) != slot {
            if !(jobs[slot].key < jobs[queue.slot(at: current)].key) {
                count += 1
                if slots.count < most { slots.append(queue.slot(at: current)) }
            }
            cursor = queue.entry(after: current)
        }
        return (slots, count)
    }

    /// Where a queued job stands, and the head of its queue; nil when it is not queued.
    func placeInQueue(
        of slot: Int32,
        _ jobs: ActiveJobs
    ) -> (cursor: WaitingQueue.Cursor, head: WaitingQueue.Cursor, headSlot: Int32)? {
        guard let head = queue.first(), let cursor = queue.cursor(of: jobs[slot].key) else {
            return nil
        }
        return (cursor, head, queue.slot(at: head))
    }

    /// What keeps a job from starting while nodes are out of service; nil when nothing does.
    func obstacleOfService(
        _ place: (cursor: WaitingQueue.Cursor, head: WaitingQueue.Cursor, headSlot: Int32)
    ) -> Obstacle? {
        guard nodes.isUniform, outlook == nil,
            queue.size(at: place.cursor) > nodes.inServiceCount
        else {
            return nil
        }
        return .waitsForRepairs(inService: nodes.inServiceCount)
    }

    /// When the head's nodes are free at the earliest, by counts; nil where they are free now, or
    /// nodes are not counted.
    func shadowByCount(of head: WaitingQueue.Cursor, _ now: SimInstant) -> ExpectedEnds.Shadow? {
        guard nodes.isUniform, outlook == nil, queue.size(at: head) > nodes.idleCount else {
            return nil
        }
        return ends.shadow(
            need: queue.size(at: head),
            free: nodes.idleCount,
            now: now.microseconds,
            grace: Self.overrunGrace
        )
    }

    /// The jobs that started at `now`.
    func started(at now: SimInstant, _ jobs: ActiveJobs) -> [Int32] {
        // A pass may follow another at one instant, when a job without run time has ended.
        guard policy.backfill == .external else { return Array(startedSlots) }
        var slots: [Int32] = []
        ends.forEach { entry in
            if jobs[entry.slot].startedAt == now.microseconds { slots.append(entry.slot) }
            return true
        }
        return slots
    }
}
