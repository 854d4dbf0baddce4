public import WireFormats

/// `sacctmgr` and `yhacctmgr`: accounts, users, and qualities of service.
public struct AccountManagerCommand: Hashable, Sendable {
    /// What is done.
    public enum Action: Hashable, Sendable {
        /// Something else was asked for.
        case information(QueueCommand.Information)
        /// Lists things.
        case show(Entity)
        /// Makes, changes or removes accounts and users.
        case change(PeopleEdit)
        /// Prints all associations as `sacctmgr load` reads them.
        case dump
        /// Reads a file of `sacctmgr dump` and makes what is in it.
        case load(path: String)
    }

    /// What can be listed.
    public enum Entity: String, Hashable, Sendable, CaseIterable {
        /// Accounts.
        case account
        /// Accounts and users with shares and limits.
        case association
        /// The centre.
        case cluster
        /// Qualities of service.
        case qos
        /// What is counted and limited.
        case tres
        /// Users.
        case user
    }

    enum Option: Hashable, Sendable {
        case accepted, help, immediate, json, noHeader, parsable, parsable2, readOnly, usage,
            version,
            yaml
    }

    static let table = OptionTable<Option>([
        OptionSpec(.accepted, "associations", "s"), OptionSpec(.help, "help", "h"),
        OptionSpec(.immediate, "immediate", "i"), OptionSpec(.json, "json", nil, .optional),
        OptionSpec(.noHeader, "noheader", "n"),
        OptionSpec(.accepted, "oneliner", "o"), OptionSpec(.parsable, "parsable", "p"),
        OptionSpec(.parsable2, "parsable2", "P"), OptionSpec(.accepted, "quiet", "Q"),
        OptionSpec(.readOnly, "readonly", "r"), OptionSpec(.usage, "usage"),
        OptionSpec(.accepted, "verbose", "v"), OptionSpec(.version, "version", "V"),
        OptionSpec(.yaml, "yaml", nil, .optional),
    ])

    /// What is done.
    public private(set) var action: Action
    /// Whether nobody is to be asked whether a change is meant.
    public private(set) var isImmediate = false

    private let program: String
    /// How listings are written as data; nil for tables.
    private var data: DataFormat?
    private var style = TableStyle()
    private var format: String?
    private var filters: [String: [String]] = [:]
    /// Whether accounts are listed with their shares and limits.
    private var showsAssociations = false
    /// Whether limits are listed as they are said of the association itself, without those of accounts above.
    private var showsOwnLimits = false
    /// Whether accounts are listed with their coordinators, and users with what they coordinate.
    private var showsCoordinators = false

    /// Reads the command line.
    ///
    /// - Throws: `CommandFailure`, ready to be printed.
    public init(program: String, arguments: [String]) throws(CommandFailure) {
        self.program = program
        action = .information(.usage)
        let given = try Self.table.parse(arguments, for: program)
        for option in given.options {
            switch option.id {
            case .accepted, .readOnly: break
            case .help, .usage: return
            case .immediate: isImmediate = true
            case .noHeader: style.hasHead = false
            case .parsable:
                style.delimiter = "|"
                style.endsWithDelimiter = true
            case .parsable2: style.delimiter = "|"
            case .json, .yaml:
                data = try DataFormat(
                    isYAML: option.id == .yaml,
                    value: option.value,
                    program: program
                )
            case .version:
                action = .information(.version)
                return
            }
        }
        guard let keyword = given.operands.first?.lowercased() else { return }
        let words = Array(given.operands.dropFirst())
        var known: [String] = []
        func matches(_ full: String, _ least: Int) -> Bool {
            known.append(full)
            return ControlCommand.isShort(keyword, for: full, least: least)
        }
        if matches("show", 2) || matches("list", 2) {
            action = .show(try readShow(words))
        } else if matches("add", 2) || matches("create", 1) {
            action = .change(try PeopleEdit(.add, words))
        } else if matches("modify", 1) || matches("update", 1) {
            action = .change(try PeopleEdit(.modify, words))
        } else if matches("delete", 3) || matches("remove", 3) {
            action = .change(try PeopleEdit(.delete, words))
        } else if matches("dump", 2) {
            action = .dump
        } else if matches("load", 2) {
            let path = words.first.map { $0.hasPrefix("file=") ? String($0.dropFirst(5)) : $0 }
            guard let path else { throw ControlCommand.failure("No filename given") }
            action = .load(path: path)
        } else if matches("version", 1) {
            action = .information(.version)
        } else if !matches("help", 1) {
            throw ControlCommand.failure(
                "invalid keyword: \(keyword)",
                for: keyword,
                among: known
            )
        }
    }

    /// A value without the quotation marks that a program, unlike a shell, leaves around it.
    static func unquoted(_ text: String) -> String {
        guard text.count >= 2, let mark = text.first, mark == "\"" || mark == "'",
            text.last == mark
        else { return text }
        return String(text.dropFirst().dropLast())
    }

    private mutating func readShow(_ words: [String]) throws(CommandFailure) -> Entity {
        let word = (words.first ?? "").lowercased()
        func matches(_ full: String, _ least: Int) -> Bool {
            ControlCommand.isShort(word, for: full, least: least)
        }
        let entity: Entity
        if matches("accounts", 2) {
            entity = .account
        } else if matches("associations", 2) {
            entity = .association
        } else if matches("clusters", 2) {
            entity = .cluster
        } else if matches("qos", 1) {
            entity = .qos
        } else if matches("tres", 1) {
            entity = .tres
        } else if matches("users", 1) {
            entity = .user
        } else {
            throw ControlCommand.failure(
                "No valid entity in list command",
                "Input line must include \"Account\", \"Association\", \"Cluster\", \"QOS\",",
                "\"TRES\", or \"User\""
            )
        }
        for word in words.dropFirst() {
            var parts = word.split(separator: "=", maxSplits: 1).map(String.init)
            if parts.count == 2 { parts[1] = Self.unquoted(parts[1]) }
            let name = (parts.first ?? "").lowercased()
            guard parts.count == 2 else {
                if name.hasPrefix("withassoc") { showsAssociations = true }
                if name.hasPrefix("withcoor") { showsCoordinators = true }
                if name.hasPrefix("wop") {
                    showsOwnLimits = true
                    continue
                }
                if name == "where" || name.hasPrefix("with") || name == "tree" { continue }
                filters["name", default: []] += list(word)
                continue
            }
            switch name {
            case "format", "fields": format = parts[1]
            case "name", "names": filters["name", default: []] += list(parts[1])
            case "user", "users": filters["user", default: []] += list(parts[1])
            case "account", "accounts", "acct", "accts":
                filters["account", default: []] += list(parts[1])
            case "qos", "id", "cluster", "clusters", "partition", "parent", "adminlevel":
                filters[name, default: []] += list(parts[1])
            default:
                throw ControlCommand.failure(" Unknown condition: \(word)")
            }
        }
        return entity
    }

    private func keeps(_ filter: String, _ value: String?) -> Bool {
        guard let wanted = filters[filter] else { return true }
        return value.map { wanted.contains($0) } ?? false
    }

    private func unknown(_ name: String) -> CommandFailure {
        CommandFailure(lines: [" Unknown field '\(name)'"], exitCode: 1)
    }

    // MARK: Listings

    /// What is printed of `entity`.
    ///
    /// - Throws: `CommandFailure` for a field that there is not.
    public func output(
        _ entity: Entity,
        _ people: PeopleList
    ) throws(CommandFailure) -> CommandOutput {
        if let data { return output(entity, people, as: data) }
        let lines =
            switch entity {
            case .account: try accountLines(people)
            case .association: try associationLines(people)
            case .cluster: try clusterLines(people)
            case .qos: try qosLines(people)
            case .tres: try tresLines()
            case .user: try userLines(people)
            }
        return CommandOutput(lines: lines)
    }

    /// A listing in Slurm's data model, with the filters of the table.
    private func output(
        _ entity: Entity,
        _ people: PeopleList,
        as data: DataFormat
    ) -> CommandOutput {
        let all = SlurmData(data.version, cluster: people.cluster, command: [program])
        var shown = people
        switch entity {
        case .account:
            shown.associations.removeAll { info in
                !keeps("name", info.account) || !keeps("account", info.account)
            }
            return data.output(
                all.accounts(
                    shown,
                    withAssociations: showsAssociations,
                    withCoordinators: showsCoordinators
                )
            )
        case .association:
            shown.associations = associations(of: people)
            return data.output(all.associations(shown))
        case .cluster: return data.output(all.clusters(named: people.clusters))
        case .qos:
            shown.qos.removeAll { !keeps("name", $0.name) }
            return data.output(all.qualities(shown))
        case .tres: return data.output(all.resources())
        case .user:
            shown.keepUsers { keeps("name", $0) && keeps("user", $0) }
            return data.output(
                all.users(shown, withCoordinators: showsCoordinators, among: people)
            )
        }
    }

    private func associations(of people: PeopleList) -> [AssociationInfo] {
        people.associations.filter { info in
            keeps("account", info.account) && keeps("user", info.user) && keeps("name", info.user)
        }
    }

    private func lines<Row>(
        _ standard: String,
        _ all: [(name: String, field: TableField<Row>)],
        _ rows: [Row]
    ) throws(CommandFailure) -> [String] {
        let fields = try FieldList.choose(format ?? standard, from: all, unknown: unknown)
        return style.lines(fields, rows)
    }

    private func accountLines(_ people: PeopleList) throws(CommandFailure) -> [String] {
        var rows: [AssociationInfo] = []
        for info in people.associations
        where info.user == nil && keeps("name", info.account) && keeps("account", info.account) {
            rows.append(info)
        }
        rows.sort { $0.account < $1.account }
        var all: [(name: String, field: TableField<AssociationInfo>)] = [
            ("Account", TableField("Account", 10) { $0.account }),
            (
                "Descr",
                TableField("Descr", 20) { $0.title ?? "default \($0.account) account" }
            ),
            ("Org", TableField("Org", 20) { $0.organization ?? $0.account }),
        ]
        // Slurm knows the columns of associations here too, and leaves them empty unless asked.
        for (name, field) in associationFields(people) where name != "Account" {
            var shown = field
            if !showsAssociations { shown.text = { _ in "" } }
            all.append((name, shown))
        }
        let names = TableField<AssociationInfo>("Coord Accounts", 20) { info in
            showsCoordinators ? info.coordinators.joined(separator: ",") : ""
        }
        all.append(("Coordinators", names))
        let standard = "Account,Descr,Org" + (showsCoordinators ? ",Coordinators" : "")
        return try lines(
            showsAssociations ? standard + "," + Self.associationColumns : standard,
            all,
            rows
        )
    }

    private func userLines(_ people: PeopleList) throws(CommandFailure) -> [String] {
        var rows: [AssociationInfo] = []
        for info in people.associations {
            guard let user = info.user, keeps("name", user), keeps("user", user) else { continue }
            if let index = rows.firstIndex(where: { $0.user == user }) {
                if info.isDefault { rows[index] = info }
            } else {
                rows.append(info)
            }
        }
        // Slurm lists whoever it knows of, in an account or not.
        for role in people.withoutAccount
        where keeps("name", role.user) && keeps("user", role.user) {
            var info = AssociationInfo()
            info.user = role.user
            info.adminLevel = role.adminLevel
            rows.append(info)
        }
        rows.sort { ($0.user ?? "") < ($1.user ?? "") }
        return try lines(
            "User,DefaultAccount,AdminLevel" + (showsCoordinators ? ",Coordinators" : ""),
            [
                ("User", TableField("User", 10) { $0.user ?? "" }),
                ("DefaultAccount", TableField("Def Acct", 10) { $0.account }),
                ("AdminLevel", TableField("Admin", 9) { $0.shownAdminLevel }),
                ("Account", TableField("Account", 10) { $0.account }),
                ("DefaultQOS", TableField("Def QOS", 9) { $0.defaultQOS ?? "" }),
                ("Cluster", TableField("Cluster", 10) { _ in people.cluster }),
                (
                    "Coordinators",
                    TableField("Coord Accounts", 20) { info in
                        guard showsCoordinators else { return "" }
                        return people.coordinated(by: info.user ?? "").map(\.account)
                            .joined(separator: ",")
                    }
                ),
            ],
            rows
        )
    }

    private func associationLines(_ people: PeopleList) throws(CommandFailure) -> [String] {
        try lines(
            "Cluster,Account,User,Partition," + Self.limitColumns,
            associationFields(people),
            associations(of: people)
        )
    }

    private static let limitColumns =
        "Share,Priority,GrpJobs,GrpTRES,GrpSubmit,GrpWall,GrpTRESMins,MaxJobs,MaxTRES,"
        + "MaxTRESPerNode,MaxSubmit,MaxWall,MaxTRESMins,QOS,DefaultQOS,GrpTRESRunMins"
    private static let associationColumns = "Cluster,ParentName,User," + limitColumns

    private func associationFields(
        _ people: PeopleList
    ) -> [(name: String, field: TableField<AssociationInfo>)] {
        func limit(_ head: String, _ width: Int, _ name: String) -> TableField<AssociationInfo> {
            TableField(head, width) { showsOwnLimits ? $0.limit(name) : $0.limitInForce(name) }
        }
        let all = people.qos.map(\.name).sorted().joined(separator: ",")
        return [
            ("Account", TableField("Account", 10) { $0.account }),
            ("Cluster", TableField("Cluster", 10) { _ in people.cluster }),
            (
                "DefaultQOS",
                TableField("Def QOS", 9) { $0.user == nil ? "" : $0.defaultQOS ?? "" }
            ),
            ("Fairshare", TableField("Share", 9) { "\($0.shares)" }),
            ("GrpJobs", TableField("GrpJobs", 7) { $0.limit("GrpJobs") }),
            ("GrpSubmit", TableField("GrpSubmit", 9) { $0.limit("GrpSubmitJobs") }),
            ("GrpTRES", TableField("GrpTRES", 13) { $0.limit("GrpTRES") }),
            ("GrpTRESMins", TableField("GrpTRESMins", 13) { $0.limit("GrpTRESMins") }),
            ("GrpTRESRunMins", TableField("GrpTRESRunMin", 13) { $0.limit("GrpTRESRunMins") }),
            ("GrpWall", TableField("GrpWall", 11) { $0.limit("GrpWall") }),
            ("ID", TableField("ID", 6) { "\($0.id)" }),
            ("MaxJobs", limit("MaxJobs", 7, "MaxJobs")),
            ("MaxSubmit", limit("MaxSubmit", 9, "MaxSubmitJobs")),
            ("MaxTRES", limit("MaxTRES", 13, "MaxTRESPerJob")),
            ("MaxTRESMins", limit("MaxTRESMins", 13, "MaxTRESMinsPerJob")),
            ("MaxTRESPerNode", TableField("MaxTRESPerNode", 14) { _ in "" }),
            ("MaxWall", limit("MaxWall", 11, "MaxWall")),
            (
                "ParentName",
                TableField("Par Name", 10) { $0.user == nil ? $0.parent ?? "" : "" }
            ),
            ("Partition", TableField("Partition", 10) { _ in "" }),
            ("Priority", TableField("Priority", 10) { _ in "" }),
            (
                "QOS",
                TableField("QOS", 20) { info in
                    let names = showsOwnLimits ? info.ownQOS : info.qos
                    return names.isEmpty && !showsOwnLimits
                        ? all : names.sorted().joined(separator: ",")
                }
            ),
            ("Share", TableField("Share", 9) { "\($0.shares)" }),
            ("User", TableField("User", 10) { $0.user ?? "" }),
        ]
    }

    private func clusterLines(_ people: PeopleList) throws(CommandFailure) -> [String] {
        typealias Row = (cluster: String, root: AssociationInfo)
        let all: [(name: String, field: TableField<Row>)] = [
            ("Cluster", TableField("Cluster", 10) { $0.cluster }),
            ("ControlHost", TableField("ControlHost", 15) { _ in "127.0.0.1" }),
            ("ControlPort", TableField("ControlPort", 12) { _ in "6817" }),
            ("RPC", TableField("RPC", 5) { _ in "9728" }),
            ("Share", TableField("Share", 9) { "\($0.root.shares)" }),
            ("GrpJobs", TableField("GrpJobs", 7) { $0.root.limit("GrpJobs") }),
            ("GrpTRES", TableField("GrpTRES", 13) { $0.root.limit("GrpTRES") }),
            ("GrpSubmit", TableField("GrpSubmit", 9) { $0.root.limit("GrpSubmitJobs") }),
            ("MaxJobs", TableField("MaxJobs", 7) { $0.root.limit("MaxJobs") }),
            ("MaxTRES", TableField("MaxTRES", 13) { $0.root.limit("MaxTRESPerJob") }),
            ("MaxSubmit", TableField("MaxSubmit", 9) { $0.root.limit("MaxSubmitJobs") }),
            ("MaxWall", TableField("MaxWall", 11) { $0.root.limit("MaxWall") }),
            ("QOS", TableField("QOS", 20) { _ in people.qos.first?.name ?? "" }),
            ("DefaultQOS", TableField("Def QOS", 9) { _ in "" }),
        ]
        let standard = all.map(\.name).joined(separator: ",")
        // They share their associations.
        let root = people.associations.first ?? AssociationInfo()
        let rows = people.clusters.sorted().filter { keeps("name", $0) }.map { ($0, root) }
        return try lines(standard, all, rows)
    }

    private func qosLines(_ people: PeopleList) throws(CommandFailure) -> [String] {
        let rows = people.qos.filter { keeps("name", $0.name) }
        func limit(_ head: String, _ width: Int, _ name: String) -> TableField<QOSInfo> {
            TableField(head, width) { info in
                info.limits.first { $0.name == name }?.value ?? ""
            }
        }
        let all: [(name: String, field: TableField<QOSInfo>)] = [
            ("Name", TableField("Name", 10) { $0.name }),
            ("Priority", TableField("Priority", 10) { "\($0.priority)" }),
            ("GraceTime", TableField("GraceTime", 10) { SlurmTime.full($0.graceTime) }),
            ("Preempt", TableField("Preempt", 10) { $0.preempts.joined(separator: ",") }),
            (
                "PreemptExemptTime",
                TableField("PreemptExemptTime", 19) { info in
                    info.exemptTime.map { SlurmTime.full($0) } ?? ""
                }
            ),
            ("PreemptMode", TableField("PreemptMode", 11) { $0.preemptMode }),
            ("Flags", TableField("Flags", 40) { $0.flags.joined(separator: ",") }),
            ("UsageThres", TableField("UsageThres", 10) { _ in "" }),
            (
                "UsageFactor",
                TableField("UsageFactor", 11) {
                    AmountText.ratio(Int64($0.usageFactor), 1_000, digits: 6)
                }
            ),
            ("GrpTRES", limit("GrpTRES", 13, "GrpTRES")),
            ("GrpTRESMins", limit("GrpTRESMins", 13, "GrpTRESMins")),
            ("GrpTRESRunMins", limit("GrpTRESRunMins", 14, "GrpTRESRunMins")),
            ("GrpJobs", limit("GrpJobs", 7, "GrpJobs")),
            ("GrpSubmit", limit("GrpSubmit", 9, "GrpSubmitJobs")),
            ("GrpWall", limit("GrpWall", 11, "GrpWall")),
            ("MaxTRES", limit("MaxTRES", 13, "MaxTRESPerJob")),
            ("MaxTRESPerNode", TableField("MaxTRESPerNode", 14) { _ in "" }),
            ("MaxTRESMins", limit("MaxTRESMins", 13, "MaxTRESMinsPerJob")),
            ("MaxWall", limit("MaxWall", 11, "MaxWall")),
            ("MaxTRESPU", limit("MaxTRESPU", 13, "MaxTRESPerUser")),
            ("MaxJobsPU", limit("MaxJobsPU", 9, "MaxJobsPerUser")),
            ("MaxSubmitPU", limit("MaxSubmitPU", 11, "MaxSubmitJobsPerUser")),
            ("MaxTRESPA", limit("MaxTRESPA", 13, "MaxTRESPerAccount")),
            ("MaxJobsPA", limit("MaxJobsPA", 9, "MaxJobsPerAccount")),
            ("MaxSubmitPA", limit("MaxSubmitPA", 11, "MaxSubmitJobsPerAccount")),
            ("MinTRES", limit("MinTRES", 13, "MinTRESPerJob")),
        ]
        return try lines(all.map(\.name).joined(separator: ","), all, rows)
    }

    private func tresLines() throws(CommandFailure) -> [String] {
        try lines(
            "Type,Name,ID",
            [
                ("Type", TableField("Type", 8) { $0.type }),
                ("Name", TableField("Name", 15) { $0.name }),
                ("ID", TableField("ID", 6) { "\($0.id)" }),
            ],
            TrackedResource.all
        )
    }
}
