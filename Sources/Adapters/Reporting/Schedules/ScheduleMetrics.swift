import WireFormats
import WorkloadFormats

/// How good a schedule is. Every measure of the project is defined here, once.
///
/// Sums are exact integers, divided once; slowdowns are sums of quotients. With a `Trim`, the jobs
/// submitted in its window count, and utilisation, queue and loss of capacity are those of the
/// window; without, of the time from the first submission to the last end.
/// Sources: Feitelson, "Metrics for Parallel Job Scheduling and Their Convergence", JSSPP 2001;
/// per-processor: Zotkin and Keleher, HPDC 1999; loss of capacity: Zhang, Franke, Moreira and
/// Sivasubramaniam, JSSPP 2001; fairness: Jain, Chiu and Hawe, DEC-TR-301, 1984; fair
/// starts: Sabin, Kochhar and Sadayappan, ICPP 2004.
///
/// What a replay in which nothing ran would have is no number: null in JSON, a dash in tables.
public struct ScheduleMetrics: Hashable, Sendable {
    /// Jobs that count.
    public private(set) var jobCount = 0
    /// `start − submit`, mean. Unit: s.
    public private(set) var waitMean = Double.nan
    /// Half of the jobs wait at most this long (nearest rank). Unit: s.
    public private(set) var waitMedian = Double.nan
    /// 95 % of the jobs wait at most this long (nearest rank). Unit: s.
    public private(set) var waitP95 = Double.nan
    /// The longest wait. Unit: s.
    public private(set) var waitMaximum = Double.nan
    /// `end − submit`, mean. Unit: s.
    public private(set) var responseMean = Double.nan
    /// `max(1, (wait + run) / max(run, 10 s))`, mean.
    public private(set) var boundedSlowdownMean = Double.nan
    /// `max(1, (wait + run) / (processors · max(run, 10 s)))`, mean.
    public private(set) var perProcessorSlowdownMean = Double.nan
    /// ∫ processors in use dt / (machine · time); 1 is a full machine.
    public private(set) var utilisation = Double.nan
    /// Last end − first submission, of all jobs. Unit: s.
    public private(set) var makespan = Double.nan
    /// Jobs that wait, averaged over time: ∫ waiting jobs dt / time.
    public private(set) var queueMean = Double.nan
    /// Jobs that count per hour of the time.
    public private(set) var throughputPerHour = Double.nan
    /// Jain's index over users: (Σ x)² / (n · Σ x²), x a user's mean bounded slowdown; 1 when all
    /// users fare alike, 1/n when one has it all. Nil when the log names no users.
    public private(set) var userFairness: Double?
    /// The share of the machine that idles while jobs wait: ∫ idle · [a job waits] dt /
    /// (machine · time). Nil when it was not asked for.
    public private(set) var lossOfCapacity: Double?

    /// Who was overtaken by later ones. Nil when it was not asked for.
    public private(set) var fairStarts: FairStartSummary?

    /// The threshold of the bounded slowdowns. Unit: µs.
    static let threshold: Int64 = 10_000_000

    /// Measures a schedule.
    ///
    /// - Parameters:
    ///   - window: the submissions that count, from `Trim`; nil for all.
    ///   - withLossOfCapacity: whether to sweep over all starts and ends as well.
    /// - Complexity: O(jobs); with loss of capacity O(jobs · log jobs).
    public init(
        _ schedule: Schedule,
        window: ClosedRange<Int64>? = nil,
        withLossOfCapacity: Bool = false
    ) {
        guard let span = schedule.span else { return }
        var sums = JobSums(jobCount: schedule.trace.jobs.count)
        let time = window ?? span
        sums.add(schedule, window: window, time: time)
        let seconds = Double(time.upperBound - time.lowerBound) / 1e6
        let capacity = Double(schedule.machineProcessors) * seconds
        makespan = Double(span.upperBound - span.lowerBound) / 1e6
        utilisation = capacity > 0 ? Double(sums.work) / 1e6 / capacity : 0
        queueMean = seconds > 0 ? Double(sums.queued) / 1e6 / seconds : 0
        if withLossOfCapacity, capacity > 0 {
            let idle = idleWhileWaiting(schedule, in: time)
            lossOfCapacity = Double(idle) / 1e6 / capacity
        }
        jobCount = sums.waits.count
        guard jobCount > 0 else { return }
        let count = Double(jobCount)
        throughputPerHour = seconds > 0 ? count / seconds * 3_600 : 0
        waitMean = Double(sums.wait) / 1e6 / count
        responseMean = Double(sums.response) / 1e6 / count
        boundedSlowdownMean = sums.slowdown / count
        perProcessorSlowdownMean = sums.perProcessorSlowdown / count
        userFairness = sums.users.fairness
        if schedule.fairStarts != nil {
            fairStarts = FairStartSummary(
                misses: Double(sums.fairStartMisses) / count,
                missMean: Double(sums.fairStartMiss) / 1e6 / count
            )
        }
        let ranks = [50, 95].map { max(0, (jobCount * $0 + 99) / 100 - 1) }
        let quantiles = sums.waits.withUnsafeMutableBufferPointer { selected(ranks, of: $0) }
        waitMedian = Double(quantiles[0]) / 1e6
        waitP95 = Double(quantiles[1]) / 1e6
        waitMaximum = Double(sums.waitMaximum) / 1e6
    }

    /// `max(1, response / max(run, 10 s))`; times in µs.
    @inline(__always)
    static func boundedSlowdown(response: Int64, run: Int64) -> Double {
        max(1, Double(response) / Double(max(run, threshold)))
    }
}

/// How many jobs start later than if nobody had come after them.
public struct FairStartSummary: Hashable, Sendable {
    /// The share of the jobs that do.
    public let misses: Double
    /// How much later, over all jobs: Σ max(0, start − fair start) / jobs. Unit: s.
    public let missMean: Double

    var missesText: String { NumberText.fixed(misses * 100, 2) }
    var missMeanText: String { NumberText.fixed(missMean, 1) }
    var members: [JSONValue.Member] {
        [
            .init("fair_start_misses", .number(misses)),
            .init("fair_start_miss_mean_s", .number(missMean)),
        ]
    }
}

/// The sums behind the measures, made in one go over the jobs.
private struct JobSums {
    var waits: [Int64] = []
    var wait: Int128 = 0
    var response: Int128 = 0
    var work: Int128 = 0
    var queued: Int128 = 0
    var slowdown = 0.0
    var perProcessorSlowdown = 0.0
    var waitMaximum: Int64 = 0
    var fairStartMisses = 0
    var fairStartMiss: Int128 = 0
    var users = UserSums()

    init(jobCount: Int) {
        waits.reserveCapacity(jobCount)
    }

    mutating func add(_ schedule: Schedule, window: ClosedRange<Int64>?, time: ClosedRange<Int64>) {
        for (index, job) in schedule.trace.jobs.enumerated() {
            let start = schedule.started[index]
            guard start >= 0 else { continue }
            let end = schedule.ended[index]
            let processors = schedule.processorsHeld(by: index)
            if let window {
                work += Int128(processors) * Int128(time.overlap(start, end))
                queued += Int128(time.overlap(job.submitted, start))
                guard window.contains(job.submitted) else { continue }
            } else {
                work += Int128(processors) * Int128(end - start)
                queued += Int128(start - job.submitted)
            }
            if let fairStart = schedule.fairStarts?[index], fairStart >= 0, start > fairStart {
                fairStartMisses += 1
                fairStartMiss += Int128(start - fairStart)
            }
            let wait = start - job.submitted
            let response = end - job.submitted
            let run = end - start
            waits.append(wait)
            waitMaximum = max(waitMaximum, wait)
            self.wait += Int128(wait)
            self.response += Int128(response)
            let bounded = ScheduleMetrics.boundedSlowdown(response: response, run: run)
            let bound = Double(max(run, ScheduleMetrics.threshold))
            slowdown += bounded
            perProcessorSlowdown += max(1, Double(response) / (bound * Double(processors)))
            users.add(job.user, bounded)
        }
        for run in schedule.earlierRuns where schedule.started[run.job] >= 0 {
            let length = window == nil ? run.end - run.start : time.overlap(run.start, run.end)
            work += Int128(schedule.processorsHeld(by: run.job)) * Int128(length)
            queued -= Int128(length)
        }
    }
}

extension ClosedRange<Int64> {
    /// How much of `start..<end` lies in it.
    @inline(__always)
    func overlap(_ start: Int64, _ end: Int64) -> Int64 {
        Swift.max(0, Swift.min(end, upperBound) - Swift.max(start, lowerBound))
    }
}

/// Sums of slowdowns by user.
private struct UserSums {
    /// Users with smaller numbers have a place in an array, others in a dictionary.
    private static let denseCount = 1 << 16
    private var dense: [(sum: Double, count: Int)] = []
    private var sparse: [Int32: (sum: Double, count: Int)] = [:]

    @inline(__always)
    mutating func add(_ user: Int32, _ slowdown: Double) {
        guard user >= 0 else { return }
        guard user < Self.denseCount else {
            sparse[user, default: (0, 0)].sum += slowdown
            sparse[user, default: (0, 0)].count += 1
            return
        }
        let place = Int(user)
        if place >= dense.count {
            dense += Array(repeating: (0, 0), count: place + 1 - dense.count)
        }
        dense[place].sum += slowdown
        dense[place].count += 1
    }

    /// Jain's index over the users' means; nil without users.
    var fairness: Double? {
        // In the order of the numbers: the sum of doubles depends on it.
        let rest = sparse.keys.sorted().compactMap { sparse[$0] }
        let means = (dense + rest).filter { $0.count > 0 }.map { $0.sum / Double($0.count) }
        guard !means.isEmpty else { return nil }
        let sum = means.reduce(0, +)
        let squares = means.reduce(0) { $0 + $1 * $1 }
        return sum * sum / (Double(means.count) * squares)
    }
}

/// The elements that sorting would bring to `ranks`, found without sorting.
///
/// Quickselect with three-way parts (many waits are equal) and the median of three as pivot.
/// - Precondition: `ranks` rise and are positions of `values`.
func selected(_ ranks: [Int], of values: UnsafeMutableBufferPointer<Int64>) -> [Int64] {
    var floor = 0
    return ranks.map { rank in
        var (low, high) = (floor, values.count - 1)
        while low < high {
            let pivot = medianOfThree(values[low], values[low + (high - low) / 2], values[high])
            var (below, above, cursor) = (low, high, low)
            while cursor <= above {
                let value = values[cursor]
                if value < pivot {
                    values.swapAt(cursor, below)
                    below += 1
                    cursor += 1
                } else if value > pivot {
                    values.swapAt(cursor, above)
                    above -= 1
                } else {
                    cursor += 1
                }
            }
            if rank < below {
                high = below - 1
            } else if rank > above {
                low = above + 1
            } else {
                low = rank
                high = rank
            }
        }
        floor = rank
        return values[rank]
    }
}

private func medianOfThree(_ a: Int64, _ b: Int64, _ c: Int64) -> Int64 {
    max(min(a, b), min(max(a, b), c))
}
