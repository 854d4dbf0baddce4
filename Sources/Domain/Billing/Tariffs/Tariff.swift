public import JobModel
public import Quantities

// A tariff says what an hour of a resource costs, where and when.
//
// Exactness. Prices are whole micro-fen an hour (0.10 CNY a core-hour = 10,000,000), held time is
// whole core-microseconds, factors are whole thousandths, so a fee is an exact integer over one
// fixed denominator (`ExactFee.perFen`). It is rounded once, at the end of the charge.
//
// Order: quantity × QOS factor × reservation factor → price of each moment × class discount, by
// volume tier → sum over resources → minimum charge → one rounding.

/// A price for an hour of one thing. Unit: µfen (10⁻⁶ fen; 1 CNY = 10⁸ µfen) an hour.
public struct HourlyPrice: Hashable, Comparable, Sendable, Codable {
    /// Micro-fen an hour.
    public var microFen: Int64

    /// The largest price that a tariff may ask: 10⁶ CNY an hour.
    public static let maximum = HourlyPrice(microFen: 100_000_000_000_000)

    /// Makes a price.
    public init(microFen: Int64) {
        self.microFen = microFen
    }

    /// Whether `left` is less than `right`.
    public static func < (left: Self, right: Self) -> Bool { left.microFen < right.microFen }

    /// The price times a factor.
    ///
    /// - Precondition: the product is a whole number of micro-fen.
    public static func * (price: Self, factor: Factor) -> Self {
        let (whole, rest) = (price.microFen * factor.thousandths)
            .quotientAndRemainder(dividingBy: 1_000)
        precondition(rest == 0, "\(price) × \(factor) is finer than a micro-fen")
        return HourlyPrice(microFen: whole)
    }

    /// The price in yuan without trailing zeros, at least two decimals: `0.10`, `0.125`.
    public var yuanText: String {
        let whole = microFen / 100_000_000
        var decimals = String(100_000_000 + microFen % 100_000_000).dropFirst()
        while decimals.utf8.count > 2, decimals.hasSuffix("0") { decimals.removeLast() }
        return "\(whole).\(decimals)"
    }
}

/// A multiplier in thousandths: 1.5 is 1500.
///
/// Two of them multiply to whole parts per million, so the product stays exact.
public struct Factor: Hashable, Sendable, Codable {
    /// Thousandths.
    public var thousandths: Int64

    /// Makes a factor.
    public init(thousandths: Int64) {
        self.thousandths = thousandths
    }

    /// No change.
    public static let one = Factor(thousandths: 1_000)
}

/// A stretch of time, half open: `from` belongs to it, `until` does not.
public struct Validity: Hashable, Sendable, Codable {
    /// The first instant; nil means since ever.
    public var from: SimInstant?
    /// The first instant after it; nil means for ever.
    public var until: SimInstant?

    /// Makes a stretch.
    public init(from: SimInstant? = nil, until: SimInstant? = nil) {
        self.from = from
        self.until = until
    }

    /// Since ever and for ever.
    public static let always = Validity()

    /// Whether `instant` lies in it.
    public func contains(_ instant: SimInstant) -> Bool {
        start <= instant && instant < end
    }

    private var start: SimInstant { from ?? SimInstant(microseconds: .min) }
    private var end: SimInstant { until ?? .distantFuture }

    /// Whether two stretches share a moment.
    public func overlaps(_ other: Validity) -> Bool {
        max(start, other.start) < min(end, other.end)
    }

    /// The part of `[start, end)` that lies in it; zero length when there is none.
    func clip(_ start: SimInstant, _ end: SimInstant) -> (start: SimInstant, end: SimInstant) {
        let clippedStart = max(start, from ?? start)
        return (clippedStart, max(clippedStart, min(end, until ?? end)))
    }
}

/// A step of a marginal volume scale.
public struct PriceTier: Hashable, Sendable, Codable {
    /// Up to this quantity in a month, in hours; nil in the last tier.
    public var upToHours: Int64?
    /// The price of an hour inside the step.
    public var price: HourlyPrice

    /// Makes a step.
    public init(upToHours: Int64? = nil, price: HourlyPrice) {
        self.upToHours = upToHours
        self.price = price
    }
}

/// The price of one resource on one platform or partition for a stretch of time.
public struct TariffLine: Hashable, Sendable, Codable {
    /// The partition; nil means all partitions of the platform.
    public var partition: String?
    /// The platform; nil means all platforms.
    public var platform: String?
    /// What is priced.
    public var resource: BilledResource
    /// When the line is in force. A job that runs across its border pays each price for its part.
    public var validity: Validity
    /// The steps, rising; the last is open. One step is a flat price.
    public var tiers: [PriceTier]
    /// For core-hours: a job that holds more memory than this for each of its cores pays for as
    /// many cores as its memory stands for. Nil where memory costs nothing.
    public var memoryPerCore: ByteCount?

    /// Makes a line.
    ///
    /// - Precondition: there is a tier, limits rise, and only the last has none.
    public init(
        partition: String? = nil,
        platform: String? = nil,
        resource: BilledResource,
        validity: Validity = .always,
        tiers: [PriceTier]
    ) {
        precondition(!tiers.isEmpty)
        precondition(tiers.last?.upToHours == nil)
        precondition(tiers.dropLast().allSatisfy { $0.upToHours != nil })
        precondition(
            zip(tiers, tiers.dropFirst()).allSatisfy { low, high in
                (low.upToHours ?? .max) < (high.upToHours ?? .max)
            }
        )
        self.partition = partition
        self.platform = platform
        self.resource = resource
        self.validity = validity
        self.tiers = tiers
    }

    /// Makes a line with a flat price.
    public init(
        partition: String? = nil,
        platform: String? = nil,
        resource: BilledResource,
        validity: Validity = .always,
        price: HourlyPrice
    ) {
        self.init(
            partition: partition,
            platform: platform,
            resource: resource,
            validity: validity,
            tiers: [PriceTier(price: price)]
        )
    }

    /// Whether all its hours cost nothing.
    var isFree: Bool { tiers.allSatisfy { $0.price.microFen == 0 } }

    /// What the volumes of the line are counted under. The same in a later tariff, so that a new
    /// price list does not begin every customer at zero again.
    struct Scope: Hashable, Sendable, Codable {
        var partition: String?
        var platform: String?
        var resource: BilledResource
        var from: SimInstant?
    }

    var scope: Scope {
        Scope(partition: partition, platform: platform, resource: resource, from: validity.from)
    }

    /// How many things of its resource the line counts for `usage`.
    func billedCount(of usage: JobUsage) -> Int64 {
        let held = usage.count(of: resource)
        guard resource == .coreHour, let memoryPerCore, let memory = usage.memory else {
            return held
        }
        let (share, rest) = memory.count.quotientAndRemainder(dividingBy: memoryPerCore.count)
        return max(held, rest > 0 ? share + 1 : share)
    }

    /// How closely the line names where `usage` ran: 2 its partition, 1 its platform, 0 everything;
    /// nil when it names another place.
    func closeness(to usage: JobUsage) -> Int? {
        if let partition { return partition == usage.partition ? 2 : nil }
        if let platform { return platform == usage.platform ? 1 : nil }
        return 0
    }

    /// The steps that the quantities `from ..< to` of a month fall into, each with the hours at
    /// which it begins and what falls into it; those with nothing are left out.
    ///
    /// Quantities are in microseconds × ppm, as `Tariff.charge` counts them.
    func forEachTier(
        from: Int128,
        to: Int128,
        _ body: (_ tier: PriceTier, _ startHours: Int64, _ quantity: Int128) -> Void
    ) {
        precondition(from <= to)
        var startHours: Int64 = 0
        for tier in tiers {
            let tierStart = Int128(startHours) * ExactFee.quantityPerHour
            let tierEnd =
                tier.upToHours.map { Int128($0) * ExactFee.quantityPerHour } ?? Int128.max
            let quantity = min(to, tierEnd) - max(from, tierStart)
            if quantity > 0 { body(tier, startHours, quantity) }
            startHours = tier.upToHours ?? startHours
        }
    }
}

/// A fee before its rounding: an exact fraction of a fen with one fixed denominator.
///
/// What is more than 10¹⁵ fen counts as that: whoever takes usage or prices in refuses them then.
public struct ExactFee: Hashable, Sendable {
    /// Micro-fen × microseconds of an hour × ppm.
    public var numerator: Int128

    /// Microseconds of an hour × ppm of the factors.
    static let quantityPerHour: Int128 = 3_600_000_000 * 1_000_000
    /// How many of the numerator make a fen.
    public static let perFen: Int128 = quantityPerHour * 1_000_000

    /// Makes a fee of at most 10¹⁵ fen.
    public init(numerator: Int128) {
        self.numerator = min(numerator, Self.numeratorMaximum)
    }

    /// What a quantity, in µs × ppm, costs.
    init(_ quantity: Int128, at price: HourlyPrice) {
        let (product, overflow) = quantity.multipliedReportingOverflow(by: Int128(price.microFen))
        self.init(numerator: overflow ? Self.numeratorMaximum : product)
    }

    private static let numeratorMaximum = Int128(Fen.maximum.count) * perFen

    /// No fee.
    public static let zero = ExactFee(numerator: 0)

    /// The largest fee: 10¹⁵ fen.
    static let maximum = ExactFee(numerator: numeratorMaximum)

    /// Adds in place, up to 10¹⁵ fen.
    public static func += (left: inout Self, right: Self) {
        left = Self(numerator: left.numerator + right.numerator)
    }

    /// The whole fen, rounded half up.
    public var roundedHalfUp: Fen {
        precondition(numerator >= 0)
        return Fen(Int64((numerator + Self.perFen / 2) / Self.perFen))
    }
}

extension Fen {
    /// The largest amount that a charge, claim or posting may have: 10¹⁵ fen.
    public static let maximum = Fen(1_000_000_000_000_000)

    /// The largest sum that payments, vouchers, an export or a file of claims may come to: 10¹⁸ fen.
    public static let sumMaximum = Fen(1_000_000_000_000_000_000)
}

/// The prices of a centre.
public struct Tariff: Hashable, Sendable, Codable {
    /// The name in files and on statements.
    public var id: String
    /// What it is, for people.
    public var title: String
    /// Prices. For each resource the lines that name a job's place most closely apply.
    public var lines: [TariffLine]
    /// Final states that are free. A node failure always is.
    public var freeStates: [EndState]
    /// Multipliers by quality of service; `normal` counts once unless it is listed.
    public var qosFactors: [String: Factor]
    /// The multiplier inside a paid reservation.
    public var reservationFactor: Factor
    /// What accounts of a class pay of each price; see `BillingAccount.classes`. Of several the
    /// least counts.
    public var classFactors: [String: Factor]
    /// The least that a charged run costs.
    public var minimumCharge: Fen
    /// Prices of storage.
    public var storage: [StorageLine] = []
    /// The value-added tax inside all prices. Unit: ppm of the price without it; compute services
    /// in China bear 6 %.
    public var vatPPM: Int64 = 60_000
    /// Vouchers that customers bring when the tariff comes into force.
    public var vouchers: [Voucher] = []

    /// Makes a tariff.
    public init(
        id: String,
        title: String = "",
        lines: [TariffLine],
        freeStates: [EndState] = [],
        qosFactors: [String: Factor] = [:],
        reservationFactor: Factor = .one,
        classFactors: [String: Factor] = [:],
        minimumCharge: Fen = .zero
    ) {
        self.id = id
        self.title = title
        self.lines = lines
        self.freeStates = freeStates
        self.qosFactors = qosFactors
        self.reservationFactor = reservationFactor
        self.classFactors = classFactors
        self.minimumCharge = minimumCharge
    }

    /// Whether the centre has a quality of service: `normal` and none always.
    public func knows(qos: String) -> Bool {
        ["", "normal"].contains(qos) || qosFactors[qos] != nil
    }

    /// Whether hours of a resource have a price where `usage` ran.
    public func prices(_ resource: BilledResource, of usage: JobUsage) -> Bool {
        !lineIndices(for: usage, resource).isEmpty
    }

    /// Whether a run that ended so is charged (design §9: node failure and requeue because of the
    /// system are free).
    public func isCharged(_ outcome: RunOutcome) -> Bool {
        switch outcome {
        case .ended(.nodeFail), .requeuedBySystem: false
        case .ended(let state): !freeStates.contains(state)
        case .requeuedByUser: true
        }
    }

    /// The tax inside `amount`, rounded half up to the fen.
    public func vat(in amount: Fen) -> Fen { vatInside(amount, ppm: vatPPM) }

    /// The indices of the lines that price `resource` where `usage` ran.
    func lineIndices(for usage: JobUsage, _ resource: BilledResource) -> [Int] {
        let fitting = lines.indices.filter {
            lines[$0].resource == resource && lines[$0].closeness(to: usage) != nil
        }
        let closest = fitting.compactMap { lines[$0].closeness(to: usage) }.max()
        return fitting.filter { lines[$0].closeness(to: usage) == closest }
    }
}
