public import ClusterModel
public import JobModel
public import Quantities

/// Whose usage is billed.
public struct BillingAccount: Hashable, Sendable, Codable {
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
    /// The number under which the customer pays tax.
    public var taxID: String?
    /// The contract under which it is charged.
    public var contract: String?

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
            registeredIn: entry.registeredIn,
            creditLimit: entry.creditLimitFen.map { Fen($0) }
        )
        taxID = entry.taxID
        contract = entry.contract
    }
}

/// Usage in, ledger entries out: prices runs of jobs, grants subsidies, keeps the books.
///
/// A plain value without clock or storage. Its state is a function of the entries that it gave out:
/// the daemon stores their canonical text and rebuilds the book with `restore`, or settles the same
/// usages again, which gives the same entries.
public struct BillingBook: Sendable, Codable {
    /// The prices. A change counts for runs that are settled afterwards.
    public var tariff: Tariff {
        didSet {
            taxRates[tariff.id] = tariff.vatPPM
            guard tariff.vatPPM != oldValue.vatPPM else { return }
            formerVAT.append(
                Former(until: ledger.entries.count, value: oldValue.vatPPM)
            )
        }
    }
    /// The tax inside the prices of each tariff that was in force. Unit: ppm of the price without it.
    private(set) var taxRates: [String: Int64]
    /// Who runs the platforms, for rules that ask; nil when nobody says.
    public var provider: String?
    /// The accounts by name.
    public private(set) var accounts: [String: BillingAccount]
    /// The books.
    public private(set) var ledger: Ledger
    /// Who issues statements; nil when nobody was named.
    public var issuer: Issuer?

    /// What accounts were before they changed, oldest first: each for the entries of the ledger
    /// before position `until`.
    private var former: [String: [Former<BillingAccount>]] = [:]

    /// What counted for the entries before a position.
    private struct Former<Value: Sendable & Codable>: Sendable, Codable {
        var until: Int
        var value: Value
    }

    /// The taxes inside prices before they changed, as `former`.
    private var formerVAT: [Former<Int64>] = []

    let platforms: [String: Platform]
    /// What partitions draw; empty where no machine was given.
    private(set) var powers: [String: PartitionPower] = [:]
    /// What accounts mean to spend.
    public internal(set) var budgets: [String: Budget] = [:]
    /// What counts against budgets, by account and month.
    var spending: [String: [BillingMonth: Fen]] = [:]
    var volumes = VolumeCounter()
    var quantities = PricedQuantities()
    var vouchers = VoucherBook()
    /// In the order in which rules are evaluated.
    var subsidies: [SubsidyAccount]
    /// What waits for the end of a period: pools that are shared out in proportion.
    var shares: [String: PoolShares] = [:]

    /// Opens empty books.
    ///
    /// - Precondition: rules whose pool is shared out in proportion come after all others
    ///   (`Array.proRataOutOfPlace`): what they grant is not known when others are evaluated.
    public init(
        tariff: Tariff,
        rules: [SubsidyRule] = [.tedaMachineHour],
        accounts: [BillingAccount],
        platforms: [Platform]
    ) {
        precondition(rules.proRataOutOfPlace == nil)
        self.tariff = tariff
        self.taxRates = [tariff.id: tariff.vatPPM]
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
        issuer = machine.issuer
        powers = PartitionPower.byPartition(of: machine)
        provider = machine.name
    }

    /// The rules in the order in which they are evaluated.
    public var rules: [SubsidyRule] { subsidies.map(\.rule) }

    /// The title of a platform; its name when the registry does not know it.
    public func title(ofPlatform name: String) -> String { platforms[name]?.title ?? name }

    /// Whether a run of a job was settled.
    public func isSettled(_ job: JobID, attempt: Int32 = 0) -> Bool {
        settled.contains(job, attempt: attempt)
    }

    private var settled = RunSet()

    // MARK: Settling

    /// Charges one run of a job, grants what the rules give for it, lets vouchers pay what they can,
    /// gives the hold back, and books it all.
    ///
    /// A run that was settled before changes nothing and gives no entries. An account that the book
    /// does not know is charged, and has no subsidy.
    ///
    /// - Returns: the new entries, in order: for each month its charge, grants and redemptions; then
    ///   the release of the hold.
    public mutating func settle(_ usage: JobUsage) -> [LedgerEntry] {
        guard !isSettled(usage.id, attempt: usage.attempt) else { return [] }
        settled.insert(usage.id, attempt: usage.attempt)
        let classes = accounts[usage.account]?.classes ?? []
        var entries: [LedgerEntry] = []
        for part in charge(for: usage, classes: classes) {
            let due = Due(
                account: part.account,
                claim: part.entryID,
                platform: part.platform,
                month: part.month,
                day: part.lastDay,
                start: part.startedAt ?? part.endedAt,
                end: part.endedAt,
                amount: part.amount
            )
            entries.append(chargeEntry(part, at: usage.endedAt))
            let account = accounts[part.account]
            let claims = claims(of: part, by: account, vatPPM: tariff.vatPPM)
            entries += settle(due, claims, at: usage.endedAt)
        }
        if let release = releaseEntry(of: usage) { entries.append(release) }
        for entry in entries { book(entry) }
        return entries
    }

    private mutating func charge(for usage: JobUsage, classes: [String]) -> [ChargePart] {
        var steps: [Tariff.PricingStep] = []
        let parts = tariff.charge(for: usage, classes: classes, volumes: &volumes) {
            steps.append($0)
        }
        for step in steps {
            switch step {
            case .quantity(let quantity, let item, let month):
                quantities.add(quantity, of: item, to: .init(account: usage.account, month: month))
            case .minimumCharge(let amount, let month):
                quantities.addMinimumCharge(
                    amount,
                    tariff: tariff.id,
                    to: .init(account: usage.account, month: month)
                )
            }
        }
        return parts
    }

    /// Books money received from a customer. The same payment again changes nothing.
    public mutating func pay(
        _ amount: Fen,
        from account: String,
        reference: String,
        at instant: SimInstant
    ) throws(LedgerRefusal) -> [LedgerEntry] {
        if let known = ledger.entry("payment/\(reference)"), known.amount == amount,
            known.subject == .payment(account: account, reference: reference)
        {
            // Told again at another time: the same payment all the same.
            return []
        }
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
        return try post(entry)
    }

    /// Posts an entry that somebody asked for.
    mutating func post(_ entry: LedgerEntry) throws(LedgerRefusal) -> [LedgerEntry] {
        for posting in entry.postings {
            for account in [posting.debit, posting.credit] {
                let sum = Int128(ledger.balance(of: account).count.magnitude)
                guard sum + Int128(posting.amount.count) <= Int128(Fen.sumMaximum.count) else {
                    throw .sumOutOfRange(account)
                }
            }
        }
        return try ledger.post(entry) == .posted ? [entry] : []
    }

    /// Brings accounts into force from now on: new ones, and other facts about known ones. Accounts
    /// that are not among them stay as they are.
    ///
    /// - Precondition: no account moves to another enterprise, whose cap its grants count against.
    public mutating func setAccounts(_ changed: [BillingAccount]) {
        for account in changed {
            if let known = accounts[account.name], known != account {
                precondition(known.enterprise == account.enterprise, "\(account.name) moves")
                former[account.name, default: []].append(
                    Former(until: ledger.entries.count, value: known)
                )
            }
            accounts[account.name] = account
        }
    }

    /// What was known of an account when the entry at `position` of the ledger was booked.
    func account(_ name: String, atEntry position: Int) -> BillingAccount? {
        former[name]?.first { position < $0.until }?.value ?? accounts[name]
    }

    /// The tax inside the prices when the entry at `position` of the ledger was booked. Unit: ppm.
    func vatPPM(atEntry position: Int) -> Int64 {
        formerVAT.first { position < $0.until }?.value ?? tariff.vatPPM
    }

    /// Replaces the rules.
    ///
    /// - Precondition: nothing was charged under the old ones.
    public mutating func setRules(_ rules: [SubsidyRule]) {
        precondition(rules.proRataOutOfPlace == nil)
        precondition(ledger.hasOnlyPreparations)
        subsidies = rules.inEvaluationOrder.map { SubsidyAccount(rule: $0) }
    }

    /// Whether nothing was earned or granted yet.
    public var hasOnlyPreparations: Bool { ledger.hasOnlyPreparations }

    /// Lets earlier entries of the ledger lie on a shelf only; all that were booked must be there.
    public mutating func putAwayEntries(onto shelf: any LedgerShelf) {
        ledger.putAway(onto: shelf)
    }

    /// Says where the entries lie that an image of the book has not.
    public mutating func lookForEntries(on shelf: any LedgerShelf) { ledger.look(on: shelf) }

    /// Takes the entries back into memory that lie on a shelf only, all `ledger.shelvedCount` of them.
    public mutating func takeBack(_ shelved: [LedgerEntry]) { ledger.takeBack(shelved) }

    mutating func book(_ entry: LedgerEntry) {
        do throws(LedgerRefusal) {
            try ledger.postNew(entry)
            countSpending(entry)
        } catch {
            preconditionFailure("entry \(entry.id) of the book itself is refused: \(error)")
        }
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
        storage = machine.platforms.filter { $0.storageMicrofen > 0 }.map {
            StorageLine(platform: $0.name, microFen: $0.storageMicrofen)
        }
    }
}
