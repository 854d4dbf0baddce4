import Determinism
public import JobModel
import Quantities
import Scheduling

/// Running jobs that stand still: they keep what they hold, and the time does not count.
extension Emulator {
    /// Stops the clock of a running job.
    mutating func suspend(
        _ id: JobID,
        at now: SimInstant,
        into sink: inout some EffectSink
    ) throws(InputRejection) {
        let slot = try runningSlot(id)
        guard !jobs[slot].isSuspended else { throw .jobIsSuspended(id) }
        guard !jobs[slot].isCancelled else { throw .jobIsCancelled(id) }
        keepExtras(slot)
        let total = SimDuration(microseconds: jobs[slot].heldUp)
        jobs.withExtras(slot) { $0.suspension = (total, now) }
        groups[Int(jobs[slot].group)].changeEnd(of: slot, &jobs) {
            $0.heldUp = ActiveJob.suspendedForGood
        }
        digest.mix(UInt64(id.number) << 8 | 0x82)
        sink.jobSuspended(id)
    }

    /// Lets the clock of a suspended job go on.
    mutating func resume(
        _ id: JobID,
        at now: SimInstant,
        into sink: inout some EffectSink
    ) throws(InputRejection) {
        let slot = try runningSlot(id)
        guard jobs[slot].isSuspended else { throw .jobIsRunning(id) }
        let total = suspendedTime(of: slot, at: now)
        groups[Int(jobs[slot].group)].changeEnd(of: slot, &jobs) {
            $0.heldUp = total.microseconds
        }
        // Suspended time is not added to that of a reservation.
        groups[Int(jobs[slot].group)].endWithReservation(slot, &jobs)
        digest.mix(UInt64(id.number) << 8 | 0x83)
        let deadline = SimInstant(microseconds: jobs[slot].deadline)
        sink.jobResumed(id, suspendedFor: total, deadline: deadline)
    }

    /// How long a running job has been suspended until `now`, or has waited for its nodes to come up.
    @inline(__always)
    func suspendedTime(of slot: Int32, at now: SimInstant) -> SimDuration {
        guard jobs[slot].isSuspended, let extras = jobs.extras[slot] else {
            let passed = now.microseconds - jobs[slot].startedAt
            return SimDuration(microseconds: min(jobs[slot].heldUp, passed))
        }
        return extras.suspension.total + (now - extras.suspension.since)
    }

    /// Whether a running job is suspended.
    public func isSuspended(_ id: JobID) -> Bool {
        jobs.slot(of: id).map { jobs[$0].phase == .running && jobs[$0].isSuspended } ?? false
    }

    /// Gives a job that is in no queue the record that special ones have.
    mutating func keepExtras(_ slot: Int32) {
        let job = jobs[slot]
        guard !job.hasExtras else { return }
        jobs.withExtras(slot) {
            $0.requestedPartitions = [Int(job.partition)]
            $0.asksForWholeNodes = job.request.isExclusive
        }
    }
}
