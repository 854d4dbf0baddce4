import ClusterModel
import Emulation
import IndexSets
import JobModel
import Quantities
import SlurmDialect
import WireFormats

/// A refusal, in the form in which it travels.
struct Refusal: Error, Hashable, Sendable {
    var body: ErrorBody

    init(_ body: ErrorBody) { self.body = body }

    init(_ error: SlurmError, _ details: String...) {
        body = error.body(details: details)
    }

    /// A refusal with a sentence that Slurm has not.
    init(_ error: SlurmError, hint: String) {
        body = error.body()
        body.hints = [hint]
    }

    /// A name that is not there, with those that may have been meant.
    ///
    /// - Parameters:
    ///   - kind: what it would be the name of, such as `partition`.
    ///   - details: what Slurm says of it.
    init(
        _ error: SlurmError,
        no kind: String,
        _ name: String,
        among known: [String],
        details: String...
    ) {
        body = error.body(details: details)
        body.hints = ["\(kind) '\(name)' is not known\(didYouMean(name, among: known))"]
    }

    /// What the emulator refused. Not a method of the state: to call one with what a change of the
    /// state returns copies the state first, and the change then copies all that it touches.
    init(_ rejection: InputRejection) {
        let error: SlurmError =
            switch rejection {
            case .unknownJob, .jobIsCancelled: .alreadyDone
            case .jobIsRunning, .jobIsSuspended, .jobMakesWay: .disabled
            case .deadlineIsOver: .invalidTimeLimit
            case .jobIsPending, .jobMayNotStart: .jobPending
            case .unknownPartition: .invalidPartition
            case .partitionTakesNoJobs: .partitionNotAvailable
            case .neverFits, .doesNotFitNow: .requestNotAvailable
            case .invalidLicense: .invalidLicense
            case .overLimit: .accountingPolicy
            case .unknownReservation: .invalidReservation
            case .reservationIsClosed: .reservationAccess
            case .reservationExists: .reservationNameTaken
            case .reservationTimes: .invalidTime
            case .unknownNode: .invalidNodeName
            case .reservationOverlaps: .reservationOverlap
            case .reservationNodesBusy, .reservationTooLarge: .nodesBusy
            case .reservationInUse: .reservationBusy
            }
        if case .overLimit(let reason) = rejection {
            self.init(error, reason.slurmName)
        } else {
            self.init(error)
        }
    }
}

/// What a submission asks of a partition, in the emulator's terms.
///
/// Source of the rules: Slurm 22.05, sbatch(1), and what a cluster of that version was seen to do.
struct JobPlan: Hashable, Sendable {
    /// The chunks to be placed.
    var request: ResourceRequest
    /// Nodes asked for; a guess where tasks may lie anywhere.
    var nodes: Int32
    /// Cores that it will hold, as far as that is known before.
    var cores: Int64
    /// The number of tasks.
    var tasks: Int32
    /// What a node gives where nodes are given whole; nil where they are shared.
    private var wholeNode: WholeNode?
    /// The partition has too few nodes: the job is taken in and waits for ever, as in Slurm.
    var isBeyondPartition = false

    /// Cards of all chunks and nodes.
    var cards: Int64 {
        Int64(request.acceleratorsPerChunk) * Int64(request.chunkCount)
            + Int64(request.acceleratorsPerNode) * Int64(nodes)
    }

    /// Cards that it will hold, as far as that is known before: with whole nodes all of theirs.
    var cardsHeld: Int64 { wholeNode.map { Int64($0.cards) * Int64(nodes) } ?? cards }

    /// Takes at least so many nodes.
    mutating func require(nodes count: Int32) {
        nodes = max(nodes, count)
        request.require(nodes: count)
        if let wholeNode { cores = Int64(wholeNode.cores) * Int64(nodes) }
    }

    /// Memory of all chunks and nodes. Unit: MiB.
    var memoryMebibytes: Int64 {
        Int64(request.memoryMebibytesPerChunk) * Int64(request.chunkCount)
            + Int64(request.memoryMebibytesPerNode) * Int64(nodes)
    }
}

/// What a whole node of a partition gives; where they differ, the largest number of each.
struct WholeNode: Hashable, Sendable {
    var cores: Int32
    var cards: Int32

    init(_ classes: NodeClasses) {
        cores = classes.largestCores
        cards = classes.largestAccelerators
    }
}

/// What the nodes of a partition have.
struct NodeClasses: Sendable {
    var all: [(capacity: NodeCapacity, count: Int64)] = []

    init(_ machine: Machine, _ partition: Partition, excluding excluded: IDSet) {
        for index in partition.nodes where !excluded.contains(index) {
            let capacity = machine.nodes[index].capacity
            if let place = all.firstIndex(where: { $0.capacity == capacity }) {
                all[place].count += 1
            } else {
                all.append((capacity, 1))
            }
        }
    }

    var count: Int64 { all.reduce(0) { $0 + $1.count } }
    var largestCores: Int32 { all.map(\.capacity.cores).max() ?? 0 }
    var largestMemory: Int64 { all.map(\.capacity.memory.mebibytes).max() ?? 0 }
    var largestAccelerators: Int32 { all.map(\.capacity.accelerators).max() ?? 0 }

    /// Whether the nodes could hold a request if they were idle.
    func fit(_ request: ResourceRequest) -> Bool {
        var nodes = request.countsNodes ? Int64(request.nodesWanted) : .max
        var found: Int64 = 0
        var chunks: Int64 = 0
        // Those with the most room first.
        for (room, count) in all.map({ (Self.room(request, $0.capacity), $0.count) })
            .sorted(by: { $0.0 > $1.0 }) where room > 0
        {
            let taken = min(count, nodes)
            nodes -= taken
            found += taken
            chunks += room * taken
        }
        return found >= Int64(request.nodesMinimum) && chunks >= Int64(request.chunkCount)
    }

    /// How many chunks an idle node could hold.
    private static func room(_ request: ResourceRequest, _ capacity: NodeCapacity) -> Int64 {
        var room = Int64(
            min(request.chunksPerNodeMaximum, capacity.cores / request.coresPerChunk)
        )
        let memory = capacity.memory.mebibytes - Int64(request.memoryMebibytesPerNode)
        let cards = capacity.accelerators - request.acceleratorsPerNode
        if request.memoryMebibytesPerChunk > 0 {
            room = min(room, memory / Int64(request.memoryMebibytesPerChunk))
        }
        if request.acceleratorsPerChunk > 0 {
            room = min(room, Int64(cards / request.acceleratorsPerChunk))
        }
        return memory < 0 || cards < 0 ? 0 : max(0, room)
    }
}

extension JobPlan {
    /// Reads what `submission` asks of `partition`.
    ///
    /// - Throws: `Refusal` when no node of the partition could ever do its part.
    init(
        _ submission: SubmitRequest,
        rules: CentreRules,
        partition index: Int,
        excluding excluded: IDSet
    ) throws(Refusal) {
        let machine = rules.machine
        let partition = machine.partitions[index]
        let classes =
            excluded.isEmpty
            ? rules.nodeClasses[index] : NodeClasses(machine, partition, excluding: excluded)
        let isAlone = submission.exclusive != nil && submission.exclusive != "user"
        let isWhole = partition.sharing == .wholeNode || isAlone
        let coresPerTask = max(1, submission.cpusPerTask ?? 1)
        if let model = submission.acceleratorModel {
            guard Self.has(machine, "gpu", model: model) else { throw Refusal(.invalidGres) }
        }
        guard coresPerTask <= classes.largestCores else { throw Self.tooManyCores }
        let byNode = try Self.nodeCount(submission, isWhole, coresPerTask, classes)
        tasks = try Self.taskCount(submission, nodes: byNode)
        let parts = Parts(
            machine: machine,
            coresPerTask: coresPerTask,
            memoryPerNode: submission.memoryPerNode.map { memory in
                memory.count == 0 ? classes.largestMemory : Self.mebibytes(memory)
            },
            memoryPerCore: submission.memoryPerCPU.map { Self.mebibytes($0) } ?? 0,
            largestCores: classes.largestCores
        )
        let perNode = submission.tasksPerNode.map { max(1, $0) } ?? .max
        if let count = byNode {
            let isEven = tasks == count || Int64(perNode) * Int64(count) == Int64(tasks)
            if isWhole || isEven || submission.accelerators != nil {
                request = try Self.nodesAlike(submission, count, tasks, parts)
            } else {
                request = try Self.tasksOnNodes(submission, count, tasks, parts)
            }
            nodes = count
            if isWhole { wholeNode = WholeNode(classes) }
            cores =
                isWhole
                ? Int64(count) * Int64(classes.largestCores)
                : Int64(request.chunkCount) * Int64(request.coresPerChunk)
        } else {
            request = ResourceRequest(
                chunkCount: tasks,
                coresPerChunk: coresPerTask,
                memoryMebibytesPerChunk: try Self.memory(
                    parts.memoryPerCore * Int64(coresPerTask)
                ),
                acceleratorsPerChunk: max(0, submission.acceleratorsPerTask ?? 0),
                chunksPerNodeMaximum: perNode
            )
            cores = Int64(tasks) * Int64(coresPerTask)
            let onNode = min(perNode, max(1, classes.largestCores / coresPerTask))
            nodes = (tasks - 1) / onNode + 1
        }
        // A partition that gives nodes whole does so whatever is asked; another need not.
        request.isExclusive = isAlone
        let isFixed = submission.minimumNodes == submission.maximumNodes
        try check(classes, fixedNodes: isFixed ? submission.minimumNodes : nil)
    }

    /// What the forms of a request are made of. Memory in MiB.
    private struct Parts {
        var machine: Machine
        var coresPerTask: Int32
        var memoryPerNode: Int64?
        var memoryPerCore: Int64
        var largestCores: Int32
    }

    /// So many nodes that hold the same: one chunk each.
    private static func nodesAlike(
        _ submission: SubmitRequest,
        _ count: Int32,
        _ tasks: Int32,
        _ parts: Parts
    ) throws(Refusal) -> ResourceRequest {
        let tasksOnNode = (tasks - 1) / count + 1
        let (cores, overflow) = tasksOnNode.multipliedReportingOverflow(by: parts.coresPerTask)
        guard !overflow, cores <= parts.largestCores else { throw tooManyCores }
        var request = ResourceRequest(
            chunkCount: count,
            coresPerChunk: max(1, cores),
            memoryMebibytesPerChunk: try memory(
                parts.memoryPerNode ?? parts.memoryPerCore * Int64(cores)
            ),
            acceleratorsPerChunk: try cards(submission, parts.machine, count, tasksOnNode),
            chunksPerNodeMaximum: 1
        )
        request.extraChunks = mostNodes(submission, count) - count
        return request
    }

    /// Tasks that lie on so many nodes, not as many on each.
    private static func tasksOnNodes(
        _ submission: SubmitRequest,
        _ count: Int32,
        _ tasks: Int32,
        _ parts: Parts
    ) throws(Refusal) -> ResourceRequest {
        let perTask = max(0, submission.acceleratorsPerTask ?? 0)
        var request = ResourceRequest(
            chunkCount: tasks,
            coresPerChunk: parts.coresPerTask,
            memoryMebibytesPerChunk: try memory(
                parts.memoryPerNode == nil ? parts.memoryPerCore * Int64(parts.coresPerTask) : 0
            ),
            acceleratorsPerChunk: perTask,
            chunksPerNodeMaximum: submission.tasksPerNode.map { max(1, $0) } ?? .max
        )
        request.nodesMinimum = count
        request.nodesMaximum = mostNodes(submission, count)
        request.memoryMebibytesPerNode = try memory(parts.memoryPerNode ?? 0)
        request.acceleratorsPerNode =
            perTask > 0 ? 0 : try cards(submission, parts.machine, count, 1)
        return request
    }

    /// The most nodes that `-N MIN-MAX` takes; no more than there are tasks, where these are counted.
    private static func mostNodes(_ submission: SubmitRequest, _ count: Int32) -> Int32 {
        guard submission.minimumNodes != nil, let most = submission.maximumNodes else {
            return count
        }
        return max(count, min(most, submission.tasks ?? most))
    }

    private mutating func check(
        _ classes: NodeClasses,
        fixedNodes: Int32?
    ) throws(Refusal) {
        var one = request
        one.chunkCount = 1
        one.nodesMinimum = 0
        guard classes.fit(one) else {
            let memory = Int64(request.memoryMebibytesPerNode)
            if max(memory, Int64(request.memoryMebibytesPerChunk)) > classes.largestMemory {
                throw Refusal(.requestNotAvailable, "Memory specification can not be satisfied")
            }
            throw Refusal(.requestNotAvailable)
        }
        isBeyondPartition = !classes.fit(request)
        // So many nodes there are, but they do not hold so much.
        if let count = fixedNodes, isBeyondPartition, Int64(count) <= classes.count {
            throw Refusal(.requestNotAvailable)
        }
    }

    private static var tooManyCores: Refusal {
        Refusal(.requestNotAvailable, "CPU count per node can not be satisfied")
    }

    /// The number of nodes; nil when tasks may lie anywhere.
    private static func nodeCount(
        _ submission: SubmitRequest,
        _ isWhole: Bool,
        _ coresPerTask: Int32,
        _ classes: NodeClasses
    ) throws(Refusal) -> Int32? {
        if let count = submission.minimumNodes {
            guard count >= 1 else { throw Refusal(.invalidNodeCount) }
            // Slurm's client warns of this: fewer tasks than nodes need fewer nodes.
            return min(count, max(1, submission.tasks ?? count))
        }
        let asksByNode =
            isWhole || submission.memoryPerNode != nil || !submission.gres.isEmpty
            || submission.accelerators != nil
        guard asksByNode else { return nil }
        let tasks = try taskCount(submission, nodes: nil)
        let fitting = min(
            classes.largestCores / coresPerTask,
            submission.tasksPerNode.map { max(1, $0) } ?? .max
        )
        guard fitting >= 1 else { throw tooManyCores }
        var count = (tasks - 1) / fitting + 1
        if let cards = submission.accelerators, cards > 0, classes.largestAccelerators > 0 {
            count = max(count, (cards - 1) / classes.largestAccelerators + 1)
        }
        return count
    }

    private static func taskCount(
        _ submission: SubmitRequest,
        nodes: Int32?
    ) throws(Refusal) -> Int32 {
        if let tasks = submission.tasks {
            guard tasks >= 1 else { throw Refusal(.requestNotAvailable) }
            return tasks
        }
        let (tasks, overflow) = (nodes ?? 1)
            .multipliedReportingOverflow(by: max(1, submission.tasksPerNode ?? 1))
        guard !overflow else { throw tooManyCores }
        return tasks
    }

    private static func mebibytes(_ memory: ByteCount) -> Int64 {
        (memory.count >> 20) + (memory.count & 0xF_FFFF == 0 ? 0 : 1)
    }

    private static func memory(_ mebibytes: Int64) throws(Refusal) -> Int32 {
        guard let memory = Int32(exactly: mebibytes), memory >= 0 else {
            throw Refusal(.requestNotAvailable, "Memory specification can not be satisfied")
        }
        return memory
    }

    /// Whether any node of the machine has such cards; `gpu` means all kinds.
    private static func has(_ machine: Machine, _ kind: String, model: String?) -> Bool {
        machine.nodeTypes.flatMap(\.accelerators).contains { card in
            (kind == card.kind || kind == "gpu")
                && (model.map { card.model.lowercased().contains($0.lowercased()) } ?? true)
        }
    }

    /// Cards on each node.
    private static func cards(
        _ submission: SubmitRequest,
        _ machine: Machine,
        _ nodes: Int32,
        _ tasksOnNode: Int32
    ) throws(Refusal) -> Int32 {
        var count: Int32 = 0
        for gres in submission.gres {
            guard has(machine, gres.name, model: nil), gres.count >= 0 else {
                throw Refusal(.invalidGres)
            }
            // A kind that there is, of a model that there is not.
            guard has(machine, gres.name, model: gres.type) else {
                throw Refusal(.requestNotAvailable)
            }
            count = max(count, gres.count)
        }
        if let total = submission.accelerators, total > 0 {
            count = max(count, (total - 1) / nodes + 1)
        }
        if let perTask = submission.acceleratorsPerTask, perTask > 0 {
            let (cards, overflow) = perTask.multipliedReportingOverflow(by: tasksOnNode)
            guard !overflow else { throw Refusal(.requestNotAvailable) }
            count = max(count, cards)
        }
        return count
    }
}
