public import ClusterModel
import JobModel
public import Quantities

/// What an account or enterprise owes for a month, a year or all time: gross fee, subsidy, net, and
/// what for.
public struct Statement: Hashable, Sendable {
    /// The account; for an enterprise its name and title.
    public var account: BillingAccount
    /// The accounts that are summed up, in order.
    public var accountNames: [String]
    /// The period of the usage.
    public var period: BillingPeriod
    /// The moment up to which it was made.
    public var asOf: SimInstant
    /// The tariff.
    public var tariff: String
    /// All runs together.
    public var total: Usage
    /// By platform, in the order of the names.
    public var byPlatform: [Group]
    /// By final state of the job, in the order of the names.
    public var byOutcome: [Group]
    /// The fee by resource; resources without use are left out.
    public var byResource: [Resource]
    /// By account, in the order of the names; for an enterprise.
    public var byAccount: [Group]
    /// Storage: TB-days and what they cost; nil when there was none.
    public var storage: Storage?
    /// Charges given back in the period.
    public var refunded: Fen
    /// One row for each rule and year in which the account's enterprise may have a grant.
    public var subsidies: [Subsidy]
    /// What was verified that the money bought. Of a run that crosses months each has the share of
    /// its time, as of the fee. Unit: flop.
    public var verifiedFlop: Int128
    /// The jobs that measured it.
    public var verifiedJobCount: Int
    /// What those jobs cost.
    public var verifiedFee: Fen
    /// The energy that jobs of the period report, shared out alike. Unit: mJ.
    public var energyMillijoules: Int128
    /// Whether any part of it is an estimate.
    public var isEnergyEstimated: Bool
    /// What the jobs cost that report energy.
    public var energyFee: Fen
    /// The energy of runs that report none, from the power of their nodes. Unit: mJ.
    public var modelledMillijoules: Int128
    /// What vouchers paid for charges of the period.
    public var vouchersUsed: Fen
    /// The vouchers, with what is left of each.
    public var vouchers: [VoucherRow]
    /// What was owed when the period began; below zero is money paid in advance.
    public var opening: Fen
    /// Payments of the period.
    public var paid: Fen
    /// Whether the period may still change: it is not over, or a run that began in it has not ended.
    public var isProvisional: Bool
    /// Quantities at prices, and what has no price; they add up to the gross fee.
    public var lines: [StatementLine]
    /// By what else was asked for.
    public var byGroup: [Group]
    /// What `byGroup` is by; nil when it was not asked for.
    public var grouping: StatementGrouping?
    /// The charges and refunds one by one, when they were asked for; they add up to the gross fee.
    public var charges: [Charge]
    /// Who issues the statement; nil when nobody was named.
    public var issuer: Issuer?
    /// What running jobs have reserved now.
    public var held: Fen
    /// What the account may still reserve; nil when it has no limit.
    public var available: Fen?
    /// The tax rate inside all fees. Unit: ppm of the fee without it.
    public var vatPPM: Int64
    /// The tax inside the gross fee: of each account and month rounded once, and added up.
    public var vat: Fen

    /// The gross fee: charges less what was given back.
    public var gross: Fen { total.fee + (storage?.fee ?? .zero) - refunded }
    /// The gross fee without the tax inside it.
    public var grossWithoutVAT: Fen { gross - vat }
    /// What is to be paid in money.
    public var cash: Fen { net - vouchersUsed }
    /// What is owed when the period ends: opening + cash − payments. Below zero it is money that the
    /// centre keeps for the customer.
    public var closing: Fen { opening + cash - paid }
    /// The subsidy of the period.
    public var subsidy: Fen { subsidies.reduce(into: .zero) { $0 += $1.granted } }
    /// What remains to be paid.
    public var net: Fen { gross - subsidy }

    /// Jobs, what they held, and what it cost.
    public struct Usage: Hashable, Sendable {
        /// The jobs; one that was requeued or runs across months counts once.
        public var jobCount = 0
        /// Cores × time.
        public var coreTime = HeldTime.zero
        /// Cards × time.
        public var cardTime = HeldTime.zero
        /// Nodes × time.
        public var nodeTime = HeldTime.zero
        /// The fee.
        public var fee = Fen.zero
        /// Cores × time that was not charged.
        public var freeCoreTime = HeldTime.zero
    }

    /// A charge, or one that was given back.
    public struct Charge: Hashable, Sendable {
        /// What was charged.
        public enum Usage: Hashable, Sendable {
            /// A run in a month.
            case run(ChargePart)
            /// A day of storage.
            case storage(StorageCharge)
        }

        /// The entry of the ledger: of the charge, or of its reversal.
        public var entry: String
        /// What was charged.
        public var usage: Usage
        /// The fee; below zero what was given back.
        public var amount: Fen

        /// The number of the job; nil for storage.
        public var jobNumber: UInt32? {
            guard case .run(let part) = usage else { return nil }
            return part.job.number
        }
    }

    /// One row of a breakdown.
    public struct Group: Hashable, Sendable {
        /// The platform or state.
        public var name: String
        /// Its name for people.
        public var title: String
        /// What it comes to.
        public var usage: Usage
        /// The tax inside its gross fee; of accounts only.
        public var vat: Fen?
        /// Charges less refunds, storage included; of accounts only.
        public var gross: Fen?
    }

    /// What was kept, and what it cost.
    public struct Storage: Hashable, Sendable {
        /// Bytes × days.
        public var byteDays: Int128
        /// The fee.
        public var fee: Fen
    }

    /// One voucher.
    public struct VoucherRow: Hashable, Sendable {
        /// The voucher.
        public var voucher: Voucher
        /// What is left of it now.
        public var left: Fen
    }

    /// One row of the breakdown by resource.
    public struct Resource: Hashable, Sendable {
        /// The resource.
        public var resource: BilledResource
        /// How long it was held.
        public var held: HeldTime
        /// What it cost.
        public var fee: Fen
    }

    /// What one rule granted.
    public struct Subsidy: Hashable, Sendable {
        /// The rule.
        public var rule: String
        /// What it is, for people.
        public var title: String
        /// The year of the rule.
        public var year: Int
        /// Granted to this account in the period.
        public var granted: Fen
        /// The most that the enterprise may have in the year; nil for no bound.
        public var cap: Fen?
        /// What the enterprise, all its accounts, has had of the year up to the end of the period.
        public var used: Fen
        /// Whether the rule takes the tax off the fee first.
        public var isNetOfVAT: Bool

        /// What is left of the cap.
        public var left: Fen? { cap.map { max(.zero, $0 - used) } }
    }
}
