import JobModel
public import Quantities

/// What an account owes for a month, or for all time: gross fee, subsidy, net, and what for.
public struct Statement: Hashable, Sendable {
    /// The account.
    public var account: BillingAccount
    /// The month; nil for everything so far.
    public var month: BillingMonth?
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
    /// Charges given back in the period.
    public var refunded: Fen
    /// One row for each rule and year in which the account's enterprise may have a grant.
    public var subsidies: [Subsidy]
    /// What was verified that the money bought. Unit: flop.
    public var verifiedFlop: Int128
    /// The jobs that measured it.
    public var verifiedJobCount: Int
    /// What the account owes now, payments and everything else included.
    public var balance: Fen

    /// The gross fee: charges less what was given back.
    public var gross: Fen { total.fee - refunded }
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

        /// What is left of the cap.
        public var left: Fen? { cap.map { max(.zero, $0 - used) } }
    }
}

extension BillingBook {
    /// The statement of an account.
    ///
    /// - Parameters:
    ///   - name: the account.
    ///   - month: the month of the usage; nil for everything so far.
    ///   - asOf: now.
    /// - Returns: nil when neither the registry nor the books know the account.
    public func statement(
        account name: String,
        month: BillingMonth? = nil,
        asOf: SimInstant
    ) -> Statement? {
        let known = accounts[name]
        let isInBooks = ledger.entries.contains { $0.account == name }
        guard known != nil || isInBooks else { return nil }
        let account = known ?? BillingAccount(name: name)
        var tally = Tally()
        for entry in ledger.entries {
            switch entry.subject {
            case .charge(let part) where part.account == name && month ?? part.month == part.month:
                tally.add(part)
            case .reversal(let id):
                let booked = BillingMonth(containing: entry.bookedAt)
                if case .charge(let part)? = ledger.entry(id)?.subject, part.account == name,
                    month ?? booked == booked
                {
                    tally.refunded += part.amount
                }
            default: break
            }
        }
        return Statement(
            account: account,
            month: month,
            asOf: asOf,
            tariff: tariff.id,
            total: tally.total.finished,
            byPlatform: tally.groups(tally.byPlatform) { title(ofPlatform: $0) },
            byOutcome: tally.groups(tally.byOutcome) { $0 },
            byResource: tally.resources,
            refunded: tally.refunded,
            subsidies: subsidyRows(of: account, month: month, asOf: asOf),
            verifiedFlop: tally.verifiedFlop,
            verifiedJobCount: tally.verifiedJobs.count,
            balance: ledger.balance(of: LedgerAccount(.receivable, name))
        )
    }

    private func subsidyRows(
        of account: BillingAccount,
        month: BillingMonth?,
        asOf: SimInstant
    ) -> [Statement.Subsidy] {
        guard let enterprise = account.enterprise else { return [] }
        let currentYear = month?.year ?? BillingMonth(containing: asOf).year
        var rows: [Statement.Subsidy] = []
        for rule in rules where rule.mayGrant(to: account.classes) {
            var byYear: [Int: (granted: Fen, used: Fen)] = [currentYear: (.zero, .zero)]
            for case .grant(let grant) in ledger.entries.map(\.subject)
            where grant.rule == rule.id && grant.enterprise == enterprise {
                guard grant.month <= month ?? grant.month else { continue }
                var sums = byYear[grant.year] ?? (.zero, .zero)
                sums.used += grant.amount
                if grant.account == account.name && month ?? grant.month == grant.month {
                    sums.granted += grant.amount
                }
                byYear[grant.year] = sums
            }
            for (year, sums) in byYear.sorted(by: { $0.key < $1.key })
            where month == nil || year == currentYear || sums.granted != .zero {
                rows.append(
                    Statement.Subsidy(
                        rule: rule.id,
                        title: rule.title,
                        year: year,
                        granted: sums.granted,
                        cap: standing(of: enterprise, rule: rule.id, year: year)?.cap
                            ?? rule.yearCap(ofClasses: account.classes),
                        used: sums.used
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
        case .payment(let account, _), .hold(_, _, let account), .release(_, _, let account):
            account
        case .reversal: nil
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
    var refunded = Fen.zero
    var verifiedFlop: Int128 = 0
    var verifiedJobs: Set<JobID> = []

    mutating func add(_ part: ChargePart) {
        total.add(part)
        byPlatform[part.platform, default: Sum()].add(part)
        byOutcome[part.outcome.name, default: Sum()].add(part)
        for fee in part.fees { byResource[fee.resource, default: .zero] += fee.amount }
        if let flop = part.verifiedFlop {
            verifiedFlop += Int128(flop)
            verifiedJobs.insert(part.job)
        }
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
