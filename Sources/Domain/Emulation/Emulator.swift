import Accounts
public import Determinism
import ClusterModel
import IndexSets
public import JobModel
public import Quantities
import Scheduling

/// A centre as a plain value: inputs in, effects out.
///
/// It has no clock, file, lock, task or random source. The live daemon and the replay of a trace
/// are two drivers of this one type:
///
///     live    journal ──► handle(input, at:) … schedulingPass(at:) ──► start a process, arm a timer
///     replay  trace   ──► the same                                 ──► push the end on a heap
///
/// All inputs of one instant are handled, in order of `Input.rank` and then of arrival; then one
/// `schedulingPass` starts what may start. What a pass causes at the same instant (a job without
/// run time ends) is another round.
///
/// Because it is a value, a copy of it answers "what if": `estimatedStart` runs one ahead.
public struct Emulator: Sendable, Codable {
    /// Jobs that have not ended.
    var jobs: ActiveJobs
    var groups: [SchedulingGroup]
    /// The policy at work on each group.
    var passes: [CodedPass]
    let groupOfPartition: [Int]
    let groupOfNode: [Int]
    var partitions: [PartitionConfiguration]
    /// How jobs ended that a later submission may depend on.
    var ended: EndedJobs
    /// The jobs that others wait for.
    var awaited = AwaitedJobs()
    /// The jobs of one user and name.
    var namesakes = Namesakes()
    /// When to look at jobs again that wait for a time; one that has changed meanwhile may have left
    /// an entry that says nothing.
    var timed = EndQueue()
    /// Heterogeneous jobs, by number.
    var hetJobs: [HetJob] = []
    /// How often heterogeneous jobs may start. Unit: s.
    let hetInterval: Int64
    /// When they may next; nil where none has waited for that.
    var nextHetTurn: SimInstant?
    /// Jobs that are given up unless the next pass starts them.
    var hasty: [JobID] = []
    /// By number.
    var reservations: [HeldReservation] = [] {
        didSet { reservationTurn = .min }
    }
    /// Before when none of them begins, ends or is purged, as long as none is changed. Unit: µs since the
    /// epoch.
    var reservationTurn = Int64.min
    /// What the queue order sorts by.
    var ranking: QueueRanking
    let order: QueueRanking.Traits
    /// By group: who waits alone and has no value in the order yet.
    var alone: ContiguousArray<LoneJob?>
    /// Whether somebody asks for priorities.
    let tellsPriorities: Bool
    /// Jobs that were queued in several groups; only those that still are matter.
    var inSeveralGroups: Set<Int32> = []
    /// Who makes way for whom.
    var preemption: PreemptionTable
    /// Whether it matters whose a job is.
    var knowsPeople: Bool
    /// When those look again who wait under limits that time alone may open; nil when nobody does.
    var nextLimitPeriod: SimInstant?
    private var predictor = RunTimePredictor()
    private let estimate: RunTimeEstimate
    /// When a pass has to look at what came in, where passes may wait.
    var delay: PassDelay
    /// How power is counted and saved; nil when it is not.
    let powerRules: PowerRules?
    /// Which nodes are on and what they have drawn; nil before the first pass.
    var power: PowerBook?
    /// What each node has, where its power is counted.
    let capacities: [NodeCapacity]

    /// How often the queues were looked at.
    public private(set) var passCount: Int64 = 0

    /// A digest of every decision so far. Two runs that agree in it have taken the same decisions.
    public internal(set) var digest = StateDigest()

    /// Makes an emulator in which nothing runs.
    ///
    /// - Precondition: `EmulatorConfiguration.check` finds nothing.
    public init(_ configuration: EmulatorConfiguration) {
        if let problem = configuration.problem {
            preconditionFailure("a driver has not checked its configuration: \(problem)")
        }
        let grouping = NodeGrouping(configuration)
        partitions = configuration.partitions
        var limits = LimitBook(
            associations: configuration.associations,
            qos: configuration.qos,
            partitions: configuration.partitions.map(\.terms),
            decay: configuration.policy.weights.decay
        )
        limits.setLicenses(configuration.licenses)
        // Whoever decides outside decides about all.
        let isDecidedOutside = configuration.policy.backfill == .external
        preemption = PreemptionTable(
            isDecidedOutside ? PreemptionRules() : configuration.preemption,
            configuration.partitions
        )
        jobs = ActiveJobs(limits: limits)
        ended = EndedJobs(capacity: configuration.endedJobsRemembered)
        groupOfPartition = grouping.groupOfPartition
        groupOfNode = grouping.groupOfNode
        groups = grouping.groups
        passes = grouping.groups.map { _ in CodedPass(configuration.policy.makePass()) }
        estimate = configuration.policy.estimate
        delay = PassDelay(seconds: configuration.policy.passDelaySeconds)
        hetInterval = Int64(configuration.policy.hetIntervalSeconds)
        powerRules = configuration.power
        capacities = configuration.power == nil ? [] : configuration.nodes
        ranking = QueueRanking(
            configuration.policy,
            machineNodes: configuration.nodes.count,
            machineCores: configuration.nodes.reduce(0) { $0 + Int64($1.cores) },
            partitionFactors: configuration.partitions.map(\.priorityFactor),
            partitionCores: configuration.partitions.map { partition in
                partition.nodes.reduce(0) { $0 + Int64(configuration.nodes[$1].cores) }
            }
        )
        order = ranking.traits
        tellsPriorities = configuration.tellsPriorities
        alone = ContiguousArray(repeating: nil, count: groups.count)
        knowsPeople = order.notesUse || !limits.isTrivial
        preemption.note(configuration.qos)
        notePeople()
        closeCappedNodes()
    }

    // MARK: Inputs

    /// Applies one input and tells `sink` what the driver must do. Never suspends.
    ///
    /// - Throws: `InputRejection`; nothing has changed then.
    public mutating func handle(
        _ input: Input,
        at now: SimInstant,
        into sink: inout some EffectSink
    ) throws(InputRejection) {
        jobs.now = now
        if case .submit = input {} else { delay.note(input, at: now) }
        switch input {
        case .submit(let submission): try submit(submission, at: now, into: &sink)
        case .jobEnded(let id, let state): try end(id, state, at: now, into: &sink)
        case .start(let id, let nodes): try start(id, on: nodes, at: now, into: &sink)
        case .cancel(let id): try cancel(id, at: now, into: &sink)
        case .hold(let id, let kind): try hold(id, kind, at: now)
        case .release(let id): try release(id, at: now, into: &sink)
        case .changeTimeLimit(let id, let limit):
            try changeTimeLimit(id, limit, at: now, into: &sink)
        case .changePriority(let id, let priority, let isFixed):
            try changePriority(id, priority, isFixed, at: now)
        case .changeName(let id, let name): try changeName(id, name, at: now)
        case .changeRequeuable(let id, let may):
            guard let slot = jobs.slot(of: id) else { throw .unknownJob(id) }
            jobs[slot].isRequeuable = may
        case .changeFunds(let id, let need): try changeFunds(id, need, at: now)
        case .changeRequest(let submission):
            try changeRequest(submission, at: now, into: &sink)
        case .requeue(let id): try requeue(id, at: now, into: &sink)
        case .suspend(let id): try suspend(id, at: now, into: &sink)
        case .resume(let id): try resume(id, at: now, into: &sink)
        case .nodesDown(let nodes):
            for node in nodes { setService(node, .down, at: now, into: &sink) }
        case .nodesDrained(let nodes):
            for node in nodes { setService(node, .drained, at: now, into: &sink) }
        case .nodesResumed(let nodes):
            for node in nodes { setService(node, .up, at: now, into: &sink) }
        case .nodesExpected(let nodes, let instant): expect(nodes, at: instant)
        case .createReservation(let reservation):
            try create(reservation, at: now, into: &sink)
        case .updateReservation(let reservation):
            try update(reservation, at: now, into: &sink)
        case .deleteReservation(let id): try delete(id, at: now)
        case .partitionState(let partition, let state):
            partitions[partition].state = state
            reconsiderAll(at: now)
        case .partitionLimits(let partition, let nodes, let time):
            partitions[partition].maximumNodesPerJob = nodes
            partitions[partition].maximumTimeLimit = time
            reconsiderAll(at: now)
        case .setArrayLimit(let id, let maximum):
            let freed = jobs.limits.setArrayLimit(id, to: maximum.map(Int64.init))
            for slot in freed { reconsider(slot, at: now) }
        case .setPurse(let purse, let maximum):
            let freed = jobs.limits.setPurse(purse, to: maximum, at: now)
            for slot in freed { reconsider(slot, at: now) }
        case .changePeople(let change): changePeople(change, at: now)
        case .timer: wakeTimed(at: now, into: &sink)
        }
    }

    /// Takes a job in.
    ///
    /// - Throws: `InputRejection`; nothing has changed then.
    public mutating func submit(
        _ submission: JobSubmission,
        at now: SimInstant,
        into sink: inout some EffectSink
    ) throws(InputRejection) {
        jobs.now = now
        delay.note(at: now, isUrgent: submission.isAwaited)
        try check(submission)
        if let deadline = submission.deadline, deadline <= now { throw .deadlineIsOver }
        let slot = jobs.insert(record(of: submission, at: now))
        if let reason = refusal(of: slot) {
            jobs.remove(slot)
            throw .overLimit(reason)
        }
        enter(slot, submission, at: now, into: &sink)
        digest.mix(UInt64(submission.id.number))
    }

    /// Ends a running job.
    ///
    /// - Parameter isForetold: whether it only gives back what it holds; `learnRunTime` tells later what
    ///   predictions are to know of it.
    /// - Throws: `InputRejection` when it does not run; a report that comes after a node failure
    ///   ended the job is refused so and can be dropped.
    public mutating func end(
        _ id: JobID,
        _ state: EndState,
        at now: SimInstant,
        isForetold: Bool = false,
        into sink: inout some EffectSink
    ) throws(InputRejection) {
        jobs.now = now
        delay.note(at: now)
        guard let slot = jobs.slot(of: id) else { throw .unknownJob(id) }
        guard jobs[slot].phase == .running else { throw .jobIsPending(id) }
        if !isForetold {
            let length = now - SimInstant(microseconds: jobs[slot].startedAt)
            let ran = length - suspendedTime(of: slot, at: now)
            learnRunTime(ofUser: jobs[slot].user, ran.microseconds)
        }
        finish(slot, state, at: now, into: &sink)
    }

    /// Lets predictions know how long a job has run. Unit: µs.
    public mutating func learnRunTime(ofUser user: Int32, _ length: Int64) {
        guard estimate == .last2 else { return }
        predictor.learn(user: user, ranSeconds: UInt32(clamping: length / 1_000_000))
    }

    // MARK: Pass

    /// Starts what may start, group by group.
    public mutating func schedulingPass(at now: SimInstant, into sink: inout some EffectSink) {
        jobs.now = now
        if nextLimitPeriod != nil { reconsiderTimed(at: now) }
        if !reservations.isEmpty { turnReservations(at: now) }
        if let due = delay.nextPass(at: now) { return sink.wake(at: due) }
        passCount += 1
        if powerRules != nil { noteBoots(by: now) }
        if !hetJobs.isEmpty, isHetTurn(at: now, into: &sink) {
            startHetJobs(at: now, into: &sink)
        }
        decide(at: now, into: &sink)
        if knowsPeople { settleCrowds(at: now) }
        if !hasty.isEmpty { giveUpHasty(at: now, into: &sink) }
        if !reservations.isEmpty { askForWake(after: now, into: &sink) }
        if power != nil { restNodes(at: now, into: &sink) }
    }

    /// Starts the queued jobs that the policy lets start.
    mutating func decide(at now: SimInstant, into sink: inout some EffectSink) {
        if order.variation != .never { rankAgain(at: now) }
        if !inSeveralGroups.isEmpty { preferPartitions() }
        for group in groups.indices {
            if preemption.isOn {
                makeWay(in: group, at: now, into: &sink)
                groups[group].foreseeReturns(&jobs, at: now)
            }
            if estimate == .last2 {
                groups[group].correctPredictions(at: now.microseconds, &jobs)
            }
            var promise: Int64?
            if groups[group].hasCalendar {
                promise = groups[group].runPasses(&passes[group].pass, &jobs, at: now)
                if let back = groups[group].nextReturn { sink.wake(at: back) }
            } else {
                passes[group].pass.run(&groups[group], &jobs, at: now)
                promise = passes[group].pass.nextPromise
            }
            if !groups[group].passedOver.isEmpty { groups[group].forgetPassedOver() }
            if let promise, promise > now.microseconds {
                sink.wake(at: SimInstant(microseconds: promise))
            }
            if !groups[group].parkedSlots.isEmpty { parkJobs(of: group, into: &sink) }
            if !groups[group].startedSlots.isEmpty {
                reportStarts(in: group, at: now, into: &sink)
            }
        }
    }

    /// Tells the driver of the jobs that a group has started.
    mutating func reportStarts(
        in group: Int,
        at now: SimInstant,
        into sink: inout some EffectSink
    ) {
        for index in groups[group].startedSlots.indices {
            didStart(groups[group].startedSlots[index], in: group, at: now, into: &sink)
        }
    }

    /// Puts aside the jobs that a limit stopped in the last pass of a group.
    private mutating func parkJobs(of group: Int, into sink: inout some EffectSink) {
        let parked = groups[group].parkedSlots
        for stopped in parked {
            let (slot, stop) = (stopped.slot, stopped.stop)
            jobs[slot].phase = stop.counter < 0 ? .waiting : .parked
            jobs[slot].reason = stop.reason
            dequeueElsewhere(slot, butGroup: group)
            guard stop.counter >= 0 else { continue }
            jobs[slot].parkedUnder = stop.counter
            jobs.limits.park(slot, under: stop.counter)
            if stop.isTimed { awaitLimitPeriod(into: &sink) }
        }
        groups[group].parkedSlots.removeAll(keepingCapacity: true)
    }

    /// Asks to be woken when time may have opened limits.
    mutating func awaitLimitPeriod(into sink: inout some EffectSink) {
        guard nextLimitPeriod == nil else { return }
        let due = jobs.limits.nextPeriod(after: jobs.now)
        nextLimitPeriod = due
        sink.wake(at: due)
    }

    private mutating func didStart(
        _ slot: Int32,
        in group: Int,
        at now: SimInstant,
        into sink: inout some EffectSink
    ) {
        jobs[slot].group = Int32(group)
        if !reservations.isEmpty { enterReservation(slot) }
        if power != nil { switchOnNodes(of: slot, at: now) }
        let start = jobs[slot].start
        noteUse(slot, sign: 1, at: now)
        let firstNode = jobs[slot].firstNode
        digest.mix(UInt64(bitPattern: now.microseconds))
        digest.mix(UInt64(start.id.number) << 32 | UInt64(UInt32(bitPattern: firstNode)))
        if firstNode < 0 {
            for segment in jobs.segments[Int(slot)] {
                let place = UInt64(UInt32(bitPattern: segment.node)) << 32
                digest.mix(
                    place | UInt64(UInt32(bitPattern: segment.chunks)) << 16 | UInt64(segment.cards)
                )
            }
        }
        sink.jobStarted(start)
        guard jobs[slot].hasExtras || jobs[slot].namesakes >= 0 || !awaited.isEmpty else { return }
        dequeueElsewhere(slot, butGroup: group)
        settleStart(of: slot, at: now, into: &sink)
    }
}

// MARK: - Entering and leaving queues

extension Emulator {
    mutating func check(_ submission: JobSubmission) throws(InputRejection) {
        guard !submission.partitions.isEmpty,
            submission.partitions.allSatisfy(partitions.indices.contains)
        else { throw .unknownPartition }
        precondition(jobs.limits.qos.indices.contains(Int(submission.qos)), "an unknown QOS")
        for partition in submission.partitions {
            switch partitions[partition].state {
            case .drain, .inactive: throw .partitionTakesNoJobs(partition: partition)
            case .up, .down: break
            }
        }
        guard submission.partitions.contains(where: { couldEverFit(submission, $0) }) else {
            throw .neverFits
        }
        if !submission.licenses.isEmpty { try checkLicenses(submission.licenses) }
        try checkReservation(of: submission)
    }

    private mutating func couldEverFit(_ submission: JobSubmission, _ partition: Int) -> Bool {
        groups[groupOfPartition[partition]].couldEverFit(
            submission.request,
            inPartition: partition,
            required: submission.requiredNodes,
            excluded: withCappedNodes(submission.excludedNodes)
        )
    }

    /// The record of a job that was submitted at `instant`.
    mutating func record(
        of submission: JobSubmission,
        at instant: SimInstant
    ) -> ActiveJob {
        let partition = submission.partitions[0]
        var job = ActiveJob(submission, group: groupOfPartition[partition], at: instant)
        // Which partition gives a special job its nodes shows when it starts.
        if !submission.isSpecial, partitions[partition].isWholeNode {
            job.request.isExclusive = true
        }
        if estimate == .last2 {
            let limit = job.limitSeconds
            job.predict(predictor.prediction(user: job.user, limitSeconds: limit))
        }
        attach(&job, submission, at: instant)
        if !order.isTrivial { ranking.admit(job, jobs.limits) }
        job.key.rank = rank(of: job, in: submission.partitions)
        return job
    }

    /// What goes before the order: the tier of its partitions, then a priority that is not part of
    /// the order.
    @inline(__always)
    func rank(of job: ActiveJob, in asked: [Int]) -> Int64 {
        var tier: Int32 = 0
        for partition in asked { tier = max(tier, partitions[partition].tier) }
        let own = order.sumsPriority ? 0 : job.priority
        return -(preemption.level(ofQOS: job.qos) << 56) - (Int64(tier) - 1) << 40 - own
    }

    /// Tells the order who holds more from now on, or less.
    mutating func noteUse(_ slot: Int32, sign: Int64, at now: SimInstant) {
        guard order.notesUse, jobs[slot].association >= 0 else { return }
        let billing = jobs.claim(ofRunning: slot).amounts.billing
        let factor = Int64(jobs.limits.qos[Int(jobs[slot].qos)].usageFactor)
        let association = jobs[slot].association
        ranking.note(association, weight: sign * billing * factor, at: now.microseconds)
    }

    /// Tells the order of QOS and shares.
    mutating func notePeople() { ranking.notePeople(jobs.limits) }

    /// Gives a job that has a record what its record does not hold, and a place.
    mutating func enter(
        _ slot: Int32,
        _ submission: JobSubmission,
        at now: SimInstant,
        into sink: inout some EffectSink
    ) {
        if let funds = submission.funds { jobs.funds[submission.id] = funds }
        if !submission.licenses.isEmpty {
            jobs.setLicenses(of: submission.id, to: submission.licenses)
        }
        if jobs[slot].hasLimits {
            jobs.limits.admit(jobs.termsOfSubmission(slot), array: jobs[slot].array)
        }
        if let name = submission.name {
            let user = jobs[slot].user
            jobs[slot].namesakes = namesakes.arrive(submission.id, user: user, name: name)
            reconsiderNamesakes(in: jobs[slot].namesakes, at: now)
        }
        if submission.isSpecial { addExtras(slot, submission, at: now, into: &sink) }
        // A rank is that of all partitions that a job asks for, which its extras hold.
        if preemption.arrive(qos: jobs[slot].qos) { rankByPreemption() }
        place(slot, at: now)
        if !submission.dependencies.isEmpty { awaitDelays(slot, at: now, into: &sink) }
        if jobs[slot].reason == .dependency, waitsElementwise(slot) { delay.notePlaced(slot) }
        awaitExpiry(slot, at: now, into: &sink)
    }

    private mutating func addExtras(
        _ slot: Int32,
        _ submission: JobSubmission,
        at now: SimInstant,
        into sink: inout some EffectSink
    ) {
        let fitting = submission.partitions.filter { couldEverFit(submission, $0) }
        jobs.withExtras(slot) {
            $0.requestedPartitions = fitting
            $0.asksForWholeNodes = submission.request.isExclusive
            $0.notBefore = submission.notBefore
            $0.hold = submission.hold
            $0.deadline = submission.deadline
            $0.startsBy = submission.startsBy
            $0.requiredNodes = submission.requiredNodes
            $0.excludedNodes = submission.excludedNodes
            $0.reservation = submission.reservation
            $0.het = submission.het
        }
        if let het = submission.het { join(het) }
        if submission.reservation != nil { joinReservation(slot) }
        if !submission.dependencies.isEmpty { addDependencies(slot, submission) }
        if let notBefore = submission.notBefore, notBefore > now {
            wake(submission.id, at: notBefore, into: &sink)
        }
    }

    /// Puts a pending job where it belongs: in the queues, or aside with the reason.
    mutating func place(_ slot: Int32, at now: SimInstant) {
        if membership(slot) != nil {
            unplan(slot)
            jobs.withExtras(slot) { $0.isReady = false }
        }
        if let reason = obstacle(slot, at: now) {
            jobs[slot].phase = .waiting
            jobs[slot].reason = reason
            return
        }
        guard membership(slot) == nil else {
            jobs[slot].phase = .waiting
            jobs[slot].reason = .none
            delay.notePlaced(slot)
            return jobs.withExtras(slot) { $0.isReady = true }
        }
        enqueue(slot, at: now)
    }

    /// Puts a pending job that nothing stands in the way of into its queues.
    mutating func enqueue(_ slot: Int32, at now: SimInstant) {
        jobs[slot].phase = .queued
        jobs[slot].reason = .none
        delay.notePlaced(slot)
        if !order.isTrivial { valueNewcomer(slot, at: now) }
        guard jobs[slot].hasExtras else {
            return groups[Int(jobs[slot].group)].enqueue(slot, &jobs)
        }
        let own = groupsOf(slot)
        if own.count > 1 { inSeveralGroups.insert(slot) }
        for group in own { groups[group].enqueue(slot, &jobs) }
    }

    /// Takes a pending job out of wherever it is and places it again.
    mutating func reconsider(_ slot: Int32, at now: SimInstant) {
        guard jobs[slot].phase != .running else { return }
        withdraw(slot)
        place(slot, at: now)
    }

    private mutating func reconsiderAll(at now: SimInstant) {
        for slot in jobs.slotsByID { reconsider(slot, at: now) }
    }

    mutating func withdraw(_ slot: Int32) {
        switch jobs[slot].phase {
        case .queued: for group in groupsOf(slot) { groups[group].dequeue(slot, jobs) }
        case .parked: jobs.limits.unpark(slot, under: jobs[slot].parkedUnder)
        case .waiting, .running: break
        }
    }

    private mutating func dequeueElsewhere(_ slot: Int32, butGroup group: Int) {
        for other in groupsOf(slot) where other != group { groups[other].dequeue(slot, jobs) }
    }

    func groupsOf(_ slot: Int32) -> [Int] {
        let job = jobs[slot]
        guard job.hasExtras, let extras = jobs.extras[slot] else { return [Int(job.group)] }
        var list: [Int] = []
        for partition in extras.partitions {
            let group = groupOfPartition[partition]
            if !list.contains(group) { list.append(group) }
        }
        return list
    }

    /// Why a job may not even queue, checked in this order; nil when it may.
    private mutating func obstacle(_ slot: Int32, at now: SimInstant) -> PendingReason? {
        guard jobs[slot].hasExtras, let extras = jobs.extras[slot] else {
            // Two steps, so that nothing is copied for the call.
            let partition = Int(jobs[slot].partition)
            return obstacle(slot, inPartition: partition)
        }
        switch extras.hold {
        case .user: return .jobHeldUser
        case .admin: return .jobHeldAdmin
        case nil: break
        }
        if let reason = settleDependencies(slot, at: now) { return reason }
        if let notBefore = extras.notBefore, notBefore > now { return .beginTime }
        if let latest = latestStart(slot), now > latest { return .deadline }
        if let reason = reservationObstacle(extras) { return reason }
        let obstacles = extras.requestedPartitions.map { partition in
            obstacle(slot, inPartition: partition)
                ?? obstacle(of: extras.reservation, inPartition: partition)
        }
        let usable = zip(extras.requestedPartitions, obstacles).filter { $1 == nil }.map(\.0)
        jobs.withExtras(slot) { $0.partitions = usable }
        guard let first = usable.first else { return obstacles.compactMap(\.self).first }
        jobs[slot].partition = Int32(first)
        jobs[slot].group = Int32(groupOfPartition[first])
        return nil
    }

    private func hasFlag(_ flag: QOS.Flags, _ slot: Int32) -> Bool {
        jobs.limits.qos[Int(jobs[slot].qos)].flags.contains(flag)
    }

    @inline(__always)
    private func obstacle(_ slot: Int32, inPartition partition: Int) -> PendingReason? {
        switch partitions[partition].state {
        case .down: .partitionDown
        case .inactive: .partitionInactive
        case .up, .drain: requestObstacle(slot, inPartition: partition)
        }
    }

    /// What about its request keeps a job from ever starting in a partition; nil when nothing does.
    @inline(__always)
    func requestObstacle(_ slot: Int32, inPartition partition: Int) -> PendingReason? {
        if let maximum = partitions[partition].maximumTimeLimit,
            Int64(jobs[slot].limitSeconds) * 1_000_000 > maximum.microseconds,
            !hasFlag(.partitionTimeLimit, slot)
        {
            return .partitionTimeLimit
        }
        if let maximum = partitions[partition].maximumNodesPerJob,
            groups[groupOfPartition[partition]]
                .nodesNeeded(for: jobs[slot].request) > maximum,
            !hasFlag(.partitionMaximumNodes, slot)
        {
            return .partitionNodeLimit
        }
        return jobs[slot].hasLimits ? hopelessLimit(slot, inPartition: partition) : nil
    }
}
