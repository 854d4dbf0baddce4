public import Quantities

// MARK: - Claims out of the books

/// A claim as the centre took it, and what it was granted under each rule that is in force.
public struct BookedClaim: Hashable, Sendable {
    /// The claim, with its place in the books and with what it had of shared pools: evaluated alone
    /// it is granted the same.
    public var claim: SubsidyClaim
    /// What it was granted until now, by rule; negative for a refund that took something back.
    public var granted: [String: Fen]
}

extension BillingBook {
    /// The fees and refunds of the books as claims, in the order of the ledger: what an enterprise
    /// would hand in. O(entries): the rules are evaluated again.
    ///
    /// - Parameters:
    ///   - enterprise: nil for all.
    ///   - year: the calendar year of the fee; nil for all. A refund goes with its fee.
    public func bookedClaims(of enterprise: String? = nil, year: Int? = nil) -> [BookedClaim] {
        var history = ClaimHistory(rules)
        for entry in ledger.entries { history.take(entry, of: self) }
        let sharedOut = rules.filter { $0.pool?.exhaustion == .proRata }.map(\.id)
        return history.claims.compactMap { booked, feeYear in
            guard enterprise ?? booked.claim.enterprise == booked.claim.enterprise,
                year ?? feeYear == feeYear
            else { return nil }
            var booked = booked
            for rule in sharedOut {
                booked.claim.facts.poolShares[rule] = booked.granted[rule] ?? .zero
            }
            return booked
        }
    }

    /// The same claims without what they had of pools.
    public func claims(of enterprise: String? = nil, year: Int? = nil) -> [SubsidyClaim] {
        bookedClaims(of: enterprise, year: year).map { booked in
            var claim = booked.claim
            claim.facts.poolShares = [:]
            claim.facts.poolServices = []
            return claim
        }
    }

    /// What an enterprise was granted under a rule in a year of the rule, all its accounts together.
    public func granted(to enterprise: String, rule: String, year: Int) -> Int128 {
        ledger.entries.reduce(0) { sum, entry in
            guard case .grant(let grant) = entry.subject, grant.enterprise == enterprise,
                grant.rule == rule, grant.year == year
            else { return sum }
            return sum + Int128(grant.amount.count)
        }
    }

    /// What rules would grant for the fees of the books beyond what was granted: "the policy finds
    /// the enterprise".
    public func unclaimed(under rules: [SubsidyRule], year: Int? = nil) -> [Unclaimed] {
        let claims = self.claims()
        let evaluation = SubsidyEvaluation(rules: rules, claims: claims)
        return evaluation.beneficiaries.compactMap { row in
            guard year ?? row.year == row.year else { return nil }
            let granted = granted(to: row.beneficiary, rule: row.rule, year: row.year)
            guard row.granted > granted else { return nil }
            return Unclaimed(
                rule: row.rule,
                enterprise: row.beneficiary,
                year: row.year,
                fee: row.fee,
                entitled: row.granted,
                granted: granted
            )
        }
    }

    /// Money that an enterprise could have and has not.
    public struct Unclaimed: Hashable, Sendable {
        /// The rule.
        public var rule: String
        /// The enterprise.
        public var enterprise: String
        /// The year of the rule.
        public var year: Int
        /// Its eligible fees.
        public var fee: Int128
        /// What the rule gives for them.
        public var entitled: Int128
        /// What it was granted.
        public var granted: Int128
    }
}

/// The rules taken through the books once more, claim by claim. The ledger says what a charge was
/// granted; a charge of cores and cards makes two claims.
private struct ClaimHistory {
    private var subsidies: [SubsidyAccount]
    private var shares: [String: PoolShares] = [:]
    private(set) var claims: [(booked: BookedClaim, feeYear: Int)] = []
    private var positions: [String: Int] = [:]

    init(_ rules: [SubsidyRule]) {
        subsidies = rules.map { SubsidyAccount(rule: $0) }
    }

    mutating func take(_ entry: LedgerEntry, of book: BillingBook) {
        switch entry.subject {
        case .charge, .storage:
            let claims = book.claims(ofCharge: entry.id)
            if let first = claims.first { serveWaiting(.nextPeriod, claim: first) }
            decide(claims, of: entry.id, in: book)
        case .reversal(let id):
            let claims = book.refundClaims(
                ofCharge: id,
                day: BillingDay(containing: entry.bookedAt)
            )
            decide(claims, of: id, in: book)
            takeBackShares(claims, of: id, in: book)
            if let first = claims.first { serveWaiting(.waitlist, claim: first) }
        case .poolClosing(let rule, let period): close(rule, period)
        case .grant, .payment, .hold, .release, .creditLimit, .voucher, .redemption, .budget: break
        }
    }

    private mutating func decide(_ made: [SubsidyClaim], of charge: String, in book: BillingBook) {
        guard !made.isEmpty, let day = book.due(ofCharge: charge)?.day else { return }
        let decisions = BillingBook.decide(made, on: day, in: &subsidies, &shares)
        for (claim, decisions) in zip(made, decisions) {
            var claim = claim
            claim.booked = Int64(claims.count + 1)
            positions[claim.id] = claims.count
            for (account, decision) in zip(subsidies, decisions) where account.rule.pool != nil {
                claim.facts.poolShares[decision.rule] = decision.granted
            }
            claims.append((BookedClaim(claim: claim, granted: [:]), day.civil.year))
            for decision in decisions { add(decision.granted, decision.rule, to: claim.id) }
        }
    }

    private mutating func add(_ amount: Fen, _ rule: String, to claim: String) {
        guard amount != .zero, let position = positions[claim] else { return }
        claims[position].booked.granted[rule, default: .zero] += amount
    }

    private mutating func serveWaiting(_ kind: SubsidyRule.Pool.Exhaustion, claim: SubsidyClaim) {
        for index in subsidies.indices where subsidies[index].rule.pool?.exhaustion == kind {
            let paying = kind == .nextPeriod ? claim : nil
            for served in subsidies[index].serveWaiting(fromPeriodOf: paying) {
                let rule = subsidies[index].rule.id
                add(served.amount, rule, to: served.claim)
                guard let position = positions[served.claim] else { continue }
                claims[position].booked.claim.facts.poolServices.append(
                    PoolService(rule: rule, amount: served.amount, after: Int64(claims.count))
                )
            }
        }
    }

    /// Out of a pool that has been shared out comes back what a charge had of it.
    private mutating func takeBackShares(
        _ refunds: [SubsidyClaim],
        of charge: String,
        in book: BillingBook
    ) {
        guard let day = book.due(ofCharge: charge)?.day else { return }
        for account in subsidies where account.rule.clawback == .onRefund {
            let (rule, period) = (account.rule.id, account.poolPeriod(on: day))
            guard account.rule.pool?.exhaustion == .proRata, shares[rule]?.isClosed(period) == true
            else { continue }
            for refund in refunds {
                let granted = refund.refundOf.flatMap { positions[$0] }
                    .flatMap { claims[$0].booked.granted[rule] }
                guard let granted else { continue }
                shares[rule]?.giveBack(granted, to: period)
                add(.zero - granted, rule, to: refund.id)
            }
        }
    }

    private mutating func close(_ rule: String, _ name: String) {
        guard let account = subsidies.first(where: { $0.rule.id == rule }),
            let pool = account.rule.pool, let period = pool.period(named: name)
        else { return }
        var open = shares[rule] ?? PoolShares()
        for (wanted, granted) in open.close(period, pool, beneficiary: account.beneficiary) {
            add(granted, rule, to: wanted.claim.id)
        }
        shares[rule] = open
    }
}
