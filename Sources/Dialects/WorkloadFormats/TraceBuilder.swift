import WireFormats

/// Gathers the jobs of a log that is a table, and makes a `Trace` of them.
///
/// Instants are seconds since 1970; the earliest submission becomes the start of the trace.
struct TraceBuilder {
    /// A job whose `submitted` is still absolute, with what it asks for on shared nodes.
    private struct Entry {
        var job: TraceJob
        var request: TraceRequest?
        var record: RecordedJob?
    }

    private let filter: SWFReader.Filter
    private let isStrict: Bool
    private let machineProcessors: Int?
    private var trace = Trace()
    private var entries: [Entry] = []

    private var users = NameTable()
    private var groups = NameTable()
    private var queues = NameTable()
    private var partitions = NameTable()
    private var cardModels = NameTable()

    init(
        format: LogFormat,
        filter: SWFReader.Filter,
        isStrict: Bool,
        machineProcessors: Int?
    ) {
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

    /// Adds a job; `job.submitted` is since 1970, in µs, and a limit ≤ 0 is not known.
    mutating func add(
        _ added: TraceJob,
        _ request: TraceRequest? = nil,
        _ record: RecordedJob? = nil
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
        entries.append(Entry(job: job, request: request, record: record))
    }

    /// The trace: the last row of each number, by (submission, number, line).
    mutating func finish() -> Trace {
        dropRepeatedIDs()
        trace.outOfOrder = zip(entries, entries.dropFirst())
            .count { $1.job.submitted < $0.job.submitted }
        entries.sort { left, right in
            (left.job.submitted, left.job.id, left.job.line)
                < (right.job.submitted, right.job.id, right.job.line)
        }
        let origin = (entries.first?.job.submitted ?? 0) / 1_000_000
        trace.unixStartTime = origin
        for entry in entries {
            var job = entry.job
            job.submitted -= origin * 1_000_000
            trace.jobs.append(job)
            if let request = entry.request { trace.requests.append(request) }
        }
        // Half a record decides nothing: all jobs were seen by the scheduler.
        let records = entries.compactMap(\.record)
        if records.count == entries.count { trace.records = ContiguousArray(records) }
        precondition(trace.requests.isEmpty || trace.requests.count == trace.jobs.count)
        entries = []
        trace.userNames = users.names
        trace.groupNames = groups.names
        trace.queueNames = queues.names
        trace.partitionNames = partitions.names
        trace.cardModelSets = cardModels.names.map { set in
            set.split(separator: "|").map { String($0) }
        }
        return trace
    }

    /// Of several rows with one number the last tells how the job ended.
    private mutating func dropRepeatedIDs() {
        var seen = Set<Int64>(minimumCapacity: entries.count)
        let before = entries.count
        entries.reverse()
        entries.removeAll { !seen.insert($0.job.id).inserted }
        entries.reverse()
        if entries.count < before { trace.dropped[.repeatedID] = before - entries.count }
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
