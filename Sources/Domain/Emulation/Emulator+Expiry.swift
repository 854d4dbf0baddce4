import JobModel
import Quantities
import Scheduling

/// Jobs that are given up when they have not started in time.
extension Emulator {
    /// Notes by when a job that has just arrived must have started.
    mutating func awaitExpiry(
        _ slot: Int32,
        at now: SimInstant,
        into sink: inout some EffectSink
    ) {
        guard jobs[slot].hasExtras, let extras = jobs.extras[slot] else { return }
        let id = jobs[slot].id
        if let startsBy = extras.startsBy, !jobs[slot].hasRun {
            if startsBy > now { wake(id, at: startsBy, into: &sink) } else { hasty.append(id) }
        }
        if let latest = latestStart(slot) {
            // It may start at that instant, and no later; Slurm finds out at a pass that it is over.
            let seen = latest > now ? latest : delay.round(after: now)
            if latest <= now { delay.notePlaced(slot) }
            wake(id, at: seen + SimDuration(microseconds: 1), into: &sink)
        }
    }

    /// The last instant at which a job can start and be over by its deadline; nil when it has none.
    func latestStart(_ slot: Int32) -> SimInstant? {
        guard jobs[slot].hasExtras, let deadline = jobs.extras[slot]?.deadline else { return nil }
        return deadline - SimDuration(seconds: Int64(jobs[slot].limitSeconds))
    }

    /// Ends a pending job whose time is over.
    ///
    /// - Returns: whether it was.
    mutating func expire(
        _ slot: Int32,
        at now: SimInstant,
        into sink: inout some EffectSink
    ) -> Bool {
        guard jobs[slot].phase != .running, jobs[slot].hasExtras else { return false }
        if let latest = latestStart(slot), now > latest {
            giveUp(slot, .deadline, at: now, into: &sink)
            return true
        }
        if let startsBy = jobs.extras[slot]?.startsBy, now >= startsBy, !jobs[slot].hasRun {
            hasty.append(jobs[slot].id)
        }
        return false
    }

    /// After a pass: ends the jobs that had to start in it at the latest and did not.
    mutating func giveUpHasty(at now: SimInstant, into sink: inout some EffectSink) {
        let ids = hasty
        hasty.removeAll()
        for id in ids {
            guard let slot = jobs.slot(of: id), jobs[slot].phase != .running else { continue }
            giveUp(slot, .cancelled, at: now, into: &sink)
        }
    }

    /// Lets a pending job leave.
    mutating func giveUp(
        _ slot: Int32,
        _ state: EndState,
        at now: SimInstant,
        into sink: inout some EffectSink
    ) {
        let others = companions(of: slot)
        withdraw(slot)
        leave(slot, jobs[slot].end(state, at: now), into: &sink)
        for other in others {
            guard let slot = jobs.slot(of: other), jobs[slot].phase != .running else { continue }
            withdraw(slot)
            leave(slot, jobs[slot].end(state, at: now), into: &sink)
        }
    }

    // MARK: Timers

    /// Asks for a timer at which a job that waits is looked at again.
    mutating func wake(_ id: JobID, at instant: SimInstant, into sink: inout some EffectSink) {
        timed.push(id, at: instant.microseconds)
        sink.wake(at: instant)
    }

    /// Looks at jobs again whose time has come.
    mutating func wakeTimed(at now: SimInstant, into sink: inout some EffectSink) {
        while let next = timed.nextInstant, next <= now.microseconds {
            guard let slot = jobs.slot(of: timed.pop()), !expire(slot, at: now, into: &sink) else {
                continue
            }
            switch jobs[slot].phase {
            case .waiting: place(slot, at: now)
            case .running: evictIfDue(slot, at: now, into: &sink)
            case .queued, .parked: break
            }
        }
        if let next = timed.nextInstant { sink.wake(at: SimInstant(microseconds: next)) }
    }
}
