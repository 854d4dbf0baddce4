/// What somebody is in a centre, beside being a user of it. A role gives, and takes nothing away.
public enum Role: String, Hashable, Sendable, CaseIterable {
    /// Has no role: whoever is known to the computer.
    case user
    /// Looks after an account and those below it.
    case coordinator
    /// Prepares claims and forecasts: sees the money of all, and jobs of none.
    case office
    /// Reads all books and records, and changes nothing of others.
    case auditor
    /// Runs the centre.
    case `operator`
}

/// What not everybody may do.
public enum Power: String, Hashable, Sendable, CaseIterable {
    /// To see jobs and their use where `PrivateData` hides them.
    case seeJobs = "see jobs"
    /// To read what each job cost, its command line and its comment, and charges one by one.
    case readCharges = "read charges"
    /// To read what an account owes, has and was granted, and its claims: what each job was granted.
    case readMoney = "read money"
    /// To change jobs, and to read their scripts and environments.
    case changeJobs = "change jobs"
    /// To make, change and remove users, shares, limits and coordinators of accounts.
    case changePeople = "change people"
    /// Everything else: nodes, partitions, reservations, QOS, roles, the books, the clock.
    case operate
}

/// How far a power goes.
public enum Reach: String, Hashable, Sendable, CaseIterable, Comparable {
    /// It is not given.
    case nothing = "-"
    /// The user's own jobs; for charges and money also the accounts that are open to the user.
    case own
    /// The same, and all of the accounts that the user coordinates, with those below.
    case accounts
    /// All.
    case all

    /// Whether it is nearer.
    public static func < (one: Reach, other: Reach) -> Bool { one.rank < other.rank }

    private var rank: Int {
        switch self {
        case .nothing: 0
        case .own: 1
        case .accounts: 2
        case .all: 3
        }
    }
}

extension Role {
    /// How far a power goes for whoever has this role: the one table by which all requests are judged, whatever
    /// way they come.
    public func reach(of power: Power) -> Reach {
        switch (self, power) {
        case (.operator, _): .all
        case (.auditor, .seeJobs), (.auditor, .readCharges), (.auditor, .readMoney): .all
        case (.office, .readMoney): .all
        case (_, .operate): .nothing
        case (.coordinator, _): .accounts
        case (_, .changePeople): .nothing
        case (_, .seeJobs), (_, .readCharges), (_, .readMoney), (_, .changeJobs): .own
        }
    }

    /// What `sacctmgr` calls it as the `AdminLevel` of a user; nil for what is no such level. Slurm has the first
    /// two, which are one here.
    public static func named(adminLevel word: String) -> Role? {
        switch word.lowercased() {
        case "operator", "administrator": .operator
        case "auditor": .auditor
        case "office": .office
        case "none": .user
        default: nil
        }
    }

    /// What `sacctmgr` calls it; a coordinator has no level.
    public var adminLevel: String {
        switch self {
        case .user, .coordinator: "None"
        case .office: "Office"
        case .auditor: "Auditor"
        case .operator: "Administrator"
        }
    }

    /// The words that `named(adminLevel:)` knows.
    public static let adminLevels = ["None", "Operator", "Administrator", "Auditor", "Office"]
}

/// Who has which role in a centre with certain customers: found once for each change of customers, and asked for
/// each request.
public final class RoleBook: Sendable {
    let accounts: [AccountEntry]
    let places: [String: Int]
    private let operators: Set<String>
    private let auditors: Set<String>
    private let office: Set<String>
    private let coordinators: Set<String>

    /// Takes note of a machine's customers.
    ///
    /// - Complexity: O(accounts).
    public init(_ machine: Machine) {
        accounts = machine.accounts
        places = machine.accounts.places
        operators = Set(machine.operators)
        auditors = Set(machine.auditors)
        office = Set(machine.office)
        coordinators = Set(machine.accounts.lazy.flatMap(\.coordinators))
    }

    /// What a user may do.
    ///
    /// - Parameter isOwner: whether it is root, or who started the centre.
    public func rights(of user: String, isOwner: Bool = false) -> Rights {
        Rights(user: user, roles: roles(of: user, isOwner: isOwner), book: self)
    }

    private func roles(of user: String, isOwner: Bool) -> Set<Role> {
        // Whoever may do everything need not be looked for among the others.
        guard !isOwner, !operators.contains(user) else { return [.user, .operator] }
        var roles: Set<Role> = [.user]
        if auditors.contains(user) { roles.insert(.auditor) }
        if office.contains(user) { roles.insert(.office) }
        if coordinators.contains(user) { roles.insert(.coordinator) }
        return roles
    }
}

/// What one user may do in a centre as it is now.
public struct Rights: Sendable {
    /// The user's name.
    public let user: String
    /// The user's roles; everybody has that of a user.
    public let roles: Set<Role>
    private let book: RoleBook

    fileprivate init(user: String, roles: Set<Role>, book: RoleBook) {
        self.user = user
        self.roles = roles
        self.book = book
    }

    /// Looks up what a user is, for whoever asks once; who asks more often keeps a `RoleBook`.
    ///
    /// - Parameter isOwner: whether it is root, or who started the centre.
    /// - Complexity: O(accounts).
    public init(of user: String, in machine: Machine, isOwner: Bool = false) {
        self = RoleBook(machine).rights(of: user, isOwner: isOwner)
    }

    /// The farthest that a power goes in one of the user's roles.
    public func reach(of power: Power) -> Reach {
        roles.reduce(.nothing) { max($0, $1.reach(of: power)) }
    }

    /// Whether a power is given for all.
    public func may(_ power: Power) -> Bool { reach(of: power) == .all }

    /// Whether a power is given over an account, whoever's jobs are meant.
    public func may(_ power: Power, in account: String) -> Bool {
        switch reach(of: power) {
        case .nothing: false
        case .own: isOpen(power, account)
        case .accounts: coordinates(account) || isOpen(power, account)
        case .all: true
        }
    }

    /// Whether a power is given over a job of an account.
    ///
    /// - Parameter isOwn: whether the job is the user's own.
    public func may(_ power: Power, toJobOf account: String, isOwn: Bool) -> Bool {
        isOwn && reach(of: power) != .nothing || may(power, in: account)
    }

    /// Whether the user is a coordinator of an account, or of one above it.
    private func coordinates(_ account: String) -> Bool {
        roles.contains(.coordinator)
            && book.accounts.isCoordinated(account, by: user) { book.places[$0] }
    }

    /// A user may read the books and charges of an account whose money the user may spend. An account that is in
    /// the books only, since the machine's file does not list it any more, is open to nobody.
    private func isOpen(_ power: Power, _ account: String) -> Bool {
        guard power == .readMoney || power == .readCharges else { return false }
        return book.places[account].map { book.accounts[$0].isOpen(to: user) } ?? false
    }
}
