public import Billing
import Quantities
public import WireFormats

/// Subsidy rules for people to read. Words that a file of a rule takes stay as they are.
public struct RuleReport: Sendable {
    private let words: MessageLanguage

    /// Makes reports in a language.
    public init(in words: MessageLanguage) {
        self.words = words
    }

    /// A table of rules, one line each.
    public func list(_ rules: [SubsidyRule]) -> String {
        var table = TextTable(
            header: [
                words("细则", "Rule"), words("级别", "Level"), words("比例", "Rate"),
                words("年度上限（元）", "Cap a year (CNY)"), words("资金池（元）", "Pool (CNY)"),
                words("有效期", "Valid"), words("未公布", "Open"),
            ],
            alignments: [.left, .left, .right, .right, .right, .left, .right]
        )
        for rule in rules {
            table.add([
                rule.id, level(rule.authority.level), rateText(rule.rate), capText(rule.caps),
                rule.pool.map(poolAmount) ?? "-",
                validityText(rule.validity), String(rule.assumptions.count),
            ])
        }
        let note = words(
            "未公布：公布的文本没有写明的参数个数，用 subsidy show 列出。",
            "Open: parameters that are not published; 'subsidy show' lists them."
        )
        return (table.lines + [note]).joined(separator: "\n") + "\n"
    }

    /// The same for programs.
    public static func json(_ rules: [SubsidyRule]) -> String {
        JSONValue.array(rules.map(\.json)).prettyText + "\n"
    }

    /// All parameters of a rule, and what was assumed.
    public func show(_ rule: SubsidyRule) -> String {
        var lines = ["\(rule.id)\(words("：", ": "))\(rule.title)"]
        func add(_ name: String, _ value: String?) {
            guard let value, !value.isEmpty else { return }
            let padding = String(repeating: " ", count: max(1, 22 - displayWidth(name)))
            lines.append("  \(name)\(padding)\(value)")
        }
        let authority = rule.authority
        add(words("发放部门", "granted by"), "\(authority.name) (\(level(authority.level)))")
        add(words("文号", "legal reference"), rule.authority.legalReference)
        add(words("版本", "version"), rule.authority.version)
        add(words("有效期", "valid"), validityText(rule.validity))
        add(words("年度", "year"), yearText(rule.yearBasis))
        addBeneficiaries(rule.who, add)
        addScope(rule.what, add)
        addBasis(rule.basis, add)
        addRate(rule.rate, add)
        addCaps(rule.caps, add)
        add(words("资金池", "pool"), rule.pool.map { poolText($0) } ?? words("未公布", "not published"))
        let share = NumberText.percent(ppm: rule.stacking.totalShareMaximumPPM)
        add(
            words("叠加", "stacking"),
            words(
                "次序 \(rule.stacking.order)；各细则合计不超过费用的 \(share)",
                "order \(rule.stacking.order); all rules together at most \(share) of the fee"
            )
        )
        add(
            words("排除的级别", "excludes levels"),
            rule.stacking.exclusiveLevels.map { self.level($0) }.joined(separator: ", ")
        )
        add(words("方式", "mode"), rule.procedure.mode)
        add(words("兑付", "settlement"), rule.procedure.settlement)
        add(
            words("申报期限", "claim window"),
            rule.procedure.claimWindowDays.map { words("\($0) 天", "\($0) days") }
        )
        add(words("材料", "evidence"), rule.procedure.evidence.joined(separator: ", "))
        add(words("追回", "clawback"), rule.clawback.rawValue)
        add(words("取整", "rounding"), rule.rounding.rawValue)
        if !rule.assumptions.isEmpty {
            lines.append("")
            lines.append(words("假设（公布的文本没有写明）：", "Assumptions (not in the published text):"))
            lines += rule.assumptions.map { "  - \($0)" }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private typealias Add = (String, String?) -> Void

    private var all: String { words("全部", "all") }

    private func addBeneficiaries(_ who: SubsidyRule.Beneficiaries, _ add: Add) {
        add(words("对象类别", "classes"), who.classes?.joined(separator: ", ") ?? all)
        add(words("注册地", "registered in"), who.registeredIn?.joined(separator: ", "))
        add(words("行业", "sectors"), who.sectors?.joined(separator: ", "))
        add(
            words("关联交易", "related parties"),
            who.excludesRelatedParty ? words("不予补贴", "excluded") : nil
        )
        add(
            words("员工人数", "employees"),
            who.sizeMaximum.map { words("不超过 \($0)", "at most \($0)") }
        )
        add(
            words("成立日期", "founded"),
            who.foundedFrom.map { words("\($0) 及以后", "\($0) or later") }
        )
        add(
            words("信用良好", "clean credit"),
            who.creditCleanYears.map { words("\($0) 年", "\($0) years") }
        )
        add(words("必须具备", "must have"), who.mustHave.joined(separator: ", "))
        add(words("计算主体", "counted by"), who.aggregation.rawValue)
    }

    private func addScope(_ what: SubsidyRule.Scope, _ add: Add) {
        add(
            words("平台", "platforms"),
            what.platforms?.joined(separator: ", ")
                ?? (what.onlyKeyPlatforms ? words("重点平台", "key platforms") : all)
        )
        add(words("运营方", "run by"), what.providers?.joined(separator: ", "))
        add(words("资源", "resources"), what.resources?.joined(separator: ", ") ?? all)
        add(words("不包括", "not for"), what.excludedResources.joined(separator: ", "))
        add(words("用途", "purposes"), what.purposes?.joined(separator: ", "))
        add(
            words("合同签订", "contract"),
            what.contractFrom.map { words("\($0) 及以后", "signed on \($0) or later") }
        )
        add(
            words("合同期限", "contract length"),
            what.contractMonthsMaximum.map { words("不超过 \($0) 个月", "at most \($0) months") }
        )
        add(
            words("一次为限", "one beneficiary per"),
            what.oneGrantPer == .none ? nil : what.oneGrantPer.rawValue
        )
    }

    private func addBasis(_ basis: SubsidyRule.Basis, _ add: Add) {
        let tax = basis.isNetOfVAT ? words("不含增值税", "net of VAT") : words("含增值税", "VAT included")
        add(
            words("计算基数", "basis"),
            words("\(basis.feeKind.rawValue)，\(tax)", "\(basis.feeKind.rawValue) fee, \(tax)")
                + (basis.isAfterDiscount ? "" : words("，折扣前", ", before discounts"))
        )
        add(
            words("年度起补金额", "least fee of a year"),
            basis.minimumYearFee == .zero ? nil : money(basis.minimumYearFee)
        )
    }

    private func addRate(_ rate: SubsidyRule.Rate, _ add: Add) {
        add(words("比例", "rate"), rateText(rate))
        add(words("实际拨付", "granted"), rate.grantedPPM.map { NumberText.percent(ppm: $0) })
        for labelled in rate.byClass {
            add(
                words("  类别 ", "  class ") + labelled.label,
                NumberText.percent(ppm: labelled.ppm)
            )
        }
        for labelled in rate.byResource {
            add(
                words("  资源 ", "  resource ") + labelled.label,
                NumberText.percent(ppm: labelled.ppm)
            )
        }
        for tier in rate.tiers {
            let end = tier.upTo.map { money($0) }
            add(
                words(
                    end.map { "  至 \($0)" } ?? "  以上部分",
                    "  up to \(end ?? "the end")"
                ),
                NumberText.percent(ppm: tier.ppm)
            )
        }
        add(words("多个比例", "several rates"), rate.combine.rawValue)
    }

    private func addCaps(_ caps: SubsidyRule.Caps, _ add: Add) {
        add(words("单笔上限", "cap of a claim"), caps.perLine.map { money($0) })
        add(words("单个合同上限", "cap of a contract"), caps.perContract.map { money($0) })
        add(words("年度上限", "cap of a year"), caps.perEntityYear.map { money($0) })
        for labelled in caps.perEntityYearByClass {
            add(words("  类别 ", "  class ") + labelled.label, money(labelled.cap))
        }
        add(words("累计上限", "cap of a lifetime"), caps.perEntityLifetime.map { money($0) })
        add(words("集团年度上限", "cap of a group's year"), caps.perGroupYear.map { money($0) })
        add(
            words("占费用比例", "share of the fee"),
            caps.shareOfFeeMaximumPPM.map {
                words("不超过 ", "at most ") + NumberText.percent(ppm: $0)
            }
        )
    }

    private func money(_ fen: Fen) -> String { fen.yuanText + words(" 元", " CNY") }

    private func level(_ level: SubsidyRule.Level) -> String {
        let name =
            switch level {
            case .national: "国家"
            case .province: "省"
            case .city: "市"
            case .district: "区"
            }
        return words(name, level.rawValue)
    }

    private func period(_ pool: SubsidyRule.Pool) -> String {
        switch pool.period {
        case .year: "每年"
        case .quarter: "每季"
        case .total: "总额"
        }
    }

    private func poolAmount(_ pool: SubsidyRule.Pool) -> String {
        let amount = pool.amount.yuanText
        return words("\(period(pool)) \(amount)", "\(amount) a \(pool.period.rawValue)")
    }

    private func poolText(_ pool: SubsidyRule.Pool) -> String {
        words(
            "\(period(pool)) \(pool.amount.yuanText) 元，\(pool.exhaustion.rawValue)",
            "\(pool.amount.yuanText) CNY a \(pool.period.rawValue), \(pool.exhaustion.rawValue)"
        )
            + (pool.carriesOver ? words("，余额结转", ", what is left is carried over") : "")
            + (pool.fundingSplit.isEmpty ? "" : words("；", "; ") + pool.fundingSplit)
    }

    private func rateText(_ rate: SubsidyRule.Rate) -> String {
        let unknown = words("未公布", "unknown")
        if rate.isUnknown { return unknown }
        let special = (rate.byClass + rate.byResource).map(\.ppm) + rate.tiers.map(\.ppm)
        let all = special + [rate.ppm].compactMap { $0 }
        guard let lowest = all.min(), let highest = all.max() else {
            return rate.grantedPPM.map { NumberText.percent(ppm: $0) } ?? unknown
        }
        let (low, high) = (NumberText.percent(ppm: lowest), NumberText.percent(ppm: highest))
        let range = lowest == highest ? high : words("\(low) 至 \(high)", "\(low) to \(high)")
        return rate.isCeiling ? words("最高 ", "up to ") + range : range
    }

    private func capText(_ caps: SubsidyRule.Caps) -> String {
        caps.perEntityYear?.yuanText
            ?? caps.perEntityYearByClass.map(\.cap).max().map {
                words("按类别 \($0.yuanText)", "\($0.yuanText) by class")
            } ?? "-"
    }

    private func validityText(_ range: SubsidyRule.DayRange) -> String {
        switch (range.first, range.last) {
        case (nil, nil): words("不限", "always")
        case (let first?, nil): words("\(first) 起", "from \(first)")
        case (nil, let last?): words("至 \(last)", "until \(last)")
        case (let first?, let last?): words("\(first) 至 \(last)", "\(first) to \(last)")
        }
    }

    private func yearText(_ basis: SubsidyRule.YearBasis) -> String {
        switch basis {
        case .calendar: words("公历年（北京时间）", "calendar (Asia/Shanghai)")
        case .fiscal(let month): words("财政年度，\(month) 月起", "fiscal, from month \(month)")
        case .anniversary: words("自各主体首次申报起", "from the first claim of each beneficiary")
        }
    }
}

extension SubsidyRule {
    fileprivate var json: JSONValue {
        [
            "rule": .string(id),
            "title": .string(title),
            "authority": .string(authority.name),
            "level": .string(authority.level.rawValue),
            "rate_ppm": rate.ppm.map { .integer($0) } ?? .null,
            "cap_entity_year_fen": caps.perEntityYear.map { .integer($0.count) } ?? .null,
            "pool_fen": pool.map { .integer($0.amount.count) } ?? .null,
            "pool_period": pool.map { .string($0.period.rawValue) } ?? .null,
            "classes": who.classes.map { .array($0.map { .string($0) }) } ?? .null,
            "valid_from": validity.first.map { .string("\($0)") } ?? .null,
            "valid_to": validity.last.map { .string("\($0)") } ?? .null,
            "assumptions": .array(assumptions.map { .string($0) }),
        ]
    }
}
