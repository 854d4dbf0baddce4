public import Quantities

// The cumulative method (design §9).
//
// For each (beneficiary, rule, year) the account keeps Σ fee and Σ fee × rate, both exact. Out of
// these sums follows the entitlement of the year to date:
//
//     min(cap of the year, share limits, floor(Σ of min(contract cap, Σ fee × ppm) / 10⁶))
//
// and a grant is the entitlement to date − what has been granted already. So it does not matter in
// which order the fees come or how they are split: the rounding is done once, on the sum. Twelve
// months of 45,000,001 fen at 50 % are granted 22,500,000 and 22,500,001 in turn, not twelve times
// the half rounded down.
//
// A refund goes through the same sums with a negative fee, in the year of the fee that it returns.
// Pools come after the entitlement; a pool serves in the order in which claims are taken.

/// What one rule has granted so far, and to whom.
public struct SubsidyAccount: Hashable, Sendable, Codable {
    /// The rule.
    public let rule: SubsidyRule

    struct Period: Hashable, Sendable, Codable {
        var beneficiary: String
        var year: Int
    }

    struct Standing: Hashable, Sendable, Codable {
        /// Σ of the fees that count. Unit: fen.
        var base: Int128 = 0
        /// Σ of what customers were asked for of them: the share limits are of that. Unit: fen.
        var asked: Int128 = 0
        /// Σ fee × rate after line and contract caps. Unit: 10⁻⁶ fen.
        var micro: Int128 = 0
        /// What earlier rules granted for the same fees. Unit: fen.
        var grantedByOthers: Int128 = 0
        /// Unit: fen.
        var granted: Int128 = 0
        /// What a first-come pool could not serve and will not serve later. Unit: fen.
        var lost: Int128 = 0
        var cap: Fen?
    }

    private var standings: [Period: Standing] = [:]
    private var contracts = ShardedDictionary<String, Int128>()
    private var owners: [String: String] = [:]
    private var groups: [Period: Int128] = [:]
    private var lifetimes: [String: Int128] = [:]
    private var firstClaims: [String: BillingDay] = [:]
    private var taken = ShardedDictionary<String, Taken>()
    /// With a scale of rates: the claims of a year in the order in which they climbed it.
    private var climbed: [Period: [String]] = [:]
    /// Claims that the pool could not serve in full, in their order.
    private var waiting: [Waiting] = []
    /// What is left of the pool of a period; a period that is not there is untouched.
    private(set) var pools: [Int: Int128] = [:]

    /// A claim that was found eligible, kept for its refunds.
    private struct Taken: Hashable, Sendable, Codable {
        var claim: SubsidyClaim
        var year: Int
        var ratePPM: Int64
        /// What of the fee counts. Unit: fen.
        var asked: Int64
        /// The most of it that counts, since no more was paid. Unit: fen.
        var paid: Int64
        /// What earlier rules granted for it. Unit: fen.
        var grantedByOthers: Int64
        /// Its line. Unit: 10⁻⁶ fen.
        var micro: Int128
        /// Its part of what the pool could not serve. Unit: fen.
        var lost: Int128
        var refunded: Int64 = 0

        /// What refunds leave of the base, cut off cumulatively: a fee that is returned in pieces
        /// is returned whole. They first return what was not paid.
        var baseLeft: Int128 {
            var left = Int128(asked)
            if refunded > 0 { left -= left * Int128(refunded) / Int128(claim.fee.count) }
            return min(left, Int128(paid))
        }

        /// What of the base customers were asked for: less than the base where that is of list prices.
        var askedLeft: Int128 { min(baseLeft, Int128(claim.fee.count - refunded)) }
    }

    private struct Waiting: Hashable, Sendable, Codable {
        var claim: SubsidyClaim
        var year: Int
        var period: Int
        var shortfall: Int128
    }

    private let remembersClaims: Bool

    /// Opens an account in which nothing has been granted.
    ///
    /// - Parameter remembersClaims: whether refunds may come; without them an account of millions of
    ///   claims stays small.
    public init(rule: SubsidyRule, remembersClaims: Bool = true) {
        self.rule = rule
        self.remembersClaims = remembersClaims
    }

    /// The same account without the claims that it remembers for refunds: a cheap copy for trials.
    var withoutHistory: SubsidyAccount {
        var copy = self
        copy.taken = ShardedDictionary()
        copy.climbed = [:]
        return copy
    }

    /// Takes one claim and says what it is granted.
    ///
    /// - Parameters:
    ///   - claim: a fee, or the refund of a fee that was taken before.
    ///   - grantedByOthers: what rules before this one granted for it.
    ///   - otherLevels: the levels of those rules that granted something for it.
    public mutating func take(
        _ claim: SubsidyClaim,
        grantedByOthers: Fen = .zero,
        otherLevels: [SubsidyRule.Level] = []
    ) -> GrantDecision {
        if let original = claim.refundOf {
            return takeRefund(claim, of: original, grantedByOthers: grantedByOthers)
        }
        let year = self.year(of: claim)
        func refuse(_ reason: GrantReason) -> GrantDecision {
            decision(claim, .zero, reason, year)
        }
        if let reason = rule.ineligibility(of: claim) { return refuse(reason) }
        if let key = ownershipKey(of: claim), let owner = owners[key],
            owner != ownershipName(of: claim)
        {
            return refuse(.alreadyGranted)
        }
        guard !rule.stacking.exclusiveLevels.contains(where: otherLevels.contains) else {
            return refuse(.exclusiveLevel)
        }
        guard let ratePPM = rule.rate.tiers.isEmpty ? rule.ratePPM(of: claim) : 0 else {
            return refuse(.noRate)
        }
        if let key = ownershipKey(of: claim) { owners[key] = ownershipName(of: claim) }
        if rule.yearBasis == .anniversary {
            let beneficiary = beneficiary(of: claim)
            firstClaims[beneficiary] = min(claim.date, firstClaims[beneficiary] ?? claim.date)
        }

        let period = Period(beneficiary: beneficiary(of: claim), year: year)
        var standing = standings[period] ?? Standing()
        let base = rule.base(of: claim)
        var record = Taken(
            claim: claim,
            year: year,
            ratePPM: ratePPM,
            asked: base.asked,
            paid: base.paid,
            grantedByOthers: grantedByOthers.count,
            micro: 0,
            lost: 0
        )
        let line = line(of: record, after: standing.base)
        record.micro = line.capped
        let counted = addToContract(line.capped, of: claim)
        standing.base += record.baseLeft
        standing.asked += record.askedLeft
        standing.micro += counted
        standing.grantedByOthers += Int128(grantedByOthers.count)
        if let cap = rule.yearCap(ofClasses: claim.classes) {
            standing.cap = max(cap, standing.cap ?? cap)
        }
        let entitled = entitlement(of: standing)
        // A refund that takes nothing back may have left more granted than there is a claim to.
        let wanted = max(0, entitled.amount - standing.lost - standing.granted)
        let limited = limit(wanted, claim, year)
        standing.granted += limited.amount
        standing.lost += limited.lost
        standings[period] = standing
        record.lost = limited.lost
        if remembersClaims { remember(record, in: period) }
        var reason = limited.reason ?? entitled.reason
        if reason == .capReached && limited.amount > 0 { reason = .capPartial }
        if reason == nil && line.shared < line.full { reason = .shareLimit }
        if reason == nil && counted < line.full { reason = .contractCap }
        if reason == nil && limited.amount == 0 { reason = .belowOneFen }
        return decision(claim, fen(limited.amount), reason ?? .granted, year)
    }

    /// The yearly cap of a beneficiary, and how much of it was granted; nil before its first
    /// eligible claim.
    public func standing(of beneficiary: String, year: Int) -> (cap: Fen?, granted: Fen)? {
        standings[Period(beneficiary: beneficiary, year: year)].map {
            ($0.cap, fen($0.granted))
        }
    }

    /// Who holds the cap that a claim counts against.
    public func beneficiary(of claim: SubsidyClaim) -> String {
        switch rule.who.aggregation {
        case .entity: claim.enterprise
        case .group: claim.group ?? claim.enterprise
        }
    }

    private mutating func remember(_ record: Taken, in period: Period) {
        taken[record.claim.id] = record
        if !rule.rate.tiers.isEmpty { climbed[period, default: []].append(record.claim.id) }
    }

    private func decision(
        _ claim: SubsidyClaim,
        _ granted: Fen,
        _ reason: GrantReason,
        _ year: Int
    ) -> GrantDecision {
        GrantDecision(
            rule: rule.id,
            claim: claim.id,
            granted: granted,
            reason: reason,
            year: year
        )
    }
}

// MARK: - Sums

extension SubsidyAccount {
    /// Fee × rate of one line, with tiers the part of the yearly scale that it covers; what share
    /// limits leave of that; and what the line cap leaves of this. Unit: 10⁻⁶ fen.
    private func line(
        of record: Taken,
        after sum: Int128
    ) -> (full: Int128, shared: Int128, capped: Int128) {
        let base = record.baseLeft
        let full =
            rule.rate.tiers.isEmpty
            ? base * Int128(record.ratePPM) : scale(sum + base) - scale(sum)
        let shared = min(full, shareMicro(record.askedLeft, record.grantedByOthers))
        return (full, shared, capped(shared, rule.caps.perLine))
    }

    /// The most that share limits leave of a line: of this rule's own, and of all rules up to it.
    private func shareMicro(_ asked: Int128, _ grantedByOthers: Int64) -> Int128 {
        let own = rule.caps.shareOfFeeMaximumPPM ?? 1_000_000
        let together =
            asked * Int128(rule.stacking.totalShareMaximumPPM)
            - Int128(grantedByOthers) * 1_000_000
        return max(0, min(asked * Int128(own), together))
    }

    /// The marginal scale, from zero up to `sum`.
    private func scale(_ sum: Int128) -> Int128 {
        var micro: Int128 = 0
        var start: Int128 = 0
        for tier in rule.rate.tiers {
            let end = tier.upTo.map { Int128($0.count) } ?? Int128.max
            micro += max(0, min(sum, end) - start) * Int128(tier.ppm)
            start = end
        }
        return micro
    }

    private func capped(_ micro: Int128, _ cap: Fen?) -> Int128 {
        cap.map { min(micro, Int128($0.count) * 1_000_000) } ?? micro
    }

    /// Adds a line to its contract and gives back by how much the capped contract grew.
    private mutating func addToContract(_ micro: Int128, of claim: SubsidyClaim) -> Int128 {
        guard let cap = rule.caps.perContract else { return micro }
        // A fee without a contract counts as one of its own.
        let key = "\(beneficiary(of: claim))\u{0}\(claim.facts.contract ?? "\u{0}" + claim.id)"
        let before = contracts[key] ?? 0
        contracts[key] = before + micro
        return capped(before + micro, cap) - capped(before, cap)
    }

    /// What a beneficiary may have of the year to date, and what bounds it.
    private func entitlement(of standing: Standing) -> (amount: Int128, reason: GrantReason?) {
        guard standing.base >= Int128(rule.basis.minimumYearFee.count) else {
            return (0, .belowMinimumFee)
        }
        var amount =
            switch rule.rounding {
            case .floorFen: standing.micro / 1_000_000
            case .halfUpFen: (standing.micro + 500_000) / 1_000_000
            }
        var reason: GrantReason?
        // Lines are within the share one by one; a refund may have moved what others granted.
        let together = standing.asked * Int128(rule.stacking.totalShareMaximumPPM) / 1_000_000
        let room = max(0, together - standing.grantedByOthers)
        if amount > room { (amount, reason) = (room, .shareLimit) }
        if let cap = standing.cap, amount > Int128(cap.count) {
            (amount, reason) = (Int128(cap.count), .capReached)
        }
        return (max(0, amount), reason)
    }

    /// What lifetime and group caps and the pool leave of `wanted`, and what is lost because the
    /// pool serves nobody later; moves them on.
    private mutating func limit(
        _ wanted: Int128,
        _ claim: SubsidyClaim,
        _ year: Int
    ) -> (amount: Int128, lost: Int128, reason: GrantReason?) {
        var amount = wanted
        var lost: Int128 = 0
        var reason: GrantReason?
        if let cap = rule.caps.perEntityLifetime {
            let left = Int128(cap.count) - (lifetimes[beneficiary(of: claim)] ?? 0)
            if amount > left { (amount, reason) = (left, .capReached) }
        }
        if let cap = rule.caps.perGroupYear {
            let group = Period(beneficiary: claim.group ?? claim.enterprise, year: year)
            let left = Int128(cap.count) - (groups[group] ?? 0)
            if amount > left { (amount, reason) = (left, .capReached) }
        }
        if let share = claim.facts.poolShares[rule.id], let pool = rule.pool {
            let left = Int128(max(0, share.count))
            if amount > left {
                // What waits is served in the share of this claim or of a later one.
                let isLost = [.firstCome, .proRata].contains(pool.exhaustion)
                if isLost { lost = amount - left }
                (amount, reason) = (left, left == 0 ? .poolExhausted : .poolPartial)
            }
        } else if let pool = rule.pool, pool.exhaustion != .proRata {
            let period = poolPeriod(on: claim.date)
            let left = poolLeft(in: period, pool)
            if amount > left {
                let shortfall = amount - left
                (amount, reason) = (left, left == 0 ? .poolExhausted : .poolPartial)
                if pool.exhaustion == .firstCome {
                    lost = shortfall
                } else {
                    waiting.append(
                        Waiting(claim: claim, year: year, period: period, shortfall: shortfall)
                    )
                }
            }
            pools[period] = left - amount
        }
        count(amount, of: claim, year)
        return (amount, lost, reason)
    }

    private func fen(_ amount: Int128) -> Fen {
        guard let count = Int64(exactly: amount) else { preconditionFailure("\(amount) fen") }
        return Fen(count)
    }
}

// MARK: - Years and pools

extension SubsidyAccount {
    /// The year of the rule in which a claim counts.
    func year(of claim: SubsidyClaim) -> Int {
        year(of: beneficiary(of: claim), on: claim.date)
    }

    /// The year of the rule in which a fee of `day` counts for a beneficiary.
    func year(of beneficiary: String, on day: BillingDay) -> Int {
        let civil = day.civil
        switch rule.yearBasis {
        case .calendar: return civil.year
        case .fiscal(let startMonth): return civil.month >= startMonth ? civil.year : civil.year - 1
        case .anniversary:
            guard let first = firstClaims[beneficiary]?.civil else { return civil.year }
            let isBeforeAnniversary = (civil.month, civil.day) < (first.month, first.day)
            return isBeforeAnniversary ? civil.year - 1 : civil.year
        }
    }

    /// The number of the pool period in which a fee of `day` counts; periods of one rule rise with
    /// time.
    func poolPeriod(on day: BillingDay) -> Int {
        // A pool follows the calendar of the rule; an anniversary belongs to one beneficiary only.
        let startMonth = if case .fiscal(let startMonth) = rule.yearBasis { startMonth } else { 1 }
        let civil = day.civil
        let year = civil.month < startMonth ? civil.year - 1 : civil.year
        switch rule.pool?.period {
        case nil, .total: return 0
        case .year: return year
        case .quarter: return 4 * year + (civil.month - startMonth + 12) % 12 / 3
        }
    }

    private func poolLeft(in period: Int, _ pool: SubsidyRule.Pool) -> Int128 {
        if let left = pools[period] { return left }
        guard pool.carriesOver, let last = pools.keys.filter({ $0 < period }).max() else {
            return Int128(pool.amount.count)
        }
        // Periods in between had no claim and hand on their whole budget.
        return (pools[last] ?? 0) + Int128(pool.amount.count) * Int128(period - last)
    }

    private func ownershipKey(of claim: SubsidyClaim) -> String? {
        switch rule.what.oneGrantPer {
        case .none: nil
        case .contract: claim.facts.contract
        case .invoice: claim.facts.invoice
        }
    }

    private func ownershipName(of claim: SubsidyClaim) -> String {
        switch rule.what.oneGrantPer {
        case .none, .contract: beneficiary(of: claim)
        case .invoice: claim.id
        }
    }
}

// MARK: - Waiting for a pool

extension SubsidyAccount {
    /// What a waiting claim was served later.
    struct Served {
        var claim: String
        var year: Int
        var amount: Fen
        /// Whether nothing is missing any more.
        var isWhole: Bool
    }

    /// Gives a claim what it says that a pool gave it later, as far as its beneficiary is entitled to it.
    ///
    /// - Returns: what it is given.
    mutating func serve(_ amount: Fen, to claim: SubsidyClaim, year: Int) -> Fen {
        let key = Period(beneficiary: beneficiary(of: claim), year: year)
        guard var standing = standings[key] else { return .zero }
        let open = max(0, entitlement(of: standing).amount - standing.granted)
        let served = min(open, Int128(max(0, amount.count)))
        standing.granted += served
        standings[key] = standing
        count(served, of: claim, year)
        return fen(served)
    }

    /// Counts a grant against lifetime and group caps.
    private mutating func count(_ amount: Int128, of claim: SubsidyClaim, _ year: Int) {
        if rule.caps.perEntityLifetime != nil {
            lifetimes[beneficiary(of: claim), default: 0] += amount
        }
        if rule.caps.perGroupYear != nil {
            let group = claim.group ?? claim.enterprise
            groups[Period(beneficiary: group, year: year), default: 0] += amount
        }
    }

    /// Serves waiting claims, oldest first, from what their pool has again.
    ///
    /// - Parameter current: with `next_period`, a claim of the period that pays now; claims that
    ///   wait from earlier periods are served from it.
    mutating func serveWaiting(fromPeriodOf current: SubsidyClaim?) -> [Served] {
        guard let pool = rule.pool, !waiting.isEmpty else { return [] }
        let payingPeriod = current.map { poolPeriod(on: $0.date) }
        var served: [Served] = []
        var stillWaiting: [Waiting] = []
        for var entry in waiting {
            let period = payingPeriod ?? entry.period
            let key = Period(beneficiary: beneficiary(of: entry.claim), year: entry.year)
            guard entry.period < period || payingPeriod == nil, var standing = standings[key]
            else {
                stillWaiting.append(entry)
                continue
            }
            let left = poolLeft(in: period, pool)
            // A refund may have lowered what the year is entitled to.
            let open = max(0, entitlement(of: standing).amount - standing.granted)
            entry.shortfall = min(entry.shortfall, open)
            let amount = max(0, min(entry.shortfall, left))
            standing.granted += amount
            standings[key] = standing
            pools[period] = left - amount
            count(amount, of: entry.claim, entry.year)
            entry.shortfall -= amount
            if amount > 0 {
                served.append(
                    Served(
                        claim: entry.claim.id,
                        year: entry.year,
                        amount: fen(amount),
                        isWhole: entry.shortfall == 0
                    )
                )
            }
            if entry.shortfall > 0 { stillWaiting.append(entry) }
        }
        waiting = stillWaiting
        return served
    }
}

// MARK: - Refunds

extension SubsidyAccount {
    private mutating func takeRefund(
        _ refund: SubsidyClaim,
        of original: String,
        grantedByOthers: Fen
    ) -> GrantDecision {
        guard var record = taken[original] else {
            // The fee had no part in the sums, so neither has its return.
            return decision(refund, .zero, .refundOfIneligible, year(of: refund))
        }
        let claim = record.claim
        let period = Period(beneficiary: beneficiary(of: claim), year: record.year)
        guard var standing = standings[period] else {
            preconditionFailure("no year of \(original)")
        }
        let entitledBefore = entitlement(of: standing).amount
        let (baseBefore, askedBefore) = (record.baseLeft, record.askedLeft)
        record.refunded -= refund.fee.count
        precondition(
            record.refunded <= record.claim.fee.count,
            "refund of more than the fee of \(original)"
        )
        record.grantedByOthers += grantedByOthers.count
        taken[original] = record
        standing.base += record.baseLeft - baseBefore
        standing.asked += record.askedLeft - askedBefore
        standing.micro += computeLinesAgain(after: original, in: period)
        standing.grantedByOthers += Int128(grantedByOthers.count)
        let entitled = entitlement(of: standing).amount
        // What the pool did not serve of this fee is lost no longer; the rest still is.
        let found = min(record.lost, max(0, entitledBefore - entitled))
        taken[original]?.lost -= found
        standing.lost = min(max(0, standing.lost - found), entitled)
        var change = min(0, entitled - standing.lost - standing.granted)
        if let share = refund.facts.poolShares[rule.id], rule.pool != nil {
            change = max(-standing.granted, min(0, Int128(share.count)))
        }
        let takesBack = rule.clawback == .onRefund
        if takesBack {
            standing.granted += change
            change = giveBack(change, claim, record.year)
        }
        standings[period] = standing
        return decision(
            refund,
            takesBack ? fen(change) : .zero,
            takesBack ? .refund : .noClawback,
            record.year
        )
    }

    /// Computes lines again after a refund: that of the fee, and with a scale of rates those of all
    /// claims of the year, whose places on the scale have moved.
    ///
    /// - Returns: by how much they changed the sum of the year.
    private mutating func computeLinesAgain(
        after refunded: String,
        in period: Period
    ) -> Int128 {
        var sum: Int128 = 0
        var change: Int128 = 0
        for id in rule.rate.tiers.isEmpty ? [refunded] : climbed[period] ?? [] {
            guard var record = taken[id] else { continue }
            let line = line(of: record, after: sum).capped
            sum += record.baseLeft
            change += addToContract(line - record.micro, of: record.claim)
            record.micro = line
            taken[id] = record
        }
        return change
    }

    /// Returns money to the caps and the pool of the year of `claim`.
    private mutating func giveBack(
        _ change: Int128,
        _ claim: SubsidyClaim,
        _ year: Int
    ) -> Int128 {
        if let pool = rule.pool, pool.exhaustion != .proRata {
            let period = poolPeriod(on: claim.date)
            pools[period] = poolLeft(in: period, pool) - change
        }
        count(change, of: claim, year)
        return change
    }
}
