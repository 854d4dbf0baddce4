public import MessagePassing
public import Prediction
internal import WireFormats

/// One program of the centre's platforms that does real work and checks its own answer.
///
/// A kernel is made once a run, for one size and one group of ranks: making it allocates and fills
/// its data (first touch by the thread that will use them). `repetition` is the timed part; before
/// each comes `prepare` and after each that counts `verify`, so that what is timed is what is verified:
/// inputs differ from one repetition to the next, and the answer of the last one is spoilt first, so no
/// old result, in an array or in a buffer of a library, can pass for the new one.
///
/// All ranks must reach the same decisions: a refusal depends only on what every rank knows.
protocol Kernel: AnyObject {
    /// What users see of the kernel.
    static var profile: KernelProfile { get }

    /// Bytes of memory that all ranks together need for `shape`.
    static func memory(for shape: [Int], ranks: Int) -> Double

    /// Prepares a run.
    ///
    /// - Throws: `KernelFailure`, when the shape cannot be spread over the ranks or MPI fails.
    init(_ setting: KernelSetting) throws(KernelFailure)

    /// Makes the input of repetition `number`, 0 to warm up, unlike that of others, and spoils the
    /// answer of the one before; not timed.
    func prepare(_ number: Int) throws(KernelFailure)

    /// Does the work once and says how much it was, over all ranks.
    func repetition() throws(KernelFailure) -> Work

    /// Brings the answer of the last repetition to where `answer` and `verify` look; not timed.
    func fetch() throws(KernelFailure)

    /// Judges the answer of the last repetition by the field's criterion. Collective.
    func verify() throws(KernelFailure) -> Verdict

    /// This rank's part of the last repetition's answer; nil for a kernel that has none to keep.
    func answer() -> KernelAnswer?

    /// Seconds of the last repetition, slowest rank, where it timed its parts and did other things
    /// between them; nil where all of it counts.
    var secondsOfParts: Double? { get }

    /// Measures what is no repetition, such as rates in cache. Collective.
    ///
    /// - Returns: Whether its answers were right; the same on all ranks.
    func measureFurther() throws(KernelFailure) -> Bool

    /// What else is worth saying about the run, such as iterations or single rates. Collective.
    func details() throws(KernelFailure) -> [JSONValue.Member]
}

extension Kernel {
    func fetch() throws(KernelFailure) {}

    func answer() -> KernelAnswer? { nil }

    var secondsOfParts: Double? { nil }

    func measureFurther() throws(KernelFailure) -> Bool { true }

    func details() throws(KernelFailure) -> [JSONValue.Member] { [] }
}

/// What a kernel is, and how it judges itself.
public struct KernelProfile: Sendable {
    /// The problem: its name, sizes and work.
    public var form: KernelForm
    /// What it does, in a line.
    public var title: String
    /// How its answer is verified, in a line.
    public var criterion: String
    /// How many threads a rank may have.
    public var maximumThreads: Int

    init(_ form: KernelForm, title: String, criterion: String, maximumThreads: Int = 1) {
        self.form = form
        self.title = title
        self.criterion = criterion
        self.maximumThreads = maximumThreads
    }

    /// The name on the command line.
    public var name: String { form.rawValue }
}

/// What a kernel is told about its run.
struct KernelSetting {
    var world: Communicator
    /// The extents of the whole problem, over all ranks.
    var shape: [Int]
    /// The threads of this rank.
    var team = ThreadTeam(count: 1)
    /// The card that does the work; nil for the processor.
    var card: Card?
}

/// Work done, counted by formula and not by hardware counters.
public struct Work: Hashable, Sendable {
    /// Floating-point operations; integer operations where the kernel says so.
    public var flop: Int64
    /// Bytes that must move between memory and core if caches are perfect.
    public var byte: Int64

    /// Makes an amount of work.
    public init(flop: Int64, byte: Int64) {
        self.flop = flop
        self.byte = byte
    }

    /// Work by formula, in whole operations and bytes.
    init(_ work: KernelWork) {
        self.init(flop: Int64(work.flop), byte: Int64(work.byte))
    }

    static func + (left: Self, right: Self) -> Self {
        Work(flop: left.flop + right.flop, byte: left.byte + right.byte)
    }

    func times(_ count: Int) -> Self {
        Work(flop: flop * Int64(count), byte: byte * Int64(count))
    }
}

/// Whether an answer is right.
public struct Verdict: Hashable, Sendable {
    /// Whether the criterion is met.
    public var isVerified: Bool
    /// The number that the criterion looks at; smaller is better.
    public var residual: Double

    /// An answer is right when `residual` is at most `limit`. Not a number is never right.
    public init(residual: Double, limit: Double) {
        self.residual = residual
        isVerified = residual <= limit
    }

    /// As `init(residual:limit:)`, with further conditions.
    init(residual: Double, limit: Double, and condition: Bool) {
        self.init(residual: residual, limit: limit)
        isVerified = isVerified && condition
    }

    /// Both answers are right; the residual is the larger.
    func and(_ other: Verdict) -> Verdict {
        Verdict(
            residual: largest([residual, other.residual]),
            limit: .infinity,
            and: isVerified && other.isVerified
        )
    }
}

/// The largest of many errors. One that is no number counts as infinite, and so is never forgotten.
struct WorstError {
    private(set) var value = 0.0

    @inline(__always)
    mutating func add(_ error: Double) {
        if !(error <= value) { value = error.isNaN ? .infinity : error }
    }
}

/// Why a kernel does not run.
public enum KernelFailure: Error, Hashable, Sendable {
    /// No kernel has this name.
    case unknownKernel(String)
    /// The text of `--size` means nothing to this kernel.
    case malformedSize(String, kernel: String, meaning: String)
    /// The kernel's integers do not reach so far, however much memory there is.
    case beyondLimit(shape: [Int], limit: String)
    /// The problem cannot be spread over so many ranks.
    case tooManyRanks(Int, shape: [Int], why: String)
    /// The kernel cannot use so many threads a rank.
    case tooManyThreads(Int, maximum: Int, kernel: String)
    /// The problem does not fit in memory; figures in bytes.
    case outOfMemory(needed: Double, available: Double)
    /// More ranks and threads than cores, and nobody asked for that.
    case oversubscribed(needed: Int, cores: Int)
    /// A rank could not be bound to its cores.
    case bindingFailed(String)
    /// The kernel has no code for cards.
    case notOnCards(kernel: String)
    /// There is no card, or none that will do; the sentence says why.
    case noCard(String)
    /// Each card has one rank that feeds it, and more were started.
    case oneRankForCard(Int)
    /// OpenCL refused, with its number of the error.
    case cardFailed(String, call: String, code: Int32)
    /// The kernel has no answer that could be kept.
    case noAnswer(kernel: String)
    /// The answer could not be written to a file.
    case answerNotWritten(path: String, reason: String)
    /// MPI failed; there is no going on.
    case messagePassing(MPIFailure)
}

extension KernelFailure: CustomStringConvertible {
    /// The sentence for people.
    public var description: String {
        switch self {
        case .unknownKernel(let name):
            "no kernel is called '\(name)'; --list shows those there are"
        case .malformedSize(let text, let kernel, let meaning):
            "--size '\(text)' is no size of \(kernel): it takes small, medium, large or \(meaning)"
        case .beyondLimit(let shape, let limit):
            "size \(extentsText(shape)) is too large whatever the memory: \(limit)"
        case .tooManyRanks(let ranks, let shape, let why):
            "size \(extentsText(shape)) cannot be spread over \(ranks) ranks: \(why)"
        case .tooManyThreads(let threads, let maximum, let kernel):
            "--threads \(threads): \(kernel) uses at most \(maximum) a rank; start more ranks"
        case .outOfMemory(let needed, let available):
            "the problem needs \(gibibytes(needed)) GiB of memory "
                + "and \(gibibytes(available)) GiB are free"
        case .oversubscribed(let needed, let cores):
            "\(needed) cores are needed on a node and the ranks were given \(cores): "
                + "start fewer ranks or threads, or accept sharing with --oversubscribe"
        case .bindingFailed(let why):
            "cannot bind to cores: \(why)"
        case .notOnCards(let kernel):
            "--device: \(kernel) has no code for cards; "
                + KernelCatalogue.cardKernels.map { $0.profile.name }.joined(separator: ", ")
                + " have"
        case .noCard(let why):
            "--device: \(why)"
        case .oneRankForCard(let ranks):
            "--device: a run takes one card and one rank, not \(ranks); start a run for each card"
        case .cardFailed(let card, let call, let code):
            "--device: \(card): \(call) failed with OpenCL's error \(code)"
        case .noAnswer(let kernel):
            "--dump: \(kernel) has no answer to write; it looks at each message where it arrives"
        case .answerNotWritten(let path, let reason):
            "--dump \(path): \(reason)"
        case .messagePassing(let failure):
            "\(failure)"
        }
    }
}

private func gibibytes(_ bytes: Double) -> String {
    let tenths = (bytes / 1_073_741_824 * 10).rounded(.up) / 10
    return tenths < 1e15 ? "\(tenths)" : "far too many"
}

/// Runs MPI calls and turns their failure into the kernel's.
func messaging<Result>(
    _ body: () throws(MPIFailure) -> Result
) throws(KernelFailure) -> Result {
    do {
        return try body()
    } catch {
        throw .messagePassing(error)
    }
}
