/// Who pays for the jobs of a user of a trace.
public struct Tenant: Hashable, Sendable {
    /// The user's name, or number in a trace that has numbers; `*` for all users of the account that
    /// have no line of their own.
    public var user: String
    /// The account.
    public var account: String
    /// The enterprise; nil when it has none.
    public var enterprise: String?
    /// Its labels.
    public var classes: [String]
    /// Where it is registered.
    public var province: String?
    /// Its sector.
    public var sector: String?
    /// The platform that its jobs use.
    public var platform: String

    /// Makes a tenant.
    public init(
        user: String,
        account: String,
        enterprise: String?,
        classes: [String],
        province: String? = nil,
        sector: String? = nil,
        platform: String
    ) {
        self.user = user
        self.account = account
        self.enterprise = enterprise
        self.classes = classes
        self.province = province
        self.sector = sector
        self.platform = platform
    }
}
