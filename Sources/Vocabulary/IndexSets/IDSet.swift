/// A set of small non-negative integers (node indices), as a bitmap.
///
/// Iteration is in ascending order, so a decision that walks a set is the same in every run.
public struct IDSet: Hashable, Sendable, Sequence, Codable {
    /// Word `w` holds members `64 w ... 64 w + 63`; there are no trailing zero words.
    private var words: [UInt64] = []

    /// Makes an empty set.
    public init() {}

    /// Makes the set of all integers of a range.
    public init(_ range: Range<Int>) {
        precondition(range.lowerBound >= 0)
        words.reserveCapacity((range.upperBound + 63) / 64)
        for member in range { insert(member) }
    }

    /// Makes the set of the given members.
    public init(_ members: some Sequence<Int>) {
        for member in members { insert(member) }
    }

    /// The number of members. O(words).
    public var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

    /// Whether the set has no member.
    public var isEmpty: Bool { words.isEmpty }

    /// The smallest member.
    public var first: Int? {
        guard let word = words.firstIndex(where: { $0 != 0 }) else { return nil }
        return word * 64 + words[word].trailingZeroBitCount
    }

    /// Whether `member` is in the set.
    public func contains(_ member: Int) -> Bool {
        let word = member >> 6
        return word < words.count && words[word] & (1 << UInt64(member & 63)) != 0
    }

    /// Puts `member` in.
    ///
    /// - Precondition: `member >= 0`.
    public mutating func insert(_ member: Int) {
        precondition(member >= 0)
        let word = member >> 6
        while words.count <= word { words.append(0) }
        words[word] |= 1 << UInt64(member & 63)
    }

    /// Takes `member` out.
    public mutating func remove(_ member: Int) {
        let word = member >> 6
        guard word < words.count else { return }
        words[word] &= ~(1 << UInt64(member & 63))
        trim()
    }

    /// Adds all members of `other`.
    public mutating func formUnion(_ other: IDSet) {
        while words.count < other.words.count { words.append(0) }
        for (word, bits) in other.words.enumerated() { words[word] |= bits }
    }

    /// Takes all members of `other` out.
    public mutating func subtract(_ other: IDSet) {
        for word in 0..<Swift.min(words.count, other.words.count) {
            words[word] &= ~other.words[word]
        }
        trim()
    }

    /// Whether the two sets share a member.
    public func intersects(_ other: IDSet) -> Bool {
        zip(words, other.words).contains { $0 & $1 != 0 }
    }

    /// Whether every member of `other` is in this set.
    public func isSuperset(of other: IDSet) -> Bool {
        other.words.enumerated().allSatisfy { word, bits in
            bits & ~(word < words.count ? words[word] : 0) == 0
        }
    }

    /// The members in ascending order.
    public func makeIterator() -> Iterator { Iterator(words: words) }

    private mutating func trim() {
        while words.last == 0 { words.removeLast() }
    }

    /// Walks the members in ascending order.
    public struct Iterator: IteratorProtocol {
        private let words: [UInt64]
        private var word = 0
        private var rest: UInt64

        fileprivate init(words: [UInt64]) {
            self.words = words
            rest = words.first ?? 0
        }

        /// The next member, or nil at the end.
        public mutating func next() -> Int? {
            while rest == 0 {
                word += 1
                guard word < words.count else { return nil }
                rest = words[word]
            }
            defer { rest &= rest - 1 }
            return word * 64 + rest.trailingZeroBitCount
        }
    }
}

extension Sequence where Element: FixedWidthInteger {
    /// Ascending numbers as Linux writes a list of CPUs and Slurm the elements of an array: `0-3,8`.
    public var rangeText: String {
        var runs: [(first: Element, last: Element)] = []
        for number in self {
            if let last = runs.last?.last, last < .max, last + 1 == number {
                runs[runs.count - 1].last = number
            } else {
                runs.append((number, number))
            }
        }
        return runs.map { $0 == $1 ? "\($0)" : "\($0)-\($1)" }.joined(separator: ",")
    }
}
