import Quantities
import WireFormats

extension BillReport {
    /// The columns of the CSV form.
    static let csvHeader = [
        "account", "period", "section", "name", "title", "jobs", "core_seconds", "card_seconds",
        "node_seconds", "quantity", "unit", "unit_price_yuan", "amount_fen", "amount_yuan",
        "vat_fen",
    ]

    /// The statement as CSV (RFC 4180, LF): one row for each line, breakdown and sum; titles are in
    /// the language, all else is the same in every one.
    ///
    /// - Parameter hasByteOrderMark: whether it begins with U+FEFF, by which Excel knows UTF-8.
    public func csv(in words: ReportLanguage, hasByteOrderMark: Bool = false) -> String {
        Self.csv([self], in: words, hasByteOrderMark: hasByteOrderMark)
    }

    /// Statements below one another under one header.
    static func csv(
        _ reports: [BillReport],
        in words: ReportLanguage,
        hasByteOrderMark: Bool = false
    ) -> String {
        var csv = CSVText(header: csvHeader, hasByteOrderMark: hasByteOrderMark)
        for report in reports { for row in report.csvRows(words) { csv.add(row) } }
        return csv.text
    }

    private func csvRows(_ words: ReportLanguage) -> [[CSVCell]] {
        var rows: [[CSVCell]] = []
        func add(
            _ section: String,
            _ name: String = "",
            title: String = "",
            counts: BillRow? = nil,
            quantity: (CSVCell, String)? = nil,
            unitPrice: Int64? = nil,
            amount: Int64? = nil,
            vat: Int64? = nil
        ) {
            func number(_ value: Int64?) -> CSVCell { value.map { .number($0) } ?? .empty }
            rows.append([
                .text(statement.account), .literal(statement.period), .literal(section),
                .text(name), .text(title), number(counts.map { Int64($0.jobs) }),
                number(counts?.coreSeconds), number(counts?.cardSeconds),
                number(counts?.nodeSeconds), quantity?.0 ?? .empty, .text(quantity?.1 ?? ""),
                unitPrice.map { .literal(Self.price(microFen: $0)) } ?? .empty, number(amount),
                amount.map { .yuan(Fen($0)) } ?? .empty, number(vat),
            ])
        }
        func add(_ section: String, _ groups: [BillRow]) {
            for row in groups {
                let title = section == "state" ? words.state(row.name) : words.title(row.title)
                add(
                    section,
                    row.name,
                    title: title,
                    counts: row,
                    amount: row.gross ?? row.fee,
                    vat: row.vat
                )
            }
        }
        for line in statement.lines {
            add(
                "line",
                line.kind,
                title: name(of: line, words),
                quantity: line.quantity.map {
                    (.literal(Self.tenThousandths($0, isGrouped: false)), line.kind)
                },
                unitPrice: line.unitPrice,
                amount: line.amount,
                vat: line.vat
            )
        }
        if isOfEnterprise { add("account", statement.byAccount) }
        add("platform", statement.byPlatform)
        add("state", statement.byState)
        if let grouping = statement.grouping { add(grouping, statement.byGroup) }
        for row in statement.byResource {
            add("resource", row.resource, title: words.resource(row.resource), amount: row.fee)
        }
        if let storage = statement.storage {
            let name = "storage-tb-day"
            add("resource", name, title: words.resource(name), amount: storage.fee)
        }
        for row in statement.subsidies {
            let (name, title) = ("\(row.rule) \(row.year)", words.title(row.title))
            add("subsidy", name, title: title, amount: row.granted)
            add("cap_used", name, title: title, amount: row.used)
            if let left = row.left { add("cap_left", name, title: title, amount: left) }
        }
        add("refunded", amount: statement.refunded)
        add("gross", counts: statement.total, amount: statement.gross, vat: statement.vat)
        add("subsidy_total", amount: statement.subsidy)
        add("net", amount: statement.net)
        add("vouchers_used", amount: statement.vouchersUsed)
        add("cash", amount: statement.cash)
        add("opening", amount: statement.opening)
        add("payments", amount: statement.paid)
        add("closing", title: balanceWords(words), amount: statement.closing)
        for row in statement.vouchers { add("voucher_left", row.id, amount: row.left) }
        add("verified_work", quantity: (.number(statement.verifiedFlop), "flop"))
        if let price = statement.verifiedPetaflopPrice { add("petaflop_price", amount: price) }
        if let energy = statement.energyMillijoules {
            let name = statement.isEnergyEstimated == true ? "estimated" : "measured"
            add("energy", name, quantity: (.number(energy), "mJ"))
        }
        if let energy = statement.modelledMillijoules {
            add("energy", "modelled", quantity: (.number(energy), "mJ"))
        }
        if let grams = statement.carbonDioxideGrams {
            add("carbon_dioxide", quantity: (.number(grams), "g"))
        }
        if let price = statement.megawattHourPrice { add("megawatt_hour_price", amount: price) }
        return rows
    }

    /// The charges and refunds one by one as CSV; they add up to the gross fee.
    public func chargesCSV(hasByteOrderMark: Bool = false) -> String {
        var csv = CSVText(
            header: [
                "entry", "account", "job", "user", "platform", "partition", "qos", "state", "start",
                "end", "nodes", "core_seconds", "card_seconds", "amount_fen", "amount_yuan",
            ],
            hasByteOrderMark: hasByteOrderMark
        )
        for charge in statement.charges {
            csv.add([
                .text(charge.entry), .text(charge.account),
                charge.job.map { .number(Int64($0)) } ?? .empty, .text(charge.user),
                .text(charge.platform), .text(charge.partition), .text(charge.qos),
                .text(charge.state), .literal(charge.start ?? ""), .literal(charge.end),
                .number(charge.nodes), .number(charge.coreSeconds), .number(charge.cardSeconds),
                .number(charge.amount), .yuan(Fen(charge.amount)),
            ])
        }
        return csv.text
    }
}
