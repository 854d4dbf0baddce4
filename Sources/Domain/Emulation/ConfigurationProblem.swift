import ClusterModel
import Scheduling

/// What a configuration asks for that an emulator cannot do.
public enum ConfigurationProblem: Error, Hashable, Sendable {
    /// The policy plans equal nodes that are given whole; those of this partition, or of one that
    /// shares nodes with it, are not.
    case nodesCannotBePlanned(partition: Int)
    /// The nodes have more cores together, in the units of the configuration, than are counted.
    case tooManyCores(Int64)
    /// Parts of cards are given out, and this node has more cards than can be told apart.
    case tooManyCards(node: Int)
}

extension EmulatorConfiguration {
    /// Looks for what an emulator could not do. A driver calls this before it promises anything:
    /// `Emulator.init` stops the program.
    ///
    /// - Throws: the first problem.
    public func check() throws(ConfigurationProblem) {
        if let problem = NodeGrouping.problemOfNodes(self) { throw problem }
        if let problem = NodeGrouping(self).problem(self) { throw problem }
    }
}

extension NodeGrouping {
    /// What is wrong with the nodes, whatever the partitions are.
    static func problemOfNodes(_ configuration: EmulatorConfiguration) -> ConfigurationProblem? {
        let cores = configuration.nodes.reduce(0) { $0 + Int64($1.cores) }
        if cores > Int64(Int32.max) { return .tooManyCores(cores) }
        guard configuration.sharesCards else { return nil }
        let wide = configuration.nodes.firstIndex {
            $0.accelerators > EmulatorConfiguration.sharedCardsMaximum
        }
        return wide.map { .tooManyCards(node: $0) }
    }

    func problem(_ configuration: EmulatorConfiguration) -> ConfigurationProblem? {
        if let problem = Self.problemOfNodes(configuration) { return problem }
        guard configuration.policy.needsUniformNodes else { return nil }
        let group = groups.firstIndex { !$0.isUniform }
        let partition = group.flatMap { groupOfPartition.firstIndex(of: $0) }
        return partition.map { .nodesCannotBePlanned(partition: $0) }
    }
}
