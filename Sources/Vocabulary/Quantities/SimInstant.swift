/// A moment. Unit: µs since 1970-01-01T00:00:00 UTC, no leap seconds.
///
/// A trace that gives no `UnixStartTime` starts at zero.
public struct SimInstant: Hashable, Comparable, Sendable, Codable {
    /// Microseconds since the epoch.
    public var microseconds: Int64

    /// Makes the moment `microseconds` after the epoch.
    public init(microseconds: Int64) {
        self.microseconds = microseconds
    }

    /// Makes the moment `seconds` after the epoch.
    ///
    /// - Precondition: the product with 10⁶ fits in 64 bits.
    public init(seconds: Int64) {
        self.microseconds = seconds * 1_000_000
    }

    /// Makes the moment `seconds` after the epoch; nil when it is too far away for 64 bits.
    public init?(exactlySeconds seconds: Int64) {
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
        guard !overflow else { return nil }
        self.microseconds = product
    }

    /// The whole seconds since the epoch, rounded down.
    public var seconds: Int64 {
        let (quotient, rest) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
        return rest < 0 ? quotient - 1 : quotient
    }

    /// 1970-01-01T00:00:00 UTC.
    public static let epoch = SimInstant(microseconds: 0)

    /// Later than any instant that a run reaches.
    public static let distantFuture = SimInstant(microseconds: .max)

    /// Whether `left` is earlier than `right`.
    public static func < (left: Self, right: Self) -> Bool {
        left.microseconds < right.microseconds
    }

    /// The instant `duration` after `instant`; stops at `distantFuture`.
    public static func + (instant: Self, duration: SimDuration) -> Self {
        let (sum, overflow) = instant.microseconds.addingReportingOverflow(duration.microseconds)
        return overflow ? .distantFuture : SimInstant(microseconds: sum)
    }

    /// The instant `duration` before `instant`.
    public static func - (instant: Self, duration: SimDuration) -> Self {
        SimInstant(microseconds: instant.microseconds - duration.microseconds)
    }

    /// The time from `earlier` to `later`; negative when they are the other way round.
    public static func - (later: Self, earlier: Self) -> SimDuration {
        SimDuration(microseconds: later.microseconds - earlier.microseconds)
    }
}

/// A length of time. Unit: µs. May be negative.
public struct SimDuration: Hashable, Comparable, Sendable, Codable {
    /// Microseconds.
    public var microseconds: Int64

    /// Makes a length of `microseconds`.
    public init(microseconds: Int64) {
        self.microseconds = microseconds
    }

    /// Makes a length of `seconds`.
    ///
    /// - Precondition: the product with 10⁶ fits in 64 bits.
    public init(seconds: Int64) {
        self.microseconds = seconds * 1_000_000
    }

    /// Makes a length of `seconds`; nil when it is too long for 64 bits.
    public init?(exactlySeconds seconds: Int64) {
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
        guard !overflow else { return nil }
        self.microseconds = product
    }

    /// The whole seconds, rounded towards zero.
    public var seconds: Int64 { microseconds / 1_000_000 }

    /// No time at all.
    public static let zero = SimDuration(microseconds: 0)

    /// What an unlimited time limit plans as: 365 days.
    public static let unlimited = SimDuration(seconds: 365 * 86_400)

    /// Whether `left` is shorter than `right`.
    public static func < (left: Self, right: Self) -> Bool {
        left.microseconds < right.microseconds
    }

    /// The sum of two lengths.
    public static func + (left: Self, right: Self) -> Self {
        SimDuration(microseconds: left.microseconds + right.microseconds)
    }

    /// The difference of two lengths.
    public static func - (left: Self, right: Self) -> Self {
        SimDuration(microseconds: left.microseconds - right.microseconds)
    }
}
