public import JobModel

/// How much may run at once of the jobs that count against it: an account's quota, a user's in a
/// partition, the `%` of a job array.
public struct ConcurrencyLimit: Hashable, Sendable {
    /// Running jobs; nil is no limit.
    public var maximumJobs: Int32?
    /// Nodes held; nil is no limit.
    public var maximumNodes: Int32?
    /// Cores held; nil is no limit.
    public var maximumCores: Int64?
    /// Money that running jobs may have reserved together; nil is no limit. Unit: fen.
    public var maximumFunds: Int64?
    /// Why a job that it stops waits.
    public var reason: PendingReason

    /// Makes a limit.
    public init(
        maximumJobs: Int32? = nil,
        maximumNodes: Int32? = nil,
        maximumCores: Int64? = nil,
        maximumFunds: Int64? = nil,
        reason: PendingReason = .quotaConstrained
    ) {
        self.maximumJobs = maximumJobs
        self.maximumNodes = maximumNodes
        self.maximumCores = maximumCores
        self.maximumFunds = maximumFunds
        self.reason = reason
    }
}

/// The limits, what runs under each, and who waits for room under it.
public struct ConcurrencyLimits: Sendable {
    private struct Account: Sendable {
        var limit: ConcurrencyLimit
        var jobs: Int32 = 0
        var nodes: Int32 = 0
        var cores: Int64 = 0
        var funds: Int64 = 0
        var parked: [Int32] = []

        mutating func unpark(_ slot: Int32) {
            // Who leaves in a crowd leaves in order: found at the front.
            guard let place = parked.firstIndex(of: slot) else { return }
            parked.remove(at: place)
        }
    }

    private var accounts: ContiguousArray<Account>
    /// What jobs reserve of the money of an account while they run. Few centres have accounts
    /// without credit, so this is not in the jobs' records; only looked up.
    private var needs: [JobID: FundsNeed] = [:]
    /// Whether money that a job reserved is gone when it ends, as an estimate has to assume.
    private var isSpending = false

    /// Makes limits with nothing running under them.
    public init(_ limits: [ConcurrencyLimit]) {
        accounts = ContiguousArray(limits.map { Account(limit: $0) })
    }

    /// The number of limits.
    public var count: Int { accounts.count }

    /// Adds a limit and returns its position.
    public mutating func append(_ limit: ConcurrencyLimit) -> Int {
        accounts.append(Account(limit: limit))
        return accounts.count - 1
    }

    /// Replaces a limit and hands over who waited under the old one.
    public mutating func replace(_ position: Int, with limit: ConcurrencyLimit) -> [Int32] {
        accounts[position].limit = limit
        return takeParked(position)
    }

    /// The first limit of `job` that leaves no room for `nodes` and `cores`, or nil.
    public func obstacle(for job: ActiveJob, nodes: Int32, cores: Int64) -> Int? {
        for lane in 0..<4 where job.limits[lane] >= 0 {
            let account = accounts[Int(job.limits[lane])]
            let limit = account.limit
            if let maximum = limit.maximumJobs, account.jobs >= maximum {
                return Int(job.limits[lane])
            }
            if let maximum = limit.maximumNodes, account.nodes + nodes > maximum {
                return Int(job.limits[lane])
            }
            if let maximum = limit.maximumCores, account.cores + cores > maximum {
                return Int(job.limits[lane])
            }
        }
        guard !needs.isEmpty, let need = needs[job.id] else { return nil }
        let account = accounts[need.limit]
        guard let maximum = account.limit.maximumFunds else { return nil }
        return account.funds + need.price > maximum ? need.limit : nil
    }

    /// Why a job that waits under a limit waits.
    public func reason(_ position: Int) -> PendingReason { accounts[position].limit.reason }

    /// Lets a job wait until there is room under a limit.
    public mutating func park(_ slot: Int32, under position: Int) {
        accounts[position].parked.append(slot)
    }

    /// Forgets that a job waits under its limits, since it is leaving.
    public mutating func unpark(_ slot: Int32, _ job: ActiveJob) {
        for lane in 0..<4 where job.limits[lane] >= 0 {
            accounts[Int(job.limits[lane])].unpark(slot)
        }
        if let need = needs[job.id] { accounts[need.limit].unpark(slot) }
    }

    /// Says what a job reserves while it runs, and hands over who waited for what it gives up.
    public mutating func setNeed(_ need: FundsNeed, of job: ActiveJob) -> [Int32] {
        let old = needs[job.id]
        needs[job.id] = need
        guard job.phase == .running else { return [] }
        if let old { accounts[old.limit].funds -= old.price }
        accounts[need.limit].funds += need.price
        guard let old, old.limit != need.limit || old.price > need.price else { return [] }
        return takeParked(old.limit)
    }

    /// Forgets a job that has left.
    public mutating func forget(_ job: JobID) {
        guard !needs.isEmpty else { return }
        needs[job] = nil
    }

    /// From now on what a job reserved is not given back when it ends: its fee is due then.
    public mutating func spendReservations() { isSpending = true }

    /// Counts a started job.
    public mutating func hold(_ job: ActiveJob) {
        change(job, by: 1)
    }

    /// Counts an ended job out, and hands over who waited under its limits.
    public mutating func release(_ job: ActiveJob) -> [Int32] {
        change(job, by: -1)
        var freed: [Int32] = []
        for lane in 0..<4 where job.limits[lane] >= 0 {
            freed += takeParked(Int(job.limits[lane]))
        }
        if let need = needs[job.id] { freed += takeParked(need.limit) }
        return freed
    }

    private mutating func change(_ job: ActiveJob, by sign: Int32) {
        for lane in 0..<4 where job.limits[lane] >= 0 {
            accounts[Int(job.limits[lane])].jobs += sign
            accounts[Int(job.limits[lane])].nodes += sign * job.nodesHeld
            accounts[Int(job.limits[lane])].cores += Int64(sign) * Int64(job.coresHeld)
        }
        guard !needs.isEmpty, sign > 0 || !isSpending, let need = needs[job.id] else { return }
        accounts[need.limit].funds += Int64(sign) * need.price
    }

    private mutating func takeParked(_ position: Int) -> [Int32] {
        defer { accounts[position].parked.removeAll() }
        return accounts[position].parked
    }
}
