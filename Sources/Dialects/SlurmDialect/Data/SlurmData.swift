public import WireFormats

/// What a centre tells, in Slurm's data model: the answers of its REST, and of commands with `--json`
/// and `--yaml`.
///
/// Source: Slurm's OpenAPI descriptions of data_parser v0.0.41 to v0.0.44.
public struct SlurmData: Hashable, Sendable {
    /// The version of the model.
    public var version: DataVersion
    /// The centre's name; empty where nobody asked for it.
    public var cluster: String
    /// The command that is answered; empty for the REST.
    public var command: [String]
    /// Whether the REST answers for the accounts (`slurmdb`) rather than for the controller.
    public var isOfAccounts = false
    /// What whoever asks should know although he is served.
    public var warnings: [RestWarning] = []
    /// The user who asks.
    public var user: String

    /// Speaks a version of the model.
    public init(
        _ version: DataVersion = .usual,
        cluster: String = "",
        command: [String] = [],
        user: String = ""
    ) {
        self.version = version
        self.cluster = cluster
        self.command = command
        self.user = user
    }

    /// An answer with its members, and around them what every answer has.
    func answer(
        errors: [RestFailure] = [],
        warnings: [RestWarning] = [],
        _ fill: (inout DataObject) -> Void = { _ in }
    ) -> JSONValue {
        DataObject.made { answer in
            fill(&answer)
            answer.object("meta", meta)
            answer.list("errors", errors.map(\.json))
            answer.list("warnings", (self.warnings + warnings).map(\.json))
        }
    }

    private func meta(_ meta: inout DataObject) {
        meta.object("plugin") { plugin in
            let part = isOfAccounts ? "slurmdbd" : "slurmctld"
            plugin.text("type", command.isEmpty ? "openapi/\(part)" : "")
            plugin.text("name", command.isEmpty ? "Slurm OpenAPI \(part)" : "")
            plugin.text("data_parser", "data_parser/\(version.rawValue)")
            plugin.text("accounting_storage", "accounting_storage/slurmdbd")
        }
        meta.object("client") { client in
            client.text("source", "")
            client.text("user", user)
            client.text("group", "")
        }
        meta.words("command", command)
        meta.object("slurm") { slurm in
            let parts = slurmVersion.split(separator: ".").map(String.init)
            slurm.object("version") { version in
                version.text("major", parts.first)
                version.text("micro", parts.dropFirst(2).first)
                version.text("minor", parts.dropFirst().first)
            }
            slurm.text("release", slurmVersion)
            slurm.text("cluster", cluster)
        }
    }

    /// An answer that holds nothing but that it went well.
    public func done() -> JSONValue { answer() }

    /// The same with more that whoever asks should know.
    public func warning(_ more: [RestWarning]) -> SlurmData {
        var data = self
        data.warnings += more
        return data
    }

    /// An answer in which a list is empty, since nothing has what was asked for.
    public func nothing(_ member: String) -> JSONValue {
        warning([RestWarning("Nothing found with query", member)]).names([], as: member)
    }

    /// Names under the name that Slurm gives their list.
    public func names(_ names: [String], as member: String) -> JSONValue {
        answer { $0.words(member, names) }
    }

    /// Why a request is refused.
    public func refusal(_ failure: RestFailure) -> JSONValue { answer(errors: [failure]) }
}
