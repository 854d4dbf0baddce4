/// Which nodes the runs of a replay held, run after run in the order of their starts.
public struct RunPlaces: Sendable {
    /// The nodes of the machine.
    public let nodeCount: Int
    private var intervals: ContiguousArray<ClosedRange<Int32>> = []
    /// Where the intervals of each run end.
    private var ends: ContiguousArray<Int> = []
    /// The last run of each job, as a position in the trace; −1 for one that never ran.
    public private(set) var lastRun: ContiguousArray<Int32>

    /// Makes an empty record for so many jobs.
    public init(nodeCount: Int, jobCount: Int) {
        self.nodeCount = nodeCount
        lastRun = ContiguousArray(repeating: -1, count: jobCount)
    }

    /// The number of runs.
    public var runCount: Int { ends.count }

    /// Notes the nodes of the next run, which is one of a job of the trace.
    ///
    /// - Precondition: nodes rise.
    public mutating func append(job: Int, nodes: some Sequence<Int>) {
        lastRun[job] = Int32(ends.count)
        var open: ClosedRange<Int32>?
        for node in nodes {
            let node = Int32(node)
            if let interval = open, interval.upperBound + 1 == node {
                open = interval.lowerBound...node
            } else {
                if let interval = open { intervals.append(interval) }
                open = node...node
            }
        }
        if let interval = open { intervals.append(interval) }
        ends.append(intervals.count)
    }

    /// The nodes of a run, as intervals that rise and do not touch.
    public func nodes(ofRun run: Int) -> [ClosedRange<Int32>] {
        Array(intervals[(run > 0 ? ends[run - 1] : 0)..<ends[run]])
    }
}
