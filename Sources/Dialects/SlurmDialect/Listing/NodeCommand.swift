import IndexSets
public import WireFormats

/// `sinfo` and `yhinfo`: what they are asked for, and what they print.
public struct NodeCommand: Hashable, Sendable {
    enum Option: Hashable, Sendable {
        case accepted, clusters, dead, format, longFormat, help, iterate, json, listReasons, long,
            noHeader
        case nodes, byNode, partition, reservations, responding, sort, states, summarize, usage
        case version, yaml
    }

    static let table = OptionTable<Option>([
        OptionSpec(.accepted, "all", "a", variable: "ALL"),
        OptionSpec(.accepted, "bg", "b"),
        OptionSpec(.clusters, "cluster", "M", .required),
        OptionSpec(.clusters, "clusters", "M", .required),
        OptionSpec(.dead, "dead", "d"),
        OptionSpec(.accepted, "exact", "e"),
        OptionSpec(.accepted, "federation"),
        OptionSpec(.format, "format", "o", .required, variable: "FORMAT"),
        OptionSpec(.longFormat, "Format", "O", .required),
        OptionSpec(.help, "help"),
        OptionSpec(.accepted, "hide"),
        OptionSpec(.iterate, "iterate", "i", .required),
        OptionSpec(.json, "json", nil, .optional),
        OptionSpec(.listReasons, "list-reasons", "R"),
        OptionSpec(.accepted, "local", variable: "LOCAL"),
        OptionSpec(.long, "long", "l"),
        OptionSpec(.nodes, "nodes", "n", .required),
        OptionSpec(.byNode, "Node", "N"),
        OptionSpec(.noHeader, "noheader", "h"),
        OptionSpec(.reservations, "reservation", "T"),
        OptionSpec(.accepted, "noconvert"),
        OptionSpec(.partition, "partition", "p", .required, variable: "PARTITION"),
        OptionSpec(.responding, "responding", "r"),
        OptionSpec(.sort, "sort", "S", .required, variable: "SORT"),
        OptionSpec(.states, "states", "t", .required),
        OptionSpec(.summarize, "summarize", "s"),
        OptionSpec(.usage, "usage"),
        OptionSpec(.accepted, "verbose", "v"),
        OptionSpec(.version, "version", "V"),
        OptionSpec(.yaml, "yaml", nil, .optional),
    ])

    /// What was asked for instead of a listing.
    public var information: QueueCommand.Information?
    /// To list again and again. Unit: s.
    public var iterateSeconds: Int?
    /// The clusters that were named; nil for the centre's own.
    public var clusters: [String]?

    let program: String
    let calendar: CentreCalendar
    var partitions: [String]?
    var nodes: Set<String>?
    var states: [String]?
    var sort: String?
    /// Whether there is a head over the columns.
    public private(set) var hasHeader = true
    var isLong = false
    var isByNode = false
    var isSummary = false
    var listsReasons = false
    /// Whether reservations are listed in place of nodes (`-T`).
    public private(set) var listsReservations = false
    var isDeadOnly = false
    var isRespondingOnly = false
    private var custom: GivenOption<Option>?
    /// Data in place of a listing.
    private var data: DataFormat?
    /// Whether the listing of each cluster that was named begins with its name.
    public var namesClusters: Bool { hasHeader && data == nil }

    /// Whether partitions are named.
    public var namesPartitions: Bool { partitions != nil }

    /// Those that are named of a centre's partitions and are of another cluster than its own, which is not
    /// listed.
    public func partitions(elsewhereIn all: PartitionList) -> [PartitionInfo] {
        let names = Set(partitions ?? [])
        return all.partitions.filter { names.contains($0.name) && $0.cluster != all.cluster }
    }

    /// Reads the environment and the command line.
    ///
    /// - Throws: `CommandFailure`, ready to be printed.
    public init(
        program: String,
        arguments: [String],
        variable: (String) -> String?,
        calendar: CentreCalendar = CentreCalendar()
    ) throws(CommandFailure) {
        self.program = program
        self.calendar = calendar
        clusters = variable("SLURM_CLUSTERS").map(list)
        let given = try Self.table.parse(arguments, for: program).options
        for option in Self.table.given(inEnvironment: variable, prefix: "SINFO_") + given {
            try apply(option)
        }
    }

    private mutating func apply(_ option: GivenOption<Option>) throws(CommandFailure) {
        let value = option.value ?? ""
        switch option.id {
        case .accepted: break
        case .clusters: clusters = list(value)
        case .dead: isDeadOnly = true
        case .format, .longFormat: custom = option
        case .help: information = .usage
        case .usage: information = .synopsis
        case .iterate:
            guard let seconds = Int(value), seconds > 0 else {
                throw .error(program, "--iterate=\(value) is not a number of seconds above 0")
            }
            iterateSeconds = seconds
        case .json, .yaml:
            data = try DataFormat(
                isYAML: option.id == .yaml,
                value: option.value,
                program: program
            )
        case .listReasons: listsReasons = true
        case .long: isLong = true
        case .noHeader: hasHeader = false
        case .nodes:
            do throws(HostList.Rejection) {
                nodes = Set(try HostList.expand(value))
            } catch {
                throw .error(program, "Invalid node name \(value)")
            }
        case .byNode: isByNode = true
        case .partition: partitions = list(value)
        case .reservations: listsReservations = true
        case .responding: isRespondingOnly = true
        case .sort: sort = value
        case .states:
            let words = list(value).map { $0.lowercased() }
            if let bad = words.first(where: { !NodeInfo.stateWords.contains($0) }) {
                throw .error(program, "Bad state string: \"\(bad)\"")
            }
            states = words
        case .summarize: isSummary = true
        case .version: information = .version
        }
    }

    /// The format, whose widths for partitions and nodes fit the longest name.
    func format(partitions: [PartitionInfo], nodes: [NodeGroup]) -> FormatText {
        if let custom {
            let text = custom.value ?? ""
            guard custom.id == .longFormat else {
                return FormatText(text.replacing("%all", with: NodeColumns.allFormat))
            }
            var format = FormatText(long: text)
            for index in format.fields.indices {
                let name = format.fields[index].key
                format.fields[index].key = NodeColumns.letterOfName[name] ?? name
            }
            return format
        }
        let least = Dialect(program: program) == .tianhe ? 10 : 9
        let longest = partitions.map { $0.name.count + ($0.isDefault ? 1 : 0) }.max() ?? 0
        let width = max(least, longest)
        if listsReasons {
            return FormatText(isLong ? "%20E %12U %19H %6t %N" : "%20E %9u %19H %N")
        }
        if isByNode {
            let nodeWidth = max(9, nodes.flatMap { $0.names.map(\.count) }.max() ?? 0)
            return FormatText(
                isLong
                    ? "%\(nodeWidth)N %.6D %.\(width)P %.11T %4c %.8z %.6m %.8d %.6w %.8f %20E"
                    : "%\(nodeWidth)N %.6D %.\(width)P %6t"
            )
        }
        if isSummary { return FormatText("%\(width)P %.5a %.10l %.16F %N") }
        if isLong {
            return FormatText("%\(width)P %.5a %.10l %.10s %.4r %.8h %.10g %.6D %.11T %N")
        }
        return FormatText("%\(width)P %.5a %.10l %.6D %.6t %N")
    }
}

extension NodeCommand {
    /// What is printed.
    ///
    /// - Parameter reservations: what `-T` lists; nil when there are none.
    public func output(
        _ partitionList: PartitionList,
        _ nodeList: NodeList,
        reservations: ReservationList? = nil
    ) -> CommandOutput {
        var output = CommandOutput()
        if hasHeader, isLong && custom == nil || iterateSeconds != nil {
            output.lines.append(calendar.dateLine(nodeList.now))
        }
        if listsReservations {
            if let data {
                let all = SlurmData(data.version, cluster: nodeList.cluster, command: [program])
                return data.output(all.reservations(reservations ?? ReservationList()))
            }
            output.lines += (reservations ?? ReservationList()).lines(hasHeader: hasHeader)
            return output
        }
        let shown = partitionList.partitions.filter { partition in
            partitions.map { $0.contains(partition.name) } ?? true
        }
        let format = format(partitions: partitionList.partitions, nodes: nodeList.groups)
        var columns: [FormatText.Field: Column<NodeRow>] = [:]
        for field in format.fields {
            columns[field] = NodeColumns.byLetter[field.key]
            guard columns[field] == nil, !field.key.isEmpty else { continue }
            output.errors.append(
                custom?.id == .longFormat
                    ? "\(program): error: Invalid job format specification: \(field.key)"
                    : "Invalid node format specification: \(field.key)"
            )
        }
        // A name that no column has takes no room; a letter stays as it was written.
        let isLongForm = custom?.id == .longFormat
        let known = isLongForm ? format.keeping { columns[$0] != nil } : format
        if hasHeader { output.lines.append(known.line { columns[$0]?.head ?? "%\($0.key)" }) }
        let keys = format.fields.filter { !NodeColumns.adding.contains($0.key) }
        let telling = keys.compactMap { columns[$0] }
        let isNameTold = isByNode || keys.contains { NodeColumns.naming.contains($0.key) }
        let groups = self.groups(nodeList, oneByOne: isNameTold)
        var rows = rows(shown, groups, telling: telling)
        sort(&rows)
        if let data {
            let all = SlurmData(data.version, cluster: nodeList.cluster, command: [program])
            return data.output(all.nodeRows(rows))
        }
        output.lines += rows.map { row in
            known.line { columns[$0]?.text(row) ?? "%\($0.key)" }
        }
        return output
    }

    /// The nodes that are to be shown.
    ///
    /// - Parameter oneByOne: whether each is a group of its own.
    private func groups(_ list: NodeList, oneByOne: Bool) -> [NodeGroup] {
        var groups = list.groups.filter { shows($0.node) }
        if let nodes {
            for index in groups.indices { groups[index].names.removeAll { !nodes.contains($0) } }
            groups.removeAll(where: \.names.isEmpty)
        }
        guard oneByOne else { return groups }
        return groups.flatMap { group in group.names.map { NodeGroup([$0], like: group.node) } }
    }

    private func shows(_ node: NodeInfo) -> Bool {
        if let states, !states.contains(where: { node.isIn(stateWord: $0) }) { return false }
        if listsReasons, node.reason == nil { return false }
        if isDeadOnly, !node.isSilent { return false }
        return !(isRespondingOnly && node.isSilent)
    }

    /// The nodes of each partition, put together where all of `telling` say the same.
    private func rows(
        _ partitions: [PartitionInfo],
        _ groups: [NodeGroup],
        telling: [Column<NodeRow>]
    ) -> [NodeRow] {
        var members: [String: [Int]] = [:]
        for (number, group) in groups.enumerated() {
            for partition in group.node.partitions {
                members[partition, default: []].append(number)
            }
        }
        var rows: [NodeRow] = []
        var rowOfKey: [[String]: Int] = [:]
        var placed: [Int: Set<Int>] = [:]
        for partition in partitions {
            let candidates = members[partition.name] ?? []
            if candidates.isEmpty, !listsReasons, !isByNode {
                rows.append(NodeRow(partition: partition, groups: [], calendar: calendar))
            }
            for number in candidates {
                let group = groups[number]
                let row = NodeRow(partition: partition, groups: [group], calendar: calendar)
                let key = telling.map { $0.text(row) } + (isByNode ? group.names : [])
                if let index = rowOfKey[key] {
                    // Formats without the partition count a node of several partitions once.
                    if placed[index, default: []].insert(number).inserted {
                        rows[index].groups.append(group)
                    }
                } else {
                    rowOfKey[key] = rows.count
                    placed[rows.count] = [number]
                    rows.append(row)
                }
            }
        }
        return rows
    }

    private func sort(_ rows: inout [NodeRow]) {
        let order = sort ?? (isByNode ? "N" : "#P,-t")
        var keys: [(isReverse: Bool, letter: Character)] = []
        var isReverse = false
        for letter in order where letter != "#" && letter != "," && letter != "+" {
            if letter == "-" {
                isReverse = true
            } else {
                keys.append((isReverse, letter))
                isReverse = false
            }
        }
        // Rows come partition by partition and node by node; the sort keeps that order in ties.
        let isStandard = sort == nil
        let sorted = rows.enumerated().sorted { left, right in
            for key in keys where !(isStandard && (key.letter == "P" || key.letter == "N")) {
                let order = compare(left.element, right.element, key.letter)
                if isStandard, left.element.partition.name != right.element.partition.name {
                    break
                }
                if order != 0 { return (order < 0) != key.isReverse }
            }
            if isStandard, isByNode,
                let leftName = left.element.groups.first?.names.first,
                let rightName = right.element.groups.first?.names.first, leftName != rightName
            {
                return NaturalOrder.precedes(leftName, rightName)
            }
            return left.offset < right.offset
        }
        rows = sorted.map(\.element)
    }

    private func compare(_ left: NodeRow, _ right: NodeRow, _ letter: Character) -> Int {
        if letter == "t" || letter == "T" {
            return (left.groups.first?.node.stateRank ?? -1)
                - (right.groups.first?.node.stateRank ?? -1)
        }
        if letter == "D" { return left.nodeCount - right.nodeCount }
        guard let column = NodeColumns.byLetter[String(letter)] else { return 0 }
        let (left, right) = (column.text(left), column.text(right))
        if left == right { return 0 }
        return NaturalOrder.precedes(left, right) ? -1 : 1
    }
}

/// Names in the order that people expect: `cn2` before `cn10`.
enum NaturalOrder {
    /// Whether `left` comes before `right`.
    static func precedes(_ left: String, _ right: String) -> Bool {
        func parts(_ text: String) -> (Substring, UInt64) {
            let digits = text.utf8.reversed().prefix { (48...57).contains($0) }.count
            return (text.dropLast(digits), UInt64(text.suffix(digits)) ?? 0)
        }
        let (left, right) = (parts(left), parts(right))
        return left.0 == right.0 ? left.1 < right.1 : left.0 < right.0
    }
}
