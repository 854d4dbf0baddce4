import Accounts
import Determinism
import Emulation
import EmulatorTestSupport
import JobModel
import Quantities
import Scheduling
import Testing

/// Jobs that wait alone have no priority computed where nobody asks for it: nothing else is different.
@Suite("Priorities that are computed late")
struct LateValueTests {
    private func at(_ second: Int64) -> SimInstant { SimInstant(seconds: second) }

    /// A centre under fair share that is seldom full, with people who are known or come with their jobs.
    private func world(_ seed: UInt64, _ random: inout SplitMix64) throws -> PeopleWorld {
        let names = [
            "multifactor", "slurm", "fcfs,order=multifactor", "conservative,order=multifactor",
        ]
        var policy = try SchedulingPolicy(named: names[random.draw(0...3)])
        policy.weights.periodSeconds = random.draw(3...40)
        policy.weights.halfLifeSeconds = random.draw(0...400)
        var world = PeopleWorld(seed: seed, policy: policy)
        if random.below(2) == 0 { world.configuration.associations = Associations() }
        let spread = Int64(random.draw(1...3))
        for index in world.jobs.indices { world.jobs[index].submit *= spread }
        return world
    }

    private func submission(_ job: PeopleWorld.Job) -> JobSubmission {
        var submission = JobSubmission(
            id: JobID(UInt32(job.id)),
            partitions: job.partitions,
            request: .wholeNodes(Int32(job.nodes)),
            timeLimit: SimDuration(seconds: job.limit)
        )
        (submission.user, submission.account) = (job.user, job.account)
        submission.qos = Int32(job.qos)
        return submission
    }

    /// What an operator may do to a job that waits.
    private func change(_ id: JobID, _ random: inout SplitMix64) -> Input {
        switch random.draw(0...3) {
        case 0: .hold(id, .user)
        case 1: .release(id)
        case 2: .changePriority(id, Int64(random.draw(0...20_000)), isFixed: false)
        default:
            .changePeople(
                .user(
                    Int32(random.draw(0...2)),
                    account: Int32(random.draw(0...3)),
                    AssociationSettings(shares: Int32(random.draw(0...4)))
                )
            )
        }
    }

    private func run(_ world: PeopleWorld, tellsPriorities: Bool, seed: UInt64) -> (
        Emulator, RecordingSink
    ) {
        var random = SplitMix64(seed: seed, stream: "late value changes")
        var configuration = world.configuration
        configuration.tellsPriorities = tellsPriorities
        var emulator = Emulator(configuration)
        var sink = RecordingSink()
        var next = 0
        for second in 0...2_000 as ClosedRange<Int64> {
            let now = at(second)
            let changes = random.below(6) == 0
            guard
                changes || sink.ends.nextInstant == now.microseconds
                    || next < world.jobs.count && world.jobs[next].submit == second
            else { continue }
            while sink.ends.nextInstant == now.microseconds {
                try? emulator.handle(.jobEnded(sink.ends.pop(), .completed), at: now, into: &sink)
            }
            while next < world.jobs.count, world.jobs[next].submit == second {
                let job = world.jobs[next]
                sink.runTimes[JobID(UInt32(job.id))] = job.run * 1_000_000
                try? emulator.handle(.submit(submission(job)), at: now, into: &sink)
                next += 1
            }
            if changes, next > 0 {
                let id = JobID(UInt32(world.jobs[random.draw(0...(next - 1))].id))
                try? emulator.handle(change(id, &random), at: now, into: &sink)
            }
            // Some inputs are answered before a pass looks at them.
            if random.below(8) == 0 { continue }
            emulator.schedulingPass(at: now, into: &sink)
            emulator.checkInvariants()
        }
        return (emulator, sink)
    }

    @Test("No decision depends on whether priorities are told", arguments: Seeds.first(200))
    func twin(seed: UInt64) throws {
        var random = SplitMix64(seed: seed, stream: "late values")
        let world = try world(seed, &random)
        let (told, toldSink) = run(world, tellsPriorities: true, seed: seed)
        let (untold, sink) = run(world, tellsPriorities: false, seed: seed)
        let note = "\(Seeds.note(seed, "LateValue", world.configuration.policy.name))"
        #expect(toldSink.starts == sink.starts, "\(note)")
        #expect(told.digest == untold.digest, "\(note)")
        #expect(!sink.starts.isEmpty, "\(note)")
    }
}
