public import Accounts

/// Who pays for jobs.
public struct AccountEntry: Hashable, Sendable, Codable {
    /// What kind of customer an account belongs to; subsidy rules name these.
    public enum CustomerClass: String, Hashable, Sendable, CaseIterable, Codable {
        /// A company.
        case enterprise
        /// A technology company of small or medium size.
        case techSME = "tech_sme"
        /// A young company.
        case startup
        /// A university or a laboratory of one.
        case university
        /// A research institute.
        case institute
        /// A maker without legal person, in an incubator.
        case maker
        /// A broker of compute services.
        case broker
        /// A natural person, or nobody that was registered.
        case individual
    }

    /// The name that jobs give with `--account`: `bohai-motor`.
    public var name: String
    /// The name for people and statements.
    public var title: String
    /// The enterprise that a yearly subsidy cap counts; nil when the account belongs to none.
    ///
    /// Several accounts may belong to one enterprise: they share its cap.
    public var enterprise: String?
    /// What kind of customer it is.
    public var customerClass: CustomerClass
    /// The district that it is registered in: "TEDA".
    public var registeredIn: String?
    /// What it computes.
    public var description: String
    /// How far it may go into debt, reservations of running jobs included; nil for no bound, zero
    /// for an account that pays in advance. Unit: fen.
    public var creditLimitFen: Int64?
    /// Who may spend its money and read its bills, besides those who have a role for that; nil for everybody.
    public var users: [String]?
    /// The account that it belongs to, for shares and limits; nil for none.
    public var parent: String?
    /// Its shares beside those of its siblings, and its limits.
    public var settings = AssociationSettings()
    /// What is said of some of its users; others have one share, and the limits of the account.
    public var members: [Member] = []
    /// The QOS that its users may use, by name; nil for what the account above says, in the end all.
    public var qos: [String]?
    /// The QOS of its users' jobs that name none; nil for what the account above says.
    public var defaultQOS: String?
    /// The highest security level of partitions that its jobs may use; nil for what the account above says,
    /// in the end 1.
    public var clearance: Int32?
    /// The number under which the customer pays tax (统一社会信用代码).
    public var taxID: String?
    /// The contract under which it is charged.
    public var contract: String?

    /// The users who look after it and those below it.
    public var coordinators: [String] = []

    /// Makes an account.
    public init(
        name: String,
        title: String,
        enterprise: String? = nil,
        customerClass: CustomerClass,
        registeredIn: String? = nil,
        description: String = "",
        users: [String]? = nil
    ) {
        self.name = name
        self.title = title
        self.enterprise = enterprise
        self.customerClass = customerClass
        self.registeredIn = registeredIn
        self.description = description
        self.users = users
    }

    /// Whether the user of this name may spend its money and read its bills.
    public func isOpen(to user: String) -> Bool { users?.contains(user) ?? true }
}

extension AccountEntry {
    /// What is said of one user of an account.
    public struct Member: Hashable, Sendable, Codable {
        /// The user's name.
        public var name: String
        /// Whether the user's jobs that name no account go to this one.
        public var isDefault: Bool
        /// Shares and limits.
        public var settings: AssociationSettings
        /// The QOS that the user may use, by name; nil for those of the account.
        public var qos: [String]?
        /// The QOS of the user's jobs that name none; nil for that of the account.
        public var defaultQOS: String?

        /// Makes a member with one share and no limits.
        public init(name: String) {
            self.name = name
            isDefault = false
            settings = AssociationSettings()
        }
    }
}

/// A billing platform: what a statement lists separately and subsidy rules name.
public struct Platform: Hashable, Sendable, Codable {
    /// The name: `tianhe`.
    public var name: String
    /// The name for people and statements.
    public var title: String
    /// Whether it counts as a key compute platform (重点算力平台), whose use is subsidised.
    public var isKey: Bool
    /// What 10¹² bytes kept over one day cost there; 0 where nothing is charged for. Unit: µfen.
    public var storageMicrofen: Int64

    /// 10¹⁸ bytes at this price stay below 10¹⁵ fen. Unit: µfen.
    public static let storageMicrofenMaximum: Int64 = 100_000_000_000

    /// Makes a platform.
    public init(name: String, title: String, isKey: Bool, storageMicrofen: Int64 = 0) {
        self.name = name
        self.title = title
        self.isKey = isKey
        self.storageMicrofen = storageMicrofen
    }
}
