public import ClusterModel
public import Emulation
import IndexSets
import JobModel
public import Quantities
public import Scheduling
import WorkloadFormats

/// The machine that a trace is replayed on, and how a job of the trace becomes a request.
public struct ReplayMachine: Sendable {
    /// How jobs get nodes.
    public enum Sharing: Hashable, Sendable {
        /// Whole nodes, as many as hold the job's processors.
        case wholeNodes
        /// Cores of nodes that jobs share; a core counts as so many units of the configuration, so
        /// that jobs can ask for parts of a core.
        case cores(unitsPerCore: Int32)
    }

    /// What the emulator starts with.
    public var configuration: EmulatorConfiguration
    /// The partition that all jobs go to, but for those that name card models.
    public var partition: Int
    /// The cores of a node of that partition; of the largest, where nodes differ.
    public var coresPerNode: Int32
    /// How jobs get nodes.
    public var sharing: Sharing
    /// What the report calls it.
    public var title: String
    /// The names of the nodes by their positions; empty where they have numbers only.
    public var nodeNames: [String] = []
    /// The kinds of the nodes by their positions; empty where they have no names.
    public var nodeKinds: [String] = []
    /// The carbon dioxide of its electricity; nil when not known. Unit: mg/kWh.
    public var gridMilligrams: Int64?
    /// What decided about the jobs of the trace, where it tells and the machine is a whole centre.
    public var recorded: RecordedCentre?
    /// The partition of each of the trace's `cardModelSets`.
    private var partitionOfModels: [Int] = []

    /// Makes a machine whose nodes are given whole.
    public init(
        configuration: EmulatorConfiguration,
        partition: Int,
        coresPerNode: Int32,
        title: String
    ) {
        precondition(coresPerNode > 0)
        self.configuration = configuration
        self.partition = partition
        self.coresPerNode = coresPerNode
        sharing = .wholeNodes
        self.title = title
    }

    /// A whole centre: all its partitions, accounts, QOS and limits, for logs that tell what decided.
    ///
    /// - Parameter requeueDelay: how long a requeued job of an emulated partition waits before it may start
    ///   again; what a live centre takes, which is what Slurm 22.05 was seen to take.
    public static func centre(
        _ machine: Machine,
        policy: SchedulingPolicy,
        requeueDelay: SimDuration = SimDuration(seconds: 121)
    ) -> Self {
        let partition = machine.defaultPartitionIndex
        let cores = machine.partitions[partition].nodes.map { machine.nodes[$0].capacity.cores }
        var whole = Self(
            configuration: EmulatorConfiguration(machine: machine, policy: policy),
            partition: partition,
            coresPerNode: max(1, cores.max() ?? 1),
            title: "\(machine.name), all partitions"
        )
        for (index, partition) in machine.partitions.enumerated()
        where partition.backend != .local {
            whole.configuration.partitions[index].requeueDelay = requeueDelay
        }
        // Sizes are cores: partitions differ in how they give out nodes.
        whole.sharing = .cores(unitsPerCore: 1)
        whole.nodeNames = machine.nodes.map(\.name)
        whole.nodeKinds = machine.nodes.indices.map { machine.nodeType(ofNode: $0).name }
        whole.measuresAllNodes = true
        return whole
    }

    /// The title in Chinese, where it is not a name.
    public private(set) var chineseTitle: String?

    /// Whether measures go by all nodes and not by those of one partition.
    private var measuresAllNodes = false

    /// A machine of `count` processors that are given out one by one.
    public static func processors(_ count: Int, policy: SchedulingPolicy) -> Self {
        var machine = Self(
            configuration: .uniform(nodeCount: count, policy: policy),
            partition: 0,
            coresPerNode: 1,
            title: "\(count) processors"
        )
        machine.chineseTitle = "\(count) 个处理器"
        return machine
    }

    /// A machine of nodes whose cores, memory and cards jobs share.
    ///
    /// - Parameters:
    ///   - nodes: the nodes; cores in units of `unitsPerCore` a core.
    ///   - models: the card model of each node; empty when no job names any.
    ///   - modelSets: the sets of card models that jobs name; each becomes a partition.
    public static func shared(
        nodes: [NodeCapacity],
        unitsPerCore: Int32,
        models: [String] = [],
        modelSets: [[String]] = [],
        policy: SchedulingPolicy,
        title: String
    ) -> Self {
        var partitions = [PartitionConfiguration(nodes: IDSet(nodes.indices), isWholeNode: false)]
        for set in modelSets {
            var members = IDSet()
            for node in nodes.indices where set.contains(models[node]) { members.insert(node) }
            partitions.append(PartitionConfiguration(nodes: members, isWholeNode: false))
        }
        var configuration = EmulatorConfiguration(
            nodes: nodes,
            partitions: partitions,
            policy: policy,
            endedJobsRemembered: 0
        )
        configuration.sharesCards = nodes.contains { $0.accelerators > 0 }
        let largest = nodes.map(\.cores).max() ?? unitsPerCore
        var machine = Self(
            configuration: configuration,
            partition: 0,
            coresPerNode: max(1, largest / unitsPerCore),
            title: title
        )
        machine.sharing = .cores(unitsPerCore: unitsPerCore)
        machine.partitionOfModels = modelSets.indices.map { $0 + 1 }
        return machine
    }

    /// The cores of the nodes of the partition.
    public var coreCount: Int64 {
        let nodes =
            measuresAllNodes
            ? IDSet(configuration.nodes.indices) : configuration.partitions[partition].nodes
        switch sharing {
        case .wholeNodes: return Int64(nodes.count) * Int64(coresPerNode)
        case .cores(let units):
            return nodes.reduce(0) { $0 + Int64(configuration.nodes[$1].cores) } / Int64(units)
        }
    }

    /// The nodes that a job of so many processors gets where nodes are given whole.
    public func nodes(forProcessors processors: Int32) -> Int32 {
        (processors - 1) / coresPerNode + 1
    }

    /// What a job's processors are held in multiples of: a node's cores, or one core.
    public var coresPerUnit: Int64 { sharing == .wholeNodes ? Int64(coresPerNode) : 1 }

    /// What a job asks for.
    ///
    /// - Parameter detail: what the trace says of shared nodes; nil when it counts processors.
    func request(_ job: TraceJob, _ detail: TraceRequest?) -> ResourceRequest {
        guard case .cores(let units) = sharing else {
            return .wholeNodes(nodes(forProcessors: job.processors))
        }
        guard let detail else {
            return ResourceRequest(chunkCount: job.processors, coresPerChunk: units)
        }
        let cores = (Int64(detail.milliCores) * Int64(units) + 999) / 1_000
        let isShare = detail.milliCard < 1_000 && detail.cards == 1 && detail.chunks == 1
        return ResourceRequest(
            chunkCount: max(1, detail.chunks),
            coresPerChunk: max(1, Int32(clamping: cores)),
            memoryMebibytesPerChunk: max(0, detail.memoryMebibytes),
            acceleratorsPerChunk: max(0, detail.cards),
            acceleratorShare: isShare ? max(1, detail.milliCard) : 1_000
        )
    }

    /// What the job at a place of the trace asks for, and the nodes of the partitions that it may go to.
    func asked(_ trace: Trace, at index: Int) -> (request: ResourceRequest, nodes: IDSet) {
        if let recorded {
            let submission = recorded.submission(trace, at: index)
            let nodes = submission.partitions.flatMap { configuration.partitions[$0].nodes }
            return (submission.request, IDSet(nodes))
        }
        let detail = trace.requests.isEmpty ? nil : trace.requests[index]
        let nodes = configuration.partitions[partition(detail)].nodes
        return (request(trace.jobs[index], detail), nodes)
    }

    /// The partition that a job goes to.
    func partition(_ detail: TraceRequest?) -> Int {
        guard let detail, partitionOfModels.indices.contains(Int(detail.cardModels)) else {
            return partition
        }
        return partitionOfModels[Int(detail.cardModels)]
    }
}
