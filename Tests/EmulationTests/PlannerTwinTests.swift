import Determinism
import Emulation
import EmulatorTestSupport
import JobModel
import Quantities
import Scheduling
import Testing

@Suite("Policies that plan ahead, on nodes that differ and are shared")
struct PlannerTwinTests {
    @Test(
        "Every start is the plain planner's where jobs share licences",
        arguments: [
            "conservative", "backfill=slurm,bf_licenses=1",
            "backfill=slurm,bf_licenses=1,bf_window=1,bf_resolution=7,bf_max_job_test=5",
        ]
    )
    func startsWithLicenses(name: String) throws {
        let policy = try SchedulingPolicy(named: name)
        for seed in Seeds.first(100) {
            var world = World.shared(
                seed: seed,
                nodeCount: 5,
                jobCount: 24,
                policy: policy,
                jobsCrossGroups: false
            )
            var random = SplitMix64(seed: seed, stream: "licences")
            // One queue: a plan knows what runs in other groups, and not what they plan.
            world.arrivals.removeAll { $0.submission.partitions == [2] }
            for index in world.arrivals.indices {
                world.arrivals[index].submission.id = JobID(UInt32(index + 1))
            }
            world.shareLicenses(&random)
            try compare(world, policy, seed)
        }
    }

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
            try compare(world, policy, seed)
        }
    }

    private func compare(_ world: World, _ policy: SchedulingPolicy, _ seed: UInt64) throws {
        var emulator = Emulator(world.configuration)
        let sink = world.run(&emulator) { emulator, _, _ in emulator.checkInvariants() }
        var plain = PlainPlanner(world: world, policy)
        plain.run()
        let note = Seeds.note(seed, "PlannerTwin", policy.name)
        #expect(sink.starts.mapValues(\.microseconds) == plain.starts, "\(note)")
        #expect(emulator.activeJobCount == 0, "\(note)")
    }
}
