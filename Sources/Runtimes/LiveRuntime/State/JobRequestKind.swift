import Emulation
import JobModel
import SlurmDialect
import WireFormats

// What people ask for is about jobs, and a heterogeneous job is several in one. This file alone says which
// requests are about all of its components, and which about one.

/// What people ask to be done to jobs.
enum JobRequestKind: CaseIterable {
    case cancel, hold, release, requeue, resume, signal, suspend, top, update

    /// What of a heterogeneous job a request is about.
    enum Reach {
        /// All components, by the number of the first; one of them cannot be meant.
        case whole
        /// The same while the job waits; once it runs, one of them can be meant too.
        case wholeUntilStart
        /// Those that are named, all of them or none.
        case named
    }

    /// Source: Slurm 22.05, "Heterogeneous Job Support", scontrol(1) and scancel(1).
    var reach: Reach {
        switch self {
        case .hold, .release, .requeue, .resume, .suspend, .top: .whole
        case .cancel, .signal: .wholeUntilStart
        case .update: .named
        }
    }
}

extension CentreState {
    /// Jobs that are meant: what is done to each of `subjects` is done to all of it or not at all, and
    /// `parts` are components that cannot be meant alone.
    struct Meant {
        /// One job each, or the components of one, by number; what an action names is the first.
        var subjects: [[JobEntry]] = []
        var parts: [JobEntry] = []
    }

    /// What a request is about that names these jobs.
    func meant(by verb: JobRequestKind, _ entries: [JobEntry]) -> Meant {
        let named = Set(entries.map(\.id))
        var meant = Meant()
        var places: [UInt32: Int] = [:]
        // A first component stands before those that follow it, in whatever order they were named.
        for entry in entries.filter({ !$0.isFollower }) + entries.filter(\.isFollower) {
            guard let leader = entry.specification.submission.het?.leader.number else {
                meant.subjects.append([entry])
                continue
            }
            let isAlone =
                switch verb.reach {
                case .whole: entry.hasEnded
                case .wholeUntilStart: entry.hasEnded || entry.status.phase != .pending
                case .named: true
                }
            if entry.isFollower, !named.contains(leader), !isAlone {
                meant.parts.append(entry)
            } else if let place = places[leader] {
                meant.subjects[place].append(entry)
            } else if entry.isFollower, verb.reach != .named {
                meant.subjects.append([entry])
            } else {
                places[leader] = meant.subjects.count
                meant.subjects.append([entry])
            }
        }
        return meant
    }

    /// The jobs that an action on one happens to: the components of its job that live, for the first of them
    /// or one that waits; else itself.
    func alike(_ entry: JobEntry) -> [UInt32] {
        guard !entry.isFollower || entry.status.phase == .pending else { return [entry.id] }
        return emulator.components(of: JobID(entry.id)).map(\.number)
    }

    /// Why changes of some jobs would be refused together, as far as it can be told by making them to a copy.
    func problem(of updates: [UpdateInput]) -> (job: UInt32, error: ErrorBody)? {
        var trial = self
        for update in updates {
            if let refusal = trial.update(update, at: lastInstant) {
                return (update.id, refusal.body)
            }
        }
        return nil
    }
}
