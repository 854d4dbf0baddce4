import JobModel
import Persistence

/// Holds what follows from a journal against what is stored, piece by piece: however long the journal is, no
/// more of it is in memory than a piece.
///
/// Opening and audit ask the same questions; the audit reads the records too, while opening is content that
/// they are there.
struct DerivedCheck {
    /// What is stored and does not follow from the journal, or the other way round.
    enum Difference {
        case digestChanged(Int64)
        case digestMissing(Int64)
        /// There is one of a batch after the last.
        case digestBeyond(Int64, lastBatch: Int64)
        case entryBroken(row: Int64, id: String)
        case entryGap(row: Int64, found: Int64)
        case entryDiffers(found: CentreReader.ChainedRow<LedgerRow>, expected: LedgerRow)
        case entryMissing(row: Int64, id: String)
        /// The first of those that nothing gives rise to.
        case entryExtra(CentreReader.ChainedRow<LedgerRow>)
        case recordMissing(StoredRun)
        case recordChanged(StoredRun)
        case recordExtra(StoredRun)

        /// Whether it shows without the journal.
        fileprivate var isOfChain: Bool {
            switch self {
            case .entryBroken, .entryGap: true
            default: false
            }
        }
    }

    private let reader: CentreReader
    private let comparesRecords: Bool
    /// Whether all runs are seen that have records.
    private let isWhole: Bool
    /// All that follows from batches before this one must be there: what follows from a batch goes with
    /// the transaction of the next.
    private let lastBatchStored: Int64

    private(set) var differences: [Difference] = []
    /// What is not there, and need not be, since it follows from the last batch.
    private(set) var missing = DerivedRows()

    /// What is still to be compared: of batches before the last, and of the last.
    private var piece = DerivedRows()
    private var lastPiece = DerivedRows()
    private var lastBatch: Int64
    private var runs = RunSet()
    /// The last entry of the ledger that was gone through.
    private var lastEntry: Int64
    /// Whether the ledger's rows are not those of the journal any more, so that comparing says nothing new.
    private var isLedgerLost = false

    /// - Parameters:
    ///   - reader: a store to which nothing is added meanwhile.
    ///   - state: what the journal gives up to where the comparison begins.
    init(
        _ reader: CentreReader,
        after state: CentreState,
        comparesRecords: Bool
    ) throws(PersistenceFailure) {
        self.reader = reader
        (lastBatch, lastEntry) = (state.batch, state.ledgerLength)
        self.comparesRecords = comparesRecords
        isWhole = state.batch == 0
        lastBatchStored = try reader.lastBatch()
    }

    /// How many rows are compared at once.
    private static let pieceLength = 1_024

    /// Takes what followed from the next batch.
    mutating func take(_ batch: Int64, _ derived: DerivedRows) throws(PersistenceFailure) {
        lastBatch = batch
        guard batch < lastBatchStored else { return lastPiece.append(derived) }
        piece.append(derived)
        if piece.count >= Self.pieceLength { try compare() }
    }

    /// Compares what is left, and looks for what nothing gives rise to.
    mutating func finish() throws(PersistenceFailure) {
        try compare()
        (piece, lastPiece) = (lastPiece, piece)
        try compare(isLast: true)
        let others =
            try reader.digests(of: lastBatch + 1 ... .max).keys.sorted(by: >)
            + reader.digests(of: .min...0).keys.sorted()
        differences += others.map { .digestBeyond($0, lastBatch: lastBatch) }
        if !isLedgerLost, let extra = try reader.ledgerRows(after: lastEntry, upTo: 1).first {
            differences.append(.entryExtra(extra))
        }
        differences += try chainDifferences(after: lastEntry)
        if comparesRecords, isWhole {
            differences += try reader.recordedRuns(notIn: runs).map { .recordExtra($0) }
        }
    }

    /// What of the ledger alone is wrong, where the journal cannot say what is to be in it.
    func differencesOfChain() throws(PersistenceFailure) -> [Difference] {
        try differences.filter(\.isOfChain) + chainDifferences(after: lastEntry)
    }

    private mutating func compare(isLast: Bool = false) throws(PersistenceFailure) {
        try compareDigests(isLast)
        if !isLedgerLost { try compareLedger(isLast) }
        try compareRecords(isLast)
        piece = DerivedRows()
    }

    private mutating func compareDigests(_ isLast: Bool) throws(PersistenceFailure) {
        guard let first = piece.digests.first?.batch, let last = piece.digests.last?.batch
        else { return }
        let stored = try reader.digests(of: first...last)
        for row in piece.digests {
            switch stored[row.batch] {
            case row.value?: break
            case .some: differences.append(.digestChanged(row.batch))
            case nil where isLast: missing.digests.append(row)
            case nil: differences.append(.digestMissing(row.batch))
            }
        }
    }

    private mutating func compareLedger(_ isLast: Bool) throws(PersistenceFailure) {
        guard !piece.ledger.isEmpty else { return }
        let stored = try reader.ledgerRows(after: lastEntry, upTo: piece.ledger.count)
        for (index, expected) in piece.ledger.enumerated() {
            guard index < stored.count else {
                if isLast {
                    missing.ledger += piece.ledger[index...]
                } else {
                    differences.append(.entryMissing(row: lastEntry + 1, id: expected.id))
                    isLedgerLost = true
                }
                return
            }
            let found = stored[index]
            guard found.sequence == lastEntry + 1 else {
                // The chain's own walk tells where.
                isLedgerLost = true
                return
            }
            if let broken = Self.broken(found) { differences.append(broken) }
            if found.content != expected {
                differences.append(.entryDiffers(found: found, expected: expected))
            }
            lastEntry = found.sequence
            guard found.content.id == expected.id else {
                isLedgerLost = true
                return
            }
        }
    }

    private mutating func compareRecords(_ isLast: Bool) throws(PersistenceFailure) {
        let wanted = piece.jobs.map { StoredRun($0) }
        piece.jobs.forEach { runs.insert($0) }
        let says: [Bool?]
        if comparesRecords {
            let stored = try reader.jobRows(of: wanted)
            says = zip(stored, piece.jobs).map { $0?.says($1) }
        } else {
            says = try reader.haveRecords(wanted).map { $0 ? true : nil }
        }
        for (index, isSame) in says.enumerated() {
            switch isSame {
            case true?: break
            case false?: differences.append(.recordChanged(wanted[index]))
            case nil where isLast: missing.jobs.append(piece.jobs[index])
            case nil: differences.append(.recordMissing(wanted[index]))
            }
        }
    }

    private static func broken(_ row: CentreReader.ChainedRow<LedgerRow>) -> Difference? {
        row.isIntact ? nil : .entryBroken(row: row.sequence, id: row.content.id)
    }

    /// What is wrong with the ledger's own chain after a row.
    private func chainDifferences(after row: Int64) throws(PersistenceFailure) -> [Difference] {
        var found: [Difference] = []
        var last = row
        while true {
            let page = try reader.ledgerRows(after: last, upTo: Self.pieceLength)
            for row in page {
                guard row.sequence == last + 1 else {
                    return found + [.entryGap(row: last + 1, found: row.sequence)]
                }
                if let broken = Self.broken(row) { found.append(broken) }
                last = row.sequence
            }
            guard page.count == Self.pieceLength else { return found }
        }
    }
}
