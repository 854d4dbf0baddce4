/// A limit that a job waits for, as it stands: part of `GET /v1/jobs/ID/explanation`.
public struct LimitInfo: WireRecord {
    /// The account whose jobs are counted together; nil where it is not one account's.
    public var account: String?
    /// The user whose jobs are counted together.
    public var user: String?
    /// The QOS that sets it; nil for an account's, and for a quota.
    public var qos: String?
    /// The partition that it holds in, where it holds in one only.
    public var partition: String?
    /// The job array.
    public var array: UInt32?
    /// The licence.
    public var license: String?
    /// What is counted: `jobs`, `wall` (min), a trackable resource (`cpu`, `node`, `mem` in MiB, …), its minutes
    /// (`cpu_minutes`, `running_cpu_minutes`), `fen` or `licenses`.
    public var resource = "jobs"
    /// Whether it bounds each job by itself.
    public var isPerJob = false
    /// Whether it is the least that a job must ask for, and not the most.
    public var isLeast = false
    /// How much there may be, or must be.
    public var bound: Int64 = 0
    /// How much of it is in use; nil where each job is bounded by itself, and where that is not for the caller.
    public var used: Int64?
    /// How much the job asks for; nil where it need not ask for any.
    public var asked: Int64?

    /// The resource that money is.
    public static let money = "fen"

    /// Makes a limit of no jobs.
    public init() {}

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields("account", &account)
        try fields("user", &user)
        try fields("qos", &qos)
        try fields("partition", &partition)
        try fields("array", &array)
        try fields("license", &license)
        try fields("resource", &resource)
        try fields("per_job", &isPerJob)
        try fields("least", &isLeast)
        try fields("bound", &bound)
        try fields("used", &used)
        try fields("asked", &asked)
    }
}
