public import Quantities

/// What became of a start that was decided outside.
public enum OutsideStart: Hashable, Sendable {
    /// The job runs; `startedSlots` has it.
    case started
    /// It does not wait in this queue.
    case isNotQueued
    /// Its nodes are not free at this instant.
    case doesNotFit
    /// A concurrency limit, by its position, leaves no room for it.
    case isOverLimit(Int)
}

extension SchedulingGroup {
    /// Nodes in service that run nothing.
    public var idleNodeCount: Int32 { nodes.idleCount }

    /// Starts one job that somebody else has chosen, where the placement policy puts it.
    ///
    /// Nothing changes unless the answer is `started`. O(log n) of the queue, and the placement.
    public mutating func startChosen(
        _ slot: Int32,
        at now: SimInstant,
        _ table: inout JobTable,
        _ limits: inout ConcurrencyLimits
    ) -> OutsideStart {
        startedSlots.removeAll(keepingCapacity: true)
        let job = table.records[Int(slot)]
        guard job.phase == .queued, let cursor = queue.cursor(of: job.key) else {
            return .isNotQueued
        }
        if job.hasLimits, let limit = limitThatStops(slot, table, limits) {
            return .isOverLimit(limit)
        }
        let instant = now.microseconds
        blocked = nil
        if nodes.isUniform, !isConstrained(slot, table), !looksAtNodes {
            guard queue.size(at: cursor) <= nodes.idleCount else { return .doesNotFit }
            tryStartByCount(cursor, instant, &table, &limits)
        } else {
            if nodes.isUniform { nodes.deriveAmounts(policy.placement) }
            guard let placed = placeNow(slot, table) else { return .doesNotFit }
            if let limit = limitThatStops(placed, slot, table, limits) {
                return .isOverLimit(limit)
            }
            start(cursor, placed, instant, &table, &limits)
        }
        // A kept plan knows nothing of this start.
        keptPlan?.isStale = true
        return .started
    }
}
