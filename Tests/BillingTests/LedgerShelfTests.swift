import Determinism
import JobModel
import Quantities
import Synchronization
import Testing
import WireFormats

@testable import Billing

/// A shelf in memory, which reads a few at once and keeps what the ledger stores: the canonical texts.
private final class TestShelf: LedgerShelf {
    private struct Lines {
        var texts: [String] = []
        var places: [String: Int] = [:]
    }

    private let lines = Mutex(Lines())

    var failure: String? { nil }

    func put(_ entries: [LedgerEntry]) {
        lines.withLock { lines in
            for entry in entries {
                lines.places[entry.id] = lines.texts.count
                lines.texts.append(entry.canonicalText)
            }
        }
    }

    func entries(from place: Int, upTo end: Int) -> [LedgerEntry] {
        lines.withLock { lines in
            lines.texts[place..<min(end, place + 37)].compactMap { LedgerEntry(canonicalText: $0) }
        }
    }

    func entry(_ id: String, before end: Int) -> (place: Int, entry: LedgerEntry)? {
        lines.withLock { lines in
            guard let place = lines.places[id], place < end else { return nil }
            return LedgerEntry(canonicalText: lines.texts[place]).map { (place, $0) }
        }
    }
}

/// A year of a centre's books, drawn.
private struct BookYear {
    var random: SplitMix64
    var book: BillingBook
    var now = shanghai(2026, 1, 1)
    private var nextJob: UInt32 = 1
    private var held: [JobUsage] = []
    /// What was charged, to be refunded.
    private var charged: [String] = []

    init(seed: UInt64) {
        random = SplitMix64(seed: seed, stream: "shelf")
        var tariff = flatTariff
        tariff.storage = [StorageLine(microFen: 50_000_000)]
        var pooled = SubsidyRule.tedaMachineHour
        pooled.pool = SubsidyRule.Pool(
            amount: Fen(4_000),
            period: .total,
            exhaustion: seed % 2 == 0 ? .waitlist : .proRata
        )
        let prepaid = BillingAccount(
            name: "prepaid\t-",
            enterprise: "haihe",
            classes: ["enterprise"],
            creditLimit: Fen(90_000)
        )
        book = BillingBook(
            tariff: tariff,
            rules: [seed % 3 == 0 ? .tedaMachineHour : pooled],
            accounts: customers + [prepaid],
            platforms: registry
        )
    }

    /// What one thing gives that somebody does, or why it is refused.
    struct Outcome: Equatable {
        var entries: [LedgerEntry] = []
        var refusal: LedgerRefusal?
    }

    mutating func act() -> Outcome {
        now = now + SimDuration(seconds: Int64(random.draw(60...40_000)))
        let account = ["bohai", "haihe", "nankai-lab", "prepaid\t-"][random.draw(0...3)]
        var outcome = Outcome()
        do throws(LedgerRefusal) {
            outcome.entries = try entries(random.draw(0...19), account)
        } catch {
            outcome.refusal = error
        }
        for entry in outcome.entries {
            switch entry.subject {
            case .charge, .storage: charged.append(entry.id)
            default: break
            }
        }
        return outcome
    }

    private mutating func entries(
        _ kind: Int,
        _ account: String
    ) throws(LedgerRefusal) -> [LedgerEntry] {
        let amount = Fen(Int64(random.draw(1...3_000)))
        switch kind {
        case 0:
            return try book.pay(
                amount,
                from: account,
                reference: "p\(random.draw(0...99))",
                at: now
            )
        case 1, 4:
            // Of all times.
            guard !charged.isEmpty else { return [] }
            return try book.refund(charged[random.draw(0...(charged.count - 1))], at: now)
        case 2:
            let number = random.draw(0...40)
            return try book.issue(
                Voucher(id: "v\(number)", account: account, face: Fen(Int64(100 + number))),
                at: now
            )
        case 3:
            let day = BillingDay(
                number: BillingDay(containing: now).number - Int64(random.draw(0...60))
            )
            return try book.settle(
                StorageUsage(
                    account: account,
                    platform: "tianhe",
                    day: day,
                    bytes: Int64(random.draw(1...2)) * 10_000_000_000
                ),
                at: now
            )
        case 5:
            let budget = Budget(amount: amount, span: .quarter, warnPercent: 70)
            return try book.setBudget(
                random.draw(0...3) == 0 ? nil : budget,
                of: account,
                reference: "\(account)/\(book.ledger.entries.count)",
                at: now
            )
        case 6..<12:
            var run = usage(nextJob, account: account, from: now)
            run.user = ["li", "", "-"][random.draw(0...2)]
            run.project = ["", "窗口\\"][random.draw(0...1)]
            run.verifiedFlop = random.draw(0...1) == 0 ? nil : 77
            run.energy =
                random.draw(0...2) == 0 ? MeasuredEnergy(millijoules: 5, isEstimated: true) : nil
            nextJob += 1
            held.append(run)
            return book.hold(for: run, at: now)
        default:
            guard !held.isEmpty else { return [] }
            // Some run for so long that their holds are put away meanwhile.
            let place = random.draw(0...9) == 0 ? 0 : random.draw(0...(held.count - 1))
            var run = held.remove(at: place)
            run.endedAt = max(now, run.endedAt)
            return book.settle(run) + book.settle(run)
        }
    }
}

@Suite("Entries of a ledger that lie elsewhere")
struct LedgerShelfTests {
    @Test(
        "A book whose earlier entries lie on a shelf does what one does that has all in memory",
        arguments: 0..<6
    )
    func booksAreAlike(seed: Int) throws {
        var plain = BookYear(seed: UInt64(seed))
        var shelved = plain
        let shelf = TestShelf()
        for step in 0..<2_600 {
            let expected = plain.act()
            let outcome = shelved.act()
            try #require(outcome == expected, "seed \(seed), step \(step)")
            shelf.put(outcome.entries)
            if step % 5 == 0 { shelved.book.putAwayEntries(onto: shelf) }
        }
        let ledger = shelved.book.ledger
        #expect(
            ledger.shelvedCount >= 2 * BookedEntries.step && plain.book.ledger.shelvedCount == 0
        )
        let isAlike = ledger == plain.book.ledger
        #expect(isAlike, "seed \(seed)")
        #expect(ledger.faults() == plain.book.ledger.faults() && ledger.faults().isEmpty)
        for account in plain.book.accounts.keys {
            let statement = shelved.book.statement(account: account, asOf: plain.now)
            let isAlike = statement == plain.book.statement(account: account, asOf: plain.now)
            #expect(isAlike, "seed \(seed), \(account)")
        }
        let areClaimsAlike = shelved.book.bookedClaims() == plain.book.bookedClaims()
        #expect(areClaimsAlike, "seed \(seed)")
        // From both sides and anywhere.
        let count = ledger.entries.count
        for place in [0, 1, ledger.shelvedCount - 1, ledger.shelvedCount, count - 1] {
            #expect(ledger.entries[place] == plain.book.ledger.entries[place])
        }

        // An image says the same of both, and goes on with the shelf.
        let image = try ValueImage.bytes(of: shelved.book)
        #expect(image == (try ValueImage.bytes(of: plain.book)), "seed \(seed)")
        shelved.book = try ValueImage.value(BillingBook.self, from: image)
        shelved.book.lookForEntries(on: shelf)
        for step in 0..<400 {
            let expected = plain.act()
            let outcome = shelved.act()
            try #require(outcome == expected, "seed \(seed), step \(step) after the image")
            shelf.put(outcome.entries)
        }
        let all = shelf.entries(from: 0, upTo: 1)
        #expect(all == [plain.book.ledger.entries[0]])
        var back = shelved.book
        back.takeBack(Array(shelved.book.ledger.entries.prefix(shelved.book.ledger.shelvedCount)))
        let isBack = back.ledger.shelvedCount == 0 && back.ledger == plain.book.ledger
        #expect(isBack, "seed \(seed)")
    }

    @Test("Each entry is read back from its canonical text", arguments: 0..<6)
    func readBack(seed: Int) throws {
        var year = BookYear(seed: UInt64(seed))
        var kinds: Set<LedgerEntry.Kind> = []
        for _ in 0..<700 {
            for entry in year.act().entries {
                kinds.insert(entry.subject.kind)
                try #require(LedgerEntry(canonicalText: entry.canonicalText) == entry)
            }
        }
        #expect(kinds.count >= 9, "\(kinds)")
        let others: [LedgerEntry.Subject] = [
            .creditLimit(account: "a", nil), .creditLimit(account: "-", Fen(-5)),
            .poolClosing(rule: "r\n", period: "2026-Q2"), .reversal(of: "\\-"),
            // Marks that would join what stands before them.
            .payment(account: "\u{301}a", reference: "\u{FE0F}r"),
        ]
        for subject in others {
            let fund = LedgerAccount(.voucherFund, "\u{301}x")
            let entry = LedgerEntry(
                id: "x",
                bookedAt: .epoch,
                subject: subject,
                postings: [
                    Posting(debit: fund, credit: LedgerAccount(.receivable, "a"), amount: Fen(1))
                ]
            )
            #expect(LedgerEntry(canonicalText: entry.canonicalText) == entry)
        }
    }

    @Test("What is no canonical text is read as none, whatever was changed in it", arguments: 0..<4)
    func mutations(seed: Int) {
        var year = BookYear(seed: UInt64(seed))
        var random = SplitMix64(seed: UInt64(seed), stream: "mutations")
        var texts: [String] = []
        for _ in 0..<120 { texts += year.act().entries.map(\.canonicalText) }
        for text in texts {
            for _ in 0..<20 {
                var bytes = Array(text.utf8)
                switch random.draw(0...2) {
                case 0: bytes.removeLast(random.draw(1...bytes.count))
                case 1: bytes[random.draw(0...(bytes.count - 1))] = UInt8(random.draw(0...127))
                default:
                    let place = random.draw(0...(bytes.count - 1))
                    bytes.insert(contentsOf: Array("\t9223372036854775808".utf8), at: place)
                }
                let changed = String(decoding: bytes, as: UTF8.self)
                guard let entry = LedgerEntry(canonicalText: changed) else { continue }
                // Signs and zeros in front of a number say nothing else.
                #expect(LedgerEntry(canonicalText: entry.canonicalText) == entry, "\(changed)")
            }
        }
    }
}
