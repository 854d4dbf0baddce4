import ClusterModel
import IndexSets
import Quantities

// The machine file of a site. It is read again by the reader of machine files, which checks it.
extension SlurmSite {
    /// The machine file; nil when a line was refused, or when there are no nodes or partitions, which
    /// is then said as a refusal of line 0.
    public mutating func machineText() -> String? {
        guard !isRefused else { return nil }
        guard !nodeNames.isEmpty else { return refuse("there are no nodes (NodeName=)") }
        guard !partitions.isEmpty else { return refuse("there are no partitions (PartitionName=)") }
        shareWhatIsShared()
        checkAllowedAccounts()
        guard !isRefused else { return nil }
        var text = "machine: \(SiteYAML.quoted(Self.name(cluster)))\n"
        text += "title: \(SiteYAML.quoted("\(cluster), as its Slurm is configured"))\n"
        text += nodesText
        text += switchesText
        text += "platforms:\n  - {name: site, title: \(SiteYAML.quoted(cluster)), key: false}\n"
        text += partitionsText + qosText + preemptionText + accountsText
        return text
    }

    private mutating func refuse(_ problem: String) -> String? {
        lines.append(
            ImportedLine(
                file: lines.last?.file ?? "site",
                line: 0,
                verdict: .refused,
                text: problem
            )
        )
        return nil
    }

    private static func name(_ text: String) -> String {
        let name = String(
            text.lowercased().map { SiteNames.isName(String($0)) ? $0 : "-" }.prefix(64)
        )
        return name.isEmpty ? "site" : name
    }

    /// Partitions over the same nodes give them out alike; where one does not, cores are shared.
    private mutating func shareWhatIsShared() {
        var isMoving = true
        while isMoving {
            isMoving = false
            var shared: Set<String> = []
            for partition in partitions where !partition.isWholeNode {
                shared.formUnion(partition.nodes)
            }
            for index in partitions.indices where partitions[index].isWholeNode {
                guard partitions[index].nodes.contains(where: { shared.contains($0) }) else {
                    continue
                }
                partitions[index].isWholeNode = false
                isMoving = true
                note(
                    .ignored,
                    partitions[index].line,
                    "OverSubscribe=EXCLUSIVE of partition \(partitions[index].name): another partition"
                        + " shares cores of its nodes"
                )
            }
        }
    }

    /// Partitions may name accounts of which only a dump of the associations tells.
    private mutating func checkAllowedAccounts() {
        let known = Set(accounts.map(\.name))
        for partition in partitions {
            let list = partition.line["AllowAccounts"] ?? "ALL"
            let names = list.split(separator: ",").map(String.init).filter { $0 != "(null)" }
            guard list != "ALL", let missing = names.first(where: { !known.contains($0) }) else {
                continue
            }
            guard known.isEmpty else {
                let hint = didYouMean(missing, among: known.sorted())
                note(
                    .refused,
                    partition.line,
                    "AllowAccounts: there is no account \(missing)\(hint)"
                )
                continue
            }
            if let index = partitions.firstIndex(where: { $0.name == partition.name }) {
                partitions[index].fields.removeAll { $0.name == "accounts" }
            }
            note(
                .ignored,
                partition.line,
                "AllowAccounts=\(list): give the accounts too (--assoc, what sacctmgr dump writes)"
            )
        }
    }

    // MARK: Nodes

    private var types: (list: [(name: String, hardware: Hardware)], ofNode: [String: Int]) {
        var list: [(name: String, hardware: Hardware)] = []
        var places: [Hardware: Int] = [:]
        var ofNode: [String: Int] = [:]
        for name in nodeNames {
            guard let hardware = hardware[name] else { continue }
            if places[hardware] == nil {
                places[hardware] = list.count
                let cards = hardware.cards.first.map { "-\($0.count)\($0.kind)" } ?? ""
                let plain = "c\(hardware.cpus)-m\(hardware.memory / 1_024)\(cards)"
                let same = list.count { $0.name == plain || $0.name.hasPrefix(plain + ".") }
                list.append((same == 0 ? plain : "\(plain).\(same + 1)", hardware))
            }
            ofNode[name] = places[hardware]
        }
        return (list, ofNode)
    }

    private var nodesText: String {
        let types = types
        var text = "node_types:\n"
        for (name, hardware) in types.list { text += Self.typeText(name, hardware) }
        text += "nodes:\n"
        var start = 0
        while start < nodeNames.count {
            let type = types.ofNode[nodeNames[start]] ?? 0
            var end = start + 1
            while end < nodeNames.count, types.ofNode[nodeNames[end]] == type { end += 1 }
            let list = HostList.compressInOrder(Array(nodeNames[start..<end]))
            text +=
                "  - {names: \(SiteYAML.quoted(list)), type: \(SiteYAML.quoted(types.list[type].name))}\n"
            start = end
        }
        return text
    }

    private static func typeText(_ name: String, _ hardware: Hardware) -> String {
        let sockets = hardware.cpus % hardware.sockets == 0 ? hardware.sockets : 1
        let perSocket = hardware.cpus / sockets
        // What Slurm gives out counts as a core: hardware threads where CPUs are those.
        let isThreads =
            hardware.threads > 1 && hardware.cpus > hardware.sockets * hardware.coresPerSocket
        let threads = isThreads ? 1 : hardware.threads
        let memory = (hardware.memory + sockets - 1) / sockets
        var text = "  - name: \(SiteYAML.quoted(name))\n"
        let kind = isThreads ? " (hardware threads)" : ""
        text += "    title: \(SiteYAML.quoted(counted(hardware.cpus, "core") + kind))\n"
        text +=
            "    topology: {synthetic: \"package:\(sockets) [numa(memory=\(memory)MiB)] core:\(perSocket)"
            + " pu:\(threads)\"}\n"
        text += "    processor: {model: not told}\n"
        text += "    cores: \(hardware.cpus)\n    memory: \(hardware.memory) MiB\n"
        let features = hardware.features.filter(SiteNames.isName)
        if !features.isEmpty { text += "    features: \(SiteYAML.list(features))\n" }
        if !hardware.cards.isEmpty {
            text += "    accelerators:\n"
            for card in hardware.cards {
                text +=
                    "      - {kind: \(SiteYAML.quoted(card.kind)), model: \(SiteYAML.quoted(card.model)),"
                    + " count: \(card.count)}\n"
            }
        }
        return text
    }

    private var switchesText: String {
        guard !switches.isEmpty else { return "" }
        // A machine file defines a switch before it stands below another one.
        var rest = switches
        var known: Set<String> = []
        var text = "switches:\n"
        while !rest.isEmpty {
            let ready = rest.filter { entry in
                guard let below = entry.switches else { return true }
                return (try? HostList.expand(below))?.allSatisfy { known.contains($0) } ?? false
            }
            // A circle; the reader of the machine file refuses what is below it.
            let next = ready.isEmpty ? rest : ready
            for entry in next {
                let below =
                    entry.nodes.map { "nodes: \(SiteYAML.quoted($0))" }
                    ?? "switches: \(SiteYAML.quoted(entry.switches ?? ""))"
                text += "  - {names: \(SiteYAML.quoted(entry.name)), \(below)}\n"
                known.insert(entry.name)
            }
            rest.removeAll { known.contains($0.name) }
        }
        return text
    }

    // MARK: Partitions and people

    private var partitionsText: String {
        var text = "partitions:\n"
        for partition in partitions {
            let nodes = HostList.compressInOrder(partition.nodes)
            let sharing = partition.isWholeNode ? "whole-node" : "cores"
            var members = [
                "name: \(SiteYAML.quoted(partition.name))", "nodes: \(SiteYAML.quoted(nodes))",
                "sharing: \(sharing)", "platform: site",
            ]
            members += partition.fields.map { "\($0.name): \($0.text)" }
            text += "  - {\(members.joined(separator: ", "))}\n"
        }
        let first = defaultPartition ?? partitions[0].name
        return text + "default_partition: \(SiteYAML.quoted(first))\n"
    }

    /// QOS that somebody names and nobody describes are there, without limits.
    private var qosText: String {
        let terms = accounts.flatMap { [$0.terms] + $0.users.map(\.terms) }
        var named = terms.flatMap { ($0.qos ?? []) + [$0.defaultQOS].compactMap(\.self) }
        for partition in partitions {
            for key in ["QOS", "AllowQos"] {
                named += (partition.line[key] ?? "").split(separator: ",").map(String.init)
            }
        }
        var entries = qosEntries
        for name in named where SiteNames.isName(name) && !["ALL", "normal"].contains(name) {
            if !entries.contains(where: { $0.name == name }) {
                entries.append(SiteQOS(name: name, fields: []))
            }
        }
        guard !entries.isEmpty else { return "" }
        return "qos:\n"
            + entries.map { qos in
                let members =
                    ["name: \(SiteYAML.quoted(qos.name))"]
                    + qos.fields.map { "\($0.name): \($0.text)" }
                return "  - {\(members.joined(separator: ", "))}\n"
            }.joined()
    }

    private static func members(_ terms: SiteTerms) -> [String] {
        var members: [String] = []
        if let shares = terms.shares { members.append("shares: \(shares)") }
        if !terms.limits.isEmpty {
            let limits = terms.limits.map { "\($0.name): \(SiteYAML.quoted($0.text))" }
            members.append("limits: {\(limits.joined(separator: ", "))}")
        }
        if let qos = terms.qos { members.append("qos: \(SiteYAML.list(qos))") }
        if let preset = terms.defaultQOS {
            members.append("default_qos: \(SiteYAML.quoted(preset))")
        }
        return members
    }

    private var accountsText: String {
        guard !accounts.isEmpty else { return "" }
        var text = "accounts:\n"
        var defaults: Set<String> = []
        for account in accounts {
            var members = [
                "name: \(SiteYAML.quoted(account.name))",
                "title: \(SiteYAML.quoted(account.title))",
                "class: institute",
            ]
            if let parent = account.parent { members.append("parent: \(SiteYAML.quoted(parent))") }
            if let names = coordinators[account.name] {
                members.append("coordinators: \(SiteYAML.list(names))")
            }
            members += Self.members(account.terms)
            let users = account.users.map { user in
                var members = ["name: \(SiteYAML.quoted(user.name))"]
                if user.isDefault, defaults.insert(user.name).inserted {
                    members.append("default: true")
                }
                return "{\((members + Self.members(user.terms)).joined(separator: ", "))}"
            }
            // An account of accounts has no users of its own.
            if !users.isEmpty { members.append("users: [\(users.joined(separator: ", "))]") }
            text += "  - {\(members.joined(separator: ", "))}\n"
        }
        for (role, member) in [
            (Role.operator, "operators"), (.auditor, "auditors"), (.office, "office"),
        ] {
            guard let names = levels[role] else { continue }
            text += "\(member): \(SiteYAML.list(names))\n"
        }
        return text
    }

    // MARK: Policy

    /// See `policy`.
    var policyText: String {
        let isMultifactor = scheduler["prioritytype"]?.hasSuffix("multifactor") ?? true
        let isBackfill = !(scheduler["schedulertype"]?.hasSuffix("builtin") ?? false)
        var parts = [
            isMultifactor ? "order=multifactor" : "order=fcfs",
            "backfill=\(isBackfill ? "slurm" : "none")",
        ]
        let known = (isBackfill ? Self.schedulerWords : []) + [Self.delayWord]
        for word in (scheduler["schedulerparameters"] ?? "").split(separator: ",") {
            let sides = word.split(separator: "=").map(String.init)
            if sides.count == 2, known.contains(sides[0]), let number = Int(sides[1]), number > 0 {
                parts.append("\(sides[0])=\(number)")
            }
        }
        guard isMultifactor else { return parts.joined(separator: ",") }
        for name in ["Age", "Fairshare", "JobSize", "Partition", "QOS"] {
            let key = "PriorityWeight\(name)"
            if let number = scheduler[key.lowercased()].flatMap({ Int($0) }), number >= 0 {
                parts.append("\(key)=\(number)")
            }
        }
        for key in ["PriorityMaxAge", "PriorityDecayHalfLife"] {
            if let seconds = scheduler[key.lowercased()].flatMap(Self.seconds) {
                parts.append("\(key)=\(seconds)")
            }
        }
        return parts.joined(separator: ",")
    }

    /// `7-0`, `14-0`, `1-00:00:00` or minutes, in seconds; nil for another text.
    private static func seconds(_ text: String) -> Int? {
        let sides = text.split(separator: "-").map(String.init)
        let clock = (sides.last ?? "").split(separator: ":").map { Int($0) }
        guard sides.count <= 2, !clock.contains(nil),
            let days = sides.count == 2 ? Int(sides[0]) : 0
        else { return nil }
        let parts = clock.compactMap(\.self)
        guard (1...3).contains(parts.count),
            (parts + [days]).allSatisfy({ (0...100_000).contains($0) })
        else { return nil }
        if sides.count == 2 {
            // After days the hours come first.
            let padded = parts + [0, 0]
            return days * 86_400 + padded[0] * 3_600 + padded[1] * 60 + padded[2]
        }
        return parts.count == 1 ? parts[0] * 60 : parts.reduce(0) { $0 * 60 + $1 }
    }
}
