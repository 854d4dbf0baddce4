public import WireFormats

/// What `sbatch` has been asked for, once the script's directives, its environment and the command
/// line have been read, in this order: what comes later wins.
public struct SubmitCommand: Hashable, Sendable {
    /// What is asked of the daemon. Identity, folders and environment are the program's to fill in.
    public var request = SubmitRequest()
    /// Whether only the job's number is printed.
    public var isParsable = false
    /// Whether the number is not printed at all.
    public var isQuiet = false
    /// Whether nothing is submitted of which there are warnings.
    public var isStrict = false
    /// Whether to wait for the end of the job.
    public var waits = false
    /// Which variables of the environment the job gets; nil for all.
    public var export: String?
    /// A file with the job's environment.
    public var exportFile: String?
    /// The path of the script; nil for `--wrap` and standard input.
    public var scriptPath: String?
    /// A begin time, still as written; `resolveTimes(now:)` reads it.
    public var begin: String?
    /// A deadline, still as written.
    public var deadline: String?
    /// What the user should know although the job is submitted; without a prefix.
    public var warnings: [String] = []
    /// The other components of a heterogeneous job, of which this is the first.
    public var components: [SubmitCommand] = []
    /// What `-v` tells of the options that were given; without a prefix.
    public var told: [String] = []
    /// `--help`, `--usage` or `--version`, when asked for; nothing else counts then.
    public var information: SubmitOption?

    let program: String
    /// What a refusal begins with.
    var refusalWords = "Batch job submission failed"
    var wrapped: String?
    var ignoresPBS = false
    var asksForTemporaryDisk = false
    var gpusPerNode: GresRequest?
    /// What the script says of the other components.
    private var sections: [[String]] = []

    init(program: String) {
        self.program = program
        // Empty until -D names a folder: the program fills in where it was called.
        request.workDirectory = ""
    }

    /// Reads everything that a submission says.
    ///
    /// - Parameters:
    ///   - program: the command's name in messages.
    ///   - arguments: the command line without that name.
    ///   - variable: looks up the environment.
    ///   - load: reads the script at a path, or standard input for nil.
    /// - Throws: `CommandFailure`, ready to be printed.
    public static func prepare(
        program: String,
        arguments: [String],
        variable: (String) -> String?,
        load: (String?) throws(CommandFailure) -> [UInt8]
    ) throws(CommandFailure) -> SubmitCommand {
        // A colon stands between the components of a heterogeneous job; the script comes last.
        var parts: [[GivenOption<SubmitOption>]] = []
        var operands = arguments
        repeat {
            if !parts.isEmpty { operands.removeFirst() }
            let parsed = try SubmitOption.table.parse(
                operands,
                for: program,
                exitCode: ExitStatus.unreadable
            )
            parts.append(parsed.options)
            operands = parsed.operands
        } while operands.first == ":"
        let options = parts.flatMap(\.self)
        var command = SubmitCommand(program: program)
        let informative: Set<SubmitOption> = [.help, .usage, .version]
        if let first = options.first(where: { informative.contains($0.id) }) {
            command.information = first.id
            return command
        }
        let variables = SubmitOption.table.given(inEnvironment: variable, prefix: "SBATCH_")
        command.ignoresPBS = (variables + options).contains { $0.id == .ignorePBS }
        if options.contains(where: { $0.id == .verbose }) {
            command.told = Self.tale(of: variables + options, program)
        }
        let wrap = options.last { $0.id == .wrap }?.value
        try command.take(wrap: wrap, operands: operands, load: load)
        // sbatch(1): the command line goes before the environment, and that before the script.
        if let named = variable("SLURM_CLUSTERS") { command.request.clusters = list(named) }
        try command.apply(variables)
        try command.apply(parts[0])
        try command.addComponents(parts.dropFirst(), variables)
        try command.finish()
        return command
    }

    /// The options that were given, and under Slurm's name what it tells of its plug-ins.
    private static func tale(of options: [GivenOption<SubmitOption>], _ program: String) -> [String]
    {
        let plugins = [
            "select/cons_tres: common_init: select/cons_tres loaded",
            "select/cray_aries: init: Cray/Aries node selection plugin loaded",
            "select/linear: init: Linear node selection plugin loaded with argument 4",
            "select/cons_res: common_init: select/cons_res loaded",
        ]
        let lines = OptionTale.lines(
            options.map { ($0.name, $0.value, $0.id == .verbose, $0.id == .time) }
        )
        return lines + (Dialect(program: program) == .slurm ? plugins : [])
    }

    /// Makes the other components: each begins with what the one before it asked for, as far as that is
    /// not about its size and its place.
    mutating func addComponents(
        _ parts: ArraySlice<[GivenOption<SubmitOption>]>,
        _ variables: [GivenOption<SubmitOption>]
    ) throws(CommandFailure) {
        let given = Array(parts)
        var before = self
        before.sections = []
        for index in 0..<max(given.count, sections.count) {
            var component = before
            component.forgetSize()
            if index < sections.count {
                let parsed = try SubmitOption.table.parse(
                    sections[index],
                    for: program,
                    exitCode: ExitStatus.unreadable
                )
                try component.apply(parsed.options)
            }
            try component.apply(variables)
            if index < given.count { try component.apply(given[index]) }
            before = component
            try component.finish()
            components.append(component)
        }
    }

    /// Forgets what a component does not hand on to the next.
    ///
    /// Source: Slurm, "Heterogeneous Job Support".
    private mutating func forgetSize() {
        let unasked = SubmitRequest()
        request.array = unasked.array
        request.partitions = unasked.partitions
        request.minimumNodes = unasked.minimumNodes
        request.maximumNodes = unasked.maximumNodes
        request.tasks = unasked.tasks
        request.cpusPerTask = unasked.cpusPerTask
        request.tasksPerNode = unasked.tasksPerNode
        request.memoryPerCPU = unasked.memoryPerCPU
        request.gres = unasked.gres
        request.accelerators = unasked.accelerators
        request.acceleratorsPerTask = unasked.acceleratorsPerTask
        request.acceleratorModel = unasked.acceleratorModel
        request.exclusive = unasked.exclusive
        request.sharesNodes = unasked.sharesNodes
        request.requiredNodes = unasked.requiredNodes
        request.features = unasked.features
        request.licenses = unasked.licenses
        gpusPerNode = nil
    }

    private mutating func take(
        wrap: String?,
        operands: [String],
        load: (String?) throws(CommandFailure) -> [UInt8]
    ) throws(CommandFailure) {
        if let wrap {
            guard operands.isEmpty else {
                throw .error(program, "Script arguments not permitted with --wrap option")
            }
            request.scriptBytes = Array(BatchScript.wrapping(wrap).utf8)
            wrapped = wrap
            request.name = "wrap"
            return
        }
        scriptPath = operands.first
        request.scriptArguments = Array(operands.dropFirst())
        request.name =
            scriptPath.map { $0.split(separator: "/").last.map(String.init) ?? $0 } ?? "sbatch"
        let bytes = try load(scriptPath)
        let directives: BatchScript.Directives
        do throws(BatchScript.Refusal) {
            try BatchScript.check(bytes)
            request.scriptBytes = bytes
            directives = try BatchScript.directives(in: request.script)
        } catch {
            throw CommandFailure(
                lines: error.messages.map { "\(program): error: \($0)" },
                exitCode: 1
            )
        }
        sections = directives.components
        if !ignoresPBS { try apply(PBSDirectives.options(directives.pbs)) }
        let options = try SubmitOption.table.parse(
            directives.sbatch,
            for: program,
            exitCode: ExitStatus.unreadable
        )
        .options
        try apply(options)
    }
}
