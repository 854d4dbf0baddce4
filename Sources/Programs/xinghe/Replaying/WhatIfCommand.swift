import ArgumentParser
import ClusterModel
import LiveRuntime
import ReplayRuntime
import Reporting
import Scheduling
import WireFormats
import WorkloadFormats

/// `xinghe whatif`: a centre's own days under other rules.
struct WhatIfCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "whatif",
        abstract: "Decide a centre's own jobs again, under other policies.",
        discussion: """
            Reads the jobs of a state folder, with what people did to them, and decides about them again: \
            first under the centre's own policy, then under each --policy; the differences are to the \
            first. Changes of nodes, reservations and money are not in it. A daemon that runs on the \
            folder is not disturbed.
            """
    )

    @OptionGroup
    var book: StoredBook

    @Option(help: ArgumentHelp("The policies, with commas between.", valueName: "P,P…"))
    var policy: String

    @Option(help: "Say how groups of jobs fare: user, account, partition or size.")
    var by: ScheduleGroup.Key?

    @OptionGroup(title: "Money")
    var money: MoneyOptions

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let options = try ReplayOptions.parse([])
        let others = try options.policies(policy)
        let till = try money.till()
        let stored = try StoredJobs(stateFolder: book.state, machine: try book.givenMachine())
        let trace = Trace(records: stored.records)
        guard !trace.jobs.isEmpty else {
            throw Refusal("\(book.state): \(trace.emptinessText)")
        }
        let bootstrap = PairedBootstrap(seed: 1)
        var cells: [ComparisonCell] = []
        var base: Schedule?
        let policies = [stored.policy] + others.filter { $0.name != stored.policy.name }
        let bar = ProgressBar(
            counted: policies.count,
            "replay",
            total: trace.jobs.count * policies.count
        )
        for policy in policies {
            guard policy.backfill != .external else {
                throw ValidationError(
                    "--policy: an external program decides for 'xinghe replay' only"
                )
            }
            var machine = ReplayMachine.centre(stored.machine, policy: policy)
            do throws(RecordedCentre.Unknown) {
                machine.recorded = try RecordedCentre(trace, on: stored.machine)
            } catch {
                throw Refusal(
                    "\(book.state), job \(trace.records.first?.id ?? 0): \(error.kind) '\(error.name)' is"
                        + " not known on machine '\(stored.machine.name)'"
                )
            }
            let run = try ReplayRun(
                trace,
                on: machine,
                options,
                failures: nil,
                recordsPlaces: false,
                bar
            ) { driver in (driver.run(), policy.name) }
            var cell = ComparisonCell(
                run.outcome(trim: nil, withLossOfCapacity: true),
                schedule: run.schedule,
                base: base,
                frame: nil,
                window: nil,
                bootstrap: bootstrap,
                withGantt: false
            )
            cell.groupKey = by
            cell.groups =
                by.map { ScheduleGroup.groups(of: run.schedule, by: $0, window: nil) } ?? []
            cell.money = till?.outcomes(of: run.schedule) ?? []
            cells.append(cell)
            if base == nil { base = run.schedule }
        }
        bar.finish()
        let comparison = Comparison(
            tracePath: book.state,
            machine: "\(stored.machine.name), all partitions",
            trace: trace,
            cells: cells
        )
        let report = ComparisonReport(
            comparisons: [comparison],
            setting: options.setting(shakeSeconds: nil, bootstrap)
        )
        try StandardOutput.print(
            json ? report.json.prettyText + "\n" : report.text,
            terminator: "",
            isData: json
        )
    }
}
