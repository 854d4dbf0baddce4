import Foundation
import Glibc
public import Quantities
import Synchronization

/// How a centre's time passes.
public enum TimeMode: Hashable, Sendable, CustomStringConvertible {
    /// As on the wall.
    case real
    /// So many times faster: an hour a second is 3600.
    case scaled(Int64)
    /// Only when told.
    case stepped

    /// How time passed in the centre of a state folder when it was open last; nil where nobody knows.
    public static func noted(in folder: String) -> TimeMode? {
        let text = try? String(contentsOfFile: folder + noteName, encoding: .utf8)
        return text.flatMap { TimeMode($0.trimmingCharacters(in: .newlines)) }
    }

    /// Notes how time passes: who opens the centre again goes on so, unless he says otherwise.
    public func note(in folder: String) {
        guard Self.noted(in: folder) != self else { return }
        // Without the note it is as if nothing were said.
        try? "\(self)\n".write(toFile: folder + Self.noteName, atomically: true, encoding: .utf8)
    }

    private static let noteName = "/time"

    /// Reads `real`, `x3600` or `stepped`; nil for anything else.
    public init?(_ text: String) {
        switch text {
        case "real": self = .real
        case "stepped": self = .stepped
        default:
            guard text.first == "x", let factor = Int64(text.dropFirst()),
                (1...10_000_000).contains(factor)
            else { return nil }
            self = factor == 1 ? .real : .scaled(factor)
        }
    }

    /// `real`, `x3600` or `stepped`.
    public var description: String {
        switch self {
        case .real: "real"
        case .scaled(let factor): "x\(factor)"
        case .stepped: "stepped"
        }
    }
}

/// The time of a centre. The only place where the runtime reads the machine's clock.
///
/// Real time is the wall's: it goes ahead with it, when the wall is corrected or the machine has
/// slept. It never goes back; should the wall be set back, it goes on from where it was. So a wall that leaps
/// far ahead while the computer was awake is followed only once it has stayed there for a while: what is
/// journalled under a wrong date stays.
///
/// While real work runs, an accelerated clock goes at the speed of the wall: a second of real work
/// is a second of the centre's time, so that it is held, limited and billed as what it was.
public final class CentreClock: Sendable {
    /// How time passes.
    public let mode: TimeMode
    private let state: Mutex<State>
    private let sources: Sources

    /// Where the clock reads the machine's time.
    struct Sources: Sendable {
        /// Time of day.
        var wall: @Sendable () -> SimInstant = { CentreClock.wallTime }
        /// Time that only ever passes, also while the machine sleeps. Unit: µs.
        var monotonic: @Sendable () -> Int64 = { CentreClock.monotonic }
        /// Told of a leap that is not followed, or not yet, and of one that is.
        var note: @Sendable (Leap) -> Void = { _ in }
    }

    /// The wall is somewhere else than the time that has passed says.
    public enum Leap: Hashable, Sendable, CustomStringConvertible {
        /// It is so far ahead, and is not followed yet.
        case waits(SimDuration)
        /// It has stayed there, and is followed.
        case followed(SimDuration)
        /// It is back again.
        case over

        /// One line for the log.
        public var description: String {
            switch self {
            case .waits(let distance):
                "the computer's clock leapt \(distance.seconds) s ahead; the centre follows it once it"
                    + " has stayed there for 10 minutes"
            case .followed(let distance):
                "the computer's clock stays \(distance.seconds) s ahead, and the centre follows it"
            case .over: "the computer's clock is back again"
            }
        }
    }

    /// The farthest that the wall is followed at once. Unit: µs.
    private static let largestStep: Int64 = 600_000_000
    /// How long it must stay farther ahead. Unit: µs.
    private static let trial: Int64 = 600_000_000

    private struct State {
        /// The centre's time at `wall`.
        var base: SimInstant
        /// Monotonic µs.
        var wall: Int64
        var rate: Int64
        /// Since when the wall is far ahead, and how far it was when it began. Monotonic µs.
        var leap: (since: Int64, by: Int64)?
        /// What it does not pass by itself.
        var ceiling: SimInstant?
    }

    /// Starts a clock that shows `start` now; in `real` mode it shows the wall's time and never
    /// less than `start`.
    ///
    /// - Parameter note: told of leaps of the wall.
    public convenience init(
        mode: TimeMode,
        start: SimInstant,
        note: @escaping @Sendable (Leap) -> Void = { _ in }
    ) {
        var sources = Sources()
        sources.note = note
        self.init(mode: mode, start: start, sources: sources)
    }

    init(mode: TimeMode, start: SimInstant, sources: Sources) {
        self.mode = mode
        self.sources = sources
        let rate: Int64 =
            switch mode {
            case .real: 1
            case .scaled(let factor): factor
            case .stepped: 0
            }
        // What has passed since the last input is no leap.
        let base = mode == .real ? max(start, sources.wall()) : start
        state = Mutex(State(base: base, wall: sources.monotonic(), rate: rate))
    }

    /// The centre's time. Never goes back.
    public var now: SimInstant { state.withLock { read(&$0, at: sources.monotonic()) } }

    /// Reads the clock, and takes over a wall that is ahead of it.
    private func read(_ state: inout State, at monotonic: Int64) -> SimInstant {
        let reading = Self.reading(state, at: monotonic)
        guard mode == .real else { return reading }
        let wall = sources.wall()
        let ahead = wall.microseconds - reading.microseconds
        guard ahead > 0 else {
            endLeap(&state)
            return reading
        }
        guard isFollowed(ahead, &state, at: monotonic) else { return reading }
        state.base = wall
        state.wall = monotonic
        return wall
    }

    private func endLeap(_ state: inout State) {
        if state.leap != nil { sources.note(.over) }
        state.leap = nil
    }

    /// Whether a wall that is ahead is right.
    private func isFollowed(_ ahead: Int64, _ state: inout State, at monotonic: Int64) -> Bool {
        guard ahead > Self.largestStep else {
            endLeap(&state)
            return true
        }
        let distance = SimDuration(microseconds: ahead)
        // Another leap meanwhile begins the trial anew.
        guard let leap = state.leap, abs(leap.by - ahead) <= Self.largestStep else {
            state.leap = (monotonic, ahead)
            sources.note(.waits(distance))
            return false
        }
        guard monotonic - leap.since >= Self.trial else { return false }
        state.leap = nil
        sources.note(.followed(distance))
        return true
    }

    /// Moves the clock to `instant`, if that is ahead.
    public func move(to instant: SimInstant) {
        state.withLock { state in
            let monotonic = sources.monotonic()
            guard instant > read(&state, at: monotonic) else { return }
            state.base = instant
            state.wall = monotonic
        }
    }

    /// Tells the clock whether real work runs.
    public func setRealWork(isRunning: Bool) {
        guard case .scaled(let factor) = mode else { return }
        state.withLock { state in
            let monotonic = sources.monotonic()
            state = State(
                base: read(&state, at: monotonic),
                wall: monotonic,
                rate: isRunning ? 1 : factor,
                ceiling: state.ceiling
            )
        }
    }

    /// Lets an accelerated clock stop at an instant, or go on: a rehearsed script is busy, or might want
    /// to go on then. An instant that is over already stops it where it is.
    func setCeiling(_ instant: SimInstant?) {
        guard case .scaled = mode else { return }
        state.withLock { state in
            let monotonic = sources.monotonic()
            let now = read(&state, at: monotonic)
            state.base = now
            state.wall = monotonic
            state.ceiling = instant.map { max($0, now) }
        }
    }

    /// How long the wall takes until the clock shows `instant`, as far as can be told now; nil when
    /// it never does by itself. Unit: µs.
    func wallMicroseconds(until instant: SimInstant) -> Int64? {
        state.withLock { state in
            guard state.rate > 0 else { return nil }
            let now = read(&state, at: sources.monotonic())
            let rest = instant.microseconds - now.microseconds
            let wait = rest <= 0 ? 0 : rest / state.rate + 1
            // A wall that leaps ahead meanwhile wakes nobody.
            return mode == .real ? min(wait, Self.longestWait) : wait
        }
    }

    /// How late a timer may be that a leap of the wall makes due. Unit: µs.
    private static let longestWait: Int64 = 10_000_000

    private static func reading(_ state: State, at wall: Int64) -> SimInstant {
        let (passed, overflow) = (wall - state.wall).multipliedReportingOverflow(by: state.rate)
        let reading =
            overflow ? .distantFuture : state.base + SimDuration(microseconds: passed)
        return min(reading, max(state.base, state.ceiling ?? .distantFuture))
    }

    /// The wall's time.
    public static var wallTime: SimInstant {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return SimInstant(
            microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000
        )
    }

    private static var monotonic: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000
    }
}
