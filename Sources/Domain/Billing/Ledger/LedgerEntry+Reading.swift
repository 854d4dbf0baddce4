import JobModel
import Quantities

// The canonical text read back: each entry gives its own again (`LedgerEntry+CanonicalText`).

extension LedgerEntry {
    /// Reads the canonical text of an entry; nil for what is none.
    public init?(canonicalText line: String) {
        var fields = CanonicalFields(line)
        guard fields.word() == "1", let id = fields.text(), let bookedAt = fields.instant(),
            let count: Int = fields.number(), (0...LedgerEntry.mostPostings).contains(count)
        else { return nil }
        var postings: [Posting] = []
        for _ in 0..<count {
            guard let debit = fields.account(), let credit = fields.account(),
                let amount = fields.fen()
            else { return nil }
            postings.append(Posting(debit: debit, credit: credit, amount: amount))
        }
        guard let subject = Subject(&fields, id: id), fields.isAtEnd else { return nil }
        self.init(id: id, bookedAt: bookedAt, subject: subject, postings: postings)
    }

    /// The most movements that are read of one entry; the book makes one each.
    private static let mostPostings = 64
}

extension LedgerEntry.Subject {
    fileprivate init?(_ fields: inout CanonicalFields, id: String) {
        guard let kind = fields.word() else { return nil }
        switch kind {
        case "charge":
            guard let part = ChargePart(&fields) else { return nil }
            self = .charge(part)
        case "grant":
            guard let grant = Grant(&fields) else { return nil }
            self = .grant(grant)
        case "reversal":
            guard let id = fields.text() else { return nil }
            self = .reversal(of: id)
        case "payment":
            guard let account = fields.text(), let reference = fields.text() else { return nil }
            self = .payment(account: account, reference: reference)
        case "hold", "release":
            guard let job: UInt32 = fields.number(), let attempt: Int32 = fields.number(),
                let account = fields.text()
            else { return nil }
            self =
                kind == "hold"
                ? .hold(job: JobID(job), attempt: attempt, account: account)
                : .release(job: JobID(job), attempt: attempt, account: account)
        case "credit-limit":
            guard let account = fields.text(), let limit: Int64? = fields.optional() else {
                return nil
            }
            self = .creditLimit(account: account, limit.map { Fen($0) })
        case "voucher":
            guard let voucher = Voucher(&fields) else { return nil }
            self = .voucher(voucher)
        case "redemption":
            guard let voucher = fields.text(), let account = fields.text(),
                let claim = fields.text()
            else { return nil }
            self = .redemption(voucher: voucher, account: account, claim: claim)
        case "storage":
            guard let charge = StorageCharge(&fields, entryID: id) else { return nil }
            self = .storage(charge)
        case "budget":
            guard let account = fields.text(), let amount: Int64? = fields.optional(),
                let span = fields.word(), let percent: Int64? = fields.optional()
            else { return nil }
            guard let amount, let percent else {
                guard amount == nil, percent == nil, span == "-" else { return nil }
                self = .budget(account: account, nil)
                return
            }
            guard let span = Budget.Span(rawValue: String(span)) else { return nil }
            let budget = Budget(amount: Fen(amount), span: span, warnPercent: percent)
            self = .budget(account: account, budget)
        case "pool-closing":
            guard let rule = fields.text(), let period = fields.text() else { return nil }
            self = .poolClosing(rule: rule, period: period)
        default: return nil
        }
    }
}

extension ChargePart {
    fileprivate init?(_ fields: inout CanonicalFields) {
        guard let job: UInt32 = fields.number(), let attempt: Int32 = fields.number(),
            let account = fields.text(), let user = fields.text(), let partition = fields.text(),
            let platform = fields.text(), let tariff = fields.text(),
            let outcome = fields.word().flatMap({ RunOutcome(name: $0) }),
            let isCharged = fields.choice("charged", "free"),
            let month = fields.word().flatMap({ BillingMonth($0) }),
            let startedAt: Int64? = fields.optional(), let endedAt = fields.instant(),
            let nodes: Int64 = fields.number(), let cores: Int64 = fields.number(),
            let cards: Int64 = fields.number(), let memory: Int64? = fields.optional(),
            let qos = fields.text(), let isReserved = fields.choice("reserved", "shared"),
            let flop: Int64? = fields.optional(), let energy: Int64? = fields.optional(),
            let isEstimated = fields.choice("estimated", "read"), let fees = fields.fees()
        else { return nil }
        var (project, kernel) = ("", "")
        if !fields.isAtEnd {
            guard let first = fields.text(), let second = fields.text() else { return nil }
            (project, kernel) = (first, second)
        }
        self.init(
            job: JobID(job),
            attempt: attempt,
            account: account,
            user: user,
            partition: partition,
            platform: platform,
            tariff: tariff,
            outcome: outcome,
            isCharged: isCharged,
            month: month,
            startedAt: startedAt.map { SimInstant(microseconds: $0) },
            endedAt: endedAt,
            nodeCount: nodes,
            coreCount: cores,
            cardCount: cards,
            memory: memory.map { ByteCount($0) },
            qos: qos,
            isReserved: isReserved,
            verifiedFlop: flop,
            energy: energy.map { MeasuredEnergy(millijoules: $0, isEstimated: isEstimated) },
            project: project,
            kernel: kernel,
            fees: fees
        )
    }
}

extension Grant {
    fileprivate init?(_ fields: inout CanonicalFields) {
        guard let rule = fields.text(), let enterprise = fields.text(),
            let account = fields.text(), let platform = fields.text(),
            let year: Int = fields.number(),
            let month = fields.word().flatMap({ BillingMonth($0) }),
            let claim = fields.text(), let amount = fields.fen()
        else { return nil }
        self.init(
            rule: rule,
            enterprise: enterprise,
            account: account,
            platform: platform,
            year: year,
            month: month,
            claim: claim,
            amount: amount
        )
    }
}

extension Voucher {
    fileprivate init?(_ fields: inout CanonicalFields) {
        guard let id = fields.text(), let account = fields.text(), let face = fields.fen(),
            let from: Int64? = fields.optional(), let until: Int64? = fields.optional()
        else { return nil }
        self.init(
            id: id,
            account: account,
            face: face,
            from: from.map { BillingDay(number: $0) },
            until: until.map { BillingDay(number: $0) }
        )
    }
}

extension StorageCharge {
    /// - Parameter entryID: what tells how often the day was charged.
    fileprivate init?(_ fields: inout CanonicalFields, entryID: String) {
        guard let account = fields.text(), let platform = fields.text(),
            let tariff = fields.text(), let day = fields.word().flatMap({ BillingDay($0) }),
            let bytes: Int64 = fields.number(), let amount = fields.fen()
        else { return nil }
        self.init(
            account: account,
            platform: platform,
            tariff: tariff,
            day: day,
            bytes: bytes,
            amount: amount
        )
        if entryID == self.entryID { return }
        guard let revision = entryID.split(separator: "/").last.flatMap({ Int64($0) }) else {
            return nil
        }
        self.revision = revision
        guard entryID == self.entryID else { return nil }
    }
}

/// The fields of a canonical text, one after the other; nil for one that is not there, or not so.
private struct CanonicalFields {
    private var rest: Substring?

    init(_ line: String) { rest = line[...] }

    var isAtEnd: Bool { rest == nil }

    /// A field as it stands there.
    mutating func word() -> Substring? {
        guard let line = rest else { return nil }
        guard let tab = line.utf8.firstIndex(of: UInt8(ascii: "\t")) else {
            rest = nil
            return line
        }
        rest = line[line.utf8.index(after: tab)...]
        return line[..<tab]
    }

    mutating func text() -> String? {
        guard let field = word(), field != "", field != "-" else { return nil }
        guard field.utf8.contains(UInt8(ascii: "\\")) else { return String(field) }
        switch field {
        case "\\e": return ""
        case "\\-": return "-"
        default: return Self.unescaped(field)
        }
    }

    private static func unescaped(_ field: Substring) -> String? {
        var text = String.UnicodeScalarView()
        var scalars = field.unicodeScalars.makeIterator()
        while let scalar = scalars.next() {
            guard scalar == "\\" else {
                text.append(scalar)
                continue
            }
            switch scalars.next() {
            case "\\": text.append("\\")
            case "t": text.append("\t")
            case "n": text.append("\n")
            default: return nil
            }
        }
        return String(text)
    }

    mutating func number<Number: FixedWidthInteger>() -> Number? { word().flatMap { Number($0) } }

    /// A number that may not be there: nil within nil.
    mutating func optional() -> Int64?? {
        guard let field = word() else { return nil }
        if field == "-" { return .some(nil) }
        return Int64(field).map { .some($0) }
    }

    mutating func instant() -> SimInstant? {
        (number() as Int64?).map { SimInstant(microseconds: $0) }
    }

    mutating func fen() -> Fen? { (number() as Int64?).map { Fen($0) } }

    /// Whether the first of two words stands there.
    mutating func choice(_ yes: String, _ no: String) -> Bool? {
        guard let field = word(), field == yes || field == no else { return nil }
        return field == yes
    }

    mutating func account() -> LedgerAccount? {
        // By bytes: a mark that joins the colon would hide it.
        guard let field = text(), let colon = field.utf8.firstIndex(of: 0x3A) else { return nil }
        let name = field[..<colon]
        let kind = LedgerAccount.Kind.allCases.first { $0.name == name }
        let rest = field.utf8.index(after: colon)
        return kind.map { LedgerAccount($0, String(field[rest...])) }
    }

    mutating func fees() -> [ChargePart.ResourceFee]? {
        guard let field = text() else { return nil }
        var fees: [ChargePart.ResourceFee] = []
        for part in field.split(separator: ";") {
            let words = part.split(separator: "=", omittingEmptySubsequences: false)
            guard words.count == 2, let resource = BilledResource(name: words[0]),
                let amount = Int64(words[1])
            else { return nil }
            fees.append(ChargePart.ResourceFee(resource: resource, amount: Fen(amount)))
        }
        return fees
    }
}
