import WireFormats
import WorkloadFormats

/// A schedule as a file for other tools, in pieces, so that millions of jobs need no memory.
public enum ScheduleText: Sendable {
    /// One row a job, in order of start, with Batsim's columns: evalys reads it.
    case batsim
    /// SWF 2.2: replayed waits in field 3, run times in field 4.
    case swf(remark: String)
    /// Trace events of Chrome, for ui.perfetto.dev.
    case chrome(title: String)

    /// Hands the text of `schedule` to `emit`, piece by piece.
    public func write(_ schedule: Schedule, _ emit: ([UInt8]) throws -> Void) rethrows {
        var pieces = Pieces()
        switch self {
        case .batsim: try writeBatsim(schedule, &pieces, emit)
        case .swf(let remark): try writeSWF(schedule, remark, &pieces, emit)
        case .chrome(let title): try writeChrome(schedule, title, &pieces, emit)
        }
        try pieces.flush(emit)
    }

    /// Text that is handed on when there is enough of it.
    private struct Pieces {
        private var bytes: [UInt8] = []

        mutating func add(_ text: ByteText, _ emit: ([UInt8]) throws -> Void) rethrows {
            bytes += text.bytes
            if bytes.count >= 1 << 18 { try flush(emit) }
        }

        mutating func flush(_ emit: ([UInt8]) throws -> Void) rethrows {
            if !bytes.isEmpty { try emit(bytes) }
            bytes.removeAll(keepingCapacity: true)
        }
    }

    // MARK: Batsim

    /// Columns: https://batsim.readthedocs.io/en/latest/output-jobs.html; those of
    /// `evalys.jobset.JobSet.columns` and the final state. Times are trace seconds.
    private func writeBatsim(
        _ schedule: Schedule,
        _ pieces: inout Pieces,
        _ emit: ([UInt8]) throws -> Void
    ) rethrows {
        try pieces.add(
            """
            job_id,workload_name,submission_time,requested_number_of_resources,requested_time,\
            success,final_state,starting_time,execution_time,finish_time,waiting_time,\
            turnaround_time,stretch,allocated_resources,requeues

            """,
            emit
        )
        var requeues: [Int: Int] = [:]
        for run in schedule.earlierRuns { requeues[run.job, default: 0] += 1 }
        try ScheduleSweep(schedule).placedRuns { run, nodes in
            guard !run.isRequeued else { return }
            let (index, start, end) = (run.job, run.start, run.end)
            let job = schedule.trace.jobs[index]
            // Batsim's stretch is turnaround over execution; one that takes no time has none.
            let response = end - job.submitted
            let stretch =
                end > start ? "\(Double(response) / Double(end - start))" : ""
            let size = schedule.processorsHeld(by: index) / schedule.processorsPerNode
            try pieces.add(
                """
                \(job.id),log,\(seconds: job.submitted),\(size),\(seconds: job.timeLimit),\
                \(schedule.hasSucceeded(index) ? 1 : 0),\(schedule.finalState(index)),\(seconds: start),\(seconds: end - start),\
                \(seconds: end),\(seconds: start - job.submitted),\(seconds: response),\
                \(stretch),\(nodes),\(requeues[index] ?? 0)\n
                """,
                emit
            )
        }
    }

    // MARK: SWF

    private func writeSWF(
        _ schedule: Schedule,
        _ remark: String,
        _ pieces: inout Pieces,
        _ emit: ([UInt8]) throws -> Void
    ) rethrows {
        let trace = schedule.trace
        let ran = schedule.started.count { $0 >= 0 }
        let computed = ["version", "maxjobs", "maxrecords", "maxprocs", "unixstarttime"]
        try pieces.add("; Version: 2.2\n", emit)
        for (name, value) in trace.header where !computed.contains(name.lowercased()) {
            try pieces.add("; \(name): \(value)\n", emit)
        }
        try pieces.add(
            """
            ; MaxJobs: \(ran)
            ; MaxRecords: \(ran)
            ; MaxProcs: \(schedule.machineProcessors)
            ; UnixStartTime: \(trace.unixStartTime)
            ; Note: waits (field 3) and run times (field 4) are those of a replay: \(remark)

            """,
            emit
        )
        if ran < trace.jobs.count {
            let refused = trace.jobs.count - ran
            try pieces.add("; Note: \(refused) jobs never ran and are left out\n", emit)
        }
        for index in schedule.ranIndices {
            let job = trace.jobs[index]
            let (start, end) = (schedule.started[index], schedule.ended[index])
            // What a replay does not touch stays as it is written: used CPU time and memory (6, 7),
            // requested memory (10), executable (14), preceding job and think time (17, 18).
            let row = trace.rows.isEmpty ? [] : trace.rows.fields(of: index)
            func kept(_ field: Int) -> String {
                row.count < 18 ? "-1" : String(decoding: row[field - 1], as: UTF8.self)
            }
            try pieces.add(
                """
                \(job.id) \(seconds: job.submitted) \(seconds: start - job.submitted) \
                \(seconds: end - start) \(schedule.processorsHeld(by: index)) \(kept(6)) \(kept(7)) \
                \(job.processors) \(seconds: job.timeLimit) \(kept(10)) \
                \(schedule.swfStatus(index)) \(job.user) \(job.group) \(kept(14)) \(job.queue) \
                \(job.partition) \(kept(17)) \(kept(18))\n
                """,
                emit
            )
        }
    }

    // MARK: Chrome

    /// Source: "Trace Event Format", Google, as Perfetto reads it. A run is a complete event (`X`) on
    /// the lane of the lowest node that it holds; processors in use and jobs waiting are
    /// counters. Times are trace time in µs.
    private func writeChrome(
        _ schedule: Schedule,
        _ title: String,
        _ pieces: inout Pieces,
        _ emit: ([UInt8]) throws -> Void
    ) rethrows {
        func quoted(_ text: String) -> String { JSONValue.string(text).compactText }
        try pieces.add(
            """
            {"displayTimeUnit":"ms","traceEvents":[
            {"ph":"M","pid":1,"name":"process_name","args":{"name":\(quoted(title))}},
            {"ph":"M","pid":2,"name":"process_name","args":{"name":"queue and machine"}}
            """,
            emit
        )
        try ScheduleSweep(schedule).placedRuns { run, nodes in
            let (index, start, end) = (run.job, run.start, run.end)
            let job = schedule.trace.jobs[index]
            let remark = run.isRequeued ? ", cut short" : ""
            try pieces.add(
                """
                ,
                {"ph":"X","pid":1,"tid":\(nodes.first.map { Int($0.lowerBound) + 1 } ?? 0),\
                "ts":\(start),"dur":\(end - start),"name":"job \(job.id)\(remark)",\
                "args":{"processors":\(schedule.processorsHeld(by: index)),\
                "submitted_us":\(job.submitted),"wait_us":\(start - job.submitted),\
                "limit_us":\(job.timeLimit),"user":\(job.user),"resources":"\(nodes)"}}
                """,
                emit
            )
        }
        try ScheduleSweep(schedule).moments { moment in
            try pieces.add(
                """
                ,
                {"ph":"C","pid":2,"ts":\(moment.time),"name":"processors in use",\
                "args":{"processors":\(moment.busy)}},
                {"ph":"C","pid":2,"ts":\(moment.time),"name":"jobs waiting",\
                "args":{"jobs":\(moment.waiting)}}
                """,
                emit
            )
        }
        try pieces.add("\n]}\n", emit)
    }
}

extension Schedule {
    /// Whether a job ended at its limit although it would have run longer.
    private func isCutAtLimit(_ index: Int) -> Bool {
        let job = trace.jobs[index]
        return job.runTime > job.timeLimit && ended[index] - started[index] == job.timeLimit
    }

    /// Whether a job ran to its end.
    fileprivate func hasSucceeded(_ index: Int) -> Bool {
        !lost.contains(index) && !cancelled.contains(index) && !isCutAtLimit(index)
    }

    /// How a job ended: as the log says, unless the replay cut it short (0) or cancelled it (5).
    fileprivate func swfStatus(_ index: Int) -> Int {
        if cancelled.contains(index) { return 5 }
        guard hasSucceeded(index) else { return 0 }
        let recorded = Int(trace.jobs[index].status)
        return recorded >= 0 ? recorded : 1
    }

    /// How a job ended, in Batsim's words.
    fileprivate func finalState(_ index: Int) -> String {
        if cancelled.contains(index) { return "COMPLETED_KILLED" }
        if lost.contains(index) { return "COMPLETED_FAILED" }
        return isCutAtLimit(index) ? "COMPLETED_WALLTIME_REACHED" : "COMPLETED_SUCCESSFULLY"
    }
}
