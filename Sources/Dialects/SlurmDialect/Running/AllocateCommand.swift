public import WireFormats

/// `salloc` and `yhalloc`: an allocation, and a command or a shell in it.
public struct AllocateCommand: Hashable, Sendable {
    enum Option: Hashable, Sendable {
        case accepted, killCommand, noShell
        case allocation(SubmitOption)
    }

    static let table: OptionTable<Option> = {
        let own: [OptionSpec<Option>] = [
            OptionSpec(.accepted, "bell"),
            OptionSpec(.killCommand, "kill-command", "K", .optional),
            OptionSpec(.accepted, "no-bell"),
            OptionSpec(.noShell, "no-shell"),
        ]
        // What a script or its files are told has no place here.
        let ofScripts: Set<SubmitOption> = [
            .array, .error, .export, .exportFile, .ignorePBS, .input, .noRequeue, .openMode,
            .output, .parsable, .requeue, .testOnly, .wait, .wrap,
        ]
        let others = SubmitOption.table.specs.filter { !ofScripts.contains($0.id) }
        return OptionTable(
            own
                + others.map {
                    OptionSpec(
                        .allocation($0.id),
                        $0.long,
                        $0.short,
                        $0.value,
                        variable: $0.variable
                    )
                },
            permutes: false
        )
    }()

    /// What was asked for instead.
    public private(set) var information: QueueCommand.Information?
    /// What is asked of the centre.
    public private(set) var allocation: SubmitCommand
    /// The command and its arguments; empty for a shell.
    public private(set) var words: [String] = []
    /// Whether nothing runs in it: it stays until it is cancelled.
    public private(set) var isWithoutShell = false
    /// The signal that its command is sent when the allocation is gone before it; nil for the usual one.
    public private(set) var killSignal: Int32?

    /// Reads the environment and the command line.
    ///
    /// - Throws: `CommandFailure`, ready to be printed.
    public init(
        program: String,
        arguments: [String],
        variable: (String) -> String?
    ) throws(CommandFailure) {
        // A colon stands between the components of a heterogeneous job; the command comes last.
        var parts: [[GivenOption<SubmitOption>]] = []
        words = arguments
        repeat {
            if !parts.isEmpty { words.removeFirst() }
            let given: [GivenOption<Option>]
            (given, words) = try Self.table.parse(
                words,
                for: program,
                exitCode: ExitStatus.unreadable
            )
            if given.contains(where: { $0.id == .noShell }) { isWithoutShell = true }
            for option in given where option.id == .killCommand {
                guard let value = option.value else { continue }
                guard let number = OptionValues.signal(value) else {
                    throw .error(program, "Invalid job signal: \(value)", exitCode: 1)
                }
                killSignal = number
            }
            parts.append(
                given.compactMap { option -> GivenOption<SubmitOption>? in
                    guard case .allocation(let id) = option.id else { return nil }
                    return GivenOption(id: id, name: option.name, value: option.value)
                }
            )
        } while words.first == ":"
        allocation = SubmitCommand(program: program)
        for option in parts.joined() {
            switch option.id {
            case .help, .usage: information = .usage
            case .version: information = .version
            default: break
            }
        }
        guard information == nil else { return }
        allocation = try SubmitCommand.allocation(
            program: program,
            parts: parts,
            prefix: "SALLOC_",
            variable: variable,
            name: isWithoutShell ? "no-shell" : "interactive"
        )
    }

    /// The variables of a job that a command in an allocation finds: those of its nodes, none of a
    /// task's.
    public static func variables(_ all: [String]) -> [String] {
        let names: Set<Substring> = [
            "SLURM_CLUSTER_NAME", "SLURM_CONF", "SLURM_CPUS_PER_TASK", "SLURM_JOBID",
            "SLURM_JOB_ACCOUNT",
            "SLURM_JOB_CPUS_PER_NODE", "SLURM_JOB_GPUS", "SLURM_JOB_ID", "SLURM_JOB_NAME",
            "SLURM_JOB_NODELIST", "SLURM_JOB_NUM_NODES", "SLURM_JOB_PARTITION", "SLURM_JOB_QOS",
            "SLURM_MEM_PER_CPU", "SLURM_MEM_PER_NODE", "SLURM_NNODES", "SLURM_NODELIST",
            "SLURM_NODE_ALIASES", "SLURM_NPROCS", "SLURM_NTASKS", "SLURM_NTASKS_PER_NODE",
            "SLURM_HET_SIZE", "SLURM_SUBMIT_DIR", "SLURM_SUBMIT_HOST", "SLURM_TASKS_PER_NODE",
        ]
        return all.filter { variable in
            let name = variable.prefix { $0 != "=" }
            return names.contains(name) || name.contains("_HET_GROUP_")
                || name.contains("_PACK_GROUP_")
        }
    }
}

extension SubmitCommand {
    /// What `srun` and `salloc` ask for: an allocation without a script.
    ///
    /// - Parameters:
    ///   - parts: the options of each component of a heterogeneous job; one list for any other.
    ///   - prefix: what the command's variables begin with.
    ///   - name: the job's name where nobody gives another one.
    static func allocation(
        program: String,
        parts: [[GivenOption<SubmitOption>]],
        prefix: String,
        variable: (String) -> String?,
        name: String
    ) throws(CommandFailure) -> SubmitCommand {
        var command = SubmitCommand(program: program)
        command.refusalWords = "Unable to allocate resources"
        command.request.isInteractive = true
        let known: Set<SubmitOption> = [
            .exportFile, .export, .wait, .openMode, .requeue, .noRequeue,
        ]
        let variables = SubmitOption.table.given(inEnvironment: variable, prefix: prefix).filter {
            !known.contains($0.id)
        }
        if let named = variable("SLURM_CLUSTERS") { command.request.clusters = list(named) }
        try command.apply(variables)
        try command.apply(parts[0])
        if command.request.name.isEmpty { command.request.name = name }
        try command.addComponents(parts.dropFirst(), variables)
        try command.finish()
        return command
    }

    /// The refusal of an allocation.
    public func allocationFailure(_ body: ErrorBody) -> CommandFailure {
        var lines = body.specifics(for: program)
        lines.append("\(program): error: \(refusalWords): \(body.text)")
        return CommandFailure(lines: lines, exitCode: body.exitCode ?? 1)
    }
}
