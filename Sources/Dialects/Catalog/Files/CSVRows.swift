import WireFormats

/// The rows of a CSV text (RFC 4180; LF or CRLF; a byte order mark is skipped; empty lines too).
/// An apostrophe that keeps a spreadsheet from taking a cell for a formula is taken away.
struct CSVRows {
    /// One row.
    struct Row {
        /// The line on which it begins, counted from 1.
        var line: Int
        var cells: [String]
    }

    private let bytes: [UInt8]
    private let file: String
    private var position = 0
    private var line = 1

    init(text: String, file: String) {
        bytes = Array(text.utf8)
        self.file = file
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
    }

    /// The next row; nil at the end.
    ///
    /// - Throws: a refusal when a quote is not closed or stands inside a plain cell.
    mutating func next() throws(FileRefusal) -> Row? {
        skipEmptyLines()
        guard position < bytes.count else { return nil }
        var row = Row(line: line, cells: [])
        while true {
            row.cells.append(csvContent(try cell(of: row)))
            guard position < bytes.count else { return row }
            let separator = bytes[position]
            position += 1
            if separator == UInt8(ascii: "\n") {
                line += 1
                return row
            }
        }
    }

    /// The first row, with the names of the columns; nil where there is none.
    ///
    /// - Throws: also where its cells are separated by something else than commas, as spreadsheets
    ///   write them in some countries.
    mutating func header() throws(FileRefusal) -> Row? {
        guard let row = try next() else { return nil }
        let separators = [(";", "semicolons"), ("\t", "tabs")]
        if row.cells.count == 1, let word = separators.first(where: { row.cells[0].contains($0.0) })
        {
            let problem = "cells are separated by \(word.1); commas are needed (CSV, UTF-8)"
            throw FileRefusal(file: file, line: row.line, field: "", problem: .conflict(problem))
        }
        return row
    }

    private mutating func skipEmptyLines() {
        while position < bytes.count,
            bytes[position] == UInt8(ascii: "\n") || bytes[position] == UInt8(ascii: "\r")
        {
            if bytes[position] == UInt8(ascii: "\n") { line += 1 }
            position += 1
        }
    }

    /// Reads one cell and stops at its separator.
    private mutating func cell(of row: Row) throws(FileRefusal) -> String {
        guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else {
            let start = position
            while position < bytes.count, bytes[position] != UInt8(ascii: ","),
                bytes[position] != UInt8(ascii: "\n")
            {
                if bytes[position] == UInt8(ascii: "\"") { throw refusal(row, "a quote in a cell") }
                position += 1
            }
            var end = position
            if end > start, bytes[end - 1] == UInt8(ascii: "\r") { end -= 1 }
            return String(decoding: bytes[start..<end], as: UTF8.self)
        }
        return try quotedCell(of: row)
    }

    private mutating func quotedCell(of row: Row) throws(FileRefusal) -> String {
        position += 1
        var content: [UInt8] = []
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            if byte == UInt8(ascii: "\n") { line += 1 }
            guard byte == UInt8(ascii: "\"") else {
                content.append(byte)
                continue
            }
            if position < bytes.count, bytes[position] == UInt8(ascii: "\"") {
                content.append(byte)
                position += 1
                continue
            }
            if position < bytes.count, bytes[position] == UInt8(ascii: "\r") { position += 1 }
            guard
                position == bytes.count || bytes[position] == UInt8(ascii: ",")
                    || bytes[position] == UInt8(ascii: "\n")
            else { throw refusal(row, "text after a closing quote") }
            return String(decoding: content, as: UTF8.self)
        }
        throw refusal(row, "a quote that is not closed")
    }

    private func refusal(_ row: Row, _ words: String) -> FileRefusal {
        FileRefusal(
            file: file,
            line: row.line,
            field: "column \(row.cells.count + 1)",
            problem: .conflict("not valid CSV: \(words)")
        )
    }
}
