import Dispatch
import Synchronization

/// What readers and watchers leave for the one thread that writes.
///
/// Letters of users lie in a box for each, and are taken in turns, one of each user, until a turn has
/// enough to do: who leaves 200,000 keeps nobody else waiting for longer than a turn. Letters of
/// nobody, such as ends of jobs and questions, are all taken at once.
final class Mailbox<Letter: Sendable>: Sendable {
    private struct Boxes {
        var ofNobody: [Letter] = []
        var users: [UInt32: Box] = [:]
        /// Users with letters; whose turn it is stands first.
        var order: [UInt32] = []

        var isEmpty: Bool { ofNobody.isEmpty && order.isEmpty }
    }

    /// The letters of one user, first come, first served.
    private struct Box {
        private var letters: [(letter: Letter, effort: Int)] = []
        private var taken = 0

        mutating func put(_ letter: Letter, _ effort: Int) { letters.append((letter, effort)) }

        /// Takes the first; whether it was the last is told too.
        mutating func take() -> (letter: Letter, effort: Int, isLast: Bool) {
            let (letter, effort) = letters[taken]
            taken += 1
            if taken > 1_024, 2 * taken > letters.count {
                letters.removeFirst(taken)
                taken = 0
            }
            return (letter, effort, taken == letters.count)
        }
    }

    private let boxes = Mutex(Boxes())
    private let bell = DispatchSemaphore(value: 0)

    /// Leaves a letter.
    ///
    /// - Parameters:
    ///   - user: whose it is; nil for one that goes before all others.
    ///   - effort: how much there is to do for it.
    func post(_ letter: Letter, of user: UInt32? = nil, effort: Int = 1) {
        let wasEmpty = boxes.withLock { boxes in
            let wasEmpty = boxes.isEmpty
            if let user {
                if boxes.users[user] == nil { boxes.order.append(user) }
                boxes.users[user, default: Box()].put(letter, effort)
            } else {
                boxes.ofNobody.append(letter)
            }
            return wasEmpty
        }
        // One ring for a whole batch: the reader comes again until nothing is left.
        if wasEmpty { bell.signal() }
    }

    /// Waits for letters, at most so long, and takes what a turn has room for.
    ///
    /// - Parameters:
    ///   - microseconds: nil waits without end.
    ///   - effort: how much there is to do in a turn; at least one letter is taken.
    func take(waiting microseconds: Int64?, upTo effort: Int = .max) -> [Letter] {
        if boxes.withLock({ !$0.isEmpty }) {
            // What was rung for is here.
            _ = bell.wait(timeout: .now())
        } else if let microseconds {
            let limit = DispatchTimeInterval.microseconds(Int(min(microseconds, 3_600_000_000)))
            _ = bell.wait(timeout: .now() + limit)
        } else {
            bell.wait()
        }
        return takeTurn(upTo: effort)
    }

    /// Takes what a turn has room for.
    func takeTurn(upTo most: Int = .max) -> [Letter] {
        boxes.withLock { boxes in
            var letters = boxes.ofNobody
            boxes.ofNobody = []
            var effort = 0
            while effort < most, let user = boxes.order.first {
                boxes.order.removeFirst()
                guard let next = boxes.users[user]?.take() else { continue }
                letters.append(next.letter)
                effort += next.effort
                if next.isLast {
                    boxes.users[user] = nil
                } else {
                    boxes.order.append(user)
                }
            }
            return letters
        }
    }
}
