import Quantities
public import WireFormats

/// A statement in the forms in which it is handed out.
public struct BillReport: Sendable {
    /// What is reported.
    public let statement: BillStatement

    /// Makes a report.
    public init(_ statement: BillStatement) {
        self.statement = statement
    }

    /// The statement as JSON, for programs; the same in every language. Ends with a newline.
    public var json: String { statement.json.prettyText + "\n" }

    /// The statement for a terminal; ends with a newline.
    public func text(in words: ReportLanguage) -> String { document(in: words).text }

    /// The statement as one self-contained page that prints on A4.
    public func html(in words: ReportLanguage) -> String {
        document(in: words).html(language: words == .english ? "en" : "zh")
    }

    /// How fees are rounded, as every statement says.
    public static let roundingNote =
        "Fees are rounded half up to the fen, once a job; a job across a month end is split there "
        + "so that its parts add up."

    /// Whether several accounts, or one of another name, are summed up.
    var isOfEnterprise: Bool { statement.accounts != [statement.account] }
}

// MARK: - Numbers

extension BillReport {
    static func civil(_ instant: SimInstant) -> CivilTime {
        CivilTime(instant, offsetSeconds: CivilTime.shanghaiOffsetSeconds)
    }

    /// Hours with two decimals and groups of three, rounded half up: `1,234.50`.
    static func hours(_ seconds: Int64) -> String {
        // A hundredth of an hour is 36 s; amounts of money print the same way.
        Fen(min(seconds, .max - 18) / 36 + (min(seconds, .max - 18) % 36 + 18) / 36).yuanText
    }

    /// A number of thousandths with three decimals.
    static func thousandths(_ count: Int64) -> String {
        "\((count / 1_000).groupedText).\(String(1_000 + count % 1_000).dropFirst())"
    }

    /// A number of ten-thousandths with four decimals; without groups for programs.
    static func tenThousandths(_ count: Int64, isGrouped: Bool = true) -> String {
        let whole = isGrouped ? (count / 10_000).groupedText : String(count / 10_000)
        return "\(whole).\(String(10_000 + count % 10_000).dropFirst())"
    }

    /// A price in yuan without trailing zeros, at least two decimals: `0.10`, `0.125`.
    static func price(microFen: Int64) -> String {
        let whole = microFen / 100_000_000
        var decimals = String(100_000_000 + microFen % 100_000_000).dropFirst()
        while decimals.utf8.count > 2, decimals.hasSuffix("0") { decimals.removeLast() }
        return "\(whole).\(decimals)"
    }

    /// Energy in kWh with six decimals, rounded half up.
    static func kilowattHours(_ millijoules: Int64) -> String {
        // 10⁻⁶ kWh are 3,600 mJ.
        let millionths = millijoules / 3_600 + (millijoules % 3_600 >= 1_800 ? 1 : 0)
        let decimals = String(millionths % 1_000_000 + 1_000_000).dropFirst()
        return "\(millionths / 1_000_000).\(decimals)"
    }
}
