import ClusterModel
import IndexSets

/// What the files of a site that runs Slurm say, line by line, on the way to a machine file.
///
/// Nothing is silent: each line is used, ignored with a reason, or refused.
public struct SlurmSite: Sendable {
    /// What a file is.
    public enum Source: String, Hashable, Sendable, CaseIterable {
        /// slurm.conf.
        case configuration
        /// gres.conf.
        case gres
        /// topology.conf.
        case topology
        /// What `sacctmgr dump` writes.
        case associations
        /// What `sacctmgr -P show qos` prints.
        case qos
        /// What `scontrol show config`, `node`, `partition` or `reservation` print.
        case show
    }

    /// Cards of one model in a node.
    struct Cards: Hashable, Sendable {
        var kind: String
        var model: String
        var count: Int
    }

    /// What nodes are; equal ones are a node type.
    struct Hardware: Hashable, Sendable {
        var sockets = 1
        var coresPerSocket = 1
        var threads = 1
        /// What Slurm gives out: hardware threads, or cores.
        var cpus = 1
        /// Unit: MiB.
        var memory = 1
        var cards: [Cards] = []
        var features: [String] = []
    }

    struct Partition: Sendable {
        var name: String
        var line: SlurmLine
        var nodes: [String]
        var isWholeNode: Bool
        var fields: [(name: String, text: String)]
    }

    struct Switch: Sendable {
        var name: String
        var nodes: String?
        var switches: String?
    }

    /// What became of each line, in the order in which files were read.
    public internal(set) var lines: [ImportedLine] = []
    /// The policy that the site's scheduler is nearest to, as `--policy` takes it.
    public var policy: String { policyText }
    /// Its reservations as events for `replay --events`: lines of JSON.
    public internal(set) var events: [String] = []

    var cluster = "site"
    var isLinear = false
    var nodeNames: [String] = []
    var hardware: [String: Hardware] = [:]
    var nodeDefaults: [(key: String, value: String)] = []
    var nodeSets: [String: [String]] = [:]
    var partitionDefaults: [(key: String, value: String)] = []
    var partitions: [Partition] = []
    var defaultPartition: String?
    var switches: [Switch] = []
    var accounts: [SiteAccount] = []
    var qosEntries: [SiteQOS] = []
    /// Who runs the site and who reads its books, by their roles.
    var levels: [Role: [String]] = [:]
    /// The users who look after an account and those below it, by its name.
    var coordinators: [String: [String]] = [:]
    var scheduler: [String: String] = [:]
    var preemption = SitePreemption()
    var licenses: [(name: String, count: Int32)] = []

    /// The most nodes that a site may have.
    static let nodeMaximum = 1_000_000

    /// A site of which nothing is known.
    public init() {}

    /// Whether a line was refused.
    public var isRefused: Bool { lines.contains { $0.verdict == .refused } }

    /// Reads a file.
    public mutating func read(_ text: String, file: String, as source: Source) {
        switch source {
        case .configuration:
            for line in SlurmLine.configuration(text, file: file) { readConfiguration(line) }
        case .show: for line in SlurmLine.records(text, file: file) { readShown(line) }
        case .gres: for line in SlurmLine.configuration(text, file: file) { readGres(line) }
        case .topology: for line in SlurmLine.configuration(text, file: file) { readTopology(line) }
        case .associations: readAssociations(text, file: file)
        case .qos: readQOS(text, file: file)
        }
    }

    mutating func note(_ verdict: ImportedLine.Verdict, _ line: SlurmLine, _ text: String) {
        lines.append(
            ImportedLine(file: line.file, line: line.number, verdict: verdict, text: text)
        )
    }

    // MARK: slurm.conf

    private mutating func readConfiguration(_ line: SlurmLine) {
        guard let first = line.pairs.first else { return }
        switch first.key.lowercased() {
        case "nodename": readNodes(line)
        case "partitionname": readPartition(line)
        case "nodeset": readNodeSet(line)
        case "include":
            note(.refused, line, "include \(first.value): name the included file itself")
        case "downnodes", "frontendname":
            note(.ignored, line, "\(first.key): the state of the moment")
        default: for pair in line.pairs { readParameter(pair.key, pair.value, line) }
        }
    }

    private mutating func readShown(_ line: SlurmLine) {
        guard let first = line.pairs.first else { return }
        switch first.key.lowercased() {
        case "nodename": readNodes(line)
        case "partitionname": readPartition(line)
        case "reservationname": readReservation(line)
        default:
            guard line.pairs.count == 1 else {
                return note(.ignored, line, "no record of a node, a partition or a reservation")
            }
            readParameter(first.key, first.value, line)
        }
    }

    // MARK: Nodes

    private mutating func readNodes(_ line: SlurmLine) {
        guard let list = line.pairs.first?.value, !list.isEmpty else {
            return note(.refused, line, "NodeName without a name")
        }
        if list == "DEFAULT" {
            // What a later such line does not name stays.
            nodeDefaults = Array(line.pairs.dropFirst()) + nodeDefaults
            return note(.used, line, "defaults of the nodes that follow")
        }
        do throws(SiteProblem) {
            let names = try SiteNames.expanded(list)
            var whole = line
            whole.pairs += nodeDefaults
            let (hardware, ignored) = try Self.hardware(of: whole)
            for name in names {
                guard self.hardware[name] == nil else {
                    throw SiteProblem("node \(name) is there already")
                }
                nodeNames.append(name)
                self.hardware[name] = hardware
            }
            guard nodeNames.count <= Self.nodeMaximum else {
                throw SiteProblem("more than \(Self.nodeMaximum) nodes")
            }
            let rest = ignored.isEmpty ? "" : "; ignored: \(ignored.joined(separator: ", "))"
            note(.used, line, "\(names.count) nodes of \(hardware.cpus) cores\(rest)")
        } catch {
            note(.refused, line, error.text)
        }
    }

    /// The keys that are looked at.
    private static let nodeKeys: Set<String> = [
        "nodename", "cpus", "cputot", "boards", "socketsperboard", "sockets", "corespersocket",
        "threadspercore", "realmemory", "gres", "feature", "features", "availablefeatures",
    ]

    private static func hardware(
        of line: SlurmLine
    ) throws(SiteProblem) -> (Hardware, ignored: [String]) {
        func count(
            _ keys: String...,
            default usual: Int,
            most: Int = 10_000
        ) throws(SiteProblem) -> Int {
            for key in keys {
                guard let text = line[key] else { continue }
                guard let number = Int(text), (1...most).contains(number) else {
                    throw SiteProblem("\(key)=\(text) is no count")
                }
                return number
            }
            return usual
        }
        var hardware = Hardware()
        let boards = try count("Boards", default: 1)
        let perBoard = try count("SocketsPerBoard", default: 0)
        hardware.sockets =
            try line["Sockets"] == nil && perBoard > 0
            ? boards * perBoard : count("Sockets", default: 1)
        hardware.threads = try count("ThreadsPerCore", default: 1)
        let told = try count("CPUs", "CPUTot", default: 0, most: 100_000)
        let perSocket = hardware.sockets * hardware.threads
        hardware.coresPerSocket = try count("CoresPerSocket", default: max(1, told / perSocket))
        let cores = hardware.sockets * hardware.coresPerSocket
        hardware.cpus = told > 0 ? told : cores * hardware.threads
        guard hardware.cpus == cores || hardware.cpus == cores * hardware.threads else {
            throw SiteProblem(
                "CPUs=\(hardware.cpus) are neither the \(cores) cores nor the"
                    + " \(cores * hardware.threads) threads"
            )
        }
        guard hardware.cpus <= 100_000 else { throw SiteProblem("more than 100,000 cores a node") }
        // Slurm's own default of 1 MiB means that memory is not looked after.
        hardware.memory = try count(
            "RealMemory",
            default: 1_024 * hardware.cpus,
            most: 100_000_000
        )
        let feature = line["Feature", "Features", "AvailableFeatures"] ?? ""
        hardware.features = feature.split(separator: ",").map(String.init).filter { $0 != "(null)" }
        var ignored: [String] = []
        hardware.cards = try cards(line["Gres"] ?? "", &ignored)
        let others = line.pairs.map(\.key).filter { !nodeKeys.contains($0.lowercased()) }
        var seen: Set<String> = []
        ignored += others.filter { seen.insert($0).inserted }
        return (hardware, ignored)
    }

    /// What Slurm sites call their accelerator cards.
    static let cardKinds: Set<String> = ["gpu", "npu", "dcu", "mlu", "gcu", "xpu", "mic"]

    private static func cards(
        _ text: String,
        _ ignored: inout [String]
    ) throws(SiteProblem) -> [Cards] {
        var cards: [Cards] = []
        var depth = 0
        let parts = text.split { character in
            depth += character == "(" ? 1 : character == ")" ? -1 : 0
            return character == "," && depth == 0
        }
        for part in parts where part != "(null)" {
            let plain = part.prefix { $0 != "(" }
            let words = plain.split(separator: ":").map(String.init)
            guard let kind = words.first, cardKinds.contains(kind) else {
                ignored.append("Gres \(plain)")
                continue
            }
            let number = words.count > 1 ? Int(words[words.count - 1]) : nil
            let hasModel = words.count == 3 || words.count == 2 && number == nil
            let count = number ?? 1
            guard words.count <= 3, (1...16).contains(count) else {
                throw SiteProblem("Gres=\(plain): from 1 to 16 cards of a kind are emulated")
            }
            cards.append(Cards(kind: kind, model: hasModel ? words[1] : kind, count: count))
        }
        return cards
    }

    private mutating func readNodeSet(_ line: SlurmLine) {
        let name = line.pairs[0].value
        do throws(SiteProblem) {
            if let list = line["Nodes"] {
                nodeSets[name] = try SiteNames.expanded(list)
            } else if let feature = line["Feature"] {
                nodeSets[name] = nodeNames.filter {
                    hardware[$0]?.features.contains(feature) ?? false
                }
            } else {
                throw SiteProblem("NodeSet=\(name) has neither Nodes nor Feature")
            }
            note(.used, line, "a set of \(nodeSets[name]?.count ?? 0) nodes")
        } catch {
            note(.refused, line, error.text)
        }
    }

    // MARK: gres.conf and topology.conf

    private mutating func readGres(_ line: SlurmLine) {
        if line["AutoDetect"] != nil, line["Name"] == nil {
            return note(.ignored, line, "AutoDetect: slurm.conf says how many there are")
        }
        guard let kind = line["Name"] else { return note(.refused, line, "a line without Name") }
        guard Self.cardKinds.contains(kind) else {
            return note(.ignored, line, "Name=\(kind): no accelerator card")
        }
        do throws(SiteProblem) {
            let names = try line["NodeName"].map { list throws(SiteProblem) in
                try SiteNames.expanded(list)
            }
            let chosen = names ?? nodeNames
            let files = line["File"].map(SiteNames.fileCount)
            let count = line["Count"].flatMap { Int($0) } ?? files ?? 1
            var known = 0
            for name in chosen {
                guard let own = hardware[name] else {
                    throw SiteProblem("node \(name) is not in slurm.conf")
                }
                let cards = own.cards.filter { $0.kind == kind }
                guard !cards.isEmpty else { continue }
                known += 1
                // A model that slurm.conf leaves out is known from here.
                let isNameless = cards.count == 1 && cards[0].model == kind
                if isNameless, let model = line["Type"], cards[0].count == count {
                    hardware[name]?.cards = own.cards.map {
                        $0.kind == kind ? Cards(kind: kind, model: model, count: $0.count) : $0
                    }
                }
            }
            let isUsed = known > 0
            note(
                isUsed ? .used : .ignored,
                line,
                isUsed ? "cards of \(known) nodes" : "slurm.conf gives these nodes no Gres=\(kind)"
            )
        } catch {
            note(.refused, line, error.text)
        }
    }

    private mutating func readTopology(_ line: SlurmLine) {
        guard line.pairs[0].key.lowercased() == "switchname" else {
            return note(.ignored, line, "\(line.pairs[0].key): no switch of a tree")
        }
        let entry = Switch(
            name: line.pairs[0].value,
            nodes: line["Nodes"],
            switches: line["Switches"]
        )
        do throws(SiteProblem) {
            guard (entry.nodes == nil) != (entry.switches == nil) else {
                throw SiteProblem("a switch has nodes or switches below it, and one of them only")
            }
            if let nodes = entry.nodes {
                for name in try SiteNames.expanded(nodes) where hardware[name] == nil {
                    throw SiteProblem("node \(name) is not in slurm.conf")
                }
            }
            switches.append(entry)
            note(.used, line, "switch \(entry.name)")
        } catch {
            note(.refused, line, error.text)
        }
    }
}

/// Why a line cannot be.
struct SiteProblem: Error {
    var text: String

    init(_ text: String) {
        self.text = text
    }
}
