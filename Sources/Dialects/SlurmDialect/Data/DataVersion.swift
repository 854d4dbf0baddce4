/// A version of Slurm's data model, by the number that its REST has in the path: `v0.0.42`.
public enum DataVersion: String, Hashable, Sendable, CaseIterable {
    /// Slurm 24.05.
    case v41 = "v0.0.41"
    /// Slurm 24.11.
    case v42 = "v0.0.42"
    /// Slurm 25.05.
    case v43 = "v0.0.43"
    /// Slurm 25.11.
    case v44 = "v0.0.44"

    /// What the commands write where no version is named.
    public static let usual = DataVersion.v42

    /// Where versions differ in what a centre says and reads: all that is not named here is in each of them.
    enum Difference: Hashable, Sendable {
        /// Of a submission: its result once more as an object; of a change: the job's number beside the results.
        case doubledResults
        /// Of shares: `effective_usage` and `fairshare` as plain numbers rather than as objects.
        case plainShares
        /// Of a job that is asked for: `exclusive` and `oversubscribe` beside `shared`.
        case severalWaysToShare
        /// Of a controller's answer to a ping: `responding` and `primary`.
        case pingFlags
        /// Of a QOS: `limits/max/jobs/count` and `limits/max/tres/minutes/total`.
        case groupLimitsOfQOS
        /// Of a job that is asked for: `oom_kill_step`.
        case outOfMemoryStep
        /// Of a record: `restart_cnt`.
        case recordedRestarts
        /// Of a job: `licenses_allocated`.
        case allocatedLicenses
        /// Of a job: names of files filled in, beside the patterns.
        case expandedFiles
        /// Of a licence: `Nodes`.
        case licenseNodes
        /// Of a job that is asked for: `step_id`.
        case stepOfRequest
        /// `slurmdb/…/ping`.
        case accountsPing
        /// Making and changing reservations.
        case reservationChanges

        /// The versions that have it.
        ///
        /// Source: Slurm's OpenAPI descriptions of the four, compared member by member.
        fileprivate var versions: ClosedRange<Int> {
            switch self {
            case .doubledResults, .plainShares, .severalWaysToShare: 0...0
            case .pingFlags, .groupLimitsOfQOS, .outOfMemoryStep, .recordedRestarts, .accountsPing:
                1...3
            case .allocatedLicenses, .expandedFiles, .reservationChanges: 2...3
            case .licenseNodes, .stepOfRequest: 3...3
            }
        }
    }

    /// Whether `slurmdb/…/ping` is there.
    public var hasAccountsPing: Bool { has(.accountsPing) }

    /// Whether reservations can be made and changed.
    public var changesReservations: Bool { has(.reservationChanges) }

    /// Whether this version has it.
    func has(_ difference: Difference) -> Bool {
        difference.versions.contains(Self.allCases.firstIndex(of: self) ?? 0)
    }
}
