import ClusterModel
import Emulation
import EmulatorTestSupport
import IndexSets
import JobModel
import Quantities
import Scheduling

/// The rules of FCFS and EASY as the documentation states them, with no index and no shortcut:
/// the twin that the emulator is held against.
struct PlainScheduler {
    /// What a job gets on one node.
    struct Share {
        var chunks: Int32
        /// Positions of the node's cards.
        var cards: [Int]
    }

    /// Where a job runs, and what it asks for there.
    struct Spot {
        var partition: Int
        var request: ResourceRequest
        var shares: [Int: Share] = [:]
    }

    struct Running {
        var id: JobID
        var spot: Spot
        var expectedEnd: Int64
    }

    /// A waiting job and the partitions that could ever take it.
    struct Waiting {
        var arrival: World.Arrival
        var partitions: [Int]
        /// What the order by size goes by.
        var size: Int64
        var id: JobID { arrival.submission.id }
        var limit: Int64 { arrival.submission.timeLimit.microseconds }
    }

    let world: World
    /// Partitions that share nodes.
    let groups: [[Int]]
    var waiting: [Waiting] = []
    var running: [Running] = []
    var starts: [JobID: SimInstant] = [:]
    var partitions: [JobID: Int] = [:]
    /// By group: the jobs that have room in a group which they name before.
    var leftAlone: [[Int]: Set<JobID>] = [:]

    init(world: World) {
        self.world = world
        let own = world.configuration.partitions
        groups = own.indices.compactMap { seed in
            let members = own.indices.filter { own[$0].nodes.intersects(own[seed].nodes) }
            return members.first == seed ? members : nil
        }
    }

    /// What is free on one node; cards in 1/1000, one by one.
    struct Node {
        var cores: Int32
        var memory: Int32
        var cards: [Int32]
        var jobs: Int32 = 0

        init(_ capacity: NodeCapacity) {
            cores = capacity.cores
            memory = Int32(capacity.memory.mebibytes)
            cards = Array(repeating: 1_000, count: Int(capacity.accelerators))
        }

        /// The cards for one chunk: for a part the fullest that has room, whole ones from the lowest.
        func cards(for request: ResourceRequest) -> [Int]? {
            if request.acceleratorShare < 1_000 {
                let room = cards.indices.filter { cards[$0] >= request.acceleratorShare }
                return room.min { (cards[$0], $0) < (cards[$1], $1) }.map { [$0] }
            }
            let whole = cards.indices.filter { cards[$0] == 1_000 }
            let wanted = Int(request.acceleratorsPerChunk)
            return whole.count < wanted ? nil : Array(whole.prefix(wanted))
        }

        mutating func take(_ share: Share, _ request: ResourceRequest) {
            cores -= share.chunks * request.coresPerChunk
            memory -= share.chunks * request.memoryMebibytesPerChunk
            for card in share.cards { cards[card] -= request.acceleratorShare }
        }
    }

    func idle() -> [Node] { world.configuration.nodes.map { Node($0) } }

    func take(_ spot: Spot, _ nodes: inout [Node]) {
        for (index, share) in spot.shares {
            nodes[index].jobs += 1
            if spot.request.isExclusive {
                nodes[index].cores = 0
                nodes[index].memory = 0
                nodes[index].cards = nodes[index].cards.map { _ in 0 }
            } else {
                nodes[index].take(share, spot.request)
            }
        }
    }

    // MARK: Placement

    /// First fit, one chunk after another; nodes that the job names come first, and each leaves a
    /// chunk for those behind it.
    ///
    /// - Parameter allowance: the most chunks that each node may give; nil when all they have.
    func place(
        _ submission: JobSubmission,
        in partition: Int,
        on free: [Node],
        allowance: [Int: Int32]? = nil
    ) -> Spot? {
        let own = world.configuration.partitions[partition]
        var request = submission.request
        request.isExclusive = request.isExclusive || own.isWholeNode
        var spot = Spot(partition: partition, request: request)
        var rest = request.chunkCount
        let required = submission.requiredNodes.map { Array($0) } ?? []
        let excluded = submission.excludedNodes ?? IDSet()
        func fill(_ index: Int, _ most: Int32) -> Int32 {
            guard own.nodes.contains(index), !excluded.contains(index) else { return 0 }
            var node = free[index]
            var share = Share(chunks: 0, cards: [])
            if request.isExclusive && node.jobs > 0 { return 0 }
            let most = min(most, request.chunksPerNodeMaximum, allowance?[index] ?? .max)
            while share.chunks < most,
                node.cores >= request.coresPerChunk,
                node.memory >= request.memoryMebibytesPerChunk,
                let cards = node.cards(for: request)
            {
                node.take(Share(chunks: 1, cards: cards), request)
                share.chunks += 1
                share.cards += cards
            }
            if share.chunks > 0 { spot.shares[index] = share }
            return share.chunks
        }
        for (position, index) in required.enumerated() {
            let taken = fill(index, rest - Int32(required.count - position - 1))
            guard taken > 0 else { return nil }
            rest -= taken
        }
        for index in free.indices where rest > 0 && !required.contains(index) {
            rest -= fill(index, rest)
        }
        return rest == 0 ? spot : nil
    }

    /// The first of the job's partitions in a group that has room.
    func place(_ job: Waiting, in group: [Int], on free: [Node]) -> Spot? {
        for partition in job.partitions where group.contains(partition) {
            if let spot = place(job.arrival.submission, in: partition, on: free) { return spot }
        }
        return nil
    }

    /// The head, and what nodes have free at its shadow time.
    struct Shadow {
        var head: JobSubmission
        var partition: Int
        var nodes: [Node]
    }

    func canPlaceHead(_ shadow: Shadow, beside spot: Spot) -> Bool {
        var nodes = shadow.nodes
        take(spot, &nodes)
        return place(shadow.head, in: shadow.partition, on: nodes) != nil
    }

    /// How many chunks the head could have on a node that is as it is.
    func headChunks(_ shadow: Shadow, _ index: Int, _ node: Node) -> Int32 {
        let own = world.configuration.partitions[shadow.partition]
        guard own.nodes.contains(index), shadow.head.excludedNodes?.contains(index) != true else {
            return 0
        }
        var request = shadow.head.request
        request.isExclusive = request.isExclusive || own.isWholeNode
        return chunks(request, on: node)
    }

    /// How many chunks of a request fit on a node, one after another.
    func chunks(_ request: ResourceRequest, on node: Node) -> Int32 {
        if request.isExclusive && node.jobs > 0 { return 0 }
        // A job asks for a part of one card in one chunk.
        let most = request.acceleratorShare < 1_000 ? 1 : request.chunksPerNodeMaximum
        var node = node
        var count: Int32 = 0
        while count < most, node.cores >= request.coresPerChunk,
            node.memory >= request.memoryMebibytesPerChunk, let cards = node.cards(for: request)
        {
            node.take(Share(chunks: 1, cards: cards), request)
            count += 1
        }
        return count
    }

    /// A place for a job that would delay the head where first fit puts it: where the head loses
    /// nothing; then, from the lowest node on, where it has chunks to spare.
    ///
    /// - Parameter now: what nodes have free now.
    func place(
        _ job: Waiting,
        in group: [Int],
        beside shadow: Shadow,
        on now: [Node]
    ) -> Spot? {
        let all = shadow.nodes.indices.reduce(0) { $0 + headChunks(shadow, $1, shadow.nodes[$1]) }
        for partition in job.partitions where group.contains(partition) {
            let own = world.configuration.partitions[partition]
            var request = job.arrival.submission.request
            request.isExclusive = request.isExclusive || own.isWholeNode
            var spare = all - shadow.head.request.chunkCount
            /// What the head loses on a node by so many chunks of the request.
            func loss(_ index: Int, _ count: Int32) -> Int32 {
                let before = headChunks(shadow, index, shadow.nodes[index])
                guard count > 0, before > 0 else { return 0 }
                var node = now[index]
                var share = Share(chunks: count, cards: [])
                for _ in 0..<count {
                    guard let cards = node.cards(for: request) else { return .max }
                    share.cards += cards
                    node.take(Share(chunks: 1, cards: cards), request)
                }
                var nodes = shadow.nodes
                take(Spot(partition: partition, request: request, shares: [index: share]), &nodes)
                let after = headChunks(shadow, index, nodes[index])
                let isRequired = shadow.head.requiredNodes?.contains(index) == true
                return isRequired && after == 0 ? .max : before - after
            }
            let excluded = job.arrival.submission.excludedNodes ?? IDSet()
            let most = now.indices.map { index in
                own.nodes.contains(index) && !excluded.contains(index)
                    ? chunks(request, on: now[index]) : 0
            }
            var allowance: [Int: Int32] = [:]
            for index in most.indices {
                allowance[index] = (0...most[index]).last { loss(index, $0) == 0 } ?? 0
            }
            if allowance.values.reduce(0, +) < request.chunkCount {
                for index in most.indices where spare > 0 {
                    while let count = allowance[index], count < most[index] {
                        let more = loss(index, count + 1) - loss(index, count)
                        guard more <= spare else { break }
                        allowance[index] = count + 1
                        spare -= more
                    }
                }
            }
            let submission = job.arrival.submission
            if let spot = place(submission, in: partition, on: now, allowance: allowance) {
                return spot
            }
        }
        return nil
    }

    func free(without ended: (Running) -> Bool = { _ in false }) -> [Node] {
        var nodes = idle()
        for job in running where !ended(job) { take(job.spot, &nodes) }
        return nodes
    }

    mutating func start(_ job: Waiting, _ spot: Spot, _ now: SimInstant) {
        starts[job.id] = now
        partitions[job.id] = spot.partition
        running.append(
            Running(id: job.id, spot: spot, expectedEnd: now.microseconds + job.limit)
        )
        waiting.removeAll { $0.id == job.id }
    }

    // MARK: Queue

    /// Takes a job in, if any of its partitions could ever hold it.
    mutating func admit(_ arrival: World.Arrival) {
        let spots = arrival.submission.partitions.compactMap { partition in
            place(arrival.submission, in: partition, on: idle())
        }
        guard let first = spots.first else { return }
        let request = arrival.submission.request
        let nodes = world.configuration.partitions[first.partition].nodes
        let isShared = groups.contains { group in
            group.contains(first.partition)
                && (group.contains { !world.configuration.partitions[$0].isWholeNode }
                    || group.contains { world.configuration.partitions[$0].nodes != nodes })
        }
        // The order goes by nodes where they are given whole, by cores elsewhere.
        var unnamed = arrival.submission
        (unnamed.requiredNodes, unnamed.excludedNodes) = (nil, nil)
        let spot = place(unnamed, in: first.partition, on: idle()) ?? first
        waiting.append(
            Waiting(
                arrival: arrival,
                partitions: spots.map(\.partition),
                size: isShared
                    ? Int64(request.chunkCount) * Int64(request.coresPerChunk)
                    : Int64(spot.shares.count)
            )
        )
    }

    /// Whether `left` goes first by a value, then by submission, then by number.
    func goesBefore(_ left: Waiting, _ right: Waiting, _ value: (Waiting) -> Int64) -> Bool {
        (value(left), left.arrival.at.microseconds, left.id)
            < (value(right), right.arrival.at.microseconds, right.id)
    }

    mutating func sortQueue(_ order: QueueOrder) {
        guard order == .widest else { return }
        waiting = waiting.sorted { goesBefore($0, $1) { -$0.size } }
    }

    // MARK: Partitions in the order in which they are named

    func queue(of group: [Int]) -> [Waiting] {
        waiting.filter { $0.partitions.contains(where: group.contains) }
    }

    /// Whether a group gives equal nodes whole, all of them in each of its partitions.
    func isUniform(_ group: [Int]) -> Bool {
        let own = group.map { world.configuration.partitions[$0] }
        let nodes = own[0].nodes.map { world.configuration.nodes[$0] }
        return own.allSatisfy { $0.isWholeNode && $0.nodes == own[0].nodes }
            && nodes.allSatisfy { $0 == nodes[0] }
    }

    /// What a job takes of a group: nodes where they are equal and given whole, else cores.
    func units(of job: Waiting, in group: [Int]) -> Int64 {
        let submission = job.arrival.submission
        guard isUniform(group) else {
            return Int64(submission.request.chunkCount) * Int64(submission.request.coresPerChunk)
        }
        var unnamed = submission
        (unnamed.requiredNodes, unnamed.excludedNodes) = (nil, nil)
        let nodes = place(unnamed, in: group[0], on: idle())?.shares.count ?? 0
        return Int64(max(nodes, submission.requiredNodes?.count ?? 0))
    }

    /// Whether a job has room in a group with all that is before it in that queue placed first.
    func hasRoomInOrder(_ job: Waiting, in group: [Int]) -> Bool {
        let nodes = free()
        let members = group.reduce(into: IDSet()) { set, partition in
            set.formUnion(world.configuration.partitions[partition].nodes)
        }
        var left = members.reduce(Int64(0)) { sum, index in
            isUniform(group)
                ? sum + (nodes[index].jobs == 0 ? 1 : 0) : sum + Int64(nodes[index].cores)
        }
        let line = queue(of: group)
        for other in line {
            left -= units(of: other, in: group)
            guard left >= 0 else { return false }
            if other.id == job.id { break }
        }
        let namesNodes = line.contains {
            let submission = $0.arrival.submission
            return submission.requiredNodes != nil || submission.excludedNodes != nil
        }
        if isUniform(group), !namesNodes { return true }
        return line.first?.id == job.id && place(job, in: group, on: nodes) != nil
    }

    /// Finds which groups leave which jobs alone in this pass.
    mutating func preferPartitions() {
        leftAlone = [:]
        for job in waiting {
            var own: [[Int]] = []
            for partition in job.partitions {
                guard let group = groups.first(where: { $0.contains(partition) }),
                    !own.contains(group)
                else { continue }
                own.append(group)
            }
            guard own.count > 1, let first = own.firstIndex(where: { hasRoomInOrder(job, in: $0) })
            else { continue }
            for other in own[(first + 1)...] { leftAlone[other, default: []].insert(job.id) }
        }
    }

    // MARK: Pass

    /// A pass over the queue of partitions that share nodes.
    mutating func pass(at now: SimInstant, _ backfill: BackfillPolicy, in group: [Int]) {
        let alone = leftAlone[group] ?? []
        func queue() -> [Waiting] {
            self.queue(of: group).filter { !alone.contains($0.id) }
        }
        while let first = queue().first, let spot = place(first, in: group, on: free()) {
            start(first, spot, now)
        }
        guard backfill != .none, let head = queue().first else { return }
        func end(_ job: Running) -> Int64 {
            job.expectedEnd <= now.microseconds ? now.microseconds + 1_000_000 : job.expectedEnd
        }
        let before = running
        let instants = Set(before.map(end)).sorted()
        var promise: (instant: Int64, spot: Spot)?
        for instant in instants where promise == nil {
            promise = place(head, in: group, on: free { end($0) <= instant }).map { (instant, $0) }
        }
        guard let promise else { return }
        var held: [Spot] = []
        var candidates = Array(queue().dropFirst())
        if backfill == .easySJBF { candidates.sort { goesBefore($0, $1) { $0.limit } } }
        for candidate in candidates {
            guard var spot = place(candidate, in: group, on: free()) else { continue }
            let isLong = now.microseconds + candidate.limit > promise.instant
            if isLong {
                var nodes = idle()
                for job in before where end(job) > promise.instant { take(job.spot, &nodes) }
                for other in held { take(other, &nodes) }
                let shadow = Shadow(
                    head: head.arrival.submission,
                    partition: promise.spot.partition,
                    nodes: nodes
                )
                if !canPlaceHead(shadow, beside: spot) {
                    guard let other = place(candidate, in: group, beside: shadow, on: free()),
                        canPlaceHead(shadow, beside: other)
                    else { continue }
                    spot = other
                }
                held.append(spot)
            }
            start(candidate, spot, now)
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
                admit(world.arrivals[next])
                next += 1
            }
            let known = Set(starts.keys)
            sortQueue(policy.order)
            preferPartitions()
            for group in groups {
                pass(at: SimInstant(microseconds: now), policy.backfill, in: group)
            }
            for arrival in world.arrivals {
                let id = arrival.submission.id
                guard starts[id] != nil, !known.contains(id) else { continue }
                let limit = arrival.submission.timeLimit.microseconds
                ends.append((now + min(arrival.runTime, limit), id))
            }
        }
    }
}
