import Billing
import Determinism
import JobModel
import Quantities
import Testing

@Suite("Claims of the books")
struct BookClaimsTests {
    func makeBusyBook(seed: UInt64) throws -> BillingBook {
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
            if random.draw(0...2) == 0 { _ = book.hold(for: run, at: run.endedAt) }
            _ = book.settle(run)
        }
        _ = try book.pay(Fen(1_000), from: "haihe", reference: "wire", at: shanghai(2026, 12, 1))
        let charge = try #require(
            book.ledger.entries.first { $0.id.hasPrefix("charge/") && !$0.postings.isEmpty }
        )
        _ = try book.refund(charge.id, at: shanghai(2027, 1, 5))
        return book
    }

    @Test("The claims of the books, evaluated alone, are granted what the books granted")
    func claimsOfTheBooks() throws {
        let book = try makeBusyBook(seed: 5)
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

    @Test("Claims of a year are a whole file: its fees, and their refunds of any year")
    func claimsOfAYear() throws {
        var book = try makeBusyBook(seed: 5)
        _ = book.settle(usage(90, from: shanghai(2027, 1, 3)))
        _ = try book.refund("charge/90.0/2027-01", at: shanghai(2028, 2, 1))
        let all = book.claims()
        for (year, count) in [(2026, 1), (2027, 1), (2028, 0)] {
            let claims = book.claims(year: year)
            let ids = Set(claims.map(\.id))
            let refunds = claims.compactMap(\.refundOf)
            #expect(Set(refunds.map { $0.split(separator: "/")[1] }).count == count, "\(year)")
            #expect(refunds.allSatisfy { ids.contains($0) }, "\(year)")
            let fees = all.filter { $0.refundOf == nil && $0.date.civil.year == year }
            #expect(claims.filter { $0.refundOf == nil } == fees, "\(year)")
            let evaluation = SubsidyEvaluation(rules: [.tedaMachineHour], claims: claims)
            for row in evaluation.beneficiaries {
                let granted = book.granted(to: row.beneficiary, rule: row.rule, year: row.year)
                #expect(granted == row.granted, "\(row)")
            }
        }
    }
}
