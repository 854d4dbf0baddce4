import CLinux
import Glibc
import Synchronization

/// Runs real jobs on this machine through `xinghe-step`, one supervisor process for each.
///
/// Nothing that matters lives in this object: what is to run, who runs it and how it ended are
/// files in the job's folder. So a daemon that died finds its jobs again (`adopt`), and no run is
/// started twice: a supervisor that finds the run's name taken leaves.
public final class JobExecutor: Sendable {
    /// One run of one job.
    public struct Run: Hashable, Sendable {
        /// The number of the job.
        public var jobID: UInt32
        /// How often it had been requeued before.
        public var restart: Int

        /// Names a run.
        public init(jobID: UInt32, restart: Int) {
            self.jobID = jobID
            self.restart = restart
        }
    }

    /// What was found of a run that an earlier daemon had started.
    public enum Adoption: Hashable, Sendable {
        /// It still runs and is watched now.
        case running
        /// It ended while nobody watched.
        case ended(StepOutcome)
        /// No supervisor ever took it, and none can any more.
        case neverStarted
    }

    private struct Watched {
        var run: Run
        var supervisor: pid_t
        var descriptor: Int32
        /// The channel of a rehearsed run; -1 for another, and when it is closed.
        var channel: Int32
    }

    private let stepProgram: String
    private let root: String
    private let watched = Mutex<[Watched]>([])
    private let isStopping = Atomic<Bool>(false)
    /// Written to when the set of watched processes changes.
    private let wakeWriter: Int32
    private let wakeReader: Int32

    /// Makes an executor whose job folders are below `root`, and which starts `stepProgram`.
    public init(stepProgram: String, root: String) throws(ExecutionFailure) {
        guard access(stepProgram, X_OK) == 0 else {
            throw ExecutionFailure(call: "access", subject: stepProgram, code: errno)
        }
        if mkdir(root, 0o755) != 0, errno != EEXIST {
            throw ExecutionFailure(call: "mkdir", subject: root, code: errno)
        }
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else {
            throw ExecutionFailure(call: "pipe", subject: "", code: errno)
        }
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        self.stepProgram = stepProgram
        self.root = root
        wakeReader = ends[0]
        wakeWriter = ends[1]
    }

    deinit {
        close(wakeReader)
        close(wakeWriter)
    }

    /// The folder of a run.
    public func folder(of run: Run) -> StepFolder {
        StepFolder(root: root, jobID: run.jobID, restart: run.restart)
    }
}

// MARK: - Starting and ending

extension JobExecutor {
    /// Writes the job's folder and starts its supervisor.
    ///
    /// - Parameter script: the script, byte for byte.
    /// - Parameter files: further files for the folder, readable by all.
    /// - Throws: `ExecutionFailure`; the job has not begun then.
    public func start(
        _ run: Run,
        _ specification: StepSpecification,
        script: [UInt8],
        files: [(name: String, text: String)] = []
    ) throws(ExecutionFailure) {
        let folder = folder(of: run)
        try make(folder)
        for (name, text) in files {
            try SmallFile.write(Array(text.utf8), to: "\(folder.path)/\(name)")
        }
        try SmallFile.write(script, to: folder.script, mode: 0o700)
        try SmallFile.write([], to: folder.measure, mode: 0o600)
        var own = [folder.script, folder.measure]
        if specification.rehearsal != nil {
            for path in [folder.steps, folder.modules] {
                try SmallFile.write([], to: path, mode: 0o600)
                own.append(path)
            }
            guard mkdir(folder.programs, 0o755) == 0 else {
                throw ExecutionFailure(call: "mkdir", subject: folder.programs, code: errno)
            }
            own.append(folder.programs)
        }
        if let user = specification.user {
            for path in own {
                guard chown(path, user.id, user.groupID) == 0 else {
                    throw ExecutionFailure(call: "chown", subject: path, code: errno)
                }
            }
        }
        try SmallFile.write(specification.encoded, to: folder.specification, mode: 0o600)
        var ends: [Int32] = [-1, -1]
        if specification.rehearsal != nil, CLinux_message_pair(&ends) != 0 {
            throw ExecutionFailure(call: "socketpair", subject: "", code: errno)
        }
        defer { if ends[1] >= 0 { close(ends[1]) } }
        do throws(ExecutionFailure) {
            let supervisor = try spawn(folder, channel: ends[1])
            try watch(run, started: supervisor, channel: ends[0])
        } catch {
            if ends[0] >= 0 { close(ends[0]) }
            throw error
        }
    }

    private func watch(
        _ run: Run,
        started supervisor: pid_t,
        channel: Int32
    ) throws(ExecutionFailure) {
        do throws(ExecutionFailure) {
            try watch(run, supervisor, channel: channel)
        } catch {
            // Nobody would hear of its end.
            kill(supervisor, SIGKILL)
            waitpid(supervisor, nil, 0)
            endLeftovers(of: run)
            throw error
        }
    }

    /// Makes the folder of a run. One that is there is what a centre with another journal left, and
    /// goes, unless its job still runs.
    private func make(_ folder: StepFolder) throws(ExecutionFailure) {
        guard mkdir(folder.path, 0o755) != 0 else { return }
        guard errno == EEXIST else {
            throw ExecutionFailure(call: "mkdir", subject: folder.path, code: errno)
        }
        if supervisor(in: folder)?.isRunning == true {
            throw ExecutionFailure(call: "start", subject: folder.path, code: EEXIST)
        }
        clear(folder)
    }

    /// Asks a run to end: SIGTERM, and SIGKILL after the kill wait. `notice` goes into the job's
    /// standard error first.
    public func end(_ run: Run, notice: String? = nil) {
        if let notice { setNotice(notice, of: run) }
        signalSupervisor(of: run) { supervisor in
            // A job may have stopped it.
            kill(supervisor, SIGCONT)
            return kill(supervisor, SIGTERM)
        }
    }

    /// Ends a run whose supervisor does not: kills it, and what it leaves.
    public func endAtOnce(_ run: Run) {
        signalSupervisor(of: run) { kill($0, SIGKILL) }
    }

    /// Says something to the supervisor of a rehearsed run.
    public func tell(_ run: Run, _ message: String) {
        let bytes = Array(message.utf8)
        watched.withLock { all in
            guard let entry = all.first(where: { $0.run == run }), entry.channel >= 0 else {
                return
            }
            let flags = Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
            _ = send(entry.channel, bytes, bytes.count, flags)
        }
    }

    /// Ends a rehearsed run at once, without a word.
    public func abandon(_ run: Run) {
        watched.withLock { all in
            guard let index = all.firstIndex(where: { $0.run == run }) else { return }
            // Only this wakes whoever polls it; `finish` closes it.
            _ = shutdown(all[index].channel, Int32(SHUT_RDWR))
        }
    }

    /// Writes what the supervisor appends to the job's standard error when it ends the job.
    public func setNotice(_ notice: String, of run: Run) {
        try? SmallFile.write(Array(notice.utf8), to: folder(of: run).notice)
    }

    /// Sends a signal to every process of a run.
    public func signal(_ run: Run, number: Int32) {
        signalSupervisor(of: run) { CLinux_signal_descendants($0, number) }
    }

    /// Sends a signal to the process that runs the script, and to no other.
    public func signalShell(_ run: Run, number: Int32) {
        let child = StepStatus(path: folder(of: run).status).child
        if let child, child.isRunning { kill(child.pid, number) }
    }

    /// Sends a signal to the command that runs a step. Who it is was told by the job: it must be one of the
    /// centre's commands, of the job's user.
    public func signalStep(_ process: Int32, number: Int32, ofUser user: UInt32) {
        var status = stat()
        guard process > 1, stat("/proc/\(process)", &status) == 0, status.st_uid == user,
            let name = try? SmallFile.read("/proc/\(process)/comm"),
            ["yhrun\n", "srun\n", "yh\n"].contains(String(decoding: name, as: UTF8.self))
        else { return }
        kill(process, number)
    }

    /// Removes the files of a run that has ended and is accounted for.
    public func forget(_ run: Run) {
        let folder = folder(of: run)
        clear(folder)
        rmdir(folder.path)
    }

    private func clear(_ folder: StepFolder) {
        for path in [
            folder.specification, folder.script, folder.supervisor, folder.status, folder.notice,
            folder.measure, folder.hostfile, folder.clock, folder.steps, folder.modules,
        ] {
            unlink(path)
        }
        // The job may have put anything into it; nothing of it runs any more.
        CLinux_remove_tree(folder.programs)
    }

    private func signalSupervisor(of run: Run, _ send: (pid_t) -> Int32) {
        // Under the lock: a watched supervisor is not reaped, so its number is still its own.
        watched.withLock { all in
            guard let entry = all.first(where: { $0.run == run }) else { return }
            _ = send(entry.supervisor)
        }
    }

    private func spawn(_ folder: StepFolder, channel: Int32) throws(ExecutionFailure) -> pid_t {
        var attributes = posix_spawnattr_t()
        var actions = posix_spawn_file_actions_t()
        posix_spawnattr_init(&attributes)
        posix_spawn_file_actions_init(&actions)
        defer {
            posix_spawnattr_destroy(&attributes)
            posix_spawn_file_actions_destroy(&actions)
        }
        // Blocked from the first instruction, so that an end asked for at once is not lost.
        var blocked = sigset_t()
        sigemptyset(&blocked)
        for number in [SIGCHLD, SIGTERM, SIGINT, SIGHUP] { sigaddset(&blocked, number) }
        posix_spawnattr_setsigmask(&attributes, &blocked)
        // What the daemon ignores or catches is nothing that a job should find ignored.
        var usual = sigset_t()
        sigfillset(&usual)
        posix_spawnattr_setsigdefault(&attributes, &usual)
        posix_spawnattr_setflags(
            &attributes,
            Int16(POSIX_SPAWN_SETSIGMASK) | Int16(POSIX_SPAWN_SETSIGDEF)
                | CLinux_spawn_new_session()
        )
        for target in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] {
            posix_spawn_file_actions_addopen(&actions, target, "/dev/null", O_RDWR, 0)
        }
        if channel >= 0 { posix_spawn_file_actions_adddup2(&actions, channel, STDIN_FILENO) }
        let texts = CStrings()
        defer { withExtendedLifetime(texts) {} }
        let arguments = texts.array([stepProgram, folder.path])
        let environment = texts.array(["PATH=/usr/bin:/bin"])
        var pid: pid_t = 0
        let code = posix_spawn(&pid, stepProgram, &actions, &attributes, arguments, environment)
        guard code == 0 else {
            throw ExecutionFailure(call: "posix_spawn", subject: stepProgram, code: code)
        }
        return pid
    }
}

// MARK: - Finding again

extension JobExecutor {
    /// Looks what became of a run that a daemon before this one had started.
    ///
    /// - Throws: `ExecutionFailure` when it runs and cannot be watched.
    public func adopt(_ run: Run) throws(ExecutionFailure) -> Adoption {
        let folder = folder(of: run)
        // A supervisor that was spawned by a daemon killed meanwhile may be about to put its name
        // here. Whoever makes this file first has the run; what holds no name starts nothing.
        link(folder.specification, folder.supervisor)
        guard let supervisor = supervisor(in: folder) else {
            let status = StepStatus(path: folder.status)
            let hasBegun = status.child != nil || status.outcome != nil
            return hasBegun ? .ended(outcome(of: run, supervisorStatus: nil)) : .neverStarted
        }
        if supervisor.isRunning {
            do throws(ExecutionFailure) {
                try watch(run, supervisor.pid)
                return .running
            } catch {
                // Gone in this very moment; anything else is no reason to give up a healthy job.
                guard error.code == ESRCH else { throw error }
            }
        }
        return .ended(outcome(of: run, supervisorStatus: nil))
    }

    /// All runs that have a folder, whatever became of them.
    public var runsWithFolders: [Run] {
        guard let folder = opendir(root) else { return [] }
        defer { closedir(folder) }
        var found: [Run] = []
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            let parts = name.split(separator: ".")
            guard parts.count == 2, let id = UInt32(parts[0]), let restart = Int(parts[1]) else {
                continue
            }
            found.append(Run(jobID: id, restart: restart))
        }
        return found
    }

    /// Who has the run; nil when no supervisor has.
    private func supervisor(in folder: StepFolder) -> ProcessIdentity? {
        SmallFile.finishedLines(folder.supervisor).first.flatMap { ProcessIdentity(parsing: $0) }
    }

    /// Reads how a run ended whose supervisor is gone.
    private func outcome(of run: Run, supervisorStatus: Int32?) -> StepOutcome {
        let status = StepStatus(path: folder(of: run).status)
        if let outcome = status.outcome { return outcome }
        var outcome = StepOutcome()
        if status.child == nil, let code = supervisorStatus.map(CLinux_exit_status), code != 0 {
            outcome.signal = 53
            outcome.launchProblem = "xinghe-step ended with status \(code)"
            return outcome
        }
        endLeftovers(of: run)
        outcome.isLost = true
        return outcome
    }

    /// Ends what is left of a run whose supervisor was killed: nobody could say how it ends.
    ///
    /// What the job started is in the session that its first process leads, whether that one lives
    /// or not. The number of a session is not given to a process while a member lives, so another
    /// process of that number says that there is none.
    private func endLeftovers(of run: Run) {
        defer { EscapedProcesses.end(with: "XINGHE_MEASURE=\(folder(of: run).measure)") }
        guard let child = StepStatus(path: folder(of: run).status).child else { return }
        let holder = ProcessIdentity(running: child.pid)
        guard holder == nil || holder == child, child.isOfThisBoot else { return }
        // One look may miss what is being forked meanwhile.
        var looks = 0
        while looks < 200, CLinux_signal_session(child.pid, SIGKILL) > 0 {
            looks += 1
            usleep(5_000)
        }
    }
}

// MARK: - Watching

extension JobExecutor {
    private func watch(
        _ run: Run,
        _ supervisor: pid_t,
        channel: Int32 = -1
    ) throws(ExecutionFailure) {
        let descriptor = CLinux_pidfd_open(supervisor)
        guard descriptor >= 0 else {
            throw ExecutionFailure(call: "pidfd_open", subject: String(supervisor), code: errno)
        }
        watched.withLock {
            $0.append(
                Watched(
                    run: run,
                    supervisor: supervisor,
                    descriptor: descriptor,
                    channel: channel
                )
            )
        }
        wake()
    }

    private func wake() {
        var byte: UInt8 = 0
        write(wakeWriter, &byte, 1)
    }

    /// Lets `reportEnds` return.
    public func stop() {
        isStopping.store(true, ordering: .releasing)
        wake()
    }

    /// Calls `onEnd` for each run that ends, and `onMessage` for what the supervisors of rehearsed runs
    /// say, until `stop()`. Blocks: give it a thread.
    public func reportEnds(
        onMessage: (Run, String) -> Void = { _, _ in },
        to onEnd: (Run, StepOutcome) -> Void
    ) {
        while !isStopping.load(ordering: .acquiring) {
            let entries = watched.withLock { $0 }
            let events = Int16(POLLIN)
            var polled = [pollfd(fd: wakeReader, events: events, revents: 0)]
            polled += entries.map { pollfd(fd: $0.descriptor, events: events, revents: 0) }
            polled += entries.map { pollfd(fd: $0.channel, events: events, revents: 0) }
            guard poll(&polled, nfds_t(polled.count), -1) > 0 else { continue }
            var bytes = [UInt8](repeating: 0, count: 64)
            while read(wakeReader, &bytes, bytes.count) > 0 {}
            // What a supervisor said comes before its end.
            for (entry, poll) in zip(entries, polled.dropFirst(1 + entries.count))
            where poll.revents != 0 {
                if let message = message(of: entry) { onMessage(entry.run, message) }
            }
            for (entry, poll) in zip(entries, polled.dropFirst()) where poll.revents != 0 {
                onEnd(entry.run, finish(entry))
            }
        }
    }

    /// The next message of a supervisor; nil, and never asked for again, once there can be none.
    private func message(of entry: Watched) -> String? {
        var bytes = [UInt8](repeating: 0, count: 128)
        let count = recv(entry.channel, &bytes, bytes.count, Int32(MSG_DONTWAIT))
        if count > 0 { return String(decoding: bytes[..<count], as: UTF8.self) }
        guard count == 0 || errno != EAGAIN && errno != EINTR else { return nil }
        watched.withLock { all in
            guard let index = all.firstIndex(where: { $0.run == entry.run }) else { return }
            close(all[index].channel)
            all[index].channel = -1
        }
        return nil
    }

    private func finish(_ entry: Watched) -> StepOutcome {
        var status: Int32 = 0
        let isChild = watched.withLock { all in
            for other in all where other.run == entry.run && other.channel >= 0 {
                close(other.channel)
            }
            all.removeAll { $0.run == entry.run }
            return waitpid(entry.supervisor, &status, 0) == entry.supervisor
        }
        close(entry.descriptor)
        return outcome(of: entry.run, supervisorStatus: isChild ? status : nil)
    }
}
