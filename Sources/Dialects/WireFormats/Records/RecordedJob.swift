public import Quantities

/// A job as the scheduler met it, with everything that decided about it: what a replay needs to take
/// the same decisions again. `sacct` prints it in the column `Replay`.
public struct RecordedJob: WireRecord, Codable {
    /// Its number.
    public var id: UInt32 = 0
    /// When it was submitted.
    public var submit = SimInstant.epoch
    /// Where it may run, in the order to try.
    public var partitions: [String] = []
    /// What it asks for.
    public var request = RecordedRequest()
    /// Its time limit.
    public var timeLimit = SimDuration.zero
    /// What was added to its priority, or given instead of one.
    public var priority: Int64 = 0
    /// Whether `priority` takes the place of all factors.
    public var isPriorityFixed = false
    /// Its user.
    public var user = ""
    /// The account that is charged.
    public var account = ""
    /// Its quality of service.
    public var qos = "normal"
    /// The number of its job array; nil when it is in none.
    public var array: UInt32?
    /// How many elements of the array may run at once; nil for all.
    public var arrayMaximum: Int32?
    /// Whether its turn comes after that of the other elements, whatever its number; nil for no.
    public var isArrayLast: Bool?
    /// The number of the first component of its heterogeneous job; nil when it is in none.
    public var hetJob: UInt32?
    /// Its place among the components, from 0.
    public var hetOffset: Int32 = 0
    /// How many components there are.
    public var hetSize: Int32 = 0
    /// The licences that it holds, as `--licenses` takes them; nil for none.
    public var licenses: String?
    /// Not to be started before.
    public var begin: SimInstant?
    /// To be over by then, or not to start at all.
    public var deadline: SimInstant?
    /// To have started by then, or to be given up.
    public var startsBy: SimInstant?
    /// Who holds it from the start: `user` or `admin`; nil for nobody.
    public var hold: String?
    /// What it waits for.
    public var dependencies: [RecordedDependency] = []
    /// Whether one fulfilled dependency is enough.
    public var needsAnyDependency = false
    /// Its name, by which `singleton` finds jobs of one user.
    public var name: String?
    /// Nodes that it must get, as a host list.
    public var requiredNodes: String?
    /// Nodes that it must not get.
    public var excludedNodes: String?
    /// Whether it waits again when a node of it fails.
    public var isRequeuable = false
    /// Whether somebody sits and waits for it, so that a delayed pass comes at once.
    public var isAwaited = false
    /// How long it ran, or would run if it had not been cut short.
    public var runTime: SimDuration?
    /// Slurm's name of its end state; empty while it has not ended.
    public var state = ""
    /// What people did to it, in order.
    public var actions: [RecordedAction] = []

    /// Makes an empty record.
    public init() {}

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("id", &id)
        try fields.required("submit", &submit)
        try fields.required("partitions", &partitions)
        try fields.required("request", &request)
        try fields.required("limit", &timeLimit)
        try fields("priority", &priority)
        try fields("priority_fixed", &isPriorityFixed)
        try fields("user", &user)
        try fields("account", &account)
        try fields("qos", &qos)
        try fields("array", &array)
        try fields("array_maximum", &arrayMaximum)
        try fields.ifPresent("array_last", &isArrayLast)
        try fields("het_job", &hetJob)
        try fields("het_offset", &hetOffset)
        try fields("het_size", &hetSize)
        try fields("licenses", &licenses)
        try fields("begin", &begin)
        try fields("deadline", &deadline)
        try fields("starts_by", &startsBy)
        try fields("hold", &hold)
        try fields("dependencies", &dependencies)
        try fields("any_dependency", &needsAnyDependency)
        try fields("name", &name)
        try fields("nodes", &requiredNodes)
        try fields("exclude", &excludedNodes)
        try fields("requeue", &isRequeuable)
        try fields("awaited", &isAwaited)
        try fields("run", &runTime)
        try fields("state", &state)
        try fields("actions", &actions)
    }
}

extension RecordedJob {
    /// The record as one line of JSON, without the members that say nothing special.
    public var compactText: String {
        trimmed.compactText
    }

    private static let usual = Self().json
    private static let needed: Set = ["id", "submit", "partitions", "request", "limit"]

    private var trimmed: JSONValue {
        let object = Self.trimmed(json, Self.usual, keeping: Self.needed)
        guard let members = object.members, !actions.isEmpty else { return object }
        let usual = RecordedAction().json
        let list = actions.map { action in
            let short = Self.trimmed(action.json, usual, keeping: ["at", "do"])
            guard let job = action.job.first else { return short }
            return .object(
                (short.members ?? []).map { member in
                    member.name == "job"
                        ? JSONValue.Member(member.name, .array([job.trimmed])) : member
                }
            )
        }
        return .object(
            members.map { $0.name == "actions" ? JSONValue.Member($0.name, .array(list)) : $0 }
        )
    }

    private static func trimmed(
        _ json: JSONValue,
        _ usual: JSONValue,
        keeping needed: Set<String>
    ) -> JSONValue {
        guard let members = json.members, let others = usual.members else { return json }
        var kept: [JSONValue.Member] = []
        // Both have their members in one order; few are missing in one of them.
        var next = 0
        for member in members {
            let place =
                next < others.count && others[next].name == member.name
                ? next : others.firstIndex { $0.name == member.name }
            next = (place ?? next - 1) + 1
            let other = place.map { others[$0].value }
            guard other != member.value || needed.contains(member.name) else { continue }
            guard let other, other.members != nil else {
                kept.append(member)
                continue
            }
            kept.append(JSONValue.Member(member.name, trimmed(member.value, other, keeping: [])))
        }
        return .object(kept)
    }
}

/// What a recorded job asks for: the members of `ResourceRequest`.
public struct RecordedRequest: WireRecord, Codable {
    /// The number of chunks.
    public var chunks: Int32 = 1
    /// The most of them; nil for no more than `chunks`.
    public var chunksMaximum: Int32?
    /// On how many nodes at least; 0 when any number will do.
    public var nodesMinimum: Int32 = 0
    /// On how many at most; nil for any number.
    public var nodesMaximum: Int32?
    /// Cores of a chunk.
    public var cores: Int32 = 1
    /// Memory of a chunk. Unit: MiB.
    public var memory: Int32 = 0
    /// Cards of a chunk.
    public var cards: Int32 = 0
    /// The part of its card. Unit: 1/1000.
    public var cardShare: Int32 = 1_000
    /// Memory of a node beside that of its chunks. Unit: MiB.
    public var nodeMemory: Int32 = 0
    /// Cards of a node beside those of its chunks.
    public var nodeCards: Int32 = 0
    /// How many chunks a node may hold; nil for any number.
    public var chunksPerNode: Int32?
    /// Whether nodes are held whole.
    public var isExclusive = false
    /// Whether nodes are kept for its user.
    public var keepsNodes = false

    /// Makes a request for one core.
    public init() {}

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields("chunks", &chunks)
        try fields("chunks_maximum", &chunksMaximum)
        try fields("nodes_minimum", &nodesMinimum)
        try fields("nodes_maximum", &nodesMaximum)
        try fields("cores", &cores)
        try fields("memory", &memory)
        try fields("cards", &cards)
        try fields("card_share", &cardShare)
        try fields("node_memory", &nodeMemory)
        try fields("node_cards", &nodeCards)
        try fields("per_node", &chunksPerNode)
        try fields("exclusive", &isExclusive)
        try fields("keeps_nodes", &keepsNodes)
    }
}

/// What a recorded job waits for.
public struct RecordedDependency: WireRecord, Codable {
    /// The name of the kind, as `--dependency` takes it.
    public var kind = ""
    /// The numbers of the other jobs, the first and the last.
    public var first: UInt32 = 0
    /// The last of them.
    public var last: UInt32 = 0
    /// For `after`: how long after the start.
    public var delay = SimDuration.zero

    /// Makes an empty dependency.
    public init() {}

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("kind", &kind)
        try fields("first", &first)
        try fields("last", &last)
        try fields("delay", &delay)
    }
}

/// What somebody did to a recorded job.
public struct RecordedAction: WireRecord, Codable {
    /// When.
    public var instant = SimInstant.epoch
    /// `cancel`, `end_on_invalid`, `hold`, `hold_admin`, `release`, `requeue`, `suspend`, `resume`, `requeuable` (value: 0 or 1), `limit` (value: µs),
    /// `priority`, `fixed_priority`, `array_limit` (value: how many, 0 for all), `name` (text) or
    /// `request`.
    public var kind = ""
    /// The new value, where there is one.
    public var value: Int64?
    /// The new text, where there is one.
    public var text: String?
    /// For `request`: the job as it is from then on.
    public var job: [RecordedJob] = []

    /// The kind of the end of a job whose dependency could not be fulfilled any more.
    public static let endOnInvalid = "end_on_invalid"

    /// Makes an empty action.
    public init() {}

    /// Makes an action.
    public init(
        _ kind: String,
        at instant: SimInstant,
        value: Int64? = nil,
        text: String? = nil
    ) {
        self.kind = kind
        self.instant = instant
        self.value = value
        self.text = text
    }

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("at", &instant)
        try fields.required("do", &kind)
        try fields("value", &value)
        try fields("text", &text)
        try fields("job", &job)
    }
}
