import Quantities
public import WireFormats

/// The accounts of a centre as a table.
public enum AccountsReport {
    /// The table; ends with a newline.
    public static func text(_ list: AccountStandingList) -> String {
        var table = TextTable(
            header: [
                "Account", "Enterprise", "Owed (CNY)", "Reserved", "Vouchers", "Limit", "Available",
                "Budget",
            ],
            alignments: [.left, .left, .right, .right, .right, .right, .right, .left]
        )
        for row in list.accounts {
            table.add([
                row.account, row.enterprise ?? "", Fen(row.balance).yuanText,
                Fen(row.held).yuanText, Fen(row.vouchers).yuanText,
                row.creditLimit.map { Fen($0).yuanText } ?? "none",
                row.available.map { Fen($0).yuanText } ?? "any",
                row.budget.map { $0.alarm == "ok" ? budget($0) : "\(budget($0))  !" } ?? "none",
            ])
        }
        return table.lines.joined(separator: "\n")
            + "\nTariff \(list.tariff); subsidy rules \(list.rules.joined(separator: ", "))\n"
    }

    /// One account with all that is known of its money; ends with a newline.
    public static func text(_ row: AccountStanding) -> String {
        var lines = ["account    \(row.account)" + (row.title.isEmpty ? "" : ", \(row.title)")]
        if let enterprise = row.enterprise { lines.append("enterprise \(enterprise)") }
        let owed = Fen(row.balance < 0 ? -row.balance : row.balance).yuanText
        lines.append(row.balance < 0 ? "prepaid    \(owed) CNY" : "owes       \(owed) CNY")
        lines.append("reserved   \(Fen(row.held).yuanText) CNY by running jobs")
        lines.append("vouchers   \(Fen(row.vouchers).yuanText) CNY valid today")
        lines.append("limit      " + (row.creditLimit.map { "\(Fen($0).yuanText) CNY" } ?? "none"))
        lines.append("available  " + (row.available.map { "\(Fen($0).yuanText) CNY" } ?? "any"))
        guard let standing = row.budget else { return self.lines(lines + ["budget     none"]) }
        lines.append("budget     \(budget(standing)), warns from \(standing.warnPercent) %")
        lines.append("left       \(Fen(standing.left).yuanText) CNY")
        switch (standing.alarm, standing.endsOn) {
        case ("exhausted", _): lines.append("alarm      the budget is used up")
        case ("warning", let day):
            lines.append("alarm      near its end" + (day.map { ": \($0) at this pace" } ?? ""))
        case (_, let day?): lines.append("forecast   ends on \(day) at this pace")
        default: lines.append("forecast   lasts")
        }
        return self.lines(lines)
    }

    private static func lines(_ lines: [String]) -> String {
        lines.map { $0.printable + "\n" }.joined()
    }

    /// `84.1 % of 10,000.00 in 2026-11`.
    private static func budget(_ record: BudgetRecord) -> String {
        let spent = max(0, Int128(record.spent)) * 1_000 / Int128(max(1, record.amount))
        return "\(spent / 10).\(spent % 10) % of \(Fen(record.amount).yuanText) in \(record.span)"
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
