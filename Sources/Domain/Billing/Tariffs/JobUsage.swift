public import JobModel
public import Quantities

/// What a tariff line puts a price on. The unit of every kind is one thing held for one hour.
public enum BilledResource: UInt8, Hashable, Sendable, CaseIterable, Comparable, Codable {
    /// Cores × time.
    case coreHour
    /// Accelerator cards × time.
    case cardHour
    /// Nodes × time, whatever is in them.
    case nodeHour

    /// The name in files, statements and the ledger: `core-hour`.
    public var name: String {
        switch self {
        case .coreHour: "core-hour"
        case .cardHour: "card-hour"
        case .nodeHour: "node-hour"
        }
    }

    /// The resource called `name`; nil when there is none.
    public init?(name: some StringProtocol) {
        guard let match = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = match
    }

    /// Whether `left` is listed before `right`.
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// How one run of a job left the state RUNNING.
public enum RunOutcome: Hashable, Sendable, Codable {
    /// The job ended in a final state.
    case ended(EndState)
    /// The job went back to the queue because of the system: a node failed, an operator or a
    /// preempting job took its nodes.
    case requeuedBySystem
    /// The job went back to the queue because its owner said so.
    case requeuedByUser

    /// The name in statements and the ledger: Slurm's state, or `REQUEUED`.
    public var name: String {
        switch self {
        case .ended(let state): state.slurmName
        case .requeuedBySystem: "REQUEUED"
        case .requeuedByUser: "REQUEUED_USER"
        }
    }

    /// The outcome called `name`; nil when there is none.
    public init?(name: some StringProtocol) {
        switch name {
        case "REQUEUED": self = .requeuedBySystem
        case "REQUEUED_USER": self = .requeuedByUser
        default:
            guard let state = EndState.allCases.first(where: { $0.slurmName == name }) else {
                return nil
            }
            self = .ended(state)
        }
    }
}

/// One run of a job, as it was measured when it left the state RUNNING.
///
/// A job that was requeued has one usage an attempt.
public struct JobUsage: Hashable, Sendable {
    /// The job.
    public var id: JobID
    /// How often the job had been requeued before this run; 0 for the first.
    public var attempt: Int32
    /// The account that pays.
    public var account: String
    /// Who submitted it.
    public var user: String
    /// Where it ran.
    public var partition: String
    /// The platform of that partition, the key of tariffs and subsidy rules.
    public var platform: String
    /// The quality of service; empty when there is none.
    public var qos: String
    /// Whether it ran inside a paid reservation.
    public var isReserved: Bool
    /// How it ended.
    public var outcome: RunOutcome
    /// Nodes on which it held something.
    public var nodeCount: Int64
    /// Cores held; all cores of its nodes where the partition gives whole nodes.
    public var coreCount: Int64
    /// Accelerator cards held.
    public var cardCount: Int64
    /// Memory held, all nodes together; nil when it was not counted.
    public var memory: ByteCount?
    /// When it started; nil when it ended while pending.
    public var startedAt: SimInstant?
    /// When it left RUNNING. Time in COMPLETING is not held.
    public var endedAt: SimInstant
    /// Floating-point operations that its kernels counted and verified; nil when none measured.
    public var verifiedFlop: Int64?
    /// What its programs say that they took; nil when none said.
    public var energy: MeasuredEnergy?
    /// What its user counts its costs under; empty for nothing.
    public var project: String
    /// The program that it ran, where that is known; else empty.
    public var kernel: String

    /// Makes a usage.
    public init(
        id: JobID,
        attempt: Int32 = 0,
        account: String,
        user: String = "",
        partition: String,
        platform: String,
        qos: String = "",
        isReserved: Bool = false,
        outcome: RunOutcome,
        nodeCount: Int64,
        coreCount: Int64,
        cardCount: Int64 = 0,
        memory: ByteCount? = nil,
        startedAt: SimInstant?,
        endedAt: SimInstant,
        verifiedFlop: Int64? = nil,
        energy: MeasuredEnergy? = nil,
        project: String = "",
        kernel: String = ""
    ) {
        self.id = id
        self.attempt = attempt
        self.account = account
        self.user = user
        self.partition = partition
        self.platform = platform
        self.qos = qos
        self.isReserved = isReserved
        self.outcome = outcome
        self.nodeCount = nodeCount
        self.coreCount = coreCount
        self.cardCount = cardCount
        self.memory = memory
        self.startedAt = startedAt
        self.endedAt = endedAt
        self.verifiedFlop = verifiedFlop
        self.energy = energy
        self.project = project
        self.kernel = kernel
    }

    /// How many of `resource` it held.
    public func count(of resource: BilledResource) -> Int64 {
        switch resource {
        case .coreHour: coreCount
        case .cardHour: cardCount
        case .nodeHour: nodeCount
        }
    }

    /// The time that it ran; zero when it never started.
    public var runDuration: SimDuration {
        guard let startedAt, startedAt < endedAt else { return .zero }
        return endedAt - startedAt
    }
}

/// The energy of a run, as its programs reported it.
public struct MeasuredEnergy: Hashable, Sendable, Codable {
    /// Unit: mJ.
    public var millijoules: Int64
    /// Whether any part of it is an estimate and not read from a counter.
    public var isEstimated: Bool

    /// Makes an energy.
    public init(millijoules: Int64, isEstimated: Bool) {
        self.millijoules = millijoules
        self.isEstimated = isEstimated
    }
}
