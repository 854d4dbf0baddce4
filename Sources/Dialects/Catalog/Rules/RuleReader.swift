import Billing
import IndexSets
import Quantities

/// Reads a subsidy rule from YAML; docs/billing.md has the list of fields.
///
/// A parameter that is not published (`null`, or a value with `?` behind it) never restricts and
/// is listed among the rule's assumptions.
struct RuleReader {
    private var assumptions: [String] = []

    static let topFields = [
        "rule", "id", "title", "authority", "level", "legal_ref", "version", "valid_from",
        "valid_to",
        "timezone", "year_basis", "fiscal_start_month", "who", "what", "basis", "rate", "caps",
        "pool", "mode", "clock", "stack", "evidence", "clawback", "rounding", "taxable",
        "voucher", "assumptions", "sources",
    ]

    static func rule(text: String, file: String) throws(FileRefusal) -> SubsidyRule {
        var reader = RuleReader()
        return try reader.rule(YAMLField.document(text, file: file).mapping(topFields))
    }

    private mutating func rule(_ top: YAMLMapping) throws(FileRefusal) -> SubsidyRule {
        if let zone = top["timezone"], try zone.text() != "Asia/Shanghai" {
            throw zone.refusal(.unreadable(found: try zone.text(), expected: "Asia/Shanghai"))
        }
        if top["rule"] != nil, let id = top["id"] {
            throw id.refusal(.conflict("name the rule once, as 'rule' or as 'id'"))
        }
        let id: String
        if let field = top["id"] {
            id = try field.name()
        } else {
            id = try top.required("rule").name()
        }
        var who = SubsidyRule.Beneficiaries(classes: nil)
        if let field = top["who"] { who = try self.who(field) }
        var rule = SubsidyRule(
            id: id,
            title: try top["title"]?.text() ?? id,
            authority: try authority(top),
            validity: try validity(top),
            yearBasis: try yearBasis(top),
            who: who,
            what: try what(top["what"]),
            basis: try basis(top["basis"]),
            rate: try rate(top.required("rate")),
            caps: try caps(top["caps"]),
            pool: try pool(top["pool"]),
            stacking: try stacking(top["stack"]),
            procedure: try procedure(top),
            clawback: try known(top, "clawback")?.choice(SubsidyRule.Clawback.self) ?? .onRefund,
            rounding: try known(top, "rounding")?.choice(SubsidyRule.Rounding.self) ?? .floorFen
        )
        rule.assumptions = assumptions
        rule.assumptions += try top["assumptions"]?.texts() ?? []
        return rule
    }

    /// The value of a parameter; nil when it is left out or not published, which is noted.
    private mutating func known(_ fields: YAMLMapping, _ name: String) throws(FileRefusal)
        -> YAMLField?
    {
        guard let field = fields[name] else { return nil }
        guard field.isOpen else { return field }
        let guess = (try? field.text()).flatMap { $0.hasSuffix("?") ? $0.dropLast() : nil }
        assumptions.append(
            "\(field.path): not published"
                + (guess.map { $0.isEmpty ? "" : " (perhaps \($0))" } ?? "") + "; does not restrict"
        )
        return nil
    }

    // MARK: Sections

    private mutating func authority(
        _ top: YAMLMapping
    ) throws(FileRefusal) -> SubsidyRule.Authority {
        SubsidyRule.Authority(
            name: try known(top, "authority")?.text() ?? "",
            level: try known(top, "level")?.choice(SubsidyRule.Level.self) ?? .city,
            legalReference: try known(top, "legal_ref")?.text() ?? "",
            version: try known(top, "version")?.text() ?? "1"
        )
    }

    private mutating func validity(
        _ top: YAMLMapping
    ) throws(FileRefusal) -> SubsidyRule.DayRange {
        let range = SubsidyRule.DayRange(
            first: try known(top, "valid_from")?.day(),
            last: try known(top, "valid_to")?.day()
        )
        if let first = range.first, let last = range.last, last < first {
            throw try top.required("valid_to").refusal(
                .conflict("ends on \(last), before it begins on \(first)")
            )
        }
        return range
    }

    private mutating func yearBasis(
        _ top: YAMLMapping
    ) throws(FileRefusal) -> SubsidyRule.YearBasis {
        enum Word: String, CaseIterable { case calendar, fiscal, anniversary }
        switch try known(top, "year_basis")?.choice(Word.self) ?? .calendar {
        case .calendar: return .calendar
        case .anniversary: return .anniversary
        case .fiscal:
            let month = try top.required("fiscal_start_month").integer(1...12)
            return .fiscal(startMonth: Int(month))
        }
    }

    private mutating func who(
        _ field: YAMLField
    ) throws(FileRefusal) -> SubsidyRule.Beneficiaries {
        let fields = try field.mapping([
            "classes", "registered_in", "sectors", "size_max", "founded_after",
            "credit_clean_years", "must_have", "exclude_related_party", "group_aggregation",
        ])
        return SubsidyRule.Beneficiaries(
            classes: try classes(known(fields, "classes")),
            registeredIn: try known(fields, "registered_in")?.partyNames(),
            sectors: try known(fields, "sectors")?.partyNames(),
            excludesRelatedParty: try known(fields, "exclude_related_party")?.flag() ?? false,
            sizeMaximum: try known(fields, "size_max")?.integer(0...10_000_000),
            foundedFrom: try known(fields, "founded_after")?.day(),
            creditCleanYears: try known(fields, "credit_clean_years")?.integer(0...100),
            mustHave: try known(fields, "must_have")?.texts() ?? [],
            aggregation: try known(fields, "group_aggregation")?
                .choice(SubsidyRule.Aggregation.self) ?? .entity
        )
    }

    private func classes(_ field: YAMLField?) throws(FileRefusal) -> [String]? {
        guard let field else { return nil }
        var labels: [String] = []
        for element in try field.list() {
            labels.append(try Self.classLabel(element.text(), at: element))
        }
        return labels
    }

    private static func classLabel(
        _ word: String,
        at field: YAMLField
    ) throws(FileRefusal) -> String {
        guard let label = SubsidyClass.canonical(word) else {
            throw field.refusal(
                .unknownChoice(
                    found: word,
                    similar: similarNames(to: word, among: SubsidyClass.known),
                    known: SubsidyClass.known
                )
            )
        }
        return label
    }

    private mutating func what(_ field: YAMLField?) throws(FileRefusal) -> SubsidyRule.Scope {
        guard let field else { return SubsidyRule.Scope() }
        let fields = try field.mapping([
            "platforms", "platform_rule", "resources", "excluded_items", "purposes",
            "contract_from", "contract_max_months", "one_grant_per", "providers",
        ])
        enum PlatformRule: String, CaseIterable { case any, key }
        return SubsidyRule.Scope(
            platforms: try known(fields, "platforms")?.partyNames(),
            onlyKeyPlatforms: try known(fields, "platform_rule")?.choice(PlatformRule.self) == .key,
            providers: try known(fields, "providers")?.partyNames(),
            resources: try known(fields, "resources")?.texts(),
            excludedResources: try known(fields, "excluded_items")?.texts() ?? [],
            purposes: try known(fields, "purposes")?.partyNames(),
            contractFrom: try known(fields, "contract_from")?.day(),
            contractMonthsMaximum: try known(fields, "contract_max_months")?.integer(1...1_200),
            oneGrantPer: try known(fields, "one_grant_per")?
                .choice(SubsidyRule.OneGrantPer.self) ?? .none
        )
    }

    private mutating func basis(_ field: YAMLField?) throws(FileRefusal) -> SubsidyRule.Basis {
        guard let field else { return SubsidyRule.Basis() }
        let fields = try field.mapping(["fee_kind", "vat", "after_discount", "min_fee_year"])
        enum VAT: String, CaseIterable { case net, gross }
        return SubsidyRule.Basis(
            feeKind: try known(fields, "fee_kind")?.choice(SubsidyRule.FeeKind.self) ?? .invoiced,
            isNetOfVAT: try known(fields, "vat")?.choice(VAT.self) == .net,
            isAfterDiscount: try known(fields, "after_discount")?.flag() ?? true,
            minimumYearFee: try known(fields, "min_fee_year")?.money() ?? .zero
        )
    }

    private mutating func rate(_ field: YAMLField) throws(FileRefusal) -> SubsidyRule.Rate {
        let fields = try field.mapping([
            "rate_ppm", "is_ceiling", "granted_ppm", "by_class", "by_resource", "by_tier",
            "combine",
        ])
        let rate = SubsidyRule.Rate(
            ppm: try knownRate(fields, "rate_ppm"),
            isCeiling: try known(fields, "is_ceiling")?.flag() ?? false,
            grantedPPM: try known(fields, "granted_ppm")?.ppm(),
            byClass: try byClass(fields["by_class"]),
            byResource: try labelled(fields["by_resource"]),
            tiers: try tiers(fields["by_tier"]),
            combine: try known(fields, "combine")?.choice(SubsidyRule.Combine.self) ?? .max
        )
        if rate.grantedPPM != nil,
            let other = ["by_class", "by_resource", "by_tier"]
                .first(where: { fields[$0] != nil })
        {
            throw try fields.required("granted_ppm").refusal(
                .conflict("stands beside \(other): write there what the office grants")
            )
        }
        if let ppm = rate.ppm, let granted = rate.grantedPPM, granted > ppm {
            throw try fields.required("granted_ppm").refusal(
                .outOfRange(found: "\(granted)", minimum: "0", maximum: "\(ppm), the rate_ppm")
            )
        }
        let highest = (rate.byClass + rate.byResource).map(\.ppm).reduce(rate.ppm ?? 0, +)
        if rate.combine == .sum && highest > 1_000_000 {
            throw try fields.required("combine").refusal(
                .conflict("the rates add up to \(highest) ppm, more than 1000000 (100 %)")
            )
        }
        return rate
    }

    /// A rate that is not published cannot be assumed away: it must be set by hand.
    private mutating func knownRate(
        _ fields: YAMLMapping,
        _ name: String
    ) throws(FileRefusal) -> Int64? {
        guard let field = fields[name], field.isOpen else { return try fields[name]?.ppm() }
        assumptions.append("\(field.path): not published; must be set by hand (--rate)")
        return nil
    }

    private func labelled(
        _ field: YAMLField?
    ) throws(FileRefusal) -> [SubsidyRule.LabelledRate] {
        guard let field else { return [] }
        var rates: [SubsidyRule.LabelledRate] = []
        for (name, value) in try field.entries() {
            rates.append(SubsidyRule.LabelledRate(name, ppm: try value.ppm()))
        }
        return rates
    }

    private func byClass(_ field: YAMLField?) throws(FileRefusal) -> [SubsidyRule.LabelledRate] {
        guard let field else { return [] }
        var rates: [SubsidyRule.LabelledRate] = []
        for (name, value) in try field.entries() {
            let label = try Self.classLabel(name, at: value)
            rates.append(SubsidyRule.LabelledRate(label, ppm: try value.ppm()))
        }
        return rates
    }

    private func tiers(_ field: YAMLField?) throws(FileRefusal) -> [SubsidyRule.RateTier] {
        guard let field else { return [] }
        var tiers: [SubsidyRule.RateTier] = []
        let steps = try field.list()
        for (index, step) in steps.enumerated() {
            let fields = try step.mapping(["upto_fen", "ppm"])
            let upTo = try fields["upto_fen"].flatMap { $0.isOpen ? nil : $0 }?.money()
            if let limit = upTo, let before = tiers.last?.upTo, limit <= before {
                throw step.refusal(.conflict("the steps must rise"))
            }
            guard (upTo == nil) == (index == steps.count - 1) else {
                throw step.refusal(.conflict("the last step, and only it, has no upto_fen"))
            }
            tiers.append(SubsidyRule.RateTier(upTo: upTo, ppm: try fields.required("ppm").ppm()))
        }
        return tiers
    }

    private mutating func caps(_ field: YAMLField?) throws(FileRefusal) -> SubsidyRule.Caps {
        guard let field else { return SubsidyRule.Caps() }
        let fields = try field.mapping([
            "per_job", "per_contract", "per_entity_period", "per_entity_period_by_class",
            "per_entity_lifetime", "per_group_period", "share_of_fee_max_ppm",
        ])
        var byClass: [SubsidyRule.LabelledCap] = []
        for (name, value) in try fields["per_entity_period_by_class"]?.entries() ?? [] {
            let label = try Self.classLabel(name, at: value)
            byClass.append(SubsidyRule.LabelledCap(label, cap: try value.money()))
        }
        return SubsidyRule.Caps(
            perLine: try known(fields, "per_job")?.money(),
            perContract: try known(fields, "per_contract")?.money(),
            perEntityYear: try known(fields, "per_entity_period")?.money(),
            perEntityYearByClass: byClass,
            perEntityLifetime: try known(fields, "per_entity_lifetime")?.money(),
            perGroupYear: try known(fields, "per_group_period")?.money(),
            shareOfFeeMaximumPPM: try known(fields, "share_of_fee_max_ppm")?.ppm()
        )
    }

    private mutating func pool(_ field: YAMLField?) throws(FileRefusal) -> SubsidyRule.Pool? {
        guard let field else { return nil }
        let fields = try field.mapping([
            "amount", "period", "exhaustion", "carry_over", "funding_split",
        ])
        let amount = try known(fields, "amount")?.money()
        let pool = SubsidyRule.Pool(
            amount: amount ?? .zero,
            period: try known(fields, "period")?.choice(SubsidyRule.Pool.Period.self) ?? .year,
            exhaustion: try known(fields, "exhaustion")?
                .choice(SubsidyRule.Pool.Exhaustion.self) ?? .firstCome,
            carriesOver: try known(fields, "carry_over")?.flag() ?? false,
            fundingSplit: try known(fields, "funding_split")?.text() ?? ""
        )
        return amount == nil ? nil : pool
    }

    private mutating func stacking(
        _ field: YAMLField?
    ) throws(FileRefusal) -> SubsidyRule.Stacking {
        guard let field else { return SubsidyRule.Stacking() }
        let fields = try field.mapping(["exclusive_levels", "order", "total_share_max_ppm"])
        var levels: [SubsidyRule.Level] = []
        for level in try known(fields, "exclusive_levels")?.list() ?? [] {
            levels.append(try level.choice(SubsidyRule.Level.self))
        }
        return SubsidyRule.Stacking(
            exclusiveLevels: levels,
            order: try known(fields, "order")?.integer(0...1_000_000) ?? 100,
            totalShareMaximumPPM: try known(fields, "total_share_max_ppm")?.ppm() ?? 1_000_000
        )
    }

    private mutating func procedure(
        _ top: YAMLMapping
    ) throws(FileRefusal) -> SubsidyRule.Procedure {
        var procedure = SubsidyRule.Procedure(
            mode: try known(top, "mode")?.text() ?? "",
            evidence: try known(top, "evidence")?.texts() ?? []
        )
        if let clock = top["clock"] {
            let fields = try clock.mapping(["claim_window", "settlement", "payout_delay_days"])
            procedure.settlement = try known(fields, "settlement")?.text() ?? ""
            procedure.claimWindowDays = try known(fields, "claim_window")?.integer(0...36_500)
        }
        return procedure
    }
}
