/// A job's place in the order of a queue: by rank, then by submission, then by number.
///
/// Every order compares exactly these three, so no tie is left to chance.
public struct QueueKey: Hashable, Comparable, Sendable {
    /// What the order sorts by; lower goes first. FCFS has zero everywhere.
    public var rank: Int64
    /// When the job was submitted. Unit: µs since the epoch.
    public var submitted: Int64
    /// The job's number.
    public var id: UInt32

    /// Makes a key.
    public init(rank: Int64, submitted: Int64, id: UInt32) {
        self.rank = rank
        self.submitted = submitted
        self.id = id
    }

    /// Whether `left` goes before `right`.
    @inline(__always)
    public static func < (left: Self, right: Self) -> Bool {
        if left.rank != right.rank { return left.rank < right.rank }
        if left.submitted != right.submitted { return left.submitted < right.submitted }
        return left.id < right.id
    }
}
