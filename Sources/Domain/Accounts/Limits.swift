public import JobModel

/// The limits that one association or QOS sets.
public struct Limits: Hashable, Sendable, Codable {
    /// Only looked up, in the order of `LimitKind.checked`.
    private var values: [LimitKind: Int64]

    /// No limits.
    public init() {
        values = [:]
    }

    /// The bound of a kind; nil is none.
    public subscript(kind: LimitKind) -> Int64? {
        get { values[kind] }
        set { values[kind] = newValue }
    }

    /// Whether nothing is bounded.
    public var isEmpty: Bool { values.isEmpty }

    /// Whether anything is bounded that goes by past or coming use, which changes with time.
    public var countsMinutes: Bool { values.keys.contains(where: \.changesWithTime) }

    /// The bounds of these limits, and of `others` where these have none.
    public func completed(by others: Limits, _ isTaken: (LimitKind) -> Bool) -> Limits {
        var all = self
        for (kind, value) in others.values where all.values[kind] == nil && isTaken(kind) {
            all.values[kind] = value
        }
        return all
    }
}

extension LimitKind {
    /// Whether such a limit goes by what was used or may be used yet.
    var changesWithTime: Bool {
        switch measure {
        case .minutes, .runningMinutes, .wall: scope == .group
        case .jobs, .submittedJobs, .tres: false
        }
    }

    /// Whether waiting alone may make room under such a limit.
    func opensWithTime(_ decay: UsageDecay) -> Bool {
        changesWithTime && (decay.forgets || isOfRunningMinutes)
    }

    private var isOfRunningMinutes: Bool {
        if case .runningMinutes = measure { true } else { false }
    }

    private static func each(_ scope: Scope, _ measure: (TRES) -> Measure) -> [LimitKind] {
        TRES.allCases.map { LimitKind(scope, measure($0)) }
    }

    /// What Slurm looks at before it chooses nodes, in its order.
    ///
    /// Source: Slurm, `acct_policy_job_runnable_pre_select` (22.05).
    static let beforeNodes: [LimitKind] = [
        LimitKind(.group, .jobs), LimitKind(.group, .wall), LimitKind(.perAccount, .jobs),
        LimitKind(.perUser, .jobs), LimitKind(.perJob, .wall),
    ]

    /// What Slurm looks at once it knows what the job would hold, in its order.
    ///
    /// Source: Slurm, `acct_policy_job_runnable_post_select` (22.05).
    static let withNodes: [LimitKind] =
        each(.group, Measure.minutes) + each(.group, Measure.tres)
        + each(.group, Measure.runningMinutes) + each(.perJob, Measure.minutes)
        + each(.perJob, Measure.tres) + each(.leastPerJob, Measure.tres)
        + each(.perAccount, Measure.tres) + each(.perUser, Measure.tres)

    /// What is looked at when a job is submitted.
    static let atSubmission: [LimitKind] = [
        LimitKind(.group, .submittedJobs), LimitKind(.perAccount, .submittedJobs),
        LimitKind(.perUser, .submittedJobs),
    ]

    /// All kinds that a job can meet, in the order in which they are looked at.
    public static let checked: [LimitKind] = beforeNodes + withNodes + atSubmission
}
