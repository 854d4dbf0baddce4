import JobExecution
import Quantities

/// Whose turn it is among the rehearsed scripts of a centre.
///
/// A script that has something to do does it at one instant of the centre's time, and the clock waits
/// until nothing of it runs any more. Where the clock is stepped one has its turn after the other, in
/// the order of instants and job numbers: what two scripts do at one instant then happens in the same
/// order on any machine.
struct RehearsalTurns {
    /// What a script has its turn for.
    enum Act {
        case launch
        /// An instant has come that it waits for.
        case wake
        /// It is to end, in such words.
        case end(notice: String)
        case signal(Int32, isForShellOnly: Bool)
        case signalStep(StepSignal)
    }

    /// One turn.
    struct Turn {
        var instant: SimInstant
        var run: JobExecutor.Run
        var act: Act
    }

    /// How many may have their turn at once.
    private let width: Int
    /// In order.
    private var waiting: [Turn] = []
    /// The number of the message whose answer is awaited; the launch is number 0.
    private var awaited: [JobExecutor.Run: Int] = [:]
    private var sequences: [JobExecutor.Run: Int] = [:]
    /// When quiet scripts want to go on.
    private var wakes: [JobExecutor.Run: SimInstant] = [:]

    init(width: Int) {
        precondition(width > 0, "nobody would ever have a turn")
        self.width = width
    }

    /// Whether somebody has a turn, or waits for one: time stands still.
    var isBusy: Bool { !awaited.isEmpty || !waiting.isEmpty }

    /// Whether a script waits for a turn.
    func isWaiting(_ run: JobExecutor.Run) -> Bool { waiting.contains { $0.run == run } }

    mutating func add(_ turn: Turn) {
        // The order of arrival stays where all else is equal.
        let key = (turn.instant, turn.run.jobID)
        let place = waiting.lastIndex { ($0.instant, $0.run.jobID) <= key }
        waiting.insert(turn, at: place.map { $0 + 1 } ?? 0)
    }

    /// The next turn, if there is room for one; a script has one turn at a time.
    mutating func next() -> (turn: Turn, sequence: Int)? {
        guard awaited.count < width,
            let index = waiting.firstIndex(where: { awaited[$0.run] == nil })
        else { return nil }
        let turn = waiting.remove(at: index)
        var sequence = 0
        if case .launch = turn.act {} else { sequence = (sequences[turn.run] ?? 0) + 1 }
        sequences[turn.run] = sequence
        awaited[turn.run] = sequence
        wakes[turn.run] = nil
        return (turn, sequence)
    }

    /// A script is quiet. Returns the instant at which it wants to go on.
    mutating func hear(_ message: String, from run: JobExecutor.Run) -> SimInstant? {
        guard sequences[run] != nil, let quiet = Rehearsal.quiet(message) else { return nil }
        // An answer to an earlier message crossed the last one.
        guard quiet.sequence == sequences[run] else { return nil }
        awaited[run] = nil
        wakes[run] = quiet.wake.map { SimInstant(microseconds: $0) }
        return wakes[run]
    }

    /// Whether a quiet script wants to go on at `instant`.
    func isDue(_ run: JobExecutor.Run, at instant: SimInstant) -> Bool { wakes[run] == instant }

    /// A run is over, or could not be launched.
    mutating func forget(_ run: JobExecutor.Run) {
        awaited[run] = nil
        sequences[run] = nil
        wakes[run] = nil
        waiting.removeAll { $0.run == run }
    }
}
