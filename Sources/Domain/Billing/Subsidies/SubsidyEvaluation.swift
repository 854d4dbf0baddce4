public import Quantities

// Rules over a list of claims: the engine alone, without jobs and ledger.
//
// Rules are taken one after the other, by stacking order and id; each sees what the ones before it
// granted. Within a rule claims are taken by (date, id), whatever their order in the list, so the
// order of a file changes nothing at all. A refund is never taken before its fee.
//
// Pools are served first come, first served, by that same order. A pool that is shared out in
// proportion is decided at the end of its period: enterprises by largest remainder (ties: the
// smaller name), then the claims of each enterprise by cumulative rounding.

/// What rules grant to a list of claims.
public struct SubsidyEvaluation: Sendable {
    /// The rules in the order in which they were evaluated.
    public let rules: [SubsidyRule]
    /// Element `r` belongs to rule `r`; its element `c` to claim `c` of the list.
    public let decisions: [[GrantDecision]]
    /// One row for each rule, beneficiary and year with an eligible claim, sorted so.
    public let beneficiaries: [BeneficiaryYear]
    /// What is left of each pool period that was touched, by rule; see `poolPeriodName`.
    public let pools: [PoolState]

    /// What a beneficiary had of a rule in a year.
    public struct BeneficiaryYear: Hashable, Sendable {
        /// The rule.
        public var rule: String
        /// The enterprise, or the group where the rule says so.
        public var beneficiary: String
        /// The year of the rule.
        public var year: Int
        /// The fees of its eligible claims less refunds.
        public var fee: Int128
        /// What it was granted.
        public var granted: Int128
        /// The cap; nil for none.
        public var cap: Fen?
    }

    /// What became of a pool.
    public struct PoolState: Hashable, Sendable {
        /// The rule.
        public var rule: String
        /// `2026`, `2026-Q2` or `total`.
        public var period: String
        /// What was granted out of it.
        public var granted: Int128
        /// The day of the first claim that it could not serve in full; nil when it sufficed.
        public var exhaustedOn: BillingDay?
    }

    /// Evaluates rules over claims.
    ///
    /// - Precondition: claim ids are unique; a refund is negative, names a fee of the list of the
    ///   same enterprise that is not later, and returns at most what is left of it. The claims
    ///   reader has checked that.
    public init(rules: [SubsidyRule], claims: [SubsidyClaim]) {
        self.rules = rules.inEvaluationOrder
        let order = claims.inEvaluationOrder
        var byOthers = [Fen](repeating: .zero, count: claims.count)
        var levels = [[SubsidyRule.Level]](repeating: [], count: claims.count)
        var decisions: [[GrantDecision]] = []
        var beneficiaries: [BeneficiaryYear] = []
        var pools: [PoolState] = []
        for rule in self.rules {
            var run = RuleRun(rule: rule, claims: claims, order: order)
            run.evaluate(byOthers: byOthers, levels: levels)
            for (index, decision) in run.decisions.enumerated() {
                // The rules after this one were asked before a waiting list was served.
                let granted = decision.granted - (run.servedLater[index] ?? .zero)
                guard granted != .zero else { continue }
                byOthers[index] += granted
                levels[index].append(rule.authority.level)
            }
            decisions.append(run.decisions)
            beneficiaries += run.beneficiaries
            pools += run.poolStates
        }
        self.decisions = decisions
        self.beneficiaries = beneficiaries
        self.pools = pools
    }

    /// What rule `index` granted altogether.
    public func total(ofRule index: Int) -> Int128 {
        decisions[index].reduce(0) { $0 + Int128($1.granted.count) }
    }
}

extension Array<SubsidyClaim> {
    /// The indices in the order in which claims are taken: that of the centre's books where all claims
    /// have one; else by date and id, a refund right after its fee when both are of one day and its
    /// id is smaller.
    var inEvaluationOrder: [Int] {
        let booked = compactMap(\.booked)
        if booked.count == count { return indices.sorted { booked[$0] < booked[$1] } }
        let positions = Dictionary(enumerated().map { ($1.id, $0) }) { first, _ in first }
        let keys = map { claim in
            let original = claim.refundOf.flatMap { positions[$0] }.map { self[$0] }
            guard let original, original.date == claim.date, original.id > claim.id else {
                return ClaimKey(day: claim.date.number, anchor: claim.id, follows: 0, id: claim.id)
            }
            return ClaimKey(day: claim.date.number, anchor: original.id, follows: 1, id: claim.id)
        }
        return indices.sorted { keys[$0] < keys[$1] }
    }
}

/// The place of a claim in the order of evaluation.
private struct ClaimKey: Comparable {
    var day: Int64
    var anchor: String
    var follows: Int
    var id: String

    static func < (left: ClaimKey, right: ClaimKey) -> Bool {
        (left.day, left.anchor, left.follows, left.id)
            < (right.day, right.anchor, right.follows, right.id)
    }
}

/// One rule over all claims.
private struct RuleRun {
    let rule: SubsidyRule
    let claims: [SubsidyClaim]
    let order: [Int]
    var account: SubsidyAccount
    var decisions: [GrantDecision] = []
    /// What claims say that they had from a waiting list, and were given for it.
    var servedLater: [Int: Fen] = [:]
    let positions: [String: Int]

    init(rule: SubsidyRule, claims: [SubsidyClaim], order: [Int]) {
        self.rule = rule
        self.claims = claims
        self.order = order
        account = SubsidyAccount(rule: rule)
        positions = Dictionary(claims.enumerated().map { ($1.id, $0) }) { first, _ in first }
        decisions = claims.map {
            GrantDecision(rule: rule.id, claim: $0.id, granted: .zero, reason: .granted, year: 0)
        }
    }

    mutating func evaluate(byOthers: [Fen], levels: [[SubsidyRule.Level]]) {
        var services = statedServices[...]
        for index in order {
            let claim = claims[index]
            while let service = services.first, service.after < claim.booked ?? 0 {
                serve(services.removeFirst())
            }
            if rule.pool?.exhaustion == .nextPeriod { serveWaiting(onceIn: claim) }
            decisions[index] = account.take(
                claim,
                grantedByOthers: byOthers[index],
                otherLevels: levels[index]
            )
            if rule.pool?.exhaustion == .waitlist && claim.refundOf != nil { serveWaiting() }
        }
        for service in services { serve(service) }
        let isShared = claims.contains { $0.facts.poolShares[rule.id] != nil }
        if let pool = rule.pool, pool.exhaustion == .proRata, !isShared { shareOut(pool) }
    }

    /// What the claims say that they had from waiting lists, in the order of the books.
    private var statedServices: [(after: Int64, index: Int, amount: Fen)] {
        var services: [(after: Int64, index: Int, amount: Fen)] = []
        for (index, claim) in claims.enumerated() where rule.pool != nil {
            for service in claim.facts.poolServices where service.rule == rule.id {
                services.append((service.after, index, service.amount))
            }
        }
        return services.sorted { ($0.after, $0.index) < ($1.after, $1.index) }
    }

    private mutating func serve(_ service: (after: Int64, index: Int, amount: Fen)) {
        let claim = claims[service.index]
        let year = decisions[service.index].year
        let served = account.serve(service.amount, to: claim, year: year)
        decisions[service.index].granted += served
        servedLater[service.index, default: .zero] += served
    }

    private mutating func serveWaiting(onceIn claim: SubsidyClaim? = nil) {
        for served in account.serveWaiting(fromPeriodOf: claim) {
            guard let index = positions[served.claim] else { continue }
            decisions[index].granted += served.amount
            if served.isWhole { decisions[index].reason = .granted }
        }
    }

    /// The claim that decides in which pool period a claim counts.
    private func anchor(_ claim: SubsidyClaim) -> SubsidyClaim {
        claim.refundOf.flatMap { positions[$0] }.map { claims[$0] } ?? claim
    }

    private func period(of index: Int) -> Int {
        account.poolPeriod(on: anchor(claims[index]).date)
    }

    // MARK: Pro rata

    private mutating func shareOut(_ pool: SubsidyRule.Pool) {
        let byPeriod = Dictionary(grouping: order, by: { period(of: $0) })
        var carried: Int128 = 0
        var lastPeriod: Int?
        for (period, indices) in byPeriod.sorted(by: { $0.key < $1.key }) {
            let untouched = lastPeriod.map { period - $0 - 1 } ?? 0
            let budget =
                Int128(pool.amount.count) * Int128(pool.carriesOver ? 1 + untouched : 1)
                + (pool.carriesOver ? carried : 0)
            carried = budget - shareOut(max(0, budget), over: indices)
            lastPeriod = period
        }
    }

    /// Shares `budget` out over the claims at `indices`; gives back what was granted.
    private mutating func shareOut(_ budget: Int128, over indices: [Int]) -> Int128 {
        let wanted = indices.map { index in
            (account.beneficiary(of: anchor(claims[index])), Int128(decisions[index].granted.count))
        }
        let shares = proRataShares(wanted, budget: budget)
        if shares.areReduced {
            for (index, amount) in zip(indices, shares.amounts) {
                guard let granted = Int64(exactly: amount) else {
                    preconditionFailure("grant of \(amount) fen")
                }
                if decisions[index].granted != .zero && claims[index].refundOf == nil {
                    decisions[index].reason = .proRata
                }
                decisions[index].granted = Fen(granted)
            }
        }
        return shares.amounts.reduce(0, +)
    }

    // MARK: Sums

    var beneficiaries: [SubsidyEvaluation.BeneficiaryYear] {
        var sums: [SubsidyAccount.Period: SubsidyEvaluation.BeneficiaryYear] = [:]
        for index in claims.indices where decisions[index].reason.isEligible {
            let name = account.beneficiary(of: anchor(claims[index]))
            let year = decisions[index].year
            let key = SubsidyAccount.Period(beneficiary: name, year: year)
            var row =
                sums[key]
                ?? SubsidyEvaluation.BeneficiaryYear(
                    rule: rule.id,
                    beneficiary: name,
                    year: year,
                    fee: 0,
                    granted: 0,
                    cap: account.standing(of: name, year: year)?.cap
                )
            row.fee += Int128(claims[index].fee.count)
            row.granted += Int128(decisions[index].granted.count)
            sums[key] = row
        }
        return sums.values.sorted { ($0.beneficiary, $0.year) < ($1.beneficiary, $1.year) }
    }

    var poolStates: [SubsidyEvaluation.PoolState] {
        guard let pool = rule.pool else { return [] }
        var states: [Int: SubsidyEvaluation.PoolState] = [:]
        for index in order where decisions[index].reason.isEligible {
            let period = period(of: index)
            var state =
                states[period]
                ?? SubsidyEvaluation.PoolState(
                    rule: rule.id,
                    period: pool.name(ofPeriod: period),
                    granted: 0
                )
            state.granted += Int128(decisions[index].granted.count)
            let fellShort = [.poolExhausted, .poolPartial, .proRata]
                .contains(decisions[index].reason)
            if fellShort && state.exhaustedOn == nil {
                state.exhaustedOn = claims[index].date
            }
            states[period] = state
        }
        return states.sorted { $0.key < $1.key }.map(\.value)
    }
}

/// Shares `budget` out over claims in proportion to what their beneficiaries want together; inside a
/// beneficiary by cumulative rounding, in the order given.
///
/// A beneficiary whose refunds outweigh its grants gives back; it has no part in the sharing.
func proRataShares(
    _ wanted: [(beneficiary: String, amount: Int128)],
    budget: Int128
) -> (amounts: [Int128], areReduced: Bool) {
    var amounts = wanted.map(\.amount)
    let byName = Dictionary(grouping: wanted.indices, by: { wanted[$0].beneficiary })
    let totals = byName.sorted { $0.key < $1.key }.map { name, indices in
        (indices: indices, amount: indices.reduce(Int128(0)) { $0 + wanted[$1].amount })
    }
    let sum = totals.reduce(Int128(0)) { $0 + max(0, $1.amount) }
    guard sum > budget else { return (amounts, false) }
    let shares = largestRemainder(totals.map { max(0, $0.amount) }, budget: budget)
    for (total, share) in zip(totals, shares) where total.amount > 0 {
        var wantedSoFar: Int128 = 0
        var grantedSoFar: Int128 = 0
        for index in total.indices {
            wantedSoFar += wanted[index].amount
            let target = wantedSoFar * share / total.amount
            amounts[index] = target - grantedSoFar
            grantedSoFar = target
        }
    }
    return (amounts, true)
}

/// Shares `budget` over `amounts` in proportion, in whole fen: down, and what is left one by one to
/// the largest remainders; of equal ones the first gets it.
///
/// - Precondition: no amount is negative, and their sum is above zero.
func largestRemainder(_ amounts: [Int128], budget: Int128) -> [Int128] {
    let sum = amounts.reduce(0, +)
    precondition(sum > 0 && amounts.allSatisfy { $0 >= 0 })
    var shares = amounts.map { $0 * budget / sum }
    let remainders = amounts.map { $0 * budget % sum }
    let byRemainder = amounts.indices.sorted {
        (remainders[$1], $0) < (remainders[$0], $1)
    }
    let rest = Int(budget - shares.reduce(0, +))
    for index in byRemainder.prefix(rest) { shares[index] += 1 }
    return shares
}

extension GrantReason {
    /// Whether the claim met all conditions, so that its fee counts.
    public var isEligible: Bool {
        switch self {
        case .outsideValidity, .classNotEligible, .platformNotEligible, .providerNotEligible,
            .resourceNotCovered, .purposeNotCovered, .notRegisteredHere, .sectorNotEligible,
            .tooLarge,
            .foundedTooEarly, .relatedParty, .creditNotClean, .contractTooEarly,
            .contractTooLong, .alreadyGranted, .filedTooLate, .exclusiveLevel, .noRate,
            .refundOfIneligible:
            false
        case .refund, .noClawback, .belowMinimumFee, .shareLimit, .contractCap, .capReached,
            .capPartial, .poolExhausted, .poolPartial, .proRata, .granted, .belowOneFen:
            true
        }
    }
}

extension SubsidyRule.Pool {
    /// `2026`, `2026-Q2` or `total`.
    func name(ofPeriod number: Int) -> String {
        switch period {
        case .year: String(number)
        case .quarter: "\(number / 4)-Q\(number % 4 + 1)"
        case .total: "total"
        }
    }
}
