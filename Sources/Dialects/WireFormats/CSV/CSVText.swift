public import Quantities

// Every CSV text of the project is written here (RFC 4180, UTF-8, LF), and read by `CSVRows` of
// Catalog.
//
// A spreadsheet takes a cell that begins with `=`, `+`, `-`, `@`, a tab or an end of line for a
// formula, quotes or not. A name from outside could begin so; an apostrophe before it makes it text
// (OWASP, "CSV Injection"). Readers take that apostrophe away again, so names survive the way there
// and back. To keep that exact, a text that already has apostrophes before such a character gets one
// more. Numbers are written as they are: a negative amount is no formula.

/// A cell of a CSV text.
public enum CSVCell: Hashable, Sendable {
    /// A text from wherever: quoted where RFC 4180 asks for it, and never a formula.
    case text(String)
    /// A whole number.
    case number(Int64)
    /// An amount of money in yuan with two decimals and no groups: `-1234.56`.
    case yuan(Fen)
    /// What the program itself has written out: a decimal number, a day.
    case literal(String)
    /// Nothing.
    case empty

    /// The cell as it stands in the file.
    public var field: String {
        switch self {
        case .text(let text): csvField(text)
        case .number(let number): String(number)
        case .yuan(let amount): amount.yuanText.filter { $0 != "," }
        case .literal(let text): text
        case .empty: ""
        }
    }
}

/// A CSV text that is being written, the header first.
public struct CSVText: Hashable, Sendable {
    /// What is written so far; every row ends with LF.
    public private(set) var text: String
    private let columnCount: Int

    /// Begins a text.
    ///
    /// - Parameter hasByteOrderMark: whether it begins with U+FEFF, by which Excel knows UTF-8.
    public init(header: [String], hasByteOrderMark: Bool = false) {
        text = (hasByteOrderMark ? "\u{FEFF}" : "") + header.joined(separator: ",") + "\n"
        columnCount = header.count
    }

    /// Adds a row.
    ///
    /// - Precondition: it has a cell for each column.
    public mutating func add(_ cells: [CSVCell]) {
        precondition(cells.count == columnCount, "\(cells.count) cells of \(columnCount)")
        for (index, cell) in cells.enumerated() {
            if index > 0 { text += "," }
            text += cell.field
        }
        text += "\n"
    }
}

/// A text as a field of a CSV file: no formula, and in quotes where RFC 4180 asks for them.
public func csvField(_ text: String) -> String {
    let text = beginsLikeFormula(text) ? "'" + text : text
    let needsQuotes = text.utf8.contains { byte in
        byte == UInt8(ascii: ",") || byte == UInt8(ascii: "\"") || byte == 0x0A || byte == 0x0D
    }
    guard needsQuotes else { return text }
    return "\""
        + text.split(separator: "\"", omittingEmptySubsequences: false)
        .joined(separator: "\"\"") + "\""
}

/// What `csvField` wrote, out of its quotes: without the apostrophe that made it text.
public func csvContent(_ cell: String) -> String {
    cell.utf8.first == UInt8(ascii: "'") && beginsLikeFormula(cell)
        ? String(cell.unicodeScalars.dropFirst()) : cell
}

/// Whether a spreadsheet would take `text`, less apostrophes before it, for a formula; the
/// full-width signs are those that it reads like the others.
private func beginsLikeFormula(_ text: String) -> Bool {
    switch text.unicodeScalars.first(where: { $0 != "'" }) {
    case "=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠": true
    default: false
    }
}
