import Determinism
import Quantities
import ReplayRuntime
import Scheduling
import Testing
import WorkloadFormats

/// Fair starts, beside the plain way to find them: a whole replay without the later jobs.
@Suite("Fair starts")
struct FairStartTests {
    private func log(seed: UInt64, jobs count: Int) -> Trace {
        var random = SplitMix64(seed: seed)
        var submitted: Int64 = 0
        var trace = Trace()
        for number in 1...count {
            submitted += Int64(random.below(40)) * 1_000_000
            let limit = Int64(random.below(200) + 1) * 1_000_000
            trace.jobs.append(
                TraceJob(
                    id: Int64(number),
                    submitted: submitted,
                    // Some would run longer than they may.
                    runTime: Int64(random.below(250)) * 1_000_000,
                    timeLimit: limit,
                    processors: Int32(random.below(16) + 1),
                    user: Int32(random.below(4))
                )
            )
        }
        return trace
    }

    private func replay(_ trace: Trace, _ policy: String, findsFairStarts: Bool) throws
        -> ReplayResult
    {
        var driver = ReplayDriver(
            trace: trace,
            machine: .processors(16, policy: try SchedulingPolicy(named: policy)),
            findsFairStarts: findsFairStarts
        )
        return driver.run()
    }

    @Test(
        "They are the starts of replays without the later jobs, and asking changes nothing",
        arguments: ["easy", "fcfs", "easy-sjbf", "conservative", "order=sjf", "slurm"]
    )
    func twin(policy: String) throws {
        var misses = 0
        for seed in 1...6 as ClosedRange<UInt64> {
            let trace = log(seed: seed, jobs: 60)
            let result = try replay(trace, policy, findsFairStarts: true)
            let fair = try #require(result.fairStarts)
            #expect(result.digest == (try replay(trace, policy, findsFairStarts: false)).digest)
            for last in trace.jobs.indices {
                var shorter = trace
                shorter.jobs.removeSubrange((last + 1)...)
                let plain = try replay(shorter, policy, findsFairStarts: false)
                #expect(fair[last] == plain.started[last], "seed \(seed), job \(last + 1)")
                if result.started[last] > fair[last] { misses += 1 }
            }
        }
        // Who comes later overtakes nobody under FCFS.
        #expect((misses == 0) == (policy == "fcfs"), "\(misses)")
    }
}
