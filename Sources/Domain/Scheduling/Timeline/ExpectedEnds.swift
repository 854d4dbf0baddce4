/// The running jobs by the instant at which their time limit ends them.
///
/// EASY needs the *shadow* of the head: the first instant at which enough is free if every running
/// job runs to its limit. Layout: sorted chunks of up to 128 entries, each with the sum of its
/// units, so a search walks R / 128 sums and one chunk; inserting and removing moves at most 2 KiB.
/// Machines run at most some ten thousand jobs at once, so there is no tree above the chunks.
public struct ExpectedEnds: Sendable, Codable {
    /// One running job.
    public struct Entry: Sendable, Codable {
        /// When it ends at the latest. Unit: µs since the epoch.
        public var end: Int64
        /// The units (nodes or cores) that it gives back.
        public var units: Int32
        /// Its place in the job jobs.
        public var slot: Int32
    }

    /// When the head can be placed at the earliest, and what is left beside it then.
    public struct Shadow: Hashable, Sendable {
        /// The instant. Unit: µs since the epoch.
        public var instant: Int64
        /// The units that are free at that instant and that the head does not need.
        public var extra: Int32
    }

    /// The number of running jobs.
    public private(set) var count = 0

    private static let chunkCapacity = 128

    // Element `chunk * 128 + i` is entry `i` of a chunk; `order` is by time.
    private var entries: ContiguousArray<Entry> = []
    private var used: ContiguousArray<Int32> = []
    private var sums: ContiguousArray<Int32> = []
    private var order: ContiguousArray<Int32> = []
    private var freeChunks: ContiguousArray<Int32> = []

    /// Makes an empty list.
    public init() {}

    /// When the last job ends. Unit: µs since the epoch; nil when none runs.
    var last: Int64? { count == 0 ? nil : order.last.map(lastEnd) }

    /// Adds a running job. Jobs with one end stay in the order in which they were added.
    public mutating func insert(end: Int64, units: Int32, slot: Int32) {
        count += 1
        if order.isEmpty { order.append(makeChunk()) }
        // The last chunk that begins at or before `end`.
        var low = 0
        var high = order.count
        while low < high {
            let middle = (low + high) / 2
            if firstEnd(order[middle]) <= end { low = middle + 1 } else { high = middle }
        }
        var position = max(0, low - 1)
        if used[Int(order[position])] == Self.chunkCapacity {
            split(position)
            if firstEnd(order[position + 1]) <= end { position += 1 }
        }
        let chunk = Int(order[position])
        let base = chunk * Self.chunkCapacity
        let filled = Int(used[chunk])
        entries.withUnsafeMutableBufferPointer { entries in
            var place = filled
            while place > 0, entries[base &+ place &- 1].end > end {
                entries[base &+ place] = entries[base &+ place &- 1]
                place &-= 1
            }
            entries[base &+ place] = Entry(end: end, units: units, slot: slot)
        }
        used[chunk] += 1
        sums[chunk] += units
    }

    /// Takes a running job out.
    ///
    /// - Precondition: it was added with this end and slot.
    public mutating func remove(end: Int64, slot: Int32) {
        // The first chunk that ends at or behind `end`.
        var low = 0
        var high = order.count
        while low < high {
            let middle = (low + high) / 2
            if lastEnd(order[middle]) < end { low = middle + 1 } else { high = middle }
        }
        while low < order.count {
            if removeFromChunk(at: low, end: end, slot: slot) { return }
            low += 1
        }
        preconditionFailure("slot \(slot) with end \(end) is not among the running jobs")
    }

    /// When `need` units are free, if `free` are now and every job runs to its limit.
    ///
    /// All ends of that instant count. A job that overran its limit counts as ending `grace`
    /// after `now`.
    ///
    /// - Returns: nil when that never happens.
    /// - Precondition: `need > free`.
    public func shadow(need: Int32, free: Int32, now: Int64, grace: Int64) -> Shadow? {
        if let first = order.first, count > 0, firstEnd(first) <= now {
            return shadowWithOverruns(need: need, free: free, now: now, grace: grace)
        }
        var total = free
        var position = 0
        while position < order.count, total + sums[Int(order[position])] < need {
            total += sums[Int(order[position])]
            position += 1
        }
        guard position < order.count else { return nil }
        var index = Int(order[position]) * Self.chunkCapacity
        total += entries[index].units
        while total < need {
            index += 1
            total += entries[index].units
        }
        let instant = entries[index].end
        // All others that end by then.
        var next = index + 1 - Int(order[position]) * Self.chunkCapacity
        while position < order.count {
            let chunk = Int(order[position])
            while next < Int(used[chunk]) {
                let entry = entries[chunk * Self.chunkCapacity + next]
                guard entry.end <= instant else {
                    return Shadow(instant: instant, extra: total - need)
                }
                total += entry.units
                next += 1
            }
            position += 1
            next = 0
        }
        return Shadow(instant: instant, extra: total - need)
    }

    /// The running jobs by the instant at which they count as ending.
    func byInstant(now: Int64, grace: Int64) -> [(instant: Int64, units: Int32, slot: Int32)] {
        var list: [(instant: Int64, units: Int32, slot: Int32)] = []
        list.reserveCapacity(count)
        var hasOverruns = false
        forEach { entry in
            hasOverruns = hasOverruns || entry.end <= now
            let instant = entry.end <= now ? now + grace : entry.end
            list.append((instant, entry.units, entry.slot))
            return true
        }
        // Jobs that end within the grace come before those that overran.
        if hasOverruns {
            list.sort { ($0.instant, $0.slot) < ($1.instant, $1.slot) }
        }
        return list
    }

    /// Calls `body` with the running jobs in order of the instants at which they count as ending,
    /// until it returns false.
    func forEachByInstant(
        now: Int64,
        grace: Int64,
        _ body: (_ entry: (instant: Int64, units: Int32, slot: Int32)) -> Bool
    ) {
        if hasOverruns(at: now) {
            for entry in byInstant(now: now, grace: grace) {
                guard body(entry) else { return }
            }
        } else {
            forEach { body(($0.end, $0.units, $0.slot)) }
        }
    }

    /// Whether a job has run beyond its planned end.
    func hasOverruns(at now: Int64) -> Bool {
        guard count > 0, let first = order.first else { return false }
        return firstEnd(first) <= now
    }

    /// Overruns are rare, so this form is plain.
    private func shadowWithOverruns(
        need: Int32,
        free: Int32,
        now: Int64,
        grace: Int64
    ) -> Shadow? {
        let list = byInstant(now: now, grace: grace)
        var total = free
        var index = 0
        while index < list.count {
            let instant = list[index].instant
            while index < list.count, list[index].instant == instant {
                total += list[index].units
                index += 1
            }
            if total >= need { return Shadow(instant: instant, extra: total - need) }
        }
        return nil
    }

    /// Calls `body` with each entry in order of ends, until it returns false.
    public func forEach(_ body: (Entry) -> Bool) {
        for chunk in order {
            let base = Int(chunk) * Self.chunkCapacity
            for index in base..<(base + Int(used[Int(chunk)])) where !body(entries[index]) {
                return
            }
        }
    }

    private func firstEnd(_ chunk: Int32) -> Int64 {
        used[Int(chunk)] == 0 ? .min : entries[Int(chunk) * Self.chunkCapacity].end
    }

    private func lastEnd(_ chunk: Int32) -> Int64 {
        let filled = Int(used[Int(chunk)])
        return filled == 0 ? .min : entries[Int(chunk) * Self.chunkCapacity + filled - 1].end
    }

    private mutating func makeChunk() -> Int32 {
        if let chunk = freeChunks.popLast() { return chunk }
        entries.append(
            contentsOf: repeatElement(Entry(end: 0, units: 0, slot: 0), count: Self.chunkCapacity)
        )
        used.append(0)
        sums.append(0)
        return Int32(used.count - 1)
    }

    private mutating func removeFromChunk(at position: Int, end: Int64, slot: Int32) -> Bool {
        let chunk = Int(order[position])
        let base = chunk * Self.chunkCapacity
        let filled = Int(used[chunk])
        let units: Int32? = entries.withUnsafeMutableBufferPointer { entries in
            var index = base
            while index < base &+ filled, entries[index].end < end { index &+= 1 }
            while index < base &+ filled, entries[index].end == end, entries[index].slot != slot {
                index &+= 1
            }
            guard index < base &+ filled, entries[index].end == end else { return nil }
            let units = entries[index].units
            while index < base &+ filled &- 1 {
                entries[index] = entries[index &+ 1]
                index &+= 1
            }
            return units
        }
        guard let units else { return false }
        used[chunk] -= 1
        sums[chunk] -= units
        count -= 1
        if used[chunk] == 0 && order.count > 1 {
            order.remove(at: position)
            freeChunks.append(Int32(chunk))
        }
        return true
    }

    private mutating func split(_ position: Int) {
        let full = Int(order[position])
        let fresh = Int(makeChunk())
        let half = Self.chunkCapacity / 2
        var moved: Int32 = 0
        for index in 0..<half {
            let entry = entries[full * Self.chunkCapacity + half + index]
            entries[fresh * Self.chunkCapacity + index] = entry
            moved += entry.units
        }
        used[full] = Int32(half)
        used[fresh] = Int32(half)
        sums[full] -= moved
        sums[fresh] = moved
        order.insert(Int32(fresh), at: position + 1)
    }
}
