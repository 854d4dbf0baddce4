import JobModel

/// Nodes chosen for one request so far.
///
/// Nodes come in the order of the placement policy. A request that says on how many nodes its chunks lie
/// gets the first ones that have room; if these have too little for all chunks, those that have the most.
/// Its chunks then go to the nodes from the lowest on, to each as many as it can take, one left for each
/// node behind it: `-N 3 -n 5` on idle nodes is 3 + 1 + 1. Source: the block distribution of Slurm 22.05.
struct NodeChoice {
    private struct Candidate {
        var node: Int
        var chunks: Int32
        var state: NodeState
        var isRequired: Bool
    }

    private let request: ResourceRequest
    private let filter: NodeFilter
    private let allowance: ContiguousArray<Int32>?
    private let hasRequired: Bool
    /// Chunks that may still be taken, those beyond the need too.
    private var rest: Int32
    private var chosen: [AllocationSegment] = []
    private var isUnsorted = false
    /// Nodes with room, for requests that count nodes.
    private var candidates: [Candidate] = []
    /// What the first of them, as many as are wanted, have room for.
    private var roomOfFirst: Int64 = 0

    /// Begins with the nodes that a job must have: they come first, and each leaves a chunk for
    /// those behind it.
    ///
    /// - Returns: nil when one of them cannot take a chunk.
    init?(
        _ request: ResourceRequest,
        _ filter: NodeFilter,
        _ allowance: ContiguousArray<Int32>?,
        state: (Int) -> NodeState?
    ) {
        let most = request.countsNodes ? request.nodesWanted : request.chunkCountMaximum
        guard filter.required.count <= Int(most) else { return nil }
        self.request = request
        self.filter = filter
        self.allowance = allowance
        rest = request.chunkCountMaximum
        hasRequired = !filter.required.isEmpty
        for (position, node) in filter.required.enumerated() {
            guard filter.permits(node), let own = state(node) else { return nil }
            let behind = Int32(filter.required.count - position - 1)
            let room = allowed(node, own)
            guard room > 0 else { return nil }
            if request.countsNodes {
                add(Candidate(node: node, chunks: room, state: own, isRequired: true))
            } else {
                add(node, min(rest - behind, room), own)
            }
        }
    }

    /// One segment a node in ascending order; nil when chunks are left over.
    var segments: [AllocationSegment]? {
        if request.countsNodes { return distributed }
        guard rest <= request.chunkCountMaximum - request.chunkCount else { return nil }
        return isUnsorted ? chosen.sorted { $0.node < $1.node } : chosen
    }

    /// How many chunks a node could give.
    func chunks(_ node: Int, _ state: NodeState) -> Int32 {
        guard filter.permits(node), !hasRequired || !filter.required.contains(node) else {
            return 0
        }
        return allowed(node, state)
    }

    /// Takes what a node has; false when no more is wanted.
    mutating func visit(_ node: Int, _ state: NodeState) -> Bool {
        guard rest > 0 else { return false }
        let room = chunks(node, state)
        guard request.countsNodes else {
            if room > 0 { add(node, min(rest, room), state) }
            return rest > 0
        }
        if room > 0 {
            add(Candidate(node: node, chunks: room, state: state, isRequired: false))
        }
        return candidates.count < Int(request.nodesWanted)
            || roomOfFirst < Int64(request.chunkCount)
    }

    private func allowed(_ node: Int, _ state: NodeState) -> Int32 {
        let chunks = state.chunks(request, filter)
        return allowance.map { min($0[node], chunks) } ?? chunks
    }

    private mutating func add(_ node: Int, _ chunks: Int32, _ state: NodeState) {
        if let last = chosen.last, last.node > Int32(node) { isUnsorted = true }
        chosen.append(segment(node, chunks, state))
        rest -= chunks
    }

    private mutating func add(_ candidate: Candidate) {
        if candidates.count < Int(request.nodesWanted) { roomOfFirst += Int64(candidate.chunks) }
        candidates.append(candidate)
    }

    private func segment(_ node: Int, _ chunks: Int32, _ state: NodeState) -> AllocationSegment {
        var segment = AllocationSegment(node: Int32(node), chunks: chunks)
        if let cards = state.cards, request.accelerators(forChunks: 1) > 0, !request.isExclusive {
            segment.cards = cards.choice(of: request, chunks: chunks)
        }
        return segment
    }

    /// The chunks on the nodes that were found, block by block.
    private var distributed: [AllocationSegment]? {
        let count = min(candidates.count, Int(request.nodesWanted))
        guard count >= Int(request.nodesMinimum) else { return nil }
        var nodes = Array(candidates.prefix(count))
        if roomOfFirst < Int64(request.chunkCount) {
            // Equals keep the order of the policy.
            let byRoom = candidates.enumerated().sorted { left, right in
                if left.element.isRequired != right.element.isRequired {
                    return left.element.isRequired
                }
                return (-left.element.chunks, left.offset) < (-right.element.chunks, right.offset)
            }
            nodes = byRoom.prefix(count).map(\.element)
        }
        nodes.sort { $0.node < $1.node }
        var rest = request.chunkCount
        var segments: [AllocationSegment] = []
        for (place, node) in nodes.enumerated() {
            let behind = Int32(count - place - 1)
            let chunks = min(node.chunks, rest - behind)
            segments.append(segment(node.node, chunks, node.state))
            rest -= chunks
        }
        return rest == 0 ? segments : nil
    }
}
