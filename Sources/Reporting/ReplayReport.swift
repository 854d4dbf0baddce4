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
    /// The numbers of the jobs that are larger than the machine.
    public var refusedIDs: [Int64]

    /// Makes an outcome.
    public init(
        policy: String,
        metrics: ScheduleMetrics,
        timeoutCount: Int,
        queueMaximum: Int,
        digest: String,
        refusedIDs: [Int64]
    ) {
        self.policy = policy
        self.metrics = metrics
        self.timeoutCount = timeoutCount
        self.queueMaximum = queueMaximum
        self.digest = digest
        self.refusedIDs = refusedIDs
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
    /// The trace.
    public var trace: Trace
    /// One entry a policy.
    public var outcomes: [PolicyOutcome]

    /// Makes a report.
    public init(
        tracePath: String,
        machine: String,
        eventOrder: String,
        trace: Trace,
        outcomes: [PolicyOutcome]
    ) {
        self.tracePath = tracePath
        self.machine = machine
        self.eventOrder = eventOrder
        self.trace = trace
        self.outcomes = outcomes
    }

    /// The report for people, each line with a newline.
    public var text: String { heading + table + remarks }

    private var heading: String {
        let jobs = counted(trace.jobs.count, "job")
        return "\(tracePath): \(jobs) on \(machine), event order \(eventOrder)\n"
            + (trace.headerValue("Acknowledge").map { "acknowledge: \($0)\n" } ?? "") + "\n"
    }

    private var table: String {
        var table = TextTable(
            header: ["measure"] + outcomes.map(\.policy),
            alignments: [.left] + outcomes.map { _ in .right }
        )
        func row(_ name: String, _ value: (PolicyOutcome) -> String) {
            table.add([name] + outcomes.map(value))
        }
        row("jobs run") { NumberText.grouped(Int64($0.metrics.jobCount)) }
        row("wait mean (s)") { NumberText.fixed($0.metrics.waitMean, 1) }
        row("wait median (s)") { NumberText.fixed($0.metrics.waitMedian, 0) }
        row("wait p95 (s)") { NumberText.fixed($0.metrics.waitP95, 0) }
        row("wait max (s)") { NumberText.fixed($0.metrics.waitMaximum, 0) }
        row("bounded slowdown mean") { NumberText.fixed($0.metrics.boundedSlowdownMean, 2) }
        row("per-processor slowdown") { NumberText.fixed($0.metrics.perProcessorSlowdownMean, 2) }
        row("utilisation (%)") { NumberText.fixed($0.metrics.utilisation * 100, 3) }
        row("makespan (d)") { NumberText.fixed($0.metrics.makespan / 86_400, 3) }
        row("longest queue (jobs)") { NumberText.grouped(Int64($0.queueMaximum)) }
        row("ended at their limit") { NumberText.grouped(Int64($0.timeoutCount)) }
        row("digest") { $0.digest }
        return table.lines.map { $0 + "\n" }.joined()
    }

    private var remarks: String {
        var lines = trace.remarkLines
        if let refused = outcomes.first?.refusedIDs, !refused.isEmpty {
            let some = refused.prefix(20).map { String($0) }.joined(separator: ", ")
            let more = refused.count > 20 ? ", …" : ""
            lines.append(
                "refused: \(counted(refused.count, "job")) that can never fit (job \(some)\(more))"
            )
        }
        return lines.isEmpty ? "" : "\n" + lines.joined(separator: "\n") + "\n"
    }

    /// The report for programs.
    public var json: JSONValue {
        let reading = trace.readingMembers
        return .object(
            [
                .init("trace", .string(tracePath)), .init("machine", .string(machine)),
                .init("event_order", .string(eventOrder)),
            ] + reading + [.init("policies", .array(outcomes.map(\.json)))]
        )
    }
}

extension PolicyOutcome {
    fileprivate var json: JSONValue {
        [
            "policy": .string(policy), "jobs": .integer(Int64(metrics.jobCount)),
            "wait_mean_s": .number(metrics.waitMean),
            "wait_median_s": .number(metrics.waitMedian), "wait_p95_s": .number(metrics.waitP95),
            "wait_max_s": .number(metrics.waitMaximum),
            "response_mean_s": .number(metrics.responseMean),
            "bounded_slowdown_mean": .number(metrics.boundedSlowdownMean),
            "per_processor_slowdown_mean": .number(metrics.perProcessorSlowdownMean),
            "utilisation": .number(metrics.utilisation), "makespan_s": .number(metrics.makespan),
            "queue_max": .integer(Int64(queueMaximum)),
            "timeouts": .integer(Int64(timeoutCount)), "digest": .string(digest),
            "refused": .array(refusedIDs.map { .integer($0) }),
        ]
    }
}
