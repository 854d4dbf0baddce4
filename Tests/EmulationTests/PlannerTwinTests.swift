import Emulation
import EmulatorTestSupport
import Quantities
import Scheduling
import Testing

@Suite("Policies that plan ahead, on nodes that differ and are shared")
struct PlannerTwinTests {
    @Test(
        "Every start is the plain planner's",
        arguments: [
            "conservative", "conservative-compress", "backfill=slurm",
            "backfill=slurm,bf_window=1,bf_resolution=7,bf_max_job_test=5,bf_reservations=2",
        ]
    )
    func starts(name: String) throws {
        let policy = try SchedulingPolicy(named: name)
        for seed in Seeds.first(100) {
            let world = World.shared(
                seed: seed,
                nodeCount: 5,
                jobCount: 24,
                policy: policy,
                jobsCrossGroups: false
            )
            var emulator = Emulator(world.configuration)
            let sink = world.run(&emulator) { emulator, _, _ in emulator.checkInvariants() }
            var plain = PlainPlanner(world: world, policy)
            plain.run()
            let note = Seeds.note(seed, "PlannerTwin", policy.name)
            #expect(sink.starts.mapValues(\.microseconds) == plain.starts, "\(note)")
            #expect(emulator.activeJobCount == 0, "\(note)")
        }
    }
}
