import Billing
import Catalog
import Quantities
import Testing

/// The examples of docs/billing.md §6, "One rule for each case".
@Suite("Rules without gaps")
struct RuleGapTests {
    private static let header = "claim_id,date,enterprise,class,platform,resource,fee_fen"

    private func decisions(
        _ rule: String,
        _ rows: String,
        columns: String = ""
    ) throws -> [String] {
        let rule = try RuleCatalog.rule(text: rule, file: "r.yaml")
        let file = try ClaimsFile(
            text: Self.header + columns + "\n" + rows,
            file: "c.csv",
            platforms: registry
        )
        return SubsidyEvaluation(rules: [rule], claims: file.claims).decisions[0]
            .map { "\($0.granted.count) \($0.reason.rawValue)" }
    }

    @Test("A grant is never above the share of what was asked for, also at list prices")
    func listPrice() throws {
        let rows = """
            a,2026-01-05,e,enterprise,tianhe,core-hour,100,900
            b,2026-01-05,f,enterprise,tianhe,core-hour,0,1000000
            c,2026-01-05,g,enterprise,tianhe,core-hour,900,100

            """
        let rule = "rule: r\nrate: {rate_ppm: 500000}\nbasis: {fee_kind: list}\n"
        #expect(
            try decisions(rule, rows, columns: ",discount_fen")
                == ["100 share_limit", "0 share_limit", "500 granted"]
        )
        let half = rule + "caps: {share_of_fee_max_ppm: 500000}\n"
        #expect(
            try decisions(half, rows, columns: ",discount_fen")
                == ["50 share_limit", "0 share_limit", "450 share_limit"]
        )
    }

    @Test("A label with a rate of its own makes eligible, beside those in who.classes")
    func labelWithARate() throws {
        let rule = """
            rule: r
            who: {classes: [tech_sme]}
            rate: {by_class: {national_project: 300000}}

            """
        let rows = """
            a,2026-01-05,e,individual;national_project,tianhe,core-hour,1000
            b,2026-01-05,f,national_project,tianhe,core-hour,1000
            c,2026-01-05,g,individual,tianhe,core-hour,1000
            d,2026-01-05,h,tech_sme,tianhe,core-hour,1000

            """
        #expect(
            try decisions(rule, rows)
                == ["300 granted", "300 granted", "0 class_not_eligible", "0 no_rate"]
        )
    }

    @Test("A contract's cap is one over all years; a fee without a contract is one of its own")
    func contracts() throws {
        let rows = """
            a,2026-01-05,e,enterprise,tianhe,core-hour,400,K
            b,2027-01-05,e,enterprise,tianhe,core-hour,400,K
            c,2027-01-06,e,enterprise,tianhe,core-hour,400,

            """
        let rule = "rule: con\nrate: {rate_ppm: 500000}\ncaps: {per_contract: 100}\n"
        #expect(
            try decisions(rule, rows, columns: ",contract")
                == ["100 contract_cap", "0 contract_cap", "100 contract_cap"]
        )
    }

    @Test("With combine: max a label has its own rate, also a lower one, and others the general")
    func lowerClassRate() throws {
        let rule = "rule: r\nrate: {rate_ppm: 500000, by_class: {startup: 300000}, combine: max}\n"
        let rows = """
            a,2026-01-05,e,startup,tianhe,core-hour,1000
            b,2026-01-05,f,startup;enterprise,tianhe,core-hour,1000
            c,2026-01-05,g,enterprise,tianhe,core-hour,1000

            """
        #expect(try decisions(rule, rows) == ["300 granted", "500 granted", "500 granted"])
    }

    @Test("granted_ppm stands alone: beside other rates it is refused")
    func grantedBesideClasses() throws {
        for other in ["by_class: {startup: 1}", "by_resource: {ai: 1}", "by_tier: [{ppm: 1}]"] {
            let refusal = #expect(throws: FileRefusal.self) {
                try RuleCatalog.rule(
                    text: "rule: r\nrate: {rate_ppm: 5, granted_ppm: 4, \(other)}\n",
                    file: "r.yaml"
                )
            }
            #expect(refusal?.field == "rate.granted_ppm")
        }
    }

    @Test("A resource's own name goes before the kinds that take it in, these in the file's order")
    func resourceBeforeKind() throws {
        let rule = """
            rule: r
            rate: {by_resource: {compute: 100000, ai: 200000, core-hour: 300000, other: 400000}}

            """
        let rows = """
            a,2026-01-05,e,enterprise,tianhe,core-hour,1000
            b,2026-01-05,f,enterprise,tianhe,card-hour,1000
            c,2026-01-05,g,enterprise,tianhe,storage,1000

            """
        #expect(try decisions(rule, rows) == ["300 granted", "100 granted", "400 granted"])
    }

    @Test("Kinds match whole words, and exclusions any word of a name")
    func wholeWords() throws {
        let rule =
            "rule: r\nrate: {rate_ppm: 500000}\nwhat: {resources: [ai], excluded_items: [storage]}\n"
        let names = ["ai", "GPU_hours", "card-hour", "ai-storage", "air-conditioning", "cardboard"]
        let rows = names.enumerated().map {
            "c\($0),2026-01-05,e\($0),enterprise,tianhe,\($1),1000\n"
        }.joined()
        let granted = try decisions(rule, rows).map { $0.hasSuffix("granted") }
        #expect(granted == [true, true, true, false, false, false])
        let all = "rule: r\nrate: {rate_ppm: 500000}\nwhat: {excluded_items: [storage]}\n"
        #expect(try decisions(all, rows).filter { $0.hasSuffix("granted") }.count == 5)
    }

    @Test("Providers restrict where a claim states one")
    func providers() throws {
        let rule = "rule: r\nrate: {rate_ppm: 500000}\nwhat: {providers: [NSCC-TJ]}\n"
        let rows = """
            a,2026-01-05,e,enterprise,tianhe,core-hour,1000,NSCC-TJ
            b,2026-01-05,f,enterprise,tianhe,core-hour,1000,ＮＳＣＣ-ＴＪ
            c,2026-01-05,g,enterprise,tianhe,core-hour,1000,somebody
            d,2026-01-05,h,enterprise,tianhe,core-hour,1000,

            """
        #expect(
            try decisions(rule, rows, columns: ",provider")
                == ["500 granted", "500 granted", "0 provider_not_eligible", "500 granted"]
        )
    }

    @Test("A refund after part payment first returns what was not paid")
    func refundAfterPartPayment() throws {
        let rows = """
            a,2026-01-05,e,enterprise,tianhe,core-hour,100,60,
            r,2026-01-06,e,enterprise,tianhe,core-hour,-40,,a
            s,2026-01-07,e,enterprise,tianhe,core-hour,-10,,a
            t,2026-01-08,e,enterprise,tianhe,core-hour,-50,,a

            """
        let rule = "rule: paid\nrate: {rate_ppm: 500000}\nbasis: {fee_kind: paid}\n"
        #expect(
            try decisions(rule, rows, columns: ",paid,refund_of")
                == ["30 granted", "0 refund", "-5 refund", "-25 refund"]
        )
    }

    @Test("A refund first returns what a first-come pool fell short of")
    func refundOfAShortPool() throws {
        let rows = """
            a,2026-01-05,e,enterprise,tianhe,core-hour,200,
            r,2026-01-06,e,enterprise,tianhe,core-hour,-100,a
            s,2026-01-07,e,enterprise,tianhe,core-hour,-100,a

            """
        let rule = "rule: r\nrate: {rate_ppm: 500000}\npool: {amount: 50}\n"
        #expect(
            try decisions(rule, rows, columns: ",refund_of")
                == ["50 pool_partial", "0 refund", "-50 refund"]
        )
    }

    @Test("Two spellings of one name are one enterprise, with one cap")
    func names() throws {
        let rule = "rule: r\nrate: {rate_ppm: 500000}\ncaps: {per_entity_period: 100}\n"
        let rows = """
            a,2026-01-05,e 1,enterprise,tianhe,core-hour,200
            b,2026-01-06, e\u{3000} 1\u{200B},enterprise,tianhe,core-hour,200
            c,2026-01-06,ｅ　１,enterprise,tianhe,core-hour,200

            """
        #expect(try decisions(rule, rows) == ["100 granted", "0 cap_reached", "0 cap_reached"])
        let refusal = #expect(throws: FileRefusal.self) {
            try decisions(rule, "a,2026-01-05,\u{3000},enterprise,tianhe,core-hour,200\n")
        }
        #expect(refusal?.field == "enterprise")
    }

    @Test("Names that look alike are put side by side, others are not")
    func lookAlikes() {
        let names = [
            "天津渤海汽车有限公司", "天津渤海汽车（有限公司）", "渤海", "Bohai Motor Co., Ltd.", "BOHAI-MOTOR", "haihe",
        ]
        #expect(
            PartyName.lookAlikes(among: names) == [
                ["BOHAI-MOTOR", "Bohai Motor Co., Ltd."],
                ["天津渤海汽车有限公司", "天津渤海汽车（有限公司）"],
            ]
        )
    }
}
