import Billing
import Catalog
import Determinism
import JobModel
import Quantities
import Testing

@Suite("Forecast")
struct ForecastTests {
    let tenants = [
        Tenant(
            user: "1",
            account: "bohai",
            enterprise: "bohai",
            classes: ["enterprise"],
            platform: "tianhe"
        ),
        Tenant(
            user: "2",
            account: "haihe",
            enterprise: "haihe",
            classes: ["enterprise"],
            platform: "tianjin-ai"
        ),
        Tenant(
            user: "3",
            account: "nankai-lab",
            enterprise: "nankai",
            classes: ["university"],
            platform: "tianhe"
        ),
    ]

    @Test("A forecast of jobs is what the books say of the same jobs", arguments: 0..<20)
    func forecastIsTheBooks(seed: Int) throws {
        var random = SplitMix64(seed: UInt64(seed), stream: "forecast")
        var forecast = Forecast(
            tenants: tenants,
            tariff: flatTariff,
            keyPlatforms: ["tianhe", "tianjin-ai"]
        )
        var book = makeBook()
        var starts = (0..<200).map { _ in Int64(random.below(330 * 86_400)) }.sorted()
        starts[0] = 0
        for (number, offset) in starts.enumerated() {
            let tenant = tenants[random.draw(0...2)]
            let start = shanghai(2026, 1, 1) + SimDuration(seconds: offset)
            let isCards = tenant.platform == "tianjin-ai"
            let count = Int64(random.draw(1...(isCards ? 400 : 40_000)))
            let duration = SimDuration(microseconds: Int64(random.below(400_000_000_000)))
            forecast.add(
                job: UInt32(number),
                user: Int32(tenant.user) ?? -1,
                processors: count,
                start: start,
                duration: duration
            )
            var run = usage(
                UInt32(number),
                account: tenant.account,
                platform: tenant.platform,
                cores: isCards ? 0 : count,
                cards: isCards ? count : 0,
                from: start
            )
            run.endedAt = start + duration
            _ = book.settle(run)
        }
        let outlook = forecast.outlook(of: .tedaMachineHour)
        let granted = ["bohai", "haihe"].reduce(Int128(0)) { sum, enterprise in
            sum + book.granted(to: enterprise, rule: "teda-machine-hour", year: 2026)
        }
        let revenue = ["tianhe", "tianjin-ai"].reduce(Int128(0)) { sum, platform in
            sum + Int128(book.ledger.balance(of: LedgerAccount(.revenue, platform)).count)
        }
        #expect(forecast.jobCount == 200)
        #expect(forecast.totalFee == revenue, "seed \(seed)")
        #expect(outlook.total == granted, "seed \(seed)")
        #expect(outlook.months.reduce(0) { $0 + $1.fee } == revenue, "seed \(seed)")
        #expect(outlook.sizes.reduce(0) { $0 + $1.granted } == granted, "seed \(seed)")
    }

    @Test("The cap, the pool and strangers are named")
    func capsPoolsAndStrangers() {
        var forecast = Forecast(tenants: tenants, tariff: flatTariff, keyPlatforms: ["tianhe"])
        for day in 1...10 {
            forecast.add(
                job: UInt32(day),
                user: 1,
                processors: 600_000,
                start: shanghai(2026, 5, day),
                duration: SimDuration(seconds: 10 * 3_600)
            )
        }
        forecast.add(
            job: 11,
            user: 99,
            processors: 1,
            start: shanghai(2026, 5, 2),
            duration: SimDuration(seconds: 1)
        )
        forecast.add(
            job: 12,
            user: 1,
            processors: .max / 2,
            start: shanghai(2026, 5, 2),
            duration: SimDuration(seconds: 1_000_000_000)
        )
        #expect(forecast.strangerCount == 1)
        #expect(forecast.absurdCount == 1)
        let teda = forecast.outlook(of: .tedaMachineHour)
        // 600,000 CNY a day: the 4,000,000 of the knee are passed on the seventh day.
        #expect(teda.capsReached.map(\.day) == [BillingDay("2026-05-07")])
        #expect(teda.total == 200_000_000)
        var pooled = SubsidyRule.tedaMachineHour
        pooled.caps.perEntityYear = nil
        pooled.pool = .init(amount: Fen(100_000_000))
        #expect(forecast.outlook(of: pooled).poolExhaustedOn == BillingDay("2026-05-04"))
        pooled.pool?.exhaustion = .proRata
        #expect(forecast.outlook(of: pooled).total == 100_000_000)
    }

    @Test(
        "A bad tenants file is refused with line and field",
        arguments: [
            (",a,e,enterprise,tianhe", "t.csv:3: field user: is missing"),
            (
                "*,a,e,enterprise,tianhe\n*,a,e,enterprise,tianhe",
                "t.csv:4: field user: user '* of a'"
            ),
            ("1,a,e,enterprise,tianhe", "t.csv:3: field user: user '1' is defined already"),
            ("2,a,e,firm,tianhe", "t.csv:3: field class: 'firm' is not known here"),
            ("2,a,e,enterprise", "t.csv:3: says 5 columns"),
            ("2,,e,enterprise,tianhe", "t.csv:3: field account: is missing"),
        ]
    )
    func badTenants(line: String, message: String) throws {
        let head = "user,account,enterprise,class,platform\n1,a,,university,tianhe\n"
        let tenants = try TenantsReader.tenants(text: head, file: "t.csv")
        #expect(tenants.count == 1 && tenants[0].enterprise == nil)
        let refusal = #expect(throws: FileRefusal.self) {
            try TenantsReader.tenants(text: head + line + "\n", file: "t.csv")
        }
        let found = refusal?.description ?? ""
        #expect(found.hasPrefix(message), "\(found)")
    }

    @Test("The shipped prices price every platform of the registry that is shipped for tianjin")
    func shippedPrices() throws {
        let tariff = try TariffReader.shipped()
        var forecast = Forecast(tenants: tenants, tariff: tariff, keyPlatforms: [])
        for user in 1...3 {
            forecast.add(
                job: UInt32(user),
                user: Int32(user),
                processors: 10,
                start: shanghai(2026, 5, 1),
                duration: SimDuration(seconds: 3_600)
            )
        }
        #expect(forecast.totalFee == 100 + 6_000 + 100)
    }
}
