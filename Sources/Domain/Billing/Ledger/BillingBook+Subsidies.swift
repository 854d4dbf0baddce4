import ClusterModel
public import Quantities

// What rules grant for the charges of the books, and what they take back with a refund.

extension BillingBook {
    /// What one rule says to all claims of one charge.
    struct RuleTotal {
        var rule: String
        var year: Int
        var amount: Fen
    }

    /// The grants for a charge, then what vouchers pay of the rest. Not booked yet.
    mutating func settle(
        _ due: Due,
        _ claims: [SubsidyClaim],
        at instant: SimInstant
    ) -> [LedgerEntry] {
        var entries: [LedgerEntry] = []
        if let first = claims.first {
            entries += servedEntries(.nextPeriod, claim: first, trigger: due.claim, at: instant)
        }
        var open = due.amount
        for total in Self.evaluate(claims, on: due.day, in: &subsidies, &shares) {
            open -= total.amount
            let id = "grant/\(total.rule)/\(due.claim)"
            let entry = grantEntry(
                total.amount,
                rule: total.rule,
                year: total.year,
                for: due,
                id: id,
                month: due.month,
                at: instant
            )
            if let entry { entries.append(entry) }
        }
        return entries + redemptionEntries(of: open, for: due, at: instant)
    }

    /// The claims that a charge makes: one for each resource with a fee.
    ///
    /// - Parameter vatPPM: the tax inside the fee.
    func claims(
        of part: ChargePart,
        by account: BillingAccount?,
        vatPPM: Int64
    ) -> [SubsidyClaim] {
        part.fees.compactMap { fee in
            claim(
                id: "\(part.entryID)/\(fee.resource.name)",
                day: part.lastDay,
                account: account,
                platform: part.platform,
                resource: fee.resource.name,
                fee: fee.amount,
                vatPPM: vatPPM
            )
        }
    }

    /// The claim that a day of storage makes, if it costs anything.
    func claims(
        of charge: StorageCharge,
        by account: BillingAccount?,
        vatPPM: Int64
    ) -> [SubsidyClaim] {
        guard charge.amount > .zero else { return [] }
        let claim = claim(
            id: "\(charge.entryID)/storage",
            day: charge.day,
            account: account,
            platform: charge.platform,
            resource: "storage",
            fee: charge.amount,
            vatPPM: vatPPM
        )
        return claim.map { [$0] } ?? []
    }

    private func claim(
        id: String,
        day: BillingDay,
        account: BillingAccount?,
        platform: String,
        resource: String,
        fee: Fen,
        vatPPM: Int64
    ) -> SubsidyClaim? {
        guard let account, let enterprise = account.enterprise else { return nil }
        var claim = SubsidyClaim(
            id: id,
            date: day,
            enterprise: enterprise,
            classes: account.classes,
            platform: platform,
            isOnKeyPlatform: platforms[platform]?.isKey ?? false,
            resource: resource,
            fee: fee
        )
        claim.facts.registeredIn = account.registeredIn
        claim.facts.vat = vatInside(fee, ppm: vatPPM)
        claim.facts.provider = provider
        return claim
    }

    /// Takes claims of one charge through all rules; one total a rule.
    ///
    /// - Parameter day: the day of the fee, which a refund has in common with it.
    static func evaluate(
        _ claims: [SubsidyClaim],
        on day: BillingDay,
        in subsidies: inout [SubsidyAccount],
        _ shares: inout [String: PoolShares]
    ) -> [RuleTotal] {
        guard let first = claims.first else { return [] }
        var totals = subsidies.map { account in
            RuleTotal(rule: account.rule.id, year: first.date.civil.year, amount: .zero)
        }
        for decisions in decide(claims, on: day, in: &subsidies, &shares) {
            for (index, decision) in decisions.enumerated() {
                totals[index].amount += decision.granted
                totals[index].year = decision.year
            }
        }
        return totals
    }

    /// What all rules say to claims of one charge: for each claim a decision a rule.
    static func decide(
        _ claims: [SubsidyClaim],
        on day: BillingDay,
        in subsidies: inout [SubsidyAccount],
        _ shares: inout [String: PoolShares]
    ) -> [[GrantDecision]] {
        var all: [[GrantDecision]] = []
        for claim in claims {
            var byOthers = Fen.zero
            var levels: [SubsidyRule.Level] = []
            var decisions: [GrantDecision] = []
            for index in subsidies.indices {
                var decision = subsidies[index].take(
                    claim,
                    grantedByOthers: byOthers,
                    otherLevels: levels
                )
                let rule = subsidies[index].rule
                if rule.pool?.exhaustion == .proRata {
                    let period = subsidies[index].poolPeriod(on: day)
                    decision.granted = shares[rule.id, default: PoolShares()]
                        .take(decision, of: claim, period: period)
                }
                byOthers += decision.granted
                if decision.granted > .zero { levels.append(rule.authority.level) }
                decisions.append(decision)
            }
            all.append(decisions)
        }
        return all
    }

    /// How much of a rule's yearly cap an enterprise has used: cap, and granted in the year.
    public func standing(
        of enterprise: String,
        rule id: String,
        year: Int
    ) -> (cap: Fen?, granted: Fen)? {
        subsidies.first { $0.rule.id == id }?.standing(of: enterprise, year: year)
    }
}

// MARK: - Refunds

extension BillingBook {
    /// Gives a charge back as a whole: undoes it, withdraws what it was granted, and fills up the
    /// vouchers that paid for it.
    ///
    /// - Parameter id: the entry of the charge, `charge/JOB.ATTEMPT/YYYY-MM` or `storage/…`.
    /// - Returns: the new entries; none when it was given back before.
    public mutating func refund(
        _ id: String,
        at instant: SimInstant
    ) throws(LedgerRefusal) -> [LedgerEntry] {
        let reversal = try ledger.reversal(of: id, at: instant)
        guard ledger.entry(reversal.id) == nil else { return [] }
        guard let place = ledger.found(id)?.place, let due = due(ofCharge: id) else {
            throw .nothingToReverse(id)
        }
        let claims = refundClaims(ofCharge: id, day: BillingDay(containing: instant))
        var entries = [reversal] + withdrawals(claims, for: due, at: instant)
        if vouchers.havePaid(for: id) {
            // What vouchers paid for a charge, and had back of it, was booked after it.
            for entry in IteratorSequence(ledger.entries.iterator(from: place)) {
                guard case .redemption(_, _, id) = entry.subject else { continue }
                entries.append(try ledger.reversal(of: entry.id, at: instant))
            }
        }
        vouchers.giveBackAll(of: due)
        if let first = claims.first {
            entries += servedEntries(.waitlist, claim: first, trigger: reversal.id, at: instant)
        }
        for entry in entries { book(entry) }
        return entries
    }

    /// What the entry called `id` charged; nil when it charged nothing.
    func due(ofCharge id: String) -> Due? {
        switch ledger.entry(id)?.subject {
        case .charge(let part):
            Due(
                account: part.account,
                claim: id,
                platform: part.platform,
                month: part.month,
                day: part.lastDay,
                start: part.startedAt ?? part.endedAt,
                end: part.endedAt,
                amount: part.amount
            )
        case .storage(let charge):
            Due(
                account: charge.account,
                claim: id,
                platform: charge.platform,
                month: charge.day.billingMonth,
                day: charge.day,
                start: charge.day.start,
                end: BillingDay(number: charge.day.number + 1).start,
                amount: charge.amount
            )
        default: nil
        }
    }

    /// The claims that the charge called `id` made, by what its account was then.
    func claims(ofCharge id: String) -> [SubsidyClaim] {
        guard let (position, entry) = ledger.found(id) else { return [] }
        let vatPPM = vatPPM(atEntry: position)
        return switch entry.subject {
        case .charge(let part):
            claims(of: part, by: account(part.account, atEntry: position), vatPPM: vatPPM)
        case .storage(let charge):
            claims(of: charge, by: account(charge.account, atEntry: position), vatPPM: vatPPM)
        default: []
        }
    }

    /// The claims that giving a charge back makes.
    func refundClaims(ofCharge id: String, day: BillingDay) -> [SubsidyClaim] {
        claims(ofCharge: id).map { claim in
            var refund = claim
            refund.id = "refund/\(claim.id)"
            refund.refundOf = claim.id
            refund.date = max(day, claim.date)
            refund.fee = -claim.fee
            return refund
        }
    }

    private mutating func withdrawals(
        _ claims: [SubsidyClaim],
        for due: Due,
        at instant: SimInstant
    ) -> [LedgerEntry] {
        var totals = Self.evaluate(claims, on: due.day, in: &subsidies, &shares)
        for (index, account) in subsidies.enumerated() where index < totals.count {
            // Out of a pool that has been shared out comes back what the charge had of it.
            let (rule, period) = (account.rule, account.poolPeriod(on: due.day))
            guard rule.pool?.exhaustion == .proRata, rule.clawback == .onRefund,
                shares[rule.id]?.isClosed(period) == true
            else { continue }
            let granted = granted(rule: rule.id, charge: due.claim)
            shares[rule.id]?.giveBack(granted, to: period)
            totals[index].amount = -granted
        }
        return totals.compactMap { total in
            grantEntry(
                total.amount,
                rule: total.rule,
                year: total.year,
                for: due,
                id: "withdrawal/\(total.rule)/\(due.claim)",
                month: BillingMonth(containing: instant),
                at: instant
            )
        }
    }

    private func granted(rule: String, charge: String) -> Fen {
        guard let place = ledger.found(charge)?.place else { return .zero }
        var sum = Fen.zero
        // What is granted for a charge is booked after it.
        for entry in IteratorSequence(ledger.entries.iterator(from: place)) {
            guard case .grant(let grant) = entry.subject, grant.rule == rule,
                grant.claim == charge
            else { continue }
            sum += grant.amount
        }
        return sum
    }
}
