public import Accounts
public import IndexSets
public import Quantities

/// Prices of a partition for what an allocation holds for an hour.
///
/// Unit: µfen (10⁻⁶ fen) an hour, so that 0.025 CNY a core-hour and its fractions stay integers.
public struct HourlyPrices: Hashable, Sendable {
    /// One core for one hour.
    public var coreHourMicrofen: Int64
    /// One accelerator card for one hour.
    public var cardHourMicrofen: Int64
    /// One node for one hour, on top of its cores and cards.
    public var nodeHourMicrofen: Int64

    /// Makes prices.
    ///
    /// - Precondition: none is negative.
    public init(
        coreHourMicrofen: Int64 = 0,
        cardHourMicrofen: Int64 = 0,
        nodeHourMicrofen: Int64 = 0
    ) {
        precondition(coreHourMicrofen >= 0)
        precondition(cardHourMicrofen >= 0)
        precondition(nodeHourMicrofen >= 0)
        self.coreHourMicrofen = coreHourMicrofen
        self.cardHourMicrofen = cardHourMicrofen
        self.nodeHourMicrofen = nodeHourMicrofen
    }

    /// Nothing costs anything.
    public static let free = HourlyPrices()
}

/// Nodes that are given out under one set of rules.
public struct Partition: Hashable, Sendable {
    /// How jobs share a node.
    public enum Sharing: String, Hashable, Sendable, CaseIterable {
        /// A job holds whole nodes (`--exclusive`, the rule on Tianhe).
        case wholeNode = "whole-node"
        /// Jobs share nodes core by core (Slurm's `cons_tres`).
        case cores
    }

    /// Whether jobs may enter and start (Slurm's partition states).
    public enum State: String, Hashable, Sendable, CaseIterable {
        /// Jobs enter and start.
        case up = "UP"
        /// Jobs enter, but none starts.
        case down = "DOWN"
        /// No job enters; those waiting still start.
        case drain = "DRAIN"
        /// No job enters and none starts.
        case inactive = "INACTIVE"
    }

    /// What runs its jobs.
    public enum Backend: String, Hashable, Sendable, CaseIterable {
        /// Nothing: a job takes the time that its trace or its comment gives.
        case emulated
        /// The script, for real, on the host.
        case local
        /// The script, on the centre's computer, with its sleeps in the centre's time; its parallel
        /// programs are emulated.
        case rehearsed

        /// Whether a job's script is run.
        public var runsScripts: Bool { self != .emulated }
    }

    /// The name: `TH_NET`.
    public var name: String
    /// One line for people.
    public var title: String
    /// Its nodes.
    public var nodes: IDSet
    /// How jobs share a node.
    public var sharing: Sharing
    /// Whether jobs may enter and start.
    public var state: State
    /// What runs its jobs.
    public var backend: Backend
    /// The longest limit a job may ask for; nil for no bound.
    public var maximumTimeLimit: SimDuration?
    /// The limit of a job that asks for none; nil means the maximum.
    public var defaultTimeLimit: SimDuration?
    /// The fewest nodes a job may ask for.
    public var minimumNodesPerJob: Int32
    /// The most nodes a job may ask for; nil for no bound.
    public var maximumNodesPerJob: Int32?
    /// Who may use it; nil for every account.
    public var allowedAccounts: [String]?
    /// The security level of the operating system of its nodes, 1…5 (GB 17859-1999; Kylin has up to 4).
    public var securityLevel: Int32 = 1
    /// The name of the billing platform in `Machine.platforms`.
    public var platform: String
    /// What it costs.
    public var prices: HourlyPrices
    /// What one account may hold at a time.
    public var quota: AccountQuota
    /// Jobs of a higher tier go first, whatever their priority (`PriorityTier`), 0…65,535.
    public var tier: Int32 = 1
    /// Its weight beside other partitions' in a job's priority (`PriorityJobFactor`), 0…65,535.
    public var jobFactor: Int32 = 1
    /// The QOS whose limits hold for all jobs in it, by name; nil for none.
    public var qos: String?
    /// The QOS that its jobs may have, by name; nil for all.
    public var allowedQOS: [String]?
    /// What counts for fair share; nil counts cores.
    public var billingWeights: BillingWeights?
    /// What becomes of its jobs when they make way for those of a higher tier.
    public var preemptMode = PreemptionRules.Mode.cluster
    /// How long its jobs go on after they were told to make way for a higher tier. Unit: s.
    public var graceSeconds: Int32 = 0
    /// Where the numbers come from.
    public var facts: [Fact]

    /// Makes a partition.
    public init(
        name: String,
        title: String = "",
        nodes: IDSet,
        sharing: Sharing = .wholeNode,
        state: State = .up,
        backend: Backend = .emulated,
        maximumTimeLimit: SimDuration? = nil,
        defaultTimeLimit: SimDuration? = nil,
        minimumNodesPerJob: Int32 = 1,
        maximumNodesPerJob: Int32? = nil,
        allowedAccounts: [String]? = nil,
        platform: String,
        prices: HourlyPrices = .free,
        quota: AccountQuota = AccountQuota(),
        facts: [Fact] = []
    ) {
        self.name = name
        self.title = title
        self.nodes = nodes
        self.sharing = sharing
        self.state = state
        self.backend = backend
        self.maximumTimeLimit = maximumTimeLimit
        self.defaultTimeLimit = defaultTimeLimit
        self.minimumNodesPerJob = minimumNodesPerJob
        self.maximumNodesPerJob = maximumNodesPerJob
        self.allowedAccounts = allowedAccounts
        self.platform = platform
        self.prices = prices
        self.quota = quota
        self.facts = facts
    }
}
