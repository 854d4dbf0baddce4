import WireFormats

/// A table for a terminal: columns aligned by display width, no lines between cells.
public struct TextTable: Sendable {
    /// On which side a column is filled up.
    public enum Alignment: Sendable {
        /// Text starts at the left.
        case left
        /// Numbers end at the right.
        case right
    }

    private let header: [String]
    private let alignments: [Alignment]
    private var rows: [Row] = []

    private enum Row: Sendable {
        case cells([String])
        case rule
    }

    /// Makes a table without rows.
    ///
    /// - Precondition: each column has an alignment.
    public init(header: [String], alignments: [Alignment]) {
        precondition(header.count == alignments.count)
        self.header = header
        self.alignments = alignments
    }

    /// Adds a row; control characters of a cell become `?`.
    ///
    /// - Precondition: it has a cell for each column.
    public mutating func add(_ cells: [String]) {
        precondition(cells.count == header.count)
        rows.append(.cells(cells.map(\.printable)))
    }

    /// Adds a line over the whole width.
    public mutating func addRule() {
        rows.append(.rule)
    }

    /// The lines of the table, without trailing spaces.
    public var lines: [String] {
        var widths = header.map(displayWidth)
        for case .cells(let cells) in rows {
            for (index, cell) in cells.enumerated() {
                widths[index] = max(widths[index], displayWidth(cell))
            }
        }
        let width = widths.reduce(0, +) + 2 * (widths.count - 1)
        let rule = String(repeating: "─", count: width)
        return [line(header, widths), rule]
            + rows.map { row in
                switch row {
                case .cells(let cells): line(cells, widths)
                case .rule: rule
                }
            }
    }

    private func line(_ cells: [String], _ widths: [Int]) -> String {
        var line = ""
        for (index, cell) in cells.enumerated() {
            if index > 0 { line += "  " }
            let filler = String(repeating: " ", count: widths[index] - displayWidth(cell))
            line += alignments[index] == .left ? cell + filler : filler + cell
        }
        while line.hasSuffix(" ") { line.removeLast() }
        return line
    }
}

/// The columns that a terminal gives to `text`: two for a character of East Asia, none for a
/// combining one.
public func displayWidth(_ text: String) -> Int {
    text.unicodeScalars.reduce(0) { width, scalar in
        if scalar.properties.generalCategory == .nonspacingMark { return width }
        return switch scalar.value {
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF,
            0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x20000...0x3FFFD:
            width + 2
        default: width + 1
        }
    }
}
