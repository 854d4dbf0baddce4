import Accounts
import Catalog
import ClusterModel
import Foundation
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

    @Test("A word is a shipped machine if there is one, else a file if there is one")
    func words() throws {
        let text = try #require(MachineCatalog.machineText(named: "mt-3000"))
        let files = ["lab": text, "tianhe-1a": "nonsense", "./tianhe-1a": text]
        let library = MachineLibrary(host: testHost) { files[$0] }
        #expect(try library.machine("lab").name == "mt-3000")
        #expect(try library.machine("tianhe-1a").name == "tianhe-1a")
        #expect(try library.machine("./tianhe-1a").name == "mt-3000")
        for word in ["nosuch", "nosuch.yaml"] {
            #expect(throws: CatalogError.self) { try library.machine(word) }
        }
    }

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

    @Test("tianjin joins Tianhe-1A, the prototype, cards, data and the host, beside Nebulae")
    func tianjinJoins() throws {
        let machine = try library.machine(named: "tianjin")
        #expect(machine.defaultPartition.name == "TH_NET")
        #expect(machine.defaultAccount.name == "guest")
        let own = machine.ownCluster.partitions.map { machine.partitions[$0].name }
        #expect(own == ["TH_NET", "work", "test", "ai", "data", "host"])
        #expect(machine.allClusters.map(\.name) == ["tianjin", "nebulae"])
        #expect(machine.platform(named: "tianjin-data")?.storageMicrofen == 50_000_000)
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

    @Test("Every number of a shipped machine has a source", arguments: MachineCatalog.machineNames)
    func everyNumberHasASource(name: String) throws {
        let machine = try library.machine(named: name)
        func expect(_ isGiven: Bool, _ field: String, _ facts: [Fact], _ owner: String) {
            guard isGiven else { return }
            #expect(facts.contains { $0.field == field }, "\(name), \(owner): \(field)")
        }
        for type in machine.nodeTypes where type.topology != .host {
            let cards = type.accelerators
            expect(true, "cores", type.facts, type.name)
            expect(true, "memory", type.facts, type.name)
            expect(type.processor.clock != nil, "processor.clock", type.facts, type.name)
            expect(
                type.processor.flopsPerCycle != nil,
                "processor.flops_per_cycle",
                type.facts,
                type.name
            )
            expect(type.memoryBandwidth != nil, "memory_bandwidth", type.facts, type.name)
            expect(type.powerWatts != nil, "power", type.facts, type.name)
            expect(!cards.isEmpty, "accelerators.count", type.facts, type.name)
            expect(cards.contains { $0.peak != nil }, "accelerators.peak", type.facts, type.name)
            expect(
                cards.contains { $0.memory != nil },
                "accelerators.memory",
                type.facts,
                type.name
            )
            expect(
                cards.contains { $0.powerWatts != nil },
                "accelerators.power",
                type.facts,
                type.name
            )
        }
        for system in machine.systems {
            let published = system.published
            expect(published.peak != nil, "published.peak", system.facts, system.name)
            expect(published.linpack != nil, "published.linpack", system.facts, system.name)
            expect(published.memory != nil, "published.memory", system.facts, system.name)
            expect(published.powerWatts != nil, "published.power", system.facts, system.name)
            expect(
                system.network?.linkBandwidth != nil,
                "network.link_bandwidth",
                system.facts,
                system.name
            )
            expect(
                system.network?.latencyNanoseconds != nil,
                "network.latency",
                system.facts,
                system.name
            )
        }
        for partition in machine.partitions {
            let facts = partition.facts
            let prices = partition.prices
            expect(
                partition.maximumTimeLimit != nil,
                "time_limit.maximum",
                facts,
                partition.name
            )
            expect(prices.coreHourMicrofen > 0, "prices.core_hour", facts, partition.name)
            expect(prices.cardHourMicrofen > 0, "prices.card_hour", facts, partition.name)
            expect(prices.nodeHourMicrofen > 0, "prices.node_hour", facts, partition.name)
            expect(partition.quota.nodes != nil, "quota.nodes", facts, partition.name)
        }
    }

    @Test("hwloc agrees with every shipped node type", arguments: MachineCatalog.machineNames)
    func hwlocAgrees(name: String) throws {
        for type in try library.machine(named: name).nodeTypes {
            let problem = TopologyCheck.problem(type.topology, type.capacity)
            #expect(problem == nil, "\(name)/\(type.name)")
        }
    }

    @Test("The lists of shipped files are those of the folder")
    func listsAreComplete() throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../Sources/Dialects/Catalog/Resources/machines")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        let machines = names.filter { $0.hasSuffix(".yaml") && $0 != "customers.yaml" }
        #expect(Set(machines) == Set(MachineCatalog.machineNames.map { $0 + ".yaml" }))
        for name in MachineCatalog.machineNames {
            let file = folder.appendingPathComponent(name + ".yaml")
            #expect(
                MachineCatalog.machineText(named: name)
                    == (try String(contentsOf: file, encoding: .utf8))
            )
        }
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

    @Test("The example of docs/machines.md is a machine, and hwloc agrees with it")
    func documentedExampleLoads() throws {
        let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../docs/machines.md")
        let parts = try String(contentsOf: page, encoding: .utf8).components(separatedBy: "```")
        let example = try #require(parts.first { $0.hasPrefix("yaml\nmachine:") }).dropFirst(5)
        let checked = MachineLibrary(host: testHost, topologyProblem: TopologyCheck.problem)
        let machine = try checked.machine(text: String(example), file: "machines.md")
        #expect(machine.totals.coreCount == 32)
        #expect(machine.defaultAccount.name == "default")
        #expect(machine.nodeTypes[0].peak?.gigaflopText == "384.0 GF")
    }
}
