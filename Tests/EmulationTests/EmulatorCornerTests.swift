import Accounts
import ClusterModel
import Emulation
import EmulatorTestSupport
import IndexSets
import JobModel
import Quantities
import Scheduling
import Testing

/// Quotas on real placements, predictions, estimates and configurations.
@Suite("Corners of the emulator")
struct EmulatorCornerTests {
    private func at(_ seconds: Int64) -> SimInstant { SimInstant(seconds: seconds) }

    private func cores(_ number: UInt32, _ chunks: Int32, of cores: Int32 = 1) -> JobSubmission {
        JobSubmission(
            id: JobID(number),
            request: ResourceRequest(chunkCount: chunks, coresPerChunk: cores),
            timeLimit: SimDuration(seconds: 100)
        )
    }

    /// Four nodes of eight cores that are shared, and behind them four of four cores given whole.
    private func configuration(_ policy: SchedulingPolicy) -> EmulatorConfiguration {
        EmulatorConfiguration(
            nodes: (0..<8).map { NodeCapacity(cores: $0 < 4 ? 8 : 4) },
            partitions: [
                PartitionConfiguration(nodes: IDSet(0..<4), isWholeNode: false),
                PartitionConfiguration(nodes: IDSet(4..<8), isWholeNode: true),
            ],
            policy: policy
        )
    }

    @Test("A quota of nodes counts those that a job would really hold")
    func quotaCountsPlacements() throws {
        var emulator = Emulator(configuration(.easy))
        var sink = RecordingSink()
        let quota = PartitionTerms(quota: AccountQuota(nodes: 2))
        try emulator.handle(.changePeople(.partition(0, quota)), at: at(0), into: &sink)
        for number in 1...4 as ClosedRange<UInt32> {
            var other = cores(number, 1, of: 7)
            other.account = Int32(number)
            try emulator.handle(.submit(other), at: at(0), into: &sink)
        }
        let limited = cores(5, 4)
        try emulator.handle(.submit(limited), at: at(0), into: &sink)
        emulator.schedulingPass(at: at(0), into: &sink)
        #expect(emulator.pendingReason(of: JobID(5)) == .quotaConstrained)
        emulator.checkInvariants()
        try emulator.handle(.jobEnded(JobID(1), .completed), at: at(3), into: &sink)
        emulator.schedulingPass(at: at(3), into: &sink)
        #expect(emulator.allocation(of: JobID(5)).map(\.node) == [0])
        emulator.checkInvariants()
    }

    @Test("A quota that stops a job in one partition leaves it the other")
    func quotaOfOnePartition() throws {
        var emulator = Emulator(configuration(.easy))
        var sink = RecordingSink()
        let quota = PartitionTerms(quota: AccountQuota(nodes: 1))
        for partition in 0...1 {
            let change = PeopleChange.partition(partition, quota)
            try emulator.handle(.changePeople(change), at: at(0), into: &sink)
        }
        var limited = cores(1, 8)
        limited.partitions = [1, 0]
        // On whole nodes it would hold two, on the shared ones one.
        try emulator.handle(.submit(limited), at: at(0), into: &sink)
        emulator.schedulingPass(at: at(0), into: &sink)
        #expect(sink.partitions == [JobID(1): 0])
        emulator.checkInvariants()
    }

    @Test("A prediction that was outlived counts longer from the next pass on, and causes none")
    func predictionsAreCorrectedAtPasses() throws {
        let rows: [(submit: Int64, nodes: Int32, run: Int64, limit: Int64, user: Int32)] = [
            (0, 4, 10, 10, 1), (10, 4, 10, 10, 1), (20, 4, 100, 100, 2), (30, 2, 900, 1000, 1),
            (31, 4, 50, 50, 2), (32, 2, 400, 500, 3), (440, 4, 10, 10, 1),
        ]
        let policy = try SchedulingPolicy(named: "easy,estimates=last2")
        let arrivals = rows.enumerated().map { index, row in
            var submission = JobSubmission(
                id: JobID(UInt32(index + 1)),
                request: .wholeNodes(row.nodes),
                timeLimit: SimDuration(seconds: row.limit)
            )
            submission.user = row.user
            return World.Arrival(
                at: at(row.submit),
                submission: submission,
                runTime: row.run * 1_000_000
            )
        }
        let world = World(
            configuration: .uniform(nodeCount: 4, policy: policy),
            arrivals: arrivals
        )
        var emulator = Emulator(world.configuration)
        let sink = world.run(&emulator)
        // Job 4 was predicted to run 10 s from second 120, then 60 and 300 s longer; from second 430
        // on 900, which is found when job 7 comes.
        #expect(sink.starts[JobID(6)] == at(440))
    }

    @Test("An estimate knows that begin times come")
    func estimatesKnowTime() throws {
        var emulator = Emulator(.uniform(nodeCount: 4, policy: .easy))
        var sink = RecordingSink()
        var later = cores(1, 4)
        later.notBefore = at(50)
        var last = cores(2, 4)
        last.notBefore = at(60)
        try emulator.handle(.submit(later), at: at(0), into: &sink)
        try emulator.handle(.submit(last), at: at(0), into: &sink)
        #expect(emulator.estimatedStart(of: JobID(1), from: at(0)) == at(50))
        #expect(emulator.estimatedStart(of: JobID(2), from: at(0)) == at(150))
    }

    @Test("What a policy or the engine cannot do is found before anything starts")
    func configurations() throws {
        func problem(_ configuration: EmulatorConfiguration) -> ConfigurationProblem? {
            do throws(ConfigurationProblem) {
                try configuration.check()
                return nil
            } catch {
                return error
            }
        }
        for name in ["conservative", "conservative-compress", "slurm"] {
            let policy = try SchedulingPolicy(named: name)
            #expect(problem(configuration(policy)) == nil)
            #expect(problem(.uniform(nodeCount: 4, policy: policy)) == nil)
        }
        #expect(problem(configuration(.easy)) == nil)
        let huge = EmulatorConfiguration.uniform(
            nodeCount: 25_000,
            coresPerNode: 100_000,
            policy: .easy
        )
        #expect(problem(huge) == .tooManyCores(2_500_000_000))
        var wide = configuration(.easy)
        wide.nodes[2].accelerators = 17
        #expect(problem(wide) == nil)
        wide.sharesCards = true
        #expect(problem(wide) == .tooManyCards(node: 2))
    }
}
