import JobModel

/// What a set of nodes could take of one request.
///
/// For most it is a sum of chunks. A request that says on how many nodes its chunks lie needs the nodes
/// with the most room: these are counted by the chunks that they could take.
struct Availability: Sendable, Codable {
    /// Chunks over all permitted nodes.
    private(set) var chunks: Int64 = 0
    /// Required nodes that could take none.
    private(set) var requiredMissing: Int
    private let requiredCount: Int
    /// Chunks on required nodes.
    private var requiredChunks: Int64 = 0
    /// How many other nodes could take `i` chunks; kept for requests that count nodes.
    private var nodesByChunks: ContiguousArray<Int32> = []
    private let countsNodes: Bool

    /// Nothing is free yet.
    init(of request: ResourceRequest, requiredCount: Int = 0) {
        self.requiredCount = requiredCount
        requiredMissing = requiredCount
        countsNodes = request.countsNodes
    }

    /// So many chunks together, for a request that names and counts no nodes.
    init(chunks: Int64) {
        self.init(of: .wholeNodes(1))
        self.chunks = chunks
    }

    /// Notes that a node could take another number of chunks than before.
    @inline(__always)
    mutating func change(from before: Int32, to after: Int32, isRequired: @autoclosure () -> Bool) {
        guard before != after else { return }
        chunks += Int64(after - before)
        guard countsNodes || requiredCount > 0 else { return }
        changeNodes(from: before, to: after, isRequired: isRequired())
    }

    private mutating func changeNodes(from before: Int32, to after: Int32, isRequired: Bool) {
        if isRequired {
            requiredChunks += Int64(after - before)
            if (before == 0) != (after == 0) { requiredMissing += after == 0 ? 1 : -1 }
        } else if countsNodes {
            while nodesByChunks.count <= Int(max(before, after)) { nodesByChunks.append(0) }
            if before > 0 { nodesByChunks[Int(before)] -= 1 }
            if after > 0 { nodesByChunks[Int(after)] += 1 }
        }
    }

    func suffices(for request: ResourceRequest) -> Bool {
        guard chunks >= Int64(request.chunkCount), requiredMissing == 0 else { return false }
        return !countsNodes || sufficesOnNodes(for: request)
    }

    /// Whether the required nodes and the others with the most room, as many as it may have, do.
    private func sufficesOnNodes(for request: ResourceRequest) -> Bool {
        var nodes = Int32(requiredCount)
        guard nodes <= request.nodesWanted else { return false }
        var sum = requiredChunks
        for room in nodesByChunks.indices.reversed() where room > 0 {
            let taken = min(nodesByChunks[room], request.nodesWanted - nodes)
            guard taken > 0 else { continue }
            nodes += taken
            sum += Int64(taken) * Int64(room)
        }
        return nodes >= request.nodesMinimum && sum >= Int64(request.chunkCount)
    }
}
