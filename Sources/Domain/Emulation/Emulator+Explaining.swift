public import JobModel
public import Quantities
public import Scheduling

/// What a pass went by, for whoever asks why a job waits. Nothing here changes the emulator.
extension Emulator {
    /// What keeps a pending job from starting, right after the pass at `now`; nil when it does not
    /// wait in a queue. Slots in the answer are turned into numbers by `job(inSlot:)`.
    public func obstacle(to id: JobID, at now: SimInstant) -> Obstacle? {
        guard let slot = jobs.slot(of: id), jobs[slot].phase == .queued else {
            return nil
        }
        let group = Int(jobs[slot].group)
        let seen = groups[group].seen(by: slot, jobs, passes[group].pass)
        return seen.pass.obstacle(to: slot, in: seen.group, jobs, at: now)
    }

    /// The number of the active job in a slot.
    public func job(inSlot slot: Int32) -> JobID { jobs[slot].id }

    /// The pending jobs before a job in its queue, in order: at most `most` of them, and how many
    /// there are. A job that has just started is asked about by the place that it had.
    public func jobsAhead(of id: JobID, most: Int) -> (ids: [JobID], count: Int) {
        guard let slot = jobs.slot(of: id) else { return ([], 0) }
        let group = Int(jobs[slot].group)
        let seen = groups[group].seen(by: slot, jobs, passes[group].pass)
        let (slots, count) = seen.group.jobsAhead(of: slot, most: most, jobs)
        return (slots.map(job(inSlot:)), count)
    }

    /// What was free in a job's queue group when the pass at `now`, which is just over, began, and
    /// what the job needs: nodes, or cores where nodes are shared.
    public func room(for id: JobID, at now: SimInstant) -> (free: Int32, needed: Int32)? {
        guard let slot = jobs.slot(of: id) else { return nil }
        let group = groups[Int(jobs[slot].group)]
        return (group.unitsFreeBeforePass(at: now, jobs), group.unitsNeeded(by: slot, jobs))
    }

    /// When a job ends at the latest by its limit; nil when it does not run.
    public func deadline(of id: JobID) -> SimInstant? {
        guard let slot = jobs.slot(of: id), jobs[slot].phase == .running else {
            return nil
        }
        return SimInstant(microseconds: jobs[slot].deadline)
    }
}
