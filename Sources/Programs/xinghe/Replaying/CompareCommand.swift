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

    func run() async throws {
        let policy = policy ?? "easy,fcfs,easy-sjbf,conservative"
        let policies = try options.policies(policy)
        guard Set(policies.map(\.name)).count == policies.count else {
            throw ValidationError("--policy: \(policy) names a policy twice")
        }
        if policies.contains(where: { $0.backfill == .external }) {
            throw ValidationError(
                "--policy: an external program decides for 'xinghe replay --external' only"
            )
        }
        try report.map { try OutputFile.check($0) }
        let seeds = try seedList()
        let grid = try ComparisonGrid(
            paths: traces,
            policies: policies,
            seeds: seeds,
            shakeMicroseconds: shake * 1_000_000,
            options: options,
            withPictures: report != nil
        )
        let bar = ProgressBar(counted: grid.cellCount, "replay", total: grid.jobCount)
        let workers = jobs ?? ProcessInfo.processInfo.activeProcessorCount
        let comparisons = grid.run(workers: workers, bar)
        bar.finish()
        let result = ComparisonReport(
            comparisons: comparisons,
            setting: options.setting(
                shakeSeconds: seeds == nil ? nil : shake,
                method: grid.bootstrap.method
            )
        )
        if let report { try OutputFile.write(ComparisonPage(result).html, to: report) }
        try StandardOutput.print(
            json ? result.json.prettyText + "\n" : csv ? result.csv : result.text,
            terminator: ""
        )
    }
}
