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

    /// In the order in which they are used.
    private var byAccount: [String: [Standing]] = [:]

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

    /// What an account could pay with vouchers for usage of `day`.
    func left(of account: String, on day: BillingDay) -> Fen {
        guard let list = byAccount[account] else { return .zero }
        return list.filter { $0.voucher.isValid(on: day) }.reduce(into: .zero) { $0 += $1.left }
    }

    /// The vouchers that pay `amount` for usage of `day`, and how much each. Changes nothing.
    func payment(of amount: Fen, by account: String, on day: BillingDay) -> [(id: String, Fen)] {
        var open = amount
        var payment: [(id: String, Fen)] = []
        for standing in byAccount[account] ?? []
        where standing.voucher.isValid(on: day) && standing.left > .zero && open > .zero {
            let part = min(open, standing.left)
            payment.append((standing.voucher.id, part))
            open -= part
        }
        return payment
    }

    /// Takes `amount` off a voucher; below zero gives it back.
    mutating func use(_ amount: Fen, of id: String, by account: String) {
        guard let place = byAccount[account]?.firstIndex(where: { $0.voucher.id == id }) else {
            preconditionFailure("account \(account) has no voucher \(id)")
        }
        byAccount[account]?[place].left -= amount
    }
}
