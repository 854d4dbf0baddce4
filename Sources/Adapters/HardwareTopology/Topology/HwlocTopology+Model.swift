import CHwloc
public import ClusterModel
import IndexSets
import Quantities

extension HwlocTopology {
    /// The topology as a plain value, with distances and memory attributes.
    public func model(origin: TopologySource) -> TopologyModel {
        guard let root = hwloc_get_root_obj(handle) else {
            preconditionFailure("a loaded topology has a root")
        }
        return TopologyModel(
            origin: origin,
            root: object(root),
            distances: distances(),
            memoryAttributes: memoryAttributes()
        )
    }

    private func object(_ pointer: hwloc_obj_t) -> TopologyObject {
        let source = pointer.pointee
        let kind = kind(of: pointer)
        let pci = CHwloc_pci(pointer)?.pointee
        let cache = CHwloc_cache_size(pointer)
        let isNumbered = source.depth >= 0 || kind == .numaNode
        return TopologyObject(
            kind: kind,
            logicalIndex: isNumbered ? Int(source.logical_index) : nil,
            osIndex: CHwloc_has_os_index(pointer) != 0 ? Int(source.os_index) : nil,
            name: source.name.map { String(cString: $0) },
            subtype: source.subtype.map { String(cString: $0) }
                ?? (CHwloc_is_host_bridge(pointer) != 0 ? "Host" : nil),
            localMemory: kind == .numaNode
                ? ByteCount(clamping: CHwloc_local_memory(pointer)) : nil,
            totalMemory: ByteCount(clamping: source.total_memory),
            cacheSize: cache > 0 ? ByteCount(clamping: cache) : nil,
            pciAddress: pci.map { pciAddress($0) },
            pciClass: pci.map { pciClassText($0.class_id) },
            pus: source.cpuset.map(members(of:)) ?? IDSet(),
            infos: infos(of: source),
            children: list(source.first_child),
            memoryChildren: list(source.memory_first_child),
            ioChildren: list(source.io_first_child),
            miscChildren: list(source.misc_first_child)
        )
    }

    private func list(_ first: hwloc_obj_t?) -> [TopologyObject] {
        var objects: [TopologyObject] = []
        var next = first
        while let pointer = next {
            objects.append(object(pointer))
            next = pointer.pointee.next_sibling
        }
        return objects
    }

    private func infos(of source: hwloc_obj) -> [TopologyObject.Info] {
        guard let infos = source.infos else { return [] }
        return (0..<Int(source.infos_count)).compactMap { index in
            guard let name = infos[index].name, let value = infos[index].value else { return nil }
            return .init(name: String(cString: name), value: String(cString: value))
        }
    }

    private func kind(of pointer: hwloc_obj_t) -> TopologyObject.Kind {
        switch pointer.pointee.type {
        case HWLOC_OBJ_MACHINE: .machine
        case HWLOC_OBJ_PACKAGE: .package
        case HWLOC_OBJ_DIE: .die
        case HWLOC_OBJ_GROUP: .group
        case HWLOC_OBJ_CORE: .core
        case HWLOC_OBJ_PU: .pu
        case HWLOC_OBJ_NUMANODE: .numaNode
        case HWLOC_OBJ_MEMCACHE: .memorySideCache
        case HWLOC_OBJ_BRIDGE: .bridge
        case HWLOC_OBJ_PCI_DEVICE: .pciDevice
        case HWLOC_OBJ_OS_DEVICE: .osDevice(role(of: pointer))
        case HWLOC_OBJ_MISC: .misc
        default:
            .cache(level: Int(CHwloc_cache_level(pointer)), content(of: pointer))
        }
    }

    private func content(of pointer: hwloc_obj_t) -> TopologyObject.CacheContent {
        switch CHwloc_cache_content(pointer) {
        case 1: .data
        case 2: .instructions
        default: .unified
        }
    }

    private func role(of pointer: hwloc_obj_t) -> TopologyObject.DeviceRole {
        // XML may hold any number; one that is not hwloc's is no card, so that none is counted.
        guard let number = UInt32(exactly: CHwloc_os_device_type(pointer)) else { return .unknown }
        return switch hwloc_obj_osdev_type_t(rawValue: number) {
        case HWLOC_OBJ_OSDEV_BLOCK: .block
        case HWLOC_OBJ_OSDEV_GPU: .gpu
        case HWLOC_OBJ_OSDEV_NETWORK: .network
        case HWLOC_OBJ_OSDEV_OPENFABRICS: .openFabrics
        case HWLOC_OBJ_OSDEV_DMA: .dma
        case HWLOC_OBJ_OSDEV_COPROC: .coprocessor
        default: .unknown
        }
    }
}

// MARK: - Cards that the topology does not show

extension HwlocTopology {
    /// Hangs cards on the root as remarks, unless the topology shows cards itself.
    ///
    /// A synthetic string cannot hold devices; as Misc objects hwloc carries them into its XML, and
    /// every tool that reads it shows them.
    public func annotate(_ accelerators: [Accelerator]) {
        guard let root = hwloc_get_root_obj(handle), hwloc_get_next_osdev(handle, nil) == nil
        else { return }
        for card in accelerators {
            for index in 0..<card.count {
                let name = "\(card.kind)\(index)"
                guard let misc = hwloc_topology_insert_misc_object(handle, root, name)
                else { continue }
                hwloc_obj_add_info(misc, TopologyModel.cardInfoName, card.model)
                guard let peak = card.peak else { continue }
                hwloc_obj_add_info(misc, "PeakFP64", peak.gigaflopText)
            }
        }
    }
}

// MARK: - Distances and memory attributes

extension HwlocTopology {
    /// The matrices between NUMA nodes that hwloc knows.
    private func distances() -> [DistanceMatrix] {
        // A node has one or two matrices; 16 leave room for anybody's XML.
        var found = [UnsafeMutablePointer<hwloc_distances_s>?](repeating: nil, count: 16)
        var count = UInt32(found.count)
        let result = found.withUnsafeMutableBufferPointer { buffer in
            hwloc_distances_get_by_type(
                handle,
                HWLOC_OBJ_NUMANODE,
                &count,
                buffer.baseAddress,
                0,
                0
            )
        }
        guard result == 0 else { return [] }
        return found.prefix(Int(count)).compactMap { pointer in
            guard let pointer else { return nil }
            defer { hwloc_distances_release(handle, pointer) }
            let name = hwloc_distances_get_name(handle, pointer).map { String(cString: $0) }
            return matrix(pointer.pointee, name: name)
        }
    }

    private func matrix(_ source: hwloc_distances_s, name: String?) -> DistanceMatrix? {
        let size = Int(source.nbobjs)
        guard let objects = source.objs, let values = source.values else { return nil }
        let nodes = (0..<size).compactMap { index in
            objects[index].map { Int($0.pointee.logical_index) }
        }
        guard nodes.count == size else { return nil }
        return DistanceMatrix(
            name: name ?? "distances",
            numaNodes: nodes,
            values: (0..<size).map { row in
                (0..<size).map { values[row * size + $0] }
            }
        )
    }

    /// The bandwidth and latency of each NUMA node, where the topology carries them.
    private func memoryAttributes() -> [MemoryAttribute] {
        let wanted = [
            (HWLOC_MEMATTR_ID_BANDWIDTH, "Bandwidth", "MB/s"),
            (HWLOC_MEMATTR_ID_LATENCY, "Latency", "ns"),
        ]
        return wanted.compactMap { attribute, name, unit in
            let values = bestValues(of: attribute.rawValue)
            return values.isEmpty
                ? nil : MemoryAttribute(name: name, unit: unit, valueOfNUMANode: values)
        }
    }

    private func bestValues(of attribute: UInt32) -> [Int: UInt64] {
        var values: [Int: UInt64] = [:]
        let count = max(0, Int(hwloc_get_nbobjs_by_type(handle, HWLOC_OBJ_NUMANODE)))
        for index in 0..<count {
            guard let node = hwloc_get_obj_by_type(handle, HWLOC_OBJ_NUMANODE, UInt32(index))
            else { continue }
            var initiator = hwloc_location()
            var value: UInt64 = 0
            // The best initiator is a local one: what the memory gives to its own cores.
            if hwloc_memattr_get_best_initiator(handle, attribute, node, 0, &initiator, &value) == 0
            {
                values[index] = value
            }
        }
        return values
    }
}

extension ByteCount {
    /// A size that C hands over unsigned; what does not fit becomes the greatest size.
    init(clamping bytes: UInt64) {
        self.init(Int64(clamping: bytes))
    }
}

/// Bus, device and function: `03:00.0`.
private func pciAddress(_ pci: hwloc_pcidev_attr_s) -> String {
    func padded(_ value: UInt8) -> String {
        let digits = String(value, radix: 16)
        return digits.utf8.count < 2 ? "0" + digits : digits
    }
    return "\(padded(pci.bus)):\(padded(pci.dev)).\(pci.func)"
}

/// The base classes of PCI that a reader of a tree meets (PCI Code and ID Assignment 1.11).
private func pciClassText(_ code: UInt16) -> String {
    switch code {
    case 0x0200: "Ethernet"
    case 0x0207: "InfiniBand"
    case 0x0300: "VGA"
    case 0x0302: "3D"
    case 0x0108: "NVMe"
    default:
        switch code >> 8 {
        case 0x01: "Storage"
        case 0x02: "Network"
        case 0x03: "Display"
        case 0x06: "Bridge"
        case 0x0B: "Processor"
        case 0x12: "Accelerator"
        default: "class " + String(code, radix: 16)
        }
    }
}
