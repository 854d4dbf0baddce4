import Quantities

/// What the price of one tier of a tariff line was asked for: the key of a line of a statement.
public struct PricedItem: Hashable, Sendable, Codable {
    /// What a price is asked for.
    public enum Kind: Hashable, Sendable, Codable {
        /// Something that a run held, by the hour.
        case held(BilledResource)
        /// Storage, by the TB-day.
        case storage
    }

    /// What it is.
    public var kind: Kind
    /// Where it was used.
    public var platform: String
    /// The partition, when the tariff line names one.
    public var partition: String?
    /// The tariff.
    public var tariff: String
    /// QOS factor × reservation factor, by which the quantity is multiplied. Unit: ppm.
    public var factorPPM: Int64
    /// From how many hours a month the tier applies.
    public var tierFromHours: Int64
    /// Up to how many; nil for the last tier.
    public var tierUpToHours: Int64?
    /// The price of an hour or TB-day, before the discount of the customer's class. Unit: µfen.
    public var listMicroFen: Int64
    /// What the customer's class pays of it.
    public var discount: Factor

    /// The price that was asked. Unit: µfen.
    public var unitMicroFen: Int64 {
        (HourlyPrice(microFen: listMicroFen) * discount).microFen
    }
}

/// Quantities by account, month and price, as runs and days of storage are settled: what the lines
/// of statements say. They follow from the same steps as the fees, and are kept nowhere else.
struct PricedQuantities: Hashable, Sendable, Codable {
    struct Place: Hashable, Sendable, Codable {
        var account: String
        var month: BillingMonth
    }

    /// What of a month was priced.
    struct Sums: Hashable, Sendable, Codable {
        /// Held time in µs × ppm of the factors; storage in byte-days.
        var quantities: [PricedItem: Int128] = [:]
        /// What runs cost beyond their prices, because of the least that a run costs; by tariff.
        var minimumCharges: [String: Fen] = [:]
    }

    private var sums: [Place: Sums] = [:]

    /// What was priced for an account in a month.
    func sums(of account: String, _ month: BillingMonth) -> Sums? {
        sums[Place(account: account, month: month)]
    }

    mutating func add(_ quantity: Int128, of item: PricedItem, to place: Place) {
        sums[place, default: Sums()].quantities[item, default: 0] += quantity
    }

    mutating func addMinimumCharge(_ amount: Fen, tariff: String, to place: Place) {
        sums[place, default: Sums()].minimumCharges[tariff, default: .zero] += amount
    }
}
