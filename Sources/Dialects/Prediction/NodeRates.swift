import ClusterModel
internal import IndexSets
internal import Quantities

/// What one node sustains, and what is assumed about it.
public struct NodeRates: Hashable, Sendable {
    /// Nodes that the figures stand for are alike; this is what they are called: `th1a`.
    public var name: String
    /// General-purpose cores; a job may hold a fraction on the average of its nodes.
    public var cores: Double
    /// Accelerator cards.
    public var cards: Double
    /// The nominal double-precision peak, cards included. Unit: flop/s.
    public var peak: Double
    /// What of it is the cores'. Unit: flop/s.
    public var corePeak: Double
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
    /// The cards' memories, all together; 0 where they work in the node's, or it is not known. Unit: byte.
    public var cardMemory = 0.0
    /// Whether the cards work in the node's memory, so that nothing moves over a link.
    public var cardsShareMemory = false
    /// Main memory. Unit: byte.
    public var memory: Double
    /// Power under load; nil when nobody says. Unit: W.
    public var watts: Double?
    /// Where the power is from, in a sentence.
    public var powerNote: String?
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

    /// Keeps what a job has that shares its nodes: so many cores, their part of peak, memory and
    /// its bandwidth, and so many cards.
    public mutating func keep(cores kept: Double, cards keptCards: Double) {
        precondition(kept > 0 && keptCards >= 0)
        let share = min(1, kept / cores)
        let cardShare = cards > 0 ? min(1, keptCards / cards) : 0
        peak = corePeak * share + (peak - corePeak) * cardShare
        for rate in [\NodeRates.corePeak, \.coreGemm, \.coreBandwidth, \.memory, \.cores] {
            self[keyPath: rate] *= share
        }
        for rate in [\NodeRates.cardGemm, \.cardLink, \.cardMemory, \.cards] {
            self[keyPath: rate] *= cardShare
        }
        cardBandwidth = cardBandwidth.map { $0 * cardShare }
    }

    /// Matrix products, with the cards if `usesCards`: each takes a core to feed it. Unit: flop/s.
    func gemm(usesCards: Bool) -> Double {
        usesCards && cards > 0 ? freeCoreGemm + cardGemm : coreGemm
    }

    /// Matrix products on the cores that are left when each card has one. Unit: flop/s.
    var freeCoreGemm: Double { coreGemm * max(0, cores - cards) / cores }

    /// Memory streams, with the cards' memories if `usesCards`. Unit: byte/s.
    func bandwidth(usesCards: Bool) -> Double {
        coreBandwidth + (usesCards ? cardBandwidth ?? 0 : 0)
    }
}

extension NodeRates {
    /// Reads the rates of a node type.
    ///
    /// - Parameter system: where the nodes are; a type without a power of its own has its share of
    ///   the system's.
    /// - Throws: `PredictionRefusal.unknownPeak`, as for a host that nobody has measured.
    init(_ type: NodeType, in system: ComputeSystem?) throws(PredictionRefusal) {
        guard let nominalPeak = type.processorPeak?.flopsPerSecond else {
            throw .unknownPeak(nodeType: type.name)
        }
        var notes: [String] = []
        let hasCards = !type.accelerators.isEmpty && type.acceleratorPeak != nil
        if !type.accelerators.isEmpty, !hasCards {
            notes.append("\(type.name): the peak of its cards is not known, they are left out")
        }
        name = type.name
        cores = Double(type.capacity.cores)
        cards = hasCards ? Double(type.capacity.accelerators) : 0
        corePeak = Double(nominalPeak)
        peak = Double(type.peak?.flopsPerSecond ?? nominalPeak)
        memory = Double(type.capacity.memory.count)
        (watts, powerNote) = type.powerUnderLoad(in: system)
        self.notes = []
        let share = type.processor.sustained
        coreGemm =
            corePeak * type.processor.vectorClockShare
            * Self.share(
                share.gemmPermille,
                Usual.gemmShare,
                "\(type.processor.model): matrix products",
                type.evidence(of: "processor.gemm_share"),
                &notes
            )
        let nominal =
            type.memoryBandwidth.map { Double($0.bytesPerSecond) }
            ?? Usual.balance * corePeak
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
            ("accelerators.link_bandwidth", "cards' link"),
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
        cardsShareMemory = card.sharesMemory
        if !card.sharesMemory, let memory = card.memory {
            cardMemory += count * Double(memory.count)
        }
        if card.sharesMemory {
            // What there is to move moves through the node's memory, which LinpackModel reckons with.
        } else if let link = card.linkBandwidth {
            cardLink += count * Double(link.bytesPerSecond)
        } else {
            cardLink += count * Usual.cardLink
            notes.append("\(card.model): link to the node taken as 6 GB/s")
        }
        guard let bandwidth = card.memoryBandwidth, let known = cardBandwidth else {
            cardBandwidth = nil
            return
        }
        cardBandwidth =
            known + count * Double(bandwidth.bytesPerSecond)
            * Self.share(
                card.sustained.streamPermille,
                Usual.streamShare,
                "\(card.model): memory streams",
                type.evidence(of: "accelerators.stream_share"),
                &notes
            )
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

extension Processor {
    /// What the clock in matrix products is of the one that peaks are counted with.
    fileprivate var vectorClockShare: Double {
        guard let clock, let vectorClock else { return 1 }
        return Double(vectorClock.hertz) / Double(clock.hertz)
    }
}

extension NodeType {
    fileprivate func fact(_ field: String) -> Fact? {
        facts.first { $0.field == field }
    }

    fileprivate func evidence(of field: String) -> Fact.Evidence? {
        fact(field)?.evidence
    }

    /// The power of a node, its own or its share of the system's, and where it is from.
    fileprivate func powerUnderLoad(
        in system: ComputeSystem?
    ) -> (watts: Double?, note: String?) {
        func sentence(_ watts: Int64, _ fact: Fact?, _ share: String) -> String {
            "\(name): power of \(fact?.value ?? "\(watts) W")\(share) at any load"
                + (fact.map { ", \($0.source)" } ?? "")
        }
        if let powerWatts {
            return (Double(powerWatts), sentence(Int64(powerWatts), fact("power"), ""))
        }
        guard let system, let watts = system.published.powerWatts else { return (nil, nil) }
        let count = system.nodes.count
        let share = " / \(count) nodes of \(system.name), network and storage included,"
        let fact = system.facts.first { $0.field == "published.power" }
        return (Double(watts) / Double(count), sentence(watts, fact, share))
    }
}

/// `58 %`.
func percentText(_ share: Double) -> String {
    "\(Int((share * 100).rounded())) %"
}
