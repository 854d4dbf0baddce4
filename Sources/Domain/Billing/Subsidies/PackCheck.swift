public import Quantities

// What an office looks for in the claim packs of several enterprises and centres: each is computed
// again alone by its rules, and all are held against each other.

/// A claim pack as an office received it.
public struct ReceivedPack: Sendable {
    /// The file.
    public var name: String
    /// Its claims.
    public var claims: [SubsidyClaim]
    /// Element `i` is what the centre says that it granted for claim `i`, by rule; nil when it does
    /// not say.
    public var granted: [[String: Fen]?]
    /// The rules that the centre applied, with their versions: `teda-machine-hour@1`.
    public var rules: Set<String>

    /// Makes a pack.
    public init(
        name: String,
        claims: [SubsidyClaim],
        granted: [[String: Fen]?],
        rules: Set<String>
    ) {
        self.name = name
        self.claims = claims
        self.granted = granted
        self.rules = rules
    }
}

/// What is wrong in claim packs, and what is to be looked at.
public struct PackCheck: Sendable {
    /// Something that keeps a pack from being paid.
    public enum Finding: Hashable, Sendable {
        /// The rules give another amount than the centre granted.
        case difference(pack: String, claim: String, rule: String, granted: Fen, computed: Fen)
        /// The centre applied another version of a rule.
        case otherVersion(pack: String, stated: String, given: String)
        /// One fee is claimed twice, in two packs.
        case claimTwice(claim: String, packs: [String], enterprises: [String])
        /// Two claims stand on one invoice.
        case invoiceTwice(invoice: String, packs: [String], enterprises: [String])
        /// An enterprise has more than its yearly cap, all packs together.
        case aboveCap(rule: String, beneficiary: String, year: Int, granted: Int128, cap: Fen)
        /// A pool paid more than it has, all packs together.
        case abovePool(rule: String, period: String, granted: Int128, pool: Fen)
    }

    /// What must be mended, in order.
    public private(set) var findings: [Finding] = []
    /// Names that may be one enterprise.
    public let lookAlikes: [[String]]
    /// What each pack was granted, and what the rules give for it alone.
    public private(set) var totals:
        [(pack: String, claims: Int, granted: Int128, computed: Int128)] =
            []

    private let rules: [SubsidyRule]

    /// Checks packs.
    ///
    /// - Parameter byOwnRules: whether each pack is computed by those of the rules that it names, as
    ///   far as it names any; else all are by all rules.
    /// - Precondition: the claims of each are those of a claims file, which is consistent.
    public init(_ packs: [ReceivedPack], rules: [SubsidyRule], byOwnRules: Bool = false) {
        self.rules = rules
        lookAlikes = PartyName.lookAlikes(among: packs.flatMap { $0.claims.map(\.enterprise) })
        for pack in packs { checkVersions(pack) }
        var evaluations: [SubsidyEvaluation] = []
        for pack in packs {
            let own = rules.filter { rule in
                !byOwnRules || pack.rules.isEmpty
                    || pack.rules.contains { $0.prefix { $0 != "@" } == rule.id }
            }
            let evaluation = SubsidyEvaluation(rules: own, claims: pack.claims)
            compare(pack, evaluation)
            evaluations.append(evaluation)
        }
        checkDoubles(packs)
        checkCaps(evaluations)
        checkPools(evaluations)
    }

    private mutating func checkVersions(_ pack: ReceivedPack) {
        for stated in pack.rules.sorted() {
            let id = stated.prefix { $0 != "@" }
            guard let rule = rules.first(where: { $0.id == id }) else { continue }
            let given = "\(rule.id)@\(rule.authority.version)"
            if given != stated {
                findings.append(.otherVersion(pack: pack.name, stated: stated, given: given))
            }
        }
    }

    private mutating func compare(_ pack: ReceivedPack, _ evaluation: SubsidyEvaluation) {
        var (granted, computed): (Int128, Int128) = (0, 0)
        for index in pack.claims.indices {
            for decision in evaluation.decisions.map({ $0[index] }) {
                computed += Int128(decision.granted.count)
                guard let stated = pack.granted[index] else { continue }
                let amount = stated[decision.rule] ?? .zero
                granted += Int128(amount.count)
                guard amount != decision.granted else { continue }
                findings.append(
                    .difference(
                        pack: pack.name,
                        claim: decision.claim,
                        rule: decision.rule,
                        granted: amount,
                        computed: decision.granted
                    )
                )
            }
        }
        totals.append((pack.name, pack.claims.count, granted, computed))
    }

    private mutating func checkDoubles(_ packs: [ReceivedPack]) {
        struct Fee: Hashable {
            var id: String
            var date: BillingDay
            var platform: String
            var amount: Fen
        }
        struct Place: Hashable {
            var pack: String
            var enterprise: String
        }
        var fees: [Fee: [Place]] = [:]
        var invoices: [String: [Place]] = [:]
        for pack in packs {
            for claim in pack.claims {
                let place = Place(pack: pack.name, enterprise: claim.enterprise)
                // Two centres may give one number; then day, place or amount differ.
                let fee = Fee(
                    id: claim.id,
                    date: claim.date,
                    platform: claim.platform,
                    amount: claim.fee
                )
                fees[fee, default: []].append(place)
                if claim.refundOf == nil, let invoice = claim.facts.invoice {
                    invoices[invoice, default: []].append(place)
                }
            }
        }
        let ordered = fees.sorted {
            let (one, other) = ($0.key, $1.key)
            return (one.id, one.date, one.platform, one.amount)
                < (other.id, other.date, other.platform, other.amount)
        }
        for (fee, places) in ordered where places.count > 1 {
            findings.append(
                .claimTwice(
                    claim: fee.id,
                    packs: places.map(\.pack),
                    enterprises: Set(places.map(\.enterprise)).sorted()
                )
            )
        }
        for (invoice, places) in invoices.sorted(by: { $0.key < $1.key })
        where Set(places).count > 1 {
            findings.append(
                .invoiceTwice(
                    invoice: invoice,
                    packs: Set(places.map(\.pack)).sorted(),
                    enterprises: Set(places.map(\.enterprise)).sorted()
                )
            )
        }
    }

    private mutating func checkCaps(_ evaluations: [SubsidyEvaluation]) {
        for rule in rules {
            var years: [SubsidyAccount.Period: (granted: Int128, cap: Fen?)] = [:]
            for row in evaluations.flatMap(\.beneficiaries) where row.rule == rule.id {
                let key = SubsidyAccount.Period(beneficiary: row.beneficiary, year: row.year)
                let known = years[key]
                let cap = [known?.cap, row.cap].compactMap(\.self).max()
                years[key] = ((known?.granted ?? 0) + row.granted, cap)
            }
            let rows = years.sorted {
                ($0.key.beneficiary, $0.key.year) < ($1.key.beneficiary, $1.key.year)
            }
            for (key, sum) in rows {
                guard let cap = sum.cap, sum.granted > Int128(cap.count) else { continue }
                findings.append(
                    .aboveCap(
                        rule: rule.id,
                        beneficiary: key.beneficiary,
                        year: key.year,
                        granted: sum.granted,
                        cap: cap
                    )
                )
            }
        }
    }

    /// Only pools of which nothing goes over to the next period, and which pay for no earlier one, have
    /// one amount for each.
    private mutating func checkPools(_ evaluations: [SubsidyEvaluation]) {
        for rule in rules {
            guard let pool = rule.pool, !pool.carriesOver, pool.exhaustion != .nextPeriod else {
                continue
            }
            var periods: [String: Int128] = [:]
            for state in evaluations.flatMap(\.pools) where state.rule == rule.id {
                periods[state.period, default: 0] += state.granted
            }
            for (period, granted) in periods.sorted(by: { $0.key < $1.key })
            where granted > Int128(pool.amount.count) {
                findings.append(
                    .abovePool(
                        rule: rule.id,
                        period: period,
                        granted: granted,
                        pool: pool.amount
                    )
                )
            }
        }
    }
}
