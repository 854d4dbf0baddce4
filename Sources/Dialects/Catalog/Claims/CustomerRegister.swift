public import Accounts
public import ClusterModel
public import WireFormats

/// The customers of a centre: unlike its machine they change while it lives.
public struct CustomerRegister: WireRecord, Codable {
    /// The accounts.
    public var accounts: [AccountEntry] = []
    /// The index of the account of jobs that name none.
    public var defaultAccountIndex = 0
    /// The users who may administer the centre.
    public var operators: [String] = []
    /// The users who may read all books and records.
    public var auditors: [String] = []
    /// The users who may read what all accounts owe and were granted.
    public var office: [String] = []
    /// Who issues the statements; nil when nobody was named.
    public var issuer: Issuer?
    /// The qualities of service, those that were deleted included; empty where they stay as they are.
    public var qos: [QOS] = []

    /// Makes an empty register, to be read into.
    public init() {}

    /// The customers in a machine's file; of its qualities of service nothing is said.
    public init(of machine: Machine) {
        accounts = machine.accounts
        defaultAccountIndex = machine.defaultAccountIndex
        operators = machine.operators
        auditors = machine.auditors
        office = machine.office
        issuer = machine.issuer
    }

    /// Names every member, and refuses a default account that is not there.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.parts("accounts", &accounts)
        try fields("default_account", &defaultAccountIndex)
        try fields("operators", &operators)
        try fields.namesIfAny("auditors", &auditors)
        try fields.namesIfAny("office", &office)
        try fields.part("issuer", &issuer)
        try fields.partsIfAny("qos", &qos)
        guard accounts.indices.contains(defaultAccountIndex) else {
            throw JSONValue.Malformed(line: 0, problem: "the default account is not there")
        }
    }
}

extension CustomerRegister {
    /// What another register gives and takes of roles, a sentence each: the log tells when a file does that, since
    /// it may give back what was taken by hand.
    public func roleChanges(to other: CustomerRegister) -> [String] {
        var changes: [String] = []
        func compare(_ before: [String], _ after: [String], _ role: String) {
            let (old, new) = (Set(before), Set(after))
            for user in new.subtracting(old).sorted() {
                changes.append("'\(user)' becomes \(role)")
            }
            for user in old.subtracting(new).sorted() {
                changes.append("'\(user)' is \(role) no more")
            }
        }
        compare(operators, other.operators, "an operator")
        compare(auditors, other.auditors, "an auditor")
        compare(office, other.office, "of the office")
        let places = accounts.places
        let names = Set(other.accounts.map(\.name))
        for account in other.accounts {
            let before = places[account.name].map { accounts[$0].coordinators } ?? []
            compare(before, account.coordinators, "a coordinator of account '\(account.name)'")
        }
        for account in accounts where !names.contains(account.name) {
            compare(account.coordinators, [], "a coordinator of account '\(account.name)'")
        }
        return changes
    }
}

extension Machine {
    /// The same machine with other customers.
    public func with(_ customers: CustomerRegister) -> Machine {
        var machine = self
        machine.accounts = customers.accounts
        machine.defaultAccountIndex = customers.defaultAccountIndex
        machine.operators = customers.operators
        machine.auditors = customers.auditors
        machine.office = customers.office
        machine.issuer = customers.issuer
        if !customers.qos.isEmpty { machine.qos = customers.qos }
        return machine
    }
}
