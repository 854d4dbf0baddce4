import Emulation
import EmulatorTestSupport
import JobModel
import Quantities
import Scheduling
import Testing

@Suite("Expected starts")
struct ForecastTests {
    private static let policies = [
        "fcfs", "easy", "easy-sjbf", "conservative", "conservative-compress", "backfill=slurm",
        "order=widest,backfill=easy,placement=best-fit",
    ]

    @Test(
        "When all run to their limits, each starts when and where it was foreseen",
        arguments: policies
    )
    func foreseenStartsComeTrue(name: String) throws {
        let policy = try SchedulingPolicy(named: name)
        var seen = 0
        for seed in Seeds.first(15) {
            var world = World.shared(seed: seed, nodeCount: 5, jobCount: 24, policy: policy)
            for index in world.arrivals.indices {
                world.arrivals[index].runTime =
                    world.arrivals[index].submission.timeLimit.microseconds
            }
            let last = world.arrivals.last?.at ?? .epoch
            var emulator = Emulator(world.configuration)
            var foreseen: [JobID: ExpectedStart] = [:]
            let note = Seeds.note(seed, "Forecast", policy.name)
            let sink = world.run(&emulator) { emulator, sink, now in
                if now == last {
                    let before = emulator.digest
                    let starts = emulator.expectedStarts(from: now)
                    for start in starts { foreseen[start.start.id] = start }
                    if let latest = starts.last {
                        let alone = emulator.estimatedRun(of: latest.start.id, from: now)
                        #expect(alone == latest, "\(note)")
                    }
                    #expect(emulator.digest == before, "\(note)")
                }
                // An instant has a second pass when a job without length ends in the first, so a
                // job is looked at once it has started, not once its instant has come.
                for (id, start) in foreseen where sink.starts[id] == now {
                    let nodes = emulator.allocation(of: id).map(\.node)
                    // A job without run time may have ended already.
                    let holds = nodes == start.nodes || emulator.phase(of: id) == nil
                    #expect(holds, "job \(id), \(note)")
                }
            }
            for (id, start) in foreseen {
                #expect(sink.starts[id] == start.start.startedAt, "job \(id), \(note)")
                seen += 1
            }
        }
        #expect(seen > 30)
    }
}
