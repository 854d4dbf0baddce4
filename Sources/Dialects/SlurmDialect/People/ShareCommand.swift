public import WireFormats

/// `sshare` and `yhshare`: what accounts and users are entitled to, and what they used.
public struct ShareCommand: Hashable, Sendable {
    enum Option: Hashable, Sendable {
        case accepted, account, all, format, help, helpFormat, long, noHeader, parsable
        case parsable2, usage, user, usersOnly, version
    }

    static let table = OptionTable<Option>([
        OptionSpec(.account, "accounts", "A", .required), OptionSpec(.all, "all", "a"),
        OptionSpec(.accepted, "cluster", "M", .required),
        OptionSpec(.accepted, "clusters", "M", .required),
        OptionSpec(.format, "format", "o", .required), OptionSpec(.help, "help"),
        OptionSpec(.helpFormat, "helpformat", "e"), OptionSpec(.long, "long", "l"),
        OptionSpec(.noHeader, "noheader", "n"), OptionSpec(.noHeader, "noheader", "h"),
        OptionSpec(.parsable, "parsable", "p"), OptionSpec(.parsable2, "parsable2", "P"),
        OptionSpec(.accepted, "partition", "m"), OptionSpec(.user, "uid", "u", .required),
        OptionSpec(.user, "user", "u", .required), OptionSpec(.usersOnly, "Users", "U"),
        OptionSpec(.usage, "usage"), OptionSpec(.accepted, "verbose", "v"),
        OptionSpec(.version, "version", "V"),
    ])

    /// What was asked for instead of a listing.
    public var information: QueueCommand.Information?
    /// Whether only the names of the fields are to be listed.
    public var listsFields = false

    private var accounts: [String]?
    private var users: [String]?
    private var usersOnly = false
    private var format: String
    private var style = TableStyle()

    /// Reads the command line.
    ///
    /// - Parameter user: who asks, whose shares are listed unless others are asked for.
    /// - Throws: `CommandFailure`, ready to be printed.
    public init(program: String, arguments: [String], user: String) throws(CommandFailure) {
        users = [user]
        format = Self.standard
        let given = try Self.table.parse(arguments, for: program).options
        for option in given {
            let value = option.value ?? ""
            switch option.id {
            case .accepted: break
            case .account: accounts = list(value)
            case .all: users = nil
            case .format: format = value
            case .help, .usage: information = .usage
            case .helpFormat: listsFields = true
            case .long: format = Self.long
            case .noHeader: style.hasHead = false
            case .parsable:
                style.delimiter = "|"
                style.endsWithDelimiter = true
            case .parsable2: style.delimiter = "|"
            case .user: users = list(value)
            case .usersOnly: usersOnly = true
            case .version: information = .version
            }
        }
        _ = try fields(PeopleList())
    }

    private static let standard =
        "Account,User,RawShares,NormShares,RawUsage,EffectvUsage,FairShare"
    private static let long =
        "Account,User,RawShares,NormShares,RawUsage,NormUsage,EffectvUsage,FairShare,LevelFS,"
        + "GrpTRESMins,TRESRunMins"

    /// What `-e` prints.
    public var fieldList: [String] {
        let names = Self.all(PeopleList()).map(\.name)
        return stride(from: 0, to: names.count, by: 4).map { index in
            names[index..<min(index + 4, names.count)]
                .map { FormatText.fit($0, 17, right: false) }
                .joined(separator: " ")
        }
    }

    private func fields(
        _ list: PeopleList
    ) throws(CommandFailure) -> [TableField<AssociationInfo>] {
        try FieldList.choose(format, from: Self.all(list)) { name in
            CommandFailure(
                lines: ["sshare: error: Invalid field requested: \"\(name)\""],
                exitCode: 1
            )
        }
    }

    /// What is printed.
    ///
    /// - Throws: `CommandFailure` for a field that there is not.
    public func output(_ people: PeopleList) throws(CommandFailure) -> CommandOutput {
        var shown = people.associations.filter { association in
            if let accounts, !accounts.contains(association.account) { return false }
            guard let user = association.user else { return !usersOnly }
            return users?.contains(user) ?? true
        }
        // The highest of those that are shown stands at the margin.
        let least = shown.map(\.depth).min() ?? 0
        for index in shown.indices { shown[index].depth -= least }
        return CommandOutput(lines: style.lines(try fields(people), shown))
    }

    private static func all(
        _ people: PeopleList
    ) -> [(name: String, field: TableField<AssociationInfo>)] {
        let ranked = people.ranked
        let used = people.associations.first?.exactUsage ?? 0
        @Sendable func indented(_ association: AssociationInfo) -> String {
            String(repeating: " ", count: Int(max(0, association.depth))) + association.account
        }
        return [
            ("Account", TableField("Account", -20, indented)),
            ("Cluster", TableField("Cluster", 10) { _ in people.cluster }),
            (
                "EffectvUsage",
                TableField("EffectvUsage", 13) { info in
                    guard info.parent != nil else { return "1.000000" }
                    return AmountText.share(info.exactUsage, of: info.exactSiblingUsage)
                }
            ),
            (
                "FairShare",
                TableField("FairShare", 10) { info in
                    info.user == nil ? "" : AmountText.share(info.rank, of: ranked)
                }
            ),
            ("GrpTRESMins", TableField("GrpTRESMins", 30) { $0.limit("GrpTRESMins") }),
            ("ID", TableField("ID", 6) { "\($0.id)" }),
            ("LevelFS", TableField("LevelFS", 10) { $0.levelShare }),
            (
                "NormShares",
                TableField("NormShares", 11) { info in
                    guard info.parent != nil else { return "0.000000" }
                    return AmountText.share(Int64(info.shares), of: info.siblingShares)
                }
            ),
            (
                "NormUsage",
                TableField("NormUsage", 11) { info in
                    info.parent == nil || info.isNewcomer
                        ? "" : AmountText.share(info.exactUsage, of: used)
                }
            ),
            ("Partition", TableField("Partition", 12) { _ in "" }),
            (
                "RawShares",
                TableField("RawShares", 10) { $0.parent == nil ? "" : "\($0.shares)" }
            ),
            ("RawUsage", TableField("RawUsage", 11) { "\($0.endedUsage)" }),
            ("TRESRunMins", TableField("TRESRunMins", 30) { $0.use.runMinutesText }),
            ("User", TableField("User", 10) { $0.user ?? "" }),
        ]
    }
}

extension AssociationInfo {
    /// The value of a limit; empty when there is none.
    func limit(_ name: String) -> String { limits.first { $0.name == name }?.value ?? "" }

    /// The same, with what accounts above say of each job and user.
    func limitInForce(_ name: String) -> String {
        guard !limitsInForce.isEmpty else { return limit(name) }
        return limitsInForce.first { $0.name == name }?.value ?? ""
    }

    /// Shares ÷ usage, both as parts of all siblings'.
    fileprivate var levelShare: String {
        guard parent != nil else { return "" }
        guard !isNewcomer else { return "0.000000" }
        guard exactUsage > 0 else { return "inf" }
        let (numerator, over) = Int64(shares).multipliedReportingOverflow(by: exactSiblingUsage)
        let (denominator, under) = siblingShares.multipliedReportingOverflow(by: exactUsage)
        guard !over, !under, denominator > 0 else { return "0.000000" }
        return AmountText.ratio(numerator, denominator, digits: 6)
    }
}

extension UseInfo {
    /// `cpu=480,mem=0,energy=0,node=60,…`, as Slurm lists all resources that it tracks.
    fileprivate var runMinutesText: String {
        "cpu=\(coreMinutes),mem=\(memoryMinutes),energy=0,node=\(nodeMinutes),"
            + "billing=\(coreMinutes),fs/disk=0,vmem=0,pages=0,gres/gpu=\(cardMinutes)"
    }
}
