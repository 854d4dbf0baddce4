import Determinism
import Emulation
import Foundation
import ReplayRuntime
import Scheduling
import Testing
import TraceFiles
import WorkloadFormats

/// One log and one policy are one schedule, whatever runs beside them.
@Suite("Determinism of replays")
struct DeterminismTests {
    private static let policies = [
        "fcfs", "easy", "easy-sjbf", "conservative", "conservative-compress", "wfp3", "slurm",
    ]

    private func log(jobs count: Int) throws -> Trace {
        let root = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let path = root.appendingPathComponent("workloads/traces/KTH-SP2-1996-2.1.swf.gz").path
        var trace = try TraceFile.withBytes(of: path) { try SWFReader().read($0) }
        trace.jobs.removeLast(trace.jobs.count - count)
        return trace
    }

    private static func digest(_ trace: Trace, _ policy: String) throws -> StateDigest {
        let machine = ReplayMachine.processors(100, policy: try SchedulingPolicy(named: policy))
        var driver = ReplayDriver(trace: trace, machine: machine)
        return driver.run().digest
    }

    @Test("The digests of one thread are those of two")
    func threads() async throws {
        let trace = try log(jobs: 1_200)
        var alone: [String: StateDigest] = [:]
        for policy in Self.policies { alone[policy] = try Self.digest(trace, policy) }
        // Twice each, so that two threads are at the same policy and at different ones.
        let together = try await withThrowingTaskGroup(of: (String, StateDigest).self) { group in
            for policy in Self.policies + Self.policies.reversed() {
                group.addTask { (policy, try Self.digest(trace, policy)) }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(together.count == 2 * Self.policies.count)
        for (policy, digest) in together { #expect(digest == alone[policy], "\(policy)") }
        #expect(Set(alone.values).count == Self.policies.count)
    }

    @Test("Watching a replay does not change it")
    func watching() throws {
        let trace = try log(jobs: 600)
        let machine = ReplayMachine.processors(100, policy: .easy)
        var plain = ReplayDriver(trace: trace, machine: machine)
        var watched = ReplayDriver(trace: trace, machine: machine)
        var explainer = StartExplainer(job: 500, unixStartTime: trace.unixStartTime)
        let result = watched.run { explainer.observe($0, $1) }
        #expect(plain.run().digest == result.digest)
        #expect(explainer.explanation.started == result.started[500])
    }
}
