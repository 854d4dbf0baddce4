import Foundation
import GRDB
public import WireFormats

extension CentreStore {
    /// The name under which the store keeps which version decided last.
    public static let programName = "program"

    /// How many rows of the journal go at once.
    private static let rowsAtOnce = 2_048
    /// How many pages are given back at once.
    private static let pagesAtOnce = 512

    /// Does a prepared piece of the work of archiving, in one transaction.
    ///
    /// - Throws: `PersistenceFailure`; nothing has changed then.
    public func take(_ step: ArchiveStep) throws(PersistenceFailure) {
        try PersistenceFailure.rethrowing("archive") {
            try pool.writeWithoutTransaction { db in
                switch step.work {
                case .shrink:
                    try db.execute(sql: "PRAGMA incremental_vacuum(\(Self.pagesAtOnce))")
                case .settle: try db.checkpoint(.passive)
                default:
                    try db.inTransaction(.immediate) {
                        try Self.take(step.work, db)
                        return .commit
                    }
                }
            }
        }
    }

    private static func take(_ work: ArchiveStep.Work, _ db: Database) throws {
        switch work {
        case .segment(let segment):
            try db.execute(
                sql: "INSERT INTO segment (first, last, batch, before, chain, sum)"
                    + " VALUES (?, ?, ?, ?, ?, ?)",
                arguments: [
                    segment.first, segment.last, segment.lastBatch, Data(segment.before.head),
                    Data(segment.end.head), segment.sum,
                ]
            )
        case .dropRows(let rows):
            try db.execute(
                sql: "DELETE FROM journal WHERE sequence IN (SELECT sequence FROM journal"
                    + " WHERE sequence BETWEEN ? AND ? ORDER BY sequence LIMIT \(rowsAtOnce))",
                arguments: [rows.lowerBound, rows.upperBound]
            )
        case .records(let records, let packed):
            let block = try insert(packed, db)
            let delete = try db.cachedStatement(
                sql: "DELETE FROM job WHERE id = ? AND restart = ?"
            )
            let insert = try db.cachedStatement(
                sql: "INSERT INTO job VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
            )
            // Taken out and put in: a page whose rows only became shorter would stay as it is.
            for record in records {
                try delete.execute(arguments: [record.run.job, record.run.restart])
            }
            for (place, record) in records.enumerated() {
                let key: [any DatabaseValueConvertible] = [record.run.job, record.run.restart]
                let body = PackedTexts.reference(block, place)
                try insert.execute(arguments: StatementArguments(key + record.columns + [body]))
            }
        case .entries(let entries, let packed):
            let block = try insert(packed, db)
            let delete = try db.cachedStatement(sql: "DELETE FROM ledger WHERE sequence = ?")
            let insert = try db.cachedStatement(sql: "INSERT INTO ledger VALUES (?, ?, ?, ?)")
            for entry in entries { try delete.execute(arguments: [entry.sequence]) }
            for (place, entry) in entries.enumerated() {
                try insert.execute(arguments: [
                    entry.sequence, entry.id, PackedTexts.reference(block, place),
                    Data(entry.chain),
                ])
            }
        case .shrink, .settle:
            preconditionFailure("the file is made smaller outside of transactions")
        }
    }

    /// Keeps packed texts; the block that they are.
    private static func insert(_ packed: PackedTexts.Packed, _ db: Database) throws -> Int64 {
        try db.execute(
            sql: "INSERT INTO packed (length, bytes) VALUES (?, ?)",
            arguments: [packed.length, Data(packed.bytes)]
        )
        return db.lastInsertedRowID
    }

    /// Archives a store that nobody else has open, and gives back what it does not need any more.
    ///
    /// - Throws: `PersistenceFailure`; what was archived until then is archived.
    public func archive() throws(PersistenceFailure) -> ArchiveOutcome {
        var archiving = try Archiving(reader, stateFolder: folder.path)
        while let step = try archiving.next() { try take(step) }
        if archiving.outcome != ArchiveOutcome() {
            try PersistenceFailure.rethrowing("archive") {
                try pool.writeWithoutTransaction { db in
                    // In a file of an earlier version pages cannot be given back one by one before it is
                    // written anew.
                    try db.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL; VACUUM")
                    // It is in the log now; the file gets smaller when that is brought in.
                    try db.checkpoint(.truncate)
                }
            }
        }
        return archiving.outcome
    }
}
