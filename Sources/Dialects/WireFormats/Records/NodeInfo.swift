public import Quantities

/// A node and its use: `GET /v1/nodes`.
public struct NodeInfo: WireRecord {
    /// The node's name.
    public var name = ""
    /// `IDLE`, `ALLOCATED`, `MIXED`, `DOWN`, `FAIL` or `UNKNOWN`.
    public var state = "IDLE"
    /// What else is true: `DRAIN`, `COMPLETING`, `RESERVED`, `MAINTENANCE`, `NOT_RESPONDING`.
    public var flags: [String] = []
    /// The partitions it belongs to, in the centre's order.
    public var partitions: [String] = []
    /// The number of cores.
    public var cores: Int32 = 1
    /// The number of cores held by jobs.
    public var coresHeld: Int32 = 0
    /// The memory.
    public var memory = ByteCount.zero
    /// The memory held by jobs.
    public var memoryHeld = ByteCount.zero
    /// The number of accelerators.
    public var accelerators: Int32 = 0
    /// The number of accelerators held by jobs.
    public var acceleratorsHeld: Int32 = 0
    /// Generic resources as Slurm writes them: `gpu:m2050:1`.
    public var gres: String?
    /// The features.
    public var features: String?
    /// The number of sockets.
    public var sockets: Int32 = 1
    /// Cores on each socket.
    public var coresPerSocket: Int32 = 1
    /// Hardware threads of each core.
    public var threadsPerCore: Int32 = 1
    /// The instruction set: `x86_64`, `aarch64`.
    public var architecture = "x86_64"
    /// The operating system's name.
    public var operatingSystem: String?
    /// The name of the computer that it is on; nil for the node's own.
    public var hostName: String?
    /// How many cores are held on that computer, by all nodes that are on it; nil where nodes are computers.
    public var hostLoad: Int32?
    /// The address of that computer; nil for the node's name.
    public var address: String?
    /// The node type of the catalogue.
    public var nodeType = ""
    /// Which nodes are taken first: the smallest weight.
    public var weight: Int32 = 1
    /// When the centre started it.
    public var bootTime: SimInstant?
    /// When a job last held it.
    public var lastBusy: SimInstant?
    /// Why it is drained or down.
    public var reason: String?
    /// Who said so.
    public var reasonUser: String?
    /// The number of that user.
    public var reasonUserID: UInt32?
    /// When.
    public var reasonTime: SimInstant?

    /// Makes an idle node without a name.
    public init() {}

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields("name", &name)
        try fields("state", &state)
        try fields("flags", &flags)
        try fields("partitions", &partitions)
        try fields("cores", &cores)
        try fields("cores_held", &coresHeld)
        try fields("memory", &memory)
        try fields("memory_held", &memoryHeld)
        try fields("accelerators", &accelerators)
        try fields("accelerators_held", &acceleratorsHeld)
        try fields("gres", &gres)
        try fields("features", &features)
        try fields("sockets", &sockets)
        try fields("cores_per_socket", &coresPerSocket)
        try fields("threads_per_core", &threadsPerCore)
        try fields("architecture", &architecture)
        try fields("operating_system", &operatingSystem)
        try fields.ifPresent("host_name", &hostName)
        try fields.ifPresent("host_load", &hostLoad)
        try fields.ifPresent("address", &address)
        try fields("node_type", &nodeType)
        try fields("weight", &weight)
        try fields("boot_time", &bootTime)
        try fields("last_busy", &lastBusy)
        try fields("reason", &reason)
        try fields("reason_user", &reasonUser)
        try fields("reason_uid", &reasonUserID)
        try fields("reason_time", &reasonTime)
    }
}

/// The answer to `GET /v1/nodes`.
///
/// A machine has thousands of nodes that differ in their names only. So neighbours that are alike
/// travel as one group: `{"names": ["cn0000", "cn0001"], "node": {…}}`.
public struct NodeList: WireRecord {
    /// The centre's time of the answer.
    public var now = SimInstant.epoch
    /// The cluster that was asked for, else the centre's name.
    public var cluster = ""
    /// The nodes, in the centre's order, put together where neighbours are alike.
    public var groups: [NodeGroup] = []

    /// The nodes one by one, in the centre's order.
    public var nodes: [NodeInfo] {
        get { groups.flatMap(\.nodes) }
        set { groups = NodeGroup.groups(of: newValue) }
    }

    /// Makes an empty list.
    public init() {}

    /// Makes a list.
    public init(now: SimInstant, nodes: [NodeInfo]) {
        self.now = now
        self.nodes = nodes
    }

    /// Makes a list of groups.
    public init(now: SimInstant, groups: [NodeGroup]) {
        self.now = now
        self.groups = groups
    }

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("now", &now)
        try fields("cluster", &cluster)
        try fields.required("groups", &groups)
    }
}

/// Nodes that follow one another and differ in their names only.
public struct NodeGroup: WireRecord {
    /// Their names.
    public var names: [String] = []
    /// What they are; its name is empty.
    public var node = NodeInfo()

    /// Makes a group without nodes.
    public init() {}

    /// Makes a group of nodes like `node`, whose own name is not counted.
    public init(_ names: [String], like node: NodeInfo) {
        self.names = names
        self.node = node
        self.node.name = ""
    }

    /// The nodes one by one.
    public var nodes: [NodeInfo] { names.map { node(named: $0) } }

    /// The first node; nil when there is none.
    public var first: NodeInfo? { names.first.map { node(named: $0) } }

    private func node(named name: String) -> NodeInfo {
        var node = node
        node.name = name
        return node
    }

    /// Puts neighbours that are alike together.
    public static func groups(of nodes: [NodeInfo]) -> [NodeGroup] {
        var groups: [NodeGroup] = []
        for node in nodes { groups.append(node.name, like: node) }
        return groups
    }

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("names", &names)
        try fields.required("node", &node)
    }
}

extension [NodeGroup] {
    /// Adds a node behind the others: to the last group, if that is of its like.
    public mutating func append(_ name: String, like node: NodeInfo) {
        let group = NodeGroup([name], like: node)
        if last?.node == group.node {
            self[count - 1].names.append(name)
        } else {
            append(group)
        }
    }
}

/// A partition and its rules: `GET /v1/partitions`.
public struct PartitionInfo: WireRecord {
    /// The name.
    public var name = ""
    /// The cluster that it is of.
    public var cluster = ""
    /// Whether jobs of its cluster that name no partition come here.
    public var isDefault = false
    /// `UP`, `DOWN`, `DRAIN` or `INACTIVE`.
    public var state = "UP"
    /// The nodes, as a host list.
    public var nodeList = ""
    /// The number of nodes.
    public var nodeCount: Int32 = 0
    /// The number of cores of all nodes.
    public var cores: Int64 = 0
    /// The memory of all nodes.
    public var memory = ByteCount.zero
    /// The number of accelerators of all nodes.
    public var accelerators: Int64 = 0
    /// The longest time limit; nil for none.
    public var maximumTime: SimDuration?
    /// The time limit of jobs that ask for none; nil when it is the longest.
    public var defaultTime: SimDuration?
    /// The fewest nodes of a job.
    public var minimumNodes: Int32 = 1
    /// The most nodes of a job; nil for all.
    public var maximumNodes: Int32?
    /// Whether a job always gets whole nodes.
    public var isExclusive = false
    /// The accounts that may use it; nil for all.
    public var allowedAccounts: [String]?
    /// Partitions with a higher tier are scheduled first.
    public var priorityTier: Int32 = 1
    /// Its weight beside other partitions' in a job's priority.
    public var priorityJobFactor: Int32 = 1
    /// The QOS whose limits hold for all its jobs; nil for none.
    public var qos: String?
    /// The QOS that its jobs may have; nil for all.
    public var allowedQOS: [String]?
    /// What becomes of its jobs when they make way for others: `OFF`, `CANCEL` or `REQUEUE`.
    public var preemptMode = "OFF"
    /// How long they go on meanwhile. Unit: s.
    public var graceSeconds: Int32 = 0
    /// `emulated`, or `local` where jobs really run.
    public var backend = "emulated"
    /// The platform of the tariff.
    public var platform: String?

    /// Makes a partition without nodes.
    public init() {}

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("name", &name)
        try fields("cluster", &cluster)
        try fields("default", &isDefault)
        try fields("state", &state)
        try fields("node_list", &nodeList)
        try fields("nodes", &nodeCount)
        try fields("cores", &cores)
        try fields("memory", &memory)
        try fields("accelerators", &accelerators)
        try fields("max_time", &maximumTime)
        try fields("default_time", &defaultTime)
        try fields("min_nodes", &minimumNodes)
        try fields("max_nodes", &maximumNodes)
        try fields("exclusive", &isExclusive)
        try fields("allowed_accounts", &allowedAccounts)
        try fields("priority_tier", &priorityTier)
        try fields("priority_job_factor", &priorityJobFactor)
        try fields("qos", &qos)
        try fields("allowed_qos", &allowedQOS)
        try fields("preempt_mode", &preemptMode)
        try fields("grace_s", &graceSeconds)
        try fields("backend", &backend)
        try fields("platform", &platform)
    }
}

/// The answer to `GET /v1/partitions`.
public struct PartitionList: WireRecord {
    /// The centre's time of the answer.
    public var now = SimInstant.epoch
    /// The cluster that was asked for, else the centre's name.
    public var cluster = ""
    /// The partitions, in the centre's order.
    public var partitions: [PartitionInfo] = []

    /// Makes an empty list.
    public init() {}

    /// Makes a list.
    public init(now: SimInstant, partitions: [PartitionInfo]) {
        self.now = now
        self.partitions = partitions
    }

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("now", &now)
        try fields("cluster", &cluster)
        try fields.required("partitions", &partitions)
    }
}
