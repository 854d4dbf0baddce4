public import Quantities

/// Makes a reservation or changes one: `POST /v1/reservations`, `/v1/reservations/update`.
///
/// A member that is nil stays as it is, or has the usual value. Names are those of
/// `scontrol create reservation` (Slurm 22.05).
public struct ReservationRequest: WireRequest {
    /// Its name; nil for a new one that gets the name of its first user or account, and a number.
    public var name: String?
    /// When it begins.
    public var start: SimInstant?
    /// When it ends.
    public var end: SimInstant?
    /// How long it lasts, in place of an end.
    public var duration: SimDuration?
    /// Its nodes, as a host list; `ALL` for all of the partition.
    public var nodes: String?
    /// How many nodes it has, where they are not named.
    public var nodeCount: Int32?
    /// How many cores it has, on whole nodes, where nothing else is said.
    public var coreCount: Int64?
    /// The partition from which nodes are chosen.
    public var partition: String?
    /// Who may use it, separated by commas; `-` before the first: all but these.
    public var users: String?
    /// Users who come in addition.
    public var usersAdded: String?
    /// Users who go.
    public var usersRemoved: String?
    /// Whose jobs may use it, as `users`.
    public var accounts: String?
    /// Accounts that come in addition.
    public var accountsAdded: String?
    /// Accounts that go.
    public var accountsRemoved: String?
    /// `MAINT`, `IGNORE_JOBS`, `OVERLAP`, `FLEX`, `DAILY`, `WEEKLY`, `ANY_NODES`, separated by commas.
    public var flags: String?
    /// How long it may be idle before it goes away (`PURGE_COMP`).
    public var idleMaximum: SimDuration?

    /// Makes a request that says nothing.
    public init() {}

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields("name", &name)
        try fields("start", &start)
        try fields("end", &end)
        try fields("duration", &duration)
        try fields("nodes", &nodes)
        try fields("node_count", &nodeCount)
        try fields("core_count", &coreCount)
        try fields("partition", &partition)
        try fields("users", &users)
        try fields("users_added", &usersAdded)
        try fields("users_removed", &usersRemoved)
        try fields("accounts", &accounts)
        try fields("accounts_added", &accountsAdded)
        try fields("accounts_removed", &accountsRemoved)
        try fields("flags", &flags)
        try fields("idle_maximum", &idleMaximum)
    }
}

/// Names a reservation: `POST /v1/reservations/delete`, and the answer to a new one.
public struct ReservationName: WireRequest {
    /// The name.
    public var name = ""

    /// Names none.
    public init() {}

    /// Names one.
    public init(_ name: String) {
        self.name = name
    }

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("name", &name)
    }
}

/// A reservation as it is: an element of `GET /v1/reservations`.
public struct ReservationInfo: WireRecord {
    /// Its name.
    public var name = ""
    /// When it began or begins.
    public var start = SimInstant.epoch
    /// When that time is over.
    public var end = SimInstant.epoch
    /// Its nodes, as a host list; empty when it has none.
    public var nodeList = ""
    /// How many these are.
    public var nodeCount: Int32 = 0
    /// Their cores.
    public var coreCount: Int64 = 0
    /// The partition from which they were chosen; nil when they were named.
    public var partition: String?
    /// Its flags as Slurm prints them, separated by commas.
    public var flags = ""
    /// Who may use it; nil when that does not matter.
    public var users: String?
    /// Whose jobs may use it; nil when that does not matter.
    public var accounts: String?
    /// Whether it has begun.
    public var isActive = false

    /// Makes an empty record.
    public init() {}

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("name", &name)
        try fields("start", &start)
        try fields("end", &end)
        try fields("node_list", &nodeList)
        try fields("node_count", &nodeCount)
        try fields("core_count", &coreCount)
        try fields("partition", &partition)
        try fields("flags", &flags)
        try fields("users", &users)
        try fields("accounts", &accounts)
        try fields("active", &isActive)
    }
}

/// The answer to `GET /v1/reservations`.
public struct ReservationList: WireRecord {
    /// By number.
    public var reservations: [ReservationInfo] = []

    /// Makes an empty list.
    public init() {}

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields("reservations", &reservations)
    }
}
