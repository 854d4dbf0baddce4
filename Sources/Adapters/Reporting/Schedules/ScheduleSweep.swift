import WorkloadFormats

/// Goes through a schedule in time: what was in use, who waited, and who ran where.
///
/// At one instant ends come first, then runs that take no time, then the other starts.
struct ScheduleSweep {
    /// The state after all that happens at an instant.
    struct Moment {
        /// Trace time. Unit: µs.
        var time: Int64
        /// Processors in use.
        var busy: Int64
        /// Jobs that wait.
        var waiting: Int
    }

    /// A run of a job, a position in the trace.
    struct Run {
        var job: Int
        /// Trace time. Unit: µs.
        var start: Int64
        /// Trace time. Unit: µs.
        var end: Int64
        /// Whether its job waits again when it ends.
        var isRequeued: Bool
        /// Its number in `Schedule.places`; −1 where those are not known.
        var number: Int
    }

    private let schedule: Schedule
    /// Jobs that wait at some time, in order of submission.
    private let submissions: [Int]
    private let starts: [Run]
    private let ends: [Run]

    /// - Complexity: O(runs · log runs).
    init(_ schedule: Schedule) {
        self.schedule = schedule
        let waiting = Set(schedule.failures?.leftWaiting ?? [])
        submissions = schedule.started.indices.filter {
            schedule.started[$0] >= 0 || waiting.contains($0)
        }
        var runs = schedule.ranIndices.map { job in
            Run(
                job: job,
                start: schedule.started[job],
                end: schedule.ended[job],
                isRequeued: false,
                number: schedule.places.map { Int($0.lastRun[job]) } ?? -1
            )
        }
        runs += schedule.earlierRuns.map {
            Run(job: $0.job, start: $0.start, end: $0.end, isRequeued: true, number: $0.run)
        }
        starts = runs.sorted { left, right in
            guard left.start == right.start else { return left.start < right.start }
            let isLeftBrief = left.end == left.start
            let isRightBrief = right.end == right.start
            return isLeftBrief == isRightBrief ? left.job < right.job : isLeftBrief
        }
        ends = runs.sorted { ($0.end, $0.job) < ($1.end, $1.job) }
    }

    /// Calls `body` after each instant at which something happens, in order.
    func moments(_ body: (Moment) throws -> Void) rethrows {
        var (submitted, started, ended) = (0, 0, 0)
        var (busy, requeued) = (Int64(0), 0)
        while ended < ends.count {
            var now = ends[ended].end
            if submitted < submissions.count {
                now = min(now, schedule.trace.jobs[submissions[submitted]].submitted)
            }
            if started < starts.count { now = min(now, starts[started].start) }
            while ended < ends.count, ends[ended].end == now {
                busy -= schedule.processorsHeld(by: ends[ended].job)
                if ends[ended].isRequeued { requeued += 1 }
                ended += 1
            }
            while submitted < submissions.count,
                schedule.trace.jobs[submissions[submitted]].submitted == now
            { submitted += 1 }
            while started < starts.count, starts[started].start == now {
                busy += schedule.processorsHeld(by: starts[started].job)
                started += 1
            }
            try body(Moment(time: now, busy: busy, waiting: submitted + requeued - started))
        }
    }

    /// Calls `body` for each run in order of its start, with the nodes that it held.
    ///
    /// - Precondition: the schedule has `places`.
    func placedRuns(_ body: (_ run: Run, _ nodes: [ClosedRange<Int32>]) throws -> Void) rethrows {
        guard let places = schedule.places else { preconditionFailure("no places were recorded") }
        for run in starts { try body(run, places.nodes(ofRun: run.number)) }
    }
}

/// ∫ idle · [a job waits] dt over `time`. Unit: processor·µs.
///
/// After each event the machine has n idle processors, and δ is 1 while the queue is not empty;
/// loss of capacity is Σ n·δ·Δt over machine · time. Jobs that can never run do not wait.
/// Source: Zhang, Franke, Moreira and Sivasubramaniam, "An Integrated Approach to Parallel
/// Scheduling Using Gang-Scheduling, Backfilling, and Migration", JSSPP 2001.
func idleWhileWaiting(_ schedule: Schedule, in time: ClosedRange<Int64>) -> Int128 {
    var sum: Int128 = 0
    var before: ScheduleSweep.Moment?
    ScheduleSweep(schedule).moments { moment in
        if let before, before.waiting > 0 {
            let idle = max(0, schedule.machineProcessors - before.busy)
            sum += Int128(idle) * Int128(time.overlap(before.time, moment.time))
        }
        before = moment
    }
    return sum
}
