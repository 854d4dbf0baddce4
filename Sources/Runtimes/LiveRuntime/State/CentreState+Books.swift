import Billing
import ClusterModel
import IndexSets
import Quantities
import WireFormats

// What operators do to the books: payments, limits, vouchers, refunds, storage, pools.

extension CentreState {
    mutating func handle(_ input: MoneyInput, at instant: SimInstant) -> InputResult {
        do throws(Refusal) {
            let entries = try act(input.request, at: instant)
            keep(entries)
            // A reversal names no account, but moves somebody's money.
            for account in purses.keys.sorted() { refreshPurse(of: account, at: instant) }
            return .booked(entries.map(\.id))
        } catch {
            return .refused(error.body)
        }
    }

    private mutating func act(
        _ request: MoneyRequest,
        at instant: SimInstant
    ) throws(Refusal) -> [LedgerEntry] {
        switch request.action {
        case "pay":
            let (amount, account) = (try amount(request), try account(request))
            let reference = try word(request.reference, "reference")
            return try booked { book throws(LedgerRefusal) in
                try book.pay(amount, from: account, reference: reference, at: instant)
            }
        case "limit":
            let account = try account(request)
            let limit = request.amount.map { Fen($0) }
            if let limit, limit < .zero || limit > .maximum {
                throw Refusal(money: "a limit is from 0 to \(Fen.maximum.count) fen")
            }
            let entries = try booked { [length = ledgerLength] book throws(LedgerRefusal) in
                try book.setCreditLimit(
                    limit,
                    of: account,
                    reference: "\(account)/\(length)",
                    at: instant
                )
            }
            // Jobs that came before are priced now.
            repriceAll(of: account, at: instant)
            return entries
        case "budget":
            let (account, budget) = (try account(request), try budget(request))
            return try booked { [length = ledgerLength] book throws(LedgerRefusal) in
                try book.setBudget(
                    budget,
                    of: account,
                    reference: "\(account)/\(length)",
                    at: instant
                )
            }
        case "voucher":
            let voucher = try voucher(request)
            let entries = try booked { book throws(LedgerRefusal) in
                try book.issue(voucher, at: instant)
            }
            wake(for: voucher, after: instant)
            return entries
        case "refund":
            let entry = try word(request.entry, "entry")
            return try booked { book throws(LedgerRefusal) in
                try book.refund(entry, at: instant)
            }
        case "storage": return try chargeStorage(request.storage, at: instant)
        case "close-pool": return try closePool(request, at: instant)
        default: throw Refusal(money: "there is no action '\(request.action)'")
        }
    }

    private mutating func booked(
        _ act: (inout BillingBook) throws(LedgerRefusal) -> [LedgerEntry]
    ) throws(Refusal) -> [LedgerEntry] {
        do throws(LedgerRefusal) {
            return try act(&book)
        } catch {
            throw Refusal(money: Self.text(error))
        }
    }

    private func account(_ request: MoneyRequest) throws(Refusal) -> String {
        guard let name = request.account else { throw Refusal(money: "'account' is missing") }
        guard book.accounts[name] != nil else {
            let known = book.accounts.keys.sorted()
            throw Refusal(
                money: "account '\(name)' is not known\(didYouMean(name, among: known)); "
                    + "accounts: \(known.joined(separator: ", "))"
            )
        }
        return name
    }

    private func amount(_ request: MoneyRequest) throws(Refusal) -> Fen {
        guard let amount = request.amount else { throw Refusal(money: "'amount_fen' is missing") }
        guard (1...Fen.maximum.count).contains(amount) else {
            throw Refusal(
                money: "'amount_fen' must be from 1 to \(Fen.maximum.count), but is \(amount)"
            )
        }
        return Fen(amount)
    }

    /// A budget; nil when the request has no amount.
    private func budget(_ request: MoneyRequest) throws(Refusal) -> Budget? {
        guard request.amount != nil else { return nil }
        let period = try word(request.period, "period")
        guard let span = Budget.Span(rawValue: period) else {
            let known = Budget.Span.allCases.map(\.rawValue).joined(separator: ", ")
            throw Refusal(money: "'period': '\(period)' is none of \(known)")
        }
        let percent = request.warnPercent ?? 80
        guard (1...100).contains(percent) else {
            throw Refusal(money: "'warn_percent' must be from 1 to 100, but is \(percent)")
        }
        return Budget(amount: try amount(request), span: span, warnPercent: percent)
    }

    private func word(_ value: String?, _ name: String) throws(Refusal) -> String {
        guard let value, !value.isEmpty else { throw Refusal(money: "'\(name)' is missing") }
        return value
    }

    private func voucher(_ request: MoneyRequest) throws(Refusal) -> Voucher {
        func day(_ text: String?, _ name: String) throws(Refusal) -> BillingDay? {
            guard let text else { return nil }
            guard let day = BillingDay(text) else {
                throw Refusal(money: "'\(name)': '\(text)' is no day; write it as 2026-12-31")
            }
            return day
        }
        let voucher = Voucher(
            id: try word(request.reference, "reference"),
            account: try account(request),
            face: try amount(request),
            from: try day(request.validFrom, "valid_from"),
            until: try day(request.validTo, "valid_to")
        )
        if let from = voucher.from, let until = voucher.until, until <= from {
            throw Refusal(money: "'valid_to' must be after 'valid_from'")
        }
        return voucher
    }

    /// Why a snapshot is refused that would be charged nothing because nobody has set a price; nil when it is
    /// not. Asked before it is journalled: journals of earlier versions have such snapshots.
    func unpricedStorage(_ rows: [StorageRecord]) -> ErrorBody? {
        for (index, row) in rows.enumerated() {
            guard let day = BillingDay(row.day),
                (0...StorageUsage.bytesMaximum).contains(row.bytes)
            else { continue }
            let usage = StorageUsage(
                account: row.account,
                platform: row.platform,
                day: day,
                bytes: row.bytes
            )
            guard !book.tariff.pricesStorage(usage) else { continue }
            let known = rules.machine.platforms.map(\.name)
            let problem =
                known.contains(row.platform)
                ? "platform '\(row.platform)' has no price for storage on \(row.day) (tb_day of the "
                    + "machine file, or storage of the tariff)"
                : "platform '\(row.platform)' is not known\(didYouMean(row.platform, among: known))"
            return Refusal(money: "storage, \(Self.place(of: row, index)): \(problem)").body
        }
        return nil
    }

    private static func place(of row: StorageRecord, _ index: Int) -> String {
        row.line > 0 ? "line \(row.line)" : "row \(index + 1)"
    }

    /// Charges the rows of a snapshot, all or none.
    private mutating func chargeStorage(
        _ rows: [StorageRecord],
        at instant: SimInstant
    ) throws(Refusal) -> [LedgerEntry] {
        var book = self.book
        var entries: [LedgerEntry] = []
        for (index, row) in rows.enumerated() {
            func refusal(_ words: String) -> Refusal {
                Refusal(money: "storage, \(Self.place(of: row, index)): \(words)")
            }
            guard book.accounts[row.account] != nil else {
                throw refusal("account '\(row.account)' is not known")
            }
            guard let day = BillingDay(row.day) else { throw refusal("'\(row.day)' is no day") }
            guard day <= BillingDay(containing: instant) else {
                throw refusal("\(row.day) has not come yet")
            }
            guard (0...StorageUsage.bytesMaximum).contains(row.bytes) else {
                throw refusal("\(row.bytes) bytes are less than none or more than 10^18")
            }
            let usage = StorageUsage(
                account: row.account,
                platform: row.platform,
                day: day,
                bytes: row.bytes
            )
            do throws(LedgerRefusal) {
                entries += try book.settle(usage, at: instant)
            } catch {
                throw refusal(Self.text(error))
            }
        }
        self.book = book
        return entries
    }

    private mutating func closePool(
        _ request: MoneyRequest,
        at instant: SimInstant
    ) throws(Refusal) -> [LedgerEntry] {
        let rule = try word(request.rule, "rule")
        let period = try word(request.period, "period")
        do throws(PoolRefusal) {
            return try book.closePool(ofRule: rule, period: period, at: instant)
        } catch {
            let words =
                switch error {
                case .unknownRule(let id):
                    "rule '\(id)' is not in force; rules: "
                        + book.rules.map(\.id).joined(separator: ", ")
                case .notProRata(let id): "the pool of rule '\(id)' is not shared out in proportion"
                case .unknownPeriod(let name, let example):
                    "'\(name)' is no period of the pool; one is \(example)"
                case .notOver(let period): "the period \(period) is not over"
                case .laterClosed(let period): "a period after \(period) has been closed before it"
                }
            throw Refusal(money: words)
        }
    }

    static func text(_ refusal: LedgerRefusal) -> String {
        switch refusal {
        case .idTaken(let id): "entry '\(id)' was booked before with other contents"
        case .amountOutOfRange(let amount): "an amount of \(amount.count) fen cannot be booked"
        case .sameAccountTwice(let account): "account \(account) is on both sides"
        case .belowFloor(let account, let balance):
            "account \(account) would have \(balance.count) fen"
        case .nothingToReverse(let id): "there is no charge '\(id)'"
        case .sumOutOfRange(let account):
            "\(account) would come to more than \(Fen.sumMaximum.yuanText) CNY"
        }
    }
}

extension CentreState {
    /// Notes which budgets have come nearer to their end, for the log; a stretch that begins anew
    /// has none.
    mutating func watchBudgets(at instant: SimInstant) {
        for account in book.budgets.keys.sorted() {
            guard let standing = book.budgetStanding(of: account, at: instant) else { continue }
            let known = budgetAlarms[account] ?? .ok
            budgetAlarms[account] = standing.alarm
            if standing.alarm > known { effects.append(.budgetAlarm(account, standing)) }
        }
        budgetAlarms = budgetAlarms.filter { book.budgets[$0.key] != nil }
    }
}

extension Refusal {
    /// A refusal of something that has to do with money.
    init(money text: String) {
        body = ErrorBody(code: "money", text: text)
    }
}
