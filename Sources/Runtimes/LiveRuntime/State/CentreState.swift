import Billing
import Catalog
import ClusterModel
import Determinism
import Emulation
import IndexSets
import JobModel
import Persistence
import Quantities
import Scheduling
import SlurmDialect
import WireFormats

// The whole centre as a value: the emulator, and what the emulator does not need to know of its
// jobs, its nodes and its money.
//
//     journal ──► handle(batch, at:) ──► results   for those who asked
//                                    ──► effects   what the driver does: launch, stop, arm
//                                    ──► derived   records and ledger entries
//
// It has no clock, file or task. The daemon feeds it batches as they come, recovery feeds it the
// journal, and both get the same: that is what makes a daemon that was killed lose nothing. It is
// copied as a snapshot for readers; its large parts are shared until they change.

/// What the driver does after a batch.
enum DriverEffect: Hashable, Sendable, Codable {
    /// The job holds its nodes: launch it, or arm the end of its emulated run.
    case started(UInt32)
    /// A real run must stop.
    case stop(UInt32, restart: Int32, StopReason)
    /// What really runs of a job stands still, or goes on.
    case suspended(UInt32)
    case resumed(UInt32)
    /// What really runs of a job is told that it makes way for another.
    case makesWay(UInt32)
    /// The time limit of a running job has changed.
    case deadlineChanged(UInt32)
    /// A run has ended and its files may go.
    case ended(UInt32, restart: Int32)
    /// An emulated job that ran has ended.
    case emulatedEnded(UInt32)
    /// Send a tick at this instant.
    case wake(SimInstant)
    /// The budget of an account has come nearer to its end.
    case budgetAlarm(String, BudgetStanding)
}

/// What became of one input.
enum InputResult: Hashable, Sendable {
    /// Done for the whole of it. For a submission: the number, and the rule that lets the job never start as
    /// things are, in Slurm's word.
    case done(id: UInt32, obstacle: String? = nil)
    /// Refused as a whole; nothing has changed.
    case refused(ErrorBody)
    /// One outcome for each job.
    case outcomes([ActionOutcome])
    /// Entries of the ledger, by id.
    case booked([String])
    /// Done for a reservation of this name.
    case named(String)
}

/// A node's standing that the emulator does not know.
struct NodeNote: Hashable, Sendable, Codable {
    var reason: String?
    var by: UInt32 = 0
    var since: SimInstant
    /// Whether it was taken out of service as failing, not for maintenance.
    var isFailing = false
}

/// A live centre as a value. See the essay above.
struct CentreState: Sendable, Codable {
    /// The machine with the customers of now, and the policy.
    var rules: CentreRules
    var emulator: Emulator
    var jobs = JobBook()
    var book: BillingBook
    /// The hash chain of the ledger, and its length.
    var ledgerChain = HashChain()
    var ledgerLength: Int64 = 0
    /// The terms in force, as they were read; nil for those of the machine.
    var terms = TermsInput()
    /// The emulator's limits on the money of accounts.
    var purses: [String: Purse] = [:]
    /// How far budgets were used up when they were looked at last.
    var budgetAlarms: [String: BudgetStanding.Alarm] = [:]
    /// The reservations as they were asked for, by number.
    var reservations: [ReservationRecord] = []
    /// The number of the next one.
    var nextReservationID: UInt32 = 1
    var nodeNotes: [Int: NodeNote] = [:]
    /// Local partitions in which nothing starts since the centre closes, with the states that they
    /// get back when it opens.
    var pausedPartitions: [Int: PartitionState] = [:]
    /// The number that the next job gets. Numbers of refused jobs are not given again.
    var nextJobID: UInt32 = 1
    /// Submissions that are known when they come again.
    var submissionKeys = SubmissionKeys()
    var batch: Int64 = 0
    /// The background load; nil when there is none.
    var load: LoadInput?
    /// The position of the next job of it.
    var nextLoad: Int64 = 0
    /// How many inputs it has been given: the rows of its journal.
    var journalLength: Int64 = 0
    /// The instant of the last batch.
    var lastInstant = SimInstant.epoch
    var endedCount: Int64 = 0
    /// The numbers by which the emulator knows accounts and users.
    var people: PeopleNumbers
    /// The customers as a machine's file said them last; operators may have changed them since.
    var givenCustomers: CustomerRegister
    /// Ended jobs that the book still has, oldest first.
    private var endedJobs: [UInt32] = []
    /// Jobs that end when a dependency can never be fulfilled.
    var endsOnInvalid: Set<UInt32> = []

    /// Where the dependencies lead that jobs got last in this batch.
    var knownReach: DependencyReach?

    // What one batch leaves for the driver.
    var effects: [DriverEffect] = []
    var derived = DerivedRows()
    /// Emulated runs that were told to stop, and end in the next round.
    private var stopped: [UInt32] = []

    init(rules: CentreRules) {
        self.rules = rules
        emulator = Emulator(rules.configuration)
        people = PeopleNumbers(rules.machine)
        givenCustomers = CustomerRegister(of: rules.machine)
        book = BillingBook(machine: rules.machine)
    }

    /// Handles a batch: all inputs in order, one pass, and further rounds for what ends at once.
    ///
    /// - Parameter resolved: of each input the submission as it was resolved before, where it was.
    /// - Precondition: `instant` is later than that of the batch before.
    mutating func handle(
        _ inputs: [LiveInput],
        resolved: [Resolved?] = [],
        at instant: SimInstant
    ) -> [InputResult] {
        precondition(instant > lastInstant || batch == 0, "a batch at an instant that has passed")
        precondition(resolved.isEmpty || resolved.count == inputs.count)
        let known = batch
        batch += 1
        lastInstant = instant
        refreshPurses(at: instant)
        var results: [InputResult] = []
        results.reserveCapacity(inputs.count)
        // What a submission names is not changed by other submissions.
        var isAsBefore = true
        for (index, input) in inputs.enumerated() {
            journalLength += 1
            if case .submit(let submission) = input {
                let before = resolved.isEmpty ? nil : resolved[index]
                let isKnown = isAsBefore && before?.batch == known
                knownReach = nil
                results.append(submit(submission, isKnown ? before : nil, at: instant))
            } else {
                isAsBefore = false
                results.append(handle(input, at: instant))
            }
        }
        knownReach = nil
        pass(at: instant)
        while !stopped.isEmpty || cancelsInvalid(at: instant) {
            let ids = stopped
            stopped.removeAll()
            for id in ids {
                _ = send(.jobEnded(JobID(id), .cancelled), at: instant)
            }
            pass(at: instant)
        }
        if !book.budgets.isEmpty { watchBudgets(at: instant) }
        forgetOldest()
        derived.digests.append(DigestRow(batch: batch, value: emulator.digest.value))
        return results
    }

    /// How many ended jobs the book keeps. By number and not by age, so that a recovery, which
    /// has no wall clock, forgets the same ones.
    private static let endedJobsMaximum = 20_000

    private mutating func forgetOldest() {
        guard endedJobs.count > 2 * Self.endedJobsMaximum else { return }
        for id in endedJobs.prefix(Self.endedJobsMaximum) { jobs.remove(id) }
        endedJobs.removeFirst(Self.endedJobsMaximum)
    }

    /// Hands over what the last batches left.
    mutating func takeEffects() -> [DriverEffect] {
        defer { effects.removeAll() }
        return effects
    }

    /// Hands over the records and entries of the last batches.
    mutating func takeDerived() -> DerivedRows {
        defer { derived = DerivedRows() }
        return derived
    }

    private mutating func pass(at instant: SimInstant) {
        var collector = EffectBuffer()
        emulator.schedulingPass(at: instant, into: &collector)
        absorb(collector.effects, at: instant)
    }

    /// Sends one input to the emulator. Returns why it refuses, or nil.
    mutating func send(_ input: Input, at instant: SimInstant) -> InputRejection? {
        var collector = EffectBuffer()
        do throws(InputRejection) {
            try emulator.handle(input, at: instant, into: &collector)
        } catch {
            return error
        }
        absorb(collector.effects, at: instant)
        return nil
    }

    /// Cancels jobs whose dependency cannot be fulfilled and that asked for it; whether there were
    /// any.
    private mutating func cancelsInvalid(at instant: SimInstant) -> Bool {
        guard !endsOnInvalid.isEmpty else { return false }
        var hasCancelled = false
        for id in endsOnInvalid.sorted() {
            guard let reason = emulator.pendingReason(of: JobID(id)) else {
                endsOnInvalid.remove(id)
                continue
            }
            guard reason == .dependencyNeverSatisfied else { continue }
            endsOnInvalid.remove(id)
            let dependencies = jobs[id].flatMap(dependencyText)
            jobs.update(id) { status in
                status.endReason = "DependencyNeverSatisfied"
                status.lastDependencies = dependencies
            }
            note(RecordedAction(RecordedAction.endOnInvalid, at: instant), of: id)
            hasCancelled = send(.cancel(JobID(id)), at: instant) == nil || hasCancelled
        }
        return hasCancelled
    }
}

// MARK: - What the emulator says

extension CentreState {
    private mutating func absorb(_ effects: [EffectBuffer.Effect], at instant: SimInstant) {
        for effect in effects {
            switch effect {
            case .started(let start): absorb(start, at: instant)
            case .ended(let end): absorb(end, at: instant)
            case .mustStop(let id, let reason): absorb(id.number, reason)
            case .requeued(let run): absorb(requeued: run, at: instant)
            case .suspended(let id): absorb(suspended: id.number, at: instant)
            case .resumed(let id, let suspendedFor, let deadline):
                absorb(resumed: id.number, suspendedFor, until: deadline, at: instant)
            case .makesWay(let id, _): self.effects.append(.makesWay(id.number))
            case .wake(let due): self.effects.append(.wake(due))
            }
        }
    }

    /// Whether a job's script is run: processes of it are started, told to end and watched. In an
    /// allocation without a script nothing is started but by its user.
    func isReal(_ entry: JobEntry) -> Bool {
        backend(of: entry).runsScripts && entry.hasScript
    }

    /// Whether a job is run in the machine's time, on cores of the host.
    func isLocal(_ entry: JobEntry) -> Bool { isReal(entry) && backend(of: entry) == .local }

    func backend(of entry: JobEntry) -> Partition.Backend {
        entry.specification.isBackground ? .emulated : rules.backend(of: entry.status)
    }

    /// The real jobs of such a phase, by number.
    func realEntries(_ isMeant: (JobStatus.Phase) -> Bool) -> [JobEntry] {
        var entries: [JobEntry] = []
        jobs.forEach { entry in
            if isMeant(entry.status.phase), isReal(entry) { entries.append(entry) }
        }
        return entries
    }

    private mutating func absorb(_ start: JobStart, at instant: SimInstant) {
        let id = start.id.number
        guard let entry = jobs[id] else { preconditionFailure("job \(id) starts, unknown") }
        let priority = emulator.priority(of: start.id)
        let held = emulator.allocation(of: start.id)
        let nodes = held.map { HeldNode(node: $0.node, cores: $0.cores) }
        let nodeList = HostList.compress(held.map { rules.machine.nodes[$0.node].name })
        jobs.update(id) { status in
            status.phase = .running
            status.suspendedFor = start.bootDelay
            status.lastSuspension = nil
            status.partitions = [start.partition]
            status.startedAt = start.startedAt
            // Whoever has no limit ends with a reservation all the same.
            let isEndless = status.isUnlimited && start.deadline >= start.startedAt + .unlimited
            status.deadline = isEndless ? nil : start.deadline
            status.emulatedEnd = Self.emulatedEnd(
                entry.specification,
                start.startedAt + start.bootDelay,
                start.deadline
            )
            status.nodes = nodes
            status.nodeList = nodeList
            status.coresHeld = Int64(start.coresHeld)
            status.acceleratorsHeld = Int64(start.acceleratorsHeld)
            status.endReason = nil
            status.shownPriority = priority
        }
        endsOnInvalid.remove(id)
        reserve(for: start, at: instant)
        effects.append(.started(id))
    }

    static func emulatedEnd(
        _ specification: JobSpecification,
        _ start: SimInstant,
        _ deadline: SimInstant
    ) -> SimInstant {
        min(deadline, specification.runTime.map { start + $0 } ?? deadline)
    }

    private mutating func absorb(_ end: JobEnd, at instant: SimInstant) {
        let id = end.id.number
        guard let entry = jobs[id] else { preconditionFailure("job \(id) ends, unknown") }
        endedCount += 1
        endedJobs.append(id)
        endsOnInvalid.remove(id)
        jobs.update(id) { status in
            status.phase = .ended(end.state)
            status.endedAt = end.endedAt
            status.endSuspension(end)
            if end.startedAt == nil { status.startedAt = nil }
        }
        account(for: end, outcome: .ended(end.state), state: end.state.slurmName, at: instant)
        if end.startedAt != nil {
            effects.append(
                isReal(entry) ? .ended(id, restart: entry.status.restart) : .emulatedEnded(id)
            )
        }
    }

    private mutating func absorb(_ id: UInt32, _ reason: StopReason) {
        guard let entry = jobs[id] else { preconditionFailure("job \(id) stops, unknown") }
        if isReal(entry) {
            effects.append(.stop(id, restart: entry.status.restart, reason))
            if reason == .cancelled { jobs.update(id) { $0.phase = .completing } }
        } else if reason == .cancelled {
            stopped.append(id)
        }
    }

    private mutating func absorb(requeued run: JobEnd, at instant: SimInstant) {
        let id = run.id.number
        jobs.update(id) { status in
            status.endedAt = run.endedAt
            status.endSuspension(run)
            status.phase = .ended(run.state)
        }
        let isByOwner = jobs[id]?.status.endReason == Self.requeuedByOwner
        account(
            for: run,
            outcome: isByOwner ? .requeuedByUser : .requeuedBySystem,
            state: run.state == .cancelled ? "REQUEUED" : run.state.slurmName,
            at: instant
        )
        jobs.update(id) { status in
            status.phase = .pending
            status.suspendedFor = .zero
            let delay = rules.requeueDelay(ofPartition: run.partition)
            if delay > .zero { status.notBefore = run.endedAt + delay }
            status.restart += 1
            status.startedAt = nil
            status.endedAt = nil
            status.deadline = nil
            status.emulatedEnd = nil
            status.nodes = []
            status.nodeList = ""
            status.coresHeld = 0
            status.acceleratorsHeld = 0
            status.endReason = nil
            status.measured = nil
            status.steps = []
            status.programs = []
        }
    }

    /// The mark under which a requeue by the owner is remembered until it has happened.
    static let requeuedByOwner = "RequeuedByOwner"
}

// MARK: - Records and money

extension CentreState {
    /// Writes the record of a run that has ended, and books its charge and grants.
    private mutating func account(
        for end: JobEnd,
        outcome: RunOutcome,
        state: String,
        at instant: SimInstant
    ) {
        guard let entry = jobs[end.id.number] else { return }
        var record = self.record(of: entry, now: end.endedAt)
        record.state = state
        if end.startedAt != nil {
            let entries = book.settle(usage(of: entry, end, outcome))
            var charge = Fen.zero
            for case .charge(let part) in entries.map(\.subject) { charge += part.amount }
            record.charge = charge.count
            keep(entries)
            free(entry, at: instant)
        }
        derived.jobs.append(
            JobRow(
                jobID: entry.id,
                restart: entry.status.restart,
                user: record.user,
                account: record.account,
                state: state,
                submit: record.submit,
                end: end.endedAt,
                body: record.compactText(withoutNulls: 2)
            )
        )
    }

    /// What a run held. A real run is billed for the time that was measured, not for what the
    /// centre's clock showed meanwhile.
    private func usage(of entry: JobEntry, _ end: JobEnd, _ outcome: RunOutcome) -> JobUsage {
        // Suspended time is not run time.
        var endedAt = end.endedAt - end.suspendedFor
        if let startedAt = end.startedAt, let measured = entry.status.measured {
            endedAt = startedAt + max(.zero, measured.wall - end.suspendedFor)
        }
        var usage = usage(
            of: entry,
            partition: end.partition,
            nodes: Int64(end.nodesHeld),
            cores: Int64(end.coresHeld),
            cards: Int64(end.acceleratorsHeld),
            from: end.startedAt,
            to: endedAt
        )
        usage.outcome = outcome
        usage.verifiedFlop = entry.status.measured?.verifiedFlop
        if let work = entry.status.measured?.reported, let energy = work.energyMillijoules {
            usage.energy = MeasuredEnergy(
                millijoules: energy,
                isEstimated: work.isEnergyEstimated
            )
        }
        return usage
    }
}
