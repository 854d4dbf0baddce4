import ArgumentParser
import Billing
import Catalog
import Foundation
import IndexSets
import LiveRuntime
import Reporting

/// Subsidy rules: what there is, what a rule says, and what it grants to a list of claims.
struct SubsidyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "subsidy",
        abstract: "List, show and evaluate subsidy rules.",
        subcommands: [
            List.self, Show.self, Evaluate.self, ClaimPackOf.self, Check.self, Unclaimed.self,
            Letters.self,
        ]
    )

    /// The shipped rules.
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the shipped rules.")

        @OptionGroup var language: LanguageOption

        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            let rules = try RuleCatalog.ruleNames.map { try RuleCatalog.rule(named: $0) }
            try StandardOutput.print(
                json ? RuleReport.json(rules) : RuleReport(in: language.words).list(rules),
                terminator: "",
                isData: json
            )
        }
    }

    /// One rule with all its parameters and assumptions.
    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show all parameters of a rule, and what was assumed."
        )

        @OptionGroup var language: LanguageOption

        @Argument(help: "A shipped rule, or a file.")
        var rule = RuleCatalog.defaultRuleName

        @Flag(help: "Print the file as it is, to start a rule of your own from.")
        var yaml = false

        func run() throws {
            let source = try RuleSource(rule)
            try StandardOutput.print(
                yaml ? source.text : RuleReport(in: language.words).show(source.rule),
                terminator: "",
                isData: yaml
            )
        }
    }

    /// The engine alone.
    struct Evaluate: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say what rules grant to each claim of a file.",
            discussion: """
                Prints CSV in the order of the claims: claim_id,granted_fen,reason (with several \
                rules, a last column 'rule'); totals go to standard error. docs/billing.md \
                describes the columns of the claims and the reasons.
                """
        )

        @OptionGroup var rules: RuleOptions

        @OptionGroup var language: LanguageOption

        @Option(help: ArgumentHelp("The claims; '-' is standard input.", valueName: "file.csv"))
        var claims: String

        @Flag(help: "Print decisions, totals and assumptions as JSON.")
        var json = false

        func run() throws {
            let sources = try self.rules.sources()
            try RuleCatalog.checkOverlaps(sources.map { ($0.rule, $0.file) })
            let fileName = claims == "-" ? "<stdin>" : claims
            let file = try ClaimsFile(
                text: try readText(claims),
                file: fileName,
                platforms: RuleCatalog.platforms()
            )
            let rules = sources.map(\.rule)
            try file.checkDates(rules, file: fileName)
            warnOfLookAlikes(file.claims.map(\.enterprise), in: fileName)
            let evaluation = SubsidyEvaluation(rules: rules, claims: file.claims)
            let report = SubsidyReport(evaluation, claims: file.claims)
            if json {
                try StandardOutput.print(report.json, terminator: "", isData: true)
            } else {
                try StandardOutput.print(report.csv, terminator: "", isData: true)
                try StandardOutput.report(
                    report.totalsText(in: language.words),
                    isTaken: true
                )
            }
        }
    }
}

/// Names on standard error the enterprises that may be one under several names: each has a cap of
/// its own.
func warnOfLookAlikes(_ names: some Sequence<String>, in file: String) {
    for names in PartyName.lookAlikes(among: names) {
        let list = names.map { "'\($0)'" }.joined(separator: ", ")
        let text = "\(file): warning: perhaps one enterprise, with a cap for each name: \(list)\n"
        FileHandle.standardError.write(Data(text.utf8))
    }
}

extension SubsidyCommand {
    /// What an enterprise would hand in.
    struct ClaimPackOf: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "claim-pack",
            abstract: "Print the fees of an enterprise as a claims file, for 'subsidy evaluate'."
        )

        @OptionGroup var stored: StoredBook

        @Option(help: "The enterprise.")
        var enterprise: String

        @Option(help: "The calendar year; by default all.")
        var year: Int?

        func run() throws {
            let centre = try stored.centre()
            let book = centre.book
            let known = Set(book.accounts.values.compactMap(\.enterprise)).sorted()
            guard known.contains(enterprise) else {
                let others =
                    known.isEmpty
                    ? "no account here belongs to one" : "one of: \(known.joined(separator: ", "))"
                let hint = didYouMean(enterprise, among: known)
                throw Refusal("--enterprise: '\(enterprise)' is not known\(hint); \(others)")
            }
            try StandardOutput.print(
                ClaimPack(
                    book.bookedClaims(of: enterprise, year: year),
                    rules: book.rules,
                    ledgerHead: centre.ledgerHead
                ).csv,
                terminator: "",
                isData: true
            )
        }
    }

    /// Who could have money and has not.
    struct Unclaimed: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List enterprises that rules would grant more than they were granted."
        )

        @OptionGroup var stored: StoredBook

        @OptionGroup var rules: RuleOptions

        @Option(help: "The year of the rule; by default all.")
        var year: Int?

        func run() throws {
            let rules = try self.rules.sources().map(\.rule)
            try StandardOutput.print(
                UnclaimedReport.text(try stored.centre().book.unclaimed(under: rules, year: year)),
                terminator: ""
            )
        }
    }
}
