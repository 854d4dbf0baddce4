/// `srun` and `yhrun` inside a job: a parallel program as a step of the job.
public struct RunCommand: Hashable, Sendable {
    enum Option: Hashable, Sendable {
        case accepted, chdir, error, export, help, ignored, input, killOnBadExit, label, mpi
        case multiProgram, nodes, ntasks, output, usage, version
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
        OptionSpec(.output, "output", "o", .required),
        OptionSpec(.usage, "usage"),
        OptionSpec(.version, "version", "V"),
        OptionSpec(.accepted, "wait", "W", .required),
        OptionSpec(.accepted, "cpu-bind", nil, .required),
        OptionSpec(.accepted, "cpu_bind", nil, .required),
        OptionSpec(.accepted, "exact"),
        OptionSpec(.accepted, "overlap"),
        OptionSpec(.accepted, "pty"),
        OptionSpec(.accepted, "unbuffered", "u"),
    ]

    /// What would bind, place or end a step in a real Slurm and does not here: its user is told.
    private static let ignored: Set<SubmitOption> = [
        .time, .nodelist, .exclude, .cpusPerTask, .ntasksPerNode, .mem, .memPerCPU, .gres, .gpus,
        .gpusPerNode, .gpusPerTask, .begin, .dependency, .immediate, .signal,
    ]

    /// What has no effect in a step: the options that choose an allocation, which the job has.
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
                    let id: Option = ignored.contains(spec.id) ? .ignored : .accepted
                    return OptionSpec(id, spec.long, spec.short, spec.value)
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
    /// Whether each line of output starts with the number of its task.
    public var isLabelled = false
    /// Whether one task that fails ends the others.
    public var killsOnBadExit = false
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
    /// Whether the word is a file that says which task runs which program.
    public var isMultiProgram = false
    /// What the user should know although the step runs.
    public var warnings: [String] = []
    /// The program and its arguments.
    public var words: [String] = []

    /// Reads the command line.
    ///
    /// - Throws: `CommandFailure`, ready to be printed; also outside a job.
    public init(
        program: String,
        arguments: [String],
        variable: (String) -> String?
    ) throws(CommandFailure) {
        let given: [GivenOption<Option>]
        do throws(OptionRefusal) {
            (given, words) = try Self.table.parse(arguments)
        } catch {
            throw .usage(program, error, exitCode: 255)
        }
        var asked: Int?
        var nodes: Int?
        for option in given {
            let value = option.value ?? ""
            switch option.id {
            case .accepted: break
            case .chdir: folder = value
            case .error: error = value
            case .export: export = value
            case .ignored:
                let warning = "\(program): warning: --\(option.name) has no effect on a step here"
                if !warnings.contains(warning) { warnings.append(warning) }
            case .input: input = value
            case .help, .usage: information = .usage
            case .killOnBadExit: killsOnBadExit = value != "0"
            case .label: isLabelled = true
            case .mpi: listsMPI = value == "list"
            case .multiProgram: isMultiProgram = true
            case .nodes: nodes = try Self.nodes(value, program)
            case .ntasks: asked = try Self.positive(value, program)
            case .output: output = value
            case .version: information = .version
            }
        }
        guard information == nil, !listsMPI else { return }
        guard !words.isEmpty else {
            throw CommandFailure(
                lines: ["\(program): fatal: No command given to execute."],
                exitCode: 1
            )
        }
        guard variable("SLURM_JOB_ID") != nil else {
            throw .error(
                program,
                "there is no allocation here: start the step in a script given to yhbatch"
            )
        }
        // Without -n: as many as the job asked for, or one on each node. SLURM_NTASKS counts as -n.
        let inherited = variable("SLURM_NTASKS").flatMap { Int($0) }
        tasks = asked ?? inherited ?? nodes ?? variable("SLURM_NNODES").flatMap { Int($0) } ?? 1
    }

    private static func positive(
        _ value: String,
        _ program: String
    ) throws(CommandFailure) -> Int {
        guard let number = Int(value), (1...65_536).contains(number) else {
            throw .error(program, "Invalid numeric value \"\(value)\" for --ntasks.")
        }
        return number
    }

    private static func nodes(_ value: String, _ program: String) throws(CommandFailure) -> Int {
        do throws(OptionValues.NodeCountRefusal) {
            return Int(try OptionValues.nodeCount(value).minimum)
        } catch {
            throw .error(program, error.description, exitCode: 255)
        }
    }

    /// What a task finds in its environment beside the job's.
    public func environment(task: Int, nodeList: String) -> [String] {
        [
            "SLURM_PROCID=\(task)", "SLURM_LOCALID=\(task)", "SLURM_GTIDS=\(task)",
            "SLURM_NTASKS=\(tasks)", "SLURM_NPROCS=\(tasks)", "SLURM_STEP_NUM_TASKS=\(tasks)",
            "SLURM_STEP_NUM_NODES=1", "SLURM_STEP_NODELIST=\(nodeList)",
        ]
    }

    /// The lines about tasks that did not end well, and the step's exit status: the highest of the
    /// tasks', 128 and the number for a signal.
    public static func report(
        _ program: String,
        host: String,
        endings: [(code: Int32, signal: Int32)]
    ) -> (lines: [String], exitCode: Int32) {
        var tasks: [String: [UInt32]] = [:]
        var order: [String] = []
        var highest: Int32 = 0
        for (task, ending) in endings.enumerated() where ending.code != 0 || ending.signal != 0 {
            let text =
                ending.signal == 0
                ? "Exited with exit code \(ending.code)" : signalText(ending.signal)
            if tasks[text] == nil { order.append(text) }
            tasks[text, default: []].append(UInt32(task))
            highest = max(highest, ending.signal == 0 ? ending.code : 128 + ending.signal)
        }
        let lines = order.map { text in
            let numbers = tasks[text] ?? []
            let word = numbers.count == 1 ? "task" : "tasks"
            return "\(program): error: \(host): \(word) \(JobRow.rangeText(numbers)): \(text)"
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
