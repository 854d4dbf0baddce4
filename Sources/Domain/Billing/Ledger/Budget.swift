public import Quantities

/// How much an account means to spend in a stretch of time. It warns and stops nothing: what stops
/// is a credit limit.
public struct Budget: Hashable, Sendable, Codable {
    /// How long the money is meant to last.
    public enum Span: String, Hashable, Sendable, CaseIterable, Codable {
        /// A calendar month of Asia/Shanghai.
        case month
        /// Three of them, from January, April, July or October.
        case quarter
        /// A calendar year.
        case year
        /// All time.
        case total
    }

    /// The amount, above zero. What counts against it is the net fee: charges less refunds and
    /// subsidies, by the month in which a statement has them.
    public var amount: Fen
    /// How long it is meant to last.
    public var span: Span
    /// From which share of it on an alarm is given. Unit: percent, 1…100.
    public var warnPercent: Int64

    /// Makes a budget.
    public init(amount: Fen, span: Span, warnPercent: Int64 = 80) {
        self.amount = amount
        self.span = span
        self.warnPercent = warnPercent
    }
}

/// How a budget stands.
public struct BudgetStanding: Hashable, Sendable, Codable {
    /// How far it is used up.
    public enum Alarm: Int, Hashable, Sendable, Comparable, CaseIterable, Codable {
        /// Less than the share from which on it warns.
        case ok
        /// At least that share.
        case warning
        /// All of it, or more.
        case exhausted

        /// The word in reports.
        public var name: String {
            switch self {
            case .ok: "ok"
            case .warning: "warning"
            case .exhausted: "exhausted"
            }
        }

        /// Whether `left` is less serious.
        public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
    }

    /// The budget.
    public var budget: Budget
    /// Its current stretch, `2026-11`, `2026-Q4`, `2026` or `total`.
    public var span: String
    /// What was spent in it.
    public var spent: Fen
    /// How far it is used up.
    public var alarm: Alarm
    /// The day on which it ends if money goes on to be spent as fast as since the stretch began; nil
    /// when it lasts, when nothing was spent, and when it has ended.
    public var endsOn: BillingDay?

    /// What is left; below zero what was spent beyond it.
    public var left: Fen { budget.amount - spent }
}

extension BillingBook {
    /// Sets what an account means to spend; nil for no budget. Known again by its contents.
    ///
    /// - Parameter reference: what makes the entry unique.
    public mutating func setBudget(
        _ budget: Budget?,
        of account: String,
        reference: String,
        at instant: SimInstant
    ) throws(LedgerRefusal) -> [LedgerEntry] {
        guard budgets[account] != budget else { return [] }
        let entry = LedgerEntry(
            id: "budget/\(reference)",
            bookedAt: instant,
            subject: .budget(account: account, budget),
            postings: []
        )
        let entries = try post(entry)
        budgets[account] = budget
        return entries
    }

    /// How the budget of an account stands; nil when it has none.
    public func budgetStanding(of account: String, at now: SimInstant) -> BudgetStanding? {
        guard let budget = budgets[account] else { return nil }
        let months = spending[account] ?? [:]
        let span = budget.span.months(around: BillingMonth(containing: now))
        let spent = months.reduce(into: Fen.zero) {
            if span?.contains($1.key) ?? true { $0 += $1.value }
        }
        var alarm = BudgetStanding.Alarm.ok
        let share = Int128(spent.count) * 100
        if share >= Int128(budget.amount.count) * Int128(budget.warnPercent) { alarm = .warning }
        if spent >= budget.amount { alarm = .exhausted }
        let start = span?.lowerBound.start ?? months.keys.min()?.start
        return BudgetStanding(
            budget: budget,
            span: budget.span.name(around: BillingMonth(containing: now)),
            spent: spent,
            alarm: alarm,
            endsOn: start.flatMap {
                Self.end(of: budget.amount, spent, from: $0, now, before: span?.upperBound.end)
            }
        )
    }

    private static func end(
        of amount: Fen,
        _ spent: Fen,
        from start: SimInstant,
        _ now: SimInstant,
        before limit: SimInstant?
    ) -> BillingDay? {
        guard spent > .zero, spent < amount, start < now else { return nil }
        let elapsed = Int128((now - start).microseconds)
        let whole = elapsed * Int128(amount.count) / Int128(spent.count)
        // Beyond a hundred years nobody plans.
        guard whole < 3_155_760_000_000_000 else { return nil }
        let end = start + SimDuration(microseconds: Int64(whole))
        guard limit.map({ end < $0 }) ?? true else { return nil }
        return BillingDay(containing: end)
    }

    /// Counts what an entry moves against budgets, in the month in which a statement has it.
    mutating func countSpending(_ entry: LedgerEntry) {
        func spend(_ account: String, _ month: BillingMonth, _ amount: Fen) {
            spending[account, default: [:]][month, default: .zero] += amount
        }
        switch entry.subject {
        case .charge(let part): spend(part.account, part.month, part.amount)
        case .storage(let day): spend(day.account, day.day.billingMonth, day.amount)
        case .grant(let grant): spend(grant.account, grant.month, .zero - grant.amount)
        case .reversal(let id):
            let month = BillingMonth(containing: entry.bookedAt)
            switch ledger.entry(id)?.subject {
            case .charge(let part): spend(part.account, month, .zero - part.amount)
            case .storage(let day): spend(day.account, month, .zero - day.amount)
            default: break
            }
        case .payment, .hold, .release, .creditLimit, .voucher, .redemption, .poolClosing, .budget:
            break
        }
    }
}

extension Budget.Span {
    /// The months of the stretch in which `month` lies; nil for all time.
    fileprivate func months(around month: BillingMonth) -> ClosedRange<BillingMonth>? {
        let year = month.year
        switch self {
        case .month: return month...month
        case .quarter:
            let first = (month.month - 1) / 3 * 3 + 1
            return BillingMonth(
                year: year,
                month: first
            )...BillingMonth(year: year, month: first + 2)
        case .year:
            return BillingMonth(year: year, month: 1)...BillingMonth(year: year, month: 12)
        case .total: return nil
        }
    }

    fileprivate func name(around month: BillingMonth) -> String {
        switch self {
        case .month: month.description
        case .quarter: "\(month.year)-Q\((month.month - 1) / 3 + 1)"
        case .year: String(month.year)
        case .total: "total"
        }
    }
}
