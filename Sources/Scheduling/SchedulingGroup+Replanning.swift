// Conservative backfilling, kind "replan": a plan of free nodes over time, made anew at each pass.

/// Free nodes over time: `free[k]` are free on `[instants[k], instants[k + 1])`, and the last
/// entry holds for ever.
struct FreeTimeline {
    private var instants: ContiguousArray<Int64> = []
    private var free: ContiguousArray<Int32> = []

    /// Starts with what is free at `now`.
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

    /// Reserves `units` for `length` from the earliest instant from which they stay free.
    ///
    /// - Returns: that instant.
    /// - Precondition: the last entry has as many units free.
    mutating func reserveEarliest(units: Int32, length: Int64) -> Int64 {
        let first = earliest(units: units, length: length)
        let start = instants[first]
        let end = start + length
        var last = first
        while last < instants.count, instants[last] < end {
            last += 1
        }
        if length > 0, last == instants.count || instants[last] != end {
            instants.insert(end, at: last)
            free.insert(free[last - 1], at: last)
        }
        for index in first..<last { free[index] -= units }
        return start
    }

    private func earliest(units: Int32, length: Int64) -> Int {
        instants.withUnsafeBufferPointer { instants in
            free.withUnsafeBufferPointer { free in
                var first = 0
                while true {
                    while free[first] < units { first += 1 }
                    let end = instants[first] &+ length
                    var next = first + 1
                    while next < instants.count, instants[next] < end, free[next] >= units {
                        next += 1
                    }
                    if next == instants.count || instants[next] >= end { return first }
                    first = next
                }
            }
        }
    }
}

extension SchedulingGroup {
    mutating func passByReplanning(
        _ now: Int64,
        _ table: inout JobTable,
        _ limits: inout ConcurrencyLimits
    ) {
        precondition(nodes.isUniform, "conservative backfilling plans equal whole nodes only")
        var timeline = FreeTimeline(now: now, free: nodes.idleCount)
        for end in ends.byInstant(now: now, grace: Self.overrunGrace) {
            timeline.appendEnd(at: end.instant, units: end.units)
        }
        var cursor = queue.first()
        while let current = cursor {
            let size = queue.size(at: current)
            let limit = Int64(queue.limit(at: current)) * 1_000_000
            // A job larger than what is in service waits for repairs and reserves nothing.
            if size <= nodes.inServiceCount, !park(current, table, &limits),
                timeline.reserveEarliest(units: size, length: limit) == now
            {
                tryStartByCount(current, now, &table, &limits)
            }
            cursor = queue.count > 0 ? queue.entry(after: current) : nil
        }
    }
}
