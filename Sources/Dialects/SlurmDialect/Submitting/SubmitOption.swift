/// The options of `sbatch` and `yhbatch`.
public enum SubmitOption: Hashable, Sendable {
    /// Accepted as Slurm does, for what an emulated centre lacks; docs/commands.md lists them.
    case accepted
    /// Accepted, though it asks for something that a centre could do and this one does not: the user
    /// is warned.
    case ineffective
    /// Those that have an effect; each case is called like its long option.
    case account, array, begin, chdir, clusters, comment, constraint, cpusPerTask, deadline,
        dependency
    /// More of them.
    case error, exclude, exclusive, export, exportFile, gpus, gpusPerNode, gpusPerTask, gres, help
    /// More of them.
    case hold, ignorePBS, immediate, input, jobName, killOnInvalidDependency, licenses, mailType
    /// More of them.
    case mailUser, mem, memPerCPU, nice, noRequeue, nodelist, nodes, ntasks, ntasksPerNode
    /// More of them.
    case openMode, output, oversubscribe, parsable, partition, priority, qos, quiet, requeue
    /// More of them.
    case reservation, signal, strict, testOnly, time, uid, usage, verbose, version, wait, wckey,
        wrap

    /// How the options are written.
    public static let table = OptionTable<SubmitOption>(
        [
            OptionSpec(.account, "account", "A", .required, variable: "ACCOUNT"),
            OptionSpec(.array, "array", "a", .required, variable: "ARRAY_INX"),
            OptionSpec(.begin, "begin", "b", .required),
            OptionSpec(.chdir, "chdir", "D", .required),
            OptionSpec(.chdir, "workdir", "D", .required),
            OptionSpec(.clusters, "clusters", "M", .required, variable: "CLUSTERS"),
            OptionSpec(.comment, "comment", nil, .required),
            OptionSpec(.constraint, "constraint", "C", .required, variable: "CONSTRAINT"),
            OptionSpec(.cpusPerTask, "cpus-per-task", "c", .required),
            OptionSpec(.dependency, "dependency", "d", .required),
            OptionSpec(.error, "error", "e", .required),
            OptionSpec(.exclude, "exclude", "x", .required),
            OptionSpec(.exclusive, "exclusive", nil, .optional, variable: "EXCLUSIVE"),
            OptionSpec(.export, "export", nil, .required, variable: "EXPORT"),
            OptionSpec(.exportFile, "export-file", nil, .required),
            OptionSpec(.gpus, "gpus", "G", .required, variable: "GPUS"),
            OptionSpec(.gpusPerNode, "gpus-per-node", nil, .required, variable: "GPUS_PER_NODE"),
            OptionSpec(.gpusPerTask, "gpus-per-task", nil, .required, variable: "GPUS_PER_TASK"),
            OptionSpec(.gres, "gres", nil, .required, variable: "GRES"),
            OptionSpec(.help, "help", "h"),
            OptionSpec(.hold, "hold", "H"),
            OptionSpec(.ignorePBS, "ignore-pbs", nil, variable: "IGNORE_PBS"),
            OptionSpec(.immediate, "immediate", "I", .optional),
            OptionSpec(.input, "input", "i", .required),
            OptionSpec(.jobName, "job-name", "J", .required, variable: "JOB_NAME"),
            OptionSpec(.killOnInvalidDependency, "kill-on-invalid-dep", nil, .required),
            OptionSpec(.licenses, "licenses", "L", .required),
            OptionSpec(.mailType, "mail-type", nil, .required),
            OptionSpec(.mailUser, "mail-user", nil, .required),
            OptionSpec(.mem, "mem", nil, .required, variable: "MEM_PER_NODE"),
            OptionSpec(.memPerCPU, "mem-per-cpu", nil, .required, variable: "MEM_PER_CPU"),
            OptionSpec(.nice, "nice", nil, .optional),
            OptionSpec(.noRequeue, "no-requeue", nil, variable: "NO_REQUEUE"),
            OptionSpec(.nodelist, "nodelist", "w", .required),
            OptionSpec(.nodes, "nodes", "N", .required),
            OptionSpec(.ntasks, "ntasks", "n", .required),
            OptionSpec(.ntasksPerNode, "ntasks-per-node", nil, .required),
            OptionSpec(.ntasksPerNode, "tasks-per-node", nil, .required),
            OptionSpec(.openMode, "open-mode", nil, .required, variable: "OPEN_MODE"),
            OptionSpec(.output, "output", "o", .required),
            OptionSpec(.oversubscribe, "oversubscribe", "s"),
            OptionSpec(.oversubscribe, "share", "s"),
            OptionSpec(.parsable, "parsable"),
            OptionSpec(.partition, "partition", "p", .required, variable: "PARTITION"),
            OptionSpec(.priority, "priority", nil, .required),
            OptionSpec(.qos, "qos", "q", .required, variable: "QOS"),
            OptionSpec(.quiet, "quiet", "Q"),
            OptionSpec(.requeue, "requeue", nil, variable: "REQUEUE"),
            OptionSpec(.reservation, "reservation", nil, .required, variable: "RESERVATION"),
            OptionSpec(.signal, "signal", nil, .required, variable: "SIGNAL"),
            OptionSpec(.strict, "strict"),
            OptionSpec(.testOnly, "test-only"),
            OptionSpec(.time, "time", "t", .required, variable: "TIMELIMIT"),
            OptionSpec(.uid, "uid", nil, .required),
            OptionSpec(.usage, "usage"),
            OptionSpec(.verbose, "verbose", "v"),
            OptionSpec(.version, "version", "V"),
            OptionSpec(.wait, "wait", "W", variable: "WAIT"),
            OptionSpec(.wrap, "wrap", nil, .required),
        ] + withoutEffect,
        // What follows the script's name belongs to the script.
        permutes: false
    )

    /// Options for hardware and services that an emulated centre does not have, and such that it does
    /// not follow.
    private static let withoutEffect: [OptionSpec<SubmitOption>] = [
        OptionSpec(.accepted, "acctg-freq", nil, .required, variable: "ACCTG_FREQ"),
        OptionSpec(.accepted, "bb", nil, .required),
        OptionSpec(.accepted, "bbf", nil, .required),
        OptionSpec(.accepted, "checkpoint", nil, .required),
        OptionSpec(.accepted, "cluster-constraint", nil, .required),
        OptionSpec(.ineffective, "contiguous"),
        OptionSpec(.ineffective, "core-spec", "S", .required),
        OptionSpec(.ineffective, "cores-per-socket", nil, .required),
        OptionSpec(.accepted, "cpu-freq", nil, .required),
        OptionSpec(.ineffective, "cpus-per-gpu", nil, .required),
        OptionSpec(.deadline, "deadline", nil, .required),
        OptionSpec(.accepted, "delay-boot", nil, .required),
        OptionSpec(.accepted, "distribution", "m", .required, variable: "DISTRIBUTION"),
        OptionSpec(.ineffective, "extra-node-info", "B", .required),
        OptionSpec(.accepted, "get-user-env", nil, .optional, variable: "GET_USER_ENV"),
        OptionSpec(.accepted, "gid", nil, .required),
        OptionSpec(.accepted, "gpu-bind", nil, .required),
        OptionSpec(.accepted, "gpu-freq", nil, .required),
        OptionSpec(.accepted, "gres-flags", nil, .required),
        OptionSpec(.accepted, "hint", nil, .required, variable: "HINT"),
        OptionSpec(.accepted, "mcs-label", nil, .required),
        OptionSpec(.accepted, "mem-bind", nil, .required),
        OptionSpec(.ineffective, "mem-per-gpu", nil, .required),
        OptionSpec(.ineffective, "mincpus", nil, .required),
        OptionSpec(.accepted, "network", nil, .required, variable: "NETWORK"),
        OptionSpec(.accepted, "no-kill", "k", .optional, variable: "NO_KILL"),
        OptionSpec(.ineffective, "ntasks-per-core", nil, .required),
        OptionSpec(.ineffective, "ntasks-per-gpu", nil, .required),
        OptionSpec(.ineffective, "ntasks-per-socket", nil, .required),
        OptionSpec(.ineffective, "overcommit", "O", variable: "OVERCOMMIT"),
        OptionSpec(.accepted, "power", nil, .required),
        OptionSpec(.accepted, "profile", nil, .required, variable: "PROFILE"),
        OptionSpec(.accepted, "propagate", nil, .optional),
        OptionSpec(.accepted, "reboot"),
        OptionSpec(.ineffective, "sockets-per-node", nil, .required),
        OptionSpec(.ineffective, "spread-job", nil, variable: "SPREAD_JOB"),
        OptionSpec(.ineffective, "switches", nil, .required),
        OptionSpec(.ineffective, "thread-spec", nil, .required),
        OptionSpec(.ineffective, "threads-per-core", nil, .required),
        OptionSpec(.ineffective, "time-min", nil, .required),
        OptionSpec(.ineffective, "tmp", nil, .required),
        OptionSpec(.ineffective, "use-min-nodes", nil, variable: "USE_MIN_NODES"),
        OptionSpec(.wckey, "wckey", nil, .required, variable: "WCKEY"),
    ]
}
