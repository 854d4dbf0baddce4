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
        /// The node types that took part, as the published core counts say.
        public var nodeTypes: [String]
        /// What was published of a run that is not the one of the machine's file.
        public var run: Run?
        /// Where the model is off, and why, as far as is known.
        public var remark: String
    }

    /// A run of which more is known than its result.
    public struct Run: Hashable, Sendable {
        /// Nodes that took part.
        public var nodeCount: Int
        /// Memory of each node that the matrix filled. Unit: byte.
        public var bytesOfNode: Double
        /// The result. Unit: flop/s.
        public var flopRate: Double
        /// Who says so.
        public var source: String
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
            remark: "the cards' operands went through staging buffers (Wang et al. "
                + "2011 name the low bandwidth between processor and card), two processors share a "
                + "slot, and Linpack's card share is taken from a single element at full clock."
        ),
        Question(
            benchmark: .hpl,
            machine: "tianhe-1a",
            nodeTypes: ["th1a"],
            remark: "imbalance between cores and card; updates that get small near the end, "
                + "which run at the rate of large ones here."
        ),
        Question(
            benchmark: .hpl,
            machine: "tianhe-2",
            nodeTypes: ["th2"],
            remark: "three cards share the host's memory and slots; Heinecke et "
                + "al. lost 4 points from 1 to 100 nodes with one card each."
        ),
        Question(
            benchmark: .hpl,
            machine: "tianhe-2",
            nodeTypes: ["th2"],
            run: Run(
                nodeCount: 14_336,
                bytesOfNode: 50e9,
                flopRate: 30.65e15,
                source: "Dongarra, report on Tianhe-2, 2013"
            ),
            remark:
                "as of the run on 16,000 nodes, without a guess at N: the published rate takes 5.1 "
                + "hours for it, and the report says a little over 5 hours."
        ),
        Question(
            benchmark: .hpl,
            machine: "tianhe-2a",
            nodeTypes: ["th2a"],
            remark:
                "N: at the published rate a matrix that fills 80 % of 192 GB takes 21 hours, so "
                + "a smaller one is likely to have been run, and it would bring the model down. The "
                + "rate of matrix products on Matrix-2000 is not published."
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
            benchmark: .hpcg,
            machine: "tianhe-2",
            nodeTypes: ["th2"],
            remark:
                "scaling: the published parallel efficiency is 81.2 %, the model's is 97 % (its "
                + "share of computing); uneven work of cores and cards; multigrid levels, whose "
                + "coarse grids are too small for the cards."
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
            nodeCount: question.run?.nodeCount
        )
        let system = machine.systems[0]
        let figures = system.published
        var answer = Answer(question: question, target)
        if let run = question.run {
            answer.published = run.flopRate
            (answer.evidence, answer.source) = (.published, run.source)
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
        if let run = question.run {
            order = Int((run.bytesOfNode * Double(run.nodeCount) / 8).squareRoot())
            orderSource =
                "derived from \(Int(run.bytesOfNode / 1e9)) GB of each node (\(run.source))"
        } else {
            let share = PublishedExam.memoryShare
            order = LinpackModel.order(filling: share, of: target)
            orderSource = "assumed to fill \(percentText(share)) of main memory"
        }
        block = LinpackModel.usualBlock(target)
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
            let link = rates.cards > 0 ? 2 * 6 * 8 * side * side / rates.cardLink : 0
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
