public import Quantities

/// How many jobs there are of each kind, and what they hold: `GET /v1/census`, and the metrics.
public struct CentreCensus: WireRecord {
    /// The centre's time.
    public var now = SimInstant.epoch
    /// One row for each combination that occurs, in order.
    public var jobs: [CensusRow] = []
    /// Nodes by what they do, in the order of the letters.
    public var nodes: [NodeCount] = []

    /// Makes the census of an empty centre.
    public init() {}

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields("now", &now)
        try fields("jobs", &jobs)
        try fields("nodes", &nodes)
    }
}

/// Jobs of one user, account, partition and state.
public struct CensusRow: WireRecord {
    /// The partitions, with commas between them.
    public var partition = ""
    /// The account that pays.
    public var account = ""
    /// The user's name.
    public var user = ""
    /// Slurm's long name.
    public var state = "PENDING"
    /// How many jobs.
    public var jobs: Int64 = 0
    /// The nodes that they hold, or ask for while they wait.
    public var nodes: Int64 = 0
    /// The cores that they hold, or ask for while they wait.
    public var cores: Int64 = 0
    /// The cards that they hold, or ask for while they wait.
    public var accelerators: Int64 = 0

    /// Makes a row of nobody.
    public init() {}

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields("partition", &partition)
        try fields("account", &account)
        try fields("user", &user)
        try fields("state", &state)
        try fields("jobs", &jobs)
        try fields("nodes", &nodes)
        try fields("cores", &cores)
        try fields("accelerators", &accelerators)
    }
}

/// Nodes that do the same.
public struct NodeCount: WireRecord {
    /// What they do.
    public var use = NodeUse.idle
    /// How many.
    public var count: Int64 = 0

    /// Makes a count of none.
    public init() {}

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields("use", &use)
        try fields("count", &count)
    }
}

/// What a node does, as one letter of `GET /v1/map`.
public enum NodeUse: String, Hashable, Sendable, CaseIterable, WireValue {
    /// Nothing.
    case idle = "i"
    /// Jobs hold some of it.
    case mixed = "m"
    /// Jobs hold all of it.
    case allocated = "a"
    /// Idle, and kept by a reservation.
    case reserved = "r"
    /// Kept for maintenance.
    case maintenance = "t"
    /// Takes no jobs, has none.
    case drained = "d"
    /// Takes no jobs, has some.
    case draining = "g"
    /// Out of service.
    case down = "x"

    /// Reads a letter.
    public init(json: JSONValue) throws(JSONValue.Malformed) {
        guard let text = json.string, let use = NodeUse(rawValue: text) else {
            throw JSONValue.Malformed(line: 0, problem: "a node's use expected")
        }
        self = use
    }

    /// The letter.
    public var json: JSONValue { .string(rawValue) }

    /// Slurm's word.
    public var slurmName: String {
        switch self {
        case .idle: "idle"
        case .mixed: "mixed"
        case .allocated: "allocated"
        case .reserved: "reserved"
        case .maintenance: "maint"
        case .drained: "drained"
        case .draining: "draining"
        case .down: "down"
        }
    }
}

/// The machine as a map: `GET /v1/map`.
public struct CentreMap: WireRecord {
    /// The centre's time.
    public var now = SimInstant.epoch
    /// One letter a node, in the machine's order: `NodeUse`.
    public var uses = ""
    /// Where nodes of one type stand side by side; only where they were asked for.
    public var blocks: [MapBlock]?
    /// The names of all nodes, in the machine's order; only where they were asked for.
    public var names: [String]?

    /// Makes the map of an empty centre.
    public init() {}

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields("now", &now)
        try fields("uses", &uses)
        try fields("blocks", &blocks)
        try fields("names", &names)
    }
}

/// Nodes that stand side by side: a rack, or those of a type where racks are not told.
public struct MapBlock: WireRecord {
    /// The rack's name, or the node type's.
    public var name = ""
    /// The system that they belong to.
    public var system = ""
    /// The place of the first in the machine's order.
    public var first: Int32 = 0
    /// How many.
    public var count: Int32 = 0

    /// Makes a block of none.
    public init() {}

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields("name", &name)
        try fields("system", &system)
        try fields("first", &first)
        try fields("count", &count)
    }
}

/// Something that happened: a line of `GET /v1/events`.
public struct CentreEvent: WireRecord {
    /// `job`, `node`, or `time` when nothing else did.
    public var kind = "time"
    /// The centre's time when it was noticed.
    public var now = SimInstant.epoch
    /// The job.
    public var jobID: UInt32?
    /// The name of the job or of the node.
    public var name: String?
    /// The job's state by Slurm's long name, or the node's use in words.
    public var state: String?
    /// The job's user.
    public var user: String?
    /// The job's user by number.
    public var userID: UInt32?
    /// The job's account.
    public var account: String?
    /// The job's partitions.
    public var partition: String?
    /// The nodes that it holds, or held.
    public var nodeList: String?
    /// When it started.
    public var start: SimInstant?
    /// When it ended.
    public var end: SimInstant?

    /// Makes an event of nothing.
    public init() {}

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields("kind", &kind)
        try fields("now", &now)
        try fields("job_id", &jobID)
        try fields("name", &name)
        try fields("state", &state)
        try fields("user", &user)
        try fields("uid", &userID)
        try fields("account", &account)
        try fields("partition", &partition)
        try fields("node_list", &nodeList)
        try fields("start", &start)
        try fields("end", &end)
    }
}
