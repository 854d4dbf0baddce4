public import Quantities

/// What an account owes and for what: `GET /v1/bill?account=A[&period=YYYY-MM|YYYY]`.
///
/// Money is in fen (1 CNY = 100 fen), held time in seconds, rounded down.
public struct BillStatement: WireRecord {
    /// The account.
    public var account = ""
    /// Its name for people.
    public var title = ""
    /// The number of the statement: another state of the books gives another one.
    public var number = ""
    /// Who issues it; nil when the centre does not say.
    public var issuer: BillIssuer?
    /// The number under which the customer pays tax.
    public var taxID: String?
    /// The contract, or several with `, ` between them.
    public var contract: String?
    /// The enterprise whose cap its grants count against.
    public var enterprise: String?
    /// The accounts that are summed up.
    public var accounts: [String] = []
    /// `YYYY-MM` or `YYYY` in Asia/Shanghai, or `all`.
    public var period = "all"
    /// The moment up to which the statement was made.
    public var asOf = SimInstant.epoch
    /// The tariff.
    public var tariff = ""
    /// Charges less what was given back.
    public var gross: Int64 = 0
    /// Charges given back in the period.
    public var refunded: Int64 = 0
    /// The subsidy of the period.
    public var subsidy: Int64 = 0
    /// What remains to be paid.
    public var net: Int64 = 0
    /// The tax inside the gross fee: of each account and month rounded once, and added up.
    public var vat: Int64 = 0
    /// The tax rate. Unit: ppm of the fee without tax.
    public var vatPPM: Int64 = 0
    /// What vouchers paid for charges of the period.
    public var vouchersUsed: Int64 = 0
    /// What is to be paid in money.
    public var cash: Int64 = 0
    /// What running jobs have reserved now.
    public var held: Int64 = 0
    /// What the account may still reserve; nil when it has no limit.
    public var available: Int64?
    /// What was owed when the period began; below zero is money paid in advance.
    public var opening: Int64 = 0
    /// Payments of the period.
    public var paid: Int64 = 0
    /// What is owed when the period ends: opening + cash − payments.
    public var closing: Int64 = 0
    /// Whether the period may still change: it is not over, or a run that began in it goes on.
    public var isProvisional = false
    /// Quantities at prices, and what has no price; they add up to the gross fee.
    public var lines: [BillLine] = []
    /// All runs together.
    public var total = BillRow()
    /// By platform.
    public var byPlatform: [BillRow] = []
    /// By final state.
    public var byState: [BillRow] = []
    /// By resource.
    public var byResource: [BillResource] = []
    /// By account, for an enterprise.
    public var byAccount: [BillRow] = []
    /// What `byGroup` is by: `user`, `project`, `platform` or `kernel`; nil when not asked for.
    public var grouping: String?
    /// By what was asked for.
    public var byGroup: [BillRow] = []
    /// The charges and refunds one by one; none unless asked for.
    public var charges: [BillCharge] = []
    /// Storage; nil when there was none.
    public var storage: BillStorage?
    /// The vouchers of the account.
    public var vouchers: [BillVoucher] = []
    /// What the rules granted.
    public var subsidies: [BillSubsidy] = []
    /// Operations that kernels counted and verified.
    public var verifiedFlop: Int64 = 0
    /// The jobs that measured them.
    public var verifiedJobs = 0
    /// What a petaflop of verified operations cost; nil when none were. Unit: fen.
    public var verifiedPetaflopPrice: Int64?
    /// The energy that jobs report; nil when none did. Unit: mJ.
    public var energyMillijoules: Int64?
    /// Whether any part of it is an estimate; nil when there is none.
    public var isEnergyEstimated: Bool?
    /// The energy of jobs that report none, from the power of their nodes; nil when there was none.
    /// Unit: mJ.
    public var modelledMillijoules: Int64?
    /// The carbon dioxide of both energies; nil when there was none, or no factor. Unit: g.
    public var carbonDioxideGrams: Int64?
    /// What a kilowatt-hour of the grid emits. Unit: mg CO₂ a kWh.
    public var gridFactor: Int64?
    /// Who published that, for which grid and year.
    public var gridSource: String?
    /// What a megawatt-hour of it cost; nil when there was none. Unit: fen.
    public var megawattHourPrice: Int64?
    /// The end of the ledger's hash chain when the statement was made, in hexadecimal; nil when
    /// the ledger is not stored.
    public var ledgerHead: String?

    /// Makes an empty statement.
    public init() {}

    /// Names every member once, in the order in which they are written.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("account", &account)
        try fields("title", &title)
        try fields("number", &number)
        try fields("issuer", &issuer)
        try fields("tax_id", &taxID)
        try fields("contract", &contract)
        try fields("enterprise", &enterprise)
        try fields("accounts", &accounts)
        try fields("period", &period)
        try fields("as_of", &asOf)
        try fields("tariff", &tariff)
        try fields.required("gross_fen", &gross)
        try fields("refunded_fen", &refunded)
        try fields.required("subsidy_fen", &subsidy)
        try fields.required("net_fen", &net)
        try fields("vat_fen", &vat)
        try fields("vat_ppm", &vatPPM)
        try fields("vouchers_used_fen", &vouchersUsed)
        try fields("cash_fen", &cash)
        try fields("opening_fen", &opening)
        try fields("payments_fen", &paid)
        try fields("closing_fen", &closing)
        try fields("provisional", &isProvisional)
        try fields("lines", &lines)
        try fields("held_fen", &held)
        try fields("available_fen", &available)
        try fields("total", &total)
        try fields("by_platform", &byPlatform)
        try fields("by_state", &byState)
        try fields("by_resource", &byResource)
        try fields("by_account", &byAccount)
        try fields("grouping", &grouping)
        try fields("by_group", &byGroup)
        try fields("charges", &charges)
        try fields("storage", &storage)
        try fields("vouchers", &vouchers)
        try fields("subsidies", &subsidies)
        try fields("verified_flop", &verifiedFlop)
        try fields("verified_jobs", &verifiedJobs)
        try fields("verified_petaflop_price", &verifiedPetaflopPrice)
        try fields("energy_mj", &energyMillijoules)
        try fields("energy_estimated", &isEnergyEstimated)
        try fields("modelled_energy_mj", &modelledMillijoules)
        try fields("co2_g", &carbonDioxideGrams)
        try fields("grid_mg_per_kwh", &gridFactor)
        try fields("grid_source", &gridSource)
        try fields("megawatt_hour_price", &megawattHourPrice)
        try fields("ledger_head", &ledgerHead)
    }
}

/// Jobs, what they held and what it cost.
public struct BillRow: WireRecord {
    /// The platform or state; empty for the total.
    public var name = ""
    /// Its name for people.
    public var title = ""
    /// The jobs.
    public var jobs = 0
    /// Cores × time. Unit: core·s.
    public var coreSeconds: Int64 = 0
    /// Cards × time. Unit: card·s.
    public var cardSeconds: Int64 = 0
    /// Nodes × time. Unit: node·s.
    public var nodeSeconds: Int64 = 0
    /// Cores × time that was not charged. Unit: core·s.
    public var freeCoreSeconds: Int64 = 0
    /// The fee.
    public var fee: Int64 = 0
    /// Charges less refunds, storage included; of accounts only.
    public var gross: Int64?
    /// The tax inside `gross`; of accounts only.
    public var vat: Int64?

    /// Makes an empty row.
    public init() {}

    /// Names every member once, in the order in which they are written.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields("name", &name)
        try fields("title", &title)
        try fields("jobs", &jobs)
        try fields("core_seconds", &coreSeconds)
        try fields("card_seconds", &cardSeconds)
        try fields("node_seconds", &nodeSeconds)
        try fields("free_core_seconds", &freeCoreSeconds)
        try fields("fee_fen", &fee)
        try fields("gross_fen", &gross)
        try fields("vat_fen", &vat)
    }
}

/// One resource of a bill.
public struct BillResource: WireRecord {
    /// `core-hour`, `card-hour` or `node-hour`.
    public var resource = ""
    /// How long it was held. Unit: one thing × s.
    public var seconds: Int64 = 0
    /// The fee.
    public var fee: Int64 = 0

    /// Makes an empty row.
    public init() {}

    /// Names every member once, in the order in which they are written.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields("resource", &resource)
        try fields("held_seconds", &seconds)
        try fields("fee_fen", &fee)
    }
}

/// Storage of a bill.
public struct BillStorage: WireRecord {
    /// Thousandths of a TB-day, rounded half up.
    public var milliTBDays: Int64 = 0
    /// The fee.
    public var fee: Int64 = 0

    /// Makes an empty row.
    public init() {}

    /// Names every member once, in the order in which they are written.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields("milli_tb_days", &milliTBDays)
        try fields("fee_fen", &fee)
    }
}

/// One voucher of a bill.
public struct BillVoucher: WireRecord {
    /// The number on it.
    public var id = ""
    /// What it was worth at first.
    public var face: Int64 = 0
    /// What is left of it.
    public var left: Int64 = 0
    /// The first day of usage that it pays for.
    public var validFrom: String?
    /// The first day after.
    public var validTo: String?

    /// Makes an empty row.
    public init() {}

    /// Names every member once, in the order in which they are written.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields("id", &id)
        try fields("face_fen", &face)
        try fields("left_fen", &left)
        try fields("valid_from", &validFrom)
        try fields("valid_to", &validTo)
    }
}

/// One subsidy rule of a bill.
public struct BillSubsidy: WireRecord {
    /// The rule.
    public var rule = ""
    /// What it is, for people.
    public var title = ""
    /// The year of the rule.
    public var year = 0
    /// Granted to this account in the period.
    public var granted: Int64 = 0
    /// The most that the enterprise may have in the year; nil for no bound.
    public var cap: Int64?
    /// What the enterprise has had of the year, with all its accounts.
    public var used: Int64 = 0
    /// What is left of the cap.
    public var left: Int64?
    /// The fee that the rate is taken of: `gross`, with tax, or `net`.
    public var taxBasis = "gross"

    /// Makes an empty row.
    public init() {}

    /// Names every member once, in the order in which they are written.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields("rule", &rule)
        try fields("title", &title)
        try fields("year", &year)
        try fields("granted_fen", &granted)
        try fields("cap_fen", &cap)
        try fields("cap_used_fen", &used)
        try fields("cap_left_fen", &left)
        try fields("tax_basis", &taxBasis)
    }
}
