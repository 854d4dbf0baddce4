/// Which jobs of the queue are wanted: the parameters of `GET /v1/jobs`. A job is listed when it has all
/// that is named.
public struct JobQuery: Hashable, Sendable {
    /// Only these jobs, or arrays; nil for all.
    public var ids: [UInt32]?
    /// Only of these users, by name or number.
    public var users: [String]?
    /// Only of these accounts.
    public var accounts: [String]?
    /// Only in these partitions.
    public var partitions: [String]?
    /// Only of these clusters: names, `own` or `all`; nil for all.
    public var clusters: [String]?
    /// Only in these states, by Slurm's long names.
    public var states: [String]?
    /// Whether jobs that have ended lately are wanted too.
    public var includesEnded = false
    /// The members of a job that are wanted, by name; nil for all.
    public var fields: Set<String>?
    /// Whether jobs that wait say when and where they are expected to start; nil leaves it to `fields`.
    public var looksAhead: Bool?

    /// Asks for all jobs that have not ended.
    public init() {}

    /// The names of all parameters.
    public static let names = [
        "id", "user", "account", "partition", "cluster", "state", "ended", "fields", "ahead",
    ]

    /// Reads parameters.
    ///
    /// - Throws: `JSONValue.Malformed`, with the parameter that is wrong.
    public init(
        _ parameters: some Sequence<(key: String, value: String)>
    ) throws(JSONValue.Malformed) {
        let read = try QueryParameters(parameters, known: Self.names)
        ids = try read.numbers("id")
        users = read.words("user")
        accounts = read.words("account")
        partitions = read.words("partition")
        clusters = read.words("cluster")
        states = read.words("state")
        includesEnded = read["ended"] == "1"
        fields = read.words("fields").map { Set($0) }
        looksAhead = read["ahead"].map { $0 == "1" }
    }

    /// The path and the parameters.
    public var target: String {
        var parameters: [(name: String, value: String)] = []
        func add(_ name: String, _ words: [String]?) {
            if let words { parameters.append((name, words.joined(separator: ","))) }
        }
        add("id", ids.map { $0.map { String($0) } })
        add("user", users)
        add("account", accounts)
        add("partition", partitions)
        add("cluster", clusters)
        add("state", states)
        if includesEnded { parameters.append(("ended", "1")) }
        add("fields", fields?.sorted())
        if let looksAhead { parameters.append(("ahead", looksAhead ? "1" : "0")) }
        return QueryParameters.target("/v1/jobs", parameters)
    }

    /// Whether a look ahead is wanted: asked for by name, or by a member that needs one. Who names no members
    /// gets it for single jobs.
    public var wantsForecast: Bool {
        if let looksAhead { return looksAhead }
        guard let fields else { return ids != nil }
        return fields.contains("expected_start") || fields.contains("scheduled_nodes")
    }
}
