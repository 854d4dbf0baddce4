import WireFormats

/// A column of a table as `sacctmgr`, `sshare` and `sreport` print them.
struct TableField<Row>: Sendable {
    /// What stands over it.
    var head: String
    /// The width; a negative one aligns left.
    var width: Int
    /// What it says of a row.
    var text: @Sendable (Row) -> String

    init(_ head: String, _ width: Int, _ text: @escaping @Sendable (Row) -> String) {
        self.head = head
        self.width = width
        self.text = text
    }
}

/// How such a table is printed.
///
/// Source: Slurm 22.05, `src/common/print_fields.c`.
struct TableStyle: Hashable, Sendable {
    /// Whether there is a head.
    var hasHead = true
    /// What stands between columns, without padding; nil for columns of fixed widths.
    var delimiter: String?
    /// Whether the delimiter ends a line too.
    var endsWithDelimiter = false

    /// The lines of a table.
    func lines<Row>(_ fields: [TableField<Row>], _ rows: [Row]) -> [String] {
        var lines: [String] = []
        if hasHead {
            lines.append(line(fields) { $0.head })
            if delimiter == nil {
                lines.append(line(fields) { String(repeating: "-", count: abs($0.width)) })
            }
        }
        return lines + rows.map { row in line(fields) { $0.text(row) } }
    }

    private func line<Row>(
        _ fields: [TableField<Row>],
        _ text: (TableField<Row>) -> String
    ) -> String {
        if let delimiter {
            let line = fields.map { text($0).printable }.joined(separator: delimiter)
            return endsWithDelimiter ? line + delimiter : line
        }
        return fields.map { field in
            let width = abs(field.width)
            var text = text(field).printable
            // What is cut shows it by a plus sign.
            if text.count > width { text = text.prefix(max(0, width - 1)) + "+" }
            return FormatText.fit(text, width, right: field.width > 0) + " "
        }.joined()
    }
}

/// A list of fields such as `name%8,priority`: which, and how wide.
enum FieldList {
    /// The fields that `text` names, in its order. A name may be cut short.
    ///
    /// - Throws: `CommandFailure` for a name that no field has.
    static func choose<Row>(
        _ text: String,
        from all: [(name: String, field: TableField<Row>)],
        unknown: (String) -> CommandFailure
    ) throws(CommandFailure) -> [TableField<Row>] {
        var chosen: [TableField<Row>] = []
        for word in list(text) {
            let parts = word.split(separator: "%", maxSplits: 1).map(String.init)
            let name = (parts.first ?? "").lowercased()
            let found =
                all.first { $0.name.lowercased() == name }
                ?? all.first { !name.isEmpty && $0.name.lowercased().hasPrefix(name) }
            guard var field = found?.field else { throw unknown(parts.first ?? word) }
            if parts.count > 1 {
                guard let width = Int(parts[1]), width.magnitude <= UInt(FormatText.widthMaximum)
                else {
                    throw unknown(word)
                }
                field.width = width
            }
            chosen.append(field)
        }
        return chosen
    }
}

extension AmountText {
    /// A fraction with six decimals; 0 for one of nothing.
    static func share(_ part: Int64, of whole: Int64) -> String {
        guard whole > 0 else { return "0.000000" }
        return ratio(part, whole, digits: 6)
    }
}
