import Billing
import Persistence
import Quantities
import Synchronization

/// The entries of a ledger that the store has, for books that keep the latest ones in memory only. Each row is
/// checked against its hash when it is read.
final class StoredLedger: LedgerShelf {
    private let reader: CentreReader
    private let fault = Mutex<String?>(nil)

    /// How many entries are read at once.
    private static let pageLength = 1_024

    init(_ reader: CentreReader) {
        self.reader = reader
    }

    /// What was wrong when entries were read; what was given instead says nothing.
    var failure: String? { fault.withLock(\.self) }

    func entries(from place: Int, upTo end: Int) -> [LedgerEntry] {
        let count = min(Self.pageLength, end - place)
        do throws(PersistenceFailure) {
            let rows = try reader.ledgerRows(after: Int64(place), upTo: count)
            var entries: [LedgerEntry] = []
            entries.reserveCapacity(count)
            for (index, row) in rows.enumerated() {
                entries.append(try Self.entry(in: row, at: Int64(place + index + 1)))
            }
            guard entries.count == count else {
                throw Self.damaged("row \(place + entries.count + 1) is missing")
            }
            return entries
        } catch {
            note(error)
            return [LedgerEntry](repeating: Self.nothing, count: count)
        }
    }

    func entry(_ id: String, before end: Int) -> (place: Int, entry: LedgerEntry)? {
        do throws(PersistenceFailure) {
            guard let row = try reader.ledgerRow(ofEntry: id), row.sequence <= end else {
                return nil
            }
            return (Int(row.sequence) - 1, try Self.entry(in: row, at: row.sequence))
        } catch {
            note(error)
            return nil
        }
    }

    private static func entry(
        in row: CentreReader.ChainedRow<LedgerRow>,
        at sequence: Int64
    ) throws(PersistenceFailure) -> LedgerEntry {
        guard row.sequence == sequence else { throw damaged("row \(sequence) is missing") }
        guard row.isIntact else {
            throw damaged("row \(sequence) (\(row.content.id)) does not match its hash")
        }
        guard let entry = LedgerEntry(canonicalText: row.content.text), entry.id == row.content.id
        else { throw damaged("row \(sequence) (\(row.content.id)) is no entry") }
        return entry
    }

    private static func damaged(_ message: String) -> PersistenceFailure {
        PersistenceFailure(kind: .damaged, operation: "read the ledger", message: message)
    }

    private func note(_ failure: PersistenceFailure) {
        fault.withLock { $0 = $0 ?? failure.description }
    }

    /// Stands for what cannot be read.
    private static let nothing = LedgerEntry(
        id: "",
        bookedAt: .epoch,
        subject: .reversal(of: ""),
        postings: []
    )
}

extension BillingBook {
    /// Takes all entries into memory that the store has, for whoever goes through them more than once.
    ///
    /// - Throws: `PersistenceFailure` when one is damaged.
    mutating func takeBackEntries(_ reader: CentreReader) throws(PersistenceFailure) {
        let shelf = StoredLedger(reader)
        var entries: [LedgerEntry] = []
        while entries.count < ledger.shelvedCount, shelf.failure == nil {
            entries += shelf.entries(from: entries.count, upTo: ledger.shelvedCount)
        }
        if let failure = shelf.failure {
            throw PersistenceFailure(
                kind: .damaged,
                operation: "read the ledger",
                message: failure
            )
        }
        takeBack(entries)
    }
}
