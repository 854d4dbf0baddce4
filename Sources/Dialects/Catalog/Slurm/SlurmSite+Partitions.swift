import Accounts
import Quantities

extension SlurmSite {
    /// The keys that are looked at; others are said to be ignored.
    private static let partitionKeys: Set<String> = [
        "partitionname", "nodes", "default", "oversubscribe", "shared", "maxtime", "defaulttime",
        "minnodes", "maxnodes", "state", "allowaccounts", "allowqos", "qos", "prioritytier",
        "priorityjobfactor", "tresbillingweights", "preemptmode", "gracetime",
    ]

    mutating func readPartition(_ line: SlurmLine) {
        guard let name = line.pairs.first?.value, !name.isEmpty else {
            return note(.refused, line, "PartitionName without a name")
        }
        if name == "DEFAULT" {
            partitionDefaults = Array(line.pairs.dropFirst()) + partitionDefaults
            return note(.used, line, "defaults of the partitions that follow")
        }
        var whole = line
        whole.pairs += partitionDefaults
        do throws(SiteProblem) {
            guard !partitions.contains(where: { $0.name == name }) else {
                throw SiteProblem("partition \(name) is there already")
            }
            let nodes = try nodes(of: whole)
            let sharing = (whole["OverSubscribe", "Shared"] ?? "NO").uppercased()
            var ignored = whole.pairs.map(\.key).filter {
                !Self.partitionKeys.contains($0.lowercased())
            }
            let fields = try fields(of: whole, nodeCount: nodes.count, &ignored)
            partitions.append(
                Partition(
                    name: name,
                    line: whole,
                    nodes: nodes,
                    isWholeNode: isLinear || sharing.hasPrefix("EXCLUSIVE"),
                    fields: fields
                )
            )
            if whole["Default"]?.uppercased() == "YES" { defaultPartition = name }
            var seen: Set<String> = []
            ignored = ignored.filter { seen.insert($0).inserted }
            let rest = ignored.isEmpty ? "" : "; ignored: \(ignored.joined(separator: ", "))"
            note(.used, line, "partition \(name) of \(nodes.count) nodes\(rest)")
        } catch {
            note(.refused, line, error.text)
        }
    }

    private func nodes(of line: SlurmLine) throws(SiteProblem) -> [String] {
        guard let list = line["Nodes"], !list.isEmpty, list != "(null)" else {
            throw SiteProblem("a partition without nodes")
        }
        if list == "ALL" { return nodeNames }
        if let set = nodeSets[list] { return set }
        let names = try SiteNames.expanded(list)
        for name in names where hardware[name] == nil {
            throw SiteProblem("node \(name) is not there")
        }
        return names
    }

    private func fields(
        of line: SlurmLine,
        nodeCount: Int,
        _ ignored: inout [String]
    ) throws(SiteProblem) -> [(name: String, text: String)] {
        var fields: [(name: String, text: String)] = []
        let maximum = Self.time(line["MaxTime"])
        let usual = Self.time(line["DefaultTime"])
        var limits: [String] = []
        if let usual { limits.append("default: \(SiteYAML.quoted(usual))") }
        if let maximum { limits.append("maximum: \(SiteYAML.quoted(maximum))") }
        if !limits.isEmpty { fields.append(("time_limit", "{\(limits.joined(separator: ", "))}")) }
        var sizes: [String] = []
        for (key, name) in [("MinNodes", "minimum"), ("MaxNodes", "maximum")] {
            guard let text = line[key], let number = Int(text), number > 0 else { continue }
            if number <= nodeCount { sizes.append("\(name): \(number)") }
        }
        if !sizes.isEmpty { fields.append(("nodes_per_job", "{\(sizes.joined(separator: ", "))}")) }
        let state = (line["State"] ?? "UP").uppercased()
        guard ["UP", "DOWN", "DRAIN", "INACTIVE"].contains(state) else {
            throw SiteProblem("State=\(state) is not known")
        }
        if state != "UP" { fields.append(("state", state)) }
        for (key, name) in [("AllowAccounts", "accounts"), ("AllowQos", "allowed_qos")] {
            guard let list = line[key], list != "ALL", list != "(null)", !list.isEmpty else {
                continue
            }
            fields.append((name, SiteYAML.list(list.split(separator: ",").map(String.init))))
        }
        if let qos = line["QOS"], qos != "N/A", !qos.isEmpty {
            fields.append(("qos", SiteYAML.quoted(qos)))
        }
        for (key, name) in [("PriorityTier", "tier"), ("PriorityJobFactor", "job_factor")] {
            guard let text = line[key] else { continue }
            guard let number = Int(text), (0...65_535).contains(number) else {
                throw SiteProblem("\(key)=\(text) is no number up to 65535")
            }
            fields.append((name, "\(number)"))
        }
        if let text = line["PreemptMode"], !["", "GANG"].contains(text.uppercased()) {
            if let mode = Self.preemptMode(text) {
                if mode != .cluster { fields.append(("preempt_mode", mode.rawValue)) }
            } else {
                ignored.append("PreemptMode=\(text)")
            }
        }
        if let text = line["GraceTime"], text != "0" {
            guard let seconds = Int64(text), (0...100_000_000).contains(seconds) else {
                throw SiteProblem("GraceTime=\(text) is no number of seconds")
            }
            fields.append(("grace_time", SiteYAML.quoted(CivilTime.lengthText(seconds: seconds))))
        }
        if let text = line["TRESBillingWeights"] {
            let weights = Self.weights(text, &ignored)
            if !weights.isEmpty { fields.append(("billing_weights", "{\(weights)}")) }
        }
        return fields
    }

    /// A time as Slurm writes it; nil for none.
    private static func time(_ text: String?) -> String? {
        guard let text, !["INFINITE", "UNLIMITED", "NONE", "-1", ""].contains(text.uppercased())
        else {
            return nil
        }
        return text
    }

    /// `CPU=1.0,Mem=0.25G,GRES/gpu=2.0` as the members of a machine file.
    private static func weights(_ text: String, _ ignored: inout [String]) -> String {
        var parts: [String] = []
        for part in text.split(separator: ",") {
            let sides = part.split(separator: "=", maxSplits: 1).map(String.init)
            let unit = sides.count == 2 ? sides[1].last.map(String.init)?.uppercased() ?? "" : ""
            let number = sides.count == 2 ? sides[1].filter { $0.isNumber || $0 == "." } : ""
            let name: String? =
                switch sides.first?.lowercased() {
                case "cpu": "cpu"
                case "node": "node"
                case "mem" where unit == "G": "gib"
                case let kind? where kind.hasPrefix("gres/gpu") && !kind.contains(":"): "gpu"
                default: nil
                }
            guard let name, let value = SiteNames.thousandths(number) else {
                ignored.append("TRESBillingWeights \(part)")
                continue
            }
            parts.append("\(name): \(value)")
        }
        return parts.joined(separator: ", ")
    }

    // MARK: Reservations

    mutating func readReservation(_ line: SlurmLine) {
        guard let nodes = line["Nodes"], nodes != "(null)", let start = line["StartTime"],
            let end = line["EndTime"], start.utf8.count == 19, end.utf8.count == 19
        else { return note(.ignored, line, "a reservation without nodes or times") }
        func quoted(_ text: String) -> String { SiteYAML.quoted(text) }
        events.append(
            "{\"time\": \(quoted(start)), \"nodes\": \(quoted(nodes)), \"event\": \"reserve\","
                + " \"start\": \(quoted(start)), \"until\": \(quoted(end))}"
        )
        note(.used, line, "an event for 'xinghe replay --events', not part of the machine")
    }
}
