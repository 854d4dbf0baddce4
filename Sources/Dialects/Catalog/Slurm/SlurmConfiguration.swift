public import ClusterModel
import Accounts
import IndexSets
import Quantities
import WireFormats

/// A machine as the files that Slurm reads: `slurm.conf`, `gres.conf`, `topology.conf`, and what
/// `sacctmgr load` and `sacctmgr -P show qos` speak of.
public struct SlurmConfiguration: Sendable {
    private let machine: Machine

    /// Makes the configuration of a machine.
    public init(_ machine: Machine) {
        self.machine = machine
    }

    /// The files by their names, those without content left out.
    public var files: [(name: String, text: String)] {
        [
            ("slurm.conf", slurmConf), ("gres.conf", gresConf), ("topology.conf", topologyConf),
            ("associations.dump", associations), ("qos.txt", qos),
        ].filter { !$0.1.isEmpty }
    }

    // MARK: slurm.conf

    private var slurmConf: String {
        var text = "# \(machine.title)\nClusterName=\(machine.name)\n"
        for entry in machine.slurmEntries where entry.value != "NONE" {
            text += "\(entry.name)=\(entry.value)\n"
        }
        if !topologyConf.isEmpty { text += "TopologyPlugin=topology/tree\n" }
        text += powerLines
        for run in nodeRuns { text += nodeLine(run.names, machine.nodeTypes[run.type]) }
        for (index, partition) in machine.partitions.enumerated() {
            // Real clusters have a controller each.
            if let cluster = machine.clusters.first(where: { $0.partitions.contains(index) }) {
                text += "# Of cluster \(cluster.name), which wants a slurm.conf of its own:\n"
            }
            text += partitionLine(partition, isDefault: index == machine.defaultPartitionIndex)
        }
        return text
    }

    /// Slurm switches nodes by programs of the site, and knows no cap.
    private var powerLines: String {
        guard let suspend = machine.powerSaving.suspendTime else { return "" }
        let boot = machine.nodeTypes.compactMap(\.bootTime).max() ?? .zero
        return """
            SuspendTime=\(suspend.microseconds / 1_000_000)
            ResumeTimeout=\(max(60, boot.microseconds / 1_000_000))
            # SuspendProgram and ResumeProgram are the site's.

            """
    }

    /// Nodes of one type that follow one another.
    private var nodeRuns: [(names: String, type: Int)] {
        var runs: [(names: String, type: Int)] = []
        var start = 0
        while start < machine.nodes.count {
            let type = machine.nodes[start].typeIndex
            var end = start + 1
            while end < machine.nodes.count, machine.nodes[end].typeIndex == type { end += 1 }
            runs.append((HostList.compressInOrder(machine.nodes[start..<end].map(\.name)), type))
            start = end
        }
        return runs
    }

    private func nodeLine(_ names: String, _ type: NodeType) -> String {
        let cores = Int(type.capacity.cores)
        let told = sockets(of: type)
        let sockets = cores % told == 0 ? told : 1
        var words = [
            "NodeName=\(names)", "CPUs=\(cores)", "Sockets=\(sockets)",
            "CoresPerSocket=\(cores / sockets)",
            "ThreadsPerCore=1", "RealMemory=\(type.capacity.memory.count / 1_048_576)",
        ]
        if let host = type.hostName { words.append("NodeHostname=\(host)") }
        if let address = type.address { words.append("NodeAddr=\(address)") }
        if !type.accelerators.isEmpty { words.append("Gres=\(gres(type))") }
        if !type.features.isEmpty {
            words.append("Feature=\(type.features.joined(separator: ","))")
        }
        return words.joined(separator: " ") + "\n"
    }

    private func gres(_ type: NodeType) -> String {
        type.accelerators.map { card in
            let model = String(
                card.model.lowercased().map { $0.isLetter || $0.isNumber ? $0 : "_" }
            )
            return model == card.kind
                ? "\(card.kind):\(card.count)" : "\(card.kind):\(model):\(card.count)"
        }.joined(separator: ",")
    }

    /// The packages of a synthetic topology; 1 where that does not tell.
    private func sockets(of type: NodeType) -> Int {
        guard case .synthetic(let text) = type.topology, let start = text.firstRange(of: "package:")
        else { return 1 }
        return Int(text[start.upperBound...].prefix { $0.isNumber }).map { max(1, $0) } ?? 1
    }

    private func partitionLine(_ partition: Partition, isDefault: Bool) -> String {
        var words = [
            "PartitionName=\(partition.name)", "Nodes=\(machine.hostList(of: partition.nodes))",
        ]
        if isDefault { words.append("Default=YES") }
        let maximum = partition.maximumTimeLimit.map(Self.time) ?? "INFINITE"
        words.append("MaxTime=\(maximum)")
        if let usual = partition.defaultTimeLimit {
            words.append("DefaultTime=\(Self.time(usual))")
        }
        if partition.minimumNodesPerJob > 1 {
            words.append("MinNodes=\(partition.minimumNodesPerJob)")
        }
        if let most = partition.maximumNodesPerJob { words.append("MaxNodes=\(most)") }
        words.append("State=\(partition.state.rawValue)")
        if partition.sharing == .wholeNode { words.append("OverSubscribe=EXCLUSIVE") }
        if let names = partition.allowedAccounts {
            words.append("AllowAccounts=\(names.joined(separator: ","))")
        }
        if let names = partition.allowedQOS {
            words.append("AllowQos=\(names.joined(separator: ","))")
        }
        if let qos = partition.qos { words.append("QOS=\(qos)") }
        if partition.tier != 1 { words.append("PriorityTier=\(partition.tier)") }
        if partition.jobFactor != 1 { words.append("PriorityJobFactor=\(partition.jobFactor)") }
        if partition.preemptMode != .cluster {
            words.append("PreemptMode=\(partition.preemptMode.rawValue.uppercased())")
        }
        if partition.graceSeconds != 0 { words.append("GraceTime=\(partition.graceSeconds)") }
        if let weights = partition.billingWeights.map(Self.weights), !weights.isEmpty {
            words.append("TRESBillingWeights=\"\(weights)\"")
        }
        return words.joined(separator: " ") + "\n"
    }

    private static func time(_ limit: SimDuration) -> String {
        CivilTime.lengthText(seconds: limit.microseconds / 1_000_000)
    }

    private static func weights(_ weights: BillingWeights) -> String {
        func decimal(_ thousandths: Int32) -> String {
            let places = String(1_000 + thousandths % 1_000).dropFirst()
            return "\(thousandths / 1_000).\(places)"
        }
        let parts: [(Int32, String, String)] = [
            (weights.core, "CPU", ""), (weights.gibibyte, "Mem", "G"), (weights.node, "Node", ""),
            (weights.card, "GRES/gpu", ""),
        ]
        return parts.filter { $0.0 > 0 }.map { "\($0.1)=\(decimal($0.0))\($0.2)" }.joined(
            separator: ","
        )
    }

    // MARK: gres.conf and topology.conf

    private var gresConf: String {
        var text = ""
        for run in nodeRuns {
            for card in machine.nodeTypes[run.type].accelerators {
                text += "NodeName=\(run.names) Name=\(card.kind) Count=\(card.count)\n"
            }
        }
        return text
    }

    private var topologyConf: String {
        machine.switches.enumerated().map { index, entry in
            let below = machine.switches.filter { $0.parentIndex == index }.map(\.name)
            let what =
                below.isEmpty
                ? "Nodes=\(machine.hostList(of: entry.nodes))"
                : "Switches=\(HostList.compress(below))"
            return "SwitchName=\(entry.name) \(what)\n"
        }.joined()
    }

    // MARK: sacctmgr

    private func roles(of user: String) -> [String] {
        let accounts = machine.accounts.filter { $0.coordinators.contains(user) }.map(\.name)
        return (machine.operators.contains(user) ? ["AdminLevel='Administrator'"] : [])
            + (accounts.isEmpty ? [] : ["Coordinator='\(accounts.joined(separator: ","))'"])
    }

    private var associations: String {
        guard
            machine.accounts.contains(where: { $0.parent != nil || $0.users != nil })
                || machine.accounts.count > 1
        else { return "" }
        var text = "Cluster - '\(machine.name)':Fairshare=1\nParent - 'root'\n"
        text += accountLines(below: nil)
        var named = Set(machine.accounts.flatMap { $0.users ?? [] })
        for user in machine.operators + machine.accounts.flatMap(\.coordinators)
        where named.insert(user).inserted {
            text += (["User - '\(user)'"] + roles(of: user)).joined(separator: ":") + "\n"
        }
        for account in machine.accounts {
            text += "Parent - '\(account.name)'\n"
            text += accountLines(below: account.name)
            for user in account.users ?? [] {
                let member = account.members.first { $0.name == user }
                var parts = ["User - '\(user)'"]
                if member?.isDefault ?? false { parts.append("DefaultAccount='\(account.name)'") }
                parts += roles(of: user)
                parts += terms(
                    member?.settings ?? AssociationSettings(),
                    member?.qos,
                    member?.defaultQOS
                )
                text += parts.joined(separator: ":") + "\n"
            }
        }
        return text
    }

    private func accountLines(below parent: String?) -> String {
        machine.accounts.filter { $0.parent == parent }.map { account in
            let title = account.title.filter { $0 != "'" }
            let parts =
                ["Account - '\(account.name)'", "Description='\(title)'"]
                + terms(account.settings, account.qos, account.defaultQOS)
            return parts.joined(separator: ":") + "\n"
        }.joined()
    }

    private func terms(
        _ settings: AssociationSettings,
        _ qos: [String]?,
        _ defaultQOS: String?
    ) -> [String] {
        var parts = ["Fairshare=\(settings.shares)"]
        parts += settings.limits.texts(ofQOS: false).map { "\($0.name)=\($0.text)" }
            .map {
                $0.contains(":")
                    ? "\($0.prefix { $0 != "=" })='\($0.drop { $0 != "=" }.dropFirst())'" : $0
            }
        if let qos { parts.append("QOS='\(qos.joined(separator: ","))'") }
        if let defaultQOS { parts.append("DefaultQOS='\(defaultQOS)'") }
        return parts
    }

    private var qos: String {
        guard !machine.qos.isEmpty else { return "" }
        let limits = LimitName.all.filter(\.isOfQOS).map(\.name)
        let header =
            ["Name", "Priority", "GraceTime", "Preempt", "PreemptMode", "Flags", "UsageFactor"]
            + limits
        var text = header.joined(separator: "|") + "\n"
        for entry in machine.qos {
            let texts = entry.limits.texts(ofQOS: true)
            let flags = QOS.Flags.names.filter { entry.flags.contains($0.flag) }.map(\.name)
            let factor =
                "\(entry.usageFactor / 1_000).\(String(1_000 + entry.usageFactor % 1_000).dropFirst())"
            let fields = [
                entry.name, "\(entry.priority)",
                Self.time(SimDuration(seconds: Int64(entry.graceSeconds))),
                entry.preempts.joined(separator: ","), entry.preemptMode.rawValue,
                flags.joined(separator: ","),
                factor,
            ]
            text +=
                (fields + limits.map { name in texts.first { $0.name == name }?.text ?? "" })
                .joined(separator: "|") + "\n"
        }
        return text
    }
}
