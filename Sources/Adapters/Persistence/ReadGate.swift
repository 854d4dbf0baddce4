import Dispatch
import Synchronization

/// Lets readers in until the store closes. GRDB's pool must not be closed while somebody begins to read: a reader
/// that comes at that instant is given a connection that is gone.
final class ReadGate: Sendable {
    private let isClosed = Mutex(false)
    private let inside = DispatchGroup()

    /// Reads, unless the gate is closed.
    ///
    /// - Throws: `PersistenceFailure` when it is, and what reading throws.
    func pass<Result>(_ operation: String, _ body: () throws -> Result) throws -> Result {
        let isLate = isClosed.withLock { isClosed in
            if !isClosed { inside.enter() }
            return isClosed
        }
        guard !isLate else {
            throw PersistenceFailure(
                kind: .other,
                operation: operation,
                message: "the store is closed"
            )
        }
        defer { inside.leave() }
        return try body()
    }

    /// Lets nobody in any more, and waits until nobody is inside.
    func close() {
        isClosed.withLock { $0 = true }
        inside.wait()
    }
}
