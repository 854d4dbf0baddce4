import Foundation
import GRDB
import Glibc
import JobModel
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
    /// - Parameter body: hands over all that follows from the journal, in order, piece by piece; false when
    ///   nothing is to change after all.
    /// - Throws: `PersistenceFailure`; nothing has changed then.
    public func makeDerived(
        _ body: ((DerivedRows) throws(PersistenceFailure) -> Void) throws(PersistenceFailure) ->
            Bool
    ) throws(PersistenceFailure) -> RepairedRows {
        try PersistenceFailure.rethrowing("repair the tables") {
            var repair = Repair()
            try pool.writeWithoutTransaction { db in
                try db.inTransaction(.immediate) {
                    let isMeant = try body { derived throws(PersistenceFailure) in
                        try PersistenceFailure.rethrowing("repair the tables") {
                            try repair.take(derived, db)
                        }
                    }
                    guard isMeant else {
                        repair.repaired = RepairedRows()
                        return .rollback
                    }
                    try repair.removeOthers(db)
                    return .commit
                }
            }
            try readLedgerEnd()
            return repair.repaired
        }
    }

    /// Tables that are put right from their beginning on.
    private struct Repair {
        var repaired = RepairedRows()
        private var lastBatch: Int64 = 0
        private var runs = RunSet()
        /// The ledger as far as it was gone through.
        private var ledger = ChainEnd()
        /// The chain goes through all rows, so from the first that is wrong on all are written again.
        private var isLedgerWrong = false
        private var texts = PackedTexts()

        mutating func take(_ derived: DerivedRows, _ db: Database) throws {
            for row in derived.digests { try make(row, db) }
            for row in derived.jobs { try make(row, db) }
            for row in derived.ledger { try make(row, db) }
        }

        private mutating func make(_ row: DigestRow, _ db: Database) throws {
            lastBatch = row.batch
            let value = Int64(bitPattern: row.value)
            let known = try db.cachedStatement(sql: "SELECT value FROM digest WHERE batch = ?")
            guard try Int64.fetchOne(known, arguments: [row.batch]) != value else { return }
            try db.execute(
                sql: "INSERT OR REPLACE INTO digest VALUES (?, ?)",
                arguments: [row.batch, value]
            )
            repaired.digests += 1
        }

        private mutating func make(_ row: JobRow, _ db: Database) throws {
            let columns = "user, account, state, submit, \"end\", body"
            let run = StoredRun(row)
            runs.insert(row)
            let values: [any DatabaseValueConvertible] = [
                row.user, row.account, row.state, row.submit.microseconds, row.end.microseconds,
                row.body,
            ]
            let known = try db.cachedStatement(
                sql: "SELECT \(columns) FROM job WHERE id = ? AND restart = ?"
            )
            if let stored = try Row.fetchOne(known, arguments: [run.job, run.restart]) {
                let body = try texts.text(stored[5], db).databaseValue
                guard stored.databaseValues.dropLast() + [body] != values.map(\.databaseValue)
                else { return }
            }
            try db.execute(
                sql: "INSERT OR REPLACE INTO job (id, restart, \(columns))"
                    + " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                arguments: StatementArguments([run.job, run.restart] + values)
            )
            repaired.jobs += 1
        }

        private mutating func make(_ row: LedgerRow, _ db: Database) throws {
            ledger.length += 1
            ledger.chain.extend(ledgerSequence: ledger.length, row)
            if !isLedgerWrong {
                let known = try db.cachedStatement(
                    sql: "SELECT id, text, chain FROM ledger WHERE sequence = ?"
                )
                let stored = try Row.fetchOne(known, arguments: [ledger.length])
                if let stored, stored[0] as String == row.id,
                    try texts.text(stored[1], db) == row.text,
                    [UInt8](stored[2] as Data) == ledger.chain.head
                {
                    return
                }
                isLedgerWrong = true
                try removeLedger(from: ledger.length, db)
            }
            try db.execute(
                sql: "INSERT INTO ledger VALUES (?, ?, ?, ?)",
                arguments: [ledger.length, row.id, row.text, Data(ledger.chain.head)]
            )
            entriesWritten += 1
        }

        private var entriesRemoved = 0
        private var entriesWritten = 0

        private mutating func removeLedger(from row: Int64, _ db: Database) throws {
            try db.execute(
                sql: "DELETE FROM ledger WHERE sequence >= ? OR sequence < 1",
                arguments: [row]
            )
            entriesRemoved += db.changesCount
        }

        /// Removes what nothing gives rise to.
        mutating func removeOthers(_ db: Database) throws {
            try db.execute(
                sql: "DELETE FROM digest WHERE batch > ? OR batch < 1",
                arguments: [lastBatch]
            )
            repaired.digests += db.changesCount
            for run in try CentreReader.recordedRuns(notIn: runs, db) {
                try db.execute(
                    sql: "DELETE FROM job WHERE id = ? AND restart = ?",
                    arguments: [run.job, run.restart]
                )
                repaired.jobs += 1
            }
            if !isLedgerWrong { try removeLedger(from: ledger.length + 1, db) }
            repaired.ledger = max(entriesRemoved, entriesWritten)
        }
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

    private static func damagedArchive(_ finding: String) -> PersistenceFailure {
        PersistenceFailure(
            kind: .damaged,
            operation: "cut the journal",
            message:
                "\(finding); all that came later would have to go. Put it back from a backup: the centre"
                + " opens without it, as long as it has an image"
        )
    }

    /// Cuts a journal before the batch with its first row that is damaged or missing; what is cut off is put
    /// into a file beside it first. Nil when every row is whole.
    ///
    /// - Throws: `PersistenceFailure`.
    public static func cutDamage(
        of folder: StateFolder
    ) throws(PersistenceFailure) -> Cut? {
        let reader = try CentreReader(stateFolder: folder.path)
        if let finding = try reader.segmentFindings().first { throw damagedArchive(finding.text) }
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
            // What was archived is whole; a batch that ends after it cannot be taken apart.
            guard try queue.read({ try reader.lastSegment($0)?.last ?? 0 }) <= keep else {
                throw Self.damagedArchive(problem)
            }
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
