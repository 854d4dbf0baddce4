import Determinism
public import JobModel
import Quantities
import Scheduling

/// Running jobs that stand still: they keep what they hold, and the time does not count. Operators suspend
/// them, and jobs that run in their place.
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
        for one in components(of: id) {
            guard let slot = jobs.slot(of: one), !jobs[slot].isSuspended, !jobs[slot].isCancelled
            else { continue }
            standStill(slot, isDisplaced: false, at: now, into: &sink)
        }
    }

    /// Suspends a job that lends its cores, until it has all of them back.
    mutating func displace(_ slot: Int32, at now: SimInstant, into sink: inout some EffectSink) {
        standStill(slot, isDisplaced: true, at: now, into: &sink)
    }

    private mutating func standStill(
        _ slot: Int32,
        isDisplaced: Bool,
        at now: SimInstant,
        into sink: inout some EffectSink
    ) {
        keepExtras(slot)
        let total = SimDuration(microseconds: jobs[slot].heldUp)
        jobs.withExtras(slot) {
            $0.suspension.total = total
            $0.suspension.since = now
        }
        groups[Int(jobs[slot].group)].changeEnd(of: slot, &jobs) {
            $0.heldUp = ActiveJob.suspendedForGood
            $0.isDisplaced = isDisplaced
        }
        digest.mix(UInt64(jobs[slot].key.id) << 8 | (isDisplaced ? 0x86 : 0x82))
        sink.jobSuspended(jobs[slot].id)
    }

    /// Lets the jobs of a group go on that have all their cores back.
    mutating func resumeRepaid(
        in group: Int,
        at now: SimInstant,
        into sink: inout some EffectSink
    ) {
        for slot in groups[group].takeRepaid() where jobs[slot].isDisplaced {
            goOn(slot, at: now, into: &sink)
        }
    }

    /// Lets the clock of a suspended job go on.
    mutating func resume(
        _ id: JobID,
        at now: SimInstant,
        into sink: inout some EffectSink
    ) throws(InputRejection) {
        let slot = try runningSlot(id)
        guard jobs[slot].isSuspended else { throw .jobIsRunning(id) }
        guard !groups[Int(jobs[slot].group)].isLending(slot) else { throw .jobMakesWay(id) }
        for one in components(of: id) {
            guard let slot = jobs.slot(of: one), jobs[slot].isSuspended else { continue }
            goOn(slot, at: now, into: &sink)
        }
    }

    private mutating func goOn(_ slot: Int32, at now: SimInstant, into sink: inout some EffectSink)
    {
        let total = suspendedTime(of: slot, at: now)
        groups[Int(jobs[slot].group)].changeEnd(of: slot, &jobs) {
            $0.heldUp = total.microseconds
            $0.isDisplaced = false
        }
        // Suspended time is not added to that of a reservation.
        groups[Int(jobs[slot].group)].endWithReservation(slot, &jobs)
        digest.mix(UInt64(jobs[slot].key.id) << 8 | 0x83)
        let deadline = SimInstant(microseconds: jobs[slot].deadline)
        sink.jobResumed(jobs[slot].id, suspendedFor: total, deadline: deadline)
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
