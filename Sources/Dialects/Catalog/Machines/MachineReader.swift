import Billing
import ClusterModel
import IndexSets
import Quantities

// Reading a machine file.
//
// A file describes one system, or joins others, or both. Reading goes in the order in which parts
// refer to each other: joined machines, node types, nodes, racks, switches, platforms, partitions,
// accounts. Each part is appended to a draft in which everything has its final index already; a
// joined machine is a draft of its own that is appended with its indices moved up.
//
// Every check is made where the value is read, with the value's line at hand; after the reader has
// returned a machine nothing in it can be wrong any more. What hwloc thinks of a node type's
// topology is not checked here, since the reader is pure: programs ask HardwareTopology.

struct MachineReader {
    let library: MachineLibrary
    /// The files that are being read, outermost first, to notice a machine that joins itself.
    var chain: [String] = []

    static let topFields = [
        "machine", "title", "description", "join", "network", "published", "sources",
        "node_types", "nodes", "racks", "switches", "partitions", "default_partition", "clusters",
        "include", "platforms", "qos", "preemption", "licenses", "power_saving", "software",
        "accounts", "default_account", "operators", "auditors", "office", "issuer", "expect",
    ]

    func machine(text: String, file: String) throws(FileRefusal) -> Machine {
        let document = try YAMLField.document(text, file: file)
        let top = try document.mapping(Self.topFields)
        var reader = self
        reader.chain = [file]
        var draft = try reader.draft(top)
        try readCustomers(top, into: &draft)
        try checkAccountsOfPartitions(draft)
        guard !draft.partitions.isEmpty else {
            throw document.refusal(.conflict("a machine needs at least one partition"))
        }
        var machine = Machine(
            name: try top.required("machine").name(),
            title: try top.required("title").text(),
            description: try top["description"]?.paragraph() ?? "",
            systems: draft.systems,
            nodeTypes: draft.nodeTypes,
            nodes: draft.nodes,
            racks: draft.racks,
            switches: draft.switches,
            partitions: draft.partitions.map(\.value),
            defaultPartitionIndex: try defaultPartition(top, draft),
            platforms: draft.platforms,
            accounts: draft.accounts,
            defaultAccountIndex: draft.defaultAccountIndex,
            operators: draft.operators,
            issuer: draft.issuer
        )
        machine.auditors = draft.auditors
        machine.office = draft.office
        machine.clusters = try clusters(top, of: machine)
        machine.qos = try qos(top)
        machine.preemption = try preemption(top, machine)
        machine.licenses = try licenses(top)
        machine.software = try software(top)
        machine.powerSaving = try powerSaving(top, of: machine)
        try checkPeople(top, machine)
        if let excess = Tariff(pricesOf: machine).excess(on: machine) {
            throw (top["partitions"] ?? document).refusal(.conflict("\(excess)"))
        }
        return machine
    }

    /// Everything of a file but its customers, who belong to the centre and not to its machines.
    func draft(_ top: YAMLMapping) throws(FileRefusal) -> MachineDraft {
        var draft = MachineDraft()
        if let join = top["join"] { try readJoins(join, into: &draft) }
        let joinedNodeCount = draft.nodes.count
        try readNodeTypes(top, into: &draft)
        try readNodes(top, into: &draft)
        try readRacks(top, into: &draft)
        try readSwitches(top, into: &draft)
        try readSystem(top, nodes: joinedNodeCount..<draft.nodes.count, into: &draft)
        try readPlatforms(top, into: &draft)
        try readPartitions(top, into: &draft)
        try checkExpectations(top, draft)
        try checkSums(top, draft)
        return draft
    }

    private func readSystem(
        _ top: YAMLMapping,
        nodes: Range<Int>,
        into draft: inout MachineDraft
    ) throws(FileRefusal) {
        guard !nodes.isEmpty else {
            for name in ["network", "published", "sources"] {
                guard let field = top[name] else { continue }
                throw field.refusal(.conflict("describes nodes, and the file has none of its own"))
            }
            return
        }
        draft.systems.append(
            ComputeSystem(
                name: try top.required("machine").name(),
                title: try top.required("title").text(),
                description: try top["description"]?.paragraph() ?? "",
                nodes: IDSet(nodes),
                network: try top["network"].map(Self.network),
                published: try top["published"].map(Self.published) ?? .init(),
                facts: try Self.facts(top)
            )
        )
    }

    private static func network(_ field: YAMLField) throws(FileRefusal) -> Network {
        let fields = try field.mapping(["name", "shape", "link_bandwidth", "latency"])
        return Network(
            name: try fields.required("name").text(),
            shape: try fields.required("shape").text(),
            linkBandwidth: try fields["link_bandwidth"]?.byteRate(),
            latencyNanoseconds: try fields["latency"]?.nanoseconds()
        )
    }

    private static func published(
        _ field: YAMLField
    ) throws(FileRefusal) -> ComputeSystem.PublishedFigures {
        let fields = try field.mapping([
            "peak", "linpack", "hpcg", "memory", "power", "peak_note",
        ])
        return ComputeSystem.PublishedFigures(
            peak: try fields["peak"]?.flopRate(),
            linpack: try fields["linpack"]?.flopRate(),
            conjugateGradients: try fields["hpcg"]?.flopRate(),
            memory: try fields["memory"]?.bytes(),
            powerWatts: try fields["power"]?.watts(),
            peakNote: try fields["peak_note"]?.paragraph()
        )
    }

    private func powerSaving(
        _ top: YAMLMapping,
        of machine: Machine
    ) throws(FileRefusal) -> PowerSaving {
        guard let field = top["power_saving"] else { return PowerSaving() }
        let fields = try field.mapping(["suspend_time", "cap"])
        var saving = PowerSaving()
        saving.suspendTime = try fields["suspend_time"].map { field throws(FileRefusal) in
            SimDuration(seconds: Int64(try field.seconds()))
        }
        saving.capWatts = try fields["cap"]?.watts()
        var trial = machine
        trial.powerSaving = saving
        if let problem = trial.powerProblem {
            throw (fields["cap"] ?? field).refusal(.conflict(problem.description))
        }
        return saving
    }

    private func defaultPartition(
        _ top: YAMLMapping,
        _ draft: MachineDraft
    ) throws(FileRefusal) -> Int {
        guard let field = top["default_partition"] else { return 0 }
        return try partitionIndex(field, among: draft.partitions.map(\.value.name))
    }

    /// The place of the partition that a field names.
    func partitionIndex(_ field: YAMLField, among known: [String]) throws(FileRefusal) -> Int {
        let name = try field.name()
        guard let index = known.firstIndex(of: name) else {
            let similar = similarNames(to: name, among: known)
            throw field.refusal(.unknownReference(name: name, to: "partition", similar: similar))
        }
        return index
    }

    /// Refuses a machine whose totals do not fit in 64 bits; after this, sums over nodes cannot trap.
    private func checkSums(_ top: YAMLMapping, _ draft: MachineDraft) throws(FileRefusal) {
        let peaks = draft.nodeTypes.map { Int128($0.peak?.flopsPerSecond ?? 0) }
        var memory: Int128 = 0
        var peak: Int128 = 0
        for node in draft.nodes {
            memory += Int128(node.capacity.memory.count)
            peak += peaks[node.typeIndex]
        }
        for (sum, what) in [(memory, "the memory"), (peak, "the peak")]
        where sum > Int128(Int64.max) {
            let field = top["nodes"] ?? top["join"] ?? top.field
            throw field.refusal(.conflict("\(what) of all nodes together is past 64 bits"))
        }
    }

    /// Holds what the file says it should add up to against what it does.
    private func checkExpectations(
        _ top: YAMLMapping,
        _ draft: MachineDraft
    ) throws(FileRefusal) {
        guard let field = top["expect"] else { return }
        let fields = try field.mapping(["nodes", "cores", "accelerators", "racks", "switches"])
        let counted: [(String, Int64)] = [
            ("nodes", Int64(draft.nodes.count)),
            ("cores", draft.nodes.reduce(0) { $0 + Int64($1.capacity.cores) }),
            ("accelerators", draft.nodes.reduce(0) { $0 + Int64($1.capacity.accelerators) }),
            ("racks", Int64(draft.racks.count)),
            ("switches", Int64(draft.switches.count)),
        ]
        for (name, number) in counted {
            guard let stated = fields[name] else { continue }
            guard try stated.integer(0...Int64.max) == number else {
                throw stated.refusal(
                    .doesNotAddUp(stated: try stated.text(), counted: "\(number)")
                )
            }
        }
    }
}

// MARK: - Sources

extension MachineReader {
    /// The facts of a mapping: its member `sources` says for each field where the value is from.
    static func facts(_ owner: YAMLMapping) throws(FileRefusal) -> [Fact] {
        guard let sources = owner["sources"] else { return [] }
        var facts: [Fact] = []
        for (name, field) in try sources.entries() {
            guard let value = owner.field.valueText(at: name) else {
                throw field.refusal(.conflict("gives a source for '\(name)', which is not there"))
            }
            let fields = try field.mapping(["evidence", "source", "alternative"])
            facts.append(
                Fact(
                    field: name,
                    value: value,
                    evidence: try fields.required("evidence").choice(Fact.Evidence.self),
                    source: try fields.required("source").paragraph(),
                    alternative: try fields["alternative"]?.paragraph()
                )
            )
        }
        return facts
    }
}

extension YAMLField {
    /// Text that may stand on several lines, as one.
    func paragraph() throws(FileRefusal) -> String {
        try text().split(whereSeparator: \.isNewline).joined(separator: " ")
    }

    /// The value at a dotted path below, as written; of lists, the first element that has it.
    func valueText(at path: String) -> String? {
        var found = [self]
        for step in path.split(separator: ".") {
            found = found.flatMap { field in
                let places = (try? field.list()) ?? [field]
                return places.compactMap { place in
                    (try? place.entries())?.first { $0.name == step }?.field
                }
            }
        }
        guard let first = found.first else { return nil }
        return (try? first.text()) ?? first.kindFound
    }
}

// MARK: - The draft

/// A machine while it is being read: everything has its final index.
struct MachineDraft {
    /// A value together with the place to blame when a later part does not agree with it.
    struct Placed<Value> {
        var value: Value
        var field: YAMLField
    }

    var systems: [ComputeSystem] = []
    var nodeTypes: [NodeType] = []
    var nodes: [ClusterNode] = []
    var nodeIndices: [String: Int] = [:]
    var racks: [Rack] = []
    var switches: [Switch] = []
    var platforms: [Platform] = []
    var partitions: [Placed<Partition>] = []
    var accounts: [AccountEntry] = []
    var defaultAccountIndex = 0
    var operators: [String] = []
    var auditors: [String] = []
    var office: [String] = []
    var issuer: Issuer?
}
