import Emulation
import EmulatorTestSupport
import JobModel
import Quantities
import Scheduling
import Testing

/// Licences that jobs share, as the core gives them out.
@Suite("Licences")
struct LicenseTests {
    private var emulator: Emulator
    private var sink = RecordingSink()

    /// Ten equal nodes; three licences of one kind, one of another.
    private init(_ policy: SchedulingPolicy) {
        var configuration = EmulatorConfiguration.uniform(nodeCount: 10, policy: policy)
        configuration.licenses = [3, 1]
        emulator = Emulator(configuration)
    }

    init() {
        self.init(.easy)
    }

    private func at(_ seconds: Int64) -> SimInstant { SimInstant(seconds: seconds) }

    private mutating func submit(
        _ number: UInt32,
        nodes: Int32 = 1,
        limit: Int64 = 100,
        _ licenses: [LicenseNeed],
        at second: Int64 = 0
    ) throws {
        var job = JobSubmission(
            id: JobID(number),
            request: .wholeNodes(nodes),
            timeLimit: SimDuration(seconds: limit)
        )
        job.licenses = licenses
        try emulator.handle(.submit(job), at: at(second), into: &sink)
        emulator.schedulingPass(at: at(second), into: &sink)
        emulator.checkInvariants()
    }

    private mutating func end(_ number: UInt32, at second: Int64) throws {
        try emulator.handle(.jobEnded(JobID(number), .completed), at: at(second), into: &sink)
        emulator.schedulingPass(at: at(second), into: &sink)
        emulator.checkInvariants()
    }

    private func need(_ license: Int32, _ count: Int32 = 1) -> LicenseNeed {
        LicenseNeed(license: license, count: count)
    }

    @Test("A job waits for licences, and blocks nobody meanwhile")
    mutating func waits() throws {
        try submit(1, [need(0, 2)])
        try submit(2, nodes: 9, [need(0, 2)])
        try submit(3, nodes: 9, [])
        #expect(emulator.pendingReason(of: JobID(2)) == .licenses)
        #expect(sink.starts[JobID(3)] == at(0))
        #expect(emulator.licenseUse.map(\.used) == [2, 0])
        try end(3, at: 10)
        #expect(emulator.pendingReason(of: JobID(2)) == .licenses)
        try end(1, at: 20)
        #expect(sink.starts[JobID(2)] == at(20))
    }

    @Test("All kinds that a job names must be free")
    mutating func several() throws {
        try submit(1, [need(1)])
        try submit(2, [need(0), need(1)])
        try submit(3, [need(0, 3)])
        #expect(sink.starts[JobID(2)] == nil)
        #expect(sink.starts[JobID(3)] == at(0))
        try end(1, at: 5)
        #expect(sink.starts[JobID(2)] == nil)
        try end(3, at: 6)
        #expect(sink.starts[JobID(2)] == at(6))
    }

    @Test(
        "What there never was enough of is refused",
        arguments: [(0, 4), (1, 2), (2, 1), (-1, 1), (0, 0)]
    )
    mutating func refused(license: Int32, count: Int32) {
        #expect(throws: InputRejection.invalidLicense) {
            try submit(1, [LicenseNeed(license: license, count: count)])
        }
        #expect(emulator.activeJobCount == 0)
    }

    @Test("A requeued job gives its licences back and takes them again")
    mutating func requeued() throws {
        try submit(1, [need(1)])
        try submit(2, [need(1)], at: 1)
        try emulator.handle(.requeue(JobID(1)), at: at(2), into: &sink)
        emulator.schedulingPass(at: at(2), into: &sink)
        #expect(emulator.phase(of: JobID(1)) == .running)
        #expect(emulator.pendingReason(of: JobID(2)) == .licenses)
        try emulator.handle(.cancel(JobID(2)), at: at(3), into: &sink)
        #expect(emulator.licenseUse.map(\.used) == [0, 1])
        try end(1, at: 4)
        #expect(emulator.licenseUse.map(\.used) == [0, 0])
    }

    @Test("A forecast knows when licences come free")
    mutating func forecast() throws {
        try submit(1, limit: 70, [need(1)])
        try submit(2, limit: 50, [need(1)])
        try submit(3, [need(1)])
        let starts = emulator.expectedStarts(from: at(0))
        #expect(starts.map(\.start.startedAt) == [at(70), at(120)])
    }

    @Test("A plan that knows of licences keeps them, and the nodes, for who waits longest")
    mutating func planned() throws {
        for name in ["conservative", "backfill=slurm,bf_licenses=1"] {
            self = Self(try SchedulingPolicy(named: name))
            try submit(1, limit: 60, [need(0, 2)])
            // Planned for 60 s, with nine nodes and all licences.
            try submit(2, nodes: 9, limit: 60, [need(0, 3)])
            // Would be in its way: by its licence, by its nodes, not at all.
            try submit(3, limit: 120, [need(0)])
            try submit(4, nodes: 2, limit: 120, [])
            try submit(5, nodes: 2, limit: 60, [need(0)])
            #expect(emulator.pendingReason(of: JobID(2)) == .licenses, "\(name)")
            #expect(Set(sink.starts.keys.map(\.number)) == [1, 5], "\(name)")
            try end(1, at: 30)
            #expect(sink.starts[JobID(2)] == nil, "\(name)")
            try end(5, at: 40)
            #expect(sink.starts[JobID(2)] == at(40), "\(name)")
        }
    }
}
