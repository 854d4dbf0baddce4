import JobModel
import Quantities

// The canonical form of an entry is what the hash chain hashes and what storage keeps: one line of
// UTF-8, fields separated by tabs, `\t`, `\n` and `\` inside a field escaped, no final newline.
//
//     1  id  booked-at-µs  posting-count  (debit  credit  fen)…  kind  fields of the kind…
//
// `1` is the version of the form. A field that is not there is `-`; a text that is `-` or empty is
// written `\-` or `\e`. So different entries never give the same line.

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
        case .creditLimit(let account, let limit):
            line.add("credit-limit")
            line.add(text: account)
            line.add(optional: limit?.count)
        case .voucher(let voucher): line.add(voucher)
        case .redemption(let voucher, let account, let claim):
            line.add("redemption")
            line.add(text: voucher)
            line.add(text: account)
            line.add(text: claim)
        case .storage(let charge): line.add(charge)
        case .budget(let account, let budget):
            line.add("budget")
            line.add(text: account)
            line.add(optional: budget?.amount.count)
            line.add(budget?.span.rawValue ?? "-")
            line.add(optional: budget?.warnPercent)
        case .poolClosing(let rule, let period):
            line.add("pool-closing")
            line.add(text: rule)
            line.add(text: period)
        }
        return line.text
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
        add(optional: part.energy?.millijoules)
        add(part.energy?.isEstimated == true ? "estimated" : "read")
        add(
            text: part.fees.map { "\($0.resource.name)=\($0.amount.count)" }.joined(separator: ";")
        )
        // Two more fields or none: most jobs have neither.
        guard !part.project.isEmpty || !part.kernel.isEmpty else { return }
        add(text: part.project)
        add(text: part.kernel)
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
    mutating func add(_ voucher: Voucher) {
        add("voucher")
        add(text: voucher.id)
        add(text: voucher.account)
        add(voucher.face.count)
        add(optional: voucher.from?.number)
        add(optional: voucher.until?.number)
    }

    mutating func add(_ charge: StorageCharge) {
        add("storage")
        add(text: charge.account)
        add(text: charge.platform)
        add(text: charge.tariff)
        add(charge.day.description)
        add(charge.bytes)
        add(charge.amount.count)
    }
}
