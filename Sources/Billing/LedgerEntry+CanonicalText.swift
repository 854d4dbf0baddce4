import JobModel
import Quantities

// The canonical form of an entry is what the hash chain hashes and what storage keeps: one line of
// UTF-8, fields separated by tabs, `\t`, `\n` and `\` inside a field escaped, no final newline.
//
//     1  id  booked-at-µs  posting-count  (debit  credit  fen)…  kind  fields of the kind…
//
// `1` is the version of the form. A field that is not there is `-`; a text that is `-` or empty is
// written `\-` or `\e`. Reading gives back exactly what was written, and refuses all else.

extension LedgerEntry {
    /// The entry as one line; equal entries give equal bytes.
    public var canonicalText: String {
        var line = CanonicalLine()
        line.add("1")
        line.add(text: id)
        line.add(bookedAt.microseconds)
        line.add(postings.count)
        for posting in postings {
            line.add(text: posting.debit.description)
            line.add(text: posting.credit.description)
            line.add(posting.amount.count)
        }
        switch subject {
        case .charge(let part): line.add(part)
        case .grant(let grant): line.add(grant)
        case .reversal(let id):
            line.add("reversal")
            line.add(text: id)
        case .payment(let account, let reference):
            line.add("payment")
            line.add(text: account)
            line.add(text: reference)
        case .hold(let job, let attempt, let account):
            line.add("hold", job, attempt, account)
        case .release(let job, let attempt, let account):
            line.add("release", job, attempt, account)
        }
        return line.text
    }

    /// Reads the canonical form; nil for anything that `canonicalText` does not write.
    public init?(canonicalText: String) {
        var reader = CanonicalReader(canonicalText)
        guard reader.next() == "1", let id = reader.text(), let bookedAt: Int64 = reader.integer(),
            let postings = reader.postings(), let subject = reader.subject(), reader.isAtEnd
        else { return nil }
        self.init(
            id: id,
            bookedAt: SimInstant(microseconds: bookedAt),
            subject: subject,
            postings: postings
        )
        guard self.canonicalText == canonicalText else { return nil }
    }
}

private struct CanonicalLine {
    private(set) var text = ""
    private var isEmpty = true

    mutating func add(_ field: String) {
        if !isEmpty { text += "\t" }
        isEmpty = false
        text += field
    }

    mutating func add(_ number: some BinaryInteger) { add(String(number)) }

    mutating func add(text field: String) {
        switch field {
        case "": add("\\e")
        case "-": add("\\-")
        default:
            var escaped = ""
            for scalar in field.unicodeScalars {
                switch scalar {
                case "\\": escaped += "\\\\"
                case "\t": escaped += "\\t"
                case "\n": escaped += "\\n"
                default: escaped.unicodeScalars.append(scalar)
                }
            }
            add(escaped)
        }
    }

    mutating func add(optional number: Int64?) { add(number.map { String($0) } ?? "-") }

    mutating func add(_ kind: String, _ job: JobID, _ attempt: Int32, _ account: String) {
        add(kind)
        add(job.number)
        add(attempt)
        add(text: account)
    }

    mutating func add(_ part: ChargePart) {
        add("charge")
        add(part.job.number)
        add(part.attempt)
        add(text: part.account)
        add(text: part.user)
        add(text: part.partition)
        add(text: part.platform)
        add(text: part.tariff)
        add(part.outcome.name)
        add(part.isCharged ? "charged" : "free")
        add(part.month.description)
        add(optional: part.startedAt?.microseconds)
        add(part.endedAt.microseconds)
        add(part.nodeCount)
        add(part.coreCount)
        add(part.cardCount)
        add(optional: part.memory?.count)
        add(text: part.qos)
        add(part.isReserved ? "reserved" : "shared")
        add(optional: part.verifiedFlop)
        add(
            text: part.fees.map { "\($0.resource.name)=\($0.amount.count)" }.joined(separator: ";")
        )
    }

    mutating func add(_ grant: Grant) {
        add("grant")
        add(text: grant.rule)
        add(text: grant.enterprise)
        add(text: grant.account)
        add(text: grant.platform)
        add(grant.year)
        add(grant.month.description)
        add(text: grant.claim)
        add(grant.amount.count)
    }
}

private struct CanonicalReader {
    private var fields: [Substring]
    private var position = 0

    init(_ text: String) {
        fields = text.split(separator: "\t", omittingEmptySubsequences: false)
    }

    var isAtEnd: Bool { position == fields.count }

    mutating func next() -> Substring? {
        guard position < fields.count else { return nil }
        defer { position += 1 }
        return fields[position]
    }

    mutating func integer<Number: FixedWidthInteger>() -> Number? { next().flatMap { Number($0) } }

    /// An integer that may be absent; the outer nil is a malformed field.
    mutating func optionalInteger() -> Int64?? {
        guard let field = next() else { return nil }
        if field == "-" { return .some(nil) }
        return Int64(field).map { .some($0) }
    }

    mutating func month() -> BillingMonth? { next().flatMap { BillingMonth($0) } }

    mutating func text() -> String? {
        guard let field = next() else { return nil }
        if field == "\\e" { return "" }
        if field == "\\-" { return "-" }
        var plain = ""
        var isEscaped = false
        for scalar in field.unicodeScalars {
            guard isEscaped || scalar == "\\" else {
                plain.unicodeScalars.append(scalar)
                continue
            }
            if isEscaped {
                switch scalar {
                case "\\": plain += "\\"
                case "t": plain += "\t"
                case "n": plain += "\n"
                default: return nil
                }
            }
            isEscaped.toggle()
        }
        return isEscaped ? nil : plain
    }

    /// A list `core-hour=1;card-hour=2`.
    mutating func fees() -> [ChargePart.ResourceFee]? {
        guard let text = text() else { return nil }
        var fees: [ChargePart.ResourceFee] = []
        for item in text.split(separator: ";") {
            let sides = item.split(separator: "=", omittingEmptySubsequences: false)
            guard sides.count == 2, let resource = BilledResource(name: sides[0]),
                let count = Int64(sides[1])
            else { return nil }
            fees.append(ChargePart.ResourceFee(resource: resource, amount: Fen(count)))
        }
        return fees
    }

    mutating func postings() -> [Posting]? {
        guard let count: Int = integer(), (0...fields.count).contains(count) else { return nil }
        var postings: [Posting] = []
        for _ in 0..<count {
            guard let debit = text().flatMap({ LedgerAccount($0) }),
                let credit = text().flatMap({ LedgerAccount($0) }), let amount: Int64 = integer()
            else { return nil }
            postings.append(Posting(debit: debit, credit: credit, amount: Fen(amount)))
        }
        return postings
    }

    mutating func subject() -> LedgerEntry.Subject? {
        switch next() {
        case "charge": return chargePart().map { .charge($0) }
        case "grant": return grant().map { .grant($0) }
        case "reversal": return text().map { .reversal(of: $0) }
        case "payment":
            guard let account = text(), let reference = text() else { return nil }
            return .payment(account: account, reference: reference)
        case "hold":
            return run().map { .hold(job: $0.job, attempt: $0.attempt, account: $0.account) }
        case "release":
            return run().map { .release(job: $0.job, attempt: $0.attempt, account: $0.account) }
        default: return nil
        }
    }

    private mutating func run() -> (job: JobID, attempt: Int32, account: String)? {
        guard let job: UInt32 = integer(), let attempt: Int32 = integer(), let account = text()
        else { return nil }
        return (JobID(job), attempt, account)
    }

    private mutating func chargePart() -> ChargePart? {
        guard let run = run(), let user = text(), let partition = text(), let platform = text(),
            let tariff = text(), let outcome = next().flatMap({ RunOutcome(name: $0) }),
            let isCharged = next(), let month = month(), let startedAt = optionalInteger(),
            let endedAt: Int64 = integer(), let nodeCount: Int64 = integer(),
            let coreCount: Int64 = integer(), let cardCount: Int64 = integer(),
            let memory = optionalInteger(), let qos = text(), let isReserved = next(),
            let verifiedFlop = optionalInteger(),
            let fees = fees()
        else { return nil }
        return ChargePart(
            job: run.job,
            attempt: run.attempt,
            account: run.account,
            user: user,
            partition: partition,
            platform: platform,
            tariff: tariff,
            outcome: outcome,
            isCharged: isCharged == "charged",
            month: month,
            startedAt: startedAt.map { SimInstant(microseconds: $0) },
            endedAt: SimInstant(microseconds: endedAt),
            nodeCount: nodeCount,
            coreCount: coreCount,
            cardCount: cardCount,
            memory: memory.map { ByteCount($0) },
            qos: qos,
            isReserved: isReserved == "reserved",
            verifiedFlop: verifiedFlop,
            fees: fees
        )
    }

    private mutating func grant() -> Grant? {
        guard let rule = text(), let enterprise = text(), let account = text(),
            let platform = text(), let year: Int = integer(), let month = month(),
            let claim = text(), let amount: Int64 = integer()
        else { return nil }
        return Grant(
            rule: rule,
            enterprise: enterprise,
            account: account,
            platform: platform,
            year: year,
            month: month,
            claim: claim,
            amount: Fen(amount)
        )
    }
}
