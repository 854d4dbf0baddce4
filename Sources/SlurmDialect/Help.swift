/// What `--help`, `--usage` and `--version` print.
public enum Help {
    /// The commands.
    public enum Command: Hashable, Sendable {
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
    }

    /// The text for a command that was called by `name`.
    public static func output(
        _ command: Command,
        _ information: QueueCommand.Information,
        name: String
    ) -> CommandOutput {
        switch information {
        case .version: CommandOutput(lines: [dialectVersion])
        case .usage: CommandOutput(lines: usage(command, name: name))
        }
    }

    private static func usage(_ command: Command, name: String) -> [String] {
        switch command {
        case .submit:
            [
                "Usage: \(name) [OPTIONS...] SCRIPT [ARGUMENTS...]",
                "       \(name) [OPTIONS...] --wrap=COMMAND",
                "", "Submits a batch script; its #SBATCH lines hold options too.", "",
            ] + options(SubmitOption.table.specs)
        case .queue:
            ["Usage: \(name) [OPTIONS...]", "", "Lists jobs that wait or run.", ""]
                + options(QueueCommand.table.specs)
        case .nodes:
            ["Usage: \(name) [OPTIONS...]", "", "Lists partitions and nodes.", ""]
                + options(NodeCommand.table.specs)
        case .accounting:
            ["Usage: \(name) [OPTIONS...]", "", "Lists jobs and what they used.", ""]
                + options(AccountingCommand.table.specs)
        case .cancel:
            [
                "Usage: \(name) [OPTIONS...] JOB[_ELEMENT]...", "",
                "Cancels jobs, or sends them a signal.", "",
            ] + options(CancelCommand.table.specs)
        case .run:
            [
                "Usage: \(name) [OPTIONS...] PROGRAM [ARGUMENTS...]", "",
                "Runs a program as a step of the job around it.", "",
            ] + options(RunCommand.table.specs)
        case .control:
            [
                "Usage: \(name) [-d] [-o] COMMAND", "",
                "  show job|node|partition [NAME]     describe",
                "  show hostnames|hostlist LIST       expand or compress names of nodes",
                "  hold|uhold|release JOB...          keep from starting, and let go",
                "  requeue|requeuehold JOB...         back to the queue",
                "  update JobId=JOB NAME=VALUE...     change a job",
                "  update NodeName=LIST State=STATE [Reason=TEXT]",
                "  update PartitionName=NAME State=UP|DOWN|DRAIN|INACTIVE",
                "  write batch_script JOB [FILE|-]    the job's script",
                "  ping, version",
            ]
        }
    }

    /// A line for each option: names that mean the same share one.
    private static func options<ID>(_ specs: [OptionSpec<ID>]) -> [String] {
        specs.map { spec in
            let short = spec.short.map { "-\($0), " } ?? "    "
            let value: String
            switch spec.value {
            case .none: value = ""
            case .required: value = "=VALUE"
            case .optional: value = "[=VALUE]"
            }
            return "  \(short)--\(spec.long)\(value)"
        }
    }
}
