import ArgumentParser
import Billing
import ClusterModel
import Persistence

/// The books of a centre as they stand in its state folder; no daemon is needed.
struct StoredBook: ParsableArguments {
    @Option(help: ArgumentHelp("The state folder of the centre.", valueName: "folder"))
    var state: String

    @Option(help: "The machine; by default the one that the folder belongs to.")
    var machine: String?

    /// What was read.
    struct Contents {
        var reader: CentreReader
        var machine: Machine
        var entries: [LedgerEntry]
    }

    /// Reads the ledger and checks its hash chain.
    func read() throws -> Contents { try Self.read(state: state, machine: machine) }

    /// Reads the ledger into books.
    func book() throws -> BillingBook { try Self.book(state: state, machine: machine) }

    /// Reads the ledger of a state folder and checks its hash chain.
    static func read(state: String, machine: String?) throws -> Contents {
        let reader = try CentreReader(stateFolder: state)
        guard let name = try machine ?? reader.meta("machine") else {
            throw Refusal("\(state): does not say which machine it belongs to; give --machine")
        }
        var entries: [LedgerEntry] = []
        try reader.forEachLedgerEntry { (row) throws(PersistenceFailure) in
            guard let entry = LedgerEntry(canonicalText: row.text), entry.id == row.id else {
                throw PersistenceFailure(
                    kind: .damaged,
                    operation: "check the ledger",
                    message: "row \(entries.count + 1) (\(row.id)) is no entry"
                )
            }
            entries.append(entry)
        }
        return Contents(reader: reader, machine: try MachineChoice.machine(name), entries: entries)
    }

    /// Reads the ledger of a state folder into books.
    static func book(state: String, machine: String? = nil) throws -> BillingBook {
        let contents = try read(state: state, machine: machine)
        var book = BillingBook(machine: contents.machine)
        for entry in contents.entries { try book.restore(entry) }
        return book
    }
}
