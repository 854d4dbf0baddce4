import JobModel
import Quantities

/// Computes every charge and grant of a ledger again, from the usage that its entries state.
///
/// Entries are taken in their order into fresh books. Where a run of a job is charged, the run is put
/// together from its parts and settled again; what the books then say must be, entry by entry, what
/// stands in the ledger. So a fee, a grant or a posting that does not follow is found, and so is an
/// entry that is missing or too much.
public struct LedgerAudit: Sendable {
    /// An entry that is not what it should be.
    public struct Difference: Error, Hashable, Sendable {
        /// The position in the ledger, from 1.
        public var position: Int
        /// The entry found; nil when the ledger ends too early.
        public var found: LedgerEntry?
        /// The entry that should stand there; nil when the entry cannot be booked at all.
        public var expected: LedgerEntry?
    }

    /// The books after the audit.
    public private(set) var book: BillingBook
    /// The runs that were computed again.
    public private(set) var runCount = 0
    /// The grants and withdrawals that were computed again.
    public private(set) var grantCount = 0

    /// Audits `entries`.
    ///
    /// - Parameter book: empty books with the tariff, rules and accounts of the centre.
    /// - Throws: the first difference.
    public init(_ entries: [LedgerEntry], book: BillingBook) throws(Difference) {
        self.book = book
        let runs = Self.usages(in: entries)
        var position = 0
        while position < entries.count {
            let entry = entries[position]
            let expected: [LedgerEntry]
            do throws(LedgerRefusal) {
                switch entry.subject {
                case .charge(let part):
                    runCount += 1
                    guard let usage = runs[Run(part)] else { preconditionFailure("\(entry.id)") }
                    expected = self.book.settle(usage)
                case .reversal(let id):
                    expected = try self.book.refund(id, at: entry.bookedAt)
                case .payment, .hold:
                    try self.book.restore(entry)
                    expected = [entry]
                case .grant, .release:
                    // Both follow a charge or reversal and were taken with it.
                    expected = []
                }
            } catch {
                throw Difference(position: position + 1, found: entry, expected: nil)
            }
            guard !expected.isEmpty else {
                throw Difference(position: position + 1, found: entry, expected: nil)
            }
            for entry in expected {
                let found = position < entries.count ? entries[position] : nil
                guard found == entry else {
                    throw Difference(position: position + 1, found: found, expected: entry)
                }
                if case .grant = entry.subject { grantCount += 1 }
                position += 1
            }
        }
    }

    private struct Run: Hashable {
        var job: JobID
        var attempt: Int32

        init(_ part: ChargePart) {
            job = part.job
            attempt = part.attempt
        }
    }

    /// The runs, put together from their parts: from the first start to the last end.
    private static func usages(in entries: [LedgerEntry]) -> [Run: JobUsage] {
        var usages: [Run: JobUsage] = [:]
        for entry in entries {
            guard case .charge(let part) = entry.subject else { continue }
            guard var usage = usages[Run(part)] else {
                usages[Run(part)] = part.usage
                continue
            }
            if let start = part.startedAt {
                usage.startedAt = min(start, usage.startedAt ?? start)
            }
            if part.endedAt >= usage.endedAt {
                usage.endedAt = part.endedAt
                usage.verifiedFlop = part.verifiedFlop
            }
            usages[Run(part)] = usage
        }
        return usages
    }
}

// MARK: - Claims out of the books

extension BillingBook {
    /// The fees and refunds of the books as claims, in the order of the ledger: what an enterprise
    /// would hand in.
    ///
    /// - Parameters:
    ///   - enterprise: nil for all.
    ///   - year: the calendar year of the fee or refund; nil for all.
    public func claims(of enterprise: String? = nil, year: Int? = nil) -> [SubsidyClaim] {
        var claims: [SubsidyClaim] = []
        for entry in ledger.entries {
            switch entry.subject {
            case .charge(let part): claims += self.claims(of: part)
            case .reversal(let id):
                guard case .charge(let part)? = ledger.entry(id)?.subject else { continue }
                claims += refunds(of: part, day: BillingDay(containing: entry.bookedAt))
            case .grant, .payment, .hold, .release: break
            }
        }
        return claims.filter { claim in
            enterprise ?? claim.enterprise == claim.enterprise
                && year ?? claim.date.civil.year == claim.date.civil.year
        }
    }

    /// What an enterprise was granted under a rule in a year of the rule, all its accounts together.
    public func granted(to enterprise: String, rule: String, year: Int) -> Int128 {
        ledger.entries.reduce(0) { sum, entry in
            guard case .grant(let grant) = entry.subject, grant.enterprise == enterprise,
                grant.rule == rule, grant.year == year
            else { return sum }
            return sum + Int128(grant.amount.count)
        }
    }

    /// What rules would grant for the fees of the books beyond what was granted: "the policy finds
    /// the enterprise".
    public func unclaimed(under rules: [SubsidyRule], year: Int? = nil) -> [Unclaimed] {
        let claims = self.claims()
        let evaluation = SubsidyEvaluation(rules: rules, claims: claims)
        return evaluation.beneficiaries.compactMap { row in
            guard year ?? row.year == row.year else { return nil }
            let granted = granted(to: row.beneficiary, rule: row.rule, year: row.year)
            guard row.granted > granted else { return nil }
            return Unclaimed(
                rule: row.rule,
                enterprise: row.beneficiary,
                year: row.year,
                fee: row.fee,
                entitled: row.granted,
                granted: granted
            )
        }
    }

    /// Money that an enterprise could have and has not.
    public struct Unclaimed: Hashable, Sendable {
        /// The rule.
        public var rule: String
        /// The enterprise.
        public var enterprise: String
        /// The year of the rule.
        public var year: Int
        /// Its eligible fees.
        public var fee: Int128
        /// What the rule gives for them.
        public var entitled: Int128
        /// What it was granted.
        public var granted: Int128
    }
}
