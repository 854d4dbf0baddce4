import Billing
import Determinism
import JobModel
import Quantities
import Testing

@Suite("Billing book")
struct BillingBookTests {
    @Test("A job of an enterprise on a key platform: charge, then grant")
    func chargeThenGrant() throws {
        var book = makeBook()
        let entries = book.settle(usage(1, cores: 1_200))
        #expect(
            entries.map(\.id) == [
                "charge/1.0/2026-03", "grant/teda-machine-hour/charge/1.0/2026-03",
            ]
        )
        let statement = try #require(
            book.statement(account: "bohai", month: BillingMonth("2026-03"), asOf: .epoch)
        )
        #expect(statement.gross == Fen(12_000))
        #expect(statement.subsidy == Fen(6_000))
        #expect(statement.net == Fen(6_000))
        #expect(statement.closing == Fen(6_000))
        let subsidy = try #require(statement.subsidies.first)
        #expect(subsidy.cap == Fen(200_000_000))
        #expect(subsidy.left == Fen(199_994_000))
    }

    @Test("A laboratory and a platform that is not key get no subsidy")
    func noSubsidy() throws {
        var book = makeBook()
        #expect(book.settle(usage(1, account: "nankai-lab")).count == 1)
        #expect(book.settle(usage(2, platform: "nebulae")).count == 1)
        let lab = try #require(book.statement(account: "nankai-lab", asOf: .epoch))
        #expect(lab.subsidies.isEmpty)
        #expect(lab.net == Fen(120))
        #expect(book.statement(account: "nobody", asOf: .epoch) == nil)
    }

    @Test("Accounts of one enterprise share its cap")
    func accountsShareTheCap() throws {
        var book = makeBook()
        // 40,000,000 core-hours: the knee.
        _ = book.settle(usage(1, cores: 1_000_000, seconds: 30 * 3_600))
        _ = book.settle(usage(2, account: "bohai-cfd", cores: 1_000_000, seconds: 30 * 3_600))
        let first = try #require(book.statement(account: "bohai", asOf: .epoch))
        let second = try #require(book.statement(account: "bohai-cfd", asOf: .epoch))
        #expect(first.subsidy == Fen(150_000_000))
        #expect(second.subsidy == Fen(50_000_000))
        #expect(first.subsidies.last?.left == .zero)
        #expect(second.subsidies.last?.used == Fen(200_000_000))
    }

    @Test("A job over New Year counts against the caps of both years")
    func newYear() {
        var book = makeBook()
        let entries = book.settle(
            usage(1, cores: 12_000, from: shanghai(2026, 12, 31, 12), seconds: 86_400)
        )
        let years = entries.compactMap { entry -> Int? in
            if case .grant(let grant) = entry.subject { grant.year } else { nil }
        }
        #expect(years == [2026, 2027])
    }

    @Test("A refund undoes the charge and withdraws the grant, once")
    func refund() throws {
        var book = makeBook()
        _ = book.settle(usage(1, cores: 1_200))
        _ = book.settle(usage(2, cores: 2_400))
        let entries = try book.refund("charge/1.0/2026-03", at: shanghai(2026, 5, 4))
        #expect(entries.count == 2)
        #expect(try book.refund("charge/1.0/2026-03", at: shanghai(2026, 5, 4)).isEmpty)
        #expect(throws: LedgerRefusal.nothingToReverse("charge/9.0/2026-03")) {
            try book.refund("charge/9.0/2026-03", at: .epoch)
        }
        let all = try #require(book.statement(account: "bohai", asOf: .epoch))
        #expect(all.gross == Fen(24_000))
        #expect(all.subsidy == Fen(12_000))
        #expect(all.closing == Fen(12_000))
        let march = try #require(
            book.statement(account: "bohai", month: BillingMonth("2026-03"), asOf: .epoch)
        )
        #expect(march.gross == Fen(36_000))
        #expect(book.ledger.faults().isEmpty)
    }

    @Test("The quote of a run is its invoice")
    func quoteIsInvoice() throws {
        var book = makeBook()
        _ = book.settle(usage(1, cores: 1_000_000, seconds: 38 * 3_600))
        let run = usage(2, cores: 777_777, cards: 3, seconds: 100_003)
        let quote = book.quote(run)
        let before = try #require(book.statement(account: "bohai", asOf: .epoch))
        _ = book.settle(run)
        let after = try #require(book.statement(account: "bohai", asOf: .epoch))
        #expect(after.gross - before.gross == quote.gross)
        #expect(after.subsidy - before.subsidy == quote.subsidy)
        #expect(quote.subsidy == Fen(10_000_000))
    }

    @Test("What a fee is made of adds up to it, across a month end and tiers", arguments: 0..<40)
    func feesAddUp(seed: Int) {
        var random = SplitMix64(seed: UInt64(seed), stream: "fees")
        var book = makeBook()
        _ = book.settle(usage(1, cores: Int64(random.below(100_000)) + 1, seconds: 36_000))
        let seconds = Int64(random.below(90 * 86_400)) + 1
        let run = usage(2, cores: Int64(random.below(5_000)) + 1, cards: 3, seconds: seconds)
        let fees = book.fees(of: run)
        #expect(fees.reduce(Fen.zero) { $0 + $1.amount } == book.gross(run), "seed \(seed)")
        for fee in fees {
            let count = fee.resource == .coreHour ? run.coreCount : run.cardCount
            let held = HeldTime(count: count, for: SimDuration(seconds: seconds))
            #expect(fee.held == held, "seed \(seed)")
        }
    }

    @Test(
        "Settling the same runs gives the same books, settling them twice changes nothing",
        arguments: 0..<40
    )
    func rebuilds(seed: Int) throws {
        var random = SplitMix64(seed: UInt64(seed), stream: "book")
        var book = makeBook()
        let usages = (1...40).map { number in
            usage(
                UInt32(number),
                account: ["bohai", "bohai-cfd", "haihe", "nankai-lab"][random.draw(0...3)],
                platform: ["tianhe", "tianjin-ai", "nebulae"][random.draw(0...2)],
                outcome: [.ended(.completed), .ended(.nodeFail), .ended(.failed)][
                    random.draw(0...2)
                ],
                cores: Int64(random.draw(1...500_000)),
                cards: Int64(random.draw(0...8)),
                from: random.draw(0...9) == 0 ? nil : shanghai(2026, random.draw(1...12), 28),
                seconds: Int64(random.draw(0...1_000_000))
            )
        }
        for usage in usages {
            _ = book.settle(usage)
            #expect(book.settle(usage).isEmpty)
        }
        let refunded =
            "charge/7.0/\(BillingMonth(containing: usages[6].startedAt ?? usages[6].endedAt))"
        _ = try book.refund(refunded, at: shanghai(2027, 1, 2))
        #expect(book.ledger.faults().isEmpty)
        var again = makeBook()
        for usage in usages { _ = again.settle(usage) }
        _ = try again.refund(refunded, at: shanghai(2027, 1, 2))
        #expect(again.ledger == book.ledger, "seed \(seed)")
        let next = usage(99, cores: 300_000, seconds: 400_000)
        #expect(again.settle(next) == book.settle(next), "seed \(seed)")
    }

    @Test("Breakdowns add up to the total", arguments: 0..<40)
    func breakdownsAddUp(seed: Int) throws {
        var random = SplitMix64(seed: UInt64(seed), stream: "breakdown")
        var book = makeBook()
        for number in 1...30 {
            _ = book.settle(
                usage(
                    UInt32(number),
                    platform: ["tianhe", "tianjin-ai"][random.draw(0...1)],
                    outcome: .ended(EndState.allCases[random.draw(0...6)]),
                    cores: Int64(random.draw(1...500)),
                    cards: Int64(random.draw(0...8)),
                    from: shanghai(2026, 3, random.draw(1...31)),
                    seconds: Int64(random.draw(1...100_000))
                )
            )
        }
        let statement = try #require(book.statement(account: "bohai", asOf: .epoch))
        func sum(_ groups: [Statement.Group]) -> Fen {
            groups.reduce(into: .zero) { $0 += $1.usage.fee }
        }
        #expect(statement.total.jobCount == 30)
        #expect(sum(statement.byPlatform) == statement.total.fee, "seed \(seed)")
        #expect(sum(statement.byOutcome) == statement.total.fee, "seed \(seed)")
        let byResource = statement.byResource.reduce(into: Fen.zero) { $0 += $1.fee }
        #expect(byResource == statement.total.fee, "seed \(seed)")
        #expect(statement.closing == statement.net, "seed \(seed)")
        #expect(statement.total.fee > .zero)
    }
}
