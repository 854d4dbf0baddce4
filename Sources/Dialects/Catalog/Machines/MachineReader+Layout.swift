import ClusterModel
import IndexSets

extension MachineReader {
    // MARK: Racks

    func readRacks(_ top: YAMLMapping, into draft: inout MachineDraft) throws(FileRefusal) {
        for field in try top["racks"]?.list() ?? [] {
            let fields = try field.mapping(["names", "nodes", "nodes_per_rack"])
            let groups = try dealtOut(fields, each: "nodes_per_rack", in: draft)
            for (name, members) in groups {
                guard !draft.racks.contains(where: { $0.name == name }) else {
                    throw field.refusal(.duplicate(name: name, of: "rack"))
                }
                for node in members {
                    if let other = draft.nodes[node].rackIndex {
                        throw try fields.required("nodes").refusal(
                            .overlap(
                                nodes: draft.nodes[node].name,
                                with: "rack \(draft.racks[other].name)"
                            )
                        )
                    }
                    draft.nodes[node].rackIndex = draft.racks.count
                }
                draft.racks.append(Rack(name: name, nodes: IDSet(members)))
            }
        }
    }

    // MARK: Switches

    /// Leaves first, then switches over switches; the result is turned so that parents come first.
    func readSwitches(_ top: YAMLMapping, into draft: inout MachineDraft) throws(FileRefusal) {
        let first = draft.switches.count
        for field in try top["switches"]?.list() ?? [] {
            let fields = try field.mapping(["names", "nodes", "switches", "ports"])
            switch (fields["nodes"], fields["switches"]) {
            case (.some, nil): try addLeaves(fields, first: first, into: &draft)
            case (nil, let children?): try addParents(fields, children, first, into: &draft)
            default:
                throw field.refusal(.conflict("needs one of 'nodes' and 'switches'"))
            }
        }
        Self.putParentsFirst(from: first, in: &draft)
    }

    private func addLeaves(
        _ fields: YAMLMapping,
        first: Int,
        into draft: inout MachineDraft
    ) throws(FileRefusal) {
        for (name, members) in try dealtOut(fields, each: "ports", in: draft) {
            try checkSwitchName(name, fields, draft)
            for node in members {
                if let other = draft.nodes[node].switchIndex {
                    throw try fields.required("nodes").refusal(
                        .overlap(
                            nodes: draft.nodes[node].name,
                            with: "switch \(draft.switches[other].name)"
                        )
                    )
                }
                draft.nodes[node].switchIndex = draft.switches.count
            }
            draft.switches.append(Switch(name: name, level: 0, nodes: IDSet(members)))
        }
    }

    private func addParents(
        _ fields: YAMLMapping,
        _ children: YAMLField,
        _ first: Int,
        into draft: inout MachineDraft
    ) throws(FileRefusal) {
        let own = draft.switches[first...]
        let byName = Dictionary(uniqueKeysWithValues: zip(own.map(\.name), own.indices))
        var indices: [Int] = []
        for name in try hostNames(children) {
            guard let index = byName[name] else {
                throw children.refusal(
                    .unknownReference(
                        name: name,
                        to: "switch defined above",
                        similar: similarNames(to: name, among: Array(own.map(\.name).prefix(64)))
                    )
                )
            }
            guard draft.switches[index].parentIndex == nil else {
                throw children.refusal(.overlap(nodes: name, with: "another switch"))
            }
            indices.append(index)
        }
        let names = try hostNames(fields.required("names"))
        let groups = try parts(indices, names: names, fields, each: "ports", of: "switches")
        for (name, members) in groups {
            try checkSwitchName(name, fields, draft)
            var below = IDSet()
            var level = 0
            for child in members {
                draft.switches[child].parentIndex = draft.switches.count
                below.formUnion(draft.switches[child].nodes)
                level = max(level, draft.switches[child].level + 1)
            }
            draft.switches.append(Switch(name: name, level: level, nodes: below))
        }
    }

    private func checkSwitchName(
        _ name: String,
        _ fields: YAMLMapping,
        _ draft: MachineDraft
    ) throws(FileRefusal) {
        guard !draft.switches.contains(where: { $0.name == name }) else {
            throw try fields.required("names").refusal(.duplicate(name: name, of: "switch"))
        }
    }

    private static func putParentsFirst(from first: Int, in draft: inout MachineDraft) {
        let own = Array(draft.switches[first...])
        let order = own.indices.sorted { (-own[$0].level, $0) < (-own[$1].level, $1) }
        var positions = [Int](repeating: 0, count: own.count)
        for (position, old) in order.enumerated() { positions[old] = first + position }
        draft.switches.replaceSubrange(
            first...,
            with: order.map { old in
                var moved = own[old]
                moved.parentIndex = moved.parentIndex.map { positions[$0 - first] }
                return moved
            }
        )
        for node in draft.nodes.indices {
            guard let index = draft.nodes[node].switchIndex, index >= first else { continue }
            draft.nodes[node].switchIndex = positions[index - first]
        }
    }

    // MARK: Dealing out

    /// The nodes of `nodes`, dealt out in their order over the names of `names`.
    private func dealtOut(
        _ fields: YAMLMapping,
        each: String,
        in draft: MachineDraft
    ) throws(FileRefusal) -> [(name: String, members: ArraySlice<Int>)] {
        let indices = try nodeIndices(fields.required("nodes"), in: draft)
        let names = try hostNames(fields.required("names"))
        return try parts(indices, names: names, fields, each: each, of: "nodes")
    }

    /// Equal parts of `members`, one a name; the last may be smaller when a size is given.
    private func parts(
        _ members: [Int],
        names: [String],
        _ fields: YAMLMapping,
        each: String,
        of what: String
    ) throws(FileRefusal) -> [(name: String, members: ArraySlice<Int>)] {
        let namesField = try fields.required("names")
        let size: Int
        if let field = fields[each] {
            size = Int(try field.count(1...65_536))
        } else {
            guard members.count.isMultiple(of: names.count), !members.isEmpty else {
                throw namesField.refusal(
                    .doesNotAddUp(
                        stated: "\(names.count) equal parts",
                        counted: "\(members.count) \(what)"
                    )
                )
            }
            size = members.count / names.count
        }
        let needed = (members.count + size - 1) / size
        guard needed == names.count else {
            throw namesField.refusal(
                .doesNotAddUp(
                    stated: "\(names.count) names of \(size) \(what) each",
                    counted: "\(members.count) \(what)"
                )
            )
        }
        return names.enumerated().map { index, name in
            let start = index * size
            return (name, members[start..<min(start + size, members.count)])
        }
    }
}
