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
    ///
    /// What is no regular file (a pipe, a device) is written to directly.
    func write(to path: String) throws {
        var status = stat()
        let isRegular = stat(path, &status) != 0 || status.st_mode & S_IFMT == S_IFREG
        let target = isRegular ? "\(path).part" : path
        guard let file = fopen(target, "w") else { throw failure(path) }
        let isWritten = writeRows(to: file)
        let isClosed = fclose(file) == 0
        let isWhole = isWritten && isClosed
        guard isRegular else {
            guard isWhole else { throw failure(path) }
            return
        }
        guard isWhole, rename(target, path) == 0 else {
            let problem = failure(path)
            unlink(target)
            throw problem
        }
    }

    private func writeRows(to file: UnsafeMutablePointer<FILE>) -> Bool {
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
        return isWritten
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
