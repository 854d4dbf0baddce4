import WorkloadFormats

/// Goes through a schedule in time: what was in use and who waited, and, when asked, which of the
/// machine's identical processors each job held.
///
/// A policy for identical processors counts them and names none, so the names are given here,
/// afterwards: each job gets the lowest free ones. At one instant ends come first, then jobs that
/// take no time, then the other starts.
struct ScheduleSweep {
    /// The state after all that happens at an instant.
    struct Moment {
        /// Trace time. Unit: µs.
        var time: Int64
        /// Processors in use.
        var busy: Int64
        /// Jobs that wait.
        var waiting: Int
    }

    private let schedule: Schedule
    private let submissions: [Int]
    private let starts: [Int]
    private let ends: [Int]

    /// - Complexity: O(jobs · log jobs).
    init(_ schedule: Schedule) {
        self.schedule = schedule
        submissions = Array(schedule.ranIndices)
        starts = submissions.sorted { left, right in
            let (a, b) = (schedule.started[left], schedule.started[right])
            guard a == b else { return a < b }
            let isLeftBrief = schedule.ended[left] == a
            let isRightBrief = schedule.ended[right] == b
            return isLeftBrief == isRightBrief ? left < right : isLeftBrief
        }
        ends = submissions.sorted { left, right in
            (schedule.ended[left], left) < (schedule.ended[right], right)
        }
    }

    /// Calls `body` after each instant at which something happens, in order.
    func moments(_ body: (Moment) throws -> Void) rethrows {
        var (submitted, started, ended) = (0, 0, 0)
        var busy: Int64 = 0
        while ended < ends.count {
            var now = schedule.ended[ends[ended]]
            if submitted < submissions.count {
                now = min(now, schedule.trace.jobs[submissions[submitted]].submitted)
            }
            if started < starts.count { now = min(now, schedule.started[starts[started]]) }
            while ended < ends.count, schedule.ended[ends[ended]] == now {
                busy -= schedule.processorsHeld(by: ends[ended])
                ended += 1
            }
            while submitted < submissions.count,
                schedule.trace.jobs[submissions[submitted]].submitted == now
            { submitted += 1 }
            while started < starts.count, schedule.started[starts[started]] == now {
                busy += schedule.processorsHeld(by: starts[started])
                started += 1
            }
            try body(Moment(time: now, busy: busy, waiting: submitted - started))
        }
    }

    /// Calls `body` for each job in order of its start, with the resources that it held: nodes
    /// where jobs hold whole nodes, else processors. Empty when the machine has too few, as when
    /// jobs share processors.
    func assignments(
        _ body: (_ index: Int, _ held: [ClosedRange<Int32>]) throws -> Void
    ) rethrows {
        let count = schedule.machineProcessors / schedule.processorsPerNode
        var free = FreeIntervals(count: Int32(clamping: count))
        var held: [Int: [ClosedRange<Int32>]] = [:]
        // What takes no time gives back at once.
        let ends = ends.filter { schedule.ended[$0] > schedule.started[$0] }
        var ended = 0
        for index in starts {
            let now = schedule.started[index]
            while ended < ends.count, schedule.ended[ends[ended]] <= now {
                if let intervals = held.removeValue(forKey: ends[ended]) { free.insert(intervals) }
                ended += 1
            }
            let size = schedule.processorsHeld(by: index) / schedule.processorsPerNode
            let intervals = free.take(Int32(clamping: size))
            if schedule.ended[index] == now {
                free.insert(intervals)
            } else {
                held[index] = intervals
            }
            try body(index, intervals)
        }
    }
}

/// The free ones of numbers from zero, as intervals that rise and do not touch.
struct FreeIntervals {
    private var intervals: [ClosedRange<Int32>]

    init(count: Int32) {
        intervals = count > 0 ? [0...(count - 1)] : []
    }

    /// Takes the lowest `count`; nothing when there are fewer.
    mutating func take(_ count: Int32) -> [ClosedRange<Int32>] {
        guard count > 0 else { return [] }
        var taken: [ClosedRange<Int32>] = []
        var left = count
        for interval in intervals {
            let size = Int32(interval.count)
            guard left >= size else {
                if left > 0 {
                    taken.append(interval.lowerBound...(interval.lowerBound + left - 1))
                    left = 0
                }
                break
            }
            taken.append(interval)
            left -= size
        }
        guard left == 0, let last = taken.last else { return [] }
        let whole = intervals[taken.count - 1] == last ? taken.count : taken.count - 1
        if whole < taken.count {
            intervals[whole] = (last.upperBound + 1)...intervals[whole].upperBound
        }
        intervals.removeFirst(whole)
        return taken
    }

    /// Gives intervals back.
    ///
    /// - Precondition: none of them is free.
    mutating func insert(_ freed: [ClosedRange<Int32>]) {
        for interval in freed {
            var (low, high) = (0, intervals.count)
            while low < high {
                let middle = (low + high) / 2
                if intervals[middle].lowerBound < interval.lowerBound {
                    low = middle + 1
                } else {
                    high = middle
                }
            }
            precondition(low == 0 || intervals[low - 1].upperBound < interval.lowerBound)
            precondition(low == intervals.count || interval.upperBound < intervals[low].lowerBound)
            let touchesNext =
                low < intervals.count && intervals[low].lowerBound == interval.upperBound + 1
            if low > 0, intervals[low - 1].upperBound + 1 == interval.lowerBound {
                let end = touchesNext ? intervals[low].upperBound : interval.upperBound
                intervals[low - 1] = intervals[low - 1].lowerBound...end
                if touchesNext { intervals.remove(at: low) }
            } else if touchesNext {
                intervals[low] = interval.lowerBound...intervals[low].upperBound
            } else {
                intervals.insert(interval, at: low)
            }
        }
    }
}

/// ∫ idle · [a job waits] dt over `time`. Unit: processor·µs.
///
/// After each event the machine has n idle processors, and δ is 1 while the queue is not empty;
/// loss of capacity is Σ n·δ·Δt over machine · time. Jobs that can never run do not wait.
/// Source: Zhang, Franke, Moreira and Sivasubramaniam, "An Integrated Approach to Parallel
/// Scheduling Using Gang-Scheduling, Backfilling, and Migration", JSSPP 2001.
func idleWhileWaiting(_ schedule: Schedule, in time: ClosedRange<Int64>) -> Int128 {
    var sum: Int128 = 0
    var before: ScheduleSweep.Moment?
    ScheduleSweep(schedule).moments { moment in
        if let before, before.waiting > 0 {
            let idle = max(0, schedule.machineProcessors - before.busy)
            sum += Int128(idle) * Int128(time.overlap(before.time, moment.time))
        }
        before = moment
    }
    return sum
}
