import Determinism
import WireFormats

/// The jobs that came with a key of their submission, so that who asks again after an answer that was lost gets
/// the same job and no second one.
///
/// The journal holds the keys with the submissions, so they are known again after a crash. Each user's oldest go
/// first: nobody makes room at others' cost, and what is copied beside a snapshot that is still read is one
/// user's part.
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

    /// As many are remembered of each user.
    static let capacity = 1_000

    private var users: [UInt32: Words] = [:]

    subscript(key: Key) -> Entry? { users[key.user]?.entries[key.word] }

    /// How many are remembered of a user.
    func count(of user: UInt32) -> Int { users[user]?.entries.count ?? 0 }

    /// Remembers a submission, unless the key is known: what is only tried, on a copy of the centre, may come again.
    mutating func note(_ key: Key, _ entry: Entry) {
        users[key.user, default: Words()].note(key.word, entry)
    }

    /// The keys of one user.
    private struct Words: Hashable, Sendable, Codable {
        var entries: [String: Entry] = [:]
        /// Words in the order in which they came; those before `first` are gone.
        private var order: [String] = []
        private var first = 0

        mutating func note(_ word: String, _ entry: Entry) {
            guard entries[word] == nil else { return }
            entries[word] = entry
            order.append(word)
            guard entries.count > capacity else { return }
            entries[order[first]] = nil
            first += 1
            if first > capacity {
                order.removeFirst(first)
                first = 0
            }
        }
    }
}

extension SubmitRequest {
    /// Of all that is asked for, eight bytes a step. Not kept anywhere: the journal holds the request itself.
    var digest: StateDigest {
        var digest = StateDigest()
        let bytes = compactBytes
        var word: UInt64 = 0
        for (index, byte) in bytes.enumerated() {
            word = word << 8 | UInt64(byte)
            if index & 7 == 7 {
                digest.mix(word)
                word = 0
            }
        }
        digest.mix(word)
        digest.mix(UInt64(bytes.count))
        return digest
    }
}
