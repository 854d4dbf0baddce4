import WireFormats

/// A statement as it is laid out, before it is a text or a page: what both say, once.
struct BillDocument {
    /// A name and what it stands for.
    struct Term {
        var name: String
        var value: String
    }

    /// A table with a heading.
    struct Table {
        struct Row {
            var cells: [String]
            var isTotal = false
        }

        var heading: String
        var columns: [(name: String, alignment: TextTable.Alignment)]
        var rows: [Row] = []

        mutating func add(_ cells: [String], isTotal: Bool = false) {
            rows.append(Row(cells: cells, isTotal: isTotal))
        }
    }

    /// How much of a cap is used.
    struct Gauge {
        var text: String
        var perMille: Int
        var isUsed: Bool
    }

    var title: String
    /// What is not yet settled about it; empty when nothing is.
    var remark = ""
    var head: [Term] = []
    var tables: [Table] = []
    /// The amount in words and who owes whom.
    var result: [Term] = []
    var gauges: [Gauge] = []
    var notes: [String] = []
    /// Who signs.
    var seals: [String] = []
    /// What follows on pages of its own.
    var annex: [Table] = []
}

// MARK: - Text

extension BillDocument {
    /// The document for a terminal; ends with a newline.
    var text: String {
        var lines = [title.printable]
        if !remark.isEmpty { lines.append(remark) }
        lines += Self.lines(of: head)
        for table in tables { lines += [""] + Self.lines(of: table) }
        lines += [""] + Self.lines(of: result)
        if !gauges.isEmpty || !notes.isEmpty { lines.append("") }
        lines += gauges.map { "\($0.text.printable)  \($0.bar)" } + notes.map(\.printable)
        lines += [""] + seals.map(\.printable)
        for table in annex { lines += [""] + Self.lines(of: table) }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func lines(of terms: [Term]) -> [String] {
        let width = terms.map { displayWidth($0.name) }.max() ?? 0
        return terms.map { term in
            let filler = String(repeating: " ", count: width - displayWidth(term.name) + 2)
            return "  \(term.name)\(filler)\(term.value.printable)"
        }
    }

    private static func lines(of table: Table) -> [String] {
        var text = TextTable(
            header: table.columns.map(\.name),
            alignments: table.columns.map(\.alignment)
        )
        for row in table.rows {
            if row.isTotal { text.addRule() }
            text.add(row.cells)
        }
        return (table.heading.isEmpty ? [] : [table.heading]) + text.lines
    }
}

extension BillDocument.Gauge {
    /// Twenty boxes, filled to the share; at least one when anything is used.
    fileprivate var bar: String {
        let full = isUsed ? max(1, perMille / 50) : 0
        return "[" + String(repeating: "█", count: full) + String(repeating: "░", count: 20 - full)
            + "] \(perMille / 10).\(perMille % 10) %"
    }
}

// MARK: - Page

extension BillDocument {
    /// The document as one self-contained page that prints on A4, the annex from a new sheet on.
    func html(language: String) -> String {
        var body = "<h1>\(escapedForHTML(title))</h1>\n"
        if !remark.isEmpty { body += "<p class=\"remark\">\(escapedForHTML(remark))</p>\n" }
        body += Self.markup(of: head)
        for table in tables { body += Self.markup(of: table) }
        body += Self.markup(of: result, style: "result")
        for gauge in gauges {
            body +=
                "<p>\(escapedForHTML(gauge.text))</p><div class=\"gauge\">"
                + "<i style=\"width:\(gauge.perMille / 10).\(gauge.perMille % 10)%\"></i></div>\n"
        }
        for note in notes { body += "<p class=\"note\">\(escapedForHTML(note))</p>\n" }
        let seals = seals.map { "<span>\(escapedForHTML($0))</span>" }.joined()
        body += "<div class=\"seals\">\(seals)</div>\n"
        for table in annex {
            body += "<section class=\"annex\">\n\(Self.markup(of: table))</section>\n"
        }
        return """
            <!DOCTYPE html>
            <html lang="\(language)"><head><meta charset="utf-8"><title>\(escapedForHTML(title))</title><style>
            \(Self.style)
            </style></head><body>
            \(body)</body></html>

            """
    }

    private static func markup(of terms: [Term], style: String = "head") -> String {
        let pairs = terms.map {
            "<dt>\(escapedForHTML($0.name))</dt><dd>\(escapedForHTML($0.value))</dd>"
        }
        return "<dl class=\"\(style)\">\(pairs.joined(separator: "\n"))</dl>\n"
    }

    private static func markup(of table: Table) -> String {
        func cells(_ texts: [String], _ element: String) -> String {
            zip(texts, table.columns).map { text, column in
                let style = column.alignment == .left ? " class=\"l\"" : ""
                return "<\(element)\(style)>\(escapedForHTML(text))</\(element)>"
            }.joined()
        }
        var markup = table.heading.isEmpty ? "" : "<h2>\(escapedForHTML(table.heading))</h2>\n"
        markup +=
            "<table><thead><tr>\(cells(table.columns.map(\.name), "th"))</tr></thead>\n<tbody>\n"
        for row in table.rows {
            markup += "<tr\(row.isTotal ? " class=\"total\"" : "")>\(cells(row.cells, "td"))</tr>\n"
        }
        return markup + "</tbody></table>\n"
    }

    /// Widths are in millimetres of an A4 sheet: 210 less two margins of 15.
    private static let style = """
        @page{size:A4;margin:15mm 15mm 18mm;@bottom-center{content:counter(page) " / " counter(pages);font-size:8pt;color:#666}}
        body{font:9.5pt/1.4 "Noto Sans","Noto Sans CJK SC","Source Han Sans SC",sans-serif;max-width:180mm;margin:10mm auto;color:#222}
        h1{font-size:15pt;text-align:center;margin:0 0 3mm}h2{font-size:10pt;margin:3mm 0 .5mm}
        .remark{text-align:center;color:#a00;margin:0 0 3mm}
        dl{display:grid;grid-template-columns:max-content auto;gap:.2mm 5mm;margin:0 0 3mm}dt{color:#666}dd{margin:0}
        .result{border-top:.3mm solid #222;padding-top:2mm;margin-top:4mm}.result dd{font-weight:600}
        table{border-collapse:collapse;width:100%;margin:.5mm 0 2mm;font-size:8.5pt}thead{display:table-header-group}
        tr{break-inside:avoid}th{border-bottom:.3mm solid #222;font-weight:600}th,td{padding:.4mm 1.2mm;text-align:right}
        .l{text-align:left}tr.total td{border-top:.3mm solid #222;font-weight:600}
        p{margin:1mm 0}.note{color:#555;font-size:8.5pt;overflow-wrap:anywhere}
        .gauge{height:2.5mm;background:#ddd;print-color-adjust:exact}.gauge i{display:block;height:100%;background:#2a7;print-color-adjust:exact}
        .seals{display:flex;justify-content:space-between;margin-top:9mm;break-inside:avoid}
        .annex{break-before:page}.annex table{font-size:7.5pt}
        @media print{body{margin:0;max-width:none}}
        """
}

/// `text` with the characters of markup written out.
func escapedForHTML(_ text: String) -> String {
    var escaped = ""
    for character in text {
        switch character {
        case "&": escaped += "&amp;"
        case "<": escaped += "&lt;"
        case ">": escaped += "&gt;"
        case "\"": escaped += "&quot;"
        default: escaped.append(character)
        }
    }
    return escaped
}
