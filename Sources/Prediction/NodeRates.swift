import ClusterModel
internal import Quantities

/// What one node sustains, and what is assumed about it.
public struct NodeRates: Hashable, Sendable {
    /// Nodes that the figures stand for are alike; this is what they are called: `th1a`.
    public var name: String
    /// General-purpose cores.
    public var cores: Int
    /// Accelerator cards.
    public var cards: Int
    /// The nominal double-precision peak, cards included. Unit: flop/s.
    public var peak: Double
    /// Matrix products on the cores. Unit: flop/s.
    public var coreGemm: Double
    /// Matrix products on all cards. Unit: flop/s.
    public var cardGemm: Double
    /// The cores' memory by STREAM. Unit: byte/s.
    public var coreBandwidth: Double
    /// The cards' memories by STREAM, all together; nil when not known. Unit: byte/s.
    public var cardBandwidth: Double?
    /// Between the node's memory and all cards, in one direction. Unit: byte/s.
    public var cardLink: Double
    /// Main memory. Unit: byte.
    public var memory: Double
    /// Power under load; nil when nobody says. Unit: W.
    public var watts: Double?
    /// What is assumed, in sentences.
    public var notes: [String]

    /// What good programs are taken to sustain where a machine file does not say.
    public enum Usual {
        /// Of the peak in matrix products. GotoBLAS and its heirs reach this and more.
        public static let gemmShare = 0.90
        /// Of the nominal memory bandwidth.
        public static let streamShare = 0.80
        /// Bytes of memory bandwidth a flop of peak.
        public static let balance = 0.1
        /// PCI Express 2.0 x16, in one direction. Unit: byte/s.
        public static let cardLink = 6e9
    }

    /// Keeps a part of a node's rates and memory: what a job has that shares its nodes.
    public mutating func keep(_ share: Double) {
        precondition(share > 0 && share <= 1)
        cores = max(1, Int((Double(cores) * share).rounded()))
        for rate in [\NodeRates.peak, \.coreGemm, \.coreBandwidth, \.memory] {
            self[keyPath: rate] *= share
        }
        // Which cards it has is not known here, so it is taken to have none.
        (cards, cardGemm, cardBandwidth, cardLink) = (0, 0, 0, 0)
    }

    /// Two nodes' figures in the proportion of their counts: machines of several types work in
    /// step, so what counts is the sum.
    static func mean(_ parts: [(rates: NodeRates, count: Int)]) -> NodeRates? {
        guard var result = parts.first?.rates else { return nil }
        let total = Double(parts.reduce(0) { $0 + $1.count })
        func mean(_ value: (NodeRates) -> Double) -> Double {
            parts.reduce(0) { $0 + value($1.rates) * Double($1.count) } / total
        }
        func optionalMean(_ value: (NodeRates) -> Double?) -> Double? {
            parts.contains { value($0.rates) == nil } ? nil : mean { value($0) ?? 0 }
        }
        result.name = parts.map(\.rates.name).joined(separator: " + ")
        result.peak = mean(\.peak)
        result.coreGemm = mean(\.coreGemm)
        result.cardGemm = mean(\.cardGemm)
        result.coreBandwidth = mean(\.coreBandwidth)
        result.cardBandwidth = optionalMean(\.cardBandwidth)
        result.cardLink = mean(\.cardLink)
        result.memory = mean(\.memory)
        result.watts = optionalMean(\.watts)
        for part in parts.dropFirst() {
            result.notes += part.rates.notes.filter { !result.notes.contains($0) }
        }
        return result
    }
}

extension NodeRates {
    /// Reads the rates of a node type.
    ///
    /// - Parameter systemWatts: the power of a node as its share of the published power of the
    ///   whole system, taken where the type has none of its own.
    /// - Throws: `PredictionRefusal.unknownPeak`, as for a host that nobody has measured.
    init(_ type: NodeType, systemWatts: Double?) throws(PredictionRefusal) {
        guard let corePeak = type.processorPeak?.flopsPerSecond else {
            throw .unknownPeak(nodeType: type.name)
        }
        var notes: [String] = []
        let hasCards = !type.accelerators.isEmpty && type.acceleratorPeak != nil
        if !type.accelerators.isEmpty, !hasCards {
            notes.append("\(type.name): the peak of its cards is not known, they are left out")
        }
        name = type.name
        cores = Int(type.capacity.cores)
        cards = hasCards ? Int(type.capacity.accelerators) : 0
        peak = Double(type.peak?.flopsPerSecond ?? corePeak)
        memory = Double(type.capacity.memory.count)
        watts = type.powerWatts.map(Double.init) ?? systemWatts
        self.notes = []
        let share = type.processor.sustained
        coreGemm =
            Double(corePeak)
            * Self.share(
                share.gemmPermille,
                Usual.gemmShare,
                "\(type.processor.model): matrix products",
                type.evidence(of: "processor.gemm_share"),
                &notes
            )
        let nominal =
            type.memoryBandwidth.map { Double($0.bytesPerSecond) }
            ?? Usual.balance * Double(corePeak)
        if type.memoryBandwidth == nil {
            notes.append(
                "\(type.name): memory bandwidth not known, taken as 0.1 byte a flop of peak"
            )
        }
        coreBandwidth =
            nominal
            * Self.share(
                share.streamPermille,
                Usual.streamShare,
                "\(type.processor.model): memory streams",
                type.evidence(of: "processor.stream_share"),
                &notes
            )
        cardGemm = 0
        cardBandwidth = 0
        cardLink = 0
        for card in type.accelerators where hasCards { add(card, type, &notes) }
        for (field, what) in [
            ("memory_bandwidth", "memory bandwidth"),
            ("accelerators.memory_bandwidth", "cards' memory bandwidth"),
            ("accelerators.link_bandwidth", "cards' link"), ("power", "power"),
        ] {
            guard let fact = type.fact(field), fact.evidence == .assumption else { continue }
            notes.append("\(type.name): \(what) of \(fact.value), \(fact.source)")
        }
        self.notes = notes
    }

    private mutating func add(_ card: Accelerator, _ type: NodeType, _ notes: inout [String]) {
        let count = Double(card.count)
        cardGemm +=
            count * Double(card.peak?.flopsPerSecond ?? 0)
            * Self.share(
                card.sustained.gemmPermille,
                Usual.gemmShare,
                "\(card.model): matrix products",
                type.evidence(of: "accelerators.gemm_share"),
                &notes
            )
        if let link = card.linkBandwidth {
            cardLink += count * Double(link.bytesPerSecond)
        } else {
            cardLink += count * Usual.cardLink
            notes.append("\(card.model): link to the node taken as 6 GB/s")
        }
        guard let bandwidth = card.memoryBandwidth, let known = cardBandwidth else {
            cardBandwidth = nil
            return
        }
        let shareOfNominal = Double(card.sustained.streamPermille ?? 0) / 1_000
        let sustained = shareOfNominal > 0 ? shareOfNominal : Usual.streamShare
        cardBandwidth = known + count * Double(bandwidth.bytesPerSecond) * sustained
    }

    private static func share(
        _ permille: Int32?,
        _ usual: Double,
        _ what: String,
        _ evidence: Fact.Evidence?,
        _ notes: inout [String]
    ) -> Double {
        guard let permille else {
            notes.append("\(what) assumed at \(percentText(usual)) of nominal")
            return usual
        }
        let share = Double(permille) / 1_000
        if evidence == .assumption {
            notes.append(
                "\(what) assumed at \(percentText(share)) of nominal (see the machine file)"
            )
        }
        return share
    }
}

extension NodeType {
    fileprivate func fact(_ field: String) -> Fact? {
        facts.first { $0.field == field }
    }

    fileprivate func evidence(of field: String) -> Fact.Evidence? {
        fact(field)?.evidence
    }
}

/// `58 %`.
func percentText(_ share: Double) -> String {
    "\(Int((share * 100).rounded())) %"
}
