import Billing
import Catalog
import Determinism
import Quantities
import Testing

@Suite("Corners of subsidies")
struct SubsidyCornerTests {
    private func grants(_ rules: [SubsidyRule], _ claims: [SubsidyClaim]) -> [[Int64]] {
        SubsidyEvaluation(rules: rules, claims: claims).decisions.map { $0.map(\.granted.count) }
    }

    private func refund(_ id: String, of original: String, fee: Int64, on day: String)
        -> SubsidyClaim
    {
        var refund = claim(id, fee: -fee, on: day)
        refund.refundOf = original
        return refund
    }

    @Test("A refund that takes nothing back makes no later grant negative")
    func noClawback() {
        var rule = SubsidyRule.tedaMachineHour
        rule.clawback = .none
        let claims = [
            claim("a", fee: 100, on: "2026-01-01"),
            refund("b", of: "a", fee: 100, on: "2026-01-02"),
            claim("c", fee: 10, on: "2026-01-03"), claim("d", fee: 100, on: "2026-01-04"),
        ]
        // 50 stay granted, so the 55 of the later fees bring only 5.
        #expect(grants([rule], claims) == [[50, 0, 0, 5]])
    }

    @Test("A fee that others have paid in full earns nothing, and lends nothing to another fee")
    func shareOfEachFee() {
        var first = SubsidyRule.tedaMachineHour
        first.id = "a"
        first.rate = SubsidyRule.Rate(ppm: 1_000_000)
        first.what.platforms = ["tianhe"]
        var second = SubsidyRule.tedaMachineHour
        second.id = "b"
        second.rate = SubsidyRule.Rate(ppm: 600_000)
        let claims = [
            claim("x", fee: 1_000, on: "2026-01-01"),
            claim("y", fee: 1_000, on: "2026-01-02", platform: "tianjin-ai"),
        ]
        #expect(grants([first, second], claims) == [[1_000, 0], [0, 600]])
    }

    @Test("What a first-come pool could not serve is lost: no later claim brings it")
    func firstComeForgets() {
        var rule = SubsidyRule.tedaMachineHour
        rule.pool = SubsidyRule.Pool(amount: Fen(100), period: .quarter)
        let quarters = [
            claim("a", fee: 2_000, on: "2026-02-01"), claim("b", fee: 2, on: "2026-05-01"),
            claim("c", fee: 200, on: "2026-05-02", enterprise: "haihe"),
        ]
        #expect(grants([rule], quarters) == [[100, 1, 99]])
        // Nor does money that a refund frees in the same year.
        rule.pool = SubsidyRule.Pool(amount: Fen(150))
        let year = [
            claim("a", fee: 200, on: "2026-02-01", enterprise: "haihe"),
            claim("b", fee: 400, on: "2026-02-02"), claim("d", fee: 2, on: "2026-02-04"),
        ]
        var back = refund("c", of: "a", fee: 200, on: "2026-02-03")
        back.enterprise = "haihe"
        let last = refund("e", of: "b", fee: 400, on: "2026-02-05")
        #expect(grants([rule], year + [back, last]) == [[100, 50, 1, -100, -50]])
    }

    @Test("A refund leaves what the fees that remain would have had alone")
    func refundsOfBoundedLines() {
        var rule = SubsidyRule.tedaMachineHour
        rule.rate = SubsidyRule.Rate(ppm: nil, tiers: [.init(ppm: 500_000)])
        rule.caps.perLine = Fen(10)
        let claims = [
            claim("a", fee: 100, on: "2026-01-01"), claim("b", fee: 100, on: "2026-01-02"),
        ]
        let back = [
            refund("c", of: "b", fee: 100, on: "2026-01-03"),
            refund("d", of: "a", fee: 100, on: "2026-01-04"),
        ]
        #expect(grants([rule], claims + back) == [[10, 10, -10, -10]])
        // Half a fee still reaches the line cap.
        rule.rate = SubsidyRule.Rate(ppm: 500_000)
        let halves = ["01-03", "01-04"].map { refund($0, of: "b", fee: 50, on: "2026-\($0)") }
        #expect(grants([rule], claims + halves) == [[10, 10, 0, -10]])
        // b takes a's place on the scale.
        rule.caps.perLine = nil
        rule.rate.tiers = [.init(upTo: Fen(100), ppm: 500_000), .init(ppm: 300_000)]
        let swapped = [
            refund("c", of: "a", fee: 100, on: "2026-01-03"),
            refund("d", of: "b", fee: 100, on: "2026-01-04"),
        ]
        #expect(grants([rule], claims + swapped) == [[50, 30, -30, -50]])
    }

    @Test("Demand that answers to price grows by share × elasticity, and not past the cap")
    func elasticity() {
        let tenant = Tenant(
            user: "1",
            account: "a",
            enterprise: "e",
            classes: ["enterprise"],
            platform: "tianhe"
        )
        var forecast = Forecast(tenants: [tenant], tariff: flatTariff, keyPlatforms: ["tianhe"])
        // 2 h × 1,000,000 cores × 10 fen: 20,000,000 fen a day, of which TEDA pays a half.
        for day in 1...10 {
            forecast.add(
                job: UInt32(day),
                user: 1,
                processors: 1_000_000,
                start: shanghai(2026, 3, day),
                duration: SimDuration(seconds: 7_200)
            )
        }
        let still = forecast.outlook(of: .tedaMachineHour)
        #expect(still.total == 100_000_000)
        #expect(still.inducedFee == 0)
        // Each day brings 10,000,000 fen more, and half of those as well.
        let lively = forecast.outlook(of: .tedaMachineHour, elasticityPPM: 1_000_000)
        #expect(lively.inducedFee == 100_000_000)
        #expect(lively.total == 150_000_000)
        #expect(lively.months.map(\.fee) == [300_000_000])
        var capped = SubsidyRule.tedaMachineHour
        capped.caps.perEntityYear = Fen(30_000_000)
        let bounded = forecast.outlook(of: capped, elasticityPPM: 1_000_000)
        #expect(bounded.total == 30_000_000)
        #expect(bounded.inducedFee == 20_000_000)
        #expect(forecast.monthlyFees == [200_000_000])
    }

    @Test("A pool of a year answers to elasticity too, and is never overdrawn", arguments: 0..<20)
    func elasticPools(seed: Int) {
        var random = SplitMix64(seed: UInt64(seed), stream: "elastic")
        let tenants = (1...5).map { user in
            Tenant(
                user: "\(user)",
                account: "a\(user)",
                enterprise: "e\(user)",
                classes: ["enterprise"],
                platform: "tianhe"
            )
        }
        var forecast = Forecast(tenants: tenants, tariff: flatTariff, keyPlatforms: ["tianhe"])
        for job in 1...60 {
            forecast.add(
                job: UInt32(job),
                user: Int32(random.draw(1...5)),
                processors: Int64(random.draw(1...100_000)),
                start: shanghai(2026, random.draw(1...12), random.draw(1...28)),
                duration: SimDuration(seconds: Int64(random.draw(1...90_000)))
            )
        }
        for exhaustion in SubsidyRule.Pool.Exhaustion.allCases {
            var rule = SubsidyRule.tedaMachineHour
            rule.pool = SubsidyRule.Pool(amount: Fen(50_000_000), exhaustion: exhaustion)
            let outlook = forecast.outlook(of: rule, elasticityPPM: 500_000)
            #expect(outlook.total <= 50_000_000, "seed \(seed) \(exhaustion)")
            let fees = outlook.months.reduce(Int128(0)) { $0 + $1.fee }
            #expect(fees == forecast.totalFee + outlook.inducedFee, "seed \(seed) \(exhaustion)")
        }
    }

    @Test("A rule file needs an id and a rate; it is named once")
    func smallRuleFiles() throws {
        let rule = try RuleCatalog.rule(text: "id: r\nrate: {rate_ppm: 5}\n", file: "r.yaml")
        #expect(rule.id == "r")
        #expect(rule.rate.ppm == 5)
        #expect(throws: FileRefusal.self) {
            try RuleCatalog.rule(text: "id: r\nrule: r\nrate: {rate_ppm: 5}\n", file: "r.yaml")
        }
        #expect(throws: FileRefusal.self) {
            try RuleCatalog.rule(text: "id: r\nrate: {rate_ppm: 1000001}\n", file: "r.yaml")
        }
    }
}
