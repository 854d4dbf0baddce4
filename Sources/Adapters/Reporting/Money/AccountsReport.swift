import Quantities
public import WireFormats

/// The accounts of a centre as a table.
public enum AccountsReport {
    /// The table; ends with a newline.
    public static func text(
        _ list: AccountStandingList,
        in words: MessageLanguage
    ) -> String {
        var table = TextTable(
            header: [
                words("账户", "Account"), words("企业", "Enterprise"), words("欠费（元）", "Owed (CNY)"),
                words("预占", "Reserved"), words("算力券", "Vouchers"), words("信用额度", "Limit"),
                words("可用", "Available"), words("预算", "Budget"),
            ],
            alignments: [.left, .left, .right, .right, .right, .right, .right, .left]
        )
        for row in list.accounts {
            table.add([
                row.account, row.enterprise ?? "", Fen(row.balance).yuanText,
                Fen(row.held).yuanText, Fen(row.vouchers).yuanText,
                row.creditLimit.map { Fen($0).yuanText }
                    ?? words("不限", "none"),
                row.available.map { Fen($0).yuanText } ?? words("不限", "any"),
                row.budget.map { budget($0, words) + ($0.alarm == "ok" ? "" : "  !") }
                    ?? words("无", "none"),
            ])
        }
        return table.lines.joined(separator: "\n")
            + words("\n价目表 \(list.tariff)；补贴细则 ", "\nTariff \(list.tariff); subsidy rules ")
            + list.rules.joined(separator: ", ") + "\n"
    }

    /// One account with all that is known of its money; ends with a newline.
    public static func text(_ row: AccountStanding, in words: MessageLanguage) -> String {
        var lines: [String] = []
        func add(_ chinese: String, _ english: String, _ text: String) {
            let name = words(chinese, english)
            lines.append(
                name + String(repeating: " ", count: max(1, 11 - displayWidth(name))) + text
            )
        }
        func yuan(_ fen: Int64) -> String { Fen(fen).yuanText + words(" 元", " CNY") }
        add("账户", "account", row.account + (row.title.isEmpty ? "" : words("，", ", ") + row.title))
        if let enterprise = row.enterprise { add("企业", "enterprise", enterprise) }
        if row.balance < 0 {
            add("预付", "prepaid", yuan(-row.balance))
        } else {
            add("欠费", "owes", yuan(row.balance))
        }
        add("预占", "reserved", yuan(row.held) + words("（运行中的作业）", " by running jobs"))
        add("算力券", "vouchers", yuan(row.vouchers) + words("（今日有效）", " valid today"))
        add("信用额度", "limit", row.creditLimit.map(yuan) ?? words("不限", "none"))
        add("可用", "available", row.available.map(yuan) ?? words("不限", "any"))
        guard let standing = row.budget else {
            add("预算", "budget", words("无", "none"))
            return self.lines(lines)
        }
        let warning = standing.warnPercent
        add(
            "预算",
            "budget",
            budget(standing, words) + words("，达到 \(warning) % 时提醒", ", warns from \(warning) %")
        )
        add("余额", "left", yuan(standing.left))
        switch (standing.alarm, standing.endsOn) {
        case ("exhausted", _): add("警告", "alarm", words("预算已用完", "the budget is used up"))
        case ("warning", let day):
            let pace = day.map { words("：照此 \($0) 用完", ": \($0) at this pace") } ?? ""
            add("警告", "alarm", words("预算将尽", "near its end") + pace)
        case (_, let day?):
            add("预计", "forecast", words("照此 \(day) 用完", "ends on \(day) at this pace"))
        default: add("预计", "forecast", words("够用", "lasts"))
        }
        return self.lines(lines)
    }

    private static func lines(_ lines: [String]) -> String {
        lines.map { $0.printable + "\n" }.joined()
    }

    /// `84.1 % of 10,000.00 in 2026-11`.
    private static func budget(_ record: BudgetRecord, _ words: MessageLanguage) -> String {
        let spent = max(0, Int128(record.spent)) * 1_000 / Int128(max(1, record.amount))
        let share = "\(spent / 10).\(spent % 10) %"
        let amount = Fen(record.amount).yuanText
        return words(
            "\(record.span) 的 \(amount) 已用 \(share)",
            "\(share) of \(amount) in \(record.span)"
        )
    }
}

/// Accounts side by side, as an export was billed.
public enum IngestReport {
    /// A list of the statements; ends with a newline.
    public static func json(_ bills: [BillStatement]) -> String {
        JSONValue.array(bills.map(\.json)).prettyText + "\n"
    }

    /// The rows of all statements under one header.
    public static func csv(_ bills: [BillStatement], in words: ReportLanguage) -> String {
        BillReport.csv(bills.map { BillReport($0) }, in: words)
    }

    /// One line an account, and their sum; ends with a newline.
    public static func text(_ bills: [BillStatement]) -> String {
        var table = TextTable(
            header: [
                "Account", "Enterprise", "Jobs", "Core-hours", "Card-hours", "Gross (CNY)",
                "Subsidy (CNY)", "Net (CNY)",
            ],
            alignments: [.left, .left, .right, .right, .right, .right, .right, .right]
        )
        func add(_ name: String, _ enterprise: String, _ bills: [BillStatement]) {
            func sum(_ value: (BillStatement) -> Int64) -> Int64 {
                bills.reduce(0) { $0 + value($1) }
            }
            table.add([
                name, enterprise, String(bills.reduce(0) { $0 + $1.total.jobs }),
                BillReport.hours(sum { $0.total.coreSeconds }),
                BillReport.hours(sum { $0.total.cardSeconds }), Fen(sum { $0.gross }).yuanText,
                Fen(sum { $0.subsidy }).yuanText, Fen(sum { $0.net }).yuanText,
            ])
        }
        for bill in bills { add(bill.account, bill.enterprise ?? "", [bill]) }
        table.addRule()
        add("Total", "", bills)
        return table.lines.joined(separator: "\n") + "\n"
    }
}
