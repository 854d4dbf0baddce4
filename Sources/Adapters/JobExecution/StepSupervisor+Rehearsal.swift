import CLinux
import Glibc

extension StepSupervisor {
    /// Keeps the time of a rehearsed run until it has ended; nil when the daemon is gone, and nobody
    /// is to be told of an end.
    func awaitRehearsedEnd(
        of child: pid_t,
        _ calls: WaitingCalls,
        _ rehearsal: Rehearsal
    ) -> StepOutcome? {
        var keeper = RehearsalKeeper(
            calls: calls,
            rehearsal: rehearsal,
            folder: specification.directory
        )
        var outcome = StepOutcome()
        var hasEnded = false
        while true {
            hasEnded = reap(child, into: &outcome) || hasEnded
            // What makes more and more of itself is killed until none is left.
            if hasEnded || keeper.isOverdue,
                CLinux_signal_descendants(getpid(), SIGKILL) == 0, hasEnded
            {
                while reap(child, into: &outcome) {}
                outcome.wallMicroseconds = keeper.now - rehearsal.start
                outcome.isOverdue = keeper.isOverdue
                return keeper.isAbandoned ? nil : outcome
            }
            switch keeper.waitForNews(isEnding: hasEnded) {
            case .nothing: break
            case .mustEnd:
                announce()
                CLinux_signal_descendants(getpid(), SIGTERM)
                keeper.killAt = keeper.now + Int64(killWaitMilliseconds) * 1_000
            case .mustSignal(let number, .all): CLinux_signal_descendants(getpid(), number)
            case .mustSignal(let number, .shell): if !hasEnded { kill(child, number) }
            case .mustSignal(let number, .step(let process)):
                // Not by kill(2): what comes so is for its tasks too, which get nothing from here.
                if CLinux_is_below(getpid(), process) != 0 {
                    sigqueue(process, number, sigval(sival_int: 0))
                }
            case .mustDie: CLinux_signal_descendants(getpid(), SIGKILL)
            case .isOverdue(let why):
                append(Array("xinghe: \(why), so the job goes on as emulated\n".utf8))
                CLinux_signal_descendants(getpid(), SIGKILL)
            }
        }
    }
}

/// Knows when a rehearsed run is quiet, and talks with the daemon.
private struct RehearsalKeeper {
    /// What the supervisor has to do.
    enum News {
        case nothing
        /// The daemon wants the script to end.
        case mustEnd
        /// The script is to get a signal, now that its clock is right: what it does then, it does from
        /// this instant on.
        case mustSignal(Int32, Receiver)
        /// The kill wait is over, or the daemon is gone.
        case mustDie
        /// The script computes on, or has become too many.
        case isOverdue(String)
    }

    /// Who gets a signal.
    enum Receiver {
        case all
        case shell
        /// The process of a step.
        case step(pid_t)

        init?(_ word: Substring) {
            switch word {
            case "all": self = .all
            case "shell": self = .shell
            default:
                guard let process = pid_t(word) else { return nil }
                self = .step(process)
            }
        }
    }

    /// The channel to the daemon.
    private static let control = STDIN_FILENO

    private var calls: WaitingCalls
    private let rehearsal: Rehearsal
    private let signals: Int32
    /// Where the script began to run.
    private let folder: String
    /// Whether the disk there was so full before that nothing follows from it.
    private var isFullFromTheStart = false
    private var sequence = 0
    private var isQuiet = false
    private var busySince = monotonicMicroseconds()
    /// The processor time that the script has taken, at the last look.
    private var processorTime: Int64 = 0
    /// How much more of it the script has taken than its pauses have lasted. Unit: µs.
    private var computed: Int64 = 0
    /// The same of the wall's time, without that since `busySince`.
    private var spent: Int64 = 0
    private var lastLook: CLinux_look?
    /// When it was looked at last, and how long that may be ago while it is busy. Unit: µs.
    private var lastCheck = monotonicMicroseconds()
    private static let checkPause: Int64 = 50_000
    /// When the script is killed. Unit: µs of the centre's time.
    var killAt: Int64?
    private(set) var isAbandoned = false
    private(set) var isOverdue = false

    init(calls: WaitingCalls, rehearsal: Rehearsal, folder: String) {
        self.calls = calls
        self.rehearsal = rehearsal
        self.folder = folder
        let numbers = [SIGCHLD, SIGTERM, SIGINT]
        signals = CLinux_signal_descriptor(numbers, Int32(numbers.count))
        isFullFromTheStart = isNearlyFull()
    }

    var now: Int64 { calls.clock.now }

    /// Waits until something happens, or for the next look.
    mutating func waitForNews(isEnding: Bool) -> News {
        var polled = [Self.control, signals].map {
            pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
        }
        if isAbandoned { polled[0].fd = -1 }
        polled.append(pollfd(fd: calls.listener, events: Int16(POLLIN), revents: 0))
        polled += calls.awaited
        let isPatient = isQuiet && !isEnding
        guard poll(&polled, nfds_t(polled.count), isPatient ? -1 : pause) > 0 else {
            return isPatient || isEnding ? .nothing : look()
        }
        var news = News.nothing
        var hasChanged = calls.takeCalls()
        if polled[1].revents != 0 {
            hasChanged = true
            while case let number = CLinux_next_signal(signals), number != 0 {
                if number != SIGCHLD { news = .mustEnd }
            }
        }
        if polled[0].revents != 0 {
            hasChanged = true
            news = hear() ?? news
        }
        if polled.dropFirst(3).contains(where: { $0.revents != 0 }) {
            hasChanged = calls.settle() || hasChanged
        }
        if hasChanged { becomeBusy() }
        // News that follow one another without a pause must not keep a script from being looked at.
        if case .nothing = news, !isEnding, monotonicMicroseconds() - lastCheck > Self.checkPause {
            return look()
        }
        return news
    }

    private mutating func becomeBusy() {
        if isQuiet { busySince = monotonicMicroseconds() }
        isQuiet = false
        lastLook = nil
    }

    /// Looks come soon after something has happened, and later ones more rarely. Unit: ms.
    private var pause: Int32 {
        lastLook == nil ? 0 : monotonicMicroseconds() - busySince < 20_000 ? 1 : 5
    }

    /// A message of the daemon's.
    private mutating func hear() -> News? {
        var bytes = [UInt8](repeating: 0, count: 128)
        let count = recv(Self.control, &bytes, bytes.count, Int32(MSG_DONTWAIT))
        guard count > 0 else {
            guard count == 0 || errno != EAGAIN && errno != EINTR else { return nil }
            isAbandoned = true
            return .mustDie
        }
        let words = String(decoding: bytes[..<count], as: UTF8.self).split(separator: " ")
        guard words.count >= 3, let sequence = Int(words[1]), let instant = Int64(words[2]) else {
            return nil
        }
        self.sequence = sequence
        busySince = monotonicMicroseconds()
        // Whoever is woken by a signal that came before does not sleep on.
        _ = calls.settle()
        computed = max(0, computed - (instant - now))
        spent = max(0, spent - (instant - now))
        calls.move(to: instant)
        _ = calls.wakeNext()
        if words[0] == "end" { return .mustEnd }
        if let due = killAt, due <= calls.clock.now {
            killAt = nil
            return .mustDie
        }
        if words[0] == "signal", words.count == 5, let number = Int32(words[3]),
            let receiver = Receiver(words[4])
        {
            return .mustSignal(number, receiver)
        }
        return nil
    }

    /// Looks whether anything runs. Two looks between which nothing has run say that it is quiet.
    private mutating func look() -> News {
        let sleeping = calls.sleepingThreads
        let clients = calls.waitingClients
        var look = CLinux_look()
        CLinux_look_below(
            getpid(),
            clients,
            Int32(clients.count),
            sleeping,
            Int32(sleeping.count),
            &look
        )
        lastCheck = monotonicMicroseconds()
        // Times of processes that others have waited for are told late.
        computed += max(0, look.processor_microseconds - processorTime)
        processorTime = max(processorTime, look.processor_microseconds)
        // It is being killed: its end is what comes next.
        guard !isOverdue else { return .nothing }
        if let why = excess(look) {
            isOverdue = true
            return .isOverdue(why)
        }
        guard look.busy == 0 else {
            lastLook = look
            return .nothing
        }
        if calls.letAsk() {
            lastLook = nil
            return .nothing
        }
        guard let last = lastLook, last.activity == look.activity else {
            lastLook = look
            return .nothing
        }
        lastLook = nil
        guard !calls.takeCalls(), !calls.settle(), !calls.wakeNext() else { return .nothing }
        return sayQuiet()
    }

    /// What a script does too much of.
    private func excess(_ look: CLinux_look) -> String? {
        if look.threads > Rehearsal.threadsMaximum {
            return "the script has become more than \(Rehearsal.threadsMaximum) threads"
        }
        if !isFullFromTheStart, isNearlyFull() {
            let mebibytes = rehearsal.freeMinimum >> 20
            return "less than \(mebibytes) MiB of disk are left where the script runs"
        }
        let patience = Int64(rehearsal.patienceMilliseconds) * 1_000
        // Its own time, so that it is the same on a busy machine; what waits for a disk takes none.
        guard computed > patience || spent + lastCheck - busySince > 6 * patience else {
            return nil
        }
        return "the script was busy for \(patience / 1_000_000) s without a pause"
    }

    /// Whether a script that goes on to write there would leave nothing to others.
    private func isNearlyFull() -> Bool {
        var status = statvfs()
        guard statvfs(folder, &status) == 0 else { return false }
        return UInt64(status.f_bavail) * UInt64(status.f_frsize) < rehearsal.freeMinimum
    }

    private mutating func sayQuiet() -> News {
        isQuiet = true
        spent += monotonicMicroseconds() - busySince
        let wake = [calls.nextDue, killAt].compactMap(\.self).min() ?? -1
        let message = Array("quiet \(sequence) \(wake)".utf8)
        let flags = Int32(MSG_NOSIGNAL)
        guard send(Self.control, message, message.count, flags) < 0 else { return .nothing }
        isAbandoned = true
        return .mustDie
    }
}
