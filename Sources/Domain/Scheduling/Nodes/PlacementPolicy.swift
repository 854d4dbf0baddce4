import Determinism
import JobModel

/// How nodes are chosen among those that fit. On equal nodes that are given whole only
/// `fewest-switches` and `random` make a difference to which nodes, none of them to how many.
public enum PlacementPolicy: String, Hashable, Sendable, CaseIterable {
    /// The lowest node numbers. O(log n) a node.
    case firstFit = "first-fit"
    /// The nodes with the fewest free cores that still fit; ties to the lower number. O(log n),
    /// and the nodes that lack something else.
    case bestFit = "best-fit"
    /// Nodes that run something before idle ones, among each the fewest free cores first: leaves
    /// whole nodes free. As best fit.
    case pack
    /// The nodes with the most free cores; ties to the lower number. As best fit.
    case spread
    /// The leaf switch with the fewest free nodes that holds the whole job; else the leaf switches
    /// with the most free nodes, one after another. O(n) a job.
    ///
    /// Source: the best fit of Slurm's topology/tree plugin, at the leaves.
    case fewestSwitches = "fewest-switches"
    /// In an order drawn from the policy's seed and the job's number. O(n log n) a job.
    case random

    var asksForFreeCores: Bool { self == .bestFit || self == .pack || self == .spread }

    /// Whether it chooses other nodes than the lowest also where nodes are equal and given whole.
    var choosesAmongEqualNodes: Bool { self == .fewestSwitches || self == .random }
}

/// Which nodes of a group a job may use.
struct NodeFilter: Sendable {
    /// Element `i` tells whether the partition has the group's node `i`; nil means all.
    var partition: ContiguousArray<Bool>?
    /// Nodes that must be part of the allocation, ascending.
    var required: [Int] = []
    /// Nodes that must not.
    var excluded: Set<Int> = []

    func permits(_ node: Int) -> Bool {
        (partition?[node] ?? true) && (excluded.isEmpty || !excluded.contains(node))
    }
}

/// What a placement goes by beside the nodes.
struct PlacementContext {
    var policy: PlacementPolicy
    /// The policy's seed and the job's number.
    var seed: UInt64
    var job: UInt32
    /// The leaf switch of each node of the group; empty when nobody told.
    var leafSwitches: ContiguousArray<Int32>
}

extension NodeTable {
    /// The most chunks of `request` that any one node could take if it were idle.
    func mostChunksOnOneNode(_ request: ResourceRequest) -> Int32 {
        let last = isUniform ? min(1, count) : count
        return (0..<last).reduce(0) { max($0, idleState($1).chunks(request)) }
    }

    /// Whether the permitted nodes could take `request` if all were idle and in service, with a
    /// chunk at least on each required one.
    ///
    /// - Parameter inServiceOnly: whether nodes that are out of service now stay so.
    func couldEverFit(
        _ request: ResourceRequest,
        _ filter: NodeFilter,
        inServiceOnly: Bool = false
    ) -> Bool {
        func isUsable(_ node: Int) -> Bool {
            filter.permits(node) && (!inServiceOnly || service[node] == .up)
        }
        guard filter.required.count <= Int(request.chunkCount) else { return false }
        for node in filter.required {
            guard isUsable(node), idleState(node).chunks(request) > 0 else { return false }
        }
        var chunks: Int64 = 0
        for node in 0..<count where isUsable(node) {
            chunks += Int64(idleState(node).chunks(request))
            if chunks >= Int64(request.chunkCount) { return true }
        }
        return false
    }

    private func idleState(_ node: Int) -> NodeState {
        let shares = cards.isEmpty ? nil : CardShares(count: capacity[node].accelerators)
        return NodeState(amounts: capacity[node], cards: shares)
    }

    /// How many chunks of `request` the permitted nodes in service could take now, each required
    /// node counted only when it takes one.
    func available(_ request: ResourceRequest, _ filter: NodeFilter) -> Availability {
        var answer = Availability()
        let need = NodeIndex.need(request)
        var start = 0
        while let node = index.next(from: start, need) {
            if filter.permits(node) { answer.chunks += Int64(state(node).chunks(request)) }
            start = node + 1
        }
        for node in filter.required {
            let isUsable = service[node] == .up && filter.permits(node)
            if !isUsable || state(node).chunks(request) == 0 { answer.requiredMissing += 1 }
        }
        return answer
    }

    /// Chooses nodes for `request` under the present load.
    ///
    /// - Returns: one segment a node in ascending order, or nil when it does not fit.
    func place(
        _ request: ResourceRequest,
        _ filter: NodeFilter,
        _ context: PlacementContext
    ) -> [AllocationSegment]? {
        guard filter.required.count <= Int(request.chunkCount) else { return nil }
        if !request.isExclusive {
            let wanted = Int64(request.chunkCount) * Int64(request.coresPerChunk)
            guard wanted <= coresFree else { return nil }
        }
        var choice = Choice(rest: request.chunkCount)
        // Required nodes come first, and each leaves a chunk for those behind it.
        for (position, node) in filter.required.enumerated() {
            let usable = service[node] == .up && filter.permits(node)
            let behind = Int32(filter.required.count - position - 1)
            let chunks = usable ? min(choice.rest - behind, state(node).chunks(request)) : 0
            guard chunks > 0 else { return nil }
            choice.add(node, chunks, of: request, cards)
        }
        choose(&choice, request, filter, context)
        guard choice.rest == 0 else { return nil }
        if choice.isUnsorted { choice.segments.sort { $0.node < $1.node } }
        return choice.segments
    }

    /// Nodes chosen so far.
    private struct Choice {
        var rest: Int32
        var segments: [AllocationSegment] = []
        var isUnsorted = false

        init(rest: Int32) {
            self.rest = rest
        }

        mutating func add(
            _ node: Int,
            _ chunks: Int32,
            of request: ResourceRequest,
            _ cards: ContiguousArray<CardShares>
        ) {
            var segment = AllocationSegment(node: Int32(node), chunks: chunks)
            if !cards.isEmpty, request.acceleratorsPerChunk > 0, !request.isExclusive {
                segment.cards = cards[node].choice(of: request, chunks: chunks)
            }
            if let last = segments.last, last.node > segment.node { isUnsorted = true }
            segments.append(segment)
            rest -= chunks
        }
    }

    private func choose(
        _ choice: inout Choice,
        _ request: ResourceRequest,
        _ filter: NodeFilter,
        _ context: PlacementContext
    ) {
        let hasRequired = !filter.required.isEmpty
        /// Takes what a node has, unless it may not be used; false when no more is wanted.
        func visit(_ node: Int, _ choice: inout Choice) -> Bool {
            guard choice.rest > 0 else { return false }
            guard service[node] == .up, filter.permits(node),
                !hasRequired || !filter.required.contains(node)
            else { return true }
            let chunks = min(choice.rest, state(node).chunks(request))
            if chunks > 0 { choice.add(node, chunks, of: request, cards) }
            return choice.rest > 0
        }
        switch context.policy {
        case .firstFit:
            let need = NodeIndex.need(request)
            var start = 0
            while choice.rest > 0, let node = index.next(from: start, need) {
                _ = visit(node, &choice)
                start = node + 1
            }
        case .bestFit:
            forEachFullest(request) { visit($0, &choice) }
        case .pack:
            forEachFullest(request) { amounts[$0].jobs == 0 || visit($0, &choice) }
            forEachFullest(request) { amounts[$0].jobs > 0 || visit($0, &choice) }
        case .spread:
            byFreeCores?.forEachEmptiest { node in
                amounts[node].cores >= request.coresPerChunk && visit(node, &choice)
            }
        case .fewestSwitches:
            for node in nodesBySwitch(request, filter, context) {
                guard visit(node, &choice) else { return }
            }
        case .random:
            for node in drawnOrder(context) {
                guard visit(node, &choice) else { return }
            }
        }
    }

    /// Calls `body` with nodes that have the cores, the fullest first, while it returns true.
    private func forEachFullest(_ request: ResourceRequest, _ body: (Int) -> Bool) {
        guard let byFreeCores else { return }
        var place = byFreeCores.firstPlace(withCores: request.coresPerChunk)
        while place < byFreeCores.order.count, body(Int(byFreeCores.order[place])) { place += 1 }
    }

    /// The nodes in the order in which `fewest-switches` takes them.
    private func nodesBySwitch(
        _ request: ResourceRequest,
        _ filter: NodeFilter,
        _ context: PlacementContext
    ) -> [Int] {
        guard !context.leafSwitches.isEmpty else { return Array(0..<count) }
        let switchCount = Int(context.leafSwitches.max() ?? 0) + 1
        var chunks = ContiguousArray(repeating: Int64(0), count: switchCount)
        var members = ContiguousArray(repeating: [Int](), count: switchCount)
        for node in 0..<count where service[node] == .up && filter.permits(node) {
            let leaf = Int(context.leafSwitches[node])
            chunks[leaf] += Int64(state(node).chunks(request))
            members[leaf].append(node)
        }
        let wanted = Int64(request.chunkCount)
        let whole = chunks.indices.filter { chunks[$0] >= wanted }
        if let leaf = whole.min(by: { (chunks[$0], $0) < (chunks[$1], $1) }) {
            return members[leaf]
        }
        let leaves = chunks.indices.sorted { (-chunks[$0], $0) < (-chunks[$1], $1) }
        return leaves.flatMap { members[$0] }
    }

    private func drawnOrder(_ context: PlacementContext) -> [Int] {
        var random = SplitMix64(seed: context.seed, stream: "placement")
        random = SplitMix64(seed: random.next() ^ UInt64(context.job))
        let keys = (0..<count).map { _ in random.next() }
        return (0..<count).sorted { (keys[$0], $0) < (keys[$1], $1) }
    }
}

/// What a set of nodes could take of one request.
struct Availability: Sendable {
    /// Chunks over all permitted nodes.
    var chunks: Int64 = 0
    /// Required nodes that could take none.
    var requiredMissing = 0

    func suffices(for request: ResourceRequest) -> Bool {
        chunks >= Int64(request.chunkCount) && requiredMissing == 0
    }
}
