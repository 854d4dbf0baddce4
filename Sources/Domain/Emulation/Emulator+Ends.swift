import Accounts
import Determinism
import JobModel
import Quantities
import Scheduling

// How jobs leave: they end, are cancelled, or go back into the queue.

extension Emulator {
    /// Frees what a running job holds and lets it leave.
    mutating func finish(
        _ slot: Int32,
        _ state: EndState,
        at now: SimInstant,
        into sink: inout some EffectSink
    ) {
        var end = jobs[slot].end(state, at: now)
        end.suspendedFor = suspendedTime(of: slot, at: now)
        let group = Int(jobs[slot].group)
        // The others live as long as the first component, which runs the script.
        let others = membership(slot)?.offset == 0 ? companions(of: slot) : []
        giveBack(slot, at: now)
        leave(slot, end, into: &sink)
        resumeRepaid(in: group, at: now, into: &sink)
        for other in others {
            guard let slot = jobs.slot(of: other), jobs[slot].phase == .running else { continue }
            finish(slot, state, at: now, into: &sink)
        }
    }

    /// Returns resources and room under limits.
    private mutating func giveBack(_ slot: Int32, at now: SimInstant) {
        noteUse(slot, sign: -1, at: now)
        if !reservations.isEmpty { exitReservation(slot) }
        let nodes = power == nil ? [] : nodesHeld(by: slot)
        groups[Int(jobs[slot].group)].release(slot, &jobs)
        for node in nodes { meterNode(node, at: now) }
        guard jobs[slot].hasLimits else { return }
        readmit(jobs.releaseLimits(of: slot), at: now)
    }

    mutating func leave(
        _ slot: Int32,
        _ end: JobEnd,
        into sink: inout some EffectSink
    ) {
        if jobs[slot].hasLimits { dismiss(slot) }
        leaveNamesakes(slot, at: end.endedAt)
        let hasRun = jobs[slot].phase == .running || jobs[slot].hasRun
        let startedAt = hasRun ? SimInstant(microseconds: jobs[slot].startedAt) : end.endedAt
        if jobs[slot].hasExtras, let extras = jobs.extras[slot] {
            forgetDependencies(extras.dependencies, of: end.id)
        }
        if !reservations.isEmpty { leaveReservation(slot, at: end.endedAt) }
        if !hetJobs.isEmpty { leaveHetJob(slot) }
        let qos = jobs[slot].qos
        jobs.remove(slot)
        if preemption.depart(qos: qos) { rankByPreemption() }
        digest.mix(UInt64(bitPattern: end.endedAt.microseconds))
        digest.mix(UInt64(end.id.number) << 8 | UInt64(end.state.rawValue))
        sink.jobEnded(end)
        if !ended.isForgetful {
            ended.note(end.id.number, EndedJobs.End(state: end.state, startedAt: startedAt))
        }
        guard !awaited.isEmpty else { return }
        let told = awaited.noteEnd(of: end.id, end.state, hasStarted: hasRun, at: end.endedAt)
        settle(told, at: end.endedAt, into: &sink)
    }

    /// Takes a job that is leaving out of the limits on submitted jobs.
    mutating func dismiss(_ slot: Int32) {
        jobs.limits.dismiss(jobs.termsOfSubmission(slot), array: jobs[slot].array)
        if !jobs.funds.isEmpty { jobs.funds[jobs[slot].id] = nil }
        if !jobs.licenses.isEmpty { jobs.setLicenses(of: jobs[slot].id, to: []) }
    }

    mutating func cancel(
        _ id: JobID,
        at now: SimInstant,
        into sink: inout some EffectSink
    ) throws(InputRejection) {
        guard let slot = jobs.slot(of: id) else { throw .unknownJob(id) }
        if jobs[slot].phase == .running {
            let others = membership(slot)?.offset == 0 ? companions(of: slot) : []
            for one in [id] + others {
                guard let slot = jobs.slot(of: one), !jobs[slot].isCancelled || one == id else {
                    continue
                }
                jobs[slot].isCancelled = true
                sink.jobMustStop(one, .cancelled)
            }
            return
        }
        giveUp(slot, .cancelled, at: now, into: &sink)
    }

    mutating func requeue(
        _ id: JobID,
        at now: SimInstant,
        into sink: inout some EffectSink
    ) throws(InputRejection) {
        let slot = try runningSlot(id)
        guard !jobs[slot].isCancelled else { throw .jobIsCancelled(id) }
        sink.jobMustStop(id, .requeued)
        waitAgain(slot, .cancelled, at: now, into: &sink)
        for other in companions(of: slot) {
            guard let slot = jobs.slot(of: other), jobs[slot].phase == .running else { continue }
            sink.jobMustStop(other, .requeued)
            waitAgain(slot, .cancelled, at: now, into: &sink)
        }
    }

    mutating func waitAgain(
        _ slot: Int32,
        _ state: EndState,
        at now: SimInstant,
        into sink: inout some EffectSink
    ) {
        let job = jobs[slot]
        var run = job.end(state, at: now)
        run.suspendedFor = suspendedTime(of: slot, at: now)
        giveBack(slot, at: now)
        digest.mix(UInt64(bitPattern: now.microseconds))
        digest.mix(UInt64(job.key.id) << 8 | 0x80)
        sink.jobRequeued(run)
        resumeRepaid(in: Int(job.group), at: now, into: &sink)
        jobs[slot].heldUp = 0
        jobs[slot].isDisplaced = false
        jobs[slot].isMakingWay = false
        let requeueDelay = partitions[Int(job.partition)].requeueDelay
        if requeueDelay > .zero {
            keepExtras(slot)
            jobs.withExtras(slot) { $0.notBefore = now + requeueDelay }
            wake(job.id, at: now + requeueDelay, into: &sink)
        }
        if job.hasExtras, let extras = jobs.extras[slot] {
            jobs[slot].request.isExclusive = extras.asksForWholeNodes
            if let limit = extras.limitAsked {
                jobs[slot].limitSeconds = limit
                jobs.withExtras(slot) { $0.limitAsked = nil }
            }
        }
        jobs[slot].predict(job.predictedSeconds)
        jobs[slot].hasRun = true
        // Who preempts whom may have changed since it started.
        if preemption.isOn { jobs[slot].key.rank = rank(ofWaiting: slot) }
        if job.namesakes >= 0 { namesakes.waitAgain(job.id, in: job.namesakes) }
        place(slot, at: now)
        if job.namesakes >= 0 { reconsiderNamesakes(in: job.namesakes, at: now) }
        awaitExpiry(slot, at: now, into: &sink)
    }
}
