public import ArgumentParser
import ClusterModel
import Emulation
import Foundation
import IndexSets
public import ReplayRuntime
public import Reporting
import Scheduling
import TraceFiles
public import WorkloadFormats

/// What `xinghe replay` and `xinghe compare` ask alike: the machine, and how a log is read.
struct ReplayOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Replay in the default partition of a machine: a name of the catalogue or a file.",
            valueName: "M"
        )
    )
    var machine: String?

    @Option(
        help: ArgumentHelp(
            "Other names for partitions of the log on --machine, with commas between.",
            valueName: "LOG=MACHINE,…"
        ),
        transform: { text in
            var map: [String: String] = [:]
            for part in text.split(separator: ",", omittingEmptySubsequences: false) {
                let sides = part.split(separator: "=", omittingEmptySubsequences: false).map(
                    String.init
                )
                guard sides.count == 2, !sides[0].isEmpty, !sides[1].isEmpty, map[sides[0]] == nil
                else {
                    throw ValidationError(
                        "--partition-map: '\(part)' is not like old=new, once each"
                    )
                }
                map[sides[0]] = sides[1]
            }
            return map
        }
    )
    var partitionMap: [String: String]?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Replay on N processors, given out one by one.", valueName: "N")
    )
    var processors: Int?

    @Option(
        help: ArgumentHelp(
            "Replay on nodes that jobs share: counts and cores like 103x12,48x16, or a CSV with "
                + "sn,cpu_milli,memory_mib,gpu,model.",
            valueName: "N"
        )
    )
    var nodes: String?

    @Option(help: "What goes first at one instant: batched or pyss.")
    var eventOrder: EventOrder = .batched

    @Option(
        help: ArgumentHelp(
            "What the log is: swf, sacct, philly, alibaba, alibaba-2025, helios, acme, pai or muri; told "
                + "from its content by default.",
            valueName: "F"
        )
    )
    var format: LogFormat?

    @Option(
        help: ArgumentHelp(
            "What the columns of a table are: submit=…,run=…,processors=…, and id, start, end, limit, "
                + "parts, cores, memory, cards, user, account, qos, partition, state.",
            valueName: "R=C,…"
        ),
        transform: { text in
            do throws(TableForm.Unreadable) {
                return try TableForm(parsing: text)
            } catch {
                throw ValidationError("--columns: \(error.problem)")
            }
        }
    )
    var columns: TableForm?

    @Option(help: "Rows to leave out: none or strong.")
    var filter: SWFReader.Filter = .none

    @Option(help: "What becomes of a job at its limit: kill or extend.")
    var overrun: OverrunRule = .kill

    @Option(
        help: """
            Run times to plan with: user (their limits), exact (the run times) or last2 (the mean \
            of the user's last two).
            """
    )
    var estimates: Estimates = .user

    @OptionGroup(title: "Failing nodes")
    var failures: FailureOptions

    @Flag(
        help:
            "Count the energy that the nodes of --machine draw; always where it says power_saving."
    )
    var energy = false

    @Flag(help: "Let jobs wait for the job that field 17 of an SWF log names.")
    var dependencies = false

    @Flag(
        help: """
            Submit jobs that field 17 of an SWF log lets follow another when that has ended, after the \
            think time of field 18.
            """
    )
    var thinkTime = false

    @Flag(
        help:
            "Count the jobs that start later than if nobody had come after them: a replay for each job."
    )
    var fairStarts = false

    @Option(help: "The language of the page: zh, en or both; by default that of LANG.")
    var lang: ReportLanguage?

    /// The language of the page.
    var words: ReportLanguage {
        lang ?? ReportLanguage(environment: ProcessInfo.processInfo.environment)
    }

    @Flag(help: "Refuse a log with a malformed row instead of leaving the row out.")
    var strict = false

    @Option(
        help: ArgumentHelp(
            "Leave jobs of the log's beginning and end out of the measures: 5%, 7d, 12h, 900s, or "
                + "two of those with a comma.",
            valueName: "A[,B]"
        ),
        transform: { text in
            guard let trim = Trim(text) else {
                throw ValidationError(
                    "'\(text)' is not like 5%, 7d, 12h, 900s or 5%,1d, in whole numbers"
                )
            }
            return trim
        }
    )
    var trim: Trim?

    func validate() throws {
        if let processors, processors < 1 {
            throw ValidationError("--processors: \(processors) is not a number of processors")
        }
        if partitionMap != nil, machine == nil {
            throw ValidationError("--partition-map: is about the partitions of --machine")
        }
        if dependencies, thinkTime {
            throw ValidationError("--dependencies and --think-time: one of them only")
        }
        if thinkTime, eventOrder == .pyss {
            throw ValidationError("--think-time: does not go with --event-order pyss")
        }
        if fairStarts, eventOrder == .pyss || thinkTime || failures.isAsked {
            throw ValidationError(
                "--fair-starts: goes with none of --event-order pyss, --think-time and failing nodes"
            )
        }
        if format == .table, columns == nil {
            throw ValidationError("--format table: say what its columns are, with --columns")
        }
        if let format, format != .table, columns != nil {
            throw ValidationError(
                "--columns: names the columns of a table, not of \(format.rawValue)"
            )
        }
        if energy, machine == nil {
            throw ValidationError("--energy: say with --machine what nodes draw")
        }
        if [machine != nil, processors != nil, nodes != nil].count(where: \.self) > 1 {
            throw ValidationError("--machine, --processors and --nodes: one of them only")
        }
    }

    /// The policies that `--policy` lists with commas between.
    ///
    /// Commas separate policies and the parts of one alike: a part with `=` goes on with the policy
    /// before it unless it says `order=`.
    func policies(_ list: String) throws -> [SchedulingPolicy] {
        var names: [String] = []
        for part in list.split(separator: ",", omittingEmptySubsequences: false).map(String.init) {
            guard !part.isEmpty else {
                throw ValidationError("--policy: '\(list)' has an empty part")
            }
            let continues = part.contains("=") && !part.hasPrefix("order=")
            if continues, let last = names.last {
                names[names.count - 1] = "\(last),\(part)"
            } else {
                names.append(part)
            }
        }
        do throws(SchedulingPolicy.Unknown) {
            return try names.map { name throws(SchedulingPolicy.Unknown) in
                var policy = try SchedulingPolicy(named: name)
                if estimates == .last2 { policy.estimate = .last2 }
                return policy
            }
        } catch {
            throw ValidationError("--policy: \(error)")
        }
    }

    /// The trace at `path`, with at least one job, its limits as `--estimates` says.
    ///
    /// - Parameter keepsRows: whether all fields of a log in the Standard Workload Format are wanted.
    func readTrace(_ path: String, keepsRows: Bool = false) throws -> Trace {
        var trace = try LogReader(
            format: format,
            form: columns,
            filter: filter,
            isStrict: strict,
            machineProcessors: processors,
            keepsRows: keepsRows || dependencies || thinkTime,
            keepsCancelled: machine != nil
        ).trace(at: path)
        if dependencies || thinkTime, trace.format != .swf {
            throw Refusal(
                "\(path): a log of the form \(trace.format.rawValue) has no fields 17 and 18; "
                    + "leave --\(thinkTime ? "think-time" : "dependencies") out"
            )
        }
        if estimates == .exact { trace.makeEstimatesExact() }
        return trace
    }

    /// Which jobs follow which, where that is to be obeyed.
    func following(_ trace: Trace) -> (links: JobLinks, rule: FollowingRule)? {
        guard dependencies || thinkTime else { return nil }
        return (JobLinks(trace), thinkTime ? .thinkTimes : .dependencies)
    }

    /// Refuses a `--trim` that leaves nothing of the log.
    func checkTrim(_ trace: Trace, at path: String) throws {
        if let trim, trace.window(of: trim) == nil {
            throw Refusal("\(path): --trim \(trim.text) leaves nothing of the log")
        }
    }

    /// How a result of these logs was made.
    ///
    /// - Parameter others: other files that went in.
    func provenance(of logs: [String], _ others: [String?] = []) throws -> Provenance {
        let paths =
            logs + [machine, nodes, failures.events].compactMap(\.self) + others.compactMap(\.self)
        return try Provenance(of: paths)
    }

    /// What a comparison says about how its cells were made.
    func setting(shakeSeconds: Int64?, _ bootstrap: PairedBootstrap) -> ComparisonSetting {
        ComparisonSetting(
            eventOrder: eventOrder.rawValue,
            estimates: "\(estimates)",
            trim: trim,
            shakeSeconds: shakeSeconds,
            bootstrap: bootstrap
        )
    }

    /// The machine that a trace is replayed on under `policy`.
    ///
    /// - Parameter change: what is another than the machine file says; nil when nothing is.
    func machine(
        for trace: Trace,
        at path: String,
        _ policy: SchedulingPolicy,
        change: WhatIf? = nil
    ) throws -> ReplayMachine {
        if let machine {
            let plain = try MachineChoice.machine(machine)
            let found = try change?.machine(plain) ?? plain
            let isWhole = !trace.records.isEmpty || tellsPartitions(trace, of: found)
            var chosen =
                isWhole
                ? try centre(found, trace, at: path, policy)
                : try ReplayMachine(found, policy: policy)
            if fairStarts, chosen.recorded != nil {
                throw Refusal(
                    "\(path): --fair-starts: the log tells what people did to its jobs; leave it out"
                )
            }
            if energy || found.powerSaving.isOn { try chosen.countPower(of: found) }
            try checkEnd(trace, at: path, processors: Int(clamping: chosen.coreCount))
            return chosen
        }
        if let nodes {
            let chosen = try NodeChoice(nodes).machine(for: trace, policy)
            try checkEnd(trace, at: path, processors: Int(clamping: chosen.coreCount))
            return chosen
        }
        guard let count = processors ?? trace.machineProcessors else {
            let what =
                trace.format == .swf
                ? "the header has neither MaxProcs nor MaxNodes"
                : "a log of the form \(trace.format.rawValue) does not tell its machine"
            throw Refusal(
                "\(path): \(what); say how large the machine is with --processors, --machine or --nodes"
            )
        }
        guard count <= Self.processorMaximum else {
            throw Refusal("\(path): \(count) processors are more than \(Self.processorMaximum)")
        }
        try checkEnd(trace, at: path, processors: count)
        return .processors(count, policy: policy)
    }

    /// Whether the log names a partition of the machine, so that its jobs go where they went.
    private func tellsPartitions(_ trace: Trace, of machine: Machine) -> Bool {
        guard !trace.details.isEmpty, eventOrder == .batched else { return false }
        if partitionMap != nil { return true }
        return trace.partitionNames.contains { names in
            names.split(separator: ",").contains {
                machine.partitionIndex(named: String($0)) != nil
            }
        }
    }

    /// A whole machine, for a log that tells what decided about its jobs.
    private func centre(
        _ machine: Machine,
        _ trace: Trace,
        at path: String,
        _ policy: SchedulingPolicy
    ) throws -> ReplayMachine {
        guard eventOrder == .batched else {
            throw ValidationError("--event-order pyss: \(path) is replayed as a centre decides")
        }
        var chosen = ReplayMachine.centre(machine, policy: policy)
        do throws(RecordedCentre.Unknown) {
            chosen.recorded =
                trace.records.isEmpty
                ? try RecordedCentre(details: trace, on: machine, partitionMap: partitionMap ?? [:])
                : try RecordedCentre(trace, on: machine)
        } catch {
            let hint =
                error.kind == "partition" && trace.records.isEmpty
                ? "; say which it is with --partition-map \(error.name)=PARTITION" : ""
            throw Refusal(
                "\(path), line \(error.line): \(error.kind) '\(error.name)' is not known on machine "
                    + "'\(machine.name)'\(hint)"
            )
        }
        return chosen
    }

    /// No machine has more; each takes some bytes.
    private static let processorMaximum = 100_000_000

    /// Refuses a log whose times add up to more than a clock of 64 bits holds.
    private func checkEnd(_ trace: Trace, at path: String, processors: Int) throws {
        let waits =
            thinkTime && !trace.rows.isEmpty
            ? JobLinks(trace).thinkTimes.reduce(0.0) { $0 + Double($1) } : 0
        guard trace.latestEnd(onProcessors: processors) + waits < Double(Int64.max / 2) else {
            throw Refusal(
                "\(path): its run times and limits add up to more than 100,000 years on "
                    + "\(processors) processors"
            )
        }
    }
}

extension ReplayMachine {
    /// The default partition of a machine, alone: no job goes to another.
    fileprivate init(_ machine: Machine, policy: SchedulingPolicy) throws {
        let partition = machine.defaultPartition
        let nodes = partition.nodes.map { machine.nodes[$0].capacity }
        let title = "\(machine.name), partition \(partition.name)"
        guard let first = nodes.first else { throw Refusal("\(title) has no nodes") }
        var configuration = EmulatorConfiguration(
            nodes: nodes,
            partitions: [
                PartitionConfiguration(nodes: IDSet(nodes.indices), isWholeNode: true)
            ],
            policy: policy,
            endedJobsRemembered: 0
        )
        let switches = machine.leafSwitches
        if !switches.isEmpty { configuration.leafSwitches = partition.nodes.map { switches[$0] } }
        self.init(
            configuration: configuration,
            partition: 0,
            coresPerNode: max(1, first.cores),
            title: title
        )
        nodeNames = partition.nodes.map { machine.nodes[$0].name }
        nodeKinds = partition.nodes.map { machine.nodeType(ofNode: $0).name }
        try check(title)
    }
}

extension ReplayMachine {
    /// Counts and saves the power of its nodes, as `machine` says.
    fileprivate mutating func countPower(of machine: Machine) throws {
        do throws(PowerProblem) {
            // Without the other partitions the nodes of the default one are all that there is.
            let isWhole = configuration.nodes.count == machine.nodes.count
            let members = isWhole ? nil : machine.defaultPartition.nodes
            configuration.power = try PowerRules(machine, only: members)
        } catch {
            throw Refusal("machine '\(machine.name)': \(error)")
        }
        gridMilligrams = machine.issuer?.gridFactor?.milligrams
        try check(title)
    }
}

/// What the scheduler believes about run times.
enum Estimates: String, CaseIterable, ExpressibleByArgument {
    case user
    case exact
    case last2
}

extension EventOrder: ExpressibleByArgument {}
extension OverrunRule: ExpressibleByArgument {}
extension LogFormat: ExpressibleByArgument {}
extension ReportLanguage: ExpressibleByArgument {}
extension ScheduleGroup.Key: ExpressibleByArgument {}
extension SWFReader.Filter: ExpressibleByArgument {}
