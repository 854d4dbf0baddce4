public import Billing
import Quantities
import WireFormats

/// Subsidy rules for people to read.
public enum RuleReport {
    /// A table of rules, one line each.
    public static func list(_ rules: [SubsidyRule]) -> String {
        var table = TextTable(
            header: ["Rule", "Level", "Rate", "Cap a year (CNY)", "Pool (CNY)", "Valid", "Open"],
            alignments: [.left, .left, .right, .right, .right, .left, .right]
        )
        for rule in rules {
            table.add([
                rule.id, rule.authority.level.rawValue, rateText(rule.rate), capText(rule.caps),
                rule.pool.map { "\($0.amount.yuanText) a \($0.period.rawValue)" } ?? "-",
                validityText(rule.validity), String(rule.assumptions.count),
            ])
        }
        return
            (table.lines + ["Open: parameters that are not published; 'subsidy show' lists them."])
            .joined(separator: "\n") + "\n"
    }

    /// The same for programs.
    public static func json(_ rules: [SubsidyRule]) -> String {
        JSONValue.array(rules.map(\.json)).prettyText + "\n"
    }

    /// All parameters of a rule, and what was assumed.
    public static func show(_ rule: SubsidyRule) -> String {
        var lines = ["\(rule.id): \(rule.title)"]
        func add(_ name: String, _ value: String?) {
            guard let value, !value.isEmpty else { return }
            let padding = String(repeating: " ", count: max(1, 22 - displayWidth(name)))
            lines.append("  \(name)\(padding)\(value)")
        }
        add("granted by", "\(rule.authority.name) (\(rule.authority.level.rawValue))")
        add("legal reference", rule.authority.legalReference)
        add("version", rule.authority.version)
        add("valid", validityText(rule.validity))
        add("year", yearText(rule.yearBasis))
        addBeneficiaries(rule.who, add)
        addScope(rule.what, add)
        addBasis(rule.basis, add)
        addRate(rule.rate, add)
        addCaps(rule.caps, add)
        add("pool", rule.pool.map { poolText($0) } ?? "not published")
        add(
            "stacking",
            "order \(rule.stacking.order); all rules together at most "
                + "\(NumberText.percent(ppm: rule.stacking.totalShareMaximumPPM)) of the fee"
        )
        add(
            "excludes levels",
            rule.stacking.exclusiveLevels.map(\.rawValue).joined(separator: ", ")
        )
        add("mode", rule.procedure.mode)
        add("settlement", rule.procedure.settlement)
        add("claim window", rule.procedure.claimWindowDays.map { "\($0) days" })
        add("evidence", rule.procedure.evidence.joined(separator: ", "))
        add("clawback", rule.clawback.rawValue)
        add("rounding", rule.rounding.rawValue)
        if !rule.assumptions.isEmpty {
            lines.append("")
            lines.append("Assumptions (not in the published text):")
            lines += rule.assumptions.map { "  - \($0)" }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private typealias Add = (String, String?) -> Void

    private static func addBeneficiaries(_ who: SubsidyRule.Beneficiaries, _ add: Add) {
        add("classes", who.classes?.joined(separator: ", ") ?? "all")
        add("registered in", who.registeredIn?.joined(separator: ", "))
        add("sectors", who.sectors?.joined(separator: ", "))
        add("related parties", who.excludesRelatedParty ? "excluded" : nil)
        add("employees", who.sizeMaximum.map { "at most \($0)" })
        add("founded", who.foundedFrom.map { "\($0) or later" })
        add("clean credit", who.creditCleanYears.map { "\($0) years" })
        add("must have", who.mustHave.joined(separator: ", "))
        add("counted by", who.aggregation.rawValue)
    }

    private static func addScope(_ what: SubsidyRule.Scope, _ add: Add) {
        add(
            "platforms",
            what.platforms?.joined(separator: ", ")
                ?? (what.onlyKeyPlatforms ? "key platforms" : "all")
        )
        add("run by", what.providers?.joined(separator: ", "))
        add("resources", what.resources?.joined(separator: ", ") ?? "all")
        add("not for", what.excludedResources.joined(separator: ", "))
        add("purposes", what.purposes?.joined(separator: ", "))
        add("contract", what.contractFrom.map { "signed on \($0) or later" })
        add("contract length", what.contractMonthsMaximum.map { "at most \($0) months" })
        add("one beneficiary per", what.oneGrantPer == .none ? nil : what.oneGrantPer.rawValue)
    }

    private static func addBasis(_ basis: SubsidyRule.Basis, _ add: Add) {
        add(
            "basis",
            "\(basis.feeKind.rawValue) fee, \(basis.isNetOfVAT ? "net of VAT" : "VAT included")"
                + (basis.isAfterDiscount ? "" : ", before discounts")
        )
        add(
            "least fee of a year",
            basis.minimumYearFee == .zero ? nil : "\(basis.minimumYearFee.yuanText) CNY"
        )
    }

    private static func addRate(_ rate: SubsidyRule.Rate, _ add: Add) {
        add("rate", rateText(rate))
        add("granted", rate.grantedPPM.map { NumberText.percent(ppm: $0) })
        for labelled in rate.byClass {
            add("  class \(labelled.label)", NumberText.percent(ppm: labelled.ppm))
        }
        for labelled in rate.byResource {
            add("  resource \(labelled.label)", NumberText.percent(ppm: labelled.ppm))
        }
        for tier in rate.tiers {
            add(
                "  up to \(tier.upTo.map { "\($0.yuanText) CNY" } ?? "the end")",
                NumberText.percent(ppm: tier.ppm)
            )
        }
        add("several rates", rate.combine.rawValue)
    }

    private static func addCaps(_ caps: SubsidyRule.Caps, _ add: Add) {
        func money(_ fen: Fen?) -> String? { fen.map { "\($0.yuanText) CNY" } }
        add("cap of a claim", money(caps.perLine))
        add("cap of a contract", money(caps.perContract))
        add("cap of a year", money(caps.perEntityYear))
        for labelled in caps.perEntityYearByClass {
            add("  class \(labelled.label)", money(labelled.cap))
        }
        add("cap of a lifetime", money(caps.perEntityLifetime))
        add("cap of a group's year", money(caps.perGroupYear))
        add(
            "share of the fee",
            caps.shareOfFeeMaximumPPM.map { "at most \(NumberText.percent(ppm: $0))" }
        )
    }

    private static func poolText(_ pool: SubsidyRule.Pool) -> String {
        "\(pool.amount.yuanText) CNY a \(pool.period.rawValue), \(pool.exhaustion.rawValue)"
            + (pool.carriesOver ? ", what is left is carried over" : "")
            + (pool.fundingSplit.isEmpty ? "" : "; \(pool.fundingSplit)")
    }

    private static func rateText(_ rate: SubsidyRule.Rate) -> String {
        if rate.isUnknown { return "unknown" }
        let special = (rate.byClass + rate.byResource).map(\.ppm) + rate.tiers.map(\.ppm)
        let all = special + [rate.ppm].compactMap { $0 }
        guard let lowest = all.min(), let highest = all.max() else {
            return rate.grantedPPM.map { NumberText.percent(ppm: $0) } ?? "unknown"
        }
        let range =
            lowest == highest
            ? NumberText.percent(ppm: highest)
            : "\(NumberText.percent(ppm: lowest)) to \(NumberText.percent(ppm: highest))"
        return rate.isCeiling ? "up to \(range)" : range
    }

    private static func capText(_ caps: SubsidyRule.Caps) -> String {
        caps.perEntityYear?.yuanText
            ?? caps.perEntityYearByClass.map(\.cap).max().map { "\($0.yuanText) by class" } ?? "-"
    }

    private static func validityText(_ range: SubsidyRule.DayRange) -> String {
        switch (range.first, range.last) {
        case (nil, nil): "always"
        case (let first?, nil): "from \(first)"
        case (nil, let last?): "until \(last)"
        case (let first?, let last?): "\(first) to \(last)"
        }
    }

    private static func yearText(_ basis: SubsidyRule.YearBasis) -> String {
        switch basis {
        case .calendar: "calendar (Asia/Shanghai)"
        case .fiscal(let month): "fiscal, from month \(month)"
        case .anniversary: "from the first claim of each beneficiary"
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
