import Foundation
import Testing

/// Rules about whole files.
enum FileRules {
    static let lineCountMaximum = 700

    static func tooLong(_ file: SourceFile) -> [Finding] {
        guard file.lines.count > lineCountMaximum else { return [] }
        let advice = "\(file.lines.count) lines; split it by topic (Type+Topic.swift)"
        return [Finding(path: file.path, line: 0, advice: advice)]
    }

    /// Who looks for a type looks for its file; a program's `main.swift` has no type.
    static func namedAfterNothing(_ file: SourceFile) -> [Finding] {
        guard file.subject != "main", !file.subjects.contains(file.subject) else { return [] }
        let advice = "declares no \(file.subject); name it after its type, or Type+Topic.swift"
        return [Finding(path: file.path, line: 0, advice: advice)]
    }

    /// A file that declares a test must claim something.
    static func assertsNothing(_ file: SourceFile) -> [Finding] {
        let declares = file.code.contains { $0.contains("@Test") }
        let claims = ["#expect", "#require", "Issue.record", "confirmation("]
        let asserts = file.code.contains { line in claims.contains { line.contains($0) } }
        guard declares, !asserts else { return [] }
        return [Finding(path: file.path, line: 0, advice: "has @Test but no #expect or #require")]
    }

    /// A word that switches a check of the compiler off needs the reason, and an adapter around it.
    static func uncheckedWithoutReason(_ file: SourceFile, layer: Int) -> [Finding] {
        let words = ["@unchecked Sendable", "nonisolated(unsafe)"]
        var findings: [Finding] = []
        for (index, line) in file.code.enumerated() {
            guard let word = words.first(where: { line.contains($0) }) else { continue }
            let above = file.lines[max(0, index - 5)...index]
            if !above.contains(where: { $0.contains("SAFETY:") }) {
                let advice =
                    "\(word) needs a '// SAFETY:' line above it: the invariant, who keeps it"
                findings.append(Finding(path: file.path, line: index + 1, advice: advice))
            }
            if layer <= 2 {
                let advice = "\(word) has no place in layers 0-2"
                findings.append(Finding(path: file.path, line: index + 1, advice: advice))
            }
        }
        return findings
    }

    /// A script needs its first line to be submitted, or run.
    static func scriptWithoutInterpreter(_ file: SourceFile) -> [Finding] {
        guard file.lines.first?.hasPrefix("#!/") != true else { return [] }
        return [Finding(path: file.path, line: 1, advice: "a script starts with #!/bin/bash")]
    }

    /// Nothing in the repository may need a path outside it that only its makers have.
    static func namesPrivatePath(_ file: SourceFile) -> [Finding] {
        let paths = ["/work/" + "shared", "/." + "library"]
        return file.lines.enumerated().filter { line in paths.contains { line.element.contains($0) }
        }
        .map { Finding(path: file.path, line: $0.offset + 1, advice: "a path outside the clone") }
    }

    /// What a page promises is held by something: the last cell of a row of its tables is not empty.
    static func promisesWithoutTest(_ page: SourceFile) -> [Finding] {
        page.lines.enumerated().compactMap { index, line in
            guard line.hasPrefix("|"), line.hasSuffix("|") else { return nil }
            let cells = line.dropFirst().dropLast().split(
                separator: "|",
                omittingEmptySubsequences: false
            )
            guard cells.last?.allSatisfy({ $0 == " " }) ?? true else { return nil }
            return Finding(path: page.path, line: index + 1, advice: "no test holds this promise")
        }
    }

    /// Tests that a page names, `SuiteTests.function` in backticks, must be there.
    static func namesMissingTest(_ page: SourceFile, known: Set<String>) -> [Finding] {
        page.lines.enumerated().flatMap { index, line in
            line.matches(of: /`(\w+Tests\.\w+)`/).map { String($0.output.1) }
                .filter { !known.contains($0) }
                .map { Finding(path: page.path, line: index + 1, advice: "there is no \($0)") }
        }
    }
}

@Suite("House files")
struct HouseFilesTests {
    static let files = SourceTree.swiftFiles

    @Test("No Swift file is longer than 700 lines")
    func filesAreShort() {
        let findings = Self.files.flatMap(FileRules.tooLong)
        #expect(findings.isEmpty, "\(findings.listed)")
        let long = SourceFile(path: "a.swift", text: String(repeating: "\n", count: 701))
        #expect(FileRules.tooLong(long).count == 1)
    }

    @Test("Every source is named after a type in it")
    func filesAreNamedAfterTypes() {
        let findings = Self.files.filter { !$0.isTest }.flatMap(FileRules.namedAfterNothing)
        #expect(findings.isEmpty, "\(findings.listed)")
        let sample = SourceFile(path: "Sources/A/B/Fee+Text.swift", text: "struct Sum {}\n")
        #expect(FileRules.namedAfterNothing(sample).count == 1)
    }

    @Test("Every file with tests asserts something")
    func testsAssert() {
        let findings = Self.files.filter(\.isTest).flatMap(FileRules.assertsNothing)
        #expect(findings.isEmpty, "\(findings.listed)")
        let empty = SourceFile(path: "Tests/A/A.swift", text: "@Test func a() {} // #expect\n")
        #expect(FileRules.assertsNothing(empty).count == 1)
    }

    @Test("What the compiler does not check has its reason beside it, in adapters only")
    func uncheckedHasReason() {
        let findings = Self.files.filter { !$0.isTest }.flatMap { file in
            let layer = ImportGraphTests.table.places[file.module]?.layer ?? 0
            return FileRules.uncheckedWithoutReason(file, layer: layer)
        }
        #expect(findings.isEmpty, "\(findings.listed)")
        let bare = SourceFile(path: "Sources/A/A.swift", text: "class A: @unchecked Sendable {}\n")
        #expect(FileRules.uncheckedWithoutReason(bare, layer: 3).count == 1)
        let reasoned = SourceFile(
            path: "Sources/A/A.swift",
            text: "// SAFETY: one owner.\nnonisolated(unsafe) var a = 1\n"
        )
        #expect(FileRules.uncheckedWithoutReason(reasoned, layer: 3).isEmpty)
        #expect(FileRules.uncheckedWithoutReason(reasoned, layer: 1).count == 1)
    }

    @Test("Every script says its interpreter and may be executed")
    func scriptsStart() {
        let scripts =
            SourceTree.files(under: ["workloads", "bench"]) { $0.hasSuffix(".sh") }
            + SourceTree.files(under: [".ci", "packaging"]) { !$0.contains(".") }
        #expect(scripts.count >= 15)
        let findings = scripts.flatMap(FileRules.scriptWithoutInterpreter)
        #expect(findings.isEmpty, "\(findings.listed)")
        for script in scripts {
            let path = SourceTree.root.appendingPathComponent(script.path).path
            #expect(FileManager.default.isExecutableFile(atPath: path), "chmod +x \(script.path)")
        }
        let headless = SourceFile(path: "workloads/a.sh", text: "echo\n")
        #expect(FileRules.scriptWithoutInterpreter(headless).count == 1)
    }

    @Test("Every test that a page names is there")
    func namedTestsAreThere() {
        let names = Self.files.filter(\.isTest).flatMap { file in
            let functions = file.code.compactMap { $0.firstMatch(of: /func (\w+)\(/)?.output.1 }
            return file.subjects.flatMap { suite in functions.map { "\(suite).\($0)" } }
        }
        let pages = SourceTree.files(under: ["docs"]) { $0.hasSuffix(".md") }
        let findings = pages.flatMap { FileRules.namesMissingTest($0, known: Set(names)) }
        #expect(findings.isEmpty, "\(findings.listed)")
        let page = SourceFile(path: "docs/a.md", text: "`HouseFilesTests.noSuchTest`\n")
        #expect(FileRules.namesMissingTest(page, known: Set(names)).count == 1)
    }

    @Test("Each promise of docs/security.md names what holds it")
    func promisesAreHeld() throws {
        let pages = SourceTree.files(under: ["docs"]) { $0 == "security.md" }
        let page = try #require(pages.first { $0.path == "docs/security.md" })
        let findings = FileRules.promisesWithoutTest(page)
        #expect(findings.isEmpty, "\(findings.listed)")
        let bare = SourceFile(
            path: "docs/a.md",
            text: "| promise | held by |\n|---|---|\n| a | |\n"
        )
        #expect(FileRules.promisesWithoutTest(bare).count == 1)
    }

    @Test("Nothing needs a path that only the makers have")
    func clonesAreWhole() {
        let others = SourceTree.files(under: [
            "bench", "workloads", "docs", ".ci", "packaging", "Sources",
        ]) {
            !$0.hasSuffix(".swift") && !$0.hasSuffix(".gz")
        }
        let findings = (Self.files + others).flatMap(FileRules.namesPrivatePath)
        #expect(findings.isEmpty, "\(findings.listed)")
        let bad = SourceFile(path: "a.py", text: "open('/work/" + "shared/a')\n")
        #expect(FileRules.namesPrivatePath(bad).count == 1)
    }

    @Test(
        "What a newcomer looks for is there",
        arguments: [
            "README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE",
            "Makefile",
            ".swift-format", ".ci/run", "docs/glossary.md", "docs/scheduling.md", "docs/measure.md",
            "workloads/README.md", "workloads/traces/README.md", "bench/README.md",
        ]
    )
    func fileIsThere(path: String) throws {
        let text = try #require(SourceTree.text(of: path), "\(path) is missing")
        #expect(text.count > 40, "\(path) says nothing")
    }

    @Test("Links between the documents lead somewhere")
    func linksLeadSomewhere() {
        let top = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"]
            .map { SourceFile(path: $0, text: SourceTree.text(of: $0) ?? "") }
        let documents =
            top + SourceTree.files(under: ["docs", "workloads", "bench"]) { $0.hasSuffix(".md") }
        for document in documents {
            for target in Self.linkTargets(document.lines.joined(separator: "\n")) {
                let folder = document.path.split(separator: "/").dropLast().joined(separator: "/")
                let path = SourceTree.root.appendingPathComponent(folder)
                    .appendingPathComponent(target).standardizedFileURL.path
                #expect(
                    FileManager.default.fileExists(atPath: path),
                    "\(document.path): link to \(target), which is not there"
                )
            }
        }
        #expect(Self.linkTargets("[a](docs/x.md#top) [b](https://x.org)") == ["docs/x.md"])
    }

    /// The local files that `[text](target)` points to, without the part after `#`.
    static func linkTargets(_ markdown: String) -> [String] {
        markdown.split(separator: "](", omittingEmptySubsequences: false).dropFirst().compactMap {
            let target = $0.prefix { $0 != ")" && $0 != "#" && $0 != " " }
            return target.isEmpty || target.contains("://") ? nil : String(target)
        }
    }
}
