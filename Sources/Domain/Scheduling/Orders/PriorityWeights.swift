public import Accounts

/// The weights of Slurm's multifactor priority, under the names of `slurm.conf`.
///
/// Source: Slurm, "Multifactor Priority Plugin", https://slurm.schedmd.com/priority_multifactor.html
public struct PriorityWeights: Hashable, Sendable, Codable {
    /// `PriorityWeightAge`.
    public var age = 1_000
    /// `PriorityWeightFairshare`.
    public var fairShare = 10_000
    /// `PriorityWeightJobSize`.
    public var jobSize = 1_000
    /// `PriorityWeightPartition`.
    public var partition = 1_000
    /// `PriorityWeightQOS`.
    public var qos = 2_000
    /// The weight of `cpu` in `PriorityWeightTRES`: of the job's part of its partition's cores.
    public var cpu = 0
    /// `PriorityMaxAge`: the wait at which the age factor is 1. Unit: s.
    public var maximumAgeSeconds = 7 * 86_400
    /// `PriorityDecayHalfLife`: after which past usage counts half; 0 is never. Unit: s.
    public var halfLifeSeconds = 7 * 86_400
    /// `PriorityUsageResetPeriod`: when past usage is set to zero.
    public var reset = UsageDecay.Reset.none
    /// `PriorityCalcPeriod`: how often priorities are computed. Unit: s, at least 1.
    public var periodSeconds = 300

    /// The weights of this project's machines; Slurm's own are all zero.
    public init() {}

    /// What `slurm.conf` calls each, with its place here.
    public static var names: [(name: String, field: WritableKeyPath<Self, Int>)] {
        [
            ("PriorityWeightAge", \.age),
            ("PriorityWeightFairshare", \.fairShare),
            ("PriorityWeightJobSize", \.jobSize),
            ("PriorityWeightPartition", \.partition),
            ("PriorityWeightQOS", \.qos),
            ("PriorityWeightCPU", \.cpu),
            ("PriorityMaxAge", \.maximumAgeSeconds),
            ("PriorityDecayHalfLife", \.halfLifeSeconds),
            ("PriorityCalcPeriod", \.periodSeconds),
        ]
    }
}

extension PriorityWeights {
    /// How past usage is forgotten.
    public var decay: UsageDecay {
        UsageDecay(
            halfLifeSeconds: halfLifeSeconds,
            periodSeconds: periodSeconds,
            reset: reset
        )
    }
}

extension QueueOrder {
    /// Slurm's multifactor priority: the weighted sum of age, fair share (Fair Tree), size,
    /// partition, QOS and cores, each factor from 0 to 1.
    ///
    /// The size factor is the mean of the job's part of the nodes and of the cores, as Slurm's
    /// without `SMALL_RELATIVE_TO_TIME`. Jobs keep their number until the next period.
    public static let multifactor = QueueOrder(
        name: "multifactor",
        summary: "highest weighted sum of age, fair share, size, partition, QOS, cores first",
        source: "Slurm, priority/multifactor with Fair Tree",
        variation: .everyPeriod,
        usesFairShare: true,
        sumsPriority: true
    ) { job in
        // A priority is a whole number in Slurm, so that near ties go by submission.
        -Int64(job.factors.sum(job.weights))
    }
}
