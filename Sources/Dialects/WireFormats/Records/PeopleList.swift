public import Quantities

/// What active jobs of some people hold and ask for: what limits go by.
public struct UseInfo: WireRecord {
    /// Jobs that run.
    public var jobs: Int64 = 0
    /// Jobs that wait and could run.
    public var accruing: Int64 = 0
    /// Jobs that wait or run.
    public var submitted: Int64 = 0
    /// Cores held.
    public var cores: Int64 = 0
    /// Nodes on which anything is held.
    public var nodes: Int64 = 0
    /// Memory held. Unit: MiB.
    public var memory: Int64 = 0
    /// Cards held.
    public var cards: Int64 = 0
    /// Cores × the time that running jobs may still take. Unit: min.
    public var coreMinutes: Int64 = 0
    /// The same of nodes. Unit: min.
    public var nodeMinutes: Int64 = 0
    /// The same of memory. Unit: MiB · min.
    public var memoryMinutes: Int64 = 0
    /// The same of cards. Unit: min.
    public var cardMinutes: Int64 = 0

    /// Makes no use.
    public init() {}

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields("jobs", &jobs)
        try fields("accruing", &accruing)
        try fields("submitted", &submitted)
        try fields("cores", &cores)
        try fields("nodes", &nodes)
        try fields("memory", &memory)
        try fields("cards", &cards)
        try fields("core_minutes", &coreMinutes)
        try fields("node_minutes", &nodeMinutes)
        try fields("memory_minutes", &memoryMinutes)
        try fields("card_minutes", &cardMinutes)
    }
}

/// A limit by the name that `sacctmgr` gives it.
public struct NamedLimit: WireRequest {
    /// The name: `GrpTRES`.
    public var name = ""
    /// The value as `sacctmgr` writes it: `cpu=8`.
    public var value = ""

    /// Makes a limit without a name.
    public init() {}

    /// Makes a limit.
    public init(name: String, value: String) {
        self.name = name
        self.value = value
    }

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("name", &name)
        try fields.required("value", &value)
    }
}

/// An account, or a user of one: its shares, its limits, and what it used.
public struct AssociationInfo: WireRecord {
    /// Its number.
    public var id: UInt32 = 0
    /// The account; `root` for the whole.
    public var account = ""
    /// The user; nil for an account.
    public var user: String?
    /// The user's number on the centre's computer; nil when it has none there.
    public var userID: UInt32?
    /// The account above; nil for the root.
    public var parent: String?
    /// How deep it lies; the root at 0.
    public var depth: Int32 = 0
    /// The account for people.
    public var title: String?
    /// The enterprise that the account belongs to; nil for none.
    public var organization: String?
    /// Its shares.
    public var shares: Int32 = 1
    /// The shares of all its siblings, its own included.
    public var siblingShares: Int64 = 1
    /// What it used, with what is below it, up to the last whole period. Unit: billing · s.
    public var usage: Int64 = 0
    /// What all its siblings used, itself included. Unit: billing · s.
    public var siblingUsage: Int64 = 0
    /// The same two more exactly. Unit: 1/1000 billing · s.
    public var exactUsage: Int64 = 0
    /// What all its siblings used. Unit: 1/1000 billing · s.
    public var exactSiblingUsage: Int64 = 0
    /// What it used, with what has ended since. Unit: billing · s.
    public var endedUsage: Int64 = 0
    /// Of a user: how many users stand no higher.
    public var rank: Int64 = 0
    /// Whether it was added since use and ranks were computed last.
    public var isNewcomer = false
    /// Its limits.
    public var limits: [NamedLimit] = []
    /// Its limits with those of each job and user that accounts above set; empty where these set none.
    public var limitsInForce: [NamedLimit] = []
    /// The QOS that it may use, by itself or by what is above; empty for all.
    public var qos: [String] = []
    /// The QOS of jobs that name none.
    public var defaultQOS: String?
    /// What is said of itself of these two; empty and nil where nothing is.
    public var ownQOS: [String] = []
    /// The QOS of jobs that name none, where it is said of itself.
    public var ownDefaultQOS: String?
    /// Of a user: whether jobs that name no account go here.
    public var isDefault = false
    /// Of a user: whether an operator.
    public var isOperator = false
    /// Of a user: `Auditor` or `Office`; nil for whoever is neither.
    public var adminLevel: String?
    /// Of an account: the users who look after it and those below.
    public var coordinators: [String] = []
    /// What its active jobs hold.
    public var use = UseInfo()

    /// Makes an association of nobody.
    public init() {}

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("id", &id)
        try fields.required("account", &account)
        try fields("user", &user)
        try fields("uid", &userID)
        try fields("parent", &parent)
        try fields("depth", &depth)
        try fields("title", &title)
        try fields("organization", &organization)
        try fields("shares", &shares)
        try fields("sibling_shares", &siblingShares)
        try fields("usage", &usage)
        try fields("sibling_usage", &siblingUsage)
        try fields("exact_usage", &exactUsage)
        try fields("exact_sibling_usage", &exactSiblingUsage)
        try fields("ended_usage", &endedUsage)
        try fields("rank", &rank)
        try fields("newcomer", &isNewcomer)
        try fields("limits", &limits)
        try fields("limits_in_force", &limitsInForce)
        try fields("qos", &qos)
        try fields("default_qos", &defaultQOS)
        try fields("own_qos", &ownQOS)
        try fields("own_default_qos", &ownDefaultQOS)
        try fields("default", &isDefault)
        try fields("operator", &isOperator)
        try fields("admin_level", &adminLevel)
        try fields("coordinators", &coordinators)
        try fields("use", &use)
    }
}

extension AssociationInfo {
    /// The `AdminLevel` of a user, as `sacctmgr` shows it.
    public var shownAdminLevel: String { isOperator ? "Administrator" : adminLevel ?? "None" }
}

/// An account that somebody looks after.
public struct CoordinatedAccount: WireRecord {
    /// The account.
    public var account = ""
    /// Whether the user is a coordinator of it, and not of one above.
    public var isDirect = false

    /// Makes one without a name.
    public init() {}

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("account", &account)
        try fields("direct", &isDirect)
    }
}

/// Somebody who has a role, in an account or in none.
public struct RoleInfo: WireRecord {
    /// The user.
    public var user = ""
    /// The user's number on the centre's computer; nil when there is none.
    public var userID: UInt32?
    /// `Administrator`, `Auditor`, `Office` or `None`, as `sacctmgr` shows it.
    public var adminLevel = "None"
    /// The accounts that the user looks after, by name.
    public var coordinated: [CoordinatedAccount] = []

    /// Makes one of nobody.
    public init() {}

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("user", &user)
        try fields("uid", &userID)
        try fields("admin_level", &adminLevel)
        try fields("coordinated", &coordinated)
    }
}

extension PeopleList {
    /// The accounts that a user looks after, by name, and of which the user is a coordinator directly.
    public func coordinated(by user: String) -> [(account: String, isDirect: Bool)] {
        roles.first { $0.user == user }?.coordinated.map { ($0.account, $0.isDirect) } ?? []
    }

    /// Those of the people with roles who are in no account.
    public var withoutAccount: [RoleInfo] {
        let known = Set(associations.compactMap(\.user))
        return roles.filter { !known.contains($0.user) }
    }

    /// Leaves the users for whom something holds, and no accounts.
    public mutating func keepUsers(where isKept: (String) -> Bool) {
        associations.removeAll { $0.user.map { !isKept($0) } ?? true }
        roles.removeAll { !isKept($0.user) }
    }
}

/// What the jobs of one user or account in a QOS hold.
public struct UseOf: WireRecord {
    /// The user's number, or the account's name.
    public var name = ""
    /// What they hold.
    public var use = UseInfo()

    /// Makes the use of nobody.
    public init() {}

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("name", &name)
        try fields.required("use", &use)
    }
}

/// A quality of service.
public struct QOSInfo: WireRecord {
    /// Its number.
    public var id: UInt32 = 0
    /// The name.
    public var name = ""
    /// Its priority.
    public var priority: Int32 = 0
    /// The QOS whose jobs make way for its jobs.
    public var preempts: [String] = []
    /// What becomes of its jobs when they make way: `cluster`, `requeue`, ….
    public var preemptMode = "cluster"
    /// How long its jobs run at least; nil where nothing was said.
    public var exemptTime: SimDuration?
    /// How long its jobs go on after they were told to stop.
    public var graceTime = SimDuration.zero
    /// Its flags.
    public var flags: [String] = []
    /// What its jobs' use counts. Unit: 1/1000.
    public var usageFactor: Int32 = 1_000
    /// Its limits.
    public var limits: [NamedLimit] = []
    /// What its active jobs hold.
    public var use = UseInfo()
    /// The same by user.
    public var users: [UseOf] = []
    /// The same by account.
    public var accounts: [UseOf] = []

    /// Makes a QOS without a name.
    public init() {}

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("id", &id)
        try fields.required("name", &name)
        try fields("priority", &priority)
        try fields("preempts", &preempts)
        try fields("preempt_mode", &preemptMode)
        try fields("exempt_time", &exemptTime)
        try fields("grace_time", &graceTime)
        try fields("flags", &flags)
        try fields("usage_factor", &usageFactor)
        try fields("limits", &limits)
        try fields("use", &use)
        try fields("users", &users)
        try fields("accounts", &accounts)
    }
}

/// The answer to `GET /v1/people`.
public struct PeopleList: WireRecord {
    /// The centre's time of the answer.
    public var now = SimInstant.epoch
    /// The centre's name.
    public var cluster = ""
    /// The names of its clusters, its own first.
    public var clusters: [String] = []
    /// How many users have ranks.
    public var ranked: Int64 = 0
    /// Accounts and users from the root down: users before accounts, each by name.
    public var associations: [AssociationInfo] = []
    /// Everybody who has a role, by name.
    public var roles: [RoleInfo] = []
    /// The qualities of service; that of jobs that name none first.
    public var qos: [QOSInfo] = []

    /// Makes an empty list.
    public init() {}

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("now", &now)
        try fields.required("cluster", &cluster)
        try fields("clusters", &clusters)
        try fields("ranked", &ranked)
        try fields("associations", &associations)
        try fields("roles", &roles)
        try fields("qos", &qos)
    }
}
