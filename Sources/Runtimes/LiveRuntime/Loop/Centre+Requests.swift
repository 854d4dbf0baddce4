import Billing
import ClusterModel
import Emulation
import Glibc
import IndexSets
import JobModel
public import Quantities
import SlurmDialect
import Synchronization
public import WireFormats

// Requests that change something. What is allowed, and which jobs are meant, is looked up on the
// writing thread when the request's turn comes: nothing can happen in between.

extension Centre {
    /// Whether the caller may do what only operators may: root, who started the centre, and whom
    /// the machine's file names.
    public func isOperator(_ caller: Caller) -> Bool {
        caller.userID == 0 || caller.userID == getuid()
            || settings.rules.machine.operators.contains(UserNames.user(caller.userID))
    }

    /// Whether the caller may see what an account owes and has: its users, and operators. An account
    /// that is in the books only, since the machine's file does not list it any more, is for
    /// operators.
    public func mayRead(account name: String, _ caller: Caller) -> Bool {
        if isOperator(caller) { return true }
        let account = settings.rules.machine.account(named: name)
        return account?.isOpen(to: UserNames.user(caller.userID)) ?? false
    }

    func mayChange(_ entry: JobEntry, _ caller: Caller) -> Bool {
        entry.specification.request.userID == caller.userID || isOperator(caller)
    }

    private func act(
        _ prepare: @escaping @Sendable (CentreState) -> Result<[LiveInput], RequestFailure>
    ) async throws(RequestFailure) -> [InputResult] {
        let result = await withCheckedContinuation { continuation in
            mailbox.post(.act(prepare) { continuation.resume(returning: $0) })
        }
        return try result.get()
    }

    private func operate(
        _ caller: Caller,
        _ prepare: @escaping @Sendable (CentreState) -> Result<[LiveInput], RequestFailure>
    ) async throws(RequestFailure) {
        guard isOperator(caller) else { throw .refused(.accessDenied) }
        for result in try await act(prepare) {
            if case .refused(let body) = result { throw RequestFailure(status: 400, body: body) }
        }
    }

    // MARK: Submission

    /// Takes a job in. When this returns the job survives whatever happens to the daemon.
    ///
    /// - Throws: `RequestFailure`, with Slurm's sentence for a refusal.
    public func submit(
        _ request: SubmitRequest,
        _ caller: Caller
    ) async throws(RequestFailure) -> SubmitResponse {
        let input = try input(request, caller)
        if request.isTestOnly { return try await test(input) }
        let result = await withCheckedContinuation { continuation in
            mailbox.post(.submit(input) { continuation.resume(returning: $0) })
        }
        return try Self.response(result)
    }

    /// Takes many jobs in, numbered in their order, in few transactions of the journal. Each is
    /// taken or refused for itself.
    public func submit(
        _ requests: [SubmitRequest],
        _ caller: Caller
    ) async -> [Result<SubmitResponse, RequestFailure>] {
        var inputs: [Result<SubmitInput, RequestFailure>] = []
        for request in requests {
            inputs.append(
                Result { () throws(RequestFailure) in try self.input(request, caller) }
            )
        }
        let isPosted = zip(requests, inputs).map { request, input in
            !request.isTestOnly && (try? input.get()) != nil
        }
        let posted = zip(inputs, isPosted).compactMap { $1 ? try? $0.get() : nil }
        var results = await submitted(posted)[...]
        var answers: [Result<SubmitResponse, RequestFailure>] = []
        for (input, isPosted) in zip(inputs, isPosted) {
            do throws(RequestFailure) {
                let input = try input.get()
                let response =
                    isPosted ? try Self.response(results.removeFirst()) : try await test(input)
                answers.append(.success(response))
            } catch {
                answers.append(.failure(error))
            }
        }
        return answers
    }

    /// Posts submissions one after the other and waits for all of them.
    private func submitted(
        _ inputs: [SubmitInput]
    ) async -> [Result<[InputResult], RequestFailure>] {
        guard !inputs.isEmpty else { return [] }
        return await withCheckedContinuation { continuation in
            let answers = Answers(count: inputs.count) { continuation.resume(returning: $0) }
            for (index, input) in inputs.enumerated() {
                mailbox.post(.submit(input) { answers.set(index, $0) })
            }
        }
    }

    /// What of a request can be judged without the centre's state.
    private func input(
        _ request: SubmitRequest,
        _ caller: Caller
    ) throws(RequestFailure) -> SubmitInput {
        var input = SubmitInput()
        input.request = request
        input.request.userID = caller.userID
        input.request.groupID = caller.groupID
        input.request.user = UserNames.user(caller.userID)
        input.request.group = UserNames.group(caller.groupID)
        input.isOperator = isOperator(caller)
        try request.checkBounds()
        if let nice = request.nice, nice < 0, !input.isOperator { throw .refused(.invalidNice) }
        let isReal = asksForRealNodes(request)
        if isReal { try checkUser(input.request) }
        if let comment = request.comment, !isReal {
            do throws(Refusal) {
                input.request.comment = try EmulatedRunTime.normalized(comment)
            } catch {
                throw RequestFailure(status: 400, body: error.body)
            }
        }
        return input
    }

    private static func response(
        _ results: Result<[InputResult], RequestFailure>
    ) throws(RequestFailure) -> SubmitResponse {
        var response = SubmitResponse()
        for result in try results.get() {
            switch result {
            case .done(let id, let warnings):
                response.jobID = id
                response.warnings += warnings
            case .refused(let body): throw RequestFailure(status: 400, body: body)
            case .outcomes, .booked, .named:
                preconditionFailure("a submission has no outcomes")
            }
        }
        return response
    }

    /// A daemon that is not root can run real jobs of its own user only.
    private func checkUser(_ request: SubmitRequest) throws(RequestFailure) {
        guard getuid() == 0 || request.userID == getuid() else { throw .refused(.accessDenied) }
    }

    private func asksForRealNodes(_ request: SubmitRequest) -> Bool {
        let machine = settings.rules.machine
        let names =
            request.partitions.isEmpty ? [machine.defaultPartition.name] : request.partitions
        return names.compactMap(machine.partitionIndex(named:))
            .contains { machine.partitions[$0].backend == .local }
    }

    /// When and where a job would start if every job ran to its limit, and what it would cost.
    private func test(_ input: SubmitInput) async throws(RequestFailure) -> SubmitResponse {
        var state = await snapshot().state
        // The books as they are before the trial: it must not count against itself.
        let book = state.book
        var input = input
        input.id = state.nextJobID
        let instant = max(clock.now, state.lastInstant + SimDuration(microseconds: 1))
        do throws(Refusal) {
            _ = try state.resolve(input, at: instant)
        } catch {
            throw RequestFailure(status: 400, body: error.body)
        }
        _ = state.handle([.submit(input)], at: instant)
        guard let entry = state.jobs[input.id] else { throw .refused(.requestNotAvailable) }
        var response = SubmitResponse()
        response.jobID = input.id
        response.estimate = state.estimate(of: entry, in: book, at: instant)
        return response
    }

    // MARK: Actions on jobs

    /// Cancels jobs, or sends them a signal.
    ///
    /// - Throws: `RequestFailure`.
    public func cancel(
        _ request: CancelRequest,
        _ caller: Caller
    ) async throws(RequestFailure) -> ActionResponse {
        try request.checkBounds()
        let isOperator = isOperator(caller)
        let refused = Refusals()
        let isSignal = request.signal.map { $0 != SIGKILL && $0 != SIGTERM } ?? false
        let mailbox = self.mailbox
        let results = try await act { state in
            let (entries, missing) = state.entries(request)
            var allowed: [UInt32] = []
            for entry in entries {
                if isOperator || entry.specification.request.userID == caller.userID {
                    allowed.append(entry.id)
                } else {
                    var body = SlurmError.accessDenied.body()
                    body.exitCode = 210
                    refused.add(entry.id, body)
                }
            }
            for id in missing { refused.add(id, SlurmError.invalidJobID.body()) }
            guard !allowed.isEmpty else { return .success([]) }
            if let number = request.signal, isSignal {
                let isForShellOnly = request.isForShellOnly
                mailbox.post(.signal(allowed, number: number, isForShellOnly: isForShellOnly))
                return .success([])
            }
            var input = JobsInput()
            input.ids = allowed
            input.by = caller.userID
            return .success([.cancel(input)])
        }
        return ActionResponse(outcomes: refused.all + Self.outcomes(results))
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
        let isOperator = isOperator(caller)
        let results = try await act { state in
            let selector = JobSelector(jobID: id, arrayTasks: request.arrayTasks)
            let entries = state.jobs.entries(selector)
            guard let first = entries.first else { return .failure(.refused(.invalidJobID)) }
            let isOwner = first.specification.request.userID == caller.userID
            guard isOperator || isOwner else { return .failure(.refused(.accessDenied)) }
            var input = JobsInput()
            input.ids = entries.map(\.id)
            input.by = caller.userID
            input.isAdminHold = isOperator && !request.isUserHold && !isOwner
            input.holds = request.holdsAfterwards
            input.isByOwner = isOwner && !isOperator
            switch action {
            case .hold: return .success([.hold(input)])
            case .requeue: return .success([.requeue(input)])
            case .suspend, .resume:
                guard isOperator else { return .failure(.refused(.accessDenied)) }
                return .success([action == .suspend ? .suspend(input) : .resume(input)])
            case .top:
                // Slurm allows it to users where SchedulerParameters has enable_user_top.
                guard isOperator else { return .failure(.refused(.disabled)) }
                return .success([.top(input)])
            case .release:
                // A user does not lift what an operator has put on.
                let isAdminHeld = entries.contains {
                    state.emulator.pendingReason(of: JobID($0.id)) == .jobHeldAdmin
                }
                guard isOperator || !isAdminHeld else { return .failure(.refused(.accessDenied)) }
                return .success([.release(input)])
            }
        }
        return ActionResponse(outcomes: Self.outcomes(results))
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
        let isOperator = isOperator(caller)
        let results = try await act { state in
            let selector = JobSelector(jobID: id, arrayTasks: request.arrayTasks)
            let entries = state.jobs.entries(selector)
            guard let first = entries.first else { return .failure(.refused(.invalidJobID)) }
            let isOwner = first.specification.request.userID == caller.userID
            guard isOperator || isOwner else { return .failure(.refused(.accessDenied)) }
            guard isOperator || entries.allSatisfy({ Self.isLowering(request, $0.status) }) else {
                return .failure(.refused(.accessDenied))
            }
            return .success(
                entries.map { entry in
                    var input = UpdateInput()
                    input.id = entry.id
                    input.change = request
                    return .update(input)
                }
            )
        }
        return ActionResponse(outcomes: Self.outcomes(results))
    }

    /// A user may lower a priority and, once the job runs, its limit; never raise them.
    private static func isLowering(_ request: JobUpdateRequest, _ status: JobStatus) -> Bool {
        if let priority = request.priority {
            guard priority <= JobStatus.usualPriority + status.priority else { return false }
        }
        if let nice = request.nice, nice < status.nice { return false }
        guard status.startedAt != nil else { return true }
        if request.removesTimeLimit { return false }
        if let limit = request.timeLimit, limit > status.timeLimit { return false }
        return (request.timeLimitChange ?? .zero) <= .zero
    }

    private static func outcomes(_ results: [InputResult]) -> [ActionOutcome] {
        results.flatMap { result -> [ActionOutcome] in
            switch result {
            case .outcomes(let outcomes): outcomes
            case .refused(let body): [ActionOutcome(jobID: 0, error: body)]
            case .done(let id, _): [ActionOutcome(jobID: id)]
            case .booked, .named: []
            }
        }
    }

    // MARK: Money

    /// Does something to the books; operators only.
    ///
    /// - Throws: `RequestFailure`.
    public func change(
        _ request: MoneyRequest,
        _ caller: Caller
    ) async throws(RequestFailure) -> MoneyResponse {
        guard isOperator(caller) else { throw .refused(.accessDenied) }
        var response = MoneyResponse()
        let clock = self.clock
        let results = try await act { state in
            var input = MoneyInput()
            input.request = request
            input.by = caller.userID
            // What is refused is not journalled.
            var trial = state
            let instant = max(clock.now, state.lastInstant + SimDuration(microseconds: 1))
            if case .refused(let body) = trial.handle(input, at: instant) {
                return .failure(RequestFailure(status: 400, body: body))
            }
            // A limit has no reference by which the ledger would know it again.
            if request.action == "limit",
                trial.book.ledger.creditLimits == state.book.ledger.creditLimits
            {
                return .success([])
            }
            if request.action == "budget", trial.book.budgets == state.book.budgets {
                return .success([])
            }
            return .success([.money(input)])
        }
        for result in results {
            switch result {
            case .booked(let entries): response.entries += entries
            case .named: break
            case .refused(let body): throw RequestFailure(status: 400, body: body)
            case .done, .outcomes: break
            }
        }
        return response
    }

    // MARK: Nodes, partitions, time

    /// Changes nodes; operators only.
    ///
    /// - Throws: `RequestFailure`.
    public func update(
        _ request: NodeUpdateRequest,
        _ caller: Caller
    ) async throws(RequestFailure) {
        try await operate(caller) { state in
            guard let nodes = try? state.rules.nodes(request.nodes), !nodes.isEmpty else {
                return .failure(.refused(.invalidNodeName))
            }
            var input = NodesInput()
            input.nodes = Array(nodes)
            input.reason = request.reason
            input.by = caller.userID
            switch request.state?.uppercased() {
            case nil: input.action = ""
            case "DOWN", "FAIL": input.action = "DOWN"
            case "DRAIN": input.action = "DRAIN"
            case "RESUME", "UNDRAIN", "IDLE": input.action = "RESUME"
            default: return .failure(.refused(.invalidNodeState))
            }
            return .success([.nodes(input)])
        }
    }

    /// Changes a partition; operators only.
    ///
    /// - Throws: `RequestFailure`.
    public func update(
        _ request: PartitionUpdateRequest,
        _ caller: Caller
    ) async throws(RequestFailure) {
        try await operate(caller) { state in
            guard state.rules.machine.partitionIndex(named: request.name) != nil else {
                return .failure(.refused(.invalidPartition))
            }
            if let name = request.state, Partition.State(rawValue: name.uppercased()) == nil {
                return .failure(.refused(.unspecified, "unknown partition state \(name)"))
            }
            var update = request
            update.state = request.state?.uppercased()
            return .success([.partition(update)])
        }
    }

    /// Makes, changes or ends a reservation; operators only.
    ///
    /// - Returns: its name.
    /// - Throws: `RequestFailure`, with Slurm's sentence for a refusal.
    public func reserve(
        _ action: ReservationAction,
        _ request: ReservationRequest,
        _ caller: Caller
    ) async throws(RequestFailure) -> ReservationName {
        guard isOperator(caller) else { throw .refused(.invalidUserID) }
        let input = ReservationInput(action: action, request: request)
        for result in try await act({ _ in .success([.reservation(input)]) }) {
            switch result {
            case .named(let name): return ReservationName(name)
            case .refused(let body): throw RequestFailure(status: 400, body: body)
            case .done, .outcomes, .booked: break
            }
        }
        return ReservationName(request.name ?? "")
    }

    /// Moves a stepped clock; operators only.
    ///
    /// - Returns: the centre's time then.
    /// - Throws: `RequestFailure`.
    public func advance(
        _ request: ClockAdvanceRequest,
        _ caller: Caller
    ) async throws(RequestFailure) -> SimInstant {
        guard isOperator(caller) else { throw .refused(.accessDenied) }
        try request.checkBounds()
        let result = await withCheckedContinuation { continuation in
            mailbox.post(.advance(request) { continuation.resume(returning: $0) })
        }
        return try result.get()
    }
}

extension CentreState {
    /// The jobs that a request means, and the numbers of those that there are not.
    func entries(_ request: CancelRequest) -> (entries: [JobEntry], missing: [UInt32]) {
        var missing: [UInt32] = []
        let hasFilter =
            request.user != nil || request.account != nil || request.name != nil
            || request.partition != nil || !request.states.isEmpty
        var candidates: [JobEntry] = []
        if !request.jobs.isEmpty {
            for selector in request.jobs {
                let found = jobs.entries(selector)
                if found.isEmpty { missing.append(selector.jobID) }
                candidates += found
            }
        } else if hasFilter {
            jobs.forEach { if !$0.hasEnded { candidates.append($0) } }
        }
        let chosen = candidates.filter { entry in
            let status = entry.status
            if let user = request.user, entry.specification.request.user != user { return false }
            if let account = request.account, entry.specification.account != account {
                return false
            }
            if let name = request.name, status.name != name { return false }
            if let name = request.partition {
                let names = status.partitions.map { rules.machine.partitions[$0].name }
                guard names.contains(name) else { return false }
            }
            return request.states.isEmpty || request.states.contains(stateName(of: status))
        }
        return (chosen, missing)
    }
}

/// Answers that come one by one, in any order, and are wanted together.
private final class Answers: Sendable {
    private typealias Answer = Result<[InputResult], RequestFailure>
    private let given: Mutex<(answers: [Answer?], missing: Int)>
    private let whenComplete: @Sendable ([Result<[InputResult], RequestFailure>]) -> Void

    init(
        count: Int,
        whenComplete: @escaping @Sendable ([Result<[InputResult], RequestFailure>]) -> Void
    ) {
        given = Mutex(([Answer?](repeating: nil, count: count), count))
        self.whenComplete = whenComplete
    }

    func set(_ index: Int, _ answer: Result<[InputResult], RequestFailure>) {
        let all = given.withLock { given -> [Answer]? in
            given.answers[index] = answer
            given.missing -= 1
            return given.missing == 0 ? given.answers.compactMap(\.self) : nil
        }
        if let all { whenComplete(all) }
    }
}
