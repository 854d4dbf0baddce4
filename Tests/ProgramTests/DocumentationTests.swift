import Foundation
import Testing

/// The pages say what the programs print: `.ci/blocks` runs every `console` block in them.
@Suite("Documentation")
struct DocumentationTests {
    /// The pages with blocks that are run, found by reading them.
    static let pages: [String] = {
        let folders = ["README.md", "README.zh.md", "docs", "workloads"]
        let names = folders.flatMap { name -> [String] in
            let path = repository.appendingPathComponent(name).path
            let inner = FileManager.default.enumerator(atPath: path)?.allObjects as? [String]
            return inner?.map { "\(name)/\($0)" } ?? []
        }
        return (folders + names).filter { $0.hasSuffix(".md") && text($0).contains("```console") }
            .sorted()
    }()

    private static func text(_ path: String) -> String {
        let url = repository.appendingPathComponent(path)
        return (try? String(contentsOf: url, encoding: .utf8)) ?? ""
    }

    @Test("Every block that a page shows is what the commands in it print", arguments: pages)
    func blocks(page: String) throws {
        let path = repository.appendingPathComponent(page).path
        let run = try repositoryScript(".ci/blocks", [programFolder(), path])
        #expect(run.status == 0, "\(run.output)\(run.errors)")
        #expect(!run.output.contains(" 0 blocks"))
    }

    @Test("The site has every page, and its links lead somewhere")
    func site() throws {
        let folder = try Folder()
        let run = try repositoryScript("packaging/site", [folder.path("site")])
        #expect(run.status == 0, "\(run.errors)")
        for name in ["index.html", "docs/zh/commands.html", "docs/billing.html"] {
            let text = try String(contentsOfFile: folder.path("site/" + name), encoding: .utf8)
            #expect(text.contains("<h1"))
            #expect(!text.contains(".md\""), "a link to a page leads to its HTML")
        }
    }

    @Test("A page that does not tell the truth is found out")
    func untruth() throws {
        let folder = try Folder()
        let page = try folder.write(
            "a.md",
            "```console\n$ echo one; echo two\n…\nthree\n```\n<!-- varies: \\d+ -->\n"
                + "```console\n$ echo 4\n5\n```\n"
        )
        let run = try repositoryScript(".ci/blocks", [programFolder(), page])
        #expect(run.status == 1)
        #expect(run.output.contains("a.md:2: 'echo one; echo two' prints something else"))
        #expect(!run.output.contains("'echo 4'"), "what varies is not compared")
    }
}
