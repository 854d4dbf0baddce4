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
        errors: [JSONValue] = [],
        warnings: [String] = [],
        _ fill: (inout DataObject) -> Void = { _ in }
    ) -> JSONValue {
        DataObject.made { answer in
            fill(&answer)
            answer.object("meta", meta)
            answer.list("errors", errors)
            answer.list(
                "warnings",
                warnings.map { text in
                    DataObject.made { warning in
                        warning.text("description", text)
                        warning.text("source", "")
                    }
                }
            )
        }
    }

    private func meta(_ meta: inout DataObject) {
        meta.object("plugin") { plugin in
            plugin.text("type", command.isEmpty ? "openapi/slurmctld" : "")
            plugin.text("name", command.isEmpty ? "Slurm OpenAPI slurmctld" : "")
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

    /// Why a request is refused.
    ///
    /// - Parameter source: which part refused it, as a route or a command.
    public func refusal(_ body: ErrorBody, source: String) -> JSONValue {
        let error = SlurmError(rawValue: body.code) ?? .unspecified
        return answer(errors: [
            DataObject.made { object in
                object.text("description", ([body.text] + body.details).joined(separator: "; "))
                object.integer("error_number", error.number)
                object.text("error", error.text)
                object.text("source", source)
            }
        ])
    }
}
