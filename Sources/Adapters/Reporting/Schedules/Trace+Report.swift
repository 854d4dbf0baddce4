import Quantities
public import WireFormats
public import WorkloadFormats

/// What reading a log left out or changed, for people and for programs. Nothing is silent.
extension Trace {
    /// What a log holds, before anything is replayed.
    ///
    /// - Parameter path: where it was read from.
    public func summary(path: String) -> String {
        let facts = TraceFacts(self)
        var table = TextTable(header: ["", ""], alignments: [.left, .left])
        table.add(["jobs", counted(jobs.count, "job")])
        table.add(["submitted within", "\(NumberText.fixed(facts.days, 1)) days"])
        table.add(["users", "\(facts.users)"])
        table.add(["widest job", "\(facts.widest) processors"])
        table.add(["longest run", "\(NumberText.fixed(facts.longestHours, 1)) h"])
        table.add(["work", "\(NumberText.fixed(facts.workHours, 0)) processor-hours"])
        if let machineProcessors { table.add(["machine", "\(machineProcessors) processors"]) }
        if let load = facts.load { table.add(["offered load", "\(NumberText.fixed(load, 3))"]) }
        let head = "\(path): \(format.rawValue), \(counted(rowCount, "row"))"
        return ([head] + table.lines.dropFirst(2) + remarkLines())
            .map { $0.printable + "\n" }.joined()
    }

    /// The same for programs.
    public func summaryJSON(path: String) -> JSONValue {
        let facts = TraceFacts(self)
        return .object(
            [.init("trace", .string(path))] + readingMembers + [
                .init("days", .number(facts.days)), .init("users", .integer(Int64(facts.users))),
                .init("widest_job_processors", .integer(Int64(facts.widest))),
                .init("longest_run_h", .number(facts.longestHours)),
                .init("work_processor_h", .number(facts.workHours)),
                .init("machine_processors", machineProcessors.map { .integer(Int64($0)) } ?? .null),
                .init("offered_load", facts.load.map { .number($0) } ?? .null),
            ]
        )
    }

    /// One line for each thing, without newlines.
    func remarkLines(in words: ReportLanguage = .english) -> [String] {
        var lines: [String] = []
        for reason in DropReason.allCases {
            guard let count = dropped[reason] else { continue }
            let (chinese, english) = (reason.chineseText, reason.text)
            lines.append(
                words(
                    "略去：\(count.groupedText) 行，\(chinese)\(hint(reason, in: words))",
                    "left out: \(counted(count, "row")), \(english)\(hint(reason, in: words))"
                )
            )
            if reason == .malformed { lines += malformedLines(of: count, in: words) }
        }
        for (count, chinese, english) in changes where count > 0 {
            lines.append(
                words(
                    "改动：\(count.groupedText) 个作业\(chinese)",
                    "changed: \(counted(count, "job")) \(english)"
                )
            )
        }
        if outOfOrder > 0 {
            lines.append(
                words(
                    "排序：\(outOfOrder.groupedText) 行排在提交更晚的行之后",
                    "sorted: \(counted(outOfOrder, "row")) stood after a later submission"
                )
            )
        }
        if let badStartTime {
            lines.append(
                words(
                    "UnixStartTime '\(badStartTime)' 不是 1970 至 9999 年间的时间，按 0 处理",
                    "UnixStartTime '\(badStartTime)' is no time from 1970 to 9999; 0 is taken"
                )
            )
        }
        return lines
    }

    /// What may be missing from an export; it is up to the user which columns that has.
    private func hint(_ reason: DropReason, in words: ReportLanguage) -> String {
        guard format == .sacct, reason == .unknownSize else { return "" }
        let columns = "AllocCPUS, NCPUS, ReqCPUS, AllocTRES"
        return words("（需要 \(columns)、ReqTRES 之一）", " (needed is one of \(columns) and ReqTRES)")
    }

    private func malformedLines(of count: Int, in words: ReportLanguage) -> [String] {
        var lines = malformedRows.map { row in
            let field = row.field > 0 ? words("，第 \(row.field) 个字段", ", field \(row.field)") : ""
            return words("  第 \(row.line) 行", "  line \(row.line)") + "\(field): \(row.problem)"
        }
        if count > malformedRows.count {
            let rest = count - malformedRows.count
            lines.append(words("  …… 另有 \(rest) 行", "  … and \(rest) more"))
        }
        return lines
    }

    private var changes: [(count: Int, chinese: String, english: String)] {
        [
            (
                withoutLimit, "没有时限，以运行时间为时限",
                "without a time limit; the run time is the limit"
            ),
            (
                withAllocatedSize, "没有申请规模，取实际分配的规模",
                "without a requested size; the allocated size is taken"
            ),
            (
                withFractionalSize, "申请了小数个处理器，向上取整",
                "with a fraction of a processor; it is rounded up"
            ),
            (
                cutAtLimit, "运行超过时限，在时限处截断（--filter strong）",
                "that ran beyond the limit, cut there (--filter strong)"
            ),
        ]
    }

    /// The same as members of a JSON object.
    var readingMembers: [JSONValue.Member] {
        let drops = DropReason.allCases.compactMap { reason in
            dropped[reason].map { JSONValue.Member("\(reason)", .integer(Int64($0))) }
        }
        return [
            .init("format", .string(format.rawValue)), .init("jobs", .integer(Int64(jobs.count))),
            .init("rows", .integer(Int64(rowCount))), .init("dropped", .object(drops)),
            .init("without_limit", .integer(Int64(withoutLimit))),
            .init("with_allocated_size", .integer(Int64(withAllocatedSize))),
            .init("with_fractional_size", .integer(Int64(withFractionalSize))),
            .init("cut_at_limit", .integer(Int64(cutAtLimit))),
            .init("out_of_order", .integer(Int64(outOfOrder))),
            .init(
                "malformed",
                .array(
                    malformedRows.map {
                        [
                            "line": .integer(Int64($0.line)), "field": .integer(Int64($0.field)),
                            "problem": .string($0.problem),
                        ]
                    }
                )
            ),
        ]
    }

    /// Why no job could be read: `no job can be read from it (12 rows malformed; …)`.
    public var emptinessText: String {
        guard rowCount > 0 else { return "no job can be read from it: it has no rows" }
        let lines = remarkLines().joined(separator: "\n  ")
        return "no job can be read from it as \(format.rawValue)\n  \(lines)"
    }
}

/// Sums over a log.
private struct TraceFacts {
    var days: Double
    var users: Int
    var widest: Int32 = 0
    var longestHours: Double
    var workHours: Double
    /// Work ÷ what the machine could do from the first to the last submission; nil when the log
    /// does not tell.
    var load: Double?

    init(_ trace: Trace) {
        let first = trace.jobs.first?.submitted ?? 0
        let last = trace.jobs.last?.submitted ?? 0
        var work: Int128 = 0
        var longest: Int64 = 0
        // Numbers of users are small in nearly all logs, and a mark costs less than a set.
        var marks = ContiguousArray(repeating: false, count: 1 << 16)
        var others: Set<Int32> = []
        for job in trace.jobs {
            work += Int128(job.processors) * Int128(job.runTime)
            widest = max(widest, job.processors)
            longest = max(longest, job.runTime)
            if marks.indices.contains(Int(job.user)) {
                marks[Int(job.user)] = true
            } else if job.user >= 0 {
                others.insert(job.user)
            }
        }
        days = Double(last - first) / 86_400e6
        users = marks.count(where: \.self) + others.count
        longestHours = Double(longest) / 3_600e6
        workHours = Double(work) / 3_600e6
        if let processors = trace.machineProcessors, last > first {
            load = workHours / (Double(processors) * days * 24)
        }
    }
}

extension DropReason {
    /// What the report says in Chinese; `text` in English.
    fileprivate var chineseText: String {
        switch self {
        case .malformed: "格式错误"
        case .partialExecution: "部分执行（状态 2–4）"
        case .repeatedID: "作业号重复"
        case .unknownRunTime: "运行时间未知"
        case .unknownSize: "处理器数未知或不可能"
        case .unknownSubmission: "提交时间未知"
        case .neverStarted: "从未启动"
        case .step: "作业步"
        case .outOfRange: "时间超过 300 年（提交时间：8,000 年）"
        case .filtered: "被过滤（--filter strong）"
        }
    }
}
