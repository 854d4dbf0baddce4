import GRDB

/// The state folder did not do its part.
public struct PersistenceFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// What can be told apart by who reacts.
    public enum Kind: Hashable, Sendable {
        /// The disk, or the size set for the journal, is full. Nothing was written.
        case full
        /// Another process has the state folder.
        case inUse
        /// What was read back is not what was written.
        case damaged
        /// Less is there than was acknowledged: the journal, or its end, is gone.
        case lost
        /// The folder is a copy of the one in which the centre was, or was moved.
        case copied
        /// Anything else of SQLite or of the operating system.
        case other
    }

    /// What kind of failure it is.
    public var kind: Kind
    /// What was being done.
    public var operation: String
    /// The message of SQLite or of the operating system, or what is damaged.
    public var message: String

    /// Makes a report.
    public init(kind: Kind, operation: String, message: String) {
        self.kind = kind
        self.operation = operation
        self.message = message
    }

    /// `append to the journal: database or disk is full`.
    public var description: String { "\(operation): \(message)" }

    /// Runs `body` and turns what SQLite throws into a failure of `operation`.
    static func rethrowing<Result>(
        _ operation: String,
        _ body: () throws -> Result
    ) throws(PersistenceFailure) -> Result {
        do {
            return try body()
        } catch let failure as PersistenceFailure {
            throw failure
        } catch let error as DatabaseError {
            throw PersistenceFailure(
                kind: kind(of: error),
                operation: operation,
                message: error.message ?? "SQLite error \(error.extendedResultCode.rawValue)"
            )
        } catch {
            throw PersistenceFailure(kind: .other, operation: operation, message: "\(error)")
        }
    }

    private static func kind(of error: DatabaseError) -> Kind {
        switch error.resultCode {
        case .SQLITE_FULL: .full
        // A write that the file system or a limit on file sizes cut short.
        case .SQLITE_IOERR where error.extendedResultCode == .SQLITE_IOERR_WRITE: .full
        case .SQLITE_CORRUPT, .SQLITE_NOTADB: .damaged
        default: .other
        }
    }
}
