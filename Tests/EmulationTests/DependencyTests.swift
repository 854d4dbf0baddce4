import ClusterModel
import Emulation
import EmulatorTestSupport
import IndexSets
import JobModel
import Quantities
import Scheduling
import Testing

/// Examples of docs/scheduling.md, "Dependencies".
@Suite("Dependencies")
struct DependencyTests {
    private var emulator: Emulator
    private var sink = RecordingSink()

    init() {
        emulator = Self.centre(nodeCount: 4, remembered: 100)
    }

    private static func centre(nodeCount: Int, remembered: Int) -> Emulator {
        var configuration = EmulatorConfiguration.uniform(nodeCount: nodeCount, policy: .easy)
        configuration.endedJobsRemembered = remembered
        return Emulator(configuration)
    }

    private func at(_ seconds: Int64) -> SimInstant { SimInstant(seconds: seconds) }

    private mutating func feed(_ input: Input, at seconds: Int64) throws {
        try emulator.handle(input, at: at(seconds), into: &sink)
        emulator.schedulingPass(at: at(seconds), into: &sink)
    }

    private mutating func submit(
        _ number: UInt32,
        name: String? = nil,
        user: Int32 = 1,
        nodes: Int32 = 1,
        _ dependencies: [Dependency] = [],
        isAny: Bool = false,
        at seconds: Int64 = 0
    ) throws {
        var job = JobSubmission(
            id: JobID(number),
            request: .wholeNodes(nodes),
            timeLimit: SimDuration(seconds: 1_000)
        )
        job.name = name
        job.user = user
        job.dependencies = dependencies
        job.needsAnyDependency = isAny
        try feed(.submit(job), at: seconds)
    }

    private func reason(_ number: UInt32) -> PendingReason? {
        emulator.pendingReason(of: JobID(number))
    }

    @Test("With commas all must be fulfilled, with question marks one is enough")
    mutating func allOrAny() throws {
        try submit(1)
        try submit(2)
        let both = [Dependency(.afterOK, JobID(1)), Dependency(.afterOK, JobID(2))]
        try submit(3, both)
        try submit(4, both, isAny: true)
        try feed(.jobEnded(JobID(1), .failed), at: 5)
        #expect(reason(3) == .dependencyNeverSatisfied)
        #expect(reason(4) == .dependency)
        let open = emulator.openDependencies(of: JobID(4), at: at(5))
        #expect(open.map(\.isHopeless) == [true, false])
        try feed(.jobEnded(JobID(2), .completed), at: 9)
        #expect(reason(3) == .dependencyNeverSatisfied)
        #expect(sink.starts[JobID(4)] == at(9))
    }

    @Test(
        "after:JOB+MINUTES counts from the start, or from the cancellation of a job that had none"
    )
    mutating func delay() throws {
        let minutes = SimDuration(seconds: 300)
        try submit(1, nodes: 4)
        try submit(2)
        try submit(3, [Dependency(.after, JobID(1), delay: minutes)], at: 10)
        try submit(4, [Dependency(.after, JobID(2), delay: minutes)], at: 10)
        #expect(sink.wakes == [at(300)])
        try feed(.cancel(JobID(2)), at: 20)
        #expect(sink.wakes == [at(300), at(320)])
        try feed(.jobEnded(JobID(1), .completed), at: 30)
        try submit(5, [Dependency(.after, JobID(1), delay: minutes)], at: 40)
        #expect(reason(3) == .dependency && reason(5) == .dependency)
        try feed(.timer, at: 300)
        #expect(sink.starts[JobID(3)] == at(300) && sink.starts[JobID(5)] == at(300))
        try feed(.timer, at: 320)
        #expect(sink.starts[JobID(4)] == at(320))
    }

    @Test("A rule about an array is decided when its last element has come so far")
    mutating func arrays() throws {
        for number: UInt32 in 1...3 { try submit(number) }
        try submit(4, [Dependency(.after, 1...3)])
        try submit(5, [Dependency(.afterAny, 1...3)])
        try submit(6, [Dependency(.afterOK, 1...3)])
        try submit(7, [Dependency(.afterNotOK, 1...3)])
        try submit(8, [Dependency(.afterCorresponding, JobID(2))])
        #expect(sink.starts[JobID(4)] == at(0))
        try feed(.jobEnded(JobID(4), .completed), at: 1)
        try feed(.jobEnded(JobID(1), .failed), at: 1)
        #expect(reason(6) == .dependency && reason(7) == .dependency)
        try feed(.jobEnded(JobID(2), .completed), at: 2)
        #expect(sink.starts[JobID(8)] == at(2))
        try feed(.jobEnded(JobID(3), .completed), at: 3)
        #expect(sink.starts[JobID(5)] == at(3) && sink.starts[JobID(7)] == at(3))
        #expect(reason(6) == .dependencyNeverSatisfied)
    }

    @Test("A singleton waits for a running namesake with a higher number, of its own user only")
    mutating func singleton() throws {
        try submit(1, name: "other", nodes: 1)
        try submit(2, name: "one", [.singleton, Dependency(.afterAny, JobID(1))])
        try submit(3, name: "one", user: 2)
        try submit(4, name: "one")
        #expect(sink.starts[JobID(4)] == at(0))
        try feed(.jobEnded(JobID(1), .completed), at: 5)
        #expect(reason(2) == .dependency)
        try feed(.requeue(JobID(4)), at: 6)
        #expect(sink.starts[JobID(2)] == at(6))
        #expect(sink.starts[JobID(4)] == at(6), "it is no singleton itself")
        try submit(5, name: "one", [.singleton], at: 7)
        try feed(.jobEnded(JobID(2), .completed), at: 8)
        #expect(reason(5) == .dependency)
        try feed(.changeName(JobID(4), "two"), at: 9)
        #expect(sink.starts[JobID(5)] == at(9))
    }

    @Test("8,000 singletons of one name run one after another, in order of their numbers")
    mutating func manySingletons() throws {
        let count: UInt32 = 8_000
        for number in 1...count { try submit(number, name: "chain", [.singleton]) }
        #expect(emulator.runningJobCount == 1)
        for number in 1...count {
            #expect(emulator.phase(of: JobID(number)) == .running)
            try feed(.jobEnded(JobID(number), .completed), at: Int64(number))
        }
        #expect(emulator.activeJobCount == 0)
    }

    @Test("What has ended long ago is forgotten, and counts as fulfilled")
    mutating func forgotten() throws {
        emulator = Self.centre(nodeCount: 4, remembered: 2)
        for number: UInt32 in 1...3 {
            try submit(number)
            try feed(.jobEnded(JobID(number), .failed), at: Int64(number))
        }
        try submit(4, [Dependency(.afterOK, JobID(1))], at: 5)
        try submit(5, [Dependency(.afterOK, JobID(2))], at: 5)
        #expect(sink.starts[JobID(4)] == at(5))
        #expect(reason(5) == .dependencyNeverSatisfied)
    }

    @Test("Rules agree with a plain reading of the jobs' histories", arguments: Seeds.first(200))
    func plainTwin(seed: UInt64) {
        var day = DependentDay(seed: seed)
        day.run()
    }
}
