import Quantities
import WireFormats

/// The language of a printed statement.
public enum ReportLanguage: String, Hashable, Sendable, CaseIterable {
    /// Chinese.
    case chinese = "zh"
    /// English.
    case english = "en"
    /// Both, side by side.
    case both

    /// The words of this language.
    func callAsFunction(_ chinese: String, _ english: String) -> String {
        switch self {
        case .chinese: chinese
        case .english: english
        case .both: "\(chinese) \(english)"
        }
    }
}

extension BillReport {
    /// The statement as one self-contained page to print, in Chinese and English.
    public var html: String { html(in: .both) }

    /// The statement as one self-contained page to print.
    public func html(in words: ReportLanguage) -> String {
        var page = HTMLPage(words: words)
        page.add("<h1>\(words("机时账单", "Statement of account"))</h1><dl>")
        addHead(to: &page, words)
        page.add("</dl>")
        if isOfEnterprise {
            addUsage(words("账户", "Account"), statement.byAccount, to: &page, words)
        }
        addUsage(words("平台", "Platform"), statement.byPlatform, to: &page, words)
        addUsage(words("作业终态", "Final state"), statement.byState, to: &page, words) {
            words.state($0.name)
        }
        addResources(to: &page, words)
        addMoney(to: &page, words)
        for row in statement.subsidies {
            guard let (text, perMille) = capNote(row, words) else { continue }
            page.gauge(text, perMille)
        }
        for note in notes(in: words) { page.note(note) }
        return page.text(title: "\(statement.account) \(statement.period)")
    }

    private func addHead(to page: inout HTMLPage, _ words: ReportLanguage) {
        let period = statement.period == "all" ? words("全部", "all months") : statement.period
        let holder = isOfEnterprise ? words("企业", "Enterprise") : words("账户", "Account")
        page.term(holder, statement.account)
        if !statement.title.isEmpty { page.term(words("户名", "Name"), statement.title) }
        if isOfEnterprise {
            page.term(words("账户", "Accounts"), statement.accounts.joined(separator: ", "))
        } else if let enterprise = statement.enterprise {
            page.term(words("企业", "Enterprise"), enterprise)
        }
        page.term(words("账期", "Period"), period + " (Asia/Shanghai)")
        page.term(words("截至", "As of"), Self.civil(statement.asOf).iso8601)
        page.term(words("价目", "Tariff"), statement.tariff)
    }

    private func addUsage(
        _ heading: String,
        _ rows: [BillRow],
        to page: inout HTMLPage,
        _ words: ReportLanguage,
        name: ((BillRow) -> String)? = nil
    ) {
        func cells(_ name: String, _ row: BillRow) -> [String] {
            [
                name, String(row.jobs), Self.hours(row.coreSeconds), Self.hours(row.cardSeconds),
                Fen(row.fee).yuanText,
            ]
        }
        let header = [
            heading, words("作业", "Jobs"), words("核时", "Core-hours"), words("卡时", "Card-hours"),
            words("费用(元)", "Fee (CNY)"),
        ]
        page.table(header) { page in
            for row in rows { page.row(cells(name?(row) ?? label(of: row), row)) }
            page.row(cells(words("合计", "Total"), statement.total), isTotal: true)
        }
    }

    private func addResources(to page: inout HTMLPage, _ words: ReportLanguage) {
        let header = [
            words("资源", "Resource"), words("数量", "Quantity"), words("费用(元)", "Fee (CNY)"),
        ]
        page.table(header) { page in
            for row in statement.byResource {
                page.row([
                    words.resource(row.resource), Self.hours(row.seconds), Fen(row.fee).yuanText,
                ])
            }
            if let storage = statement.storage {
                page.row([
                    words.resource("storage-tb-day"), Self.thousandths(storage.milliTBDays),
                    Fen(storage.fee).yuanText,
                ])
            }
        }
    }

    private func addMoney(to page: inout HTMLPage, _ words: ReportLanguage) {
        page.table([words("应付", "To pay"), "CNY"]) { page in
            for row in moneyRows(in: words) {
                page.row([row.name, Fen(row.amount).yuanText], isTotal: row.isTotal)
            }
        }
    }
}

/// Builds a page out of escaped pieces.
private struct HTMLPage {
    let words: ReportLanguage
    private var body = ""

    init(words: ReportLanguage) {
        self.words = words
    }

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

    mutating func gauge(_ text: String, _ perMille: Int) {
        add(
            "<p>\(escaped(text))</p><div class=\"gauge\">"
                + "<i style=\"width:\(perMille / 10).\(perMille % 10)%\"></i></div>"
        )
    }

    func text(title: String) -> String {
        """
        <!DOCTYPE html>
        <html lang="\(words == .english ? "en" : "zh")"><head><meta charset="utf-8"><title>\(escaped(title))</title><style>
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
