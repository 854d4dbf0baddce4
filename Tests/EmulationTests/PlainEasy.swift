import ClusterModel
import Emulation
import EmulatorTestSupport
import JobModel
import Quantities
import Scheduling

/// The rules of FCFS and EASY as the documentation states them, with no index and no shortcut:
/// the twin that the emulator is held against.
struct PlainScheduler {
    struct Running {
        var id: JobID
        var request: ResourceRequest
        var segments: [Int: Int32]
        var expectedEnd: Int64
    }

    let world: World
    var waiting: [World.Arrival] = []
    var running: [Running] = []
    var starts: [JobID: SimInstant] = [:]

    /// Free cores, memory (MiB), cards and jobs of one node.
    struct Node {
        var cores: Int32
        var memory: Int32
        var cards: Int32
        var jobs: Int32
    }

    func node(_ capacity: NodeCapacity) -> Node {
        Node(
            cores: capacity.cores,
            memory: Int32(capacity.memory.mebibytes),
            cards: capacity.accelerators,
            jobs: 0
        )
    }

    func idle() -> [Node] { world.configuration.nodes.map(node) }

    func request(_ arrival: World.Arrival) -> ResourceRequest {
        var request = arrival.submission.request
        let partition = world.configuration.partitions[arrival.submission.partitions[0]]
        if partition.isWholeNode { request.isExclusive = true }
        return request
    }

    func take(_ segments: [Int: Int32], _ request: ResourceRequest, _ nodes: inout [Node]) {
        for (index, chunks) in segments {
            nodes[index].jobs += 1
            if request.isExclusive {
                nodes[index].cores = 0
                nodes[index].memory = 0
                nodes[index].cards = 0
            } else {
                nodes[index].cores -= chunks * request.coresPerChunk
                nodes[index].memory -= chunks * request.memoryMebibytesPerChunk
                nodes[index].cards -= chunks * request.acceleratorsPerChunk
            }
        }
    }

    /// First fit, one chunk after another.
    func place(_ arrival: World.Arrival, on free: [Node]) -> [Int: Int32]? {
        let request = request(arrival)
        let permitted = world.configuration.partitions[arrival.submission.partitions[0]].nodes
        var segments: [Int: Int32] = [:]
        var rest = request.chunkCount
        for index in free.indices where permitted.contains(index) {
            var node = free[index]
            if request.isExclusive && node.jobs > 0 { continue }
            while rest > 0, segments[index, default: 0] < request.chunksPerNodeMaximum,
                node.cores >= request.coresPerChunk,
                node.memory >= request.memoryMebibytesPerChunk,
                node.cards >= request.acceleratorsPerChunk
            {
                node.cores -= request.coresPerChunk
                node.memory -= request.memoryMebibytesPerChunk
                node.cards -= request.acceleratorsPerChunk
                segments[index, default: 0] += 1
                rest -= 1
            }
        }
        return rest == 0 ? segments : nil
    }

    func free(without ended: (Running) -> Bool = { _ in false }) -> [Node] {
        var nodes = idle()
        for job in running where !ended(job) { take(job.segments, job.request, &nodes) }
        return nodes
    }

    mutating func start(_ arrival: World.Arrival, _ segments: [Int: Int32], _ now: SimInstant) {
        starts[arrival.submission.id] = now
        running.append(
            Running(
                id: arrival.submission.id,
                request: request(arrival),
                segments: segments,
                expectedEnd: now.microseconds + arrival.submission.timeLimit.microseconds
            )
        )
        waiting.removeAll { $0.submission.id == arrival.submission.id }
    }

    /// Whether `left` goes first by a value, then by submission, then by number.
    func goesBefore(
        _ left: World.Arrival,
        _ right: World.Arrival,
        _ value: (World.Arrival) -> Int64
    ) -> Bool {
        (value(left), left.at.microseconds, left.submission.id)
            < (value(right), right.at.microseconds, right.submission.id)
    }

    mutating func sortQueue(_ order: QueueOrder) {
        guard order == .widest else { return }
        let isShared = world.configuration.partitions.contains { !$0.isWholeNode }
        waiting = waiting.sorted {
            goesBefore($0, $1) { arrival in
                let request = request(arrival)
                return -Int64(request.chunkCount) * (isShared ? Int64(request.coresPerChunk) : 1)
            }
        }
    }

    mutating func pass(at now: SimInstant, _ backfill: BackfillPolicy) {
        while let first = waiting.first, let segments = place(first, on: free()) {
            start(first, segments, now)
        }
        guard backfill != .none, let head = waiting.first else { return }
        func end(_ job: Running) -> Int64 {
            job.expectedEnd <= now.microseconds ? now.microseconds + 1_000_000 : job.expectedEnd
        }
        let before = running
        let instants = Set(before.map(end)).sorted()
        guard
            let shadow = instants.first(where: { instant in
                place(head, on: free { end($0) <= instant }) != nil
            })
        else { return }
        var held: [Running] = []
        var candidates = Array(waiting.dropFirst())
        if backfill == .easySJBF {
            candidates.sort { goesBefore($0, $1) { $0.submission.timeLimit.seconds } }
        }
        for candidate in candidates {
            guard let segments = place(candidate, on: free()) else { continue }
            let candidateEnd =
                now.microseconds + candidate.submission.timeLimit.microseconds
            if candidateEnd > shadow {
                var nodes = idle()
                for job in before where end(job) > shadow {
                    take(job.segments, job.request, &nodes)
                }
                for job in held { take(job.segments, job.request, &nodes) }
                take(segments, request(candidate), &nodes)
                guard place(head, on: nodes) != nil else { continue }
            }
            start(candidate, segments, now)
            if candidateEnd > shadow, let job = running.last { held.append(job) }
        }
    }

    /// Runs the world's day in batched order.
    mutating func run(_ policy: SchedulingPolicy) {
        var next = 0
        var ends: [(at: Int64, id: JobID)] = []
        while next < world.arrivals.count || !ends.isEmpty {
            let arrival = next < world.arrivals.count ? world.arrivals[next].at.microseconds : .max
            let now = min(arrival, ends.map(\.at).min() ?? .max)
            let over = Set(ends.filter { $0.at == now }.map(\.id))
            ends.removeAll { $0.at == now }
            running.removeAll { over.contains($0.id) }
            while next < world.arrivals.count, world.arrivals[next].at.microseconds == now {
                let arrival = world.arrivals[next]
                next += 1
                if place(arrival, on: idle()) != nil { waiting.append(arrival) }
            }
            let known = Set(starts.keys)
            sortQueue(policy.order)
            pass(at: SimInstant(microseconds: now), policy.backfill)
            for arrival in world.arrivals {
                let id = arrival.submission.id
                guard starts[id] != nil, !known.contains(id) else { continue }
                let limit = arrival.submission.timeLimit.microseconds
                ends.append((now + min(arrival.runTime, limit), id))
            }
        }
    }
}
