/// An exact amount of money. Unit: fen (1 CNY = 100 fen). May be negative.
public struct Fen: Hashable, Comparable, Sendable, Codable {
    /// The number of fen.
    public var count: Int64

    /// Makes an amount of `count` fen.
    public init(_ count: Int64) {
        self.count = count
    }

    /// No money.
    public static let zero = Fen(0)

    /// Whether `left` is less than `right`.
    public static func < (left: Self, right: Self) -> Bool { left.count < right.count }

    /// The sum; traps on overflow.
    public static func + (left: Self, right: Self) -> Self { Fen(left.count + right.count) }

    /// The difference; traps on overflow.
    public static func - (left: Self, right: Self) -> Self { Fen(left.count - right.count) }

    /// The amount with the other sign.
    public static prefix func - (amount: Self) -> Self { Fen(-amount.count) }

    /// Adds in place; traps on overflow.
    public static func += (left: inout Self, right: Self) { left.count += right.count }

    /// Subtracts in place; traps on overflow.
    public static func -= (left: inout Self, right: Self) { left.count -= right.count }

    /// The amount in yuan with two decimals and groups of three: `-1,234.56`.
    public var yuanText: String {
        let (whole, rest) = count.magnitude.quotientAndRemainder(dividingBy: 100)
        return "\(count < 0 ? "-" : "")\(whole.groupedText).\(rest < 10 ? "0" : "")\(rest)"
    }
}

/// Time on cores or cards that an allocation held. Unit: core·µs or card·µs.
///
/// 128 bits: a year of a machine of 10⁷ cores is 3·10²⁰ core·µs, more than 64 bits hold.
public struct HeldTime: Hashable, Comparable, Sendable {
    /// Core- or card-microseconds.
    public var microseconds: Int128

    /// Makes an amount of held time.
    public init(microseconds: Int128) {
        self.microseconds = microseconds
    }

    /// `count` cores or cards held for `duration`.
    public init(count: Int64, for duration: SimDuration) {
        self.microseconds = Int128(count) * Int128(duration.microseconds)
    }

    /// Nothing held.
    public static let zero = HeldTime(microseconds: 0)

    /// Whether `left` is less than `right`.
    public static func < (left: Self, right: Self) -> Bool {
        left.microseconds < right.microseconds
    }

    /// The sum.
    public static func + (left: Self, right: Self) -> Self {
        HeldTime(microseconds: left.microseconds + right.microseconds)
    }

    /// Adds in place.
    public static func += (left: inout Self, right: Self) {
        left.microseconds += right.microseconds
    }

    /// The core- or card-seconds, rounded towards zero; at most what 64 bits hold.
    public var seconds: Int64 { Int64(clamping: microseconds / 1_000_000) }
}

/// A number of bytes.
public struct ByteCount: Hashable, Comparable, Sendable, Codable {
    /// The number of bytes.
    public var count: Int64

    /// Makes a number of bytes.
    public init(_ count: Int64) {
        self.count = count
    }

    /// Makes a number of bytes from mebibytes, Slurm's "M".
    ///
    /// - Precondition: the product with 2²⁰ fits in 64 bits; what overflows is lost.
    public init(mebibytes: Int64) {
        self.count = mebibytes << 20
    }

    /// Makes a number of bytes from mebibytes; nil when it is too large for 64 bits.
    public init?(exactlyMebibytes mebibytes: Int64) {
        let (product, overflow) = mebibytes.multipliedReportingOverflow(by: 1 << 20)
        guard !overflow else { return nil }
        self.count = product
    }

    /// The whole mebibytes, rounded down.
    public var mebibytes: Int64 { count >> 20 }

    /// No bytes.
    public static let zero = ByteCount(0)

    /// Whether `left` is less than `right`.
    public static func < (left: Self, right: Self) -> Bool { left.count < right.count }
}
