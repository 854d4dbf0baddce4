/// A date and time of day at a fixed offset from UTC, in the proleptic Gregorian calendar.
///
/// The core needs no time zone database: Asia/Shanghai is fixed UTC+8 here (China has had no
/// summer time since 1991).
/// Source of the day arithmetic: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
public struct CivilTime: Hashable, Sendable {
    /// The year; 2026 is 2026.
    public var year: Int
    /// The month, 1…12.
    public var month: Int
    /// The day of the month, 1…31.
    public var day: Int
    /// The hour, 0…23.
    public var hour: Int
    /// The minute, 0…59.
    public var minute: Int
    /// The second, 0…59.
    public var second: Int

    /// The offset of Asia/Shanghai. Unit: s.
    public static let shanghaiOffsetSeconds: Int64 = 8 * 3_600

    /// Makes a civil time from its parts, unchecked; see `isValid`.
    public init(
        year: Int,
        month: Int,
        day: Int,
        hour: Int = 0,
        minute: Int = 0,
        second: Int = 0
    ) {
        self.year = year
        self.month = month
        self.day = day
        self.hour = hour
        self.minute = minute
        self.second = second
    }

    /// The civil time of `instant` at `offsetSeconds` east of UTC; parts of a second are dropped.
    public init(_ instant: SimInstant, offsetSeconds: Int64) {
        let seconds = instant.seconds + offsetSeconds
        let days = seconds >= 0 ? seconds / 86_400 : -((-seconds + 86_399) / 86_400)
        let rest = Int(seconds - days * 86_400)
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthIndex = (5 * dayOfYear + 2) / 153
        day = Int(dayOfYear - (153 * monthIndex + 2) / 5 + 1)
        month = Int(monthIndex < 10 ? monthIndex + 3 : monthIndex - 9)
        year = Int(yearOfEra + era * 400) + (month <= 2 ? 1 : 0)
        hour = rest / 3_600
        minute = rest / 60 % 60
        second = rest % 60
    }

    /// Whether the parts name a real date and time of day.
    public var isValid: Bool {
        (1...12).contains(month) && day >= 1 && day <= Self.dayCount(year: year, month: month)
            && (0...23).contains(hour) && (0...59).contains(minute) && (0...59).contains(second)
    }

    /// The number of days in a month of a year.
    ///
    /// - Precondition: `month` is in 1…12.
    public static func dayCount(year: Int, month: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// The instant of this civil time at `offsetSeconds` east of UTC.
    public func instant(offsetSeconds: Int64) -> SimInstant {
        let shiftedYear = Int64(month <= 2 ? year - 1 : year)
        let era = (shiftedYear >= 0 ? shiftedYear : shiftedYear - 399) / 400
        let yearOfEra = shiftedYear - era * 400
        let monthIndex = Int64(month > 2 ? month - 3 : month + 9)
        let dayOfYear = (153 * monthIndex + 2) / 5 + Int64(day) - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        let days = era * 146_097 + dayOfEra - 719_468
        let seconds = days * 86_400 + Int64(hour * 3_600 + minute * 60 + second)
        return SimInstant(seconds: seconds - offsetSeconds)
    }

    /// `2026-11-21T09:05:00`, the form of Slurm and of ISO 8601 without a zone.
    public var iso8601: String {
        "\(dateText)T\(padded(hour, 2)):\(padded(minute, 2)):\(padded(second, 2))"
    }

    /// `2026-11-21`.
    public var dateText: String {
        "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
    }

    /// `2026-11`.
    public var monthText: String { "\(padded(year, 4))-\(padded(month, 2))" }
}

private func padded(_ number: Int, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
}

extension CivilTime {
    /// A length of time as Slurm and machine files write it: `00:00:05`, `7-00:00:00`; one below zero as zero.
    public static func lengthText(seconds: Int64) -> String {
        let seconds = max(0, seconds)
        func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let clock =
            "\(two(seconds / 3_600 % 24)):\(two(seconds / 60 % 60)):\(two(seconds % 60))"
        return seconds >= 86_400 ? "\(seconds / 86_400)-\(clock)" : clock
    }
}
