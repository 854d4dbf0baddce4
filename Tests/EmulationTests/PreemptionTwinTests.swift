import Accounts
import Emulation
import EmulatorTestSupport
import JobModel
import Quantities
import Scheduling
import Testing

/// The core with QOS that preempt one another against a centre that looks at every node each second.
@Suite("Preemption against its plain twin")
struct PreemptionTwinTests {
    @Test("What happens, happens in both", arguments: Seeds.first(150))
    func twin(seed: UInt64) throws {
        for policy in [SchedulingPolicy.fcfs, .easy] {
            let world = PreemptionWorld(seed: seed)
            var plain = PlainPreemption(world, isEasy: policy.backfill == .easy)
            plain.run()
            let note = Seeds.note(seed, "PreemptionTwin", policy.name)
            let story = try Self.story(world, policy)
            #expect(story.sorted() == plain.story.sorted(), "\(note)")
        }
    }

    private static func story(
        _ world: PreemptionWorld,
        _ policy: SchedulingPolicy
    ) throws -> [String] {
        var configuration = EmulatorConfiguration.uniform(
            nodeCount: world.nodeCount,
            policy: policy
        )
        configuration.qos = world.qos
        configuration.preemption = world.rules
        var emulator = Emulator(configuration)
        var sink = StorySink(lengths: world.jobs.map(\.run))
        var next = 0
        while true {
            let arrival = next < world.jobs.count ? world.jobs[next].submit : nil
            guard let now = ([arrival] + [sink.nextInstant]).compactMap(\.self).min() else { break }
            sink.now = now
            let instant = SimInstant(seconds: now)
            for id in sink.takeEnds() {
                try emulator.handle(.jobEnded(id, .completed), at: instant, into: &sink)
            }
            while next < world.jobs.count, world.jobs[next].submit == now {
                try submit(world.jobs[next], to: &emulator, at: instant, &sink)
                next += 1
            }
            try emulator.handle(.timer, at: instant, into: &sink)
            emulator.schedulingPass(at: instant, into: &sink)
            sink.nameNodes(emulator)
            emulator.checkInvariants()
        }
        #expect(emulator.activeJobCount == 0)
        return sink.story
    }

    private static func submit(
        _ job: PreemptionWorld.Job,
        to emulator: inout Emulator,
        at now: SimInstant,
        _ sink: inout StorySink
    ) throws {
        var submission = JobSubmission(
            id: JobID(UInt32(job.id)),
            request: .wholeNodes(Int32(job.nodes)),
            timeLimit: SimDuration(seconds: job.limit),
            isRequeuable: job.isRequeuable
        )
        submission.qos = Int32(job.qos)
        try emulator.handle(.submit(submission), at: now, into: &sink)
    }
}

/// Tells what happens in the words of `PlainPreemption`, and ends each run when it is over.
private struct StorySink: EffectSink {
    /// By job number less 1. Unit: s.
    let lengths: [Int64]
    var now: Int64 = 0
    private(set) var story: [String] = []
    private var ends: [JobID: Int64] = [:]
    private var starts: [JobID: Int64] = [:]
    private var wakes: Set<Int64> = []
    private var started: [JobID] = []

    init(lengths: [Int64]) {
        self.lengths = lengths
    }

    var nextInstant: Int64? { (Array(ends.values) + wakes).filter { $0 > now }.min() }

    mutating func takeEnds() -> [JobID] {
        ends.filter { $0.value == now }.keys.sorted()
    }

    /// Adds where the jobs started, which they do no more than once at an instant.
    mutating func nameNodes(_ emulator: Emulator) {
        for id in started {
            let nodes = emulator.allocation(of: id).map(\.node)
            story.append("\(now) \(id) starts on \(nodes)")
        }
        started.removeAll()
    }

    mutating func jobStarted(_ start: JobStart) {
        ends[start.id] = now + lengths[Int(start.id.number) - 1]
        starts[start.id] = now
        started.append(start.id)
    }

    mutating func jobEnded(_ end: JobEnd) {
        ends[end.id] = nil
        story.append("\(now) \(end.id) \(end.state == .preempted ? "is preempted" : "ends")")
    }

    mutating func jobRequeued(_ run: JobEnd) {
        ends[run.id] = nil
        story.append("\(now) \(run.id) waits again")
    }

    mutating func jobSuspended(_ id: JobID) {
        ends[id] = nil
        story.append("\(now) \(id) stands still")
    }

    mutating func jobResumed(_ id: JobID, suspendedFor: SimDuration, deadline: SimInstant) {
        let stood = suspendedFor.microseconds / 1_000_000
        ends[id] = (starts[id] ?? now) + stood + lengths[Int(id.number) - 1]
        story.append("\(now) \(id) goes on")
    }

    mutating func jobMustStop(_ id: JobID, _ reason: StopReason) {}

    mutating func wake(at instant: SimInstant) { wakes.insert(instant.microseconds / 1_000_000) }
}
