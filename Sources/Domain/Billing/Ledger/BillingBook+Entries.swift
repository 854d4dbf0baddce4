import Quantities

// MARK: - Entries

extension BillingBook {
    func chargeEntry(_ part: ChargePart, at instant: SimInstant) -> LedgerEntry {
        LedgerEntry(
            id: part.entryID,
            bookedAt: instant,
            subject: .charge(part),
            postings: part.amount == .zero
                ? []
                : [
                    Posting(
                        debit: LedgerAccount(.receivable, part.account),
                        credit: LedgerAccount(.revenue, part.platform),
                        amount: part.amount
                    )
                ]
        )
    }

    func releaseEntry(of usage: JobUsage) -> LedgerEntry? {
        guard let hold = ledger.openHold(of: usage.id, attempt: usage.attempt) else { return nil }
        return LedgerEntry(
            id: "release/\(usage.id).\(usage.attempt)",
            bookedAt: usage.endedAt,
            subject: .release(job: usage.id, attempt: usage.attempt, account: usage.account),
            postings: hold.postings.map {
                Posting(debit: $0.credit, credit: $0.debit, amount: $0.amount)
            }
        )
    }

    /// The entry of a grant; nil when nothing is granted.
    ///
    /// - Parameter id: what tells it from other grants of the same charge.
    func grantEntry(
        _ amount: Fen,
        rule: String,
        year: Int,
        for due: Due,
        id: String,
        month: BillingMonth,
        at instant: SimInstant
    ) -> LedgerEntry? {
        guard amount != .zero else { return nil }
        let fund = LedgerAccount(.subsidyFund, rule)
        let customer = LedgerAccount(.receivable, due.account)
        let isWithdrawal = amount < .zero
        return LedgerEntry(
            id: id,
            bookedAt: instant,
            subject: .grant(
                Grant(
                    rule: rule,
                    enterprise: accounts[due.account]?.enterprise ?? due.account,
                    account: due.account,
                    platform: due.platform,
                    year: year,
                    month: month,
                    claim: due.claim,
                    amount: amount
                )
            ),
            postings: [
                Posting(
                    debit: isWithdrawal ? customer : fund,
                    credit: isWithdrawal ? fund : customer,
                    amount: isWithdrawal ? -amount : amount
                )
            ]
        )
    }

    /// What vouchers pay of `amount`, one entry each.
    mutating func redemptionEntries(
        of amount: Fen,
        for due: Due,
        at instant: SimInstant
    ) -> [LedgerEntry] {
        guard amount > .zero else { return [] }
        return vouchers.pay(amount, of: due).map { part in
            voucherEntry(part, id: "redemption/\(part.voucher)/\(due.claim)", for: due, at: instant)
        }
    }

    /// What vouchers have back of a charge after a grant that came later than they paid, one entry
    /// each.
    mutating func refillEntries(
        of due: Due,
        after grant: LedgerEntry,
        amount: Fen,
        at instant: SimInstant
    ) -> [LedgerEntry] {
        vouchers.giveBack(amount, of: due).map { part in
            voucherEntry(part, id: "refill/\(part.voucher)/\(grant.id)", for: due, at: instant)
        }
    }

    private func voucherEntry(
        _ part: VoucherBook.Part,
        id: String,
        for due: Due,
        at instant: SimInstant
    ) -> LedgerEntry {
        let fund = LedgerAccount(.voucherFund, part.voucher)
        let customer = LedgerAccount(.receivable, due.account)
        let isRefill = part.amount < .zero
        return LedgerEntry(
            id: id,
            bookedAt: instant,
            subject: .redemption(voucher: part.voucher, account: due.account, claim: due.claim),
            postings: [
                Posting(
                    debit: isRefill ? customer : fund,
                    credit: isRefill ? fund : customer,
                    amount: isRefill ? -part.amount : part.amount
                )
            ]
        )
    }
}

/// Something that a customer owes, for which subsidies and vouchers may come.
struct Due {
    var account: String
    /// The entry of the charge.
    var claim: String
    var platform: String
    var month: BillingMonth
    /// The last day of the usage.
    var day: BillingDay
    /// When the usage began.
    var start: SimInstant
    /// The first instant after it.
    var end: SimInstant
    var amount: Fen
}

extension ChargePart {
    /// The last day of the part. The end is the first instant after it; it may lie in the next
    /// month.
    var lastDay: BillingDay {
        BillingDay(containing: endedAt - SimDuration(microseconds: startedAt == nil ? 0 : 1))
    }
}
