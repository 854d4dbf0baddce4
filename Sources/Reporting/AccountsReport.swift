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
