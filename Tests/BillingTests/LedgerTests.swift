import Billing
import Determinism
import JobModel
import Quantities
import Testing

@Suite("Ledger")
struct LedgerTests {
    let receivable = LedgerAccount(.receivable, "bohai")
    let revenue = LedgerAccount(.revenue, "tianhe")

    func payment(_ id: String, _ amount: Int64) -> LedgerEntry {
        LedgerEntry(
            id: id,
            bookedAt: .epoch,
            subject: .payment(account: "bohai", reference: id),
            postings: [
                Posting(debit: LedgerAccount(.cash), credit: receivable, amount: Fen(amount))
            ]
        )
    }

    @Test("A repeat of an entry changes nothing, another content under its id is refused")
    func idempotentByID() throws {
        var ledger = Ledger()
        #expect(try ledger.post(payment("p1", 100)) == .posted)
        let before = ledger
        #expect(try ledger.post(payment("p1", 100)) == .alreadyPosted)
        #expect(throws: LedgerRefusal.idTaken("p1")) { try ledger.post(payment("p1", 101)) }
        #expect(ledger == before)
    }

    @Test("Amounts out of range are refused", arguments: [0, -1, 1_000_000_000_000_001])
    func amountsOutOfRange(amount: Int64) {
        var ledger = Ledger()
        #expect(throws: LedgerRefusal.amountOutOfRange(Fen(amount))) {
            try ledger.post(payment("p", amount))
        }
        #expect(ledger.entries.isEmpty)
    }

    @Test("A reversal brings both balances back and cannot be reversed")
    func reversal() throws {
        var ledger = Ledger()
        try ledger.post(payment("p", 70))
        #expect(ledger.balance(of: receivable) == Fen(-70))
        try ledger.post(ledger.reversal(of: "p", at: .epoch))
        #expect(ledger.balance(of: receivable) == .zero)
        #expect(throws: LedgerRefusal.nothingToReverse("reversal/p")) {
            try ledger.reversal(of: "reversal/p", at: .epoch)
        }
        ledger.checkInvariants()
    }

    @Test("A hold needs funds, a release gives back no more than was held")
    func holds() throws {
        var book = BillingBook(
            tariff: flatTariff,
            accounts: [BillingAccount(name: "prepaid", creditLimit: .zero)],
            platforms: registry
        )
        let run = usage(1, account: "prepaid", cores: 10)
        #expect(
            throws: LedgerRefusal.fundsTooLow(
                account: "prepaid",
                needed: Fen(100),
                available: .zero
            )
        ) {
            try book.hold(for: run, at: .epoch)
        }
        _ = try book.pay(Fen(150), from: "prepaid", reference: "wire-1", at: .epoch)
        #expect(try book.hold(for: run, at: .epoch).count == 1)
        #expect(book.ledger.fundsAvailable(to: "prepaid") == Fen(50))
        #expect(try book.hold(for: run, at: .epoch).isEmpty)
        var shorter = run
        shorter.endedAt = shanghai(2026, 3, 1, 0, 30)
        #expect(book.settle(shorter).map(\.id) == ["charge/1.0/2026-03", "release/1.0"])
        #expect(book.ledger.balance(of: LedgerAccount(.hold, "prepaid")) == .zero)
        #expect(book.ledger.fundsAvailable(to: "prepaid") == Fen(100))
        book.ledger.checkInvariants()
    }

    @Test("The canonical text is read back to the same entry, odd characters included")
    func canonicalTextRoundTrips() throws {
        var book = BillingBook(
            tariff: flatTariff,
            accounts: [
                BillingAccount(name: "a\tb\\c", enterprise: "-", classes: ["enterprise"])
            ],
            platforms: registry
        )
        var run = usage(9, account: "a\tb\\c", cores: 24, cards: 2)
        run.user = ""
        run.verifiedFlop = 1_000_000_007
        _ = try book.pay(Fen(5), from: "a\tb\\c", reference: "x;y>z=1\n", at: .epoch)
        _ = try book.hold(for: run, at: .epoch)
        _ = book.settle(run)
        _ = try book.refund("charge/9.0/2026-03", at: shanghai(2026, 4, 2))
        #expect(book.ledger.entries.count == 7)
        for entry in book.ledger.entries {
            #expect(LedgerEntry(canonicalText: entry.canonicalText) == entry, "\(entry.id)")
            #expect(!entry.canonicalText.contains("\n"))
            #expect(LedgerEntry(canonicalText: entry.canonicalText + "\t") == nil)
            #expect(LedgerEntry(canonicalText: "2" + entry.canonicalText.dropFirst()) == nil)
        }
    }
}
