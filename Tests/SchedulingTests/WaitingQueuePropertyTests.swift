import Determinism
import EmulatorTestSupport
@testable import Scheduling
import Testing

@Suite("Waiting queue")
struct WaitingQueuePropertyTests {
    private struct Entry {
        var key: QueueKey
        var slot: Int32
        var size: Int32
        var limit: UInt32
    }

    @Test(
        "The index finds what a scan finds, whatever came and went",
        arguments: Seeds.first(120)
    )
    func indexAgreesWithScan(seed: UInt64) {
        var random = SplitMix64(seed: seed, stream: "waiting queue")
        var queue = WaitingQueue()
        var plain: [Entry] = []
        let isStatic = random.below(2) == 0
        let largest = 1 << random.draw(1...10)
        let growth = UInt64(random.draw(1...3))
        for step in 0..<700 {
            if random.below(growth + 2) != 0 || plain.isEmpty {
                let rank = isStatic ? 0 : Int64(random.draw(0...20))
                let entry = Entry(
                    key: QueueKey(rank: rank, submitted: Int64(step / 3), id: UInt32(step)),
                    slot: Int32(step),
                    size: Int32(random.draw(1...largest)),
                    limit: UInt32(random.draw(1...100))
                )
                queue.insert(
                    key: entry.key,
                    slot: entry.slot,
                    size: entry.size,
                    limit: entry.limit
                )
                let place = plain.firstIndex { entry.key < $0.key } ?? plain.count
                plain.insert(entry, at: place)
            } else {
                // Mostly from the front, as schedulers do.
                let span = random.below(3) == 0 ? plain.count : min(3, plain.count)
                let victim = plain.remove(at: Int(random.below(UInt64(span))))
                let isRemoved = queue.remove(key: victim.key)
                #expect(isRemoved, "seed \(seed), step \(step)")
            }
            #expect(queue.count == plain.count, "seed \(seed), step \(step)")
            expectAgreement(queue, plain, &random, largest, "seed \(seed), step \(step)")
        }
        expectOrder(queue, plain, "seed \(seed)")
    }

    private func expectAgreement(
        _ queue: WaitingQueue,
        _ plain: [Entry],
        _ random: inout SplitMix64,
        _ largest: Int,
        _ world: String
    ) {
        guard var cursor = queue.first() else { return }
        for _ in 0..<random.below(4) { cursor = queue.entry(after: cursor) ?? cursor }
        let free = Int32(random.draw(0...largest))
        let extra = Int32(random.draw(0...Int(free)))
        let window = UInt32(random.draw(0...100))
        let found = queue.next(after: cursor, free: free, window: window, extra: extra)
        let scanned = queue.scanNext(after: cursor, free: free, window: window, extra: extra)
        #expect(found == scanned, "\(world)")
        let start = plain.firstIndex { $0.slot == queue.slot(at: cursor) } ?? plain.count
        let expected = plain.dropFirst(start + 1).first {
            $0.size <= free && ($0.limit <= window || $0.size <= extra)
        }
        #expect(found.map(queue.slot(at:)) == expected?.slot, "\(world)")
    }

    private func expectOrder(_ queue: WaitingQueue, _ plain: [Entry], _ world: String) {
        var slots: [Int32] = []
        var cursor = queue.first()
        while let current = cursor {
            slots.append(queue.slot(at: current))
            cursor = queue.entry(after: current)
        }
        #expect(slots == plain.map(\.slot), "\(world)")
    }
}

@Suite("Expected ends")
struct ExpectedEndsPropertyTests {
    @Test("The shadow is the one that adding up finds", arguments: Seeds.first(60))
    func shadowAgreesWithSum(seed: UInt64) {
        var random = SplitMix64(seed: seed, stream: "expected ends")
        var ends = ExpectedEnds()
        var plain: [(end: Int64, units: Int32, slot: Int32)] = []
        for step in 0..<600 {
            if random.below(5) != 0 || plain.isEmpty {
                let entry = (
                    end: Int64(random.draw(0...60)) * 500_000, units: Int32(random.draw(1...9)),
                    slot: Int32(step)
                )
                ends.insert(end: entry.end, units: entry.units, slot: entry.slot)
                plain.append(entry)
            } else {
                let victim = plain.remove(at: Int(random.below(UInt64(plain.count))))
                ends.remove(end: victim.end, slot: victim.slot)
            }
            let free = Int32(random.draw(0...20))
            let need = free + Int32(random.draw(1...40))
            let now = Int64(random.draw(0...30)) * 500_000
            let found = ends.shadow(need: need, free: free, now: now, grace: 1_000_000)
            let expected = addUp(plain, need: need, free: free, now: now)
            #expect(found == expected, "seed \(seed), step \(step)")
        }
    }

    private func addUp(
        _ plain: [(end: Int64, units: Int32, slot: Int32)],
        need: Int32,
        free: Int32,
        now: Int64
    ) -> ExpectedEnds.Shadow? {
        let instants = plain.map { $0.end <= now ? now + 1_000_000 : $0.end }
        for instant in Set(instants).sorted() {
            let returned = zip(plain, instants).filter { $1 <= instant }.map(\.0.units)
            let total = free + returned.reduce(0, +)
            if total >= need { return ExpectedEnds.Shadow(instant: instant, extra: total - need) }
        }
        return nil
    }
}
