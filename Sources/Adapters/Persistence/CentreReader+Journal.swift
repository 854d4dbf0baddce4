import Foundation
import GRDB
import Quantities

// The journal: earlier rows in segments, later ones in the table, as is the first, which says what machine it is: so a
// centre can be opened without what was archived.

extension CentreReader {
    /// Hands over the journal, row by row, and checks each row's hash on the way. It is read in pages, so
    /// `body` may ask too, and nothing is held for long.
    ///
    /// - Parameter first: the row after which to begin.
    /// - Throws: `PersistenceFailure` of kind `damaged` or `lost`, naming the first row that was changed, is
    ///   missing or does not belong there, or the file that had it; and whatever `body` throws.
    public func forEachInput(
        after first: Int64 = 0,
        _ body: (JournalRow) throws(PersistenceFailure) -> Void
    ) throws(PersistenceFailure) {
        try walkInputs(after: first) { row throws(PersistenceFailure) in
            try body(row)
            return true
        }
    }

    /// The same for as long as `body` wants more.
    func walkInputs(
        after first: Int64,
        _ body: (JournalRow) throws(PersistenceFailure) -> Bool
    ) throws(PersistenceFailure) {
        /// Nil in the middle of a segment, which is checked as a whole.
        var chain = try chain(ofRow: first)
        var last = first
        while true {
            switch try stretch(after: last) {
            case .segment(let segment):
                if let chain, chain != segment.before {
                    let row = "row \(segment.first)"
                    throw Self.damaged("journal", "\(row) does not follow the one before")
                }
                for row in try segments.rows(of: segment) where row.sequence > last {
                    guard try body(row) else { return }
                    last = row.sequence
                }
                chain = segment.end
            case .page(let rows, let isLast):
                if rows.isEmpty, !isLast {
                    throw Self.damaged("journal", "row \(last + 1) is missing")
                }
                for (input, head) in rows {
                    chain?.extend(input)
                    guard input.sequence == last + 1 else {
                        throw Self.damaged("journal", "row \(last + 1) is missing")
                    }
                    guard chain?.head == head else { throw Self.mismatch(input) }
                    guard try body(input) else { return }
                    last += 1
                }
                guard !isLast else { return }
            }
        }
    }

    /// Rows of the journal that are read at once.
    private enum Stretch {
        case segment(JournalSegment)
        case page([(JournalRow, head: [UInt8])], isLast: Bool)
    }

    /// How many rows are read at once.
    static let pageLength = 512
    /// How long the bodies of rows that are read at once may be, all together; a single one may be longer. Unit:
    /// bytes.
    static let pageSize = 8 << 20

    /// The next rows of the journal. What a daemon archives meanwhile is in the table or in a segment, whenever
    /// it is looked for.
    private func stretch(after sequence: Int64) throws(PersistenceFailure) -> Stretch {
        try read("read the journal") { db in
            let segment = try self.segment(from: sequence + 1, db)
            if let segment, segment.first <= sequence + 1 { return .segment(segment) }
            let statement = try db.cachedStatement(
                sql: "SELECT sequence, batch, instant, kind, body, chain FROM journal"
                    + " WHERE sequence > ? AND sequence < ?"
                    + " ORDER BY sequence LIMIT \(Self.pageLength)"
            )
            // What stands before the first row does not belong there, and is met.
            let rows = try Row.fetchCursor(
                statement,
                arguments: [sequence > 0 ? sequence : .min, segment?.first ?? .max]
            )
            var page: [(JournalRow, head: [UInt8])] = []
            var size = 0
            while let row = try rows.next() {
                let input = Self.input(row)
                page.append((input, [UInt8](row[5] as Data)))
                size += input.body.utf8.count
                guard size < Self.pageSize else { return .page(page, isLast: false) }
            }
            return .page(page, isLast: segment == nil && page.count < Self.pageLength)
        }
    }

    /// The chain of the journal after one of its rows; as before the first where there is none, and nil inside a
    /// segment.
    private func chain(ofRow sequence: Int64) throws(PersistenceFailure) -> HashChain? {
        guard sequence > 0 else { return HashChain() }
        return try read("read the journal") { db in
            if let segment = try self.segment(with: sequence, db) {
                return segment.last == sequence ? segment.end : nil
            }
            guard let stored = try Self.storedHash(ofRow: sequence, db) else {
                throw Self.damaged("journal", "row \(sequence) is missing")
            }
            return stored
        }
    }

    private static func storedHash(ofRow sequence: Int64, _ db: Database) throws -> HashChain? {
        let stored = try Data.fetchOne(
            db,
            sql: "SELECT chain FROM journal WHERE sequence = ?",
            arguments: [sequence]
        )
        return stored.map { HashChain(head: [UInt8]($0)) }
    }

    /// The last batch in the journal; 0 for an empty one. All that follows from batches before it has
    /// been written: what follows from one goes with the transaction of the next.
    ///
    /// - Throws: `PersistenceFailure`.
    public func lastBatch() throws(PersistenceFailure) -> Int64 {
        try read("read the journal") { db in
            let stored = try Int64.fetchOne(
                db,
                // By the key: a maximum of batches would read the whole table.
                sql: "SELECT batch FROM journal ORDER BY sequence DESC LIMIT 1"
            )
            return max(stored ?? 0, try self.lastSegment(db)?.lastBatch ?? 0)
        }
    }

    /// The hash of a row of the journal as it is stored, in hexadecimal; nil when there is no such row. Inside a
    /// segment it is computed.
    ///
    /// - Throws: `PersistenceFailure`.
    public func journalHash(ofRow sequence: Int64) throws(PersistenceFailure) -> String? {
        let (stored, segment) = try read("read the journal") { db in
            let segment = try self.segment(with: sequence, db)
            let stored = segment == nil ? try Self.storedHash(ofRow: sequence, db) : nil
            return (stored, segment)
        }
        guard let segment else { return stored?.hexText }
        guard segment.last != sequence else { return segment.end.hexText }
        var chain = segment.before
        for row in try segments.rows(of: segment) where row.sequence <= sequence {
            chain.extend(row)
        }
        return chain.hexText
    }

    /// The rows of the journal.
    ///
    /// - Throws: `PersistenceFailure`.
    public func journalLength() throws(PersistenceFailure) -> Int64 {
        try read("read the journal") { try self.journalEnd($0).length }
    }

    /// Where the journal ends.
    func journalEnd(_ db: Database) throws -> CentreStore.ChainEnd {
        let stored = try CentreStore.end(of: "journal", db)
        guard let segment = try lastSegment(db), segment.last >= stored.length else {
            return stored
        }
        return CentreStore.ChainEnd(length: segment.last, chain: segment.end)
    }

    /// Whether nothing has happened yet.
    ///
    /// - Throws: `PersistenceFailure`.
    public func isJournalEmpty() throws(PersistenceFailure) -> Bool {
        try journalLength() == 0
    }

    /// The first input of a kind, checked against its hash; nil when there is none.
    ///
    /// - Throws: `PersistenceFailure`, of kind `damaged` when the row does not match its hash.
    public func firstInput(ofKind kind: String) throws(PersistenceFailure) -> JournalRow? {
        let stored = try input("kind = ? ORDER BY sequence LIMIT 1", [kind])
        for segment in try archivedSegments() where segment.first < stored?.sequence ?? .max {
            let rows = try segments.rows(of: segment)
            if let row = rows.first(where: { $0.kind == kind }) { return row }
        }
        return stored
    }

    /// The input in a row, checked against its hash; nil when there is no such row.
    ///
    /// - Throws: as `firstInput`.
    public func input(inRow sequence: Int64) throws(PersistenceFailure) -> JournalRow? {
        let segment = try read("read the journal") { try self.segment(with: sequence, $0) }
        guard let segment else { return try input("sequence = ?", [sequence]) }
        return try segments.rows(of: segment).first { $0.sequence == sequence }
    }

    private func input(
        _ condition: String,
        _ arguments: StatementArguments
    ) throws(PersistenceFailure) -> JournalRow? {
        try read("read the journal") { db in
            let archived = try self.lastSegment(db)
            let first = try self.segment(from: .min, db)?.first
            let row = try Row.fetchOne(
                db,
                sql: "SELECT sequence, batch, instant, kind, body, chain,"
                    + " (SELECT chain FROM journal AS b WHERE b.sequence = a.sequence - 1)"
                    + " FROM journal AS a WHERE (sequence < ? OR sequence > ?) AND \(condition)",
                arguments: [first ?? .min, archived?.last ?? .min] + arguments
            )
            guard let row else { return nil }
            let input = Self.input(row)
            var chain = HashChain()
            if let archived, input.sequence == archived.last + 1 {
                chain = archived.end
            } else if let before = row[6] as Data? {
                chain = HashChain(head: [UInt8](before))
            }
            chain.extend(input)
            guard chain.head == [UInt8](row[5] as Data) else { throw Self.mismatch(input) }
            return input
        }
    }

    /// The columns sequence, batch, instant, kind and body.
    static func input(_ row: Row) -> JournalRow {
        JournalRow(
            sequence: row[0],
            batch: row[1],
            instant: SimInstant(microseconds: row[2]),
            kind: row[3],
            body: row[4]
        )
    }

    private static func mismatch(_ input: JournalRow) -> PersistenceFailure {
        let place = "row \(input.sequence) (\(input.kind), batch \(input.batch))"
        return damaged("journal", "\(place) does not match its hash")
    }
}

// MARK: - Segments

extension CentreReader {
    private static let columns = "SELECT first, last, batch, before, chain, sum FROM segment"

    private static func segment(_ row: Row) -> JournalSegment {
        JournalSegment(
            first: row[0],
            last: row[1],
            lastBatch: row[2],
            before: HashChain(head: [UInt8](row[3] as Data)),
            end: HashChain(head: [UInt8](row[4] as Data)),
            sum: row[5]
        )
    }

    /// The segment that has a row, or the next with later ones; nil when there is none.
    func segment(from sequence: Int64, _ db: Database) throws -> JournalSegment? {
        guard hasArchive else { return nil }
        let statement = try db.cachedStatement(
            sql: "\(Self.columns) WHERE last >= ? ORDER BY last LIMIT 1"
        )
        return try Row.fetchOne(statement, arguments: [sequence]).map(Self.segment)
    }

    /// The segment that has a row; nil when none has.
    func segment(with sequence: Int64, _ db: Database) throws -> JournalSegment? {
        try segment(from: sequence, db).flatMap { $0.first <= sequence ? $0 : nil }
    }

    /// The segment with the latest rows; nil when nothing was archived.
    func lastSegment(_ db: Database) throws -> JournalSegment? {
        guard hasArchive else { return nil }
        let row = try Row.fetchOne(db, sql: "\(Self.columns) ORDER BY last DESC LIMIT 1")
        return row.map(Self.segment)
    }

    /// The stretches of the journal that lie in files of their own, in order.
    ///
    /// - Throws: `PersistenceFailure`.
    public func archivedSegments() throws(PersistenceFailure) -> [JournalSegment] {
        guard hasArchive else { return [] }
        return try read("read the journal") { db in
            try Row.fetchAll(db, sql: "\(Self.columns) ORDER BY last").map(Self.segment)
        }
    }

    /// Which of the files of archived stretches are missing or were changed, in words that name each.
    ///
    /// - Parameter readsAll: whether they are read and proved, and not only their lengths and first lines.
    /// - Throws: `PersistenceFailure`.
    public func segmentFindings(
        readsAll: Bool = true
    ) throws(PersistenceFailure) -> [SegmentFinding] {
        try archivedSegments().compactMap { segment in
            segments.finding(segment, readsAll: readsAll).map {
                SegmentFinding(segment: segment, text: $0)
            }
        }
    }
}

extension CentreReader {
    /// The stretches whose files are as long as they should be, and were changed all the same: each is read.
    ///
    /// - Parameter isWanted: asked before each, since all may take long.
    /// - Throws: `PersistenceFailure`.
    public func changedSegments(
        while isWanted: () -> Bool
    ) throws(PersistenceFailure) -> [SegmentFinding] {
        var findings: [SegmentFinding] = []
        for segment in try archivedSegments() {
            guard isWanted() else { break }
            guard segments.finding(segment, readsAll: false) == nil,
                let text = segments.finding(segment, readsAll: true)
            else { continue }
            findings.append(SegmentFinding(segment: segment, text: text))
        }
        return findings
    }
}

/// What is wrong with the file of an archived stretch.
public struct SegmentFinding: Hashable, Sendable {
    /// The stretch.
    public var segment: JournalSegment
    /// In words that name the file.
    public var text: String
}
