public import Accounts
import IndexSets
import JobModel
public import Quantities

/// Where jobs that start together have room beside what runs, one beside the other on the nodes of a
/// group. Nothing in it changes the group.
public struct JointPlan: Sendable {
    private var group: SchedulingGroup
    private var timeline: NodeTimeline
    private let now: Int64

    /// A place for one of the jobs.
    public struct Place: Sendable, Codable {
        /// From when on.
        public let from: SimInstant
        /// Until when, by the job's time limit.
        public let until: SimInstant
        /// The machine's indices of the nodes, ascending.
        public let nodes: [Int]
        let placed: SchedulingGroup.Placed
    }

    /// Begins with what runs in a group.
    ///
    /// - Parameter slot: one of the jobs, all of which may use the same reservation.
    public init(_ group: SchedulingGroup, for slot: Int32, _ jobs: ActiveJobs, at now: SimInstant) {
        var group = group
        group.look(for: slot, jobs, at: now.microseconds)
        group.prepareNodes()
        timeline = .left(by: group, jobs, at: now.microseconds, resolution: 1)
        self.group = group
        self.now = now.microseconds
    }

    /// The earliest place for a job at or after an instant; nil when there is none as nodes are in
    /// service now.
    public func earliest(_ slot: Int32, _ jobs: ActiveJobs, from bound: SimInstant) -> SimInstant? {
        find(slot, jobs, from: bound, isLeast: true).map { SimInstant(microseconds: $0.from) }
    }

    /// Takes the earliest place for a job at or after an instant.
    ///
    /// - Parameter isLeast: whether it takes no more than it needs, even now.
    public mutating func take(
        _ slot: Int32,
        _ jobs: ActiveJobs,
        from bound: SimInstant,
        isLeast: Bool
    ) -> Place? {
        guard let found = find(slot, jobs, from: bound, isLeast: isLeast) else { return nil }
        return take(found, slot, jobs)
    }

    /// Takes a place that was found before, if it is still there, from when it was to begin or from now on.
    public mutating func take(_ place: Place, again slot: Int32, _ jobs: ActiveJobs) -> Place? {
        let from = max(now, place.from.microseconds)
        let closed = group.outlook?.closed(
            from: from,
            until: from &+ group.lengthHeld(by: slot, jobs)
        )
        let choice = group.openChoices(slot, jobs).first { $0.partition == place.placed.partition }
        guard var filter = choice?.filter else { return nil }
        filter.closed = closed
        let isThere = timeline.canTake(
            place.placed.segments,
            of: place.placed.request,
            filter,
            from: from,
            until: from &+ length(of: slot, jobs)
        )
        guard isThere else { return nil }
        return take(NodeTimeline.Place(from: from, placed: place.placed), slot, jobs)
    }

    private mutating func take(
        _ found: NodeTimeline.Place,
        _ slot: Int32,
        _ jobs: ActiveJobs
    ) -> Place {
        timeline.take(found, until: found.from &+ length(of: slot, jobs))
        return Place(
            from: SimInstant(microseconds: found.from),
            until: SimInstant(microseconds: found.from &+ group.lengthHeld(by: slot, jobs)),
            nodes: found.placed.segments.map { group.nodes.machineIndex[Int($0.node)] },
            placed: found.placed
        )
    }

    private func find(
        _ slot: Int32,
        _ jobs: ActiveJobs,
        from bound: SimInstant,
        isLeast: Bool
    ) -> NodeTimeline.Place? {
        timeline.earliest(
            slot,
            group,
            jobs,
            length: length(of: slot, jobs),
            from: max(now, bound.microseconds),
            isLeast: isLeast
        )
    }

    private func length(of slot: Int32, _ jobs: ActiveJobs) -> Int64 {
        max(1, Int64(jobs[slot].plannedSeconds) * 1_000_000)
    }
}

extension SchedulingGroup {
    /// Whether a job that is not queued would be the first of the common queue, but for those that wait for
    /// repairs and so block nobody.
    public func wouldBeFirst(_ slot: Int32, _ jobs: ActiveJobs) -> Bool {
        var cursor = queue.first()
        while let current = cursor, queue.key(at: current) < jobs[slot].key {
            if mayEverStart(queue.slot(at: current), jobs, at: jobs.now.microseconds) {
                return false
            }
            cursor = entry(after: current)
        }
        return true
    }

    /// Whether as much is free as a job needs, wherever it is.
    public func mayHaveRoom(for slot: Int32, _ jobs: ActiveJobs) -> Bool {
        unitsNeeded(by: slot, jobs) <= unitsFree
    }

    /// On how many nodes of the group a job may run at all.
    public func nodesPermitted(to slot: Int32, _ jobs: ActiveJobs) -> Int {
        let choices = choices(slot, jobs)
        return (0..<nodes.count).filter { node in
            choices.contains { $0.filter.permits(node) }
        }.count
    }

    /// What was started before is told.
    public mutating func forgetStarts() { startedSlots.removeAll() }

    /// Starts a queued job in a place that was planned for now, whatever the policy would do.
    ///
    /// - Returns: the limit that keeps it from that; nil when it has started.
    public mutating func start(
        _ slot: Int32,
        at place: JointPlan.Place,
        _ jobs: inout ActiveJobs
    ) -> LimitStop? {
        let lane = laneIndex(of: slot, jobs)
        exchange(lane)
        defer { exchange(lane) }
        guard let cursor = queue.cursor(of: jobs[slot].key) else {
            preconditionFailure("job \(jobs[slot].id) is not queued where it is to start")
        }
        prepareNodes()
        if let stop = jobs.licenseStop(slot) ?? limitStop(place.placed, slot, jobs) { return stop }
        start(cursor, place.placed, jobs.now.microseconds, &jobs)
        endWithReservation(slot, &jobs)
        // No plan that a policy keeps knows of it.
        news.noteDisturbance()
        return nil
    }
}
