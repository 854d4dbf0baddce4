import ClusterModel
import IndexSets
import Quantities

extension MachineReader {
    // MARK: Node types

    func readNodeTypes(
        _ top: YAMLMapping,
        into draft: inout MachineDraft
    ) throws(FileRefusal) {
        for field in try top["node_types"]?.list() ?? [] {
            let type = try nodeType(field)
            guard !draft.nodeTypes.contains(where: { $0.name == type.name }) else {
                throw field.refusal(.duplicate(name: type.name, of: "node type"))
            }
            draft.nodeTypes.append(type)
        }
    }

    private func nodeType(_ field: YAMLField) throws(FileRefusal) -> NodeType {
        let fields = try field.mapping([
            "name", "title", "topology", "processor", "cores", "memory", "memory_bandwidth",
            "power", "idle_power", "off_power", "boot_time", "os", "host_name", "address",
            "features",
            "accelerators", "sources",
        ])
        let accelerators = try (fields["accelerators"]?.list() ?? []).mapField(accelerator)
        let topology = try topology(fields.required("topology"))
        try checkPeak(fields, accelerators)
        let (processor, cores, memory) = try inside(fields, topology)
        let capacity = NodeCapacity(
            cores: cores,
            memory: memory,
            accelerators: accelerators.reduce(0) { $0 + $1.count }
        )
        if let problem = library.topologyProblem(topology, capacity) {
            throw try fields.required("topology").refusal(.topology(problem))
        }
        var features: [String] = []
        for feature in try fields["features"]?.list() ?? [] { features.append(try feature.name()) }
        var type = NodeType(
            name: try fields.required("name").name(),
            title: try fields.required("title").text(),
            topology: topology,
            processor: processor,
            capacity: capacity,
            accelerators: accelerators,
            memoryBandwidth: try fields["memory_bandwidth"]?.byteRate(),
            powerWatts: try fields["power"].map(smallPower),
            operatingSystem: try fields["os"]?.text(),
            features: features,
            facts: try Self.facts(fields)
        )
        try readPower(fields, into: &type)
        type.hostName = try fields["host_name"]?.name()
        type.address = try fields["address"]?.name()
        return type
    }

    /// What a node draws when it does nothing, and how long it takes to come up.
    private func readPower(
        _ fields: YAMLMapping,
        into type: inout NodeType
    ) throws(FileRefusal) {
        type.idleWatts = try fields["idle_power"].map(smallPower)
        type.offWatts = try fields["off_power"].map(smallPower)
        type.bootTime = try fields["boot_time"].map { field throws(FileRefusal) in
            SimDuration(seconds: Int64(try field.seconds()))
        }
        let falling = [
            ("power", type.powerWatts), ("idle_power", type.idleWatts),
            ("off_power", type.offWatts),
        ]
        .compactMap { name, watts in watts.map { (name, $0) } }
        for (more, less) in zip(falling, falling.dropFirst()) where less.1 > more.1 {
            throw try fields.required(less.0).refusal(
                .conflict("\(less.0) of \(less.1) W is more than \(more.0), \(more.1) W")
            )
        }
    }

    /// Refuses factors whose product does not fit in 64 bits.
    private func checkPeak(
        _ fields: YAMLMapping,
        _ accelerators: [Accelerator]
    ) throws(FileRefusal) {
        var peak: Int128 = 0
        for card in accelerators {
            peak += Int128(card.peak?.flopsPerSecond ?? 0) * Int128(card.count)
        }
        if let field = fields["processor"], let coresField = fields["cores"] {
            let processor = try processor(field)
            let clock = Int128(processor.clock?.hertz ?? 0)
            let cores = Int128(try coresField.count(1...65_536))
            peak += clock * Int128(processor.flopsPerCycle ?? 0) * cores
        }
        guard peak <= Int128(Int64.max) else {
            let field = fields["processor"] ?? fields.field
            throw field.refusal(.conflict("the node's peak is past 64 bits"))
        }
    }

    /// What is in a node: as written, or for the host as discovered.
    private func inside(
        _ fields: YAMLMapping,
        _ topology: TopologySource
    ) throws(FileRefusal) -> (Processor, cores: Int32, memory: ByteCount) {
        guard topology == .host else {
            return (
                try processor(fields.required("processor")),
                try fields.required("cores").count(1...65_536),
                try fields.required("memory").bytes()
            )
        }
        for name in ["processor", "cores", "memory"] {
            guard let field = fields[name] else { continue }
            throw field.refusal(.conflict("is discovered on the host and cannot be given"))
        }
        guard let host = library.host else {
            throw try fields.required("topology").refusal(.hostNotDiscovered)
        }
        return (Processor(model: host.processorModel), host.cores, host.memory)
    }

    private func topology(_ field: YAMLField) throws(FileRefusal) -> TopologySource {
        if let word = try? field.text() {
            guard word == "host" else {
                throw field.refusal(
                    .unreadable(found: word, expected: "'host', 'synthetic: …' or 'xml: …'")
                )
            }
            return .host
        }
        let fields = try field.mapping(["synthetic", "xml"])
        switch (fields["synthetic"], fields["xml"]) {
        case (let synthetic?, nil):
            return .synthetic(try synthetic.text())
        case (nil, let xml?):
            let name = try xml.text()
            guard let found = library.find(name, referredToBy: field.file) else {
                throw xml.refusal(.unreadableFile(name: name))
            }
            return .xml(name: name, text: found.text)
        default:
            throw field.refusal(.conflict("needs one of 'synthetic' and 'xml'"))
        }
    }

    private func processor(_ field: YAMLField) throws(FileRefusal) -> Processor {
        let fields = try field.mapping([
            "model", "clock", "vector_clock", "flops_per_cycle", "gemm_share", "stream_share",
        ])
        return Processor(
            model: try fields.required("model").text(),
            clock: try fields["clock"]?.frequency(),
            vectorClock: try fields["vector_clock"]?.frequency(),
            flopsPerCycle: try fields["flops_per_cycle"]?.count(1...4_096),
            sustained: try sustained(fields)
        )
    }

    private func sustained(_ fields: YAMLMapping) throws(FileRefusal) -> SustainedShares {
        SustainedShares(
            gemmPermille: try fields["gemm_share"]?.permille(),
            streamPermille: try fields["stream_share"]?.permille()
        )
    }

    private func accelerator(_ field: YAMLField) throws(FileRefusal) -> Accelerator {
        let fields = try field.mapping([
            "kind", "model", "count", "peak", "memory", "memory_bandwidth", "link_bandwidth",
            "link",
            "power", "gemm_share", "stream_share",
        ])
        if let link = fields["link"] {
            guard try link.text() == "shared memory" else {
                throw link.refusal(
                    .unreadable(found: try link.text(), expected: "'shared memory'")
                )
            }
            if let bandwidth = fields["link_bandwidth"] {
                throw bandwidth.refusal(.conflict("there is no link where memory is shared"))
            }
        }
        return Accelerator(
            kind: try fields.required("kind").name(),
            model: try fields.required("model").text(),
            count: try fields.required("count").count(1...1_024),
            peak: try fields["peak"]?.flopRate(),
            memory: try fields["memory"]?.bytes(),
            memoryBandwidth: try fields["memory_bandwidth"]?.byteRate(),
            linkBandwidth: try fields["link_bandwidth"]?.byteRate(),
            sharesMemory: fields["link"] != nil,
            powerWatts: try fields["power"].map(smallPower),
            sustained: try sustained(fields)
        )
    }

    /// The power of one node or card, which is never near the 2 GW that Int32 holds.
    private func smallPower(_ field: YAMLField) throws(FileRefusal) -> Int32 {
        let watts = try field.watts()
        guard (1...1_000_000).contains(watts) else {
            throw field.refusal(
                .outOfRange(found: "\(watts) W", minimum: "1 W", maximum: "1 MW")
            )
        }
        return Int32(watts)
    }

    // MARK: Nodes

    func readNodes(_ top: YAMLMapping, into draft: inout MachineDraft) throws(FileRefusal) {
        for field in try top["nodes"]?.list() ?? [] {
            let fields = try field.mapping(["names", "type"])
            let typeField = try fields.required("type")
            let typeName = try typeField.name()
            guard let typeIndex = draft.nodeTypes.firstIndex(where: { $0.name == typeName })
            else {
                throw typeField.refusal(
                    .unknownReference(
                        name: typeName,
                        to: "node type",
                        similar: similarNames(to: typeName, among: draft.nodeTypes.map(\.name))
                    )
                )
            }
            let namesField = try fields.required("names")
            let names = try hostNames(namesField)
            if draft.nodeTypes[typeIndex].topology == .host, names.count != 1 {
                throw namesField.refusal(.conflict("the host is one node, not \(names.count)"))
            }
            for name in names {
                guard draft.nodeIndices[name] == nil else {
                    throw namesField.refusal(.duplicate(name: name, of: "node"))
                }
                draft.nodeIndices[name] = draft.nodes.count
                draft.nodes.append(
                    ClusterNode(
                        name: name,
                        typeIndex: typeIndex,
                        capacity: draft.nodeTypes[typeIndex].capacity
                    )
                )
            }
        }
    }

    /// The names that a host list stands for.
    func hostNames(_ field: YAMLField) throws(FileRefusal) -> [String] {
        let text = try field.text()
        do throws(HostList.Rejection) {
            let names = try HostList.expand(text)
            guard let longest = names.max(by: { $0.utf8.count < $1.utf8.count }),
                longest.utf8.count <= 64
            else { throw .badRange(text) }
            return names
        } catch .tooManyHosts {
            throw field.refusal(
                .conflict("names more than \(HostList.maximumCount) things")
            )
        } catch {
            throw field.refusal(.unreadable(found: text, expected: "a list such as cn[0000-0127]"))
        }
    }

    /// The indices of the nodes that a host list stands for, in the order written.
    func nodeIndices(
        _ field: YAMLField,
        in draft: MachineDraft
    ) throws(FileRefusal) -> [Int] {
        if try field.text() == "ALL" { return Array(draft.nodes.indices) }
        var indices: [Int] = []
        for name in try hostNames(field) {
            guard let index = draft.nodeIndices[name] else {
                // Thousands of candidates tell a reader less than the first and the last.
                let ends = [draft.nodes.first, draft.nodes.last].compactMap { $0?.name }
                throw field.refusal(
                    .unknownReference(
                        name: name,
                        to: "node",
                        similar: similarNames(to: name, among: ends)
                    )
                )
            }
            indices.append(index)
        }
        return indices
    }
}

extension Sequence {
    /// `map` with a typed error, which the standard library's does not infer for methods.
    func mapField<Value>(
        _ transform: (Element) throws(FileRefusal) -> Value
    ) throws(FileRefusal) -> [Value] {
        var values: [Value] = []
        for element in self { values.append(try transform(element)) }
        return values
    }
}
