import Catalog
import ClusterModel
import Foundation
import HardwareTopology
import Testing
import WireFormats

/// Golden files are rewritten by `XINGHE_REWRITE_GOLDEN=1 swift test --filter ClusterModelTests`;
/// look at the difference before keeping it.
@Suite("Texts and drawings of topologies")
struct TopologyTextTests {
    let library = MachineLibrary(host: testHost)

    /// Compares with `Golden/NAME`, or writes it.
    private func expectGolden(_ text: String, _ name: String) throws {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Golden/\(name)")
        if ProcessInfo.processInfo.environment["XINGHE_REWRITE_GOLDEN"] == "1" {
            try Data(text.utf8).write(to: file)
        }
        #expect(text == (try String(contentsOf: file, encoding: .utf8)), "Golden/\(name)")
    }

    private func model(_ machine: String, _ type: String) throws -> (TopologyModel, NodeType) {
        let machine = try library.machine(named: machine)
        let index = try #require(machine.nodeTypeIndex(named: type))
        let type = machine.nodeTypes[index]
        let topology = try HwlocTopology.load(type.topology)
        topology.annotate(type.accelerators)
        return (topology.model(origin: type.topology), type)
    }

    @Test(
        "The tree of a node is as reviewed",
        arguments: [
            ("tianhe-1a", "th1a"), ("tianhe-3-prototype", "th3p-ftp"), ("mt-3000", "mt3000"),
            ("ft-256", "ft-256"), ("tianhe-2a", "th2a"),
        ]
    )
    func nodeTree(machine: String, type: String) throws {
        let (model, nodeType) = try model(machine, type)
        let text =
            model.treeText(title: "\(machine)/\(type)") + "\n" + nodeType.detailText()
        try expectGolden(text, "\(type).txt")
    }

    @Test("The description of a machine is as reviewed", arguments: ["tianhe-1a", "tianjin"])
    func machineTree(name: String) throws {
        try expectGolden(library.machine(named: name).treeText(), "\(name).txt")
    }

    @Test("The complete tree has a line or a place for every object")
    func completeTree() throws {
        let (model, _) = try model("tianhe-1a", "th1a")
        let text = model.treeText(title: "th1a", isComplete: true)
        for pu in 0..<12 { #expect(text.contains("PU P#\(pu)\n"), "PU \(pu)") }
        #expect(!text.contains("×"))
    }

    @Test("JSON parses back and counts what the tree counts")
    func json() throws {
        let (model, _) = try model("ft-256", "ft-256")
        let parsed = try JSONValue(parsing: model.json(title: "ft-256").prettyText)
        #expect(try parsed.integer("cores") == 256)
        #expect(try parsed.integer("numa_nodes") == 8)
        func count(_ value: JSONValue, _ type: String) -> Int {
            let below = ["memory_children", "children"].flatMap { value[$0]?.array ?? [] }
            return (value["type"]?.string == type ? 1 : 0)
                + below.reduce(0) { $0 + count($1, type) }
        }
        let tree = try #require(parsed["topology"])
        #expect(count(tree, "PU") == 256)
        #expect(count(tree, "NUMANode") == 8)
        let machine = try JSONValue(
            parsing: library.machine(named: "tianhe-1a").json.compactText
        )
        let totals = try #require(machine["totals"])
        #expect(try totals.integer("nodes") == 7_168)
        #expect(try totals.integer("peak_flops") / 100_000_000_000 == 47_022)
    }

    @Test(
        "No two boxes of a drawing overlap unless one is inside the other",
        arguments: [
            ("tianhe-1a", "th1a"), ("ft-256", "ft-256"), ("mt-3000", "mt3000"),
            ("tianhe-3-prototype", "th3p-ftp"), ("tianhe-2", "th2"),
        ]
    )
    func boxesDoNotOverlap(machine: String, type: String) throws {
        let (model, _) = try model(machine, type)
        try expectNested(rectangles(of: model.svgText(title: type)), type)
    }

    @Test("The drawing of a board of 384 cores shows every core, and no boxes overlap")
    func largeBoard() throws {
        let text = "package:3 group:4 [numa(memory=16GiB)] core:32 pu:1"
        let model = try HwlocTopology.synthetic(text).model(origin: .synthetic(text))
        let drawing = model.svgText(title: "board")
        #expect(drawing.components(separatedBy: ">PU ").count - 1 == 384)
        try expectNested(rectangles(of: drawing), "board")
    }

    @Test(
        "The floor plan has a place for every rack, and nodes without one",
        arguments: [
            ("tianjin", 112 + 17 + 8 + 2 + 2), ("tianhe-1", 81), ("tianhe-2a", 139),
        ]
    )
    func floorPlan(name: String, places: Int) throws {
        let drawing = try library.machine(named: name).svgText
        let pattern = #/<use href="#rack\d+" x="(\d+)" y="(\d+)"/#
        let corners = drawing.matches(of: pattern).map { "\($0.1) \($0.2)" }
        #expect(corners.count == places)
        #expect(Set(corners).count == places)
        // A node without a rack is drawn by itself: Nebulae has thousands.
        #expect(drawing.utf8.count < 400_000)
    }

    private struct Rectangle {
        let left: Int
        let top: Int
        let right: Int
        let bottom: Int

        func holds(_ other: Rectangle) -> Bool {
            left <= other.left && top <= other.top && right >= other.right
                && bottom >= other.bottom
        }

        func isApart(from other: Rectangle) -> Bool {
            right <= other.left || other.right <= left || bottom <= other.top
                || other.bottom <= top
        }
    }

    private func rectangles(of svg: String) throws -> [Rectangle] {
        let pattern = #/<rect class="[a-z0-9]+" x="(\d+)" y="(\d+)" width="(\d+)" height="(\d+)"/#
        return try svg.matches(of: pattern).map { match in
            let x = try #require(Int(match.1))
            let y = try #require(Int(match.2))
            return Rectangle(
                left: x,
                top: y,
                right: x + (try #require(Int(match.3))),
                bottom: y + (try #require(Int(match.4)))
            )
        }
    }

    private func expectNested(_ boxes: [Rectangle], _ name: String) throws {
        #expect(boxes.count > 10, "\(name)")
        for first in boxes.indices {
            for second in (first + 1)..<boxes.count {
                let a = boxes[first]
                let b = boxes[second]
                if a.isApart(from: b) || a.holds(b) || b.holds(a) { continue }
                Issue.record("\(name): \(a) and \(b) overlap")
                return
            }
        }
    }
}
