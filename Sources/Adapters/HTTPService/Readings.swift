import Foundation
import Synchronization

/// Answers that take long. They are made on threads of their own, so many at once and the others in
/// their turn: who submits a job, or asks whether the centre is alive, does not wait for them.
final class Readings: Sendable {
    /// Runs tasks on a bounded number of threads.
    private final class Lane: TaskExecutor {
        private let queue = OperationQueue()

        init(width: Int) {
            queue.maxConcurrentOperationCount = width
        }

        func enqueue(_ job: consuming ExecutorJob) {
            let job = UnownedJob(job)
            queue.addOperation { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
        }
    }

    private typealias Follower = CheckedContinuation<Result<Reply, any Error>?, Never>

    private let lane: Lane
    /// Who waits for an answer that is not begun yet, by the question.
    private let followers = Mutex<[String: [Follower]]>([:])

    /// Makes room for `width` answers at once.
    init(width: Int) {
        lane = Lane(width: width)
    }

    /// The question's followers that wait for an answer not begun yet.
    func followerCount(_ question: String) -> Int {
        followers.withLock { $0[question]?.count ?? 0 }
    }

    /// Makes an answer when there is room.
    func alone<Answer: Sendable>(
        _ make: @Sendable () async throws -> Answer
    ) async throws -> Answer {
        try await withTaskExecutorPreference(lane) { try await make() }
    }

    /// Makes an answer when there is room. All who put the same question before it is begun get the
    /// same one, once: it is no older than any of them asks for.
    func shared(
        _ question: String,
        _ make: @Sendable () async throws -> Reply
    ) async throws -> Reply {
        let shared = await withCheckedContinuation { (follower: Follower) in
            let isFirst = followers.withLock { followers in
                guard followers[question] != nil else {
                    followers[question] = []
                    return true
                }
                followers[question]?.append(follower)
                return false
            }
            if isFirst { follower.resume(returning: nil) }
        }
        if let shared { return try shared.get() }
        return try await alone {
            let waiting = followers.withLock { $0.removeValue(forKey: question) ?? [] }
            let answer: Result<Reply, any Error>
            do {
                answer = .success(try await make())
            } catch {
                answer = .failure(error)
            }
            for follower in waiting { follower.resume(returning: answer) }
            return try answer.get()
        }
    }
}
