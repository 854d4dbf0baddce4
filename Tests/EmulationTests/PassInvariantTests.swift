import Emulation
import EmulatorTestSupport
import JobModel
import Quantities
import Scheduling
import Testing

/// What must hold after every pass, asked of the emulator itself.
@Suite("After every pass")
struct PassInvariantTests {
    private static let policies: [SchedulingPolicy] = [
        .fcfs, .easy, SchedulingPolicy(backfill: .easySJBF),
        SchedulingPolicy(order: .widest, backfill: .easy),
        SchedulingPolicy(order: .sjf, backfill: .easySJBF),
        SchedulingPolicy(order: .wfp3, backfill: .easy),
    ]

    /// Runs days under every policy; `look` is called after each pass with the jobs that wait.
    private func days(
        _ count: UInt64,
        _ look: (Emulator, [World.Arrival], SimInstant, SchedulingPolicy, String) -> Void
    ) {
        for seed in Seeds.first(count) {
            for policy in Self.policies {
                let world = World.uniform(seed: seed, nodeCount: 9, jobCount: 40, policy: policy)
                var emulator = Emulator(world.configuration)
                let note = Seeds.note(seed, "PassInvariant", policy.name)
                let sink = world.run(&emulator) { emulator, _, now in
                    emulator.checkInvariants()
                    let waiting = world.arrivals.filter {
                        $0.at <= now && emulator.phase(of: $0.submission.id) == .queued
                    }
                    look(emulator, waiting, now, policy, note)
                }
                #expect(sink.starts.count == world.arrivals.count, "\(note)")
            }
        }
    }

    @Test("Work is conserved: whoever waits has an obstacle that holds at its turn")
    func obstaclesHold() {
        var kinds: Set<String> = []
        days(100) { emulator, waiting, now, policy, note in
            for arrival in waiting {
                let id = arrival.submission.id
                let nodes = arrival.submission.request.chunkCount
                let end = now.microseconds + arrival.submission.timeLimit.microseconds
                switch emulator.obstacle(to: id, at: now) {
                case .firstAndNoRoom(let free, let promise)?:
                    kinds.insert("first")
                    let holds = free < nodes && promise ?? .min > now.microseconds
                    #expect(holds, "job \(id), \(note)")
                case .behindBlockedHead(_, let headNodes, let free)?:
                    kinds.insert("behind")
                    #expect(policy.backfill == .none && headNodes > free, "job \(id), \(note)")
                case .noRoom(let free)?:
                    kinds.insert("room")
                    #expect(free < nodes, "job \(id), \(note)")
                case .wouldDelayHead(_, let shadow, let extra)?:
                    kinds.insert("delay")
                    #expect(end > shadow && nodes > extra, "job \(id), \(note)")
                case let other: Issue.record("job \(id): \(String(describing: other)), \(note)")
                }
            }
        }
        #expect(kinds == ["first", "behind", "room", "delay"])
    }

    @Test("EASY's shadow never moves later while its head is the same")
    func shadowsHold() {
        var seen = 0
        for seed in Seeds.first(250) {
            for policy in [SchedulingPolicy.easy, SchedulingPolicy(backfill: .easySJBF)] {
                let world = World.uniform(seed: seed, nodeCount: 9, jobCount: 60, policy: policy)
                var emulator = Emulator(world.configuration)
                var promised: (head: JobID, instant: Int64)?
                _ = world.run(&emulator) { emulator, sink, now in
                    var head: (JobID, Int64)?
                    for arrival in world.arrivals where arrival.at <= now {
                        let id = arrival.submission.id
                        guard emulator.phase(of: id) == .queued,
                            case .firstAndNoRoom(_, let promise?)? =
                                emulator.obstacle(to: id, at: now)
                        else { continue }
                        head = (id, promise)
                        if let promised, promised.head == id {
                            let note = Seeds.note(seed, "PassInvariant", policy.name)
                            #expect(promise <= promised.instant, "job \(id), \(note)")
                            seen += 1
                        }
                    }
                    if let promised, let start = sink.starts[promised.head] {
                        let note = Seeds.note(seed, "PassInvariant", policy.name)
                        #expect(start.microseconds <= promised.instant, "\(note)")
                    }
                    promised = head
                }
            }
        }
        #expect(seen > 500)
    }
}
