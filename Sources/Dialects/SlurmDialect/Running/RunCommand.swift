import IndexSets
public import WireFormats

/// `srun` and `yhrun`: a parallel program as a step of the job around it, or of one of its own.
public struct RunCommand: Hashable, Sendable {
    enum Option: Hashable, Sendable {
        case accepted, chdir, error, export, help, hetGroup, input, jobID, killOnBadExit, label, mpi
        case multiProgram, nodes, ntasks, output, quiet, terminal, usage, verbose, version, wait
        /// It asks for an allocation; a job around it has one.
        case allocation(SubmitOption)
    }

    private static let effective: [OptionSpec<Option>] = [
        OptionSpec(.chdir, "chdir", "D", .required),
        OptionSpec(.error, "error", "e", .required),
        OptionSpec(.export, "export", nil, .required),
        OptionSpec(.help, "help", "h"),
        OptionSpec(.input, "input", "i", .required),
        OptionSpec(.killOnBadExit, "kill-on-bad-exit", "K", .optional),
        OptionSpec(.label, "label", "l"),
        OptionSpec(.mpi, "mpi", nil, .required),
        OptionSpec(.multiProgram, "multi-prog"),
        OptionSpec(.nodes, "nodes", "N", .required),
        OptionSpec(.ntasks, "ntasks", "n", .required),
        OptionSpec(.jobID, "jobid", nil, .required),
        OptionSpec(.output, "output", "o", .required),
        OptionSpec(.terminal, "pty", nil, .optional),
        OptionSpec(.quiet, "quiet", "Q"),
        OptionSpec(.usage, "usage"),
        OptionSpec(.verbose, "verbose", "v"),
        OptionSpec(.version, "version", "V"),
        OptionSpec(.wait, "wait", "W", .required),
        OptionSpec(.accepted, "bcast", nil, .optional),
        OptionSpec(.accepted, "compress", nil, .optional),
        OptionSpec(.accepted, "cpu-bind", nil, .required),
        OptionSpec(.accepted, "cpu_bind", nil, .required),
        OptionSpec(.accepted, "exact"),
        OptionSpec(.hetGroup, "het-group", nil, .required),
        OptionSpec(.hetGroup, "pack-group", nil, .required),
        OptionSpec(.accepted, "overlap"),
        OptionSpec(.accepted, "preserve-env", "E"),
        OptionSpec(.accepted, "relative", "r", .required),
        OptionSpec(.accepted, "task-epilog", nil, .required),
        OptionSpec(.accepted, "task-prolog", nil, .required),
        OptionSpec(.accepted, "unbuffered", "u"),
    ]

    /// What would bind, place or end a step in a real Slurm and does not here: its user is told.
    private static let ignored: Set<SubmitOption> = [
        .time, .nodelist, .exclude, .cpusPerTask, .ntasksPerNode, .mem, .memPerCPU, .gres, .gpus,
        .gpusPerNode, .gpusPerTask, .begin, .dependency, .immediate, .signal,
    ]

    /// The options that choose an allocation follow the step's own.
    static let table: OptionTable<Option> = {
        let names = Set(effective.map(\.long))
        let letters = Set(effective.compactMap(\.short))
        let others = SubmitOption.table.specs.filter { spec in
            !names.contains(spec.long) && !(spec.short.map(letters.contains) ?? false)
                && ![.wrap, .parsable, .testOnly].contains(spec.id)
        }
        return OptionTable(
            effective
                + others.map { spec in
                    OptionSpec(.allocation(spec.id), spec.long, spec.short, spec.value)
                },
            permutes: false
        )
    }()

    /// What was asked for instead.
    public var information: QueueCommand.Information?
    /// Whether only the ways to start MPI programs are to be listed.
    public var listsMPI = false
    /// The number of tasks.
    public var tasks = 1
    /// The number of nodes that was asked for; nil for all of the job's.
    public private(set) var nodes: Int?
    /// The number of tasks that was said on the command line; nil for none.
    private var tasksAsked: Int?
    /// Whether the number of tasks was said on the command line, where a job has room for so many only.
    private var isCounted = false
    /// Whether tasks may share cores.
    private var overcommits = false
    /// Whether each line of output starts with the number of its task.
    public var isLabelled = false
    /// Whether one task that fails ends the others.
    public var killsOnBadExit = false
    /// How long the others may go on after the first task has ended; nil for as long as they like.
    /// Unit: s.
    public var patience: Int?
    /// Whether the program has the terminal to itself.
    public var isInteractive = false
    /// Whether little is said.
    public var isQuiet = false
    /// A job other than the one around it whose step this is to be.
    public var jobID: UInt32?
    /// What is asked of the centre when there is no job; nil where there is one.
    public private(set) var allocation: SubmitCommand?
    /// Where output goes; `%t` is the task.
    public var output: String?
    /// Where errors go.
    public var error: String?
    /// The folder to run in.
    public var folder: String?
    /// Where input comes from: a file, `none`, `all` or the number of the task that reads it.
    public var input: String?
    /// Which variables of the environment the tasks get; nil for all.
    public var export: String?
    /// The components of a heterogeneous job that are named, ascending; empty for the first.
    private var hetGroups: [Int] = []
    /// The components that it runs on; empty for the job around it.
    public private(set) var components: [Component] = []
    /// Whether the word is a file that says which task runs which program.
    public var isMultiProgram = false
    /// What the user should know although the step runs.
    public var warnings: [String] = []
    /// What `-v` tells of the options that were given; without a prefix, empty without it.
    public private(set) var told: [String] = []
    /// The program and its arguments; of several that run together, those of the first.
    public var words: [String] = []
    /// The programs behind the first, each on components of its own: `OPTIONS a : OPTIONS b`.
    private var others: [OtherProgram] = []
    /// Which of several programs each task runs, by its place among them; empty where there is one.
    public private(set) var programOfTask: [Int] = []

    /// A program behind a colon.
    private struct OtherProgram: Hashable, Sendable {
        var words: [String]
        var hetGroups: [Int] = []
        var tasks: Int?
    }

    /// Whether several programs run together.
    public var hasSeveralPrograms: Bool { !others.isEmpty }

    /// All programs with their arguments.
    public var allWords: [[String]] { [words] + others.map(\.words) }

    /// A component of a heterogeneous job, and how many tasks of a step run there.
    public struct Component: Hashable, Sendable {
        /// Its place among the components, from 0.
        public let offset: Int
        /// Its number.
        public let job: UInt32
        /// How many tasks it has.
        public let tasks: Int
    }

    /// Reads the command line.
    ///
    /// - Throws: `CommandFailure`, ready to be printed.
    public init(
        program: String,
        arguments: [String],
        variable: (String) -> String?
    ) throws(CommandFailure) {
        let given: [GivenOption<Option>]
        (given, words) = try Self.table.parse(
            arguments,
            for: program,
            exitCode: ExitStatus.unreadable
        )
        var asked: Int?
        for option in given {
            switch option.id {
            case .nodes: nodes = try Self.nodes(option.value ?? "", program)
            case .ntasks:
                asked = try Self.positive(option.value ?? "", program)
                isCounted = true
            default: try apply(option, program)
            }
        }
        if given.contains(where: { $0.id == .verbose }) {
            told = OptionTale.lines(
                given.map { option in
                    let isTime = option.id == .allocation(.time)
                    return (option.name, option.value, option.id == .verbose, isTime)
                }
            )
        }
        guard information == nil, !listsMPI else { return }
        guard !words.isEmpty else {
            throw CommandFailure(
                lines: ["\(program): fatal: No command given to execute."],
                exitCode: 1
            )
        }
        let parts = [given] + (try takeOthers(program))
        guard jobID != nil || variable("SLURM_JOB_ID") != nil else {
            warnings = []
            allocation = try makeAllocation(parts, program, variable)
            tasks = asked ?? allocation?.request.tasks.map(Int.init) ?? 0
            return
        }
        // Without -n: as many as the job asked for, or one on each node. SLURM_NTASKS counts as -n.
        let inherited = variable("SLURM_NTASKS").flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
        tasks = asked ?? inherited ?? nodes ?? variable("SLURM_NNODES").flatMap { Int($0) } ?? 1
        tasksAsked = asked
        // Another job than the one around it is not known here.
        if jobID == nil { try takeComponents(program: program, variable: variable) }
    }

    /// Takes the programs behind colons out of the words; gives the options of each.
    private mutating func takeOthers(
        _ program: String
    ) throws(CommandFailure) -> [[GivenOption<Option>]] {
        var parts: [[GivenOption<Option>]] = []
        var rest = words
        func part() throws(CommandFailure) -> [String] {
            let own = Array(rest.prefix { $0 != ":" })
            guard !own.isEmpty else {
                throw CommandFailure(
                    lines: ["\(program): fatal: No command given to execute."],
                    exitCode: 1
                )
            }
            rest.removeFirst(own.count)
            return own
        }
        words = try part()
        while !rest.isEmpty {
            let (given, behind) = try Self.table.parse(
                Array(rest.dropFirst()),
                for: program,
                exitCode: ExitStatus.unreadable
            )
            rest = behind
            var other = OtherProgram(words: try part())
            for option in given {
                switch option.id {
                case .hetGroup: other.hetGroups = try Self.groups(option.value ?? "", program)
                case .ntasks: other.tasks = try Self.positive(option.value ?? "", program)
                case .nodes: _ = try Self.nodes(option.value ?? "", program)
                default: try apply(option, program)
                }
            }
            others.append(other)
            parts.append(given)
        }
        guard others.isEmpty || !isMultiProgram else {
            throw .error(
                program,
                "--multi-prog is for one step, and a colon (:) for several programs"
            )
        }
        return parts
    }

    private static func groups(
        _ value: String,
        _ program: String
    ) throws(CommandFailure) -> [Int] {
        guard let groups = try? OptionValues.array(value).indices, !groups.isEmpty,
            groups.allSatisfy({ $0 < 128 })
        else { throw .error(program, "Invalid --het-group value: \(value)") }
        return Set(groups.map { Int($0) }).sorted()
    }

    /// Makes it a step over the components that are named of a job, or of each of several programs a step over
    /// its own, or those at its place: `-n` is of each component.
    ///
    /// - Parameter variable: what the job is told of itself.
    /// - Throws: `CommandFailure` for a component that the job has not.
    public mutating func takeComponents(
        program: String,
        variable: (String) -> String?
    ) throws(CommandFailure) {
        var programs =
            [OtherProgram(words: words, hetGroups: hetGroups, tasks: tasksAsked)] + others
        if others.isEmpty, hetGroups.isEmpty { return }
        for place in programs.indices where programs[place].hetGroups.isEmpty {
            programs[place].hetGroups = [place]
        }
        let size = variable("SLURM_HET_SIZE").flatMap { Int($0) }
        let last = (size ?? 1) - 1
        let highest = programs.flatMap(\.hetGroups).max() ?? 0
        guard highest <= last else {
            throw .error(
                program,
                "Attempt to run a job step with het group value of \(highest), but the job"
                    + " allocation has maximum value of \(last)"
            )
        }
        guard size != nil else { return }
        for (place, part) in programs.enumerated() {
            for group in part.hetGroups {
                guard !components.contains(where: { $0.offset == group }) else {
                    throw .error(program, "het group \(group) is named for two programs")
                }
                let own = try component(group, tasks: part.tasks, program, variable)
                components.append(own)
                if !others.isEmpty {
                    programOfTask += Array(repeating: place, count: own.tasks)
                }
            }
        }
        tasks = components.reduce(0) { $0 + $1.tasks }
        guard tasks <= Self.tasksMaximum else {
            throw .error(program, "A step has \(Self.tasksMaximum) tasks at most, not \(tasks)")
        }
    }

    private func component(
        _ offset: Int,
        tasks asked: Int?,
        _ program: String,
        _ variable: (String) -> String?
    ) throws(CommandFailure) -> Component {
        func number(_ name: String) -> Int? {
            variable("\(name)_HET_GROUP_\(offset)").flatMap { Int($0) }
        }
        guard let job = number("SLURM_JOB_ID").flatMap({ UInt32(exactly: $0) }) else {
            throw .error(program, "SLURM_JOB_ID_HET_GROUP_\(offset) is not set")
        }
        let own = asked ?? number("SLURM_NTASKS") ?? number("SLURM_JOB_NUM_NODES") ?? 1
        return Component(offset: offset, job: job, tasks: min(max(own, 1), Self.tasksMaximum))
    }

    private static let tasksMaximum = 65_536

    private mutating func apply(
        _ option: GivenOption<Option>,
        _ program: String
    ) throws(CommandFailure) {
        let value = option.value ?? ""
        switch option.id {
        case .accepted, .nodes, .ntasks, .verbose: break
        case .allocation where option.name == "overcommit": overcommits = true
        case .allocation(let id):
            guard Self.ignored.contains(id), Dialect(program: program) == .tianhe else { return }
            let warning = "\(program): warning: --\(option.name) has no effect on a step here"
            if !warnings.contains(warning) { warnings.append(warning) }
        case .chdir: folder = value
        case .error: error = value
        case .export: export = value
        case .input: input = value
        case .help: information = .usage
        case .usage: information = .synopsis
        case .hetGroup: hetGroups = try Self.groups(value, program)
        case .jobID:
            guard let job = OptionValues.job(value) else {
                throw .error(program, "Invalid numeric value \"\(value)\" for --jobid.")
            }
            jobID = job.jobID
        case .killOnBadExit: killsOnBadExit = value != "0"
        case .label: isLabelled = true
        case .mpi: listsMPI = value == "list"
        case .multiProgram: isMultiProgram = true
        case .output: output = value
        case .quiet: isQuiet = true
        case .terminal: isInteractive = true
        case .version: information = .version
        case .wait:
            guard let seconds = Int(value), seconds >= 0 else {
                throw .error(program, "Invalid numeric value \"\(value)\" for --wait.")
            }
            patience = seconds == 0 ? nil : seconds
        }
    }

    /// What the user is told who wants fewer tasks than the job has nodes: the step has no more nodes than
    /// tasks. Nil for anybody else.
    ///
    /// - Parameter held: how many nodes the job has.
    public func nodeWarning(program: String, nodes held: Int?) -> String? {
        guard isCounted, !overcommits, let wanted = nodes ?? held, tasks < wanted,
            components.isEmpty
        else {
            return nil
        }
        return
            "\(program): Warning: can't run \(tasks) processes on \(wanted) nodes, setting nnodes to \(tasks)"
    }

    /// Looks whether a step fits into its job.
    ///
    /// - Parameters:
    ///   - nodes: how many the job has; nil where nobody says.
    ///   - cores: those of each of its nodes; empty where nobody says.
    /// - Throws: `CommandFailure` in Slurm's words, for one that is larger than its job.
    public func checkSize(
        program: String,
        job: UInt32,
        nodes held: Int?,
        cores: [Int],
        coresPerTask: Int
    ) throws(CommandFailure) {
        if let nodes, let held, nodes > held {
            throw .error(program, "Only allocated \(held) nodes asked for \(nodes)")
        }
        guard isCounted, !overcommits, !cores.isEmpty else { return }
        // Each node has room for whole tasks only.
        let room = cores.reduce(0) { $0 + $1 / max(1, coresPerTask) }
        guard tasks > room else { return }
        throw .error(
            program,
            "Unable to create step for job \(job): More processors requested than permitted"
        )
    }

    private func makeAllocation(
        _ parts: [[GivenOption<Option>]],
        _ program: String,
        _ variable: (String) -> String?
    ) throws(CommandFailure) -> SubmitCommand {
        let options = parts.map { given in
            given.compactMap { option -> GivenOption<SubmitOption>? in
                let id: SubmitOption
                switch option.id {
                case .allocation(let own): id = own
                case .nodes: id = .nodes
                case .ntasks: id = .ntasks
                case .chdir: id = .chdir
                default: return nil
                }
                return GivenOption(id: id, name: option.name, value: option.value)
            }
        }
        let name = words[0].split(separator: "/").last.map(String.init) ?? words[0]
        return try SubmitCommand.allocation(
            program: program,
            parts: options,
            prefix: "SLURM_",
            variable: variable,
            name: name
        )
    }

    /// Takes note of what the centre gave: without `-n` there is a task for each that was asked for,
    /// or one on each node.
    public mutating func allocated(_ environment: JobEnvironment) {
        guard tasks == 0 else { return }
        let prefix = "SLURM_NTASKS="
        let asked = environment.variables.first { $0.hasPrefix(prefix) }
        tasks = asked.flatMap { Int($0.dropFirst(prefix.count)) } ?? max(1, environment.nodes.count)
    }

    private static func positive(
        _ value: String,
        _ program: String
    ) throws(CommandFailure) -> Int {
        guard let number = Int(value), (1...tasksMaximum).contains(number) else {
            throw .error(program, "Invalid numeric value \"\(value)\" for --ntasks.")
        }
        return number
    }

    private static func nodes(_ value: String, _ program: String) throws(CommandFailure) -> Int {
        do throws(OptionValues.NodeCountRefusal) {
            return Int(try OptionValues.nodeCount(value).minimum)
        } catch {
            throw .error(program, error.description, exitCode: ExitStatus.unreadable)
        }
    }

    /// Where the tasks of a step run: a node for each, and how many each node has.
    public struct Layout: Hashable, Sendable {
        /// The nodes, in order.
        public var nodes: [String]
        /// By task: the position of its node.
        public var nodeOfTask: [Int]

        /// Deals tasks out: each node gets what its cores have room for, in order; what is left goes
        /// round.
        ///
        /// - Parameters:
        ///   - cores: what each node has; one where nobody says.
        ///   - coresPerTask: at least 1.
        public init(tasks: Int, nodes: [String], cores: [Int], coresPerTask: Int) {
            self.nodes = nodes.isEmpty ? ["localhost"] : nodes
            var places: [Int] = []
            for index in self.nodes.indices where places.count < tasks {
                let room = index < cores.count ? max(1, cores[index] / max(1, coresPerTask)) : 1
                // Every node of a step has a task.
                let left = min(tasks, .max) - places.count - (self.nodes.count - 1 - index)
                places += Array(repeating: index, count: max(1, min(room, left)))
            }
            var next = 0
            while places.count < tasks {
                places.append(next)
                next = (next + 1) % self.nodes.count
            }
            nodeOfTask = Array(places.prefix(tasks)).sorted()
        }

        /// Puts layouts one behind the other, those of components of a job: they may share nodes.
        public init(joining layouts: [Layout]) {
            nodes = []
            nodeOfTask = []
            for layout in layouts {
                let places = layout.nodes.map { name in
                    if let place = nodes.firstIndex(of: name) { return place }
                    nodes.append(name)
                    return nodes.count - 1
                }
                nodeOfTask += layout.nodeOfTask.map { places[$0] }
            }
        }

        /// How many tasks each node has that has any.
        public var tasksPerNode: [Int] {
            nodes.indices.map { node in nodeOfTask.count { $0 == node } }.filter { $0 > 0 }
        }

        /// The position of a task among those of its node.
        func localID(of task: Int) -> Int { nodeOfTask[..<task].count { $0 == nodeOfTask[task] } }
    }

    /// What a task finds in its environment beside the job's.
    ///
    /// - Parameter step: the step's number; nil where the centre does not count it.
    public func environment(task: Int, _ layout: Layout, step: String?) -> [String] {
        let node = layout.nodeOfTask[task]
        let used = Set(layout.nodeOfTask)
        let nodeList = HostList.compress(used.sorted().map { layout.nodes[$0] })
        let together = layout.nodeOfTask.indices.filter { layout.nodeOfTask[$0] == node }
        let counts = RunLengths.text(layout.tasksPerNode)
        var variables = [
            "SLURM_PROCID=\(task)", "SLURM_LOCALID=\(layout.localID(of: task))",
            "SLURM_GTIDS=\(together.map { "\($0)" }.joined(separator: ","))",
            "SLURM_NODEID=\(node)", "SLURMD_NODENAME=\(layout.nodes[node])",
            "SLURM_TOPOLOGY_ADDR=\(layout.nodes[node])",
            "SLURM_NTASKS=\(tasks)", "SLURM_NPROCS=\(tasks)", "SLURM_STEP_NUM_TASKS=\(tasks)",
            "SLURM_STEP_NUM_NODES=\(used.count)", "SLURM_STEP_NODELIST=\(nodeList)",
            "SLURM_STEP_TASKS_PER_NODE=\(counts)", "SLURM_TASKS_PER_NODE=\(counts)",
            "SLURM_NNODES=\(used.count)",
            // All of a centre is on this computer.
            "SLURM_LAUNCH_NODE_IPADDR=127.0.0.1", "SLURM_SRUN_COMM_HOST=127.0.0.1",
        ]
        if let step { variables += ["SLURM_STEP_ID=\(step)", "SLURM_STEPID=\(step)"] }
        return variables
    }

    /// How a task ended.
    public typealias Ending = (code: Int32, signal: Int32)

    /// The lines about tasks that did not end well, by node, and the step's exit status: the highest of
    /// the tasks', 128 and the number for a signal.
    public static func report(
        _ program: String,
        _ layout: Layout,
        endings: [Ending]
    ) -> (lines: [String], exitCode: Int32) {
        var tasks: [[String]: [UInt32]] = [:]
        var order: [[String]] = []
        var highest: Int32 = 0
        for (task, ending) in endings.enumerated() where ending.code != 0 || ending.signal != 0 {
            let text =
                ending.signal == 0
                ? "Exited with exit code \(ending.code)" : signalText(ending.signal)
            let key = [layout.nodes[layout.nodeOfTask[task]], text]
            if tasks[key] == nil { order.append(key) }
            tasks[key, default: []].append(UInt32(task))
            highest = max(
                highest,
                ending.signal == 0 ? ending.code : ExitStatus.signalled + ending.signal
            )
        }
        let lines = order.map { key in
            let numbers = tasks[key] ?? []
            let word = numbers.count == 1 ? "task" : "tasks"
            return "\(program): error: \(key[0]): \(word) \(numbers.rangeText): \(key[1])"
        }
        return (lines, highest)
    }

    private static func signalText(_ signal: Int32) -> String {
        switch signal {
        case 2: "Interrupt"
        case 6: "Aborted"
        case 9: "Killed"
        case 11: "Segmentation fault"
        case 15: "Terminated"
        default: "Signal \(signal)"
        }
    }
}

/// Equal numbers in a row, as Slurm writes them: `3,1`, `2(x2)`.
enum RunLengths {
    static func text(_ counts: [Int]) -> String {
        var parts: [String] = []
        var index = 0
        while index < counts.count {
            var end = index
            while end < counts.count, counts[end] == counts[index] { end += 1 }
            parts.append(end - index > 1 ? "\(counts[index])(x\(end - index))" : "\(counts[index])")
            index = end
        }
        return parts.joined(separator: ",")
    }
}
