import Glibc
import ReplayRuntime
import Reporting
import WorkloadFormats

/// The schedule of a replay, one row a job, by job number.
struct JobsCSV {
    private let trace: Trace
    private let result: ReplayResult

    init(_ trace: Trace, _ result: ReplayResult) {
        self.trace = trace
        self.result = result
    }

    /// Writes the file, whole or not at all. Times are trace seconds; refused jobs have no row.
    func write(to path: String) throws {
        let scratch = "\(path).part"
        guard let file = fopen(scratch, "w") else { throw failure(path) }
        var buffer = Array("job_id,submit,start,end,processors,wait,state\n".utf8)
        var isWritten = true
        func flush() {
            isWritten = isWritten && fwrite(buffer, 1, buffer.count, file) == buffer.count
            buffer.removeAll(keepingCapacity: true)
        }
        let order = trace.jobs.indices.sorted { trace.jobs[$0].id < trace.jobs[$1].id }
        for index in order where result.started[index] >= 0 {
            append(index, to: &buffer)
            if buffer.count > 1 << 20 { flush() }
        }
        flush()
        guard fclose(file) == 0, isWritten, rename(scratch, path) == 0 else {
            let problem = failure(path)
            unlink(scratch)
            throw problem
        }
    }

    private func append(_ index: Int, to buffer: inout [UInt8]) {
        let job = trace.jobs[index]
        let start = result.started[index]
        let end = result.ended[index]
        let isTimeout = job.runTime > job.timeLimit && end - start == job.timeLimit
        let seconds = NumberText.seconds(microseconds:)
        buffer += Array(
            """
            \(job.id),\(seconds(job.submitted)),\(seconds(start)),\(seconds(end)),\
            \(job.processors),\(seconds(start - job.submitted)),\
            \(isTimeout ? "TIMEOUT" : "COMPLETED")\n
            """.utf8
        )
    }

    private func failure(_ path: String) -> Refusal {
        Refusal("\(path): \(String(cString: strerror(errno)))")
    }
}
