import JobModel
import Quantities

/// Effects of a copy of the emulator that may come to be the emulator.
struct EffectBuffer: EffectSink {
    private enum Effect {
        case started(JobStart)
        case ended(JobEnd)
        case mustStop(JobID, StopReason)
        case requeued(JobEnd)
        case suspended(JobID)
        case resumed(JobID, SimDuration, SimInstant)
        case makesWay(JobID, SimInstant)
        case wake(SimInstant)
    }

    private var effects: [Effect] = []

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

    mutating func jobStarted(_ start: JobStart) { effects.append(.started(start)) }
    mutating func jobEnded(_ end: JobEnd) { effects.append(.ended(end)) }
    mutating func jobMustStop(_ id: JobID, _ reason: StopReason) {
        effects.append(.mustStop(id, reason))
    }
    mutating func jobRequeued(_ run: JobEnd) { effects.append(.requeued(run)) }
    mutating func jobSuspended(_ id: JobID) { effects.append(.suspended(id)) }
    mutating func jobResumed(_ id: JobID, suspendedFor: SimDuration, deadline: SimInstant) {
        effects.append(.resumed(id, suspendedFor, deadline))
    }
    mutating func jobMakesWay(_ id: JobID, by instant: SimInstant) {
        effects.append(.makesWay(id, instant))
    }
    mutating func wake(at instant: SimInstant) { effects.append(.wake(instant)) }
}
