import IndexSets

/// Runs of jobs, of years: one bit for each job, and more only for those that ran more than once.
///
/// The bits are cut into blocks, so that a copy shares all blocks that are not changed later.
public struct RunSet: Sendable, Codable {
    private struct LaterRun: Hashable, Sendable, Codable {
        var job: JobID
        var attempt: Int32
    }

    private static let blockSize = 65_536

    /// First runs, by number of the job.
    private var blocks: [IDSet] = []
    private var others: Set<LaterRun> = []

    /// No runs.
    public init() {}

    /// Puts a run in: the first of a job is attempt 0.
    public mutating func insert(_ job: JobID, attempt: Int32) {
        guard attempt == 0 else {
            others.insert(LaterRun(job: job, attempt: attempt))
            return
        }
        let number = Int(job.number)
        while blocks.count <= number / Self.blockSize { blocks.append(IDSet()) }
        blocks[number / Self.blockSize].insert(number % Self.blockSize)
    }

    /// Whether a run is in it.
    public func contains(_ job: JobID, attempt: Int32) -> Bool {
        guard attempt == 0 else { return others.contains(LaterRun(job: job, attempt: attempt)) }
        let number = Int(job.number)
        return number / Self.blockSize < blocks.count
            && blocks[number / Self.blockSize].contains(number % Self.blockSize)
    }
}
