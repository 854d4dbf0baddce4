import Billing
import Persistence
import Quantities
import Testing
import WireFormats

@testable import LiveRuntime

/// A centre keeps the latest entries of its ledger in memory; the others lie in its store.
@Suite("Entries of the ledger in the store")
struct StoredLedgerTests {
    private func settings(_ folder: ScratchFolder) -> CentreSettings {
        var settings = SmallCentre.settings(folder.path)
        settings.imageInterval = 100
        return settings
    }

    /// A centre in which so many short jobs of a subsidised account have ended.
    private func worked(_ settings: CentreSettings, _ count: Int) async throws -> Centre {
        let centre = try Centre(settings)
        try await money(centre) { request in
            request.action = "pay"
            request.account = "motor"
            request.amount = 500
            request.reference = "wire"
        }
        let requests = (0..<count).map { number in
            SmallCentre.request {
                $0.partitions = ["shared"]
                $0.account = "motor"
                $0.comment = "runtime=\(600 + number % 7)"
            }
        }
        for answer in await centre.submit(requests, .me) { _ = try answer.get() }
        try await centre.advance(seconds: 86_400)
        try #require(await centre.snapshot().state.endedCount == count)
        return centre
    }

    @discardableResult
    private func money(
        _ centre: Centre,
        _ change: (inout MoneyRequest) -> Void
    ) async throws -> [String] {
        var request = MoneyRequest()
        change(&request)
        return try await centre.change(request, .me).entries
    }

    private func refund(_ job: Int, _ centre: Centre) async throws -> [String] {
        try await money(centre) { request in
            request.action = "refund"
            request.entry = "charge/\(job).0/2026-11"
        }
    }

    private func statement(_ book: BillingBook, _ now: SimInstant) throws -> Statement {
        try #require(book.statement(of: .account("motor"), asOf: now))
    }

    @Test(
        "What lies in the store is found, refunded and billed like the rest, and after an opening"
    )
    func asInMemory() async throws {
        let folder = try ScratchFolder()
        var centre = try await worked(settings(folder), 700)
        var state = await centre.snapshot().state
        #expect(state.book.ledger.shelvedCount >= 512)
        #expect(try await refund(3, centre).count == 2)
        #expect(try await refund(3, centre) == [])
        // The same payment again, of which nothing is in memory any more.
        let again = try await money(centre) { request in
            request.action = "pay"
            request.account = "motor"
            request.amount = 500
            request.reference = "wire"
        }
        #expect(again == [])
        let now = state.lastInstant
        let book = await centre.books().book
        let billed = try statement(book, now)
        let entries = Array(book.ledger.entries)
        #expect(billed.net.count > 0 && book.ledger.failure == nil)
        await centre.close()

        // In memory all at once, as programs without a daemon take them.
        let stored = try StoredCentre(stateFolder: folder.path).book
        #expect(stored.ledger.shelvedCount == 0 && Array(stored.ledger.entries) == entries)
        #expect(try statement(stored, now) == billed)
        #expect(try CentreAudit(stateFolder: folder.path).findings == [])

        centre = try Centre(settings(folder))
        state = await centre.snapshot().state
        #expect(state.book.ledger.shelvedCount >= 512)
        #expect(state.book.ledger.entries.count == entries.count)
        #expect(try statement(await centre.books().book, now) == billed)
        #expect(try await refund(5, centre).count == 2)
        #expect(await centre.books().book.ledger.entries.count == entries.count + 2)
        await centre.close()
        #expect(try CentreAudit(stateFolder: folder.path).findings == [])
    }

    @Test("A damaged entry is not taken for true by a bill or a refund, and stops nobody else")
    func damaged() async throws {
        let folder = try ScratchFolder()
        await (try await worked(settings(folder), 600)).close()
        let damaged = try #require(
            try StoredCentre(stateFolder: folder.path).book.ledger.entry("charge/9.0/2026-11")
        )
        try folder.sqlite(
            "UPDATE ledger SET text = replace(text, 'motor', 'guest') WHERE id = '\(damaged.id)'"
        )
        let centre = try Centre(settings(folder))
        let book = await centre.books().book
        _ = book.statement(of: .account("motor"), asOf: SmallCentre.start)
        #expect(book.ledger.failure?.contains("(\(damaged.id)) does not match its hash") == true)
        let length = await centre.snapshot().state.journalLength
        let refused = await #expect(throws: RequestFailure.self) { try await refund(9, centre) }
        #expect(refused?.status == 500)
        #expect(refused?.body.text.contains("does not match its hash") == true)
        #expect(await centre.snapshot().state.journalLength == length)
        // Others are answered, and so are refunds of what is whole.
        #expect(try await refund(8, centre).count == 2)
        #expect(try await centre.submit(SmallCentre.request()) > 600)
        await centre.close()
        let audit = try CentreAudit(stateFolder: folder.path)
        #expect(audit.findings.contains { $0.contains(damaged.id) })
        let failure = #expect(throws: OpenFailure.self) {
            try StoredCentre(stateFolder: folder.path)
        }
        #expect(failure?.description.contains(damaged.id) == true)
    }
}
