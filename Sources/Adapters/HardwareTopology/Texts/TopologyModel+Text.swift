import IndexSets
import Quantities

// The tree for people: like lstopo's console, but with lines that show what hangs on what, and with
// equal neighbours drawn once. 384 cores fit on a screen so.
//
//   Machine                                       an object that has one child only, and
//   ├─ 2 × Package                                nothing else, shares a line with it:
//   │  ├─ NUMANode 12 GiB (P#0-1)                 L2 256 KiB + L1d 32 KiB + Core + PU
//   │  └─ L3 12 MiB
//   …

extension TopologyModel {
    /// The tree, one object or one group of equal objects a line.
    ///
    /// - Parameter title: what the computer is called.
    /// - Parameter isComplete: whether equal objects are drawn one by one.
    public func treeText(title: String, isComplete: Bool = false) -> String {
        let tree = TextTree(
            "\(title): \(summary)",
            root.lines(isComplete: isComplete)
        )
        let below = notes.isEmpty ? "" : "\n" + notes.map { $0 + "\n" }.joined()
        return tree.drawing + below
    }

    /// `12 cores · 12 PUs · 2 packages · 2 NUMA nodes · 24 GiB · 1 card`.
    public var summary: String {
        var parts = [
            counted(coreCount, "core"), counted(puCount, "PU"), counted(packageCount, "package"),
            counted(numaNodeCount, "NUMA node"), memory.binaryText,
        ]
        if acceleratorCount > 0 { parts.append(counted(acceleratorCount, "card")) }
        return parts.joined(separator: " · ")
    }

    /// What does not hang on one object: distances, bandwidths, where pages lie.
    var notes: [String] {
        var notes: [String] = []
        if let memoryOfSystem, memoryOfSystem != root.totalMemory {
            notes.append(
                "Memory: \(memoryOfSystem.binaryText) by /proc/meminfo, which is what counts; "
                    + "hwloc's NUMA nodes add up to \(root.totalMemory.binaryText)"
            )
        }
        for matrix in distances where matrix.numaNodes.count > 1 { notes += matrix.lines }
        for attribute in memoryAttributes { notes.append(attribute.line) }
        notes += placement.map(\.line)
        return notes
    }
}

extension DistanceMatrix {
    fileprivate var lines: [String] {
        let header = ["from \\ to"] + numaNodes.map { "\($0)" }
        let rows = zip(numaNodes, values).map { ["\($0)"] + $1.map { "\($0)" } }
        let table = textTable([header] + rows, rightAligned: Set(0..<header.count))
        return ["Distances between NUMA nodes (\(name)):"] + table.map { "  " + $0 }
    }
}

extension MemoryAttribute {
    fileprivate var line: String {
        let values = valueOfNUMANode.sorted { $0.key < $1.key }
        let isUniform = Set(values.map(\.value)).count == 1
        guard let first = values.first, !isUniform else {
            let value = values.first.map { "\($0.value.groupedText) \(unit)" } ?? "unknown"
            return "\(name): \(value) from each NUMA node to its own cores"
        }
        let rest = values.dropFirst().map { "L#\($0.key) \($0.value.groupedText)" }
        let list = ["L#\(first.key) \(first.value.groupedText)"] + rest
        return "\(name) in \(unit): " + list.joined(separator: ", ")
    }
}

extension PagePlacement {
    fileprivate var line: String {
        if let problem {
            return "Page placement on NUMA node P#\(node): could not be checked (\(problem))"
        }
        return "Page placement: of \(pageCount) pages asked for on NUMA node P#\(node), "
            + "\(pagesOnNode) lie there (libnuma)"
    }
}

// MARK: - Lines

extension TopologyObject {
    /// The lines for what hangs on this object; equal neighbours share one unless `isComplete`.
    ///
    /// Below a line that stands for many objects numbers would be those of the first: left out.
    fileprivate func lines(isComplete: Bool, isNumbered: Bool = true) -> [TextTree] {
        var trees: [TextTree] = []
        let below = allChildren
        var index = 0
        while index < below.count {
            let object = below[index]
            var last = index
            if !isComplete {
                let shape = object.shape
                while last + 1 < below.count, below[last + 1].shape == shape { last += 1 }
            }
            // Two objects are drawn as they are; a count saves lines from three on.
            if last - index >= 2 || (last > index && !object.children.isEmpty && !object.isChain) {
                trees.append(object.line(Array(below[index...last]), isComplete, isNumbered))
                index = last + 1
            } else {
                trees.append(object.line([object], isComplete, isNumbered))
                index += 1
            }
        }
        return trees
    }

    /// One line for this object, or for a group of objects of its shape.
    private func line(
        _ group: [TopologyObject],
        _ isComplete: Bool,
        _ isNumbered: Bool
    ) -> TextTree {
        let areNumbersKnown = isNumbered
        let isNumbered = isNumbered && group.count == 1
        var parts = [label(isNumbered: isNumbered)]
        var end = self
        while let only = end.onlyChild {
            parts.append(only.label(isNumbered: isNumbered))
            end = only
        }
        let chain = parts.joined(separator: " + ")
        let below = end.lines(isComplete: isComplete, isNumbered: isNumbered)
        guard group.count > 1 else { return TextTree(chain, below) }
        let place = areNumbersKnown ? Self.range(of: group) : ""
        return TextTree("\(group.count) × \(chain)\(place)", below)
    }

    /// `  (PU P#0-5)`: where a group of objects lies.
    private static func range(of group: [TopologyObject]) -> String {
        var pus = IDSet()
        var osIndices = IDSet()
        for object in group {
            pus.formUnion(object.pus)
            if let index = object.osIndex { osIndices.insert(index) }
        }
        if group.first?.kind == .numaNode, !osIndices.isEmpty {
            return "  (P#\(osIndices.rangeText))"
        }
        return pus.isEmpty ? "" : "  (PU P#\(pus.rangeText))"
    }

    /// The one child of an object that has nothing else.
    private var onlyChild: TopologyObject? {
        guard children.count == 1, memoryChildren.isEmpty, ioChildren.isEmpty, miscChildren.isEmpty
        else { return nil }
        return children.first
    }

    /// Whether everything below fits on the object's own line.
    private var isChain: Bool {
        guard let only = onlyChild else { return allChildren.isEmpty }
        return only.isChain
    }

    /// `L2 L#0 256 KiB`, `PU P#3`, `Net "eth0"`.
    func label(isNumbered: Bool) -> String {
        var words = [kind.label]
        if isCard { words[0] = "Card" }
        if kind == .bridge, let subtype {
            words[0] = subtype + words[0]
        } else if let subtype, kind != .pciDevice {
            words[0] += "(\(subtype))"
        }
        if isNumbered, let number = numberText { words.append(number) }
        if let size = cacheSize ?? localMemory { words.append(size.binaryText) }
        if let pciAddress { words.append(pciAddress) }
        if let pciClass { words.append("(\(pciClass))") }
        if let name { words.append("\"\(name)\"") }
        if let model = infos.first(where: {
            ["GPUModel", "CPUModel", TopologyModel.cardInfoName].contains($0.name)
        }),
            model.value != name
        {
            words.append("· \(model.value)")
        }
        return words.joined(separator: " ")
    }

    /// Whether this is a remark that stands for an accelerator card.
    var isCard: Bool { infos.contains { $0.name == TopologyModel.cardInfoName } }

    /// Cores and PUs are known by the system's number, memories by both, all else by hwloc's.
    private var numberText: String? {
        switch kind {
        case .pu, .core: osIndex.map { "P#\($0)" } ?? logicalIndex.map { "L#\($0)" }
        case .numaNode: osIndex.map { "P#\($0)" }
        case .machine, .bridge, .pciDevice, .osDevice, .misc: nil
        default: logicalIndex.map { "L#\($0)" }
        }
    }

    /// Everything that two objects must share to be drawn once.
    private var shape: String {
        var text = kind.label + (subtype ?? "") + (name ?? "")
        text += "\(cacheSize?.count ?? 0),\(localMemory?.count ?? 0),\(pciAddress ?? "")"
        for child in allChildren { text += "(" + child.shape + ")" }
        return text
    }
}
