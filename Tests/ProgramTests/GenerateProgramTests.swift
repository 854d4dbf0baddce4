import Foundation
import Testing

/// `xinghe generate` as its users run it.
@Suite("xinghe generate, the program")
struct GenerateProgramTests {
    @Test("A generated log is replayed like any other, and its figures are printed")
    func generated() throws {
        let folder = try Folder()
        let log = folder.path("log.swf")
        let run = try xinghe([
            "generate", "--mix", "tianjin", "--days", "7", "-o", log, "--sessions",
        ])
        #expect(run.output.contains("jobs a day: at least 20000"), "\(run.errors)")
        let small = folder.path("small.swf")
        let lublin = try xinghe([
            "generate", "--mix", "lublin", "--jobs", "500", "--nodes", "64", "-o", small, "--json",
        ])
        #expect(lublin.status == 0, "\(lublin.errors)")
        #expect(lublin.output.contains("\"figures\""))
        let replay = try xinghe(["replay", small, "--policy", "easy"])
        #expect(replay.output.contains("500 jobs on 64 processors"), "\(replay.errors)")
        let like = try xinghe(["generate", "--like", small, "--days", "14", "-o", "-"])
        #expect(like.output.contains("; MaxProcs: 64"), "\(like.errors)")
    }

    @Test(
        "Options that do not go together are refused",
        arguments: [
            (["-o", "x"], "--mix and --like: one of them"),
            (
                ["--mix", "tianjin", "--types", "all", "-o", "x"],
                "--types: is for --mix lublin only"
            ),
            (
                ["--mix", "lublin", "--days", "3", "-o", "x"],
                "--days: is for --mix tianjin and --like only"
            ),
            (["--mix", "tianjin", "--days", "0", "-o", "x"], "--days: 0 is not in 1...3650"),
            (["--mix", "lublin", "--nodes", "4", "-o", "x"], "--nodes: 4 is not in 8..."),
            (
                ["--mix", "downey", "--json", "-o", "-"],
                "--output and --json both go to standard output"
            ),
            (["--like", "/nonexistent", "-o", "x"], "/nonexistent: open"),
        ]
    )
    func refusals(arguments: [String], message: String) throws {
        let run = try xinghe(["generate"] + arguments)
        #expect(run.status != 0)
        #expect(run.errors.contains(message), "\(run.errors)")
    }
}
