import Billing
public import Catalog
import Quantities
import WireFormats

// Prices and subsidy rules that come into force. They are inputs like all others.

extension CentreState {
    /// Reads terms; nil members stay.
    ///
    /// - Throws: what is wrong in a text, or why live books cannot take the rules.
    static func read(
        _ terms: TermsInput
    ) throws(TermsProblem) -> (tariff: Tariff?, rules: [SubsidyRule]?) {
        var tariff: Tariff?
        var rules: [SubsidyRule] = []
        do throws(FileRefusal) {
            tariff = try terms.tariff.map { named throws(FileRefusal) in
                try TariffReader.tariff(text: named.text, file: named.name)
            }
            for named in terms.rules {
                rules.append(try RuleCatalog.rule(text: named.text, file: named.name))
            }
            try RuleCatalog.checkOverlaps(
                zip(rules, terms.rules).map { (rule: $0, file: $1.name) }
            )
        } catch {
            throw .file(error)
        }
        if let rule = rules.first(where: \.rate.isUnknown) {
            throw .text(
                "the rate of rule '\(rule.id)' is not published; set it in a file: "
                    + "xinghe subsidy show \(rule.id) --yaml > FILE"
            )
        }
        if let rule = rules.proRataOutOfPlace {
            throw .text(
                "rule '\(rule.id)' shares its pool out in proportion; give it the highest"
                    + " stack.order, and only one such rule"
            )
        }
        return (tariff, rules.isEmpty ? nil : rules)
    }

    mutating func change(_ input: TermsInput, at instant: SimInstant) -> InputResult {
        let tariff: Tariff?
        let rules: [SubsidyRule]?
        do throws(TermsProblem) {
            (tariff, rules) = try Self.read(input)
        } catch {
            return .refused(ErrorBody(code: "bad_terms", text: error.description))
        }
        if let excess = tariff?.excess(on: self.rules.machine) {
            return .refused(
                ErrorBody(code: "bad_terms", text: "\(input.tariff?.name ?? ""): \(excess)")
            )
        }
        // A copy: when a voucher is refused nothing of the terms stays.
        var book = self.book
        if let rules {
            let isNew = book.hasOnlyPreparations
            guard isNew || input.rules == terms.rules else {
                let text = "rules cannot change once something was charged under others"
                return .refused(ErrorBody(code: "bad_terms", text: text))
            }
            if isNew { book.setRules(rules) }
        }
        var issued: [LedgerEntry] = []
        if let tariff { book.tariff = tariff }
        for voucher in tariff?.vouchers ?? [] {
            do throws(LedgerRefusal) {
                issued += try book.issue(voucher, at: instant)
            } catch {
                return .refused(ErrorBody(code: "bad_terms", text: Self.text(error)))
            }
        }
        self.book = book
        if rules != nil { terms.rules = input.rules }
        guard let tariff else { return .done(id: 0) }
        terms.tariff = input.tariff
        keep(issued)
        for voucher in tariff.vouchers { wake(for: voucher, after: instant) }
        repriceAll(at: instant)
        for account in purses.keys.sorted() { refreshPurse(of: account, at: instant) }
        return .done(id: 0)
    }

    mutating func wake(for voucher: Voucher, after instant: SimInstant) {
        for day in [voucher.from, voucher.until].compactMap(\.self) where day.start > instant {
            effects.append(.wake(day.start))
        }
    }

    /// The instants at which a voucher begins or ends to be valid, after `instant`.
    func voucherInstants(after instant: SimInstant) -> [SimInstant] {
        book.accounts.keys.sorted().flatMap { book.vouchers(of: $0) }
            .flatMap { [$0.voucher.from, $0.voucher.until] }
            .compactMap { $0?.start }.filter { $0 > instant }
    }
}

/// Why terms cannot come into force.
public enum TermsProblem: Error, Hashable, Sendable, CustomStringConvertible {
    /// A file says something that cannot be.
    case file(FileRefusal)
    /// A sentence.
    case text(String)

    /// One sentence for people.
    public var description: String {
        switch self {
        case .file(let refusal): "\(refusal)"
        case .text(let text): text
        }
    }
}
