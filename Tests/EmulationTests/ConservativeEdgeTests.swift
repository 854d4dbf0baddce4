import Emulation
import EmulatorTestSupport
import IndexSets
import JobModel
import Quantities
import Scheduling
import Testing

/// Corners of the policies that plan ahead, each a day of two or three jobs.
@Suite("Corners of conservative backfilling")
struct ConservativeEdgeTests {
    private static let policies = ["conservative", "conservative-compress", "slurm"]

    private func at(_ seconds: Int64) -> SimInstant { SimInstant(seconds: seconds) }

    private func job(_ number: UInt32, nodes: Int32, limit: Int64) -> JobSubmission {
        JobSubmission(
            id: JobID(number),
            request: .wholeNodes(nodes),
            timeLimit: SimDuration(seconds: limit)
        )
    }

    @Test("A job without run time holds its nodes at its instant", arguments: policies)
    func zeroLimit(name: String) throws {
        let policy = try SchedulingPolicy(named: name)
        var emulator = Emulator(.uniform(nodeCount: 6, policy: policy))
        var sink = RecordingSink()
        for number in 1...2 as ClosedRange<UInt32> {
            let submission = job(number, nodes: 4, limit: number == 1 ? 0 : 50)
            try emulator.handle(.submit(submission), at: at(0), into: &sink)
        }
        emulator.schedulingPass(at: at(0), into: &sink)
        #expect(sink.starts == [JobID(1): at(0)])
        emulator.checkInvariants()
        try emulator.handle(.jobEnded(JobID(1), .completed), at: at(0), into: &sink)
        emulator.schedulingPass(at: at(0), into: &sink)
        #expect(sink.starts[JobID(2)] == at(0))
        emulator.checkInvariants()
    }

    @Test("A promise that nobody waits for any more wakes nobody")
    func noWakeWithoutQueue() throws {
        let policy = SchedulingPolicy(backfill: .conservativeCompress)
        var emulator = Emulator(.uniform(nodeCount: 4, policy: policy))
        var sink = RecordingSink()
        for number in 1...2 as ClosedRange<UInt32> {
            let submission = job(number, nodes: 4, limit: 50)
            try emulator.handle(.submit(submission), at: at(0), into: &sink)
        }
        emulator.schedulingPass(at: at(0), into: &sink)
        #expect(sink.wakes == [at(50)])
        try emulator.handle(.cancel(JobID(2)), at: at(1), into: &sink)
        for second in [1, 2, 60] as [Int64] {
            emulator.schedulingPass(at: at(second), into: &sink)
        }
        #expect(sink.wakes == [at(50)])
    }

    @Test("What a drained node held does not come back into the plan")
    func drainedNodesStayOut() throws {
        let policy = SchedulingPolicy(backfill: .conservativeCompress)
        var emulator = Emulator(.uniform(nodeCount: 4, policy: policy))
        var sink = RecordingSink()
        try emulator.handle(.submit(job(1, nodes: 4, limit: 50)), at: at(0), into: &sink)
        emulator.schedulingPass(at: at(0), into: &sink)
        try emulator.handle(.nodesDrained(IDSet([0])), at: at(1), into: &sink)
        try emulator.handle(.submit(job(2, nodes: 2, limit: 50)), at: at(1), into: &sink)
        try emulator.handle(.submit(job(3, nodes: 2, limit: 50)), at: at(1), into: &sink)
        emulator.schedulingPass(at: at(1), into: &sink)
        try emulator.handle(.jobEnded(JobID(1), .completed), at: at(5), into: &sink)
        emulator.schedulingPass(at: at(5), into: &sink)
        #expect(sink.starts[JobID(2)] == at(5))
        #expect(emulator.obstacle(to: JobID(3), at: at(5)) == .plannedFor(55_000_000))
    }
}
