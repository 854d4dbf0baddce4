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
/// Real time is the wall's: it leaps ahead with it, when the wall is corrected or the machine has
/// slept. It never goes back; should the wall be set back, it goes on from where it was.
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
        /// Time that only ever passes. Unit: µs.
        var monotonic: @Sendable () -> Int64 = { CentreClock.monotonic }
    }

    private struct State {
        /// The centre's time at `wall`.
        var base: SimInstant
        /// Monotonic µs.
        var wall: Int64
        var rate: Int64
    }

    /// Starts a clock that shows `start` now; in `real` mode it shows the wall's time and never
    /// less than `start`.
    public convenience init(mode: TimeMode, start: SimInstant) {
        self.init(mode: mode, start: start, sources: Sources())
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
        state = Mutex(State(base: start, wall: sources.monotonic(), rate: rate))
    }

    /// The centre's time. Never goes back.
    public var now: SimInstant { state.withLock { read(&$0, at: sources.monotonic()) } }

    /// Reads the clock, and takes over a wall that is ahead of it.
    private func read(_ state: inout State, at monotonic: Int64) -> SimInstant {
        let reading = Self.reading(state, at: monotonic)
        guard mode == .real else { return reading }
        let wall = sources.wall()
        guard wall > reading else { return reading }
        state.base = wall
        state.wall = monotonic
        return wall
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
                rate: isRunning ? 1 : factor
            )
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
        return overflow ? .distantFuture : state.base + SimDuration(microseconds: passed)
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
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000
    }
}
