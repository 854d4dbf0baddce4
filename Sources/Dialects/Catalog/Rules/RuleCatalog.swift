public import Billing
public import ClusterModel
import IndexSets

/// The subsidy rules that are shipped inside the programs, and the reader for anybody's.
public enum RuleCatalog {
    /// The rule that applies when none is named.
    public static let defaultRuleName = "teda-machine-hour"

    /// The names of the shipped rules, in the order in which they are listed.
    public static var ruleNames: [String] { rules.map(\.name) }

    /// The file of a shipped rule; nil when there is none.
    public static func ruleText(named name: String) -> String? {
        rules.first { $0.name == name }.map { String(decoding: $0.bytes, as: UTF8.self) }
    }

    /// Reads a shipped rule.
    ///
    /// - Throws: `UnknownRule`.
    public static func rule(named name: String) throws -> SubsidyRule {
        guard let text = ruleText(named: name) else {
            throw UnknownRule(name: name, similar: similarNames(to: name, among: ruleNames))
        }
        return try rule(text: text, file: name + ".yaml")
    }

    /// Reads a rule from the text of a file.
    ///
    /// - Parameter file: what refusals call the text.
    /// - Throws: what is wrong in the text.
    public static func rule(text: String, file: String) throws(FileRefusal) -> SubsidyRule {
        try RuleReader.rule(text: text, file: file)
    }

    /// Checks that no two rules of one name apply on the same day.
    ///
    /// - Parameter rules: the rules with the name of the file of each.
    /// - Throws: a refusal of the later file.
    public static func checkOverlaps(
        _ rules: [(rule: SubsidyRule, file: String)]
    ) throws(FileRefusal) {
        for (index, later) in rules.enumerated() {
            for earlier in rules[..<index]
            where earlier.rule.id == later.rule.id
                && earlier.rule.validity.overlaps(later.rule.validity)
            {
                throw FileRefusal(
                    file: later.file,
                    line: 1,
                    field: "valid_from",
                    problem: .conflict(
                        "the validity of rule '\(later.rule.id)' overlaps that in \(earlier.file)"
                    )
                )
            }
        }
    }

    /// The platforms of all shipped machines, by name: the registry that claims refer to.
    public static func platforms() throws(FileRefusal) -> [Platform] {
        var platforms: [String: Platform] = [:]
        for name in MachineCatalog.machineNames {
            guard let text = MachineCatalog.machineText(named: name) else { continue }
            let document = try YAMLField.document(
                text,
                file: MachineCatalog.fileName(ofMachine: name)
            )
            for field in try document.mapping(MachineReader.topFields)["platforms"]?.list() ?? [] {
                let platform = try MachineReader.platform(field)
                platforms[platform.name] = platforms[platform.name] ?? platform
            }
        }
        return platforms.values.sorted { $0.name < $1.name }
    }

    // SwiftPM embeds every file of Resources/ as bytes; a test compares this list with the folder.
    private static var rules: [(name: String, bytes: [UInt8])] {
        [
            ("teda-machine-hour", PackageResources.teda_machine_hour_yaml),
            ("tianjin-city-voucher", PackageResources.tianjin_city_voucher_yaml),
            ("beijing-2023", PackageResources.beijing_2023_yaml),
            ("shanghai-2025", PackageResources.shanghai_2025_yaml),
            ("shenzhen-xunli", PackageResources.shenzhen_xunli_yaml),
            ("hangzhou-2025", PackageResources.hangzhou_2025_yaml),
            ("henan-2025", PackageResources.henan_2025_yaml),
            ("langfang-2023", PackageResources.langfang_2023_yaml),
            ("chengdu-2022", PackageResources.chengdu_2022_yaml),
            ("guizhou-2023", PackageResources.guizhou_2023_yaml),
            ("yangzhou-2024", PackageResources.yangzhou_2024_yaml),
            ("qingdao-2024", PackageResources.qingdao_2024_yaml),
            ("zhangzhou-2025", PackageResources.zhangzhou_2025_yaml),
        ]
    }
}

/// No shipped rule has this name.
public struct UnknownRule: Error, Hashable, Sendable {
    /// The name.
    public var name: String
    /// Names that may have been meant.
    public var similar: [String]
}
