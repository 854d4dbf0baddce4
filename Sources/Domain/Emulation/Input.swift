public import IndexSets
public import JobModel
public import Quantities

/// Everything that can happen to an emulator. Inputs are what a journal holds.
public enum Input: Hashable, Sendable {
    /// A job arrives.
    case submit(JobSubmission)
    /// A running job has ended: its process exited, or its emulated time is over.
    case jobEnded(JobID, EndState)
    /// A queued job starts now, by a decision that was taken outside: on just these nodes, or, when
    /// none are named, where the placement policy puts it.
    case start(JobID, on: IDSet? = nil)
    /// A job is to go: at once when it waits, after `jobMustStop` when it runs.
    case cancel(JobID)
    /// A pending job is held.
    case hold(JobID, HoldKind)
    /// A held job may start again.
    case release(JobID)
    /// A job gets another time limit.
    case changeTimeLimit(JobID, SimDuration)
    /// A pending job gets another priority: one that takes the place of all factors, or what is added
    /// to them.
    case changePriority(JobID, Int64, isFixed: Bool)
    /// A job gets another name.
    case changeName(JobID, String)
    /// A job may be requeued from now on, or may not.
    case changeRequeuable(JobID, Bool)
    /// A job reserves another amount of money while it runs.
    case changeFunds(JobID, FundsNeed)
    /// A pending job asks for something else. It keeps its number and the time of its submission, and
    /// who waits for it still does.
    case changeRequest(JobSubmission)
    /// A running job stops and waits again.
    case requeue(JobID)
    /// A running job stands still: it keeps what it holds, and the time does not count.
    case suspend(JobID)
    /// A suspended job goes on.
    case resume(JobID)
    /// Nodes fail: what runs on them ends or waits again.
    case nodesDown(IDSet)
    /// Nodes take no new jobs.
    case nodesDrained(IDSet)
    /// Nodes take jobs again.
    case nodesResumed(IDSet)
    /// It becomes known when nodes that are out of service come back; nil when it is not known any more.
    case nodesExpected(IDSet, SimInstant?)
    /// Nodes, or time on any, are kept for some jobs.
    case createReservation(Reservation)
    /// The reservation of this number gets other terms.
    case updateReservation(Reservation)
    /// A reservation that no job belongs to goes away.
    case deleteReservation(ReservationID)
    /// A partition changes its state.
    case partitionState(Int, PartitionState)
    /// A partition takes jobs of so many nodes, and of limits so long, at most; nil is any.
    case partitionLimits(Int, nodes: Int32?, time: SimDuration?)
    /// Another number of elements of a job array may run at once; nil is all.
    case setArrayLimit(JobID, Int32?)
    /// Running jobs of an account may reserve so much money together; nil is no bound. Unit: fen.
    case setPurse(Int32, Int64?)
    /// Accounts, QOS, or what partitions say of them change.
    case changePeople(PeopleChange)
    /// A time that `wake` asked for has come.
    case timer

    /// What goes first among the inputs of one instant; then the order of arrival decides.
    public enum Rank: UInt8, Hashable, Comparable, Sendable {
        /// Ends, so that a node freed at `t` can be given out at `t`.
        case jobEnd
        /// Nodes, partitions and limits.
        case nodeChange
        /// Cancellations and updates of jobs.
        case update
        /// Submissions.
        case submission
        /// Timers.
        case timer
        /// Starts that were decided outside, on what all others have led to.
        case decision

        /// Whether `left` goes first.
        public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
    }

    /// What goes first among the inputs of one instant.
    public var rank: Rank {
        switch self {
        case .jobEnded: .jobEnd
        case .nodesDown, .nodesDrained, .nodesResumed, .partitionState, .partitionLimits,
            .setArrayLimit,
            .setPurse, .changePeople, .nodesExpected, .createReservation, .updateReservation,
            .deleteReservation:
            .nodeChange
        case .cancel, .hold, .release, .changeTimeLimit, .changePriority, .changeName,
            .changeRequeuable, .changeFunds, .changeRequest, .requeue, .suspend, .resume:
            .update
        case .submit: .submission
        case .timer: .timer
        case .start: .decision
        }
    }
}

/// Why an input about a job is refused. Checked in this order; nothing has changed then.
public enum InputRejection: Error, Hashable, Sendable {
    /// No active job has this number.
    case unknownJob(JobID)
    /// The job runs, and only a pending one can be treated so.
    case jobIsRunning(JobID)
    /// The job waits, and only a running one can be treated so.
    case jobIsPending(JobID)
    /// The job runs, but it was cancelled and is about to end.
    case jobIsCancelled(JobID)
    /// The job is suspended already.
    case jobIsSuspended(JobID)
    /// The job is suspended as long as others run on its cores.
    case jobMakesWay(JobID)
    /// The time by which the job is to be over has passed.
    case deadlineIsOver
    /// The submission names no partition, or one that does not exist.
    case unknownPartition
    /// The partition takes no jobs.
    case partitionTakesNoJobs(partition: Int)
    /// No nodes of the partitions could ever take the request, with those that it names and without
    /// those that it excludes.
    case neverFits
    /// It needs licences that there are not, or more of a kind than there are.
    case invalidLicense
    /// A limit on submitted jobs is full, or the job is one that a limit could never let start and its
    /// QOS refuses such jobs.
    case overLimit(PendingReason)
    /// The job is held, depends on another, or waits for its time or its partition.
    case jobMayNotStart(JobID, PendingReason)
    /// Nodes that the job asks for are not free at this instant.
    case doesNotFitNow(JobID)
    /// There is no such reservation.
    case unknownReservation(ReservationID)
    /// The job's user or account may not use the reservation.
    case reservationIsClosed(ReservationID)
    /// The number was given before.
    case reservationExists(ReservationID)
    /// It ends before it begins or before now, is longer than its period, or is too far away.
    case reservationTimes
    /// No node of a partition is a node of the machine with this index.
    case unknownNode(Int)
    /// It overlaps another, and neither `maint` nor `overlap` lets it.
    case reservationOverlaps(ReservationID)
    /// What runs on its nodes may still run when it begins.
    case reservationNodesBusy
    /// So many nodes or cores of the partition at most could be reserved at that time.
    case reservationTooLarge(available: Int64)
    /// Jobs belong to it that the change would strand.
    case reservationInUse(ReservationID)
}
