public import JobModel
public import Quantities

/// The effects of one call, or of a copy of the emulator, in order.
public struct EffectBuffer: EffectSink {
    /// What `EffectSink` was told.
    public enum Effect: Sendable {
        /// A job has started.
        case started(JobStart)
        /// A job has ended.
        case ended(JobEnd)
        /// A job must be stopped.
        case mustStop(JobID, StopReason)
        /// A run has ended, and its job waits again.
        case requeued(JobEnd)
        /// A job stands still.
        case suspended(JobID)
        /// A job goes on.
        case resumed(JobID, suspendedFor: SimDuration, deadline: SimInstant)
        /// A job is to have made way by an instant.
        case makesWay(JobID, by: SimInstant)
        /// The emulator is to be asked again at an instant.
        case wake(SimInstant)
    }

    /// The effects.
    public private(set) var effects: [Effect] = []

    /// Begins without any.
    public init() {}

    /// Tells them to somebody, in the order in which they came.
    func send(to sink: inout some EffectSink) {
        for effect in effects {
            switch effect {
            case .started(let start): sink.jobStarted(start)
            case .ended(let end): sink.jobEnded(end)
            case .mustStop(let id, let reason): sink.jobMustStop(id, reason)
            case .requeued(let run): sink.jobRequeued(run)
            case .suspended(let id): sink.jobSuspended(id)
            case .resumed(let id, let time, let deadline):
                sink.jobResumed(id, suspendedFor: time, deadline: deadline)
            case .makesWay(let id, let instant): sink.jobMakesWay(id, by: instant)
            case .wake(let instant): sink.wake(at: instant)
            }
        }
    }

    /// Keeps it.
    public mutating func jobStarted(_ start: JobStart) { effects.append(.started(start)) }
    /// Keeps it.
    public mutating func jobEnded(_ end: JobEnd) { effects.append(.ended(end)) }
    /// Keeps it.
    public mutating func jobMustStop(_ id: JobID, _ reason: StopReason) {
        effects.append(.mustStop(id, reason))
    }
    /// Keeps it.
    public mutating func jobRequeued(_ run: JobEnd) { effects.append(.requeued(run)) }
    /// Keeps it.
    public mutating func jobSuspended(_ id: JobID) { effects.append(.suspended(id)) }
    /// Keeps it.
    public mutating func jobResumed(_ id: JobID, suspendedFor: SimDuration, deadline: SimInstant) {
        effects.append(.resumed(id, suspendedFor: suspendedFor, deadline: deadline))
    }
    /// Keeps it.
    public mutating func jobMakesWay(_ id: JobID, by instant: SimInstant) {
        effects.append(.makesWay(id, by: instant))
    }
    /// Keeps it.
    public mutating func wake(at instant: SimInstant) { effects.append(.wake(instant)) }
}
