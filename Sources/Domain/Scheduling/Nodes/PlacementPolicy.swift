import JobModel

/// How nodes are chosen among those that fit. On equal nodes that are given whole only
/// `fewest-switches` and `random` make a difference to which nodes, none of them to how many.
///
/// A job that one node can hold gets one node unless it asks for more; chunks go to the nodes in the
/// order of the policy, to each as many as it can take.
public enum PlacementPolicy: String, Hashable, Sendable, CaseIterable, Codable {
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
    /// with the most free nodes, one after another. O(n) a job; on equal nodes given whole O(leaves).
    ///
    /// Source: the best fit of Slurm's topology/tree plugin, at the leaves.
    case fewestSwitches = "fewest-switches"
    /// One after another drawn from those that fit, by the policy's seed and the job's number. O(n) a
    /// job.
    case random

    var asksForFreeCores: Bool { self == .bestFit || self == .pack || self == .spread }

    /// Whether it chooses other nodes than the lowest also where nodes are equal and given whole.
    var choosesAmongEqualNodes: Bool { self == .fewestSwitches || self == .random }
}

/// Which nodes of a group a job may use.
struct NodeFilter: Sendable, Codable {
    /// Element `i` tells whether the partition has the group's node `i`; nil means all.
    var partition: ContiguousArray<Bool>?
    /// Nodes that must be part of the allocation, ascending.
    var required: [Int] = []
    /// Nodes that must not.
    var excluded: Set<Int> = []
    /// By which key nodes are kept for the job's user.
    var keeper = NodeKeeper.none
    /// Element `i` tells whether the calendar closes node `i` to the job; nil means none.
    var closed: ContiguousArray<Bool>?

    func permits(_ node: Int) -> Bool {
        (partition?[node] ?? true) && (excluded.isEmpty || !excluded.contains(node))
            && !(closed?[node] ?? false)
    }

    /// Permits and requires just these nodes.
    ///
    /// - Parameters:
    ///   - chosen: ascending.
    ///   - nodeCount: of the group.
    /// - Returns: false when a node that must be part of the allocation is not among them.
    mutating func narrow(to chosen: [Int], nodeCount: Int) -> Bool {
        guard required.allSatisfy(chosen.contains) else { return false }
        required = chosen
        var only = ContiguousArray(repeating: false, count: nodeCount)
        for node in chosen { only[node] = partition?[node] ?? true }
        partition = only
        return true
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
