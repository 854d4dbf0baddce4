import Determinism
import WorkloadFormats

// One seed gives one log on any machine: every draw is an integer of SplitMix64, and floating point
// only fills tables that are rounded to integers before the first draw.

/// A log of a mix, for a machine of any size.
public struct MixModel: Sendable {
    /// What is in it.
    public var mix: LoadMix
    /// One seed gives one log.
    public var seed: UInt64
    /// How long. Unit: days.
    public var days: Int
    /// How many jobs.
    public var jobCount: Int
    /// The machine's nodes, given whole. On fewer than the mix is for, jobs are as much narrower.
    public var nodeCount: Int

    /// Makes a model.
    ///
    /// - Parameters:
    ///   - jobCount: nil for as many as the nodes get in so many days.
    ///   - nodeCount: nil for the nodes that the mix is for.
    /// - Precondition: all are above zero; `days` at most 3,650, jobs at most 2³⁰.
    public init(
        _ mix: LoadMix = .tianjin,
        seed: UInt64,
        days: Int,
        jobCount: Int? = nil,
        nodeCount: Int? = nil
    ) {
        let nodeCount = nodeCount ?? mix.nodeCount
        precondition((1...3_650).contains(days) && nodeCount >= 1)
        let jobCount = jobCount ?? max(1, mix.jobsPerDay(on: nodeCount) * days)
        precondition((1...(1 << 30)).contains(jobCount))
        self.mix = mix
        self.seed = seed
        self.days = days
        self.jobCount = jobCount
        self.nodeCount = nodeCount
    }

    /// 2026-01-01 00:00 in Tianjin (UTC+8), a Thursday. Unit: s since 1970.
    static let unixStart: Int64 = 1_767_196_800
    private static let firstWeekday = 3  // Monday is 0
    static let session: Int32 = 8 * 3_600
    static let provinceCount = 27

    // MARK: Classes

    /// A class of the mix with its tables, for this machine's size.
    struct ClassTable {
        var sizes: [Int32]
        /// Running sums of the sizes' weights.
        var sizeSums: [UInt32] = []
        /// Quantiles of the run time at equal steps. Unit: ms.
        var quantiles: [Int64]
    }

    private static let quantileCount = 4_096

    private func classTables() -> [ClassTable] {
        let scale = min(1, Double(nodeCount) / Double(mix.nodeCount))
        return mix.classes.map { job in
            let steps = Double(Self.quantileCount)
            let quantiles = (0...Self.quantileCount).map { index in
                let p = (Double(index) + 0.25) / (steps + 0.5)
                let normal = Distributions.normalQuantile(p)
                let sigma = Double(job.sigma) / 1_000
                let seconds = Double(job.median) * ReproducibleMath.exponential(sigma * normal)
                return Int64((1_000 * min(seconds, 1e9)).rounded())
            }
            var table = ClassTable(sizes: [], quantiles: quantiles)
            for size in job.sizes {
                table.sizes.append(Int32(max(1, (Double(size.nodes) * scale).rounded())))
                table.sizeSums.append((table.sizeSums.last ?? 0) + UInt32(size.weight))
            }
            return table
        }
    }

    private func wholeSeconds(_ milliseconds: Int64) -> Int32 {
        Int32(min(max((milliseconds + 500) / 1_000, 1), Int64(mix.longest)))
    }

    private func freshRun(_ chance: inout SplitMix64, _ job: borrowing ClassTable) -> Int32 {
        let word = chance.next()
        let place = Int(word >> 52)
        let rest = Int64((word >> 36) & 0xFFFF)
        let (low, high) = (job.quantiles[place], job.quantiles[place + 1])
        return wholeSeconds(low + (high - low) * rest / 65_536)
    }

    // MARK: Arrivals

    /// Submissions of each second: peaks of the day, quiet nights, slow weekends.
    private func arrivals() -> ContiguousArray<UInt32> {
        var minuteSums: [UInt32] = []
        var sum: UInt32 = 0
        for minute in 0..<1_440 {
            // Quietest at five in the morning.
            let angle = Double(minute - 300) * 6.283185307179586 / 1_440
            var rate = 0.18 * (1 - 0.5 * ReproducibleMath.cosine(angle))
            for peak in mix.peaks {
                let distance = (Double(minute) - Double(peak.minute)) / Double(peak.width)
                let height = Double(peak.height) / 1_000
                rate += height * ReproducibleMath.exponential(-distance * distance / 2)
            }
            sum += UInt32((100_000 * rate).rounded())
            minuteSums.append(sum)
        }
        var daySums: [UInt32] = []
        sum = 0
        for day in 0..<days {
            sum += (day + Self.firstWeekday) % 7 >= 5 ? UInt32(mix.weekend) : 10
            daySums.append(sum)
        }
        var counts = ContiguousArray<UInt32>(repeating: 0, count: days * 86_400)
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
        var size: Int32 = 0
        var run: Int32 = 0
        /// −1 before the first job.
        var submitted: Int32 = -1
        /// The place of the last job.
        var job: Int32 = -1
    }

    /// Zipf's law with exponent 1.1; a region gets users as long as its share of the jobs is not full.
    private func users() -> (users: ContiguousArray<User>, sums: [UInt32]) {
        let shares = (1...mix.userCount).map { ReproducibleMath.power(Double($0), -1.1) }
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
        let classes = classTables()
        let counts = arrivals()
        var (users, userSums) = users()
        var classSums: [UInt32] = []
        for job in mix.classes { classSums.append((classSums.last ?? 0) + UInt32(job.share)) }
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
                    user.run = freshRun(&what, classes[choice])
                } else if what.happens(Self.keepsRun) {
                    // Within 10 % of the last run time.
                    user.run = wholeSeconds(Int64(user.run) * Int64(900 + what.below(201)))
                } else {
                    user.run = freshRun(&what, classes[Int(user.jobClass)])
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
                        processors: user.size,
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
        let model = EstimateModel(longestMinutes: mix.longest / 60, seed: seed)
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

    var isOfTianjin: Bool { mix == .tianjin }

    private var header: [(name: String, value: String)] {
        [
            ("Version", "2.2"),
            ("Computer", "\(isOfTianjin ? "Tianhe nodes of Tianjin" : mix.name), made up"),
            (
                "Installation",
                isOfTianjin
                    ? "National Supercomputer Center in Tianjin, modelled" : "\(mix.name), modelled"
            ),
            (
                "Note",
                "not a recorded log; made by xinghe generate"
                    + (isOfTianjin ? " --mix tianjin" : ", of the mix \(mix.name), with")
                    + " --seed \(seed) --days \(days) --jobs \(jobCount) --nodes \(nodeCount)"
            ),
            ("Note", "a processor is a whole node; group 1 is Beijing, Tianjin, Hebei"),
            (
                "Note",
                isOfTianjin
                    ? "queue 1-4 is the class of the job, T1-T4"
                    : "queue 1-\(mix.classes.count) is the class of the job: "
                        + mix.classes.map(\.name).joined(separator: "; ")
            ),
            ("UnixStartTime", "\(Self.unixStart)"), ("TimeZoneString", "Asia/Shanghai"),
            ("MaxJobs", "\(jobCount)"), ("MaxRecords", "\(jobCount)"), ("MaxNodes", "\(nodeCount)"),
            ("MaxProcs", "\(nodeCount)"), ("MaxRuntime", "\(mix.longest)"),
            ("MaxQueues", "\(mix.classes.count)"),
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
