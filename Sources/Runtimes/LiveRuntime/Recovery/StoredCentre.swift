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

    /// Replays the journal of a state folder.
    ///
    /// - Parameter machine: what the centre is said to be; nil for what its journal says. Only a
    ///   journal of an earlier version needs it.
    /// - Throws: `OpenFailure` when it cannot be read or belongs to another machine.
    public init(stateFolder: String, machine: Machine? = nil) throws(OpenFailure) {
        let reader = try StoredRules.reader(stateFolder)
        let known = try StoredRules(reader, stateFolder)
        var state = CentreState(rules: try known.rules(with: machine))
        do throws(PersistenceFailure) {
            try state.replay(reader) { _, _ in }
        } catch {
            throw .store(error)
        }
        book = state.book
        ledgerHead = state.ledgerChain.hexText
        lastInstant = state.lastInstant
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
    /// The rows of the ledger.
    public private(set) var entryCount = 0
    /// The charges, grants and other entries that were computed again.
    public private(set) var countByKind: [(kind: String, count: Int)] = []
    /// The records of ended runs.
    public private(set) var recordCount = 0
    /// The state digests.
    public private(set) var digestCount = 0
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
        let reader = try StoredRules.reader(stateFolder)
        let known = try StoredRules(reader, stateFolder)
        var state = CentreState(rules: try known.rules(with: machine))
        let stored: Stored
        do throws(PersistenceFailure) {
            // What follows from inputs is read before them: a daemon that runs writes it after.
            stored = try Stored(reader)
            findings += try reader.schemaFindings()
            if let finding = try reader.headFinding(folder: stateFolder) {
                findings.append("journal: \(finding)")
            }
        } catch {
            throw .store(error)
        }
        checkChain(stored.ledger)
        if let anchor { check(anchor: anchor.lowercased(), stored.ledger) }
        var comparison = Comparison(stored)
        do throws(PersistenceFailure) {
            var last: JournalRow?
            try reader.forEachInput { row throws(PersistenceFailure) in
                inputCount += 1
                last = row
            }
            try state.replay(reader) { number, derived in
                comparison.take(number, derived)
            }
            comparison.finish()
            findings += comparison.findings
            lastBatchIsOpen = comparison.hasUnwritten
            standing = try CentreAnchor(last, reader, ledger: stored.ledger.last)
            for anchor in anchors {
                findings += try anchor.findings(reader, ledger: stored.ledger)
            }
            findings += state.book.ledger.faults().map { "ledger: \($0)" }
        } catch {
            findings.append(error.message)
            findings.append("the other tables cannot be compared with a damaged journal")
        }
        recordCount = stored.jobs.count
        digestCount = stored.digests.count
        var counts: [String: Int] = [:]
        for entry in state.book.ledger.entries { counts[entry.subject.kindName, default: 0] += 1 }
        countByKind = counts.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    private mutating func checkChain(_ rows: [CentreReader.ChainedRow<LedgerRow>]) {
        entryCount = rows.count
        ledgerHead = rows.last?.hash ?? HashChain().hexText
        for (index, row) in rows.enumerated() {
            if row.sequence != Int64(index + 1) {
                findings.append(
                    "ledger: row \(index + 1) is missing; row \(row.sequence) stands in its place"
                )
                break
            }
            if !row.isIntact {
                findings.append(
                    "ledger: row \(row.sequence) (\(row.content.id)) does not match its hash"
                )
            }
        }
    }

    private mutating func check(
        anchor: String,
        _ rows: [CentreReader.ChainedRow<LedgerRow>]
    ) {
        if anchor == HashChain().hexText {
            anchorRow = 0
        } else {
            anchorRow = rows.first { $0.hash == anchor }?.sequence
        }
        if anchorRow == nil {
            findings.append(
                "ledger: the chain never had the head \(anchor); the books are not those of that"
                    + " statement"
            )
        }
    }
}

/// The tables that follow from the journal, and the last batch that the journal had before they were
/// read.
private struct Stored: Sendable {
    var lastBatch: Int64
    var ledger: [CentreReader.ChainedRow<LedgerRow>]
    var digests: [Int64: UInt64]
    var jobs: [CentreReader.StoredJobRow]

    init(_ reader: CentreReader) throws(PersistenceFailure) {
        lastBatch = try reader.lastBatch()
        ledger = try reader.ledgerRows()
        digests = try reader.digests()
        jobs = try reader.jobRows()
    }
}

/// Compares what is stored with what follows from the journal.
private struct Comparison {
    private struct Run: Hashable {
        var id: Int64
        var restart: Int64
    }

    private let ledger: [CentreReader.ChainedRow<LedgerRow>]
    private let digests: [Int64: UInt64]
    private var jobs: [Run: CentreReader.StoredJobRow]
    /// All that follows from batches before this one must be there.
    private let lastBatchBefore: Int64
    private var position = 0
    private var lastBatch: Int64 = 0
    private(set) var findings: [String] = []
    private(set) var hasUnwritten = false
    private var hasLedgerDifference = false

    init(_ stored: Stored) {
        ledger = stored.ledger
        digests = stored.digests
        lastBatchBefore = stored.lastBatch
        jobs = Dictionary(
            stored.jobs.map { (Run(id: $0.id, restart: $0.restart), $0) },
            uniquingKeysWith: { first, _ in first }
        )
    }

    mutating func take(_ batch: Int64, _ derived: DerivedRows) {
        lastBatch = batch
        let mustBeThere = batch < lastBatchBefore
        for row in derived.digests {
            switch digests[row.batch] {
            case row.value?: break
            case .some: findings.append("digest: the row of batch \(row.batch) was changed")
            case nil:
                hasUnwritten = true
                if mustBeThere { findings.append("digest: the row of batch \(batch) is missing") }
            }
        }
        for row in derived.ledger { take(row, mustBeThere: mustBeThere) }
        for row in derived.jobs {
            let name = "job: the record of run \(row.restart) of job \(row.jobID)"
            let run = Run(id: Int64(row.jobID), restart: Int64(row.restart))
            guard let stored = jobs.removeValue(forKey: run) else {
                hasUnwritten = true
                if mustBeThere { findings.append("\(name) is missing") }
                continue
            }
            if !stored.says(row) { findings.append("\(name) was changed") }
        }
    }

    private mutating func take(_ row: LedgerRow, mustBeThere: Bool) {
        guard !hasLedgerDifference else { return }
        guard position < ledger.count else {
            hasUnwritten = true
            if mustBeThere {
                findings.append("ledger: the entry \(row.id) was not booked; the ledger ends early")
                hasLedgerDifference = true
            }
            return
        }
        let found = ledger[position]
        position += 1
        guard found.content != row else { return }
        if found.content.id == row.id {
            findings.append(
                "ledger: row \(found.sequence) (\(row.id)) is not what the journal gives\n"
                    + "  found     \(found.content.text)\n  expected  \(row.text)"
            )
        } else {
            findings.append(
                "ledger: row \(found.sequence) (\(found.content.id)) does not follow from the"
                    + " journal, which gives \(row.id) there"
            )
            hasLedgerDifference = true
        }
    }

    /// What is there although nothing gives rise to it.
    mutating func finish() {
        if !hasLedgerDifference, position < ledger.count {
            let extra = ledger[position]
            findings.append(
                "ledger: row \(extra.sequence) (\(extra.content.id)) does not follow from the"
                    + " journal, which gives no more entries"
            )
        }
        for batch in digests.keys.sorted() where batch > lastBatch || batch < 1 {
            findings.append(
                "digest: there is a row of batch \(batch), but the journal ends with \(lastBatch)"
            )
        }
        for run in jobs.keys.sorted(by: { ($0.id, $0.restart) < ($1.id, $1.restart) }) {
            findings.append(
                "job: no run of the journal gives the record of run \(run.restart) of job \(run.id)"
            )
        }
    }
}
