public import WireFormats
import IndexSets

/// `squeue` and `yhqueue`: what they are asked for, and what they print.
public struct QueueCommand: Hashable, Sendable {
    /// The options.
    enum Option: Hashable, Sendable {
        case account, all, array, clusters, format, longFormat, help, iterate, job, long, me, json,
            name, noHeader
        case nodes, partition, priority, qos, reservation, sort, start, states, steps, usage, user
        case version, yaml, accepted
    }

    static let table = OptionTable<Option>([
        OptionSpec(.account, "account", "A", .required, variable: "ACCOUNT"),
        OptionSpec(.all, "all", "a", variable: "ALL"),
        OptionSpec(.array, "array", "r", variable: "ARRAY"),
        OptionSpec(.accepted, "array-unique"),
        OptionSpec(.clusters, "cluster", "M", .required),
        OptionSpec(.clusters, "clusters", "M", .required),
        OptionSpec(.accepted, "federation", variable: "FEDERATION"),
        OptionSpec(.format, "format", "o", .required, variable: "FORMAT"),
        OptionSpec(.longFormat, "Format", "O", .required, variable: "FORMAT2"),
        OptionSpec(.help, "help"),
        OptionSpec(.accepted, "hide"),
        OptionSpec(.iterate, "iterate", "i", .required),
        OptionSpec(.job, "jobs", "j", .optional),
        OptionSpec(.json, "json", nil, .optional),
        OptionSpec(.accepted, "local", variable: "LOCAL"),
        OptionSpec(.long, "long", "l"),
        OptionSpec(.me, "me"),
        OptionSpec(.name, "name", "n", .required, variable: "NAMES"),
        OptionSpec(.noHeader, "noheader", "h"),
        OptionSpec(.nodes, "nodelist", "w", .required),
        OptionSpec(.nodes, "nodes", "w", .required),
        OptionSpec(.partition, "partition", "p", .required, variable: "PARTITION"),
        OptionSpec(.priority, "priority", "P", variable: "PRIORITY"),
        OptionSpec(.qos, "qos", "q", .required, variable: "QOS"),
        OptionSpec(.reservation, "reservation", "R", .required),
        OptionSpec(.sort, "sort", "S", .required, variable: "SORT"),
        OptionSpec(.start, "start"),
        OptionSpec(.states, "states", "t", .required, variable: "STATES"),
        OptionSpec(.steps, "steps", "s", .optional),
        OptionSpec(.usage, "usage"),
        OptionSpec(.user, "user", "u", .required, variable: "USERS"),
        OptionSpec(.accepted, "verbose", "v"),
        OptionSpec(.version, "version", "V"),
        OptionSpec(.yaml, "yaml", nil, .optional),
    ])

    /// `--help`, `--usage` or `--version` was asked for.
    public enum Information: Hashable, Sendable {
        /// How the command is used.
        case usage
        /// The same in short.
        case synopsis
        /// Which Slurm it is like.
        case version
    }

    /// What was asked for instead of a listing.
    public var information: Information?
    /// To list again and again. Unit: s.
    public var iterateSeconds: Int?
    /// The clusters that were named; nil for the centre's own.
    public var clusters: [String]?
    /// Jobs by number; empty for all.
    public var jobs: [JobSelector] = []

    let program: String
    let calendar: CentreCalendar
    var accounts: [String]?
    var users: [String]?
    var names: [String]?
    var partitions: [String]?
    var qos: [String]?
    var reservations: [String]?
    var nodes: Set<String>?
    var states: Set<String>?
    var format: FormatText
    var isLongForm = false
    var sort: String?
    /// Whether there is a head over the columns.
    public private(set) var hasHeader = true
    var isLong = false
    var showsElements = false
    var showsStart = false
    /// Whether steps are listed, and not jobs.
    public private(set) var showsSteps = false
    var warnings: [String] = []
    /// Data in place of a listing.
    var data: DataFormat?
    /// Whether the listing of each cluster that was named begins with its name.
    public var namesClusters: Bool { hasHeader && data == nil }

    /// Reads the environment and the command line.
    ///
    /// - Parameters:
    ///   - user: the name of the user who asks.
    ///   - isUser: whether a name or number is a user's.
    /// - Throws: `CommandFailure`, ready to be printed.
    public init(
        program: String,
        arguments: [String],
        variable: (String) -> String?,
        user: String,
        isUser: (String) -> Bool,
        calendar: CentreCalendar = CentreCalendar()
    ) throws(CommandFailure) {
        self.program = program
        self.calendar = calendar
        format = FormatText("")
        var given: [GivenOption<Option>]
        var operands: [String]
        (given, operands) = try Self.table.parse(arguments, for: program)
        // The value of -j may be missing, or be the next word.
        for index in given.indices
        where [.job, .steps].contains(given[index].id) && given[index].value == nil {
            if !operands.isEmpty { given[index].value = operands.removeFirst() }
        }
        clusters = variable("SLURM_CLUSTERS").map(list)
        var custom: GivenOption<Option>?
        for option in Self.table.given(inEnvironment: variable, prefix: "SQUEUE_") + given {
            if option.id == .format || option.id == .longFormat { custom = option }
            try apply(option, user: user, isUser: isUser)
        }
        if let custom {
            isLongForm = custom.id == .longFormat
            let text = custom.value ?? ""
            format =
                isLongForm
                ? FormatText(long: text)
                : FormatText(text.replacing("%all", with: JobColumns.allFormat))
        } else {
            format = FormatText(standardFormat)
        }
    }

    /// The format without `-o`, as on the real machines: Tianhe's names of users are longer.
    private var standardFormat: String {
        let user = Dialect(program: program) == .tianhe ? "%.12u" : "%.8u"
        if showsSteps { return "%.15i %.8j %.9P \(user) %.9M %N" }
        if showsStart { return "%.18i %.9P %.8j \(user) %.2t %.19S %.6D %20Y %R" }
        if isLong { return "%.18i %.9P %.8j \(user) %.8T %.10M %.9l %.6D %R" }
        return "%.18i %.9P %.8j \(user) %.2t %.10M %.6D %R"
    }

    private mutating func apply(
        _ option: GivenOption<Option>,
        user: String,
        isUser: (String) -> Bool
    ) throws(CommandFailure) {
        let value = option.value ?? ""
        switch option.id {
        case .accepted, .all, .priority, .format, .longFormat: break
        case .account: accounts = list(value)
        case .array: showsElements = true
        case .clusters: clusters = list(value)
        case .help: information = .usage
        case .usage: information = .synopsis
        case .iterate:
            guard let seconds = Int(value), seconds > 0 else {
                throw .error(program, "--iterate=\(value) is not a number of seconds above 0")
            }
            iterateSeconds = seconds
        case .job: jobs = try selectors(value)
        case .json, .yaml:
            data = try DataFormat(
                isYAML: option.id == .yaml,
                value: option.value,
                program: program
            )
        case .long: isLong = true
        case .me: users = [user]
        case .name: names = list(value)
        case .noHeader: hasHeader = false
        case .nodes: nodes = try nodeNames(value)
        case .partition: partitions = list(value)
        case .qos: qos = list(value)
        case .reservation: reservations = list(value)
        case .sort: sort = value
        case .start: showsStart = true
        case .states: states = try states(value)
        case .steps:
            showsSteps = true
            if !value.isEmpty { jobs = try selectors(value) }
        case .user: applyUsers(list(value), isUser: isUser)
        case .version: information = .version
        }
    }

    private func selectors(_ value: String) throws(CommandFailure) -> [JobSelector] {
        var selectors: [JobSelector] = []
        for word in listOutsideBrackets(value) {
            guard let selector = OptionValues.job(word) else {
                throw .error(program, "Invalid job id: \(word)")
            }
            selectors.append(selector)
        }
        return selectors
    }

    private func nodeNames(_ value: String) throws(CommandFailure) -> Set<String> {
        do throws(HostList.Rejection) {
            return Set(try HostList.expand(value))
        } catch {
            throw .error(program, "Invalid node name \(value)")
        }
    }

    private func states(_ value: String) throws(CommandFailure) -> Set<String> {
        switch SlurmDialect.states(value) {
        case .success(let states): return states
        case .failure(let unknown):
            let valid = JobStates.all.map(\.name).joined(separator: ",")
            throw CommandFailure(
                lines: [
                    "\(program): error: Invalid job state specified: \(unknown.word)",
                    "\(program): error: Valid job states include: \(valid)",
                    "",
                ],
                exitCode: 1
            )
        }
    }

    private mutating func applyUsers(_ names: [String], isUser: (String) -> Bool) {
        users = names
        for name in names where !isUser(name) {
            warnings += ["\(program): error: Invalid user: \(name)", ""]
        }
    }
}
