import WireFormats

/// A table for a terminal: columns aligned by display width, no lines between cells. Where it is wider than
/// the terminal, texts take several lines, or columns go below one another, each part with the first.
public struct TextTable: Sendable {
    /// How wide tables may be that are made now; nil, as for files, is without end. Unit: columns.
    @TaskLocal public static var widthMaximum: Int?

    /// What a column keeps at least when its texts take several lines.
    private static let textMinimum = 24

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
        let widths = widths
        guard let most = Self.widthMaximum, Self.total(widths) > most else { return lines(widths) }
        let longest = header.indices.filter { alignments[$0] == .left }.max {
            widths[$0] < widths[$1]
        }
        if let longest {
            let left = most - Self.total(widths) + widths[longest]
            if left >= Self.textMinimum {
                let folded = withColumn(longest, foldedTo: left)
                return folded.lines(folded.widths)
            }
        }
        let parts = columns(widths, within: most)
        guard parts.count > 1 else { return lines(widths) }
        return Array(parts.map { part(of: $0).lines }.joined(separator: [""]))
    }

    private var widths: [Int] {
        var widths = header.map(displayWidth)
        for case .cells(let cells) in rows {
            for (index, cell) in cells.enumerated() {
                widths[index] = max(widths[index], displayWidth(cell))
            }
        }
        return widths
    }

    private static func total(_ widths: [Int]) -> Int {
        widths.reduce(0, +) + 2 * (widths.count - 1)
    }

    private func withColumn(_ column: Int, foldedTo width: Int) -> TextTable {
        var folded = self
        folded.rows = rows.flatMap { row -> [Row] in
            guard case .cells(let cells) = row else { return [row] }
            return cells[column].foldedLines(to: width, indentation: 2).enumerated().map {
                var own = $0 == 0 ? cells : Array(repeating: "", count: cells.count)
                own[column] = $1
                return .cells(own)
            }
        }
        return folded
    }

    /// As many columns a part as there is room for; each has the first one.
    private func columns(_ widths: [Int], within most: Int) -> [[Int]] {
        var parts: [[Int]] = []
        var part = [0]
        for column in header.indices.dropFirst() {
            let wanted = Self.total((part + [column]).map { widths[$0] })
            if part.count > 1, wanted > most {
                parts.append(part)
                part = [0]
            }
            part.append(column)
        }
        return parts + [part]
    }

    private func part(of columns: [Int]) -> TextTable {
        var part = TextTable(
            header: columns.map { header[$0] },
            alignments: columns.map { alignments[$0] }
        )
        part.rows = rows.map { row in
            guard case .cells(let cells) = row else { return row }
            return .cells(columns.map { cells[$0] })
        }
        return part
    }

    private func lines(_ widths: [Int]) -> [String] {
        let width = Self.total(widths)
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
