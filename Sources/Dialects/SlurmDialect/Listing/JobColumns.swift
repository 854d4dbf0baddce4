import Quantities
import WireFormats

/// The columns of `squeue`.
///
/// Source: squeue(1) of Slurm 22.05.
enum JobColumns {
    /// By the letter of `-o`.
    static let byLetter: [String: Column<JobRow>] = [
        "A": Column("JOBID") { "\($0.info.jobID)" },
        "a": Column("ACCOUNT") { $0.info.account },
        "B": Column("EXEC_HOST") { $0.info.batchHost ?? "n/a" },
        "b": Column("TRES_PER_NODE") { $0.info.gres ?? "N/A" },
        "C": Column("CPUS") { "\($0.info.cores)" },
        "c": Column("MIN_CPUS") { "\($0.info.cpusPerTask * ($0.info.tasksPerNode ?? 1))" },
        "D": Column("NODES") { "\($0.info.nodeCount)" },
        "d": Column("MIN_TMP_DISK") { _ in "0" },
        "E": Column("DEPENDENCY") { $0.info.dependency ?? "(null)" },
        "e": Column("END_TIME") { $0.text($0.end) },
        "F": Column("ARRAY_JOB_ID") { "\($0.info.arrayJobID ?? $0.info.jobID)" },
        "f": Column("FEATURES") { $0.info.features ?? "(null)" },
        "G": Column("GROUP") { "\($0.info.groupID)" },
        "g": Column("GROUP") { $0.info.group },
        "H": Column("SOCKETS_PER_NODE") { _ in "*" },
        "h": Column("OVER_SUBSCRIBE") { $0.info.oversubscribe },
        "I": Column("CORES_PER_SOCKET") { _ in "*" },
        "i": Column("JOBID") { $0.id },
        "J": Column("THREADS_PER_CORE") { _ in "*" },
        "j": Column("NAME") { $0.info.name },
        "K": Column("ARRAY_TASK_ID") { row in
            row.elements ?? row.info.arrayTaskID.map { "\($0)" } ?? "N/A"
        },
        "k": Column("COMMENT") { $0.info.comment ?? "(null)" },
        "L": Column("TIME_LEFT") { row in
            row.info.timeLimit.map { SlurmTime.brief($0 - row.info.runTime) } ?? "UNLIMITED"
        },
        "l": Column("TIME_LIMIT") { row in
            row.info.timeLimit.map { SlurmTime.brief($0) } ?? "UNLIMITED"
        },
        "M": Column("TIME") { SlurmTime.brief($0.info.runTime) },
        "m": Column("MIN_MEMORY") { $0.info.memoryText },
        "N": Column("NODELIST") { $0.info.nodeList },
        "n": Column("REQ_NODES") { $0.info.requiredNodes ?? "" },
        "O": Column("CONTIGUOUS") { _ in "0" },
        "o": Column("COMMAND") { $0.info.command ?? "(null)" },
        "P": Column("PARTITION") { $0.info.partition },
        "p": Column("PRIORITY") {
            AmountText.ratio($0.info.priority, 4_294_967_295, digits: 14)
        },
        "Q": Column("PRIORITY") { "\($0.info.priority)" },
        "q": Column("QOS") { $0.info.qos },
        "R": Column("NODELIST(REASON)") { $0.nodesOrReason },
        "r": Column("REASON") { $0.info.shownReason },
        "S": Column("START_TIME") { $0.text($0.start) },
        "s": Column("") { _ in "" },
        "T": Column("STATE") { $0.info.state },
        "t": Column("ST") { JobStates.code($0.info.state) },
        "U": Column("UID") { "\($0.info.userID)" },
        "u": Column("USER") { $0.info.user },
        "V": Column("SUBMIT_TIME") { $0.text($0.info.submit) },
        "v": Column("RESERVATION") { $0.info.reservation ?? "(null)" },
        "W": Column("LICENSES") { $0.info.licenses ?? "(null)" },
        "w": Column("WCKEY") { _ in "(null)" },
        "X": Column("CORE_SPEC") { _ in "N/A" },
        "x": Column("EXC_NODES") { $0.info.excludedNodes ?? "" },
        "Y": Column("SCHEDNODES") { $0.info.scheduledNodes ?? "(null)" },
        "y": Column("NICE") { "\($0.info.nice)" },
        "Z": Column("WORK_DIR") { $0.info.workDirectory },
        "z": Column("S:C:T") { _ in "*:*:*" },
    ]

    /// What `%all` stands for: every letter, as squeue(1) puts them.
    static let allFormat =
        "%a|%b|%c|%d|%e|%f|%g|%h|%i|%j|%k|%l|%m|%n|%o|%p|%q|%r|%s|%t|%u|%v|%w|%x|%y|%z|%A |%B |%C |"
        + "%D |%E |%F |%G |%H |%I |%J |%K |%L |%M |%N |%O |%P |%Q |%R |%S |%T |%U |%V |%W |%X |%Y |%Z "

    /// By the name of `-O`: another column, or a letter's.
    static let byName: [String: Column<JobRow>] = {
        var columns: [String: Column<JobRow>] = [
            "tres-alloc": Column("TRES_ALLOC") { $0.info.tresText },
            "tres-per-node": Column("TRES_PER_NODE") { $0.info.gres ?? "N/A" },
            "numtasks": Column("TASKS") { "\($0.info.tasks)" },
            "restartcnt": Column("RESTART_COUNT") { "\($0.info.restarts)" },
            "stdout": Column("STDOUT") { $0.info.standardOutput },
            "stderr": Column("STDERR") { $0.info.standardError },
            "stdin": Column("STDIN") { $0.info.standardInput },
            "exit_code": Column("EXIT_CODE") { "\($0.info.exitCode)" },
            "eligibletime": Column("ELIGIBLE_TIME") { $0.text($0.info.eligible) },
            "requeue": Column("REQUEUE") { $0.info.requeues ? "1" : "0" },
            "cpus-per-task": Column("CPUS_PER_TASK") { "\($0.info.cpusPerTask)" },
        ]
        for (name, letter) in letterOfName { columns[name] = byLetter[letter] }
        return columns
    }()

    private static let letterOfName = [
        "account": "a", "arrayjobid": "F", "arraytaskid": "K", "batchhost": "B", "command": "o",
        "comment": "k", "dependency": "E", "endtime": "e", "excnodes": "x", "feature": "f",
        "groupid": "G", "groupname": "g", "jobarrayid": "i", "jobid": "A", "licenses": "W",
        "mincpus": "c", "minmemory": "m", "mintmpdisk": "d", "name": "j", "nice": "y",
        "nodelist": "N", "nodes": "N", "numcpus": "C", "numnodes": "D", "oversubscribe": "h",
        "partition": "P", "priority": "p", "prioritylong": "Q", "qos": "q", "reason": "r",
        "reasonlist": "R", "reqnodes": "n", "reservation": "v", "schednodes": "Y",
        "starttime": "S", "state": "T", "statecompact": "t", "submittime": "V", "timeleft": "L",
        "timelimit": "l", "timeused": "M", "userid": "U", "username": "u", "wckey": "w",
        "workdir": "Z",
    ]

    /// What rows are sorted by: two numbers, then a text.
    struct SortKey: Comparable {
        var numbers: (Int64, Int64) = (0, 0)
        var text = ""

        static func == (left: SortKey, right: SortKey) -> Bool {
            left.numbers == right.numbers && left.text == right.text
        }

        static func < (left: SortKey, right: SortKey) -> Bool {
            left.numbers == right.numbers ? left.text < right.text : left.numbers < right.numbers
        }
    }

    /// What a row is sorted by in the column of a letter; nil for letters that do not sort.
    static func sortKey(_ letter: Character) -> (@Sendable (JobRow) -> SortKey)? {
        switch letter {
        case "i", "A", "F", "K":
            { row in
                let job = row.info.arrayJobID ?? row.info.jobID
                return SortKey(numbers: (Int64(job), Int64(row.info.arrayTaskID ?? 0)))
            }
        case "C": byNumber { $0.info.cores }
        case "D": byNumber { Int64($0.info.nodeCount) }
        case "e": byNumber { $0.end?.microseconds ?? .max }
        case "L":
            byNumber { row in
                (row.info.timeLimit.map { $0.microseconds } ?? .max / 2)
                    - row.info.runTime.microseconds
            }
        case "l": byNumber { $0.info.timeLimit?.microseconds ?? .max }
        case "M": byNumber { $0.info.runTime.microseconds }
        case "m": byNumber { ($0.info.memoryPerNode ?? $0.info.memoryPerCPU)?.count ?? 0 }
        case "p", "Q": byNumber { $0.info.priority }
        case "S": byNumber { $0.start?.microseconds ?? .max }
        case "U": byNumber { Int64($0.info.userID) }
        case "V": byNumber { $0.info.submit.microseconds }
        case "y": byNumber { Int64($0.info.nice) }
        case "a", "b", "B", "c", "d", "E", "f", "G", "g", "h", "j", "k", "N", "n", "o", "P", "q",
            "R",
            "r", "T", "t", "u", "v", "W", "w", "Z":
            byText(String(letter))
        default: nil
        }
    }

    private static func byNumber(
        _ number: @escaping @Sendable (JobRow) -> Int64
    ) -> @Sendable (JobRow) -> SortKey {
        { SortKey(numbers: (number($0), 0)) }
    }

    private static func byText(_ letter: String) -> (@Sendable (JobRow) -> SortKey)? {
        guard let column = byLetter[letter] else { return nil }
        return { SortKey(text: column.text($0)) }
    }

    /// What each letter of `-o` and `-S` looks at, by the names on the wire. Letters that look at
    /// nothing are left out.
    static let membersOfLetter: [String: [String]] = [
        "a": ["account"], "B": ["batch_host"], "b": ["gres"], "C": ["cores"],
        "c": ["cpus_per_task", "tasks_per_node"], "D": ["nodes"], "E": ["dependency"],
        "e": ["end", "start", "expected_start", "time_limit"], "f": ["features"], "G": ["gid"],
        "g": ["group"], "h": ["oversubscribe"], "j": ["name"], "k": ["comment"],
        "L": ["time_limit", "run_time"], "l": ["time_limit"], "M": ["run_time"],
        "m": ["memory_per_node", "memory_per_cpu"], "N": ["node_list", "batch_host"],
        "n": ["required_nodes"], "o": ["command"], "q": ["qos"], "R": ["node_list"],
        "S": ["start", "expected_start"], "U": ["uid"], "u": ["user"], "V": ["submit"],
        "v": ["reservation"], "W": ["licenses"], "x": ["excluded_nodes"],
        "Y": ["scheduled_nodes"], "y": ["nice"], "Z": ["work_dir"],
    ]

    /// What a listing looks at whatever its columns: identity, state, order, and why a job waits.
    static let commonMembers: Set<String> = [
        "job_id", "array_job_id", "array_task_id", "array_limit", "in_array", "het_job_id",
        "het_job_offset",
        "state", "reason", "reason_text", "partition", "priority", "eligible", "start", "end",
    ]
}
