import ClusterModel
import Emulation
import EmulatorTestSupport
import IndexSets
import JobModel
import Quantities
import Scheduling
import Testing

/// Jobs that name nodes, placements that choose among equal ones, and nodes that are away.
@Suite("Named nodes")
struct NamedNodesTests {
    private static let planners = ["conservative", "conservative-compress", "slurm"]

    private func at(_ seconds: Int64) -> SimInstant { SimInstant(seconds: seconds) }

    private func job(
        _ number: UInt32,
        nodes: Int32 = 1,
        limit: Int64 = 60,
        required: [Int] = [],
        excluded: [Int] = []
    ) -> JobSubmission {
        var job = JobSubmission(
            id: JobID(number),
            request: .wholeNodes(nodes),
            timeLimit: SimDuration(seconds: limit)
        )
        if !required.isEmpty { job.requiredNodes = IDSet(required) }
        if !excluded.isEmpty { job.excludedNodes = IDSet(excluded) }
        return job
    }

    private struct Centre {
        var emulator: Emulator
        var sink = RecordingSink()

        mutating func feed(_ inputs: Input..., at seconds: Int64) throws {
            let now = SimInstant(seconds: seconds)
            for input in inputs { try emulator.handle(input, at: now, into: &sink) }
            emulator.schedulingPass(at: now, into: &sink)
            emulator.checkInvariants()
        }

        func nodes(of number: UInt32) -> [Int] {
            emulator.allocation(of: JobID(number)).map(\.node)
        }
    }

    private func centre(_ policy: String, switches: [Int32] = []) throws -> Centre {
        let policy = try SchedulingPolicy(named: policy)
        var configuration = EmulatorConfiguration.uniform(nodeCount: 4, policy: policy)
        configuration.leafSwitches = switches
        return Centre(emulator: Emulator(configuration))
    }

    @Test("Planners give a job the nodes that it names", arguments: planners)
    func namesAreHeard(policy: String) throws {
        var centre = try centre(policy)
        try centre.feed(.submit(job(1, required: [3])), at: 0)
        #expect(centre.nodes(of: 1) == [3])
        try centre.feed(.submit(job(2, nodes: 2, excluded: [0])), at: 1)
        #expect(centre.nodes(of: 2) == [1, 2])
    }

    @Test(
        "Who waits for named nodes waits for those, and keeps them from others",
        arguments: planners
    )
    func namedNodesAreKept(policy: String) throws {
        var centre = try centre(policy)
        try centre.feed(.submit(job(1, required: [0])), at: 0)
        try centre.feed(
            .submit(job(2, nodes: 2, limit: 60, required: [0, 1])),
            .submit(job(3, limit: 600)),
            .submit(job(4, limit: 600)),
            .submit(job(5, limit: 600)),
            at: 1
        )
        #expect(centre.nodes(of: 2) == [])
        #expect(centre.nodes(of: 3) == [2])
        #expect(centre.nodes(of: 4) == [3])
        #expect(centre.nodes(of: 5) == [])
        try centre.feed(.jobEnded(JobID(1), .timeout), at: 60)
        #expect(centre.nodes(of: 2) == [0, 1])
    }

    @Test(
        "Planners use the placement of the policy",
        arguments: ["conservative", "conservative-compress"]
    )
    func placementIsHeard(policy: String) throws {
        let full = policy + ",placement=fewest-switches"
        var centre = try centre(full, switches: [0, 0, 1, 1])
        try centre.feed(.submit(job(1)), at: 0)
        try centre.feed(.submit(job(2, nodes: 2)), at: 1)
        #expect(centre.nodes(of: 1) == [0])
        #expect(centre.nodes(of: 2) == [2, 3])
    }

    @Test("Whoever needs nodes that are away is told so")
    func nodesAreAway() throws {
        var centre = try centre("easy")
        try centre.feed(.nodesDrained(IDSet(0..<3)), at: 0)
        try centre.feed(
            .submit(job(1, required: [1])),
            .submit(job(2, nodes: 2)),
            .submit(job(3)),
            at: 1
        )
        #expect(centre.emulator.pendingReason(of: JobID(1)) == .reqNodeNotAvail)
        #expect(centre.emulator.pendingReason(of: JobID(2)) == .reqNodeNotAvail)
        #expect(centre.nodes(of: 3) == [3])
        try centre.feed(.nodesResumed(IDSet(0..<1)), at: 2)
        #expect(centre.emulator.pendingReason(of: JobID(1)) == .reqNodeNotAvail)
        #expect(centre.emulator.pendingReason(of: JobID(2)) == .priority)
    }
}
