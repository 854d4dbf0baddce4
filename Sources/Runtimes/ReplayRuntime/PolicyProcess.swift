import Glibc
import Synchronization

/// A program that answers lines with lines: its standard input and output are one socket.
///
/// It runs under the shell, as the leader of a process group of its own, so that all that it has
/// started ends with it. Its standard error is ours.
final class PolicyProcess {
    /// Why the program gave no line. The texts are for users.
    enum Failure: Error, Hashable {
        /// It could not be started; the system's reason.
        case isNotStarted(String)
        /// It ended; how.
        case hasEnded(String)
        /// It closed its output and goes on.
        case hasClosedOutput
        /// It said nothing in time.
        case isSilent
        /// It wrote this much without the end of a line. Unit: bytes.
        case lineIsTooLong(Int)
    }

    /// No honest answer is longer. Unit: bytes.
    private static let longestLine = 64 << 20
    /// How long an ended program may take to be gone. Unit: ms.
    private static let patience: Int64 = 2_000

    private let pid: pid_t
    private var socket: Int32
    private var received: [UInt8] = []
    private var isReaped = false

    /// Starts `command` as `sh -c` does.
    init(command: String) throws(Failure) {
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else {
            throw .isNotStarted("socketpair: \(Self.reason(errno))")
        }
        defer { close(ends[1]) }
        do throws(Failure) {
            pid = try Self.spawn(command, ends[1])
        } catch {
            close(ends[0])
            throw error
        }
        socket = ends[0]
        _ = fcntl(socket, F_SETFL, O_NONBLOCK)
        StoppableGroup.watch(pid)
    }

    deinit { stop() }

    private static func spawn(_ command: String, _ end: Int32) throws(Failure) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, end, STDIN_FILENO)
        posix_spawn_file_actions_adddup2(&actions, end, STDOUT_FILENO)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
        var child: pid_t = 0
        var arguments = ["sh", "-c", command].map { (word: String) in strdup(word) } + [nil]
        defer { for argument in arguments { free(argument) } }
        let code = posix_spawn(&child, "/bin/sh", &actions, &attributes, &arguments, environ)
        guard code == 0 else { throw .isNotStarted("/bin/sh: \(reason(code))") }
        return child
    }

    // MARK: Lines

    /// Sends a line and waits for the line that answers it.
    ///
    /// - Parameters:
    ///   - line: without its end.
    ///   - timeout: how long the answer may take. Unit: ms.
    func ask(_ line: String, timeout: Int64) throws(Failure) -> [UInt8] {
        let request = Array(line.utf8) + [UInt8(ascii: "\n")]
        let deadline = Self.now() + timeout
        var sent = 0
        while true {
            if sent == request.count, let answer = takeLine() { return answer }
            // Both ways at once: a program may write before it has read all.
            var wanted = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
            if sent < request.count { wanted.events |= Int16(POLLOUT) }
            let rest = deadline - Self.now()
            guard rest > 0, poll(&wanted, 1, Int32(clamping: rest)) != 0 else { throw .isSilent }
            if wanted.revents & Int16(POLLOUT) != 0, sent < request.count {
                sent += try send(request[sent...])
            }
            if wanted.revents & Int16(POLLIN | POLLHUP | POLLERR) != 0 { try receive() }
        }
    }

    /// Whether it has written more than was asked for.
    var hasSpokenUnasked: Bool { !received.isEmpty }

    private func takeLine() -> [UInt8]? {
        guard let end = received.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
        let line = Array(received[..<end])
        received.removeSubrange(...end)
        return line
    }

    private func send(_ bytes: ArraySlice<UInt8>) throws(Failure) -> Int {
        let count = bytes.withUnsafeBytes {
            Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        if count >= 0 { return count }
        // A broken pipe shows as the end of the answers, where the reason is looked up.
        guard errno == EAGAIN || errno == EINTR else { throw ending() }
        return 0
    }

    private func receive() throws(Failure) {
        let room = 1 << 16
        var count = 0
        received.reserveCapacity(received.count + room)
        let chunk = [UInt8](unsafeUninitializedCapacity: room) { buffer, used in
            count = recv(socket, buffer.baseAddress, room, 0)
            used = max(0, count)
        }
        received += chunk
        if count < 0, errno == EAGAIN || errno == EINTR { return }
        guard count > 0 else { throw ending() }
        guard received.count <= Self.longestLine else {
            throw .lineIsTooLong(received.count)
        }
    }

    // MARK: The end

    /// Tells it that nothing more will come, and lets it finish.
    ///
    /// - Parameter timeout: what it may take for that. Unit: ms.
    func finish(lastLine: String, timeout: Int64) {
        let bytes = Array(lastLine.utf8) + [UInt8(ascii: "\n")]
        // It may be gone already; then nothing is to be told.
        _ = bytes.withUnsafeBytes {
            Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        shutdown(socket, Int32(SHUT_WR))
        _ = awaitExit(timeout)
        stop()
    }

    /// Ends it and all that it has started.
    func stop() {
        guard !isReaped else { return }
        kill(-pid, SIGKILL)
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        isReaped = true
        StoppableGroup.forget(pid)
        close(socket)
    }

    /// How it ended, now that its output is closed.
    private func ending() -> Failure {
        guard let status = awaitExit(Self.patience) else { return .hasClosedOutput }
        return .hasEnded(status)
    }

    /// Waits for its exit without taking its number away, so that its group can be ended safely.
    private func awaitExit(_ timeout: Int64) -> String? {
        let deadline = Self.now() + timeout
        while true {
            var info = siginfo_t()
            guard waitid(P_PID, id_t(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0 else {
                return nil
            }
            if info._sifields._sigchld.si_pid == pid {
                let value = info._sifields._sigchld.si_status
                guard info.si_code == CLD_EXITED else { return "was ended by signal \(value)" }
                let hint = value == 127 ? " (the shell found no such program)" : ""
                return "ended with status \(value)\(hint)"
            }
            guard Self.now() < deadline else { return nil }
            usleep(1_000)
        }
    }

    private static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
    }

    private static func reason(_ code: Int32) -> String { String(cString: strerror(code)) }
}

/// The group that is ended when this program is: Ctrl-C does not reach groups of their own.
private enum StoppableGroup {
    private static let group = Atomic<Int32>(0)

    static func watch(_ pid: pid_t) {
        group.store(pid, ordering: .relaxed)
        for number in [SIGINT, SIGTERM, SIGHUP] { signal(number, endGroup) }
    }

    static func forget(_ pid: pid_t) {
        let (isOurs, _) = group.compareExchange(expected: pid, desired: 0, ordering: .relaxed)
        guard isOurs else { return }
        for number in [SIGINT, SIGTERM, SIGHUP] { signal(number, SIG_DFL) }
    }

    /// Runs as a signal handler: nothing but an atomic and system calls.
    private static let endGroup: @convention(c) (Int32) -> Void = { number in
        let pid = group.load(ordering: .relaxed)
        if pid > 0 { kill(-pid, SIGKILL) }
        signal(number, SIG_DFL)
        raise(number)
    }
}
