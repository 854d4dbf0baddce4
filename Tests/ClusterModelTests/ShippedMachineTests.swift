import Catalog
import ClusterModel
import HardwareTopology
import IndexSets
import Quantities
import Testing

/// A host that is the same everywhere.
let testHost = HostDescription(
    name: "testhost",
    processorModel: "Test processor",
    cores: 4,
    memory: ByteCount(mebibytes: 8_192)
)

@Suite("Shipped machines")
struct ShippedMachineTests {
    let library = MachineLibrary(host: testHost)

    @Test("Every shipped machine loads", arguments: MachineCatalog.machineNames)
    func everyMachineLoads(name: String) throws {
        let machine = try library.machine(named: name)
        #expect(machine.name == name)
        #expect(!machine.nodes.isEmpty)
        #expect(!machine.partitions.isEmpty)
        #expect(machine.totals.nodeCount == machine.nodes.count)
        // A node's indices point at racks and switches that hold it.
        for (index, node) in machine.nodes.enumerated() {
            if let rack = node.rackIndex { #expect(machine.racks[rack].nodes.contains(index)) }
            if let leaf = node.switchIndex {
                #expect(machine.switches[leaf].nodes.contains(index))
                #expect(machine.switches[leaf].level == 0)
            }
        }
        for (index, item) in machine.switches.enumerated() {
            guard let parent = item.parentIndex else { continue }
            #expect(parent < index)
            #expect(machine.switches[parent].nodes.isSuperset(of: item.nodes))
        }
        for partition in machine.partitions {
            #expect(machine.platform(named: partition.platform) != nil)
        }
    }

    @Test("The computed peaks agree with the arithmetic of the sources")
    func peaksAgree() throws {
        // Unit: Tflop/s, one decimal, from facts about the machines.
        let expected: [(String, String)] = [
            ("tianhe-1", "1,206.2 TF"), ("tianhe-1a", "4,702.2 TF"), ("nebulae", "2,983.0 TF"),
            ("tianhe-2", "54,912.0 TF"), ("tianhe-2a", "94,966.6 TF"), ("mt-3000", "11,875.1 TF"),
        ]
        for (name, text) in expected {
            let totals = try library.machine(named: name).totals
            #expect(totals.peak.teraflopText == text, "\(name)")
            #expect(totals.nodesWithoutPeakCount == 0, "\(name)")
        }
        let prototype = try library.machine(named: "tianhe-3-prototype")
        let work = try #require(prototype.partitionIndex(named: "work"))
        let totals = prototype.totals(of: prototype.partitions[work].nodes)
        #expect(totals.peak.teraflopText == "3,145.7 TF")
        #expect(totals.nodeCount == 6_144)
    }

    @Test("tianjin joins Tianhe-1A, the prototype, AI cards and the host")
    func tianjinJoins() throws {
        let machine = try library.machine(named: "tianjin")
        #expect(machine.defaultPartition.name == "TH_NET")
        #expect(machine.defaultAccount.name == "guest")
        #expect(machine.partitions.map(\.name) == ["TH_NET", "work", "test", "ai", "host"])
        #expect(machine.systems.map(\.name).contains("tianhe-1a"))
        let hostIndex = try #require(machine.partitionIndex(named: "host"))
        let host = machine.partitions[hostIndex]
        #expect(host.backend == .local)
        #expect(host.sharing == .cores)
        let node = try #require(host.nodes.first)
        #expect(machine.nodes[node].capacity.cores == 4)
        #expect(machine.nodes[node].capacity.memory == testHost.memory)
        #expect(machine.nodeType(ofNode: node).topology == .host)
        #expect(
            machine.accounts.count { $0.customerClass != .individual && $0.enterprise != nil } >= 2
        )
        #expect(machine.accounts.contains { $0.customerClass == .university })
        #expect(machine.platform(named: "tianhe")?.isKey == true)
        #expect(machine.platform(named: "host")?.isKey == false)
        // Joined nodes keep their racks and switches.
        let last = try #require(machine.nodes.firstIndex { $0.name == "mt0000" })
        #expect(machine.racks[try #require(machine.nodes[last].rackIndex)].name == "P00")
        #expect(machine.switches[try #require(machine.nodes[last].switchIndex)].name == "board000")
    }

    @Test("A machine that refers to the host needs one")
    func hostIsNeeded() {
        #expect(throws: CatalogError.self) {
            try MachineLibrary().machine(named: "tianjin")
        }
    }

    @Test("An unknown machine is refused with names that are near")
    func unknownMachine() throws {
        do {
            _ = try library.machine(named: "tianhe1a")
            Issue.record("accepted")
        } catch {
            guard case .unknownMachine(_, let similar, _) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(similar.first == "tianhe-1a")
        }
    }
}
