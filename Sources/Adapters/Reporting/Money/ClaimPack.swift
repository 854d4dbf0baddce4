public import Billing
import Quantities
import WireFormats

/// The evidence that an enterprise hands in: its fees as a claims file, one line a charge and
/// resource, in the form that `xinghe subsidy evaluate` and `check` read.
///
/// It holds every fact that a rule reads, what the centre granted, and what the claim had of pools
/// that others share, so that its rules give the same without the other enterprises.
public struct ClaimPack: Sendable {
    private let claims: [BookedClaim]
    private let rules: [SubsidyRule]
    private let ledgerHead: String

    /// Makes a pack of claims.
    ///
    /// - Parameters:
    ///   - rules: those that are in force in the centre.
    ///   - ledgerHead: the end of the hash chain of the ledger that the claims are from.
    public init(_ claims: [BookedClaim], rules: [SubsidyRule], ledgerHead: String) {
        self.claims = claims
        self.rules = rules
        self.ledgerHead = ledgerHead
    }

    /// The fees less refunds. Unit: fen.
    public var total: Int128 { claims.reduce(0) { $0 + Int128($1.claim.fee.count) } }

    /// The claims as CSV; docs/billing.md describes the columns.
    public var csv: String {
        var csv = CSVText(header: [
            "claim_id", "date", "enterprise", "class", "platform", "key_platform", "provider",
            "resource", "fee_fen", "vat_fen", "registered_in", "refund_of", "booked", "granted",
            "pool_share", "pool_later", "rules", "ledger_head",
        ])
        let versions = rules.map { "\($0.id)@\($0.authority.version)" }.joined(separator: ";")
        for booked in claims {
            let claim = booked.claim
            let isFee = claim.refundOf == nil
            csv.add([
                .text(claim.id), .literal("\(claim.date)"), .text(claim.enterprise),
                .text(claim.classes.joined(separator: ";")), .text(claim.platform),
                .literal(claim.isOnKeyPlatform ? "yes" : "no"), .text(claim.facts.provider ?? ""),
                .text(claim.resource), .number(claim.fee.count),
                isFee ? claim.facts.vat.map { .number($0.count) } ?? .empty : .empty,
                .text(claim.facts.registeredIn ?? ""), .text(claim.refundOf ?? ""),
                claim.booked.map { .number($0) } ?? .empty,
                .text(Self.amounts(rules.map(\.id), booked.granted)),
                .text(Self.amounts(claim.facts.poolShares.keys.sorted(), claim.facts.poolShares)),
                .text(
                    claim.facts.poolServices.map { "\($0.rule)=\($0.amount.count)@\($0.after)" }
                        .joined(separator: ";")
                ),
                .text(versions), .literal(ledgerHead),
            ])
        }
        return csv.text
    }

    /// `rule=500;other=0`.
    private static func amounts(_ rules: [String], _ amounts: [String: Fen]) -> String {
        rules.map { "\($0)=\((amounts[$0] ?? .zero).count)" }.joined(separator: ";")
    }
}

/// Money that enterprises could have and have not.
public enum UnclaimedReport {
    /// The rows as a table; ends with a newline.
    public static func text(_ rows: [BillingBook.Unclaimed]) -> String {
        guard !rows.isEmpty else { return "Nothing is unclaimed: all entitlements were granted.\n" }
        var table = TextTable(
            header: [
                "Rule", "Enterprise", "Year", "Fee (CNY)", "Entitled (CNY)", "Granted (CNY)",
                "Unclaimed (CNY)",
            ],
            alignments: [.left, .left, .left, .right, .right, .right, .right]
        )
        for row in rows {
            table.add([
                row.rule, row.enterprise, String(row.year), yuan(row.fee), yuan(row.entitled),
                yuan(row.granted), yuan(row.entitled - row.granted),
            ])
        }
        return table.lines.joined(separator: "\n") + "\n"
    }
}
