import CLinux
import Glibc

/// The parent of one real job: starts it, waits for it, writes down how it ended.
///
/// It is a process of its own, so that the exit code is not lost when the daemon dies, and it is
/// the subreaper of all that the job starts, so that nothing of the job outlives it: whatever still
/// runs when the job's first process has ended is killed, also what left the process group.
///
/// SIGTERM asks it to end the job: the notice, if there is one, goes into the job's standard error,
/// the job gets SIGTERM and, when it is still there after the kill wait, SIGKILL. Nothing that the
/// job does may keep it from that, nor lead it to a file that the job's user cannot write.
public struct StepSupervisor {
    let specification: StepSpecification
    /// The time between SIGTERM and SIGKILL. Unit: ms.
    var killWaitMilliseconds: UInt32 { specification.killWaitMilliseconds }
    private let folder: StepFolder

    /// Runs the step of the folder and returns the exit status of the supervisor itself: 0 when
    /// the outcome is written down, 64 when the specification is missing or wrong, 75 when another
    /// supervisor has the job.
    public static func run(folder path: String) -> Int32 {
        // Whatever the daemon had inherited from who started it is not ours to keep open.
        CLinux_close_from(3)
        let folder = StepFolder(path: path)
        guard let bytes = try? SmallFile.read(folder.specification),
            let specification = StepSpecification(decoding: bytes)
        else { return 64 }
        let supervisor = StepSupervisor(specification: specification, folder: folder)
        guard let identity = ProcessIdentity(running: getpid()) else { return 71 }
        do throws(ExecutionFailure) {
            try SmallFile.write(
                Array("\(identity)\n".utf8),
                to: folder.supervisor,
                mustBeNew: true
            )
            try supervisor.supervise()
            return 0
        } catch {
            return error.call == "link" && error.code == EEXIST ? 75 : 71
        }
    }

    private func supervise() throws(ExecutionFailure) {
        CLinux_become_subreaper()
        let clock = try specification.rehearsal.map { rehearsal throws(ExecutionFailure) in
            try VirtualClock(start: rehearsal.start, file: folder.clock)
        }
        var awaited = sigset_t()
        sigemptyset(&awaited)
        for number in [SIGCHLD, SIGTERM, SIGINT, SIGHUP] { sigaddset(&awaited, number) }
        sigprocmask(SIG_BLOCK, &awaited, nil)

        var child = CLinux_child()
        guard fork(&child) == 0 else {
            return try refuse(stage: Int32(CLinux_stage_fork.rawValue), reason: errno)
        }
        // Before the job's first step: should this process be killed, the next one finds the job.
        if let identity = ProcessIdentity(running: child.pid) {
            try SmallFile.appendLine(StepStatus.line(started: identity), to: folder.status)
        }
        let began = monotonicMicroseconds()
        var stage: Int32 = 0
        var reason: Int32 = 0
        guard CLinux_release(&child, &stage, &reason) == 0 else {
            return try refuse(stage: stage, reason: reason)
        }
        guard let rehearsal = specification.rehearsal, let clock else {
            let outcome = awaitEnd(of: child.pid, since: began, signals: awaited)
            return try record(StepStatus.line(ended: outcome))
        }
        let calls = WaitingCalls(listener: child.listener, socket: rehearsal.socket, clock: clock)
        guard let outcome = awaitRehearsedEnd(of: child.pid, calls, rehearsal) else { return }
        try record(outcome.isOverdue ? StepStatus.overdue : StepStatus.line(ended: outcome))
    }

    /// Writes the line that tells the end. On a full disk it tries again for an hour: the exit
    /// code is known here and nowhere else.
    private func record(_ line: String) throws(ExecutionFailure) {
        for _ in 0..<3_600 {
            do throws(ExecutionFailure) {
                return try SmallFile.appendLine(line, to: folder.status)
            } catch {
                guard error.code == ENOSPC || error.code == EDQUOT else { throw error }
                sleep(1)
            }
        }
        throw ExecutionFailure(call: "write", subject: folder.status, code: ENOSPC)
    }

    /// A job whose program cannot be executed ends with the errno as its exit status, as
    /// slurmstepd does; what fails before is a launch failure, signal 53.
    private func refuse(stage: Int32, reason: Int32) throws(ExecutionFailure) {
        let text = String(cString: strerror(reason))
        let isExecution = stage == Int32(CLinux_stage_execute.rawValue)
        let line = StepStatus.line(
            refused: "\(subject(of: stage)): \(text)",
            exitCode: isExecution ? reason : 0,
            signal: isExecution ? 0 : 53
        )
        try record(line)
    }

    /// The script, or the interpreter that its first line names when that is what is missing.
    private var badProgram: String {
        guard let bytes = try? SmallFile.read(specification.program),
            bytes.starts(with: "#!".utf8)
        else { return specification.program }
        let line = String(decoding: bytes.dropFirst(2).prefix { $0 != 0x0A }, as: UTF8.self)
        let interpreter = line.split(separator: " ").first.map(String.init) ?? ""
        return access(interpreter, X_OK) == 0
            ? specification.program : "bad interpreter(\(interpreter))"
    }

    private func subject(of stage: Int32) -> String {
        switch CLinux_stage(UInt32(stage)) {
        case CLinux_stage_fork: "fork"
        case CLinux_stage_affinity: "sched_setaffinity"
        case CLinux_stage_credentials: "change to user \(specification.user?.name ?? "")"
        case CLinux_stage_directory: "chdir \(specification.directory)"
        case CLinux_stage_input: "open \(specification.input)"
        case CLinux_stage_output: "open \(specification.output)"
        case CLinux_stage_error: "open \(specification.error ?? specification.output)"
        case CLinux_stage_filter: "seccomp"
        default: "execve \(specification.program)"
        }
    }
}

// MARK: - Waiting

extension StepSupervisor {
    private func awaitEnd(
        of child: pid_t,
        since began: Int64,
        signals: sigset_t
    ) -> StepOutcome {
        var outcome = StepOutcome()
        var signals = signals
        var hasEnded = false
        var toldAt: Int64?
        var killAt: Int64?
        while true {
            hasEnded = reap(child, into: &outcome) || hasEnded
            // What is left of a job whose first process has ended goes at once.
            if hasEnded, CLinux_signal_descendants(getpid(), SIGKILL) == 0 {
                while reap(child, into: &outcome) {}
                outcome.wallMicroseconds = (toldAt ?? monotonicMicroseconds()) - began
                return outcome
            }
            if let due = killAt, monotonicMicroseconds() >= due {
                CLinux_signal_descendants(getpid(), SIGKILL)
                killAt = nil
            }
            let rest = killAt.map { max(1_000, $0 - monotonicMicroseconds()) } ?? 60_000_000
            let wait = hasEnded ? 10_000 : min(rest, 60_000_000)
            var timeout = timespec(
                tv_sec: Int(wait / 1_000_000),
                tv_nsec: Int(wait % 1_000_000) * 1_000
            )
            let signal = sigtimedwait(&signals, nil, &timeout)
            guard signal == SIGTERM || signal == SIGINT, toldAt == nil, !hasEnded else { continue }
            let now = monotonicMicroseconds()
            toldAt = now
            killAt = now + Int64(specification.killWaitMilliseconds) * 1_000
            announce()
            CLinux_signal_descendants(getpid(), SIGTERM)
        }
    }

    /// Takes every child that has ended. Returns whether the job's first process was among them.
    func reap(_ child: pid_t, into outcome: inout StepOutcome) -> Bool {
        var isChild = false
        while true {
            var status: Int32 = 0
            var usage = rusage()
            let pid = wait4(-1, &status, WNOHANG, &usage)
            guard pid > 0 else { return isChild }
            outcome.cpuMicroseconds += microseconds(usage.ru_utime) + microseconds(usage.ru_stime)
            outcome.largestResidentKibibytes = max(
                outcome.largestResidentKibibytes,
                Int64(usage.ru_maxrss)
            )
            guard pid == child else { continue }
            isChild = true
            outcome.exitCode = CLinux_exit_status(status)
            outcome.signal = CLinux_signal_number(status)
        }
    }

    /// Writes the notice where the job's standard error went when it began, with the rights of the
    /// job's user: what the job has made of its own descriptors since is its own affair.
    func announce() {
        guard let bytes = try? SmallFile.read(folder.notice), !bytes.isEmpty else { return }
        append(bytes)
    }

    /// Appends to where the job's standard error went when it began.
    func append(_ bytes: [UInt8]) {
        let texts = CStrings()
        defer { withExtendedLifetime(texts) {} }
        var user = self.user(texts)
        let path = texts.constant(specification.error ?? specification.output)
        CLinux_append_as(&user, path, bytes, bytes.count, 1_000)
    }

    private func user(_ texts: CStrings) -> CLinux_user {
        CLinux_user(
            changes: specification.user == nil ? 0 : 1,
            id: specification.user?.id ?? 0,
            group: specification.user?.groupID ?? 0,
            name: texts.constant(specification.user?.name ?? "")
        )
    }
}

private func microseconds(_ time: timeval) -> Int64 {
    Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_usec)
}

func monotonicMicroseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000
}

// MARK: - Starting

extension StepSupervisor {
    /// The forked child has copies of all strings, so they may go when this returns.
    private func fork(_ child: inout CLinux_child) -> Int32 {
        var launch = CLinux_launch()
        launch.appends = specification.appendsOutput ? 1 : 0
        launch.mask = specification.mask
        launch.notifies = specification.rehearsal == nil ? 0 : 1
        launch.file_limit = UInt(specification.rehearsal?.fileLimit ?? 0)
        let texts = CStrings()
        defer { withExtendedLifetime(texts) {} }
        launch.path = texts.constant(specification.program)
        launch.directory = texts.constant(specification.directory)
        launch.input = texts.constant(specification.input)
        launch.output = texts.constant(specification.output)
        launch.error = specification.error.map(texts.constant)
        launch.complaint = texts.constant(
            "slurmstepd-\(specification.nodeName): error: execve(): \(badProgram)"
        )
        launch.user = user(texts)
        let arguments = texts.array([specification.program] + specification.arguments)
        // The script's own process number is known in the child only, which fills it in.
        let pidVariable = "SLURM_TASK_PID="
        let environment = texts.array(
            specification.environment.filter { !$0.hasPrefix(pidVariable) }
                + [pidVariable + "0000000000"]
        )
        launch.pid_text = environment.dropLast().last.flatMap { variable in
            variable.map { $0 + pidVariable.utf8.count }
        }
        return arguments.withUnsafeBufferPointer { arguments in
            environment.withUnsafeBufferPointer { environment in
                specification.processingUnits.withUnsafeBufferPointer { units in
                    launch.arguments = arguments.baseAddress
                    launch.environment = environment.baseAddress
                    launch.cpus = units.baseAddress
                    launch.cpu_count = Int32(units.count)
                    return CLinux_fork(&launch, &child)
                }
            }
        }
    }
}

/// C strings that live as long as this object.
final class CStrings {
    private var all: [UnsafeMutablePointer<CChar>] = []

    deinit {
        for text in all { free(text) }
    }

    func copy(_ text: String) -> UnsafeMutablePointer<CChar> {
        guard let copy = strdup(text) else { preconditionFailure("no memory for a string") }
        all.append(copy)
        return copy
    }

    func constant(_ text: String) -> UnsafePointer<CChar> { UnsafePointer(copy(text)) }

    /// The strings, and a null at the end.
    func array(_ texts: [String]) -> [UnsafeMutablePointer<CChar>?] {
        texts.map(copy) + [nil]
    }
}
