public import Quantities

/// What a job waits for of others: one rule, however many jobs it is about. Names are those of
/// `sbatch --dependency`.
public struct Dependency: Hashable, Sendable, Codable {
    /// The state that is waited for. Of an array all elements must have come so far.
    public enum Kind: UInt8, Hashable, Sendable, CaseIterable, Codable {
        /// The other jobs have started or were cancelled, and `delay` has passed since.
        case after
        /// The other jobs have ended.
        case afterAny
        /// The other jobs have completed with exit status zero.
        case afterOK
        /// The other jobs have ended, one of them otherwise.
        case afterNotOK
        /// The element of the other array with the job's own index has completed with exit status zero.
        case afterCorresponding
        /// The other jobs have ended and their burst buffers are written out: here, as nodes have no
        /// burst buffers, that they have ended.
        case afterBurstBuffer
        /// No job of the same user and name runs or is suspended, and none with a lower number waits.
        case singleton
    }

    /// The state that is waited for.
    public var kind: Kind
    /// The numbers of the other jobs: one, or those of an array's elements. Without meaning for
    /// `singleton`.
    public var jobs: ClosedRange<UInt32>
    /// For `after`: how long after the start.
    public var delay: SimDuration

    /// Makes a dependency on the jobs of a range.
    public init(_ kind: Kind, _ jobs: ClosedRange<UInt32>, delay: SimDuration = .zero) {
        self.kind = kind
        self.jobs = jobs
        self.delay = delay
    }

    /// Makes a dependency on one job.
    public init(_ kind: Kind, _ job: JobID, delay: SimDuration = .zero) {
        self.init(kind, job.number...job.number, delay: delay)
    }

    /// A dependency on a job that nobody knows, which counts as fulfilled.
    public static func unknown(_ kind: Kind) -> Self { Self(kind, UInt32.max...UInt32.max) }

    /// The rule that jobs of one user and name run one after another.
    public static let singleton = Self(.singleton, 0...0)
}

extension Dependency.Kind {
    /// The word of `--dependency`.
    public var slurmName: String {
        switch self {
        case .after: "after"
        case .afterAny: "afterany"
        case .afterOK: "afterok"
        case .afterNotOK: "afternotok"
        case .afterCorresponding: "aftercorr"
        case .afterBurstBuffer: "afterburstbuffer"
        case .singleton: "singleton"
        }
    }

    /// The kind of that word; nil when there is none.
    public init?(slurmName: String) {
        guard let kind = Self.allCases.first(where: { $0.slurmName == slurmName }) else {
            return nil
        }
        self = kind
    }
}
