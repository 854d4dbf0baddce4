import JobModel
import Quantities

/// The jobs that others wait for, how far they have come, and who waits.
///
/// A job, or an array as a whole, has one entry however many jobs depend on it, and one exists only
/// while somebody does. What happens to a job changes the entries that it is in; whoever waits is told
/// when that may have decided something: the last has started, or the last has ended.
struct AwaitedJobs: Sendable, Codable {
    struct Entry: Sendable, Codable {
        /// Jobs that have neither started nor ended.
        var unstarted: Int32 = 0
        /// Jobs that have not ended.
        var unended: Int32 = 0
        /// Jobs that have ended otherwise than completed.
        var failed: Int32 = 0
        /// Jobs that somebody remembers.
        var known: Int32 = 0
        /// When the last of those that have started did so, or was cancelled. Unit: µs.
        var lastStart: Int64 = .min
        var dependents = SortedNumbers()

        /// A job that nobody remembers counts as fulfilling, as in Slurm.
        func outcome(of dependency: Dependency, at now: SimInstant) -> DependencyOutcome {
            switch dependency.kind {
            case .after:
                guard unstarted == 0 else { return .open }
                return dueTime(of: dependency).map { $0 > now } ?? false ? .open : .fulfilled
            case .afterAny, .afterBurstBuffer, .singleton:
                return unended == 0 ? .fulfilled : .open
            case .afterOK, .afterCorresponding:
                guard unended == 0 else { return .open }
                return failed == 0 ? .fulfilled : .never
            case .afterNotOK:
                guard unended == 0 else { return .open }
                return failed > 0 || known == 0 ? .fulfilled : .never
            }
        }

        /// When the delay of a dependency is over; nil when there is none, or somebody has not started.
        func dueTime(of dependency: Dependency) -> SimInstant? {
            guard dependency.kind == .after, dependency.delay > .zero, unstarted == 0, known > 0
            else { return nil }
            let (due, overflow) =
                lastStart.addingReportingOverflow(dependency.delay.microseconds)
            return overflow ? .distantFuture : SimInstant(microseconds: due)
        }
    }

    /// By the numbers of the jobs; only looked up.
    private var entries: [ClosedRange<UInt32>: Entry] = [:]
    /// The entries of more than one job, by their lowest number.
    private var arrays: [ClosedRange<UInt32>] = []
    /// The most numbers that one of `arrays` spans.
    private var widest: UInt32 = 0

    var isEmpty: Bool { entries.isEmpty }

    subscript(jobs: ClosedRange<UInt32>) -> Entry? { entries[jobs] }

    // MARK: Who waits

    /// Notes who waits for jobs.
    ///
    /// - Parameter progress: how far the jobs have come; needed when nobody waited for them so far.
    mutating func wait(
        for jobs: ClosedRange<UInt32>,
        _ dependent: JobID,
        from progress: Entry
    ) {
        if entries[jobs] == nil {
            entries[jobs] = progress
            if jobs.count > 1 {
                arrays.insert(jobs, at: place(of: jobs.lowerBound))
                widest = max(widest, jobs.upperBound - jobs.lowerBound)
            }
        }
        entries[jobs]?.dependents.insert(dependent.number)
    }

    /// Notes that a job waits for others no more.
    mutating func stopWaiting(for jobs: ClosedRange<UInt32>, _ dependent: JobID) {
        entries[jobs]?.dependents.remove(dependent.number)
        guard entries[jobs]?.dependents.isEmpty == true else { return }
        entries[jobs] = nil
        guard jobs.count > 1, let place = arrays.firstIndex(of: jobs) else { return }
        arrays.remove(at: place)
        if arrays.isEmpty { widest = 0 }
    }

    /// The first place in `arrays` whose lowest number is above `number`.
    private func place(of number: UInt32) -> Int {
        var low = 0
        var high = arrays.count
        while low < high {
            let middle = (low + high) / 2
            if arrays[middle].lowerBound <= number { low = middle + 1 } else { high = middle }
        }
        return low
    }

    // MARK: What happens

    /// Notes the start of a job, the first or one after a requeue.
    ///
    /// - Returns: the jobs that are to be looked at again.
    mutating func noteStart(of job: JobID, isFirst: Bool, at now: SimInstant) -> [UInt32] {
        change(job) { entry in
            if isFirst { entry.unstarted -= 1 }
            entry.lastStart = max(entry.lastStart, now.microseconds)
            return entry.unstarted == 0
        }
    }

    /// Notes the end of a job.
    ///
    /// - Parameter hasStarted: whether its first start was noted before.
    /// - Returns: the jobs that are to be looked at again.
    mutating func noteEnd(
        of job: JobID,
        _ state: EndState,
        hasStarted: Bool,
        at now: SimInstant
    ) -> [UInt32] {
        change(job) { entry in
            if !hasStarted {
                entry.unstarted -= 1
                entry.lastStart = max(entry.lastStart, now.microseconds)
            }
            entry.unended -= 1
            if state != .completed { entry.failed += 1 }
            return entry.unended == 0 || !hasStarted && entry.unstarted == 0
        }
    }

    private mutating func change(_ job: JobID, _ body: (inout Entry) -> Bool) -> [UInt32] {
        var told: [UInt32] = []
        func visit(_ jobs: ClosedRange<UInt32>) {
            guard let isDecided = entries[jobs].map({ _ in body(&entries[jobs, default: Entry()]) })
            else { return }
            if isDecided { told += entries[jobs]?.dependents.all ?? [] }
        }
        visit(job.number...job.number)
        var place = place(of: job.number)
        while place > 0, job.number - arrays[place - 1].lowerBound <= widest {
            place -= 1
            if arrays[place].contains(job.number) { visit(arrays[place]) }
        }
        return told
    }
}

/// What has become of a dependency.
enum DependencyOutcome {
    case fulfilled
    case open
    case never
}
