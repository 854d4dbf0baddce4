import Accounts
import EmulatorTestSupport
import JobModel
import Quantities
import Scheduling
import Testing

@testable import Emulation

/// When what comes in is looked at where passes may wait, as in Slurm's loop.
@Suite("Passes that wait")
struct PassDelayTests {
    private func at(_ milliseconds: Int64) -> SimInstant {
        SimInstant(microseconds: milliseconds * 1_000)
    }

    @Test("After a quiet while the loop's next round looks, then none sooner than so long after it")
    func roundsAreApart() {
        var delay = PassDelay(seconds: 3)
        delay.note(at: at(10_000))
        #expect(delay.nextPass(at: at(10_000)) == at(10_100))
        #expect(delay.nextPass(at: at(10_100)) == nil)
        delay.note(at: at(11_500))
        #expect(delay.nextPass(at: at(11_500)) == at(13_100))
        // What comes meanwhile is looked at then too.
        delay.note(at: at(12_900))
        #expect(delay.nextPass(at: at(13_000)) == at(13_100))
        #expect(delay.nextPass(at: at(13_100)) == nil)
        // Without news a pass may be whenever somebody asks for one.
        #expect(delay.nextPass(at: at(13_200)) == nil)
        delay.note(at: at(60_150))
        #expect(delay.nextPass(at: at(60_200)) == at(61_100))
    }

    @Test("Who waits for a start is looked at once, and the loop does not hear of it")
    func urgentPassesAreNotCounted() {
        var delay = PassDelay(seconds: 3)
        delay.note(at: at(10_000), isUrgent: true)
        #expect(delay.nextPass(at: at(10_000)) == nil)
        delay.note(at: at(10_300))
        #expect(delay.nextPass(at: at(10_300)) == at(11_100))
    }

    @Test("Without a delay every pass may be at once")
    func noDelay() {
        var delay = PassDelay(seconds: 0)
        delay.note(at: at(10_000))
        #expect(delay.nextPass(at: at(10_000)) == nil)
        #expect(!delay.isUnseen(0))
    }

    private func policy(_ name: String) throws -> SchedulingPolicy {
        try SchedulingPolicy(named: name)
    }

    private func submission(_ number: UInt32, nodes: Int32 = 1) -> JobSubmission {
        JobSubmission(
            id: JobID(number),
            partitions: [0],
            request: .wholeNodes(nodes),
            timeLimit: SimDuration(seconds: 600)
        )
    }

    @Test("A job whose deadline is too near waits for the next round, and is given up there")
    func lateDeadlineIsFoundAtAPass() throws {
        var emulator = Emulator(
            .uniform(nodeCount: 2, policy: try policy("easy,batch_sched_delay=3"))
        )
        var sink = RecordingSink()
        var job = submission(1)
        job.deadline = at(60_000)
        try emulator.handle(.submit(job), at: at(0), into: &sink)
        emulator.schedulingPass(at: at(0), into: &sink)
        #expect(emulator.pendingReason(of: JobID(1)) == PendingReason.none)
        try emulator.handle(.timer, at: at(99), into: &sink)
        #expect(emulator.phase(of: JobID(1)) == .waiting)
        try emulator.handle(.timer, at: at(101), into: &sink)
        #expect(emulator.phase(of: JobID(1)) == nil)
    }

    @Test("Heterogeneous jobs start at multiples of bf_interval only")
    func hetJobsWaitForBackfilling() throws {
        var emulator = Emulator(.uniform(nodeCount: 4, policy: try policy("easy,bf_interval=5")))
        var sink = RecordingSink()
        for offset in 0..<2 as Range<Int32> {
            var part = submission(UInt32(1 + offset))
            part.het = HetMembership(leader: JobID(1), offset: offset, count: 2)
            try emulator.handle(.submit(part), at: at(7_000), into: &sink)
        }
        emulator.schedulingPass(at: at(7_000), into: &sink)
        #expect(emulator.runningJobCount == 0)
        #expect(emulator.pendingReason(of: JobID(1)) == PendingReason.none)
        emulator.schedulingPass(at: at(9_999), into: &sink)
        #expect(emulator.runningJobCount == 0)
        emulator.schedulingPass(at: at(10_000), into: &sink)
        #expect(emulator.runningJobCount == 2)
        emulator.checkInvariants()
    }

    @Test("Limits of a partition that change stop those that wait, and let them go again")
    func partitionLimitsChange() throws {
        var emulator = Emulator(.uniform(nodeCount: 4, policy: .easy))
        var sink = RecordingSink()
        let long = SimDuration(seconds: 600)
        try emulator.handle(
            .partitionLimits(0, nodes: 1, time: nil),
            at: at(0),
            into: &sink
        )
        try emulator.handle(.submit(submission(1, nodes: 2)), at: at(1), into: &sink)
        emulator.schedulingPass(at: at(1), into: &sink)
        #expect(emulator.pendingReason(of: JobID(1)) == .partitionNodeLimit)
        let short = SimDuration(seconds: 60)
        try emulator.handle(.partitionLimits(0, nodes: nil, time: short), at: at(2), into: &sink)
        #expect(emulator.pendingReason(of: JobID(1)) == .partitionTimeLimit)
        #expect(emulator.limits(ofPartition: 0).time == short)
        try emulator.handle(.partitionLimits(0, nodes: 2, time: long), at: at(3), into: &sink)
        emulator.schedulingPass(at: at(3), into: &sink)
        #expect(emulator.runningJobCount == 1)
        emulator.checkInvariants()
    }
}
