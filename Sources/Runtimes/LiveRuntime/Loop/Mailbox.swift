import Dispatch
import Synchronization

/// What readers and watchers leave for the one thread that writes.
final class Mailbox<Letter: Sendable>: Sendable {
    private let letters = Mutex<[Letter]>([])
    private let bell = DispatchSemaphore(value: 0)

    /// Leaves a letter.
    func post(_ letter: Letter) {
        let wasEmpty = letters.withLock { letters in
            letters.append(letter)
            return letters.count == 1
        }
        // One ring for a whole batch: the reader takes all.
        if wasEmpty { bell.signal() }
    }

    /// Waits for letters, at most so long, and takes all that are there.
    ///
    /// - Parameter microseconds: nil waits without end.
    func take(waiting microseconds: Int64?) -> [Letter] {
        if let microseconds {
            let limit = DispatchTimeInterval.microseconds(Int(min(microseconds, 3_600_000_000)))
            _ = bell.wait(timeout: .now() + limit)
        } else {
            bell.wait()
        }
        return takeAll()
    }

    /// Takes all that are there.
    func takeAll() -> [Letter] {
        letters.withLock { letters in
            defer { letters = [] }
            return letters
        }
    }
}
