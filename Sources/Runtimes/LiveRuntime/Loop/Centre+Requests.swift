import Billing
import Catalog
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
    /// Whether somebody may change a job, by the table for all ways to do so.
    func mayChange(_ entry: JobEntry, _ caller: Caller) -> Bool {
        rights(of: caller).may(.changeJobs, entry, of: caller)
    }

    func act(
        _ caller: Caller,
        effort: Int = 1,
        _ prepare: @escaping @Sendable (CentreState) -> Result<[LiveInput], RequestFailure>
    ) async throws(RequestFailure) -> [InputResult] {
        let result = await withCheckedContinuation { continuation in
            let letter = Letter.act(prepare) { continuation.resume(returning: $0) }
            mailbox.post(letter, of: caller.userID, effort: effort)
        }
        return try result.get()
    }

    /// Leaves letters for parts of what a request is about, all at once, and waits for all of them.
    func act(
        on parts: [[UInt32]],
        _ caller: Caller,
        _ prepare:
            @escaping @Sendable ([UInt32], CentreState) -> Result<[LiveInput], RequestFailure>
    ) async throws(RequestFailure) -> [InputResult] {
        guard !parts.isEmpty else { return [] }
        let answers = await withCheckedContinuation { continuation in
            let answers = Answers(count: parts.count) { continuation.resume(returning: $0) }
            let letters = parts.enumerated().map { index, part in
                let letter = Letter.act({ prepare(part, $0) }) { answers.set(index, $0) }
                return (letter, part.count)
            }
            mailbox.post(letters, of: caller.userID)
        }
        var results: [InputResult] = []
        for answer in answers { results += try answer.get() }
        return results
    }

    /// Looks whether the caller may close the centre, when the turn of that comes.
    ///
    /// - Throws: `RequestFailure` when not.
    public func checkShutDown(_ caller: Caller) async throws(RequestFailure) {
        try await operate(caller) { _ in .success([]) }
    }

    private func operate(
        _ caller: Caller,
        _ prepare: @escaping @Sendable (CentreState) -> Result<[LiveInput], RequestFailure>
    ) async throws(RequestFailure) {
        try require(.operate, caller)
        let rights = rightsInTurn(of: caller)
        let results = try await act(caller) { state in
            rights(state).may(.operate) ? prepare(state) : .failure(.refused(.accessDenied))
        }
        for result in results {
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
        let submitter = submitter(caller)
        var input = try input(try await withOneCluster(request, submitter), submitter)
        if request.isTestOnly {
            return try await test(input)
        }
        input = try await strictly(input)
        let result = await withCheckedContinuation { continuation in
            let letter = Letter.submit(input) { continuation.resume(returning: $0) }
            mailbox.post(letter, of: caller.userID, effort: Effort.of(input.request))
        }
        return try response(result, to: input.request)
    }

    /// A request for the one of its clusters in which the job is expected to start first; of several
    /// the one that was named first.
    private func withOneCluster(
        _ request: SubmitRequest,
        _ submitter: Submitter
    ) async throws(RequestFailure) -> SubmitRequest {
        guard var names = request.clusters, names.count > 1 || names == [ClusterWord.all] else {
            return request
        }
        let machine = settings.rules.machine
        if names.contains(ClusterWord.all) { names = machine.allClusters.map(\.name) }
        var best: (request: SubmitRequest, start: SimInstant)?
        var refusal: RequestFailure?
        for name in names.eachOnce {
            let cluster = try machine.cluster(called: name)
            var own = request
            own.clusters = [name]
            let there = Set(cluster.partitions.map { machine.partitions[$0].name })
            // A name that is in no cluster is refused when the request is read.
            own.partitions.removeAll {
                machine.partitionIndex(named: $0) != nil && !there.contains($0)
            }
            if own.partitions.isEmpty, !request.partitions.isEmpty { continue }
            do throws(RequestFailure) {
                let answer = try await test(try input(own, submitter))
                let start = answer.estimate?.start ?? .distantFuture
                if start < best?.start ?? .distantFuture || best == nil { best = (own, start) }
            } catch {
                refusal = refusal ?? error
            }
        }
        guard let best else { throw refusal ?? .refused(.invalidPartition) }
        return best.request
    }

    /// Takes many jobs in, numbered in their order, in few transactions of the journal. Each is
    /// taken or refused for itself.
    public func submit(
        _ requests: [SubmitRequest],
        _ caller: Caller
    ) async -> [Result<SubmitResponse, RequestFailure>] {
        var inputs: [Result<SubmitInput, RequestFailure>] = []
        let submitter = submitter(caller)
        for request in requests {
            do throws(RequestFailure) {
                inputs.append(.success(try await strictly(try input(request, submitter))))
            } catch {
                inputs.append(.failure(error))
            }
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
                    isPosted
                    ? try response(results.removeFirst(), to: input.request)
                    : try await test(input)
                answers.append(.success(response))
            } catch {
                answers.append(.failure(error))
            }
        }
        return answers
    }

    /// Posts submissions of one user, to be taken in one after the other, and waits for all of them.
    private func submitted(
        _ inputs: [SubmitInput]
    ) async -> [Result<[InputResult], RequestFailure>] {
        guard let user = inputs.first?.request.userID else { return [] }
        return await withCheckedContinuation { continuation in
            let answers = Answers(count: inputs.count) { continuation.resume(returning: $0) }
            let letters = inputs.enumerated().map { index, input in
                (Letter.submit(input) { answers.set(index, $0) }, Effort.of(input.request))
            }
            mailbox.post(letters, of: user)
        }
    }

    /// Who submits, as the system's databases name them; they are asked once for a whole batch.
    private struct Submitter {
        var caller: Caller
        var user: String
        var group: String
        var isOperator: Bool
    }

    private func submitter(_ caller: Caller) -> Submitter {
        Submitter(
            caller: caller,
            user: UserNames.user(caller.userID),
            group: UserNames.group(caller.groupID),
            isOperator: rights(of: caller).may(.operate)
        )
    }

    /// What of a request can be judged without the centre's state.
    private func input(
        _ request: SubmitRequest,
        _ submitter: Submitter
    ) throws(RequestFailure) -> SubmitInput {
        var input = SubmitInput()
        input.request = request
        input.request.userID = submitter.caller.userID
        input.request.groupID = submitter.caller.groupID
        input.request.user = submitter.user
        input.request.group = submitter.group
        input.isOperator = submitter.isOperator
        input.numbersElementsLate = request.array != nil
        try request.checkBounds()
        input.request.dropRepeats()
        try input.request.checkProduct(settings.limits)
        guard request.clusters != [] else { throw ClusterChoice.none }
        guard request.clusters.map({ $0.count == 1 && $0 != [ClusterWord.all] }) ?? true else {
            throw RequestFailure.refused(.invalidCluster, "one job of a list is for one cluster")
        }
        if let nice = request.nice, nice < 0, !input.isOperator { throw .refused(.invalidNice) }
        // Each component is a job of its own, and has none itself.
        input.request.components = try request.components.map {
            component throws(RequestFailure) in
            guard component.components.isEmpty, component.array == nil else {
                throw .refused(.invalidArray)
            }
            var component = component
            component.clusters = component.clusters ?? request.clusters
            return try self.input(component, submitter).request
        }
        let backend = backend(of: request)
        if backend.runsScripts { try checkUser(input.request) }
        if let comment = request.comment, backend != .local {
            do throws(Refusal) {
                input.request.comment = try EmulatedRunTime.normalized(comment)
            } catch {
                throw RequestFailure(status: 400, body: error.body)
            }
        }
        // Here and not on the writing thread: a request may be of many MiB.
        if input.request.idempotencyKey != nil { input.knownDigest = input.request.digest }
        return input
    }

    private func response(
        _ results: Result<[InputResult], RequestFailure>,
        to request: SubmitRequest
    ) throws(RequestFailure) -> SubmitResponse {
        let machine = settings.rules.machine
        var response = SubmitResponse()
        let partition = machine.partitionNames(of: request)[0]
        response.cluster = machine.clusterName(ofPartitions: partition)
        if request.clusters == nil, response.cluster != machine.name {
            response.warnings.append(
                "partition \(partition) is of cluster \(response.cluster), which Slurm wants named: -M"
                    + " \(response.cluster)"
            )
        }
        for result in try results.get() {
            switch result {
            case .done(let id, let obstacle):
                response.jobID = id
                response.obstacle = obstacle
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

    /// What the partitions that a request names do with a script; those of one request are alike.
    private func backend(of request: SubmitRequest) -> Partition.Backend {
        let machine = settings.rules.machine
        let names = machine.partitionNames(of: request)
        let known = names.compactMap(machine.partitionIndex(named:))
        return known.first.map { machine.partitions[$0].backend } ?? .emulated
    }

    /// A submission that may be taken in: one that is strict only where the job could start.
    private func strictly(_ input: SubmitInput) async throws(RequestFailure) -> SubmitInput {
        if input.request.isStrict == true, let obstacle = try await obstacle(to: input) {
            let text = "the job could not start as things are (\(obstacle)), and is strict"
            throw .refused(.requestNotAvailable, text)
        }
        var input = input
        // It says nothing of the job.
        input.request.isStrict = nil
        return input
    }

    /// The rule that would let a job never start; nil when there is none.
    private func obstacle(to input: SubmitInput) async throws(RequestFailure) -> String? {
        var state = await snapshot().state
        var input = input
        input.id = state.nextJobID
        let instant = max(clock.now, state.lastInstant + SimDuration(microseconds: 1))
        switch state.handle([.submit(input)], at: instant).first {
        case .refused(let body): throw RequestFailure(status: 400, body: body)
        case .done(_, let obstacle): return obstacle
        case .outcomes, .booked, .named, nil: return nil
        }
    }

    /// When and where a job would start if every job ran to its limit, and what it would cost.
    private func test(_ input: SubmitInput) async throws(RequestFailure) -> SubmitResponse {
        var state = await snapshot().state
        // The books as they are before the trial: it must not count against itself.
        let book = state.book
        var input = input
        input.id = state.nextJobID
        let instant = max(clock.now, state.lastInstant + SimDuration(microseconds: 1))
        if case .refused(let body) = state.handle([.submit(input)], at: instant).first {
            throw RequestFailure(status: 400, body: body)
        }
        let numbers = input.id..<input.id + UInt32(1 + input.request.components.count)
        let entries = numbers.compactMap { state.jobs[$0] }
        guard !entries.isEmpty else { throw .refused(.requestNotAvailable) }
        var response = SubmitResponse()
        response.jobID = input.id
        response.estimate = state.estimate(of: entries, in: book, at: instant)
        return response
    }

    // MARK: Money

    /// Does something to the books; operators only.
    ///
    /// - Throws: `RequestFailure`.
    public func change(
        _ request: MoneyRequest,
        _ caller: Caller
    ) async throws(RequestFailure) -> MoneyResponse {
        try require(.operate, caller)
        var response = MoneyResponse()
        let rights = rightsInTurn(of: caller)
        let results = try await act(caller) { [clock, reader] state in
            guard rights(state).may(.operate) else { return .failure(.refused(.accessDenied)) }
            var input = MoneyInput()
            input.request = request
            input.by = caller.userID
            // What is refused is not journalled.
            var trial = state
            trial.book.lookForEntries(on: StoredLedger(reader))
            let instant = max(clock.now, state.lastInstant + SimDuration(microseconds: 1))
            let result = trial.handle(input, at: instant)
            if let failure = trial.book.ledger.failure {
                return .failure(RequestFailure(damaged: failure))
            }
            if case .refused(let body) = result {
                return .failure(RequestFailure(status: 400, body: body))
            }
            if request.action == "storage", let body = state.unpricedStorage(request.storage) {
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

    // MARK: Steps

    /// A step of a job begins or ends; its owner's, and whoever may change it.
    ///
    /// - Returns: the number of the step.
    /// - Throws: `RequestFailure`.
    public func step(
        _ id: UInt32,
        _ request: StepRequest,
        _ caller: Caller
    ) async throws(RequestFailure) -> StepResponse {
        try request.checkBounds()
        let rights = rightsInTurn(of: caller)
        let results = try await act(caller) { state in
            guard let entry = state.jobs[id] else { return .failure(.refused(.invalidJobID)) }
            guard rights(state).may(.changeJobs, entry, of: caller) else {
                return .failure(.refused(.invalidUserID))
            }
            var input = StepInput()
            input.job = id
            input.restart = entry.status.restart
            input.step = request
            return .success([.step(input)])
        }
        var response = StepResponse()
        for result in results {
            switch result {
            case .named(let name): response.id = name
            case .refused(let body): throw RequestFailure(status: 400, body: body)
            case .done, .outcomes, .booked: break
            }
        }
        return response
    }

    /// Gives an allocation without a script back; its owner's, and whoever may change it.
    ///
    /// - Throws: `RequestFailure`.
    public func complete(
        _ id: UInt32,
        _ request: CompleteRequest,
        _ caller: Caller
    ) async throws(RequestFailure) -> ActionResponse {
        try request.checkBounds()
        let rights = rightsInTurn(of: caller)
        let results = try await act(caller) { state in
            guard let entry = state.jobs[id] else { return .failure(.refused(.invalidJobID)) }
            guard rights(state).may(.changeJobs, entry, of: caller) else {
                return .failure(.refused(.invalidUserID))
            }
            guard entry.specification.request.isInteractive else {
                return .failure(.refused(.disabled))
            }
            var input = EndInput()
            input.id = id
            input.restart = entry.status.restart
            let isFine = request.exitCode == 0 && request.exitSignal == 0
            input.state = isFine ? "COMPLETED" : "FAILED"
            input.exitCode = request.exitCode
            input.signal = request.exitSignal
            return .success([.end(input)])
        }
        return ActionResponse(outcomes: Self.outcomes(results))
    }

    /// - Throws: `RequestFailure` for a job that holds no nodes: not yet, or no longer.
    private func checkHolding(_ entry: JobEntry) throws(RequestFailure) {
        guard !entry.hasEnded else { throw .refused(.alreadyDone) }
        guard entry.status.startedAt != nil else { throw .refused(.jobPending) }
    }

    /// What a running job is told of itself; for its owner, and whoever may change it.
    ///
    /// - Throws: `RequestFailure`.
    public func environment(
        _ id: UInt32,
        _ caller: Caller
    ) async throws(RequestFailure) -> JobEnvironment {
        let state = await snapshot().state
        guard let entry = state.jobs[id] else { throw .refused(.invalidJobID) }
        guard mayChange(entry, caller) else { throw .refused(.invalidUserID) }
        try checkHolding(entry)
        return state.environment(of: entry)
    }

    /// How long a program would take in a running job, which rehearses; for its owner, and whoever may change it.
    ///
    /// - Throws: `RequestFailure`, also for a program that the machine has not, or that fits nowhere.
    public func programTime(
        _ query: ProgramQuery,
        in id: UInt32,
        _ caller: Caller
    ) async throws(RequestFailure) -> ProgramTime {
        let state = await snapshot().state
        guard let entry = state.jobs[id] else { throw .refused(.invalidJobID) }
        guard mayChange(entry, caller) else { throw .refused(.invalidUserID) }
        try checkHolding(entry)
        do throws(Refusal) {
            return try state.programTime(query, in: entry)
        } catch {
            throw RequestFailure(status: 400, body: error.body)
        }
    }

    // MARK: People

    /// Makes, changes or removes accounts, users and QOS, all that is asked for or nothing; for operators, and
    /// coordinators of the accounts.
    ///
    /// - Throws: `RequestFailure`, with the sentence of a refusal.
    public func change(
        _ edits: [PeopleEdit],
        _ caller: Caller
    ) async throws(RequestFailure) -> PeopleEditResponse {
        guard rights(of: caller).reach(of: .changePeople) > .own else {
            throw .refused(.accessDenied)
        }
        let effort = edits.reduce(0) { $0 + $1.effort }
        guard effort <= CentreLimits.changesOfPeople else {
            let text = "more than \(CentreLimits.changesOfPeople) changes in one request"
            throw .people(text)
        }
        let changed = Mutex<[String]>([])
        let rightsInTurn = rightsInTurn(of: caller)
        let results = try await act(caller, effort: max(1, effort)) { state in
            let known = state.rules.machine
            let rights = rightsInTurn(state)
            guard rights.reach(of: .changePeople) > .own else {
                return .failure(.refused(.accessDenied))
            }
            let coordinator = rights.may(.changePeople) ? nil : rights.user
            var register = CustomerRegister(of: known)
            do throws(PeopleEditProblem) {
                let lines = try register.apply(edits, to: known.qos, coordinator: coordinator)
                changed.withLock { $0 = lines }
                guard !lines.isEmpty else { return .success([]) }
            } catch {
                return .failure(error.isDenied ? .denied(error.text) : .people(error.text))
            }
            if coordinator != nil { state.keepCredit(in: &register) }
            let machine = known.with(register)
            if let problem = machine.problemOfPeople ?? state.problem(of: register)
                ?? state.problemOfDeletedQOS(in: edits)
            {
                return .failure(.people(problem))
            }
            return .success([.people(register)])
        }
        for case .refused(let body) in results { throw RequestFailure(status: 400, body: body) }
        await readMachineAgain()
        var response = PeopleEditResponse()
        response.changed = changed.withLock { $0 }
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
        try await operate(caller) { [nodesReturn = settings.nodesReturn] state in
            guard let nodes = try? state.rules.nodes(request.nodes), !nodes.isEmpty else {
                return .failure(.refused(.invalidNodeName))
            }
            var input = NodesInput()
            input.nodes = Array(nodes)
            input.reason = request.reason
            input.by = caller.userID
            switch request.state?.uppercased() {
            case nil: input.action = ""
            case "DOWN": input.action = "DOWN"
            case "DRAIN": input.action = "DRAIN"
            case "FAIL": input.action = "FAIL"
            case "RESUME", "UNDRAIN", "IDLE": input.action = "RESUME"
            default: return .failure(.refused(.invalidNodeState))
            }
            guard nodesReturn, input.action == "DOWN" else { return .success([.nodes(input)]) }
            // Its daemon is alive and tells so.
            var back = NodesInput()
            back.nodes = input.nodes
            back.action = "RESUME"
            return .success([.nodes(input), .nodes(back)])
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
            guard request.maximumNodes ?? 1 >= 1, request.maximumTime.map({ $0 > .zero }) ?? true
            else {
                let text = "max_nodes and max_time of a partition are more than 0"
                return .failure(.refused(.unspecified, text))
            }
            var input = PartitionInput()
            input.request = request
            input.request.state = request.state?.uppercased()
            input.by = caller.userID
            return .success([.partition(input)])
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
        guard rights(of: caller).may(.operate) else { throw .refused(.invalidUserID) }
        var input = ReservationInput(action: action, request: request)
        input.by = caller.userID
        let rights = rightsInTurn(of: caller)
        let results = try await act(caller) { [input] state in
            guard rights(state).may(.operate) else { return .failure(.refused(.invalidUserID)) }
            return .success([.reservation(input)])
        }
        for result in results {
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
        try require(.operate, caller)
        try request.checkBounds()
        let rights = rightsInTurn(of: caller)
        let result = await withCheckedContinuation { continuation in
            let letter = Letter.advance(request, rights) { continuation.resume(returning: $0) }
            mailbox.post(letter, of: caller.userID)
        }
        return try result.get()
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
