import Quantities
public import WireFormats

/// The accounts of a centre as a table.
public enum AccountsReport {
    /// The table; ends with a newline.
    public static func text(_ list: AccountStandingList) -> String {
        var table = TextTable(
            header: [
                "Account", "Enterprise", "Owed (CNY)", "Reserved", "Vouchers", "Limit", "Available",
            ],
            alignments: [.left, .left, .right, .right, .right, .right, .right]
        )
        for row in list.accounts {
            table.add([
                row.account, row.enterprise ?? "", Fen(row.balance).yuanText,
                Fen(row.held).yuanText, Fen(row.vouchers).yuanText,
                row.creditLimit.map { Fen($0).yuanText } ?? "none",
                row.available.map { Fen($0).yuanText } ?? "any",
            ])
        }
        return table.lines.joined(separator: "\n")
            + "\nTariff \(list.tariff); subsidy rules \(list.rules.joined(separator: ", "))\n"
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
