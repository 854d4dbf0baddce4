import Emulation
import JobModel
import Quantities
import SlurmDialect
import WireFormats

// What jobs wait for of others: from the words of a request to the emulator's rules, and back to what
// `squeue` shows.

extension CentreState {
    func checkDependencies(_ request: SubmitRequest) throws(Refusal) {
        for dependency in request.dependencies {
            let kind = Dependency.Kind(slurmName: dependency.kind)
            guard let kind else {
                let known = Dependency.Kind.allCases.map(\.slurmName)
                throw Refusal(.dependencyProblem, no: "dependency", dependency.kind, among: known)
            }
            guard kind == .after || dependency.delay == .zero else {
                throw Refusal(.dependencyProblem)
            }
        }
    }

    /// The dependencies in the emulator's terms: one rule for each that was asked for.
    func dependencies(of request: SubmitRequest, task: UInt32?) -> [Dependency] {
        request.dependencies.compactMap { dependency in
            guard let kind = Dependency.Kind(slurmName: dependency.kind) else { return nil }
            if kind == .singleton { return .singleton }
            let all = jobs.numbers(of: dependency.jobID)
            guard let wanted = kind == .afterCorresponding ? task : dependency.arrayTask else {
                return Dependency(kind, all, delay: dependency.delay)
            }
            let selector = JobSelector(jobID: dependency.jobID, arrayTasks: [wanted])
            if all.count > 1, let element = jobs.entries(selector).first {
                return Dependency(kind, JobID(element.id), delay: dependency.delay)
            }
            // As in Slurm, an index that the other array lacks makes it depend on the whole; one
            // element that nobody knows any more counts as having ended well.
            let isWhole = all.count == 1 || kind == .afterCorresponding
            return isWhole ? Dependency(kind, all, delay: dependency.delay) : .unknown(kind)
        }
    }

    /// What `squeue` shows of what a job waits for: `afterok:36(unfulfilled),singleton(unfulfilled)`.
    func dependencyText(of entry: JobEntry) -> String? {
        guard entry.status.phase == .pending else { return entry.status.lastDependencies }
        let id = JobID(entry.id)
        let parts = emulator.openDependencies(of: id, at: lastInstant).map {
            dependency,
            isHopeless in
            text(of: dependency) + (isHopeless ? "(failed)" : "(unfulfilled)")
        }
        let isAny = emulator.dependencies(of: id).isAny
        return parts.isEmpty ? nil : parts.joined(separator: isAny ? "?" : ",")
    }

    private func text(of dependency: Dependency) -> String {
        guard dependency.kind != .singleton else { return dependency.kind.slurmName }
        let first = dependency.jobs.lowerBound
        var job = String(first)
        if let array = jobs[first]?.specification.array, let task = jobs[first]?.arrayTask {
            let isWhole = dependency.jobs.count > 1 || dependency.kind == .afterCorresponding
            job = isWhole ? "\(array.job)_*" : "\(array.job)_\(task)"
        }
        let minutes = dependency.delay.microseconds / 60_000_000
        return "\(dependency.kind.slurmName):\(job)" + (minutes > 0 ? "+\(minutes)" : "")
    }

    /// Refuses dependencies by which a job would wait for itself.
    ///
    /// - Parameter reach: where these dependencies lead, if it is known. It stays true while jobs that are
    ///   not among them get the same dependencies.
    func checkCircle(
        from id: UInt32,
        _ dependencies: [Dependency],
        _ reach: inout DependencyReach?
    ) throws(Refusal) {
        if reach?.dependencies != dependencies { reach = self.reach(of: dependencies) }
        guard reach?.jobs.contains(id) != true else {
            throw Refusal(.dependencyProblem, "job \(id) would wait for itself")
        }
    }

    private func reach(of dependencies: [Dependency]) -> DependencyReach {
        var seen: Set<UInt32> = []
        var next = dependencies
        while let dependency = next.popLast() {
            guard dependency.kind != .singleton else { continue }
            for other in dependency.jobs where seen.insert(other).inserted {
                guard jobs[other]?.status.phase == .pending else { continue }
                next += emulator.dependencies(of: JobID(other)).list
            }
        }
        return DependencyReach(dependencies: dependencies, jobs: seen)
    }
}

/// All jobs that a job waits for which has these dependencies, also those for which others wait that it waits
/// for. Found once for all elements of an array, which is most of the work of changing them.
struct DependencyReach: Sendable, Codable {
    var dependencies: [Dependency]
    var jobs: Set<UInt32>
}
