import ClusterModel
import Emulation
import EmulatorTestSupport
import IndexSets
import JobModel
import Quantities
import Scheduling
import Testing

/// Examples of docs/scheduling.md, "What a job holds".
@Suite("Allocations")
struct AllocationTests {
    private func centre(
        cores: Int32 = 8,
        count: Int = 4,
        isWholeNode: Bool = false,
        policy: SchedulingPolicy = .easy
    ) -> Emulator {
        Emulator(
            EmulatorConfiguration(
                nodes: Array(
                    repeating: NodeCapacity(cores: cores, memory: ByteCount(mebibytes: 100)),
                    count: count
                ),
                partitions: [
                    PartitionConfiguration(nodes: IDSet(0..<count), isWholeNode: isWholeNode)
                ],
                policy: policy
            )
        )
    }

    private func onNodes(
        _ nodes: ClosedRange<Int32>,
        tasks: Int32,
        cores: Int32 = 1
    ) -> ResourceRequest {
        var request = ResourceRequest(chunkCount: tasks, coresPerChunk: cores)
        request.nodesMinimum = nodes.lowerBound
        request.nodesMaximum = nodes.upperBound
        return request
    }

    /// Submits a job at an instant and returns the cores that it then holds on each node.
    private func cores(
        _ number: UInt32,
        _ request: ResourceRequest,
        user: Int32 = -1,
        limit: Int64 = 100,
        at seconds: Int64 = 0,
        _ emulator: inout Emulator,
        _ sink: inout RecordingSink
    ) throws -> [Int: Int32] {
        var job = JobSubmission(
            id: JobID(number),
            request: request,
            timeLimit: SimDuration(seconds: limit)
        )
        job.user = user
        let now = SimInstant(seconds: seconds)
        try emulator.handle(.submit(job), at: now, into: &sink)
        emulator.schedulingPass(at: now, into: &sink)
        emulator.checkInvariants()
        let held = emulator.allocation(of: JobID(number))
        return Dictionary(uniqueKeysWithValues: held.map { ($0.node, $0.cores) })
    }

    @Test("-N 3 -n 5 holds 3 + 1 + 1 cores, -N 2 -n 4 -c 2 holds 6 + 2")
    func unevenTasks() throws {
        var emulator = centre()
        var sink = RecordingSink()
        let five = try cores(1, onNodes(3...3, tasks: 5), &emulator, &sink)
        #expect(five == [0: 3, 1: 1, 2: 1])
        let pairs = onNodes(2...2, tasks: 4, cores: 2)
        #expect(try cores(2, pairs, at: 1, &emulator, &sink) == [0: 4, 1: 4])
        emulator = centre()
        #expect(try cores(1, pairs, &emulator, &sink) == [0: 6, 1: 2])
    }

    @Test("Where the first nodes have too little room, those with the most are taken")
    func mostRoom() throws {
        var emulator = centre(count: 3)
        var sink = RecordingSink()
        #expect(try cores(1, ResourceRequest(chunkCount: 7), &emulator, &sink) == [0: 7])
        let ten = onNodes(2...2, tasks: 10)
        #expect(try cores(2, ten, at: 1, &emulator, &sink) == [1: 8, 2: 2])
        let two = onNodes(2...2, tasks: 8)
        #expect(try cores(3, two, at: 2, &emulator, &sink).isEmpty)
        #expect(emulator.pendingReason(of: JobID(3)) == .resources)
    }

    @Test(
        "-N 2-4 takes all four nodes of an idle machine, whatever the policy",
        arguments: [
            .fcfs, .easy, SchedulingPolicy(backfill: .conservative),
            SchedulingPolicy(backfill: .conservativeCompress), SchedulingPolicy(backfill: .slurm),
        ],
        [false, true]
    )
    func nodeRange(policy: SchedulingPolicy, isWholeNode: Bool) throws {
        var emulator = centre(isWholeNode: isWholeNode, policy: policy)
        var sink = RecordingSink()
        var request = ResourceRequest(chunkCount: 2, coresPerChunk: 8, chunksPerNodeMaximum: 1)
        request.extraChunks = 2
        #expect(try cores(1, request, &emulator, &sink).count == 4)
        try emulator.handle(
            .jobEnded(JobID(1), .completed),
            at: SimInstant(seconds: 1),
            into: &sink
        )
        let one = ResourceRequest(chunkCount: 1, coresPerChunk: 8)
        #expect(try cores(2, one, at: 1, &emulator, &sink).count == 1)
        #expect(try cores(3, request, at: 2, &emulator, &sink) == [1: 8, 2: 8, 3: 8])
        #expect(try cores(4, request, at: 3, &emulator, &sink).isEmpty)
    }

    @Test("A range never takes nodes that the head of the queue was promised")
    func rangeBesideHead() throws {
        for isWholeNode in [false, true] {
            var emulator = centre(isWholeNode: isWholeNode)
            var sink = RecordingSink()
            let one = ResourceRequest(chunkCount: 1, coresPerChunk: 8)
            #expect(try cores(1, one, limit: 50, &emulator, &sink) == [0: 8])
            let four = ResourceRequest(chunkCount: 4, coresPerChunk: 8, chunksPerNodeMaximum: 1)
            #expect(try cores(2, four, at: 1, &emulator, &sink).isEmpty)
            var range = ResourceRequest(chunkCount: 1, coresPerChunk: 8, chunksPerNodeMaximum: 1)
            range.extraChunks = 2
            #expect(try cores(3, range, limit: 60, at: 2, &emulator, &sink).isEmpty)
            #expect(try cores(4, range, limit: 40, at: 3, &emulator, &sink).count == 3)
        }
    }

    @Test(
        "--exclusive=user keeps a node for its user until the last job has left, and holds what was asked"
    )
    func keptForUser() throws {
        var emulator = centre(count: 2)
        var sink = RecordingSink()
        var kept = ResourceRequest(chunkCount: 1)
        kept.keeper = NodeKeeper.key(ofUser: 1)
        let plain = ResourceRequest(chunkCount: 1)
        #expect(try cores(1, kept, user: 1, &emulator, &sink) == [0: 1])
        #expect(try cores(2, plain, user: 1, at: 1, &emulator, &sink) == [0: 1])
        #expect(try cores(3, plain, user: 2, at: 2, &emulator, &sink) == [1: 1])
        var other = plain
        other.keeper = NodeKeeper.key(ofUser: 2)
        #expect(try cores(4, other, user: 2, at: 3, &emulator, &sink).isEmpty)
        let now = SimInstant(seconds: 4)
        try emulator.handle(.jobEnded(JobID(1), .completed), at: now, into: &sink)
        emulator.schedulingPass(at: now, into: &sink)
        #expect(emulator.allocation(of: JobID(4)).isEmpty, "a job of user 1 is left")
        try emulator.handle(.jobEnded(JobID(2), .completed), at: now, into: &sink)
        emulator.schedulingPass(at: now, into: &sink)
        #expect(emulator.allocation(of: JobID(4)).map(\.node) == [0])
        #expect(sink.endings[JobID(1)]?.coresHeld == 1)
    }

    @Test("Chunks lie where a plain search puts them", arguments: Seeds.first(300))
    func plainTwin(seed: UInt64) throws {
        var day = PlainAllocationDay(seed: seed)
        try day.run()
    }
}
