import IndexSets
public import WireFormats

/// `sacct` and `yhacct`: what they are asked for, and what they print.
public struct AccountingCommand: Hashable, Sendable {
    enum Option: Hashable, Sendable {
        case accepted, account, allClusters, allUsers, allocations, brief, clusters, delimiter,
            duplicates, end,
            format, help
        case helpFormat, jobs, json, long, name, noHeader, nodes, parsable, parsable2, partition,
            qos
        case start, state, units, usage, user, version, yaml
    }

    static let table = OptionTable<Option>([
        OptionSpec(.account, "accounts", "A", .required),
        OptionSpec(.allClusters, "allclusters", "L"),
        OptionSpec(.allUsers, "allusers", "a"),
        OptionSpec(.allocations, "allocations", "X"),
        OptionSpec(.brief, "brief", "b"),
        OptionSpec(.clusters, "cluster", "M", .required),
        OptionSpec(.clusters, "clusters", "M", .required),
        OptionSpec(.delimiter, "delimiter", nil, .required),
        OptionSpec(.duplicates, "duplicates", "D"),
        OptionSpec(.end, "endtime", "E", .required),
        OptionSpec(.format, "format", "o", .required),
        OptionSpec(.help, "help", "h"),
        OptionSpec(.helpFormat, "helpformat", "e"),
        OptionSpec(.jobs, "jobs", "j", .required),
        OptionSpec(.json, "json", nil, .optional),
        OptionSpec(.accepted, "local"),
        OptionSpec(.long, "long", "l"),
        OptionSpec(.name, "name", nil, .required),
        OptionSpec(.noHeader, "noheader", "n"),
        OptionSpec(.nodes, "nodelist", "N", .required),
        OptionSpec(.accepted, "noconvert"),
        OptionSpec(.parsable, "parsable", "p"),
        OptionSpec(.parsable2, "parsable2", "P"),
        OptionSpec(.partition, "partition", "r", .required),
        OptionSpec(.qos, "qos", "q", .required),
        OptionSpec(.start, "starttime", "S", .required),
        OptionSpec(.state, "state", "s", .required),
        OptionSpec(.accepted, "truncate", "T"),
        OptionSpec(.user, "uid", "u", .required),
        OptionSpec(.units, "units", nil, .required),
        OptionSpec(.usage, "usage"),
        OptionSpec(.user, "user", "u", .required),
        OptionSpec(.accepted, "verbose", "v"),
        OptionSpec(.version, "version", "V"),
        OptionSpec(.yaml, "yaml", nil, .optional),
    ])

    /// What was asked for instead of a listing.
    public var information: QueueCommand.Information?
    /// Whether only the names of the fields are to be listed.
    public var listsFields = false
    /// Jobs by number; empty for all.
    public var jobs: [JobSelector] = []
    /// The clusters that were named; nil for the centre's own.
    public var clusters: [String]?

    let program: String
    let calendar: CentreCalendar
    var accounts: [String]?
    var users: [String]?
    var names: [String]?
    var partitions: [String]?
    var qos: [String]?
    var nodes: Set<String>?
    var states: Set<String>?
    var startText: String?
    var endText: String?
    var hasHeader = true
    var showsSteps = true
    /// Whether earlier runs of requeued jobs are listed too.
    var showsDuplicates = false
    var delimiter: String?
    var endsWithDelimiter = false
    var unit: Character?
    /// Data in place of a listing.
    var data: DataFormat?
    var columns: [(field: AccountingFields.Field, width: Int)] {
        columnKeys.compactMap { key in
            AccountingFields.named(key.name).map { ($0, key.width ?? $0.width) }
        }
    }
    private var columnKeys: [ColumnKey] = []

    struct ColumnKey: Hashable, Sendable {
        var name: String
        var width: Int?
    }

    /// Reads the environment and the command line.
    ///
    /// - Parameter user: the name of the user who asks, whose jobs are listed unless others are asked
    ///   for; nil for one who sees everybody's.
    /// - Throws: `CommandFailure`, ready to be printed.
    public init(
        program: String,
        arguments: [String],
        variable: (String) -> String?,
        user: String?,
        calendar: CentreCalendar = CentreCalendar()
    ) throws(CommandFailure) {
        self.program = program
        self.calendar = calendar
        users = user.map { [$0] }
        clusters = variable("SLURM_CLUSTERS").map(list)
        let given: [GivenOption<Option>]
        do throws(OptionRefusal) {
            given = try Self.table.parse(arguments).options
        } catch {
            throw CommandFailure(lines: ["\(program): \(error)"], exitCode: 1)
        }
        var format = variable("SACCT_FORMAT") ?? AccountingFields.standard
        for option in given {
            switch option.id {
            case .format: format = option.value ?? ""
            case .brief: format = AccountingFields.brief
            case .long: format = AccountingFields.long
            default: try apply(option)
            }
        }
        columnKeys = try keys(format)
        if !jobs.isEmpty, !given.contains(where: { $0.id == .user }) { users = nil }
    }

    private mutating func apply(_ option: GivenOption<Option>) throws(CommandFailure) {
        let value = option.value ?? ""
        switch option.id {
        case .accepted, .format, .brief, .long: break
        case .account: accounts = list(value)
        case .allClusters: clusters = [ClusterWord.all]
        case .allUsers: users = nil
        case .clusters: clusters = list(value)
        case .allocations: showsSteps = false
        case .delimiter: delimiter = value
        case .duplicates: showsDuplicates = true
        case .end: endText = value
        case .help, .usage: information = .usage
        case .helpFormat: listsFields = true
        case .jobs: jobs = try selectors(value)
        case .json, .yaml:
            data = try DataFormat(
                isYAML: option.id == .yaml,
                value: option.value,
                program: program
            )
        case .name: names = list(value)
        case .noHeader: hasHeader = false
        case .nodes:
            do throws(HostList.Rejection) {
                nodes = Set(try HostList.expand(value))
            } catch {
                throw .error(program, "Invalid node name \(value)")
            }
        case .parsable:
            delimiter = delimiter ?? "|"
            endsWithDelimiter = true
        case .parsable2:
            delimiter = delimiter ?? "|"
            endsWithDelimiter = false
        case .partition: partitions = list(value)
        case .qos: qos = list(value)
        case .start: startText = value
        case .state:
            switch SlurmDialect.states(value) {
            case .success(let words): states = words
            case .failure(let unknown):
                throw fatal("unrecognized job state value '\(unknown.word)'")
            }
        case .units:
            guard let letter = value.uppercased().first, "KMGTP".contains(letter), value.count == 1
            else {
                let options = "Possible options are 'KMGTP'"
                throw CommandFailure(
                    lines: [
                        "\(program): error: Invalid unit type '\(value)'. \(options)",
                        "\(program): fatal: Invalid unit type",
                    ],
                    exitCode: 1
                )
            }
            unit = letter
        case .user: users = list(value)
        case .version: information = .version
        }
    }

    private func fatal(_ problem: String) -> CommandFailure {
        CommandFailure(lines: ["\(program): fatal: \(problem)"], exitCode: 1)
    }

    private func selectors(_ value: String) throws(CommandFailure) -> [JobSelector] {
        var selectors: [JobSelector] = []
        for word in listOutsideBrackets(value) {
            guard let selector = OptionValues.job(word) else {
                throw fatal("Bad job/step specified: \(word)")
            }
            selectors.append(selector)
        }
        return selectors
    }

    private func keys(_ format: String) throws(CommandFailure) -> [ColumnKey] {
        var keys: [ColumnKey] = []
        for word in list(format) {
            if word.lowercased() == "all" {
                keys += AccountingFields.all.map { ColumnKey(name: $0.name, width: nil) }
                continue
            }
            let parts = word.split(separator: "%", maxSplits: 1).map(String.init)
            guard let name = parts.first, AccountingFields.named(name) != nil else {
                let name = parts.first ?? word
                throw CommandFailure(
                    lines: ["\(program): error: Invalid field requested: \"\(name)\""],
                    exitCode: 1,
                    hint: didYouMean(name, among: AccountingFields.all.map(\.name))
                )
            }
            // A positive width aligns right, a negative one left.
            let width = try parts.dropFirst().first.map { text throws(CommandFailure) in
                guard let width = Int(text) else {
                    throw .error(program, "Invalid width of field \"\(name)\": \(text)")
                }
                return min(max(width, -FormatText.widthMaximum), FormatText.widthMaximum)
            }
            keys.append(ColumnKey(name: name, width: width))
        }
        return keys
    }
}
