import Quantities

/// What happens by itself at a time.
struct CentreTimer: Hashable, Sendable {
    enum Kind: Hashable, Sendable {
        /// The run time of an emulated job is over.
        case emulatedEnd(UInt32, restart: Int32)
        /// The time limit of a real job is over.
        case limit(UInt32, restart: Int32)
        /// The moment has come at which a real job asked for a signal (`--signal`).
        case signal(UInt32, restart: Int32)
        /// A rehearsed script wants to go on.
        case rehearsal(UInt32, restart: Int32)
        /// The next job of the background load comes.
        case load
        /// A pending job's begin time has come.
        case tick
    }

    var instant: SimInstant
    var kind: Kind
}

/// Timers by instant, then in the order in which they were armed. A binary heap.
///
/// A timer that lost its meaning, such as the end of a job that was cancelled, stays in and is
/// found to be void when it comes up.
struct TimerQueue {
    private struct Entry {
        var timer: CentreTimer
        var sequence: UInt64

        func precedes(_ other: Entry) -> Bool {
            (timer.instant, sequence) < (other.timer.instant, other.sequence)
        }
    }

    private var heap: [Entry] = []
    private var armed: UInt64 = 0

    /// The earliest instant.
    var first: SimInstant? { heap.first?.timer.instant }

    mutating func arm(_ timer: CentreTimer) {
        heap.append(Entry(timer: timer, sequence: armed))
        armed += 1
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].precedes(heap[parent]) else { return }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    /// Takes out all timers of the earliest instant.
    mutating func popFirstInstant() -> [CentreTimer] {
        guard let instant = first else { return [] }
        var timers: [CentreTimer] = []
        while first == instant { timers.append(pop()) }
        return timers
    }

    private mutating func pop() -> CentreTimer {
        let timer = heap[0].timer
        let last = heap.removeLast()
        guard !heap.isEmpty else { return timer }
        heap[0] = last
        var parent = 0
        while true {
            var smallest = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count {
                if heap[child].precedes(heap[smallest]) { smallest = child }
            }
            guard smallest != parent else { return timer }
            heap.swapAt(parent, smallest)
            parent = smallest
        }
    }
}
