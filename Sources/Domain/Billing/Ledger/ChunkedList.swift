// The daemon publishes a copy of the book after every batch of inputs, and goes on writing. A plain
// array or dictionary would then be copied whole at its next change: O(all jobs ever) a batch. These
// two are cut into pieces, so that a change copies one piece and the list of pieces.

/// An append-only list whose copies share all full chunks.
public struct ChunkedList<Element: Sendable>: RandomAccessCollection, Sendable {
    private static var chunkLength: Int { 256 }
    private var chunks: [[Element]] = []

    /// Makes an empty list.
    public init() {}

    /// The first position.
    public var startIndex: Int { 0 }

    /// The number of elements.
    public var endIndex: Int {
        guard let last = chunks.last else { return 0 }
        return (chunks.count - 1) * Self.chunkLength + last.count
    }

    /// The element at a position.
    public subscript(position: Int) -> Element {
        chunks[position / Self.chunkLength][position % Self.chunkLength]
    }

    /// Adds an element at the end.
    public mutating func append(_ element: Element) {
        if chunks.isEmpty || chunks[chunks.count - 1].count == Self.chunkLength {
            chunks.append([])
        }
        chunks[chunks.count - 1].append(element)
    }
}

extension ChunkedList {
    /// Removes elements from the front: full chunks, which later elements need not be moved for.
    mutating func removeFirst(_ removed: Int) {
        precondition(removed % Self.chunkLength == 0 && removed <= count, "no full chunks")
        chunks.removeFirst(removed / Self.chunkLength)
    }
}

extension ChunkedList: Equatable where Element: Equatable {}
extension ChunkedList: Hashable where Element: Hashable {}

extension ChunkedList: Codable where Element: Codable {
    /// Reads a list.
    public init(from decoder: any Decoder) throws {
        var list = try decoder.unkeyedContainer()
        while !list.isAtEnd { append(try list.decode(Element.self)) }
    }

    /// Writes the elements: how they are cut does not matter.
    public func encode(to encoder: any Encoder) throws {
        var list = encoder.unkeyedContainer()
        for element in self { try list.encode(element) }
    }
}

/// A dictionary whose copies share all shards that were not changed since. It is only looked up,
/// never walked: its order means nothing.
struct ShardedDictionary<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private static var shardCount: Int { 256 }
    private var shards = [[Key: Value]](repeating: [:], count: shardCount)

    /// The number of entries.
    var count: Int { shards.reduce(0) { $0 + $1.count } }

    subscript(key: Key) -> Value? {
        get { shards[shard(of: key)][key] }
        set { shards[shard(of: key)][key] = newValue }
    }

    private func shard(of key: Key) -> Int {
        var hasher = Hasher()
        hasher.combine(key)
        // The dictionaries use the low bits of a related hash; take high ones.
        return Int(UInt(bitPattern: hasher.finalize()) >> 40) % Self.shardCount
    }
}

extension ShardedDictionary: Equatable where Value: Equatable {}
extension ShardedDictionary: Hashable where Value: Hashable {}

extension ShardedDictionary: Codable where Key: Codable, Value: Codable {
    init(from decoder: any Decoder) throws {
        let whole = try decoder.singleValueContainer().decode([Key: Value].self)
        for (key, value) in whole { self[key] = value }
    }

    /// Writes one dictionary: which shard has what is another matter in each process.
    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        var whole: [Key: Value] = [:]
        whole.reserveCapacity(count)
        for shard in shards { whole.merge(shard) { first, _ in first } }
        try container.encode(whole)
    }
}
