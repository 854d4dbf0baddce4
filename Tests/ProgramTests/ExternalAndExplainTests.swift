import Foundation
import Testing

/// `xinghe replay --external` and `--explain`, as their users run them.
@Suite("xinghe replay, outside policies and explanations")
struct ExternalAndExplainTests {
    /// Job 1 holds eight of ten; job 2 wants ten; job 3 would delay it; job 4 is short enough.
    private static let log = """
        ; MaxProcs: 10
        1 0 -1 60 8 -1 -1 8 100 -1 1 1 1 1 -1 -1 -1 -1
        2 1 -1 50 10 -1 -1 10 50 -1 1 2 1 1 -1 -1 -1 -1
        3 2 -1 500 2 -1 -1 2 500 -1 1 3 1 1 -1 -1 -1 -1
        4 3 -1 90 2 -1 -1 2 90 -1 1 4 1 1 -1 -1 -1 -1
        5 4 -1 90 12 -1 -1 12 90 -1 1 4 1 1 -1 -1 -1 -1

        """

    @Test("A job that waited is told who was ahead, what blocked it and when it could have started")
    func explanation() throws {
        let run = try xinghe(["replay", "-", "--explain", "3"], input: Self.log)
        #expect(run.status == 0)
        #expect(
            run.output == """
                job 3 under easy on 10 processors
                  asks       2 processors for at most 00:08:20, user 3
                  submitted  00:00:02 of the log
                  started    00:02:23 of the log, after a wait of 00:02:21

                When it came, 1 job waited before it: 2 (10 processors).

                5 decisions did not start it:
                  00:00:02 of the log to 00:00:03 of the log, 2 decisions
                      it fitted, but would have run beyond 00:01:40 of the log, when job 2, first \
                in the queue, is to start; all that is free then is needed for that
                  00:00:04 of the log
                      nothing was free at its turn; it needs 2 processors
                  00:01:00 of the log
                      it fitted, but would have run beyond 00:01:33 of the log, when job 2, first \
                in the queue, is to start; all that is free then is needed for that
                  00:01:33 of the log
                      first in the queue: it needs 2 processors, nothing was free; it was \
                promised 00:02:23 of the log

                When it started, nobody waited before it.
                The first start that it was promised was 00:02:23 of the log.
                Had it been first in the queue, it could have started at 00:00:02 of the log, \
                00:02:21 earlier: 2 processors were free then.

                """
        )
    }

    @Test("A job that overtook is told whom, and why it could")
    func overtaking() throws {
        let run = try xinghe(["replay", "-", "--explain", "4"], input: Self.log)
        #expect(run.status == 0)
        #expect(run.output.contains("started    00:00:03 of the log, at once"))
        #expect(
            run.output.contains(
                "It could overtake because its limit ends it at 00:01:33 of the log, and job 2, "
                    + "first in the queue, was promised 00:01:40 of the log."
            )
        )
    }

    @Test(
        "What does not go together is refused with what is wrong, and nothing is printed",
        arguments: [
            (["--explain", "77"], "there is no job 77 to replay"),
            (["--explain", "5"], "job 5 was refused: it wants 12 processors"),
            (["--explain", "3", "--event-order", "pyss"], "in event order batched only"),
            (["--explain", "3", "--json"], "it has no JSON"),
            (["--explain", "3", "--jobs-csv", "x.csv"], "leave --jobs-csv out"),
            (["--policy", "external"], "say which program decides"),
            (["--external", "cat"], "no policy is external"),
            (["--policy", "external", "--external", "exit 3"], "ended with status 3 before"),
            (
                ["--policy", "external", "--external", "cat", "--external-timeout", "0"],
                "0 is not in 1...86400"
            ),
        ]
    )
    func refusals(arguments: [String], message: String) throws {
        let run = try xinghe(["replay", "-"] + arguments, input: Self.log)
        #expect(run.status != 0)
        #expect(run.errors.contains(message), "\(run.errors)")
        #expect(run.output.isEmpty)
    }

    @Test("The Python EASY stands beside the built-in one with the same digest, by its name")
    func external() throws {
        var root = URL(fileURLWithPath: #filePath)
        for _ in 0..<3 { root.deleteLastPathComponent() }
        let script = root.appendingPathComponent("workloads/policies/easy.py").path
        let run = try xinghe(
            ["replay", "-", "--policy", "easy,external", "--external", "python3 '\(script)'"],
            input: Self.log
        )
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.output.contains("external: easy.py"))
        let digests = run.output.split(separator: "\n").first { $0.hasPrefix("digest") }
        let words = try #require(digests).split(separator: " ")
        #expect(words.count == 3 && words[1] == words[2])
    }

    @Test("A comparison refuses what it cannot ask")
    func compare() throws {
        let run = try xinghe(["compare", "-", "--policy", "easy,external"], input: Self.log)
        #expect(run.status != 0)
        #expect(run.errors.contains("say which program decides, with --external"), "\(run.errors)")
        #expect(run.output.isEmpty)
    }

    @Test("A program decides in a comparison, too, and EASY by it is EASY")
    func compareExternal() throws {
        let script = repository.appendingPathComponent("workloads/policies/easy.py").path
        let run = try xinghe(
            [
                "compare", "-", "--policy", "easy,external", "--external", "python3 '\(script)'",
                "--csv",
            ],
            input: Self.log
        )
        try #require(run.status == 0, "\(run.errors)")
        let rows = run.output.split(separator: "\n").map {
            $0.split(separator: ",", omittingEmptySubsequences: false)
        }
        let digest = try #require(rows[0].firstIndex(of: "digest"))
        #expect(rows[2][3] == "external: easy.py")
        #expect(rows[1][digest] == rows[2][digest])
    }
}
