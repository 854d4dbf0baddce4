import ClusterModel
import Emulation
import Glibc
import IndexSets
import JobModel
import Quantities
import SlurmDialect
public import WireFormats

// What is done to jobs that are there. Which ones are meant is looked up in a snapshot, each once, and again
// by whoever writes when their turn comes: they may have started or ended by then, or be somebody else's to
// see to. Many are done in parts, between which others have their turns.

extension Centre {
    /// Cancels jobs, or sends them a signal.
    ///
    /// - Throws: `RequestFailure`.
    public func cancel(
        _ request: CancelRequest,
        _ caller: Caller
    ) async throws(RequestFailure) -> ActionResponse {
        try request.checkBounds()
        let ofSteps = await cancelSteps(request, caller)
        var request = request
        request.jobs.removeAll { $0.step != nil }
        // Who names steps only means no job, whatever else he says.
        guard !request.jobs.isEmpty || ofSteps.isEmpty else {
            return ActionResponse(outcomes: ofSteps)
        }
        request.mergeSelectors()
        let (found, missing) = await snapshot().state.entries(request)
        let refused = Refusals()
        for id in missing { refused.add(id, SlurmError.invalidJobID.body()) }
        var outcomes: [ActionOutcome] = []
        let nodes = await snapshot().state.nodes(of: request)
        let left = request.isSignalOnly ? [] : await stepsOnParts(found)
        let rightsInTurn = rightsInTurn(of: caller)
        // What waits goes first: else others of these would start where the first have ended, to be ended too.
        let waiting = found.filter { $0.status.phase == .pending }
        let indices = found.arrayIndices
        let parts = (waiting + found.filter { $0.status.phase != .pending })
            .numbersInParts(of: Effort.jobsAtOnce)
        // As many are left at once as a turn may take together: each turn is a transaction, and a pass.
        for some in parts.inParts(of: Effort.ofTurns.upperBound / Effort.jobsAtOnce) {
            let results = try await act(on: some, caller) {
                [request, mailbox] part, state in
                let rights = rightsInTurn(state)
                var allowed: [UInt32] = []
                let meant = part.compactMap { id in
                    indices[id].map { state.jobs.element($0, ofArrayOf: id) } ?? state.jobs[id]
                }.filter {
                    state.is($0, meantBy: request, on: nodes)
                }
                let verb: JobRequestKind = request.isSignalOnly ? .signal : .cancel
                let (subjects, parts) = state.meant(by: verb, meant).ofAction
                for entry in parts { refused.add(entry.id, SlurmError.notWholeHetJob.body()) }
                for entry in subjects {
                    if rights.may(.changeJobs, entry, of: caller) {
                        allowed.append(entry.id)
                    } else {
                        var body = SlurmError.accessDenied.body()
                        body.exitCode = ExitStatus.notOwned
                        refused.add(entry.id, body)
                    }
                }
                guard !allowed.isEmpty else { return .success([]) }
                if let number = request.signal, request.isSignalOnly {
                    let isForShellOnly = request.isForShellOnly
                    mailbox.post(.signal(allowed, number: number, isForShellOnly: isForShellOnly))
                    return .success([])
                }
                var input = JobsInput()
                input.ids = allowed
                input.by = caller.userID
                return .success([.cancel(input)])
            }
            outcomes += Self.outcomes(results)
        }
        let cancelled = Set(outcomes.filter { $0.error == nil }.map(\.jobID))
        for step in left where cancelled.contains(step.component) {
            mailbox.post(.signalStep(step.job, restart: step.restart, step.signal))
        }
        return ActionResponse(outcomes: ofSteps + refused.all + outcomes)
    }

    /// Holds, releases or requeues a job or elements of an array.
    public enum JobAction: Hashable, Sendable {
        /// `scontrol hold`, `uhold`.
        case hold
        /// `scontrol release`.
        case release
        /// `scontrol requeue`, `requeuehold`.
        case requeue
        /// `scontrol suspend`: an operator's.
        case suspend
        /// `scontrol resume`: an operator's.
        case resume
        /// `scontrol top`: an operator's.
        case top

        var verb: JobRequestKind {
            switch self {
            case .hold: .hold
            case .release: .release
            case .requeue: .requeue
            case .suspend: .suspend
            case .resume: .resume
            case .top: .top
            }
        }
    }

    /// Does `action` to the job or array `id`.
    ///
    /// - Throws: `RequestFailure`.
    public func perform(
        _ action: JobAction,
        on id: UInt32,
        _ request: JobActionRequest,
        _ caller: Caller
    ) async throws(RequestFailure) -> ActionResponse {
        let rightsInTurn = rightsInTurn(of: caller)
        let selector = JobSelector(
            jobID: id,
            arrayTasks: request.arrayTasks,
            component: request.component
        )
        return try await eachPart(of: selector, caller) { entries, state in
            guard let first = entries.first else { return .failure(.refused(.invalidJobID)) }
            let rights = rightsInTurn(state)
            let isOwner = caller.owns(first)
            // Elements of one array may pay from several accounts.
            let isOver = entries.allSatisfy(rights.isOver)
            guard isOver || isOwner else {
                // Slurm holds and releases by an update, and says so of others' jobs.
                let isUpdate = action == .hold || action == .release
                return .failure(.refused(isUpdate ? .invalidUserID : .accessDenied))
            }
            let (subjects, parts) = state.meant(by: action.verb, entries).ofAction
            guard parts.isEmpty else { return .failure(.refused(.notWholeHetJob)) }
            var input = JobsInput()
            input.ids = subjects.map(\.id)
            if selector.namesFewElements { input.elements = subjects.compactMap(\.arrayTask) }
            input.by = caller.userID
            input.isAdminHold = isOver && !request.isUserHold && !isOwner
            input.holds = request.holdsAfterwards
            // Whoever pays for the account wishes it so, and the centre does not.
            input.isByCustomer = !rights.may(.operate)
            switch action {
            case .hold: return .success([.hold(input)])
            case .requeue: return .success([.requeue(input)])
            case .suspend, .resume:
                guard rights.may(.operate) else { return .failure(.refused(.accessDenied)) }
                return .success([action == .suspend ? .suspend(input) : .resume(input)])
            case .top:
                // Slurm allows it to users where SchedulerParameters has enable_user_top.
                guard rights.may(.operate) else { return .failure(.refused(.accessDenied)) }
                return .success([.top(input)])
            case .release:
                // A user does not lift what others have put on, and a coordinator does, as in Slurm.
                let isAdminHeld = entries.contains {
                    state.emulator.pendingReason(of: JobID($0.id)) == .jobHeldAdmin
                }
                guard isOver || !isAdminHeld else { return .failure(.refused(.accessDenied)) }
                return .success([.release(input)])
            }
        }
    }

    /// Changes properties of the job or array `id`.
    ///
    /// - Throws: `RequestFailure`.
    public func update(
        _ id: UInt32,
        _ request: JobUpdateRequest,
        _ caller: Caller
    ) async throws(RequestFailure) -> ActionResponse {
        try request.checkBounds()
        var request = request
        request.dependencies = request.dependencies?.eachOnce
        let rightsInTurn = rightsInTurn(of: caller)
        let selector = JobSelector(
            jobID: id,
            arrayTasks: request.arrayTasks,
            component: request.component
        )
        // The journal says it once for each job, which means the same without the list of them.
        request.arrayTasks = nil
        request.component = nil
        let size = request.compactBytes.count
        let count = await snapshot().state.jobs.entries(selector).count
        guard count * size <= CentreLimits.journalPerRequest else {
            let text = "so large a change of so many jobs does not fit in the journal"
            throw .refused(.tooLong, text)
        }
        let refused = Refusals()
        let response = try await eachPart(of: selector, caller) {
            [request] entries, state in
            guard let first = entries.first else { return .failure(.refused(.invalidJobID)) }
            let rights = rightsInTurn(state)
            let isOwner = caller.owns(first)
            let isOver = entries.allSatisfy(rights.isOver)
            guard isOver || isOwner else { return .failure(.refused(.invalidUserID)) }
            // Who pays then has to wish it as well: the owner, who may spend its money, or who looks after it.
            if let account = request.account, !isOwner, !rights.may(.changeJobs, in: account) {
                return .failure(.refused(.accessDenied))
            }
            // Before whom a job goes concerns more than its account.
            let isRaising =
                !rights.may(.operate)
                && entries.contains { entry in
                    Self.isRaising(request, priority: state.shownPriority(of: entry))
                }
            let isExtending = !isOver && entries.contains { Self.isExtending(request, $0.status) }
            guard !isRaising, !isExtending else { return .failure(.refused(.accessDenied)) }
            var reach: DependencyReach?
            var inputs: [LiveInput] = []
            // A priority of 0 is a hold, and what is held is the whole.
            let meant = state.meant(by: request.priority == 0 ? .hold : .update, entries)
            for entry in meant.parts { refused.add(entry.id, SlurmError.notWholeHetJob.body()) }
            for subject in meant.subjects {
                let own = subject.map { entry in
                    var input = UpdateInput()
                    input.id = entry.id
                    if selector.namesFewElements { input.element = entry.arrayTask }
                    input.change = request
                    input.by = caller.userID
                    input.isAdminHold = isOver && !isOwner
                    return input
                }
                // What is refused is not journalled: every later start would refuse it again. Of components
                // that are changed together none is changed where one cannot be.
                let problems = own.compactMap { input in
                    state.problem(of: input, &reach).map { (input.id, $0.body) }
                }
                let last = problems.isEmpty && own.count > 1 ? state.problem(of: own) : nil
                for (id, body) in problems + (last.map { [$0] } ?? []) { refused.add(id, body) }
                if problems.isEmpty, last == nil { inputs += own.map { .update($0) } }
            }
            return .success(inputs)
        }
        return ActionResponse(outcomes: refused.all + response.outcomes)
    }

    /// Prepares and does something for the jobs that a selector means, some of them at once. With none, it
    /// is prepared for none. Once a part of them is done, a refusal is told of the jobs of its own part.
    private func eachPart(
        of selector: JobSelector,
        _ caller: Caller,
        _ prepare:
            @escaping @Sendable ([JobEntry], CentreState) -> Result<[LiveInput], RequestFailure>
    ) async throws(RequestFailure) -> ActionResponse {
        let entries = await snapshot().state.jobs.entries(selector)
        let indices = entries.arrayIndices
        var outcomes: [ActionOutcome] = []
        for part in entries.isEmpty ? [[]] : entries.numbersInParts(of: Effort.jobsAtOnce) {
            do throws(RequestFailure) {
                let results = try await act(caller, effort: max(1, part.count)) { state in
                    let now = part.compactMap { id in
                        indices[id].map { state.jobs.element($0, ofArrayOf: id) } ?? state.jobs[id]
                    }
                    return prepare(now, state)
                }
                outcomes += Self.outcomes(results)
            } catch {
                guard !outcomes.isEmpty else { throw error }
                outcomes += part.map { ActionOutcome(jobID: $0, error: error.body) }
            }
        }
        return ActionResponse(outcomes: outcomes)
    }

    /// A user may lower a priority, never raise it. A nice value is the user's own down to 0.
    private static func isRaising(
        _ request: JobUpdateRequest,
        priority current: Int64
    ) -> Bool {
        request.priority.map { $0 > current } ?? false || request.nice.map { $0 < 0 } ?? false
    }

    /// Once a job runs its limit may be lowered, and never raised by its user.
    private static func isExtending(_ request: JobUpdateRequest, _ status: JobStatus) -> Bool {
        guard status.startedAt != nil else { return false }
        return request.removesTimeLimit
            || request.timeLimit.map { $0 > status.timeLimit } ?? false
            || (request.timeLimitChange ?? .zero) > .zero
    }

    static func outcomes(_ results: [InputResult]) -> [ActionOutcome] {
        results.flatMap { result -> [ActionOutcome] in
            switch result {
            case .outcomes(let outcomes): outcomes
            case .refused(let body): [ActionOutcome(jobID: 0, error: body)]
            case .done(let id, _): [ActionOutcome(jobID: id)]
            case .booked, .named: []
            }
        }
    }
}

extension Array {
    /// The elements in their order, so many in each part.
    func inParts(of count: Int) -> [[Element]] {
        stride(from: 0, to: self.count, by: count).map {
            Array(self[$0..<Swift.min($0 + count, self.count)])
        }
    }
}

extension CentreState.Meant {
    /// The jobs that an action names, which happens to their companions with them, and those that it cannot.
    fileprivate var ofAction: (subjects: [JobEntry], parts: [JobEntry]) {
        (subjects.map { $0[0] }, parts)
    }
}

extension JobSelector {
    /// Whether it names elements of an array, and so few that each gets a record of its own.
    fileprivate var namesFewElements: Bool { arrayTasks.map { $0.count <= 100 } ?? false }
}

extension [JobEntry] {
    /// The indices of those that are elements of arrays, by their numbers, which may be another's before
    /// something is done.
    fileprivate var arrayIndices: [UInt32: UInt32] {
        var indices: [UInt32: UInt32] = [:]
        for entry in self where entry.waitsWithArray { indices[entry.id] = entry.arrayTask }
        return indices
    }

    /// Their numbers in their order, so many in each part, or as many more as are components of the job that
    /// the last is one of.
    fileprivate func numbersInParts(of count: Int) -> [[UInt32]] {
        var parts: [[UInt32]] = []
        var last: UInt32?
        for entry in self {
            let leader = entry.specification.submission.het?.leader.number
            let isCompanion = leader != nil && leader == last
            if parts.isEmpty || parts[parts.count - 1].count >= count && !isCompanion {
                parts.append([])
            }
            parts[parts.count - 1].append(entry.id)
            last = leader
        }
        return parts
    }
}

extension CancelRequest {
    /// Whether it is not about ending jobs. A script may do with a SIGTERM of its own what it likes.
    var isSignalOnly: Bool {
        signal.map { $0 != SIGKILL && ($0 != SIGTERM || isForShellOnly) } ?? false
    }
}

extension CentreState {
    /// The jobs that a request means, each once, and the numbers of those that there are not.
    func entries(_ request: CancelRequest) -> (entries: [JobEntry], missing: [UInt32]) {
        var missing: [UInt32] = []
        var candidates: [JobEntry] = []
        if !request.jobs.isEmpty {
            var seen: Set<UInt32> = []
            for selector in request.jobs {
                let found = jobs.entries(selector)
                if found.isEmpty { missing.append(selector.jobID) }
                candidates += found.filter { seen.insert($0.id).inserted }
            }
        } else if request.hasFilter {
            jobs.forEach { if !$0.hasEnded { candidates.append($0) } }
        }
        let nodes = nodes(of: request)
        // No job is of a cluster that there is not.
        guard let clusters = try? ClusterChoice(request.clusters, of: rules.machine) else {
            return ([], missing)
        }
        let meant = candidates.filter {
            clusters.contains($0) && self.is($0, meantBy: request, on: nodes)
        }
        return (meant, missing)
    }

    /// The nodes of which a job must hold one; nil for any. A list that cannot be read names none.
    func nodes(of request: CancelRequest) -> IDSet? {
        request.nodeList.map { (try? rules.nodes($0)) ?? IDSet() }
    }

    /// Whether a job has all that a request filters by, and one of `nodes` where they are named.
    func `is`(_ entry: JobEntry, meantBy request: CancelRequest, on nodes: IDSet?) -> Bool {
        let status = entry.status
        if let nodes, !status.nodes.contains(where: { nodes.contains($0.node) }) { return false }
        if let qos = request.qos, status.qos != qos { return false }
        if let name = request.reservation, entry.specification.request.reservation != name {
            return false
        }
        if let project = request.project, entry.specification.request.project != project {
            return false
        }
        // Or by number, as 'scancel -u 1000' and REST's "user_id" say it.
        let owner = entry.specification.request
        if let user = request.user, owner.user != user, owner.userID != UInt32(user) {
            return false
        }
        if let account = request.account, entry.specification.account != account { return false }
        if let name = request.name, status.name != name { return false }
        if let name = request.partition {
            let names = status.partitions.map { rules.machine.partitions[$0].name }
            guard names.contains(name) else { return false }
        }
        return request.states.isEmpty || request.states.contains(stateName(of: status))
    }
}
