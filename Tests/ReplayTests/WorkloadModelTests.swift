import Catalog
import Determinism
import Testing
import WorkloadFormats

@testable import WorkloadModels

/// Logs that models make.
@Suite("Models of workloads")
struct WorkloadModelTests {
    private func text(_ sample: WorkloadSample) -> [UInt8] {
        var bytes: [UInt8] = []
        sample.writeSWF { bytes += $0 }
        return bytes
    }

    @Test("What was published of Tianjin's load holds", arguments: [UInt64(1), 7])
    func tianjin(seed: UInt64) {
        let sample = MixModel(seed: seed, days: 7, jobCount: 140_000).sample()
        #expect(sample.trace.jobs.count == 140_000)
        for check in sample.checks where check.isMet == false {
            Issue.record("\(check.name): \(check.value) (seed \(seed))")
        }
        #expect(sample.trace.jobs.allSatisfy { $0.runTime <= $0.timeLimit })
    }

    @Test("On fewer nodes jobs are fewer and narrower, and the load is the same")
    func smallMachine() {
        let sample = MixModel(seed: 3, days: 60, nodeCount: 512).sample()
        #expect(sample.trace.jobs.count == 60 * (20_000 * 512 / 13_312))
        #expect(sample.trace.jobs.allSatisfy { $0.processors <= 512 })
        #expect(sample.trace.machineProcessors == 512)
    }

    @Test("A mix has the sizes, times and users that it says, and its days their peaks")
    func mix() throws {
        let mix = try MixReader.mix(
            text: """
                mix: coast
                nodes: 64
                jobs_per_day: 1000
                users: 40
                time_limit: 1-0
                weekend: 0
                peaks: [{hour: 21.5, width: 30}]
                classes:
                  - {name: "sweep, small", share: 3, sizes: [{nodes: 1}], median: 5}
                  - {name: solve, share: 1, sizes: [{nodes: 8, weight: 2}, {nodes: 32}], median: 1:00:00}

                """,
            file: "coast.yaml"
        )
        let sample = MixModel(mix, seed: 2, days: 14).sample()
        let jobs = sample.trace.jobs
        #expect(jobs.count == 14_000)
        #expect(sample.checks.allSatisfy { $0.isMet != false })
        #expect(Set(jobs.map(\.processors)) == [1, 8, 32])
        #expect(jobs.allSatisfy { (1...40).contains($0.user) && $0.timeLimit <= 86_400_000_000 })
        // Sigma is nought: whoever goes on differs by a tenth at most, again and again.
        let fresh = jobs.filter { $0.queue == 1 && $0.runTime == 300_000_000 }
        #expect(fresh.count > 3_000)
        #expect(abs(jobs.count { $0.queue == 2 } - 3_500) < 350)
        #expect(jobs.count { $0.processors == 8 } > jobs.count { $0.processors == 32 })
        // The first of January 2026 is a Thursday.
        #expect(jobs.allSatisfy { ![2, 3].contains($0.submitted / 86_400_000_000 % 7) })
        let hours = jobs.map { Int($0.submitted / 3_600_000_000 % 24) }
        #expect(hours.count { (21...22).contains($0) } > 2 * hours.count { (14...15).contains($0) })
        // On half of the nodes half of the jobs, half as wide.
        let half = MixModel(mix, seed: 2, days: 14, nodeCount: 32).sample().trace
        #expect(half.jobs.count == 7_000)
        #expect(Set(half.jobs.map(\.processors)) == [1, 4, 16])
    }

    @Test(
        "What makes no mix is refused, with the field",
        arguments: [
            ("users: 0", "users"), ("time_limit: 0:30:00", "time_limit"),
            ("weekend: 0.65", "weekend"),
            ("weekend: -1", "weekend"), ("peaks: [{hour: 24}]", "peaks[0].hour"),
            ("peaks: [{hour: 3, height: 2}]", "peaks[0].height"), ("classes: []", "classes"),
            (
                "classes: [{name: a, share: 1, sizes: [{nodes: 65}], median: 1}]",
                "classes[0].sizes[0].nodes"
            ),
            ("classes: [{name: a, share: 1, sizes: [], median: 1}]", "classes[0].sizes"),
            ("classes: [{name: a, share: 0, sizes: [{nodes: 1}], median: 1}]", "classes[0].share"),
            ("classes: [{name: a, share: 1, sizes: [{nodes: 1}], median: 0}]", "classes[0].median"),
            ("jobs_per_day: 10000001", "jobs_per_day"), ("job_per_day: 1", "job_per_day"),
        ]
    )
    func badMix(line: String, field: String) throws {
        let right = [
            "mix: coast", "nodes: 64", "jobs_per_day: 1000", "users: 40", "time_limit: 1-0",
            "classes: [{name: a, share: 1, sizes: [{nodes: 1}], median: 5}]",
        ]
        let name = line.prefix { $0 != ":" }
        let lines = right.filter { !$0.hasPrefix(name + ":") } + [line]
        let refusal = #expect(throws: FileRefusal.self) {
            try MixReader.mix(text: lines.joined(separator: "\n") + "\n", file: "a.yaml")
        }
        #expect(refusal?.description.contains("field \(field):") == true, "\(refusal as Any)")
    }

    @Test("At its bounds a mix is a log, and nothing overflows")
    func extremeMix() {
        let peaks = (0..<24).map { LoadMix.Peak(minute: $0, width: 10, height: 1_000) }
        let sizes = (0..<64).map { _ in LoadMix.JobClass.Size(nodes: 1_000_000, weight: 1_000_000) }
        let job = LoadMix.JobClass(
            name: "a",
            share: 1_000_000,
            sizes: sizes,
            median: 2_592_000,
            sigma: 3_000
        )
        let mix = LoadMix(
            name: "most",
            nodeCount: 1_000_000,
            jobsPerDay: 10_000_000,
            userCount: 100_000,
            longest: 2_592_000,
            weekend: 0,
            peaks: peaks,
            classes: Array(repeating: job, count: 64)
        )
        let sample = MixModel(mix, seed: 1, days: 1, jobCount: 200_000).sample()
        #expect(sample.trace.jobs.count == 200_000)
        #expect(sample.trace.jobs.allSatisfy { $0.runTime <= 2_592_000_000_000 })
    }

    @Test("One seed is one log, which reads back as it was made")
    func roundTrip() throws {
        let sample = MixModel(seed: 5, days: 2, jobCount: 3_000).sample()
        let bytes = text(sample)
        #expect(bytes == text(MixModel(seed: 5, days: 2, jobCount: 3_000).sample()))
        #expect(bytes != text(MixModel(seed: 6, days: 2, jobCount: 3_000).sample()))
        let read = try bytes.withUnsafeBytes { try LogReader(keepsRows: true).read($0) }
        #expect(read.machineProcessors == 13_312)
        #expect(read.unixStartTime == sample.trace.unixStartTime)
        let facts = { (job: TraceJob) in
            [
                job.id, job.submitted, job.runTime, job.timeLimit, Int64(job.processors),
                Int64(job.user), Int64(job.group), Int64(job.queue), Int64(job.status),
            ]
        }
        #expect(read.jobs.map(facts) == sample.trace.jobs.map(facts))
        let links = JobLinks(read)
        #expect(links.predecessors == sample.predecessors)
        #expect(links.linkCount > 300)
        #expect(links.brokenCount == 0)
        // Who follows was submitted when the one before had ended and its user had thought.
        for (job, before) in zip(sample.trace.jobs.indices, sample.predecessors) where before >= 0 {
            let earlier = sample.trace.jobs[Int(before)]
            let think = Int64(sample.thinkSeconds[job]) * 1_000_000
            #expect(earlier.submitted + earlier.runTime + think == sample.trace.jobs[job].submitted)
        }
    }

    @Test("Lublin's model has its published shares", arguments: LublinModel.Types.allCases)
    func lublin(types: LublinModel.Types) {
        let sample = LublinModel(seed: 2, jobCount: 20_000, nodeCount: 256, types: types).sample()
        let jobs = sample.trace.jobs
        #expect(!sample.checks.contains { $0.isMet == false })
        #expect(zip(jobs, jobs.dropFirst()).allSatisfy { $0.submitted <= $1.submitted })
        #expect(jobs.allSatisfy { (1...256).contains($0.processors) })
        #expect(jobs.allSatisfy { $0.runTime >= 1_000_000 && $0.runTime <= 162_755_000_000 })
        #expect((Set(jobs.map(\.queue)) == [0, 1]) == (types == .both))
    }

    @Test("Batch run times have the mean of their two gammas, in ln")
    func lublinRunTimes() {
        // The share of the first gamma is 0.6986 − 0.003 · size; one size has one mean.
        let sample = LublinModel(seed: 4, jobCount: 60_000, nodeCount: 128, types: .batch).sample()
        let serial = sample.trace.jobs.filter { $0.processors == 1 }
        let mean =
            serial.reduce(0.0) {
                $0 + ReproducibleMath.naturalLog(Double($1.runTime) / 1e6 + 0.5)
            } / Double(serial.count)
        let share = 0.6986 - 0.003
        let wanted = share * 6.57 * 0.823 + (1 - share) * 639.1 * 0.0156
        // Runs beyond two days are drawn again, which takes 0.05 off the mean.
        #expect(abs(mean - wanted) < 0.12, "\(mean) is not near \(wanted)")
    }

    @Test("Downey's model offers the load that was asked for", arguments: [0.4, 0.9])
    func downey(load: Double) {
        let sample = DowneyModel(seed: 9, jobCount: 50_000, nodeCount: 256, load: load).sample()
        #expect(!sample.checks.contains { $0.isMet == false })
        #expect(DowneyModel.speedup(8, 16, 0) == 8)
        #expect(DowneyModel.speedup(64, 16, 0) == 16)
        #expect(abs(DowneyModel.speedup(16, 16, 1) - DowneyModel.speedup(16, 16, 1.0000001)) < 1e-5)
    }

    @Test("A log like another has its users, its hours and its load")
    func resampled() {
        let old = MixModel(seed: 8, days: 28, jobCount: 20_000).sample().trace
        let sample = ResampledLog(seed: 1, days: 56).sample(like: old)
        let jobs = sample.trace.jobs
        #expect(abs(Double(jobs.count) / 40_000 - 1) < 0.1, "\(jobs.count) jobs")
        #expect(Set(jobs.map(\.user)).isSubset(of: Set(old.jobs.map(\.user))))
        func night(_ jobs: ContiguousArray<TraceJob>) -> Double {
            Double(jobs.count { $0.submitted / 3_600_000_000 % 24 < 6 }) / Double(jobs.count)
        }
        #expect(abs(night(jobs) - night(old.jobs)) < 0.02)
        let busier = ResampledLog(seed: 1, days: 56, load: 1.5).sample(like: old).trace.jobs.count
        #expect(abs(Double(busier) / Double(jobs.count) - 1.5) < 0.15)
    }

    @Test("Functions of real numbers agree with known values")
    func mathematics() {
        #expect(abs(ReproducibleMath.exponential(1) - 2.718281828459045) < 1e-15)
        #expect(abs(ReproducibleMath.exponential(-700) / 9.859676543759770e-305 - 1) < 1e-12)
        #expect(abs(ReproducibleMath.cosine(1.0471975511965976) - 0.5) < 1e-15)
        #expect(abs(ReproducibleMath.cosine(-50) - 0.9649660284921133) < 1e-14)
        #expect(abs(Distributions.normalQuantile(0.975) - 1.959963984540054) < 1e-8)
        #expect(abs(Distributions.logGamma(10) - 12.801827480081469) < 1e-12)
        #expect(
            abs(Distributions.gammaShare(below: 3, shape: 2, scale: 1) - 0.8008517265285442) < 1e-12
        )
        #expect(
            abs(Distributions.gammaShare(below: 12, shape: 8.2, scale: 1) - 0.8991994514) < 1e-9
        )
    }
}
