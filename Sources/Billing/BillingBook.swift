public import ClusterModel
public import JobModel
public import Quantities

/// Whose usage is billed.
public struct BillingAccount: Hashable, Sendable {
    /// The name that jobs give with `--account`.
    public var name: String
    /// The name for people.
    public var title: String
    /// The enterprise whose cap its grants count against; nil when it has none.
    public var enterprise: String?
    /// Its labels, in the spelling of `SubsidyClass`.
    public var classes: [String]
    /// Where it is registered.
    public var registeredIn: String?
    /// How far it may go into debt, holds included; nil for no bound, zero for a prepaid account.
    public var creditLimit: Fen?

    /// Makes an account.
    public init(
        name: String,
        title: String = "",
        enterprise: String? = nil,
        classes: [String] = [],
        registeredIn: String? = nil,
        creditLimit: Fen? = nil
    ) {
        self.name = name
        self.title = title
        self.enterprise = enterprise
        self.classes = classes
        self.registeredIn = registeredIn
        self.creditLimit = creditLimit
    }

    /// Makes the billing side of an account of a machine.
    public init(_ entry: AccountEntry) {
        // A small or a young technology company is an enterprise too.
        let isCompany = [.enterprise, .techSME, .startup].contains(entry.customerClass)
        var classes = [entry.customerClass.rawValue]
        if isCompany && entry.customerClass != .enterprise { classes.append("enterprise") }
        self.init(
            name: entry.name,
            title: entry.title,
            enterprise: entry.enterprise,
            classes: classes,
            registeredIn: entry.registeredIn
        )
    }
}

/// Usage in, ledger entries out: prices runs of jobs, grants subsidies, keeps the books.
///
/// A plain value without clock or storage. Its state is a function of the entries that it gave out:
/// the daemon stores their canonical text and rebuilds the book with `restore`, or settles the same
/// usages again, which gives the same entries.
public struct BillingBook: Sendable {
    /// The prices.
    public let tariff: Tariff
    /// The accounts by name.
    public private(set) var accounts: [String: BillingAccount]
    /// The books.
    public private(set) var ledger: Ledger

    private let platforms: [String: Platform]
    private var volumes = VolumeCounter()
    /// In the order in which rules are evaluated.
    private var subsidies: [SubsidyAccount]

    /// Opens empty books.
    ///
    /// - Precondition: pools serve first come, first served; others are decided over a whole period
    ///   (`SubsidyEvaluation`), not job by job.
    public init(
        tariff: Tariff,
        rules: [SubsidyRule] = [.tedaMachineHour],
        accounts: [BillingAccount],
        platforms: [Platform]
    ) {
        precondition(rules.allSatisfy { ($0.pool?.exhaustion ?? .firstCome) == .firstCome })
        self.tariff = tariff
        self.accounts = Dictionary(accounts.map { ($0.name, $0) }) { first, _ in first }
        self.platforms = Dictionary(platforms.map { ($0.name, $0) }) { first, _ in first }
        self.subsidies = rules.inEvaluationOrder.map { SubsidyAccount(rule: $0) }
        let limits = accounts.compactMap { account in
            account.creditLimit.map { (account.name, $0) }
        }
        self.ledger = Ledger(creditLimits: Dictionary(limits) { first, _ in first })
    }

    /// Opens empty books for a machine.
    ///
    /// - Parameter tariff: the prices; nil for those that the partitions of the machine name.
    public init(
        machine: Machine,
        tariff: Tariff? = nil,
        rules: [SubsidyRule] = [.tedaMachineHour]
    ) {
        self.init(
            tariff: tariff ?? Tariff(pricesOf: machine),
            rules: rules,
            accounts: machine.accounts.map { BillingAccount($0) },
            platforms: machine.platforms
        )
    }

    /// The rules in the order in which they are evaluated.
    public var rules: [SubsidyRule] { subsidies.map(\.rule) }

    /// The title of a platform; its name when the registry does not know it.
    public func title(ofPlatform name: String) -> String { platforms[name]?.title ?? name }

    /// Whether a run of a job was settled.
    public func isSettled(_ job: JobID, attempt: Int32 = 0) -> Bool {
        settled[Run(job: job, attempt: attempt)] != nil
    }

    private struct Run: Hashable, Sendable {
        var job: JobID
        var attempt: Int32
    }
    private var settled = ShardedDictionary<Run, Bool>()

    // MARK: Settling

    /// Charges one run of a job, grants what the rules give for it, and books both.
    ///
    /// A run that was settled before changes nothing and gives no entries. An account that the book
    /// does not know is charged, and has no subsidy.
    ///
    /// - Returns: the new entries, in order: for each month its charge, then its grants.
    public mutating func settle(_ usage: JobUsage) -> [LedgerEntry] {
        guard !isSettled(usage.id, attempt: usage.attempt) else { return [] }
        settled[Run(job: usage.id, attempt: usage.attempt)] = true
        let classes = accounts[usage.account]?.classes ?? []
        var entries: [LedgerEntry] = []
        for part in tariff.charge(for: usage, classes: classes, volumes: &volumes) {
            entries.append(chargeEntry(part, at: usage.endedAt))
            entries += grantEntries(for: part, at: usage.endedAt)
        }
        if let release = releaseEntry(of: usage) { entries.append(release) }
        for entry in entries { book(entry) }
        return entries
    }

    /// Gives a charge back as a whole: undoes it and withdraws what it was granted.
    ///
    /// - Parameter id: the entry of the charge, `charge/JOB.ATTEMPT/YYYY-MM`.
    /// - Returns: the new entries; none when it was given back before.
    public mutating func refund(
        _ id: String,
        at instant: SimInstant
    ) throws(LedgerRefusal) -> [LedgerEntry] {
        let reversal = try ledger.reversal(of: id, at: instant)
        guard ledger.entry(reversal.id) == nil else { return [] }
        guard case .charge(let part)? = ledger.entry(id)?.subject else {
            throw .nothingToReverse(id)
        }
        let entries = [reversal] + withdrawals(for: part, at: instant)
        for entry in entries { book(entry) }
        return entries
    }

    /// Books money received from a customer.
    public mutating func pay(
        _ amount: Fen,
        from account: String,
        reference: String,
        at instant: SimInstant
    ) throws(LedgerRefusal) -> [LedgerEntry] {
        let entry = LedgerEntry(
            id: "payment/\(reference)",
            bookedAt: instant,
            subject: .payment(account: account, reference: reference),
            postings: [
                Posting(
                    debit: LedgerAccount(.cash),
                    credit: LedgerAccount(.receivable, account),
                    amount: amount
                )
            ]
        )
        return try ledger.post(entry) == .posted ? [entry] : []
    }

    /// Reserves the largest fee that a run can have, its whole time limit.
    ///
    /// - Parameter usage: the run as if it held everything up to its limit.
    /// - Throws: `LedgerRefusal.fundsTooLow` when the account's money does not cover it.
    public mutating func hold(
        for usage: JobUsage,
        at instant: SimInstant
    ) throws(LedgerRefusal) -> [LedgerEntry] {
        let fee = quote(usage).gross
        let customer = usage.account
        let entry = LedgerEntry(
            id: "hold/\(usage.id).\(usage.attempt)",
            bookedAt: instant,
            subject: .hold(job: usage.id, attempt: usage.attempt, account: customer),
            postings: fee == .zero
                ? []
                : [
                    Posting(
                        debit: LedgerAccount(.hold, customer),
                        credit: LedgerAccount(.holdControl),
                        amount: fee
                    )
                ]
        )
        return try ledger.post(entry) == .posted ? [entry] : []
    }

    /// What `usage` would cost now, and what it would be granted.
    public func quote(_ usage: JobUsage) -> Quote {
        var volumes = volumes
        var accounts = subsidies.map(\.withoutHistory)
        var quote = Quote()
        let classes = self.accounts[usage.account]?.classes ?? []
        for part in tariff.charge(for: usage, classes: classes, volumes: &volumes) {
            quote.gross += part.amount
            for total in Self.evaluate(claims(of: part), in: &accounts) {
                quote.subsidy += total.amount
            }
        }
        return quote
    }

    /// A price before the work.
    public struct Quote: Hashable, Sendable {
        /// The fee by tariff.
        public var gross = Fen.zero
        /// The subsidy expected.
        public var subsidy = Fen.zero
        /// What remains to be paid.
        public var net: Fen { gross - subsidy }
    }

    // MARK: Rebuilding

    /// Takes over an entry that was given out before, as read from storage, in its old order.
    ///
    /// - Throws: `LedgerRefusal` when the entry cannot follow the ones before.
    public mutating func restore(_ entry: LedgerEntry) throws(LedgerRefusal) {
        guard try ledger.post(entry) == .posted else { return }
        switch entry.subject {
        case .charge(let part):
            settled[Run(job: part.job, attempt: part.attempt)] = true
            tariff.advance(&volumes, over: part)
            _ = decisions(on: part)
        case .reversal(let id):
            if case .charge(let part)? = ledger.entry(id)?.subject {
                _ = refundDecisions(on: part, day: BillingDay(containing: entry.bookedAt))
            }
        case .grant, .payment, .hold, .release: break
        }
    }

    private mutating func book(_ entry: LedgerEntry) {
        do throws(LedgerRefusal) {
            let result = try ledger.post(entry)
            precondition(result == .posted, "entry \(entry.id) was booked before")
        } catch {
            preconditionFailure("entry \(entry.id) of the book itself is refused: \(error)")
        }
    }
}

// MARK: - Entries

extension BillingBook {
    private func chargeEntry(_ part: ChargePart, at instant: SimInstant) -> LedgerEntry {
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

    private func releaseEntry(of usage: JobUsage) -> LedgerEntry? {
        guard let hold = ledger.entry("hold/\(usage.id).\(usage.attempt)") else { return nil }
        return LedgerEntry(
            id: "release/\(usage.id).\(usage.attempt)",
            bookedAt: usage.endedAt,
            subject: .release(job: usage.id, attempt: usage.attempt, account: usage.account),
            postings: hold.postings.map {
                Posting(debit: $0.credit, credit: $0.debit, amount: $0.amount)
            }
        )
    }

    private mutating func grantEntries(
        for part: ChargePart,
        at instant: SimInstant
    ) -> [LedgerEntry] {
        decisions(on: part).compactMap { total in
            grantEntry(total, for: part, id: "grant", month: part.month, at: instant)
        }
    }

    private mutating func withdrawals(
        for part: ChargePart,
        at instant: SimInstant
    ) -> [LedgerEntry] {
        let month = BillingMonth(containing: instant)
        return refundDecisions(on: part, day: BillingDay(containing: instant)).compactMap {
            grantEntry($0, for: part, id: "withdrawal", month: month, at: instant)
        }
    }

    private func grantEntry(
        _ total: RuleTotal,
        for part: ChargePart,
        id: String,
        month: BillingMonth,
        at instant: SimInstant
    ) -> LedgerEntry? {
        guard total.amount != .zero else { return nil }
        let fund = LedgerAccount(.subsidyFund, total.rule)
        let customer = LedgerAccount(.receivable, part.account)
        let isWithdrawal = total.amount < .zero
        return LedgerEntry(
            id: "\(id)/\(total.rule)/\(part.entryID)",
            bookedAt: instant,
            subject: .grant(
                Grant(
                    rule: total.rule,
                    enterprise: accounts[part.account]?.enterprise ?? part.account,
                    account: part.account,
                    platform: part.platform,
                    year: total.year,
                    month: month,
                    claim: part.entryID,
                    amount: total.amount
                )
            ),
            postings: [
                Posting(
                    debit: isWithdrawal ? customer : fund,
                    credit: isWithdrawal ? fund : customer,
                    amount: isWithdrawal ? -total.amount : total.amount
                )
            ]
        )
    }
}

// MARK: - Subsidies

extension BillingBook {
    private struct RuleTotal {
        var rule: String
        var year: Int
        var amount: Fen
    }

    /// The claims that a charge makes: one for each resource with a fee.
    func claims(of part: ChargePart) -> [SubsidyClaim] {
        guard let account = accounts[part.account], let enterprise = account.enterprise else {
            return []
        }
        // The end is the first instant after the part; it may lie in the next month.
        let last = part.endedAt - SimDuration(microseconds: 1)
        return part.fees.map { fee in
            var claim = SubsidyClaim(
                id: "\(part.entryID)/\(fee.resource.name)",
                date: BillingDay(containing: last),
                enterprise: enterprise,
                classes: account.classes,
                platform: part.platform,
                isOnKeyPlatform: platforms[part.platform]?.isKey ?? false,
                resource: fee.resource.name,
                fee: fee.amount
            )
            claim.facts.registeredIn = account.registeredIn
            return claim
        }
    }

    private mutating func decisions(on part: ChargePart) -> [RuleTotal] {
        Self.evaluate(claims(of: part), in: &subsidies)
    }

    /// The claims that giving a charge back makes.
    func refunds(of part: ChargePart, day: BillingDay) -> [SubsidyClaim] {
        claims(of: part).map { claim in
            var refund = claim
            refund.id = "refund/\(claim.id)"
            refund.refundOf = claim.id
            refund.date = max(day, claim.date)
            refund.fee = -claim.fee
            return refund
        }
    }

    private mutating func refundDecisions(on part: ChargePart, day: BillingDay) -> [RuleTotal] {
        Self.evaluate(refunds(of: part, day: day), in: &subsidies)
    }

    /// Takes claims through all rules; one total a rule.
    private static func evaluate(
        _ claims: [SubsidyClaim],
        in subsidies: inout [SubsidyAccount]
    ) -> [RuleTotal] {
        guard let first = claims.first else { return [] }
        var totals = subsidies.map { account in
            RuleTotal(rule: account.rule.id, year: first.date.civil.year, amount: .zero)
        }
        for claim in claims {
            var byOthers = Fen.zero
            var levels: [SubsidyRule.Level] = []
            for index in subsidies.indices {
                let decision = subsidies[index].take(
                    claim,
                    grantedByOthers: byOthers,
                    otherLevels: levels
                )
                totals[index].amount += decision.granted
                totals[index].year = decision.year
                byOthers += decision.granted
                if decision.granted > .zero {
                    levels.append(subsidies[index].rule.authority.level)
                }
            }
        }
        return totals
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

extension Sequence<SubsidyRule> {
    /// By stacking order, then by id.
    public var inEvaluationOrder: [SubsidyRule] {
        sorted { ($0.stacking.order, $0.id) < ($1.stacking.order, $1.id) }
    }
}

extension Tariff {
    /// The prices that the partitions of a machine name.
    public init(pricesOf machine: Machine) {
        let lines = machine.partitions.flatMap { partition in
            let prices = partition.prices
            let byResource: [(BilledResource, Int64)] = [
                (.coreHour, prices.coreHourMicrofen), (.cardHour, prices.cardHourMicrofen),
                (.nodeHour, prices.nodeHourMicrofen),
            ]
            return byResource.filter { $0.1 > 0 }.map { resource, microFen in
                TariffLine(
                    partition: partition.name,
                    resource: resource,
                    price: HourlyPrice(microFen: microFen)
                )
            }
        }
        self.init(id: machine.name, title: "Prices of \(machine.title)", lines: lines)
    }
}
