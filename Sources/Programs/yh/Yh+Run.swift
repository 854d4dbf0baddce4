import Glibc
import SlurmDialect

extension Yh {
    /// `yhrun`, `srun`: a step of the job around it.
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
        Host.print(command.warnings, to: 2)
        let asked = command
        if let folder = command.folder, chdir(folder) != 0 {
            throw .error(name, "Unable to change to folder \(folder)")
        }
        let rehearsal = RehearsedStep()
        if rehearsal != nil { command.tasks = min(command.tasks, RehearsedStep.tasksMaximum) }
        let programs = try programs(command, name: name)
        if let rehearsal {
            let isEmulated = programs.contains { program in
                program.path.map { RehearsedStep.isEmulated($0, isMPI: isMPIProgram($0)) } ?? false
            }
            return isEmulated
                ? rehearsal.emulate(asked, name: name)
                : StepTasks(command: command, program: name, programs: programs).run(rehearsal)
        }
        let tasks = StepTasks(command: command, program: name, programs: programs)
        try tasks.checkInput()
        if programs.contains(where: { $0.path.map(isMPIProgram) ?? false }) {
            try replaceByMPIRun(tasks, name: name)
        }
        return tasks.run()
    }

    /// What each task runs.
    private static func programs(
        _ command: RunCommand,
        name: String
    ) throws(CommandFailure) -> [TaskProgram] {
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
        let command = tasks.command
        var words = [
            "mpirun", "--oversubscribe", "--bind-to", "none",
            // The job is on this host: mpirun must not ask a Slurm that is not there.
            "--mca", "plm", "isolated", "--mca", "ras", "^slurm",
        ]
        if geteuid() == 0 { words.append("--allow-run-as-root") }
        if command.isLabelled { words.append("--tag-output") }
        if command.isMultiProgram {
            let parts = tasks.programs.map { ["-np", "1"] + $0.words }
            words += parts.joined(separator: [":"])
        } else {
            words += ["-np", "\(command.tasks)"] + command.words
        }
        if let file = tasks.inputFile(of: 0) {
            let descriptor = open(file, O_RDONLY)
            guard descriptor >= 0, dup2(descriptor, 0) == 0 else {
                throw .error(name, "\(file): \(String(cString: strerror(errno)))")
            }
        }
        let pointers = words.map { strdup($0) } + [nil]
        let variables = tasks.inherited.map { strdup($0) } + [nil]
        execve(mpirun, pointers, variables)
        throw .error(name, "mpirun: \(String(cString: strerror(errno)))")
    }
}

/// What one task runs: its words, and the file of the first, if there is one.
private struct TaskProgram {
    let words: [String]
    let path: String?
}

/// The tasks of a step that are started here, one by one.
private struct StepTasks {
    let command: RunCommand
    let program: String
    let programs: [TaskProgram]
    /// The environment that the step takes over, by `--export`.
    let inherited: [String]
    private let host = Host.variable("SLURMD_NODENAME") ?? Host.hostName()

    init(command: RunCommand, program: String, programs: [TaskProgram]) {
        self.command = command
        self.program = program
        self.programs = programs
        inherited = SubmitCommand.environment(
            command.export,
            from: Host.environment(),
            login: Host.loginEnvironment()
        )
    }

    /// The file that a task reads, by `--input`; nil for the step's own input.
    func inputFile(of task: Int) -> String? {
        switch command.input?.lowercased() {
        case nil, "all": task == 0 ? nil : "/dev/null"
        case "none": "/dev/null"
        case let text?:
            if let reader = Int(text) {
                reader == task ? nil : "/dev/null"
            } else {
                expand(command.input ?? text, task, host)
            }
        }
    }

    /// - Throws: `CommandFailure` for a file of input that cannot be read; no task has started then.
    func checkInput() throws(CommandFailure) {
        for task in programs.indices {
            guard let file = inputFile(of: task), access(file, R_OK) != 0 else { continue }
            let problem = String(cString: strerror(errno))
            throw .error(program, "Could not open stdin file \(file): \(problem)")
        }
    }

    /// Starts the tasks of a rehearsed script's step.
    func run(_ rehearsal: RehearsedStep) -> Int32 {
        let endings = runAll()
        let report = RunCommand.report(program, host: host, endings: endings)
        Host.print(report.lines, to: 2)
        let signal = endings.map(\.signal).max() ?? 0
        rehearsal.record(command, exitCode: signal == 0 ? report.exitCode : 0, signal: signal)
        return report.exitCode
    }

    /// Starts all tasks, passes their output on, and gives the step's exit status.
    func run() -> Int32 {
        let report = RunCommand.report(program, host: host, endings: runAll())
        Host.print(report.lines, to: 2)
        return report.exitCode
    }

    private func runAll() -> [(code: Int32, signal: Int32)] {
        var processes: [pid_t] = []
        var labelled: [LabelledPipe] = []
        for task in 0..<command.tasks {
            var output: Int32 = 1
            if command.isLabelled, command.output == nil {
                var ends: [Int32] = [0, 0]
                guard pipe(&ends) == 0 else { return fail("pipe") }
                for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
                labelled.append(LabelledPipe(task: task, descriptor: ends[0]))
                output = ends[1]
            }
            let process = start(task: task, output: output)
            if output != 1 { close(output) }
            guard let process else {
                let problem = String(cString: strerror(errno == 0 ? ENOENT : errno))
                Host.print(
                    ["slurmstepd-\(host): error: execve(): \(programs[task].words[0]): \(problem)"],
                    to: 2
                )
                processes.append(-1)
                continue
            }
            processes.append(process)
        }
        passOn(labelled)
        return wait(processes)
    }

    private func fail(_ call: String) -> [(code: Int32, signal: Int32)] {
        Host.print(["\(program): error: \(call): \(String(cString: strerror(errno)))"], to: 2)
        return [(1, 0)]
    }

    private func start(task: Int, output: Int32) -> pid_t? {
        guard let path = programs[task].path else {
            errno = ENOENT
            return nil
        }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if output != 1 {
            posix_spawn_file_actions_adddup2(&actions, output, 1)
        }
        if let file = inputFile(of: task) {
            posix_spawn_file_actions_addopen(&actions, 0, file, O_RDONLY, 0)
        }
        let flags = O_WRONLY | O_CREAT | O_TRUNC
        if let file = command.output {
            posix_spawn_file_actions_addopen(&actions, 1, expand(file, task, host), flags, 0o666)
        }
        if let file = command.error {
            posix_spawn_file_actions_addopen(&actions, 2, expand(file, task, host), flags, 0o666)
        } else if command.output != nil {
            posix_spawn_file_actions_adddup2(&actions, 1, 2)
        }
        let own =
            command.environment(
                task: task,
                nodeList: Host.variable("SLURM_JOB_NODELIST") ?? host
            ) + RehearsedStep.node(of: task, among: command.tasks)
        let names = Set(own.map { $0.prefix { $0 != "=" } })
        let others = inherited.filter { !names.contains($0.prefix { $0 != "=" }) }
        var arguments = programs[task].words.map { strdup($0) } + [nil]
        var variables = (others + own).map { strdup($0) } + [nil]
        defer { (arguments + variables).forEach { free($0) } }
        var process: pid_t = 0
        errno = posix_spawn(&process, path, &actions, nil, &arguments, &variables)
        return errno == 0 ? process : nil
    }

    private func expand(_ pattern: String, _ task: Int, _ host: String) -> String {
        let job = Host.variable("SLURM_JOB_ID").flatMap { UInt32($0) } ?? 0
        var values = FilenamePattern.Values(
            jobID: job,
            arrayJobID: Host.variable("SLURM_ARRAY_JOB_ID").flatMap { UInt32($0) },
            arrayTaskID: Host.variable("SLURM_ARRAY_TASK_ID").flatMap { UInt32($0) },
            jobName: Host.variable("SLURM_JOB_NAME") ?? "",
            user: Host.userName(getuid()),
            host: host
        )
        values.task = UInt32(task)
        return FilenamePattern.expand(pattern, values)
    }

    /// Copies whole lines from the tasks, each with its label, until all have closed their output.
    private func passOn(_ pipes: [LabelledPipe]) {
        var pipes = pipes
        let width = String(command.tasks - 1).utf8.count
        while !pipes.isEmpty {
            var polls = pipes.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
            guard poll(&polls, nfds_t(polls.count), -1) > 0 else { continue }
            for index in polls.indices.reversed() where polls[index].revents != 0 {
                if !pipes[index].copyLines(labelWidth: width) {
                    close(pipes[index].descriptor)
                    pipes.remove(at: index)
                }
            }
        }
    }

    private func wait(_ processes: [pid_t]) -> [(code: Int32, signal: Int32)] {
        // A program that could not be started counts as one that ended with ENOENT.
        var endings = [(code: Int32, signal: Int32)](repeating: (2, 0), count: processes.count)
        var running = Set(processes.filter { $0 > 0 })
        while !running.isEmpty {
            var status: Int32 = 0
            let process = waitpid(-1, &status, 0)
            if process < 0 {
                if errno == EINTR { continue }
                break
            }
            guard let task = processes.firstIndex(of: process) else { continue }
            running.remove(process)
            let signal = status & 0x7F
            endings[task] = (signal == 0 ? (status >> 8) & 0xFF : 0, signal)
            if command.killsOnBadExit, status != 0 { running.forEach { kill($0, SIGTERM) } }
        }
        return endings
    }
}

/// The output of one task.
private struct LabelledPipe {
    let task: Int
    let descriptor: Int32
    private var rest: [UInt8] = []

    init(task: Int, descriptor: Int32) {
        self.task = task
        self.descriptor = descriptor
    }

    /// Prints the whole lines that have come; false at the end.
    mutating func copyLines(labelWidth: Int) -> Bool {
        let piece = [UInt8](unsafeUninitializedCapacity: 1 << 14) { buffer, filled in
            filled = max(0, read(descriptor, buffer.baseAddress, buffer.count))
        }
        rest += piece
        let number = String(task)
        let padding = String(repeating: " ", count: max(0, labelWidth - number.utf8.count))
        let label = Array("\(padding)\(number): ".utf8)
        var lines: [UInt8] = []
        while let end = rest.firstIndex(of: 0x0A) {
            lines += label + rest[...end]
            rest.removeSubrange(...end)
        }
        if piece.isEmpty, !rest.isEmpty { lines += label + rest + [0x0A] }
        _ = Host.write(lines, descriptor: 1)
        return !piece.isEmpty
    }
}
