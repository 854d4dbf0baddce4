import Quantities
import SlurmDialect
import WireFormats

// What a request may hold at most. It is checked at the edge, before anything is journalled: an
// input in the journal is handled again at every start, so it must not be one that stops the
// daemon; and what a job is named by is in every answer about the queue, to all users.

/// Why a member of a request is out of bounds.
private func refuse(_ error: SlurmError, _ member: String, _ value: Int64) -> RequestFailure {
    let detail = "member \"\(member)\": \(value) is out of range"
    return RequestFailure(status: 400, body: error.body(details: [detail]))
}

private func check(
    _ member: String,
    _ value: Int64?,
    in range: ClosedRange<Int64>,
    _ error: SlurmError
) throws(RequestFailure) {
    guard let value, !range.contains(value) else { return }
    throw refuse(error, member, value)
}

private func check(
    _ member: String,
    bytes count: Int,
    atMost limit: Int
) throws(RequestFailure) {
    guard count > limit else { return }
    let detail = "member \"\(member)\": \(count) bytes are more than \(limit)"
    throw RequestFailure(status: 400, body: SlurmError.tooLong.body(details: [detail]))
}

/// Checks the length of texts taken together.
private func check(
    _ member: String,
    _ texts: [String],
    atMost limit: Int
) throws(RequestFailure) {
    try check(member, bytes: texts.reduce(0) { $0 + $1.utf8.count }, atMost: limit)
}

private func check(
    _ limit: Int,
    _ texts: [(member: String, text: String?)]
) throws(RequestFailure) {
    for (member, text) in texts {
        try check(member, bytes: text?.utf8.count ?? 0, atMost: limit)
    }
}

/// The most bytes of texts.
private enum Lengths {
    static let word = 1 << 10
    static let key = 255
    /// `PATH_MAX`.
    static let path = 4 << 10
    static let long = 64 << 10
    /// The usual `max_script_size` of Slurm.
    static let script = 4 << 20
    static let environment = 4 << 20
    /// Dependencies, kinds of generic resources, partitions: elements, not bytes.
    static let list: ClosedRange<Int64> = 0...8_192
}

/// The ranges. Lengths of time are in µs.
private enum Bounds {
    /// A hundred years; what is longer than a year is planned as unlimited anyway.
    static let longest: Int64 = 100 * 365 * 86_400 * 1_000_000
    static let limits: ClosedRange<Int64> = 1...longest
    static let changes = -longest...longest
    static let lengths = 0...longest
    static let instants =
        CentreCalendar.instants.lowerBound
        .microseconds...CentreCalendar.instants.upperBound
        .microseconds
    /// Nodes, tasks, cores, cards: more than any machine has, few enough to be multiplied.
    static let counts: ClosedRange<Int64> = 0...1 << 24
    /// Bytes: an exbibyte.
    static let memory: ClosedRange<Int64> = 0...1 << 60
    /// Slurm's priorities are 32 bits wide, and 0 holds.
    static let priorities: ClosedRange<Int64> = 0...4_294_967_295
    static let signals: ClosedRange<Int64> = 1...64
    static let arrayIndices: ClosedRange<Int64> = 0...Int64(CentreState.largestArrayIndex)
}

extension SubmitRequest {
    /// How many jobs it makes, each with a number of its own.
    var numberCount: UInt32 {
        UInt32(max(1, array?.indices.count ?? 1) + components.count)
    }

    /// Checks every number and the length of every text.
    ///
    /// - Throws: a refusal that names the member.
    func checkBounds() throws(RequestFailure) {
        try checkTexts()
        try check("time_limit", timeLimit?.microseconds, in: Bounds.limits, .invalidTimeLimit)
        try check("begin", begin?.microseconds, in: Bounds.instants, .unspecified)
        try check("deadline", deadline?.microseconds, in: Bounds.instants, .unspecified)
        try check("immediate", immediate?.microseconds, in: Bounds.lengths, .unspecified)
        try check("priority", priority, in: Bounds.priorities, .unspecified)
        try check("umask", fileModeMask.map(Int64.init), in: 0...0o777, .unspecified)
        if let key = idempotencyKey, key.isEmpty || key.utf8.count > Lengths.key {
            throw refuse(.tooLong, "idempotency_key", Int64(key.utf8.count))
        }
        try checkSizes()
        try checkDependencies(dependencies)
        if let signal {
            try check("signal.number", Int64(signal.number), in: Bounds.signals, .unspecified)
            try check("signal.lead", signal.lead.microseconds, in: Bounds.lengths, .unspecified)
        }
        guard let array else { return }
        for range in array.ranges {
            try check("array.last", Int64(range.last), in: Bounds.arrayIndices, .invalidArray)
        }
        guard array.ranges.count <= CentreState.largestArrayIndex else {
            throw refuse(.invalidArray, "array.ranges", Int64(array.ranges.count))
        }
    }

    private func checkTexts() throws(RequestFailure) {
        try check(
            "script",
            bytes: scriptEncoding == "latin-1" ? script.unicodeScalars.count : script.utf8.count,
            atMost: Lengths.script
        )
        try check("script_arguments", scriptArguments, atMost: Lengths.environment)
        try check("environment", environment, atMost: Lengths.environment)
        try check("partitions", partitions, atMost: Lengths.word)
        try check("clusters", clusters ?? [], atMost: Lengths.word)
        try check(
            Lengths.word,
            [
                ("script_encoding", scriptEncoding),
                ("submit_host", submitHost), ("name", name), ("account", account), ("qos", qos),
                ("comment", comment), ("project", project), ("accelerator_model", acceleratorModel),
                ("exclusive", exclusive), ("features", features), ("reservation", reservation),
                ("licenses", licenses),
            ]
        )
        try check(
            Lengths.path,
            [
                ("work_dir", workDirectory), ("submit_dir", submitDirectory),
                ("std_out", standardOutput), ("std_err", standardError), ("std_in", standardInput),
            ]
        )
        try check(
            Lengths.long,
            [
                ("submit_line", submitLine), ("command", command),
                ("required_nodes", requiredNodes), ("excluded_nodes", excludedNodes),
            ]
        )
        try check("partitions", Int64(partitions.count), in: Lengths.list, .invalidPartition)
    }

    private func checkSizes() throws(RequestFailure) {
        let counts: [(String, Int32?, SlurmError)] = [
            ("min_nodes", minimumNodes, .invalidNodeCount),
            ("max_nodes", maximumNodes, .invalidNodeCount),
            ("tasks", tasks, .requestNotAvailable),
            ("cpus_per_task", cpusPerTask, .requestNotAvailable),
            ("tasks_per_node", tasksPerNode, .requestNotAvailable),
            ("accelerators", accelerators, .invalidGres),
            ("accelerators_per_task", acceleratorsPerTask, .invalidGres),
        ]
        for (member, count, error) in counts {
            try check(member, count.map(Int64.init), in: Bounds.counts, error)
        }
        try checkGres(gres)
        for (member, memory) in [
            ("memory_per_node", memoryPerNode), ("memory_per_cpu", memoryPerCPU),
        ] {
            try check(member, memory?.count, in: Bounds.memory, .requestNotAvailable)
        }
    }
}

private func checkGres(_ gres: [GresRequest]) throws(RequestFailure) {
    try check("gres", Int64(gres.count), in: Lengths.list, .invalidGres)
    try check("gres", gres.map { $0.name + ($0.type ?? "") }, atMost: Lengths.word)
    for one in gres {
        try check("gres.count", Int64(one.count), in: Bounds.counts, .invalidGres)
    }
}

private func checkDependencies(
    _ dependencies: [DependencyRequest]
) throws(RequestFailure) {
    try check("dependencies", Int64(dependencies.count), in: Lengths.list, .dependencyProblem)
    for one in dependencies {
        try check("dependencies.kind", bytes: one.kind.utf8.count, atMost: Lengths.word)
        let delay = one.delay.microseconds
        try check("dependencies.delay", delay, in: Bounds.lengths, .dependencyProblem)
    }
}

extension JobUpdateRequest {
    /// Checks every number and the length of every text.
    ///
    /// - Throws: a refusal that names the member.
    func checkBounds() throws(RequestFailure) {
        try check(
            Lengths.word,
            [
                ("name", name), ("comment", comment), ("partition", partition),
                ("account", account), ("qos", qos), ("features", features),
                ("licenses", licenses), ("reservation", reservation), ("wckey", project),
            ]
        )
        try check(
            Lengths.long,
            [("required_nodes", requiredNodes), ("excluded_nodes", excludedNodes)]
        )
        try check(
            Lengths.path,
            [
                ("std_out", standardOutput), ("std_err", standardError), ("std_in", standardInput),
            ]
        )
        for (name, number) in [
            ("tasks", tasks), ("tasks_per_node", tasksPerNode), ("cpus_per_task", cpusPerTask),
        ] {
            try check(name, number.map(Int64.init), in: Bounds.counts, .invalidNodeCount)
        }
        try check("memory_per_node", memoryPerNode?.count, in: Bounds.memory, .unspecified)
        try check("memory_per_cpu", memoryPerCPU?.count, in: Bounds.memory, .unspecified)
        try check("deadline", deadline?.microseconds, in: Bounds.instants, .unspecified)
        try checkGres(gres ?? [])
        try check("time_limit", timeLimit?.microseconds, in: Bounds.limits, .invalidTimeLimit)
        let change = timeLimitChange?.microseconds
        try check("time_limit_change", change, in: Bounds.changes, .invalidTimeLimit)
        try check("begin", begin?.microseconds, in: Bounds.instants, .unspecified)
        try check("priority", priority, in: Bounds.priorities, .unspecified)
        try check("nodes", nodes.map(Int64.init), in: Bounds.counts, .invalidNodeCount)
        try checkDependencies(dependencies ?? [])
    }
}

extension ClockAdvanceRequest {
    /// Checks every number, and that there is one.
    ///
    /// - Throws: a refusal that names the member.
    func checkBounds() throws(RequestFailure) {
        guard duration != nil || until != nil else {
            let text = "neither member \"duration\" nor \"until\" is there"
            throw RequestFailure(
                status: 400,
                body: ErrorBody(code: "malformed_request", text: text)
            )
        }
        try check("duration", duration?.microseconds, in: Bounds.lengths, .unspecified)
        try check("until", until?.microseconds, in: Bounds.instants, .unspecified)
    }
}

extension CancelRequest {
    /// Checks every number.
    ///
    /// - Throws: a refusal that names the member.
    func checkBounds() throws(RequestFailure) {
        try check("signal", signal.map(Int64.init), in: Bounds.signals, .unspecified)
        // Each job is looked for in them.
        try check("states", Int64(states.count), in: Lengths.list, .unspecified)
    }
}

extension StepRequest {
    /// Checks every text and number.
    ///
    /// - Throws: a refusal that names the member.
    func checkBounds() throws(RequestFailure) {
        // A job has thousands of steps, and each of them is kept with it.
        let texts = [("id", id ?? "", 32), ("name", name, 1_024), ("node_list", nodeList, 4_096)]
        for (member, text, length) in texts where text.utf8.count > length {
            throw .refused(.tooLong, "\(member) is longer than \(length) bytes")
        }
        guard (1...1_000_000).contains(tasks), (0...1_000_000_000).contains(cores),
            (0...255).contains(exitCode), (0...127).contains(exitSignal)
        else { throw .refused(.unspecified, "a number of the step is out of bounds") }
    }
}

extension CompleteRequest {
    /// Checks every number.
    ///
    /// - Throws: a refusal that names the member.
    func checkBounds() throws(RequestFailure) {
        try check("exit_code", Int64(exitCode), in: 0...255, .unspecified)
        try check("signal", Int64(exitSignal), in: 0...127, .unspecified)
    }
}
