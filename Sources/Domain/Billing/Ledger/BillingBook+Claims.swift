import Quantities

// MARK: - Claims out of the books

extension BillingBook {
    /// The fees and refunds of the books as claims, in the order of the ledger: what an enterprise
    /// would hand in.
    ///
    /// - Parameters:
    ///   - enterprise: nil for all.
    ///   - year: the calendar year of the fee; nil for all. A refund goes with its fee.
    public func claims(of enterprise: String? = nil, year: Int? = nil) -> [SubsidyClaim] {
        var claims: [SubsidyClaim] = []
        for entry in ledger.entries {
            let made: [SubsidyClaim]
            let charge: String
            switch entry.subject {
            case .charge, .storage:
                charge = entry.id
                made = self.claims(ofCharge: charge)
            case .reversal(let id):
                charge = id
                made = refundClaims(ofCharge: id, day: BillingDay(containing: entry.bookedAt))
            case .grant, .payment, .hold, .release, .creditLimit, .voucher, .redemption,
                .poolClosing, .budget:
                continue
            }
            guard let day = due(ofCharge: charge)?.day else { continue }
            claims += made.filter { claim in
                enterprise ?? claim.enterprise == claim.enterprise
                    && year ?? day.civil.year == day.civil.year
            }
        }
        return claims
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
