import JobModel

/// What each node has free over time: nodes that differ, are shared, or are named by jobs.
///
/// Layout: for each node its steps in order of time; a step holds from its instant until the next,
/// the last for ever. Most nodes have one to three. A search looks at each permitted node once:
/// how many chunks it could take for the whole length is a function of the start that changes only
/// where a step begins, or just after `length` before one. These changes, sorted by instant, are swept until
/// enough chunks come together. O(s log s) for s steps of permitted nodes.
struct NodeTimeline: Sendable, Codable {
    struct Step: Sendable, Codable {
        /// Unit: µs since the epoch.
        var instant: Int64
        var state: NodeState
    }

    private var steps: ContiguousArray<ContiguousArray<Step>>
    private let mayServe: ContiguousArray<Bool>
    private let capacity: ContiguousArray<NodeAmounts>
    /// When nodes are closed to the jobs that are planned; nil when never.
    private let outlook: CalendarView?
    /// The latest instant at which a step begins or began. Unit: µs since the epoch.
    private var lastInstant: Int64

    /// No nodes.
    init() {
        steps = []
        mayServe = []
        capacity = []
        outlook = nil
        lastInstant = .min
    }

    /// Nodes with what they have free now, and for ever as far as is known.
    init(_ nodes: NodeTable, _ outlook: CalendarView? = nil, at now: Int64) {
        steps = ContiguousArray(
            (0..<nodes.count).map { [Step(instant: now, state: nodes.state($0))] }
        )
        mayServe = ContiguousArray((0..<nodes.count).map(nodes.mayServe))
        capacity = nodes.capacity
        self.outlook = outlook
        lastInstant = now
    }

    // MARK: Changing

    /// Gives a segment of a job back from `instant` on, until `end` when it is held again then.
    mutating func give(
        _ segment: AllocationSegment,
        of request: ResourceRequest,
        from instant: Int64,
        until end: Int64 = .max
    ) {
        let whole = capacity[Int(segment.node)]
        change(segment.node, from: instant, until: end) {
            $0.give(segment, of: request, capacity: whole)
        }
    }

    /// Gives a segment to a job for `[instant, end)`.
    mutating func take(
        _ segment: AllocationSegment,
        of request: ResourceRequest,
        from instant: Int64,
        until end: Int64
    ) {
        change(segment.node, from: instant, until: end) { $0.take(segment, of: request) }
    }

    private mutating func change(
        _ node: Int32,
        from instant: Int64,
        until end: Int64,
        _ body: (inout NodeState) -> Void
    ) {
        guard instant < end else { return }
        let first = cut(Int(node), at: instant)
        let last = end == .max ? steps[Int(node)].count : cut(Int(node), at: end)
        for index in first..<last { body(&steps[Int(node)][index].state) }
    }

    /// The position of a node's step that begins at `instant`, made if need be.
    private mutating func cut(_ node: Int, at instant: Int64) -> Int {
        var index = steps[node].count
        while index > 0, steps[node][index - 1].instant >= instant { index -= 1 }
        if index < steps[node].count, steps[node][index].instant == instant { return index }
        precondition(index > 0, "a plan begins before the timeline does")
        lastInstant = max(lastInstant, instant)
        let state = steps[node][index - 1].state
        steps[node].insert(Step(instant: instant, state: state), at: index)
        return index
    }

    /// Forgets what lies before `now`.
    mutating func trim(before now: Int64) {
        for node in steps.indices {
            var passed = 0
            while passed + 1 < steps[node].count, steps[node][passed + 1].instant <= now {
                passed += 1
            }
            if passed > 0 { steps[node].removeFirst(passed) }
            steps[node][0].instant = max(steps[node][0].instant, now)
        }
    }

    // MARK: Asking

    /// The least that a node has free of everything during `[start, end)`.
    func state(_ node: Int, from start: Int64, until end: Int64) -> NodeState {
        let own = steps[node]
        var index = own.count - 1
        while index > 0, own[index].instant > start { index -= 1 }
        var least = own[index].state
        index += 1
        while index < own.count, own[index].instant < end {
            least.formMinimum(own[index].state)
            index += 1
        }
        return least
    }

    /// Whether nodes have room for segments of a request during `[start, end)`.
    func canTake(
        _ segments: [AllocationSegment],
        of request: ResourceRequest,
        _ filter: NodeFilter,
        from start: Int64,
        until end: Int64
    ) -> Bool {
        segments.allSatisfy { segment in
            let node = Int(segment.node)
            guard mayServe[node], filter.permits(node) else { return false }
            let least = state(node, from: start, until: end)
            return least.chunks(request, filter) >= segment.chunks
                && (segment.cards == 0
                    || least.cards?.canTake(segment.cards, request.share) == true)
        }
    }

    /// A change of what the nodes could take together, as the start moves on.
    private struct Change {
        var instant: Int64
        /// What one node could take before, and can from then on.
        var before: Int32
        var after: Int32
        var isRequired: Bool
    }

    /// The earliest instant, at or after `bound`, from which the permitted nodes can take `request`
    /// for `length`; nil when that is never.
    ///
    /// - Parameter held: how long they must be open to it.
    func earliest(
        _ request: ResourceRequest,
        _ filter: NodeFilter,
        length: Int64,
        held: Int64,
        from bound: Int64
    ) -> Int64? {
        var room = Availability(of: request, requiredCount: filter.required.count)
        var changes: [Change] = []
        for node in steps.indices where mayServe[node] && filter.permits(node) {
            let isRequired = !filter.required.isEmpty && filter.required.contains(node)
            let first = addChanges(
                of: node,
                request,
                filter,
                length,
                held,
                bound,
                isRequired,
                &changes
            )
            room.change(from: 0, to: first, isRequired: isRequired)
        }
        if room.suffices(for: request) { return bound }
        changes.sort { $0.instant < $1.instant }
        var index = 0
        while index < changes.count {
            let instant = changes[index].instant
            while index < changes.count, changes[index].instant == instant {
                let change = changes[index]
                room.change(
                    from: change.before,
                    to: change.after,
                    isRequired: change.isRequired
                )
                index += 1
            }
            if room.suffices(for: request) { return instant }
        }
        return nil
    }

    /// Adds how one node's chunks change with the start.
    ///
    /// - Returns: the chunks that it could take from `bound` on.
    private func addChanges(
        of node: Int,
        _ request: ResourceRequest,
        _ filter: NodeFilter,
        _ length: Int64,
        _ held: Int64,
        _ bound: Int64,
        _ isRequired: Bool,
        _ changes: inout [Change]
    ) -> Int32 {
        let own = steps[node]
        if own.count == 1, outlook?.isAlwaysOpen(node) ?? true {
            return own[0].state.chunks(request, filter)
        }
        func chunks(from start: Int64) -> Int32 {
            if let outlook, !outlook.isOpen(node, from: start, until: start &+ held) { return 0 }
            return state(node, from: start, until: start &+ length).chunks(request, filter)
        }
        let first = chunks(from: bound)
        var starts = outlook.map { boundaries(of: node, $0, held, from: bound) } ?? []
        for step in own {
            if step.instant > bound { starts.append(step.instant) }
            // The first window that reaches into the step.
            if step.instant - length >= bound { starts.append(step.instant - length + 1) }
        }
        starts.sort()
        var before = first
        var previous = bound
        for start in starts where start > previous {
            previous = start
            let now = chunks(from: start)
            guard now != before else { continue }
            changes.append(
                Change(instant: start, before: before, after: now, isRequired: isRequired)
            )
            before = now
        }
        return first
    }
}

extension NodeTimeline {
    /// The starts after `bound` at which a node opens to a job of a length, or no longer suffices.
    private func boundaries(
        of node: Int,
        _ outlook: CalendarView,
        _ held: Int64,
        from bound: Int64
    ) -> [Int64] {
        let spans = outlook.closings(of: node)
        // As long as the others may change, this one's state must be known.
        let last = max(lastInstant, bound) &+ outlook.settling(after: bound)
        var starts: [Int64] = []
        for span in spans {
            var next = span.occurrence(endingAfter: bound)
            while let own = next, own.start <= last {
                starts.append(own.end)
                if own.start &- held >= bound { starts.append(own.start &- held &+ 1) }
                next = own.occurrence(endingAfter: own.end)
            }
        }
        if outlook.startBound < .max, outlook.startBound > bound {
            starts.append(outlook.startBound)
        }
        return starts
    }
}

extension NodeTimeline: ResourceTimeline {
    struct Place: PlannedPlace {
        var from: Int64
        var placed: SchedulingGroup.Placed
    }

    static func left(
        by group: SchedulingGroup,
        _ jobs: ActiveJobs,
        at now: Int64,
        resolution: Int64
    ) -> Self {
        var timeline = Self(group.nodes, group.outlook, at: now)
        group.ends.forEachByInstant(now: now, grace: SchedulingGroup.overrunGrace) { entry in
            // What this pass has started is planned for whole steps from now on.
            let job = jobs[entry.slot]
            let isNew =
                resolution > 1 && job.startedAt == now && group.startedSlots.contains(entry.slot)
            let origin = isNew ? now : 0
            let span = isNew ? max(1, Int64(job.plannedSeconds) * 1_000_000) : entry.instant
            let instant = origin + (span + resolution - 1) / resolution * resolution
            if group.isInLoan(entry.slot) {
                group.forEachReturn(of: entry.slot, jobs) { segment, giveBack in
                    timeline.change(segment.node, from: instant, until: .max, giveBack)
                }
                return true
            }
            let request: ResourceRequest =
                group.nodes.isUniform ? .wholeNodes(1) : jobs[entry.slot].request
            for segment in group.segments(of: entry.slot, jobs) {
                timeline.give(segment, of: request, from: instant)
            }
            return true
        }
        return timeline
    }

    func earliest(
        _ cursor: WaitingQueue.Cursor,
        _ group: SchedulingGroup,
        _ jobs: ActiveJobs,
        length: Int64,
        from bound: Int64
    ) -> Place? {
        let slot = group.queue.slot(at: cursor)
        return earliest(slot, group, jobs, length: length, from: bound, isLeast: false)
    }

    /// The same of a job that need not be queued.
    ///
    /// - Parameter isLeast: whether it takes no more than it needs, even if it starts now.
    func earliest(
        _ slot: Int32,
        _ group: SchedulingGroup,
        _ jobs: ActiveJobs,
        length: Int64,
        from bound: Int64,
        isLeast: Bool
    ) -> Place? {
        let held = group.lengthHeld(by: slot, jobs)
        var best: (choice: SchedulingGroup.Choice, from: Int64)?
        for choice in group.openChoices(slot, jobs) {
            let from = earliest(
                choice.request,
                choice.filter,
                length: length,
                held: held,
                from: bound
            )
            guard let from, from < best?.from ?? .max else { continue }
            best = (choice, from)
        }
        guard let (open, from) = best else { return nil }
        var choice = open
        choice.filter.closed = outlook?.closed(from: from, until: from &+ held)
        // Only what starts now takes more than it needs.
        let isNow = from <= steps.first?.first?.instant ?? from
        let segments = group.nodes.place(
            isNow && !isLeast ? choice.request : choice.request.least,
            choice.filter,
            group.placementContext(slot, jobs)
        ) { state($0, from: from, until: from &+ length) }
        guard let segments else {
            preconditionFailure("nodes that can take job \(jobs[slot].id) at \(from) do not")
        }
        return Place(
            from: from,
            placed: SchedulingGroup.Placed(
                partition: choice.partition,
                request: choice.request,
                segments: segments
            )
        )
    }

    static func placeAtOnce(
        _ cursor: WaitingQueue.Cursor,
        _ group: SchedulingGroup,
        _ jobs: ActiveJobs,
        at now: Int64
    ) -> Place? {
        let slot = group.queue.slot(at: cursor)
        let held = group.lengthHeld(by: slot, jobs)
        let closed = group.outlook?.closed(from: now, until: now &+ held)
        for var choice in group.openChoices(slot, jobs) {
            choice.filter.closed = closed
            let segments = group.nodes.place(
                choice.request,
                choice.filter,
                group.placementContext(slot, jobs),
                state: { group.nodes.state($0) }
            )
            guard let segments else { continue }
            let (partition, request) = (choice.partition, choice.request)
            return Place(
                from: now,
                placed: .init(partition: partition, request: request, segments: segments)
            )
        }
        return nil
    }

    /// Requests differ in more than their size.
    static var isOrderedBySize: Bool { false }

    func firstThatMayStart(
        from cursor: WaitingQueue.Cursor,
        _ group: SchedulingGroup
    ) -> WaitingQueue.Cursor? {
        let free = group.unitsFree
        return group.queue.next(from: cursor, free: free, window: .max, extra: free)
    }

    mutating func take(_ place: Place, until end: Int64) {
        for segment in place.placed.segments {
            take(segment, of: place.placed.request, from: place.from, until: end)
        }
    }

    mutating func give(_ place: Place, from instant: Int64, until end: Int64) {
        for segment in place.placed.segments {
            give(segment, of: place.placed.request, from: instant, until: end)
        }
    }

    mutating func give(_ run: GroupNews.EndedRun, from instant: Int64, until end: Int64) {
        for segment in run.segments {
            give(segment, of: run.request, from: instant, until: end)
        }
    }

    static func start(
        _ cursor: WaitingQueue.Cursor,
        _ place: Place,
        _ group: inout SchedulingGroup,
        _ jobs: inout ActiveJobs,
        at now: Int64
    ) -> Bool {
        let slot = group.queue.slot(at: cursor)
        var filter = NodeFilter()
        filter.keeper = NodeKeeper.key(ofUser: jobs[slot].user)
        guard group.nodes.canTake(place.placed.segments, of: place.placed.request, filter) else {
            return false
        }
        if let stop = group.limitStop(place.placed, slot, jobs) {
            group.holdBack(slot, under: stop)
            return false
        }
        group.start(cursor, place.placed, now, &jobs)
        return true
    }
}
