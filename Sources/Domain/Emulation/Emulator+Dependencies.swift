import JobModel
import Quantities
import Scheduling

/// Jobs that wait for other jobs.
extension Emulator {
    enum DependencyOutcome {
        case fulfilled
        case open
        case never
    }

    static func outcome(
        of kind: Dependency.Kind,
        when state: EndState
    ) -> DependencyOutcome {
        switch kind {
        case .after, .afterAny: .fulfilled
        case .afterOK: state == .completed ? .fulfilled : .never
        case .afterNotOK: state == .completed ? .never : .fulfilled
        }
    }

    /// A job that nobody remembers counts as fulfilling, as in Slurm.
    func outcome(of dependency: Dependency) -> DependencyOutcome {
        if let slot = jobs.slot(of: dependency.job) {
            let runs = jobs[slot].phase == .running
            return dependency.kind == .after && runs ? .fulfilled : .open
        }
        guard let state = endedStates[dependency.job] else { return .fulfilled }
        return Self.outcome(of: dependency.kind, when: state)
    }

    func isFulfilled(_ dependency: Dependency) -> Bool {
        outcome(of: dependency) == .fulfilled
    }

    mutating func settleDependents(
        of job: JobID,
        at now: SimInstant,
        _ judge: (Dependency.Kind) -> DependencyOutcome
    ) {
        for id in dependents[job] ?? [] {
            guard let slot = jobs.slot(of: id), jobs[slot].phase == .waiting else {
                continue
            }
            jobs.withExtras(slot) { extras in
                extras.dependencies.removeAll { $0.job == job && judge($0.kind) == .fulfilled }
            }
            place(slot, at: now)
        }
    }
}
