import JobModel
public import Quantities

// The ledger is a value: a list of entries that only grows, and the balances that follow from it.
//
//     charge    debit receivable:CUSTOMER     credit revenue:PLATFORM
//     grant     debit subsidy-fund:RULE       credit receivable:CUSTOMER
//     payment   debit cash:                   credit receivable:CUSTOMER
//     hold      debit hold:CUSTOMER           credit hold-control:
//     release   debit hold-control:           credit hold:CUSTOMER
//     voucher   debit voucher-fund:VOUCHER    credit receivable:CUSTOMER   when it is used
//
// A posting has one amount and two accounts, so debits equal credits by construction; the check
// below recomputes all balances from the entries all the same. Storage chains
// the canonical form of the entries by hash (Persistence); this type knows nothing of hashes.

/// Why an entry is not posted. Checked in this order; the first that applies is reported.
public enum LedgerRefusal: Error, Hashable, Sendable {
    /// The id was posted before with another content.
    case idTaken(String)
    /// A posting moves nothing, a negative amount, or more than 10¹⁵ fen.
    case amountOutOfRange(Fen)
    /// A posting has one account on both sides.
    case sameAccountTwice(LedgerAccount)
    /// A balance would go below zero where that means nothing.
    case belowFloor(LedgerAccount, balance: Fen)
    /// A reversal names no entry, or one that is itself a reversal.
    case nothingToReverse(String)
    /// Somebody's money would add up to more than 10¹⁸ fen.
    case sumOutOfRange(LedgerAccount)
}

/// Whether posting changed anything.
public enum PostingResult: Hashable, Sendable {
    /// The entry is new.
    case posted
    /// The very same entry was there; nothing changed.
    case alreadyPosted
}

/// Double-entry books: append only, idempotent by id.
public struct Ledger: Hashable, Sendable, Codable {
    private var booked = BookedEntries()
    /// How far a customer may go into debt; nil for a customer without limit.
    public private(set) var creditLimits: [String: Fen]

    /// Whether nothing was earned or granted yet.
    private(set) var hasOnlyPreparations = true

    /// Debits − credits.
    private var debitBalances: [LedgerAccount: Fen] = [:]

    /// Makes empty books.
    ///
    /// - Parameter creditLimits: by account; zero is a prepaid account.
    public init(creditLimits: [String: Fen] = [:]) {
        self.creditLimits = creditLimits
    }

    /// All entries in the order of their posting.
    public var entries: LedgerEntries { booked.list }

    /// The balance on the side on which the account grows.
    public func balance(of account: LedgerAccount) -> Fen {
        let debit = debitBalances[account] ?? .zero
        return account.kind.growsByDebit ? debit : -debit
    }

    /// All accounts with a posting, in order.
    public var accounts: [LedgerAccount] { debitBalances.keys.sorted() }

    /// The entry called `id`.
    public func entry(_ id: String) -> LedgerEntry? { booked.entry(id)?.entry }

    /// The entry called `id`, and its place in `entries`.
    func found(_ id: String) -> (place: Int, entry: LedgerEntry)? { booked.entry(id) }

    /// What a run holds that has not given it back.
    func openHold(of job: JobID, attempt: Int32) -> LedgerEntry? {
        booked.openHold(LedgerEntry.holdID(of: job, attempt: attempt))
    }

    /// What `customer` may still hold or spend, vouchers apart; nil when it has no limit.
    public func fundsAvailable(to customer: String) -> Fen? {
        guard let limit = creditLimits[customer] else { return nil }
        let owed = balance(of: LedgerAccount(.receivable, customer))
        let held = balance(of: LedgerAccount(.hold, customer))
        return limit - owed - held
    }

    /// Posts `entry` as a whole or not at all.
    ///
    /// A charge is never refused for want of money: the work is done.
    @discardableResult
    public mutating func post(_ entry: LedgerEntry) throws(LedgerRefusal) -> PostingResult {
        if let known = self.entry(entry.id) {
            guard known == entry else { throw .idTaken(entry.id) }
            return .alreadyPosted
        }
        try postNew(entry)
        return .posted
    }

    /// Posts an entry whose id was never given before.
    mutating func postNew(_ entry: LedgerEntry) throws(LedgerRefusal) {
        guard !booked.isRecent(entry.id) else { throw .idTaken(entry.id) }
        for posting in entry.postings {
            guard posting.amount > .zero, posting.amount <= .maximum else {
                throw .amountOutOfRange(posting.amount)
            }
            guard posting.debit != posting.credit else { throw .sameAccountTwice(posting.debit) }
        }
        try checkFloors(after: entry)
        for posting in entry.postings {
            debitBalances[posting.debit, default: .zero] += posting.amount
            debitBalances[posting.credit, default: .zero] -= posting.amount
        }
        if case .creditLimit(let account, let limit) = entry.subject {
            creditLimits[account] = limit
        }
        if !entry.subject.isPreparation { hasOnlyPreparations = false }
        booked.append(entry)
    }

    /// The entry that undoes the entry called `id`, to be posted.
    public func reversal(of id: String, at instant: SimInstant) throws(LedgerRefusal) -> LedgerEntry
    {
        guard let entry = entry(id) else { throw .nothingToReverse(id) }
        if case .reversal = entry.subject { throw .nothingToReverse(id) }
        return LedgerEntry(
            id: "reversal/\(id)",
            bookedAt: instant,
            subject: .reversal(of: id),
            postings: entry.postings.map {
                Posting(debit: $0.credit, credit: $0.debit, amount: $0.amount)
            }
        )
    }

    // MARK: Where the entries lie

    /// Lets earlier entries lie on a shelf only; all that were posted must be there.
    mutating func putAway(onto shelf: any LedgerShelf) { booked.putAway(onto: shelf) }

    /// Says where the entries lie that an image has not.
    mutating func look(on shelf: any LedgerShelf) { booked.look(on: shelf) }

    /// Takes back into memory what lies on a shelf only.
    mutating func takeBack(_ shelved: [LedgerEntry]) { booked.takeBack(shelved) }

    /// How many of the first entries lie on a shelf only.
    public var shelvedCount: Int { booked.missing }

    /// Why entries on the shelf cannot be read: what was computed since may be wrong. nil when all is well.
    public var failure: String? { booked.failure }

    /// Holds and their control account never go below zero: a release gives back what was held.
    private func checkFloors(after entry: LedgerEntry) throws(LedgerRefusal) {
        var change: [LedgerAccount: Fen] = [:]
        for posting in entry.postings {
            change[posting.debit, default: .zero] += posting.amount
            change[posting.credit, default: .zero] -= posting.amount
        }
        for account in change.keys.sorted() where Self.hasFloor(account) {
            let debit = (debitBalances[account] ?? .zero) + (change[account] ?? .zero)
            let balance = account.kind.growsByDebit ? debit : -debit
            guard balance >= .zero else { throw .belowFloor(account, balance: balance) }
        }
    }

    static func hasFloor(_ account: LedgerAccount) -> Bool {
        switch account.kind {
        case .hold, .holdControl: true
        case .receivable, .revenue, .subsidyFund, .cash, .voucherFund: false
        }
    }
}

/// Something that is never so in true books.
public enum LedgerFault: Error, Hashable, Sendable, CustomStringConvertible {
    /// An entry has an id that another one has.
    case idTwice(String)
    /// A posting moves nothing or a negative amount.
    case amountOutOfRange(entry: String, Fen)
    /// A balance is not what the entries add up to. Both are debits − credits.
    case balanceDiffers(LedgerAccount, stated: Fen, computed: Fen)
    /// The balances of all accounts do not add up to zero: debits differ from credits.
    case debitsDiffer(fromCreditsBy: Fen)
    /// A balance is below zero where that means nothing.
    case belowFloor(LedgerAccount, balance: Fen)

    /// One sentence for people.
    public var description: String {
        switch self {
        case .idTwice(let id): "entry '\(id)' stands there twice"
        case .amountOutOfRange(let id, let amount): "entry '\(id)' moves \(amount.count) fen"
        case .balanceDiffers(let account, let stated, let computed):
            "account \(account) has \(stated.count) fen, but its entries add up to \(computed.count)"
        case .debitsDiffer(let difference):
            "debits and credits of all accounts differ by \(difference.count) fen"
        case .belowFloor(let account, let balance):
            "account \(account) has \(balance.count) fen, which cannot be"
        }
    }
}

extension Ledger {
    /// What is wrong with the books; empty when balances follow from the entries, debits equal
    /// credits and nothing is below its floor. O(entries).
    public func faults() -> [LedgerFault] { Self.faults(of: entries, balances: debitBalances) }

    /// The faults of entries and of the balances (debits − credits) that are stated for them.
    static func faults(
        of entries: some Sequence<LedgerEntry>,
        balances: [LedgerAccount: Fen]
    ) -> [LedgerFault] {
        var faults: [LedgerFault] = []
        var ids: Set<String> = []
        var computed: [LedgerAccount: Fen] = [:]
        for entry in entries {
            if !ids.insert(entry.id).inserted { faults.append(.idTwice(entry.id)) }
            for posting in entry.postings {
                if posting.amount <= .zero {
                    faults.append(.amountOutOfRange(entry: entry.id, posting.amount))
                }
                computed[posting.debit, default: .zero] += posting.amount
                computed[posting.credit, default: .zero] -= posting.amount
            }
        }
        for account in Set(computed.keys).union(balances.keys).sorted() {
            let (stated, sum) = (balances[account] ?? .zero, computed[account] ?? .zero)
            if stated != sum {
                faults.append(.balanceDiffers(account, stated: stated, computed: sum))
            }
            let balance = account.kind.growsByDebit ? stated : -stated
            if hasFloor(account) && balance < .zero {
                faults.append(.belowFloor(account, balance: balance))
            }
        }
        let difference = balances.values.reduce(into: Fen.zero) { $0 += $1 }
        if difference != .zero { faults.append(.debitsDiffer(fromCreditsBy: difference)) }
        return faults
    }
}
