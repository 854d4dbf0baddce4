import Foundation
import Testing

@Suite("State folders, as users name them")
struct StateFolderProgramTests {
    @Test(
        "Books that are not there are refused by what is there instead",
        arguments: [
            ["bill", "--account", "a"], ["audit"], ["ledger"],
            ["subsidy", "claim-pack", "--enterprise", "e"], ["subsidy", "unclaimed"],
            ["whatif", "--policy", "fcfs"],
        ]
    )
    func missingBooks(command: [String]) throws {
        let folder = try Folder()
        let missing = try xinghe(command + ["--state", folder.path("nowhere")])
        #expect(missing.status == 1)
        #expect(missing.errors.contains("no centre has its state there"), "\(missing.errors)")
        let file = try folder.write("file", "text")
        let other = try xinghe(command + ["--state", file])
        #expect(other.errors.contains("no centre has its state there"), "\(other.errors)")
        let database = try folder.write("journal.sqlite", "")
        let empty = try xinghe(
            command + ["--state", (database as NSString).deletingLastPathComponent]
        )
        #expect(empty.status == 1)
        #expect(empty.errors.contains("not the journal of a centre"), "\(empty.errors)")
    }

    @Test(
        "What 'up' cannot open is refused in its own words, and leaves nothing behind",
        arguments: [
            (["--machine", "nosuch"], Int32(1), "nosuch"),
            (["--time", "stepped", "--tariff", "nosuch"], 1, "--tariff: 'nosuch'"),
            (["--start", "2026-11-01"], 64, "--start: real time begins now"),
            (["--policy", "magic"], 64, "--policy: 'magic'"),
            (["--time", "fast"], 64, "--time: 'fast'"),
        ]
    )
    func refusedOpening(options: [String], status: Int32, words: String) throws {
        let folder = try Folder()
        let run = try xinghe(
            ["up", "--state", folder.path("state"), "--socket", folder.path("s")] + options
        )
        #expect(run.status == status)
        #expect(run.errors.contains(words), "\(run.errors)")
        #expect(!run.errors.contains("xinghed"), "\(run.errors)")
        #expect(try folder.names().isEmpty)
    }

    @Test("A file where the state folder should be is named")
    func stateIsFile() throws {
        let folder = try Folder()
        let file = try folder.write("file", "text")
        for path in [file, file + "/below"] {
            let run = try xinghe(["up", "--state", path, "--socket", folder.path("s")])
            #expect(run.status == 1)
            #expect(run.errors.contains(file), "\(run.errors)")
        }
        #expect(try folder.names() == ["file"])
    }
}
