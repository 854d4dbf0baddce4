import ClusterModel
import Emulation
import IndexSets
import JobModel
import Quantities
import Scheduling
public import WireFormats

// What pages and monitors ask for again and again. All of it comes from snapshots, so that however
// many watch, the writing thread does not notice.

extension Centre {
    /// How many jobs there are of each kind, of those that the caller may see, and how many nodes.
    public func census(_ caller: Caller) async -> CentreCensus {
        let state = await snapshot().state
        var census = CentreCensus()
        census.now = max(clock.now, state.lastInstant)
        census.jobs = state.jobRows(in: sight(of: caller))
        var counts: [NodeUse: Int64] = [:]
        for use in state.nodeUses { counts[use, default: 0] += 1 }
        census.nodes = NodeUse.allCases.map { use in
            var row = NodeCount()
            row.use = use
            row.count = counts[use] ?? 0
            return row
        }
        return census
    }

    /// What each node does.
    ///
    /// - Parameter withNames: whether names and places of the nodes are wanted, which never change.
    /// - Throws: `RequestFailure` when nodes are not for the caller.
    public func map(
        withNames: Bool,
        _ caller: Caller
    ) async throws(RequestFailure) -> CentreMap {
        try check(.nodes, caller)
        let state = await snapshot().state
        var map = CentreMap()
        map.now = max(clock.now, state.lastInstant)
        map.uses = state.nodeUses.map(\.rawValue).joined()
        if withNames {
            map.names = state.rules.machine.nodes.map(\.name)
            map.blocks = state.mapBlocks
        }
        return map
    }

    /// What has happened since `glance` was taken; takes the next one.
    public func changes(since glance: inout CentreGlance) async -> [CentreEvent] {
        let state = await snapshot().state
        return glance.advance(to: state, now: max(clock.now, state.lastInstant))
    }
}

extension Centre {
    /// Whether an event is for the caller.
    public func sees(_ event: CentreEvent, _ caller: Caller) -> Bool {
        switch event.kind {
        case "job":
            isQueuePublic || event.userID == caller.userID
                || rights(of: caller).may(.seeJobs, in: event.account ?? "")
        case "node": (try? check(.nodes, caller)) != nil
        default: true
        }
    }
}

/// What somebody has seen of a centre: where the next changes begin.
public struct CentreGlance: Sendable {
    private var jobs: JobBook?
    private var uses: [NodeUse] = []
    private var now = SimInstant.epoch

    /// Has seen nothing; the first look is not a change.
    public init() {}

    fileprivate mutating func advance(to state: CentreState, now: SimInstant) -> [CentreEvent] {
        let usesNow = state.nodeUses
        defer {
            jobs = state.jobs
            uses = usesNow
            self.now = now
        }
        guard let jobs else { return [] }
        var events: [CentreEvent] = []
        jobs.forEachChange(to: state.jobs) { old, new in
            let name = state.stateName(of: new.status)
            if let old, state.stateName(of: old.status) == name,
                old.status.restart == new.status.restart
            {
                return
            }
            events.append(state.event(of: new, state: name, now: now))
        }
        for (index, use) in usesNow.enumerated() where uses[index] != use {
            // Jobs say themselves what they take and leave.
            guard use.isOfService || uses[index].isOfService else { continue }
            var event = CentreEvent()
            event.kind = "node"
            event.now = now
            event.name = state.rules.machine.nodes[index].name
            event.state = use.slurmName
            events.append(event)
        }
        if events.isEmpty, now > self.now {
            var event = CentreEvent()
            event.now = now
            events.append(event)
        }
        return events
    }
}

extension NodeUse {
    /// Whether people or failures made it so, and not jobs.
    fileprivate var isOfService: Bool {
        switch self {
        case .idle, .mixed, .allocated: false
        case .reserved, .maintenance, .drained, .draining, .down: true
        }
    }
}

extension CentreState {
    fileprivate func event(of entry: JobEntry, state: String, now: SimInstant) -> CentreEvent {
        var event = CentreEvent()
        event.kind = "job"
        event.now = now
        event.jobID = entry.id
        event.name = entry.status.name
        event.state = state
        event.user = entry.specification.request.user
        event.userID = entry.specification.request.userID
        event.account = entry.specification.account
        event.partition = partitionNames(of: entry.status)
        if !entry.status.nodeList.isEmpty { event.nodeList = entry.status.nodeList }
        event.start = entry.status.startedAt
        event.end = entry.status.endedAt
        return event
    }

    /// What each node does, in the machine's order.
    fileprivate var nodeUses: [NodeUse] {
        var uses = rules.machine.nodes.indices.map { index -> NodeUse in
            guard let condition = emulator.condition(ofNode: index) else { return .down }
            let isBusy = condition.jobCount > 0
            switch condition.service {
            case .down: return .down
            case .drained: return isBusy ? .draining : .drained
            case .up:
                guard isBusy else { return .idle }
                return condition.coresFree > 0 ? .mixed : .allocated
            }
        }
        for reservation in emulator.heldReservations where reservation.isActive {
            let isMaintenance = reservation.terms.flags.contains(.maint)
            for node in reservation.nodes where uses[node] == .idle || uses[node] == .reserved {
                uses[node] = isMaintenance ? .maintenance : .reserved
            }
        }
        return uses
    }

    /// Racks, and by node type what stands in none.
    fileprivate var mapBlocks: [MapBlock] {
        let machine = rules.machine
        var systems = [String](repeating: machine.title, count: machine.nodes.count)
        for system in machine.systems {
            for node in system.nodes { systems[node] = system.title }
        }
        var blocks: [MapBlock] = []
        for (index, node) in machine.nodes.enumerated() {
            let rack = node.rackIndex.map { machine.racks[$0].name }
            let name = rack ?? machine.nodeTypes[node.typeIndex].name
            let system = systems[index]
            if let last = blocks.last, last.name == name, last.system == system {
                blocks[blocks.count - 1].count += 1
                continue
            }
            var block = MapBlock()
            block.name = name
            block.system = system
            block.first = Int32(index)
            block.count = 1
            blocks.append(block)
        }
        return blocks
    }

    /// Jobs in sight that have not ended, by partition, account, user and state.
    fileprivate func jobRows(in sight: Sight) -> [CensusRow] {
        struct Key: Hashable, Comparable {
            var partitions: [Int]
            var account: String
            var user: String
            var state: String

            static func < (one: Key, other: Key) -> Bool {
                if one.partitions != other.partitions {
                    return one.partitions.lexicographicallyPrecedes(other.partitions)
                }
                return (one.account, one.user, one.state)
                    < (other.account, other.user, other.state)
            }
        }
        var rows: [Key: CensusRow] = [:]
        jobs.forEach { entry in
            guard !entry.hasEnded, sight.sees(entry) else { return }
            let status = entry.status
            let key = Key(
                partitions: status.partitions,
                account: entry.specification.account,
                user: entry.specification.request.user,
                state: stateName(of: status)
            )
            let isWaiting = status.phase == .pending
            rows[key, default: CensusRow()].jobs += 1
            rows[key]?.nodes += Int64(isWaiting ? Int(status.requestedNodes) : status.nodes.count)
            rows[key]?.cores += isWaiting ? status.requestedCores : status.coresHeld
            rows[key]?.accelerators +=
                isWaiting ? status.requestedCards : status.acceleratorsHeld
        }
        return rows.sorted { $0.key < $1.key }.map { key, row in
            var row = row
            let names = key.partitions.map { rules.machine.partitions[$0].name }
            row.partition = names.joined(separator: ",")
            row.account = key.account
            row.user = key.user
            row.state = key.state
            return row
        }
    }
}
