import Foundation
import GRDB
import Glibc
public import JobModel
public import Quantities

/// Questions to a centre's store, from any thread.
public final class CentreReader: Sendable {
    private let database: any DatabaseReader
    private let gate = ReadGate()
    /// The files of what was archived of the journal.
    let segments: SegmentFolder
    /// Whether the store can have been archived: that of an earlier version has no tables for it.
    let hasArchive: Bool

    init(_ database: any DatabaseReader, stateFolder: String, hasArchive: Bool = true) {
        self.database = database
        self.hasArchive = hasArchive
        segments = SegmentFolder(stateFolder: stateFolder)
    }

    /// Opens the store in a state folder for reading only, beside a daemon or without one.
    ///
    /// - Throws: `PersistenceFailure` when there is no store, or it cannot be read.
    public convenience init(stateFolder path: String) throws(PersistenceFailure) {
        let file = path + "/journal.sqlite"
        // SQLite says "unable to open database file" for all of these.
        let code = access(file, R_OK) == 0 ? 0 : errno
        guard code == 0 else {
            throw PersistenceFailure(
                kind: .other,
                operation: "open state folder \(path)",
                message: code == ENOENT || code == ENOTDIR
                    ? "no centre has its state there" : String(cString: strerror(code))
            )
        }
        var configuration = Configuration()
        configuration.readonly = true
        let (pool, hasArchive) = try PersistenceFailure.rethrowing("open \(file)") {
            [configuration] in
            let pool = try DatabasePool(path: file, configuration: configuration)
            guard try pool.read({ try $0.tableExists("journal") && $0.tableExists("ledger") })
            else {
                throw PersistenceFailure(
                    kind: .other,
                    operation: "open \(file)",
                    message: "it is a database, but not the journal of a centre"
                )
            }
            return (pool, try pool.read { try $0.tableExists("segment") })
        }
        self.init(pool, stateFolder: path, hasArchive: hasArchive)
    }

    /// The store as it is at one instant, whatever a daemon writes meanwhile: for whoever compares tables
    /// piece by piece.
    ///
    /// - Throws: `PersistenceFailure` as `init(stateFolder:)`.
    public static func atOneInstant(
        stateFolder path: String
    ) throws(PersistenceFailure) -> CentreReader {
        let reader = try CentreReader(stateFolder: path)
        return try PersistenceFailure.rethrowing("open state folder \(path)") {
            guard let pool = reader.database as? DatabasePool else { return reader }
            return CentreReader(
                try pool.makeSnapshot(),
                stateFolder: path,
                hasArchive: reader.hasArchive
            )
        }
    }

    func read<Result>(
        _ operation: String,
        _ body: (Database) throws -> Result
    ) throws(PersistenceFailure) -> Result {
        try PersistenceFailure.rethrowing(operation) {
            try gate.pass(operation) { try database.read(body) }
        }
    }

    /// Copies the database, page by page.
    func copy(to queue: DatabaseQueue) throws {
        try gate.pass("copy the journal") { try database.backup(to: queue) }
    }

    /// Lets nobody read any more, and waits for those who do.
    func finish() { gate.close() }

    /// The fact kept under `name`; nil when there is none.
    ///
    /// - Throws: `PersistenceFailure`.
    public func meta(_ name: String) throws(PersistenceFailure) -> String? {
        try read("read meta data") {
            try String.fetchOne($0, sql: "SELECT value FROM meta WHERE name = ?", arguments: [name])
        }
    }

    /// The hash of a row of the ledger, as `journalHash`.
    ///
    /// - Throws: `PersistenceFailure`.
    public func ledgerHash(ofRow sequence: Int64) throws(PersistenceFailure) -> String? {
        try read("read the ledger") { db in
            let stored = try Data.fetchOne(
                db,
                sql: "SELECT chain FROM ledger WHERE sequence = ?",
                arguments: [sequence]
            )
            return stored.map { HashChain(head: [UInt8]($0)).hexText }
        }
    }

    /// Refuses a journal that is not what the head file says, or has grown from there.
    ///
    /// - Throws: `PersistenceFailure` of kind `lost`.
    func checkHead(
        _ known: AcknowledgedEnd?,
        journalLength: Int64
    ) throws(PersistenceFailure) {
        if let problem = try headFinding(known, journalLength: journalLength) {
            throw PersistenceFailure(kind: .lost, operation: "open the journal", message: problem)
        }
    }

    /// What is missing of what was acknowledged; nil when nothing is.
    ///
    /// - Parameter folder: the state folder, with the file `head`.
    /// - Throws: `PersistenceFailure`.
    public func headFinding(folder: String) throws(PersistenceFailure) -> String? {
        // In this order: a daemon that runs writes the head after the journal.
        let known = HeadFile.read(folder: folder)
        return try headFinding(known, journalLength: journalLength())
    }

    private func headFinding(
        _ known: AcknowledgedEnd?,
        journalLength: Int64
    ) throws(PersistenceFailure) -> String? {
        guard let known else {
            return try meta("centre") == nil
                ? nil : "the file 'head', which says where the journal ends, is missing or damaged"
        }
        let acknowledged = "batch \(known.batch) (row \(known.length)) was acknowledged"
        guard journalLength >= known.length else {
            return journalLength == 0
                ? "the journal is gone, or another one: \(acknowledged)"
                : "the journal ends with batch \(try lastBatch()) (row \(journalLength)), but"
                    + " \(acknowledged): its end was removed, cut off or rolled back"
        }
        guard known.length > 0 else { return nil }
        guard try journalHash(ofRow: known.length) == known.head else {
            return "row \(known.length) of the journal is not the one that was acknowledged:"
                + " it was written anew"
        }
        return nil
    }

    /// Hands over the ledger, row by row, and checks each row's hash on the way.
    ///
    /// - Throws: as `forEachInput`.
    public func forEachLedgerEntry(
        _ body: (LedgerRow) throws(PersistenceFailure) -> Void
    ) throws(PersistenceFailure) {
        var last: Int64 = 0
        while true {
            let page = try ledgerRows(after: last, upTo: Self.pageLength)
            for row in page {
                guard row.sequence == last + 1 else {
                    throw Self.damaged("ledger", "row \(last + 1) is missing")
                }
                guard row.isIntact else {
                    let place = "row \(row.sequence) (\(row.content.id))"
                    throw Self.damaged("ledger", "\(place) does not match its hash")
                }
                try body(row.content)
                last += 1
            }
            guard page.count == Self.pageLength else { return }
        }
    }

    /// A row of a chained table, and whether it matches its hash.
    public struct ChainedRow<Content: Sendable>: Sendable {
        /// Its place.
        public var sequence: Int64
        /// What it says.
        public var content: Content
        /// Whether its hash follows from it and from the hash that the row before has.
        public var isIntact: Bool
        /// The hash in hexadecimal.
        public var hash: String
    }

    /// Rows of the ledger, also those that were changed: so many at most, after one of them.
    ///
    /// - Throws: `PersistenceFailure`.
    public func ledgerRows(
        after first: Int64,
        upTo limit: Int
    ) throws(PersistenceFailure) -> [ChainedRow<LedgerRow>] {
        try read("read the ledger") { db in
            let before = try Data.fetchOne(
                db,
                sql: "SELECT chain FROM ledger WHERE sequence <= ? ORDER BY sequence DESC LIMIT 1",
                arguments: [first > 0 ? first : .min]
            )
            var chain = before.map { HashChain(head: [UInt8]($0)) } ?? HashChain()
            let statement = try db.cachedStatement(
                sql: "SELECT sequence, id, text, chain FROM ledger WHERE sequence > ?"
                    + " ORDER BY sequence LIMIT ?"
            )
            // What stands before the first row does not belong there, and is met.
            let cursor = try Row.fetchCursor(
                statement,
                arguments: [first > 0 ? first : .min, limit]
            )
            var rows: [ChainedRow<LedgerRow>] = []
            var texts = PackedTexts()
            while let row = try cursor.next() {
                let entry = LedgerRow(id: row[1], text: try texts.text(row[2], db))
                let sequence: Int64 = row[0]
                chain.extend(numbers: [sequence], texts: [entry.id, entry.text])
                let stored = HashChain(head: [UInt8](row[3] as Data))
                rows.append(
                    ChainedRow(
                        sequence: sequence,
                        content: entry,
                        isIntact: stored == chain,
                        hash: stored.hexText
                    )
                )
                // Go on from what is there, so that only the changed row is named.
                chain = stored
            }
            return rows
        }
    }

    /// The row of the ledger that has the entry with an id; nil when there is none.
    ///
    /// - Throws: `PersistenceFailure`.
    public func ledgerRow(
        ofEntry id: String
    ) throws(PersistenceFailure) -> ChainedRow<LedgerRow>? {
        let sequence = try read("read the ledger") {
            try Int64.fetchOne($0, sql: "SELECT sequence FROM ledger WHERE id = ?", arguments: [id])
        }
        return try sequence.flatMap { sequence throws(PersistenceFailure) in
            try ledgerRows(after: sequence - 1, upTo: 1).first
        }
    }

    /// The rows of the ledger, and the hash of the last in hexadecimal.
    ///
    /// - Throws: `PersistenceFailure`.
    public func ledgerEnd() throws(PersistenceFailure) -> (length: Int64, head: String) {
        try read("read the ledger") { db in
            let end = try CentreStore.end(of: "ledger", db)
            return (end.length, end.chain.hexText)
        }
    }

    /// The row of the ledger with such a hash, in hexadecimal; nil when there is none.
    ///
    /// - Throws: `PersistenceFailure`.
    public func ledgerRow(withHash hash: String) throws(PersistenceFailure) -> Int64? {
        try read("read the ledger") {
            try Int64.fetchOne(
                $0,
                sql: "SELECT sequence FROM ledger WHERE lower(hex(chain)) = ? LIMIT 1",
                arguments: [hash]
            )
        }
    }

    /// The records of some runs as they are stored: the columns, then the body. Those that are not there
    /// are nil.
    ///
    /// - Throws: `PersistenceFailure`.
    public func jobRows(
        of runs: [StoredRun]
    ) throws(PersistenceFailure) -> [StoredJobRow?] {
        try read("read the records") { db in
            let statement = try db.cachedStatement(
                sql: "SELECT id, restart, user, account, state, submit, \"end\", body FROM job"
                    + " WHERE id = ? AND restart = ?"
            )
            var texts = PackedTexts()
            return try runs.map { run in
                let row = try Row.fetchOne(statement, arguments: [run.job, run.restart])
                return try row.map { row in
                    let columns = (2..<7).map { String(describing: row[$0] as DatabaseValue) }
                    let body = try texts.text(row[7], db)
                    return StoredJobRow(id: row[0], restart: row[1], columns: columns, body: body)
                }
            }
        }
    }

    /// Which of some runs have records.
    ///
    /// - Throws: `PersistenceFailure`.
    public func haveRecords(_ runs: [StoredRun]) throws(PersistenceFailure) -> [Bool] {
        try read("read the records") { db in
            let statement = try db.cachedStatement(
                sql: "SELECT 1 FROM job WHERE id = ? AND restart = ?"
            )
            return try runs.map { run in
                try Int.fetchOne(statement, arguments: [run.job, run.restart]) != nil
            }
        }
    }

    /// The runs that have records and are not among `known`, in their order.
    ///
    /// - Throws: `PersistenceFailure`.
    public func recordedRuns(notIn known: RunSet) throws(PersistenceFailure) -> [StoredRun] {
        try read("read the records") { try Self.recordedRuns(notIn: known, $0) }
    }

    static func recordedRuns(notIn known: RunSet, _ db: Database) throws -> [StoredRun] {
        let rows = try Row.fetchCursor(db, sql: "SELECT id, restart FROM job ORDER BY id, restart")
        var others: [StoredRun] = []
        while let row = try rows.next() {
            let run = StoredRun(job: row[0], restart: row[1])
            if !run.isIn(known) { others.append(run) }
        }
        return others
    }

    /// A record of an ended run as it is stored.
    public struct StoredJobRow: Hashable, Sendable {
        /// The job.
        public var id: Int64
        /// The run.
        public var restart: Int64
        /// Owner, account, state, submission and end.
        public var columns: [String]
        /// The whole record, as JSON.
        public var body: String

        /// Whether it says what `row` says.
        public func says(_ row: JobRow) -> Bool {
            let expected: [any DatabaseValueConvertible] = [
                row.user, row.account, row.state, row.submit.microseconds, row.end.microseconds,
            ]
            return columns == expected.map { String(describing: $0.databaseValue) }
                && body == row.body
        }
    }

    static func damaged(_ table: String, _ message: String) -> PersistenceFailure {
        PersistenceFailure(kind: .damaged, operation: "check the \(table)", message: message)
    }

    /// The digests stored of some batches, by batch.
    ///
    /// - Throws: `PersistenceFailure`.
    public func digests(
        of batches: ClosedRange<Int64> = .min ... .max
    ) throws(PersistenceFailure) -> [Int64: UInt64] {
        try read("read the digests") { db in
            let statement = try db.cachedStatement(
                sql: "SELECT batch, value FROM digest WHERE batch BETWEEN ? AND ?"
            )
            let rows = try Row.fetchCursor(
                statement,
                arguments: [batches.lowerBound, batches.upperBound]
            )
            var digests: [Int64: UInt64] = [:]
            while let row = try rows.next() {
                digests[row[0]] = UInt64(bitPattern: row[1] as Int64)
            }
            return digests
        }
    }

    /// The number of state digests.
    ///
    /// - Throws: `PersistenceFailure`.
    public func digestCount() throws(PersistenceFailure) -> Int64 {
        try read("read the digests") {
            try Int64.fetchOne($0, sql: "SELECT count(*) FROM digest") ?? 0
        }
    }

    /// Which records are wanted.
    public struct JobQuery: Hashable, Sendable {
        /// Only jobs with these numbers; nil for all.
        public var jobs: [ClosedRange<UInt32>]?
        /// Only of these users, by name; nil for all.
        public var users: [String]?
        /// Only of these accounts; nil for all.
        public var accounts: [String]?
        /// Only runs that ended at or after this instant.
        public var endedFrom: SimInstant?
        /// Only jobs that were submitted by this instant.
        public var submittedUntil: SimInstant?

        /// Asks for all records.
        public init() {}
    }

    /// The bodies of the records that match, by job and run within each range, user or account.
    ///
    /// Of numbers, users and accounts only the first that are named are looked at: the records may be more than
    /// were asked for.
    ///
    /// - Throws: `PersistenceFailure`.
    public func jobs(_ query: JobQuery) throws(PersistenceFailure) -> [String] {
        try read("read the records") { db in
            var conditions: [String] = []
            var times: StatementArguments = []
            if let from = query.endedFrom {
                conditions.append("\"end\" >= ?")
                times += [from.microseconds]
            }
            if let until = query.submittedUntil {
                conditions.append("submit <= ?")
                times += [until.microseconds]
            }
            var bodies: [String] = []
            var texts = PackedTexts()
            func add(_ statement: Statement, _ arguments: StatementArguments) throws {
                let rows = try String.fetchCursor(statement, arguments: arguments)
                while let body = try rows.next() { bodies.append(try texts.text(body, db)) }
            }
            if let jobs = query.jobs {
                let statement = try Self.records(conditions + ["id BETWEEN ? AND ?"], db)
                for range in jobs {
                    let bounds: StatementArguments = [
                        Int64(range.lowerBound), Int64(range.upperBound),
                    ]
                    try add(statement, times + bounds)
                }
            } else if let names = query.users ?? query.accounts {
                let column = query.users == nil ? "account" : "user"
                let statement = try Self.records(conditions + ["\(column) = ?"], db)
                for name in names {
                    try add(statement, times + [name])
                }
            } else {
                let statement = try Self.records(conditions, db)
                try add(statement, times)
            }
            return bodies
        }
    }

    private static func records(_ conditions: [String], _ db: Database) throws -> Statement {
        let filter = conditions.isEmpty ? "" : " WHERE " + conditions.joined(separator: " AND ")
        // The table lies by job and run, and SQLite would rather read all of it in that order, bodies too,
        // than sort the few rows that an index leads to: so an index finds their keys first.
        let keys = "(id, restart) IN (SELECT id, restart FROM job\(filter))"
        let found = conditions.isEmpty ? "" : " WHERE \(keys)"
        return try db.cachedStatement(sql: "SELECT body FROM job\(found) ORDER BY id, restart")
    }

    /// The number of records of ended runs.
    ///
    /// - Throws: `PersistenceFailure`.
    public func jobCount() throws(PersistenceFailure) -> Int64 {
        try read("read the records") {
            try Int64.fetchOne($0, sql: "SELECT count(*) FROM job") ?? 0
        }
    }
}
