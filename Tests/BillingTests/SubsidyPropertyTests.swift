import Billing
import Determinism
import Quantities
import Testing

@Suite("Subsidy properties")
struct SubsidyPropertyTests {
    func total(_ claims: [SubsidyClaim], _ rule: SubsidyRule = .tedaMachineHour) -> Int64 {
        var account = SubsidyAccount(rule: rule)
        return claims.reduce(0) { $0 + account.take($1).granted.count }
    }

    func randomClaims(_ random: inout SplitMix64, count: Int) -> [SubsidyClaim] {
        (0..<count).map { index in
            claim(
                "c\(index)",
                fee: Int64(random.below(60_000_000)),
                on: "2026-0\(random.draw(1...9))-1\(random.draw(0...9))",
                enterprise: "e\(random.draw(0...2))"
            )
        }
    }

    @Test("A running total never passes the cap, the rate or zero", arguments: 0..<200)
    func neverAboveTheCap(seed: Int) {
        var random = SplitMix64(seed: UInt64(seed), stream: "cap")
        var account = SubsidyAccount(rule: .tedaMachineHour)
        var granted: [String: Int64] = [:]
        var fees: [String: Int64] = [:]
        for claim in randomClaims(&random, count: 60) {
            granted[claim.enterprise, default: 0] += account.take(claim).granted.count
            fees[claim.enterprise, default: 0] += claim.fee.count
            let sum = granted[claim.enterprise] ?? 0
            let fee = fees[claim.enterprise] ?? 0
            #expect(sum == min(200_000_000, fee / 2), "seed \(seed), \(claim.id)")
        }
    }

    @Test("Neither order nor splitting changes an enterprise's total", arguments: 0..<200)
    func invariantUnderOrderAndSplitting(seed: Int) {
        var random = SplitMix64(seed: UInt64(seed), stream: "order")
        let claims = randomClaims(&random, count: 12)
        let whole = total(claims)
        var shuffled = claims
        random.shuffle(&shuffled)
        #expect(total(shuffled) == whole, "seed \(seed)")
        var split: [SubsidyClaim] = []
        for claim in claims {
            for (index, part) in random.cut(claim.fee.count, into: 5).enumerated() {
                var piece = claim
                piece.id += "-\(index)"
                piece.fee = Fen(part)
                split.append(piece)
            }
        }
        random.shuffle(&split)
        #expect(total(split) == whole, "seed \(seed)")
    }

    @Test("A larger fee is never granted less", arguments: 0..<200)
    func monotone(seed: Int) {
        var random = SplitMix64(seed: UInt64(seed), stream: "monotone")
        var claims = randomClaims(&random, count: 20)
        let before = total(claims)
        claims[random.draw(0...19)].fee += Fen(Int64(random.below(1_000_000)))
        #expect(total(claims) >= before, "seed \(seed)")
    }

    /// A rule with some of the things that bound a grant.
    func randomRule(_ random: inout SplitMix64) -> SubsidyRule {
        var rule = SubsidyRule.tedaMachineHour
        func maybe(_ most: Int) -> Fen? {
            random.draw(0...1) == 0 ? nil : Fen(Int64(random.draw(1...most)))
        }
        if random.draw(0...1) == 0 {
            let knee = Fen(Int64(random.draw(1...100_000_000)))
            rule.rate.tiers = [.init(upTo: knee, ppm: 700_000), .init(ppm: 100_003)]
        }
        rule.caps.perLine = maybe(20_000_000)
        rule.caps.perContract = maybe(20_000_000)
        rule.caps.shareOfFeeMaximumPPM = random.draw(0...1) == 0 ? nil : 333_333
        rule.pool = maybe(100_000_000).map { SubsidyRule.Pool(amount: $0, period: .quarter) }
        return rule
    }

    @Test("When every fee is refunded, in pieces, nothing stays granted", arguments: 0..<200)
    func refundsGiveEverythingBack(seed: Int) {
        var random = SplitMix64(seed: UInt64(seed), stream: "refund")
        let rule = seed % 4 == 0 ? SubsidyRule.tedaMachineHour : randomRule(&random)
        let claims = randomClaims(&random, count: 15)
        var refunds: [SubsidyClaim] = []
        for claim in claims {
            for (index, part) in random.cut(claim.fee.count, into: 3).enumerated() {
                var refund = claim
                refund.id = "r\(index)-\(claim.id)"
                refund.refundOf = claim.id
                refund.fee = Fen(-part)
                refunds.append(refund)
            }
        }
        random.shuffle(&refunds)
        var account = SubsidyAccount(rule: rule)
        var granted: [String: Int64] = [:]
        for claim in claims + refunds {
            granted[claim.enterprise, default: 0] += account.take(claim).granted.count
            #expect(granted[claim.enterprise] ?? 0 >= 0, "seed \(seed)")
        }
        #expect(granted.values.allSatisfy { $0 == 0 }, "seed \(seed)")
        // The books are as if nothing had been: a fee is granted what it would be alone.
        let next = claim("next", fee: 1_000_001, on: "2026-09-30", enterprise: "e0")
        var untouched = SubsidyAccount(rule: rule)
        #expect(account.take(next) == untouched.take(next), "seed \(seed)")
    }
}
