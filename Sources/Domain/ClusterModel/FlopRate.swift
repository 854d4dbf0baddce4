import Quantities

/// A rate of floating-point operations. Unit: flop/s in double precision where nothing else is said.
///
/// An integer: totals of a machine must not depend on the order of the sum. 64 bits hold 9.2 EF.
public struct FlopRate: Hashable, Comparable, Sendable {
    /// Floating-point operations a second.
    public var flopsPerSecond: Int64

    /// Makes a rate.
    public init(flopsPerSecond: Int64) {
        self.flopsPerSecond = flopsPerSecond
    }

    /// No operation at all.
    public static let zero = FlopRate(flopsPerSecond: 0)

    /// Whether `left` is slower than `right`.
    public static func < (left: Self, right: Self) -> Bool {
        left.flopsPerSecond < right.flopsPerSecond
    }

    /// The sum; traps on overflow.
    public static func + (left: Self, right: Self) -> Self {
        FlopRate(flopsPerSecond: left.flopsPerSecond + right.flopsPerSecond)
    }

    /// `count` times the rate; traps on overflow.
    public static func * (rate: Self, count: Int64) -> Self {
        FlopRate(flopsPerSecond: rate.flopsPerSecond * count)
    }
}

/// A rate of bytes moved. Unit: byte/s.
public struct ByteRate: Hashable, Comparable, Sendable {
    /// Bytes a second.
    public var bytesPerSecond: Int64

    /// Makes a rate.
    public init(bytesPerSecond: Int64) {
        self.bytesPerSecond = bytesPerSecond
    }

    /// Whether `left` is slower than `right`.
    public static func < (left: Self, right: Self) -> Bool {
        left.bytesPerSecond < right.bytesPerSecond
    }
}

/// A clock frequency. Unit: Hz.
public struct Frequency: Hashable, Comparable, Sendable {
    /// Cycles a second.
    public var hertz: Int64

    /// Makes a frequency.
    public init(hertz: Int64) {
        self.hertz = hertz
    }

    /// Whether `left` is slower than `right`.
    public static func < (left: Self, right: Self) -> Bool { left.hertz < right.hertz }
}

// MARK: - Texts for people

extension FlopRate {
    /// The rate in Tflop/s, the unit of the TOP500, with one decimal: `4,702.2 TF`.
    public var teraflopText: String { decimalText(flopsPerSecond, per: 1_000_000_000_000) + " TF" }

    /// The rate in Gflop/s with one decimal: `656.0 GF`.
    public var gigaflopText: String { decimalText(flopsPerSecond, per: 1_000_000_000) + " GF" }
}

extension ByteRate {
    /// The rate in GB/s with two decimals: `6.34 GB/s`.
    public var gigabyteText: String {
        decimalText(bytesPerSecond, per: 1_000_000_000, decimals: 2) + " GB/s"
    }
}

extension Frequency {
    /// The frequency in GHz with two decimals: `2.93 GHz`.
    public var gigahertzText: String {
        decimalText(hertz, per: 1_000_000_000, decimals: 2) + " GHz"
    }
}
