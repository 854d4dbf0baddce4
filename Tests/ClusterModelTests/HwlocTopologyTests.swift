import ClusterModel
import Foundation
import HardwareTopology
import IndexSets
import Quantities
import Testing

@Suite("hwloc topologies")
struct HwlocTopologyTests {
    /// Name, packages, cores, NUMA nodes, GiB of the NUMA nodes, and hwloc's synthetic string.
    ///
    /// The counts are those of `hwloc-calc` 2.9.0 on the same strings.
    static let models: [(String, Int, Int, Int, Int64, String)] = [
        ("th1-e5540", 2, 8, 2, 32, l3("16GiB", "8MiB", 4, "256KiB")),
        (
            "th1-e5450", 2, 8, 1, 32,
            "[numa(memory=32GiB)] package:2 l2:2(size=6MiB) l1d:2(size=32KiB) "
                + "l1i:1(size=32KiB) core:1 pu:1"
        ),
        ("th1a", 2, 12, 2, 24, l3("12GiB", "12MiB", 6, "256KiB")),
        ("th2", 2, 24, 2, 64, l3("32GiB", "30MiB", 12, "256KiB")),
        ("th2a", 2, 24, 2, 192, l3("96GiB", "30MiB", 12, "256KiB")),
        (
            "th3p board", 3, 384, 12, 192,
            "package:3 group:4 [numa(memory=16GiB)] core:32 pu:1"
        ),
        ("th3p-mtp", 1, 32, 1, 16, "package:1 [numa(memory=16GiB)] group:8 core:4 pu:1"),
        (
            "th3p-ftp", 1, 64, 8, 64,
            "package:1 group:8 [numa(memory=8GiB)] l2:2(size=2MiB) l1d:4(size=32KiB) "
                + "l1i:1(size=32KiB) core:1 pu:1"
        ),
        (
            "FT-2000/64 Mars, whose groups hwloc merges with its L3", 1, 64, 8, 128,
            "package:1 group:8 [numa(memory=16GiB)] l3:1(size=16MiB) l2:2(size=2MiB) "
                + "l1d:4(size=32KiB) l1i:1(size=32KiB) core:1 pu:1"
        ),
        (
            "S2500 x 2", 2, 128, 16, 256,
            "package:2 group:8 [numa(memory=16GiB)] l3:1(size=8MiB) l2:8(size=512KiB) "
                + "l1d:1(size=32KiB) l1i:1(size=32KiB) core:1 pu:1"
        ),
        (
            "256 cores", 1, 256, 8, 128,
            "package:1 group:8 [numa(memory=16GiB)] l2:8(size=2MiB) l1d:4(size=32KiB) core:1 pu:1"
        ),
        ("TianheXY-C", 1, 64, 8, 512, "package:1 group:8 [numa(memory=64GiB)] core:8 pu:1"),
        (
            "8-card node", 2, 56, 2, 1_024,
            "package:2 [numa(memory=512GiB)] l3:1(size=42MiB) l2:28(size=1280KiB) "
                + "l1d:1(size=48KiB) l1i:1(size=32KiB) core:1 pu:1"
        ),
    ]

    /// Two packages of `cores` cores with an L2 each below one L3.
    private static func l3(_ memory: String, _ l3: String, _ cores: Int, _ l2: String) -> String {
        "package:2 [numa(memory=\(memory))] l3:1(size=\(l3)) l2:\(cores)(size=\(l2)) "
            + "l1d:1(size=32KiB) l1i:1(size=32KiB) core:1 pu:1"
    }

    @Test("Synthetic strings give the counts that hwloc's own tools give", arguments: models)
    func countsAgree(
        name: String,
        packages: Int,
        cores: Int,
        numaNodes: Int,
        gibibytes: Int64,
        text: String
    ) throws {
        let model = try HwlocTopology.synthetic(text).model(origin: .synthetic(text))
        #expect(model.packageCount == packages, "\(name)")
        #expect(model.coreCount == cores, "\(name)")
        #expect(model.puCount == cores, "\(name)")
        #expect(model.numaNodeCount == numaNodes, "\(name)")
        #expect(model.memory == ByteCount(mebibytes: gibibytes * 1_024), "\(name)")
        // Beyond 64 PUs too, every PU is in the root's set.
        #expect(model.root.pus == IDSet(0..<cores), "\(name)")
    }

    @Test("A group may have two memories")
    func twoMemories() throws {
        let text =
            "package:1 group:4 [numa(memory=32GiB)(indexes=0,2,4,6)] "
            + "[numa(memory=48MiB)(indexes=1,3,5,7)] core:4 pu:1"
        let model = try HwlocTopology.synthetic(text).model(origin: .synthetic(text))
        #expect(model.numaNodeCount == 8)
        let package = try #require(model.root.children.first)
        #expect(package.children.count == 4)
        for group in package.children {
            let sizes = group.memoryChildren.compactMap(\.localMemory?.mebibytes)
            #expect(sizes == [32_768, 48])
            #expect(group.children.count == 4)
        }
    }

    @Test("A bad synthetic string is refused with the word that is wrong")
    func badWord() throws {
        for (text, word) in [
            ("package:2 nonsense:3 core:1 pu:1", "nonsense:3"),
            ("package:2 l3:1(size=24.75MiB) core:4 pu:1", "l3:1(size=24.75MiB)"),
        ] {
            do {
                _ = try HwlocTopology.synthetic(text)
                Issue.record("accepted: \(text)")
            } catch {
                #expect(error.call == "hwloc_topology_set_synthetic")
                #expect(error.subject.contains("near '\(word)'"), "\(error)")
            }
        }
    }

    @Test("A topology written as XML reads back as the same tree", arguments: models.map(\.5))
    func xmlRoundTrip(text: String) throws {
        let first = try HwlocTopology.synthetic(text)
        let second = try HwlocTopology.xml(first.xmlText(), name: "round trip")
        #expect(
            second.model(origin: .host).root.children == first.model(origin: .host).root.children
        )
    }

    @Test("Text that is no XML is refused")
    func badXML() {
        #expect(throws: HwlocFailure.self) { _ = try HwlocTopology.xml("<no>", name: "bad.xml") }
        #expect(throws: HwlocFailure.self) { _ = try HwlocTopology.xml("", name: "empty.xml") }
    }

    @Test("lstopo opens the XML, cards of synthetic types included")
    func lstopoOpensXML() throws {
        let text = "package:1 [numa(memory=1GiB)] core:3 pu:1"
        let topology = try HwlocTopology.synthetic(text)
        topology.annotate([Accelerator(kind: "mic", model: "Test card", count: 2)])
        let model = topology.model(origin: .synthetic(text))
        #expect(model.acceleratorCount == 2)
        let output = try lstopo(topology.xmlText())
        #expect(output.contains("Package L#0"))
        #expect(output.contains("Core L#2"))
        #expect(output.contains("mic1"))
    }

    @Test("lstopo opens the XML of the host")
    func lstopoOpensHost() throws {
        #expect(try lstopo(HwlocTopology.host().xmlText()).contains("Machine"))
    }

    /// What `lstopo-no-graphics -i FILE` prints.
    private func lstopo(_ xml: String) throws -> String {
        let file = FileManager.default.temporaryDirectory
            .appendingPathComponent("xinghe-\(UUID().uuidString).xml")
        try Data(xml.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["lstopo-no-graphics", "-i", file.path]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return String(decoding: output, as: UTF8.self)
    }
}

@Suite("The host")
struct HostTests {
    @Test("Counts agree with what the operating system offers")
    func countsAgree() throws {
        let model = try HostProbe.model()
        #expect(model.puCount >= 1)
        #expect(model.puCount == ProcessInfo.processInfo.activeProcessorCount)
        #expect(model.coreCount <= model.puCount)
        #expect(model.numaNodeCount >= 1)
        #expect(model.root.pus.count == model.puCount)
    }

    @Test("Its memory is the operating system's, not the sum over NUMA nodes")
    func memoryIsTheSystems() throws {
        let physical = Int64(ProcessInfo.processInfo.physicalMemory)
        let described = try HostProbe.describe()
        #expect(try HostProbe.model().memory == described.memory)
        // MemTotal leaves out what the kernel keeps for itself at boot.
        #expect(described.memory.count <= physical * 101 / 100)
        #expect(described.memory.count >= physical * 80 / 100)
    }

    @Test("Pages lie on the NUMA node that was asked for, or the kernel says why not")
    func pagesLieWhereAsked() throws {
        for placement in try HostProbe.model().placement {
            #expect(placement.pageCount > 0)
            if placement.problem == nil {
                #expect(placement.pagesOnNode == placement.pageCount, "node \(placement.node)")
            }
        }
    }

    @Test("Where hwloc finds no cores each PU is one")
    func pusAreCores() throws {
        let bare = try HwlocTopology.synthetic("numa:1 pu:2").pusOfCores
        #expect(bare.map(Array.init) == [[0], [1]])
        let whole = try HwlocTopology.synthetic("numa:1 core:2 pu:2").pusOfCores
        #expect(whole.map(Array.init) == [[0, 1], [2, 3]])
    }

    @Test("A thread that is bound to one core stays on its PUs")
    func bindingHolds() throws {
        let topology = try HwlocTopology.host()
        let before = try topology.threadBinding()
        let core = try #require(topology.pusOfCores.last)
        try topology.bindThread(toPUs: core)
        #expect(try topology.threadBinding() == core)
        try topology.bindThread(toPUs: before)
        #expect(try topology.threadBinding() == before)
    }
}
