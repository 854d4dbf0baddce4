import ClusterModel
import Persistence
import Quantities
import Scheduling
import WireFormats

/// Opens the store and replays its journal, and proves on the way that what was recorded follows
/// from it: state digests, ledger entries, records.
struct Recovery {
    let store: CentreStore
    var state: CentreState
    /// What follows from the journal and had not been written when the last daemon ended.
    var unwritten = DerivedRows()

    init(_ settings: CentreSettings) throws(OpenFailure) {
        do throws(PersistenceFailure) {
            let folder = try StateFolder(path: settings.stateFolder)
            store = try CentreStore(folder: folder, sizeLimit: settings.sizeLimit)
        } catch {
            throw .store(error)
        }
        state = CentreState(rules: settings.rules)
        try checkRules(settings)
        try replay()
    }

    private func checkRules(_ settings: CentreSettings) throws(OpenFailure) {
        do throws(PersistenceFailure) {
            let fingerprint = settings.rules.fingerprint
            guard let known = try store.reader.meta("fingerprint") else {
                try store.setMeta("machine", settings.rules.machine.name)
                try store.setMeta("policy", settings.rules.policy.name)
                return try store.setMeta("fingerprint", fingerprint)
            }
            guard known != fingerprint else { return }
        } catch {
            throw .store(error)
        }
        let machine = (try? store.reader.meta("machine")) ?? nil
        throw .otherRules(folder: settings.stateFolder, machine: machine ?? "?")
    }

    private mutating func replay() throws(OpenFailure) {
        var state = self.state
        var replayed = DerivedRows()
        do throws(PersistenceFailure) {
            var batch: [LiveInput] = []
            var instant = SimInstant.epoch
            var number: Int64 = 0
            try store.reader.forEachInput { row throws(PersistenceFailure) in
                let input = try LiveInput(row)
                if row.batch != number {
                    try Self.handle(batch, number, instant, &state)
                    batch = []
                    number = row.batch
                    instant = row.instant
                }
                batch.append(input)
            }
            try Self.handle(batch, number, instant, &state)
            replayed = state.takeDerived()
        } catch {
            throw .store(error)
        }
        self.state = state
        unwritten = try missing(replayed)
    }

    private static func handle(
        _ batch: [LiveInput],
        _ number: Int64,
        _ instant: SimInstant,
        _ state: inout CentreState
    ) throws(PersistenceFailure) {
        guard !batch.isEmpty else { return }
        guard number == state.batch + 1, instant > state.lastInstant || state.batch == 0 else {
            throw PersistenceFailure(
                kind: .damaged,
                operation: "replay the journal",
                message: "batch \(number) does not follow batch \(state.batch)"
            )
        }
        _ = state.handle(batch, at: instant)
        _ = state.takeEffects()
    }

    /// What of `replayed` the store lacks.
    ///
    /// - Throws: `OpenFailure` where the store says otherwise.
    private func missing(_ replayed: DerivedRows) throws(OpenFailure) -> DerivedRows {
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
        for row in replayed.digests {
            guard let recorded = digests[row.batch] else {
                missing.digests.append(row)
                continue
            }
            guard recorded == row.value else { throw .digestDiffers(batch: row.batch) }
        }
        for (index, entry) in entries.enumerated() {
            guard index < replayed.ledger.count, replayed.ledger[index] == entry else {
                throw .ledgerDiffers(entry: index + 1, id: entry.id)
            }
        }
        missing.ledger = Array(replayed.ledger.dropFirst(entries.count))
        missing.jobs = replayed.jobs.filter {
            !runs.contains([Int64($0.jobID), Int64($0.restart)])
        }
        return missing
    }
}
