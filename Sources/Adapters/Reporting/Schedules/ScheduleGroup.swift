import Quantities
import WireFormats
import WorkloadFormats

/// How the jobs of one user, account, partition or size fared: who gains and who loses.
public struct ScheduleGroup: Sendable {
    /// What jobs are told apart by.
    public enum Key: String, Hashable, Sendable, CaseIterable {
        /// Who submitted them.
        case user
        /// Which account pays.
        case account
        /// Where they ran.
        case partition
        /// How wide they are, in powers of two.
        case size
    }

    /// What the jobs have in common.
    public var name: String
    /// How many ran.
    public var jobCount: Int
    /// Unit: s.
    public var waitMean: Double
    /// Bounded at 10 s.
    public var slowdownMean: Double
    /// Processors held × time. Unit: h.
    public var processorHours: Double

    /// The groups of a schedule, those that hold most first; equal ones by name.
    ///
    /// - Parameter window: the submissions that count; nil for all.
    public static func groups(
        of schedule: Schedule,
        by key: Key,
        window: ClosedRange<Int64>?
    ) -> [ScheduleGroup] {
        var sums: [Int32: (count: Int, wait: Int128, slowdown: Double, work: Int128)] = [:]
        for index in schedule.ranIndices {
            let job = schedule.trace.jobs[index]
            guard window?.contains(job.submitted) ?? true else { continue }
            let (start, end) = (schedule.started[index], schedule.ended[index])
            let slowdown = ScheduleMetrics.boundedSlowdown(
                response: end - job.submitted,
                run: end - start
            )
            let work = Int128(schedule.processorsHeld(by: index)) * Int128(end - start)
            sums[number(of: job, key), default: (0, 0, 0, 0)].count += 1
            sums[number(of: job, key), default: (0, 0, 0, 0)].wait += Int128(start - job.submitted)
            sums[number(of: job, key), default: (0, 0, 0, 0)].slowdown += slowdown
            sums[number(of: job, key), default: (0, 0, 0, 0)].work += work
        }
        let order = sums.sorted { ($1.value.work, $0.key) < ($0.value.work, $1.key) }
        return order.map { number, sum in
            ScheduleGroup(
                name: name(of: number, key, schedule.trace),
                jobCount: sum.count,
                waitMean: Double(sum.wait) / 1e6 / Double(sum.count),
                slowdownMean: sum.slowdown / Double(sum.count),
                processorHours: Double(sum.work) / 3_600e6
            )
        }
    }

    private static func number(of job: TraceJob, _ key: Key) -> Int32 {
        switch key {
        case .user: job.user
        case .account: job.group
        case .partition: job.partition
        // Of 1; of 2; of 3 and 4; of 5 to 8; …
        case .size: Int32(32 - (job.processors - 1).leadingZeroBitCount)
        }
    }

    private static func name(of number: Int32, _ key: Key, _ trace: Trace) -> String {
        if key == .size {
            guard number > 1 else { return number == 0 ? "1" : "2" }
            return "\((1 << (Int(number) - 1)) + 1)–\(1 << Int(number))"
        }
        let names =
            switch key {
            case .user: trace.userNames
            case .account: trace.groupNames
            case .partition, .size: trace.partitionNames
            }
        if names.indices.contains(Int(number)) { return names[Int(number)] }
        return number < 0 ? "not told" : "\(number)"
    }
}

/// What a schedule would bring in, and what rules would pay of it.
public struct MoneyOutcome: Sendable {
    /// The tariff.
    public var tariff: String
    /// All fees. Unit: fen.
    public var revenue: Int128
    /// What each rule would grant. Unit: fen.
    public var grants: [(rule: String, amount: Int128)]
    /// Jobs of users whom nobody named; they are not priced.
    public var strangerCount: Int

    /// Makes an outcome.
    public init(
        tariff: String,
        revenue: Int128,
        grants: [(rule: String, amount: Int128)],
        strangerCount: Int
    ) {
        self.tariff = tariff
        self.revenue = revenue
        self.grants = grants
        self.strangerCount = strangerCount
    }

    /// Fen as CNY with two decimals.
    static func text(_ fen: Int128) -> String {
        let (whole, rest) = fen.magnitude.quotientAndRemainder(dividingBy: 100)
        let cents = String(100 + rest).dropFirst()
        return "\(fen < 0 ? "−" : "")\(Int64(clamping: whole).groupedText).\(cents)"
    }
}

extension ComparisonReport {
    /// The most groups that a table shows.
    private static let groupMaximum = 12
    /// The most policies beside each other in such a table.
    private static let groupColumnMaximum = 6

    /// Mean waits of groups under each policy, and who gains and who loses; empty when nobody asked.
    var groupTables: String { comparisons.map(Self.groupTable).joined() }

    private static func groupTable(_ comparison: Comparison) -> String {
        let firstSeed = comparison.cells.first?.seed
        let cells = comparison.cells.filter { $0.seed == firstSeed && !$0.groups.isEmpty }
        guard let base = cells.first, let key = base.groupKey else { return "" }
        let shown = Array(cells.prefix(groupColumnMaximum))
        var table = TextTable(
            header: ["\(key)", "jobs", "processor-h"]
                + shown.map { "\($0.outcome.policy): wait s" },
            alignments: [.left, .right, .right] + shown.map { _ in .right }
        )
        let waits = cells.map { cell in
            Dictionary(cell.groups.map { ($0.name, $0.waitMean) }) { first, _ in first }
        }
        for group in base.groups.prefix(groupMaximum) {
            table.add(
                [group.name, group.jobCount.groupedText, NumberText.fixed(group.processorHours, 1)]
                    + waits.prefix(groupColumnMaximum).map {
                        NumberText.fixed($0[group.name] ?? .nan, 1)
                    }
            )
        }
        var text = "\n" + table.lines.map { $0 + "\n" }.joined()
        if base.groups.count > groupMaximum {
            text += "the \(groupMaximum) that hold most of \(base.groups.count)\n"
        }
        for (cell, own) in zip(cells, waits).dropFirst() {
            let differences = base.groups.compactMap { group in
                own[group.name].map { $0 - group.waitMean }
            }
            text +=
                "\(cell.outcome.policy): \(differences.count { $0 < 0 }) wait less than under"
                + " \(base.outcome.policy), \(differences.count { $0 > 0 }) more\n"
        }
        return text
    }

    /// Revenue and grants of each cell; empty when nobody asked.
    var moneyTable: String {
        let cells = comparisons.flatMap(\.cells).filter { !$0.money.isEmpty }
        guard let rules = cells.first?.money.first?.grants.map(\.rule) else { return "" }
        var table = TextTable(
            header: ["policy", "tariff", "revenue CNY"] + rules.map { "\($0) CNY" },
            alignments: [.left, .left, .right] + rules.map { _ in .right }
        )
        for cell in cells {
            for money in cell.money {
                table.add(
                    [cell.outcome.policy, money.tariff, MoneyOutcome.text(money.revenue)]
                        + money.grants.map { MoneyOutcome.text($0.amount) }
                )
            }
        }
        let strangers = cells.first?.money.first?.strangerCount ?? 0
        let remark =
            strangers > 0
            ? "\(counted(strangers, "job")) of users without a tenant are not priced\n" : ""
        return "\n" + table.lines.map { $0 + "\n" }.joined() + remark
    }
}

extension ComparisonCell {
    /// Groups and money as members of a JSON object.
    var whatIfMembers: [JSONValue.Member] {
        var members: [JSONValue.Member] = []
        if let groupKey {
            let list = groups.map { group -> JSONValue in
                [
                    "name": .string(group.name), "jobs": .integer(Int64(group.jobCount)),
                    "wait_mean_s": .number(group.waitMean),
                    "bounded_slowdown_mean": .number(group.slowdownMean),
                    "processor_h": .number(group.processorHours),
                ]
            }
            members.append(.init("by", .string("\(groupKey)")))
            members.append(.init("groups", .array(list)))
        }
        guard !money.isEmpty else { return members }
        let list = money.map { outcome -> JSONValue in
            [
                "tariff": .string(outcome.tariff),
                "revenue_fen": .integer(Int64(clamping: outcome.revenue)),
                "unpriced_jobs": .integer(Int64(outcome.strangerCount)),
                "grants_fen": .object(
                    outcome.grants.map { .init($0.rule, .integer(Int64(clamping: $0.amount))) }
                ),
            ]
        }
        members.append(.init("money", .array(list)))
        return members
    }
}
