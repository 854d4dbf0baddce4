public import WireFormats

/// The jobs that one request names by their numbers: `20`, `20_3`, `20_[3-5]`. A few bytes name many
/// elements, so these are counted, and whether a job is one of them takes the same time however many there are.
public struct JobSelection: Sendable {
    /// More are not named by one request; each named element of an array is one.
    public static let maximum = 100_000

    /// Why words are no selection.
    public enum Problem: Error, Hashable, Sendable {
        /// A word is no number of a job.
        case notJob
        /// More than `maximum` are named.
        case tooMany

        /// A sentence for whoever asked.
        public var text: String {
            switch self {
            case .notJob: "the number of a job expected"
            case .tooMany: "more than \(JobSelection.maximum) jobs in one request"
            }
        }
    }

    /// What is named, in the order of the words.
    public private(set) var selectors: [JobSelector] = []
    private var whole: Set<UInt32> = []
    private var elements: Set<UInt64> = []

    /// Reads a job in each word.
    ///
    /// - Throws: `Problem`.
    public init(_ words: [String]) throws(Problem) {
        var count = 0
        for word in words {
            guard let job = OptionValues.job(word) else { throw .notJob }
            count += max(1, job.arrayTasks?.count ?? 1)
            guard count <= Self.maximum else { throw .tooMany }
            selectors.append(job)
            if let tasks = job.arrayTasks {
                for task in tasks { elements.insert(Self.element(job.jobID, task)) }
            } else {
                whole.insert(job.jobID)
            }
        }
    }

    /// Reads words with commas between them, those within brackets excepted: `20_[1,3],21`.
    ///
    /// - Throws: `Problem`.
    public init(list text: String) throws(Problem) {
        try self.init(listOutsideBrackets(text))
    }

    /// Whether the job of these numbers is named, as `JobSelector.selects` says it of one.
    public func selects(jobID: UInt32, arrayJobID: UInt32?, arrayTaskID: UInt32?) -> Bool {
        if whole.contains(jobID) { return true }
        guard let arrayJobID else { return false }
        if whole.contains(arrayJobID) { return true }
        guard let arrayTaskID else { return false }
        return elements.contains(Self.element(arrayJobID, arrayTaskID))
    }

    /// Whether `job` is named.
    public func selects(_ job: JobInfo) -> Bool {
        selects(jobID: job.jobID, arrayJobID: job.arrayJobID, arrayTaskID: job.arrayTaskID)
    }

    private static func element(_ job: UInt32, _ task: UInt32) -> UInt64 {
        UInt64(job) << 32 | UInt64(task)
    }
}
