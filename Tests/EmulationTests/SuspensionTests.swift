import Accounts
import Emulation
import EmulatorTestSupport
import JobModel
import Quantities
import Scheduling
import Testing

private func at(_ seconds: Int64) -> SimInstant { SimInstant(seconds: seconds) }

/// Examples of docs/scheduling.md, "Suspended, requeued, given up".
@Suite("Suspended, requeued, given up")
struct SuspensionTests {
    private var emulator = Emulator(.uniform(nodeCount: 4, policy: .easy))
    private var sink = RecordingSink()

    private mutating func feed(_ input: Input, at seconds: Int64) throws {
        try emulator.handle(input, at: at(seconds), into: &sink)
        emulator.schedulingPass(at: at(seconds), into: &sink)
        emulator.checkInvariants()
    }

    /// Why an input is refused; nil when it is taken.
    private mutating func refusal(of input: Input, at seconds: Int64) -> InputRejection? {
        do throws(InputRejection) {
            try emulator.handle(input, at: at(seconds), into: &sink)
            return nil
        } catch {
            return error
        }
    }

    private mutating func submit(
        _ number: UInt32,
        nodes: Int32 = 1,
        limit: Int64 = 100,
        at seconds: Int64 = 0,
        _ change: (inout JobSubmission) -> Void = { _ in }
    ) throws {
        var job = JobSubmission(
            id: JobID(number),
            request: .wholeNodes(nodes),
            timeLimit: SimDuration(seconds: limit)
        )
        change(&job)
        try feed(.submit(job), at: seconds)
    }

    @Test("A suspended job keeps its nodes, and its limit ends it later by the time it stood still")
    mutating func suspend() throws {
        try submit(1, nodes: 3)
        try submit(2, nodes: 4, at: 1)
        #expect(emulator.estimatedStart(of: JobID(2), from: at(1)) == at(100))
        try feed(.suspend(JobID(1)), at: 40)
        #expect(emulator.isSuspended(JobID(1)) && sink.suspended == [JobID(1)])
        #expect(emulator.idleNodeCount == 1)
        #expect(emulator.estimatedStart(of: JobID(2), from: at(40)) == nil, "nobody knows")
        try feed(.resume(JobID(1)), at: 70)
        #expect(sink.resumed[JobID(1)] == at(130))
        #expect(emulator.deadline(of: JobID(1)) == at(130))
        #expect(emulator.estimatedStart(of: JobID(2), from: at(70)) == at(130))
        try feed(.suspend(JobID(1)), at: 80)
        try feed(.jobEnded(JobID(1), .completed), at: 95)
        #expect(sink.endings[JobID(1)]?.suspendedFor == SimDuration(seconds: 45))
        #expect(sink.starts[JobID(2)] == at(95))
    }

    @Test("Minutes to come are those of the limit, however long a job stood still")
    mutating func minutes() throws {
        var configuration = EmulatorConfiguration.uniform(nodeCount: 4, policy: .easy)
        // Of two nodes for 600 s there is room for one.
        configuration.qos[0].limits[LimitKind(.group, .runningMinutes(.node))] = 15
        emulator = Emulator(configuration)
        try submit(1, limit: 600)
        try feed(.suspend(JobID(1)), at: 10)
        try feed(.resume(JobID(1)), at: 3_000)
        try feed(.suspend(JobID(1)), at: 3_010)
        try feed(.jobEnded(JobID(1), .completed), at: 9_000)
        try submit(2, limit: 600, at: 9_001)
        try submit(3, limit: 600, at: 9_002)
        #expect(sink.starts[JobID(2)] == at(9_001) && sink.starts[JobID(3)] == nil)
        #expect(emulator.pendingReason(of: JobID(3)) != .resources)
    }

    @Test("Only a running job is suspended, and only a suspended one resumed")
    mutating func refusals() throws {
        try submit(1, nodes: 4)
        try submit(2, at: 1)
        let early = refusal(of: .suspend(JobID(2)), at: 2)
        #expect(early == .jobIsPending(JobID(2)))
        let awake = refusal(of: .resume(JobID(1)), at: 2)
        #expect(awake == .jobIsRunning(JobID(1)))
        try feed(.suspend(JobID(1)), at: 3)
        let twice = refusal(of: .suspend(JobID(1)), at: 4)
        #expect(twice == .jobIsSuspended(JobID(1)))
        let unknown = refusal(of: .resume(JobID(9)), at: 4)
        #expect(unknown == .unknownJob(JobID(9)))
    }

    @Test("A suspended job that is requeued begins anew")
    mutating func requeueSuspended() throws {
        try submit(1)
        try feed(.suspend(JobID(1)), at: 10)
        try feed(.requeue(JobID(1)), at: 30)
        #expect(sink.requeues.first?.suspendedFor == SimDuration(seconds: 20))
        #expect(!emulator.isSuspended(JobID(1)) && emulator.deadline(of: JobID(1)) == at(130))
    }

    @Test("A requeued job waits for the centre's delay, in any phase of its life")
    mutating func requeueDelay() throws {
        var configuration = EmulatorConfiguration.uniform(nodeCount: 4, policy: .easy)
        configuration.partitions[0].requeueDelay = SimDuration(seconds: 121)
        emulator = Emulator(configuration)
        try submit(1)
        for round in 0..<2 {
            let start = Int64(round) * 131
            try feed(.requeue(JobID(1)), at: start + 10)
            #expect(emulator.pendingReason(of: JobID(1)) == .beginTime)
            try feed(.timer, at: start + 130)
            #expect(emulator.pendingReason(of: JobID(1)) == .beginTime)
            try feed(.timer, at: start + 131)
            #expect(sink.starts[JobID(1)] == at(start + 131))
        }
    }

    @Test("A job that could not be over by its deadline is given up, one that just can starts")
    mutating func deadline() throws {
        try submit(1, nodes: 4, limit: 50)
        try submit(2, limit: 50, at: 1) { $0.deadline = at(100) }
        try submit(3, limit: 51, at: 1) { $0.deadline = at(100) }
        try submit(4, limit: 60, at: 1) { $0.deadline = at(10) }
        let wakes = sink.wakes.sorted()
        #expect(wakes.count == 3 && wakes[0] == at(1) + SimDuration(microseconds: 1))
        for wake in wakes {
            if wake > at(50), sink.endings[JobID(1)] == nil {
                try feed(.jobEnded(JobID(1), .completed), at: 50)
            }
            try emulator.handle(.timer, at: wake, into: &sink)
            emulator.schedulingPass(at: wake, into: &sink)
        }
        #expect(sink.starts[JobID(2)] == at(50))
        #expect(sink.endings[JobID(3)]?.state == .deadline)
        #expect(sink.endings[JobID(4)]?.state == .deadline)
        var late = JobSubmission(
            id: JobID(5),
            request: .wholeNodes(1),
            timeLimit: SimDuration(seconds: 1)
        )
        late.deadline = at(60)
        let refused = refusal(of: .submit(late), at: 60)
        #expect(refused == .deadlineIsOver)
    }

    @Test("--immediate is given up in the pass of its instant, or when its patience is over")
    mutating func immediate() throws {
        try submit(1, nodes: 4)
        try submit(2, at: 1) { $0.startsBy = at(1) }
        #expect(sink.endings[JobID(2)]?.state == .cancelled)
        try submit(3, at: 2) { $0.startsBy = at(20) }
        #expect(sink.wakes == [at(20)] && sink.endings[JobID(3)] == nil)
        try feed(.timer, at: 20)
        #expect(sink.endings[JobID(3)]?.endedAt == at(20))
        try feed(.jobEnded(JobID(1), .completed), at: 30)
        try submit(4, at: 31) { $0.startsBy = at(31) }
        #expect(sink.starts[JobID(4)] == at(31))
    }
}
