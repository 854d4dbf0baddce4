public import IndexSets
public import Quantities

/// One node of a machine. Its index in `Machine.nodes` names it everywhere in the core.
public struct ClusterNode: Hashable, Sendable {
    /// The name that users see: `cn0042`.
    public var name: String
    /// The index of its type in `Machine.nodeTypes`.
    public var typeIndex: Int
    /// What it gives to jobs.
    public var capacity: NodeCapacity
    /// The index of its rack in `Machine.racks`.
    public var rackIndex: Int?
    /// The index in `Machine.switches` of the switch that it is plugged into.
    public var switchIndex: Int?

    /// Makes a node.
    public init(
        name: String,
        typeIndex: Int,
        capacity: NodeCapacity,
        rackIndex: Int? = nil,
        switchIndex: Int? = nil
    ) {
        self.name = name
        self.typeIndex = typeIndex
        self.capacity = capacity
        self.rackIndex = rackIndex
        self.switchIndex = switchIndex
    }
}

/// A cabinet of nodes.
public struct Rack: Hashable, Sendable {
    /// The name: `R017`.
    public var name: String
    /// The nodes in it.
    public var nodes: IDSet

    /// Makes a rack.
    public init(name: String, nodes: IDSet) {
        self.name = name
        self.nodes = nodes
    }
}

/// A switch in the tree that the placement policies see, as in Slurm's `topology.conf`.
///
/// A fat tree is drawn as a plain tree: all core switches together are its one root.
public struct Switch: Hashable, Sendable {
    /// The name: `frame017`.
    public var name: String
    /// 0 for a switch with nodes, else one more than its highest child.
    public var level: Int
    /// The index of the switch above it in `Machine.switches`; nil at a root.
    public var parentIndex: Int?
    /// All nodes below it, at any depth.
    public var nodes: IDSet

    /// Makes a switch.
    public init(name: String, level: Int, parentIndex: Int? = nil, nodes: IDSet) {
        self.name = name
        self.level = level
        self.parentIndex = parentIndex
        self.nodes = nodes
    }
}

/// The interconnect of one system, for predictions and for people.
public struct Network: Hashable, Sendable {
    /// The product: "TH-Express (Arch)".
    public var name: String
    /// Its shape: "two-level fat tree".
    public var shape: String
    /// What one node can send in one direction.
    public var linkBandwidth: ByteRate?
    /// The time that a short message takes over one hop. Unit: ns.
    public var latencyNanoseconds: Int64?

    /// Makes a network.
    public init(
        name: String,
        shape: String,
        linkBandwidth: ByteRate? = nil,
        latencyNanoseconds: Int64? = nil
    ) {
        self.name = name
        self.shape = shape
        self.linkBandwidth = linkBandwidth
        self.latencyNanoseconds = latencyNanoseconds
    }
}

/// One computer of a centre: what one machine file without a join describes.
public struct ComputeSystem: Hashable, Sendable {
    /// What was published about the whole system, to hold the model against.
    public struct PublishedFigures: Hashable, Sendable {
        /// The theoretical peak (Rpeak).
        public var peak: FlopRate?
        /// The High-Performance Linpack result (Rmax).
        public var linpack: FlopRate?
        /// The High-Performance Conjugate Gradients result.
        public var conjugateGradients: FlopRate?
        /// The memory.
        public var memory: ByteCount?
        /// The power under load. Unit: W.
        public var powerWatts: Int64?
        /// Why the computed peak is another than the published one.
        public var peakNote: String?

        /// Makes figures.
        public init(
            peak: FlopRate? = nil,
            linpack: FlopRate? = nil,
            conjugateGradients: FlopRate? = nil,
            memory: ByteCount? = nil,
            powerWatts: Int64? = nil,
            peakNote: String? = nil
        ) {
            self.peak = peak
            self.linpack = linpack
            self.conjugateGradients = conjugateGradients
            self.memory = memory
            self.powerWatts = powerWatts
            self.peakNote = peakNote
        }
    }

    /// The name: `tianhe-1a`.
    public var name: String
    /// One line for people.
    public var title: String
    /// What it is, in a few sentences.
    public var description: String
    /// Its nodes.
    public var nodes: IDSet
    /// Its interconnect.
    public var network: Network?
    /// What was published about it.
    public var published: PublishedFigures
    /// Where the numbers that belong to no node type come from.
    public var facts: [Fact]

    /// Makes a system.
    public init(
        name: String,
        title: String,
        description: String = "",
        nodes: IDSet,
        network: Network? = nil,
        published: PublishedFigures = PublishedFigures(),
        facts: [Fact] = []
    ) {
        self.name = name
        self.title = title
        self.description = description
        self.nodes = nodes
        self.network = network
        self.published = published
        self.facts = facts
    }
}
