/// A charge or refund of a bill: a run in a month, or a day of storage.
public struct BillCharge: WireRecord {
    /// The entry of the ledger.
    public var entry = ""
    /// The account.
    public var account = ""
    /// The job; nil for storage.
    public var job: UInt32?
    /// Who submitted it.
    public var user = ""
    /// Where it ran or was stored.
    public var platform = ""
    /// The partition; empty for storage.
    public var partition = ""
    /// The quality of service; empty when there was none.
    public var qos = ""
    /// The final state; empty for storage.
    public var state = ""
    /// The start of the usage, in Asia/Shanghai; nil when the job never started.
    public var start: String?
    /// The end of the usage, in Asia/Shanghai.
    public var end = ""
    /// Nodes held.
    public var nodes: Int64 = 0
    /// Cores × time. Unit: core·s.
    public var coreSeconds: Int64 = 0
    /// Cards × time. Unit: card·s.
    public var cardSeconds: Int64 = 0
    /// The fee, below zero what was given back. Unit: fen.
    public var amount: Int64 = 0

    /// Makes an empty charge.
    public init() {}

    /// Names every member once, in the order in which they are written.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("entry", &entry)
        try fields("account", &account)
        try fields("job", &job)
        try fields("user", &user)
        try fields("platform", &platform)
        try fields("partition", &partition)
        try fields("qos", &qos)
        try fields("state", &state)
        try fields("start", &start)
        try fields("end", &end)
        try fields("nodes", &nodes)
        try fields("core_seconds", &coreSeconds)
        try fields("card_seconds", &cardSeconds)
        try fields.required("amount_fen", &amount)
    }
}
