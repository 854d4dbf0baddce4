import Glibc
import ReplayRuntime
import Reporting
import Scheduling
import WorkloadFormats

/// One policy on one trace: the replay, what it made, and what it cost.
struct ReplayRun {
    let machine: ReplayMachine
    let result: ReplayResult
    let schedule: Schedule
    let cpuSeconds: Double
    /// How the policy calls itself.
    let name: String

    /// Replays `trace`.
    ///
    /// The thread's processor time is taken around the driver alone: reading the log and measuring
    /// the schedule are not in it.
    ///
    /// - Parameters:
    ///   - failures: what happens to nodes; nil when nothing does.
    ///   - recordsPlaces: whether the schedule is to tell which nodes each run held.
    ///   - bar: advances by each job.
    ///   - run: runs the driver and says what the policy is called.
    /// - Throws: what `run` throws, or `Refusal` where nodes fail too often for the log to end.
    init(
        _ trace: Trace,
        on machine: ReplayMachine,
        _ options: ReplayOptions,
        failures: ReplayFailures?,
        recordsPlaces: Bool,
        _ bar: ProgressBar,
        run: (inout ReplayDriver) throws -> (ReplayResult, String)
    ) throws {
        let before = Self.threadSeconds()
        var driver = ReplayDriver(
            trace: trace,
            machine: machine,
            order: options.eventOrder,
            overrun: options.overrun,
            failures: failures,
            following: options.following(trace),
            recordsPlaces: recordsPlaces,
            findsFairStarts: options.fairStarts
        )
        var shown = 0
        driver.progress = { submitted in
            bar.advance(by: submitted - shown)
            shown = submitted
        }
        let (result, name) = try run(&driver)
        if result.failures?.isCutOff == true {
            let count = result.ended.count { $0 >= 0 }
            throw Refusal(
                "--failures: after \(NodeEventStream.drawnMaximum) failures and repairs of nodes \(count) of"
                    + " \(trace.jobs.count) jobs have ended: nodes fail too often for this log"
            )
        }
        bar.advance(by: trace.jobs.count - shown)
        self.name = name
        cpuSeconds = Self.threadSeconds() - before
        self.machine = machine
        self.result = result
        schedule = Schedule(result.submitted ?? trace, machine, result)
    }

    /// The schedule's measures; those that need a sweep only for `compare` and pages.
    func outcome(trim: Trim?, withLossOfCapacity: Bool) -> PolicyOutcome {
        let window = trim.flatMap { schedule.trace.window(of: $0) }
        let metrics = ScheduleMetrics(
            schedule,
            window: window,
            withLossOfCapacity: withLossOfCapacity
        )
        var outcome = PolicyOutcome(
            name,
            schedule,
            result,
            metrics: metrics,
            window: window,
            cpuSeconds: cpuSeconds
        )
        outcome.energy = EnergySummary(result.power, gridMilligrams: machine.gridMilligrams)
        return outcome
    }

    private static func threadSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}

extension Trace {
    /// The submissions that `trim` leaves; nil when it leaves none.
    func window(of trim: Trim) -> ClosedRange<Int64>? {
        guard let first = jobs.first, let last = jobs.last else { return nil }
        return trim.window(of: first.submitted...last.submitted)
    }
}
