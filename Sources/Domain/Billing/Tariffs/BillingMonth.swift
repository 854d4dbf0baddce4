public import Quantities

/// A calendar month of Asia/Shanghai (fixed UTC+8), the period in which charges are closed.
public struct BillingMonth: Hashable, Comparable, Sendable, CustomStringConvertible, Codable {
    /// The year.
    public let year: Int
    /// The month, 1…12.
    public let month: Int

    /// Makes a month.
    ///
    /// - Precondition: `month` is in 1…12.
    public init(year: Int, month: Int) {
        precondition((1...12).contains(month), "month \(month)")
        self.year = year
        self.month = month
    }

    /// The month in which `instant` lies.
    public init(containing instant: SimInstant) {
        let civil = CivilTime(instant, offsetSeconds: CivilTime.shanghaiOffsetSeconds)
        self.init(year: civil.year, month: civil.month)
    }

    /// Reads `YYYY-MM`; nil for anything else, and for years before 1970 or after 9999.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].utf8.count == 4, parts[1].utf8.count == 2,
            let year = decimal(parts[0]), let month = decimal(parts[1]),
            (1970...9999).contains(year), (1...12).contains(month)
        else { return nil }
        self.init(year: year, month: month)
    }

    /// The first instant of the month.
    public var start: SimInstant {
        CivilTime(year: year, month: month, day: 1)
            .instant(offsetSeconds: CivilTime.shanghaiOffsetSeconds)
    }

    /// The first instant after the month.
    public var end: SimInstant { next.start }

    /// The month after this one.
    public var next: BillingMonth {
        month == 12
            ? BillingMonth(year: year + 1, month: 1) : BillingMonth(year: year, month: month + 1)
    }

    /// `2026-11`.
    public var description: String { CivilTime(year: year, month: month, day: 1).monthText }

    /// Whether `left` comes before `right`.
    public static func < (left: Self, right: Self) -> Bool {
        (left.year, left.month) < (right.year, right.month)
    }
}

/// A calendar day of Asia/Shanghai, the precision of claims and of validity.
public struct BillingDay: Hashable, Comparable, Sendable, CustomStringConvertible, Codable {
    /// Days since 1970-01-01.
    public let number: Int64

    /// Makes the day `number` days after 1970-01-01.
    public init(number: Int64) {
        self.number = number
    }

    /// Makes a day from its parts; nil when there is no such day or its year is not in 1970…9999.
    public init?(year: Int, month: Int, day: Int) {
        let civil = CivilTime(year: year, month: month, day: day)
        guard (1970...9999).contains(year), civil.isValid else { return nil }
        self.init(number: civil.instant(offsetSeconds: 0).seconds / 86_400)
    }

    /// The day in which `instant` lies.
    public init(containing instant: SimInstant) {
        let local = instant + SimDuration(seconds: CivilTime.shanghaiOffsetSeconds)
        let civil = CivilTime(local, offsetSeconds: 0)
        let midnight = CivilTime(year: civil.year, month: civil.month, day: civil.day)
        self.init(number: midnight.instant(offsetSeconds: 0).seconds / 86_400)
    }

    /// Reads `YYYY-MM-DD`; nil for anything else.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].utf8.count == 4, parts[1].utf8.count == 2,
            parts[2].utf8.count == 2, let year = decimal(parts[0]), let month = decimal(parts[1]),
            let day = decimal(parts[2])
        else { return nil }
        self.init(year: year, month: month, day: day)
    }

    /// Year, month and day.
    public var civil: CivilTime {
        CivilTime(SimInstant(seconds: number * 86_400), offsetSeconds: 0)
    }

    /// The month in which the day lies.
    public var billingMonth: BillingMonth {
        let civil = self.civil
        return BillingMonth(year: civil.year, month: civil.month)
    }

    /// The first instant of the day in Asia/Shanghai.
    public var start: SimInstant {
        SimInstant(seconds: number * 86_400 - CivilTime.shanghaiOffsetSeconds)
    }

    /// `2026-11-21`.
    public var description: String { civil.dateText }

    /// Whether `left` comes before `right`.
    public static func < (left: Self, right: Self) -> Bool { left.number < right.number }
}

/// A number of ASCII digits only, without sign.
func decimal(_ text: some StringProtocol) -> Int? {
    guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    return Int(text)
}
