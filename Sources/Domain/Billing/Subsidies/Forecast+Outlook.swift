import Quantities

extension Forecast {
    /// The bounds of the size classes: 0.1, 1, 4 and 10 M CNY; 4 M is the knee of TEDA's rule.
    private static let sizeBounds: [Int64] = [
        0, 10_000_000, 100_000_000, 400_000_000, 1_000_000_000,
    ]

    /// What `rule` would grant.
    ///
    /// First-come rules see one claim a payer and day. A rule whose pool is decided over a period
    /// sees one a payer and month, dated on the last day with a fee.
    ///
    /// - Parameter elasticityPPM: how demand answers to price: a fee of which the rule pays the
    ///   share s grows by s × elasticity. Linear, on the same day, and not past the cap: what is not
    ///   granted moves nobody. Zero for demand that does not answer.
    public func outlook(of rule: SubsidyRule, elasticityPPM: Int64 = 0) -> RuleOutlook {
        precondition((0...10_000_000).contains(elasticityPPM))
        var tally = OutlookTally(rule: rule, bounds: Self.sizeBounds, of: self)
        if rule.pool.map({ $0.exhaustion == .firstCome }) ?? true {
            takeDays(rule, elasticityPPM, &tally)
        } else {
            takeMonths(rule, elasticityPPM, &tally)
        }
        return tally.outlook
    }

    private func takeDays(
        _ rule: SubsidyRule,
        _ elasticityPPM: Int64,
        _ tally: inout OutlookTally
    ) {
        guard let firstDay else { return }
        var account = SubsidyAccount(rule: rule, remembersClaims: false)
        // One claim a payer, of which day and fee change; nil where the rule never grants.
        var claims = payers.indices.map { payer in
            claim(of: payer, on: firstDay, fee: 1).flatMap { rule.mayEverGrant($0) ? $0 : nil }
        }
        let namesClaims = rule.caps.perContract != nil
        for (offset, fees) in days.enumerated() {
            let day = BillingDay(number: firstDay.number + Int64(offset))
            tally.begin(day)
            for (payer, fee) in fees.enumerated() where fee > 0 {
                tally.addFee(fee, of: payer)
                guard claims[payer] != nil, fee <= Fen.maximum.count else { continue }
                claims[payer]?.date = day
                claims[payer]?.fee = Fen(fee)
                if rule.basis.isNetOfVAT { claims[payer]?.facts.vat = tariff.vat(in: Fen(fee)) }
                if namesClaims { claims[payer]?.id = "\(day.number)/\(payer)" }
                guard let claim = claims[payer] else { continue }
                let decision = account.take(claim)
                tally.add(decision, of: payer)
                // By the cumulative method it does not matter that the fee comes in two parts.
                guard let more = induced(claim, by: decision.granted, elasticityPPM) else {
                    continue
                }
                tally.addInduced(more.fee.count, of: payer)
                tally.add(account.take(more), of: payer)
            }
        }
    }

    private func takeMonths(
        _ rule: SubsidyRule,
        _ elasticityPPM: Int64,
        _ tally: inout OutlookTally
    ) {
        forEachFee { payer, day, fee in
            tally.begin(day)
            tally.addFee(fee, of: payer)
        }
        var claims = monthlyClaims()
        if elasticityPPM > 0 {
            let first = SubsidyEvaluation(rules: [rule], claims: claims.map(\.claim)).decisions[0]
            for ((payer, claim), decision) in zip(claims, first) {
                guard let more = induced(claim, by: decision.granted, elasticityPPM) else {
                    continue
                }
                tally.begin(more.date)
                tally.addInduced(more.fee.count, of: payer)
                claims.append((payer, more))
            }
        }
        let evaluation = SubsidyEvaluation(rules: [rule], claims: claims.map(\.claim))
        for ((payer, claim), decision) in zip(claims, evaluation.decisions[0]) {
            tally.begin(claim.date)
            tally.add(decision, of: payer)
        }
    }

    private func claim(of payer: Int, on day: BillingDay, fee: Int64) -> SubsidyClaim? {
        let tenant = payers[payer].tenant
        guard let enterprise = tenant.enterprise, fee <= Fen.maximum.count else { return nil }
        var claim = SubsidyClaim(
            id: "\(day.number)/\(payer)",
            date: day,
            enterprise: enterprise,
            classes: tenant.classes,
            platform: tenant.platform,
            isOnKeyPlatform: payers[payer].isOnKeyPlatform,
            resource: payers[payer].resource.name,
            fee: Fen(fee)
        )
        claim.facts.registeredIn = tenant.province
        claim.facts.sector = tenant.sector
        claim.facts.provider = provider
        claim.facts.vat = tariff.vat(in: claim.fee)
        return claim
    }

    /// What the enterprise of a claim computes more because `granted` of the fee is paid by others.
    ///
    /// Fee × granted share × elasticity is granted × elasticity.
    private func induced(
        _ claim: SubsidyClaim,
        by granted: Fen,
        _ elasticityPPM: Int64
    ) -> SubsidyClaim? {
        guard elasticityPPM > 0 else { return nil }
        let more = Int128(max(0, granted.count)) * Int128(elasticityPPM) / 1_000_000
        guard more > 0, more <= Int128(Fen.maximum.count) else { return nil }
        var further = claim
        further.id += "+"
        further.fee = Fen(Int64(more))
        further.facts.vat = tariff.vat(in: further.fee)
        return further
    }

    private func monthlyClaims() -> [(payer: Int, claim: SubsidyClaim)] {
        struct Key: Hashable, Codable {
            var payer: Int
            var month: BillingMonth
        }
        var sums: [Key: (fee: Int64, day: BillingDay)] = [:]
        forEachFee { payer, day, fee in
            let key = Key(payer: payer, month: day.billingMonth)
            // What is above the bound of a claim is left out by `claim`.
            let (sum, overflow) = (sums[key]?.fee ?? 0).addingReportingOverflow(fee)
            sums[key] = (overflow ? .max : sum, day)
        }
        return sums.sorted { ($0.key.month, $0.key.payer) < ($1.key.month, $1.key.payer) }
            .compactMap { key, sum in
                claim(of: key.payer, on: sum.day, fee: sum.fee).map { (key.payer, $0) }
            }
    }
}

extension SubsidyRule {
    /// Whether a claim would be eligible on some day.
    fileprivate func mayEverGrant(_ claim: SubsidyClaim) -> Bool {
        var claim = claim
        claim.date = validity.first ?? validity.last ?? claim.date
        return ineligibility(of: claim) == nil
    }
}

/// Sums up decisions: by month and enterprise, both counted through.
private struct OutlookTally {
    private let rule: SubsidyRule
    private let bounds: [Int64]
    private let enterpriseOfPayer: [Int?]
    private let names: [String]
    private var months: [(month: BillingMonth, fee: Int128, granted: Int128)] = []
    private var positions: [BillingMonth: Int] = [:]
    private var fees: [Int128]
    private var grants: [Int128]
    private var caps: [BillingDay?]
    private var poolExhaustedOn: BillingDay?
    private var inducedFee: Int128 = 0
    private var day = BillingDay(number: 0)
    private var month = -1

    init(rule: SubsidyRule, bounds: [Int64], of forecast: Forecast) {
        self.rule = rule
        self.bounds = bounds
        names = Set(forecast.payers.compactMap(\.tenant.enterprise)).sorted()
        let numbers = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) })
        enterpriseOfPayer = forecast.payers.map { $0.tenant.enterprise.flatMap { numbers[$0] } }
        fees = [Int128](repeating: 0, count: names.count)
        grants = fees
        caps = [BillingDay?](repeating: nil, count: names.count)
    }

    /// What comes next is of this day.
    mutating func begin(_ day: BillingDay) {
        guard day != self.day || month < 0 else { return }
        self.day = day
        let name = day.billingMonth
        if let known = positions[name] {
            month = known
        } else {
            month = -1
        }
    }

    private mutating func currentMonth() -> Int {
        if month < 0 {
            month = months.count
            positions[day.billingMonth] = month
            months.append((day.billingMonth, 0, 0))
        }
        return month
    }

    mutating func addFee(_ fee: Int64, of payer: Int) {
        months[currentMonth()].fee += Int128(fee)
        if let enterprise = enterpriseOfPayer[payer] { fees[enterprise] += Int128(fee) }
    }

    mutating func addInduced(_ fee: Int64, of payer: Int) {
        inducedFee += Int128(fee)
        addFee(fee, of: payer)
    }

    mutating func add(_ decision: GrantDecision, of payer: Int) {
        guard let enterprise = enterpriseOfPayer[payer] else { return }
        let granted = Int128(decision.granted.count)
        if granted != 0 {
            months[currentMonth()].granted += granted
            grants[enterprise] += granted
        }
        switch decision.reason {
        case .capReached, .capPartial: caps[enterprise] = min(day, caps[enterprise] ?? day)
        case .poolExhausted, .poolPartial, .proRata:
            poolExhaustedOn = min(day, poolExhaustedOn ?? day)
        default: break
        }
    }

    var outlook: RuleOutlook {
        var sizes = bounds.map { RuleOutlook.SizeClass(from: $0) }
        for enterprise in names.indices where fees[enterprise] != 0 {
            let index = bounds.lastIndex { Int128($0) <= fees[enterprise] } ?? 0
            sizes[index].enterpriseCount += 1
            sizes[index].fee += fees[enterprise]
            sizes[index].granted += grants[enterprise]
        }
        let reached = names.indices.compactMap { index in
            caps[index].map { (beneficiary: names[index], day: $0) }
        }
        return RuleOutlook(
            rule: rule,
            months: months.sorted { $0.month < $1.month },
            inducedFee: inducedFee,
            capsReached: reached.sorted { ($0.day, $0.beneficiary) < ($1.day, $1.beneficiary) },
            poolExhaustedOn: poolExhaustedOn,
            sizes: sizes
        )
    }
}
