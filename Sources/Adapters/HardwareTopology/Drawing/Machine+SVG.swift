public import ClusterModel
import IndexSets
import Quantities

// The floor plan of a machine: one box a rack, one cell a node, coloured by partition. Racks that
// look alike are drawn once and used many times, which keeps Tianhe-2A's 17,792 nodes below 100 kB.

extension Machine {
    /// The floor plan.
    public var svgText: String {
        let plan = FloorPlan(self)
        return plan.document
    }
}

private struct FloorPlan {
    private static let cell = 7
    private static let margin = 16
    private static let labelHeight = 15

    private let machine: Machine
    private var canvas = SVGCanvas()
    private var symbols: [String: String] = [:]
    private var widest = 0
    private var y = margin

    init(_ machine: Machine) {
        self.machine = machine
    }

    var document: String {
        var plan = self
        plan.drawHeading()
        for system in machine.systems { plan.draw(system) }
        plan.drawLegend()
        return plan.canvas.document(
            title: machine.title,
            width: plan.widest + 2 * Self.margin,
            height: plan.y + Self.margin
        )
    }

    private mutating func drawHeading() {
        let totals = machine.totals
        let peak = machine.peakText(totals)
        line("\(machine.name): \(machine.title)", style: "title", height: 24)
        line(
            "\(counted(totals.nodeCount, "node")) · \(counted(totals.coreCount, "core")) · "
                + "\(totals.memory.binaryText) · \(counted(totals.acceleratorCount, "card")) · "
                + "peak \(peak)",
            style: "sub",
            height: 26
        )
    }

    private mutating func line(_ text: String, style: String, height: Int) {
        canvas.text(text, x: Self.margin, y: y + 16, style: style)
        let scale = style == "title" ? 17 : 12
        widest = max(widest, DrawnBox.textWidth(text) * scale / 10)
        y += height
    }

    private mutating func draw(_ system: ComputeSystem) {
        let totals = machine.totals(of: system.nodes)
        let isKnown = totals.nodesWithoutPeakCount < totals.nodeCount
        y += 6
        line(
            "\(system.title): \(counted(totals.nodeCount, "node")), "
                + (isKnown ? "peak \(machine.peakText(totals))" : "peak not known"),
            style: "head",
            height: 26
        )
        drawRows(of: racks(of: system))
    }

    /// Racks from left to right, in rows as high as their highest rack.
    private mutating func drawRows(of racks: [Rack]) {
        var x = 0
        var rowHeight = 0
        for rack in racks {
            let shape = RackShape(nodeCount: rack.nodes.count)
            let width = max(shape.width, DrawnBox.textWidth(rack.name)) + 8
            if x > 0, x + width > 1_240 {
                y += rowHeight + Self.labelHeight + 8
                x = 0
                rowHeight = 0
            }
            draw(rack, shape, x: Self.margin + x, y: y)
            x += width
            rowHeight = max(rowHeight, shape.height)
            widest = max(widest, x)
        }
        y += rowHeight + Self.labelHeight + 12
    }

    /// The racks of a system; nodes that stand in none form one of their own.
    private func racks(of system: ComputeSystem) -> [Rack] {
        var rest = system.nodes
        var racks: [Rack] = []
        for rack in machine.racks where rack.nodes.intersects(system.nodes) {
            racks.append(rack)
            rest.subtract(rack.nodes)
        }
        if let first = rest.first {
            let name = rest.count == 1 ? machine.nodes[first].name : "racks not known"
            racks.append(Rack(name: name, nodes: rest))
        }
        return racks
    }

    private mutating func draw(_ rack: Rack, _ shape: RackShape, x: Int, y: Int) {
        canvas.text(rack.name, x: x, y: y + 11, style: "key")
        let parts = rack.nodes.map(partStyle(ofNode:))
        let key = "\(shape.columns):" + parts.joined(separator: ",")
        if let id = symbols[key] {
            canvas.raw("<use href=\"#\(id)\" x=\"\(x)\" y=\"\(y + Self.labelHeight)\"/>")
            return
        }
        let id = "rack\(symbols.count)"
        symbols[key] = id
        canvas.raw("<symbol id=\"\(id)\" overflow=\"visible\">")
        canvas.rectangle(x: 0, y: 0, width: shape.width, height: shape.height, style: "rack")
        for (index, part) in parts.enumerated() {
            canvas.rectangle(
                x: 3 + index % shape.columns * Self.cell,
                y: 3 + index / shape.columns * Self.cell,
                width: Self.cell,
                height: Self.cell,
                style: "cell \(part)"
            )
        }
        canvas.raw("</symbol>")
        canvas.raw("<use href=\"#\(id)\" x=\"\(x)\" y=\"\(y + Self.labelHeight)\"/>")
    }

    private func partStyle(ofNode node: Int) -> String {
        let index = machine.partitions.firstIndex { $0.nodes.contains(node) }
        return index.map { "part\($0 % 6)" } ?? "none"
    }

    private mutating func drawLegend() {
        y += 8
        for (index, partition) in machine.partitions.enumerated() {
            canvas.rectangle(
                x: Self.margin,
                y: y + 5,
                width: 16,
                height: 12,
                style: "cell part\(index % 6)"
            )
            let count = counted(partition.nodes.count, "node")
            let star = index == machine.defaultPartitionIndex ? " (default)" : ""
            let text = "\(partition.name)\(star): \(count), \(partition.title)"
            canvas.text(text, x: Self.margin + 22, y: y + 15, style: "key")
            widest = max(widest, 22 + DrawnBox.textWidth(text))
            y += 18
        }
        if machine.nodes.indices.contains(where: { partStyle(ofNode: $0) == "none" }) {
            canvas.rectangle(
                x: Self.margin,
                y: y + 5,
                width: 16,
                height: 12,
                style: "cell none"
            )
            canvas.text("in no partition", x: Self.margin + 22, y: y + 15, style: "key")
            y += 18
        }
    }

    /// Columns and size of a rack: as high as wide, or a little higher.
    private struct RackShape {
        let columns: Int
        let width: Int
        let height: Int

        init(nodeCount: Int) {
            var root = 1
            while root * root < nodeCount { root += 1 }
            // Full rows, as frames and boards are; without a divisor near by, one with a gap.
            let divisors = (max(1, root / 2)...root).filter { nodeCount.isMultiple(of: $0) }
            let columns = divisors.last ?? root
            self.columns = columns
            let rows = (nodeCount + columns - 1) / columns
            width = columns * FloorPlan.cell + 6
            height = rows * FloorPlan.cell + 6
        }
    }
}
