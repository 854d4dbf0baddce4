import Logging
import Persistence
import Quantities

/// Opens the store and replays its journal, and proves on the way that what was recorded follows
/// from it: state digests, ledger entries, records.
struct Recovery {
    let store: CentreStore
    var state: CentreState
    /// What follows from the journal and had not been written when the last daemon ended.
    var unwritten = DerivedRows()
    /// Whether the journal holds the machine; a new one does not yet.
    let isMachineJournalled: Bool

    init(_ settings: CentreSettings, in folder: StateFolder) throws(OpenFailure) {
        do throws(PersistenceFailure) {
            store = try CentreStore(
                folder: folder,
                sizeLimit: settings.sizeLimit,
                origin: settings.origin
            )
        } catch {
            throw .store(error)
        }
        let known = try StoredRules(store.reader, settings.stateFolder)
        let rules = try known.rules(for: settings)
        // Before anything is written: a folder is not bound to rules under which nothing can start.
        if let problem = rules.policyProblem { throw .unfitPolicy(problem) }
        state = CentreState(rules: rules)
        isMachineJournalled = known.isJournalled
        try replay()
        do throws(PersistenceFailure) {
            try store.note(settings.version, as: Self.writerName)
        } catch {
            // The disk may be full; the centre opens all the same.
            settings.logger.warning("\(error)")
        }
    }

    /// The name under which the store keeps which version decided last.
    private static let writerName = "program"

    private mutating func replay() throws(OpenFailure) {
        var check: DerivedCheck
        do throws(PersistenceFailure) {
            check = try DerivedCheck(store.reader, comparesRecords: false)
            try state.replay(store.reader) { batch, derived throws(PersistenceFailure) in
                guard check.differences.isEmpty else { return }
                try check.take(batch, derived)
            }
            try check.finish()
        } catch {
            throw .store(error)
        }
        if let difference = check.differences.first {
            throw OpenFailure(difference, writer: try? store.reader.meta(Self.writerName))
        }
        unwritten = check.missing
    }
}

extension OpenFailure {
    /// Why a centre is not opened whose tables do not follow from its journal.
    fileprivate init(_ difference: DerivedCheck.Difference, writer: String?) {
        func damaged(_ message: String) -> OpenFailure {
            .store(
                PersistenceFailure(
                    kind: .damaged,
                    operation: "check the ledger",
                    message: message
                )
            )
        }
        self =
            switch difference {
            case .digestChanged(let batch): .digestDiffers(batch: batch, writer: writer)
            case .digestMissing(let batch): .rowMissing("the state digest of batch \(batch)")
            case .digestBeyond(let batch, let last):
                .journalCut(lastBatch: last, recordedBatch: batch)
            case .entryBroken(let row, let id):
                damaged("row \(row) (\(id)) does not match its hash")
            case .entryGap(let row, _): damaged("row \(row) is missing")
            case .entryDiffers(let found, _), .entryExtra(let found):
                .ledgerDiffers(entry: Int(found.sequence), id: found.content.id)
            case .entryMissing(let row, let id): .rowMissing("entry \(row) (\(id)) of the ledger")
            case .recordMissing(let run), .recordChanged(let run), .recordExtra(let run):
                .rowMissing("the record of run \(run.restart) of job \(run.job)")
            }
    }
}

extension CentreState {
    /// Handles a journal batch by batch; `body` gets the number of each and what followed from it.
    ///
    /// - Throws: `PersistenceFailure` when a row is damaged or a batch does not follow the one before; and what
    ///   `body` throws.
    mutating func replay(
        _ reader: CentreReader,
        _ body: (Int64, DerivedRows) throws(PersistenceFailure) -> Void
    ) throws(PersistenceFailure) {
        var inputs: [LiveInput] = []
        var (number, instant) = (Int64(0), SimInstant.epoch)
        var handled = self
        func finish() throws(PersistenceFailure) {
            guard !inputs.isEmpty else { return }
            guard number == handled.batch + 1, instant > handled.lastInstant || handled.batch == 0
            else {
                throw PersistenceFailure(
                    kind: .damaged,
                    operation: "replay the journal",
                    message: "batch \(number) does not follow batch \(handled.batch)"
                )
            }
            _ = handled.handle(inputs, at: instant)
            _ = handled.takeEffects()
            try body(number, handled.takeDerived())
        }
        try reader.forEachInput { row throws(PersistenceFailure) in
            let input = try LiveInput(row)
            if row.batch != number {
                try finish()
                inputs = []
                (number, instant) = (row.batch, row.instant)
            }
            inputs.append(input)
        }
        try finish()
        self = handled
    }
}
