public import ClusterModel
internal import IndexSets
internal import Quantities

/// Why something cannot be predicted.
public enum PredictionRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    /// The machine has no node type of this name.
    case unknownNodeType(String, machine: String, known: [String])
    /// Nodes asked for, and those there are.
    case nodeCount(Int, machine: String, available: Int)
    /// A rate is not known, and nobody measured it.
    case unknownPeak(nodeType: String)
    /// Somebody wants cards where there are none, or their memory's bandwidth is not known.
    case cardsNotUsable(nodeType: String, kernel: KernelForm)
    /// The problem does not fit; figures in bytes.
    case outOfMemory(needed: Double, available: Double)
    /// Some of the nodes would get no part; the next smaller count that would do, if one is near.
    case tooManyNodes(Int, kernel: KernelForm, shape: [Int], fitting: Int?)

    /// The sentence for people.
    public var description: String {
        switch self {
        case .unknownNodeType(let name, let machine, let known):
            "machine \(machine) has no node type '\(name)'; it has "
                + known.joined(separator: ", ")
        case .nodeCount(let count, let machine, let available):
            "\(count) nodes: \(machine) has \(available) of this kind"
        case .unknownPeak(let type):
            "the peak of \(type) is not known; measure it with 'xinghe calibrate --out FILE' and "
                + "give --profile FILE"
        case .cardsNotUsable(let type, let kernel):
            "\(type): it has no cards that \(kernel.rawValue) could use, or their memory bandwidth "
                + "is not known"
        case .outOfMemory(let needed, let available):
            "the problem needs \(sizeText(needed)) of memory and the nodes have "
                + "\(sizeText(available))"
        case .tooManyNodes(let count, let kernel, let shape, let fitting):
            "\(kernel.rawValue) of size \(extentsText(shape)) cannot be spread over \(count) nodes"
                + (fitting.map { "; \($0) would do" } ?? "")
        }
    }
}

private func sizeText(_ bytes: Double) -> String {
    let units = ["byte", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
    var (value, unit) = (bytes, 0)
    while value >= 1_024, unit + 1 < units.count {
        value /= 1_024
        unit += 1
    }
    return "\((value * 10).rounded() / 10) \(units[unit])"
}

/// Some equal nodes of a machine and what joins them: where a kernel is to run.
public struct PredictionTarget: Hashable, Sendable {
    /// The machine.
    public var machine: String
    /// Nodes.
    public var nodeCount: Int
    /// What each sustains.
    public var rates: NodeRates
    /// What joins them.
    public var network: NetworkModel

    /// Makes a target.
    public init(machine: String, nodeCount: Int, rates: NodeRates, network: NetworkModel) {
        precondition(nodeCount > 0)
        self.machine = machine
        self.nodeCount = nodeCount
        self.rates = rates
        self.network = network
    }

    /// The first nodes of some types of a machine.
    ///
    /// - Parameters:
    ///   - typeNames: the node types; those of the default partition when nil.
    ///   - nodeCount: how many nodes; all when nil.
    ///   - measured: what a host without a known peak was measured to sustain.
    /// - Throws: `PredictionRefusal`.
    public init(
        _ machine: Machine,
        typeNames: [String]? = nil,
        nodeCount: Int?,
        measured: HostRates? = nil
    ) throws(PredictionRefusal) {
        let types = try machine.typeIndices(named: typeNames)
        let counts = machine.nodeCounts
        let available = types.reduce(0) { $0 + counts[$1] }
        let count = nodeCount ?? available
        guard count >= 1, count <= available else {
            throw .nodeCount(count, machine: machine.name, available: available)
        }
        // A job that takes part of them takes the first.
        var left = count
        var parts: [(rates: NodeRates, count: Int)] = []
        for type in types where left > 0 && counts[type] > 0 {
            let taken = min(left, counts[type])
            left -= taken
            parts.append((try machine.rates(ofType: type, measured), taken))
        }
        guard let rates = NodeRates.mean(parts) else {
            throw .nodeCount(count, machine: machine.name, available: available)
        }
        let system = machine.system(ofType: types[0])
        self.init(
            machine: machine.name,
            nodeCount: count,
            rates: rates,
            network: NetworkModel(
                system,
                hops: system.map { machine.hops($0, nodeCount: count) } ?? 3
            )
        )
    }
}

extension Machine {
    fileprivate var nodeCounts: [Int] {
        var counts = [Int](repeating: 0, count: nodeTypes.count)
        for node in nodes { counts[node.typeIndex] += 1 }
        return counts
    }

    fileprivate func typeIndices(named names: [String]?) throws(PredictionRefusal) -> [Int] {
        guard let names else {
            let types = Set(defaultPartition.nodes.map { nodes[$0].typeIndex })
            return types.sorted()
        }
        var indices: [Int] = []
        for name in names {
            guard let index = nodeTypeIndex(named: name) else {
                throw .unknownNodeType(name, machine: self.name, known: nodeTypes.map(\.name))
            }
            indices.append(index)
        }
        return indices
    }

    fileprivate func system(ofType type: Int) -> ComputeSystem? {
        guard let node = nodes.firstIndex(where: { $0.typeIndex == type }) else { return nil }
        return systems.first { $0.nodes.contains(node) }
    }

    fileprivate func rates(
        ofType index: Int,
        _ measured: HostRates?
    ) throws(PredictionRefusal) -> NodeRates {
        let type = nodeTypes[index]
        if type.topology == .host, let measured {
            return measured.rates(of: type)
        }
        let system = system(ofType: index)
        let watts = system.flatMap { system in
            system.published.powerWatts.map { Double($0) / Double(system.nodes.count) }
        }
        return try NodeRates(type, systemWatts: watts)
    }
}
