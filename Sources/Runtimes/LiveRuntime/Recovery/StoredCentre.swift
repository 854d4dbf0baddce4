public import Billing
public import ClusterModel
import Persistence
public import Quantities

/// The books of a centre as its state folder has them, computed from the journal; no daemon is
/// needed, and one that runs is not disturbed.
public struct StoredCentre: Sendable {
    /// The books.
    public let book: BillingBook
    /// The end of the ledger's hash chain, in hexadecimal.
    public let ledgerHead: String
    /// The centre's time of the last input.
    public let lastInstant: SimInstant

    /// Takes the state after the journal of a state folder: from its last image, and what came after it.
    ///
    /// - Parameter machine: what the centre is said to be; nil for what its journal says. Only a
    ///   journal of an earlier version needs it.
    /// - Throws: `OpenFailure` when it cannot be read or belongs to another machine.
    public init(stateFolder: String, machine: Machine? = nil) throws(OpenFailure) {
        let reader = try StoredRules.reader(stateFolder)
        let known = try StoredRules(reader, stateFolder)
        let state = try CentreState.stored(reader, stateFolder, known.rules(with: machine))
        var book = state.book
        do throws(PersistenceFailure) {
            try book.takeBackEntries(reader)
        } catch {
            throw .store(error)
        }
        self.book = book
        ledgerHead = state.ledgerChain.hexText
        lastInstant = state.lastInstant
    }
}

extension CentreState {
    /// The state of a stored centre after its last input.
    static func stored(
        _ reader: CentreReader,
        _ folder: String,
        _ rules: CentreRules
    ) throws(OpenFailure) -> CentreState {
        var point = OpeningPoint(reader, stateFolder: folder, rules)
        return try point.state { state throws(OpenFailure) in
            do throws(PersistenceFailure) {
                try state.replay(reader, putsAway: true) { _, _ in }
            } catch {
                throw .store(error)
            }
        }
    }
}

// MARK: - Audit

/// Proves what a state folder says: every row of every table against its hash and against what
/// follows from the journal.
///
/// Usage, charges, grants, holds, records and state digests are computed again from the inputs in
/// the journal, with the machine, and with the prices and rules that the journal holds. What was
/// changed, is missing or stands there although nothing gives rise to it is named by table and row.
public struct CentreAudit: Sendable {
    /// What is wrong, in the order of the tables; empty when nothing is.
    public private(set) var findings: [String] = []
    /// The inputs in the journal.
    public private(set) var inputCount = 0
    /// The files in which archived inputs are.
    public private(set) var segmentCount = 0
    /// The rows of the ledger.
    public private(set) var entryCount: Int64 = 0
    /// The charges, grants and other entries that were computed again.
    public private(set) var countByKind: [(kind: LedgerEntry.Kind, count: Int)] = []
    /// The records of ended runs.
    public private(set) var recordCount: Int64 = 0
    /// The state digests.
    public private(set) var digestCount: Int64 = 0
    /// The end of the stored ledger's hash chain.
    public private(set) var ledgerHead = ""
    /// The row after which the chain had the head asked for; nil when none was asked for, or never.
    public private(set) var anchorRow: Int64?
    /// Whether rows that follow from the last batch are not written yet, as when a daemon runs or was
    /// killed: they are written with the next.
    public private(set) var lastBatchIsOpen = false
    /// Where the books stand, to be kept elsewhere.
    public private(set) var standing = CentreAnchor()

    /// Audits a state folder.
    ///
    /// - Parameters:
    ///   - machine: as for `StoredCentre`.
    ///   - anchor: a ledger head that a statement bears; it must occur in the chain.
    ///   - anchors: where the books stood, as was kept elsewhere; they must have grown from there.
    /// - Throws: `OpenFailure` when the folder cannot be read at all.
    public init(
        stateFolder: String,
        machine: Machine? = nil,
        anchor: String? = nil,
        anchors: [CentreAnchor] = []
    ) throws(OpenFailure) {
        let reader = try StoredRules.reader(stateFolder, isFixed: true)
        let known = try StoredRules(reader, stateFolder)
        var state = CentreState(rules: try known.rules(with: machine))
        var check: DerivedCheck
        do throws(PersistenceFailure) {
            try takeArchive(reader, stateFolder, &state)
            check = try DerivedCheck(reader, after: state, comparesRecords: true)
            findings += try reader.schemaFindings()
            if let finding = try reader.headFinding(folder: stateFolder) {
                findings.append("journal: \(finding)")
            }
            (entryCount, ledgerHead) = try reader.ledgerEnd()
            recordCount = try reader.jobCount()
            digestCount = try reader.digestCount()
            if let anchor { try self.check(anchor: anchor.lowercased(), reader) }
        } catch {
            throw .store(error)
        }
        do throws(PersistenceFailure) {
            let images = ImageFolder(stateFolder: stateFolder)
            let batches = Set(images.batches)
            try state.replay(reader) { state, derived throws(PersistenceFailure) in
                try check.take(state.batch, derived)
                guard batches.contains(state.batch) else { return }
                if let finding = try CentreImage.finding(images, reader, state) {
                    findings.append(finding)
                }
            }
            try check.finish()
            findings += check.differences.map(\.finding)
            lastBatchIsOpen = !check.missing.isEmpty
            standing = try CentreAnchor(state, reader)
            for anchor in anchors { findings += try anchor.findings(reader) }
            findings += state.book.ledger.faults().map { "ledger: \($0)" }
        } catch {
            do throws(PersistenceFailure) {
                findings += try check.differencesOfChain().map(\.finding)
            } catch {
                findings.append(error.message)
            }
            findings.append(error.message)
            findings.append("the other tables cannot be compared with a damaged journal")
        }
        inputCount = Int(state.journalLength)
        var counts: [LedgerEntry.Kind: Int] = [:]
        for entry in state.book.ledger.entries { counts[entry.subject.kind, default: 0] += 1 }
        countByKind = counts.sorted { $0.key.rawValue < $1.key.rawValue }.map { ($0.key, $0.value) }
    }

    /// Looks at the files of the archive. Where one is not what it was, the audit begins at the first image behind
    /// it.
    private mutating func takeArchive(
        _ reader: CentreReader,
        _ stateFolder: String,
        _ state: inout CentreState
    ) throws(PersistenceFailure) {
        let segments = try reader.archivedSegments()
        segmentCount = segments.count
        let damaged = try reader.segmentFindings()
        guard let last = damaged.last else { return }
        findings += damaged.map { "journal: \($0.text)" }
        let images = ImageFolder(stateFolder: stateFolder)
        for batch in images.batches.reversed() {
            guard let image = try? CentreImage(batch, in: images, reader, state.rules).state,
                image.journalLength >= last.segment.last
            else { continue }
            state = image
            findings.append(
                "journal: the audit begins at the image of batch \(batch), behind what is damaged"
            )
            return
        }
    }

    private mutating func check(
        anchor: String,
        _ reader: CentreReader
    ) throws(PersistenceFailure) {
        anchorRow = anchor == HashChain().hexText ? 0 : try reader.ledgerRow(withHash: anchor)
        if anchorRow == nil {
            findings.append(
                "ledger: the chain never had the head \(anchor); the books are not those of that"
                    + " statement"
            )
        }
    }
}

extension DerivedCheck.Difference {
    /// What an audit says of it.
    fileprivate var finding: String {
        func record(_ run: StoredRun) -> String {
            "job: the record of run \(run.restart) of job \(run.job)"
        }
        return switch self {
        case .digestChanged(let batch): "digest: the row of batch \(batch) was changed"
        case .digestMissing(let batch): "digest: the row of batch \(batch) is missing"
        case .digestBeyond(let batch, let last):
            "digest: there is a row of batch \(batch), but the journal ends with \(last)"
        case .entryBroken(let row, let id): "ledger: row \(row) (\(id)) does not match its hash"
        case .entryGap(let row, let found):
            "ledger: row \(row) is missing; row \(found) stands in its place"
        case .entryDiffers(let found, let row) where found.content.id == row.id:
            "ledger: row \(found.sequence) (\(row.id)) is not what the journal gives\n"
                + "  found     \(found.content.text)\n  expected  \(row.text)"
        case .entryDiffers(let found, let row):
            "ledger: row \(found.sequence) (\(found.content.id)) does not follow from the"
                + " journal, which gives \(row.id) there"
        case .entryMissing(_, let id):
            "ledger: the entry \(id) was not booked; the ledger ends early"
        case .entryExtra(let found):
            "ledger: row \(found.sequence) (\(found.content.id)) does not follow from the"
                + " journal, which gives no more entries"
        case .recordMissing(let run): "\(record(run)) is missing"
        case .recordChanged(let run): "\(record(run)) was changed"
        case .recordExtra(let run):
            "job: no run of the journal gives the record of run \(run.restart) of job \(run.job)"
        }
    }
}
