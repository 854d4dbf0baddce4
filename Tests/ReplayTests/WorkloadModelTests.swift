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
        let sample = TianjinMix(seed: seed, days: 7, jobCount: 140_000).sample()
        #expect(sample.trace.jobs.count == 140_000)
        for check in sample.checks where check.isMet == false {
            Issue.record("\(check.name): \(check.value) (seed \(seed))")
        }
        #expect(sample.trace.jobs.allSatisfy { $0.runTime <= $0.timeLimit })
    }

    @Test("On fewer nodes jobs are fewer and narrower, and the load is the same")
    func smallMachine() {
        let sample = TianjinMix(seed: 3, days: 60, nodeCount: 512).sample()
        #expect(sample.trace.jobs.count == 60 * (20_000 * 512 / 13_312))
        #expect(sample.trace.jobs.allSatisfy { $0.processors <= 512 })
        #expect(sample.trace.machineProcessors == 512)
    }

    @Test("One seed is one log, which reads back as it was made")
    func roundTrip() throws {
        let sample = TianjinMix(seed: 5, days: 2, jobCount: 3_000).sample()
        let bytes = text(sample)
        #expect(bytes == text(TianjinMix(seed: 5, days: 2, jobCount: 3_000).sample()))
        #expect(bytes != text(TianjinMix(seed: 6, days: 2, jobCount: 3_000).sample()))
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
        let old = TianjinMix(seed: 8, days: 28, jobCount: 20_000).sample().trace
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
