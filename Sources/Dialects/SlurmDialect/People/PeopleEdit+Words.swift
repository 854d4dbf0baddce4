public import WireFormats

extension PeopleEdit {
    /// Reads what follows `add`, `modify` and `delete` of `sacctmgr`:
    ///
    ///     account NAME[,NAME] [fairshare=2] [parent=ACCOUNT] [GrpTRES=cpu=16] …
    ///     user NAME[,NAME] account=ACCOUNT [fairshare=2] [MaxJobs=2] …
    ///     user where name=NAME set fairshare=2
    ///     coordinator account=ACCOUNT names=NAME[,NAME]
    ///     qos NAME[,NAME] [Priority=10] [MaxWall=1-0] [Flags=DenyOnLimit] …
    ///
    /// - Throws: `CommandFailure` in Slurm's words.
    init(_ verb: Verb, _ words: [String]) throws(CommandFailure) {
        self.init()
        self.verb = verb.rawValue
        let word = (words.first ?? "").lowercased()
        if ControlCommand.isShort(word, for: "accounts", least: 1) {
            entity = "account"
        } else if ControlCommand.isShort(word, for: "users", least: 1) {
            entity = "user"
        } else if ControlCommand.isShort(word, for: "qos", least: 1) {
            entity = "qos"
        } else if verb != .modify, ControlCommand.isShort(word, for: "coordinators", least: 2) {
            entity = "coordinator"
        } else {
            throw ControlCommand.failure(
                "No valid entity in \(verb.rawValue) command",
                "Input line must include \"Account\", \"User\", \"Coordinator\" or \"QOS\""
            )
        }
        // What is looked for and what is set stand under `where` and `set`; of what is added
        // everything but the names is set.
        var sets = verb == .add
        for word in words.dropFirst() {
            switch word.lowercased() {
            case "where":
                sets = false
                continue
            case "set":
                sets = true
                continue
            default: break
            }
            try read(word, sets: sets)
        }
        if entity == "coordinator" {
            guard verb != .add || !names.isEmpty else {
                throw ControlCommand.failure(" You need to specify a user list here.")
            }
            guard verb != .add || !accounts.isEmpty else {
                throw ControlCommand.failure(" You need to specify a account list here.")
            }
            guard !names.isEmpty || !accounts.isEmpty else {
                throw ControlCommand.failure(
                    " You need to specify a user list or an account list here."
                )
            }
        }
        guard !names.isEmpty || verb != .add && !accounts.isEmpty else {
            throw ControlCommand.failure(" Need name of \(entity) to \(verb.rawValue)")
        }
    }

    private mutating func read(_ word: String, sets: Bool) throws(CommandFailure) {
        let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
        guard parts.count == 2 else {
            names += list(word)
            return
        }
        let name = parts[0].lowercased()
        var value = AccountManagerCommand.unquoted(parts[1])
        let isOfUsers = entity == "user" || entity == "coordinator"
        let isAccount = ["account", "accounts", "acct", "accts"].contains(name)
        switch name {
        case "name", "names": names += list(value)
        case "qos" where entity == "qos" && !sets: names += list(value)
        case "user" where isOfUsers, "users" where isOfUsers: names += list(value)
        case _ where isAccount && entity == "account": names += list(value)
        case _ where isAccount: accounts += list(value)
        // There is one cluster.
        case "cluster", "clusters": break
        default:
            guard sets else { throw ControlCommand.failure(" Unknown condition: \(word)") }
            // Whoever shares as the parent does has one share of it.
            let isShare = ["fairshare", "share", "shares"].contains(name)
            if isShare, value.lowercased() == "parent" { value = "1" }
            settings.append(NamedLimit(name: parts[0], value: value))
        }
    }
}

extension AccountManagerCommand {
    /// What is printed once a change was made.
    public func output(_ edit: PeopleEdit, _ response: PeopleEditResponse) -> CommandOutput {
        if edit.entity == "coordinator" { return Self.coordinators(edit, response) }
        guard !response.changed.isEmpty else {
            return CommandOutput(
                lines: [edit.verb == "modify" ? "  Nothing modified" : "  Nothing deleted"]
            )
        }
        let head =
            switch edit.verb {
            case "add" where edit.entity == "qos": " Adding QOS(s)"
            case "add": " Adding \(edit.entity == "user" ? "User(s)" : "Account(s)")"
            case "modify": " Modified \(edit.entity)..."
            case _ where edit.entity == "qos": " Deleting QOS(s)..."
            default: " Deleting \(edit.entity)s..."
            }
        let lines = response.changed.map { line in
            "  " + (edit.entity == "qos" ? String(line.dropFirst("qos ".count)) : line)
        }
        return CommandOutput(lines: [head] + lines)
    }

    /// Source: Slurm's `sacctmgr_add_coord` and `sacctmgr_delete_coord`.
    private static func coordinators(
        _ edit: PeopleEdit,
        _ response: PeopleEditResponse
    ) -> CommandOutput {
        let users = edit.names.map { "  \($0)" }
        let accounts = edit.accounts.map { "  \($0)" }
        guard edit.verb == PeopleEdit.Verb.delete.rawValue else {
            return CommandOutput(
                lines: [" Adding Coordinator User(s)"] + users
                    + [" To Account(s) and all sub-accounts"] + accounts
            )
        }
        var lines = [" Removing all users from Accounts"] + accounts
        if !users.isEmpty {
            lines = [" Removing Coordinators with user name"] + users
            lines += accounts.isEmpty ? [" From all accounts"] : [" From Account(s)"] + accounts
        }
        guard !response.changed.isEmpty else {
            return CommandOutput(lines: lines + [" Nothing removed"])
        }
        lines.append(" Removed Coordinators (sub accounts not listed)...")
        return CommandOutput(
            lines: lines
                + response.changed.map { line in
                    let words = line.split(separator: " ")
                    return words.count == 5 ? "  \(words[1]) (\(words[4]))" : "  \(line)"
                }
        )
    }

    /// What `dump` prints: what `load` reads.
    public func dump(_ people: PeopleList) -> CommandOutput {
        func settings(_ info: AssociationInfo) -> String {
            let limits = info.limits.map { ":\($0.name)='\($0.value)'" }.joined()
            let qos =
                info.ownQOS.isEmpty ? "" : ":QOS='\(info.ownQOS.joined(separator: ","))'"
            let preset = info.ownDefaultQOS.map { ":DefaultQOS='\($0)'" } ?? ""
            return "Fairshare=\(info.shares)\(limits)\(qos)\(preset)"
        }
        func roles(of user: String, _ level: String) -> String {
            let names = people.coordinated(by: user).filter(\.isDirect).map(\.account)
            return (level == "None" ? "" : "AdminLevel='\(level)':")
                + (names.isEmpty ? "" : "Coordinator='\(names.joined(separator: ","))':")
        }
        var lines = [
            "# 'Parent - NAME' begins what belongs to an account; 'Account - NAME:...' and",
            "# 'User - NAME:...' are accounts and users of the one whose Parent line stands above.",
            "Cluster - '\(people.cluster)':Fairshare=1",
        ]
        let accounts = people.associations.filter { $0.user == nil }
        for account in accounts {
            let below = people.associations.filter { info in
                info.user == nil ? info.parent == account.account : info.account == account.account
            }
            // Who has a role and no account stands below the root, where Slurm has its own.
            let roled = account.parent == nil ? people.withoutAccount : []
            guard !below.isEmpty || !roled.isEmpty else { continue }
            lines.append("Parent - '\(account.account)'")
            for role in roled {
                let what = roles(of: role.user, role.adminLevel).dropLast()
                lines.append("User - '\(role.user)':\(what)")
            }
            for info in below {
                if let user = info.user {
                    let preset = info.isDefault ? "DefaultAccount='\(info.account)':" : ""
                    let role = roles(of: user, info.shownAdminLevel)
                    lines.append("User - '\(user)':\(preset)\(role)\(settings(info))")
                } else {
                    let title = (info.title ?? info.account).filter { $0 != "'" }
                    lines.append(
                        "Account - '\(info.account)':Description='\(title)':\(settings(info))"
                    )
                }
            }
        }
        return CommandOutput(lines: lines)
    }

    /// The edits that a file of `dump` stands for.
    ///
    /// - Throws: `CommandFailure` that names the line.
    public func edits(of text: String, path: String) throws(CommandFailure) -> [PeopleEdit] {
        var edits: [PeopleEdit] = []
        // Their accounts may come later in the file.
        var coordinators: [PeopleEdit] = []
        var parent: String?
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false)
            .enumerated()
        {
            let trimmed = line.drop { $0 == " " }
            guard !trimmed.isEmpty, trimmed.first != "#" else { continue }
            func bad(_ problem: String) -> CommandFailure {
                ControlCommand.failure("sacctmgr: error: \(path), line \(index + 1): \(problem)")
            }
            guard let dash = trimmed.range(of: " - ") else { throw bad("'KIND - NAME' expected") }
            let kind = trimmed[..<dash.lowerBound]
            let parts = Self.parts(trimmed[dash.upperBound...])
            guard let name = parts.first, !name.isEmpty else { throw bad("a name is missing") }
            var edit = PeopleEdit()
            for part in parts.dropFirst() {
                let sides = part.split(separator: "=", maxSplits: 1).map(String.init)
                guard sides.count == 2 else { throw bad("'\(part)' is no NAME=VALUE") }
                // Slurm tells by a sign what comes to what is above; here it is what is said.
                let isQOS = sides[0].lowercased() == "qos"
                let value =
                    isQOS
                    ? list(sides[1]).map { String($0.drop { $0 == "+" }) }.joined(separator: ",")
                    : sides[1]
                edit.settings.append(NamedLimit(name: sides[0], value: value))
            }
            edit.names = [name]
            switch kind {
            case "Cluster": continue
            case "Parent":
                parent = name
                continue
            case "Account":
                edit.entity = "account"
                if let parent, parent != "root" {
                    edit.settings.append(NamedLimit(name: "parent", value: parent))
                }
            case "User":
                guard let parent else { throw bad("a 'Parent' line must come first") }
                edit.entity = "user"
                edit.accounts = [parent]
                let isCoordinator = { (setting: NamedLimit) in
                    ["coordinator", "coordinators"].contains(setting.name.lowercased())
                }
                var coordinator = PeopleEdit()
                coordinator.entity = "coordinator"
                coordinator.names = [name]
                coordinator.accounts = edit.settings.filter(isCoordinator).flatMap {
                    list($0.value)
                }
                edit.settings.removeAll(where: isCoordinator)
                if !coordinator.accounts.isEmpty { coordinators.append(coordinator) }
                guard parent != "root" || !Self.isRoleOnly(edit) else {
                    edit.settings.removeAll { $0.name.lowercased() != "adminlevel" }
                    guard !edit.settings.isEmpty else { continue }
                    edit.verb = PeopleEdit.Verb.modify.rawValue
                    edit.accounts = []
                    break
                }
            default: throw bad("'\(kind)' is not known; Cluster, Parent, Account, User are")
            }
            edits.append(edit)
        }
        return edits + coordinators
    }

    /// Whether a user below the root is in no account: whoever has no shares, and Slurm's own `root`.
    private static func isRoleOnly(_ edit: PeopleEdit) -> Bool {
        edit.names == ["root"]
            || !edit.settings.contains { $0.name.lowercased() == "fairshare" }
    }

    /// What stands between the colons outside quotation marks, without these.
    private static func parts(_ text: Substring) -> [String] {
        var parts = [""]
        var isQuoted = false
        for character in text {
            switch character {
            case "'": isQuoted.toggle()
            case ":" where !isQuoted: parts.append("")
            default: parts[parts.count - 1].append(character)
            }
        }
        return parts
    }
}

extension Substring {
    /// Where `text` begins and ends; nil when it is not there.
    fileprivate func range(of text: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
            start = index(after: start)
        }
        return nil
    }
}
