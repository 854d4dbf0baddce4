import ArgumentParser
import Billing
import LiveRuntime
import Reporting

/// The ledger of a centre, out of its state folder.
struct LedgerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ledger",
        abstract: "List the double-entry ledger of a centre from its state folder.",
        discussion: """
            One row for each posting. The second column names entries as 'xinghe account refund' \
            wants them. No daemon is needed, and one that runs is not disturbed; 'xinghe audit' \
            proves that the stored ledger is this one.
            """
    )

    @OptionGroup var stored: StoredBook

    @OptionGroup var language: LanguageOption

    @Option(name: [.customShort("A"), .long], help: "Only what concerns this account.")
    var account: String?

    @Option(
        help: ArgumentHelp(
            "Only what was booked in this month of Asia/Shanghai.",
            valueName: "YYYY-MM"
        )
    )
    var month: String?

    @Flag(help: "Print CSV, with amounts in fen.")
    var csv = false

    func validate() throws {
        if let month, BillingMonth(month) == nil {
            throw ValidationError("--month: '\(month)' is no month; write it as 2026-11")
        }
    }

    func run() throws {
        let book = try stored.centre().book
        if let account, book.accounts[account] == nil {
            let known = book.accounts.keys.sorted().joined(separator: ", ")
            throw Refusal("account '\(account)' is not known; accounts: \(known)")
        }
        let report = LedgerReport(
            book.ledger,
            account: account,
            month: month.flatMap { BillingMonth($0) }
        )
        let text = csv ? report.csv : report.text(in: language.words)
        try StandardOutput.print(text, terminator: "", isData: csv)
    }
}
