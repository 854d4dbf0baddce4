import JobModel

/// What is free over time, as policies ask for it: when can this job be placed for its whole length
/// at the earliest, and where.
///
/// Running jobs hold until they are expected to end; what is planned holds while it lasts. Two
/// forms answer: `CountTimeline` counts equal nodes that are given whole, `NodeTimeline` looks at
/// each node. Where both apply, a job may start earlier by counts, since they promise no node by
/// name. Instants are in µs since the epoch.
protocol ResourceTimeline: Sendable, Codable {
    /// Where and from when a job is planned.
    associatedtype Place: PlannedPlace

    /// What the running jobs of a group leave free from `now` on. No initializer: that would have group and
    /// jobs copied for it.
    ///
    /// - Parameter resolution: ends of jobs count to a multiple of it, never early. Unit: µs.
    static func left(
        by group: SchedulingGroup,
        _ jobs: ActiveJobs,
        at now: Int64,
        resolution: Int64
    ) -> Self

    /// The earliest place, at or after `bound`, at which a queued job fits for `length`; nil when
    /// it never does as nodes are in service now.
    func earliest(
        _ cursor: WaitingQueue.Cursor,
        _ group: SchedulingGroup,
        _ jobs: ActiveJobs,
        length: Int64,
        from bound: Int64
    ) -> Place?

    /// Where a queued job can be placed from `now` on while nothing is planned, as `earliest` of a new
    /// timeline would say; nil when nowhere, or where a timeline is as cheap.
    static func placeAtOnce(
        _ cursor: WaitingQueue.Cursor,
        _ group: SchedulingGroup,
        _ jobs: ActiveJobs,
        at now: Int64
    ) -> Place?

    /// Whether a job of one size and length can be placed no earlier than another of less of both.
    static var isOrderedBySize: Bool { get }

    /// The first entry from `cursor` on that could start now, as far as its size and its limit tell;
    /// nil when none could. What comes behind need not be planned by whoever keeps no plan.
    func firstThatMayStart(
        from cursor: WaitingQueue.Cursor,
        _ group: SchedulingGroup
    ) -> WaitingQueue.Cursor?

    /// Holds a place until `end`.
    mutating func take(_ place: Place, until end: Int64)

    /// Gives a place back from `instant` on that was held until `end`.
    mutating func give(_ place: Place, from instant: Int64, until end: Int64)

    /// Gives back from `instant` on what a job that has ended was expected to hold.
    mutating func give(_ run: GroupNews.EndedRun, from instant: Int64, until end: Int64)

    /// Forgets what lies before `now`.
    mutating func trim(before now: Int64)

    /// Starts a job at its place, which begins now.
    ///
    /// - Returns: whether it could be; a job that overran its limit may hold what was planned.
    static func start(
        _ cursor: WaitingQueue.Cursor,
        _ place: Place,
        _ group: inout SchedulingGroup,
        _ jobs: inout ActiveJobs,
        at now: Int64
    ) -> Bool
}

/// What has been found while one plan was made: as it only fills up, a job cannot be placed before
/// another that was no larger and no longer.
struct PlanBounds {
    private struct Found {
        var size: Int32
        var length: Int64
        var from: Int64
    }

    /// The latest of those found, as a ring: jobs of a queue resemble those before them.
    private var found: [Found] = []
    private var next = 0
    private static let capacity = 24

    /// The latest instant before which a job of this size and length cannot start; `now` when
    /// nothing is known.
    func bound(size: Int32, length: Int64, now: Int64) -> Int64 {
        var bound = now
        for one in found where one.size <= size && one.length <= length {
            bound = max(bound, one.from)
        }
        return bound
    }

    /// Notes where a job was placed.
    mutating func note(size: Int32, length: Int64, from: Int64) {
        let one = Found(size: size, length: length, from: from)
        if found.count < Self.capacity {
            found.append(one)
        } else {
            found[next] = one
            next = (next + 1) % Self.capacity
        }
    }
}

/// A place on a timeline.
protocol PlannedPlace: Sendable, Codable {
    /// Unit: µs since the epoch.
    var from: Int64 { get }
}

extension WaitingQueue {
    /// The first entry from `cursor` on with `size <= free` and (`limit <= window` or
    /// `size <= extra`), or nil.
    func next(from cursor: Cursor, free: Int32, window: UInt32, extra: Int32) -> Cursor? {
        let size = size(at: cursor)
        if size <= free, size <= extra || limit(at: cursor) <= window { return cursor }
        return next(after: cursor, free: free, window: window, extra: extra)
    }
}

extension SchedulingGroup {
    /// How long a queued job is planned to hold its place: a job without run time holds it at its
    /// instant all the same. Unit: µs, at least 1.
    func plannedLength(at cursor: WaitingQueue.Cursor) -> Int64 {
        max(1, Int64(queue.limit(at: cursor)) * 1_000_000)
    }

    /// Whether an entry from `cursor` on is small enough for what is free.
    func mayStartAny(from cursor: WaitingQueue.Cursor) -> Bool {
        let free = unitsFree
        return queue.next(from: cursor, free: free, window: .max, extra: free) != nil
    }

    /// The running jobs that a plan made now counts as ending after a grace.
    func overruns(at now: Int64) -> [Overrun] {
        var list: [Overrun] = []
        ends.forEach { entry in
            guard entry.end <= now else { return false }
            list.append(Overrun(slot: entry.slot, until: now + Self.overrunGrace))
            return true
        }
        return list
    }
}

/// A running job that is planned to end after a grace, since it runs on though it should have ended.
struct Overrun: Sendable, Codable {
    var slot: Int32
    var until: Int64
}
