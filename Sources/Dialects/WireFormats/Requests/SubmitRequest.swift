public import Quantities

/// A batch job as a client hands it in: `POST /v1/jobs`.
///
/// The client has read the script's directives, the environment and the command line; the daemon
/// gets fields. What was not asked for is nil, and the daemon applies its defaults.
public struct SubmitRequest: WireRequest, Codable {
    /// The command line as typed, for accounting.
    public var submitLine = ""
    /// The text of the script; `scriptBytes` is what the shell gets.
    public var script = ""
    /// `utf-8`, or `latin-1` when the script is in another encoding: JSON holds Unicode only, so each
    /// byte of such a script travels as the character of its number.
    public var scriptEncoding = "utf-8"
    /// What the script finds in `$1`, `$2`, ….
    public var scriptArguments: [String] = []
    /// The script's absolute path and its arguments; nil for `--wrap` and standard input.
    public var command: String?
    /// The job's environment, `NAME=value` each.
    public var environment: [String] = []
    /// Who submits. The daemon trusts the credentials of the socket, not this.
    public var user = ""
    /// The user's number.
    public var userID: UInt32 = 0
    /// The name of the user's group.
    public var group = ""
    /// The group's number.
    public var groupID: UInt32 = 0
    /// The folder in which the job starts.
    public var workDirectory = "/"
    /// The folder in which the submission was made.
    public var submitDirectory = "/"
    /// The host on which the submission was made.
    public var submitHost = "localhost"

    /// Whether it is an allocation without a script, in which its user runs things (`srun`, `salloc`).
    public var isInteractive = false
    /// The job's name.
    public var name = ""
    /// The partitions to try, in order, of one cluster; empty for the default one.
    public var partitions: [String] = []
    /// The clusters to try: names, `own` or `all`. Of several the one in which the job is expected to start first
    /// is chosen before it is taken in. nil for that of the partitions, or the centre's own.
    public var clusters: [String]?
    /// The account to charge; nil for the user's default.
    public var account: String?
    /// The quality of service.
    public var qos: String?
    /// A free text; `runtime=SECONDS`, or `kernel=NAME` and `size=SIZE`, in it set the run time of an
    /// emulated job, and `exit=`, `signal=`, `oom` and `step=` how it ends.
    public var comment: String?
    /// The project by which bills break costs down (Slurm's wckey).
    public var project: String?
    /// The fewest nodes.
    public var minimumNodes: Int32?
    /// The most nodes.
    public var maximumNodes: Int32?
    /// The number of tasks.
    public var tasks: Int32?
    /// Cores for each task.
    public var cpusPerTask: Int32?
    /// The most tasks on one node.
    public var tasksPerNode: Int32?
    /// The time limit, in whole minutes.
    public var timeLimit: SimDuration?
    /// Whether a time without limit is asked for.
    public var hasNoTimeLimit = false
    /// Memory on each node; zero asks for all of it.
    public var memoryPerNode: ByteCount?
    /// Memory for each core.
    public var memoryPerCPU: ByteCount?
    /// Generic resources on each node.
    public var gres: [GresRequest] = []
    /// Accelerators of the whole job (`--gpus`).
    public var accelerators: Int32?
    /// Accelerators for each task (`--gpus-per-task`).
    public var acceleratorsPerTask: Int32?
    /// The model of the accelerators that the job or each task asks for; nil for any.
    public var acceleratorModel: String?
    /// `exclusive`, `user` or `mcs`; nil when the partition's rule applies.
    public var exclusive: String?
    /// Whether the nodes may be shared with other jobs (`--oversubscribe`).
    public var sharesNodes = false
    /// Nodes that must be among the job's, as a host list.
    public var requiredNodes: String?
    /// Nodes that must not be, as a host list.
    public var excludedNodes: String?
    /// Features that the nodes must have.
    public var features: String?
    /// A reservation to run in.
    public var reservation: String?
    /// Licences.
    public var licenses: String?
    /// Not to start before this instant.
    public var begin: SimInstant?
    /// Whether the job is held by its user.
    public var isHeld = false
    /// How much to lower the priority.
    public var nice: Int32?
    /// A priority set by hand; operators only.
    public var priority: Int64?
    /// What the job waits for.
    public var dependencies: [DependencyRequest] = []
    /// Whether one fulfilled dependency is enough (`?` between them).
    public var anyDependency = false
    /// Whether the job ends when a dependency can never be fulfilled.
    public var endsOnInvalidDependency: Bool?
    /// The elements, for a job array.
    public var array: ArrayRequest?
    /// Where standard output goes; `%j` and its like are not yet filled in.
    public var standardOutput: String?
    /// Where standard error goes; nil for the same as standard output.
    public var standardError: String?
    /// Where standard input comes from.
    public var standardInput: String?
    /// The file mode creation mask of who submits (`umask(2)`); nil for 022.
    public var fileModeMask: UInt32?
    /// Whether output files are appended to; nil for the default, truncating.
    public var appendsOutput: Bool?
    /// Whether the job may be requeued; nil for the default.
    public var requeues: Bool?
    /// By when it is to be over; it does not start when it could not be (`--deadline`).
    public var deadline: SimInstant?
    /// How long the submission may wait to start (`--immediate`).
    public var immediate: SimDuration?
    /// A signal before the time limit.
    public var signal: SignalRequest?
    /// Whether only to say when and where the job would start.
    public var isTestOnly = false
    /// Whether a job that could never start as things are is to be refused; nil when it is not.
    public var isStrict: Bool?
    /// A word of the user's own for this submission: asked for again with the same word, it is the same job.
    public var idempotencyKey: String?
    /// The other components of a heterogeneous job, of which this is the first and runs the script; they
    /// have none themselves.
    public var components: [SubmitRequest] = []

    /// Makes a request in which nothing is asked for.
    public init() {}

    /// The request without what only a real run needs.
    public var withoutScript: SubmitRequest {
        var request = self
        request.script = ""
        request.environment = []
        return request
    }

    /// The script, byte for byte.
    public var scriptBytes: [UInt8] {
        get {
            guard scriptEncoding == "latin-1" else { return Array(script.utf8) }
            return script.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
        }
        set {
            if let text = String(validating: newValue, as: UTF8.self) {
                script = text
                scriptEncoding = "utf-8"
            } else {
                script = String(String.UnicodeScalarView(newValue.map { Unicode.Scalar($0) }))
                scriptEncoding = "latin-1"
            }
        }
    }

    /// The requests in it.
    public static var parts: [String: any WireRequest.Type] {
        [
            "gres": GresRequest.self, "dependencies": DependencyRequest.self,
            "array": ArrayRequest.self, "signal": SignalRequest.self,
            "components": SubmitRequest.self,
        ]
    }

    /// What a shell reads, or read.
    public static var freeTexts: Set<String> {
        ["submit_line", "script", "script_arguments", "command", "environment"]
    }

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields("submit_line", &submitLine)
        try fields.required("script", &script)
        try fields("script_encoding", &scriptEncoding)
        try fields("script_arguments", &scriptArguments)
        try fields("command", &command)
        try fields("environment", &environment)
        try fields("user", &user)
        try fields("uid", &userID)
        try fields("group", &group)
        try fields("gid", &groupID)
        try fields("work_dir", &workDirectory)
        try fields("submit_dir", &submitDirectory)
        try fields("submit_host", &submitHost)
        try exchangeRequest(&fields)
        try exchangeBehaviour(&fields)
    }

    private mutating func exchangeRequest(
        _ fields: inout WireFields
    ) throws(JSONValue.Malformed) {
        try fields("name", &name)
        try fields("partitions", &partitions)
        try fields.ifPresent("clusters", &clusters)
        try fields("account", &account)
        try fields("qos", &qos)
        try fields("comment", &comment)
        try fields("project", &project)
        try fields("min_nodes", &minimumNodes)
        try fields("max_nodes", &maximumNodes)
        try fields("tasks", &tasks)
        try fields("cpus_per_task", &cpusPerTask)
        try fields("tasks_per_node", &tasksPerNode)
        try fields("time_limit", &timeLimit)
        try fields("no_time_limit", &hasNoTimeLimit)
        try fields("memory_per_node", &memoryPerNode)
        try fields("memory_per_cpu", &memoryPerCPU)
        try fields("gres", &gres)
        try fields("accelerators", &accelerators)
        try fields("accelerators_per_task", &acceleratorsPerTask)
        try fields("accelerator_model", &acceleratorModel)
        try fields("exclusive", &exclusive)
        try fields("oversubscribe", &sharesNodes)
        try fields("required_nodes", &requiredNodes)
        try fields("excluded_nodes", &excludedNodes)
        try fields("features", &features)
        try fields("reservation", &reservation)
        try fields("licenses", &licenses)
    }

    private mutating func exchangeBehaviour(
        _ fields: inout WireFields
    ) throws(JSONValue.Malformed) {
        try fields("begin", &begin)
        try fields("hold", &isHeld)
        try fields("nice", &nice)
        try fields("priority", &priority)
        try fields("dependencies", &dependencies)
        try fields("any_dependency", &anyDependency)
        try fields("kill_on_invalid_dependency", &endsOnInvalidDependency)
        try fields("array", &array)
        try fields("std_out", &standardOutput)
        try fields("std_err", &standardError)
        try fields("std_in", &standardInput)
        try fields("umask", &fileModeMask)
        try fields("append_output", &appendsOutput)
        try fields("requeue", &requeues)
        try fields("deadline", &deadline)
        try fields("immediate", &immediate)
        try fields("signal", &signal)
        try fields("test_only", &isTestOnly)
        try fields.ifPresent("strict", &isStrict)
        var list = components.isEmpty ? nil : ComponentList(components: components)
        try fields.ifPresent("components", &list)
        components = list?.components ?? []
        try fields("interactive", &isInteractive)
        try fields.ifPresent("idempotency_key", &idempotencyKey)
    }
}

/// Components as they travel: requests that have none themselves.
private struct ComponentList: WireValue {
    var components: [SubmitRequest]

    init(components: [SubmitRequest]) { self.components = components }

    init(json: JSONValue) throws(JSONValue.Malformed) {
        components = try [SubmitRequest](json: json)
    }

    var json: JSONValue { components.json }

    /// A list of objects: to say of what would begin again with the request that has it.
    static var schema: JSONValue {
        [
            "type": "array",
            "items": ["type": "object", "description": "as this request, without components"],
        ]
    }
}

/// The answer to a submission.
public struct SubmitResponse: WireRecord {
    /// The number of the job, or of the array's first element.
    public var jobID: UInt32 = 0
    /// The cluster of its partition.
    public var cluster = ""
    /// What the user should know although the job was taken; without a prefix.
    public var warnings: [String] = []
    /// The rule that lets the job never start as things are, in the word that `squeue` shows.
    public var obstacle: String?
    /// When and where the job would start; only for `--test-only`.
    public var estimate: StartEstimate?

    /// Makes an empty answer.
    public init() {}

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("job_id", &jobID)
        try fields("cluster", &cluster)
        try fields("warnings", &warnings)
        try fields.ifPresent("obstacle", &obstacle)
        try fields("estimate", &estimate)
    }
}

/// When and where a job would start. For a job array: its first element.
public struct StartEstimate: WireRecord {
    /// The expected start; nil when there is none as things are.
    public var start: SimInstant?
    /// Why there is none, in the word that `squeue` shows; `Dependency` when other jobs decide.
    public var reason: String?
    /// The number of cores it would hold.
    public var cores: Int64 = 0
    /// The nodes it would hold, as a host list.
    public var nodeList = ""
    /// The partition.
    public var partition = ""
    /// What it would cost; a job array with all its elements.
    public var price: PriceEstimate?

    /// Makes an empty estimate.
    public init() {}

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields("start", &start)
        try fields("reason", &reason)
        try fields("cores", &cores)
        try fields("node_list", &nodeList)
        try fields("partition", &partition)
        try fields("price", &price)
    }
}

/// So many of a generic resource on each node: `gpu:a100:2`.
public struct GresRequest: WireRequest, Codable {
    /// The kind, such as `gpu`.
    public var name = ""
    /// The model; nil for any.
    public var type: String?
    /// How many.
    public var count: Int32 = 1

    /// Makes a request for nothing.
    public init() {}

    /// Makes a request.
    public init(name: String, type: String? = nil, count: Int32) {
        self.name = name
        self.type = type
        self.count = count
    }

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("name", &name)
        try fields("type", &type)
        try fields("count", &count)
    }
}

/// One thing that a job waits for.
public struct DependencyRequest: WireRequest, Codable {
    /// `after`, `afterany`, `afterok`, `afternotok`, `aftercorr`, `afterburstbuffer` or `singleton`.
    public var kind = "afterany"
    /// The job; 0 for `singleton`.
    public var jobID: UInt32 = 0
    /// One element of that job array; nil for all of it.
    public var arrayTask: UInt32?
    /// For `after`: how long after the start.
    public var delay = SimDuration.zero

    /// Makes a dependency on nothing.
    public init() {}

    /// Makes a dependency.
    public init(
        kind: String,
        jobID: UInt32 = 0,
        arrayTask: UInt32? = nil,
        delay: SimDuration = .zero
    ) {
        self.kind = kind
        self.jobID = jobID
        self.arrayTask = arrayTask
        self.delay = delay
    }

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("kind", &kind)
        try fields("job_id", &jobID)
        try fields("array_task", &arrayTask)
        try fields("delay", &delay)
    }
}

/// The elements of a job array: `0-15:4,20%2`.
public struct ArrayRequest: WireRequest, Codable {
    /// Indices `first`, `first + step`, … up to `last`.
    public struct Range: WireRequest, Codable {
        /// The first index.
        public var first: UInt32 = 0
        /// The last index that may belong to it.
        public var last: UInt32 = 0
        /// The step, from 1.
        public var step: UInt32 = 1

        /// Makes the range of index 0 only.
        public init() {}

        /// Makes a range.
        public init(first: UInt32, last: UInt32, step: UInt32 = 1) {
            self.first = first
            self.last = last
            self.step = step
        }

        /// Names every member.
        public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
            try fields.required("first", &first)
            try fields("last", &last)
            try fields("step", &step)
        }
    }

    /// The ranges, as written.
    public var ranges: [Range] = []
    /// How many elements may run at once; nil for all.
    public var limit: UInt32?

    /// Makes an array without elements.
    public init() {}

    /// The requests in it.
    public static var parts: [String: any WireRequest.Type] { ["ranges": Range.self] }

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("ranges", &ranges)
        try fields("limit", &limit)
    }

    /// How many elements are named, those that are named twice too, without naming them.
    public var elementCount: Int {
        ranges.reduce(0) { count, range in
            guard range.last >= range.first else { return count }
            return count + (Int(range.last) - Int(range.first)) / Int(max(range.step, 1)) + 1
        }
    }

    /// The indices, ascending, each once; as much work as `elementCount`, which is to be looked at before.
    public var indices: [UInt32] {
        let all = ranges.flatMap { range in
            Array(stride(from: range.first, through: range.last, by: Int(max(range.step, 1))))
        }
        return Set(all).sorted()
    }
}

/// A signal to the job before its time limit: `B:USR1@60`.
public struct SignalRequest: WireRequest, Codable {
    /// The signal's number.
    public var number: Int32 = 0
    /// How long before the limit.
    public var lead = SimDuration(seconds: 60)
    /// Whether only the batch shell gets it, and not the steps.
    public var isForShellOnly = false

    /// Makes a request for no signal.
    public init() {}

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("number", &number)
        try fields("lead", &lead)
        try fields("shell_only", &isForShellOnly)
    }
}

/// Why a request was refused; the body of every answer with a status from 400 on.
public struct ErrorBody: WireRecord {
    /// A word for programs, such as `invalid_partition_name`.
    public var code = ""
    /// Slurm's sentence, without a prefix: `Invalid partition name specified`.
    public var text = ""
    /// Lines that say more, to be printed before the sentence; without a prefix.
    public var details: [String] = []
    /// Lines that say more than Slurm does; commands that are called by Slurm's names keep them back.
    public var hints: [String] = []
    /// The exit status that Slurm's command would have; nil for 1.
    public var exitCode: Int32?

    /// Makes an empty body.
    public init() {}

    /// Makes a body.
    public init(code: String, text: String, details: [String] = [], exitCode: Int32? = nil) {
        self.code = code
        self.text = text
        self.details = details
        self.exitCode = exitCode
    }

    /// What is known beyond Slurm's sentence: the hints where there are any, since they name what was
    /// wrong and what may have been meant, else the details.
    public var specifics: [String] { hints.isEmpty ? details : hints }

    /// All of it in one sentence, for people.
    public var sentence: String { ([text] + specifics).joined(separator: ": ") }

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("code", &code)
        try fields("text", &text)
        try fields("details", &details)
        try fields("hints", &hints)
        try fields("exit_code", &exitCode)
    }
}
