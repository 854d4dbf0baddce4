import Determinism
import IndexSets
public import JobModel
import Quantities
import Scheduling

// Reservations begin and end by timers; the calendars of the groups keep others off their nodes.
//
// Source: Slurm, "Advanced Resource Reservation Guide", 22.05, and what its slurmctld does.

/// What of reservations goes into the digest.
private enum ReservationEvent: UInt64 {
    case created = 1
    case changed
    case deleted
    case began
    case ended
}

extension Emulator {
    /// The reservations, by number.
    public var heldReservations: [HeldReservation] { reservations }

    /// The reservation of a number; nil when there is none.
    public func reservation(_ id: ReservationID) -> HeldReservation? {
        index(of: id).map { reservations[$0] }
    }

    private func index(of id: ReservationID) -> Int? {
        reservations.firstIndex { $0.id == id }
    }

    // MARK: Inputs

    mutating func create(
        _ terms: Reservation,
        at now: SimInstant,
        into sink: inout some EffectSink
    ) throws(InputRejection) {
        guard index(of: terms.id) == nil else { throw .reservationExists(terms.id) }
        let nodes = try nodesToReserve(terms, at: now)
        let held = HeldReservation(terms: terms, nodes: nodes, idleSince: now.microseconds)
        let place = reservations.firstIndex { terms.id < $0.id } ?? reservations.count
        reservations.insert(held, at: place)
        mix(.created, held)
        install(held)
        askForWake(after: now, into: &sink)
    }

    mutating func update(
        _ terms: Reservation,
        at now: SimInstant,
        into sink: inout some EffectSink
    ) throws(InputRejection) {
        guard let index = index(of: terms.id) else { throw .unknownReservation(terms.id) }
        let old = reservations[index]
        // What it has it keeps, as long as that is what it is to have.
        var wanted = terms
        if terms.extent == old.terms.extent, !old.nodes.isEmpty {
            wanted.extent = .nodes(old.nodes)
        }
        let nodes = try nodesToReserve(wanted, at: now)
        if old.runningCount > 0, terms.makesJobsWait {
            guard terms.start <= now, runningNodes(in: terms.id).allSatisfy(nodes.contains) else {
                throw .reservationInUse(terms.id)
            }
        }
        reservations[index].terms = terms
        reservations[index].nodes = nodes
        reservations[index].isActive = terms.start <= now
        mix(.changed, reservations[index])
        let members = members(of: terms.id)
        for slot in members where jobs[slot].phase != .running { withdraw(slot) }
        install(reservations[index])
        for slot in members {
            if jobs[slot].phase == .running {
                groups[Int(jobs[slot].group)].endWithReservation(slot, &jobs)
            } else {
                place(slot, at: now)
            }
        }
        askForWake(after: now, into: &sink)
    }

    mutating func delete(_ id: ReservationID, at now: SimInstant) throws(InputRejection) {
        guard let index = index(of: id) else { throw .unknownReservation(id) }
        guard reservations[index].jobCount == 0 else { throw .reservationInUse(id) }
        mix(.deleted, reservations[index])
        remove(id, at: now)
    }

    private mutating func mix(_ event: ReservationEvent, _ held: HeldReservation) {
        digest.mix(UInt64(held.id.number) << 16 | event.rawValue << 8 | 0x20)
        digest.mix(UInt64(bitPattern: held.terms.start.microseconds))
        digest.mix(UInt64(bitPattern: held.terms.end.microseconds))
        for node in held.nodes { digest.mix(UInt64(node)) }
    }

    private mutating func install(_ held: HeldReservation) {
        for group in groups.indices {
            groups[group].reserve(held.id, held.nodes, during: held.span, held.terms.flags)
        }
    }

    // MARK: Nodes

    /// No instant of a reservation is further away. Unit: µs since the epoch.
    private static let lastInstant = Int64.max / 4

    /// The nodes that a reservation gets.
    private func nodesToReserve(
        _ terms: Reservation,
        at now: SimInstant
    ) throws(InputRejection) -> IDSet {
        let (start, end) = (terms.start.microseconds, terms.end.microseconds)
        guard start < end, end > now.microseconds, start >= 0, end <= Self.lastInstant,
            end - start <= terms.flags.period ?? .max
        else { throw .reservationTimes }
        if terms.flags.contains(.anyNodes) { return IDSet() }
        switch terms.extent {
        case .nodes(let nodes):
            for node in nodes
            where !groupOfNode.indices.contains(node) || groupOfNode[node] < 0 {
                throw .unknownNode(node)
            }
            guard !nodes.isEmpty else { throw .reservationTooLarge(available: 0) }
            if let other = overlapped(by: terms).first(where: { $0.nodes.intersects(nodes) }) {
                throw .reservationOverlaps(other.id)
            }
            guard !busyNodes(for: terms).intersects(nodes) else { throw .reservationNodesBusy }
            return nodes
        case .nodeCount(let count, let partition):
            return try lowest(Int64(count), in: partition, for: terms) { _ in 1 }
        case .coreCount(let count, let partition):
            return try lowest(count, in: partition, for: terms) { node in
                Int64(groups[groupOfNode[node]].coreCount(ofMachineNode: node))
            }
        }
    }

    /// The lowest nodes of a partition that together have so much and may be reserved.
    private func lowest(
        _ wanted: Int64,
        in partition: Int,
        for terms: Reservation,
        _ amount: (Int) -> Int64
    ) throws(InputRejection) -> IDSet {
        guard partitions.indices.contains(partition) else { throw .unknownPartition }
        var taken = busyNodes(for: terms)
        for other in overlapped(by: terms) { taken.formUnion(other.nodes) }
        var chosen = IDSet()
        var total: Int64 = 0
        for node in partitions[partition].nodes where total < wanted {
            guard !taken.contains(node) else { continue }
            guard terms.flags.contains(.maint) || condition(ofNode: node)?.service == .up else {
                continue
            }
            chosen.insert(node)
            total += amount(node)
        }
        guard wanted > 0, total >= wanted else { throw .reservationTooLarge(available: total) }
        return chosen
    }

    /// The other reservations that a new one must not share nodes with.
    private func overlapped(by terms: Reservation) -> [HeldReservation] {
        guard terms.flags.isDisjoint(with: [.maint, .overlap]) else { return [] }
        return reservations.filter { $0.id != terms.id && $0.span.meets(terms.span) }
    }

    /// The nodes of jobs of others that may still run when a reservation begins.
    private func busyNodes(for terms: Reservation) -> IDSet {
        guard !terms.flags.contains(.ignoreJobs) else { return IDSet() }
        var busy = IDSet()
        for slot in jobs.slotsByID {
            let job = jobs[slot]
            guard job.phase == .running, job.deadline > terms.start.microseconds,
                jobs.extras[slot]?.reservation != terms.id
            else { continue }
            for holding in groups[Int(job.group)].allocation(of: slot, jobs) {
                busy.insert(holding.node)
            }
        }
        return busy
    }

    // MARK: Time

    /// Asks to be woken when the next reservation begins, ends or is purged.
    func askForWake(after now: SimInstant, into sink: inout some EffectSink) {
        let next = reservationTurn > now.microseconds ? reservationTurn : nextTurn(after: now)
        if next < .max { sink.wake(at: SimInstant(microseconds: next)) }
    }

    /// When the next reservation begins, ends or is purged. Unit: µs since the epoch; `.max` is never.
    private func nextTurn(after now: SimInstant) -> Int64 {
        var next = Int64.max
        for held in reservations {
            for instant in [held.terms.start, held.terms.end] where instant > now {
                next = min(next, instant.microseconds)
            }
            if let purge = held.purgeInstant, purge > now.microseconds { next = min(next, purge) }
        }
        return next
    }

    /// How many wakes in a row a driver may see at which nothing starts and nothing runs until it can
    /// tell that nothing will: reservations that come back daily wake for ever.
    public var idleWakeMaximum: Int { 64 + 32 * reservations.count }

    /// Begins and ends what is due. A pass begins with it.
    mutating func turnReservations(at now: SimInstant) {
        guard reservationTurn <= now.microseconds else { return }
        for id in reservations.map(\.id) {
            guard let index = index(of: id) else { continue }
            let held = reservations[index]
            if held.isOver(at: now) {
                end(index, at: now)
            } else if held.begins(by: now) {
                turn(index, isActive: true, at: now)
                mix(.began, held)
            }
        }
        // One may be due again at once: its next time, or the end of one that nobody uses.
        let isSettled = reservations.allSatisfy { !$0.isOver(at: now) && !$0.begins(by: now) }
        if isSettled { reservationTurn = nextTurn(after: now) }
    }

    /// One that comes back waits for its next time; another goes away when nothing runs in it.
    private mutating func end(_ index: Int, at now: SimInstant) {
        let held = reservations[index]
        if let period = held.terms.flags.period {
            // The next time that is not over; one that is purged has not come to its end.
            let late = max(0, now.microseconds - held.terms.end.microseconds)
            let shift = SimDuration(microseconds: (late / period + 1) * period)
            reservations[index].terms.start = held.terms.start + shift
            reservations[index].terms.end = held.terms.end + shift
            turn(index, isActive: reservations[index].terms.start <= now, at: now)
            mix(.ended, held)
        } else if held.runningCount == 0 || !held.terms.makesJobsWait {
            mix(.ended, held)
            remove(held.id, at: now)
        } else if held.isActive {
            // What runs in it has not ended yet; nobody else is let in.
            turn(index, isActive: false, at: now)
        }
    }

    /// Begins or ends a time of a reservation, and looks again at what waits for it.
    private mutating func turn(_ index: Int, isActive: Bool, at now: SimInstant) {
        let waiting = members(of: reservations[index].id).filter { jobs[$0].phase != .running }
        for slot in waiting { withdraw(slot) }
        reservations[index].isActive = isActive
        install(reservations[index])
        for slot in waiting { place(slot, at: now) }
    }

    /// Takes a reservation away; jobs of it that wait are held.
    private mutating func remove(_ id: ReservationID, at now: SimInstant) {
        let members = members(of: id)
        for slot in members where jobs[slot].phase != .running { withdraw(slot) }
        reservations.removeAll { $0.id == id }
        for group in groups.indices { groups[group].dropReservation(id) }
        for slot in members {
            jobs.withExtras(slot) {
                $0.reservation = nil
                $0.hasLostReservation = true
            }
            if jobs[slot].phase != .running { place(slot, at: now) }
        }
    }

    // MARK: Jobs

    /// The jobs of a reservation, by number.
    private func members(of id: ReservationID) -> [Int32] {
        jobs.slotsByID.filter { jobs[$0].hasExtras && jobs.extras[$0]?.reservation == id }
    }

    private func runningNodes(in id: ReservationID) -> [Int] {
        members(of: id).filter { jobs[$0].phase == .running }.flatMap { slot in
            groups[Int(jobs[slot].group)].allocation(of: slot, jobs).map(\.node)
        }
    }

    @inline(__always)
    func checkReservation(of submission: JobSubmission) throws(InputRejection) {
        guard let id = submission.reservation else { return }
        guard let held = reservation(id) else { throw .unknownReservation(id) }
        guard held.terms.users.admits(submission.user),
            held.terms.accounts.admits(submission.account)
        else { throw .reservationIsClosed(id) }
    }

    /// Why a job may not enter its reservation now.
    func reservationObstacle(_ extras: JobExtras) -> PendingReason? {
        if extras.hasLostReservation { return .reservationDeleted }
        guard let id = extras.reservation, let held = reservation(id) else { return nil }
        return held.isActive || !held.terms.makesJobsWait ? nil : .reservation
    }

    /// Why a job of a reservation may not use it in a partition.
    func obstacle(of id: ReservationID?, inPartition partition: Int) -> PendingReason? {
        guard let id else { return nil }
        return groups[groupOfPartition[partition]].hasLane(for: id) ? nil : .reservation
    }

    /// What keeps a queued job from starting by the calendar; nil when nothing does.
    func closingReason(_ slot: Int32) -> PendingReason? {
        let obstacles = groupsOf(slot).map { groups[$0].closing(of: slot, jobs) }
        guard let first = obstacles.first, obstacles.allSatisfy({ $0 != nil }) else { return nil }
        return switch first {
        case .maintenance: .reservedForMaintenance
        case .otherReservation: .reservedForOthers
        case .ownReservation: .reservation
        case nil: nil
        }
    }

    mutating func joinReservation(_ slot: Int32) {
        if let index = reservationIndex(of: slot) { reservations[index].jobCount += 1 }
    }

    /// A job leaves its reservation, running or not.
    mutating func leaveReservation(_ slot: Int32, at now: SimInstant) {
        guard let index = reservationIndex(of: slot) else { return }
        reservations[index].jobCount -= 1
        if reservations[index].jobCount == 0 { reservations[index].idleSince = now.microseconds }
    }

    /// A job starts in its reservation.
    mutating func enterReservation(_ slot: Int32) {
        guard let index = reservationIndex(of: slot) else { return }
        reservations[index].runningCount += 1
        groups[Int(jobs[slot].group)].endWithReservation(slot, &jobs)
    }

    /// A job of a reservation no longer runs.
    mutating func exitReservation(_ slot: Int32) {
        if let index = reservationIndex(of: slot) { reservations[index].runningCount -= 1 }
    }

    private func reservationIndex(of slot: Int32) -> Int? {
        guard jobs[slot].hasExtras else { return nil }
        return jobs.extras[slot]?.reservation.flatMap(index)
    }
}
