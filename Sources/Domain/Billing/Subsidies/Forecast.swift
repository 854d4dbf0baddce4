import JobModel
public import Quantities

// What rules will cost, from a year of jobs.
//
// Sketch: 7.3 million jobs, some thousand payers, 366 days. A job is priced in integer arithmetic
// and added to the fees of its payer on its day; no object is made for it. Rules then see one claim
// for each payer and day, at most a million, in the order of days.

/// Fees of a workload by payer and day, and what rules would grant for them.
public struct Forecast: Sendable {
    /// Jobs that were priced.
    public private(set) var jobCount = 0
    /// Jobs of users without a tenant; they cost nothing here.
    public private(set) var strangerCount = 0
    /// Jobs that are longer or dearer than anything real, left out.
    public private(set) var absurdCount = 0

    struct Payer: Hashable, Sendable {
        var tenant: Tenant
        var isOnKeyPlatform: Bool
        var resource: BilledResource
        /// The price when it is one for all hours; else `Tariff.charge` is asked.
        var flatMicroFen: Int64?
    }

    /// The prices.
    public let tariff: Tariff
    /// Who runs the platforms, for rules that ask; nil when nobody says.
    public var provider: String?
    private let keyPlatforms: Set<String>
    /// What a job may hold so that its fee stays far below 10¹⁵ fen. Unit: µs × ppm.
    private let heldMaximum: Int128
    private(set) var payers: [Payer] = []
    /// By tenant without its user, and resource.
    private var positions: [Tenant: [BilledResource: Int]] = [:]
    private var payerOfNumber: [Int32: Int] = [:]
    private var tenantOfName: [String: Tenant] = [:]
    private var tenantOfAccount: [String: Tenant] = [:]
    private var volumes = VolumeCounter()
    private(set) var firstDay: BillingDay?
    /// Element `d` is day `firstDay + d`; its element `p` the fees of payer `p`. Unit: fen.
    private(set) var days: [[Int64]] = []
    private var month: (start: Int64, end: Int64) = (0, 0)

    /// A century; no trace is longer.
    private static let dayLimit = 36_525

    /// Makes an empty forecast.
    ///
    /// - Parameter keyPlatforms: the names of the key compute platforms.
    public init(tenants: [Tenant], tariff: Tariff, keyPlatforms: Set<String>) {
        self.tariff = tariff
        self.keyPlatforms = keyPlatforms
        let dearest = tariff.lines.flatMap(\.tiers).map(\.price).max() ?? .maximum
        heldMaximum =
            Int128(Fen.maximum.count) * ExactFee.perFen / 1_000 / Int128(max(1, dearest.microFen))
        for tenant in tenants {
            var identity = tenant
            identity.user = ""
            let main = payer(identity, tariff.mainResource(of: tenant.platform))
            if tenant.user == "*" {
                tenantOfAccount[tenant.account] = identity
            } else {
                tenantOfName[tenant.user] = identity
                // `01` is a name, and not the user 1 of a log.
                if let number = Int32(tenant.user), String(number) == tenant.user {
                    payerOfNumber[number] = main
                }
            }
        }
    }

    private mutating func payer(_ identity: Tenant, _ resource: BilledResource) -> Int {
        if let known = positions[identity]?[resource] { return known }
        positions[identity, default: [:]][resource] = payers.count
        let isMain = resource == tariff.mainResource(of: identity.platform)
        payers.append(
            Payer(
                tenant: identity,
                isOnKeyPlatform: keyPlatforms.contains(identity.platform),
                resource: resource,
                flatMicroFen: isMain ? tariff.flatMicroFen(of: identity) : nil
            )
        )
        return payers.count - 1
    }

    /// Prices one job and adds it to the fees of its user's payer, by the day of its end.
    ///
    /// - Parameter processors: cores; cards on a platform that sells only cards.
    public mutating func add(
        job: UInt32,
        user: Int32,
        processors: Int64,
        start: SimInstant,
        duration: SimDuration
    ) {
        guard let payer = payerOfNumber[user] else {
            strangerCount += 1
            return
        }
        guard isPayable(processors, duration),
            let lastDay = row(ofDayOf: start + duration, startedAt: start)
        else {
            absurdCount += 1
            return
        }
        let end = start + duration
        if start.microseconds < month.start || start.microseconds >= month.end {
            let current = BillingMonth(containing: start)
            month = (current.start.microseconds, current.end.microseconds)
        }
        guard let price = payers[payer].flatMicroFen, end.microseconds <= month.end else {
            let isCards = payers[payer].resource == .cardHour
            let run = JobUsage(
                id: .init(job),
                account: "",
                partition: "",
                platform: "",
                outcome: .ended(.completed),
                nodeCount: 0,
                coreCount: isCards ? 0 : processors,
                cardCount: isCards ? processors : 0,
                startedAt: start,
                endedAt: end
            )
            addInParts(run, of: payers[payer].tenant)
            return
        }
        let quantity = Int128(processors) * Int128(duration.microseconds) * 1_000_000
        let fee = ExactFee(numerator: quantity * Int128(price)).roundedHalfUp
        jobCount += 1
        add(fee, to: payer, row: lastDay)
    }

    /// Prices one run as it was, and adds it to the fees of its user's payer, or of its account's.
    public mutating func add(_ run: JobUsage) {
        guard let tenant = tenantOfName[run.user] ?? tenantOfAccount[run.account] else {
            strangerCount += 1
            return
        }
        addInParts(run, of: tenant)
    }

    /// A job across months, or under a tariff that is not flat: as the centre would charge it.
    private mutating func addInParts(_ run: JobUsage, of tenant: Tenant) {
        var run = run
        run.account = tenant.account
        run.platform = tenant.platform
        let parts = tariff.charge(for: run, classes: tenant.classes, volumes: &volumes)
        let rows = parts.map { row(ofDayOf: $0.endedAt, startedAt: $0.startedAt ?? $0.endedAt) }
        let fee = parts.reduce(into: Fen.zero) { $0 += $1.amount }
        guard fee < .maximum, rows.allSatisfy({ $0 != nil }) else {
            absurdCount += 1
            return
        }
        jobCount += 1
        for part in parts {
            // The rows of later parts may have moved those of earlier ones.
            guard let row = row(ofDayOf: part.endedAt, startedAt: part.startedAt ?? part.endedAt)
            else { continue }
            for fee in part.fees { add(fee.amount, to: payer(tenant, fee.resource), row: row) }
        }
    }

    private mutating func add(_ fee: Fen, to payer: Int, row: Int) {
        if days[row].count <= payer {
            days[row] += [Int64](repeating: 0, count: payers.count - days[row].count)
        }
        let (sum, overflow) = days[row][payer].addingReportingOverflow(fee.count)
        if overflow { absurdCount += 1 } else { days[row][payer] = sum }
    }

    /// The row of the day to which the last µs before `end` belongs; nil when the days would be more
    /// than a century.
    private mutating func row(ofDayOf end: SimInstant, startedAt start: SimInstant) -> Int? {
        let last = end.microseconds - (start < end ? 1 : 0)
        let day = BillingDay(number: (last + Self.offset) / Self.dayLength)
        let first = firstDay ?? day
        let row = Int(day.number - first.number)
        guard day.number >= 0, row < Self.dayLimit, row > -Self.dayLimit else { return nil }
        guard row < 0 else {
            firstDay = first
            while days.count <= row { days.append([]) }
            return row
        }
        guard days.count - row < Self.dayLimit else { return nil }
        days.insert(contentsOf: [[Int64]](repeating: [], count: -row), at: 0)
        firstDay = day
        return 0
    }

    private static let dayLength: Int64 = 86_400_000_000
    private static let offset = CivilTime.shanghaiOffsetSeconds * 1_000_000

    /// The platforms of tenants for which the tariff has no price of a core-hour or a card-hour, in
    /// order: their jobs cost nothing.
    public var platformsWithoutPrice: [String] {
        Set(payers.map(\.tenant.platform)).filter { !tariff.sells($0) }.sorted()
    }

    /// The fees of all payers. Unit: fen.
    public var totalFee: Int128 {
        days.reduce(0) { $0 + $1.reduce(0) { $0 + Int128($1) } }
    }

    /// The fees of all payers by month, in order. Unit: fen.
    public var monthlyFees: [Int128] {
        var sums: [BillingMonth: Int128] = [:]
        forEachFee { _, day, fee in sums[day.billingMonth, default: 0] += Int128(fee) }
        return sums.sorted { $0.key < $1.key }.map(\.value)
    }

    func forEachFee(_ body: (_ payer: Int, _ day: BillingDay, _ fee: Int64) -> Void) {
        guard let firstDay else { return }
        for (offset, fees) in days.enumerated() {
            let day = BillingDay(number: firstDay.number + Int64(offset))
            for (payer, fee) in fees.enumerated() where fee > 0 { body(payer, day, fee) }
        }
    }

    /// Whether a job is shorter than a century, and its fee far below 10¹⁵ fen at any price.
    private func isPayable(_ processors: Int64, _ duration: SimDuration) -> Bool {
        let century = SimDuration(seconds: Int64(Self.dayLimit) * 86_400)
        guard (1...Int64(Int32.max)).contains(processors), duration >= .zero, duration < century
        else { return false }
        let held = Int128(processors) * Int128(duration.microseconds) * 1_000_000
        return held < heldMaximum
    }
}

extension Tariff {
    /// Whether hours of cores or cards have a price on a platform.
    func sells(_ platform: String) -> Bool {
        let probe = JobUsage.probe(on: platform)
        return [.coreHour, .cardHour].contains { !lineIndices(for: probe, $0).isEmpty }
    }

    /// What a processor of a trace stands for on a platform: a card where only cards have a price.
    func mainResource(of platform: String) -> BilledResource {
        let probe = JobUsage.probe(on: platform)
        let sellsCores = !lineIndices(for: probe, .coreHour).isEmpty
        let sellsCards = !lineIndices(for: probe, .cardHour).isEmpty
        return !sellsCores && sellsCards ? .cardHour : .coreHour
    }

    /// The price of an hour when it is the same for all hours and runs; nil when it is not.
    func flatMicroFen(of tenant: Tenant) -> Int64? {
        let probe = JobUsage.probe(on: tenant.platform)
        let fitting = lineIndices(for: probe, mainResource(of: tenant.platform))
        guard minimumCharge == .zero, fitting.count == 1, let index = fitting.first,
            lines[index].validity == .always, lines[index].tiers.count == 1,
            !tenant.classes.contains(where: { classFactors[$0] != nil })
        else { return nil }
        return lines[index].tiers[0].price.microFen
    }
}

extension JobUsage {
    /// A run of which only the place matters.
    fileprivate static func probe(on platform: String) -> JobUsage {
        JobUsage(
            id: .init(0),
            account: "",
            partition: "",
            platform: platform,
            outcome: .ended(.completed),
            nodeCount: 0,
            coreCount: 0,
            startedAt: nil,
            endedAt: .epoch
        )
    }
}
