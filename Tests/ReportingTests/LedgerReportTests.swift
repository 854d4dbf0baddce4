import Billing
import Quantities
import Reporting
import Testing
import WireFormats

@Suite("Ledger report")
struct LedgerReportTests {
    private func instant(_ month: Int, _ day: Int) -> SimInstant {
        CivilTime(year: 2026, month: month, day: day)
            .instant(offsetSeconds: CivilTime.shanghaiOffsetSeconds)
    }

    /// Two payments of different accounts and months, and a limit, which moves nothing.
    private func ledger() throws -> Ledger {
        var ledger = Ledger()
        for (account, month, amount) in [("a", 10, 150), ("b", 11, 7)] {
            let entry = LedgerEntry(
                id: "payment/\(account)",
                bookedAt: instant(month, 1),
                subject: .payment(account: account, reference: account),
                postings: [
                    Posting(
                        debit: LedgerAccount(.cash),
                        credit: LedgerAccount(.receivable, account),
                        amount: Fen(Int64(amount))
                    )
                ]
            )
            try ledger.post(entry)
        }
        try ledger.post(
            LedgerEntry(
                id: "credit-limit/a",
                bookedAt: instant(11, 2),
                subject: .creditLimit(account: "a", .zero),
                postings: []
            )
        )
        try ledger.post(ledger.reversal(of: "payment/a", at: instant(11, 3)))
        return ledger
    }

    @Test("Each posting is a row, with both its accounts")
    func csv() throws {
        #expect(
            LedgerReport(try ledger()).csv == """
                booked_at,entry,debit,credit,amount_fen
                2026-10-01T00:00:00,payment/a,cash:,receivable:a,150
                2026-11-01T00:00:00,payment/b,cash:,receivable:b,7
                2026-11-02T00:00:00,credit-limit/a,,,0
                2026-11-03T00:00:00,reversal/payment/a,receivable:a,cash:,150

                """
        )
    }

    @Test("An account sees what moves its money, also reversals; a month what was booked in it")
    func filters() throws {
        let ledger = try ledger()
        func entries(_ report: LedgerReport) -> [Substring] {
            report.csv.split(separator: "\n").dropFirst().map { $0.split(separator: ",")[1] }
        }
        #expect(
            entries(LedgerReport(ledger, account: "a")) == [
                "payment/a", "credit-limit/a", "reversal/payment/a",
            ]
        )
        let november = BillingMonth("2026-11")
        #expect(
            entries(LedgerReport(ledger, account: "a", month: november)) == [
                "credit-limit/a", "reversal/payment/a",
            ]
        )
        let text = LedgerReport(ledger, month: november).text()
        #expect(text.contains("Debits, and as much in credits"))
        #expect(text.hasSuffix("1.57\n"), "\(text)")
        #expect(
            LedgerReport(ledger, month: november).text(in: .chinese).hasPrefix(
                "记账时间（Asia/Shanghai）"
            )
        )
    }

    @Test("Each kind of entry has its own Chinese name")
    func kinds() {
        let names = LedgerEntry.Kind.allCases.map { $0.name(in: .chinese) }
        #expect(Set(names).count == LedgerEntry.Kind.allCases.count)
        #expect(names.allSatisfy { !$0.contains(where: \.isASCII) }, "\(names)")
    }
}
