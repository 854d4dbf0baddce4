public import Billing
import Quantities
public import WireFormats

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
    public func text(in words: MessageLanguage = .english) -> String {
        var table = TextTable(
            header: [
                words("记账时间（Asia/Shanghai）", "Booked (Asia/Shanghai)"), words("分录", "Entry"),
                words("借方", "Debit"), words("贷方", "Credit"), words("金额（元）", "Amount (CNY)"),
            ],
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
        table.add([
            "", words("借方合计，贷方与之相等", "Debits, and as much in credits"), "", "", sum.yuanText,
        ])
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

extension LedgerEntry.Kind {
    /// Several entries of the kind, in a language.
    public func name(in words: MessageLanguage) -> String {
        guard words == .chinese else { return rawValue }
        return switch self {
        case .charge: "计费"
        case .grant: "补贴"
        case .reversal: "冲销"
        case .payment: "付款"
        case .hold: "预占"
        case .release: "释放预占"
        case .creditLimit: "信用额度"
        case .voucher: "算力券"
        case .redemption: "算力券抵扣"
        case .storage: "按日存储费"
        case .poolClosing: "补贴池结算"
        case .budget: "预算"
        }
    }
}
