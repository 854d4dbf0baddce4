import Billing
import Glibc
import Quantities
import Reporting
import WireFormats

/// All statements of a period in a folder, one file each, and `summary.csv` with a line for each.
struct StatementFolder {
    /// Where they go; made when it is not there.
    var path: String
    var format: BillCommand.Format
    var words: ReportLanguage
    var listsCharges = false
    var hasByteOrderMark = false

    /// Writes the statements of each month of `period`: one for every account for which the month
    /// moved anything, or that had a balance.
    ///
    /// - Parameter head: the end of the ledger's hash chain.
    /// - Returns: how many were written.
    func write(
        _ book: BillingBook,
        _ period: BillingPeriod,
        asOf: SimInstant,
        ledgerHead head: String
    ) throws -> Int {
        guard mkdir(path, 0o777) == 0 || errno == EEXIST else {
            throw Refusal("\(path): cannot be made: \(String(cString: strerror(errno)))")
        }
        let detail = StatementSums.Detail(listsCharges: listsCharges)
        let sums = book.statementSums(detail: detail)
        var summary = CSVText(
            header: [
                "number", "account", "title", "period", "provisional", "gross_fen", "subsidy_fen",
                "net_fen", "vat_fen", "vouchers_used_fen", "cash_fen", "opening_fen",
                "payments_fen", "closing_fen", "file",
            ],
            hasByteOrderMark: hasByteOrderMark
        )
        var count = 0
        let last = BillingMonth(containing: asOf)
        for month in period.months(from: sums.firstMonth ?? last, through: last) {
            for account in sums.accountNames {
                let statement = book.statement(
                    of: .account(account),
                    period: .month(month),
                    asOf: asOf,
                    detail: detail,
                    from: sums
                )
                guard let statement, statement.isWorthSending else { continue }
                let bill = BillStatement(statement, ledgerHead: head)
                let file = try write(bill)
                summary.add(row(bill, file, words))
                count += 1
            }
        }
        try OutputFile.write(summary.text, to: "\(path)/summary.csv")
        return count
    }

    private func write(_ bill: BillStatement) throws -> String {
        let report = BillReport(bill)
        let text =
            listsCharges && format == .csv
            ? report.chargesCSV(hasByteOrderMark: hasByteOrderMark)
            : try format.text(of: report, in: words, hasByteOrderMark: hasByteOrderMark)
        let file = "\(bill.period)-\(BillCommand.encoded(bill.account)).\(format.fileExtension)"
        try OutputFile.write(text, to: "\(path)/\(file)")
        return file
    }

    private func row(_ bill: BillStatement, _ file: String, _ words: ReportLanguage) -> [CSVCell] {
        [
            .text(bill.number), .text(bill.account), .text(bill.title), .literal(bill.period),
            .literal(bill.isProvisional ? "yes" : "no"), .number(bill.gross),
            .number(bill.subsidy), .number(bill.net), .number(bill.vat),
            .number(bill.vouchersUsed), .number(bill.cash), .number(bill.opening),
            .number(bill.paid), .number(bill.closing), .text(file),
        ]
    }
}

extension Statement {
    /// Whether anything happened in the period, or something is owed by either side.
    fileprivate var isWorthSending: Bool {
        total.jobCount > 0 || !lines.isEmpty || subsidy != .zero || vouchersUsed != .zero
            || paid != .zero || opening != .zero
    }
}

extension BillingPeriod {
    /// Its months up to the one in which `last` lies; of all time those since `first`.
    fileprivate func months(from first: BillingMonth, through last: BillingMonth) -> [BillingMonth]
    {
        var months: [BillingMonth] = []
        var month = first
        while month <= last {
            if contains(month) { months.append(month) }
            month = month.next
        }
        return months
    }
}
