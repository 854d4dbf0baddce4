public import ClusterModel
import IndexSets
import Quantities

// A whole machine for people: what it consists of, what it adds up to, how it is given out, and how
// well its numbers are known.

extension Machine {
    /// The description of the machine, section by section.
    ///
    /// - Parameter withSources: whether every fact is listed with its source.
    public func treeText(withSources: Bool = false) -> String {
        var lines = ["\(name): \(title)"]
        lines += wrapped(description, indentation: "  ")
        lines += section("Systems", systemRows, rightAligned: [1, 2, 3, 4, 5, 6, 7])
        for system in systems { lines += peakLines(system) + networkLines(system) }
        lines += section("Node types", typeRows, rightAligned: [1, 2, 3, 5])
        lines += section("Partitions", partitionRows, rightAligned: [1, 2])
        lines += layoutLines
        lines += ["", "Totals"] + totalLines
        lines += withSources ? sourceLines : sourceSummary
        return lines.map { $0 + "\n" }.joined()
    }

    private func section(
        _ heading: String,
        _ rows: [[String]],
        rightAligned: Set<Int>
    ) -> [String] {
        ["", heading] + textTable(rows, rightAligned: rightAligned).map { "  " + $0 }
    }

    // MARK: Systems

    private var systemRows: [[String]] {
        let header = [
            "SYSTEM", "NODES", "CORES", "MEMORY", "CARDS", "PEAK", "PUBLISHED", "LINPACK",
        ]
        return [header]
            + systems.map { system in
                let totals = totals(of: system.nodes)
                return [
                    system.name, totals.nodeCount.groupedText, totals.coreCount.groupedText,
                    totals.memory.binaryText, totals.acceleratorCount.groupedText,
                    peakText(totals), system.published.peak?.teraflopText ?? "-",
                    system.published.linpack?.teraflopText ?? "-",
                ]
            }
    }

    /// The peak of some nodes, or a dash when no node's is known.
    func peakText(_ totals: MachineTotals) -> String {
        totals.nodesWithoutPeakCount == totals.nodeCount ? "-" : totals.peak.teraflopText
    }

    /// How the computed peak differs from the published one, and why.
    private func peakLines(_ system: ComputeSystem) -> [String] {
        guard let published = system.published.peak else { return [] }
        let computed = totals(of: system.nodes).peak
        let text = "\(system.name): computed peak is \(difference(computed, published))."
        let note = system.published.peakNote.map { " " + $0 } ?? ""
        return wrapped(text + note, indentation: "  ")
    }

    private func networkLines(_ system: ComputeSystem) -> [String] {
        guard let network = system.network else { return [] }
        var parts = ["\(network.name), \(network.shape)"]
        if let rate = network.linkBandwidth { parts.append("\(rate.gigabyteText) a node") }
        if let time = network.latencyNanoseconds {
            parts.append("\(decimalText(time, per: 1_000, decimals: 2)) µs")
        }
        return wrapped(
            "\(system.name): interconnect \(parts.joined(separator: ", "))",
            indentation: "  "
        )
    }

    private func difference(_ computed: FlopRate, _ published: FlopRate) -> String {
        let delta = computed.flopsPerSecond - published.flopsPerSecond
        guard delta != 0, published.flopsPerSecond > 0 else { return "the published one" }
        let magnitude = FlopRate(flopsPerSecond: Int64(delta.magnitude))
        // Parts in ten thousand, so that 0.03 % keeps its two decimals.
        let share = Int128(delta.magnitude) * 10_000 / Int128(published.flopsPerSecond)
        let rest = share % 100
        let percent = "\(share / 100).\(rest < 10 ? "0" : "")\(rest) %"
        return "\(magnitude.teraflopText) (\(percent)) \(delta > 0 ? "above" : "below") "
            + "the published one"
    }

    // MARK: Node types and partitions

    private var typeRows: [[String]] {
        let counts = nodes.reduce(into: [Int: Int]()) { $0[$1.typeIndex, default: 0] += 1 }
        let header = ["TYPE", "NODES", "CORES", "MEMORY", "CARDS", "PEAK", "WHAT IT IS"]
        return [header]
            + nodeTypes.enumerated().map { index, type in
                let cards = type.accelerators.map { "\($0.count) × \($0.kind)" }
                return [
                    type.name, (counts[index] ?? 0).groupedText, "\(type.capacity.cores)",
                    type.capacity.memory.binaryText,
                    cards.isEmpty ? "-" : cards.joined(separator: ", "),
                    type.peak?.gigaflopText ?? "-", type.title,
                ]
            }
    }

    private var partitionRows: [[String]] {
        let header = [
            "NODES", "CORES", "SHARED BY", "TIME LIMIT", "PLATFORM", "PRICE", "RUNS", "NODELIST",
        ]
        // Which cluster a partition is of is worth a column only if there are several.
        let isOne = clusters.isEmpty
        return [["PARTITION"] + (isOne ? [] : ["CLUSTER"]) + header]
            + partitions.enumerated().map { index, partition in
                let totals = totals(of: partition.nodes)
                let cluster = cluster(ofPartition: index)
                let isDefault = index == cluster.defaultPartitionIndex
                return [partition.name + (isDefault ? "*" : "")] + (isOne ? [] : [cluster.name]) + [
                    totals.nodeCount.groupedText, totals.coreCount.groupedText,
                    partition.sharing == .wholeNode ? "whole nodes" : "cores",
                    partition.maximumTimeLimit.map(timeLimitText) ?? "unlimited",
                    partition.platform
                        + (platform(named: partition.platform)?.isKey == true
                            ? " (key)" : ""),
                    partition.prices.text, partition.backend.rawValue,
                    hostList(of: partition.nodes),
                ]
            }
    }

    // MARK: Racks and switches

    private var layoutLines: [String] {
        var lines: [String] = []
        let racksBySize = groups(racks.map { ($0.name, $0.nodes.count) })
        if !racks.isEmpty {
            lines += ["", "Racks"]
            lines += racksBySize.map { size, names in
                "  \(counted(names.count, "rack")) of \(counted(size, "node")): "
                    + HostList.compress(names)
            }
        }
        if !switches.isEmpty {
            lines += ["", "Switches"]
            for index in switches.indices where switches[index].parentIndex == nil {
                lines += switchTree(index).drawing.split(separator: "\n").map { "  " + $0 }
            }
        }
        return lines
    }

    /// A switch with what is below it; leaves of one size share a line.
    private func switchTree(_ index: Int) -> TextTree {
        let own = switches[index]
        let children = switches.indices.filter { switches[$0].parentIndex == index }
        let leaves = children.filter { switches[$0].level == 0 }
        let leafLines = groups(leaves.map { (switches[$0].name, switches[$0].nodes.count) })
            .map { size, names in
                let count = names.count == 1 ? "" : "\(names.count) × "
                let each = names.count == 1 ? "" : " each"
                return TextTree(
                    "\(count)\(HostList.compress(names)): \(counted(size, "node"))\(each)"
                )
            }
        let inner = children.filter { switches[$0].level > 0 }.map(switchTree)
        return TextTree("\(own.name): \(counted(own.nodes.count, "node"))", inner + leafLines)
    }

    /// Names by a number that they share, in the order of their first appearance.
    private func groups(_ entries: [(name: String, size: Int)]) -> [(size: Int, names: [String])] {
        var groups: [(size: Int, names: [String])] = []
        for entry in entries {
            if let index = groups.firstIndex(where: { $0.size == entry.size }) {
                groups[index].names.append(entry.name)
            } else {
                groups.append((entry.size, [entry.name]))
            }
        }
        return groups
    }

    // MARK: Totals and sources

    private var totalLines: [String] {
        let totals = totals
        var peak = "  peak: \(peakText(totals))"
        if totals.nodesWithoutPeakCount > 0 {
            peak +=
                " without \(counted(totals.nodesWithoutPeakCount, "node"))"
                + ", whose peak is not known"
        }
        return [
            "  \(counted(totals.nodeCount, "node")), \(counted(totals.coreCount, "core")), "
                + "\(totals.memory.binaryText) of memory, "
                + counted(totals.acceleratorCount, "card"),
            peak,
        ]
    }
}

extension HourlyPrices {
    /// `0.10/core-h + 0.30/card-h`, in CNY.
    var text: String {
        let parts = [
            (coreHourMicrofen, "core-h"), (cardHourMicrofen, "card-h"),
            (nodeHourMicrofen, "node-h"),
        ].filter { $0.0 > 0 }
        guard !parts.isEmpty else { return "free" }
        return "¥" + parts.map { "\(yuanText($0.0))/\($0.1)" }.joined(separator: " + ¥")
    }
}

/// µfen as yuan with at least two decimals and no needless zeros: `0.10`, `0.025`.
func yuanText(_ microfen: Int64) -> String {
    let whole = microfen / 100_000_000
    var digits = String(microfen % 100_000_000)
    digits = String(repeating: "0", count: 8 - digits.count) + digits
    while digits.count > 2, digits.last == "0" { digits.removeLast() }
    return "\(whole.groupedText).\(digits)"
}

/// `7-00:00:00`, as Slurm writes a time limit.
func timeLimitText(_ limit: SimDuration) -> String {
    func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let seconds = limit.seconds
    let days = seconds / 86_400
    let clock = "\(two(seconds / 3_600 % 24)):\(two(seconds / 60 % 60)):\(two(seconds % 60))"
    return days > 0 ? "\(days)-\(clock)" : clock
}

/// The words of a text in lines of at most 100 letters.
func wrapped(_ text: String, indentation: String, width: Int = 100) -> [String] {
    var lines: [String] = []
    var line = indentation
    for word in text.split(separator: " ") {
        if line.count > indentation.count, line.count + 1 + word.count > width {
            lines.append(line)
            line = indentation + "  "
        }
        line += line.last == " " || line.isEmpty ? word : " " + word
    }
    if line.contains(where: { $0 != " " }) { lines.append(line) }
    return lines
}
