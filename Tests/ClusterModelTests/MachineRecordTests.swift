import Accounts
import Catalog
import ClusterModel
import IndexSets
import Quantities
import Testing
import WireFormats

@Suite("Machine records")
struct MachineRecordTests {
    private let library = MachineLibrary(host: testHost)

    @Test(
        "Every shipped machine comes out of its record as it went in",
        arguments: MachineCatalog.machineNames
    )
    func roundTrip(name: String) throws {
        let machine = try library.machine(named: name)
        let text = MachineRecord(machine).json.compactText
        let read = try MachineRecord(json: JSONValue(parsing: text))
        #expect(read.machine == machine)
        #expect(read.json.compactText == text)
    }

    @Test("Software comes out of a record as it went in")
    func software() throws {
        var machine = smallMachine()
        let programs = [
            SoftwareProgram(name: "lmp", time: .kernel("md", size: "8x8x8", repeats: 3)),
            SoftwareProgram(
                name: "foam",
                time: .formula(serial: SimDuration(seconds: 60), shared: SimDuration(seconds: 9))
            ),
        ]
        machine.software = [
            SoftwareModule(name: "lammps/2023", programs: programs),
            SoftwareModule(name: "empty", programs: []),
        ]
        let text = MachineRecord(machine).json.compactText
        #expect(try MachineRecord(json: JSONValue(parsing: text)).machine == machine)
    }

    @Test("Clusters come out of a record as they went in, and what they share is refused")
    func clusters() throws {
        var machine = smallMachine()
        machine.partitions[0].nodes = IDSet([0, 1])
        machine.partitions.append(machine.partitions[0])
        machine.partitions[1].name = "other"
        machine.partitions[1].nodes = IDSet([2, 3])
        machine.clusters = [
            Cluster(name: "b", title: "B", partitions: [1], defaultPartitionIndex: 1)
        ]
        let read = try MachineRecord(json: MachineRecord(machine).json)
        #expect(read.machine == machine)
        #expect(machine.allClusters.map(\.name) == ["m", "b"])
        #expect(machine.ownCluster.partitions == [0])
        machine.partitions[1].nodes.insert(1)
        let failure = try #require(throws: JSONValue.Malformed.self) {
            try MachineRecord(json: MachineRecord(machine).json)
        }
        #expect(failure.problem == "node 'n9' is of two clusters")
    }

    private func smallMachine() -> Machine {
        let capacity = NodeCapacity(cores: 2, memory: ByteCount(mebibytes: 64))
        return Machine(
            name: "m",
            title: "M",
            systems: [],
            nodeTypes: [
                NodeType(
                    name: "t",
                    title: "T",
                    topology: .synthetic("core:2 pu:1"),
                    processor: Processor(model: "p"),
                    capacity: capacity
                )
            ],
            // Neither in order nor all of one width, so a host list alone would lose the order.
            nodes: ["n10", "n9", "x", "n011"].map {
                ClusterNode(name: $0, typeIndex: 0, capacity: capacity)
            },
            partitions: [Partition(name: "p", nodes: IDSet([0, 1, 3]), platform: "f")],
            platforms: [Platform(name: "f", title: "F", isKey: true)],
            accounts: [AccountEntry(name: "a", title: "A", customerClass: .maker, users: ["u"])]
        )
    }

    @Test("Nodes keep their order, and an account its users")
    func order() throws {
        let machine = smallMachine()
        let text = MachineRecord(machine).json.compactText
        #expect(try MachineRecord(json: JSONValue(parsing: text)).machine == machine)
        #expect(text.hasPrefix("{\"version\":1,\"machine\":\"m\""))
        #expect(text.contains("\"nodes\":\"0-1,3\""))
    }

    @Test(
        "A record that cannot be is refused by what is wrong in it",
        arguments: [
            ("\"version\":1", "\"version\":2", "version 2"),
            ("\"type\":0", "\"type\":1", "node n10"),
            ("\"0-1,3\"", "\"0-4\"", "'p' has nodes that are not there"),
            ("\"0-1,3\"", "\"3-1\"", "no range of nodes"),
            ("\"0-1,3\"", "\"\"", "partition p has no nodes"),
            ("\"names\":\"n9\"", "\"names\":\"n10\"", "a node is there twice"),
            ("\"names\":\"n9\"", "\"names\":\"n[9\"", "names 'n[9'"),
            ("\"default_account\":0", "\"default_account\":1", "default account"),
            ("\"default_partition\":0", "\"default_partition\":-1", "default partition"),
            ("\"core_hour_ufen\":0", "\"core_hour_ufen\":-1", "price of partition p"),
            ("\"class\":\"maker\"", "\"class\":\"king\"", "\"class\": one of enterprise"),
            ("\"cores\":2", "\"cores\":0", "node n10"),
            ("\"platform\":\"f\",", "", "\"platform\" is missing"),
        ]
    )
    func refusals(good: String, bad: String, words: String) throws {
        let text = MachineRecord(smallMachine()).json.compactText
        try #require(text.contains(good), "\(text)")
        let json = try JSONValue(parsing: text.replacing(good, with: bad))
        let failure = try #require(throws: JSONValue.Malformed.self) {
            try MachineRecord(json: json)
        }
        #expect(failure.problem.contains(words), "\(failure.problem)")
    }

    @Test("What was discovered, titles and customers are no difference; all else is named")
    func differences() throws {
        let known = try library.machine(named: "tianjin")
        var other = testHost
        other.cores = 96
        other.processorModel = "other"
        let elsewhere = try MachineLibrary(host: other).machine(named: "tianjin")
        #expect(elsewhere != known)
        #expect(elsewhere.differences(from: known).isEmpty)
        var changed = known
        changed.partitions[0].quota.nodes = 7
        changed.partitions[1].title = "another title"
        changed.accounts.removeLast()
        changed.switches[0].name = "renamed"
        changed.nodes.append(
            ClusterNode(name: "extra", typeIndex: 0, capacity: known.nodes[0].capacity)
        )
        changed.systems[0].nodes.insert(known.nodes.count)
        changed.clusters.append(
            Cluster(name: "b", title: "B", partitions: [1], defaultPartitionIndex: 1)
        )
        changed.software = [SoftwareModule(name: "lammps", programs: [])]
        #expect(
            changed.differences(from: known) == [
                "nodes extra are new",
                "switch \(known.switches[0].name) is missing", "switch renamed is new",
                "partition \(known.partitions[0].name): quota.nodes is 7, not 2048",
                "cluster b is new", "software is otherwise",
            ]
        )
    }
}
