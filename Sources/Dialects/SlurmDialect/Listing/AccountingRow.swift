import Quantities
import WireFormats

/// A line of `sacct`: a job, or one of its steps.
struct AccountingRow {
    var record: AccountingRecord
    var cluster = ""
    var step: StepRecord?
    /// The waiting elements, as `3-10%2`, when the row stands for a job array.
    var elements: String?
    var calendar: CentreCalendar
    /// The unit of amounts of memory: `K`, `M`, `G`; nil for the largest that divides them.
    var unit: Character?

    var id: String {
        var id = "\(record.jobID)"
        if let array = record.arrayJobID {
            if let elements {
                id = "\(array)_[\(elements)]"
            } else if let task = record.arrayTaskID {
                id = "\(array)_\(task)"
            }
        }
        if let job = record.hetJobID, let offset = record.hetJobOffset { id = "\(job)+\(offset)" }
        return step.map { "\(id).\($0.id)" } ?? id
    }

    var rawID: String { step.map { "\(record.jobID).\($0.id)" } ?? "\(record.jobID)" }

    var state: String {
        if let step { return step.state }
        if record.state == "CANCELLED", let user = record.cancelledBy {
            return "CANCELLED by \(user)"
        }
        return record.state
    }

    var elapsed: SimDuration { step?.elapsed ?? record.elapsed }
    var cores: Int64 { step?.cores ?? record.cores }

    /// Elapsed time × cores; of a step both may be what a program said of itself. Unit: s.
    var coreSeconds: Int64 {
        let (product, overflow) = elapsed.seconds.multipliedReportingOverflow(by: cores)
        return overflow ? .max : product
    }

    var start: String {
        if let start = step?.start ?? record.start { return calendar.text(start) }
        return record.state == "PENDING" ? "Unknown" : "None"
    }

    var end: String {
        let end = step == nil ? record.end : step?.end
        return end.map { calendar.text($0) } ?? "Unknown"
    }

    var nodeList: String {
        let nodes = step?.nodeList ?? record.nodeList
        return nodes.isEmpty ? "None assigned" : nodes
    }

    /// Only jobs say it; steps leave the column empty.
    func job(_ text: (AccountingRecord) -> String) -> String { step == nil ? text(record) : "" }

    func tres(requested: Bool) -> String {
        let cores = requested && step == nil ? record.requestedCores : cores
        var parts = step == nil ? ["billing=\(cores)"] : []
        parts.append("cpu=\(cores)")
        if record.accelerators > 0 { parts.append("gres/gpu=\(record.accelerators)") }
        if requested, let memory = record.requestedMemory ?? record.defaultMemory {
            parts.append("mem=" + AmountText.memory(mebibytes: memory.mebibytes))
        }
        parts.append("node=\(step == nil ? record.nodeCount : 1)")
        if !requested, step == nil, record.start == nil { return "" }
        return parts.joined(separator: ",")
    }

    func memory(_ amount: ByteCount?) -> String {
        guard let amount else { return "" }
        if let unit, let power = ["K": 10, "M": 20, "G": 30, "T": 40, "P": 50][unit] {
            let size: Int64 = 1 << Int64(power)
            let digits = amount.count % size == 0 ? 0 : 2
            return AmountText.ratio(amount.count, size, digits: digits) + String(unit)
        }
        var (number, index) = (amount.count, 0)
        while index < 4, number > 1_024 || index == 0, number % 1_024 == 0, number > 0 {
            number /= 1_024
            index += 1
        }
        return "\(number)" + ["", "K", "M", "G", "T"][index]
    }

    /// `mm:ss.mmm`, as processor time is written.
    var processorTime: String {
        let times = (step.map { [$0] } ?? record.steps).compactMap(\.processorTime)
        guard !times.isEmpty else { return "00:00:00" }
        let time = times.reduce(SimDuration.zero, +)
        let rest = String(1_000 + time.microseconds / 1_000 % 1_000).dropFirst()
        let clock = SlurmTime.full(time)
        return time.seconds < 3_600 ? "\(clock.dropFirst(3)).\(rest)" : clock
    }
}

/// The fields of `sacct -o`.
///
/// Source: sacct(1) of Slurm 22.05; `Charge`, `VerifiedFlop`, `Backend`, `Replay` and `Restarts` are
/// Xinghe's own.
enum AccountingFields {
    struct Field: Sendable {
        var name: String
        /// The width; a negative one aligns left.
        var width: Int
        var text: @Sendable (AccountingRow) -> String
    }

    /// All fields by name, as `-e` lists them.
    static let all = (filled + empty).sorted { $0.name.lowercased() < $1.name.lowercased() }

    private static let filled: [Field] = [
        Field(name: "Account", width: 10) { $0.record.account },
        Field(name: "AllocCPUS", width: 10) { "\($0.cores)" },
        Field(name: "AllocNodes", width: 10) { row in
            row.record.start == nil ? "0" : "\(row.step == nil ? row.record.nodeCount : 1)"
        },
        Field(name: "AllocTRES", width: 10) { $0.tres(requested: false) },
        Field(name: "Backend", width: 8) { row in row.job { $0.backend } },
        Field(name: "Charge", width: 12) { row in
            row.job { record in record.charge.map { Fen($0).yuanText } ?? "" }
        },
        Field(name: "Cluster", width: 10) { $0.cluster },
        Field(name: "Comment", width: 14) { row in row.job { $0.comment ?? "" } },
        Field(name: "ConsumedEnergy", width: 14) { _ in "0" },
        Field(name: "ConsumedEnergyRaw", width: 17) { _ in "0" },
        Field(name: "CPUTime", width: 10) { SlurmTime.full(seconds: $0.coreSeconds) },
        Field(name: "CPUTimeRAW", width: 10) { "\($0.coreSeconds)" },
        Field(name: "DerivedExitCode", width: 15) { row in row.job { "\($0.derivedExitCode):0" } },
        Field(name: "Elapsed", width: 10) { SlurmTime.full($0.elapsed) },
        Field(name: "ElapsedRaw", width: 10) { "\($0.elapsed.seconds)" },
        Field(name: "Eligible", width: 19) { row in
            (row.step?.start ?? row.record.eligible).map { row.calendar.text($0) } ?? "Unknown"
        },
        Field(name: "End", width: 19) { $0.end },
        Field(name: "ExitCode", width: 8) { row in
            let code = row.step?.exitCode ?? row.record.exitCode
            return "\(code):\(row.step?.exitSignal ?? row.record.exitSignal)"
        },
        Field(name: "GID", width: 6) { row in row.job { "\($0.groupID)" } },
        Field(name: "Group", width: 9) { row in row.job { $0.group } },
        Field(name: "JobID", width: -12) { $0.id },
        Field(name: "JobIDRaw", width: -12) { $0.rawID },
        Field(name: "JobName", width: 10) { $0.step?.name ?? $0.record.name },
        Field(name: "MaxRSS", width: 10) { $0.memory($0.step?.maximumResident) },
        Field(name: "NCPUS", width: 10) { "\($0.cores)" },
        Field(name: "NNodes", width: 8) { "\($0.step == nil ? $0.record.nodeCount : 1)" },
        Field(name: "NodeList", width: 15) { $0.nodeList },
        Field(name: "NTasks", width: 8) { $0.step.map { "\($0.tasks)" } ?? "" },
        Field(name: "Partition", width: 10) { row in row.job { $0.partition } },
        Field(name: "Priority", width: 10) { row in row.job { "\($0.priority)" } },
        Field(name: "QOS", width: 10) { row in row.job { $0.qos } },
        Field(name: "Reason", width: 22) { row in row.job { $0.reason } },
        Field(name: "Replay", width: 20) { row in row.job { $0.replay ?? "" } },
        Field(name: "ReqCPUFreqGov", width: 13) { $0.job { _ in "Unknown" } },
        Field(name: "ReqCPUFreqMax", width: 13) { $0.job { _ in "Unknown" } },
        Field(name: "ReqCPUFreqMin", width: 13) { $0.job { _ in "Unknown" } },
        Field(name: "ReqCPUS", width: 8) { row in
            "\(row.step == nil ? row.record.requestedCores : row.cores)"
        },
        Field(name: "ReqMem", width: 10) { row in row.job { row.memory($0.requestedMemory) } },
        Field(name: "ReqNodes", width: 8) { row in row.job { "\($0.nodeCount)" } },
        Field(name: "ReqTRES", width: 10) { row in row.job { _ in row.tres(requested: true) } },
        Field(name: "Reserved", width: 10) { row in
            row.job { record in
                guard let start = record.start, let eligible = record.eligible else { return "" }
                return SlurmTime.full(start - eligible)
            }
        },
        Field(name: "Restarts", width: 8) { row in row.job { "\($0.restarts)" } },
        Field(name: "Start", width: 19) { $0.start },
        Field(name: "State", width: 10) { $0.state },
        Field(name: "Submit", width: 19) { row in
            row.calendar.text(row.step?.start ?? row.record.submit)
        },
        Field(name: "SubmitLine", width: 20) { row in row.job { $0.submitLine } },
        Field(name: "Suspended", width: 10) { SlurmTime.full($0.record.suspended) },
        Field(name: "Timelimit", width: 10) { row in
            row.job { $0.timeLimit.map { SlurmTime.full($0) } ?? "UNLIMITED" }
        },
        Field(name: "TimelimitRaw", width: 12) { row in
            row.job { $0.timeLimit.map { "\($0.seconds / 60)" } ?? "UNLIMITED" }
        },
        Field(name: "TotalCPU", width: 10) { $0.processorTime },
        Field(name: "UID", width: 6) { row in row.job { "\($0.userID)" } },
        Field(name: "User", width: 9) { row in row.job { $0.user } },
        Field(name: "VerifiedFlop", width: 18) { row in
            row.job { record in record.verifiedFlop.map { "\($0)" } ?? "" }
        },
        Field(name: "WorkDir", width: 20) { row in row.job { $0.workDirectory } },
    ]

    static let standard = "jobid,jobname,partition,account,alloccpus,state,exitcode"
    static let brief = "jobid,state,exitcode"
    static let long =
        "jobid,jobidraw,jobname,partition,maxvmsize,maxvmsizenode,maxvmsizetask,avevmsize,maxrss,"
        + "maxrssnode,maxrsstask,averss,maxpages,maxpagesnode,maxpagestask,avepages,mincpu,"
        + "mincpunode,mincputask,avecpu,ntasks,alloccpus,elapsed,state,exitcode,avecpufreq,"
        + "reqcpufreqmin,reqcpufreqmax,reqcpufreqgov,reqmem,consumedenergy,maxdiskread,"
        + "maxdiskreadnode,maxdiskreadtask,avediskread,maxdiskwrite,maxdiskwritenode,"
        + "maxdiskwritetask,avediskwrite,reqtres,alloctres,tresusageinave,tresusageinmax,"
        + "tresusageinmaxnode,tresusageinmaxtask,tresusageinmin,tresusageinminnode,"
        + "tresusageinmintask,tresusageintot,tresusageoutmax,tresusageoutmaxnode,"
        + "tresusageoutmaxtask,tresusageoutave,tresusageouttot"

    /// The fields that Slurm has not.
    static let own: Set<String> = ["Backend", "Charge", "Replay", "Restarts", "VerifiedFlop"]

    /// The field that a word names, in any case, or begins to name.
    static func named(_ word: String) -> Field? {
        let word = word.lowercased()
        return all.first { $0.name.lowercased() == word }
            ?? all.first { !word.isEmpty && $0.name.lowercased().hasPrefix(word) }
    }
}
