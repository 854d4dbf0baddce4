import Billing
import Determinism
import JobModel
import Quantities
import Testing

@Suite("Vouchers, storage and pools in the books")
struct BookMoneyTests {
    func day(_ text: String) -> BillingDay {
        guard let day = BillingDay(text) else { preconditionFailure(text) }
        return day
    }

    @Test("Vouchers pay what subsidies leave, the one that ends first before the others")
    func vouchersPayFirst() throws {
        var book = makeBook()
        let at = shanghai(2026, 1, 1)
        let late = Voucher(id: "a", account: "bohai", face: Fen(1_000))
        let soon = Voucher(id: "b", account: "bohai", face: Fen(100), until: day("2026-04-01"))
        let past = Voucher(id: "c", account: "bohai", face: Fen(9_999), until: day("2026-03-01"))
        for voucher in [late, soon, past] { #expect(try book.issue(voucher, at: at).count == 1) }
        #expect(try book.issue(late, at: shanghai(2026, 2, 2)).isEmpty)
        // 12 cores × 1 h × 0.10 CNY = 120 fen, of which TEDA pays 60; 40 h are 4,800 fen.
        let entries = book.settle(usage(1, seconds: 40 * 3_600))
        let paid = entries.compactMap { entry -> String? in
            guard case .redemption(let voucher, _, _) = entry.subject else { return nil }
            return "\(voucher) \(entry.postings[0].amount.count)"
        }
        #expect(paid == ["b 100", "a 1000"])
        let statement = try #require(book.statement(account: "bohai", asOf: at))
        #expect(statement.net == Fen(2_400))
        #expect(statement.vouchersUsed == Fen(1_100))
        #expect(statement.cash == Fen(1_300))
        #expect(book.ledger.balance(of: LedgerAccount(.receivable, "bohai")) == Fen(1_300))
        _ = try book.refund("charge/1.0/2026-03", at: shanghai(2026, 3, 9))
        #expect(book.vouchers(of: "bohai").map(\.left.count) == [9_999, 100, 1_000])
        #expect(book.ledger.balance(of: LedgerAccount(.receivable, "bohai")) == .zero)
        #expect(book.ledger.faults().isEmpty)
    }

    @Test("A voucher of a prepaid account is money to start with, while it is valid")
    func vouchersAreFunds() throws {
        var book = BillingBook(
            tariff: flatTariff,
            accounts: [BillingAccount(name: "p", creditLimit: .zero)],
            platforms: registry
        )
        let voucher = Voucher(
            id: "v",
            account: "p",
            face: Fen(500),
            from: day("2026-03-01"),
            until: day("2026-03-03")
        )
        _ = try book.issue(voucher, at: .epoch)
        let funds = ["2026-02-28", "2026-03-01", "2026-03-02", "2026-03-03"].map {
            book.fundsAvailable(to: "p", on: day($0))?.count
        }
        #expect(funds == [0, 500, 500, 0])
    }

    @Test("A day of storage is charged once; other bytes for the same day are refused")
    func storageDays() throws {
        var tariff = flatTariff
        tariff.storage = [
            StorageLine(
                microFen: 50_000_000,
                free: ByteCount(1_000_000_000_000),
                step: ByteCount(1_000_000_000_000)
            )
        ]
        var book = makeBook(tariff: tariff)
        var usage = StorageUsage(
            account: "bohai",
            platform: "tianhe",
            day: day("2026-03-31"),
            bytes: 3_000_000_000_001
        )
        // 2 TB and a byte beyond the free one count as 3, at half a yuan.
        let entries = try book.settle(usage, at: shanghai(2026, 4, 1))
        #expect(entries.map(\.id).first == "storage/bohai/tianhe/2026-03-31")
        #expect(entries[0].postings[0].amount == Fen(150))
        #expect(try book.settle(usage, at: shanghai(2026, 4, 2)).isEmpty)
        usage.bytes = 5
        #expect(throws: LedgerRefusal.idTaken("storage/bohai/tianhe/2026-03-31")) {
            try book.settle(usage, at: shanghai(2026, 4, 2))
        }
        let march = try #require(
            book.statement(account: "bohai", month: BillingMonth("2026-03"), asOf: .epoch)
        )
        #expect(march.storage?.fee == Fen(150))
        #expect(march.gross == Fen(150))
        // Given back, the day can be charged anew, as often as that is so.
        for number in 2...3 {
            let last = "storage/bohai/tianhe/2026-03-31" + (number == 2 ? "" : "/2")
            let refund = try book.refund(last, at: shanghai(2026, 4, 3))
            #expect(refund.first?.id == "reversal/\(last)")
            usage.bytes = Int64(number) * 1_000_000_000_000
            let again = try book.settle(usage, at: shanghai(2026, 4, 4))
            #expect(again.first?.id == "storage/bohai/tianhe/2026-03-31/\(number)")
            #expect(try book.settle(usage, at: shanghai(2026, 4, 5)).isEmpty)
        }
        usage.bytes = 7
        #expect(throws: LedgerRefusal.idTaken("storage/bohai/tianhe/2026-03-31/3")) {
            try book.settle(usage, at: shanghai(2026, 4, 6))
        }
        // 3 TB less the free one, of which TEDA pays half.
        #expect(book.ledger.balance(of: LedgerAccount(.receivable, "bohai")) == Fen(50))
        #expect(book.ledger.faults().isEmpty)
    }

    @Test("Quotes and statements name the year of the rule and its cap, whatever a year is")
    func yearsOfRules() throws {
        let bases: [(SubsidyRule.YearBasis, Int, Int)] = [
            (.calendar, 2026, 2026), (.fiscal(startMonth: 4), 2025, 2026),
            (.anniversary, 2025, 2026),
        ]
        for (basis, yearOfFebruary, yearOfJuly) in bases {
            var rule = SubsidyRule.tedaMachineHour
            rule.yearBasis = basis
            rule.caps.perEntityYear = Fen(100)
            var book = makeBook(rules: [rule])
            // The first claim, of which anniversaries are counted.
            _ = book.settle(usage(1, cores: 1, from: shanghai(2025, 6, 10)))
            _ = book.settle(usage(2, cores: 12, from: shanghai(2026, 2, 3)))
            let used: Int64 = yearOfFebruary == 2025 ? 65 : 60
            func row(_ quote: Quote) -> [Int64?] {
                quote.grants.flatMap {
                    [Int64($0.year), $0.amount.count, $0.cap?.count, $0.used.count]
                }
            }
            let next = usage(3, cores: 12, from: shanghai(2026, 2, 4))
            #expect(row(book.quote(next)) == [Int64(yearOfFebruary), 100 - used, 100, used])
            let later = usage(4, cores: 12, from: shanghai(2026, 7, 4))
            let usedInJuly: Int64 = yearOfJuly == yearOfFebruary ? used : 0
            #expect(
                row(book.quote(later))
                    == [Int64(yearOfJuly), min(60, 100 - usedInJuly), 100, usedInJuly]
            )
            let february = try #require(
                book.statement(account: "bohai", month: BillingMonth("2026-02"), asOf: .epoch)
            )
            #expect(february.subsidies.map(\.year) == [yearOfFebruary], "\(basis)")
            #expect(february.subsidies.first?.cap == Fen(100))
            #expect(february.subsidies.first?.left == Fen(100 - used), "\(basis)")
            let all = try #require(book.statement(account: "bohai", asOf: shanghai(2026, 2, 9)))
            #expect(Set(all.subsidies.map(\.year)) == [2025, yearOfFebruary], "\(basis)")
            #expect(all.subsidies.allSatisfy { $0.cap == Fen(100) })
        }
    }

    func rule(_ exhaustion: SubsidyRule.Pool.Exhaustion, _ pool: Int64) -> SubsidyRule {
        var rule = SubsidyRule.tedaMachineHour
        rule.pool = SubsidyRule.Pool(amount: Fen(pool), exhaustion: exhaustion)
        return rule
    }

    /// Runs over two years, settled in the order of their ends.
    func runs(_ random: inout SplitMix64) -> [JobUsage] {
        var start = shanghai(2026, 1, 1)
        return (1...40).map { number in
            start = start + SimDuration(seconds: Int64(random.draw(1...1_300_000)))
            return usage(
                UInt32(number),
                account: ["bohai", "bohai-cfd", "haihe", "nankai-lab"][random.draw(0...3)],
                cores: Int64(random.draw(1...50_000)),
                from: start,
                seconds: Int64(random.draw(1...1_000))
            )
        }
    }

    @Test(
        "A pool shared out at the end of its year gives what the evaluation gives",
        arguments: 0..<30
    )
    func proRata(seed: Int) throws {
        var random = SplitMix64(seed: UInt64(seed), stream: "pro rata")
        let rule = rule(.proRata, Int64(random.draw(1...9_000_000)))
        var book = makeBook(rules: [rule])
        let runs = runs(&random)
        for run in runs { _ = book.settle(run) }
        let refunded = "charge/7.0/\(BillingMonth(containing: runs[6].endedAt))"
        _ = try book.refund(refunded, at: runs[6].endedAt + SimDuration(seconds: 60))
        #expect(book.granted(to: "bohai", rule: rule.id, year: 2026) == 0)
        let close = shanghai(2030, 1, 2)
        #expect(throws: PoolRefusal.notOver(period: "2030")) {
            try book.closePool(ofRule: rule.id, period: "2030", at: close)
        }
        for year in 2026...2028 {
            _ = try book.closePool(ofRule: rule.id, period: String(year), at: close)
        }
        let evaluation = SubsidyEvaluation(rules: [rule], claims: book.claims())
        for row in evaluation.beneficiaries {
            let granted = book.granted(to: row.beneficiary, rule: rule.id, year: row.year)
            #expect(granted == row.granted, "seed \(seed) \(row)")
        }
        #expect(book.ledger.faults().isEmpty)
    }

    @Test(
        "Waiting lists and next periods in the books give what the evaluation gives",
        arguments: 0..<30,
        [SubsidyRule.Pool.Exhaustion.waitlist, .nextPeriod, .firstCome]
    )
    func waiting(seed: Int, exhaustion: SubsidyRule.Pool.Exhaustion) throws {
        var random = SplitMix64(seed: UInt64(seed), stream: "waiting")
        let rule = rule(exhaustion, Int64(random.draw(1...3_000_000)))
        var book = makeBook(rules: [rule])
        for (index, run) in runs(&random).enumerated() {
            _ = book.settle(run)
            // A refund on a later day than any claim so far keeps the order of the days.
            guard index % 9 == 8 else { continue }
            let id = "charge/\(run.id).0/\(BillingMonth(containing: run.startedAt ?? run.endedAt))"
            _ = try book.refund(id, at: run.endedAt)
        }
        let evaluation = SubsidyEvaluation(rules: [rule], claims: book.claims())
        var pools: [Int: Int128] = [:]
        for row in evaluation.beneficiaries {
            let granted = book.granted(to: row.beneficiary, rule: rule.id, year: row.year)
            pools[row.year, default: 0] += granted
            // Claims of one day are taken by id alone; the books take them as they come. What
            // the pool pays out together is the same.
            if exhaustion == .firstCome { #expect(granted >= 0) }
        }
        let total = evaluation.beneficiaries.reduce(Int128(0)) { $0 + $1.granted }
        #expect(pools.values.reduce(0, +) == total, "seed \(seed) \(exhaustion)")
        #expect(book.ledger.faults().isEmpty)
    }

    @Test("A statement of a year sums up the months, one of an enterprise its accounts")
    func yearsAndEnterprises() throws {
        var book = makeBook()
        for month in 1...12 {
            _ = book.settle(usage(UInt32(month), from: shanghai(2026, month, 2)))
            _ = book.settle(
                usage(UInt32(100 + month), account: "bohai-cfd", from: shanghai(2026, month, 3))
            )
        }
        _ = book.settle(usage(50, from: shanghai(2026, 12, 31, 23), seconds: 7_200))
        let asOf = shanghai(2027, 1, 2)
        func gross(_ holder: StatementHolder, _ period: BillingPeriod) throws -> Int64 {
            try #require(book.statement(of: holder, period: period, asOf: asOf)).gross.count
        }
        let months = try (1...12).map {
            try gross(.account("bohai"), .month(BillingMonth(year: 2026, month: $0)))
        }
        #expect(months.reduce(0, +) == 13 * 120)
        #expect(try gross(.account("bohai"), .year(2026)) == 13 * 120)
        #expect(try gross(.account("bohai"), .year(2027)) == 120)
        #expect(try gross(.enterprise("bohai"), .year(2026)) == 25 * 120)
        #expect(book.statement(of: .enterprise("nobody"), asOf: asOf) == nil)
        let year = try #require(
            book.statement(of: .enterprise("bohai"), period: .year(2026), asOf: asOf)
        )
        #expect(year.byAccount.map(\.name) == ["bohai", "bohai-cfd"])
        #expect(year.subsidy.count == 25 * 60)
        #expect(year.vat + year.grossWithoutVAT == year.gross)
    }

    @Test("What a run measured is shared out over its months like its fee, and adds up exactly")
    func measuredAcrossMonths() throws {
        var book = makeBook()
        // A quarter of the run is in November, the rest in December.
        var run = usage(1, cores: 10, from: shanghai(2026, 11, 30, 23), seconds: 4 * 3_600)
        run.verifiedFlop = 4_000_000_000_001
        run.energy = MeasuredEnergy(millijoules: 8_000, isEstimated: true)
        _ = book.settle(run)
        // A first run that was requeued, and paid for, measured nothing.
        var lost = usage(2, from: shanghai(2026, 11, 2), seconds: 3_600)
        lost.outcome = .requeuedByUser
        _ = book.settle(lost)
        // A job that measured nothing has no part in the price.
        _ = book.settle(usage(3, from: shanghai(2026, 12, 2)))
        func statement(_ period: BillingPeriod) throws -> Statement {
            try #require(
                book.statement(of: .account("bohai"), period: period, asOf: shanghai(2027, 1, 2))
            )
        }
        let november = try statement(.month(BillingMonth(year: 2026, month: 11)))
        let december = try statement(.month(BillingMonth(year: 2026, month: 12)))
        #expect(november.verifiedFlop == 1_000_000_000_000)
        #expect(december.verifiedFlop == 3_000_000_000_001)
        #expect((november.verifiedFee, december.verifiedFee) == (Fen(100), Fen(300)))
        #expect((november.energyMillijoules, december.energyMillijoules) == (2_000, 6_000))
        #expect((november.energyFee, december.energyFee) == (Fen(100), Fen(300)))
        #expect((november.verifiedJobCount, december.verifiedJobCount) == (1, 1))
        for whole in [try statement(.year(2026)), try statement(.all)] {
            #expect(whole.verifiedFlop == 4_000_000_000_001)
            #expect(whole.energyMillijoules == 8_000)
            #expect((whole.verifiedJobCount, whole.verifiedFee) == (1, Fen(400)))
        }
        let january = try statement(.month(BillingMonth(year: 2027, month: 1)))
        #expect((january.verifiedFlop, january.verifiedJobCount) == (0, 0))
    }
}
