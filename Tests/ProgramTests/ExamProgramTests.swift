import Foundation
import Testing

@Suite("xinghe predict --exam FILE")
struct ExamProgramTests {
    private static let results = """
        results:
          - machine: tianhe-1a
            node_types: [th1a]
            nodes: 1024
            benchmark: hpl
            order: 1200000
            block: 512
            result: 330 TF
            source: a made run
          - {machine: tianhe-2, benchmark: hpcg, result: 623 TF, source: Liu et al.}

        """

    @Test("The model stands beside anybody's results")
    func anybodysResults() throws {
        let folder = try Folder()
        let file = try folder.write("results.yaml", Self.results)
        let run = try xinghe(["predict", "--exam", file])
        #expect(run.status == 0, "\(run.errors)")
        for words in ["1,024", "1,200,000", "512", "330 Tflop/s", "a made run", "HPCG"] {
            #expect(run.output.contains(words), "\(words): \(run.output)")
        }
        let json = try xinghe(["predict", "--exam", file, "--json"])
        let value = try JSONSerialization.jsonObject(with: Data(json.output.utf8))
        let answers = try #require(value as? [[String: Any]])
        #expect(answers.count == 2)
        #expect(answers[0]["order"] as? Int == 1_200_000)
    }

    @Test(
        "What is wrong in a file is named by file, line and field",
        arguments: [
            ("result: 330 TF", "result: fast", "results.yaml:8: field results[0].result"),
            ("benchmark: hpl", "benchmark: hpll", "results.yaml:5: field results[0].benchmark"),
            ("order: 1200000", "order: -1", "results.yaml:6: field results[0].order"),
            ("result: 330 TF", "rate: 330 TF", "results.yaml:8: field results[0].rate"),
            ("[th1a]", "[th9]", "th9"),
            ("machine: tianhe-1a", "machine: nowhere.yaml", "nowhere.yaml"),
        ]
    )
    func wrongFiles(right: String, wrong: String, message: String) throws {
        let folder = try Folder()
        let text = Self.results.replacingOccurrences(of: right, with: wrong)
        let run = try xinghe(["predict", "--exam", folder.write("results.yaml", text)])
        #expect(run.status != 0 && run.output.isEmpty)
        #expect(run.errors.contains(message), "\(run.errors)")
    }
}
