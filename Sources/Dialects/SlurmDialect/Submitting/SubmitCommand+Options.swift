public import Quantities
public import WireFormats

extension SubmitCommand {
    /// Applies options in order; a later one of the same kind wins.
    mutating func apply(_ options: [GivenOption<SubmitOption>]) throws(CommandFailure) {
        for option in options { try apply(option) }
    }

    private mutating func apply(_ option: GivenOption<SubmitOption>) throws(CommandFailure) {
        let value = option.value ?? ""
        switch option.id {
        case .accepted, .help, .usage, .version, .verbose, .wrap: break
        case .ineffective where option.name == "tmp" && Dialect(program: program) == .slurm:
            // The nodes of a centre have TmpDisk=0.
            asksForTemporaryDisk = try memory(value, option).count > 0
        case .ineffective:
            // Under Slurm's name a command says what Slurm's says, and no more.
            guard Dialect(program: program) == .tianhe else { break }
            let warning = "--\(option.name) has no effect here"
            if !warnings.contains(warning) { warnings.append(warning) }
        case .account: request.account = value
        case .array: try applyArray(value)
        case .begin: begin = value
        case .deadline: deadline = value
        case .chdir: request.workDirectory = value
        case .clusters: request.clusters = list(value)
        case .comment: request.comment = value
        case .constraint: request.features = value
        case .cpusPerTask: request.cpusPerTask = try positive(value, option)
        case .dependency: try applyDependency(value)
        case .error: request.standardError = file(value)
        case .exclude: request.excludedNodes = value
        case .exclusive: try applyExclusive(option)
        case .export: export = value
        case .exportFile: exportFile = value
        case .gpus:
            let cards = try gpuRequest(value, option)
            request.accelerators = cards.count
            request.acceleratorModel = cards.type
        case .gpusPerNode: gpusPerNode = try gpuRequest(value, option)
        case .gpusPerTask:
            let cards = try gpuRequest(value, option)
            request.acceleratorsPerTask = cards.count
            request.acceleratorModel = cards.type
        case .gres: try applyGres(value)
        case .hold: request.isHeld = true
        case .ignorePBS: ignoresPBS = true
        case .immediate:
            let seconds = try option.value.map { _ throws(CommandFailure) in
                try positive(value, option)
            }
            request.immediate = SimDuration(seconds: Int64(seconds ?? 1))
        case .input: request.standardInput = file(value)
        case .jobName: request.name = value
        case .killOnInvalidDependency: request.endsOnInvalidDependency = try yesOrNo(value, option)
        case .licenses: request.licenses = value
        case .mailType: try checkMailType(value)
        case .mailUser: break
        case .mem:
            request.memoryPerNode = try memory(value, option)
            request.memoryPerCPU = nil
        case .memPerCPU:
            request.memoryPerCPU = try memory(value, option)
            request.memoryPerNode = nil
        case .nice: request.nice = option.value == nil ? 100 : Int32(value) ?? 0
        case .noRequeue: request.requeues = false
        case .nodelist: request.requiredNodes = value
        case .nodes: try applyNodes(value)
        case .ntasks: request.tasks = try positive(value, option)
        case .ntasksPerNode: request.tasksPerNode = try positive(value, option)
        case .openMode: try applyOpenMode(value)
        case .output: request.standardOutput = file(value)
        case .oversubscribe: request.sharesNodes = true
        case .parsable: isParsable = true
        case .partition: request.partitions = value.split(separator: ",").map(String.init)
        case .priority:
            // Slurm's are 32 bits wide.
            guard let number = UInt32(value) else { throw invalid("priority") }
            request.priority = Int64(number)
        case .qos: request.qos = value
        case .quiet: isQuiet = true
        case .requeue: request.requeues = true
        case .reservation: request.reservation = value
        case .signal: try applySignal(value)
        case .strict: isStrict = true
        case .testOnly: request.isTestOnly = true
        case .time: try applyTime(value)
        case .uid:
            throw .error(
                program,
                "--uid only permitted by root user",
                exitCode: ExitStatus.unreadable
            )
        case .wait: waits = true
        case .wckey: request.project = value
        }
    }

    private func invalid(_ option: String) -> CommandFailure {
        .error(program, "Invalid --\(option) specification", exitCode: ExitStatus.unreadable)
    }

    private func failed(_ error: SlurmError) -> CommandFailure {
        .error(program, "\(refusalWords): \(error.text)")
    }

    /// `none` throws output away.
    private func file(_ name: String) -> String {
        name.lowercased() == "none" ? "/dev/null" : name
    }

    private func positive(
        _ value: String,
        _ option: GivenOption<SubmitOption>
    ) throws(CommandFailure) -> Int32 {
        guard let number = Int32(value), number > 0 else {
            throw .error(program, "Invalid numeric value \"\(value)\" for --\(option.name).")
        }
        return number
    }

    private func memory(
        _ value: String,
        _ option: GivenOption<SubmitOption>
    ) throws(CommandFailure) -> ByteCount {
        guard let memory = OptionValues.memory(value) else { throw invalid(option.name) }
        return memory
    }

    private func yesOrNo(
        _ value: String,
        _ option: GivenOption<SubmitOption>
    ) throws(CommandFailure) -> Bool {
        switch value.lowercased() {
        case "yes", "y": return true
        case "no", "n": return false
        default: throw invalid(option.name)
        }
    }

    /// `2`, `a100:2` or `a100`.
    private func gpuRequest(
        _ value: String,
        _ option: GivenOption<SubmitOption>
    ) throws(CommandFailure) -> GresRequest {
        guard let request = OptionValues.gres("gpu:" + value)?.first else {
            throw invalid(option.name)
        }
        return request
    }

    private mutating func applyArray(_ value: String) throws(CommandFailure) {
        do throws(SlurmError) {
            request.array = value.isEmpty ? nil : try OptionValues.array(value)
        } catch {
            throw failed(error)
        }
    }

    private mutating func applyDependency(_ value: String) throws(CommandFailure) {
        do throws(SlurmError) {
            let (dependencies, isAny) =
                value.isEmpty ? ([], false) : try OptionValues.dependencies(value)
            request.dependencies = dependencies
            request.anyDependency = isAny
        } catch {
            throw failed(error)
        }
    }

    private mutating func applyExclusive(
        _ option: GivenOption<SubmitOption>
    ) throws(CommandFailure) {
        switch option.value {
        case nil: request.exclusive = "exclusive"
        case "user": request.exclusive = "user"
        case "mcs": request.exclusive = "mcs"
        default: throw invalid("exclusive")
        }
    }

    private mutating func applyGres(_ value: String) throws(CommandFailure) {
        if value.lowercased() == "none" {
            request.gres = []
            return
        }
        guard let gres = OptionValues.gres(value) else {
            throw .error(program, SlurmError.invalidGres.text)
        }
        request.gres = gres
    }

    private func checkMailType(_ value: String) throws(CommandFailure) {
        guard OptionValues.isMailType(value) else { throw invalid("mail-type") }
    }

    private mutating func applyNodes(_ value: String) throws(CommandFailure) {
        do throws(OptionValues.NodeCountRefusal) {
            let (minimum, maximum) = try OptionValues.nodeCount(value)
            request.minimumNodes = minimum
            request.maximumNodes = maximum
        } catch {
            throw .error(program, error.description, exitCode: ExitStatus.unreadable)
        }
    }

    private mutating func applyOpenMode(_ value: String) throws(CommandFailure) {
        switch value.lowercased() {
        case "a", "append": request.appendsOutput = true
        case "t", "truncate": request.appendsOutput = false
        default: throw invalid("open-mode")
        }
    }

    private mutating func applySignal(_ value: String) throws(CommandFailure) {
        guard let signal = OptionValues.signalRequest(value) else { throw invalid("signal") }
        request.signal = signal
    }

    private mutating func applyTime(_ value: String) throws(CommandFailure) {
        switch SlurmTime.limit(value) {
        case .unlimited:
            request.hasNoTimeLimit = true
            request.timeLimit = nil
        case .of(let limit):
            request.hasNoTimeLimit = false
            request.timeLimit = limit
        case nil: throw invalid("time")
        }
    }

    /// What is told of a job that asks for space on a node's own disk.
    static let temporaryDiskSentence = "Temporary disk specification can not be satisfied"

    /// Puts together what several options say.
    mutating func finish() throws(CommandFailure) {
        if let gpusPerNode {
            request.gres.removeAll { $0.name == gpusPerNode.name }
            request.gres.append(gpusPerNode)
        }
        if let nodes = request.minimumNodes, nodes == 0 { throw failed(.invalidNodeCount) }
        if asksForTemporaryDisk {
            var failure = failed(.requestNotAvailable)
            failure.lines.insert("\(program): error: \(Self.temporaryDiskSentence)", at: 0)
            throw failure
        }
    }

    /// The warning that is printed, and the change that is made, when there are fewer tasks than
    /// nodes, as Slurm runs no more nodes than tasks; nil when there are enough.
    public mutating func fitNodesToTasks() -> String? {
        guard let nodes = request.minimumNodes, let tasks = request.tasks, tasks < nodes else {
            return nil
        }
        request.minimumNodes = tasks
        request.maximumNodes = request.maximumNodes.map { min($0, tasks) }
        return "can't run \(tasks) processes on \(nodes) nodes, setting nnodes to \(tasks)"
    }

    /// Reads the begin time and the deadline, relative to the centre's time.
    public mutating func resolveTimes(
        now: SimInstant,
        calendar: CentreCalendar = CentreCalendar()
    ) throws(CommandFailure) {
        func read(_ text: String?, _ option: String) throws(CommandFailure) -> SimInstant? {
            guard let text else { return nil }
            guard let instant = calendar.instant(text, now: now) else {
                throw CommandFailure(
                    lines: [
                        "Invalid time specification (pos=0): \(text)",
                        "\(program): error: Invalid --\(option) specification",
                    ],
                    exitCode: ExitStatus.unreadable
                )
            }
            return instant
        }
        request.begin = try read(begin, "begin")
        request.deadline = try read(deadline, "deadline")
    }

    /// The job's environment, by `--export`.
    ///
    /// - Parameters:
    ///   - current: the environment of the command, `NAME=value` each.
    ///   - login: what a login would set, for jobs that get nothing else.
    public func jobEnvironment(from current: [String], login: [String]) -> [String] {
        let chosen = Self.environment(export, from: current, login: login)
        guard let export, export.uppercased() != "ALL" else { return chosen }
        // What is not taken over comes from a login, as with --get-user-env.
        let isAll = export.split(separator: ",").contains { $0.uppercased() == "ALL" }
        return chosen + ["SLURM_EXPORT_ENV=\(export)"] + (isAll ? [] : ["SLURM_GET_USER_ENV=1"])
    }

    /// The variables that a value of `--export` lets through.
    public static func environment(
        _ export: String?,
        from current: [String],
        login: [String]
    ) -> [String] {
        guard let export, export.uppercased() != "ALL" else { return current }
        let words = export.split(separator: ",").map(String.init)
        let isAll = words.contains { $0.uppercased() == "ALL" }
        func name(_ entry: String) -> Substring { entry.prefix { $0 != "=" } }
        var result = isAll ? current : current.filter { $0.hasPrefix("SLURM_") }
        if !isAll { result += login }
        for word in words where !["ALL", "NONE", "NIL"].contains(word.uppercased()) {
            let entry = word.contains("=") ? word : current.first { name($0) == word[...] }
            guard let entry else { continue }
            result.removeAll { name($0) == name(entry) }
            result.append(entry)
        }
        return result
    }
}

extension SubmitCommand {
    /// What is printed when the daemon refuses the job.
    public func failure(_ body: ErrorBody) -> CommandFailure {
        let exitCode = body.exitCode ?? 1
        var lines = body.specifics(for: program)
        if request.isTestOnly {
            lines.append("allocation failure: \(body.text)")
        } else if body.code == SlurmError.invalidGres.rawValue {
            lines.append("\(program): error: \(body.text)")
        } else {
            lines.append("\(program): error: Batch job submission failed: \(body.text)")
        }
        return CommandFailure(lines: lines, exitCode: exitCode)
    }

    /// What `--test-only` prints of an estimate, under a Tianhe name with the price: Slurm's own name
    /// says what Slurm says.
    public func output(_ response: SubmitResponse, _ estimate: StartEstimate) -> CommandOutput {
        var output = CommandOutput()
        if let start = estimate.startText(instant: { "at \(CentreCalendar().text($0))" }) {
            let nodes = estimate.nodeList.isEmpty ? "" : " on nodes \(estimate.nodeList)"
            output.errors.append(
                "\(program): Job \(response.jobID) to start \(start) using \(estimate.cores)"
                    + " processors\(nodes) in partition \(estimate.partition)"
            )
        } else {
            let reason = estimate.reason ?? "None"
            let limits: Set = ["QuotaConstrained", "AssocMaxJobsLimit", "AssocGrpBillingMinutes"]
            let error: SlurmError =
                limits.contains(reason) ? .accountingPolicy : .requestNotAvailable
            var body = error.body()
            body.hints = ["the job would wait: \(reason)"]
            let failure = failure(body)
            output.errors = failure.lines
            output.exitCode = failure.exitCode
        }
        if Dialect(program: program) == .tianhe, let price = estimate.price {
            output.errors += PriceReport.lines(price, in: .english).map { "\(program): \($0)" }
        }
        return output
    }

    /// The exit status of `--wait` for a job that has ended: the job's own, and 1 when a signal or
    /// something else than its script ended it.
    public static func exitStatus(_ job: JobInfo) -> Int32 {
        if job.exitSignal != 0 { return 1 }
        return job.exitCode == 0 && job.state != "COMPLETED" ? 1 : job.exitCode
    }
}
