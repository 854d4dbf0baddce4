@testable import Emulation
import EmulatorTestSupport
import IndexSets
import JobModel
import Quantities
import Scheduling
import Testing

@Suite("Days with reservations and outages")
struct ReservationTwinTests {
    private func expectPlain(_ day: ReservedDay, _ policy: SchedulingPolicy, _ seed: UInt64) {
        var emulator = Emulator(day.world.configuration)
        var guardian = Intruders()
        let note = Seeds.note(seed, "ReservationTwin", policy.name)
        let (sink, refused) = day.run(&emulator) { emulator, sink, now in
            emulator.checkInvariants()
            #expect(guardian.find(in: emulator, day, sink, now).isEmpty, "\(now), \(note)")
        }
        var plain = PlainReservations(day, policy)
        plain.run()
        let ids = Set(sink.starts.keys).union(plain.starts.keys)
        let differing = ids.filter { sink.starts[$0] != plain.starts[$0] }.sorted()
        let first = differing.first.map { id in
            "job \(id) at \(sink.starts[id]?.seconds ?? -1), plain \(plain.starts[id]?.seconds ?? -1)"
        }
        #expect(differing.isEmpty, "\(first ?? ""), \(note)")
        #expect(refused == plain.refused, "\(note)")
    }

    @Test("On equal whole nodes every start is the plain one's", arguments: Seeds.first(150))
    func wholeNodes(seed: UInt64) {
        for policy in [.fcfs, .easy, SchedulingPolicy(backfill: .easySJBF)] {
            let world = World.uniform(seed: seed, nodeCount: 7, jobCount: 40, policy: policy)
            expectPlain(ReservedDay(world, seed: seed), policy, seed)
        }
    }

    @Test("On shared, unequal nodes every start is the plain one's", arguments: Seeds.first(150))
    func sharedNodes(seed: UInt64) {
        let policies = [
            .fcfs, .easy, SchedulingPolicy(backfill: .easySJBF),
            SchedulingPolicy(backfill: .conservative),
        ]
        for policy in policies {
            let world = World.shared(
                seed: seed,
                nodeCount: 5,
                jobCount: 30,
                policy: policy,
                jobsCrossGroups: false
            )
            expectPlain(ReservedDay(world, seed: seed), policy, seed)
        }
    }

    @Test(
        "Under every policy nobody enters a reservation of others",
        arguments: [
            "conservative", "conservative-compress", "backfill=slurm", "slurm,bf_resolution=7",
            "wfp3", "easy,estimates=last2", "easy,placement=random", "easy,placement=pack",
        ]
    )
    func nobodyEnters(name: String) throws {
        let policy = try SchedulingPolicy(named: name)
        for seed in Seeds.first(60) {
            let worlds = [
                World.uniform(seed: seed, nodeCount: 7, jobCount: 40, policy: policy),
                World.shared(seed: seed, nodeCount: 5, jobCount: 30, policy: policy),
            ]
            for world in worlds {
                let day = ReservedDay(world, seed: seed)
                var emulator = Emulator(world.configuration)
                var guardian = Intruders()
                let note = Seeds.note(seed, "ReservationTwin", policy.name)
                let (sink, _) = day.run(&emulator) { emulator, sink, now in
                    emulator.checkInvariants()
                    #expect(guardian.find(in: emulator, day, sink, now).isEmpty, "\(now), \(note)")
                }
                #expect(sink.starts.count > 5, "\(note)")
            }
        }
    }
}

/// Looks for jobs on nodes that are reserved for others.
private struct Intruders {
    /// When each reservation was made, also of those that have ended.
    private var made: [ReservationID: (at: SimInstant, flags: ReservationFlags)] = [:]

    mutating func find(
        in emulator: Emulator,
        _ day: ReservedDay,
        _ sink: RecordingSink,
        _ now: SimInstant
    ) -> [JobID] {
        let held = emulator.heldReservations
        for reservation in held where made[reservation.terms.id] == nil {
            made[reservation.terms.id] = (now, reservation.terms.flags)
        }
        var found: [JobID] = []
        for arrival in day.world.arrivals {
            let job = arrival.submission
            guard emulator.phase(of: job.id) == .running, let start = sink.starts[job.id] else {
                continue
            }
            let nodes = emulator.allocation(of: job.id).map(\.node)
            let own = held.first { $0.terms.id == job.reservation }
            if let own, own.terms.flags.isDisjoint(with: [.flex, .anyNodes]) {
                if !nodes.allSatisfy(own.nodes.contains) { found.append(job.id) }
            }
            let flags = job.reservation.flatMap { made[$0]?.flags } ?? []
            if !flags.isDisjoint(with: [.maint, .overlap]) { continue }
            for other in held where other.terms.id != job.reservation {
                let isThere = other.terms.start <= now && now < other.terms.end
                let isOlder = made[other.terms.id].map { start < $0.at } ?? false
                if isThere, !isOlder, nodes.contains(where: other.nodes.contains) {
                    found.append(job.id)
                }
            }
        }
        return found
    }
}
