import Billing
import Catalog
import Determinism
import Quantities
import Reporting
import Testing

@Suite("Claim packs")
struct ClaimPackTests {
    private func received(_ book: BillingBook, _ enterprise: String) throws -> ReceivedPack {
        let head = String(repeating: "ab", count: 32)
        let pack = ClaimPack(
            book.bookedClaims(of: enterprise),
            rules: book.rules,
            ledgerHead: head
        )
        let file = try ClaimsFile(text: pack.csv, file: enterprise, platforms: [])
        return ReceivedPack(
            name: enterprise,
            claims: file.claims,
            granted: file.granted,
            rules: file.rules
        )
    }

    private func randomRules(_ random: inout SplitMix64) -> [SubsidyRule] {
        var first = SubsidyRule.tedaMachineHour
        first.basis.isNetOfVAT = random.draw(0...1) == 0
        first.rate.ppm = Int64(random.draw(1...500_000))
        first.caps.perEntityYear = Fen(Int64(random.draw(1...2_000_000)))
        if random.draw(0...1) == 0 {
            first.pool = SubsidyRule.Pool(
                amount: Fen(Int64(random.draw(1...3_000_000))),
                period: [.year, .quarter, .total][random.draw(0...2)],
                exhaustion: [.firstCome, .waitlist, .nextPeriod][random.draw(0...2)],
                carriesOver: random.draw(0...1) == 0
            )
        }
        var second = SubsidyRule.tedaMachineHour
        second.id = "share"
        second.stacking.order = 200
        second.rate.ppm = 300_000
        if random.draw(0...1) == 0 {
            second.pool = SubsidyRule.Pool(
                amount: Fen(Int64(random.draw(1...3_000_000))),
                exhaustion: .proRata
            )
        }
        return [first, second]
    }

    @Test("A pack alone is granted what the centre granted, claim by claim", arguments: 0..<60)
    func packsAlone(seed: Int) throws {
        var random = SplitMix64(seed: UInt64(seed), stream: "pack")
        let rules = randomRules(&random)
        var book = makeBook(rules: rules)
        var charges: [String] = []
        for number in 1...40 {
            if number == 20 { book.tariff.vatPPM = Int64(random.draw(0...130_000)) }
            let run = usage(
                UInt32(number),
                account: ["bohai", "bohai-cfd", "haihe", "nankai-lab"][random.draw(0...3)],
                cores: Int64(random.draw(0...9_000)),
                cards: Int64(random.draw(0...800)),
                from: shanghai(2026, 1, 1) + SimDuration(seconds: Int64(number) * 1_000_000),
                seconds: Int64(random.draw(0...400_000))
            )
            charges += book.settle(run).filter { $0.id.hasPrefix("charge/") }.map(\.id)
            if random.draw(0...5) == 0 {
                _ = try book.refund(charges[random.draw(0...charges.count - 1)], at: run.endedAt)
            }
        }
        let later = shanghai(2027, 2, 1)
        _ = try? book.closePool(ofRule: "share", period: "2026", at: later)
        let last = charges[random.draw(0...charges.count - 1)]
        _ = try book.refund(last, at: later + SimDuration(seconds: 1))
        let packs = try ["bohai", "haihe"].map { try received(book, $0) }
        let check = PackCheck(packs, rules: rules)
        #expect(check.findings.isEmpty, "seed \(seed) \(check.findings.prefix(3))")
        for pack in packs {
            for rule in rules.map(\.id) {
                let granted = pack.granted.reduce(Int128(0)) { $0 + Int128($1?[rule]?.count ?? 0) }
                let inBooks = (2026...2027).reduce(Int128(0)) {
                    $0 + book.granted(to: pack.name, rule: rule, year: $1)
                }
                #expect(granted == inBooks, "seed \(seed) \(pack.name) \(rule)")
            }
        }
    }

    private func text(_ rows: String) -> String {
        "claim_id,date,enterprise,class,platform,resource,fee_fen,granted,invoice\n" + rows
    }

    private func findings(_ packs: [String], rules: [SubsidyRule] = [.tedaMachineHour]) throws
        -> [String]
    {
        let received = try packs.enumerated().map { index, text in
            let file = try ClaimsFile(text: text, file: "p\(index).csv", platforms: registry)
            return ReceivedPack(
                name: "p\(index)",
                claims: file.claims,
                granted: file.granted,
                rules: file.rules
            )
        }
        return PackCheckReport(PackCheck(received, rules: rules)).findings
    }

    @Test("An office finds changed grants, doubles, and enterprises above their cap")
    func findings() throws {
        let one = text(
            "c1,2026-01-05,e,enterprise,tianhe,core-hour,1000,teda-machine-hour=500,R1\n"
        )
        let dear = text(
            "c1,2026-01-05,e,enterprise,tianhe,core-hour,1000,teda-machine-hour=501,R1\n"
        )
        #expect(try findings([one]).isEmpty)
        #expect(
            try findings([dear]) == [
                "p0: claim c1: granted 5.01 CNY, but rule 'teda-machine-hour' gives 5.00"
            ]
        )
        let other = one.replacing(",e,", with: ",f,")
        let doubles = try findings([one, other])
        #expect(doubles.count == 2)
        #expect(doubles[0] == "claim c1 is there twice: in p0, p1, for e, f")
        #expect(doubles[1] == "invoice R1 is claimed in p0, p1, for e, f")
        let large = ["c2", "c3"].map { id in
            text(
                "\(id),2026-01-05,e,enterprise,tianhe,core-hour,400000000,teda-machine-hour=200000000,\n"
            )
        }
        #expect(
            try findings(large) == [
                "e has 4,000,000.00 CNY of rule 'teda-machine-hour' in 2026, all packs together;"
                    + " the cap is 2,000,000.00"
            ]
        )
    }

    @Test("Columns that only a whole file can have right are refused by line and field")
    func refusals() throws {
        func refusal(_ column: String, _ cells: [String]) -> String {
            let rows = cells.enumerated().map {
                "c\($0),2026-01-05,e,enterprise,tianhe,core-hour,1000,\($1)\n"
            }.joined()
            do {
                let header = "claim_id,date,enterprise,class,platform,resource,fee_fen,\(column)\n"
                _ = try ClaimsFile(text: header + rows, file: "c.csv", platforms: [])
                return "taken"
            } catch { return "\(error)" }
        }
        #expect(refusal("booked", ["1", "2"]) == "taken")
        #expect(refusal("booked", ["1", ""]).hasPrefix("c.csv:3: field booked: "))
        #expect(refusal("booked", ["1", "1"]).hasPrefix("c.csv:3: field booked: "))
        #expect(refusal("granted", ["r=1;r=2"]).hasPrefix("c.csv:2: field granted: needs amounts"))
        #expect(refusal("pool_share", ["r"]).hasPrefix("c.csv:2: field pool_share: "))
        #expect(refusal("key_platform", ["maybe"]).hasPrefix("c.csv:2: field key_platform: "))
        let most = "1000000000000000"
        let header = "claim_id,date,enterprise,class,platform,resource,fee_fen\n"
        let rows = (0...1_000).map { "c\($0),2026-01-05,e,enterprise,tianhe,core-hour,\(most)\n" }
        let sum = #expect(throws: FileRefusal.self) {
            try ClaimsFile(text: header + rows.joined(), file: "c.csv", platforms: [])
        }
        #expect(sum?.line == 1_002)
    }
}
