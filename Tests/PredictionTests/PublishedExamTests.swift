import ClusterModel
import Prediction
import Testing

@Suite("The exam of published results")
struct PublishedExamTests {
    /// The errors as they are, in whole percent: a change of the model or of a machine file that
    /// moves one must say so here, for the better or the worse.
    static let errors = [
        ("tianhe-1", PublishedExam.Benchmark.hpl, 29),
        ("tianhe-1a", .hpl, 8),
        ("tianhe-2", .hpl, 9),
        ("tianhe-2", .hpl, 7),
        ("tianhe-2a", .hpl, 15),
        ("tianhe-3-prototype", .hpl, 3),
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

    @Test("Four of the six Linpack results are met within 10 %")
    func linpackIsMet() throws {
        let linpack = try answers().filter { $0.question.benchmark == .hpl }
        #expect(linpack.filter { abs($0.error) <= 0.1 }.count >= 4)
    }

    @Test("The published figures are those of the machine files, as well known as these say")
    func publishedFiguresAreTheFiles() throws {
        let answers = try answers()
        let expected = [563.1, 2_566, 33_862.7, 30_650, 61_444.5, 2_460, 623]
        for (answer, figure) in zip(answers, expected) {
            #expect(abs(answer.published / 1e12 - figure) < 1e-9 * figure)
            #expect(answer.evidence == .published && !answer.source.isEmpty)
        }
    }

    @Test("An order from a published share of memory takes the published time")
    func derivedOrder() throws {
        let answer = try #require(try answers().first { $0.question.run != nil })
        #expect(answer.nodeCount == 14_336)
        #expect(answer.order == 9_465_727)
        #expect(answer.orderSource.contains("derived from 50 GB of each node"))
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
        let accelerated = try #require(answers.first { $0.question.machine == "tianhe-2a" })
        let order = Double(accelerated.order)
        let hours = Int((order * order * order * 2 / 3 / accelerated.published / 3_600).rounded())
        #expect(accelerated.question.remark.contains("takes \(hours) hours"), "\(hours)")
    }

    @Test("The matrix fills four fifths of the nodes' memory, and no more")
    func matrixFillsMemory() throws {
        let machine = try Machines.named("tianhe-1a")
        let question = try #require(PublishedExam.questions.first { $0.machine == "tianhe-1a" })
        let answer = try #require(try PublishedExam.answer(question, machine))
        #expect(answer.nodeCount == 7_168)
        let bytes = 8 * Double(answer.order) * Double(answer.order)
        let memory = 7_168 * 24 * 1_073_741_824.0
        #expect(bytes <= 0.8 * memory)
        #expect(bytes > 0.8 * memory * 0.999_99)
    }
}
