import Quantities
public import WireFormats
public import WorkloadFormats

/// What one policy made of a trace.
public struct PolicyOutcome: Sendable {
    /// The policy's name.
    public var policy: String
    /// How good the schedule is.
    public var metrics: ScheduleMetrics
    /// Jobs that ended at their limit.
    public var timeoutCount: Int
    /// The most jobs that waited at once.
    public var queueMaximum: Int
    /// The digest of all decisions, 16 hexadecimal digits.
    public var digest: String
    /// What the replay took of a processor, without reading the log. Unit: s.
    public var cpuSeconds: Double
    /// The numbers of the jobs that are larger than the machine.
    public var refusedIDs: [Int64]
    /// How many jobs were cancelled; nil when nobody outside decided.
    public var cancelledCount: Int?
    /// What events of nodes did; nil when none could happen.
    public var failures: FailureSummary?
    /// What nodes drew; nil when nobody asked.
    public var energy: EnergySummary?
    /// How far it is from what was recorded; nil when nobody asked.
    public var validation: ScheduleValidation?

    /// Makes an outcome.
    public init(
        policy: String,
        metrics: ScheduleMetrics,
        timeoutCount: Int,
        queueMaximum: Int,
        digest: String,
        cpuSeconds: Double,
        refusedIDs: [Int64],
        cancelledCount: Int? = nil,
        failures: FailureSummary? = nil
    ) {
        self.policy = policy
        self.metrics = metrics
        self.timeoutCount = timeoutCount
        self.queueMaximum = queueMaximum
        self.digest = digest
        self.cpuSeconds = cpuSeconds
        self.refusedIDs = refusedIDs
        self.cancelledCount = cancelledCount
        self.failures = failures
    }
}

/// The report of a replay: what was read, what was left out, and each policy beside the others.
public struct ReplayReport: Sendable {
    /// The trace's path.
    public var tracePath: String
    /// The machine, as people call it.
    public var machine: String
    /// What ran first at one instant.
    public var eventOrder: String
    /// What was left out of the measures.
    public var trim: Trim?
    /// The trace.
    public var trace: Trace
    /// One entry a policy.
    public var outcomes: [PolicyOutcome]
    /// What of the log the machine does not obey, one line each.
    public var notes: [String] = []

    /// Makes a report.
    public init(
        tracePath: String,
        machine: String,
        eventOrder: String,
        trim: Trim? = nil,
        trace: Trace,
        outcomes: [PolicyOutcome]
    ) {
        self.tracePath = tracePath
        self.machine = machine
        self.eventOrder = eventOrder
        self.trim = trim
        self.trace = trace
        self.outcomes = outcomes
    }

    /// The report for people, each line with a newline.
    public var text: String { heading + table + validations + remarks }

    private var validations: String {
        outcomes.compactMap { outcome in
            outcome.validation.map { "\n\(outcome.policy)\n\($0.text)" }
        }.joined()
    }

    private var heading: String {
        let jobs = counted(trace.jobs.count, "job")
        var lines = ["\(tracePath): \(jobs) on \(machine), event order \(eventOrder)"]
        if let trim { lines.append("measured without the beginning and end: --trim \(trim.text)") }
        if let whom = trace.headerValue("Acknowledge") { lines.append("acknowledge: \(whom)") }
        // Names and header lines come from files, and may speak to a terminal.
        return lines.map { $0.printable + "\n" }.joined() + "\n"
    }

    private var table: String {
        var table = TextTable(
            header: ["measure"] + outcomes.map(\.policy),
            alignments: [.left] + outcomes.map { _ in .right }
        )
        func row(_ name: String, _ value: (PolicyOutcome) -> String) {
            table.add([name] + outcomes.map(value))
        }
        row("jobs run") { $0.metrics.jobCount.groupedText }
        row("wait mean (s)") { NumberText.fixed($0.metrics.waitMean, 1) }
        row("wait median (s)") { NumberText.fixed($0.metrics.waitMedian, 0) }
        row("wait p95 (s)") { NumberText.fixed($0.metrics.waitP95, 0) }
        row("wait max (s)") { NumberText.fixed($0.metrics.waitMaximum, 0) }
        row("response mean (s)") { NumberText.fixed($0.metrics.responseMean, 1) }
        row("bounded slowdown mean") { NumberText.fixed($0.metrics.boundedSlowdownMean, 2) }
        row("per-processor slowdown") { NumberText.fixed($0.metrics.perProcessorSlowdownMean, 2) }
        row("utilisation (%)") { NumberText.fixed($0.metrics.utilisation * 100, 3) }
        if outcomes.contains(where: { $0.metrics.lossOfCapacity != nil }) {
            row("loss of capacity (%)") { $0.metrics.lossOfCapacityText }
        }
        row("makespan (d)") { NumberText.fixed($0.metrics.makespan / 86_400, 3) }
        row("throughput (jobs/h)") { NumberText.fixed($0.metrics.throughputPerHour, 2) }
        row("queue mean (jobs)") { NumberText.fixed($0.metrics.queueMean, 2) }
        row("longest queue (jobs)") { $0.queueMaximum.groupedText }
        row("fairness over users (Jain)") { $0.metrics.userFairnessText }
        if outcomes.contains(where: { $0.metrics.fairStarts != nil }) {
            row("fair-start misses (%)") { $0.metrics.fairStarts?.missesText ?? "–" }
            row("fair start missed by (s)") { $0.metrics.fairStarts?.missMeanText ?? "–" }
        }
        row("ended at their limit") { $0.timeoutCount.groupedText }
        if outcomes.contains(where: { $0.cancelledCount ?? 0 > 0 }) {
            row("cancelled by the policy") { ($0.cancelledCount ?? 0).groupedText }
        }
        if outcomes.contains(where: { $0.failures != nil }) {
            for (name, value) in failureRows { row(name) { $0.failures.map(value) ?? "–" } }
        }
        if outcomes.contains(where: { $0.energy != nil }) {
            for (name, value) in EnergySummary.rows { row(name) { $0.energy.map(value) ?? "–" } }
        }
        row("CPU time (s)") { NumberText.fixed($0.cpuSeconds, 2) }
        row("digest") { $0.digest }
        return table.lines.map { $0 + "\n" }.joined()
    }

    /// Rows about failing nodes.
    private var failureRows: [(name: String, value: (FailureSummary) -> String)] {
        [
            ("node failures", { $0.failureCount.groupedText }),
            ("runs cut short", { $0.interruptedRuns.groupedText }),
            ("jobs lost", { $0.lostIDs.count.groupedText }),
            ("lost machine-hours", { NumberText.fixed($0.lostMachineHours, 1) }),
            ("availability (%)", { $0.availabilityText }),
        ]
    }

    private var remarks: String {
        var lines = trace.remarkLines() + notes + failureLines
        if let refused = outcomes.first?.refusedIDs, !refused.isEmpty {
            let some = refused.prefix(20).map { String($0) }.joined(separator: ", ")
            let more = refused.count > 20 ? ", …" : ""
            lines.append(
                "refused: \(counted(refused.count, "job")) that can never fit (job \(some)\(more))"
            )
        }
        return lines.isEmpty ? "" : "\n" + lines.map { $0.printable + "\n" }.joined()
    }

    private var failureLines: [String] {
        outcomes.flatMap { outcome in
            let lines = outcome.failures?.remarkLines ?? []
            return outcomes.count > 1 ? lines.map { "\(outcome.policy): \($0)" } : lines
        }
    }

    /// The report for programs.
    public var json: JSONValue {
        let reading = trace.readingMembers
        return .object(
            [
                .init("trace", .string(tracePath)), .init("machine", .string(machine)),
                .init("event_order", .string(eventOrder)),
                .init("trim", trim.map { .string($0.text) } ?? .null),
                .init("notes", .array(notes.map { .string($0) })),
            ] + reading + [.init("policies", .array(outcomes.map { .object($0.members) }))]
        )
    }
}

extension ScheduleMetrics {
    /// Jain's index with three decimals; a dash when the log names no users.
    var userFairnessText: String { userFairness.map { NumberText.fixed($0, 3) } ?? "–" }

    /// The loss of capacity in per cent; a dash when it was not asked for.
    var lossOfCapacityText: String { lossOfCapacity.map { NumberText.fixed($0 * 100, 3) } ?? "–" }

    /// The measures as members of a JSON object, with their units.
    var members: [JSONValue.Member] {
        func optional(_ value: Double?) -> JSONValue { value.map { .number($0) } ?? .null }
        return [
            .init("jobs", .integer(Int64(jobCount))), .init("wait_mean_s", .number(waitMean)),
            .init("wait_median_s", .number(waitMedian)), .init("wait_p95_s", .number(waitP95)),
            .init("wait_max_s", .number(waitMaximum)),
            .init("response_mean_s", .number(responseMean)),
            .init("bounded_slowdown_mean", .number(boundedSlowdownMean)),
            .init("per_processor_slowdown_mean", .number(perProcessorSlowdownMean)),
            .init("utilisation", .number(utilisation)),
            .init("loss_of_capacity", optional(lossOfCapacity)),
            .init("makespan_s", .number(makespan)), .init("queue_mean", .number(queueMean)),
            .init("throughput_per_hour", .number(throughputPerHour)),
            .init("user_fairness", optional(userFairness)),
        ] + (fairStarts?.members ?? [])
    }
}

extension PolicyOutcome {
    /// The outcome as members of a JSON object.
    var members: [JSONValue.Member] {
        [.init("policy", .string(policy))] + metrics.members + [
            .init("queue_max", .integer(Int64(queueMaximum))),
            .init("timeouts", .integer(Int64(timeoutCount))), .init("digest", .string(digest)),
            .init("cpu_s", .number(cpuSeconds)),
            .init("refused", .array(refusedIDs.map { .integer($0) })),
        ] + (cancelledCount.map { [.init("cancelled", .integer(Int64($0)))] } ?? [])
            + (failures?.members ?? []) + (energy?.members ?? [])
            + (validation.map { [.init("validation", $0.json)] } ?? [])
    }
}
