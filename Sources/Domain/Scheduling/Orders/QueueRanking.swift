import JobModel

/// Gives each waiting job its value in the queue order; one for a whole emulator.
public struct QueueRanking: Sendable {
    /// The order.
    public let order: QueueOrder
    private let weights: PriorityWeights
    private let machineNodes: Double
    private let machineCores: Double
    /// By the partition's position. Unit: ppm.
    private let partitionFactors: [Int32]
    private var tree: FairTree
    /// The first submission of all. Unit: µs since the epoch.
    private var origin: Int64?
    private var lastPeriod: Int64?

    /// Makes a ranking for a machine.
    ///
    /// - Parameter partitionFactors: the priority of each partition. Unit: ppm.
    public init(
        _ policy: SchedulingPolicy,
        machineNodes: Int,
        machineCores: Int64,
        partitionFactors: [Int32]
    ) {
        order = policy.order
        weights = policy.weights
        self.machineNodes = Double(max(1, machineNodes))
        self.machineCores = Double(max(1, machineCores))
        self.partitionFactors = partitionFactors
        tree = FairTree(policy.weights)
    }

    /// Whether every job has the same value, so that nothing is to be computed.
    public var isTrivial: Bool { order == .fcfs }

    /// Takes note of a job that arrives: of the first of all, and of its user's association.
    public mutating func admit(_ job: inout ActiveJob, account: Int32) {
        let now = job.key.submitted
        if origin == nil { origin = now }
        guard order.usesFairShare else { return }
        job.association = tree.association(account: account, user: job.user, at: now)
    }

    /// Whether the values of waiting jobs are to be computed again at `now`.
    public mutating func isDue(at now: Int64) -> Bool {
        switch order.variation {
        case .never: return false
        case .everyPass: return true
        case .everyPeriod:
            if order.usesFairShare { return tree.tick(at: now) }
            let period = now / (Int64(max(1, weights.periodSeconds)) * 1_000_000)
            defer { lastPeriod = period }
            return period != lastPeriod
        }
    }

    /// Brings up to date what `value` looks at.
    public mutating func prepare() {
        if order.usesFairShare { tree.rank() }
    }

    /// Notes that a job has started (`cores` above zero) or left what it held (below).
    public mutating func note(_ job: ActiveJob, cores: Int64, at now: Int64) {
        guard order.usesFairShare, job.association >= 0 else { return }
        tree.change(job.association, byCores: cores, at: now)
    }

    /// What the order sorts a job by.
    public func value(of job: ActiveJob, units: Int32, nodes: Int32, at now: Int64) -> Int64 {
        let cores = Int64(job.request.chunkCount) * Int64(job.request.coresPerChunk)
        return order.value(
            QueuedJob(
                units: units,
                cores: cores,
                plannedSeconds: job.plannedSeconds,
                waitedSeconds: Double(now - job.key.submitted) / 1e6,
                submittedSeconds: Double(job.key.submitted - (origin ?? job.key.submitted)) / 1e6,
                fairShare: job.association >= 0 ? tree.factor(job.association) : 1,
                nodeFraction: min(1, Double(nodes) / machineNodes),
                coreFraction: min(1, Double(cores) / machineCores),
                partitionFactor: Double(partitionFactors[Int(job.partition)]) / 1e6,
                qosFactor: Double(job.qosFactor) / 1e6,
                weights: weights
            )
        )
    }
}
