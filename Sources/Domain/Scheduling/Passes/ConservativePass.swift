import JobModel
public import Quantities

/// Conservative backfilling that plans anew at each pass (*replan*): every queued job, in queue
/// order, gets the earliest place that fits what runs and what is before it.
///
/// Source: Mu'alem and Feitelson, IEEE TPDS 12(6), 2001. A pass ends where nobody behind could start
/// any more, so it is O(n · m) for n jobs up to there and m steps of the timeline.
public struct ConservativePass: SchedulingPass {
    /// Starts what may start.
    public mutating func run(
        _ group: inout SchedulingGroup,
        _ jobs: inout ActiveJobs,
        at now: SimInstant
    ) {
        guard group.beginPass() else { return }
        defer { group.news.clear() }
        group.beginLooking()
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
        var timeline = Timeline.left(by: group, jobs, at: now, resolution: 1)
        var licenses = LicenseTimeline(group.policy, jobs, at: now, resolution: 1)
        var bounds = PlanBounds()
        var cursor = group.queue.first()
        var goal = cursor.flatMap { timeline.firstThatMayStart(from: $0, group) }
        while let current = cursor, let last = goal {
            if !group.park(current, jobs) {
                let length = group.plannedLength(at: current)
                let size = group.queue.size(at: current)
                let bound =
                    Timeline.isOrderedBySize
                    ? bounds.bound(size: size, length: length, now: now) : now
                var place = timeline.earliest(current, group, jobs, length: length, from: bound)
                let onNodes = place?.from ?? now
                var needs: [LicenseNeed] = []
                if let licenses {
                    needs = jobs.licenses(of: group.queue.slot(at: current))
                    place = licenses.delay(place, needs, length: length) {
                        timeline.earliest(current, group, jobs, length: length, from: $0)
                    }
                }
                if let place,
                    place.from > now
                        || Timeline.start(current, place, &group, &jobs, at: now)
                {
                    timeline.take(place, until: place.from + length)
                    licenses?.take(needs, from: place.from, until: place.from + length)
                    if Timeline.isOrderedBySize {
                        bounds.note(size: size, length: length, from: onNodes)
                    }
                }
            }
            cursor = group.entry(after: current)
            // Nobody before the goal starts, but what is planned may take the goal's place.
            if current == last {
                goal = cursor.flatMap { timeline.firstThatMayStart(from: $0, group) }
            }
        }
    }

    /// Where the plan has the job.
    public func obstacle(
        to slot: Int32,
        in group: SchedulingGroup,
        _ jobs: ActiveJobs,
        at now: SimInstant
    ) -> Obstacle? {
        guard let place = group.placeInQueue(of: slot, jobs) else { return nil }
        if let repairs = group.obstacleOfService(place) { return repairs }
        let promise =
            group.countsSuffice
            ? promise(to: slot, CountTimeline.self, group, jobs, now.microseconds)
            : promise(to: slot, NodeTimeline.self, group, jobs, now.microseconds)
        return promise.map { .plannedFor($0) }
    }

    /// When the plan starts a queued job. Unit: µs since the epoch; nil when it never does.
    private func promise<Timeline: ResourceTimeline>(
        to slot: Int32,
        _: Timeline.Type,
        _ group: SchedulingGroup,
        _ jobs: ActiveJobs,
        _ now: Int64
    ) -> Int64? {
        var timeline = Timeline.left(by: group, jobs, at: now, resolution: 1)
        var licenses = LicenseTimeline(group.policy, jobs, at: now, resolution: 1)
        var cursor = group.queue.first()
        while let current = cursor {
            let length = group.plannedLength(at: current)
            let needs = jobs.licenses(of: group.queue.slot(at: current))
            let onNodes = timeline.earliest(current, group, jobs, length: length, from: now)
            let place =
                licenses.map { licenses in
                    licenses.delay(onNodes, needs, length: length) {
                        timeline.earliest(current, group, jobs, length: length, from: $0)
                    }
                } ?? onNodes
            if let place {
                licenses?.take(needs, from: place.from, until: place.from + length)
                if group.queue.slot(at: current) == slot { return place.from }
                timeline.take(place, until: place.from + length)
            }
            cursor = group.queue.entry(after: current)
        }
        return nil
    }
}
