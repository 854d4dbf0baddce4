import Dispatch
import Synchronization

/// What readers and watchers leave for the one thread that writes.
///
/// Letters of users lie in a box for each, and are taken in turns, one of each user, until a turn has
/// enough to do: who leaves 200,000 keeps nobody else waiting for longer than a turn. What one request
/// leaves is a parcel, and the parcels in a box have their turns too: whoever has submitted 50,000 jobs
/// can cancel one while they are taken in. Letters of nobody, such as ends of jobs and questions, are
/// all taken at once.
final class Mailbox<Letter: Sendable>: Sendable {
    /// A letter, and how much there is to do for it.
    typealias Posted = (letter: Letter, effort: Int)

    private struct Boxes {
        var ofNobody: [Letter] = []
        var users: [UInt32: Box] = [:]
        /// Users with letters; whose turn it is stands first.
        var order: [UInt32] = []
        /// What becomes of letters that nobody will take any more; nil as long as somebody does.
        var giveBack: (@Sendable (Letter) -> Void)?

        var isEmpty: Bool { ofNobody.isEmpty && order.isEmpty }
    }

    /// What one request leaves, to be taken in its order.
    private struct Parcel {
        let letters: [Posted]
        var taken = 0

        var isEmpty: Bool { taken == letters.count }
    }

    /// The parcels of one user; whose turn it is stands first. Those of one letter: first come, first served.
    private struct Box {
        private var parcels: [Parcel] = []
        private var first = 0

        mutating func put(_ letters: [Posted]) { parcels.append(Parcel(letters: letters)) }

        /// Takes the next letter; whether it was the last is told too.
        mutating func take() -> (posted: Posted, isLast: Bool) {
            var parcel = parcels[first]
            first += 1
            let posted = parcel.letters[parcel.taken]
            parcel.taken += 1
            if !parcel.isEmpty { parcels.append(parcel) }
            if first > 1_024, 2 * first > parcels.count {
                parcels.removeFirst(first)
                first = 0
            }
            return (posted, first == parcels.count)
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
        guard let user else { return leave { $0.ofNobody.append(letter) } }
        post([(letter, effort)], of: user)
    }

    /// Leaves the letters of one request.
    func post(_ letters: [Posted], of user: UInt32) {
        guard !letters.isEmpty else { return }
        leave { boxes in
            if boxes.users[user] == nil { boxes.order.append(user) }
            boxes.users[user, default: Box()].put(letters)
        }
    }

    private func leave(_ put: (inout Boxes) -> Void) {
        let (wasEmpty, isClosed) = boxes.withLock { boxes in
            let wasEmpty = boxes.isEmpty
            put(&boxes)
            return (wasEmpty, boxes.giveBack != nil)
        }
        if isClosed { return giveBackAll() }
        // One ring for a whole batch: the reader comes again until nothing is left.
        if wasEmpty { bell.signal() }
    }

    /// Gives back what lies here and all that is left from now on: whoever waits for an answer gets one.
    func close(_ giveBack: @escaping @Sendable (Letter) -> Void) {
        boxes.withLock { $0.giveBack = giveBack }
        giveBackAll()
    }

    /// Whether nobody takes letters any more.
    var isClosed: Bool { boxes.withLock { $0.giveBack != nil } }

    private func giveBackAll() {
        let giveBack = boxes.withLock { $0.giveBack }
        for letter in takeTurn() { giveBack?(letter) }
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
                letters.append(next.posted.letter)
                effort += next.posted.effort
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
