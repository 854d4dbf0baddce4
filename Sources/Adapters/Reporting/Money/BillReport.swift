import Quantities
public import WireFormats

/// A statement in the forms in which it is handed out.
public struct BillReport: Sendable {
    /// What is reported.
    public let statement: BillStatement

    /// Makes a report.
    public init(_ statement: BillStatement) {
        self.statement = statement
    }

    /// The statement as JSON, for programs; ends with a newline.
    public var json: String { statement.json.prettyText + "\n" }

    /// How fees are rounded, as every statement says.
    public static let roundingNote =
        "Fees are rounded half up to the fen, once a job; a job across a month end is split there "
        + "so that its parts add up."
}

// MARK: - Text

extension BillReport {
    /// The statement for a terminal; ends with a newline.
    public var text: String {
        (head + [""] + accounts + usage("Platform", statement.byPlatform) + [""]
            + usage("Final state", statement.byState) + [""] + resources + [""] + money + notes)
            .joined(separator: "\n") + "\n"
    }

    private var head: [String] {
        var lines = [
            "Statement of \(isOfEnterprise ? "enterprise" : "account") \(statement.account)"
                + (statement.title.isEmpty ? "" : " · \(statement.title)"),
            "  Period      \(periodText) (Asia/Shanghai)",
            "  As of       \(Self.civil(statement.asOf).iso8601)",
            "  Tariff      \(statement.tariff)",
        ]
        if isOfEnterprise {
            lines.append("  Accounts    \(statement.accounts.joined(separator: ", "))")
        } else if let enterprise = statement.enterprise {
            lines.append("  Enterprise  \(enterprise)")
        }
        return lines
    }

    /// Whether several accounts, or one of another name, are summed up.
    var isOfEnterprise: Bool { statement.accounts != [statement.account] }

    private var periodText: String {
        statement.period == "all" ? "all months up to now" : statement.period
    }

    private var accounts: [String] {
        isOfEnterprise ? usage("Account", statement.byAccount) + [""] : []
    }

    private func usage(_ heading: String, _ rows: [BillRow]) -> [String] {
        var table = TextTable(
            header: [heading, "Jobs", "Core-hours", "Card-hours", "Fee (CNY)"],
            alignments: [.left, .right, .right, .right, .right]
        )
        func add(_ name: String, _ row: BillRow) {
            table.add([
                name, String(row.jobs), Self.hours(row.coreSeconds), Self.hours(row.cardSeconds),
                Fen(row.fee).yuanText,
            ])
        }
        for row in rows {
            add(label(of: row), row)
        }
        table.addRule()
        add("Total", statement.total)
        return table.lines
    }

    private var resources: [String] {
        var table = TextTable(
            header: ["Resource", "Quantity", "Fee (CNY)"],
            alignments: [.left, .right, .right]
        )
        for row in statement.byResource {
            table.add([row.resource, Self.hours(row.seconds), Fen(row.fee).yuanText])
        }
        if let storage = statement.storage {
            table.add([
                "storage-tb-day", Self.thousandths(storage.milliTBDays), Fen(storage.fee).yuanText,
            ])
        }
        return table.lines
    }

    private var money: [String] {
        var table = TextTable(header: ["To pay", "CNY"], alignments: [.left, .right])
        var isBelowRule = false
        for row in moneyRows(in: .english) {
            if row.isTotal, !isBelowRule { table.addRule() }
            isBelowRule = isBelowRule || row.isTotal
            table.add([row.name, Fen(row.amount).yuanText])
        }
        return table.lines
    }

    private var notes: [String] {
        let caps = statement.subsidies.compactMap { row in
            capNote(row, .english).map { "\($0.text)  \(Self.gauge($0.perMille, used: row.used))" }
        }
        return [""] + caps + notes(in: .english)
    }

    /// A number of thousandths with three decimals.
    static func thousandths(_ count: Int64) -> String {
        "\((count / 1_000).groupedText).\(String(1_000 + count % 1_000).dropFirst())"
    }

    /// Twenty boxes, filled to the share; at least one when anything is used.
    private static func gauge(_ perMille: Int, used: Int64) -> String {
        let full = used > 0 ? max(1, perMille / 50) : 0
        return "[" + String(repeating: "█", count: full) + String(repeating: "░", count: 20 - full)
            + "] \(perMille / 10).\(perMille % 10) %"
    }
}

// MARK: - CSV

extension BillReport {
    /// The statement as CSV (RFC 4180, LF): one row for each breakdown and for the sums. Money in
    /// fen, held time in seconds.
    public var csv: String { csvLines.joined(separator: "\n") + "\n" }

    /// The same, line by line, the header first.
    var csvLines: [String] {
        let period = statement.period
        var lines = [
            "account,period,section,name,jobs,core_seconds,card_seconds,node_seconds,amount_fen"
        ]
        func add(_ section: String, _ name: String, _ amount: Int64, _ row: BillRow? = nil) {
            let counts =
                row.map { "\($0.jobs),\($0.coreSeconds),\($0.cardSeconds),\($0.nodeSeconds)" }
                ?? ",,,"
            lines.append(
                "\(csvField(statement.account)),\(period),\(section),\(csvField(name)),\(counts),"
                    + String(amount)
            )
        }
        if isOfEnterprise {
            for row in statement.byAccount { add("account", row.name, row.fee, row) }
        }
        for row in statement.byPlatform { add("platform", row.name, row.fee, row) }
        for row in statement.byState { add("state", row.name, row.fee, row) }
        for row in statement.byResource { add("resource", row.resource, row.fee) }
        if let storage = statement.storage { add("resource", "storage-tb-day", storage.fee) }
        for row in statement.subsidies { add("subsidy", "\(row.rule) \(row.year)", row.granted) }
        for row in statement.subsidies {
            add("cap_used", "\(row.rule) \(row.year)", row.used)
            if let left = row.left { add("cap_left", "\(row.rule) \(row.year)", left) }
        }
        add("refunded", "", statement.refunded)
        add("gross", "", statement.gross, statement.total)
        add("subsidy_total", "", statement.subsidy)
        add("net", "", statement.net)
        add("vat_in_gross", "", statement.vat)
        add("vouchers_used", "", statement.vouchersUsed)
        add("cash", "", statement.cash)
        for row in statement.vouchers { add("voucher_left", row.id, row.left) }
        add("verified_flop", "", statement.verifiedFlop)
        if let price = statement.verifiedPetaflopPrice { add("petaflop_price", "", price) }
        if let energy = statement.energyMillijoules {
            add(
                statement.isEnergyEstimated == true ? "energy_mj_estimated" : "energy_mj",
                "",
                energy
            )
        }
        if let price = statement.megawattHourPrice { add("megawatt_hour_price", "", price) }
        return lines
    }
}

// MARK: - Numbers

extension BillReport {
    static func civil(_ instant: SimInstant) -> CivilTime {
        CivilTime(instant, offsetSeconds: CivilTime.shanghaiOffsetSeconds)
    }

    /// Hours with two decimals and groups of three, rounded half up: `1,234.50`.
    static func hours(_ seconds: Int64) -> String {
        // A hundredth of an hour is 36 s; amounts of money print the same way.
        Fen((seconds + 18) / 36).yuanText
    }

    /// Energy in kWh with six decimals, rounded half up.
    static func kilowattHours(_ millijoules: Int64) -> String {
        // 10⁻⁶ kWh are 3,600 mJ.
        let millionths = (millijoules + 1_800) / 3_600
        let decimals = String(millionths % 1_000_000 + 1_000_000).dropFirst()
        return "\(millionths / 1_000_000).\(decimals)"
    }
}
