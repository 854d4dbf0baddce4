import Billing
import Catalog
import ClusterModel
import Determinism
import JobModel
import Quantities
import Testing

@Suite("Statements")
struct StatementTests {
    /// Tiers, discounts, a least charge, storage, another tariff with another tax in between, late
    /// grants, refunds, vouchers and payments, over five months.
    private static func randomBook(seed: Int) throws -> BillingBook {
        var random = SplitMix64(seed: UInt64(seed), stream: "statement")
        var tariff = Tariff(
            id: "first",
            lines: [
                TariffLine(
                    platform: "tianhe",
                    resource: .coreHour,
                    tiers: [
                        PriceTier(upToHours: 50, price: HourlyPrice(microFen: 12_345_000)),
                        PriceTier(price: HourlyPrice(microFen: 7_999_000)),
                    ]
                ),
                TariffLine(platform: "tianjin-ai", resource: .cardHour, price: fenAnHour(601)),
                TariffLine(platform: "nebulae", resource: .nodeHour, price: fenAnHour(77)),
            ],
            qosFactors: ["premium": Factor(thousandths: 2_000)],
            classFactors: ["university": Factor(thousandths: 600)],
            minimumCharge: Fen(3)
        )
        tariff.storage = [StorageLine(microFen: 51_234_567, step: ByteCount(1_000_000_000))]
        var book = makeBook(tariff: tariff)
        let names = ["bohai", "bohai-cfd", "haihe", "nankai-lab", "stranger"]
        _ = try book.issue(
            Voucher(id: "v", account: "bohai", face: Fen(5_000)),
            at: shanghai(2026, 1, 1)
        )
        var now = shanghai(2026, 1, 12)
        for number in 1...60 {
            now = now + SimDuration(seconds: Int64(random.draw(1...4 * 86_400)))
            let account = names[random.draw(0...4)]
            var run = usage(
                UInt32(number),
                account: account,
                platform: ["tianhe", "tianjin-ai", "nebulae"][random.draw(0...2)],
                cores: Int64(random.draw(1...40)),
                cards: Int64(random.draw(0...3)),
                from: now - SimDuration(seconds: Int64(random.draw(0...9 * 86_400))),
                seconds: 0
            )
            run.endedAt = now
            if random.draw(0...3) == 0 { run.qos = "premium" }
            let entries = book.settle(run)
            switch random.draw(0...7) {
            case 0:
                let amount = Fen(Int64(random.draw(1...100_000)))
                _ = try book.pay(amount, from: account, reference: "\(number)", at: now)
            case 1: _ = try book.refund(entries[0].id, at: now + SimDuration(seconds: 86_400))
            case 2:
                let day = BillingDay(containing: now)
                let kept = Int64(random.draw(0...9_000)) * 1_000_000_007
                let usage = StorageUsage(
                    account: account,
                    platform: "storage",
                    day: day,
                    bytes: kept
                )
                _ = try book.settle(usage, at: now)
            case 3 where number == 40:
                tariff.id = "second"
                tariff.vatPPM = 90_000
                book.tariff = tariff
            default: break
            }
        }
        return book
    }

    @Test("Opening + net − vouchers − payments = closing, month after month", arguments: 0..<60)
    func balancesChain(seed: Int) throws {
        let book = try Self.randomBook(seed: seed)
        for name in ["bohai", "bohai-cfd", "haihe", "nankai-lab", "stranger"] {
            guard
                let all = book.statement(of: .account(name), asOf: shanghai(2027, 1, 1))
            else { continue }
            #expect(all.closing == book.ledger.balance(of: LedgerAccount(.receivable, name)))
            #expect(all.opening == .zero)
            var closing = Fen.zero
            for month in 1...12 {
                let statement = try #require(
                    book.statement(
                        of: .account(name),
                        period: .month(BillingMonth(year: 2026, month: month)),
                        asOf: shanghai(2027, 1, 1)
                    )
                )
                #expect(statement.opening == closing, "seed \(seed), \(name), month \(month)")
                closing = statement.closing
            }
            #expect(closing == all.closing, "seed \(seed), \(name)")
        }
    }

    @Test(
        "Lines add up to the fee and the tax; so do months, accounts and sums made at once",
        arguments: 0..<60
    )
    func partsAddUp(seed: Int) throws {
        let book = try Self.randomBook(seed: seed)
        let sums = book.statementSums()
        let asOf = shanghai(2027, 1, 1)
        func statement(_ holder: StatementHolder, _ period: BillingPeriod) throws -> Statement {
            let made = try #require(book.statement(of: holder, period: period, asOf: asOf))
            let again = book.statement(of: holder, period: period, asOf: asOf, from: sums)
            #expect(made == again, "seed \(seed)")
            return made
        }
        func total(_ parts: [Fen]) -> Fen { parts.reduce(into: .zero) { $0 += $1 } }
        let year = try statement(.enterprise("bohai"), .year(2026))
        let months = try (1...12).map {
            try statement(.enterprise("bohai"), .month(BillingMonth(year: 2026, month: $0)))
        }
        #expect(total(months.map(\.gross)) == year.gross, "seed \(seed)")
        #expect(total(months.map(\.vat)) == year.vat, "seed \(seed)")
        #expect(total(months.map(\.net)) == year.net, "seed \(seed)")
        for whole in months + [year] {
            #expect(total(whole.lines.map(\.amount)) == whole.gross, "seed \(seed)")
            #expect(total(whole.lines.map(\.vat)) == whole.vat, "seed \(seed)")
            #expect(total(whole.byAccount.compactMap(\.gross)) == whole.gross, "seed \(seed)")
            #expect(total(whole.byAccount.compactMap(\.vat)) == whole.vat, "seed \(seed)")
            for line in whole.lines {
                guard case .priced(let item) = line.kind else { continue }
                // By hand, from what is printed: four decimals × micro-fen, half up.
                let exact = Int128(line.quantityCount) * Int128(item.unitMicroFen)
                #expect(line.amount.count == Int64((exact + 5_000_000_000) / 10_000_000_000))
                // The tax of a line is within a fen of what it is alone.
                let alone = Int128(line.amount.count) * Int128(line.vatPPM)
                let own = Int64(alone / (1_000_000 + Int128(line.vatPPM)))
                #expect((own - 12...own + 12).contains(line.vat.count), "seed \(seed)")
            }
        }
    }

    @Test("The lines of a month are its tiers, discounts and factors, with the rest in one line")
    func linesOfAMonth() throws {
        var tariff = flatTariff
        tariff.lines[0].tiers = [
            PriceTier(upToHours: 100, price: fenAnHour(12)), PriceTier(price: fenAnHour(8)),
        ]
        tariff.classFactors = ["university": Factor(thousandths: 500)]
        tariff.qosFactors = ["premium": Factor(thousandths: 2_000)]
        var book = makeBook(tariff: tariff)
        // 12 cores for 10 h are 120 core-hours; premium doubles the second run's 36.
        _ = book.settle(usage(1, account: "nankai-lab", seconds: 36_000))
        var premium = usage(2, account: "nankai-lab", seconds: 10_800)
        premium.qos = "premium"
        _ = book.settle(premium)
        // 100 s of 12 cores are 0.3333 core-hours: 1.33 fen, charged as 1.
        _ = book.settle(usage(3, account: "nankai-lab", seconds: 100))
        let statement = try #require(book.statement(account: "nankai-lab", asOf: .epoch))
        let rows = statement.lines.map { line -> String in
            guard case .priced(let item) = line.kind else {
                return "\(line.kind) \(line.amount.count)"
            }
            return "\(item.tierFromHours) \(line.heldCount) \(line.quantityCount) "
                + "\(item.unitMicroFen) \(line.amount.count) \(line.discounted.count)"
        }
        #expect(
            rows == [
                "0 1000000 1000000 6000000 600 600",
                "100 203333 203333 4000000 81 82",
                "100 360000 720000 4000000 288 288",
            ]
        )
        #expect(statement.gross == Fen(969))
        #expect(statement.lines.reduce(into: Fen.zero) { $0 += $1.vat } == statement.vat)
    }

    @Test("A month is provisional until it is over and the runs that began in it have ended")
    func provisional() throws {
        var book = makeBook()
        var run = usage(1, from: shanghai(2026, 3, 31), seconds: 2 * 86_400)
        _ = book.hold(for: run, at: shanghai(2026, 3, 31))
        func isProvisional(_ asOf: SimInstant) throws -> Bool {
            try #require(
                book.statement(
                    of: .account("bohai"),
                    period: .month(BillingMonth(year: 2026, month: 3)),
                    asOf: asOf
                )
            ).isProvisional
        }
        #expect(try isProvisional(shanghai(2026, 3, 31, 23)))
        #expect(try isProvisional(shanghai(2026, 4, 1, 1)))
        run.endedAt = shanghai(2026, 4, 1, 2)
        _ = book.settle(run)
        #expect(try !isProvisional(shanghai(2026, 4, 1, 3)))
    }

    @Test(
        "Three lines of 1.00 CNY bear 0.17 of tax as 0.06, 0.06 and 0.05; March closes with 70.00"
    )
    func examplesOfThePage() throws {
        var tariff = flatTariff
        tariff.lines = ["tianhe", "nebulae", "host"].map {
            TariffLine(platform: $0, resource: .coreHour, price: fenAnHour(100))
        }
        var book = makeBook(tariff: tariff, rules: [])
        for (number, platform) in ["tianhe", "nebulae", "host"].enumerated() {
            _ = book.settle(usage(UInt32(number + 1), platform: platform, cores: 1))
        }
        let lines = try #require(book.statement(account: "bohai", asOf: .epoch)).lines
        #expect(lines.map(\.vat.count) == [6, 6, 5])

        var march = makeBook()
        _ = march.settle(usage(1, cores: 2_000))
        _ = try march.pay(Fen(3_000), from: "bohai", reference: "1", at: shanghai(2026, 3, 9))
        let month = BillingPeriod.month(BillingMonth(year: 2026, month: 3))
        let statement = try #require(
            march.statement(of: .account("bohai"), period: month, asOf: shanghai(2026, 4, 1))
        )
        #expect(statement.gross == Fen(20_000))
        #expect(statement.subsidy == Fen(10_000))
        #expect(statement.closing == Fen(7_000))
    }

    @Test(
        "A run that reports no energy is said to have its share of its nodes' power",
        arguments: [1, 2]
    )
    func energy(months: Int) throws {
        let machine = try MachineLibrary().machine(named: "tianhe-1a")
        var book = BillingBook(machine: machine, rules: [])
        #expect(book.issuer?.gridFactor?.milligrams == 536_600)
        var run = usage(1, account: "guest", from: shanghai(2026, 3, 1), seconds: 7_200)
        if months == 2 { run.startedAt = shanghai(2026, 3, 31, 23) }
        run.endedAt = (run.startedAt ?? .epoch) + SimDuration(seconds: 7_200)
        _ = book.settle(run)
        // A node of 12 cores draws 563 W.
        let modelled = try #require(book.statement(account: "guest", asOf: .epoch))
        #expect(modelled.modelledMillijoules == 563 * 7_200 * 1_000)
        #expect(modelled.energyMillijoules == 0)
        // One that reports it in its last month has that, and nothing else in the months before.
        run.id = JobID(2)
        run.energy = MeasuredEnergy(millijoules: 1_000, isEstimated: false)
        _ = book.settle(run)
        let both = try #require(book.statement(account: "guest", asOf: .epoch))
        #expect(both.modelledMillijoules == 563 * 7_200 * 1_000)
        #expect(both.energyMillijoules == 1_000)
    }

    @Test("Costs by user, project, platform and kernel add up to the fee")
    func groups() throws {
        var book = makeBook()
        for (number, project) in ["wing", "", "wing", "hull"].enumerated() {
            var run = usage(UInt32(number + 1), cores: Int64(10 + number))
            run.project = project
            run.kernel = number < 2 ? "cg" : "fft"
            run.user = number == 0 ? "wang" : "li"
            _ = book.settle(run)
        }
        let expected: [StatementGrouping: [String: Int64]] = [
            .user: ["wang": 100, "li": 360], .project: ["": 110, "wing": 220, "hull": 130],
            .platform: ["tianhe": 460], .kernel: ["cg": 210, "fft": 250],
        ]
        for (grouping, fees) in expected {
            let statement = try #require(
                book.statement(
                    of: .account("bohai"),
                    asOf: .epoch,
                    detail: StatementSums.Detail(grouping: grouping)
                )
            )
            let rows = statement.byGroup.map { ($0.name, $0.usage.fee.count) }
            #expect(Dictionary(uniqueKeysWithValues: rows) == fees, "\(grouping)")
        }
    }
}
