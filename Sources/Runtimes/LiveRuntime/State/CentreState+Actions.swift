import ClusterModel
import Emulation
import IndexSets
import JobModel
import Quantities
import Scheduling
import SlurmDialect
import WireFormats

// MARK: - Ends

extension CentreState {
    mutating func end(_ input: EndInput, at instant: SimInstant) -> InputResult {
        guard let entry = jobs[input.id], entry.status.restart == input.restart else {
            return .refused(Refusal(.invalidJobID).body)
        }
        guard let state = EndState.allCases.first(where: { $0.slurmName == input.state }) else {
            return .refused(Refusal(.unspecified, "unknown end state \(input.state)").body)
        }
        let isRunning = entry.status.phase == .running || entry.status.phase == .completing
        guard isRunning else { return .refused(Refusal(.alreadyDone).body) }
        jobs.update(input.id) { status in
            status.exitCode = input.exitCode
            status.signal = input.signal
            status.endReason = input.reason
            status.measured = input.measured
            status.programs = input.steps.filter { $0.component == nil }
        }
        // What its script ran on other components is theirs.
        let steps = Dictionary(grouping: input.steps, by: \.component)
        for offset in steps.keys.compactMap(\.self).sorted() {
            guard let part = component(offset, of: entry), !part.hasEnded else { continue }
            jobs.update(part.id) { $0.programs = steps[offset] ?? [] }
        }
        if let rejection = send(.jobEnded(JobID(input.id), state), at: instant) {
            preconditionFailure("job \(input.id) runs, but its end is refused: \(rejection)")
        }
        return .done(id: input.id)
    }
}

extension CentreState {
    /// A component of a heterogeneous job, whose first is given; nil for one that there is not.
    private func component(_ offset: Int32, of leader: JobEntry) -> JobEntry? {
        guard let het = leader.specification.submission.het, het.offset == 0,
            (1..<het.count).contains(offset)
        else { return nil }
        return jobs[leader.id + UInt32(offset)]
    }
}

// MARK: - Actions on one job

extension CentreState {
    /// The job, or why nothing can be done to it.
    func active(_ id: UInt32) -> Result<JobEntry, Refusal> {
        guard let entry = jobs[id] else { return .failure(Refusal(.invalidJobID)) }
        return entry.hasEnded ? .failure(Refusal(.alreadyDone)) : .success(entry)
    }

    /// The job, if it may be changed once more: what was done to a job is kept with it, and there is no end to
    /// holding and releasing.
    private func changeable(_ id: UInt32) -> Result<JobEntry, Refusal> {
        active(id).flatMap { entry in
            guard entry.status.actions.count < Self.mostActions else {
                let text = "the job was changed \(Self.mostActions) times; it can only be cancelled"
                return .failure(Refusal(.disabled, text))
            }
            return .success(entry)
        }
    }

    /// How often a job may be changed.
    static let mostActions = 10_000

    mutating func cancel(_ id: UInt32, by user: UInt32, at instant: SimInstant) -> Refusal? {
        switch active(id) {
        case .failure(let refusal): return refusal
        case .success(let entry):
            // It has been told already; it ends when its process does.
            if entry.status.phase == .completing { return nil }
            // One that has not started keeps the reason for which it waited.
            let reason = entry.status.phase == .pending ? reason(of: entry) : nil
            for one in alike(entry) {
                jobs.update(one) { status in
                    status.cancelledBy = user
                    if let reason { status.endReason = reason }
                }
            }
            note(RecordedAction("cancel", at: instant), of: id)
            return send(.cancel(JobID(id)), at: instant).map(Refusal.init)
        }
    }

    mutating func hold(_ id: UInt32, isAdmin: Bool, at instant: SimInstant) -> Refusal? {
        switch changeable(id) {
        case .failure(let refusal): return refusal
        case .success(let entry):
            // Slurm takes the hold of a running job silently; it applies to a later requeue.
            guard entry.status.phase == .pending else { return nil }
            for one in alike(entry) { jobs.update(one) { $0.isHeld = true } }
            let kind: HoldKind = isAdmin ? .admin : .user
            note(RecordedAction(isAdmin ? "hold_admin" : "hold", at: instant), of: id)
            return send(.hold(JobID(id), kind), at: instant).map(Refusal.init)
        }
    }

    mutating func release(_ id: UInt32, at instant: SimInstant) -> Refusal? {
        switch changeable(id) {
        case .failure(let refusal): return refusal
        case .success(let entry):
            guard entry.status.phase == .pending else { return nil }
            // Beyond its partition: it would only start as something that it did not ask for.
            guard !entry.status.isShutOut else { return nil }
            for one in alike(entry) {
                jobs.update(one) { status in
                    status.isHeld = false
                    if status.endReason == Self.requeuedTooOften { status.endReason = nil }
                }
            }
            note(RecordedAction("release", at: instant), of: id)
            return send(.release(JobID(id)), at: instant).map(Refusal.init)
        }
    }

    mutating func requeue(_ id: UInt32, _ input: JobsInput, at instant: SimInstant) -> Refusal? {
        switch active(id) {
        case .failure(let refusal): return refusal
        case .success(let entry):
            guard entry.status.phase == .running else {
                return Refusal(entry.status.phase == .pending ? .jobPending : .disabled)
            }
            let all = alike(entry)
            guard all.allSatisfy({ jobs[$0]?.status.isRequeuable ?? false }) else {
                return Refusal(.disabled)
            }
            if input.isByCustomer {
                for one in all { jobs.update(one) { $0.endReason = Self.requeuedByOwner } }
            }
            note(RecordedAction("requeue", at: instant), of: id)
            if let rejection = send(.requeue(JobID(id)), at: instant) {
                return Refusal(rejection)
            }
            guard input.holds else { return nil }
            if let reason = input.holdReason {
                for one in all { jobs.update(one) { $0.endReason = reason } }
            }
            return hold(id, isAdmin: input.isAdminHold, at: instant)
        }
    }

    mutating func suspend(_ id: UInt32, at instant: SimInstant) -> Refusal? {
        switch active(id) {
        case .failure(let refusal): refusal
        case .success:
            note("suspend", of: id, ifAccepted: send(.suspend(JobID(id)), at: instant), at: instant)
        }
    }

    mutating func resume(_ id: UInt32, at instant: SimInstant) -> Refusal? {
        switch active(id) {
        case .failure(let refusal): refusal
        case .success:
            note("resume", of: id, ifAccepted: send(.resume(JobID(id)), at: instant), at: instant)
        }
    }

    mutating func update(_ input: UpdateInput, at instant: SimInstant) -> Refusal? {
        let id = input.id
        let change = input.change
        switch changeable(id) {
        case .failure(let refusal): return refusal
        case .success(let entry):
            if change.changesRequest, let refusal = changeRequest(entry, input, at: instant) {
                return refusal
            }
            if let limit = newLimit(change, entry.status) {
                let effective = limit ?? .unlimited
                if let rejection = send(.changeTimeLimit(JobID(id), effective), at: instant) {
                    return Refusal(rejection)
                }
                let value = effective.microseconds
                note(RecordedAction("limit", at: instant, value: value), of: id)
                changeLimit(id, to: effective, isUnlimited: limit == nil)
                repriceFunds(of: id, at: instant)
            }
            if let priority = newPriority(change), entry.status.phase == .pending {
                let isFixed = change.priority != nil || entry.status.isPriorityFixed
                let input = Input.changePriority(JobID(id), priority, isFixed: isFixed)
                if let rejection = send(input, at: instant) { return Refusal(rejection) }
                let kind = isFixed ? "fixed_priority" : "priority"
                note(RecordedAction(kind, at: instant, value: priority), of: id)
                jobs.update(id) { status in
                    status.priority = priority
                    status.isPriorityFixed = isFixed
                }
            }
            if change.priority == 0 { return hold(id, isAdmin: input.isAdminHold, at: instant) }
            if let name = change.name {
                if let rejection = send(.changeName(JobID(id), name), at: instant) {
                    return Refusal(rejection)
                }
                note(RecordedAction("name", at: instant, text: name), of: id)
                jobs.update(id) { $0.name = name }
            }
            if let requeues = change.requeues {
                if let rejection = send(.changeRequeuable(JobID(id), requeues), at: instant) {
                    return Refusal(rejection)
                }
                note(RecordedAction("requeuable", at: instant, value: requeues ? 1 : 0), of: id)
            }
            jobs.update(id) { status in
                if let comment = change.comment { status.comment = comment }
                if let nice = change.nice { status.nice = nice }
                if let requeues = change.requeues { status.isRequeuable = requeues }
            }
            if let limit = change.arrayLimit { changeArrayLimit(entry, to: limit, at: instant) }
            return nil
        }
    }

    /// Nil: no change; `.some(nil)`: no limit any more.
    private func newLimit(_ change: JobUpdateRequest, _ status: JobStatus) -> SimDuration?? {
        if change.removesTimeLimit { return .some(nil) }
        if let limit = change.timeLimit { return .some(max(.zero, limit)) }
        guard let difference = change.timeLimitChange?.microseconds else { return nil }
        let old = min(status.timeLimit, .unlimited).microseconds
        let (sum, overflow) = old.addingReportingOverflow(difference)
        let limit = overflow ? .unlimited : min(SimDuration(microseconds: sum), .unlimited)
        return .some(max(SimDuration(seconds: 60), limit))
    }

    private func newPriority(_ change: JobUpdateRequest) -> Int64? {
        if let priority = change.priority, priority > 0 {
            return JobStatus.relative(priority)
        }
        return change.nice.map { -Int64($0) }
    }

    private mutating func changeLimit(_ id: UInt32, to limit: SimDuration, isUnlimited: Bool) {
        guard let specification = jobs[id]?.specification else { return }
        jobs.update(id) { status in
            status.timeLimit = limit
            status.isUnlimited = isUnlimited
            guard let start = status.startedAt, status.suspendedSince == nil else { return }
            let begin = start + status.suspendedFor
            let deadline = begin + limit
            status.deadline = isUnlimited ? nil : deadline
            status.emulatedEnd = Self.emulatedEnd(specification, begin, deadline)
        }
        effects.append(.deadlineChanged(id))
    }

    private mutating func changeArrayLimit(
        _ entry: JobEntry,
        to limit: UInt32,
        at instant: SimInstant
    ) {
        guard let array = entry.specification.array?.job else { return }
        let maximum = limit == 0 ? nil : Int32(clamping: limit)
        note(RecordedAction("array_limit", at: instant, value: Int64(limit)), of: entry.id)
        _ = send(.setArrayLimit(JobID(array), maximum), at: instant)
    }
}

extension CentreState {
    /// Why a job is held whose runs were lost again and again.
    static let requeuedTooOften = "JobHoldMaxRequeue"
}

// MARK: - Nodes and partitions

extension CentreState {
    mutating func change(_ input: NodesInput, at instant: SimInstant) -> InputResult {
        let nodes = IDSet(input.nodes)
        switch input.action {
        case "DOWN": _ = send(.nodesDown(nodes), at: instant)
        // A failing node lets its jobs end, and takes no more.
        case "DRAIN", "FAIL": _ = send(.nodesDrained(nodes), at: instant)
        case "RESUME": _ = send(.nodesResumed(nodes), at: instant)
        default: break
        }
        for node in input.nodes {
            if input.action == "RESUME" {
                nodeNotes[node] = nil
            } else {
                nodeNotes[node] = NodeNote(
                    reason: input.reason ?? nodeNotes[node]?.reason,
                    by: input.by,
                    since: instant,
                    isFailing: input.action.isEmpty
                        ? nodeNotes[node]?.isFailing ?? false : input.action == "FAIL"
                )
            }
        }
        return .done(id: 0)
    }

    mutating func change(_ update: PartitionInput, at instant: SimInstant) -> InputResult {
        let input = update.request
        guard let index = rules.machine.partitionIndex(named: input.name) else {
            return .refused(Refusal(.invalidPartition).body)
        }
        if let name = input.state {
            guard let state = Partition.State(rawValue: name) else {
                return .refused(Refusal(.unspecified, "unknown partition state \(name)").body)
            }
            if pausedPartitions[index] != nil {
                pausedPartitions[index] = PartitionState(state)
            } else {
                _ = send(.partitionState(index, PartitionState(state)), at: instant)
            }
        }
        let known = emulator.limits(ofPartition: index)
        let nodes =
            input.removesMaximumNodes ?? false ? nil : input.maximumNodes ?? known.nodes
        let time = input.removesMaximumTime ?? false ? nil : input.maximumTime ?? known.time
        if nodes != known.nodes || time != known.time {
            _ = send(.partitionLimits(index, nodes: nodes, time: time), at: instant)
        }
        return .done(id: 0)
    }

    mutating func change(_ input: RealWorkInput, at instant: SimInstant) -> InputResult {
        for index in rules.machine.partitions.indices
        where rules.machine.partitions[index].backend.runsScripts {
            if input.mayStart {
                guard let state = pausedPartitions.removeValue(forKey: index) else { continue }
                _ = send(.partitionState(index, state), at: instant)
            } else if pausedPartitions[index] == nil {
                pausedPartitions[index] = emulator.state(ofPartition: index)
                _ = send(.partitionState(index, .down), at: instant)
            }
        }
        return .done(id: 0)
    }
}
