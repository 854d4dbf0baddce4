public import JobModel
public import Quantities

/// What one run of a job costs in one month.
///
/// A run that crosses a month end gives one part a month. Part k is round(fee up to boundary k) −
/// round(fee up to boundary k − 1), and inside a part each resource is cut off the running sum in
/// the same way, so months, resources and the whole always add up.
public struct ChargePart: Hashable, Sendable, Codable {
    /// The job.
    public var job: JobID
    /// Which run of the job; 0 is the first.
    public var attempt: Int32
    /// The account that pays.
    public var account: String
    /// Who submitted the job.
    public var user: String
    /// Where it ran.
    public var partition: String
    /// The platform of that partition.
    public var platform: String
    /// The tariff that was applied.
    public var tariff: String
    /// How the run ended.
    public var outcome: RunOutcome
    /// Whether runs that end so are charged.
    public var isCharged: Bool
    /// The month.
    public var month: BillingMonth
    /// The start of the part; nil when the job never started.
    public var startedAt: SimInstant?
    /// The end of the part.
    public var endedAt: SimInstant
    /// Nodes held.
    public var nodeCount: Int64
    /// Cores held.
    public var coreCount: Int64
    /// Cards held.
    public var cardCount: Int64
    /// Memory held; nil when it was not counted.
    public var memory: ByteCount?
    /// The quality of service.
    public var qos: String
    /// Whether it ran inside a paid reservation.
    public var isReserved: Bool
    /// Verified operations of the run; only in its last part.
    public var verifiedFlop: Int64?
    /// The energy of the run; only in its last part.
    public var energy: MeasuredEnergy?
    /// What its user counts its costs under; empty for nothing.
    public var project: String
    /// The program that it ran, where that is known; else empty.
    public var kernel: String
    /// The fee by resource, in the order of `BilledResource.allCases`; resources without a fee are
    /// left out.
    public var fees: [ResourceFee]

    /// The fee for one resource.
    public struct ResourceFee: Hashable, Sendable, Codable {
        /// The resource.
        public var resource: BilledResource
        /// The fee.
        public var amount: Fen

        /// Makes a fee.
        public init(resource: BilledResource, amount: Fen) {
            self.resource = resource
            self.amount = amount
        }
    }

    /// The fee of the part.
    public var amount: Fen { fees.reduce(into: .zero) { $0 += $1.amount } }

    /// The length of the part.
    public var duration: SimDuration { startedAt.map { endedAt - $0 } ?? .zero }

    /// How long it held `resource`. Unit: one thing × µs.
    public func held(_ resource: BilledResource) -> HeldTime {
        switch resource {
        case .coreHour: HeldTime(count: coreCount, for: duration)
        case .cardHour: HeldTime(count: cardCount, for: duration)
        case .nodeHour: HeldTime(count: nodeCount, for: duration)
        }
    }

    /// What makes the part unique: `charge/JOB.ATTEMPT/YYYY-MM`.
    public var entryID: String { "charge/\(job).\(attempt)/\(month)" }
}

/// How much of a tariff line each account has used in each month, for volume tiers.
public struct VolumeCounter: Hashable, Sendable, Codable {
    struct Key: Hashable, Sendable, Codable {
        var account: String
        var scope: TariffLine.Scope
        var month: BillingMonth
    }

    /// Microseconds × ppm; see `ExactFee.quantityPerHour`.
    private var quantities: [Key: Int128] = [:]

    /// Makes a counter in which nothing has been used.
    public init() {}

    /// The most that is counted in a month, and the most that one run adds: 2.7·10²¹ hours.
    static let maximum: Int128 = 10_000_000_000_000_000_000_000_000_000_000_000_000

    /// Adds `quantity`, at most the maximum, and says from where to where the account has moved.
    mutating func advance(_ key: Key, by quantity: Int128) -> (from: Int128, to: Int128) {
        let from = quantities[key] ?? 0
        let to = min(from + quantity, Self.maximum)
        quantities[key] = to
        return (from, to)
    }
}

extension Tariff {
    /// What `usage` costs, one part a month in order; at least one part, also for a run that is
    /// free or never started. No run costs more than 10¹⁵ fen (`Fen.maximum`): usage that reaches it
    /// is refused where it comes in.
    ///
    /// - Parameters:
    ///   - classes: the classes of the account, for discounts.
    ///   - volumes: what accounts have used so far; moved on by this run when it is charged.
    ///   - pricing: told of each step of the fee.
    public func charge(
        for usage: JobUsage,
        classes: [String] = [],
        volumes: inout VolumeCounter,
        pricing told: (PricingStep) -> Void = { _ in }
    ) -> [ChargePart] {
        guard let start = usage.startedAt, start < usage.endedAt else {
            return [
                part(
                    of: usage,
                    from: usage.startedAt == nil ? nil : usage.endedAt,
                    to: usage.endedAt,
                    fees: []
                )
            ]
        }
        guard isCharged(usage.outcome) else {
            return monthCuts(from: start, to: usage.endedAt).map { cut in
                part(of: usage, from: cut.start, to: cut.end, fees: [])
            }
        }
        let pricing = Pricing(
            resources: BilledResource.allCases.map { ($0, lineIndices(for: usage, $0)) },
            factorPPM: Int128(factorPPM(of: usage)),
            discount: discount(for: classes)
        )
        var sum = ExactFee.zero
        var billed = Fen.zero
        var parts = monthCuts(from: start, to: usage.endedAt).map { cut in
            var fees: [ChargePart.ResourceFee] = []
            for (resource, lineIndices) in pricing.resources {
                for lineIndex in lineIndices {
                    sum += fee(usage, lineIndex, cut, pricing, &volumes, told)
                }
                let amount = sum.roundedHalfUp - billed
                billed += amount
                if amount > .zero { fees.append(.init(resource: resource, amount: amount)) }
            }
            return part(of: usage, from: cut.start, to: cut.end, fees: fees)
        }
        if let last = parts.indices.last, sum.numerator > 0, billed < minimumCharge {
            parts[last].add(minimumCharge - billed, to: pricing.firstResource)
            told(.minimumCharge(minimumCharge - billed, parts[last].month))
        }
        return parts
    }

    private struct Pricing {
        var resources: [(resource: BilledResource, lineIndices: [Int])]
        var factorPPM: Int128
        var discount: Factor

        var firstResource: BilledResource {
            resources.first { !$0.lineIndices.isEmpty }?.resource ?? .coreHour
        }
    }

    private func fee(
        _ usage: JobUsage,
        _ lineIndex: Int,
        _ cut: (start: SimInstant, end: SimInstant),
        _ pricing: Pricing,
        _ volumes: inout VolumeCounter,
        _ told: (PricingStep) -> Void
    ) -> ExactFee {
        let line = lines[lineIndex]
        let (start, end) = line.validity.clip(cut.start, cut.end)
        let held = HeldTime(count: line.billedCount(of: usage), for: end - start)
        precondition(held >= .zero, "negative usage of job \(usage.id)")
        let month = BillingMonth(containing: cut.start)
        let key = VolumeCounter.Key(account: usage.account, scope: line.scope, month: month)
        let counted = held.microseconds.multipliedReportingOverflow(by: pricing.factorPPM)
        guard !counted.overflow, counted.partialValue <= VolumeCounter.maximum else {
            return line.isFree ? .zero : .maximum
        }
        let step = volumes.advance(key, by: counted.partialValue)
        var fee = ExactFee.zero
        line.forEachTier(from: step.from, to: step.to) { tier, tierStart, quantity in
            fee += ExactFee(quantity, at: tier.price * pricing.discount)
            let item = PricedItem(
                kind: .held(line.resource),
                platform: usage.platform,
                partition: line.partition,
                tariff: id,
                factorPPM: Int64(pricing.factorPPM),
                tierFromHours: tierStart,
                tierUpToHours: tier.upToHours,
                listMicroFen: tier.price.microFen,
                discount: pricing.discount
            )
            told(.quantity(quantity, item, month))
        }
        return fee
    }

    /// A step of a fee.
    public enum PricingStep {
        /// A quantity came under a price in a month. Unit: µs × ppm of the factors.
        case quantity(Int128, PricedItem, BillingMonth)
        /// The least that a run costs was more than its prices come to.
        case minimumCharge(Fen, BillingMonth)
    }

    private func factorPPM(of usage: JobUsage) -> Int64 {
        let qos = qosFactors[usage.qos] ?? .one
        return qos.thousandths * (usage.isReserved ? reservationFactor : .one).thousandths
    }

    private func discount(for classes: [String]) -> Factor {
        let thousandths = classes.compactMap { classFactors[$0]?.thousandths }.min()
        return Factor(thousandths: thousandths ?? 1_000)
    }

    private func part(
        of usage: JobUsage,
        from start: SimInstant?,
        to end: SimInstant,
        fees: [ChargePart.ResourceFee]
    ) -> ChargePart {
        ChargePart(
            job: usage.id,
            attempt: usage.attempt,
            account: usage.account,
            user: usage.user,
            partition: usage.partition,
            platform: usage.platform,
            tariff: id,
            outcome: usage.outcome,
            isCharged: isCharged(usage.outcome),
            month: BillingMonth(containing: start ?? end),
            startedAt: start,
            endedAt: end,
            nodeCount: usage.nodeCount,
            coreCount: usage.coreCount,
            cardCount: usage.cardCount,
            memory: usage.memory,
            qos: usage.qos,
            isReserved: usage.isReserved,
            verifiedFlop: end == usage.endedAt ? usage.verifiedFlop : nil,
            energy: end == usage.endedAt ? usage.energy : nil,
            project: usage.project,
            kernel: usage.kernel,
            fees: fees
        )
    }
}

extension ChargePart {
    fileprivate mutating func add(_ amount: Fen, to resource: BilledResource) {
        if let index = fees.firstIndex(where: { $0.resource == resource }) {
            fees[index].amount += amount
        } else {
            fees.append(ResourceFee(resource: resource, amount: amount))
            fees.sort { $0.resource < $1.resource }
        }
    }
}

/// `[start, end)` cut at the month ends of Asia/Shanghai.
func monthCuts(
    from start: SimInstant,
    to end: SimInstant
) -> [(start: SimInstant, end: SimInstant)] {
    var cuts: [(start: SimInstant, end: SimInstant)] = []
    var cutStart = start
    while cutStart < end {
        let cutEnd = min(end, BillingMonth(containing: cutStart).end)
        cuts.append((cutStart, cutEnd))
        cutStart = cutEnd
    }
    return cuts
}
