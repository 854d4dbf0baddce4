import Billing
import Logging
import Persistence
import Quantities

/// Opens the store and replays its journal, and proves on the way that what was recorded follows
/// from it: state digests, ledger entries, records.
struct Recovery {
    let store: CentreStore
    var state: CentreState
    /// What follows from the journal and had not been written when the last daemon ended.
    var unwritten: DerivedRows
    /// The rows of the journal that were not handled again, since an image has what they gave.
    let imageLength: Int64
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
        isMachineJournalled = known.isJournalled
        let usesImages = try Self.usesImages(store.reader, settings)
        var point = OpeningPoint(
            store.reader,
            stateFolder: settings.stateFolder,
            rules,
            usesImages: usesImages
        )
        (state, unwritten) = try Self.opened(&point, store.reader)
        for note in point.passedOver { settings.logger.warning("\(note)") }
        try Self.tellOfArchive(store.reader, settings)
        if let start = point.start {
            let tail = state.journalLength - start.journalLength
            settings.logger.info(
                "opened with the image of batch \(start.batch) and \(tail) inputs after it"
            )
        } else if usesImages, state.journalLength > 0 {
            settings.logger.warning(
                "no image is of use: the journal was handled again from its first input"
            )
        }
        imageLength = point.start?.journalLength ?? 0
        do throws(PersistenceFailure) {
            // In this order: a version is not forgotten when the disk is full between the two.
            if let writer = try store.reader.meta(Self.writerName), writer != settings.version {
                try store.note("yes", as: Self.hasManyWritersName)
            }
            try store.note(settings.version, as: Self.writerName)
        } catch {
            // The disk may be full; the centre opens all the same.
            settings.logger.warning("\(error)")
        }
    }

    /// The name under which the store keeps which version decided last.
    private static let writerName = CentreStore.programName
    /// The name under which it keeps that versions before have decided too.
    private static let hasManyWritersName = "several programs"

    /// How many bytes of an image count as much as an input: few inputs may stand for many jobs.
    private static let imageBytesPerInput: Int64 = 256

    /// A short journal is handled again as a whole, and every row is checked on the way; but not one of a
    /// large state, and not one of which another version ever wrote a part, since that may have decided
    /// otherwise.
    private static func usesImages(
        _ reader: CentreReader,
        _ settings: CentreSettings
    ) throws(OpenFailure) -> Bool {
        do throws(PersistenceFailure) {
            if let writer = try reader.meta(writerName), writer != settings.version { return true }
            if try reader.meta(hasManyWritersName) != nil { return true }
            // Archived is what an image holds.
            if try !reader.archivedSegments().isEmpty { return true }
            let size = ImageFolder(stateFolder: settings.stateFolder).lastSize
            if size / imageBytesPerInput >= settings.imageInterval { return true }
            return try reader.journalLength() >= settings.imageInterval
        } catch {
            throw .store(error)
        }
    }

    /// Tells which archived stretches of the journal are not what they were. The centre opens without them: what
    /// they gave is in its image, and proved by digest and ledger. What is in them an audit proves, and whoever reads
    /// a row: an opening that read them all would take longer with each year.
    private static func tellOfArchive(
        _ reader: CentreReader,
        _ settings: CentreSettings
    ) throws(OpenFailure) {
        do throws(PersistenceFailure) {
            for finding in try reader.segmentFindings(readsAll: false) {
                settings.logger.error("\(finding.advice)")
            }
        } catch {
            throw .store(error)
        }
    }

    /// The state after the whole journal, and what of what follows from it is not written.
    private static func opened(
        _ point: inout OpeningPoint,
        _ reader: CentreReader
    ) throws(OpenFailure) -> (CentreState, DerivedRows) {
        var unwritten = DerivedRows()
        let state = try point.state { state throws(OpenFailure) in
            var check: DerivedCheck
            do throws(PersistenceFailure) {
                check = try DerivedCheck(reader, after: state, comparesRecords: false)
                try state.replay(reader, putsAway: true) {
                    state,
                    derived throws(PersistenceFailure) in
                    guard check.differences.isEmpty else { return }
                    try check.take(state.batch, derived)
                }
                try check.finish()
            } catch {
                throw .store(error)
            }
            if let difference = check.differences.first {
                throw OpenFailure(difference, writer: try? reader.meta(writerName))
            }
            unwritten = check.missing
        }
        return (state, unwritten)
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
    /// Handles what comes after this state in a journal, batch by batch; `body` gets the state after each and
    /// what followed from it.
    ///
    /// - Parameter putsAway: whether entries of the ledger that the store has need not stay in memory.
    /// - Throws: `PersistenceFailure` when a row is damaged or a batch does not follow the one before; and what
    ///   `body` throws.
    mutating func replay(
        _ reader: CentreReader,
        putsAway: Bool = false,
        _ body: (CentreState, DerivedRows) throws(PersistenceFailure) -> Void
    ) throws(PersistenceFailure) {
        let storedLength = putsAway ? try reader.ledgerEnd().length : 0
        let shelf = StoredLedger(reader)
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
            if let failure = handled.book.ledger.failure {
                throw PersistenceFailure(
                    kind: .damaged,
                    operation: "replay the journal",
                    message: failure
                )
            }
            _ = handled.takeEffects()
            let derived = handled.takeDerived()
            if handled.ledgerLength <= storedLength {
                handled.book.putAwayEntries(onto: shelf)
            }
            try body(handled, derived)
        }
        try reader.forEachInput(after: journalLength) { row throws(PersistenceFailure) in
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

extension SegmentFinding {
    /// What the log says of it.
    var advice: String {
        "\(text): put it back from a backup; until then no audit goes back that far"
    }
}
