/// Which records of the accounts are wanted: the parameters of `GET /v1/accounting`.
public struct AccountingQuery: Hashable, Sendable {
    /// Only of these jobs, or arrays; nil for all.
    public var ids: [UInt32]?
    /// Only of these users, by name or number.
    public var users: [String]?
    /// Only of these accounts.
    public var accounts: [String]?
    /// Only of these clusters: names, `own` or `all`; nil for all.
    public var clusters: [String]?
    /// Only of runs that had not ended by then, in Slurm's words: `today`, `2026-11-01`. What is no time
    /// leaves nothing out.
    public var from: String?
    /// Only of jobs that were submitted by then.
    public var until: String?
    /// Which members of records are wanted, by name; nil for all. Some are always there: by them records are
    /// told from one another.
    public var fields: Set<String>?

    /// Asks for all records.
    public init() {}

    /// The names of all parameters.
    public static let names = ["id", "user", "account", "cluster", "from", "until", "fields"]

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
        clusters = read.words("cluster")
        from = read["from"]
        until = read["until"]
        fields = read.words("fields").map { Set($0) }
    }

    /// The path and the parameters.
    public var target: String {
        var parameters: [(name: String, value: String)] = []
        if let ids {
            parameters.append(("id", ids.map { String($0) }.joined(separator: ",")))
        }
        if let users { parameters.append(("user", users.joined(separator: ","))) }
        if let accounts { parameters.append(("account", accounts.joined(separator: ","))) }
        if let clusters { parameters.append(("cluster", clusters.joined(separator: ","))) }
        if let from { parameters.append(("from", from)) }
        if let until { parameters.append(("until", until)) }
        if let fields {
            parameters.append(("fields", fields.sorted().joined(separator: ",")))
        }
        return QueryParameters.target("/v1/accounting", parameters)
    }
}
