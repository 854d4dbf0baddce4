@testable import Emulation
import EmulatorTestSupport
import Scheduling
import Testing

@Suite("The emulator against its plain twins")
struct PlainTwinTests {
    private static let policies: [SchedulingPolicy] = [
        .fcfs, .easy, SchedulingPolicy(order: .widest, backfill: .easySJBF),
    ]

    @Test(
        "On shared, unequal nodes every start is the plain scheduler's",
        arguments: Seeds.first(250)
    )
    func sharedNodes(seed: UInt64) {
        for policy in Self.policies {
            let world = World.shared(seed: seed, nodeCount: 5, jobCount: 40, policy: policy)
            expectPlainStarts(world, policy, seed)
        }
    }

    @Test(
        "On equal whole nodes every start is the plain scheduler's",
        arguments: Seeds.first(250)
    )
    func wholeNodes(seed: UInt64) {
        for policy in Self.policies {
            let world = World.uniform(seed: seed, nodeCount: 7, jobCount: 50, policy: policy)
            expectPlainStarts(world, policy, seed)
        }
    }

    @Test(
        "Counting and looking at nodes start the same jobs on the same nodes",
        arguments: Seeds.first(150)
    )
    func countingAgreesWithLooking(seed: UInt64) {
        for policy in Self.policies {
            let world = World.uniform(seed: seed, nodeCount: 70, jobCount: 120, policy: policy)
            var counting = Emulator(world.configuration)
            var looking = Emulator(world.configuration)
            for group in looking.groups.indices { looking.groups[group].alwaysLooksAtNodes = true }
            let counted = world.run(&counting)
            let looked = world.run(&looking)
            #expect(
                counted.starts == looked.starts,
                "\(Seeds.note(seed, "PlainTwin", policy.name))"
            )
            #expect(
                counting.digest == looking.digest,
                "\(Seeds.note(seed, "PlainTwin", policy.name))"
            )
        }
    }

    private func expectPlainStarts(_ world: World, _ policy: SchedulingPolicy, _ seed: UInt64) {
        var emulator = Emulator(world.configuration)
        let sink = world.run(&emulator) { emulator, _, _ in emulator.checkInvariants() }
        var plain = PlainScheduler(world: world)
        plain.run(policy)
        #expect(sink.starts == plain.starts, "\(Seeds.note(seed, "PlainTwin", policy.name))")
        #expect(
            sink.partitions == plain.partitions,
            "\(Seeds.note(seed, "PlainTwin", policy.name))"
        )
        #expect(emulator.activeJobCount == 0, "\(Seeds.note(seed, "PlainTwin", policy.name))")
    }
}
