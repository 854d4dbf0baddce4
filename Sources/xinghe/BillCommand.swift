import ArgumentParser
import Billing
import LocalClient
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

    func validate() throws {
        if let month, BillingMonth(month) == nil {
            throw ValidationError("--month: '\(month)' is no month; write it as 2026-11")
        }
        if account.isEmpty { throw ValidationError("--account must not be empty") }
    }

    func run() throws {
        var target = "/v1/bill?account=\(Self.encoded(account))"
        if let month { target += "&month=\(month)" }
        let report = BillReport(try LocalClient().get(target, as: BillStatement.self))
        switch format {
        case .text: print(report.text, terminator: "")
        case .json: print(report.json, terminator: "")
        case .csv: print(report.csv, terminator: "")
        case .html: print(report.html, terminator: "")
        }
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
