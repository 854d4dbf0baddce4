import Accounts
import ClusterModel
import Determinism
import Emulation
import EmulatorTestSupport
import IndexSets
import JobModel
import Quantities
import Scheduling
import Testing

/// Jobs that stand still while others run on their cores (`PreemptMode=SUSPEND`).
@Suite("Preemption by suspending")
struct DisplacementTests {
    private var emulator = Emulator(.uniform(nodeCount: 1, policy: .easy))
    private var sink = RecordingSink()

    /// Two partitions of eight nodes of four cores and 8 GiB; the second has the higher tier.
    private mutating func open(
        isWholeNode: Bool = true,
        cards: Int32 = 0,
        _ change: (inout EmulatorConfiguration) -> Void = { _ in }
    ) {
        let node = NodeCapacity(cores: 4, memory: ByteCount(mebibytes: 8_192), accelerators: cards)
        var configuration = EmulatorConfiguration(
            nodes: Array(repeating: node, count: 8),
            partitions: (1...3).map { tier in
                var partition = PartitionConfiguration(
                    nodes: IDSet(0..<8),
                    isWholeNode: isWholeNode
                )
                partition.tier = Int32(tier)
                return partition
            },
            policy: .easy
        )
        configuration.preemption.basis = .partition
        configuration.preemption.mode = .suspend
        change(&configuration)
        emulator = Emulator(configuration)
        sink = RecordingSink()
    }

    private func at(_ seconds: Int64) -> SimInstant { SimInstant(seconds: seconds) }

    private mutating func submit(
        _ number: UInt32,
        _ request: ResourceRequest,
        tier: Int,
        limit: Int64 = 100,
        at second: Int64
    ) throws {
        let job = JobSubmission(
            id: JobID(number),
            partitions: [tier - 1],
            request: request,
            timeLimit: SimDuration(seconds: limit)
        )
        try emulator.handle(.submit(job), at: at(second), into: &sink)
        pass(at: second)
    }

    private mutating func pass(at second: Int64) {
        emulator.schedulingPass(at: at(second), into: &sink)
        emulator.checkInvariants()
    }

    private mutating func end(_ number: UInt32, at second: Int64) throws {
        try emulator.handle(.jobEnded(JobID(number), .completed), at: at(second), into: &sink)
        pass(at: second)
    }

    private func isRunning(_ number: UInt32) -> Bool {
        emulator.phase(of: JobID(number)) == .running && !emulator.isSuspended(JobID(number))
    }

    private func nodes(_ number: UInt32) -> [Int] {
        emulator.allocation(of: JobID(number)).map(\.node)
    }

    @Test(
        "The job stands still, keeps its nodes, and goes on when the other ends; the time is not its own"
    )
    mutating func suspended() throws {
        open()
        try submit(1, .wholeNodes(5), tier: 1, at: 0)
        try submit(2, .wholeNodes(5), tier: 2, limit: 40, at: 10)
        #expect(isRunning(2) && emulator.isSuspended(JobID(1)))
        #expect(nodes(1) == [0, 1, 2, 3, 4] && nodes(2) == [0, 1, 2, 3, 4])
        // Three are idle; whoever comes gets no node of the job that stands still.
        try submit(3, .wholeNodes(4), tier: 1, at: 11)
        #expect(!isRunning(3))
        // It goes on at 50 and has 90 s left, so eight are free at 140.
        #expect(emulator.estimatedStart(of: JobID(3), from: at(11)) == at(140))
        try end(2, at: 50)
        #expect(sink.resumed[JobID(1)] == at(140))
        try end(1, at: 130)
        #expect(sink.endings[JobID(1)]?.suspendedFor == SimDuration(seconds: 40))
        #expect(isRunning(3))
    }

    @Test("Nodes that the other leaves over are kept for the job, until all are back")
    mutating func leftOver() throws {
        open()
        try submit(1, .wholeNodes(6), tier: 1, limit: 100, at: 0)
        try submit(2, .wholeNodes(4), tier: 2, limit: 30, at: 10)
        #expect(nodes(2) == [0, 1, 2, 3])
        // Two are idle and two are kept.
        try submit(3, .wholeNodes(3), tier: 1, at: 11)
        #expect(!isRunning(3))
        // A second one of the higher tier may have those that are kept, and two that are idle.
        try submit(4, .wholeNodes(4), tier: 2, limit: 60, at: 12)
        #expect(nodes(4) == [4, 5, 6, 7])
        try end(2, at: 30)
        #expect(emulator.isSuspended(JobID(1)))
        try end(4, at: 50)
        #expect(isRunning(1))
        #expect(sink.resumed[JobID(1)] == at(140))
    }

    @Test(
        "Who stands still may have made others stand still: what is owed goes on to whoever has it"
    )
    mutating func chain() throws {
        open()
        try submit(1, .wholeNodes(8), tier: 1, limit: 100, at: 0)
        try submit(2, .wholeNodes(6), tier: 2, limit: 100, at: 10)
        try submit(3, .wholeNodes(4), tier: 3, limit: 100, at: 20)
        #expect(emulator.isSuspended(JobID(1)) && emulator.isSuspended(JobID(2)))
        // Cancelled while it stands still, it leaves two nodes to the first, which goes on waiting.
        try emulator.handle(.cancel(JobID(2)), at: at(30), into: &sink)
        try end(2, at: 30)
        #expect(emulator.isSuspended(JobID(1)))
        try submit(4, .wholeNodes(1), tier: 1, at: 31)
        #expect(!isRunning(4))
        try end(3, at: 40)
        #expect(isRunning(1) && nodes(1) == Array(0..<8))
        try end(1, at: 50)
        #expect(emulator.idleNodeCount == 7)
    }

    @Test("Memory stays with the job that asked for it, cards stay with whoever has them")
    mutating func memory() throws {
        open(isWholeNode: false)
        var low = ResourceRequest(chunkCount: 8, coresPerChunk: 4, memoryMebibytesPerChunk: 6_144)
        try submit(1, low, tier: 1, at: 0)
        // 2 GiB are left on each node.
        var high = ResourceRequest(chunkCount: 1, coresPerChunk: 4, memoryMebibytesPerChunk: 4_096)
        try submit(2, high, tier: 2, at: 1)
        #expect(!isRunning(2) && isRunning(1))
        try emulator.handle(.cancel(JobID(2)), at: at(2), into: &sink)
        high.memoryMebibytesPerChunk = 2_048
        try submit(3, high, tier: 2, at: 2)
        #expect(isRunning(3) && emulator.isSuspended(JobID(1)))
        open(isWholeNode: false, cards: 2)
        low.memoryMebibytesPerChunk = 0
        low.acceleratorsPerNode = 1
        try submit(1, low, tier: 1, at: 0)
        high.memoryMebibytesPerChunk = 0
        try submit(2, high, tier: 2, at: 1)
        #expect(isRunning(1) && !isRunning(2))
    }

    @Test(
        "A whole node keeps the memory asked for, and a job is suspended only by those with room beside it"
    )
    mutating func wholeNodeMemory() throws {
        open()
        var low = ResourceRequest.wholeNodes(8)
        low.memoryMebibytesPerChunk = 5_120
        try submit(1, low, tier: 1, at: 0)
        var high = ResourceRequest.wholeNodes(2)
        high.memoryMebibytesPerChunk = 4_096
        try submit(2, high, tier: 2, at: 1)
        #expect(isRunning(1) && !isRunning(2))
        try emulator.handle(.cancel(JobID(2)), at: at(2), into: &sink)
        high.memoryMebibytesPerChunk = 3_072
        try submit(3, high, tier: 2, at: 2)
        #expect(isRunning(3))
        // The third keeps 3 GiB of its own while it stands still.
        high.memoryMebibytesPerChunk = 1_024
        high.chunkCount = 8
        try submit(4, high, tier: 3, at: 3)
        #expect(!isRunning(4) && isRunning(3))
    }

    @Test("On shared nodes exactly the cores that are needed change hands")
    mutating func cores() throws {
        open(isWholeNode: false)
        try submit(1, ResourceRequest(chunkCount: 30), tier: 1, limit: 100, at: 0)
        // Two cores are free on the last node; two more are the first job's.
        try submit(2, ResourceRequest(chunkCount: 1, coresPerChunk: 4), tier: 2, at: 1)
        #expect(isRunning(2) && emulator.isSuspended(JobID(1)))
        let before = emulator.condition(ofNode: nodes(2)[0])
        #expect(before?.coresFree == 0)
        try submit(3, ResourceRequest(chunkCount: 1), tier: 1, at: 2)
        #expect(isRunning(3) == (nodes(2) == [0]))
        try end(2, at: 5)
        #expect(isRunning(1))
    }

    @Test("A node that fails takes with it who runs there and who stands still there")
    mutating func failure() throws {
        open()
        try submit(1, .wholeNodes(4), tier: 1, at: 0)
        try submit(2, .wholeNodes(8), tier: 2, at: 1)
        try emulator.handle(.nodesDown(IDSet([1])), at: at(2), into: &sink)
        pass(at: 2)
        #expect(sink.endings[JobID(1)]?.state == .nodeFail)
        #expect(sink.endings[JobID(2)]?.state == .nodeFail)
        #expect(emulator.idleNodeCount == 7)
    }

    @Test(
        "An operator cannot let it go on, nor is it suspended twice; whom an operator suspended stays so"
    )
    mutating func operators() throws {
        open()
        try submit(1, .wholeNodes(8), tier: 1, at: 0)
        try submit(2, .wholeNodes(8), tier: 2, at: 1)
        #expect(throws: InputRejection.jobMakesWay(JobID(1))) {
            try emulator.handle(.resume(JobID(1)), at: at(2), into: &sink)
        }
        #expect(throws: InputRejection.jobIsSuspended(JobID(1))) {
            try emulator.handle(.suspend(JobID(1)), at: at(2), into: &sink)
        }
        open()
        try submit(1, .wholeNodes(8), tier: 1, at: 0)
        try emulator.handle(.suspend(JobID(1)), at: at(1), into: &sink)
        try submit(2, .wholeNodes(8), tier: 2, at: 2)
        #expect(isRunning(2))
        try end(2, at: 10)
        #expect(emulator.isSuspended(JobID(1)))
        try emulator.handle(.resume(JobID(1)), at: at(20), into: &sink)
        pass(at: 20)
        #expect(isRunning(1))
    }

    @Test("On random shared nodes nobody loses time or cores", arguments: Seeds.first(60))
    mutating func random(seed: UInt64) throws {
        var random = SplitMix64(seed: seed, stream: "displacement")
        let names = ["fcfs", "easy", "conservative", "conservative-compress", "slurm"]
        let policy = try SchedulingPolicy(named: names[random.draw(0...4)])
        var configuration = EmulatorConfiguration(
            nodes: (0..<6).map { _ in
                NodeCapacity(
                    cores: Int32(random.draw(2...8)),
                    memory: ByteCount(mebibytes: Int64(random.draw(4...16)) * 1_024)
                )
            },
            partitions: (1...3).map { tier in
                var partition = PartitionConfiguration(
                    nodes: IDSet((0..<6).filter { _ in random.below(5) > 0 } + [6 - tier]),
                    isWholeNode: random.below(4) == 0
                )
                partition.tier = Int32(tier)
                partition.terms.preemptMode = random.below(4) == 0 ? .requeue : .cluster
                return partition
            },
            policy: policy
        )
        configuration.preemption.basis = .partition
        configuration.preemption.mode = .suspend
        let note = Seeds.note(seed, "Displacement", policy.name)
        let emulator = Emulator(configuration)
        var day = DisplacedDay(emulator)
        try day.run(&random, note)
        #expect(day.emulator.activeJobCount == 0, "\(note)")
        #expect(day.sink.wrongEnds.isEmpty, "\(note)")
    }
}

/// A day on which each job runs for a length that nothing may change.
private struct DisplacedDay {
    var emulator: Emulator
    var sink = LengthSink()

    init(_ emulator: Emulator) { self.emulator = emulator }

    mutating func run(_ random: inout SplitMix64, _ note: String) throws {
        var second: Int64 = 0
        var number: UInt32 = 0
        while number < 60 || emulator.activeJobCount > 0 {
            let now = SimInstant(seconds: second)
            for id in sink.takeEnds(at: second) {
                try emulator.handle(.jobEnded(id, .completed), at: now, into: &sink)
            }
            if number < 60, random.below(3) == 0 {
                number += 1
                submit(number, &random, at: now)
            }
            if random.below(40) == 0 {
                let node = random.draw(0...5)
                let input: Input =
                    random.below(2) == 0 ? .nodesDown(IDSet([node])) : .nodesDrained(IDSet([node]))
                try emulator.handle(input, at: now, into: &sink)
            }
            if random.below(8) == 0 || number == 60 {
                try emulator.handle(.nodesResumed(IDSet(0..<6)), at: now, into: &sink)
            }
            try emulator.handle(.timer, at: now, into: &sink)
            emulator.schedulingPass(at: now, into: &sink)
            emulator.checkInvariants()
            second += 1
            guard second < 20_000 else {
                Issue.record("jobs are left over: \(note)")
                return
            }
        }
    }

    private mutating func submit(
        _ number: UInt32,
        _ random: inout SplitMix64,
        at now: SimInstant
    ) {
        var request = ResourceRequest(
            chunkCount: Int32(random.draw(1...5)),
            coresPerChunk: Int32(random.draw(1...3)),
            memoryMebibytesPerChunk: Int32(random.draw(0...2) * 1_024),
            isExclusive: random.below(5) == 0
        )
        if random.below(4) == 0 { request.chunksPerNodeMaximum = 1 }
        let limit = Int64(random.draw(5...60))
        let job = JobSubmission(
            id: JobID(number),
            partitions: random.below(4) == 0 ? [0, 1] : [random.draw(0...2)],
            request: request,
            timeLimit: SimDuration(seconds: limit),
            isRequeuable: true
        )
        sink.lengths[job.id] = Int64(random.draw(1...Int(limit)))
        // What does not fit anywhere is refused, and nothing is lost by it.
        try? emulator.handle(.submit(job), at: now, into: &sink)
    }
}

private struct LengthSink: EffectSink {
    /// Unit: s.
    var lengths: [JobID: Int64] = [:]
    private(set) var wrongEnds: [JobID] = []
    private var starts: [JobID: Int64] = [:]
    private var ends: [JobID: Int64] = [:]

    func takeEnds(at second: Int64) -> [JobID] { ends.filter { $0.value == second }.keys.sorted() }

    mutating func jobStarted(_ start: JobStart) {
        let second = start.startedAt.microseconds / 1_000_000
        starts[start.id] = second
        ends[start.id] = second + (lengths[start.id] ?? 0)
    }

    mutating func jobEnded(_ end: JobEnd) {
        ends[end.id] = nil
        guard let start = end.startedAt, end.state == .completed else { return }
        let ran = (end.endedAt - start - end.suspendedFor).microseconds / 1_000_000
        if ran != lengths[end.id] { wrongEnds.append(end.id) }
    }

    mutating func jobRequeued(_ run: JobEnd) { ends[run.id] = nil }
    mutating func jobMustStop(_ id: JobID, _ reason: StopReason) {}
    mutating func jobSuspended(_ id: JobID) { ends[id] = nil }

    mutating func jobResumed(_ id: JobID, suspendedFor: SimDuration, deadline: SimInstant) {
        let stood = suspendedFor.microseconds / 1_000_000
        ends[id] = (starts[id] ?? 0) + stood + (lengths[id] ?? 0)
    }

    mutating func wake(at instant: SimInstant) {}
}
