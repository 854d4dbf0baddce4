public import Billing
import Quantities
import WireFormats

/// The double-entry books as rows: one for each posting, and one for an entry that moves no money.
public struct LedgerReport: Sendable {
    /// One row.
    private struct Row {
        var entry: LedgerEntry
        var posting: Posting?
    }

    private let rows: [Row]

    /// Chooses entries of a ledger.
    ///
    /// - Parameters:
    ///   - account: only what concerns this account of the centre; nil for all.
    ///   - month: only what was booked in this month of Asia/Shanghai; nil for all.
    public init(_ ledger: Ledger, account: String? = nil, month: BillingMonth? = nil) {
        var rows: [Row] = []
        for entry in ledger.entries {
            guard account.map(entry.concerns) ?? true,
                month.map({ $0 == BillingMonth(containing: entry.bookedAt) }) ?? true
            else { continue }
            if entry.postings.isEmpty { rows.append(Row(entry: entry)) }
            rows += entry.postings.map { Row(entry: entry, posting: $0) }
        }
        self.rows = rows
    }

    /// A table with the sum; ends with a newline.
    public var text: String {
        var table = TextTable(
            header: ["Booked (Asia/Shanghai)", "Entry", "Debit", "Credit", "Amount (CNY)"],
            alignments: [.left, .left, .left, .left, .right]
        )
        var sum = Fen.zero
        for row in rows {
            sum += row.posting?.amount ?? .zero
            table.add([
                Self.time(row.entry), row.entry.id, row.posting?.debit.description ?? "-",
                row.posting?.credit.description ?? "-", row.posting?.amount.yuanText ?? "-",
            ])
        }
        table.addRule()
        table.add(["", "Debits, and as much in credits", "", "", sum.yuanText])
        return table.lines.joined(separator: "\n") + "\n"
    }

    /// CSV (RFC 4180, LF). Times are of Asia/Shanghai, amounts in fen; an entry that moves nothing
    /// has empty accounts and 0.
    public var csv: String {
        var csv = CSVText(header: ["booked_at", "entry", "debit", "credit", "amount_fen"])
        for row in rows {
            csv.add([
                .literal(Self.time(row.entry)), .text(row.entry.id),
                .text(row.posting?.debit.description ?? ""),
                .text(row.posting?.credit.description ?? ""),
                .number(row.posting?.amount.count ?? 0),
            ])
        }
        return csv.text
    }

    private static func time(_ entry: LedgerEntry) -> String {
        CivilTime(entry.bookedAt, offsetSeconds: CivilTime.shanghaiOffsetSeconds).iso8601
    }
}

extension LedgerEntry {
    /// Whether the entry is about an account of the centre or moves its money.
    fileprivate func concerns(_ account: String) -> Bool {
        self.account == account
            || postings.contains { posting in
                [posting.debit, posting.credit].contains {
                    $0.name == account && [.receivable, .hold].contains($0.kind)
                }
            }
    }
}
