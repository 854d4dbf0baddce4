public import WireFormats

/// Who is at the other end of the socket, by the kernel's word (`SO_PEERCRED`).
public struct Peer: Hashable, Sendable {
    /// The process; 0 when it cannot be told.
    public var processID: Int32
    /// The user.
    public var userID: UInt32
    /// The user's group.
    public var groupID: UInt32
}

/// Why a request is answered with an error.
public struct ServiceRefusal: Error, Hashable, Sendable {
    /// The HTTP status.
    public var status: Int
    /// What the client is told.
    public var body: ErrorBody

    /// Makes a refusal.
    public init(status: Int, body: ErrorBody) {
        self.status = status
        self.body = body
    }
}

/// What a client may do to one job or array: `POST /v1/jobs/ID/…`.
public enum JobVerb: String, Hashable, Sendable, CaseIterable {
    /// Keep it from starting.
    case hold
    /// Let it start again.
    case release
    /// Stop it and let it wait again.
    case requeue
    /// Let it stand still.
    case suspend
    /// Let it go on.
    case resume
    /// Put it before its user's others.
    case top
}

/// The centre behind the service. The service knows HTTP and JSON; the centre knows neither.
public protocol CentreService: Sendable {
    /// Takes a job in.
    func submit(
        _ request: SubmitRequest,
        _ peer: Peer
    ) async throws(ServiceRefusal) -> SubmitResponse
    /// Takes many jobs in, numbered in their order; each is taken or refused for itself.
    func submit(
        _ requests: [SubmitRequest],
        _ peer: Peer
    ) async -> [Result<SubmitResponse, ServiceRefusal>]
    /// The centre's name.
    var name: String { get }
    /// The names of its clusters, its own first.
    var clusterNames: [String] { get }
    /// The program's version.
    var version: String { get }
    /// The name of the computer on which it is.
    var hostName: String { get }
    /// Whether everybody sees the same queue, so that equal questions have one answer.
    var isQueuePublic: Bool { get }
    /// The queue, as far as the peer may see it.
    func jobs(_ query: JobQuery, _ peer: Peer) async throws(ServiceRefusal) -> JobList
    /// The script of a job, byte for byte.
    func script(_ id: UInt32, _ peer: Peer) async throws(ServiceRefusal) -> [UInt8]
    /// Cancels or signals jobs.
    func cancel(
        _ request: CancelRequest,
        _ peer: Peer
    ) async throws(ServiceRefusal) -> ActionResponse
    /// Holds, releases or requeues.
    func perform(
        _ verb: JobVerb,
        on id: UInt32,
        _ request: JobActionRequest,
        _ peer: Peer
    ) async throws(ServiceRefusal) -> ActionResponse
    /// Changes a job.
    func update(
        _ id: UInt32,
        _ request: JobUpdateRequest,
        _ peer: Peer
    ) async throws(ServiceRefusal) -> ActionResponse
    /// The nodes, or those of some clusters.
    func nodes(
        of clusters: [String]?,
        _ peer: Peer
    ) async throws(ServiceRefusal) -> NodeList
    /// Changes nodes.
    func update(_ request: NodeUpdateRequest, _ peer: Peer) async throws(ServiceRefusal)
    /// The partitions, or those of some clusters.
    func partitions(of clusters: [String]?) async throws(ServiceRefusal) -> PartitionList
    /// Changes a partition.
    func update(_ request: PartitionUpdateRequest, _ peer: Peer) async throws(ServiceRefusal)
    /// The reservations.
    func reservations(_ peer: Peer) async throws(ServiceRefusal) -> ReservationList
    /// Accounts, users and qualities of service.
    func people(_ peer: Peer) async -> PeopleList
    /// A step of a job begins or ends; its number.
    func step(
        _ id: UInt32,
        _ request: StepRequest,
        _ peer: Peer
    ) async throws(ServiceRefusal) -> StepResponse
    /// Gives an allocation without a script back.
    func complete(
        _ id: UInt32,
        _ request: CompleteRequest,
        _ peer: Peer
    ) async throws(ServiceRefusal) -> ActionResponse
    /// What a running job is told of itself.
    func environment(_ id: UInt32, _ peer: Peer) async throws(ServiceRefusal) -> JobEnvironment
    /// How long a program would take in a running job.
    func programTime(
        _ query: ProgramQuery,
        in id: UInt32,
        _ peer: Peer
    ) async throws(ServiceRefusal) -> ProgramTime
    /// Why a job waits, and what would start it sooner.
    func explain(_ id: UInt32, _ peer: Peer) async throws(ServiceRefusal) -> JobExplanation
    /// Makes, changes or removes accounts and users: all that is asked for, or nothing.
    func change(
        _ edits: [PeopleEdit],
        _ peer: Peer
    ) async throws(ServiceRefusal) -> PeopleEditResponse
    /// What the priorities of jobs that wait are made of.
    func priorities(_ peer: Peer) async -> PriorityList
    /// Makes a reservation; its name.
    func reserve(
        _ request: ReservationRequest,
        _ peer: Peer
    ) async throws(ServiceRefusal) -> ReservationName
    /// Changes a reservation; its name.
    func changeReservation(
        _ request: ReservationRequest,
        _ peer: Peer
    ) async throws(ServiceRefusal) -> ReservationName
    /// Ends a reservation; its name.
    func deleteReservation(
        _ request: ReservationName,
        _ peer: Peer
    ) async throws(ServiceRefusal) -> ReservationName
    /// The accounts' records, as far as the peer may see them.
    func accounting(
        _ query: AccountingQuery,
        _ peer: Peer
    ) async throws(ServiceRefusal) -> AccountingList
    /// How the centre is.
    func status() async -> CentreStatus
    /// How many jobs there are of each kind, of those that the peer may see, and how many nodes.
    func census(_ peer: Peer) async -> CentreCensus
    /// What each node does.
    ///
    /// - Parameter withNames: whether names and places are wanted, which never change.
    func map(withNames: Bool, _ peer: Peer) async throws(ServiceRefusal) -> CentreMap
    /// Whether an event is for the peer.
    func sees(_ event: CentreEvent, _ peer: Peer) -> Bool
    /// Something that tells at each call what has happened since the one before; called by one at a
    /// time.
    func glance() -> @Sendable () async -> [CentreEvent]
    /// What an account owes.
    func bill(
        account: String,
        _ query: BillQuery,
        _ peer: Peer
    ) async throws(ServiceRefusal) -> BillStatement
    /// What an enterprise owes with all its accounts.
    func bill(
        enterprise: String,
        _ query: BillQuery,
        _ peer: Peer
    ) async throws(ServiceRefusal) -> BillStatement
    /// The ledger as CSV, a row for each posting: all of it, or what concerns an account, or was booked in a month
    /// (`YYYY-MM`).
    func ledger(
        account: String?,
        month: String?,
        _ peer: Peer
    ) async throws(ServiceRefusal) -> String
    /// What an enterprise would hand in for a subsidy, as CSV: of a year, or of all.
    func claims(
        enterprise: String,
        year: String?,
        _ peer: Peer
    ) async throws(ServiceRefusal) -> String
    /// The accounts whose money the peer may read, with that.
    func accounts(_ peer: Peer) async -> AccountStandingList
    /// Does something to the books.
    func change(_ request: MoneyRequest, _ peer: Peer) async throws(ServiceRefusal) -> MoneyResponse
    /// Moves a stepped clock; the centre's time then.
    func advance(
        _ request: ClockAdvanceRequest,
        _ peer: Peer
    ) async throws(ServiceRefusal) -> CentreStatus
    /// Packs the past of the centre.
    func archive(_ peer: Peer) async throws(ServiceRefusal) -> ArchiveOutcome
    /// Begins to close the centre.
    func shutDown(_ peer: Peer) async throws(ServiceRefusal)
}

/// Which bill is wanted of whoever is named, as it was asked for.
public struct BillQuery: Sendable {
    /// `YYYY-MM` or `YYYY`; nil for everything so far.
    public var period: String?
    /// What costs are broken down by; nil for nothing more.
    public var grouping: String?
    /// Whether charges are listed one by one.
    public var listsCharges = false

    /// Asks for everything so far.
    public init() {}
}
