import ArgumentParser
import Catalog
import ClusterModel
import Foundation
import Quantities
import Reporting
import Scheduling
import WireFormats

/// `xinghe import`: a site's own configuration as a machine file.
struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Make a machine file of what a site that runs Slurm has.",
        discussion: """
            Reads slurm.conf, gres.conf, topology.conf, 'sacctmgr dump', 'sacctmgr -P show qos' and what \
            'scontrol show config|node|partition|reservation' prints. Each line is used, ignored with a \
            reason, or refused; with a refused line nothing is written. 'xinghe export' writes a machine \
            back as Slurm's files.
            """
    )

    @Option(help: ArgumentHelp("The site's slurm.conf.", valueName: "FILE"))
    var slurmConf: String?

    @Option(help: ArgumentHelp("Its gres.conf.", valueName: "FILE"))
    var gres: String?

    @Option(help: ArgumentHelp("Its topology.conf.", valueName: "FILE"))
    var topology: String?

    @Option(help: ArgumentHelp("What 'sacctmgr dump CLUSTER' wrote.", valueName: "FILE"))
    var assoc: String?

    @Option(help: ArgumentHelp("What 'sacctmgr -P show qos' prints.", valueName: "FILE"))
    var qos: String?

    @Option(
        help: ArgumentHelp(
            "What 'scontrol show config', 'node', 'partition' or 'reservation' prints; may be given "
                + "several times.",
            valueName: "FILE"
        )
    )
    var show: [String] = []

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("The machine file to write.", valueName: "FILE")
    )
    var output = "-"

    @Option(
        help: ArgumentHelp(
            "Write the reservations as events for 'replay --events'.",
            valueName: "FILE"
        )
    )
    var eventsOut: String?

    @Flag(help: "Say of every line what became of it, and not only of those that are not used.")
    var allLines = false

    @Flag(help: "Print what became of the lines as JSON.")
    var json = false

    func validate() throws {
        if slurmConf == nil, show.isEmpty {
            throw ValidationError("say where nodes and partitions are: --slurm-conf, or --show")
        }
    }

    func run() async throws {
        let isTaken = try OutputFile.check([("--output", output), ("--events-out", eventsOut)])
        var site = SlurmSite()
        let files: [(String?, SlurmSite.Source)] = [
            (slurmConf, .configuration), (gres, .gres), (topology, .topology), (qos, .qos),
            (assoc, .associations),
        ]
        // Nodes come before partitions, whatever the order of the options.
        for path in show {
            site.read(try readText(path, atMost: Self.limit), file: path, as: .show)
        }
        for case (let path?, let source) in files {
            site.read(try readText(path, atMost: Self.limit), file: path, as: source)
        }
        let text = site.machineText()
        if text == nil { try tell(site, isTaken: isTaken) }
        guard let text else { throw Refusal("a line was refused; nothing is written") }
        let machine = try MachineChoice.library().machine(
            text: text,
            file: "the machine of these files"
        )
        let whole = header(site, machine) + text
        try OutputFile.write(whole, to: output)
        try eventsOut.map {
            try OutputFile.write(site.events.map { $0 + "\n" }.joined(), to: $0)
        }
        try tell(site, isTaken: isTaken)
    }

    private static let limit = 1 << 30

    private func header(_ site: SlurmSite, _ machine: Machine) -> String {
        let totals = machine.totals
        return """
            # Made by xinghe import \(Version.text) from a site's Slurm configuration.
            # \(counted(totals.nodeCount, "node")), \(counted(totals.coreCount, "core")), \
            \(counted(machine.partitions.count, "partition")).
            # Its scheduler is nearest to: --policy '\(site.policy)'
            # Prices are not in Slurm's files: add 'prices' to the partitions. The class of all accounts is
            # assumed to be 'institute'.

            """
    }

    private func tell(_ site: SlurmSite, isTaken: Bool) throws {
        try StandardOutput.report(
            json ? object(site).prettyText + "\n" : report(site),
            isTaken: isTaken,
            isData: json
        )
    }

    private func report(_ site: SlurmSite) -> String {
        var text = ""
        let shown = site.lines.filter {
            allLines || $0.verdict != .used || $0.text.contains("ignored:")
        }
        for line in shown {
            let place = line.line > 0 ? "\(line.file):\(line.line)" : line.file
            text += "\(place): \(line.verdict): \(line.text)".printable + "\n"
        }
        let counts = ImportedLine.Verdict.allCases.map { verdict in
            "\(site.lines.count { $0.verdict == verdict }) \(verdict)"
        }
        text += "\(counted(site.lines.count, "line")): \(counts.joined(separator: ", "))\n"
        return site.isRefused ? text : text + "policy: \(site.policy)\n"
    }

    private func object(_ site: SlurmSite) -> JSONValue {
        [
            "policy": .string(site.policy),
            "lines": .array(
                site.lines.map { line in
                    [
                        "file": .string(line.file), "line": .integer(Int64(line.line)),
                        "verdict": .string("\(line.verdict)"), "text": .string(line.text),
                    ]
                }
            ),
        ]
    }
}

/// `xinghe export`: a machine as the files that Slurm reads.
struct ExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write a machine as slurm.conf, gres.conf, topology.conf and sacctmgr's files.",
        discussion: """
            Without -o slurm.conf goes to standard output; with it all files go into a folder. \
            'xinghe import' makes the same nodes, partitions, accounts and QOS of them again; prices, \
            racks and rates are not in Slurm's files.
            """
    )

    @Argument(help: "The machine: a name of the catalogue or a file.")
    var machine: String

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("The folder for all files; it is made.", valueName: "FOLDER")
    )
    var output: String?

    func run() async throws {
        let files = SlurmConfiguration(try MachineChoice.machine(machine)).files
        guard let output else {
            return try StandardOutput.print(files.first?.text ?? "", terminator: "", isData: true)
        }
        do {
            try FileManager.default.createDirectory(
                atPath: output,
                withIntermediateDirectories: true
            )
        } catch {
            throw Refusal("\(output): cannot be made: \(error.localizedDescription)")
        }
        for (name, text) in files {
            try OutputFile.write(text, to: "\(output)/\(name)")
            try StandardOutput.print("\(output)/\(name)")
        }
    }
}
