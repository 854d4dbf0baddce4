import Billing
import ClusterModel
import Determinism
import Foundation
import LocalClient
import Quantities
import Testing
import WireFormats

@testable import LiveRuntime

/// A tariff with everything that moves a fee.
private let tariffText = """
    tariff: test
    qos: {low: 0.5, urgent: 2}
    classes: {university: 0.8}
    minimum_charge: 0.07 CNY
    lines:
      - platform: tianhe
        resource: core-hour
        valid_to: 2026-12-01
        tiers:
          - {upto_hours: 100, price: 0.12 CNY}
          - {price: 0.08 CNY}
      - {platform: tianhe, resource: core-hour, valid_from: 2026-12-01, price: 0.13 CNY}
      - {platform: tianhe, resource: card-hour, price: 0.30 CNY}
      - {platform: host, resource: core-hour, price: 0.10 CNY}
      - {platform: tianhe, resource: storage-tb-day, price: 0.50 CNY}
    """

private func settings(_ folder: ScratchFolder) -> CentreSettings {
    var settings = SmallCentre.settings(folder.path)
    settings.tariff = NamedText(name: "test.yaml", text: tariffText)
    return settings
}

extension Centre {
    fileprivate func money(_ change: (inout MoneyRequest) -> Void) async throws -> [String] {
        var request = MoneyRequest()
        change(&request)
        return try await self.change(request, .me).entries
    }

    fileprivate func quote(_ request: SubmitRequest) async throws -> PriceEstimate {
        var request = request
        request.isTestOnly = true
        return try #require(try await submit(request, .me).estimate?.price)
    }

    fileprivate func totals(_ account: String = "motor") async throws -> (Int64, Int64, Int64) {
        let now = await status().now
        let book = await books().book
        let statement = try #require(book.statement(of: .account(account), asOf: now))
        return (statement.gross.count, statement.subsidy.count, statement.net.count)
    }
}

@Suite("Money in a live centre")
struct MoneyTests {
    private func motor(
        nodes: Int32 = 2,
        hours: Int64 = 10,
        _ change: (inout SubmitRequest) -> Void = { _ in }
    ) -> SubmitRequest {
        SmallCentre.request {
            $0.account = "motor"
            $0.minimumNodes = nodes
            $0.timeLimit = SimDuration(seconds: hours * 3_600)
            $0.comment = "runtime=1000000000"
            change(&$0)
        }
    }

    @Test("A job that runs its whole limit is charged exactly its quote", arguments: 0..<25)
    func quoteIsInvoice(seed: Int) async throws {
        var random = SplitMix64(seed: UInt64(seed), stream: "quote")
        let centre = try Centre(settings(ScratchFolder()))
        // Something under way, so that jobs wait, tiers have begun and months end.
        _ = try await centre.submit(motor(nodes: 16, hours: Int64(random.draw(1...24))))
        try await centre.advance(seconds: Int64(random.draw(0...10 * 86_400)))
        let request = motor(nodes: Int32(random.draw(1...16)), hours: Int64(random.draw(1...24))) {
            switch random.draw(0...3) {
            case 0: $0.qos = "urgent"
            case 1: $0.qos = "low"
            case 2:
                $0.partitions = ["shared"]
                $0.minimumNodes = 1
                $0.accelerators = 1
            default: break
            }
        }
        // What settles before the job starts would move the tiers, so it is quoted at its start.
        try await centre.advance(seconds: 86_400)
        let quote = try await centre.quote(request)
        let before = try await centre.totals()
        let id = try await centre.submit(request)
        try await centre.advance(seconds: 3 * 86_400)
        #expect(try await centre.record(id).state == "TIMEOUT")
        let after = try await centre.totals()
        #expect(after.0 - before.0 == quote.gross, "seed \(seed)")
        #expect(after.1 - before.1 == quote.subsidy, "seed \(seed)")
        #expect(after.2 - before.2 == quote.net, "seed \(seed)")
        #expect(quote.gross > 0)
        #expect(try await centre.record(id).charge == quote.gross)
        await centre.close()
    }

    @Test("Components are quoted together, and charged as quoted")
    func quoteOfComponents() async throws {
        let centre = try Centre(settings(ScratchFolder()))
        _ = try await centre.submit(motor(nodes: 16, hours: 3))
        var request = motor(nodes: 2, hours: 10)
        request.components = [
            motor(nodes: 1, hours: 10) { $0.partitions = ["shared"] }, motor(nodes: 3, hours: 2),
        ]
        request.isTestOnly = true
        let estimate = try #require(try await centre.submit(request, .me).estimate)
        try await centre.advance(seconds: 2 * 86_400)
        // What has settled meanwhile has moved the tiers.
        let quote = try #require(try await centre.submit(request, .me).estimate?.price)
        request.isTestOnly = false
        let held = try await centre.totals()
        let id = try await centre.submit(request)
        let start = try #require(try await centre.info(id).start)
        try await centre.advance(seconds: 2 * 86_400)
        let records = try await centre.accounting(ids: [id]).records
        #expect(records.map(\.state) == ["TIMEOUT", "TIMEOUT", "TIMEOUT"])
        #expect(records.compactMap(\.charge).reduce(0, +) == quote.gross)
        #expect(try await centre.totals().0 - held.0 == quote.gross)
        #expect(estimate.start.map { $0 < start } == true && estimate.partition == "batch,shared")
        await centre.close()
    }

    @Test("A budget is journalled with what it warns of, and stands after a restart as before")
    func budget() async throws {
        let folder = try ScratchFolder()
        var centre = try Centre(settings(folder))
        let set: @Sendable (inout MoneyRequest) -> Void = {
            $0.action = "budget"
            $0.account = "motor"
            $0.amount = 1_000
            $0.period = "month"
            $0.warnPercent = 50
        }
        #expect(try await centre.money(set).count == 1)
        #expect(try await centre.money(set).isEmpty)
        for wrong in [("week", Int64(80)), ("month", 0), ("month", 101)] {
            await #expect(throws: RequestFailure.self) {
                try await centre.money {
                    set(&$0)
                    ($0.period, $0.warnPercent) = wrong
                }
            }
        }
        // 2 nodes × 12 cores × 4 h × 0.12 CNY, half of which the district pays.
        _ = try await centre.submit(motor(hours: 4))
        try await centre.advance(seconds: 5 * 3_600)
        let now = await centre.status().now
        let standing = await centre.books().book.budgetStanding(of: "motor", at: now)
        #expect(standing?.spent == Fen(576))
        #expect(standing?.alarm == .warning)
        #expect(await centre.status().budgetsAlarmed == 1)
        await centre.close()
        centre = try Centre(settings(folder))
        #expect(await centre.books().book.budgetStanding(of: "motor", at: now) == standing)
        _ = try await centre.money {
            $0.action = "budget"
            $0.account = "motor"
        }
        #expect(await centre.books().book.budgets.isEmpty)
        await centre.close()
    }

    @Test("A prepaid job waits until there is money for its whole limit, and pays what it used")
    func prepaid() async throws {
        let centre = try Centre(settings(ScratchFolder()))
        _ = try await centre.money {
            $0.action = "limit"
            $0.account = "motor"
            $0.amount = 0
        }
        // 2 nodes × 12 cores × 4 h × 0.12 CNY are 11.52 CNY.
        let short = motor(hours: 4) { $0.comment = "runtime=3600" }
        let id = try await centre.submit(short)
        #expect(try await centre.info(id).reason == "AssocGrpBillingMinutes")
        // It has a price all the same.
        #expect(try await centre.quote(short).gross == 1_152)
        #expect(try await centre.quote(short).available == 0)
        for (amount, state) in [(Int64(1_151), "PENDING"), (1, "RUNNING")] {
            let booked = try await centre.money {
                $0.action = "pay"
                $0.account = "motor"
                $0.amount = amount
                $0.reference = "bank \(amount)"
            }
            #expect(booked == ["payment/bank \(amount)"])
            #expect(try await centre.info(id).state == state)
        }
        let second = try await centre.submit(short)
        #expect(try await centre.info(second).reason == "AssocGrpBillingMinutes")
        try await centre.advance(seconds: 3_600)
        // It used an hour, 288 fen, of which TEDA paid 144: 1,008 are left, too little for 1,152.
        let book = await centre.books().book
        #expect(book.ledger.balance(of: LedgerAccount(.hold, "motor")) == .zero)
        #expect(book.fundsAvailable(to: "motor", on: BillingDay(containing: .epoch)) == Fen(1_008))
        #expect(try await centre.info(second).reason == "AssocGrpBillingMinutes")
        _ = try await centre.money {
            $0.action = "voucher"
            $0.account = "motor"
            $0.amount = 500
            $0.reference = "cxq"
            $0.validFrom = "2026-11-22"
        }
        #expect(try await centre.info(second).state == "PENDING", "the voucher begins tomorrow")
        try await centre.advance(seconds: 86_400)
        #expect(try await centre.record(second).state == "COMPLETED")
        #expect(await centre.books().book.vouchers(of: "motor")[0].left == Fen(500 - 144))
        await centre.close()
    }

    @Test("A prepaid job of two partitions needs the money of the dearer one, in either order")
    func prepaidInSeveralPartitions() async throws {
        // One core of a shared node for an hour costs 12 fen; a whole node has twelve cores.
        for partitions in [["shared", "batch"], ["batch", "shared"]] {
            let centre = try Centre(settings(ScratchFolder()))
            _ = try await centre.money {
                $0.action = "limit"
                $0.account = "motor"
                $0.amount = 143
            }
            let id = try await centre.submit(
                motor(nodes: 1, hours: 1) {
                    $0.partitions = partitions
                    $0.minimumNodes = nil
                    $0.tasks = 1
                }
            )
            #expect(try await centre.info(id).reason == "AssocGrpBillingMinutes")
            _ = try await centre.money {
                $0.action = "limit"
                $0.account = "motor"
                $0.amount = 144
            }
            #expect(try await centre.info(id).state == "RUNNING")
            await centre.close()
        }
    }

    @Test("A shorter limit, a raised credit and no credit at all let a waiting job go")
    func fundsChange() async throws {
        let centre = try Centre(settings(ScratchFolder()))
        func limit(_ amount: Int64?) async throws {
            _ = try await centre.money {
                $0.action = "limit"
                $0.account = "motor"
                $0.amount = amount
            }
        }
        // Submitted before there was a limit: it counts all the same.
        let running = try await centre.submit(motor(hours: 10))
        try await limit(4_000)
        let first = try await centre.submit(motor(hours: 10))
        #expect(try await centre.info(running).state == "RUNNING")
        #expect(try await centre.info(first).reason == "AssocGrpBillingMinutes")
        var change = JobUpdateRequest()
        change.timeLimit = SimDuration(seconds: 3_600)
        _ = try await centre.update(first, change, .me)
        #expect(try await centre.info(first).state == "RUNNING")
        let second = try await centre.submit(motor(hours: 20))
        #expect(try await centre.info(second).reason == "AssocGrpBillingMinutes")
        try await limit(100_000)
        #expect(try await centre.info(second).state == "RUNNING")
        try await limit(0)
        let third = try await centre.submit(motor(hours: 1))
        #expect(try await centre.info(third).reason == "AssocGrpBillingMinutes")
        try await limit(nil)
        #expect(try await centre.info(third).state == "RUNNING")
        await centre.close()
    }

    @Test("A node failure costs nothing and gives the hold back; the next attempt holds again")
    func nodeFailureIsFree() async throws {
        let centre = try Centre(settings(ScratchFolder()))
        let id = try await centre.submit(motor(hours: 2))
        try await centre.advance(seconds: 3_600)
        var down = NodeUpdateRequest()
        down.nodes = "cn0"
        down.state = "DOWN"
        down.reason = "test"
        try await centre.update(down, .me)
        // A requeued job waits for 121 s.
        try await centre.advance(seconds: 122)
        let book = await centre.books().book
        #expect(try await centre.totals() == (0, 0, 0))
        let ids = book.ledger.entries.map(\.id)
        #expect(ids.contains("release/\(id).0"))
        #expect(ids.last == "hold/\(id).1")
        // 24 cores × 2 h at 0.12 CNY.
        #expect(book.ledger.balance(of: LedgerAccount(.hold, "motor")) == Fen(576))
        try await centre.advance(seconds: 7_200)
        #expect(try await centre.totals() == (576, 288, 288))
        await centre.close()
    }

    @Test("A job over New Year is split, and its parts add up to its quote")
    func newYear() async throws {
        let centre = try Centre(settings(ScratchFolder()))
        try await centre.advance(seconds: 40 * 86_400 + 23 * 3_600)
        let request = motor(nodes: 3, hours: 7)
        let quote = try await centre.quote(request)
        _ = try await centre.submit(request)
        try await centre.advance(seconds: 86_400)
        let (book, head) = await centre.books()
        func gross(_ period: BillingPeriod) throws -> Int64 {
            try #require(book.statement(of: .account("motor"), period: period, asOf: .epoch))
                .gross.count
        }
        #expect(try gross(.year(2026)) == 3 * 12 * 13)
        #expect(try gross(.year(2026)) + gross(.year(2027)) == quote.gross)
        #expect(quote.grants.map(\.year) == [2026, 2027])
        #expect(head.utf8.count == 64)
        await centre.close()
    }

    @Test("Bad requests about money are refused and book nothing")
    func refusals() async throws {
        let folder = try ScratchFolder()
        let centre = try Centre(settings(folder))
        let bad: [(String, (inout MoneyRequest) -> Void)] = [
            ("there is no action 'steal'", { $0.action = "steal" }),
            (
                "'account' is missing",
                {
                    $0.action = "pay"; $0.amount = 1; $0.reference = "a"
                }
            ),
            (
                "account 'nobody' is not known",
                {
                    $0.action = "pay"; $0.account = "nobody"; $0.amount = 1; $0.reference = "a"
                }
            ),
            (
                "must be from 1 to 1000000000000000, but is 1000000000000000000",
                {
                    $0.action = "pay"; $0.account = "motor"; $0.reference = "a"
                    $0.amount = 1_000_000_000_000_000_000
                }
            ),
            (
                "'reference' is missing",
                {
                    $0.action = "pay"; $0.account = "motor"; $0.amount = 1
                }
            ),
            (
                "there is no charge 'charge/9.0/2026-01'",
                {
                    $0.action = "refund"; $0.entry = "charge/9.0/2026-01"
                }
            ),
            (
                "'valid_to' must be after 'valid_from'",
                {
                    $0.action = "voucher"; $0.account = "motor"; $0.amount = 5; $0.reference = "v"
                    $0.validFrom = "2026-02-01"; $0.validTo = "2026-02-01"
                }
            ),
            (
                "rule 'x' is not in force",
                {
                    $0.action = "close-pool"; $0.rule = "x"; $0.period = "2026"
                }
            ),
        ]
        for (words, change) in bad {
            let failure = await #expect(throws: RequestFailure.self) {
                try await centre.money(change)
            }
            #expect(failure?.body.text.contains(words) == true, "\(failure?.body.text ?? "")")
        }
        #expect(await centre.books().book.ledger.entries.isEmpty)
        #expect(await centre.status().journalLength == 2)
        await centre.close()
    }

    @Test("Where nothing happens the books know the day all the same, and a repeat books nothing")
    func quietCentre() async throws {
        var settings = settings(try ScratchFolder())
        let rule = """
            rule: shared
            rate: {rate_ppm: 500000}
            pool: {amount: 60, period: year, exhaustion: pro_rata}
            """
        settings.subsidyRules = [NamedText(name: "r.yaml", text: rule)]
        settings.timeMode = .scaled(10_000_000)
        let centre = try Centre(settings)
        // From November to the tenth of January in less than half a second, without any input.
        while await centre.status().now < SmallCentre.start + SimDuration(seconds: 50 * 86_400) {
            try await Task.sleep(for: .milliseconds(5))
        }
        var storage = StorageRecord()
        (storage.account, storage.platform, storage.bytes) = ("motor", "tianhe", 5)
        storage.day = "2026-12-31"
        var requests = [MoneyRequest(), MoneyRequest(), MoneyRequest()]
        (requests[0].action, requests[0].storage) = ("storage", [storage])
        (requests[1].action, requests[1].rule, requests[1].period) = (
            "close-pool", "shared", "2026"
        )
        (requests[2].action, requests[2].account, requests[2].amount) = ("limit", "motor", 5)
        for request in requests {
            #expect(try await centre.change(request, .me).entries.count == 1, "\(request.action)")
            #expect(try await centre.change(request, .me).entries.isEmpty, "\(request.action)")
        }
        #expect(await centre.books().book.ledger.entries.count == 3)
        await centre.close()
    }

    @Test("Terms of which a voucher is refused leave nothing behind")
    func refusedTerms() throws {
        var state = CentreState(rules: CentreRules(machine: SmallCentre.machine))
        func terms(_ tariff: String, face: Int) -> TermsInput {
            let voucher = "{id: v, account: motor, face: \(face) CNY}"
            var input = TermsInput()
            let text = tariffText.replacingOccurrences(of: "test", with: tariff)
            input.tariff = NamedText(name: "t.yaml", text: text + "\nvouchers: [\(voucher)]\n")
            input.rules = [
                NamedText(name: "r.yaml", text: "rule: \(tariff)\nrate: {rate_ppm: 5}\n")
            ]
            return input
        }
        func change(_ input: TermsInput) -> InputResult {
            state.change(input, at: SmallCentre.start)
        }
        guard case .done = change(terms("first", face: 5)) else {
            Issue.record("the first terms are refused")
            return
        }
        guard case .refused(let body) = change(terms("second", face: 6)) else {
            Issue.record("the second voucher has another face and the same id")
            return
        }
        #expect(body.text.contains("voucher/v"), "\(body.text)")
        #expect(state.book.tariff.id == "first")
        #expect(state.book.rules.map(\.id) == ["first"])
        #expect(state.terms.rules.map(\.text) == ["rule: first\nrate: {rate_ppm: 5}\n"])
        #expect(state.book.ledger.entries.count == 1)
    }

    @Test("A tariff that cannot be read keeps the centre closed, by file and field")
    func badTariff() throws {
        var bad = SmallCentre.settings(try ScratchFolder().path)
        bad.tariff = NamedText(name: "bad.yaml", text: "tariff: x\nlines: []\n")
        let failure = #expect(throws: OpenFailure.self) { try Centre(bad) }
        #expect(failure?.description.contains("bad.yaml") == true, "\(failure?.description ?? "")")
        bad.tariff = nil
        bad.subsidyRules = [NamedText(name: "r.yaml", text: "rule: r\nrate: {rate_ppm: 1000001}\n")]
        let second = #expect(throws: OpenFailure.self) { try Centre(bad) }
        #expect(second?.description.contains("r.yaml") == true, "\(second?.description ?? "")")
    }
}

// MARK: - Audit

@Suite("The audit")
struct CentreAuditTests {
    private func filled(_ folder: ScratchFolder) async throws {
        var settings = SmallCentre.settings(folder.path)
        settings.tariff = NamedText(name: "test.yaml", text: tariffText)
        let centre = try Centre(settings)
        for number in 1...4 {
            _ = try await centre.submit(
                SmallCentre.request {
                    $0.account = "motor"
                    $0.timeLimit = SimDuration(seconds: 3_600)
                    $0.comment = "runtime=\(number * 600)"
                }
            )
        }
        _ = try await centre.money {
            $0.action = "pay"
            $0.account = "motor"
            $0.amount = 77
            $0.reference = "bank"
        }
        try await centre.advance(seconds: 7_200)
        await centre.close()
    }

    private func audit(_ folder: ScratchFolder, anchor: String? = nil) throws -> CentreAudit {
        try CentreAudit(stateFolder: folder.path, anchor: anchor)
    }

    @Test("True books pass, and statements' heads are found in their chain")
    func trueBooks() async throws {
        let folder = try ScratchFolder()
        try await filled(folder)
        let audit = try audit(folder)
        #expect(audit.findings.isEmpty, "\(audit.findings)")
        #expect(
            audit.countByKind.map(\.kind) == [.charge, .grant, .hold, .payment, .release]
        )
        #expect(audit.countByKind.first?.count == 4)
        let stored = try StoredCentre(stateFolder: folder.path)
        #expect(stored.ledgerHead == audit.ledgerHead)
        let again = try self.audit(folder, anchor: audit.ledgerHead.uppercased())
        #expect(again.anchorRow == Int64(audit.entryCount))
        #expect(
            try self.audit(folder, anchor: String(repeating: "a", count: 64)).findings.count == 1
        )
    }

    @Test(
        "A row that was changed, taken out or put in is found and named",
        arguments: [
            (
                "UPDATE journal SET body = replace(body, 'motor', 'guest') WHERE sequence = 4",
                "row 4"
            ),
            ("UPDATE journal SET instant = instant + 1 WHERE sequence = 2", "row 2"),
            ("UPDATE journal SET kind = 'tick' WHERE sequence = 5", "row 5"),
            ("DELETE FROM journal WHERE sequence = 6", "row 6"),
            (
                "UPDATE ledger SET text = replace(text, 'motor', 'guest') WHERE sequence = 2",
                "ledger: row 2"
            ),
            ("UPDATE ledger SET chain = zeroblob(32) WHERE sequence = 6", "ledger: row 6"),
            ("DELETE FROM ledger WHERE sequence = 3", "ledger: row 3"),
            (
                "DELETE FROM ledger WHERE sequence = (SELECT max(sequence) FROM ledger)",
                "the ledger ends early"
            ),
            (
                "INSERT INTO ledger SELECT max(sequence) + 1, 'payment/gift', 'x', zeroblob(32) FROM ledger",
                "payment/gift"
            ),
            ("UPDATE job SET state = 'FAILED' WHERE id = 2", "run 0 of job 2 was changed"),
            (
                "UPDATE job SET body = replace(body, '1', '2') WHERE id = 3",
                "run 0 of job 3 was changed"
            ),
            ("DELETE FROM job WHERE id = 1", "run 0 of job 1 is missing"),
            (
                "INSERT INTO job SELECT 99, 0, user, account, state, submit, \"end\", body FROM job WHERE id = 1",
                "run 0 of job 99"
            ),
            ("UPDATE digest SET value = value + 1 WHERE batch = 3", "batch 3 was changed"),
            ("DELETE FROM digest WHERE batch = 2", "batch 2 is missing"),
            ("INSERT INTO digest VALUES (1000, 5)", "a row of batch 1000"),
            ("DELETE FROM ledger; DELETE FROM digest; DELETE FROM job", "the ledger ends early"),
            ("DELETE FROM digest", "digest: the row of batch 1 is missing"),
            ("DELETE FROM job", "run 0 of job 1 is missing"),
            (
                "CREATE TRIGGER t AFTER INSERT ON job BEGIN DELETE FROM digest; END",
                "schema: trigger 't' does not belong there"
            ),
            (
                "CREATE VIEW v AS SELECT * FROM ledger",
                "schema: view 'v' does not belong there"
            ),
            ("DROP INDEX job_end", "schema: index 'job_end' is missing"),
            (
                "DROP INDEX job_end; CREATE INDEX job_end ON job (state)",
                "schema: index 'job_end' was changed"
            ),
            (
                "ALTER TABLE ledger ADD COLUMN note TEXT",
                "schema: table 'ledger' was changed"
            ),
            (
                "DELETE FROM grdb_migrations",
                "schema: migration '1 journal, jobs, ledger' is missing"
            ),
        ]
    )
    func forgeries(sql: String, words: String) async throws {
        let folder = try ScratchFolder()
        try await filled(folder)
        try folder.sqlite(sql)
        let findings = try audit(folder).findings
        #expect(!findings.isEmpty)
        #expect(findings.contains { $0.contains(words) }, "\(findings)")
    }

    @Test("Another machine than the one the books were made with is refused")
    func otherMachine() async throws {
        let folder = try ScratchFolder()
        try await filled(folder)
        var machine = SmallCentre.machine
        machine.partitions[0].prices = HourlyPrices(coreHourMicrofen: 1)
        let other = OpenFailure.otherMachine(
            folder: folder.path,
            machine: "small",
            differences: ["partition batch: prices.core_hour is 1 µfen, not 10000000 µfen"]
        )
        #expect(throws: other) { try CentreAudit(stateFolder: folder.path, machine: machine) }
        #expect(throws: other) { try StoredCentre(stateFolder: folder.path, machine: machine) }
    }
}

@Suite("Money and kill -9", .serialized)
struct MoneyDaemonTests {
    @Test("A daemon that is killed between hold and settlement settles all the same")
    func killedBetweenHoldAndSettlement() throws {
        let folder = try ScratchFolder()
        let daemon = try Daemon(
            folder,
            ["--time", "stepped", "--start", "2026-11-30T23:00:00", "--tariff", "tianjin-tiered"]
        )
        var limit = MoneyRequest()
        limit.action = "limit"
        limit.account = "bohai-motor"
        limit.amount = 1_000_000
        _ = try daemon.client.post("/v1/money", limit, as: MoneyResponse.self)
        let request = SmallCentre.request {
            $0.account = "bohai-motor"
            $0.minimumNodes = 4
            $0.timeLimit = SimDuration(seconds: 7_200)
            $0.comment = "runtime=5400"
        }
        _ = try daemon.submit(request)
        func standing() throws -> AccountStanding {
            let list = try daemon.client.get("/v1/accounts", as: AccountStandingList.self)
            return try #require(list.accounts.first { $0.account == "bohai-motor" })
        }
        let held = try standing()
        #expect(held.held > 0)
        #expect(held.available == 1_000_000 - held.held)
        daemon.kill9()
        try daemon.start()
        #expect(try standing() == held, "the hold is there again, once")
        var advance = ClockAdvanceRequest()
        advance.duration = SimDuration(seconds: 86_400)
        _ = try daemon.client.post("/v1/clock/advance", advance, as: CentreStatus.self)
        daemon.kill9()
        try daemon.start()
        let settled = try standing()
        #expect(settled.held == 0)
        let bill = try daemon.client.get(
            "/v1/bill?account=bohai-motor&period=2026",
            as: BillStatement.self
        )
        // 1.5 of 2 h; half of it is the subsidy, and the parts of both months count.
        #expect(bill.gross * 4 == held.held * 3)
        #expect(settled.balance == bill.net)
        #expect(bill.net == bill.gross - bill.subsidy)
        #expect(bill.byState.map(\.name) == ["COMPLETED"])
        #expect(bill.ledgerHead?.utf8.count == 64)
        #expect(settled.available == 1_000_000 - bill.net)
        daemon.process.terminate()
        daemon.process.waitUntilExit()
    }
}
