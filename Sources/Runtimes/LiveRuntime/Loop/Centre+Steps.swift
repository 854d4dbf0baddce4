import ClusterModel
import Glibc
import JobExecution
import JobModel
import SlurmDialect
import WireFormats

// Steps that run: the process that runs each is told what is to become of its tasks. Those of real jobs were
// told to the centre, those of rehearsed scripts stand in a file of the run.

extension Centre {
    /// Cancels steps, or sends them a signal, and leaves their jobs alone.
    func cancelSteps(
        _ request: CancelRequest,
        _ caller: Caller
    ) async -> [ActionOutcome] {
        let state = await snapshot().state
        let rights = rightsInTurn(of: caller)(state)
        return request.jobs.filter { $0.step != nil }.map { selector in
            var outcome = ActionOutcome(jobID: selector.jobID)
            outcome.step = selector.step
            let entries = state.jobs.entries(selector)
            guard !entries.isEmpty else {
                outcome.error = SlurmError.invalidJobID.body()
                return outcome
            }
            guard entries.allSatisfy({ rights.may(.changeJobs, $0, of: caller) }) else {
                outcome.error = SlurmError.accessDenied.body()
                outcome.error?.exitCode = ExitStatus.notOwned
                return outcome
            }
            let runs = entries.compactMap { entry in
                self.process(ofStep: selector.step ?? "", entry, state).map { (entry, $0) }
            }
            if runs.isEmpty {
                let isOver = entries.allSatisfy(\.hasEnded)
                outcome.error = (isOver ? SlurmError.alreadyDone : .invalidJobID).body()
            }
            // Only its own process knows which tasks it has to kill.
            let number = request.signal.flatMap { $0 == SIGKILL ? nil : $0 }
            // A step on several components is one process.
            var told: Set<Int32> = []
            for (entry, process) in runs where told.insert(process).inserted {
                // Its channel is that of the first component's run.
                let entry =
                    entry.specification.submission.het.flatMap { state.jobs[$0.leader.number] }
                    ?? entry
                let signal = StepSignal(
                    process: process,
                    number: number ?? StepSignal.cancellation
                )
                mailbox.post(.signalStep(entry.id, restart: entry.status.restart, signal))
            }
            return outcome
        }
    }

    /// A step that runs on a component which is cancelled without the others.
    struct StepOnPart {
        var component: UInt32
        var job: UInt32
        var restart: Int32
        var signal: StepSignal
    }

    /// The steps on those of some jobs that are components without a script, and are meant without the first:
    /// nobody else ends them.
    func stepsOnParts(_ entries: [JobEntry]) async -> [StepOnPart] {
        let named = Set(entries.map(\.id))
        let parts = entries.filter { entry in
            let leader = entry.specification.submission.het?.leader.number
            return entry.isFollower && leader.map { !named.contains($0) } ?? false
        }
        guard !parts.isEmpty else { return [] }
        let state = await snapshot().state
        return parts.flatMap { entry -> [StepOnPart] in
            let (leader, lines) = stepLines(of: entry, state)
            let told = entry.status.steps.filter { $0.end == nil }
            let steps = told + runningSteps(of: entry, leader, lines, state)
            return steps.compactMap(\.process).map { process in
                StepOnPart(
                    component: entry.id,
                    job: leader.id,
                    restart: leader.status.restart,
                    signal: StepSignal(process: process, number: StepSignal.cancellation)
                )
            }
        }
    }

    private func process(ofStep id: String, _ entry: JobEntry, _ state: CentreState) -> Int32? {
        guard entry.status.phase == .running else { return nil }
        if let step = entry.status.steps.first(where: { $0.id == id && $0.end == nil }) {
            return step.process
        }
        let (leader, lines) = stepLines(of: entry, state)
        return runningSteps(of: entry, leader, lines, state).first { $0.id == id }?.process
    }

    /// The steps that a rehearsed script has run, and runs just now, on a job or a component of it.
    func rehearsedSteps(
        of entry: JobEntry,
        _ record: AccountingRecord,
        _ state: CentreState
    ) -> [StepRecord] {
        let (leader, lines) = stepLines(of: entry, state)
        let component = entry.isFollower ? entry.specification.submission.het?.offset : nil
        let ended = StepRun.read(lines, leader).filter { $0.component == component }
        return state.programSteps(ended, of: record, entry.status)
            + runningSteps(of: entry, leader, lines, state)
    }

    private func runningSteps(
        of entry: JobEntry,
        _ leader: JobEntry,
        _ lines: [Substring],
        _ state: CentreState
    ) -> [StepRecord] {
        StepRun.running(lines, of: leader, on: entry) { state.rules.machine.nodes[$0].name }
    }

    /// What the script that runs on a job's nodes has told of its steps, and whose script it is; of a component
    /// the first one's.
    private func stepLines(
        of entry: JobEntry,
        _ state: CentreState
    ) -> (leader: JobEntry, lines: [Substring]) {
        let leader =
            entry.specification.submission.het.flatMap { state.jobs[$0.leader.number] } ?? entry
        guard entry.status.phase == .running, leader.status.phase == .running,
            state.rules.backend(of: leader.status) == .rehearsed
        else { return (leader, []) }
        let run = JobExecutor.Run(jobID: leader.id, restart: Int(leader.status.restart))
        return (leader, executor.folder(of: run).stepLines)
    }
}

/// What the process of a step is sent.
struct StepSignal: Hashable {
    var process: Int32
    var number: Int32

    /// The step is cancelled, and not its job. None of the signals that scripts send.
    static let cancellation: Int32 = 35
}
