import Accounts
import Determinism
import JobModel
import Quantities
import Scheduling

// Running jobs that make way for others that wait.
//
// Source: Slurm 22.05, "Preemption", https://slurm.schedmd.com/preempt.html, and the plugins
// `preempt/qos` and `preempt/partition_prio`.

extension Emulator {
    /// Starts the first jobs of a group's queue as far as they can make others stop, and makes these
    /// stop where there is no room. The first that cannot start now ends it: nobody overtakes another
    /// by making a third stop.
    mutating func makeWay(
        in group: Int,
        at now: SimInstant,
        into sink: inout some EffectSink
    ) {
        // Whoever had to stop may make others stop in turn, of lower and lower standing.
        while startFirst(in: group, at: now, into: &sink) {}
    }

    /// - Returns: whether a job stopped and waits again that can make others stop.
    private mutating func startFirst(
        in group: Int,
        at now: SimInstant,
        into sink: inout some EffectSink
    ) -> Bool {
        let first = groups[group].firstQueued(while: mayStopOthers)
        var isChain = false
        for slot in first where !groups[group].passedOver.contains(slot) {
            // The last that it might have stopped may have gone since.
            guard jobs[slot].phase == .queued, mayStopOthers(slot) else { continue }
            if tryStart(slot, in: group, at: now, into: &sink) != .doesNotFit { continue }
            guard let (victims, partition) = victims(for: slot, in: group, at: now, into: &sink)
            else { return isChain }
            var areGone = !victims.isEmpty
            for victim in victims where !victim.isSuspended {
                let id = jobs[victim.slot].id
                if stop(victim.slot, at: now, into: &sink) {
                    isChain = isChain || jobs.slot(of: id).map(mayStopOthers) ?? false
                } else {
                    areGone = false
                }
            }
            let lenders = victims.filter(\.isSuspended).map(\.slot)
            guard areGone,
                start(slot, in: group, partition, inPlaceOf: lenders, at: now, into: &sink)
                    == .started
            else { return isChain }
        }
        return isChain
    }

    /// Ranks all that wait again, since others are there whom they may stop, or are there no more.
    mutating func rankByPreemption() {
        for slot in jobs.slotsByID where jobs[slot].phase != .running {
            jobs[slot].key.rank = rank(ofWaiting: slot)
        }
        for group in groups.indices where groups[group].queuedCount > 0 {
            groups[group].reorder(jobs)
        }
    }

    /// The rank of a job that has a record, among those that wait now.
    func rank(ofWaiting slot: Int32) -> Int64 {
        let asked = jobs.extras[slot]?.requestedPartitions ?? []
        return rank(of: jobs[slot], in: asked.isEmpty ? [Int(jobs[slot].partition)] : asked)
    }

    private func mayStopOthers(_ slot: Int32) -> Bool {
        preemption.mayStopOthers(qos: jobs[slot].qos, tier: highestTier(of: slot))
    }

    private mutating func tryStart(
        _ slot: Int32,
        in group: Int,
        at now: SimInstant,
        into sink: inout some EffectSink
    ) -> OutsideStart {
        start(slot, in: group, nil, inPlaceOf: [], at: now, into: &sink)
    }

    /// Starts a job, if need be on cores of running ones, which are suspended then.
    ///
    /// - Parameter partition: where others made way for it; nil for any.
    private mutating func start(
        _ slot: Int32,
        in group: Int,
        _ partition: Int?,
        inPlaceOf lenders: [Int32],
        at now: SimInstant,
        into sink: inout some EffectSink
    ) -> OutsideStart {
        for lender in lenders { groups[group].vacate(lender, jobs) }
        let outcome = groups[group].startChosen(slot, at: now, &jobs, inPartition: partition)
        let isStarted = outcome == .started
        for lender in groups[group].settle(isStarted ? slot : nil, &jobs)
        where !jobs[lender].isSuspended {
            displace(lender, at: now, into: &sink)
        }
        if isStarted { reportStarts(in: group, at: now, into: &sink) }
        return outcome
    }

    /// The highest tier of the partitions that a job may run in.
    private func highestTier(of slot: Int32) -> Int32 {
        guard jobs[slot].hasExtras, let extras = jobs.extras[slot] else {
            return partitions[Int(jobs[slot].partition)].tier
        }
        return extras.partitions.map { partitions[$0].tier }.max() ?? 0
    }

    // MARK: Who

    /// Who must stop so that a job can start in a group now, and the partition in which it starts then,
    /// nil for any: nobody when that is under way, nil when nothing helps.
    private func victims(
        for slot: Int32,
        in group: Int,
        at now: SimInstant,
        into sink: inout some EffectSink
    ) -> (victims: [SchedulingGroup.Candidate], partition: Int?)? {
        let running = groups[group].runningSlots
        // What others backfill meanwhile must not make more stop than were enough at first.
        if running.contains(where: { jobs[$0].isMakingWay }) { return ([], nil) }
        let leaving = running.filter { jobs[$0].isCancelled }
        let asked = jobs.extras[slot]?.partitions ?? [Int(jobs[slot].partition)]
        let own = asked.filter { groupOfPartition[$0] == group }
        let tried = preemption.rules.basis == .qos ? [own[0]] : own
        for partition in tried {
            var candidates: [Int32] = []
            for other in running where makesWay(other, for: slot, inPartition: partition) {
                let since = exemption(of: other)
                if since > now { sink.wake(at: since) } else { candidates.append(other) }
            }
            candidates.sort { rank(ofVictim: $0) < rank(ofVictim: $1) }
            let chosen = groups[group].victims(
                for: slot,
                among: candidates.map { other in
                    .init(slot: other, isSuspended: mode(of: other) == .suspend)
                },
                leaving: leaving,
                inPartition: preemption.rules.basis == .qos ? nil : partition,
                jobs,
                at: now
            )
            // In another partition it might have to make way itself, for whom it has just stopped.
            if let chosen { return (chosen, preemption.rules.basis == .qos ? nil : partition) }
        }
        return nil
    }

    private func makesWay(_ other: Int32, for slot: Int32, inPartition partition: Int) -> Bool {
        !jobs[other].isCancelled && membership(other) == nil && mayLose(other, to: slot)
            && preemption.makesWay(
                qos: jobs[other].qos,
                tier: partitions[Int(jobs[other].partition)].tier,
                forQOS: jobs[slot].qos,
                tier: partitions[partition].tier
            )
    }

    private func mayLose(_ other: Int32, to slot: Int32) -> Bool {
        switch mode(of: other) {
        case .off: false
        case .suspend: groups[Int(jobs[other].group)].canLend(other, to: slot, jobs)
        case .cluster, .cancel, .requeue: true
        }
    }

    /// The lowest first; of equals those with fewer nodes, then those that came first.
    private func rank(ofVictim slot: Int32) -> (Int32, Int32, UInt32) {
        let job = jobs[slot]
        let standing =
            preemption.rules.basis == .qos
            ? min(jobs.limits.qos[Int(job.qos)].priority, 0xFFFF)
            : partitions[Int(job.partition)].tier
        return (standing, min(job.nodesHeld, 0xFFFF), job.key.id)
    }

    /// From when on a running job may be made to stop.
    private func exemption(of slot: Int32) -> SimInstant {
        // Whoever is suspended loses nothing that it has done.
        guard mode(of: slot) != .suspend else { return .epoch }
        var seconds = preemption.rules.exemptSeconds
        if preemption.rules.basis == .qos {
            let own = jobs.limits.qos[Int(jobs[slot].qos)].preemptExemptSeconds
            if own > 0 { seconds = own }
        }
        let start = SimInstant(microseconds: jobs[slot].startedAt)
        return start + SimDuration(seconds: Int64(seconds))
    }

    private func mode(of slot: Int32) -> PreemptionRules.Mode {
        let own =
            preemption.rules.basis == .qos
            ? jobs.limits.qos[Int(jobs[slot].qos)].preemptMode
            : jobs.limits.partitionTerms[Int(jobs[slot].partition)].preemptMode
        return own == .cluster ? preemption.rules.mode : own
    }

    private func grace(of slot: Int32) -> SimDuration {
        // Whoever stands still can do nothing with it.
        guard !jobs[slot].isSuspended else { return .zero }
        let seconds =
            preemption.rules.basis == .qos
            ? jobs.limits.qos[Int(jobs[slot].qos)].graceSeconds
            : jobs.limits.partitionTerms[Int(jobs[slot].partition)].graceSeconds
        return SimDuration(seconds: Int64(seconds))
    }

    // MARK: How

    /// Makes a running job stop, now or after its grace.
    ///
    /// - Returns: whether it is gone.
    private mutating func stop(
        _ slot: Int32,
        at now: SimInstant,
        into sink: inout some EffectSink
    ) -> Bool {
        let grace = grace(of: slot)
        guard grace > .zero else {
            evict(slot, at: now, into: &sink)
            return true
        }
        let end = now + grace
        keepExtras(slot)
        jobs.withExtras(slot) { $0.makesWayBy = end }
        jobs[slot].isMakingWay = true
        // What is planned goes by whole seconds of its run.
        let begin = SimInstant(microseconds: jobs[slot].startedAt &+ jobs[slot].heldUp)
        let length = (end - begin).limitSeconds
        groups[Int(jobs[slot].group)].changeEnd(of: slot, &jobs) {
            $0.plannedSeconds = min($0.plannedSeconds, length)
        }
        digest.mix(UInt64(jobs[slot].key.id) << 8 | 0x84)
        wake(jobs[slot].id, at: end, into: &sink)
        sink.jobMakesWay(jobs[slot].id, by: end)
        return false
    }

    /// Ends a run that makes way whose grace is over.
    mutating func evictIfDue(
        _ slot: Int32,
        at now: SimInstant,
        into sink: inout some EffectSink
    ) {
        guard jobs[slot].isMakingWay, !jobs[slot].isCancelled,
            let end = jobs.extras[slot]?.makesWayBy, end <= now
        else { return }
        evict(slot, at: now, into: &sink)
    }

    private mutating func evict(
        _ slot: Int32,
        at now: SimInstant,
        into sink: inout some EffectSink
    ) {
        digest.mix(UInt64(jobs[slot].key.id) << 8 | 0x85)
        sink.jobMustStop(jobs[slot].id, .preempted)
        if jobs[slot].isRequeuable, mode(of: slot) == .requeue {
            waitAgain(slot, .preempted, at: now, into: &sink)
        } else {
            finish(slot, .preempted, at: now, into: &sink)
        }
    }
}
