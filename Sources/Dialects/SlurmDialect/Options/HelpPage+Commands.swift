// What the options of each command do. Who adds an option to a table adds its text here: one without
// is listed among those that do nothing, which a test refuses for options that do something.

extension HelpPage {
    /// The page of a command.
    init(_ command: Help.Command) {
        switch command {
        case .submit: self = .submit
        case .queue: self = .queue
        case .nodes: self = .nodes
        case .accounting: self = .accounting
        case .cancel: self = .cancel
        case .control: self = .control
        case .run: self = .run
        case .allocate: self = .allocate
        case .priorities: self = .priorities
        case .shares: self = .shares
        case .accountManager: self = .accountManager
        case .report: self = .report
        case .stepStatistics: self = .stepStatistics
        case .efficiency:
            self = HelpPage(
                synopsis: ["JOB"],
                summary: "Tells how much of what a job held it used."
            )
        case .attach:
            self = HelpPage(
                synopsis: ["JOB.STEP"],
                summary: "Refused: a step's output goes to where it was started."
            )
        case .broadcast:
            self = HelpPage(
                synopsis: ["SOURCE DESTINATION"],
                summary: "Copies a file to the nodes of the job around it."
            )
        case .trigger:
            self = HelpPage(
                synopsis: ["--get"],
                summary: "Lists triggers; there are none, and none can be set."
            )
        case .diagnostics:
            self = HelpPage(synopsis: [""], summary: "Tells how busy the centre is.")
        }
    }

    static let lacking = "Accepted without effect, for what an emulated centre lacks:"
    static let help = OptionText("this text")
    static let json = OptionText("data as JSON, of a version of Slurm's model", value: "VERSION")
    static let yaml = OptionText("the same as YAML", value: "VERSION")
    static let version = OptionText("which Slurm this is like")

    private static var submit: HelpPage {
        var page = HelpPage(
            synopsis: [
                "[OPTIONS...] SCRIPT [ARGUMENTS...]", "[OPTIONS...] --wrap=COMMAND",
            ],
            summary: "Submits a batch script; its #SBATCH lines hold options too."
        )
        page.add(
            SubmitOption.table,
            prefix: "SBATCH_",
            silent: [
                (.ineffective, "Accepted with a warning, without effect here:"),
                (.accepted, lacking),
            ]
        ) { $0.text }
        return page
    }

    private static var queue: HelpPage {
        var page = HelpPage(synopsis: ["[OPTIONS...]"], summary: "Lists jobs that wait or run.")
        page.add(QueueCommand.table, prefix: "SQUEUE_", silent: [(.accepted, lacking)]) {
            switch $0 {
            case .accepted: nil
            case .account: OptionText("jobs of these accounts", value: "A,B")
            case .all: OptionText("also partitions that are hidden; here none are")
            case .array: OptionText("a line for each element of a job array")
            case .clusters: OptionText("of these clusters, or of all", value: "NAMES")
            case .format: OptionText("columns, such as \"%.8i %.9P %T\"", value: "FORMAT")
            case .longFormat: OptionText("columns by name, such as jobid:10,state", value: "FIELDS")
            case .help, .usage: help
            case .iterate: OptionText("list again and again", value: "SECONDS")
            case .job: OptionText("these jobs", value: "JOBS")
            case .long: OptionText("more columns")
            case .me: OptionText("one's own jobs")
            case .name: OptionText("jobs with these names", value: "A,B")
            case .noHeader: OptionText("no head over the columns")
            case .nodes: OptionText("jobs on these nodes", value: "NODES")
            case .partition: OptionText("jobs in these partitions", value: "A,B")
            case .priority: OptionText("a line for each partition that a job may start in")
            case .qos: OptionText("jobs of these qualities of service", value: "A,B")
            case .reservation: OptionText("jobs in this reservation", value: "NAME")
            case .sort: OptionText("order, by letters of the format: P,t,-p", value: "KEYS")
            case .start: OptionText("when waiting jobs are expected to start")
            case .states: OptionText("jobs in these states; all for ended ones too", value: "A,B")
            case .steps: OptionText("steps instead of jobs", value: "STEPS")
            case .user: OptionText("jobs of these users", value: "A,B")
            case .json: json
            case .version: version
            case .yaml: yaml
            }
        }
        return page
    }

    private static var nodes: HelpPage {
        var page = HelpPage(synopsis: ["[OPTIONS...]"], summary: "Lists partitions and nodes.")
        page.add(NodeCommand.table, prefix: "SINFO_", silent: [(.accepted, lacking)]) {
            switch $0 {
            case .accepted: nil
            case .byNode: OptionText("a line for each node")
            case .clusters: OptionText("of these clusters, or of all", value: "NAMES")
            case .dead: OptionText("nodes that do not respond")
            case .format: OptionText("columns, such as \"%.9P %.5D %t\"", value: "FORMAT")
            case .longFormat: OptionText("columns by name, such as nodes:6", value: "FIELDS")
            case .help, .usage: help
            case .iterate: OptionText("list again and again", value: "SECONDS")
            case .listReasons: OptionText("why nodes are down or drained")
            case .long: OptionText("more columns")
            case .noHeader: OptionText("no head over the columns")
            case .nodes: OptionText("these nodes", value: "NODES")
            case .partition: OptionText("these partitions", value: "A,B")
            case .reservations: OptionText("reservations")
            case .responding: OptionText("nodes that respond")
            case .sort: OptionText("order, by letters of the format", value: "KEYS")
            case .states: OptionText("nodes in these states", value: "A,B")
            case .summarize: OptionText("a line for each partition, without states")
            case .json: json
            case .version: version
            case .yaml: yaml
            }
        }
        return page
    }

    private static var accounting: HelpPage {
        var page = HelpPage(
            synopsis: ["[OPTIONS...]"],
            summary: "Lists jobs and what they used."
        )
        page.add(AccountingCommand.table, silent: [(.accepted, lacking)]) {
            switch $0 {
            case .accepted: nil
            case .account: OptionText("jobs of these accounts", value: "A,B")
            case .allClusters: OptionText("of all clusters")
            case .allUsers: OptionText("jobs of all users, for operators")
            case .allocations: OptionText("jobs without their steps")
            case .clusters: OptionText("of these clusters, or of all", value: "NAMES")
            case .brief: OptionText("number, state and exit code alone")
            case .delimiter: OptionText("what stands between columns of -p and -P", value: "TEXT")
            case .duplicates: OptionText("earlier runs of requeued jobs too")
            case .end: OptionText("jobs before this time", value: "TIME")
            case .format: OptionText("columns, such as JobID,State,Elapsed%12", value: "FIELDS")
            case .help, .usage: help
            case .helpFormat: OptionText("which columns there are")
            case .jobs: OptionText("these jobs", value: "JOBS")
            case .long: OptionText("many columns")
            case .name: OptionText("jobs with these names", value: "A,B")
            case .noHeader: OptionText("no head over the columns")
            case .nodes: OptionText("jobs on these nodes", value: "NODES")
            case .parsable: OptionText("columns with | after each")
            case .parsable2: OptionText("columns with | between them")
            case .partition: OptionText("jobs in these partitions", value: "A,B")
            case .qos: OptionText("jobs of these qualities of service", value: "A,B")
            case .start: OptionText("jobs since this time; else since midnight", value: "TIME")
            case .state: OptionText("jobs that ended in these states", value: "A,B")
            case .units: OptionText("unit of sizes: K, M, G, T or P", value: "LETTER")
            case .user: OptionText("jobs of these users", value: "A,B")
            case .json: json
            case .version: version
            case .yaml: yaml
            }
        }
        return page
    }

    private static var cancel: HelpPage {
        var page = HelpPage(
            synopsis: ["[OPTIONS...] JOB[_ELEMENT]..."],
            summary: "Cancels jobs, or sends them a signal."
        )
        page.add(CancelCommand.table, prefix: "SCANCEL_", silent: [(.accepted, lacking)]) {
            switch $0 {
            case .accepted: nil
            case .account: OptionText("jobs of this account", value: "NAME")
            case .clusters: OptionText("of these clusters, or of all", value: "NAMES")
            case .batch: OptionText("signal the script alone, not its steps")
            case .help, .usage: help
            case .me: OptionText("one's own jobs")
            case .name: OptionText("jobs with this name", value: "NAME")
            case .nodeList: OptionText("jobs that hold one of these nodes", value: "NODES")
            case .partition: OptionText("jobs in this partition", value: "NAME")
            case .qos: OptionText("jobs of this quality of service", value: "NAME")
            case .reservation: OptionText("jobs of this reservation", value: "NAME")
            case .signal: OptionText("send this signal instead of ending the job", value: "SIGNAL")
            case .state: OptionText("jobs in this state: PENDING or RUNNING", value: "STATE")
            case .user: OptionText("jobs of this user", value: "NAME")
            case .verbose: OptionText("also say what does not exist")
            case .version: version
            case .wckey: OptionText("jobs of this project", value: "NAME")
            }
        }
        return page
    }

    private static var control: HelpPage {
        var page = HelpPage(
            synopsis: ["[OPTIONS...] COMMAND"],
            summary: "Describes and changes jobs, nodes and partitions."
        )
        page.actions = [
            ("show job|node|partition [NAME]", "describe"),
            ("show config", "what the centre goes by"),
            ("show hostnames|hostlist LIST", "expand or compress names of nodes"),
            ("explain JOB", "why it waits, and what would start it sooner"),
            ("hold|uhold|release JOB...", "keep from starting, and let go"),
            ("requeue|requeuehold JOB...", "back to the queue"),
            ("suspend|resume|top JOB...", "stand still, go on, before one's others"),
            ("create|update reservation NAME=VALUE...", "set nodes aside, for operators"),
            ("delete ReservationName=NAME", "end a reservation"),
            ("show reservation|licenses|step [NAME]", "describe"),
            ("update JobId=JOB NAME=VALUE...", "change a job"),
            ("update NodeName=LIST State=STATE", "change nodes; Reason=TEXT says why"),
            ("update PartitionName=NAME State=UP", "or DOWN, DRAIN, INACTIVE"),
            ("write batch_script JOB [FILE|-]", "the job's script"),
            ("ping", "does the centre answer?"),
            ("version", "which Slurm this is like"),
        ]
        page.add(ControlCommand.table, silent: [(.accepted, lacking)]) {
            switch $0 {
            case .accepted: nil
            case .clusters: OptionText("of this cluster", value: "NAME")
            case .details: OptionText("more of each thing")
            case .oneLine: OptionText("a line for each thing")
            case .help: help
            case .json: json
            case .version: version
            case .yaml: yaml
            }
        }
        return page
    }

    private static var allocate: HelpPage {
        var page = HelpPage(
            synopsis: ["[OPTIONS...] [COMMAND [ARGUMENTS...]]"],
            summary: "Gets nodes, and runs a command or a shell that has them."
        )
        page.add(AllocateCommand.table, prefix: "SALLOC_", silent: allocationsSilent) {
            switch $0 {
            case .accepted: nil
            case .allocation(let option): option.text
            case .killCommand:
                OptionText("what the command is sent when its nodes are gone", value: "SIGNAL")
            case .noShell: OptionText("nothing runs: the nodes stay until yhcancel")
            }
        }
        return page
    }

    private static let allocationsSilent: [(id: AllocateCommand.Option, title: String)] = [
        (.allocation(.ineffective), "Accepted with a warning, without effect here:"),
        (.allocation(.accepted), lacking), (.accepted, "Accepted without effect:"),
    ]

    private static var run: HelpPage {
        var page = HelpPage(
            synopsis: ["[OPTIONS...] PROGRAM [ARGUMENTS...]"],
            summary: "Runs a program as a step of the job around it, or of a job of its own."
        )
        page.add(
            RunCommand.table,
            silent: [
                (.allocation(.ineffective), "Accepted with a warning, without effect here:"),
                (.allocation(.accepted), lacking), (.accepted, "Accepted without effect:"),
            ]
        ) {
            switch $0 {
            case .accepted: nil
            case .allocation(let option): option.text
            case .chdir: OptionText("folder to run in", value: "FOLDER")
            case .error: OptionText("file for standard error; %t is the task", value: "FILE")
            case .export: OptionText("variables that the tasks get", value: "ALL|NONE|LIST")
            case .help, .usage: help
            case .hetGroup: OptionText("components of a heterogeneous job", value: "0,2-3")
            case .input: OptionText("file for standard input", value: "FILE|none|TASK")
            case .jobID: OptionText("a step of this job", value: "JOB")
            case .killOnBadExit: OptionText("a task that fails ends the others", value: "0|1")
            case .label: OptionText("put the number of its task before each line")
            case .mpi: OptionText("list the ways to start MPI programs", value: "list")
            case .multiProgram: OptionText("PROGRAM is a file: tasks, then what they run")
            case .nodes: OptionText("number of nodes", value: "N")
            case .ntasks: OptionText("number of tasks", value: "N")
            case .output: OptionText("file for standard output; %t is the task", value: "FILE")
            case .quiet: OptionText("say little")
            case .terminal: OptionText("the program has the terminal to itself", value: "FILE")
            case .version: version
            case .verbose: OptionText("say more; nothing more is said here")
            case .wait: OptionText("end the others so long after the first ended", value: "SECONDS")
            }
        }
        return page
    }
}
