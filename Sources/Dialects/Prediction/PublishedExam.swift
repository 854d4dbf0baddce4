public import ClusterModel

/// The model against published results. No constant is fitted to a machine: what differs between
/// them is in their files, with its source.
public struct PublishedExam: Hashable, Sendable {
    /// What was measured.
    public enum Benchmark: String, Hashable, Sendable {
        /// High-Performance Linpack.
        case hpl = "HPL"
        /// High-Performance Conjugate Gradients.
        case hpcg = "HPCG"
    }

    /// One question.
    public struct Question: Hashable, Sendable {
        /// The benchmark.
        public var benchmark: Benchmark
        /// The machine.
        public var machine: String
        /// The node types that took part, as the published core counts say; nil for those of the
        /// machine's default partition.
        public var nodeTypes: [String]?
        /// Nodes that took part; nil for all of these types.
        public var nodeCount: Int?
        /// The order of the matrix, and who says so; nil where it is not published.
        public var order: Order?
        /// The block size; nil where it is not published.
        public var block: Int?
        /// The result and who says so; nil for the one of the machine's file.
        public var result: Result?
        /// Where the model is off, and why, as far as is known.
        public var remark: String

        /// Makes a question.
        public init(
            benchmark: Benchmark,
            machine: String,
            nodeTypes: [String]?,
            nodeCount: Int? = nil,
            order: Order? = nil,
            block: Int? = nil,
            result: Result? = nil,
            remark: String
        ) {
            self.benchmark = benchmark
            self.machine = machine
            self.nodeTypes = nodeTypes
            self.nodeCount = nodeCount
            self.order = order
            self.block = block
            self.result = result
            self.remark = remark
        }
    }

    /// The order of a matrix.
    public struct Order: Hashable, Sendable {
        /// The order.
        public var value: Int
        /// Where it is from.
        public var source: String

        /// Makes an order.
        public init(_ value: Int, source: String) {
            self.value = value
            self.source = source
        }
    }

    /// A result that is not in a machine's file.
    public struct Result: Hashable, Sendable {
        /// Unit: flop/s.
        public var flopRate: Double
        /// Who says so.
        public var source: String

        /// Makes a result.
        public init(_ flopRate: Double, source: String) {
            self.flopRate = flopRate
            self.source = source
        }
    }

    /// One answer.
    public struct Answer: Hashable, Sendable {
        /// The question.
        public var question: Question
        /// Nodes that took part.
        public var nodeCount: Int
        /// The order of the matrix, or the points along an edge.
        public var order: Int
        /// What the order follows from.
        public var orderSource: String
        /// The block size; 0 where there is none.
        public var block: Int
        /// What the model says. Unit: flop/s.
        public var model: Double
        /// What was published. Unit: flop/s.
        public var published: Double
        /// The nodes' nominal peak. Unit: flop/s.
        public var peak: Double
        /// How well the published figure is known.
        public var evidence: Fact.Evidence
        /// Who published it.
        public var source: String
        /// The parts of the model's time.
        public var parts: [KernelPrediction.Part]
        /// What the model assumes about the nodes.
        public var notes: [String]

        /// (model − published) / published.
        public var error: Double { model / published - 1 }
    }

    /// The part of the nodes' memory that a matrix fills where no order is published.
    public static let memoryShare = 0.8

    /// The questions, oldest machine first.
    public static let questions: [Question] = [
        Question(
            benchmark: .hpl,
            machine: "tianhe-1",
            nodeTypes: ["th1", "th1-e5450"],
            order: Order(2_240_000, source: "Nmax of the TOP500 list"),
            remark: "the cards' operands went through staging buffers (Wang et al. "
                + "2011 name the low bandwidth between processor and card), two processors share a "
                + "slot, and Linpack's card share is taken from a single element at full clock."
        ),
        Question(
            benchmark: .hpl,
            machine: "tianhe-1a",
            nodeTypes: ["th1a"],
            order: Order(3_600_000, source: "Nmax of the TOP500 list"),
            remark: "imbalance between cores and card; updates that get small near the end, "
                + "which run at the rate of large ones here."
        ),
        Question(
            benchmark: .hpl,
            machine: "tianhe-2",
            nodeTypes: ["th2"],
            order: Order(9_960_000, source: "Nmax of the TOP500 list"),
            remark: "three cards share the host's memory and slots; Heinecke et "
                + "al. lost 4 points from 1 to 100 nodes with one card each."
        ),
        Question(
            benchmark: .hpl,
            machine: "tianhe-2",
            nodeTypes: ["th2"],
            nodeCount: 14_336,
            order: Order(
                9_465_727,
                source: "50 GB of each node (Dongarra, report on Tianhe-2, 2013)"
            ),
            result: Result(30.65e15, source: "Dongarra, report on Tianhe-2, 2013"),
            remark:
                "as of the run on 16,000 nodes, without a guess at N: the published rate takes 5.1 "
                + "hours for it, and the report says a little over 5 hours."
        ),
        Question(
            benchmark: .hpl,
            machine: "tianhe-2a",
            nodeTypes: ["th2a"],
            order: Order(9_773_000, source: "Nmax of the TOP500 list"),
            remark: "the rate of matrix products on Matrix-2000, which is not published."
        ),
        Question(
            benchmark: .hpl,
            machine: "tianhe-3-prototype",
            nodeTypes: ["th3p-mtp"],
            remark: "anything known: rate of matrix products, memory bandwidth and network of the "
                + "prototype are not published, the figures for them are assumptions. If the twelve "
                + "nodes of a board share one link, the model is "
                + "off by -14 % instead."
        ),
        Question(
            benchmark: .hpl,
            machine: "nebulae",
            nodeTypes: ["nebulae"],
            remark:
                "as Tianhe-1A's, with the same chips; N is not published, nor the memory of a node."
        ),
        Question(
            benchmark: .hpl,
            machine: "mt-3000",
            nodeTypes: ["mt3000"],
            remark: "the published figure is 80 % of nearly 12 PF; rate of matrix products, memory "
                + "bandwidth and network are assumptions."
        ),
        Question(
            benchmark: .hpcg,
            machine: "tianhe-2",
            nodeTypes: ["th2"],
            remark:
                "inside the node: a sweep's rows wait for one another, rows of 27 fill vectors of 8 "
                + "badly, coarse grids are too small for the cards. Between nodes the published "
                + "parallel efficiency is 81.2 %, the model's is 97 % (its share of computing)."
        ),
    ]

    /// Answers one question.
    ///
    /// - Returns: nil when the machine's file has no published figure.
    /// - Throws: `PredictionRefusal`.
    public static func answer(
        _ question: Question,
        _ machine: Machine
    ) throws(PredictionRefusal) -> Answer? {
        let target = try PredictionTarget(
            machine,
            typeNames: question.nodeTypes,
            nodeCount: question.nodeCount
        )
        let system = machine.systems[0]
        let figures = system.published
        var answer = Answer(question: question, target)
        if let result = question.result {
            answer.published = result.flopRate
            (answer.evidence, answer.source) = (.published, result.source)
        } else {
            let isLinpack = question.benchmark == .hpl
            let rate = isLinpack ? figures.linpack : figures.conjugateGradients
            guard let rate else { return nil }
            answer.published = Double(rate.flopsPerSecond)
            let field = isLinpack ? "published.linpack" : "published.hpcg"
            let fact = system.facts.first { $0.field == field }
            (answer.evidence, answer.source) = (fact?.evidence ?? .assumption, fact?.source ?? "")
        }
        switch question.benchmark {
        case .hpl: try answer.takeLinpack(on: target)
        case .hpcg: answer.takeConjugateGradients(on: target)
        }
        return answer
    }
}

extension PublishedExam.Answer {
    /// An answer before the model was asked.
    fileprivate init(question: PublishedExam.Question, _ target: PredictionTarget) {
        self.question = question
        nodeCount = target.nodeCount
        peak = target.peak
        (order, orderSource, block) = (0, "", 0)
        (model, parts, notes) = (0, [], [])
        (published, evidence, source) = (0, .assumption, "")
    }

    fileprivate mutating func takeLinpack(
        on target: PredictionTarget
    ) throws(PredictionRefusal) {
        if let known = question.order {
            (order, orderSource) = (known.value, known.source)
        } else {
            let share = PublishedExam.memoryShare
            order = LinpackModel.order(filling: share, of: target)
            orderSource = "assumed to fill \(percentText(share)) of main memory"
        }
        block = question.block ?? LinpackModel.usualBlock(target)
        let prediction = try KernelPrediction(.lu, shape: [order, block], on: target)
        model = prediction.flopRate
        parts = prediction.parts
        notes = prediction.notes
    }

    fileprivate mutating func takeConjugateGradients(on target: PredictionTarget) {
        let rating = ConjugateGradientRating(target)
        order = rating.edge
        orderSource = "points along an edge that fill a quarter of main memory, the least allowed"
        model = rating.flopRate
        parts = rating.parts
        notes = target.notes + target.network.notes
    }
}

/// HPCG's own count on hybrid nodes: a product with the matrix and a symmetric sweep over whole
/// rows an iteration, 6 operations a nonzero, 12 byte each of the three times that it is read.
///
/// Multigrid levels, an eighth of the points each, have the same proportion of bytes to operations
/// and are left out. The problem fills a quarter of main memory, the least that the rules allow.
/// Memory streams at the part of STREAM that Park et al. (SC14) reached on the cards: 65 to 80 %.
///
/// Source: Heroux, Dongarra, Luszczek, SAND2013-8752, 2013.
struct ConjugateGradientRating {
    static let shareOfStream = 0.72

    var edge: Int
    var flopRate: Double
    var parts: [KernelPrediction.Part]

    init(_ target: PredictionTarget) {
        let nodes = Double(target.nodeCount)
        let points = 0.25 * target.memory / nodes / 376
        let side = cubeRoot(points)
        let halo = target.network.exchange(26, bytes: 6 * 8 * side * side / 26)
        parts = target.slowest { rates in
            let bandwidth = rates.bandwidth(usesCards: true) * Self.shareOfStream
            let link = rates.cardLink > 0 ? 2 * 6 * 8 * side * side / rates.cardLink : 0
            return [
                .init("computing (memory)", (36 * 27 + 160) * points / bandwidth),
                .init("halo exchange", 2 * (halo + link)),
                .init("sums over nodes", 3 * target.network.allReduce(8, target.nodeCount)),
            ]
        }
        let seconds = parts.reduce(0) { $0 + $1.seconds }
        flopRate = (6 * 27 + 12) * points * nodes / seconds
        edge = Int(cubeRoot(points * nodes))
    }
}

/// By Newton's method: layers below the adapters have no C library.
func cubeRoot(_ value: Double) -> Double {
    precondition(value > 0)
    var root = Double(sign: .plus, exponent: value.exponent / 3 + 1, significand: 1)
    for _ in 0..<60 { root -= (root - value / (root * root)) / 3 }
    return root
}
