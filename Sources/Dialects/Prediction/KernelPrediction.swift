/// How long a kernel takes on some nodes, and why.
///
/// On each node by the roofline (Williams, Waterman, Patterson, CACM 52(4), 2009): the larger of
/// operations at the rate of matrix products and bytes at the rate of STREAM, divided by the part
/// of its roofline that the kernel was measured to reach. Between nodes by LogGP.
public struct KernelPrediction: Hashable, Sendable {
    /// One part of the time.
    public struct Part: Hashable, Sendable {
        /// What is done.
        public var name: String
        /// How long. Unit: s.
        public var seconds: Double

        init(_ name: String, _ seconds: Double) {
            self.name = name
            self.seconds = seconds
        }
    }

    /// The kernel.
    public var kernel: KernelForm
    /// The extents of the problem, over all nodes.
    public var shape: [Int]
    /// Where it runs.
    public var target: PredictionTarget
    /// Whether accelerator cards work too.
    public var usesCards: Bool
    /// How often the work is done.
    public var repeats: Int
    /// The work of all repetitions.
    public var work: KernelWork
    /// What the time consists of, one after the other.
    public var parts: [Part]
    /// What is assumed, in sentences.
    public var notes: [String]

    /// The whole time. Unit: s.
    public var seconds: Double { parts.reduce(0) { $0 + $1.seconds } }
    /// Operations a second, of the kind that the kernel counts (`KernelForm.operation`).
    public var flopRate: Double { seconds > 0 ? work.flop / seconds : 0 }
    /// The nodes' nominal peak, cards included whether they work or not. Unit: flop/s.
    public var peak: Double { target.peak }
    /// The part of the nominal peak that is used; nil where the operations are no floating-point
    /// ones.
    public var efficiency: Double? {
        kernel.operation == "flop" && peak > 0 ? flopRate / peak : nil
    }
    /// Energy of the nodes at their power under load; nil when that is not known. Unit: J.
    public var joules: Double? { target.watts.map { $0 * seconds } }
}

extension KernelPrediction {
    /// Predicts `kernel` on `target`.
    ///
    /// - Parameters:
    ///   - usesCards: whether accelerator cards work; nil for what is usual: in dense algebra they
    ///     do, elsewhere not.
    ///   - repeats: how often the work is done.
    ///   - efficiencies: how near each kernel comes to its roofline.
    /// - Throws: `PredictionRefusal`.
    public init(
        _ kernel: KernelForm,
        shape: [Int],
        on target: PredictionTarget,
        usesCards: Bool? = nil,
        repeats: Int = 1,
        efficiencies: KernelEfficiencies = .reference
    ) throws(PredictionRefusal) {
        precondition(shape.count == kernel.dimensions && repeats > 0)
        let needed = kernel.memory(shape)
        let available = target.memory
        guard needed <= available else {
            throw .outOfMemory(needed: needed, available: available)
        }
        let count = target.nodeCount
        guard kernel.canBeSpread(shape, over: count) else {
            let smaller = stride(from: count - 1, through: max(1, count - 64), by: -1)
            throw .tooManyNodes(
                count,
                kernel: kernel,
                shape: shape,
                fitting: smaller.first { kernel.canBeSpread(shape, over: $0) }
            )
        }
        let cards = usesCards ?? (kernel.isDense && target.cards > 0)
        if cards { try target.checkCards(for: kernel) }
        let once = kernel.work(shape, ranks: count)
        let efficiency = efficiencies.share(kernel)
        let parts = target.slowest { rates in
            KernelTimes(
                kernel: kernel,
                shape: shape,
                work: once,
                rates: rates,
                nodes: count,
                network: target.network,
                usesCards: cards,
                efficiency: efficiency.value
            ).parts
        }
        let times = Double(repeats)
        self.kernel = kernel
        self.shape = shape
        self.target = target
        self.usesCards = cards
        self.repeats = repeats
        work = KernelWork(flop: once.flop * times, byte: once.byte * times)
        self.parts = parts.filter { $0.seconds > 0 }.map { Part($0.name, $0.seconds * times) }
        var notes = target.notes
        if target.nodeCount > 1 { notes += target.network.notes }
        if kernel != .lu && kernel != .comm {
            notes.append(
                "\(kernel.rawValue) reaches \(percentText(efficiency.value)) of its roofline on a "
                    + "node (\(efficiency.source))"
            )
        }
        self.notes = notes + kernel.estimateNotes
    }
}

extension PredictionTarget {
    /// - Throws: `PredictionRefusal.cardsNotUsable`, where there are none or their rates are missing.
    fileprivate func checkCards(for kernel: KernelForm) throws(PredictionRefusal) {
        let useless = groups.first { group in
            group.rates.cards > 0 && !kernel.isDense && group.rates.cardBandwidth == nil
        }
        guard cards > 0, useless == nil else {
            throw .cardsNotUsable(nodeType: useless?.rates.name ?? nodeName, kernel: kernel)
        }
    }
}

extension KernelForm {
    /// Whether matrix products make up nearly all of it.
    public var isDense: Bool {
        switch self {
        case .gemm, .infer, .lu, .train: true
        default: false
        }
    }

    /// What of the work is estimated, not counted.
    fileprivate var estimateNotes: [String] {
        switch self {
        case .cg: ["cg: the number of iterations is estimated from the longest side"]
        case .graph: ["graph: the search is taken to reach 99.9 % of the edges"]
        case .md: ["md: 54 neighbours an atom within the cutoff, as in the melt"]
        default: []
        }
    }
}
