public import Accounts
public import IndexSets
public import JobModel
public import Quantities

/// Where an active job is. Ended jobs leave the jobs.
public enum JobPhase: UInt8, Sendable, CaseIterable, Codable {
    /// In the queue of each group that it may run in.
    case queued
    /// Not in a queue: held, dependent, before its begin time, or unable to run as things are.
    case waiting
    /// Not in a queue: a limit is full. It returns when that limit has room.
    case parked
    /// Holds resources.
    case running
}

/// A job that has not ended: what a decision needs of it, in one record.
public struct ActiveJob: Sendable, Codable {
    /// Its place in every queue; the number is in it.
    public var key: QueueKey
    /// When it started. Unit: µs since the epoch; meaningful while it runs.
    public var startedAt: Int64 = 0
    /// How long it has been suspended since it started; while it is, how long it will have been, or
    /// `suspendedForGood` when nobody knows. Unit: µs.
    public var heldUp: Int64 = 0
    /// Its time limit, parts of a second counted whole. Unit: s.
    public var limitSeconds: UInt32
    /// How long it is planned to run: its limit, or a prediction below it. Unit: s.
    public var plannedSeconds: UInt32
    /// What was predicted when it arrived. Unit: s.
    public var predictedSeconds: UInt32
    /// How often its prediction was corrected.
    public var correctionCount: UInt8 = 0
    /// Where it is.
    public var phase: JobPhase = .waiting
    /// Why it waits; what `queued` jobs wait for follows from their place in the queue.
    public var reason: PendingReason = .none
    /// Whether it was told to stop for good while it ran.
    public var isCancelled = false
    /// Whether it is suspended until the jobs have ended that it lends cores to.
    public var isDisplaced = false
    /// Whether it runs on for a grace only, and then makes way for another.
    public var isMakingWay = false
    /// Whether it starts again when a node of it fails, or it makes way.
    public var isRequeuable: Bool
    /// Whether it has started before and waits again.
    public var hasRun = false
    /// Whether it has an entry in `ActiveJobs.extras`.
    public var hasExtras = false
    /// Whether it counts against limits.
    public var hasLimits: Bool
    /// What it asks for. A job with extras holds nodes whole also where its partition says so.
    public var request: ResourceRequest
    /// What it shares with jobs of the same request, by the group's number; −1 when nobody counts.
    package var shape: Int32 = -1
    /// The partition it runs in, or asked for first.
    public var partition: Int32
    /// The queue group of `partition`.
    public var group: Int32
    /// The first node of a whole-node allocation; the others follow by `NodeTable.nextNode`.
    public var firstNode: Int32 = -1
    /// The nodes that it holds.
    public var nodesHeld: Int32 = 0
    /// The cores that it holds.
    public var coresHeld: Int32 = 0
    /// The cards that it holds.
    public var acceleratorsHeld: Int32 = 0
    /// The number of its user, −1 when nobody says.
    public var user: Int32 = -1
    /// The number of its user and name, −1 when it has none.
    public var namesakes: Int32 = -1
    /// The place of its association, −1 where nobody counts.
    public var association: Int32 = -1
    /// The position of its QOS.
    public var qos: Int32 = 0
    /// The partition that it was submitted to first.
    public var firstPartition: Int32
    /// What an operator or its user added to its priority, or gave it instead of one.
    public var priority: Int64 = 0
    /// Whether `priority` takes the place of all factors.
    public var isPriorityFixed = false
    /// The counter of its job array, −1 when it is in none.
    public var array: Int32 = -1
    /// The counter under which it waits for room; meaningful while it is parked.
    public var parkedUnder: Int32 = -1

    /// A job that has just arrived.
    public init(
        key: QueueKey,
        request: ResourceRequest,
        limitSeconds: UInt32,
        partition: Int,
        group: Int,
        isRequeuable: Bool
    ) {
        self.key = key
        self.request = request
        self.limitSeconds = limitSeconds
        plannedSeconds = limitSeconds
        predictedSeconds = limitSeconds
        self.partition = Int32(partition)
        firstPartition = Int32(partition)
        self.group = Int32(group)
        self.isRequeuable = isRequeuable
        hasLimits = false
    }

    /// What is held up until somebody resumes it ends after this. Unit: µs.
    public static let suspendedForGood = Int64.max / 4

    /// Whether it is suspended.
    public var isSuspended: Bool { isDisplaced || heldUp == Self.suspendedForGood }

    /// When it is planned to end. Unit: µs since the epoch; meaningful while it runs.
    public var expectedEnd: Int64 { startedAt &+ heldUp &+ Int64(plannedSeconds) &* 1_000_000 }

    /// When its limit ends it. Unit: µs since the epoch; meaningful while it runs.
    public var deadline: Int64 { startedAt &+ heldUp &+ Int64(limitSeconds) &* 1_000_000 }

    /// Its number.
    public var id: JobID { JobID(key.id) }

    /// Plans it to run for a predicted time, at most its limit. Unit: s.
    public mutating func predict(_ seconds: UInt32) {
        predictedSeconds = min(seconds, limitSeconds)
        plannedSeconds = predictedSeconds
        correctionCount = 0
    }
}

/// What few jobs have: kept beside the records so that the others do not pay for it.
public struct JobExtras: Sendable, Codable {
    /// The partitions that it asked for and that could ever take it, in the order to try.
    public var requestedPartitions: [Int] = []
    /// Whether its user asked for whole nodes.
    public var asksForWholeNodes = false
    /// Those of them that take it as things are.
    public var partitions: [Int] = []
    /// Not to be started before.
    public var notBefore: SimInstant?
    /// Who holds it.
    public var hold: HoldKind?
    /// To be over by then, or not to start at all.
    public var deadline: SimInstant?
    /// To have started by then, or to be given up.
    public var startsBy: SimInstant?
    /// How long it was suspended before, and since when it is.
    public var suspension = Suspension()
    /// Dependencies that were not fulfilled when they were looked at last.
    public var dependencies: [Dependency] = []
    /// Whether one of them is enough.
    public var needsAnyDependency = false
    /// Nodes that it must get.
    public var requiredNodes: IDSet?
    /// Nodes that it must not get.
    public var excludedNodes: IDSet?
    /// The reservation that it belongs to.
    public var reservation: ReservationID?
    /// The heterogeneous job that it is a component of.
    public var het: HetMembership?
    /// Whether it may start as soon as the other components can.
    public var isReady = false
    /// Whether its reservation is gone and it has not been released since.
    public var hasLostReservation = false
    /// Until when it runs on at most, while it makes way for another.
    public var makesWayBy: SimInstant?
    /// The limit that it asked for, while its reservation ends it earlier. Unit: s.
    public var limitAsked: UInt32?

    /// How long a job was suspended before, and since when it is.
    public struct Suspension: Sendable, Codable {
        /// Before.
        public var total = SimDuration.zero
        /// Since when.
        public var since = SimInstant.epoch

        /// Never.
        public init() {}
    }

    /// Nothing special.
    public init() {}

    /// Whether it names nodes.
    public var hasNodeConstraint: Bool { requiredNodes != nil || excludedNodes != nil }
}

/// Chunks of one job on one node.
public struct AllocationSegment: Hashable, Sendable, Codable {
    /// The node's index.
    public var node: Int32
    /// The number of chunks on it.
    public var chunks: Int32
    /// Which of the node's cards, where parts of cards are given out; zero elsewhere.
    public var cards: UInt16 = 0
}

/// The jobs that have not ended, each in a slot that is used again after the job has ended, and the
/// limits that they count against: what every decision reads and changes beside a group's nodes.
public struct ActiveJobs: Sendable, Codable {
    /// What runs under each limit, and who waits for room.
    public var limits: LimitBook
    /// What jobs reserve of their accounts' money while they run. Few centres have accounts without
    /// credit, so this is not in the records; only looked up.
    public var funds: [JobID: FundsNeed] = [:]
    /// The licences that jobs need. Few need any, so this is not in the records; only looked up.
    public private(set) var licenses: [JobID: [LicenseNeed]] = [:]
    /// The running jobs that hold licences, in the order in which they started.
    private(set) var licenseHolders: [Int32] = []
    /// The instant that is being decided.
    public var now = SimInstant.epoch
    /// By slot; a free slot holds the record of whoever had it last.
    private(set) var records: ContiguousArray<ActiveJob> = []
    /// What a job holds on which node, by slot; empty in uniform groups.
    public var segments: ContiguousArray<[AllocationSegment]> = []
    /// By slot; only looked up, never walked.
    public var extras: [Int32: JobExtras] = [:]
    private var freeSlots: ContiguousArray<Int32> = []
    /// The slot of job `firstID + i` at `i`; −1 when it has ended. A window over the latest numbers, a few
    /// times as long as there are active jobs.
    private var slotByID: ContiguousArray<Int32> = []
    private var firstID: UInt32 = 0
    /// The slots of active jobs whose numbers the window has left behind; only looked up, and walked in
    /// order of the numbers.
    private var strays: [UInt32: Int32] = [:]
    /// The lowest number that may come.
    private var nextID = 0
    /// The number of active jobs.
    public private(set) var count = 0

    /// Nothing is active yet.
    public init(limits: LimitBook = LimitBook()) {
        self.limits = limits
    }

    /// The record of the job in a slot.
    ///
    /// - Precondition: the slot was given out by `insert`.
    public subscript(slot: Int32) -> ActiveJob {
        @inline(__always) _read { yield records[Int(slot)] }
        @inline(__always) _modify { yield &records[Int(slot)] }
    }

    /// Puts a job in and returns its slot.
    ///
    /// - Precondition: its number is above every number before.
    public mutating func insert(_ job: ActiveJob) -> Int32 {
        precondition(Int(job.key.id) >= nextID, "job numbers must rise")
        nextID = Int(job.key.id) + 1
        if nextID - Int(firstID) > 4 * count + Self.windowMinimum { moveWindow() }
        count += 1
        while slotByID.count < Int(job.key.id - firstID) { slotByID.append(-1) }
        let slot: Int32
        if let free = freeSlots.popLast() {
            slot = free
            records[Int(slot)] = job
        } else {
            slot = Int32(records.count)
            records.append(job)
            segments.append([])
        }
        slotByID.append(slot)
        return slot
    }

    /// The window may be so long however few jobs are active.
    private static let windowMinimum = 4_096

    /// Lets the window begin later. Each active job is left behind at most once, so this costs O(1) a job.
    private mutating func moveWindow() {
        let first = UInt32(nextID - 2 * count - Self.windowMinimum / 2)
        guard first > firstID else { return }
        let passed = min(slotByID.count, Int(first - firstID))
        for offset in 0..<passed where slotByID[offset] >= 0 {
            strays[firstID + UInt32(offset)] = slotByID[offset]
        }
        slotByID.removeFirst(passed)
        firstID = first
    }

    /// Puts another record in the place of a pending job's; what it had beside its record is gone.
    ///
    /// - Precondition: both are of one job.
    public mutating func replace(_ slot: Int32, with job: ActiveJob) {
        precondition(records[Int(slot)].key.id == job.key.id, "a record of another job")
        extras[slot] = nil
        records[Int(slot)] = job
    }

    /// Takes an ended job out.
    public mutating func remove(_ slot: Int32) {
        count -= 1
        let id = records[Int(slot)].key.id
        if id >= firstID { slotByID[Int(id - firstID)] = -1 } else { strays[id] = nil }
        if records[Int(slot)].hasExtras { extras[slot] = nil }
        freeSlots.append(slot)
    }

    /// The slot of an active job; nil when it is unknown or has ended.
    public func slot(of id: JobID) -> Int32? {
        guard id.number >= firstID else { return strays[id.number] }
        guard Int(id.number - firstID) < slotByID.count else { return nil }
        let slot = slotByID[Int(id.number - firstID)]
        return slot < 0 ? nil : slot
    }

    /// The highest number that a job was given so far; 0 when none was.
    public var highestID: UInt32 { UInt32(max(0, nextID - 1)) }

    /// The slots of all active jobs, by job number.
    public var slotsByID: [Int32] {
        strays.sorted { $0.key < $1.key }.map(\.value) + slotByID.filter { $0 >= 0 }
    }

    /// The places that finding jobs by their numbers takes up, for tests: bounded by the active jobs.
    public var lookupSize: Int { slotByID.count + strays.count }

    /// Gives a job another time limit; it is planned to run so long.
    public mutating func setLimit(of slot: Int32, to seconds: UInt32) {
        records[Int(slot)].limitSeconds = seconds
        records[Int(slot)].plannedSeconds = seconds
        records[Int(slot)].predictedSeconds = seconds
    }

    /// Changes what is special about a job.
    public mutating func withExtras<Result>(
        _ slot: Int32,
        _ change: (inout JobExtras) -> Result
    ) -> Result {
        records[Int(slot)].hasExtras = true
        return change(&extras[slot, default: JobExtras()])
    }
}

// MARK: - Limits

extension ActiveJobs {
    /// What a job would hold under limits in one of its partitions.
    func claim(
        _ slot: Int32,
        inPartition partition: Int,
        nodes: Int32,
        cores: Int64,
        cards: Int64
    ) -> LimitClaim {
        let job = records[Int(slot)]
        let memory = Int64(job.request.memoryMebibytesPerChunk) * Int64(job.request.chunkCount)
        var claim = LimitClaim(
            terms: LimitTerms(
                association: job.association,
                qos: job.qos,
                partition: Int32(partition)
            ),
            amounts: limits.amounts(
                inPartition: partition,
                cpu: cores,
                memory: memory,
                node: Int64(nodes),
                gres: cards
            ),
            seconds: Int64(job.limitSeconds),
            array: job.array,
            funds: funds.isEmpty ? nil : funds[job.id]
        )
        if !licenses.isEmpty, let own = licenses[job.id] { claim.licenses = own }
        return claim
    }

    /// The licences that a job needs, or holds.
    func licenses(of slot: Int32) -> [LicenseNeed] {
        licenses.isEmpty ? [] : licenses[records[Int(slot)].id] ?? []
    }

    /// Notes what licences a job needs; none when it leaves.
    public mutating func setLicenses(of id: JobID, to needs: [LicenseNeed]) {
        if !licenses.isEmpty || !needs.isEmpty { licenses[id] = needs.isEmpty ? nil : needs }
    }

    /// The licence of which too few are free for a job; nil when there are enough.
    public func licenseStop(_ slot: Int32) -> LimitStop? {
        let needs = licenses(of: slot)
        return needs.isEmpty ? nil : limits.obstacle(toHolding: needs)
    }

    /// The terms under which a job counts as submitted.
    public func termsOfSubmission(_ slot: Int32) -> LimitTerms {
        let job = records[Int(slot)]
        return LimitTerms(
            association: job.association,
            qos: job.qos,
            partition: job.firstPartition
        )
    }

    /// What a running job holds under limits.
    public func claim(ofRunning slot: Int32) -> LimitClaim {
        let job = records[Int(slot)]
        return claim(
            slot,
            inPartition: Int(job.partition),
            nodes: job.nodesHeld,
            cores: Int64(job.coresHeld),
            cards: Int64(job.acceleratorsHeld)
        )
    }

    /// Counts a job that has just started.
    mutating func holdLimits(of slot: Int32) {
        let claim = claim(ofRunning: slot)
        limits.hold(claim, until: countedDeadline(of: slot), at: now)
        if !claim.licenses.isEmpty { licenseHolders.append(slot) }
    }

    /// Counts out a running job, and hands over who waited for room.
    public mutating func releaseLimits(of slot: Int32) -> [Int32] {
        let claim = claim(ofRunning: slot)
        if !claim.licenses.isEmpty { licenseHolders.removeAll { $0 == slot } }
        return limits.release(claim, until: countedDeadline(of: slot), at: now)
    }

    /// The deadline that limits count on: that of a suspended job is as if it went on at once.
    public func countedDeadline(of slot: Int32) -> Int64 {
        let job = records[Int(slot)]
        guard job.isSuspended, let extras = extras[slot] else { return job.deadline }
        return job.deadline - job.heldUp + extras.suspension.total.microseconds
    }
}
