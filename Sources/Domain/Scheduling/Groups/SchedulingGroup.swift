public import Accounts
public import ClusterModel
public import IndexSets
public import JobModel
public import Quantities

/// A queued job that a limit stopped.
public struct StoppedJob: Sendable, Codable {
    /// Its slot.
    public var slot: Int32
    /// The limit.
    public var stop: LimitStop
}

/// How many chunks of a shape nodes could take.
struct WatchedShape: Sendable, Codable {
    var shape: ShapeKey
    var chunks: Int64
}

/// Partitions that share nodes: the nodes, one queue, what runs, and what has happened since the
/// last pass. Who starts is decided by a `SchedulingPass`.
///
/// Two forms of every question exist. On *uniform* nodes (equal, given whole, no waiting job that
/// names nodes) counting is enough. Everywhere else nodes are looked at one by one. Both give the
/// same starts where both apply; property tests hold them against each other.
public struct SchedulingGroup: Sendable, Codable {
    /// An overrunning job counts as ending this much after now. Unit: µs.
    static let overrunGrace: Int64 = 1_000_000

    var nodes: NodeTable
    var queue = WaitingQueue()
    /// The same jobs by time limit; kept only for `BackfillPolicy.easySJBF`.
    var byLimit = WaitingQueue()
    /// The running jobs.
    var ends = ExpectedEnds()
    let policy: SchedulingPolicy
    /// The partitions of the group, by their positions in the configuration.
    let partitions: [Int: GroupPartition]
    /// The leaf switch of each node; empty when nobody told.
    let leafSwitches: ContiguousArray<Int32>
    /// Queued jobs that name nodes.
    var constrainedCount = 0
    /// Looks at nodes one by one even where counting would do: for tests.
    public var alwaysLooksAtNodes = false

    /// When nodes are closed to jobs.
    var calendar = NodeCalendar()
    /// What those see of it whose queue is looked at; nil when it cannot matter.
    var outlook: CalendarView?
    /// What was looked up of it; only looked up.
    var views: [ReservationID?: CalendarView] = [:]
    /// The queues of jobs of reservations, by number; `queue` has all others.
    var lanes: [ReservedLane] = []
    /// Whether any of these has jobs, or a policy at work on it wants to run again.
    var lanesAreBusy = false
    /// Whether there is anything to look up beside what runs.
    public internal(set) var hasCalendar = false
    /// When the next node is expected back: whoever waits for one that does not come waits no longer.
    public internal(set) var nextReturn: SimInstant?
    /// The longest limit of a job that was queued since the queue was empty. Unit: s.
    private(set) var longestLimit: UInt32 = 0

    /// Who lends cores to whom.
    var loans = LoanBook()
    /// All nodes of jobs that lend nodes of a uniform group; only looked up.
    var nodesOfLenders: [Int32: [Int32]] = [:]
    /// What is being taken from jobs for one that is to start in their place.
    var vacancy = Vacancy()
    /// Jobs that lend nothing any more; whoever drives the group clears it.
    var repaidSlots: [Int32] = []

    /// What has happened since the last pass.
    var news = GroupNews()
    /// The jobs that the last pass started; the next one clears it.
    public internal(set) var startedSlots: ContiguousArray<Int32> = []
    /// Jobs that the last pass took out of the queue because a limit is full, with that limit;
    /// whoever drives the group clears it.
    public var parkedSlots: ContiguousArray<StoppedJob> = []
    /// Queued jobs that the last pass could have placed, had a limit not left too little room, with
    /// that limit.
    var heldBack: ContiguousArray<StoppedJob> = []

    /// Queued jobs that the next pass leaves alone: another group has room for them in a partition that
    /// they name before.
    public internal(set) var passedOver: Set<Int32> = []

    /// How many chunks of one shape the nodes could take now; kept up to date while jobs come and go.
    var watched: WatchedShape?
    /// The shapes that were queued, by number; the dictionary is only looked up.
    private(set) var shapes: ContiguousArray<ShapeKey> = []
    private var shapeNumbers: [ShapeKey: Int32] = [:]
    /// Whether jobs may ask for nodes that are kept for their user: then jobs of two users differ.
    private(set) var tellsUsersApart = false
    /// Whether nodes could ever take a shape, by its number; nil when nobody asked.
    private var everFits: ContiguousArray<Bool?> = []

    /// Makes a group with idle nodes.
    ///
    /// - Parameters:
    ///   - nodes: the group's nodes.
    ///   - machineIndex: the machine's index of each, ascending.
    ///   - partitions: the group's partitions, by their positions in the configuration.
    ///   - sharesCards: whether jobs may ask for parts of cards.
    ///   - leafSwitches: the leaf switch of each node; empty when it does not matter.
    public init(
        nodes: [NodeCapacity],
        machineIndex: [Int],
        partitions: [Int: GroupPartition],
        sharesCards: Bool = false,
        leafSwitches: [Int32] = [],
        policy: SchedulingPolicy
    ) {
        self.nodes = NodeTable(
            nodes: nodes,
            machineIndex: machineIndex,
            isWholeNodeOnly: partitions.values.allSatisfy { $0.isWholeNode && $0.nodes == nil },
            sharesCards: sharesCards,
            placement: policy.placement
        )
        self.leafSwitches = ContiguousArray(leafSwitches)
        self.partitions = partitions
        self.policy = policy
    }

    /// Whether counting nodes is enough in the next pass.
    var countsSuffice: Bool {
        nodes.isUniform && constrainedCount == 0 && outlook == nil && !alwaysLooksAtNodes
            && loans.isEmpty && nodes.kept.isEmpty
    }

    /// Whether of jobs that are alike in all but their keys none starts in a pass before one with a lower key, and
    /// those that do not start make no difference to others.
    public var takesAlikeInTurn: Bool {
        switch policy.backfill {
        case .none, .easy, .easySJBF: countsSuffice
        case .conservative, .conservativeCompress, .slurm, .external: false
        }
    }

    /// Whether anybody is queued, or was in the queue of a reservation when it was looked at last. This is
    /// read where the group lies; to count the queued jobs from outside is to copy it.
    @inline(__always)
    public var mayQueue: Bool { queue.count > 0 || lanesAreBusy }

    /// The number of queued jobs.
    public var queuedCount: Int {
        var count = queue.count
        // By position, so that no lane is copied.
        if lanesAreBusy { for lane in lanes.indices { count += lanes[lane].queue.count } }
        return count
    }

    /// The number of running jobs.
    public var runningCount: Int { ends.count }

    /// Nodes in service that run nothing.
    public var idleNodeCount: Int32 { nodes.idleCount }

    /// Whether a job is the first of its partition in its queue: where that finds no room, Slurm passes over the
    /// others of the partition, and tries on with other partitions.
    public func isHead(_ slot: Int32, _ jobs: ActiveJobs) -> Bool {
        let queue = laneIndex(of: slot, jobs).map { lanes[$0].queue } ?? queue
        var cursor = queue.first()
        for _ in 0..<Self.depth {
            guard let current = cursor else { return false }
            let other = queue.slot(at: current)
            if other == slot { return true }
            if jobs[other].partition == jobs[slot].partition { return false }
            cursor = queue.entry(after: current)
        }
        return false
    }

    /// How far down its queue Slurm's scheduler looks (`default_queue_depth`).
    private static let depth = 100

    /// Whether every partition gives equal nodes whole, so that counting them is enough for most.
    public var isUniform: Bool { nodes.isUniform }

    /// What the queue's index counts for a request: nodes on uniform nodes, cores elsewhere.
    @inline(__always)
    public func units(of request: ResourceRequest) -> Int32 {
        nodes.isUniform
            ? nodesNeeded(for: request)
            : Int32(clamping: Int64(request.chunkCount) * Int64(request.coresPerChunk))
    }

    /// What the queue's index counts for a job: each node that it names is one that it needs.
    @inline(__always)
    public func unitsNeeded(by slot: Int32, _ jobs: ActiveJobs) -> Int32 {
        let units = units(of: jobs[slot].request)
        guard nodes.isUniform, jobs[slot].hasExtras,
            let required = jobs.extras[slot]?.requiredNodes
        else { return units }
        return max(units, Int32(required.count))
    }

    /// The fewest nodes that a request can do with; exact on uniform nodes.
    @inline(__always)
    public func nodesNeeded(for request: ResourceRequest) -> Int32 {
        if request.chunksPerNodeMaximum == 1 { return request.chunkCount }
        let perNode = max(1, nodes.mostChunksOnOneNode(request))
        return max(request.nodesMinimum, (request.chunkCount - 1) / perNode + 1)
    }

    /// The nodes that a request takes where as many as it likes are free; exact on uniform nodes.
    func mostNodes(for request: ResourceRequest) -> Int32 {
        var most = request
        most.chunkCount = request.chunkCountMaximum
        return nodesNeeded(for: most)
    }

    func isConstrained(_ slot: Int32, _ jobs: ActiveJobs) -> Bool {
        jobs[slot].hasExtras && jobs.extras[slot]?.hasNodeConstraint == true
    }

    /// The limit that kept a queued job from starting in the last pass.
    public func limitHoldingBack(_ slot: Int32) -> LimitStop? {
        (lanes.map(\.heldBack) + [heldBack]).joined().first { $0.slot == slot }?.stop
    }
}

// MARK: - Queue

extension SchedulingGroup {
    /// Puts a job in the queue.
    public mutating func enqueue(_ slot: Int32, _ jobs: inout ActiveJobs) {
        let units = unitsNeeded(by: slot, jobs)
        let limit = jobs[slot].plannedSeconds
        let key = jobs[slot].key
        longestLimit = max(queuedCount == 0 ? 0 : longestLimit, jobs[slot].limitSeconds)
        let lane = laneIndex(of: slot, jobs)
        exchange(lane)
        defer { exchange(lane) }
        if lane != nil { lanesAreBusy = true }
        queue.insert(key: key, slot: slot, size: units, limit: limit)
        if policy.backfill == .easySJBF {
            byLimit.insert(key: key.byLimit(limit), slot: slot, size: units, limit: limit)
        }
        news.noteArrival(of: slot)
        if isConstrained(slot, jobs) {
            constrainedCount += 1
            news.hasChanged = true
        }
        if jobs[slot].request.keeper != NodeKeeper.none, !tellsUsersApart {
            tellsUsersApart = true
            watched = nil
            for other in queue.allSlots where jobs[other].shape >= 0 {
                jobs[other].shape = shape(jobs[other])
            }
        }
        if !nodes.isUniform, !jobs[slot].hasExtras {
            jobs[slot].shape = shape(jobs[slot])
        } else {
            jobs[slot].shape = -1
        }
    }

    private mutating func shape(_ job: ActiveJob) -> Int32 {
        let keeper = tellsUsersApart ? NodeKeeper.key(ofUser: job.user) : NodeKeeper.none
        return shape(job.request, partition: job.partition, keeper: keeper)
    }

    /// The number of a shape, made when it is new.
    private mutating func shape(
        _ request: ResourceRequest,
        partition: Int32,
        keeper: Int32 = NodeKeeper.none
    ) -> Int32 {
        let shape = ShapeKey(request: request, partition: partition, keeper: keeper)
        if let number = shapeNumbers[shape] { return number }
        let number = Int32(shapes.count)
        shapeNumbers[shape] = number
        shapes.append(shape)
        everFits.append(nil)
        return number
    }

    /// Takes a job out of the queue, if it is there.
    public mutating func dequeue(_ slot: Int32, _ jobs: ActiveJobs) {
        let lane = laneIndex(of: slot, jobs)
        exchange(lane)
        defer { exchange(lane) }
        guard let cursor = queue.cursor(of: jobs[slot].key) else { return }
        removeFromQueue(cursor, jobs)
        news.noteDisturbance()
    }

    /// Takes an entry out of the queue.
    mutating func removeFromQueue(_ cursor: WaitingQueue.Cursor, _ jobs: ActiveJobs) {
        let slot = queue.slot(at: cursor)
        queue.remove(at: cursor)
        if policy.backfill == .easySJBF {
            byLimit.remove(key: jobs[slot].key.byLimit(jobs[slot].plannedSeconds))
        }
        if constrainedCount > 0, isConstrained(slot, jobs) { constrainedCount -= 1 }
        if !heldBack.isEmpty { heldBack.removeAll { $0.slot == slot } }
    }

    /// Whether a job is in the queue.
    public func isQueued(_ slot: Int32, _ jobs: ActiveJobs) -> Bool {
        let queue = laneIndex(of: slot, jobs).map { lanes[$0].queue } ?? queue
        return queue.cursor(of: jobs[slot].key).map(queue.slot(at:)) == slot
    }

    /// The queued jobs, queue by queue in order.
    public var queuedSlots: [Int32] {
        lanesAreBusy ? lanes.flatMap(\.queue.allSlots) + queue.allSlots : queue.allSlots
    }

    /// The entry behind `cursor`; nil also when nothing is queued any more.
    func entry(after cursor: WaitingQueue.Cursor) -> WaitingQueue.Cursor? {
        queue.count > 0 ? queue.entry(after: cursor) : nil
    }

    /// Whether any queued job is small enough for what is free.
    public var mayStartAny: Bool {
        queue.firstFitting(free: unitsFree, window: .max, extra: unitsFree) != nil
            || queuedCount > queue.count
    }

    /// Sorts the queue by the keys that the records hold now.
    public mutating func reorder(_ jobs: ActiveJobs) {
        news.hasChanged = true
        if queue.count > 0 { queue.reorder { slot in jobs[slot].key } }
        guard lanesAreBusy else { return }
        for lane in lanes.indices { lanes[lane].queue.reorder { slot in jobs[slot].key } }
    }

    /// The queued job, where there is but one and it belongs to no reservation.
    public var onlySlot: Int32? {
        queue.count == 1 && queuedCount == 1 ? queue.first().map(queue.slot) : nil
    }

    /// Gives the only queued job the key that its record holds now.
    public mutating func renew(_ jobs: ActiveJobs) {
        queue.reorder { slot in jobs[slot].key }
    }

    /// Whether nodes of a partition of this group could ever take `request`, if all were idle and
    /// in service.
    ///
    /// - Parameters:
    ///   - required: the machine's indices of nodes that must be among them; nil when none.
    ///   - excluded: those that must not.
    public mutating func couldEverFit(
        _ request: ResourceRequest,
        inPartition partition: Int,
        required: IDSet? = nil,
        excluded: IDSet? = nil
    ) -> Bool {
        if required != nil || excluded != nil {
            return filter(partition, required: required, excluded: excluded)
                .map { nodes.couldEverFit(request, $0) } ?? false
        }
        if nodes.isUniform {
            return nodes.mostChunksOnOneNode(request) > 0
                && nodesNeeded(for: request) <= Int32(nodes.count)
        }
        let shape = Int(shape(request, partition: Int32(partition)))
        if let known = everFits[shape] { return known }
        let filter = NodeFilter(partition: partitions[partition]?.nodes)
        let fits = nodes.couldEverFit(request, filter)
        everFits[shape] = fits
        return fits
    }

    /// Whether the nodes in service would do for a queued job if all were idle.
    public func hasNodesInService(for slot: Int32, _ jobs: ActiveJobs) -> Bool {
        guard nodes.inServiceCount < Int32(nodes.count) else { return true }
        if nodes.isUniform, !isConstrained(slot, jobs) {
            return unitsNeeded(by: slot, jobs) <= nodes.inServiceCount
        }
        return choices(slot, jobs).contains { choice in
            nodes.couldEverFit(choice.request, choice.filter) { nodes.service[$0] == .up }
        }
    }
}

/// A partition of a queue group.
public struct GroupPartition: Sendable, Codable {
    /// Whether it has the group's node `i`, at `i`; nil when it has all.
    public var nodes: ContiguousArray<Bool>?
    /// Whether it gives nodes whole.
    public var isWholeNode: Bool

    /// Makes a partition.
    public init(nodes: ContiguousArray<Bool>?, isWholeNode: Bool) {
        self.nodes = nodes
        self.isWholeNode = isWholeNode
    }
}

/// What decides where a job can be placed, for jobs that name no nodes.
struct ShapeKey: Hashable, Codable {
    var request: ResourceRequest
    var partition: Int32
    /// The user, where nodes are kept for users.
    var keeper: Int32
}
