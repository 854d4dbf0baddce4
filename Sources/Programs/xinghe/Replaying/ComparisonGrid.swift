import Determinism
import Foundation
import ReplayRuntime
import Reporting
import Scheduling
import Synchronization
import WorkloadFormats

/// Traces × seeds × policies, replayed on several threads.
///
/// Each replay is its own driver over a trace that is shared and not changed, and each result has
/// its place in the grid, so neither the number of threads nor their luck can be seen in it. A
/// schedule is kept only until it has been measured against that of the first policy.
struct ComparisonGrid {
    /// How differences get their intervals.
    let bootstrap: PairedBootstrap
    private let rows: [Row]
    private let paths: [(path: String, machine: String, trace: Trace)]
    private let policies: [SchedulingPolicy]
    private let options: ReplayOptions
    private let withPictures: Bool

    /// One trace and seed: what the policies are compared on.
    private struct Row {
        let pathIndex: Int
        let seed: UInt64?
        let trace: Trace
        let machines: [ReplayMachine]
        let failures: ReplayFailures?
    }

    /// Reads the traces and makes the machines; all refusals come from here.
    init(
        paths: [String],
        policies: [SchedulingPolicy],
        seeds: [UInt64]?,
        shakeMicroseconds: Int64,
        options: ReplayOptions,
        withPictures: Bool
    ) throws {
        var rows: [Row] = []
        var read: [(path: String, machine: String, trace: Trace)] = []
        for path in paths {
            let trace = try options.readTrace(path)
            try options.checkTrim(trace, at: path)
            let machines = try policies.map { try options.machine(for: trace, at: path, $0) }
            let failures = try machines.first.flatMap {
                try options.failures.failures(of: $0, trace, options)
            }
            read.append((path, machines.first?.title ?? "", trace))
            let seeds: [UInt64?] = seeds.map { $0.map(Optional.some) } ?? [nil]
            for seed in seeds {
                rows.append(
                    Row(
                        pathIndex: read.count - 1,
                        seed: seed,
                        trace: seed.map { trace.shaken(by: shakeMicroseconds, seed: $0) } ?? trace,
                        machines: machines,
                        failures: failures
                    )
                )
            }
        }
        self.rows = rows
        self.paths = read
        self.policies = policies
        self.options = options
        self.withPictures = withPictures
        bootstrap = PairedBootstrap(seed: seeds?.first ?? 1)
    }

    /// The number of replays.
    var cellCount: Int { rows.count * policies.count }

    /// The number of jobs that all replays submit together.
    var jobCount: Int { rows.reduce(0) { $0 + $1.trace.jobs.count } * policies.count }

    /// Replays all cells.
    func run(workers: Int, _ bar: ProgressBar) -> [Comparison] {
        let board = Board(rowCount: rows.count, policyCount: policies.count)
        let group = DispatchGroup()
        for _ in 0..<min(workers, cellCount) {
            group.enter()
            let thread = Thread {
                while let cell = board.next() { work(on: cell, board, bar) }
                group.leave()
            }
            thread.stackSize = 8 << 20
            thread.start()
        }
        group.wait()
        let results = board.results()
        return paths.enumerated().map { index, entry in
            let mine = rows.indices.filter { rows[$0].pathIndex == index }
            return Comparison(
                tracePath: entry.path,
                machine: entry.machine,
                trace: entry.trace,
                cells: mine.flatMap { results.cells[$0].compactMap(\.self) },
                frame: mine.first.flatMap { results.frames[$0] }
            )
        }
    }

    // MARK: One cell

    private func work(on cell: Board.Place, _ board: Board, _ bar: ProgressBar) {
        let row = rows[cell.row]
        let name = policies[cell.policy].name
        let run = ReplayRun(
            row.trace,
            on: row.machines[cell.policy],
            options,
            failures: row.failures,
            recordsPlaces: withPictures && cell.policy < ComparisonPage.detailMaximum,
            bar
        ) { driver in
            (driver.run(), name)
        }
        let outcome = run.outcome(trim: options.trim, withLossOfCapacity: true)
        let finished = Board.Finished(place: cell, schedule: run.schedule, outcome: outcome)
        for (finished, base, frame) in board.ready(finished, frame: { frame(of: $0) }) {
            board.put(measured(finished, base, frame), at: finished.place)
        }
    }

    private func frame(of base: Schedule) -> PictureFrame? {
        withPictures
            ? PictureFrame(base, submissions: options.trim.flatMap { base.trace.window(of: $0) })
            : nil
    }

    private func measured(
        _ finished: Board.Finished,
        _ base: Schedule,
        _ frame: PictureFrame?
    ) -> ComparisonCell {
        ComparisonCell(
            finished.outcome,
            seed: rows[finished.place.row].seed,
            schedule: finished.schedule,
            base: finished.place.policy > 0 ? base : nil,
            frame: frame,
            window: options.trim.flatMap { base.trace.window(of: $0) },
            bootstrap: bootstrap,
            withGantt: finished.place.policy < ComparisonPage.detailMaximum
        )
    }
}

/// What the threads of a grid share.
private final class Board: Sendable {
    struct Place {
        let row: Int
        let policy: Int
    }

    struct Finished {
        let place: Place
        let schedule: Schedule
        let outcome: PolicyOutcome
    }

    struct Results {
        var cells: [[ComparisonCell?]]
        var frames: [PictureFrame?]
    }

    private struct State {
        var nextCell = 0
        var bases: [Schedule?]
        var waiting: [[Finished]]
        var results: Results
    }

    private let policyCount: Int
    private let cellCount: Int
    private let state: Mutex<State>

    init(rowCount: Int, policyCount: Int) {
        self.policyCount = policyCount
        cellCount = rowCount * policyCount
        state = Mutex(
            State(
                bases: Array(repeating: nil, count: rowCount),
                waiting: Array(repeating: [], count: rowCount),
                results: Results(
                    cells: Array(
                        repeating: Array(repeating: nil, count: policyCount),
                        count: rowCount
                    ),
                    frames: Array(repeating: nil, count: rowCount)
                )
            )
        )
    }

    /// The next cell to replay; row by row, the first policy first.
    func next() -> Place? {
        state.withLock { state in
            guard state.nextCell < cellCount else { return nil }
            defer { state.nextCell += 1 }
            return Place(
                row: state.nextCell / policyCount,
                policy: state.nextCell % policyCount
            )
        }
    }

    /// What can be measured now that `finished` is: itself and those that waited for it, or
    /// nothing while the first policy of its row still runs.
    func ready(
        _ finished: Finished,
        frame: (Schedule) -> PictureFrame?
    ) -> [(Finished, Schedule, PictureFrame?)] {
        let row = finished.place.row
        let isBase = finished.place.policy == 0
        // Outside of the lock: a frame takes a sweep over the schedule.
        let made = isBase ? frame(finished.schedule) : nil
        return state.withLock { state in
            if isBase {
                state.bases[row] = finished.schedule
                state.results.frames[row] = made
            }
            guard let base = state.bases[row] else {
                state.waiting[row].append(finished)
                return []
            }
            let all = [finished] + state.waiting[row]
            state.waiting[row] = []
            return all.map { ($0, base, state.results.frames[row]) }
        }
    }

    func put(_ cell: ComparisonCell, at place: Place) {
        state.withLock { state in
            state.results.cells[place.row][place.policy] = cell
            let isRowDone = state.results.cells[place.row].allSatisfy { $0 != nil }
            if isRowDone { state.bases[place.row] = nil }
        }
    }

    func results() -> Results { state.withLock { $0.results } }
}

extension Trace {
    /// The same jobs with each submission moved by up to `microseconds` either way, whole seconds
    /// for a log of whole seconds; none before the start of the log.
    ///
    /// After Tsafrir, Ouaknine and Feitelson, "Reducing Performance Evaluation Sensitivity and
    /// Variability by Input Shaking", MASCOTS 2007; jobs are moved one by one, not by user session.
    func shaken(by microseconds: Int64, seed: UInt64) -> Trace {
        var random = SplitMix64(seed: seed)
        let seconds = UInt64(microseconds / 1_000_000)
        var moved: [(job: TraceJob, position: Int)] = []
        moved.reserveCapacity(jobs.count)
        for (position, job) in jobs.enumerated() {
            var job = job
            let step = Int64(random.below(2 * seconds + 1)) - Int64(seconds)
            job.submitted = max(0, job.submitted + step * 1_000_000)
            moved.append((job, position))
        }
        moved.sort { left, right in
            (left.job.submitted, left.job.id, left.position)
                < (right.job.submitted, right.job.id, right.position)
        }
        var shaken = self
        shaken.jobs = ContiguousArray(moved.map(\.job))
        if !requests.isEmpty {
            shaken.requests = ContiguousArray(moved.map { requests[$0.position] })
        }
        return shaken
    }
}
