/// What a limit bounds: of whom, and what of them.
public struct LimitKind: Hashable, Sendable, Codable {
    /// Whose jobs are counted together.
    public enum Scope: UInt8, Hashable, Sendable, CaseIterable, Codable {
        /// All jobs of an association and what is below it, or of a QOS (`Grp…`).
        case group
        /// The jobs of one account in a QOS (`Max…PerAccount`).
        case perAccount
        /// The jobs of one user in a QOS (`Max…PerUser`), or of a user's association (`MaxJobs`).
        case perUser
        /// Each job by itself (`Max…PerJob`).
        case perJob
        /// Each job by itself, from below (`Min…PerJob`).
        case leastPerJob
    }

    /// What is counted.
    public enum Measure: Hashable, Sendable, Codable {
        /// Running jobs.
        case jobs
        /// Jobs that have not ended.
        case submittedJobs
        /// Of a group: the time that its jobs ran, decayed. Of a job: its time limit. Unit: min.
        case wall
        /// What running jobs hold.
        case tres(TRES)
        /// Of a group: what its jobs used, decayed, with what running ones may use yet. Of a job:
        /// what it may use. Unit: min.
        case minutes(TRES)
        /// What running jobs may use yet. Unit: min.
        case runningMinutes(TRES)
    }

    /// Whose jobs are counted together.
    public var scope: Scope
    /// What is counted.
    public var measure: Measure

    /// Makes a kind.
    public init(_ scope: Scope, _ measure: Measure) {
        self.scope = scope
        self.measure = measure
    }
}

/// The limit that a job waits for, by the name that Slurm gives it.
public struct LimitReason: Hashable, Sendable, Codable {
    /// Who sets the limit.
    public enum Owner: UInt8, Hashable, Sendable, CaseIterable, Codable {
        /// An association: an account, or a user of one.
        case association
        /// A quality of service: the job's, or its partition's.
        case qos
    }

    /// Who sets the limit.
    public var owner: Owner
    /// What it bounds.
    public var kind: LimitKind

    /// Makes a reason.
    public init(_ owner: Owner, _ kind: LimitKind) {
        self.owner = owner
        self.kind = kind
    }

    /// Slurm's name, as `squeue` prints it in the last column.
    ///
    /// Source: Slurm, `src/common/job_state_reason.c` (23.11).
    public var slurmName: String {
        switch (kind.scope, kind.measure) {
        case (.group, .jobs): prefix + "GrpJobsLimit"
        case (.group, .submittedJobs): prefix + "GrpSubmitJobsLimit"
        case (.group, .wall): prefix + "GrpWallLimit"
        case (.group, .tres(let tres)): prefix + "Grp" + Self.amount(tres)
        case (.group, .minutes(let tres)): prefix + "Grp" + minutes(tres, "Minutes")
        case (.group, .runningMinutes(let tres)): prefix + "Grp" + minutes(tres, "RunMinutes")
        case (.perAccount, .jobs): "MaxJobsPerAccount"
        case (.perAccount, .submittedJobs): "MaxSubmitJobsPerAccount"
        case (.perAccount, .tres(let tres)): "Max\(long(tres))PerAccount"
        case (.perUser, .jobs):
            owner == .qos ? "QOSMaxJobsPerUserLimit" : "AssocMaxJobsLimit"
        case (.perUser, .submittedJobs):
            owner == .qos ? "QOSMaxSubmitJobPerUserLimit" : "AssocMaxSubmitJobLimit"
        case (.perUser, .tres(let tres)):
            "\(prefix)Max\(long(tres))PerUser\(Self.suffix(tres))"
        case (.perJob, .wall): prefix + "MaxWallDurationPerJobLimit"
        case (.perJob, .tres(let tres)): "\(prefix)Max\(long(tres))PerJob\(Self.suffix(tres))"
        case (.perJob, .minutes(let tres)):
            "\(prefix)Max\(long(tres))MinutesPerJob\(tres == .cpu ? "Limit" : "")"
        case (.leastPerJob, .tres(let tres)):
            tres == .cpu ? "\(prefix)MinCpuNotSatisfied" : "\(prefix)Min\(long(tres))"
        case (.perAccount, _), (.perUser, _), (.perJob, _), (.leastPerJob, _):
            prefix + "ResourceLimit"
        }
    }

    private var prefix: String { owner == .qos ? "QOS" : "Assoc" }

    private static func amount(_ tres: TRES) -> String {
        switch tres {
        case .cpu: "CpuLimit"
        case .memory: "MemLimit"
        case .node: "NodeLimit"
        case .billing: "Billing"
        case .gres: "GRES"
        }
    }

    private static func suffix(_ tres: TRES) -> String {
        tres == .cpu || tres == .node ? "Limit" : ""
    }

    private func long(_ tres: TRES) -> String {
        switch tres {
        case .cpu: "Cpu"
        // Slurm writes it out for a QOS, but not for an association.
        case .memory: owner == .qos ? "Memory" : "Mem"
        case .node: "Node"
        case .billing: "Billing"
        case .gres: "GRES"
        }
    }

    private func minutes(_ tres: TRES, _ word: String) -> String {
        tres == .cpu ? "CPU\(word)Limit" : long(tres) + word
    }
}
