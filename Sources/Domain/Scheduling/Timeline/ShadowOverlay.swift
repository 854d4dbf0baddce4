import JobModel

/// What nodes will have free at a shadow time, as far as it differs from now.
///
/// Only nodes that a running job gives back, or that a backfilled job holds, are written down; the
/// others are read from the present. Forgetting everything is O(1).
struct ShadowOverlay: Sendable, Codable {
    private var stamps: ContiguousArray<UInt32> = []
    private var states: ContiguousArray<NodeState> = []
    private var generation: UInt32 = 1

    /// Forgets everything.
    mutating func clear(nodes: NodeTable) {
        if stamps.count != nodes.count || generation == .max {
            stamps = ContiguousArray(repeating: 0, count: nodes.count)
            states = ContiguousArray(nodes.capacity.map { NodeState(amounts: $0, cards: nil) })
            generation = 0
        }
        generation += 1
    }

    /// What a node has free.
    @inline(__always)
    func state(_ node: Int, _ nodes: NodeTable) -> NodeState {
        stamps[node] == generation ? states[node] : nodes.state(node)
    }

    /// Writes down what a node has free.
    @inline(__always)
    mutating func set(_ node: Int, _ state: NodeState) {
        stamps[node] = generation
        states[node] = state
    }

    /// Writes down the present of a node, unless something is written down already.
    mutating func keep(_ node: Int, _ nodes: NodeTable) {
        if stamps[node] != generation { set(node, nodes.state(node)) }
    }
}

/// The first job that cannot be placed, and the instant from which it can be.
struct HeadShadow: Sendable, Codable {
    var instant: Int64
    var request: ResourceRequest
    var filter: NodeFilter
    /// What the head could have at that instant.
    var availability: Availability
}
