import Billing
import Quantities
import WireFormats

extension BillReport {
    /// The statement for cost tools: one row for each line, subsidy and voucher payment, in the
    /// columns of FOCUS 1.0 (FinOps Open Cost and Usage Specification, focus.finops.org), in their
    /// order there, and `x_TaxIncluded`. Costs are in yuan with tax inside; times are UTC.
    ///
    /// - Returns: nil for a statement of all time: FOCUS wants a billing period that ends.
    public func focus(in words: ReportLanguage, hasByteOrderMark: Bool = false) -> String? {
        guard let period = BillingPeriod(statement.period), let start = period.start,
            let end = period.end
        else { return nil }
        let times = [start, end].map { CivilTime($0, offsetSeconds: 0).iso8601 + "Z" }
        var csv = CSVText(
            header: FOCUSRow.columns.map(\.name),
            hasByteOrderMark: hasByteOrderMark
        )
        for row in focusRows(words) {
            csv.add(
                FOCUSRow.columns.map { column in
                    column.cell(row, statement, times[0], times[1], words)
                }
            )
        }
        return csv.text
    }

    private func focusRows(_ words: ReportLanguage) -> [FOCUSRow] {
        var rows = statement.lines.map { line in
            FOCUSRow(
                category: line.kind == "rounding" ? "Adjustment" : "Usage",
                isCorrection: line.kind == "refund",
                description: name(of: line, words),
                amount: line.amount,
                tax: line.vat,
                line: line.quantity == nil ? nil : line
            )
        }
        func credit(_ name: String, _ amount: Int64) {
            guard amount != 0 else { return }
            rows.append(FOCUSRow(category: "Credit", description: name, amount: -amount, tax: 0))
        }
        for row in statement.subsidies {
            credit("\(words.named(row.rule, row.title)) \(row.year)", row.granted)
        }
        credit(words("创新券抵扣", "Paid by vouchers"), statement.vouchersUsed)
        return rows
    }
}

/// A charge in the sense of FOCUS.
private struct FOCUSRow {
    var category: String
    var isCorrection = false
    var description: String
    /// Unit: fen.
    var amount: Int64
    /// Unit: fen.
    var tax: Int64
    /// What has a quantity and a price.
    var line: BillLine?

    var isStorage: Bool { line?.kind == "storage-tb-day" }

    /// The unit of the price, as FOCUS 1.0 writes units.
    var unit: String? {
        line.map { line in
            switch line.kind {
            case "core-hour": "Core-Hours"
            case "card-hour": "GPU-Hours"
            case "node-hour": "Node-Hours"
            default: "TB-Days"
            }
        }
    }

    struct Column {
        var name: String
        var cell: (FOCUSRow, BillStatement, String, String, ReportLanguage) -> CSVCell

        init(
            _ name: String,
            _ cell: @escaping (FOCUSRow, BillStatement, String, String, ReportLanguage) -> CSVCell
        ) {
            self.name = name
            self.cell = cell
        }
    }

    static func yuan(_ row: FOCUSRow, _ price: KeyPath<BillLine, Int64?>) -> CSVCell {
        guard let microFen = row.line?[keyPath: price] else { return .empty }
        return .literal(BillReport.price(microFen: microFen))
    }

    static func quantity(_ row: FOCUSRow, _ count: KeyPath<BillLine, Int64?>) -> CSVCell {
        guard let count = row.line?[keyPath: count] else { return .empty }
        return .literal(BillReport.tenThousandths(count, isGrouped: false))
    }

    static func text(_ text: String?) -> CSVCell { text.map { .text($0) } ?? .empty }

    static var columns: [Column] {
        [
            Column("BilledCost") { row, _, _, _, _ in .yuan(Fen(row.amount)) },
            Column("BillingAccountId") { _, bill, _, _, _ in .text(bill.account) },
            Column("BillingAccountName") { _, bill, _, _, words in .text(words.title(bill.title)) },
            Column("BillingCurrency") { _, _, _, _, _ in .literal("CNY") },
            Column("BillingPeriodEnd") { _, _, _, end, _ in .literal(end) },
            Column("BillingPeriodStart") { _, _, start, _, _ in .literal(start) },
            Column("ChargeCategory") { row, _, _, _, _ in .literal(row.category) },
            Column("ChargeClass") { row, _, _, _, _ in
                row.isCorrection ? .literal("Correction") : .empty
            },
            Column("ChargeDescription") { row, _, _, _, _ in .text(row.description) },
            Column("ChargeFrequency") { _, _, _, _, _ in .literal("Usage-Based") },
            Column("ChargePeriodEnd") { _, _, _, end, _ in .literal(end) },
            Column("ChargePeriodStart") { _, _, start, _, _ in .literal(start) },
            Column("ConsumedQuantity") { row, _, _, _, _ in quantity(row, \.held) },
            Column("ConsumedUnit") { row, _, _, _, _ in text(row.unit) },
            Column("ContractedCost") { row, _, _, _, _ in .yuan(Fen(row.amount)) },
            Column("ContractedUnitPrice") { row, _, _, _, _ in yuan(row, \.unitPrice) },
            Column("EffectiveCost") { row, _, _, _, _ in .yuan(Fen(row.amount)) },
            Column("InvoiceIssuerName") { _, bill, _, _, words in
                text(bill.issuer.map { words.title($0.name) })
            },
            Column("ListCost") { row, _, _, _, _ in
                .yuan(Fen(row.amount + (row.line?.discounted ?? 0)))
            },
            Column("ListUnitPrice") { row, _, _, _, _ in yuan(row, \.listPrice) },
            Column("PricingCategory") { row, _, _, _, _ in
                row.line == nil ? .empty : .literal("Standard")
            },
            Column("PricingQuantity") { row, _, _, _, _ in quantity(row, \.quantity) },
            Column("PricingUnit") { row, _, _, _, _ in text(row.unit) },
            Column("ProviderName") { _, bill, _, _, words in
                text(bill.issuer.map { words.title($0.name) })
            },
            Column("PublisherName") { _, bill, _, _, words in
                text(bill.issuer.map { words.title($0.name) })
            },
            Column("ServiceCategory") { row, _, _, _, _ in
                .literal(row.isStorage ? "Storage" : "Compute")
            },
            Column("ServiceName") { row, _, _, _, words in
                text(row.line.map { words.title($0.platformTitle) })
            },
            Column("SkuId") { row, _, _, _, _ in
                text(row.line.map { "\($0.platform)/\($0.kind)" })
            },
            Column("SkuPriceId") { row, _, _, _, _ in
                text(
                    row.line.map { line in
                        "\(line.tariff)/\(line.partition ?? line.platform)/\(line.kind)"
                            + "/\(line.tierFromHours ?? 0)"
                    }
                )
            },
            Column("x_TaxIncluded") { row, _, _, _, _ in .yuan(Fen(row.tax)) },
        ]
    }
}
