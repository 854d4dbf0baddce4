public import WireFormats

/// How a command writes data in place of a listing: `--json`, `--yaml=v0.0.43`.
public struct DataFormat: Hashable, Sendable {
    /// Whether it is YAML rather than JSON.
    public var isYAML: Bool
    /// The version of the data model.
    public var version: DataVersion

    /// Reads the value of `--json` or `--yaml`: nothing, a version, or `latest`; more after `+` are
    /// wishes about the form, which change nothing here.
    ///
    /// - Throws: `CommandFailure` for a version that there is not.
    init(isYAML: Bool, value: String?, program: String) throws(CommandFailure) {
        self.isYAML = isYAML
        let word = value?.split(separator: "+").first.map(String.init) ?? ""
        switch word {
        case "", "default": version = .usual
        case "latest": version = DataVersion.allCases.last ?? .usual
        default:
            let name = word.hasPrefix("v") ? word : "v" + word
            guard let known = DataVersion(rawValue: name) else {
                let option = isYAML ? "yaml" : "json"
                let all = DataVersion.allCases.map(\.rawValue).joined(separator: ", ")
                throw .error(program, "--\(option)=\(word): no such data version; there are \(all)")
            }
            version = known
        }
    }

    /// Looks for `--json` and `--yaml` where a command has no other options; nil when there is neither.
    ///
    /// - Throws: `CommandFailure` for a version that there is not.
    public init?(among arguments: [String], program: String) throws(CommandFailure) {
        for argument in arguments {
            let parts = argument.split(separator: "=", maxSplits: 1).map(String.init)
            guard let name = parts.first, ["--json", "--yaml"].contains(name) else { continue }
            let value = parts.dropFirst().first
            try self.init(isYAML: name == "--yaml", value: value, program: program)
            return
        }
        return nil
    }

    /// What is printed for `answer`.
    public func output(_ answer: JSONValue, errors: [String] = []) -> CommandOutput {
        CommandOutput(lines: [isYAML ? answer.yamlText : answer.prettyText], errors: errors)
    }
}
