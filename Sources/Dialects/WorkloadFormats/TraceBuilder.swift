import WireFormats

/// Gathers the jobs of a log that is a table, and makes a `Trace` of them.
///
/// Instants are seconds since 1970; the earliest submission becomes the start of the trace. What only
/// some logs tell stands in arrays beside the jobs, so that a log of a million jobs costs what it tells.
struct TraceBuilder {
    private let filter: SWFReader.Filter
    private let isStrict: Bool
    private let machineProcessors: Int?
    /// Whether jobs that were cancelled while they waited are jobs.
    let keepsCancelled: Bool
    private var trace = Trace()
    /// Jobs whose `submitted` is still absolute, with what they ask for on shared nodes, what decided
    /// about them, and what else is told; the last three empty, or as many as there are jobs.
    private var jobs = ContiguousArray<TraceJob>()
    private var requests = ContiguousArray<TraceRequest>()
    private var records = ContiguousArray<RecordedJob>()
    private var details = ContiguousArray<TraceDetail>()

    private var users = NameTable()
    private var groups = NameTable()
    private var queues = NameTable()
    private var partitions = NameTable()
    private var cardModels = NameTable()
    private var constraints = NameTable()
    private var dependencies = NameTable()

    init(
        format: LogFormat,
        filter: SWFReader.Filter,
        isStrict: Bool,
        machineProcessors: Int?,
        keepsCancelled: Bool = false
    ) {
        self.keepsCancelled = keepsCancelled
        self.filter = filter
        self.isStrict = isStrict
        self.machineProcessors = machineProcessors
        trace.format = format
    }

    /// Counts a row.
    mutating func countRow() { trace.rowCount += 1 }

    /// Counts a row that becomes no job.
    mutating func drop(_ reason: DropReason) { trace.dropped[reason, default: 0] += 1 }

    /// Counts a row that is no row of the format.
    ///
    /// - Throws: the row, when the reader is strict.
    mutating func malformed(_ row: MalformedRow) throws(MalformedRow) {
        if isStrict { throw row }
        drop(.malformed)
        if trace.malformedRows.count < SWFReader.malformedRowsKept {
            trace.malformedRows.append(row)
        }
    }

    mutating func user(_ name: String) -> Int32 { users.number(name) }
    mutating func group(_ name: String) -> Int32 { groups.number(name) }
    mutating func queue(_ name: String) -> Int32 { queues.number(name) }
    mutating func partition(_ name: String) -> Int32 { partitions.number(name) }
    /// The number of a list of card models, written with `|` between; −1 for none.
    mutating func cardModels(_ list: String) -> Int32 { cardModels.number(list) }
    mutating func constraint(_ text: String) -> Int32 { constraints.number(text) }
    mutating func dependency(_ text: String) -> Int32 { dependencies.number(text) }

    /// Adds a job; `job.submitted` is since 1970, in µs, and a limit ≤ 0 is not known.
    mutating func add(
        _ added: TraceJob,
        _ request: TraceRequest? = nil,
        _ record: RecordedJob? = nil,
        _ detail: TraceDetail? = nil
    ) {
        var job = added
        if filter == .strong {
            let isTooLarge = machineProcessors.map { Int(job.processors) > $0 } ?? false
            guard job.runTime > 0, job.timeLimit > 0, !isTooLarge else { return drop(.filtered) }
            if job.runTime > job.timeLimit {
                job.runTime = job.timeLimit
                trace.cutAtLimit += 1
            }
        }
        guard max(job.runTime, job.timeLimit) <= Trace.durationMaximum,
            job.submitted <= Trace.instantMaximum
        else { return drop(.outOfRange) }
        if job.timeLimit <= 0 {
            job.timeLimit = job.runTime
            trace.withoutLimit += 1
        }
        jobs.append(job)
        if let request { requests.append(request) }
        if let record { records.append(record) }
        if let detail { details.append(detail) }
    }

    /// The trace: the last row of each number, by (submission, number, line).
    mutating func finish() -> Trace {
        // Half of what is told decides nothing: all jobs were seen by the scheduler.
        precondition(requests.isEmpty || requests.count == jobs.count)
        if records.count != jobs.count { records = [] }
        if details.count != jobs.count { details = [] }
        let order = lastOfEachNumber().sorted { left, right in
            let (one, other) = (jobs[Int(left)], jobs[Int(right)])
            return (one.submitted, one.id, one.line) < (other.submitted, other.id, other.line)
        }
        let origin = (order.first.map { jobs[Int($0)].submitted } ?? 0) / 1_000_000
        trace.unixStartTime = origin
        trace.jobs = Self.arranged(&jobs, order)
        for index in trace.jobs.indices { trace.jobs[index].submitted -= origin * 1_000_000 }
        trace.requests = Self.arranged(&requests, order)
        trace.records = Self.arranged(&records, order)
        trace.details = Self.arranged(&details, order)
        for index in trace.details.indices where trace.details[index].cancelledAt >= 0 {
            trace.details[index].cancelledAt -= origin * 1_000_000
        }
        trace.userNames = users.names
        trace.groupNames = groups.names
        trace.queueNames = queues.names
        trace.partitionNames = partitions.names
        trace.constraintTexts = constraints.names
        trace.dependencyTexts = dependencies.names
        trace.cardModelSets = cardModels.names.map { set in
            set.split(separator: "|").map { String($0) }
        }
        return trace
    }

    /// The elements in an order; empties the array, so that one at a time is there twice.
    private static func arranged<Element>(
        _ elements: inout ContiguousArray<Element>,
        _ order: [Int32]
    ) -> ContiguousArray<Element> {
        defer { elements = [] }
        return elements.isEmpty ? [] : ContiguousArray(order.map { elements[Int($0)] })
    }

    /// Of several rows with one number the last tells how the job ended.
    private mutating func lastOfEachNumber() -> [Int32] {
        var seen = Set<Int64>(minimumCapacity: jobs.count)
        var kept: [Int32] = []
        kept.reserveCapacity(jobs.count)
        for index in jobs.indices.reversed() where seen.insert(jobs[index].id).inserted {
            kept.append(Int32(index))
        }
        kept.reverse()
        if kept.count < jobs.count { trace.dropped[.repeatedID] = jobs.count - kept.count }
        trace.outOfOrder = zip(kept, kept.dropFirst())
            .count { jobs[Int($1)].submitted < jobs[Int($0)].submitted }
        return kept
    }
}

/// Numbers for names, in order of appearance, from zero.
private struct NameTable {
    private(set) var names: [String] = []
    private var numbers: [String: Int32] = [:]

    /// The number of a name; −1 for the empty one.
    mutating func number(_ name: String) -> Int32 {
        guard !name.isEmpty else { return -1 }
        if let number = numbers[name] { return number }
        let number = Int32(clamping: names.count)
        names.append(name)
        numbers[name] = number
        return number
    }
}
