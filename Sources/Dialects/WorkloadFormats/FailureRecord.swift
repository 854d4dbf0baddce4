/// A run that the failure of a node cut short. Times are trace time in µs.
public struct InterruptedRun: Hashable, Sendable {
    /// The job, as a position in the trace.
    public var job: Int
    /// When the run started.
    public var start: Int64
    /// When the node failed.
    public var end: Int64
    /// What was done in vain: nothing of it is in a checkpoint that a later run begins with. Unit: µs.
    public var lost: Int64
    /// Whether the job waited again; else its last run was this one.
    public var isRequeued: Bool
    /// Its number among all runs in order of their starts, for `RunPlaces`.
    public var run: Int

    /// Makes a record.
    public init(job: Int, start: Int64, end: Int64, lost: Int64, isRequeued: Bool, run: Int) {
        self.job = job
        self.start = start
        self.end = end
        self.lost = lost
        self.isRequeued = isRequeued
        self.run = run
    }
}

/// What events of nodes did to a replay. Jobs are positions in the trace.
public struct FailureRecord: Sendable {
    /// Nodes that failed, each as often as it did.
    public var failureCount = 0
    /// Runs that were cut short, in order of time.
    public var interrupted: [InterruptedRun] = []
    /// Jobs that did not run to their end: not to be requeued, or requeued too often.
    public var lost: [Int] = []
    /// Jobs that waited for nodes that did not come back.
    public var leftWaiting: [Int] = []
    /// How many nodes were out of service, down or drained, from each instant on. Unit: µs of trace
    /// time.
    public var outOfService: [(instant: Int64, nodes: Int)] = []
    /// Whether the replay stopped before its end, since nodes failed more often than is drawn.
    public var isCutOff = false
    /// The nodes of the machine.
    public var nodeCount: Int

    /// Makes a record of a machine of so many nodes on which nothing has happened.
    public init(nodeCount: Int) {
        self.nodeCount = nodeCount
    }

    /// ∫ nodes out of service dt over `time`. Unit: node·µs.
    public func outage(in time: ClosedRange<Int64>) -> Int128 {
        var sum: Int128 = 0
        for (index, step) in outOfService.enumerated() {
            let next = index + 1 < outOfService.count ? outOfService[index + 1].instant : .max
            let begin = max(step.instant, time.lowerBound)
            let end = min(next, time.upperBound)
            if end > begin { sum += Int128(step.nodes) * Int128(end - begin) }
        }
        return sum
    }
}
