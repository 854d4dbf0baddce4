public import Quantities

/// A job as the queue knows it: `GET /v1/jobs`. It holds what `squeue`, `scontrol show job` and the
/// dashboard show. Every element of a job array is a job of its own.
public struct JobInfo: WireRecord {
    /// The job's number.
    public var jobID: UInt32 = 0
    /// For an element of a job array: the number of the array's first element.
    public var arrayJobID: UInt32?
    /// For an element of a job array: its index.
    public var arrayTaskID: UInt32?
    /// For a component of a heterogeneous job: the number of the first.
    public var hetJobID: UInt32?
    /// For a component of a heterogeneous job: its place among them, from 0.
    public var hetJobOffset: UInt32?
    /// How many components there are.
    public var hetJobSize: UInt32?
    /// How many elements of the array may run at once; nil for all.
    public var arrayLimit: UInt32?
    /// Whether it waits in the record of all elements of its array that were not split off: its number may still
    /// become another element's.
    public var waitsWithArray = false
    /// The job's name.
    public var name = ""
    /// The owner.
    public var user = ""
    /// The owner's number.
    public var userID: UInt32 = 0
    /// The owner's group.
    public var group = ""
    /// The group's number.
    public var groupID: UInt32 = 0
    /// The account that is charged.
    public var account = ""
    /// The number of the association whose limits it counts under: its user's in the account, or the account's.
    public var associationID: UInt32 = 0
    /// The quality of service.
    public var qos = "normal"
    /// The partition; while pending all that are tried, with commas.
    public var partition = ""
    /// Slurm's long name of the state: `PENDING`, `RUNNING`, `COMPLETING`, `COMPLETED`, ….
    public var state = "PENDING"
    /// Slurm's name of the reason for waiting or failing: `Resources`; `None` without one.
    public var reason = "None"
    /// A sentence that is shown in place of the reason.
    public var reasonText: String?
    /// Who cancelled the job, when it was.
    public var cancelledBy: UInt32?

    /// When it was submitted.
    public var submit = SimInstant.epoch
    /// From when it could have started; nil while not eligible.
    public var eligible: SimInstant?
    /// Since when its wait counts for its priority; nil while it does not.
    public var accrue: SimInstant?
    /// When it started; nil when it has not.
    public var start: SimInstant?
    /// When a pending job is expected to start; nil when not known.
    public var expectedStart: SimInstant?
    /// The nodes on which a pending job is expected to start.
    public var scheduledNodes: String?
    /// When it ended, or for a running job when its time limit ends it.
    public var end: SimInstant?
    /// When the scheduler last looked at it.
    public var lastEvaluation: SimInstant?
    /// How long it has run.
    public var runTime = SimDuration.zero
    /// The time limit; nil for none.
    public var timeLimit: SimDuration?

    /// The number of nodes held, or asked for.
    public var nodeCount: Int32 = 1
    /// The nodes held or last held, as a host list; empty while pending.
    public var nodeList = ""
    /// The number of cores held, or asked for.
    public var cores: Int64 = 1
    /// The most nodes that it may get, where it waits and asks for a number of them.
    public var maximumNodes: Int32?
    /// The number of tasks.
    public var tasks: Int32 = 1
    /// Cores for each task.
    public var cpusPerTask: Int32 = 1
    /// The most tasks on one node, when asked for.
    public var tasksPerNode: Int32?
    /// Memory asked for on each node.
    public var memoryPerNode: ByteCount?
    /// Memory asked for with each core.
    public var memoryPerCPU: ByteCount?
    /// Memory held on all nodes together, or asked for; nil where memory is not managed.
    public var memory: ByteCount?
    /// The number of accelerators held, or asked for.
    public var accelerators: Int64 = 0
    /// Generic resources on each node, as Slurm writes them: `gres:gpu:2`.
    public var gres: String?
    /// `OK`, `NO` (exclusive), `USER` or `YES`.
    public var oversubscribe = "OK"
    /// The features asked for.
    public var features: String?
    /// The nodes asked for.
    public var requiredNodes: String?
    /// The nodes excluded.
    public var excludedNodes: String?
    /// The reservation.
    public var reservation: String?
    /// The licences.
    public var licenses: String?

    /// By when it is to be over.
    public var deadline: SimInstant?
    /// When it was suspended or resumed last.
    public var suspendTime: SimInstant?
    /// How long it had run by then, or has run since.
    public var preSuspendTime: SimDuration?
    /// What it waits for, as Slurm writes it: `afterok:36(unfulfilled)`.
    public var dependency: String?
    /// Its place in the queue: higher goes first, 0 is held.
    public var priority: Int64 = 1
    /// How much its priority was lowered.
    public var nice: Int32 = 0
    /// Whether it may be requeued.
    public var requeues = true
    /// How often it was requeued.
    public var restarts: Int32 = 0
    /// The exit status.
    public var exitCode: Int32 = 0
    /// The signal that ended it, or 0.
    public var exitSignal: Int32 = 0
    /// The highest exit status of its steps.
    public var derivedExitCode: Int32 = 0
    /// Whether it is an allocation without a script.
    public var isInteractive = false
    /// Whether it ends when a dependency can never be fulfilled.
    public var endsOnInvalidDependency = false

    /// The free text.
    public var comment: String?
    /// The folder in which it starts.
    public var workDirectory = "/"
    /// The script's path with its arguments; nil for `--wrap` and standard input.
    public var command: String?
    /// Where standard output goes, filled in.
    public var standardOutput = ""
    /// Where standard error goes, filled in.
    public var standardError = ""
    /// Where standard input comes from.
    public var standardInput = "/dev/null"
    /// The first of its nodes, where the script runs.
    public var batchHost: String?
    /// The host on which it was submitted.
    public var submitHost = "localhost"
    /// `emulated`, or `local` for a job that really runs.
    public var backend = "emulated"

    /// Makes a pending job without a name.
    public init() {}

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("job_id", &jobID)
        try fields("array_job_id", &arrayJobID)
        try fields("array_task_id", &arrayTaskID)
        try fields("het_job_id", &hetJobID)
        try fields("het_job_offset", &hetJobOffset)
        try fields("het_job_size", &hetJobSize)
        try fields("array_limit", &arrayLimit)
        try fields("in_array", &waitsWithArray)
        try fields("name", &name)
        try fields("user", &user)
        try fields("uid", &userID)
        try fields("group", &group)
        try fields("gid", &groupID)
        try fields("account", &account)
        try fields("association_id", &associationID)
        try fields("qos", &qos)
        try fields("partition", &partition)
        try fields("state", &state)
        try fields("reason", &reason)
        try fields("reason_text", &reasonText)
        try fields("cancelled_by", &cancelledBy)
        try exchangeTimes(&fields)
        try exchangeResources(&fields)
        try exchangeStanding(&fields)
        try exchangeFiles(&fields)
    }

    private mutating func exchangeTimes(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields("submit", &submit)
        try fields("eligible", &eligible)
        try fields("accrue", &accrue)
        try fields("start", &start)
        try fields("expected_start", &expectedStart)
        try fields("scheduled_nodes", &scheduledNodes)
        try fields("end", &end)
        try fields("last_evaluation", &lastEvaluation)
        try fields("run_time", &runTime)
        try fields("time_limit", &timeLimit)
    }

    private mutating func exchangeResources(
        _ fields: inout WireFields
    ) throws(JSONValue.Malformed) {
        try fields("nodes", &nodeCount)
        try fields("node_list", &nodeList)
        try fields("cores", &cores)
        try fields("max_nodes", &maximumNodes)
        try fields("tasks", &tasks)
        try fields("cpus_per_task", &cpusPerTask)
        try fields("tasks_per_node", &tasksPerNode)
        try fields("memory_per_node", &memoryPerNode)
        try fields("memory_per_cpu", &memoryPerCPU)
        try fields("memory", &memory)
        try fields("accelerators", &accelerators)
        try fields("gres", &gres)
        try fields("oversubscribe", &oversubscribe)
        try fields("features", &features)
        try fields("required_nodes", &requiredNodes)
        try fields("excluded_nodes", &excludedNodes)
        try fields("reservation", &reservation)
        try fields("licenses", &licenses)
    }

    private mutating func exchangeStanding(
        _ fields: inout WireFields
    ) throws(JSONValue.Malformed) {
        try fields("deadline", &deadline)
        try fields("suspend_time", &suspendTime)
        try fields("pre_sus_time", &preSuspendTime)
        try fields("dependency", &dependency)
        try fields("priority", &priority)
        try fields("nice", &nice)
        try fields("requeue", &requeues)
        try fields("restarts", &restarts)
        try fields("exit_code", &exitCode)
        try fields("signal", &exitSignal)
        try fields("derived_exit_code", &derivedExitCode)
        try fields("interactive", &isInteractive)
        try fields("kill_on_invalid_dependency", &endsOnInvalidDependency)
    }

    private mutating func exchangeFiles(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields("comment", &comment)
        try fields("work_dir", &workDirectory)
        try fields("command", &command)
        try fields("std_out", &standardOutput)
        try fields("std_err", &standardError)
        try fields("std_in", &standardInput)
        try fields("batch_host", &batchHost)
        try fields("submit_host", &submitHost)
        try fields("backend", &backend)
    }
}

/// The answer to `GET /v1/jobs`.
public struct JobList: WireRecord {
    /// The centre's time of the answer.
    public var now = SimInstant.epoch
    /// The centre's name.
    public var cluster = ""
    /// The jobs, by number.
    public var jobs: [JobInfo] = []
    /// The members of jobs that are written; nil for all. A queue of 50,000 jobs is 58 MB with all of
    /// them, and a listing shows a dozen: `GET /v1/jobs?fields=job_id,name,…`. Does not travel.
    public var selection: Set<String>?

    /// Makes an empty list.
    public init() {}

    /// Makes a list.
    public init(now: SimInstant, jobs: [JobInfo]) {
        self.now = now
        self.jobs = jobs
    }

    /// The list as an object; each job has the members of `selection`, and always its number.
    public var json: JSONValue {
        let jobs =
            if let names = selection?.union(["job_id"]) {
                jobs.map { [selection = JobInfo.selection(of: names)] in
                    $0.json(selecting: selection)
                }
            } else {
                jobs.map(\.json)
            }
        return ["now": now.json, "cluster": .string(cluster), "jobs": .array(jobs)]
    }

    /// Writes the list with the same members.
    public func write(to text: inout JSONText) {
        let selection = selection.map { JobInfo.selection(of: $0.union(["job_id"])) }
        text.object { text in
            text.member("now") { now.write(to: &$0) }
            text.member("cluster") { cluster.write(to: &$0) }
            text.member("jobs") { text in
                text.list(jobs) { $1.write(to: &$0, selecting: selection) }
            }
        }
    }

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("now", &now)
        try fields("cluster", &cluster)
        try fields.required("jobs", &jobs)
    }
}
