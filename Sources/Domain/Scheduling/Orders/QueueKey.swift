/// A job's place in the order of a queue: by rank, then by the order's value, then by submission,
/// then by number.
///
/// Every order compares exactly these four, so no tie is left to chance.
public struct QueueKey: Hashable, Comparable, Sendable, Codable {
    /// The negated priority: lower goes first.
    public var rank: Int64
    /// What the queue order sorts by; lower goes first. FCFS has zero everywhere.
    public var value: Int64
    /// When the job was submitted. Unit: µs since the epoch.
    public var submitted: Int64
    /// The job's number.
    public var id: UInt32

    /// Makes a key.
    public init(rank: Int64, value: Int64 = 0, submitted: Int64, id: UInt32) {
        self.rank = rank
        self.value = value
        self.submitted = submitted
        self.id = id
    }

    /// Whether `left` goes before `right`.
    @inline(__always)
    public static func < (left: Self, right: Self) -> Bool {
        if left.rank != right.rank { return left.rank < right.rank }
        if left.value != right.value { return left.value < right.value }
        if left.submitted != right.submitted { return left.submitted < right.submitted }
        return left.id < right.id
    }
}

extension QueueKey {
    /// The same job's key in an order by time limit.
    func byLimit(_ limitSeconds: UInt32) -> QueueKey {
        QueueKey(rank: rank, value: Int64(limitSeconds), submitted: submitted, id: id)
    }
}
