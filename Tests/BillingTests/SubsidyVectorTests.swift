import Billing
import Quantities
import Testing

/// The published test vectors (integer fen), each computed by hand from the rule's text.
@Suite("Subsidy vectors")
struct SubsidyVectorTests {
    func grants(_ rule: SubsidyRule, _ claims: [SubsidyClaim]) -> [Int64] {
        var account = SubsidyAccount(rule: rule)
        return claims.map { account.take($0).granted.count }
    }

    @Test(
        "TEDA: half the fee up to the knee at 4,000,000 CNY, then 2,000,000 CNY",
        arguments: [
            (300_000_000, 150_000_000), (400_000_000, 200_000_000), (500_000_000, 200_000_000),
            (1, 0), (2, 1), (3, 1), (0, 0),
        ] as [(Int64, Int64)]
    )
    func teda(fee: Int64, granted: Int64) {
        #expect(grants(.tedaMachineHour, [claim("c", fee: fee)]) == [granted])
    }

    @Test("TEDA: twelve months of 450,000.01 CNY")
    func tedaSeries() {
        let claims = (1...12).map { month in
            claim("m\(month)", fee: 45_000_001, on: "2026-\(month < 10 ? "0" : "")\(month)-28")
        }
        let granted = grants(.tedaMachineHour, claims)
        let expected: [Int64] =
            (0..<8).map { $0 % 2 == 0 ? 22_500_000 : 22_500_001 } + [19_999_996, 0, 0, 0]
        #expect(granted == expected)
        #expect(granted.reduce(0, +) == 200_000_000)
    }

    @Test("TEDA: only enterprises, only key platforms, each calendar year anew")
    func tedaEligibility() {
        var account = SubsidyAccount(rule: .tedaMachineHour)
        let university = account.take(claim("u", fee: 100, classes: ["university"]))
        #expect(university.granted == .zero)
        #expect(university.reason == .classNotEligible)
        let nebulae = account.take(claim("n", fee: 100, platform: "nebulae", isKey: false))
        #expect(nebulae.reason == .platformNotEligible)
        #expect(account.take(claim("a", fee: 500_000_000)).reason == .capPartial)
        #expect(account.take(claim("b", fee: 500_000_000)).reason == .capReached)
        let next = account.take(claim("c", fee: 500_000_000, on: "2027-01-01"))
        #expect(next.granted == Fen(200_000_000))
        #expect(next.year == 2027)
    }

    @Test("A refund belongs to the year of its fee and takes the grant back")
    func refund() {
        var account = SubsidyAccount(rule: .tedaMachineHour)
        _ = account.take(claim("a", fee: 300_000_000))
        _ = account.take(claim("b", fee: 300_000_000))
        var refund = claim("r", fee: -300_000_000, on: "2027-02-01")
        refund.refundOf = "a"
        let decision = account.take(refund)
        // 600 M fen of fees were entitled to 200 M; the 300 M that remain, to 150 M.
        #expect(decision.granted == Fen(-50_000_000))
        #expect(decision.reason == .refund)
        #expect(decision.year == 2026)
    }
}
