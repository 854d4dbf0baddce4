/// A job of a finished schedule. Times are trace time in µs.
public struct ScheduledJob: Hashable, Sendable {
    /// When it was submitted.
    public var submitted: Int64
    /// When it started.
    public var started: Int64
    /// When it ended.
    public var ended: Int64
    /// The processors that it held.
    public var processors: Int64

    /// Makes a job.
    public init(submitted: Int64, started: Int64, ended: Int64, processors: Int64) {
        self.submitted = submitted
        self.started = started
        self.ended = ended
        self.processors = processors
    }
}

/// How good a schedule is. Every measure of the project is defined here, once.
///
/// Means are exact sums divided once. Source of the slowdowns: Feitelson, "Metrics for Parallel Job
/// Scheduling and Their Convergence", JSSPP 2001; per-processor: Zotkin and Keleher, HPDC 1999.
public struct ScheduleMetrics: Hashable, Sendable {
    /// Jobs that ran.
    public var jobCount: Int
    /// `start − submit`, mean. Unit: s.
    public var waitMean: Double
    /// Half of the jobs wait at most this long. Unit: s.
    public var waitMedian: Double
    /// 95 % of the jobs wait at most this long (nearest rank). Unit: s.
    public var waitP95: Double
    /// The longest wait. Unit: s.
    public var waitMaximum: Double
    /// `end − submit`, mean. Unit: s.
    public var responseMean: Double
    /// `max(1, (wait + run) / max(run, 10 s))`, mean.
    public var boundedSlowdownMean: Double
    /// `max(1, (wait + run) / (processors · max(run, 10 s)))`, mean.
    public var perProcessorSlowdownMean: Double
    /// Σ processors · run / (machine · makespan); 1 is a full machine.
    public var utilisation: Double
    /// Last end − first submission. Unit: s.
    public var makespan: Double

    /// The threshold of the bounded slowdowns. Unit: µs.
    private static let threshold: Int64 = 10_000_000

    /// Measures a schedule on a machine of `machineProcessors`.
    public init(_ jobs: [ScheduledJob], machineProcessors: Int64) {
        var waits: [Int64] = []
        waits.reserveCapacity(jobs.count)
        var waitSum: Int128 = 0
        var responseSum: Int128 = 0
        var work: Int128 = 0
        var slowdownSum = 0.0
        var perProcessorSum = 0.0
        var firstSubmission = Int64.max
        var lastEnd = Int64.min
        for job in jobs {
            let wait = job.started - job.submitted
            let response = job.ended - job.submitted
            let run = job.ended - job.started
            waits.append(wait)
            waitSum += Int128(wait)
            responseSum += Int128(response)
            work += Int128(job.processors) * Int128(run)
            let bound = Double(max(run, Self.threshold))
            slowdownSum += max(1, Double(response) / bound)
            perProcessorSum += max(1, Double(response) / (bound * Double(job.processors)))
            firstSubmission = min(firstSubmission, job.submitted)
            lastEnd = max(lastEnd, job.ended)
        }
        waits.sort()
        let count = Double(max(1, jobs.count))
        jobCount = jobs.count
        waitMean = Double(waitSum) / 1e6 / count
        waitMedian = Self.quantile(waits, 50)
        waitP95 = Self.quantile(waits, 95)
        waitMaximum = Double(waits.last ?? 0) / 1e6
        responseMean = Double(responseSum) / 1e6 / count
        boundedSlowdownMean = slowdownSum / count
        perProcessorSlowdownMean = perProcessorSum / count
        let span = jobs.isEmpty ? 0 : lastEnd - firstSubmission
        makespan = Double(span) / 1e6
        let capacity = Double(machineProcessors) * Double(span)
        utilisation = capacity > 0 ? Double(work) / capacity : 0
    }

    /// The nearest-rank quantile of sorted values in µs. Unit: s.
    private static func quantile(_ sorted: [Int64], _ percent: Int) -> Double {
        guard !sorted.isEmpty else { return 0 }
        let rank = (sorted.count * percent + 99) / 100
        return Double(sorted[max(0, rank - 1)]) / 1e6
    }
}
