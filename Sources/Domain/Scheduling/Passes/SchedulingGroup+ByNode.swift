import IndexSets
import JobModel

// The pass where nodes differ, are shared, or are named by jobs: every placement is looked up on
// the nodes themselves.
//
// Within one pass free resources only shrink, so a request that could not be placed now need not
// be tried again; one that would have delayed the head need not be tried again until another job
// has started, since that may change where it would be placed. Requests repeat, so few of the
// queued jobs cost more than a look at two marks.

/// What decides where a job can be placed, for jobs that name no nodes.
struct ShapeKey: Hashable {
    var request: ResourceRequest
    var partition: Int32
}

/// Requests of one shape share what is found out about them.
struct ShapeMarks: Sendable {
    /// Whether nodes could ever take it; nil when nobody asked.
    var everFits: Bool?
    /// The generation in which it could not be placed.
    var failedNow: UInt64 = 0
    /// The generation in which it would have delayed the head.
    var failedLong: UInt64 = 0
}

extension SchedulingGroup {
    mutating func passByNode(
        _ now: Int64,
        _ table: inout JobTable,
        _ limits: inout ConcurrencyLimits
    ) {
        if nodes.isUniform { nodes.deriveAmounts(policy.placement) }
        nowGeneration += 1
        longGeneration += 1
        headShadow = nil
        hasLongFailure = false
        mustLookAgain = false
        var cursor = queue.first()
        while let current = cursor {
            if park(current, table, &limits) {
                cursor = queue.count > 0 ? queue.entry(after: current) : nil
                continue
            }
            let slot = queue.slot(at: current)
            if let placed = placeNow(slot, table) {
                if let limit = limitThatStops(placed, slot, table, limits) {
                    holdBack(slot, under: limit)
                } else {
                    start(current, placed, now, &table, &limits)
                }
            } else {
                if policy.backfill == .none, blocksForSure(slot, table) { break }
                headShadow = shadow(of: slot, now, table)
                // Without a shadow the job waits for repairs and blocks nobody.
                if headShadow != nil { break }
            }
            cursor = queue.count > 0 ? queue.entry(after: current) : nil
        }
        guard let head = cursor else { return }
        let key = queue.key(at: head)
        if policy.backfill != .none { backfill(behind: head, now, &table, &limits) }
        guard !nodes.isUniform, !mustLookAgain, heldBack.isEmpty, !hasOverruns(at: now) else {
            return
        }
        blocked = BlockedHead(key: key, shadow: headShadow?.instant ?? .max, extra: 0)
    }

    /// Whether a job that cannot be placed now will be some time, without a look at when.
    private func blocksForSure(_ slot: Int32, _ table: JobTable) -> Bool {
        !table.records[Int(slot)].hasExtras && nodes.inServiceCount == Int32(nodes.count)
    }

    /// After an arrival and nothing else: `slot` may start, nobody else, unless it goes before a job
    /// that would have delayed the head and may now be placed elsewhere.
    ///
    /// - Returns: whether that was so; nothing has changed otherwise.
    mutating func tryArrivalByNode(
        _ slot: Int32,
        _ now: Int64,
        _ table: inout JobTable,
        _ limits: inout ConcurrencyLimits
    ) -> Bool {
        guard let cursor = queue.cursor(of: table.records[Int(slot)].key), let headShadow else {
            return false
        }
        if hasLongFailure {
            guard policy.backfill == .easy, queue.entry(after: cursor) == nil else { return false }
        }
        let window = UInt32(clamping: (headShadow.instant - now) / 1_000_000)
        tryCandidate(cursor, window, now, &table, &limits)
        if mustLookAgain { blocked = nil }
        return true
    }

    private mutating func backfill(
        behind head: WaitingQueue.Cursor,
        _ now: Int64,
        _ table: inout JobTable,
        _ limits: inout ConcurrencyLimits
    ) {
        guard let shadow = headShadow else { return }
        let window = UInt32(clamping: (shadow.instant - now) / 1_000_000)
        var cursor: WaitingQueue.Cursor?
        while let found = nextThatMayFit(after: cursor, head) {
            cursor = found
            let candidate = queueCursor(ofCandidate: found, table)
            if candidate != head { tryCandidate(candidate, window, now, &table, &limits) }
        }
    }

    /// Starts a job behind the head if it can be placed and does not delay the head.
    private mutating func tryCandidate(
        _ candidate: WaitingQueue.Cursor,
        _ window: UInt32,
        _ now: Int64,
        _ table: inout JobTable,
        _ limits: inout ConcurrencyLimits
    ) {
        let slot = queue.slot(at: candidate)
        let shape = Int(table.records[Int(slot)].shape)
        let isPlain = shape >= 0
        let isLong = queue.limit(at: candidate) > window
        if isPlain,
            shapes[shape].failedNow == nowGeneration
                || isLong && shapes[shape].failedLong == longGeneration
        {
            return
        }
        if park(candidate, table, &limits) { return }
        guard let placed = placeNow(slot, table) else {
            if isPlain { shapes[shape].failedNow = nowGeneration }
            return
        }
        if let limit = limitThatStops(placed, slot, table, limits) {
            return holdBack(slot, under: limit)
        }
        if isLong, !holdAtShadow(placed.segments, placed.request) {
            if isPlain { shapes[shape].failedLong = longGeneration }
            hasLongFailure = true
            return
        }
        if !isLong {
            // It is gone at the shadow: what its nodes have then is what they have now.
            for segment in placed.segments { overlay.keep(Int(segment.node), nodes) }
        }
        start(candidate, placed, now, &table, &limits)
        longGeneration += 1
        if hasLongFailure { mustLookAgain = true }
    }

    private func nextThatMayFit(
        after cursor: WaitingQueue.Cursor?,
        _ head: WaitingQueue.Cursor
    ) -> WaitingQueue.Cursor? {
        let free = nodes.isUniform ? nodes.idleCount : Int32(clamping: nodes.coresFree)
        return candidate(after: cursor, head: head, free: free, window: .max, extra: free)
    }

    // MARK: Placement

    struct Placed {
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
    func choices(_ slot: Int32, _ table: JobTable) -> [Choice] {
        let job = table.records[Int(slot)]
        guard job.hasExtras, let extras = table.extras[slot] else {
            let partition = Int(job.partition)
            let filter = NodeFilter(partition: partitions[partition]?.nodes)
            return [Choice(partition: partition, request: job.request, filter: filter)]
        }
        return extras.partitions.compactMap { partition in
            guard let own = partitions[partition],
                let filter = filter(
                    partition,
                    required: extras.requiredNodes,
                    excluded: extras.excludedNodes
                )
            else { return nil }
            var request = job.request
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

    private func context(_ slot: Int32, _ table: JobTable) -> PlacementContext {
        PlacementContext(
            policy: policy.placement,
            seed: UInt64(policy.seed),
            job: table.records[Int(slot)].key.id,
            leafSwitches: leafSwitches
        )
    }

    /// Where the placement policy puts a job now, on none of the nodes to avoid; nil when nowhere.
    func placeNow(
        _ slot: Int32,
        _ table: JobTable,
        avoiding avoided: Set<Int> = []
    ) -> Placed? {
        let request = table.records[Int(slot)].request
        let context = context(slot, table)
        if !table.records[Int(slot)].hasExtras {
            let partition = Int(table.records[Int(slot)].partition)
            let filter = NodeFilter(partition: partitions[partition]?.nodes, excluded: avoided)
            return nodes.place(request, filter, context).map {
                Placed(partition: partition, request: request, segments: $0)
            }
        }
        for var choice in choices(slot, table) {
            choice.filter.excluded.formUnion(avoided)
            if let segments = nodes.place(choice.request, choice.filter, context) {
                return Placed(
                    partition: choice.partition,
                    request: choice.request,
                    segments: segments
                )
            }
        }
        return nil
    }

    mutating func start(
        _ cursor: WaitingQueue.Cursor,
        _ placed: Placed,
        _ now: Int64,
        _ table: inout JobTable,
        _ limits: inout ConcurrencyLimits
    ) {
        let slot = queue.slot(at: cursor)
        let index = Int(slot)
        removeFromQueue(cursor, table)
        let request = placed.request
        table.records[index].request = request
        table.records[index].phase = .running
        table.records[index].startedAt = now
        table.records[index].partition = Int32(placed.partition)
        table.records[index].nodesHeld = Int32(placed.segments.count)
        let held = amountsHeld(by: placed.segments, request)
        table.records[index].coresHeld = held.cores
        table.records[index].acceleratorsHeld = held.accelerators
        if nodes.isUniform {
            table.records[index].firstNode = nodes.take(placed.segments.map(\.node), for: slot)
            for segment in placed.segments { nodes.noteTaken(segment) }
        } else {
            take(placed.segments, of: request)
            table.segments[index] = placed.segments
        }
        insertEnd(of: slot, table)
        if table.records[index].hasLimits { limits.hold(table.records[index]) }
        startedSlots.append(slot)
    }

    /// The limit that a placement would go beyond; nil when none. Before it was found, only the fewest
    /// nodes and the cores asked for could be looked at.
    func limitThatStops(
        _ placed: Placed,
        _ slot: Int32,
        _ table: JobTable,
        _ limits: ConcurrencyLimits
    ) -> Int? {
        guard table.records[Int(slot)].hasLimits else { return nil }
        return limits.obstacle(
            for: table.records[Int(slot)],
            nodes: Int32(placed.segments.count),
            cores: Int64(amountsHeld(by: placed.segments, placed.request).cores)
        )
    }

    private func amountsHeld(
        by segments: [AllocationSegment],
        _ request: ResourceRequest
    ) -> (cores: Int32, accelerators: Int32) {
        var cores: Int32 = 0
        var accelerators: Int32 = 0
        for segment in segments {
            let node = Int(segment.node)
            cores +=
                request.isExclusive
                ? nodes.capacity[node].cores : segment.chunks * request.coresPerChunk
            accelerators +=
                request.isExclusive
                ? nodes.capacity[node].accelerators
                : segment.chunks * request.acceleratorsPerChunk
        }
        return (cores, accelerators)
    }

    // MARK: What the head could have now

    /// Gives chunks to a job and keeps count of what the head could have.
    private mutating func take(_ segments: [AllocationSegment], of request: ResourceRequest) {
        let before = chunksForTrackedHead(on: segments)
        nodes.take(segments, of: request)
        let after = chunksForTrackedHead(on: segments)
        trackedHead?.chunks += after - before
    }

    /// Takes chunks back and keeps count of what the head could have.
    mutating func giveBack(_ segments: [AllocationSegment], of request: ResourceRequest) {
        let before = chunksForTrackedHead(on: segments)
        nodes.release(segments, of: request)
        let after = chunksForTrackedHead(on: segments)
        trackedHead?.chunks += after - before
    }

    private func chunksForTrackedHead(on segments: [AllocationSegment]) -> Int64 {
        guard let trackedHead else { return 0 }
        let mask = partitions[Int(trackedHead.shape.partition)]?.nodes
        var chunks: Int64 = 0
        for segment in segments {
            let node = Int(segment.node)
            guard nodes.service[node] == .up, mask?[node] ?? true else { continue }
            chunks += Int64(nodes.state(node).chunks(trackedHead.shape.request))
        }
        return chunks
    }

    /// What a head could have now: counted once for each shape that becomes head, then kept.
    private mutating func availability(
        _ request: ResourceRequest,
        _ filter: NodeFilter,
        partition: Int32,
        isPlain: Bool
    ) -> Availability {
        let shape = ShapeKey(request: request, partition: partition)
        if isPlain, let tracked = trackedHead, tracked.shape == shape {
            return Availability(chunks: tracked.chunks)
        }
        let availability = nodes.available(request, filter)
        if isPlain, !nodes.isUniform { trackedHead = (shape, availability.chunks) }
        return availability
    }

    // MARK: Shadow

    /// The earliest instant from which a job can be placed if running jobs run to their limits;
    /// nil when that is never. `overlay` then holds what nodes have free at that instant.
    mutating func shadow(
        of slot: Int32,
        _ now: Int64,
        _ table: JobTable
    ) -> HeadShadow? {
        let isPlain = !table.records[Int(slot)].hasExtras
        var best: (shadow: HeadShadow, overlay: ShadowOverlay)?
        for choice in choices(slot, table) {
            let start = HeadShadow(
                instant: now,
                request: choice.request,
                filter: choice.filter,
                availability: availability(
                    choice.request,
                    choice.filter,
                    partition: Int32(choice.partition),
                    isPlain: isPlain
                )
            )
            guard let shadow = shadow(from: start, now, table) else { continue }
            if isPlain { return shadow }
            if shadow.instant < best?.shadow.instant ?? .max { best = (shadow, overlay) }
        }
        if let best { overlay = best.overlay }
        return best?.shadow
    }

    private mutating func shadow(
        from start: HeadShadow,
        _ now: Int64,
        _ table: JobTable
    ) -> HeadShadow? {
        overlay.clear(nodes: nodes)
        var shadow = start
        var isFound = false
        let ends = ends
        ends.forEachByInstant(now: now, grace: Self.overrunGrace) { instant, slot in
            if instant > shadow.instant, shadow.availability.suffices(for: shadow.request) {
                isFound = true
                return false
            }
            shadow.instant = instant
            give(slot, table, &shadow)
            return true
        }
        if !isFound, !shadow.availability.suffices(for: shadow.request) { return nil }
        return shadow
    }

    /// Applies the end of a running job to a shadow.
    private mutating func give(_ slot: Int32, _ table: JobTable, _ shadow: inout HeadShadow) {
        let index = Int(slot)
        if nodes.isUniform {
            var held: [AllocationSegment] = []
            nodes.forEachNode(listFrom: table.records[index].firstNode) { node in
                held.append(AllocationSegment(node: Int32(node), chunks: 1))
            }
            for segment in held {
                change(segment, &shadow) { state, capacity in
                    state.give(segment, of: .wholeNodes(1), capacity: capacity)
                }
            }
        } else {
            let request = table.records[index].request
            for segment in table.segments[index] {
                change(segment, &shadow) { state, capacity in
                    state.give(segment, of: request, capacity: capacity)
                }
            }
        }
    }

    /// Holds a candidate's nodes beyond the shadow, if the head can be placed then all the same.
    ///
    /// - Returns: whether it can; nothing has changed otherwise.
    private mutating func holdAtShadow(
        _ segments: [AllocationSegment],
        _ request: ResourceRequest
    ) -> Bool {
        guard var shadow = headShadow else { return true }
        var before: [NodeState] = []
        before.reserveCapacity(segments.count)
        for segment in segments {
            before.append(overlay.state(Int(segment.node), nodes))
            change(segment, &shadow) { state, _ in state.take(segment, of: request) }
        }
        guard shadow.availability.suffices(for: shadow.request) else {
            for (segment, state) in zip(segments, before) { overlay.set(Int(segment.node), state) }
            return false
        }
        headShadow = shadow
        return true
    }

    /// Changes one node at the shadow and keeps the head's availability in step.
    @inline(__always)
    private mutating func change(
        _ segment: AllocationSegment,
        _ shadow: inout HeadShadow,
        _ body: (inout NodeState, NodeAmounts) -> Void
    ) {
        let node = Int(segment.node)
        let counts = nodes.service[node] == .up && shadow.filter.permits(node)
        var state = overlay.state(node, nodes)
        let before = counts ? state.chunks(shadow.request) : 0
        body(&state, nodes.capacity[node])
        overlay.set(node, state)
        let after = counts ? state.chunks(shadow.request) : 0
        shadow.availability.chunks += Int64(after - before)
        guard (before == 0) != (after == 0), shadow.filter.required.contains(node) else { return }
        shadow.availability.requiredMissing += after == 0 ? 1 : -1
    }
}
