import ArgumentParser
import ReplayRuntime
import Reporting
import Scheduling
import WireFormats
import WorkloadFormats

/// `xinghe replay`: a log under one or more policies.
struct ReplayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Replay a recorded log under one or more scheduling policies.",
        discussion: """
            The log is in the Standard Workload Format, one of the published GPU logs, an export of \
            'sacct', or any table whose columns --columns names; plain or compressed (gzip, xz, zstd); '-' is standard \
            input. Without --machine and --processors the machine is the one that the log's header \
            names (MaxProcs, else MaxNodes). To compare many policies, see 'xinghe compare'.
            """
    )

    @Argument(help: "The log: FILE.swf, FILE.swf.gz, FILE.csv, …, or '-'.")
    var trace: String

    @OptionGroup
    var options: ReplayOptions

    @Option(
        help: ArgumentHelp(
            "The policy, or several with commas between: side by side.",
            valueName: "P[,P…]"
        )
    )
    var policy = "easy"

    @OptionGroup
    var outside: ExternalPolicyOptions

    @OptionGroup
    var explaining: ExplainOptions

    @OptionGroup(title: "Outputs (one policy)")
    var outputs: ScheduleOutputs

    @Option(help: ArgumentHelp("Write one page with plots to FILE.", valueName: "FILE"))
    var report: String?

    @Flag(
        name: .customLong("validate"),
        help: "Say how far the replayed starts are from the recorded ones, by partition."
    )
    var validates = false

    @Flag(help: "Print the report as JSON.")
    var json = false

    @Flag(help: "Read the log, say what it holds, and replay nothing.")
    var dryRun = false

    func run() async throws {
        let policies = try options.policies(policy)
        try outside.check(policies)
        try options.failures.check(explains: explaining.explain != nil)
        try explaining.check(options.eventOrder, isJSON: json, outputs.first, report)
        if dryRun, let option = outputs.first ?? report.map({ _ in "--report" }) {
            throw ValidationError(
                "--dry-run: replays nothing and writes no file; leave \(option) out"
            )
        }
        if let option = outputs.first, policies.count > 1 {
            throw ValidationError("\(option): one policy only; \(policy) names several")
        }
        let isTaken = try OutputFile.check(
            outputs.named + [("--report", report)],
            data: json ? "--json" : nil
        )
        let trace = try options.readTrace(self.trace, keepsRows: outputs.swfOut != nil)
        if dryRun {
            return try StandardOutput.print(
                json
                    ? trace.summaryJSON(path: self.trace).prettyText + "\n"
                    : trace.summary(path: self.trace),
                terminator: "",
                isData: json
            )
        }
        try options.checkTrim(trace, at: self.trace)
        if let job = explaining.explain { return try explain(job, trace, policies) }
        var page = report.map { _ in ReplayPage(options) }
        var outcomes: [PolicyOutcome] = []
        var machineTitle = ""
        var chineseTitle: String?
        var notes: [String] = []
        let bar = ProgressBar(
            counted: policies.count,
            "replay",
            total: trace.jobs.count * policies.count
        )
        for policy in policies {
            let machine = try options.machine(for: trace, at: self.trace, policy)
            machineTitle = machine.title
            chineseTitle = machine.chineseTitle
            notes = machine.recorded?.notes ?? []
            let run = try ReplayRun(
                trace,
                on: machine,
                options,
                failures: try options.failures.failures(of: machine, trace, options),
                recordsPlaces: outputs.needsPlaces || report != nil,
                bar
            ) { driver in
                try outside.run(&driver, trace, machine)
            }
            try outputs.write(run, options)
            var outcome = run.outcome(trim: options.trim, withLossOfCapacity: report != nil)
            if validates { outcome.validation = ScheduleValidation(run.schedule) }
            outcomes.append(outcome)
            page?.add(outcome, run.schedule)
        }
        bar.finish()
        let provenance = try options.provenance(of: [self.trace])
        if let report, let page {
            let titles = (machineTitle, chineseTitle)
            let html = page.html(self.trace, titles, trace, provenance.text)
            try OutputFile.write(html, to: report)
        }
        var report = ReplayReport(
            tracePath: self.trace,
            machine: machineTitle,
            eventOrder: options.eventOrder.rawValue,
            trim: options.trim,
            trace: trace,
            outcomes: outcomes
        )
        report.notes = notes
        try StandardOutput.report(
            json ? report.json.with(provenance.member).prettyText + "\n" : report.text,
            isTaken: isTaken,
            isData: json
        )
    }

    private func explain(_ job: Int64, _ trace: Trace, _ policies: [SchedulingPolicy]) throws {
        var texts: [String] = []
        for policy in policies {
            let machine = try options.machine(for: trace, at: self.trace, policy)
            var driver = ReplayDriver(
                trace: trace,
                machine: machine,
                order: options.eventOrder,
                overrun: options.overrun
            )
            let text = try explaining.text(of: job, trace, at: self.trace, machine) { watch in
                try outside.run(&driver, trace, machine, watch: watch)
            }
            texts.append(text)
        }
        try StandardOutput.print(texts.joined(separator: "\n"), terminator: "")
    }
}

/// The page that `replay --report` writes: that of a comparison, policy after policy.
private struct ReplayPage {
    private let options: ReplayOptions
    private let bootstrap = PairedBootstrap(seed: 1)
    private var base: Schedule?
    private var frame: PictureFrame?
    private var cells: [ComparisonCell] = []

    init(_ options: ReplayOptions) {
        self.options = options
    }

    mutating func add(_ outcome: PolicyOutcome, _ schedule: Schedule) {
        let window = options.trim.flatMap { schedule.trace.window(of: $0) }
        if cells.isEmpty {
            frame = PictureFrame(schedule, submissions: window, in: options.words)
        }
        cells.append(
            ComparisonCell(
                outcome,
                schedule: schedule,
                base: base,
                frame: frame,
                window: window,
                bootstrap: bootstrap,
                withGantt: cells.count < ComparisonPage.detailMaximum
            )
        )
        if base == nil { base = schedule }
    }

    func html(
        _ path: String,
        _ machine: (title: String, inChinese: String?),
        _ trace: Trace,
        _ provenance: String
    ) -> String {
        var comparison = Comparison(
            tracePath: path,
            machine: machine.title,
            trace: trace,
            cells: cells,
            frame: frame
        )
        comparison.chineseMachine = machine.inChinese
        let setting = options.setting(shakeSeconds: nil, bootstrap)
        let report = ComparisonReport(comparisons: [comparison], setting: setting)
        return ComparisonPage(report, provenance: provenance, in: options.words).html
    }
}

/// The files that hold a whole schedule.
struct ScheduleOutputs: ParsableArguments {
    @Option(
        name: .customLong("jobs-csv"),
        help: ArgumentHelp("One row a job, with the columns of Batsim.", valueName: "FILE")
    )
    var jobsCSV: String?

    @Option(help: ArgumentHelp("The log with the replayed waits, as SWF.", valueName: "FILE"))
    var swfOut: String?

    @Option(
        name: .customLong("trace-json"),
        help: ArgumentHelp("Trace events of Chrome, for ui.perfetto.dev.", valueName: "FILE")
    )
    var traceJSON: String?

    /// The options with the files that they name.
    var named: [(option: String, path: String?)] {
        [("--jobs-csv", jobsCSV), ("--swf-out", swfOut), ("--trace-json", traceJSON)]
    }

    /// The first option that was given.
    var first: String? { named.first { $0.path != nil }?.option }

    /// Whether a file tells which nodes jobs held.
    var needsPlaces: Bool { jobsCSV != nil || traceJSON != nil }

    /// Writes the files that were asked for.
    func write(_ run: ReplayRun, _ options: ReplayOptions) throws {
        let title =
            "Xinghe, policy \(run.name) on \(run.machine.title), "
            + "event order \(options.eventOrder.rawValue)"
        let texts: [(String?, ScheduleText)] = [
            (jobsCSV, .batsim), (swfOut, .swf(remark: title)), (traceJSON, .chrome(title: title)),
        ]
        for case (let path?, let text) in texts {
            try OutputFile.write(to: path) { emit in try text.write(run.schedule, emit) }
        }
    }
}
