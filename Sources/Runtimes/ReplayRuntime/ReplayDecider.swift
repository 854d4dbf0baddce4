public import IndexSets
public import JobModel

/// What has happened since the last decision of a replay. Jobs are positions in the trace.
public struct ReplaySituation: Sendable {
    /// The time of the decision. Unit: µs of trace time.
    public var now: Int64 = 0
    /// Jobs that have arrived.
    public var submitted: [Int] = []
    /// Jobs that have ended, and how.
    public var ended: [(job: Int, state: EndState)] = []
    /// Jobs whose node failed, and which wait again.
    public var requeued: [Int] = []
    /// Jobs that have started, by whatever the decision before named, and where: each of their nodes, and
    /// how many chunks of their requests lie there.
    public var placed: [(job: Int, holdings: [(node: Int, chunks: Int32)])] = []
    /// How many jobs of the trace have not arrived.
    public var toCome = 0
    /// Nodes in service that run nothing.
    public var freeNodes = 0
    /// Nodes that are out of service; nil where none can be.
    public var outOfService: IDSet?
}

/// A job that is to start.
public struct ReplayStart: Hashable, Sendable {
    /// The job, as a position in the trace.
    public var job: Int
    /// The nodes that it gets, all of them and no others; nil for those that the placement policy
    /// chooses.
    public var nodes: IDSet?

    /// Names a job, and where it is to run.
    public init(_ job: Int, on nodes: IDSet? = nil) {
        self.job = job
        self.nodes = nodes
    }
}

/// What is cancelled now, and what starts then, in this order.
public struct ReplayDecision: Hashable, Sendable {
    /// Jobs that end now when they run, and never run when they wait.
    public var cancelled: [Int]
    /// Jobs, and where they run.
    public var starts: [ReplayStart]
    /// When to be asked again, should nothing happen before. Unit: µs of trace time.
    public var wake: Int64?

    /// Makes a decision.
    public init(cancelled: [Int] = [], starts: [ReplayStart], wake: Int64? = nil) {
        self.cancelled = cancelled
        self.starts = starts
        self.wake = wake
    }
}

/// Whoever decides which jobs start in place of a built-in policy.
public protocol ReplayDecider: AnyObject {
    /// Called once at each instant at which something happened.
    func decide(_ situation: ReplaySituation) throws -> ReplayDecision
}

/// A decision that cannot be carried out. Jobs are positions in the trace.
public enum RefusedDecision: Error, Hashable, Sendable {
    /// The job runs already.
    case isRunning(Int)
    /// The job has ended.
    case hasEnded(Int)
    /// The job has not arrived yet, or was refused because it is larger than the machine.
    case hasNotArrived(Int)
    /// Its nodes are not free.
    case doesNotFit(Int, free: Int)
    /// The nodes that were named for it are not all free, or not what it asks for.
    case doesNotFitThere(Int, IDSet)
    /// The instant to be asked again at is not in the future. Unit: µs of trace time.
    case wakesTooEarly(Int64)
    /// The instant to be asked again at is beyond what a log may name. Unit: µs of trace time.
    case wakesTooLate(Int64)
    /// Nothing runs, nothing is to come, and these jobs were never started.
    case leftWaiting([Int])
}
