public import Billing
import ClusterModel
public import Quantities
public import WireFormats

extension BillStatement {
    /// The statement as it travels and is printed.
    ///
    /// - Parameter head: the end of the ledger's hash chain; nil when it is not stored.
    public init(_ statement: Statement, ledgerHead head: String? = nil) {
        self.init()
        ledgerHead = head
        let stamp = head.map { "-" + $0.prefix(8) } ?? ""
        number =
            "JS-\(statement.period.description.filter { $0 != "-" })-\(statement.account.name)\(stamp)"
        issuer = statement.issuer.map { BillIssuer($0) }
        taxID = statement.account.taxID
        contract = statement.account.contract
        grouping = statement.grouping?.rawValue
        byGroup = statement.byGroup.map { BillRow(name: $0.name, title: $0.title, $0.usage) }
        charges = statement.charges.map { BillCharge($0) }
        account = statement.account.name
        title = statement.account.title
        enterprise = statement.account.enterprise
        accounts = statement.accountNames
        period = statement.period.description
        asOf = statement.asOf
        tariff = statement.tariff
        gross = statement.gross.count
        refunded = statement.refunded.count
        subsidy = statement.subsidy.count
        net = statement.net.count
        vat = statement.vat.count
        vatPPM = statement.vatPPM
        vouchersUsed = statement.vouchersUsed.count
        cash = statement.cash.count
        opening = statement.opening.count
        paid = statement.paid.count
        closing = statement.closing.count
        isProvisional = statement.isProvisional
        let titles = Dictionary(
            statement.byPlatform.map { ($0.name, $0.title) },
            uniquingKeysWith: { first, _ in first }
        )
        lines = statement.lines.map { BillLine($0, titles: titles) }
        held = statement.held.count
        available = statement.available?.count
        total = BillRow(name: "", title: "", statement.total)
        byPlatform = statement.byPlatform.map { BillRow(name: $0.name, title: $0.title, $0.usage) }
        byState = statement.byOutcome.map { BillRow(name: $0.name, title: $0.title, $0.usage) }
        byResource = statement.byResource.map { row in
            var resource = BillResource()
            resource.resource = row.resource.name
            resource.seconds = row.held.seconds
            resource.fee = row.fee.count
            return resource
        }
        byAccount = statement.byAccount.map { group in
            var row = BillRow(name: group.name, title: group.title, group.usage)
            row.gross = group.gross?.count
            row.vat = group.vat?.count
            return row
        }
        storage = statement.storage.map { kept in
            var row = BillStorage()
            row.milliTBDays = Int64(clamping: (kept.byteDays + 500_000_000) / 1_000_000_000)
            row.fee = kept.fee.count
            return row
        }
        vouchers = statement.vouchers.map { held in
            var row = BillVoucher()
            row.id = held.voucher.id
            row.face = held.voucher.face.count
            row.left = held.left.count
            row.validFrom = held.voucher.from?.description
            row.validTo = held.voucher.until?.description
            return row
        }
        subsidies = statement.subsidies.map { BillSubsidy($0) }
        verifiedFlop = Int64(clamping: statement.verifiedFlop)
        verifiedJobs = statement.verifiedJobCount
        verifiedPetaflopPrice = Self.price(
            statement.verifiedFee,
            of: statement.verifiedFlop,
            unit: 1_000_000_000_000_000
        )
        if statement.energyMillijoules > 0 {
            energyMillijoules = Int64(clamping: statement.energyMillijoules)
            isEnergyEstimated = statement.isEnergyEstimated
        }
        if statement.modelledMillijoules > 0 {
            modelledMillijoules = Int64(clamping: statement.modelledMillijoules)
        }
        let energy = statement.energyMillijoules + statement.modelledMillijoules
        if let factor = statement.issuer?.gridFactor, energy > 0 {
            gridFactor = factor.milligrams
            gridSource = factor.source
            // mJ × mg/kWh ÷ 3.6 · 10⁹ mJ/kWh ÷ 1,000 mg/g, rounded half up.
            let perGram: Int128 = 3_600_000_000_000
            let grams = (energy * Int128(factor.milligrams) + perGram / 2) / perGram
            carbonDioxideGrams = Int64(clamping: grams)
        }
        // 1 MWh is 3.6 · 10⁹ J.
        megawattHourPrice = Self.price(
            statement.energyFee,
            of: statement.energyMillijoules,
            unit: 3_600_000_000_000
        )
    }

    /// What `unit` of something cost when `amount` of it cost `fee`, rounded half up; nil when
    /// there was none, or when it cost less than can be told: 0.00 is not its price. Unit: fen.
    private static func price(_ fee: Fen, of amount: Int128, unit: Int128) -> Int64? {
        guard amount > 0 else { return nil }
        let price = Int64(clamping: (2 * Int128(fee.count) * unit + amount) / (2 * amount))
        return price > 0 ? price : nil
    }
}

extension BillRow {
    fileprivate init(name: String, title: String, _ usage: Statement.Usage) {
        self.init()
        self.name = name
        self.title = title
        jobs = usage.jobCount
        coreSeconds = usage.coreTime.seconds
        cardSeconds = usage.cardTime.seconds
        nodeSeconds = usage.nodeTime.seconds
        freeCoreSeconds = usage.freeCoreTime.seconds
        fee = usage.fee.count
    }
}

extension BillIssuer {
    fileprivate init(_ issuer: Issuer) {
        self.init()
        name = issuer.name
        taxID = issuer.taxID
        address = issuer.address
        phone = issuer.phone
        bank = issuer.bank
        bankAccount = issuer.bankAccount
    }
}

extension BillCharge {
    fileprivate init(_ charge: Statement.Charge) {
        self.init()
        entry = charge.entry
        amount = charge.amount.count
        switch charge.usage {
        case .run(let part):
            account = part.account
            job = charge.jobNumber
            user = part.user
            platform = part.platform
            partition = part.partition
            qos = part.qos
            state = part.outcome.name
            start = part.startedAt.map { BillReport.civil($0).iso8601 }
            end = BillReport.civil(part.endedAt).iso8601
            nodes = part.nodeCount
            coreSeconds = part.held(.coreHour).seconds
            cardSeconds = part.held(.cardHour).seconds
        case .storage(let day):
            account = day.account
            platform = day.platform
            start = BillReport.civil(day.day.start).iso8601
            end = BillReport.civil(BillingDay(number: day.day.number + 1).start).iso8601
        }
    }
}

extension BillLine {
    fileprivate init(_ line: StatementLine, titles: [String: String]) {
        self.init()
        amount = line.amount.count
        discounted = line.discounted.count
        vatPPM = line.vatPPM
        vat = line.vat.count
        guard case .priced(let item) = line.kind else {
            kind =
                switch line.kind {
                case .minimumCharge: "minimum"
                case .refund: "refund"
                case .rounding, .priced: "rounding"
                }
            return
        }
        kind =
            switch item.kind {
            case .held(let resource): resource.name
            case .storage: "storage-tb-day"
            }
        platform = item.platform
        platformTitle = titles[item.platform] ?? item.platform
        partition = item.partition
        tariff = item.tariff
        if item.tierUpToHours != nil || item.tierFromHours > 0 {
            tierFromHours = item.tierFromHours
            tierUpToHours = item.tierUpToHours
        }
        held = line.heldCount
        factorPPM = item.factorPPM
        quantity = line.quantityCount
        listPrice = item.listMicroFen
        discount = item.discount.thousandths
        unitPrice = item.unitMicroFen
    }
}

extension BillSubsidy {
    fileprivate init(_ subsidy: Statement.Subsidy) {
        self.init()
        rule = subsidy.rule
        title = subsidy.title
        year = subsidy.year
        granted = subsidy.granted.count
        cap = subsidy.cap?.count
        used = subsidy.used.count
        left = subsidy.left?.count
        taxBasis = subsidy.isNetOfVAT ? "net" : "gross"
    }
}

extension BudgetRecord {
    /// The standing as it travels.
    init(_ standing: BudgetStanding) {
        self.init()
        amount = standing.budget.amount.count
        per = standing.budget.span.rawValue
        span = standing.span
        warnPercent = standing.budget.warnPercent
        spent = standing.spent.count
        left = standing.left.count
        alarm = standing.alarm.name
        endsOn = standing.endsOn?.description
    }
}

extension AccountStandingList {
    /// The accounts of the books.
    public init(_ book: BillingBook, at instant: SimInstant) {
        self.init()
        let today = BillingDay(containing: instant)
        tariff = book.tariff.id
        rules = book.rules.map(\.id)
        accounts = book.accounts.keys.sorted().map { name in
            var row = AccountStanding()
            row.account = name
            row.title = book.accounts[name]?.title ?? ""
            row.enterprise = book.accounts[name]?.enterprise
            row.balance = book.ledger.balance(of: LedgerAccount(.receivable, name)).count
            row.held = book.ledger.balance(of: LedgerAccount(.hold, name)).count
            row.vouchers = book.vouchers(of: name).filter { $0.voucher.isValid(on: today) }
                .reduce(0) { $0 + $1.left.count }
            row.creditLimit = book.ledger.creditLimits[name]?.count
            row.available = book.fundsAvailable(to: name, on: today)?.count
            row.budget = book.budgetStanding(of: name, at: instant).map { BudgetRecord($0) }
            return row
        }
    }
}
