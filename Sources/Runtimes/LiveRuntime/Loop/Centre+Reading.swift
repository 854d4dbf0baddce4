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

    /// The centre's name.
    public var name: String { settings.rules.machine.name }

    /// The names of its clusters, its own first.
    public var clusterNames: [String] { settings.rules.machine.allClusters.map(\.name) }

    /// The jobs of the queue that are wanted and that the caller may see, each once.
    ///
    /// - Throws: `RequestFailure` when they are wanted of a cluster that there is not.
    public func jobs(
        _ query: JobQuery,
        _ caller: Caller
    ) async throws(RequestFailure) -> JobList {
        let clusters = try ClusterChoice(query.clusters, of: settings.rules.machine)
        let snapshot = await snapshot()
        let now = self.now(snapshot)
        let state = snapshot.state
        let sight = sight(of: caller)
        let filter = QueueFilter(query)
        let oldest = now - endedWindow
        var list = JobList(now: now, jobs: [])
        list.cluster = clusters.name
        func add(_ entry: JobEntry) {
            guard clusters.contains(entry), filter.wants(entry, state), sight.sees(entry) else {
                return
            }
            list.jobs.append(state.info(of: entry, now: now, with: query.fields))
        }
        if let ids = query.ids {
            state.jobs.entries(ids).forEach(add)
        } else {
            state.jobs.forEach { entry in
                if let end = entry.status.endedAt, entry.hasEnded, end < oldest { return }
                add(entry)
            }
        }
        if query.wantsForecast { state.addExpectedStarts(to: &list) }
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

    /// All nodes, or those of some clusters.
    ///
    /// - Throws: `RequestFailure` when they are not for the caller, or there is no such cluster.
    public func nodes(
        of clusters: [String]? = nil,
        _ caller: Caller
    ) async throws(RequestFailure) -> NodeList {
        try check(.nodes, caller)
        let clusters = try ClusterChoice(clusters, of: settings.rules.machine)
        let snapshot = await snapshot()
        let groups = snapshot.state.nodeGroups(
            of: clusters,
            at: now(snapshot),
            bootTime: openedAt,
            userName: UserNames.user
        )
        var list = NodeList(now: now(snapshot), groups: groups)
        list.cluster = clusters.name
        return list
    }

    /// All partitions, or those of some clusters.
    ///
    /// - Throws: `RequestFailure` when there is no such cluster.
    public func partitions(
        of clusters: [String]? = nil
    ) async throws(RequestFailure) -> PartitionList {
        let clusters = try ClusterChoice(clusters, of: settings.rules.machine)
        let snapshot = await snapshot()
        let partitions = snapshot.state.partitionInfos().enumerated()
            .filter { clusters.contains(partition: $0.offset) }.map(\.element)
        var list = PartitionList(now: now(snapshot), partitions: partitions)
        list.cluster = clusters.name
        return list
    }

    /// All reservations.
    ///
    /// - Throws: `RequestFailure` when they are not for the caller.
    public func reservations(_ caller: Caller) async throws(RequestFailure) -> ReservationList {
        try check(.reservations, caller)
        var list = ReservationList()
        list.reservations = await snapshot().state.reservationInfos()
        return list
    }

    /// Accounts, users and qualities of service, with what they used and hold as far as the caller may see
    /// it.
    public func people(_ caller: Caller) async -> PeopleList {
        let snapshot = await snapshot()
        var list = snapshot.state.peopleList(now: now(snapshot), userID: UserNames.number(of:))
        sight(of: caller).conceal(&list)
        return list
    }

    /// What the priorities of jobs that wait, and that the caller may see, are made of.
    public func priorities(_ caller: Caller) async -> PriorityList {
        let snapshot = await snapshot()
        let sight = sight(of: caller)
        var list = snapshot.state.priorityList(now: now(snapshot))
        list.jobs.removeAll { info in
            snapshot.state.jobs[info.jobID].map { !sight.sees($0) } ?? false
        }
        return list
    }

    /// Why a job waits, and what would start it sooner; prices for those only who may see the account's, and
    /// of other jobs what the caller may see.
    ///
    /// - Throws: `RequestFailure` when there is no such job.
    public func explain(
        _ id: UInt32,
        _ caller: Caller
    ) async throws(RequestFailure) -> JobExplanation {
        let snapshot = await snapshot()
        let sight = sight(of: caller)
        let jobs = snapshot.state.jobs
        let entries = jobs.numbers(of: id).lazy.compactMap { jobs[$0] }
        // Of an array the first element that waits.
        guard let entry = entries.first(where: { $0.status.phase == .pending }) ?? entries.first,
            sight.sees(entry)
        else { throw .refused(.invalidJobID) }
        var explanation = snapshot.state.explain(entry, at: now(snapshot))
        let isHidden = { (other: JobAhead) in jobs[other.jobID].map { !sight.sees($0) } ?? false }
        explanation.ahead.removeAll(where: isHidden)
        explanation.running.removeAll(where: isHidden)
        if !sight.rights.may(.readCharges, entry, of: caller) {
            explanation.estimate.price = nil
            // Which accounts and QOS are open to somebody is for no others.
            explanation.alternatives.removeAll { way in
                ["Account=", "QOS="].contains { way.change.hasPrefix($0) }
            }
            for index in explanation.alternatives.indices {
                explanation.alternatives[index].estimate.price = nil
            }
        }
        sight.conceal(&explanation.limit, of: entry)
        sight.conceal(&explanation.money, of: entry)
        return explanation
    }

    /// How the centre is.
    public func status() async -> CentreStatus {
        let snapshot = await snapshot()
        var status = CentreStatus()
        status.version = settings.version
        status.timeMode = "\(settings.timeMode)"
        status.now = now(snapshot)
        status.lag = snapshot.nextTimer.map { max(.zero, status.now - $0) } ?? .zero
        status.startedAt = openedAt
        status.loadDropped = snapshot.loadDropped.map { Int64($0) }
        status.processID = getpid()
        status.stateDirectory = settings.stateFolder
        snapshot.state.fill(&status)
        status.configuration = configuration(snapshot.state.rules)
        return status
    }

    /// The records of the accounts that are wanted and that the caller may see.
    ///
    /// - Throws: `RequestFailure` when the store cannot be read.
    public func accounting(
        _ query: AccountingQuery,
        _ caller: Caller
    ) async throws(RequestFailure) -> AccountingList {
        let clusters = try ClusterChoice(query.clusters, of: settings.rules.machine)
        let snapshot = await snapshot()
        let now = self.now(snapshot)
        let sight = sight(of: caller)
        let filter: RecordFilter
        var records: [AccountingRecord] = []
        let selection = AccountingRecord.readingSelection(of: query.fields)
        do {
            filter = try RecordFilter(query, snapshot.state.jobs, reader, now: now)
            let stored = try reader.jobs(filter.stored)
            var known: Set<RunKey> = []
            let unstored = snapshot.unstored.filter { filter.wants(job: $0.jobID) }
            for body in stored + unstored.map(\.body) {
                let record = try AccountingRecord(
                    parsing: Array(body.utf8),
                    selecting: selection
                )
                guard clusters.contains(record), filter.wants(record, now: now),
                    sight.sees(record),
                    known.insert(RunKey(record)).inserted
                else { continue }
                records.append(record)
            }
        } catch {
            throw RequestFailure(
                status: 500,
                body: ErrorBody(code: "error", text: "the accounts cannot be read: \(error)")
            )
        }
        func add(_ entry: JobEntry) {
            let request = entry.specification.request
            guard !entry.hasEnded, filter.wants(user: request.user, request.userID),
                sight.seesUse(entry)
            else { return }
            var record = snapshot.state.record(of: entry, now: now)
            guard clusters.contains(record), filter.wants(record, now: now) else { return }
            record.steps += rehearsedSteps(of: entry, record, snapshot.state).map { step in
                var step = step
                if step.end == nil { step.elapsed = max(.zero, now - (step.start ?? now)) }
                return step
            }
            records.append(record)
        }
        if let ids = query.ids {
            snapshot.state.jobs.entries(ids).forEach(add)
        } else {
            snapshot.state.jobs.forEach(add)
        }
        let machine = settings.rules.machine
        for index in records.indices {
            records[index].cluster = machine.clusterName(ofPartitions: records[index].partition)
            records[index].associationID = snapshot.state.associationNumber(
                of: records[index].user,
                in: records[index].account
            )
        }
        sight.conceal(&records)
        records.sort { ($0.jobID, $0.restarts) < ($1.jobID, $1.restarts) }
        var list = AccountingList(now: now, cluster: clusters.name, records: records)
        list.selection = query.fields
        return list
    }

    /// The books as they are now, and the end of the ledger's hash chain in hexadecimal. Who has gone through
    /// the entries looks at `ledger.failure`: nothing counts of what was made of damaged ones.
    public func books() async -> (book: BillingBook, ledgerHead: String) {
        let state = await snapshot().state
        var book = state.book
        // A shelf of its own: whoever finds damage tells nobody else's answer by it.
        book.lookForEntries(on: StoredLedger(reader))
        return (book, state.ledgerChain.hexText)
    }

    /// The script of a job, byte for byte, for its owner, and whoever may change it.
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
    /// What the centre has kept of the past cannot be read.
    public init(damaged text: String) {
        self.init(
            status: 500,
            body: ErrorBody(code: SlurmError.unspecified.rawValue, text: text)
        )
    }

    /// An edit of accounts and users that cannot be made.
    static func people(_ problem: String) -> RequestFailure {
        RequestFailure(status: 400, body: ErrorBody(code: "bad_people", text: problem))
    }

    /// What is not for whoever asks, and why.
    static func denied(_ text: String) -> RequestFailure {
        let code = SlurmError.accessDenied.rawValue
        return RequestFailure(status: 403, body: ErrorBody(code: code, text: text))
    }

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
