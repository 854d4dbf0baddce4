public import Quantities

/// Why a job waits, and what would let it start sooner: `GET /v1/jobs/ID/explanation`.
public struct JobExplanation: WireRecord {
    /// The centre's time of the answer.
    public var now = SimInstant.epoch
    /// The job.
    public var job = JobInfo()
    /// When and where it would start if every job ran to its limit, and what it would cost.
    public var estimate = StartEstimate()
    /// The limit that it waits for; nil when it waits for none.
    public var limit: LimitInfo?
    /// The money of its account, where that could not pay for it though nothing else ran; nil where it can.
    public var money: LimitInfo?
    /// How many jobs stand before it in the partitions that it may run in.
    public var aheadCount: Int64 = 0
    /// The first of them, next first.
    public var ahead: [JobAhead] = []
    /// The jobs on whose ends it waits longest: those that run where it would run, the next to end first.
    public var running: [JobAhead] = []
    /// Other requests that would start sooner, the soonest first.
    public var alternatives: [StartAlternative] = []

    /// Makes an explanation of nothing.
    public init() {}

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("now", &now)
        try fields.required("job", &job)
        try fields("estimate", &estimate)
        try fields("limit", &limit)
        try fields("money", &money)
        try fields("ahead_count", &aheadCount)
        try fields("ahead", &ahead)
        try fields("running", &running)
        try fields("alternatives", &alternatives)
    }
}

/// A job that another waits for.
public struct JobAhead: WireRecord {
    /// Its number.
    public var jobID: UInt32 = 0
    /// The number of nodes.
    public var nodeCount: Int32 = 1
    /// The number of cores.
    public var cores: Int64 = 1
    /// Its priority.
    public var priority: Int64 = 1
    /// Of one that runs: when its limit ends it.
    public var end: SimInstant?

    /// Makes a job of one core.
    public init() {}

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("job_id", &jobID)
        try fields("nodes", &nodeCount)
        try fields("cores", &cores)
        try fields("priority", &priority)
        try fields("end", &end)
    }
}

/// A change of a waiting job, and what it would bring.
public struct StartAlternative: WireRecord {
    /// The change as `scontrol update` takes it: `TimeLimit=00:30:00`.
    public var change = ""
    /// When the job would start then, and what it would cost.
    public var estimate = StartEstimate()

    /// Makes no change.
    public init() {}

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("change", &change)
        try fields("estimate", &estimate)
    }
}
