import ArgumentParser
import Catalog
import ClusterModel
import HardwareTopology
import Quantities
import WireFormats

/// `xinghe machines`: what is shipped.
struct MachinesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "machines",
        abstract: "List the machines of the catalogue.",
        discussion: "'xinghe topology MACHINE' shows one; docs/machines.md says how to add one."
    )

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let library = try MachineChoice.library()
        let machines = try MachineCatalog.machineNames.map { try library.machine(named: $0) }
        try StandardOutput.print(json ? jsonText(machines) : table(machines), isData: json)
    }

    private func table(_ machines: [Machine]) -> String {
        let header = ["NAME", "NODES", "CORES", "CARDS", "PEAK", "NODE TYPES", "TITLE"]
        let rows = machines.map { machine in
            let totals = machine.totals
            let isKnown = totals.nodesWithoutPeakCount < totals.nodeCount
            return [
                machine.name, totals.nodeCount.groupedText, totals.coreCount.groupedText,
                totals.acceleratorCount.groupedText, isKnown ? totals.peak.teraflopText : "-",
                machine.nodeTypes.map(\.name).joined(separator: ","), machine.title,
            ]
        }
        return textTable([header] + rows, rightAligned: [1, 2, 3, 4]).joined(separator: "\n")
    }

    private func jsonText(_ machines: [Machine]) -> String {
        JSONValue.array(
            machines.map { machine in
                [
                    "name": .string(machine.name), "title": .string(machine.title),
                    "nodes": .integer(Int64(machine.nodes.count)),
                    "cores": .integer(machine.totals.coreCount),
                    "node_types": .array(machine.nodeTypes.map { .string($0.name) }),
                    "partitions": .array(machine.partitions.map { .string($0.name) }),
                ]
            }
        ).prettyText
    }
}
