import Billing
import Quantities
import Testing
import WireFormats

@testable import LiveRuntime

/// The example of docs/billing.md §3: a voucher that ends during a job.
@Suite("Vouchers that end during a job")
struct VoucherEndTests {
    private func money(_ centre: Centre, _ change: (inout MoneyRequest) -> Void) async throws {
        var request = MoneyRequest()
        request.account = "motor"
        change(&request)
        _ = try await centre.change(request, .me)
    }

    private func submit(_ centre: Centre, hours: Int64) async throws -> UInt32 {
        try await centre.submit(
            SmallCentre.request {
                $0.account = "motor"
                $0.minimumNodes = 1
                $0.timeLimit = SimDuration(seconds: hours * 3_600)
                $0.comment = "runtime=1000000"
            }
        )
    }

    @Test("The part after it is there in cash before the job starts, and the account owes nothing")
    func prepaidAcrossTheEnd() async throws {
        let centre = try Centre(SmallCentre.settings(ScratchFolder().path))
        try await money(centre) {
            $0.action = "limit"
            $0.amount = 0
        }
        try await money(centre) {
            $0.action = "voucher"
            $0.amount = 1_000
            $0.reference = "cxq"
            $0.validTo = "2026-11-22"
        }
        try await centre.advance(seconds: 22 * 3_600)
        // 12 cores × 4 h × 10 fen: 480, of which the voucher can pay 239: the clock is some µs past
        // 22:00, and shares are rounded down.
        let late = try await submit(centre, hours: 4)
        #expect(try await centre.info(late).reason == "AssocGrpBillingMinutes")
        for (cash, state) in [(Int64(240), "PENDING"), (1, "RUNNING")] {
            try await money(centre) {
                $0.action = "pay"
                $0.amount = cash
                $0.reference = "bank-\(cash)"
            }
            #expect(try await centre.info(late).state == state, "\(cash) fen")
        }
        try await centre.advance(seconds: 5 * 3_600)
        let book = await centre.books().book
        let parts = book.ledger.entries.compactMap { entry -> String? in
            guard case .redemption(_, _, let claim) = entry.subject else { return nil }
            return "\(claim) \(entry.postings[0].amount.count)"
        }
        // TEDA pays a half; the voucher what is left of 22:00 to 24:00.
        #expect(parts == ["charge/\(late).0/2026-11 119"])
        #expect(book.ledger.balance(of: LedgerAccount(.receivable, "motor")) == Fen(-120))
        await centre.close()
    }

    @Test("A job that waits needs more cash the later it starts")
    func laterNeedsMore() async throws {
        let centre = try Centre(SmallCentre.settings(ScratchFolder().path))
        try await money(centre) {
            $0.action = "limit"
            $0.amount = 0
        }
        try await money(centre) {
            $0.action = "voucher"
            $0.amount = 1_000
            $0.reference = "cxq"
            $0.validTo = "2026-11-22"
        }
        try await centre.advance(seconds: 20 * 3_600)
        var request = SmallCentre.request {
            $0.account = "motor"
            $0.minimumNodes = 1
            $0.timeLimit = SimDuration(seconds: 4 * 3_600)
            $0.comment = "runtime=60"
        }
        request.begin = SmallCentre.start + SimDuration(seconds: 21 * 3_600)
        // At 20:00 the voucher would pay all of it; at 21:00 three hours of four.
        let id = try await centre.submit(request)
        try await centre.advance(seconds: 2 * 3_600)
        #expect(try await centre.info(id).reason == "AssocGrpBillingMinutes")
        try await money(centre) {
            $0.action = "pay"
            $0.amount = 241
            $0.reference = "bank"
        }
        #expect(try await centre.info(id).state == "RUNNING")
        await centre.close()
    }
}
