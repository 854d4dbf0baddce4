public import WireFormats

/// `scancel` and `yhcancel`: what they are asked to cancel.
public struct CancelCommand: Hashable, Sendable {
    enum Option: Hashable, Sendable {
        case accepted, account, batch, clusters, help, me, name, nodeList, partition, qos
        case reservation, signal, state, usage, user, verbose, version, wckey
    }

    static let table = OptionTable<Option>([
        OptionSpec(.account, "account", "A", .required, variable: "ACCOUNT"),
        OptionSpec(.batch, "batch", "b", variable: "BATCH"),
        OptionSpec(.clusters, "cluster", "M", .required),
        OptionSpec(.clusters, "clusters", "M", .required),
        OptionSpec(.accepted, "ctld"),
        OptionSpec(.accepted, "full", "f"),
        OptionSpec(.help, "help"),
        OptionSpec(.accepted, "hurry", "H"),
        OptionSpec(.me, "me"),
        OptionSpec(.name, "jobname", "n", .required, variable: "NAME"),
        OptionSpec(.name, "name", "n", .required),
        OptionSpec(.nodeList, "nodelist", "w", .required),
        OptionSpec(.partition, "partition", "p", .required, variable: "PARTITION"),
        OptionSpec(.qos, "qos", "q", .required, variable: "QOS"),
        OptionSpec(.accepted, "quiet", "Q"),
        OptionSpec(.reservation, "reservation", "R", .required),
        OptionSpec(.signal, "signal", "s", .required),
        OptionSpec(.state, "state", "t", .required, variable: "STATE"),
        OptionSpec(.usage, "usage"),
        OptionSpec(.user, "user", "u", .required, variable: "USER"),
        OptionSpec(.verbose, "verbose", "v", variable: "VERBOSE"),
        OptionSpec(.version, "version", "V"),
        OptionSpec(.wckey, "wckey", nil, .required, variable: "WCKEY"),
    ])

    /// What was asked for instead.
    public var information: QueueCommand.Information?
    /// What is asked of the daemon.
    public var request = CancelRequest()
    /// Whether jobs that do not exist are told of.
    public var isVerbose = false
    /// The clusters that were named; nil for the centre's own.
    public var clusters: [String]?

    let program: String
    /// The jobs as they were written.
    private var words: [String] = []

    /// Reads the environment and the command line.
    ///
    /// - Parameters:
    ///   - user: the name of the user who asks.
    ///   - isUser: whether a name or number is a user's.
    /// - Throws: `CommandFailure`, ready to be printed.
    public init(
        program: String,
        arguments: [String],
        variable: (String) -> String?,
        user: String,
        isUser: (String) -> Bool
    ) throws(CommandFailure) {
        self.program = program
        let given = try Self.table.parse(arguments, for: program)
        clusters = variable("SLURM_CLUSTERS").map(list)
        let variables = Self.table.given(inEnvironment: variable, prefix: "SCANCEL_")
        for option in variables + given.options {
            try apply(option, user: user, isUser: isUser)
        }
        guard information == nil else { return }
        for operand in given.operands {
            guard let job = OptionValues.jobOrStep(operand) else {
                throw .error(program, "Invalid job id \(operand)")
            }
            request.jobs.append(job)
        }
        words = given.operands
        if request.jobs.isEmpty, !request.hasFilter {
            throw .error(program, "No job identification provided")
        }
    }

    private mutating func apply(
        _ option: GivenOption<Option>,
        user: String,
        isUser: (String) -> Bool
    ) throws(CommandFailure) {
        let value = option.value ?? ""
        switch option.id {
        case .accepted: break
        case .account: request.account = value
        case .batch: request.isForShellOnly = true
        case .clusters: clusters = list(value)
        case .help: information = .usage
        case .usage: information = .synopsis
        case .me: request.user = user
        case .name: request.name = value
        case .nodeList: request.nodeList = value
        case .partition: request.partition = value
        case .qos: request.qos = value.lowercased()
        case .reservation: request.reservation = value
        case .signal:
            guard let signal = OptionValues.signal(value) else {
                throw CommandFailure(lines: ["Unknown job signal: \(value)"], exitCode: 1)
            }
            request.signal = signal
        case .state:
            switch SlurmDialect.states(value) {
            case .success(let states): request.states = states.sorted()
            case .failure(let unknown):
                throw CommandFailure(
                    lines: [
                        "Invalid job state specified: \(unknown.word)",
                        "Valid job states are PENDING, RUNNING, and SUSPENDED",
                    ],
                    exitCode: 1
                )
            }
        case .user:
            guard isUser(value) else {
                throw .error(program, "Invalid user name: \(value)")
            }
            request.user = value
        case .verbose: isVerbose = true
        case .version: information = .version
        case .wckey: request.project = value
        }
    }

    /// What is printed after the daemon has answered. Jobs that do not exist or have ended are passed
    /// over in silence, as Slurm does.
    public func output(_ response: ActionResponse) -> CommandOutput {
        var output = CommandOutput()
        let act = request.signal.map { "Signal \($0) to" } ?? "Terminating"
        // Jobs that are only named are told of as they were written, whatever becomes of them.
        if isVerbose, !request.hasFilter {
            output.errors = zip(words, request.jobs).map { word, job in
                "\(program): \(act) \(job.step == nil ? "job" : "step") \(word)"
            }
        }
        // Steps are answered for in the order in which they were named, as they were written.
        var steps = zip(words, request.jobs).filter { $1.step != nil }.map(\.0)[...]
        for outcome in response.outcomes {
            let step = outcome.step.map { steps.popFirst() ?? "\(outcome.jobID).\($0)" }
            guard let error = outcome.error else {
                if isVerbose, request.hasFilter {
                    output.errors.append("\(program): \(act) job \(outcome.jobID)")
                }
                continue
            }
            if let step {
                tell(error, ofStep: step, &output)
                continue
            }
            let job = words.count == 1 ? words[0] : "\(outcome.jobID)"
            let isSilent =
                error.code == SlurmError.invalidJobID.rawValue
                || error.code == SlurmError.alreadyDone.rawValue
            guard !isSilent || isVerbose else { continue }
            output.errors.append(
                "\(program): error: Kill job error on job id \(job): \(error.text)"
            )
            if !isSilent { output.exitCode = ExitStatus.notOwned }
        }
        return output
    }

    /// That there is no such step is told, unlike that there is no such job.
    private func tell(_ error: ErrorBody, ofStep step: String, _ output: inout CommandOutput) {
        guard isVerbose || error.code != SlurmError.alreadyDone.rawValue else { return }
        output.errors.append(
            "\(program): error: Kill job error on job step id \(step): \(error.text)"
        )
        output.exitCode = ExitStatus.notOwned
    }
}
