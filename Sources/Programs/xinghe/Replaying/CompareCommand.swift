import ArgumentParser
import Foundation
import ReplayRuntime
import Reporting
import Scheduling
import WireFormats
import WorkloadFormats

/// `xinghe compare`: many policies on many logs, side by side.
struct CompareCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Compare scheduling policies on recorded logs, on all cores.",
        discussion: """
            Replays each log under each policy and prints one table; differences to the first \
            policy come with confidence intervals. With --seeds each log is replayed several \
            times, its submissions shaken by up to --shake seconds each way, which shows how much \
            of a difference hangs on the accidents of one log. The results do not depend on --jobs.
            """
    )

    @Argument(help: "The logs, as for 'xinghe replay'.")
    var traces: [String]

    @OptionGroup
    var options: ReplayOptions

    @Option(
        help: ArgumentHelp(
            "The policies, with commas between; the first is what others are compared with. By "
                + "default easy,fcfs,easy-sjbf,conservative.",
            valueName: "P,P…"
        )
    )
    var policy: String?

    @Option(help: ArgumentHelp("Seeds of replicas with shaken submissions.", valueName: "S,S…"))
    var seeds: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("How far --seeds shakes submissions each way.", valueName: "SECONDS")
    )
    var shake: Int64 = 60

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Replays at a time; all cores by default.", valueName: "N")
    )
    var jobs: Int?

    @Option(help: ArgumentHelp("Write one page with plots to FILE.", valueName: "FILE"))
    var report: String?

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp(
            "What if: changes with semicolons between, such as 'partitions.work.nodes=+64; load=1.1'; "
                + "may be given several times, each compared with what is (docs/replay.md).",
            valueName: "CHANGE"
        )
    )
    var changes: [String] = []

    @Option(
        help: ArgumentHelp(
            "What if jobs came so many times as densely, as --set load=.",
            valueName: "L,L…"
        )
    )
    var load: String?

    @Option(help: "Say how groups of jobs fare: user, account, partition or size.")
    var by: ScheduleGroup.Key?

    @OptionGroup
    var outside: ExternalPolicyOptions

    @Option(
        help: ArgumentHelp(
            "Replay the I-th of N parts of the grid, for a process of many; 'auto' asks mpirun, srun or "
                + "a job array. 'xinghe merge' puts the parts together.",
            valueName: "I/N"
        ),
        transform: { try Shard($0) }
    )
    var shard: Shard?

    @Option(
        help: ArgumentHelp(
            "Write the JSON into FOLDER, under the name of the part.",
            valueName: "FOLDER"
        )
    )
    var shardOut: String?

    @OptionGroup(title: "Money")
    var money: MoneyOptions

    @Flag(help: "Print JSON.")
    var json = false

    @Flag(help: "Print CSV, one row a policy.")
    var csv = false

    func validate() throws {
        if let jobs, jobs < 1 {
            throw ValidationError("--jobs: \(jobs) is not a number of replays")
        }
        guard (1...31_536_000).contains(shake) else {
            throw ValidationError("--shake: \(shake) is not in 1...31536000 seconds")
        }
        if shard != nil, report != nil {
            throw ValidationError("--report: a part of a grid has no page")
        }
        if (shard == nil) != (shardOut == nil) {
            throw ValidationError("--shard and --shard-out: both or neither")
        }
        if json, csv { throw ValidationError("--json and --csv: one of them only") }
        if traces.count(where: { $0 == "-" }) > 1 {
            throw ValidationError("standard input can be read once only")
        }
        _ = try seedList()
    }

    private func seedList() throws -> [UInt64]? {
        try seeds.map { list in
            let words = list.split(separator: ",", omittingEmptySubsequences: false)
            let numbers = words.compactMap { UInt64($0) }.filter { $0 <= UInt64(Int64.max) }
            guard numbers.count == words.count, Set(numbers).count == numbers.count else {
                throw ValidationError("--seeds: '\(list)' is no list of different numbers")
            }
            return numbers
        }
    }

    /// What `--set` and `--load` change.
    private func whatIfs() throws -> [WhatIf] {
        let loads = load?.split(separator: ",", omittingEmptySubsequences: false) ?? []
        let list = try changes.map { try WhatIf($0) } + loads.map { try WhatIf("load=\($0)") }
        guard Set(list.map(\.text)).count == list.count else {
            throw ValidationError("--set, --load: a change is there twice")
        }
        if options.machine == nil, let change = list.first(where: \.changesMachine) {
            throw ValidationError("--set: '\(change.text)' is about the partitions of --machine")
        }
        return list
    }

    func run() async throws {
        let policy = policy ?? "easy,fcfs,easy-sjbf,conservative"
        let policies = try options.policies(policy)
        guard Set(policies.map(\.name)).count == policies.count else {
            throw ValidationError("--policy: \(policy) names a policy twice")
        }
        try outside.check(policies)
        try options.failures.check(explains: false)
        if let shardOut {
            // Before hours of replays, not after them.
            do {
                try FileManager.default.createDirectory(
                    atPath: shardOut,
                    withIntermediateDirectories: true
                )
            } catch {
                throw Refusal("--shard-out: the folder '\(shardOut)' cannot be made")
            }
        }
        let changes = try whatIfs()
        let isTaken = try OutputFile.check(
            [("--report", report)],
            data: json ? "--json" : csv ? "--csv" : nil
        )
        let seeds = try seedList()
        let grid = try ComparisonGrid(
            paths: traces,
            policies: policies,
            seeds: seeds,
            shakeMicroseconds: shake * 1_000_000,
            options: options,
            wishes: .init(
                changes: changes,
                groupKey: by,
                till: try money.till(),
                outside: outside,
                shard: shard
            ),
            withPictures: report != nil
        )
        let bar = ProgressBar(counted: grid.cellCount, "replay", total: grid.jobCount)
        let workers = jobs ?? ProcessInfo.processInfo.activeProcessorCount
        let comparisons = try grid.run(workers: workers, bar)
        bar.finish()
        let result = ComparisonReport(
            comparisons: comparisons,
            setting: options.setting(
                shakeSeconds: seeds == nil ? nil : shake,
                grid.bootstrap
            )
        )
        let provenance = try options.provenance(
            of: traces,
            [money.tenants] + (money.tariff?.split(separator: ",").map { String($0) } ?? [])
                + money.rules.rule
        )
        if let shard, let shardOut {
            let part = result.json.with(shard.member(grid.ownNumbers)).with(provenance.member)
            return try OutputFile.write(part.prettyText + "\n", to: "\(shardOut)/\(shard.fileName)")
        }
        if let report {
            let page = ComparisonPage(result, provenance: provenance.text, in: options.words)
            try OutputFile.write(page.html, to: report)
        }
        try StandardOutput.report(
            json
                ? result.json.with(provenance.member).prettyText + "\n"
                : csv ? result.csv : result.text,
            isTaken: isTaken,
            isData: json || csv
        )
    }
}
