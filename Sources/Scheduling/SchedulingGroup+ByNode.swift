import IndexSets
import JobModel

// The pass where nodes differ, are shared, or are named by jobs: every placement is looked up on
// the nodes themselves.
//
// Within one pass free resources only shrink, so a request that could not be placed now need not
// be tried again; one that would have delayed the head need not be tried again until another job
// has started, since that may change where it would be placed. Requests repeat, so few of the
// queued jobs cost more than a look into a set.

/// What decides where a job can be placed, for jobs that name no nodes.
struct ShapeKey: Hashable {
    var request: ResourceRequest
    var partition: Int32
}

/// The state at the instant from which the head can be placed.
private struct HeadShadow {
    var instant: Int64
    var load: NodeLoad
    var filter: NodeFilter
    var availability: Availability
}

extension SchedulingGroup {
    mutating func passByNode(
        _ now: Int64,
        _ table: inout JobTable,
        _ limits: inout ConcurrencyLimits
    ) {
        failedNow.removeAll(keepingCapacity: true)
        failedLong.removeAll(keepingCapacity: true)
        var derived = nodes.isUniform ? nodes.currentLoad() : nil
        var cursor = queue.first()
        var head: (cursor: WaitingQueue.Cursor, shadow: HeadShadow)?
        while let current = cursor {
            if park(current, table, &limits) {
                cursor = queue.count > 0 ? queue.entry(after: current) : nil
                continue
            }
            if let placed = placeNow(queue.slot(at: current), table, derived) {
                start(current, placed, now, &table, &limits, &derived)
            } else if let shadow = shadow(of: queue.slot(at: current), now, table, derived) {
                head = (current, shadow)
                break
            }
            // Without a shadow the job waits for repairs and blocks nobody.
            cursor = queue.count > 0 ? queue.entry(after: current) : nil
        }
        guard policy.backfill != .none, let head else { return }
        backfill(behind: head.cursor, head.shadow, now, &table, &limits, &derived)
    }

    private mutating func backfill(
        behind head: WaitingQueue.Cursor,
        _ headShadow: HeadShadow,
        _ now: Int64,
        _ table: inout JobTable,
        _ limits: inout ConcurrencyLimits,
        _ derived: inout NodeLoad?
    ) {
        var shadow = headShadow
        let request = table.records[Int(queue.slot(at: head))].request
        let window = UInt32(clamping: (shadow.instant - now) / 1_000_000)
        var cursor: WaitingQueue.Cursor?
        while let found = nextThatMayFit(after: cursor, head) {
            cursor = found
            let candidate = queueCursor(ofCandidate: found, table)
            if candidate == head || park(candidate, table, &limits) { continue }
            let slot = queue.slot(at: candidate)
            let job = table.records[Int(slot)]
            let isPlain = !job.hasExtras
            let shape = ShapeKey(request: job.request, partition: job.partition)
            let isLong = queue.limit(at: candidate) > window
            if isPlain && (failedNow.contains(shape) || isLong && failedLong.contains(shape)) {
                continue
            }
            guard let placed = placeNow(slot, table, derived) else {
                if isPlain { failedNow.insert(shape) }
                continue
            }
            if isLong {
                let others = shadow
                holdAtShadow(placed.segments, job.request, for: request, &shadow)
                guard shadow.availability.suffices(for: request) else {
                    shadow = others
                    if isPlain { failedLong.insert(shape) }
                    continue
                }
            }
            start(candidate, placed, now, &table, &limits, &derived)
            failedLong.removeAll(keepingCapacity: true)
        }
    }

    /// Starts one queued job if it can be placed now, and tells whether it did.
    mutating func startByNode(
        _ cursor: WaitingQueue.Cursor,
        _ now: Int64,
        _ table: inout JobTable,
        _ limits: inout ConcurrencyLimits
    ) -> Bool {
        var derived = nodes.isUniform ? nodes.currentLoad() : nil
        guard let placed = placeNow(queue.slot(at: cursor), table, derived) else { return false }
        start(cursor, placed, now, &table, &limits, &derived)
        return true
    }

    private func nextThatMayFit(
        after cursor: WaitingQueue.Cursor?,
        _ head: WaitingQueue.Cursor
    ) -> WaitingQueue.Cursor? {
        let free =
            nodes.isUniform ? nodes.idleCount : Int32(clamping: nodes.coresFree)
        return candidate(after: cursor, head: head, free: free, window: .max, extra: free)
    }

    // MARK: Placement

    private struct Placed {
        var partition: Int
        var segments: [AllocationSegment]
    }

    /// Where a job may go, partition by partition in the order to try.
    private func filters(
        _ slot: Int32,
        _ table: JobTable
    ) -> [(partition: Int, filter: NodeFilter)] {
        let job = table.records[Int(slot)]
        guard job.hasExtras, let extras = table.extras[slot] else {
            let partition = Int(job.partition)
            return [(partition, NodeFilter(partition: partitions[partition] ?? nil))]
        }
        let required = extras.requiredNodes.map { Array($0) } ?? []
        let local = required.compactMap(nodes.localIndex)
        // A required node outside the group can never be had here.
        guard local.count == required.count else { return [] }
        let excluded = Set((extras.excludedNodes ?? IDSet()).compactMap(nodes.localIndex))
        let own = extras.partitions.filter { partitions.keys.contains($0) }
        return own.map { partition in
            let filter = NodeFilter(
                partition: partitions[partition] ?? nil,
                required: local,
                excluded: excluded
            )
            return (partition, filter)
        }
    }

    private func placeNow(_ slot: Int32, _ table: JobTable, _ derived: NodeLoad?) -> Placed? {
        let request = table.records[Int(slot)].request
        for (partition, filter) in filters(slot, table) {
            let segments =
                if let derived {
                    nodes.place(request, filter, policy: policy.placement, under: derived)
                } else {
                    nodes.place(request, filter, policy: policy.placement, under: nodes.load)
                }
            if let segments { return Placed(partition: partition, segments: segments) }
        }
        return nil
    }

    private mutating func start(
        _ cursor: WaitingQueue.Cursor,
        _ placed: Placed,
        _ now: Int64,
        _ table: inout JobTable,
        _ limits: inout ConcurrencyLimits,
        _ derived: inout NodeLoad?
    ) {
        let slot = queue.slot(at: cursor)
        let index = Int(slot)
        removeFromQueue(cursor, table)
        let request = table.records[index].request
        table.records[index].phase = .running
        table.records[index].startedAt = now
        table.records[index].partition = Int32(placed.partition)
        table.records[index].nodesHeld = Int32(placed.segments.count)
        let held = amountsHeld(by: placed.segments, request)
        table.records[index].coresHeld = held.cores
        table.records[index].acceleratorsHeld = held.accelerators
        if nodes.isUniform {
            table.records[index].firstNode = nodes.take(placed.segments.map(\.node), for: slot)
            for segment in placed.segments { derived?.take(segment, of: .wholeNodes(1)) }
        } else {
            nodes.take(placed.segments, of: request)
            table.segments[index] = placed.segments
        }
        insertEnd(of: slot, table)
        if table.records[index].hasLimits { limits.hold(table.records[index]) }
        startedSlots.append(slot)
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
                ? nodes.capacity.cores[node] : segment.chunks * request.coresPerChunk
            accelerators +=
                request.isExclusive
                ? nodes.capacity.accelerators[node]
                : segment.chunks * request.acceleratorsPerChunk
        }
        return (cores, accelerators)
    }

    // MARK: Shadow

    /// The earliest instant from which a job can be placed if running jobs run to their limits;
    /// nil when that is never.
    private func shadow(
        of slot: Int32,
        _ now: Int64,
        _ table: JobTable,
        _ derived: NodeLoad?
    ) -> HeadShadow? {
        let request = table.records[Int(slot)].request
        var best: HeadShadow?
        for (_, filter) in filters(slot, table) {
            let candidate = shadow(of: request, filter, now, table, derived)
            if let candidate, candidate.instant < best?.instant ?? .max { best = candidate }
        }
        return best
    }

    private func shadow(
        of request: ResourceRequest,
        _ filter: NodeFilter,
        _ now: Int64,
        _ table: JobTable,
        _ derived: NodeLoad?
    ) -> HeadShadow? {
        let load = derived ?? nodes.load
        var state = HeadShadow(
            instant: now,
            load: load,
            filter: filter,
            availability: nodes.available(request, filter, under: load)
        )
        let releases = ends.byInstant(now: now, grace: Self.overrunGrace)
        var index = 0
        while index < releases.count {
            state.instant = releases[index].instant
            while index < releases.count, releases[index].instant == state.instant {
                giveBack(releases[index].slot, table, for: request, &state)
                index += 1
            }
            if state.availability.suffices(for: request) { return state }
        }
        return nil
    }

    /// Applies the end of a running job to a shadow state.
    private func giveBack(
        _ slot: Int32,
        _ table: JobTable,
        for head: ResourceRequest,
        _ state: inout HeadShadow
    ) {
        let job = table.records[Int(slot)]
        if nodes.isUniform {
            nodes.forEachNode(listFrom: job.firstNode) { node in
                let segment = AllocationSegment(node: Int32(node), chunks: 1)
                change(segment, head, &state) {
                    $0.give(segment, of: .wholeNodes(1), capacity: nodes.capacity)
                }
            }
        } else {
            for segment in table.segments[Int(slot)] {
                change(segment, head, &state) {
                    $0.give(segment, of: job.request, capacity: nodes.capacity)
                }
            }
        }
    }

    /// Holds a candidate's nodes beyond the shadow.
    private func holdAtShadow(
        _ segments: [AllocationSegment],
        _ request: ResourceRequest,
        for head: ResourceRequest,
        _ state: inout HeadShadow
    ) {
        for segment in segments {
            change(segment, head, &state) { $0.take(segment, of: request) }
        }
    }

    /// Changes the load of one node and keeps the head's availability in step.
    private func change(
        _ segment: AllocationSegment,
        _ head: ResourceRequest,
        _ state: inout HeadShadow,
        _ body: (inout NodeLoad) -> Void
    ) {
        let node = Int(segment.node)
        let counts = nodes.service[node] == .up && state.filter.permits(node)
        let before = counts ? state.load.chunks(head, on: node) : 0
        body(&state.load)
        let after = counts ? state.load.chunks(head, on: node) : 0
        state.availability.chunks += Int64(after - before)
        guard (before == 0) != (after == 0), state.filter.required.contains(node) else { return }
        state.availability.requiredMissing += after == 0 ? 1 : -1
    }
}
