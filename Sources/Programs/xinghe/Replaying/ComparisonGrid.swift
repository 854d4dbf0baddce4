import Determinism
import Emulation
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
    private struct ReadTrace {
        var path: String
        var machine: ReplayMachine?
        var notes: [String]
        var trace: Trace
    }

    private let paths: [ReadTrace]
    private let policies: [SchedulingPolicy]
    private let options: ReplayOptions
    private let wishes: Wishes
    private let withPictures: Bool

    /// What is asked of a comparison beside policies and logs.
    struct Wishes {
        /// What is another than it is, each compared under all policies with what is.
        var changes: [WhatIf] = []
        /// What groups are told apart by; nil for no groups.
        var groupKey: ScheduleGroup.Key?
        /// Who prices schedules; nil when nobody asked.
        var till: Till?
        /// The program that decides where a policy is external.
        var outside: ExternalPolicyOptions?
        /// Which cells are this process's own; nil for all.
        var shard: Shard?
    }

    /// One trace and seed: what the columns are compared on.
    private struct Row {
        let pathIndex: Int
        let seed: UInt64?
        let columns: [Column]
    }

    /// A policy, perhaps with a change.
    private struct Column {
        let name: String
        /// What is changed; nil for nothing.
        let change: String?
        let trace: Trace
        let machine: ReplayMachine
        let failures: ReplayFailures?
    }

    /// Reads the traces and makes the machines; all refusals come from here.
    init(
        paths: [String],
        policies: [SchedulingPolicy],
        seeds: [UInt64]?,
        shakeMicroseconds: Int64,
        options: ReplayOptions,
        wishes: Wishes = Wishes(),
        withPictures: Bool
    ) throws {
        /// The columns of a trace: the policies, then those under each change.
        func columns(_ trace: Trace, at path: String) throws -> [Column] {
            var list: [Column] = []
            for change in [WhatIf?.none] + wishes.changes.map(Optional.some) {
                let changed = change?.trace(trace) ?? trace
                let failing = try change?.failures(options.failures) ?? options.failures
                for policy in policies {
                    let machine = try options.machine(
                        for: changed,
                        at: path,
                        policy,
                        change: change
                    )
                    let failures = try failing.failures(of: machine, changed, options)
                    let name = change.map { "\(policy.name); \($0.text)" } ?? policy.name
                    list.append(
                        Column(
                            name: name,
                            change: change?.text,
                            trace: changed,
                            machine: machine,
                            failures: failures
                        )
                    )
                }
            }
            return list
        }
        var rows: [Row] = []
        var read: [ReadTrace] = []
        for path in paths {
            let trace = try options.readTrace(path)
            try options.checkTrim(trace, at: path)
            let plain = try columns(trace, at: path)
            let notes = plain.first?.machine.recorded?.notes ?? []
            read.append(
                ReadTrace(path: path, machine: plain.first?.machine, notes: notes, trace: trace)
            )
            for seed in seeds.map({ $0.map(Optional.some) }) ?? [nil] {
                let shaken = seed.map { trace.shaken(by: shakeMicroseconds, seed: $0) }
                rows.append(
                    Row(
                        pathIndex: read.count - 1,
                        seed: seed,
                        columns: try shaken.map { try columns($0, at: path) } ?? plain
                    )
                )
            }
        }
        self.rows = rows
        self.paths = read
        self.policies = policies
        self.options = options
        self.wishes = wishes
        self.withPictures = withPictures
        bootstrap = PairedBootstrap(seed: seeds?.first ?? 1)
    }

    /// The number of replays of all processes together.
    private var wholeCount: Int { rows.count * columnCount }

    /// The number of replays.
    var cellCount: Int { places.count }

    /// The cells of this process in the order of the grid, and the first ones of their rows: those are
    /// what the others are compared with.
    private var places: [Board.Place] {
        (0..<wholeCount).filter { number in
            let row = number / columnCount * columnCount
            return owns(number)
                || number == row && (row..<(row + columnCount)).contains(where: owns)
        }.map { Board.Place(row: $0 / columnCount, policy: $0 % columnCount) }
    }

    private func owns(_ number: Int) -> Bool { wishes.shard?.owns(number) ?? true }

    /// The numbers of this process's cells in the whole grid.
    var ownNumbers: [Int] { (0..<wholeCount).filter(owns) }

    private var columnCount: Int { policies.count * (wishes.changes.count + 1) }

    /// The number of jobs that all replays submit together.
    var jobCount: Int {
        places.reduce(0) { $0 + rows[$1.row].columns[$1.policy].trace.jobs.count }
    }

    /// Replays all cells.
    ///
    /// - Throws: what a program that decides did not do.
    func run(workers: Int, _ bar: ProgressBar) throws -> [Comparison] {
        let board = Board(rowCount: rows.count, policyCount: columnCount, places: places)
        let group = DispatchGroup()
        for _ in 0..<min(workers, cellCount) {
            group.enter()
            let thread = Thread {
                do {
                    while let cell = board.next() { try work(on: cell, board, bar) }
                } catch {
                    board.fail(error)
                }
                group.leave()
            }
            thread.stackSize = 8 << 20
            thread.start()
        }
        group.wait()
        if let failure = board.failure() { throw failure }
        let results = board.results()
        return paths.enumerated().map { index, entry in
            let mine = rows.indices.filter { rows[$0].pathIndex == index }
            func own(_ row: Int) -> [ComparisonCell] {
                (0..<columnCount).filter { owns(row * columnCount + $0) }
                    .compactMap { results.cells[row][$0] }
            }
            var comparison = Comparison(
                tracePath: entry.path,
                machine: entry.machine?.title ?? "",
                trace: entry.trace,
                cells: mine.flatMap(own),
                frame: mine.first.flatMap { results.frames[$0] }
            )
            comparison.chineseMachine = entry.machine?.chineseTitle
            comparison.notes = entry.notes
            return comparison
        }
    }

    // MARK: One cell

    private func work(on cell: Board.Place, _ board: Board, _ bar: ProgressBar) throws {
        let column = rows[cell.row].columns[cell.policy]
        let run = try ReplayRun(
            column.trace,
            on: column.machine,
            options,
            failures: column.failures,
            recordsPlaces: withPictures && cell.policy < ComparisonPage.detailMaximum,
            bar
        ) { driver in
            guard column.machine.configuration.policy.backfill == .external,
                let outside = wishes.outside
            else { return (driver.run(), column.name) }
            // A program has a name of its own.
            let (result, name) = try outside.run(&driver, column.trace, column.machine)
            return (result, column.change.map { "\(name); \($0)" } ?? name)
        }
        let outcome = run.outcome(trim: options.trim, withLossOfCapacity: true)
        let finished = Board.Finished(place: cell, schedule: run.schedule, outcome: outcome)
        for (finished, base, frame) in board.ready(finished, frame: { frame(of: $0) }) {
            board.put(measured(finished, base, frame), at: finished.place)
        }
    }

    private func frame(of base: Schedule) -> PictureFrame? {
        guard withPictures else { return nil }
        let window = options.trim.flatMap { base.trace.window(of: $0) }
        return PictureFrame(base, submissions: window, in: options.words)
    }

    private func measured(
        _ finished: Board.Finished,
        _ base: Schedule,
        _ frame: PictureFrame?
    ) -> ComparisonCell {
        var cell = ComparisonCell(
            finished.outcome,
            seed: rows[finished.place.row].seed,
            schedule: finished.schedule,
            base: finished.place.policy > 0 ? base : nil,
            frame: frame,
            window: options.trim.flatMap { base.trace.window(of: $0) },
            bootstrap: bootstrap,
            withGantt: finished.place.policy < ComparisonPage.detailMaximum
        )
        if let key = wishes.groupKey {
            let window = options.trim.flatMap { finished.schedule.trace.window(of: $0) }
            cell.groupKey = key
            cell.groups = ScheduleGroup.groups(of: finished.schedule, by: key, window: window)
        }
        cell.money = wishes.till?.outcomes(of: finished.schedule) ?? []
        return cell
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
        var failure: (any Error)?
        var bases: [Schedule?]
        var waiting: [[Finished]]
        var results: Results
    }

    private let places: [Place]
    private let state: Mutex<State>

    init(rowCount: Int, policyCount: Int, places: [Place]) {
        self.places = places
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
            guard state.nextCell < places.count, state.failure == nil else { return nil }
            defer { state.nextCell += 1 }
            return places[state.nextCell]
        }
    }

    /// Ends the grid: nobody gets another cell.
    func fail(_ error: any Error) {
        state.withLock { if $0.failure == nil { $0.failure = error } }
    }

    func failure() -> (any Error)? { state.withLock { $0.failure } }

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
            let isRowDone = places.allSatisfy {
                $0.row != place.row || state.results.cells[place.row][$0.policy] != nil
            }
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
        if !records.isEmpty {
            shaken.records = ContiguousArray(moved.map { records[$0.position] })
        }
        if !details.isEmpty {
            shaken.details = ContiguousArray(moved.map { details[$0.position] })
        }
        shaken.rows = rows.reordered(by: moved.map(\.position))
        return shaken
    }
}
