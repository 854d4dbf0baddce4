import Quantities
import WireFormats

extension BillReport {
    /// The statement as one self-contained page to print, in Chinese and English.
    public var html: String {
        var page = HTMLPage()
        let period = statement.month ?? "全部 · all months"
        page.add("<h1>机时账单 <span>Statement of account</span></h1><dl>")
        page.term("账户 Account", statement.account)
        page.term("户名 Name", statement.title)
        if let enterprise = statement.enterprise { page.term("企业 Enterprise", enterprise) }
        page.term("账期 Period", period + " (Asia/Shanghai)")
        page.term("截至 As of", Self.civil(statement.asOf).iso8601)
        page.term("价目 Tariff", statement.tariff)
        page.add("</dl>")
        page.usage("平台 Platform", statement.byPlatform, statement.total)
        page.usage("作业终态 Final state", statement.byState, statement.total)
        page.table(["资源 Resource", "数量 Hours", "费用 Fee (CNY)"]) { page in
            for row in statement.byResource {
                page.row([row.resource, Self.hours(row.seconds), Fen(row.fee).yuanText])
            }
        }
        page.table(["应付 To pay", "CNY"]) { page in
            if statement.refunded != 0 {
                page.row(["退费 Refunded", Fen(-statement.refunded).yuanText])
            }
            page.row(["机时费 Gross fee", Fen(statement.gross).yuanText])
            for row in statement.subsidies {
                page.row(["补贴 Subsidy \(row.rule) \(row.year)", Fen(-row.granted).yuanText])
            }
            page.row(["净额 Net fee", Fen(statement.net).yuanText], isTotal: true)
        }
        for row in statement.subsidies { page.gauge(row) }
        if statement.verifiedJobs > 0 {
            page.note(
                "经验证的计算量 Verified work: \(Self.flop(statement.verifiedFlop)), "
                    + "\(statement.verifiedJobs) 个作业 jobs"
            )
        }
        page.note("账户余额 Balance of the account: \(Fen(statement.balance).yuanText) CNY")
        page.note("费用四舍五入到分,每个作业一次;跨月作业在月末拆分。 " + Self.roundingNote)
        if let head = statement.ledgerHead { page.note("账链 Ledger head: \(head)") }
        return page.text(title: "\(statement.account) \(statement.month ?? "")")
    }
}

/// Builds a page out of escaped pieces.
private struct HTMLPage {
    private var body = ""

    mutating func add(_ markup: String) {
        body += markup + "\n"
    }

    mutating func term(_ name: String, _ value: String) {
        add("<dt>\(escaped(name))</dt><dd>\(escaped(value))</dd>")
    }

    mutating func note(_ text: String) {
        add("<p class=\"note\">\(escaped(text))</p>")
    }

    mutating func table(_ header: [String], rows: (inout HTMLPage) -> Void) {
        add(
            "<table><thead><tr>" + header.map { "<th>\(escaped($0))</th>" }.joined()
                + "</tr></thead>"
        )
        rows(&self)
        add("</table>")
    }

    mutating func row(_ cells: [String], isTotal: Bool = false) {
        let markup = cells.map { "<td>\(escaped($0))</td>" }.joined()
        add("<tr\(isTotal ? " class=\"total\"" : "")>\(markup)</tr>")
    }

    mutating func usage(_ heading: String, _ rows: [BillRow], _ total: BillRow) {
        func cells(_ name: String, _ row: BillRow) -> [String] {
            [
                name, String(row.jobs), BillReport.hours(row.coreSeconds),
                BillReport.hours(row.cardSeconds), Fen(row.fee).yuanText,
            ]
        }
        table([heading, "作业 Jobs", "核时 Core-hours", "卡时 Card-hours", "费用 Fee (CNY)"]) { page in
            for row in rows {
                page.row(cells(row.title.isEmpty ? row.name : "\(row.name) \(row.title)", row))
            }
            page.row(cells("合计 Total", total), isTotal: true)
        }
    }

    mutating func gauge(_ row: BillSubsidy) {
        guard let cap = row.cap, let left = row.left, cap > 0 else { return }
        let perMille = Int(Int128(max(0, min(row.used, cap))) * 1_000 / Int128(cap))
        let words =
            "\(row.rule) \(row.year): 年度上限 cap \(Fen(cap).yuanText), 已用 used "
            + "\(Fen(row.used).yuanText), 剩余 left \(Fen(left).yuanText)"
        add(
            "<p>\(escaped(words))</p><div class=\"gauge\">"
                + "<i style=\"width:\(perMille / 10).\(perMille % 10)%\"></i></div>"
        )
    }

    func text(title: String) -> String {
        """
        <!DOCTYPE html>
        <html lang="zh"><head><meta charset="utf-8"><title>\(escaped(title))</title><style>
        body{font:14px/1.5 "Noto Sans","Noto Sans CJK SC",sans-serif;max-width:52em;margin:2em auto;color:#222}
        h1{font-size:1.5em}h1 span{font-weight:400;color:#666;font-size:.7em}
        dl{display:grid;grid-template-columns:max-content auto;gap:.1em 1.5em}dt{color:#666}dd{margin:0}
        table{border-collapse:collapse;width:100%;margin:1.2em 0}th{border-bottom:1px solid #222}
        th,td{padding:.25em .6em;text-align:right}th:first-child,td:first-child{text-align:left}
        tr.total td{border-top:1px solid #222;font-weight:600}.note{color:#666;margin:.2em 0}
        .gauge{height:.7em;background:#ddd}.gauge i{display:block;height:100%;background:#2a7}
        @media print{body{margin:0;max-width:none}.gauge,.gauge i{print-color-adjust:exact}}
        </style></head><body>
        \(body)</body></html>

        """
    }

    private func escaped(_ text: String) -> String { escapedForHTML(text) }
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
