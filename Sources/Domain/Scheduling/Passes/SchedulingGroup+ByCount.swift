import JobModel

// The pass on uniform nodes: a request is a number of nodes, the state is a number of idle nodes.

extension SchedulingGroup {
    mutating func passByCount(
        _ now: Int64,
        _ table: inout JobTable,
        _ limits: inout ConcurrencyLimits
    ) {
        guard let head = startHeadsByCount(now, &table, &limits) else { return }
        let headKey = queue.key(at: head)
        guard policy.backfill != .none, nodes.idleCount > 0 else {
            if heldBack.isEmpty {
                blocked = BlockedHead(key: headKey, shadow: .max, extra: 0)
            }
            return
        }
        guard queue.count > 1 else { return }
        guard
            let shadow = ends.shadow(
                need: queue.size(at: head),
                free: nodes.idleCount,
                now: now,
                grace: Self.overrunGrace
            )
        else { preconditionFailure("the head fits in the nodes in service, so it has a shadow") }
        let window = UInt32(clamping: (shadow.instant - now) / 1_000_000)
        var extra = shadow.extra
        var cursor: WaitingQueue.Cursor?
        while nodes.idleCount > 0,
            let candidate = candidate(
                after: cursor,
                head: head,
                free: nodes.idleCount,
                window: window,
                extra: extra
            )
        {
            let place = queueCursor(ofCandidate: candidate, table)
            let size = queue.size(at: place)
            let isLong = queue.limit(at: place) > window
            if tryStartByCount(place, now, &table, &limits), isLong { extra -= size }
            cursor = candidate
        }
        guard heldBack.isEmpty, !hasOverruns(at: now) else { return }
        blocked = BlockedHead(key: headKey, shadow: shadow.instant, extra: extra)
    }

    /// After an arrival and nothing else: `slot` may start, nobody else.
    mutating func tryArrivalByCount(
        _ slot: Int32,
        _ now: Int64,
        _ table: inout JobTable,
        _ limits: inout ConcurrencyLimits
    ) {
        guard let head = blocked, let cursor = queue.cursor(of: table.records[Int(slot)].key) else {
            return
        }
        let size = queue.size(at: cursor)
        let isLong = Int64(queue.limit(at: cursor)) > (head.shadow - now) / 1_000_000
        guard size <= nodes.idleCount, !isLong || size <= head.extra else { return }
        if tryStartByCount(cursor, now, &table, &limits), isLong { blocked?.extra -= size }
    }

    /// Starts jobs in queue order until one does not fit.
    ///
    /// Jobs larger than all nodes in service are passed over: they wait for repairs.
    ///
    /// - Returns: the job that does not fit.
    private mutating func startHeadsByCount(
        _ now: Int64,
        _ table: inout JobTable,
        _ limits: inout ConcurrencyLimits
    ) -> WaitingQueue.Cursor? {
        var cursor = queue.first()
        while let current = cursor {
            let size = queue.size(at: current)
            if size > nodes.inServiceCount {
                let inService = nodes.inServiceCount
                cursor = queue.next(after: current, free: inService, window: .max, extra: inService)
                continue
            }
            guard size <= nodes.idleCount else {
                // The head must not be one that a limit stops: it would block for nothing.
                guard park(current, table, &limits) else { return current }
                cursor = queue.count > 0 ? queue.entry(after: current) : nil
                continue
            }
            tryStartByCount(current, now, &table, &limits)
            cursor = queue.count > 0 ? queue.entry(after: current) : nil
        }
        return nil
    }

    /// Starts an entry that fits, or parks it when a limit stops it.
    @discardableResult
    mutating func tryStartByCount(
        _ cursor: WaitingQueue.Cursor,
        _ now: Int64,
        _ table: inout JobTable,
        _ limits: inout ConcurrencyLimits
    ) -> Bool {
        if park(cursor, table, &limits) { return false }
        let slot = queue.slot(at: cursor)
        let size = queue.size(at: cursor)
        removeFromQueue(cursor, table)
        let first = nodes.takeLowest(size, for: slot)
        let held = size &* nodes.capacity[0].cores
        let cards = size &* nodes.capacity[0].accelerators
        let index = Int(slot)
        table.records[index].phase = .running
        table.records[index].startedAt = now
        table.records[index].firstNode = first
        table.records[index].nodesHeld = size
        table.records[index].coresHeld = held
        table.records[index].acceleratorsHeld = cards
        if table.records[index].hasExtras { settlePartition(of: slot, &table) }
        ends.insert(end: table.records[index].expectedEnd, units: size, slot: slot)
        if table.records[index].hasLimits { limits.hold(table.records[index]) }
        startedSlots.append(slot)
        return true
    }

    /// A job of several partitions runs in the first that it may use here; all have all nodes.
    private func settlePartition(of slot: Int32, _ table: inout JobTable) {
        guard let choice = choices(slot, table).first else {
            preconditionFailure("job \(table.records[Int(slot)].id) starts in no partition")
        }
        table.records[Int(slot)].partition = Int32(choice.partition)
        table.records[Int(slot)].request = choice.request
    }

    /// Takes an entry out of the queue when a concurrency limit leaves no room for it. A job that
    /// another group might start, with other nodes, stays in the queue.
    ///
    /// - Returns: whether a limit stops it.
    mutating func park(
        _ cursor: WaitingQueue.Cursor,
        _ table: JobTable,
        _ limits: inout ConcurrencyLimits
    ) -> Bool {
        let slot = queue.slot(at: cursor)
        guard table.records[Int(slot)].hasLimits else { return false }
        guard let limit = limitThatStops(slot, table, limits) else { return false }
        if isElsewhereToo(slot, table) {
            holdBack(slot, under: limit)
            return true
        }
        removeFromQueue(cursor, table)
        parkedSlots.append((slot, limit))
        return true
    }

    /// The position of a concurrency limit that leaves no room for a job, or nil.
    func limitThatStops(
        _ slot: Int32,
        _ table: JobTable,
        _ limits: ConcurrencyLimits
    ) -> Int? {
        let job = table.records[Int(slot)]
        let nodesWanted =
            nodes.isUniform ? unitsNeeded(by: slot, table) : nodesNeeded(for: job.request)
        let coresWanted =
            nodes.isUniform
            ? Int64(nodesWanted) * Int64(nodes.capacity[0].cores) : Int64(units(of: job.request))
        return limits.obstacle(for: job, nodes: nodesWanted, cores: coresWanted)
    }
    /// Whether a job may run in another group as well.
    private func isElsewhereToo(_ slot: Int32, _ table: JobTable) -> Bool {
        guard table.records[Int(slot)].hasExtras, let extras = table.extras[slot] else {
            return false
        }
        return extras.partitions.contains { partitions[$0] == nil }
    }

    /// Passes over a job that a limit stops on the nodes that it would get here and now. On others
    /// it need not, so it stays in the queue and every pass looks at it.
    mutating func holdBack(_ slot: Int32, under limit: Int) {
        heldBack.append((slot, limit))
        blocked = nil
    }
}
