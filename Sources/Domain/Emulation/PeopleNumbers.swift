public import Accounts
public import ClusterModel

/// The numbers by which decisions know accounts and users: given once, in order of appearance, those
/// of a machine first.
public struct PeopleNumbers: Sendable, Codable {
    /// The names of accounts by their numbers.
    public private(set) var accounts: [String] = []
    /// The names of users by their numbers.
    public private(set) var users: [String] = []
    /// Only looked up.
    private var accountNumbers: [String: Int32] = [:]
    private var userNumbers: [String: Int32] = [:]

    /// Nobody is known.
    public init() {}

    /// The accounts of a machine, and the users that it names.
    public init(_ machine: Machine) {
        for account in machine.accounts { _ = self.account(account.name) }
        for account in machine.accounts {
            for user in account.users ?? [] { _ = self.user(user) }
            for member in account.members { _ = self.user(member.name) }
        }
    }

    /// The number of an account, given now when it is new.
    public mutating func account(_ name: String) -> Int32 {
        Self.number(of: name, &accounts, &accountNumbers)
    }

    /// The number of a user, given now when it is new.
    public mutating func user(_ name: String) -> Int32 {
        Self.number(of: name, &users, &userNumbers)
    }

    /// The number of an account that is known; nil otherwise.
    public func number(ofAccount name: String) -> Int32? { accountNumbers[name] }

    /// The number of a user who is known; nil otherwise.
    public func number(ofUser name: String) -> Int32? { userNumbers[name] }

    private static func number(
        of name: String,
        _ names: inout [String],
        _ numbers: inout [String: Int32]
    ) -> Int32 {
        if let number = numbers[name] { return number }
        let number = Int32(names.count)
        names.append(name)
        numbers[name] = number
        return number
    }
}

extension Machine {
    /// The tree of its accounts and of the users that it names, with shares and limits.
    ///
    /// - Parameter numbers: those of `PeopleNumbers(self)`, or with more.
    public func associations(_ numbers: PeopleNumbers) -> Associations {
        var numbers = numbers
        var associations = Associations()
        // Accounts above before those below, whatever the order of the file.
        var added: Set<String> = []
        func add(_ account: AccountEntry) {
            guard added.insert(account.name).inserted else { return }
            let parent = account.parent.flatMap(self.account(named:))
            if let parent { add(parent) }
            let above = parent.map { associations.account(numbers.account($0.name)) } ?? 0
            let place = associations.add(account: numbers.account(account.name), below: above)
            associations.set(place, to: account.settings)
        }
        for account in accounts { add(account) }
        for account in accounts {
            let number = numbers.account(account.name)
            for user in account.users ?? [] { associations.user(numbers.user(user), of: number) }
            for member in account.members {
                let place = associations.user(numbers.user(member.name), of: number)
                associations.set(place, to: member.settings)
            }
        }
        return associations
    }
}
