import CLinux
import Glibc

/// The calls of a rehearsed run that wait for the centre's time, and the timers that it has set.
struct WaitingCalls {
    fileprivate struct Sleeper {
        var call: CLinux_call
        var due: Int64
        /// Duplicates of the descriptors that it waits for.
        var awaited: [pollfd] = []
    }

    private struct Timer {
        var due: Int64
        var signal: Int32
    }

    /// A process that has asked the centre something: it waits for the answer as long as it has this connection
    /// open.
    private struct Client {
        let process: pid_t
        private let path: String
        /// What the kernel calls the connection; nil where it does not tell.
        private let connection: String?

        init(_ call: CLinux_call) {
            process = call.pid
            path = "/proc/\(call.pid)/fd/\(Int32(truncatingIfNeeded: call.arguments.0))"
            connection = Self.target(of: path)
        }

        var isWaiting: Bool {
            guard kill(process, 0) == 0 else { return false }
            return connection == nil || Self.target(of: path) == connection
        }

        private static func target(of path: String) -> String? {
            var buffer = [CChar](repeating: 0, count: 64)
            let count = readlink(path, &buffer, buffer.count)
            guard count > 0 else { return nil }
            return String(
                decoding: buffer[..<count].map { UInt8(bitPattern: $0) },
                as: UTF8.self
            )
        }
    }

    private struct TimerName: Hashable {
        var process: pid_t
        var number: Int32
    }

    let listener: Int32
    private let socket: String
    private(set) var clock: VirtualClock
    private var sleepers: [Sleeper] = []
    private var timers: [TimerName: Timer] = [:]
    /// Which signal the timer sends that a process made last.
    private var timerSignals: [pid_t: Int32] = [:]
    /// Sleeps that a signal has interrupted: the kernel may make the same call again, which goes on to
    /// sleep for the rest.
    private var interrupted: [pid_t: Sleeper] = [:]
    private var clients: [Client] = []
    /// Processes that have asked the centre something, and have no answer yet.
    var waitingClients: [pid_t] { clients.filter(\.isWaiting).map(\.process) }

    init(listener: Int32, socket: String, clock: VirtualClock) {
        self.listener = listener
        self.socket = socket
        self.clock = clock
    }

    /// When the next of them is due. Unit: µs; nil for none.
    var nextDue: Int64? {
        [sleepers.map(\.due).min(), timers.values.map(\.due).min()].compactMap(\.self).min()
    }

    /// The threads that sleep.
    var sleepingThreads: [pid_t] { sleepers.map(\.call.pid) }

    /// All descriptors that are waited for.
    var awaited: [pollfd] { sleepers.flatMap(\.awaited) }
}

// MARK: - Calls

extension WaitingCalls {
    /// Takes all calls that have come; whether there were any.
    mutating func takeCalls() -> Bool {
        var polled = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
        var hasCome = false
        while poll(&polled, 1, 0) > 0, polled.revents & Int16(POLLIN) != 0 {
            var call = CLinux_call()
            guard CLinux_next_call(listener, &call) == 0 else { continue }
            hasCome = true
            take(call)
        }
        return hasCome
    }

    private mutating func take(_ call: CLinux_call) {
        switch call.wait {
        case CLinux_wait_sleep: sleep(call)
        case CLinux_wait_timer: setTimer(call)
        case CLinux_wait_descriptors: waitForDescriptors(call)
        case CLinux_wait_word:
            var copy = call
            if CLinux_word_changed(&copy) != 0 {
                CLinux_answer(listener, call.id, 0, EAGAIN)
            } else {
                sleepers.append(Sleeper(call: call, due: due(call)))
            }
        case CLinux_wait_connect:
            if Self.path(call) == socket { clients.append(Client(call)) }
            CLinux_let_through(listener, call.id)
        default:
            // The number of a new timer is not known before the kernel gives it.
            if call.signal != SIGALRM { timerSignals[call.pid] = call.signal }
            CLinux_let_through(listener, call.id)
        }
    }

    private func due(_ call: CLinux_call) -> Int64 {
        let rest =
            call.is_absolute != 0
            ? clock.microseconds(until: call.microseconds, clock: call.clock) : call.microseconds
        let (due, overflow) = clock.now.addingReportingOverflow(rest)
        return overflow ? .max : due
    }

    private mutating func sleep(_ call: CLinux_call) {
        var sleeper = Sleeper(call: call, due: due(call))
        if let old = interrupted.removeValue(forKey: call.pid), old.call.number == call.number,
            old.call.microseconds == call.microseconds, old.due < sleeper.due
        {
            sleeper.due = max(old.due, clock.now)
        }
        guard sleeper.due > clock.now else {
            CLinux_answer(listener, call.id, 0, 0)
            return
        }
        sleepers.append(sleeper)
    }

    private mutating func waitForDescriptors(_ call: CLinux_call) {
        var copy = call
        var all = [pollfd](repeating: pollfd(), count: 256)
        let count = CLinux_awaited(&copy, &all, Int32(all.count))
        // What cannot be watched waits in the machine's time.
        guard count >= 0 else {
            CLinux_let_through(listener, call.id)
            return
        }
        sleepers.append(Sleeper(call: call, due: due(call), awaited: Array(all.prefix(Int(count)))))
    }

    private mutating func setTimer(_ call: CLinux_call) {
        let name = TimerName(process: call.pid, number: call.timer)
        let signal = call.timer < 0 ? SIGALRM : timerSignals[call.pid] ?? SIGALRM
        guard signal > 0 else {
            CLinux_let_through(listener, call.id)
            return
        }
        let rest = timers[name].map { max(1, ($0.due - clock.now + 999_999) / 1_000_000) } ?? 0
        timers[name] =
            call.microseconds > 0
            ? Timer(due: clock.now + call.microseconds, signal: signal) : nil
        // alarm(2) gives the seconds that were left.
        CLinux_answer(listener, call.id, CLinux_is_alarm(call.number) != 0 ? rest : 0, 0)
    }

    private static func path(_ call: CLinux_call) -> String {
        withUnsafeBytes(of: call.path) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}

// MARK: - Time

extension WaitingCalls {
    /// Moves the clocks, and wakes what is due by then, in the order in which it is due.
    mutating func move(to instant: Int64) {
        clock.move(to: instant)
        let due = sleepers.filter { $0.due <= clock.now }
        sleepers.removeAll { $0.due <= clock.now }
        for sleeper in due.enumerated().sorted(by: {
            ($0.element.due, $0.offset) < ($1.element.due, $1.offset)
        }).map(\.element) {
            wake(sleeper)
        }
        for (name, timer) in timers.sorted(by: {
            ($0.value.due, $0.key.process, $0.key.number)
                < ($1.value.due, $1.key.process, $1.key.number)
        }) where timer.due <= clock.now {
            timers[name] = nil
            kill(name.process, timer.signal)
        }
    }

    private func wake(_ sleeper: Sleeper) {
        var call = sleeper.call
        switch call.wait {
        case CLinux_wait_descriptors:
            CLinux_none_ready(&call)
            CLinux_answer(listener, call.id, 0, 0)
        case CLinux_wait_word: CLinux_answer(listener, call.id, 0, ETIMEDOUT)
        default: CLinux_answer(listener, call.id, 0, 0)
        }
        sleeper.close()
    }

    /// Lets those go on that wait for something which has come, and forgets those that a signal has
    /// woken; whether there were any.
    mutating func settle() -> Bool {
        var hasChanged = false
        var rest: [Sleeper] = []
        for var sleeper in sleepers {
            var call = sleeper.call
            if CLinux_is_waiting(listener, call.id) == 0 {
                interrupted[call.pid] = sleeper
                sleeper.close()
                hasChanged = true
            } else if call.wait == CLinux_wait_word, CLinux_word_changed(&call) != 0 {
                CLinux_answer(listener, call.id, 0, EAGAIN)
                hasChanged = true
            } else if !sleeper.awaited.isEmpty,
                poll(&sleeper.awaited, nfds_t(sleeper.awaited.count), 0) > 0
            {
                // The kernel finds it ready at once.
                CLinux_let_through(listener, call.id)
                sleeper.close()
                hasChanged = true
            } else {
                rest.append(sleeper)
            }
        }
        sleepers = rest
        clients.removeAll { !$0.isWaiting }
        return hasChanged
    }
}

extension WaitingCalls.Sleeper {
    fileprivate func close() {
        for entry in awaited { Glibc.close(entry.fd) }
    }
}
