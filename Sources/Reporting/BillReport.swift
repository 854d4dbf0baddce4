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
            add(
                row.title.isEmpty || row.title == row.name
                    ? row.name : "\(row.name) · \(row.title)",
                row
            )
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
        if statement.refunded != 0 {
            table.add(["Charges", Fen(statement.gross + statement.refunded).yuanText])
            table.add(["Refunded", Fen(-statement.refunded).yuanText])
        }
        table.add(["Gross fee", Fen(statement.gross).yuanText])
        for row in statement.subsidies {
            table.add(["Subsidy \(row.rule) \(row.year)", Fen(-row.granted).yuanText])
        }
        table.addRule()
        table.add(["Net fee", Fen(statement.net).yuanText])
        if statement.vouchersUsed != 0 {
            table.add(["Paid by vouchers", Fen(-statement.vouchersUsed).yuanText])
            table.add(["To pay in money", Fen(statement.cash).yuanText])
        }
        return table.lines
    }

    private var notes: [String] {
        var lines: [String] = [""]
        for row in statement.subsidies {
            guard let cap = row.cap, let left = row.left else {
                lines.append("\(row.rule) \(row.year): \(Fen(row.used).yuanText) granted, no cap")
                continue
            }
            lines.append(
                "Cap of \(row.rule), \(row.year): \(Fen(cap).yuanText) a year; "
                    + "used \(Fen(row.used).yuanText), left \(Fen(left).yuanText)  "
                    + Self.gauge(row.used, of: cap)
            )
        }
        for voucher in statement.vouchers {
            lines.append(
                "Voucher \(voucher.id): \(Fen(voucher.left).yuanText) left of "
                    + "\(Fen(voucher.face).yuanText)\(Self.validity(voucher))"
            )
        }
        if statement.subsidies.isEmpty {
            lines.append("No subsidy: no rule has this account among its beneficiaries.")
        }
        if statement.total.freeCoreSeconds > 0 {
            lines.append(
                "Not charged (node failure, requeue by the system, free states): "
                    + "\(Self.hours(statement.total.freeCoreSeconds)) core-hours"
            )
        }
        if statement.verifiedJobs > 0 {
            lines.append(
                "Verified work: \(Self.flop(statement.verifiedFlop)) in "
                    + "\(statement.verifiedJobs) job\(statement.verifiedJobs == 1 ? "" : "s")"
                    + (statement.verifiedPetaflopPrice.map {
                        ", \(Fen($0).yuanText) CNY a Pflop"
                    } ?? "")
            )
        }
        if let energy = statement.energyMillijoules {
            let price = statement.megawattHourPrice.map { ", \(Fen($0).yuanText) CNY a MWh" } ?? ""
            lines.append(
                "Energy reported: \(Self.kilowattHours(energy)) kWh"
                    + (statement.isEnergyEstimated == true ? " (estimated)" : "") + price
            )
        }
        lines.append(
            "Tax: fees include \(Self.percent(statement.vatPPM)) % VAT; gross without tax "
                + "\(Fen(statement.gross - statement.vat).yuanText), tax \(Fen(statement.vat).yuanText)."
                + taxBasis
        )
        lines.append("Balance of the account, all months: \(Fen(statement.balance).yuanText) CNY")
        if statement.held != 0 {
            lines.append("Reserved by running jobs: \(Fen(statement.held).yuanText) CNY")
        }
        if let available = statement.available {
            lines.append("Still to be reserved: \(Fen(available).yuanText) CNY")
        }
        lines.append(Self.roundingNote)
        if let head = statement.ledgerHead { lines.append("Ledger head \(head)") }
        return lines
    }

    private var taxBasis: String {
        let bases = Set(statement.subsidies.map(\.taxBasis)).sorted()
        guard !bases.isEmpty else { return "" }
        let words = bases.map { $0 == "net" ? "without tax" : "with tax" }
        return " Subsidies are shares of the fee \(words.joined(separator: " or "))."
    }

    /// `, valid from 2026-01-01 before 2027-01-01`; empty where nothing bounds it.
    static func validity(_ voucher: BillVoucher) -> String {
        guard voucher.validFrom != nil || voucher.validTo != nil else { return "" }
        return ", valid" + (voucher.validFrom.map { " from \($0)" } ?? "")
            + (voucher.validTo.map { " before \($0)" } ?? "")
    }

    /// Parts per million as a percentage without trailing zeros: `6`, `12.5`.
    static func percent(_ ppm: Int64) -> String {
        var text = "\(ppm / 10_000).\(String(10_000 + ppm % 10_000).dropFirst())"
        while text.hasSuffix("0") { text.removeLast() }
        if text.hasSuffix(".") { text.removeLast() }
        return text
    }

    /// A number of thousandths with three decimals.
    static func thousandths(_ count: Int64) -> String {
        "\(NumberText.grouped(count / 1_000)).\(String(1_000 + count % 1_000).dropFirst())"
    }

    /// Twenty boxes, filled to the share; at least one when anything is used.
    private static func gauge(_ used: Int64, of cap: Int64) -> String {
        guard cap > 0 else { return "" }
        let perMille = Int(Int128(max(0, min(used, cap))) * 1_000 / Int128(cap))
        let full = used > 0 ? max(1, perMille / 50) : 0
        return "[" + String(repeating: "█", count: full) + String(repeating: "░", count: 20 - full)
            + "] \(perMille / 10).\(perMille % 10) %"
    }
}

// MARK: - CSV

extension BillReport {
    /// The statement as CSV (RFC 4180, LF): one row for each breakdown and for the sums. Money in
    /// fen, held time in seconds.
    public var csv: String {
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
        return lines.joined(separator: "\n") + "\n"
    }
}

/// A field of a CSV file, in quotes where RFC 4180 asks for them.
public func csvField(_ text: String) -> String {
    let needsQuotes = text.utf8.contains { byte in
        byte == UInt8(ascii: ",") || byte == UInt8(ascii: "\"") || byte == 0x0A || byte == 0x0D
    }
    guard needsQuotes else { return text }
    return "\""
        + text.split(separator: "\"", omittingEmptySubsequences: false)
        .joined(separator: "\"\"") + "\""
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

    /// Operations with a metric prefix and three digits: `12.3 Gflop`.
    static func flop(_ count: Int64) -> String {
        let units = ["flop", "kflop", "Mflop", "Gflop", "Tflop", "Pflop", "Eflop"]
        var thousandths = Int128(count) * 1_000
        var unit = 0
        while thousandths >= 1_000_000, unit < units.count - 1 {
            thousandths /= 1_000
            unit += 1
        }
        let (whole, rest) = thousandths.quotientAndRemainder(dividingBy: 1_000)
        let decimals = String(Int(rest) + 1_000).dropFirst()
        return switch whole {
        case 100...: "\(whole) \(units[unit])"
        case 10...: "\(whole).\(decimals.prefix(1)) \(units[unit])"
        default: "\(whole).\(decimals.prefix(2)) \(units[unit])"
        }
    }
}
