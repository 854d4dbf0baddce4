public import Quantities

/// Slurm's ways to write lengths of time.
public enum SlurmTime {
    /// A time limit.
    public enum Limit: Hashable, Sendable {
        /// No limit: `UNLIMITED`, `INFINITE`, `0`.
        case unlimited
        /// A limit in whole minutes.
        case of(SimDuration)
    }

    /// Reads a time limit: `minutes`, `minutes:seconds`, `hours:minutes:seconds`, `days-hours`,
    /// `days-hours:minutes`, `days-hours:minutes:seconds`, `UNLIMITED`. Rounds up to whole minutes.
    ///
    /// Slurm takes a number after a single dash (`-5`) for no limit too.
    ///
    /// - Returns: nil when `text` is nothing of this.
    public static func limit(_ text: String) -> Limit? {
        let word = text.lowercased()
        if word == "unlimited" || word == "infinite" { return .unlimited }
        if text.hasPrefix("-") {
            return Int64(text.dropFirst()).map { _ in .unlimited }
        }
        guard let seconds = seconds(text) else { return nil }
        if seconds == 0 { return .unlimited }
        return SimDuration(exactlySeconds: (seconds + 59) / 60 * 60).map { .of($0) }
    }

    /// Reads a length of time in the formats of `limit(_:)` but exactly. Unit: s.
    public static func seconds(_ text: String) -> Int64? {
        let halves = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        guard let clock = halves.last else { return nil }
        var parts: [Int64] = []
        for part in clock.split(separator: ":", omittingEmptySubsequences: false) {
            guard let number = number(part) else { return nil }
            parts.append(number)
        }
        guard parts.count <= 3 else { return nil }
        if halves.count == 2 {
            guard let days = number(halves[0]) else { return nil }
            let padded = parts + [Int64](repeating: 0, count: 3 - parts.count)
            return days * 86_400 + padded[0] * 3_600 + padded[1] * 60 + padded[2]
        }
        return switch parts.count {
        case 1: parts[0] * 60
        case 2: parts[0] * 60 + parts[1]
        default: parts[0] * 3_600 + parts[1] * 60 + parts[2]
        }
    }

    private static func number(_ digits: some StringProtocol) -> Int64? {
        guard (1...9).contains(digits.utf8.count),
            digits.utf8.allSatisfy({ (48...57).contains($0) })
        else { return nil }
        return Int64(digits)
    }

    /// As `squeue` writes it: `0:05`, `1:00:00`, `7-00:00:00`.
    public static func brief(_ duration: SimDuration) -> String {
        let seconds = max(0, duration.seconds)
        let (days, hours) = (seconds / 86_400, seconds / 3_600 % 24)
        let clock = "\(two(seconds / 60 % 60)):\(two(seconds % 60))"
        if days > 0 { return "\(days)-\(two(hours)):\(clock)" }
        if hours > 0 { return "\(hours):\(clock)" }
        return "\(seconds / 60):\(two(seconds % 60))"
    }

    /// As `scontrol` and `sacct` write it: `00:00:05`, `7-00:00:00`.
    public static func full(_ duration: SimDuration) -> String { full(seconds: duration.seconds) }

    /// The same from one instant to another, at least zero and to the nearest second: what happens at one
    /// instant is microseconds apart.
    public static func full(from start: SimInstant, to end: SimInstant) -> String {
        full(max(.zero, end - start) + SimDuration(microseconds: 500_000))
    }

    /// A sum over cores may be longer than a `SimDuration`.
    static func full(seconds: Int64) -> String { CivilTime.lengthText(seconds: seconds) }

    private static func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
}

/// The calendar of a centre: how instants are written and read.
public struct CentreCalendar: Hashable, Sendable {
    /// How far local time is ahead of UTC. Unit: s.
    public var offsetSeconds: Int64
    /// How `strftime` would write instants, as `SLURM_TIME_FORMAT` asks; nil for Slurm's own format.
    public var format: String?

    /// The calendar of whoever reads: Shanghai's, where the centres are, where nobody says otherwise.
    @TaskLocal public static var session = CentreCalendar(
        offsetSeconds: CivilTime.shanghaiOffsetSeconds
    )

    /// The calendar of whoever reads.
    public init() { self = Self.session }

    /// Makes a calendar.
    public init(offsetSeconds: Int64, format: String? = nil) {
        self.offsetSeconds = offsetSeconds
        self.format = format
    }

    /// `2026-11-21T01:29:27`.
    public func text(_ instant: SimInstant) -> String {
        if let format { return text(instant, format: format) }
        return CivilTime(instant, offsetSeconds: offsetSeconds).iso8601
    }

    /// `Sat Nov 21 01:29:21 2026`, the first line of `-l`.
    public func dateLine(_ instant: SimInstant) -> String {
        let time = CivilTime(instant, offsetSeconds: offsetSeconds)
        let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
        let months = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ]
        let day = (instant.seconds + offsetSeconds) / 86_400
        let clock = time.iso8601.dropFirst(time.dateText.utf8.count + 1)
        let date = time.day < 10 ? " \(time.day)" : "\(time.day)"
        return "\(days[Int((day % 7 + 7) % 7)]) \(months[time.month - 1]) \(date) \(clock)"
            + " \(time.year)"
    }

    /// Reads an instant: `now`, `now+60`, `now-1hour`, `now+2days`, `today`, `tomorrow`, `midnight`,
    /// `noon`, `fika`, `teatime`, `16:00`, `4:30pm`, `MMDD[YY]`, `MM/DD[/YY]`,
    /// `YYYY-MM-DD[THH:MM[:SS]]`, and a date after a time of day.
    ///
    /// A time of day that has passed means tomorrow's, as for `at`, unless `isPast` says that past
    /// instants are meant, as for `sacct -S`.
    ///
    /// - Returns: nil when `text` is nothing of this, or outside `instants`.
    public func instant(_ text: String, now: SimInstant, isPast: Bool = false) -> SimInstant? {
        let instant = unboundedInstant(text, now: now, isPast: isPast)
        return instant.flatMap { Self.instants.contains($0) ? $0 : nil }
    }

    /// What can be written with a year of four digits, from 1970 on.
    public static let instants = SimInstant.epoch...SimInstant(seconds: 253_402_300_799)

    private func unboundedInstant(_ text: String, now: SimInstant, isPast: Bool) -> SimInstant? {
        let word = text.lowercased()
        if word.hasPrefix("now") { return relative(word.dropFirst(3), to: now) }
        if word.hasPrefix("uts"), let seconds = Int64(word.dropFirst(3)) {
            return SimInstant(exactlySeconds: seconds)
        }
        let today = CivilTime(now, offsetSeconds: offsetSeconds)
        if let day = dateOnly(word, today: today) {
            return at(day, seconds: 0)
        }
        if let seconds = timeOfDay(word) {
            let instant = at(today, seconds: seconds)
            let hasPassed = instant < now && !isPast
            return hasPassed ? instant + SimDuration(seconds: 86_400) : instant
        }
        let separators: Set<Character> = ["t", " ", "-"]
        for index in word.indices where separators.contains(word[index]) {
            let (left, right) = (String(word[..<index]), String(word[word.index(after: index)...]))
            if let day = dateOnly(left, today: today), let seconds = timeOfDay(right) {
                return at(day, seconds: seconds)
            }
            if let seconds = timeOfDay(left), let day = dateOnly(right, today: today) {
                return at(day, seconds: seconds)
            }
        }
        return nil
    }

    private func relative(_ text: Substring, to now: SimInstant) -> SimInstant? {
        if text.isEmpty { return now }
        guard let sign = text.first, sign == "+" || sign == "-" else { return nil }
        let digits = text.dropFirst().prefix { $0.isASCII && $0.isNumber }
        guard let count = Int64(digits), digits.utf8.count <= 9 else { return nil }
        let unit = text.dropFirst(1 + digits.count)
        let names: [(String, Int64)] = [
            ("seconds", 1), ("minutes", 60), ("hours", 3_600), ("days", 86_400),
            ("weeks", 604_800),
        ]
        guard unit.isEmpty || names.contains(where: { $0.0.hasPrefix(unit) }) else { return nil }
        let factor = unit.isEmpty ? 1 : names.first { $0.0.hasPrefix(unit) }?.1 ?? 1
        guard let duration = SimDuration(exactlySeconds: count * factor) else { return nil }
        return sign == "+" ? now + duration : now - duration
    }

    private func at(_ day: CivilTime, seconds: Int64) -> SimInstant {
        let midnight = CivilTime(year: day.year, month: day.month, day: day.day)
        return midnight.instant(offsetSeconds: offsetSeconds) + SimDuration(seconds: seconds)
    }

    private func dateOnly(_ text: String, today: CivilTime) -> CivilTime? {
        if text == "today" { return today }
        if text == "tomorrow" {
            let next = at(today, seconds: 0) + SimDuration(seconds: 86_400)
            return CivilTime(next, offsetSeconds: offsetSeconds)
        }
        func valid(_ year: Int, _ month: Int?, _ day: Int?) -> CivilTime? {
            guard let month, let day, (1_970...9_999).contains(year) else { return nil }
            let date = CivilTime(year: year, month: month, day: day)
            return date.isValid ? date : nil
        }
        let dashed = text.split(separator: "-", omittingEmptySubsequences: false)
        if dashed.count == 3, dashed[0].utf8.count == 4, let year = Int(dashed[0]) {
            return valid(year, Int(dashed[1]), Int(dashed[2]))
        }
        let separator: Character = text.contains("/") ? "/" : "."
        let parts = text.split(separator: separator, omittingEmptySubsequences: false)
        if parts.count == 3, let year = Int(parts[2]) {
            return valid(
                (0..<100).contains(year) ? 2_000 + year : year,
                Int(parts[0]),
                Int(parts[1])
            )
        }
        if parts.count == 2 { return valid(today.year, Int(parts[0]), Int(parts[1])) }
        guard text.utf8.allSatisfy({ (48...57).contains($0) }), let number = Int(text) else {
            return nil
        }
        return switch text.utf8.count {
        case 4: valid(today.year, number / 100, number % 100)
        case 6: valid(2_000 + number % 100, number / 10_000, number / 100 % 100)
        default: nil
        }
    }

    private func timeOfDay(_ text: String) -> Int64? {
        switch text {
        case "midnight": return 0
        case "noon": return 12 * 3_600
        case "fika": return 15 * 3_600
        case "teatime": return 16 * 3_600
        case "elevenses": return 11 * 3_600
        default: break
        }
        let isMorning = text.hasSuffix("am")
        let isAfternoon = text.hasSuffix("pm")
        let clock = isMorning || isAfternoon ? text.dropLast(2) : text[...]
        let parts = clock.split(separator: ":", omittingEmptySubsequences: false).map {
            $0.utf8.count <= 2 ? Int64($0) : nil
        }
        guard (2...3).contains(parts.count) || (isMorning || isAfternoon) && parts.count == 1,
            var hour = parts[0], (0...23).contains(hour)
        else { return nil }
        var rest: [Int64] = []
        for part in parts.dropFirst() {
            guard let part, (0...59).contains(part) else { return nil }
            rest.append(part)
        }
        if isAfternoon, hour < 12 { hour += 12 }
        if isMorning, hour == 12 { hour = 0 }
        return hour * 3_600 + (rest.first ?? 0) * 60 + (rest.count > 1 ? rest[1] : 0)
    }
}
