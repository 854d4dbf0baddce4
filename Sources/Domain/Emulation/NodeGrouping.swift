import ClusterModel
import IndexSets
import Scheduling

/// Which partitions share nodes and so form one queue group.
struct NodeGrouping {
    var groupOfPartition: [Int]
    /// −1 for nodes that no partition has.
    var groupOfNode: [Int]
    var groups: [SchedulingGroup]

    init(_ configuration: EmulatorConfiguration) {
        let partitions = configuration.partitions
        let nodeCount = configuration.nodes.count
        groupOfPartition = Array(repeating: -1, count: partitions.count)
        groupOfNode = Array(repeating: -1, count: nodeCount)
        groups = []
        for seed in partitions.indices where groupOfPartition[seed] < 0 {
            var members = [seed]
            var nodes = partitions[seed].nodes
            // A partition that touches the group may bring nodes that touch another.
            var hasGrown = true
            while hasGrown {
                hasGrown = false
                for other in partitions.indices
                where !members.contains(other) && partitions[other].nodes.intersects(nodes) {
                    members.append(other)
                    nodes.formUnion(partitions[other].nodes)
                    hasGrown = true
                }
            }
            let indices = Array(nodes)
            precondition(
                indices.last ?? 0 < nodeCount,
                "a partition names a node that is not there"
            )
            for member in members { groupOfPartition[member] = groups.count }
            for index in indices { groupOfNode[index] = groups.count }
            var own: [Int: GroupPartition] = [:]
            for member in members {
                let mask = ContiguousArray(indices.map(partitions[member].nodes.contains))
                own[member] = GroupPartition(
                    nodes: mask.allSatisfy(\.self) ? nil : mask,
                    isWholeNode: partitions[member].isWholeNode
                )
            }
            groups.append(
                SchedulingGroup(
                    nodes: indices.map { configuration.nodes[$0] },
                    machineIndex: indices,
                    partitions: own,
                    sharesCards: configuration.sharesCards,
                    leafSwitches: configuration.leafSwitches.isEmpty
                        ? [] : indices.map { configuration.leafSwitches[$0] },
                    policy: configuration.policy
                )
            )
        }
    }
}
