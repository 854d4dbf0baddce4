import JobModel

/// Free nodes over time, of equal nodes that are given whole: `free[k]` are free on `[instants[k], instants[k + 1])`, and the last
/// entry holds for ever.
///
/// A flat pair of arrays: plans have as many entries as
/// there are running and waiting jobs, a search reads them in order, and inserting moves memory
/// that is in the cache already.
struct CountTimeline: Sendable, Codable {
    private var instants: ContiguousArray<Int64> = []
    private var free: ContiguousArray<Int32> = []

    /// Starts with what is free at `now` and stays free.
    init(now: Int64, free: Int32) {
        instants.append(now)
        self.free.append(free)
    }

    /// Adds the end of a running job. Ends come in order.
    mutating func appendEnd(at instant: Int64, units: Int32) {
        let last = free.count - 1
        if instants[last] == instant {
            free[last] += units
        } else {
            instants.append(instant)
            free.append(free[last] + units)
        }
    }

    /// Forgets what lies before `now`.
    mutating func trim(before now: Int64) {
        var first = 0
        while first + 1 < instants.count, instants[first + 1] <= now { first += 1 }
        if first > 0 {
            instants.removeFirst(first)
            free.removeFirst(first)
        }
        instants[0] = max(instants[0], now)
    }

    /// The earliest instant, at or after `bound`, from which `units` stay free for `length`.
    ///
    /// - Precondition: the last entry has as many units free.
    func earliest(units: Int32, length: Int64, from bound: Int64 = .min) -> Int64 {
        precondition(free[free.count - 1] >= units, "planned a job that never fits")
        return instants.withUnsafeBufferPointer { instants in
            free.withUnsafeBufferPointer { free in
                // The last entry that begins at or before the bound.
                var first = 0
                var behind = instants.count
                while first + 1 < behind {
                    let middle = (first + behind) / 2
                    if instants[middle] <= bound { first = middle } else { behind = middle }
                }
                while true {
                    while free[first] < units { first += 1 }
                    let start = max(instants[first], bound)
                    let end = start &+ length
                    var next = first + 1
                    while next < instants.count, instants[next] < end, free[next] >= units {
                        next += 1
                    }
                    if next == instants.count || instants[next] >= end { return start }
                    first = next
                }
            }
        }
    }

    /// Takes `units` away on `[start, end)`; a negative number gives them back.
    ///
    /// - Precondition: `start` is not before the first entry.
    mutating func take(_ units: Int32, from start: Int64, to end: Int64) {
        guard start < end else { return }
        let first = cut(at: start)
        let last = cut(at: end)
        for index in first..<last {
            free[index] -= units
            precondition(free[index] >= 0, "planned more than there is at \(instants[index])")
        }
    }

    /// The position of the entry that begins at `instant`, made if need be.
    private mutating func cut(at instant: Int64) -> Int {
        var low = 0
        var high = instants.count
        while low < high {
            let middle = (low + high) / 2
            if instants[middle] < instant { low = middle + 1 } else { high = middle }
        }
        if low == instants.count || instants[low] != instant {
            instants.insert(instant, at: low)
            free.insert(free[low - 1], at: low)
        }
        return low
    }
}

extension CountTimeline: ResourceTimeline {
    struct Place: PlannedPlace {
        var from: Int64
        var units: Int32
    }

    static func left(
        by group: SchedulingGroup,
        _ jobs: ActiveJobs,
        at now: Int64,
        resolution: Int64
    ) -> Self {
        precondition(group.nodes.isUniform, "unequal or shared nodes are not counted")
        var timeline = Self(now: now, free: group.nodes.idleCount)
        group.ends.forEachByInstant(now: now, grace: SchedulingGroup.overrunGrace) { entry in
            let instant = (entry.instant + resolution - 1) / resolution * resolution
            timeline.appendEnd(at: instant, units: entry.units)
            return true
        }
        return timeline
    }

    func earliest(
        _ cursor: WaitingQueue.Cursor,
        _ group: SchedulingGroup,
        _ jobs: ActiveJobs,
        length: Int64,
        from bound: Int64
    ) -> Place? {
        let units = group.queue.size(at: cursor)
        // A job larger than what is in service waits for repairs and reserves nothing.
        guard units <= group.nodes.inServiceCount else { return nil }
        var place = Place(from: earliest(units: units, length: length, from: bound), units: units)
        let request = jobs[group.queue.slot(at: cursor)].request
        // Only what starts now takes more than it needs.
        if request.isElastic, place.from == instants[0] {
            let free = leastFree(until: place.from &+ length)
            place.units = max(units, min(group.mostNodes(for: request), free))
        }
        return place
    }

    static func placeAtOnce(
        _ cursor: WaitingQueue.Cursor,
        _ group: SchedulingGroup,
        _ jobs: ActiveJobs,
        at now: Int64
    ) -> Place? {
        nil
    }

    /// The least that is free from the beginning to `end`.
    private func leastFree(until end: Int64) -> Int32 {
        var least = free[0]
        for (instant, units) in zip(instants, free) where instant < end {
            least = min(least, units)
        }
        return least
    }

    static var isOrderedBySize: Bool { true }

    func firstThatMayStart(
        from cursor: WaitingQueue.Cursor,
        _ group: SchedulingGroup
    ) -> WaitingQueue.Cursor? {
        let idle = free[0]
        guard idle > 0 else { return nil }
        // Who starts now must be gone when nothing is free.
        guard let full = fullInstant else {
            return group.queue.next(from: cursor, free: idle, window: .max, extra: idle)
        }
        let window = UInt32(clamping: (full - instants[0]) / 1_000_000)
        return group.queue.next(from: cursor, free: idle, window: window, extra: 0)
    }

    /// The first instant at which nothing is free; nil when there is none.
    private var fullInstant: Int64? { free.firstIndex(of: 0).map { instants[$0] } }

    mutating func take(_ place: Place, until end: Int64) {
        take(place.units, from: place.from, to: end)
    }

    mutating func give(_ place: Place, from instant: Int64, until end: Int64) {
        take(-place.units, from: instant, to: end)
    }

    mutating func give(_ run: GroupNews.EndedRun, from instant: Int64, until end: Int64) {
        take(-run.units, from: instant, to: end)
    }

    static func start(
        _ cursor: WaitingQueue.Cursor,
        _ place: Place,
        _ group: inout SchedulingGroup,
        _ jobs: inout ActiveJobs,
        at now: Int64
    ) -> Bool {
        guard place.units <= group.nodes.idleCount else { return false }
        return group.tryStartByCount(cursor, now, &jobs, most: place.units) != nil
    }
}
