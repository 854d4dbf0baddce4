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
        /// After how long it is due again; 0 for never.
        var interval: Int64
        var signal: Int32
        var value: UInt64
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
    private var timerSignals: [pid_t: (signal: Int32, value: UInt64)] = [:]
    /// Sleeps that a signal has interrupted: the kernel may make the same call again, which goes on to
    /// sleep for the rest.
    private var interrupted: [pid_t: Sleeper] = [:]
    private var clients: [Client] = []
    /// Calls that would ask the centre something. They are held while another process runs, so that what asks
    /// first at one instant does not depend on the machine.
    private var asking: [CLinux_call] = []
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
        case CLinux_wait_signals: sleepers.append(Sleeper(call: call, due: due(call)))
        case CLinux_wait_word:
            var copy = call
            if CLinux_word_changed(&copy) != 0 {
                CLinux_answer(listener, call.id, 0, EAGAIN)
            } else {
                sleepers.append(Sleeper(call: call, due: due(call)))
            }
        case CLinux_wait_connect:
            if Self.path(call) == socket {
                asking.append(call)
            } else {
                CLinux_let_through(listener, call.id)
            }
        default:
            // The number of a new timer is not known before the kernel gives it.
            if call.timer == -2 { timerSignals[call.pid] = (call.signal, call.value) }
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
        guard due(call) > clock.now else {
            CLinux_let_through(listener, call.id)
            return
        }
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
        let last = call.timer < 0 ? nil : timerSignals[call.pid]
        let signal = last?.signal ?? SIGALRM
        guard signal > 0 else {
            CLinux_let_through(listener, call.id)
            return
        }
        let old = timers[name]
        let rest = old.map { max(1, $0.due - clock.now) } ?? 0
        let (due, overflow) = clock.now.addingReportingOverflow(call.microseconds)
        timers[name] =
            call.microseconds > 0
            ? Timer(
                due: overflow ? .max : due,
                interval: call.interval,
                signal: signal,
                value: last?.value ?? 0
            ) : nil
        var copy = call
        CLinux_tell_timer(&copy, rest, old?.interval ?? 0)
        // alarm(2) gives the seconds that were left.
        let seconds = (rest + 999_999) / 1_000_000
        CLinux_answer(listener, call.id, CLinux_is_alarm(call.number) != 0 ? seconds : 0, 0)
    }

    private static func path(_ call: CLinux_call) -> String {
        withUnsafeBytes(of: call.path) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}

// MARK: - Time

extension WaitingCalls {
    /// So many processes have their turns one after the other when they are due at once; more have them
    /// together, as the tasks of a large step: looking after each would take too long.
    private static let mostInTurn = 16

    /// Moves the clocks.
    mutating func move(to instant: Int64) { clock.move(to: instant) }

    /// Puts what processes wait for in the order of `due`, then in that in which the processes were started, as
    /// a script tells it: of two subshells that each start a program the first is the first, whichever program
    /// was quicker to begin.
    private static func inOrder<Item>(
        _ items: [Item],
        _ process: (Item) -> pid_t,
        _ due: (Item) -> Int64
    ) -> [Item] {
        guard items.count > 1 else { return items }
        let own = getpid()
        return items.map { item in
            var line = [pid_t](repeating: 0, count: 200)
            let count = CLinux_lineage(own, process(item), &line, Int32(line.count))
            // The kernel's numbers begin anew at the end; all of these came after the supervisor's.
            let ages = line.prefix(Int(count)).reversed().map {
                ($0 - own + lastNumber) % lastNumber
            }
            return (item, due(item), ages)
        }.sorted {
            $0.1 == $1.1 ? $0.2.lexicographicallyPrecedes($1.2) : $0.1 < $1.1
        }.map(\.0)
    }

    /// How many numbers of processes the kernel has.
    private static let lastNumber: pid_t = {
        let text = SmallFile.finishedLines("/proc/sys/kernel/pid_max").first
        return text.flatMap { pid_t($0) } ?? 4_194_304
    }()

    /// Wakes what is due by now, one process after the other: in the order in which they are due, then in
    /// that in which they were started. Whether there was any.
    mutating func wakeNext() -> Bool {
        var due = sleepers.filter { $0.due <= clock.now }
        var expired = timers.filter { $0.value.due <= clock.now }
            .sorted { ($0.key.process, $0.key.number) < ($1.key.process, $1.key.number) }
        let isCrowd = due.count + expired.count > Self.mostInTurn
        if !isCrowd {
            due = Self.inOrder(due, \.call.pid) { $0.due }
            expired = Self.inOrder(expired, \.key.process) { $0.value.due }
        }
        // What is over in the very moment of its timer has kept it.
        let woken = isCrowd ? due[...] : due.prefix(1)
        let ids = Set(woken.map(\.call.id))
        sleepers.removeAll { ids.contains($0.call.id) }
        for sleeper in woken { wake(sleeper) }
        guard isCrowd || woken.isEmpty else { return true }
        let fired = isCrowd ? expired[...] : expired.prefix(1)
        for (name, timer) in fired {
            let again = timer.due.addingReportingOverflow(timer.interval)
            timers[name]?.due = again.partialValue
            if timer.interval == 0 || again.overflow { timers[name] = nil }
            // The number may be another process's by now.
            if CLinux_is_below(getpid(), name.process) != 0 {
                CLinux_fire(name.process, timer.signal, name.number, timer.value)
            }
        }
        return !woken.isEmpty || !fired.isEmpty
    }

    /// Lets the process that was started first of those that would ask the centre something do so; whether
    /// there was any.
    mutating func letAsk() -> Bool {
        guard !asking.isEmpty else { return false }
        asking = Self.inOrder(asking, \.pid) { _ in 0 }
        let call = asking.removeFirst()
        clients.append(Client(call))
        CLinux_let_through(listener, call.id)
        return true
    }

    private func wake(_ sleeper: Sleeper) {
        var call = sleeper.call
        switch call.wait {
        case CLinux_wait_descriptors:
            CLinux_none_ready(&call)
            CLinux_answer(listener, call.id, 0, 0)
        case CLinux_wait_word: CLinux_answer(listener, call.id, 0, ETIMEDOUT)
        case CLinux_wait_signals: CLinux_answer(listener, call.id, 0, EAGAIN)
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
            } else if call.wait == CLinux_wait_signals, CLinux_signal_has_come(&call) != 0 {
                CLinux_let_through(listener, call.id)
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
        asking.removeAll { CLinux_is_waiting(listener, $0.id) == 0 }
        // Not whoever cannot be read at the moment: without its signal it might wait for ever.
        for name in timers.keys where kill(name.process, 0) != 0 && errno == ESRCH {
            timers[name] = nil
        }
        clients.removeAll { !$0.isWaiting }
        return hasChanged
    }
}

extension WaitingCalls.Sleeper {
    fileprivate func close() {
        for entry in awaited { Glibc.close(entry.fd) }
    }
}
