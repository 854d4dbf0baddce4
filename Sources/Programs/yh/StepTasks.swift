import Glibc
import Quantities
import SlurmDialect
import WireFormats

/// The tasks of a step that are started here, one by one.
struct StepTasks {
    let command: RunCommand
    let program: String
    let programs: [TaskProgram]
    /// Where each task is.
    let layout: RunCommand.Layout
    /// The environment that the step takes over, by `--export`.
    let inherited: [String]
    /// The job that was made for it; nil for a job around this command.
    private let held: JobEnvironment?
    /// What each task finds of this command.
    private let launcher: [String]
    /// The number of the step in its job.
    var step: String?
    /// The job whose end ends the tasks; nil where its own supervisor sees to that.
    var watch: JobWatch?
    /// What each process used that has ended: processor time in µs, resident memory in KiB. They are the tasks,
    /// or one that runs all of them.
    private var usages: [(microseconds: Int64, resident: Int64)] = []
    /// How each of them ended; empty before.
    private var endings: [RunCommand.Ending] = []

    /// - Parameters:
    ///   - job: what the job is told of itself; nil for the job around this command, which
    ///     finds it in its environment.
    ///   - components: the same of the components that the command names.
    init(
        command: RunCommand,
        program: String,
        programs: [TaskProgram],
        job: JobEnvironment?,
        components: [JobEnvironment]
    ) {
        self.command = command
        self.program = program
        self.programs = programs
        held = job
        let chosen = SubmitCommand.environment(
            command.export,
            from: Host.environment(),
            login: Host.loginEnvironment()
        )
        // Slurm tells of aliases in an allocation, and not the tasks of a job that srun has made itself.
        let own = job?.variables.filter { !$0.hasPrefix("SLURM_NODE_ALIASES=") } ?? []
        let names = Set(own.map { $0.prefix { $0 != "=" } })
        inherited = chosen.filter { !names.contains($0.prefix { $0 != "=" }) } + own
        func value(_ name: String) -> String? {
            own.last { $0.hasPrefix(name + "=") }.map { String($0.dropFirst(name.utf8.count + 1)) }
                ?? Host.variable(name)
        }
        let coresPerTask = value("SLURM_CPUS_PER_TASK").flatMap { Int($0) } ?? 1
        let around = job == nil && components.isEmpty ? value("SLURM_JOB_CPUS_PER_NODE") : nil
        guard components.isEmpty else {
            layout = RunCommand.Layout(
                joining: zip(command.components, components).map { component, held in
                    RunCommand.Layout(
                        tasks: component.tasks,
                        nodes: held.nodes,
                        cores: held.cores.map(Int.init),
                        coresPerTask: coresPerTask
                    )
                }
            )
            launcher = Self.launcher(layout, cores: nil)
            return
        }
        let host = value("SLURMD_NODENAME") ?? Host.hostName()
        let nodes = job?.nodes ?? JobNodes.expand(value("SLURM_JOB_NODELIST")) ?? [host]
        let cores = job?.cores.map(Int.init) ?? JobNodes.counts(value("SLURM_JOB_CPUS_PER_NODE"))
        layout = RunCommand.Layout(
            tasks: command.tasks,
            nodes: nodes,
            cores: cores,
            coresPerTask: coresPerTask
        )
        launcher = Self.launcher(layout, cores: around)
    }

    /// What of the tasks is whose step: of each component that is named, or of the job around.
    func parts(of job: UInt32?) -> [(job: UInt32, tasks: Range<Int>)] {
        guard !command.components.isEmpty else {
            return job.map { [($0, 0..<command.tasks)] } ?? []
        }
        var start = 0
        return command.components.map { component in
            defer { start += component.tasks }
            return (component.job, start..<min(start + component.tasks, command.tasks))
        }
    }

    /// What each task finds of this command. It listens nowhere, but programs choose the port that it would have
    /// for their own meetings.
    private static func launcher(_ layout: RunCommand.Layout, cores: String?) -> [String] {
        let octal = String(Host.fileModeMask(), radix: 8)
        var variables = [
            "SLURM_UMASK=" + String(repeating: "0", count: max(0, 4 - octal.utf8.count)) + octal
        ]
        if let port = Host.freePort() {
            variables += ["SLURM_SRUN_COMM_PORT=\(port)", "SLURM_STEP_LAUNCHER_PORT=\(port)"]
        }
        // Slurm 22.05 sets these where a job is around the step.
        if let cores {
            let tasks = layout.nodeOfTask.count
            variables += [
                "SLURM_DISTRIBUTION=\(tasks <= layout.nodes.count ? "cyclic" : "block")",
                "SLURM_JOB_CPUS_PER_NODE_PACK_GROUP_0=\(cores)",
            ]
        }
        return variables
    }

    /// How some tasks have ended: the highest exit status; nil where one process ran all.
    func end(of tasks: Range<Int>) -> CompleteRequest? {
        guard endings.count == command.tasks else { return nil }
        var end = CompleteRequest()
        for ending in endings[tasks] {
            end.exitCode = max(end.exitCode, ending.code)
            end.exitSignal = max(end.exitSignal, ending.signal)
        }
        if end.exitSignal > 0 { end.exitCode = 0 }
        return end
    }

    /// What some tasks used: the sum of processor time in µs, the largest resident memory in KiB. Of one process
    /// that ran all it is the first part's.
    func usage(of tasks: Range<Int>) -> (microseconds: Int64, resident: Int64) {
        usages.indices.filter(tasks.contains).reduce((0, 0)) { sum, index in
            (sum.0 + usages[index].microseconds, max(sum.1, usages[index].resident))
        }
    }

    private func variable(_ name: String) -> String? {
        inherited.last { $0.hasPrefix(name + "=") }.map {
            String($0.dropFirst(name.utf8.count + 1))
        }
    }

    private func host(of task: Int) -> String { layout.nodes[layout.nodeOfTask[task]] }

    /// The file that a task reads, by `--input`; nil for the step's own input.
    func inputFile(of task: Int) -> String? {
        switch command.input?.lowercased() {
        case nil, "all": return nil
        case "none": return "/dev/null"
        case let text?:
            if let reader = Int(text) { return reader == task ? nil : "/dev/null" }
            return expand(command.input ?? text, task)
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

    /// What `mpirun` is called with to run the tasks: their ranks must find one another.
    var mpirunWords: [String] {
        var words = [
            "mpirun", "--oversubscribe", "--bind-to", "none",
            // The job is on this host: mpirun must not ask a Slurm that is not there.
            "--mca", "plm", "isolated", "--mca", "ras", "^slurm",
        ]
        if geteuid() == 0 { words.append("--allow-run-as-root") }
        if command.isLabelled { words.append("--tag-output") }
        if command.isMultiProgram || command.hasSeveralPrograms {
            let parts = programs.map { ["-np", "1"] + $0.words }
            words += parts.joined(separator: [":"])
        } else {
            words += ["-np", "\(command.tasks)"] + command.words
        }
        return words
    }

    /// Runs all tasks by one `mpirun`; without one they run by themselves.
    mutating func runByMPIRun(_ path: String?, in job: UInt32?) -> CompleteRequest {
        guard let path else { return run(in: job) }
        var process: pid_t = 0
        var words = mpirunWords.map { strdup($0) } + [nil]
        var variables = inherited.map { strdup($0) } + [nil]
        defer { (words + variables).forEach { free($0) } }
        errno = posix_spawn(&process, path, nil, nil, &words, &variables)
        var end = CompleteRequest()
        guard errno == 0 else {
            Host.print(["\(program): error: mpirun: \(String(cString: strerror(errno)))"], to: 2)
            end.exitCode = 1
            return end
        }
        let ending = wait([process], in: job)[0]
        end.exitCode = ending.code
        end.exitSignal = ending.signal
        return end
    }

    /// Whether it was cancelled, and not its job.
    private(set) var isCancelled = false

    /// Starts all tasks, passes their output on, and gives the step's exit status.
    mutating func run(in job: UInt32?) -> CompleteRequest {
        ReceivedSignals.watch(ReceivedSignals.forTasks)
        var processes: [pid_t] = []
        var labelled: [LabelledPipe] = []
        var readers: [Int32] = []
        var end = CompleteRequest()
        let isShared = command.tasks > 1 && !command.isInteractive
        for task in 0..<command.tasks {
            var output: Int32 = 1
            if command.isLabelled, command.output == nil {
                guard let ends = makePipe() else { return fail("pipe") }
                labelled.append(LabelledPipe(task: task, descriptor: ends.read))
                output = ends.write
            }
            // What comes in goes to every task that reads nothing else.
            var input: Int32 = 0
            if isShared, inputFile(of: task) == nil {
                guard let ends = makePipe() else { return fail("pipe") }
                readers.append(ends.write)
                input = ends.read
            }
            let process = start(task: task, input: input, output: output)
            if output != 1 { close(output) }
            if input != 0 { close(input) }
            guard let process else {
                let problem = String(cString: strerror(errno == 0 ? ENOENT : errno))
                let word = programs[task].words[0]
                Host.print(
                    ["slurmstepd-\(host(of: task)): error: execve(): \(word): \(problem)"],
                    to: 2
                )
                processes.append(-1)
                continue
            }
            processes.append(process)
        }
        let id = job.map { "\($0).\(step ?? "0")" }
        if let job, let id, !command.told.isEmpty {
            let nodes = held.map { RunCommand.tale(ofJob: job, $0) } ?? []
            let lines = nodes + RunCommand.tale(ofStep: id, starting: layout)
            Host.print(lines.map { "\(program): \($0)" }, to: 2)
        }
        let endings = wait(processes, labelled, InputSpreader(readers), in: job)
        if let id, !command.told.isEmpty {
            let lines = RunCommand.tale(ofStep: id, layout, endings: endings)
            Host.print(lines.map { "\(program): \($0)" }, to: 2)
        }
        let report = RunCommand.report(program, layout, endings: endings)
        Host.print(report.lines, to: 2)
        if let job, endings.contains(where: { $0.signal != 0 }), !wasAborted, revocation == nil {
            Host.print(["\(program): Force Terminated StepId=\(job).\(step ?? "0")"], to: 2)
        }
        if command.killsOnBadExit, let job, endings.contains(where: { $0.code != 0 }) {
            let id = "\(job).\(step ?? "0")"
            Host.print(["\(program): launch/slurm: _step_signal: Terminating StepId=\(id)"], to: 2)
        }
        end.exitCode = report.exitCode > 128 ? 0 : report.exitCode
        end.exitSignal = report.exitCode > 128 ? report.exitCode - 128 : 0
        return end
    }

    /// What was told that the job is over, and when what is left of it is killed; nil while the job runs.
    private var revocation: (family: [Int32: UInt64], due: ContinuousClock.Instant)?

    /// Whether the step was ended because its first task had ended long ago.
    private var wasAborted = false

    private func fail(_ call: String) -> CompleteRequest {
        Host.print(["\(program): error: \(call): \(String(cString: strerror(errno)))"], to: 2)
        var end = CompleteRequest()
        end.exitCode = 1
        return end
    }

    private func makePipe() -> (read: Int32, write: Int32)? {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { return nil }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }

    private func start(task: Int, input: Int32, output: Int32) -> pid_t? {
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
        } else if input != 0 {
            posix_spawn_file_actions_adddup2(&actions, input, 0)
        }
        let flags = O_WRONLY | O_CREAT | O_TRUNC
        if let file = command.output {
            posix_spawn_file_actions_addopen(&actions, 1, expand(file, task), flags, 0o666)
        }
        if let file = command.error {
            posix_spawn_file_actions_addopen(&actions, 2, expand(file, task), flags, 0o666)
        } else if command.output != nil {
            posix_spawn_file_actions_adddup2(&actions, 1, 2)
        }
        let own = command.environment(task: task, layout, step: step) + launcher
        let names = Set(own.map { $0.prefix { $0 != "=" } })
        let others = inherited.filter { !names.contains($0.prefix { $0 != "=" }) }
        var arguments = programs[task].words.map { strdup($0) } + [nil]
        var variables = (others + own).map { strdup($0) } + [nil]
        defer { (arguments + variables).forEach { free($0) } }
        var process: pid_t = 0
        errno = posix_spawn(&process, path, &actions, nil, &arguments, &variables)
        return errno == 0 ? process : nil
    }

    private func expand(_ pattern: String, _ task: Int) -> String {
        var values = FilenamePattern.Values(
            jobID: variable("SLURM_JOB_ID").flatMap { UInt32($0) } ?? 0,
            arrayJobID: variable("SLURM_ARRAY_JOB_ID").flatMap { UInt32($0) },
            arrayTaskID: variable("SLURM_ARRAY_TASK_ID").flatMap { UInt32($0) },
            jobName: variable("SLURM_JOB_NAME") ?? "",
            user: Host.userName(getuid()),
            host: host(of: task)
        )
        values.task = UInt32(task)
        values.nodeIndex = UInt32(layout.nodeOfTask[task])
        if let step { values.step = step }
        return FilenamePattern.expand(pattern, values)
    }

    /// Passes input and output on until all tasks have ended; how they ended.
    private mutating func wait(
        _ processes: [pid_t],
        _ labelled: [LabelledPipe] = [],
        _ spreader: InputSpreader = InputSpreader([]),
        in job: UInt32?
    ) -> [RunCommand.Ending] {
        var (labelled, spreader) = (labelled, spreader)
        let width = String(command.tasks - 1).utf8.count
        // A program that could not be started counts as one that ended with ENOENT.
        var endings = [RunCommand.Ending](repeating: (2, 0), count: processes.count)
        usages = Array(repeating: (0, 0), count: processes.count)
        var running = Set(processes.filter { $0 > 0 })
        var firstEnd: Int?
        // The end of a task ends a wait, and so does what is sent, also just before it begins.
        let bell = ReceivedSignals.wakeAtEnds()
        while !running.isEmpty || !labelled.isEmpty {
            while let task = reap(processes, &running, &endings) {
                firstEnd = firstEnd ?? Self.seconds
                let isBad = endings[task] != (0, 0)
                if command.killsOnBadExit, isBad { running.forEach { kill($0, SIGTERM) } }
            }
            let isHurried = command.patience != nil && firstEnd != nil && !wasAborted
            if let signal = ReceivedSignals.next {
                if signal.number == ReceivedSignals.cancellation {
                    cancel(running, job)
                } else if !signal.isForAll {
                    running.forEach { kill($0, signal.number) }
                }
            }
            if isHurried, let patience = command.patience, let firstEnd,
                Self.seconds - firstEnd >= patience, !running.isEmpty
            {
                abort(processes, running, patience, job)
            }
            if revocation == nil, let end = watch?.end() { revoke(running, end, job) }
            endRevoked(running)
            if running.isEmpty { spreader.close() }
            let inputs = spreader.polls
            var polls =
                inputs
                + labelled.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
            guard !polls.isEmpty || !running.isEmpty else { continue }
            // Whoever looks around often has nothing to do with time in a rehearsal.
            let looksAround = watch != nil || revocation != nil || isHurried || bell < 0
            polls.append(pollfd(fd: bell, events: Int16(POLLIN), revents: 0))
            guard poll(&polls, nfds_t(polls.count), looksAround ? 50 : -1) > 0 else { continue }
            if polls.removeLast().revents != 0 { ReceivedSignals.hush() }
            spreader.serve(Array(polls.prefix(inputs.count)))
            for index in labelled.indices.reversed()
            where polls[inputs.count + index].revents != 0 {
                if !labelled[index].copyLines(labelWidth: width) {
                    close(labelled[index].descriptor)
                    labelled.remove(at: index)
                }
            }
        }
        self.endings = endings
        return endings
    }

    /// Tells the tasks that their job is over, and all that they have started.
    private mutating func revoke(_ running: Set<pid_t>, _ end: JobWatch.End, _ job: UInt32?) {
        let wait = JobWatch.killWait
        let id = "\(job.map { "\($0)" } ?? "0").\(step ?? "0")"
        Host.print(
            [
                "\(program): Force Terminated job \(job.map { "\($0)" } ?? "0")",
                "\(program): Job step aborted: Waiting up to \(wait.components.seconds + 2) seconds for job step"
                    + " to finish.",
                Self.cancellationLine(id, on: layout.nodes[0], end.cause),
            ],
            to: 2
        )
        let family = Host.family(of: running)
        Host.signal(family, SIGCONT)
        Host.signal(family, SIGTERM)
        revocation = (family, ContinuousClock.now + wait)
    }

    /// Kills what does not end by itself: tasks when their time is over, and what they leave behind.
    private mutating func endRevoked(_ running: Set<pid_t>) {
        guard let (family, due) = revocation, running.isEmpty || ContinuousClock.now >= due else {
            return
        }
        Host.signal(family, SIGKILL)
        Host.signal(Host.family(of: running), SIGKILL)
        revocation = ([:], due)
    }

    private mutating func cancel(_ running: Set<pid_t>, _ job: UInt32?) {
        isCancelled = true
        let id = "\(job.map { "\($0)" } ?? "0").\(step ?? "0")"
        Host.print(
            [
                "\(program): Job step aborted: Waiting up to 32 seconds for job step to finish.",
                Self.cancellationLine(id, on: layout.nodes[0]),
            ],
            to: 2
        )
        running.forEach { kill($0, SIGKILL) }
    }

    /// What the node says of a step that is cancelled.
    static func cancellationLine(_ id: String, on node: String, _ cause: String = "") -> String {
        let now = CentreCalendar().text(SimInstant(seconds: Int64(time(nil))))
        return
            "slurmstepd-\(node): error: *** STEP \(id) ON \(node) CANCELLED AT \(now)\(cause) ***"
    }

    private static var seconds: Int { time(nil) }

    /// Takes note of one task that has ended; nil when none has.
    private mutating func reap(
        _ processes: [pid_t],
        _ running: inout Set<pid_t>,
        _ endings: inout [RunCommand.Ending]
    ) -> Int? {
        guard !running.isEmpty else { return nil }
        var status: Int32 = 0
        var used = rusage()
        let process = wait4(-1, &status, WNOHANG, &used)
        guard process > 0, let task = processes.firstIndex(of: process) else {
            if process < 0, errno == ECHILD { running = [] }
            return nil
        }
        running.remove(process)
        let time = [used.ru_utime, used.ru_stime].reduce(Int64(0)) {
            $0 + Int64($1.tv_sec) * 1_000_000 + Int64($1.tv_usec)
        }
        usages[task] = (time, Int64(used.ru_maxrss))
        let signal = status & 0x7F
        endings[task] = (signal == 0 ? (status >> 8) & 0xFF : 0, signal)
        return task
    }

    private mutating func abort(
        _ processes: [pid_t],
        _ running: Set<pid_t>,
        _ patience: Int,
        _ job: UInt32?
    ) {
        wasAborted = true
        let id = "\(job.map { "\($0)" } ?? "0").\(step ?? "0")"
        var lines = ["\(program): First task exited \(patience)s ago"]
        func list(_ isMeant: (pid_t) -> Bool, _ word: String) {
            let tasks = processes.indices.filter { isMeant(processes[$0]) }.map { "\($0)" }
            guard !tasks.isEmpty else { return }
            let noun = tasks.count == 1 ? "task" : "tasks"
            lines.append(
                "\(program): StepId=\(id) \(noun) \(tasks.joined(separator: ",")): \(word)"
            )
        }
        list({ running.contains($0) }, "running")
        list({ !running.contains($0) }, "exited")
        lines += [
            "\(program): launch/slurm: _step_signal: Terminating StepId=\(id)",
            "\(program): Job step aborted: Waiting up to 4 seconds for job step to finish.",
            Self.cancellationLine(id, on: layout.nodes[0]),
        ]
        Host.print(lines, to: 2)
        running.forEach { kill($0, SIGKILL) }
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
