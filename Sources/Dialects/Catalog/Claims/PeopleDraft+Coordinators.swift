import ClusterModel
import IndexSets
import WireFormats

// What a coordinator may change of people, all of it: users, their shares and limits, and coordinators of the
// accounts that are the coordinator's; accounts below these, with their shares, limits and QOS. Of an account itself
// that no other of the coordinator's stands above only its title and its end: its limits bound the coordinator too.
//
// Source: Slurm's "Coordinator" (sacctmgr(1)), and `_process_modify_assoc_results` of `as_mysql_assoc.c`, which asks
// for a coordinator of the account above.

extension PeopleDraft {
    /// Looks whether a coordinator may make an edit, as things are when its turn comes.
    ///
    /// - Throws: `PeopleEditProblem` that is denied, and says what is not the coordinator's.
    func check(_ edit: PeopleEdit, by user: String) throws(PeopleEditProblem) {
        func require(
            _ isAllowed: Bool,
            _ what: @autoclosure () -> String
        ) throws(PeopleEditProblem) {
            guard isAllowed else {
                let text = "Access/permission denied: \(what())"
                throw PeopleEditProblem(text: text, isDenied: true)
            }
        }
        func requireCoordinator(of accounts: [String]) throws(PeopleEditProblem) {
            try require(!accounts.isEmpty, "a coordinator names the accounts that are meant")
            for name in accounts {
                try require(
                    isCoordinated(name, by: user),
                    "'\(user)' is no coordinator of account '\(name)'"
                )
            }
        }
        let isDeleting = edit.verb == PeopleEdit.Verb.delete.rawValue
        switch edit.entity {
        case "account":
            for name in edit.names {
                let known = place(ofAccount: name)
                let isNew = known == nil && edit.verb == PeopleEdit.Verb.add.rawValue
                if !isNew { try requireCoordinator(of: [name]) }
                if isDeleting { continue }
                let parent = edit.settings.last { $0.name.lowercased() == "parent" }?.value
                try require(
                    !isNew || parent != nil,
                    "a coordinator makes accounts below others only: parent=NAME"
                )
                if let parent { try requireCoordinator(of: [parent]) }
                let above = isNew ? parent : known.flatMap { accounts[$0].parent }
                for setting in edit.settings {
                    let isTitle = ["description", "desc", "descr"]
                        .contains(setting.name.lowercased())
                    try require(
                        isTitle || isCoordinated(above, by: user),
                        "'\(setting.name)' of account '\(name)' is for coordinators of the account above"
                    )
                    try require(
                        maySet(setting, of: isNew ? parent : name, isNew: isNew, user),
                        "\(setting.name)=\(setting.value) of account '\(name)' is for operators"
                    )
                }
            }
        case "user":
            try requireCoordinator(of: edit.accounts)
            guard !isDeleting else { return }
            for setting in edit.settings {
                if setting.name.lowercased() == "defaultaccount" {
                    try requireCoordinator(of: [setting.value])
                    // It would be taken from where somebody else gave it.
                    try require(
                        !isAnyElsewhere(of: Set(users(meantBy: edit)), than: user),
                        "users who are in accounts of others choose their default account elsewhere"
                    )
                    continue
                }
                try require(!Self.isLevel(setting), "'\(setting.name)' is for operators")
                for account in edit.accounts {
                    try require(
                        maySet(setting, of: account, isNew: true, user),
                        "\(setting.name)=\(setting.value) in account '\(account)' is for operators"
                    )
                }
            }
        case "coordinator": try requireCoordinator(of: edit.accounts)
        default: try require(false, "\(edit.entity) is for operators")
        }
    }

    /// Whether a user coordinates an account, or one above it.
    private func isCoordinated(_ name: String?, by user: String) -> Bool {
        accounts.isCoordinated(name, by: user, place(ofAccount:))
    }

    /// Whether a setting is a coordinator's to make: a QOS only where the account has it, and not whose enterprise
    /// an account is, by which subsidies are capped.
    ///
    /// - Parameter isNew: whether it is of something below the account.
    private func maySet(
        _ setting: NamedLimit,
        of account: String?,
        isNew: Bool,
        _ user: String
    ) -> Bool {
        switch setting.name.lowercased() {
        case "organization", "org": return false
        case "qos", "qoslevel", "defaultqos":
            guard let allowed = qosAllowed(to: account) else { return true }
            // Without any of its own it has those of what is above.
            let names = setting.value == "-1" ? "" : setting.value
            guard !names.isEmpty else { return isNew }
            return names.split(separator: ",").allSatisfy { allowed.contains(String($0)) }
        default: return true
        }
    }

    /// The QOS of an account; nil for all.
    private func qosAllowed(to name: String?) -> [String]? {
        accounts.chain(from: name, place(ofAccount:)).lazy.compactMap { accounts[$0].qos }.first
    }

    /// Whether an account that the coordinator has nothing to do with names one of some users.
    private func isAnyElsewhere(of names: Set<String>, than coordinator: String) -> Bool {
        accounts.contains { account in
            account.members.contains { names.contains($0.name) }
                && !isCoordinated(account.name, by: coordinator)
        }
    }
}
