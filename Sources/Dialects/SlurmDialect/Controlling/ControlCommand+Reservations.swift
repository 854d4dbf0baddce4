public import Quantities
public import WireFormats

// `scontrol create|update|delete|show reservation`.

extension ControlCommand {
    /// Reads the `Name=value` of a reservation; `reservation` may stand before them.
    static func reservationChanges(_ words: [String]) throws(CommandFailure) -> [Change] {
        let isNamed = words.first.map {
            !$0.contains("=") && isShort($0, for: "reservation", least: 3)
        }
        return try changes(isNamed == true ? Array(words.dropFirst()) : words)
    }

    /// The name in `delete reservationname=NAME`.
    static func reservationToDelete(_ words: [String]) throws(CommandFailure) -> String {
        let changes = try reservationChanges(words)
        guard let first = changes.first, changes.count == 1,
            ReservationRequest.tag(first.name) == "name"
        else {
            throw CommandFailure(
                lines: ["Invalid deletion entity: \(words.joined(separator: " "))"],
                exitCode: 1
            )
        }
        return first.value
    }

    /// What is printed of reservations.
    ///
    /// - Parameter name: the one that is wanted; nil for all.
    public func output(_ list: ReservationList, name: String?) -> CommandOutput {
        let shown = list.reservations.filter { name == nil || $0.name == name }
        guard !shown.isEmpty else {
            guard let name else { return CommandOutput(lines: ["No reservations in the system"]) }
            return CommandOutput(lines: ["Reservation \(name) not found"], exitCode: 1)
        }
        let lines = shown.flatMap { Description.reservation($0).text(isOneLine: isOneLine) }
        return CommandOutput(lines: lines)
    }
}

extension ControlCommand {
    /// What is printed of licences.
    ///
    /// Source: Slurm 22.05, `src/api/license_info.c`.
    public func output(_ licenses: [LicenseInfo], name: String?) -> CommandOutput {
        guard !licenses.isEmpty else {
            return CommandOutput(lines: ["No licenses configured in Slurm."])
        }
        let shown = licenses.filter { name == nil || $0.name == name }
        let lines = shown.flatMap { info in
            let counts =
                "Total=\(info.total) Used=\(info.used) Free=\(info.total - info.used)"
                + " Reserved=0 Remote=no"
            return isOneLine
                ? ["LicenseName=\(info.name) \(counts)"]
                : ["LicenseName=\(info.name)", "    \(counts)"]
        }
        return CommandOutput(lines: lines)
    }
}

extension Description {
    /// A reservation.
    static func reservation(_ info: ReservationInfo) -> Description {
        func text(_ value: String?) -> String { value ?? "(null)" }
        let calendar = CentreCalendar()
        let length = SlurmTime.full(info.end - info.start)
        return Description(lines: [
            "ReservationName=\(info.name) StartTime=\(calendar.text(info.start))"
                + " EndTime=\(calendar.text(info.end)) Duration=\(length)",
            "Nodes=\(info.nodeList.isEmpty ? "(null)" : info.nodeList) NodeCnt=\(info.nodeCount)"
                + " CoreCnt=\(info.coreCount) Features=(null)"
                + " PartitionName=\(text(info.partition)) Flags=\(info.flags)",
            "TRES=cpu=\(info.coreCount)",
            "Users=\(text(info.users)) Groups=(null) Accounts=\(text(info.accounts))"
                + " Licenses=(null) State=\(info.isActive ? "ACTIVE" : "INACTIVE")"
                + " BurstBuffer=(null) Watts=n/a",
            "MaxStartDelay=(null)",
        ])
    }
}

extension ReservationList {
    /// What `sinfo -T` prints.
    func lines(hasHeader: Bool) -> [String] {
        guard !reservations.isEmpty else { return ["No reservations in the system"] }
        let width = max(9, reservations.map(\.name.count).max() ?? 0)
        let calendar = CentreCalendar()
        func line(_ cells: [String]) -> String {
            let widths = [-width, 8, 19, 19, 11]
            let padded = zip(widths, cells).map { width, cell in
                let blanks = String(repeating: " ", count: max(0, abs(width) - cell.count))
                return width < 0 ? cell + blanks : blanks + cell
            }
            return (padded + cells.suffix(1)).joined(separator: "  ")
        }
        let head = ["RESV_NAME", "STATE", "START_TIME", "END_TIME", "DURATION", "NODELIST"]
        let rows = reservations.map { info in
            line([
                info.name, info.isActive ? "ACTIVE" : "INACTIVE", calendar.text(info.start),
                calendar.text(info.end), SlurmTime.full(info.end - info.start), info.nodeList,
            ])
        }
        return (hasHeader ? [line(head)] : []) + rows
    }
}

extension ReservationRequest {
    /// What a word of `scontrol create reservation` means, with as few letters as Slurm takes.
    ///
    /// Source: Slurm 22.05, `src/scontrol/create_res.c`.
    static func tag(_ word: String) -> String? {
        let tags: [(name: String, least: Int, meaning: String)] = [
            ("reservationname", 1, "name"), ("starttime", 1, "start"), ("endtime", 1, "end"),
            ("duration", 1, "duration"), ("nodecount", 5, "nodecount"), ("nodecnt", 5, "nodecount"),
            ("corecount", 5, "corecount"), ("corecnt", 5, "corecount"), ("nodes", 1, "nodes"),
            ("users", 1, "users"), ("accounts", 1, "accounts"), ("flags", 2, "flags"),
            ("partitionname", 1, "partition"),
        ]
        return tags.first { word.count >= $0.least && $0.name.hasPrefix(word) }?.meaning
    }

    /// Reads `Name=value` of `scontrol create` and `update`.
    ///
    /// - Throws: `CommandFailure` for the first that is unknown or malformed.
    public init(
        _ changes: [ControlCommand.Change],
        now: SimInstant,
        calendar: CentreCalendar = CentreCalendar()
    ) throws(CommandFailure) {
        self.init()
        for change in changes { try apply(change, now, calendar) }
    }

    /// Whether it says all that a new one needs.
    ///
    /// - Throws: `CommandFailure` in Slurm's words.
    public func checkNew(program: String) throws(CommandFailure) {
        let missing: String? =
            if start == nil {
                "A start time must be given."
            } else if end == nil, duration == nil {
                "An end time or duration must be specified."
            } else if nodes == nil, nodeCount == nil, coreCount == nil,
                flags?.contains("ANY_NODES") != true
            {
                "Nodes, CoreCnt, NodeCnt, TRES or Watts must be specified."
            } else if users == nil, accounts == nil {
                "Either Users/Groups and/or Accounts must be specified."
            } else {
                nil
            }
        guard let missing else { return }
        let line = "\(program): error: \(missing)  No reservation created."
        throw CommandFailure(lines: [line], exitCode: 1)
    }

    private mutating func apply(
        _ change: ControlCommand.Change,
        _ now: SimInstant,
        _ calendar: CentreCalendar
    ) throws(CommandFailure) {
        func failure(_ problem: String, _ lines: [String] = []) -> CommandFailure {
            let line = "scontrol: error: \(problem).  No reservation created."
            return CommandFailure(lines: lines + [line], exitCode: 1)
        }
        func badTime(_ problem: String) -> CommandFailure {
            let line = "Invalid time specification (pos=0): \(change.value)"
            return failure("\(problem) \(change.word)", [line])
        }
        let general = failure("Invalid \(change.word)")
        let sign = change.value.first
        let isChange = change.isIncrement
        let rest = isChange ? String(change.value.dropFirst()) : change.value
        switch Self.tag(change.name) {
        case "name": name = change.value
        case "start":
            guard let instant = calendar.instant(change.value, now: now) else {
                throw badTime("Invalid start time")
            }
            start = instant
        case "end":
            guard let instant = calendar.instant(change.value, now: now) else {
                throw badTime("Invalid end time")
            }
            end = instant
        case "duration":
            switch SlurmTime.limit(change.value) {
            // Without an end is a year, as in Slurm.
            case .unlimited: duration = SimDuration(seconds: 365 * 86_400)
            case .of(let length): duration = length
            case nil: throw failure("Invalid duration \(change.word)")
            }
        case "nodes": nodes = change.value
        case "nodecount":
            guard let count = Int32(change.value), count > 0 else { throw general }
            nodeCount = count
        case "corecount":
            guard let count = Int64(change.value), count > 0 else { throw general }
            coreCount = count
        case "partition": partition = change.value
        case "users" where isChange && sign == "+": usersAdded = rest
        case "users" where isChange && sign == "-": usersRemoved = rest
        case "users": users = change.value
        case "accounts" where isChange && sign == "+": accountsAdded = rest
        case "accounts" where isChange && sign == "-": accountsRemoved = rest
        case "accounts": accounts = change.value
        case "flags": try applyFlags(change.value, failure("Error parsing flags \(change.value)"))
        default: throw ControlCommand.unsupported(change)
        }
    }

    private mutating func applyFlags(
        _ text: String,
        _ failure: CommandFailure
    ) throws(CommandFailure) {
        let known = [
            "MAINT", "IGNORE_JOBS", "OVERLAP", "FLEX", "DAILY", "WEEKLY", "ANY_NODES", "SPEC_NODES",
        ]
        var names: [String] = []
        for word in text.uppercased().split(separator: ",") {
            let halves = word.split(separator: "=", maxSplits: 1).map(String.init)
            if halves.first == "PURGE_COMP" {
                // Five minutes by default, as in Slurm; otherwise a length like a job's.
                guard halves.count > 1 else {
                    idleMaximum = SimDuration(seconds: 300)
                    continue
                }
                guard case .of(let length)? = SlurmTime.limit(halves[1]) else { throw failure }
                idleMaximum = length
            } else if known.contains(String(word)) {
                names.append(String(word))
            } else {
                throw failure
            }
        }
        flags = names.joined(separator: ",")
    }
}
