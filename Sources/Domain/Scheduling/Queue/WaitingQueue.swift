/// The jobs that wait in one queue, in order, with an index that finds the next one that fits.
///
/// Backfilling asks one question again and again: which is the first job behind this one that
/// needs at most `free` units and either ends within `window` or needs at most `extra`? A scan
/// answers in O(n); at 100,000 waiting jobs that scan is nearly all the time of a replay.
///
/// Layout: chunks of up to 64 entries, in queue order.
///
///     position   0         1         2                      leaf of the tree
///     chunk     [e e . e] [. . . .] [e e e e e]             bit mask: which entries are alive
///     bound      ▔▔▔▔▔▔▔   ▔▔▔▔▔▔▔   ▔▔▔▔▔▔▔▔▔
///     tree             min           …                      pointwise minimum of its children
///
/// A bound is the smallest size, and for each power of two `2^c` the smallest limit among the
/// entries smaller than `2^(c+1)`. The search walks the tree and enters a chunk only where the
/// bound says that an entry may fit. The bound is exact but for sizes that share the power of two
/// of `free`, so a search is O(log n) and few chunks are entered in vain.
///
/// An entry that goes away leaves a hole; a chunk is never shifted. Appending is O(1) amortised
/// (plus O(log n) for the tree), inserting in the middle O(64) and, when the chunk is full,
/// O(n / 64) once in 32 such inserts. `scanNext` is the plain twin of `next`, for tests.
public struct WaitingQueue: Sendable, Codable {
    /// Where an entry lies. Valid until the next insertion.
    public struct Cursor: Hashable, Sendable {
        var position: Int32
        var bit: Int32
    }

    /// The number of waiting jobs.
    public private(set) var count = 0

    private static let chunkCapacity = 64
    /// A queue of so few chunks is searched without the tree: looking at 256 entries costs less than
    /// keeping their bounds up to date.
    private static let plainChunkMaximum = 4
    /// Powers of two that a bound tells apart; larger sizes share the last one.
    private static let laneCount = 16

    // Entries, 64 a chunk: element `chunk * 64 + bit`.
    private var sizes: ContiguousArray<Int32> = []
    private var limits: ContiguousArray<UInt32> = []
    private var slots: ContiguousArray<Int32> = []
    private var keys: ContiguousArray<QueueKey> = []

    // Chunks.
    private var alive: ContiguousArray<UInt64> = []
    private var used: ContiguousArray<Int32> = []
    private var freeChunks: ContiguousArray<Int32> = []

    /// The chunk at each position, in queue order.
    private var order: ContiguousArray<Int32> = []
    /// No chunk before this position has an entry.
    private var firstPosition = 0

    // The tree over positions: node `n` has children `2n` and `2n + 1`, leaf `p` is
    // `leafCount + p`. It exists only beyond `plainChunkMaximum` chunks.
    private var leafCount = 0
    private var smallestSize: ContiguousArray<Int32> = []
    private var smallestLimits: ContiguousArray<UInt32> = []

    /// Makes an empty queue.
    public init() {}

    // MARK: Looking

    /// The first entry, or nil.
    public func first() -> Cursor? {
        var position = firstPosition
        while position < order.count {
            let mask = alive[Int(order[position])]
            if mask != 0 {
                return Cursor(position: Int32(position), bit: Int32(mask.trailingZeroBitCount))
            }
            position += 1
        }
        return nil
    }

    /// The entry behind `cursor`, or nil.
    public func entry(after cursor: Cursor) -> Cursor? {
        var position = Int(cursor.position)
        var mask = alive[Int(order[position])] & Self.bits(above: Int(cursor.bit))
        while mask == 0 {
            position += 1
            guard position < order.count else { return nil }
            mask = alive[Int(order[position])]
        }
        return Cursor(position: Int32(position), bit: Int32(mask.trailingZeroBitCount))
    }

    /// The job slot of an entry.
    @inline(__always)
    public func slot(at cursor: Cursor) -> Int32 { slots[element(cursor)] }

    /// The key of an entry.
    func key(at cursor: Cursor) -> QueueKey { keys[element(cursor)] }

    /// The size of an entry.
    @inline(__always)
    public func size(at cursor: Cursor) -> Int32 { sizes[element(cursor)] }

    /// The time limit of an entry. Unit: s.
    @inline(__always)
    public func limit(at cursor: Cursor) -> UInt32 { limits[element(cursor)] }

    /// The first entry behind `cursor` with `size <= free` and (`limit <= window` or
    /// `size <= extra`), or nil.
    ///
    /// - Complexity: O(log n) expected.
    public func next(
        after cursor: Cursor,
        free: Int32,
        window: UInt32,
        extra: Int32
    ) -> Cursor? {
        var position = Int(cursor.position)
        let mask = alive[Int(order[position])] & Self.bits(above: Int(cursor.bit))
        if let bit = scanChunk(order[position], mask, free, window, extra) {
            return Cursor(position: cursor.position, bit: bit)
        }
        while true {
            position = nextCandidate(after: position, free: free, window: window, extra: extra)
            guard position < order.count else { return nil }
            let chunk = order[position]
            if let bit = scanChunk(chunk, alive[Int(chunk)], free, window, extra) {
                return Cursor(position: Int32(position), bit: bit)
            }
        }
    }

    /// The first entry of all that fits, as `next` says, or nil.
    public func firstFitting(free: Int32, window: UInt32, extra: Int32) -> Cursor? {
        guard let first = first() else { return nil }
        let size = size(at: first)
        if size <= free && (limit(at: first) <= window || size <= extra) { return first }
        return next(after: first, free: free, window: window, extra: extra)
    }

    /// Where the entry with `key` lies, or nil.
    func cursor(of key: QueueKey) -> Cursor? { find(key) }

    /// The plain twin of `next`: the same answer by looking at every entry.
    public func scanNext(
        after cursor: Cursor,
        free: Int32,
        window: UInt32,
        extra: Int32
    ) -> Cursor? {
        var candidate = entry(after: cursor)
        while let current = candidate {
            let size = size(at: current)
            if size <= free && (limit(at: current) <= window || size <= extra) { return current }
            candidate = entry(after: current)
        }
        return nil
    }

    // MARK: Changing

    /// Puts a job in at the place of its key.
    ///
    /// - Precondition: the key is not in the queue.
    public mutating func insert(key: QueueKey, slot: Int32, size: Int32, limit: UInt32) {
        count += 1
        var position = order.count - 1
        if count == 1 || position < firstPosition || lastKey(order[position]) < key {
            if position < firstPosition || used[Int(order[position])] == Self.chunkCapacity {
                appendChunk()
                position = order.count - 1
            }
            let chunk = Int(order[position])
            let bit = Int(used[chunk])
            used[chunk] += 1
            set(chunk, bit, key, slot, size, limit)
            lowerBounds(at: position, size: size, limit: limit)
        } else {
            insertInside(key, slot, size, limit)
        }
    }

    /// Takes an entry out.
    public mutating func remove(at cursor: Cursor) {
        let position = Int(cursor.position)
        let chunk = Int(order[position])
        let element = element(cursor)
        precondition(alive[chunk] & (1 << UInt64(cursor.bit)) != 0)
        alive[chunk] &= ~(1 << UInt64(cursor.bit))
        count -= 1
        if count == 0 { return removeAllChunks() }
        if leafCount > 0 {
            raiseBounds(at: position, size: sizes[element], limit: limits[element])
        }
        while firstPosition < order.count, alive[Int(order[firstPosition])] == 0 {
            firstPosition += 1
        }
    }

    /// The slots of all entries, in queue order.
    var allSlots: [Int32] {
        var slots: [Int32] = []
        slots.reserveCapacity(count)
        for chunk in order {
            var rest = alive[Int(chunk)]
            while rest != 0 {
                let bit = rest.trailingZeroBitCount
                slots.append(self.slots[Int(chunk) * Self.chunkCapacity + bit])
                rest &= rest - 1
            }
        }
        return slots
    }

    /// Gives entries other keys, and sorts by them.
    ///
    /// - Parameter key: the new key of an entry, by its slot.
    /// - Complexity: O(n log n); O(n) when the order stays.
    public mutating func reorder(by key: (_ slot: Int32) -> QueueKey) {
        guard count > 0 else { return }
        var entries: [Entry] = []
        entries.reserveCapacity(count)
        var isSorted = true
        for chunk in order {
            var rest = alive[Int(chunk)]
            while rest != 0 {
                let element = Int(chunk) * Self.chunkCapacity + rest.trailingZeroBitCount
                let key = key(slots[element])
                if let last = entries.last, key < last.key { isSorted = false }
                entries.append((key, slots[element], sizes[element], limits[element]))
                rest &= rest - 1
            }
        }
        if !isSorted { entries.sort { $0.key < $1.key } }
        freeChunks.append(contentsOf: order)
        order.removeAll(keepingCapacity: true)
        firstPosition = 0
        fillChunks(from: entries)
        buildTree()
    }

    /// Takes the entry with `key` out, if it is there.
    ///
    /// - Returns: whether it was there.
    @discardableResult
    public mutating func remove(key: QueueKey) -> Bool {
        guard let cursor = find(key) else { return false }
        remove(at: cursor)
        return true
    }
}

// MARK: - Chunks

extension WaitingQueue {
    @inline(__always)
    private func element(_ cursor: Cursor) -> Int {
        Int(order[Int(cursor.position)]) * Self.chunkCapacity + Int(cursor.bit)
    }

    @inline(__always)
    private static func bits(above bit: Int) -> UInt64 {
        bit == 63 ? 0 : ~0 << UInt64(bit + 1)
    }

    /// The key of the last place in use of a chunk, alive or not: chunks are ordered by it.
    private func lastKey(_ chunk: Int32) -> QueueKey {
        keys[Int(chunk) * Self.chunkCapacity + Int(used[Int(chunk)]) - 1]
    }

    @inline(__always)
    private func scanChunk(
        _ chunk: Int32,
        _ mask: UInt64,
        _ free: Int32,
        _ window: UInt32,
        _ extra: Int32
    ) -> Int32? {
        guard mask != 0 else { return nil }
        let base = Int(chunk) * Self.chunkCapacity
        return sizes.withUnsafeBufferPointer { sizes in
            limits.withUnsafeBufferPointer { limits in
                var rest = mask
                while rest != 0 {
                    let bit = rest.trailingZeroBitCount
                    let size = sizes[base &+ bit]
                    if size <= free && (size <= extra || limits[base &+ bit] <= window) {
                        return Int32(truncatingIfNeeded: bit)
                    }
                    rest &= rest &- 1
                }
                return nil
            }
        }
    }

    private mutating func set(
        _ chunk: Int,
        _ bit: Int,
        _ key: QueueKey,
        _ slot: Int32,
        _ size: Int32,
        _ limit: UInt32
    ) {
        let element = chunk * Self.chunkCapacity + bit
        keys[element] = key
        slots[element] = slot
        sizes[element] = size
        limits[element] = limit
        alive[chunk] |= 1 << UInt64(bit)
    }

    private mutating func makeChunk() -> Int32 {
        if let chunk = freeChunks.popLast() {
            alive[Int(chunk)] = 0
            used[Int(chunk)] = 0
            return chunk
        }
        let padding = Self.chunkCapacity
        sizes.append(contentsOf: repeatElement(0, count: padding))
        limits.append(contentsOf: repeatElement(0, count: padding))
        slots.append(contentsOf: repeatElement(0, count: padding))
        keys.append(
            contentsOf: repeatElement(QueueKey(rank: 0, submitted: 0, id: 0), count: padding)
        )
        alive.append(0)
        used.append(0)
        return Int32(alive.count - 1)
    }

    private mutating func appendChunk() {
        if leafCount > 0 && order.count == leafCount { rebuild() }
        // After a rebuild the last chunk may have room again, but a new one is as good.
        order.append(makeChunk())
        if order.count > max(Self.plainChunkMaximum, leafCount) { rebuild() }
    }

    private mutating func removeAllChunks() {
        if order.count == 1 {
            // The usual case of a machine that is not full: one chunk, filled again from its start.
            used[Int(order[0])] = 0
            firstPosition = 0
            return
        }
        freeChunks.append(contentsOf: order)
        order.removeAll(keepingCapacity: true)
        firstPosition = 0
        leafCount = 0
    }

    private func find(_ key: QueueKey) -> Cursor? {
        guard count > 0, let position = positionHolding(key) else { return nil }
        let chunk = Int(order[position])
        var rest = alive[chunk]
        while rest != 0 {
            let bit = rest.trailingZeroBitCount
            if keys[chunk * Self.chunkCapacity + bit] == key {
                return Cursor(position: Int32(position), bit: Int32(bit))
            }
            rest &= rest - 1
        }
        return nil
    }

    /// The first position whose last key is not before `key`.
    private func positionHolding(_ key: QueueKey) -> Int? {
        var low = firstPosition
        var high = order.count
        while low < high {
            let middle = (low + high) / 2
            if lastKey(order[middle]) < key { low = middle + 1 } else { high = middle }
        }
        return low < order.count ? low : nil
    }

    /// Inserts before the last entry: closes the chunk's holes, splits it when it is full.
    private mutating func insertInside(
        _ key: QueueKey,
        _ slot: Int32,
        _ size: Int32,
        _ limit: UInt32
    ) {
        guard let position = positionHolding(key) else {
            preconditionFailure("no chunk ends behind a key that is not the last")
        }
        let chunk = order[position]
        var entries = takeEntries(of: chunk)
        let place = entries.firstIndex { key < $0.key } ?? entries.count
        entries.insert((key, slot, size, limit), at: place)
        guard entries.count > Self.chunkCapacity else {
            fill(chunk, entries[...])
            refreshBounds(at: position)
            return
        }
        let half = entries.count / 2
        fill(chunk, entries[..<half])
        let second = makeChunk()
        fill(second, entries[half...])
        order.insert(second, at: position + 1)
        rebuild()
    }

    private typealias Entry = (key: QueueKey, slot: Int32, size: Int32, limit: UInt32)

    private func takeEntries(of chunk: Int32) -> [Entry] {
        var entries: [Entry] = []
        entries.reserveCapacity(Self.chunkCapacity + 1)
        var rest = alive[Int(chunk)]
        while rest != 0 {
            let element = Int(chunk) * Self.chunkCapacity + rest.trailingZeroBitCount
            entries.append((keys[element], slots[element], sizes[element], limits[element]))
            rest &= rest - 1
        }
        return entries
    }

    private mutating func fill(_ chunk: Int32, _ entries: ArraySlice<Entry>) {
        alive[Int(chunk)] = 0
        used[Int(chunk)] = Int32(entries.count)
        for (bit, entry) in entries.enumerated() {
            set(Int(chunk), bit, entry.key, entry.slot, entry.size, entry.limit)
        }
    }
}

// MARK: - The tree of bounds

extension WaitingQueue {
    @inline(__always)
    private static func lane(_ size: Int32) -> Int {
        min(laneCount - 1, 31 - Int(max(1, size).leadingZeroBitCount))
    }

    /// The first position behind `position` whose chunk may hold a fitting entry, else the end.
    private func nextCandidate(
        after position: Int,
        free: Int32,
        window: UInt32,
        extra: Int32
    ) -> Int {
        guard leafCount > 0 else { return position + 1 }
        guard free > 0 else { return order.count }
        let lane = Self.lane(free)
        let small = min(free, extra)
        return smallestSize.withUnsafeBufferPointer { sizes in
            smallestLimits.withUnsafeBufferPointer { limits in
                func mayFit(_ node: Int) -> Bool {
                    sizes[node] <= small
                        || (sizes[node] <= free && limits[node &* Self.laneCount &+ lane] <= window)
                }
                var node = leafCount + position
                // Up until a right sibling may fit, then down to its leftmost fitting leaf.
                while true {
                    while node & 1 == 1 { node >>= 1 }
                    if node == 0 { return order.count }
                    node += 1
                    if mayFit(node) { break }
                }
                while node < leafCount {
                    node <<= 1
                    if !mayFit(node) { node += 1 }
                }
                return node - leafCount
            }
        }
    }

    /// Drops empty chunks, packs a sparse queue, and builds the tree anew.
    private mutating func rebuild() {
        var kept: ContiguousArray<Int32> = []
        kept.reserveCapacity(order.count)
        for (position, chunk) in order.enumerated() {
            // The last chunk may be empty because it was made just now.
            if alive[Int(chunk)] != 0 || position == order.count - 1 {
                kept.append(chunk)
            } else {
                freeChunks.append(chunk)
            }
        }
        order = kept
        firstPosition = 0
        if order.count > 8 && count * 4 < order.count * Self.chunkCapacity { pack() }
        buildTree()
    }

    private mutating func buildTree() {
        guard order.count > Self.plainChunkMaximum else {
            leafCount = 0
            return
        }
        leafCount = 4
        while leafCount < order.count * 3 / 2 { leafCount *= 2 }
        smallestSize = ContiguousArray(repeating: .max, count: 2 * leafCount)
        smallestLimits = ContiguousArray(
            repeating: .max,
            count: 2 * leafCount * Self.laneCount
        )
        for position in order.indices { computeLeaf(position) }
        for node in (1..<leafCount).reversed() { computeNode(node) }
    }

    /// Moves all entries together into as few chunks as hold them.
    private mutating func pack() {
        var entries: [Entry] = []
        entries.reserveCapacity(count)
        // The last chunk may be a new one without entries: it stays last and empty.
        let last = order[order.count - 1]
        let keepsLast = alive[Int(last)] == 0
        for chunk in order { entries += takeEntries(of: chunk) }
        freeChunks.append(contentsOf: keepsLast ? order.dropLast() : order[...])
        order.removeAll(keepingCapacity: true)
        fillChunks(from: entries)
        if keepsLast { order.append(last) }
    }

    private mutating func fillChunks(from entries: [Entry]) {
        var start = 0
        while start < entries.count {
            let end = min(start + Self.chunkCapacity, entries.count)
            let chunk = makeChunk()
            fill(chunk, entries[start..<end])
            order.append(chunk)
            start = end
        }
    }

    private mutating func computeLeaf(_ position: Int) {
        let node = leafCount + position
        let chunk = Int(order[position])
        let lanes = node * Self.laneCount
        var smallest = Int32.max
        smallestLimits.withUnsafeMutableBufferPointer { bounds in
            for lane in 0..<Self.laneCount { bounds[lanes &+ lane] = .max }
            var rest = alive[chunk]
            while rest != 0 {
                let element = chunk &* Self.chunkCapacity &+ rest.trailingZeroBitCount
                let lane = lanes &+ Self.lane(sizes[element])
                smallest = min(smallest, sizes[element])
                bounds[lane] = min(bounds[lane], limits[element])
                rest &= rest &- 1
            }
            for lane in (lanes &+ 1)..<(lanes &+ Self.laneCount) {
                bounds[lane] = min(bounds[lane], bounds[lane &- 1])
            }
        }
        smallestSize[node] = smallest
    }

    /// Makes a node the pointwise minimum of its children.
    ///
    /// - Returns: whether that changed it.
    @discardableResult
    private mutating func computeNode(_ node: Int) -> Bool {
        let size = min(smallestSize[2 * node], smallestSize[2 * node + 1])
        var hasChanged = size != smallestSize[node]
        smallestSize[node] = size
        smallestLimits.withUnsafeMutableBufferPointer { limits in
            let parent = node &* Self.laneCount
            let children = 2 &* parent
            for lane in 0..<Self.laneCount {
                let limit = min(
                    limits[children &+ lane],
                    limits[children &+ Self.laneCount &+ lane]
                )
                hasChanged = hasChanged || limit != limits[parent &+ lane]
                limits[parent &+ lane] = limit
            }
        }
        return hasChanged
    }

    private mutating func refreshBounds(at position: Int) {
        guard leafCount > 0 else { return }
        computeLeaf(position)
        var node = (leafCount + position) / 2
        while node > 0, computeNode(node) { node /= 2 }
    }

    /// After an entry went away: only an entry at the bound can have carried it.
    private mutating func raiseBounds(at position: Int, size: Int32, limit: UInt32) {
        let leaf = leafCount + position
        let carries =
            smallestSize[leaf] == size
            || smallestLimits[leaf * Self.laneCount + Self.lane(size)] == limit
        if carries { refreshBounds(at: position) }
    }

    /// After an entry came in: bounds only go down, from the leaf to the first that stands lower.
    private mutating func lowerBounds(at position: Int, size: Int32, limit: UInt32) {
        guard leafCount > 0 else { return }
        let firstLane = Self.lane(size)
        var node = leafCount + position
        while node > 0 {
            var hasChanged = false
            if size < smallestSize[node] {
                smallestSize[node] = size
                hasChanged = true
            }
            let lanes = node * Self.laneCount
            for lane in firstLane..<Self.laneCount where limit < smallestLimits[lanes + lane] {
                smallestLimits[lanes + lane] = limit
                hasChanged = true
            }
            guard hasChanged else { return }
            node /= 2
        }
    }
}
