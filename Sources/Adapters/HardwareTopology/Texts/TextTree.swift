/// Lines that hang on each other, drawn with box characters.
public struct TextTree: Hashable, Sendable {
    /// The text of this line.
    public var text: String
    /// What hangs on it.
    public var children: [TextTree]

    /// Makes a line.
    public init(_ text: String, _ children: [TextTree] = []) {
        self.text = text
        self.children = children
    }

    /// The drawing, each line ended.
    public var drawing: String {
        var lines: [String] = [text]
        drawChildren(indentation: "", into: &lines)
        return lines.map { $0 + "\n" }.joined()
    }

    private func drawChildren(indentation: String, into lines: inout [String]) {
        for (index, child) in children.enumerated() {
            let isLast = index == children.count - 1
            lines.append(indentation + (isLast ? "└─ " : "├─ ") + child.text)
            child.drawChildren(
                indentation: indentation + (isLast ? "   " : "│  "),
                into: &lines
            )
        }
    }
}

/// Rows of equal columns: text to the left, numbers to the right.
public func textTable(_ rows: [[String]], rightAligned: Set<Int> = []) -> [String] {
    let columnCount = rows.map(\.count).max() ?? 0
    let widths = (0..<columnCount).map { column in
        rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
    }
    return rows.map { row in
        let cells = row.enumerated().map { column, cell in
            let space = String(repeating: " ", count: widths[column] - cell.count)
            return rightAligned.contains(column) ? space + cell : cell + space
        }
        var line = cells.joined(separator: "  ")
        while line.last == " " { line.removeLast() }
        return line
    }
}
