public import IndexSets
public import Quantities

/// One object of a node's structure, with everything below it, as a plain value.
///
/// hwloc hangs four kinds of children on an object; they stay apart here too. Indices are hwloc's:
/// `logicalIndex` (L#) counts objects of one kind in the order of the tree, `osIndex` (P#) is the
/// operating system's number.
public struct TopologyObject: Hashable, Sendable {
    /// What a cache holds.
    public enum CacheContent: Hashable, Sendable {
        /// Data and instructions.
        case unified
        /// Data.
        case data
        /// Instructions.
        case instructions
    }

    /// What an operating-system device is for.
    public enum DeviceRole: String, Hashable, Sendable {
        /// A disk or another store.
        case block = "Block"
        /// A graphics device.
        case gpu = "GPU"
        /// A network interface.
        case network = "Net"
        /// An InfiniBand-like adapter.
        case openFabrics = "OpenFabrics"
        /// A DMA engine.
        case dma = "DMA"
        /// A coprocessor: an accelerator card as its run-time library sees it.
        case coprocessor = "CoProc"
        /// One that hwloc has no word for.
        case unknown = "OSDev"
    }

    /// What an object is.
    public enum Kind: Hashable, Sendable {
        /// The whole node.
        case machine
        /// A processor package.
        case package
        /// A die in a package.
        case die
        /// Something that has no other name: panels, supernodes, clusters.
        case group
        /// A cache of level 1…5.
        case cache(level: Int, CacheContent)
        /// A core.
        case core
        /// A processing unit: what the operating system calls a CPU.
        case pu
        /// A memory with its local cores.
        case numaNode
        /// A cache before a memory.
        case memorySideCache
        /// A bridge of the I/O tree.
        case bridge
        /// A PCI device.
        case pciDevice
        /// A device as the operating system names it.
        case osDevice(DeviceRole)
        /// A remark that somebody attached.
        case misc
    }

    /// A name and a value that a backend attached.
    public struct Info: Hashable, Sendable {
        /// The name: `CPUModel`.
        public var name: String
        /// The value.
        public var value: String
    }

    /// What it is.
    public var kind: Kind
    /// Its number among its kind, in tree order; nil for kinds that hwloc does not number.
    public var logicalIndex: Int?
    /// The operating system's number.
    public var osIndex: Int?
    /// The name, if it has one: `eth0`.
    public var name: String?
    /// hwloc's subtype: `CUDA`, `Cluster`, `HBM`.
    public var subtype: String?
    /// The memory of a NUMA node, else nil.
    public var localMemory: ByteCount?
    /// The memory of everything below.
    public var totalMemory: ByteCount
    /// The size of a cache, else nil.
    public var cacheSize: ByteCount?
    /// The bus address and class of a PCI device: `0000:03:00.0`, `3D`.
    public var pciAddress: String?
    /// The class of a PCI device in words: `Ethernet`.
    public var pciClass: String?
    /// The PUs below, by operating-system index.
    public var pus: IDSet
    /// What a backend attached, in its order.
    public var infos: [Info]
    /// Packages, groups, caches, cores, PUs.
    public var children: [TopologyObject]
    /// NUMA nodes and memory-side caches.
    public var memoryChildren: [TopologyObject]
    /// Bridges, PCI devices, operating-system devices.
    public var ioChildren: [TopologyObject]
    /// Remarks.
    public var miscChildren: [TopologyObject]
}

extension TopologyObject {
    /// All children in the order in which they are drawn: memory, processors, devices, remarks.
    public var allChildren: [TopologyObject] {
        memoryChildren + children + ioChildren + miscChildren
    }

    /// The number of objects, this one and below, for which `isCounted` says yes.
    public func count(where isCounted: (Kind) -> Bool) -> Int {
        allChildren.reduce(isCounted(kind) ? 1 : 0) { $0 + $1.count(where: isCounted) }
    }

    /// The number of objects of one kind, this one and below.
    public func count(of kind: Kind) -> Int {
        count { $0 == kind }
    }

    /// Calls `visit` for this object and all below it, parents first.
    public func forEach(_ visit: (TopologyObject) -> Void) {
        visit(self)
        for child in allChildren { child.forEach(visit) }
    }

    /// The value of the info called `name`, here or in the first object below that has it.
    public func firstInfo(named name: String) -> String? {
        if let own = infos.first(where: { $0.name == name }) { return own.value }
        for child in allChildren {
            if let found = child.firstInfo(named: name) { return found }
        }
        return nil
    }
}

extension TopologyObject.Kind {
    /// The word that hwloc's own tools use: `L1d`, `NUMANode`, `CoProc`.
    public var label: String {
        switch self {
        case .machine: "Machine"
        case .package: "Package"
        case .die: "Die"
        case .group: "Group"
        case .cache(let level, .unified): "L\(level)"
        case .cache(let level, .data): "L\(level)d"
        case .cache(let level, .instructions): "L\(level)i"
        case .core: "Core"
        case .pu: "PU"
        case .numaNode: "NUMANode"
        case .memorySideCache: "MemCache"
        case .bridge: "Bridge"
        case .pciDevice: "PCI"
        case .osDevice(let role): role.rawValue
        case .misc: "Misc"
        }
    }
}
