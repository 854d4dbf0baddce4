public import Quantities

/// A line of a measurement file (docs/measure.md): one run of a program.
public struct MeasuredLine: Hashable, Sendable {
    /// What ran: 1 to 64 printable characters, no `|`.
    public var kernel: String
    /// Wall time of the timed part.
    public var seconds: SimDuration
    /// MPI ranks, at least 1.
    public var ranks: Int64
    /// Operations, not negative; nil when the line says nothing of them.
    public var flop: Int64?
    /// Bytes that had to move, not negative.
    public var byte: Int64
    /// Whether the answer was right.
    public var isVerified: Bool
    /// Energy; nil when the line says nothing of it. Unit: mJ.
    public var energyMillijoules: Int64?
    /// Time of cards, each by itself; nil when the line says nothing of it.
    public var cardTime: SimDuration?
    /// Whether the energy was read from a counter.
    public var isEnergyCounted: Bool

    /// Reads a line. A member that is missing or `null` says nothing; unknown ones are ignored.
    ///
    /// - Throws: `Malformed`, with the member that is not as the protocol has it.
    public init(json: JSONValue) throws(JSONValue.Malformed) {
        func malformed(_ name: String, _ wanted: String) -> JSONValue.Malformed {
            JSONValue.Malformed(line: 0, problem: "\"\(name)\" must be \(wanted)")
        }
        func value<Value>(
            _ name: String,
            _ wanted: String,
            _ read: (JSONValue) -> Value?
        ) throws(JSONValue.Malformed) -> Value? {
            guard let member = json[name], member != .null else { return nil }
            guard let value = read(member) else { throw malformed(name, wanted) }
            return value
        }
        func count(_ name: String) throws(JSONValue.Malformed) -> Int64? {
            try value(name, "a whole number from 0 to 2^63 - 1") { member in
                member.wholeNumber.flatMap { $0 < 0 ? nil : $0 }
            }
        }
        let name = try value("kernel", "1 to 64 printable characters, no '|'") { member in
            member.string.flatMap { Self.isName($0) ? $0 : nil }
        }
        let time = try value("seconds", "from 0 to 10^9") { Self.amount($0, 1e9, parts: 1e6) }
        guard let name else { throw malformed("kernel", "there") }
        guard let time else { throw malformed("seconds", "there") }
        kernel = name
        seconds = SimDuration(microseconds: time)
        ranks =
            try value("ranks", "a whole number from 1") { member in
                member.wholeNumber.flatMap { $0 < 1 ? nil : $0 }
            } ?? 1
        flop = try count("flop")
        byte = try count("byte") ?? 0
        isVerified = try value("verified", "true or false", \.bool) ?? false
        energyMillijoules = try value("energy_joule", "from 0 to 10^12") {
            Self.amount($0, 1e12, parts: 1e3)
        }
        cardTime = try value("card_seconds", "from 0 to 10^12") {
            Self.amount($0, 1e12, parts: 1e6).map(SimDuration.init(microseconds:))
        }
        isEnergyCounted = json["energy_source"]?.string == "rapl"
    }

    /// What is kept of it for the accounts' steps.
    public var step: JSONValue {
        [
            "kernel": .string(kernel), "seconds": .number(Double(seconds.microseconds) / 1e6),
            "ranks": .integer(ranks), "verified": .bool(isVerified),
        ]
    }

    /// Names are printed in tables, to terminals and between `|`.
    private static func isName(_ text: String) -> Bool {
        let scalars = text.unicodeScalars
        return (1...64).contains(scalars.count)
            && scalars.allSatisfy { $0.isPrintable && $0 != "|" }
    }

    /// A number from 0 to `most` in units of 1/`parts`.
    private static func amount(_ member: JSONValue, _ most: Double, parts: Double) -> Int64? {
        guard let value = member.double, value >= 0, value <= most else { return nil }
        return Int64((value * parts).rounded())
    }
}
