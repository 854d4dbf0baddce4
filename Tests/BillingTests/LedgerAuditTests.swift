import Billing
import Determinism
import JobModel
import Quantities
import Testing

@Suite("Ledger audit")
struct LedgerAuditTests {
    func makeEntries(seed: UInt64) throws -> [LedgerEntry] {
        var random = SplitMix64(seed: seed, stream: "audit")
        var book = makeBook()
        for number in 1...20 {
            let run = usage(
                UInt32(number),
                account: ["bohai", "bohai-cfd", "haihe", "nankai-lab"][random.draw(0...3)],
                outcome: [.ended(.completed), .ended(.nodeFail), .requeuedByUser][
                    random.draw(0...2)
                ],
                cores: Int64(random.draw(1...900_000)),
                cards: Int64(random.draw(0...8)),
                from: shanghai(2026, random.draw(1...12), 28),
                seconds: Int64(random.draw(0...900_000))
            )
            if random.draw(0...2) == 0 { _ = try book.hold(for: run, at: run.endedAt) }
            _ = book.settle(run)
        }
        _ = try book.pay(Fen(1_000), from: "haihe", reference: "wire", at: shanghai(2026, 12, 1))
        let charge = try #require(
            book.ledger.entries.first { $0.id.hasPrefix("charge/") && !$0.postings.isEmpty }
        )
        _ = try book.refund(charge.id, at: shanghai(2027, 1, 5))
        return Array(book.ledger.entries)
    }

    @Test("True books pass", arguments: 0..<30 as Range<UInt64>)
    func trueBooksPass(seed: UInt64) throws {
        let entries = try makeEntries(seed: seed)
        let audit = try LedgerAudit(entries, book: makeBook())
        #expect(audit.runCount == 20, "seed \(seed)")
        #expect(Array(audit.book.ledger.entries) == entries, "seed \(seed)")
    }

    @Test(
        "A changed amount, a missing and an added entry are found",
        arguments: 0..<30 as Range<UInt64>
    )
    func forgeriesAreFound(seed: UInt64) throws {
        let entries = try makeEntries(seed: seed)
        let victim = try #require(
            entries.firstIndex {
                if case .grant = $0.subject { true } else { false }
            }
        )
        var changed = entries
        changed[victim].postings[0].amount += Fen(1)
        let difference = #expect(throws: LedgerAudit.Difference.self) {
            try LedgerAudit(changed, book: makeBook())
        }
        #expect(difference?.position == victim + 1, "seed \(seed)")
        #expect(difference?.expected == entries[victim], "seed \(seed)")
        for index in entries.indices {
            if case .payment = entries[index].subject { continue }
            if case .reversal = entries[index].subject { continue }
            var missing = entries
            missing.remove(at: index)
            // A hold or a whole run that is gone leaves books that are true in themselves; its
            // absence shows in the chain. What goes with a run may not be missing from it.
            guard case .grant = entries[index].subject else { continue }
            #expect(throws: LedgerAudit.Difference.self, "seed \(seed) \(entries[index].id)") {
                try LedgerAudit(missing, book: makeBook())
            }
        }
        var doubled = entries
        doubled.insert(entries[victim], at: victim)
        #expect(throws: LedgerAudit.Difference.self) {
            try LedgerAudit(doubled, book: makeBook())
        }
    }

    @Test("The claims of the books, evaluated alone, are granted what the books granted")
    func claimsOfTheBooks() throws {
        var book = makeBook()
        for entry in try makeEntries(seed: 5) { try book.restore(entry) }
        let claims = book.claims()
        let evaluation = SubsidyEvaluation(rules: [.tedaMachineHour], claims: claims)
        for row in evaluation.beneficiaries {
            let granted = book.granted(to: row.beneficiary, rule: row.rule, year: row.year)
            #expect(granted == row.granted, "\(row)")
        }
        #expect(evaluation.total(ofRule: 0) > 0)
        #expect(book.unclaimed(under: [.tedaMachineHour]).isEmpty)
        var generous = SubsidyRule.tedaMachineHour
        generous.id = "generous"
        generous.caps.perEntityYear = nil
        let unclaimed = book.unclaimed(under: [generous])
        #expect(!unclaimed.isEmpty)
        #expect(unclaimed.allSatisfy { $0.granted == 0 && $0.entitled == $0.fee / 2 })
    }
}
