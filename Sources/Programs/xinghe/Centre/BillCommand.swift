public import ArgumentParser
public import Billing
import Foundation
import LiveRuntime
import LocalClient
import Quantities
import Reporting
import WireFormats

/// The bill of an account, as the running centre knows it.
struct BillCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bill",
        abstract: "Show what an account owes: gross fee, subsidy, net, and what for.",
        discussion: """
            A statement with parties, lines at prices, taxes, balances and seal lines. With --month \
            only that month of Asia/Shanghai counts, with --year that year; without either, \
            everything so far. HTML prints on A4; CSV has fen and yuan; focus is CSV in the columns \
            of FOCUS 1.0 for cost tools. The end of the ledger's hash chain is printed; 'xinghe \
            audit --head' proves later that the books have only grown since.
            """
    )

    /// The forms in which a bill is printed.
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case text, json, csv, html, focus

        /// How names of files end.
        var fileExtension: String {
            switch self {
            case .text: "txt"
            case .json, .csv, .html: rawValue
            case .focus: "focus.csv"
            }
        }

        /// A statement in this form.
        func text(
            of report: BillReport,
            in words: ReportLanguage,
            hasByteOrderMark: Bool = false
        ) throws -> String {
            switch self {
            case .text: return report.text(in: words)
            case .json: return report.json
            case .csv: return report.csv(in: words, hasByteOrderMark: hasByteOrderMark)
            case .html: return report.html(in: words)
            case .focus:
                guard let csv = report.focus(in: words, hasByteOrderMark: hasByteOrderMark) else {
                    throw Refusal("--format focus needs the period of a month or a year")
                }
                return csv
            }
        }
    }

    @Option(name: [.customShort("A"), .long], help: "The account.")
    var account: String?

    @Option(help: "The enterprise, with all its accounts, instead of an account.")
    var enterprise: String?

    @Option(
        help: ArgumentHelp(
            "Write the statements of all accounts into this folder, one a month, and a summary.",
            valueName: "folder"
        )
    )
    var all: String?

    @Option(help: ArgumentHelp("The month, in Asia/Shanghai.", valueName: "YYYY-MM"))
    var month: String?

    @Option(help: ArgumentHelp("The calendar year, in Asia/Shanghai.", valueName: "YYYY"))
    var year: String?

    @Option(help: "The language: zh, en or both; by default that of LANG.")
    var lang: ReportLanguage?

    @Option(help: "text, json, csv, html or focus.")
    var format = Format.text

    @Option(help: "Break the costs down by this too: user, project, platform or kernel.")
    var by: StatementGrouping?

    @Flag(help: "List the charges one by one; with --format csv, only them.")
    var jobs = false

    @Flag(help: "Begin CSV with a byte order mark, by which Excel knows UTF-8.")
    var bom = false

    @Option(
        help: ArgumentHelp(
            "Read the books in this state folder instead of asking the centre.",
            valueName: "folder"
        )
    )
    var state: String?

    @Option(
        help:
            "With --state: a machine that the folder must belong to; for folders of an earlier version."
    )
    var machine: String?

    @OptionGroup var centre: CentreAccess

    func validate() throws {
        guard all != "-" else {
            throw ValidationError("--all: statements go into a folder, not to '-'")
        }
        if let month, BillingMonth(month) == nil {
            throw ValidationError("--month: '\(month)' is no month; write it as 2026-11")
        }
        if let year, BillingPeriod(year) == nil || year.contains("-") {
            throw ValidationError("--year: '\(year)' is no year; write it as 2026")
        }
        guard month == nil || year == nil else {
            throw ValidationError("give --month or --year, not both")
        }
        guard machine == nil || state != nil else {
            throw ValidationError("--machine goes with --state: a running centre has its own")
        }
        guard [account, enterprise, all].compactMap(\.self).count == 1 else {
            throw ValidationError("give one of --account, --enterprise and --all")
        }
        guard all == nil || state != nil else {
            throw ValidationError("--all goes with --state: it reads the books of a state folder")
        }
        guard all == nil || by == nil else {
            throw ValidationError("--by is for one statement; leave --all out")
        }
        if (account ?? enterprise)?.isEmpty == true {
            throw ValidationError("--account and --enterprise must not be empty")
        }
        guard !bom || [.csv, .focus].contains(format) else {
            throw ValidationError("--bom goes with --format csv or focus")
        }
        guard format != .focus || (month ?? year) != nil else {
            throw ValidationError("--format focus needs --month or --year")
        }
    }

    func run() throws {
        let words = lang ?? ReportLanguage(environment: ProcessInfo.processInfo.environment)
        if let all, let state {
            return try writeAll(in: words, to: all, of: state)
        }
        let report = BillReport(try state.map { try stored($0) } ?? asked())
        try StandardOutput.print(
            jobs && format == .csv
                ? report.chargesCSV(hasByteOrderMark: bom)
                : format.text(of: report, in: words, hasByteOrderMark: bom),
            terminator: "",
            isData: format != .text
        )
    }

    private func writeAll(
        in words: ReportLanguage,
        to path: String,
        of state: String
    ) throws {
        let stored = try StoredBook.centre(state: state, machine: machine)
        let folder = StatementFolder(
            path: path,
            format: format,
            words: words,
            listsCharges: jobs,
            hasByteOrderMark: bom
        )
        let count = try folder.write(
            stored.book,
            (month ?? year).flatMap { BillingPeriod($0) } ?? .all,
            asOf: stored.lastInstant,
            ledgerHead: stored.ledgerHead
        )
        try StandardOutput.print("\(counted(count, "statement")) in \(path)")
    }

    private func asked() throws -> BillStatement {
        let holder =
            if let account {
                "account=\(Self.encoded(account))"
            } else {
                "enterprise=\(Self.encoded(enterprise ?? ""))"
            }
        var target = "/v1/bill?\(holder)"
        if let period = month ?? year { target += "&period=\(period)" }
        if let by { target += "&by=\(by.rawValue)" }
        if jobs { target += "&jobs=true" }
        return try CentreAccess.ask { () throws(LocalClientFailure) in
            try centre.client.get(target, as: BillStatement.self)
        }
    }

    /// The statement out of a state folder, as of its last input.
    private func stored(_ folder: String) throws -> BillStatement {
        let stored = try StoredBook.centre(state: folder, machine: machine)
        let book = stored.book
        let statement = book.statement(
            of: account.map { .account($0) } ?? .enterprise(enterprise ?? ""),
            period: (month ?? year).flatMap { BillingPeriod($0) } ?? .all,
            asOf: stored.lastInstant,
            detail: StatementSums.Detail(grouping: by, listsCharges: jobs)
        )
        guard let statement else {
            if let enterprise {
                let known = Set(book.accounts.values.compactMap(\.enterprise)).sorted()
                throw Refusal(
                    "enterprise '\(enterprise)' is not known; enterprises: "
                        + known.joined(separator: ", ")
                )
            }
            let known = book.accounts.keys.sorted().joined(separator: ", ")
            throw Refusal("account '\(account ?? "")' is not known; accounts: \(known)")
        }
        return BillStatement(statement, ledgerHead: stored.ledgerHead)
    }

    /// `text` as the value of a query (RFC 3986): all but unreserved characters in hexadecimal.
    static func encoded(_ text: String) -> String {
        var encoded = ""
        for byte in text.utf8 {
            let scalar = Unicode.Scalar(byte)
            let isUnreserved =
                byte < 0x80
                && (scalar.properties.isAlphabetic || (0x30...0x39).contains(byte)
                    || "-._~".unicodeScalars.contains(scalar))
            if isUnreserved {
                encoded.unicodeScalars.append(scalar)
            } else {
                let digits = String(byte, radix: 16, uppercase: true)
                encoded += "%" + (byte < 16 ? "0" : "") + digits
            }
        }
        return encoded
    }
}

extension StatementGrouping: ExpressibleByArgument {}
