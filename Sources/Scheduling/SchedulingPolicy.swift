/// In which order jobs queue. Among equals the earlier submission goes first, then the lower number.
///
/// All of these are static: a job's value does not change while it waits, so inserting it costs
/// O(log n) of the queue.
public enum QueueOrder: String, Hashable, Sendable, CaseIterable {
    /// By submission.
    case fcfs
    /// The shortest time limit first.
    case sjf
    /// The longest time limit first.
    case ljf
    /// The fewest nodes (cores on shared nodes) first.
    case narrowest
    /// The most nodes (cores on shared nodes) first.
    case widest

    /// What the order sorts by; lower goes first.
    func value(units: Int32, limitSeconds: UInt32) -> Int64 {
        switch self {
        case .fcfs: 0
        case .sjf: Int64(limitSeconds)
        case .ljf: -Int64(limitSeconds)
        case .narrowest: Int64(units)
        case .widest: -Int64(units)
        }
    }
}

/// How jobs behind the head of a queue may overtake it.
public enum BackfillPolicy: String, Hashable, Sendable, CaseIterable {
    /// Not at all: the first job that does not fit blocks all behind it (FCFS).
    case none
    /// Where the head's start is not delayed; candidates in queue order.
    ///
    /// Source: Lifka, "The ANL/IBM SP Scheduling System", JSSPP 1995; Mu'alem and Feitelson,
    /// IEEE TPDS 12(6), 2001. The shadow counts all ends of its instant, and everything is
    /// recomputed at every pass. O(log n) of the queue a decision.
    case easy
    /// As EASY, candidates by shortest time limit.
    ///
    /// Source: Tsafrir, Etsion, Feitelson, "Backfilling Using System-Generated Predictions Rather
    /// than User Runtime Estimates", IEEE TPDS 18(6), 2007. O(log n) of the queue a decision.
    case easySJBF = "easy-sjbf"
    /// Where no earlier job's start is delayed: at each pass every queued job, in queue order, gets
    /// the earliest start that fits what runs and what is before it (*replan*).
    ///
    /// Source: Mu'alem and Feitelson 2001. On equal nodes given whole only. O(n · m) a pass for n
    /// queued jobs and m instants at which the plan changes.
    case conservative
    /// As conservative, with promises kept: a job is reserved when it arrives, and at every end of
    /// a job each waiting job is moved to its earliest start, others in place (*compress*). A
    /// promise only ever moves earlier.
    ///
    /// Source: the pyss simulator's conservative scheduler. On equal nodes given whole only.
    /// O(n · m) an end.
    case conservativeCompress = "conservative-compress"
    /// A pass starts nothing: whoever drives the emulator decides, with `Input.start`.
    ///
    /// The engine still refuses what does not fit, so that an outside policy cannot give a node out
    /// twice. O(1) a pass.
    case external
}

/// A whole policy: in which order jobs queue, how they overtake, and where they are put.
public struct SchedulingPolicy: Hashable, Sendable {
    /// In which order jobs queue.
    public var order: QueueOrder
    /// How jobs may overtake.
    public var backfill: BackfillPolicy
    /// How nodes are chosen.
    public var placement: PlacementPolicy

    /// Makes a policy.
    public init(
        order: QueueOrder = .fcfs,
        backfill: BackfillPolicy,
        placement: PlacementPolicy = .firstFit
    ) {
        self.order = order
        self.backfill = backfill
        self.placement = placement
    }

    /// First come, first served.
    public static let fcfs = SchedulingPolicy(backfill: .none)
    /// EASY backfilling in order of submission.
    public static let easy = SchedulingPolicy(backfill: .easy)

    /// The policies that have a name of their own, in the order in which they are listed.
    public static let named: [(name: String, policy: SchedulingPolicy)] = [
        ("fcfs", .fcfs),
        ("easy", .easy),
        ("easy-sjbf", SchedulingPolicy(backfill: .easySJBF)),
        ("conservative", SchedulingPolicy(backfill: .conservative)),
        ("conservative-compress", SchedulingPolicy(backfill: .conservativeCompress)),
        ("sjf", SchedulingPolicy(order: .sjf, backfill: .none)),
        ("ljf", SchedulingPolicy(order: .ljf, backfill: .none)),
        ("narrowest", SchedulingPolicy(order: .narrowest, backfill: .none)),
        ("widest", SchedulingPolicy(order: .widest, backfill: .none)),
        ("external", SchedulingPolicy(backfill: .external)),
    ]

    /// The policy that a user names: one of `named`, or a composition such as
    /// `order=sjf,backfill=easy,placement=best-fit` (what is left out is fcfs, none, first-fit).
    ///
    /// - Throws: `Unknown`, with the part that is not known.
    public init(named name: String) throws(Unknown) {
        if let entry = Self.named.first(where: { $0.name == name }) {
            self = entry.policy
            return
        }
        guard name.contains("=") else { throw Unknown(part: name) }
        self.init(backfill: .none)
        for part in name.split(separator: ",") {
            let sides = part.split(separator: "=", maxSplits: 1).map { String($0) }
            guard sides.count == 2, set(sides[0], to: sides[1]) else {
                throw Unknown(part: String(part))
            }
        }
    }

    private mutating func set(_ component: String, to value: String) -> Bool {
        switch component {
        case "order": QueueOrder(rawValue: value).map { order = $0 } != nil
        case "backfill": BackfillPolicy(rawValue: value).map { backfill = $0 } != nil
        case "placement": PlacementPolicy(rawValue: value).map { placement = $0 } != nil
        default: false
        }
    }

    /// The name under which users know it, its composition when it has none.
    public var name: String {
        Self.named.first { $0.policy == self }?.name ?? composition
    }

    /// `order=…,backfill=…,placement=…`.
    public var composition: String {
        "order=\(order.rawValue),backfill=\(backfill.rawValue),placement=\(placement.rawValue)"
    }

    /// Whether it needs equal nodes that are given whole.
    public var needsUniformNodes: Bool {
        backfill == .conservative || backfill == .conservativeCompress
    }

    /// A policy or a part of one that does not exist.
    public struct Unknown: Error, Hashable, Sendable {
        /// What was written.
        public var part: String
    }
}
