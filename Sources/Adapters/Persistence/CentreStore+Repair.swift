import Foundation
import GRDB
import Glibc
import Quantities

extension CentreStore {
    /// What was put right in the tables that follow from the journal.
    public struct RepairedRows: Hashable, Sendable {
        /// State digests that were missing or too many.
        public var digests = 0
        /// Records of runs that were missing, changed or too many.
        public var jobs = 0
        /// Entries of the ledger that were missing, changed or too many.
        public var ledger = 0

        /// Nothing.
        public init() {}

        /// How many rows it is.
        public var count: Int { digests + jobs + ledger }
    }

    /// Makes the tables that follow from the journal what they are to be, in one transaction.
    ///
    /// - Parameter derived: all that follows from the journal.
    /// - Throws: `PersistenceFailure`; nothing has changed then.
    public func makeDerived(_ derived: DerivedRows) throws(PersistenceFailure) -> RepairedRows {
        try PersistenceFailure.rethrowing("repair the tables") {
            var repaired = RepairedRows()
            try pool.writeWithoutTransaction { db in
                try db.inTransaction(.immediate) {
                    repaired.digests = try Self.makeDigests(derived.digests, db)
                    repaired.jobs = try Self.makeJobs(derived.jobs, db)
                    repaired.ledger = try Self.makeLedger(derived.ledger, db)
                    return .commit
                }
            }
            try readLedgerEnd()
            return repaired
        }
    }

    private static func makeDigests(_ rows: [DigestRow], _ db: Database) throws -> Int {
        var stored: [Int64: Int64] = [:]
        let cursor = try Row.fetchCursor(db, sql: "SELECT batch, value FROM digest")
        while let row = try cursor.next() { stored[row[0]] = row[1] }
        var count = 0
        for row in rows {
            let value = Int64(bitPattern: row.value)
            guard stored.removeValue(forKey: row.batch) != value else { continue }
            try db.execute(
                sql: "INSERT OR REPLACE INTO digest VALUES (?, ?)",
                arguments: [row.batch, value]
            )
            count += 1
        }
        for batch in stored.keys.sorted() {
            try db.execute(sql: "DELETE FROM digest WHERE batch = ?", arguments: [batch])
            count += 1
        }
        return count
    }

    private static func makeJobs(_ rows: [JobRow], _ db: Database) throws -> Int {
        let columns = "id, restart, user, account, state, submit, \"end\", body"
        var stored: [[Int64]: [DatabaseValue]] = [:]
        let cursor = try Row.fetchCursor(db, sql: "SELECT \(columns) FROM job")
        while let row = try cursor.next() {
            stored[[row[0], row[1]]] = (2..<8).map { row[$0] as DatabaseValue }
        }
        var count = 0
        for row in rows {
            let values: [any DatabaseValueConvertible] = [
                row.user, row.account, row.state, row.submit.microseconds, row.end.microseconds,
                row.body,
            ]
            let key = [Int64(row.jobID), Int64(row.restart)]
            guard stored.removeValue(forKey: key) != values.map(\.databaseValue) else { continue }
            try db.execute(
                sql: "INSERT OR REPLACE INTO job (\(columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                arguments: StatementArguments([key[0], key[1]] + values)
            )
            count += 1
        }
        for key in stored.keys.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            try db.execute(
                sql: "DELETE FROM job WHERE id = ? AND restart = ?",
                arguments: [key[0], key[1]]
            )
            count += 1
        }
        return count
    }

    /// The chain goes through all rows, so from the first that is wrong on all are written again.
    private static func makeLedger(_ rows: [LedgerRow], _ db: Database) throws -> Int {
        var chain = HashChain()
        var good = 0
        let cursor = try Row.fetchCursor(
            db,
            sql: "SELECT sequence, id, text, chain FROM ledger ORDER BY sequence"
        )
        while good < rows.count, let row = try cursor.next() {
            var next = chain
            next.extend(ledgerSequence: Int64(good + 1), rows[good])
            guard row[0] as Int64 == Int64(good + 1), row[1] as String == rows[good].id,
                row[2] as String == rows[good].text, [UInt8](row[3] as Data) == next.head
            else { break }
            chain = next
            good += 1
        }
        try db.execute(
            sql: "DELETE FROM ledger WHERE sequence > ? OR sequence < 1",
            arguments: [good]
        )
        let tooMany = db.changesCount
        for (index, row) in rows.enumerated().dropFirst(good) {
            chain.extend(ledgerSequence: Int64(index + 1), row)
            try db.execute(
                sql: "INSERT INTO ledger VALUES (?, ?, ?, ?)",
                arguments: [index + 1, row.id, row.text, Data(chain.head)]
            )
        }
        return max(tooMany, rows.count - good)
    }

    /// What was cut off a journal.
    public struct Cut: Hashable, Sendable {
        /// The first row that is gone.
        public var row: Int64
        /// Why.
        public var problem: String
        /// How many rows it is.
        public var count: Int
        /// The file that they were put into, one JSON object a line.
        public var file: String
    }

    /// Cuts a journal before the batch with its first row that is damaged or missing; what is cut off is put
    /// into a file beside it first. Nil when every row is whole.
    ///
    /// - Throws: `PersistenceFailure`.
    public static func cutDamage(
        of folder: StateFolder
    ) throws(PersistenceFailure) -> Cut? {
        let reader = try CentreReader(stateFolder: folder.path)
        var good: (row: Int64, batch: Int64) = (0, 0)
        var before = good
        let problem: String
        do throws(PersistenceFailure) {
            try reader.forEachInput { row in
                if row.batch != good.batch { before = good }
                good = (row.sequence, row.batch)
            }
            return nil
        } catch {
            guard error.kind == .damaged else { throw error }
            problem = error.message
        }
        let path = folder.path + "/journal.sqlite"
        return try PersistenceFailure.rethrowing("cut the journal") {
            let queue = try DatabaseQueue(path: path)
            let nextBatch = try queue.read { db in
                try Int64.fetchOne(
                    db,
                    sql: "SELECT batch FROM journal WHERE sequence = ?",
                    arguments: [good.row + 1]
                )
            }
            // Rows of the damaged one's batch that come before it mean nothing without it.
            let keep = nextBatch == good.batch ? before.row : good.row
            let file = folder.path + "/journal-from-\(keep + 1).ndjson"
            let lines = try queue.read { db in
                try String.fetchAll(
                    db,
                    sql: """
                        SELECT json_object('sequence', sequence, 'batch', batch, 'instant', instant, \
                        'kind', kind, 'body', body) FROM journal WHERE sequence > ? ORDER BY sequence
                        """,
                    arguments: [keep]
                )
            }
            try Data(lines.map { $0 + "\n" }.joined().utf8).write(
                to: URL(fileURLWithPath: file),
                options: .withoutOverwriting
            )
            chmod(file, 0o600)
            try queue.write { db in
                try db.execute(
                    sql: "DELETE FROM journal WHERE sequence > ? OR sequence < 1",
                    arguments: [keep]
                )
            }
            try queue.close()
            return Cut(row: keep + 1, problem: problem, count: lines.count, file: file)
        }
    }
}
