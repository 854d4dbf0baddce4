public import ClusterModel
public import IndexSets
public import Quantities

/// How the power of nodes is counted and saved.
public struct PowerRules: Hashable, Sendable, Codable {
    /// By node; nil for one that is always on and not counted.
    public let nodes: [NodePower?]
    /// How long a node is idle before it is switched off (Slurm's `SuspendTime`); nil when none is.
    public let suspendTime: SimDuration?
    /// The nodes that stay off because of a cap.
    public let capped: IDSet

    /// Makes rules; without `suspendTime` and `cap` power is only counted.
    ///
    /// - Parameter cap: what all nodes may draw together if those that are on did their utmost; nil is
    ///   no bound. Each kind of nodes gets the share of it that it has of all power, and what is left
    ///   over goes to the first nodes for which it is enough; the others stay off. Unit: mW.
    public init(nodes: [NodePower?], suspendTime: SimDuration? = nil, cap: Int64? = nil) {
        self.nodes = nodes
        self.suspendTime = suspendTime
        capped = cap.map { Self.capped(nodes, $0) } ?? IDSet()
    }

    private static func capped(_ nodes: [NodePower?], _ cap: Int64) -> IDSet {
        let costs = nodes.map { power in power.map { Int128($0.load - $0.off) } ?? 0 }
        let whole = costs.reduce(0, +)
        var room = Int128(cap) - nodes.reduce(0) { $0 + Int128($1?.off ?? 0) }
        guard room < whole else { return IDSet() }
        // What is left of the share of each kind; only looked up.
        var shares: [NodePower: Int128] = [:]
        for case let (power?, cost) in zip(nodes, costs) {
            shares[power, default: 0] += cost * max(0, room) / max(1, whole)
        }
        var off: [Int] = []
        for case let (node, power?) in nodes.enumerated() where costs[node] > 0 {
            guard let share = shares[power], share >= costs[node] else {
                off.append(node)
                continue
            }
            shares[power] = share - costs[node]
            room -= costs[node]
        }
        return IDSet(
            off.filter { node in
                guard costs[node] <= room else { return true }
                room -= costs[node]
                return false
            }
        )
    }
}

extension PowerRules {
    /// What a machine says of power.
    ///
    /// - Parameter members: the nodes that are there; nil for all.
    /// - Throws: `PowerProblem`.
    public init(_ machine: Machine, only members: IDSet? = nil) throws(PowerProblem) {
        try machine.checkPower()
        let powers = machine.nodePowers
        self.init(
            nodes: members.map { $0.map { powers[$0] } } ?? powers,
            suspendTime: machine.powerSaving.suspendTime,
            cap: machine.powerSaving.capWatts.map { $0 * 1_000 }
        )
    }
}
