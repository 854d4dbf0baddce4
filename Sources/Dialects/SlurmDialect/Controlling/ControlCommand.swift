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
        /// Tell what the centre goes by.
        case showConfiguration
        /// Print lines that need no daemon.
        case print([String])
        /// Print or write a job's script.
        case writeScript(UInt32, path: String?)
        /// `hold`, `uhold`, `release`, `requeue`, `requeuehold`, `suspend`, `resume` or `top`, and the jobs.
        case act(JobVerb, [JobTarget])
        /// Change jobs.
        case updateJobs([JobTarget], [Change])
        /// Change nodes.
        case updateNodes(NodeUpdateRequest)
        /// Change a partition.
        case updatePartition(PartitionUpdateRequest)
        /// Describe the steps of running jobs, of one by its number, or one step of it.
        case showSteps(job: UInt32?, step: String?)
        /// Describe what limits go by: of which kinds, accounts, users and QOS.
        case showAssociations(AssociationFilter)
        /// List the processes of a running job's steps.
        case listProcesses(job: UInt32, step: String?)
        /// Wait until a job's nodes are ready.
        case waitJob(UInt32)
        /// Tell why a job waits, and what would start it sooner. Slurm has no such word.
        case explain(UInt32)
        /// List jobs that are about to end.
        case completing
        /// Describe a licence; nil for all.
        case showLicenses(String?)
        /// Describe a reservation; nil for all.
        case showReservations(String?)
        /// Make a reservation.
        case createReservation([Change])
        /// Change a reservation.
        case updateReservation([Change])
        /// End a reservation.
        case deleteReservation(String)
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
        /// Stand still.
        case suspend
        /// Go on.
        case resume
        /// Before the others of its user.
        case top
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
        /// All of it as it was written.
        var word = ""
        /// Whether it was written with `+=` or `-=`; the sign begins the value.
        var isIncrement = false
    }

    /// Whether each object is printed on one line.
    public var isOneLine = false
    /// Whether more is printed.
    public var isDetailed = false
    /// Data in place of descriptions.
    public var data: DataFormat?
    /// The cluster that was named; nil for the centre's own.
    public var clusters: [String]?
    /// What to do.
    public var action = Action.usage

    enum Option: Hashable, Sendable {
        case accepted, clusters, details, help, json, oneLine, version, yaml
    }

    static let table = OptionTable<Option>([
        OptionSpec(.accepted, "all", "a"), OptionSpec(.clusters, "cluster", "M", .required),
        OptionSpec(.clusters, "clusters", "M", .required),
        OptionSpec(.details, "details", "d"),
        OptionSpec(.help, "help", "h"), OptionSpec(.accepted, "hide"),
        OptionSpec(.json, "json", nil, .optional), OptionSpec(.yaml, "yaml", nil, .optional),
        OptionSpec(.accepted, "local"), OptionSpec(.oneLine, "oneliner", "o"),
        OptionSpec(.accepted, "quiet", "Q"), OptionSpec(.accepted, "verbose", "v"),
        OptionSpec(.version, "version", "V"),
    ])

    /// Reads the command line.
    ///
    /// - Parameter variable: looks up the environment, where a job finds its nodes.
    /// - Throws: `CommandFailure`, ready to be printed.
    public init(
        program: String,
        arguments: [String],
        variable: (String) -> String?
    ) throws(CommandFailure) {
        clusters = variable("SLURM_CLUSTERS").map(list)
        let given = try Self.table.parse(arguments, for: program)
        for option in given.options {
            switch option.id {
            case .accepted: break
            case .clusters:
                let named = list(option.value ?? "")
                guard named.count == 1, named != [ClusterWord.all] else {
                    throw .error(program, "Only one cluster can be used at a time with scontrol")
                }
                clusters = named
            case .details: isDetailed = true
            case .json, .yaml:
                data = try DataFormat(
                    isYAML: option.id == .yaml,
                    value: option.value,
                    program: program
                )
            case .oneLine: isOneLine = true
            case .help: return
            case .version:
                action = .version
                return
            }
        }
        guard let keyword = given.operands.first else { return }
        action = try Self.action(keyword, Array(given.operands.dropFirst()), variable)
        // A number or a name means one thing in the whole centre: it would be changed wherever it is.
        if action.changesSomething, given.options.contains(where: { $0.id == .clusters }) {
            throw .error(program, "-M is for what is shown; what is changed is named without it")
        }
    }

    static func failure(_ lines: String...) -> CommandFailure {
        CommandFailure(lines: lines, exitCode: 1)
    }

    /// The failure for a word that is none of those that it was compared with.
    static func failure(_ line: String, for word: String, among known: [String]) -> CommandFailure {
        CommandFailure(lines: [line], exitCode: 1, hint: didYouMean(word, among: known))
    }

    /// Whether `word` is `full` or an abbreviation of it of at least `least` letters.
    static func isShort(_ word: String, for full: String, least: Int) -> Bool {
        word.count >= least && full.hasPrefix(word.lowercased())
    }

    private static func action(
        _ keyword: String,
        _ words: [String],
        _ variable: (String) -> String?
    ) throws(CommandFailure) -> Action {
        var known: [String] = []
        func matches(_ full: String, _ least: Int) -> Bool {
            known.append(full)
            return isShort(keyword, for: full, least: least)
        }
        if matches("show", 2) || matches("list", 4) { return try show(words, variable) }
        if matches("update", 1) { return try update(words) }
        if isShort(keyword, for: "create", least: 1) || isShort(keyword, for: "delete", least: 1) {
            guard !words.isEmpty else { throw failure("too few arguments for \(keyword) keyword") }
        }
        if matches("create", 1) { return .createReservation(try reservationChanges(words)) }
        if matches("delete", 1) { return .deleteReservation(try reservationToDelete(words)) }
        if matches("ping", 3) { return .ping }
        if matches("version", 4) { return .version }
        if matches("help", 2) { return .usage }
        if matches("write", 5) { return try write(words) }
        if matches("listpids", 5) { return try listProcesses(words, variable) }
        if matches("wait_job", 2) {
            guard let job = words.first.flatMap({ OptionValues.job($0) }) else {
                throw failure("too few arguments for keyword:\(keyword)")
            }
            return .waitJob(job.jobID)
        }
        if matches("explain", 4) {
            guard let job = words.first.flatMap({ OptionValues.job($0) }) else {
                throw failure("too few arguments for keyword:\(keyword)")
            }
            guard words.count == 1 else {
                throw failure("too many arguments for keyword:\(keyword)")
            }
            return .explain(job.jobID)
        }
        if matches("completing", 2) { return .completing }
        if matches("notify", 1) {
            guard words.count >= 2 else {
                throw failure("too few arguments for keyword:\(keyword)")
            }
            // A batch script has nobody to be told; Slurm's answer to one is as silent.
            return .print([])
        }
        if matches("errnumstr", 4) {
            guard let number = words.first.flatMap({ Int32($0) }) else {
                throw failure("too few arguments for keyword:\(keyword)")
            }
            let error = SlurmError.allCases.first { $0.number == number }
            return .print([error?.text ?? "Unknown error \(number)"])
        }
        if matches("reconfigure", 3) { return .print([]) }
        if matches("reboot_nodes", 3) {
            throw failure(
                "scontrol: error: RebootProgram isn't defined",
                "scontrol_reboot_nodes error: \(SlurmError.unspecified.text)"
            )
        }
        for verb in [
            JobVerb.hold, .uhold, .release, .requeue, .requeuehold, .suspend, .resume, .top,
        ]
        where matches(verb.rawValue, verb == .requeuehold ? 8 : 3) {
            guard !words.isEmpty else {
                throw failure("too few arguments for keyword:\(keyword)")
            }
            // `requeuehold state=SpecialExit JOB`: the job waits held in any case.
            let jobs =
                verb == .requeuehold ? words.filter { !$0.lowercased().hasPrefix("state=") } : words
            return .act(verb, jobs.flatMap(targets))
        }
        throw failure("invalid keyword: \(keyword)", for: keyword, among: known)
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
        return listOutsideBrackets(text).map { word in
            OptionValues.job(word).map { .number($0, word) } ?? .unknown(word)
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

    private static func show(
        _ words: [String],
        _ variable: (String) -> String?
    ) throws(CommandFailure) -> Action {
        guard let word = words.first else { throw failure("too few arguments for keyword:show") }
        // `job=1` is another way to write `job 1`.
        let halves = word.split(separator: "=", maxSplits: 1).map(String.init)
        let entity = halves.first ?? word
        let id = halves.count > 1 ? halves[1] : words.count > 1 ? words[1] : nil
        var known: [String] = []
        func matches(_ full: String, _ least: Int) -> Bool {
            known.append(full)
            return isShort(entity, for: full, least: least)
        }
        if matches("jobs", 1) || matches("jobid", 1) {
            guard let id else { return .showJobs(nil) }
            guard let job = OptionValues.job(id) else {
                throw failure("scontrol: error: Invalid job id \(id)")
            }
            return .showJobs(job)
        }
        if matches("nodes", 1) { return .showNodes(id) }
        if matches("partitions", 1) { return .showPartitions(id) }
        if matches("reservations", 1) || matches("reservationname", 1) {
            return .showReservations(id)
        }
        if matches("licenses", 2) { return .showLicenses(id) }
        if matches("steps", 2) || matches("stepid", 5) { return try showSteps(id) }
        if matches("assoc_mgr", 2) {
            return .showAssociations(try AssociationFilter(words.dropFirst().map { $0 }))
        }
        if matches("daemons", 1) { return .print(["slurmctld slurmd"]) }
        if matches("topology", 1) {
            throw CommandFailure(
                lines: ["scontrol: error: No topology information available"],
                exitCode: 0
            )
        }
        if matches("aliases", 1) { return .print([]) }
        if matches("frontend", 1) { return .print(["No nodes in the system"]) }
        // There are none, and Slurm says nothing of them.
        if matches("burstbuffer", 2) || matches("bbstat", 2) || matches("dwstat", 2) {
            return .print([])
        }
        if matches("federation", 2) {
            throw CommandFailure(
                lines: ["scontrol: error: No federation information available"],
                exitCode: 0
            )
        }
        if matches("config", 1) { return .showConfiguration }
        if matches("hostnames", 5) {
            // A job's script asks for the nodes that the job has.
            guard let list = id ?? variable("SLURM_JOB_NODELIST") else {
                throw CommandFailure(lines: ["scontrol: error: host list is empty"], exitCode: 0)
            }
            return .print(try hosts(list))
        }
        if matches("hostlist", 5) || matches("hostlistsorted", 9) {
            guard let id else { throw failure("invalid hostlist: ") }
            let names = try hosts(id)
            let isSorted = entity.count > "hostlist".count
            return .print([
                isSorted ? HostList.compress(names) : HostList.compressInOrder(names)
            ])
        }
        throw failure("invalid entity:\(entity) for keyword:show ", for: entity, among: known)
    }

    private static func hosts(_ text: String) throws(CommandFailure) -> [String] {
        do throws(HostList.Rejection) {
            return try HostList.expand(text)
        } catch {
            throw failure("Invalid hostlist: \(text)")
        }
    }

    /// Reads `Name=value` and more.
    static func changes(_ words: [String]) throws(CommandFailure) -> [Change] {
        var changes: [Change] = []
        for word in words {
            guard let equals = word.firstIndex(of: "=") else {
                throw failure("Invalid input: \(word)", "Request aborted")
            }
            var change = Change(
                name: word[..<equals].lowercased(),
                value: String(word[word.index(after: equals)...]),
                word: word
            )
            // `TimeLimit+=10` is another way to write `TimeLimit=+10`.
            if let sign = change.name.last, sign == "+" || sign == "-" {
                change.name.removeLast()
                change.value = "\(sign)\(change.value)"
                change.isIncrement = true
            }
            changes.append(change)
        }
        return changes
    }

    private static func update(_ words: [String]) throws(CommandFailure) -> Action {
        guard !words.isEmpty else { throw failure("too few arguments for update keyword") }
        var changes = try changes(words)
        // Slurm takes tags by their beginnings, of so many letters at least.
        func take(_ tag: String, _ least: Int) -> String? {
            guard
                let index = changes.firstIndex(where: { isShort($0.name, for: tag, least: least) })
            else { return nil }
            return changes.remove(at: index).value
        }
        // A job's update may name a partition too, so the job goes first.
        if let jobs = take("jobid", 1) { return .updateJobs(targets(jobs), changes) }
        if changes.contains(where: { isShort($0.name, for: "reservationname", least: 3) }) {
            return .updateReservation(changes)
        }
        if let nodes = take("nodename", 3) { return try updateNodes(nodes, changes) }
        if let name = take("partitionname", 3) { return try updatePartition(name, changes) }
        if let name = take("jobname", 4) ?? take("name", 2) {
            return .updateJobs([.name(name)], changes)
        }
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
            switch tag(change.name, ["state", "reason"]) {
            case "state":
                let states = ["DOWN", "DRAIN", "FAIL", "RESUME", "UNDRAIN", "IDLE"]
                guard states.contains(change.value.uppercased()) else {
                    throw failure(
                        "Invalid input: \(change.word)",
                        "Request aborted",
                        "Valid states are: NoResp DRAIN FAIL FUTURE RESUME POWER_DOWN POWER_UP UNDRAIN",
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

    /// The one of `tags` that a word is, or begins.
    static func tag(_ word: String, _ tags: [String]) -> String? {
        tags.first { isShort(word, for: $0, least: 1) }
    }

    /// The property of a job that a word names, with as few letters as Slurm takes.
    ///
    /// Source: Slurm 22.05, `src/scontrol/update_job.c`.
    static func jobTag(_ word: String) -> String? {
        jobTags.first { isShort(word, for: $0.name, least: $0.least) }?.meaning
    }

    private static let jobTags: [(name: String, least: Int, meaning: String)] = [
        ("admincomment", 3, "accepted"), ("arraytaskthrottle", 10, "arraytaskthrottle"),
        ("comment", 3, "comment"), ("delayboot", 5, "accepted"), ("timelimit", 5, "timelimit"),
        ("timemin", 5, "accepted"), ("priority", 2, "priority"), ("nice", 2, "nice"),
        ("cpuspertask", 9, "cpuspertask"), ("numtasks", 8, "numtasks"),
        ("requeue", 4, "requeue"), ("reqnodes", 8, "numnodes"), ("numnodes", 8, "numnodes"),
        ("taskspernode", 2, "taskspernode"), ("minmemorynode", 10, "minmemorynode"),
        ("minmemorycpu", 10, "minmemorycpu"), ("partition", 2, "partition"), ("qos", 2, "qos"),
        ("reservationname", 3, "reservationname"), ("name", 2, "name"), ("jobname", 4, "name"),
        ("wckey", 1, "wckey"), ("stdout", 6, "stdout"), ("stderr", 6, "stderr"),
        ("stdin", 5, "stdin"), ("switches", 5, "accepted"),
        ("oversubscribe", 2, "oversubscribe"),
        ("shared", 2, "oversubscribe"), ("contiguous", 3, "accepted"),
        ("excnodelist", 3, "excnodelist"), ("nodelist", 8, "reqnodelist"),
        ("reqnodelist", 8, "reqnodelist"), ("features", 1, "features"), ("gres", 2, "gres"),
        ("trespernode", 8, "gres"), ("account", 1, "account"), ("burstbuffer", 1, "accepted"),
        ("dependency", 1, "dependency"), ("licenses", 1, "licenses"),
        ("eligibletime", 2, "starttime"), ("starttime", 2, "starttime"),
        ("reboot", 3, "accepted"), ("deadline", 3, "deadline"), ("mailtype", 5, "accepted"),
        ("mailuser", 5, "accepted"),
    ]

    /// The failure for a property that cannot be changed; `known` are those that can.
    static func unsupported(_ change: Change, among known: [String] = []) -> CommandFailure {
        CommandFailure(
            lines: [
                "Update of this parameter is not supported: \(change.name)=\(change.value)",
                "Request aborted",
            ],
            exitCode: 1,
            hint: didYouMean(change.name, among: known)
        )
    }

    /// The failure for a property that no job has.
    static func unsupportedOfJob(_ change: Change) -> CommandFailure {
        unsupported(change, among: jobTags.map(\.name))
    }
}

extension JobUpdateRequest {
    /// Reads the changes of `scontrol update`.
    ///
    /// - Throws: `CommandFailure` for the first that is unknown or malformed.
    public init(
        _ changes: [ControlCommand.Change],
        program: String = "scontrol",
        now: SimInstant,
        calendar: CentreCalendar = CentreCalendar()
    ) throws(CommandFailure) {
        self.init()
        guard !changes.isEmpty else { throw Self.problem("No changes specified") }
        for change in changes { try apply(change, program, now, calendar) }
    }

    private mutating func apply(
        _ change: ControlCommand.Change,
        _ program: String,
        _ now: SimInstant,
        _ calendar: CentreCalendar
    ) throws(CommandFailure) {
        let value = change.value
        /// Slurm tells most values that it cannot read, each in its own words.
        func invalid(_ name: String, withValue: Bool = true) -> CommandFailure {
            let told = withValue ? ": \(value)" : ""
            return .error(program, "Invalid \(name) value\(told)")
        }
        func count(_ name: String) throws(CommandFailure) -> Int32 {
            guard let number = Int32(value), number > 0 else { throw invalid(name) }
            return number
        }
        switch ControlCommand.jobTag(change.name) {
        case "accepted": break
        case "timelimit": try applyTimeLimit(value, invalid("TimeLimit", withValue: false))
        case "priority":
            // Slurm's are 32 bits wide.
            guard let number = UInt32(value) else { throw invalid("Priority") }
            priority = Int64(number)
        case "nice":
            guard let number = Int32(value.isEmpty ? "100" : value) else {
                let range = "Nice value out of range (+/- 2147483645). Value ignored"
                throw .error(program, range)
            }
            nice = number
        case "name": name = value
        case "comment": comment = value
        case "partition": partition = value
        case "account": account = value
        case "qos": qos = value
        case "reservationname": reservation = value
        case "wckey": project = value
        case "features": features = value
        case "licenses": licenses = value
        case "stdout": standardOutput = value
        case "stderr": standardError = value
        case "stdin": standardInput = value
        case "gres": gres = try Self.gres(value, change)
        case "starttime": begin = try Self.instant(value, now, calendar)
        case "deadline": deadline = try Self.instant(value, now, calendar)
        case "dependency":
            guard let parsed = value.isEmpty ? ([], false) : try? OptionValues.dependencies(value)
            else { throw Self.problem(SlurmError.dependencyProblem.text) }
            dependencies = parsed.0
            anyDependency = parsed.1
        case "numnodes":
            guard let range = try? OptionValues.nodeCount(value) else {
                throw .error(program, "\"\(value)\" is not a valid node count")
            }
            nodes = range.minimum
        case "numtasks": tasks = try count("NumTasks")
        case "taskspernode": tasksPerNode = try count("TasksPerNode")
        case "cpuspertask": cpusPerTask = try count("CPUsPerTask")
        case "minmemorynode": memoryPerNode = try Self.memory(value, invalid("MinMemoryNode"))
        case "minmemorycpu": memoryPerCPU = try Self.memory(value, invalid("MinMemoryCPU"))
        case "oversubscribe":
            guard let isShared = Self.flag(value) else { throw invalid("wait-for-switch") }
            sharesNodes = isShared
        case "reqnodelist": requiredNodes = value
        case "excnodelist": excludedNodes = value
        case "requeue":
            guard let isRequeued = Self.flag(value) else { throw invalid("Requeue") }
            requeues = isRequeued
        case "arraytaskthrottle":
            guard let number = UInt32(value) else {
                throw invalid("ArrayTaskThrottle", withValue: false)
            }
            arrayLimit = number
        default: throw ControlCommand.unsupportedOfJob(change)
        }
    }

    private static func problem(_ text: String) -> CommandFailure {
        CommandFailure(lines: [text], exitCode: 1)
    }

    private static func flag(_ text: String) -> Bool? {
        let lower = text.lowercased()
        if text == "1" || !text.isEmpty && "yes".hasPrefix(lower) { return true }
        return text == "0" || !text.isEmpty && "no".hasPrefix(lower) ? false : nil
    }

    private static func instant(
        _ text: String,
        _ now: SimInstant,
        _ calendar: CentreCalendar
    ) throws(CommandFailure) -> SimInstant {
        guard let instant = calendar.instant(text, now: now) else {
            throw problem("Invalid time specification (pos=0): \(text)")
        }
        return instant
    }

    private static func memory(
        _ text: String,
        _ invalid: CommandFailure
    ) throws(CommandFailure) -> ByteCount {
        // Slurm takes a number of MiB here, without a unit.
        guard let number = UInt32(text),
            let size = ByteCount(exactlyMebibytes: Int64(number))
        else { throw invalid }
        return size
    }

    private static func gres(
        _ text: String,
        _ change: ControlCommand.Change
    ) throws(CommandFailure) -> [GresRequest] {
        if text.isEmpty { return [] }
        guard let list = OptionValues.gres(text) else {
            throw problem(SlurmError.invalidGres.text)
        }
        return list
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

extension ControlCommand.Action {
    /// Whether it changes jobs, nodes, partitions or reservations.
    fileprivate var changesSomething: Bool {
        switch self {
        case .act, .updateJobs, .updateNodes, .updatePartition, .createReservation,
            .updateReservation, .deleteReservation:
            true
        default: false
        }
    }
}
