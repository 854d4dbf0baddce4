import ClusterModel
import Determinism
import JobModel
import Quantities
import Testing

@testable import Scheduling

/// Placement by index against a look at every node.
@Suite("Placement on nodes that jobs share")
struct PlacementTests {
    private static let policies: [PlacementPolicy] = [
        .firstFit, .bestFit, .pack, .spread, .fewestSwitches, .random,
    ]

    private func table(_ policy: PlacementPolicy, _ random: inout SplitMix64) -> NodeTable {
        let nodes = (0..<random.draw(1...40)).map { _ in
            NodeCapacity(
                cores: Int32(random.draw(1...16)),
                memory: ByteCount(mebibytes: Int64(random.draw(8...32))),
                accelerators: Int32(random.draw(0...4))
            )
        }
        return NodeTable(
            nodes: nodes,
            machineIndex: Array(nodes.indices),
            isWholeNodeOnly: false,
            sharesCards: true,
            placement: policy
        )
    }

    private func request(_ random: inout SplitMix64) -> ResourceRequest {
        if random.below(3) == 0 {
            return ResourceRequest(
                chunkCount: 1,
                coresPerChunk: Int32(random.draw(1...4)),
                acceleratorsPerChunk: 1,
                acceleratorShare: Int32(random.draw(1...1_000))
            )
        }
        return ResourceRequest(
            chunkCount: Int32(random.draw(1...12)),
            coresPerChunk: Int32(random.draw(1...4)),
            memoryMebibytesPerChunk: Int32(random.draw(0...6)),
            acceleratorsPerChunk: Int32(random.draw(0...2)),
            chunksPerNodeMaximum: random.below(2) == 0 ? 1 : .max,
            isExclusive: random.below(8) == 0
        )
    }

    /// Chunks that fit on a node, one after another.
    private func chunks(_ request: ResourceRequest, _ state: NodeState) -> Int32 {
        guard !request.isExclusive || state.amounts.jobs == 0 else { return 0 }
        if request.acceleratorShare < 1_000 {
            let hasCard = (0..<16).contains {
                Int32(state.cards?.free[$0] ?? 0) >= request.acceleratorShare
            }
            return hasCard && state.amounts.cores >= request.coresPerChunk ? 1 : 0
        }
        var (cores, memory) = (state.amounts.cores, state.amounts.memory)
        var cards = Int32((0..<16).count { state.cards?.free[$0] == 1_000 })
        var count: Int32 = 0
        while count < request.chunksPerNodeMaximum, cores >= request.coresPerChunk,
            memory >= request.memoryMebibytesPerChunk, cards >= request.acceleratorsPerChunk
        {
            cores -= request.coresPerChunk
            memory -= request.memoryMebibytesPerChunk
            cards -= request.acceleratorsPerChunk
            count += 1
        }
        return count
    }

    /// The nodes in the order in which a policy goes through them, by its definition.
    private func order(
        _ policy: PlacementPolicy,
        _ nodes: NodeTable,
        _ request: ResourceRequest,
        _ switches: ContiguousArray<Int32>
    ) -> [Int]? {
        let all = Array(0..<nodes.count)
        func free(_ node: Int) -> Int32 { nodes.amounts[node].cores }
        func isIdle(_ node: Int) -> Bool { nodes.amounts[node].jobs == 0 }
        switch policy {
        case .firstFit: return all
        case .bestFit: return all.sorted { (free($0), $0) < (free($1), $1) }
        case .spread: return all.sorted { (-free($0), $0) < (-free($1), $1) }
        case .pack:
            return all.sorted {
                (isIdle($0) ? 1 : 0, free($0), $0) < (isIdle($1) ? 1 : 0, free($1), $1)
            }
        case .fewestSwitches:
            var room: [Int32: Int32] = [:]
            for node in all {
                room[switches[node], default: 0] += chunks(request, nodes.state(node))
            }
            let whole = room.filter { $0.value >= request.chunkCount }
            if let leaf = whole.min(by: { ($0.value, $0.key) < ($1.value, $1.key) })?.key {
                return all.filter { switches[$0] == leaf }
            }
            let leaves = room.keys.sorted {
                (-room[$0, default: 0], $0) < (-room[$1, default: 0], $1)
            }
            return leaves.flatMap { leaf in all.filter { switches[$0] == leaf } }
        case .random: return nil
        }
    }

    @Test("Every policy chooses what a look at every node chooses", arguments: policies)
    func choosesAsDefined(policy: PlacementPolicy) {
        for seed in 0..<400 as Range<UInt64> {
            var random = SplitMix64(seed: seed, stream: "placement test")
            var nodes = table(policy, &random)
            let switches = ContiguousArray((0..<nodes.count).map { Int32($0 / 8) })
            var running: [(segments: [AllocationSegment], request: ResourceRequest)] = []
            for job in 0..<UInt32(60) {
                let wanted = request(&random)
                let context = PlacementContext(
                    policy: policy,
                    seed: seed,
                    job: job,
                    leafSwitches: switches
                )
                let placed = nodes.place(wanted, NodeFilter(), context)
                let fits = (0..<nodes.count).map { chunks(wanted, nodes.state($0)) }
                let room = fits.reduce(0, +)
                #expect((placed != nil) == (room >= wanted.chunkCount), "seed \(seed), job \(job)")
                if let order = order(policy, nodes, wanted, switches), placed != nil {
                    var rest = wanted.chunkCount
                    var expected: [Int: Int32] = [:]
                    for node in order where rest > 0 && fits[node] > 0 {
                        expected[node] = min(rest, fits[node])
                        rest -= min(rest, fits[node])
                    }
                    let chosen = (placed ?? []).map { (Int($0.node), $0.chunks) }
                    #expect(
                        Dictionary(uniqueKeysWithValues: chosen) == expected,
                        "seed \(seed), job \(job)"
                    )
                }
                if let placed {
                    nodes.take(placed, of: wanted)
                    running.append((placed, wanted))
                }
                if running.count > 4, random.below(2) == 0 {
                    let ended = running.remove(at: Int(random.below(UInt64(running.count))))
                    nodes.release(ended.segments, of: ended.request)
                }
                nodes.checkInvariants()
            }
            for job in running { nodes.release(job.segments, of: job.request) }
            #expect(nodes.amounts == nodes.capacity, "seed \(seed)")
            #expect(nodes.coresFree == nodes.capacity.reduce(0) { $0 + Int64($1.cores) })
        }
    }

    @Test("A part of a card goes to the fullest card that has room")
    func partsOfCards() {
        var nodes = NodeTable(
            nodes: [NodeCapacity(cores: 8, accelerators: 2)],
            machineIndex: [0],
            isWholeNodeOnly: false,
            sharesCards: true
        )
        func part(_ share: Int32) -> ResourceRequest {
            ResourceRequest(chunkCount: 1, acceleratorsPerChunk: 1, acceleratorShare: share)
        }
        let context = PlacementContext(policy: .firstFit, seed: 1, job: 1, leafSwitches: [])
        var masks: [UInt16] = []
        for share: Int32 in [600, 500, 300, 400] {
            let placed = nodes.place(part(share), NodeFilter(), context) ?? []
            masks += placed.map(\.cards)
            nodes.take(placed, of: part(share))
        }
        // 600 on card 0, 500 on card 1, 300 on card 0 (the fuller), 400 on card 1.
        #expect(masks == [1, 2, 1, 2])
        #expect(nodes.place(part(200), NodeFilter(), context) == nil)
        let whole = ResourceRequest(chunkCount: 1, acceleratorsPerChunk: 1)
        #expect(nodes.place(whole, NodeFilter(), context) == nil)
    }
}
