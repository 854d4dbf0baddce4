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

    /// Lets the end of a child interrupt poll(2), and nothing else.
    static func wakeAtEnds() {
        var action = sigaction()
        action.sa_flags = SA_RESTART
        action.__sigaction_handler.sa_handler = { _ in }
        sigaction(SIGCHLD, &action, nil)
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
        }
        for number in numbers { sigaction(number, &action, nil) }
    }
}
