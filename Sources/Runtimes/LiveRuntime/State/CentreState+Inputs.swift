import Accounts
import Billing
import ClusterModel
import Emulation
import IndexSets
import JobModel
import Quantities
import Scheduling
import SlurmDialect
import WireFormats

extension CentreState {
    /// Handles one input.
    mutating func handle(_ input: LiveInput, at instant: SimInstant) -> InputResult {
        // Others may change what jobs wait for.
        if case .update = input {} else { knownReach = nil }
        switch input {
        case .submit(let input): return submit(input, at: instant)
        case .end(let input): return end(input, at: instant)
        case .cancel(let input): return each(input) { $0.cancel($1, by: input.by, at: instant) }
        case .hold(let input):
            return each(input) { state, id in
                // An operator's hold in the user's name takes the place of any other.
                let isHandedOver = !input.isAdminHold && !input.isByCustomer
                if isHandedOver, state.jobs[id]?.status.isHeld ?? false {
                    _ = state.release(id, at: instant)
                }
                return state.hold(id, isAdmin: input.isAdminHold, at: instant)
            }
        case .release(let input): return each(input) { $0.release($1, at: instant) }
        case .requeue(let input): return each(input) { $0.requeue($1, input, at: instant) }
        case .suspend(let input): return each(input) { $0.suspend($1, at: instant) }
        case .resume(let input): return each(input) { $0.resume($1, at: instant) }
        case .top(let input): return each(input) { $0.top($1, at: instant) }
        case .update(var input):
            let id = input.id
            if let element = input.element { input.id = splitOff(element, ofArrayOf: id) }
            let error = update(input, at: instant)
            return .outcomes([ActionOutcome(jobID: id, error: error?.body)])
        case .nodes(let input): return change(input, at: instant)
        case .partition(let input): return change(input, at: instant)
        case .reservation(let input): return handle(input, at: instant)
        case .terms(let input): return change(input, at: instant)
        case .money(let input): return handle(input, at: instant)
        case .machine:
            // In force since before the first input: whoever handles a journal reads it first.
            return .done(id: 0)
        case .customers(let register):
            let result = change(register, at: instant)
            // What was refused was not taken over: the same file is judged again.
            if case .refused = result { return result }
            givenCustomers = register
            return result
        case .people(let register): return change(register, at: instant)
        case .step(let input): return step(input, at: instant)
        case .realWork(let input): return change(input, at: instant)
        case .load(let input):
            (load, nextLoad) = (input, input.first)
            return .done(id: 0)
        case .tick:
            _ = send(.timer, at: instant)
            return .done(id: 0)
        }
    }

    private mutating func each(
        _ input: JobsInput,
        _ act: (inout CentreState, UInt32) -> Refusal?
    ) -> InputResult {
        var outcomes: [ActionOutcome] = []
        for (place, id) in input.ids.enumerated() {
            var own = id
            if input.elements.indices.contains(place) {
                own = splitOff(input.elements[place], ofArrayOf: id)
            }
            outcomes.append(ActionOutcome(jobID: id, error: act(&self, own)?.body))
        }
        return .outcomes(outcomes)
    }
}

// MARK: - Submissions

extension CentreState {
    /// A submission after all its names were looked up.
    struct Resolved {
        /// The batch after which they were looked up.
        var batch: Int64
        var specification: JobSpecification
        var tasks: [UInt32?]
        var status: JobStatus
        var submission: JobSubmission
        /// No partition can ever start it, by its size or by its account.
        var isShutOut: Bool
    }

    /// - Parameter known: the submission as it was resolved before, if nothing has happened since that makes a
    ///   difference; it may have got another number.
    mutating func submit(
        _ input: SubmitInput,
        _ known: Resolved? = nil,
        at instant: SimInstant
    ) -> InputResult {
        precondition(input.id >= nextJobID, "job number \(input.id) was given before")
        nextJobID = input.id + input.request.numberCount
        if let position = input.load { nextLoad = position + 1 }
        guard input.request.components.isEmpty else {
            let result = submitHet(input, at: instant)
            if case .done = result { noteKey(of: input) }
            return result
        }
        let resolved: Resolved
        do throws(Refusal) {
            if let known {
                resolved = moved(known, to: input, at: instant)
            } else {
                resolved = try resolve(input, at: instant)
            }
        } catch {
            return .refused(error.body)
        }
        var template = resolved.submission
        enrol(&template, resolved)
        if let reason = emulator.limit(onSubmitting: resolved.tasks.count, like: template) {
            return .refused(Refusal(.overLimit(reason)).body)
        }
        let funds = self.funds(for: resolved, at: instant)
        let isLate = resolved.specification.array?.isNumberedLate ?? false
        for offset in resolved.tasks.indices {
            // The array's own number is that of the element which is left in the end.
            let count = resolved.tasks.count
            let task = resolved.tasks[isLate ? (offset + count - 1) % count : offset]
            let id = input.id + UInt32(offset)
            var submission = template
            submission.id = JobID(id)
            submission.array?.isLast = isLate && id == input.id
            submission.funds = funds
            submission.dependencies = dependencies(of: input.request, task: task)
            var status = resolved.status
            status.reservedFee = funds.map { Fen($0.price) }
            status.submittedDependencies = submission.dependencies
            jobs.insert(
                JobEntry(
                    id: id,
                    arrayTask: task,
                    specification: resolved.specification,
                    status: status
                )
            )
            if let rejection = send(.submit(submission), at: instant) {
                jobs.remove(id)
                // Elements are alike, so the first is refused or none is.
                return .refused(Refusal(rejection).body)
            }
            if input.request.endsOnInvalidDependency == true, !submission.dependencies.isEmpty {
                endsOnInvalid.insert(id)
            }
        }
        noteKey(of: input)
        return .done(id: input.id, obstacle: lastingObstacle(of: [input.id]))
    }

    /// The rule that lets one of some new jobs never start, whatever else ends; nil when there is none.
    func lastingObstacle(of ids: [UInt32]) -> String? {
        for entry in ids.compactMap({ jobs[$0] }) {
            if entry.status.isShutOut { return reason(of: entry) }
            if let reason = emulator.lastingObstacle(to: JobID(entry.id)) {
                return reason.slurmName
            }
        }
        return nil
    }

    /// What resolving a submission again would give that was resolved in this state: under its number, and at
    /// the instant and in the row in which it is handled.
    func moved(_ resolved: Resolved, to input: SubmitInput, at instant: SimInstant) -> Resolved {
        var moved = resolved
        moved.submission.id = JobID(input.id)
        moved.submission.startsBy = startsBy(input.request, at: instant)
        let old = resolved.specification
        var array = old.array
        array?.job = input.id
        moved.specification = JobSpecification(
            request: old.request,
            account: old.account,
            array: array,
            submission: moved.submission,
            submittedTo: old.submittedTo,
            runTime: old.runTime,
            submittedAt: instant,
            journalRow: journalLength,
            isBackground: old.isBackground
        )
        return moved
    }

    /// By when a job must have started whose submission waits for that.
    private func startsBy(_ request: SubmitRequest, at instant: SimInstant) -> SimInstant? {
        request.immediate.map { patience in
            // A second or less: at once (salloc(1), `--immediate`).
            patience <= SimDuration(seconds: 1) ? instant : instant + patience
        }
    }

    /// Remembers by which key a submission that was taken in is known again.
    private mutating func noteKey(of input: SubmitInput) {
        guard let key = SubmissionKeys.Key(input.request) else { return }
        let entry = SubmissionKeys.Entry(job: input.id, digest: input.digest)
        submissionKeys.note(key, entry)
    }

    /// Looks up what a submission names. Changes nothing.
    ///
    /// - Throws: `Refusal`, in the order in which Slurm checks.
    func resolve(
        _ input: SubmitInput,
        at instant: SimInstant,
        het: HetMembership? = nil
    ) throws(Refusal) -> Resolved {
        let request = input.request
        let partitions = try self.partitions(request)
        let account = try self.account(request, partitions, isOperator: input.isOperator)
        try checkDependencies(request)
        let tasks = try arrayTasks(request)
        let required = try request.requiredNodes.map { list throws(Refusal) in
            try rules.nodes(list)
        }
        let excluded = try excludedNodes(request)
        let qos = try self.qos(request, account, partitions)
        let reservation = try reservationID(for: request, account: account)
        let licenses = try licenses(request)
        var plan = try plan(request, partitions)
        if let required, !plan.isBeyondPartition {
            // As in Slurm, a job that names more nodes than it asks for gets all that it names.
            plan.require(nodes: Int32(required.count))
        }
        let limit =
            request.hasNoTimeLimit
            ? .unlimited
            : max(.zero, request.timeLimit ?? usualTimeLimit(ofPartition: partitions[0]))
        let priority = self.priority(request, isOperator: input.isOperator)
        let barrier = barrier(account, partitions)
        // Neither would come to run as something that the user did not ask for.
        let isShutOut = plan.isBeyondPartition || barrier != nil
        let hold: HoldKind? =
            isShutOut
            ? .admin : request.isHeld ? .user : priority == heldPriority ? .admin : nil
        var submission = JobSubmission(
            id: JobID(input.id),
            partitions: partitions,
            // A job that no partition is large enough for waits aside; what it asks for must not
            // stand in its way into the queue.
            request: isShutOut ? ResourceRequest(chunkCount: 1) : plan.request,
            timeLimit: limit,
            priority: priority == heldPriority ? 0 : priority,
            notBefore: request.begin,
            hold: hold,
            requiredNodes: isShutOut ? nil : required,
            excludedNodes: excluded.isEmpty ? nil : excluded,
            isRequeuable: request.requeues ?? true
        )
        submission.licenses = licenses
        submission.het = het
        submission.deadline = request.deadline
        submission.startsBy = startsBy(request, at: instant)
        submission.needsAnyDependency = request.anyDependency
        submission.name = request.name
        submission.reservation = reservation
        submission.isAwaited = request.isInteractive
        submission.isPriorityFixed =
            input.isOperator && request.priority != nil && priority != heldPriority
        let bounds = (tasks.compactMap(\.self).min(), tasks.compactMap(\.self).max())
        let backend = rules.machine.partitions[partitions[0]].backend
        // The others hold what they hold as long as the first component, which runs the script.
        let runsScript = het?.offset ?? 0 == 0
        var runTime = runsScript ? input.runTime : nil
        if let comment = request.comment, runTime == nil, backend != .local, runsScript {
            runTime = try EmulatedRunTime.read(
                comment,
                plan,
                partition: partitions[0],
                of: rules.machine
            )
        }
        let specification = JobSpecification(
            request: backend.runsScripts ? request : request.withoutScript,
            account: account,
            array: request.array.map {
                ArrayPlace(
                    job: input.id,
                    count: tasks.count,
                    minimum: bounds.0 ?? 0,
                    maximum: bounds.1 ?? 0,
                    limit: $0.limit,
                    isNumberedLate: input.numbersElementsLate
                )
            },
            submission: submission,
            submittedTo: Party(account: account, qos: qos),
            runTime: runTime,
            submittedAt: instant,
            journalRow: journalLength,
            isBackground: input.load != nil
        )
        var status = JobStatus(
            name: request.name,
            comment: request.comment,
            partitions: partitions,
            timeLimit: limit
        )
        status.qos = qos
        status.isPriorityFixed = submission.isPriorityFixed
        status.isUnlimited = limit >= .unlimited
        status.priority = priority == heldPriority ? 0 : priority
        status.nice = request.nice ?? 0
        status.isHeld = hold != nil
        status.isRequeuable = submission.isRequeuable
        status.notBefore = request.begin
        status.requestedNodes = plan.nodes
        status.requestedCores = plan.cores
        status.tasks = plan.tasks
        status.requestedCards = plan.cards
        status.cardsToHold = plan.cardsHeld
        if plan.memoryMebibytes > 0 {
            status.requestedMemory =
                ByteCount(exactlyMebibytes: plan.memoryMebibytes) ?? ByteCount(.max)
        }
        status.isShutOut = isShutOut
        if let barrier {
            status.endReason = barrier
        } else if plan.isBeyondPartition {
            let asked = request.minimumNodes ?? 0
            status.endReason =
                asked > mostNodes(partitions) ? "PartitionNodeLimit" : "PartitionConfig"
        }
        return Resolved(
            batch: batch,
            specification: specification,
            tasks: tasks,
            status: status,
            submission: submission,
            isShutOut: isShutOut
        )
    }

    /// The most nodes that a job may ask for in the largest of the partitions.
    private func mostNodes(_ partitions: [Int]) -> Int32 {
        partitions.map { index in
            let nodes = Int32(rules.totals[index].nodeCount)
            return min(nodes, emulator.limits(ofPartition: index).nodes ?? nodes)
        }.max() ?? 0
    }

    private func partitions(_ request: SubmitRequest) throws(Refusal) -> [Int] {
        let machine = rules.machine
        var cluster: Cluster?
        if let name = request.clusters?.first {
            do throws(RequestFailure) {
                cluster = try machine.cluster(called: name)
            } catch {
                throw Refusal(error.body)
            }
        }
        guard !request.partitions.isEmpty else {
            return [cluster?.defaultPartitionIndex ?? machine.defaultPartitionIndex]
        }
        var indices: [Int] = []
        for name in request.partitions {
            guard let index = rules.machine.partitionIndex(named: name) else {
                throw Refusal(
                    .invalidPartition,
                    no: "partition",
                    name,
                    among: rules.machine.partitions.map(\.name),
                    details: "invalid partition specified: \(name)"
                )
            }
            if let cluster, !cluster.partitions.contains(index) {
                throw Refusal(
                    .invalidPartition,
                    "partition \(name) is of cluster \(machine.cluster(ofPartition: index).name), not"
                        + " \(cluster.name)"
                )
            }
            switch emulator.state(ofPartition: index) {
            case .drain, .inactive: throw Refusal(.partitionNotAvailable)
            case .up, .down: indices.append(index)
            }
        }
        let backends = Set(indices.map { rules.machine.partitions[$0].backend })
        let clusters = Set(indices.map { rules.machine.cluster(ofPartition: $0).name })
        guard clusters.count == 1 else {
            throw Refusal(.invalidPartition, "partitions of several clusters cannot be mixed")
        }
        // A job either really runs or is emulated: that is not left to which partition is free.
        guard backends.count == 1 else {
            throw Refusal(.invalidPartition, "real and emulated partitions cannot be mixed")
        }
        return indices
    }

    private func account(
        _ request: SubmitRequest,
        _ partitions: [Int],
        isOperator: Bool
    ) throws(Refusal) -> String {
        let name = request.account ?? rules.machine.defaultAccount(of: request.user).name
        guard let account = rules.machine.account(named: name) else {
            let open = rules.machine.accounts.filter { isOperator || $0.isOpen(to: request.user) }
            throw Refusal(.invalidAccount, no: "account", name, among: open.map(\.name))
        }
        guard isOperator || account.isOpen(to: request.user) else {
            throw Refusal(
                .invalidAccount,
                hint: "user \(request.user) may not use account '\(name)'"
            )
        }
        for index in partitions {
            let partition = rules.machine.partitions[index]
            let clearance = rules.machine.clearance(of: name)
            guard clearance >= partition.securityLevel else {
                throw Refusal(
                    .invalidAccount,
                    hint: "partition \(partition.name) is of security level"
                        + " \(partition.securityLevel); account '\(name)' is cleared for \(clearance)"
                )
            }
        }
        return name
    }

    /// Why no job of an account may run in any of the partitions; nil when some may. Slurm takes such
    /// jobs in, and lets them wait.
    private func barrier(_ account: String, _ partitions: [Int]) -> String? {
        var barrier: String?
        for index in partitions {
            let partition = rules.machine.partitions[index]
            guard let allowed = partition.allowedAccounts, !allowed.contains(account) else {
                return nil
            }
            barrier =
                "Job's account not permitted to use this partition (\(partition.name) allows"
                + " \(allowed.joined(separator: ",")) not \(account))"
        }
        return barrier
    }

    /// The licences that a job asks for.
    private func licenses(_ request: SubmitRequest) throws(Refusal) -> [LicenseNeed] {
        guard let text = request.licenses else { return [] }
        guard let list = LicenseList.read(text) else { throw Refusal(.invalidLicense) }
        var needs: [LicenseNeed] = []
        for (name, count) in list {
            let pools = rules.machine.licenses
            guard let place = pools.firstIndex(where: { $0.name == name }) else {
                throw Refusal(.invalidLicense, no: "licence", name, among: pools.map(\.name))
            }
            guard count <= pools[place].count else {
                throw Refusal(
                    .invalidLicense,
                    hint: "there are \(pools[place].count) of licence '\(name)'"
                )
            }
            needs.append(LicenseNeed(license: Int32(place), count: count))
        }
        return needs
    }

    /// The QOS of a job: what it names, else what its user or account has.
    private func qos(
        _ request: SubmitRequest,
        _ account: String,
        _ partitions: [Int]
    ) throws(Refusal) -> String {
        let machine = rules.machine
        let name = request.qos ?? machine.defaultQOS(of: request.user, in: account)
        // A tariff may price a QOS that nothing else is said of.
        let known = machine.qosKnown.map(\.name)
        guard known.contains(name) || book.tariff.knows(qos: name) else {
            throw Refusal(.invalidQOS, no: "QOS", name, among: known)
        }
        let allowed = machine.qosAllowed(to: request.user, of: account)
        guard allowed?.contains(name) ?? true else {
            throw Refusal(.invalidQOS, hint: "account '\(account)' may not use QOS '\(name)'")
        }
        for index in partitions {
            let partition = machine.partitions[index]
            guard partition.allowedQOS?.contains(name) ?? true else {
                throw Refusal(
                    .invalidQOS,
                    hint: "partition '\(partition.name)' takes no jobs of QOS '\(name)'"
                )
            }
        }
        return name
    }

    /// Slurm's MaxArraySize is 1,001 by default; a centre of this size sets it higher.
    static let largestArrayIndex = 100_000

    private func arrayTasks(_ request: SubmitRequest) throws(Refusal) -> [UInt32?] {
        guard let array = request.array else { return [nil] }
        let largest = array.ranges.map(\.last).max() ?? 0
        guard largest <= Self.largestArrayIndex, array.limit != 0 else {
            throw Refusal(.invalidArray)
        }
        let indices = array.indices
        guard !indices.isEmpty else { throw Refusal(.invalidArray) }
        return indices
    }

    /// The nodes that a request rules out, by name or by what they lack.
    private func excludedNodes(_ request: SubmitRequest) throws(Refusal) -> IDSet {
        var excluded = IDSet()
        if let list = request.excludedNodes { excluded.formUnion(try rules.nodes(list)) }
        if let features = request.features {
            excluded.formUnion(try rules.nodesWithout(features: features))
        }
        return excluded
    }

    /// What a request holds in the first of the partitions that are large enough for it.
    func plan(_ request: SubmitRequest, _ partitions: [Int]) throws(Refusal) -> JobPlan {
        let excluded = try excludedNodes(request)
        var first: JobPlan?
        var refusal = Refusal(.requestNotAvailable)
        for index in partitions {
            do throws(Refusal) {
                let plan = try JobPlan(
                    request,
                    rules: rules,
                    partition: index,
                    excluding: excluded
                )
                if first == nil || first?.isBeyondPartition == true { first = plan }
            } catch {
                refusal = error
            }
        }
        guard let first else { throw refusal }
        return first
    }

    /// What stands for a priority of 0, a hold.
    private var heldPriority: Int64 { .min }

    /// The priority in the emulator's terms: 0 is usual. Only operators set one by hand.
    private func priority(_ request: SubmitRequest, isOperator: Bool) -> Int64 {
        if let priority = request.priority, isOperator {
            return priority == 0 ? heldPriority : JobStatus.relative(priority)
        }
        return -Int64(request.nice ?? 0)
    }

    /// Says whose a submission is, in the emulator's numbers.
    mutating func enrol(_ submission: inout JobSubmission, _ resolved: Resolved) {
        submission.user = people.user(resolved.specification.request.user)
        if resolved.specification.request.exclusive == "user" {
            submission.request.keeper = NodeKeeper.key(ofUser: submission.user)
        }
        submission.account = people.account(resolved.specification.account)
        let qos = rules.machine.qosInOrder
        submission.qos = Int32(qos.firstIndex { $0.name == resolved.status.qos } ?? 0)
        submission.isPriorityFixed = resolved.status.isPriorityFixed
        submission.array = resolved.specification.array.map { array in
            ArrayMembership(
                id: JobID(array.job),
                maximum: array.limit.map { Int32(clamping: $0) },
                isLast: array.isNumberedLate && submission.id.number == array.job
            )
        }
    }
}

extension JobStatus {
    /// What `squeue` shows as the priority of a job that nobody gave another one. Slurm's
    /// priority/basic counts down from here.
    static let usualPriority: Int64 = 4_294_901_759

    /// A priority of Slurm's, 1…2³²−1, in the emulator's terms, in which 0 is usual.
    static func relative(_ priority: Int64) -> Int64 {
        min(max(priority, 1), 4_294_967_295) - usualPriority
    }
}
