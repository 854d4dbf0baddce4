import ArgumentParser
import Billing
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
            Sums are given by platform, final job state and resource. With --month only that month \
            of Asia/Shanghai counts; without it, everything so far.
            """
    )

    /// The forms in which a bill is printed.
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case text, json, csv, html
    }

    @Option(name: [.customShort("A"), .long], help: "The account.")
    var account: String

    @Option(help: ArgumentHelp("The month, in Asia/Shanghai.", valueName: "YYYY-MM"))
    var month: String?

    @Option(help: "text, json, csv or html.")
    var format = Format.text

    @Option(
        help: ArgumentHelp(
            "Read the books in this state folder instead of asking the centre.",
            valueName: "folder"
        )
    )
    var state: String?

    @OptionGroup var centre: CentreAccess

    func validate() throws {
        if let month, BillingMonth(month) == nil {
            throw ValidationError("--month: '\(month)' is no month; write it as 2026-11")
        }
        if account.isEmpty { throw ValidationError("--account must not be empty") }
    }

    func run() throws {
        let report = BillReport(try state.map { try stored($0) } ?? asked())
        switch format {
        case .text: print(report.text, terminator: "")
        case .json: print(report.json, terminator: "")
        case .csv: print(report.csv, terminator: "")
        case .html: print(report.html, terminator: "")
        }
    }

    private func asked() throws -> BillStatement {
        var target = "/v1/bill?account=\(Self.encoded(account))"
        if let month { target += "&month=\(month)" }
        return try CentreAccess.ask { () throws(LocalClientFailure) in
            try centre.client.get(target, as: BillStatement.self)
        }
    }

    /// The statement out of a state folder, as of its last entry.
    private func stored(_ folder: String) throws -> BillStatement {
        let book = try StoredBook.book(state: folder)
        let statement = book.statement(
            account: account,
            month: month.flatMap { BillingMonth($0) },
            asOf: book.ledger.entries.last?.bookedAt ?? .epoch
        )
        guard let statement else {
            let known = book.accounts.keys.sorted().joined(separator: ", ")
            throw Refusal("account '\(account)' is not known; accounts: \(known)")
        }
        return BillStatement(statement)
    }

    /// `text` as the value of a query (RFC 3986): all but unreserved characters in hexadecimal.
    private static func encoded(_ text: String) -> String {
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
