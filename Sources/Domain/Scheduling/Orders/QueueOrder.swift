/// In which order jobs queue. Among equals the earlier submission goes first, then the lower number.
///
/// An order is a pure function of a job and, where it varies with time, of the instant. A static
/// order costs O(log n) of the queue when a job arrives and nothing later; one that varies sorts
/// the queue again, O(n log n), at each pass or at each tick.
///
/// To add one: a file with a `static let` beside those of this folder, and its name in `all`.
public struct QueueOrder: Sendable {
    /// When the places of waiting jobs are computed again.
    public enum Variation: Hashable, Sendable, Codable {
        /// Never: the value of a job stays what it was on arrival.
        case never
        /// Before every scheduling pass.
        case everyPass
        /// Whenever a multiple of the period of `PriorityWeights` has gone by.
        case everyPeriod
    }

    /// What users call it.
    public let name: String
    /// What it does, in a few words or as its formula.
    public let summary: String
    /// Where it is defined.
    public let source: String
    /// When the places of waiting jobs are computed again.
    public let variation: Variation
    /// Whether it asks for `QueuedJob.fairShare`.
    let usesFairShare: Bool
    /// Whether it is the negated sum of Slurm's factors, to which nice values and priorities that
    /// operators give belong; under other orders these go before the order.
    public let sumsPriority: Bool
    /// What it sorts by; lower goes first.
    let value: @Sendable (QueuedJob) -> Int64

    /// Makes an order.
    ///
    /// - Parameter value: what it sorts by; lower goes first. Pure: the same job gives the same
    ///   value, on every machine.
    public init(
        name: String,
        summary: String,
        source: String,
        variation: Variation = .never,
        usesFairShare: Bool = false,
        sumsPriority: Bool = false,
        value: @escaping @Sendable (QueuedJob) -> Int64
    ) {
        self.name = name
        self.summary = summary
        self.source = source
        self.variation = variation
        self.usesFairShare = usesFairShare
        self.sumsPriority = sumsPriority
        self.value = value
    }

    /// All orders, as they are listed.
    public static let all: [QueueOrder] = [
        fcfs, sjf, ljf, narrowest, widest, wfp3, unicef, f1, f2, f3, f4, multifactor,
    ]

    /// The order of that name, or nil.
    public init?(named name: String) {
        guard let order = Self.all.first(where: { $0.name == name }) else { return nil }
        self = order
    }
}

extension QueueOrder: Codable {
    /// Reads the name of one of `all`.
    public init(from decoder: any Decoder) throws {
        let name = try decoder.singleValueContainer().decode(String.self)
        guard let order = QueueOrder(named: name) else {
            throw DecodingError.dataCorrupted(
                DecodingError.Context(codingPath: [], debugDescription: "no order '\(name)'")
            )
        }
        self = order
    }

    /// Writes the name.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(name)
    }
}

extension QueueOrder: Hashable {
    /// Orders are the same when they have one name.
    public static func == (left: Self, right: Self) -> Bool { left.name == right.name }

    /// Hashes the name.
    public func hash(into hasher: inout Hasher) { hasher.combine(name) }
}

/// What an order may look at.
public struct QueuedJob: Sendable {
    /// Nodes that it asks for; cores where nodes are shared.
    public var units: Int32
    /// Cores that it asks for.
    public var cores: Int64
    /// How long it plans to run: its time limit, or a prediction. Unit: s, at least 0.
    public var plannedSeconds: UInt32
    /// How long it has waited. Unit: s.
    public var waitedSeconds: Double
    /// When it was submitted, from the first submission of all. Unit: s.
    public var submittedSeconds: Double
    /// Its share of what its user is entitled to, from 0 to 1 (Fair Tree); 1 where nobody counts.
    public var fairShare: Double
    /// Its part of the machine's nodes, from 0 to 1.
    public var nodeFraction: Double
    /// Its part of the machine's cores, from 0 to 1.
    public var coreFraction: Double
    /// Its part of its partition's cores, from 0 to 1.
    public var partitionCoreFraction: Double
    /// The priority of its partition, from 0 to 1.
    public var partitionFactor: Double
    /// The priority of its QOS, from 0 to 1.
    public var qosFactor: Double
    /// The weights of the policy.
    public var weights: PriorityWeights
}

/// Maps scores to integers that sort in the same way.
enum OrderValue {
    /// Lower scores go first.
    static func ascending(_ score: Double) -> Int64 {
        let bits = Int64(bitPattern: score.bitPattern)
        return bits >= 0 ? bits : bits ^ Int64.max
    }

    /// Higher scores go first.
    static func descending(_ score: Double) -> Int64 { ascending(-score) }
}
