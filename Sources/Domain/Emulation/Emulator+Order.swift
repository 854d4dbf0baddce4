public import JobModel
import Quantities
import Scheduling

// What the queue order sorts by, and when it is computed.

/// A job whose value in the queue order nobody has had to compare with another's.
struct LoneJob: Sendable, Codable {
    var id: JobID
    /// As of when its value is to be computed.
    var since: SimInstant
}

extension Emulator {
    /// Whether a job that waits alone goes without a value until another comes: one under fair share is
    /// found only when all use is summed up.
    private var valuesLate: Bool {
        order.notesUse && order.variation == .everyPeriod && !tellsPriorities
    }

    /// Sorts the queues again if the order asks for it.
    mutating func rankAgain(at now: SimInstant) {
        guard ranking.isDue(at: now.microseconds) else { return }
        // Who asks for the priority of a job aside sees use as of this period, whoever queues.
        if tellsPriorities { ranking.prepare(jobs.limits, at: now.microseconds) }
        guard
            groups.indices.contains(where: { groups[$0].mayQueue && groups[$0].queuedCount > 0 })
        else { return }
        // The order of jobs that cannot start does not matter until one can.
        if order.variation == .everyPass,
            !groups.indices.contains(where: { groups[$0].mayStartAny })
        {
            return
        }
        // All values first: a job that queues in several groups has one key.
        for group in groups.indices where groups[group].mayQueue {
            if valuesLate, let slot = groups[group].onlySlot, !jobs[slot].hasExtras {
                alone[group] = LoneJob(id: jobs[slot].id, since: now)
                continue
            }
            alone[group] = nil
            ranking.prepare(jobs.limits, at: now.microseconds)
            for slot in groups[group].queuedSlots { evaluate(slot, at: now) }
        }
        for group in groups.indices { groups[group].reorder(jobs) }
    }

    /// Computes what the queue order sorts a job by that is about to be queued.
    mutating func valueNewcomer(_ slot: Int32, at now: SimInstant) {
        if valuesLate {
            let own = groupsOf(slot)
            for group in own { valueLone(in: group, at: now) }
            if !jobs[slot].hasExtras, !groups[own[0]].mayQueue {
                alone[own[0]] = LoneJob(id: jobs[slot].id, since: now)
                return
            }
        }
        ranking.prepare(jobs.limits, at: now.microseconds)
        evaluate(slot, at: now)
    }

    /// Computes the values of all who wait alone, before somebody new changes what they go by.
    mutating func valueLoneJobs(at now: SimInstant) {
        guard valuesLate else { return }
        for group in groups.indices { valueLone(in: group, at: now) }
    }

    private mutating func valueLone(in group: Int, at now: SimInstant) {
        guard let lone = alone[group] else { return }
        alone[group] = nil
        guard groups[group].mayQueue, let slot = groups[group].onlySlot,
            jobs[slot].id == lone.id
        else { return }
        // Where a period has passed since, use is as of now: the next pass computes all anew.
        ranking.prepare(jobs.limits, at: now.microseconds)
        evaluate(slot, at: lone.since)
        groups[group].renew(jobs)
    }

    /// Computes what the queue order sorts a job by at an instant: one value, whatever queues it is in.
    private mutating func evaluate(_ slot: Int32, at now: SimInstant) {
        ranking.find(jobs[slot].association, jobs.limits)
        let (units, nodes) = extent(of: slot)
        // Two steps, so that the record is read where it lies.
        let value = ranking.value(
            of: jobs[slot],
            units: units,
            nodes: nodes,
            at: now.microseconds
        )
        jobs[slot].key.value = value
    }

    /// What the queue's index counts for a job, and its nodes.
    private func extent(of slot: Int32) -> (units: Int32, nodes: Int32) {
        let group = Int(jobs[slot].group)
        let nodes = groups[group].nodesNeeded(for: jobs[slot].request)
        let isUniform = groups[group].isUniform
        return (isUniform ? nodes : groups[group].units(of: jobs[slot].request), nodes)
    }

    /// The ranking with the standing of the user of a job, which none that was valued may have had.
    func rankingKnowing(_ job: ActiveJob) -> QueueRanking {
        var ranking = ranking
        ranking.find(job.association, jobs.limits)
        return ranking
    }

    /// The priority that a job aside would have if it asked for so many nodes and cores; nil when there is no
    /// such job.
    public func priority(of id: JobID, nodes: Int32, cores: Int64) -> Int64? {
        guard let slot = jobs.slot(of: id) else { return nil }
        var job = jobs[slot]
        guard !order.isTrivial else { return ranking.priority(of: job) }
        job.request.chunkCount = Int32(clamping: cores)
        job.request.coresPerChunk = 1
        job.key.value = rankingKnowing(job)
            .value(of: job, units: nodes, nodes: nodes, at: jobs.now.microseconds)
        return ranking.priority(of: job)
    }

    /// The priority as of the last time that its place was computed; as of now for a job aside.
    func shownPriority(_ slot: Int32) -> Int64 {
        var job = jobs[slot]
        if job.phase == .waiting, !order.isTrivial {
            let (units, nodes) = extent(of: slot)
            job.key.value = rankingKnowing(job)
                .value(of: job, units: units, nodes: nodes, at: jobs.now.microseconds)
        }
        return ranking.priority(of: job)
    }
}
