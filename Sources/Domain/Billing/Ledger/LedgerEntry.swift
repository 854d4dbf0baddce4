public import JobModel
public import Quantities

/// An account of the centre's books.
public struct LedgerAccount: Hashable, Comparable, Sendable, CustomStringConvertible, Codable {
    /// What an account stands for, and on which side it grows.
    public enum Kind: UInt8, Hashable, Sendable, CaseIterable, Codable {
        /// What a customer owes the centre; below zero is money paid in advance. Grows by debit.
        case receivable
        /// What the centre has earned on a platform. Grows by credit.
        case revenue
        /// What the district owes the centre under a subsidy rule. Grows by debit.
        case subsidyFund
        /// Money received. Grows by debit.
        case cash
        /// Money of a customer that running jobs have reserved. Grows by debit.
        case hold
        /// The other side of all holds. Grows by credit.
        case holdControl
        /// What the issuer of a voucher owes the centre. Grows by debit.
        case voucherFund

        /// The name in the ledger.
        public var name: String {
            switch self {
            case .receivable: "receivable"
            case .revenue: "revenue"
            case .subsidyFund: "subsidy-fund"
            case .cash: "cash"
            case .hold: "hold"
            case .holdControl: "hold-control"
            case .voucherFund: "voucher-fund"
            }
        }

        /// Whether a debit makes the balance larger.
        public var growsByDebit: Bool {
            switch self {
            case .receivable, .subsidyFund, .cash, .hold, .voucherFund: true
            case .revenue, .holdControl: false
            }
        }
    }

    /// What the account stands for.
    public var kind: Kind
    /// Of whom or what: an account of the centre, a platform, a rule; may be empty.
    public var name: String

    /// Makes an account.
    public init(_ kind: Kind, _ name: String = "") {
        self.kind = kind
        self.name = name
    }

    /// `receivable:ACCOUNT`.
    public var description: String { "\(kind.name):\(name)" }

    /// Whether `left` is listed before `right`.
    public static func < (left: Self, right: Self) -> Bool {
        (left.kind.rawValue, left.name) < (right.kind.rawValue, right.name)
    }
}

/// One movement of money between two accounts.
public struct Posting: Hashable, Sendable, Codable {
    /// The account that is debited.
    public var debit: LedgerAccount
    /// The account that is credited.
    public var credit: LedgerAccount
    /// The amount, above zero.
    public var amount: Fen

    /// Makes a movement.
    public init(debit: LedgerAccount, credit: LedgerAccount, amount: Fen) {
        self.debit = debit
        self.credit = credit
        self.amount = amount
    }
}

/// A grant of a subsidy, or with a negative amount its withdrawal.
public struct Grant: Hashable, Sendable, Codable {
    /// The rule.
    public var rule: String
    /// The enterprise to which the cap applies.
    public var enterprise: String
    /// The account whose bill is lowered.
    public var account: String
    /// The platform where the fee arose.
    public var platform: String
    /// The year of the rule in which it counts.
    public var year: Int
    /// The month of the fee.
    public var month: BillingMonth
    /// The fee that it belongs to.
    public var claim: String
    /// The amount.
    public var amount: Fen

    /// Makes a grant.
    public init(
        rule: String,
        enterprise: String,
        account: String,
        platform: String,
        year: Int,
        month: BillingMonth,
        claim: String,
        amount: Fen
    ) {
        self.rule = rule
        self.enterprise = enterprise
        self.account = account
        self.platform = platform
        self.year = year
        self.month = month
        self.claim = claim
        self.amount = amount
    }
}

/// One line of the ledger. Never edited: a mistake is mended by a reversing entry.
public struct LedgerEntry: Hashable, Sendable, Codable {
    /// What the entry is about.
    public enum Subject: Hashable, Sendable, Codable {
        /// A run of a job was charged, or found free (then nothing is posted).
        case charge(ChargePart)
        /// A subsidy was granted or withdrawn.
        case grant(Grant)
        /// The entry called so is undone.
        case reversal(of: String)
        /// A customer paid, or was paid back.
        case payment(account: String, reference: String)
        /// A job reserved its largest possible fee at its start.
        case hold(job: JobID, attempt: Int32, account: String)
        /// The hold of a job was given back.
        case release(job: JobID, attempt: Int32, account: String)
        /// How far an account may go into debt was set; nil for no bound.
        case creditLimit(account: String, Fen?)
        /// A customer was given a voucher. Nothing is posted before it is used.
        case voucher(Voucher)
        /// A voucher paid for a charge.
        case redemption(voucher: String, account: String, claim: String)
        /// A day of storage was charged.
        case storage(StorageCharge)
        /// The pool of a rule was shared out, and its period is closed.
        case poolClosing(rule: String, period: String)
        /// What an account means to spend was set; nil for no budget.
        case budget(account: String, Budget?)

        /// What kind of entry it is.
        public var kind: Kind {
            switch self {
            case .charge: .charge
            case .grant: .grant
            case .reversal: .reversal
            case .payment: .payment
            case .hold: .hold
            case .release: .release
            case .creditLimit: .creditLimit
            case .voucher: .voucher
            case .redemption: .redemption
            case .storage: .storage
            case .poolClosing: .poolClosing
            case .budget: .budget
            }
        }

        /// Whether nothing was earned or granted with it.
        public var isPreparation: Bool {
            switch self {
            case .payment, .creditLimit, .voucher, .budget: true
            case .charge, .grant, .reversal, .hold, .release, .redemption, .storage, .poolClosing:
                false
            }
        }
    }

    /// The kinds of entries, each called as reports name several of it.
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// Charges of runs.
        case charge = "charges"
        /// Subsidies granted or withdrawn.
        case grant = "grants"
        /// Entries undone.
        case reversal = "reversals"
        /// Payments of customers, or to them.
        case payment = "payments"
        /// Largest possible fees, reserved.
        case hold = "holds"
        /// Holds given back.
        case release = "releases"
        /// Credit limits set.
        case creditLimit = "credit limits"
        /// Vouchers given.
        case voucher = "vouchers"
        /// Charges paid by vouchers.
        case redemption = "redemptions"
        /// Days of storage charged.
        case storage = "storage days"
        /// Pools shared out.
        case poolClosing = "pool closings"
        /// Budgets set.
        case budget = "budgets"
    }

    /// What makes a repeat harmless: an id is posted once.
    public var id: String
    /// When it was booked.
    public var bookedAt: SimInstant
    /// What it is about.
    public var subject: Subject
    /// The movements; each moves the same amount on both sides.
    public var postings: [Posting]

    /// Makes an entry.
    public init(id: String, bookedAt: SimInstant, subject: Subject, postings: [Posting]) {
        self.id = id
        self.bookedAt = bookedAt
        self.subject = subject
        self.postings = postings
    }

    /// The id of the entry that holds money for a run.
    static func holdID(of job: JobID, attempt: Int32) -> String { "hold/\(job).\(attempt)" }
}
