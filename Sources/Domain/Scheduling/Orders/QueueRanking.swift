public import Accounts
import JobModel

/// Gives each waiting job its value in the queue order; one for a whole emulator.
public struct QueueRanking: Sendable, Codable {
    /// The order.
    public let order: QueueOrder
    private let weights: PriorityWeights
    private let machineNodes: Double
    private let machineCores: Double
    /// By the partition's position. Unit: ppm.
    private let partitionFactors: [Int32]
    /// By the partition's position.
    private let partitionCores: [Int64]
    /// By the position of the QOS: its priority as a part of the highest.
    private var qosFactors: [Double] = []
    /// Who used how much; only where the order asks for it.
    public private(set) var tree: FairTree
    /// The first submission of all. Unit: µs since the epoch.
    private var origin: Int64?
    private var lastPeriod: Int64?

    /// Makes a ranking for a machine.
    ///
    /// - Parameters:
    ///   - partitionFactors: the priority of each partition. Unit: ppm.
    ///   - partitionCores: the cores of each partition.
    public init(
        _ policy: SchedulingPolicy,
        machineNodes: Int,
        machineCores: Int64,
        partitionFactors: [Int32],
        partitionCores: [Int64]
    ) {
        order = policy.order
        weights = policy.weights
        self.machineNodes = Double(max(1, machineNodes))
        self.machineCores = Double(max(1, machineCores))
        self.partitionFactors = partitionFactors
        self.partitionCores = partitionCores
        tree = FairTree(policy.weights.decay)
    }

    /// Takes note of what QOS there are, and of whose shares have changed.
    public mutating func notePeople(_ limits: LimitBook) {
        let highest = limits.qos.map(\.priority).max() ?? 0
        qosFactors = limits.qos.map {
            highest > 0 ? Double(max(0, $0.priority)) / Double(highest) : 0
        }
        tree.noteChange()
    }

    /// Takes note of an account or user that was added while others were ranked already.
    public mutating func noteNewcomer(_ association: Int32, _ limits: LimitBook, at now: Int64) {
        guard order.usesFairShare else { return }
        tree.admit(limits.associations, at: now)
        tree.noteNewcomer(association, at: now)
    }

    /// What an emulator asks at every job. It keeps its own copy: to ask the ranking for it is to copy
    /// the ranking.
    public struct Traits: Hashable, Sendable, Codable {
        /// Whether every job has the same value, so that nothing is to be computed.
        public let isTrivial: Bool
        /// Whether the ranking is to be told who holds how much.
        public let notesUse: Bool
        /// As `QueueOrder.sumsPriority`.
        public let sumsPriority: Bool
        /// As `QueueOrder.variation`.
        public let variation: QueueOrder.Variation
    }

    /// What holds for as long as the ranking lives.
    public var traits: Traits {
        Traits(
            isTrivial: order == .fcfs,
            notesUse: order.usesFairShare,
            sumsPriority: order.sumsPriority,
            variation: order.variation
        )
    }

    /// Takes note of a job that arrives: of the first of all, and of its user's association.
    public mutating func admit(_ job: ActiveJob, _ limits: LimitBook) {
        let now = job.key.submitted
        if origin == nil { origin = now }
        if order.usesFairShare { tree.admit(limits.associations, at: now) }
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
    public mutating func prepare(_ limits: LimitBook, at now: Int64) {
        if order.usesFairShare { tree.settle(limits.associations, at: now) }
    }

    /// Finds out, as of the last `prepare`, where whose job is valued stands.
    public mutating func find(_ association: Int32, _ limits: LimitBook) {
        if order.usesFairShare, association >= 0 { tree.place(association, limits.associations) }
    }

    /// Notes that a user holds more from now on, or less.
    ///
    /// - Parameter weight: what it weighs for billing, with the factor of the QOS. Unit: 1/1000.
    public mutating func note(_ association: Int32, weight: Int64, at now: Int64) {
        guard association >= 0 else { return }
        tree.change(association, by: weight, at: now)
    }

    /// The priority that Slurm would show for a job whose place was computed.
    public func priority(of job: ActiveJob) -> Int64 {
        order.sumsPriority ? -job.key.value : max(1, Self.usualPriority + job.priority)
    }

    /// What Slurm's `priority/basic` begins to count down from.
    public static let usualPriority: Int64 = 4_294_901_759

    /// What the order sorts a job by. `find` comes first.
    public func value(of job: ActiveJob, units: Int32, nodes: Int32, at now: Int64) -> Int64 {
        guard order.sumsPriority else { return orderValue(of: job, units, nodes, now) }
        if job.isPriorityFixed { return -max(1, Self.usualPriority + job.priority) }
        // Slurm's priorities are 1 at least: 0 is a hold.
        return -min(max(1, job.priority - orderValue(of: job, units, nodes, now)), 4_294_967_295)
    }

    private func orderValue(
        of job: ActiveJob,
        _ units: Int32,
        _ nodes: Int32,
        _ now: Int64
    ) -> Int64 {
        order.value(queued(job, units: units, nodes: nodes, at: now))
    }

    /// What an order looks at of a job. `find` comes first.
    public func queued(
        _ job: ActiveJob,
        units: Int32,
        nodes: Int32,
        at now: Int64
    ) -> QueuedJob {
        let cores = Int64(job.request.chunkCount) * Int64(job.request.coresPerChunk)
        let ofPartition = Double(max(1, partitionCores[Int(job.partition)]))
        return QueuedJob(
            units: units,
            cores: cores,
            plannedSeconds: job.plannedSeconds,
            waitedSeconds: Double(now - job.key.submitted) / 1e6,
            submittedSeconds: Double(job.key.submitted - (origin ?? job.key.submitted)) / 1e6,
            fairShare: fairShare(job.association),
            nodeFraction: min(1, Double(nodes) / machineNodes),
            coreFraction: min(1, Double(cores) / machineCores),
            partitionCoreFraction: min(1, Double(cores) / ofPartition),
            partitionFactor: Double(partitionFactors[Int(job.partition)]) / 1e6,
            qosFactor: qosFactors.isEmpty ? 0 : qosFactors[Int(job.qos)],
            weights: weights
        )
    }

    /// The fair-share factor of an association, from 0 to 1; 1 where nobody counts.
    public func fairShare(_ association: Int32) -> Double {
        guard order.usesFairShare, association >= 0 else { return 1 }
        let (rank, users) = tree.standing(association)
        return Double(rank) / Double(users)
    }
}
