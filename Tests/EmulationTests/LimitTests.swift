import Accounts
import ClusterModel
import Emulation
import EmulatorTestSupport
import IndexSets
import JobModel
import Quantities
import Scheduling
import Testing

/// Limits of associations and QOS as the core obeys them, each with the reason that Slurm gives.
@Suite("Limits of people")
struct LimitTests {
    private var emulator: Emulator
    private var sink = RecordingSink()
    private static let deny = 8

    /// Eight nodes of four cores that are given whole, one QOS for each limit.
    init() {
        var configuration = EmulatorConfiguration(
            nodes: Array(repeating: NodeCapacity(cores: 4), count: 8),
            partitions: (0..<2).map { _ in
                PartitionConfiguration(nodes: IDSet(0..<8), isWholeNode: true)
            },
            policy: .easy
        )
        var qos = [QOS.normal]
        func add(_ kind: LimitKind, _ value: Int64, _ flags: QOS.Flags = []) {
            var rules = QOS(name: "q\(qos.count)")
            rules.limits[kind] = value
            rules.flags = flags
            qos.append(rules)
        }
        add(LimitKind(.perUser, .jobs), 1)
        add(LimitKind(.perUser, .tres(.cpu)), 8)
        add(LimitKind(.group, .tres(.cpu)), 8)
        add(LimitKind(.perJob, .wall), 10)
        add(LimitKind(.perJob, .tres(.cpu)), 4)
        add(LimitKind(.perUser, .submittedJobs), 2)
        add(LimitKind(.group, .jobs), 1)
        add(LimitKind(.perJob, .tres(.node)), 2, .denyOnLimit)
        add(LimitKind(.perAccount, .tres(.node)), 2)
        add(LimitKind(.leastPerJob, .tres(.node)), 3)
        configuration.qos = qos
        configuration.partitions[1].terms.qos = 7
        emulator = Emulator(configuration)
    }

    @Test("partitions that bound nobody share what is known of people, others have their own")
    func profiles() {
        var terms = [PartitionTerms(), PartitionTerms(qos: 1), PartitionTerms()]
        terms.append(PartitionTerms(quota: AccountQuota(nodes: 2)))
        var qos = [QOS.normal, QOS(name: "of a partition")]
        for place in 0..<2 { qos[place].limits[LimitKind(.group, .jobs)] = 3 }
        var book = LimitBook(qos: qos, partitions: terms)
        let places = (0..<4).map { partition in
            let terms = LimitTerms(association: -1, qos: 0, partition: Int32(partition))
            return book.profile(terms, at: .epoch)
        }
        #expect(places[0] == places[2])
        #expect(Set(places).count == 3)
    }

    private func at(_ seconds: Int64) -> SimInstant { SimInstant(seconds: seconds) }

    private mutating func submit(
        _ number: UInt32,
        nodes: Int32 = 1,
        qos: Int = 0,
        user: Int32 = 0,
        account: Int32 = 0,
        partitions: [Int] = [0],
        limit: Int64 = 100,
        at second: Int64 = 0
    ) throws {
        var job = JobSubmission(
            id: JobID(number),
            partitions: partitions,
            request: .wholeNodes(nodes),
            timeLimit: SimDuration(seconds: limit)
        )
        job.qos = Int32(qos)
        job.user = user
        job.account = account
        try emulator.handle(.submit(job), at: at(second), into: &sink)
        emulator.schedulingPass(at: at(second), into: &sink)
        emulator.checkInvariants()
    }

    private mutating func end(_ number: UInt32, at second: Int64) throws {
        try emulator.handle(.jobEnded(JobID(number), .completed), at: at(second), into: &sink)
        emulator.schedulingPass(at: at(second), into: &sink)
        emulator.checkInvariants()
    }

    private func reason(_ number: UInt32) -> String? {
        emulator.pendingReason(of: JobID(number))?.slurmName
    }

    @Test("A full limit keeps the user's next job waiting, and lets it go when there is room")
    mutating func perUser() throws {
        try submit(1, qos: 1)
        try submit(2, qos: 1)
        try submit(3, qos: 1, user: 1)
        #expect(reason(2) == "QOSMaxJobsPerUserLimit")
        #expect(sink.starts[JobID(3)] == at(0))
        try end(1, at: 5)
        #expect(sink.starts[JobID(2)] == at(5))
    }

    @Test("What jobs hold together is bounded for a user, an account and all")
    mutating func sums() throws {
        try submit(1, nodes: 2, qos: 2)
        try submit(2, qos: 2)
        #expect(reason(2) == "QOSMaxCpuPerUserLimit")
        try submit(3, qos: 3)
        try submit(4, nodes: 2, qos: 3, user: 1)
        #expect(reason(4) == "QOSGrpCpuLimit")
        try submit(5, nodes: 2, qos: 9, user: 1)
        try submit(6, qos: 9, user: 2)
        #expect(reason(6) == "MaxNodePerAccount")
        try submit(7, qos: 9, user: 2, account: 1)
        #expect(sink.starts[JobID(7)] == at(0))
    }

    @Test("A job that no room could ever be found for waits with the reason, or is refused")
    mutating func hopeless() throws {
        try submit(1, qos: 4, limit: 660)
        try submit(2, nodes: 2, qos: 5)
        try submit(3, nodes: 2, qos: 10)
        #expect(reason(1) == "QOSMaxWallDurationPerJobLimit")
        #expect(reason(2) == "QOSMaxCpuPerJobLimit")
        #expect(reason(3) == "QOSMinNode")
        let kind = LimitKind(.perJob, .tres(.node))
        #expect(throws: InputRejection.overLimit(.limit(LimitReason(.qos, kind)))) {
            try submit(4, nodes: 3, qos: Self.deny)
        }
        #expect(emulator.phase(of: JobID(4)) == nil)
        try submit(5, nodes: 2, qos: Self.deny)
        #expect(sink.starts[JobID(5)] == at(0))
    }

    @Test("Submitted jobs are bounded, and one that has ended makes room")
    mutating func submitted() throws {
        try submit(1, nodes: 8, qos: 6)
        try submit(2, qos: 6)
        let reason = PendingReason.limit(LimitReason(.qos, LimitKind(.perUser, .submittedJobs)))
        #expect(throws: InputRejection.overLimit(reason)) { try submit(3, qos: 6) }
        #expect(reason.slurmName == "QOSMaxSubmitJobPerUserLimit")
        try end(1, at: 4)
        try submit(4, qos: 6, at: 5)
    }

    @Test("A limit holds for the partition that is tried, not for all that are named")
    mutating func partitionTried() throws {
        // Partition 1 has the QOS that lets one job run at a time.
        try submit(1, partitions: [1])
        try submit(2, partitions: [1])
        #expect(reason(2) == "QOSGrpJobsLimit")
        try submit(3, partitions: [1, 0])
        #expect(sink.partitions[JobID(3)] == 0)
    }

    @Test("An association's limits hold for all below it, and give way to the QOS's")
    mutating func associations() throws {
        var settings = AssociationSettings()
        settings.limits[LimitKind(.group, .tres(.node))] = 3
        settings.limits[LimitKind(.perUser, .jobs)] = 2
        try emulator.handle(
            .changePeople(.account(5, parent: nil, settings)),
            at: at(0),
            into: &sink
        )
        try emulator.handle(
            .changePeople(.account(6, parent: 5, AssociationSettings())),
            at: at(0),
            into: &sink
        )
        try submit(1, account: 6)
        try submit(2, account: 6)
        try submit(3, account: 6)
        #expect(reason(3) == "AssocMaxJobsLimit")
        try submit(4, nodes: 2, user: 1, account: 5)
        #expect(reason(4) == "AssocGrpNodeLimit")
        // The QOS bounds the jobs of a user itself.
        try submit(5, qos: 1, account: 6)
        #expect(sink.starts[JobID(5)] == at(0))
    }

    @Test("Minutes that were used count against a limit until they are forgotten")
    mutating func minutes() throws {
        var settings = AssociationSettings()
        // 8 core-minutes; a job of one node and 60 s uses 4.
        settings.limits[LimitKind(.group, .minutes(.cpu))] = 8
        try emulator.handle(
            .changePeople(.account(7, parent: nil, settings)),
            at: at(0),
            into: &sink
        )
        try submit(1, account: 7, limit: 60)
        try submit(2, account: 7, limit: 60)
        try submit(3, account: 7, limit: 60)
        #expect(reason(3) == "AssocGrpCPUMinutesLimit")
        try end(1, at: 30)
        // 2 used, 4 may come: there is room for 2 more, and the job asks for 4.
        #expect(reason(3) == "AssocGrpCPUMinutesLimit")
        try end(2, at: 30)
        #expect(sink.starts[JobID(3)] == at(30))
    }
}
