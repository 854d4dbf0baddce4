import ClusterModel
import Emulation
import EmulatorTestSupport
import IndexSets
import JobModel
import Quantities
import Scheduling
import Testing

/// A centre of two partitions: 0, four nodes of four cores that are given whole, and 1, four of
/// eight cores that jobs share.
@Suite("Jobs of several partitions")
struct SeveralPartitionsTests {
    private static let whole = 0
    private static let shared = 1
    private var emulator: Emulator
    private var sink = RecordingSink()

    init() {
        let nodes = (0..<8).map { NodeCapacity(cores: $0 < 4 ? 4 : 8) }
        emulator = Emulator(
            EmulatorConfiguration(
                nodes: nodes,
                partitions: [
                    PartitionConfiguration(nodes: IDSet(0..<4), isWholeNode: true),
                    PartitionConfiguration(nodes: IDSet(4..<8), isWholeNode: false),
                ],
                policy: .easy
            )
        )
    }

    private func at(_ seconds: Int64) -> SimInstant { SimInstant(seconds: seconds) }

    private func job(
        _ number: UInt32,
        _ partitions: [Int],
        chunks: Int32 = 1,
        cores: Int32 = 1
    ) -> JobSubmission {
        JobSubmission(
            id: JobID(number),
            partitions: partitions,
            request: ResourceRequest(
                chunkCount: chunks,
                coresPerChunk: cores,
                chunksPerNodeMaximum: 1
            ),
            timeLimit: SimDuration(seconds: 100),
            isRequeuable: true
        )
    }

    private mutating func feed(_ input: Input, at seconds: Int64 = 0) throws {
        try emulator.handle(input, at: at(seconds), into: &sink)
        emulator.schedulingPass(at: at(seconds), into: &sink)
        emulator.checkInvariants()
    }

    private mutating func end(_ number: UInt32, at seconds: Int64) throws -> JobEnd? {
        try feed(.jobEnded(JobID(number), .completed), at: seconds)
        return sink.endings[JobID(number)]
    }

    @Test("It runs, and is recorded, in the partition that has its nodes")
    mutating func partitionIsTheOneOfItsNodes() throws {
        try feed(.submit(job(1, [Self.shared], chunks: 4, cores: 8)))
        try feed(.submit(job(2, [Self.shared, Self.whole])))
        #expect(emulator.allocation(of: JobID(2)).map(\.node) == [0])
        #expect(sink.partitions[JobID(2)] == Self.whole)
        #expect(try end(2, at: 5)?.partition == Self.whole)
    }

    @Test("It holds whole nodes where they are given whole, and only there")
    mutating func wholenessIsThePartitions() throws {
        try feed(.submit(job(1, [Self.whole], chunks: 4)))
        try feed(.submit(job(2, [Self.whole, Self.shared])))
        #expect(sink.partitions[JobID(2)] == Self.shared)
        // Its node fails: it waits again, and starts where a whole node has become free.
        try feed(.submit(job(3, [Self.shared], chunks: 3, cores: 8)))
        try feed(.jobEnded(JobID(1), .completed), at: 1)
        try feed(.nodesDown(IDSet([4])), at: 2)
        #expect(sink.requeues.map(\.coresHeld) == [1])
        #expect(sink.partitions[JobID(2)] == Self.whole)
        #expect(try end(2, at: 5)?.coresHeld == 4)
        try feed(.submit(job(4, [Self.shared, Self.whole])), at: 6)
        #expect(sink.partitions[JobID(4)] == Self.whole)
        #expect(try end(4, at: 7)?.coresHeld == 4)
    }

    @Test("A partition that could never hold it does not get it")
    mutating func unfitPartitionsAreLeftOut() throws {
        try feed(.submit(job(1, [Self.shared], chunks: 4, cores: 8)))
        try feed(.submit(job(2, [Self.shared, Self.whole], cores: 8)))
        #expect(sink.starts[JobID(2)] == nil)
        try feed(.jobEnded(JobID(1), .completed), at: 3)
        #expect(sink.partitions[JobID(2)] == Self.shared)
    }

    @Test(
        "Nodes that it names and can never get together are refused",
        arguments: [
            // More nodes than chunks, nodes of no or of two partitions, one that it excludes.
            (chunks: 1, required: [4, 5], excluded: []), (2, [3, 4], []), (1, [4], [4]),
            (1, [], [4, 5, 6, 7]), (3, [4], [5, 6]),
        ] as [(Int32, [Int], [Int])]
    )
    mutating func impossibleNodes(chunks: Int32, required: [Int], excluded: [Int]) throws {
        var impossible = job(1, [Self.shared], chunks: chunks)
        if !required.isEmpty { impossible.requiredNodes = IDSet(required) }
        if !excluded.isEmpty { impossible.excludedNodes = IDSet(excluded) }
        #expect(throws: InputRejection.neverFits) { try feed(.submit(impossible)) }
        try feed(.submit(job(2, [Self.shared])))
        #expect(sink.starts.keys.sorted() == [JobID(2)])
    }

    @Test("A cancelled job does not start again, whatever becomes of its node")
    mutating func cancelledStaysCancelled() throws {
        try feed(.submit(job(1, [Self.shared])))
        try feed(.cancel(JobID(1)), at: 1)
        #expect(throws: InputRejection.jobIsCancelled(JobID(1))) {
            try feed(.requeue(JobID(1)), at: 2)
        }
        try feed(.nodesDown(IDSet([4])), at: 3)
        #expect(sink.endings[JobID(1)]?.state == .cancelled)
        #expect(sink.requeues.isEmpty)
        #expect(emulator.activeJobCount == 0)
    }

    @Test("A user's hold does not take the place of an operator's")
    mutating func operatorsHoldStays() throws {
        var held = job(1, [Self.shared])
        held.hold = .user
        try feed(.submit(held))
        try feed(.hold(JobID(1), .admin), at: 1)
        try feed(.hold(JobID(1), .user), at: 2)
        #expect(emulator.pendingReason(of: JobID(1)) == .jobHeldAdmin)
    }

    @Test("Money that a running job gives up lets the next one start")
    mutating func fundsComeFree() throws {
        try feed(.setPurse(0, 100))
        for number in 1...2 as ClosedRange<UInt32> {
            var paid = job(number, [Self.shared])
            paid.funds = FundsNeed(purse: 0, price: 60)
            try feed(.submit(paid))
        }
        #expect(emulator.pendingReason(of: JobID(2)) == .assocGrpBillingMinutes)
        try feed(.changeFunds(JobID(1), FundsNeed(purse: 0, price: 40)), at: 1)
        #expect(sink.starts[JobID(2)] == at(1))
    }
}
