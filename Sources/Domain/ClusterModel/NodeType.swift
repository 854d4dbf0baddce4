public import Quantities

/// Where the inner structure of a node comes from. hwloc reads all three.
public enum TopologySource: Hashable, Sendable {
    /// A string of hwloc's synthetic syntax: `package:2 [numa(memory=12GiB)] core:6 pu:1`.
    case synthetic(String)
    /// A document of hwloc's XML format, with the name of the file that it was read from.
    case xml(name: String, text: String)
    /// The machine that the program runs on, as discovered.
    case host
}

/// The general-purpose processors of a node.
public struct Processor: Hashable, Sendable {
    /// The model: "Intel Xeon X5670".
    public var model: String
    /// The clock that the peak is counted with; nil when not known.
    public var clock: Frequency?
    /// The clock that all cores hold in matrix products, where that is another; nil when not known.
    public var vectorClock: Frequency?
    /// Double-precision operations that one core retires in one cycle at best; nil when not known.
    public var flopsPerCycle: Int32?
    /// What long programs get of the nominal rates.
    public var sustained: SustainedShares

    /// Makes a processor.
    public init(
        model: String,
        clock: Frequency? = nil,
        vectorClock: Frequency? = nil,
        flopsPerCycle: Int32? = nil,
        sustained: SustainedShares = SustainedShares()
    ) {
        self.model = model
        self.clock = clock
        self.vectorClock = vectorClock
        self.flopsPerCycle = flopsPerCycle
        self.sustained = sustained
    }
}

/// The part of nominal rates that good programs sustain; nil when not known. Unit: ‰.
public struct SustainedShares: Hashable, Sendable {
    /// Of the double-precision peak, by large matrix products (DGEMM).
    public var gemmPermille: Int32?
    /// Of the memory bandwidth, by STREAM's triad.
    public var streamPermille: Int32?

    /// Makes shares.
    public init(gemmPermille: Int32? = nil, streamPermille: Int32? = nil) {
        self.gemmPermille = gemmPermille
        self.streamPermille = streamPermille
    }
}

/// Equal accelerator cards of a node.
public struct Accelerator: Hashable, Sendable {
    /// What a job asks for with `--gres=KIND:COUNT`: `gpu`, `mic`, `npu`.
    public var kind: String
    /// The model: "NVIDIA Tesla M2050".
    public var model: String
    /// The number of cards in a node.
    public var count: Int32
    /// The double-precision peak of one card.
    public var peak: FlopRate?
    /// The memory of one card.
    public var memory: ByteCount?
    /// The memory bandwidth of one card.
    public var memoryBandwidth: ByteRate?
    /// What moves between one card and the node's memory, in one direction.
    public var linkBandwidth: ByteRate?
    /// Whether it is on the processor's chip, or as near: it works in the node's memory, and nothing
    /// moves over a link.
    public var sharesMemory: Bool
    /// The power that one card draws at most. Unit: W.
    public var powerWatts: Int32?
    /// What long programs get of the nominal rates.
    public var sustained: SustainedShares

    /// Makes cards.
    public init(
        kind: String,
        model: String,
        count: Int32,
        peak: FlopRate? = nil,
        memory: ByteCount? = nil,
        memoryBandwidth: ByteRate? = nil,
        linkBandwidth: ByteRate? = nil,
        sharesMemory: Bool = false,
        powerWatts: Int32? = nil,
        sustained: SustainedShares = SustainedShares()
    ) {
        self.kind = kind
        self.model = model
        self.count = count
        self.peak = peak
        self.memory = memory
        self.memoryBandwidth = memoryBandwidth
        self.linkBandwidth = linkBandwidth
        self.sharesMemory = sharesMemory
        self.powerWatts = powerWatts
        self.sustained = sustained
    }
}

/// What equal nodes have in common.
public struct NodeType: Hashable, Sendable {
    /// The name that node lists of a machine file refer to: `th1a`.
    public var name: String
    /// One line for people.
    public var title: String
    /// The structure: packages, NUMA nodes, caches, cores.
    public var topology: TopologySource
    /// The processors.
    public var processor: Processor
    /// What a node gives to jobs. `capacity.accelerators` is the sum over `accelerators`.
    public var capacity: NodeCapacity
    /// The accelerator cards, by model.
    public var accelerators: [Accelerator]
    /// The main memory bandwidth of a node.
    public var memoryBandwidth: ByteRate?
    /// The power that a node draws under load. Unit: W.
    public var powerWatts: Int32?
    /// The power that a node draws when it runs no job; nil when not known. Unit: W.
    public var idleWatts: Int32?
    /// The power that a node draws when it is switched off; nil when not known. Unit: W.
    public var offWatts: Int32?
    /// From the switch to the first job; nil when not known.
    public var bootTime: SimDuration?
    /// The operating system, a label: "Kylin".
    public var operatingSystem: String?
    /// The name of the computer that all nodes of the type are on, where it is not their own: Slurm's
    /// `NodeHostname`.
    public var hostName: String?
    /// The network address of that computer, where it is not the node's name: Slurm's `NodeAddr`.
    public var address: String?
    /// What jobs may ask for with `--constraint`.
    public var features: [String]
    /// Where the numbers come from.
    public var facts: [Fact]

    /// Makes a node type.
    public init(
        name: String,
        title: String,
        topology: TopologySource,
        processor: Processor,
        capacity: NodeCapacity,
        accelerators: [Accelerator] = [],
        memoryBandwidth: ByteRate? = nil,
        powerWatts: Int32? = nil,
        operatingSystem: String? = nil,
        features: [String] = [],
        facts: [Fact] = []
    ) {
        self.name = name
        self.title = title
        self.topology = topology
        self.processor = processor
        self.capacity = capacity
        self.accelerators = accelerators
        self.memoryBandwidth = memoryBandwidth
        self.powerWatts = powerWatts
        self.operatingSystem = operatingSystem
        self.features = features
        self.facts = facts
    }

    /// The double-precision peak of the node's general-purpose cores: cores × clock × operations a
    /// cycle; nil when a factor is not known.
    public var processorPeak: FlopRate? {
        guard let clock = processor.clock, let flops = processor.flopsPerCycle else { return nil }
        return FlopRate(flopsPerSecond: clock.hertz) * Int64(flops) * Int64(capacity.cores)
    }

    /// The double-precision peak of the node's cards; nil when a card's is not known.
    public var acceleratorPeak: FlopRate? {
        var sum = FlopRate.zero
        for card in accelerators {
            guard let peak = card.peak else { return nil }
            sum = sum + peak * Int64(card.count)
        }
        return sum
    }

    /// The double-precision peak of one node; nil when a part is not known.
    public var peak: FlopRate? {
        guard let cores = processorPeak, let cards = acceleratorPeak else { return nil }
        return cores + cards
    }
}
