public import Billing
import Quantities

/// What an office is told of claim packs.
public struct PackCheckReport: Sendable {
    private let check: PackCheck

    /// Makes a report.
    public init(_ check: PackCheck) {
        self.check = check
    }

    /// The packs with what was granted and computed again, then names to be looked at; ends with a
    /// newline.
    public var text: String {
        var table = TextTable(
            header: ["Pack", "Claims", "Granted (CNY)", "Computed (CNY)"],
            alignments: [.left, .right, .right, .right]
        )
        for total in check.totals {
            table.add([
                total.pack, String(total.claims), yuan(total.granted), yuan(total.computed),
            ])
        }
        var lines = table.lines
        for names in check.lookAlikes {
            lines.append(
                "Perhaps one enterprise: \(names.map { "'\($0)'" }.joined(separator: ", "))"
            )
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// One sentence a finding.
    public var findings: [String] { check.findings.map(Self.sentence) }

    private static func sentence(_ finding: PackCheck.Finding) -> String {
        func list(_ names: [String]) -> String { names.joined(separator: ", ") }
        return switch finding {
        case .difference(let pack, let claim, let rule, let granted, let computed):
            "\(pack): claim \(claim): granted \(granted.yuanText) CNY, but rule '\(rule)' gives"
                + " \(computed.yuanText)"
        case .otherVersion(let pack, let stated, let given):
            "\(pack): the centre applied rule \(stated), not \(given)"
        case .claimTwice(let claim, let packs, let enterprises):
            "claim \(claim) is there twice: in \(list(packs)), for \(list(enterprises))"
        case .invoiceTwice(let invoice, let packs, let enterprises):
            "invoice \(invoice) is claimed in \(list(packs)), for \(list(enterprises))"
        case .aboveCap(let rule, let beneficiary, let year, let granted, let cap):
            "\(beneficiary) has \(yuan(granted)) CNY of rule '\(rule)' in \(year), all packs together;"
                + " the cap is \(cap.yuanText)"
        case .abovePool(let rule, let period, let granted, let pool):
            "the pool of rule '\(rule)' pays \(yuan(granted)) CNY in \(period), all packs together;"
                + " it has \(pool.yuanText)"
        }
    }
}
