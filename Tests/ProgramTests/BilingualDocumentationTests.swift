import Foundation
import Testing

/// What a page in Chinese has in common with the page that it stands for.
@Suite("Documentation in two languages")
struct BilingualDocumentationTests {
    /// The pages in Chinese with those in English; the index lists pages of either language.
    static let pairs: [(chinese: String, english: String)] = {
        let folder = repository.appendingPathComponent("docs/zh").path
        let inner = FileManager.default.enumerator(atPath: folder)?.allObjects as? [String]
        let names = (inner ?? []).filter { $0.hasSuffix(".md") && $0 != "README.md" }.sorted()
        return [("README.zh.md", "README.md")] + names.map { ("docs/zh/\($0)", "docs/\($0)") }
    }()

    private struct Page: Equatable {
        /// The levels of the headings, in order.
        var headings: [Int] = []
        /// What the blocks show: commands and what they print.
        var blocks: [[String]] = []
    }

    private func page(_ path: String) throws -> Page {
        let url = repository.appendingPathComponent(path)
        var page = Page()
        var block: [String]?
        for line in try String(contentsOf: url, encoding: .utf8).components(separatedBy: "\n") {
            if line.hasPrefix("```") {
                if let finished = block { page.blocks.append(finished) }
                block = block == nil ? [line] : nil
            } else if block != nil {
                // What is behind # is said in the page's own language.
                block?.append(line.components(separatedBy: " # ")[0])
            } else if line.hasPrefix("#") {
                page.headings.append(line.prefix { $0 == "#" }.count)
            }
        }
        return page
    }

    @Test("Both languages have the same sections and commands", arguments: pairs.map(\.chinese))
    func same(chinese: String) throws {
        let english = try #require(Self.pairs.first { $0.chinese == chinese }?.english)
        let (one, other) = (try page(chinese), try page(english))
        #expect(one.headings == other.headings, "\(chinese) and \(english)")
        let commands = { (page: Page) in
            page.blocks.map { $0.filter { $0.hasPrefix("$ ") || $0.hasPrefix("> ") } }
        }
        #expect(commands(one) == commands(other), "\(chinese) and \(english)")
    }

    @Test("What a customer and an officer need is there in Chinese")
    func needed() {
        let needed = [
            "README.zh.md", "docs/zh/commands.md", "docs/zh/how-to/billing.md",
            "docs/zh/tutorials/customer.md", "docs/zh/tutorials/officer.md",
        ]
        for page in needed { #expect(Self.pairs.contains { $0.chinese == page }, "\(page)") }
    }
}
