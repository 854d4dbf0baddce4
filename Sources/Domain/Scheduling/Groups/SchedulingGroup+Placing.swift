import IndexSets
import JobModel
import Quantities

// Where a job can go, looked up on the nodes themselves.

extension SchedulingGroup {
    /// Where a job goes, and what it asks for there.
    struct Placed: Sendable, Codable {
        var partition: Int
        var request: ResourceRequest
        var segments: [AllocationSegment]
    }

    /// A partition of this group in which a job may run, and what it asks for there.
    struct Choice {
        var partition: Int
        var request: ResourceRequest
        var filter: NodeFilter
    }

    /// Where a job may go, partition by partition in the order to try.
    func choices(_ slot: Int32, _ jobs: ActiveJobs) -> [Choice] {
        guard jobs[slot].hasExtras, let extras = jobs.extras[slot] else {
            let partition = Int(jobs[slot].partition)
            var filter = NodeFilter(partition: partitions[partition]?.nodes)
            filter.keeper = NodeKeeper.key(ofUser: jobs[slot].user)
            return [Choice(partition: partition, request: jobs[slot].request, filter: filter)]
        }
        return extras.partitions.compactMap { partition in
            guard let own = partitions[partition],
                var filter = filter(
                    partition,
                    required: extras.requiredNodes,
                    excluded: extras.excludedNodes
                )
            else { return nil }
            filter.keeper = NodeKeeper.key(ofUser: jobs[slot].user)
            var request = jobs[slot].request
            request.isExclusive = request.isExclusive || own.isWholeNode
            return Choice(partition: partition, request: request, filter: filter)
        }
    }

    /// The nodes of a partition that a job may use; nil when it needs one of another group.
    func filter(_ partition: Int, required: IDSet?, excluded: IDSet?) -> NodeFilter? {
        let wanted = required.map { Array($0) } ?? []
        let local = wanted.compactMap(nodes.localIndex)
        guard local.count == wanted.count else { return nil }
        return NodeFilter(
            partition: partitions[partition]?.nodes,
            required: local,
            excluded: Set((excluded ?? IDSet()).compactMap(nodes.localIndex))
        )
    }

    /// Permits and requires just these nodes; false when one is of another group, or another one is
    /// required.
    private func narrow(_ filter: inout NodeFilter, to chosen: IDSet) -> Bool {
        let local = chosen.compactMap(nodes.localIndex)
        guard local.count == chosen.count else { return false }
        return filter.narrow(to: local, nodeCount: nodes.count)
    }

    func placementContext(_ slot: Int32, _ jobs: ActiveJobs) -> PlacementContext {
        PlacementContext(
            policy: policy.placement,
            seed: UInt64(policy.seed),
            job: jobs[slot].key.id,
            leafSwitches: leafSwitches
        )
    }

    /// Where the placement policy puts a job now; nil when nowhere.
    ///
    /// - Parameters:
    ///   - isLeast: whether it takes no more than it needs.
    ///   - partition: the only one that will do; nil for any.
    ///   - chosen: the nodes that it gets, all of them and no others; nil for any.
    ///   - allowance: the most chunks that each node may give; nil when all they have.
    func placeNow(
        _ slot: Int32,
        _ jobs: ActiveJobs,
        at now: Int64,
        isLeast: Bool = false,
        inPartition partition: Int? = nil,
        on chosen: IDSet? = nil,
        allowance: ((Choice) -> ContiguousArray<Int32>)? = nil
    ) -> Placed? {
        let context = placementContext(slot, jobs)
        let closed = outlook?.closed(from: now, until: now &+ lengthHeld(by: slot, jobs))
        for var choice in openChoices(slot, jobs)
        where partition == nil || choice.partition == partition {
            choice.filter.closed = closed
            if let chosen, !narrow(&choice.filter, to: chosen) { continue }
            let segments = nodes.place(
                isLeast ? choice.request.least : choice.request,
                choice.filter,
                context,
                allowance: allowance?(choice)
            )
            if let segments {
                return Placed(
                    partition: choice.partition,
                    request: choice.request,
                    segments: segments
                )
            }
        }
        return nil
    }

    /// What a choice could have now: counted once for a shape, then kept up to date.
    mutating func availability(of choice: Choice, isPlain: Bool) -> Availability {
        let isWatched = isPlain && !choice.request.countsNodes
        let shape = ShapeKey(
            request: choice.request,
            partition: Int32(choice.partition),
            keeper: tellsUsersApart ? choice.filter.keeper : NodeKeeper.none
        )
        if isWatched, let watched, watched.shape == shape {
            return Availability(chunks: watched.chunks)
        }
        let availability = nodes.available(choice.request, choice.filter)
        if isWatched, !nodes.isUniform {
            watched = WatchedShape(shape: shape, chunks: availability.chunks)
        }
        return availability
    }

    /// Leaves a queued job alone in the next pass, which then looks at all others.
    public mutating func leaveAlone(_ slot: Int32) {
        passedOver.insert(slot)
        news.noteDisturbance()
    }

    /// The pass is over: whoever was left alone is looked at again, if it is still there.
    public mutating func forgetPassedOver() {
        passedOver.removeAll()
        news.noteDisturbance()
    }

    /// Whether a queued job has room now when all before it in the queue are placed first, as far as
    /// sizes tell; where nodes are looked at, only for the first of the queue.
    public mutating func hasRoomInOrder(for slot: Int32, _ jobs: ActiveJobs) -> Bool {
        guard let own = queue.cursor(of: jobs[slot].key) else { return false }
        if jobs[slot].hasLimits, !limitStops(slot, jobs).isEmpty || jobs.licenseStop(slot) != nil {
            return false
        }
        var free = unitsFree
        var cursor = queue.first()
        while let current = cursor, current != own {
            free -= queue.size(at: current)
            guard free >= 0 else { return false }
            cursor = entry(after: current)
        }
        guard queue.size(at: own) <= free else { return false }
        if countsSuffice { return true }
        guard queue.first() == own else { return false }
        prepareNodes()
        return placeNow(slot, jobs, at: jobs.now.microseconds) != nil
    }

    /// Brings the nodes' amounts up to date for a pass that looks at nodes.
    mutating func prepareNodes() {
        if nodes.isUniform { nodes.deriveAmounts(policy.placement) }
    }
}
