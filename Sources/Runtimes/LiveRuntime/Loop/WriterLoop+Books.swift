import Billing
import Logging
import Persistence
import SlurmDialect
import WireFormats

// What lies in the store, and what is said when it does not get there.

extension WriterLoop {
    /// Lets entries of the ledger go from memory that are in the store.
    func putAwayEntries() {
        guard store.ledgerLength == state.ledgerLength else { return }
        state.book.putAwayEntries(onto: shelf)
    }

    /// Ends the daemon when what was handled went by entries of the ledger that cannot be read: the state may be
    /// wrong, and the journal has it all. Refunds and closings of pools are tried before they are journalled; the end of a
    /// job whose claim waits for a pool is not.
    func checkBooks() {
        guard let failure = state.book.ledger.failure else { return }
        logger.critical("\(failure)")
        preconditionFailure(failure)
    }

    /// What somebody is told whose inputs were not journalled.
    static func failure(_ error: PersistenceFailure) -> RequestFailure {
        let isFull = error.kind == .full
        return RequestFailure(
            status: isFull ? 507 : 500,
            body: ErrorBody(
                code: isFull ? "no_space" : SlurmError.unspecified.rawValue,
                text: isFull
                    ? "No space left on device: the centre's journal cannot grow, nothing was taken"
                    : error.description
            )
        )
    }
}
