public import Quantities

/// A line of a statement: a quantity at a price, or an amount that has none.
public struct StatementLine: Hashable, Sendable {
    /// What the line is for.
    public enum Kind: Hashable, Sendable {
        /// A quantity at the price of a tariff line and tier.
        case priced(PricedItem)
        /// What runs cost beyond their prices, because of the least that a run costs.
        case minimumCharge
        /// What the charges, each rounded on its own, add up to beyond the other lines.
        case rounding
        /// Charges that were given back.
        case refund
    }

    /// What it is for.
    public var kind: Kind
    /// What was held or stored, before the factors. Unit: 10⁻⁴ hours or TB-days; rounded half up.
    public var heldCount: Int64
    /// The quantity that the price is asked for: held × factors. Unit as above; rounded half up.
    public var quantityCount: Int64
    /// The amount: quantity × unit price, both as they are printed, rounded half up.
    public var amount: Fen
    /// What the discount takes off the list price; zero or above.
    public var discounted: Fen
    /// The tax rate inside it. Unit: ppm of the price without tax.
    public var vatPPM: Int64
    /// The tax inside it.
    public var vat: Fen

    init(_ kind: Kind, amount: Fen, vatPPM: Int64) {
        self.kind = kind
        heldCount = 0
        quantityCount = 0
        self.amount = amount
        discounted = .zero
        self.vatPPM = vatPPM
        vat = .zero
    }

    /// A line for a quantity in the unit of `PricedQuantities`.
    init(_ item: PricedItem, _ quantity: Int128, vatPPM: Int64) {
        self.init(.priced(item), amount: .zero, vatPPM: vatPPM)
        let perUnit =
            switch item.kind {
            case .held: ExactFee.quantityPerHour
            case .storage: StorageLine.bytesPerTB
            }
        let isHeld = perUnit == ExactFee.quantityPerHour
        heldCount = Int64(
            clamping: isHeld
                ? halfUp(quantity, times: 10_000_000_000, over: Int128(item.factorPPM) * perUnit)
                : halfUp(quantity, times: 10_000, over: perUnit)
        )
        quantityCount = Int64(clamping: halfUp(quantity, times: 10_000, over: perUnit))
        amount = Self.price(quantityCount, microFen: item.unitMicroFen)
        discounted = Self.price(quantityCount, microFen: item.listMicroFen) - amount
    }

    private static func price(_ count: Int64, microFen: Int64) -> Fen {
        Fen(Int64(clamping: halfUp(Int128(count) * Int128(microFen), 10_000_000_000)))
    }
}

private func halfUp(_ numerator: Int128, _ denominator: Int128) -> Int128 {
    (2 * numerator + denominator) / (2 * denominator)
}

/// The same of a product, in lowest terms: what was held may fill most of the integer.
private func halfUp(_ count: Int128, times factor: Int128, over divisor: Int128) -> Int128 {
    var (common, rest) = (factor, divisor)
    while rest != 0 { (common, rest) = (rest, common % rest) }
    let (product, overflow) = count.multipliedReportingOverflow(by: 2 * (factor / common))
    guard !overflow else { return .max }
    return (product + divisor / common) / (2 * (divisor / common))
}

extension [StatementLine] {
    /// Shares the tax of the whole out over the lines so that they add up to it: each the whole fen
    /// of its own exact tax, and the fen that are left one each to the largest remainders, the first
    /// of equal ones first. The whole of several months is rounded once a month, so more fen may be
    /// left than there are lines; then each line has as many, and the rest goes so.
    ///
    /// - Parameter tax: of all lines together.
    mutating func shareOut(tax: Fen) {
        guard !isEmpty else { return }
        var left = Int128(tax.count)
        var remainders: [(remainder: Int128, index: Int)] = []
        for index in indices {
            let base = 1_000_000 + Int128(self[index].vatPPM)
            let exact = Int128(self[index].amount.count) * Int128(self[index].vatPPM)
            let floor = floored(exact, base)
            self[index].vat = Fen(Int64(floor))
            left -= floor
            remainders.append((exact - floor * base, index))
        }
        remainders.sort { ($1.remainder, $0.index) < ($0.remainder, $1.index) }
        let each = floored(left, Int128(count))
        for (rank, (_, index)) in remainders.enumerated() {
            let extra: Int128 = rank < Int(left - each * Int128(count)) ? 1 : 0
            self[index].vat += Fen(Int64(each + extra))
        }
    }
}

private func floored(_ numerator: Int128, _ denominator: Int128) -> Int128 {
    let (quotient, rest) = numerator.quotientAndRemainder(dividingBy: denominator)
    return rest < 0 ? quotient - 1 : quotient
}

/// The tax inside `amount`, rounded half up to the fen, away from zero below it.
func vatInside(_ amount: Fen, ppm: Int64) -> Fen {
    let sign: Int128 = amount < .zero ? -1 : 1
    let magnitude = sign * Int128(amount.count)
    let base = 1_000_000 + Int128(ppm)
    return Fen(Int64(sign * ((magnitude * Int128(ppm) + base / 2) / base)))
}

extension BillingBook {
    /// The lines of accounts and months, by platform and price; then what has no price. Their
    /// amounts add up to the gross fee, their taxes to `taxByRate`.
    func lines(
        _ months: [(account: String, month: BillingMonth, sums: AccountMonth)],
        taxByRate: [Int64: Fen]
    ) -> [StatementLine] {
        var quantities: [PricedItem: Int128] = [:]
        var minimum: [Int64: Fen] = [:]
        var gross: [Int64: Fen] = [:]
        var refunded: [Int64: Fen] = [:]
        for (account, month, sums) in months {
            for (tariff, amount) in sums.grossByTariff {
                gross[taxRate(of: tariff), default: .zero] += amount
            }
            for (tariff, amount) in sums.refundedByTariff {
                refunded[taxRate(of: tariff), default: .zero] += amount
            }
            guard let priced = self.quantities.sums(of: account, month) else { continue }
            quantities.merge(priced.quantities, uniquingKeysWith: +)
            for (tariff, amount) in priced.minimumCharges {
                minimum[taxRate(of: tariff), default: .zero] += amount
            }
        }
        var lines = quantities.sorted { $0.key.isListed(before: $1.key) }.map { item, quantity in
            StatementLine(item, quantity, vatPPM: taxRate(of: item.tariff))
        }
        for (rate, whole) in gross.sorted(by: { $0.key > $1.key }) {
            if let amount = minimum[rate] {
                lines.append(StatementLine(.minimumCharge, amount: amount, vatPPM: rate))
            }
            let refund = refunded[rate] ?? .zero
            let listed = lines.reduce(into: Fen.zero) {
                if $1.vatPPM == rate { $0 += $1.amount }
            }
            let rest = whole + refund - listed
            if rest != .zero { lines.append(StatementLine(.rounding, amount: rest, vatPPM: rate)) }
            if refund != .zero {
                lines.append(StatementLine(.refund, amount: .zero - refund, vatPPM: rate))
            }
        }
        return lines.sharing(taxByRate)
    }

    func taxRate(of tariff: String) -> Int64 { taxRates[tariff] ?? self.tariff.vatPPM }
}

extension [StatementLine] {
    fileprivate func sharing(_ taxByRate: [Int64: Fen]) -> Self {
        var lines = self
        for (rate, tax) in taxByRate {
            let places = lines.indices.filter { lines[$0].vatPPM == rate }
            var group = places.map { lines[$0] }
            group.shareOut(tax: tax)
            for (place, line) in zip(places, group) { lines[place] = line }
        }
        return lines
    }
}

extension PricedItem {
    /// Whether the item comes before another one on a statement.
    fileprivate func isListed(before other: PricedItem) -> Bool {
        func key(_ item: PricedItem) -> (String, Int, String, String) {
            let kind =
                switch item.kind {
                case .held(let resource): Int(resource.rawValue)
                case .storage: BilledResource.allCases.count
                }
            return (item.platform, kind, item.partition ?? "", item.tariff)
        }
        func price(_ item: PricedItem) -> (Int64, Int64, Int64, Int64) {
            (item.tierFromHours, item.listMicroFen, item.discount.thousandths, item.factorPPM)
        }
        return key(self) == key(other) ? price(self) < price(other) : key(self) < key(other)
    }
}
