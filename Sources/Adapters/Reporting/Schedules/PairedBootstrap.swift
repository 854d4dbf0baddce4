import Determinism
import WorkloadFormats

/// A difference of two means, and how sure it is.
public struct PairedDifference: Hashable, Sendable {
    /// The mean difference over all jobs.
    public var mean: Double
    /// The 95 % interval, from the 2.5th to the 97.5th percentile of the resampled means.
    public var low: Double
    /// See `low`.
    public var high: Double
}

/// Confidence intervals of differences between two schedules of the same jobs.
///
/// Waits of neighbours in a queue hang together, so jobs are not drawn one by one but in blocks:
/// the moving-block bootstrap, over the differences of each job under the two policies, in the
/// order of submission. A block is ⌈√n⌉ jobs long.
/// Source: Künsch, "The Jackknife and the Bootstrap for General Stationary Observations", Annals
/// of Statistics 17 (1989).
public struct PairedBootstrap: Hashable, Sendable {
    /// How often the jobs are drawn anew.
    public static let resampleCount = 1_000

    private let seed: UInt64

    /// Makes a bootstrap; the same seed gives the same intervals.
    public init(seed: UInt64) {
        self.seed = seed
    }

    /// What reports say about the method; files for programs always say it in English.
    func method(in words: ReportLanguage = .english) -> String {
        words(
            "平均成对差的 95 % 区间，移动分块自助法（块长 ⌈√作业数⌉，重抽样 \(Self.resampleCount) 次，种子 \(seed)）",
            "95 % interval of the mean paired difference by moving-block bootstrap "
                + "(block ⌈√jobs⌉, \(Self.resampleCount) resamples, seed \(seed))"
        )
    }

    /// The mean of `differences`, in the order of submission, with its interval; nil without any.
    ///
    /// - Complexity: O(n + resamples · √n).
    public func interval(of differences: [Double]) -> PairedDifference? {
        guard !differences.isEmpty else { return nil }
        let count = differences.count
        var sums = [0.0]
        sums.reserveCapacity(count + 1)
        for difference in differences { sums.append(sums[sums.count - 1] + difference) }
        let length = min(count, Int(Double(count).squareRoot().rounded(.up)))
        var random = SplitMix64(seed: seed)
        var means: [Double] = []
        for _ in 0..<Self.resampleCount {
            var sum = 0.0
            var left = count
            while left > 0 {
                let size = min(length, left)
                let start = Int(random.below(UInt64(count - length + 1)))
                sum += sums[start + size] - sums[start]
                left -= size
            }
            means.append(sum / Double(count))
        }
        means.sort()
        return PairedDifference(
            mean: sums[count] / Double(count),
            low: means[Self.resampleCount * 25 / 1_000],
            high: means[Self.resampleCount * 975 / 1_000 - 1]
        )
    }
}

/// How each job fared under one policy minus how it fared under another.
public struct PairedDifferences: Sendable {
    /// Differences of waits, in the order of submission. Unit: s.
    public let waits: [Double]
    /// Differences of bounded slowdowns.
    public let slowdowns: [Double]

    /// Compares two schedules of one trace; jobs that did not run under both are left out.
    ///
    /// - Precondition: both are of the same jobs.
    public init(_ schedule: Schedule, _ base: Schedule, window: ClosedRange<Int64>?) {
        precondition(schedule.started.count == base.started.count)
        let places = Self.places(schedule, base)
        var waits: [Double] = []
        var slowdowns: [Double] = []
        for index in schedule.ranIndices {
            let other = places?[index] ?? index
            guard base.started[other] >= 0 else { continue }
            let job = schedule.trace.jobs[index]
            guard window?.contains(job.submitted) ?? true else { continue }
            let wait = schedule.started[index] - job.submitted
            let otherWait = base.started[other] - base.trace.jobs[other].submitted
            waits.append(Double(wait - otherWait) / 1e6)
            slowdowns.append(
                schedule.boundedSlowdown(index) - base.boundedSlowdown(other)
            )
        }
        self.waits = waits
        self.slowdowns = slowdowns
    }

    /// Where the jobs of one schedule are in the other; nil where both have one order, as they do
    /// unless jobs are submitted when others have ended.
    private static func places(_ schedule: Schedule, _ base: Schedule) -> [Int]? {
        let (jobs, others) = (schedule.trace.jobs, base.trace.jobs)
        guard zip(jobs, others).contains(where: { $0.id != $1.id }) else { return nil }
        let byID = Dictionary(others.enumerated().map { ($1.id, $0) }) { first, _ in first }
        return jobs.map { job in
            guard let place = byID[job.id] else {
                preconditionFailure("job \(job.id) is in both schedules")
            }
            return place
        }
    }
}

extension Schedule {
    fileprivate func boundedSlowdown(_ index: Int) -> Double {
        ScheduleMetrics.boundedSlowdown(
            response: ended[index] - trace.jobs[index].submitted,
            run: ended[index] - started[index]
        )
    }
}
