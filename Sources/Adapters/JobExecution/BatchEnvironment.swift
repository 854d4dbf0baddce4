/// What a batch script finds in its environment about its job.
///
/// Source: Slurm 22.05.8, `sbatch(1)` OUTPUT ENVIRONMENT VARIABLES, and what a real cluster of
/// that version was seen to set. Variables that speak of what was not asked for are absent, as
/// there: `SLURM_NTASKS` without `-n`, `SLURM_CPUS_PER_TASK` without `-c`.
public struct BatchEnvironment: Sendable {
    /// The number of the job.
    public var jobID: UInt32 = 0
    /// The job's name.
    public var jobName = ""
    /// The user's name, number and the number of the group.
    public var user = (name: "", id: UInt32(0), groupID: UInt32(0))
    /// The account that pays.
    public var account = ""
    /// The partition that the job runs in.
    public var partition = ""
    /// The quality of service.
    public var qos = "normal"
    /// The name of the centre.
    public var clusterName = ""
    /// Where the submission was made.
    public var submitDirectory = "/"
    /// On which host it was made.
    public var submitHost = "localhost"
    /// The nodes held, in order.
    public var nodeNames: [String] = []
    /// The same as a host list.
    public var nodeList = ""
    /// Cores held on each node.
    public var coresPerNode: [Int] = []
    /// Tasks on each node.
    public var tasksPerNode: [Int] = []
    /// The number of tasks, when it was asked for.
    public var taskCount: Int?
    /// The most tasks on one node, when that was asked for.
    public var tasksPerNodeAsked: Int?
    /// Cores a task, when they were asked for.
    public var coresPerTask: Int?
    /// Memory on a node, when it was asked for. Unit: MiB.
    public var memoryPerNodeMebibytes: Int64?
    /// Memory for a core, when it was asked for. Unit: MiB.
    public var memoryPerCoreMebibytes: Int64?
    /// The cards held on the first node.
    public var accelerators: [Int] = []
    /// For an element of an array: its number, and the array's number, count and bounds.
    public var array: (job: UInt32, task: UInt32, count: Int, minimum: UInt32, maximum: UInt32)?
    /// By how much one index of the array is more than the one before.
    public var arrayStep = 1
    /// The components of a heterogeneous job, this one among them; empty for any other.
    public var components: [BatchEnvironment] = []
    /// How often the job was requeued.
    public var restartCount = 0

    /// Makes facts about nothing.
    public init() {}

    /// `SLURM_…` variables, `NAME=value` each, in order of their names.
    public var variables: [String] {
        var table: [(String, String)] = [
            ("SLURMD_NODENAME", nodeNames.first ?? ""),
            ("SLURM_CLUSTER_NAME", clusterName),
            ("SLURM_CONF", "/etc/slurm/slurm.conf"),
            ("SLURM_CPUS_ON_NODE", String(coresPerNode.first ?? 0)),
            ("SLURM_GTIDS", "0"),
            ("SLURM_JOBID", String(jobID)),
            ("SLURM_JOB_ACCOUNT", account),
            ("SLURM_JOB_CPUS_PER_NODE", Self.runLengths(coresPerNode)),
            ("SLURM_JOB_GID", String(user.groupID)),
            ("SLURM_JOB_ID", String(jobID)),
            ("SLURM_JOB_NAME", jobName),
            ("SLURM_JOB_NODELIST", nodeList),
            ("SLURM_JOB_NUM_NODES", String(nodeNames.count)),
            ("SLURM_JOB_PARTITION", partition),
            ("SLURM_JOB_QOS", qos),
            ("SLURM_JOB_UID", String(user.id)),
            ("SLURM_JOB_USER", user.name),
            ("SLURM_LOCALID", "0"),
            ("SLURM_NNODES", String(nodeNames.count)),
            ("SLURM_NODEID", "0"),
            ("SLURM_NODELIST", nodeList),
            ("SLURM_NODE_ALIASES", "(null)"),
            ("SLURM_PRIO_PROCESS", "0"),
            ("SLURM_PROCID", "0"),
            ("SLURM_SUBMIT_DIR", submitDirectory),
            ("SLURM_SUBMIT_HOST", submitHost),
            ("SLURM_TASKS_PER_NODE", Self.runLengths(tasksPerNode)),
            ("SLURM_TOPOLOGY_ADDR", nodeNames.first ?? ""),
            ("SLURM_TOPOLOGY_ADDR_PATTERN", "node"),
            ("SLURM_WORKING_CLUSTER", "\(clusterName):127.0.0.1:6817:9728:109"),
            ("ENVIRONMENT", "BATCH"),
        ]
        table += requested
        return table.sorted { $0.0 < $1.0 }.map { "\($0.0)=\($0.1)" }
    }

    private var requested: [(String, String)] {
        var table: [(String, String)] = []
        func put(_ name: String, _ value: (some CustomStringConvertible)?) {
            if let value { table.append((name, "\(value)")) }
        }
        put("SLURM_NTASKS", taskCount)
        put("SLURM_NPROCS", taskCount)
        put("SLURM_NTASKS_PER_NODE", tasksPerNodeAsked)
        put("SLURM_CPUS_PER_TASK", coresPerTask)
        put("SLURM_MEM_PER_NODE", memoryPerNodeMebibytes)
        put("SLURM_MEM_PER_CPU", memoryPerCoreMebibytes)
        if restartCount > 0 { put("SLURM_RESTART_COUNT", restartCount) }
        if !accelerators.isEmpty {
            let cards = accelerators.map(String.init).joined(separator: ",")
            put("SLURM_GPUS_ON_NODE", accelerators.count)
            put("SLURM_JOB_GPUS", cards)
            put("CUDA_VISIBLE_DEVICES", cards)
            put("GPU_DEVICE_ORDINAL", cards)
        }
        if let array {
            put("SLURM_ARRAY_JOB_ID", array.job)
            put("SLURM_ARRAY_TASK_ID", array.task)
            put("SLURM_ARRAY_TASK_COUNT", array.count)
            put("SLURM_ARRAY_TASK_MIN", array.minimum)
            put("SLURM_ARRAY_TASK_MAX", array.maximum)
            put("SLURM_ARRAY_TASK_STEP", arrayStep)
        }
        return table + ofComponents
    }

    /// What is said of each component: its own variables, with its place among them behind the name, and
    /// under the name of before 20.02 too.
    private var ofComponents: [(String, String)] {
        guard !components.isEmpty else { return [] }
        var table = [("SLURM_HET_SIZE", "\(components.count)")]
        for (offset, component) in components.enumerated() {
            for variable in component.variables {
                guard let equals = variable.firstIndex(of: "=") else { continue }
                let name = String(variable[..<equals])
                guard Self.namesOfComponents.contains(name) else { continue }
                let value = String(variable[variable.index(after: equals)...])
                for word in ["HET", "PACK"] {
                    table.append(("\(name)_\(word)_GROUP_\(offset)", value))
                }
            }
        }
        return table
    }

    /// Source: Slurm 22.05, `_set_het_job_env`, and what a cluster of that version was seen to set.
    private static let namesOfComponents: Set<String> = [
        "SLURM_CPUS_PER_TASK", "SLURM_JOB_ACCOUNT", "SLURM_JOB_CPUS_PER_NODE", "SLURM_JOB_ID",
        "SLURM_JOB_NAME", "SLURM_JOB_NODELIST", "SLURM_JOB_NUM_NODES", "SLURM_JOB_PARTITION",
        "SLURM_JOB_QOS", "SLURM_MEM_PER_CPU", "SLURM_MEM_PER_NODE", "SLURM_NTASKS",
        "SLURM_NTASKS_PER_NODE", "SLURM_TASKS_PER_NODE",
    ]

    /// The cards that an environment made here speaks of.
    public static func accelerators(in environment: [String]) -> [Int] {
        let name = "SLURM_JOB_GPUS="
        let variable = environment.last { $0.hasPrefix(name) }
        return variable?.dropFirst(name.count).split(separator: ",").compactMap { Int($0) } ?? []
    }

    /// `2(x3),1` for 2, 2, 2, 1.
    public static func runLengths(_ counts: [Int]) -> String {
        var parts: [String] = []
        var index = 0
        while index < counts.count {
            var end = index
            while end < counts.count, counts[end] == counts[index] { end += 1 }
            parts.append(end - index > 1 ? "\(counts[index])(x\(end - index))" : "\(counts[index])")
            index = end
        }
        return parts.joined(separator: ",")
    }

    /// `base` with the variables of `additions` in it; what is set twice has the later value.
    public static func merge(_ base: [String], _ additions: [String]) -> [String] {
        var positions: [Substring: Int] = [:]
        var merged: [String] = []
        for variable in base + additions {
            guard let equals = variable.firstIndex(of: "="), equals > variable.startIndex else {
                continue
            }
            let name = variable[..<equals]
            if let position = positions[name] {
                merged[position] = variable
            } else {
                positions[name] = merged.count
                merged.append(variable)
            }
        }
        return merged
    }
}
