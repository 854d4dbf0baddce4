import Billing
import Determinism
import Quantities
import Testing

/// Pools that are shared out in proportion, in books that refund and close.
@Suite("Pro-rata pools in the books")
struct BookPoolTests {
    private func rule(
        _ pool: Int64,
        _ period: SubsidyRule.Pool.Period,
        clawback: SubsidyRule.Clawback = .onRefund
    ) -> SubsidyRule {
        var rule = SubsidyRule.tedaMachineHour
        rule.pool = SubsidyRule.Pool(amount: Fen(pool), period: period, exhaustion: .proRata)
        rule.clawback = clawback
        return rule
    }

    /// 150 fen, of which TEDA's rule would pay 75.
    private func run(_ number: UInt32, _ account: String, _ start: SimInstant) -> JobUsage {
        usage(number, account: account, cores: 15, from: start)
    }

    /// Bohai and Haihe with a run each in March, which share 60 fen.
    private func makeBook(_ rule: SubsidyRule) -> BillingBook {
        var book = BillingTests.makeBook(rules: [rule])
        _ = book.settle(run(1, "bohai", shanghai(2026, 3, 1)))
        _ = book.settle(run(2, "haihe", shanghai(2026, 3, 2)))
        return book
    }

    private func paid(_ book: BillingBook) -> Int64 {
        book.ledger.balance(of: LedgerAccount(.subsidyFund, "teda-machine-hour")).count
    }

    private func owed(_ book: BillingBook, _ account: String) -> Int64 {
        book.ledger.balance(of: LedgerAccount(.receivable, account)).count
    }

    @Test("A refund after the closing frees what its charge had, not what it was entitled to")
    func refundFreesWhatWasPaid() throws {
        var book = makeBook(rule(60, .total))
        let rule = "teda-machine-hour"
        _ = try book.closePool(ofRule: rule, period: "total", at: shanghai(2026, 4, 1))
        #expect([owed(book, "bohai"), owed(book, "haihe")] == [120, 120])
        _ = try book.refund("charge/1.0/2026-03", at: shanghai(2026, 4, 2))
        #expect([owed(book, "bohai"), paid(book)] == [0, 30])
        _ = book.settle(run(3, "haihe", shanghai(2026, 4, 3)))
        #expect([owed(book, "haihe"), paid(book)] == [240, 60])
        #expect(book.ledger.faults().isEmpty)
    }

    @Test(
        "A refund in another year counts in the year of its fee, whether that is closed or not",
        arguments: [true, false]
    )
    func refundInTheNextYear(closesFirst: Bool) throws {
        var book = makeBook(rule(60, .year))
        let rule = "teda-machine-hour"
        func close(_ year: Int) throws {
            let at = shanghai(year + 1, 1, 10)
            #expect(!(try book.closePool(ofRule: rule, period: "\(year)", at: at)).isEmpty)
        }
        if closesFirst { try close(2026) }
        _ = try book.refund("charge/1.0/2026-03", at: shanghai(2027, 1, 11))
        if !closesFirst { try close(2026) }
        // Alone Haihe gets the 60 of the pool; beside Bohai it got 30.
        let expected: Int64 = closesFirst ? 30 : 60
        #expect([owed(book, "bohai"), paid(book)] == [0, expected])
        try close(2027)
        #expect([owed(book, "bohai"), paid(book)] == [0, expected])
    }

    @Test("Under a rule that takes nothing back a refund after the closing takes nothing back")
    func noClawback() throws {
        var book = makeBook(rule(60, .year, clawback: .none))
        let rule = "teda-machine-hour"
        _ = try book.closePool(ofRule: rule, period: "2026", at: shanghai(2027, 1, 10))
        _ = try book.refund("charge/1.0/2026-03", at: shanghai(2027, 1, 11))
        #expect([owed(book, "bohai"), paid(book)] == [-30, 60])
    }

    @Test("Closing a period again changes nothing; one before a closed one cannot be closed")
    func closingTwice() throws {
        var book = makeBook(rule(60, .year))
        let rule = "teda-machine-hour"
        let at = shanghai(2028, 1, 10)
        #expect(try book.closePool(ofRule: rule, period: "2026", at: at).count == 3)
        let before = book.ledger
        #expect(try book.closePool(ofRule: rule, period: "2026", at: at).isEmpty)
        #expect(book.ledger == before)
        #expect(throws: PoolRefusal.laterClosed(period: "2025")) {
            try book.closePool(ofRule: rule, period: "2025", at: at)
        }
    }

    @Test("What was carried over is not paid again out of the period that it came from")
    func carriedOnce() throws {
        var rule = rule(100, .year)
        rule.pool?.carriesOver = true
        var book = makeBook(rule)
        _ = try book.refund("charge/2.0/2026-03", at: shanghai(2026, 4, 1))
        // 75 of 100 are granted for 2026; 25 go into 2027, of whose 125 75 are granted.
        _ = book.settle(run(3, "haihe", shanghai(2027, 3, 1)))
        for year in [2026, 2027] {
            _ = try book.closePool(
                ofRule: rule.id,
                period: "\(year)",
                at: shanghai(year + 1, 1, 10)
            )
        }
        #expect(paid(book) == 150)
        _ = book.settle(run(4, "haihe", shanghai(2026, 5, 1)))
        #expect(paid(book) == 150)
        _ = book.settle(run(5, "haihe", shanghai(2027, 5, 1)))
        #expect(paid(book) == 200)
    }

    @Test(
        "A period never pays more than its pool, and a refund after its closing takes all back",
        arguments: 0..<15,
        SubsidyRule.Pool.Period.allCases
    )
    func neverAbovePool(seed: Int, period: SubsidyRule.Pool.Period) throws {
        var random = SplitMix64(seed: UInt64(seed), stream: "pool")
        let rule = rule(Int64(random.draw(1...4_000)), period)
        var book = BillingTests.makeBook(rules: [rule])
        func name(_ month: BillingMonth) -> String {
            switch period {
            case .year: "\(month.year)"
            case .quarter: "\(month.year)-Q\((month.month + 2) / 3)"
            case .total: "total"
            }
        }
        var months: [String: BillingMonth] = [:]
        var closed: Set<String> = []
        var refundedAfterClosing: [String] = []
        func granted(_ charge: String) -> Int64 {
            book.ledger.entries.reduce(0) { sum, entry in
                guard case .grant(let grant) = entry.subject, grant.claim == charge else {
                    return sum
                }
                return sum + grant.amount.count
            }
        }
        for number in 1...36 {
            let month = BillingMonth(year: 2026 + (number - 1) / 12, month: (number - 1) % 12 + 1)
            for index in 0..<random.draw(0...3) {
                // Some charges are settled months after the usage.
                let late = random.draw(0...4) == 0 ? max(1, number - random.draw(1...9)) : number
                let past = BillingMonth(year: 2026 + (late - 1) / 12, month: (late - 1) % 12 + 1)
                let id = UInt32(10 * number + index)
                _ = book.settle(
                    usage(
                        id,
                        account: ["bohai", "bohai-cfd", "haihe", "nankai-lab"][random.draw(0...3)],
                        cores: Int64(random.draw(1...200)),
                        from: shanghai(past.year, past.month, random.draw(1...28))
                    )
                )
                months["charge/\(id).0/\(past)"] = past
            }
            let at = month.end + SimDuration(seconds: 60)
            if random.draw(0...1) == 0, let charge = months.keys.sorted().randomElement(&random) {
                let isNew = book.ledger.entry("reversal/\(charge)") == nil
                _ = try book.refund(charge, at: at)
                if isNew, let month = months[charge], closed.contains(name(month)) {
                    refundedAfterClosing.append(charge)
                }
            }
            if period == .total ? number == 20 : name(month) != name(month.next) {
                _ = try book.closePool(ofRule: rule.id, period: name(month), at: at)
                closed.insert(name(month))
            }
            var paid: [String: Int64] = [:]
            for (charge, month) in months { paid[name(month), default: 0] += granted(charge) }
            for (period, sum) in paid {
                #expect((0...4_000).contains(sum), "seed \(seed) \(period)")
                #expect(sum <= rule.pool?.amount.count ?? 0, "seed \(seed) \(period)")
            }
        }
        for charge in refundedAfterClosing {
            #expect(granted(charge) == 0, "seed \(seed) \(charge)")
        }
        #expect(book.ledger.faults().isEmpty, "seed \(seed)")
    }

    // MARK: Vouchers

    @Test("A grant that comes after a voucher has paid gives the voucher its money back")
    func voucherIsRefilled() throws {
        var book = BillingTests.makeBook(rules: [rule(60, .year)])
        let at = shanghai(2026, 1, 1)
        let end = BillingDay(containing: shanghai(2026, 12, 1))
        // The first two pay 150 together; the one that ends first is used first, and stays used.
        for voucher in [
            Voucher(id: "soon", account: "bohai", face: Fen(140), until: end),
            Voucher(id: "late", account: "bohai", face: Fen(1_000)),
            Voucher(id: "small", account: "haihe", face: Fen(50)),
        ] { _ = try book.issue(voucher, at: at) }
        _ = book.settle(run(1, "bohai", shanghai(2026, 3, 1)))
        _ = book.settle(run(2, "haihe", shanghai(2026, 3, 2)))
        #expect([owed(book, "bohai"), owed(book, "haihe")] == [0, 100])
        let close = shanghai(2027, 1, 10)
        let ids = try book.closePool(ofRule: "teda-machine-hour", period: "2026", at: close).map(
            \.id
        )
        let share = "share/teda-machine-hour/charge/1.0/2026-03/core-hour"
        #expect(
            ids.filter { $0.hasPrefix("refill") } == [
                "refill/late/\(share)", "refill/soon/\(share)",
            ]
        )
        // Haihe's voucher paid less than what the subsidy leaves.
        #expect([owed(book, "bohai"), owed(book, "haihe")] == [0, 70])
        #expect(book.vouchers(of: "bohai").map(\.left.count) == [20, 1_000])
        #expect(book.vouchers(of: "haihe").map(\.left.count) == [0])
        func statement(_ period: String) throws -> Statement {
            let period = try #require(BillingPeriod(period))
            return try #require(
                book.statement(of: .account("bohai"), period: period, asOf: close)
            )
        }
        #expect(try statement("2026").vouchersUsed == Fen(150))
        let january = try statement("2027-01")
        #expect(january.subsidy == Fen(30))
        #expect(january.vouchersUsed == Fen(-30))
        #expect(january.cash == .zero)
        _ = try book.refund("charge/1.0/2026-03", at: close)
        #expect(book.vouchers(of: "bohai").map(\.left.count) == [140, 1_000])
        #expect(owed(book, "bohai") == 0)
        #expect(try statement("2027-01").vouchersUsed == Fen(-150))
        #expect(book.ledger.faults().isEmpty)
    }

    @Test("A waiting claim that is served later gives its voucher back too")
    func servedClaimRefillsVoucher() throws {
        var rule = rule(75, .year)
        rule.pool?.exhaustion = .waitlist
        var book = BillingTests.makeBook(rules: [rule])
        _ = try book.issue(Voucher(id: "v", account: "haihe", face: Fen(200)), at: .epoch)
        _ = book.settle(run(1, "bohai", shanghai(2026, 3, 1)))
        _ = book.settle(run(2, "haihe", shanghai(2026, 3, 2)))
        #expect(book.vouchers(of: "haihe")[0].left == Fen(50))
        _ = try book.refund("charge/1.0/2026-03", at: shanghai(2026, 4, 1))
        #expect(book.vouchers(of: "haihe")[0].left == Fen(125))
        #expect([owed(book, "haihe"), paid(book)] == [0, 75])
    }
}

extension Array {
    fileprivate func randomElement(_ random: inout SplitMix64) -> Element? {
        isEmpty ? nil : self[random.draw(0...count - 1)]
    }
}
