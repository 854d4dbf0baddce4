import Synchronization

/// Lets one large request of each user in at a time: bodies are kept in memory until they are dealt
/// with, and a user may have many connections.
final class Turns: Sendable {
    private typealias Waiting = CheckedContinuation<Void, Never>

    /// Who waits behind the user's request that is dealt with; nil when there is none.
    private let waiting = Mutex<[UInt32: [Waiting]]>([:])

    /// How many of the user's requests wait.
    func waitingCount(_ user: UInt32) -> Int {
        waiting.withLock { $0[user]?.count ?? 0 }
    }

    /// Does `body` when the user's earlier requests are done.
    func take<Answer>(
        _ user: UInt32,
        _ body: () async throws -> Answer
    ) async throws -> Answer {
        await withCheckedContinuation { (turn: Waiting) in
            let isFree = waiting.withLock { waiting in
                guard waiting[user] != nil else {
                    waiting[user] = []
                    return true
                }
                waiting[user]?.append(turn)
                return false
            }
            if isFree { turn.resume() }
        }
        defer { passOn(user) }
        return try await body()
    }

    private func passOn(_ user: UInt32) {
        let next = waiting.withLock { waiting -> Waiting? in
            guard let first = waiting[user]?.first else {
                waiting[user] = nil
                return nil
            }
            waiting[user]?.removeFirst()
            return first
        }
        next?.resume()
    }
}
