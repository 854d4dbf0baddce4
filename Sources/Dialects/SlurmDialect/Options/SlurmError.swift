public import WireFormats

/// Slurm's refusals. The raw value travels as `ErrorBody.code`; `text` is Slurm's sentence, word for
/// word, because scripts look for it.
///
/// Source: Slurm 22.05, `src/common/slurm_errno.c`.
public enum SlurmError: String, Error, Hashable, Sendable, CaseIterable {
    /// A partition is not known, or no default partition exists.
    case invalidPartition = "invalid_partition_name"
    /// A cluster is not known.
    case invalidCluster = "invalid_cluster"
    /// An account is not known, or may not use the partition.
    case invalidAccount = "invalid_account"
    /// A quality of service is not known.
    case invalidQOS = "invalid_qos"
    /// A count of nodes is impossible in itself, such as 0.
    case invalidNodeCount = "invalid_node_count"
    /// A named node is not known.
    case invalidNodeName = "invalid_node_name"
    /// No node could ever satisfy the request.
    case requestNotAvailable = "requested_node_config_unavailable"
    /// A partition takes no jobs.
    case partitionNotAvailable = "required_partition_not_avail"
    /// A generic resource is not known.
    case invalidGres = "invalid_gres"
    /// A reservation is not known.
    case invalidReservation = "reservation_invalid"
    /// A user or an account may not use the reservation.
    case reservationAccess = "reservation_access"
    /// Jobs belong to the reservation.
    case reservationBusy = "reservation_busy"
    /// A node is reserved already.
    case reservationOverlap = "reservation_overlap"
    /// A reservation of this name exists.
    case reservationNameTaken = "reservation_name_dup"
    /// Jobs run on the nodes.
    case nodesBusy = "nodes_busy"
    /// A time is not one, or does not go with others.
    case invalidTime = "invalid_time_value"
    /// A licence is not known.
    case invalidLicense = "invalid_licenses"
    /// A feature is not known.
    case invalidFeature = "invalid_feature"
    /// A dependency cannot be understood.
    case dependencyProblem = "dependency"
    /// A job array cannot be understood or is too large.
    case invalidArray = "invalid_array"
    /// The time limit is not given or above the maximum.
    case invalidTimeLimit = "invalid_time_limit"
    /// Only operators may raise a priority.
    case invalidNice = "invalid_nice"
    /// There is no such job.
    case invalidJobID = "invalid_job_id"
    /// The user may not do this.
    case accessDenied = "access_denied"
    /// The job belongs to somebody else.
    case invalidUserID = "user_id_missing"
    /// The job has ended.
    case alreadyDone = "already_done"
    /// The job waits, and the action is for running ones.
    case jobPending = "job_pending"
    /// The job no longer waits, and the change is for pending ones.
    case notPending = "job_not_pending"
    /// The action is switched off for this job.
    case disabled = "disabled"
    /// The action is for the whole of a heterogeneous job.
    case notWholeHetJob = "not_whole_het_job"
    /// A node cannot go to the state asked for.
    case invalidNodeState = "invalid_node_state"
    /// The account holds as many jobs as it may.
    case accountingPolicy = "accounting_policy"
    /// The centre cannot take jobs now, for instance because its disk is full.
    case centreUnavailable = "centre_unavailable"
    /// As many jobs wait and run as the centre takes in.
    case tooManyJobs = "too_many_jobs"
    /// A script, a name, a path or another text is longer than may be.
    case tooLong = "too_long"
    /// A comment asks for a run time or a kernel that cannot be.
    case invalidComment = "invalid_comment"
    /// Whatever else.
    case unspecified = "error"

    /// Slurm's sentence; without a prefix and without a full stop.
    public var text: String {
        switch self {
        case .invalidPartition: "Invalid partition name specified"
        case .invalidCluster: "Invalid cluster name"
        case .invalidAccount: "Invalid account or account/partition combination specified"
        case .invalidQOS: "Invalid qos specification"
        case .invalidNodeCount: "Node count specification invalid"
        case .invalidNodeName: "Invalid node name specified"
        case .requestNotAvailable: "Requested node configuration is not available"
        case .partitionNotAvailable: "Required partition not available (inactive or drain)"
        case .invalidGres: "Invalid generic resource (gres) specification"
        case .invalidReservation: "Requested reservation is invalid"
        case .reservationAccess: "Access denied to requested reservation"
        case .reservationBusy: "Requested reservation is in use"
        case .reservationOverlap: "Requested reservation overlaps with another reservation"
        case .reservationNameTaken: "Duplicate reservation name"
        case .nodesBusy: "Requested nodes are busy"
        case .invalidTime: "Invalid time specified"
        case .invalidLicense: "Invalid license specification"
        case .invalidFeature: "Invalid feature specification"
        case .dependencyProblem: "Job dependency problem"
        case .invalidArray: "Invalid job array specification"
        case .invalidTimeLimit:
            "Requested time limit is invalid (missing or exceeds some limit)"
        case .invalidNice: "Invalid --nice value"
        case .invalidJobID: "Invalid job id specified"
        case .accessDenied: "Access/permission denied"
        case .invalidUserID: "Invalid user id"
        case .alreadyDone: "Job has already finished"
        case .jobPending: "Job is pending execution"
        case .notPending: "Job is no longer pending execution"
        case .disabled: "Requested operation is presently disabled"
        case .notWholeHetJob:
            "Operation not permitted on individual component of heterogeneous job"
        case .invalidNodeState: "Invalid node state specified"
        case .accountingPolicy:
            "Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)"
        case .centreUnavailable: "Unable to contact slurm controller"
        case .tooManyJobs: "Resource temporarily unavailable"
        case .tooLong: "Pathname of a file, directory or other parameter too long"
        case .invalidComment: "Invalid --comment specification"
        case .unspecified: "Unspecified error"
        }
    }

    /// The refusal as it travels, with lines to be printed before the sentence, such as
    /// `invalid partition specified: nosuch`.
    public func body(details: [String] = []) -> ErrorBody {
        ErrorBody(code: rawValue, text: text, details: details)
    }
}
