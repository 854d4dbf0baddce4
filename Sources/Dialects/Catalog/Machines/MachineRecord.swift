import Accounts
public import ClusterModel
import IndexSets
import Quantities
public import WireFormats

// A machine as one JSON object, whole: what a centre was opened with, for its journal.
//
// A machine file says where things are looked up (a host to be discovered, files beside it, shipped
// files that change with a release); a record says what was found. Reading one needs nothing but its
// text, and gives the same machine on any computer and under any later version: members that come
// later are optional, and `MachineRecord.version` goes up when an old reader would go wrong.

/// A resolved machine that travels as JSON.
public struct MachineRecord: WireValue {
    /// What this version writes, and the highest that it reads.
    public static let version: Int64 = 1

    /// The machine.
    public var machine: Machine

    /// Makes the record of a machine.
    public init(_ machine: Machine) {
        self.machine = machine
    }

    /// Reads a record.
    ///
    /// - Throws: `JSONValue.Malformed` when a member is missing or wrong, when an index or a name
    ///   refers to nothing, or when a later version wrote it.
    public init(json: JSONValue) throws(JSONValue.Malformed) {
        let version = try json.integer("version")
        guard (1...Self.version).contains(version) else {
            throw JSONValue.Malformed(
                line: 0,
                problem: "machine record of version \(version); this program reads up to"
                    + " \(Self.version)"
            )
        }
        machine = try Coded<Machine>(json: json).part
        if let problem = machine.referenceProblem {
            throw JSONValue.Malformed(line: 0, problem: problem)
        }
    }

    /// The machine as an object that begins with its version.
    public var json: JSONValue {
        var members = [JSONValue.Member("version", .integer(Self.version))]
        members += Coded(machine).json.members ?? []
        return .object(members)
    }
}

extension Machine: CodedPart {
    static var blank: Machine {
        Machine(
            name: "",
            title: "",
            systems: [],
            nodeTypes: [],
            nodes: [],
            partitions: [Partition.blank],
            platforms: [],
            accounts: [AccountEntry.blank]
        )
    }

    mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("machine", &name)
        try fields("title", &title)
        try fields("description", &description)
        try fields.parts("systems", &systems)
        try fields.parts("node_types", &nodeTypes)
        var runs = NodeRun.runs(of: nodes)
        try fields.parts("nodes", &runs)
        nodes = try NodeRun.nodes(of: runs)
        try fields.parts("racks", &racks)
        try fields.parts("switches", &switches)
        try fields.parts("platforms", &platforms)
        try fields.parts("partitions", &partitions)
        try fields("default_partition", &defaultPartitionIndex)
        try fields.someParts("clusters", &clusters)
        try fields.parts("accounts", &accounts)
        try fields("default_account", &defaultAccountIndex)
        try fields.someParts("qos", &qos)
        var rules = preemption == PreemptionRules() ? nil : Optional(preemption)
        try fields.part("preemption", &rules)
        preemption = rules ?? PreemptionRules()
        try fields.someParts("licenses", &licenses)
        try fields.someParts("software", &software)
        var saving = powerSaving.isOn ? Optional(powerSaving) : nil
        try fields.part("power_saving", &saving)
        powerSaving = saving ?? PowerSaving()
        try fields("operators", &operators)
        try fields.namesIfAny("auditors", &auditors)
        try fields.namesIfAny("office", &office)
        try fields.part("issuer", &issuer)
    }

    /// What refers to nothing, or cannot be: a record is used without further checks. nil when all
    /// is well.
    fileprivate var referenceProblem: String? {
        guard !nodes.isEmpty else { return "there are no nodes" }
        guard Set(nodes.map(\.name)).count == nodes.count else { return "a node is there twice" }
        for node in nodes {
            let fits =
                nodeTypes.indices.contains(node.typeIndex)
                && node.rackIndex.map(racks.indices.contains) ?? true
                && node.switchIndex.map(switches.indices.contains) ?? true
            guard fits else { return "node \(node.name) refers to what is not there" }
            guard node.capacity.cores > 0, node.capacity.memory.count >= 0,
                node.capacity.accelerators >= 0
            else { return "node \(node.name) has less than nothing" }
        }
        let sets =
            systems.map { ($0.name, $0.nodes) } + racks.map { ($0.name, $0.nodes) }
            + switches.map { ($0.name, $0.nodes) } + partitions.map { ($0.name, $0.nodes) }
        let all = IDSet(nodes.indices)
        for (name, set) in sets where !all.isSuperset(of: set) {
            return "'\(name)' has nodes that are not there"
        }
        for (index, item) in switches.enumerated() {
            guard item.parentIndex.map({ (0..<index).contains($0) }) ?? true else {
                return "switch \(item.name) is below one that is not there"
            }
        }
        guard partitions.indices.contains(defaultPartitionIndex) else {
            return "the default partition is not there"
        }
        if let problem = clusterProblem { return problem }
        guard accounts.indices.contains(defaultAccountIndex) else {
            return "the default account is not there"
        }
        guard Set(licenses.map(\.name)).count == licenses.count,
            licenses.allSatisfy({ $0.count > 0 })
        else { return "a licence is there twice, or less than once" }
        if let problem = peopleProblem {
            return "\(problem.section) '\(problem.owner)', \(problem.field): \(problem.text)"
        }
        if let problem = powerProblem { return problem.description }
        let storagePrices = 0...Platform.storageMicrofenMaximum
        for platform in platforms where !storagePrices.contains(platform.storageMicrofen) {
            return "the storage of platform \(platform.name) has no price that could be charged"
        }
        for partition in partitions {
            let prices = partition.prices
            let lowest = min(
                prices.coreHourMicrofen,
                prices.cardHourMicrofen,
                prices.nodeHourMicrofen
            )
            guard lowest >= 0 else { return "a price of partition \(partition.name) is negative" }
            guard !partition.nodes.isEmpty else {
                return "partition \(partition.name) has no nodes"
            }
        }
        return nil
    }
}

/// Nodes that follow one another and differ in nothing but their names.
private struct NodeRun: CodedPart {
    var names = ""
    var first = ClusterNode(name: "", typeIndex: 0, capacity: NodeCapacity(cores: 1))

    static var blank: NodeRun { NodeRun() }

    mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("names", &names)
        try fields.required("type", &first.typeIndex)
        try fields.part("capacity", &first.capacity)
        try fields("rack", &first.rackIndex)
        try fields("switch", &first.switchIndex)
    }

    static func runs(of nodes: [ClusterNode]) -> [NodeRun] {
        var runs: [NodeRun] = []
        var start = 0
        while start < nodes.count {
            var alike = nodes[start]
            var end = start + 1
            while end < nodes.count {
                alike.name = nodes[end].name
                guard alike == nodes[end] else { break }
                end += 1
            }
            let names = nodes[start..<end].map(\.name)
            let list = HostList.compress(names)
            // A list sorts its numbers; nodes in another order are named one by one.
            let isFaithful = (try? HostList.expand(list)) == names
            runs += (isFaithful ? [list] : names).map {
                NodeRun(names: $0, first: nodes[start])
            }
            start = end
        }
        return runs
    }

    static func nodes(of runs: [NodeRun]) throws(JSONValue.Malformed) -> [ClusterNode] {
        var nodes: [ClusterNode] = []
        for run in runs {
            let names: [String]
            do throws(HostList.Rejection) {
                names = try HostList.expand(run.names)
            } catch {
                throw JSONValue.Malformed(line: 0, problem: "names '\(run.names)': \(error)")
            }
            for name in names {
                var node = run.first
                node.name = name
                nodes.append(node)
            }
        }
        return nodes
    }
}
