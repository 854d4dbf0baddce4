import Catalog
import ClusterModel
import Prediction
import Testing

@Suite("The exam of published results")
struct PublishedExamTests {
    /// The errors as they are, in whole percent: a change of the model or of a machine file that
    /// moves one must say so here, for the better or the worse.
    static let errors = [
        ("tianhe-1", PublishedExam.Benchmark.hpl, 24),
        ("tianhe-1a", .hpl, 6),
        ("tianhe-2", .hpl, 8),
        ("tianhe-2", .hpl, 7),
        ("tianhe-2a", .hpl, -3),
        ("tianhe-3-prototype", .hpl, 3),
        ("nebulae", .hpl, 22),
        ("mt-3000", .hpl, -10),
        ("tianhe-2", .hpcg, 45),
    ]

    private func answers() throws -> [PublishedExam.Answer] {
        var answers: [PublishedExam.Answer] = []
        for question in PublishedExam.questions {
            let machine = try Machines.named(question.machine)
            if let answer = try PublishedExam.answer(question, machine) { answers.append(answer) }
        }
        return answers
    }

    @Test("Every question has an answer, with the error that is on record")
    func errorsAreOnRecord() throws {
        let answers = try answers()
        try #require(answers.count == Self.errors.count)
        for (answer, expected) in zip(answers, Self.errors) {
            #expect(answer.question.machine == expected.0)
            #expect(answer.question.benchmark == expected.1)
            let error = Int((100 * answer.error).rounded())
            #expect(error == expected.2, "\(expected.0) \(expected.1.rawValue): \(error) %")
        }
    }

    @Test("Five of the eight Linpack results are met within 10 %")
    func linpackIsMet() throws {
        let linpack = try answers().filter { $0.question.benchmark == .hpl }
        #expect(linpack.filter { abs($0.error) <= 0.1 }.count >= 5)
    }

    @Test("The published figures are those of the machine files, as well known as these say")
    func publishedFiguresAreTheFiles() throws {
        let answers = try answers()
        let expected = [563.1, 2_566, 33_862.7, 30_650, 61_444.5, 2_460, 1_271, 9_600, 623]
        for (answer, figure) in zip(answers, expected) {
            #expect(abs(answer.published / 1e12 - figure) < 1e-9 * figure)
            let isComputed = answer.question.machine == "mt-3000"
            #expect(answer.evidence == (isComputed ? .computed : .published))
            #expect(!answer.source.isEmpty)
        }
    }

    @Test("The order of the first run fills 50 GB a node and takes the published time")
    func orderOfFirstRun() throws {
        let answer = try #require(try answers().first { $0.question.nodeCount != nil })
        let bytes = 8 * Double(answer.order) * Double(answer.order)
        #expect(abs(bytes / (14_336 * 50e9) - 1) < 1e-6)
        // 49.19 Pflop/s, and "a little over 5 hours".
        #expect(abs(answer.peak / 49.19e15 - 1) < 0.001)
        let order = Double(answer.order)
        let hours = order * order * order * 2 / 3 / answer.published / 3_600
        #expect(hours > 5 && hours < 5.25, "\(hours)")
    }

    @Test("What the remarks reckon is what the model gives")
    func remarksAreReckoned() throws {
        let answers = try answers()
        func percent(_ share: Double) -> String { "\(Int((100 * share).rounded())) %" }
        let prototype = try #require(
            answers.first { $0.question.machine == "tianhe-3-prototype" }
        )
        var boards = try PredictionTarget(
            Machines.named("tianhe-3-prototype"),
            typeNames: ["th3p-mtp"],
            nodeCount: nil
        )
        boards.network.secondsOfByte *= 12
        let shared = try KernelPrediction(
            .lu,
            shape: [prototype.order, prototype.block],
            on: boards
        )
        let error = percent(shared.flopRate / prototype.published - 1)
        #expect(prototype.question.remark.contains("off by \(error) instead"), "\(error)")
        let gradients = try #require(answers.last)
        let total = gradients.parts.reduce(0) { $0 + $1.seconds }
        let share = percent(gradients.parts[0].seconds / total)
        #expect(gradients.question.remark.contains("the model's is \(share)"), "\(share)")
    }

    @Test("Where no order is published the matrix fills four fifths of the nodes' memory")
    func matrixFillsMemory() throws {
        let answer = try #require(try answers().first { $0.question.machine == "nebulae" })
        #expect(answer.nodeCount == 4_640 && answer.question.order == nil)
        let bytes = 8 * Double(answer.order) * Double(answer.order)
        let memory = 4_640 * 24 * 1_073_741_824.0
        #expect(bytes <= 0.8 * memory)
        #expect(bytes > 0.8 * memory * 0.999_99)
    }

    @Test("Every shipped machine with a published result of HPL or HPCG is asked")
    func everyResultIsAsked() throws {
        for name in MachineCatalog.machineNames {
            for system in try Machines.named(name).systems where system.name == name {
                for (rate, benchmark) in [
                    (system.published.linpack, PublishedExam.Benchmark.hpl),
                    (system.published.conjugateGradients, .hpcg),
                ] where rate != nil {
                    let isAsked = PublishedExam.questions.contains {
                        $0.machine == name && $0.benchmark == benchmark
                    }
                    #expect(isAsked, "\(name), \(benchmark.rawValue)")
                }
            }
        }
    }

    @Test("One chip has one share of its peak in matrix products, wherever it is")
    func oneChipOneValue() throws {
        let (one, other) = (try Machines.named("tianhe-1a"), try Machines.named("nebulae"))
        // M2050 and C2050 are the same chip at the same clock.
        let cards = [one, other].map { $0.nodeTypes[0].accelerators[0] }
        #expect(cards[0].sustained == cards[1].sustained)
        #expect(cards[0].linkBandwidth == cards[1].linkBandwidth)
        #expect(one.nodeTypes[0].processor.sustained == other.nodeTypes[0].processor.sustained)
    }
}
