import Emulation
import EmulatorTestSupport
import JobModel
import Quantities
import Scheduling
import Testing

@Suite("Conservative backfilling against its plain twin")
struct ConservativeTwinTests {
    /// Slurm's form with bounds so narrow that days of a few minutes run into them.
    private static let narrowSlurm =
        "backfill=slurm,bf_window=1,bf_resolution=7,bf_max_job_test=5,bf_reservations=2"

    @Test(
        "Every start is the plain planner's",
        arguments: ["conservative", "conservative-compress", "backfill=slurm", narrowSlurm]
    )
    func starts(name: String) throws {
        let policy = try SchedulingPolicy(named: name)
        for seed in Seeds.first(400) {
            let world = World.uniform(seed: seed, nodeCount: 6, jobCount: 25, policy: policy)
            var emulator = Emulator(world.configuration)
            let sink = world.run(&emulator) { emulator, _, _ in emulator.checkInvariants() }
            var plain = PlainConservative(nodeCount: 6, policy)
            plain.run(world.arrivals)
            let starts = sink.starts.mapValues(\.microseconds)
            let note = Seeds.note(seed, "ConservativeTwin", policy.name)
            #expect(starts == plain.starts, "\(note)")
            #expect(starts.count == world.arrivals.count, "\(note)")
        }
    }

    @Test("Under compress no promise ever moves later")
    func promisesHold() {
        var seen = 0
        for seed in Seeds.first(200) {
            let policy = SchedulingPolicy(backfill: .conservativeCompress)
            let world = World.uniform(seed: seed, nodeCount: 8, jobCount: 40, policy: policy)
            var emulator = Emulator(world.configuration)
            var promises: [JobID: Int64] = [:]
            let sink = world.run(&emulator) { emulator, _, now in
                for arrival in world.arrivals where arrival.at <= now {
                    let id = arrival.submission.id
                    guard case .plannedFor(let promise)? = emulator.obstacle(to: id, at: now)
                    else { continue }
                    let isKept = promise <= promises[id] ?? .max
                    #expect(isKept, "job \(id), \(Seeds.note(seed, "ConservativeTwin"))")
                    promises[id] = promise
                    seen += 1
                }
            }
            for (id, promise) in promises {
                let start = sink.starts[id]?.microseconds ?? .max
                #expect(start <= promise, "job \(id), \(Seeds.note(seed, "ConservativeTwin"))")
            }
        }
        #expect(seen > 200)
    }
}
