import Accounts
public import JobModel
public import Quantities
import Scheduling

/// When a job that waits is expected to start, and where.
public struct ExpectedStart: Hashable, Sendable {
    /// The start as it would be reported.
    public var start: JobStart
    /// The nodes that it would hold, ascending.
    public var nodes: [Int]
}

/// What is to come if every job runs to its time limit (under `last2` as long as is predicted) and
/// nothing else happens but that begin times come. Nothing here changes the emulator.
///
/// A copy of it runs ahead: the same code decides as later in earnest, whatever the policy is.
/// Money that jobs reserved is taken as spent, since their fees are due by then.
extension Emulator {
    /// How many instants a forecast looks at before it gives up.
    public static let forecastInstantsMaximum = 100_000

    /// When a pending job starts; nil when that is never, or not foreseen.
    public func estimatedStart(of id: JobID, from now: SimInstant) -> SimInstant? {
        estimatedRun(of: id, from: now)?.start.startedAt
    }

    /// The same, with what the job will hold then.
    public func estimatedRun(of id: JobID, from now: SimInstant) -> ExpectedStart? {
        estimatedRuns(of: [id], from: now).first
    }

    /// What some pending jobs will hold when they start, in the order in which they do, as far as that is
    /// foreseen.
    public func estimatedRuns(of ids: [JobID], from now: SimInstant) -> [ExpectedStart] {
        var wanted = Set(ids)
        var found: [ExpectedStart] = []
        forecast(from: now) { start in
            if wanted.remove(start.start.id) != nil { found.append(start) }
            return !wanted.isEmpty
        }
        return found
    }

    /// The starts of all jobs that wait, as far as they are foreseen, in the order in which they come. Where
    /// backfilling comes round by itself (`bf_interval`), they are those of Slurm's plan, which keeps whole nodes
    /// for each job.
    ///
    /// - Complexity: that of a replay of the jobs that wait.
    public func expectedStarts(from now: SimInstant) -> [ExpectedStart] {
        var starts: [ExpectedStart] = []
        var waitingCount = activeJobCount - runningJobCount
        forecast(from: now, inWholeNodes: hetInterval > 0) { start in
            starts.append(start)
            waitingCount -= 1
            return waitingCount > 0
        }
        return starts
    }

    /// Runs a copy ahead and calls `body` with each start, while it returns true.
    private func forecast(
        from now: SimInstant,
        inWholeNodes: Bool = false,
        _ body: (ExpectedStart) -> Bool
    ) {
        var ahead = self
        if inWholeNodes { ahead.askForWholeNodes(at: now) }
        ahead.jobs.limits.spendReservations()
        var sink = StartRecorder()
        var instant = now
        ahead.wakeTimed(at: instant, into: &sink)
        ahead.schedulingPass(at: instant, into: &sink)
        var idleCount = 0
        for _ in 0..<Self.forecastInstantsMaximum {
            var timeless: [JobID] = []
            let starts = sink.takeStarts()
            // Reservations come back for ever: when nothing runs and nobody starts, nobody will.
            let isIdle = starts.isEmpty && ahead.runningJobCount == 0
            idleCount = isIdle ? idleCount + 1 : 0
            guard idleCount <= ahead.idleWakeMaximum else { return }
            for start in starts {
                let nodes = ahead.allocation(of: start.id).map(\.node)
                guard body(ExpectedStart(start: start, nodes: nodes)) else { return }
                if start.deadline <= instant { timeless.append(start.id) }
            }
            // Jobs without run time end at their instant, and others may start at it.
            if !timeless.isEmpty {
                ahead.endAll(timeless, at: instant, into: &sink)
                ahead.schedulingPass(at: instant, into: &sink)
                continue
            }
            let next = ahead.nextExpectedEnd(after: instant)
            let wake = sink.takeWake(before: next?.instant)
            guard let due = wake ?? next?.instant else { return }
            instant = due
            if let next, next.instant == instant {
                ahead.endAll(next.ids, at: instant, into: &sink)
            }
            if wake != nil { ahead.wakeTimed(at: instant, into: &sink) }
            ahead.schedulingPass(at: instant, into: &sink)
        }
    }

    /// Lets all that wait ask for whole nodes.
    private mutating func askForWholeNodes(at now: SimInstant) {
        for slot in jobs.slotsByID where jobs[slot].phase != .running {
            withdraw(slot)
            jobs[slot].request.isExclusive = true
            place(slot, at: now)
        }
    }

    private mutating func endAll(
        _ ids: [JobID],
        at now: SimInstant,
        into sink: inout StartRecorder
    ) {
        // The first component of a heterogeneous job ends the others.
        for id in ids where phase(of: id) == .running {
            // They were read from the running jobs just now.
            guard (try? end(id, .timeout, at: now, into: &sink)) != nil else {
                preconditionFailure("job \(id) was running and is not")
            }
        }
    }

    /// The next instant at which a running job's limit ends it, and the jobs that end then.
    private func nextExpectedEnd(after now: SimInstant) -> (instant: SimInstant, ids: [JobID])? {
        var instant = SimInstant.distantFuture
        var ids: [JobID] = []
        for group in groups {
            for (end, slot) in group.earliestEnds(after: now) {
                if end < instant {
                    instant = end
                    ids.removeAll()
                }
                if end == instant { ids.append(jobs[slot].id) }
            }
        }
        return ids.isEmpty ? nil : (instant, ids.sorted())
    }
}

/// Notes starts, and when the emulator wants to be woken.
private struct StartRecorder: EffectSink {
    private var starts: [JobStart] = []
    /// The earliest instant that was asked for.
    private var wake: SimInstant?

    mutating func jobStarted(_ start: JobStart) { starts.append(start) }
    mutating func jobEnded(_ end: JobEnd) {}
    mutating func jobMustStop(_ id: JobID, _ reason: StopReason) {}
    mutating func jobRequeued(_ run: JobEnd) {}
    mutating func wake(at instant: SimInstant) {
        wake = min(wake ?? .distantFuture, instant)
    }

    /// Hands over the starts since the last time.
    mutating func takeStarts() -> [JobStart] {
        defer { starts.removeAll(keepingCapacity: true) }
        return starts
    }

    /// Hands over the instant of the wake, if it is not behind `end`.
    mutating func takeWake(before end: SimInstant?) -> SimInstant? {
        guard let due = wake, due <= end ?? .distantFuture else { return nil }
        wake = nil
        return due
    }
}
