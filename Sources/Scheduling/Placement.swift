import JobModel

/// How nodes are chosen among those that fit.
public enum PlacementPolicy: String, Hashable, Sendable, CaseIterable {
    /// The lowest node numbers.
    case firstFit = "first-fit"
    /// The nodes with the fewest free cores that still fit; ties to the lower number.
    case bestFit = "best-fit"
    /// The nodes with the most free cores; ties to the lower number.
    case spread
}

/// Which nodes of a group a job may use.
struct NodeFilter {
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

extension NodeTable {
    /// The most chunks of `request` that any one node could take if it were idle.
    func mostChunksOnOneNode(_ request: ResourceRequest) -> Int32 {
        let last = isUniform ? min(1, count) : count
        return (0..<last).reduce(0) { max($0, capacity.chunks(request, on: $1)) }
    }

    /// Whether the permitted nodes could take `request` if all were idle and in service.
    func couldEverFit(_ request: ResourceRequest, _ filter: NodeFilter) -> Bool {
        var chunks: Int64 = 0
        for node in 0..<count where filter.permits(node) {
            chunks += Int64(capacity.chunks(request, on: node))
            if chunks >= Int64(request.chunkCount) { return true }
        }
        return false
    }

    /// How many chunks of `request` the permitted nodes in service could take under `load`, each
    /// required node counted only when it takes one.
    func available(
        _ request: ResourceRequest,
        _ filter: NodeFilter,
        under load: NodeLoad
    ) -> Availability {
        var answer = Availability()
        for node in 0..<count where service[node] == .up && filter.permits(node) {
            answer.chunks += Int64(load.chunks(request, on: node))
        }
        for node in filter.required {
            let isUsable = service[node] == .up && filter.permits(node)
            if !isUsable || load.chunks(request, on: node) == 0 { answer.requiredMissing += 1 }
        }
        return answer
    }

    /// Chooses nodes for `request` under the present load.
    ///
    /// - Returns: one segment a node in ascending order, or nil when it does not fit.
    func place(
        _ request: ResourceRequest,
        _ filter: NodeFilter,
        policy: PlacementPolicy,
        under load: NodeLoad
    ) -> [AllocationSegment]? {
        guard filter.required.count <= Int(request.chunkCount) else { return nil }
        var rest = request.chunkCount
        var segments: [AllocationSegment] = []
        // Required nodes come first, and each leaves a chunk for those behind it.
        for (position, node) in filter.required.enumerated() {
            let usable = service[node] == .up && filter.permits(node)
            let behind = Int32(filter.required.count - position - 1)
            let chunks = usable ? min(rest - behind, load.chunks(request, on: node)) : 0
            guard chunks > 0 else { return nil }
            segments.append(AllocationSegment(node: Int32(node), chunks: chunks))
            rest -= chunks
        }
        let required = Set(filter.required)
        for node in candidates(policy, load) where rest > 0 {
            guard service[node] == .up, filter.permits(node), !required.contains(node) else {
                continue
            }
            let chunks = min(rest, load.chunks(request, on: node))
            guard chunks > 0 else { continue }
            segments.append(AllocationSegment(node: Int32(node), chunks: chunks))
            rest -= chunks
        }
        guard rest == 0 else { return nil }
        return segments.sorted { $0.node < $1.node }
    }

    private func candidates(_ policy: PlacementPolicy, _ load: NodeLoad) -> [Int] {
        switch policy {
        case .firstFit: Array(0..<count)
        case .bestFit: (0..<count).sorted { (load.cores[$0], $0) < (load.cores[$1], $1) }
        case .spread: (0..<count).sorted { (-load.cores[$0], $0) < (-load.cores[$1], $1) }
        }
    }
}

/// What a set of nodes could take of one request.
struct Availability {
    /// Chunks over all permitted nodes.
    var chunks: Int64 = 0
    /// Required nodes that could take none.
    var requiredMissing = 0

    func suffices(for request: ResourceRequest) -> Bool {
        chunks >= Int64(request.chunkCount) && requiredMissing == 0
    }
}
