import JobModel
import Quantities

/// The books summed up by account and month, in one pass over the ledger.
///
/// One statement needs the sums of its own accounts only; all statements of a period are made from
/// the sums of all accounts.
public struct StatementSums {
    /// What statements are wanted to tell beyond what all of them do.
    public struct Detail: Hashable, Sendable {
        /// What else the costs are broken down by.
        public var grouping: StatementGrouping?
        /// Whether the charges are listed one by one.
        public var listsCharges: Bool

        /// Makes a choice.
        public init(grouping: StatementGrouping? = nil, listsCharges: Bool = false) {
            self.grouping = grouping
            self.listsCharges = listsCharges
        }
    }

    struct GrantKey: Hashable {
        var enterprise: String
        var rule: String
        var year: Int
    }

    struct GrantSum {
        var byMonth: [BillingMonth: Fen] = [:]
        var byAccount: [String: [BillingMonth: Fen]] = [:]
    }

    let detail: Detail
    private(set) var months: [String: [BillingMonth: AccountMonth]] = [:]
    private(set) var grants: [String: [GrantKey: GrantSum]] = [:]
    /// When the runs of an account began that have not ended.
    private(set) var openRuns: [String: [Run: SimInstant]] = [:]
    /// When runs began of which parts were seen, and which go on in the next month.
    private var starts: [Run: SimInstant] = [:]
    /// The accounts that are summed up, and the enterprise whose grants are; nil for all.
    private let accounts: Set<String>?
    private let powers: [String: PartitionPower]
    /// What runs that go on in the next month were said to take, until they report it.
    private var unreported: [Run: [(month: BillingMonth, nanojoules: Int128)]] = [:]
    private let enterprise: String?

    struct Run: Hashable {
        var job: JobID
        var attempt: Int32
    }

    /// Sums up a ledger.
    ///
    /// - Parameters:
    ///   - powers: what partitions draw.
    ///   - accounts: only these, and their grants and those of `enterprise`; nil for all.
    init(
        _ ledger: Ledger,
        powers: [String: PartitionPower],
        accounts: Set<String>? = nil,
        enterprise: String? = nil,
        detail: Detail = Detail()
    ) {
        self.accounts = accounts
        self.powers = powers
        self.enterprise = enterprise
        self.detail = detail
        for (position, entry) in ledger.entries.enumerated() { add(entry, position, ledger) }
    }

    /// The accounts with an entry, in the order of their names.
    public var accountNames: [String] { months.keys.sorted() }

    /// The first month in which anything was moved; nil when nothing ever was.
    public var firstMonth: BillingMonth? { months.values.compactMap { $0.keys.min() }.min() }

    private func isWanted(_ account: String) -> Bool { accounts?.contains(account) ?? true }

    private mutating func change(
        _ account: String,
        _ month: BillingMonth,
        _ body: (inout AccountMonth) -> Void
    ) {
        body(&months[account, default: [:]][month, default: AccountMonth()])
    }

    private mutating func add(_ entry: LedgerEntry, _ position: Int, _ ledger: Ledger) {
        switch entry.subject {
        case .charge(let part):
            if isWanted(part.account) { add(part, position) }
        case .storage(let charge):
            guard isWanted(charge.account) else { return }
            let isListed = detail.listsCharges
            change(charge.account, charge.day.billingMonth) { month in
                month.byteDays += Int128(charge.bytes)
                month.storageFee += charge.amount
                month.byPlatform[charge.platform, default: .init()].usage.fee += charge.amount
                month.grossByTariff[charge.tariff, default: .zero] += charge.amount
                if isListed { month.chargeEntries.append(position) }
            }
        case .grant(let grant): add(grant, grant.amount)
        case .payment(let account, _):
            guard isWanted(account) else { return }
            let booked = BillingMonth(containing: entry.bookedAt)
            change(account, booked) { $0.paid += entry.amount }
        case .redemption(_, let account, let claim):
            guard isWanted(account) else { return }
            // What a voucher has back counts, like the grant that brings it, when it was booked.
            let paid = entry.paidByVoucher
            let booked = BillingMonth(containing: entry.bookedAt)
            let month = paid < .zero ? booked : ledger.month(ofCharge: claim) ?? booked
            change(account, month) { $0.vouchersUsed += paid }
        case .reversal(let id): addReversal(entry, of: id, position, ledger)
        case .hold(let job, let attempt, let account):
            guard isWanted(account) else { return }
            openRuns[account, default: [:]][Run(job: job, attempt: attempt)] = entry.bookedAt
        case .release(let job, let attempt, let account):
            openRuns[account]?[Run(job: job, attempt: attempt)] = nil
        case .creditLimit, .voucher, .poolClosing, .budget: break
        }
    }

    private mutating func add(_ part: ChargePart, _ position: Int) {
        let (group, isListed) = (detail.grouping?.name(of: part), detail.listsCharges)
        change(part.account, part.month) { month in
            month.add(part, group: group)
            if isListed { month.chargeEntries.append(position) }
        }
        addMeasured(part)
        if !powers.isEmpty { addModelledEnergy(of: part) }
    }

    /// A run that reports its energy does so in its last part; then what its parts before it were said
    /// to take does not count.
    private mutating func addModelledEnergy(of part: ChargePart) {
        let run = Run(job: part.job, attempt: part.attempt)
        let earlier = unreported.removeValue(forKey: run) ?? []
        guard part.energy == nil else {
            for (month, energy) in earlier {
                change(part.account, month) { $0.work.modelledNanojoules -= energy }
            }
            return
        }
        let energy = powers[part.partition]?.nanojoules(of: part) ?? 0
        change(part.account, part.month) { $0.work.modelledNanojoules += energy }
        if part.endedAt == part.month.end { unreported[run] = earlier + [(part.month, energy)] }
    }

    private mutating func add(_ grant: Grant, _ amount: Fen) {
        if isWanted(grant.account) {
            change(grant.account, grant.month) { $0.granted += amount }
        } else if grant.enterprise != enterprise {
            return
        }
        let key = GrantKey(enterprise: grant.enterprise, rule: grant.rule, year: grant.year)
        var sum = grants[grant.enterprise, default: [:]].removeValue(forKey: key) ?? GrantSum()
        sum.byMonth[grant.month, default: .zero] += amount
        sum.byAccount[grant.account, default: [:]][grant.month, default: .zero] += amount
        grants[grant.enterprise, default: [:]][key] = sum
    }

    private mutating func addReversal(
        _ entry: LedgerEntry,
        of id: String,
        _ position: Int,
        _ ledger: Ledger
    ) {
        guard let original = ledger.entry(id), let account = original.account, isWanted(account)
        else { return }
        let booked = BillingMonth(containing: entry.bookedAt)
        switch original.subject {
        case .charge(let part):
            change(account, booked) { $0.addRefund(entry.amount, tariff: part.tariff) }
        case .storage(let charge):
            change(account, booked) { $0.addRefund(entry.amount, tariff: charge.tariff) }
        case .redemption: change(account, booked) { $0.vouchersUsed += entry.paidByVoucher }
        case .payment: change(account, booked) { $0.paid -= entry.amount }
        case .grant(var grant):
            grant.month = booked
            add(grant, .zero - grant.amount)
        case .hold, .release, .creditLimit, .voucher, .poolClosing, .budget, .reversal: return
        }
        guard detail.listsCharges, original.subject.isCharge else { return }
        change(account, booked) { $0.chargeEntries.append(position) }
    }

    /// A run's last part has what the whole run measured; each month gets the share of its time, so
    /// that work and fee of a month are those of the same hours and the months add up to the whole.
    private mutating func addMeasured(_ part: ChargePart) {
        let run = Run(job: part.job, attempt: part.attempt)
        let start = starts.removeValue(forKey: run) ?? part.startedAt
        guard part.verifiedFlop != nil || part.energy != nil else {
            if part.endedAt == part.month.end { starts[run] = start }
            return
        }
        guard let start, start < part.endedAt else {
            return change(part.account, part.month) { $0.work.add(part) { Int128($0) } }
        }
        let whole = Int128((part.endedAt - start).microseconds)
        for cut in monthCuts(from: start, to: part.endedAt) {
            func upTo(_ instant: SimInstant, of amount: Int64) -> Int128 {
                Int128(amount) * Int128((instant - start).microseconds) / whole
            }
            change(part.account, BillingMonth(containing: cut.start)) { month in
                month.work.add(part) { upTo(cut.end, of: $0) - upTo(cut.start, of: $0) }
            }
        }
    }
}

extension AccountMonth {
    fileprivate mutating func addRefund(_ amount: Fen, tariff: String) {
        refunded += amount
        grossByTariff[tariff, default: .zero] -= amount
        refundedByTariff[tariff, default: .zero] += amount
    }
}

extension LedgerEntry.Subject {
    /// Whether it charges a run or a day of storage.
    fileprivate var isCharge: Bool {
        switch self {
        case .charge, .storage: true
        default: false
        }
    }
}

extension LedgerEntry {
    /// What its postings move together.
    var amount: Fen { postings.reduce(into: .zero) { $0 += $1.amount } }

    /// What a redemption takes out of vouchers; below zero what it puts back.
    fileprivate var paidByVoucher: Fen {
        postings.reduce(into: .zero) { sum, posting in
            if posting.debit.kind == .voucherFund { sum += posting.amount }
            if posting.credit.kind == .voucherFund { sum -= posting.amount }
        }
    }
}

extension Ledger {
    /// The month of the usage that the entry called `id` charged.
    func month(ofCharge id: String) -> BillingMonth? {
        switch entry(id)?.subject {
        case .charge(let part): part.month
        case .storage(let charge): charge.day.billingMonth
        default: nil
        }
    }
}
