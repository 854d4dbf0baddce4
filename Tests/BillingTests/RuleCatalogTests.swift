import Billing
import Catalog
import ClusterModel
import Quantities
import Testing

@Suite("Rule catalogue")
struct RuleCatalogTests {
    @Test(
        "Each of the thirteen shipped rules is read, under its own name",
        arguments: RuleCatalog.ruleNames
    )
    func shippedRules(name: String) throws {
        let rule = try RuleCatalog.rule(named: name)
        #expect(rule.id == name)
        #expect(!rule.assumptions.isEmpty)
        #expect(RuleCatalog.ruleNames.count == 13)
    }

    @Test("The shipped TEDA rule says what the built-in one says")
    func tedaIsTheBuiltIn() throws {
        let shipped = try RuleCatalog.rule(named: RuleCatalog.defaultRuleName)
        let builtIn = SubsidyRule.tedaMachineHour
        #expect(shipped.who == builtIn.who)
        #expect(shipped.what == builtIn.what)
        #expect(shipped.rate == builtIn.rate)
        #expect(shipped.caps == builtIn.caps)
        #expect(shipped.pool == nil && builtIn.pool == nil)
        #expect(shipped.stacking == builtIn.stacking)
    }

    @Test("The registry has Tianhe and the AI cards as key platforms, Nebulae and the host not")
    func platforms() throws {
        let platforms = try RuleCatalog.platforms()
        func isKey(_ name: String) -> Bool? { platforms.first { $0.name == name }?.isKey }
        #expect(isKey("tianhe") == true)
        #expect(isKey("tianjin-ai") == true)
        #expect(isKey("nebulae") == false)
        #expect(isKey("host") == false)
    }

    @Test("An open parameter does not restrict and is listed")
    func openParameters() throws {
        let rule = try RuleCatalog.rule(
            text: """
                rule: r
                title: R
                who: {classes: null}
                rate: {rate_ppm: "300000?"}
                pool: {amount: "20000000?"}
                """,
            file: "r.yaml"
        )
        #expect(rule.who.classes == nil)
        #expect(rule.pool == nil)
        #expect(rule.rate.isUnknown)
        #expect(
            rule.assumptions == [
                "who.classes: not published; does not restrict",
                "rate.rate_ppm: not published; must be set by hand (--rate)",
                "pool.amount: not published (perhaps 20000000); does not restrict",
            ]
        )
    }

    @Test(
        "A bad rule is refused with file, line and field",
        arguments: [
            ("rate: {rate_ppm: 1500000}", "r.yaml:4: field rate.rate_ppm: 1500000 is out of range"),
            ("rate: {rate_pm: 5}", "r.yaml:4: field rate.rate_pm: unknown field (did you mean"),
            ("rate: {rate_ppm: half}", "r.yaml:4: field rate.rate_ppm: needs a whole number"),
            ("caps: {per_job: 1}", "r.yaml:1: field rate: is missing"),
            (
                "rate: {rate_ppm: 1}\nvalid_from: 2026-02-01\nvalid_to: 2026-01-31",
                "r.yaml:6: field valid_to: ends on 2026-01-31, before it begins on 2026-02-01"
            ),
            (
                "rate: {rate_ppm: 1}\nvalid_from: 2026-02-30",
                "r.yaml:5: field valid_from: needs a day"
            ),
            (
                "rate: {rate_ppm: 1, by_class: {startups: 2}}",
                "r.yaml:4: field rate.by_class.startups: 'startups' is not known here"
            ),
            (
                "rate: {rate_ppm: 1}\ncaps: {per_contract: 10000000000000000 CNY}",
                "r.yaml:5: field caps.per_contract: 10000000000000000 CNY is out of range"
            ),
            (
                "rate: {rate_ppm: 600000, combine: sum, by_class: {startup: 500000}}",
                "r.yaml:4: field rate.combine: the rates add up to 1100000 ppm"
            ),
            ("rate: {rate_ppm: 1}\ntimezone: UTC", "r.yaml:5: field timezone: needs Asia/Shanghai"),
        ]
    )
    func badRules(tail: String, message: String) {
        let text = "rule: r\ntitle: R\nwho: {classes: [enterprise]}\n\(tail)\n"
        let refusal = #expect(throws: FileRefusal.self) {
            try RuleCatalog.rule(text: text, file: "r.yaml")
        }
        #expect(refusal?.description.hasPrefix(message) == true, "\(refusal?.description ?? "")")
    }

    @Test("Two rules of one name may not apply on one day")
    func overlaps() throws {
        var first = SubsidyRule.tedaMachineHour
        first.validity.last = BillingDay("2026-06-30")
        var second = SubsidyRule.tedaMachineHour
        second.validity.first = BillingDay("2026-07-01")
        try RuleCatalog.checkOverlaps([(first, "a.yaml"), (second, "b.yaml")])
        second.validity.first = BillingDay("2026-06-30")
        let refusal = #expect(throws: FileRefusal.self) {
            try RuleCatalog.checkOverlaps([(first, "a.yaml"), (second, "b.yaml")])
        }
        #expect(refusal?.file == "b.yaml")
    }
}

@Suite("Claims file")
struct ClaimsFileTests {
    let header = "claim_id,date,enterprise,class,platform,resource,fee_fen"
    let registry = [Platform(name: "tianhe", title: "Tianhe", isKey: true)]

    func read(_ text: String) throws -> ClaimsFile {
        try ClaimsFile(text: text, file: "c.csv", platforms: registry)
    }

    @Test("Columns in any order, quotes, CRLF and a byte order mark are read")
    func forms() throws {
        let text =
            "\u{FEFF}fee_fen,claim_id,date,enterprise,class,platform,resource,paid,note\r\n"
            + "100,\"a,1\",2026-01-31,\"the \"\"e\"\"\",enterprise; Start-Up,tianhe,core-hour,yes,\r\n"
            + "\r\n5,b,2026-02-01,f,tech-sme,nebulae,gpu,3,x"
        let claims = try read(text).claims
        #expect(claims.map(\.id) == ["a,1", "b"])
        #expect(claims[0].enterprise == "the \"e\"")
        #expect(claims[0].classes == ["enterprise", "startup"])
        #expect(claims.map(\.isOnKeyPlatform) == [true, false])
        #expect(claims.map(\.facts.paid) == [Fen(100), Fen(3)])
    }

    @Test(
        "A bad claim refuses the file, with line and field",
        arguments: [
            ("a,2026-01-01,e,firm,tianhe,c,1", "c.csv:3: field class: 'firm' is not known here"),
            (
                "ok,2026-01-01,e,enterprise,tianhe,c,1",
                "c.csv:3: field claim_id: claim (line 2) 'ok'"
            ),
            ("a,2026-01-01,e,enterprise,tianhe,c,-1", "c.csv:3: field fee_fen: -1 is negative"),
            (
                "a,2026-01-01,e,enterprise,tianhe,c,1.5",
                "c.csv:3: field fee_fen: needs a whole number"
            ),
            (
                "a,2026-01-01,e,enterprise,tianhe,c,1000000000000000000",
                "c.csv:3: field fee_fen: 1000000000000000000 is out of range"
            ),
            (
                "a,2026-01-01,e,enterprise,tianhe,c,99999999999999999999999999999999999999999",
                "c.csv:3: field fee_fen: 99999999999999999999999999999999999999999 is out of range"
            ),
            ("a,2026-02-29,e,enterprise,tianhe,c,1", "c.csv:3: field date: needs a day"),
            ("a,2026-01-01,,enterprise,tianhe,c,1", "c.csv:3: field enterprise: is missing"),
            ("a,2026-01-01,e,enterprise,tianhe,c", "c.csv:3: says 7 columns"),
            ("a,2026-01-01,\"e,enterprise,tianhe,c,1", "c.csv:3: field column 3: not valid CSV"),
        ]
    )
    func badClaims(line: String, message: String) {
        let refusal = #expect(throws: FileRefusal.self) {
            try read("\(header)\nok,2026-01-01,e,enterprise,tianhe,core-hour,5\n\(line)\n")
        }
        #expect(refusal?.description.hasPrefix(message) == true, "\(refusal?.description ?? "")")
    }

    @Test(
        "A bad refund refuses the file",
        arguments: [
            ("r,2026-02-01,e,enterprise,tianhe,c,-6,ok", "fee_fen: -6 is more than what is left"),
            ("r,2026-02-01,e,enterprise,tianhe,c,6,ok", "fee_fen: 6 is no refund"),
            ("r,2026-02-01,e,enterprise,tianhe,c,-1,nix", "refund_of: there is no claim 'nix'"),
            ("r,2026-02-01,f,enterprise,tianhe,c,-1,ok", "enterprise: claim 'ok' is of 'e'"),
            ("r,2025-12-31,e,enterprise,tianhe,c,-1,ok", "date: 2025-12-31 is before claim 'ok'"),
            ("r,2026-02-01,e,enterprise,tianhe,c,-1,r", "refund_of: 'r' is a refund itself"),
        ]
    )
    func badRefunds(line: String, message: String) {
        let refusal = #expect(throws: FileRefusal.self) {
            try read("\(header),refund_of\nok,2026-01-01,e,enterprise,tianhe,c,5,\n\(line)\n")
        }
        let found = refusal?.description ?? ""
        #expect(found.hasPrefix("c.csv:3: field \(message)"), "\(found)")
    }

    @Test("A header without a column, or with a strange one, is refused")
    func headers() {
        let missing = #expect(throws: FileRefusal.self) { try read("claim_id,date\n") }
        #expect(missing?.description == "c.csv:1: field enterprise: is missing")
        let strange = #expect(throws: FileRefusal.self) { try read(header + ",refundof\n") }
        #expect(strange?.description.contains("did you mean 'refund_of'") == true)
        #expect(throws: FileRefusal.self) { try read("") }
    }

    @Test("A day outside the validity of every rule is refused")
    func dates() throws {
        let file = try read("\(header)\na,2026-01-01,e,enterprise,tianhe,c,1\n")
        let beijing = try RuleCatalog.rule(named: "beijing-2023")
        let refusal = #expect(throws: FileRefusal.self) {
            try file.checkDates([beijing], file: "c.csv")
        }
        #expect(
            refusal?.description.hasPrefix("c.csv:2: field date: 2026-01-01 is outside") == true
        )
        try file.checkDates([beijing, .tedaMachineHour], file: "c.csv")
    }
}
