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
            ] + submitOptions
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
                "  show config                        what the centre goes by",
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

    /// A line for each option.
    private static func options<ID>(_ specs: [OptionSpec<ID>]) -> [String] {
        specs.map { spec in
            let short = spec.short.map { "-\($0), " } ?? "    "
            return "  \(short)--\(spec.long)\(value(spec, "VALUE"))"
        }
    }

    private static func value<ID>(_ spec: OptionSpec<ID>, _ name: String) -> String {
        switch spec.value {
        case .none: ""
        case .required: "=\(name)"
        case .optional: "[=\(name)]"
        }
    }
}

// MARK: - What sbatch's options do

extension Help {
    /// What each option does, then those that do nothing. Names that mean the same share a line.
    static var submitOptions: [String] {
        let specs = SubmitOption.table.specs
        var lines: [String] = []
        var told: Set<SubmitOption> = []
        for spec in specs {
            guard let (name, text) = submitTexts[spec.id], told.insert(spec.id).inserted else {
                continue
            }
            let short = spec.short.map { "-\($0), " } ?? "    "
            let names = specs.filter { $0.id == spec.id }.map { "--\($0.long)" }
            let head = "  \(short)\(names.joined(separator: ", "))\(value(spec, name))"
            lines.append(FormatText.fit(head, max(34, head.count + 1), right: false) + text)
        }
        for (id, title) in [
            (SubmitOption.ineffective, "Accepted with a warning, without effect here:"),
            (.accepted, "Accepted without effect, for what an emulated centre lacks:"),
        ] {
            lines += ["", title]
            lines += wrapped(specs.filter { $0.id == id }.map { "--\($0.long)" })
        }
        return lines
    }

    /// Words in lines of at most 78 characters.
    private static func wrapped(_ words: [String]) -> [String] {
        var lines: [String] = []
        for word in words {
            if let last = lines.last, last.count + word.count < 78 {
                lines[lines.count - 1] = "\(last) \(word)"
            } else {
                lines.append("  \(word)")
            }
        }
        return lines
    }

    /// By option: what its value is called, and what it does.
    private static let submitTexts: [SubmitOption: (value: String, text: String)] = [
        .account: ("NAME", "account to charge"),
        .array: ("0-15:4%2", "job array: indices, step, how many at once"),
        .begin: ("TIME", "not to start before: 16:00, now+2hours, 2026-11-21T09:00"),
        .chdir: ("FOLDER", "folder in which the job starts"),
        .clusters: ("NAME", "refused: there is one cluster"),
        .comment: ("TEXT", "free text; runtime=SECONDS or kernel=NAME for emulated jobs"),
        .constraint: ("FEATURES", "features that the nodes must have"),
        .cpusPerTask: ("N", "cores for each task"),
        .dependency: ("LIST", "afterok:JOB, afterany:JOB, singleton, ..."),
        .error: ("FILE", "file for standard error"),
        .exclude: ("NODES", "nodes that must not be the job's"),
        .exclusive: ("user", "whole nodes"),
        .export: ("ALL|NONE|LIST", "variables of the environment that the job gets"),
        .exportFile: ("FILE", "file with the job's environment"),
        .gpus: ("[MODEL:]N", "accelerators of the whole job"),
        .gpusPerNode: ("[MODEL:]N", "accelerators on each node"),
        .gpusPerTask: ("[MODEL:]N", "accelerators for each task"),
        .gres: ("gpu[:MODEL]:N", "generic resources on each node"),
        .help: ("", "this text"),
        .hold: ("", "held until yhcontrol release"),
        .ignorePBS: ("", "not to read #PBS lines"),
        .immediate: ("SECONDS", "give up unless it starts at once"),
        .input: ("FILE", "file for standard input"),
        .jobName: ("NAME", "the job's name"),
        .killOnInvalidDependency: ("yes|no", "end a job whose dependency cannot be met"),
        .licenses: ("LIST", "refused: there are none"),
        .mailType: ("LIST", "checked and kept; no mail is sent"),
        .mailUser: ("USER", "checked and kept; no mail is sent"),
        .mem: ("SIZE", "memory on each node: 500M, 4G"),
        .memPerCPU: ("SIZE", "memory for each core"),
        .nice: ("N", "lower the priority"),
        .noRequeue: ("", "end with a lost node"),
        .nodelist: ("NODES", "nodes that must be among the job's"),
        .nodes: ("MIN[-MAX]", "number of nodes"),
        .ntasks: ("N", "number of tasks"),
        .ntasksPerNode: ("N", "most tasks on one node"),
        .openMode: ("append|truncate", "what is done to files of output"),
        .output: ("FILE", "file for standard output; %j is the job's number"),
        .oversubscribe: ("", "nodes may be shared"),
        .parsable: ("", "print the job's number alone"),
        .partition: ("A,B", "partitions to try"),
        .priority: ("N", "priority, for operators"),
        .qos: ("NAME", "quality of service"),
        .quiet: ("", "print nothing but errors"),
        .requeue: ("", "wait again after a lost node"),
        .reservation: ("NAME", "refused: there are none"),
        .signal: ("[B:]SIG[@SECONDS]", "signal before the time limit"),
        .testOnly: ("", "say when it would start, and what it would cost"),
        .time: ("LIMIT", "time limit: minutes, H:M:S, D-H:M:S"),
        .uid: ("USER", "refused"),
        .usage: ("", "this text"),
        .verbose: ("", "accepted"),
        .version: ("", "which Slurm this is like"),
        .wait: ("", "wait for the end of the job, and exit with its status"),
        .wrap: ("COMMAND", "submit a command instead of a script"),
    ]
}
