public import Quantities

/// How the centre is: `GET /v1/status`.
public struct CentreStatus: WireRecord {
    /// The daemon's version.
    public var version = ""
    /// The machine's name in the catalogue.
    public var machine = ""
    /// The machine's title, for people.
    public var title = ""
    /// The names of its clusters, its own first.
    public var clusters: [String] = []
    /// `real`, `x3600` (scaled) or `stepped`.
    public var timeMode = "real"
    /// The centre's time.
    public var now = SimInstant.epoch
    /// How many jobs of the background load fit no partition and are left out; nil where there is no load.
    public var loadDropped: Int64?
    /// When this daemon started, in the centre's time.
    public var startedAt = SimInstant.epoch
    /// The daemon's process.
    public var processID: Int32 = 0
    /// The folder with its journal.
    public var stateDirectory = ""
    /// The number of nodes.
    public var nodes: Int32 = 0
    /// Nodes wholly or partly held by jobs.
    public var nodesHeld: Int32 = 0
    /// Nodes that are down or drained.
    public var nodesUnavailable: Int32 = 0
    /// The number of cores.
    public var cores: Int64 = 0
    /// Cores held by jobs.
    public var coresHeld: Int64 = 0
    /// Jobs that wait.
    public var jobsPending: Int64 = 0
    /// Jobs that run.
    public var jobsRunning: Int64 = 0
    /// Jobs that have ended since the centre was first opened.
    public var jobsEnded: Int64 = 0
    /// Budgets of accounts that are near their end or used up.
    public var budgetsAlarmed: Int64 = 0
    /// The licences that jobs share.
    public var licenses: [LicenseInfo] = []
    /// The number that the next job gets.
    public var nextJobID: UInt32 = 1
    /// How often the scheduler has looked at the queues since the daemon started.
    public var passes: Int64 = 0
    /// What the centre goes by, by the names of `slurm.conf`, where it is not Slurm's default.
    public var configuration: [ConfigurationEntry] = []
    /// The number of inputs in the journal.
    public var journalLength: Int64 = 0
    /// How far what happens by itself is behind the centre's time.
    public var lag = SimDuration.zero
    /// The digest of the emulator's state, in hexadecimal.
    public var digest = ""

    /// Makes the status of an empty centre.
    public init() {}

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("version", &version)
        try fields("machine", &machine)
        try fields("title", &title)
        try fields("clusters", &clusters)
        try fields("time_mode", &timeMode)
        try fields.required("now", &now)
        try fields.ifPresent("load_dropped", &loadDropped)
        try fields("started_at", &startedAt)
        try fields("pid", &processID)
        try fields("state_dir", &stateDirectory)
        try fields("nodes", &nodes)
        try fields("nodes_held", &nodesHeld)
        try fields("nodes_unavailable", &nodesUnavailable)
        try fields("cores", &cores)
        try fields("cores_held", &coresHeld)
        try fields("jobs_pending", &jobsPending)
        try fields("jobs_running", &jobsRunning)
        try fields("jobs_ended", &jobsEnded)
        try fields("budgets_alarmed", &budgetsAlarmed)
        try fields("licenses", &licenses)
        try fields("next_job_id", &nextJobID)
        try fields("passes", &passes)
        try fields("configuration", &configuration)
        try fields("journal_length", &journalLength)
        try fields("lag", &lag)
        try fields("digest", &digest)
    }
}

/// One setting of a centre, as `slurm.conf` calls it.
public struct ConfigurationEntry: WireRecord {
    /// The name: `KillWait`.
    public var name = ""
    /// The value, as `scontrol show config` prints it: `30 sec`.
    public var value = ""

    /// Makes an empty entry.
    public init() {}

    /// Makes an entry.
    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("name", &name)
        try fields.required("value", &value)
    }
}

/// Licences of one kind.
public struct LicenseInfo: WireRecord {
    /// The name.
    public var name = ""
    /// How many there are.
    public var total: Int64 = 0
    /// How many running jobs hold.
    public var used: Int64 = 0

    /// Makes an empty record.
    public init() {}

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("name", &name)
        try fields("total", &total)
        try fields("used", &used)
    }
}

/// How far to move a stepped clock: `POST /v1/clock/advance`. Exactly one member is given.
public struct ClockAdvanceRequest: WireRequest {
    /// By how much.
    public var duration: SimDuration?
    /// To which instant.
    public var until: SimInstant?

    /// Makes a request that moves nothing.
    public init() {}

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields("duration", &duration)
        try fields("until", &until)
    }
}
