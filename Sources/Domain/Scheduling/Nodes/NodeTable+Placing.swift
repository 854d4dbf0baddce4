import Determinism
import JobModel

extension NodeTable {
    // MARK: What fits

    /// The most chunks of `request` that any one node could take if it were idle.
    func mostChunksOnOneNode(_ request: ResourceRequest) -> Int32 {
        let last = isUniform ? min(1, count) : count
        return (0..<last).reduce(0) { max($0, idleState($1).chunks(request)) }
    }

    /// Whether the permitted nodes could take `request` if all were idle and in service, with a
    /// chunk at least on each required one.
    ///
    /// - Parameter isCounted: whether a node counts at all; by default each does.
    func couldEverFit(
        _ request: ResourceRequest,
        _ filter: NodeFilter,
        where isCounted: (Int) -> Bool = { _ in true }
    ) -> Bool {
        func isUsable(_ node: Int) -> Bool { filter.permits(node) && isCounted(node) }
        guard filter.required.count <= Int(request.chunkCount) else { return false }
        for node in filter.required {
            guard isUsable(node), idleState(node).chunks(request) > 0 else { return false }
        }
        var room = Availability(of: request, requiredCount: filter.required.count)
        for node in 0..<count where isUsable(node) {
            let chunks = idleState(node).chunks(request)
            room.change(from: 0, to: chunks, isRequired: filter.required.contains(node))
            if !request.countsNodes, room.suffices(for: request) { return true }
        }
        return room.suffices(for: request)
    }

    private func idleState(_ node: Int) -> NodeState {
        let shares = cards.isEmpty ? nil : CardShares(count: capacity[node].accelerators)
        return NodeState(amounts: capacity[node], cards: shares)
    }

    /// How many chunks of `request` the permitted nodes in service could take now, each required
    /// node counted only when it takes one.
    func available(_ request: ResourceRequest, _ filter: NodeFilter) -> Availability {
        var answer = Availability(of: request, requiredCount: filter.required.count)
        forEachThatMayTake(request) { node in
            if filter.permits(node) {
                let chunks = state(node).chunks(request, filter)
                answer.change(from: 0, to: chunks, isRequired: filter.required.contains(node))
            }
            return true
        }
        return answer
    }

    /// Whether nodes in service have these segments free.
    func canTake(
        _ segments: [AllocationSegment],
        of request: ResourceRequest,
        _ filter: NodeFilter
    ) -> Bool {
        segments.allSatisfy { segment in
            let node = Int(segment.node)
            guard service[node] == .up, state(node).chunks(request, filter) >= segment.chunks else {
                return false
            }
            return segment.cards == 0
                || state(node).cards?.canTake(segment.cards, request.share) == true
        }
    }

    /// Calls `body` with the nodes in service that may have room for a chunk, in order, while it
    /// returns true.
    private func forEachThatMayTake(_ request: ResourceRequest, _ body: (Int) -> Bool) {
        let need = NodeIndex.need(request)
        var start = 0
        while let node = index.next(from: start, need), body(node) { start = node + 1 }
    }

    /// What segments of a request hold together.
    func amountsHeld(
        by segments: [AllocationSegment],
        _ request: ResourceRequest
    ) -> (cores: Int32, accelerators: Int32) {
        var cores: Int32 = 0
        var accelerators: Int32 = 0
        for segment in segments {
            let node = Int(segment.node)
            cores +=
                request.isExclusive
                ? capacity[node].cores : segment.chunks * request.coresPerChunk
            accelerators +=
                request.isExclusive
                ? capacity[node].accelerators : request.accelerators(forChunks: segment.chunks)
        }
        return (cores, accelerators)
    }

    // MARK: Placing

    /// Chooses nodes for `request` under the present load.
    ///
    /// - Parameter allowance: the most chunks that each node may give; nil when all they have.
    /// - Returns: one segment a node in ascending order, or nil when it does not fit.
    func place(
        _ request: ResourceRequest,
        _ filter: NodeFilter,
        _ context: PlacementContext,
        allowance: ContiguousArray<Int32>? = nil
    ) -> [AllocationSegment]? {
        if !request.isExclusive {
            let wanted = Int64(request.chunkCount) * Int64(request.coresPerChunk)
            guard wanted <= coresFree else { return nil }
        }
        guard var choice = NodeChoice(request, filter, allowance, state: { usableState($0) }) else {
            return nil
        }
        func visit(_ node: Int) -> Bool {
            guard service[node] == .up else { return true }
            return choice.visit(node, state(node))
        }
        switch context.policy {
        case .firstFit: forEachThatMayTake(request, visit)
        case .bestFit: forEachFullest(request, visit)
        case .pack:
            forEachFullest(request) { amounts[$0].jobs == 0 || visit($0) }
            forEachFullest(request) { amounts[$0].jobs > 0 || visit($0) }
        case .spread:
            byFreeCores?.forEachEmptiest { node in
                amounts[node].cores >= request.coresPerChunk && visit(node)
            }
        case .fewestSwitches, .random:
            var fitting: [Int] = []
            forEachThatMayTake(request) { node in
                if choice.chunks(node, state(node)) > 0 { fitting.append(node) }
                return true
            }
            for node in context.ordered(fitting, request, state: state) where !visit(node) { break }
        }
        return choice.segments
    }

    /// Chooses nodes for `request` as if each had free what `state` says.
    func place(
        _ request: ResourceRequest,
        _ filter: NodeFilter,
        _ context: PlacementContext,
        state: (Int) -> NodeState
    ) -> [AllocationSegment]? {
        let usable = { (node: Int) in mayServe(node) ? state(node) : nil }
        guard var choice = NodeChoice(request, filter, nil, state: usable) else { return nil }
        let isLowestFirst = context.policy == .firstFit
        var fitting: [Int] = []
        for node in 0..<count where mayServe(node) {
            let own = state(node)
            guard choice.chunks(node, own) > 0 else { continue }
            if !isLowestFirst {
                fitting.append(node)
            } else if !choice.visit(node, own) {
                break
            }
        }
        if !isLowestFirst {
            for node in context.ordered(fitting, request, state: state)
            where !choice.visit(node, state(node)) { break }
        }
        return choice.segments
    }

    private func usableState(_ node: Int) -> NodeState? {
        service[node] == .up ? state(node) : nil
    }

    /// Calls `body` with nodes that have the cores, the fullest first, while it returns true.
    private func forEachFullest(_ request: ResourceRequest, _ body: (Int) -> Bool) {
        guard let byFreeCores else { return }
        var place = byFreeCores.firstPlace(withCores: request.coresPerChunk)
        while place < byFreeCores.order.count, body(Int(byFreeCores.order[place])) { place += 1 }
    }
}

extension PlacementContext {
    /// The order in which a policy takes nodes that fit.
    ///
    /// - Parameter fitting: the nodes, ascending.
    func ordered(
        _ fitting: [Int],
        _ request: ResourceRequest,
        state: (Int) -> NodeState
    ) -> [Int] {
        func cores(_ node: Int) -> Int32 { state(node).amounts.cores }
        func isIdle(_ node: Int) -> Int { state(node).amounts.jobs == 0 ? 1 : 0 }
        switch policy {
        case .firstFit: return fitting
        case .bestFit: return fitting.sorted { (cores($0), $0) < (cores($1), $1) }
        case .pack:
            return fitting.sorted {
                (isIdle($0), cores($0), $0) < (isIdle($1), cores($1), $1)
            }
        case .spread: return fitting.sorted { (-cores($0), $0) < (-cores($1), $1) }
        case .fewestSwitches:
            guard !leafSwitches.isEmpty else { return fitting }
            return bySwitch(fitting, wanted: Int64(request.chunkCount)) {
                Int64(state($0).chunks(request))
            }
        case .random: return drawn(fitting, Int(request.chunkCount))
        }
    }

    private func bySwitch(_ fitting: [Int], wanted: Int64, chunks: (Int) -> Int64) -> [Int] {
        var room = ContiguousArray(
            repeating: Int64(0),
            count: Int(leafSwitches.max() ?? 0) + 1
        )
        for node in fitting { room[Int(leafSwitches[node])] += chunks(node) }
        let whole = room.indices.filter { room[$0] >= wanted }
        if let leaf = whole.min(by: { (room[$0], $0) < (room[$1], $1) }) {
            return fitting.filter { Int(leafSwitches[$0]) == leaf }
        }
        var members = ContiguousArray(repeating: [Int](), count: room.count)
        for node in fitting { members[Int(leafSwitches[node])].append(node) }
        let leaves = room.indices.filter { room[$0] > 0 }
            .sorted { (-room[$0], $0) < (-room[$1], $1) }
        return leaves.flatMap { members[$0] }
    }

    /// `wanted` of the nodes, or all, one after another.
    func drawn(_ fitting: [Int], _ wanted: Int) -> [Int] {
        var random = SplitMix64(seed: seed, stream: "placement")
        random = SplitMix64(seed: random.next() ^ UInt64(job))
        var nodes = fitting
        for place in 0..<min(wanted, nodes.count) {
            let rest = UInt64(nodes.count - place)
            nodes.swapAt(place, place + Int(random.below(rest)))
        }
        return nodes
    }
}
