public import Quantities

// A subsidy rule is data: who, for what, on which basis, at which rate, up to which caps, out of
// which pool, beside which other rules. The parameters are those of the published rules of a dozen
// Chinese cities (2022–2025). A parameter that a published text leaves open is nil here and never
// restricts; its name stands in `assumptions`, so that a report can say what was assumed.

/// One subsidy rule with all its parameters.
public struct SubsidyRule: Hashable, Sendable, Codable {
    /// The name in files and reports: `teda-machine-hour`.
    public var id: String
    /// What it is, for people.
    public var title: String
    /// Who grants it, and where it is written.
    public var authority: Authority
    /// When it applies.
    public var validity: DayRange
    /// What a year is, for caps and pools.
    public var yearBasis: YearBasis
    /// Who may have it.
    public var who: Beneficiaries
    /// What it is for.
    public var what: Scope
    /// Which fee counts.
    public var basis: Basis
    /// Which share of the fee is granted.
    public var rate: Rate
    /// How much at most.
    public var caps: Caps
    /// The budget; nil when none is published.
    public var pool: Pool?
    /// How it stands beside other rules.
    public var stacking: Stacking
    /// How the money moves and what must be shown; printed, not computed with.
    public var procedure: Procedure
    /// What a refund does.
    public var clawback: Clawback
    /// How an entitlement becomes whole fen.
    public var rounding: Rounding
    /// Parameters that no published text gives, and what was assumed for each.
    public var assumptions: [String]

    /// Makes a rule; everything that is left out does not restrict.
    public init(
        id: String,
        title: String,
        authority: Authority = Authority(),
        validity: DayRange = DayRange(),
        yearBasis: YearBasis = .calendar,
        who: Beneficiaries,
        what: Scope = Scope(),
        basis: Basis = Basis(),
        rate: Rate,
        caps: Caps = Caps(),
        pool: Pool? = nil,
        stacking: Stacking = Stacking(),
        procedure: Procedure = Procedure(),
        clawback: Clawback = .onRefund,
        rounding: Rounding = .floorFen,
        assumptions: [String] = []
    ) {
        self.id = id
        self.title = title
        self.authority = authority
        self.validity = validity
        self.yearBasis = yearBasis
        self.who = who
        self.what = what
        self.basis = basis
        self.rate = rate
        self.caps = caps
        self.pool = pool
        self.stacking = stacking
        self.procedure = procedure
        self.clawback = clawback
        self.rounding = rounding
        self.assumptions = assumptions
    }

    /// TEDA's rule: enterprises, key compute platforms, up to 50 % of machine-hour fees, at most
    /// 2,000,000 CNY a calendar year and enterprise.
    ///
    /// Source: interview with TEDA's party secretary in 中国城市报, autumn 2025: 「对使用重点算力平台
    /// 的企业,按机时费用最高给予50%、每年最高200万元的资金支持」.
    public static let tedaMachineHour = SubsidyRule(
        id: "teda-machine-hour",
        title: "TEDA machine-hour subsidy (泰达机时补贴)",
        authority: Authority(name: "TEDA (Tianjin)", level: .district),
        who: Beneficiaries(classes: ["enterprise"]),
        what: Scope(onlyKeyPlatforms: true),
        rate: Rate(ppm: 500_000, isCeiling: true),
        caps: Caps(perEntityYear: Fen(200_000_000))
    )
}

extension SubsidyRule {
    /// Who grants a rule, and where it is written.
    public struct Authority: Hashable, Sendable, Codable {
        /// The office or place.
        public var name: String
        /// Its level; rules may exclude each other by level.
        public var level: Level
        /// The document.
        public var legalReference: String
        /// The version of the rule file.
        public var version: String

        /// Makes an authority.
        public init(
            name: String = "",
            level: Level = .city,
            legalReference: String = "",
            version: String = "1"
        ) {
            self.name = name
            self.level = level
            self.legalReference = legalReference
            self.version = version
        }
    }

    /// A level of government.
    public enum Level: String, Hashable, Sendable, CaseIterable, Codable {
        /// The state.
        case national
        /// A province or a city of that rank.
        case province
        /// A city.
        case city
        /// A district of a city.
        case district
    }

    /// Days from `first` to `last`, both belonging to it; nil is open.
    public struct DayRange: Hashable, Sendable, Codable {
        /// The first day.
        public var first: BillingDay?
        /// The last day.
        public var last: BillingDay?

        /// Makes a range.
        public init(first: BillingDay? = nil, last: BillingDay? = nil) {
            self.first = first
            self.last = last
        }

        /// Whether `day` belongs to it.
        public func contains(_ day: BillingDay) -> Bool {
            first.map { $0 <= day } ?? true && last.map { day <= $0 } ?? true
        }

        /// Whether two ranges share a day.
        public func overlaps(_ other: DayRange) -> Bool {
            let latestFirst = max(first?.number ?? .min, other.first?.number ?? .min)
            let earliestLast = min(last?.number ?? .max, other.last?.number ?? .max)
            return latestFirst <= earliestLast
        }
    }

    /// What a year is.
    public enum YearBasis: Hashable, Sendable, Codable {
        /// January to December.
        case calendar
        /// Twelve months from the first of a month; named after the year in which it begins.
        case fiscal(startMonth: Int)
        /// Twelve months from the day of the beneficiary's first claim.
        case anniversary
    }

    /// Who may have a grant.
    public struct Beneficiaries: Hashable, Sendable, Codable {
        /// Labels, any of which makes eligible; see `SubsidyClass`. Nil for everybody.
        public var classes: [String]?
        /// Places of registration, any of which will do; nil for all.
        public var registeredIn: [String]?
        /// Sectors, any of which will do; nil for all.
        public var sectors: [String]?
        /// Whether a supplier of the same group is excluded.
        public var excludesRelatedParty: Bool
        /// The most employees; nil for no bound.
        public var sizeMaximum: Int64?
        /// The enterprise must have been founded on this day or later.
        public var foundedFrom: BillingDay?
        /// Years without bad credit that must be shown; nil for none.
        public var creditCleanYears: Int64?
        /// Other things that the applicant must have; printed, not computed with.
        public var mustHave: [String]
        /// Who shares a yearly cap.
        public var aggregation: Aggregation

        /// Makes a description of beneficiaries.
        public init(
            classes: [String]?,
            registeredIn: [String]? = nil,
            sectors: [String]? = nil,
            excludesRelatedParty: Bool = false,
            sizeMaximum: Int64? = nil,
            foundedFrom: BillingDay? = nil,
            creditCleanYears: Int64? = nil,
            mustHave: [String] = [],
            aggregation: Aggregation = .entity
        ) {
            self.classes = classes
            self.registeredIn = registeredIn
            self.sectors = sectors
            self.excludesRelatedParty = excludesRelatedParty
            self.sizeMaximum = sizeMaximum
            self.foundedFrom = foundedFrom
            self.creditCleanYears = creditCleanYears
            self.mustHave = mustHave
            self.aggregation = aggregation
        }
    }

    /// Who shares a yearly cap.
    public enum Aggregation: String, Hashable, Sendable, CaseIterable, Codable {
        /// Each enterprise has its own.
        case entity
        /// All enterprises of a group share one.
        case group
    }

    /// What a grant is for.
    public struct Scope: Hashable, Sendable, Codable {
        /// Platforms, any of which will do; nil for all.
        public var platforms: [String]?
        /// Whether only key compute platforms count.
        public var onlyKeyPlatforms: Bool
        /// Who must run the platform, any of which will do; nil for anybody.
        public var providers: [String]?
        /// Kinds of resource, any of which will do; nil for all.
        public var resources: [String]?
        /// Kinds of resource that never count.
        public var excludedResources: [String]
        /// Purposes, any of which will do; nil for all.
        public var purposes: [String]?
        /// Contracts must be signed on this day or later.
        public var contractFrom: BillingDay?
        /// The longest contract. Unit: months.
        public var contractMonthsMaximum: Int64?
        /// What may be granted only to one beneficiary.
        public var oneGrantPer: OneGrantPer

        /// Makes a scope.
        public init(
            platforms: [String]? = nil,
            onlyKeyPlatforms: Bool = false,
            providers: [String]? = nil,
            resources: [String]? = nil,
            excludedResources: [String] = [],
            purposes: [String]? = nil,
            contractFrom: BillingDay? = nil,
            contractMonthsMaximum: Int64? = nil,
            oneGrantPer: OneGrantPer = .none
        ) {
            self.platforms = platforms
            self.onlyKeyPlatforms = onlyKeyPlatforms
            self.providers = providers
            self.resources = resources
            self.excludedResources = excludedResources
            self.purposes = purposes
            self.contractFrom = contractFrom
            self.contractMonthsMaximum = contractMonthsMaximum
            self.oneGrantPer = oneGrantPer
        }
    }

    /// What only one beneficiary may have a grant for.
    public enum OneGrantPer: String, Hashable, Sendable, CaseIterable, Codable {
        /// No such limit.
        case none
        /// A contract belongs to the first who claims for it.
        case contract
        /// An invoice belongs to the first claim for it.
        case invoice
    }

    /// Which fee counts.
    public struct Basis: Hashable, Sendable, Codable {
        /// The kind of fee.
        public var feeKind: FeeKind
        /// Whether VAT is taken off first, where a claim states it.
        public var isNetOfVAT: Bool
        /// Whether discounts are taken off first.
        public var isAfterDiscount: Bool
        /// The least fee in a year; below it nothing is granted, from it on everything counts.
        public var minimumYearFee: Fen

        /// Makes a basis.
        public init(
            feeKind: FeeKind = .invoiced,
            isNetOfVAT: Bool = false,
            isAfterDiscount: Bool = true,
            minimumYearFee: Fen = .zero
        ) {
            self.feeKind = feeKind
            self.isNetOfVAT = isNetOfVAT
            self.isAfterDiscount = isAfterDiscount
            self.minimumYearFee = minimumYearFee
        }
    }

    /// The kind of fee that counts.
    public enum FeeKind: String, Hashable, Sendable, CaseIterable, Codable {
        /// At list price.
        case list
        /// As invoiced.
        case invoiced
        /// Of the fee, what has been paid.
        case paid
        /// The amount of the contract.
        case contract
    }

    /// Which share of the fee is granted. Unit: ppm.
    public struct Rate: Hashable, Sendable, Codable {
        /// The rate; nil when none is published (then it must be set by hand).
        public var ppm: Int64?
        /// Whether the text says "up to": the office may grant less.
        public var isCeiling: Bool
        /// What the office grants under a ceiling; nil for the ceiling itself.
        public var grantedPPM: Int64?
        /// Rates by class, in the order of the file.
        public var byClass: [LabelledRate]
        /// Rates by kind of resource; one called `other` is for the rest.
        public var byResource: [LabelledRate]
        /// Marginal steps over the fee of a year; they replace `ppm`.
        public var tiers: [RateTier]
        /// What happens when several rates apply.
        public var combine: Combine

        /// Makes a rate.
        public init(
            ppm: Int64?,
            isCeiling: Bool = false,
            grantedPPM: Int64? = nil,
            byClass: [LabelledRate] = [],
            byResource: [LabelledRate] = [],
            tiers: [RateTier] = [],
            combine: Combine = .max
        ) {
            self.ppm = ppm
            self.isCeiling = isCeiling
            self.grantedPPM = grantedPPM
            self.byClass = byClass
            self.byResource = byResource
            self.tiers = tiers
            self.combine = combine
        }

        /// Whether no rate at all is known.
        public var isUnknown: Bool {
            ppm == nil && grantedPPM == nil && byClass.isEmpty && byResource.isEmpty
                && tiers.isEmpty
        }
    }

    /// The rate of a class or resource.
    public struct LabelledRate: Hashable, Sendable, Codable {
        /// The class or resource.
        public var label: String
        /// Its rate.
        public var ppm: Int64

        /// Makes a rate.
        public init(_ label: String, ppm: Int64) {
            self.label = label
            self.ppm = ppm
        }
    }

    /// A marginal step.
    public struct RateTier: Hashable, Sendable, Codable {
        /// Up to this fee of the year; nil in the last step.
        public var upTo: Fen?
        /// The rate inside the step.
        public var ppm: Int64

        /// Makes a step.
        public init(upTo: Fen? = nil, ppm: Int64) {
            self.upTo = upTo
            self.ppm = ppm
        }
    }

    /// What happens when several rates apply.
    public enum Combine: String, Hashable, Sendable, CaseIterable, Codable {
        /// The highest.
        case max
        /// The base rate plus those of all classes that fit.
        case sum
        /// The first class in the file that fits.
        case first
    }

    /// The yearly cap of a class.
    public struct LabelledCap: Hashable, Sendable, Codable {
        /// The class.
        public var label: String
        /// Its cap.
        public var cap: Fen

        /// Makes a cap.
        public init(_ label: String, cap: Fen) {
            self.label = label
            self.cap = cap
        }
    }

    /// How much at most; nil for no bound.
    public struct Caps: Hashable, Sendable, Codable {
        /// For one claim.
        public var perLine: Fen?
        /// For one contract, over all years.
        public var perContract: Fen?
        /// For one beneficiary and year.
        public var perEntityYear: Fen?
        /// The same by class, instead of `perEntityYear`; of several the highest counts.
        public var perEntityYearByClass: [LabelledCap]
        /// For one beneficiary, over all years.
        public var perEntityLifetime: Fen?
        /// For all enterprises of a group and year.
        public var perGroupYear: Fen?
        /// The largest share of the fee. Unit: ppm.
        public var shareOfFeeMaximumPPM: Int64?

        /// Makes caps.
        public init(
            perLine: Fen? = nil,
            perContract: Fen? = nil,
            perEntityYear: Fen? = nil,
            perEntityYearByClass: [LabelledCap] = [],
            perEntityLifetime: Fen? = nil,
            perGroupYear: Fen? = nil,
            shareOfFeeMaximumPPM: Int64? = nil
        ) {
            self.perLine = perLine
            self.perContract = perContract
            self.perEntityYear = perEntityYear
            self.perEntityYearByClass = perEntityYearByClass
            self.perEntityLifetime = perEntityLifetime
            self.perGroupYear = perGroupYear
            self.shareOfFeeMaximumPPM = shareOfFeeMaximumPPM
        }
    }

    /// A budget.
    public struct Pool: Hashable, Sendable, Codable {
        /// How much there is in a period.
        public var amount: Fen
        /// The period.
        public var period: Period
        /// What happens when it does not suffice.
        public var exhaustion: Exhaustion
        /// Whether what is left goes into the next period.
        public var carriesOver: Bool
        /// Who pays which share; printed, not computed with.
        public var fundingSplit: String

        /// Makes a pool.
        public init(
            amount: Fen,
            period: Period = .year,
            exhaustion: Exhaustion = .firstCome,
            carriesOver: Bool = false,
            fundingSplit: String = ""
        ) {
            self.amount = amount
            self.period = period
            self.exhaustion = exhaustion
            self.carriesOver = carriesOver
            self.fundingSplit = fundingSplit
        }

        /// The period of a pool.
        public enum Period: String, Hashable, Sendable, CaseIterable, Codable {
            /// A year of the rule.
            case year
            /// A quarter of a year of the rule.
            case quarter
            /// Once and for all.
            case total
        }

        /// What happens when a pool does not suffice.
        public enum Exhaustion: String, Hashable, Sendable, CaseIterable, Codable {
            /// By date and claim id until it is empty.
            case firstCome = "first_come"
            /// Everybody gets the same share of the entitlement; decided when the period closes.
            case proRata = "pro_rata"
            /// First come; who went short is served from what refunds free.
            case waitlist
            /// First come; who went short is served first from the next period.
            case nextPeriod = "next_period"
        }
    }

    /// How a rule stands beside others on the same fee.
    public struct Stacking: Hashable, Sendable, Codable {
        /// A claim that another rule of one of these levels has granted gets nothing here.
        public var exclusiveLevels: [Level]
        /// Rules with a lower number come first; then by id.
        public var order: Int64
        /// All rules up to this one together grant at most this share of the fee. Unit: ppm.
        public var totalShareMaximumPPM: Int64

        /// Makes a stacking.
        public init(
            exclusiveLevels: [Level] = [],
            order: Int64 = 100,
            totalShareMaximumPPM: Int64 = 1_000_000
        ) {
            self.exclusiveLevels = exclusiveLevels
            self.order = order
            self.totalShareMaximumPPM = totalShareMaximumPPM
        }
    }

    /// How the money moves.
    public struct Procedure: Hashable, Sendable, Codable {
        /// Voucher, deduction, reimbursement.
        public var mode: String
        /// When claims are settled.
        public var settlement: String
        /// How many days after the fee a claim may be filed; nil for no bound.
        public var claimWindowDays: Int64?
        /// What an applicant hands in.
        public var evidence: [String]

        /// Makes a procedure.
        public init(
            mode: String = "",
            settlement: String = "",
            claimWindowDays: Int64? = nil,
            evidence: [String] = []
        ) {
            self.mode = mode
            self.settlement = settlement
            self.claimWindowDays = claimWindowDays
            self.evidence = evidence
        }
    }

    /// What takes a grant back.
    public enum Clawback: String, Hashable, Sendable, CaseIterable, Codable {
        /// A refund of the fee does.
        case onRefund = "on_refund"
        /// Only fraud does: a refund lowers what may still be granted, but takes nothing back.
        case onFraud = "on_fraud"
        /// Nothing does; as above.
        case none
    }

    /// How an entitlement becomes whole fen.
    public enum Rounding: String, Hashable, Sendable, CaseIterable, Codable {
        /// Down.
        case floorFen = "floor_fen"
        /// To the nearest, halves up.
        case halfUpFen = "half_up_fen"
    }
}

/// The labels by which rules and claims name kinds of applicants.
public enum SubsidyClass {
    /// All labels, in their canonical spelling.
    public static let known = [
        "enterprise", "tech_sme", "startup", "university", "institute", "maker", "broker",
        "individual", "software_firm", "manufacturer", "major_project_lead", "613_key_enterprise",
        "ai_institute", "national_project", "provincial_project",
    ]

    /// The canonical spelling of `label`; nil when it is not known. Case and separators do not
    /// matter: `Tech-SME` is `tech_sme`.
    public static func canonical(_ label: some StringProtocol) -> String? {
        let wanted = letters(label)
        return known.first { letters($0) == wanted }
    }

    private static func letters(_ label: some StringProtocol) -> String {
        label.lowercased().filter { !["-", "_", " "].contains($0) }
    }
}
