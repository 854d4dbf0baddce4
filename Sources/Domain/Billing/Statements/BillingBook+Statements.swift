public import Quantities

// Statements out of the books. `StatementSums` has everything by account and month; a statement adds
// up the months of its accounts.

extension BillingBook {
    /// The sums of all accounts, for many statements.
    ///
    /// - Complexity: one pass over the ledger.
    public func statementSums(detail: StatementSums.Detail = .init()) -> StatementSums {
        StatementSums(ledger, powers: powers, detail: detail)
    }

    /// The statement of an account or an enterprise.
    ///
    /// - Parameters:
    ///   - holder: whose.
    ///   - period: the time of the usage.
    ///   - asOf: now.
    ///   - detail: what else it tells.
    ///   - sums: of all accounts, with the same detail; nil for a pass over the ledger.
    /// - Returns: nil when neither the registry nor the books know the holder.
    public func statement(
        of holder: StatementHolder,
        period: BillingPeriod = .all,
        asOf: SimInstant,
        detail: StatementSums.Detail = .init(),
        from sums: StatementSums? = nil
    ) -> Statement? {
        guard let (title, names) = self.names(of: holder) else { return nil }
        let sums =
            sums
            ?? StatementSums(
                ledger,
                powers: powers,
                accounts: Set(names),
                enterprise: title.enterprise,
                detail: detail
            )
        let isKnown = accounts[names[0]] != nil || sums.months[names[0]] != nil
        guard isKnown else { return nil }
        return Statement(of: title, names, period, asOf: asOf, sums, self)
    }

    /// Whose usage is on the statement of a holder; empty when nobody is known.
    public func accountNames(of holder: StatementHolder) -> [String] {
        names(of: holder)?.names ?? []
    }

    private func names(
        of holder: StatementHolder
    ) -> (title: BillingAccount, names: [String])? {
        switch holder {
        case .account(let name): return (accounts[name] ?? BillingAccount(name: name), [name])
        case .enterprise(let name):
            let members = accounts.values.filter { $0.enterprise == name }
                .sorted { $0.name < $1.name }
            guard let first = members.first else { return nil }
            var title = first
            title.name = name
            if members.count > 1 { title.title = "" }
            title.taxID = members.compactMap(\.taxID).first
            var contracts: [String] = []
            for contract in members.compactMap(\.contract) where !contracts.contains(contract) {
                contracts.append(contract)
            }
            title.contract = contracts.isEmpty ? nil : contracts.joined(separator: ", ")
            title.classes = Set(members.flatMap(\.classes)).sorted()
            return (title, members.map(\.name))
        }
    }

    /// One row for each rule and year in which the account's enterprise may have a grant, or had one.
    fileprivate func subsidyRows(
        of account: BillingAccount,
        _ members: [String],
        _ period: BillingPeriod,
        asOf: SimInstant,
        hasUsage: Bool,
        _ sums: StatementSums
    ) -> [Statement.Subsidy] {
        guard let enterprise = account.enterprise else { return [] }
        let today = BillingDay(containing: asOf)
        var rows: [Statement.Subsidy] = []
        for subsidy in subsidies {
            let rule = subsidy.rule
            let currentYear = subsidy.year(of: enterprise, on: period.lastDay ?? today)
            var byYear: [Int: (granted: Fen, used: Fen)] = [:]
            // A cap of which nothing could be used says nothing about a year long past.
            if rule.mayGrant(to: account.classes),
                hasUsage || currentYear == subsidy.year(of: enterprise, on: today)
            {
                byYear[currentYear] = (.zero, .zero)
            }
            for (key, sum) in sums.grants[enterprise] ?? [:] where key.rule == rule.id {
                let used = sum.byMonth.total { period.reaches($0) }
                let granted = members.reduce(into: Fen.zero) {
                    $0 += sum.byAccount[$1]?.total { period.contains($0) } ?? .zero
                }
                let isListed = sum.byMonth.keys.contains { period.reaches($0) }
                if isListed { byYear[key.year] = (granted, used) }
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

    /// The charge, or the refund of one, that the entry at `position` books.
    fileprivate func charge(atEntry position: Int) -> Statement.Charge? {
        let entry = ledger.entries[position]
        var (original, sign) = (entry, Int64(1))
        if case .reversal(let id) = entry.subject {
            guard let reversed = ledger.entry(id) else { return nil }
            (original, sign) = (reversed, -1)
        }
        let usage: Statement.Charge.Usage
        switch original.subject {
        case .charge(let part): usage = .run(part)
        case .storage(let day): usage = .storage(day)
        default: return nil
        }
        return Statement.Charge(
            entry: entry.id,
            usage: usage,
            amount: Fen(sign * original.amount.count)
        )
    }

    /// The tax inside what an account was charged in a month, by rate, each rounded once.
    fileprivate func taxByRate(_ sums: AccountMonth) -> [Int64: Fen] {
        var gross: [Int64: Fen] = [:]
        for (tariff, amount) in sums.grossByTariff {
            gross[taxRate(of: tariff), default: .zero] += amount
        }
        return Dictionary(
            uniqueKeysWithValues: gross.map { ($0.key, vatInside($0.value, ppm: $0.key)) }
        )
    }
}

extension [BillingMonth: Fen] {
    fileprivate func total(where isWanted: (BillingMonth) -> Bool) -> Fen {
        reduce(into: .zero) { if isWanted($1.key) { $0 += $1.value } }
    }
}

extension Statement {
    fileprivate init(
        of holder: BillingAccount,
        _ names: [String],
        _ period: BillingPeriod,
        asOf: SimInstant,
        _ sums: StatementSums,
        _ book: BillingBook
    ) {
        var tally = AccountMonth()
        var months: [(account: String, month: BillingMonth, sums: AccountMonth)] = []
        var byAccount: [Group] = []
        var opening = Fen.zero
        var taxByRate: [Int64: Fen] = [:]
        for name in names {
            var own = AccountMonth()
            var ownTax = Fen.zero
            for (month, sum) in (sums.months[name] ?? [:]).sorted(by: { $0.key < $1.key }) {
                if period.contains(month) {
                    own.add(sum)
                    months.append((name, month, sum))
                    for (rate, tax) in book.taxByRate(sum) {
                        taxByRate[rate, default: .zero] += tax
                        ownTax += tax
                    }
                } else if period.reaches(month) {
                    opening += sum.movement
                }
            }
            tally.add(own)
            if own.hasUsage || own.gross != .zero {
                byAccount.append(
                    Group(
                        name: name,
                        title: book.accounts[name]?.title ?? "",
                        usage: own.total.finished,
                        vat: ownTax,
                        gross: own.gross
                    )
                )
            }
        }
        self.init(
            account: holder,
            accountNames: names,
            period: period,
            asOf: asOf,
            tariff: book.tariff.id,
            total: tally.total.finished,
            byPlatform: Self.groups(tally.byPlatform) { book.title(ofPlatform: $0) },
            byOutcome: Self.groups(tally.byOutcome) { $0 },
            byResource: tally.resources,
            byAccount: byAccount,
            storage: tally.byteDays == 0
                ? nil : Storage(byteDays: tally.byteDays, fee: tally.storageFee),
            refunded: tally.refunded,
            subsidies: book.subsidyRows(
                of: holder,
                names,
                period,
                asOf: asOf,
                hasUsage: tally.hasUsage,
                sums
            ),
            verifiedFlop: tally.work.verifiedFlop,
            verifiedJobCount: tally.work.verifiedJobs.count,
            verifiedFee: tally.work.fee(of: tally.work.verifiedJobs),
            energyMillijoules: tally.work.energyMillijoules,
            isEnergyEstimated: tally.work.isEnergyEstimated,
            energyFee: tally.work.fee(of: tally.work.energyJobs),
            modelledMillijoules: (tally.work.modelledNanojoules + 500_000) / 1_000_000,
            vouchersUsed: tally.vouchersUsed,
            vouchers: names.flatMap { book.vouchers(of: $0) }.map {
                VoucherRow(voucher: $0.voucher, left: $0.left)
            },
            opening: opening,
            paid: tally.paid,
            isProvisional: Self.isProvisional(names, period, asOf: asOf, sums),
            lines: book.lines(months, taxByRate: taxByRate),
            byGroup: Self.groups(tally.byGroup) { $0 },
            grouping: sums.detail.grouping,
            charges: tally.chargeEntries.sorted().compactMap { book.charge(atEntry: $0) },
            issuer: book.issuer,
            held: names.reduce(into: Fen.zero) {
                $0 += book.ledger.balance(of: LedgerAccount(.hold, $1))
            },
            available: names.count == 1
                ? book.fundsAvailable(to: names[0], on: BillingDay(containing: asOf)) : nil,
            vatPPM: book.tariff.vatPPM,
            vat: taxByRate.values.reduce(into: .zero) { $0 += $1 }
        )
    }

    private static func isProvisional(
        _ names: [String],
        _ period: BillingPeriod,
        asOf: SimInstant,
        _ sums: StatementSums
    ) -> Bool {
        guard let end = period.end, end <= asOf else { return true }
        return names.contains { name in
            sums.openRuns[name]?.values.contains { $0 < end } ?? false
        }
    }

    private static func groups(
        _ sums: [String: AccountMonth.Sum],
        title: (String) -> String
    ) -> [Group] {
        sums.sorted { $0.key < $1.key }.map { name, sum in
            Group(name: name, title: title(name), usage: sum.finished)
        }
    }
}

extension AccountMonth {
    fileprivate var resources: [Statement.Resource] {
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
    /// The account of the centre that the entry concerns; nil for a reversal, which names another.
    public var account: String? {
        switch subject {
        case .charge(let part): part.account
        case .grant(let grant): grant.account
        case .payment(let account, _), .hold(_, _, let account), .release(_, _, let account),
            .creditLimit(let account, _), .redemption(_, let account, _), .budget(let account, _):
            account
        case .voucher(let voucher): voucher.account
        case .storage(let charge): charge.account
        case .reversal, .poolClosing: nil
        }
    }
}
