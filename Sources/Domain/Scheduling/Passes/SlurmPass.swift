import JobModel
public import Quantities

/// As Slurm's `sched/backfill`: conservative backfilling within a window, to a resolution, for the
/// first jobs of the queue, with a maximum of reservations.
///
/// Source: Slurm, "Scheduling Configuration Guide", SchedulerParameters.
public struct SlurmPass: SchedulingPass {
    private let rules: SlurmBackfill

    /// Makes a pass with its bounds.
    public init(_ rules: SlurmBackfill) {
        self.rules = rules
    }

    /// Starts what may start.
    public mutating func run(
        _ group: inout SchedulingGroup,
        _ jobs: inout ActiveJobs,
        at now: SimInstant
    ) {
        guard group.beginPass() else { return }
        defer { group.news.clear() }
        group.beginLooking()
        guard let first = group.queue.first(), group.mayStartAny(from: first) else { return }
        if group.countsSuffice {
            plan(CountTimeline.self, &group, &jobs, now.microseconds)
        } else {
            group.prepareNodes()
            plan(NodeTimeline.self, &group, &jobs, now.microseconds)
        }
    }

    private func plan<Timeline: ResourceTimeline>(
        _: Timeline.Type,
        _ group: inout SchedulingGroup,
        _ jobs: inout ActiveJobs,
        _ now: Int64
    ) {
        let resolution = Int64(rules.resolution) * 1_000_000
        let horizon = now + Int64(rules.window) * 60_000_000
        var licenses = LicenseTimeline(group.policy, jobs, at: now, resolution: resolution)
        var bounds = PlanBounds()
        var tested = 0
        var reserved = 0
        var cursor = group.queue.first()
        if licenses == nil {
            cursor = startHeads(Timeline.self, &tested, &group, &jobs, now)
            guard tested < rules.depth, let next = cursor, group.mayStartAny(from: next) else {
                return
            }
        }
        var timeline = Timeline.left(by: group, jobs, at: now, resolution: resolution)
        var goal = cursor.flatMap { timeline.firstThatMayStart(from: $0, group) }
        while let current = cursor, let last = goal, tested < rules.depth {
            let exact = group.plannedLength(at: current)
            let length = (exact + resolution - 1) / resolution * resolution
            let size = group.queue.size(at: current)
            let bound =
                Timeline.isOrderedBySize ? bounds.bound(size: size, length: length, now: now) : now
            if !group.park(current, jobs),
                let onNodes = timeline.earliest(current, group, jobs, length: length, from: bound)
            {
                tested += 1
                if Timeline.isOrderedBySize {
                    bounds.note(size: size, length: length, from: onNodes.from)
                }
                // Nil where the nodes are free before the licences only: those of a reservation that ends.
                var place: Timeline.Place? = onNodes
                var needs: [LicenseNeed] = []
                if let licenses {
                    needs = jobs.licenses(of: group.queue.slot(at: current))
                    place = licenses.delay(onNodes, needs, length: length) {
                        timeline.earliest(current, group, jobs, length: length, from: $0)
                    }
                }
                if let place, place.from == now {
                    if Timeline.start(current, place, &group, &jobs, at: now) {
                        timeline.take(place, until: now + length)
                        licenses?.take(needs, from: now, until: now + length)
                    }
                } else if let place, place.from <= horizon, reserved < rules.reservations {
                    timeline.take(place, until: place.from + length)
                    licenses?.take(needs, from: place.from, until: place.from + length)
                    reserved += 1
                }
            }
            cursor = group.entry(after: current)
            if current == last {
                goal = cursor.flatMap { timeline.firstThatMayStart(from: $0, group) }
            }
        }
    }

    /// Starts the first of the queue as long as each has room at once: as nothing is planned before
    /// them, no timeline is needed to see that. What runs only gives back.
    ///
    /// - Returns: the first that has none, if any.
    private func startHeads<Timeline: ResourceTimeline>(
        _: Timeline.Type,
        _ tested: inout Int,
        _ group: inout SchedulingGroup,
        _ jobs: inout ActiveJobs,
        _ now: Int64
    ) -> WaitingQueue.Cursor? {
        var cursor = group.queue.first()
        while let current = cursor, tested < rules.depth, group.mayStartAny(from: current) {
            if !group.park(current, jobs) {
                guard let place = Timeline.placeAtOnce(current, group, jobs, at: now) else {
                    return current
                }
                tested += 1
                _ = Timeline.start(current, place, &group, &jobs, at: now)
            }
            cursor = group.entry(after: current)
        }
        return cursor
    }

    /// What kept a job from starting.
    public func obstacle(
        to slot: Int32,
        in group: SchedulingGroup,
        _ jobs: ActiveJobs,
        at now: SimInstant
    ) -> Obstacle? {
        guard let place = group.placeInQueue(of: slot, jobs) else { return nil }
        if let repairs = group.obstacleOfService(place) { return repairs }
        let free = group.unitsFree
        return group.queue.size(at: place.cursor) > free
            ? .noRoom(free: free) : .keptForOthers(free: free)
    }
}
