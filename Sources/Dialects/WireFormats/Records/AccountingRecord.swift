public import Quantities

/// What the accounts know of a job: `GET /v1/accounting`, the source of `sacct`.
public struct AccountingRecord: WireRecord {
    /// The job's number.
    public var jobID: UInt32 = 0
    /// For an element of a job array: the number of the array's first element.
    public var arrayJobID: UInt32?
    /// For an element of a job array: its index.
    public var arrayTaskID: UInt32?
    /// For an element of a job array that waits: how many may run at once; nil for all.
    public var arrayLimit: UInt32?
    /// For a component of a heterogeneous job: the number of the first.
    public var hetJobID: UInt32?
    /// For a component of a heterogeneous job: its place among them, from 0.
    public var hetJobOffset: UInt32?
    /// The job's name.
    public var name = ""
    /// The cluster of the partition; not stored.
    public var cluster: String?
    /// The partition.
    public var partition = ""
    /// The account that is charged.
    public var account = ""
    /// The owner.
    public var user = ""
    /// The owner's number.
    public var userID: UInt32 = 0
    /// The owner's group.
    public var group = ""
    /// The group's number.
    public var groupID: UInt32 = 0
    /// The number of the association whose limits it counts under, as they are when it is asked for; not stored.
    public var associationID: UInt32?
    /// The quality of service.
    public var qos = "normal"
    /// Slurm's long name of the state.
    public var state = "PENDING"
    /// Who cancelled the job, when it was.
    public var cancelledBy: UInt32?
    /// Slurm's name of the reason.
    public var reason = "None"
    /// The exit status.
    public var exitCode: Int32 = 0
    /// The signal that ended it, or 0.
    public var exitSignal: Int32 = 0
    /// The highest exit status of its steps.
    public var derivedExitCode: Int32 = 0
    /// When it was submitted.
    public var submit = SimInstant.epoch
    /// From when it could have started.
    public var eligible: SimInstant?
    /// When it started; nil when it has not.
    public var start: SimInstant?
    /// When it ended; nil when it has not.
    public var end: SimInstant?
    /// How long it ran, up to now.
    public var elapsed = SimDuration.zero
    /// How long it was suspended meanwhile.
    public var suspended = SimDuration.zero
    /// The time limit; nil for none.
    public var timeLimit: SimDuration?
    /// The number of nodes.
    public var nodeCount: Int32 = 0
    /// The nodes, as a host list; empty when it has not started.
    public var nodeList = ""
    /// The number of cores held, or asked for while pending.
    public var cores: Int64 = 0
    /// The number of cores asked for.
    public var requestedCores: Int64 = 0
    /// The number of accelerators held.
    public var accelerators: Int64 = 0
    /// Memory asked for, all nodes together.
    public var requestedMemory: ByteCount?
    /// The memory of its nodes, when it asked for none: what Slurm takes that for.
    public var defaultMemory: ByteCount?
    /// The priority.
    public var priority: Int64 = 0
    /// How often it was requeued.
    public var restarts: Int32 = 0
    /// The folder in which it starts.
    public var workDirectory = "/"
    /// The command line of the submission.
    public var submitLine = ""
    /// The free text.
    public var comment: String?
    /// `emulated`, or `local` for a job that really ran.
    public var backend = "emulated"
    /// What a replay needs of it, as one line of JSON; nil when nobody asked.
    public var replay: String?
    /// What it is charged, in fen; nil when it is not charged yet.
    public var charge: Int64?
    /// Floating-point operations that its kernels measured and verified.
    public var verifiedFlop: Int64?
    /// What its programs reported through `XINGHE_MEASURE`; nil when nothing.
    public var measured: MeasuredWork?
    /// Its steps; `batch` is the script.
    public var steps: [StepRecord] = []

    /// Makes an empty record.
    public init() {}

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("job_id", &jobID)
        try fields("array_job_id", &arrayJobID)
        try fields("array_task_id", &arrayTaskID)
        try fields.ifPresent("array_limit", &arrayLimit)
        try fields.ifPresent("het_job_id", &hetJobID)
        try fields.ifPresent("het_job_offset", &hetJobOffset)
        try fields("name", &name)
        try fields("partition", &partition)
        try fields("account", &account)
        try fields("user", &user)
        try fields("uid", &userID)
        try fields("group", &group)
        try fields("gid", &groupID)
        try fields.ifPresent("association_id", &associationID)
        try fields.ifPresent("cluster", &cluster)
        try fields("qos", &qos)
        try fields("state", &state)
        try fields("cancelled_by", &cancelledBy)
        try fields("reason", &reason)
        try fields("exit_code", &exitCode)
        try fields("signal", &exitSignal)
        try fields("derived_exit_code", &derivedExitCode)
        try fields("submit", &submit)
        try fields("eligible", &eligible)
        try fields("start", &start)
        try fields("end", &end)
        try fields("elapsed", &elapsed)
        try fields("suspended", &suspended)
        try fields("time_limit", &timeLimit)
        try fields("nodes", &nodeCount)
        try fields("node_list", &nodeList)
        try fields("cores", &cores)
        try fields("requested_cores", &requestedCores)
        try fields("accelerators", &accelerators)
        try fields("requested_memory", &requestedMemory)
        try fields.ifPresent("default_memory", &defaultMemory)
        try fields("priority", &priority)
        try fields("restarts", &restarts)
        try fields("work_dir", &workDirectory)
        try fields("submit_line", &submitLine)
        try fields("comment", &comment)
        try fields("replay", &replay)
        try fields("backend", &backend)
        try fields("charge_fen", &charge)
        try fields("verified_flop", &verifiedFlop)
        try fields("measured", &measured)
        try fields("steps", &steps)
    }
}

extension AccountingRecord {
    /// The members that every record has, whatever is asked for: those by which records are told from one
    /// another, and chosen.
    static let alwaysThere: Set<String> = [
        "job_id", "restarts", "account", "user", "uid", "partition", "submit", "end",
    ]

    /// Which members are among `names`, or always there.
    static func selection(of names: Set<String>) -> [Bool] {
        memberNames.map { names.contains($0) || alwaysThere.contains($0) }
    }

    /// Reads a stored record as far as it is asked for. Other members may keep their initial values.
    ///
    /// - Parameter selection: for each member, in order, whether it is wanted; nil for all.
    /// - Throws: `JSONValue.Malformed`.
    public init(
        parsing bytes: [UInt8],
        selecting selection: [Bool]?
    ) throws(JSONValue.Malformed) {
        if let selection, let record = JSONReader.usual(Self.self, in: bytes, selecting: selection)
        {
            self = record
        } else {
            try self.init(parsing: bytes)
        }
    }

    /// What of a record is to be read of which `names` are asked for; nil for all.
    public static func readingSelection(of names: Set<String>?) -> [Bool]? {
        names.map { selection(of: $0) }
    }
}

/// A step of a job: the script itself, or one parallel program in it.
public struct StepRecord: WireRecord, Codable {
    /// `batch`, or the step's number.
    public var id = "batch"
    /// The name: `batch`, or the program.
    public var name = "batch"
    /// Slurm's long name of the state.
    public var state = "RUNNING"
    /// The exit status.
    public var exitCode: Int32 = 0
    /// The signal that ended it, or 0.
    public var exitSignal: Int32 = 0
    /// When it started.
    public var start: SimInstant?
    /// When it ended.
    public var end: SimInstant?
    /// How long it ran, up to now.
    public var elapsed = SimDuration.zero
    /// The number of cores.
    public var cores: Int64 = 1
    /// The number of tasks.
    public var tasks: Int32 = 1
    /// The nodes, as a host list.
    public var nodeList = ""
    /// The largest resident memory of a process, when measured.
    public var maximumResident: ByteCount?
    /// User and system processor time, when measured.
    public var processorTime: SimDuration?
    /// The process that runs it on the centre's computer, where it is known.
    public var process: Int32?

    /// Makes a running batch step.
    public init() {}

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("id", &id)
        try fields("name", &name)
        try fields("state", &state)
        try fields("exit_code", &exitCode)
        try fields("signal", &exitSignal)
        try fields("start", &start)
        try fields("end", &end)
        try fields("elapsed", &elapsed)
        try fields("cores", &cores)
        try fields("tasks", &tasks)
        try fields("node_list", &nodeList)
        try fields("max_rss", &maximumResident)
        try fields("processor_time", &processorTime)
        try fields.ifPresent("process", &process)
    }
}

/// The answer to `GET /v1/accounting`.
public struct AccountingList: WireRecord {
    /// The centre's time of the answer.
    public var now = SimInstant.epoch
    /// The name of the centre, as its jobs see it.
    public var cluster = ""
    /// The records, by number.
    public var records: [AccountingRecord] = []
    /// The members of records that are written; nil for all. Does not travel.
    public var selection: Set<String>?

    /// The cluster of one of its records.
    public func cluster(of record: AccountingRecord) -> String {
        record.cluster ?? cluster
    }

    /// Makes an empty list.
    public init() {}

    /// Makes a list.
    public init(now: SimInstant, cluster: String = "", records: [AccountingRecord]) {
        self.now = now
        self.cluster = cluster
        self.records = records
    }

    /// The list as an object; each record has the members of `selection`, and always those by which records
    /// are told from one another.
    public var json: JSONValue {
        let selected = selection.map(AccountingRecord.selection)
        let records = records.map { record in
            selected.map { record.json(selecting: $0) } ?? record.json
        }
        return ["now": now.json, "cluster": .string(cluster), "records": .array(records)]
    }

    /// Writes the list with the same members.
    public func write(to text: inout JSONText) {
        let selected = selection.map(AccountingRecord.selection)
        text.object { text in
            text.member("now") { now.write(to: &$0) }
            text.member("cluster") { cluster.write(to: &$0) }
            text.member("records") { text in
                text.list(records) { $1.write(to: &$0, selecting: selected) }
            }
        }
    }

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("now", &now)
        try fields("cluster", &cluster)
        try fields.required("records", &records)
    }
}
