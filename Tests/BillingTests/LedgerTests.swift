import Determinism
import JobModel
import Quantities
import Testing

@testable import Billing

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
        #expect(ledger.faults().isEmpty)
    }

    @Test("Books in which something is wrong are told from true ones, fault by fault")
    func faults() throws {
        let entries = [payment("p", 70), payment("q", 5)]
        let cash = LedgerAccount(.cash)
        let hold = LedgerAccount(.hold, "bohai")
        let balances = [cash: Fen(75), receivable: Fen(-75)]
        func faults(_ change: (inout [LedgerAccount: Fen]) -> Void) -> [LedgerFault] {
            var balances = balances
            change(&balances)
            return Ledger.faults(of: entries, balances: balances)
        }
        #expect(faults { _ in }.isEmpty)
        #expect(
            faults { $0[cash] = Fen(76) } == [
                .balanceDiffers(cash, stated: Fen(76), computed: Fen(75)),
                .debitsDiffer(fromCreditsBy: Fen(1)),
            ]
        )
        #expect(
            faults { ($0[hold], $0[cash]) = (Fen(-1), Fen(76)) } == [
                .balanceDiffers(cash, stated: Fen(76), computed: Fen(75)),
                .balanceDiffers(hold, stated: Fen(-1), computed: .zero),
                .belowFloor(hold, balance: Fen(-1)),
            ]
        )
        #expect(
            Ledger.faults(of: entries + [payment("p", -1)], balances: balances).prefix(2) == [
                .idTwice("p"), .amountOutOfRange(entry: "p", Fen(-1)),
            ]
        )
    }

    @Test("A hold takes no more than there is, a release gives back what was held")
    func holds() throws {
        var book = BillingBook(
            tariff: flatTariff,
            accounts: [BillingAccount(name: "prepaid", creditLimit: .zero)],
            platforms: registry
        )
        let run = usage(1, account: "prepaid", cores: 10)
        _ = try book.pay(Fen(150), from: "prepaid", reference: "wire-1", at: .epoch)
        #expect(book.hold(for: run, at: .epoch).count == 1)
        #expect(book.ledger.fundsAvailable(to: "prepaid") == Fen(50))
        #expect(book.hold(for: run, at: .epoch).isEmpty)
        var shorter = run
        shorter.endedAt = shanghai(2026, 3, 1, 0, 30)
        #expect(book.settle(shorter).map(\.id) == ["charge/1.0/2026-03", "release/1.0"])
        #expect(book.ledger.balance(of: LedgerAccount(.hold, "prepaid")) == .zero)
        #expect(book.ledger.fundsAvailable(to: "prepaid") == Fen(100))
        #expect(book.ledger.faults().isEmpty)
    }

    @Test("A hold for which there is too little money takes what there is")
    func holdIsBounded() throws {
        var book = BillingBook(
            tariff: flatTariff,
            accounts: [BillingAccount(name: "prepaid", creditLimit: .zero)],
            platforms: registry
        )
        _ = try book.pay(Fen(60), from: "prepaid", reference: "wire-1", at: .epoch)
        #expect(book.hold(for: usage(1, account: "prepaid", cores: 10), at: .epoch).count == 1)
        #expect(book.ledger.balance(of: LedgerAccount(.hold, "prepaid")) == Fen(60))
        #expect(book.fundsAvailable(to: "prepaid", on: BillingDay(number: 0)) == .zero)
        #expect(book.hold(for: usage(2, account: "prepaid"), at: .epoch)[0].postings.isEmpty)
        #expect(book.ledger.faults().isEmpty)
    }

    @Test("The canonical text has one line and no two entries share it, odd characters included")
    func canonicalTextIsUnique() throws {
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
        _ = book.hold(for: run, at: .epoch)
        _ = book.settle(run)
        _ = try book.refund("charge/9.0/2026-03", at: shanghai(2026, 4, 2))
        #expect(book.ledger.entries.count == 7)
        let texts = book.ledger.entries.map(\.canonicalText)
        #expect(Set(texts).count == texts.count)
        for text in texts {
            #expect(!text.contains("\n"))
            #expect(text.hasPrefix("1\t"))
        }
        #expect(texts[0].contains("\tpayment\ta\\tb\\\\c\tx;y>z=1\\n"))
        #expect(texts.contains { $0.contains("\tgrant\tteda-machine-hour\t\\-\t") })
    }
}
