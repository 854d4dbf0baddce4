import Determinism
public import WorkloadFormats

/// A log like another one: its users' weeks, put together anew.
///
/// In each week of the new log each user does what the user did in a week of the old one that is drawn at
/// random. Sessions, habits and the hours of the day stay as they were; the order of the weeks, and whose
/// busy weeks meet, do not. With a load other than 1 more or fewer weeks of users are drawn.
/// Source: Zakay and Feitelson, "Workload Resampling for Performance Evaluation of Parallel Job
/// Schedulers", ICPE 2013.
public struct ResampledLog: Sendable {
    /// One seed gives one log.
    public var seed: UInt64
    /// How long. Unit: days.
    public var days: Int
    /// How many times the jobs of the old log, on average.
    public var load: Double

    /// Makes a model.
    ///
    /// - Precondition: days from 1 to 36,500, load from 0 to 100.
    public init(seed: UInt64, days: Int, load: Double = 1) {
        precondition((1...36_500).contains(days) && load > 0 && load <= 100)
        self.seed = seed
        self.days = days
        self.load = load
    }

    private static let week: Int64 = 7 * 86_400 * 1_000_000

    /// How many jobs the new log has, about: what it expands to is known before it is made.
    public func expectedJobCount(like log: Trace) -> Int {
        let weeks = max(1, (log.jobs.last?.submitted ?? 0) / Self.week + 1)
        return Int(Double(log.jobs.count) * load * Double(days) / Double(weeks * 7))
    }

    /// The log.
    ///
    /// - Parameter log: with a job at least.
    public func sample(like log: Trace) -> WorkloadSample {
        let weekCount = Int((log.jobs.last?.submitted ?? 0) / Self.week) + 1
        // The jobs of each user's weeks; jobs without a user are one user's.
        let order = log.jobs.indices.sorted { left, right in
            let (one, other) = (log.jobs[left], log.jobs[right])
            return (one.user, one.submitted, left) < (other.user, other.submitted, right)
        }
        var chance = SplitMix64(seed: seed, stream: "resampled: weeks")
        var jobs: [TraceJob] = []
        let length = Int64(days) * 86_400 * 1_000_000
        let shares = UInt64((load * 1_000_000).rounded())
        var start = 0
        while start < order.count {
            let user = log.jobs[order[start]].user
            var end = start
            var weeks = [Range<Int>](repeating: start..<start, count: weekCount)
            while end < order.count, log.jobs[order[end]].user == user {
                let week = Int(log.jobs[order[end]].submitted / Self.week)
                let first = end
                while end < order.count, log.jobs[order[end]].user == user,
                    Int(log.jobs[order[end]].submitted / Self.week) == week
                { end += 1 }
                weeks[week] = first..<end
            }
            var begin: Int64 = 0
            while begin < length {
                let whole = shares / 1_000_000
                let copies = whole + (chance.below(1_000_000) < shares % 1_000_000 ? 1 : 0)
                for _ in 0..<copies {
                    let source = Int(chance.below(UInt64(weekCount)))
                    for place in weeks[source] {
                        var job = log.jobs[order[place]]
                        job.submitted += begin - Int64(source) * Self.week
                        if job.submitted < length { jobs.append(job) }
                    }
                }
                begin += Self.week
            }
            start = end
        }
        return made(jobs, like: log)
    }

    private func made(_ drawn: [TraceJob], like log: Trace) -> WorkloadSample {
        var jobs = drawn
        jobs.sort { ($0.submitted, $0.user, $0.id) < ($1.submitted, $1.user, $1.id) }
        for index in jobs.indices {
            jobs[index].id = Int64(index + 1)
            jobs[index].line = Int32(clamping: index + 1)
            jobs[index].waitSeconds = -1
        }
        let computed = ["maxjobs", "maxrecords", "note"]
        var header = log.header.filter { !computed.contains($0.name.lowercased()) }
        if log.headerValue("UnixStartTime") == nil {
            header.append(("UnixStartTime", "\(log.unixStartTime)"))
        }
        header.append(("MaxJobs", "\(jobs.count)"))
        header.append(("MaxRecords", "\(jobs.count)"))
        header.append(
            (
                "Note",
                "weeks of the users of a recorded log, put together anew by xinghe generate --like"
                    + " --seed \(seed) --days \(days) --load \(load)"
            )
        )
        var sample = WorkloadSample(
            Trace(generated: ContiguousArray(jobs), header: header, unixStart: log.unixStartTime)
        )
        func work(_ jobs: some Sequence<TraceJob>) -> Double {
            jobs.reduce(0.0) { $0 + Double($1.processors) * Double($1.runTime) / 3_600e6 }
        }
        let oldDays = Double(((log.jobs.last?.submitted ?? 0) / Self.week + 1) * 7)
        sample.checks = [
            WorkloadCheck("jobs a day (old log)", Double(log.jobs.count) / oldDays, decimals: 1),
            WorkloadCheck("jobs a day", Double(jobs.count) / Double(days), decimals: 1),
            WorkloadCheck("processor-hours a day (old log)", work(log.jobs) / oldDays, decimals: 1),
            WorkloadCheck("processor-hours a day", work(jobs) / Double(days), decimals: 1),
        ]
        return sample
    }
}
