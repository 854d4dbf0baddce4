public import Determinism
public import Emulation
import JobModel
public import Quantities
import Scheduling
public import WorkloadFormats

/// What goes first at one instant of a replay.
public enum EventOrder: String, Hashable, Sendable, CaseIterable {
    /// All ends, then all submissions, then one pass.
    case batched
    /// As the pyss simulator does: jobs that end exactly when planned free their processors; then submissions, a pass after each; then the other ends in order of start, a pass after
    /// each.
    case pyss
}

/// What becomes of a job that runs longer than its limit.
public enum OverrunRule: String, Hashable, Sendable, CaseIterable {
    /// It ends at its limit, in state TIMEOUT.
    case kill
    /// It runs on; until it ends, it counts as ending a second from now.
    case extend
}

/// What a replay gave. Element `i` belongs to job `i` of the trace; times are trace time in µs.
public struct ReplayResult: Sendable {
    /// When each job started; −1 for one that was refused.
    public var started: ContiguousArray<Int64>
    /// When each job ended; −1 for one that was refused.
    public var ended: ContiguousArray<Int64>
    /// Jobs larger than the machine, as positions in the trace.
    public var refused: [Int] = []
    /// Jobs that ended at their limit.
    public var timeoutCount = 0
    /// The most jobs that waited at once after a pass.
    public var queueMaximum = 0
    /// Scheduling passes.
    public var passCount = 0
    /// The digest of all decisions.
    public var digest = StateDigest()
}

/// Replays a trace: the driver that jumps from event to event.
///
/// It feeds the same `Emulator` as the live daemon and keeps nothing but the ends to come.
public struct ReplayDriver {
    private let trace: Trace
    private let machine: ReplayMachine
    private let order: EventOrder

    private var emulator: Emulator
    private var sink: Sink
    private var next = 0
    private var result: ReplayResult
    private let origin: Int64
    /// Who decides in place of the engine's own policy; nil when nobody does.
    private var decider: (any ReplayDecider)?
    /// What the decider has not been told yet.
    private var news = ReplaySituation()
    /// How often in a row the decider was woken for nothing: nothing runs, nothing is to come, and it
    /// started nothing.
    private var idleWakeCount = 0
    private static let idleWakeMaximum = 10_000
    /// Why the decider cannot go on.
    private var failure: (any Error)?
    /// Told now and then how many jobs have been submitted; for those who watch long runs.
    public var progress: ((_ submittedCount: Int) -> Void)?
    /// What each job is submitted as; only what differs is set anew.
    private var submission: JobSubmission

    /// Makes a driver.
    public init(
        trace: Trace,
        machine: ReplayMachine,
        order: EventOrder = .batched,
        overrun: OverrunRule = .kill
    ) {
        self.trace = trace
        self.machine = machine
        self.order = order
        origin = trace.unixStartTime * 1_000_000
        submission = JobSubmission(
            id: JobID(0),
            partitions: [machine.partition],
            request: .wholeNodes(1),
            timeLimit: SimDuration(microseconds: 0)
        )
        emulator = Emulator(machine.configuration)
        sink = Sink(jobs: trace.jobs, origin: origin, overrun: overrun)
        result = ReplayResult(started: [], ended: [])
    }

    /// Runs to the end.
    ///
    /// - Parameter watch: called after the events of every instant, for tests.
    public mutating func run(
        watch: ((Emulator, SimInstant) -> Void)? = nil
    ) -> ReplayResult {
        var instantCount = 0
        while failure == nil, let now = nextInstant() {
            instantCount &+= 1
            if instantCount & 0xFFFF == 0 { progress?(next) }
            switch order {
            case .batched: stepBatched(now)
            case .pyss: stepPyss(now)
            }
            result.queueMaximum = max(
                result.queueMaximum,
                emulator.activeJobCount - emulator.runningJobCount
            )
            watch?(emulator, SimInstant(microseconds: now))
        }
        result.started = sink.started
        result.ended = sink.ended
        result.timeoutCount = sink.timeoutCount
        result.digest = emulator.digest
        return result
    }

    @inline(__always)
    private func nextInstant() -> Int64? {
        var instant = min(sink.ends.nextInstant ?? .max, sink.wake ?? .max)
        if next < trace.jobs.count { instant = min(instant, trace.jobs[next].submitted + origin) }
        return instant == .max ? nil : instant
    }

    // MARK: Orders

    private mutating func stepBatched(_ now: Int64) {
        while sink.ends.nextInstant == now { end(sink.ends.pop(), now) }
        while arrives(at: now) { submitNext(now) }
        pass(now)
    }

    private mutating func stepPyss(_ now: Int64) {
        var ended: [JobID] = []
        while sink.ends.nextInstant == now { ended.append(sink.ends.pop()) }
        let areFirst = ended.map { goesFirst($0, now) }
        for (id, isFirst) in zip(ended, areFirst) where isFirst {
            end(id, now, isForetold: true)
        }
        while arrives(at: now) {
            submitNext(now)
            pass(now)
        }
        for (id, isFirst) in zip(ended, areFirst) {
            if isFirst {
                let index = Int(id.number) - 1
                let length = sink.ended[index] - sink.started[index]
                emulator.learnRunTime(ofUser: trace.jobs[index].user, length)
            } else {
                end(id, now)
            }
            pass(now)
        }
        if sink.wake == now { pass(now) }
    }

    /// Whether pyss takes a job's end before the submissions: it was planned for this instant, and no
    /// plan that is kept knows of that already.
    private func goesFirst(_ id: JobID, _ now: Int64) -> Bool {
        machine.configuration.policy.backfill != .conservativeCompress
            && emulator.isPlannedToEnd(id, by: SimInstant(microseconds: now))
    }

    // MARK: Events

    @inline(__always)
    private func arrives(at now: Int64) -> Bool {
        next < trace.jobs.count && trace.jobs[next].submitted + origin == now
    }

    private mutating func submitNext(_ now: Int64) {
        let job = trace.jobs[next]
        next += 1
        submission.id = JobID(UInt32(next))
        if machine.sharing == .wholeNodes {
            submission.request.chunkCount = machine.nodes(forProcessors: job.processors)
        } else {
            let detail = trace.requests.isEmpty ? nil : trace.requests[next - 1]
            submission.request = machine.request(job, detail)
            submission.partitions[0] = machine.partition(detail)
        }
        submission.timeLimit = SimDuration(microseconds: job.timeLimit)
        submission.user = job.user
        submission.account = job.group
        do {
            try emulator.submit(submission, at: SimInstant(microseconds: now), into: &sink)
            if decider != nil { news.submitted.append(next - 1) }
        } catch {
            result.refused.append(next - 1)
        }
    }

    private mutating func end(_ id: JobID, _ now: Int64, isForetold: Bool = false) {
        let state = sink.endState(of: id)
        do {
            try emulator.end(
                id,
                state,
                at: SimInstant(microseconds: now),
                isForetold: isForetold,
                into: &sink
            )
        } catch {
            preconditionFailure("job \(id) was started by this replay: \(error)")
        }
        if decider != nil { news.ended.append((Int(id.number) - 1, state)) }
    }

    private mutating func pass(_ now: Int64) {
        result.passCount += 1
        sink.wake = nil
        if decider != nil { decide(now) }
        emulator.schedulingPass(at: SimInstant(microseconds: now), into: &sink)
    }
}

// MARK: - Decisions from outside

extension ReplayDriver {
    /// Runs to the end; `decider` chooses the jobs that start.
    ///
    /// - Throws: what the decider throws, or `RefusedDecision` when it asks for what cannot be.
    /// - Precondition: the machine's policy has `BackfillPolicy.external`.
    public mutating func run(
        asking decider: any ReplayDecider,
        watch: ((Emulator, SimInstant) -> Void)? = nil
    ) throws -> ReplayResult {
        precondition(machine.configuration.policy.backfill == .external)
        self.decider = decider
        defer { self.decider = nil }
        let result = run(watch: watch)
        if let failure { throw failure }
        guard emulator.activeJobCount == 0 else { throw leftWaiting }
        return result
    }

    private var leftWaiting: RefusedDecision {
        .leftWaiting(trace.jobs.indices.filter { emulator.phase(of: Self.id($0)) != nil })
    }

    private static func id(_ index: Int) -> JobID { JobID(UInt32(index + 1)) }

    /// Tells the decider what has happened and starts what it asks for.
    private mutating func decide(_ now: Int64) {
        guard failure == nil, let decider else { return }
        news.now = now - origin
        news.freeNodes = emulator.idleNodeCount
        do {
            let decision = try decider.decide(news)
            news.submitted.removeAll(keepingCapacity: true)
            news.ended.removeAll(keepingCapacity: true)
            for index in decision.starts { try start(index, now) }
            guard let wake = decision.wake else { return }
            guard wake > now - origin else { throw RefusedDecision.wakesTooEarly(wake) }
            guard wake <= Trace.instantMaximum else { throw RefusedDecision.wakesTooLate(wake) }
            let isOver = next == trace.jobs.count && emulator.runningJobCount == 0
            // When all has ended there is nothing to be woken for.
            guard !isOver || emulator.activeJobCount > 0 else { return }
            idleWakeCount = isOver ? idleWakeCount + 1 : 0
            guard idleWakeCount <= Self.idleWakeMaximum else { throw leftWaiting }
            sink.wake = wake + origin
        } catch {
            failure = error
        }
    }

    private mutating func start(_ index: Int, _ now: Int64) throws(RefusedDecision) {
        do throws(InputRejection) {
            let instant = SimInstant(microseconds: now)
            try emulator.handle(.start(Self.id(index)), at: instant, into: &sink)
        } catch {
            switch error {
            case .jobIsRunning: throw .isRunning(index)
            case .unknownJob where sink.ended[index] >= 0: throw .hasEnded(index)
            case .unknownJob: throw .hasNotArrived(index)
            default: throw .doesNotFit(index, free: emulator.idleNodeCount)
            }
        }
    }
}

/// Turns starts into ends to come, and notes both.
private struct Sink: EffectSink {
    let jobs: ContiguousArray<TraceJob>
    let origin: Int64
    let overrun: OverrunRule
    var ends = EndQueue()
    var started: ContiguousArray<Int64>
    var ended: ContiguousArray<Int64>
    var timeoutCount = 0
    /// When the emulator wants the next pass, if nothing happens before.
    var wake: Int64?

    init(jobs: ContiguousArray<TraceJob>, origin: Int64, overrun: OverrunRule) {
        self.jobs = jobs
        self.origin = origin
        self.overrun = overrun
        started = ContiguousArray(repeating: -1, count: jobs.count)
        ended = ContiguousArray(repeating: -1, count: jobs.count)
    }

    func endState(of id: JobID) -> EndState {
        let job = jobs[Int(id.number) - 1]
        return overrun == .kill && job.runTime > job.timeLimit ? .timeout : .completed
    }

    mutating func jobStarted(_ start: JobStart) {
        let index = Int(start.id.number) - 1
        let job = jobs[index]
        let length = overrun == .kill ? min(job.runTime, job.timeLimit) : job.runTime
        started[index] = start.startedAt.microseconds - origin
        ends.push(start.id, at: start.startedAt.microseconds + length)
    }

    mutating func jobEnded(_ end: JobEnd) {
        ended[Int(end.id.number) - 1] = end.endedAt.microseconds - origin
        if end.state == .timeout { timeoutCount += 1 }
    }

    mutating func jobMustStop(_ id: JobID, _ reason: StopReason) {
        preconditionFailure("a replay stops no job")
    }

    mutating func jobRequeued(_ run: JobEnd) {
        preconditionFailure("a replay requeues no job")
    }

    mutating func wake(at instant: SimInstant) {
        wake = min(wake ?? .max, instant.microseconds)
    }
}
