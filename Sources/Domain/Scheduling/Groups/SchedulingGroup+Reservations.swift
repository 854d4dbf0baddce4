import Accounts
public import JobModel
public import Quantities

// Reservations and outages that end: the calendar of a group, and the queues of those who may enter.

/// The queue of the jobs of one reservation, with the policy at work on it: who waits there blocks
/// nobody outside, and nobody outside blocks them.
struct ReservedLane: Sendable, Codable {
    let id: ReservationID
    var queue = WaitingQueue()
    var byLimit = WaitingQueue()
    var constrainedCount = 0
    var heldBack: ContiguousArray<StoppedJob> = []
    private var coded: CodedPass

    var pass: any SchedulingPass {
        get { coded.pass }
        set { coded.pass = newValue }
    }

    init(id: ReservationID, pass: any SchedulingPass) {
        self.id = id
        coded = CodedPass(pass)
    }
}

extension SchedulingGroup {
    // MARK: Changing

    /// Makes a reservation, or changes it, as far as this group has its nodes.
    ///
    /// - Parameter machineNodes: its nodes; those of other groups are left out.
    public mutating func reserve(
        _ id: ReservationID,
        _ machineNodes: some Sequence<Int>,
        during span: RecurringSpan,
        _ flags: ReservationFlags
    ) {
        let own = machineNodes.compactMap(nodes.localIndex)
        guard !own.isEmpty || !flags.isDisjoint(with: [.flex, .anyNodes]) else {
            return dropReservation(id)
        }
        calendar.set(NodeCalendar.Entry(id: id, nodes: own, span: span, flags: flags))
        if !hasLane(for: id) {
            let place = lanes.firstIndex { id < $0.id } ?? lanes.count
            lanes.insert(ReservedLane(id: id, pass: policy.makePass()), at: place)
        }
        noteCalendar()
    }

    /// Ends a reservation.
    ///
    /// - Precondition: none of its jobs is queued.
    public mutating func dropReservation(_ id: ReservationID) {
        guard let place = lanes.firstIndex(where: { $0.id == id }) else { return }
        precondition(lanes[place].queue.count == 0, "jobs wait in reservation \(id)")
        lanes.remove(at: place)
        calendar.remove(id)
        noteCalendar()
    }

    /// Says when a node of the machine that is out of service is expected back; nil when nobody knows.
    public mutating func expectReturn(ofMachineNode machineNode: Int, at instant: SimInstant?) {
        guard let node = nodes.localIndex(machineNode) else { return }
        let returns = instant != nil && nodes.service[node] != .up
        calendar.expectReturn(of: node, at: returns ? instant?.microseconds : nil)
        nodes.setReturning(node, returns)
        noteCalendar()
    }

    private mutating func noteCalendar() {
        views.removeAll()
        outlook = nil
        news.noteDisturbance()
        hasCalendar = !calendar.isEmpty || !lanes.isEmpty
        nextReturn = calendar.returns.map(\.instant).min().map(SimInstant.init(microseconds:))
        if !calendar.isEmpty { outlook = view(of: nil) }
    }

    // MARK: Lanes

    /// Whether jobs of a reservation may run here.
    public func hasLane(for id: ReservationID) -> Bool { lanes.contains { $0.id == id } }

    /// The lane of a job that belongs to a reservation; nil for all others.
    @inline(__always)
    func laneIndex(of slot: Int32, _ jobs: ActiveJobs) -> Int? {
        guard !lanes.isEmpty, jobs[slot].hasExtras, let id = jobs.extras[slot]?.reservation else {
            return nil
        }
        return lanes.firstIndex { $0.id == id }
    }

    /// Puts a lane's queue in the place of the common one, or back.
    mutating func exchange(_ lane: Int?) {
        guard let lane else { return }
        swap(&queue, &lanes[lane].queue)
        swap(&byLimit, &lanes[lane].byLimit)
        swap(&constrainedCount, &lanes[lane].constrainedCount)
        swap(&heldBack, &lanes[lane].heldBack)
    }

    /// The group as a job sees it, with the policy at work on its queue.
    public func seen(
        by slot: Int32,
        _ jobs: ActiveJobs,
        _ pass: any SchedulingPass
    ) -> (group: SchedulingGroup, pass: any SchedulingPass) {
        guard let lane = laneIndex(of: slot, jobs) else { return (self, pass) }
        var copy = self
        copy.outlook = copy.view(of: lanes[lane].id)
        copy.exchange(lane)
        return (copy, lanes[lane].pass)
    }

    // MARK: Passes

    /// Runs a pass over each queue: those of reservations first, as in Slurm, then the common one.
    ///
    /// - Returns: when a policy wants to run again although nothing happens. Unit: µs since the epoch.
    public mutating func runPasses(
        _ pass: inout any SchedulingPass,
        _ jobs: inout ActiveJobs,
        at now: SimInstant
    ) -> Int64? {
        trimCalendar(now.microseconds)
        var promise: Int64?
        let started = lanesAreBusy ? runLanes(&jobs, at: now, &promise) : []
        outlook = mayMeetCalendar(at: now.microseconds) ? view(of: nil) : nil
        pass.run(&self, &jobs, at: now)
        if !started.isEmpty { startedSlots = started + startedSlots }
        guard let own = pass.nextPromise else { return promise }
        return min(promise ?? .max, own)
    }

    /// Runs a pass over the queues of reservations.
    ///
    /// - Parameter promise: the earliest at which one wants to run again.
    /// - Returns: the jobs that have started.
    private mutating func runLanes(
        _ jobs: inout ActiveJobs,
        at now: SimInstant,
        _ promise: inout Int64?
    ) -> ContiguousArray<Int32> {
        let news = news
        var started: ContiguousArray<Int32> = []
        var areBusy = false
        for lane in lanes.indices {
            // Most reservations have no jobs that wait.
            guard lanes[lane].queue.count > 0 || lanes[lane].pass.nextPromise != nil else {
                continue
            }
            // A kept plan knows nothing of what other queues have started.
            self.news = news
            self.news.noteDisturbance()
            outlook = view(of: lanes[lane].id)
            exchange(lane)
            var own = lanes[lane].pass
            // The lane lets go of its pass, so that nothing is copied.
            lanes[lane].pass = ExternalPass()
            own.run(&self, &jobs, at: now)
            if let next = own.nextPromise { promise = min(promise ?? .max, next) }
            areBusy = areBusy || queue.count > 0 || own.nextPromise != nil
            lanes[lane].pass = own
            exchange(lane)
            for slot in startedSlots { endWithReservation(slot, &jobs) }
            started += startedSlots
        }
        lanesAreBusy = areBusy
        self.news = news
        if !started.isEmpty { self.news.noteDisturbance() }
        return started
    }

    /// Lets a running job end with its reservation, if its own limit does not end it before.
    public mutating func endWithReservation(_ slot: Int32, _ jobs: inout ActiveJobs) {
        guard let lane = laneIndex(of: slot, jobs),
            let entry = calendar.entries.first(where: { $0.id == lanes[lane].id }),
            !entry.flags.contains(.flex), !jobs[slot].isSuspended
        else { return }
        let asked = jobs.extras[slot]?.limitAsked ?? jobs[slot].limitSeconds
        let rest = max(0, (entry.span.end - jobs[slot].startedAt - jobs[slot].heldUp) / 1_000_000)
        let limit = min(asked, UInt32(clamping: rest))
        guard limit != jobs[slot].limitSeconds else { return }
        jobs.withExtras(slot) { $0.limitAsked = asked }
        changeLimit(of: slot, to: limit, &jobs)
    }

    /// Looks at the calendar as one job sees it.
    mutating func look(for slot: Int32, _ jobs: ActiveJobs, at now: Int64) {
        guard hasCalendar else { return }
        trimCalendar(now)
        if let lane = laneIndex(of: slot, jobs) {
            outlook = view(of: lanes[lane].id)
        } else {
            outlook = mayMeetCalendar(at: now) ? view(of: nil) : nil
        }
    }

    private mutating func trimCalendar(_ now: Int64) {
        let overdue = calendar.trim(before: now)
        guard !overdue.isEmpty else { return }
        for node in overdue { nodes.setReturning(node, false) }
        noteCalendar()
    }

    /// What jobs of a reservation, or with nil all others, see of the calendar.
    private mutating func view(of id: ReservationID?) -> CalendarView {
        if let known = views[id] { return known }
        let view = calendar.view(of: id, nodeCount: nodes.count)
        views[id] = view
        return view
    }

    /// Whether a job of the common queue could be planned to hold a node when one is closed. Where
    /// counting is enough without a calendar it is enough as long as that is not so.
    private mutating func mayMeetCalendar(at now: Int64) -> Bool {
        guard let closing = calendar.nextClosing(after: now) else { return false }
        guard nodes.isUniform, !alwaysLooksAtNodes else { return true }
        let length = max(1, Int64(longestLimit) * 1_000_000)
        switch policy.backfill {
        case .none, .external: return closing < now + length
        case .easy, .easySJBF:
            return closing < max(now + Self.overrunGrace, ends.last ?? now) + length
        case .slurm: return closing < now + Int64(policy.slurm.window) * 60_000_000 + length
        case .conservative, .conservativeCompress: return true
        }
    }

    // MARK: Asking

    /// The cores of a node of the machine; 0 when it is in another group.
    public func coreCount(ofMachineNode machineNode: Int) -> Int32 {
        nodes.localIndex(machineNode).map { nodes.capacity[$0].cores } ?? 0
    }

    /// How long a job may hold its nodes: to its limit, whatever is predicted. Unit: µs, at least 1.
    func lengthHeld(by slot: Int32, _ jobs: ActiveJobs) -> Int64 {
        max(1, Int64(jobs[slot].limitSeconds) * 1_000_000)
    }

    /// Whether a queued job could start some day if nothing ran.
    func mayEverStart(_ slot: Int32, _ jobs: ActiveJobs, at now: Int64) -> Bool {
        guard let outlook else { return hasNodesInService(for: slot, jobs) }
        let length = lengthHeld(by: slot, jobs)
        let starts = [now] + outlook.openings(after: now, last: now)
        return choices(slot, jobs).contains { choice in
            starts.contains { start in
                var filter = choice.filter
                filter.closed = outlook.closed(from: start, until: start &+ length)
                return nodes.couldEverFit(choice.request, filter, where: nodes.mayServe)
            }
        }
    }

    /// Why the calendar keeps a queued job from starting as things stood in the last pass, whatever
    /// else runs; nil when it does not.
    public func closing(of slot: Int32, _ jobs: ActiveJobs) -> CalendarObstacle? {
        guard hasCalendar else { return nil }
        let id = jobs[slot].hasExtras ? jobs.extras[slot]?.reservation : nil
        let now = calendar.now
        func fits(_ calendar: NodeCalendar) -> Bool {
            let view = calendar.view(of: id, nodeCount: nodes.count)
            let closed = view.closed(from: now, until: now &+ lengthHeld(by: slot, jobs))
            return choices(slot, jobs).contains { choice in
                var filter = choice.filter
                filter.closed = closed
                return nodes.couldEverFit(choice.request, filter) { nodes.service[$0] == .up }
            }
        }
        guard !fits(calendar) else { return nil }
        var open = calendar
        for entry in calendar.entries where entry.flags.contains(.maint) && entry.id != id {
            open.remove(entry.id)
        }
        if fits(open) { return .maintenance }
        if id != nil { return .ownReservation }
        for entry in calendar.entries { open.remove(entry.id) }
        return fits(open) && isConstrained(slot, jobs) ? .otherReservation : nil
    }
}

/// What of the calendar keeps a job from starting now.
public enum CalendarObstacle: Hashable, Sendable {
    /// It would run into maintenance.
    case maintenance
    /// A node that it names is reserved for others.
    case otherReservation
    /// Its own reservation has not the nodes.
    case ownReservation
}
