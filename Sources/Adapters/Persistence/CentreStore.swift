import Foundation
import GRDB
public import Quantities

// What a centre keeps, in one SQLite file.
//
//     journal   every input, in order: the state is what handling them again gives
//     digest    the state digest after each batch, so that a recovery can prove itself
//     job       records of ended runs            } computed from the journal; kept so that a
//     ledger    entries of the double-entry book } question does not need a replay
//     meta      in journals of an earlier version: machine, policy and their fingerprint
//
// Inputs are written before they are handled, what follows from them after; both go into one
// transaction when inputs are waiting. A transaction is durable when it returns: WAL with
// `synchronous = FULL`. Journal and ledger are chained by hash, each on its own.

/// The one writer of a centre's store. It belongs to one thread; others read through `reader`.
public final class CentreStore {
    /// For questions from other threads.
    public let reader: CentreReader
    /// The folder it is in; held as long as the store lives.
    public let folder: StateFolder
    private let pool: DatabasePool
    private var journal = ChainEnd()
    private var ledger = ChainEnd()

    /// The place and the hash of a chain's last row.
    private struct ChainEnd {
        var length: Int64 = 0
        var chain = HashChain()
    }

    /// The number of inputs in the journal.
    public var journalLength: Int64 { journal.length }

    /// The number of entries in the ledger.
    public var ledgerLength: Int64 { ledger.length }

    /// Opens the store, or makes it.
    ///
    /// - Parameter sizeLimit: the most that the file may take; nil for what the disk gives.
    /// - Throws: `PersistenceFailure`.
    public init(folder: StateFolder, sizeLimit: ByteCount? = nil) throws(PersistenceFailure) {
        self.folder = folder
        let path = folder.path + "/journal.sqlite"
        let pool = try PersistenceFailure.rethrowing("open \(path)") {
            var configuration = Configuration()
            // Another program may look at the file for a moment, an audit or a backup.
            configuration.busyMode = .timeout(10)
            let pool = try DatabasePool(path: path, configuration: configuration)
            try pool.writeWithoutTransaction { try Self.configure($0, sizeLimit) }
            try Self.migrator.migrate(pool)
            return pool
        }
        self.pool = pool
        reader = CentreReader(pool: pool)
        (journal, ledger) = try PersistenceFailure.rethrowing("read \(path)") {
            try pool.read { (try Self.end(of: "journal", $0), try Self.end(of: "ledger", $0)) }
        }
    }

    /// Closes the store and lets the folder go. Questions that come later fail.
    public func close() {
        // What cannot be closed now, since a reader is at it, is closed with the last reference.
        try? pool.close()
        folder.release()
    }

    private static func configure(_ db: Database, _ sizeLimit: ByteCount?) throws {
        // GRDB sets NORMAL when it turns WAL on, after everything that a configuration can say.
        try db.execute(sql: "PRAGMA synchronous = FULL")
        guard try Int.fetchOne(db, sql: "PRAGMA synchronous") == 2 else {
            throw PersistenceFailure(
                kind: .other,
                operation: "open the journal",
                message: "SQLite does not take synchronous = FULL"
            )
        }
        guard let sizeLimit else { return }
        let pageSize = try Int64.fetchOne(db, sql: "PRAGMA page_size") ?? 4_096
        try db.execute(sql: "PRAGMA max_page_count = \(max(1, sizeLimit.count / pageSize))")
    }

    private static func end(of table: String, _ db: Database) throws -> ChainEnd {
        let row = try Row.fetchOne(
            db,
            sql: "SELECT sequence, chain FROM \(table) ORDER BY sequence DESC LIMIT 1"
        )
        guard let row else { return ChainEnd() }
        return ChainEnd(
            length: row["sequence"],
            chain: HashChain(head: [UInt8](row["chain"] as Data))
        )
    }

    /// Migrations are named, in order, and never edited once they were released.
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1 journal, jobs, ledger") { db in
            try db.execute(
                sql: """
                    CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
                    CREATE TABLE journal (
                        sequence INTEGER PRIMARY KEY, batch INTEGER NOT NULL,
                        instant INTEGER NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL,
                        chain BLOB NOT NULL) STRICT;
                    CREATE TABLE digest (batch INTEGER PRIMARY KEY, value INTEGER NOT NULL) STRICT;
                    CREATE TABLE job (
                        id INTEGER NOT NULL, restart INTEGER NOT NULL, user TEXT NOT NULL,
                        account TEXT NOT NULL, state TEXT NOT NULL, submit INTEGER NOT NULL,
                        "end" INTEGER NOT NULL, body TEXT NOT NULL,
                        PRIMARY KEY (id, restart)) STRICT, WITHOUT ROWID;
                    CREATE INDEX job_end ON job ("end");
                    CREATE TABLE ledger (
                        sequence INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,
                        text TEXT NOT NULL, chain BLOB NOT NULL) STRICT;
                    """
            )
        }
        return migrator
    }
}

// MARK: - Writing

extension CentreStore {
    /// Writes a batch of inputs, and what followed from earlier ones, in one durable transaction:
    /// when this returns, all of it survives a loss of power; when it throws, nothing was written.
    ///
    /// - Parameter inputs: kind and body of each input.
    /// - Throws: `PersistenceFailure`.
    public func append(
        batch: Int64,
        at instant: SimInstant,
        inputs: [(kind: String, body: String)],
        derived: DerivedRows
    ) throws(PersistenceFailure) {
        var journal = self.journal
        var ledger = self.ledger
        try PersistenceFailure.rethrowing("append to the journal") {
            try pool.writeWithoutTransaction { db in
                try db.inTransaction(.immediate) {
                    try Self.insert(derived, &ledger, db)
                    let statement = try db.cachedStatement(
                        sql: "INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?)"
                    )
                    for (kind, body) in inputs {
                        journal.length += 1
                        journal.chain.extend(
                            numbers: [journal.length, batch, instant.microseconds],
                            texts: [kind, body]
                        )
                        try statement.execute(arguments: [
                            journal.length, batch, instant.microseconds, kind, body,
                            Data(journal.chain.head),
                        ])
                    }
                    return .commit
                }
            }
        }
        self.journal = journal
        self.ledger = ledger
    }

    private static func insert(
        _ derived: DerivedRows,
        _ ledger: inout ChainEnd,
        _ db: Database
    ) throws {
        let digests = try db.cachedStatement(sql: "INSERT INTO digest VALUES (?, ?)")
        for row in derived.digests {
            try digests.execute(arguments: [row.batch, Int64(bitPattern: row.value)])
        }
        let jobs = try db.cachedStatement(sql: "INSERT INTO job VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
        for row in derived.jobs {
            try jobs.execute(arguments: [
                Int64(row.jobID), row.restart, row.user, row.account, row.state,
                row.submit.microseconds, row.end.microseconds, row.body,
            ])
        }
        let entries = try db.cachedStatement(sql: "INSERT INTO ledger VALUES (?, ?, ?, ?)")
        for row in derived.ledger {
            ledger.length += 1
            ledger.chain.extend(numbers: [ledger.length], texts: [row.id, row.text])
            try entries.execute(arguments: [
                ledger.length, row.id, row.text, Data(ledger.chain.head),
            ])
        }
    }
}
