public import Quantities

// Pools that do not serve first come, first served, in books that grow claim by claim.
//
// A waiting list is served when a refund frees money, or when the next period begins. A pool that is
// shared out in proportion grants nothing before its period is closed: the office does that when the
// charges of the period are complete (`closePool`). Refunds of the period count until then.

/// What one rule with a pool that is shared out in proportion has not decided yet, by period.
struct PoolShares: Hashable, Sendable, Codable {
    struct Wanted: Hashable, Sendable, Codable {
        var claim: SubsidyClaim
        var year: Int
        var amount: Fen
    }

    private(set) var open: [Int: [Wanted]] = [:]
    /// What is left of the periods that were shared out.
    private(set) var left: [Int: Int128] = [:]

    func isClosed(_ period: Int) -> Bool { left[period] != nil }

    /// Takes what a claim is entitled to, and says what it gets now: nothing while the period is
    /// open; after it was shared out, what is left. What a refund gives back then is not what the
    /// claim was entitled to but what it had (`giveBack`).
    mutating func take(_ decision: GrantDecision, of claim: SubsidyClaim, period: Int) -> Fen {
        guard let rest = left[period] else {
            if decision.granted != .zero {
                open[period, default: []].append(
                    Wanted(claim: claim, year: decision.year, amount: decision.granted)
                )
            }
            return .zero
        }
        let granted = max(0, min(Int128(decision.granted.count), rest))
        left[period] = rest - granted
        return Fen(Int64(granted))
    }

    /// Takes back what a claim of a period that was shared out had of it.
    mutating func giveBack(_ amount: Fen, to period: Int) {
        precondition(isClosed(period), "period \(period) is open")
        left[period, default: 0] += Int128(amount.count)
    }

    /// Shares a period out; what each claim gets.
    mutating func close(
        _ period: Int,
        _ pool: SubsidyRule.Pool,
        beneficiary: (SubsidyClaim) -> String
    ) -> [(wanted: Wanted, granted: Fen)] {
        var budget = Int128(pool.amount.count)
        if pool.carriesOver, let last = left.keys.filter({ $0 < period }).max() {
            // Periods in between had no claim and hand on their whole budget.
            budget += budget * Int128(period - last - 1) + (left[last] ?? 0)
            left[last] = 0
        }
        let wanted = open.removeValue(forKey: period) ?? []
        let result = proRataShares(
            wanted.map { (beneficiary($0.claim), Int128($0.amount.count)) },
            budget: max(0, budget)
        )
        left[period] = budget - result.amounts.reduce(0, +)
        return zip(wanted, result.amounts).map { ($0, Fen(Int64($1))) }
    }

    /// The last period that was shared out.
    var lastClosed: Int? { left.keys.max() }
}

/// Why a pool cannot be shared out now.
public enum PoolRefusal: Error, Hashable, Sendable {
    /// The books have no such rule.
    case unknownRule(String)
    /// The rule's pool is not shared out in proportion.
    case notProRata(String)
    /// The text names no period of the pool.
    case unknownPeriod(String, example: String)
    /// The period is not over.
    case notOver(period: String)
    /// A later one was shared out before it.
    case laterClosed(period: String)
}

extension BillingBook {
    /// Shares the pool of a rule out over the claims of a period, and closes the period.
    ///
    /// - Parameter name: `2026`, `2026-Q2` or `total`.
    /// - Returns: the closing, then for each claim that gets something a grant, and what vouchers
    ///   have back of it; none when the period was closed before.
    public mutating func closePool(
        ofRule id: String,
        period name: String,
        at instant: SimInstant
    ) throws(PoolRefusal) -> [LedgerEntry] {
        guard let account = subsidies.first(where: { $0.rule.id == id }) else {
            throw .unknownRule(id)
        }
        guard let pool = account.rule.pool, pool.exhaustion == .proRata else {
            throw .notProRata(id)
        }
        let periodNow = account.poolPeriod(on: BillingDay(containing: instant))
        guard let period = pool.period(named: name) else {
            throw .unknownPeriod(name, example: pool.name(ofPeriod: periodNow))
        }
        guard pool.period == .total || period < periodNow else { throw .notOver(period: name) }
        let entryID = "closing/\(id)/\(name)"
        guard ledger.entry(entryID) == nil else { return [] }
        var shares = self.shares[id] ?? PoolShares()
        guard period > shares.lastClosed ?? .min else { throw .laterClosed(period: name) }
        var entries = [
            LedgerEntry(
                id: entryID,
                bookedAt: instant,
                subject: .poolClosing(rule: id, period: name),
                postings: []
            )
        ]
        for (wanted, granted) in shares.close(period, pool, beneficiary: account.beneficiary) {
            entries += lateGrantEntries(
                granted,
                rule: id,
                year: wanted.year,
                for: wanted.claim.refundOf ?? wanted.claim.id,
                id: "share/\(id)/\(wanted.claim.id)",
                at: instant
            )
        }
        self.shares[id] = shares
        for entry in entries { book(entry) }
        return entries
    }

    /// What rules with a waiting list grant now to claims that went short. Not booked yet.
    ///
    /// - Parameters:
    ///   - kind: which rules are asked: when a refund has come, or a claim of a new period.
    ///   - trigger: what tells these grants from others for the same claims.
    mutating func servedEntries(
        _ kind: SubsidyRule.Pool.Exhaustion,
        claim: SubsidyClaim,
        trigger: String,
        at instant: SimInstant
    ) -> [LedgerEntry] {
        var entries: [LedgerEntry] = []
        for index in subsidies.indices where subsidies[index].rule.pool?.exhaustion == kind {
            let rule = subsidies[index].rule.id
            let paying = kind == .nextPeriod ? claim : nil
            for served in subsidies[index].serveWaiting(fromPeriodOf: paying) {
                entries += lateGrantEntries(
                    served.amount,
                    rule: rule,
                    year: served.year,
                    for: served.claim,
                    id: "served/\(rule)/\(served.claim)/\(trigger)",
                    at: instant
                )
            }
        }
        return entries
    }

    /// A grant for a claim that was charged before, and what vouchers have back because they paid
    /// what this grant pays. Not booked yet.
    private mutating func lateGrantEntries(
        _ amount: Fen,
        rule: String,
        year: Int,
        for claim: String,
        id: String,
        at instant: SimInstant
    ) -> [LedgerEntry] {
        // A claim is called like its charge and the resource.
        let charge = String(claim[..<(claim.lastIndex(of: "/") ?? claim.endIndex)])
        guard let due = due(ofCharge: charge) else { return [] }
        let grant = grantEntry(
            amount,
            rule: rule,
            year: year,
            for: due,
            id: id,
            month: BillingMonth(containing: instant),
            at: instant
        )
        guard let grant else { return [] }
        return [grant] + refillEntries(of: due, after: grant, amount: amount, at: instant)
    }
}

extension Array<SubsidyRule> {
    /// The first rule whose pool is shared out in proportion and that is evaluated before one of
    /// another kind; nil when there is none. Live books cannot take such rules: what the first
    /// grants is known only when its period closes.
    public var proRataOutOfPlace: SubsidyRule? {
        let ordered = inEvaluationOrder
        guard let lastOther = ordered.lastIndex(where: { $0.pool?.exhaustion != .proRata }) else {
            return ordered.count > 1 ? ordered.first : nil
        }
        if let early = ordered[..<lastOther].first(where: { $0.pool?.exhaustion == .proRata }) {
            return early
        }
        return ordered.count - lastOther > 2 ? ordered[lastOther + 1] : nil
    }
}

extension SubsidyRule.Pool {
    /// The number of the period called `name`; nil for anything else.
    func period(named name: String) -> Int? {
        switch period {
        case .total: return name == "total" ? 0 : nil
        case .year: return decimal(name).flatMap { (1970...9999).contains($0) ? $0 : nil }
        case .quarter:
            let parts = name.split(separator: "-", omittingEmptySubsequences: false)
            guard parts.count == 2, let year = decimal(parts[0]), (1970...9999).contains(year),
                parts[1].hasPrefix("Q"), let quarter = decimal(parts[1].dropFirst()),
                (1...4).contains(quarter)
            else { return nil }
            return 4 * year + quarter - 1
        }
    }
}
