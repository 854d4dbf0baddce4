public import ClusterModel
import Quantities

extension Machine {
    /// Every fact of the machine with what it is about.
    var factsByOwner: [(owner: String, facts: [Fact])] {
        systems.map { ($0.name, $0.facts) }
            + nodeTypes.map { ("node type \($0.name)", $0.facts) }
            + partitions.map { ("partition \($0.name)", $0.facts) }
    }

    /// How many numbers are known how well.
    var sourceSummary: [String] {
        let facts = factsByOwner.flatMap(\.facts)
        guard !facts.isEmpty else { return [] }
        let counts = Fact.Evidence.allCases.compactMap { evidence -> String? in
            let count = facts.count { $0.evidence == evidence }
            return count == 0 ? nil : "\(count) \(evidence.plural)"
        }
        let disputed = facts.count { $0.alternative != nil }
        return [
            "",
            "Numbers: \(counts.joined(separator: ", ")); sources disagree about \(disputed). "
                + "--sources lists them.",
        ]
    }

    /// Every number with its source and what others say.
    var sourceLines: [String] {
        factsByOwner.filter { !$0.facts.isEmpty }.flatMap { owner, facts in
            ["", "Sources of \(owner)"] + facts.flatMap(\.lines)
        }
    }
}

extension NodeType {
    /// The node type beside its topology: processors, cards, rates, peak, and sources.
    public func detailText(withSources: Bool = false) -> String {
        var rows: [[String]] = [["Processor", processorText]]
        for card in accelerators { rows.append(["Cards", card.text]) }
        if let rate = memoryBandwidth { rows.append(["Memory bandwidth", rate.gigabyteText]) }
        if let peak { rows.append(["Peak", peakText(peak)]) }
        if let watts = powerWatts { rows.append(["Power", "\(watts) W"]) }
        if let system = operatingSystem { rows.append(["System", system]) }
        if !features.isEmpty { rows.append(["Features", features.joined(separator: ",")]) }
        var lines = textTable(rows)
        if withSources, !facts.isEmpty {
            lines += ["", "Sources"] + facts.flatMap(\.lines)
        } else {
            let assumed = facts.filter { $0.evidence == .assumption }.map(\.field)
            if !assumed.isEmpty { lines.append("Assumed: \(assumed.joined(separator: ", "))") }
        }
        return lines.map { $0 + "\n" }.joined()
    }

    private var processorText: String {
        var text = processor.model
        if let clock = processor.clock { text += ", \(clock.gigahertzText)" }
        if let flops = processor.flopsPerCycle { text += ", \(flops) flop a cycle and core" }
        return text
    }

    private func peakText(_ peak: FlopRate) -> String {
        guard let cores = processorPeak, let cards = acceleratorPeak, cards > .zero else {
            return peak.gigaflopText
        }
        return "\(peak.gigaflopText) (cores \(cores.gigaflopText), cards \(cards.gigaflopText))"
    }
}

extension Accelerator {
    fileprivate var text: String {
        var text = "\(count) × \(model) (--gres=\(kind))"
        if let peak { text += ", \(peak.gigaflopText)" }
        if let memory { text += ", \(memory.binaryText)" }
        if let rate = memoryBandwidth { text += ", \(rate.gigabyteText)" }
        if let watts = powerWatts { text += ", \(watts) W" }
        return text
    }
}

extension Fact {
    fileprivate var lines: [String] {
        var text = "\(field) = \(value) [\(evidence.rawValue)]: \(source)"
        if let alternative { text += "; elsewhere: \(alternative)" }
        return wrapped(text, indentation: "  ")
    }
}

extension Fact.Evidence {
    fileprivate var plural: String {
        switch self {
        case .published: "published"
        case .computed: "computed"
        case .secondary: "from weak sources"
        case .assumption: "assumed"
        }
    }
}
