import Billing
import IndexSets

/// A CSV text with a header, read as a whole: cells by the name of their column.
struct CSVTable {
    let rows: [Row]

    /// One row.
    struct Row {
        let file: String
        /// The line on which it begins, counted from 1.
        let line: Int
        let columns: [String: Int]
        let cells: [String]

        /// The cell of a column; nil when there is no such column or the cell is empty.
        subscript(name: String) -> String? {
            guard let index = columns[name], !cells[index].isEmpty else { return nil }
            return cells[index]
        }

        func refusal(_ field: String, _ problem: FileRefusal.Problem) -> FileRefusal {
            FileRefusal(file: file, line: line, field: field, problem: problem)
        }

        func required(_ name: String) throws(FileRefusal) -> String {
            guard let text = self[name] else { throw refusal(name, .missing) }
            return text
        }

        /// A name in the spelling in which caps are kept (`PartyName`); nil for an empty cell. One of
        /// which nothing can be seen is refused.
        func name(_ column: String) throws(FileRefusal) -> String? {
            guard let text = self[column] else { return nil }
            let name = PartyName.normalised(text)
            guard !name.isEmpty else { throw refusal(column, .missing) }
            return name
        }

        /// A whole number of digits only, in a range.
        func integer(
            _ name: String,
            _ range: ClosedRange<Int64>
        ) throws(FileRefusal) -> Int64 {
            let text = try required(name)
            guard text.utf8.allSatisfy({ (48...57).contains($0) }) else {
                throw refusal(name, .unreadable(found: text, expected: "a whole number"))
            }
            guard let number = Int64(text), range.contains(number) else {
                throw refusal(
                    name,
                    .outOfRange(
                        found: text,
                        minimum: "\(range.lowerBound)",
                        maximum: "\(range.upperBound)"
                    )
                )
            }
            return number
        }
    }

    /// Reads a text.
    ///
    /// - Throws: an empty text; a column that is unknown, missing or there twice; a row with another
    ///   number of cells.
    init(
        text: String,
        file: String,
        required: [String],
        optional: [String]
    ) throws(FileRefusal) {
        var reader = CSVRows(text: text, file: file)
        guard let header = try reader.header() else {
            throw FileRefusal(file: file, line: 1, field: "", problem: .emptyFile)
        }
        let known = required + optional
        var columns: [String: Int] = [:]
        for (index, name) in header.cells.enumerated() {
            let problem: FileRefusal.Problem? =
                if !known.contains(name) {
                    .unknownField(similar: similarNames(to: name, among: known), known: known)
                } else if columns.updateValue(index, forKey: name) != nil {
                    .duplicate(name: name, of: "column")
                } else { nil }
            if let problem {
                throw FileRefusal(file: file, line: header.line, field: name, problem: problem)
            }
        }
        for name in required where columns[name] == nil {
            throw FileRefusal(file: file, line: header.line, field: name, problem: .missing)
        }
        var rows: [Row] = []
        while let next = try reader.next() {
            let row = Row(file: file, line: next.line, columns: columns, cells: next.cells)
            guard next.cells.count == header.cells.count else {
                throw row.refusal(
                    "",
                    .doesNotAddUp(
                        stated: "\(header.cells.count) columns in its header",
                        counted: "\(next.cells.count)"
                    )
                )
            }
            rows.append(row)
        }
        self.rows = rows
    }
}
