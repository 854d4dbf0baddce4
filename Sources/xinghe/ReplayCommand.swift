import ArgumentParser
import ReplayRuntime
import Reporting
import Scheduling
import WireFormats

/// `xinghe replay`: a log under one or more policies.
struct ReplayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Replay a recorded log under one or more scheduling policies.",
        discussion: """
            The log is in the Standard Workload Format, plain or compressed (gzip, xz, zstd); '-' \
            is standard input. Without --machine and --processors the machine is the one that \
            the log's header names (MaxProcs, else MaxNodes).
            """
    )

    @Argument(help: "The log: FILE.swf, FILE.swf.gz, or '-'.")
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

    @Option(help: ArgumentHelp("Write one row a job to FILE.", valueName: "FILE"))
    var jobsCSV: String?

    @Flag(help: "Print the report as JSON.")
    var json = false

    func run() async throws {
        let policies = try options.policies(policy)
        try outside.check(policies)
        if jobsCSV != nil, policies.count > 1 {
            throw ValidationError("--jobs-csv: one policy only; \(policy) names several")
        }
        let trace = try options.readTrace(self.trace)
        var outcomes: [PolicyOutcome] = []
        var machineTitle = ""
        for policy in policies {
            let machine = try options.machine(for: trace, at: self.trace, policy)
            machineTitle = machine.title
            var driver = ReplayDriver(
                trace: trace,
                machine: machine,
                order: options.eventOrder,
                overrun: options.overrun
            )
            let (result, name) = try outside.run(&driver, trace, machine)
            if let jobsCSV { try JobsCSV(trace, result).write(to: jobsCSV) }
            outcomes.append(PolicyOutcome(name, trace, machine, result))
        }
        let report = ReplayReport(
            tracePath: self.trace,
            machine: machineTitle,
            eventOrder: options.eventOrder.rawValue,
            trace: trace,
            outcomes: outcomes
        )
        print(json ? report.json.prettyText + "\n" : report.text, terminator: "")
    }
}
