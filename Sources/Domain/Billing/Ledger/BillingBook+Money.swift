import JobModel
public import Quantities

// Holds, credit, vouchers, storage, and prices before the work.

extension BillingBook {
    /// What `account` may still reserve on a day: credit limit − owed − held + vouchers; nil when it
    /// has no limit.
    public func fundsAvailable(to account: String, on day: BillingDay) -> Fen? {
        ledger.fundsAvailable(to: account).map { $0 + vouchers.left(of: account, on: day) }
    }

    /// What must be available, vouchers valid at its start included, so that a run up to its limit leaves
    /// no debt: its fee, and what there is in vouchers that end too early to pay their part of it.
    public func fundsNeeded(for usage: JobUsage) -> Fen {
        let fee = gross(usage)
        guard let start = usage.startedAt, start < usage.endedAt else { return fee }
        let day = BillingDay(containing: start)
        let counted = vouchers.left(of: usage.account, on: day)
        guard counted > .zero else { return fee }
        var trial = vouchers
        let due = Due(
            account: usage.account,
            claim: "",
            platform: usage.platform,
            month: day.billingMonth,
            day: day,
            start: start,
            end: usage.endedAt,
            amount: fee
        )
        let paid = trial.pay(fee, of: due).reduce(into: Fen.zero) { $0 += $1.amount }
        return paid < min(counted, fee) ? fee + counted - paid : fee
    }

    /// The first instant after `instant` at which a voucher of an account with something left ends.
    public func nextVoucherEnd(of account: String, after instant: SimInstant) -> SimInstant? {
        vouchers.vouchers(of: account).filter { $0.left > .zero }
            .compactMap { $0.voucher.until?.start }.filter { $0 > instant }.min()
    }

    /// The vouchers of an account with what is left of each, in the order of their use.
    public func vouchers(of account: String) -> [(voucher: Voucher, left: Fen)] {
        vouchers.vouchers(of: account)
    }

    /// Reserves the fee of a run that is starting, as if it held everything up to its limit.
    ///
    /// The scheduler has let it start because there was enough money for the fee as it was when the
    /// job came. If prices have risen meanwhile, no more is held than there is.
    ///
    /// - Returns: the entry; none when it was booked before.
    public mutating func hold(
        for usage: JobUsage,
        at instant: SimInstant
    ) -> [LedgerEntry] {
        guard !isSettled(usage.id, attempt: usage.attempt),
            ledger.openHold(of: usage.id, attempt: usage.attempt) == nil
        else { return [] }
        var fee = gross(usage)
        let day = BillingDay(containing: instant)
        if let available = fundsAvailable(to: usage.account, on: day) {
            fee = max(.zero, min(fee, available))
        }
        let entry = LedgerEntry(
            id: LedgerEntry.holdID(of: usage.id, attempt: usage.attempt),
            bookedAt: instant,
            subject: .hold(job: usage.id, attempt: usage.attempt, account: usage.account),
            postings: fee == .zero
                ? []
                : [
                    Posting(
                        debit: LedgerAccount(.hold, usage.account),
                        credit: LedgerAccount(.holdControl),
                        amount: fee
                    )
                ]
        )
        book(entry)
        return [entry]
    }

    /// Says how far an account may go into debt, holds included.
    ///
    /// - Parameter reference: what makes the entry unique.
    public mutating func setCreditLimit(
        _ limit: Fen?,
        of account: String,
        reference: String,
        at instant: SimInstant
    ) throws(LedgerRefusal) -> [LedgerEntry] {
        let entry = LedgerEntry(
            id: "credit-limit/\(reference)",
            bookedAt: instant,
            subject: .creditLimit(account: account, limit),
            postings: []
        )
        return try post(entry)
    }

    /// Gives a customer a voucher.
    public mutating func issue(
        _ voucher: Voucher,
        at instant: SimInstant
    ) throws(LedgerRefusal) -> [LedgerEntry] {
        guard voucher.face > .zero, voucher.face <= .maximum else {
            throw .amountOutOfRange(voucher.face)
        }
        let id = "voucher/\(voucher.id)"
        guard vouchers.left(of: voucher.account) + voucher.face <= .sumMaximum else {
            throw .sumOutOfRange(LedgerAccount(.voucherFund, voucher.id))
        }
        if let known = ledger.entry(id) {
            // Handed in again at another time: the same voucher all the same.
            guard known.subject == .voucher(voucher) else { throw .idTaken(id) }
            return []
        }
        let entry = LedgerEntry(
            id: id,
            bookedAt: instant,
            subject: .voucher(voucher),
            postings: []
        )
        let entries = try post(entry)
        vouchers.add(voucher)
        return entries
    }

    /// Charges a day of storage. The same day again changes nothing; with other bytes it is refused.
    /// A day that was given back is charged anew.
    public mutating func settle(
        _ usage: StorageUsage,
        at instant: SimInstant
    ) throws(LedgerRefusal) -> [LedgerEntry] {
        var charge = tariff.charge(for: usage)
        while ledger.entry("reversal/\(charge.entryID)") != nil { charge.revision += 1 }
        if let known = ledger.entry(charge.entryID) {
            guard case .storage(let booked) = known.subject, booked.bytes == usage.bytes else {
                throw .idTaken(charge.entryID)
            }
            return []
        }
        let due = Due(
            account: charge.account,
            claim: charge.entryID,
            platform: charge.platform,
            month: charge.day.billingMonth,
            day: charge.day,
            start: charge.day.start,
            end: BillingDay(number: charge.day.number + 1).start,
            amount: charge.amount
        )
        var entries = [
            LedgerEntry(
                id: charge.entryID,
                bookedAt: instant,
                subject: .storage(charge),
                postings: charge.amount == .zero
                    ? []
                    : [
                        Posting(
                            debit: LedgerAccount(.receivable, charge.account),
                            credit: LedgerAccount(.revenue, charge.platform),
                            amount: charge.amount
                        )
                    ]
            )
        ]
        entries += settle(
            due,
            claims(of: charge, by: accounts[charge.account], vatPPM: tariff.vatPPM),
            at: instant
        )
        for entry in entries { book(entry) }
        if let priced = tariff.pricedQuantity(of: usage) {
            let place = PricedQuantities.Place(account: charge.account, month: due.month)
            quantities.add(priced.quantity, of: priced.item, to: place)
        }
        return entries
    }
}

// MARK: - Prices before the work

/// A price before the work.
public struct Quote: Hashable, Sendable {
    /// The fee by tariff.
    public var gross = Fen.zero
    /// One row for each rule that has the account among its beneficiaries, and year.
    public var grants: [ExpectedGrant] = []

    /// The subsidy expected.
    public var subsidy: Fen { grants.reduce(into: .zero) { $0 += $1.amount } }
    /// What remains to be paid.
    public var net: Fen { gross - subsidy }

    /// What one rule is expected to grant.
    public struct ExpectedGrant: Hashable, Sendable {
        /// The rule.
        public var rule: String
        /// The year of the rule.
        public var year: Int
        /// The amount; zero where the pool is shared out only at the end of its period.
        public var amount: Fen
        /// The cap of the enterprise in that year; nil for none.
        public var cap: Fen?
        /// What was granted in that year before.
        public var used: Fen

        /// What is left of the cap before this job.
        public var left: Fen? { cap.map { max(.zero, $0 - used) } }
    }
}

extension BillingBook {
    /// The fee of `usage` if it were settled now.
    public func gross(_ usage: JobUsage) -> Fen {
        var volumes = volumes
        let classes = accounts[usage.account]?.classes ?? []
        return tariff.charge(for: usage, classes: classes, volumes: &volumes)
            .reduce(into: .zero) { $0 += $1.amount }
    }

    /// What `usage` would cost now, and what it would be granted.
    ///
    /// - Parameter count: how often, one after the other, as the elements of a job array; from 1.
    public func quote(_ usage: JobUsage, elements count: Int = 1) -> Quote {
        quote([usage], elements: count)
    }

    /// The same of several runs together, as the components of a heterogeneous job.
    public func quote(_ usages: [JobUsage], elements count: Int = 1) -> Quote {
        var volumes = volumes
        var subsidies = self.subsidies.map(\.withoutHistory)
        var shares = self.shares
        var quote = Quote()
        for var usage in usages {
            for _ in 0..<count {
                add(usage, to: &quote, &volumes, &subsidies, &shares)
                usage.id = JobID(usage.id.number &+ 1)
            }
        }
        return quote
    }

    private func add(
        _ usage: JobUsage,
        to quote: inout Quote,
        _ volumes: inout VolumeCounter,
        _ subsidies: inout [SubsidyAccount],
        _ shares: inout [String: PoolShares]
    ) {
        let account = accounts[usage.account]
        for part in tariff.charge(for: usage, classes: account?.classes ?? [], volumes: &volumes) {
            quote.gross += part.amount
            for subsidy in subsidies {
                if let row = expectedGrant(subsidy, account, on: part.lastDay) { quote.add(row) }
            }
            let claims = claims(of: part, by: account, vatPPM: tariff.vatPPM)
            let totals = Self.evaluate(claims, on: part.lastDay, in: &subsidies, &shares)
            for total in totals where total.amount != .zero { quote.add(total) }
        }
    }

    /// The row of a rule for the year of a fee, with no grant yet; nil when it has no grant for the
    /// account.
    private func expectedGrant(
        _ subsidy: SubsidyAccount,
        _ account: BillingAccount?,
        on day: BillingDay
    ) -> Quote.ExpectedGrant? {
        let rule = subsidy.rule
        guard let account, let enterprise = account.enterprise, rule.mayGrant(to: account.classes)
        else { return nil }
        let year = subsidy.year(of: enterprise, on: day)
        let standing = standing(of: enterprise, rule: rule.id, year: year)
        return Quote.ExpectedGrant(
            rule: rule.id,
            year: year,
            amount: .zero,
            cap: standing?.cap ?? rule.yearCap(ofClasses: account.classes),
            used: standing?.granted ?? .zero
        )
    }
}

extension Quote {
    fileprivate mutating func add(_ row: ExpectedGrant) {
        let isKnown = grants.contains { ($0.rule, $0.year) == (row.rule, row.year) }
        if !isKnown { grants.append(row) }
    }

    fileprivate mutating func add(_ total: BillingBook.RuleTotal) {
        let place = grants.firstIndex { ($0.rule, $0.year) == (total.rule, total.year) }
        guard let place else {
            preconditionFailure("rule \(total.rule) grants in \(total.year), of which no row tells")
        }
        grants[place].amount += total.amount
    }
}
