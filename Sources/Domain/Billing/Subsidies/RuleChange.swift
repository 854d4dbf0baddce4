public import Quantities

/// A change of one parameter of a rule, to see what it would do.
public enum RuleChange: Hashable, Sendable {
    /// Another rate. Unit: ppm.
    case rate(Int64)
    /// Another cap of a beneficiary and year; nil for none.
    case cap(Fen?)
    /// Another amount of the pool; nil for none.
    case pool(Fen?)

    /// The rule after the change; nil where the rule has nothing that it changes: a rate beside a
    /// scale, or the pool of a rule that has none.
    public func applied(to rule: SubsidyRule) -> SubsidyRule? {
        var changed = rule
        switch self {
        case .rate(let ppm):
            guard rule.rate.tiers.isEmpty, rule.rate.ppm ?? rule.rate.grantedPPM != nil else {
                return nil
            }
            changed.rate.ppm = ppm
            changed.rate.grantedPPM = nil
        case .cap(let cap): changed.caps.perEntityYear = cap
        case .pool(let amount):
            guard rule.pool != nil else { return nil }
            if let amount { changed.pool?.amount = amount } else { changed.pool = nil }
        }
        return changed == rule ? nil : changed
    }

    /// The changes that an office asks for first: ten points less and more, half and twice the cap and
    /// the pool, and none.
    public static func usual(for rule: SubsidyRule) -> [RuleChange] {
        var changes: [RuleChange] = []
        if let ppm = rule.rate.grantedPPM ?? rule.rate.ppm {
            changes += [.rate(max(0, ppm - 100_000)), .rate(min(1_000_000, ppm + 100_000))]
        }
        if let cap = rule.caps.perEntityYear {
            changes += [.cap(Fen(cap.count / 2)), .cap(Fen(min(2 * cap.count, Fen.maximum.count)))]
            changes.append(.cap(nil))
        }
        if let pool = rule.pool?.amount {
            changes += [.pool(Fen(pool.count / 2))]
            changes += [.pool(Fen(min(2 * pool.count, Fen.maximum.count))), .pool(nil)]
        }
        return changes
    }
}
