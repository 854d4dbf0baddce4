/// A span of time that comes back after a period, or does not. Unit: µs since the epoch.
public struct RecurringSpan: Hashable, Sendable, Codable {
    /// When it begins, for the first time that matters.
    public var start: Int64
    /// When that is over.
    public var end: Int64
    /// From one start to the next; 0 when there is one only. A week is a multiple of each.
    public var period: Int64

    /// The time after which spans of days and weeks repeat together.
    static let cycle: Int64 = 7 * 86_400_000_000

    /// Makes a span.
    ///
    /// - Precondition: it is not longer than its period.
    public init(start: Int64, end: Int64, period: Int64 = 0) {
        precondition(start < end && (period == 0 || period >= end - start))
        precondition(period == 0 || Self.cycle % period == 0)
        self.start = start
        self.end = end
        self.period = period
    }

    /// The first time that ends after `instant`; nil when there is none.
    public func occurrence(endingAfter instant: Int64) -> RecurringSpan? {
        guard end <= instant else { return self }
        guard period > 0 else { return nil }
        let shift = ((instant - end) / period + 1) * period
        return RecurringSpan(start: start + shift, end: end + shift, period: period)
    }

    /// Whether it has a moment in `[from, until)`.
    public func meets(from: Int64, until: Int64) -> Bool {
        guard from < until, let next = occurrence(endingAfter: from) else { return false }
        return next.start < until
    }

    /// Whether both have a moment.
    public func meets(_ other: Self) -> Bool {
        if period == 0 { return other.meets(from: start, until: end) }
        if other.period == 0 { return meets(from: other.start, until: other.end) }
        var next = occurrence(endingAfter: max(start, other.start))
        for _ in 0...(Self.cycle / period) {
            guard let own = next else { return false }
            if other.meets(from: own.start, until: own.end) { return true }
            next = occurrence(endingAfter: own.end)
        }
        return false
    }
}
