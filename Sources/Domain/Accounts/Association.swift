import JobModel

/// What an account, or a user of one, may have and do.
public struct AssociationSettings: Hashable, Sendable, Codable {
    /// Its part of what its parent is entitled to, beside its siblings'. 0 is nothing at all.
    public var shares: Int32
    /// Its limits.
    public var limits: Limits

    /// One share and no limits.
    public init(shares: Int32 = 1, limits: Limits = Limits()) {
        self.shares = shares
        self.limits = limits
    }

    /// The most shares that one association can have.
    public static let sharesMaximum: Int32 = 1_000_000
}

/// A node of the tree of accounts and their users.
public struct Association: Sendable, Codable {
    /// The association above; −1 for the root.
    public internal(set) var parent: Int32
    /// The number of the account; −1 for the root.
    public let account: Int32
    /// The number of the user; −1 for an account.
    public let user: Int32
    /// Whether it is a user of an account.
    public let isUser: Bool
    /// What it may have and do.
    public internal(set) var settings: AssociationSettings
    /// Those below it, in order of arrival.
    public internal(set) var children: [Int32] = []
}

/// Accounts in accounts, with users as leaves: who belongs to whom.
///
/// A driver names accounts and users by numbers. Whoever is not known gets a place when a job of
/// theirs arrives, with one share and no limits: an account below the root, a user below its account.
public struct Associations: Sendable, Codable {
    /// The associations by their positions; the root is the first.
    public private(set) var list: ContiguousArray<Association>
    /// How many users there are: what ranks go by.
    public private(set) var userCount = 0
    /// Only looked up.
    private var accountPlaces: [Int32: Int32] = [:]
    private var userPlaces: [Member: Int32] = [:]

    private struct Member: Hashable, Codable {
        var account: Int32
        var user: Int32
    }

    /// The root alone.
    public init() {
        list = [
            Association(
                parent: -1,
                account: -1,
                user: -1,
                isUser: false,
                settings: AssociationSettings()
            )
        ]
    }

    /// The place of an account, made below the root when it is new.
    @discardableResult
    public mutating func account(_ account: Int32) -> Int32 {
        accountPlaces[account] ?? add(account: account, below: 0)
    }

    /// The place of a user of an account, made when it is new.
    @discardableResult
    public mutating func user(_ user: Int32, of account: Int32) -> Int32 {
        if let place = userPlaces[Member(account: account, user: user)] { return place }
        let parent = self.account(account)
        let place = append(account: account, user: user, isUser: true, below: parent)
        userPlaces[Member(account: account, user: user)] = place
        userCount += 1
        return place
    }

    /// Adds an account below another.
    ///
    /// - Precondition: it is not there yet.
    @discardableResult
    public mutating func add(account: Int32, below parent: Int32) -> Int32 {
        precondition(accountPlaces[account] == nil, "account \(account) is there already")
        let place = append(account: account, user: -1, isUser: false, below: parent)
        accountPlaces[account] = place
        return place
    }

    private mutating func append(
        account: Int32,
        user: Int32,
        isUser: Bool,
        below parent: Int32
    ) -> Int32 {
        let place = Int32(list.count)
        list.append(
            Association(
                parent: parent,
                account: account,
                user: user,
                isUser: isUser,
                settings: AssociationSettings()
            )
        )
        list[Int(parent)].children.append(place)
        return place
    }

    /// The place of an account that is there; nil when it is not.
    public func place(ofAccount account: Int32) -> Int32? { accountPlaces[account] }

    /// The place of a user of an account that is there; nil when it is not.
    public func place(ofUser user: Int32, in account: Int32) -> Int32? {
        userPlaces[Member(account: account, user: user)]
    }

    /// Lets an account, with all below it, stand below another.
    ///
    /// A new parent that stood below the account takes the account's place first.
    ///
    /// - Precondition: it is an account, as is `parent`, and no account is to stand below itself.
    /// - Returns: the accounts that have other users below them now.
    ///
    /// Source: Slurm's `_move_parent` of `as_mysql_assoc.c`.
    @discardableResult
    public mutating func move(_ place: Int32, below parent: Int32) -> [Int32] {
        let old = list[Int(place)].parent
        guard old != parent else { return [] }
        precondition(place > 0 && place != parent, "no account stands below itself")
        precondition(!list[Int(place)].isUser && !list[Int(parent)].isUser, "users are leaves")
        let left = chain(from: old)
        let isBelow = chain(from: parent).contains(place)
        if isBelow { hang(parent, below: old) }
        hang(place, below: parent)
        let reached = chain(from: parent)
        let kept = Set(left).intersection(reached)
        // An account that was below this one lost others, and won it.
        return (left + reached).filter { !kept.contains($0) } + (isBelow ? [place] : [])
    }

    private mutating func hang(_ place: Int32, below parent: Int32) {
        list[Int(list[Int(place)].parent)].children.removeAll { $0 == place }
        list[Int(place)].parent = parent
        list[Int(parent)].children.append(place)
    }

    /// All places, those below before those above. As long as nothing was moved, that is the list from its end.
    public func upward() -> [Int32] {
        var order: [Int32] = []
        order.reserveCapacity(list.count)
        var walk: [Int32] = [0]
        while let place = walk.popLast() {
            order.append(place)
            walk += list[Int(place)].children
        }
        return order.reversed()
    }

    /// Gives an association other settings.
    public mutating func set(_ place: Int32, to settings: AssociationSettings) {
        precondition((0...AssociationSettings.sharesMaximum).contains(settings.shares))
        list[Int(place)].settings = settings
    }

    /// An association and those above it, up to the root.
    public func chain(from place: Int32) -> [Int32] {
        var chain: [Int32] = []
        var next = place
        while next >= 0 {
            chain.append(next)
            next = list[Int(next)].parent
        }
        return chain
    }

    /// The limits of an association by itself: what it does not say of each job and of a user's
    /// jobs, the accounts above say, the nearest first. What bounds a group stays where it is.
    public func ownLimits(of place: Int32) -> Limits {
        chain(from: place).dropFirst().reduce(list[Int(place)].settings.limits) { limits, above in
            limits.completed(by: list[Int(above)].settings.limits) { $0.scope != .group }
        }
    }
}
