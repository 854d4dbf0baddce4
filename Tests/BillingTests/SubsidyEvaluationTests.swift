import Billing
import Catalog
import Determinism
import Quantities
import Testing

/// Whole evaluations: the vectors of the shipped rules, pools, stacking, refunds.
@Suite("Subsidy evaluation")
struct SubsidyEvaluationTests {
    func grants(_ rules: [SubsidyRule], _ claims: [SubsidyClaim]) -> [[Int64]] {
        SubsidyEvaluation(rules: rules, claims: claims).decisions.map { $0.map(\.granted.count) }
    }

    func grants(_ name: String, _ claims: [SubsidyClaim]) throws -> [Int64] {
        grants([try RuleCatalog.rule(named: name)], claims)[0]
    }

    @Test("Beijing: contracts of 6 M and 8 M CNY are granted 2 M together")
    func beijing() throws {
        let claims = [
            claim(
                "1",
                fee: 600_000_000,
                on: "2024-03-01",
                classes: ["manufacturer"],
                resource: "ai"
            ),
            claim(
                "2",
                fee: 800_000_000,
                on: "2024-06-01",
                classes: ["manufacturer"],
                resource: "ai"
            ),
        ]
        #expect(try grants("beijing-2023", claims) == [120_000_000, 80_000_000])
    }

    @Test("Shenzhen: a start-up with 15 M CNY gets 9 M, another with 25 M gets 10 M")
    func shenzhen() throws {
        let claims = [
            claim("1", fee: 1_500_000_000, enterprise: "s", classes: ["startup"], resource: "ai"),
            claim("2", fee: 2_500_000_000, resource: "ai"),
            claim(
                "3",
                fee: 100,
                enterprise: "both",
                classes: ["enterprise", "startup"],
                resource: "ai"
            ),
        ]
        #expect(try grants("shenzhen-xunli", claims) == [900_000_000, 1_000_000_000, 60])
    }

    @Test("Hangzhou: 20 M CNY of domestic and 15 M of other hardware are granted 8 M")
    func hangzhou() throws {
        let claims = [
            claim("1", fee: 2_000_000_000, resource: "domestic"),
            claim("2", fee: 1_500_000_000, on: "2026-04-01", resource: "core-hour"),
        ]
        #expect(try grants("hangzhou-2025", claims) == [600_000_000, 200_000_000])
    }

    @Test("Henan: 6,000,001 CNY are granted 1 M; Langfang: a project lead with 1.5 M gets 0.9 M")
    func henanAndLangfang() throws {
        #expect(try grants("henan-2025", [claim("1", fee: 600_000_100)]) == [100_000_000])
        let lead = claim(
            "1",
            fee: 150_000_000,
            classes: ["enterprise", "major_project_lead"],
            resource: "core-hour"
        )
        #expect(try grants("langfang-2023", [lead]) == [90_000_000])
    }

    @Test("Qingdao: below 100,000 CNY a year nothing, from there on everything")
    func minimumFee() throws {
        var rule = try RuleCatalog.rule(named: "qingdao-2024")
        rule.rate.ppm = 100_000
        let claims = [
            claim("1", fee: 6_000_000), claim("2", fee: 3_999_999), claim("3", fee: 1),
        ]
        let evaluation = SubsidyEvaluation(rules: [rule], claims: claims)
        #expect(evaluation.decisions[0].map(\.granted.count) == [0, 0, 1_000_000])
        #expect(
            evaluation.decisions[0].map(\.reason) == [.belowMinimumFee, .belowMinimumFee, .granted]
        )
    }

    func pooled(_ amount: Int64, _ exhaustion: SubsidyRule.Pool.Exhaustion) -> SubsidyRule {
        SubsidyRule(
            id: "pooled",
            title: "pooled",
            who: .init(classes: ["enterprise"]),
            rate: .init(ppm: 1_000_000),
            pool: .init(amount: Fen(amount), exhaustion: exhaustion)
        )
    }

    @Test("Pro rata: 2,000,000.00, 1,500,000.00 and 333,333.33 on a pool of 3,000,000.00")
    func proRata() {
        let claims = [
            claim("1", fee: 200_000_000, enterprise: "a"),
            claim("2", fee: 150_000_000, enterprise: "b"),
            claim("3", fee: 33_333_333, enterprise: "c"),
        ]
        let granted = grants([pooled(300_000_000, .proRata)], claims)[0]
        #expect(granted == [156_521_739, 117_391_305, 26_086_956])
        #expect(granted.reduce(0, +) == 300_000_000)
    }

    @Test("First come: by date and id, not by line; freed money serves later claims")
    func firstCome() {
        var refund = claim("r", fee: -60, on: "2026-05-01", enterprise: "a")
        refund.refundOf = "a"
        let claims = [
            claim("late", fee: 80, on: "2026-06-01", enterprise: "c"),
            refund,
            claim("b", fee: 80, on: "2026-04-01", enterprise: "b"),
            claim("a", fee: 60, on: "2026-04-01", enterprise: "a"),
        ]
        let evaluation = SubsidyEvaluation(rules: [pooled(100, .firstCome)], claims: claims)
        #expect(evaluation.decisions[0].map(\.granted.count) == [60, -60, 40, 60])
        #expect(
            evaluation.decisions[0].map(\.reason) == [
                .poolPartial, .refund, .poolPartial, .granted,
            ]
        )
        #expect(evaluation.pools.first?.exhaustedOn == BillingDay("2026-04-01"))
    }

    @Test("Waitlist: freed money goes to who waits; next period: to who waited")
    func waiting() {
        var refund = claim("r", fee: -60, on: "2026-05-01", enterprise: "a")
        refund.refundOf = "a"
        let claims = [
            claim("a", fee: 60, enterprise: "a"), claim("b", fee: 80, enterprise: "b"), refund,
            claim("c", fee: 80, on: "2026-06-01", enterprise: "c"),
        ]
        #expect(grants([pooled(100, .waitlist)], claims) == [[60, 80, -60, 20]])
        let next = [
            claim("a", fee: 60, enterprise: "a"), claim("b", fee: 80, enterprise: "b"),
            claim("c", fee: 80, on: "2027-01-01", enterprise: "c"),
        ]
        #expect(grants([pooled(100, .nextPeriod)], next) == [[60, 80, 60]])
    }

    @Test("Stacking: rules in their order, together never above the share, levels exclude")
    func stacking() {
        var first = pooled(0, .firstCome)
        first.pool = nil
        first.id = "first"
        first.stacking.order = 1
        first.rate.ppm = 700_000
        first.authority.level = .district
        var second = first
        second.id = "second"
        second.stacking.order = 2
        #expect(grants([second, first], [claim("1", fee: 101)]) == [[70], [31]])
        second.stacking.exclusiveLevels = [.district]
        let evaluation = SubsidyEvaluation(rules: [second, first], claims: [claim("1", fee: 101)])
        #expect(evaluation.decisions[1].map(\.reason) == [.exclusiveLevel])
    }

    @Test("A contract has one cap over both years, and one beneficiary")
    func contracts() {
        var rule = pooled(0, .firstCome)
        rule.pool = nil
        rule.caps.perContract = Fen(100)
        rule.what.oneGrantPer = .contract
        var claims = [
            claim("1", fee: 70, on: "2026-12-01"), claim("2", fee: 70, on: "2027-01-01"),
            claim("3", fee: 70, on: "2027-02-01", enterprise: "other"),
        ]
        for index in claims.indices { claims[index].facts.contract = "K1" }
        let evaluation = SubsidyEvaluation(rules: [rule], claims: claims)
        #expect(evaluation.decisions[0].map(\.granted.count) == [70, 30, 0])
        #expect(evaluation.decisions[0].map(\.reason) == [.granted, .contractCap, .alreadyGranted])
    }

    @Test("Fiscal and anniversary years, tiers, VAT and paid fees")
    func otherBases() {
        var rule = pooled(0, .firstCome)
        rule.pool = nil
        rule.yearBasis = .fiscal(startMonth: 4)
        rule.caps.perEntityYear = Fen(100)
        let claims = [
            claim("1", fee: 80, on: "2026-03-31"), claim("2", fee: 80, on: "2026-04-01"),
            claim("3", fee: 80, on: "2027-03-31"),
        ]
        #expect(grants([rule], claims) == [[80, 80, 20]])
        rule.yearBasis = .anniversary
        #expect(grants([rule], claims) == [[80, 20, 80]])
        rule.caps.perEntityYear = nil
        rule.rate.tiers = [.init(upTo: Fen(100), ppm: 500_000), .init(ppm: 100_000)]
        #expect(grants([rule], claims) == [[40, 16, 40]])
        rule.rate.tiers = []
        rule.basis = .init(feeKind: .paid, isNetOfVAT: true)
        var paid = claim("p", fee: 106)
        paid.facts.vat = Fen(6)
        paid.facts.paid = Fen(90)
        #expect(grants([rule], [paid]) == [[90]])
    }

    @Test("The order of the file changes nothing", arguments: 0..<100)
    func fileOrderIsIrrelevant(seed: Int) {
        var random = SplitMix64(seed: UInt64(seed), stream: "file-order")
        let exhaustion = SubsidyRule.Pool.Exhaustion.allCases[seed % 4]
        var other = SubsidyRule.tedaMachineHour
        other.stacking.order = 200
        let rules = [pooled(300_000_000, exhaustion), other]
        let claims = randomClaims(&random)
        let evaluation = SubsidyEvaluation(rules: rules, claims: claims)
        var order = Array(claims.indices)
        random.shuffle(&order)
        let shuffled = SubsidyEvaluation(rules: rules, claims: order.map { claims[$0] })
        for (rule, decisions) in evaluation.decisions.enumerated() {
            #expect(order.map { decisions[$0] } == shuffled.decisions[rule], "seed \(seed)")
        }
    }

    @Test("Never above pool, cap or fee, whatever the rules", arguments: 0..<100)
    func neverAboveAnyBound(seed: Int) {
        var random = SplitMix64(seed: UInt64(seed), stream: "bounds")
        let exhaustion = SubsidyRule.Pool.Exhaustion.allCases[seed % 4]
        var pool = pooled(200_000_000, exhaustion)
        pool.stacking.order = 1
        pool.caps.perEntityYear = Fen(90_000_000)
        let claims = randomClaims(&random)
        let evaluation = SubsidyEvaluation(rules: [pool, .tedaMachineHour], claims: claims)
        #expect(evaluation.total(ofRule: 0) <= 200_000_000, "seed \(seed)")
        #expect(evaluation.total(ofRule: 0) > 0, "seed \(seed)")
        for row in evaluation.beneficiaries {
            #expect(row.granted <= Int128(row.cap?.count ?? .max), "seed \(seed) \(row)")
            #expect(row.granted >= 0, "seed \(seed) \(row)")
        }
        let byEnterprise = Dictionary(grouping: claims.indices, by: { claims[$0].enterprise })
        for (enterprise, indices) in byEnterprise {
            let fees = indices.reduce(0) { $0 + claims[$1].fee.count }
            let granted = indices.reduce(0) { sum, index in
                sum + evaluation.decisions.reduce(0) { $0 + $1[index].granted.count }
            }
            #expect(granted <= fees, "seed \(seed) \(enterprise)")
        }
    }

    func randomClaims(_ random: inout SplitMix64) -> [SubsidyClaim] {
        var claims: [SubsidyClaim] = []
        for index in 0..<40 {
            if index > 10, random.draw(0...4) == 0 {
                let original = claims[random.draw(0...9)]
                var refund = original
                refund.id = "r\(index)"
                refund.refundOf = original.id
                refund.date = BillingDay(number: original.date.number + Int64(random.draw(0...90)))
                let refunded = claims.filter { $0.refundOf == original.id }
                    .reduce(0) { $0 + $1.fee.count }
                refund.fee = Fen(-Int64(random.below(UInt64(original.fee.count + refunded) + 1)))
                if refund.fee < .zero { claims.append(refund) }
            } else {
                claims.append(
                    claim(
                        "c\(100 + index)",
                        fee: Int64(random.below(40_000_000)) + 1,
                        on: "2026-0\(random.draw(1...9))-1\(random.draw(0...9))",
                        enterprise: "e\(random.draw(0...5))"
                    )
                )
            }
        }
        return claims
    }
}
