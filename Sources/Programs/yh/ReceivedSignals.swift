import Glibc
import Synchronization

/// `SI_QUEUE` of sigaction(2), which Swift does not see.
private let SI_QUEUE_CODE: Int32 = -1

/// Signals that have come to this command, which may be meant for the tasks that it runs.
enum ReceivedSignals {
    /// A signal, and who sent it: 0 for the kernel.
    struct Received {
        var number: Int32
        var sender: pid_t
        /// Whether it was sent to this process alone, whoever sent it.
        var isQueued: Bool

        /// Whether whoever sent it has sent it to the tasks as well: a terminal, or the supervisor of the job.
        var isForAll: Bool {
            guard !isQueued else { return false }
            guard sender != 0 else { return true }
            let name = Host.read(path: "/proc/\(sender)/comm") ?? []
            return name.starts(with: "xinghe-step".utf8)
        }
    }

    /// The step is cancelled, and not its job. It is none of the signals that scripts send.
    static let cancellation: Int32 = 35

    /// Those that are meant for tasks, and a cancellation.
    static let forTasks = [SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, cancellation]

    /// What the handler leaves: the number, whether it was queued, and above both the sender; an atomic is one of the few things that it
    /// may touch.
    private static let noted = Atomic<UInt64>(0)

    /// The signal that has come; nil when none has. It is told once.
    static var next: Received? {
        let noted = noted.exchange(0, ordering: .relaxed)
        guard noted != 0 else { return nil }
        let sender = pid_t(truncatingIfNeeded: noted >> 32)
        return Received(
            number: Int32(truncatingIfNeeded: noted & 0x7F),
            sender: sender,
            isQueued: noted & 0x80 != 0
        )
    }

    /// Where the handlers write a byte, so that a poll(2) which has not begun yet does not wait.
    private static let bell = Atomic<Int32>(-1)
    private static let heard = Atomic<Int32>(-1)

    private static func ring() {
        let bell = bell.load(ordering: .relaxed)
        guard bell >= 0 else { return }
        let before = errno
        var byte: UInt8 = 0
        write(bell, &byte, 1)
        errno = before
    }

    /// Lets the end of a child, and each signal that is watched, end a poll(2) of what is returned; -1 where
    /// there is no pipe to be had, and an end interrupts one that has begun.
    static func wakeAtEnds() -> Int32 {
        var ends: [Int32] = [-1, -1]
        if bell.load(ordering: .relaxed) < 0, pipe(&ends) == 0 {
            for end in ends {
                _ = fcntl(end, F_SETFL, O_NONBLOCK)
                _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            }
            heard.store(ends[0], ordering: .relaxed)
            bell.store(ends[1], ordering: .relaxed)
        }
        var action = sigaction()
        action.sa_flags = SA_RESTART
        action.__sigaction_handler.sa_handler = { _ in ReceivedSignals.ring() }
        sigaction(SIGCHLD, &action, nil)
        return heard.load(ordering: .relaxed)
    }

    /// Forgets what has rung until now.
    static func hush() {
        var bytes = [UInt8](repeating: 0, count: 64)
        while read(heard.load(ordering: .relaxed), &bytes, bytes.count) == bytes.count {}
    }

    /// Takes note of signals from now on; what is waiting goes on at once when one comes.
    static func watch(_ numbers: [Int32]) {
        var action = sigaction()
        action.sa_flags = SA_SIGINFO
        action.__sigaction_handler.sa_sigaction = { number, information, _ in
            let sender = information?.pointee._sifields._kill.si_pid ?? 0
            let isQueued = information?.pointee.si_code == SI_QUEUE_CODE
            ReceivedSignals.noted.store(
                UInt64(UInt32(bitPattern: sender)) << 32 | (isQueued ? 0x80 : 0)
                    | UInt64(UInt32(bitPattern: number) & 0x7F),
                ordering: .relaxed
            )
            ReceivedSignals.ring()
        }
        for number in numbers { sigaction(number, &action, nil) }
    }
}
