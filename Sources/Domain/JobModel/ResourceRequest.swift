public import IndexSets
public import Quantities

/// What a job asks for, as equal chunks that are placed on nodes.
///
/// `-N 4 --ntasks-per-node=8` is 4 chunks of 8 cores, one a node; `-n 64 -c 2` is 64 chunks of two
/// cores, any number a node; `-N 3 -n 5` is 5 chunks on 3 nodes. Each chunk lies on one node.
public struct ResourceRequest: Hashable, Sendable, Codable {
    /// The number of chunks; at least 1.
    public var chunkCount: Int32
    /// How many chunks it takes beyond those, where they can start now.
    public var extraChunks: Int32 = 0
    /// The nodes on which the chunks lie, at least one on each; 0 when any number will do.
    public var nodesMinimum: Int32 = 0
    /// The most of them: it takes as many as have room.
    public var nodesMaximum: Int32 = .max
    /// Cores of one chunk; at least 1.
    public var coresPerChunk: Int32
    /// Memory of one chunk. Unit: MiB.
    public var memoryMebibytesPerChunk: Int32
    /// Accelerator cards of one chunk.
    public var acceleratorsPerChunk: Int32
    /// The part of its card that a job of one chunk and one card asks for, in 1/1000; 1000 is whole.
    public var acceleratorShare: Int32
    /// Memory of each node beside that of its chunks. Unit: MiB.
    public var memoryMebibytesPerNode: Int32 = 0
    /// Accelerator cards of each node beside those of its chunks.
    public var acceleratorsPerNode: Int32 = 0
    /// How many chunks one node may hold; 1 asks for as many nodes as chunks.
    public var chunksPerNodeMaximum: Int32
    /// Whether each node is held whole, whatever part of it is used.
    public var isExclusive: Bool
    /// Keeps each node for jobs of one user, known by this key, until the last of them has left; 0 keeps
    /// none. See `NodeKeeper`.
    public var keeper: Int32 = 0

    /// Makes a request.
    ///
    /// - Precondition: counts are at least 1, memory and accelerators at least 0.
    public init(
        chunkCount: Int32,
        coresPerChunk: Int32 = 1,
        memoryMebibytesPerChunk: Int32 = 0,
        acceleratorsPerChunk: Int32 = 0,
        acceleratorShare: Int32 = 1_000,
        chunksPerNodeMaximum: Int32 = .max,
        isExclusive: Bool = false
    ) {
        precondition(chunkCount >= 1 && coresPerChunk >= 1 && chunksPerNodeMaximum >= 1)
        precondition(memoryMebibytesPerChunk >= 0 && acceleratorsPerChunk >= 0)
        precondition((1...1_000).contains(acceleratorShare))
        precondition(
            acceleratorShare == 1_000 || chunkCount == 1 && acceleratorsPerChunk == 1,
            "a part of a card goes with one chunk and one card"
        )
        self.chunkCount = chunkCount
        self.coresPerChunk = coresPerChunk
        self.memoryMebibytesPerChunk = memoryMebibytesPerChunk
        self.acceleratorsPerChunk = acceleratorsPerChunk
        self.acceleratorShare = acceleratorShare
        self.chunksPerNodeMaximum = chunksPerNodeMaximum
        self.isExclusive = isExclusive
    }

    /// Whether it says on how many nodes several chunks lie.
    public var countsNodes: Bool { nodesMinimum > 0 }

    /// Whether it takes more than it needs where that can start now.
    public var isElastic: Bool { extraChunks > 0 }

    /// The most chunks that it takes.
    public var chunkCountMaximum: Int32 { chunkCount &+ extraChunks }

    /// The same without what it takes beyond its need.
    public var least: Self {
        var request = self
        request.extraChunks = 0
        return request
    }

    /// Makes it ask for so many nodes at least, for a job that names more than it asks for.
    public mutating func require(nodes: Int32) {
        let most = max(chunkCountMaximum, nodes)
        chunkCount = max(chunkCount, nodes)
        extraChunks = most - chunkCount
        guard countsNodes else { return }
        nodesMinimum = max(nodesMinimum, nodes)
        nodesMaximum = max(nodesMaximum, nodes)
    }

    /// The most nodes that the chunks can lie on, where it says so.
    public var nodesWanted: Int32 { min(nodesMaximum, chunkCount) }

    /// Whole nodes, the rule on Tianhe.
    public static func wholeNodes(_ count: Int32) -> Self {
        Self(chunkCount: count, chunksPerNodeMaximum: 1, isExclusive: true)
    }
}

/// By which key jobs of a user know the nodes that are kept for them (`--exclusive=user`).
public enum NodeKeeper {
    /// Nobody: nodes that are not kept.
    public static let none: Int32 = 0

    /// The key of a user by number; that of −1, nobody, is `none`.
    public static func key(ofUser user: Int32) -> Int32 { user &+ 1 }
}

/// Who holds a pending job.
public enum HoldKind: UInt8, Hashable, Sendable, CaseIterable, Codable {
    /// Its user; the user may release it.
    case user
    /// An operator; only an operator may release it.
    case admin
}

/// A job as it enters the emulator: everything that a decision may depend on, and nothing else.
public struct JobSubmission: Hashable, Sendable, Codable {
    /// Its number; above every number given before.
    public var id: JobID
    /// Where it may run, as positions in the configuration's partitions, in the order to try.
    public var partitions: [Int]
    /// What it asks for.
    public var request: ResourceRequest
    /// What its user promises. Parts of a second count as a whole one.
    public var timeLimit: SimDuration
    /// Higher goes first; equal ones go by submission, then by number.
    public var priority: Int64
    /// The job array that it is an element of; nil when it is in none.
    public var array: ArrayMembership?
    /// The heterogeneous job that it is a component of; nil when it is in none.
    public var het: HetMembership?
    /// The money that it reserves while it runs; nil when its account is not limited.
    public var funds: FundsNeed?
    /// What it holds while it runs beside nodes (`--licenses`), each licence at most once.
    public var licenses: [LicenseNeed] = []
    /// Not to be started before.
    public var notBefore: SimInstant?
    /// Held from the start.
    public var hold: HoldKind?
    /// To be over by then, or not to start at all (`--deadline`).
    public var deadline: SimInstant?
    /// To have started by then, or to be given up (`--immediate`).
    public var startsBy: SimInstant?
    /// What it waits for.
    public var dependencies: [Dependency]
    /// Whether one fulfilled dependency is enough (`?` between them); otherwise all must be.
    public var needsAnyDependency = false
    /// Its name, by which `singleton` finds jobs of one user; nil when nobody asks for it.
    public var name: String?
    /// Nodes that it must get.
    public var requiredNodes: IDSet?
    /// Nodes that it must not get.
    public var excludedNodes: IDSet?
    /// Whether it waits again, instead of ending, when a node of it fails.
    public var isRequeuable: Bool
    /// The reservation that it belongs to.
    public var reservation: ReservationID?
    /// A number for its user, for predictions and fair share; −1 when nobody says.
    public var user: Int32 = -1
    /// A number for the account that is charged; −1 when nobody says.
    public var account: Int32 = -1
    /// Its quality of service, as a position in the configuration's; 0 is that of jobs that name none.
    public var qos: Int32 = 0
    /// Whether an operator gave it its priority, so that no factor changes it.
    public var isPriorityFixed = false
    /// Whether somebody sits and waits for it: no pass waits for more to come in then.
    public var isAwaited = false

    /// Makes a submission; what is left out has the usual value.
    public init(
        id: JobID,
        partitions: [Int] = [0],
        request: ResourceRequest,
        timeLimit: SimDuration,
        priority: Int64 = 0,
        array: ArrayMembership? = nil,
        funds: FundsNeed? = nil,
        notBefore: SimInstant? = nil,
        hold: HoldKind? = nil,
        dependencies: [Dependency] = [],
        requiredNodes: IDSet? = nil,
        excludedNodes: IDSet? = nil,
        isRequeuable: Bool = false
    ) {
        self.id = id
        self.partitions = partitions
        self.request = request
        self.timeLimit = timeLimit
        self.priority = priority
        self.array = array
        self.funds = funds
        self.notBefore = notBefore
        self.hold = hold
        self.dependencies = dependencies
        self.requiredNodes = requiredNodes
        self.excludedNodes = excludedNodes
        self.isRequeuable = isRequeuable
    }
}

/// What a job reserves of its account's money while it runs: its largest possible fee.
public struct FundsNeed: Hashable, Sendable, Codable {
    /// The number of the account's purse.
    public var purse: Int32
    /// The amount. Unit: fen.
    public var price: Int64

    /// Makes a need.
    public init(purse: Int32, price: Int64) {
        self.purse = purse
        self.price = price
    }
}

/// Licences of one kind that a job holds while it runs.
public struct LicenseNeed: Hashable, Sendable, Codable {
    /// Which, as a position in the configuration's licences.
    public var license: Int32
    /// How many; at least 1.
    public var count: Int32

    /// Makes a need.
    public init(license: Int32, count: Int32) {
        self.license = license
        self.count = count
    }
}

/// What a component of a heterogeneous job shares with the others: they start at one instant, or not
/// at all.
public struct HetMembership: Hashable, Sendable, Codable {
    /// The number of the first component, the leader; those of the others follow it.
    public var leader: JobID
    /// Its place among them, from 0.
    public var offset: Int32
    /// How many they are; at least 2.
    public var count: Int32

    /// Makes a membership.
    public init(leader: JobID, offset: Int32, count: Int32) {
        self.leader = leader
        self.offset = offset
        self.count = count
    }

    /// The most components of one job.
    public static let countMaximum = 128
}

/// What an element of a job array shares with the others.
public struct ArrayMembership: Hashable, Sendable, Codable {
    /// The number of the array.
    public var id: JobID
    /// How many of its elements may run at once; nil for all.
    public var maximum: Int32?
    /// Whether its turn comes after that of the others, whatever its number.
    public var isLast: Bool

    /// Makes a membership.
    public init(id: JobID, maximum: Int32? = nil, isLast: Bool = false) {
        self.id = id
        self.maximum = maximum
        self.isLast = isLast
    }
}
