public import Quantities

/// A voucher (创新券): money of an issuer that a customer may spend on compute, before its own.
public struct Voucher: Hashable, Sendable, Codable {
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
struct VoucherBook: Hashable, Sendable, Codable {
    private struct Standing: Hashable, Sendable, Codable {
        var voucher: Voucher
        var left: Fen
    }

    /// What a voucher pays for a charge; below zero what it has back.
    struct Part: Hashable, Sendable, Codable {
        var voucher: String
        var amount: Fen
    }

    /// A part of the usage of a charge.
    private struct Stretch: Hashable, Sendable, Codable {
        var start: SimInstant
        var end: SimInstant
    }

    private struct Payment: Hashable, Sendable, Codable {
        /// What subsidies leave of the fee.
        var open: Fen
        var stretches: [Stretch]
        /// By stretch of the usage, in the order of their use.
        var parts: [[Part]]
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

    /// Pays for a charge of which subsidies leave `open`: for each stretch of its usage, over which that
    /// is spread evenly, with the vouchers that are valid then. What each voucher pays.
    mutating func pay(_ open: Fen, of due: Due) -> [Part] {
        let stretches = stretches(of: due)
        var parts: [[Part]] = []
        for (stretch, fee) in zip(stretches, Self.spread(open, over: stretches)) {
            let day = BillingDay(containing: stretch.start)
            var rest = fee
            var inStretch: [Part] = []
            for standing in byAccount[due.account] ?? []
            where standing.voucher.isValid(on: day) && standing.left > .zero && rest > .zero {
                let part = Part(voucher: standing.voucher.id, amount: min(rest, standing.left))
                use(part, by: due.account)
                inStretch.append(part)
                rest -= part.amount
            }
            parts.append(inStretch)
        }
        guard parts.contains(where: { !$0.isEmpty }) else { return [] }
        payments[due.claim] = Payment(open: open, stretches: stretches, parts: parts)
        return Self.sums(parts.flatMap(\.self))
    }

    /// The usage of a charge, cut where vouchers of its account begin or end to be valid.
    private func stretches(of due: Due) -> [Stretch] {
        let borders = Set(
            (byAccount[due.account] ?? []).flatMap { [$0.voucher.from, $0.voucher.until] }
                .compactMap { $0?.start }.filter { due.start < $0 && $0 < due.end }
        )
        let cuts = [due.start] + borders.sorted() + [due.end]
        return zip(cuts, cuts.dropFirst()).map { Stretch(start: $0, end: $1) }
    }

    /// Cuts `amount` by the lengths of stretches, cumulatively and down.
    private static func spread(_ amount: Fen, over stretches: [Stretch]) -> [Fen] {
        guard stretches.count > 1, let start = stretches.first?.start, let end = stretches.last?.end
        else { return [amount] }
        let length = Int128((end - start).microseconds)
        var before = Fen.zero
        return stretches.map { stretch in
            let elapsed = Int128((stretch.end - start).microseconds)
            let until = Fen(Int64(Int128(amount.count) * elapsed / length))
            defer { before = until }
            return until - before
        }
    }

    /// One part a voucher, in the order of their first use.
    private static func sums(_ parts: [Part]) -> [Part] {
        var sums: [Part] = []
        for part in parts where part.amount != .zero {
            if let place = sums.firstIndex(where: { $0.voucher == part.voucher }) {
                sums[place].amount += part.amount
            } else {
                sums.append(part)
            }
        }
        return sums
    }

    /// Takes back what vouchers paid too much for a charge because a grant came after them, from
    /// those that were used last; negative parts.
    mutating func giveBack(_ grant: Fen, of due: Due) -> [Part] {
        guard var payment = payments[due.claim] else { return [] }
        payment.open -= grant
        var parts: [Part] = []
        // Vouchers that came since may cut the usage further; what was paid keeps its stretches.
        let fees = Self.spread(max(.zero, payment.open), over: payment.stretches)
        for (stretch, fee) in fees.enumerated().reversed() {
            var excess = payment.parts[stretch].reduce(into: .zero - fee) { $0 += $1.amount }
            for index in payment.parts[stretch].indices.reversed() where excess > .zero {
                let amount = min(excess, payment.parts[stretch][index].amount)
                guard amount > .zero else { continue }
                let part = Part(voucher: payment.parts[stretch][index].voucher, amount: -amount)
                use(part, by: due.account)
                parts.append(part)
                payment.parts[stretch][index].amount -= amount
                excess -= amount
            }
        }
        payments[due.claim] = payment
        return Self.sums(parts)
    }

    /// Whether vouchers paid for a charge that was not given back.
    func havePaid(for claim: String) -> Bool { payments[claim] != nil }

    /// Takes back all that vouchers paid for a charge.
    mutating func giveBackAll(of due: Due) {
        for part in payments[due.claim]?.parts.flatMap(\.self) ?? [] {
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
