import Determinism
import WireFormats

/// The jobs that came with a key of their submission, so that who asks again after an answer that was lost gets
/// the same job and no second one.
///
/// The journal holds the keys with the submissions, so they are known again after a crash. The oldest go first.
struct SubmissionKeys: Hashable, Sendable, Codable {
    /// A user's own word for a submission.
    struct Key: Hashable, Sendable, Codable {
        var user: UInt32
        var word: String

        init(user: UInt32, word: String) {
            self.user = user
            self.word = word
        }

        /// The key of a submission; nil when it has none.
        init?(_ request: SubmitRequest) {
            guard let word = request.idempotencyKey else { return nil }
            self.init(user: request.userID, word: word)
        }
    }

    /// What came with a key.
    struct Entry: Hashable, Sendable, Codable {
        /// The number of the job, or of the array's first element.
        var job: UInt32
        /// Of all that was asked for.
        var digest: StateDigest
    }

    /// As many are remembered.
    static let capacity = 10_000

    private var entries: [Key: Entry] = [:]
    /// Keys in the order in which they came; those before `first` are gone.
    private var order: [Key] = []
    private var first = 0

    subscript(key: Key) -> Entry? { entries[key] }

    /// How many are remembered.
    var count: Int { entries.count }

    /// Remembers a submission, unless the key is known: what is only tried, on a copy of the centre, may come again.
    mutating func note(_ key: Key, _ entry: Entry) {
        guard entries[key] == nil else { return }
        entries[key] = entry
        order.append(key)
        guard entries.count > Self.capacity else { return }
        entries[order[first]] = nil
        first += 1
        if first > Self.capacity {
            order.removeFirst(first)
            first = 0
        }
    }
}

extension SubmitRequest {
    /// Of all that is asked for.
    var digest: StateDigest {
        var digest = StateDigest()
        for byte in json.compactBytes { digest.mix(UInt64(byte)) }
        return digest
    }
}
