// What each option of yhbatch does; nil for those that do nothing here.

extension SubmitOption {
    /// What its value is called, and what it does.
    var text: OptionText? {
        switch self {
        case .accepted, .ineffective: nil
        case .account: OptionText("account to charge", value: "NAME")
        case .array: OptionText("job array: indices, step, how many at once", value: "0-15:4%2")
        case .begin:
            OptionText("not to start before: 16:00, now+2hours, 2026-11-21T09:00", value: "TIME")
        case .chdir: OptionText("folder in which the job starts", value: "FOLDER")
        case .clusters: OptionText("in one of these clusters", value: "NAMES")
        case .comment:
            OptionText(
                "free text; runtime=SECONDS, exit=STATUS, kernel=NAME for emulated jobs",
                value: "TEXT"
            )
        case .constraint: OptionText("features that the nodes must have", value: "FEATURES")
        case .cpusPerTask: OptionText("cores for each task", value: "N")
        case .deadline:
            OptionText("to be over by then, or not to start: now+2hours", value: "TIME")
        case .dependency: OptionText("afterok:JOB, afterany:JOB, singleton, ...", value: "LIST")
        case .error: OptionText("file for standard error", value: "FILE")
        case .exclude: OptionText("nodes that must not be the job's", value: "NODES")
        case .exclusive: OptionText("whole nodes", value: "user")
        case .export:
            OptionText("variables of the environment that the job gets", value: "ALL|NONE|LIST")
        case .exportFile: OptionText("file with the job's environment", value: "FILE")
        case .gpus: OptionText("accelerators of the whole job", value: "[MODEL:]N")
        case .gpusPerNode: OptionText("accelerators on each node", value: "[MODEL:]N")
        case .gpusPerTask: OptionText("accelerators for each task", value: "[MODEL:]N")
        case .gres: OptionText("generic resources on each node", value: "gpu[:MODEL]:N")
        case .hold: OptionText("held until yhcontrol release")
        case .ignorePBS: OptionText("not to read #PBS lines")
        case .immediate: OptionText("give up unless it starts at once", value: "SECONDS")
        case .input: OptionText("file for standard input", value: "FILE")
        case .jobName: OptionText("the job's name", value: "NAME")
        case .killOnInvalidDependency:
            OptionText("end a job whose dependency cannot be met", value: "yes|no")
        case .licenses: OptionText("licences that the job holds: NAME[:COUNT],...", value: "LIST")
        case .mailType: OptionText("checked; no mail is sent", value: "LIST")
        case .mailUser: OptionText("checked; no mail is sent", value: "USER")
        case .mem: OptionText("memory on each node: 500M, 4G", value: "SIZE")
        case .memPerCPU: OptionText("memory for each core", value: "SIZE")
        case .nice: OptionText("lower the priority", value: "N")
        case .noRequeue: OptionText("end with a lost node")
        case .nodelist: OptionText("nodes that must be among the job's", value: "NODES")
        case .nodes: OptionText("number of nodes", value: "MIN[-MAX]")
        case .ntasks: OptionText("number of tasks", value: "N")
        case .ntasksPerNode: OptionText("most tasks on one node", value: "N")
        case .openMode: OptionText("what is done to files of output", value: "append|truncate")
        case .output: OptionText("file for standard output; %j is the job's number", value: "FILE")
        case .oversubscribe: OptionText("nodes may be shared")
        case .parsable: OptionText("print the job's number alone")
        case .partition: OptionText("partitions to try", value: "A,B")
        case .priority: OptionText("priority, for operators", value: "N")
        case .qos: OptionText("quality of service", value: "NAME")
        case .quiet: OptionText("print nothing but errors")
        case .requeue: OptionText("wait again after a lost node")
        case .reservation: OptionText("run in this reservation", value: "NAME")
        case .signal: OptionText("signal before the time limit", value: "[B:]SIG[@SECONDS]")
        case .strict: OptionText("do not submit what there are warnings of")
        case .testOnly: OptionText("say when it would start, and what it would cost")
        case .time: OptionText("time limit: minutes, H:M:S, D-H:M:S", value: "LIMIT")
        case .uid: OptionText("refused", value: "USER")
        case .verbose: OptionText("accepted")
        case .version: OptionText("which Slurm this is like")
        case .wait: OptionText("wait for the end of the job, and exit with its status")
        case .wckey: OptionText("project by which bills break costs down", value: "NAME")
        case .wrap: OptionText("submit a command instead of a script", value: "COMMAND")
        case .help, .usage: OptionText("this text")
        }
    }
}
