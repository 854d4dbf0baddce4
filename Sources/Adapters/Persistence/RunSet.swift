import IndexSets

/// One run of a job.
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
}

/// Runs of jobs, of years: one bit for each job, and more only for those that ran more than once.
public struct RunSet: Sendable {
    private var firstRuns = IDSet()
    private var others: Set<StoredRun> = []

    /// No runs.
    public init() {}

    /// Puts a run in.
    public mutating func insert(_ run: StoredRun) {
        if let number = Self.bit(of: run) {
            firstRuns.insert(number)
        } else {
            others.insert(run)
        }
    }

    /// Whether a run is in it.
    public func contains(_ run: StoredRun) -> Bool {
        Self.bit(of: run).map(firstRuns.contains) ?? others.contains(run)
    }

    private static func bit(of run: StoredRun) -> Int? {
        run.restart == 0 ? UInt32(exactly: run.job).map(Int.init) : nil
    }
}
