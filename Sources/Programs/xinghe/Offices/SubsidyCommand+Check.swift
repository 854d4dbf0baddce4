import ArgumentParser
import Billing
import Catalog
import Foundation
import Reporting

extension SubsidyCommand {
    /// The office's desk: packs computed again and held against each other.
    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Compute claim packs again and hold them against each other.",
            discussion: """
                Each pack is evaluated alone by its rules and compared, claim by claim, with what the \
                centre granted. Fees and invoices that are claimed twice, enterprises above their cap \
                and pools that paid too much, all packs together, are named, and the exit status is 1. \
                Names that differ only in case, spaces, signs or the form of the company are listed.
                """
        )

        @Argument(help: "Claim packs, as 'xinghe subsidy claim-pack' writes them.")
        var packs: [String]

        @OptionGroup var rules: RuleOptions

        func run() throws {
            let received = try packs.map { try pack($0) }
            let rules = try self.rules.sources(default: rules(of: received)).map(\.rule)
            let check = PackCheck(received, rules: rules, byOwnRules: self.rules.rule.isEmpty)
            let report = PackCheckReport(check)
            try StandardOutput.print(report.text, terminator: "")
            guard check.findings.isEmpty else {
                throw Refusal(
                    "the packs cannot be paid as they are\n"
                        + report.findings.map { "  " + $0 }.joined(separator: "\n")
                )
            }
        }

        private func pack(_ name: String) throws -> ReceivedPack {
            let file = try ClaimsFile(
                text: try readText(name),
                file: name,
                platforms: RuleCatalog.platforms()
            )
            return ReceivedPack(
                name: name,
                claims: file.claims,
                granted: file.granted,
                rules: file.rules
            )
        }

        /// The rules that the packs name; a pack that names none was made under the default.
        private func rules(of packs: [ReceivedPack]) -> [String] {
            let named = Set(packs.flatMap(\.rules).map { String($0.prefix { $0 != "@" }) })
            return named.isEmpty ? [RuleCatalog.defaultRuleName] : named.sorted()
        }
    }
}
