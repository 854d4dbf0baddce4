import Determinism
import WorkloadFormats

// A year of Tianjin's load. What is modelled, and where each number comes from ("assumed" where nobody
// published one):
//
// machine     the 7,168 nodes of Tianhe-1A and the 6,144 of the second platform as 13,312 equal
//             nodes, given whole: a processor of the log is a node
// rate        20,000 jobs a day (the centre's "more than 20,000 online tasks a day")
// classes     T1 gene, sweep, evaluation; T2 CAE, molecular dynamics, materials; T3 weather, seismic;
//             T4 capability. The AI classes run on the centre's cards, not on these nodes; their
//             7.7 % of the jobs are counted to T1, the many small ones, so that the rate holds.
//             A T1 job asks for a quarter of a node and holds a whole one, as on Tianhe.
// run times   log-normal; medians and sigmas assumed so that the load is about two thirds
// days        three peaks a day are published (Feng et al., ACA 2018: Tianhe-1A, 2016-2017); their
//             hours (10, 15 and 21) and the weekend's factor 0.6 are assumed
// users       4,000-10,000 tenants, Zipf 1.0-1.2: here 6,000 and 1.1. Two thirds of the jobs come
//             from Beijing, Tianjin and Hebei (group 1), the others from 27 provinces (groups 2-28)
// sessions    within 8 hours 86 % of a user's jobs have the size of the one before, nearly 40 %
//             nearly its run time (same study)
// estimates   `EstimateModel`; the maximum of 48 hours is assumed
// states      completed, cancelled, failed as .86, .04, .10 (CPU jobs of Seren and Kalos, 2023)
//
// One seed gives one log on any machine: every draw is an integer of SplitMix64, and floating point
// only fills tables that are rounded to integers before the first draw.

/// The load of a centre like the one in Tianjin, for a machine of any size.
public struct TianjinMix: Sendable {
    /// The nodes that the numbers of jobs and nodes below are for.
    public static let publishedNodeCount = 13_312
    /// Jobs a day on so many nodes.
    public static let publishedJobsPerDay = 20_000

    /// One seed gives one log.
    public var seed: UInt64
    /// How long. Unit: days.
    public var days: Int
    /// How many jobs.
    public var jobCount: Int
    /// The machine's nodes, given whole. On fewer than the published, jobs are as much narrower.
    public var nodeCount: Int

    /// Makes a mix.
    ///
    /// - Parameter jobCount: nil for as many as the nodes get in so many days.
    /// - Precondition: all are above zero; `days` at most 3,650, jobs at most 2³⁰.
    public init(
        seed: UInt64,
        days: Int,
        jobCount: Int? = nil,
        nodeCount: Int = Self.publishedNodeCount
    ) {
        precondition((1...3_650).contains(days) && nodeCount >= 1)
        let rate = Self.publishedJobsPerDay * nodeCount / Self.publishedNodeCount
        let jobCount = jobCount ?? max(1, rate * days)
        precondition((1...(1 << 30)).contains(jobCount))
        self.seed = seed
        self.days = days
        self.jobCount = jobCount
        self.nodeCount = nodeCount
    }

    /// 2026-01-01 00:00 in Tianjin (UTC+8), a Thursday. Unit: s since 1970.
    static let unixStart: Int64 = 1_767_196_800
    private static let firstWeekday = 3  // Monday is 0
    static let session: Int32 = 8 * 3_600
    static let longest: Int32 = 48 * 3_600
    static let userCount = 6_000
    static let provinceCount = 27

    // MARK: Classes

    struct JobClass {
        var name: String
        /// Of 1,000 jobs.
        var share: UInt32
        var sizes: [UInt16]
        /// Running sums of the sizes' weights.
        var sizeSums: [UInt32]
        /// Of the log-normal run time: median (s) and sigma of the logarithm.
        var median: Double
        var sigma: Double
        /// Quantiles of the run time at equal steps. Unit: ms.
        var quantiles: [Int64] = []
    }

    static let classes: [JobClass] = [
        JobClass(
            name: "T1 gene, sweep, evaluation",
            share: 769,
            sizes: [1],
            sizeSums: [1],
            median: 300,
            sigma: 1.5
        ),
        JobClass(
            name: "T2 CAE, MD, materials",
            share: 200,
            sizes: [1, 2, 4, 8, 16],
            sizeSums: [290, 550, 800, 925, 1_000],
            median: 2_400,
            sigma: 1.3
        ),
        JobClass(
            name: "T3 weather, seismic",
            share: 30,
            sizes: [32, 64, 128, 256],
            sizeSums: [300, 600, 880, 1_000],
            median: 7_200,
            sigma: 0.8
        ),
        JobClass(
            name: "T4 capability",
            share: 1,
            sizes: [1_024],
            sizeSums: [1],
            median: 3_600,
            sigma: 0.8
        ),
    ]

    private static let quantileCount = 4_096

    /// The classes with their tables, for this machine's size.
    private func filledClasses() -> [JobClass] {
        Self.classes.map { job in
            var job = job
            let scale = Double(nodeCount) / Double(Self.publishedNodeCount)
            if scale < 1 {
                job.sizes = job.sizes.map { size in
                    UInt16(max(1, (Double(size) * scale).rounded()))
                }
            }
            let steps = Double(Self.quantileCount)
            job.quantiles = (0...Self.quantileCount).map { index in
                let p = (Double(index) + 0.25) / (steps + 0.5)
                let normal = Distributions.normalQuantile(p)
                let seconds = job.median * ReproducibleMath.exponential(job.sigma * normal)
                return Int64((1_000 * seconds).rounded())
            }
            return job
        }
    }

    private static func wholeSeconds(_ milliseconds: Int64) -> Int32 {
        Int32(min(max((milliseconds + 500) / 1_000, 1), Int64(longest)))
    }

    private static func freshRun(_ chance: inout SplitMix64, _ job: borrowing JobClass) -> Int32 {
        let word = chance.next()
        let place = Int(word >> 52)
        let rest = Int64((word >> 36) & 0xFFFF)
        let (low, high) = (job.quantiles[place], job.quantiles[place + 1])
        return wholeSeconds(low + (high - low) * rest / 65_536)
    }

    // MARK: Arrivals

    /// Submissions of each second; three peaks a day, quiet nights, slow weekends.
    private func arrivals() -> ContiguousArray<UInt16> {
        let peaks: [(minute: Double, width: Double, height: Double)] = [
            (600, 70, 1), (900, 80, 1), (1_260, 70, 0.7),
        ]
        var minuteSums: [UInt32] = []
        var sum: UInt32 = 0
        for minute in 0..<1_440 {
            // Quietest at five in the morning.
            let angle = Double(minute - 300) * 6.283185307179586 / 1_440
            var rate = 0.18 * (1 - 0.5 * ReproducibleMath.cosine(angle))
            for peak in peaks {
                let distance = (Double(minute) - peak.minute) / peak.width
                rate += peak.height * ReproducibleMath.exponential(-distance * distance / 2)
            }
            sum += UInt32((100_000 * rate).rounded())
            minuteSums.append(sum)
        }
        var daySums: [UInt32] = []
        sum = 0
        for day in 0..<days {
            sum += (day + Self.firstWeekday) % 7 >= 5 ? 6 : 10
            daySums.append(sum)
        }
        var counts = ContiguousArray<UInt16>(repeating: 0, count: days * 86_400)
        var chance = SplitMix64(seed: seed, stream: "tianjin: arrivals")
        for _ in 0..<jobCount {
            let day = chance.position(in: daySums)
            let second = chance.position(in: minuteSums) * 60 + Int(chance.below(60))
            counts[day * 86_400 + second] += 1
        }
        return counts
    }

    // MARK: Users

    struct User {
        var group: Int32
        var jobClass: UInt8 = 0
        var size: UInt16 = 0
        var run: Int32 = 0
        /// −1 before the first job.
        var submitted: Int32 = -1
        /// The place of the last job.
        var job: Int32 = -1
    }

    /// Zipf's law with exponent 1.1; a region gets users as long as its share of the jobs is not full.
    private func users() -> (users: ContiguousArray<User>, sums: [UInt32]) {
        let shares = (1...Self.userCount).map { ReproducibleMath.power(Double($0), -1.1) }
        let total = shares.reduce(0, +)
        var chance = SplitMix64(seed: seed, stream: "tianjin: users")
        var users = ContiguousArray<User>()
        var sums: [UInt32] = []
        var sum: UInt32 = 0
        var (near, seen) = (Int64(0), Int64(0))
        for share in shares {
            let weight = Int64((2e9 * share / total).rounded())
            sum += UInt32(weight)
            sums.append(sum)
            seen += weight
            // Nearest to two thirds after this user, so heavy users do not upset the share.
            let isNear = abs(3 * (near + weight) - 2 * seen) <= abs(3 * near - 2 * seen)
            if isNear { near += weight }
            let province = Int32(chance.below(UInt64(Self.provinceCount)))
            users.append(User(group: isNear ? 1 : 2 + province))
        }
        return (users, sums)
    }

    // MARK: The log

    /// The next job of a user who goes on: same size with .56 and then same run time with .685; sizes
    /// and run times that happen to be drawn again make that the .86 and the .40 of the study.
    private static let keepsSize: UInt64 = 5_600
    private static let keepsRun: UInt64 = 6_850

    /// The log.
    public func sample() -> WorkloadSample {
        let classes = filledClasses()
        let counts = arrivals()
        var (users, userSums) = users()
        var classSums: [UInt32] = []
        for job in classes { classSums.append((classSums.last ?? 0) + job.share) }
        var who = SplitMix64(seed: seed, stream: "tianjin: who")
        var what = SplitMix64(seed: seed, stream: "tianjin: what")
        var how = SplitMix64(seed: seed, stream: "tianjin: how")
        var jobs = ContiguousArray<TraceJob>()
        jobs.reserveCapacity(jobCount)
        var runs = ContiguousArray<Int32>()
        runs.reserveCapacity(jobCount)
        var predecessors = ContiguousArray<Int32>(repeating: -1, count: jobCount)
        var thinkSeconds = ContiguousArray<Int32>(repeating: -1, count: jobCount)
        for second in 0..<Int32(days * 86_400) {
            for _ in 0..<counts[Int(second)] {
                let number = who.position(in: userSums)
                var user = users[number]
                let goesOn = user.submitted >= 0 && second - user.submitted <= Self.session
                let (ended, before) = (user.submitted + user.run, user.job)
                if !goesOn || !what.happens(Self.keepsSize) {
                    let choice = what.position(in: classSums)
                    user.jobClass = UInt8(choice)
                    user.size = classes[choice].sizes[what.position(in: classes[choice].sizeSums)]
                    user.run = Self.freshRun(&what, classes[choice])
                } else if what.happens(Self.keepsRun) {
                    // Within 10 % of the last run time.
                    user.run = Self.wholeSeconds(Int64(user.run) * Int64(900 + what.below(201)))
                } else {
                    user.run = Self.freshRun(&what, classes[Int(user.jobClass)])
                }
                if goesOn, ended <= second {
                    predecessors[jobs.count] = before
                    thinkSeconds[jobs.count] = second - ended
                }
                user.submitted = second
                user.job = Int32(jobs.count)
                users[number] = user
                let fate = how.below(100)
                runs.append(user.run)
                jobs.append(
                    TraceJob(
                        id: Int64(jobs.count + 1),
                        submitted: Int64(second) * 1_000_000,
                        runTime: Int64(user.run) * 1_000_000,
                        timeLimit: 0,
                        processors: Int32(user.size),
                        line: Int32(clamping: jobs.count + 1),
                        user: Int32(number + 1),
                        group: user.group,
                        queue: Int32(user.jobClass) + 1,
                        partition: 1,
                        status: fate < 86 ? 1 : fate < 90 ? 5 : 0
                    )
                )
            }
        }
        let model = EstimateModel(longestMinutes: Int(Self.longest) / 60, seed: seed)
        for (job, minutes) in model.estimates(of: runs).enumerated() {
            jobs[job].timeLimit = Int64(minutes) * 60_000_000
        }
        var sample = WorkloadSample(
            Trace(generated: jobs, header: header, unixStart: Self.unixStart)
        )
        sample.predecessors = predecessors
        sample.thinkSeconds = thinkSeconds
        sample.checks = checks(sample)
        return sample
    }

    private var header: [(name: String, value: String)] {
        [
            ("Version", "2.2"), ("Computer", "Tianhe nodes of Tianjin, made up"),
            ("Installation", "National Supercomputer Center in Tianjin, modelled"),
            (
                "Note",
                "not a recorded log; made by xinghe generate --mix tianjin --seed \(seed) --days \(days)"
                    + " --jobs \(jobCount) --nodes \(nodeCount)"
            ),
            ("Note", "a processor is a whole node; group 1 is Beijing, Tianjin, Hebei"),
            ("Note", "queue 1-4 is the class of the job, T1-T4"),
            ("UnixStartTime", "\(Self.unixStart)"), ("TimeZoneString", "Asia/Shanghai"),
            ("MaxJobs", "\(jobCount)"), ("MaxRecords", "\(jobCount)"), ("MaxNodes", "\(nodeCount)"),
            ("MaxProcs", "\(nodeCount)"), ("MaxRuntime", "\(Self.longest)"),
            ("MaxQueues", "\(Self.classes.count)"),
        ]
    }
}

extension Trace {
    /// A trace of generated jobs.
    init(
        generated jobs: ContiguousArray<TraceJob>,
        header: [(name: String, value: String)],
        unixStart: Int64
    ) {
        self.init()
        self.jobs = jobs
        self.header = header
        unixStartTime = unixStart
        machineProcessors = headerValue("MaxProcs").flatMap { Int($0) }
        rowCount = jobs.count
    }
}
