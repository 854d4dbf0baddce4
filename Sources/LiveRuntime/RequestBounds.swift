import Quantities
import SlurmDialect
import WireFormats

// What a request may hold at most. It is checked at the edge, before anything is journalled: an
// input in the journal is handled again at every start, so it must not be one that stops the
// daemon.

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
    /// Checks every number.
    ///
    /// - Throws: a refusal that names the member.
    func checkBounds() throws(RequestFailure) {
        try check("time_limit", timeLimit?.microseconds, in: Bounds.limits, .invalidTimeLimit)
        try check("begin", begin?.microseconds, in: Bounds.instants, .unspecified)
        try check("immediate", immediate?.microseconds, in: Bounds.lengths, .unspecified)
        try check("priority", priority, in: Bounds.priorities, .unspecified)
        try check("umask", fileModeMask.map(Int64.init), in: 0...0o777, .unspecified)
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
        for one in gres {
            try check("gres.count", Int64(one.count), in: Bounds.counts, .invalidGres)
        }
        for (member, memory) in [
            ("memory_per_node", memoryPerNode), ("memory_per_cpu", memoryPerCPU),
        ] {
            try check(member, memory?.count, in: Bounds.memory, .requestNotAvailable)
        }
    }
}

private func checkDependencies(
    _ dependencies: [DependencyRequest]
) throws(RequestFailure) {
    for one in dependencies {
        let delay = one.delay.microseconds
        try check("dependencies.delay", delay, in: Bounds.lengths, .dependencyProblem)
    }
}

extension JobUpdateRequest {
    /// Checks every number.
    ///
    /// - Throws: a refusal that names the member.
    func checkBounds() throws(RequestFailure) {
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
    /// Checks every number.
    ///
    /// - Throws: a refusal that names the member.
    func checkBounds() throws(RequestFailure) {
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
    }
}
