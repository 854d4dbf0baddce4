import ClusterModel
import Glibc
import HardwareTopology
import IndexSets
import JobExecution
import Logging
import Quantities
import WireFormats

/// The real jobs of a centre: turns a started job into a process, and the end of a process into an
/// input. It belongs to the writing thread.
///
/// The emulator counts cores; which ones they are is decided here: the lowest free ones of the
/// host, by hwloc's order, with all their processing units.
final class LocalWork {
    private let executor: JobExecutor
    private let rules: CentreRules
    private let killWaitMilliseconds: UInt32
    /// For each core of the host that jobs may have, the operating system's numbers of its
    /// processing units; empty when the machine has no single local node, or hwloc shows no cores.
    private let unitsOfCore: [[Int32]]
    private let logger: Logger
    private var cores: HeldNumbers
    private var cards: HeldNumbers
    /// The cards of rehearsed jobs.
    private var nodeCards = NodeCards()
    /// Jobs that hold their nodes and wait until a run that was told to end is gone: one of the same
    /// job, or one that still has the cores or cards.
    private var waiting: [UInt32: JobEntry] = [:]
    /// Runs that have processes, or whose end has not come to the writing thread yet.
    private var runs: Set<JobExecutor.Run> = []
    /// Those of the machine's own time: they take cores of the host.
    private var localRuns: Set<JobExecutor.Run> = []
    private var turns: RehearsalTurns
    private let stage: RehearsalStage
    /// Rehearsed runs whose scripts computed on: they are emulated to their end.
    private var fallenBack: Set<JobExecutor.Run> = []
    /// Why a run was told to stop.
    private var stops: [JobExecutor.Run: String] = [:]
    /// When a run that was told to stop is ended without its supervisor.
    private var overdue: [JobExecutor.Run: ContinuousClock.Instant] = [:]
    /// How long a supervisor may take beyond the kill wait.
    private static let patience = Duration.seconds(5)

    init(
        rules: CentreRules,
        executor: JobExecutor,
        killWaitMilliseconds: UInt32,
        stage: RehearsalStage,
        logger: Logger
    ) {
        self.rules = rules
        self.stage = stage
        turns = RehearsalTurns(width: stage.width)
        self.executor = executor
        self.killWaitMilliseconds = killWaitMilliseconds
        self.logger = logger
        let local = rules.machine.partitions.filter { $0.backend == .local }
        let nodes = Set(local.flatMap { Array($0.nodes) })
        var units: [[Int32]] = []
        var cardCount = 0
        if nodes.count == 1, let node = nodes.first {
            cardCount = Int(rules.machine.nodes[node].capacity.accelerators)
            // The centre counts with the cores that the host had when it was opened first.
            let known = Int(rules.machine.nodes[node].capacity.cores)
            units = Array(Self.hostCores().prefix(known))
            if !units.isEmpty, units.count < known {
                logger.warning(
                    """
                    this host has \(units.count) cores and the centre was opened on one with \
                    \(known): real jobs that get no core of their own are not launched
                    """
                )
            }
        }
        unitsOfCore = units
        cores = HeldNumbers(count: units.count)
        cards = HeldNumbers(count: cardCount)
    }

    /// The processing units of each core of the host.
    private static func hostCores() -> [[Int32]] {
        guard let model = try? HwlocTopology.host().model(origin: .host) else { return [] }
        var cores: [[Int32]] = []
        var units: [[Int32]] = []
        model.root.forEach { object in
            let numbers = object.pus.map(Int32.init)
            if object.kind == .core { cores.append(numbers) }
            if object.kind == .pu { units.append(numbers) }
        }
        return cores.isEmpty ? units : cores
    }

    /// Whether scripts run, or have ended and are not accounted for.
    var isBusy: Bool { !runs.isEmpty }

    /// Whether scripts run in the machine's time.
    var isBusyHere: Bool { !localRuns.isEmpty }

    /// Whether rehearsed scripts run, so that time may have to wait for them.
    var isRehearsing: Bool { runs.count > localRuns.count || turns.isBusy }

    /// Whether scripts are rehearsed here at all.
    var rehearses: Bool { rules.machine.partitions.contains { $0.backend == .rehearsed } }

    /// Whether time waits for a rehearsed script.
    var holdsTime: Bool { turns.isBusy }

    private func run(of entry: JobEntry) -> JobExecutor.Run {
        JobExecutor.Run(jobID: entry.id, restart: Int(entry.status.restart))
    }
}

// MARK: - Starting

extension LocalWork {
    /// Launches a job that holds its nodes, or lets it wait: for a run that is about to be gone, or for
    /// its turn. Returns its end when it cannot be launched.
    func start(_ entry: JobEntry, _ state: CentreState, now: SimInstant) -> EndInput? {
        guard !mustWait(entry) else {
            waiting[entry.id] = entry
            return nil
        }
        guard state.isLocal(entry) else {
            // Cards go to who started first, whoever has the first turn.
            _ = nodeCards.take(state.cardsHeld(by: entry), for: entry.id)
            turns.add(RehearsalTurns.Turn(instant: now, run: run(of: entry), act: .launch))
            return nil
        }
        return launch(entry, state, now: now)
    }

    private func launch(_ entry: JobEntry, _ state: CentreState, now: SimInstant) -> EndInput? {
        let run = run(of: entry)
        let isLocal = state.isLocal(entry)
        let wanted = coresWanted(entry)
        guard let coresTaken = cores.take(wanted, for: entry.id),
            let cardsTaken = cards.take(cardsWanted(entry), for: entry.id)
        else {
            logger.warning(
                """
                job \(entry.id) is not launched: it holds \(wanted) cores, and of the \
                \(unitsOfCore.count) that this host has \(cores.freeCount) are free
                """
            )
            release(entry.id)
            return launchFailure(of: entry)
        }
        let units = coresTaken.flatMap { unitsOfCore[$0] }
        let modelled = isLocal ? [] : nodeCards.take(state.cardsHeld(by: entry), for: entry.id)
        var specification = specification(of: entry, run, (units, cardsTaken, modelled), state)
        if !isLocal {
            let folder = executor.folder(of: run)
            let host = rules.commonHostName(of: entry.status)
            stage.prepare(&specification, of: entry, in: folder, hostName: host, now: now)
        }
        do throws(ExecutionFailure) {
            try executor.start(
                run,
                specification,
                script: entry.specification.request.scriptBytes,
                files: [("hostfile", "localhost slots=\(slots(of: entry))\n")]
            )
            runs.insert(run)
            if isLocal { localRuns.insert(run) }
            return nil
        } catch {
            logger.warning("job \(entry.id) is not launched: \(error)")
            release(entry.id)
            return launchFailure(of: entry)
        }
    }

    private func launchFailure(of entry: JobEntry) -> EndInput {
        var end = unlaunchedEnd(of: entry, as: "FAILED")
        end.signal = 53
        end.reason = "JobLaunchFailure"
        return end
    }

    private func mustWait(_ entry: JobEntry) -> Bool {
        if runs.contains(where: { $0.jobID == entry.id }) { return true }
        // The emulator gives what a requeued run held at once; its processes need a while to go.
        let isShort = coresWanted(entry) > cores.freeCount || cardsWanted(entry) > cards.freeCount
        return isShort && runs.contains { stops[$0] != nil }
    }

    private func isRehearsed(_ entry: JobEntry) -> Bool {
        rules.backend(of: entry.status) == .rehearsed
    }

    private func coresWanted(_ entry: JobEntry) -> Int {
        unitsOfCore.isEmpty || isRehearsed(entry) ? 0 : Int(entry.status.nodes.first?.cores ?? 0)
    }

    private func cardsWanted(_ entry: JobEntry) -> Int {
        cards.count == 0 || isRehearsed(entry) ? 0 : Int(entry.status.acceleratorsHeld)
    }

    private func release(_ id: UInt32) {
        nodeCards.release(id)
        cores.release(id)
        cards.release(id)
    }

    /// The end of a run of which nothing has ever run.
    private func unlaunchedEnd(of entry: JobEntry, as state: String) -> EndInput {
        var end = EndInput()
        end.id = entry.id
        end.restart = entry.status.restart
        end.state = state
        // What is rehearsed held its nodes for as long as the centre's clock says.
        if !isRehearsed(entry) { end.measured = MeasuredRun() }
        return end
    }

    private func specification(
        of entry: JobEntry,
        _ run: JobExecutor.Run,
        _ taken: (units: [Int32], cards: [Int], modelled: [Int]),
        _ state: CentreState
    ) -> StepSpecification {
        let request = entry.specification.request
        let folder = executor.folder(of: run)
        let files = state.outputFiles(of: entry)
        var specification = StepSpecification(
            jobID: entry.id,
            nodeName: entry.status.nodes.first.map { rules.machine.nodes[$0.node].name } ?? "",
            program: folder.script,
            directory: request.workDirectory,
            output: files.output
        )
        specification.error = files.error
        specification.input = files.input
        specification.arguments = request.scriptArguments
        specification.appendsOutput = request.appendsOutput ?? false
        if let mask = request.fileModeMask { specification.mask = mask & 0o777 }
        specification.killWaitMilliseconds = killWaitMilliseconds
        if getuid() == 0, request.userID != 0 {
            specification.user = StepSpecification.User(
                id: request.userID,
                groupID: request.groupID,
                name: request.user
            )
        }
        specification.processingUnits = taken.units
        specification.cardCount = taken.cards.count
        specification.environment = BatchEnvironment.merge(
            request.environment,
            state.batchEnvironment(of: entry, cards: taken.cards + taken.modelled).variables
                + mpiVariables(folder, isRoot: request.userID == 0)
        )
        return specification
    }

    private func slots(of entry: JobEntry) -> Int {
        max(Int(entry.status.tasks), Int(entry.status.nodes.first?.cores ?? 1))
    }

    /// What Open MPI needs to be at home in a job.
    ///
    /// It would see SLURM_JOB_ID and look for srun; and it binds ranks by itself, without regard
    /// to the cores that it was given, so binding is left to the job's own affinity.
    private func mpiVariables(_ folder: StepFolder, isRoot: Bool) -> [String] {
        var variables = [
            "XINGHE_MEASURE=\(folder.measure)",
            "OMPI_MCA_ras=^slurm",
            "OMPI_MCA_plm=^slurm",
            "OMPI_MCA_orte_default_hostfile=\(folder.hostfile)",
            "OMPI_MCA_hwloc_base_binding_policy=none",
        ]
        if isRoot {
            variables += ["OMPI_ALLOW_RUN_AS_ROOT=1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1"]
        }
        return variables
    }
}

// MARK: - Ending

extension LocalWork {
    /// Tells a run to stop. `state` is how it ends then, in Slurm's words. Returns its end when no
    /// process of it is there to end, and its job waits to be told of it.
    func stop(_ entry: JobEntry, restart: Int32, as state: String, now: SimInstant) -> EndInput? {
        let id = entry.id
        let run = JobExecutor.Run(jobID: id, restart: Int(restart))
        let isWaiting = waiting[id]?.status.restart == restart
        if isWaiting || fallenBack.contains(run) || isToBeLaunched(run) {
            if isWaiting { waiting[id] = nil }
            fallenBack.remove(run)
            turns.forget(run)
            // What was requeued, or lost its node, has left the emulator's running jobs already.
            let isAwaited = state == "CANCELLED" || state == "TIMEOUT"
            return isAwaited ? unlaunchedEnd(of: entry, as: state) : nil
        }
        // It may have ended in this very turn.
        guard runs.contains(run), stops[run] == nil else { return nil }
        stops[run] = state
        let time = CivilTime(now, offsetSeconds: CivilTime.shanghaiOffsetSeconds).iso8601
        let cause = state == "TIMEOUT" ? " DUE TO TIME LIMIT" : ""
        let node = nodeName(of: entry)
        let text = "*** JOB \(id) ON \(node) CANCELLED AT \(time)\(cause) ***"
        let notice = "slurmstepd-\(node): error: \(text)\n"
        if isRehearsed(entry) {
            turns.add(RehearsalTurns.Turn(instant: now, run: run, act: .end(notice: notice)))
        } else {
            executor.end(run, notice: notice)
            overdue[run] = ContinuousClock.now + .milliseconds(killWaitMilliseconds) + Self.patience
        }
        return nil
    }

    /// How long until a run is to be ended without its supervisor; nil when none is. Unit: µs.
    var microsecondsUntilOverdue: Int64? {
        overdue.values.min().map { due in
            let rest = (due - ContinuousClock.now).components
            return max(0, rest.seconds * 1_000_000 + rest.attoseconds / 1_000_000_000_000 + 1)
        }
    }

    /// Ends runs whose supervisors were told to, and have not: a job may stop or hang them.
    func endOverdue() {
        let now = ContinuousClock.now
        for (run, due) in overdue where due <= now {
            logger.warning("job \(run.jobID): its supervisor does not end it; both are killed")
            executor.endAtOnce(run)
            overdue[run] = nil
        }
    }

    private func isToBeLaunched(_ run: JobExecutor.Run) -> Bool {
        !runs.contains(run) && turns.isWaiting(run)
    }

    private func nodeName(of entry: JobEntry) -> String {
        if let node = entry.status.nodes.first { return rules.machine.nodes[node.node].name }
        return nodeName
    }

    private var nodeName: String {
        let local = rules.machine.partitions.first { $0.backend == .local }
        return local?.nodes.first.map { rules.machine.nodes[$0].name } ?? "localhost"
    }

    /// Sends a signal to all processes of a job, or to the one that runs the script.
    func signal(_ entry: JobEntry, number: Int32, isForShellOnly: Bool, now: SimInstant) {
        let run = run(of: entry)
        guard isRehearsed(entry) else {
            return isForShellOnly
                ? executor.signalShell(run, number: number) : executor.signal(run, number: number)
        }
        guard runs.contains(run) else { return }
        let act = RehearsalTurns.Act.signal(number, isForShellOnly: isForShellOnly)
        turns.add(RehearsalTurns.Turn(instant: now, run: run, act: act))
    }

    /// Sends a signal to the process of a step.
    func signalStep(_ entry: JobEntry, _ signal: StepSignal, now: SimInstant) {
        let run = run(of: entry)
        guard isRehearsed(entry) else {
            let user = entry.specification.request.userID
            return executor.signalStep(signal.process, number: signal.number, ofUser: user)
        }
        guard runs.contains(run) else { return }
        turns.add(RehearsalTurns.Turn(instant: now, run: run, act: .signalStep(signal)))
    }

    /// The end of a run as an input; nil when the run had been given up before.
    func finish(
        _ run: JobExecutor.Run,
        _ outcome: StepOutcome,
        _ measurement: RunMeasurement,
        _ entry: JobEntry?,
        isAdopted: Bool = false
    ) -> EndInput? {
        runs.remove(run)
        overdue[run] = nil
        localRuns.remove(run)
        turns.forget(run)
        release(run.jobID)
        let stop = stops.removeValue(forKey: run)
        guard let entry, Int(entry.status.restart) == run.restart, !entry.hasEnded else {
            return nil
        }
        if outcome.isOverdue, stop == nil {
            fallenBack.insert(run)
            return nil
        }
        var end = EndInput()
        end.id = run.jobID
        end.restart = entry.status.restart
        // Slurm keeps seven bits of the exit status.
        end.exitCode = outcome.exitCode & 127
        end.signal = outcome.signal
        let isSuccess = outcome.exitCode == 0 && outcome.signal == 0
        end.state = stop ?? (isSuccess ? "COMPLETED" : "FAILED")
        if outcome.isLost, stop == nil { end.state = "NODE_FAIL" }
        // A script that cannot be executed ends with an exit status, for Slurm like any other.
        if outcome.launchProblem != nil, outcome.exitCode == 0 { end.reason = "JobLaunchFailure" }
        if isRehearsed(entry) {
            end.steps = StepRun.read(executor.folder(of: run).stepLines, entry)
            // It was the script that ended its own supervisor: another run would do so again.
            if end.state == "NODE_FAIL", !isAdopted {
                end.state = "FAILED"
                end.signal = SIGKILL
            }
            return end
        }
        end.measured = measurement.run
        if let complaint = measurement.complaint { logger.notice("job \(run.jobID): \(complaint)") }
        return end
    }

    /// Launches what waited for a run that is gone now. Returns the ends of what cannot be launched.
    func startWaiting(_ state: CentreState, now: SimInstant) -> [EndInput] {
        let entries = waiting.values.sorted { $0.id < $1.id }
        waiting.removeAll()
        return entries.compactMap { entry in
            guard let current = state.jobs[entry.id],
                current.status.restart == entry.status.restart, current.status.phase == .running
            else { return nil }
            return start(current, state, now: now)
        }
    }

    /// Removes the files of a run that is accounted for.
    func forget(_ id: UInt32, restart: Int32) {
        let run = JobExecutor.Run(jobID: id, restart: Int(restart))
        guard !runs.contains(run) else { return }
        stops[run] = nil
        fallenBack.remove(run)
        turns.forget(run)
        executor.forget(run)
    }
}

// MARK: - Rehearsals

extension LocalWork {
    /// Gives turns to rehearsed scripts, as many as may have one at once. Returns the ends of those
    /// that cannot be launched.
    func giveTurns(_ state: CentreState) -> [EndInput] {
        var ends: [EndInput] = []
        while let (turn, sequence) = turns.next() {
            let run = turn.run
            // Its own instant, though an accelerated clock may be past it by now.
            let now = turn.instant
            let message = "\(sequence) \(now.microseconds)"
            switch turn.act {
            case .launch:
                guard let entry = state.jobs[run.jobID], self.run(of: entry) == run,
                    entry.status.phase == .running
                else {
                    turns.forget(run)
                    continue
                }
                guard let end = launch(entry, state, now: now) else { continue }
                turns.forget(run)
                ends.append(end)
            case .wake: executor.tell(run, "go " + message)
            case .end(let notice):
                executor.setNotice(notice, of: run)
                executor.tell(run, "end " + message)
            case .signal(let number, let isForShellOnly):
                let receivers = isForShellOnly ? "shell" : "all"
                executor.tell(run, "signal \(message) \(number) \(receivers)")
            case .signalStep(let signal):
                executor.tell(run, "signal \(message) \(signal.number) \(signal.process)")
            }
        }
        return ends
    }

    /// Hears that a script is quiet. Returns the instant at which it wants to go on.
    func hear(_ message: String, from run: JobExecutor.Run) -> SimInstant? {
        turns.hear(message, from: run)
    }

    /// Puts a script in line whose instant has come; false when it waits for another by now.
    func wake(_ id: UInt32, restart: Int32, at instant: SimInstant) -> Bool {
        let run = JobExecutor.Run(jobID: id, restart: Int(restart))
        guard turns.isDue(run, at: instant) else { return false }
        turns.add(RehearsalTurns.Turn(instant: instant, run: run, act: .wake))
        return true
    }

    /// Whether a script computed on and its job is emulated to its end.
    func hasFallenBack(_ id: UInt32, restart: Int32) -> Bool {
        fallenBack.contains(JobExecutor.Run(jobID: id, restart: Int(restart)))
    }

    /// Ends all rehearsed scripts at once: the centre closes, and its time stands still.
    func abandonRehearsals() {
        for run in runs.subtracting(localRuns) { executor.abandon(run) }
    }
}

// MARK: - After a restart of the daemon

extension LocalWork {
    /// Finds a run of an earlier daemon again. Returns how it ended, if it has.
    ///
    /// - Throws: `ExecutionFailure` when it runs and cannot be watched.
    func adopt(_ entry: JobEntry) throws(ExecutionFailure) -> EndInput? {
        let run = run(of: entry)
        switch try executor.adopt(run) {
        case .running:
            runs.insert(run)
            // The channel to a rehearsed run is gone with the daemon that had it, and so is the run.
            guard !isRehearsed(entry) else { return nil }
            localRuns.insert(run)
            holdAgain(run, cardsWanted(entry))
            return nil
        case .ended(let outcome):
            stops[run] = executor.folder(of: run).noticedEnd
            return finish(
                run,
                outcome,
                RunMeasurement(outcome, executor.folder(of: run)),
                entry,
                isAdopted: true
            )
        case .neverStarted:
            // Its time would count from a start that never was. It waits again, as after the loss
            // of a node.
            let isCancelled = entry.status.phase == .completing
            return unlaunchedEnd(of: entry, as: isCancelled ? "CANCELLED" : "NODE_FAIL")
        }
    }

    /// Finds runs of an earlier daemon that their jobs have given up, by a requeue or with a node.
    /// They are ended, and jobs wait for them.
    ///
    /// - Throws: `ExecutionFailure` when one runs and cannot be watched.
    func endOthers(than entries: [JobEntry]) throws(ExecutionFailure) {
        let known = Set(entries.map(run))
        for run in executor.runsWithFolders where !known.contains(run) {
            switch try executor.adopt(run) {
            case .running:
                runs.insert(run)
                localRuns.insert(run)
                holdAgain(run, 0)
                stops[run] = "REQUEUED"
                executor.end(run)
            case .ended, .neverStarted: executor.forget(run)
            }
        }
    }

    /// Takes the cores that a running job was bound to, and its cards, if it has any.
    private func holdAgain(_ run: JobExecutor.Run, _ cardCount: Int) {
        guard let started = executor.folder(of: run).startedSpecification else { return }
        let units = Set(started.processingUnits)
        let bound = unitsOfCore.indices.filter { !units.isDisjoint(with: unitsOfCore[$0]) }
        cores.hold(Array(bound), for: run.jobID)
        guard cardCount > 0 else { return }
        cards.hold(BatchEnvironment.accelerators(in: started.environment), for: run.jobID)
    }
}
