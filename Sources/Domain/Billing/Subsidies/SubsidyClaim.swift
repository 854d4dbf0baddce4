public import Quantities

/// A fee for which a subsidy is asked, or with `refundOf` the return of such a fee.
///
/// What a claim leaves out (nil) is taken as the applicant says: it never restricts.
public struct SubsidyClaim: Hashable, Sendable, Codable {
    /// The name; unique in an evaluation.
    public var id: String
    /// The day of the fee, or of the refund.
    public var date: BillingDay
    /// Who claims.
    public var enterprise: String
    /// The group that it belongs to.
    public var group: String?
    /// Its labels, in canonical spelling; any eligible one counts.
    public var classes: [String]
    /// The platform that was used.
    public var platform: String
    /// Whether that is a key compute platform.
    public var isOnKeyPlatform: Bool
    /// The kind of resource.
    public var resource: String
    /// The fee; negative only for a refund.
    public var fee: Fen
    /// The claim whose fee is given back.
    public var refundOf: String?
    /// Its place in the books of the centre; claims that have one are taken in that order, and not by
    /// date and id.
    public var booked: Int64?
    /// Facts that some rules ask for.
    public var facts: Facts

    /// Makes a claim.
    public init(
        id: String,
        date: BillingDay,
        enterprise: String,
        group: String? = nil,
        classes: [String],
        platform: String,
        isOnKeyPlatform: Bool,
        resource: String,
        fee: Fen,
        refundOf: String? = nil,
        facts: Facts = Facts()
    ) {
        self.id = id
        self.date = date
        self.enterprise = enterprise
        self.group = group
        self.classes = classes
        self.platform = platform
        self.isOnKeyPlatform = isOnKeyPlatform
        self.resource = resource
        self.fee = fee
        self.refundOf = refundOf
        self.facts = facts
    }

    /// What a claim may say beside its fee; nil is "not stated".
    public struct Facts: Hashable, Sendable, Codable {
        /// The contract.
        public var contract: String?
        /// The day on which it was signed.
        public var contractDate: BillingDay?
        /// Its length. Unit: months.
        public var contractMonths: Int64?
        /// The invoice.
        public var invoice: String?
        /// How much of the fee has been paid.
        public var paid: Fen?
        /// VAT inside the fee.
        public var vat: Fen?
        /// A discount that the fee does not contain any more.
        public var discount: Fen?
        /// Where the enterprise is registered.
        public var registeredIn: String?
        /// Its sector.
        public var sector: String?
        /// What the computing was for.
        public var purpose: String?
        /// Whether the supplier belongs to the same group.
        public var isRelatedParty: Bool?
        /// Employees.
        public var size: Int64?
        /// When the enterprise was founded.
        public var foundedOn: BillingDay?
        /// Years without bad credit.
        public var creditCleanYears: Int64?
        /// The day on which the claim was filed.
        public var filedOn: BillingDay?
        /// Who runs the platform.
        public var provider: String?
        /// What this claim had of pools that others share when it was taken, by rule; where the pool
        /// was shared out at the end what it had then; of a refund what it gave back. An evaluation
        /// without the others cannot know it.
        public var poolShares: [String: Fen] = [:]
        /// What it had later, from a waiting list.
        public var poolServices: [PoolService] = []

        /// Makes facts of which nothing is stated.
        public init() {}
    }
}

/// What a pool gave to a claim that had waited for it.
public struct PoolService: Hashable, Sendable, Codable {
    /// The rule.
    public var rule: String
    /// The amount.
    public var amount: Fen
    /// The place in the books of the last claim that was taken before.
    public var after: Int64

    /// Makes a service.
    public init(rule: String, amount: Fen, after: Int64) {
        self.rule = rule
        self.amount = amount
        self.after = after
    }
}

/// Why a claim got what it got. The first of these that applies, in this order.
public enum GrantReason: String, Hashable, Sendable, CaseIterable {
    /// Dated before or after the rule.
    case outsideValidity = "outside_validity"
    /// None of its labels is among the beneficiaries.
    case classNotEligible = "class_not_eligible"
    /// The platform is not among those of the rule.
    case platformNotEligible = "platform_not_eligible"
    /// Who runs the platform is not among the providers of the rule.
    case providerNotEligible = "provider_not_eligible"
    /// The kind of resource is not covered.
    case resourceNotCovered = "resource_not_covered"
    /// The purpose is not covered.
    case purposeNotCovered = "purpose_not_covered"
    /// The enterprise is registered elsewhere.
    case notRegisteredHere = "not_registered_here"
    /// The sector is not among those of the rule.
    case sectorNotEligible = "sector_not_eligible"
    /// The enterprise is too large.
    case tooLarge = "too_large"
    /// The enterprise is too old.
    case foundedTooEarly = "founded_too_early"
    /// The supplier is a related party.
    case relatedParty = "related_party"
    /// Too few years without bad credit.
    case creditNotClean = "credit_not_clean"
    /// The contract was signed before the rule.
    case contractTooEarly = "contract_too_early"
    /// The contract is too long.
    case contractTooLong = "contract_too_long"
    /// Another beneficiary, or for invoices another claim, has a grant for it already.
    case alreadyGranted = "already_granted"
    /// Filed after the claim window.
    case filedTooLate = "filed_too_late"
    /// A rule of a level that this one excludes has granted this claim.
    case exclusiveLevel = "exclusive_level"
    /// No rate is given for these classes or this resource.
    case noRate = "no_rate"
    /// A refund of a fee that was not eligible.
    case refundOfIneligible = "refund_of_ineligible"
    /// A refund: the withdrawal of what was granted for the fee.
    case refund = "refund"
    /// A refund of a fee under a rule that takes nothing back.
    case noClawback = "no_clawback"
    /// The fees of the year are below the least that the rule asks for.
    case belowMinimumFee = "below_minimum_fee"
    /// The share of the fee, of this rule or of all together, is used up.
    case shareLimit = "share_limit"
    /// The cap of the line or contract holds some or all back.
    case contractCap = "contract_cap"
    /// The cap of the year is used up.
    case capReached = "cap_reached"
    /// The cap of the year left only a part.
    case capPartial = "cap_partial"
    /// The pool is empty.
    case poolExhausted = "pool_exhausted"
    /// The pool left only a part.
    case poolPartial = "pool_partial"
    /// The pool was shared out in proportion.
    case proRata = "pro_rata"
    /// Granted in full.
    case granted = "granted"
    /// Less than a fen.
    case belowOneFen = "below_one_fen"
}

/// What one rule says to one claim.
public struct GrantDecision: Hashable, Sendable {
    /// The rule.
    public var rule: String
    /// The claim.
    public var claim: String
    /// The grant; negative for a withdrawal.
    public var granted: Fen
    /// Why.
    public var reason: GrantReason
    /// The year of the rule in which it counts.
    public var year: Int

    /// Makes a decision.
    public init(rule: String, claim: String, granted: Fen, reason: GrantReason, year: Int) {
        self.rule = rule
        self.claim = claim
        self.granted = granted
        self.reason = reason
        self.year = year
    }
}
