/// How jobs behind the head of a queue may overtake it.
public enum BackfillPolicy: String, Hashable, Sendable, CaseIterable {
    /// Not at all: the first job that does not fit blocks all behind it (FCFS).
    case none
    /// Where the head's start is not delayed.
    ///
    /// Source: Lifka, "The ANL/IBM SP Scheduling System", JSSPP 1995; Mu'alem and Feitelson,
    /// IEEE TPDS 12(6), 2001. The shadow counts all ends of its instant, and everything is
    /// recomputed at every pass. O(log n) of the queue a decision.
    case easy
}

/// A whole policy: how to overtake, and where to put jobs.
public struct SchedulingPolicy: Hashable, Sendable {
    /// How jobs may overtake.
    public var backfill: BackfillPolicy
    /// How nodes are chosen.
    public var placement: PlacementPolicy

    /// Makes a policy.
    public init(backfill: BackfillPolicy, placement: PlacementPolicy = .firstFit) {
        self.backfill = backfill
        self.placement = placement
    }

    /// First come, first served.
    public static let fcfs = SchedulingPolicy(backfill: .none)
    /// EASY backfilling in order of submission.
    public static let easy = SchedulingPolicy(backfill: .easy)

    /// The policies that have a name of their own, in the order in which they are listed.
    public static let named: [(name: String, policy: SchedulingPolicy)] = [
        ("fcfs", .fcfs), ("easy", .easy),
    ]

    /// The policy called `name`, or nil.
    public init?(named name: String) {
        guard let entry = Self.named.first(where: { $0.name == name }) else { return nil }
        self = entry.policy
    }

    /// The name under which users know it, `backfill` and placement when it has none.
    public var name: String {
        Self.named.first { $0.policy == self }?.name
            ?? "backfill=\(backfill.rawValue),placement=\(placement.rawValue)"
    }
}
