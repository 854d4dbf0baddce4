import ArgumentParser
import Catalog
import ClusterModel
import HardwareTopology
import IndexSets
import WireFormats

/// `xinghe topology`: the structure of the host, of a machine, or of one of its nodes.
struct TopologyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "topology",
        abstract: "Show the structure of this host, of a machine, or of one of its nodes.",
        discussion: """
            EXAMPLES
              xinghe topology                                  this host
              xinghe topology tianhe-1a                        a machine: racks, partitions, totals
              xinghe topology tianhe-1a/th1a                   one of its nodes
              xinghe topology ft-256/ft-256 --format svg --output ft-256.svg
              xinghe topology mt-3000/mt3000 --format xml | lstopo-no-graphics --if xml -i -
              xinghe topology --machine my.yaml my-node
              xinghe topology node.xml                         what lstopo wrote on another computer
              xinghe topology "package:2 l3:1 core:8 pu:2"     hwloc's synthetic description

            'xinghe machines' lists the machines. XML is hwloc's format, of version 1, 2 or 3, and \
            describes one node.
            """
    )

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case tree, json, xml, svg
    }

    @Argument(
        help: ArgumentHelp(
            "What to show: 'host', MACHINE, MACHINE/NODETYPE, FILE.xml or a synthetic description; "
                + "with --machine, a NODETYPE of it.",
            valueName: "target"
        )
    )
    var target: String?

    @Option(help: "tree for people, json for programs, xml for hwloc's tools, svg to look at.")
    var format: Format = .tree

    @Option(name: .shortAndLong, help: "Write to FILE instead of standard output.")
    var output: String?

    @Option(help: ArgumentHelp("Read the machine from FILE.", valueName: "FILE"))
    var machine: String?

    @Flag(help: "Draw equal parts of a node one by one (tree).")
    var all = false

    @Flag(help: "List where each number comes from (tree).")
    var sources = false

    func run() throws {
        let text = try text()
        if format == .tree, output == nil {
            try StandardOutput.print(text, terminator: "")
        } else {
            try OutputFile.write(text, to: output)
        }
    }

    private func text() throws -> String {
        if let machine {
            let loaded = try MachineChoice.machine(path: machine)
            guard let target else { return try text(of: loaded) }
            return try text(ofType: target, in: loaded)
        }
        guard let target, target != "host" else { return try hostText() }
        if let source = try Self.source(of: target) { return try text(of: source) }
        if MachineChoice.isPath(target) { return try text(of: MachineChoice.machine(target)) }
        guard let slash = target.firstIndex(of: "/") else {
            return try text(ofMachineNamed: target)
        }
        let loaded = try MachineChoice.machine(String(target[..<slash]))
        return try text(ofType: String(target[target.index(after: slash)...]), in: loaded)
    }

    // MARK: hwloc's own formats

    /// What hwloc alone can load: a file of XML, or a synthetic description, whose words have a colon.
    private static func source(of target: String) throws -> TopologySource? {
        if target.hasSuffix(".xml") {
            return .xml(name: target, text: try readText(target))
        }
        let words = target.split(separator: " ")
        let isSynthetic = !target.contains("/") && words.contains { $0.contains(":") }
        return isSynthetic ? .synthetic(target) : nil
    }

    private func text(of source: TopologySource) throws -> String {
        let topology = try HwlocTopology.load(source)
        let model = topology.model(origin: source)
        let title =
            switch source {
            case .xml(let name, _): name
            case .synthetic(let description): description
            case .host: "host"
            }
        switch format {
        case .tree: return model.treeText(title: title, isComplete: all)
        case .json: return model.json(title: title).prettyText + "\n"
        case .xml: return try topology.xmlText()
        case .svg: return model.svgText(title: title)
        }
    }

    // MARK: The host

    private func hostText() throws -> String {
        let model = try HostProbe.model()
        let title = "host \(HostProbe.hostName())"
        switch format {
        case .tree: return model.treeText(title: title, isComplete: all)
        case .json: return model.json(title: title).prettyText + "\n"
        case .xml: return try HwlocTopology.host().xmlText()
        case .svg: return model.svgText(title: title)
        }
    }

    // MARK: A machine

    /// A shipped machine; somebody who gives a node type alone is told whose it is.
    private func text(ofMachineNamed name: String) throws -> String {
        do {
            return try text(of: MachineChoice.machine(name))
        } catch CatalogError.unknownMachine(let name, let similar, let known) {
            let library = try MachineChoice.library()
            let owners = try known.filter { machine in
                try library.machine(named: machine).nodeTypeIndex(named: name) != nil
            }
            guard owners.isEmpty else {
                throw TopologyRefusal.nodeTypeAlone(name: name, machines: owners)
            }
            throw CatalogError.unknownMachine(name: name, similar: similar, known: known)
        }
    }

    private func text(of machine: Machine) throws -> String {
        switch format {
        case .tree: return machine.treeText(withSources: sources)
        case .json: return machine.json.prettyText + "\n"
        case .svg: return machine.svgText
        case .xml:
            // hwloc describes one computer; a machine of equal nodes means its node.
            guard machine.nodeTypes.count == 1, let only = machine.nodeTypes.first else {
                throw TopologyRefusal.xmlOfManyTypes(
                    machine: machine.name,
                    types: machine.nodeTypes.map(\.name)
                )
            }
            let topology = try HwlocTopology.load(only.topology)
            topology.annotate(only.accelerators)
            return try topology.xmlText()
        }
    }

    // MARK: A node type

    private func text(ofType name: String, in machine: Machine) throws -> String {
        guard let index = machine.nodeTypeIndex(named: name) else {
            let known = machine.nodeTypes.map(\.name)
            throw TopologyRefusal.unknownNodeType(
                name: name,
                machine: machine.name,
                similar: similarNames(to: name, among: known),
                known: known
            )
        }
        let type = machine.nodeTypes[index]
        if type.topology == .host { return try hostText() }
        let topology = try HwlocTopology.load(type.topology)
        topology.annotate(type.accelerators)
        let model = topology.model(origin: type.topology)
        let title = "\(machine.name)/\(type.name)"
        switch format {
        case .tree:
            return model.treeText(title: title, isComplete: all) + "\n"
                + type.detailText(withSources: sources)
        case .json:
            let value: JSONValue = [
                "machine": .string(machine.name),
                "node_type": type.json,
                "structure": model.json(title: title),
            ]
            return value.prettyText + "\n"
        case .xml: return try topology.xmlText()
        case .svg: return model.svgText(title: "\(title): \(type.title)")
        }
    }
}

/// What the command refuses; the program exits with 1.
enum TopologyRefusal: Error, CustomStringConvertible {
    case unknownNodeType(name: String, machine: String, similar: [String], known: [String])
    case xmlOfManyTypes(machine: String, types: [String])
    case nodeTypeAlone(name: String, machines: [String])

    var description: String {
        switch self {
        case .unknownNodeType(let name, let machine, let similar, let known):
            return "machine \(machine) has no node type '\(name)'\(didYouMean(similar)); "
                + "it has: \(known.joined(separator: ", "))"
        case .xmlOfManyTypes(let machine, let types):
            let ways = types.map { "\(machine)/\($0)" }.joined(separator: ", ")
            return "XML describes one node, and \(machine) has several types; ask for one of: "
                + ways
        case .nodeTypeAlone(let name, let machines):
            let ways = machines.map { "\($0)/\(name)" }.joined(separator: ", ")
            return "'\(name)' is a node type, not a machine; ask for: \(ways)"
        }
    }
}
