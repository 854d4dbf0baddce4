public import JobModel
import Quantities
public import WireFormats

// What an image has of each job, property by property as they are declared: see `ImageRecord`.

extension JobBook: Codable {
    /// An entry; elements of an array have one specification.
    private struct Stored: ImageRecord {
        var id: UInt32
        var arrayTask: UInt32?
        var specification: Int
        var status: JobStatus

        static var blank: Stored { Stored(id: 0, specification: 0, status: .blank) }

        mutating func exchange(_ fields: inout ImageFields) throws {
            try fields("id", &id)
            try fields("arrayTask", &arrayTask)
            try fields("specification", &specification)
            try fields.record("status", &status)
        }
    }

    /// What a job is, in parts.
    private struct StoredSpecification: ImageRecord {
        var request: SubmitRequest
        var account: String
        var array: ArrayPlace?
        var submission: JobSubmission
        var submittedTo: Party
        var runTime: SimDuration?
        var submittedAt: SimInstant
        var journalRow: Int64
        var isBackground: Bool

        static var blank: StoredSpecification {
            StoredSpecification(
                request: .blank,
                account: "",
                submission: .blank,
                submittedTo: .blank,
                submittedAt: .epoch,
                journalRow: 0,
                isBackground: false
            )
        }

        mutating func exchange(_ fields: inout ImageFields) throws {
            try fields.record("request", &request)
            try fields("account", &account)
            try fields.optional("array", &array)
            try fields.record("submission", &submission)
            try fields.record("submittedTo", &submittedTo)
            try fields("runTime", &runTime)
            try fields("submittedAt", &submittedAt)
            try fields("journalRow", &journalRow)
            try fields("isBackground", &isBackground)
        }

        /// The specification.
        var whole: JobSpecification {
            JobSpecification(
                request: request,
                account: account,
                array: array,
                submission: submission,
                submittedTo: submittedTo,
                runTime: runTime,
                submittedAt: submittedAt,
                journalRow: journalRow,
                isBackground: isBackground
            )
        }
    }

    private enum Parts: CodingKey {
        case specifications
        case entries
    }

    /// Reads by way of `Codable`.
    init(from decoder: any Decoder) throws {
        let parts = try decoder.container(keyedBy: Parts.self)
        try self.init(
            parts.decode([StoredSpecification].self, forKey: .specifications),
            parts.decode([Stored].self, forKey: .entries)
        )
    }

    func encode(to encoder: any Encoder) throws {
        let (specifications, entries) = stored
        var parts = encoder.container(keyedBy: Parts.self)
        try parts.encode(specifications, forKey: .specifications)
        try parts.encode(entries, forKey: .entries)
    }

    /// The blocks and what is known of arrays follow from the entries.
    private init(_ specifications: [StoredSpecification], _ entries: [Stored]) throws {
        self.init()
        let specifications = specifications.map(\.whole)
        for entry in entries {
            guard specifications.indices.contains(entry.specification), self[entry.id] == nil,
                specifications[entry.specification].isSound
            else {
                throw ValueImage.Failure.malformed("job \(entry.id), or its specification,")
            }
            insert(
                JobEntry(
                    id: entry.id,
                    arrayTask: entry.arrayTask,
                    specification: specifications[entry.specification],
                    status: entry.status
                )
            )
        }
    }

    private var stored: (specifications: [StoredSpecification], entries: [Stored]) {
        var places: [ObjectIdentifier: Int] = [:]
        var specifications: [StoredSpecification] = []
        var entries: [Stored] = []
        entries.reserveCapacity(count)
        forEach { entry in
            let specification = entry.specification
            let known = places[ObjectIdentifier(specification)]
            if known == nil {
                places[ObjectIdentifier(specification)] = specifications.count
                specifications.append(
                    StoredSpecification(
                        request: specification.request,
                        account: specification.account,
                        array: specification.array,
                        submission: specification.submission,
                        submittedTo: specification.submittedTo,
                        runTime: specification.runTime,
                        submittedAt: specification.submittedAt,
                        journalRow: specification.journalRow,
                        isBackground: specification.isBackground
                    )
                )
            }
            entries.append(
                Stored(
                    id: entry.id,
                    arrayTask: entry.arrayTask,
                    specification: known ?? specifications.count - 1,
                    status: entry.status
                )
            )
        }
        return (specifications, entries)
    }
}

extension JobBook: ImageRecord {
    static var blank: JobBook { JobBook() }

    mutating func exchange(_ fields: inout ImageFields) throws {
        var (specifications, entries) = stored
        try fields.records("specifications", &specifications)
        try fields.records("entries", &entries)
        if fields.isReading { self = try JobBook(specifications, entries) }
    }
}

extension Party: ImageRecord {
    static var blank: Party { Party(account: "", qos: "") }

    mutating func exchange(_ fields: inout ImageFields) throws {
        try fields("account", &account)
        try fields("qos", &qos)
    }
}

extension HeldNode: ImageRecord {
    static var blank: HeldNode { HeldNode(node: 0, cores: 0) }

    mutating func exchange(_ fields: inout ImageFields) throws {
        try fields("node", &node)
        try fields("cores", &cores)
    }
}

extension JobID: ImageRecord {
    /// No job.
    public static var blank: JobID { JobID(0) }

    /// Names every stored property.
    public mutating func exchange(_ fields: inout ImageFields) throws {
        try fields("number", &number)
    }
}

extension ResourceRequest: ImageRecord {
    /// One core.
    public static var blank: ResourceRequest { ResourceRequest(chunkCount: 1) }

    /// Names every stored property.
    public mutating func exchange(_ fields: inout ImageFields) throws {
        try fields("chunkCount", &chunkCount)
        try fields("extraChunks", &extraChunks)
        try fields("nodesMinimum", &nodesMinimum)
        try fields("nodesMaximum", &nodesMaximum)
        try fields("coresPerChunk", &coresPerChunk)
        try fields("memoryMebibytesPerChunk", &memoryMebibytesPerChunk)
        try fields("acceleratorsPerChunk", &acceleratorsPerChunk)
        try fields("acceleratorShare", &acceleratorShare)
        try fields("memoryMebibytesPerNode", &memoryMebibytesPerNode)
        try fields("acceleratorsPerNode", &acceleratorsPerNode)
        try fields("chunksPerNodeMaximum", &chunksPerNodeMaximum)
        try fields("isExclusive", &isExclusive)
        try fields("keeper", &keeper)
    }
}

extension JobSubmission: ImageRecord {
    /// One core for no time.
    public static var blank: JobSubmission {
        JobSubmission(id: .blank, request: .blank, timeLimit: .zero)
    }

    /// Names every stored property.
    public mutating func exchange(_ fields: inout ImageFields) throws {
        try fields.record("id", &id)
        try fields.other("partitions", &partitions)
        try fields.record("request", &request)
        try fields("timeLimit", &timeLimit)
        try fields("priority", &priority)
        try fields.optional("array", &array)
        try fields.optional("het", &het)
        try fields.optional("funds", &funds)
        try fields.list("licenses", &licenses)
        try fields("notBefore", &notBefore)
        try fields.optional("hold", &hold)
        try fields("deadline", &deadline)
        try fields("startsBy", &startsBy)
        try fields.list("dependencies", &dependencies)
        try fields("needsAnyDependency", &needsAnyDependency)
        try fields("name", &name)
        try fields.optional("requiredNodes", &requiredNodes)
        try fields.optional("excludedNodes", &excludedNodes)
        try fields("isRequeuable", &isRequeuable)
        try fields.optional("reservation", &reservation)
        try fields("user", &user)
        try fields("account", &account)
        try fields("qos", &qos)
        try fields("isPriorityFixed", &isPriorityFixed)
        try fields("isAwaited", &isAwaited)
    }
}

extension JobStatus: ImageRecord {
    static var blank: JobStatus { JobStatus(name: "", partitions: [], timeLimit: .zero) }

    mutating func exchange(_ fields: inout ImageFields) throws {
        try fields.other("phase", &phase)
        try fields("name", &name)
        try fields("comment", &comment)
        try fields.other("partitions", &partitions)
        try fields("timeLimit", &timeLimit)
        try fields("isUnlimited", &isUnlimited)
        try fields("qos", &qos)
        try fields("priority", &priority)
        try fields("isPriorityFixed", &isPriorityFixed)
        try fields("shownPriority", &shownPriority)
        try fields("nice", &nice)
        try fields("isHeld", &isHeld)
        try fields("isShutOut", &isShutOut)
        try fields("isRequeuable", &isRequeuable)
        try fields("notBefore", &notBefore)
        try fields("requestedNodes", &requestedNodes)
        try fields("requestedCores", &requestedCores)
        try fields("tasks", &tasks)
        try fields("requestedCards", &requestedCards)
        try fields("cardsToHold", &cardsToHold)
        try fields("requestedMemory", &requestedMemory)
        try fields("reservedFee", &reservedFee)
        try fields("startedAt", &startedAt)
        try fields("deadline", &deadline)
        try fields("emulatedEnd", &emulatedEnd)
        try fields("endedAt", &endedAt)
        try fields("suspendedSince", &suspendedSince)
        try fields("suspendedFor", &suspendedFor)
        try fields("lastSuspension", &lastSuspension)
        try fields("restart", &restart)
        try fields.list("nodes", &nodes)
        try fields("nodeList", &nodeList)
        try fields("coresHeld", &coresHeld)
        try fields("acceleratorsHeld", &acceleratorsHeld)
        try fields("cancelledBy", &cancelledBy)
        try fields("exitCode", &exitCode)
        try fields("signal", &signal)
        try fields("endReason", &endReason)
        try fields.optional("measured", &measured)
        try fields.list("programs", &programs)
        try fields.list("steps", &steps)
        try fields.list("submittedDependencies", &submittedDependencies)
        try fields("lastDependencies", &lastDependencies)
        try fields("isSplitOff", &isSplitOff)
        try fields.list("actions", &actions)
    }
}
