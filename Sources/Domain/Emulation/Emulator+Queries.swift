public import Accounts
public import JobModel
public import Quantities
public import Scheduling

/// What may be asked of an emulator. Nothing here changes it.
extension Emulator {
    /// The number of jobs that have not ended.
    public var activeJobCount: Int { jobs.count }

    /// The number of running jobs.
    public var runningJobCount: Int { groups.reduce(0) { $0 + $1.runningCount } }

    /// The number of nodes in service that run nothing.
    public var idleNodeCount: Int { groups.reduce(0) { $0 + Int($1.idleNodeCount) } }

    /// Where a job is; nil when it has ended or was never submitted.
    public func phase(of id: JobID) -> JobPhase? {
        jobs.slot(of: id).map { jobs[$0].phase }
    }

    /// Why a pending job waits; nil when it runs or has ended.
    public func pendingReason(of id: JobID) -> PendingReason? {
        guard let slot = jobs.slot(of: id) else { return nil }
        let job = jobs[slot]
        switch job.phase {
        case .running: return nil
        case .waiting, .parked:
            // Slurm finds out at its next pass that a job was released before its time, or comes too late.
            let isFoundLater =
                job.reason == .beginTime || job.reason == .deadline
                || job.reason == .dependency && waitsElementwise(slot)
            return isFoundLater && delay.isUnseen(slot) ? PendingReason.none : job.reason
        case .queued:
            if delay.isUnseen(slot) { return PendingReason.none }
            if let stop = groups[Int(job.group)].limitHoldingBack(slot) { return stop.reason }
            if let stop = jobs.licenseStop(slot) { return stop.reason }
            let hasNodes = groupsOf(slot).contains {
                groups[$0].hasNodesInService(for: slot, jobs)
            }
            guard hasNodes else { return .reqNodeNotAvail }
            if let reason = closingReason(slot) { return reason }
            return groups[Int(job.group)].isHead(slot, jobs) ? .resources : .priority
        }
    }

    /// Why a pending job can never start as it was asked for, whoever releases it and whatever ends; nil when it
    /// can, and for other jobs. A reason that only an operator's change would free counts as one.
    public func lastingObstacle(to id: JobID) -> PendingReason? {
        guard let slot = jobs.slot(of: id), jobs[slot].phase != .running else { return nil }
        if let reason = obstacle(ofItsRequest: slot) { return reason }
        let isTooDear = jobs.funds[id].map { jobs.limits.exceedsPurse($0) } ?? false
        return isTooDear ? .assocGrpBillingMinutes : nil
    }

    private func obstacle(ofItsRequest slot: Int32) -> PendingReason? {
        guard let extras = jobs[slot].hasExtras ? jobs.extras[slot] : nil else {
            let reason = requestObstacle(slot, inPartition: Int(jobs[slot].partition))
            return reason.flatMap { $0.isOfItsRequest ? $0 : nil }
        }
        if jobs[slot].reason == .dependencyNeverSatisfied { return .dependencyNeverSatisfied }
        if let begin = extras.notBefore, let latest = latestStart(slot), begin > latest {
            return .deadline
        }
        var first: PendingReason?
        for partition in extras.requestedPartitions {
            let reason = requestObstacle(slot, inPartition: partition)
            guard let reason, reason.isOfItsRequest else { return nil }
            first = first ?? reason
        }
        return first
    }

    /// The money of a pending job's account as it stands, where it could not pay for the job though nothing else
    /// ran; nil where it can.
    public func shortFunds(of id: JobID, at now: SimInstant) -> LimitStanding? {
        guard let slot = jobs.slot(of: id), jobs[slot].phase != .running,
            let funds = jobs.funds[id], jobs.limits.exceedsPurse(funds)
        else { return nil }
        let claim = leastClaim(slot, inPartition: Int(jobs[slot].partition))
        return jobs.limits.standing(of: claim, .assocGrpBillingMinutes, at: now)
    }

    /// The limit that a pending job waits for as it stands now; nil when it waits for none.
    public func limitStanding(of id: JobID, at now: SimInstant) -> LimitStanding? {
        guard let slot = jobs.slot(of: id), jobs[slot].phase != .running, jobs[slot].hasLimits,
            let reason = pendingReason(of: id)
        else { return nil }
        let claim = leastClaim(slot, inPartition: Int(jobs[slot].partition))
        return jobs.limits.standing(of: claim, reason, at: now)
    }

    /// How many elements of a job array may run at once; nil when the array is not known.
    public func arrayLimit(of array: JobID) -> ArrayLimit? { jobs.limits.arrayLimit(array) }

    /// What a running job holds of which nodes, in ascending order; empty when it does not run.
    public func allocation(of id: JobID) -> [NodeHolding] {
        guard let slot = jobs.slot(of: id), jobs[slot].phase == .running else {
            return []
        }
        return groups[Int(jobs[slot].group)].allocation(of: slot, jobs)
    }

    /// Whether the scheduler counted on a running job to end by `now`: by its limit, or by its
    /// prediction as it stood just before.
    public func isPlannedToEnd(_ id: JobID, by now: SimInstant) -> Bool {
        guard let slot = jobs.slot(of: id), jobs[slot].phase == .running else { return false }
        return jobs[slot].plannedEnd(before: now.microseconds) <= now.microseconds
    }

    /// What a node does at this moment; nil for one that no partition has.
    public func condition(ofNode node: Int) -> NodeCondition? {
        guard groupOfNode.indices.contains(node), groupOfNode[node] >= 0 else { return nil }
        return groups[groupOfNode[node]].condition(ofMachineNode: node)
    }

    /// The state of a partition.
    public func state(ofPartition partition: Int) -> PartitionState { partitions[partition].state }

    /// How many nodes a job of a partition may have, and how long its limit may be; nil is any.
    public func limits(ofPartition partition: Int) -> (nodes: Int32?, time: SimDuration?) {
        (partitions[partition].maximumNodesPerJob, partitions[partition].maximumTimeLimit)
    }

    /// Stops the program if any of the emulator's parts disagree: counts, queues, allocations.
    public func checkInvariants() {
        for group in groups { group.checkInvariants(jobs) }
        // Each queued job is in its queues, and nobody else is in any.
        var queued = 0
        for slot in jobs.slotsByID {
            let job = jobs[slot]
            if job.phase == .queued {
                let own = groupsOf(slot)
                queued += own.count
                precondition(own.allSatisfy { groups[$0].isQueued(slot, jobs) }, "job \(job.id)")
            }
            if job.phase == .running {
                let nodes = groups[Int(job.group)].allocation(of: slot, jobs).map(\.node)
                precondition(nodes.count == Int(job.nodesHeld), "job \(job.id) holds other nodes")
                precondition(Set(nodes).count == nodes.count, "job \(job.id) holds a node twice")
                let held = groups[Int(job.group)].allocation(of: slot, jobs)
                precondition(held.reduce(0) { $0 + $1.cores } == job.coresHeld, "job \(job.id)")
            }
            for other in companions(of: slot) {
                let runs = jobs.slot(of: other).map { jobs[$0].phase == .running }
                precondition(runs == (job.phase == .running), "job \(other) alone")
            }
        }
        precondition(queued == groups.reduce(0) { $0 + $1.queuedCount })
    }
}
