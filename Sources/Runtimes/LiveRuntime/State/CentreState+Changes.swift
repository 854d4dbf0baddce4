import ClusterModel
import Emulation
import JobModel
import Quantities
import Scheduling
import SlurmDialect
import WireFormats

// A pending job that asks for something else is resolved anew, by the code that a submission goes
// through: what could not be submitted so cannot be changed so. It keeps its number, its place in
// line, and what was changed of it before.

extension JobUpdateRequest {
    /// Whether it changes what the job asks for, which only a pending one can.
    var changesRequest: Bool {
        partition != nil || account != nil || qos != nil || begin != nil || dependencies != nil
            || nodes != nil || requiredNodes != nil || excludedNodes != nil
            || tasks != nil || tasksPerNode != nil || cpusPerTask != nil
            || memoryPerNode != nil || memoryPerCPU != nil || features != nil || gres != nil
            || licenses != nil || reservation != nil || project != nil || deadline != nil
            || sharesNodes != nil || standardOutput != nil || standardError != nil
            || standardInput != nil
    }
}

extension CentreState {
    /// Why the change is refused; nothing has changed then.
    mutating func changeRequest(
        _ entry: JobEntry,
        _ input: UpdateInput,
        at instant: SimInstant
    ) -> Refusal? {
        guard entry.status.phase == .pending else { return Refusal(.notPending) }
        let resolved: Resolved
        var reach = knownReach
        defer { knownReach = reach }
        do throws(Refusal) {
            resolved = try self.resolved(entry, input, at: instant, &reach)
        } catch {
            return error
        }
        var submission = resolved.submission
        enrol(&submission, resolved)
        submission.funds = funds(for: resolved, at: instant)
        if let rejection = send(.changeRequest(submission), at: instant) {
            return Refusal(rejection)
        }
        var status = resolved.status
        status.reservedFee = submission.funds.map { Fen($0.price) }
        jobs.replace(
            JobEntry(
                id: entry.id,
                arrayTask: entry.arrayTask,
                specification: resolved.specification,
                status: status
            )
        )
        var action = RecordedAction("request", at: instant)
        if let changed = jobs[entry.id] {
            action.job = [
                recorded(
                    submission,
                    of: changed,
                    for: Party(
                        account: changed.specification.account,
                        qos: changed.status.qos
                    )
                )
            ]
        }
        note(action, of: entry.id)
        let endsOnInvalid = resolved.specification.request.endsOnInvalidDependency == true
        if endsOnInvalid, !submission.dependencies.isEmpty { self.endsOnInvalid.insert(entry.id) }
        return nil
    }

    /// How long an emulated job takes once it asks for something else; nil where the change will be
    /// refused, or the job's comment says nothing of a run time.
    func runTime(after input: UpdateInput, _ reach: inout DependencyReach?) -> SimDuration? {
        guard let entry = jobs[input.id] else { return nil }
        return (try? resolved(entry, input, at: lastInstant, &reach))?.specification.runTime
    }

    /// Why a change would be refused, as far as it can be told without making it.
    func problem(of input: UpdateInput, _ reach: inout DependencyReach?) -> Refusal? {
        switch active(input.id) {
        case .failure(let refusal): return refusal
        case .success(let entry):
            guard input.change.changesRequest else { return nil }
            guard entry.status.phase == .pending else { return Refusal(.notPending) }
            do throws(Refusal) {
                _ = try resolved(entry, input, at: lastInstant, &reach)
                return nil
            } catch {
                return error
            }
        }
    }

    /// The job as it would be if it had been submitted with the change.
    private func resolved(
        _ entry: JobEntry,
        _ update: UpdateInput,
        at instant: SimInstant,
        _ reach: inout DependencyReach?
    ) throws(Refusal) -> Resolved {
        let old = entry.specification
        let change = update.change
        var input = SubmitInput()
        input.id = entry.id
        input.runTime = update.runTime
        input.request = old.request.changed(by: change, entry.status)
        // One element is resolved like a job of its own.
        input.request.array = nil
        input.request.components = []
        var resolved = try resolve(input, at: instant, het: old.submission.het)
        // The script of an emulated job is not kept, and whose real jobs run was checked before.
        guard isReal(resolved.status.partitions) == isReal(entry.status.partitions) else {
            throw Refusal(.invalidPartition, "real and emulated partitions cannot be exchanged")
        }
        var request = resolved.specification.request
        request.array = old.request.array
        resolved.specification = JobSpecification(
            request: request,
            account: resolved.specification.account,
            array: old.array,
            submission: old.submission,
            submittedTo: old.submittedTo,
            runTime: resolved.specification.runTime,
            submittedAt: old.submittedAt,
            journalRow: old.journalRow,
            isBackground: old.isBackground
        )
        let hold = holdKind(of: entry, isShutOut: resolved.isShutOut)
        resolved.submission.hold = hold
        resolved.submission.priority = entry.status.priority
        resolved.submission.isRequeuable = entry.status.isRequeuable
        if change.dependencies == nil {
            let (list, isAny) = emulator.dependencies(of: JobID(entry.id))
            resolved.submission.dependencies = list
            resolved.submission.needsAnyDependency = isAny
        } else {
            resolved.submission.dependencies =
                dependencies(of: input.request, task: entry.arrayTask)
            try checkCircle(from: entry.id, resolved.submission.dependencies, &reach)
        }
        var status = entry.status
        let new = resolved.status
        status.partitions = new.partitions
        status.qos = new.qos
        status.notBefore = new.notBefore
        status.requestedNodes = new.requestedNodes
        status.requestedCores = new.requestedCores
        status.requestedCards = new.requestedCards
        status.cardsToHold = new.cardsToHold
        status.requestedMemory = new.requestedMemory
        status.tasks = new.tasks
        status.endReason = new.endReason
        status.isShutOut = new.isShutOut
        status.isHeld = hold != nil
        resolved.status = status
        return resolved
    }

    /// The hold that a job is under after the change: the one of before, unless it was held because
    /// no partition could start it, or now is.
    private func holdKind(of entry: JobEntry, isShutOut: Bool) -> HoldKind? {
        if isShutOut { return .admin }
        if entry.status.isShutOut {
            return entry.specification.request.isHeld ? .user : nil
        }
        switch emulator.pendingReason(of: JobID(entry.id)) {
        case .jobHeldUser: return .user
        case .jobHeldAdmin: return .admin
        default: return nil
        }
    }

    private func isReal(_ partitions: [Int]) -> Bool {
        partitions.contains { rules.machine.partitions[$0].backend.runsScripts }
    }
}

extension SubmitRequest {
    /// The request of a job as `change` makes it, with the limit and the name that it has now.
    fileprivate func changed(by change: JobUpdateRequest, _ status: JobStatus) -> SubmitRequest {
        var request = self
        request.name = status.name
        request.timeLimit = status.timeLimit
        request.hasNoTimeLimit = status.isUnlimited
        request.begin = change.begin ?? status.notBefore
        if let partition = change.partition {
            request.partitions = partition.split(separator: ",").map(String.init)
        }
        if let account = change.account { request.account = account }
        if let qos = change.qos { request.qos = qos }
        if let nodes = change.nodes {
            request.minimumNodes = nodes
            request.maximumNodes = nodes
        }
        if let list = change.requiredNodes { request.requiredNodes = list.isEmpty ? nil : list }
        if let list = change.excludedNodes { request.excludedNodes = list.isEmpty ? nil : list }
        request.take(change)
        request.dependencies = change.dependencies ?? []
        request.anyDependency = change.dependencies != nil && change.anyDependency
        return request
    }

    /// Takes over what a change says of sizes, places and files; an empty text takes a thing away.
    private mutating func take(_ change: JobUpdateRequest) {
        func text(_ new: String?, _ old: inout String?) {
            if let new { old = new.isEmpty ? nil : new }
        }
        tasks = change.tasks ?? tasks
        tasksPerNode = change.tasksPerNode ?? tasksPerNode
        cpusPerTask = change.cpusPerTask ?? cpusPerTask
        if let memory = change.memoryPerNode { (memoryPerNode, memoryPerCPU) = (memory, nil) }
        if let memory = change.memoryPerCPU { (memoryPerNode, memoryPerCPU) = (nil, memory) }
        gres = change.gres ?? gres
        deadline = change.deadline ?? deadline
        sharesNodes = change.sharesNodes ?? sharesNodes
        text(change.features, &features)
        text(change.licenses, &licenses)
        text(change.reservation, &reservation)
        text(change.project, &project)
        text(change.standardOutput, &standardOutput)
        text(change.standardError, &standardError)
        text(change.standardInput, &standardInput)
    }
}
