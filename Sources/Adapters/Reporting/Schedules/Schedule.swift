public import WorkloadFormats

/// What a replay made of a trace: when each job started and ended, and what it held.
///
/// Element `i` belongs to job `i` of the trace; times are trace time in µs, −1 for a job that did
/// not run. A value of arrays that are shared, so a copy costs nothing.
public struct Schedule: Sendable {
    /// The jobs.
    public let trace: Trace
    /// When each job started, for the last time.
    public let started: ContiguousArray<Int64>
    /// When each job ended.
    public let ended: ContiguousArray<Int64>
    /// The processors of a node; jobs hold whole nodes.
    public let processorsPerNode: Int64
    /// The processors of the machine.
    public let machineProcessors: Int64
    /// What events of nodes did; nil when none could happen.
    public let failures: FailureRecord?
    /// Which nodes each run held; nil when nobody recorded it.
    public let places: RunPlaces?
    /// When each job would have started if nobody had come after it; −1 for never. Nil when nobody asked.
    public let fairStarts: ContiguousArray<Int64>?
    /// Jobs that did not run to their end because nodes failed.
    let lost: Set<Int>
    /// Jobs that were cancelled, waiting or running.
    let cancelled: Set<Int>

    /// Makes a schedule.
    ///
    /// - Precondition: there is a start and an end for each job.
    public init(
        trace: Trace,
        started: ContiguousArray<Int64>,
        ended: ContiguousArray<Int64>,
        processorsPerNode: Int64,
        machineProcessors: Int64,
        failures: FailureRecord? = nil,
        cancelled: [Int] = [],
        places: RunPlaces? = nil,
        fairStarts: ContiguousArray<Int64>? = nil
    ) {
        precondition(started.count == trace.jobs.count)
        precondition(ended.count == trace.jobs.count)
        precondition(processorsPerNode > 0)
        self.trace = trace
        self.started = started
        self.ended = ended
        self.processorsPerNode = processorsPerNode
        self.machineProcessors = machineProcessors
        self.failures = failures
        self.places = places
        self.fairStarts = fairStarts
        lost = Set(failures?.lost ?? [])
        self.cancelled = Set(cancelled)
    }

    /// Runs that were cut short before the last one of their jobs, in order of time.
    public var earlierRuns: some Sequence<InterruptedRun> {
        (failures?.interrupted ?? []).lazy.filter(\.isRequeued)
    }

    /// The processors that job `index` holds while it runs.
    @inline(__always)
    public func processorsHeld(by index: Int) -> Int64 {
        let asked = Int64(trace.jobs[index].processors)
        if processorsPerNode == 1 { return asked }
        return (asked + processorsPerNode - 1) / processorsPerNode * processorsPerNode
    }

    /// The positions of the jobs that ran, in the order of the trace.
    public var ranIndices: some Sequence<Int> {
        started.indices.lazy.filter { started[$0] >= 0 }
    }

    /// First submission and last end of the jobs that ran; nil when none did.
    public var span: ClosedRange<Int64>? {
        guard let first = started.firstIndex(where: { $0 >= 0 }) else { return nil }
        var last = Int64.min
        for end in ended { last = max(last, end) }
        return trace.jobs[first].submitted...last
    }
}

/// How much of a log's beginning and end a measure leaves out.
///
/// A machine that starts empty and is drained at the end is not what the policy is about; what is
/// left out is always said, never assumed.
public struct Trim: Hashable, Sendable {
    /// A share of the time of submissions, or a length.
    public enum Amount: Hashable, Sendable {
        /// Per mille of the time from the first to the last submission.
        case permille(Int64)
        /// A length. Unit: µs.
        case microseconds(Int64)
    }

    /// Left out at the beginning.
    public var warmUp: Amount
    /// Left out at the end.
    public var coolDown: Amount
    /// As it was written.
    public var text: String

    /// Reads `5%`, `7d`, `12h`, `1800s`, or two of those with a comma: beginning, end.
    public init?(_ text: String) {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let first = Self.amount(parts[0]),
            let last = Self.amount(parts[parts.count - 1])
        else { return nil }
        warmUp = first
        coolDown = last
        self.text = text
    }

    private static func amount(_ text: Substring) -> Amount? {
        guard let unit = text.last, let number = Int64(text.dropLast()),
            (0...1_000_000).contains(number)
        else { return nil }
        switch unit {
        case "%": return number <= 100 ? .permille(number * 10) : nil
        case "d": return .microseconds(number * 86_400_000_000)
        case "h": return .microseconds(number * 3_600_000_000)
        case "s": return .microseconds(number * 1_000_000)
        default: return nil
        }
    }

    /// What is left of a log submitted in `submissions`; nil when nothing is.
    public func window(of submissions: ClosedRange<Int64>) -> ClosedRange<Int64>? {
        let length = submissions.upperBound - submissions.lowerBound
        func microseconds(_ amount: Amount) -> Int64 {
            switch amount {
            case .permille(let share): Int64(Int128(length) * Int128(share) / 1_000)
            case .microseconds(let value): value
            }
        }
        let first = submissions.lowerBound + microseconds(warmUp)
        let last = submissions.upperBound - microseconds(coolDown)
        return first < last ? first...last : nil
    }
}
