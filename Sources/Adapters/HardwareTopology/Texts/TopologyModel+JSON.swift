import IndexSets
import Quantities
public import WireFormats

extension TopologyModel {
    /// The structure for programs. Sizes are in bytes; indices and kinds are hwloc's.
    ///
    /// - Parameter title: what the computer is called.
    public func json(title: String) -> JSONValue {
        [
            "name": .string(title),
            "packages": .integer(Int64(packageCount)),
            "numa_nodes": .integer(Int64(numaNodeCount)),
            "cores": .integer(Int64(coreCount)),
            "pus": .integer(Int64(puCount)),
            "accelerators": .integer(Int64(acceleratorCount)),
            "memory_bytes": .integer(memory.count),
            "memory_source": .string(memoryOfSystem == nil ? "hwloc" : "/proc/meminfo"),
            "numa_memory_bytes": .integer(root.totalMemory.count),
            "topology": root.json,
            "distances": .array(distances.map(\.json)),
            "memory_attributes": .array(memoryAttributes.map(\.json)),
            "page_placement": .array(placement.map(\.json)),
        ]
    }
}

extension TopologyObject {
    fileprivate var json: JSONValue {
        var members: [JSONValue.Member] = [.init("type", .string(kind.label))]
        func add(_ name: String, _ value: JSONValue?) {
            if let value { members.append(.init(name, value)) }
        }
        add("logical_index", logicalIndex.map { .integer(Int64($0)) })
        add("os_index", osIndex.map { .integer(Int64($0)) })
        add("name", name.map { .string($0) })
        add("subtype", subtype.map { .string($0) })
        add("cache_bytes", cacheSize.map { .integer($0.count) })
        add("memory_bytes", localMemory.map { .integer($0.count) })
        add("pci_address", pciAddress.map { .string($0) })
        add("pci_class", pciClass.map { .string($0) })
        add("pus", pus.isEmpty ? nil : .string(pus.rangeText))
        let infoMembers = infos.map { JSONValue.Member($0.name, .string($0.value)) }
        add("infos", infos.isEmpty ? nil : .object(infoMembers))
        for (name, list) in [
            ("memory_children", memoryChildren), ("children", children),
            ("io_children", ioChildren), ("misc_children", miscChildren),
        ] where !list.isEmpty {
            add(name, .array(list.map(\.json)))
        }
        return .object(members)
    }
}

extension DistanceMatrix {
    fileprivate var json: JSONValue {
        [
            "name": .string(name),
            "numa_nodes": .array(numaNodes.map { .integer(Int64($0)) }),
            "values": .array(values.map { .array($0.map { .integer(Int64(clamping: $0)) }) }),
        ]
    }
}

extension MemoryAttribute {
    fileprivate var json: JSONValue {
        let values = valueOfNUMANode.sorted { $0.key < $1.key }.map { node, value in
            [
                "numa_node": .integer(Int64(node)), "value": .integer(Int64(clamping: value)),
            ] as JSONValue
        }
        return ["name": .string(name), "unit": .string(unit), "values": .array(values)]
    }
}

extension PagePlacement {
    fileprivate var json: JSONValue {
        [
            "numa_node": .integer(Int64(node)), "pages": .integer(Int64(pageCount)),
            "pages_on_node": .integer(Int64(pagesOnNode)),
            "problem": problem.map { .string($0) } ?? .null,
        ]
    }
}
