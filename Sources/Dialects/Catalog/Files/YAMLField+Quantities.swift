import ClusterModel
import IndexSets
import Quantities
import Yams

// Quantities are written with their unit: `24 GiB`, `2.93 GHz`, `0.10 CNY`. Decimal fractions are
// read exactly into integers; what does not come out even is refused, never rounded.

extension YAMLField {
    /// A whole number in a range.
    func integer(_ range: ClosedRange<Int64>) throws(FileRefusal) -> Int64 {
        let text = try text()
        guard let number = Int64(text) else {
            throw refusal(.unreadable(found: text, expected: "a whole number"))
        }
        guard range.contains(number) else {
            throw refusal(
                .outOfRange(
                    found: text,
                    minimum: "\(range.lowerBound)",
                    maximum: "\(range.upperBound)"
                )
            )
        }
        return number
    }

    /// A whole number of things: 1 up to a million unless told otherwise.
    func count(_ range: ClosedRange<Int64> = 1...1_000_000) throws(FileRefusal) -> Int32 {
        Int32(try integer(range))
    }

    /// `true` or `false`.
    func flag() throws(FileRefusal) -> Bool {
        switch try text() {
        case "true", "yes": return true
        case "false", "no": return false
        case let other:
            throw refusal(.unreadable(found: other, expected: "'true' or 'false'"))
        }
    }

    /// One of the words of an enumeration.
    func choice<Choice: CaseIterable & RawRepresentable<String>>(
        _ type: Choice.Type
    ) throws(FileRefusal) -> Choice {
        let word = try text()
        if let choice = Choice(rawValue: word) { return choice }
        let known = Choice.allCases.map(\.rawValue)
        throw refusal(
            .unknownChoice(
                found: word,
                similar: similarNames(to: word, among: known),
                known: known
            )
        )
    }

    /// A name: letters, digits, `-`, `_`, `.`, not more than 64.
    func name() throws(FileRefusal) -> String {
        let text = try text()
        let isName = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."): true
            default: false
            }
        }
        guard isName, text.utf8.count <= 64 else {
            throw refusal(
                .unreadable(found: text, expected: "a name of letters, digits, '-', '_' and '.'")
            )
        }
        return text
    }

    /// A size: `24 GiB`, `3 GB`.
    func bytes() throws(FileRefusal) -> ByteCount {
        ByteCount(try quantity("a size such as 24 GiB", units: byteUnits))
    }

    /// A rate of operations: `515.2 GF`.
    func flopRate() throws(FileRefusal) -> FlopRate {
        let units: [String: Int64] = [
            "MF": 1_000_000, "GF": 1_000_000_000, "TF": 1_000_000_000_000,
            "PF": 1_000_000_000_000_000, "EF": 1_000_000_000_000_000_000,
        ]
        return FlopRate(flopsPerSecond: try quantity("a rate such as 515.2 GF", units: units))
    }

    /// A clock: `2.93 GHz`.
    func frequency() throws(FileRefusal) -> Frequency {
        let units: [String: Int64] = [
            "Hz": 1, "kHz": 1_000, "MHz": 1_000_000, "GHz": 1_000_000_000,
        ]
        return Frequency(hertz: try quantity("a clock such as 2.93 GHz", units: units))
    }

    /// A rate of bytes: `148 GB/s`.
    func byteRate() throws(FileRefusal) -> ByteRate {
        let units: [String: Int64] = [
            "MB/s": 1_000_000, "GB/s": 1_000_000_000, "TB/s": 1_000_000_000_000,
            "Mb/s": 125_000, "Gb/s": 125_000_000, "Tb/s": 125_000_000_000,
        ]
        return ByteRate(bytesPerSecond: try quantity("a rate such as 148 GB/s", units: units))
    }

    /// A power, in watts: `4.04 MW`.
    func watts() throws(FileRefusal) -> Int64 {
        try quantity("a power such as 225 W", units: ["W": 1, "kW": 1_000, "MW": 1_000_000])
    }

    /// A part of a whole, in thousandths: `58 %`, `92.5 %`.
    func permille() throws(FileRefusal) -> Int32 {
        let share = try quantity("a share such as 92.5 %", units: ["%": 10])
        guard (1...1_000).contains(share) else {
            throw refusal(.outOfRange(found: try text(), minimum: "0.1 %", maximum: "100 %"))
        }
        return Int32(share)
    }

    /// A short time, in nanoseconds: `1.57 us`.
    func nanoseconds() throws(FileRefusal) -> Int64 {
        let units: [String: Int64] = ["ns": 1, "us": 1_000, "µs": 1_000, "ms": 1_000_000]
        return try quantity("a time such as 1.57 us", units: units)
    }

    /// A price, in µfen: `0.10 CNY`.
    func microfen() throws(FileRefusal) -> Int64 {
        try quantity("a price such as 0.10 CNY", units: ["CNY": 100_000_000, "fen": 1_000_000])
    }

    /// A time limit as Slurm writes it: `minutes`, `h:mm:ss`, `d-hh:mm:ss`; nil for `unlimited`.
    func timeLimit() throws(FileRefusal) -> SimDuration? {
        let text = try text()
        if ["unlimited", "infinite"].contains(text.lowercased()) { return nil }
        guard let seconds = slurmSeconds(text), seconds > 0 else {
            throw refusal(
                .unreadable(
                    found: text,
                    expected: "a time such as 30 (minutes), 1:00:00, 7-00:00:00 or unlimited"
                )
            )
        }
        return SimDuration(seconds: seconds)
    }

    /// An exact decimal number with one of the units.
    func quantity(
        _ expected: String,
        units: [String: Int64]
    ) throws(FileRefusal) -> Int64 {
        let text = try text()
        let words = text.split(separator: " ", omittingEmptySubsequences: true)
        guard words.count == 2, let factor = units[String(words[1])] else {
            let known = units.sorted { ($0.value, $0.key) < ($1.value, $1.key) }.map(\.key)
            throw refusal(
                .unreadable(
                    found: text,
                    expected: "\(expected) (units: \(known.joined(separator: ", ")))"
                )
            )
        }
        guard let value = exact(words[0], times: factor) else {
            throw refusal(.unreadable(found: text, expected: expected))
        }
        return value
    }
}

private let byteUnits: [String: Int64] = [
    "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40, "PiB": 1 << 50,
    "KB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000, "TB": 1_000_000_000_000,
    "PB": 1_000_000_000_000_000,
]

/// `decimal` × `factor` as an integer; nil when it is no number, negative, too large, or not even.
private func exact(_ decimal: Substring, times factor: Int64) -> Int64? {
    let parts = decimal.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    let fraction = parts.count == 2 ? parts[1] : ""
    let digits = parts[0] + fraction
    guard !parts[0].isEmpty, parts.count == 1 || !fraction.isEmpty, digits.utf8.count <= 18,
        digits.utf8.allSatisfy({ (48...57).contains($0) }), let number = Int128(digits)
    else { return nil }
    var divisor: Int128 = 1
    for _ in 0..<fraction.utf8.count { divisor *= 10 }
    let (value, rest) = (number * Int128(factor)).quotientAndRemainder(dividingBy: divisor)
    return rest == 0 ? Int64(exactly: value) : nil
}

/// The seconds of Slurm's `minutes`, `minutes:seconds`, `hours:minutes:seconds`, `days-hours`,
/// `days-hours:minutes` and `days-hours:minutes:seconds` (sbatch(1), Slurm 22.05).
private func slurmSeconds(_ text: String) -> Int64? {
    let byDay = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
    let parts = (byDay.last ?? "").split(separator: ":", omittingEmptySubsequences: false)
    var numbers: [Int64] = []
    for part in parts {
        guard let number = Int64(part), number >= 0, number < 1_000_000 else { return nil }
        numbers.append(number)
    }
    guard byDay.count == 2 else {
        switch numbers.count {
        case 1: return numbers[0] * 60
        case 2: return numbers[0] * 60 + numbers[1]
        case 3: return numbers[0] * 3_600 + numbers[1] * 60 + numbers[2]
        default: return nil
        }
    }
    guard let days = Int64(byDay[0]), days >= 0, days < 100_000, (1...3).contains(numbers.count)
    else { return nil }
    numbers += [Int64](repeating: 0, count: 3 - numbers.count)
    return days * 86_400 + numbers[0] * 3_600 + numbers[1] * 60 + numbers[2]
}
