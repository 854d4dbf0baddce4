import JobModel
public import WireFormats

/// The bodies that Slurm's REST takes, and their forms.
public enum SlurmBody: Hashable, Sendable, CaseIterable {
    /// A script and the job that it is to be.
    case submission
    /// An allocation.
    case allocation
    /// Changes of a job.
    case change
    /// Which jobs are cancelled.
    case cancel
    /// Changes of nodes.
    case node
    /// A reservation.
    case reservation
    /// Several of them.
    case reservations
    /// Accounts.
    case accounts
    /// Users.
    case users
    /// Associations.
    case associations
    /// Accounts with what is said of their associations.
    case accountsInAssociation
    /// Users with the same.
    case usersInAssociation
    /// Qualities of service.
    case qualities

    /// Whether who sends it may give it a key, so that it is one job however often it comes.
    public var takesKey: Bool { self == .submission || self == .allocation }

    /// The form as a JSON schema.
    public func schema(_ version: DataVersion) -> JSONValue {
        switch self {
        case .submission:
            object([("script", .text)], ["job": job(version), "jobs": components(version)])
        case .allocation:
            object([], ["job": job(version), "hetjob": components(version)])
        case .change: job(version)
        case .cancel: object(CancelDescription.members.map { ($0.name, $0.form) })
        case .node: object(NodeDescription.members.map { ($0.name, $0.form) })
        case .reservation: reservation
        case .reservations:
            object([], ["reservations": ["type": "array", "items": reservation]])
        case .accounts, .users, .associations:
            object(
                [],
                [listName: ["type": "array", "items": object(PeopleDescription.members(self))]]
            )
        case .qualities:
            object(
                [],
                [
                    "qos": [
                        "type": "array",
                        "items": object(QualityDescription.members.map { ($0.name, $0.form) }),
                    ]
                ]
            )
        case .accountsInAssociation, .usersInAssociation:
            object(PeopleDescription.members(self))
        }
    }

    private var listName: String {
        switch self {
        case .accounts: "accounts"
        case .users: "users"
        default: "associations"
        }
    }

    private var reservation: JSONValue {
        object(ReservationDescription.members.map { ($0.name, $0.form) })
    }

    private func job(_ version: DataVersion) -> JSONValue {
        object(JobDescription.members(version))
    }

    private func components(_ version: DataVersion) -> JSONValue {
        [
            "type": "array", "items": job(version),
            "maxItems": .integer(Int64(HetMembership.countMaximum)),
        ]
    }

    private func object(
        _ members: [(name: String, form: DataForm)],
        _ others: [(String, JSONValue)]
    ) -> JSONValue {
        let all = members.map { JSONValue.Member($0.name, $0.form.schema) }
        return [
            "type": "object",
            "properties": .object(all + others.map { JSONValue.Member($0.0, $0.1) }),
        ]
    }

    private func object(
        _ members: [(name: String, form: DataForm)],
        _ others: KeyValuePairs<String, JSONValue> = [:]
    ) -> JSONValue {
        object(members, others.map { ($0.key, $0.value) })
    }
}
