import IndexSets
public import Quantities
public import WireFormats

/// `scontrol` and `yhcontrol`: what they are asked to do.
public struct ControlCommand: Hashable, Sendable {
    /// One thing to do.
    public enum Action: Hashable, Sendable {
        /// How the command is used.
        case usage
        /// Which Slurm it is like.
        case version
        /// Whether the daemon answers.
        case ping
        /// Describe jobs; nil for all.
        case showJobs(JobSelector?)
        /// Describe nodes, given as a host list; nil for all.
        case showNodes(String?)
        /// Describe a partition; nil for all.
        case showPartitions(String?)
        /// Print lines that need no daemon.
        case print([String])
        /// Print or write a job's script.
        case writeScript(UInt32, path: String?)
        /// `hold`, `uhold`, `release`, `requeue` or `requeuehold`, and the jobs.
        case act(JobVerb, [JobTarget])
        /// Change jobs.
        case updateJobs([JobTarget], [Change])
        /// Change nodes.
        case updateNodes(NodeUpdateRequest)
        /// Change a partition.
        case updatePartition(PartitionUpdateRequest)
    }

    /// What can be done to jobs without a value.
    public enum JobVerb: String, Hashable, Sendable {
        /// Not to start until released.
        case hold
        /// The same, in the user's name.
        case uhold
        /// To end a hold.
        case release
        /// Back to the queue.
        case requeue
        /// Back to the queue, and held.
        case requeuehold
    }

    /// Jobs by number, or by name.
    public enum JobTarget: Hashable, Sendable {
        /// By number, and as it was written.
        case number(JobSelector, String)
        /// All of a name.
        case name(String)
        /// Something that is no number: the daemon does not know it.
        case unknown(String)
    }

    /// A `Name=value` of `update`.
    public struct Change: Hashable, Sendable {
        /// The name in small letters.
        public var name: String
        /// The value.
        public var value: String
    }

    /// Whether each object is printed on one line.
    public var isOneLine = false
    /// Whether more is printed.
    public var isDetailed = false
    /// What to do.
    public var action = Action.usage

    private enum Option: Hashable, Sendable {
        case accepted, details, help, oneLine, version
    }

    private static let table = OptionTable<Option>([
        OptionSpec(.accepted, "all", "a"), OptionSpec(.details, "details", "d"),
        OptionSpec(.help, "help", "h"), OptionSpec(.accepted, "hide"),
        OptionSpec(.accepted, "local"), OptionSpec(.oneLine, "oneliner", "o"),
        OptionSpec(.accepted, "quiet", "Q"), OptionSpec(.accepted, "verbose", "v"),
        OptionSpec(.version, "version", "V"),
    ])

    /// Reads the command line.
    ///
    /// - Throws: `CommandFailure`, ready to be printed.
    public init(program: String, arguments: [String]) throws(CommandFailure) {
        let given: (options: [GivenOption<Option>], operands: [String])
        do throws(OptionRefusal) {
            given = try Self.table.parse(arguments)
        } catch {
            throw .usage(program, error, exitCode: 1)
        }
        for option in given.options {
            switch option.id {
            case .accepted: break
            case .details: isDetailed = true
            case .oneLine: isOneLine = true
            case .help: return
            case .version:
                action = .version
                return
            }
        }
        guard let keyword = given.operands.first else { return }
        action = try Self.action(keyword, Array(given.operands.dropFirst()))
    }

    private static func failure(_ lines: String...) -> CommandFailure {
        CommandFailure(lines: lines, exitCode: 1)
    }

    /// Whether `word` is `full` or an abbreviation of it of at least `least` letters.
    private static func isShort(_ word: String, for full: String, least: Int) -> Bool {
        word.count >= least && full.hasPrefix(word.lowercased())
    }

    private static func action(
        _ keyword: String,
        _ words: [String]
    ) throws(CommandFailure) -> Action {
        func matches(_ full: String, _ least: Int) -> Bool {
            isShort(keyword, for: full, least: least)
        }
        if matches("show", 2) || matches("list", 4) { return try show(words) }
        if matches("update", 1) { return try update(words) }
        if matches("ping", 3) { return .ping }
        if matches("version", 4) { return .version }
        if matches("help", 2) { return .usage }
        if matches("write", 5) { return try write(words) }
        for verb in [JobVerb.hold, .uhold, .release, .requeue, .requeuehold]
        where matches(verb.rawValue, verb == .requeuehold ? 8 : 3) {
            guard !words.isEmpty else {
                throw failure("too few arguments for keyword:\(keyword)")
            }
            return .act(verb, words.flatMap(targets))
        }
        throw failure("invalid keyword: \(keyword)")
    }

    private static func targets(_ text: String) -> [JobTarget] {
        let lower = text.lowercased()
        if lower.hasPrefix("jobname=") || lower.hasPrefix("name=") {
            return [
                .name(
                    String(text[text.index(after: text.firstIndex(of: "=") ?? text.startIndex)...])
                )
            ]
        }
        var depth = 0
        let words = text.split { character in
            if character == "[" { depth += 1 }
            if character == "]" { depth -= 1 }
            return character == "," && depth == 0
        }
        return words.map { word in
            OptionValues.job(String(word)).map { .number($0, String(word)) }
                ?? .unknown(String(word))
        }
    }

    private static func write(_ words: [String]) throws(CommandFailure) -> Action {
        guard words.count >= 2, isShort(words[0], for: "batch_script", least: 5) else {
            throw failure("invalid keyword: write \(words.first ?? "")")
        }
        guard let job = OptionValues.job(words[1]) else {
            throw failure("scontrol: error: Invalid JobId=\(words[1])")
        }
        let path = words.count > 2 ? words[2] : "slurm-\(job.jobID).sh"
        return .writeScript(job.jobID, path: path == "-" ? nil : path)
    }

    private static func show(_ words: [String]) throws(CommandFailure) -> Action {
        guard let entity = words.first else { throw failure("too few arguments for keyword:show") }
        let id = words.count > 1 ? words[1] : nil
        func matches(_ full: String, _ least: Int) -> Bool {
            isShort(entity, for: full, least: least)
        }
        if matches("jobs", 1) {
            guard let id else { return .showJobs(nil) }
            guard let job = OptionValues.job(id) else {
                throw failure("scontrol: error: Invalid job id \(id)")
            }
            return .showJobs(job)
        }
        if matches("nodes", 1) { return .showNodes(id) }
        if matches("partitions", 1) { return .showPartitions(id) }
        if matches("reservations", 1) { return .print(["No reservations in the system"]) }
        if matches("licenses", 2) { return .print(["No licenses configured in Slurm."]) }
        if matches("hostnames", 5) || matches("hostlistsorted", 5) {
            guard let id else { throw failure("invalid hostlist: ") }
            return .print(try hosts(entity.lowercased(), id))
        }
        throw failure("invalid entity:\(entity) for keyword:show ")
    }

    private static func hosts(_ entity: String, _ text: String) throws(CommandFailure) -> [String] {
        let names: [String]
        do throws(HostList.Rejection) {
            names = try HostList.expand(text)
        } catch {
            throw failure("Invalid hostlist: \(text)")
        }
        return entity.hasPrefix("hostn") ? names : [HostList.compress(names)]
    }

    private static func update(_ words: [String]) throws(CommandFailure) -> Action {
        guard !words.isEmpty else { throw failure("too few arguments for update keyword") }
        var changes: [Change] = []
        for word in words {
            guard let equals = word.firstIndex(of: "=") else {
                throw failure("Invalid input: \(word)", "Request aborted")
            }
            changes.append(
                Change(
                    name: word[..<equals].lowercased(),
                    value: String(word[word.index(after: equals)...])
                )
            )
        }
        func take(_ names: Set<String>) -> String? {
            guard let index = changes.firstIndex(where: { names.contains($0.name) }) else {
                return nil
            }
            return changes.remove(at: index).value
        }
        if let nodes = take(["nodename"]) { return try updateNodes(nodes, changes) }
        if let name = take(["partitionname"]) { return try updatePartition(name, changes) }
        if let jobs = take(["jobid"]) { return .updateJobs(targets(jobs), changes) }
        if let name = take(["jobname", "name"]) { return .updateJobs([.name(name)], changes) }
        throw failure(
            "No valid entity in update command",
            "Input line must include \"NodeName\", \"PartitionName\", \"Reservation\", \"JobId\","
                + " or \"SlurmctldDebug\""
        )
    }

    private static func updateNodes(
        _ nodes: String,
        _ changes: [Change]
    ) throws(CommandFailure) -> Action {
        var request = NodeUpdateRequest()
        request.nodes = nodes
        for change in changes {
            switch change.name {
            case "state":
                let states = ["DOWN", "DRAIN", "FAIL", "RESUME", "UNDRAIN", "IDLE"]
                guard states.contains(change.value.uppercased()) else {
                    throw failure(
                        "Invalid input: state=\(change.value)",
                        "Request aborted",
                        "Valid states are: DOWN DRAIN FAIL IDLE RESUME UNDRAIN",
                        "Not all states are valid given a node's prior state"
                    )
                }
                request.state = change.value.uppercased()
            case "reason": request.reason = change.value
            default: throw unsupported(change)
            }
        }
        if ["DOWN", "DRAIN", "FAIL"].contains(request.state), request.reason == nil {
            throw failure(
                "You must specify a reason when DOWNING or DRAINING a node. Request denied"
            )
        }
        return .updateNodes(request)
    }

    private static func updatePartition(
        _ name: String,
        _ changes: [Change]
    ) throws(CommandFailure) -> Action {
        var request = PartitionUpdateRequest()
        request.name = name
        for change in changes {
            guard change.name == "state" else { throw unsupported(change) }
            let state = change.value.uppercased()
            guard ["UP", "DOWN", "DRAIN", "INACTIVE"].contains(state) else {
                throw failure(
                    "Invalid input: state=\(change.value)",
                    "Request aborted",
                    "Acceptable State values are UP, DOWN, DRAIN and INACTIVE"
                )
            }
            request.state = state
        }
        return .updatePartition(request)
    }

    static func unsupported(_ change: Change) -> CommandFailure {
        failure(
            "Update of this parameter is not supported: \(change.name)=\(change.value)",
            "Request aborted"
        )
    }
}

extension JobUpdateRequest {
    /// Reads the changes of `scontrol update`.
    ///
    /// - Throws: `CommandFailure` for the first that is unknown or malformed.
    public init(
        _ changes: [ControlCommand.Change],
        now: SimInstant,
        calendar: CentreCalendar = CentreCalendar()
    ) throws(CommandFailure) {
        self.init()
        for change in changes { try apply(change, now: now, calendar: calendar) }
    }

    private mutating func apply(
        _ change: ControlCommand.Change,
        now: SimInstant,
        calendar: CentreCalendar
    ) throws(CommandFailure) {
        let value = change.value
        func invalid() -> CommandFailure {
            CommandFailure(
                lines: ["Invalid input: \(change.name)=\(value)", "Request aborted"],
                exitCode: 1
            )
        }
        switch change.name {
        case "timelimit": try applyTimeLimit(value, invalid())
        case "priority":
            // Slurm's are 32 bits wide.
            guard let number = UInt32(value) else { throw invalid() }
            priority = Int64(number)
        case "nice":
            guard let number = Int32(value.isEmpty ? "100" : value) else { throw invalid() }
            nice = number
        case "jobname", "name": name = value
        case "comment": comment = value
        case "partition": partition = value
        case "account": account = value
        case "qos": qos = value
        case "starttime", "eligibletime", "begin":
            guard let instant = calendar.instant(value, now: now) else { throw invalid() }
            begin = instant
        case "dependency":
            guard let parsed = value.isEmpty ? ([], false) : try? OptionValues.dependencies(value)
            else { throw invalid() }
            dependencies = parsed.0
            anyDependency = parsed.1
        case "numnodes", "numnodes-max", "reqnodes":
            guard let range = try? OptionValues.nodeCount(value) else { throw invalid() }
            nodes = range.minimum
        case "reqnodelist", "nodelist": requiredNodes = value
        case "excnodelist": excludedNodes = value
        case "requeue":
            guard value == "0" || value == "1" else { throw invalid() }
            requeues = value == "1"
        case "arraytaskthrottle":
            guard let number = UInt32(value) else { throw invalid() }
            arrayLimit = number
        default: throw ControlCommand.unsupported(change)
        }
    }

    private mutating func applyTimeLimit(
        _ text: String,
        _ invalid: CommandFailure
    ) throws(CommandFailure) {
        let sign = text.first
        if sign == "+" || sign == "-" {
            guard let seconds = SlurmTime.seconds(String(text.dropFirst())),
                let change = SimDuration(exactlySeconds: sign == "+" ? seconds : -seconds)
            else { throw invalid }
            timeLimitChange = change
            return
        }
        switch SlurmTime.limit(text) {
        case .unlimited: removesTimeLimit = true
        case .of(let limit): timeLimit = limit
        case nil: throw invalid
        }
    }
}
