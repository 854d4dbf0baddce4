import ClusterModel
import Determinism
import EmulatorTestSupport
@testable import Scheduling
import Testing

@Suite("Count timeline")
struct CountTimelinePropertyTests {
    /// One number for each instant; the last holds for ever.
    private struct PlainTimeline {
        var free: [Int32]

        func earliest(_ units: Int32, _ length: Int) -> Int {
            for start in free.indices {
                let span = start..<min(free.count, start + max(1, length))
                if free[span].allSatisfy({ $0 >= units }) { return start }
            }
            return free.count
        }
    }

    @Test("The earliest place is the one that trying every instant finds")
    func agreesWithTrying() {
        for seed in Seeds.first(700) {
            var random = SplitMix64(seed: seed, stream: "timeline")
            let total = Int32(random.draw(1...12))
            let horizon = 220
            var free = Int32(random.draw(0...Int(total)))
            var timeline = CountTimeline(now: 0, free: free)
            var plain = PlainTimeline(free: Array(repeating: free, count: horizon))
            var instant = 0
            while free < total {
                instant += random.draw(0...6)
                let units = Int32(random.draw(1...Int(total - free)))
                free += units
                timeline.appendEnd(at: Int64(instant), units: units)
                for index in instant..<horizon { plain.free[index] += units }
            }
            let note = Seeds.note(seed, "CountTimeline")
            var taken: [(units: Int32, from: Int, to: Int)] = []
            for _ in 0..<14 {
                if random.below(4) == 0, let back = taken.popLast() {
                    timeline.take(-back.units, from: Int64(back.from), to: Int64(back.to))
                    for index in back.from..<back.to { plain.free[index] += back.units }
                    continue
                }
                let units = Int32(random.draw(1...Int(total)))
                let length = random.draw(0...12)
                let found = Int(timeline.earliest(units: units, length: Int64(length)))
                #expect(found == plain.earliest(units, length), "\(note)")
                guard found + length < horizon else { break }
                timeline.take(units, from: Int64(found), to: Int64(found + length))
                for index in found..<(found + length) { plain.free[index] -= units }
                taken.append((units, found, found + length))
            }
        }
    }
}

@Suite("Node table")
struct NodeTablePropertyTests {
    @Test("Bitmaps and lists give out what sets of numbers give out")
    func agreesWithSets() {
        for seed in Seeds.first(150) {
            var random = SplitMix64(seed: seed, stream: "node table")
            let count = random.draw(1...200)
            var table = NodeTable(
                nodes: Array(repeating: NodeCapacity(cores: 2), count: count),
                machineIndex: Array(0..<count),
                isWholeNodeOnly: true
            )
            var held: [(first: Int32, nodes: [Int])] = []
            var up = Set(0..<count)
            var busy: Set<Int> = []
            let note = Seeds.note(seed, "NodeTable")
            for step in 0..<60 {
                let idle = up.subtracting(busy).sorted()
                switch random.below(5) {
                case 0, 1:
                    guard !idle.isEmpty else { continue }
                    let wanted = random.draw(1...idle.count)
                    let first = table.takeLowest(Int32(wanted), for: Int32(step))
                    let expected = Array(idle.prefix(wanted))
                    var given: [Int] = []
                    table.forEachNode(listFrom: first) { given.append($0) }
                    #expect(given == expected, "step \(step), \(note)")
                    held.append((first, expected))
                    busy.formUnion(expected)
                case 2, 3:
                    guard !held.isEmpty else { continue }
                    let job = held.remove(at: Int(random.below(UInt64(held.count))))
                    table.release(listFrom: job.first)
                    busy.subtract(job.nodes)
                default:
                    let node = random.draw(0...(count - 1))
                    let services: [NodeService] = [.up, .drained, .down]
                    let service = services[random.draw(0...2)]
                    table.set(node, service)
                    if service == .up { up.insert(node) } else { up.remove(node) }
                }
                table.checkInvariants()
                let isSame = (0..<count).allSatisfy {
                    table.isIdle($0) == (up.contains($0) && !busy.contains($0))
                }
                #expect(isSame, "step \(step), \(note)")
                #expect(table.inServiceCount == Int32(up.count), "step \(step), \(note)")
            }
        }
    }
}
