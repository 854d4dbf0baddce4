public import Quantities
public import WireFormats

extension StartEstimate {
    /// `at …` as `instant` writes it, or `when its dependencies allow`; nil for a job that would not
    /// start.
    public func startText(instant: (SimInstant) -> String) -> String? {
        if let start { return instant(start) }
        return reason == "Dependency" ? "when its dependencies allow" : nil
    }
}

/// A price before the work, for people.
public enum PriceReport {
    /// One line for the fee, one for what is left of each cap, one for prepaid accounts.
    public static func lines(_ price: PriceEstimate) -> [String] {
        let each =
            price.elements > 1
            ? " (\(price.elements) elements, \(Fen(price.grossEach).yuanText) each)" : ""
        var lines = [
            "Gross fee \(Fen(price.gross).yuanText) CNY\(each), expected subsidy "
                + "\(Fen(price.subsidy).yuanText), net \(Fen(price.net).yuanText)"
                + " (account \(price.account), tariff \(price.tariff), whole time limit)"
        ]
        for grant in price.grants {
            var line = "Rule \(grant.rule) \(grant.year): \(Fen(grant.amount).yuanText)"
            if let cap = grant.cap, let left = grant.left {
                line += ", cap left \(Fen(left).yuanText) of \(Fen(cap).yuanText)"
            } else {
                line += ", no cap"
            }
            lines.append(line)
        }
        if let available = price.available {
            // Each element reserves its own fee when it starts.
            let verdict = price.grossEach > available ? ": too little for this job" : ""
            lines.append("Account may reserve \(Fen(available).yuanText) CNY\(verdict)")
        }
        return lines
    }
}
