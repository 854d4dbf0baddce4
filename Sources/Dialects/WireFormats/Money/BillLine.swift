/// A line of a bill: a quantity at a price, or an amount that has none.
///
/// Quantities are in 10⁻⁴ hours or TB-days, prices in µfen an hour or TB-day (10⁸ µfen are 1 CNY).
public struct BillLine: WireRecord {
    /// `core-hour`, `card-hour`, `node-hour`, `storage-tb-day`, `minimum`, `rounding` or `refund`.
    public var kind = ""
    /// Where it was used; empty where there is no price.
    public var platform = ""
    /// Its name for people.
    public var platformTitle = ""
    /// The partition, when the tariff line names one.
    public var partition: String?
    /// The tariff; empty where there is no price.
    public var tariff = ""
    /// From how many hours a month the price applies.
    public var tierFromHours: Int64?
    /// Up to how many; nil without a bound.
    public var tierUpToHours: Int64?
    /// What was held or stored.
    public var held: Int64?
    /// QOS factor × reservation factor. Unit: ppm.
    public var factorPPM: Int64?
    /// The quantity that the price is asked for: held × factors.
    public var quantity: Int64?
    /// The price before the discount of the customer's class.
    public var listPrice: Int64?
    /// What the class pays of it. Unit: thousandths.
    public var discount: Int64?
    /// The price that was asked.
    public var unitPrice: Int64?
    /// What the discount takes off. Unit: fen.
    public var discounted: Int64 = 0
    /// Quantity × unit price, rounded half up. Unit: fen.
    public var amount: Int64 = 0
    /// The tax rate inside it. Unit: ppm of the price without tax.
    public var vatPPM: Int64 = 0
    /// The tax inside it; the taxes of all lines add up to that of the bill. Unit: fen.
    public var vat: Int64 = 0

    /// Makes an empty line.
    public init() {}

    /// Names every member once, in the order in which they are written.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("kind", &kind)
        try fields("platform", &platform)
        try fields("platform_title", &platformTitle)
        try fields("partition", &partition)
        try fields("tariff", &tariff)
        try fields("tier_from_hours", &tierFromHours)
        try fields("tier_upto_hours", &tierUpToHours)
        try fields("held_e4", &held)
        try fields("factor_ppm", &factorPPM)
        try fields("quantity_e4", &quantity)
        try fields("list_price_microfen", &listPrice)
        try fields("discount_thousandths", &discount)
        try fields("unit_price_microfen", &unitPrice)
        try fields("discounted_fen", &discounted)
        try fields.required("amount_fen", &amount)
        try fields("vat_ppm", &vatPPM)
        try fields("vat_fen", &vat)
    }
}
