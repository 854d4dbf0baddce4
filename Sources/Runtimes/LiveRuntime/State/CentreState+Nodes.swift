import Accounts
import Billing
import Catalog
import ClusterModel
import Determinism
import Emulation
import JobModel
import Quantities
import Scheduling
import WireFormats

// What readers see of nodes and partitions. Nothing here changes the centre.

extension CentreState {
    /// The nodes of clusters, in the machine's order, put together where neighbours are alike.
    ///
    /// Of thousands of nodes only those are described of which something is otherwise than of the one before.
    func nodeGroups(
        of clusters: ClusterChoice,
        at now: SimInstant,
        bootTime: SimInstant,
        userName: (UInt32) -> String
    ) -> [NodeGroup] {
        var groups: [NodeGroup] = []
        var standing: NodeStanding?
        let loads = hostLoads
        for index in rules.machine.nodes.indices {
            guard clusters.contains(nodeIn: rules.partitionsOfNode[index]) else { continue }
            let next = self.standing(ofNode: index, at: now)
            let name = rules.machine.nodes[index].name
            if next == standing {
                groups[groups.count - 1].names.append(name)
            } else {
                var info = nodeInfo(index, at: now, bootTime: bootTime, userName: userName)
                info.hostLoad = info.hostName.flatMap { loads[$0] }
                groups.append(name, like: info)
            }
            standing = next
        }
        return groups
    }

    /// How many cores are held on computers that several nodes are on, by their names.
    private var hostLoads: [String: Int32] {
        let machine = rules.machine
        guard machine.nodeTypes.contains(where: { $0.hostName != nil }) else { return [:] }
        var loads: [String: Int32] = [:]
        for (index, node) in machine.nodes.enumerated() {
            guard let host = machine.nodeTypes[node.typeIndex].hostName,
                let condition = emulator.condition(ofNode: index)
            else { continue }
            loads[host, default: 0] += node.capacity.cores - condition.coresFree
        }
        return loads
    }

    /// All by which nodes differ beside their names.
    private struct NodeStanding: Equatable {
        var type: Int
        var capacity: NodeCapacity
        var partitions: [Int]
        var condition: NodeCondition?
        var note: NodeNote?
        var flag: String?
        var power: NodePowerState
    }

    private func standing(ofNode index: Int, at now: SimInstant) -> NodeStanding {
        let node = rules.machine.nodes[index]
        return NodeStanding(
            type: node.typeIndex,
            capacity: node.capacity,
            partitions: rules.partitionsOfNode[index],
            condition: emulator.condition(ofNode: index),
            note: nodeNotes[index],
            flag: reservationFlag(ofNode: index, at: now),
            power: emulator.powerState(ofNode: index)
        )
    }

    /// One node.
    func nodeInfo(
        _ index: Int,
        at now: SimInstant,
        bootTime: SimInstant,
        userName: (UInt32) -> String
    ) -> NodeInfo {
        let machine = rules.machine
        let node = machine.nodes[index]
        let type = machine.nodeTypes[node.typeIndex]
        var info = NodeInfo()
        info.name = node.name
        info.partitions = rules.partitionsOfNode[index].map { machine.partitions[$0].name }
        info.cores = node.capacity.cores
        info.memory = node.capacity.memory
        info.accelerators = node.capacity.accelerators
        addUse(ofNode: index, node.capacity, at: now, to: &info)
        if let card = type.accelerators.first, node.capacity.accelerators > 0 {
            let model = Self.word(card.model)
            // A card without a model of its own is called by its kind.
            let name = model == card.kind ? card.kind : "\(card.kind):\(model)"
            info.gres = "\(name):\(node.capacity.accelerators)"
        }
        if !type.features.isEmpty { info.features = type.features.joined(separator: ",") }
        info.sockets = Self.sockets(type)
        info.coresPerSocket = max(1, node.capacity.cores / info.sockets)
        info.operatingSystem = type.operatingSystem
        info.hostName = type.hostName
        info.address = type.address
        info.nodeType = type.name
        info.bootTime = bootTime
        if let note = nodeNotes[index] {
            info.reason = note.reason
            info.reasonUser = userName(note.by)
            info.reasonUserID = note.by
            info.reasonTime = note.since
        } else if info.flags.contains("DRAIN"), machine.powerSaving.capWatts != nil {
            info.reason = "power cap"
        }
        return info
    }

    /// How many cards a job holds of which node, and how many that node has.
    func cardsHeld(by entry: JobEntry) -> [(node: Int, count: Int, of: Int)] {
        emulator.allocation(of: JobID(entry.id)).map { holding in
            let all = rules.machine.nodes[holding.node].capacity.accelerators
            return (holding.node, Int(holding.accelerators), Int(all))
        }
    }

    private func addUse(
        ofNode index: Int,
        _ capacity: NodeCapacity,
        at now: SimInstant,
        to info: inout NodeInfo
    ) {
        guard let condition = emulator.condition(ofNode: index) else {
            info.state = "UNKNOWN"
            return
        }
        info.coresHeld = capacity.cores - condition.coresFree
        info.acceleratorsHeld = capacity.accelerators - condition.acceleratorsFree
        let memoryFree = ByteCount(mebibytes: Int64(condition.memoryMebibytesFree))
        info.memoryHeld = ByteCount(max(0, capacity.memory.mebibytes << 20 - memoryFree.count))
        switch condition.service {
        case .down: info.state = "DOWN"
        case .up, .drained:
            info.state =
                condition.jobCount == 0
                ? "IDLE" : info.coresHeld < capacity.cores ? "MIXED" : "ALLOCATED"
            let isFailing = nodeNotes[index]?.isFailing ?? false
            if condition.service == .drained { info.flags = [isFailing ? "FAIL" : "DRAIN"] }
            if let flag = reservationFlag(ofNode: index, at: now) { info.flags.append(flag) }
            switch emulator.powerState(ofNode: index) {
            case .on: break
            case .booting: info.flags.append("POWERING_UP")
            case .off: info.flags.append("POWERED_DOWN")
            }
        }
    }

    /// The packages of a synthetic topology; 1 when that cannot be told.
    private static func sockets(_ type: NodeType) -> Int32 {
        guard case .synthetic(let text) = type.topology else { return 1 }
        for word in text.split(separator: " ") where word.lowercased().hasPrefix("pack") {
            let digits = word.drop { $0 != ":" }.dropFirst().prefix { $0.isNumber }
            if let count = Int32(digits), count > 0 { return count }
        }
        return 1
    }

    private static func word(_ text: String) -> String {
        String(text.lowercased().map { $0.isLetter || $0.isNumber ? $0 : "_" })
    }

    /// All partitions, in the machine's order.
    func partitionInfos() -> [PartitionInfo] {
        let clusters = rules.machine.allClusters
        let clusterOf = Dictionary(
            uniqueKeysWithValues: clusters.flatMap { own in own.partitions.map { ($0, own) } }
        )
        return rules.machine.partitions.enumerated().map { index, partition in
            var info = PartitionInfo()
            let totals = rules.totals[index]
            info.name = partition.name
            info.cluster = clusterOf[index]?.name ?? ""
            info.isDefault = index == clusterOf[index]?.defaultPartitionIndex
            info.state = Self.name(of: emulator.state(ofPartition: index))
            info.nodeList = rules.partitionNodeLists[index]
            info.nodeCount = Int32(totals.nodeCount)
            info.cores = totals.coreCount
            info.memory = totals.memory
            info.accelerators = totals.acceleratorCount
            let limits = emulator.limits(ofPartition: index)
            info.maximumTime = limits.time
            info.defaultTime = defaultTimeLimit(ofPartition: index)
            info.minimumNodes = partition.minimumNodesPerJob
            info.maximumNodes = limits.nodes
            info.isExclusive = partition.sharing == .wholeNode
            info.allowedAccounts = partition.allowedAccounts
            info.allowedQOS = partition.allowedQOS
            info.qos = partition.qos
            info.priorityTier = partition.tier
            info.priorityJobFactor = partition.jobFactor
            let mode = rules.machine.preemptMode(of: partition)
            // Slurm's centres need both words; a partition that says nothing has what its centre has.
            let isGang = mode == .suspend && partition.preemptMode == .cluster
            info.preemptMode = isGang ? mode.slurmWords : mode.rawValue.uppercased()
            info.graceSeconds = partition.graceSeconds
            info.backend = partition.backend.rawValue
            info.platform = partition.platform
            return info
        }
    }

    private static func name(of state: PartitionState) -> String {
        switch state {
        case .up: "UP"
        case .down: "DOWN"
        case .drain: "DRAIN"
        case .inactive: "INACTIVE"
        }
    }

    /// Fills in what the state knows of the centre's status.
    func fill(_ status: inout CentreStatus) {
        let totals = rules.machineTotals
        status.machine = rules.machine.name
        status.title = rules.machine.title
        status.clusters = rules.machine.allClusters.map(\.name)
        status.nodes = Int32(totals.nodeCount)
        status.cores = totals.coreCount
        for index in rules.machine.nodes.indices {
            guard let condition = emulator.condition(ofNode: index) else { continue }
            if condition.jobCount > 0 { status.nodesHeld += 1 }
            if condition.service != .up { status.nodesUnavailable += 1 }
            let cores = rules.machine.nodes[index].capacity.cores
            status.coresHeld += Int64(cores - condition.coresFree)
        }
        status.jobsRunning = Int64(emulator.runningJobCount)
        status.jobsPending = Int64(emulator.activeJobCount) - status.jobsRunning
        status.jobsEnded = endedCount
        status.budgetsAlarmed = Int64(budgetAlarms.values.count { $0 > .ok })
        status.licenses = zip(rules.machine.licenses, emulator.licenseUse).map { pool, use in
            var info = LicenseInfo()
            info.name = pool.name
            (info.total, info.used) = use
            return info
        }
        status.nextJobID = nextJobID
        status.journalLength = journalLength
        status.passes = emulator.passCount
        status.digest = emulator.digest.hexText
    }

    // MARK: Limits of partitions

    /// The limit of jobs that ask for none, where the file says one: never more than the partition allows now.
    private func defaultTimeLimit(ofPartition index: Int) -> SimDuration? {
        let most = emulator.limits(ofPartition: index).time
        return rules.machine.partitions[index].defaultTimeLimit.map { min($0, most ?? $0) }
    }

    /// The limit of a job that asks for none.
    func usualTimeLimit(ofPartition index: Int) -> SimDuration {
        defaultTimeLimit(ofPartition: index) ?? emulator.limits(ofPartition: index).time
            ?? .unlimited
    }

    /// Whether a job is longer or larger than its partitions allow now.
    func exceedsPartitions(_ status: JobStatus) -> Bool {
        status.partitions.allSatisfy { index in
            let limits = emulator.limits(ofPartition: index)
            return limits.time.map { status.timeLimit > $0 } ?? false
                || limits.nodes.map { status.requestedNodes > $0 } ?? false
        }
    }
}
