import Glibc
import Quantities
import Synchronization

/// A line on standard error that says how far a long run is; nothing unless that is a terminal.
final class ProgressBar: Sendable {
    private let noun: String
    private let total: Int
    private let isShown: Bool
    private let state: Mutex<State>

    private struct State {
        var done = 0
        var drawnAt: Int64 = 0
        var startedAt: Int64
        var isDrawn = false
    }

    /// Makes a bar for `count` things that will advance to `total`.
    init(counted count: Int, _ noun: String, total: Int) {
        self.noun = Quantities.counted(count, noun)
        self.total = max(1, total)
        isShown = isatty(STDERR_FILENO) == 1
        state = Mutex(State(startedAt: Self.milliseconds()))
    }

    /// So many more are done; from any thread.
    func advance(by count: Int) {
        guard isShown else { return }
        state.withLock { state in
            state.done += count
            draw(&state)
        }
    }

    /// Clears the line.
    func finish() {
        guard isShown else { return }
        state.withLock { state in
            if state.isDrawn { Self.show("\r\u{1B}[K") }
            state.isDrawn = false
        }
    }

    /// Draws at most ten times a second, and not in a run that ends within the first half.
    private func draw(_ state: inout State) {
        let now = Self.milliseconds()
        guard now - state.startedAt >= 500, now - state.drawnAt >= 100 else { return }
        state.drawnAt = now
        state.isDrawn = true
        let share = min(1, Double(state.done) / Double(total))
        let filled = Int(share * 30)
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: 30 - filled)
        let left = share > 0 ? Double(now - state.startedAt) / 1_000 * (1 - share) / share : 0
        let ending = share < 1 ? "about \(Int(left.rounded(.up))) s left" : "done"
        Self.show(
            "\r\(bar) \(Int(share * 100)) %  \(noun), \(ending)\u{1B}[K"
        )
    }

    private static func show(_ text: String) {
        let bytes = Array(text.utf8)
        _ = write(STDERR_FILENO, bytes, bytes.count)
    }

    private static func milliseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
    }
}
