public import Billing
public import ClusterModel
import IndexSets
public import Quantities

// Reads claims: CSV (RFC 4180) in UTF-8 with a header; docs/billing.md describes each column.
//
// A file is taken as a whole or refused as a whole, naming line and column: half a file of money
// is worse than none.

/// Claims as they stand in a file.
public struct ClaimsFile: Sendable {
    /// The claims in the order of the file.
    public var claims: [SubsidyClaim]
    /// Element `i` is the line of claim `i`.
    public var lines: [Int]
    /// Element `i` is what the centre says that it granted for claim `i`, by rule; nil in a file that
    /// does not say it.
    public var granted: [[String: Fen]?] = []
    /// The rules with their versions that the centre applied: `teda-machine-hour@1`.
    public var rules: Set<String> = []
    /// The heads of the ledgers that the claims were taken from.
    public var ledgerHeads: Set<String> = []

    /// Columns that must be there.
    public static let requiredColumns = [
        "claim_id", "date", "enterprise", "class", "platform", "resource", "fee_fen",
    ]

    /// Columns that may be there.
    public static let optionalColumns = [
        "contract", "contract_date", "contract_months", "invoice", "paid", "vat_fen",
        "discount_fen", "registered_in", "refund_of", "group", "sector", "purpose",
        "related_party", "size", "founded_on", "credit_clean_years", "filed_on", "note",
        "key_platform", "provider", "booked", "granted", "pool_share", "pool_later", "rules",
        "ledger_head",
    ]

    /// Reads claims.
    ///
    /// - Parameters:
    ///   - text: the file.
    ///   - file: what refusals call it.
    ///   - platforms: the registry; a platform that it does not know is not a key platform.
    /// - Throws: the first thing that is wrong.
    public init(text: String, file: String, platforms: [Platform]) throws(FileRefusal) {
        var rows = CSVRows(text: text, file: file)
        guard let header = try rows.header() else {
            throw FileRefusal(file: file, line: 1, field: "", problem: .emptyFile)
        }
        let columns = try Self.columns(header, file: file)
        let keys = Set(platforms.filter(\.isKey).map(\.name))
        claims = []
        lines = []
        var positions: [String: Int] = [:]
        var places: [Int64: Int] = [:]
        var sum: Int128 = 0
        while let row = try rows.next() {
            let reader = ClaimRow(file: file, line: row.line, columns: columns, cells: row.cells)
            guard row.cells.count == header.cells.count else {
                throw reader.refusal(
                    "",
                    .doesNotAddUp(
                        stated: "\(header.cells.count) columns in its header",
                        counted: "\(row.cells.count)"
                    )
                )
            }
            let claim = try reader.claim(keyPlatforms: keys)
            if let first = positions[claim.id] {
                throw reader.refusal(
                    "claim_id",
                    .duplicate(name: claim.id, of: "claim (line \(lines[first]))")
                )
            }
            sum += Int128(claim.fee.count.magnitude) + Int128(claim.facts.discount?.count ?? 0)
            guard sum <= Int128(Fen.sumMaximum.count) else {
                throw reader.refusal(
                    "fee_fen",
                    .conflict("the fees up to here are more than \(Fen.sumMaximum.count) fen")
                )
            }
            if (claim.booked == nil) != ((claims.first ?? claim).booked == nil) {
                throw reader.refusal("booked", .conflict("stands in all lines or in none"))
            }
            if let place = claim.booked, let first = places.updateValue(row.line, forKey: place) {
                throw reader.refusal(
                    "booked",
                    .duplicate(name: "\(place)", of: "place in the books (line \(first))")
                )
            }
            positions[claim.id] = claims.count
            claims.append(claim)
            lines.append(row.line)
            granted.append(try reader.amounts("granted"))
            if let rules = reader["rules"] {
                self.rules.formUnion(rules.split(separator: ";").map(String.init))
            }
            if let head = reader["ledger_head"] { ledgerHeads.insert(head) }
        }
        try checkRefunds(file: file, positions: positions)
    }

    /// Refuses claims that no rule can have meant: dated outside the validity of all of them.
    public func checkDates(_ rules: [SubsidyRule], file: String) throws(FileRefusal) {
        for (claim, line) in zip(claims, lines) where claim.refundOf == nil {
            guard rules.contains(where: { $0.validity.contains(claim.date) }) else {
                let ranges = rules.map { rule in
                    let first = rule.validity.first.map { "\($0)" } ?? "…"
                    let last = rule.validity.last.map { "\($0)" } ?? "…"
                    return "\(rule.id) from \(first) to \(last)"
                }
                throw FileRefusal(
                    file: file,
                    line: line,
                    field: "date",
                    problem: .conflict(
                        "\(claim.date) is outside the validity of every rule ("
                            + ranges.joined(separator: "; ") + ")"
                    )
                )
            }
        }
    }

    private static func columns(
        _ header: CSVRows.Row,
        file: String
    ) throws(FileRefusal) -> [String: Int] {
        let known = requiredColumns + optionalColumns
        var columns: [String: Int] = [:]
        for (index, name) in header.cells.enumerated() {
            guard known.contains(name) else {
                throw FileRefusal(
                    file: file,
                    line: header.line,
                    field: name,
                    problem: .unknownField(
                        similar: similarNames(to: name, among: known),
                        known: known
                    )
                )
            }
            guard columns.updateValue(index, forKey: name) == nil else {
                throw FileRefusal(
                    file: file,
                    line: header.line,
                    field: name,
                    problem: .duplicate(name: name, of: "column")
                )
            }
        }
        for name in requiredColumns where columns[name] == nil {
            throw FileRefusal(file: file, line: header.line, field: name, problem: .missing)
        }
        return columns
    }

    private func checkRefunds(
        file: String,
        positions: [String: Int]
    ) throws(FileRefusal) {
        var left = claims.map(\.fee.count)
        for (index, refund) in claims.enumerated() {
            guard let id = refund.refundOf else { continue }
            func refusal(_ field: String, _ words: String) -> FileRefusal {
                FileRefusal(file: file, line: lines[index], field: field, problem: .conflict(words))
            }
            guard let position = positions[id] else {
                throw refusal("refund_of", "there is no claim '\(id)'")
            }
            let original = claims[position]
            guard original.refundOf == nil else {
                throw refusal("refund_of", "'\(id)' is a refund itself")
            }
            guard original.enterprise == refund.enterprise else {
                throw refusal("enterprise", "claim '\(id)' is of '\(original.enterprise)'")
            }
            if let fee = original.booked, let back = refund.booked, back < fee {
                throw refusal("booked", "\(back) is before claim '\(id)' at \(fee)")
            }
            guard original.date <= refund.date else {
                throw refusal("date", "\(refund.date) is before claim '\(id)' of \(original.date)")
            }
            guard -refund.fee.count <= left[position] else {
                throw refusal(
                    "fee_fen",
                    "\(refund.fee.count) is more than what is left of claim '\(id)': "
                        + "\(left[position])"
                )
            }
            left[position] += refund.fee.count
        }
    }
}

/// One row with its columns by name.
private struct ClaimRow {
    let file: String
    let line: Int
    let columns: [String: Int]
    let cells: [String]

    func refusal(_ field: String, _ problem: FileRefusal.Problem) -> FileRefusal {
        FileRefusal(file: file, line: line, field: field, problem: problem)
    }

    /// The cell of a column; nil when there is no such column or the cell is empty.
    subscript(name: String) -> String? {
        guard let index = columns[name], !cells[index].isEmpty else { return nil }
        return cells[index]
    }

    func claim(keyPlatforms: Set<String>) throws(FileRefusal) -> SubsidyClaim {
        let platform = try requiredName("platform")
        let refundOf = self["refund_of"]
        let fee = try fee(isRefund: refundOf != nil)
        var claim = SubsidyClaim(
            id: try required("claim_id"),
            date: try requiredDay("date"),
            enterprise: try requiredName("enterprise"),
            group: try name("group"),
            classes: try classes(),
            platform: platform,
            isOnKeyPlatform: try flag("key_platform") ?? keyPlatforms.contains(platform),
            resource: try requiredName("resource"),
            fee: fee,
            refundOf: refundOf,
            facts: try facts(fee: fee)
        )
        claim.booked = try number("booked", 1...Int64(Int32.max))
        return claim
    }

    /// A name in the spelling in which caps are kept, or nil; one of which nothing can be seen is
    /// refused.
    private func name(_ column: String) throws(FileRefusal) -> String? {
        self[column] == nil ? nil : try requiredName(column)
    }

    private func requiredName(_ column: String) throws(FileRefusal) -> String {
        let name = PartyName.normalised(try required(column))
        guard !name.isEmpty else { throw refusal(column, .missing) }
        return name
    }

    /// Amounts by rule with the place in the books after which they came: `city=500@17;city=20@19`.
    private func services(_ column: String) throws(FileRefusal) -> [PoolService] {
        var services: [PoolService] = []
        for part in (self[column] ?? "").split(separator: ";") {
            let sides = part.split { "=@".contains($0) }.map(String.init)
            guard sides.count == 3, let fen = integer(sides[1]), let after = Int64(sides[2]),
                (0...Int128(Fen.maximum.count)).contains(fen), after >= 0
            else {
                throw refusal(
                    column,
                    .unreadable(found: String(part), expected: "an amount such as rule=500@17")
                )
            }
            services.append(PoolService(rule: sides[0], amount: Fen(Int64(fen)), after: after))
        }
        return services
    }

    /// Amounts by rule: `teda-machine-hour=500;city=-20`; nil when nothing is stated.
    func amounts(_ column: String) throws(FileRefusal) -> [String: Fen]? {
        guard let text = self[column] else { return nil }
        var amounts: [String: Fen] = [:]
        for part in text.split(separator: ";") {
            let sides = part.split(separator: "=", omittingEmptySubsequences: false)
            guard sides.count == 2, let fen = integer(String(sides[1])),
                fen.magnitude <= UInt128(Fen.maximum.count),
                amounts.updateValue(Fen(Int64(fen)), forKey: String(sides[0])) == nil
            else {
                throw refusal(
                    column,
                    .unreadable(found: text, expected: "amounts such as rule=500")
                )
            }
        }
        return amounts
    }

    private func fee(isRefund: Bool) throws(FileRefusal) -> Fen {
        let text = try required("fee_fen")
        guard let fee = integer(text) else {
            throw refusal("fee_fen", .unreadable(found: text, expected: "a whole number of fen"))
        }
        let bound = Int128(Fen.maximum.count)
        guard -bound <= fee, fee <= bound else {
            throw refusal(
                "fee_fen",
                .outOfRange(found: text, minimum: "-\(bound)", maximum: "\(bound)")
            )
        }
        if fee < 0 && !isRefund {
            throw refusal("fee_fen", .conflict("\(text) is negative, but refund_of names no claim"))
        }
        if fee >= 0 && isRefund {
            throw refusal("fee_fen", .conflict("\(text) is no refund: it must be negative"))
        }
        return Fen(Int64(fee))
    }

    private func classes() throws(FileRefusal) -> [String] {
        let text = try required("class")
        var labels: [String] = []
        for part in text.split(separator: ";") {
            let word = part.trimmed
            guard let label = SubsidyClass.canonical(word) else {
                throw refusal(
                    "class",
                    .unknownChoice(
                        found: String(word),
                        similar: similarNames(to: String(word), among: SubsidyClass.known),
                        known: SubsidyClass.known
                    )
                )
            }
            labels.append(label)
        }
        guard !labels.isEmpty else { throw refusal("class", .missing) }
        return labels
    }

    private func facts(fee: Fen) throws(FileRefusal) -> SubsidyClaim.Facts {
        var facts = SubsidyClaim.Facts()
        facts.contract = try name("contract")
        facts.contractDate = try day("contract_date")
        facts.contractMonths = try number("contract_months", 1...1_200)
        facts.invoice = try name("invoice")
        facts.paid = try paid(fee: fee)
        facts.vat = try number("vat_fen", 0...max(0, fee.count)).map { Fen($0) }
        facts.discount = try number("discount_fen", 0...Fen.maximum.count).map { Fen($0) }
        facts.registeredIn = try name("registered_in")
        facts.sector = try name("sector")
        facts.purpose = try name("purpose")
        facts.provider = try name("provider")
        facts.poolShares = try amounts("pool_share") ?? [:]
        facts.poolServices = try services("pool_later")
        facts.isRelatedParty = try flag("related_party")
        facts.size = try number("size", 0...100_000_000)
        facts.foundedOn = try day("founded_on")
        facts.creditCleanYears = try number("credit_clean_years", 0...1_000)
        facts.filedOn = try day("filed_on")
        return facts
    }

    /// An amount, or `yes` for the whole fee and `no` for nothing.
    private func paid(fee: Fen) throws(FileRefusal) -> Fen? {
        switch self["paid"] {
        case nil: return nil
        case "yes", "true": return max(.zero, fee)
        case "no", "false": return .zero
        default: return try number("paid", 0...Fen.maximum.count).map { Fen($0) }
        }
    }

    private func required(_ name: String) throws(FileRefusal) -> String {
        guard let text = self[name] else { throw refusal(name, .missing) }
        return text
    }

    private func requiredDay(_ name: String) throws(FileRefusal) -> BillingDay {
        let text = try required(name)
        guard let day = BillingDay(text) else {
            throw refusal(name, .unreadable(found: text, expected: "a day such as 2026-03-31"))
        }
        return day
    }

    private func day(_ name: String) throws(FileRefusal) -> BillingDay? {
        self[name] == nil ? nil : try requiredDay(name)
    }

    private func flag(_ name: String) throws(FileRefusal) -> Bool? {
        switch self[name] {
        case nil: return nil
        case "yes", "true": return true
        case "no", "false": return false
        case let other?:
            throw refusal(name, .unreadable(found: other, expected: "'yes' or 'no'"))
        }
    }

    private func number(
        _ name: String,
        _ range: ClosedRange<Int64>
    ) throws(FileRefusal) -> Int64? {
        guard let text = self[name] else { return nil }
        guard let number = integer(text) else {
            throw refusal(name, .unreadable(found: text, expected: "a whole number"))
        }
        guard Int128(range.lowerBound) <= number, number <= Int128(range.upperBound) else {
            throw refusal(
                name,
                .outOfRange(
                    found: text,
                    minimum: "\(range.lowerBound)",
                    maximum: "\(range.upperBound)"
                )
            )
        }
        return Int64(number)
    }

    /// An integer of at most 30 digits; longer ones are out of any range.
    private func integer(_ text: String) -> Int128? {
        let digits = text.utf8.drop { $0 == UInt8(ascii: "-") }
        guard !digits.isEmpty, text.utf8.count - digits.count <= 1,
            digits.allSatisfy({ (48...57).contains($0) })
        else { return nil }
        guard digits.count <= 30 else { return text.hasPrefix("-") ? .min : .max }
        return Int128(text)
    }
}

extension Substring {
    fileprivate var trimmed: Substring {
        var text = self
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return text
    }
}
