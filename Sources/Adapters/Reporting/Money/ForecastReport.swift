public import Billing
import Quantities
public import WireFormats
public import WorkloadFormats

/// Rules side by side over a workload.
public struct ForecastReport: Sendable {
    /// Where the jobs are from.
    public struct Source: Sendable {
        /// What reading it left out, for people.
        public var remarks: [String]
        /// The same for programs.
        public var reading: [JSONValue.Member]

        /// Makes a source.
        public init(remarks: [String], reading: [JSONValue.Member]) {
            self.remarks = remarks
            self.reading = reading
        }

        /// A log in SWF.
        public init(_ trace: Trace) {
            self.init(remarks: trace.remarkLines(), reading: trace.readingMembers)
        }
    }

    /// A rule with one parameter changed.
    public struct Variant: Sendable {
        /// The rule that was changed.
        public var rule: String
        /// What was changed.
        public var change: RuleChange
        /// What it would cost then.
        public var outlook: RuleOutlook

        /// Makes a variant.
        public init(rule: String, change: RuleChange, outlook: RuleOutlook) {
            self.rule = rule
            self.change = change
            self.outlook = outlook
        }
    }

    let forecast: Forecast
    let source: Source
    let outlooks: [RuleOutlook]
    let variants: [Variant]
    let elasticityPPM: Int64
    let words: ReportLanguage

    /// Makes a report.
    ///
    /// - Parameters:
    ///   - variants: the rules with changes, for "what would it do".
    ///   - elasticityPPM: the response of demand that the outlooks were made with.
    public init(
        _ forecast: Forecast,
        from source: Source,
        outlooks: [RuleOutlook],
        variants: [Variant] = [],
        elasticityPPM: Int64 = 0,
        in language: ReportLanguage = .english
    ) {
        self.forecast = forecast
        self.source = source
        self.outlooks = outlooks
        self.variants = variants
        self.elasticityPPM = elasticityPPM
        words = language
    }

    private var elasticityNote: [String] {
        guard elasticityPPM > 0 else { return [] }
        let elasticity = BillReport.thousandths(elasticityPPM / 1_000)
        return [
            words(
                "需求随价格变化：弹性 \(elasticity)。规则承担费用的份额为 s 时，费用增加 s × 弹性；"
                    + "\u{201C}变化后费用\u{201D}为该规则下的费用。",
                "Demand answers to price: elasticity \(elasticity); a fee of which a rule pays the share s"
                    + " grows by s × that. \"With it\": the fees under the rule."
            )
        ]
    }

    /// What was priced and what was not, a sentence a line.
    var summaryLines: [String] {
        let (jobs, fee) = (forecast.jobCount, yuan(forecast.totalFee))
        var lines = [
            words("共 \(jobs) 个作业，费用 \(fee) 元。", "\(counted(jobs, "job")), \(fee) CNY of fees.")
        ]
        if forecast.strangerCount > 0 {
            let count = forecast.strangerCount
            lines.append(
                words(
                    "\(count) 个作业的用户不在租户表中，未计费。",
                    "Not priced: \(counted(count, "job")) of users without a tenant."
                )
            )
        }
        if forecast.absurdCount > 0 {
            let count = forecast.absurdCount
            lines.append(
                words(
                    "\(count) 个作业超出范围，已略去。",
                    "Left out: \(counted(count, "job")) out of any range."
                )
            )
        }
        let unpriced = forecast.platformsWithoutPrice.joined(separator: ", ")
        if !unpriced.isEmpty {
            lines.append(
                words(
                    "价目表没有平台 \(unpriced) 的价格，其作业费用为 0。",
                    "The tariff has no price on \(unpriced): jobs there cost 0."
                )
            )
        }
        return lines + source.remarks + elasticityNote
    }

    /// Tables for a terminal; ends with a newline.
    public var text: String {
        var lines = summaryLines + [""] + monthTable.lines
        for outlook in outlooks { lines += [""] + details(outlook) }
        if !variants.isEmpty { lines += ["", variantHeading] + variantTable.lines }
        return lines.joined(separator: "\n") + "\n"
    }

    var monthTable: TextTable {
        let columns = outlooks.flatMap { headers($0) }
        var months = TextTable(
            header: [words("月份", "Month"), words("费用（元）", "Fees (CNY)")] + columns,
            alignments: [.left, .right] + columns.map { _ in .right }
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
            [words("合计", "Total"), yuan(forecast.totalFee)]
                + outlooks.flatMap { cells($0.months.reduce(0) { $0 + $1.fee }, $0.total) }
        )
        return months
    }

    /// The columns of a rule: what it grants, and before it the fees, where demand answers to it.
    private func headers(_ outlook: RuleOutlook) -> [String] {
        let granted = "\(outlook.rule.id) \(words("（元）", "(CNY)"))"
        return elasticityPPM > 0 ? [words("变化后费用（元）", "With it (CNY)"), granted] : [granted]
    }

    private func cells(_ fee: Int128, _ granted: Int128) -> [String] {
        elasticityPPM > 0 ? [yuan(fee), yuan(granted)] : [yuan(granted)]
    }

    func details(_ outlook: RuleOutlook) -> [String] {
        var lines = ["\(outlook.rule.id): \(outlook.rule.title)"]
        lines += notes(outlook).map { "  " + $0 }
        for reached in outlook.capsReached.prefix(10) {
            lines.append("    \(reached.day)  \(reached.beneficiary)")
        }
        if outlook.capsReached.count > 10 {
            let more = outlook.capsReached.count - 10
            lines.append("    " + words("… 另有 \(more) 家（见 --json）", "… \(more) more (see --json)"))
        }
        return lines + sizeTable(outlook).lines.map { "  " + $0 }
    }

    /// Pool, further fees and caps, a sentence each.
    func notes(_ outlook: RuleOutlook) -> [String] {
        var lines: [String] = []
        if let day = outlook.poolExhaustedOn {
            lines.append(words("资金池于 \(day) 不足。", "The pool falls short on \(day)."))
        }
        if outlook.inducedFee > 0 {
            let fee = yuan(outlook.inducedFee)
            lines.append(words("带来新增费用 \(fee) 元。", "It brings \(fee) CNY of further fees."))
        }
        let count = outlook.capsReached.count
        lines.append(
            words("\(count) 家达到年度上限。", "\(count) beneficiaries reach the cap of a year.")
        )
        return lines
    }

    func sizeTable(_ outlook: RuleOutlook) -> TextTable {
        var sizes = TextTable(
            header: [
                words("企业年费用（元）", "Fees of an enterprise (CNY)"), words("企业数", "Enterprises"),
                words("费用", "Fees"), words("补贴", "Granted"), words("实际比例", "Rate"),
            ],
            alignments: [.left, .right, .right, .right, .right]
        )
        for size in outlook.sizes where size.enterpriseCount > 0 {
            let from = yuan(Int128(size.from))
            sizes.add([
                words("\(from) 起", "from \(from)"), String(size.enterpriseCount), yuan(size.fee),
                yuan(size.granted),
                NumberText.percent(ppm: (size.effectiveRatePPM + 50) / 100 * 100),
            ])
        }
        return sizes
    }

    // MARK: What a change would do

    var variantHeading: String {
        words("参数变化的影响", "What a change of rate, cap or pool would do")
    }

    var variantTable: TextTable {
        var table = TextTable(
            header: [
                words("规则", "Rule"), words("变化", "Change"), words("支出（元）", "Outlay (CNY)"),
                words("差额（元）", "Difference (CNY)"), words("达到上限", "At the cap"),
                words("资金池不足", "Pool falls short"),
            ],
            alignments: [.left, .left, .right, .right, .right, .left]
        )
        for outlook in outlooks {
            func row(_ change: String, _ other: RuleOutlook) -> [String] {
                let more = other.total - outlook.total
                return [
                    outlook.rule.id, change, yuan(other.total), (more > 0 ? "+" : "") + yuan(more),
                    String(other.capsReached.count),
                    other.poolExhaustedOn.map { "\($0)" } ?? "–",
                ]
            }
            table.add(row(words("现行", "as it is"), outlook))
            for variant in variants where variant.rule == outlook.rule.id {
                table.add(row(name(variant.change), variant.outlook))
            }
        }
        return table
    }

    private func name(_ change: RuleChange) -> String {
        switch change {
        case .rate(let ppm):
            let share = NumberText.percent(ppm: ppm)
            return words("比例 \(share)", "rate \(share)")
        case .cap(let cap?): return words("上限 \(cap.yuanText)", "cap \(cap.yuanText)")
        case .cap(nil): return words("无上限", "no cap")
        case .pool(let amount?):
            return words("资金池 \(amount.yuanText)", "pool \(amount.yuanText)")
        case .pool(nil): return words("无资金池限制", "no pool")
        }
    }

    // MARK: JSON

    /// Everything, for programs; ends with a newline.
    public var json: String {
        let document: JSONValue = [
            "jobs": .integer(Int64(forecast.jobCount)),
            "jobs_without_tenant": .integer(Int64(forecast.strangerCount)),
            "jobs_left_out": .integer(Int64(forecast.absurdCount)),
            "platforms_without_price": .array(
                forecast.platformsWithoutPrice.map { .string($0) }
            ),
            "log": .object(source.reading),
            "fee_fen": integer(forecast.totalFee),
            "elasticity_ppm": .integer(elasticityPPM),
            "rules": .array(outlooks.map { json($0) }),
            "variants": .array(variants.map { json($0) }),
        ]
        return document.prettyText + "\n"
    }

    private func json(_ variant: Variant) -> JSONValue {
        let (name, value): (String, JSONValue) =
            switch variant.change {
            case .rate(let ppm): ("rate_ppm", .integer(ppm))
            case .cap(let cap): ("cap_fen", cap.map { .integer($0.count) } ?? .null)
            case .pool(let pool): ("pool_fen", pool.map { .integer($0.count) } ?? .null)
            }
        return [
            "rule": .string(variant.rule),
            "parameter": .string(name),
            "value": value,
            "granted_fen": integer(variant.outlook.total),
            "at_the_cap": .integer(Int64(variant.outlook.capsReached.count)),
            "pool_exhausted_on": variant.outlook.poolExhaustedOn.map { .string("\($0)") } ?? .null,
        ]
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
