import Foundation
import GRDB
public import Quantities

// What a centre keeps, in one SQLite file. (Images of its state lie beside it: `ImageFolder`.)
//
//     journal   every input, in order: the state is what handling them again gives
//     digest    the state digest after each batch, so that a recovery can prove itself
//     job       records of ended runs            } computed from the journal; kept so that a
//     ledger    entries of the double-entry book } question does not need a replay
//     segment   stretches of the journal that lie in files of their own (`SegmentFolder`)
//     packed    texts of records and entries, many together (`PackedTexts`)
//     meta      in journals of an earlier version: machine, policy and their fingerprint
//
// Inputs are written before they are handled, what follows from them after; both go into one
// transaction when inputs are waiting. A transaction is durable when it returns: WAL with
// `synchronous = FULL`. Journal and ledger are chained by hash, each on its own; where the journal ends
// is written to `HeadFile` too before anybody is told.

/// The one writer of a centre's store. It belongs to one thread; others read through `reader`.
public final class CentreStore {
    /// For questions from other threads.
    public let reader: CentreReader
    /// The folder it is in; held as long as the store lives.
    public let folder: StateFolder
    /// Whether this is a copy that was told to be a centre of its own: nothing that runs is its.
    public private(set) var isNewCopy = false
    let pool: DatabasePool
    private let headFile: HeadFile
    private var files: [WatchedFile]
    private var journal = ChainEnd()
    private var ledger = ChainEnd()
    /// What the head file says, or is to say.
    private var acknowledged = AcknowledgedEnd()
    /// Why the head file could not be written last; it is, before anything else is.
    private var headFailure: PersistenceFailure?

    /// The place and the hash of a chain's last row.
    struct ChainEnd {
        var length: Int64 = 0
        var chain = HashChain()
    }

    /// What to do with a folder that is not the one in which its centre was.
    public enum Origin: Hashable, Sendable {
        /// Refuse it.
        case same
        /// Go on with it: it was moved, and the other is gone.
        case moved
        /// Make another centre of it, which has nothing to do with what runs.
        case copy
        /// Leave that to who opens it.
        case asFound
    }

    /// The number of inputs in the journal.
    public var journalLength: Int64 { journal.length }

    /// The hash of the last input, in hexadecimal.
    public var journalHead: String { journal.chain.hexText }

    /// The number of entries in the ledger.
    public var ledgerLength: Int64 { ledger.length }

    /// Opens the store, or makes it.
    ///
    /// - Parameters:
    ///   - sizeLimit: the most that the file may take; nil for what the disk gives.
    ///   - origin: where the folder comes from, as the operator says.
    ///   - acceptsLoss: whether a journal is taken that lacks what was acknowledged.
    /// - Throws: `PersistenceFailure`; of kind `lost` or `copied` before anything was changed.
    public init(
        folder: StateFolder,
        sizeLimit: ByteCount? = nil,
        origin: Origin = .same,
        acceptsLoss: Bool = false
    ) throws(PersistenceFailure) {
        self.folder = folder
        let path = folder.path + "/journal.sqlite"
        let pool = try PersistenceFailure.rethrowing("open \(path)") {
            var configuration = Configuration()
            // Another program may look at the file for a moment, an audit or a backup.
            configuration.busyMode = .timeout(10)
            // Of a new file, before anything else is done to it: what an archive has freed can be given back while
            // the centre is open; and a record, which is a little longer than a kilobyte, lies in the page of its
            // key. In pages of 4 KiB each would have most of another page for itself.
            configuration.prepareDatabase { db in
                if !db.configuration.readonly {
                    try db.execute(sql: "PRAGMA page_size = 8192; PRAGMA auto_vacuum = INCREMENTAL")
                }
            }
            let pool = try DatabasePool(path: path, configuration: configuration)
            try pool.writeWithoutTransaction { try Self.configure($0, sizeLimit) }
            try Self.migrator.migrate(pool)
            return pool
        }
        self.pool = pool
        let reader = CentreReader(pool, stateFolder: folder.path)
        self.reader = reader
        (journal, ledger) = try PersistenceFailure.rethrowing("read \(path)") {
            try pool.read { (try reader.journalEnd($0), try Self.end(of: "ledger", $0)) }
        }
        let known = HeadFile.read(folder: folder.path)
        if !acceptsLoss { try reader.checkHead(known, journalLength: journal.length) }
        let isElsewhere = FolderIdentity(path: folder.path).map { here in
            known.map { !here.isSame(as: $0.folder) } ?? false
        }
        if isElsewhere == true, origin == .same {
            throw PersistenceFailure(
                kind: .copied,
                operation: "open state folder \(folder.path)",
                message: "it is a copy of the folder in which its centre was, or was moved"
            )
        }
        isNewCopy = isElsewhere == true && origin == .copy
        headFile = try HeadFile(folder: folder.path)
        files = ["", "-wal"].map { WatchedFile(path + $0) }
        try beginHead(known, origin)
    }

    /// Says in the head file where the journal ends now, and which centre and folder it is.
    private func beginHead(
        _ known: AcknowledgedEnd?,
        _ origin: Origin
    ) throws(PersistenceFailure) {
        var centre = isNewCopy ? nil : try reader.meta("centre")
        if centre == nil {
            let drawn = HashChain.hexText((0..<16).map { _ in UInt8.random(in: 0...255) })
            try note(drawn, as: "centre")
            centre = drawn
        }
        acknowledged.centre = centre ?? ""
        let here = FolderIdentity(path: folder.path) ?? FolderIdentity()
        acknowledged.folder = origin == .asFound ? known?.folder ?? here : here
        acknowledged.batch = try reader.lastBatch()
        acknowledged.length = journal.length
        acknowledged.head = journal.chain.hexText
        // Both places: neither is to say what was before.
        try headFile.write(acknowledged)
        try headFile.write(acknowledged)
    }

    /// Keeps a fact under a name, in place of the one that was there.
    ///
    /// - Throws: `PersistenceFailure`.
    public func note(_ value: String, as name: String) throws(PersistenceFailure) {
        guard try reader.meta(name) != value else { return }
        try PersistenceFailure.rethrowing("note a fact") {
            try pool.write { db in
                try db.execute(
                    sql: "INSERT OR REPLACE INTO meta VALUES (?, ?)",
                    arguments: [name, value]
                )
            }
        }
    }

    /// Reads where the ledger ends, after it was written otherwise than at its end.
    func readLedgerEnd() throws {
        ledger = try pool.read { try Self.end(of: "ledger", $0) }
    }

    /// Refuses to write beside files that are gone: SQLite would write into what no name leads to.
    private func checkFiles() throws(PersistenceFailure) {
        for index in files.indices where !files[index].isThere() {
            throw PersistenceFailure(
                kind: .lost,
                operation: "append to the journal",
                message: "a file of the journal was removed or replaced while the centre is open"
            )
        }
    }

    /// Makes durable where the journal ends, before anybody is told of it.
    private func acknowledge() throws(PersistenceFailure) {
        do throws(PersistenceFailure) {
            try headFile.write(acknowledged)
            headFailure = nil
        } catch {
            headFailure = error
            throw error
        }
    }

    /// Closes the store and lets the folder go. Questions that come later fail.
    public func close() {
        reader.finish()
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
        // 4 MiB, as with the smaller pages that SQLite takes by itself.
        try db.execute(sql: "PRAGMA wal_autocheckpoint = 512")
        guard let sizeLimit else { return }
        let pageSize = try Int64.fetchOne(db, sql: "PRAGMA page_size") ?? 4_096
        try db.execute(sql: "PRAGMA max_page_count = \(max(1, sizeLimit.count / pageSize))")
    }

    static func end(of table: String, _ db: Database) throws -> ChainEnd {
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
        // `sacct` asks for one user and a day, out of years.
        migrator.registerMigration("2 records by user") { db in
            try db.execute(sql: "CREATE INDEX job_user_end ON job (user, \"end\")")
        }
        // And for an account and a month. The submission is in each index, so that a record outside the days
        // that are asked for is passed over without being read.
        migrator.registerMigration("3 records by account") { db in
            try db.execute(
                sql: """
                    DROP INDEX job_end;
                    DROP INDEX job_user_end;
                    CREATE INDEX job_end ON job ("end", submit);
                    CREATE INDEX job_user_end ON job (user, "end", submit);
                    CREATE INDEX job_account_end ON job (account, "end", submit);
                    """
            )
        }
        // What `xinghe archive` makes: stretches of the journal in files of their own, and long texts of many rows
        // together.
        migrator.registerMigration("4 archive") { db in
            try db.execute(
                sql: """
                    CREATE TABLE segment (
                        last INTEGER PRIMARY KEY, first INTEGER NOT NULL, batch INTEGER NOT NULL,
                        before BLOB NOT NULL, chain BLOB NOT NULL, sum TEXT NOT NULL) STRICT;
                    CREATE TABLE packed (
                        block INTEGER PRIMARY KEY, length INTEGER NOT NULL, bytes BLOB NOT NULL)
                        STRICT;
                    """
            )
        }
        return migrator
    }
}

// MARK: - Writing

extension CentreStore {
    /// Writes batches of inputs, and what followed from earlier ones, in one durable transaction: when
    /// this returns, all of it survives a loss of power; when it throws, nothing was written.
    ///
    /// - Parameter derived: what followed from earlier batches, and may hold what follows from these.
    /// - Throws: `PersistenceFailure`.
    public func append(
        _ batches: [JournalBatch],
        derived: DerivedRows
    ) throws(PersistenceFailure) {
        var journal = self.journal
        var ledger = self.ledger
        try checkFiles()
        if headFailure != nil { try acknowledge() }
        try PersistenceFailure.rethrowing("append to the journal") {
            try pool.writeWithoutTransaction { db in
                try db.inTransaction(.immediate) {
                    try Self.insert(derived, &ledger, db)
                    for batch in batches { try Self.insert(batch, &journal, db) }
                    return .commit
                }
            }
        }
        try checkFiles()
        self.journal = journal
        self.ledger = ledger
        guard let last = batches.last else { return }
        acknowledged.batch = last.number
        acknowledged.length = journal.length
        acknowledged.head = journal.chain.hexText
        // It is on disk and will be handled: what fails here is told before the next is taken.
        try? acknowledge()
    }

    private static func insert(
        _ batch: JournalBatch,
        _ journal: inout ChainEnd,
        _ db: Database
    ) throws {
        let statement = try db.cachedStatement(
            sql: "INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?)"
        )
        for (kind, body) in batch.inputs {
            journal.length += 1
            journal.chain.extend(
                numbers: [journal.length, batch.number, batch.instant.microseconds],
                texts: [kind, body]
            )
            try statement.execute(arguments: [
                journal.length, batch.number, batch.instant.microseconds, kind, body,
                Data(journal.chain.head),
            ])
        }
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
