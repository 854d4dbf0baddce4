import JobModel

/// What nodes will have free at a shadow time, as far as it differs from now.
///
/// Only nodes that a running job gives back, or that a backfilled job holds, are written down; the
/// others are read from the present. Forgetting everything is O(1).
struct ShadowOverlay: Sendable {
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
struct HeadShadow: Sendable {
    var instant: Int64
    var request: ResourceRequest
    var filter: NodeFilter
    /// What the head could have at that instant.
    var availability: Availability
}

/// What the last pass left behind, good as long as nothing but arrivals happens: then only those
/// that arrived can start, since nothing is free that was not, and the shadow has come nearer. (Where
/// nodes are looked at, a job that would have delayed the head may be placed elsewhere once another
/// has started; then the whole queue is looked at again.)
struct BlockedHead: Sendable {
    /// The head's place in the queue: who arrives before it becomes the head.
    var key: QueueKey
    /// Its shadow time. Unit: µs since the epoch.
    var shadow: Int64
    /// Units free at the shadow beside the head, on uniform nodes.
    var extra: Int32
    /// How many have arrived since, and the last of them.
    var arrivalCount = 0
    var arrival: Int32 = -1
}
