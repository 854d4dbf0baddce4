import Determinism
import WorkloadFormats

/// The workload model of Lublin and Feitelson.
///
/// Sizes are two-stage uniform in log₂, with extra serial jobs and powers of two; run times are
/// hyper-gamma in ln, and longer for larger jobs; arrivals are gamma in ln and follow a daily cycle that
/// is a gamma distribution over half hours.
/// Source: Lublin and Feitelson, "The Workload on Parallel Supercomputers: Modeling the Characteristics
/// of Rigid Jobs", Tech. Rep. 2001-12, Hebrew University, and JPDC 63 (2003); constants as in the
/// program that its authors published with it in the Parallel Workloads Archive.
public struct LublinModel: Sendable {
    /// Which jobs.
    public enum Types: String, Hashable, Sendable, CaseIterable {
        /// One set of constants for all jobs.
        case all
        /// Batch jobs alone.
        case batch
        /// Interactive jobs alone.
        case interactive
        /// Both, each with its own constants and arrivals.
        case both
    }

    /// The constants of one type of jobs.
    struct Constants: Sendable {
        var serialShare: Double
        var powerOfTwoShare: Double
        /// Of the two-stage uniform distribution: log₂ of the smallest parallel size, and the share of
        /// the first stage.
        var low: Double
        var firstStageShare: Double
        /// Of the hyper-gamma distribution of ln(run time): two gammas, and the share of the first as
        /// a line over the size.
        var first: (shape: Double, scale: Double)
        var second: (shape: Double, scale: Double)
        var firstSlope: Double
        var firstOffset: Double
        /// Of ln(time between arrivals) in the rush hours, corrected for the whole day.
        var arrivals: (shape: Double, scale: Double)
        /// Of the daily cycle over half hours.
        var cycle: (shape: Double, scale: Double)
    }

    static let all = Constants(
        serialShare: 0.244,
        powerOfTwoShare: 0.576,
        low: 0.8,
        firstStageShare: 0.86,
        first: (4.2, 0.94),
        second: (312, 0.03),
        firstSlope: -0.0054,
        firstOffset: 0.78,
        arrivals: (10.2303 * 1.0225, 0.4871),
        cycle: (8.1737, 3.9631)
    )
    static let batch = Constants(
        serialShare: 0.2927,
        powerOfTwoShare: 0.6686,
        low: 1.2,
        firstStageShare: 0.875,
        first: (6.57, 0.823),
        second: (639.1, 0.0156),
        firstSlope: -0.003,
        firstOffset: 0.6986,
        arrivals: (6.0415 * 1.0519, 0.8531),
        cycle: (6.1271, 5.2740)
    )
    static let interactive = Constants(
        serialShare: 0.1541,
        powerOfTwoShare: 0.625,
        low: 1,
        firstStageShare: 0.705,
        first: (3.8351, 0.6605),
        second: (7.073, 0.6856),
        firstSlope: -0.0118,
        firstOffset: 0.9156,
        arrivals: (6.5510 * 0.9797, 0.6621),
        cycle: (8.9186, 3.6680)
    )

    /// One seed gives one log.
    public var seed: UInt64
    /// How many jobs.
    public var jobCount: Int
    /// The machine's nodes, at least 8.
    public var nodeCount: Int
    /// Which jobs.
    public var types: Types

    /// Makes a model.
    ///
    /// - Precondition: at least 8 nodes; jobs from 1 to 2³⁰.
    public init(seed: UInt64, jobCount: Int, nodeCount: Int = 128, types: Types = .all) {
        precondition(nodeCount >= 8 && (1...(1 << 30)).contains(jobCount))
        self.seed = seed
        self.jobCount = jobCount
        self.nodeCount = nodeCount
        self.types = types
    }

    /// ln of the longest run time (two days) and of the longest time between arrivals (five).
    private static let runMaximum = 12.0
    private static let arrivalMaximum = 13.0

    /// The log: queue 1 is batch, 0 interactive or neither.
    public func sample() -> WorkloadSample {
        var streams: [(queue: Int32, jobs: LublinStream)] =
            switch types {
            case .all: [(0, LublinStream(Self.all, seed))]
            case .batch: [(1, LublinStream(Self.batch, seed))]
            case .interactive: [(0, LublinStream(Self.interactive, seed))]
            case .both:
                // As published: an interactive job goes first at equal times.
                [
                    (0, LublinStream(Self.interactive, seed)),
                    (1, LublinStream(Self.batch, seed &+ 1)),
                ]
            }
        var jobs = ContiguousArray<TraceJob>()
        jobs.reserveCapacity(jobCount)
        while jobs.count < jobCount {
            let next = streams.indices.min { streams[$0].jobs.next < streams[$1].jobs.next } ?? 0
            let submitted = Int64(streams[next].jobs.next)
            let size = streams[next].jobs.size(nodeCount)
            let run = streams[next].jobs.run(size, Self.runMaximum)
            streams[next].jobs.advance(Self.arrivalMaximum)
            jobs.append(
                TraceJob(
                    id: Int64(jobs.count + 1),
                    submitted: submitted * 1_000_000,
                    runTime: run * 1_000_000,
                    timeLimit: run * 1_000_000,
                    processors: size,
                    line: Int32(clamping: jobs.count + 1),
                    queue: streams[next].queue,
                    status: 1
                )
            )
        }
        let header = [
            ("Version", "2.2"), ("Computer", "made up: the model of Lublin and Feitelson"),
            (
                "Note",
                "not a recorded log; made by xinghe generate --mix lublin --types \(types.rawValue)"
                    + " --seed \(seed) --jobs \(jobCount) --nodes \(nodeCount)"
            ),
            ("Note", "the model has no estimates: the requested time is the run time"),
            ("UnixStartTime", "0"), ("MaxJobs", "\(jobCount)"), ("MaxRecords", "\(jobCount)"),
            ("MaxNodes", "\(nodeCount)"), ("MaxProcs", "\(nodeCount)"),
        ]
        var sample = WorkloadSample(Trace(generated: jobs, header: header, unixStart: 0))
        sample.checks = checks(sample.trace)
        return sample
    }

    private func checks(_ trace: Trace) -> [WorkloadCheck] {
        let count = Double(trace.jobs.count)
        let serial = Double(trace.jobs.count { $0.processors == 1 }) / count
        let power = Double(trace.jobs.count { $0.processors & ($0.processors - 1) == 0 }) / count
        let logs = trace.jobs.reduce(0.0) {
            $0 + ReproducibleMath.naturalLog(Double(max(1, $1.runTime / 1_000_000)))
        }
        var list: [WorkloadCheck] = []
        if let constants = [
            Types.all: Self.all, .batch: Self.batch, .interactive: Self.interactive,
        ][types] {
            // Three standard errors of a share.
            let error =
                3 * (constants.serialShare * (1 - constants.serialShare) / count).squareRoot()
            list.append(
                WorkloadCheck(
                    "share of serial jobs: \(constants.serialShare)",
                    serial,
                    decimals: 4,
                    isMet: abs(serial - constants.serialShare) <= error + 0.001
                )
            )
        }
        return list + [
            WorkloadCheck("share of sizes that are powers of two", power, decimals: 4),
            WorkloadCheck("mean of ln(run time in s)", logs / count, decimals: 3),
            WorkloadCheck(
                "jobs a day",
                count / max(1, Double(trace.jobs[trace.jobs.count - 1].submitted) / 86_400e6),
                decimals: 1
            ),
        ]
    }
}

/// Jobs of one type, one after another.
private struct LublinStream {
    private static let bucketCount = 48
    private static let bucketSeconds = 1_800.0

    private let constants: LublinModel.Constants
    /// What a bucket of half an hour costs; 1 on average.
    private let weights: [Double]
    private var arrivals: SplitMix64
    private var sizes: SplitMix64
    private var runs: SplitMix64
    private var bucket = 0
    private var points = 0.0
    private var reminder = 0.0
    /// When the next job arrives. Unit: s.
    private(set) var next = 0.0

    init(_ constants: LublinModel.Constants, _ seed: UInt64) {
        self.constants = constants
        arrivals = SplitMix64(seed: seed, stream: "lublin: arrivals")
        sizes = SplitMix64(seed: seed, stream: "lublin: sizes")
        runs = SplitMix64(seed: seed, stream: "lublin: runs")
        // The published day begins at half hour 11 of the cycle.
        var weights = [Double](repeating: 0, count: Self.bucketCount)
        func share(_ x: Double) -> Double {
            Distributions.gammaShare(
                below: x,
                shape: constants.cycle.shape,
                scale: constants.cycle.scale
            )
        }
        for place in 11..<(11 + Self.bucketCount) {
            weights[(place - 1) % Self.bucketCount] =
                share(Double(place) + 0.5) - share(Double(place) - 0.5)
        }
        let mean = weights.reduce(0, +) / Double(Self.bucketCount)
        self.weights = weights.map { $0 / mean }
        advance(13)
    }

    /// Goes on to the next arrival: a time between arrivals of the rush hours, paid for by the buckets
    /// that it passes.
    mutating func advance(_ maximum: Double) {
        var logarithm = maximum + 1
        while logarithm > maximum {
            logarithm = arrivals.gamma(
                shape: constants.arrivals.shape,
                scale: constants.arrivals.scale
            )
        }
        points += ReproducibleMath.exponential(logarithm) / Self.bucketSeconds
        while points > weights[bucket] {
            points -= weights[bucket]
            bucket = (bucket + 1) % Self.bucketCount
            next += Self.bucketSeconds
        }
        let rest = points / weights[bucket]
        next += Self.bucketSeconds * (rest - reminder)
        reminder = rest
    }

    mutating func size(_ nodeCount: Int) -> Int32 {
        let place = sizes.unit()
        guard place > constants.serialShare else { return 1 }
        let high = ReproducibleMath.log2(Double(nodeCount))
        let middle = max(constants.low, high - 2.5)
        let isFirst = sizes.unit() <= constants.firstStageShare
        let share = sizes.unit()
        var logarithm =
            isFirst
            ? constants.low + share * (middle - constants.low) : middle + share * (high - middle)
        if place <= constants.serialShare + constants.powerOfTwoShare {
            logarithm = logarithm.rounded()
        }
        let size = ReproducibleMath.power(2, logarithm).rounded()
        return Int32(min(max(1, size), Double(nodeCount)))
    }

    /// Unit: s.
    mutating func run(_ size: Int32, _ maximum: Double) -> Int64 {
        let share = min(max(0, constants.firstSlope * Double(size) + constants.firstOffset), 1)
        var logarithm = maximum + 1
        while logarithm > maximum {
            let parts = runs.unit() <= share ? constants.first : constants.second
            logarithm = runs.gamma(shape: parts.shape, scale: parts.scale)
        }
        return max(1, Int64(ReproducibleMath.exponential(logarithm)))
    }
}
