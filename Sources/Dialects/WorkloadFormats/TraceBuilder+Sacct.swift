import Quantities
import WireFormats

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
        guard !["REQUEUED", "NODE_FAIL"].contains(row.state) || row.state == record.state else {
            return drop(.partialExecution)
        }
        let limit = record.timeLimit.microseconds
        guard record.submit.microseconds >= 0 else { return drop(.unknownSubmission) }
        guard limit >= 0, record.runTime?.microseconds ?? 0 >= 0 else {
            return drop(.unknownRunTime)
        }
        let size = row.requestedCPUs ?? row.heldCPUs ?? Int64(record.request.chunks)
        add(
            TraceJob(
                id: Int64(record.id),
                submitted: record.submit.microseconds,
                runTime: record.runTime?.microseconds ?? limit,
                timeLimit: limit,
                processors: Int32(clamping: max(1, size)),
                line: Int32(clamping: row.line),
                user: user(record.user),
                group: group(record.account),
                queue: queue(record.qos),
                partition: partition(row.partition)
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
        guard let started = row.started else { return drop(.neverStarted) }
        let isRunning = ["RUNNING", "SUSPENDED", "COMPLETING", "STOPPED"].contains(row.state)
        let measured = row.elapsed ?? row.ended.map { ($0 - started) * 1_000_000 }
        guard !isRunning, let runTime = measured, runTime >= 0 else {
            return drop(.unknownRunTime)
        }
        let sizes = [row.heldCPUs, row.allocated.cpus, row.requestedCPUs, row.requested.cpus]
        guard let size = sizes.compactMap({ $0 }).first(where: { $0 > 0 }),
            size <= Int64(Int32.max)
        else { return drop(.unknownSize) }
        let limit: Int64 =
            switch row.timeLimit {
            case .unknown, .partition: 0
            case .unlimited: 365 * 86_400 * 1_000_000
            case .microseconds(let limit): limit
            }
        add(
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
                waitSeconds: Int32(clamping: max(-1, started - submitted)),
                status: Self.status(row.state)
            )
        )
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
