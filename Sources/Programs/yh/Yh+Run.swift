import Glibc
import LocalClient
import SlurmDialect
import WireFormats

extension Yh {
    /// `yhrun`, `srun`: a step of the job around it, or of a job of its own.
    static func run(name: String, arguments: [String]) throws(CommandFailure) -> Int32 {
        var command = try RunCommand(
            program: name,
            arguments: arguments,
            variable: Host.variable
        )
        if let information = command.information {
            return finish(Help.output(.run, information, name: name))
        }
        if command.listsMPI {
            return finish(
                CommandOutput(lines: ["MPI plugin types are...", "\tnone", "\topenmpi (mpirun)"])
            )
        }
        Host.print(command.warnings + command.told.map { "\(name): \($0)" }, to: 2)
        if var wanted = command.allocation {
            if let warning = wanted.fitNodesToTasks() {
                Host.print(["\(name): Warning: \(warning)"], to: 2)
            }
            let allocation = try Allocation(&wanted, name: name, isQuiet: command.isQuiet)
            var end = CompleteRequest()
            do throws(CommandFailure) {
                var components: [JobEnvironment] = []
                if command.hasSeveralPrograms {
                    let variable = allocation.environment.value
                    try command.takeComponents(program: name, variable: variable)
                    components = try environments(of: command, name)
                } else {
                    command.allocated(allocation.environment)
                }
                end = try step(
                    command,
                    name: name,
                    in: allocation.job,
                    allocation.environment,
                    components
                )
            } catch {
                end.exitCode = error.exitCode & 0xFF
                allocation.complete(end)
                throw error
            }
            allocation.complete(end)
            return end.exitSignal == 0 ? end.exitCode : ExitStatus.signalled + end.exitSignal
        }
        var environment: JobEnvironment?
        let job = command.jobID ?? Host.variable("SLURM_JOB_ID").flatMap { UInt32($0) }
        if let other = command.jobID {
            environment = try ask(name) { client throws(LocalClientFailure) in
                try client.get("/v1/jobs/\(other)/environment", as: JobEnvironment.self)
            }
        }
        if let environment {
            try command.takeComponents(program: name, variable: environment.value)
        }
        let components = try environments(of: command, name)
        let end = try step(command, name: name, in: job, environment, components)
        return end.exitSignal == 0 ? end.exitCode : ExitStatus.signalled + end.exitSignal
    }

    /// What each component is told of itself that a step runs on.
    private static func environments(
        of command: RunCommand,
        _ name: String
    ) throws(CommandFailure) -> [JobEnvironment] {
        try command.components.map { component throws(CommandFailure) in
            try ask(name) { client throws(LocalClientFailure) in
                try client.get("/v1/jobs/\(component.job)/environment", as: JobEnvironment.self)
            }
        }
    }

    /// Runs a step, and tells the centre of it when it is one of its jobs'.
    private static func step(
        _ command: RunCommand,
        name: String,
        in job: UInt32?,
        _ environment: JobEnvironment?,
        _ components: [JobEnvironment] = []
    ) throws(CommandFailure) -> CompleteRequest {
        let asked = command
        var command = command
        try checkSize(command, name: name, in: job, environment, components)
        if let folder = command.folder, chdir(folder) != 0 {
            throw .error(name, "Unable to change to folder \(folder)")
        }
        let rehearsal = RehearsedStep(asked)
        if rehearsal != nil { command.tasks = min(command.tasks, RehearsedStep.tasksMaximum) }
        let programs = try programs(command, name: name)
        if let rehearsal {
            for word in Set(programs.filter { $0.path == nil }.map { $0.words[0] }).sorted() {
                let hint = RehearsedSoftware.hint(for: word, name: name)
                Host.print([hint].compactMap(\.self), to: 2)
            }
            let paths = Set(programs.compactMap(\.path))
            let emulated = paths.filter { RehearsedStep.isEmulated($0, isMPI: isMPIProgram($0)) }
            if !emulated.isEmpty {
                return rehearsal.emulate(asked, programs, emulated, name: name)
            }
        }
        var tasks = StepTasks(
            command: command,
            program: name,
            programs: programs,
            job: environment,
            components: components
        )
        if let rehearsal {
            tasks.step = "\(rehearsal.number)"
            let end = tasks.run(in: job)
            rehearsal.record(command, end, isCancelled: tasks.isCancelled)
            return end
        }
        try tasks.checkInput()
        let isMPI = programs.contains { $0.path.map(isMPIProgram) ?? false }
        // The supervisor of a script ends what the script started.
        let isOfScript = environment == nil && Host.variable("ENVIRONMENT") == "BATCH"
        if isMPI, isOfScript { try replaceByMPIRun(tasks, name: name) }
        let record = StepTale(job: job, tasks)
        tasks.step = record?.id
        tasks.watch = isOfScript || record == nil ? nil : job.map { JobWatch($0) }
        let end = isMPI ? tasks.runByMPIRun(resolve("mpirun"), in: job) : tasks.run(in: job)
        record?.end(end, tasks)
        return end
    }

    /// A step is no larger than its job.
    private static func checkSize(
        _ command: RunCommand,
        name: String,
        in job: UInt32?,
        _ environment: JobEnvironment?,
        _ components: [JobEnvironment]
    ) throws(CommandFailure) {
        guard let job else { return }
        guard components.isEmpty else {
            return try command.checkSize(
                program: name,
                job: job,
                nodes: components.map(\.nodes.count).max(),
                cores: components.flatMap { $0.cores.map(Int.init) },
                coresPerTask: components[0].value("SLURM_CPUS_PER_TASK").flatMap { Int($0) } ?? 1
            )
        }
        let nodes =
            environment?.nodes.count
            ?? Host.variable("SLURM_JOB_NUM_NODES").flatMap { Int($0) }
            ?? Host.variable("SLURM_NNODES").flatMap { Int($0) }
        if !command.isQuiet, let warning = command.nodeWarning(program: name, nodes: nodes) {
            Host.print([warning], to: 2)
        }
        let onEach = JobNodes.counts(Host.variable("SLURM_JOB_CPUS_PER_NODE"))
        try command.checkSize(
            program: name,
            job: job,
            nodes: nodes,
            cores: environment?.cores.map(Int.init) ?? onEach,
            coresPerTask: Host.variable("SLURM_CPUS_PER_TASK").flatMap { Int($0) } ?? 1
        )
    }

    /// What each task runs.
    private static func programs(
        _ command: RunCommand,
        name: String
    ) throws(CommandFailure) -> [TaskProgram] {
        guard command.programOfTask.isEmpty else {
            let known = command.allWords.map { TaskProgram(words: $0, path: resolve($0[0])) }
            return command.programOfTask.prefix(command.tasks).map { known[$0] }
        }
        guard command.isMultiProgram else {
            let program = TaskProgram(words: command.words, path: resolve(command.words[0]))
            return Array(repeating: program, count: command.tasks)
        }
        let path = command.words[0]
        guard let bytes = Host.read(path: path) else {
            throw .error(name, "Unable to open file \(path)")
        }
        let commands = try MultiProgram.commands(
            in: String(decoding: bytes, as: UTF8.self),
            path: path,
            tasks: command.tasks,
            program: name
        )
        return commands.map { TaskProgram(words: $0, path: resolve($0[0])) }
    }

    /// The file that a word names, looked for along `PATH` unless it holds a slash.
    private static func resolve(_ word: String) -> String? {
        if word.contains("/") { return access(word, F_OK) == 0 ? word : nil }
        for folder in (Host.variable("PATH") ?? "").split(separator: ":") {
            let candidate = "\(folder)/\(word)"
            if access(candidate, X_OK) == 0 { return candidate }
        }
        return nil
    }

    /// Whether a program is linked with Open MPI: its ranks must find one another, which only
    /// `mpirun` brings about.
    private static func isMPIProgram(_ path: String) -> Bool {
        // This program names the library too.
        guard !Host.isOwnProgram(path) else { return false }
        guard let bytes = Host.read(path: path), bytes.starts(with: [0x7F, 0x45, 0x4C, 0x46]) else {
            return false
        }
        let name = Array("libmpi.so".utf8)
        return bytes.withUnsafeBufferPointer { bytes in
            var start = bytes.startIndex
            while let first = bytes[start...].firstIndex(of: name[0]) {
                if bytes[first...].starts(with: name) { return true }
                start = first + 1
            }
            return false
        }
    }

    /// Goes on as `mpirun`; comes back only when there is none.
    private static func replaceByMPIRun(
        _ tasks: StepTasks,
        name: String
    ) throws(CommandFailure) {
        guard let mpirun = resolve("mpirun") else { return }
        if let file = tasks.inputFile(of: 0) {
            let descriptor = open(file, O_RDONLY)
            guard descriptor >= 0, dup2(descriptor, 0) == 0 else {
                throw .error(name, "\(file): \(String(cString: strerror(errno)))")
            }
        }
        let pointers = tasks.mpirunWords.map { strdup($0) } + [nil]
        let variables = tasks.inherited.map { strdup($0) } + [nil]
        execve(mpirun, pointers, variables)
        throw .error(name, "mpirun: \(String(cString: strerror(errno)))")
    }
}

/// What one task runs: its words, and the file of the first, if there is one.
struct TaskProgram {
    let words: [String]
    let path: String?
}
