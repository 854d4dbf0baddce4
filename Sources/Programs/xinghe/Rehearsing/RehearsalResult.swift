import Quantities
import SlurmDialect
import WireFormats

/// What became of rehearsed scripts: what `xinghe rehearse --json` prints.
struct RehearsalResult: WireRecord {
    /// The scripts that were submitted.
    var scripts: [RehearsedScript] = []
    /// Every job of the rehearsal, also those that scripts submitted, by number.
    var jobs: [RehearsedJob] = []
    /// The fee of all of them, the subsidy and what remains. Unit: fen.
    var gross: Int64 = 0
    var subsidy: Int64 = 0
    var net: Int64 = 0

    /// Whether everything ended well.
    var isFine: Bool {
        jobs.allSatisfy { $0.state == "COMPLETED" } && scripts.allSatisfy { $0.refusal == nil }
    }

    mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields("scripts", &scripts)
        try fields("jobs", &jobs)
        try fields("gross_fen", &gross)
        try fields("subsidy_fen", &subsidy)
        try fields("net_fen", &net)
    }
}

/// A script as it was submitted.
struct RehearsedScript: WireRecord {
    var path = ""
    /// The number of its job; nil when it was refused.
    var job: UInt32?
    var warnings: [String] = []
    /// Why it was refused.
    var refusal: String?
    /// Other ways to submit it, each rehearsed.
    var alternatives: [RehearsalAlternative] = []
    /// Options for which there was no time.
    var untried: [String] = []
    /// When it would start under each seed of the load under which it does, from the earliest on.
    var starts: [SimInstant] = []
    /// How many seeds were tried; zero without a load.
    var seeds = 0
    /// What was submitted, and other ways to do it that seem worth a try. They are not printed.
    var request: SubmitRequest?
    var ways: [OtherWay] = []
    var isAsked = false

    mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields("script", &path)
        try fields("job_id", &job)
        try fields("warnings", &warnings)
        try fields("refusal", &refusal)
        try fields("alternatives", &alternatives)
        try fields("untried", &untried)
        try fields("starts", &starts)
        try fields("load_seeds", &seeds)
    }
}

/// How a job of the rehearsal went.
struct RehearsedJob: WireRecord {
    var job: UInt32 = 0
    /// The job array that it is an element of, and which one; nil for any other.
    var array: UInt32?
    var arrayTask: UInt32?
    /// The heterogeneous job that it is a component of, and its place among them; nil for any other.
    var hetJob: UInt32?
    var hetOffset: UInt32?
    var name = ""
    var partition = ""
    var nodes: Int32 = 0
    var state = ""
    /// Why it never started.
    var reason: String?
    var exitCode: Int32 = 0
    var signal: Int32 = 0
    var submit = SimInstant.epoch
    var start: SimInstant?
    var elapsed = SimDuration.zero
    var limit: SimDuration?
    /// Unit: fen.
    var fee: Int64 = 0
    /// The first part of what it wrote to its output file, and to the one for errors where that is another.
    var output = ""
    var errors = ""
    var steps: [StepRecord] = []

    init() {}

    init(_ record: AccountingRecord) {
        job = record.jobID
        array = record.arrayJobID
        arrayTask = record.arrayTaskID
        hetJob = record.hetJobID
        hetOffset = record.hetJobOffset
        name = record.name
        partition = record.partition
        nodes = record.nodeCount
        state = record.state
        reason = record.start == nil ? record.reason : nil
        exitCode = record.exitCode
        signal = record.exitSignal
        submit = record.submit
        start = record.start
        elapsed = record.elapsed
        limit = record.timeLimit
        fee = record.charge ?? 0
        steps = record.steps.filter { $0.id != "batch" }
    }

    mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields("job_id", &job)
        try fields.ifPresent("het_job_id", &hetJob)
        try fields.ifPresent("het_job_offset", &hetOffset)
        try fields("name", &name)
        try fields("partition", &partition)
        try fields("nodes", &nodes)
        try fields("state", &state)
        try fields("reason", &reason)
        try fields("exit_code", &exitCode)
        try fields("signal", &signal)
        try fields("submit", &submit)
        try fields("start", &start)
        try fields("elapsed", &elapsed)
        try fields("time_limit", &limit)
        try fields("fee_fen", &fee)
        try fields("output", &output)
        try fields("errors", &errors)
        try fields("steps", &steps)
    }
}

// MARK: - For people

extension RehearsalResult {
    /// The lines of the report.
    func lines(_ words: MessageLanguage) -> [String] {
        var lines: [String] = []
        for script in scripts {
            lines.append(script.path)
            lines += script.warnings.map { words("  注意：\($0)", "  warning: \($0)") }
            if let refusal = script.refusal {
                lines.append(words("  被拒绝：\(refusal)", "  refused: \(refusal)"))
            }
            let own = jobs.filter { $0.belongs(to: script.job) }
                .sorted { ($0.arrayTask ?? 0, $0.job) < ($1.arrayTask ?? 0, $1.job) }
            lines += own.flatMap { $0.lines(words) }
            if !(script.request?.components.isEmpty ?? true) {
                lines.append(
                    words("  异构作业不试其他提交方式", "  other ways are not tried for heterogeneous jobs")
                )
            }
            lines += [script.spreadLine(words)].compactMap(\.self)
            lines += script.alternatives.compactMap { $0.line(words) }
            lines += [script.untriedLine(words)].compactMap(\.self)
        }
        let submitted = Set(scripts.compactMap(\.job))
        for job in jobs where !submitted.contains(where: { job.belongs(to: $0) }) {
            lines.append(words("作业 \(job.number)（\(job.name)）", "job \(job.number) (\(job.name))"))
            lines += job.lines(words)
        }
        let (gross, subsidy, net) = (
            Fen(gross).yuanText, Fen(subsidy).yuanText, Fen(net).yuanText
        )
        lines.append(
            words(
                "合计：费用 \(gross) 元，预计补贴 \(subsidy) 元，应付 \(net) 元",
                "total: gross fee \(gross) CNY, expected subsidy \(subsidy), net \(net)"
            )
        )
        return lines
    }
}

extension RehearsedJob {
    /// Whether it is what the submission `number` became, or a part of it.
    fileprivate func belongs(to number: UInt32?) -> Bool {
        number != nil && [job, hetJob, array].contains(number)
    }

    /// Its number as Slurm writes it: `173+1` for a component, `173_4` for an element of an array.
    fileprivate var number: String {
        if let array, let arrayTask { return "\(array)_\(arrayTask)" }
        return hetJob.map { "\($0)+\(hetOffset ?? 0)" } ?? "\(job)"
    }

    fileprivate func lines(_ words: MessageLanguage) -> [String] {
        guard let start else {
            let why = reason ?? "None"
            return [
                words("  作业 \(number) 没有启动：\(why)", "  job \(number) did not start: \(why)")
            ]
        }
        let instant = CivilTime(start, offsetSeconds: CivilTime.shanghaiOffsetSeconds).iso8601
        let wait = SlurmTime.full(from: submit, to: start)
        let used = SlurmTime.full(from: start, to: start + elapsed)
        let limit = limit.map(SlurmTime.full) ?? "UNLIMITED"
        var lines = [
            words(
                "  作业 \(number)：分区 \(partition)，\(nodes) 个节点，\(instant)（Asia/Shanghai）启动（等待 \(wait)）",
                "  job \(number): \(counted(nodes, "node")) of \(partition), starts \(instant)"
                    + " (Asia/Shanghai) after \(wait)"
            )
        ]
        lines += Self.told(output, after: "  | ", words)
        lines += Self.told(errors, after: "  ! ", words)
        for step in steps {
            let took = SlurmTime.full(step.elapsed)
            lines.append(
                words(
                    "  作业步 \(step.id) \(step.name)：\(step.tasks) 个任务，\(took)，\(step.state) \(step.exitCode):\(step.exitSignal)",
                    "  step \(step.id) \(step.name): \(counted(step.tasks, "task")), \(took),"
                        + " \(step.state) \(step.exitCode):\(step.exitSignal)"
                )
            )
        }
        let yuan = Fen(fee).yuanText
        lines.append(
            words(
                "  结束：\(state) \(exitCode):\(signal)，用时 \(used)（时限 \(limit)），费用 \(yuan) 元",
                "  ends \(state) \(exitCode):\(signal) after \(used) of \(limit), fee \(yuan) CNY"
            )
        )
        return lines
    }
}

extension RehearsedJob {
    /// What it wrote, with lines that are there several times in a row, as of tasks that all fail, once.
    private static func told(
        _ text: String,
        after mark: String,
        _ words: MessageLanguage
    ) -> [String] {
        var lines: [String] = []
        var last: (text: Substring, count: Int)?
        func flush() {
            guard let last else { return }
            let times = last.count == 1 ? "" : words("（\(last.count) 次）", " (\(last.count) times)")
            let parts = last.text.split(separator: "\t", omittingEmptySubsequences: false)
            lines.append(
                mark + parts.map { String($0).printable }.joined(separator: "\t") + times
            )
        }
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
            if let same = last, same.text == line {
                last = (line, same.count + 1)
            } else {
                flush()
                last = (line, 1)
            }
        }
        flush()
        return lines
    }
}
