import Billing
import Determinism
import Quantities
import Testing

@Suite("Vouchers over stretches of usage")
struct VoucherStretchTests {
    private func redemptions(_ book: BillingBook) -> [String: Int64] {
        var sums: [String: Int64] = [:]
        for entry in book.ledger.entries {
            guard case .redemption(let voucher, _, _) = entry.subject else { continue }
            let posting = entry.postings[0]
            let sign: Int64 = posting.debit.kind == .voucherFund ? 1 : -1
            sums[voucher, default: 0] += sign * posting.amount.count
        }
        return sums
    }

    private func issue(
        _ id: String,
        _ face: Int64,
        _ from: String? = nil,
        _ until: String? = nil,
        in book: inout BillingBook
    ) throws {
        let voucher = Voucher(
            id: id,
            account: "bohai",
            face: Fen(face),
            from: from.flatMap { BillingDay($0) },
            until: until.flatMap { BillingDay($0) }
        )
        _ = try book.issue(voucher, at: .epoch)
    }

    @Test("Each stretch is paid by the vouchers of its days")
    func stretches() throws {
        var book = makeBook(rules: [])
        try issue("ends", 10_000, nil, "2026-12-06", in: &book)
        try issue("next", 10_000, "2026-12-06", "2026-12-07", in: &book)
        // 22:00 to 02:00 of the day after next: 2 h, 24 h and 2 h of 2 cores at 10 fen.
        _ = book.settle(usage(1, cores: 2, from: shanghai(2026, 12, 5, 22), seconds: 28 * 3_600))
        #expect(redemptions(book) == ["ends": 40, "next": 480])
        #expect(book.ledger.balance(of: LedgerAccount(.receivable, "bohai")) == Fen(40))
    }

    @Test("A refund and a later grant give back what vouchers paid", arguments: 0..<100)
    func randomStretches(seed: Int) throws {
        var random = SplitMix64(seed: UInt64(seed), stream: "stretch")
        var rule = SubsidyRule.tedaMachineHour
        rule.pool = SubsidyRule.Pool(
            amount: Fen(Int64(random.draw(1...20_000))),
            exhaustion: .proRata
        )
        var book = makeBook(rules: [rule])
        for number in 0..<4 {
            let first = random.draw(1...20)
            try issue(
                "v\(number)",
                Int64(random.draw(1...5_000)),
                "2026-03-\(first < 10 ? "0" : "")\(first)",
                "2026-03-\(random.draw(21...30))",
                in: &book
            )
        }
        for number in 1...6 {
            let run = usage(
                UInt32(number),
                cores: Int64(random.draw(1...40)),
                from: shanghai(2026, 3, random.draw(1...28), random.draw(0...23)),
                seconds: Int64(random.draw(1...400_000))
            )
            _ = book.settle(run)
        }
        _ = try book.closePool(ofRule: rule.id, period: "2026", at: shanghai(2027, 1, 2))
        let vouchers = book.vouchers(of: "bohai")
        let used = redemptions(book)
        for (voucher, left) in vouchers {
            #expect(left.count + (used[voucher.id] ?? 0) == voucher.face.count, "seed \(seed)")
            #expect(left >= .zero, "seed \(seed)")
        }
        #expect(
            book.ledger.balance(of: LedgerAccount(.receivable, "bohai")) >= .zero,
            "seed \(seed)"
        )
        for entry in book.ledger.entries where entry.id.hasPrefix("charge/") {
            _ = try book.refund(entry.id, at: shanghai(2027, 2, 1))
        }
        #expect(
            book.vouchers(of: "bohai").allSatisfy { $0.left == $0.voucher.face },
            "seed \(seed)"
        )
        #expect(
            book.ledger.balance(of: LedgerAccount(.receivable, "bohai")) == .zero,
            "seed \(seed)"
        )
        #expect(book.ledger.faults().isEmpty, "seed \(seed)")
    }
}
