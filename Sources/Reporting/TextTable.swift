/// A table for a terminal: the first column to the left, the others to the right.
public struct TextTable: Sendable {
    private var rows: [[String]]

    /// Makes a table with a header.
    public init(header: [String]) {
        rows = [header]
    }

    /// Adds a row of as many cells as the header has.
    public mutating func append(_ row: [String]) {
        precondition(row.count == rows[0].count)
        rows.append(row)
    }

    /// The rows, two spaces between columns, each line with a newline.
    ///
    /// Widths count characters, and a Chinese character counts two columns.
    public var text: String {
        let widths = rows[0].indices.map { column in
            rows.map { Self.width($0[column]) }.max() ?? 0
        }
        return rows.map { row in
            var line = ""
            for (column, cell) in row.enumerated() {
                let padding = String(repeating: " ", count: widths[column] - Self.width(cell))
                line += column == 0 ? cell + padding : "  " + padding + cell
            }
            return line.trimmingTrailingSpaces + "\n"
        }.joined()
    }

    private static func width(_ text: String) -> Int {
        text.unicodeScalars.reduce(0) {
            $0 + ((0x1100...0xFFDC).contains($1.value) && $1.value >= 0x2E80 ? 2 : 1)
        }
    }
}

extension String {
    /// The text without spaces at its end.
    fileprivate var trimmingTrailingSpaces: String {
        String(reversed().drop { $0 == " " }.reversed())
    }
}
