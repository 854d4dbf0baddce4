import Foundation
import Testing

/// `packaging/install` and `packaging/uninstall`, with small files instead of programs.
@Suite("make install")
struct InstallTests {
    private let folder: Folder
    private var stage: String { folder.path("stage") }
    private var prefix: String { folder.path("prefix") }

    init() throws {
        folder = try Folder()
        for path in ["stage/bin", "stage/share/xinghe/docs", "prefix/bin"] {
            try FileManager.default.createDirectory(
                atPath: folder.path(path),
                withIntermediateDirectories: true
            )
        }
        _ = try folder.write("stage/bin/yh", "program 1\n")
        for name in ["README.md", "docs/a.md", "docs/b.md"] {
            _ = try folder.write("stage/share/xinghe/\(name)", "text\n")
        }
        try FileManager.default.createSymbolicLink(
            atPath: folder.path("stage/bin/yhbatch"),
            withDestinationPath: "yh"
        )
    }

    private func install() throws -> Run {
        try repositoryScript("packaging/install", [stage, prefix])
    }
    private func uninstall() throws -> Run { try repositoryScript("packaging/uninstall", [prefix]) }
    private func text(_ path: String) -> String? {
        try? String(contentsOfFile: folder.path("prefix/" + path), encoding: .utf8)
    }
    private var left: [String] {
        (FileManager.default.enumerator(atPath: prefix)?.allObjects as? [String] ?? []).sorted()
    }

    @Test("What was there before is neither replaced nor removed")
    func foreignFile() throws {
        _ = try folder.write("prefix/bin/yhbatch", "mine\n")
        let run = try install()
        #expect(run.status == 1)
        #expect(run.errors.contains("\(prefix)/bin/yhbatch"))
        #expect(text("bin/yhbatch") == "mine\n")
        #expect(left == ["bin", "bin/yhbatch"], "nothing is half done")
        let removal = try uninstall()
        #expect(removal.status == 1)
        #expect(text("bin/yhbatch") == "mine\n")
    }

    @Test("Installed and removed, a prefix is as it was, with its own folders and files")
    func roundTrip() throws {
        _ = try folder.write("prefix/bin/other", "mine\n")
        let first = try install()
        #expect(first.status == 0, "\(first.errors)")
        #expect(text("bin/yhbatch") == "program 1\n")
        let removal = try uninstall()
        #expect(removal.status == 0, "\(removal.errors)")
        #expect(left == ["bin", "bin/other"])
    }

    @Test("A later version replaces its own files and takes away those it no longer has")
    func upgrade() throws {
        #expect(try install().status == 0)
        _ = try folder.write("stage/bin/yh", "program 2\n")
        try FileManager.default.removeItem(atPath: folder.path("stage/share/xinghe/README.md"))
        _ = try folder.write("stage/share/xinghe/SUPPORT.md", "text\n")
        let run = try install()
        #expect(run.status == 0, "\(run.errors)")
        #expect(text("bin/yhbatch") == "program 2\n")
        #expect(text("share/xinghe/README.md") == nil)
        for name in ["SUPPORT.md", "docs/a.md", "docs/b.md"] {
            #expect(text("share/xinghe/\(name)") == "text\n", "\(name)")
        }
        #expect(try uninstall().status == 0)
        #expect(left == ["bin"])
    }

    @Test("What somebody changed since is kept, by a later version and by uninstall")
    func changedFile() throws {
        #expect(try install().status == 0)
        try FileManager.default.removeItem(atPath: folder.path("prefix/bin/yhbatch"))
        _ = try folder.write("prefix/bin/yhbatch", "a real Slurm's\n")
        let again = try install()
        #expect(again.status == 1)
        #expect(again.errors.contains("bin/yhbatch"))
        let removal = try uninstall()
        #expect(removal.status == 0)
        #expect(removal.errors.contains("bin/yhbatch"))
        #expect(left == ["bin", "bin/yhbatch"])
    }
}
