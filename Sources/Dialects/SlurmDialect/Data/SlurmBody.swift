public import WireFormats

/// The bodies that Slurm's REST takes, and their forms.
public enum SlurmBody: String, Hashable, Sendable, CaseIterable {
    /// A script and the job that it is to be.
    case submission = "job_submit_req"
    /// An allocation.
    case allocation = "job_alloc_req"
    /// Changes of a job.
    case change = "job_desc_msg"
    /// Which jobs are cancelled.
    case cancel = "kill_jobs_msg"
    /// Changes of nodes.
    case node = "update_node_msg"
    /// A reservation.
    case reservation = "reservation_desc_msg"
    /// Several of them.
    case reservations = "reservation_mod_req"
    /// Accounts.
    case accounts = "openapi_accounts_resp"
    /// Users.
    case users = "openapi_users_resp"
    /// Associations.
    case associations = "openapi_assocs_resp"
    /// Accounts with what is said of their associations.
    case accountsInAssociation = "openapi_accounts_add_cond_resp"
    /// Users with the same.
    case usersInAssociation = "openapi_users_add_cond_resp"

    /// Whether who sends it may give it a key, so that it is one job however often it comes.
    public var takesKey: Bool { self == .submission || self == .allocation }

    /// The form as a JSON schema.
    public func schema(_ version: DataVersion) -> JSONValue {
        switch self {
        case .submission:
            object([("script", .text)], ["job": job(version)])
        case .allocation: object([], ["job": job(version)])
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
