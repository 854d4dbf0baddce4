public import Billing
import Quantities
import WireFormats

/// The evidence that an enterprise hands in: its fees as a claims file, one line a charge and
/// resource, in the form that `xinghe subsidy evaluate` reads.
public struct ClaimPack: Sendable {
    private let claims: [SubsidyClaim]

    /// Makes a pack of claims.
    public init(_ claims: [SubsidyClaim]) {
        self.claims = claims
    }

    /// The fees less refunds. Unit: fen.
    public var total: Int128 { claims.reduce(0) { $0 + Int128($1.fee.count) } }

    /// The claims as CSV; docs/billing.md describes the columns.
    public var csv: String {
        var text =
            "claim_id,date,enterprise,class,platform,resource,fee_fen,registered_in,refund_of\n"
        for claim in claims {
            let cells = [
                claim.id, claim.date.description, claim.enterprise,
                claim.classes.joined(separator: ";"), claim.platform, claim.resource,
                String(claim.fee.count), claim.facts.registeredIn ?? "", claim.refundOf ?? "",
            ]
            text += cells.map(csvField).joined(separator: ",") + "\n"
        }
        return text
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
