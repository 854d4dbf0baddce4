import JobModel
public import Quantities

/// First come, first served: in queue order; the first job that does not fit blocks all behind it.
public struct FCFSPass: SchedulingPass {
    /// The job that the last pass stopped at; good as long as nothing but arrivals behind it happens.
    private var blocked: QueueKey?

    /// Starts what may start.
    public mutating func run(
        _ group: inout SchedulingGroup,
        _ jobs: inout ActiveJobs,
        at now: SimInstant
    ) {
        guard group.beginPass() else { return }
        defer { group.news.clear() }
        if !group.news.hasChanged, group.outlook == nil, let blocked,
            group.queue.first().map(group.queue.key) == blocked
        {
            return
        }
        group.beginLooking()
        let head =
            group.countsSuffice
            ? group.startHeadsByCount(now.microseconds, &jobs)
            : startHeadsByNode(&group, &jobs, now.microseconds)
        blocked = group.heldBack.isEmpty ? head.map(group.queue.key) : nil
    }

    private func startHeadsByNode(
        _ group: inout SchedulingGroup,
        _ jobs: inout ActiveJobs,
        _ now: Int64
    ) -> WaitingQueue.Cursor? {
        group.prepareNodes()
        var cursor = group.queue.first()
        while let current = cursor {
            // Who waits for repairs blocks nobody.
            if !group.startHeadByNode(current, now, &jobs),
                group.mayEverStart(group.queue.slot(at: current), jobs, at: now)
            {
                return current
            }
            cursor = group.entry(after: current)
        }
        return nil
    }

    /// What kept a job from starting.
    public func obstacle(
        to slot: Int32,
        in group: SchedulingGroup,
        _ jobs: ActiveJobs,
        at now: SimInstant
    ) -> Obstacle? {
        guard let place = group.placeInQueue(of: slot, jobs) else { return nil }
        if let repairs = group.obstacleOfService(place) { return repairs }
        guard slot == place.headSlot else {
            return .behindBlockedHead(
                head: place.headSlot,
                headNodes: group.queue.size(at: place.head),
                free: group.unitsFree
            )
        }
        let shadow = group.shadowByCount(of: place.head, now)
        return .firstAndNoRoom(free: group.unitsFree, promise: shadow?.instant)
    }
}

extension SchedulingGroup {
    /// Starts or parks the job at the front of what is left, where nodes are looked at.
    ///
    /// - Returns: whether it is out of the way: started, parked, or held back by a limit.
    mutating func startHeadByNode(
        _ cursor: WaitingQueue.Cursor,
        _ now: Int64,
        _ jobs: inout ActiveJobs
    ) -> Bool {
        if park(cursor, jobs) { return true }
        let slot = queue.slot(at: cursor)
        guard var placed = placeNow(slot, jobs, at: now) else { return false }
        var stop = limitStop(placed, slot, jobs)
        if stop != nil, placed.request.isElastic,
            let least = placeNow(slot, jobs, at: now, isLeast: true)
        {
            placed = least
            stop = limitStop(placed, slot, jobs)
        }
        if let stop {
            holdBack(slot, under: stop)
        } else {
            start(cursor, placed, now, &jobs)
        }
        return true
    }
}
