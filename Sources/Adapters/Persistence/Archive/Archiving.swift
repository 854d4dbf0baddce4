import Foundation
import GRDB
public import WireFormats

/// The work of archiving a store: what of the journal the last image holds goes into files, and the long texts of
/// records and entries are packed. It reads only, beside a daemon or without one; who writes takes its steps.
public struct Archiving: Sendable {
    private let reader: CentreReader
    private let folder: String
    /// The last row that may be archived.
    private let end: Int64
    private let program: String
    /// Where it goes on.
    private var lastRun = StoredRun(job: -1, restart: -1)
    private var lastEntry: Int64 = 0
    private var freePages: Int64 = .max
    private var isSettled = false
    /// What was done, once the steps that were handed out have been taken.
    public private(set) var outcome = ArchiveOutcome()

    /// Begins to archive.
    ///
    /// - Throws: `PersistenceFailure`.
    public init(
        _ reader: CentreReader,
        stateFolder: String
    ) throws(PersistenceFailure) {
        self.reader = reader
        folder = stateFolder
        // Nobody else archives: whoever writes to a store has it alone.
        _ = SegmentFolder(stateFolder: stateFolder).sweep(keeping: try reader.archivedSegments())
        program = try reader.meta(CentreStore.programName) ?? ""
        let images = ImageFolder(stateFolder: stateFolder)
        var end: Int64 = 0
        for batch in images.batches {
            guard let image = try? images.image(ofBatch: batch),
                try reader.journalHash(ofRow: image.journalLength) == image.journalHead
            else { continue }
            end = image.journalLength
            break
        }
        self.end = end
    }

    /// Prepares the next piece, once the last was taken; nil when there is no more to do.
    ///
    /// - Throws: `PersistenceFailure` where a row is damaged, or a file cannot be written.
    public mutating func next() throws(PersistenceFailure) -> ArchiveStep? {
        guard reader.hasArchive else { return nil }
        let work: ArchiveStep.Work?
        if let drop = try dropRows() {
            work = drop
        } else if let segment = try segment() {
            work = segment
        } else if let records = try records() {
            work = records
        } else if let entries = try entries() {
            work = entries
        } else {
            work = try shrink()
        }
        return work.map { ArchiveStep(work: $0) }
    }

    /// Also what a program that was killed has left.
    private func dropRows() throws(PersistenceFailure) -> ArchiveStep.Work? {
        try reader.read("read the journal") { db in
            guard let first = try reader.segment(from: .min, db)?.first,
                let last = try reader.lastSegment(db)?.last
            else { return nil }
            let row = try Int64.fetchOne(
                db,
                sql: "SELECT sequence FROM journal WHERE sequence BETWEEN ? AND ? LIMIT 1",
                arguments: [first, last]
            )
            return row == nil ? nil : .dropRows(first...last)
        }
    }

    private mutating func segment() throws(PersistenceFailure) -> ArchiveStep.Work? {
        let (first, chain) = try begin()
        guard first < end else { return nil }
        var rows: [JournalRow] = []
        var size = 0
        try reader.walkInputs(after: first) { row in
            rows.append(row)
            size += row.body.utf8.count + row.kind.utf8.count
            return row.sequence < end && size < SegmentFolder.bodiesMaximum
        }
        let segment = try SegmentFolder(stateFolder: folder).write(
            rows,
            after: chain,
            program: program
        )
        outcome.inputs += Int64(rows.count)
        outcome.files += 1
        return .segment(segment)
    }

    /// The row after which to go on, and the chain after it. The first row stays in the table when it is the one
    /// that each opening looks for.
    private func begin() throws(PersistenceFailure) -> (row: Int64, chain: HashChain) {
        try reader.read("read the journal") { db in
            if let segment = try reader.lastSegment(db) { return (segment.last, segment.end) }
            let machine = try Row.fetchOne(
                db,
                sql: "SELECT chain FROM journal WHERE sequence = 1 AND kind = 'machine'"
            )
            guard let machine else { return (0, HashChain()) }
            return (1, HashChain(head: [UInt8](machine[0] as Data)))
        }
    }

    private mutating func records() throws(PersistenceFailure) -> ArchiveStep.Work? {
        let after = lastRun
        let found = try reader.read("read the records") { db in
            try Row.fetchAll(
                db,
                sql: "SELECT * FROM job WHERE (id, restart) > (?, ?) AND substr(body, 1, 1) <> '@'"
                    + " ORDER BY id, restart LIMIT \(PackedTexts.recordsAtOnce)",
                arguments: [after.job, after.restart]
            )
        }
        guard let last = found.last else { return nil }
        lastRun = StoredRun(job: last[0], restart: last[1])
        outcome.records += Int64(found.count)
        let records = found.map { row in
            ArchivedRecord(
                run: StoredRun(job: row[0], restart: row[1]),
                columns: (2..<7).map { row[$0] as DatabaseValue }
            )
        }
        return .records(records, PackedTexts.packed(found.map { $0[7] }))
    }

    private mutating func entries() throws(PersistenceFailure) -> ArchiveStep.Work? {
        let after = lastEntry
        let found = try reader.read("read the ledger") { db in
            try Row.fetchAll(
                db,
                sql: "SELECT sequence, id, chain, text FROM ledger"
                    + " WHERE sequence > ? AND substr(text, 1, 1) <> '@'"
                    + " ORDER BY sequence LIMIT \(PackedTexts.entriesAtOnce)",
                arguments: [after]
            )
        }
        guard let last = found.last else { return nil }
        lastEntry = last[0]
        outcome.entries += Int64(found.count)
        let entries = found.map { row in
            ArchivedEntry(sequence: row[0], id: row[1], chain: [UInt8](row[2] as Data))
        }
        return .entries(entries, PackedTexts.packed(found.map { $0[3] }))
    }

    /// As long as the file gets smaller by it: that of an earlier version does not.
    private mutating func shrink() throws(PersistenceFailure) -> ArchiveStep.Work? {
        let free = try reader.read("read the journal") { db in
            try Int64.fetchOne(db, sql: "PRAGMA auto_vacuum") == 2
                ? try Int64.fetchOne(db, sql: "PRAGMA freelist_count") ?? 0 : 0
        }
        defer { freePages = free }
        if free > 0, free < freePages { return .shrink }
        guard !isSettled, outcome != ArchiveOutcome() else { return nil }
        isSettled = true
        return .settle
    }
}
