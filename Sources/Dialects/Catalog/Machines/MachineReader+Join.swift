import ClusterModel
import IndexSets

extension MachineReader {
    /// Appends other machines: shipped ones by name, anybody's by file.
    func readJoins(_ field: YAMLField, into draft: inout MachineDraft) throws(FileRefusal) {
        for entry in try field.list() {
            let fields = try entry.mapping(["machine", "file", "partitions"])
            var joined = try joinedDraft(entry, fields)
            if let wanted = fields["partitions"] { try keep(wanted, in: &joined) }
            try append(joined, entry, to: &draft)
        }
    }

    private func joinedDraft(
        _ entry: YAMLField,
        _ fields: YAMLMapping
    ) throws(FileRefusal) -> MachineDraft {
        let (file, text) = try joinedText(entry, fields)
        guard !chain.contains(file) else {
            throw entry.refusal(.joinsItself(chain: chain + [file]))
        }
        var reader = self
        reader.chain.append(file)
        let document = try YAMLField.document(text, file: file)
        return try reader.draft(document.mapping(Self.topFields))
    }

    private func joinedText(
        _ entry: YAMLField,
        _ fields: YAMLMapping
    ) throws(FileRefusal) -> (file: String, text: String) {
        switch (fields["machine"], fields["file"]) {
        case (let machine?, nil):
            let name = try machine.name()
            guard let text = MachineCatalog.machineText(named: name) else {
                throw machine.refusal(
                    .unknownReference(
                        name: name,
                        to: "shipped machine",
                        similar: similarNames(to: name, among: MachineCatalog.machineNames)
                    )
                )
            }
            return (MachineCatalog.fileName(ofMachine: name), text)
        case (nil, let file?):
            let name = try file.text()
            guard let found = library.find(name, referredToBy: entry.file) else {
                throw file.refusal(.unreadableFile(name: name))
            }
            return (found.path, found.text)
        default:
            throw entry.refusal(.conflict("needs one of 'machine' and 'file'"))
        }
    }

    /// Leaves only the partitions that the joining file wants.
    private func keep(
        _ wanted: YAMLField,
        in joined: inout MachineDraft
    ) throws(FileRefusal) {
        var kept: [MachineDraft.Placed<Partition>] = []
        for field in try wanted.list() {
            let known = joined.partitions.map(\.value.name)
            kept.append(joined.partitions[try partitionIndex(field, among: known)])
        }
        joined.partitions = kept
    }

    /// Appends a draft with its indices moved up, and refuses names that are taken.
    private func append(
        _ joined: MachineDraft,
        _ entry: YAMLField,
        to draft: inout MachineDraft
    ) throws(FileRefusal) {
        try refuseTaken(
            joined.nodeTypes.map(\.name),
            draft.nodeTypes.map(\.name),
            "node type",
            entry
        )
        try refuseTaken(joined.nodes.map(\.name), draft.nodes.map(\.name), "node", entry)
        try refuseTaken(joined.racks.map(\.name), draft.racks.map(\.name), "rack", entry)
        try refuseTaken(joined.switches.map(\.name), draft.switches.map(\.name), "switch", entry)
        try refuseTaken(
            joined.partitions.map(\.value.name),
            draft.partitions.map(\.value.name),
            "partition",
            entry
        )
        // Machines of one centre may bill under one platform, if they agree about it.
        for platform in joined.platforms where !draft.platforms.contains(platform) {
            try refuseTaken([platform.name], draft.platforms.map(\.name), "platform", entry)
            draft.platforms.append(platform)
        }
        appendMoved(joined, to: &draft)
    }

    private func refuseTaken(
        _ names: [String],
        _ taken: [String],
        _ kind: String,
        _ entry: YAMLField
    ) throws(FileRefusal) {
        let taken = Set(taken)
        guard let name = names.first(where: taken.contains) else { return }
        throw entry.refusal(.duplicate(name: name, of: kind))
    }

    private func appendMoved(_ joined: MachineDraft, to draft: inout MachineDraft) {
        let nodeOffset = draft.nodes.count
        let typeOffset = draft.nodeTypes.count
        let rackOffset = draft.racks.count
        let switchOffset = draft.switches.count
        func moved(_ set: IDSet) -> IDSet { IDSet(set.map { $0 + nodeOffset }) }

        draft.nodeTypes += joined.nodeTypes
        for var node in joined.nodes {
            node.typeIndex += typeOffset
            node.rackIndex = node.rackIndex.map { $0 + rackOffset }
            node.switchIndex = node.switchIndex.map { $0 + switchOffset }
            draft.nodeIndices[node.name] = draft.nodes.count
            draft.nodes.append(node)
        }
        for var rack in joined.racks {
            rack.nodes = moved(rack.nodes)
            draft.racks.append(rack)
        }
        for var item in joined.switches {
            item.nodes = moved(item.nodes)
            item.parentIndex = item.parentIndex.map { $0 + switchOffset }
            draft.switches.append(item)
        }
        for var system in joined.systems {
            system.nodes = moved(system.nodes)
            draft.systems.append(system)
        }
        for var partition in joined.partitions {
            partition.value.nodes = moved(partition.value.nodes)
            draft.partitions.append(partition)
        }
    }
}
