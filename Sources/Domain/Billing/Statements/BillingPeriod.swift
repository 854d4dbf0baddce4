public import Quantities

/// The time that a statement is about, in Asia/Shanghai.
public enum BillingPeriod: Hashable, Sendable, CustomStringConvertible {
    /// Everything so far.
    case all
    /// A month.
    case month(BillingMonth)
    /// A calendar year.
    case year(Int)

    /// Reads `YYYY-MM` or `YYYY`; nil for anything else.
    public init?(_ text: some StringProtocol) {
        if let month = BillingMonth(text) {
            self = .month(month)
        } else if text.utf8.count == 4, let year = decimal(text), (1970...9999).contains(year) {
            self = .year(year)
        } else {
            return nil
        }
    }

    /// `2026-11`, `2026` or `all`.
    public var description: String {
        switch self {
        case .all: "all"
        case .month(let month): month.description
        case .year(let year): String(year)
        }
    }

    /// Whether a month belongs to it.
    public func contains(_ month: BillingMonth) -> Bool {
        switch self {
        case .all: true
        case .month(let own): own == month
        case .year(let year): month.year == year
        }
    }

    /// Whether a month lies in it or before it.
    func reaches(_ month: BillingMonth) -> Bool {
        switch self {
        case .all: true
        case .month(let own): month <= own
        case .year(let year): month.year <= year
        }
    }

    /// The first instant of its first month; nil for everything.
    public var start: SimInstant? {
        switch self {
        case .all: nil
        case .month(let month): month.start
        case .year(let year): BillingMonth(year: year, month: 1).start
        }
    }

    /// The first instant after it; nil for everything.
    public var end: SimInstant? {
        switch self {
        case .all: nil
        case .month(let month): month.end
        case .year(let year): BillingMonth(year: year, month: 12).end
        }
    }

    /// Its last day; nil for everything.
    var lastDay: BillingDay? {
        switch self {
        case .all: nil
        case .month(let month): BillingDay(number: BillingDay(containing: month.end).number - 1)
        case .year(let year): BillingDay(year: year, month: 12, day: 31)
        }
    }
}

/// Whose statement it is.
public enum StatementHolder: Hashable, Sendable {
    /// One account.
    case account(String)
    /// An enterprise with all its accounts.
    case enterprise(String)
}
