/// How a real job came to its end, as its supervisor saw it.
public struct StepOutcome: Hashable, Sendable {
    /// The exit status, 0 when a signal ended it.
    public var exitCode: Int32 = 0
    /// The signal that ended it, 0 for none. 53 stands for a launch that failed, as in Slurm.
    public var signal: Int32 = 0
    /// The time from the start to the end of its last process, or until it was told to end: what it
    /// takes to do so is not held. By a monotonic clock. Unit: µs.
    public var wallMicroseconds: Int64 = 0
    /// The processor time of all its processes. Unit: µs.
    public var cpuMicroseconds: Int64 = 0
    /// The largest resident set of one of its processes. Unit: KiB.
    public var largestResidentKibibytes: Int64 = 0
    /// Why it could not be launched; nil when it was.
    public var launchProblem: String?
    /// Whether a rehearsed script was killed since it computed on: the job goes on without it.
    public var isOverdue = false
    /// Whether nobody knows its end: its supervisor died without a word.
    public var isLost = false

    /// Makes the outcome of a job that ended with status zero at once.
    public init() {}
}

/// The status file that a supervisor leaves in the job's folder, a line an event.
///
///     started PID TICKS BOOT
///     ended CODE SIGNAL WALL_US CPU_US RSS_KIB
///     refused EXIT SIGNAL TEXT
///     overdue computing
struct StepStatus {
    var child: ProcessIdentity?
    var outcome: StepOutcome?

    /// Reads what is there; a missing file is a step that has not begun.
    init(path: String) {
        for line in SmallFile.finishedLines(path) {
            let parts = line.split(separator: " ", maxSplits: 1)
            guard parts.count == 2 else { continue }
            switch parts[0] {
            case "started": child = ProcessIdentity(parsing: parts[1])
            case "ended": outcome = Self.ended(parts[1])
            case "refused": outcome = Self.refused(parts[1])
            case "overdue":
                var outcome = StepOutcome()
                outcome.isOverdue = true
                self.outcome = outcome
            default: continue
            }
        }
    }

    private static func ended(_ text: Substring) -> StepOutcome? {
        let numbers = text.split(separator: " ").compactMap { Int64($0) }
        guard numbers.count == 5 else { return nil }
        var outcome = StepOutcome()
        outcome.exitCode = Int32(truncatingIfNeeded: numbers[0])
        outcome.signal = Int32(truncatingIfNeeded: numbers[1])
        outcome.wallMicroseconds = numbers[2]
        outcome.cpuMicroseconds = numbers[3]
        outcome.largestResidentKibibytes = numbers[4]
        return outcome
    }

    private static func refused(_ text: Substring) -> StepOutcome? {
        let parts = text.split(separator: " ", maxSplits: 2)
        guard parts.count == 3, let code = Int32(parts[0]), let signal = Int32(parts[1]) else {
            return nil
        }
        var outcome = StepOutcome()
        outcome.exitCode = code
        outcome.signal = signal
        outcome.launchProblem = String(parts[2])
        return outcome
    }

    static let overdue = "overdue computing"

    static func line(started child: ProcessIdentity) -> String { "started \(child)" }

    static func line(ended outcome: StepOutcome) -> String {
        "ended \(outcome.exitCode) \(outcome.signal) \(outcome.wallMicroseconds)"
            + " \(outcome.cpuMicroseconds) \(outcome.largestResidentKibibytes)"
    }

    static func line(refused problem: String, exitCode: Int32, signal: Int32) -> String {
        "refused \(exitCode) \(signal) \(problem)"
    }
}

/// The files of one run of one job, `FOLDER/ID.RESTART`.
public struct StepFolder: Hashable, Sendable {
    /// The folder.
    public var path: String

    /// Names the folder of run `restart` (0 for the first) of job `jobID` below `root`.
    public init(root: String, jobID: UInt32, restart: Int) {
        path = "\(root)/\(jobID).\(restart)"
    }

    /// Names the folder by its path.
    public init(path: String) {
        self.path = path
    }

    /// What to start.
    public var specification: String { path + "/specification" }
    /// The script, as the job runs it.
    public var script: String { path + "/slurm_script" }
    /// The identity of the supervisor; it exists from the moment a supervisor has the job.
    public var supervisor: String { path + "/supervisor" }
    /// What has happened.
    public var status: String { path + "/status" }
    /// What the supervisor writes into the job's standard error before it ends the job.
    public var notice: String { path + "/notice" }
    /// Where kernels leave what they measured (`XINGHE_MEASURE`).
    public var measure: String { path + "/measure" }
    /// How many ranks `mpirun` may start.
    public var hostfile: String { path + "/hostfile" }
}

extension StepFolder {
    /// How much of a measurement file is read. Unit: byte.
    public static let measurementMaximum = 16 << 20
    /// The longest line of it that is read. Unit: byte.
    public static let measuredLineMaximum = 16 << 10

    /// Calls `body` with each line of the measurement file that is not empty; with nil for one that
    /// is too long, or that no newline finishes. Returns how many bytes lie beyond the maximum.
    ///
    /// - Throws: `ExecutionFailure` when there is no such file, or the job left something else there.
    public func forEachMeasuredLine(
        _ body: (ArraySlice<UInt8>?) -> Void
    ) throws(ExecutionFailure) -> Int {
        var line: [UInt8] = []
        let unread = try SmallFile.forEachChunk(of: measure, maximum: Self.measurementMaximum) {
            var rest = $0
            while let end = rest.firstIndex(of: 0x0A) {
                line += rest[..<end]
                if !line.isEmpty { body(line.count > Self.measuredLineMaximum ? nil : line[...]) }
                line.removeAll(keepingCapacity: true)
                rest = rest[(end + 1)...]
            }
            // Of a line that is too long no more is kept than shows it.
            line += rest.prefix(Self.measuredLineMaximum + 1 - line.count)
        }
        if !line.isEmpty { body(nil) }
        return unread
    }

    /// How a run was told to end, in Slurm's words, by the notice that it was sent; nil when it was
    /// not told.
    public var noticedEnd: String? {
        let text = String(decoding: (try? SmallFile.read(notice)) ?? [], as: UTF8.self)
        if text.contains("DUE TO TIME LIMIT") { return "TIMEOUT" }
        return text.contains("CANCELLED AT") ? "CANCELLED" : nil
    }

    /// What was started; nil when that is not written down.
    public var startedSpecification: StepSpecification? {
        (try? SmallFile.read(specification)).flatMap { StepSpecification(decoding: $0) }
    }
}
