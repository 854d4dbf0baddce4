import Accounts
import ClusterModel
import Emulation
import IndexSets
import JobModel
import Quantities
import Scheduling
import SlurmDialect
import WireFormats

// What readers see of jobs. Nothing here changes the centre.

extension CentreState {
    /// The job as the queue shows it.
    ///
    /// - Parameter members: the only ones that are looked at, by their names on the wire; nil for all.
    func info(of entry: JobEntry, now: SimInstant, with members: Set<String>? = nil) -> JobInfo {
        let request = entry.specification.request
        let status = entry.status
        var info = JobInfo()
        info.jobID = entry.id
        if let array = entry.specification.array {
            info.arrayJobID = array.job
            info.arrayTaskID = entry.arrayTask
            info.arrayLimit = arrayLimit(of: entry)
            info.waitsWithArray = entry.waitsWithArray
        }
        if let het = entry.specification.submission.het {
            info.hetJobID = het.leader.number
            info.hetJobOffset = UInt32(het.offset)
            info.hetJobSize = UInt32(het.count)
        }
        info.name = status.name
        info.user = request.user
        info.userID = request.userID
        info.group = request.group
        info.groupID = request.groupID
        info.account = entry.specification.account
        info.associationID = associationNumber(of: request.user, in: info.account)
        info.qos = status.qos
        info.partition = partitionNames(of: status)
        info.state = stateName(of: status)
        info.reason = reason(of: entry)
        info.cancelledBy = status.cancelledBy
        info.backend = backend(of: entry).rawValue
        addTimes(entry, now, to: &info)
        addResources(entry, to: &info)
        info.priority = shownPriority(of: entry)
        info.nice = status.nice
        info.requeues = status.isRequeuable
        info.restarts = status.restart
        info.exitCode = status.exitCode
        info.exitSignal = status.signal
        info.derivedExitCode = derivedExitCode(of: status)
        info.isInteractive = request.isInteractive
        info.endsOnInvalidDependency = request.endsOnInvalidDependency ?? false
        if members?.contains("dependency") ?? true { info.dependency = dependencyText(of: entry) }
        // Names of files are made of patterns, for each job anew.
        if members.map({ !$0.isDisjoint(with: Self.fileMembers) }) ?? true {
            addFiles(entry, to: &info)
        }
        return info
    }

    /// How many elements of a job's array may run at once, as it stands now; nil for all.
    private func arrayLimit(of entry: JobEntry) -> UInt32? {
        guard let array = entry.specification.array else { return nil }
        switch emulator.arrayLimit(of: JobID(array.job)) {
        case nil: return array.limit
        case .all: return nil
        case .most(let count): return UInt32(clamping: count)
        }
    }

    private static let fileMembers: Set<String> = [
        "comment", "work_dir", "command", "submit_host", "batch_host", "std_out", "std_err",
        "std_in",
    ]

    /// Says of jobs that wait when and where they are expected to start.
    func addExpectedStarts(to list: inout JobList) {
        guard list.jobs.contains(where: { $0.state == "PENDING" }) else { return }
        let starts = emulator.expectedStarts(from: max(list.now, lastInstant))
        let known = Dictionary(starts.map { ($0.start.id.number, $0) }) { first, _ in first }
        for index in list.jobs.indices where list.jobs[index].state == "PENDING" {
            // Of what waits for a time or a reservation Slurm foresees nothing more, and nothing of what no pass
            // has looked at.
            let reason = list.jobs[index].reason
            guard !["None", "BeginTime", "Reservation", "JobArrayTaskLimit"].contains(reason) else {
                continue
            }
            guard let expected = known[list.jobs[index].jobID] else { continue }
            list.jobs[index].expectedStart = expected.start.startedAt
            let names = expected.nodes.map { rules.machine.nodes[$0].name }
            list.jobs[index].scheduledNodes = HostList.compress(names)
        }
    }

    /// The priority as Slurm shows it: 0 for a job that is held.
    func shownPriority(of entry: JobEntry) -> Int64 {
        let status = entry.status
        if status.isShutOut, !entry.specification.request.isHeld, !status.isPriorityFixed {
            // What waits in its place asks for less.
            let (nodes, cores) = (status.requestedNodes, status.requestedCores)
            return emulator.priority(of: JobID(entry.id), nodes: nodes, cores: cores) ?? 0
        }
        if entry.status.isHeld { return 0 }
        return entry.status.shownPriority ?? emulator.priority(of: JobID(entry.id))
            ?? max(1, JobStatus.usualPriority + entry.status.priority)
    }

    func partitionNames(of status: JobStatus) -> String {
        if status.partitions.count == 1 {
            return rules.machine.partitions[status.partitions[0]].name
        }
        return status.partitions.map { rules.machine.partitions[$0].name }.joined(separator: ",")
    }

    func stateName(of status: JobStatus) -> String {
        switch status.phase {
        case .pending: "PENDING"
        case .running where status.suspendedSince != nil: "SUSPENDED"
        case .running where waitsForNodes(status): "CONFIGURING"
        case .running: "RUNNING"
        case .completing: "COMPLETING"
        case .ended(let state): state.slurmName
        }
    }

    /// Whether nodes of a job still come up.
    private func waitsForNodes(_ status: JobStatus) -> Bool {
        guard status.lastSuspension == nil, status.suspendedFor > .zero else { return false }
        return status.startedAt.map { $0 + status.suspendedFor > lastInstant } ?? false
    }

    func reason(of entry: JobEntry) -> String {
        let status = entry.status
        switch status.phase {
        case .pending:
            if let reason = ownReason(of: entry) { return reason }
            guard entry.specification.submission.het != nil else { return "None" }
            // A component that could start waits for what another waits for.
            return alike(entry).lazy.compactMap { jobs[$0].flatMap(ownReason) }.first ?? "None"
        case .running, .completing: return "None"
        case .ended(let state):
            if let reason = status.endReason { return reason }
            switch state {
            case .timeout: return "TimeLimit"
            case .nodeFail: return "NodeDown"
            case .failed: return status.signal != 0 ? "JobLaunchFailure" : "NonZeroExitCode"
            case .deadline: return "DeadLine"
            case .completed, .cancelled, .preempted, .outOfMemory: return "None"
            }
        }
    }

    /// Why a job waits itself; nil where nothing is known.
    private func ownReason(of entry: JobEntry) -> String? {
        if let reason = entry.status.endReason { return reason }
        switch emulator.pendingReason(of: JobID(entry.id)) {
        case nil, .some(.none): return nil
        case .reqNodeNotAvail: return unavailability(of: entry)
        case let reason?: return reason.slurmName
        }
    }

    /// Which of the nodes that a job names are out, or that too few are left of all.
    private func unavailability(of entry: JobEntry) -> String {
        let named = entry.specification.request.requiredNodes
        let nodes = named.flatMap { try? rules.nodes($0) } ?? IDSet()
        let out = nodes.filter { (emulator.condition(ofNode: $0)?.service ?? .up) != .up }
        guard !out.isEmpty else {
            return
                "Nodes required for job are DOWN, DRAINED or reserved for jobs in higher priority"
                + " partitions"
        }
        let names = HostList.compress(out.map { rules.machine.nodes[$0].name })
        return "ReqNodeNotAvail, UnavailableNodes:\(names)"
    }

    private func addTimes(_ entry: JobEntry, _ now: SimInstant, to info: inout JobInfo) {
        let status = entry.status
        info.submit = entry.specification.submittedAt
        let isAside =
            status.phase == .pending && (status.isHeld || isNotEligible(entry))
            || status.lastDependencies != nil
        info.eligible = isAside ? nil : max(info.submit, status.notBefore ?? info.submit)
        info.start = status.startedAt
        if status.phase == .pending, let begin = status.notBefore, begin > now {
            info.eligible = begin
            info.expectedStart = begin
        } else {
            // No element of an array that only some may run of at once comes to wait for nothing but its turn.
            let isUnseen = status.phase == .pending && info.reason == "None"
            let isBounded = entry.specification.array?.limit != nil
            info.accrue = isUnseen || isBounded ? nil : info.eligible
        }
        info.end = status.endedAt ?? status.deadline
        info.lastEvaluation = lastInstant
        info.timeLimit = status.isUnlimited ? nil : status.timeLimit
        info.deadline = entry.specification.request.deadline
        if let start = status.startedAt {
            info.runTime = runTime(of: status, start, now)
            info.suspendTime = status.lastSuspension
            info.preSuspendTime = status.lastSuspension.map { _ in info.runTime }
        }
    }

    /// How long it ran. For a real job that has ended: what was measured.
    private func runTime(
        of status: JobStatus,
        _ start: SimInstant,
        _ now: SimInstant
    ) -> SimDuration {
        if let measured = status.measured { return max(.zero, measured.wall - status.suspendedFor) }
        return status.runTime(from: start, to: status.endedAt ?? now)
    }

    /// Whether a job waits for something that Slurm counts no waiting time for.
    private func isNotEligible(_ entry: JobEntry) -> Bool {
        switch emulator.pendingReason(of: JobID(entry.id)) {
        case .dependency, .dependencyNeverSatisfied, .reservation, .jobArrayTaskLimit: true
        default: false
        }
    }

    private func addResources(_ entry: JobEntry, to info: inout JobInfo) {
        let request = entry.specification.request
        let status = entry.status
        let hasRun = !status.nodes.isEmpty
        if !hasRun, request.minimumNodes != nil {
            info.maximumNodes = request.maximumNodes ?? request.minimumNodes
        }
        info.nodeCount = hasRun ? Int32(status.nodes.count) : status.requestedNodes
        info.nodeList = status.nodeList
        info.cores = hasRun ? status.coresHeld : coresAwaited(by: entry)
        // Slurm counts the tasks of what ended before it started only if they were asked for.
        let isUncounted = status.endedAt != nil && status.startedAt == nil && request.tasks == nil
        info.tasks = isUncounted ? 0 : status.tasks
        info.cpusPerTask = request.cpusPerTask ?? 1
        info.tasksPerNode = request.tasksPerNode
        info.memory = memoryAwaited(by: entry)
        info.memoryPerNode = request.memoryPerNode
        info.memoryPerCPU = request.memoryPerCPU
        info.accelerators = hasRun ? status.acceleratorsHeld : status.requestedCards
        if !request.gres.isEmpty {
            info.gres = request.gres.map { gres in
                "gres:\(gres.name)" + (gres.type.map { ":\($0)" } ?? "") + ":\(gres.count)"
            }.joined(separator: ",")
        }
        let isWhole = status.partitions.contains {
            rules.machine.partitions[$0].sharing == .wholeNode
        }
        info.oversubscribe =
            isWhole || request.exclusive == "exclusive"
            ? "NO" : request.exclusive == "user" ? "USER" : request.sharesNodes ? "YES" : "OK"
        info.features = request.features
        info.requiredNodes = request.requiredNodes
        info.excludedNodes = request.excludedNodes
        info.reservation = request.reservation
        info.licenses = request.licenses
    }

    /// The cores that a job which has not started is told with: one that asks for nodes of its own gets all
    /// of theirs when it starts, and is told with those of its tasks before.
    private func coresAwaited(by entry: JobEntry) -> Int64 {
        let (request, status) = (entry.specification.request, entry.status)
        guard request.exclusive == "exclusive",
            status.partitions.allSatisfy({ rules.machine.partitions[$0].sharing != .wholeNode })
        else { return status.requestedCores }
        let ofTasks = Int64(status.tasks) * Int64(request.cpusPerTask ?? 1)
        return min(status.requestedCores, max(ofTasks, Int64(status.requestedNodes)))
    }

    /// What a job that has not started asks for on all nodes: all that its nodes have, when it names
    /// no memory.
    private func memoryAwaited(by entry: JobEntry) -> ByteCount? {
        // One that lost its node keeps what it held; one that was put back asks anew.
        let status = entry.status
        guard status.startedAt == nil,
            status.restart == 0 || status.actions.contains(where: { $0.kind == "requeue" })
        else { return nil }
        return requestedMemory(entry.specification.request, entry.status)
            ?? wholeMemory(entry.status)
    }

    /// The memory of as many nodes as a job asks for: the least of its first partition.
    private func wholeMemory(_ status: JobStatus) -> ByteCount? {
        let classes = rules.nodeClasses[status.partitions[0]].all
        guard let least = classes.map(\.capacity.memory.mebibytes).min() else { return nil }
        return ByteCount(exactlyMebibytes: least * Int64(status.requestedNodes))
    }

    private func addFiles(_ entry: JobEntry, to info: inout JobInfo) {
        let request = entry.specification.request
        info.comment = entry.status.comment
        info.workDirectory = request.workDirectory
        info.command = request.command
        info.submitHost = request.submitHost
        info.batchHost = entry.status.nodes.first.map { rules.machine.nodes[$0.node].name }
        let files = outputFiles(of: entry)
        info.standardOutput = files.output
        info.standardError = files.error ?? files.output
        info.standardInput = files.input
    }

    /// Where a job reads and writes, patterns filled in; error is nil when it goes with output.
    func outputFiles(of entry: JobEntry) -> (output: String, error: String?, input: String) {
        let request = entry.specification.request
        // In a record of several elements Slurm fills in NO_VAL for the index.
        let together = entry.waitsWithArray ? entry.specification.array : nil
        let values = FilenamePattern.Values(
            jobID: together?.job ?? entry.id,
            arrayJobID: entry.specification.array?.job,
            arrayTaskID: together == nil ? entry.arrayTask : UInt32.max - 1,
            jobName: entry.status.name,
            user: request.user,
            host: entry.status.nodes.first.map { rules.hostName(ofNode: $0.node) } ?? ""
        )
        func path(_ pattern: String) -> String {
            FilenamePattern.path(pattern, in: request.workDirectory, values)
        }
        let standard = FilenamePattern.standard(isArray: entry.specification.array != nil)
        return (
            path(request.standardOutput ?? standard), request.standardError.map(path),
            request.standardInput.map(path) ?? "/dev/null"
        )
    }
}

// MARK: - Accounts

extension CentreState {
    /// The job as the accounts show it.
    ///
    /// - Parameter tellsReplay: whether it says what decided about it, which is half of the work.
    func record(
        of entry: JobEntry,
        now: SimInstant,
        tellsReplay: Bool = true
    ) -> AccountingRecord {
        let request = entry.specification.request
        let status = entry.status
        var record = AccountingRecord()
        record.jobID = entry.id
        record.arrayJobID = entry.specification.array?.job
        record.arrayTaskID = entry.arrayTask
        if status.phase == .pending { record.arrayLimit = arrayLimit(of: entry) }
        record.hetJobID = entry.specification.submission.het?.leader.number
        record.hetJobOffset = (entry.specification.submission.het?.offset).map { UInt32($0) }
        record.name = status.name
        record.partition = partitionNames(of: status)
        record.account = entry.specification.account
        record.user = request.user
        record.userID = request.userID
        record.group = request.group
        record.groupID = request.groupID
        record.qos = status.qos
        record.state = stateName(of: status)
        record.cancelledBy = status.cancelledBy
        record.reason = reason(of: entry)
        let isCut = [.ended(.timeout), .ended(.cancelled)].contains(status.phase)
        // sacct(1) shows no signal for a job that its time limit or its user ended; its batch step has it.
        record.exitCode = isCut ? 0 : status.exitCode
        record.exitSignal = isCut ? 0 : status.signal
        record.submit = entry.specification.submittedAt
        record.eligible = max(record.submit, status.notBefore ?? record.submit)
        record.start = status.startedAt
        record.end = status.endedAt
        if let start = status.startedAt {
            record.elapsed = runTime(of: status, start, now)
            record.suspended =
                status.suspendedFor + (status.suspendedSince.map { now - $0 } ?? .zero)
            // A real run ended when its process did, whatever the clock showed by then.
            if status.endedAt != nil, status.measured != nil {
                record.end = start + record.elapsed + record.suspended
            }
        }
        record.timeLimit = status.isUnlimited ? nil : status.timeLimit
        let hasRun = !status.nodes.isEmpty
        record.nodeCount = hasRun ? Int32(status.nodes.count) : status.requestedNodes
        record.nodeList = status.nodeList
        record.cores = hasRun ? status.coresHeld : coresAwaited(by: entry)
        record.requestedCores = status.requestedCores
        record.accelerators = status.acceleratorsHeld
        record.requestedMemory = requestedMemory(request, status)
        record.defaultMemory = record.requestedMemory == nil ? wholeMemory(status) : nil
        record.priority = shownPriority(of: entry)
        record.restarts = status.restart
        record.workDirectory = request.workDirectory
        record.submitLine = request.submitLine
        record.comment = status.comment
        record.backend = backend(of: entry).rawValue
        if tellsReplay { record.replay = replay(of: entry).compactText }
        record.verifiedFlop = status.measured?.verifiedFlop
        record.measured = status.measured?.reported
        if hasRun {
            let batch = entry.hasScript ? [batchStep(of: record, status)] : []
            record.steps =
                batch + steps(of: status, now: now) + programSteps(of: record, status)
                + kernelSteps(of: record, status)
        }
        record.derivedExitCode = derivedExitCode(of: status)
        return record
    }

    private func requestedMemory(_ request: SubmitRequest, _ status: JobStatus) -> ByteCount? {
        func product(_ memory: ByteCount, _ count: Int64) -> ByteCount {
            // A job that waits for ever may ask for more than there can be.
            let (bytes, overflow) = memory.count.multipliedReportingOverflow(by: count)
            return ByteCount(overflow ? .max : bytes)
        }
        if let memory = request.memoryPerNode {
            return product(memory, Int64(status.requestedNodes))
        }
        return request.memoryPerCPU.map { product($0, status.requestedCores) }
    }

    private func batchStep(of record: AccountingRecord, _ status: JobStatus) -> StepRecord {
        var step = StepRecord()
        let isKilled = status.signal != 0
        step.state =
            switch status.phase {
            case .pending, .running, .completing: "RUNNING"
            case .ended(.completed): "COMPLETED"
            case .ended(.failed) where !isKilled: "FAILED"
            case .ended(.outOfMemory): "OUT_OF_MEMORY"
            case .ended: "CANCELLED"
            }
        step.exitCode = status.exitCode
        step.exitSignal = status.signal
        step.start = record.start
        step.end = record.end
        step.elapsed = record.elapsed
        step.cores = status.nodes.first.map { Int64($0.cores) } ?? record.cores
        step.nodeList = status.nodes.first.map { rules.machine.nodes[$0.node].name } ?? ""
        step.maximumResident = status.measured?.largestResident
        step.processorTime = status.measured?.processorTime
        return step
    }

    /// The parallel programs that the job ran.
    private func programSteps(of record: AccountingRecord, _ status: JobStatus) -> [StepRecord] {
        programSteps(status.programs, of: record, status)
    }

    /// Parallel programs of a job as its steps.
    func programSteps(
        _ runs: [StepRun],
        of record: AccountingRecord,
        _ status: JobStatus
    ) -> [StepRecord] {
        runs.enumerated().map { index, run in
            var step = StepRecord()
            step.id = String(status.steps.count + (run.number.map(Int.init) ?? index))
            step.name = run.name ?? status.name
            step.state =
                run.isCancelled
                ? "CANCELLED" : run.exitCode == 0 && run.signal == 0 ? "COMPLETED" : "FAILED"
            step.exitCode = run.exitCode
            step.exitSignal = run.signal
            step.start = record.start.map { $0 + run.after }
            step.end = step.start.map { $0 + run.length }
            step.elapsed = run.length
            let nodes = run.nodes.map { status.nodes.prefix(Int(max(1, $0))) } ?? status.nodes[...]
            step.cores = nodes.reduce(0) { $0 + Int64($1.cores) }
            step.tasks = run.tasks ?? status.tasks
            step.nodeList = HostList.compress(nodes.map { rules.machine.nodes[$0.node].name })
            return step
        }
    }

    /// What kernels measured, one step each, with the seconds that they took.
    private func kernelSteps(of record: AccountingRecord, _ status: JobStatus) -> [StepRecord] {
        let kernels = status.measured?.kernels ?? []
        return kernels.enumerated().map { index, line in
            var step = StepRecord()
            step.id = String(status.steps.count + status.programs.count + index)
            step.name = line.json["kernel"]?.string ?? "kernel"
            step.state = line.json["verified"]?.bool == true ? "COMPLETED" : "FAILED"
            step.exitCode = line.json["verified"]?.bool == true ? 0 : 1
            step.start = record.start
            step.end = record.end
            let seconds = line.json["seconds"]?.double ?? 0
            step.elapsed = SimDuration(microseconds: Int64((seconds * 1e6).rounded()))
            step.cores = line.json["ranks"]?.integer ?? 1
            step.tasks = Int32(clamping: line.json["ranks"]?.integer ?? 1)
            step.nodeList = record.nodeList
            return step
        }
    }
}
