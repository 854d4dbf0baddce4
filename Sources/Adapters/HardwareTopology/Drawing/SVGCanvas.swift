// Boxes in boxes, as SVG. All lengths are whole px.
//
// Layout is bottom up: a box is as large as what is in it needs, then it may be stretched to line up
// with its neighbours. Text is set in one size, and every box is at least as wide as its text, so
// nothing overlaps at any number of cores.

/// A rectangle with text at its top and boxes in it, placed relative to its parent.
struct DrawnBox {
    var x = 0
    var y = 0
    var width: Int
    var height: Int
    /// The CSS class; nil for a box that only holds others together.
    var style: String?
    /// Lines of text at the top.
    var label: [String] = []
    var children: [DrawnBox] = []
    /// Whether it grows with its parent's width (bars) or stays in the middle.
    var isBar = false

    static let padding = 7
    static let gap = 5
    static let lineHeight = 14
    static let fontSize = 11

    /// The width that text needs. DejaVu Sans at 11 px is about 6.6 px a letter; 7 is safe.
    static func textWidth(_ text: String) -> Int { text.count * 7 }

    /// A box with text only.
    static func leaf(_ label: [String], style: String, isBar: Bool = false) -> DrawnBox {
        let widest = label.map(textWidth).max() ?? 0
        return DrawnBox(
            width: widest + 10,
            height: label.count * lineHeight + 6,
            style: style,
            label: label,
            isBar: isBar
        )
    }

    /// A frame around a stack of boxes.
    static func frame(_ label: [String], style: String, _ stack: [DrawnBox]) -> DrawnBox {
        var box = DrawnBox.stack(stack, isTight: false)
        let top = label.isEmpty ? padding : label.count * lineHeight + padding
        let widest = label.map(textWidth).max() ?? 0
        let inner = max(box.width, widest)
        box = box.stretched(to: inner)
        box.x = padding
        box.y = top
        return DrawnBox(
            width: inner + 2 * padding,
            height: top + box.height + padding,
            style: style,
            label: label,
            children: [box],
            isBar: true
        )
    }

    /// Boxes below each other, bars as wide as the widest.
    static func stack(_ boxes: [DrawnBox], isTight: Bool) -> DrawnBox {
        let width = boxes.map(\.width).max() ?? 0
        var placed: [DrawnBox] = []
        var y = 0
        for box in boxes {
            var box = box.stretchedIfBar(to: width)
            box.x = (width - box.width) / 2
            box.y = y
            y += box.height + (isTight ? 2 : gap)
            placed.append(box)
        }
        let height = max(0, y - (isTight ? 2 : gap))
        return DrawnBox(width: width, height: height, children: placed, isBar: true)
    }

    /// Boxes in rows and columns, in a shape near `aspect` (width ÷ height × 10).
    static func grid(_ boxes: [DrawnBox], aspectTenths: Int = 16) -> DrawnBox {
        guard boxes.count > 1 else { return boxes.first ?? DrawnBox(width: 0, height: 0) }
        let cellWidth = boxes.map(\.width).max() ?? 0
        let cellHeight = boxes.map(\.height).max() ?? 0
        let columns = bestColumns(boxes.count, cellWidth, cellHeight, aspectTenths)
        var placed: [DrawnBox] = []
        for (index, box) in boxes.enumerated() {
            var box = box.stretchedIfBar(to: cellWidth)
            let x = index % columns * (cellWidth + gap)
            box.x = x + (cellWidth - box.width) / 2
            box.y = index / columns * (cellHeight + gap)
            placed.append(box)
        }
        let rows = (boxes.count + columns - 1) / columns
        return DrawnBox(
            width: columns * (cellWidth + gap) - gap,
            height: rows * (cellHeight + gap) - gap,
            children: placed
        )
    }

    /// The number of columns whose grid is nearest to the wanted shape; full rows are preferred.
    private static func bestColumns(
        _ count: Int,
        _ width: Int,
        _ height: Int,
        _ aspectTenths: Int
    ) -> Int {
        var best = (badness: Int.max, columns: 1)
        for columns in 1...count {
            let rows = (count + columns - 1) / columns
            let wide = columns * (width + gap) * 10
            let high = rows * (height + gap) * aspectTenths
            // How many hundredths the longer side is above the wanted one.
            let stretch = max(wide, high) * 100 / max(1, min(wide, high))
            let holes = rows * columns - count
            let badness = stretch + holes * 300 / columns
            if badness < best.badness { best = (badness, columns) }
        }
        return best.columns
    }

    func stretchedIfBar(to width: Int) -> DrawnBox { isBar ? stretched(to: width) : self }

    /// The box at a greater width: bars in it grow too, the rest stays in the middle.
    func stretched(to newWidth: Int) -> DrawnBox {
        guard newWidth > width else { return self }
        var box = self
        let extra = newWidth - width
        box.width = newWidth
        box.children = children.map { child in
            if child.isBar { return child.stretched(to: child.width + extra) }
            var child = child
            child.x += extra / 2
            return child
        }
        return box
    }
}

/// Text of SVG elements, growing.
struct SVGCanvas {
    private(set) var body = ""

    /// Draws a box and all in it.
    mutating func draw(_ box: DrawnBox, atX x: Int, y: Int) {
        let left = x + box.x
        let top = y + box.y
        if let style = box.style {
            rectangle(x: left, y: top, width: box.width, height: box.height, style: style)
        }
        for (index, line) in box.label.enumerated() {
            let isFrame = !box.children.isEmpty
            let baseline = top + 14 + index * DrawnBox.lineHeight
            if isFrame {
                text(line, x: left + DrawnBox.padding, y: baseline, style: "frame")
            } else {
                text(line, x: left + box.width / 2, y: baseline, style: "mid")
            }
        }
        for child in box.children { draw(child, atX: left, y: top) }
    }

    mutating func rectangle(x: Int, y: Int, width: Int, height: Int, style: String) {
        body += "<rect class=\"\(style)\" x=\"\(x)\" y=\"\(y)\" width=\"\(width)\""
        body += " height=\"\(height)\" rx=\"2\"/>\n"
    }

    mutating func text(_ text: String, x: Int, y: Int, style: String) {
        body += "<text class=\"\(style)\" x=\"\(x)\" y=\"\(y)\">\(escaped(text))</text>\n"
    }

    /// A line of a table, whose columns are made of spaces.
    mutating func tableLine(_ text: String, x: Int, y: Int) {
        body += "<text class=\"mono\" xml:space=\"preserve\" x=\"\(x)\" y=\"\(y)\">"
        body += "\(escaped(text))</text>\n"
    }

    mutating func raw(_ element: String) { body += element + "\n" }

    /// The whole document.
    func document(title: String, width: Int, height: Int) -> String {
        """
        <?xml version="1.0" encoding="UTF-8"?>
        <svg xmlns="http://www.w3.org/2000/svg" width="\(width)" height="\(height)" \
        viewBox="0 0 \(width) \(height)" role="img">
        <title>\(escaped(title))</title>
        <style>
        \(svgStyleSheet)
        </style>
        <rect class="paper" width="\(width)" height="\(height)"/>
        \(body)</svg>

        """
    }
}

/// Text as XML character data.
func escaped(_ text: String) -> String {
    var result = ""
    for character in text {
        switch character {
        case "&": result += "&amp;"
        case "<": result += "&lt;"
        case ">": result += "&gt;"
        case "\"": result += "&quot;"
        default: result.append(character)
        }
    }
    return result
}

// Tints of Okabe and Ito's colours, which people with any colour vision tell apart; every box also
// says in words what it is.
private let svgStyleSheet = """
    text { font-family: "DejaVu Sans", Verdana, Arial, sans-serif; font-size: 11px; fill: #111 }
    .mono { font-family: "DejaVu Sans Mono", monospace; white-space: pre }
    .mid { text-anchor: middle }
    .title { font-size: 18px; font-weight: bold }
    .sub { font-size: 12px; fill: #333 }
    .head { font-size: 13px; font-weight: bold }
    rect { stroke-width: 1 }
    .paper { fill: #ffffff; stroke: none }
    .machine { fill: #ffffff; stroke: #444444 }
    .package { fill: #f3f3f3; stroke: #444444 }
    .group { fill: #e6e6e6; stroke: #666666 }
    .memory { fill: #fbdcb5; stroke: #9c5b00 }
    .cache3 { fill: #9cc9e8; stroke: #00507f }
    .cache2 { fill: #c0def2; stroke: #00507f }
    .cache1 { fill: #e0effa; stroke: #00507f }
    .core { fill: #c9ebdf; stroke: #00664a }
    .pu { fill: #ffffff; stroke: #00664a }
    .bridge { fill: #fafafa; stroke: #888888 }
    .pci { fill: #f4dcea; stroke: #8a3a66 }
    .device { fill: #fbf3a8; stroke: #7d7200 }
    .misc { fill: #ffffff; stroke: #555555; stroke-dasharray: 4 3 }
    .rack { fill: #f7f7f7; stroke: #444444 }
    .cell { stroke: #ffffff; stroke-width: 0.5 }
    .part0 { fill: #0072b2 }
    .part1 { fill: #e69f00 }
    .part2 { fill: #009e73 }
    .part3 { fill: #cc79a7 }
    .part4 { fill: #56b4e9 }
    .part5 { fill: #d55e00 }
    .none { fill: #bbbbbb }
    """
