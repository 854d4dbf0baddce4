/// SplitMix64: a published algorithm, so a seed means the same on every toolchain.
///
/// Source: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014.
public struct SplitMix64: Sendable {
    private var state: UInt64

    /// Starts the sequence that belongs to `seed`.
    public init(seed: UInt64) {
        state = seed
    }

    /// Starts the stream called `name` of a run with `seed`.
    ///
    /// Streams with different names are unrelated, so a draw added for one purpose does not shift
    /// the draws for another.
    public init(seed: UInt64, stream name: StaticString) {
        var hash = StateDigest()
        hash.mix(seed)
        name.withUTF8Buffer { bytes in
            for byte in bytes { hash.mix(UInt64(byte)) }
        }
        state = hash.value
    }

    /// The next 64 bits.
    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        return avalanche(state)
    }

    /// An unbiased draw from `0..<bound` (Lemire 2019, multiply and reject).
    ///
    /// - Precondition: `bound > 0`.
    public mutating func below(_ bound: UInt64) -> UInt64 {
        precondition(bound > 0)
        var product = next().multipliedFullWidth(by: bound)
        let threshold = (0 &- bound) % bound
        while product.low < threshold { product = next().multipliedFullWidth(by: bound) }
        return product.high
    }

    /// An unbiased draw from a closed range of integers.
    public mutating func draw(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + Int(below(UInt64(range.upperBound - range.lowerBound) + 1))
    }
}

/// SplitMix64's finaliser: every input bit reaches every output bit.
@inline(__always)
private func avalanche(_ word: UInt64) -> UInt64 {
    var z = word
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
}

/// A running 64-bit digest of a sequence of integers. Equal sequences give equal digests.
///
/// It finds disagreement between two runs; it is no defence against forgery (the journal and the
/// ledger chain SHA-256 for that).
public struct StateDigest: Hashable, Sendable, Codable {
    /// The digest so far.
    public private(set) var value: UInt64 = 0x5869_6E67_6865_0001

    /// The digest of the empty sequence.
    public init() {}

    /// Goes on from a digest that was stored.
    public init(value: UInt64) {
        self.value = value
    }

    /// Takes in one word.
    @inline(__always)
    public mutating func mix(_ word: UInt64) {
        value = avalanche(value &+ 0x9E37_79B9_7F4A_7C15 ^ word) &+ (value << 7)
    }

    /// Takes in one signed word.
    @inline(__always)
    public mutating func mix(_ word: Int64) {
        mix(UInt64(bitPattern: word))
    }

    /// The digest as 16 hexadecimal digits.
    public var hexText: String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }
}
