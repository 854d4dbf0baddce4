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
    private var coresHeld: [UInt32: [Int]] = [:]
    private var coresFree: Set<Int>
    /// Runs that wait until the run before of the same job is gone.
    private var waiting: [UInt32: JobEntry] = [:]
    /// Why a run was told to stop.
    private var stops: [JobExecutor.Run: String] = [:]

    init(
        rules: CentreRules,
        executor: JobExecutor,
        killWaitMilliseconds: UInt32,
        logger: Logger
    ) {
        self.rules = rules
        self.executor = executor
        self.killWaitMilliseconds = killWaitMilliseconds
        self.logger = logger
        let local = rules.machine.partitions.filter { $0.backend == .local }
        let nodes = Set(local.flatMap { Array($0.nodes) })
        var units: [[Int32]] = []
        if nodes.count == 1, let node = nodes.first {
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
        coresFree = Set(units.indices)
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

    /// Whether real jobs run.
    var isBusy: Bool { !executor.runs.isEmpty }

    /// The number of real jobs that run.
    var runCount: Int { executor.runs.count }

    private func run(of entry: JobEntry) -> JobExecutor.Run {
        JobExecutor.Run(jobID: entry.id, restart: Int(entry.status.restart))
    }
}

// MARK: - Starting

extension LocalWork {
    /// Launches a job that holds its nodes. Returns its end when it cannot be launched.
    func start(_ entry: JobEntry, _ state: CentreState) -> EndInput? {
        let isOldRunThere = executor.runs.contains { $0.jobID == entry.id }
        guard !isOldRunThere else {
            waiting[entry.id] = entry
            return nil
        }
        let run = run(of: entry)
        let wanted = Int(entry.status.nodes.first?.cores ?? 0)
        guard let units = takeCores(entry.id, wanted) else {
            logger.warning(
                """
                job \(entry.id) is not launched: it holds \(wanted) cores, and of the \
                \(unitsOfCore.count) that this host has \(coresFree.count) are free
                """
            )
            return launchFailure(of: entry)
        }
        let specification = specification(of: entry, run, units, state)
        do throws(ExecutionFailure) {
            try executor.start(
                run,
                specification,
                script: entry.specification.request.script,
                files: [("hostfile", "localhost slots=\(slots(of: entry))\n")]
            )
            return nil
        } catch {
            freeCores(of: entry.id)
            return launchFailure(of: entry)
        }
    }

    private func launchFailure(of entry: JobEntry) -> EndInput {
        var end = EndInput()
        end.id = entry.id
        end.restart = entry.status.restart
        end.state = "FAILED"
        end.signal = 53
        end.reason = "JobLaunchFailure"
        end.measured = MeasuredRun()
        return end
    }

    private func specification(
        of entry: JobEntry,
        _ run: JobExecutor.Run,
        _ units: [Int32],
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
        specification.killWaitMilliseconds = killWaitMilliseconds
        if getuid() == 0, request.userID != 0 {
            specification.user = StepSpecification.User(
                id: request.userID,
                groupID: request.groupID,
                name: request.user
            )
        }
        specification.processingUnits = units
        specification.environment = BatchEnvironment.merge(
            request.environment,
            variables(of: entry) + mpiVariables(folder, isRoot: request.userID == 0)
        )
        return specification
    }

    private func variables(of entry: JobEntry) -> [String] {
        let request = entry.specification.request
        let status = entry.status
        var facts = BatchEnvironment()
        facts.jobID = entry.id
        facts.jobName = status.name
        facts.user = (request.user, request.userID, request.groupID)
        facts.account = entry.specification.account
        facts.partition = status.partitions.first.map { rules.machine.partitions[$0].name } ?? ""
        facts.qos = request.qos ?? "normal"
        facts.clusterName = rules.machine.name
        facts.submitDirectory = request.submitDirectory
        facts.submitHost = request.submitHost
        facts.nodeNames = status.nodes.map { rules.machine.nodes[$0.node].name }
        facts.nodeList = status.nodeList
        facts.coresPerNode = status.nodes.map { Int($0.cores) }
        facts.tasksPerNode = tasksPerNode(entry)
        facts.taskCount =
            request.tasks.map(Int.init) ?? (request.tasksPerNode == nil ? nil : Int(status.tasks))
        facts.coresPerTask = request.cpusPerTask.map(Int.init)
        facts.memoryPerNodeMebibytes = request.memoryPerNode?.mebibytes
        facts.memoryPerCoreMebibytes = request.memoryPerCPU?.mebibytes
        facts.restartCount = Int(status.restart)
        if let array = entry.specification.array, let task = entry.arrayTask {
            facts.array = (array.job, task, array.count, array.minimum, array.maximum)
        }
        return facts.variables
    }

    /// Tasks are dealt out to the nodes as evenly as their number allows.
    private func tasksPerNode(_ entry: JobEntry) -> [Int] {
        let nodes = max(1, entry.status.nodes.count)
        let tasks = Int(entry.status.tasks)
        return (0..<nodes).map { tasks / nodes + ($0 < tasks % nodes ? 1 : 0) }
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

    /// The processing units of so many free cores, which are taken; none where there is nothing to
    /// bind to. nil when the host has not so many free, since it is not the one that it was.
    private func takeCores(_ id: UInt32, _ count: Int) -> [Int32]? {
        guard !unitsOfCore.isEmpty, count > 0 else { return [] }
        let cores = Array(coresFree.sorted().prefix(count))
        guard cores.count == count else { return nil }
        coresFree.subtract(cores)
        coresHeld[id] = cores
        return cores.flatMap { unitsOfCore[$0] }
    }

    private func freeCores(of id: UInt32) {
        coresFree.formUnion(coresHeld.removeValue(forKey: id) ?? [])
    }
}

// MARK: - Ending

extension LocalWork {
    /// Tells a run to stop. `state` is how it ends then, in Slurm's words.
    func stop(_ id: UInt32, restart: Int32, as state: String, now: SimInstant) {
        let run = JobExecutor.Run(jobID: id, restart: Int(restart))
        guard stops[run] == nil else { return }
        stops[run] = state
        let time = CivilTime(now, offsetSeconds: CivilTime.shanghaiOffsetSeconds).iso8601
        let cause = state == "TIMEOUT" ? " DUE TO TIME LIMIT" : ""
        let node = nodeName
        let text = "*** JOB \(id) ON \(node) CANCELLED AT \(time)\(cause) ***"
        executor.end(run, notice: "slurmstepd-\(node): error: \(text)\n")
    }

    private var nodeName: String {
        let local = rules.machine.partitions.first { $0.backend == .local }
        return local?.nodes.first.map { rules.machine.nodes[$0].name } ?? "localhost"
    }

    /// Sends a signal to all processes of a job, or to the one that runs the script.
    func signal(_ entry: JobEntry, number: Int32, isForShellOnly: Bool) {
        if isForShellOnly {
            executor.signalShell(run(of: entry), number: number)
        } else {
            executor.signal(run(of: entry), number: number)
        }
    }

    /// The end of a run as an input; nil when the run had been given up before.
    func finish(_ run: JobExecutor.Run, _ outcome: StepOutcome, _ entry: JobEntry?) -> EndInput? {
        freeCores(of: run.jobID)
        let stop = stops.removeValue(forKey: run)
        guard let entry, Int(entry.status.restart) == run.restart, !entry.hasEnded else {
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
        if outcome.launchProblem != nil { end.reason = "JobLaunchFailure" }
        end.measured = measured(outcome, executor.folder(of: run))
        return end
    }

    /// Launches what waited for a run to be gone. Returns its end when it cannot be launched.
    func startWaiting(_ id: UInt32, _ state: CentreState) -> EndInput? {
        guard let entry = waiting.removeValue(forKey: id), let now = state.jobs[id],
            now.status.restart == entry.status.restart, now.status.phase == .running
        else { return nil }
        return start(now, state)
    }

    /// Removes the files of a run that is accounted for.
    func forget(_ id: UInt32, restart: Int32) {
        let run = JobExecutor.Run(jobID: id, restart: Int(restart))
        guard !executor.runs.contains(run) else { return }
        executor.forget(run)
    }

    private func measured(_ outcome: StepOutcome, _ folder: StepFolder) -> MeasuredRun {
        var run = MeasuredRun()
        run.wall = SimDuration(microseconds: outcome.wallMicroseconds)
        run.processorTime = SimDuration(microseconds: outcome.cpuMicroseconds)
        run.largestResident = ByteCount(outcome.largestResidentKibibytes << 10)
        // The file is the job's: a line that is no measurement is passed over, and what one job
        // may leave in the journal is bounded.
        for line in folder.measuredLines(maximum: 100) {
            guard line.utf8.count <= 16_384, let json = try? JSONValue(parsing: String(line)),
                json["kernel"]?.string != nil, let seconds = json["seconds"]?.double,
                seconds >= 0, seconds < 1e9
            else { continue }
            run.kernels.append(JSONLine(json: json))
            run.reported = (run.reported ?? MeasuredWork()).adding(json)
            guard json["verified"]?.bool == true, let flop = json["flop"]?.integer, flop >= 0 else {
                continue
            }
            let (sum, overflow) = (run.verifiedFlop ?? 0).addingReportingOverflow(flop)
            if !overflow { run.verifiedFlop = sum }
        }
        return run
    }
}

// MARK: - After a restart of the daemon

extension LocalWork {
    /// Finds a run of an earlier daemon again. Returns how it ended, if it has; starts it when
    /// nobody ever did.
    func adopt(_ entry: JobEntry, _ state: CentreState) -> EndInput? {
        let run = run(of: entry)
        switch executor.adopt(run) {
        case .running:
            holdAgain(entry, run)
            return nil
        case .ended(let outcome):
            stops[run] = executor.folder(of: run).noticedEnd
            return finish(run, outcome, entry)
        case .neverStarted: return start(entry, state)
        }
    }

    /// Takes the cores that the running job was bound to.
    private func holdAgain(_ entry: JobEntry, _ run: JobExecutor.Run) {
        let units = Set(executor.folder(of: run).processingUnits)
        let cores = unitsOfCore.indices.filter { !units.isDisjoint(with: unitsOfCore[$0]) }
        guard !cores.isEmpty else { return }
        coresFree.subtract(cores)
        coresHeld[entry.id] = Array(cores)
    }
}
