import IndexSets

/// How jobs behind the head of a queue may overtake it.
public enum BackfillPolicy: String, Hashable, Sendable, CaseIterable, Codable {
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
    /// Source: Mu'alem and Feitelson 2001. O(n · m) a pass for n queued jobs and m instants at which
    /// the plan changes.
    case conservative
    /// As conservative, with promises kept: a job is reserved when it arrives, and at every end of
    /// a job each waiting job is moved to its earliest start, others in place (*compress*). A
    /// promise only ever moves earlier.
    ///
    /// Source: the pyss simulator's conservative scheduler. O(n · m) an end.
    case conservativeCompress = "conservative-compress"
    /// A pass starts nothing: whoever drives the emulator decides, with `Input.start`.
    ///
    /// The engine still refuses what does not fit, so that an outside policy cannot give a node out
    /// twice. O(1) a pass.
    case external
    /// As Slurm's `sched/backfill`: replan within a window, to a resolution, for the first jobs of
    /// the queue, with a maximum of reservations (`SlurmBackfill`).
    ///
    /// Source: Slurm, "Scheduling Configuration Guide", SchedulerParameters. O(d · m) a pass for a
    /// depth d and m instants at which the plan changes.
    case slurm
}

/// The parameters of `BackfillPolicy.slurm`, under the names of Slurm's `SchedulerParameters`.
public struct SlurmBackfill: Hashable, Sendable, Codable {
    /// `bf_window`: how far ahead jobs are planned. Unit: min, at least 1.
    public var window = 1_440
    /// `bf_resolution`: ends of jobs count to a multiple of this, never early. Unit: s, at least 1.
    public var resolution = 60
    /// `bf_max_job_test`: how many jobs of the queue a pass looks at; at least 1.
    public var depth = 500
    /// How many jobs that cannot start now keep nodes for later; 1 is EASY's number.
    public var reservations = 500
    /// `bf_licenses`: whether, if not 0, a job that waits for licences is planned for when they come
    /// free; else it waits aside and keeps nothing from anybody.
    public var licenses = 0

    /// Slurm's defaults.
    public init() {}

    /// What users call each, with its place here.
    public static var names: [(name: String, field: WritableKeyPath<Self, Int>)] {
        [
            ("bf_window", \.window),
            ("bf_resolution", \.resolution),
            ("bf_max_job_test", \.depth),
            ("bf_reservations", \.reservations),
            ("bf_licenses", \.licenses),
        ]
    }
}

/// How long the scheduler believes that jobs run. A job is ended by its time limit whatever this
/// says.
public enum RunTimeEstimate: String, Hashable, Sendable, CaseIterable, Codable {
    /// To their time limits.
    case user
    /// The mean of the user's last two ended jobs, at most the limit; the limit until there are
    /// two. A job that outlives it is planned longer in growing steps, from the next pass on.
    ///
    /// Source: Tsafrir, Etsion, Feitelson, IEEE TPDS 18(6), 2007, as the predictsim study ran it.
    case last2
}

/// A whole policy: in which order jobs queue, how they overtake, and where they are put.
public struct SchedulingPolicy: Hashable, Sendable, Codable {
    /// In which order jobs queue.
    public var order: QueueOrder
    /// How jobs may overtake.
    public var backfill: BackfillPolicy
    /// How nodes are chosen.
    public var placement: PlacementPolicy
    /// What the scheduler believes of run times.
    public var estimate: RunTimeEstimate
    /// What `BackfillPolicy.slurm` goes by.
    public var slurm = SlurmBackfill()
    /// What `QueueOrder.multifactor` goes by.
    public var weights = PriorityWeights()
    /// The seed of `PlacementPolicy.random`.
    public var seed = 1
    /// How long after a pass the next one may look at what has come in (`batch_sched_delay`). Unit: s.
    public var passDelaySeconds = 0
    /// How often heterogeneous jobs may start, which only backfilling starts (`bf_interval`); 0 is at every
    /// pass. Unit: s.
    public var hetIntervalSeconds = 0

    /// Makes a policy.
    public init(
        order: QueueOrder = .fcfs,
        backfill: BackfillPolicy,
        placement: PlacementPolicy = .firstFit,
        estimate: RunTimeEstimate = .user
    ) {
        self.order = order
        self.backfill = backfill
        self.placement = placement
        self.estimate = estimate
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
        ("easy++", SchedulingPolicy(backfill: .easySJBF, estimate: .last2)),
        ("conservative", SchedulingPolicy(backfill: .conservative)),
        ("conservative-compress", SchedulingPolicy(backfill: .conservativeCompress)),
        ("sjf", SchedulingPolicy(order: .sjf, backfill: .none)),
        ("ljf", SchedulingPolicy(order: .ljf, backfill: .none)),
        ("narrowest", SchedulingPolicy(order: .narrowest, backfill: .none)),
        ("widest", SchedulingPolicy(order: .widest, backfill: .none)),
        ("external", SchedulingPolicy(backfill: .external)),
        ("wfp3", SchedulingPolicy(order: .wfp3, backfill: .easy)),
        ("unicef", SchedulingPolicy(order: .unicef, backfill: .easy)),
        ("f1", SchedulingPolicy(order: .f1, backfill: .easy)),
        ("f2", SchedulingPolicy(order: .f2, backfill: .easy)),
        ("f3", SchedulingPolicy(order: .f3, backfill: .easy)),
        ("f4", SchedulingPolicy(order: .f4, backfill: .easy)),
        ("multifactor", SchedulingPolicy(order: .multifactor, backfill: .easy)),
        ("slurm", SchedulingPolicy(order: .multifactor, backfill: .slurm)),
    ]

    /// The policy that a user names: one of `named`, or a composition such as
    /// `order=sjf,backfill=easy,placement=best-fit` (what is left out is fcfs, none, first-fit),
    /// with `estimates=last2`, `seed=7` and the parameters of `SlurmBackfill` and `PriorityWeights`
    /// by their Slurm names; a name and parameters go together too: `slurm,bf_window=2880`.
    ///
    /// - Throws: `Unknown`, with the part that is not known.
    public init(named name: String) throws(Unknown) {
        if let entry = Self.named.first(where: { $0.name == name }) {
            self = entry.policy
            return
        }
        self.init(backfill: .none)
        var parts = name.split(separator: ",", omittingEmptySubsequences: false)[...]
        if let first = parts.first, !first.contains("=") {
            guard let entry = Self.named.first(where: { $0.name == String(first) }) else {
                throw Unknown(part: String(first))
            }
            self = entry.policy
            parts = parts.dropFirst()
        }
        for part in parts {
            let sides = part.split(separator: "=", maxSplits: 1).map { String($0) }
            guard sides.count == 2 else { throw Unknown(part: String(part)) }
            try set(sides[0], to: sides[1])
        }
        for part in parts where !uses(part.prefix { $0 != "=" }) {
            throw Unknown(part: String(part), problem: .withoutEffect(policy: self.parts))
        }
    }

    /// Whether a part of the policy looks at what is called so.
    private func uses(_ component: Substring) -> Bool {
        if component == "seed" { return placement == .random }
        if SlurmBackfill.names.contains(where: { $0.name == component }) {
            return backfill == .slurm
        }
        if PriorityWeights.names.contains(where: { $0.name == component }) {
            return order == .multifactor
        }
        return true
    }

    private mutating func set(_ component: String, to value: String) throws(Unknown) {
        func known<Part>(_ part: Part?, _ names: [String]) throws(Unknown) -> Part {
            guard let part else {
                throw Unknown(part: "\(component)=\(value)", problem: .noSuchValue(known: names))
            }
            return part
        }
        switch component {
        case "order": order = try known(QueueOrder(named: value), QueueOrder.all.map(\.name))
        case "backfill":
            backfill = try known(
                BackfillPolicy(rawValue: value),
                BackfillPolicy.allCases.map(\.rawValue)
            )
        case "placement":
            placement = try known(
                PlacementPolicy(rawValue: value),
                PlacementPolicy.allCases.map(\.rawValue)
            )
        case "estimates":
            estimate = try known(
                RunTimeEstimate(rawValue: value),
                RunTimeEstimate.allCases.map(\.rawValue)
            )
        default: try setNumber(component, to: value)
        }
    }

    private mutating func setNumber(_ component: String, to value: String) throws(Unknown) {
        let backfillField = SlurmBackfill.names.first { $0.name == component }?.field
        let weightField = PriorityWeights.names.first { $0.name == component }?.field
        let ownField = Self.ownNumbers.first { $0.name == component }?.field
        guard ownField != nil || backfillField != nil || weightField != nil else {
            throw Unknown(part: "\(component)=\(value)")
        }
        // Nothing is planned in steps or windows of nothing.
        let mayBeNone = backfillField.map { $0 == \.licenses } ?? (weightField != \.periodSeconds)
        let least = mayBeNone ? 0 : 1
        guard let number = Int(value), (least...1_000_000_000).contains(number) else {
            throw Unknown(part: "\(component)=\(value)", problem: .noNumber(least: least))
        }
        if let backfillField {
            slurm[keyPath: backfillField] = number
        } else if let weightField {
            weights[keyPath: weightField] = number
        } else if let ownField {
            self[keyPath: ownField] = number
        }
    }

    /// The numbers that belong to no part.
    private static var ownNumbers: [(name: String, field: WritableKeyPath<Self, Int>)] {
        [
            ("seed", \.seed),
            ("batch_sched_delay", \.passDelaySeconds),
            ("bf_interval", \.hetIntervalSeconds),
        ]
    }

    /// The name under which users know it, with the parameters that differ from the usual; its
    /// composition when it has no name.
    public var name: String {
        let entries = Self.named.filter {
            $0.policy.order == order && $0.policy.backfill == backfill
                && $0.policy.placement == placement
        }
        let entry = entries.first { $0.policy.estimate == estimate } ?? entries.first
        let usual = entry?.policy ?? SchedulingPolicy(backfill: .none)
        return ([entry?.name ?? parts] + parameters(besides: usual)).joined(separator: ",")
    }

    /// `order=…,backfill=…,placement=…`, and the parameters that differ from the usual.
    public var composition: String {
        ([parts] + parameters(besides: SchedulingPolicy(backfill: .none))).joined(separator: ",")
    }

    private var parts: String {
        "order=\(order.name),backfill=\(backfill.rawValue),placement=\(placement.rawValue)"
    }

    private func parameters(besides usual: Self) -> [String] {
        var list: [String] = []
        if estimate != usual.estimate { list.append("estimates=\(estimate.rawValue)") }
        for (name, field) in SlurmBackfill.names
        where slurm[keyPath: field] != usual.slurm[keyPath: field] {
            list.append("\(name)=\(slurm[keyPath: field])")
        }
        for (name, field) in PriorityWeights.names
        where weights[keyPath: field] != usual.weights[keyPath: field] {
            list.append("\(name)=\(weights[keyPath: field])")
        }
        for (name, field) in Self.ownNumbers
        where self[keyPath: field] != usual[keyPath: field] {
            list.append("\(name)=\(self[keyPath: field])")
        }
        return list
    }
}

extension SchedulingPolicy {
    /// A policy, or a part of one, that means nothing.
    public struct Unknown: Error, Hashable, Sendable, CustomStringConvertible {
        /// What is wrong with a part.
        public enum Problem: Hashable, Sendable {
            /// Nothing is called so.
            case unknown
            /// The part has no such value; those it has.
            case noSuchValue(known: [String])
            /// The part needs a whole number, `least` to 1,000,000,000.
            case noNumber(least: Int)
            /// Nothing in the policy looks at the parameter.
            case withoutEffect(policy: String)
        }

        /// What was written.
        public var part: String
        /// What is wrong with it.
        public var problem = Problem.unknown

        private static var names: [String] { SchedulingPolicy.named.map(\.name) }

        /// The refusal as people read it.
        public var description: String {
            switch problem {
            case .unknown:
                "'\(part)' is not known\(didYouMean(part, among: Self.names)); policies are "
                    + Self.names.joined(separator: ", ")
                    + ", or a composition like order=sjf,backfill=easy,placement=first-fit"
            case .noSuchValue(let known):
                "'\(part)' is not known\(didYouMean(part, among: known)); there are \(known.joined(separator: ", "))"
            case .noNumber(let least):
                "'\(part)' needs a whole number from \(least) to 1000000000"
            case .withoutEffect(let policy): "'\(part)' changes nothing under \(policy)"
            }
        }
    }
}
