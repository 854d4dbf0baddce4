/// Something that an operator does to the books: `POST /v1/money`.
public struct MoneyRequest: WireRequest {
    /// `pay`, `limit`, `budget`, `voucher`, `refund`, `storage` or `close-pool`.
    public var action = ""
    /// The account; of `pay`, `limit`, `budget` and `voucher`.
    public var account: String?
    /// The amount; of `pay`, `voucher`, and of `limit` and `budget`, where nil is none.
    public var amount: Int64?
    /// What makes a repeat harmless: the reference of a payment, the id of a voucher.
    public var reference: String?
    /// The first and the first day after; of `voucher`.
    public var validFrom: String?
    /// The first day after.
    public var validTo: String?
    /// The entry to give back, `charge/…`; of `refund`.
    public var entry: String?
    /// The rule; of `close-pool`.
    public var rule: String?
    /// The period, `2026`; of `close-pool`. Of `budget` how long it is meant to last: `month`,
    /// `quarter`, `year` or `total`.
    public var period: String?
    /// From which share on a budget warns; 80 when nil. Unit: percent, 1…100.
    public var warnPercent: Int64?
    /// The rows of a daily snapshot; of `storage`.
    public var storage: [StorageRecord] = []

    /// Makes a request that does nothing.
    public init() {}

    /// The requests in it.
    public static var parts: [String: any WireRequest.Type] { ["storage": StorageRecord.self] }

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("action", &action)
        try fields("account", &account)
        try fields("amount_fen", &amount)
        try fields("reference", &reference)
        try fields("valid_from", &validFrom)
        try fields("valid_to", &validTo)
        try fields("entry", &entry)
        try fields("rule", &rule)
        try fields("period", &period)
        try fields("warn_percent", &warnPercent)
        try fields("storage", &storage)
    }
}

/// What an account kept on a day.
public struct StorageRecord: WireRequest {
    /// The account.
    public var account = ""
    /// Where.
    public var platform = ""
    /// `YYYY-MM-DD`, in Asia/Shanghai.
    public var day = ""
    /// How much.
    public var bytes: Int64 = 0
    /// Where it stands in the file, for refusals; 0 when there is none.
    public var line = 0

    /// Makes an empty row.
    public init() {}

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("account", &account)
        try fields("platform", &platform)
        try fields.required("day", &day)
        try fields.required("bytes", &bytes)
        try fields("line", &line)
    }
}

/// What a `MoneyRequest` booked.
public struct MoneyResponse: WireRecord {
    /// The new entries by id; none when all was booked before.
    public var entries: [String] = []

    /// Makes an empty answer.
    public init() {}

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields("entries", &entries)
    }
}

/// The accounts of a centre and their money.
public struct AccountStandingList: WireRecord {
    /// The tariff in force.
    public var tariff = ""
    /// The subsidy rules in force.
    public var rules: [String] = []
    /// The accounts by name.
    public var accounts: [AccountStanding] = []

    /// Makes an empty list.
    public init() {}

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields("tariff", &tariff)
        try fields("rules", &rules)
        try fields("accounts", &accounts)
    }
}

/// One account and its money. Unit: fen.
public struct AccountStanding: WireRecord {
    /// The account.
    public var account = ""
    /// Its name for people.
    public var title = ""
    /// The enterprise that it belongs to.
    public var enterprise: String?
    /// What it owes; below zero is money paid in advance.
    public var balance: Int64 = 0
    /// What running jobs have reserved.
    public var held: Int64 = 0
    /// What is left of vouchers that are valid today.
    public var vouchers: Int64 = 0
    /// How far it may go into debt; nil for no limit.
    public var creditLimit: Int64?
    /// What it may still reserve; nil without a limit.
    public var available: Int64?
    /// What it means to spend, and how that stands; nil without a budget.
    public var budget: BudgetRecord?

    /// Makes an empty row.
    public init() {}

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("account", &account)
        try fields("title", &title)
        try fields("enterprise", &enterprise)
        try fields("balance_fen", &balance)
        try fields("held_fen", &held)
        try fields("vouchers_fen", &vouchers)
        try fields("credit_limit_fen", &creditLimit)
        try fields("available_fen", &available)
        try fields("budget", &budget)
    }
}

/// How a budget stands. Unit: fen.
public struct BudgetRecord: WireRecord {
    /// What is meant to be spent.
    public var amount: Int64 = 0
    /// How long it is meant to last: `month`, `quarter`, `year` or `total`.
    public var per = ""
    /// The current stretch: `2026-11`, `2026-Q4`, `2026` or `total`.
    public var span = ""
    /// From which share on it warns. Unit: percent.
    public var warnPercent: Int64 = 0
    /// The net fee of the stretch.
    public var spent: Int64 = 0
    /// What is left; below zero what was spent beyond it.
    public var left: Int64 = 0
    /// `ok`, `warning` or `exhausted`.
    public var alarm = ""
    /// The day on which it ends at the pace of the stretch; nil when it lasts or has ended.
    public var endsOn: String?

    /// Makes an empty record.
    public init() {}

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("amount_fen", &amount)
        try fields("per", &per)
        try fields("span", &span)
        try fields("warn_percent", &warnPercent)
        try fields("spent_fen", &spent)
        try fields("left_fen", &left)
        try fields("alarm", &alarm)
        try fields("ends_on", &endsOn)
    }
}

/// What a job would cost if it ran its whole limit. Unit: fen.
public struct PriceEstimate: WireRecord {
    /// The account that would pay.
    public var account = ""
    /// The tariff.
    public var tariff = ""
    /// How many elements of a job array the price is for.
    public var elements = 1
    /// The fee of one of them.
    public var grossEach: Int64 = 0
    /// The fee.
    public var gross: Int64 = 0
    /// The subsidy expected.
    public var subsidy: Int64 = 0
    /// What remains to be paid.
    public var net: Int64 = 0
    /// What single rules give.
    public var grants: [ExpectedGrantRecord] = []
    /// What the fee of one element is made of.
    public var resources: [BillResource] = []
    /// The enterprise that the account belongs to; nil when it belongs to none.
    public var enterprise: String?
    /// Whether any subsidy rule is in force.
    public var hasRules = false
    /// What the account may still reserve; nil without a limit.
    public var available: Int64?

    /// Makes an empty price.
    public init() {}

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields("account", &account)
        try fields("tariff", &tariff)
        try fields("elements", &elements)
        try fields("gross_each_fen", &grossEach)
        try fields.required("gross_fen", &gross)
        try fields.required("subsidy_fen", &subsidy)
        try fields.required("net_fen", &net)
        try fields("grants", &grants)
        try fields("resources", &resources)
        try fields("enterprise", &enterprise)
        try fields("has_rules", &hasRules)
        try fields("available_fen", &available)
    }
}

/// What one rule is expected to grant. Unit: fen.
public struct ExpectedGrantRecord: WireRecord {
    /// The rule.
    public var rule = ""
    /// The year of the rule.
    public var year = 0
    /// The grant.
    public var amount: Int64 = 0
    /// The cap of the enterprise in that year; nil for none.
    public var cap: Int64?
    /// What is left of it before this job.
    public var left: Int64?

    /// Makes an empty row.
    public init() {}

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields("rule", &rule)
        try fields("year", &year)
        try fields("granted_fen", &amount)
        try fields("cap_fen", &cap)
        try fields("cap_left_fen", &left)
    }
}
