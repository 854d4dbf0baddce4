import Accounts
import ClusterModel
import Emulation
import EmulatorTestSupport
import IndexSets
import JobModel
import Quantities
import Scheduling
import Testing

/// `Input.start`: decisions that are taken outside and carried out, or refused, by the engine.
@Suite("Starts decided outside")
struct OutsideStartTests {
    private var emulator = Emulator(
        .uniform(nodeCount: 4, policy: SchedulingPolicy(backfill: .external))
    )
    private var sink = RecordingSink()

    private func at(_ seconds: Int64) -> SimInstant { SimInstant(seconds: seconds) }

    private func job(_ number: UInt32, nodes: Int32) -> JobSubmission {
        JobSubmission(
            id: JobID(number),
            request: .wholeNodes(nodes),
            timeLimit: SimDuration(seconds: 100)
        )
    }

    private mutating func rejection(of input: Input, at seconds: Int64) -> InputRejection? {
        do throws(InputRejection) {
            try emulator.handle(input, at: at(seconds), into: &sink)
            return nil
        } catch {
            return error
        }
    }

    @Test("A pass starts nothing; a start takes the lowest nodes and may overtake")
    mutating func starts() throws {
        for number in 1...3 as ClosedRange<UInt32> {
            let submission = job(number, nodes: number == 1 ? 4 : 2)
            try emulator.handle(.submit(submission), at: at(0), into: &sink)
        }
        emulator.schedulingPass(at: at(0), into: &sink)
        #expect(sink.starts.isEmpty)
        let late = rejection(of: .start(JobID(3)), at: 1)
        #expect(late == nil)
        #expect(sink.starts == [JobID(3): at(1)])
        #expect(emulator.allocation(of: JobID(3)).map(\.node) == [0, 1])
        #expect(emulator.idleNodeCount == 2)
        emulator.checkInvariants()
    }

    @Test("What cannot start is refused with the reason, and nothing changes")
    mutating func refusals() throws {
        var limited = job(3, nodes: 1)
        limited.qos = 1
        var held = job(4, nodes: 1)
        held.hold = .user
        let kind = LimitKind(.perJob, .tres(.node))
        var none = QOS(name: "none")
        none.limits[kind] = 0
        try emulator.handle(.changePeople(.qos(1, none)), at: at(0), into: &sink)
        for submission in [job(1, nodes: 3), job(2, nodes: 2), limited, held] {
            try emulator.handle(.submit(submission), at: at(0), into: &sink)
        }
        try emulator.handle(.start(JobID(1)), at: at(0), into: &sink)
        let digest = emulator.digest
        let expected: [(UInt32, InputRejection)] = [
            (1, .jobIsRunning(JobID(1))),
            (2, .doesNotFitNow(JobID(2))),
            (3, .jobMayNotStart(JobID(3), .limit(LimitReason(.qos, kind)))),
            (4, .jobMayNotStart(JobID(4), .jobHeldUser)),
            (5, .unknownJob(JobID(5))),
        ]
        for (number, reason) in expected {
            let found = rejection(of: .start(JobID(number)), at: 1)
            #expect(found == reason)
        }
        #expect(emulator.digest == digest)
        #expect(sink.starts == [JobID(1): at(0)])
        emulator.checkInvariants()
    }

    @Test("A job of several partitions starts in the first that has room, and leaves the other")
    func severalPartitions() throws {
        var emulator = Emulator(
            EmulatorConfiguration(
                nodes: Array(repeating: NodeCapacity(cores: 1), count: 4),
                partitions: [
                    PartitionConfiguration(nodes: IDSet(0..<2), isWholeNode: true),
                    PartitionConfiguration(nodes: IDSet(2..<4), isWholeNode: true),
                ],
                policy: SchedulingPolicy(backfill: .external)
            )
        )
        var sink = RecordingSink()
        for number in 1...3 as ClosedRange<UInt32> {
            var either = job(number, nodes: 2)
            either.partitions = [0, 1]
            try emulator.handle(.submit(either), at: at(0), into: &sink)
        }
        try emulator.handle(.start(JobID(2)), at: at(0), into: &sink)
        try emulator.handle(.start(JobID(1)), at: at(0), into: &sink)
        emulator.checkInvariants()
        #expect(emulator.allocation(of: JobID(2)).map(\.node) == [0, 1])
        #expect(emulator.allocation(of: JobID(1)).map(\.node) == [2, 3])
        #expect(emulator.pendingReason(of: JobID(3)) == .resources)
    }

    @Test("Named nodes are honoured, and a busy one refuses the start")
    mutating func namedNodes() throws {
        var wanted = job(1, nodes: 2)
        wanted.requiredNodes = IDSet([3])
        var same = job(2, nodes: 1)
        same.requiredNodes = IDSet([3])
        try emulator.handle(.submit(wanted), at: at(0), into: &sink)
        try emulator.handle(.submit(same), at: at(0), into: &sink)
        try emulator.handle(.start(JobID(1)), at: at(0), into: &sink)
        #expect(emulator.allocation(of: JobID(1)).map(\.node) == [0, 3])
        let busy = rejection(of: .start(JobID(2)), at: 1)
        #expect(busy == .doesNotFitNow(JobID(2)))
        emulator.checkInvariants()
    }

    @Test("A job gets the nodes that were chosen for it, all of them and no others")
    mutating func chosenNodes() throws {
        for number in 1...3 as ClosedRange<UInt32> {
            try emulator.handle(.submit(job(number, nodes: 2)), at: at(0), into: &sink)
        }
        try emulator.handle(.start(JobID(2), on: IDSet([1, 3])), at: at(0), into: &sink)
        #expect(emulator.allocation(of: JobID(2)).map(\.node) == [1, 3])
        let digest = emulator.digest
        // One is busy, there are too few, too many, and one that is none.
        for nodes in [[0, 1], [0], [0, 2, 3], [0, 1, 2], [2, 9]] {
            let refusal = rejection(of: .start(JobID(1), on: IDSet(nodes)), at: 1)
            #expect(refusal == .doesNotFitNow(JobID(1)), "\(nodes)")
        }
        #expect(emulator.digest == digest)
        try emulator.handle(.start(JobID(1)), at: at(1), into: &sink)
        #expect(emulator.allocation(of: JobID(1)).map(\.node) == [0, 2])
        emulator.checkInvariants()
    }

    @Test("Chosen nodes must be those of a partition that is tried, with those that the job names")
    func chosenWithinLimits() throws {
        var emulator = Emulator(
            EmulatorConfiguration(
                nodes: Array(repeating: NodeCapacity(cores: 4), count: 6),
                partitions: [
                    PartitionConfiguration(nodes: IDSet(0..<4), isWholeNode: false),
                    PartitionConfiguration(nodes: IDSet(2..<6), isWholeNode: false),
                ],
                policy: SchedulingPolicy(backfill: .external)
            )
        )
        var sink = RecordingSink()
        func start(_ nodes: [Int]) -> InputRejection? {
            do throws(InputRejection) {
                try emulator.handle(.start(JobID(1), on: IDSet(nodes)), at: at(0), into: &sink)
                return nil
            } catch {
                return error
            }
        }
        var wanted = JobSubmission(
            id: JobID(1),
            partitions: [1],
            request: ResourceRequest(chunkCount: 6),
            timeLimit: SimDuration(seconds: 100)
        )
        wanted.requiredNodes = IDSet([3])
        try emulator.handle(.submit(wanted), at: at(0), into: &sink)
        #expect(start([1, 3]) == .doesNotFitNow(JobID(1)), "node 1 is of the other partition")
        #expect(start([4, 5]) == .doesNotFitNow(JobID(1)), "the job must have node 3")
        #expect(start([3]) == .doesNotFitNow(JobID(1)), "six cores do not fit on one")
        #expect(start([3, 5]) == nil)
        #expect(emulator.allocation(of: JobID(1)).map(\.node) == [3, 5])
        emulator.checkInvariants()
    }
}
