import Billing
import Quantities

extension ForecastReport {
    /// One self-contained page: the outlay as it adds up, rules side by side, and the tables.
    public var html: String {
        let title = words("补贴支出预测", "Subsidy forecast")
        let language = words == .english ? "en" : "zh-CN"
        let summary = summaryLines.map { "<p>\(escapedForHTML($0))</p>" }.joined(separator: "\n")
        var body = "<h1>\(title)</h1>\n\(summary)\n\(plot)\n"
        body += "<h2>\(words("逐月", "By month"))</h2>\n\(Self.preformatted(monthTable))"
        for outlook in outlooks {
            body += "<h2>\(escapedForHTML(outlook.rule.title))</h2>\n"
            body += "<p>\(escapedForHTML(outlook.rule.id))</p>\n"
            body +=
                "<ul>" + notes(outlook).map { "<li>\(escapedForHTML($0))</li>" }.joined() + "</ul>"
            body += Self.preformatted(sizeTable(outlook))
        }
        if !variants.isEmpty {
            body += "<h2>\(variantHeading)</h2>\n\(Self.preformatted(variantTable))"
        }
        return """
            <!DOCTYPE html>
            <html lang="\(language)"><head><meta charset="utf-8">
            <meta name="viewport" content="width=device-width">
            <title>\(title)</title><style>
            body{font:14px/1.6 "Noto Sans","Noto Sans CJK SC","Source Han Sans SC",sans-serif;max-width:62em;margin:2em auto;padding:0 1em;color:#222}
            pre{font:13px/1.45 "Noto Sans Mono","Noto Sans Mono CJK SC",monospace;overflow-x:auto}
            @media print{body{margin:0;font-size:11px}pre{font-size:10px;white-space:pre-wrap}}
            </style></head><body>\(body)</body></html>

            """
    }

    private static func preformatted(_ table: TextTable) -> String {
        let lines = TextTable.$widthMaximum.withValue(nil) { table.lines }
        return "<pre>\(escapedForHTML(lines.joined(separator: "\n")))</pre>\n"
    }

    /// The outlay of each rule from the first month on, added up, with its pool as a level line and a dot
    /// where beneficiaries reach their cap.
    private var plot: String {
        guard let months = outlooks.first?.months, !months.isEmpty,
            outlooks.contains(where: { $0.total > 0 })
        else { return "" }
        var series: [PlotSeries] = []
        var highest: Int128 = 0
        for (index, outlook) in outlooks.enumerated() {
            let points = cumulative(outlook)
            highest = max(highest, outlook.total)
            series.append(
                PlotSeries(
                    name: outlook.rule.id,
                    points: points,
                    colourIndex: index,
                    dashIndex: index
                )
            )
            series += marks(outlook, on: points, index)
        }
        for (index, outlook) in outlooks.enumerated() {
            // A pool far above the outlay would press all lines on the axis.
            guard let pool = outlook.rule.pool, pool.period == .year,
                Int128(pool.amount.count) <= 2 * highest
            else { continue }
            highest = max(highest, Int128(pool.amount.count))
            let level = Self.yuanValue(Int128(pool.amount.count))
            series.append(
                PlotSeries(
                    name: "\(outlook.rule.id): \(words("资金池", "pool"))",
                    points: [(0, level), (Double(months.count), level)],
                    colourIndex: index,
                    dashIndex: 2
                )
            )
        }
        let stride = max(1, (months.count + 11) / 12)
        let ticks = months.enumerated().filter { $0.offset % stride == 0 }.map {
            PlotAxis.Tick(Double($0.offset + 1), $0.element.month.description)
        }
        let plot = LinePlot(
            title: words("累计补贴支出", "Outlay, added up from the first month"),
            x: PlotAxis(
                label: words("月末", "end of the month"),
                range: 0...Double(months.count),
                isLogarithmic: false,
                ticks: ticks
            ),
            y: .linear(words("累计支出（元）", "cumulative outlay (CNY)"), to: Self.yuanValue(highest)),
            series: series
        )
        return plot.svg
    }

    private func cumulative(_ outlook: RuleOutlook) -> [(x: Double, y: Double)] {
        var sum: Int128 = 0
        var points: [(x: Double, y: Double)] = [(0, 0)]
        for (index, month) in outlook.months.enumerated() {
            sum += month.granted
            points.append((Double(index + 1), Self.yuanValue(sum)))
        }
        return points
    }

    /// Dots at the months in which beneficiaries reach their cap.
    private func marks(
        _ outlook: RuleOutlook,
        on points: [(x: Double, y: Double)],
        _ colour: Int
    ) -> [PlotSeries] {
        let reached = Set(outlook.capsReached.map(\.day.billingMonth))
        let dots = outlook.months.indices.filter { reached.contains(outlook.months[$0].month) }
            .map { points[$0 + 1] }
        guard !dots.isEmpty else { return [] }
        let name = "\(outlook.rule.id): " + words("有企业达到上限", "a cap is reached")
        return [PlotSeries(name: name, points: dots, mark: .points, colourIndex: colour)]
    }

    private static func yuanValue(_ fen: Int128) -> Double { Double(fen) / 100 }
}
