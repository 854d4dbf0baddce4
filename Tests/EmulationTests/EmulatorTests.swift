import Accounts
import ClusterModel
import Emulation
import EmulatorTestSupport
import IndexSets
import JobModel
import Quantities
import Scheduling
import Testing

@Suite("Emulator")
struct EmulatorTests {
    private var emulator = Emulator(.uniform(nodeCount: 4, policy: .easy))
    private var sink = RecordingSink()

    private func at(_ seconds: Int64) -> SimInstant { SimInstant(seconds: seconds) }

    private func job(_ number: UInt32, nodes: Int32, limit: Int64) -> JobSubmission {
        JobSubmission(
            id: JobID(number),
            request: .wholeNodes(nodes),
            timeLimit: SimDuration(seconds: limit)
        )
    }

    private mutating func submit(_ submission: JobSubmission, at seconds: Int64) throws {
        try emulator.handle(.submit(submission), at: at(seconds), into: &sink)
        emulator.schedulingPass(at: at(seconds), into: &sink)
    }

    private mutating func feed(_ input: Input, at seconds: Int64) throws {
        try emulator.handle(input, at: at(seconds), into: &sink)
        emulator.schedulingPass(at: at(seconds), into: &sink)
    }

    @Test("A short job overtakes a blocked head, a long one does not")
    mutating func backfill() throws {
        try submit(job(1, nodes: 3, limit: 100), at: 0)
        try submit(job(2, nodes: 4, limit: 10), at: 1)
        try submit(job(3, nodes: 1, limit: 200), at: 2)
        try submit(job(4, nodes: 1, limit: 98), at: 2)
        #expect(sink.starts == [JobID(1): at(0), JobID(4): at(2)])
        #expect(emulator.pendingReason(of: JobID(2)) == .resources)
        #expect(emulator.pendingReason(of: JobID(3)) == .priority)
        #expect(emulator.estimatedStart(of: JobID(2), from: at(2)) == at(100))
        #expect(emulator.estimatedStart(of: JobID(3), from: at(2)) == at(110))
    }

    @Test("A job larger than the machine is refused and changes nothing")
    mutating func neverFits() {
        let before = emulator.digest
        var refusal: InputRejection?
        do {
            let tooLarge = job(1, nodes: 5, limit: 1)
            try emulator.handle(.submit(tooLarge), at: at(0), into: &sink)
        } catch {
            refusal = error
        }
        #expect(refusal == .neverFits)
        #expect(emulator.digest == before)
        #expect(emulator.activeJobCount == 0)
    }

    @Test("A job larger than what is in service waits for repairs and blocks nobody")
    mutating func waitsForRepairs() throws {
        try feed(.nodesDown(IDSet([0])), at: 0)
        try submit(job(1, nodes: 4, limit: 10), at: 0)
        try submit(job(2, nodes: 3, limit: 10), at: 0)
        #expect(sink.starts == [JobID(2): at(0)])
        try feed(.jobEnded(JobID(2), .completed), at: 5)
        try feed(.nodesResumed(IDSet([0])), at: 6)
        #expect(sink.starts[JobID(1)] == at(6))
    }

    @Test("When a node fails its job ends, or waits again if it may")
    mutating func nodeFailure() throws {
        try submit(job(1, nodes: 2, limit: 10), at: 0)
        var requeuable = job(2, nodes: 2, limit: 10)
        requeuable.isRequeuable = true
        try submit(requeuable, at: 0)
        let first = emulator.allocation(of: JobID(1)).map(\.node)
        let second = emulator.allocation(of: JobID(2)).map(\.node)
        #expect(first == [0, 1])
        #expect(second == [2, 3])
        try feed(.nodesDown(IDSet([1, 3])), at: 4)
        #expect(sink.endings[JobID(1)]?.state == .nodeFail)
        #expect(sink.requeues.map(\.id) == [JobID(2)])
        #expect(sink.requeues.map(\.nodesHeld) == [2])
        #expect(sink.starts[JobID(2)] == at(4))
        #expect(emulator.allocation(of: JobID(2)).map(\.node) == [0, 2])
    }

    @Test("A drained node finishes its job and takes no other; the shadow knows")
    mutating func drained() throws {
        try submit(job(1, nodes: 4, limit: 10), at: 0)
        try feed(.nodesDrained(IDSet([3])), at: 1)
        try submit(job(2, nodes: 4, limit: 10), at: 1)
        try submit(job(3, nodes: 3, limit: 10), at: 1)
        try feed(.jobEnded(JobID(1), .completed), at: 5)
        #expect(sink.starts[JobID(2)] == nil)
        #expect(sink.starts[JobID(3)] == at(5))
    }

    @Test("A quota makes its account's job wait while nodes idle, and blocks nobody else")
    mutating func quota() throws {
        let terms = PartitionTerms(quota: AccountQuota(nodes: 2))
        try feed(.changePeople(.partition(0, terms)), at: 0)
        for number in 1...2 as ClosedRange<UInt32> {
            var limited = job(number, nodes: 2, limit: 10)
            limited.account = 0
            try submit(limited, at: 0)
        }
        var other = job(3, nodes: 1, limit: 50)
        other.account = 1
        try submit(other, at: 0)
        #expect(emulator.pendingReason(of: JobID(2)) == .quotaConstrained)
        #expect(sink.starts.keys.sorted() == [JobID(1), JobID(3)])
        try feed(.jobEnded(JobID(1), .completed), at: 7)
        #expect(sink.starts[JobID(2)] == at(7))
    }

    @Test("Dependencies wait for the end asked for, and one that failed is never satisfied")
    mutating func dependencies() throws {
        try submit(job(1, nodes: 1, limit: 10), at: 0)
        var wanted = job(2, nodes: 1, limit: 10)
        wanted.dependencies = [Dependency(.afterOK, JobID(1))]
        var any = job(3, nodes: 1, limit: 10)
        any.dependencies = [Dependency(.afterAny, JobID(1))]
        var unknown = job(4, nodes: 1, limit: 10)
        unknown.dependencies = [Dependency(.afterOK, JobID(999))]
        try submit(wanted, at: 1)
        try submit(any, at: 1)
        try submit(unknown, at: 1)
        #expect(emulator.pendingReason(of: JobID(2)) == .dependency)
        #expect(sink.starts[JobID(4)] == at(1))
        try feed(.jobEnded(JobID(1), .failed), at: 5)
        #expect(emulator.pendingReason(of: JobID(2)) == .dependencyNeverSatisfied)
        #expect(sink.starts[JobID(3)] == at(5))
    }

    @Test("A begin time asks for a wake-up and holds the job until then")
    mutating func beginTime() throws {
        var later = job(1, nodes: 1, limit: 10)
        later.notBefore = at(30)
        try submit(later, at: 0)
        #expect(emulator.pendingReason(of: JobID(1)) == .beginTime)
        #expect(sink.wakes == [at(30)])
        try feed(.timer, at: 30)
        #expect(sink.starts[JobID(1)] == at(30))
    }

    @Test("A job of several partitions starts where it fits first, once")
    func severalPartitions() throws {
        var emulator = Emulator(
            EmulatorConfiguration(
                nodes: Array(repeating: NodeCapacity(cores: 1), count: 4),
                partitions: [
                    PartitionConfiguration(nodes: IDSet(0..<2), isWholeNode: true),
                    PartitionConfiguration(nodes: IDSet(2..<4), isWholeNode: true),
                ],
                policy: .easy
            )
        )
        var sink = RecordingSink()
        for number in 1...3 as ClosedRange<UInt32> {
            var either = job(number, nodes: 2, limit: 10)
            either.partitions = [0, 1]
            try emulator.handle(.submit(either), at: at(0), into: &sink)
        }
        emulator.schedulingPass(at: at(0), into: &sink)
        emulator.checkInvariants()
        #expect(sink.starts.keys.sorted() == [JobID(1), JobID(2)])
        #expect(emulator.allocation(of: JobID(2)).map(\.node) == [2, 3])
        #expect(emulator.pendingReason(of: JobID(3)) == .resources)
    }
}
