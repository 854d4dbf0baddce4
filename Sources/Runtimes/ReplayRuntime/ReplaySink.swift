import Emulation
import JobModel
import Quantities
import WorkloadFormats

/// Turns starts into ends to come, and notes both.
struct ReplaySink: EffectSink {
    private var jobs: ContiguousArray<TraceJob>
    private let origin: Int64
    private let overrun: OverrunRule
    private(set) var started: ContiguousArray<Int64>
    private(set) var ended: ContiguousArray<Int64>
    private(set) var timeoutCount = 0
    var ends = EndQueue()
    /// When the emulator wants the next pass, if nothing happens before.
    var wake: Int64?
    /// Whether starts are noted in `startedNow`.
    var recordsStarts = false
    /// Who has started since the list was emptied.
    var startedNow: [JobID] = []

    /// How long each job runs and how it ends, where that was recorded; empty elsewhere. Unit: µs.
    private var lengths: [Int64] = []
    private var states: [EndState] = []
    /// Every instant for which a timer was asked, rising, where it was recorded what decided: a live
    /// centre lets none of them pass. Unit: µs since the epoch.
    private var wakes: [Int64] = []
    private var keepsWakes = false

    /// Whether runs may be cut short. What follows is empty where they cannot.
    private let mayBeCut: Bool
    /// Whether somebody outside decides, and is told what follows.
    private let isDecidedOutside: Bool
    private let checkpointInterval: Int64?
    /// What each job still has to run. Unit: µs.
    private var remaining: ContiguousArray<Int64> = []
    /// When each job's run ends; −1 while it does not run. What the queue says of a run that was cut
    /// short differs from it. Unit: µs since the epoch.
    private var due: ContiguousArray<Int64> = []
    /// The number of each job's last run among all.
    private var lastRun: ContiguousArray<Int> = []
    private var runCount = 0
    private(set) var interrupted: [InterruptedRun] = []
    private(set) var lost: [Int] = []
    /// How often each job was requeued; only looked up.
    private var requeueCounts: [Int: Int] = [:]
    private var hopeless: [JobID] = []
    private var stopped: [JobID] = []
    /// Jobs that were cancelled from outside, and the one that is at this moment.
    private(set) var cancelled: [Int] = []
    var cancelling: Int?
    /// What has ended, and what waits again, since the lists were emptied.
    var endedNow: [(job: Int, state: EndState)] = []
    var requeuedNow: [Int] = []

    init(
        jobs: ContiguousArray<TraceJob>,
        origin: Int64,
        overrun: OverrunRule,
        isDecidedOutside: Bool,
        _ failures: ReplayFailures?
    ) {
        self.jobs = jobs
        self.origin = origin
        self.overrun = overrun
        started = ContiguousArray(repeating: -1, count: jobs.count)
        ended = ContiguousArray(repeating: -1, count: jobs.count)
        self.isDecidedOutside = isDecidedOutside
        mayBeCut = failures != nil || isDecidedOutside
        checkpointInterval = failures?.checkpointInterval
        if mayBeCut {
            remaining = ContiguousArray(jobs.map(\.runTime))
            due = ContiguousArray(repeating: -1, count: jobs.count)
            lastRun = ContiguousArray(repeating: -1, count: jobs.count)
        }
    }

    /// Takes the job that is submitted at a place of the order of submissions.
    mutating func place(_ job: TraceJob, at index: Int) {
        jobs[index] = job
        if mayBeCut { remaining[index] = job.runTime }
    }

    /// Takes what was recorded for what happens.
    mutating func obey(_ recorded: RecordedCentre) {
        lengths = recorded.lengths
        states = recorded.states
        keepsWakes = true
    }

    @inline(__always)
    private func length(of index: Int) -> Int64 {
        mayBeCut ? remaining[index] : jobs[index].runTime
    }

    @inline(__always)
    func endState(of id: JobID) -> EndState {
        let index = Int(id.number) - 1
        if !states.isEmpty { return states[index] }
        let isCut = overrun == .kill && length(of: index) > jobs[index].timeLimit
        return isCut ? .timeout : .completed
    }

    /// Takes ends of runs that were cut short out of the queue, up to the first that is to come.
    mutating func dropStaleEnds() {
        while let instant = ends.nextInstant, let id = ends.nextJob,
            due[Int(id.number) - 1] != instant
        { _ = ends.pop() }
    }

    /// Hands over the jobs that have been requeued too often.
    mutating func takeHopeless() -> [JobID] {
        defer { hopeless.removeAll() }
        return hopeless
    }

    // MARK: Effects

    mutating func jobStarted(_ start: JobStart) {
        let index = Int(start.id.number) - 1
        let whole = length(of: index)
        let isCut = overrun == .kill && lengths.isEmpty
        let length = isCut ? min(whole, jobs[index].timeLimit) : whole
        let begin = start.startedAt.microseconds + start.bootDelay.microseconds
        // A live centre says when a job got its nodes; elsewhere their coming up is part of the wait.
        started[index] = (lengths.isEmpty ? begin : start.startedAt.microseconds) - origin
        ends.push(start.id, at: begin + length)
        if recordsStarts { startedNow.append(start.id) }
        guard mayBeCut else { return }
        due[index] = begin + length
        lastRun[index] = runCount
        runCount += 1
    }

    mutating func jobEnded(_ end: JobEnd) {
        let index = Int(end.id.number) - 1
        if mayBeCut {
            due[index] = -1
            if isDecidedOutside {
                endedNow.append((index, end.state))
                if index == cancelling {
                    cancelled.append(index)
                    if end.startedAt != nil { ended[index] = end.endedAt.microseconds - origin }
                    return
                }
            }
            // Somebody took it out of the queue; no node has cut it short.
            let isWithdrawn =
                end.state == .cancelled && started[index] < 0 && requeueCounts[index] == nil
            if isWithdrawn { return }
            switch end.state {
            case .nodeFail, .cancelled, .preempted: return lose(index, end)
            case .completed, .failed, .timeout, .outOfMemory, .deadline: break
            }
        }
        ended[index] = end.endedAt.microseconds - origin
        if end.state == .timeout { timeoutCount += 1 }
    }

    mutating func jobRequeued(_ run: JobEnd) {
        let index = Int(run.id.number) - 1
        guard let length = cutShort(index, run, isRequeued: true) else { return }
        let kept = checkpointInterval.map { length / $0 * $0 } ?? 0
        remaining[index] -= kept
        interrupted[interrupted.count - 1].lost = length - kept
        started[index] = -1
        due[index] = -1
        requeueCounts[index, default: 0] += 1
        if isHopeless(index) { hopeless.append(run.id) }
        if isDecidedOutside { requeuedNow.append(index) }
    }

    private func isHopeless(_ index: Int) -> Bool {
        requeueCounts[index] == ReplayFailures.requeueMaximum
    }

    /// A job ends without having run to its end: all that it did was in vain.
    private mutating func lose(_ index: Int, _ end: JobEnd) {
        lost.append(index)
        let kept = jobs[index].runTime - remaining[index]
        if let length = cutShort(index, end, isRequeued: false) {
            ended[index] = end.endedAt.microseconds - origin
            interrupted[interrupted.count - 1].lost = length + kept
        } else if let last = interrupted.lastIndex(where: { $0.job == index }) {
            interrupted[last].lost += kept
        }
    }

    /// Notes a run that was cut short. Returns how long it was; nil when the job did not run. Unit: µs.
    private mutating func cutShort(_ index: Int, _ run: JobEnd, isRequeued: Bool) -> Int64? {
        guard let start = run.startedAt else { return nil }
        interrupted.append(
            InterruptedRun(
                job: index,
                start: start.microseconds - origin,
                end: run.endedAt.microseconds - origin,
                lost: 0,
                isRequeued: isRequeued,
                run: lastRun[index]
            )
        )
        return (run.endedAt - start - run.suspendedFor).microseconds
    }

    /// Its end is not known until it goes on.
    mutating func jobSuspended(_ id: JobID) {
        guard mayBeCut else { return }
        due[Int(id.number) - 1] = -1
    }

    mutating func jobResumed(_ id: JobID, suspendedFor: SimDuration, deadline: SimInstant) {
        guard mayBeCut else { return }
        let index = Int(id.number) - 1
        let isCut = overrun == .kill && lengths.isEmpty
        let whole = length(of: index)
        let length = isCut ? min(whole, jobs[index].timeLimit) : whole
        due[index] = started[index] + origin + suspendedFor.microseconds + length
        ends.push(id, at: due[index])
    }

    /// Nothing real runs: what is cancelled ends now, and every other end is stale from now on.
    mutating func jobMustStop(_ id: JobID, _ reason: StopReason) {
        guard reason == .cancelled, mayBeCut else { return }
        stopped.append(id)
    }

    /// Hands over the running jobs that were cancelled.
    mutating func takeStopped() -> [JobID] {
        defer { stopped.removeAll() }
        return stopped
    }

    /// Forgets that a job was to stop: it has ended.
    mutating func dropStop(of id: JobID) { stopped.removeAll { $0 == id } }

    /// Forgets the timers that have come.
    mutating func dropWakes(through now: Int64) {
        wakes.removeAll { $0 <= now }
        wake = wakes.first
    }

    mutating func wake(at instant: SimInstant) {
        if keepsWakes {
            let place = wakes.firstIndex { $0 >= instant.microseconds } ?? wakes.count
            if place == wakes.count || wakes[place] != instant.microseconds {
                wakes.insert(instant.microseconds, at: place)
            }
            wake = wakes.first
            return
        }
        wake = min(wake ?? .max, instant.microseconds)
    }
}
