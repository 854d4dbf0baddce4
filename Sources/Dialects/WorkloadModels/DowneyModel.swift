import Determinism
import WorkloadFormats

/// The workload model of Downey, as rigid jobs.
///
/// A job's work (processor-seconds) and its average parallelism are uniform in their logarithms; with a
/// coefficient σ of the variance of parallelism, Downey's speedup function says how much faster it runs
/// on n processors. A job is given as many processors as its average parallelism. Arrivals are Poisson.
/// Source: Downey, "A Model for Speedup of Parallel Programs", UCB/CSD-97-933, and "A Parallel Workload
/// Model and Its Implications for Processor Allocation", HPDC 1997. The limits of work follow from the
/// load that is asked for; σ is uniform from 0 to 2, as in the paper.
public struct DowneyModel: Sendable {
    /// One seed gives one log.
    public var seed: UInt64
    /// How many jobs.
    public var jobCount: Int
    /// The machine's nodes.
    public var nodeCount: Int
    /// The offered load.
    public var load: Double

    /// Makes a model.
    ///
    /// - Precondition: jobs from 1 to 2³⁰, nodes and load above zero.
    public init(seed: UInt64, jobCount: Int, nodeCount: Int = 128, load: Double = 0.7) {
        precondition((1...(1 << 30)).contains(jobCount) && nodeCount >= 1 && load > 0)
        self.seed = seed
        self.jobCount = jobCount
        self.nodeCount = nodeCount
        self.load = load
    }

    /// ln of the least and the most work (1 s to about 28 hours of 40 nodes). Unit of work: node·s.
    private static let work = 0.0...15.2

    /// The log.
    public func sample() -> WorkloadSample {
        var sizes = SplitMix64(seed: seed, stream: "downey: sizes")
        var works = SplitMix64(seed: seed, stream: "downey: work")
        var spreads = SplitMix64(seed: seed, stream: "downey: spread")
        var jobs = ContiguousArray<TraceJob>()
        jobs.reserveCapacity(jobCount)
        let widest = ReproducibleMath.naturalLog(Double(nodeCount))
        var held = 0.0
        for index in 0..<jobCount {
            let parallelism = ReproducibleMath.exponential(sizes.unit() * widest)
            let span = Self.work.upperBound - Self.work.lowerBound
            let work = ReproducibleMath.exponential(Self.work.lowerBound + works.unit() * span)
            let size = min(Double(nodeCount), max(1, parallelism.rounded()))
            let speedup = Self.speedup(size, parallelism, spreads.unit() * 2)
            let run = max(1, (work / speedup).rounded())
            held += run * size
            jobs.append(
                TraceJob(
                    id: Int64(index + 1),
                    submitted: 0,
                    runTime: Int64(run) * 1_000_000,
                    timeLimit: Int64(run) * 1_000_000,
                    processors: Int32(size),
                    line: Int32(clamping: index + 1),
                    status: 1
                )
            )
        }
        // As far apart as the load needs.
        let between = held / Double(jobCount) / (Double(nodeCount) * load)
        var arrivals = SplitMix64(seed: seed, stream: "downey: arrivals")
        var now = 0.0
        for index in jobs.indices {
            now -= between * ReproducibleMath.naturalLog(arrivals.unit())
            let latest = Double(Trace.instantMaximum / 1_000_000)
            jobs[index].submitted = Int64(min(now, latest)) * 1_000_000
        }
        let header = [
            ("Version", "2.2"), ("Computer", "made up: the model of Downey"),
            (
                "Note",
                "not a recorded log; made by xinghe generate --mix downey --seed \(seed)"
                    + " --jobs \(jobCount) --nodes \(nodeCount) --load \(load)"
            ),
            ("Note", "the model has no estimates: the requested time is the run time"),
            ("UnixStartTime", "0"), ("MaxJobs", "\(jobCount)"), ("MaxRecords", "\(jobCount)"),
            ("MaxNodes", "\(nodeCount)"), ("MaxProcs", "\(nodeCount)"),
        ]
        var sample = WorkloadSample(Trace(generated: jobs, header: header, unixStart: 0))
        let offered = held / (Double(nodeCount) * max(1, now))
        sample.checks = [
            WorkloadCheck(
                "offered load: \(load)",
                offered,
                decimals: 4,
                isMet: abs(offered - load) <= load * 5 / Double(jobCount).squareRoot() + 0.001
            )
        ]
        return sample
    }

    /// How many times faster a job of average parallelism `a` and spread `sigma` runs on `n`
    /// processors: equations 4 and 6 of the report.
    static func speedup(_ n: Double, _ a: Double, _ sigma: Double) -> Double {
        if sigma <= 1 {
            if n <= a { return a * n / (a + sigma * (n - 1) / 2) }
            if n <= 2 * a - 1 { return a * n / (sigma * (a - 0.5) + n * (1 - sigma / 2)) }
            return a
        }
        if n <= a + a * sigma - sigma {
            return n * a * (sigma + 1) / (sigma * (n + a - 1) + a)
        }
        return a
    }
}
