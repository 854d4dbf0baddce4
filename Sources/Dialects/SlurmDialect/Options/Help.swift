import WireFormats

/// What `--help`, `--usage` and `--version` print.
public enum Help {
    /// The commands.
    public enum Command: Hashable, Sendable, CaseIterable {
        /// `sbatch`.
        case submit
        /// `squeue`.
        case queue
        /// `sinfo`.
        case nodes
        /// `sacct`.
        case accounting
        /// `scancel`.
        case cancel
        /// `scontrol`.
        case control
        /// `srun`.
        case run
        /// `salloc`.
        case allocate
        /// `sprio`.
        case priorities
        /// `sshare`.
        case shares
        /// `sacctmgr`.
        case accountManager
        /// `sreport`.
        case report
        /// `sstat`.
        case stepStatistics
        /// `seff`.
        case efficiency
        /// `sdiag`.
        case diagnostics
        /// `sattach`.
        case attach
        /// `sbcast`.
        case broadcast
        /// `strigger`.
        case trigger

        /// What the command is called: Tianhe's name, its short form, Slurm's name.
        public var names: [String] {
            switch self {
            case .submit: ["yhbatch", "sbatch"]
            case .queue: ["yhqueue", "yhq", "squeue"]
            case .nodes: ["yhinfo", "yhi", "sinfo"]
            case .accounting: ["yhacct", "sacct"]
            case .cancel: ["yhcancel", "scancel"]
            case .control: ["yhcontrol", "scontrol"]
            case .run: ["yhrun", "srun"]
            case .allocate: ["yhalloc", "salloc"]
            case .priorities: ["yhprio", "sprio"]
            case .shares: ["yhshare", "sshare"]
            case .accountManager: ["yhacctmgr", "sacctmgr"]
            case .report: ["yhreport", "sreport"]
            case .stepStatistics: ["yhstat", "sstat"]
            case .efficiency: ["yheff", "seff"]
            case .diagnostics: ["yhdiag", "sdiag"]
            case .attach: ["yhattach", "sattach"]
            case .broadcast: ["yhbcast", "sbcast"]
            case .trigger: ["yhtrigger", "strigger"]
            }
        }

        /// The words by which `yh` knows it: `queue`, and its names.
        public var words: [String] {
            names + names.filter { $0.hasPrefix("yh") }.map { String($0.dropFirst(2)) }
        }

        /// The command that is called `name`.
        public init?(named name: String) {
            guard let command = Self.allCases.first(where: { $0.names.contains(name) }) else {
                return nil
            }
            self = command
        }
    }

    /// The text for a command that was called by `name`.
    public static func output(
        _ command: Command,
        _ information: QueueCommand.Information,
        name: String
    ) -> CommandOutput {
        switch information {
        case .version: CommandOutput(lines: [dialectVersion(of: name)])
        case .usage: CommandOutput(lines: HelpPage(command).lines(name: name))
        case .synopsis:
            CommandOutput(
                lines: Dialect(program: name) == .slurm
                    ? Synopsis.lines(of: command) ?? HelpPage(command).lines(name: name)
                    : HelpPage(command).lines(name: name)
            )
        }
    }

    /// All commands with their options as one line of JSON, from which manual pages and completions
    /// are made. Members are called as in the dump of swift-argument-parser where both have them.
    public static var dump: String {
        let commands = Command.allCases.map { command in
            HelpPage(command).json(names: command.names)
        }
        return JSONValue.object([
            .init("serializationVersion", .integer(0)), .init("commands", .array(commands)),
        ])
        .compactText
    }
}
