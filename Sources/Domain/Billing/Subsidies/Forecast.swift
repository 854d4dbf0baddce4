import JobModel
public import Quantities

// What rules will cost, from a year of jobs.
//
// Sketch: 7.3 million jobs, some thousand payers, 366 days. A job is priced in integer arithmetic
// and added to the fees of its payer on its day; no object is made for it. Rules then see one claim
// for each payer and day, at most a million, in the order of days.

/// Who pays for the jobs of a user of a trace.
public struct Tenant: Hashable, Sendable {
    /// The user's number in the trace.
    public var user: Int32
    /// The account.
    public var account: String
    /// The enterprise; nil when it has none.
    public var enterprise: String?
    /// Its labels.
    public var classes: [String]
    /// Where it is registered.
    public var province: String?
    /// Its sector.
    public var sector: String?
    /// The platform that its jobs use.
    public var platform: String

    /// Makes a tenant.
    public init(
        user: Int32,
        account: String,
        enterprise: String?,
        classes: [String],
        province: String? = nil,
        sector: String? = nil,
        platform: String
    ) {
        self.user = user
        self.account = account
        self.enterprise = enterprise
        self.classes = classes
        self.province = province
        self.sector = sector
        self.platform = platform
    }
}

/// Fees of a workload by payer and day, and what rules would grant for them.
public struct Forecast: Sendable {
    /// Jobs that were priced.
    public private(set) var jobCount = 0
    /// Jobs of users without a tenant; they cost nothing here.
    public private(set) var strangerCount = 0
    /// Jobs that are longer or dearer than anything real, left out.
    public private(set) var absurdCount = 0

    private struct Payer: Hashable, Sendable {
        var tenant: Tenant
        var isOnKeyPlatform: Bool
        var resource: BilledResource
        /// The price when it is one for all hours; else `Tariff.charge` is asked.
        var flatMicroFen: Int64?
    }

    private let tariff: Tariff
    /// What a job may hold so that its fee stays far below 10¹⁵ fen. Unit: µs × ppm.
    private let heldMaximum: Int128
    private var payers: [Payer] = []
    private var payerOfUser: [Int32: Int] = [:]
    private var volumes = VolumeCounter()
    private var firstDay: BillingDay?
    /// Element `d` is day `firstDay + d`; its element `p` the fees of payer `p`. Unit: fen.
    private var days: [[Int64]] = []
    private var month: (start: Int64, end: Int64) = (0, 0)

    /// A century; no trace is longer.
    private static let dayLimit = 36_525

    /// Makes an empty forecast.
    ///
    /// - Parameter keyPlatforms: the names of the key compute platforms.
    public init(tenants: [Tenant], tariff: Tariff, keyPlatforms: Set<String>) {
        self.tariff = tariff
        let dearest = tariff.lines.flatMap(\.tiers).map(\.price).max() ?? .maximum
        heldMaximum =
            Int128(Fen.maximum.count) * ExactFee.perFen / 1_000 / Int128(max(1, dearest.microFen))
        var indices: [Tenant: Int] = [:]
        for tenant in tenants {
            var identity = tenant
            identity.user = 0
            if indices[identity] == nil {
                indices[identity] = payers.count
                payers.append(
                    Payer(
                        tenant: identity,
                        isOnKeyPlatform: keyPlatforms.contains(tenant.platform),
                        resource: tariff.mainResource(of: tenant.platform),
                        flatMicroFen: tariff.flatMicroFen(of: tenant)
                    )
                )
            }
            payerOfUser[tenant.user] = indices[identity]
        }
    }

    /// Prices one job and adds it to the fees of its user's payer, by the day of its end.
    ///
    /// - Parameter processors: cores; cards on a platform that sells only cards.
    public mutating func add(
        job: UInt32,
        user: Int32,
        processors: Int64,
        start: SimInstant,
        duration: SimDuration
    ) {
        guard let payer = payerOfUser[user] else {
            strangerCount += 1
            return
        }
        let first = firstDay ?? BillingDay(containing: start)
        guard isPayable(processors, duration), start >= first.start else {
            absurdCount += 1
            return
        }
        let end = start + duration
        let lastDay = dayIndex(of: end, from: first)
        guard lastDay < Self.dayLimit else {
            absurdCount += 1
            return
        }
        firstDay = first
        jobCount += 1
        while days.count <= lastDay { days.append([Int64](repeating: 0, count: payers.count)) }
        if start.microseconds < month.start || start.microseconds >= month.end {
            let current = BillingMonth(containing: start)
            month = (current.start.microseconds, current.end.microseconds)
        }
        guard let price = payers[payer].flatMicroFen, end.microseconds <= month.end else {
            addInParts(job, payer, processors, start, end, from: first)
            return
        }
        let quantity = Int128(processors) * Int128(duration.microseconds) * 1_000_000
        let fee = ExactFee(numerator: quantity * Int128(price)).roundedHalfUp
        days[lastDay][payer] += fee.count
    }

    /// The platforms of tenants for which the tariff has no price of a core-hour or a card-hour, in
    /// order: their jobs cost nothing.
    public var platformsWithoutPrice: [String] {
        Set(payers.map(\.tenant.platform)).filter { !tariff.sells($0) }.sorted()
    }

    /// The fees of all payers. Unit: fen.
    public var totalFee: Int128 {
        days.reduce(0) { $0 + $1.reduce(0) { $0 + Int128($1) } }
    }

    /// The fees of all payers by month, in order. Unit: fen.
    public var monthlyFees: [Int128] {
        var sums: [BillingMonth: Int128] = [:]
        forEachFee { _, day, fee in sums[day.billingMonth, default: 0] += Int128(fee) }
        return sums.sorted { $0.key < $1.key }.map(\.value)
    }

    /// A job across months, or under a tariff that is not flat: as the centre would charge it.
    private mutating func addInParts(
        _ job: UInt32,
        _ payer: Int,
        _ processors: Int64,
        _ start: SimInstant,
        _ end: SimInstant,
        from first: BillingDay
    ) {
        let tenant = payers[payer].tenant
        let isCards = payers[payer].resource == .cardHour
        let usage = JobUsage(
            id: .init(job),
            account: tenant.account,
            partition: "",
            platform: tenant.platform,
            outcome: .ended(.completed),
            nodeCount: 0,
            coreCount: isCards ? 0 : processors,
            cardCount: isCards ? processors : 0,
            startedAt: start,
            endedAt: end
        )
        for part in tariff.charge(for: usage, classes: tenant.classes, volumes: &volumes) {
            days[dayIndex(of: part.endedAt, from: first)][payer] += part.amount.count
        }
    }

    /// The day to which the last µs before `instant` belongs.
    private func dayIndex(of instant: SimInstant, from first: BillingDay) -> Int {
        let span = instant.microseconds - 1 - first.start.microseconds
        return Int(max(0, span) / 86_400_000_000)
    }

    /// Whether a job is shorter than a century, and its fee far below 10¹⁵ fen at any price.
    private func isPayable(_ processors: Int64, _ duration: SimDuration) -> Bool {
        let century = SimDuration(seconds: Int64(Self.dayLimit) * 86_400)
        guard (1...Int64(Int32.max)).contains(processors), duration >= .zero, duration < century
        else { return false }
        let held = Int128(processors) * Int128(duration.microseconds) * 1_000_000
        return held < heldMaximum
    }
}

extension Tariff {
    /// Whether hours of cores or cards have a price on a platform.
    func sells(_ platform: String) -> Bool {
        let probe = JobUsage.probe(on: platform)
        return [.coreHour, .cardHour].contains { !lineIndices(for: probe, $0).isEmpty }
    }

    /// What a processor of a trace stands for on a platform: a card where only cards have a price.
    func mainResource(of platform: String) -> BilledResource {
        let probe = JobUsage.probe(on: platform)
        let sellsCores = !lineIndices(for: probe, .coreHour).isEmpty
        let sellsCards = !lineIndices(for: probe, .cardHour).isEmpty
        return !sellsCores && sellsCards ? .cardHour : .coreHour
    }

    /// The price of an hour when it is the same for all hours and runs; nil when it is not.
    func flatMicroFen(of tenant: Tenant) -> Int64? {
        let probe = JobUsage.probe(on: tenant.platform)
        let fitting = lineIndices(for: probe, mainResource(of: tenant.platform))
        guard minimumCharge == .zero, fitting.count == 1, let index = fitting.first,
            lines[index].validity == .always, lines[index].tiers.count == 1,
            !tenant.classes.contains(where: { classFactors[$0] != nil })
        else { return nil }
        return lines[index].tiers[0].price.microFen
    }
}

extension JobUsage {
    /// A run of which only the place matters.
    fileprivate static func probe(on platform: String) -> JobUsage {
        JobUsage(
            id: .init(0),
            account: "",
            partition: "",
            platform: platform,
            outcome: .ended(.completed),
            nodeCount: 0,
            coreCount: 0,
            startedAt: nil,
            endedAt: .epoch
        )
    }
}

// MARK: - Rules

/// What one rule would cost.
public struct RuleOutlook: Sendable {
    /// The rule.
    public var rule: SubsidyRule
    /// Months in order: all fees, and what the rule grants.
    public var months: [(month: BillingMonth, fee: Int128, granted: Int128)]
    /// Fees that customers run up because the rule makes computing cheaper; part of the fees of the
    /// months.
    public var inducedFee: Int128
    /// Beneficiaries that reach a cap, with the day, in order of days.
    public var capsReached: [(beneficiary: String, day: BillingDay)]
    /// The day on which the pool first falls short; nil when it never does.
    public var poolExhaustedOn: BillingDay?
    /// Enterprises by the size of their fees.
    public var sizes: [SizeClass]

    /// Everything that the rule grants.
    public var total: Int128 { months.reduce(0) { $0 + $1.granted } }

    /// Enterprises whose fees lie in a range.
    public struct SizeClass: Sendable {
        /// The least fee of the range. Unit: fen.
        public var from: Int64
        /// The enterprises.
        public var enterpriseCount = 0
        /// Their fees.
        public var fee: Int128 = 0
        /// What they are granted.
        public var granted: Int128 = 0

        /// Granted ÷ fee. Unit: ppm, rounded half up.
        public var effectiveRatePPM: Int64 {
            fee == 0 ? 0 : Int64((granted * 1_000_000 + fee / 2) / fee)
        }
    }
}

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
        var tally = OutlookTally(rule: rule, bounds: Self.sizeBounds)
        forEachFee { payer, day, fee in
            tally.addFee(fee, of: payers[payer].tenant.enterprise, in: day.billingMonth)
        }
        if rule.pool.map({ $0.exhaustion == .firstCome }) ?? true {
            var account = SubsidyAccount(rule: rule, remembersClaims: false)
            forEachFee { payer, day, fee in
                guard let claim = claim(of: payer, on: day, fee: fee) else { return }
                let decision = account.take(claim)
                tally.add(decision, claim)
                // By the cumulative method it does not matter that the fee comes in two parts.
                guard let more = claim.induced(by: decision.granted, elasticityPPM) else { return }
                tally.addInduced(more)
                tally.add(account.take(more), more)
            }
        } else {
            var claims = monthlyClaims()
            if elasticityPPM > 0 {
                let first = SubsidyEvaluation(rules: [rule], claims: claims).decisions[0]
                let more = zip(claims, first).compactMap {
                    $0.induced(by: $1.granted, elasticityPPM)
                }
                for claim in more { tally.addInduced(claim) }
                claims += more
            }
            let evaluation = SubsidyEvaluation(rules: [rule], claims: claims)
            for (claim, decision) in zip(claims, evaluation.decisions[0]) {
                tally.add(decision, claim)
            }
        }
        return tally.outlook
    }

    private func forEachFee(_ body: (_ payer: Int, _ day: BillingDay, _ fee: Int64) -> Void) {
        guard let firstDay else { return }
        for (offset, fees) in days.enumerated() {
            let day = BillingDay(number: firstDay.number + Int64(offset))
            for (payer, fee) in fees.enumerated() where fee > 0 { body(payer, day, fee) }
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
        return claim
    }

    private func monthlyClaims() -> [SubsidyClaim] {
        struct Key: Hashable {
            var payer: Int
            var month: BillingMonth
        }
        var sums: [Key: (fee: Int64, day: BillingDay)] = [:]
        forEachFee { payer, day, fee in
            let key = Key(payer: payer, month: day.billingMonth)
            sums[key] = ((sums[key]?.fee ?? 0) + fee, day)
        }
        return sums.sorted { ($0.key.month, $0.key.payer) < ($1.key.month, $1.key.payer) }
            .compactMap { claim(of: $0.key.payer, on: $0.value.day, fee: $0.value.fee) }
    }
}

extension SubsidyClaim {
    /// What its enterprise computes more because `granted` of the fee is paid by others.
    ///
    /// Fee × granted share × elasticity is granted × elasticity.
    fileprivate func induced(by granted: Fen, _ elasticityPPM: Int64) -> SubsidyClaim? {
        let more = Int128(max(0, granted.count)) * Int128(elasticityPPM) / 1_000_000
        guard more > 0, more <= Int128(Fen.maximum.count) else { return nil }
        var claim = self
        claim.id += "+"
        claim.fee = Fen(Int64(more))
        return claim
    }
}

/// Sums up decisions.
private struct OutlookTally {
    private let rule: SubsidyRule
    private let bounds: [Int64]
    private var months: [BillingMonth: (fee: Int128, granted: Int128)] = [:]
    private var enterprises: [String: (fee: Int128, granted: Int128)] = [:]
    private var caps: [String: BillingDay] = [:]
    private var poolExhaustedOn: BillingDay?
    private var inducedFee: Int128 = 0

    init(rule: SubsidyRule, bounds: [Int64]) {
        self.rule = rule
        self.bounds = bounds
    }

    mutating func addFee(_ fee: Int64, of enterprise: String?, in month: BillingMonth) {
        months[month, default: (0, 0)].fee += Int128(fee)
        if let enterprise { enterprises[enterprise, default: (0, 0)].fee += Int128(fee) }
    }

    mutating func addInduced(_ claim: SubsidyClaim) {
        inducedFee += Int128(claim.fee.count)
        addFee(claim.fee.count, of: claim.enterprise, in: claim.date.billingMonth)
    }

    mutating func add(_ decision: GrantDecision, _ claim: SubsidyClaim) {
        let granted = Int128(decision.granted.count)
        if granted != 0 {
            months[claim.date.billingMonth, default: (0, 0)].granted += granted
            enterprises[claim.enterprise, default: (0, 0)].granted += granted
        }
        switch decision.reason {
        case .capReached, .capPartial:
            caps[claim.enterprise] = min(claim.date, caps[claim.enterprise] ?? claim.date)
        case .poolExhausted, .poolPartial, .proRata:
            poolExhaustedOn = min(claim.date, poolExhaustedOn ?? claim.date)
        default: break
        }
    }

    var outlook: RuleOutlook {
        var sizes = bounds.map { RuleOutlook.SizeClass(from: $0) }
        for sums in enterprises.values {
            let index = bounds.lastIndex { Int128($0) <= sums.fee } ?? 0
            sizes[index].enterpriseCount += 1
            sizes[index].fee += sums.fee
            sizes[index].granted += sums.granted
        }
        return RuleOutlook(
            rule: rule,
            months: months.sorted { $0.key < $1.key }.map {
                (month: $0.key, fee: $0.value.fee, granted: $0.value.granted)
            },
            inducedFee: inducedFee,
            capsReached: caps.sorted { ($0.value, $0.key) < ($1.value, $1.key) }.map {
                (beneficiary: $0.key, day: $0.value)
            },
            poolExhaustedOn: poolExhaustedOn,
            sizes: sizes
        )
    }
}
