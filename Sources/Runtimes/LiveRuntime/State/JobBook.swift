import JobModel
import Quantities
import WireFormats

/// The number of an array's first element, how many there are, their bounds, and how many may run at once.
struct ArrayPlace: Sendable, Codable {
    var job: UInt32
    var count: Int
    var minimum: UInt32
    var maximum: UInt32
    var limit: UInt32?
    /// Whether elements get their numbers when they are split off, as in Slurm: the first that is gets the one
    /// after the array's, and the last that is left the array's own. Elements that are not are told apart by
    /// their indices alone.
    var isNumberedLate: Bool
}

/// For whom a job is submitted.
struct Party: Sendable, Codable {
    var account: String
    var qos: String
}

/// What a job holds, or held, on one node.
struct HeldNode: Sendable, Codable {
    var node: Int
    var cores: Int32
}

/// What a job is, from its submission on. Shared by the elements of an array.
final class JobSpecification: Sendable {
    /// What was asked for. Script and environment are kept for jobs that really run only.
    let request: SubmitRequest
    /// The account that pays.
    let account: String
    /// The array; nil for a job that is none.
    let array: ArrayPlace?
    /// The numbers of the array that it is an element of, or of the heterogeneous job that it is a component
    /// of; nil for a job of its own.
    var family: ClosedRange<UInt32>? {
        if let array { return array.job...(array.job + UInt32(array.count - 1)) }
        guard let het = submission.het else { return nil }
        return het.leader.number...(het.leader.number + UInt32(het.count - 1))
    }
    /// Whether its family has numbers: an image may say anything.
    var isSound: Bool {
        if let array { return array.count > 0 && array.count <= Int(UInt32.max) - Int(array.job) }
        guard let het = submission.het else { return true }
        return (1...Int32(HetMembership.countMaximum)).contains(het.count)
            && (0..<het.count).contains(het.offset)
            && het.leader.number <= UInt32.max - UInt32(het.count)
    }
    /// What the emulator was given first, as far as elements of an array share it.
    let submission: JobSubmission
    /// The account and the QOS of that.
    let submittedTo: Party
    /// The run time of an emulated job; nil when it runs to its limit.
    let runTime: SimDuration?
    /// How an emulated job ends, and which steps it has.
    var outcome: EmulatedOutcome { EmulatedOutcome(request.comment ?? "") }
    /// When it was submitted.
    let submittedAt: SimInstant
    /// The row of the journal that holds the submission, with the script.
    let journalRow: Int64
    /// Whether it is of the background load: emulated wherever it runs, and it writes nothing.
    let isBackground: Bool

    init(
        request: SubmitRequest,
        account: String,
        array: ArrayPlace?,
        submission: JobSubmission,
        submittedTo: Party,
        runTime: SimDuration?,
        submittedAt: SimInstant,
        journalRow: Int64,
        isBackground: Bool
    ) {
        self.request = request
        self.account = account
        self.array = array
        self.submission = submission
        self.submittedTo = submittedTo
        self.runTime = runTime
        self.submittedAt = submittedAt
        self.journalRow = journalRow
        self.isBackground = isBackground
    }
}

/// Where a job is in its life, and what that brings with it.
struct JobStatus: Sendable, Codable {
    enum Phase: Hashable, Sendable, Codable {
        case pending
        case running
        /// Running, and told to stop.
        case completing
        case ended(EndState)
    }

    var phase = Phase.pending
    var name: String
    var comment: String?
    /// The partitions that are tried; the one that it runs in once it has started.
    var partitions: [Int]
    var timeLimit: SimDuration
    var isUnlimited = false
    /// The name of its QOS.
    var qos = "normal"
    var priority: Int64 = 0
    /// Whether an operator gave it that priority.
    var isPriorityFixed = false
    /// Its priority in Slurm's terms when it started; nil before.
    var shownPriority: Int64?
    var nice: Int32 = 0
    var isHeld = false
    /// No partition that it asks for can ever start it; `endReason` says why.
    var isShutOut = false
    var isRequeuable = true
    var notBefore: SimInstant?
    var requestedNodes: Int32 = 1
    var requestedCores: Int64 = 1
    var tasks: Int32 = 1
    var requestedCards: Int64 = 0
    /// Cards that it will hold: of nodes that are given whole all of them, asked for or not.
    var cardsToHold: Int64 = 0
    /// Memory asked for, all nodes together; nil when none was.
    var requestedMemory: ByteCount?
    /// The money that it reserves while it runs; nil when its account is not limited.
    var reservedFee: Fen?

    var startedAt: SimInstant?
    /// When its time limit ends it.
    var deadline: SimInstant?
    /// When an emulated job's own time is over; its deadline when that is earlier.
    var emulatedEnd: SimInstant?
    var endedAt: SimInstant?
    /// Since when it is suspended; nil when it is not.
    var suspendedSince: SimInstant?
    /// How long it was suspended before, since it started.
    var suspendedFor = SimDuration.zero
    /// When it was suspended or resumed last.
    var lastSuspension: SimInstant?
    var restart: Int32 = 0
    /// Nodes held, or last held, with the cores and cards on each.
    var nodes: [HeldNode] = []
    var nodeList = ""
    var coresHeld: Int64 = 0
    var acceleratorsHeld: Int64 = 0
    var cancelledBy: UInt32?
    var exitCode: Int32 = 0
    var signal: Int32 = 0
    /// A reason that is not one of waiting, such as `NonZeroExitCode`.
    var endReason: String?
    var measured: MeasuredRun?
    /// The parallel programs of a rehearsed or emulated run, read at its end.
    var programs: [StepRun] = []
    /// What `yhrun` told of while the job ran.
    var steps: [StepRecord] = []
    /// What it waited for when it was submitted.
    var submittedDependencies: [Dependency] = []
    /// What it still waited for, in Slurm's words, when that ended it; nil for any other.
    var lastDependencies: String?
    /// Of an element of an array: whether something was done to it alone while it waited.
    var isSplitOff = false
    /// What people did to it, in order.
    var actions: [RecordedAction] = []
}

/// One job. Never changed: a change puts another one in its place.
final class JobEntry: Sendable {
    let id: UInt32
    /// Its index in the array.
    let arrayTask: UInt32?
    let specification: JobSpecification
    let status: JobStatus

    init(
        id: UInt32,
        arrayTask: UInt32?,
        specification: JobSpecification,
        status: JobStatus
    ) {
        self.id = id
        self.arrayTask = arrayTask
        self.specification = specification
        self.status = status
    }

    var hasEnded: Bool {
        if case .ended = status.phase { true } else { false }
    }

    /// Whether it is an element of an array that waits in the record of all that were not split off.
    var waitsWithArray: Bool {
        guard let array = specification.array, array.isNumberedLate else { return false }
        return status.phase == .pending && status.restart == 0 && !status.isSplitOff
    }

    /// The same job as another element of its array.
    func asElement(_ task: UInt32?) -> JobEntry {
        JobEntry(id: id, arrayTask: task, specification: specification, status: status)
    }
}

/// The jobs of a centre by number, active ones and those that ended lately.
///
/// Jobs lie in blocks of 256. A copy of the book shares all blocks, and a change copies one block,
/// so a snapshot for readers costs next to nothing however many jobs wait.
struct JobBook: Sendable {
    private static let blockSize = 256
    private var blocks: [[JobEntry?]] = []
    private(set) var count = 0
    /// The last element of an array, or component of a heterogeneous job, by the number of the first: they
    /// follow one another. Kept as long as the book has any of them.
    private var arrays: [UInt32: (last: UInt32, count: Int)] = [:]

    /// The job `id`; nil when there is none, or when it ended long ago.
    subscript(id: UInt32) -> JobEntry? {
        let block = Int(id) / Self.blockSize
        guard block < blocks.count, !blocks[block].isEmpty else { return nil }
        return blocks[block][Int(id) % Self.blockSize]
    }

    mutating func insert(_ entry: JobEntry) {
        let block = Int(entry.id) / Self.blockSize
        while blocks.count <= block { blocks.append([]) }
        if blocks[block].isEmpty {
            blocks[block] = Array(repeating: nil, count: Self.blockSize)
        }
        precondition(blocks[block][Int(entry.id) % Self.blockSize] == nil, "job \(entry.id) twice")
        blocks[block][Int(entry.id) % Self.blockSize] = entry
        count += 1
        if let family = entry.specification.family {
            arrays[family.lowerBound, default: (family.upperBound, 0)].count += 1
        }
    }

    /// Changes the status of a job that is there.
    mutating func update(_ id: UInt32, _ change: (inout JobStatus) -> Void) {
        let block = Int(id) / Self.blockSize
        let place = Int(id) % Self.blockSize
        guard block < blocks.count, !blocks[block].isEmpty, let entry = blocks[block][place] else {
            preconditionFailure("job \(id) is not in the book")
        }
        var status = entry.status
        change(&status)
        blocks[block][place] = JobEntry(
            id: id,
            arrayTask: entry.arrayTask,
            specification: entry.specification,
            status: status
        )
    }

    /// Puts another entry in the place of a job's that is there.
    mutating func replace(_ entry: JobEntry) {
        let block = Int(entry.id) / Self.blockSize
        let place = Int(entry.id) % Self.blockSize
        guard block < blocks.count, !blocks[block].isEmpty, blocks[block][place] != nil else {
            preconditionFailure("job \(entry.id) is not in the book")
        }
        blocks[block][place] = entry
    }

    mutating func remove(_ id: UInt32) {
        let block = Int(id) / Self.blockSize
        let place = Int(id) % Self.blockSize
        guard block < blocks.count, !blocks[block].isEmpty, let entry = blocks[block][place] else {
            return
        }
        blocks[block][place] = nil
        count -= 1
        if let first = entry.specification.family?.lowerBound {
            arrays[first]?.count -= 1
            if arrays[first]?.count == 0 { arrays[first] = nil }
        }
        if blocks[block].allSatisfy({ $0 == nil }) { blocks[block] = [] }
    }

    /// Calls `body` for every job, by number.
    func forEach(_ body: (JobEntry) -> Void) {
        for block in blocks {
            for case let entry? in block { body(entry) }
        }
    }

    /// Calls `body` for every job of `later` that this book does not have as it is there, with what it
    /// has instead. Blocks that both share are passed over.
    func forEachChange(to later: JobBook, _ body: (JobEntry?, JobEntry) -> Void) {
        for (number, block) in later.blocks.enumerated() where !block.isEmpty {
            let own = number < blocks.count ? blocks[number] : []
            let isShared = own.withUnsafeBufferPointer { one in
                block.withUnsafeBufferPointer { one.baseAddress == $0.baseAddress }
            }
            if isShared { continue }
            for (place, entry) in block.enumerated() {
                let old = own.isEmpty ? nil : own[place]
                if let entry, entry !== old { body(old, entry) }
            }
        }
    }

    /// The numbers that a job's number stands for: those of all elements when it is an array's, of all
    /// components when it is that of the first.
    func numbers(of id: UInt32) -> ClosedRange<UInt32> {
        id...(arrays[id]?.last ?? id)
    }

    /// The jobs and elements of arrays that numbers stand for, each once, in the order of the numbers.
    func entries(_ ids: [UInt32]) -> [JobEntry] {
        var seen: Set<UInt32> = []
        var found: [JobEntry] = []
        for id in ids {
            for entry in entries(JobSelector(jobID: id)) where seen.insert(entry.id).inserted {
                found.append(entry)
            }
        }
        return found
    }

    /// The jobs that a selector means: one, an array, or elements of it.
    func entries(_ selector: JobSelector) -> [JobEntry] {
        var entries = numbers(of: selector.jobID).compactMap { self[$0] }
        // The element with the array's number is the last to start.
        if let first = entries.first, entries.count > 1, first.id == selector.jobID,
            first.specification.array?.isNumberedLate ?? false
        {
            entries.append(entries.removeFirst())
        }
        if let component = selector.component {
            return entries.filter { entry in
                entry.specification.submission.het.map { UInt32($0.offset) == component } ?? false
            }
        }
        guard arrays[selector.jobID] != nil, let tasks = selector.arrayTasks.map(Set.init)
        else { return entries }
        return entries.filter { $0.arrayTask.map(tasks.contains) ?? false }
    }
}
