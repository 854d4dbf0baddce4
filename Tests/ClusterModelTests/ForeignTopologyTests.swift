import ClusterModel
import Determinism
import Foundation
import HardwareTopology
import Testing
import WireFormats

/// Documents that others wrote, rightly or not.
@Suite("Topologies from elsewhere")
struct ForeignTopologyTests {
    @Test("PUs without cores are cores, on whatever computer")
    func pusAreCores() throws {
        for (description, cores) in [("pu:4", 4), ("package:2 pu:3", 6), ("core:2 pu:2", 2)] {
            let source = TopologySource.synthetic(description)
            let model = try HwlocTopology.load(source).model(origin: source)
            #expect(model.coreCount == cores, "\(description)")
        }
    }

    /// Devices, and how many cards they are.
    private static let cards: [(String, Int)] = {
        let (cuda0, cuda1) = (device("cuda0", "CUDA"), device("cuda1", "CUDA"))
        let opencl = device("opencl0d0", "OpenCL")
        let rsmi = device("rsmi0", "RSMI")
        let tiles = device("ze0", "LevelZero") + device("ze0.0", "LevelZero")
        let nvml = device("nvml0", "NVML", type: "1")
        let graphics = nvml + device("card0", "DRM", type: "1")
        return [
            // Without a place on the bus: the library that sees most.
            (cuda0 + opencl, 1), (cuda0 + cuda1 + opencl, 2),
            // On the bus.
            (pci(1, cuda0 + opencl), 1), (pci(1, cuda0) + pci(2, cuda1), 2),
            // One library knows the place and the other does not; two makers; two tiles of a card.
            (pci(1, cuda0) + opencl, 1), (pci(1, cuda0) + pci(2, rsmi), 2), (pci(1, tiles), 1),
            // Graphics count where there is nothing better; no role at all counts nothing.
            (pci(1, graphics), 1), (pci(1, nvml + cuda0), 1),
            (device("x0", "X", type: "-1"), 0), (device("x0", "X", type: "77"), 0),
        ]
    }()

    @Test("A card is one, however many libraries see it", arguments: cards)
    func cardsAreCountedOnce(devices: String, cards: Int) throws {
        #expect(try model(devices).acceleratorCount == cards, "\(devices)")
    }

    @Test("hwloc 3's sets of roles are read by hwloc 2, and its infos are left out")
    func versionThree() throws {
        let devices =
            device("cuda0", "CUDA", type: "12") + device("eth0", "", type: "16")
            + device("sda", "Disk", type: "1") + device("dax0.0", "SPM", type: "2")
        let end = #"<support name="discovery.pu"/><info name="Backend" value="Linux"/>"#
        let model = try model(devices, version: "3.0", end: end)
        #expect(model.acceleratorCount == 1 && model.coreCount == 1)
        #expect(model.root.count(of: .osDevice(.network)) == 1)
        #expect(model.root.count(of: .osDevice(.block)) == 2)
    }

    /// `XINGHE_FUZZ` and `XINGHE_SEED` set how many and which; `bench/topology.sh` asks for many more.
    @Test("A document of which anything is changed is refused or read, and ends nothing")
    func mutatedDocuments() throws {
        let environment = ProcessInfo.processInfo.environment
        let count = environment["XINGHE_FUZZ"].flatMap(Int.init) ?? 500
        let seed = environment["XINGHE_SEED"].flatMap(UInt64.init) ?? .random(in: 0...UInt64.max)
        // Before the first document, since a crash would say nothing.
        print("mutated documents: \(count), seed \(seed)")
        var random = SplitMix64(seed: seed)
        let devices = pci(1, device("cuda0", "CUDA")) + device("eth0", "", type: "2")
        let right = Array(Self.document(devices, version: "2.0", end: "").utf8)
        var read = 0
        for _ in 0..<count {
            let text = String(decoding: mutated(right, &random), as: UTF8.self)
            guard let topology = try? HwlocTopology.xml(text, name: "mutated") else { continue }
            let model = topology.model(origin: .xml(name: "mutated", text: text))
            read += model.treeText(title: "mutated", isComplete: true).isEmpty ? 0 : 1
            _ = model.json(title: "mutated").compactText
            _ = model.svgText(title: "mutated")
        }
        #expect(read > count / 20, "seed \(seed)")
    }

    private func model(
        _ devices: String,
        version: String = "2.0",
        end: String = ""
    ) throws -> TopologyModel {
        let text = Self.document(devices, version: version, end: end)
        let source = TopologySource.xml(name: "test.xml", text: text)
        return try HwlocTopology.load(source).model(origin: source)
    }

    /// A computer of one core with some devices.
    private static func document(_ devices: String, version: String, end: String) -> String {
        let sets = #"cpuset="0x1" complete_cpuset="0x1" nodeset="0x1" complete_nodeset="0x1""#
        return """
            <?xml version="1.0" encoding="UTF-8"?>
            <!DOCTYPE topology SYSTEM "hwloc2.dtd">
            <topology version="\(version)">
              <object type="Machine" os_index="0" \(sets) allowed_cpuset="0x1" \
            allowed_nodeset="0x1" gp_index="1">
                <object type="NUMANode" os_index="0" \(sets) gp_index="2" local_memory="1073741824"/>
                <object type="L2Cache" \(sets) gp_index="5" cache_size="1048576" depth="2" \
            cache_linesize="64" cache_associativity="8" cache_type="0">
                  <object type="Core" os_index="0" \(sets) gp_index="3">
                    <object type="PU" os_index="0" \(sets) gp_index="4"/>
                  </object>
                </object>
                <object type="Bridge" gp_index="6" bridge_type="0-1" depth="0" \
            bridge_pci="0000:[00-05]">
                  \(devices)
                </object>
              </object>\(end)
            </topology>
            """
    }
}

private func device(_ name: String, _ library: String, type: String = "5") -> String {
    let number = 100 + name.utf8.reduce(0) { $0 * 31 % 9_973 + Int($1) }
    return #"<object type="OSDev" gp_index="\#(number)" name="\#(name)" subtype="\#(library)" "#
        + #"osdev_type="\#(type)"/>"#
}

private func pci(_ slot: Int, _ devices: String) -> String {
    #"<object type="PCIDev" gp_index="\#(20 + slot)" pci_busid="0000:0\#(slot):00.0" "#
        + #"pci_type="0302 [10de:06de] [10de:0846] a3 00" pci_link_speed="0.000000">\#(devices)</object>"#
}

/// A few bytes of a document changed, doubled or left out, numbers by numbers that are hard.
private func mutated(_ document: [UInt8], _ random: inout SplitMix64) -> [UInt8] {
    var bytes = document
    for _ in 0..<random.draw(1...3) {
        let at = random.draw(0...bytes.count - 1)
        let end = min(bytes.count, at + random.draw(1...12))
        switch random.draw(0...4) {
        case 0: bytes[at] = UInt8(random.draw(32...126))
        case 1: bytes.removeSubrange(at..<end)
        case 2: bytes.insert(contentsOf: bytes[at..<end], at: at)
        default:
            // The number after the next quotation mark.
            guard let quote = bytes[at...].firstIndex(of: 34), quote + 1 < bytes.count,
                let close = bytes[(quote + 1)...].firstIndex(of: 34)
            else { continue }
            let hard = [
                "-1", "0", "4294967296", "-2147483648", "18446744073709551615", "0xf...f", "",
            ]
            let word = hard[random.draw(0...hard.count - 1)]
            bytes.replaceSubrange((quote + 1)..<close, with: Array(word.utf8))
        }
    }
    return bytes
}
