import Accounts
import Emulation
import EmulatorTestSupport
import JobModel
import Quantities
import Scheduling
import Testing

/// The core with people and limits against a centre that counts everything anew each time.
@Suite("People and limits against their plain twin")
struct PeopleTwinTests {
    private func at(_ second: Int64) -> SimInstant { SimInstant(seconds: second) }

    @Test("Every start and every refusal is the plain centre's", arguments: Seeds.first(60))
    func twin(seed: UInt64) throws {
        try compare(seed, kinds: nil)
    }

    @Test("Also where many wait that are alike", arguments: Seeds.first(120))
    func crowd(seed: UInt64) throws {
        try compare(seed, kinds: Int(seed % 4) + 1)
    }

    private func compare(_ seed: UInt64, kinds: Int?) throws {
        for policy in [SchedulingPolicy.fcfs, .easy] {
            let world = PeopleWorld(seed: seed, policy: policy, kinds: kinds)
            var plain = PlainCentre(world, isEasy: policy.backfill == .easy)
            plain.run()

            var emulator = Emulator(world.configuration)
            var sink = RecordingSink()
            var refused: Set<Int> = []
            var next = 0
            for second in 0...3_000 as ClosedRange<Int64> {
                let now = at(second)
                let due = sink.ends.nextInstant == now.microseconds
                let moves = world.moves.filter { $0.second == second }
                let comes = next < world.jobs.count && world.jobs[next].submit == second
                guard due || comes || !moves.isEmpty else { continue }
                while sink.ends.nextInstant == now.microseconds {
                    let id = sink.ends.pop()
                    try emulator.handle(.jobEnded(id, .completed), at: now, into: &sink)
                }
                for move in moves {
                    let change = PeopleChange.account(
                        move.account,
                        parent: move.parent < 0 ? nil : move.parent,
                        world.accountSettings[Int(move.account)]
                    )
                    try emulator.handle(.changePeople(change), at: now, into: &sink)
                }
                while next < world.jobs.count, world.jobs[next].submit == second {
                    if !take(world.jobs[next], &emulator, &sink, at: now) {
                        refused.insert(world.jobs[next].id)
                    }
                    next += 1
                }
                emulator.schedulingPass(at: now, into: &sink)
                emulator.checkInvariants()
            }
            let note = "\(Seeds.note(seed, "PeopleTwin", policy.name))"
            #expect(refused == plain.refused, "\(note)")
            for job in world.jobs {
                let start = sink.starts[JobID(UInt32(job.id))]
                #expect(start == plain.runs[job.id].map { at($0.start) }, "\(note), job \(job.id)")
                let partition = sink.partitions[JobID(UInt32(job.id))]
                #expect(partition == plain.runs[job.id]?.partition, "\(note), job \(job.id)")
            }
        }
    }

    private func take(
        _ job: PeopleWorld.Job,
        _ emulator: inout Emulator,
        _ sink: inout RecordingSink,
        at now: SimInstant
    ) -> Bool {
        let id = JobID(UInt32(job.id))
        sink.runTimes[id] = job.run * 1_000_000
        var submission = JobSubmission(
            id: id,
            partitions: job.partitions,
            request: .wholeNodes(Int32(job.nodes)),
            timeLimit: SimDuration(seconds: job.limit)
        )
        submission.user = job.user
        submission.account = job.account
        submission.qos = Int32(job.qos)
        submission.licenses = job.licenses.enumerated().filter { $1 > 0 }.map {
            LicenseNeed(license: Int32($0), count: Int32($1))
        }
        return (try? emulator.handle(.submit(submission), at: now, into: &sink)) != nil
    }
}
