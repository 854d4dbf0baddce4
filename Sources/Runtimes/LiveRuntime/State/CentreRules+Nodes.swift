import ClusterModel
import IndexSets
import SlurmDialect
import WireFormats

extension CentreRules {
    /// The name of the computer that a node is on: its own, unless its type says another.
    func hostName(ofNode node: Int) -> String {
        let node = machine.nodes[node]
        return machine.nodeTypes[node.typeIndex].hostName ?? node.name
    }

    /// The computer that all nodes of a job are on; nil where it is not one.
    func commonHostName(of status: JobStatus) -> String? {
        let names = Set(status.nodes.map { hostName(ofNode: $0.node) })
        return names.count == 1 ? names.first : nil
    }

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
            guard let index = nodeIndices[name] else {
                throw Refusal(.invalidNodeName, no: "node", name, among: [])
            }
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
        guard isAnyLeft else {
            let known = Set(machine.nodeTypes.flatMap(\.features))
            guard let name = alternatives.joined().first(where: { !known.contains($0) }) else {
                throw Refusal(.invalidFeature, hint: "no node has all of '\(features)'")
            }
            throw Refusal(.invalidFeature, no: "feature", name, among: known.sorted())
        }
        return lacking
    }
}
