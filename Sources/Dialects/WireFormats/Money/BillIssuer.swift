/// Who issues a bill.
public struct BillIssuer: WireRecord {
    /// The registered name; may be in two languages: `Centre (中心)`.
    public var name = ""
    /// The number under which it pays tax.
    public var taxID: String?
    /// The registered address.
    public var address: String?
    /// The telephone.
    public var phone: String?
    /// The bank that keeps its account.
    public var bank: String?
    /// The number of that account.
    public var bankAccount: String?

    /// Makes an issuer without a name.
    public init() {}

    /// Names every member once, in the order in which they are written.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields("name", &name)
        try fields("tax_id", &taxID)
        try fields("address", &address)
        try fields("phone", &phone)
        try fields("bank", &bank)
        try fields("bank_account", &bankAccount)
    }
}
