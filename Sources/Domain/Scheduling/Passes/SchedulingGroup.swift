public import ClusterModel
public import IndexSets
public import JobModel
public import Quantities

/// Partitions that share nodes: one queue, one head, one shadow.
///
/// A pass starts what may start now. Two forms of one rule exist. On *uniform* nodes (equal, given
/// whole, no waiting job that names nodes) counting is enough: `passByCount`. Everywhere else
/// nodes are looked at one by one: `passByNode`. Both give the same starts where both apply; a
/// property test holds them against each other.
public struct SchedulingGroup: Sendable {
    /// An overrunning job counts as ending this much after now. Unit: µs.
    static let overrunGrace: Int64 = 1_000_000

    var nodes: NodeTable
    var queue = WaitingQueue()
    /// The same jobs by time limit; kept only for `BackfillPolicy.easySJBF`.
    var byLimit = WaitingQueue()
    var ends = ExpectedEnds()
    let policy: SchedulingPolicy
    /// The partitions of the group, by their positions in the configuration.
    let partitions: [Int: GroupPartition]
    /// Queued jobs that name nodes.
    var constrainedCount = 0
    /// Looks at nodes one by one even where counting would do: for tests.
    public var alwaysLooksAtNodes = false

    /// The plan of `BackfillPolicy.conservativeCompress`, kept between passes.
    var keptPlan: KeptPlan?
    /// When the first promise of the kept plan falls due. Unit: µs since the epoch.
    public var nextPromise: Int64?

    /// The jobs that the last pass started; the next one clears it.
    public internal(set) var startedSlots: ContiguousArray<Int32> = []
    /// Jobs that a concurrency limit stopped, with the limit's position; the emulator clears it.
    public var parkedSlots: ContiguousArray<(slot: Int32, limit: Int)> = []

    /// Jobs that stay in the queue although a concurrency limit stopped them in the last pass, with
    /// the limit's position.
    var heldBack: ContiguousArray<(slot: Int32, limit: Int)> = []

    /// What the last pass left behind; nil when more than arrivals happened since.
    var blocked: BlockedHead?
    /// The leaf switch of each node; empty when nobody told.
    let leafSwitches: ContiguousArray<Int32>

    // What `passByNode` keeps between passes.
    /// The head's shadow of the last pass, with what jobs started since hold at it.
    var headShadow: HeadShadow?
    var overlay = ShadowOverlay()
    /// How many chunks of the head's shape the nodes could take now.
    var trackedHead: (shape: ShapeKey, chunks: Int64)?
    /// What was found out about requests, and the number of each; the dictionary is only looked up.
    var shapes: ContiguousArray<ShapeMarks> = []
    private var shapeNumbers: [ShapeKey: Int32] = [:]
    /// Marks of `ShapeMarks` count only in the generation that made them.
    var nowGeneration: UInt64 = 0
    var longGeneration: UInt64 = 0
    /// Whether a job would have delayed the head since the last pass over the whole queue.
    var hasLongFailure = false
    /// Whether one started after that: the other may now be placed elsewhere, so look again.
    var mustLookAgain = false

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

    /// Whether counting is not enough: it gives out the lowest nodes.
    var looksAtNodes: Bool { alwaysLooksAtNodes || policy.placement.choosesAmongEqualNodes }

    /// The number of queued jobs.
    public var queuedCount: Int { queue.count }

    /// The number of running jobs.
    public var runningCount: Int { ends.count }

    /// The first queued job, or nil.
    public var headSlot: Int32? { queue.first().map(queue.slot(at:)) }

    /// What the queue's index counts for a request: nodes on uniform nodes, cores elsewhere.
    public func units(of request: ResourceRequest) -> Int32 {
        nodes.isUniform
            ? nodesNeeded(for: request)
            : Int32(clamping: Int64(request.chunkCount) * Int64(request.coresPerChunk))
    }

    /// What the queue's index counts for a job: each node that it names is one that it needs.
    public func unitsNeeded(by slot: Int32, _ table: JobTable) -> Int32 {
        let units = units(of: table.records[Int(slot)].request)
        guard nodes.isUniform, table.records[Int(slot)].hasExtras,
            let required = table.extras[slot]?.requiredNodes
        else { return units }
        return max(units, Int32(required.count))
    }

    /// The fewest nodes that a request can do with; exact on uniform nodes.
    public func nodesNeeded(for request: ResourceRequest) -> Int32 {
        if request.chunksPerNodeMaximum == 1 { return request.chunkCount }
        let perNode = max(1, nodes.mostChunksOnOneNode(request))
        return (request.chunkCount - 1) / perNode + 1
    }

    // MARK: Queue

    /// Puts a job in the queue.
    public mutating func enqueue(_ slot: Int32, _ table: inout JobTable) {
        let index = Int(slot)
        let units = unitsNeeded(by: slot, table)
        let limit = table.records[index].plannedSeconds
        let key = table.records[index].key
        queue.insert(key: key, slot: slot, size: units, limit: limit)
        if policy.backfill == .easySJBF {
            byLimit.insert(key: key.byLimit(limit), slot: slot, size: units, limit: limit)
        }
        if isConstrained(slot, table) {
            constrainedCount += 1
            blocked = nil
        }
        if !nodes.isUniform, !table.records[index].hasExtras {
            let request = table.records[index].request
            table.records[index].shape = shape(request, partition: table.records[index].partition)
        } else {
            table.records[index].shape = -1
        }
        guard let head = blocked?.key else { return }
        if head < key {
            blocked?.arrivalCount += 1
            blocked?.arrival = slot
        } else {
            blocked = nil
        }
    }

    /// The number of a shape, made when it is new.
    private mutating func shape(_ request: ResourceRequest, partition: Int32) -> Int32 {
        let shape = ShapeKey(request: request, partition: partition)
        if let number = shapeNumbers[shape] { return number }
        let number = Int32(shapes.count)
        shapeNumbers[shape] = number
        shapes.append(ShapeMarks())
        return number
    }

    /// Takes a job out of the queue, if it is there.
    public mutating func dequeue(_ slot: Int32, _ table: JobTable) {
        guard let cursor = queue.cursor(of: table.records[Int(slot)].key) else { return }
        removeFromQueue(cursor, table)
        keptPlan?.isStale = true
        blocked = nil
    }

    /// Takes an entry out of the queue.
    mutating func removeFromQueue(_ cursor: WaitingQueue.Cursor, _ table: JobTable) {
        let slot = queue.slot(at: cursor)
        let index = Int(slot)
        queue.remove(at: cursor)
        if policy.backfill == .easySJBF {
            let planned = table.records[index].plannedSeconds
            byLimit.remove(key: table.records[index].key.byLimit(planned))
        }
        if isConstrained(slot, table) { constrainedCount -= 1 }
        if !heldBack.isEmpty { heldBack.removeAll { $0.slot == slot } }
    }

    /// The limit that kept a queued job from starting in the last pass, by its position.
    public func limitHoldingBack(_ slot: Int32) -> Int? {
        heldBack.first { $0.slot == slot }?.limit
    }

    /// Whether a job is in the queue.
    public func isQueued(_ slot: Int32, _ table: JobTable) -> Bool {
        queue.cursor(of: table.records[Int(slot)].key).map(queue.slot(at:)) == slot
    }

    /// The queued jobs, in queue order.
    public var queuedSlots: [Int32] { queue.allSlots }

    /// Sorts the queue by the keys that the table holds now.
    public mutating func reorder(_ table: JobTable) {
        blocked = nil
        queue.reorder { slot in table.records[Int(slot)].key }
    }

    /// Plans running jobs that have outlived their predictions longer.
    public mutating func correctPredictions(at now: Int64, _ table: inout JobTable) {
        var outlived: [Int32] = []
        ends.forEach { entry in
            guard entry.end <= now else { return false }
            let job = table.records[Int(entry.slot)]
            if job.plannedSeconds < job.limitSeconds { outlived.append(entry.slot) }
            return true
        }
        if !outlived.isEmpty { blocked = nil }
        for slot in outlived {
            ends.remove(end: table.records[Int(slot)].expectedEnd, slot: slot)
            table.records[Int(slot)].correctPrediction(at: now)
            insertEnd(of: slot, table)
            keptPlan?.isStale = true
        }
    }

    // MARK: Candidates for backfilling

    /// The first entry behind `cursor` (nil: of all behind the head) that fits, in the order in
    /// which candidates are tried.
    func candidate(
        after cursor: WaitingQueue.Cursor?,
        head: WaitingQueue.Cursor,
        free: Int32,
        window: UInt32,
        extra: Int32
    ) -> WaitingQueue.Cursor? {
        guard policy.backfill == .easySJBF else {
            return queue.next(after: cursor ?? head, free: free, window: window, extra: extra)
        }
        guard let cursor else {
            return byLimit.firstFitting(free: free, window: window, extra: extra)
        }
        return byLimit.next(after: cursor, free: free, window: window, extra: extra)
    }

    /// The place in the queue of a candidate.
    func queueCursor(
        ofCandidate cursor: WaitingQueue.Cursor,
        _ table: JobTable
    ) -> WaitingQueue.Cursor {
        guard policy.backfill == .easySJBF else { return cursor }
        let key = table.records[Int(byLimit.slot(at: cursor))].key
        guard let place = queue.cursor(of: key) else {
            preconditionFailure("job \(key.id) is queued by limit only")
        }
        return place
    }

    func isConstrained(_ slot: Int32, _ table: JobTable) -> Bool {
        table.records[Int(slot)].hasExtras && table.extras[slot]?.hasNodeConstraint == true
    }

    // MARK: Pass

    /// Starts what may start at `now`; `startedSlots` and `parkedSlots` say what happened.
    public mutating func pass(
        at now: SimInstant,
        _ table: inout JobTable,
        _ limits: inout ConcurrencyLimits
    ) {
        if !startedSlots.isEmpty { startedSlots.removeAll(keepingCapacity: true) }
        guard queue.count > 0 else {
            // Nothing is promised, so the next arrival may plan from what runs.
            keptPlan = nil
            nextPromise = nil
            return
        }
        if passAfterArrival(at: now.microseconds, &table, &limits) { return }
        blocked = nil
        if !heldBack.isEmpty { heldBack.removeAll(keepingCapacity: true) }
        if policy.backfill == .external {
            return
        } else if policy.backfill == .conservative {
            passByReplanning(now.microseconds, &table, &limits)
        } else if policy.backfill == .slurm {
            passAsSlurm(now.microseconds, &table, &limits)
        } else if policy.backfill == .conservativeCompress {
            passByCompressing(now.microseconds, &table, &limits)
        } else if nodes.isUniform && constrainedCount == 0 && !looksAtNodes {
            passByCount(now.microseconds, &table, &limits)
        } else {
            passByNode(now.microseconds, &table, &limits)
        }
    }

    /// The pass when nothing but one arrival has happened since the last: O(log n).
    ///
    /// - Returns: whether that was so.
    private mutating func passAfterArrival(
        at now: Int64,
        _ table: inout JobTable,
        _ limits: inout ConcurrencyLimits
    ) -> Bool {
        guard let head = blocked else { return false }
        if policy.backfill == .none { return true }
        guard head.arrivalCount <= 1, !hasOverruns(at: now) else { return false }
        guard head.arrivalCount == 1 else { return true }
        blocked?.arrivalCount = 0
        if nodes.isUniform {
            tryArrivalByCount(head.arrival, now, &table, &limits)
            return true
        }
        return tryArrivalByNode(head.arrival, now, &table, &limits)
    }

    func hasOverruns(at now: Int64) -> Bool { ends.hasOverruns(at: now) }

    // MARK: Ends

    /// Takes back what a running job holds.
    public mutating func release(_ slot: Int32, _ table: inout JobTable) {
        blocked = nil
        let end = table.records[Int(slot)].expectedEnd
        ends.remove(end: end, slot: slot)
        if policy.backfill == .conservativeCompress {
            let units = unitsReturning(slot, table)
            keptPlan?.noteEnd(of: slot, table.records[Int(slot)], units: units)
        }
        if nodes.isUniform {
            nodes.release(listFrom: table.records[Int(slot)].firstNode)
            table.records[Int(slot)].firstNode = -1
        } else {
            giveBack(table.segments[Int(slot)], of: table.records[Int(slot)].request)
            table.segments[Int(slot)] = []
        }
    }

    /// Gives a running job another limit.
    public mutating func changeLimit(of slot: Int32, to seconds: UInt32, _ table: inout JobTable) {
        ends.remove(end: table.records[Int(slot)].expectedEnd, slot: slot)
        keptPlan?.isStale = true
        blocked = nil
        table.setLimit(of: slot, to: seconds)
        insertEnd(of: slot, table)
    }

    /// The running jobs whose limits end first after `now`, all at one instant.
    public func earliestEnds(after now: SimInstant) -> [(end: SimInstant, slot: Int32)] {
        let list = ends.byInstant(now: now.microseconds, grace: Self.overrunGrace)
        return list.prefix { $0.instant == list.first?.instant }.map {
            (SimInstant(microseconds: $0.instant), $0.slot)
        }
    }

    /// Notes when a running job gives its units back: nodes that are out of service never return.
    func unitsReturning(_ slot: Int32, _ table: JobTable) -> Int32 {
        let job = table.records[Int(slot)]
        guard nodes.isUniform else { return job.coresHeld }
        guard nodes.inServiceCount < Int32(nodes.count) else { return job.nodesHeld }
        var units: Int32 = 0
        nodes.forEachNode(listFrom: job.firstNode) { node in
            if nodes.service[node] == .up { units += 1 }
        }
        return units
    }

    mutating func insertEnd(of slot: Int32, _ table: JobTable) {
        ends.insert(
            end: table.records[Int(slot)].expectedEnd,
            units: unitsReturning(slot, table),
            slot: slot
        )
    }

    // MARK: Nodes

    /// Takes one of the machine's nodes out of service or puts it back.
    ///
    /// - Returns: the jobs that held it, by job number.
    public mutating func setService(
        ofMachineNode machineNode: Int,
        to service: NodeService,
        _ table: inout JobTable
    ) -> [Int32] {
        guard let node = nodes.localIndex(machineNode) else { return [] }
        keptPlan?.isStale = true
        blocked = nil
        trackedHead = nil
        let holders = holders(of: node, table)
        for slot in holders { ends.remove(end: table.records[Int(slot)].expectedEnd, slot: slot) }
        nodes.set(node, service)
        for slot in holders { insertEnd(of: slot, table) }
        return holders
    }

    /// The slots of the jobs on a node of the group, by job number.
    private func holders(of node: Int, _ table: JobTable) -> [Int32] {
        if nodes.isUniform {
            let owner = nodes.wholeOwner(node)
            return owner < 0 ? [] : [owner]
        }
        var slots: [Int32] = []
        ends.forEach { entry in
            let segments = table.segments[Int(entry.slot)]
            if segments.contains(where: { $0.node == Int32(node) }) { slots.append(entry.slot) }
            return true
        }
        return slots.sorted { table.records[Int($0)].key.id < table.records[Int($1)].key.id }
    }

    /// What a running job holds: the machine's node indices, ascending, with chunks on each.
    public func allocation(of slot: Int32, _ table: JobTable) -> [(node: Int, chunks: Int32)] {
        let job = table.records[Int(slot)]
        if nodes.isUniform {
            var list: [(node: Int, chunks: Int32)] = []
            nodes.forEachNode(listFrom: job.firstNode) { node in
                list.append((nodes.machineIndex[node], 1))
            }
            return list
        }
        return table.segments[Int(slot)].map {
            (nodes.machineIndex[Int($0.node)], $0.chunks)
        }
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
        if let known = shapes[shape].everFits { return known }
        let filter = NodeFilter(partition: partitions[partition]?.nodes)
        let fits = nodes.couldEverFit(request, filter)
        shapes[shape].everFits = fits
        return fits
    }

    /// Whether the nodes in service would do for a queued job if all were idle.
    public func hasNodesInService(for slot: Int32, _ table: JobTable) -> Bool {
        guard nodes.inServiceCount < Int32(nodes.count) else { return true }
        if nodes.isUniform, !isConstrained(slot, table) {
            return unitsNeeded(by: slot, table) <= nodes.inServiceCount
        }
        return choices(slot, table).contains {
            nodes.couldEverFit($0.request, $0.filter, inServiceOnly: true)
        }
    }

    /// Whether every partition gives equal nodes whole, so that counting them is enough for most.
    public var isUniform: Bool { nodes.isUniform }

    /// The service state and use of a node of the machine; nil when it is in another group.
    public func condition(ofMachineNode machineNode: Int) -> NodeCondition? {
        guard let node = nodes.localIndex(machineNode) else { return nil }
        if nodes.isUniform {
            let isHeld = nodes.wholeOwner(node) >= 0
            return NodeCondition(
                service: nodes.service[node],
                jobCount: isHeld ? 1 : 0,
                coresFree: isHeld ? 0 : nodes.capacity[node].cores,
                memoryMebibytesFree: isHeld ? 0 : nodes.capacity[node].memory,
                acceleratorsFree: isHeld ? 0 : nodes.capacity[node].accelerators
            )
        }
        return NodeCondition(
            service: nodes.service[node],
            jobCount: nodes.amounts[node].jobs,
            coresFree: nodes.amounts[node].cores,
            memoryMebibytesFree: nodes.amounts[node].memory,
            acceleratorsFree: nodes.amounts[node].accelerators
        )
    }

    /// Stops the program if the group's parts disagree.
    public func checkInvariants(_ table: JobTable) {
        nodes.checkInvariants()
        var running = 0
        ends.forEach { entry in
            running += 1
            let job = table.records[Int(entry.slot)]
            precondition(job.phase == .running)
            precondition(entry.end == job.expectedEnd)
            precondition(entry.units == unitsReturning(entry.slot, table))
            guard let partition = partitions[Int(job.partition)] else {
                preconditionFailure("job \(job.id) runs outside its partition")
            }
            let held = allocation(of: entry.slot, table).compactMap { nodes.localIndex($0.node) }
            let isInside = held.allSatisfy { partition.nodes?[$0] ?? true }
            precondition(isInside, "job \(job.id) holds nodes outside its partition")
            let isWhole = held.allSatisfy { nodes.isUniform || nodes.amounts[$0].jobs == 1 }
            precondition(isWhole || !job.request.isExclusive, "job \(job.id) shares nodes")
            precondition(job.request.isExclusive || !partition.isWholeNode)
            return true
        }
        precondition(running == ends.count)
        var cursor = queue.first()
        var previous: QueueKey?
        var queued = 0
        while let current = cursor {
            let job = table.records[Int(queue.slot(at: current))]
            precondition(job.phase == .queued, "job \(job.id) is queued but \(job.phase)")
            precondition(previous.map { $0 < job.key } ?? true, "queue out of order")
            previous = job.key
            queued += 1
            cursor = queue.entry(after: current)
        }
        precondition(queued == queue.count)
    }
}

/// A partition of a queue group.
public struct GroupPartition: Sendable {
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

/// What a node does at this moment.
public struct NodeCondition: Hashable, Sendable {
    /// Whether it takes jobs.
    public var service: NodeService
    /// The jobs on it.
    public var jobCount: Int32
    /// Cores that no job holds.
    public var coresFree: Int32
    /// Memory that no job holds. Unit: MiB.
    public var memoryMebibytesFree: Int32
    /// Cards that no job holds.
    public var acceleratorsFree: Int32
}
