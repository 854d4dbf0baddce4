public import Accounts
import ClusterModel
import IndexSets
public import WireFormats

/// Why an edit of accounts and users cannot be made.
public struct PeopleEditProblem: Error, Hashable, Sendable {
    /// A sentence for whoever asked.
    public var text: String
    /// Whether others may make it.
    public var isDenied = false
}

extension CustomerRegister {
    /// Makes, changes or removes accounts, users and QOS, all that is asked for or nothing.
    ///
    /// - Parameter known: the qualities of service as they are.
    /// - Parameter coordinator: who asks, where that is a coordinator of accounts and no operator.
    /// - Returns: what changed, a line each; empty when nothing did.
    /// - Throws: `PeopleEditProblem`; nothing has changed then.
    public mutating func apply(
        _ edits: [PeopleEdit],
        to known: [QOS],
        coordinator: String? = nil
    ) throws(PeopleEditProblem) -> [String] {
        var draft = PeopleDraft(self, known)
        var lines: [String] = []
        for edit in edits {
            if let coordinator { try draft.check(edit, by: coordinator) }
            try draft.apply(edit, &lines)
        }
        accounts = draft.accounts
        defaultAccountIndex = draft.defaultAccountIndex
        (operators, auditors, office) = (draft.operators, draft.auditors, draft.office)
        if draft.qos.list != known { qos = draft.qos.list }
        return lines
    }
}

/// A register while a request changes it: copied once, however many edits the request has.
struct PeopleDraft {
    private(set) var accounts: [AccountEntry]
    private(set) var defaultAccountIndex: Int
    private(set) var operators: [String]
    private(set) var auditors: [String]
    private(set) var office: [String]
    private(set) var qos: QOSDraft
    /// Where each account stands.
    private var places: [String: Int]

    init(_ register: CustomerRegister, _ qos: [QOS]) {
        self.qos = QOSDraft(list: qos)
        accounts = register.accounts
        defaultAccountIndex = register.defaultAccountIndex
        operators = register.operators
        auditors = register.auditors
        office = register.office
        places = accounts.places
    }

    mutating func apply(
        _ edit: PeopleEdit,
        _ lines: inout [String]
    ) throws(PeopleEditProblem) {
        switch (edit.entity, PeopleEdit.Verb(rawValue: edit.verb)) {
        case ("account", .add):
            for name in edit.names { try add(account: name, edit, &lines) }
        case ("account", .modify):
            for name in edit.names { try modify(account: name, edit, &lines) }
        case ("account", .delete):
            for name in edit.names { try remove(account: name, &lines) }
        case ("user", .some(let verb)):
            try self.edit(users: verb, edit, &lines)
        case ("coordinator", .add):
            try coordinate(edit, isAdding: true, &lines)
        case ("coordinator", .delete):
            try coordinate(edit, isAdding: false, &lines)
        case ("qos", .some(let verb)):
            for name in edit.names where try qos.apply(verb, name, edit.settings) {
                lines.append("qos \(name)")
            }
        default:
            throw PeopleEditProblem(text: "'\(edit.verb) \(edit.entity)' is not known")
        }
    }

    func place(ofAccount name: String) -> Int? { places[name] }

    private func index(ofAccount name: String) throws(PeopleEditProblem) -> Int {
        guard let index = place(ofAccount: name) else {
            let hint = didYouMean(name, among: accounts.map(\.name))
            throw PeopleEditProblem(text: "account '\(name)' is not there\(hint)")
        }
        return index
    }

    private mutating func add(
        account name: String,
        _ edit: PeopleEdit,
        _ lines: inout [String]
    ) throws(PeopleEditProblem) {
        // What is there already stays as it is, as in Slurm.
        guard place(ofAccount: name) == nil else { return }
        guard Self.isName(name) else {
            throw PeopleEditProblem(text: "'\(name)' is no name of an account")
        }
        var account = AccountEntry(
            name: name,
            title: name,
            customerClass: .individual,
            users: []
        )
        let above = edit.settings.last { $0.name.lowercased() == "parent" }?.value
        if let above = above.flatMap(place(ofAccount:)) { account.belong(to: accounts[above]) }
        accounts.append(account)
        places[name] = accounts.count - 1
        try set(edit.settings, ofAccount: accounts.count - 1)
        lines.append("account \(name)")
    }

    private mutating func modify(
        account name: String,
        _ edit: PeopleEdit,
        _ lines: inout [String]
    ) throws(PeopleEditProblem) {
        let index = try index(ofAccount: name)
        let before = accounts[index]
        try set(edit.settings, ofAccount: index)
        if accounts[index] != before { lines.append("account \(name)") }
    }

    private mutating func remove(
        account name: String,
        _ lines: inout [String]
    ) throws(PeopleEditProblem) {
        let index = try index(ofAccount: name)
        if let below = accounts.first(where: { $0.parent == name }) {
            throw PeopleEditProblem(text: "account '\(below.name)' belongs to '\(name)'")
        }
        guard index != defaultAccountIndex else {
            throw PeopleEditProblem(text: "'\(name)' is the account of jobs that name none")
        }
        accounts.remove(at: index)
        places = accounts.places
        if index < defaultAccountIndex { defaultAccountIndex -= 1 }
        lines.append("account \(name)")
    }

    /// The users that an edit of users means, each once: those that it names, or all of its accounts. One answer
    /// for what is asked of them first and for what is done to them then.
    func users(meantBy edit: PeopleEdit) -> [String] {
        let all =
            edit.names.isEmpty
            ? edit.accounts.compactMap(place(ofAccount:)).flatMap { accounts[$0].known }
            : edit.names
        var seen: Set<String> = []
        return all.filter { seen.insert($0).inserted }
    }

    private mutating func edit(
        users verb: PeopleEdit.Verb,
        _ edit: PeopleEdit,
        _ lines: inout [String]
    ) throws(PeopleEditProblem) {
        let names = edit.names
        let preset = edit.settings.first { $0.name.lowercased() == "defaultaccount" }?.value
        let settings = edit.settings.filter {
            $0.name.lowercased() != "defaultaccount" && !Self.isLevel($0)
        }
        var wanted = edit.accounts
        if wanted.isEmpty, let preset { wanted = [preset] }
        guard verb != .add || !wanted.isEmpty else {
            throw PeopleEditProblem(text: "a user needs an account: account=NAME")
        }
        if verb != .delete, let level = edit.settings.last(where: Self.isLevel) {
            for account in edit.accounts { _ = try index(ofAccount: account) }
            try set(level, of: users(meantBy: edit), &lines)
            // Whoever is nothing but an auditor has no account.
            if verb == .modify, settings.isEmpty, preset == nil { return }
        }
        if wanted.isEmpty {
            let named = Set(names)
            wanted = accounts.filter { !named.isDisjoint(with: $0.known) }.map(\.name)
        }
        for account in wanted {
            let index = try index(ofAccount: account)
            let known = names.isEmpty ? accounts[index].known : names
            if let wrong = known.first(where: { !Self.isName($0) }) {
                throw PeopleEditProblem(text: "'\(wrong)' is no name of a user")
            }
            guard verb != .delete else {
                for name in accounts[index].dismiss(known) {
                    lines.append("user \(name) of account \(account)")
                }
                continue
            }
            for name in known {
                let before = accounts[index].standing(of: name)
                var chosen = preset
                if verb == .add {
                    accounts[index].admit(name)
                    // Whoever has no account yet has this one from now on.
                    let isFirst = !accounts.contains { $0.name != account && $0.isNaming(name) }
                    if preset == nil, isFirst { chosen = account }
                } else if !accounts[index].isNaming(name) {
                    continue
                }
                try set(settings, ofUser: name, inAccount: index)
                if let chosen { choose(account: chosen, for: name) }
                if accounts[index].standing(of: name) != before {
                    lines.append("user \(name) of account \(account)")
                }
            }
        }
        if verb == .delete, edit.accounts.isEmpty { takeRoles(from: names, &lines) }
    }

    /// Whoever is deleted is nothing any more: a role that stayed would be one that no list shows, and would count
    /// again for whoever gets the name. Source: Slurm's `as_mysql_remove_users`.
    private mutating func takeRoles(from names: [String], _ lines: inout [String]) {
        let gone = Set(names)
        var leveled = Set(operators + auditors + office)
        for name in names where leveled.remove(name) != nil { lines.append("user \(name)") }
        operators.removeAll(where: gone.contains)
        auditors.removeAll(where: gone.contains)
        office.removeAll(where: gone.contains)
        for index in accounts.indices {
            for name in accounts[index].coordinators where gone.contains(name) {
                lines.append("coordinator \(name) of account \(accounts[index].name)")
            }
            accounts[index].coordinators.removeAll(where: gone.contains)
        }
    }

    static func isLevel(_ setting: NamedLimit) -> Bool {
        ["adminlevel", "admin"].contains(setting.name.lowercased())
    }

    /// Gives users one role in place of those that they have.
    private mutating func set(
        _ level: NamedLimit,
        of names: [String],
        _ lines: inout [String]
    ) throws(PeopleEditProblem) {
        guard let role = Role.named(adminLevel: level.value) else {
            let hint = didYouMean(level.value, among: Role.adminLevels)
            throw PeopleEditProblem(
                text: "\(level.name)=\(level.value) is not one of"
                    + " \(Role.adminLevels.joined(separator: ", "))\(hint)"
            )
        }
        for name in names {
            guard Self.isName(name) else {
                throw PeopleEditProblem(text: "'\(name)' is no name of a user")
            }
            let before = [operators, auditors, office].map { $0.contains(name) }
            guard before != [.operator, .auditor, .office].map({ $0 == role }) else { continue }
            operators.removeAll { $0 == name }
            auditors.removeAll { $0 == name }
            office.removeAll { $0 == name }
            switch role {
            case .operator: operators.append(name)
            case .auditor: auditors.append(name)
            case .office: office.append(name)
            case .user, .coordinator: break
            }
            lines.append("user \(name)")
        }
    }

    /// Makes users coordinators of accounts, or takes that away: of all accounts, or from all who are it, where
    /// nothing is said.
    private mutating func coordinate(
        _ edit: PeopleEdit,
        isAdding: Bool,
        _ lines: inout [String]
    ) throws(PeopleEditProblem) {
        guard !isAdding || !edit.accounts.isEmpty && !edit.names.isEmpty else {
            throw PeopleEditProblem(text: "a coordinator needs names=USERS and account=NAMES")
        }
        guard edit.settings.isEmpty else {
            throw PeopleEditProblem(
                text: "'\(edit.settings[0].name)' is nothing to set of a coordinator"
            )
        }
        if let wrong = edit.names.first(where: { !Self.isName($0) }) {
            throw PeopleEditProblem(text: "'\(wrong)' is no name of a user")
        }
        for account in edit.accounts.isEmpty ? accounts.map(\.name) : edit.accounts {
            let index = try index(ofAccount: account)
            let before = accounts[index].coordinators
            if isAdding {
                for name in edit.names where !accounts[index].coordinators.contains(name) {
                    accounts[index].coordinators.append(name)
                }
            } else {
                let isMeant = { (name: String) in edit.names.isEmpty || edit.names.contains(name) }
                accounts[index].coordinators.removeAll(where: isMeant)
            }
            let after = accounts[index].coordinators
            let changed = (isAdding ? after : before).filter { name in
                before.contains(name) != after.contains(name)
            }
            lines += changed.map { "coordinator \($0) of account \(account)" }
        }
    }

    /// Jobs of a user that name no account go to this one, and to no other.
    private mutating func choose(account name: String, for user: String) {
        for index in accounts.indices {
            for place in accounts[index].members.indices
            where accounts[index].members[place].name == user {
                accounts[index].members[place].isDefault = accounts[index].name == name
            }
        }
    }

    private mutating func set(
        _ settings: [NamedLimit],
        ofAccount index: Int
    ) throws(PeopleEditProblem) {
        for setting in settings {
            switch setting.name.lowercased() {
            case "description", "desc", "descr": accounts[index].title = setting.value
            case "organization", "org": accounts[index].enterprise = setting.value
            case "parent": try move(index, below: setting.value)
            case "qos", "qoslevel": accounts[index].qos = Self.names(setting.value)
            case "defaultqos": accounts[index].defaultQOS = Self.name(setting.value)
            default: try Self.set(setting, in: &accounts[index].settings)
            }
        }
    }

    /// Lets an account belong to another. One that belongs to the account itself takes its place first.
    ///
    /// Source: Slurm's `_move_parent` of `as_mysql_assoc.c`.
    private mutating func move(_ index: Int, below name: String) throws(PeopleEditProblem) {
        guard name != "root" else {
            accounts[index].parent = nil
            return
        }
        let above = try self.index(ofAccount: name)
        guard above != index else {
            throw PeopleEditProblem(text: "account '\(name)' belongs to itself")
        }
        if accounts.chain(from: name, place(ofAccount:)).contains(index) {
            accounts[above].parent = accounts[index].parent
        }
        accounts[index].parent = name
    }

    private mutating func set(
        _ settings: [NamedLimit],
        ofUser user: String,
        inAccount index: Int
    ) throws(PeopleEditProblem) {
        guard let place = accounts[index].members.firstIndex(where: { $0.name == user }) else {
            return
        }
        for setting in settings {
            switch setting.name.lowercased() {
            case "qos", "qoslevel":
                accounts[index].members[place].qos = Self.names(setting.value)
            case "defaultqos":
                accounts[index].members[place].defaultQOS = Self.name(setting.value)
            default: try Self.set(setting, in: &accounts[index].members[place].settings)
            }
        }
    }

    private static func set(
        _ setting: NamedLimit,
        in settings: inout AssociationSettings
    ) throws(PeopleEditProblem) {
        if ["fairshare", "share", "shares"].contains(setting.name.lowercased()) {
            guard let shares = Int32(setting.value),
                (0...AssociationSettings.sharesMaximum).contains(shares)
            else {
                throw PeopleEditProblem(
                    text: "fairshare=\(setting.value) is no whole number from 0 to"
                        + " \(AssociationSettings.sharesMaximum)"
                )
            }
            settings.shares = shares
            return
        }
        guard let name = LimitName(named: setting.name, ofQOS: false) else {
            let known = LimitName.all.filter(\.isOfAssociations).map(\.name)
            let hint = didYouMean(setting.name, among: known)
            throw PeopleEditProblem(text: "'\(setting.name)' is nothing to set\(hint)")
        }
        do throws(MalformedLimit) {
            try settings.limits.set(name, to: setting.value)
        } catch {
            throw PeopleEditProblem(
                text: "\(setting.name)=\(error.found) is not \(error.expected)"
            )
        }
    }

    private static func names(_ text: String) -> [String]? {
        text == "-1" || text.isEmpty ? nil : text.split(separator: ",").map(String.init)
    }

    private static func name(_ text: String) -> String? {
        text == "-1" || text.isEmpty ? nil : text
    }

    static func isName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                    || [0x2D, 0x2E, 0x5F].contains(byte)
            }
    }
}

extension AccountEntry {
    /// Makes it a part of the customer whose another account is. Limits and QOS need not be said again: what an
    /// account does not say, the one above says.
    ///
    /// Source: Slurm's `sacctmgr_add_account`, where the organization is that of the parent.
    fileprivate mutating func belong(to above: AccountEntry) {
        enterprise = above.enterprise
        customerClass = above.customerClass
        registeredIn = above.registeredIn
        taxID = above.taxID
        contract = above.contract
    }

    /// Whether something is said of the user, or the user may spend its money by name.
    fileprivate func isNaming(_ user: String) -> Bool {
        members.contains { $0.name == user } || users?.contains(user) == true
    }

    /// Those of whom something is known: in an account that is open to everybody those of whom something is said.
    fileprivate var known: [String] { users ?? members.map(\.name) }

    fileprivate mutating func admit(_ user: String) {
        if let known = users, !known.contains(user) { users = known + [user] }
        if !members.contains(where: { $0.name == user }) { members.append(Member(name: user)) }
    }

    /// Takes users away.
    ///
    /// - Returns: those of them that were there, in the order of `names`.
    fileprivate mutating func dismiss(_ names: [String]) -> [String] {
        var there = Set(members.map(\.name)).union(users ?? [])
        let gone = names.filter { there.remove($0) != nil }
        let dismissed = Set(gone)
        users?.removeAll { dismissed.contains($0) }
        members.removeAll { dismissed.contains($0.name) }
        return gone
    }

    /// All that an edit of a user may change here: whether the user is listed, and what is said of the user.
    fileprivate func standing(of user: String) -> Standing {
        Standing(
            isListed: users?.contains(user) ?? false,
            member: members.first { $0.name == user }
        )
    }

    fileprivate struct Standing: Equatable {
        var isListed: Bool
        var member: Member?
    }
}
