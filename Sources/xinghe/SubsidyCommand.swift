import ArgumentParser
import Billing
import Catalog
import Foundation
import LiveRuntime
import Reporting

/// Subsidy rules: what there is, what a rule says, and what it grants to a list of claims.
struct SubsidyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "subsidy",
        abstract: "List, show and evaluate subsidy rules.",
        subcommands: [List.self, Show.self, Evaluate.self, ClaimPackOf.self, Unclaimed.self]
    )

    /// The shipped rules.
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the shipped rules.")

        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            let rules = try RuleCatalog.ruleNames.map { try RuleCatalog.rule(named: $0) }
            try StandardOutput.print(
                json ? RuleReport.json(rules) : RuleReport.list(rules),
                terminator: ""
            )
        }
    }

    /// One rule with all its parameters and assumptions.
    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show all parameters of a rule, and what was assumed."
        )

        @Argument(help: "A shipped rule, or a file.")
        var rule = RuleCatalog.defaultRuleName

        @Flag(help: "Print the file as it is, to start a rule of your own from.")
        var yaml = false

        func run() throws {
            let source = try RuleSource(rule)
            try StandardOutput.print(
                yaml ? source.text : RuleReport.show(source.rule),
                terminator: ""
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

        @Option(
            help: ArgumentHelp("A shipped rule, or a file; may be repeated.", valueName: "rule")
        )
        var rule: [String] = []

        @Option(help: ArgumentHelp("The claims; '-' is standard input.", valueName: "file.csv"))
        var claims: String

        @Option(
            help: ArgumentHelp(
                "Set the rate of a rule by hand, in ppm (500000 is 50 %).",
                valueName: "rule=ppm"
            )
        )
        var rate: [String] = []

        @Flag(help: "Print decisions, totals and assumptions as JSON.")
        var json = false

        func run() throws {
            let names = rule.isEmpty ? [RuleCatalog.defaultRuleName] : rule
            var sources = try names.map { try RuleSource($0) }
            try RuleCatalog.checkOverlaps(sources.map { ($0.rule, $0.file) })
            for setting in rate { try set(setting, in: &sources) }
            for source in sources where source.rule.rate.isUnknown {
                throw Refusal(
                    "the rate of rule '\(source.rule.id)' is not published; "
                        + "set it by hand: --rate \(source.rule.id)=PPM"
                )
            }
            let fileName = claims == "-" ? "<stdin>" : claims
            let file = try ClaimsFile(
                text: try readText(claims),
                file: fileName,
                platforms: RuleCatalog.platforms()
            )
            let rules = sources.map(\.rule)
            try file.checkDates(rules, file: fileName)
            let evaluation = SubsidyEvaluation(rules: rules, claims: file.claims)
            let report = SubsidyReport(evaluation, claims: file.claims)
            if json {
                try StandardOutput.print(report.json, terminator: "")
            } else {
                try StandardOutput.print(report.csv, terminator: "")
                FileHandle.standardError.write(Data(report.totalsText.utf8))
            }
        }

        private func set(_ setting: String, in sources: inout [RuleSource]) throws {
            let sides = setting.split(separator: "=", omittingEmptySubsequences: false)
            guard sides.count == 2, let ppm = Int64(sides[1]), (0...1_000_000).contains(ppm) else {
                throw Refusal(
                    "--rate \(setting): write RULE=PPM, with 0 to 1000000 (100 %)"
                )
            }
            guard sources.contains(where: { $0.rule.id == sides[0] }) else {
                throw Refusal("--rate \(setting): '\(sides[0])' is none of the rules given")
            }
            for index in sources.indices where sources[index].rule.id == sides[0] {
                sources[index].rule.rate.ppm = ppm
            }
        }
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
            let book = try stored.centre().book
            let known = Set(book.accounts.values.compactMap(\.enterprise)).sorted()
            guard known.contains(enterprise) else {
                throw Refusal(
                    "--enterprise: '\(enterprise)' is not known; one of: "
                        + known.joined(separator: ", ")
                )
            }
            try StandardOutput.print(
                ClaimPack(book.claims(of: enterprise, year: year)).csv,
                terminator: ""
            )
        }
    }

    /// Who could have money and has not.
    struct Unclaimed: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List enterprises that rules would grant more than they were granted."
        )

        @OptionGroup var stored: StoredBook

        @Option(
            help: ArgumentHelp("A shipped rule, or a file; may be repeated.", valueName: "rule")
        )
        var rule: [String] = []

        @Option(help: "The year of the rule; by default all.")
        var year: Int?

        func run() throws {
            let names = rule.isEmpty ? [RuleCatalog.defaultRuleName] : rule
            let rules = try names.map { try RuleSource($0).rule }
            for rule in rules where rule.rate.isUnknown {
                throw Refusal("the rate of rule '\(rule.id)' is not published; set it in a file")
            }
            try StandardOutput.print(
                UnclaimedReport.text(try stored.centre().book.unclaimed(under: rules, year: year)),
                terminator: ""
            )
        }
    }
}

/// A rule as somebody named it: shipped, or a file.
struct RuleSource {
    var rule: SubsidyRule
    var file: String
    var text: String

    init(_ name: String) throws {
        if let text = RuleCatalog.ruleText(named: name) {
            self.text = text
            file = name + ".yaml"
        } else if FileManager.default.fileExists(atPath: name) {
            text = try readText(name)
            file = name
        } else {
            // Refuses, naming rules that may have been meant.
            rule = try RuleCatalog.rule(named: name)
            preconditionFailure("rule \(name) is shipped but has no text")
        }
        rule = try RuleCatalog.rule(text: text, file: file)
    }
}

/// The text of a file; `-` is standard input.
func readText(_ path: String) throws -> String {
    let data: Data
    if path == "-" {
        data = FileHandle.standardInput.readDataToEndOfFile()
    } else {
        do {
            data = try Data(contentsOf: URL(fileURLWithPath: path))
        } catch {
            throw Refusal("file '\(path)' cannot be read: \(error.localizedDescription)")
        }
    }
    guard let text = String(data: data, encoding: .utf8) else {
        throw Refusal("file '\(path)' is not UTF-8")
    }
    return text
}
