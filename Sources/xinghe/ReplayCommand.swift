public import ArgumentParser
import ClusterModel
import Determinism
import Emulation
import IndexSets
public import ReplayRuntime
import Reporting
import Scheduling
import TraceFiles
import WireFormats
public import WorkloadFormats

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

    @Option(
        help: ArgumentHelp(
            "Replay in the default partition of a machine: a name of the catalogue or a file.",
            valueName: "M"
        )
    )
    var machine: String?

    @Option(help: ArgumentHelp("Replay on N processors, given out one by one.", valueName: "N"))
    var processors: Int?

    @Option(
        help: ArgumentHelp(
            "The policy, or several with commas between: side by side.",
            valueName: "P[,P…]"
        )
    )
    var policy = "easy"

    @Option(help: "What goes first at one instant: batched or pyss.")
    var eventOrder: EventOrder = .batched

    @Option(help: "Rows to leave out: none or strong.")
    var filter: SWFReader.Filter = .none

    @Option(help: "What becomes of a job at its limit: kill or extend.")
    var overrun: OverrunRule = .kill

    @Option(help: "Run times to plan with: user (their limits) or exact (the run times).")
    var estimates: Estimates = .user

    @Flag(help: "Refuse a log with a malformed row instead of leaving the row out.")
    var strict = false

    @Option(help: ArgumentHelp("Write one row a job to FILE.", valueName: "FILE"))
    var jobsCSV: String?

    @Flag(help: "Print the report as JSON.")
    var json = false

    func validate() throws {
        if let processors, processors < 1 {
            throw ValidationError("--processors: \(processors) is not a number of processors")
        }
        if machine != nil, processors != nil {
            throw ValidationError("--machine and --processors: one of them only")
        }
    }

    func run() async throws {
        let policies = try Self.policies(policy)
        if jobsCSV != nil, policies.count > 1 {
            throw ValidationError("--jobs-csv: one policy only; \(policy) names several")
        }
        var trace = try readTrace()
        if estimates == .exact { trace.makeEstimatesExact() }
        var outcomes: [PolicyOutcome] = []
        var machineTitle = ""
        for policy in policies {
            let machine = try machine(for: trace, policy)
            machineTitle = machine.title
            var driver = ReplayDriver(
                trace: trace,
                machine: machine,
                order: eventOrder,
                overrun: overrun
            )
            let result = driver.run()
            if let jobsCSV { try JobsCSV(trace, result).write(to: jobsCSV) }
            outcomes.append(PolicyOutcome(policy.name, trace, machine, result))
        }
        let report = ReplayReport(
            tracePath: self.trace,
            machine: machineTitle,
            eventOrder: eventOrder.rawValue,
            trace: trace,
            outcomes: outcomes
        )
        print(json ? report.json.prettyText + "\n" : report.text, terminator: "")
    }

    private static func policies(_ list: String) throws -> [SchedulingPolicy] {
        do throws(SchedulingPolicy.Unknown) {
            // Commas separate policies and the parts of a composition alike.
            var names: [String] = []
            for part in list.split(separator: ",").map({ String($0) }) {
                let continues = part.contains("=") && !part.hasPrefix("order=")
                if continues, let last = names.last, last.contains("=") {
                    names[names.count - 1] = "\(last),\(part)"
                } else {
                    names.append(part)
                }
            }
            return try names.map { name throws(SchedulingPolicy.Unknown) in
                try SchedulingPolicy(named: name)
            }
        } catch {
            let known = SchedulingPolicy.named.map(\.name).joined(separator: ", ")
            throw ValidationError(
                "--policy: '\(error.part)' is not known; policies are \(known), or a composition "
                    + "like order=sjf,backfill=easy,placement=first-fit"
            )
        }
    }

    private func readTrace() throws -> Trace {
        let reader = SWFReader(filter: filter, isStrict: strict, machineProcessors: processors)
        do {
            let trace = try TraceFile.withBytes(of: self.trace) { try reader.read($0) }
            guard !trace.jobs.isEmpty else {
                throw Refusal("\(self.trace): no job can be read from it")
            }
            return trace
        } catch let row as MalformedRow {
            let field = row.field > 0 ? ": field \(row.field)" : ""
            throw Refusal("\(self.trace):\(row.line)\(field): \(row.problem)")
        } catch let failure as TraceFileFailure {
            throw Refusal("\(failure)")
        }
    }

    private func machine(for trace: Trace, _ policy: SchedulingPolicy) throws -> ReplayMachine {
        if let machine {
            return try ReplayMachine(try MachineChoice.machine(machine), policy: policy)
        }
        guard let count = processors ?? trace.machineProcessors else {
            throw Refusal(
                "\(self.trace): the header has neither MaxProcs nor MaxNodes; "
                    + "say how large the machine is with --processors or --machine"
            )
        }
        return .processors(count, policy: policy)
    }
}

extension ReplayMachine {
    /// The default partition of a machine, alone: no job goes to another.
    fileprivate init(_ machine: Machine, policy: SchedulingPolicy) throws {
        let partition = machine.defaultPartition
        let nodes = partition.nodes.map { machine.nodes[$0].capacity }
        let title = "\(machine.name), partition \(partition.name)"
        guard let first = nodes.first else { throw Refusal("\(title) has no nodes") }
        if policy.needsUniformNodes, !nodes.allSatisfy({ $0 == first }) {
            throw Refusal("\(title) has unequal nodes; \(policy.name) plans equal nodes only")
        }
        self.init(
            configuration: EmulatorConfiguration(
                nodes: nodes,
                partitions: [
                    PartitionConfiguration(nodes: IDSet(nodes.indices), isWholeNode: true)
                ],
                policy: policy,
                remembersEndedJobs: false
            ),
            partition: 0,
            coresPerNode: max(1, first.cores),
            title: title
        )
    }
}

/// What the scheduler believes about run times.
enum Estimates: String, CaseIterable, ExpressibleByArgument {
    case user
    case exact
}

extension EventOrder: ExpressibleByArgument {}
extension OverrunRule: ExpressibleByArgument {}
extension SWFReader.Filter: ExpressibleByArgument {}

extension PolicyOutcome {
    /// Measures the result of a replay.
    init(_ name: String, _ trace: Trace, _ machine: ReplayMachine, _ result: ReplayResult) {
        var jobs: [ScheduledJob] = []
        jobs.reserveCapacity(trace.jobs.count)
        for index in trace.jobs.indices where result.started[index] >= 0 {
            let job = trace.jobs[index]
            let nodes = machine.nodes(forProcessors: job.processors)
            jobs.append(
                ScheduledJob(
                    submitted: job.submitted,
                    started: result.started[index],
                    ended: result.ended[index],
                    processors: Int64(nodes) * Int64(machine.coresPerNode)
                )
            )
        }
        let partition = machine.configuration.partitions[machine.partition]
        let total = Int64(partition.nodes.count) * Int64(machine.coresPerNode)
        self.init(
            policy: name,
            metrics: ScheduleMetrics(jobs, machineProcessors: total),
            timeoutCount: result.timeoutCount,
            queueMaximum: result.queueMaximum,
            digest: result.digest.hexText,
            refusedIDs: result.refused.map { trace.jobs[$0].id }
        )
    }
}
