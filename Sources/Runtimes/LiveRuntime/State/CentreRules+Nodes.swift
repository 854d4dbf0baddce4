import ClusterModel
import IndexSets
import SlurmDialect
import WireFormats

extension CentreRules {
    /// The nodes of a host list.
    ///
    /// - Throws: `Refusal` when the list is malformed or names a node that does not exist.
    func nodes(_ list: String) throws(Refusal) -> IDSet {
        // Each may stand there twice, but what names many more is no list that somebody wrote.
        let most = 2 * machine.nodes.count
        guard let names = try? HostList.expand(list, atMost: most) else {
            throw Refusal(.invalidNodeName)
        }
        var set = IDSet()
        for name in names {
            guard let index = nodeIndices[name] else { throw Refusal(.invalidNodeName) }
            set.insert(index)
        }
        return set
    }

    /// The nodes that lack the features asked for: `a&b` needs both, `a|b` one of them.
    ///
    /// - Throws: `Refusal` when no node of the machine has them.
    func nodesWithout(features: String) throws(Refusal) -> IDSet {
        let alternatives = features.split(separator: "|").map { alternative in
            alternative.split { $0 == "&" || $0 == "," }.map(String.init)
        }
        let typeFits = machine.nodeTypes.map { type in
            alternatives.contains { $0.allSatisfy(type.features.contains) }
        }
        var lacking = IDSet()
        var isAnyLeft = false
        for (index, node) in machine.nodes.enumerated() {
            if typeFits[node.typeIndex] { isAnyLeft = true } else { lacking.insert(index) }
        }
        guard isAnyLeft else { throw Refusal(.invalidFeature) }
        return lacking
    }
}
