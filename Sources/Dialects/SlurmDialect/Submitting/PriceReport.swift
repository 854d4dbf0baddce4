public import Quantities
public import WireFormats

extension StartEstimate {
    /// Whether the job will start, now or once the jobs that it depends on have ended.
    public var mayStart: Bool { start != nil || reason == "Dependency" }

    /// `at …` as `instant` writes it, or `when its dependencies allow`; nil for a job that would not
    /// start.
    public func startText(instant: (SimInstant) -> String) -> String? {
        if let start { return instant(start) }
        return mayStart ? "when its dependencies allow" : nil
    }
}

/// A price before the work, for people.
public enum PriceReport {
    /// One line for the fee, one for each thing that it is made of, one for what is left of each cap or
    /// why there is no subsidy, one for prepaid accounts.
    public static func lines(_ price: PriceEstimate, in words: MessageLanguage) -> [String] {
        var lines = [fee(price, words)]
        lines += price.resources.map { line($0, elements: price.elements, words) }
        if price.grants.isEmpty, let reason = noSubsidy(price, words) { lines.append(reason) }
        lines += price.grants.map { line($0, words) }
        if let available = price.available {
            // Each element reserves its own fee when it starts.
            let isEnough = price.grossEach <= available
            let verdict = words("：不足以运行此作业", ": too little for this job")
            let amount = Fen(available).yuanText
            lines.append(
                words("账户可用 \(amount) 元", "Account may reserve \(amount) CNY")
                    + (isEnough ? "" : verdict)
            )
        }
        return lines
    }

    private static func fee(_ price: PriceEstimate, _ words: MessageLanguage) -> String {
        let (gross, subsidy) = (Fen(price.gross).yuanText, Fen(price.subsidy).yuanText)
        let (net, one) = (Fen(price.net).yuanText, Fen(price.grossEach).yuanText)
        let count = price.elements
        let each =
            count > 1
            ? words("（\(count) 个元素，每个 \(one) 元）", " (\(count) elements, \(one) each)") : ""
        return words(
            "费用 \(gross) 元\(each)，预计补贴 \(subsidy) 元，应付 \(net) 元"
                + "（账户 \(price.account)，价目表 \(price.tariff)，按全部时限计）",
            "Gross fee \(gross) CNY\(each), expected subsidy \(subsidy), net \(net)"
                + " (account \(price.account), tariff \(price.tariff), whole time limit)"
        )
    }

    /// `96.00 core-hours × 0.125 CNY = 12.00 CNY`.
    private static func line(
        _ row: BillResource,
        elements: Int,
        _ words: MessageLanguage
    ) -> String {
        let names = ["core-hour": "核时", "card-hour": "卡时", "node-hour": "节点时"]
        // A hundredth of an hour is 36 s; amounts of money print the same way.
        let hours = Fen((row.seconds + 18) / 36).yuanText
        let amount = Fen(row.fee).yuanText
        let each = elements > 1 ? words("（每个元素）", " each") : ""
        return words(
            "  \(hours) \(names[row.resource] ?? row.resource) × \(price(of: row)) 元 = \(amount) 元",
            "  \(hours) \(row.resource)s × \(price(of: row)) CNY = \(amount) CNY"
        ) + each
    }

    private static func line(_ grant: ExpectedGrantRecord, _ words: MessageLanguage) -> String {
        let amount = Fen(grant.amount).yuanText
        let start = words(
            "细则 \(grant.rule)，\(grant.year) 年：\(amount) 元",
            "Rule \(grant.rule) \(grant.year): \(amount)"
        )
        guard let cap = grant.cap, let left = grant.left else {
            return start + words("，没有上限", ", no cap")
        }
        return start
            + words(
                "，上限 \(Fen(cap).yuanText) 元，尚余 \(Fen(left).yuanText) 元",
                ", cap left \(Fen(left).yuanText) of \(Fen(cap).yuanText)"
            )
    }

    private static func noSubsidy(_ price: PriceEstimate, _ words: MessageLanguage) -> String? {
        guard let enterprise = price.enterprise else {
            return words(
                "没有补贴：账户 \(price.account) 不属于任何企业",
                "No subsidy: account \(price.account) belongs to no enterprise"
            )
        }
        guard price.hasRules else { return nil }
        return words(
            "没有补贴：没有适用于 \(enterprise) 的细则",
            "No subsidy: no rule here counts \(enterprise)"
        )
    }

    /// What one thing costs for an hour, to a millionth of a yuan; with tiers, factors and discounts.
    private static func price(of row: BillResource) -> String {
        guard row.seconds > 0 else { return "0" }
        // fen × 3,600 s ÷ seconds are fen an hour; a fen is 10⁴ millionths.
        let product = Int128(row.fee) * 3_600 * 10_000
        let millionths = (product + Int128(row.seconds) / 2) / Int128(row.seconds)
        var digits = String(millionths % 1_000_000 + 1_000_000).dropFirst()
        while digits.count > 2, digits.last == "0" { digits.removeLast() }
        return "\(millionths / 1_000_000).\(digits)"
    }
}
