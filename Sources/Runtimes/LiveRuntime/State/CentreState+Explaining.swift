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
    private static let trialsMaximum = 16

    /// Explains a job that waits.
    func explain(_ entry: JobEntry, at instant: SimInstant) -> JobExplanation {
        var explanation = JobExplanation()
        explanation.now = instant
        explanation.job = info(of: entry, now: instant)
        explanation.estimate = estimate(of: [entry], in: book, at: instant)
        guard entry.status.phase == .pending else { return explanation }
        explanation.limit =
            emulator.limitStanding(of: JobID(entry.id), at: instant)
            .map { limit($0, of: entry) } ?? partitionLimit(of: entry)
        if explanation.limit?.resource != LimitInfo.money {
            explanation.money = emulator.shortFunds(of: JobID(entry.id), at: instant)
                .map { limit($0, of: entry) }
        }
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

    /// The limit of its partition that a job exceeds; nil when it waits for something else.
    private func partitionLimit(of entry: JobEntry) -> LimitInfo? {
        let status = entry.status
        guard let reason = emulator.pendingReason(of: JobID(entry.id)),
            let index = status.partitions.first
        else { return nil }
        let limits = emulator.limits(ofPartition: index)
        var info = LimitInfo()
        info.partition = rules.machine.partitions[index].name
        info.isPerJob = true
        switch reason {
        case .partitionTimeLimit:
            guard let most = limits.time else { return nil }
            info.resource = "wall"
            info.bound = most.seconds / 60
            info.asked = status.isUnlimited ? nil : (status.timeLimit.seconds + 59) / 60
        case .partitionNodeLimit:
            guard let most = limits.nodes else { return nil }
            info.resource = "node"
            info.bound = Int64(most)
            info.asked = Int64(status.requestedNodes)
        default: return nil
        }
        return info
    }

    private func limit(_ standing: LimitStanding, of entry: JobEntry) -> LimitInfo {
        var info = LimitInfo()
        info.isPerJob = standing.isPerJob
        info.isLeast = standing.isLeast
        info.bound = standing.bound
        info.used = standing.used
        info.asked = standing.asked
        info.resource =
            switch standing.resource {
            case .money: LimitInfo.money
            case .licenses: "licenses"
            case .counted(.jobs): "jobs"
            case .counted(.submittedJobs): "submitted_jobs"
            case .counted(.wall): "wall"
            case .counted(.tres(let tres)): tres.name
            case .counted(.minutes(let tres)): "\(tres.name)_minutes"
            case .counted(.runningMinutes(let tres)): "running_\(tres.name)_minutes"
            }
        func account(_ number: Int32) -> String? { number < 0 ? nil : people.accounts[Int(number)] }
        func user(_ number: Int32) -> String? { number < 0 ? nil : people.users[Int(number)] }
        func qos(_ place: Int32) -> String { emulator.qos[Int(place)].name }
        switch standing.holder {
        case nil: break
        case .association(let place):
            let association = emulator.associations.list[Int(place)]
            info.account = account(association.account) ?? Self.rootAccount
            info.user = association.isUser ? user(association.user) : nil
        case .qos(let place): info.qos = qos(place)
        case .userOfQOS(let place, let number):
            info.qos = qos(place)
            info.user = user(number) ?? entry.specification.request.user
        case .accountOfQOS(let place, let number):
            info.qos = qos(place)
            info.account = account(number) ?? entry.specification.account
        case .quota(let partition, let number):
            info.account = account(number) ?? entry.specification.account
            info.partition = rules.machine.partitions[Int(partition)].name
        case .array(let id): info.array = id.number
        case .purse(let number): info.account = account(number)
        case .license(let place): info.license = rules.machine.licenses[Int(place)].name
        }
        return info
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
        // One of lower priority may have room where this one's limits have none.
        let others = machine.qosKnown.filter { qos in
            qos.name != status.qos && allowed?.contains(qos.name) ?? true
        }
        for qos in others.sorted(by: { ($1.priority, $0.name) < ($0.priority, $1.name) })
            .prefix(Self.namedMaximum)
        {
            add("QOS=\(qos.name)") { $0.qos = qos.name }
        }
        for other in machine.accounts.filter({ $0.name != account && $0.isOpen(to: user) })
            .prefix(Self.namedMaximum)
        where isAllowed(other.name, in: status.partitions) {
            add("Account=\(other.name)") { $0.account = other.name }
        }
        return changes
    }

    private func isAllowed(_ account: String, in partitions: [Int]) -> Bool {
        partitions.allSatisfy {
            rules.machine.partitions[$0].allowedAccounts?.contains(account) ?? true
        }
    }
}
