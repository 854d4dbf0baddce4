public import JobModel

/// When emulated jobs end: what a driver keeps for jobs that run nothing real.
///
/// A heap of four children a node, ordered by (instant, sequence): jobs that end together come out
/// in the order in which they started, so the order never depends on the heap's history. 16 bytes
/// an entry; O(log n) a push and a pop.
public struct EndQueue: Sendable, Codable {
    private struct Entry: Sendable, Codable {
        var instant: Int64
        var sequence: UInt32
        var job: UInt32

        @inline(__always)
        func goesBefore(_ other: Entry) -> Bool {
            instant != other.instant ? instant < other.instant : sequence < other.sequence
        }
    }

    private var heap: ContiguousArray<Entry> = []
    private var nextSequence: UInt32 = 0

    /// Makes an empty queue.
    public init() {}

    /// The number of ends to come.
    public var count: Int { heap.count }

    /// The next end. Unit: µs since the epoch; nil when there is none.
    @inline(__always)
    public var nextInstant: Int64? { heap.isEmpty ? nil : heap[0].instant }

    /// The job that ends next; nil when there is none.
    public var nextJob: JobID? { heap.isEmpty ? nil : JobID(heap[0].job) }

    /// Adds the end of a job that has started just now.
    public mutating func push(_ job: JobID, at instant: Int64) {
        let entry = Entry(instant: instant, sequence: nextSequence, job: job.number)
        nextSequence &+= 1
        heap.append(entry)
        heap.withUnsafeMutableBufferPointer { heap in
            var child = heap.count &- 1
            while child > 0 {
                let parent = (child &- 1) >> 2
                guard entry.goesBefore(heap[parent]) else { break }
                heap[child] = heap[parent]
                child = parent
            }
            heap[child] = entry
        }
    }

    /// Takes the next end out.
    ///
    /// - Precondition: there is one.
    public mutating func pop() -> JobID {
        precondition(!heap.isEmpty)
        let first = heap[0]
        let last = heap.removeLast()
        guard !heap.isEmpty else { return JobID(first.job) }
        heap.withUnsafeMutableBufferPointer { heap in
            var parent = 0
            while true {
                let firstChild = parent &* 4 &+ 1
                guard firstChild < heap.count else { break }
                var best = firstChild
                var child = firstChild &+ 1
                let end = min(firstChild &+ 4, heap.count)
                while child < end {
                    if heap[child].goesBefore(heap[best]) { best = child }
                    child &+= 1
                }
                guard heap[best].goesBefore(last) else { break }
                heap[parent] = heap[best]
                parent = best
            }
            heap[parent] = last
        }
        return JobID(first.job)
    }
}
