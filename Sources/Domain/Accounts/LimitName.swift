public import JobModel

/// A limit by the name that `sacctmgr` and a machine file give it.
public struct LimitName: Sendable {
    /// What the value is.
    public enum Shape: Sendable {
        /// A whole number.
        case count(LimitKind)
        /// A time; a whole number is minutes.
        case time(LimitKind)
        /// A list such as `cpu=8,mem=16G`: one limit for each resource.
        case resources(LimitKind.Scope, @Sendable (TRES) -> LimitKind.Measure)
    }

    /// The name: `GrpTRES`.
    public let name: String
    /// Other names for it.
    public let aliases: [String]
    /// What the value is.
    public let shape: Shape
    /// Whether an association can have it.
    public let isOfAssociations: Bool
    /// Whether a QOS can have it.
    public let isOfQOS: Bool

    private init(
        _ name: String,
        _ shape: Shape,
        also aliases: [String] = [],
        associations: Bool = true,
        qos: Bool = true
    ) {
        self.name = name
        self.aliases = aliases
        self.shape = shape
        isOfAssociations = associations
        isOfQOS = qos
    }

    /// All limits, as `sacctmgr show` lists them.
    public static let all: [LimitName] = [
        LimitName("GrpJobs", .count(LimitKind(.group, .jobs))),
        LimitName("GrpSubmitJobs", .count(LimitKind(.group, .submittedJobs)), also: ["GrpSubmit"]),
        LimitName("GrpWall", .time(LimitKind(.group, .wall))),
        LimitName("GrpTRES", .resources(.group) { .tres($0) }),
        LimitName("GrpTRESMins", .resources(.group) { .minutes($0) }),
        LimitName("GrpTRESRunMins", .resources(.group) { .runningMinutes($0) }),
        LimitName("MaxJobs", .count(LimitKind(.perUser, .jobs)), qos: false),
        LimitName(
            "MaxJobsPerUser",
            .count(LimitKind(.perUser, .jobs)),
            also: ["MaxJobsPU"],
            associations: false
        ),
        LimitName(
            "MaxJobsPerAccount",
            .count(LimitKind(.perAccount, .jobs)),
            also: ["MaxJobsPA"],
            associations: false
        ),
        LimitName(
            "MaxSubmitJobs",
            .count(LimitKind(.perUser, .submittedJobs)),
            also: ["MaxSubmit"],
            qos: false
        ),
        LimitName(
            "MaxSubmitJobsPerUser",
            .count(LimitKind(.perUser, .submittedJobs)),
            also: ["MaxSubmitPU", "MaxSubmitJobsPU"],
            associations: false
        ),
        LimitName(
            "MaxSubmitJobsPerAccount",
            .count(LimitKind(.perAccount, .submittedJobs)),
            also: ["MaxSubmitPA", "MaxSubmitJobsPA"],
            associations: false
        ),
        LimitName(
            "MaxWall",
            .time(LimitKind(.perJob, .wall)),
            also: ["MaxWallDurationPerJob", "MaxWallPJ"]
        ),
        LimitName(
            "MaxTRESPerJob",
            .resources(.perJob) { .tres($0) },
            also: ["MaxTRES", "MaxTRESPJ"]
        ),
        LimitName(
            "MaxTRESMinsPerJob",
            .resources(.perJob) { .minutes($0) },
            also: ["MaxTRESMins", "MaxTRESMinsPJ"]
        ),
        LimitName(
            "MaxTRESPerUser",
            .resources(.perUser) { .tres($0) },
            also: ["MaxTRESPU"],
            associations: false
        ),
        LimitName(
            "MaxTRESPerAccount",
            .resources(.perAccount) { .tres($0) },
            also: ["MaxTRESPA"],
            associations: false
        ),
        LimitName(
            "MinTRESPerJob",
            .resources(.leastPerJob) { .tres($0) },
            also: ["MinTRES", "MinTRESPJ"],
            associations: false
        ),
    ]

    /// The limit of that name, which may be written in any case; nil when there is none.
    public init?(named name: String, ofQOS: Bool) {
        let wanted = name.lowercased()
        let found = Self.all.first { entry in
            (ofQOS ? entry.isOfQOS : entry.isOfAssociations)
                && ([entry.name] + entry.aliases).contains { $0.lowercased() == wanted }
        }
        guard let found else { return nil }
        self = found
    }

    /// The kinds that the name stands for.
    public var kinds: [LimitKind] {
        switch shape {
        case .count(let kind), .time(let kind): [kind]
        case .resources(let scope, let measure):
            TRES.allCases.map { LimitKind(scope, measure($0)) }
        }
    }
}

/// A limit's value that means nothing.
public struct MalformedLimit: Error, Hashable, Sendable {
    /// What was written.
    public var found: String
    /// What would have been understood.
    public var expected: String
}

extension Limits {
    /// The highest bound; more is no bound at all.
    public static let valueMaximum: Int64 = 1_000_000_000_000_000

    /// Sets what a name stands for from text; −1 takes a bound away.
    ///
    /// - Throws: `MalformedLimit`; nothing has changed then.
    public mutating func set(_ name: LimitName, to text: String) throws(MalformedLimit) {
        switch name.shape {
        case .count(let kind): self[kind] = try Self.number(text, "a whole number, or -1 for none")
        case .time(let kind): self[kind] = try Self.minutes(text)
        case .resources(let scope, let measure):
            if text == "-1" || text.isEmpty {
                for kind in name.kinds { self[kind] = nil }
                return
            }
            var changed = self
            for part in text.split(separator: ",", omittingEmptySubsequences: false) {
                let (tres, value) = try Self.resource(part)
                changed[LimitKind(scope, measure(tres))] = value
            }
            self = changed
        }
    }

    /// The value of a name as text; nil when nothing is bounded.
    public func text(_ name: LimitName) -> String? {
        switch name.shape {
        case .count(let kind): return self[kind].map { String($0) }
        case .time(let kind): return self[kind].map { Self.timeText($0) }
        case .resources(let scope, let measure):
            let parts = TRES.allCases.compactMap { tres in
                self[LimitKind(scope, measure(tres))].map { value in
                    tres == .memory && measure(tres) == .tres(.memory)
                        ? "mem=\(Self.memoryText(value))" : "\(tres.name)=\(value)"
                }
            }
            return parts.isEmpty ? nil : parts.joined(separator: ",")
        }
    }

    /// All bounds, by their names.
    public func texts(ofQOS: Bool) -> [(name: String, text: String)] {
        LimitName.all.filter { ofQOS ? $0.isOfQOS : $0.isOfAssociations }
            .compactMap { name in text(name).map { (name.name, $0) } }
    }

    private static func number(_ text: String, _ expected: String) throws(MalformedLimit) -> Int64?
    {
        if text == "-1" { return nil }
        guard let value = Int64(text), (0...valueMaximum).contains(value) else {
            throw MalformedLimit(found: text, expected: expected)
        }
        return value
    }

    private static func resource(
        _ part: Substring
    ) throws(MalformedLimit) -> (tres: TRES, value: Int64?) {
        let expected = "a list of cpu, mem, node, gres/gpu and billing such as cpu=8,mem=16G"
        let sides = part.split(separator: "=", omittingEmptySubsequences: false)
        guard sides.count == 2, let tres = TRES(named: sides[0].lowercased()) else {
            throw MalformedLimit(found: String(part), expected: expected)
        }
        let text = String(sides[1])
        guard tres == .memory, let unit = text.last, let shift = memoryUnits[unit.uppercased()]
        else {
            return (tres, try number(text, expected))
        }
        guard let value = Int64(text.dropLast()), value >= 0, value <= valueMaximum >> shift else {
            throw MalformedLimit(found: String(part), expected: expected)
        }
        return (tres, value << shift)
    }

    /// By how much a number of a unit is shifted to be one of MiB.
    private static let memoryUnits: [String: Int64] = ["M": 0, "G": 10, "T": 20]

    private static func memoryText(_ mebibytes: Int64) -> String {
        for (unit, shift) in [("T", 20), ("G", 10)] as [(String, Int64)] {
            if mebibytes > 0, mebibytes % (1 << shift) == 0 {
                return "\(mebibytes >> shift)\(unit)"
            }
        }
        return "\(mebibytes)M"
    }

    /// Minutes, `MM:SS`, `HH:MM:SS`, `D-HH`, `D-HH:MM` or `D-HH:MM:SS`; seconds count up.
    private static func minutes(_ text: String) throws(MalformedLimit) -> Int64? {
        let expected = "minutes, or a time such as 1:00:00 or 7-00:00:00, or -1 for none"
        if text == "-1" { return nil }
        let sides = text.split(separator: "-", omittingEmptySubsequences: false)
        let clock = (sides.last ?? "").split(separator: ":", omittingEmptySubsequences: false)
        let numbers = clock.compactMap { Int64($0) }
        let days = sides.count == 2 ? Int64(sides[0]) : 0
        guard (1...2).contains(sides.count), let days, numbers.count == clock.count,
            (1...3).contains(clock.count),
            (numbers + [days]).allSatisfy({ (0...100_000_000).contains($0) })
        else { throw MalformedLimit(found: text, expected: expected) }
        var parts = numbers
        if sides.count == 2 {
            // After days the hours come first.
            while parts.count < 3 { parts.append(0) }
        } else if parts.count == 1 {
            parts = [0, parts[0], 0]
        } else if parts.count == 2 {
            parts = [0] + parts
        }
        return days * 1_440 + parts[0] * 60 + parts[1] + (parts[2] + 59) / 60
    }

    private static func timeText(_ minutes: Int64) -> String {
        func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : String(number) }
        let (days, rest) = minutes.quotientAndRemainder(dividingBy: 1_440)
        let clock = "\(two(rest / 60)):\(two(rest % 60)):00"
        return days > 0 ? "\(days)-\(clock)" : clock
    }
}
