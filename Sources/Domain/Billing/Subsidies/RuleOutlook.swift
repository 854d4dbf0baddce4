/// What one rule would cost.
public struct RuleOutlook: Sendable {
    /// The rule.
    public var rule: SubsidyRule
    /// Months in order: all fees, and what the rule grants.
    public var months: [(month: BillingMonth, fee: Int128, granted: Int128)]
    /// Fees that customers run up because the rule makes computing cheaper; part of the fees of the
    /// months.
    public var inducedFee: Int128
    /// Beneficiaries that reach a cap, with the day, in order of days.
    public var capsReached: [(beneficiary: String, day: BillingDay)]
    /// The day on which the pool first falls short; nil when it never does.
    public var poolExhaustedOn: BillingDay?
    /// Enterprises by the size of their fees.
    public var sizes: [SizeClass]

    /// Everything that the rule grants.
    public var total: Int128 { months.reduce(0) { $0 + $1.granted } }

    /// Enterprises whose fees lie in a range.
    public struct SizeClass: Sendable {
        /// The least fee of the range. Unit: fen.
        public var from: Int64
        /// The enterprises.
        public var enterpriseCount = 0
        /// Their fees.
        public var fee: Int128 = 0
        /// What they are granted.
        public var granted: Int128 = 0

        /// Granted ÷ fee. Unit: ppm, rounded half up.
        public var effectiveRatePPM: Int64 {
            fee == 0 ? 0 : Int64((granted * 1_000_000 + fee / 2) / fee)
        }
    }
}
