public import Accounts
public import JobModel
public import Quantities
public import Scheduling

// Accounts, QOS and limits, as jobs meet them.

extension Emulator {
    /// Gives the record of a job its association, and finds the limits that it counts against.
    mutating func attach(_ job: inout ActiveJob, _ submission: JobSubmission, at now: SimInstant) {
        if knowsPeople {
            let account = submission.account
            if let place = jobs.limits.associations.place(ofUser: job.user, in: account) {
                job.association = place
            } else {
                valueLoneJobs(at: now)
                job.association = jobs.limits.association(account: account, user: job.user)
            }
        }
        if let array = submission.array {
            let maximum = array.maximum.map(Int64.init)
            job.array = jobs.limits.array(array.id, maximum: maximum, at: now)
        }
        let counts = countsUnderLimits(job, in: submission.partitions, at: now)
        job.hasLimits =
            counts || job.array >= 0 || submission.funds != nil || !submission.licenses.isEmpty
    }

    private mutating func countsUnderLimits(
        _ job: ActiveJob,
        in partitions: [Int],
        at now: SimInstant
    ) -> Bool {
        guard knowsPeople else { return false }
        var counts = false
        for partition in partitions {
            let terms = LimitTerms(
                association: job.association,
                qos: job.qos,
                partition: Int32(partition)
            )
            if jobs.limits.profile(terms, at: now) >= 0 { counts = true }
        }
        return counts
    }

    /// Why a job that has a record is refused by a limit; nil when it is not.
    @inline(__always)
    func refusal(of slot: Int32) -> PendingReason? {
        guard jobs[slot].hasLimits else { return nil }
        let terms = jobs.termsOfSubmission(slot)
        if let reason = jobs.limits.obstacle(toSubmitting: 1, terms) { return reason }
        guard jobs.limits.deniesOnLimit(terms) else { return nil }
        return hopelessLimit(slot, inPartition: Int(terms.partition))
    }

    /// Refuses what no licences could ever be found for.
    func checkLicenses(_ needs: [LicenseNeed]) throws(InputRejection) {
        for need in needs {
            guard need.count >= 1, Int64(need.count) <= jobs.limits.licenseTotal(need.license)
            else {
                throw .invalidLicense
            }
        }
    }

    /// The limit that could never let a job start in a partition; nil when none.
    // Not inlined: where the emulator is being changed, its group would be copied to ask it.
    @inline(never)
    func hopelessLimit(_ slot: Int32, inPartition partition: Int) -> PendingReason? {
        jobs.limits.hopeless(leastClaim(slot, inPartition: partition))?.reason
    }

    /// The least that a job would hold under limits.
    func leastClaim(_ slot: Int32, inPartition partition: Int) -> LimitClaim {
        let place = groupOfPartition[partition]
        // SAFETY: read where it lies, and not kept. Asked through the array, the group would be copied, and all
        // that it refers to counted, for each of thousands that wait under a limit.
        return groups.withUnsafeBufferPointer { groups in
            groups[place].leastClaim(slot, inPartition: partition, jobs)
        }
    }

    /// The limit on submitted jobs that `count` jobs like one would exceed together; nil when none.
    /// Nothing changes.
    public func limit(onSubmitting count: Int, like submission: JobSubmission) -> PendingReason? {
        guard knowsPeople, let partition = submission.partitions.first else { return nil }
        var book = jobs.limits
        let terms = LimitTerms(
            association: book.association(account: submission.account, user: submission.user),
            qos: submission.qos,
            partition: Int32(partition)
        )
        _ = book.profile(terms, at: jobs.now)
        return book.obstacle(toSubmitting: count, terms)
    }

    /// Changes accounts, QOS or partitions, and counts all jobs again.
    mutating func changePeople(_ change: PeopleChange, at now: SimInstant) {
        knowsPeople = true
        var newcomer: Int32?
        var regrouped: [Int32] = []
        jobs.limits.change(at: now) { associations, qos, partitions in
            switch change {
            case .account(let account, let parent, let settings, let isNew):
                let above = parent.map { associations.account($0) } ?? 0
                let place =
                    associations.place(ofAccount: account)
                    ?? associations.add(account: account, below: above)
                if place != above { regrouped = associations.move(place, below: above) }
                associations.set(place, to: settings)
                if isNew { newcomer = place }
            case .user(let user, let account, let settings, let isNew):
                let place = associations.user(user, of: account)
                associations.set(place, to: settings)
                if isNew { newcomer = place }
            case .qos(let place, let rules):
                if place == qos.count { qos.append(rules) } else { qos[place] = rules }
            case .partition(let place, let terms): partitions[place] = terms
            }
        }
        jobs.limits.recountMinutes(of: regrouped, at: now)
        notePeople()
        if let newcomer { ranking.noteNewcomer(newcomer, jobs.limits, at: now.microseconds) }
        let slots = jobs.slotsByID
        if case .qos = change, preemption.rules.basis == .qos {
            preemption.note(jobs.limits.qos)
            preemption.count(slots.map { jobs[$0].qos })
            for slot in slots where jobs[slot].phase != .running {
                withdraw(slot)
                jobs[slot].phase = .waiting
                jobs[slot].key.rank = rank(ofWaiting: slot)
            }
        }
        for slot in slots { countAgain(slot, at: now) }
        for slot in slots { reconsider(slot, at: now) }
    }

    private mutating func countAgain(_ slot: Int32, at now: SimInstant) {
        let asked = jobs.extras[slot]?.requestedPartitions ?? [Int(jobs[slot].partition)]
        let counts = countsUnderLimits(
            jobs[slot],
            in: asked + [Int(jobs[slot].firstPartition)],
            at: now
        )
        let hasFunds = jobs.funds[jobs[slot].id] != nil
        let hasLicenses = jobs.licenses[jobs[slot].id] != nil
        jobs[slot].hasLimits = counts || jobs[slot].array >= 0 || hasFunds || hasLicenses
        guard jobs[slot].hasLimits else { return }
        jobs.limits.admit(jobs.termsOfSubmission(slot), array: jobs[slot].array)
        guard jobs[slot].phase == .running else { return }
        let claim = jobs.claim(ofRunning: slot)
        jobs.limits.hold(claim, until: jobs.countedDeadline(of: slot), at: now)
    }

    /// Lets those look again who wait under limits that time alone may open.
    mutating func reconsiderTimed(at now: SimInstant) {
        guard let due = nextLimitPeriod, now >= due else { return }
        nextLimitPeriod = nil
        for slot in jobs.limits.takeTimedWaiters() { reconsider(slot, at: now) }
    }
}

// MARK: - What may be asked

extension Emulator {
    /// The priority that Slurm would show of a pending or running job; nil when it has ended. It means
    /// nothing under a configuration that tells no priorities.
    public func priority(of id: JobID) -> Int64? {
        guard let slot = jobs.slot(of: id) else { return nil }
        return shownPriority(slot)
    }

    /// What the priority of a job that waits is the weighted sum of; nil under orders that do not sum
    /// factors, for a job whose priority an operator gave, and when there is no such job.
    public func priorityFactors(of id: JobID, at now: SimInstant) -> PriorityFactors? {
        guard ranking.order.sumsPriority, let slot = jobs.slot(of: id),
            !jobs[slot].isPriorityFixed
        else { return nil }
        let nodes = groups[Int(jobs[slot].group)].nodesNeeded(for: jobs[slot].request)
        return rankingKnowing(jobs[slot])
            .queued(jobs[slot], units: nodes, nodes: nodes, at: now.microseconds)
            .factors
    }

    /// Who used how much, with everybody's rank, as of the last whole period.
    public func fairTree(at now: SimInstant) -> FairTree {
        var tree = ranking.tree
        tree.rank(jobs.limits.associations, at: now.microseconds)
        return tree
    }

    /// What each association has used, with what is below it. What runs counts up to the last whole period; what
    /// has ended counts at once, as in Slurm (`priority_p_job_end`). Unit: 1/1000 billing · s.
    public func usageByEnds(at now: SimInstant) -> [UInt64] {
        let list = jobs.limits.associations.list
        var used = ranking.tree.used(at: now.microseconds)
        used += Array(repeating: 0, count: max(0, list.count - used.count))
        let period = ranking.tree.periodStart(of: now.microseconds)
        for slot in jobs.slotsByID where jobs[slot].phase == .running {
            let place = Int(jobs[slot].association)
            guard place >= 0, jobs.limits.qos.indices.contains(Int(jobs[slot].qos)) else {
                continue
            }
            let factor = Int64(jobs.limits.qos[Int(jobs[slot].qos)].usageFactor)
            let weight = UInt64(max(0, jobs.claim(ofRunning: slot).amounts.billing * factor))
            let length = UInt64(max(0, now.microseconds - max(period, jobs[slot].startedAt)))
            let (product, overflow) = weight.multipliedReportingOverflow(by: length)
            let own = overflow ? .max : product / 1_000_000
            // One that is suspended has used less.
            used[place] -= min(used[place], own)
        }
        for place in jobs.limits.associations.upward() where list[Int(place)].parent >= 0 {
            let parent = Int(list[Int(place)].parent)
            used[parent] = used[parent].addingReportingOverflow(used[Int(place)]).partialValue
        }
        return used
    }

    /// The accounts and users, with their settings.
    public var associations: Associations { jobs.limits.associations }

    /// How many licences there are of each kind, by their positions, and how many of them jobs hold.
    public var licenseUse: [(total: Int64, used: Int64)] {
        (0..<Int32(jobs.limits.licenseCount)).map { license in
            let total = jobs.limits.licenseTotal(license)
            return (total, total - jobs.limits.freeLicenses(license))
        }
    }

    /// The qualities of service, by their positions.
    public var qos: [QOS] { jobs.limits.qos }
}
