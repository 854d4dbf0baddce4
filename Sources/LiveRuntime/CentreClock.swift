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
/// While real work runs, an accelerated clock goes at the speed of the wall: a second of real work
/// is a second of the centre's time, so that it is held, limited and billed as what it was.
public final class CentreClock: Sendable {
    /// How time passes.
    public let mode: TimeMode
    private let state: Mutex<State>

    private struct State {
        /// The centre's time at `wall`.
        var base: SimInstant
        /// Monotonic µs.
        var wall: Int64
        var rate: Int64
    }

    /// Starts a clock that shows `start` now; in `real` mode it shows the wall's time and never
    /// less than `start`.
    public init(mode: TimeMode, start: SimInstant) {
        self.mode = mode
        let rate: Int64 =
            switch mode {
            case .real: 1
            case .scaled(let factor): factor
            case .stepped: 0
            }
        let base = mode == .real ? max(start, Self.wallTime) : start
        state = Mutex(State(base: base, wall: Self.monotonic, rate: rate))
    }

    /// The centre's time. Never goes back.
    public var now: SimInstant {
        let wall = Self.monotonic
        return state.withLock { Self.reading($0, at: wall) }
    }

    /// Moves the clock to `instant`, if that is ahead.
    public func move(to instant: SimInstant) {
        let wall = Self.monotonic
        state.withLock { state in
            guard instant > Self.reading(state, at: wall) else { return }
            state.base = instant
            state.wall = wall
        }
    }

    /// Tells the clock whether real work runs.
    public func setRealWork(isRunning: Bool) {
        guard case .scaled(let factor) = mode else { return }
        let wall = Self.monotonic
        state.withLock { state in
            state = State(
                base: Self.reading(state, at: wall),
                wall: wall,
                rate: isRunning ? 1 : factor
            )
        }
    }

    /// How long the wall takes until the clock shows `instant`; nil when it never does by itself.
    /// Unit: µs.
    func wallMicroseconds(until instant: SimInstant) -> Int64? {
        let wall = Self.monotonic
        return state.withLock { state in
            guard state.rate > 0 else { return nil }
            let rest = instant.microseconds - Self.reading(state, at: wall).microseconds
            return rest <= 0 ? 0 : rest / state.rate + 1
        }
    }

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
