import CLinux
import Glibc

/// How a script is rehearsed: it runs for real, and its sleeps and timers pass in the centre's time.
///
/// The supervisor has a listener to which the kernel tells every call that would wait (seccomp user
/// notifications, `CRehearsal.h`), and a channel to the daemon. When nothing of the script runs any
/// more it says so, with the instant at which it next wants to; the daemon says when that is.
///
///     daemon      go SEQUENCE INSTANT     it is this instant: wake what is due
///                 end SEQUENCE INSTANT    the same, and the script is asked to end
///                 signal SEQUENCE INSTANT NUMBER all|shell|PROCESS
///                                         the same, and a signal is sent
///     supervisor  quiet SEQUENCE INSTANT  nothing runs; -1: it waits for nothing
///
/// Instants are microseconds of the centre's time. A channel that closes ends the script at once.
public struct Rehearsal: Hashable, Sendable {
    /// The centre's time at the start. Unit: µs since the epoch.
    public var start: Int64
    /// How much processor time the script may take beyond what its pauses last. Unit: ms.
    public var patienceMilliseconds: UInt32
    /// The largest file that it may write. Unit: byte.
    public var fileLimit: UInt64
    /// How much of the disk it leaves free where it runs. Unit: byte.
    public var freeMinimum: UInt64
    /// The socket of the centre: whoever asks there is busy until it is answered.
    public var socket: String

    /// Makes one.
    public init(
        start: Int64,
        patienceMilliseconds: UInt32,
        fileLimit: UInt64,
        freeMinimum: UInt64,
        socket: String
    ) {
        self.start = start
        self.patienceMilliseconds = patienceMilliseconds
        self.fileLimit = fileLimit
        self.freeMinimum = freeMinimum
        self.socket = socket
    }

    /// The most threads that a script may have at once.
    static let threadsMaximum: Int32 = 1_000

    /// Whether this computer can do it.
    public static var isPossible: Bool { CLinux_can_notify() != 0 }

    /// A message of a supervisor, read.
    public static func quiet(_ message: String) -> (sequence: Int, wake: Int64?)? {
        let words = message.split(separator: " ")
        guard words.count == 3, words[0] == "quiet", let sequence = Int(words[1]),
            let wake = Int64(words[2])
        else { return nil }
        return (sequence, wake < 0 ? nil : wake)
    }

    /// `START:PATIENCE:LIMIT:FREE:SOCKET`.
    var text: String { "\(start):\(patienceMilliseconds):\(fileLimit):\(freeMinimum):\(socket)" }

    init?(_ text: String) {
        let parts = text.split(separator: ":", maxSplits: 4, omittingEmptySubsequences: false)
        guard parts.count == 5, let start = Int64(parts[0]), let patience = UInt32(parts[1]),
            let limit = UInt64(parts[2]), let free = UInt64(parts[3])
        else { return nil }
        self.init(
            start: start,
            patienceMilliseconds: patience,
            fileLimit: limit,
            freeMinimum: free,
            socket: String(parts[4])
        )
    }
}

extension StepFolder {
    /// The centre's time, as programs of a rehearsed run read it: microseconds of the wall's and of the
    /// monotonic clock, eight bytes each.
    public var clock: String { path + "/clock" }
    /// Where `yhrun` and its like leave a line for each step.
    public var steps: String { path + "/steps" }

    /// Where `module` keeps what the script has loaded, a name on each line.
    public var modules: String { path + "/modules" }
    /// Where `module` puts the programs that what is loaded brings.
    public var programs: String { path + "/programs" }

    /// The lines of the steps, of the first mebibyte.
    public var stepLines: [Substring] { SmallFile.finishedLines(steps) }
}

/// The clocks that the programs of a rehearsed run see.
struct VirtualClock {
    private(set) var now: Int64
    private let start: Int64
    private let monotonicStart: Int64
    private let descriptor: Int32

    /// Makes the file. Programs map it, so it stays the same one.
    init(start: Int64, file path: String) throws(ExecutionFailure) {
        self.start = start
        now = start
        monotonicStart = monotonicMicroseconds()
        descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard descriptor >= 0 else {
            throw ExecutionFailure(call: "open", subject: path, code: errno)
        }
        write()
    }

    /// Moves on; never back.
    mutating func move(to instant: Int64) {
        guard instant > now else { return }
        now = instant
        write()
    }

    private func write() {
        let values = [now, monotonic]
        values.withUnsafeBytes { _ = pwrite(descriptor, $0.baseAddress, $0.count, 0) }
    }

    private var monotonic: Int64 { monotonicStart + (now - start) }

    /// How long it is until `instant` of a clock. A program that does not see these clocks (one that is
    /// linked statically) means the machine's; then it is rounded up to milliseconds, since some time
    /// has passed since it looked.
    func microseconds(until instant: Int64, clock: Int32) -> Int64 {
        let isWall = clock == CLOCK_REALTIME
        let real = isWall ? wallMicroseconds() : monotonicMicroseconds()
        let virtual = isWall ? now : monotonic
        let (own, machine) = (instant - virtual, instant - real)
        let meansMachine = isWall ? abs(machine) < abs(own) : own < 0
        return max(0, meansMachine ? (machine + 999) / 1_000 * 1_000 : own)
    }

    private func wallMicroseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000
    }
}
