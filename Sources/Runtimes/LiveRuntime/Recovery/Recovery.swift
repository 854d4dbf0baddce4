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
        var replayed = DerivedRows()
        var written = WrittenCounts()
        do throws(PersistenceFailure) {
            try state.replay(store.reader) { _, derived in
                written = WrittenCounts(replayed)
                replayed.digests += derived.digests
                replayed.jobs += derived.jobs
                replayed.ledger += derived.ledger
            }
        } catch {
            throw .store(error)
        }
        unwritten = try missing(replayed, written)
    }

    /// How many of the rows that follow from the journal must have been written: what follows from a
    /// batch goes with the transaction of the next one.
    private struct WrittenCounts {
        var digests = 0
        var ledger = 0
        var jobs = 0

        init() {}

        init(_ rows: DerivedRows) {
            (digests, ledger, jobs) = (rows.digests.count, rows.ledger.count, rows.jobs.count)
        }
    }

    /// What of `replayed` the store lacks, and may lack since it follows from the last batch.
    ///
    /// - Throws: `OpenFailure` where the store says otherwise.
    private func missing(
        _ replayed: DerivedRows,
        _ written: WrittenCounts
    ) throws(OpenFailure) -> DerivedRows {
        let digests: [Int64: UInt64]
        var entries: [LedgerRow] = []
        let runs: Set<[Int64]>
        do throws(PersistenceFailure) {
            digests = try store.reader.digests()
            try store.reader.forEachLedgerEntry { entries.append($0) }
            runs = try store.reader.jobRuns()
        } catch {
            throw .store(error)
        }
        if let recorded = digests.keys.max(), recorded > state.batch {
            throw .journalCut(lastBatch: state.batch, recordedBatch: recorded)
        }
        var missing = DerivedRows()
        for (index, row) in replayed.digests.enumerated() {
            guard let recorded = digests[row.batch] else {
                guard index >= written.digests else {
                    throw .rowMissing("the state digest of batch \(row.batch)")
                }
                missing.digests.append(row)
                continue
            }
            guard recorded == row.value else {
                let writer = try? store.reader.meta(Self.writerName)
                throw .digestDiffers(batch: row.batch, writer: writer)
            }
        }
        for (index, entry) in entries.enumerated() {
            guard index < replayed.ledger.count, replayed.ledger[index] == entry else {
                throw .ledgerDiffers(entry: index + 1, id: entry.id)
            }
        }
        guard entries.count >= written.ledger else {
            let id = replayed.ledger[entries.count].id
            throw .rowMissing("entry \(entries.count + 1) (\(id)) of the ledger")
        }
        missing.ledger = Array(replayed.ledger.dropFirst(entries.count))
        for (index, row) in replayed.jobs.enumerated()
        where !runs.contains([Int64(row.jobID), Int64(row.restart)]) {
            guard index >= written.jobs else {
                throw .rowMissing("the record of run \(row.restart) of job \(row.jobID)")
            }
            missing.jobs.append(row)
        }
        return missing
    }
}

extension CentreState {
    /// Handles a journal batch by batch; `body` gets the number of each and what followed from it.
    ///
    /// - Throws: `PersistenceFailure` when a row is damaged or a batch does not follow the one before.
    mutating func replay(
        _ reader: CentreReader,
        _ body: (Int64, DerivedRows) -> Void
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
            body(number, handled.takeDerived())
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
