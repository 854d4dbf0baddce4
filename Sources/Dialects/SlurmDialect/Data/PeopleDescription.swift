import Quantities
public import WireFormats

/// Accounts, users and associations as Slurm's REST describes them when they are to be made or changed.
///
/// Each is read into edits that are made together or not at all. Sources: Slurm's `ACCOUNT`, `USER`, `ASSOC`,
/// `ACCOUNTS_ADD_COND` and `USERS_ADD_COND` of data_parser v0.0.41 to v0.0.44.
public enum PeopleDescription {
    /// More entries are not read in one list: the changes of a request are made in one turn of the centre,
    /// for which everybody else waits.
    static let entriesMaximum = 1_000

    /// Reads `{"accounts": [{"name": …}]}`.
    ///
    /// - Parameter known: the accounts that there are: what a request only repeats is no change.
    /// - Throws: `RestFailure`, with the member that is wrong or missing.
    public static func accounts(
        _ body: JSONValue,
        known: PeopleList
    ) throws(RestFailure) -> DataReading<[PeopleEdit]> {
        try edits(body, "accounts", accountMembers) { entry, source throws(RestFailure) in
            guard !entry.name.isEmpty else { throw .query("The name is missing", "\(source)/name") }
            let old = known.associations.first { $0.user == nil && $0.account == entry.name }
            var settings = entry.settings
            settings.removeAll { setting in
                switch setting.name {
                case "description": setting.value == old.map { $0.title ?? $0.account }
                case "organization": setting.value == old.map { $0.organization ?? $0.account }
                default: false
                }
            }
            var edits = [edit(.add, "account", [entry.name], settings)]
            if old != nil, !settings.isEmpty {
                edits = [edit(.modify, "account", [entry.name], settings)]
            }
            edits += entry.associations
            if !entry.coordinators.isEmpty {
                let names = entry.coordinators
                edits.append(edit(.add, "coordinator", names, [], accounts: [entry.name]))
            }
            return edits
        }
    }

    /// Reads `{"users": [{"name": …, "associations": […]}]}`.
    ///
    /// - Parameter known: the users that there are: what a request only repeats is no change.
    /// - Throws: `RestFailure`, with the member that is wrong or missing.
    public static func users(
        _ body: JSONValue,
        known: PeopleList
    ) throws(RestFailure) -> DataReading<[PeopleEdit]> {
        let operators = Set(known.associations.filter(\.isOperator).compactMap(\.user))
        var presets: [String: [String]] = [:]
        for info in known.associations where info.isDefault {
            if let user = info.user { presets[user, default: []].append(info.account) }
        }
        return try edits(body, "users", userMembers) { entry, source throws(RestFailure) in
            guard !entry.name.isEmpty else { throw .query("The name is missing", "\(source)/name") }
            var edits = entry.associations.map { association in
                var association = association
                association.names = [entry.name]
                return association
            }
            if let preset = entry.defaultAccount, edits.isEmpty {
                edits.append(edit(.add, "user", [entry.name], [], accounts: [preset]))
            }
            guard !edits.isEmpty || !entry.settings.isEmpty || !entry.coordinated.isEmpty else {
                let text = "A user needs an account: give \"default\" or \"associations\""
                throw .query(text, "\(source)/associations")
            }
            if let preset = entry.defaultAccount, presets[entry.name] != [preset] {
                let setting = NamedLimit(name: "DefaultAccount", value: preset)
                edits.append(edit(.modify, "user", [entry.name], [setting], accounts: [preset]))
            }
            // Levels that the data model does not know are shown as none, which takes none of them away.
            let shown =
                operators.contains(entry.name) ? ["operator", "administrator"] : ["none"]
            let settings = entry.settings.filter { setting in
                setting.name != levelName || !shown.contains(setting.value.lowercased())
            }
            if !settings.isEmpty {
                edits.append(edit(.modify, "user", [entry.name], settings))
            }
            if !entry.coordinated.isEmpty {
                let accounts = entry.coordinated
                edits.append(edit(.add, "coordinator", [entry.name], [], accounts: accounts))
            }
            return edits
        }
    }

    /// Reads `{"associations": [{"account": …, "user": …}]}`.
    ///
    /// - Throws: `RestFailure`, with the member that is wrong or missing.
    public static func associations(
        _ body: JSONValue
    ) throws(RestFailure) -> DataReading<[PeopleEdit]> {
        try edits(body, "associations", associationMembers) { entry, source throws(RestFailure) in
            [try entry.edit(at: source)]
        }
    }

    /// Reads `{"association_condition": {"accounts": […], "association": {…}}, "account": {…}}`.
    ///
    /// - Throws: `RestFailure`, with the member that is wrong or missing.
    public static func accountsInAssociation(
        _ body: JSONValue
    ) throws(RestFailure) -> DataReading<[PeopleEdit]> {
        let reading = try condition(body, of: "account")
        guard !reading.request.accounts.isEmpty else {
            throw .query("The accounts are missing", "#/association_condition/accounts")
        }
        let settings = reading.request.entitySettings + reading.request.settings
        let accounts = reading.request.accounts
        return try checked(
            [edit(.add, "account", accounts, []), edit(.modify, "account", accounts, settings)],
            reading.warnings
        )
    }

    private static func condition(
        _ body: JSONValue,
        of entity: String
    ) throws(RestFailure) -> DataReading<Condition> {
        var reading = DataReading(Condition())
        try reading.read(body, conditionMembers(of: entity), "#")
        reading.warn(reading.request.warnings, below: "#")
        for (names, member) in [
            (reading.request.accounts, "accounts"), (reading.request.users, "users"),
        ] where names.count > entriesMaximum {
            let text = "More than \(entriesMaximum) \(member) in one request"
            throw .query(text, "#/association_condition/\(member)")
        }
        return reading
    }

    /// Reads `{"association_condition": {"users": […], "accounts": […], "association": {…}}, "user": {…}}`.
    ///
    /// - Throws: `RestFailure`, with the member that is wrong or missing.
    public static func usersInAssociation(
        _ body: JSONValue
    ) throws(RestFailure) -> DataReading<[PeopleEdit]> {
        let reading = try condition(body, of: "user")
        let asked = reading.request
        guard !asked.users.isEmpty else {
            throw .query("The users are missing", "#/association_condition/users")
        }
        var settings = asked.settings + asked.entitySettings
        if let preset = asked.defaultAccount {
            settings.append(NamedLimit(name: "DefaultAccount", value: preset))
        }
        guard !asked.accounts.isEmpty || asked.defaultAccount != nil else {
            throw .query("The accounts are missing", "#/association_condition/accounts")
        }
        let edit = edit(.add, "user", asked.users, settings, accounts: asked.accounts)
        return try checked([edit], reading.warnings)
    }

    /// The edits that take associations away.
    ///
    /// - Returns: the edits, and the associations in Slurm's words; empty when there are none.
    public static func removal(
        of associations: [AssociationInfo],
        cluster: String
    ) -> (edits: [PeopleEdit], texts: [String]) {
        var edits: [PeopleEdit] = []
        var texts: [String] = []
        // Users go before their accounts, and accounts before those above them.
        for info in associations.sorted(by: { ($0.depth, $1.account) > ($1.depth, $0.account) }) {
            let head = "C = \(cluster) A = \(info.account)"
            if let user = info.user {
                if let last = edits.last, last.accounts == [info.account] {
                    edits[edits.count - 1].names.append(user)
                } else {
                    edits.append(edit(.delete, "user", [user], [], accounts: [info.account]))
                }
                texts.append("\(head) U = \(user)")
            } else {
                edits.append(edit(.delete, "account", [info.account], []))
                texts.append(head)
            }
        }
        return (edits, texts)
    }

    /// An edit in the words of `sacctmgr`.
    public static func edit(
        _ verb: PeopleEdit.Verb,
        _ entity: String,
        _ names: [String],
        _ settings: [NamedLimit],
        accounts: [String] = []
    ) -> PeopleEdit {
        var edit = PeopleEdit()
        edit.verb = verb.rawValue
        edit.entity = entity
        edit.names = names
        edit.settings = settings
        edit.accounts = accounts
        return edit
    }

    /// The members of an entry of a body, with the form of each.
    static func members(_ body: SlurmBody) -> [(name: String, form: DataForm)] {
        switch body {
        case .accounts: accountMembers.map { ($0.name, $0.form) }
        case .users: userMembers.map { ($0.name, $0.form) }
        case .associations: associationMembers.map { ($0.name, $0.form) }
        case .accountsInAssociation: conditionMembers(of: "account").map { ($0.name, $0.form) }
        case .usersInAssociation: conditionMembers(of: "user").map { ($0.name, $0.form) }
        default: []
        }
    }

    private static func edits<Entry: PeopleEntry>(
        _ body: JSONValue,
        _ name: String,
        _ members: [DataMember<Entry>],
        _ make: (Entry, String) throws(RestFailure) -> [PeopleEdit]
    ) throws(RestFailure) -> DataReading<[PeopleEdit]> {
        guard let values = body[name]?.array else {
            throw .query("Populated \"\(name)\" field is required", "#/\(name)")
        }
        guard values.count <= entriesMaximum else {
            throw .query("More than \(entriesMaximum) \(name) in one request", "#/\(name)")
        }
        var edits: [PeopleEdit] = []
        var warnings: [RestWarning] = []
        for (index, value) in values.enumerated() {
            var reading = DataReading(Entry())
            reading.warnings = warnings
            let source = "#/\(name)/\(index)"
            try reading.read(value, members, source)
            edits += try make(reading.request, source)
            guard edits.count <= 3 * entriesMaximum else {
                let text = "More than \(3 * entriesMaximum) changes in one request"
                throw .query(text, "#/\(name)")
            }
            reading.warn(reading.request.warnings, below: source)
            warnings = reading.warnings
        }
        return try checked(edits, warnings)
    }

    /// The edits, each of whose texts can stand in one line.
    ///
    /// - Throws: `RestFailure` for one that cannot.
    static func checked(
        _ edits: [PeopleEdit],
        _ warnings: [RestWarning]
    ) throws(RestFailure) -> DataReading<[PeopleEdit]> {
        for edit in edits {
            do throws(JSONValue.Malformed) {
                try edit.checkForm()
            } catch {
                throw .parsing(error.problem, "#")
            }
        }
        var reading = DataReading(edits)
        reading.warnings = warnings
        return reading
    }
}

// MARK: - Members

/// What is read of an entry; it can be made without anything being said of it.
private protocol PeopleEntry: Sendable {
    init()
    /// Members below its own that have no effect.
    var warnings: [RestWarning] { get }
}

extension PeopleDescription {
    private struct Account: PeopleEntry {
        var warnings: [RestWarning] = []
        var name = ""
        var settings: [NamedLimit] = []
        var associations: [PeopleEdit] = []
        /// The users who become coordinators of it.
        var coordinators: [String] = []
    }

    private struct User: PeopleEntry {
        var warnings: [RestWarning] = []
        var name = ""
        var settings: [NamedLimit] = []
        var defaultAccount: String?
        var associations: [PeopleEdit] = []
        /// The accounts of which the user becomes a coordinator.
        var coordinated: [String] = []
    }

    private struct Association: PeopleEntry {
        var warnings: [RestWarning] { [] }
        var account = ""
        var user = ""
        var settings: [NamedLimit] = []
        var isDefault = false

        /// - Parameter isOfUser: whether it is a user's although it does not say whose.
        func edit(at source: String, isOfUser: Bool = false) throws(RestFailure) -> PeopleEdit {
            guard !account.isEmpty else {
                throw .query("The account is missing", "\(source)/account")
            }
            guard isOfUser || !user.isEmpty else {
                return PeopleDescription.edit(.modify, "account", [account], settings)
            }
            var settings = settings.filter { $0.name != "parent" }
            if isDefault { settings.append(NamedLimit(name: "DefaultAccount", value: account)) }
            return PeopleDescription.edit(.add, "user", [user], settings, accounts: [account])
        }
    }

    private struct Condition: PeopleEntry {
        var warnings: [RestWarning] = []
        var accounts: [String] = []
        var users: [String] = []
        var settings: [NamedLimit] = []
        var entitySettings: [NamedLimit] = []
        var defaultAccount: String?
    }

    private static func setting(
        _ name: String,
        _ value: DataValue
    ) throws(JSONValue.Malformed) -> [NamedLimit] {
        let text = try value.text()
        return text.isEmpty ? [] : [NamedLimit(name: name, value: text)]
    }

    private static func shares(_ value: DataValue) throws(JSONValue.Malformed) -> [NamedLimit] {
        // As many as a number of 32 bits can say stands for the parent's.
        guard let shares = try value.integer(0...Int64(Int32.max)) else { return [] }
        return [NamedLimit(name: "fairshare", value: "\(shares == Int64(Int32.max) ? 1 : shares)")]
    }

    private static func qualities(_ value: DataValue) throws(JSONValue.Malformed) -> [NamedLimit] {
        let names = try value.texts()
        return names.isEmpty ? [] : [NamedLimit(name: "qos", value: names.joined(separator: ","))]
    }

    private static func level(_ value: DataValue) throws(JSONValue.Malformed) -> [NamedLimit] {
        guard let level = try value.texts().first, level != "Not Set" else { return [] }
        return [NamedLimit(name: levelName, value: level)]
    }

    private static let levelName = "AdminLevel"

    /// The names in a list of `{"name": …}`.
    private static func names(_ value: DataValue) throws(JSONValue.Malformed) -> [String] {
        guard let values = value.json.array else { throw DataValue.expected("a list") }
        guard values.count <= entriesMaximum else {
            throw DataValue.expected("a list of at most \(entriesMaximum)")
        }
        return try values.map { value throws(JSONValue.Malformed) in
            guard let name = value["name"] else {
                throw DataValue.expected("objects with \"name\"")
            }
            return try DataValue(json: name).text()
        }
    }

    /// The names in a list of coordinators, without those who are it by an account above.
    private static func direct(_ value: DataValue) throws(JSONValue.Malformed) -> [String] {
        guard let values = value.json.array else { return try names(value) }
        let isInherited = { (entry: JSONValue) in entry["direct"] == false }
        return try names(DataValue(json: .array(values.filter { !isInherited($0) })))
    }

    private static func associations(
        _ value: DataValue,
        isOfUser: Bool,
        _ warnings: inout [RestWarning]
    ) throws(JSONValue.Malformed) -> [PeopleEdit] {
        guard let values = value.json.array else { throw DataValue.expected("a list") }
        guard values.count <= entriesMaximum else {
            throw DataValue.expected("a list of at most \(entriesMaximum)")
        }
        var edits: [PeopleEdit] = []
        var told = DataReading(())
        for (index, value) in values.enumerated() {
            var reading = DataReading(Association())
            do throws(RestFailure) {
                try reading.read(value, associationMembers, "")
                edits.append(try reading.request.edit(at: "", isOfUser: isOfUser))
            } catch {
                let text = "element \(index): \(error.source): \(error.description)"
                throw JSONValue.Malformed(line: 0, problem: text)
            }
            told.warn(reading.warnings, below: "/associations/\(index)")
        }
        warnings += told.warnings
        return edits
    }

    private static let accountMembers: [DataMember<Account>] = [
        .text("name", always: \.name),
        DataMember("description", .text) { entry, value throws(JSONValue.Malformed) in
            entry.settings += try setting("description", value)
        },
        DataMember("organization", .text) { entry, value throws(JSONValue.Malformed) in
            entry.settings += try setting("organization", value)
        },
        DataMember("associations", .list) { entry, value throws(JSONValue.Malformed) in
            entry.associations = try associations(value, isOfUser: false, &entry.warnings)
        },
        DataMember("coordinators", .list) { entry, value throws(JSONValue.Malformed) in
            entry.coordinators = try direct(value)
        },
        DataMember("flags", .words),
    ]

    private static let userMembers: [DataMember<User>] = [
        .text("name", always: \.name),
        DataMember("administrator_level", .words) { entry, value throws(JSONValue.Malformed) in
            entry.settings += try level(value)
        },
        DataMember("associations", .list) { entry, value throws(JSONValue.Malformed) in
            entry.associations = try associations(value, isOfUser: true, &entry.warnings)
        },
        DataMember("default", .object) { entry, value throws(JSONValue.Malformed) in
            guard let account = value.json["account"] else { return }
            let name = try DataValue(json: account).text()
            entry.defaultAccount = name.isEmpty ? nil : name
        },
        DataMember("coordinators", .list) { entry, value throws(JSONValue.Malformed) in
            entry.coordinated = try direct(value)
        },
        DataMember("flags", .words),
        DataMember("old_name", .text), DataMember("wckeys", .list),
    ]

    private static let associationMembers: [DataMember<Association>] = [
        .text("account", always: \.account),
        .text("user", always: \.user),
        DataMember("default", .object) { entry, value throws(JSONValue.Malformed) in
            guard let qos = value.json["qos"] else { return }
            entry.settings += try setting("defaultqos", DataValue(json: qos))
        },
        .flag("is_default", always: \.isDefault),
        DataMember("max", .object) { entry, value throws(JSONValue.Malformed) in
            for limit in LimitPlace.all {
                guard let path = limit.association,
                    let json = path.dropFirst().reduce(Optional(value.json), { $0?[$1] }),
                    let setting = try limit.setting(json)
                else { continue }
                entry.settings.append(setting)
            }
        },
        DataMember("parent_account", .text) { entry, value throws(JSONValue.Malformed) in
            entry.settings += try setting("parent", value)
        },
        DataMember("qos", .words) { entry, value throws(JSONValue.Malformed) in
            entry.settings += try qualities(value)
        },
        DataMember("shares_raw", .integer) { entry, value throws(JSONValue.Malformed) in
            entry.settings += try shares(value)
        },
        DataMember("accounting", .list), DataMember("cluster", .text),
        DataMember("comment", .text), DataMember("flags", .words), DataMember("id", .integer),
        DataMember("lineage", .text), DataMember("min", .object), DataMember("partition", .text),
        DataMember("priority", .number),
    ]

    /// `assoc_rec_set`.
    private static let setMembers: [DataMember<Condition>] =
        LimitPlace.all.compactMap { limit in
            limit.member.map { name in
                DataMember(name, limit.form.dataForm) { entry, value throws(JSONValue.Malformed) in
                    if let setting = try limit.setting(value.json) {
                        entry.settings.append(setting)
                    }
                }
            }
        } + [
            DataMember("defaultqos", .text) { entry, value throws(JSONValue.Malformed) in
                entry.settings += try setting("defaultqos", value)
            },
            DataMember("fairshare", .integer) { entry, value throws(JSONValue.Malformed) in
                entry.settings += try shares(value)
            },
            DataMember("parent", .text) { entry, value throws(JSONValue.Malformed) in
                entry.settings += try setting("parent", value)
            },
            DataMember("qoslevel", .words) { entry, value throws(JSONValue.Malformed) in
                entry.settings += try qualities(value)
            },
            DataMember("comment", .text), DataMember("grpjobsaccrue", .number),
            DataMember("maxjobsaccrue", .number), DataMember("maxtresrunmins", .list),
            DataMember("maxtrespernode", .list), DataMember("minpriothresh", .number),
            DataMember("priority", .number),
        ]

    private static func conditionMembers(of entity: String) -> [DataMember<Condition>] {
        let inner: [DataMember<Condition>] = [
            DataMember("accounts", .words) { entry, value throws(JSONValue.Malformed) in
                entry.accounts = try value.texts()
            },
            DataMember("users", .words) { entry, value throws(JSONValue.Malformed) in
                entry.users = try value.texts()
            },
            DataMember("association", .object) { entry, value throws(JSONValue.Malformed) in
                try read(value, setMembers, at: "association", &entry)
            },
            DataMember("clusters", .words), DataMember("partitions", .words),
            DataMember("wckeys", .words),
        ]
        let about: [DataMember<Condition>] =
            entity == "account"
            ? [
                DataMember("description", .text) { entry, value throws(JSONValue.Malformed) in
                    entry.entitySettings += try setting("description", value)
                },
                DataMember("organization", .text) { entry, value throws(JSONValue.Malformed) in
                    entry.entitySettings += try setting("organization", value)
                },
            ]
            : [
                DataMember("adminlevel", .words) { entry, value throws(JSONValue.Malformed) in
                    entry.entitySettings += try level(value)
                },
                DataMember("defaultaccount", .text) { entry, value throws(JSONValue.Malformed) in
                    let name = try value.text()
                    entry.defaultAccount = name.isEmpty ? nil : name
                },
                // As `USER` has it, and as waldur-site-agent sends it.
                DataMember("default", .object) { entry, value throws(JSONValue.Malformed) in
                    guard let account = value.json["account"] else { return }
                    let name = try DataValue(json: account).text()
                    entry.defaultAccount = name.isEmpty ? nil : name
                },
                DataMember("defaultqos", .integer), DataMember("defaultwckey", .text),
            ]
        return [
            DataMember("association_condition", .object) {
                entry,
                value throws(JSONValue.Malformed) in
                try read(value, inner, at: "association_condition", &entry)
            },
            DataMember(entity, .object) { entry, value throws(JSONValue.Malformed) in
                try read(value, about, at: entity, &entry)
            },
        ]
    }

    /// Reads the object that a member is.
    private static func read(
        _ value: DataValue,
        _ members: [DataMember<Condition>],
        at name: String,
        _ condition: inout Condition
    ) throws(JSONValue.Malformed) {
        var reading = DataReading(condition)
        reading.request.warnings = []
        do throws(RestFailure) {
            try reading.read(value.json, members, "")
        } catch {
            throw JSONValue.Malformed(line: 0, problem: "\(error.source): \(error.description)")
        }
        reading.warn(reading.request.warnings, below: "")
        let before = condition.warnings
        condition = reading.request
        condition.warnings = before
        var told = DataReading(())
        told.warn(reading.warnings, below: "/\(name)")
        condition.warnings += told.warnings
    }
}
