import Accounts
public import Determinism
public import Emulation
import IndexSets
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

/// Events of nodes in a replay, and what becomes of the jobs that they cut short.
public struct ReplayFailures: Sendable {
    /// What happens to nodes.
    public var events: NodeEventStream
    /// Whether jobs whose node fails wait again; else they are lost.
    public var areJobsRequeued: Bool
    /// How often a run saves its state, from which the next run goes on; nil when it starts over.
    /// Unit: µs.
    public var checkpointInterval: Int64?

    /// A job that is cut short so often is given up: nobody would submit it again.
    public static let requeueMaximum = 1_000
    /// When nothing has run for so long and all has been submitted, what waits is left waiting. Only
    /// where failures are drawn: they never end. Unit: µs.
    static let patience: Int64 = 365 * 86_400_000_000
    /// Where a replay whose jobs never come to their ends is over. Unit: µs since the epoch.
    static let lastInstant = Int64.max / 2

    /// Makes them.
    public init(
        events: NodeEventStream,
        areJobsRequeued: Bool = true,
        checkpointInterval: Int64? = nil
    ) {
        self.events = events
        self.areJobsRequeued = areJobsRequeued
        self.checkpointInterval = checkpointInterval
    }
}

/// What a replay gave. Element `i` belongs to job `i` of the trace; times are trace time in µs.
public struct ReplayResult: Sendable {
    /// When each job started, for the last time; −1 for one that did not.
    public var started: ContiguousArray<Int64>
    /// When each job ended; −1 for one that did not.
    public var ended: ContiguousArray<Int64>
    /// Jobs larger than the machine, as positions in the trace.
    public var refused: [Int] = []
    /// Jobs that ended at their limit.
    public var timeoutCount = 0
    /// The most jobs that waited at once after a pass.
    public var queueMaximum = 0
    /// Scheduling passes.
    public var passCount = 0
    /// Jobs that were cancelled, waiting or running, as positions in the trace; nil when nobody outside
    /// decided.
    public var cancelled: [Int]?
    /// When each job would have started if nobody had come after it; −1 for never, also of those that were
    /// refused. Nil when nobody asked.
    public var fairStarts: ContiguousArray<Int64>?
    /// Which nodes each run held; nil when nobody asked.
    public var places: RunPlaces?
    /// What events of nodes did; nil when none could happen.
    public var failures: FailureRecord?
    /// What nodes drew from the first instant to the end of the last job; nil when nobody asked.
    public var power: PowerReading?
    /// The trace as it was submitted, where that hung on the decisions: jobs in the order and at the
    /// instants of their submissions, which the elements above are in, too; nil elsewhere.
    public var submitted: Trace?
    /// The digest of all decisions.
    public var digest = StateDigest()
}

/// How a replay obeys what a log says of jobs that follow others.
public enum FollowingRule: String, Hashable, Sendable {
    /// Jobs are submitted when they were, and wait for the job before to end.
    case dependencies
    /// Jobs are submitted when the job before has ended and their users have thought.
    case thinkTimes
}

/// Replays a trace: the driver that jumps from event to event.
///
/// It feeds the same `Emulator` as the live daemon and keeps nothing but the ends to come.
public struct ReplayDriver {
    private var trace: Trace
    private let machine: ReplayMachine
    private let order: EventOrder
    private let overrun: OverrunRule

    private var emulator: Emulator
    private var sink: ReplaySink
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
    /// Whether it is asked when each job would have started if nobody had come after it.
    public var findsFairStarts: Bool { result.fairStarts != nil }
    private let mayFail: Bool
    /// Whether ends that are to come may turn out stale.
    private let mayBeCut: Bool
    private let countsPower: Bool
    /// What happens to nodes; nil when nothing does.
    private var failures: ReplayFailures?
    /// How many reservations were made.
    private var reservationCount: UInt32 = 0
    /// Nodes that are out of service.
    private var outOfService = IDSet()
    private var outOfServiceCount = 0
    /// When something ran last, or was still to come. Unit: µs since the epoch.
    private var lastBusy: Int64
    /// What each job is submitted as; only what differs is set anew.
    private var submission: JobSubmission
    /// What decided about the jobs where that was recorded; nil elsewhere.
    private let recorded: RecordedCentre?
    private var nextAction = 0
    /// Who follows whom where jobs wait for others; nil elsewhere.
    private let links: JobLinks?
    /// Who is submitted next where that hangs on ends; nil elsewhere.
    private var loop: ClosedLoop?

    /// Makes a driver.
    ///
    /// - Parameter following: which jobs follow which, and how that is obeyed; nil when it is not.
    /// - Precondition: jobs are submitted by think times, and fair starts are asked for, only where nodes
    ///   do not fail and nothing was recorded of a centre; fair starts only in batched order.
    public init(
        trace: Trace,
        machine: ReplayMachine,
        order: EventOrder = .batched,
        overrun: OverrunRule = .kill,
        failures: ReplayFailures? = nil,
        following: (links: JobLinks, rule: FollowingRule)? = nil,
        recordsPlaces: Bool = false,
        findsFairStarts: Bool = false
    ) {
        let recorded = machine.recorded
        // People cut recorded jobs short, as failures do.
        let failures = failures ?? recorded.map { _ in ReplayFailures(events: NodeEventStream([])) }
        precondition(failures == nil || order == .batched, "pyss knows no failures")
        let closesLoop = following?.rule == .thinkTimes
        precondition(!closesLoop && !findsFairStarts || failures == nil)
        precondition(!findsFairStarts || order == .batched && !closesLoop)
        links = closesLoop ? nil : following?.links
        loop = following.flatMap { closesLoop ? ClosedLoop(trace.jobs, $0.links) : nil }
        self.recorded = recorded
        self.trace = trace
        self.machine = machine
        self.order = order
        self.overrun = overrun
        origin = trace.unixStartTime * 1_000_000
        lastBusy = origin
        submission = JobSubmission(
            id: JobID(0),
            partitions: [machine.partition],
            request: .wholeNodes(1),
            timeLimit: SimDuration(microseconds: 0)
        )
        submission.isRequeuable = failures?.areJobsRequeued ?? false
        var configuration = machine.configuration
        // Whose jobs make way for whose is known only where a log tells all that decided.
        if recorded == nil { configuration.preemption.basis = nil }
        configuration.tellsPriorities = false
        emulator = Emulator(configuration)
        let isDecidedOutside = configuration.policy.backfill == .external
        sink = ReplaySink(
            jobs: trace.jobs,
            origin: origin,
            overrun: overrun,
            isDecidedOutside: isDecidedOutside,
            failures
        )
        if let recorded { sink.obey(recorded) }
        result = ReplayResult(started: [], ended: [])
        if recordsPlaces {
            result.places = RunPlaces(
                nodeCount: machine.configuration.nodes.count,
                jobCount: trace.jobs.count
            )
            sink.recordsStarts = true
        }
        mayFail = failures != nil
        mayBeCut = mayFail || isDecidedOutside
        if isDecidedOutside { result.cancelled = [] }
        if findsFairStarts {
            result.fairStarts = ContiguousArray(repeating: -1, count: trace.jobs.count)
        }
        countsPower = configuration.power != nil
        self.failures = failures
        if mayFail {
            result.failures = FailureRecord(nodeCount: machine.configuration.nodes.count)
        }
    }

    /// Runs to the end.
    ///
    /// - Parameter watch: called after the events of every instant, for tests.
    public mutating func run(
        watch: ((Emulator, SimInstant) -> Void)? = nil
    ) -> ReplayResult {
        var instantCount = 0
        var last: Int64?
        while failure == nil, let now = mayBeCut ? nextInstantOrEvent() : nextInstant() {
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
            last = now
            // What nodes draw when all is over is no part of the log.
            if countsPower, nextArrival == nil, emulator.activeJobCount == 0 { break }
        }
        result.power = last.flatMap { emulator.powerReading(at: SimInstant(microseconds: $0)) }
        result.started = sink.started
        result.ended = sink.ended
        result.timeoutCount = sink.timeoutCount
        result.digest = emulator.digest
        if mayFail { closeFailures() }
        if result.cancelled != nil { result.cancelled = sink.cancelled }
        if loop != nil { closeLoop() }
        return result
    }

    private mutating func closeLoop() {
        guard var loop = self.loop.take() else { return }
        for job in loop.takeRest() {
            trace.jobs[next] = job
            next += 1
        }
        trace.rows = trace.rows.reordered(by: loop.order)
        result.submitted = trace
        self.loop = loop
    }

    @inline(__always)
    private func nextInstant() -> Int64? {
        var instant = min(sink.ends.nextInstant ?? .max, sink.wake ?? .max)
        if let arrival = nextArrival { instant = min(instant, arrival + origin) }
        return instant == .max ? nil : instant
    }

    // MARK: Orders

    private mutating func stepBatched(_ now: Int64) {
        while sink.ends.nextInstant == now {
            end(sink.ends.pop(), now)
            if mayBeCut { sink.dropStaleEnds() }
        }
        if mayFail { applyNodeEvents(now) }
        if recorded != nil { applyActions(now, late: false) }
        while arrives(at: now) { submitNext(now) }
        if recorded != nil, let wake = sink.wake, wake <= now {
            sink.dropWakes(through: now)
            handle(.timer, now)
        }
        pass(now)
        if recorded != nil { finishRounds(now) }
        if mayFail, emulator.runningJobCount > 0 || next < trace.jobs.count { lastBusy = now }
    }

    private mutating func stepPyss(_ now: Int64) {
        var ended: [JobID] = []
        while sink.ends.nextInstant == now {
            ended.append(sink.ends.pop())
            if mayBeCut { sink.dropStaleEnds() }
        }
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
            } else if !mayBeCut || emulator.phase(of: id) == .running {
                // Who decides outside may have cancelled it at this very instant.
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
        nextArrival == now - origin
    }

    /// When the next job is submitted; nil when nobody is about to. Unit: µs of trace time.
    @inline(__always)
    private var nextArrival: Int64? {
        if loop != nil { return loop?.nextInstant }
        return next < trace.jobs.count ? trace.jobs[next].submitted : nil
    }

    private mutating func submitNext(_ now: Int64) {
        if let job = loop?.next() {
            trace.jobs[next] = job
            sink.place(job, at: next)
        }
        let job = trace.jobs[next]
        next += 1
        if let recorded {
            submission = recorded.submission(trace, at: next - 1)
            if failures?.areJobsRequeued == false { submission.isRequeuable = false }
        } else {
            describe(job)
        }
        do {
            try emulator.submit(submission, at: SimInstant(microseconds: now), into: &sink)
            if decider != nil { news.submitted.append(told(next - 1)) }
            if findsFairStarts { findFairStart(of: next - 1, now) }
        } catch {
            result.refused.append(next - 1)
            loop?.end(next - 1, at: now - origin)
        }
    }

    private mutating func findFairStart(of index: Int, _ now: Int64) {
        var search = FairStart(of: Self.id(index), trace.jobs, overrun, sink.ends)
        guard let start = search.find(in: emulator, at: now) else { return }
        result.fairStarts?[index] = start - origin
    }

    /// Makes `submission` that of the job before `next`.
    @inline(__always)
    private mutating func describe(_ job: TraceJob) {
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
        if let links {
            let before = Int(links.predecessors[next - 1])
            // A job that is submitted later cannot be waited for.
            let isKnown = (0..<(next - 1)).contains(before)
            submission.dependencies = isKnown ? [Dependency(.afterAny, Self.id(before))] : []
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
        loop?.end(Int(id.number) - 1, at: now - origin)
    }

    private mutating func pass(_ now: Int64) {
        result.passCount += 1
        if recorded == nil { sink.wake = nil } else { sink.dropWakes(through: now) }
        if decider != nil { decide(now) }
        emulator.schedulingPass(at: SimInstant(microseconds: now), into: &sink)
        if sink.recordsStarts { recordPlaces() }
    }

    private mutating func recordPlaces() {
        for id in sink.startedNow {
            let nodes = emulator.allocation(of: id).lazy.map(\.node)
            result.places?.append(job: Int(id.number) - 1, nodes: nodes)
        }
        sink.startedNow.removeAll(keepingCapacity: true)
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
        // Jobs whose nodes do not come back are left waiting under every policy.
        guard emulator.activeJobCount == 0 || outOfServiceCount > 0 else { throw leftWaiting }
        return result
    }

    private var leftWaiting: RefusedDecision {
        .leftWaiting(
            trace.jobs.indices.filter { emulator.phase(of: Self.id($0)) != nil }.map(told)
        )
    }

    static func id(_ index: Int) -> JobID { JobID(UInt32(index + 1)) }

    /// Tells the decider what has happened and starts what it asks for.
    private mutating func decide(_ now: Int64) {
        guard failure == nil, let decider else { return }
        news.now = now - origin
        news.toCome = trace.jobs.count - next
        news.freeNodes = emulator.idleNodeCount
        if mayFail { news.outOfService = outOfService }
        news.ended = sink.endedNow.map { (told($0.job), $0.state) }
        // Who was requeued too often has ended.
        news.requeued = sink.requeuedNow.filter { emulator.phase(of: Self.id($0)) != nil }.map(told)
        sink.endedNow.removeAll(keepingCapacity: true)
        sink.requeuedNow.removeAll(keepingCapacity: true)
        do {
            let decision = try decider.decide(news)
            news.submitted.removeAll(keepingCapacity: true)
            news.placed.removeAll(keepingCapacity: true)
            for job in decision.cancelled { try cancel(job, now) }
            for choice in decision.starts { try start(choice, now) }
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

    /// The place in the order of submissions of a job that the decider names.
    private func place(of job: Int) throws(RefusedDecision) -> Int {
        guard let loop else { return job }
        guard let place = loop.place(of: job) else { throw .hasNotArrived(job) }
        return place
    }

    /// What the decider calls the job at a place of the order of submissions.
    private func told(_ index: Int) -> Int { loop?.order[index] ?? index }

    private mutating func cancel(_ job: Int, _ now: Int64) throws(RefusedDecision) {
        let index = try place(of: job)
        let id = Self.id(index)
        guard emulator.phase(of: id) != nil else { throw absent(index) }
        sink.cancelling = index
        defer { sink.cancelling = nil }
        handle(.cancel(id), now)
        if emulator.phase(of: id) == .running {
            sink.dropStop(of: id)
            handle(.jobEnded(id, .cancelled), now)
        }
        loop?.end(index, at: now - origin)
    }

    /// Why a job that is named is not there.
    private func absent(_ index: Int) -> RefusedDecision {
        let hasEnded = sink.ended[index] >= 0 || sink.cancelled.contains(index)
        return hasEnded ? .hasEnded(told(index)) : .hasNotArrived(told(index))
    }

    private mutating func start(
        _ choice: ReplayStart,
        _ now: Int64
    ) throws(RefusedDecision) {
        let index = try place(of: choice.job)
        let id = Self.id(index)
        do throws(InputRejection) {
            let instant = SimInstant(microseconds: now)
            try emulator.handle(.start(id, on: choice.nodes), at: instant, into: &sink)
            news.placed.append(
                (choice.job, emulator.allocation(of: id).map { ($0.node, $0.chunks) })
            )
        } catch {
            switch error {
            case .jobIsRunning: throw .isRunning(choice.job)
            case .unknownJob: throw absent(index)
            default:
                if let nodes = choice.nodes { throw .doesNotFitThere(choice.job, nodes) }
                throw .doesNotFit(choice.job, free: emulator.idleNodeCount)
            }
        }
    }
}

// MARK: - Events of nodes

extension ReplayDriver {
    /// The next instant where nodes may fail; nil when all is over.
    private mutating func nextInstantOrEvent() -> Int64? {
        sink.dropStaleEnds()
        var instant = min(nextInstant() ?? .max, nextNodeEvent() ?? .max)
        if let recorded, nextAction < recorded.actions.count {
            instant = min(instant, recorded.actions[nextAction].instant)
        }
        let isOver = instant > ReplayFailures.lastInstant || failures?.events.isUsedUp == true
        return isOver ? nil : instant
    }

    /// When the next event of a node is that can still matter. Unit: µs since the epoch.
    private func nextNodeEvent() -> Int64? {
        guard let failures, let event = failures.events.nextInstant else { return nil }
        if next < trace.jobs.count { return event + origin }
        guard emulator.activeJobCount > 0 else { return nil }
        let isHopeless =
            failures.events.isEndless && emulator.runningJobCount == 0
            && event + origin - lastBusy > ReplayFailures.patience
        return isHopeless ? nil : event + origin
    }

    private mutating func applyNodeEvents(_ now: Int64) {
        while let instant = failures?.events.nextInstant, instant + origin == now,
            let event = failures?.events.pop()
        {
            if event.kind == .reserve {
                reserve(event, now)
                continue
            }
            let input: Input =
                switch event.kind {
                case .fail, .down: .nodesDown(event.nodes)
                case .drain: .nodesDrained(event.nodes)
                case .resume, .reserve: .nodesResumed(event.nodes)
                }
            handle(input, now)
            if let until = event.until {
                handle(.nodesExpected(event.nodes, SimInstant(microseconds: until + origin)), now)
            }
            note(event)
        }
        for id in sink.takeHopeless() where emulator.phase(of: id) != nil {
            handle(.cancel(id), now)
        }
    }

    /// Maintenance as an operator announces it; nothing refuses it.
    private mutating func reserve(_ event: NodeEvent, _ now: Int64) {
        // Nodes of no partition take no jobs anyway.
        let nodes = event.nodes.filter { emulator.condition(ofNode: $0) != nil }
        guard let until = event.until, !nodes.isEmpty else { return }
        reservationCount += 1
        let terms = Reservation(
            id: ReservationID(reservationCount),
            start: SimInstant(microseconds: event.start + origin),
            end: SimInstant(microseconds: until + origin),
            extent: .nodes(IDSet(nodes)),
            flags: [.maint, .ignoreJobs]
        )
        handle(.createReservation(terms), now)
    }

    /// What was done to jobs at this instant. Where decisions are others than they were, some of it no
    /// longer applies: a job that has ended is not held.
    ///
    /// - Returns: whether anything was.
    @discardableResult
    private mutating func applyActions(_ now: Int64, late: Bool) -> Bool {
        guard let recorded else { return false }
        let first = nextAction
        while nextAction < recorded.actions.count, recorded.actions[nextAction].instant == now,
            recorded.actions[nextAction].isLate == late
        {
            let input = recorded.actions[nextAction].input
            nextAction += 1
            try? emulator.handle(input, at: SimInstant(microseconds: now), into: &sink)
        }
        return nextAction > first
    }

    /// What a pass leads to at the same instant: what was cancelled while it ran ends, and what waits
    /// for what cannot be any more goes; then another pass.
    private mutating func finishRounds(_ now: Int64) {
        while true {
            let stopped = sink.takeStopped()
            let isLate = stopped.isEmpty && applyActions(now, late: true)
            guard isLate || !stopped.isEmpty else { return }
            // The first component of a heterogeneous job ends the others.
            for id in stopped where emulator.phase(of: id) == .running {
                handle(.jobEnded(id, .cancelled), now)
            }
            pass(now)
        }
    }

    private mutating func handle(_ input: Input, _ now: Int64) {
        do {
            try emulator.handle(input, at: SimInstant(microseconds: now), into: &sink)
        } catch {
            preconditionFailure("\(input) is about nodes and jobs that exist: \(error)")
        }
    }

    private mutating func note(_ event: NodeEvent) {
        if event.kind == .fail { result.failures?.failureCount += event.nodes.count }
        for node in event.nodes {
            let wasOut = outOfService.contains(node)
            if event.kind == .resume, wasOut {
                outOfService.remove(node)
                outOfServiceCount -= 1
            } else if event.kind != .resume, !wasOut {
                outOfService.insert(node)
                outOfServiceCount += 1
            }
        }
        result.failures?.outOfService.append((event.instant, outOfServiceCount))
    }

    private mutating func closeFailures() {
        result.failures?.interrupted = sink.interrupted
        result.failures?.lost = sink.lost
        let isUnfinished = next < trace.jobs.count || emulator.activeJobCount > 0
        result.failures?.isCutOff = isUnfinished && failures?.events.isUsedUp == true
        result.failures?.leftWaiting = trace.jobs.indices.filter {
            emulator.phase(of: Self.id($0)) != nil
        }
    }
}
