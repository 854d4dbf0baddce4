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
            "the peak of \(type) is not known, so nothing can be predicted for it"
        case .cardsNotUsable(let type, let kernel):
            "\(type): it has no cards that \(kernel.rawValue) could use, or their memory bandwidth "
                + "is not known"
        case .outOfMemory(let needed, let available):
            "the problem needs \(sizeText(needed)) of memory and the nodes have "
                + "\(sizeText(available)) for equal shares"
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

/// Some nodes of a machine and what joins them: where a kernel is to run.
///
/// Nodes may be of several types. Kernels give every node the same share of the work, so the
/// slowest type sets each part of the time, and the smallest memory what fits.
public struct PredictionTarget: Hashable, Sendable {
    /// Equal nodes.
    public struct Group: Hashable, Sendable {
        /// What each sustains.
        public var rates: NodeRates
        /// Nodes.
        public var count: Int

        /// Makes a group.
        public init(rates: NodeRates, count: Int) {
            precondition(count > 0)
            self.rates = rates
            self.count = count
        }
    }

    /// The machine.
    public var machine: String
    /// The nodes by type; never empty.
    public var groups: [Group]
    /// What joins them.
    public var network: NetworkModel

    /// Makes a target.
    public init(machine: String, groups: [Group], network: NetworkModel) {
        precondition(!groups.isEmpty)
        self.machine = machine
        self.groups = groups
        self.network = network
    }

    /// Nodes of all types.
    public var nodeCount: Int { groups.reduce(0) { $0 + $1.count } }
    /// What the nodes are called: `th1 + th1-e5450`.
    public var nodeName: String { groups.map(\.rates.name).joined(separator: " + ") }
    /// General-purpose cores of all nodes.
    public var cores: Double { sum(\.cores) }
    /// Accelerator cards of all nodes.
    public var cards: Double { sum(\.cards) }
    /// The nominal double-precision peak, cards included. Unit: flop/s.
    public var peak: Double { sum(\.peak) }
    /// Power of all nodes under load; nil when nobody says for one of them. Unit: W.
    public var watts: Double? {
        groups.contains { $0.rates.watts == nil } ? nil : sum { $0.watts ?? 0 }
    }
    /// Main memory that equal shares can fill. Unit: byte.
    public var memory: Double {
        Double(nodeCount) * (groups.map(\.rates.memory).min() ?? 0)
    }
    /// What is assumed about the nodes, in sentences.
    public var notes: [String] { Self.different(groups.flatMap(\.rates.notes)) }
    /// Where the nodes' power is from, in sentences; empty when it is not known.
    public var powerNotes: [String] {
        watts == nil ? [] : Self.different(groups.compactMap(\.rates.powerNote))
    }

    private static func different(_ notes: [String]) -> [String] {
        notes.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }

    private func sum(_ value: (NodeRates) -> Double) -> Double {
        groups.reduce(0) { $0 + value($1.rates) * Double($1.count) }
    }

    /// The parts of a time, each as long as the slowest type takes for it.
    func slowest(
        _ parts: (NodeRates) -> [KernelPrediction.Part]
    ) -> [KernelPrediction.Part] {
        let first = parts(groups[0].rates)
        return groups.dropFirst().reduce(first) { slowest, group in
            zip(slowest, parts(group.rates)).map { $0.seconds < $1.seconds ? $1 : $0 }
        }
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
        var groups: [Group] = []
        for type in types where left > 0 && counts[type] > 0 {
            let taken = min(left, counts[type])
            left -= taken
            groups.append(Group(rates: try machine.rates(ofType: type, measured), count: taken))
        }
        let system = machine.system(ofType: types[0])
        self.init(
            machine: machine.name,
            groups: groups,
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
        return try NodeRates(type, in: system(ofType: index))
    }
}
