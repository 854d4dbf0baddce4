public import Quantities

/// What the priority of a job that waits is made of: what `sprio` shows. A part is a factor from 0 to
/// 1, in billionths; what it weighs is in the list.
public struct PriorityInfo: WireRecord {
    /// The job's number; an array's for the elements that wait.
    public var jobID: UInt32 = 0
    /// The owner.
    public var user = ""
    /// The account that is charged.
    public var account = ""
    /// The partition.
    public var partition = ""
    /// The quality of service.
    public var qos = ""
    /// The whole.
    public var priority: Int64 = 1
    /// How much it was lowered.
    public var nice: Int32 = 0
    /// Whether an operator gave it: the parts are 0 then.
    public var isFixed = false
    /// How long it has waited.
    public var age: Int64 = 0
    /// What its user is entitled to yet.
    public var fairShare: Int64 = 0
    /// How large it is.
    public var jobSize: Int64 = 0
    /// The partition's priority.
    public var partitionFactor: Int64 = 0
    /// The priority of its QOS.
    public var qosFactor: Int64 = 0
    /// Its part of the partition's cores.
    public var cpu: Int64 = 0

    /// What 1 is.
    public static let one: Int64 = 1_000_000_000

    /// Makes the priority of no job.
    public init() {}

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("job_id", &jobID)
        try fields("user", &user)
        try fields("account", &account)
        try fields("partition", &partition)
        try fields("qos", &qos)
        try fields("priority", &priority)
        try fields("nice", &nice)
        try fields("fixed", &isFixed)
        try fields("age", &age)
        try fields("fair_share", &fairShare)
        try fields("job_size", &jobSize)
        try fields("partition_factor", &partitionFactor)
        try fields("qos_factor", &qosFactor)
        try fields("cpu", &cpu)
    }
}

/// What each part of a priority weighs, under the names of `slurm.conf` in small letters.
public struct PriorityWeightList: WireRecord {
    /// `PriorityWeightAge`.
    public var age: Int64 = 0
    /// `PriorityWeightFairshare`.
    public var fairShare: Int64 = 0
    /// `PriorityWeightJobSize`.
    public var jobSize: Int64 = 0
    /// `PriorityWeightPartition`.
    public var partition: Int64 = 0
    /// `PriorityWeightQOS`.
    public var qos: Int64 = 0
    /// The weight of `cpu` in `PriorityWeightTRES`.
    public var cpu: Int64 = 0

    /// Makes weights of zero.
    public init() {}

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields("age", &age)
        try fields("fair_share", &fairShare)
        try fields("job_size", &jobSize)
        try fields("partition", &partition)
        try fields("qos", &qos)
        try fields("cpu", &cpu)
    }
}

/// The answer to `GET /v1/priorities`.
public struct PriorityList: WireRecord {
    /// The centre's time of the answer.
    public var now = SimInstant.epoch
    /// Whether the policy sums factors at all.
    public var isMultifactor = false
    /// What each part weighs.
    public var weights = PriorityWeightList()
    /// The jobs that wait and may start, by number.
    public var jobs: [PriorityInfo] = []

    /// Makes an empty list.
    public init() {}

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("now", &now)
        try fields("multifactor", &isMultifactor)
        try fields("weights", &weights)
        try fields("jobs", &jobs)
    }
}
