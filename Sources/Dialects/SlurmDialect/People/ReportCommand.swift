import Quantities
public import WireFormats

/// `sreport` and `yhreport`: what was used, by centre, account, user and size of job.
///
/// A report counts up to the last whole hour, as Slurm's does, whose database adds hours up.
public struct ReportCommand: Hashable, Sendable {
    enum Option: Hashable, Sendable {
        case accepted, help, noHeader, parsable, parsable2, time, usage, version
    }

    static let table = OptionTable<Option>([
        OptionSpec(.accepted, "all_clusters", "a"),
        OptionSpec(.accepted, "cluster", "M", .required),
        OptionSpec(.help, "help", "h"), OptionSpec(.accepted, "local"),
        OptionSpec(.noHeader, "noheader", "n"), OptionSpec(.parsable, "parsable", "p"),
        OptionSpec(.parsable2, "parsable2", "P"), OptionSpec(.accepted, "quiet", "Q"),
        OptionSpec(.time, "time", "t", .required), OptionSpec(.accepted, "tres", "T", .required),
        OptionSpec(.usage, "usage"), OptionSpec(.accepted, "verbose", "v"),
        OptionSpec(.version, "version", "V"),
    ])

    /// What is reported.
    enum Report: Hashable, Sendable {
        case utilization, accountsByUser, usersByAccount, topUsers, jobSizes
    }

    /// In which unit use is told.
    enum Unit: Hashable, Sendable {
        case seconds, minutes, hours

        var word: String {
            switch self {
            case .seconds: "Seconds"
            case .minutes: "Minutes"
            case .hours: "Hours"
            }
        }

        var length: Int64 {
            switch self {
            case .seconds: 1
            case .minutes: 60
            case .hours: 3_600
            }
        }
    }

    /// What was asked for instead of a report.
    public private(set) var information: QueueCommand.Information?

    private let calendar: CentreCalendar
    private var report = Report.utilization
    private var unit = Unit.minutes
    private var style = TableStyle()
    private var startText: String?
    private var endText: String?
    private var users: [String]?
    private var accounts: [String]?
    private var format: String?
    private var topCount = 10

    /// Reads the command line.
    ///
    /// - Throws: `CommandFailure`, ready to be printed.
    public init(
        program: String,
        arguments: [String],
        calendar: CentreCalendar = CentreCalendar()
    ) throws(CommandFailure) {
        self.calendar = calendar
        let given = try Self.table.parse(arguments, for: program)
        for option in given.options {
            switch option.id {
            case .accepted: break
            case .help, .usage: information = .usage
            case .noHeader: style.hasHead = false
            case .parsable:
                style.delimiter = "|"
                style.endsWithDelimiter = true
            case .parsable2: style.delimiter = "|"
            case .time: unit = try Self.unit(option.value ?? "")
            case .version: information = .version
            }
        }
        guard information == nil else { return }
        try readReport(given.operands)
    }

    private static func unit(_ text: String) throws(CommandFailure) -> Unit {
        switch text.lowercased() {
        case let word where ControlCommand.isShort(word, for: "seconds", least: 3): return .seconds
        case let word where ControlCommand.isShort(word, for: "minutes", least: 3): return .minutes
        case let word where ControlCommand.isShort(word, for: "hours", least: 1): return .hours
        default: throw ControlCommand.failure("unknown time format \(text)")
        }
    }

    private mutating func readReport(_ words: [String]) throws(CommandFailure) {
        guard let keyword = words.first?.lowercased() else {
            information = .usage
            return
        }
        let name = words.dropFirst().first?.lowercased() ?? ""
        func isKeyword(_ full: String) -> Bool {
            ControlCommand.isShort(keyword, for: full, least: 1)
        }
        func isName(_ full: String, _ least: Int) -> Bool {
            ControlCommand.isShort(name, for: full, least: least)
        }
        if isKeyword("cluster"), isName("utilization", 2) {
            report = .utilization
        } else if isKeyword("cluster"), isName("accountutilizationbyuser", 1) {
            report = .accountsByUser
        } else if isKeyword("cluster"), isName("userutilizationbyaccount", 3) {
            report = .usersByAccount
        } else if isKeyword("user"), isName("topusage", 1) {
            report = .topUsers
        } else if isKeyword("job"), isName("sizesbyaccount", 1) {
            report = .jobSizes
        } else if ["cluster", "user", "job"].contains(where: { isKeyword($0) }) {
            throw ControlCommand.failure(
                "Not valid report \(words.dropFirst().first ?? "")",
                "Valid \(keyword) reports are, "
                    + (isKeyword("cluster")
                        ? "\"AccountUtilizationByUser\", \"UserUtilizationByAccount\", and \"Utilization\""
                        : isKeyword("user") ? "\"Top\"" : "\"SizesByAccount\"")
            )
        } else {
            throw ControlCommand.failure("invalid keyword: \(words[0])")
        }
        for word in words.dropFirst(2) {
            let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2 else {
                throw ControlCommand.failure(" Unknown condition: \(word)")
            }
            switch parts[0].lowercased() {
            case let name where ControlCommand.isShort(name, for: "start", least: 1):
                startText = parts[1]
            case let name where ControlCommand.isShort(name, for: "end", least: 1):
                endText = parts[1]
            case "user", "users": users = list(parts[1])
            case "account", "accounts", "acct": accounts = list(parts[1])
            case "format": format = parts[1]
            case "topcount":
                guard let count = Int(parts[1]), count > 0 else {
                    throw ControlCommand.failure(" Unknown condition: \(word)")
                }
                topCount = count
            case "cluster", "clusters", "tree", "grouping", "flatview", "group": break
            default: throw ControlCommand.failure(" Unknown condition: \(word)")
            }
        }
    }

    // MARK: The report

    /// From when to when: yesterday, unless something else was asked for, whole hours in any case.
    private func period(now: SimInstant) throws(CommandFailure) -> (
        from: SimInstant, to: SimInstant
    ) {
        let day = SimDuration(seconds: 86_400)
        let midnight = calendar.instant("today", now: now, isPast: true) ?? now
        let from = try instant(startText, now: now) ?? (midnight - day)
        let to = try instant(endText, now: now) ?? midnight
        let first = nearestHour(from)
        return (first, max(nearestHour(to), first + SimDuration(seconds: 3_600)))
    }

    private func instant(_ text: String?, now: SimInstant) throws(CommandFailure) -> SimInstant? {
        guard let text else { return nil }
        guard let instant = calendar.instant(text, now: now, isPast: true) else {
            throw ControlCommand.failure("Invalid time specification (pos=0): \(text)")
        }
        return instant
    }

    /// The whole hour that is nearest, as sreport rounds begins and ends: seconds to minutes, then minutes
    /// to hours.
    private func nearestHour(_ instant: SimInstant) -> SimInstant {
        let minute = begin(of: 60, SimInstant(seconds: instant.seconds + 30))
        return begin(of: 3_600, SimInstant(seconds: minute.seconds + 1_800))
    }

    /// The begin of the unit of so many seconds that an instant lies in.
    private func begin(of length: Int64, _ instant: SimInstant) -> SimInstant {
        let seconds = instant.seconds
        return SimInstant(seconds: seconds - (seconds % length + length) % length)
    }

    /// What is printed.
    ///
    /// - Throws: `CommandFailure` for a time or a field that cannot be read.
    public func output(
        _ list: AccountingList,
        _ status: CentreStatus
    ) throws(CommandFailure) -> CommandOutput {
        let (from, to) = try period(now: list.now)
        // What is not a whole hour yet has not been added up.
        let known = min(to, begin(of: 3_600, list.now))
        var uses: [Use] = []
        for record in list.records {
            guard let start = record.start, users?.contains(record.user) ?? true,
                accounts?.contains(record.account) ?? true
            else { continue }
            let begin = max(start, from)
            let end = min(record.end ?? known, known)
            guard begin < end else { continue }
            uses.append(
                Use(
                    account: record.account,
                    user: record.user,
                    cores: record.cores,
                    seconds: Self.product((end - begin).seconds, record.cores)
                )
            )
        }
        let last = SimInstant(seconds: to.seconds - 1)
        let span = "\(calendar.text(from)) - \(calendar.text(last))"
        let length = (to - from).seconds
        let rule = String(repeating: "-", count: 80)
        var lines: [String] = []
        func head(_ title: String, _ what: String) {
            guard style.hasHead else { return }
            lines += [rule, title, what, rule]
        }
        let usage = "Usage reported in CPU \(unit.word)"
        switch report {
        case .utilization:
            // Before there was a centre there was nothing to be idle.
            let first = list.records.map(\.submit).min() ?? status.startedAt
            let from = max(from, min(first, status.startedAt))
            let cores = status.cores
            head("Cluster Utilization \(span)", usage)
            lines += try utilization(
                uses,
                list.cluster,
                cores,
                known > from ? (known - from).seconds : 0
            )
        case .accountsByUser:
            head("Cluster/Account/User Utilization \(span) (\(length) secs)", usage)
            lines += try people(uses, list.cluster, byUser: false)
        case .usersByAccount:
            head("Cluster/User/Account Utilization \(span) (\(length) secs)", usage)
            lines += try people(uses, list.cluster, byUser: true)
        case .topUsers:
            head("Top \(topCount) Users \(span) (\(length) secs)", usage)
            lines += try top(uses, list.cluster)
        case .jobSizes:
            head("Job Sizes \(span) (\(length) secs)", "Time reported in \(unit.word)")
            lines += try sizes(uses, list.cluster)
        }
        return CommandOutput(lines: lines)
    }

    /// A job's use in the period.
    private struct Use: Hashable, Sendable {
        var account: String
        var user: String
        var cores: Int64
        /// Core seconds.
        var seconds: Int64
    }

    private static func product(_ left: Int64, _ right: Int64) -> Int64 {
        let (product, overflow) = left.multipliedReportingOverflow(by: right)
        return overflow ? .max : product
    }

    private func amount(_ seconds: Int64) -> String { "\(seconds / unit.length)" }

    private func lines<Row>(
        _ standard: String,
        _ all: [(name: String, field: TableField<Row>)],
        _ rows: [Row]
    ) throws(CommandFailure) -> [String] {
        let fields = try FieldList.choose(format ?? standard, from: all) { name in
            CommandFailure(lines: [" Unknown field '\(name)'"], exitCode: 1)
        }
        return style.lines(fields, rows)
    }

    private func utilization(
        _ uses: [Use],
        _ cluster: String,
        _ cores: Int64,
        _ length: Int64
    ) throws(CommandFailure) -> [String] {
        let allocated = uses.reduce(Int64(0)) { $0 &+ $1.seconds }
        let reported = Self.product(cores, length)
        let isParsable = style.delimiter != nil
        let fields: [(name: String, field: TableField<Int64>)] = [
            ("Cluster", TableField("Cluster", 9) { _ in cluster }),
            (
                "Allocated",
                TableField(isParsable ? "Allocated" : "Allocate", 8) { amount($0) }
            ),
            ("Down", TableField("Down", 8) { _ in "0" }),
            ("PlannedDown", TableField(isParsable ? "PLND Down" : "PLND Dow", 8) { _ in "0" }),
            ("Idle", TableField("Idle", 8) { amount(max(0, reported - $0)) }),
            ("Planned", TableField("Planned", 8) { _ in "0" }),
            ("Reported", TableField("Reported", 8) { _ in amount(reported) }),
        ]
        return try lines(
            "Cluster,Allocated,Down,PlannedDown,Idle,Planned,Reported",
            fields,
            reported > 0 ? [allocated] : []
        )
    }

    private struct Row: Hashable, Sendable {
        var account: String
        var user: String
        var seconds: Int64
    }

    private func sums(_ uses: [Use], _ key: (Use) -> (String, String)) -> [Row] {
        var sums: [[String]: Int64] = [:]
        for use in uses {
            let (account, user) = key(use)
            sums[[account, user], default: 0] &+= use.seconds
        }
        return sums.map { Row(account: $0.key[0], user: $0.key[1], seconds: $0.value) }
            .sorted { ($0.account, $0.user) < ($1.account, $1.user) }
    }

    private func peopleFields(_ cluster: String) -> [(name: String, field: TableField<Row>)] {
        [
            ("Cluster", TableField("Cluster", 9) { _ in cluster }),
            ("Account", TableField("Account", 15) { $0.account }),
            ("Login", TableField("Login", 9) { $0.user }),
            ("Proper", TableField("Proper Name", 15) { $0.user }),
            ("Used", TableField("Used", 8) { amount($0.seconds) }),
            ("Energy", TableField("Energy", 8) { _ in "0" }),
        ]
    }

    private func people(
        _ uses: [Use],
        _ cluster: String,
        byUser: Bool
    ) throws(CommandFailure) -> [String] {
        if byUser {
            let rows = sums(uses) { ($0.account, $0.user) }
                .sorted { ($0.user, $0.account) < ($1.user, $1.account) }
            return try lines(
                "Cluster,Login,Proper,Account,Used,Energy",
                peopleFields(cluster),
                rows
            )
        }
        // An account's own line stands above those of its users.
        var rows = sums(uses) { ($0.account, "") } + sums(uses) { ($0.account, $0.user) }
        rows.sort { ($0.account, $0.user) < ($1.account, $1.user) }
        if !rows.isEmpty {
            let all = uses.reduce(Int64(0)) { $0 &+ $1.seconds }
            rows.insert(Row(account: "root", user: "", seconds: all), at: 0)
        }
        return try lines("Cluster,Account,Login,Proper,Used,Energy", peopleFields(cluster), rows)
    }

    private func top(_ uses: [Use], _ cluster: String) throws(CommandFailure) -> [String] {
        let rows = sums(uses) { ($0.account, $0.user) }
            .sorted { ($1.seconds, $0.user) < ($0.seconds, $1.user) }
        return try lines(
            "Cluster,Login,Proper,Account,Used,Energy",
            peopleFields(cluster),
            Array(rows.prefix(topCount))
        )
    }

    private func sizes(_ uses: [Use], _ cluster: String) throws(CommandFailure) -> [String] {
        let bounds: [(name: String, from: Int64, to: Int64)] = [
            ("0-49 CPUs", 0, 49), ("50-249 CPUs", 50, 249), ("250-499 CPUs", 250, 499),
            ("500-999 CPUs", 500, 999), (">= 1000 CPUs", 1_000, .max),
        ]
        let all = uses.reduce(Int64(0)) { $0 &+ $1.seconds }
        var fields: [(name: String, field: TableField<String>)] = [
            ("Cluster", TableField("Cluster", 9) { _ in cluster }),
            ("Account", TableField("Account", 9) { $0 }),
        ]
        @Sendable func used(_ account: String, _ from: Int64, _ to: Int64) -> Int64 {
            uses.reduce(0) { sum, use in
                use.account == account && (from...to).contains(use.cores) ? sum &+ use.seconds : sum
            }
        }
        for bound in bounds {
            fields.append(
                (
                    bound.name,
                    TableField(bound.name, 13) { amount(used($0, bound.from, bound.to)) }
                )
            )
        }
        fields.append(
            (
                "share",
                TableField("% of cluster", 12) { account in
                    let part = Self.product(used(account, 0, .max), 100)
                    return all > 0 ? AmountText.ratio(part, all, digits: 2) + "%" : "0.00%"
                }
            )
        )
        let names = Array(Set(uses.map(\.account))).sorted()
        return try lines(fields.map(\.name).joined(separator: ","), fields, names)
    }
}
