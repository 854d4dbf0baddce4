import ArgumentParser
import Billing
import Persistence

/// Proves the books of a centre from its state folder.
struct AuditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Check the hash chains of journal and ledger, and compute all charges again.",
        discussion: """
            Every charge and grant is computed again from the usage that the ledger states and \
            compared entry by entry. The first row that was changed, is missing or does not follow \
            is named, and the exit status is 1.
            """
    )

    @OptionGroup var stored: StoredBook

    func run() throws {
        let contents = try stored.read()
        var inputCount = 0
        try contents.reader.forEachInput { (_) throws(PersistenceFailure) in inputCount += 1 }
        let empty = BillingBook(machine: contents.machine)
        let audit: LedgerAudit
        do throws(LedgerAudit.Difference) {
            audit = try LedgerAudit(contents.entries, book: empty)
        } catch {
            throw Refusal(Self.message(error))
        }
        audit.book.ledger.checkInvariants()
        print("journal   \(inputCount) rows, each matches its hash")
        print("ledger    \(contents.entries.count) entries, each matches its hash")
        print("charges   \(audit.runCount) runs computed again, no difference")
        print("grants    \(audit.grantCount) computed again, no difference")
        print("balances  debits equal credits in \(audit.book.ledger.accounts.count) accounts")
    }

    private static func message(_ difference: LedgerAudit.Difference) -> String {
        let place = "ledger row \(difference.position)"
        switch (difference.found, difference.expected) {
        case (let found?, let expected?):
            return "\(place) (\(found.id)) is not what the usage gives\n"
                + "  found     \(found.canonicalText)\n  expected  \(expected.canonicalText)"
        case (let found?, nil):
            return "\(place) (\(found.id)) does not follow from the entries before it"
        case (nil, let expected?): return "\(place) (\(expected.id)) is missing"
        case (nil, nil): return "\(place) is missing"
        }
    }
}
