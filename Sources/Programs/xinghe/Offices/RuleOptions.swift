import ArgumentParser
import Billing
import Catalog
import Foundation

/// The rules that a command reckons with.
struct RuleOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A shipped rule, or a file; may be repeated. By default teda-machine-hour.",
            valueName: "rule"
        )
    )
    var rule: [String] = []

    @Option(
        help: ArgumentHelp(
            "Set the rate of a rule by hand, in ppm (500000 is 50 %).",
            valueName: "rule=ppm"
        )
    )
    var rate: [String] = []

    /// The rules with the rates that were set.
    ///
    /// - Parameter names: the rules when none is given.
    /// - Throws: a refusal of a rule that is unknown, or whose rate is.
    func sources(
        default names: [String] = [RuleCatalog.defaultRuleName]
    ) throws -> [RuleSource] {
        var sources = try (rule.isEmpty ? names : rule).map {
            try RuleSource($0)
        }
        for setting in rate { try set(setting, in: &sources) }
        for rule in sources.map(\.rule) where rule.rate.isUnknown {
            throw Refusal(
                "the rate of rule '\(rule.id)' is not published; set it by hand: --rate "
                    + "\(rule.id)=PPM, or in a file: xinghe subsidy show \(rule.id) --yaml > FILE"
            )
        }
        return sources
    }

    /// Refuses rules for certain providers where nobody says who ran the jobs.
    static func checkProvider(_ provider: String?, for rules: [SubsidyRule]) throws {
        guard provider == nil, let rule = rules.first(where: { $0.what.providers != nil }) else {
            return
        }
        let names = (rule.what.providers ?? []).joined(separator: ", ")
        throw Refusal(
            "rule '\(rule.id)' is for \(names) only; say who ran the jobs: --provider NAME"
        )
    }

    private func set(_ setting: String, in sources: inout [RuleSource]) throws {
        let sides = setting.split(separator: "=", omittingEmptySubsequences: false)
        guard sides.count == 2, let ppm = Int64(sides[1]), (0...1_000_000).contains(ppm) else {
            throw Refusal("--rate \(setting): write RULE=PPM, with 0 to 1000000 (100 %)")
        }
        guard sources.contains(where: { $0.rule.id == sides[0] }) else {
            throw Refusal("--rate \(setting): '\(sides[0])' is none of the rules given")
        }
        for index in sources.indices where sources[index].rule.id == sides[0] {
            sources[index].rule.rate.ppm = ppm
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
