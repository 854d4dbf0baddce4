public import JobModel
public import Quantities

/// A job starts.
public struct JobStart: Hashable, Sendable {
    /// The job.
    public var id: JobID
    /// The partition it runs in.
    public var partition: Int
    /// When.
    public var startedAt: SimInstant
    /// How long its nodes take to come up: it holds them, and does not run yet.
    public var bootDelay: SimDuration
    /// When its time limit is over.
    public var deadline: SimInstant
    /// The nodes that it holds.
    public var nodesHeld: Int32
    /// The cores that it holds.
    public var coresHeld: Int32
    /// The cards that it holds.
    public var acceleratorsHeld: Int32
}

/// A job ends, and what it held until then is to be paid.
public struct JobEnd: Hashable, Sendable {
    /// The job.
    public var id: JobID
    /// How it ended.
    public var state: EndState
    /// The partition it ran in, or asked for first.
    public var partition: Int
    /// When it started; nil when it never ran.
    public var startedAt: SimInstant?
    /// When it ended.
    public var endedAt: SimInstant
    /// The nodes that it held.
    public var nodesHeld: Int32
    /// The cores that it held.
    public var coresHeld: Int32
    /// The cards that it held.
    public var acceleratorsHeld: Int32
    /// How long it was suspended: no part of its run time.
    public var suspendedFor = SimDuration.zero
}

/// Why a running job must stop.
public enum StopReason: UInt8, Hashable, Sendable, CaseIterable, Codable {
    /// Somebody cancelled it. It goes on holding its nodes until `jobEnded` comes.
    case cancelled
    /// A node failed. It holds nothing any more.
    case nodeFailure
    /// It waits again. It holds nothing any more.
    case requeued
    /// It makes way for another job, and ends or waits again. It holds nothing any more.
    case preempted
}

/// What a driver must do next.
///
/// The emulator calls these while it handles an input; a driver collects them and acts when the
/// call is over. In the hot path the compiler specialises the sink, so no effect is allocated.
public protocol EffectSink {
    /// Start the job.
    mutating func jobStarted(_ start: JobStart)
    /// Account for the job.
    mutating func jobEnded(_ end: JobEnd)
    /// Stop what runs of the job.
    mutating func jobMustStop(_ id: JobID, _ reason: StopReason)
    /// The job waits again; `run` tells what the interrupted run held.
    mutating func jobRequeued(_ run: JobEnd)
    /// Let what runs of the job stand still. It goes on holding what it holds.
    mutating func jobSuspended(_ id: JobID)
    /// Let it go on; it has stood still for so long since it started, and its limit ends it then.
    mutating func jobResumed(_ id: JobID, suspendedFor: SimDuration, deadline: SimInstant)
    /// Tell what runs of the job that it makes way for another: it holds what it holds until `instant`.
    mutating func jobMakesWay(_ id: JobID, by instant: SimInstant)
    /// Send `.timer` at this instant, which is after that of the input.
    mutating func wake(at instant: SimInstant)
}

extension EffectSink {
    /// Nothing, for a driver that runs nothing real.
    public mutating func jobMakesWay(_ id: JobID, by instant: SimInstant) {}
    /// Nothing, for a driver that suspends no jobs.
    public mutating func jobSuspended(_ id: JobID) {}
    /// Nothing, for a driver that suspends no jobs.
    public mutating func jobResumed(
        _ id: JobID,
        suspendedFor: SimDuration,
        deadline: SimInstant
    ) {}
}
