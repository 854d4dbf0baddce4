import JobModel
public import Quantities

/// The time that a statement is about, in Asia/Shanghai.
public enum BillingPeriod: Hashable, Sendable, CustomStringConvertible {
    /// Everything so far.
    case all
    /// A month.
    case month(BillingMonth)
    /// A calendar year.
    case year(Int)

    /// Reads `YYYY-MM` or `YYYY`; nil for anything else.
    public init?(_ text: some StringProtocol) {
        if let month = BillingMonth(text) {
            self = .month(month)
        } else if text.utf8.count == 4, let year = decimal(text), (1970...9999).contains(year) {
            self = .year(year)
        } else {
            return nil
        }
    }

    /// `2026-11`, `2026` or `all`.
    public var description: String {
        switch self {
        case .all: "all"
        case .month(let month): month.description
        case .year(let year): String(year)
        }
    }

    /// Whether a month belongs to it.
    public func contains(_ month: BillingMonth) -> Bool {
        switch self {
        case .all: true
        case .month(let own): own == month
        case .year(let year): month.year == year
        }
    }

    /// Whether a month lies in it or before it.
    func reaches(_ month: BillingMonth) -> Bool {
        switch self {
        case .all: true
        case .month(let own): month <= own
        case .year(let year): month.year <= year
        }
    }

    /// Its last day; nil for everything.
    var lastDay: BillingDay? {
        switch self {
        case .all: nil
        case .month(let month): BillingDay(number: BillingDay(containing: month.end).number - 1)
        case .year(let year): BillingDay(year: year, month: 12, day: 31)
        }
    }
}

/// Whose statement it is.
public enum StatementHolder: Hashable, Sendable {
    /// One account.
    case account(String)
    /// An enterprise with all its accounts.
    case enterprise(String)
}

/// What an account or enterprise owes for a month, a year or all time: gross fee, subsidy, net, and
/// what for.
public struct Statement: Hashable, Sendable {
    /// The account; for an enterprise its name and title.
    public var account: BillingAccount
    /// The accounts that are summed up, in order.
    public var accountNames: [String]
    /// The period of the usage.
    public var period: BillingPeriod
    /// The moment up to which it was made.
    public var asOf: SimInstant
    /// The tariff.
    public var tariff: String
    /// All runs together.
    public var total: Usage
    /// By platform, in the order of the names.
    public var byPlatform: [Group]
    /// By final state of the job, in the order of the names.
    public var byOutcome: [Group]
    /// The fee by resource; resources without use are left out.
    public var byResource: [Resource]
    /// By account, in the order of the names; for an enterprise.
    public var byAccount: [Group]
    /// Storage: TB-days and what they cost; nil when there was none.
    public var storage: Storage?
    /// Charges given back in the period.
    public var refunded: Fen
    /// One row for each rule and year in which the account's enterprise may have a grant.
    public var subsidies: [Subsidy]
    /// What was verified that the money bought. Of a run that crosses months each has the share of
    /// its time, as of the fee. Unit: flop.
    public var verifiedFlop: Int128
    /// The jobs that measured it.
    public var verifiedJobCount: Int
    /// What those jobs cost.
    public var verifiedFee: Fen
    /// The energy that jobs of the period report, shared out alike. Unit: mJ.
    public var energyMillijoules: Int128
    /// Whether any part of it is an estimate.
    public var isEnergyEstimated: Bool
    /// What the jobs cost that report energy.
    public var energyFee: Fen
    /// What vouchers paid for charges of the period.
    public var vouchersUsed: Fen
    /// The vouchers, with what is left of each.
    public var vouchers: [VoucherRow]
    /// What the account owes now, payments and everything else included.
    public var balance: Fen
    /// What running jobs have reserved now.
    public var held: Fen
    /// What the account may still reserve; nil when it has no limit.
    public var available: Fen?
    /// The tax rate inside all fees. Unit: ppm of the fee without it.
    public var vatPPM: Int64
    /// The tax inside the gross fee.
    public var vat: Fen

    /// The gross fee: charges less what was given back.
    public var gross: Fen { total.fee + (storage?.fee ?? .zero) - refunded }
    /// The gross fee without the tax inside it.
    public var grossWithoutVAT: Fen { gross - vat }
    /// What is to be paid in money.
    public var cash: Fen { net - vouchersUsed }
    /// The subsidy of the period.
    public var subsidy: Fen { subsidies.reduce(into: .zero) { $0 += $1.granted } }
    /// What remains to be paid.
    public var net: Fen { gross - subsidy }

    /// Jobs, what they held, and what it cost.
    public struct Usage: Hashable, Sendable {
        /// The jobs; one that was requeued or runs across months counts once.
        public var jobCount = 0
        /// Cores × time.
        public var coreTime = HeldTime.zero
        /// Cards × time.
        public var cardTime = HeldTime.zero
        /// Nodes × time.
        public var nodeTime = HeldTime.zero
        /// The fee.
        public var fee = Fen.zero
        /// Cores × time that was not charged.
        public var freeCoreTime = HeldTime.zero
    }

    /// One row of a breakdown.
    public struct Group: Hashable, Sendable {
        /// The platform or state.
        public var name: String
        /// Its name for people.
        public var title: String
        /// What it comes to.
        public var usage: Usage
    }

    /// What was kept, and what it cost.
    public struct Storage: Hashable, Sendable {
        /// Bytes × days.
        public var byteDays: Int128
        /// The fee.
        public var fee: Fen
    }

    /// One voucher.
    public struct VoucherRow: Hashable, Sendable {
        /// The voucher.
        public var voucher: Voucher
        /// What is left of it now.
        public var left: Fen
    }

    /// One row of the breakdown by resource.
    public struct Resource: Hashable, Sendable {
        /// The resource.
        public var resource: BilledResource
        /// How long it was held.
        public var held: HeldTime
        /// What it cost.
        public var fee: Fen
    }

    /// What one rule granted.
    public struct Subsidy: Hashable, Sendable {
        /// The rule.
        public var rule: String
        /// What it is, for people.
        public var title: String
        /// The year of the rule.
        public var year: Int
        /// Granted to this account in the period.
        public var granted: Fen
        /// The most that the enterprise may have in the year; nil for no bound.
        public var cap: Fen?
        /// What the enterprise, all its accounts, has had of the year up to the end of the period.
        public var used: Fen
        /// Whether the rule takes the tax off the fee first.
        public var isNetOfVAT: Bool

        /// What is left of the cap.
        public var left: Fen? { cap.map { max(.zero, $0 - used) } }
    }
}

extension BillingBook {
    /// The statement of an account or an enterprise.
    ///
    /// - Parameters:
    ///   - holder: whose.
    ///   - period: the time of the usage.
    ///   - asOf: now.
    /// - Returns: nil when neither the registry nor the books know the holder.
    public func statement(
        of holder: StatementHolder,
        period: BillingPeriod = .all,
        asOf: SimInstant
    ) -> Statement? {
        guard let (title, names) = self.names(of: holder) else { return nil }
        let members = Set(names)
        var tally = Tally()
        for entry in ledger.entries { tally.add(entry, members, period, ledger) }
        let receivables = names.map { ledger.balance(of: LedgerAccount(.receivable, $0)) }
        let holds = names.map { ledger.balance(of: LedgerAccount(.hold, $0)) }
        let gross = tally.total.usage.fee + tally.storageFee - tally.refunded
        return Statement(
            account: title,
            accountNames: names,
            period: period,
            asOf: asOf,
            tariff: tariff.id,
            total: tally.total.finished,
            byPlatform: tally.groups(tally.byPlatform) { self.title(ofPlatform: $0) },
            byOutcome: tally.groups(tally.byOutcome) { $0 },
            byResource: tally.resources,
            byAccount: tally.groups(tally.byAccount) { accounts[$0]?.title ?? "" },
            storage: tally.byteDays == 0
                ? nil : Statement.Storage(byteDays: tally.byteDays, fee: tally.storageFee),
            refunded: tally.refunded,
            subsidies: subsidyRows(
                of: title,
                members,
                period,
                asOf: asOf,
                hasUsage: tally.hasUsage
            ),
            verifiedFlop: tally.verifiedFlop,
            verifiedJobCount: tally.verifiedJobs.count,
            verifiedFee: tally.fee(of: tally.verifiedJobs),
            energyMillijoules: tally.energyMillijoules,
            isEnergyEstimated: tally.isEnergyEstimated,
            energyFee: tally.fee(of: tally.energyJobs),
            vouchersUsed: tally.vouchersUsed,
            vouchers: names.flatMap { vouchers(of: $0) }.map {
                Statement.VoucherRow(voucher: $0.voucher, left: $0.left)
            },
            balance: receivables.reduce(into: .zero) { $0 += $1 },
            held: holds.reduce(into: .zero) { $0 += $1 },
            available: names.count == 1
                ? fundsAvailable(to: names[0], on: BillingDay(containing: asOf)) : nil,
            vatPPM: tariff.vatPPM,
            vat: tariff.vat(in: gross)
        )
    }

    private func names(
        of holder: StatementHolder
    ) -> (title: BillingAccount, names: [String])? {
        switch holder {
        case .account(let name):
            let known = accounts[name]
            guard known != nil || ledger.entries.contains(where: { $0.account == name }) else {
                return nil
            }
            return (known ?? BillingAccount(name: name), [name])
        case .enterprise(let name):
            let members = accounts.values.filter { $0.enterprise == name }
                .sorted { $0.name < $1.name }
            guard let first = members.first else { return nil }
            var title = first
            title.name = name
            if members.count > 1 { title.title = "" }
            title.classes = Set(members.flatMap(\.classes)).sorted()
            return (title, members.map(\.name))
        }
    }

    private func subsidyRows(
        of account: BillingAccount,
        _ members: Set<String>,
        _ period: BillingPeriod,
        asOf: SimInstant,
        hasUsage: Bool
    ) -> [Statement.Subsidy] {
        guard let enterprise = account.enterprise else { return [] }
        let today = BillingDay(containing: asOf)
        var rows: [Statement.Subsidy] = []
        for subsidy in subsidies where subsidy.rule.mayGrant(to: account.classes) {
            let rule = subsidy.rule
            let currentYear = subsidy.year(of: enterprise, on: period.lastDay ?? today)
            var byYear: [Int: (granted: Fen, used: Fen)] = [:]
            // A cap of which nothing could be used says nothing about a year long past.
            if hasUsage || currentYear == subsidy.year(of: enterprise, on: today) {
                byYear[currentYear] = (.zero, .zero)
            }
            for case .grant(let grant) in ledger.entries.map(\.subject)
            where grant.rule == rule.id && grant.enterprise == enterprise {
                guard period.reaches(grant.month) else { continue }
                var sums = byYear[grant.year] ?? (.zero, .zero)
                sums.used += grant.amount
                if members.contains(grant.account), period.contains(grant.month) {
                    sums.granted += grant.amount
                }
                byYear[grant.year] = sums
            }
            for (year, sums) in byYear.sorted(by: { $0.key < $1.key })
            where period == .all || year == currentYear || sums.granted != .zero {
                rows.append(
                    Statement.Subsidy(
                        rule: rule.id,
                        title: rule.title,
                        year: year,
                        granted: sums.granted,
                        cap: standing(of: enterprise, rule: rule.id, year: year)?.cap
                            ?? rule.yearCap(ofClasses: account.classes),
                        used: sums.used,
                        isNetOfVAT: rule.basis.isNetOfVAT
                    )
                )
            }
        }
        return rows
    }
}

extension LedgerEntry {
    /// The account of the centre that the entry concerns; nil for a reversal, which names another.
    public var account: String? {
        switch subject {
        case .charge(let part): part.account
        case .grant(let grant): grant.account
        case .payment(let account, _), .hold(_, _, let account), .release(_, _, let account),
            .creditLimit(let account, _), .redemption(_, let account, _):
            account
        case .voucher(let voucher): voucher.account
        case .storage(let charge): charge.account
        case .reversal, .poolClosing: nil
        }
    }
}

/// Sums over charges.
private struct Tally {
    struct Sum {
        var usage = Statement.Usage()
        var jobs: Set<JobID> = []

        mutating func add(_ part: ChargePart) {
            jobs.insert(part.job)
            usage.coreTime += part.held(.coreHour)
            usage.cardTime += part.held(.cardHour)
            usage.nodeTime += part.held(.nodeHour)
            usage.fee += part.amount
            if !part.isCharged { usage.freeCoreTime += part.held(.coreHour) }
        }

        var finished: Statement.Usage {
            var usage = usage
            usage.jobCount = jobs.count
            return usage
        }
    }

    var total = Sum()
    var byPlatform: [String: Sum] = [:]
    var byOutcome: [String: Sum] = [:]
    var byResource: [BilledResource: Fen] = [:]
    var byAccount: [String: Sum] = [:]
    var byteDays: Int128 = 0
    var storageFee = Fen.zero
    var vouchersUsed = Fen.zero
    var refunded = Fen.zero
    var verifiedFlop: Int128 = 0
    var verifiedJobs: Set<JobID> = []
    var energyMillijoules: Int128 = 0
    var isEnergyEstimated = false
    var energyJobs: Set<JobID> = []
    /// What each job cost in the period; only added up over sets, in no order that matters.
    var feeByJob: [JobID: Fen] = [:]
    /// When runs began of which parts were seen, and which go on in the next month.
    private var starts: [Run: SimInstant] = [:]

    private struct Run: Hashable {
        var job: JobID
        var attempt: Int32
    }

    /// Whether anything ran or was stored.
    var hasUsage: Bool { !total.jobs.isEmpty || byteDays > 0 }

    /// Adds an entry if it belongs to one of `members` and to the period.
    mutating func add(
        _ entry: LedgerEntry,
        _ members: Set<String>,
        _ period: BillingPeriod,
        _ ledger: Ledger
    ) {
        switch entry.subject {
        case .charge(let part):
            guard members.contains(part.account) else { return }
            if period.contains(part.month) { add(part) }
            addMeasured(part, period)
        case .storage(let charge):
            guard members.contains(charge.account), period.contains(charge.day.billingMonth) else {
                return
            }
            byteDays += Int128(charge.bytes)
            storageFee += charge.amount
        case .redemption(_, let account, let claim):
            // What a voucher has back counts, like the grant that brings it, when it was booked.
            let paid = entry.paidByVoucher
            let month =
                paid < .zero
                ? BillingMonth(containing: entry.bookedAt) : ledger.month(ofCharge: claim)
            guard members.contains(account), let month, period.contains(month) else { return }
            vouchersUsed += paid
        case .reversal(let id):
            addReversal(entry, of: id, members, period, ledger)
        case .grant, .payment, .hold, .release, .creditLimit, .voucher, .poolClosing: break
        }
    }

    private mutating func addReversal(
        _ entry: LedgerEntry,
        of id: String,
        _ members: Set<String>,
        _ period: BillingPeriod,
        _ ledger: Ledger
    ) {
        guard let original = ledger.entry(id), let account = original.account,
            members.contains(account), period.contains(BillingMonth(containing: entry.bookedAt))
        else { return }
        switch original.subject {
        case .charge, .storage: refunded += entry.amount
        case .redemption: vouchersUsed += entry.paidByVoucher
        default: break
        }
    }

    mutating func add(_ part: ChargePart) {
        total.add(part)
        byAccount[part.account, default: Sum()].add(part)
        byPlatform[part.platform, default: Sum()].add(part)
        byOutcome[part.outcome.name, default: Sum()].add(part)
        for fee in part.fees { byResource[fee.resource, default: .zero] += fee.amount }
        for fee in part.fees { feeByJob[part.job, default: .zero] += fee.amount }
    }

    /// A run's last part has what the whole run measured; each month gets the share of its time, so
    /// that work and fee of a month are those of the same hours and the months add up to the whole.
    private mutating func addMeasured(_ part: ChargePart, _ period: BillingPeriod) {
        let run = Run(job: part.job, attempt: part.attempt)
        let start = starts.removeValue(forKey: run) ?? part.startedAt
        guard part.verifiedFlop != nil || part.energy != nil else {
            if part.endedAt == part.month.end { starts[run] = start }
            return
        }
        guard let start, start < part.endedAt else {
            if period.contains(part.month) { addMeasured(part) { Int128($0) } }
            return
        }
        let whole = Int128((part.endedAt - start).microseconds)
        for cut in monthCuts(from: start, to: part.endedAt)
        where period.contains(BillingMonth(containing: cut.start)) {
            addMeasured(part) { amount in
                func upTo(_ instant: SimInstant) -> Int128 {
                    Int128(amount) * Int128((instant - start).microseconds) / whole
                }
                return upTo(cut.end) - upTo(cut.start)
            }
        }
    }

    private mutating func addMeasured(_ part: ChargePart, share: (Int64) -> Int128) {
        if let flop = part.verifiedFlop {
            verifiedFlop += share(flop)
            verifiedJobs.insert(part.job)
        }
        if let energy = part.energy {
            energyMillijoules += share(energy.millijoules)
            isEnergyEstimated = isEnergyEstimated || energy.isEstimated
            energyJobs.insert(part.job)
        }
    }

    /// What some jobs cost in the period.
    func fee(of jobs: Set<JobID>) -> Fen {
        jobs.reduce(into: .zero) { $0 += feeByJob[$1] ?? .zero }
    }

    func groups(_ sums: [String: Sum], title: (String) -> String) -> [Statement.Group] {
        sums.sorted { $0.key < $1.key }.map { name, sum in
            Statement.Group(name: name, title: title(name), usage: sum.finished)
        }
    }

    var resources: [Statement.Resource] {
        BilledResource.allCases.compactMap { resource in
            let held =
                switch resource {
                case .coreHour: total.usage.coreTime
                case .cardHour: total.usage.cardTime
                case .nodeHour: total.usage.nodeTime
                }
            let fee = byResource[resource] ?? .zero
            guard fee != .zero || (held > .zero && resource != .nodeHour) else { return nil }
            return Statement.Resource(resource: resource, held: held, fee: fee)
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
