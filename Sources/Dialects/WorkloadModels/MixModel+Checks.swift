import WorkloadFormats

extension MixModel {
    /// What was published or assumed of the load, and what a sample has.
    func checks(_ sample: WorkloadSample) -> [WorkloadCheck] {
        var sums = Sums(mix)
        for job in sample.trace.jobs { sums.add(job) }
        let jobs = Double(sample.trace.jobs.count)
        let rate = jobs / Double(days)
        let wantedRate = Double(mix.jobsPerDay(on: nodeCount))
        let near = Double(sums.near) / jobs
        let size = Double(sums.sameSize) / Double(max(1, sums.pairs))
        let run = Double(sums.sameRun) / Double(max(1, sums.pairs))
        let load = Double(sums.nodeSeconds) / (Double(nodeCount) * 86_400 * Double(days))
        let best = sums.popularity.indices.max { sums.popularity[$0] < sums.popularity[$1] } ?? 0
        let peaks = (0..<24).count { hour in
            sums.hourly[hour] > sums.hourly[(hour + 23) % 24]
                && sums.hourly[hour] > sums.hourly[(hour + 1) % 24]
        }
        // What was published or assumed of Tianjin is no yardstick for another mix.
        let isOfTianjin = isOfTianjin
        func wanted(_ isMet: Bool) -> Bool? { isOfTianjin ? isMet : nil }
        func of(_ text: String) -> String { isOfTianjin ? ": \(text)" : "" }
        let checks = [
            WorkloadCheck(
                "jobs a day: at least \(Int(wantedRate))",
                rate,
                decimals: 0,
                isMet: rate >= wantedRate
            ),
            WorkloadCheck(
                "from Beijing, Tianjin, Hebei" + of(".667 ± .01"),
                near,
                decimals: 4,
                isMet: wanted(abs(near - 0.667) <= 0.01)
            ),
            WorkloadCheck(
                "same size within 8 h" + of(".86 ± .02"),
                size,
                decimals: 4,
                isMet: wanted(abs(size - 0.86) <= 0.02)
            ),
            WorkloadCheck(
                "nearly same run time" + of(".40 ± .03"),
                run,
                decimals: 4,
                isMet: wanted(abs(run - 0.40) <= 0.03)
            ),
            WorkloadCheck(
                "local maxima of the hourly histogram" + of("3"),
                Double(peaks),
                decimals: 0,
                isMet: wanted(peaks == 3)
            ),
            WorkloadCheck(
                "load of the machine" + of(".60 to .75"),
                load,
                decimals: 4,
                isMet: wanted((0.60...0.75).contains(load))
            ),
            WorkloadCheck(
                "most popular estimate (h)" + of("the maximum, 48"),
                Double(best) / 60,
                decimals: 0,
                isMet: wanted(best == mix.longest / 60)
            ),
            WorkloadCheck(
                "different estimates",
                Double(sums.popularity.count { $0 > 0 }),
                decimals: 0
            ),
        ]
        return checks
            + mix.classes.indices.map { index in
                WorkloadCheck(
                    "node-hours a day of \(mix.classes[index].name)",
                    Double(sums.classNodeSeconds[index]) / 3_600 / Double(days),
                    decimals: 0
                )
            }
    }

    private struct Sums {
        var near = 0
        var pairs = 0
        var sameSize = 0
        var sameRun = 0
        var nodeSeconds: Int64 = 0
        var classNodeSeconds: [Int64]
        var hourly = [Int](repeating: 0, count: 24)
        var popularity: [Int]
        private var last: ContiguousArray<(submitted: Int64, size: Int32, run: Int64)>

        init(_ mix: LoadMix) {
            classNodeSeconds = [Int64](repeating: 0, count: mix.classes.count)
            popularity = [Int](repeating: 0, count: mix.longest / 60 + 1)
            last = ContiguousArray(repeating: (-1, 0, 0), count: mix.userCount + 1)
        }

        mutating func add(_ job: TraceJob) {
            let (submitted, run) = (job.submitted / 1_000_000, job.runTime / 1_000_000)
            if job.group == 1 { near += 1 }
            hourly[Int(submitted % 86_400 / 3_600)] += 1
            popularity[Int(job.timeLimit / 60_000_000)] += 1
            nodeSeconds += Int64(job.processors) * run
            classNodeSeconds[Int(job.queue) - 1] += Int64(job.processors) * run
            let before = last[Int(job.user)]
            if before.submitted >= 0, submitted - before.submitted <= Int64(MixModel.session) {
                pairs += 1
                if job.processors == before.size { sameSize += 1 }
                if 20 * abs(run - before.run) <= 2 * before.run + 10 { sameRun += 1 }
            }
            last[Int(job.user)] = (submitted, job.processors, run)
        }
    }
}
