public import Billing
import Quantities

/// Letters to enterprises that rules would grant more than they were granted: the policy finds the
/// enterprise (政策找企业).
public struct UnclaimedLetters: Sendable {
    /// A letter.
    public struct Letter: Sendable {
        /// To whom.
        public var enterprise: String
        /// As plain text; ends with a newline.
        public var text: String
        /// As a part of a page.
        var html: String
    }

    /// One letter an enterprise, by name.
    public let letters: [Letter]
    private let words: ReportLanguage

    /// Makes letters.
    ///
    /// - Parameters:
    ///   - rules: those that the rows speak of.
    ///   - date: the day on which the books were read.
    public init(
        _ rows: [BillingBook.Unclaimed],
        rules: [SubsidyRule],
        date: BillingDay,
        in language: ReportLanguage
    ) {
        words = language
        let languages: [ReportLanguage] = language == .both ? [.chinese, .english] : [language]
        let byEnterprise = Dictionary(grouping: rows, by: \.enterprise)
        letters = byEnterprise.sorted { $0.key < $1.key }.map { enterprise, rows in
            let bodies = languages.map { LetterBody(enterprise, rows, rules, date, $0) }
            return Letter(
                enterprise: enterprise,
                text: bodies.map(\.text).joined(separator: "\n"),
                html: bodies.map(\.html).joined(separator: "\n")
            )
        }
    }

    /// All letters, a form feed between them.
    public var text: String { letters.map(\.text).joined(separator: "\u{0C}\n") }

    /// All letters as one page to print, each on a sheet of its own.
    public var html: String { page(letters) }

    /// One letter as a page.
    public func html(of letter: Letter) -> String { page([letter]) }

    private func page(_ letters: [Letter]) -> String {
        let title = words("补贴告知书", "Notice of subsidies")
        let sheets = letters.map { "<section>\($0.html)</section>" }.joined(separator: "\n")
        return """
            <!DOCTYPE html>
            <html lang="\(words == .english ? "en" : "zh-CN")"><head><meta charset="utf-8">
            <meta name="viewport" content="width=device-width">
            <title>\(title)</title><style>
            @page{size:A4;margin:2cm}
            body{font:14px/1.7 "Noto Serif","Noto Serif CJK SC","Source Han Serif SC",serif;max-width:48em;margin:2em auto;padding:0 1em;color:#222}
            section{break-after:page}table{border-collapse:collapse;width:100%}
            th,td{border:1px solid #999;padding:.2em .5em;text-align:right}th:first-child,td:first-child{text-align:left}
            </style></head><body>
            \(sheets)
            </body></html>

            """
    }
}

/// One letter in one language.
private struct LetterBody {
    private var lines: [String] = []
    private(set) var html = ""
    private let words: ReportLanguage

    var text: String { lines.joined(separator: "\n") + "\n" }

    init(
        _ enterprise: String,
        _ rows: [BillingBook.Unclaimed],
        _ rules: [SubsidyRule],
        _ date: BillingDay,
        _ language: ReportLanguage
    ) {
        words = language
        let total = rows.reduce(Int128(0)) { $0 + $1.entitled - $1.granted }
        heading(words("算力补贴告知书", "Notice of computing subsidies"))
        paragraph(words("\(enterprise)：", "To \(enterprise):"))
        paragraph(
            words(
                "经核对贵单位在本中心的账目，下列政策可给予贵单位的补贴尚有 \(yuan(total)) 元未获得。",
                "by the books of this centre you could have \(yuan(total)) CNY more of the subsidies below."
            )
        )
        table(rows)
        for rule in rules where rows.contains(where: { $0.rule == rule.id }) { explain(rule) }
        paragraph(
            words(
                "以上金额按截至 \(date) 的账目计算，以主管部门审核结果为准。申领所需的费用明细可向本中心索取。",
                "The amounts are computed from the books as of \(date); the office that grants them decides."
                    + " This centre gives you the list of fees that a claim needs."
            )
        )
    }

    private mutating func heading(_ text: String) {
        lines += [text, ""]
        html += "<h1>\(escapedForHTML(text))</h1>\n"
    }

    private mutating func paragraph(_ text: String) {
        lines += [text, ""]
        html += "<p>\(escapedForHTML(text))</p>\n"
    }

    private mutating func table(_ rows: [BillingBook.Unclaimed]) {
        let header = [
            words("政策", "Rule"), words("年度", "Year"), words("符合条件的费用（元）", "Eligible fees (CNY)"),
            words("应得（元）", "Entitled (CNY)"), words("已得（元）", "Granted (CNY)"),
            words("尚可申领（元）", "Open (CNY)"),
        ]
        var table = TextTable(
            header: header,
            alignments: [.left, .right, .right, .right, .right, .right]
        )
        html += "<table><tr>" + header.map { "<th>\(escapedForHTML($0))</th>" }.joined() + "</tr>\n"
        for row in rows {
            let cells = [
                row.rule, String(row.year), yuan(row.fee), yuan(row.entitled), yuan(row.granted),
                yuan(row.entitled - row.granted),
            ]
            table.add(cells)
            html += "<tr>" + cells.map { "<td>\(escapedForHTML($0))</td>" }.joined() + "</tr>\n"
        }
        lines += table.lines + [""]
        html += "</table>\n"
    }

    /// What the rule is, and what a claim needs.
    private mutating func explain(_ rule: SubsidyRule) {
        let stop = words("。", ". ")
        var text = "\(rule.id)\(words("：", ": "))\(rule.title)"
        if !rule.authority.name.isEmpty {
            text += words("（\(rule.authority.name)）", " (\(rule.authority.name))")
        }
        text += stop
        if let ppm = rule.rate.grantedPPM ?? rule.rate.ppm {
            let share = NumberText.percent(ppm: ppm)
            text += words("补贴比例 \(share)", "It pays \(share) of the fee") + stop
        }
        if let cap = rule.caps.perEntityYear?.yuanText {
            text += words("年度上限 \(cap) 元", "At most \(cap) CNY a year") + stop
        }
        if let days = rule.procedure.claimWindowDays {
            text +=
                words(
                    "须在费用发生后 \(days) 日内申报",
                    "Claims are handed in within \(days) days of the fee"
                ) + stop
        }
        let needed = (rule.who.mustHave + rule.procedure.evidence)
            .joined(separator: words("、", ", "))
        if !needed.isEmpty { text += words("所需材料：\(needed)", "Needed: \(needed)") + stop }
        if !rule.authority.legalReference.isEmpty {
            let reference = rule.authority.legalReference
            text += words("依据：\(reference)", "Legal basis: \(reference)") + stop
        }
        while text.hasSuffix(" ") { text.removeLast() }
        paragraph(text)
    }
}
