import ClusterModel
import Determinism
import Emulation
import EmulatorTestSupport
import IndexSets
import JobModel
import Quantities
import Scheduling
import Testing

/// A day of jobs under FCFS and first fit on shared nodes, placed a second time by a plain search over
/// all nodes, written from docs/scheduling.md: the same jobs start on the same nodes with the same cores.
struct PlainAllocationDay {
    private struct Node {
        var cores: Int32
        var memory: Int32
        var cards: Int32
        var users: [JobID: Int32] = [:]
        var keeper: Int32 = NodeKeeper.none
    }

    private let seed: UInt64
    private var random: SplitMix64
    private var emulator: Emulator
    private var sink = RecordingSink()
    private let capacity: [Node]
    private var nodes: [Node]
    private var queue: [JobSubmission] = []
    private var running: [JobID: (job: JobSubmission, held: [Int: Int32])] = [:]
    private var number: UInt32 = 0

    init(seed: UInt64) {
        self.seed = seed
        random = SplitMix64(seed: seed, stream: "allocations")
        var nodes: [Node] = []
        for _ in 0..<random.draw(1...6) {
            nodes.append(
                Node(
                    cores: Int32(random.draw(1...8)),
                    memory: Int32(random.draw(4...16)),
                    cards: Int32(random.draw(0...3))
                )
            )
        }
        capacity = nodes
        self.nodes = nodes
        emulator = Emulator(
            EmulatorConfiguration(
                nodes: nodes.map {
                    NodeCapacity(
                        cores: $0.cores,
                        memory: ByteCount(mebibytes: Int64($0.memory)),
                        accelerators: $0.cards
                    )
                },
                partitions: [
                    PartitionConfiguration(nodes: IDSet(0..<nodes.count), isWholeNode: false)
                ],
                policy: .fcfs
            )
        )
    }

    mutating func run() throws {
        for second in 0..<60 {
            let now = SimInstant(seconds: Int64(second))
            if random.below(2) == 0, let id = running.keys.min() {
                try emulator.handle(.jobEnded(id, .completed), at: now, into: &sink)
                end(id)
            }
            let job = someJob()
            // Who could never fit is refused.
            if (try? emulator.handle(.submit(job), at: now, into: &sink)) != nil {
                queue.append(job)
            }
            emulator.schedulingPass(at: now, into: &sink)
            emulator.checkInvariants()
            while let head = queue.first, let held = place(head) {
                start(head, held)
                queue.removeFirst()
            }
            for (id, entry) in running {
                let real = emulator.allocation(of: id)
                let chunks = Dictionary(uniqueKeysWithValues: real.map { ($0.node, $0.chunks) })
                #expect(chunks == entry.held, "job \(id) \(Seeds.note(seed, "Allocations"))")
            }
            #expect(running.count == emulator.runningJobCount, "\(Seeds.note(seed, "Allocations"))")
        }
    }

    private mutating func someJob() -> JobSubmission {
        number += 1
        var request = ResourceRequest(
            chunkCount: Int32(random.draw(1...8)),
            coresPerChunk: Int32(random.draw(1...2)),
            memoryMebibytesPerChunk: Int32(random.draw(0...2)),
            acceleratorsPerChunk: random.below(5) == 0 ? 1 : 0,
            chunksPerNodeMaximum: random.below(3) == 0 ? Int32(random.draw(1...3)) : .max
        )
        let user = Int32(random.draw(1...2))
        switch random.below(3) {
        case 0:
            request.nodesMinimum = Int32(random.draw(1...Int(min(3, request.chunkCount))))
            request.nodesMaximum = request.nodesMinimum + Int32(random.draw(0...2))
            request.memoryMebibytesPerNode = Int32(random.draw(0...3))
            request.acceleratorsPerNode = Int32(random.below(2))
        case 1: request.extraChunks = Int32(random.draw(0...3))
        default: break
        }
        if random.below(5) == 0 { request.keeper = NodeKeeper.key(ofUser: user) }
        var job = JobSubmission(
            id: JobID(number),
            request: request,
            timeLimit: SimDuration(seconds: 1_000)
        )
        job.user = user
        return job
    }

    // MARK: The plain search

    private func room(_ node: Node, _ request: ResourceRequest, _ user: Int32) -> Int32 {
        let isOwn = node.keeper == NodeKeeper.key(ofUser: user)
        if node.keeper != NodeKeeper.none, !isOwn { return 0 }
        if request.keeper != NodeKeeper.none, !node.users.isEmpty, !isOwn { return 0 }
        var chunks: Int32 = 0
        while chunks < request.chunksPerNodeMaximum,
            node.cores >= (chunks + 1) * request.coresPerChunk,
            node.memory >= request.memoryMebibytesPerNode
                + (chunks + 1) * request.memoryMebibytesPerChunk,
            node.cards >= request.acceleratorsPerNode + (chunks + 1) * request.acceleratorsPerChunk
        {
            chunks += 1
        }
        return chunks
    }

    private func place(_ job: JobSubmission) -> [Int: Int32]? {
        let request = job.request
        let rooms = nodes.indices.map { ($0, room(nodes[$0], request, job.user)) }
            .filter { $0.1 > 0 }
        guard request.nodesMinimum > 0 else {
            var held: [Int: Int32] = [:]
            var taken: Int32 = 0
            for (node, room) in rooms where taken < request.chunkCountMaximum {
                held[node] = min(room, request.chunkCountMaximum - taken)
                taken += held[node] ?? 0
            }
            return taken >= request.chunkCount ? held : nil
        }
        let count = min(rooms.count, Int(min(request.nodesMaximum, request.chunkCount)))
        guard count >= Int(request.nodesMinimum) else { return nil }
        func sum(_ rooms: [(Int, Int32)]) -> Int32 { rooms.reduce(0) { $0 + $1.1 } }
        var chosen = Array(rooms.prefix(count))
        if sum(chosen) < request.chunkCount {
            chosen = Array(rooms.sorted { (-$0.1, $0.0) < (-$1.1, $1.0) }.prefix(count))
                .sorted { $0.0 < $1.0 }
        }
        guard sum(chosen) >= request.chunkCount else { return nil }
        // One for each node first, then as many as fit, from the lowest on.
        var held = Dictionary(uniqueKeysWithValues: chosen.map { ($0.0, Int32(1)) })
        var rest = request.chunkCount - Int32(count)
        for (node, room) in chosen {
            let more = min(rest, room - 1)
            held[node, default: 0] += more
            rest -= more
        }
        return held
    }

    private mutating func start(_ job: JobSubmission, _ held: [Int: Int32]) {
        running[job.id] = (job, held)
        change(job, held, by: -1)
        for node in held.keys {
            nodes[node].users[job.id] = job.user
            if job.request.keeper != NodeKeeper.none { nodes[node].keeper = job.request.keeper }
        }
    }

    private mutating func end(_ id: JobID) {
        guard let (job, held) = running.removeValue(forKey: id) else { return }
        change(job, held, by: 1)
        for node in held.keys {
            nodes[node].users[id] = nil
            if nodes[node].users.isEmpty { nodes[node].keeper = NodeKeeper.none }
        }
    }

    private mutating func change(_ job: JobSubmission, _ held: [Int: Int32], by sign: Int32) {
        let request = job.request
        for (node, chunks) in held {
            nodes[node].cores += sign * chunks * request.coresPerChunk
            nodes[node].memory +=
                sign * (request.memoryMebibytesPerNode + chunks * request.memoryMebibytesPerChunk)
            nodes[node].cards +=
                sign * (request.acceleratorsPerNode + chunks * request.acceleratorsPerChunk)
        }
    }
}
