import Billing
import Determinism
import JobModel
import Quantities
import Testing

@Suite("Budgets")
struct BudgetTests {
    /// A book with a budget of 100 CNY, whose usage costs 10 fen a core-hour and has no subsidy.
    private func book(_ span: Budget.Span, fen: Int64 = 10_000) throws -> BillingBook {
        var book = makeBook(rules: [])
        let entries = try book.setBudget(
            Budget(amount: Fen(fen), span: span),
            of: "bohai",
            reference: "bohai/0",
            at: shanghai(2026, 1, 1)
        )
        #expect(entries.map(\.id) == ["budget/bohai/0"])
        return book
    }

    @Test("It warns from its share on, says when it ends, and begins anew with its stretch")
    func burnsDown() throws {
        var book = try book(.month)
        // By the end of 10 March half is spent: the rest lasts ten more days.
        _ = book.settle(usage(1, cores: 500))
        let half = try #require(book.budgetStanding(of: "bohai", at: shanghai(2026, 3, 11)))
        #expect(half.spent == Fen(5_000))
        #expect(half.alarm == .ok)
        #expect(half.endsOn == BillingDay("2026-03-21"))
        #expect(half.span == "2026-03")
        // At that pace it would outlast the month.
        let late = try #require(book.budgetStanding(of: "bohai", at: shanghai(2026, 3, 20)))
        #expect(late.endsOn == nil)
        _ = book.settle(usage(2, cores: 300))
        let near = try #require(book.budgetStanding(of: "bohai", at: shanghai(2026, 3, 20)))
        #expect(near.alarm == .warning)
        _ = book.settle(usage(3, cores: 200))
        let gone = try #require(book.budgetStanding(of: "bohai", at: shanghai(2026, 3, 20)))
        #expect(gone.alarm == .exhausted)
        #expect(gone.left == .zero)
        #expect(gone.endsOn == nil)
        let april = try #require(book.budgetStanding(of: "bohai", at: shanghai(2026, 4, 1)))
        #expect(april.spent == .zero)
        #expect(april.alarm == .ok)
    }

    @Test("Its stretch is a month, a quarter, a year or all time, by the month of the usage")
    func spans() throws {
        let expected: [(Budget.Span, Int64, String)] = [
            (.month, 300, "2026-05"), (.quarter, 500, "2026-Q2"), (.year, 600, "2026"),
            (.total, 700, "total"),
        ]
        for (span, spent, name) in expected {
            var book = try book(span)
            let starts = [
                (10, shanghai(2025, 12, 3)), (10, shanghai(2026, 1, 3)), (20, shanghai(2026, 4, 3)),
                (30, shanghai(2026, 5, 3)),
            ]
            for (number, (cores, start)) in starts.enumerated() {
                _ = book.settle(usage(UInt32(number + 1), cores: Int64(cores), from: start))
            }
            let standing = try #require(book.budgetStanding(of: "bohai", at: shanghai(2026, 5, 9)))
            #expect(standing.spent == Fen(spent), "\(span)")
            #expect(standing.span == name)
        }
    }

    @Test("What is spent is the net fee of the statement, whatever happened", arguments: 0..<40)
    func spentIsNet(seed: Int) throws {
        var random = SplitMix64(seed: UInt64(seed), stream: "budget")
        var book = makeBook()
        _ = try book.setBudget(
            Budget(amount: Fen(1), span: .month),
            of: "bohai",
            reference: "1",
            at: shanghai(2026, 1, 1)
        )
        var now = shanghai(2026, 2, 1)
        for number in 1...30 {
            now = now + SimDuration(seconds: Int64(random.draw(1...3 * 86_400)))
            let entries = book.settle(
                usage(
                    UInt32(number),
                    cores: Int64(random.draw(1...99)),
                    from: now - SimDuration(seconds: Int64(random.draw(1...9 * 86_400))),
                    seconds: 5_000
                )
            )
            if random.draw(0...3) == 0 { _ = try book.refund(entries[0].id, at: now) }
        }
        for month in 1...6 {
            let period = BillingMonth(year: 2026, month: month)
            let statement = try #require(
                book.statement(of: .account("bohai"), period: .month(period), asOf: now)
            )
            let standing = book.budgetStanding(of: "bohai", at: period.start)
            #expect(standing?.spent == statement.net, "seed \(seed), month \(month)")
        }
    }

    @Test("The same budget again books nothing, another one does, and none takes it away")
    func changes() throws {
        var book = try book(.month)
        let same = Budget(amount: Fen(10_000), span: .month)
        let at = shanghai(2026, 1, 2)
        #expect(try book.setBudget(same, of: "bohai", reference: "bohai/1", at: at).isEmpty)
        let none = try book.setBudget(nil, of: "bohai", reference: "bohai/1", at: at)
        #expect(none.map(\.canonicalText).first?.hasSuffix("\tbudget\tbohai\t-\t-\t-") == true)
        #expect(book.budgetStanding(of: "bohai", at: at) == nil)
    }
}
