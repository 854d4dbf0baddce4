import Accounts
import ClusterModel
import Emulation
import EmulatorTestSupport
import IndexSets
import JobModel
import Quantities
import Scheduling
import Testing

/// Who makes way for whom, and how.
@Suite("Preemption")
struct PreemptionTests {
    private var emulator = Emulator(.uniform(nodeCount: 1, policy: .easy))
    private var sink = RecordingSink()

    private enum Place {
        static let normal: Int32 = 0
        static let low: Int32 = 1
        static let high: Int32 = 2
        static let top: Int32 = 3
    }

    /// Eight equal nodes in two partitions of tiers 1 and 2; QOS `top` preempts `high`, `high` `low`.
    private mutating func open(
        _ basis: PreemptionRules.Basis = .qos,
        policy: SchedulingPolicy = .easy,
        _ change: (inout EmulatorConfiguration) -> Void = { _ in }
    ) {
        var configuration = EmulatorConfiguration(
            nodes: Array(repeating: NodeCapacity(cores: 4), count: 8),
            partitions: (1...2).map { tier in
                var partition = PartitionConfiguration(nodes: IDSet(0..<8), isWholeNode: true)
                partition.tier = Int32(tier)
                return partition
            },
            policy: policy
        )
        var (low, high, top) = (QOS(name: "low"), QOS(name: "high", priority: 5), QOS(name: "top"))
        low.priority = 1
        high.preempts = ["low"]
        top.preempts = ["high"]
        configuration.qos = [.normal, low, high, top]
        configuration.preemption.basis = basis
        change(&configuration)
        emulator = Emulator(configuration)
        sink = RecordingSink()
    }

    private func at(_ seconds: Int64) -> SimInstant { SimInstant(seconds: seconds) }

    private mutating func submit(
        _ number: UInt32,
        nodes: Int32,
        qos: Int32,
        partitions: [Int] = [0],
        limit: Int64 = 100,
        isRequeuable: Bool = true,
        at second: Int64
    ) throws {
        var job = JobSubmission(
            id: JobID(number),
            partitions: partitions,
            request: .wholeNodes(nodes),
            timeLimit: SimDuration(seconds: limit),
            isRequeuable: isRequeuable
        )
        job.qos = qos
        try emulator.handle(.submit(job), at: at(second), into: &sink)
        pass(at: second)
    }

    private mutating func pass(at second: Int64) {
        emulator.schedulingPass(at: at(second), into: &sink)
        emulator.checkInvariants()
    }

    private func isRunning(_ number: UInt32) -> Bool {
        emulator.phase(of: JobID(number)) == .running
    }

    private var requeued: [UInt32] { sink.requeues.map(\.id.number) }

    @Test("A job makes way for one of a QOS that preempts its own, and comes back")
    mutating func requeue() throws {
        open()
        try submit(1, nodes: 8, qos: Place.low, at: 0)
        try submit(2, nodes: 2, qos: Place.normal, limit: 200, at: 1)
        #expect(!isRunning(2))
        try submit(3, nodes: 2, qos: Place.high, at: 2)
        #expect(isRunning(3) && !isRunning(2))
        #expect(requeued == [1])
        #expect(sink.requeues[0].state == .preempted)
        // Jobs of QOS that preempt nobody follow in their order: who came first is first.
        #expect(!isRunning(1))
        try emulator.handle(.jobEnded(JobID(3), .completed), at: at(5), into: &sink)
        pass(at: 5)
        #expect(isRunning(1))
        #expect(sink.starts[JobID(1)] == at(5))
    }

    @Test("Nobody stops where even all of them would not make room")
    mutating func hopeless() throws {
        open()
        try submit(1, nodes: 4, qos: Place.low, at: 0)
        try submit(2, nodes: 4, qos: Place.normal, at: 0)
        try submit(3, nodes: 5, qos: Place.high, at: 1)
        #expect(requeued.isEmpty && isRunning(1))
        // Lists are not followed further than they say: top preempts high, and not low.
        try submit(4, nodes: 1, qos: Place.top, at: 2)
        #expect(requeued.isEmpty && !isRunning(4))
    }

    @Test("Whoever had to stop makes others stop in turn, at once")
    mutating func chain() throws {
        open()
        try submit(1, nodes: 4, qos: Place.low, at: 0)
        try submit(2, nodes: 4, qos: Place.high, at: 0)
        try submit(3, nodes: 4, qos: Place.top, at: 1)
        #expect(requeued == [2, 1])
        #expect(isRunning(2) && isRunning(3))
    }

    @Test("The lowest make way first, of equals the smaller, then the older; no more than must")
    mutating func order() throws {
        open { $0.qos[2].preempts = ["low", "normal"] }
        try submit(1, nodes: 1, qos: Place.low, at: 0)
        try submit(2, nodes: 3, qos: Place.normal, at: 0)
        try submit(3, nodes: 2, qos: Place.normal, at: 0)
        try submit(4, nodes: 2, qos: Place.low, at: 0)
        // `normal` has the lower priority, and of its jobs 3 the fewer nodes.
        try submit(5, nodes: 2, qos: Place.high, at: 1)
        #expect(requeued == [3])
        // 2 goes next and leaves one node idle; the low ones need not go.
        try submit(6, nodes: 2, qos: Place.high, at: 2)
        #expect(requeued == [3, 2])
        // Two of low priority are needed for four nodes: one is idle, 1 and 4 hold three.
        try submit(7, nodes: 4, qos: Place.high, at: 3)
        #expect(requeued == [3, 2, 1, 4])
    }

    @Test("Where one large job does in place of several small ones, it goes")
    mutating func reordered() throws {
        open { $0.qos[1].priority = 0 }
        try submit(1, nodes: 2, qos: Place.low, at: 0)
        try submit(2, nodes: 5, qos: Place.low, at: 0)
        // 1 and 2 in order of size would be three idle and seven; 2 alone makes room for six.
        try submit(3, nodes: 6, qos: Place.high, at: 1)
        #expect(requeued == [2])
        #expect(isRunning(1) && isRunning(3))
    }

    @Test("A job that must not be requeued ends, and so do all where the mode is cancel")
    mutating func cancel() throws {
        open()
        try submit(1, nodes: 8, qos: Place.low, isRequeuable: false, at: 0)
        try submit(2, nodes: 8, qos: Place.high, at: 1)
        #expect(sink.endings[JobID(1)]?.state == .preempted)
        open { $0.preemption.mode = .cancel }
        try submit(1, nodes: 8, qos: Place.low, at: 0)
        try submit(2, nodes: 8, qos: Place.high, at: 1)
        #expect(sink.endings[JobID(1)]?.state == .preempted)
        #expect(isRunning(2))
        open { $0.qos[1].preemptMode = .off }
        try submit(1, nodes: 8, qos: Place.low, at: 0)
        try submit(2, nodes: 8, qos: Place.high, at: 1)
        #expect(isRunning(1))
    }

    @Test("Nobody makes way before the exempt time is over; then at that instant")
    mutating func exempt() throws {
        open { $0.preemption.exemptSeconds = 30 }
        try submit(1, nodes: 8, qos: Place.low, at: 0)
        try submit(2, nodes: 1, qos: Place.high, at: 10)
        #expect(isRunning(1))
        #expect(sink.wakes.contains(at(30)))
        pass(at: 30)
        #expect(sink.starts[JobID(2)] == at(30))
        open {
            $0.preemption.exemptSeconds = 30
            $0.qos[1].preemptExemptSeconds = 5
        }
        try submit(1, nodes: 8, qos: Place.low, at: 0)
        try submit(2, nodes: 1, qos: Place.high, at: 10)
        #expect(requeued == [1])
    }

    @Test("A grace lets a job go on, and no other is stopped meanwhile")
    mutating func grace() throws {
        open { $0.qos[1].graceSeconds = 20 }
        try submit(1, nodes: 4, qos: Place.low, at: 0)
        try submit(2, nodes: 4, qos: Place.low, at: 0)
        try submit(3, nodes: 2, qos: Place.high, at: 10)
        #expect(isRunning(1) && isRunning(2) && requeued.isEmpty)
        pass(at: 11)
        try submit(4, nodes: 1, qos: Place.normal, limit: 40, at: 12)
        try emulator.handle(.timer, at: at(30), into: &sink)
        pass(at: 30)
        #expect(requeued == [1])
        #expect(sink.starts[JobID(3)] == at(30))
        #expect(isRunning(2) && isRunning(4))
    }

    @Test("A job that ends within its grace ends as it does")
    mutating func graceUnused() throws {
        open { $0.qos[1].graceSeconds = 20 }
        try submit(1, nodes: 8, qos: Place.low, at: 0)
        try submit(2, nodes: 2, qos: Place.high, at: 10)
        try emulator.handle(.jobEnded(JobID(1), .completed), at: at(15), into: &sink)
        pass(at: 15)
        #expect(sink.endings[JobID(1)]?.state == .completed)
        #expect(sink.starts[JobID(2)] == at(15))
        try emulator.handle(.timer, at: at(30), into: &sink)
        pass(at: 30)
        #expect(isRunning(2))
    }

    @Test("Jobs of a lower tier make way for those of a higher one")
    mutating func tiers() throws {
        open(.partition)
        try submit(1, nodes: 5, qos: Place.high, partitions: [0], at: 0)
        try submit(2, nodes: 3, qos: Place.low, partitions: [1], at: 0)
        try submit(3, nodes: 3, qos: Place.low, partitions: [0], at: 1)
        #expect(!isRunning(3))
        try submit(4, nodes: 4, qos: Place.low, partitions: [0, 1], at: 2)
        #expect(requeued == [1])
        // Where others made way for it; in partition 0 those could stop it in turn, for ever.
        #expect(sink.partitions[JobID(4)] == 1)
        open(.partition) {
            $0.partitions[0].terms.preemptMode = .cancel
            $0.partitions[0].terms.graceSeconds = 7
        }
        try submit(1, nodes: 8, qos: Place.low, partitions: [0], at: 0)
        try submit(2, nodes: 1, qos: Place.low, partitions: [1], at: 1)
        try emulator.handle(.timer, at: at(8), into: &sink)
        pass(at: 8)
        #expect(sink.endings[JobID(1)]?.state == .preempted)
        #expect(sink.starts[JobID(2)] == at(8))
    }

    @Test("On nodes that jobs share only those go whose nodes are needed")
    mutating func sharedNodes() throws {
        open { configuration in
            for index in configuration.partitions.indices {
                configuration.partitions[index].isWholeNode = false
            }
        }
        var number: UInt32 = 0
        for node in 0..<8 {
            number += 1
            var job = JobSubmission(
                id: JobID(number),
                request: ResourceRequest(chunkCount: 1, coresPerChunk: node == 5 ? 3 : 4),
                timeLimit: SimDuration(seconds: 100),
                requiredNodes: IDSet([node]),
                isRequeuable: true
            )
            job.qos = node == 3 || node == 5 ? Place.low : Place.normal
            try emulator.handle(.submit(job), at: at(0), into: &sink)
        }
        pass(at: 0)
        var job = JobSubmission(
            id: JobID(9),
            request: ResourceRequest(chunkCount: 1, coresPerChunk: 4),
            timeLimit: SimDuration(seconds: 100)
        )
        job.qos = Place.high
        try emulator.handle(.submit(job), at: at(1), into: &sink)
        pass(at: 1)
        #expect(requeued == [4])
        #expect(emulator.allocation(of: JobID(9)).map(\.node) == [3])
    }

    @Test(
        "Under every policy a job that makes way comes back, and what runs holds no node twice",
        arguments: ["fcfs", "easy", "easy-sjbf", "conservative", "conservative-compress", "slurm"]
    )
    mutating func policies(name: String) throws {
        open(policy: try SchedulingPolicy(named: name))
        try submit(1, nodes: 6, qos: Place.low, at: 0)
        try submit(2, nodes: 4, qos: Place.normal, at: 1)
        try submit(3, nodes: 3, qos: Place.high, at: 2)
        #expect(requeued == [1], "\(name)")
        #expect(isRunning(3), "\(name)")
        for id in [3, 2] as [UInt32] where isRunning(id) {
            try emulator.handle(.jobEnded(JobID(id), .completed), at: at(50), into: &sink)
        }
        pass(at: 50)
        #expect(isRunning(1), "\(name)")
    }
}
