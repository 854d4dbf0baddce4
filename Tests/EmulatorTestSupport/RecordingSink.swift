public import Emulation
public import JobModel
public import Quantities

/// Notes every effect, and plays the emulated jobs' ends: a driver in a few lines.
public struct RecordingSink: EffectSink {
    /// Run times of the jobs, by number. Unit: µs.
    public var runTimes: [JobID: Int64] = [:]
    /// Ends to come.
    public var ends = EndQueue()
    /// When each job started last.
    public var starts: [JobID: SimInstant] = [:]
    /// The partition in which each job started last.
    public var partitions: [JobID: Int] = [:]
    /// How each job ended.
    public var endings: [JobID: JobEnd] = [:]
    /// Jobs that must stop.
    public var stops: [JobID] = []
    /// Interrupted runs.
    public var requeues: [JobEnd] = []
    /// Jobs that were suspended.
    public var suspended: [JobID] = []
    /// When the limits of resumed jobs end them.
    public var resumed: [JobID: SimInstant] = [:]
    /// Instants to wake at.
    public var wakes: [SimInstant] = []

    /// Makes a sink that has seen nothing.
    public init() {}

    /// Notes the start and plans the end by the job's run time, at most its limit.
    public mutating func jobStarted(_ start: JobStart) {
        starts[start.id] = start.startedAt
        partitions[start.id] = start.partition
        let limit = start.deadline - start.startedAt
        let run = min(runTimes[start.id] ?? limit.microseconds, limit.microseconds)
        ends.push(start.id, at: start.startedAt.microseconds + run)
    }

    /// Notes how the job ended, which may happen once only.
    public mutating func jobEnded(_ end: JobEnd) {
        precondition(endings[end.id] == nil, "job \(end.id) ended twice")
        endings[end.id] = end
    }

    /// Notes a cancelled job; the ends of limits are planned already.
    public mutating func jobMustStop(_ id: JobID, _ reason: StopReason) {
        if reason == .cancelled { stops.append(id) }
    }

    /// Notes the interrupted run.
    public mutating func jobRequeued(_ run: JobEnd) { requeues.append(run) }

    /// Notes a suspended job.
    public mutating func jobSuspended(_ id: JobID) { suspended.append(id) }

    /// Notes when a resumed job ends by its limit.
    public mutating func jobResumed(
        _ id: JobID,
        suspendedFor: SimDuration,
        deadline: SimInstant
    ) {
        resumed[id] = deadline
    }

    /// Notes the instant.
    public mutating func wake(at instant: SimInstant) { wakes.append(instant) }
}
