public import JobModel

/// One run of a job, as a row names it.
public struct StoredRun: Hashable, Sendable {
    /// The job's number.
    public var job: Int64
    /// Which of its runs: 0 for the first.
    public var restart: Int64

    /// Names a run.
    public init(job: Int64, restart: Int64) {
        self.job = job
        self.restart = restart
    }

    /// The run of which a record tells.
    public init(_ row: JobRow) {
        self.init(job: Int64(row.jobID), restart: Int64(row.restart))
    }

    /// Whether the run is in a set; never, where no job could have such a number.
    func isIn(_ set: RunSet) -> Bool {
        guard let job = UInt32(exactly: job), let attempt = Int32(exactly: restart) else {
            return false
        }
        return set.contains(JobID(job), attempt: attempt)
    }
}

extension RunSet {
    /// Puts in the run of which a record tells.
    public mutating func insert(_ row: JobRow) {
        insert(JobID(row.jobID), attempt: row.restart)
    }
}
