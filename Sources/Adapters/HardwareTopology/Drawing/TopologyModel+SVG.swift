import IndexSets
import Quantities

// The drawing of one node, after lstopo: caches lie as bars over what they serve, memories as bars
// in the object they belong to, everything else is a frame around its parts.

extension TopologyModel {
    /// The drawing.
    ///
    /// - Parameter title: what the computer is called.
    public func svgText(title: String) -> String {
        let margin = 16
        let drawing = root.box
        let legend = Legend(root, width: max(drawing.width, 560))
        let heading = [title, summary]
        let width = max(
            drawing.width,
            legend.width,
            DrawnBox.textWidth(heading[0]) * 17 / 10,
            DrawnBox.textWidth(heading[1]) * 11 / 10,
            notes.map { DrawnBox.textWidth($0) * 11 / 10 }.max() ?? 0
        )
        var canvas = SVGCanvas()
        canvas.text(heading[0], x: margin, y: margin + 16, style: "title")
        canvas.text(heading[1], x: margin, y: margin + 36, style: "sub")
        var y = margin + 48
        canvas.draw(drawing, atX: margin, y: y)
        y += drawing.height + 14
        legend.draw(on: &canvas, x: margin, y: y)
        y += legend.height + 10
        for note in notes {
            if note.hasPrefix("  ") {
                canvas.tableLine(note, x: margin, y: y + 12)
            } else {
                canvas.text(note, x: margin, y: y + 12, style: "sub")
            }
            y += 16
        }
        return canvas.document(title: title, width: width + 2 * margin, height: y + margin)
    }
}

extension TopologyObject {
    fileprivate var box: DrawnBox {
        switch kind {
        case .pu:
            return .leaf([shortLabel], style: styleName)
        case .numaNode, .osDevice:
            return .leaf(deviceLabel, style: styleName, isBar: kind == .numaNode)
        case .cache, .memorySideCache:
            let bar = DrawnBox.leaf([shortLabel], style: styleName, isBar: true)
            return .stack([bar] + content, isTight: true)
        default:
            let content = content
            guard !content.isEmpty else { return .leaf(deviceLabel, style: styleName) }
            return .frame(deviceLabel, style: styleName, content)
        }
    }

    /// Memories, then processors, then devices, then remarks, below each other.
    private var content: [DrawnBox] {
        var stack = memoryChildren.map(\.box)
        if !children.isEmpty { stack.append(.grid(children.map(\.box))) }
        if !ioChildren.isEmpty { stack.append(.grid(ioChildren.map(\.box), aspectTenths: 80)) }
        if !miscChildren.isEmpty { stack.append(.grid(miscChildren.map(\.box), aspectTenths: 80)) }
        return stack
    }

    /// `L2 256 KiB`, `PU 3`: what fits into a narrow box.
    private var shortLabel: String {
        if let cacheSize { return "\(kind.label) \(cacheSize.binaryText)" }
        let number = osIndex ?? logicalIndex
        return kind.label + (number.map { " \($0)" } ?? "")
    }

    private var deviceLabel: [String] {
        switch kind {
        case .numaNode:
            let size = localMemory.map { " · \($0.binaryText)" } ?? ""
            return ["NUMA \(osIndex ?? logicalIndex ?? 0)\(size)"]
        case .machine: return ["Node"]
        case .package, .die, .group, .core:
            let model = infos.first { $0.name == "CPUModel" }.map { " · \($0.value)" } ?? ""
            return [(subtype ?? kind.label) + numberText + model]
        case .osDevice:
            let model = infos.first { $0.name == "GPUModel" }?.value
            return [label(isNumbered: false)].map { line in
                model.map { line.replacingSuffix(" · \($0)", with: "") } ?? line
            } + [model].compactMap { $0 }
        default: return [label(isNumbered: false)]
        }
    }

    private var numberText: String {
        (osIndex ?? logicalIndex).map { " \($0)" } ?? ""
    }

    fileprivate var styleName: String {
        switch kind {
        case .machine: "machine"
        case .package, .die: "package"
        case .group: "group"
        case .numaNode: "memory"
        case .cache(level: 1, _): "cache1"
        case .cache(level: 2, _): "cache2"
        case .cache, .memorySideCache: "cache3"
        case .core: "core"
        case .pu: "pu"
        case .bridge: "bridge"
        case .pciDevice: "pci"
        case .osDevice: "device"
        case .misc: isCard ? "device" : "misc"
        }
    }
}

extension String {
    fileprivate func replacingSuffix(_ suffix: String, with other: String) -> String {
        hasSuffix(suffix) ? String(dropLast(suffix.count)) + other : self
    }
}

/// What the colours of a drawing stand for; only those that are in it, in rows.
private struct Legend {
    private let rows: [[(style: String, text: String)]]
    let width: Int

    init(_ root: TopologyObject, width wanted: Int) {
        var present: Set<String> = []
        root.forEach { present.insert($0.styleName) }
        let entries = [
            ("package", "package"), ("group", "group (panel, cluster, supernode)"),
            ("memory", "memory (NUMA node)"), ("cache3", "L3 cache"), ("cache2", "L2 cache"),
            ("cache1", "L1 cache"), ("core", "core"), ("pu", "PU"), ("bridge", "I/O bridge"),
            ("pci", "PCI device"), ("device", "card or other device"),
            ("misc", "remark"),
        ].filter { present.contains($0.0) }
        var rows: [[(style: String, text: String)]] = [[]]
        var x = 0
        for entry in entries {
            let needed = Self.width(of: entry.1)
            if x > 0, x + needed > wanted {
                rows.append([])
                x = 0
            }
            rows[rows.count - 1].append(entry)
            x += needed
        }
        self.rows = rows
        width = rows.map { $0.reduce(0) { $0 + Self.width(of: $1.text) } }.max() ?? 0
    }

    var height: Int { rows.count * 18 }

    private static func width(of text: String) -> Int { 34 + DrawnBox.textWidth(text) }

    func draw(on canvas: inout SVGCanvas, x left: Int, y top: Int) {
        for (index, row) in rows.enumerated() {
            var x = left
            let y = top + index * 18
            for entry in row {
                canvas.rectangle(x: x, y: y, width: 16, height: 12, style: entry.style)
                canvas.text(entry.text, x: x + 21, y: y + 10, style: "key")
                x += Self.width(of: entry.text)
            }
        }
    }
}
