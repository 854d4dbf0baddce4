public import Billing
import Quantities
import WireFormats
public import WorkloadFormats

/// Rules side by side over a workload.
public struct ForecastReport: Sendable {
    private let forecast: Forecast
    private let trace: Trace
    private let outlooks: [RuleOutlook]
    private let elasticityPPM: Int64

    /// Makes a report.
    ///
    /// - Parameters:
    ///   - trace: where the jobs are from; what reading it left out is said.
    ///   - elasticityPPM: the response of demand that the outlooks were made with.
    public init(
        _ forecast: Forecast,
        trace: Trace,
        outlooks: [RuleOutlook],
        elasticityPPM: Int64 = 0
    ) {
        self.forecast = forecast
        self.trace = trace
        self.outlooks = outlooks
        self.elasticityPPM = elasticityPPM
    }

    private var elasticityNote: [String] {
        guard elasticityPPM > 0 else { return [] }
        return [
            "Demand answers to price: elasticity \(BillReport.thousandths(elasticityPPM / 1_000));"
                + " a fee of which a rule pays the share s grows by s × that."
                + " \"With it\": the fees under the rule."
        ]
    }

    /// Tables for a terminal; ends with a newline.
    public var text: String {
        var lines = [
            "\(counted(forecast.jobCount, "job")), \(yuan(forecast.totalFee)) CNY of fees"
                + (forecast.strangerCount > 0
                    ? "; \(counted(forecast.strangerCount, "job")) of users without a tenant" : "")
                + (forecast.absurdCount > 0
                    ? "; \(counted(forecast.absurdCount, "job")) out of any range left out" : "")
        ]
        let unpriced = forecast.platformsWithoutPrice
        if !unpriced.isEmpty {
            lines.append(
                "The tariff has no price on \(unpriced.joined(separator: ", ")): jobs there cost 0."
            )
        }
        lines += trace.remarkLines + elasticityNote + [""]
        var months = TextTable(
            header: ["Month", "Fees (CNY)"] + outlooks.flatMap { headers($0) },
            alignments: [.left, .right] + outlooks.flatMap { headers($0) }.map { _ in .right }
        )
        let fees = forecast.monthlyFees
        for (index, month) in (outlooks.first?.months ?? []).enumerated() {
            months.add(
                [month.month.description, yuan(fees[index])]
                    + outlooks.flatMap { cells($0.months[index].fee, $0.months[index].granted) }
            )
        }
        months.addRule()
        months.add(
            ["Total", yuan(forecast.totalFee)]
                + outlooks.flatMap { cells($0.months.reduce(0) { $0 + $1.fee }, $0.total) }
        )
        lines += months.lines
        for outlook in outlooks { lines += [""] + details(outlook) }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The columns of a rule: what it grants, and before it the fees, where demand answers to it.
    private func headers(_ outlook: RuleOutlook) -> [String] {
        let granted = "\(outlook.rule.id) (CNY)"
        return elasticityPPM > 0 ? ["With it (CNY)", granted] : [granted]
    }

    private func cells(_ fee: Int128, _ granted: Int128) -> [String] {
        elasticityPPM > 0 ? [yuan(fee), yuan(granted)] : [yuan(granted)]
    }

    private func details(_ outlook: RuleOutlook) -> [String] {
        var lines = ["\(outlook.rule.id): \(outlook.rule.title)"]
        if let day = outlook.poolExhaustedOn { lines.append("  The pool falls short on \(day).") }
        if outlook.inducedFee > 0 {
            lines.append("  It brings \(yuan(outlook.inducedFee)) CNY of further fees.")
        }
        lines.append("  \(outlook.capsReached.count) beneficiaries reach the cap of a year.")
        for reached in outlook.capsReached.prefix(10) {
            lines.append("    \(reached.day)  \(reached.beneficiary)")
        }
        if outlook.capsReached.count > 10 {
            lines.append("    … \(outlook.capsReached.count - 10) more (see --json)")
        }
        var sizes = TextTable(
            header: ["Fees of an enterprise (CNY)", "Enterprises", "Fees", "Granted", "Rate"],
            alignments: [.left, .right, .right, .right, .right]
        )
        for size in outlook.sizes where size.enterpriseCount > 0 {
            sizes.add([
                "from \(yuan(Int128(size.from)))", String(size.enterpriseCount), yuan(size.fee),
                yuan(size.granted),
                NumberText.percent(ppm: (size.effectiveRatePPM + 50) / 100 * 100),
            ])
        }
        return lines + sizes.lines.map { "  " + $0 }
    }

    /// Everything, for programs; ends with a newline.
    public var json: String {
        let document: JSONValue = [
            "jobs": .integer(Int64(forecast.jobCount)),
            "jobs_without_tenant": .integer(Int64(forecast.strangerCount)),
            "jobs_left_out": .integer(Int64(forecast.absurdCount)),
            "platforms_without_price": .array(
                forecast.platformsWithoutPrice.map { .string($0) }
            ),
            "log": .object(trace.readingMembers),
            "fee_fen": integer(forecast.totalFee),
            "elasticity_ppm": .integer(elasticityPPM),
            "rules": .array(outlooks.map { json($0) }),
        ]
        return document.prettyText + "\n"
    }

    private func json(_ outlook: RuleOutlook) -> JSONValue {
        [
            "rule": .string(outlook.rule.id),
            "granted_fen": integer(outlook.total),
            "induced_fee_fen": integer(outlook.inducedFee),
            "pool_exhausted_on": outlook.poolExhaustedOn.map { .string("\($0)") } ?? .null,
            "months": .array(
                outlook.months.map { row -> JSONValue in
                    [
                        "month": .string(row.month.description),
                        "fee_fen": integer(row.fee),
                        "granted_fen": integer(row.granted),
                    ]
                }
            ),
            "caps_reached": .array(
                outlook.capsReached.map { row -> JSONValue in
                    ["beneficiary": .string(row.beneficiary), "date": .string("\(row.day)")]
                }
            ),
            "by_size": .array(
                outlook.sizes.map { size -> JSONValue in
                    [
                        "from_fen": .integer(size.from),
                        "enterprises": .integer(Int64(size.enterpriseCount)),
                        "fee_fen": integer(size.fee),
                        "granted_fen": integer(size.granted),
                        "effective_rate_ppm": .integer(size.effectiveRatePPM),
                    ]
                }
            ),
            "assumptions": .array(outlook.rule.assumptions.map { .string($0) }),
        ]
    }
}

// MARK: - HTML

extension ForecastReport {
    /// One self-contained page: cumulative outlay by month, rules side by side, and the tables.
    public var html: String {
        """
        <!DOCTYPE html>
        <html lang="en"><head><meta charset="utf-8"><title>Subsidy forecast</title><style>
        body{font:14px/1.5 "Noto Sans","Noto Sans CJK SC",sans-serif;max-width:60em;margin:2em auto;color:#222}
        pre{font:13px/1.45 "Noto Sans Mono",monospace;overflow-x:auto}svg{width:100%;height:auto}
        svg text{font-size:12px;fill:#555}
        </style></head><body><h1>Subsidy forecast</h1>
        \(plot)
        <pre>\(escapedForHTML(text))</pre></body></html>

        """
    }

    private static let colours = ["#1b6ca8", "#d1495b", "#2a9d6f", "#8a5fbf", "#c98a1b", "#4d4d4d"]

    private var plot: String {
        let count = outlooks.first?.months.count ?? 0
        let highest = outlooks.map(\.total).max() ?? 0
        guard count > 0, highest > 0 else { return "" }
        // Three names a line below the plot.
        let height = 304 + 16 * ((outlooks.count + 2) / 3 - 1)
        var svg =
            "<svg viewBox=\"0 0 760 \(height)\" role=\"img\" aria-label=\"Cumulative outlay\">"
        // Positions are integers: 640 × 240 units of the plot.
        func x(_ index: Int) -> Int { 90 + 640 * (index + 1) / count }
        func y(_ amount: Int128) -> Int { 260 - Int(amount * 240 / highest) }
        for step in 0...4 {
            let amount = highest * Int128(step) / 4
            svg +=
                "<line x1=\"90\" x2=\"730\" y1=\"\(y(amount))\" y2=\"\(y(amount))\" stroke=\"#ddd\"/>"
            svg +=
                "<text x=\"84\" y=\"\(y(amount) + 4)\" text-anchor=\"end\">\(yuan(amount))</text>"
        }
        for (index, outlook) in outlooks.enumerated() {
            let colour = Self.colours[index % Self.colours.count]
            // Beyond the colours lines are told apart by their dashes.
            let round = index / Self.colours.count
            let dash = round == 0 ? "" : " stroke-dasharray=\"\(max(1, 8 / round)) 4\""
            var sum: Int128 = 0
            var points = "90,260"
            for (position, month) in outlook.months.enumerated() {
                sum += month.granted
                points += " \(x(position)),\(y(sum))"
            }
            svg +=
                "<polyline points=\"\(points)\" fill=\"none\" stroke=\"\(colour)\" stroke-width=\"2\"\(dash)/>"
            let (left, middle) = (90 + 210 * (index % 3), 293 + 16 * (index / 3))
            svg += "<line x1=\"\(left)\" x2=\"\(left + 24)\" y1=\"\(middle)\" y2=\"\(middle)\""
            svg += " stroke=\"\(colour)\" stroke-width=\"3\"\(dash)/>"
            svg += "<text x=\"\(left + 29)\" y=\"\(298 + 16 * (index / 3))\">"
            svg += "\(escapedForHTML(outlook.rule.id))</text>"
        }
        let stride = max(1, count / 12)
        for (index, month) in (outlooks.first?.months ?? []).enumerated() where index % stride == 0
        {
            svg += "<text x=\"\(x(index))\" y=\"276\" text-anchor=\"middle\">\(month.month)</text>"
        }
        return svg + "</svg>"
    }
}
