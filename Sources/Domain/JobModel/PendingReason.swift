/// The number of a job. Numbers are given once and never again.
public struct JobID: Hashable, Comparable, Sendable, CustomStringConvertible, Codable {
    /// The number itself, from 1.
    public var number: UInt32

    /// Makes the identity of job `number`.
    public init(_ number: UInt32) {
        self.number = number
    }

    /// Whether `left` was numbered before `right`.
    public static func < (left: Self, right: Self) -> Bool { left.number < right.number }

    /// The number in decimal.
    public var description: String { String(number) }
}

/// How a job ended. Names are Slurm's (`slurm.h`, `enum job_states`).
public enum EndState: UInt8, Hashable, Sendable, CaseIterable, Codable {
    /// Exit status zero.
    case completed
    /// Exit status other than zero, or killed by a signal of its own.
    case failed
    /// Its time limit was reached.
    case timeout
    /// A user or operator cancelled it.
    case cancelled
    /// A node that it held failed.
    case nodeFail
    /// It gave way to a job of higher quality of service.
    case preempted
    /// It used more memory than it held.
    case outOfMemory
    /// It could not be over by its deadline any more.
    case deadline

    /// Slurm's long name, as `sacct` prints it.
    public var slurmName: String {
        switch self {
        case .completed: "COMPLETED"
        case .failed: "FAILED"
        case .timeout: "TIMEOUT"
        case .cancelled: "CANCELLED"
        case .nodeFail: "NODE_FAIL"
        case .preempted: "PREEMPTED"
        case .outOfMemory: "OUT_OF_MEMORY"
        case .deadline: "DEADLINE"
        }
    }

    /// Slurm's code of two or three letters, as `squeue` prints it.
    public var slurmCode: String {
        switch self {
        case .completed: "CD"
        case .failed: "F"
        case .timeout: "TO"
        case .cancelled: "CA"
        case .nodeFail: "NF"
        case .preempted: "PR"
        case .outOfMemory: "OOM"
        case .deadline: "DL"
        }
    }
}

/// Why a job waits. Names are Slurm's, plus Tianhe-1A's `QuotaConstrained`.
public enum PendingReason: Hashable, Sendable, Codable {
    /// No scheduling pass has looked at it yet.
    case none
    /// A job before it in the queue waits too.
    case priority
    /// It is the head of its queue and its resources are in use.
    case resources
    /// A job that it depends on has not reached the state asked for.
    case dependency
    /// A job that it depends on ended in another state.
    case dependencyNeverSatisfied
    /// Its user holds it.
    case jobHeldUser
    /// An operator holds it.
    case jobHeldAdmin
    /// The time given by `--begin` has not come, or it was requeued just now.
    case beginTime
    /// It asks for more nodes than its partition gives to one job.
    case partitionNodeLimit
    /// It asks for more time than its partition gives.
    case partitionTimeLimit
    /// Its partition does not start jobs.
    case partitionDown
    /// Its partition takes no jobs.
    case partitionInactive
    /// Nodes that it needs are down or drained.
    case reqNodeNotAvail
    /// A limit of its association or QOS leaves no room.
    case limit(LimitReason)
    /// Its account's concurrent quota of nodes or cores is in use although nodes are idle.
    case quotaConstrained
    /// As many elements of its array run as its `%` limit allows.
    case jobArrayTaskLimit
    /// Licences that it needs are in use.
    case licenses
    /// Its account's balance does not cover the hold.
    case assocGrpBillingMinutes
    /// Its reservation has not begun, or has not the nodes.
    case reservation
    /// Its reservation is gone; it waits until it is released.
    case reservationDeleted
    /// It would run into the maintenance of nodes.
    case reservedForMaintenance
    /// Nodes that it names are reserved for others.
    case reservedForOthers
    /// It could not be over by its deadline any more.
    case deadline

    /// Whether it is about what the job asks for, where it waits for nothing that may free itself.
    public var isOfItsRequest: Bool {
        switch self {
        case .partitionNodeLimit, .partitionTimeLimit, .limit, .quotaConstrained: true
        case .none, .priority, .resources, .dependency, .dependencyNeverSatisfied, .jobHeldUser,
            .jobHeldAdmin, .beginTime, .partitionDown, .partitionInactive, .reqNodeNotAvail,
            .jobArrayTaskLimit, .licenses, .assocGrpBillingMinutes, .reservation,
            .reservationDeleted, .reservedForMaintenance, .reservedForOthers, .deadline:
            false
        }
    }

    /// Slurm's name, as `squeue` prints it in the last column.
    public var slurmName: String {
        switch self {
        case .none: "None"
        case .priority: "Priority"
        case .resources: "Resources"
        case .dependency: "Dependency"
        case .dependencyNeverSatisfied: "DependencyNeverSatisfied"
        case .jobHeldUser: "JobHeldUser"
        case .jobHeldAdmin: "JobHeldAdmin"
        case .beginTime: "BeginTime"
        case .partitionNodeLimit: "PartitionNodeLimit"
        case .partitionTimeLimit: "PartitionTimeLimit"
        case .partitionDown: "PartitionDown"
        case .partitionInactive: "PartitionInactive"
        case .reqNodeNotAvail: "ReqNodeNotAvail"
        case .limit(let reason): reason.slurmName
        case .quotaConstrained: "QuotaConstrained"
        case .jobArrayTaskLimit: "JobArrayTaskLimit"
        case .licenses: "Licenses"
        case .assocGrpBillingMinutes: "AssocGrpBillingMinutes"
        case .reservation: "Reservation"
        case .reservationDeleted: "ReservationDeleted"
        case .reservedForMaintenance: "ReqNodeNotAvail, Reserved for maintenance"
        case .reservedForOthers: "ReqNodeNotAvail, May be reserved for other job"
        case .deadline: "DeadLine"
        }
    }
}
