import Testing

@Suite("Import graph")
struct ImportGraphTests {
    static let table = LayerTable(markdown: SourceTree.text(of: "ARCHITECTURE.md") ?? "")

    static func findings(in files: [SourceFile], _ table: LayerTable) -> [Finding] {
        files.flatMap { file in
            file.imports.compactMap { line, imported in
                table.objection(to: imported, in: file.module).map {
                    Finding(path: file.path, line: line, advice: $0)
                }
            }
        }
    }

    @Test("Every import in Sources points down, and outside things have one owner")
    func importsPointDown() {
        let sources = SourceTree.swiftFiles.filter { !$0.isTest }
        #expect(!sources.isEmpty, "no source was found")
        let findings = Self.findings(in: sources, Self.table)
        #expect(findings.isEmpty, "\(findings.listed)")
    }

    @Test("The table names every module once, and no module is called like a type in it")
    func tableIsComplete() {
        #expect(Self.table.repeated.isEmpty)
        for (floor, module) in SourceTree.moduleFolders {
            let layer = LayerTable.layer(ofFloor: floor)
            #expect(layer != nil, "Sources/\(floor) is no floor: \(LayerTable.floors)")
            #expect(
                Self.table.places[module]?.layer == layer,
                "ARCHITECTURE.md's table puts \(module) elsewhere than Sources/\(floor)"
            )
        }
        for file in SourceTree.swiftFiles where !file.isTest {
            for kind in ["struct", "enum", "final class", "protocol", "actor"] {
                #expect(
                    !file.code.contains { $0.hasPrefix("public \(kind) \(file.module) ") },
                    "\(file.path): a type called like its module hides the module"
                )
            }
        }
    }

    @Test(
        "A wrong arrow is found",
        arguments: [
            ("Emulation", "import LiveRuntime", "the arrow points up"),
            ("Quantities", "public import Emulation", "the arrow points up"),
            ("Scheduling", "import Emulation", "further left"),
            ("Persistence", "import HTTPService", "do not import one another"),
            ("LiveRuntime", "internal import ReplayRuntime", "do not import one another"),
            ("xinghed", "import GRDB", "only Persistence"),
            ("ComputeKernels", "import CMPI", "only MessagePassing"),
            ("Billing", "import Foundation", "layer 1 must not import Foundation"),
            ("Billing", "@preconcurrency import struct Foundation.Date", "must not import"),
            ("Catalog", "import Glibc", "layer 2 must not import Glibc"),
            ("Reporting", "import SomethingNew", "in neither table"),
            ("Unlisted", "import Quantities", "in no row"),
        ]
    )
    func wrongArrowsAreFound(module: String, line: String, advice: String) {
        let file = SourceFile(path: "Sources/Floor/\(module)/Sample.swift", text: line + "\n")
        let findings = Self.findings(in: [file], Self.table)
        #expect(findings.count == 1)
        #expect(findings.first?.advice.contains(advice) == true, "\(findings.listed)")
        #expect(findings.first?.line == 1)
    }

    @Test(
        "A right arrow is not found",
        arguments: [
            ("Emulation", "public import Scheduling"), ("Catalog", "import Yams"),
            ("ComputeKernels", "internal import MessagePassing"),
            ("xinghe", "import ArgumentParser"),
            ("Billing", "// import Foundation"), ("yh", "import func Glibc.write"),
        ]
    )
    func rightArrowsAreNotFound(module: String, line: String) {
        let file = SourceFile(path: "Sources/Floor/\(module)/Sample.swift", text: line + "\n")
        #expect(Self.findings(in: [file], Self.table).isEmpty)
    }
}

extension [Finding] {
    /// One a line, for the message of a failed expectation.
    var listed: String { "\n" + map(\.description).joined(separator: "\n") }
}
