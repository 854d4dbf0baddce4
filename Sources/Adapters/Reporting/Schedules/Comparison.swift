import Quantities
public import WireFormats
public import WorkloadFormats

/// One policy on one trace in a comparison.
public struct ComparisonCell: Sendable {
    /// What the policy made of the trace.
    public var outcome: PolicyOutcome
    /// The seed that the trace was shaken with; nil when it was not.
    public var seed: UInt64?
    /// Mean wait minus that of the first policy, job by job; nil for the first. Unit: s.
    public var waitDifference: PairedDifference?
    /// The same of the bounded slowdown.
    public var slowdownDifference: PairedDifference?
    /// What pages draw; nil when no page is wanted.
    public var picture: SchedulePicture?
    /// What groups are told apart by; nil when nobody asked.
    public var groupKey: ScheduleGroup.Key?
    /// How groups of jobs fared.
    public var groups: [ScheduleGroup] = []
    /// What the schedule would bring in and cost.
    public var money: [MoneyOutcome] = []

    /// Makes a cell without differences and picture.
    public init(outcome: PolicyOutcome, seed: UInt64? = nil) {
        self.outcome = outcome
        self.seed = seed
    }

    /// Measures a schedule against that of the first policy.
    ///
    /// - Parameters:
    ///   - base: the first policy's schedule; nil for that itself.
    ///   - frame: what pictures share; nil when none is wanted.
    ///   - window: the submissions that count; nil for all.
    public init(
        _ outcome: PolicyOutcome,
        seed: UInt64? = nil,
        schedule: Schedule,
        base: Schedule?,
        frame: PictureFrame?,
        window: ClosedRange<Int64>?,
        bootstrap: PairedBootstrap,
        withGantt: Bool
    ) {
        self.init(outcome: outcome, seed: seed)
        if let base {
            let pairs = PairedDifferences(schedule, base, window: window)
            waitDifference = bootstrap.interval(of: pairs.waits)
            slowdownDifference = bootstrap.interval(of: pairs.slowdowns)
        }
        picture = frame.map { SchedulePicture(schedule, $0, withGantt: withGantt) }
    }
}

/// The policies on one trace, side by side.
public struct Comparison: Sendable {
    /// The trace's path.
    public var tracePath: String
    /// The machine, as people call it.
    public var machine: String
    /// The trace as it was read.
    public var trace: Trace
    /// One entry a policy and seed, the first policy first.
    public var cells: [ComparisonCell]
    /// What the pictures share.
    public var frame: PictureFrame?
    /// The machine in Chinese, where it has no name of its own.
    public var chineseMachine: String?
    /// What of the log the machine does not obey, one line each.
    public var notes: [String] = []

    /// Makes a comparison.
    public init(
        tracePath: String,
        machine: String,
        trace: Trace,
        cells: [ComparisonCell],
        frame: PictureFrame? = nil
    ) {
        self.tracePath = tracePath
        self.machine = machine
        self.trace = trace
        self.cells = cells
        self.frame = frame
    }

    /// The last part of the path.
    var title: String { tracePath.split(separator: "/").last.map { String($0) } ?? tracePath }
}

/// How all cells of a comparison were made.
public struct ComparisonSetting: Hashable, Sendable {
    /// What ran first at one instant.
    public var eventOrder: String
    /// The run times that policies planned with.
    public var estimates: String
    /// What was left out of the measures.
    public var trim: Trim?
    /// By how much submissions were shaken, each way. Unit: s; nil when they were not.
    public var shakeSeconds: Int64?
    /// What made the intervals.
    public var bootstrap: PairedBootstrap

    /// Makes a setting.
    public init(
        eventOrder: String,
        estimates: String,
        trim: Trim?,
        shakeSeconds: Int64?,
        bootstrap: PairedBootstrap
    ) {
        self.eventOrder = eventOrder
        self.estimates = estimates
        self.trim = trim
        self.shakeSeconds = shakeSeconds
        self.bootstrap = bootstrap
    }

    /// One line for people.
    func text(in words: ReportLanguage) -> String {
        var parts = [
            words("事件次序 \(eventOrder)", "event order \(eventOrder)"),
            words("运行时间估计 \(estimates)", "estimates \(estimates)"),
        ]
        if let trim {
            let what = words("统计时略去首尾", "measured without beginning and end")
            parts.append("\(what): --trim \(trim.text)")
        }
        if let shakeSeconds {
            parts.append(
                words("提交时间扰动 ±\(shakeSeconds) s", "submissions shaken by ±\(shakeSeconds) s")
            )
        }
        return parts.joined(separator: words == .english ? "; " : "；")
    }
}

/// The report of `xinghe compare`: text, JSON and CSV; the page is in `ComparisonPage`.
public struct ComparisonReport: Sendable {
    /// One entry a trace.
    public var comparisons: [Comparison]
    /// How they were made.
    public var setting: ComparisonSetting

    /// Makes a report.
    public init(comparisons: [Comparison], setting: ComparisonSetting) {
        self.comparisons = comparisons
        self.setting = setting
    }

    private var hasSeeds: Bool { comparisons.contains { $0.cells.contains { $0.seed != nil } } }
    private var hasTraces: Bool { comparisons.count > 1 }

    // MARK: Text

    /// The report for people.
    public var text: String {
        var text = ""
        for comparison in comparisons {
            let jobs = counted(comparison.trace.jobs.count, "job")
            text += "\(comparison.tracePath): \(jobs) on \(comparison.machine)".printable + "\n"
            if let whom = comparison.trace.headerValue("Acknowledge") {
                text += "acknowledge: \(whom)".printable + "\n"
            }
        }
        text +=
            "\(setting.text(in: .english))\n\n" + measureTable + fairStartTable + failureTable
            + energyTable
            + differenceTable
            + seedTable + groupTables + moneyTable
        for comparison in comparisons {
            let lines =
                comparison.trace.remarkLines() + comparison.notes
                + comparison.refusalLines(in: .english)
            guard !lines.isEmpty else { continue }
            text += "\n" + (hasTraces ? "\(comparison.title):\n" : "")
            text += lines.map { $0.printable + "\n" }.joined()
        }
        return text
    }

    private func leadCells(_ comparison: Comparison, _ cell: ComparisonCell) -> [String] {
        (hasTraces ? [comparison.title] : []) + [cell.outcome.policy]
            + (hasSeeds ? [cell.seed.map { String($0) } ?? "–"] : [])
    }

    private var leadHeader: [String] {
        (hasTraces ? ["trace"] : []) + ["policy"] + (hasSeeds ? ["seed"] : [])
    }

    private var measureTable: String {
        let names = [
            "wait s", "median", "p95", "max", "response s", "slowdown", "per proc", "util %",
            "lost %",
            "makespan d", "fairness", "at limit", "refused", "CPU s",
        ]
        var table = TextTable(
            header: leadHeader + names,
            alignments: leadHeader.map { _ in .left } + names.map { _ in .right }
        )
        for (number, comparison) in comparisons.enumerated() {
            if number > 0 { table.addRule() }
            for cell in comparison.cells {
                let metrics = cell.outcome.metrics
                table.add(
                    leadCells(comparison, cell) + [
                        NumberText.fixed(metrics.waitMean, 1),
                        NumberText.fixed(metrics.waitMedian, 0),
                        NumberText.fixed(metrics.waitP95, 0),
                        NumberText.fixed(metrics.waitMaximum, 0),
                        NumberText.fixed(metrics.responseMean, 1),
                        NumberText.fixed(metrics.boundedSlowdownMean, 2),
                        NumberText.fixed(metrics.perProcessorSlowdownMean, 2),
                        NumberText.fixed(metrics.utilisation * 100, 3),
                        metrics.lossOfCapacityText,
                        NumberText.fixed(metrics.makespan / 86_400, 3),
                        metrics.userFairnessText, cell.outcome.timeoutCount.groupedText,
                        cell.outcome.refusedIDs.count.groupedText,
                        NumberText.fixed(cell.outcome.cpuSeconds, 2),
                    ]
                )
            }
        }
        return table.lines.map { $0 + "\n" }.joined()
            + "\nslowdown: bounded at 10 s; lost: idle while jobs wait; fairness: Jain over users' "
            + "mean slowdowns;\nat limit: jobs cut at their time limit; refused: jobs that can never fit\n"
    }

    /// What failing nodes did; empty when none could fail.
    private var failureTable: String {
        let names = ["failures", "cut short", "lost", "left waiting", "lost h", "available %"]
        let table = table(of: \.failures, names) { failures in
            [
                failures.failureCount.groupedText, failures.interruptedRuns.groupedText,
                failures.lostIDs.count.groupedText, failures.leftWaitingIDs.count.groupedText,
                NumberText.fixed(failures.lostMachineHours, 1), failures.availabilityText,
            ]
        }
        return table.isEmpty
            ? "" : table + "lost h: machine-hours that no later run went on from\n"
    }

    /// Who was overtaken by later ones; empty when nobody asked.
    private var fairStartTable: String {
        table(of: \.metrics.fairStarts, ["fair-start misses %", "late by s"]) {
            [$0.missesText, $0.missMeanText]
        }
    }

    /// What nodes drew; empty when nobody asked.
    private var energyTable: String {
        table(of: \.energy, EnergySummary.rows.map(\.name)) { energy in
            EnergySummary.rows.map { $0.value(energy) }
        }
    }

    /// One row for each cell that has such a part; empty when none has.
    private func table<Part>(
        of part: KeyPath<PolicyOutcome, Part?>,
        _ names: [String],
        _ values: (Part) -> [String]
    ) -> String {
        var table = TextTable(
            header: leadHeader + names,
            alignments: leadHeader.map { _ in .left } + names.map { _ in .right }
        )
        var isEmpty = true
        for comparison in comparisons {
            for cell in comparison.cells {
                guard let own = cell.outcome[keyPath: part] else { continue }
                isEmpty = false
                table.add(leadCells(comparison, cell) + values(own))
            }
        }
        return isEmpty ? "" : "\n" + table.lines.map { $0 + "\n" }.joined()
    }

    /// A difference and its interval, and whether it is surely not nothing.
    static func differenceText(_ difference: PairedDifference, _ decimals: Int) -> String {
        func signed(_ value: Double) -> String {
            // −0.016 with one decimal is −0.0: the sign is what an interval is looked at for.
            (value < 0 ? "−" : "+") + NumberText.fixed(value.magnitude, decimals)
        }
        return "\(signed(difference.mean)) [\(signed(difference.low)), \(signed(difference.high))]"
    }

    private var differenceTable: String {
        let cells = comparisons.flatMap(\.cells)
        guard let first = cells.first, cells.contains(where: { $0.waitDifference != nil }) else {
            return ""
        }
        let header = leadHeader + ["wait (s)", "slowdown"]
        var table = TextTable(
            header: header,
            alignments: leadHeader.map { _ in .left } + [.right, .right]
        )
        for comparison in comparisons {
            for cell in comparison.cells {
                guard let wait = cell.waitDifference, let slowdown = cell.slowdownDifference
                else { continue }
                table.add(
                    leadCells(comparison, cell) + [
                        Self.differenceText(wait, 1), Self.differenceText(slowdown, 2),
                    ]
                )
            }
        }
        return "\nmean difference to \(first.outcome.policy), job by job\n"
            + table.lines.map { $0 + "\n" }.joined() + "\(setting.bootstrap.method())\n"
    }

    /// How far the means of a policy lie apart over the seeds.
    private var seedTable: String {
        guard comparisons.contains(where: { Set($0.cells.map(\.seed)).count > 1 }) else {
            return ""
        }
        let lead = (hasTraces ? ["trace"] : []) + ["policy"]
        var table = TextTable(
            header: lead + ["wait (s)", "slowdown"],
            alignments: lead.map { _ in .left } + [.right, .right]
        )
        func spread(_ values: [Double], _ decimals: Int) -> String {
            let mean = values.reduce(0, +) / Double(values.count)
            let ends = [values.min() ?? mean, values.max() ?? mean]
                .map { NumberText.fixed($0, decimals) }
            return "\(NumberText.fixed(mean, decimals)) [\(ends[0]), \(ends[1])]"
        }
        for comparison in comparisons {
            let firstSeed = comparison.cells.first?.seed
            for policy in comparison.cells.filter({ $0.seed == firstSeed }).map(\.outcome.policy) {
                let metrics = comparison.cells.map(\.outcome).filter { $0.policy == policy }
                    .map(\.metrics)
                table.add(
                    (hasTraces ? [comparison.title] : []) + [
                        policy, spread(metrics.map(\.waitMean), 1),
                        spread(metrics.map(\.boundedSlowdownMean), 2),
                    ]
                )
            }
        }
        return "\nover the seeds: mean [least, most]\n" + table.lines.map { $0 + "\n" }.joined()
    }

    // MARK: JSON and CSV

    /// The report for programs.
    public var json: JSONValue {
        [
            "event_order": .string(setting.eventOrder), "estimates": .string(setting.estimates),
            "trim": setting.trim.map { .string($0.text) } ?? .null,
            "shake_s": setting.shakeSeconds.map { .integer($0) } ?? .null,
            "method": .string(setting.bootstrap.method()),
            "traces": .array(comparisons.map(\.json)),
        ]
    }

    /// One row a cell, with the names of the JSON.
    public var csv: String {
        // Not every cell has the same members: nodes fail under some changes only.
        var names: [String] = []
        var rows: [[String: JSONValue]] = []
        for comparison in comparisons {
            for cell in comparison.cells {
                let members =
                    [
                        JSONValue.Member("trace", .string(comparison.tracePath)),
                        JSONValue.Member("machine", .string(comparison.machine)),
                    ] + cell.members.filter { $0.name != "refused" } + [
                        JSONValue.Member(
                            "refused",
                            .integer(Int64(cell.outcome.refusedIDs.count))
                        )
                    ]
                for member in members where !names.contains(member.name) {
                    names.append(member.name)
                }
                rows.append(
                    Dictionary(members.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
                )
            }
        }
        let lines = rows.map { row in names.map { row[$0].map(Self.field) ?? "" } }
        return ([names] + lines).map { $0.joined(separator: ",") + "\n" }.joined()
    }

    private static func field(_ value: JSONValue) -> String {
        switch value {
        case .null: return ""
        case .string(let text): return csvField(text)
        case .number(let number) where !number.isFinite: return ""
        default: return value.compactText
        }
    }
}

extension Comparison {
    /// What could never run.
    func refusalLines(in words: ReportLanguage) -> [String] {
        guard let refused = cells.first?.outcome.refusedIDs, !refused.isEmpty else { return [] }
        return [
            words(
                "拒绝：\(refused.count.groupedText) 个作业无法放下",
                "refused: \(counted(refused.count, "job")) that can never fit"
            )
        ]
    }

    fileprivate var json: JSONValue {
        .object(
            [
                .init("trace", .string(tracePath)), .init("machine", .string(machine)),
                .init("notes", .array(notes.map { .string($0) })),
            ] + trace.readingMembers + [
                .init("cells", .array(cells.map { .object($0.members + $0.whatIfMembers) }))
            ]
        )
    }
}

extension ComparisonCell {
    fileprivate var members: [JSONValue.Member] {
        func interval(_ name: String, _ value: PairedDifference?) -> [JSONValue.Member] {
            [
                .init("\(name)_difference", value.map { .number($0.mean) } ?? .null),
                .init("\(name)_difference_low", value.map { .number($0.low) } ?? .null),
                .init("\(name)_difference_high", value.map { .number($0.high) } ?? .null),
            ]
        }
        return [.init("seed", seed.map { .integer(Int64(clamping: $0)) } ?? .null)]
            + outcome.members + interval("wait_s", waitDifference)
            + interval("slowdown", slowdownDifference)
    }
}
