public import WireFormats

/// One recorded job, as far as a replay needs it. 64 bytes.
public struct TraceJob: Hashable, Sendable {
    /// Its number in the log.
    public var id: Int64
    /// When it was submitted, from the start of the log. Unit: µs.
    public var submitted: Int64
    /// How long it ran, or would have run without its limit. Unit: µs.
    public var runTime: Int64
    /// What its user asked for. Unit: µs.
    public var timeLimit: Int64
    /// The processors that it asked for.
    public var processors: Int32
    /// The line of the log that it stands on, from 1.
    public var line: Int32
    /// The user, −1 when the log does not tell.
    public var user: Int32
    /// The group (an account, where the log has those), −1 when the log does not tell.
    public var group: Int32
    /// The queue, −1 when the log does not tell.
    public var queue: Int32
    /// The partition, −1 when the log does not tell.
    public var partition: Int32
    /// How long it waited where it was recorded, −1 when the log does not tell. Unit: s.
    public var waitSeconds: Int32
    /// How it ended: the status of SWF (1 completed, 0 failed, 5 cancelled), −1 when the log does not
    /// tell.
    public var status: Int8

    /// Makes a job.
    public init(
        id: Int64,
        submitted: Int64,
        runTime: Int64,
        timeLimit: Int64,
        processors: Int32,
        line: Int32 = 0,
        user: Int32 = -1,
        group: Int32 = -1,
        queue: Int32 = -1,
        partition: Int32 = -1,
        waitSeconds: Int32 = -1,
        status: Int8 = -1
    ) {
        self.id = id
        self.submitted = submitted
        self.runTime = runTime
        self.timeLimit = timeLimit
        self.processors = processors
        self.line = line
        self.user = user
        self.group = group
        self.queue = queue
        self.partition = partition
        self.waitSeconds = waitSeconds
        self.status = status
    }
}

/// What a job asks for on nodes that are shared: equal chunks, each on one node.
public struct TraceRequest: Hashable, Sendable {
    /// How many chunks.
    public var chunks: Int32
    /// Of each chunk. Unit: 1/1000 core.
    public var milliCores: Int32
    /// Of each chunk. Unit: MiB.
    public var memoryMebibytes: Int32
    /// Cards of each chunk.
    public var cards: Int32
    /// The share of its card that a chunk of one card asks for; 1000 is the whole card.
    public var milliCard: Int32
    /// The card models that will do, as a position in `Trace.cardModelSets`; −1 when all will.
    public var cardModels: Int32

    /// Makes a request.
    public init(
        chunks: Int32 = 1,
        milliCores: Int32,
        memoryMebibytes: Int32 = 0,
        cards: Int32 = 0,
        milliCard: Int32 = 1000,
        cardModels: Int32 = -1
    ) {
        self.chunks = chunks
        self.milliCores = milliCores
        self.memoryMebibytes = memoryMebibytes
        self.cards = cards
        self.milliCard = milliCard
        self.cardModels = cardModels
    }
}

/// Why a row of a log became no job.
public enum DropReason: Int, Hashable, Sendable, CaseIterable {
    /// The row is not a row of the format.
    case malformed
    /// Status 2, 3 or 4: one of several partial executions of a job.
    case partialExecution
    /// Another row has the same job number: an earlier one of an SWF log, a later one of a table.
    case repeatedID
    /// The run time is not known.
    case unknownRunTime
    /// Neither processors asked for nor processors used are known.
    case unknownSize
    /// The time of submission is not known.
    case unknownSubmission
    /// It never started, so nobody knows how long it would have run.
    case neverStarted
    /// A step of a job, not a job.
    case step
    /// A run time or a limit beyond 300 years, or a submission beyond 8,000.
    case outOfRange
    /// `--filter strong`: it did not run, asked for no time, or is larger than the machine.
    case filtered

    /// What the report says.
    public var text: String {
        switch self {
        case .malformed: "malformed"
        case .partialExecution: "partial executions (status 2-4)"
        case .repeatedID: "repeated job numbers"
        case .unknownRunTime: "unknown run time"
        case .unknownSize: "unknown or impossible number of processors"
        case .unknownSubmission: "unknown submit time"
        case .neverStarted: "never started"
        case .step: "steps of jobs"
        case .outOfRange: "times beyond 300 years (submissions: 8,000)"
        case .filtered: "filtered (--filter strong)"
        }
    }
}

/// A row that is not a row of the format.
public struct MalformedRow: Error, Hashable, Sendable {
    /// The line, from 1.
    public var line: Int
    /// The field, from 1; 0 when the row as a whole is wrong.
    public var field: Int
    /// What is wrong.
    public var problem: String

    /// Makes a report.
    public init(line: Int, field: Int, problem: String) {
        self.line = line
        self.field = field
        self.problem = problem
    }
}

/// A log, read: jobs in the order (submit, id, line), and what was left out.
public struct Trace: Sendable {
    /// The jobs, by submission, then number, then line.
    public var jobs: ContiguousArray<TraceJob> = []
    /// Processors of the machine: `MaxProcs`, else `MaxNodes`; nil when the header has neither.
    public var machineProcessors: Int?
    /// When the log starts. Unit: s since 1970-01-01 UTC; zero when the header does not tell.
    public var unixStartTime: Int64 = 0
    /// Header lines `; Name: value`, in order.
    public var header: [(name: String, value: String)] = []
    /// Rows that became no job, by reason.
    public var dropped: [DropReason: Int] = [:]
    /// The first few malformed rows, for the report.
    public var malformedRows: [MalformedRow] = []
    /// Jobs that gave no limit and got their run time as limit.
    public var withoutLimit = 0
    /// Jobs whose size is the one they were given, because the log does not tell the one they
    /// asked for.
    public var withAllocatedSize = 0
    /// Jobs of a log in the Standard Workload Format whose size has a fraction; it was rounded up.
    public var withFractionalSize = 0
    /// Jobs whose run time was cut at their limit by `--filter strong`.
    public var cutAtLimit = 0
    /// Rows that stand after one that was submitted later.
    public var outOfOrder = 0
    /// A start of the log that is no time from 1970 to 9999, as the header has it; zero is taken.
    public var badStartTime: String?
    /// The form that the log was read as.
    public var format = LogFormat.swf
    /// Rows that are neither comments nor empty.
    public var rowCount = 0
    /// What job `i` asks for on shared nodes; empty for a log that counts processors only.
    public var requests: ContiguousArray<TraceRequest> = []
    /// Sets of card models that requests name, e.g. `["V100M16", "V100M32"]`.
    public var cardModelSets: [[String]] = []
    /// What decided about job `i` where it was recorded; empty for a log that does not tell of all.
    public var records: ContiguousArray<RecordedJob> = []
    /// What else is told of job `i`; empty for a log that does not tell of all.
    public var details: ContiguousArray<TraceDetail> = []
    /// What jobs asked of nodes' features, `a100&ib`, by its number.
    public var constraintTexts: [String] = []
    /// What jobs waited for, `afterok:12`, by its number.
    public var dependencyTexts: [String] = []
    /// The rows of a log in the Standard Workload Format, where somebody asked to keep them.
    public var rows = KeptRows()
    /// Names of users by their number; empty for a log that has numbers only.
    public var userNames: [String] = []
    /// Names of groups (accounts) by their number; empty for a log that has numbers only.
    public var groupNames: [String] = []
    /// Names of queues (QOS) by their number; empty for a log that has numbers only.
    public var queueNames: [String] = []
    /// Names of partitions by their number; empty for a log that has numbers only.
    public var partitionNames: [String] = []

    /// The longest run time and limit that a replay takes: 300 years. Unit: µs.
    public static let durationMaximum: Int64 = 300 * 365 * 86_400 * 1_000_000

    /// The last instant that a log may name, the end of the year 9999, and as far from its start as a
    /// submission may be. Unit: µs, since 1970.
    public static let instantMaximum: Int64 = 253_402_300_799_000_000

    /// Makes an empty trace.
    public init() {}

    /// Makes every job's limit its run time, as if users knew it.
    ///
    /// A job that its limit would have ended runs to that limit.
    public mutating func makeEstimatesExact() {
        for index in jobs.indices {
            jobs[index].runTime = min(jobs[index].runTime, jobs[index].timeLimit)
            jobs[index].timeLimit = jobs[index].runTime
        }
    }

    /// A time by which all jobs have ended on a machine of `processors` that never idles while a job
    /// fits, whatever the policy. Unit: µs since 1970, as a double because it may be absurd.
    ///
    /// Jobs wider than half of the machine run one after another; of others, at least half of the
    /// machine is in use.
    public func latestEnd(onProcessors processors: Int) -> Double {
        let machine = Double(max(1, processors))
        var work = 0.0
        var longest = 0.0
        for job in jobs {
            let length = Double(max(job.runTime, job.timeLimit))
            work += length * min(1, 2 * Double(job.processors) / machine)
            longest = max(longest, length)
        }
        return Double(unixStartTime) * 1e6 + Double(jobs.last?.submitted ?? 0) + work + longest
    }

    /// An instant as logs write it, `2026-01-31T08:00:00`, in UTC; nil when it is none. Unit: s.
    public static func seconds(sinceEpoch text: String) -> Int64? {
        guard text.utf8.count >= 19 else { return nil }
        return Array(text.utf8).withUnsafeBytes { FieldBytes.instantSeconds($0) }
    }

    /// The first value of a header line, whatever the case of its name.
    public func headerValue(_ name: String) -> String? {
        header.first { $0.name.lowercased() == name.lowercased() }?.value
    }
}
