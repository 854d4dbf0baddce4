public import ClusterModel
public import Quantities

/// Relative distances between the NUMA nodes of one computer.
public struct DistanceMatrix: Hashable, Sendable {
    /// The name: `NUMALatency`.
    public var name: String
    /// The logical index of the NUMA node of each row and column.
    public var numaNodes: [Int]
    /// Element `[i][j]` is the distance from node `i` to node `j`; 10 is local by convention.
    public var values: [[UInt64]]
}

/// One property of the memories, such as their bandwidth.
public struct MemoryAttribute: Hashable, Sendable {
    /// The name: `Bandwidth`.
    public var name: String
    /// The unit of the values: `MB/s`.
    public var unit: String
    /// The value seen by the node's own cores, by logical index.
    public var valueOfNUMANode: [Int: UInt64]
}

/// The structure of one computer, read through hwloc, as a plain value.
public struct TopologyModel: Hashable, Sendable {
    /// What was loaded.
    public var origin: TopologySource
    /// The whole computer.
    public var root: TopologyObject
    /// Distances between NUMA nodes.
    public var distances: [DistanceMatrix]
    /// Bandwidth and latency of the memories.
    public var memoryAttributes: [MemoryAttribute]
    /// The memory that the operating system reports, where that is more to be trusted than the sum
    /// over NUMA nodes; only for the host.
    public var memoryOfSystem: ByteCount?
    /// What libnuma found about the host's pages; only for the host.
    public var placement: [PagePlacement] = []

    /// The number of packages.
    public var packageCount: Int { root.count(of: .package) }
    /// The number of cores. Where the topology tells only of PUs, as some virtual machines' and
    /// `pu:4` do, each of them is one.
    public var coreCount: Int {
        let cores = root.count(of: .core)
        return cores > 0 ? cores : puCount
    }
    /// The number of PUs.
    public var puCount: Int { root.count(of: .pu) }
    /// The number of NUMA nodes.
    public var numaNodeCount: Int { root.count(of: .numaNode) }
    /// The number of accelerator cards: coprocessors, else graphics devices, else remarks that
    /// stand for cards.
    ///
    /// A card that several run-time libraries see is one: PCI devices are counted, whatever they carry.
    /// What a library sees without a place on the bus may be one of these, or another library's, so of
    /// all libraries the one counts that sees most.
    public var acceleratorCount: Int {
        for role in [TopologyObject.DeviceRole.coprocessor, .gpu] {
            var cards = CardCount()
            root.countCards(of: role, into: &cards)
            if cards.count > 0 { return cards.count }
        }
        return root.miscChildren.count(where: \.isCard)
    }

    /// The name of the info that makes a remark stand for a card; its value is the model.
    static let cardInfoName = "AcceleratorModel"

    /// The memory: what the operating system reports, else the sum over NUMA nodes.
    public var memory: ByteCount { memoryOfSystem ?? root.totalMemory }

    init(
        origin: TopologySource,
        root: TopologyObject,
        distances: [DistanceMatrix],
        memoryAttributes: [MemoryAttribute]
    ) {
        self.origin = origin
        self.root = root
        self.distances = distances
        self.memoryAttributes = memoryAttributes
    }
}

/// Where the pages of one test allocation really lay.
public struct PagePlacement: Hashable, Sendable {
    /// The NUMA node, by the operating system's index, that was asked for.
    public var node: Int
    /// The pages that were written.
    public var pageCount: Int
    /// The pages found on the node.
    public var pagesOnNode: Int
    /// Why it could not be found out, such as a container that forbids the question.
    public var problem: String?
}
