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
        ("tianhe-2a", .hpl, 15),
        ("tianhe-3-prototype", .hpl, 3),
        ("tianhe-2", .hpcg, 56),
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

    @Test("Three of the five Linpack results are met within 10 %")
    func linpackIsMet() throws {
        let linpack = try answers().filter { $0.question.benchmark == .hpl }
        #expect(linpack.filter { abs($0.error) <= 0.1 }.count >= 3)
    }

    @Test("The published figures are those of the machine files, as well known as these say")
    func publishedFiguresAreTheFiles() throws {
        let answers = try answers()
        let expected = [563.1, 2_566, 33_862.7, 61_444.5, 2_460, 580]
        for (answer, figure) in zip(answers, expected) {
            #expect(abs(answer.published / 1e12 - figure) < 1e-9 * figure)
            let isUnchecked = answer.question.benchmark == .hpcg
            #expect((answer.evidence == .assumption) == isUnchecked, "\(answer.question.machine)")
        }
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
