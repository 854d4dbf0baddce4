public import Quantities

/// A voucher (创新券): money of an issuer that a customer may spend on compute, before its own.
public struct Voucher: Hashable, Sendable {
    /// The number on it; unique in a centre.
    public var id: String
    /// The account that may use it.
    public var account: String
    /// What it is worth at first.
    public var face: Fen
    /// The first day of usage that it pays for; nil for since ever.
    public var from: BillingDay?
    /// The first day after; nil for ever.
    public var until: BillingDay?

    /// Makes a voucher.
    public init(
        id: String,
        account: String,
        face: Fen,
        from: BillingDay? = nil,
        until: BillingDay? = nil
    ) {
        self.id = id
        self.account = account
        self.face = face
        self.from = from
        self.until = until
    }

    /// Whether it pays for usage of `day`.
    public func isValid(on day: BillingDay) -> Bool {
        (from.map { $0 <= day } ?? true) && (until.map { day < $0 } ?? true)
    }
}

/// Vouchers and what is left of each. Those that end first are used first, then the smaller id.
struct VoucherBook: Hashable, Sendable {
    private struct Standing: Hashable, Sendable {
        var voucher: Voucher
        var left: Fen
    }

    /// What a voucher pays for a charge; below zero what it has back.
    struct Part: Hashable, Sendable {
        var voucher: String
        var amount: Fen
    }

    private struct Payment: Hashable, Sendable {
        /// What subsidies leave of the fee.
        var open: Fen
        /// In the order of their use.
        var parts: [Part]
    }

    /// In the order in which they are used.
    private var byAccount: [String: [Standing]] = [:]
    /// By charge; only charges for which vouchers paid.
    private var payments = ShardedDictionary<String, Payment>()

    mutating func add(_ voucher: Voucher) {
        var list = byAccount[voucher.account] ?? []
        let place = list.firstIndex { Self.comesBefore(voucher, $0.voucher) } ?? list.endIndex
        list.insert(Standing(voucher: voucher, left: voucher.face), at: place)
        byAccount[voucher.account] = list
    }

    private static func comesBefore(_ left: Voucher, _ right: Voucher) -> Bool {
        (left.until?.number ?? .max, left.id) < (right.until?.number ?? .max, right.id)
    }

    /// The vouchers of an account with what is left of each, in the order of their use.
    func vouchers(of account: String) -> [(voucher: Voucher, left: Fen)] {
        (byAccount[account] ?? []).map { ($0.voucher, $0.left) }
    }

    /// What an account could pay with vouchers for usage of `day`; nil for any day.
    func left(of account: String, on day: BillingDay? = nil) -> Fen {
        (byAccount[account] ?? []).reduce(into: .zero) { sum, standing in
            if day.map(standing.voucher.isValid) ?? true { sum += standing.left }
        }
    }

    /// Pays for a charge of which subsidies leave `open`; what each voucher pays.
    mutating func pay(_ open: Fen, of due: Due) -> [Part] {
        var rest = open
        var parts: [Part] = []
        for standing in byAccount[due.account] ?? []
        where standing.voucher.isValid(on: due.day) && standing.left > .zero && rest > .zero {
            let part = Part(voucher: standing.voucher.id, amount: min(rest, standing.left))
            use(part, by: due.account)
            parts.append(part)
            rest -= part.amount
        }
        if !parts.isEmpty { payments[due.claim] = Payment(open: open, parts: parts) }
        return parts
    }

    /// Takes back what vouchers paid too much for a charge because a grant came after them, from
    /// those that were used last; negative parts.
    mutating func giveBack(_ grant: Fen, of due: Due) -> [Part] {
        guard var payment = payments[due.claim] else { return [] }
        payment.open -= grant
        var excess = payment.parts.reduce(into: .zero - payment.open) { $0 += $1.amount }
        var parts: [Part] = []
        for index in payment.parts.indices.reversed() where excess > .zero {
            let amount = min(excess, payment.parts[index].amount)
            guard amount > .zero else { continue }
            let part = Part(voucher: payment.parts[index].voucher, amount: -amount)
            use(part, by: due.account)
            parts.append(part)
            payment.parts[index].amount -= amount
            excess -= amount
        }
        payments[due.claim] = payment
        return parts
    }

    /// Takes back all that vouchers paid for a charge.
    mutating func giveBackAll(of due: Due) {
        for part in payments[due.claim]?.parts ?? [] {
            use(Part(voucher: part.voucher, amount: -part.amount), by: due.account)
        }
        payments[due.claim] = nil
    }

    private mutating func use(_ part: Part, by account: String) {
        let list = byAccount[account]
        guard let place = list?.firstIndex(where: { $0.voucher.id == part.voucher }) else {
            preconditionFailure("account \(account) has no voucher \(part.voucher)")
        }
        byAccount[account]?[place].left -= part.amount
    }
}
