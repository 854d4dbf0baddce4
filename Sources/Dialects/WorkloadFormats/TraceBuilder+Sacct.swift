import Quantities
public import WireFormats

extension TraceBuilder {
    /// Reads an export of `sacct`: jobs, not their steps.
    ///
    /// The size is what the job held (AllocCPUS), since on whole nodes that is more than it asked
    /// for; without that, ReqCPUS or the `cpu=` of ReqTRES. The run time is Elapsed, else
    /// End − Start. UNLIMITED plans as 365 days; a limit that the export does not tell
    /// (`Partition_Limit`, no column) becomes the run time. Runs that ended as REQUEUED are parts
    /// of a job that has a later row. Jobs that never started or have not ended are left out.
    mutating func readSacct(
        _ bytes: UnsafeRawBufferPointer,
        offsetSeconds: Int64
    ) throws(MalformedRow) {
        var failure: MalformedRow?
        try SacctExport(offsetSeconds: offsetSeconds).read(bytes) { result in
            guard failure == nil else { return }
            countRow()
            switch result {
            case .success(let row): addJob(row)
            case .failure(let row):
                do throws(MalformedRow) { try malformed(row) } catch { failure = error }
            }
        }
        if let failure { throw failure }
    }

    /// Adds a job of which everything is told that decided about it, whether it started or not.
    private mutating func addRecorded(_ row: SacctRow, _ record: RecordedJob) {
        // Earlier runs of a job that was requeued have rows of their own.
        guard
            !["REQUEUED", "NODE_FAIL", "PREEMPTED"].contains(row.state) || row.state == record.state
        else {
            return drop(.partialExecution)
        }
        let wait = row.submitted.flatMap { submitted in row.started.map { $0 - submitted } }
        add(
            record,
            size: row.requestedCPUs ?? row.heldCPUs,
            partition: row.partition,
            line: row.line,
            waited: wait.map { Int32(clamping: max(-1, $0)) }
        )
    }

    /// Adds what was recorded of a job.
    ///
    /// - Parameters:
    ///   - size: its cores where somebody counted them; nil for what it asked for.
    ///   - wait: how long it waited; nil when nobody noted it. Unit: s.
    mutating func add(
        _ record: RecordedJob,
        size: Int64?,
        partition name: String,
        line: Int,
        waited wait: Int32? = nil
    ) {
        let limit = record.timeLimit.microseconds
        guard record.submit.microseconds >= 0 else { return drop(.unknownSubmission) }
        guard limit >= 0, record.runTime?.microseconds ?? 0 >= 0 else {
            return drop(.unknownRunTime)
        }
        let asked = Int64(record.request.chunks).multipliedReportingOverflow(
            by: Int64(record.request.cores)
        )
        add(
            TraceJob(
                id: Int64(record.id),
                submitted: record.submit.microseconds,
                runTime: record.runTime?.microseconds ?? limit,
                timeLimit: limit,
                processors: Int32(clamping: max(1, size ?? asked.partialValue)),
                line: Int32(clamping: line),
                user: user(record.user),
                group: group(record.account),
                queue: queue(record.qos),
                partition: partition(name),
                waitSeconds: wait ?? -1
            ),
            nil,
            record
        )
    }

    private mutating func addJob(_ row: SacctRow) {
        guard !row.isStep else { return drop(.step) }
        if let record = row.replay { return addRecorded(row, record) }
        guard row.state != "REQUEUED" else { return drop(.partialExecution) }
        guard let submitted = row.submitted, submitted >= 0 else {
            return drop(.unknownSubmission)
        }
        let limit = Self.limit(row.timeLimit)
        guard let started = row.started else {
            return addCancelled(row, submitted: submitted, limit: limit)
        }
        let isRunning = ["RUNNING", "SUSPENDED", "COMPLETING", "STOPPED"].contains(row.state)
        let measured = row.elapsed ?? row.ended.map { ($0 - started) * 1_000_000 }
        guard !isRunning, let runTime = measured, runTime >= 0 else {
            return drop(.unknownRunTime)
        }
        guard let size = Self.size(row) else { return drop(.unknownSize) }
        let wait = Int32(clamping: max(-1, started - submitted))
        add(
            job(row, submitted, runTime: runTime, limit: limit, size, wait: wait),
            nil,
            nil,
            detail(row, size)
        )
    }

    /// A job that was cancelled while it waited: on a whole machine it waits again, and goes when it
    /// went; nobody knows how long it would have run, so that elsewhere it is left out.
    private mutating func addCancelled(_ row: SacctRow, submitted: Int64, limit: Int64) {
        let size = Self.size(row)
        guard keepsCancelled, row.state == "CANCELLED", let ended = row.ended, ended >= submitted,
            limit > 0, let size
        else { return drop(.neverStarted) }
        var told = detail(row, size)
        told.cancelledAt = ended * 1_000_000
        add(job(row, submitted, runTime: limit, limit: limit, size, wait: -1), nil, nil, told)
    }

    private mutating func job(
        _ row: SacctRow,
        _ submitted: Int64,
        runTime: Int64,
        limit: Int64,
        _ size: Int64,
        wait: Int32
    ) -> TraceJob {
        TraceJob(
            id: row.rawID ?? row.id.singleNumber,
            submitted: submitted * 1_000_000,
            runTime: runTime,
            timeLimit: limit,
            processors: Int32(size),
            line: Int32(clamping: row.line),
            user: user(row.user),
            group: group(row.account),
            queue: queue(row.qos),
            partition: partition(row.partition),
            waitSeconds: wait,
            status: Self.status(row.state)
        )
    }

    private mutating func detail(_ row: SacctRow, _ size: Int64) -> TraceDetail {
        var detail = TraceDetail()
        detail.nodes = Int32(clamping: row.requested.nodes ?? row.nodeCount ?? 0)
        detail.cores = Int32(clamping: row.requestedCPUs ?? row.requested.cpus ?? size)
        detail.memoryMebibytes = row.requested.memoryMebibytes ?? 0
        detail.cards = Int32(clamping: row.requested.cards ?? row.allocated.cards ?? 0)
        detail.constraint = constraint(row.constraints)
        detail.dependency = dependency(SubmitLine.dependency(row.submitLine))
        detail.isInReservation = !row.reservation.isEmpty
        if row.id.arrayTask != nil || row.id.isArrayRest { detail.array = row.id.base }
        return detail
    }

    /// What it held, which on whole nodes is more than it asked for; nil for no possible number.
    private static func size(_ row: SacctRow) -> Int64? {
        let sizes = [row.heldCPUs, row.allocated.cpus, row.requestedCPUs, row.requested.cpus]
        let size = sizes.compactMap(\.self).first { $0 > 0 }
        return size.flatMap { $0 <= Int64(Int32.max) ? $0 : nil }
    }

    /// Unit: µs; 0 when it is not known.
    private static func limit(_ limit: SacctTimeLimit) -> Int64 {
        switch limit {
        case .unknown, .partition: 0
        case .unlimited: 365 * 86_400 * 1_000_000
        case .microseconds(let limit): limit
        }
    }

    /// The status of the Standard Workload Format.
    private static func status(_ state: String) -> Int8 {
        switch state {
        case "COMPLETED": 1
        case "CANCELLED": 5
        case "": -1
        default: 0
        }
    }
}

extension Trace {
    /// The log that the records of a centre's jobs are.
    public init(records: [RecordedJob]) {
        var builder = TraceBuilder(
            format: .sacct,
            filter: .none,
            isStrict: false,
            machineProcessors: nil
        )
        for (index, record) in records.enumerated() {
            builder.countRow()
            builder.add(
                record,
                size: nil,
                partition: record.partitions.joined(separator: ","),
                line: index + 1
            )
        }
        self = builder.finish()
    }
}
