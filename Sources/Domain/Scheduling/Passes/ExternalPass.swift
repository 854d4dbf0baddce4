public import Accounts
public import IndexSets
public import Quantities

/// Starts nothing: whoever drives the emulator decides, with `SchedulingGroup.startChosen`.
public struct ExternalPass: SchedulingPass {
    /// Notes that the pass is over.
    public mutating func run(
        _ group: inout SchedulingGroup,
        _ jobs: inout ActiveJobs,
        at now: SimInstant
    ) {
        _ = group.beginPass()
        group.beginLooking()
        group.news.clear()
    }

    /// Whoever decides has not chosen it.
    public func obstacle(
        to slot: Int32,
        in group: SchedulingGroup,
        _ jobs: ActiveJobs,
        at now: SimInstant
    ) -> Obstacle? {
        guard let place = group.placeInQueue(of: slot, jobs) else { return nil }
        return group.obstacleOfService(place) ?? .notChosen
    }
}

/// What became of a start that was decided outside.
public enum OutsideStart: Hashable, Sendable {
    /// The job runs; `startedSlots` has it.
    case started
    /// It does not wait in this queue.
    case isNotQueued
    /// Its nodes are not free at this instant.
    case doesNotFit
    /// A limit leaves no room for it.
    case isOverLimit(LimitStop)
}

extension SchedulingGroup {
    /// Starts one job that somebody else has chosen.
    ///
    /// Nothing changes unless the answer is `started`. O(log n) of the queue, and the placement.
    ///
    /// - Parameters:
    ///   - chosen: the nodes that it gets, all of them and no others; nil for those that the placement
    ///     policy chooses.
    ///   - partition: the only one that will do; nil for any.
    public mutating func startChosen(
        _ slot: Int32,
        on chosen: IDSet? = nil,
        at now: SimInstant,
        _ jobs: inout ActiveJobs,
        inPartition partition: Int? = nil
    ) -> OutsideStart {
        startedSlots.removeAll(keepingCapacity: true)
        look(for: slot, jobs, at: now.microseconds)
        let lane = laneIndex(of: slot, jobs)
        exchange(lane)
        defer { exchange(lane) }
        guard jobs[slot].phase == .queued, let cursor = queue.cursor(of: jobs[slot].key) else {
            return .isNotQueued
        }
        if jobs[slot].hasLimits, let stop = limitStops(slot, jobs).first ?? jobs.licenseStop(slot) {
            return .isOverLimit(stop)
        }
        let isCounted = nodes.isUniform && !isConstrained(slot, jobs) && outlook == nil
        let mayCount = countsSuffice || isCounted && !alwaysLooksAtNodes && nodes.kept.isEmpty
        if mayCount, partition == nil, chosen == nil {
            guard queue.size(at: cursor) <= nodes.idleCount else { return .doesNotFit }
            tryStartByCount(cursor, now.microseconds, &jobs)
        } else {
            prepareNodes()
            let placed = placeNow(
                slot,
                jobs,
                at: now.microseconds,
                inPartition: partition,
                on: chosen
            )
            guard let placed else { return .doesNotFit }
            if let stop = limitStop(placed, slot, jobs) { return .isOverLimit(stop) }
            start(cursor, placed, now.microseconds, &jobs)
        }
        // A kept plan knows nothing of this start.
        news.noteDisturbance()
        return .started
    }
}
