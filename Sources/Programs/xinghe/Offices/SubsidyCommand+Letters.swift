import ArgumentParser
import Billing
import Foundation
import LiveRuntime
import Quantities
import Reporting

extension SubsidyCommand {
    /// The policy finds the enterprise.
    struct Letters: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write to enterprises that rules would grant more than they were granted.",
            discussion: """
                One letter an enterprise: under which rules it could have how much more, and what a claim \
                needs. Without --out all letters go to standard output, each on a page of its own.
                """
        )

        /// The forms of a letter.
        enum Format: String, ExpressibleByArgument, CaseIterable {
            case text, html
        }

        @OptionGroup var stored: StoredBook

        @OptionGroup var rules: RuleOptions

        @Option(help: "The year of the rule; by default all.")
        var year: Int?

        @Option(help: "The language of the letters: zh, en or both.")
        var lang = ReportLanguage.both

        @Option(help: "text or html.")
        var format = Format.text

        @Option(help: ArgumentHelp("Write one file an enterprise here.", valueName: "folder"))
        var out: String?

        func run() throws {
            let rules = try self.rules.sources().map(\.rule)
            let centre = try stored.centre()
            let letters = UnclaimedLetters(
                centre.book.unclaimed(under: rules, year: year),
                rules: rules,
                date: BillingDay(containing: centre.lastInstant),
                in: lang
            )
            guard let out else {
                return try StandardOutput.print(
                    format == .text ? letters.text : letters.html,
                    terminator: "",
                    isData: format != .text
                )
            }
            try FileManager.default.createDirectory(
                atPath: out,
                withIntermediateDirectories: true
            )
            for (index, letter) in letters.letters.enumerated() {
                let name = "\(index + 1)-\(Self.fileName(letter.enterprise))"
                let path = "\(out)/\(name).\(format == .text ? "txt" : "html")"
                let content = format == .text ? letter.text : letters.html(of: letter)
                try OutputFile.write(content, to: path)
                try StandardOutput.print(path)
            }
        }

        /// A name without what a path cannot have.
        private static func fileName(_ enterprise: String) -> String {
            String(enterprise.prefix(40).map { $0.isLetter || $0.isNumber ? $0 : "-" })
        }
    }
}
