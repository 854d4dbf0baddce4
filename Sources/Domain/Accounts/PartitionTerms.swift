/// What a partition says of people and limits.
public struct PartitionTerms: Hashable, Sendable, Codable {
    /// The QOS whose limits hold for all jobs in it, by its position; nil is none.
    public var qos: Int?
    /// What one account may have running in it at a time (Tianhe's quota).
    public var quota: AccountQuota
    /// What a core, a GiB, a node and a card weigh for fair share; nil weighs cores.
    public var billingWeights: BillingWeights?

    /// What becomes of its jobs when they make way for a higher tier.
    public var preemptMode = PreemptionRules.Mode.cluster
    /// How long its jobs go on after they were told to make way for a higher tier. Unit: s.
    public var graceSeconds: Int32 = 0

    /// Nothing.
    public init(
        qos: Int? = nil,
        quota: AccountQuota = AccountQuota(),
        billingWeights: BillingWeights? = nil
    ) {
        self.qos = qos
        self.quota = quota
        self.billingWeights = billingWeights
    }
}

/// What one account may hold in a partition at a time; a job beyond it waits (QuotaConstrained).
public struct AccountQuota: Hashable, Sendable, Codable {
    /// Running jobs; nil for no bound.
    public var runningJobs: Int32?
    /// Nodes held; nil for no bound.
    public var nodes: Int32?
    /// Cores held; nil for no bound.
    public var cores: Int32?

    /// Makes a quota.
    public init(runningJobs: Int32? = nil, nodes: Int32? = nil, cores: Int32? = nil) {
        self.runningJobs = runningJobs
        self.nodes = nodes
        self.cores = cores
    }
}

/// What a job weighs for fair share: the sum of what it holds, each with its weight
/// (`TRESBillingWeights`).
public struct BillingWeights: Hashable, Sendable, Codable {
    /// Of a core. Unit: 1/1000.
    public var core: Int32
    /// Of a GiB of memory. Unit: 1/1000.
    public var gibibyte: Int32
    /// Of a node. Unit: 1/1000.
    public var node: Int32
    /// Of a card. Unit: 1/1000.
    public var card: Int32

    /// The most that anything may weigh, so that what a whole machine uses can be counted. Unit: 1/1000.
    public static let maximum: Int32 = 1_000_000

    /// Makes weights; what is left out weighs nothing.
    public init(core: Int32 = 0, gibibyte: Int32 = 0, node: Int32 = 0, card: Int32 = 0) {
        self.core = core
        self.gibibyte = gibibyte
        self.node = node
        self.card = card
    }

    /// What counts weigh, rounded down.
    public func billing(cpu: Int64, memory: Int64, node: Int64, gres: Int64) -> Int64 {
        let whole =
            Int128(cpu) * Int128(core) + Int128(node) * Int128(self.node)
            + Int128(gres) * Int128(card)
        let sum = whole * 1_024 + Int128(memory) * Int128(gibibyte)
        return Int64(clamping: sum / 1_024_000)
    }
}
