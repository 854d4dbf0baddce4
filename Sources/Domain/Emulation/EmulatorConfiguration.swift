public import Accounts
public import ClusterModel
public import IndexSets
public import Quantities
public import Scheduling

/// Whether a partition takes and starts jobs. Names are Slurm's (`scontrol update State=`).
public enum PartitionState: UInt8, Hashable, Sendable, CaseIterable, Codable {
    /// Takes jobs and starts them.
    case up
    /// Takes jobs and starts none.
    case down
    /// Takes none and starts those that wait.
    case drain
    /// Takes none and starts none.
    case inactive
}

/// What a decision needs to know of a partition.
public struct PartitionConfiguration: Hashable, Sendable, Codable {
    /// Its nodes, as positions in the configuration's nodes.
    public var nodes: IDSet
    /// Whether its nodes are given whole, the rule on Tianhe.
    public var isWholeNode: Bool
    /// The most nodes that one job may ask for; nil is no limit.
    public var maximumNodesPerJob: Int32?
    /// The longest time limit; nil is no limit.
    public var maximumTimeLimit: SimDuration?
    /// Whether it takes and starts jobs.
    public var state: PartitionState
    /// Its priority among partitions for `QueueOrder.multifactor`. Unit: ppm, from 0 to 1,000,000.
    public var priorityFactor: Int32
    /// Jobs of a higher tier go first, whatever their priority (`PriorityTier`). From 0 to 65,535.
    public var tier: Int32 = 1
    /// What it says of people and limits.
    public var terms = PartitionTerms()
    /// How long a job of it waits before it starts again when it was requeued, by whomever or a failing
    /// node. Slurm takes 121 s, so that what is left of the run can be cleared away.
    public var requeueDelay = SimDuration.zero

    /// Makes a partition.
    public init(
        nodes: IDSet,
        isWholeNode: Bool,
        maximumNodesPerJob: Int32? = nil,
        maximumTimeLimit: SimDuration? = nil,
        state: PartitionState = .up,
        priorityFactor: Int32 = 0
    ) {
        self.nodes = nodes
        self.isWholeNode = isWholeNode
        self.maximumNodesPerJob = maximumNodesPerJob
        self.maximumTimeLimit = maximumTimeLimit
        self.state = state
        self.priorityFactor = priorityFactor
    }
}

/// The machine and the rules that an emulator starts with.
public struct EmulatorConfiguration: Sendable {
    /// The machine's nodes; their positions are node indices everywhere.
    public var nodes: [NodeCapacity]
    /// The partitions; their positions are what submissions name.
    public var partitions: [PartitionConfiguration]
    /// The accounts and users that are known from the start.
    public var associations = Associations()
    /// The qualities of service; their positions are what submissions name. The first is that of jobs
    /// that name none.
    public var qos: [QOS] = [.normal]
    /// Which running jobs make way for others.
    public var preemption = PreemptionRules()
    /// How many licences of each kind there are; their positions are what submissions name.
    public var licenses: [Int64] = []
    /// How the power of nodes is counted and saved; nil when it is not.
    public var power: PowerRules?
    /// How jobs are chosen and placed.
    public var policy: SchedulingPolicy
    /// The most cards of a node whose parts can be given out.
    public static let sharedCardsMaximum: Int32 = 16
    /// Whether jobs may ask for parts of cards.
    public var sharesCards = false
    /// The leaf switch of each node, for `PlacementPolicy.fewestSwitches`; empty when unknown.
    public var leafSwitches: [Int32] = []
    /// Whether somebody asks for the priorities of jobs. A driver of whom nobody does need not have them
    /// computed for jobs that nothing is compared with; decisions are the same.
    public var tellsPriorities = true
    /// Of how many ended jobs the outcome is remembered, the latest ones, for dependencies that name
    /// them later; an earlier one counts as fulfilled. A job that somebody waits for needs none of it.
    public var endedJobsRemembered: Int

    /// Makes a configuration.
    public init(
        nodes: [NodeCapacity],
        partitions: [PartitionConfiguration],
        policy: SchedulingPolicy,
        endedJobsRemembered: Int = 40_000
    ) {
        self.nodes = nodes
        self.partitions = partitions
        self.policy = policy
        self.endedJobsRemembered = endedJobsRemembered
    }

    /// One partition of `nodeCount` equal nodes of `coresPerNode` cores that are given whole.
    public static func uniform(
        nodeCount: Int,
        coresPerNode: Int32 = 1,
        policy: SchedulingPolicy
    ) -> Self {
        Self(
            nodes: Array(repeating: NodeCapacity(cores: coresPerNode), count: nodeCount),
            partitions: [
                PartitionConfiguration(nodes: IDSet(0..<nodeCount), isWholeNode: true)
            ],
            policy: policy,
            endedJobsRemembered: 0
        )
    }
}
