public import Quantities

/// Which jobs to cancel: `POST /v1/cancel`. A job is meant when it is named, or when it matches every
/// filter that is given; with neither, none is.
public struct CancelRequest: WireRequest {
    /// Jobs by number; an array's number means all its elements.
    public var jobs: [JobSelector] = []
    /// Only jobs of this user.
    public var user: String?
    /// Only jobs of this account.
    public var account: String?
    /// Only jobs of this name.
    public var name: String?
    /// Only jobs of this partition.
    public var partition: String?
    /// Only jobs of these clusters: names, `own` or `all`. No filter by itself.
    public var clusters: [String]?
    /// Only jobs of this quality of service.
    public var qos: String?
    /// Only jobs of this reservation.
    public var reservation: String?
    /// Only jobs of this project (Slurm's wckey).
    public var project: String?
    /// Only jobs that hold one of these nodes, as a host list.
    public var nodeList: String?
    /// Only jobs in one of these states, by Slurm's long names.
    public var states: [String] = []
    /// A signal to send to running jobs instead of ending them.
    public var signal: Int32?
    /// Whether the signal goes to the batch shell only.
    public var isForShellOnly = false

    /// Makes a request that means no job.
    public init() {}

    /// The requests in it.
    public static var parts: [String: any WireRequest.Type] { ["jobs": JobSelector.self] }

    /// Whether it means jobs by something else than their numbers.
    public var hasFilter: Bool {
        !states.isEmpty
            || [user, account, name, partition, qos, reservation, project, nodeList].contains {
                $0 != nil
            }
    }

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields("jobs", &jobs)
        try fields("user", &user)
        try fields("account", &account)
        try fields("name", &name)
        try fields("partition", &partition)
        try fields.ifPresent("clusters", &clusters)
        try fields("qos", &qos)
        try fields("reservation", &reservation)
        try fields("wckey", &project)
        try fields("node_list", &nodeList)
        try fields("states", &states)
        try fields("signal", &signal)
        try fields("shell_only", &isForShellOnly)
    }
}

/// A job, or some elements of a job array, or a step: `20`, `20_3`, `20_[3-5]`, `20.0`.
public struct JobSelector: WireRequest {
    /// The job's or the array's number.
    public var jobID: UInt32 = 0
    /// The elements; nil for the job, or all of them.
    public var arrayTasks: [UInt32]?
    /// One of its steps, by number; nil for the whole job. Only who cancels or signals means steps.
    public var step: String?
    /// The component of a heterogeneous job; nil for all of them.
    public var component: UInt32?

    /// Makes a selector of no job.
    public init() {}

    /// Makes a selector.
    public init(jobID: UInt32, arrayTasks: [UInt32]? = nil, component: UInt32? = nil) {
        self.jobID = jobID
        self.arrayTasks = arrayTasks
        self.component = component
    }

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("job_id", &jobID)
        try fields("array_tasks", &arrayTasks)
        try fields.ifPresent("step", &step)
        try fields.ifPresent("component", &component)
    }
}

/// What became of an action for one job; the answer to actions on several jobs is an
/// `ActionResponse`.
public struct ActionOutcome: WireRecord {
    /// The job.
    public var jobID: UInt32 = 0
    /// Its step, if one was meant.
    public var step: String?
    /// Why the action was refused for it; nil when it was done.
    public var error: ErrorBody?

    /// Makes the outcome of an action that was done.
    public init() {}

    /// Makes an outcome.
    public init(jobID: UInt32, error: ErrorBody? = nil) {
        self.jobID = jobID
        self.error = error
    }

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("job_id", &jobID)
        try fields.ifPresent("step", &step)
        try fields("error", &error)
    }
}

/// The answer to `POST /v1/cancel` and `POST /v1/jobs/ID/{hold,release,requeue,update}`.
public struct ActionResponse: WireRecord {
    /// One outcome for each job that was meant.
    public var outcomes: [ActionOutcome] = []

    /// Makes an answer about no job.
    public init() {}

    /// Makes an answer.
    public init(outcomes: [ActionOutcome]) {
        self.outcomes = outcomes
    }

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("outcomes", &outcomes)
    }
}

/// Changes to a job: `POST /v1/jobs/ID/update`. Nil leaves a property as it is.
public struct JobUpdateRequest: WireRequest {
    /// Elements of the job array; nil for all.
    public var arrayTasks: [UInt32]?
    /// The component of the heterogeneous job; nil for all.
    public var component: UInt32?
    /// A new time limit.
    public var timeLimit: SimDuration?
    /// What to add to the time limit; may be negative.
    public var timeLimitChange: SimDuration?
    /// Whether the time limit is taken away.
    public var removesTimeLimit = false
    /// A new priority; 0 holds the job. Operators only, except to lower it.
    public var priority: Int64?
    /// How much to lower the priority.
    public var nice: Int32?
    /// A new name.
    public var name: String?
    /// A new comment.
    public var comment: String?
    /// Another partition.
    public var partition: String?
    /// Another account.
    public var account: String?
    /// Another quality of service.
    public var qos: String?
    /// Not to start before this instant.
    public var begin: SimInstant?
    /// The dependencies; an empty list takes them away.
    public var dependencies: [DependencyRequest]?
    /// Whether one fulfilled dependency is enough.
    public var anyDependency = false
    /// The number of nodes.
    public var nodes: Int32?
    /// Nodes that must be among the job's; empty for none.
    public var requiredNodes: String?
    /// Nodes that must not be; empty for none.
    public var excludedNodes: String?
    /// The number of tasks.
    public var tasks: Int32?
    /// The most tasks on one node.
    public var tasksPerNode: Int32?
    /// Cores for each task.
    public var cpusPerTask: Int32?
    /// Memory on each node.
    public var memoryPerNode: ByteCount?
    /// Memory for each core.
    public var memoryPerCPU: ByteCount?
    /// Features that the nodes must have; empty for none.
    public var features: String?
    /// Generic resources on each node; an empty list takes them away.
    public var gres: [GresRequest]?
    /// Licences; empty for none.
    public var licenses: String?
    /// A reservation to run in; empty for none.
    public var reservation: String?
    /// The project by which bills break costs down (Slurm's wckey).
    public var project: String?
    /// By when the job is to be over.
    public var deadline: SimInstant?
    /// Whether the nodes may be shared with other jobs.
    public var sharesNodes: Bool?
    /// Where standard output goes.
    public var standardOutput: String?
    /// Where standard error goes.
    public var standardError: String?
    /// Where standard input comes from.
    public var standardInput: String?
    /// Whether the job may be requeued.
    public var requeues: Bool?
    /// How many elements of the array may run at once; 0 for all.
    public var arrayLimit: UInt32?

    /// Makes an update that changes nothing.
    public init() {}

    /// The requests in it.
    public static var parts: [String: any WireRequest.Type] {
        ["dependencies": DependencyRequest.self, "gres": GresRequest.self]
    }

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields("array_tasks", &arrayTasks)
        try fields.ifPresent("component", &component)
        try fields("time_limit", &timeLimit)
        try fields("time_limit_change", &timeLimitChange)
        try fields("no_time_limit", &removesTimeLimit)
        try fields("priority", &priority)
        try fields("nice", &nice)
        try fields("name", &name)
        try fields("comment", &comment)
        try fields("partition", &partition)
        try fields("account", &account)
        try fields("qos", &qos)
        try fields("begin", &begin)
        try fields("dependencies", &dependencies)
        try fields("any_dependency", &anyDependency)
        try fields("nodes", &nodes)
        try fields("required_nodes", &requiredNodes)
        try fields("excluded_nodes", &excludedNodes)
        try fields.ifPresent("tasks", &tasks)
        try fields.ifPresent("tasks_per_node", &tasksPerNode)
        try fields.ifPresent("cpus_per_task", &cpusPerTask)
        try fields.ifPresent("memory_per_node", &memoryPerNode)
        try fields.ifPresent("memory_per_cpu", &memoryPerCPU)
        try fields.ifPresent("features", &features)
        try fields("gres", &gres)
        try fields.ifPresent("licenses", &licenses)
        try fields.ifPresent("reservation", &reservation)
        try fields.ifPresent("wckey", &project)
        try fields.ifPresent("deadline", &deadline)
        try fields.ifPresent("shares_nodes", &sharesNodes)
        try fields.ifPresent("std_out", &standardOutput)
        try fields.ifPresent("std_err", &standardError)
        try fields.ifPresent("std_in", &standardInput)
        try fields("requeue", &requeues)
        try fields("array_limit", &arrayLimit)
    }
}

/// Options of `POST /v1/jobs/ID/{hold,release,requeue}`.
public struct JobActionRequest: WireRequest {
    /// Elements of the job array; nil for all.
    public var arrayTasks: [UInt32]?
    /// The component of the heterogeneous job; nil for all.
    public var component: UInt32?
    /// For `hold`: whether the user holds it (`uhold`), even when an operator asks.
    public var isUserHold = false
    /// For `requeue`: whether the job is held afterwards.
    public var holdsAfterwards = false

    /// Makes a request for all elements.
    public init() {}

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields("array_tasks", &arrayTasks)
        try fields.ifPresent("component", &component)
        try fields("user_hold", &isUserHold)
        try fields("hold_afterwards", &holdsAfterwards)
    }
}

/// Changes to nodes: `POST /v1/nodes/update`.
public struct NodeUpdateRequest: WireRequest {
    /// The nodes, as a host list.
    public var nodes = ""
    /// `DOWN`, `DRAIN`, `FAIL`, `RESUME`, `UNDRAIN` or `IDLE`; nil to change only the reason.
    public var state: String?
    /// Why; needed for `DOWN`, `DRAIN` and `FAIL`.
    public var reason: String?

    /// Makes an update that changes nothing.
    public init() {}

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("nodes", &nodes)
        try fields("state", &state)
        try fields("reason", &reason)
    }
}

/// Changes to a partition: `POST /v1/partitions/update`.
public struct PartitionUpdateRequest: WireRequest {
    /// The partition.
    public var name = ""
    /// `UP`, `DOWN`, `DRAIN` or `INACTIVE`.
    public var state: String?
    /// The most nodes that a job may have, 1 or more.
    public var maximumNodes: Int32?
    /// Whether a job may have any number of nodes from now on.
    public var removesMaximumNodes: Bool?
    /// The longest limit that a job may have, more than 0.
    public var maximumTime: SimDuration?
    /// Whether a job may have any limit from now on.
    public var removesMaximumTime: Bool?

    /// Makes an update that changes nothing.
    public init() {}

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("name", &name)
        try fields("state", &state)
        try fields("max_nodes", &maximumNodes)
        try fields("no_max_nodes", &removesMaximumNodes)
        try fields("max_time", &maximumTime)
        try fields("no_max_time", &removesMaximumTime)
    }
}
