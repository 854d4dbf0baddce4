import JobModel
import Quantities

/// Everything that one account has moved in one month, summed up.
///
/// Each entry of the ledger belongs to exactly one month of a statement, so that the movements of
/// all months add up to what the account owes:
///
/// - charges, storage, and what vouchers pay for them: the month of the usage;
/// - grants: the month that they name, which is that of their booking when they came late;
/// - refunds, payments, and what a voucher has back: the month of their booking.
struct AccountMonth {
    /// Jobs, what they held, and what it cost.
    struct Sum {
        var usage = Statement.Usage()
        var jobs: Set<JobID> = []

        mutating func add(_ part: ChargePart) {
            jobs.insert(part.job)
            usage.coreTime += part.held(.coreHour)
            usage.cardTime += part.held(.cardHour)
            usage.nodeTime += part.held(.nodeHour)
            usage.fee += part.amount
            if !part.isCharged { usage.freeCoreTime += part.held(.coreHour) }
        }

        mutating func add(_ other: Sum) {
            jobs.formUnion(other.jobs)
            usage.coreTime += other.usage.coreTime
            usage.cardTime += other.usage.cardTime
            usage.nodeTime += other.usage.nodeTime
            usage.fee += other.usage.fee
            usage.freeCoreTime += other.usage.freeCoreTime
        }

        var finished: Statement.Usage {
            var usage = usage
            usage.jobCount = jobs.count
            return usage
        }
    }

    var total = Sum()
    /// What was kept on a platform is among its fees.
    var byPlatform: [String: Sum] = [:]
    var byOutcome: [String: Sum] = [:]
    /// By whatever else the statement is asked to be broken down.
    var byGroup: [String: Sum] = [:]
    var byResource: [BilledResource: Fen] = [:]
    var byteDays: Int128 = 0
    var storageFee = Fen.zero
    var refunded = Fen.zero
    /// Charges less refunds, by the tariff that bears their tax.
    var grossByTariff: [String: Fen] = [:]
    /// Refunds likewise.
    var refundedByTariff: [String: Fen] = [:]
    var granted = Fen.zero
    var vouchersUsed = Fen.zero
    var paid = Fen.zero
    var work = MeasuredSums()
    /// The entries that charge or give back, by place in the ledger; kept where jobs are listed.
    var chargeEntries: [Int] = []

    /// Charges less refunds.
    var gross: Fen { total.usage.fee + storageFee - refunded }

    /// By how much the month changes what the account owes.
    var movement: Fen { gross - granted - vouchersUsed - paid }

    /// Whether anything ran or was stored.
    var hasUsage: Bool { !total.jobs.isEmpty || byteDays > 0 }

    mutating func add(_ part: ChargePart, group: String?) {
        total.add(part)
        byPlatform[part.platform, default: Sum()].add(part)
        byOutcome[part.outcome.name, default: Sum()].add(part)
        if let group { byGroup[group, default: Sum()].add(part) }
        for fee in part.fees { byResource[fee.resource, default: .zero] += fee.amount }
        grossByTariff[part.tariff, default: .zero] += part.amount
        work.addFee(of: part)
    }

    mutating func add(_ other: AccountMonth) {
        total.add(other.total)
        byPlatform.merge(other.byPlatform) { $0.adding($1) }
        byOutcome.merge(other.byOutcome) { $0.adding($1) }
        byGroup.merge(other.byGroup) { $0.adding($1) }
        byResource.merge(other.byResource, uniquingKeysWith: +)
        byteDays += other.byteDays
        storageFee += other.storageFee
        refunded += other.refunded
        grossByTariff.merge(other.grossByTariff, uniquingKeysWith: +)
        refundedByTariff.merge(other.refundedByTariff, uniquingKeysWith: +)
        granted += other.granted
        vouchersUsed += other.vouchersUsed
        paid += other.paid
        work.add(other.work)
        chargeEntries += other.chargeEntries
    }
}

extension AccountMonth.Sum {
    fileprivate func adding(_ other: Self) -> Self {
        var sum = self
        sum.add(other)
        return sum
    }
}

/// What jobs measured: verified operations and energy.
struct MeasuredSums {
    var verifiedFlop: Int128 = 0
    var verifiedJobs: Set<JobID> = []
    var energyMillijoules: Int128 = 0
    var isEnergyEstimated = false
    var energyJobs: Set<JobID> = []
    /// Energy of runs that report none, from the power of their nodes. Unit: nJ.
    var modelledNanojoules: Int128 = 0
    /// What each job cost; only added up over sets, in no order that matters.
    private var feeByJob: [JobID: Fen] = [:]

    mutating func addFee(of part: ChargePart) {
        for fee in part.fees { feeByJob[part.job, default: .zero] += fee.amount }
    }

    /// Adds what a run measured, or the share of a month of it.
    mutating func add(_ part: ChargePart, share: (Int64) -> Int128) {
        if let flop = part.verifiedFlop {
            verifiedFlop += share(flop)
            verifiedJobs.insert(part.job)
        }
        if let energy = part.energy {
            energyMillijoules += share(energy.millijoules)
            isEnergyEstimated = isEnergyEstimated || energy.isEstimated
            energyJobs.insert(part.job)
        }
    }

    mutating func add(_ other: Self) {
        verifiedFlop += other.verifiedFlop
        verifiedJobs.formUnion(other.verifiedJobs)
        energyMillijoules += other.energyMillijoules
        isEnergyEstimated = isEnergyEstimated || other.isEnergyEstimated
        energyJobs.formUnion(other.energyJobs)
        modelledNanojoules += other.modelledNanojoules
        feeByJob.merge(other.feeByJob, uniquingKeysWith: +)
    }

    /// What some jobs cost.
    func fee(of jobs: Set<JobID>) -> Fen {
        jobs.reduce(into: .zero) { $0 += feeByJob[$1] ?? .zero }
    }
}
