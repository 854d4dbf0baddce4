import Accounts
public import ClusterModel
import IndexSets
import Quantities

extension Machine {
    /// What decides about jobs and is otherwise here than in `known`, one phrase each; empty when
    /// nothing is.
    ///
    /// Titles, descriptions and sources decide nothing. What was discovered of a host may be
    /// otherwise on another computer. Customers are not compared: they come and go while a centre
    /// lives.
    public func differences(from known: Machine) -> [String] {
        guard name == known.name else { return ["it is machine '\(name)', not '\(known.name)'"] }
        let (own, other) = (deciding, known.deciding)
        var found: [String] = []
        found += Self.compared(own.systems, other.systems, "system", \.name) { _, _ in [] }
        found += Self.compared(own.nodeTypes, other.nodeTypes, "node type", \.name) { _, _ in [] }
        found += nodeDifferences(own, other)
        found += Self.compared(own.racks, other.racks, "rack", \.name) { _, _ in [] }
        found += Self.compared(own.switches, other.switches, "switch", \.name) { _, _ in [] }
        found += Self.compared(own.platforms, other.platforms, "platform", \.name) { _, _ in [] }
        found += Self.compared(own.partitions, other.partitions, "partition", \.name) {
            Self.fields($0, self, $1, known)
        }
        found += Self.compared(own.clusters, other.clusters, "cluster", \.name) { _, _ in [] }
        found += Self.compared(own.licenses, other.licenses, "licence", \.name) { now, then in
            ["licence \(now.name): count is \(now.count), not \(then.count)"]
        }
        if own.software != other.software { found.append("software is otherwise") }
        if own.powerSaving != other.powerSaving { found.append("power_saving is otherwise") }
        if own.preemption != other.preemption { found.append("preemption is defined otherwise") }
        if own.defaultPartition.name != other.defaultPartition.name {
            found.append(
                "default_partition is \(own.defaultPartition.name), not"
                    + " \(other.defaultPartition.name)"
            )
        }
        return found
    }

    /// The machine without what decides nothing and without what was discovered.
    private var deciding: Machine {
        var machine = self
        let discovered = Set(
            nodeTypes.indices.filter { nodeTypes[$0].topology == .host }
        )
        machine.systems = systems.map { system in
            var system = system
            (system.title, system.description, system.facts) = ("", "", [])
            system.published = ComputeSystem.PublishedFigures()
            // Nodes are compared by themselves.
            system.nodes = IDSet()
            return system
        }
        machine.nodeTypes = nodeTypes.map { type in
            var type = type
            (type.title, type.facts) = ("", [])
            guard type.topology == .host else { return type }
            type.processor = Processor(model: "")
            type.capacity = NodeCapacity(cores: 1)
            type.memoryBandwidth = nil
            return type
        }
        machine.nodes = nodes.map { node in
            var node = node
            if discovered.contains(node.typeIndex) { node.capacity = NodeCapacity(cores: 1) }
            return node
        }
        machine.clusters = clusters.map { cluster in
            var cluster = cluster
            cluster.title = ""
            return cluster
        }
        machine.platforms = platforms.map { platform in
            var platform = platform
            platform.title = ""
            return platform
        }
        machine.partitions = partitions.map { partition in
            var partition = partition
            (partition.title, partition.facts) = ("", [])
            return partition
        }
        return machine
    }

    /// Compares lists whose members have names.
    ///
    /// - Parameter details: what of two members of one name differs; empty when that is said by
    ///   "is defined otherwise".
    private static func compared<Part: Hashable>(
        _ own: [Part],
        _ known: [Part],
        _ kind: String,
        _ name: KeyPath<Part, String>,
        _ details: (Part, Part) -> [String]
    ) -> [String] {
        guard own != known else { return [] }
        var found: [String] = []
        let ownNames = Dictionary(own.map { ($0[keyPath: name], $0) }) { first, _ in first }
        let knownNames = Set(known.map { $0[keyPath: name] })
        for part in known {
            let word = part[keyPath: name]
            guard let now = ownNames[word] else {
                found.append("\(kind) \(word) is missing")
                continue
            }
            guard now != part else { continue }
            let fields = details(now, part)
            found += fields.isEmpty ? ["\(kind) \(word) is defined otherwise"] : fields
        }
        for part in own where !knownNames.contains(part[keyPath: name]) {
            found.append("\(kind) \(part[keyPath: name]) is new")
        }
        return found.isEmpty ? ["the order of its \(kind)s is another"] : found
    }

    private func nodeDifferences(_ own: Machine, _ known: Machine) -> [String] {
        guard own.nodes != known.nodes else { return [] }
        let ownNames = Set(own.nodes.map(\.name))
        let knownNames = Set(known.nodes.map(\.name))
        let lost = known.nodes.map(\.name).filter { !ownNames.contains($0) }
        let new = own.nodes.map(\.name).filter { !knownNames.contains($0) }
        var found: [String] = []
        if !lost.isEmpty { found.append("nodes \(HostList.compress(lost)) are missing") }
        if !new.isEmpty { found.append("nodes \(HostList.compress(new)) are new") }
        guard found.isEmpty else { return found }
        let changed = zip(own.nodes, known.nodes).filter { $0 != $1 }.map { $0.0.name }
        return ["nodes \(HostList.compress(changed)) are defined otherwise"]
    }

    /// What of a partition is otherwise, field by field.
    private static func fields(
        _ own: Partition,
        _ machine: Machine,
        _ known: Partition,
        _ knownMachine: Machine
    ) -> [String] {
        func words(_ part: Partition, _ machine: Machine) -> [(String, String)] {
            func number(_ value: Int32?) -> String { value.map { "\($0)" } ?? "none" }
            func seconds(_ value: SimDuration?) -> String {
                value.map { "\($0.microseconds / 1_000_000) s" } ?? "none"
            }
            return [
                ("nodes", machine.hostList(of: part.nodes)),
                ("sharing", part.sharing.rawValue),
                ("state", part.state.rawValue),
                ("backend", part.backend.rawValue),
                ("time_limit.maximum", seconds(part.maximumTimeLimit)),
                ("time_limit.default", seconds(part.defaultTimeLimit)),
                ("nodes_per_job.minimum", number(part.minimumNodesPerJob)),
                ("nodes_per_job.maximum", number(part.maximumNodesPerJob)),
                ("accounts", part.allowedAccounts?.joined(separator: ",") ?? "all"),
                ("security_level", number(part.securityLevel)),
                ("platform", part.platform),
                ("prices.core_hour", "\(part.prices.coreHourMicrofen) µfen"),
                ("prices.card_hour", "\(part.prices.cardHourMicrofen) µfen"),
                ("prices.node_hour", "\(part.prices.nodeHourMicrofen) µfen"),
                ("quota.running_jobs", number(part.quota.runningJobs)),
                ("quota.nodes", number(part.quota.nodes)),
                ("quota.cores", number(part.quota.cores)),
            ]
        }
        return zip(words(own, machine), words(known, knownMachine)).compactMap { now, then in
            now.1 == then.1 ? nil : "partition \(own.name): \(now.0) is \(now.1), not \(then.1)"
        }
    }
}
