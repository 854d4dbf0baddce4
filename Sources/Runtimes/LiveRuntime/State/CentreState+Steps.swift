import ClusterModel
import JobExecution
import JobModel
import Quantities
import SlurmDialect
import WireFormats

// Allocations without a script, and the steps that run in jobs.

/// A step of a job begins or ends.
struct StepInput: WireRecord {
    var job: UInt32 = 0
    var restart: Int32 = 0
    var step = StepRequest()

    mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("job", &job)
        try fields("restart", &restart)
        try fields.required("step", &step)
    }
}

extension CentreState {
    /// The most steps of a job that are remembered; what a script runs in a loop is not told of for ever.
    static let stepsMaximum = 10_000

    mutating func step(_ input: StepInput, at instant: SimInstant) -> InputResult {
        guard let entry = jobs[input.job], entry.status.restart == input.restart,
            entry.status.phase == .running
        else { return .refused(Refusal(.invalidJobID).body) }
        let request = input.step
        guard let id = request.id else {
            guard entry.status.steps.count < Self.stepsMaximum else {
                return .refused(Refusal(.disabled).body)
            }
            // Only components have steps that another component has numbered.
            guard isSound(request.number, of: entry) else {
                return .refused(Refusal(.unspecified, "no step can have that number").body)
            }
            var step = StepRecord()
            step.id = "\(request.number ?? nextStep(of: entry))"
            guard !entry.status.steps.contains(where: { $0.id == step.id }) else {
                return .refused(Refusal(.unspecified, "step \(step.id) is there already").body)
            }
            step.name = request.name
            step.tasks = request.tasks
            step.cores = request.cores
            step.nodeList = request.nodeList
            step.start = instant
            step.process = request.process
            jobs.update(input.job) { $0.steps.append(step) }
            return .named(step.id)
        }
        guard let index = entry.status.steps.firstIndex(where: { $0.id == id && $0.end == nil })
        else { return .refused(Refusal(.invalidJobID).body) }
        jobs.update(input.job) { status in
            let isBad = request.exitCode != 0 || request.exitSignal != 0
            status.steps[index].state =
                request.isCancelled ? "CANCELLED" : isBad ? "FAILED" : "COMPLETED"
            status.steps[index].exitCode = request.exitCode
            status.steps[index].exitSignal = request.exitSignal
            status.steps[index].end = instant
            status.steps[index].elapsed = instant - (status.steps[index].start ?? instant)
            status.steps[index].processorTime = request.processorTime
            status.steps[index].maximumResident = request.maximumResident
        }
        return .named(id)
    }

    /// Whether a step may have a number that it was given.
    private func isSound(_ number: UInt32?, of entry: JobEntry) -> Bool {
        guard let number else { return true }
        let most = Self.stepsMaximum * Int(HetMembership.countMaximum)
        return entry.specification.submission.het != nil && Int(number) < most
    }

    /// The number of a job's next step: components of a job count their steps together.
    private func nextStep(of entry: JobEntry) -> UInt32 {
        guard entry.specification.submission.het != nil, let family = entry.specification.family
        else { return UInt32(entry.status.steps.count) }
        let numbers = family.lazy.compactMap { jobs[$0] }.flatMap { $0.status.steps }
            .compactMap { UInt32($0.id) }
        return numbers.max().map { $0 + 1 } ?? 0
    }

    /// The steps of a job as the accounts show them: those that still run have run up to now.
    func steps(of status: JobStatus, now: SimInstant) -> [StepRecord] {
        status.steps.map { known in
            var step = known
            guard step.end == nil, let start = step.start else { return step }
            if let ended = status.endedAt {
                step.end = ended
                step.state = "CANCELLED"
            }
            step.elapsed = (status.endedAt ?? now) - start
            return step
        }
    }

    /// The highest exit status of the steps.
    func derivedExitCode(of status: JobStatus) -> Int32 {
        let told = status.steps.filter { $0.end != nil }.map(\.exitCode)
        return (told + status.programs.map(\.exitCode)).max() ?? 0
    }

    /// What a job that runs is told of itself.
    func environment(of entry: JobEntry) -> JobEnvironment {
        var environment = JobEnvironment()
        environment.variables = batchEnvironment(of: entry, cards: []).variables
        environment.nodes = entry.status.nodes.map { rules.machine.nodes[$0.node].name }
        environment.cores = entry.status.nodes.map(\.cores)
        return environment
    }

    /// How long a program takes on nodes of a running job.
    ///
    /// - Throws: `Refusal` for one that the machine has not, or a kernel that cannot run there.
    func programTime(
        _ query: ProgramQuery,
        in entry: JobEntry
    ) throws(Refusal) -> ProgramTime {
        var answer = ProgramTime()
        let held = max(1, entry.status.nodes.count)
        let nodes = min(held, query.nodes ?? held)
        let time: SoftwareProgram.Time
        switch query.program {
        case .kernel(let name, let size, let repeats):
            time = .kernel(name, size: size, repeats: repeats)
        case .software(let name, let module):
            guard let found = rules.machine.softwareProgram(named: name, of: module) else {
                let known = rules.machine.software.flatMap { $0.programs.map(\.name) }
                throw Refusal(.unspecified, no: "program", name, among: known)
            }
            answer.module = found.module.name
            time = found.program.time
        }
        switch time {
        case .formula(let serial, let shared):
            answer.duration =
                serial + SimDuration(microseconds: shared.microseconds / Int64(nodes))
        case .kernel(let name, let size, let repeats):
            let place = EmulatedRunTime.Place(
                partition: rules.machine.partitions[entry.status.partitions.first ?? 0],
                isExclusive: entry.specification.submission.request.isExclusive,
                nodes: Int32(nodes),
                coresOnNode: Double(entry.status.coresHeld) / Double(held),
                cardsOnNode: Double(entry.status.acceleratorsHeld) / Double(held)
            )
            do {
                answer.duration = try EmulatedRunTime.time(
                    ofKernel: name,
                    size: size,
                    repeats: repeats,
                    on: place,
                    of: rules.machine
                )
            } catch {
                throw Refusal(.unspecified, hint: "\(error)")
            }
        }
        return answer
    }
}

extension BatchEnvironment {
    /// What a job's script finds.
    ///
    /// - Parameter cards: those that it holds on its first node.
    init(of entry: JobEntry, _ rules: CentreRules, cards: [Int]) {
        self.init()
        let request = entry.specification.request
        let status = entry.status
        jobID = entry.id
        jobName = status.name
        user = (request.user, request.userID, request.groupID)
        account = entry.specification.account
        partition = status.partitions.first.map { rules.machine.partitions[$0].name } ?? ""
        qos = status.qos
        clusterName = rules.machine.clusterName(of: status)
        submitDirectory = request.submitDirectory
        submitHost = request.submitHost
        nodeNames = status.nodes.map { rules.machine.nodes[$0.node].name }
        nodeList = status.nodeList
        coresPerNode = status.nodes.map { Int($0.cores) }
        tasksPerNode = Self.tasksPerNode(entry)
        taskCount =
            request.tasks.map(Int.init) ?? (request.tasksPerNode == nil ? nil : Int(status.tasks))
        tasksPerNodeAsked = request.tasksPerNode.map(Int.init)
        coresPerTask = request.cpusPerTask.map(Int.init)
        memoryPerNodeMebibytes = request.memoryPerNode?.mebibytes
        memoryPerCoreMebibytes = request.memoryPerCPU?.mebibytes
        accelerators = cards
        restartCount = Int(status.restart)
        if let array = entry.specification.array, let task = entry.arrayTask {
            self.array = (array.job, task, array.count, array.minimum, array.maximum)
            arrayStep = Self.step(of: request.array?.indices ?? [])
        }
    }

    /// By how much one index of an array is more than the one before; 1 where that is not always the same.
    private static func step(of indices: [UInt32]) -> Int {
        let steps = Set(zip(indices, indices.dropFirst()).map { Int($1) - Int($0) })
        return steps.count == 1 ? steps.first ?? 1 : 1
    }

    /// As many tasks on each node as its cores have room for; what is left, one by one.
    private static func tasksPerNode(_ entry: JobEntry) -> [Int] {
        let cores = entry.status.nodes.map { Int($0.cores) }
        let each = Int(max(1, entry.specification.request.cpusPerTask ?? 1))
        let tasks = Int(entry.status.tasks)
        var counts = [Int](repeating: 0, count: max(1, cores.count))
        let rooms = cores.map { $0 / each }
        guard rooms.reduce(0, +) == tasks else {
            return counts.indices.map { tasks / counts.count + ($0 < tasks % counts.count ? 1 : 0) }
        }
        counts = rooms
        return counts
    }
}
