import ClusterModel
import Emulation
import IndexSets
import JobModel
import Quantities
import SlurmDialect
import WireFormats

/// A reservation as it was asked for: names where the emulator has numbers.
struct ReservationRecord: Hashable, Sendable, Codable {
    var id: ReservationID
    var name: String
    var users: GuestList
    var accounts: GuestList
    var partition: String?
    /// As Slurm prints them.
    var flags: [String]
}

/// Names that may use something, or all but these.
struct GuestList: Hashable, Sendable, Codable {
    var names: [String] = []
    var areExcluded = false

    /// Reads `alice,bob`, or `-alice,-bob` for all but these.
    init(_ text: String?) {
        let words = (text ?? "").split(separator: ",").map(String.init)
        areExcluded = words.first?.hasPrefix("-") == true
        names = words.map { $0.hasPrefix("-") ? String($0.dropFirst()) : $0 }
    }

    func admits(_ name: String) -> Bool {
        names.isEmpty || names.contains(name) != areExcluded
    }

    mutating func change(added: String?, removed: String?) {
        let gone = GuestList(removed).names
        names.removeAll { gone.contains($0) }
        for name in GuestList(added).names where !names.contains(name) { names.append(name) }
    }

    var text: String? {
        names.isEmpty ? nil : names.map { (areExcluded ? "-" : "") + $0 }.joined(separator: ",")
    }
}

extension CentreState {
    mutating func handle(_ input: ReservationInput, at instant: SimInstant) -> InputResult {
        do throws(Refusal) {
            switch input.action {
            case .create: return .named(try create(input.request, at: instant))
            case .update: return .named(try update(input.request, at: instant))
            case .delete: return .named(try delete(input.request.name, at: instant))
            }
        } catch {
            return .refused(error.body)
        }
    }

    private func index(named name: String?) throws(Refusal) -> Int {
        guard let index = reservations.firstIndex(where: { $0.name == name }),
            emulator.reservation(reservations[index].id) != nil
        else {
            guard let name else { throw Refusal(.invalidReservation) }
            let there = reservations.filter { emulator.reservation($0.id) != nil }.map(\.name)
            throw Refusal(.invalidReservation, no: "reservation", name, among: there)
        }
        return index
    }

    // MARK: Changing

    private mutating func create(
        _ request: ReservationRequest,
        at instant: SimInstant
    ) throws(Refusal) -> String {
        forgetEndedReservations()
        let users = GuestList(request.users)
        let accounts = GuestList(request.accounts)
        try check(users, accounts)
        guard users.text != nil || accounts.text != nil else { throw Refusal(.invalidAccount) }
        let id = ReservationID(nextReservationID)
        // As Slurm: the first user or account, and a number.
        let name = request.name ?? "\(users.names.first ?? accounts.names.first ?? "resv")_\(id)"
        guard !reservations.contains(where: { $0.name == name }) else {
            throw Refusal(.reservationNameTaken)
        }
        guard let start = request.start, let end = end(of: request, start) else {
            throw Refusal(.invalidTime)
        }
        let (extent, partition) = try extent(request)
        let flags = request.flags.map { $0.split(separator: ",").map(String.init) } ?? []
        let terms = Reservation(
            id: id,
            start: start,
            end: end,
            extent: extent,
            flags: ReservationFlags(names: flags),
            idleMaximum: request.idleMaximum
        )
        if let rejection = send(.createReservation(terms), at: instant) {
            throw Refusal(rejection)
        }
        nextReservationID += 1
        reservations.append(
            ReservationRecord(
                id: id,
                name: name,
                users: users,
                accounts: accounts,
                partition: partition,
                flags: flags
            )
        )
        return name
    }

    private mutating func update(
        _ request: ReservationRequest,
        at instant: SimInstant
    ) throws(Refusal) -> String {
        let index = try index(named: request.name)
        var record = reservations[index]
        guard var terms = emulator.reservation(record.id)?.terms else {
            throw Refusal(.invalidReservation)
        }
        if let users = request.users { record.users = GuestList(users) }
        if let accounts = request.accounts { record.accounts = GuestList(accounts) }
        record.users.change(added: request.usersAdded, removed: request.usersRemoved)
        record.accounts.change(added: request.accountsAdded, removed: request.accountsRemoved)
        try check(record.users, record.accounts)
        let length = terms.end - terms.start
        if let start = request.start { terms.start = start }
        if request.start != nil || request.end != nil || request.duration != nil {
            guard let end = end(of: request, terms.start) ?? sum(terms.start, length) else {
                throw Refusal(.invalidTime)
            }
            terms.end = end
        }
        if request.nodes != nil || request.nodeCount != nil || request.coreCount != nil {
            (terms.extent, record.partition) = try extent(request)
        }
        if let flags = request.flags {
            record.flags = flags.split(separator: ",").map(String.init)
            terms.flags = ReservationFlags(names: record.flags)
        }
        if let idle = request.idleMaximum { terms.idleMaximum = idle }
        if let rejection = send(.updateReservation(terms), at: instant) {
            throw Refusal(rejection)
        }
        reservations[index] = record
        tellDeadlines(of: record)
        return record.name
    }

    private mutating func delete(
        _ name: String?,
        at instant: SimInstant
    ) throws(Refusal) -> String {
        let index = try index(named: name)
        let record = reservations[index]
        if let rejection = send(.deleteReservation(record.id), at: instant) {
            throw Refusal(rejection)
        }
        reservations.remove(at: index)
        return record.name
    }

    /// Names of reservations that have ended may be given again.
    private mutating func forgetEndedReservations() {
        let held = Set(emulator.heldReservations.map(\.terms.id))
        reservations.removeAll { !held.contains($0.id) }
    }

    /// Running jobs end with their reservation, which may end at another time now.
    private mutating func tellDeadlines(of record: ReservationRecord) {
        var changed: [(id: UInt32, deadline: SimInstant)] = []
        jobs.forEach { entry in
            guard entry.specification.request.reservation == record.name,
                let deadline = emulator.deadline(of: JobID(entry.id)),
                !entry.status.isUnlimited || deadline != entry.status.deadline
            else { return }
            changed.append((entry.id, deadline))
        }
        for (id, deadline) in changed {
            guard let specification = jobs[id]?.specification else { continue }
            jobs.update(id) { status in
                guard let start = status.startedAt else { return }
                status.deadline = deadline
                status.emulatedEnd = Self.emulatedEnd(specification, start, deadline)
            }
            effects.append(.deadlineChanged(id))
        }
    }

    // MARK: Terms

    private func check(_ users: GuestList, _ accounts: GuestList) throws(Refusal) {
        for name in accounts.names where rules.machine.account(named: name) == nil {
            let known = rules.machine.accounts.map(\.name)
            throw Refusal(.invalidAccount, no: "account", name, among: known)
        }
    }

    private func sum(_ start: SimInstant, _ length: SimDuration) -> SimInstant? {
        let (sum, overflow) = start.microseconds.addingReportingOverflow(length.microseconds)
        return overflow ? nil : SimInstant(microseconds: sum)
    }

    private func end(of request: ReservationRequest, _ start: SimInstant) -> SimInstant? {
        if let end = request.end { return end }
        return request.duration.flatMap { sum(start, $0) }
    }

    private func extent(
        _ request: ReservationRequest
    ) throws(Refusal) -> (Reservation.Extent, String?) {
        var partition = rules.machine.defaultPartitionIndex
        let name = request.partition
        if let name {
            guard let index = rules.machine.partitionIndex(named: name) else {
                let known = rules.machine.partitions.map(\.name)
                throw Refusal(.invalidPartition, no: "partition", name, among: known)
            }
            partition = index
        }
        let chosenFrom = rules.machine.partitions[partition]
        if let list = request.nodes {
            guard list.uppercased() != "ALL" else { return (.nodes(chosenFrom.nodes), name) }
            return (.nodes(try rules.nodes(list)), nil)
        }
        if let count = request.nodeCount {
            guard Int(count) <= chosenFrom.nodes.count else { throw Refusal(.requestNotAvailable) }
            return (.nodeCount(count, partition: partition), chosenFrom.name)
        }
        if let count = request.coreCount {
            return (.coreCount(count, partition: partition), chosenFrom.name)
        }
        return (.nodes(IDSet()), nil)
    }

    /// The reservation that a submission names.
    ///
    /// - Throws: `Refusal` when there is none, or the user or the account may not use it.
    func reservationID(
        for request: SubmitRequest,
        account: String
    ) throws(Refusal) -> ReservationID? {
        guard let name = request.reservation, !name.isEmpty else { return nil }
        let record = reservations[try index(named: name)]
        guard record.users.admits(request.user), record.accounts.admits(account) else {
            throw Refusal(.reservationAccess)
        }
        return record.id
    }

    // MARK: Reading

    /// All reservations, by number.
    func reservationInfos() -> [ReservationInfo] {
        reservations.compactMap { record in
            guard let held = emulator.reservation(record.id) else { return nil }
            var info = ReservationInfo()
            info.name = record.name
            info.start = held.terms.start
            info.end = held.terms.end
            let names = held.nodes.map { rules.machine.nodes[$0].name }
            info.nodeList = HostList.compress(names)
            info.nodeCount = Int32(clamping: names.count)
            info.coreCount = held.nodes.reduce(0) {
                $0 + Int64(rules.machine.nodes[$1].capacity.cores)
            }
            info.partition = record.partition
            var flags = record.flags
            if record.partition == nil, !names.isEmpty, !flags.contains("SPEC_NODES") {
                flags.append("SPEC_NODES")
            }
            if let idle = held.terms.idleMaximum {
                flags.append("PURGE_COMP=\(SlurmTime.full(idle))")
            }
            info.flags = flags.joined(separator: ",")
            info.users = record.users.text
            info.accounts = record.accounts.text
            info.isActive = held.isActive
            return info
        }
    }

    /// What an active reservation makes of a node: `MAINTENANCE`, `RESERVED`, or nil.
    ///
    /// Slurm marks nodes every 5 s only (`set_node_maint_mode` of `_slurmctld_background`).
    func reservationFlag(ofNode node: Int, at now: SimInstant) -> String? {
        let second = now.seconds
        let looked = SimInstant(seconds: second - (second % 5 + 5) % 5)
        let active = emulator.heldReservations.filter {
            $0.isActive && $0.terms.start < looked && $0.nodes.contains(node)
        }
        guard !active.isEmpty else { return nil }
        return active.contains { $0.terms.flags.contains(.maint) } ? "MAINTENANCE" : "RESERVED"
    }
}

extension ReservationFlags {
    /// Reads Slurm's names; others say nothing here.
    init(names: [String]) {
        self = []
        let known: [(String, ReservationFlags)] = [
            ("MAINT", .maint), ("IGNORE_JOBS", .ignoreJobs), ("OVERLAP", .overlap), ("FLEX", .flex),
            ("DAILY", .daily), ("WEEKLY", .weekly), ("ANY_NODES", .anyNodes),
        ]
        for (name, flag) in known where names.contains(name) { insert(flag) }
    }
}
