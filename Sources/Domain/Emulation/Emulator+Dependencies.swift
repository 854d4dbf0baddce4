public import JobModel
public import Quantities
import Scheduling

/// Jobs that wait for other jobs. The rules are those of sbatch(1), `--dependency`.
extension Emulator {
    // MARK: Asking

    /// What a pending job still waits for of others, and whether one of these is enough.
    public func dependencies(of id: JobID) -> (list: [Dependency], isAny: Bool) {
        guard let slot = jobs.slot(of: id), let extras = jobs.extras[slot] else {
            return ([], false)
        }
        return (extras.dependencies, extras.needsAnyDependency)
    }

    /// The dependencies of a pending job that are not fulfilled at `now`, each with whether it can
    /// never be.
    public func openDependencies(
        of id: JobID,
        at now: SimInstant
    ) -> [(dependency: Dependency, isHopeless: Bool)] {
        guard let slot = jobs.slot(of: id), jobs[slot].phase != .running else { return [] }
        return dependencies(of: id).list.compactMap { dependency in
            switch outcome(of: dependency, slot, at: now) {
            case .fulfilled: nil
            case .open: (dependency, false)
            case .never: (dependency, true)
            }
        }
    }

    /// Whether an element of an array waits for that of another: Slurm finds out at a pass that it has to, since
    /// the elements share one record until then.
    func waitsElementwise(_ slot: Int32) -> Bool {
        jobs[slot].hasExtras
            && jobs.extras[slot]?.dependencies.contains { $0.kind == .afterCorresponding } ?? false
    }

    /// Whether others wait for one job, and not for all of an array.
    public func isAwaitedAlone(_ id: JobID) -> Bool { awaited[id.number...id.number] != nil }

    private func outcome(
        of dependency: Dependency,
        _ slot: Int32,
        at now: SimInstant
    ) -> DependencyOutcome {
        if dependency.kind == .singleton {
            // Components are one job, which waits with the number of the first.
            if let het = membership(slot), het.offset > 0 { return .fulfilled }
            let group = jobs[slot].namesakes
            return group < 0 || namesakes.mayStart(jobs[slot].id, in: group) ? .fulfilled : .open
        }
        return awaited[dependency.jobs]?.outcome(of: dependency, at: now) ?? .fulfilled
    }

    // MARK: Waiting

    /// Notes what a job that has just arrived waits for. Numbers that were never given are of jobs that
    /// nobody knows, and nobody waits for itself.
    mutating func addDependencies(_ slot: Int32, _ submission: JobSubmission) {
        let id = submission.id
        var list: [Dependency] = []
        for var dependency in submission.dependencies {
            guard dependency.kind != .singleton else {
                list.append(dependency)
                continue
            }
            let lowest = dependency.jobs.lowerBound
            guard lowest <= jobs.highestID, !dependency.jobs.contains(id.number) else { continue }
            dependency.jobs = lowest...min(dependency.jobs.upperBound, jobs.highestID)
            list.append(dependency)
            let known = awaited[dependency.jobs] ?? progress(of: dependency.jobs)
            awaited.wait(for: dependency.jobs, id, from: known)
        }
        let isAny = submission.needsAnyDependency && list.count == submission.dependencies.count
        // Of several of which one is enough, one that was dropped is fulfilled.
        if submission.needsAnyDependency, !isAny {
            forgetDependencies(list, of: id)
            list = []
        }
        jobs.withExtras(slot) {
            $0.dependencies = list
            $0.needsAnyDependency = isAny
        }
    }

    /// How far some jobs have come.
    private func progress(of numbers: ClosedRange<UInt32>) -> AwaitedJobs.Entry {
        var entry = AwaitedJobs.Entry()
        func noteStart(at instant: Int64) { entry.lastStart = max(entry.lastStart, instant) }
        for number in numbers {
            if let slot = jobs.slot(of: JobID(number)) {
                entry.known += 1
                entry.unended += 1
                if jobs[slot].phase == .running || jobs[slot].hasRun {
                    noteStart(at: jobs[slot].startedAt)
                } else {
                    entry.unstarted += 1
                }
            } else if let end = ended[number] {
                entry.known += 1
                if end.state != .completed { entry.failed += 1 }
                noteStart(at: end.startedAt.microseconds)
            }
        }
        return entry
    }

    /// Lets go of what a job waited for that leaves or changes its mind.
    mutating func forgetDependencies(_ list: [Dependency], of id: JobID) {
        for dependency in list where dependency.kind != .singleton {
            awaited.stopWaiting(for: dependency.jobs, id)
        }
    }

    /// Drops the dependencies of a job that are fulfilled for good.
    ///
    /// - Returns: why it waits for what is left; nil when it need not.
    mutating func settleDependencies(_ slot: Int32, at now: SimInstant) -> PendingReason? {
        guard let extras = jobs.extras[slot], !extras.dependencies.isEmpty else { return nil }
        let outcomes = extras.dependencies.map { outcome(of: $0, slot, at: now) }
        let isAny = extras.needsAnyDependency
        let isOver = isAny && outcomes.contains(.fulfilled)
        var left: [Dependency] = []
        var dropped: [Dependency] = []
        for (dependency, outcome) in zip(extras.dependencies, outcomes) {
            // A namesake may still start before it.
            let isKept = dependency.kind == .singleton || outcome != .fulfilled
            if isOver || !isKept { dropped.append(dependency) } else { left.append(dependency) }
        }
        if !dropped.isEmpty {
            // Another rule may be about the same jobs.
            let kept = left.map(\.jobs)
            forgetDependencies(dropped.filter { !kept.contains($0.jobs) }, of: jobs[slot].id)
            jobs.withExtras(slot) { $0.dependencies = left }
        }
        let unfulfilled = outcomes.filter { $0 != .fulfilled }
        guard !isOver, !unfulfilled.isEmpty else { return nil }
        let isHopeless =
            isAny ? unfulfilled.allSatisfy { $0 == .never } : unfulfilled.contains(.never)
        return isHopeless ? .dependencyNeverSatisfied : .dependency
    }

    /// Asks to be woken when the delays of a job's dependencies are over.
    mutating func awaitDelays(_ slot: Int32, at now: SimInstant, into sink: inout some EffectSink) {
        for dependency in jobs.extras[slot]?.dependencies ?? [] where dependency.delay > .zero {
            guard let due = awaited[dependency.jobs]?.dueTime(of: dependency), due > now else {
                continue
            }
            wake(jobs[slot].id, at: due, into: &sink)
        }
    }

    // MARK: What happens to others

    /// Looks at jobs again that waited for others, in order of their numbers.
    mutating func settle(
        _ dependents: [UInt32],
        at now: SimInstant,
        into sink: inout some EffectSink
    ) {
        for number in dependents {
            guard let slot = jobs.slot(of: JobID(number)), jobs[slot].phase == .waiting else {
                continue
            }
            place(slot, at: now)
            awaitDelays(slot, at: now, into: &sink)
        }
    }

    /// After a start: who waits for it, and the namesakes.
    mutating func settleStart(
        of slot: Int32,
        at now: SimInstant,
        into sink: inout some EffectSink
    ) {
        let id = jobs[slot].id
        if jobs[slot].namesakes >= 0 {
            namesakes.start(id, in: jobs[slot].namesakes)
            reconsiderNamesakes(in: jobs[slot].namesakes, at: now)
        }
        guard !awaited.isEmpty else { return }
        let told = awaited.noteStart(of: id, isFirst: !jobs[slot].hasRun, at: now)
        settle(told, at: now, into: &sink)
    }

    /// Looks at the namesakes again whom a change of the group may have freed or stopped.
    mutating func reconsiderNamesakes(in group: Int32, at now: SimInstant) {
        for id in namesakes.next(in: group) {
            guard let slot = jobs.slot(of: id),
                jobs.extras[slot]?.dependencies.contains(.singleton) == true,
                jobs[slot].phase != .queued || !namesakes.mayStart(id, in: group)
            else { continue }
            reconsider(slot, at: now)
        }
    }

    /// Gives a job another name.
    mutating func changeName(
        _ id: JobID,
        _ name: String,
        at now: SimInstant
    ) throws(InputRejection) {
        guard let slot = jobs.slot(of: id) else { throw .unknownJob(id) }
        leaveNamesakes(slot, at: now)
        jobs[slot].namesakes = namesakes.arrive(id, user: jobs[slot].user, name: name)
        if jobs[slot].phase == .running {
            namesakes.start(id, in: jobs[slot].namesakes)
        } else {
            reconsider(slot, at: now)
        }
        reconsiderNamesakes(in: jobs[slot].namesakes, at: now)
    }

    /// Takes a job out of its namesakes, the next of whom may now start.
    mutating func leaveNamesakes(_ slot: Int32, at now: SimInstant) {
        let group = jobs[slot].namesakes
        guard group >= 0 else { return }
        jobs[slot].namesakes = -1
        namesakes.leave(jobs[slot].id, in: group, isRunning: jobs[slot].phase == .running)
        reconsiderNamesakes(in: group, at: now)
    }
}
