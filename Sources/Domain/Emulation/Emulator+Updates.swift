import Determinism
import Accounts
import JobModel
import Quantities
import Scheduling

// MARK: - Updates of jobs

extension Emulator {
    func runningSlot(_ id: JobID) throws(InputRejection) -> Int32 {
        guard let slot = jobs.slot(of: id) else { throw .unknownJob(id) }
        guard jobs[slot].phase == .running else { throw .jobIsPending(id) }
        return slot
    }

    func pendingSlot(_ id: JobID) throws(InputRejection) -> Int32 {
        guard let slot = jobs.slot(of: id) else { throw .unknownJob(id) }
        guard jobs[slot].phase != .running else { throw .jobIsRunning(id) }
        return slot
    }

    mutating func hold(
        _ id: JobID,
        _ kind: HoldKind,
        at now: SimInstant
    ) throws(InputRejection) {
        _ = try pendingSlot(id)
        for one in components(of: id) {
            guard let slot = jobs.slot(of: one) else { continue }
            makeSpecial(slot)
            // A user's hold does not take the place of an operator's, which that user cannot lift.
            jobs.withExtras(slot) { if $0.hold != .admin { $0.hold = kind } }
            withdrawAndPlace(slot, at: now)
        }
    }

    mutating func release(
        _ id: JobID,
        at now: SimInstant,
        into sink: inout some EffectSink
    ) throws(InputRejection) {
        _ = try pendingSlot(id)
        for one in components(of: id) {
            guard let slot = jobs.slot(of: one), jobs[slot].hasExtras else { continue }
            jobs.withExtras(slot) {
                $0.hold = nil
                $0.hasLostReservation = false
            }
            withdrawAndPlace(slot, at: now)
            delay.notePlaced(slot)
        }
    }

    mutating func changeTimeLimit(
        _ id: JobID,
        _ limit: SimDuration,
        at now: SimInstant,
        into sink: inout some EffectSink
    ) throws(InputRejection) {
        guard let slot = jobs.slot(of: id) else { throw .unknownJob(id) }
        let seconds = limit.limitSeconds
        if jobs[slot].phase == .running {
            let group = Int(jobs[slot].group)
            groups[group].changeLimit(of: slot, to: seconds, &jobs)
            if !reservations.isEmpty {
                if jobs[slot].hasExtras { jobs.withExtras(slot) { $0.limitAsked = nil } }
                groups[group].endWithReservation(slot, &jobs)
            }
        } else {
            withdraw(slot)
            jobs.setLimit(of: slot, to: seconds)
            place(slot, at: now)
            awaitExpiry(slot, at: now, into: &sink)
        }
        digest.mix(UInt64(id.number) << 32 | UInt64(seconds))
    }

    mutating func changePriority(
        _ id: JobID,
        _ priority: Int64,
        _ isFixed: Bool,
        at now: SimInstant
    ) throws(InputRejection) {
        let slot = try pendingSlot(id)
        withdraw(slot)
        jobs[slot].priority = priority
        jobs[slot].isPriorityFixed = isFixed
        jobs[slot].key.rank = rank(ofWaiting: slot)
        place(slot, at: now)
    }

    mutating func changeFunds(
        _ id: JobID,
        _ need: FundsNeed,
        at now: SimInstant
    ) throws(InputRejection) {
        guard let slot = jobs.slot(of: id) else { throw .unknownJob(id) }
        let isRunning = jobs[slot].phase == .running
        if !isRunning { withdraw(slot) }
        if !jobs[slot].hasLimits {
            jobs[slot].hasLimits = true
            jobs.limits.admit(jobs.termsOfSubmission(slot), array: -1)
        }
        let old = jobs.funds.updateValue(need, forKey: id)
        let freed = isRunning ? jobs.limits.moveFunds(from: old, to: need, at: now) : []
        if !isRunning { place(slot, at: now) }
        for parked in freed { reconsider(parked, at: now) }
    }

    mutating func changeRequest(
        _ submission: JobSubmission,
        at now: SimInstant,
        into sink: inout some EffectSink
    ) throws(InputRejection) {
        let slot = try pendingSlot(submission.id)
        try check(submission)
        withdraw(slot)
        if !reservations.isEmpty { leaveReservation(slot, at: now) }
        let old = jobs[slot]
        leaveNamesakes(slot, at: now)
        forgetDependencies(jobs.extras[slot]?.dependencies ?? [], of: old.id)
        if old.hasLimits { dismiss(slot) }
        jobs[slot].phase = .waiting
        if preemption.depart(qos: old.qos) { rankByPreemption() }
        let submitted = SimInstant(microseconds: old.key.submitted)
        jobs.replace(slot, with: record(of: submission, at: submitted))
        jobs[slot].hasRun = old.hasRun
        jobs[slot].startedAt = old.startedAt
        enter(slot, submission, at: now, into: &sink)
        digest.mix(UInt64(submission.id.number) << 8 | 0x81)
    }

    mutating func withdrawAndPlace(_ slot: Int32, at now: SimInstant) {
        withdraw(slot)
        place(slot, at: now)
    }

    /// Gives a plain job the record that special ones have. It must leave its queue first: the
    /// record tells which queues it is in.
    mutating func makeSpecial(_ slot: Int32) {
        let job = jobs[slot]
        guard !job.hasExtras else { return }
        withdraw(slot)
        jobs[slot].phase = .waiting
        keepExtras(slot)
    }
}
