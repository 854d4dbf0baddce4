import JobModel
public import Quantities

/// Conservative backfilling with promises kept (*compress*): a job gets its place when it arrives,
/// and at every end of a job each waiting job that is planned later than now is, in queue order,
/// taken out and put in again at its earliest, with all others in place. A promise only ever moves
/// earlier.
///
/// Source: the pyss simulator's conservative scheduler. O(n · m) an end. After a failure, a
/// cancellation or anything else that is neither an arrival nor an end, the kept plan no longer
/// says what is free, and is made anew.
public struct CompressPass: SchedulingPass {
    private var counted = KeptPlan(stale: CountTimeline(now: .min, free: 0))
    private var looked = KeptPlan(stale: NodeTimeline())
    /// When the first promise falls due. Unit: µs since the epoch.
    public private(set) var nextPromise: Int64?

    /// Starts what may start.
    public mutating func run(
        _ group: inout SchedulingGroup,
        _ jobs: inout ActiveJobs,
        at now: SimInstant
    ) {
        defer { group.news.clear() }
        // Nothing is promised without a queue, so the next arrival may plan from what runs.
        let isQueued = group.beginPass()
        if !isQueued || !group.countsSuffice { counted.isStale = true }
        if !isQueued || group.countsSuffice { looked.isStale = true }
        guard isQueued else {
            nextPromise = nil
            return
        }
        group.beginLooking()
        if group.countsSuffice {
            counted.run(&group, &jobs, now.microseconds)
            nextPromise = counted.nextPromise
        } else {
            group.prepareNodes()
            looked.run(&group, &jobs, now.microseconds)
            nextPromise = looked.nextPromise
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
            group.countsSuffice ? counted.promise(to: slot)?.from : looked.promise(to: slot)?.from
        return promise.map { .plannedFor($0) }
    }
}

/// The plan that `CompressPass` keeps.
private struct KeptPlan<Timeline: ResourceTimeline>: Sendable, Codable {
    private var timeline: Timeline
    /// The place of each queued job, by slot.
    private var promises: ContiguousArray<Timeline.Place?> = []
    /// Whether something happened that the plan does not know.
    var isStale = false
    private(set) var nextPromise: Int64?
    /// Jobs that had overrun when the plan was made, and until when it counts them.
    private var overruns: [Overrun] = []

    /// A plan that says nothing.
    init(stale timeline: Timeline) {
        self.timeline = timeline
        isStale = true
    }

    /// Begins with what runs.
    init(_ group: SchedulingGroup, _ jobs: ActiveJobs, at now: Int64) {
        timeline = Timeline.left(by: group, jobs, at: now, resolution: 1)
        overruns = group.overruns(at: now)
    }

    mutating func run(_ group: inout SchedulingGroup, _ jobs: inout ActiveJobs, _ now: Int64) {
        if isStale || group.news.isDisturbed {
            self = KeptPlan(group, jobs, at: now)
        } else {
            timeline.trim(before: now)
            for run in group.news.ended { compress(run, group, jobs, now) }
        }
        nextPromise = nil
        var cursor = group.queue.first()
        while let current = cursor {
            keepOrStart(current, &group, &jobs, now)
            cursor = group.entry(after: current)
        }
    }

    /// The place of a queued job; nil when it has just arrived.
    func promise(to slot: Int32) -> Timeline.Place? {
        Int(slot) < promises.count ? promises[Int(slot)] : nil
    }

    private mutating func setPromise(to slot: Int32, _ place: Timeline.Place?) {
        while promises.count <= Int(slot) { promises.append(nil) }
        promises[Int(slot)] = place
    }

    /// After the end of a job, moves each waiting job to its earliest place, others in theirs.
    private mutating func compress(
        _ run: GroupNews.EndedRun,
        _ group: SchedulingGroup,
        _ jobs: ActiveJobs,
        _ now: Int64
    ) {
        var until = run.until
        if let place = overruns.firstIndex(where: { $0.slot == run.slot }) {
            until = overruns.remove(at: place).until
        }
        timeline.give(run, from: now, until: until)
        var cursor = group.queue.first()
        while let current = cursor {
            let slot = group.queue.slot(at: current)
            if let old = promise(to: slot), old.from > now {
                let length = group.plannedLength(at: current)
                timeline.give(old, from: old.from, until: old.from + length)
                let place = timeline.earliest(current, group, jobs, length: length, from: now)
                precondition(place?.from ?? .max <= old.from, "a promise was moved later")
                if let place { timeline.take(place, until: place.from + length) }
                setPromise(to: slot, place)
            }
            cursor = group.queue.entry(after: current)
        }
    }

    /// Reserves for a job that has arrived, and starts one whose time has come.
    private mutating func keepOrStart(
        _ cursor: WaitingQueue.Cursor,
        _ group: inout SchedulingGroup,
        _ jobs: inout ActiveJobs,
        _ now: Int64
    ) {
        let slot = group.queue.slot(at: cursor)
        guard let place = promise(to: slot) ?? reserve(cursor, group, jobs, now) else { return }
        setPromise(to: slot, place)
        guard place.from <= now else {
            nextPromise = min(nextPromise ?? .max, place.from)
            return
        }
        if Timeline.start(cursor, place, &group, &jobs, at: now) {
            setPromise(to: slot, nil)
            // Limits may have left it less than was planned.
            if jobs[slot].request.isElastic { isStale = true }
        } else if place.from < now || !group.isQueued(slot, jobs) || !group.heldBack.isEmpty {
            // Ends of this instant may still come. When they do not, a job overran its limit; and
            // whoever a limit stops does not hold what was planned.
            isStale = true
        }
    }

    /// Takes the earliest place for a queued job.
    private mutating func reserve(
        _ cursor: WaitingQueue.Cursor,
        _ group: SchedulingGroup,
        _ jobs: ActiveJobs,
        _ now: Int64
    ) -> Timeline.Place? {
        let length = group.plannedLength(at: cursor)
        let place = timeline.earliest(cursor, group, jobs, length: length, from: now)
        if let place { timeline.take(place, until: place.from + length) }
        return place
    }
}
