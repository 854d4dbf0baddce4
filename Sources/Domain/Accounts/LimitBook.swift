public import JobModel
public import Quantities

/// What decides which limits a job counts against.
public struct LimitTerms: Hashable, Sendable, Codable {
    /// The place of its association; −1 where nobody has any.
    public var association: Int32
    /// The position of its QOS.
    public var qos: Int32
    /// The partition that is tried.
    public var partition: Int32

    /// Makes terms.
    public init(association: Int32, qos: Int32, partition: Int32) {
        self.association = association
        self.qos = qos
        self.partition = partition
    }
}

/// What a job would hold, or holds, under limits.
public struct LimitClaim: Sendable {
    /// What decides which limits it counts against.
    public var terms: LimitTerms
    /// What it holds.
    public var amounts: TRESCounts
    /// Its time limit. Unit: s.
    public var seconds: Int64
    /// The counter of its job array; −1 when it is in none.
    public var array: Int32
    /// The money that it reserves; nil when its account is not limited.
    public var funds: FundsNeed?
    /// The licences that it holds.
    public var licenses: [LicenseNeed] = []

    /// Makes a claim.
    public init(
        terms: LimitTerms,
        amounts: TRESCounts,
        seconds: Int64,
        array: Int32 = -1,
        funds: FundsNeed? = nil
    ) {
        self.terms = terms
        self.amounts = amounts
        self.seconds = seconds
        self.array = array
        self.funds = funds
    }
}

/// Why a job may not start, and where it waits for room.
public struct LimitStop: Hashable, Sendable, Codable {
    /// The counter that must fall first; −1 when only other limits could help.
    public var counter: Int32
    /// What it is told.
    public var reason: PendingReason
    /// Whether room comes with time alone: use that is forgotten.
    public var isTimed: Bool
}

/// All limits on people, what runs under each, and who waits for room.
///
/// Limits hold for (job, partition that is tried). They are found once for each `LimitTerms` and
/// kept as a list of checks, in Slurm's order: partition QOS, job QOS, then the association and the
/// accounts above it; what a QOS bounds, an association does not bound again.
///
/// Source: Slurm, `src/slurmctld/acct_policy.c` (22.05), "Resource Limits",
/// https://slurm.schedmd.com/resource_limits.html.
public struct LimitBook: Sendable, Codable {
    /// Whose jobs are counted together. Numbers are places in the book's lists, and those of `LimitTerms`.
    public enum CounterID: Hashable, Sendable, Codable {
        /// An account's, or those of a user of one.
        case association(Int32)
        /// All of a QOS.
        case qos(Int32)
        /// One user's in a QOS.
        case userOfQOS(qos: Int32, user: Int32)
        /// One account's in a QOS.
        case accountOfQOS(qos: Int32, account: Int32)
        /// An account's in a partition.
        case quota(partition: Int32, account: Int32)
        /// A job array's.
        case array(JobID)
        /// Those that an account pays for in advance.
        case purse(Int32)
        /// Those that hold a licence.
        case license(Int32)
    }

    /// What runs of those whose jobs are counted together, and who waits.
    struct Counter: Sendable, Codable {
        var id: CounterID
        var jobs: Int32 = 0
        var submitted: Int32 = 0
        var held = TRESCounts()
        /// Only where limits ask for it.
        var minutes: UsedMinutes?
        /// Of a purse: the money that running jobs have reserved, in fen. Of a licence: how many they
        /// hold.
        var drawn: Int64 = 0
        /// Of an array, a purse or a licence: how much there may be; nil is no bound.
        var maximum: Int64?
        var parked: [Int32] = []
    }

    /// The accounts and users.
    public internal(set) var associations: Associations
    /// The qualities of service; the first is that of jobs that name none.
    public internal(set) var qos: [QOS]
    var partitions: [PartitionTerms]
    let decay: UsageDecay
    private var tracksMinutes: Bool

    var counters: ContiguousArray<Counter> = []
    private var freeCounters: [Int32] = []
    /// Only looked up.
    private var counterPlaces: [CounterID: Int32] = [:]
    private var profiles: ContiguousArray<LimitProfile> = []
    /// Only looked up.
    private var profilePlaces: [LimitTerms: Int32] = [:]
    /// How many kinds of licences there are.
    public private(set) var licenseCount = 0
    /// Whether money that a job reserved is gone when it ends, as an estimate has to assume.
    private var isSpending = false

    /// Makes a book in which nothing runs.
    public init(
        associations: Associations = Associations(),
        qos: [QOS] = [.normal],
        partitions: [PartitionTerms] = [],
        decay: UsageDecay = UsageDecay(halfLifeSeconds: 0, periodSeconds: 300)
    ) {
        precondition(!qos.isEmpty, "jobs that name no QOS have the first")
        self.associations = associations
        self.qos = qos
        self.partitions = partitions
        self.decay = decay
        tracksMinutes = false
        tracksMinutes = boundsMinutes
    }

    private var boundsMinutes: Bool {
        qos.contains { $0.limits.countsMinutes }
            || associations.list.contains { $0.settings.limits.countsMinutes }
    }

    /// How the use that a counter counts is forgotten.
    private func decay(of id: CounterID) -> UsageDecay {
        guard case .qos(let place) = id, qos[Int(place)].flags.contains(.noDecay) else {
            return decay
        }
        return decay.forgettingNothing
    }

    /// Whether nobody is bounded by anything but arrays and purses.
    public var isTrivial: Bool {
        qos.allSatisfy(\.limits.isEmpty) && partitions.allSatisfy { $0.quota == AccountQuota() }
            && associations.list.allSatisfy(\.settings.limits.isEmpty)
    }

    /// What partitions say of people, by their positions.
    public var partitionTerms: [PartitionTerms] { partitions }

    // MARK: Counters and profiles

    /// The place of a counter, made when it is new.
    mutating func counter(_ id: CounterID, at now: Int64) -> Int32 {
        if let place = counterPlaces[id] { return place }
        var counter = Counter(id: id)
        if tracksMinutes { counter.minutes = pastMinutes(of: id, at: now) }
        let place: Int32
        if let free = freeCounters.popLast() {
            place = free
            counters[Int(place)] = counter
        } else {
            place = Int32(counters.count)
            counters.append(counter)
        }
        counterPlaces[id] = place
        return place
    }

    /// What a counter begins with: an account has used what its users have, whoever stood above them then.
    ///
    /// Source: Slurm's `assoc_mgr_update_assocs`, which clears the accounts and adds up the users.
    private func pastMinutes(of id: CounterID, at now: Int64) -> UsedMinutes {
        guard case .association(let place) = id, !associations.list[Int(place)].isUser else {
            return UsedMinutes(at: now, decay(of: id))
        }
        var parts: [UsedMinutes] = []
        var walk = [place]
        while let next = walk.popLast() {
            let known = associations.list[Int(next)]
            walk += known.children
            if known.isUser, let minutes = counter(.association(next))?.minutes {
                parts.append(minutes)
            }
        }
        return UsedMinutes(sumOf: parts, at: now, decay(of: id))
    }

    /// The place of what a job of these terms counts against; −1 when that is nothing.
    public mutating func profile(_ terms: LimitTerms, at now: SimInstant) -> Int32 {
        let terms = shared(terms)
        if let place = profilePlaces[terms] { return place }
        let profile = makeProfile(terms, at: now.microseconds)
        guard !profile.isEmpty else {
            profilePlaces[terms] = -1
            return -1
        }
        let place = Int32(profiles.count)
        profiles.append(profile)
        profilePlaces[terms] = place
        return place
    }

    /// What a job of these terms is looked at for, in order.
    func checks(of terms: LimitTerms) -> [LimitCheck] {
        placeOfProfile(terms).map { profiles[$0].checks } ?? []
    }

    /// A counter that has been made.
    func counter(_ id: CounterID) -> Counter? { counterPlaces[id].map { counters[Int($0)] } }

    /// Where what jobs of these terms count against is kept; nil when it is nothing that is known.
    private func placeOfProfile(_ terms: LimitTerms) -> Int? {
        guard let place = profilePlaces[shared(terms)], place >= 0 else { return nil }
        return Int(place)
    }

    /// The terms under which a profile is kept: partitions that bound nobody share one, or there would be
    /// as many as there are people, QOS and partitions multiplied.
    private func shared(_ terms: LimitTerms) -> LimitTerms {
        let partition = Int(terms.partition)
        guard partitions.indices.contains(partition), partitions[partition].qos == nil,
            partitions[partition].quota == AccountQuota()
        else { return terms }
        return LimitTerms(association: terms.association, qos: terms.qos, partition: -1)
    }

    // MARK: Asking

    /// The counts of what a job holds in a partition, with what it weighs there.
    public func amounts(
        inPartition partition: Int,
        cpu: Int64,
        memory: Int64,
        node: Int64,
        gres: Int64
    ) -> TRESCounts {
        let weights =
            partitions.indices.contains(partition) ? partitions[partition].billingWeights : nil
        return TRESCounts(
            cpu: cpu,
            memory: memory,
            node: node,
            billing: weights?.billing(cpu: cpu, memory: memory, node: node, gres: gres) ?? cpu,
            gres: gres
        )
    }

    /// Whether limits are kept on what was used: time alone may open them.
    public var countsUse: Bool { tracksMinutes }

    /// For how many jobs of one claim there is room together, and what stops one more.
    ///
    /// - Parameter most: more are not counted; then nothing is said to stop them.
    /// - Precondition: the claim is of no array, money or licence.
    public func room(
        for claim: LimitClaim,
        upTo most: Int,
        at now: SimInstant
    ) -> (count: Int, stop: LimitStop?) {
        precondition(claim.array < 0 && claim.funds == nil && claim.licenses.isEmpty)
        // There is room for `count`, and none for `beyond`. Usually there is room for one.
        var (count, beyond) = (0, most + 1)
        var stop: LimitStop?
        var next = 1
        while count + 1 < beyond {
            if let found = obstacle(to: claim, times: Int64(next), at: now.microseconds) {
                (beyond, stop) = (next, found)
            } else {
                count = next
            }
            next = beyond > most ? min(most, 2 * count) : count + (beyond - count) / 2
            if next == count { break }
        }
        return (count, stop)
    }

    private func obstacle(to claim: LimitClaim, times count: Int64, at now: Int64) -> LimitStop? {
        guard let place = placeOfProfile(claim.terms) else { return nil }
        for check in profiles[place].checks where !hasRoom(check, for: claim, times: count, at: now)
        {
            return LimitStop(
                counter: check.counter,
                reason: check.reason,
                isTimed: check.kind.opensWithTime(decay)
            )
        }
        return nil
    }

    /// The first limit that leaves no room for a job, or nil.
    public func obstacle(to claim: LimitClaim, at now: SimInstant) -> LimitStop? {
        if let stop = obstacle(to: claim, times: 1, at: now.microseconds) { return stop }
        if claim.array >= 0 {
            let counter = counters[Int(claim.array)]
            if let maximum = counter.maximum, Int64(counter.jobs) >= maximum {
                return LimitStop(
                    counter: claim.array,
                    reason: .jobArrayTaskLimit,
                    isTimed: false
                )
            }
        }
        if let funds = claim.funds, let place = counterPlaces[.purse(funds.purse)] {
            let purse = counters[Int(place)]
            if let maximum = purse.maximum, purse.drawn + funds.price > maximum {
                return LimitStop(counter: place, reason: .assocGrpBillingMinutes, isTimed: false)
            }
        }
        return claim.licenses.isEmpty ? nil : obstacle(toHolding: claim.licenses)
    }

    /// Whether an account could never pay for a job as things are: what running jobs have reserved counts as had.
    public func exceedsPurse(_ funds: FundsNeed) -> Bool {
        counter(.purse(funds.purse))?.maximum.map { funds.price > $0 } ?? false
    }

    /// The first of some licences of which too few are free; nil when there are enough of each.
    public func obstacle(toHolding needs: [LicenseNeed]) -> LimitStop? {
        let short = needs.first { $0.count > freeLicenses($0.license) }
        guard let short, let place = counterPlaces[.license(short.license)] else { return nil }
        return LimitStop(counter: place, reason: .licenses, isTimed: false)
    }

    /// How many licences of a kind there are; 0 for one that there is not.
    public func licenseTotal(_ license: Int32) -> Int64 {
        counterPlaces[.license(license)].flatMap { counters[Int($0)].maximum } ?? 0
    }

    /// How many licences of a kind no running job holds.
    public func freeLicenses(_ license: Int32) -> Int64 {
        guard let place = counterPlaces[.license(license)] else { return 0 }
        return (counters[Int(place)].maximum ?? 0) - counters[Int(place)].drawn
    }

    /// What no room could ever be found for, whatever else runs: a limit on each job, or one on a
    /// group that is less than the job itself asks for; nil when there is none.
    public func hopeless(_ claim: LimitClaim) -> LimitStop? {
        guard let place = placeOfProfile(claim.terms) else { return nil }
        for check in profiles[place].checks where !couldHaveRoom(check, for: claim) {
            return LimitStop(counter: -1, reason: check.reason, isTimed: false)
        }
        return nil
    }

    /// Whether a job of these terms is refused at submission when no room could ever be found.
    public func deniesOnLimit(_ terms: LimitTerms) -> Bool {
        placeOfProfile(terms).map { profiles[$0].deniesOnLimit } ?? false
    }

    /// The limit on submitted jobs that `count` more jobs of these terms would exceed; nil when none.
    public func obstacle(toSubmitting count: Int, _ terms: LimitTerms) -> PendingReason? {
        guard let place = placeOfProfile(terms) else { return nil }
        return profiles[place].submissionChecks.first {
            Int64(counters[Int($0.counter)].submitted) + Int64(count) > $0.maximum
        }?.reason
    }

    /// Whether there is room for so many jobs of a claim.
    func hasRoom(
        _ check: LimitCheck,
        for claim: LimitClaim,
        times count: Int64,
        at now: Int64
    ) -> Bool {
        guard check.counter >= 0 else { return couldHaveRoom(check, for: claim) }
        let counter = counters[Int(check.counter)]
        switch check.kind.measure {
        case .jobs: return Int64(counter.jobs) + count <= check.maximum
        case .submittedJobs: return true
        case .tres(let tres):
            return counter.held[tres] + claim.amounts[tres] * count <= check.maximum
        case .wall:
            guard let minutes = counter.minutes else { return true }
            return Int64(clamping: minutes.wallSeconds(at: now) / 60) < check.maximum
        case .minutes(let tres):
            guard let minutes = counter.minutes else { return true }
            let used = Int128(minutes.usedSeconds(tres, at: now))
            let coming = minutes.comingSeconds(tres, counter.held, at: now)
            let asked = Int128(claim.amounts[tres]) * Int128(claim.seconds) * Int128(count)
            return used + coming + asked <= Int128(check.maximum) * 60
        case .runningMinutes(let tres):
            guard let minutes = counter.minutes else { return true }
            let coming = minutes.comingSeconds(tres, counter.held, at: now)
            let asked = Int128(claim.amounts[tres]) * Int128(claim.seconds) * Int128(count)
            return coming + asked <= Int128(check.maximum) * 60
        }
    }

    private func couldHaveRoom(_ check: LimitCheck, for claim: LimitClaim) -> Bool {
        let minutes = { (tres: TRES) in Int128(claim.amounts[tres]) * Int128(claim.seconds) }
        let maximum = check.maximum
        switch (check.kind.scope, check.kind.measure) {
        case (.leastPerJob, .tres(let tres)): return claim.amounts[tres] >= maximum
        case (.perJob, .wall): return claim.seconds <= maximum * 60
        case (_, .tres(let tres)): return claim.amounts[tres] <= maximum
        case (_, .minutes(let tres)), (_, .runningMinutes(let tres)):
            return minutes(tres) <= Int128(maximum) * 60
        case (_, .jobs): return maximum > 0
        case (_, .wall), (_, .submittedJobs): return true
        }
    }

    // MARK: Jobs come and go

    /// Counts a job that was submitted.
    public mutating func admit(_ terms: LimitTerms, array: Int32) {
        change(terms) { $0.submitted += 1 }
        if array >= 0 { counters[Int(array)].submitted += 1 }
    }

    /// Counts out a job that has left; its array goes with its last job.
    public mutating func dismiss(_ terms: LimitTerms, array: Int32) {
        change(terms) { $0.submitted -= 1 }
        guard array >= 0 else { return }
        counters[Int(array)].submitted -= 1
        guard counters[Int(array)].submitted == 0 else { return }
        precondition(counters[Int(array)].parked.isEmpty && counters[Int(array)].jobs == 0)
        counterPlaces[counters[Int(array)].id] = nil
        freeCounters.append(array)
    }

    /// Counts a started job.
    public mutating func hold(_ claim: LimitClaim, until deadline: Int64, at now: SimInstant) {
        change(claim.terms) { counter in
            counter.jobs += 1
            counter.held += claim.amounts
            counter.minutes?.start(claim.amounts, until: deadline, at: now.microseconds)
        }
        if claim.array >= 0 { counters[Int(claim.array)].jobs += 1 }
        for need in claim.licenses { drawLicense(need.license, Int64(need.count)) }
        guard let funds = claim.funds else { return }
        let purse = counter(.purse(funds.purse), at: now.microseconds)
        counters[Int(purse)].drawn += funds.price
    }

    /// Counts out a job that holds nothing any more, and hands over who waited for room.
    public mutating func release(
        _ claim: LimitClaim,
        until deadline: Int64,
        at now: SimInstant
    ) -> [Int32] {
        var freed: [Int32] = []
        change(claim.terms) { counter in
            counter.jobs -= 1
            counter.held -= claim.amounts
            counter.minutes?.end(claim.amounts, until: deadline, at: now.microseconds)
            freed += counter.parked
            counter.parked.removeAll()
        }
        if claim.array >= 0 {
            counters[Int(claim.array)].jobs -= 1
            freed += takeParked(claim.array)
        }
        for need in claim.licenses {
            if let place = drawLicense(need.license, -Int64(need.count)) {
                freed += takeParked(place)
            }
        }
        guard let funds = claim.funds, let purse = counterPlaces[.purse(funds.purse)] else {
            return freed
        }
        if !isSpending { counters[Int(purse)].drawn -= funds.price }
        return freed + takeParked(purse)
    }

    /// Counts a running job's new time limit.
    public mutating func move(
        _ claim: LimitClaim,
        from old: Int64,
        to deadline: Int64
    ) {
        change(claim.terms) { $0.minutes?.move(claim.amounts, from: old, to: deadline) }
    }

    private mutating func change(_ terms: LimitTerms, _ body: (inout Counter) -> Void) {
        guard let place = placeOfProfile(terms) else { return }
        for index in profiles[place].counters.indices {
            body(&counters[Int(profiles[place].counters[index])])
        }
    }

    // MARK: Waiting

    /// Lets a job wait until there is room under a limit.
    public mutating func park(_ slot: Int32, under counter: Int32) {
        counters[Int(counter)].parked.append(slot)
    }

    /// Forgets that a job waits under a limit.
    public mutating func unpark(_ slot: Int32, under counter: Int32) {
        // Who leaves in a crowd leaves in order: found at the front.
        guard let place = counters[Int(counter)].parked.firstIndex(of: slot) else { return }
        counters[Int(counter)].parked.remove(at: place)
    }

    /// The limits under which somebody waits.
    public var waitedFor: [Int32] {
        counters.indices.filter { !counters[$0].parked.isEmpty }.map { Int32($0) }
    }

    /// Who waits under a limit.
    public func waiters(under counter: Int32) -> [Int32] { counters[Int(counter)].parked }

    /// Hands over who waits under a limit.
    public mutating func takeParked(_ counter: Int32) -> [Int32] {
        defer { counters[Int(counter)].parked.removeAll() }
        return counters[Int(counter)].parked
    }

    // MARK: Licences, arrays and purses

    /// Says how many licences of each kind there are, before anything runs.
    public mutating func setLicenses(_ counts: [Int64]) {
        licenseCount = counts.count
        for (license, count) in counts.enumerated() {
            let place = counter(.license(Int32(license)), at: 0)
            counters[Int(place)].maximum = count
        }
    }

    @discardableResult
    private mutating func drawLicense(_ license: Int32, _ count: Int64) -> Int32? {
        guard let place = counterPlaces[.license(license)] else { return nil }
        counters[Int(place)].drawn += count
        return place
    }

    /// The counter of a job array, made when it is new.
    ///
    /// - Parameter maximum: how many of its jobs may run at once; nil for all. What an array was
    ///   given first or by `setArrayLimit` stays.
    public mutating func array(_ id: JobID, maximum: Int64?, at now: SimInstant) -> Int32 {
        let isNew = counterPlaces[.array(id)] == nil
        let place = counter(.array(id), at: now.microseconds)
        if isNew { counters[Int(place)].maximum = maximum }
        return place
    }

    /// How many jobs of an array may run at once; nil when the array is not known.
    public func arrayLimit(_ id: JobID) -> ArrayLimit? {
        counterPlaces[.array(id)].map { counters[Int($0)].maximum.map(ArrayLimit.most) ?? .all }
    }

    /// Gives an array another limit, and hands over who waited under the old one.
    public mutating func setArrayLimit(_ id: JobID, to maximum: Int64?) -> [Int32] {
        guard let place = counterPlaces[.array(id)] else { return [] }
        counters[Int(place)].maximum = maximum
        return takeParked(place)
    }

    /// Says how much money running jobs of an account may reserve together, and hands over who
    /// waited under the old bound. Unit: fen; nil is no bound.
    public mutating func setPurse(_ purse: Int32, to maximum: Int64?, at now: SimInstant) -> [Int32]
    {
        let place = counter(.purse(purse), at: now.microseconds)
        counters[Int(place)].maximum = maximum
        return takeParked(place)
    }

    /// Moves the reservation of a running job, and hands over who waited for what it gives up.
    public mutating func moveFunds(
        from old: FundsNeed?,
        to new: FundsNeed?,
        at now: SimInstant
    ) -> [Int32] {
        if let new {
            let place = counter(.purse(new.purse), at: now.microseconds)
            counters[Int(place)].drawn += new.price
        }
        guard let old, let place = counterPlaces[.purse(old.purse)] else { return [] }
        counters[Int(place)].drawn -= old.price
        return takeParked(place)
    }

    /// From now on what a job reserved is not given back when it ends: its fee is due then.
    public mutating func spendReservations() { isSpending = true }

    // MARK: Time

    /// Whether a job that waits under a limit may find room when use is forgotten.
    public var hasTimedWaiters: Bool {
        tracksMinutes && counters.contains { !$0.parked.isEmpty && $0.minutes != nil }
    }

    /// When use is brought up to date next. Unit: µs since the epoch.
    public func nextPeriod(after now: SimInstant) -> SimInstant {
        SimInstant(microseconds: decay.periodStart(now.microseconds) + decay.period)
    }

    /// Hands over who waits under limits that time alone may open.
    public mutating func takeTimedWaiters() -> [Int32] {
        guard tracksMinutes else { return [] }
        var slots: [Int32] = []
        for place in counters.indices where counters[place].minutes != nil {
            slots += takeParked(Int32(place))
        }
        return slots
    }

    // MARK: Changes

    /// Changes accounts, QOS or partitions. What ran and waited under the old limits is to be counted
    /// again by the caller, from nothing; past use stays.
    ///
    /// - Returns: who waited; all counters stand at zero.
    public mutating func change(
        at now: SimInstant,
        _ body: (inout Associations, inout [QOS], inout [PartitionTerms]) -> Void
    ) {
        body(&associations, &qos, &partitions)
        precondition(!qos.isEmpty, "jobs that name no QOS have the first")
        tracksMinutes = tracksMinutes || boundsMinutes
        for place in counters.indices {
            counters[place].jobs = 0
            counters[place].submitted = 0
            counters[place].held = TRESCounts()
            counters[place].drawn = 0
            counters[place].parked = []
            if tracksMinutes {
                counters[place].minutes?.stopAll(at: now.microseconds)
                if counters[place].minutes == nil {
                    let decay = decay(of: counters[place].id)
                    counters[place].minutes = UsedMinutes(at: now.microseconds, decay)
                }
            }
        }
        profiles.removeAll()
        profilePlaces.removeAll()
    }

    /// Adds up anew what accounts have used that have other users below them than before. What runs is to be
    /// counted again after it.
    public mutating func recountMinutes(of accounts: [Int32], at now: SimInstant) {
        guard tracksMinutes else { return }
        for account in accounts {
            guard let place = counterPlaces[.association(account)] else { continue }
            counters[Int(place)].minutes = pastMinutes(
                of: .association(account),
                at: now.microseconds
            )
        }
    }

    /// The associations grow when somebody new arrives.
    public mutating func association(account: Int32, user: Int32) -> Int32 {
        associations.user(user, of: account)
    }
}
