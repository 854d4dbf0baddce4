import Billing
import Catalog
import ClusterModel
import Determinism
import Emulation
import Glibc
import JobExecution
import JobModel
import Logging
import Persistence
import Quantities
import SlurmDialect
import Synchronization
import WireFormats

// The one loop that writes:
//
//     letters ──► inputs ──► journal (one durable transaction) ──► CentreState.handle ──► effects
//                                                                        │
//                                              records, ledger entries ──┘ with the next transaction
//
// Nothing is acknowledged before its transaction is durable. What handling gives is written after,
// since it can be computed again from the journal. When the disk is full nothing is acknowledged
// and nothing is lost: requests are refused, and what happens by itself (ends of jobs, timers)
// waits here until there is room.

/// The owner of a centre's state and store. It lives on one thread.
final class WriterLoop {
    let clock: CentreClock
    let reader: CentreReader
    let settings: CentreSettings
    let mailbox: Mailbox<Centre.Letter>
    let version: Centre.Version
    let store: CentreStore
    /// Where entries of the ledger lie once they are in the store and not in memory.
    let shelf: StoredLedger
    let work: LocalWork
    /// Nil when emulated jobs write nothing.
    private let emulatedOutput: EmulatedOutput?
    private let images: ImageWriting
    /// Whether the centre was open before.
    private let hasPast: Bool
    var state: CentreState
    var timers = TimerQueue()
    /// What followed from inputs and is not written yet.
    var unwritten: DerivedRows
    /// Batches of timers that were handled and are not on disk yet. Should the daemon be killed before, they
    /// happen again at the same instants.
    var unjournalled: [JournalBatch] = []
    /// What these do outside the daemon, once they are on disk.
    var heldEffects: [DriverEffect] = []
    /// Where a stepped clock is to go, and who waits for that.
    var advances: [(target: SimInstant, answer: AdvanceAnswer, hasArrived: Bool)] = []
    /// Other people's jobs; nil when nobody asked for some.
    var load: LoadFeed?
    /// How much of what users ask for is done in a turn.
    private var effortOfTurn = Effort.ofTurns.lowerBound
    /// Ends that could not be journalled yet.
    var deferredEnds: [EndInput] = []
    /// Runs whose files may go once their record is written.
    var finishedRuns: [(id: UInt32, restart: Int32)] = []
    var isFull = false
    var isClosing = false
    var isAbandoned = false
    var onClosed: [@Sendable () -> Void] = []
    var logger: Logger { settings.logger }
    /// The machine with its customers, and the policy; they stay while the daemon lives.
    var rules: CentreRules { state.rules }

    init(
        _ settings: CentreSettings,
        _ folder: StateFolder,
        _ mailbox: Mailbox<Centre.Letter>,
        _ version: Centre.Version,
        _ executor: JobExecutor
    ) throws(OpenFailure) {
        self.settings = settings
        self.mailbox = mailbox
        self.version = version
        let recovery = try Recovery(settings, in: folder)
        store = recovery.store
        reader = recovery.store.reader
        shelf = StoredLedger(recovery.store.reader)
        state = recovery.state
        unwritten = recovery.unwritten
        hasPast = state.batch > 0
        images = ImageWriting(settings, length: recovery.imageLength)
        let wall = settings.start ?? CentreClock.wallTime
        clock = CentreClock(
            mode: settings.timeMode,
            start: state.batch == 0 ? wall : max(state.lastInstant, settings.start ?? .epoch),
            note: { [logger = settings.logger] in logger.warning("\($0)") }
        )
        let machine = recovery.state.rules.machine
        let stage = RehearsalStage(settings, machine)
        if machine.partitions.contains(where: { $0.backend == .rehearsed }) {
            try stage.build(stepProgram: settings.stepProgram)
        }
        work = LocalWork(
            rules: recovery.state.rules,
            executor: executor,
            killWaitMilliseconds: settings.killWaitMilliseconds,
            stage: stage,
            logger: settings.logger
        )
        emulatedOutput =
            settings.writesEmulatedOutput ? EmulatedOutput(logger: settings.logger) : nil
        _ = state.takeEffects()
        armAll()
        try adoptAll()
        let opening = clock.now
        let isNew = !recovery.isMachineJournalled
        if isNew { try put(.machine(MachineInput(state.rules))) }
        try bringLoadIntoForce(isNew: isNew)
        try bringCustomersIntoForce()
        try bringTermsIntoForce()
        if isNew, load != nil { letLoadGather(until: opening) }
        letRealWorkStart()
        clock.setRealWork(isRunning: work.isBusyHere)
    }

    /// Journals and handles an input of the opening itself.
    func put(_ input: LiveInput) throws(OpenFailure) {
        // A new centre with a load has its first day behind it when it opens.
        let lead = settings.load != nil && !hasPast ? BackgroundLoad.lead : .zero
        do throws(PersistenceFailure) {
            _ = try commit([input], at: instant(clock.now - lead))
        } catch {
            throw .store(error)
        }
    }

    /// Prices and rules that the daemon was started with and that are not in force yet.
    private func bringTermsIntoForce() throws(OpenFailure) {
        var terms = TermsInput()
        if settings.tariff?.text != state.terms.tariff?.text { terms.tariff = settings.tariff }
        let known = state.terms.rules.map(\.text)
        if settings.subsidyRules.map(\.text) != known { terms.rules = settings.subsidyRules }
        guard terms.tariff != nil || !terms.rules.isEmpty else { return }
        var trial = state
        if case .refused(let body) = trial.change(terms, at: state.lastInstant) {
            throw .terms(body.text)
        }
        try put(.terms(terms))
    }

    /// After a recovery: arms what running and pending jobs need.
    private func armAll() {
        state.jobs.forEach { entry in
            switch entry.status.phase {
            case .running, .completing: arm(entry)
            case .pending:
                if let begin = entry.status.notBefore, begin > state.lastInstant {
                    timers.arm(CentreTimer(instant: begin, kind: .tick))
                }
            case .ended: break
            }
        }
        for instant in state.voucherInstants(after: state.lastInstant) {
            timers.arm(CentreTimer(instant: instant, kind: .tick))
        }
    }

    /// After a recovery: finds real jobs again.
    private func adoptAll() throws(OpenFailure) {
        let entries = state.realEntries { $0 == .running || $0 == .completing }
        guard !store.isNewCopy else { return giveUp(entries) }
        do throws(ExecutionFailure) {
            try work.endOthers(than: entries)
            for entry in entries {
                if let end = try work.adopt(entry) {
                    logger.notice("job \(entry.id) does not run any more: \(end.state)")
                    deferredEnds.append(end)
                } else if work.hasFallenBack(entry.id, restart: entry.status.restart) {
                    fallBack(entry.id)
                } else {
                    logger.notice("job \(entry.id) found again")
                    if entry.status.phase == .completing {
                        stop(entry.id, restart: entry.status.restart, as: "CANCELLED")
                    }
                }
            }
        } catch {
            throw .execution(error.description)
        }
    }

    /// In a centre that was copied: what runs is the other's, and so is what it will have cost.
    private func giveUp(_ entries: [JobEntry]) {
        for entry in entries {
            logger.notice("job \(entry.id) runs in the centre that this one is a copy of")
            var end = EndInput()
            end.id = entry.id
            end.restart = entry.status.restart
            end.state = "NODE_FAIL"
            end.measured = MeasuredRun()
            deferredEnds.append(end)
        }
    }

    /// Lifts what the closing of the last daemon put on real jobs. Tried again when it cannot be
    /// journalled now.
    private func letRealWorkStart() {
        guard !state.pausedPartitions.isEmpty, !isClosing, !isFull else { return }
        _ = try? commit([.realWork(RealWorkInput(mayStart: true))], at: instant(clock.now))
    }

    func stop(_ id: UInt32, restart: Int32, as end: String, now: SimInstant? = nil) {
        guard let entry = state.jobs[id] else { return }
        let end = work.stop(entry, restart: restart, as: end, now: now ?? clock.now)
        if let end { deferredEnds.append(end) }
    }
}

// MARK: - The loop

extension WriterLoop {
    func run() {
        while true {
            let letters = mailbox.take(waiting: waitMicroseconds, upTo: effortOfTurn)
            let begin = ContinuousClock.now
            turn(letters)
            adaptEffort(to: ContinuousClock.now - begin)
            if isAbandoned { break }
            if isClosing, !work.isBusy, deferredEnds.isEmpty || isFull { break }
        }
        flush()
        images.finish(isAbandoned || !isAllWritten ? nil : state, head: store.journalHead)
        let last = snapshot()
        store.close()
        mailbox.close { Self.giveBack($0, last) }
        for advance in advances { advance.answer(.failure(Self.closing)) }
        for answer in onClosed { answer() }
    }

    /// Lets turns do less where they take longer than others should wait, and more where they do not: on a
    /// slow or busy computer too.
    private func adaptEffort(to time: Duration) {
        if time > Effort.longestTurn {
            effortOfTurn = max(Effort.ofTurns.lowerBound, effortOfTurn / 2)
        } else if time < Effort.longestTurn / 4 {
            effortOfTurn = min(Effort.ofTurns.upperBound, effortOfTurn + effortOfTurn / 4)
        }
    }

    /// How long nothing happens by itself. Unit: µs.
    private var waitMicroseconds: Int64? {
        if isFull { return 1_000_000 }
        // While a rehearsed script is busy nothing is due.
        let mayMove = !work.holdsTime
        if !deferredEnds.isEmpty || mayMove && !advances.isEmpty { return 0 }
        let untilTimer = [
            mayMove ? timers.first.flatMap { clock.wallMicroseconds(until: $0) } : nil,
            work.microsecondsUntilOverdue,
        ].compactMap(\.self).min()
        // What follows from inputs goes with the next ones, or alone once there are none.
        let untilFlush: Int64? = unwritten.isEmpty ? nil : 20_000
        let untilImage = images.wait(state.journalLength).map { $0 / .microseconds(1) }
        return [untilTimer, untilFlush, untilImage.map { Int64($0) + 1 }].compactMap(\.self).min()
    }

    private func turn(_ letters: [Centre.Letter]) {
        isFull = false
        let before = state.batch
        // What a full disk kept from being written goes first.
        if !unjournalled.isEmpty { try? write() }
        letRealWorkStart()
        work.endOverdue()
        fireTimers(upTo: clock.now)
        handle(letters)
        if !isFull { handleDeferredEnds() }
        deferredEnds += work.giveTurns(state)
        advanceFurther()
        if !isFull { handleDeferredEnds() }
        deferredEnds += work.giveTurns(state)
        if state.batch == before { flush() }
        beginImageIfDue()
        clock.setRealWork(isRunning: work.isBusyHere)
        clock.setCeiling(work.holdsTime ? clock.now : work.isRehearsing ? timers.first : nil)
        for letter in letters {
            if case .snapshot(let answer) = letter { answer(snapshot()) }
        }
    }

    private func snapshot() -> CentreSnapshot {
        CentreSnapshot(
            state: state,
            unstored: unwritten.jobs,
            loadDropped: load?.load.dropped,
            nextTimer: timers.first
        )
    }

    /// The instant of the next batch (design §4).
    func instant(_ reading: SimInstant) -> SimInstant {
        max(reading, state.lastInstant + SimDuration(microseconds: 1))
    }

    /// Journals a batch, handles it and performs what follows.
    func commit(
        _ inputs: [LiveInput],
        resolved: [CentreState.Resolved?] = [],
        at instant: SimInstant
    ) throws(PersistenceFailure) -> [InputResult] {
        let batch = JournalBatch(
            number: state.batch + 1,
            instant: instant,
            inputs: inputs.map(\.row)
        )
        try write(batch)
        let results = state.handle(inputs, resolved: resolved, at: instant)
        checkBooks()
        clock.move(to: instant)
        unwritten.append(state.takeDerived())
        version.value.add(1, ordering: .releasing)
        for effect in state.takeEffects() { perform(effect) }
        return results
    }

    /// Handles a batch that happens by itself, and would again: it may be journalled with later ones.
    func handleAhead(_ inputs: [LiveInput], at instant: SimInstant) {
        unjournalled.append(
            JournalBatch(number: state.batch + 1, instant: instant, inputs: inputs.map(\.row))
        )
        _ = state.handle(inputs, at: instant)
        checkBooks()
        clock.move(to: instant)
        unwritten.append(state.takeDerived())
        version.value.add(1, ordering: .releasing)
        for effect in state.takeEffects() {
            if isInside(effect) { perform(effect) } else { heldEffects.append(effect) }
        }
    }

    /// Makes durable what is not yet, and `batch`, and performs what waited for that.
    func write(_ batch: JournalBatch? = nil) throws(PersistenceFailure) {
        let batches = unjournalled + (batch.map { [$0] } ?? [])
        guard !batches.isEmpty || !unwritten.isEmpty else { return }
        do throws(PersistenceFailure) {
            try store.append(batches, derived: unwritten)
        } catch {
            if !isFull { logger.error("\(error)") }
            isFull = true
            throw error
        }
        unjournalled = []
        unwritten = DerivedRows()
        putAwayEntries()
        forgetFinishedRuns()
        let effects = heldEffects
        heldEffects = []
        for effect in effects { perform(effect) }
    }

    /// Writes what is not written yet, when no request did so on its way.
    private func flush() {
        guard !isFull else { return }
        try? write()
    }

    /// Whether what followed from all inputs is in the tables.
    private var isAllWritten: Bool { unwritten.isEmpty && unjournalled.isEmpty }

    /// Lets an image be written when one is due: of a batch after which everything is in the tables.
    private func beginImageIfDue() {
        guard images.wait(state.journalLength) == .zero, !isFull else { return }
        flush()
        if isAllWritten { images.begin(state, head: store.journalHead) }
    }

    private func forgetFinishedRuns() {
        for run in finishedRuns { work.forget(run.id, restart: run.restart) }
        finishedRuns.removeAll()
    }
}

// MARK: - Requests

extension WriterLoop {
    private typealias Answer = @Sendable (Result<[InputResult], RequestFailure>) -> Void

    /// Inputs of one request, and who waits for them.
    private struct Order {
        var inputs: [LiveInput]
        /// Of a submission, what it names.
        var resolved: CentreState.Resolved?
        var answer: Answer
    }

    private func handle(_ letters: [Centre.Letter]) {
        var orders: [Order] = []
        var nextID = state.nextJobID
        /// Submissions with a key that came with these letters, by their places in `orders`.
        var keyed: [SubmissionKeys.Key: (place: Int, digest: StateDigest)] = [:]
        for letter in letters {
            switch letter {
            case .act(let prepare, let answer):
                switch prepare(state) {
                case .success(let inputs) where inputs.isEmpty: answer(.success([]))
                case .success(let inputs): orders.append(Order(inputs: inputs, answer: answer))
                case .failure(let failure): answer(.failure(failure))
                }
            case .submit(let input, let answer):
                if let key = SubmissionKeys.Key(input.request) {
                    let digest = input.digest
                    if let known = state.submissionKeys[key] {
                        answer(Self.again(known.digest == digest, known.job))
                        break
                    }
                    if let (place, first) = keyed[key] {
                        guard first == digest else {
                            answer(Self.again(false, 0))
                            break
                        }
                        let others = orders[place].answer
                        orders[place].answer = { result in
                            others(result)
                            answer(result)
                        }
                        break
                    }
                    keyed[key] = (orders.count, digest)
                }
                if let order = order(for: input, &nextID, answer) {
                    orders.append(order)
                } else if let key = SubmissionKeys.Key(input.request) {
                    keyed[key] = nil
                }
            case .exited(let run, let outcome, let measurement):
                if let end = work.finish(run, outcome, measurement, state.jobs[run.jobID]) {
                    deferredEnds.append(end)
                } else if !work.hasFallenBack(run.jobID, restart: Int32(run.restart)) {
                    // Given up before, by a requeue or a node failure.
                    work.forget(run.jobID, restart: Int32(run.restart))
                }
                if work.hasFallenBack(run.jobID, restart: Int32(run.restart)) {
                    fallBack(run.jobID)
                }
                deferredEnds += work.startWaiting(state, now: clock.now)
            case .heard(let run, let message):
                guard let wake = work.hear(message, from: run) else { break }
                let kind = CentreTimer.Kind.rehearsal(run.jobID, restart: Int32(run.restart))
                timers.arm(CentreTimer(instant: wake, kind: kind))
            case .signal(let ids, let number, let isForShellOnly):
                for entry in ids.compactMap({ state.jobs[$0] }) {
                    work.signal(
                        entry,
                        number: number,
                        isForShellOnly: isForShellOnly,
                        now: clock.now
                    )
                }
            case .signalStep(let id, let restart, let signal):
                guard let entry = state.jobs[id], entry.status.restart == restart else { break }
                work.signalStep(entry, signal, now: clock.now)
            case .snapshot: break
            case .advance(let request, let rights, let answer):
                guard rights(state).may(.operate) else {
                    answer(.failure(.refused(.accessDenied)))
                    continue
                }
                advance(request, answer)
            case .archive(let step, let answer): archive(step, answer)
            case .shutdown(let answer): close(answer)
            case .abandon(let answer):
                isAbandoned = true
                onClosed.append(answer)
            }
        }
        carryOut(orders)
    }

    /// What a submission is told whose key came before: the job of then, if it asks for the same.
    private static func again(
        _ isSame: Bool,
        _ job: UInt32
    ) -> Result<[InputResult], RequestFailure> {
        guard !isSame else { return .success([.done(id: job)]) }
        let text = "the Idempotency-Key came before with another submission"
        let body = ErrorBody(code: "idempotency_key_reused", text: text)
        return .failure(RequestFailure(status: 422, body: body))
    }

    /// A submission that would be refused is refused before it is journalled or numbered.
    private func order(
        for submission: SubmitInput,
        _ nextID: inout UInt32,
        _ answer: @escaping Answer
    ) -> Order? {
        guard !isClosing else {
            answer(.failure(Self.closing))
            return nil
        }
        var input = submission
        input.id = nextID
        do throws(Refusal) {
            let resolved = try state.resolve(input, at: clock.now)
            let free = settings.limits.jobCount - state.emulator.activeJobCount
            guard Int(nextID - state.nextJobID) + resolved.tasks.count <= free else {
                let limit = "the centre has \(settings.limits.jobCount) jobs (MaxJobCount)"
                throw Refusal(.tooManyJobs, limit)
            }
            nextID += UInt32(resolved.tasks.count)
            input.runTime = resolved.specification.runTime
            return Order(inputs: [.submit(input)], resolved: resolved, answer: answer)
        } catch {
            let isFull = error.body.code == SlurmError.tooManyJobs.rawValue
            answer(.failure(RequestFailure(status: isFull ? 503 : 400, body: error.body)))
            return nil
        }
    }

    static var closing: RequestFailure {
        RequestFailure(status: 503, body: SlurmError.centreUnavailable.body())
    }

    private func carryOut(_ orders: [Order]) {
        guard !orders.isEmpty else { return }
        var tagged: [(order: Int, input: LiveInput)] = []
        for (index, order) in orders.enumerated() {
            for input in order.inputs { tagged.append((index, input)) }
        }
        // Swift's sort is stable: within a rank the order of arrival stays.
        tagged.sort { $0.input.rank < $1.input.rank }
        complete(&tagged)
        do throws(PersistenceFailure) {
            let results = try commit(
                tagged.map(\.input),
                resolved: tagged.map { orders[$0.order].resolved },
                at: instant(clock.now)
            )
            var byOrder = [[InputResult]](repeating: [], count: orders.count)
            for (entry, result) in zip(tagged, results) { byOrder[entry.order].append(result) }
            for (order, results) in zip(orders, byOrder) { order.answer(.success(results)) }
        } catch {
            let failure = Self.failure(error)
            for order in orders { order.answer(.failure(failure)) }
        }
    }

    /// Gives submissions their numbers in the order in which they are handled, and changed jobs
    /// their run times.
    private func complete(_ tagged: inout [(order: Int, input: LiveInput)]) {
        var nextID = state.nextJobID
        var changed: Set<UInt32> = []
        var reach: DependencyReach?
        for index in tagged.indices {
            switch tagged[index].input {
            case .submit(var input):
                input.id = nextID
                nextID += input.request.numberCount
                tagged[index].input = .submit(input)
            case .update(var input):
                // What a second change makes of a job is known once the first is done.
                guard input.change.changesRequest, changed.insert(input.id).inserted else { break }
                input.runTime = state.runTime(after: input, &reach)
                tagged[index].input = .update(input)
            default: break
            }
        }
    }

    /// How often a lost run is requeued by itself. Slurm's `MaxBatchRequeue`.
    private static let mostRequeues: Int32 = 5

    private func handleDeferredEnds() {
        guard !deferredEnds.isEmpty else { return }
        let ends = deferredEnds
        deferredEnds = []
        var lostRuns: [(id: UInt32, restart: Int32)] = []
        let inputs = ends.map { end -> LiveInput in
            // Nobody knows how far a lost run came. It runs again, as after a node failure, unless
            // its user said that it must not.
            let isRequeuable = state.jobs[end.id]?.status.isRequeuable == true
            guard end.state == "NODE_FAIL", isRequeuable, !isClosing, !store.isNewCopy,
                state.jobs[end.id]?.status.phase == .running
            else { return .end(end) }
            var input = JobsInput()
            input.ids = [end.id]
            if end.restart >= Self.mostRequeues {
                logger.warning("job \(end.id) was lost \(end.restart + 1) times and is held")
                input.holds = true
                input.isAdminHold = true
                input.holdReason = CentreState.requeuedTooOften
            }
            lostRuns.append((end.id, end.restart))
            return .requeue(input)
        }
        do throws(PersistenceFailure) {
            _ = try commit(inputs, at: instant(clock.now))
            finishedRuns += lostRuns
        } catch {
            deferredEnds = ends + deferredEnds
        }
    }
}

// MARK: - Effects

extension WriterLoop {
    /// Whether an effect stays in the daemon's memory, so that a kill undoes it.
    private func isInside(_ effect: DriverEffect) -> Bool {
        switch effect {
        case .started(let id): state.jobs[id].map { !state.isReal($0) } ?? true
        case .deadlineChanged, .wake, .budgetAlarm: true
        case .makesWay, .stop, .suspended, .resumed, .ended, .emulatedEnded: false
        }
    }

    private func perform(_ effect: DriverEffect) {
        switch effect {
        case .started(let id):
            guard let entry = state.jobs[id] else { return }
            arm(entry)
            // Nothing real starts while the centre closes, unless a full disk kept that from the
            // journal. Then it is not launched; the next daemon finds that and lets it wait again.
            guard state.isReal(entry), !isClosing else { return }
            if let end = work.start(entry, state, now: entry.status.startedAt ?? clock.now) {
                deferredEnds.append(end)
            }
        case .stop(let id, let restart, let reason):
            let end =
                switch reason {
                case .cancelled: "CANCELLED"
                case .nodeFailure: "NODE_FAIL"
                case .requeued: "REQUEUED"
                case .preempted: "PREEMPTED"
                }
            stop(id, restart: restart, as: end)
        case .suspended(let id): signalReal(id, SIGSTOP)
        case .resumed(let id): signalReal(id, SIGCONT)
        case .makesWay(let id):
            signalReal(id, SIGCONT)
            signalReal(id, SIGTERM)
        case .deadlineChanged(let id):
            if let entry = state.jobs[id] { arm(entry) }
        case .ended(let id, let restart): finishedRuns.append((id, restart))
        case .emulatedEnded(let id):
            guard let output = emulatedOutput, let entry = state.jobs[id], entry.hasScript,
                !entry.specification.isBackground
            else { return }
            let record = state.record(of: entry, now: state.lastInstant, tellsReplay: false)
            output.write(record, of: entry, to: state.outputFiles(of: entry).output)
        case .budgetAlarm(let account, let standing):
            let (spent, amount) = (standing.spent.yuanText, standing.budget.amount.yuanText)
            logger.warning(
                """
                budget of account \(account): \(standing.alarm.name), \(spent) of \(amount) CNY spent in \
                \(standing.span)
                """
            )
        case .wake(let instant):
            // The pass of the last batch has seen what was due by then; a timer in the past would
            // make another, and that one another timer.
            guard instant > state.lastInstant else { return }
            timers.arm(CentreTimer(instant: instant, kind: .tick))
        }
    }

    private func signalReal(_ id: UInt32, _ number: Int32) {
        guard let entry = state.jobs[id], state.isReal(entry) else { return }
        work.signal(entry, number: number, isForShellOnly: false, now: clock.now)
    }

    /// Real jobs are cancelled: nothing is left running, and each is accounted for as what it was.
    /// Those that wait go on waiting: what they leave is not given to jobs that nobody launches.
    private func close(_ answer: @escaping @Sendable () -> Void) {
        isClosing = true
        onClosed.append(answer)
        defer { work.abandonRehearsals() }
        let entries = state.realEntries { $0 == .running || $0 == .completing }
        guard !entries.isEmpty else { return }
        logger.notice("closing: \(entries.count) real jobs are cancelled")
        var input = JobsInput()
        input.ids = entries.map(\.id)
        do throws(PersistenceFailure) {
            let pause = LiveInput.realWork(RealWorkInput(mayStart: false))
            _ = try commit([pause, .cancel(input)], at: instant(clock.now))
        } catch {
            // Not journalled: they are stopped all the same, and found to be ended by the next
            // daemon.
            for entry in entries {
                stop(entry.id, restart: entry.status.restart, as: "CANCELLED")
            }
        }
    }
}
