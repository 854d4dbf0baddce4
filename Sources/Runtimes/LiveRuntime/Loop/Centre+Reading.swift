public import Billing
import ClusterModel
import Glibc
import JobModel
import Persistence
import Quantities
import SlurmDialect
import Synchronization
public import WireFormats

// Questions. They are answered from an immutable snapshot, or from the store, and never wait for
// one another; the writing thread makes a snapshot when one is asked for and something changed.

extension Centre {
    /// The centre as it is now: everything acknowledged before the question is in it.
    func snapshot() async -> CentreSnapshot {
        let current = version.value.load(ordering: .acquiring)
        if let known = published.withLock({ $0 }), known.version == current {
            return known.snapshot
        }
        let snapshot = await withCheckedContinuation { continuation in
            mailbox.post(.snapshot { continuation.resume(returning: $0) })
        }
        // What came after `current` is in it too, so it may be newer than it says, never older.
        published.withLock { known in
            if (known?.version ?? -1) < current { known = (current, snapshot) }
        }
        return snapshot
    }

    private func now(_ snapshot: CentreSnapshot) -> SimInstant {
        max(clock.now, snapshot.state.lastInstant)
    }

    /// Which jobs are wanted.
    public struct JobFilter: Hashable, Sendable {
        /// Only these jobs, or arrays; nil for all.
        public var ids: [UInt32]?
        /// Whether jobs that have ended lately are wanted too.
        public var includesEnded = false
        /// Whether jobs that wait are to say when and where they are expected to start.
        public var includesExpectedStarts = false

        /// Asks for all jobs that have not ended.
        public init() {}
    }

    /// The jobs of the queue.
    public func jobs(_ filter: JobFilter) async -> JobList {
        let snapshot = await snapshot()
        let now = self.now(snapshot)
        let state = snapshot.state
        var list = JobList(now: now, jobs: [])
        func add(_ entry: JobEntry) {
            if entry.hasEnded, !filter.includesEnded { return }
            list.jobs.append(state.info(of: entry, now: now))
        }
        if let ids = filter.ids {
            for id in ids { state.jobs.entries(JobSelector(jobID: id)).forEach(add) }
        } else {
            let oldest = now - endedWindow
            state.jobs.forEach { entry in
                if let end = entry.status.endedAt, entry.hasEnded, end < oldest { return }
                add(entry)
            }
        }
        if filter.includesExpectedStarts { state.addExpectedStarts(to: &list) }
        return list
    }

    /// How long a job is listed after its end: Slurm's MinJobAge of 300 s, on the wall.
    private var endedWindow: SimDuration {
        switch clock.mode {
        case .real: SimDuration(seconds: 300)
        case .scaled(let factor): SimDuration(seconds: 300 * factor)
        case .stepped: SimDuration(seconds: 86_400)
        }
    }

    /// One job, or the elements of an array; nil when there is none.
    public func job(_ id: UInt32) async -> JobList? {
        var filter = JobFilter()
        filter.ids = [id]
        filter.includesEnded = true
        filter.includesExpectedStarts = true
        let list = await jobs(filter)
        return list.jobs.isEmpty ? nil : list
    }

    /// All nodes.
    public func nodes() async -> NodeList {
        let snapshot = await snapshot()
        let nodes = snapshot.state.nodeInfos(bootTime: openedAt, userName: UserNames.user)
        return NodeList(now: now(snapshot), nodes: nodes)
    }

    /// All partitions.
    public func partitions() async -> PartitionList {
        let snapshot = await snapshot()
        return PartitionList(now: now(snapshot), partitions: snapshot.state.partitionInfos())
    }

    /// All reservations.
    public func reservations() async -> ReservationList {
        var list = ReservationList()
        list.reservations = await snapshot().state.reservationInfos()
        return list
    }

    /// How the centre is.
    public func status() async -> CentreStatus {
        let snapshot = await snapshot()
        var status = CentreStatus()
        status.version = settings.version
        status.timeMode = "\(settings.timeMode)"
        status.now = now(snapshot)
        status.startedAt = openedAt
        status.processID = getpid()
        status.stateDirectory = settings.stateFolder
        snapshot.state.fill(&status)
        return status
    }

    /// The records of jobs, ended ones from the store and others from the queue, by number.
    ///
    /// - Throws: `RequestFailure` when the store cannot be read.
    public func accounting(ids: [UInt32]?) async throws(RequestFailure) -> AccountingList {
        let snapshot = await snapshot()
        let now = self.now(snapshot)
        let wanted = ids.map { ids in
            Set(Set(ids).flatMap { snapshot.state.jobs.numbers(of: $0) })
        }
        var records: [AccountingRecord] = []
        do {
            var query = CentreReader.JobQuery()
            query.jobIDs = wanted.map { $0.sorted() } ?? []
            let stored = wanted?.isEmpty == true ? [] : try reader.jobs(query)
            let unstored = snapshot.unstored.filter { wanted?.contains($0.jobID) ?? true }
            var known: Set<[Int64]> = []
            for body in stored + unstored.map(\.body) {
                let record = try AccountingRecord(json: JSONValue(parsing: body))
                let run = [Int64(record.jobID), Int64(record.restarts)]
                if known.insert(run).inserted { records.append(record) }
            }
        } catch {
            throw RequestFailure(
                status: 500,
                body: ErrorBody(code: "error", text: "the accounts cannot be read: \(error)")
            )
        }
        snapshot.state.jobs.forEach { entry in
            guard !entry.hasEnded, wanted?.contains(entry.id) ?? true else { return }
            records.append(snapshot.state.record(of: entry, now: now))
        }
        records.sort { ($0.jobID, $0.restarts) < ($1.jobID, $1.restarts) }
        return AccountingList(
            now: now,
            cluster: settings.rules.machine.name,
            records: records
        )
    }

    /// The books as they are now, and the end of the ledger's hash chain in hexadecimal.
    public func books() async -> (book: BillingBook, ledgerHead: String) {
        let state = await snapshot().state
        return (state.book, state.ledgerChain.hexText)
    }

    /// The script of a job, byte for byte, for its owner and operators.
    ///
    /// - Throws: `RequestFailure`.
    public func script(_ id: UInt32, _ caller: Caller) async throws(RequestFailure) -> [UInt8] {
        let state = await snapshot().state
        guard let entry = state.jobs.entries(JobSelector(jobID: id)).first else {
            throw .refused(.invalidJobID)
        }
        guard mayChange(entry, caller) else { throw .refused(.accessDenied) }
        let kept = entry.specification.request.scriptBytes
        if !kept.isEmpty { return kept }
        do {
            guard let row = try reader.input(inRow: entry.specification.journalRow),
                case .submit(let input) = try LiveInput(row)
            else { throw RequestFailure.refused(.invalidJobID) }
            return input.request.scriptBytes
        } catch let failure as RequestFailure {
            throw failure
        } catch {
            throw RequestFailure(status: 500, body: ErrorBody(code: "error", text: "\(error)"))
        }
    }
}

extension RequestFailure {
    static func refused(_ error: SlurmError, _ details: String...) -> RequestFailure {
        let status =
            switch error {
            case .accessDenied, .invalidUserID: 403
            case .invalidJobID: 404
            default: 400
            }
        return RequestFailure(status: status, body: error.body(details: details))
    }
}
