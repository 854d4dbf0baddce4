import JobModel

// EASY where nodes differ, are shared, or are named by jobs: every placement is looked up on the
// nodes themselves.
//
// Within one pass free resources only shrink, so a request that could not be placed now need not be
// tried again; one that would have delayed the head wherever it was placed need not be tried again
// until another job has started, since that may change where it would be placed. Requests repeat,
// so few of the queued jobs cost more than a look at two marks.
//
// A candidate that would delay the head where the placement policy puts it is placed elsewhere: on
// nodes where the head loses nothing, and, as long as it has chunks to spare, on others.

/// Requests of one shape share what is found out about them.
struct ShapeMarks: Sendable, Codable {
    /// The generation in which it could not be placed.
    var failedNow: UInt64 = 0
    /// The generation in which it would have delayed the head.
    var failedLong: UInt64 = 0
}

extension EasyPass {
    mutating func passByNode(
        _ group: inout SchedulingGroup,
        _ jobs: inout ActiveJobs,
        _ now: Int64
    ) {
        group.prepareNodes()
        nowGeneration += 1
        longGeneration += 1
        headShadow = nil
        hasLongFailure = false
        mustLookAgain = false
        while marks.count < group.shapes.count { marks.append(ShapeMarks()) }
        var cursor = group.queue.first()
        while let current = cursor {
            if !group.startHeadByNode(current, now, &jobs) {
                headShadow = shadow(of: group.queue.slot(at: current), &group, jobs, now)
                // Without a shadow the job waits for repairs and blocks nobody.
                if headShadow != nil { break }
            }
            cursor = group.entry(after: current)
        }
        guard let head = cursor else { return }
        let key = group.queue.key(at: head)
        backfill(behind: head, &group, &jobs, now)
        guard !group.nodes.isUniform, group.outlook == nil, !mustLookAgain, group.heldBack.isEmpty,
            !group.hasOverruns(at: now)
        else { return }
        blocked = BlockedHead(key: key, shadow: headShadow?.instant ?? .max, extra: 0)
    }

    /// After an arrival and nothing else: `slot` may start, nobody else, unless it goes before a job
    /// that would have delayed the head and may now be placed elsewhere.
    ///
    /// - Returns: whether that was so; nothing has changed otherwise.
    mutating func tryArrivalByNode(
        _ slot: Int32,
        _ group: inout SchedulingGroup,
        _ jobs: inout ActiveJobs,
        _ now: Int64
    ) -> Bool {
        guard let cursor = group.queue.cursor(of: jobs[slot].key), let headShadow else {
            return false
        }
        if hasLongFailure {
            guard group.policy.backfill == .easy, group.queue.entry(after: cursor) == nil else {
                return false
            }
        }
        while marks.count < group.shapes.count { marks.append(ShapeMarks()) }
        let window = UInt32(clamping: (headShadow.instant - now) / 1_000_000)
        tryCandidate(cursor, window, &group, &jobs, now)
        if mustLookAgain || !group.heldBack.isEmpty { blocked = nil }
        return true
    }

    private mutating func backfill(
        behind head: WaitingQueue.Cursor,
        _ group: inout SchedulingGroup,
        _ jobs: inout ActiveJobs,
        _ now: Int64
    ) {
        guard let shadow = headShadow else { return }
        let window = UInt32(clamping: (shadow.instant - now) / 1_000_000)
        var cursor: WaitingQueue.Cursor?
        while let found = nextThatMayFit(after: cursor, head, group) {
            cursor = found
            let candidate = group.queueCursor(ofCandidate: found, jobs)
            if candidate != head { tryCandidate(candidate, window, &group, &jobs, now) }
        }
    }

    private func nextThatMayFit(
        after cursor: WaitingQueue.Cursor?,
        _ head: WaitingQueue.Cursor,
        _ group: SchedulingGroup
    ) -> WaitingQueue.Cursor? {
        let free = group.unitsFree
        return group.candidate(after: cursor, head: head, free: free, window: .max, extra: free)
    }

    /// Starts a job behind the head if it can be placed and does not delay the head.
    private mutating func tryCandidate(
        _ candidate: WaitingQueue.Cursor,
        _ window: UInt32,
        _ group: inout SchedulingGroup,
        _ jobs: inout ActiveJobs,
        _ now: Int64
    ) {
        let slot = group.queue.slot(at: candidate)
        let shape = Int(jobs[slot].shape)
        // Jobs of one shape and different limits see different nodes of a calendar.
        let isPlain = shape >= 0 && group.outlook == nil
        let isLong = group.queue.limit(at: candidate) > window
        if isPlain,
            marks[shape].failedNow == nowGeneration
                || isLong && marks[shape].failedLong == longGeneration
        {
            return
        }
        if group.park(candidate, jobs) { return }
        guard var placed = group.placeNow(slot, jobs, at: now) else {
            if isPlain { marks[shape].failedNow = nowGeneration }
            return
        }
        var isHeld = !isLong || holdAtShadow(placed, group)
        if !isHeld, placed.request.isElastic, let least = placeNow(slot, group, jobs, now) {
            placed = least
            isHeld = holdAtShadow(placed, group)
        }
        if !isHeld {
            guard let elsewhere = placeBesideHead(slot, group, jobs, now),
                holdAtShadow(elsewhere, group)
            else {
                if isPlain { marks[shape].failedLong = longGeneration }
                hasLongFailure = true
                return
            }
            placed = elsewhere
        }
        if let stop = group.limitStop(placed, slot, jobs) {
            if isLong { letGoAtShadow(placed, group) }
            return group.holdBack(slot, under: stop)
        }
        if !isLong {
            // It is gone at the shadow: what its nodes have then is what they have now.
            for segment in placed.segments { overlay.keep(Int(segment.node), group.nodes) }
        }
        group.start(candidate, placed, now, &jobs)
        longGeneration += 1
        if hasLongFailure { mustLookAgain = true }
    }

    /// Where a job goes that would delay the head where the policy puts it; nil when nowhere.
    private func placeBesideHead(
        _ slot: Int32,
        _ group: SchedulingGroup,
        _ jobs: ActiveJobs,
        _ now: Int64
    ) -> SchedulingGroup.Placed? {
        group.placeNow(slot, jobs, at: now, isLeast: true) { choice in allowance(for: choice, group)
        }
    }

    /// Where the policy puts a job that takes no more than it needs.
    private func placeNow(
        _ slot: Int32,
        _ group: SchedulingGroup,
        _ jobs: ActiveJobs,
        _ now: Int64
    ) -> SchedulingGroup.Placed? {
        group.placeNow(slot, jobs, at: now, isLeast: true)
    }

    /// How many chunks of a request each node may give beside the head: as many as cost the head
    /// nothing at its shadow; then, from the lowest node on, more, as long as the head has chunks to
    /// spare there and keeps one on each node that it must have.
    private func allowance(
        for choice: SchedulingGroup.Choice,
        _ group: SchedulingGroup
    ) -> ContiguousArray<Int32> {
        let request = choice.request
        var allowance = ContiguousArray(repeating: Int32(0), count: group.nodes.count)
        guard let head = headShadow else { return allowance }
        // Chunks on other nodes are no use to a head that counts nodes.
        var spare =
            head.request.countsNodes
            ? 0 : head.availability.chunks - Int64(head.request.chunkCount)
        var costly: [Int] = []
        var free: Int64 = 0
        for node in 0..<group.nodes.count
        where group.nodes.service[node] == .up && choice.filter.permits(node) {
            let most = group.nodes.state(node).chunks(request, choice.filter)
            guard most > 0 else { continue }
            allowance[node] = chunksWithoutLoss(of: request, most, node, head, group)
            free += Int64(allowance[node])
            if allowance[node] < most { costly.append(node) }
        }
        guard free < Int64(request.chunkCount) else { return allowance }
        for node in costly where spare > 0 {
            let most = group.nodes.state(node).chunks(request, choice.filter)
            while allowance[node] < most {
                let loss =
                    headLoss(of: request, allowance[node] + 1, node, head, group)
                    - headLoss(of: request, allowance[node], node, head, group)
                guard Int64(loss) <= spare else { break }
                allowance[node] += 1
                spare -= Int64(loss)
            }
        }
        return allowance
    }

    /// The most chunks of `request`, up to `most`, that cost the head nothing on a node.
    private func chunksWithoutLoss(
        of request: ResourceRequest,
        _ most: Int32,
        _ node: Int,
        _ head: HeadShadow,
        _ group: SchedulingGroup
    ) -> Int32 {
        // What more chunks cost never falls.
        var low: Int32 = 0
        var high = most
        while low < high {
            let middle = low + (high - low + 1) / 2
            if headLoss(of: request, middle, node, head, group) == 0 {
                low = middle
            } else {
                high = middle - 1
            }
        }
        return low
    }

    /// How many chunks the head loses on a node at its shadow by so many of `request`; more than it
    /// can spare where it would lose a node that it must have.
    private func headLoss(
        of request: ResourceRequest,
        _ chunks: Int32,
        _ node: Int,
        _ head: HeadShadow,
        _ group: SchedulingGroup
    ) -> Int32 {
        guard chunks > 0, head.filter.permits(node) else { return 0 }
        var state = overlay.state(node, group.nodes)
        let before = state.chunks(head.request, head.filter)
        guard before > 0 else { return 0 }
        var segment = AllocationSegment(node: Int32(node), chunks: chunks)
        // The cards that it would get now.
        if let cards = group.nodes.state(node).cards, request.accelerators(forChunks: 1) > 0,
            !request.isExclusive
        {
            segment.cards = cards.choice(of: request, chunks: chunks)
        }
        state.take(segment, of: request)
        let after = state.chunks(head.request, head.filter)
        return after == 0 && head.filter.required.contains(node) ? .max : before - after
    }

    // MARK: Shadow

    /// The earliest instant from which a job can be placed if running jobs run to their limits;
    /// nil when that is never. `overlay` then holds what nodes have free at that instant.
    mutating func shadow(
        of slot: Int32,
        _ group: inout SchedulingGroup,
        _ jobs: ActiveJobs,
        _ now: Int64
    ) -> HeadShadow? {
        if let outlook = group.outlook { return shadow(of: slot, outlook, group, jobs, now) }
        let isPlain = !jobs[slot].hasExtras
        var best: (shadow: HeadShadow, overlay: ShadowOverlay)?
        for choice in group.openChoices(slot, jobs) {
            let start = HeadShadow(
                instant: now,
                request: choice.request,
                filter: choice.filter,
                availability: group.availability(of: choice, isPlain: isPlain)
            )
            guard let shadow = shadow(from: start, group, jobs, now) else { continue }
            if isPlain { return shadow }
            if shadow.instant < best?.shadow.instant ?? .max { best = (shadow, overlay) }
        }
        if let best { overlay = best.overlay }
        return best?.shadow
    }

    private mutating func shadow(
        from start: HeadShadow,
        _ group: SchedulingGroup,
        _ jobs: ActiveJobs,
        _ now: Int64
    ) -> HeadShadow? {
        overlay.clear(nodes: group.nodes)
        var shadow = start
        var isFound = false
        group.ends.forEachByInstant(now: now, grace: SchedulingGroup.overrunGrace) { entry in
            if entry.instant > shadow.instant, shadow.availability.suffices(for: shadow.request) {
                isFound = true
                return false
            }
            shadow.instant = entry.instant
            give(entry.slot, group, jobs, &shadow)
            return true
        }
        if !isFound, !shadow.availability.suffices(for: shadow.request) { return nil }
        return shadow
    }

    /// Applies the end of a running job to a shadow.
    mutating func give(
        _ slot: Int32,
        _ group: SchedulingGroup,
        _ jobs: ActiveJobs,
        _ shadow: inout HeadShadow
    ) {
        if group.isInLoan(slot) {
            group.forEachReturn(of: slot, jobs) { segment, giveBack in
                change(segment, group, &shadow) { state, _ in giveBack(&state) }
            }
            return
        }
        let request: ResourceRequest =
            group.nodes.isUniform ? .wholeNodes(1) : jobs[slot].request
        for segment in group.segments(of: slot, jobs) {
            change(segment, group, &shadow) { state, capacity in
                state.give(segment, of: request, capacity: capacity)
            }
        }
    }

    /// Holds a candidate's nodes beyond the shadow, if the head can be placed then all the same.
    ///
    /// - Returns: whether it can; nothing has changed otherwise.
    private mutating func holdAtShadow(
        _ placed: SchedulingGroup.Placed,
        _ group: SchedulingGroup
    ) -> Bool {
        guard var shadow = headShadow else { return true }
        var before: [NodeState] = []
        before.reserveCapacity(placed.segments.count)
        for segment in placed.segments {
            before.append(overlay.state(Int(segment.node), group.nodes))
            change(segment, group, &shadow) { state, _ in
                state.take(segment, of: placed.request)
            }
        }
        guard shadow.availability.suffices(for: shadow.request) else {
            for (segment, state) in zip(placed.segments, before) {
                overlay.set(Int(segment.node), state)
            }
            return false
        }
        headShadow = shadow
        return true
    }

    /// Takes back what `holdAtShadow` held for a job that does not start after all.
    private mutating func letGoAtShadow(
        _ placed: SchedulingGroup.Placed,
        _ group: SchedulingGroup
    ) {
        guard var shadow = headShadow else { return }
        for segment in placed.segments {
            change(segment, group, &shadow) { state, capacity in
                state.give(segment, of: placed.request, capacity: capacity)
            }
        }
        headShadow = shadow
    }

    /// Changes one node at the shadow and keeps the head's availability in step.
    @inline(__always)
    private mutating func change(
        _ segment: AllocationSegment,
        _ group: SchedulingGroup,
        _ shadow: inout HeadShadow,
        _ body: (inout NodeState, NodeAmounts) -> Void
    ) {
        let node = Int(segment.node)
        let counts = group.nodes.mayServe(node) && shadow.filter.permits(node)
        var state = overlay.state(node, group.nodes)
        let before = counts ? state.chunks(shadow.request, shadow.filter) : 0
        body(&state, group.nodes.capacity[node])
        overlay.set(node, state)
        let after = counts ? state.chunks(shadow.request, shadow.filter) : 0
        shadow.availability.change(
            from: before,
            to: after,
            isRequired: shadow.filter.required.contains(node)
        )
    }
}
