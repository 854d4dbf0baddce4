/// What an operator does to accounts and users: `POST /v1/people`, the source of `sacctmgr`.
public struct PeopleEdit: WireRequest {
    /// The settings.
    public static var parts: [String: any WireRequest.Type] { ["settings": NamedLimit.self] }

    /// What is done.
    public enum Verb: String, Hashable, Sendable, CaseIterable {
        /// Accounts or users are made.
        case add
        /// What is said of them changes.
        case modify
        /// They go.
        case delete
    }

    /// `add`, `modify` or `delete`.
    public var verb = Verb.add.rawValue
    /// `account`, `user`, `coordinator` or `qos`.
    public var entity = ""
    /// Which; for `modify` and `delete` of users all of `accounts` when it is empty.
    public var names: [String] = []
    /// For users and coordinators: of which accounts.
    public var accounts: [String] = []
    /// What is set: names as in `sacctmgr`, such as `fairshare` and `GrpTRES`; −1 takes a limit away. `AdminLevel`
    /// of a user is `None`, `Operator`, `Auditor` or `Office`.
    public var settings: [NamedLimit] = []

    /// Makes an edit of nothing.
    public init() {}

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("verb", &verb)
        try fields.required("entity", &entity)
        try fields("names", &names)
        try fields("accounts", &accounts)
        try fields("settings", &settings)
    }
}

/// What became of an edit: what changed, a line each.
public struct PeopleEditResponse: WireRecord {
    /// `account phys`, `user alice of account phys`, `coordinator bob of account phys`.
    public var changed: [String] = []

    /// Makes an answer that nothing changed.
    public init() {}

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields("changed", &changed)
    }
}
