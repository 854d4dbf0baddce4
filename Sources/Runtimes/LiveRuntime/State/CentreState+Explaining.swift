import Accounts
import ClusterModel
import Emulation
import JobModel
import Quantities
import SlurmDialect
import WireFormats

// Why a job waits, and what would let it start sooner. Every answer comes from a copy of the centre
// that runs ahead; nothing here changes it.

extension CentreState {
    /// How many jobs of each kind are named.
    private static let namedMaximum = 5
    /// How many other requests are tried: each runs a copy of the centre ahead.
    private static let trialsMaximum = 12

    /// Explains a job that waits.
    func explain(_ entry: JobEntry, at instant: SimInstant) -> JobExplanation {
        var explanation = JobExplanation()
        explanation.now = instant
        explanation.job = info(of: entry, now: instant)
        explanation.estimate = estimate(of: [entry], in: book, at: instant)
        guard entry.status.phase == .pending else { return explanation }
        let partitions = Set(entry.status.partitions)
        var running: [JobEntry] = []
        jobs.forEach { other in
            guard !partitions.isDisjoint(with: other.status.partitions) else { return }
            switch other.status.phase {
            case .running, .completing: running.append(other)
            case .pending, .ended: break
            }
        }
        running.sort { left, right in
            (left.status.deadline ?? .distantFuture, left.id)
                < (right.status.deadline ?? .distantFuture, right.id)
        }
        let before = emulator.jobsAhead(of: JobID(entry.id), most: Self.namedMaximum)
        explanation.aheadCount = Int64(before.count)
        explanation.ahead = before.ids.compactMap { jobs[$0.number] }.map(ahead)
        explanation.running = running.prefix(Self.namedMaximum).map(ahead)
        explanation.alternatives = alternatives(to: entry, explanation.estimate, at: instant)
        return explanation
    }

    private func ahead(_ entry: JobEntry) -> JobAhead {
        var ahead = JobAhead()
        let status = entry.status
        ahead.jobID = entry.id
        ahead.nodeCount = status.nodes.isEmpty ? status.requestedNodes : Int32(status.nodes.count)
        ahead.cores = status.nodes.isEmpty ? status.requestedCores : status.coresHeld
        ahead.priority = shownPriority(of: entry)
        ahead.end = status.deadline
        return ahead
    }

    // MARK: What else could be asked for

    private func alternatives(
        to entry: JobEntry,
        _ known: StartEstimate,
        at instant: SimInstant
    ) -> [StartAlternative] {
        var alternatives: [StartAlternative] = []
        for (text, change) in changes(of: entry).prefix(Self.trialsMaximum) {
            var input = UpdateInput()
            input.id = entry.id
            input.change = change
            var trial = self
            let next = max(instant, trial.lastInstant + SimDuration(microseconds: 1))
            guard case .outcomes(let outcomes)? = trial.handle([.update(input)], at: next).first,
                outcomes.allSatisfy({ $0.error == nil }), let changed = trial.jobs[entry.id]
            else { continue }
            let estimate = trial.estimate(of: [changed], in: book, at: next)
            // Only what starts, and sooner than as it stands, is worth telling.
            guard let start = estimate.start, known.start.map({ start < $0 }) ?? true else {
                continue
            }
            var alternative = StartAlternative()
            alternative.change = text
            alternative.estimate = estimate
            alternatives.append(alternative)
        }
        return alternatives.sorted { left, right in
            (left.estimate.start ?? .distantFuture, left.change)
                < (right.estimate.start ?? .distantFuture, right.change)
        }
    }

    /// Changes that may help, as `scontrol update` takes them.
    private func changes(of entry: JobEntry) -> [(text: String, change: JobUpdateRequest)] {
        var changes: [(String, JobUpdateRequest)] = []
        func add(_ text: String, _ make: (inout JobUpdateRequest) -> Void) {
            var change = JobUpdateRequest()
            make(&change)
            changes.append((text, change))
        }
        let status = entry.status
        let minutes = status.timeLimit.seconds / 60
        for part in [Int64(2), 4] where !status.isUnlimited && minutes / part >= 5 {
            let limit = SimDuration(seconds: minutes / part * 60)
            add("TimeLimit=\(SlurmTime.full(limit))") { $0.timeLimit = limit }
        }
        if status.requestedNodes > 1 {
            let nodes = status.requestedNodes / 2
            add("NumNodes=\(nodes)") { $0.nodes = nodes }
        }
        let machine = rules.machine
        let account = entry.specification.account
        for (index, partition) in machine.partitions.enumerated()
        where !status.partitions.contains(index) && partition.backend == .emulated
            && emulator.state(ofPartition: index) == .up
            && partition.allowedAccounts?.contains(account) ?? true
        {
            add("Partition=\(partition.name)") { $0.partition = partition.name }
        }
        let user = entry.specification.request.user
        let allowed = machine.qosAllowed(to: user, of: account)
        let priority = machine.qosInOrder.first { $0.name == status.qos }?.priority ?? 0
        for qos in machine.qosKnown
        where qos.name != status.qos && qos.priority >= priority
            && allowed?.contains(qos.name) ?? true
        {
            add("QOS=\(qos.name)") { $0.qos = qos.name }
        }
        return changes
    }
}
