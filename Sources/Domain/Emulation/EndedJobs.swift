import JobModel
import Quantities

/// How jobs ended that a later submission may depend on: of the latest ones only, since a centre that
/// lives for years cannot remember all. Slurm forgets jobs some time after their end as well
/// (`MinJobAge`), and takes what depends on them as fulfilled.
struct EndedJobs: Sendable, Codable {
    struct End: Sendable, Codable {
        var state: EndState
        /// When it started; when it was cancelled, for a job that never did.
        var startedAt: SimInstant
    }

    private let capacity: Int
    /// Only looked up.
    private var ends: [UInt32: End] = [:]
    /// The numbers in order of the ends, as a ring.
    private var numbers: ContiguousArray<UInt32> = []
    private var oldest = 0

    /// Remembers at most so many.
    init(capacity: Int) {
        self.capacity = capacity
    }

    var isForgetful: Bool { capacity == 0 }
    var count: Int { numbers.count }

    subscript(number: UInt32) -> End? { ends.isEmpty ? nil : ends[number] }

    /// Notes the end of a job, and forgets the oldest when there is no room.
    mutating func note(_ number: UInt32, _ end: End) {
        guard capacity > 0 else { return }
        ends[number] = end
        if numbers.count < capacity {
            numbers.append(number)
        } else {
            ends[numbers[oldest]] = nil
            numbers[oldest] = number
            oldest = (oldest + 1) % capacity
        }
    }
}
