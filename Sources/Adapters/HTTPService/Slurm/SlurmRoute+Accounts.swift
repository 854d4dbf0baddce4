import HTTPTypes
import Quantities
import SlurmDialect
import WireFormats

// The accounts: people, qualities of service, records.

extension SlurmRoute {
    static let accountRoutes: [SlurmRoute] =
        [
            SlurmRoute(
                .slurmdb,
                .get,
                "ping",
                "Whether the accounts answer",
                answer: ["pings"],
                isIn: { $0.hasAccountsPing }
            ) { centre, ask in
                _ = await centre.status()
                return ask.data.accountsPing(host: centre.hostName)
            },
            SlurmRoute(.slurmdb, .get, "diag", "How busy the accounts are", answer: ["statistics"])
            { centre, ask in
                ask.data.accountsDiagnostics(await centre.status())
            },
            SlurmRoute(
                .slurmdb,
                .get,
                "config",
                "All that the accounts know",
                answer: [
                    "clusters", "tres", "accounts", "users", "qos", "wckeys", "associations",
                    "instances",
                ],
                cost: .listing
            ) { centre, ask in
                ask.data.accountsConfiguration(await centre.people(ask.peer))
            },
            SlurmRoute(
                .slurmdb,
                .get,
                "clusters",
                "The clusters",
                answer: ["clusters"],
                parameters: Parameter.passed("update_time")
            ) { centre, ask in ask.data.clusters(named: centre.clusterNames) },
            SlurmRoute(
                .slurmdb,
                .get,
                "cluster/{cluster_name}",
                "One cluster",
                answer: ["clusters"]
            ) { centre, ask in
                guard centre.clusterNames.contains(ask.path) else {
                    return ask.data.nothing("clusters")
                }
                return ask.data.clusters(named: [ask.path])
            },
            SlurmRoute(.slurmdb, .get, "tres", "What is counted", answer: ["TRES"]) { _, ask in
                ask.data.resources()
            },
            SlurmRoute(
                .slurmdb,
                .get,
                "qos",
                "The qualities of service",
                answer: ["qos"],
                cost: .listing,
                parameters: [.read("name"), .read("id")]
                    + Parameter.passed(
                        "description",
                        "format",
                        "include_deleted_qos",
                        "preempt_mode",
                        "with_deleted"
                    )
            ) { centre, ask in
                var people = await centre.people(ask.peer)
                let (names, ids) = (ask.choice("name"), ask.choice("id"))
                people.qos.removeAll { !names.allows($0.name) || !ids.allows("\($0.id)") }
                return ask.data.qualities(people)
            },
            SlurmRoute(
                .slurmdb,
                .get,
                "qos/{qos}",
                "One quality of service",
                answer: ["qos"],
                cost: .listing,
                parameters: Parameter.passed("with_deleted")
            ) { centre, ask in
                let people = await centre.people(ask.peer)
                guard people.qos.contains(where: { $0.name == ask.path }) else {
                    return ask.data.nothing("qos")
                }
                return ask.data.qualities(people, named: ask.path)
            },
        ] + peopleRoutes + changeRoutes + recordRoutes

    private static let peopleRoutes: [SlurmRoute] = [
        SlurmRoute(
            .slurmdb,
            .get,
            "accounts",
            "The accounts",
            answer: ["accounts"],
            cost: .listing,
            parameters: [.read("WithAssociations"), .read("WithCoordinators")]
                + Parameter.passed(
                    "description",
                    "DELETED",
                    "NoUsersAreCoords",
                    "UsersAreCoords"
                )
        ) { centre, ask in
            ask.data.accounts(
                await centre.people(ask.peer),
                withAssociations: isSet(ask.parameters["WithAssociations"]),
                withCoordinators: isSet(ask.parameters["WithCoordinators"])
            )
        },
        SlurmRoute(
            .slurmdb,
            .get,
            "account/{account_name}",
            "One account",
            answer: ["accounts"],
            cost: .listing,
            parameters: [.read("with_assocs"), .read("with_coords")]
                + Parameter.passed("with_deleted")
        ) { centre, ask in
            let people = await centre.people(ask.peer)
            guard people.associations.contains(where: { $0.account == ask.path }) else {
                return ask.data.nothing("accounts")
            }
            return ask.data.accounts(
                people,
                named: ask.path,
                withAssociations: isSet(ask.parameters["with_assocs"]),
                withCoordinators: isSet(ask.parameters["with_coords"])
            )
        },
        SlurmRoute(
            .slurmdb,
            .get,
            "users",
            "The users",
            answer: ["users"],
            cost: .listing,
            parameters: [.read("default_account"), .read("admin_level"), .read("with_coords")]
                + Parameter.passed(
                    "default_wckey",
                    "with_assocs",
                    "with_deleted",
                    "with_wckeys",
                    "without_defaults"
                )
        ) { centre, ask in
            let all = await centre.people(ask.peer)
            var people = all
            if let accounts = ask.words("default_account") {
                let chosen = Set(
                    people.associations.filter { $0.isDefault && accounts.contains($0.account) }
                        .compactMap(\.user)
                )
                people.keepUsers(where: chosen.contains)
            }
            if let levels = ask.words("admin_level"), !levels.isEmpty {
                // As `users` says it of them; Slurm's two levels are one here.
                let chosen = Set(levels.map { $0 == "Operator" ? "Administrator" : $0 })
                let operators = Set(
                    people.roles.filter { $0.adminLevel == "Administrator" }.map(\.user)
                )
                people.keepUsers {
                    chosen.contains(operators.contains($0) ? "Administrator" : "None")
                }
            }
            let withCoordinators = isSet(ask.parameters["with_coords"])
            return ask.data.users(people, withCoordinators: withCoordinators, among: all)
        },
        SlurmRoute(
            .slurmdb,
            .get,
            "user/{name}",
            "One user",
            answer: ["users"],
            cost: .listing,
            parameters: [.read("with_coords")]
                + Parameter.passed("with_assocs", "with_deleted", "with_wckeys")
        ) { centre, ask in
            let people = await centre.people(ask.peer)
            guard
                people.associations.contains(where: { $0.user == ask.path })
                    || people.roles.contains(where: { $0.user == ask.path })
            else { return ask.data.nothing("users") }
            let withCoordinators = isSet(ask.parameters["with_coords"])
            return ask.data.users(people, named: ask.path, withCoordinators: withCoordinators)
        },
        SlurmRoute(
            .slurmdb,
            .get,
            "associations",
            "Accounts and users with shares and limits",
            answer: ["associations"],
            cost: .listing,
            parameters: choice
        ) { centre, ask in
            var people = await centre.people(ask.peer)
            people.associations = chosen(people, ask)
            return ask.data.associations(people)
        },
        SlurmRoute(
            .slurmdb,
            .get,
            "association",
            "The first association that has what is asked for",
            answer: ["associations"],
            cost: .listing,
            parameters: choice
        ) { centre, ask in
            var people = await centre.people(ask.peer)
            people.associations = Array(chosen(people, ask).prefix(1))
            guard !people.associations.isEmpty else { return ask.data.nothing("associations") }
            return ask.data.associations(people)
        },
        SlurmRoute(.slurmdb, .get, "wckey/{id}", "None", answer: ["wckeys"]) { _, ask in
            ask.data.nothing("wckeys")
        },
        SlurmRoute(
            .slurmdb,
            .get,
            "wckeys",
            "None: projects are free texts",
            answer: ["wckeys"]
        ) { _, ask in ask.data.nothing("wckeys")
        },
        SlurmRoute(.slurmdb, .get, "instance", "None", answer: ["instances"]) { _, ask in
            ask.data.nothing("instances")
        },
        SlurmRoute(
            .slurmdb,
            .get,
            "instances",
            "None: no node is a cloud's",
            answer: ["instances"]
        ) { _, ask in ask.data.nothing("instances")
        },
    ]

    /// What associations are chosen by.
    private static let choice: [Parameter] =
        [
            .read("account"), .read("user"), .read("id"), .read("parent_account"),
            .read("default_qos"), .read("qos"), .read("cluster"),
        ]
        + Parameter.passed("only_defaults", "partition", "with_sub_accts")
        + Parameter.harmless(
            "format",
            "usage_end",
            "usage_start",
            "with_usage",
            "with_deleted",
            "with_raw_qos",
            "without_parent_info",
            "without_parent_limits"
        )

    private static func chosen(_ people: PeopleList, _ ask: SlurmQuestion) -> [AssociationInfo] {
        let (accounts, users) = (ask.choice("account"), ask.choice("user"))
        let (ids, parents) = (ask.choice("id"), ask.choice("parent_account"))
        let (presets, qualities) = (ask.choice("default_qos"), ask.choice("qos"))
        guard ask.choice("cluster").allows(people.cluster) else { return [] }
        return people.associations.filter { info in
            accounts.allows(info.account) && users.allows(info.user) && ids.allows("\(info.id)")
                && parents.allows(info.user == nil ? info.parent : info.account)
                && presets.allows(info.defaultQOS) && qualities.allows(anyOf: info.qos)
        }
    }

    private static func isSet(_ text: String?) -> Bool {
        text.map { !["false", "0", "no"].contains($0.lowercased()) } ?? false
    }

    // MARK: Changes

    private static let changeRoutes: [SlurmRoute] = [
        SlurmRoute(
            .slurmdb,
            .post,
            "accounts",
            "Makes or changes accounts",
            body: .accounts
        ) { centre, ask in
            let people = await centre.people(ask.peer)
            let reading = try PeopleDescription.accounts(ask.body, known: people)
            return try await change(reading, centre, ask).done()
        },
        SlurmRoute(
            .slurmdb,
            .post,
            "users",
            "Makes or changes users",
            body: .users
        ) { centre, ask in
            let people = await centre.people(ask.peer)
            let reading = try PeopleDescription.users(ask.body, known: people)
            return try await change(reading, centre, ask).done()
        },
        SlurmRoute(
            .slurmdb,
            .post,
            "associations",
            "Makes or changes associations",
            body: .associations
        ) { centre, ask in
            try await change(PeopleDescription.associations(ask.body), centre, ask).done()
        },
        SlurmRoute(
            .slurmdb,
            .post,
            "accounts_association",
            "Makes accounts with their shares and limits",
            answer: ["added_accounts"],
            body: .accountsInAssociation
        ) { centre, ask in
            let reading = try PeopleDescription.accountsInAssociation(ask.body)
            let names = reading.request.first?.names ?? []
            let text = " Adding Account(s)\n" + names.map { "  \($0)\n" }.joined()
            return try await change(reading, centre, ask).added(text, as: "added_accounts")
        },
        SlurmRoute(
            .slurmdb,
            .post,
            "users_association",
            "Makes users with their shares and limits",
            answer: ["added_users"],
            parameters: Parameter.harmless("update_time", "flags"),
            body: .usersInAssociation
        ) { centre, ask in
            let reading = try PeopleDescription.usersInAssociation(ask.body)
            let names = reading.request.first?.names ?? []
            let text = " Adding User(s)\n" + names.map { "  \($0)\n" }.joined()
            return try await change(reading, centre, ask).added(text, as: "added_users")
        },
        SlurmRoute(
            .slurmdb,
            .post,
            "qos",
            "Makes or changes qualities of service",
            body: .qualities
        ) { centre, ask in
            let people = await centre.people(ask.peer)
            let reading = try QualityDescription.edits(ask.body, known: people)
            return try await change(reading, centre, ask).done()
        },
        SlurmRoute(
            .slurmdb,
            .delete,
            "qos/{qos}",
            "Removes a quality of service",
            answer: ["removed_qos"]
        ) { centre, ask in
            let people = await centre.people(ask.peer)
            guard people.qos.contains(where: { $0.name == ask.path }) else {
                return ask.data.nothing("removed_qos")
            }
            let edit = PeopleDescription.edit(.delete, "qos", [ask.path], [])
            _ = try await centre.change([edit], ask.peer)
            return ask.data.names([ask.path], as: "removed_qos")
        },
        SlurmRoute(
            .slurmdb,
            .delete,
            "account/{account_name}",
            "Removes an account",
            answer: ["removed_accounts"]
        ) { centre, ask in
            let people = await centre.people(ask.peer)
            guard people.associations.contains(where: { $0.account == ask.path }) else {
                return ask.data.nothing("removed_accounts")
            }
            let edit = PeopleDescription.edit(.delete, "account", [ask.path], [])
            _ = try await centre.change([edit], ask.peer)
            return ask.data.names([ask.path], as: "removed_accounts")
        },
        SlurmRoute(
            .slurmdb,
            .delete,
            "user/{name}",
            "Removes a user from all accounts",
            answer: ["removed_users"]
        ) { centre, ask in
            let people = await centre.people(ask.peer)
            guard people.associations.contains(where: { $0.user == ask.path }) else {
                return ask.data.nothing("removed_users")
            }
            let edit = PeopleDescription.edit(.delete, "user", [ask.path], [])
            _ = try await centre.change([edit], ask.peer)
            return ask.data.names([ask.path], as: "removed_users")
        },
        SlurmRoute(
            .slurmdb,
            .delete,
            "associations",
            "Removes the associations that have what is asked for",
            answer: ["removed_associations"],
            parameters: choice
        ) { centre, ask in try await remove(centre, ask, all: true) },
        SlurmRoute(
            .slurmdb,
            .delete,
            "association",
            "Removes the one association that has what is asked for",
            answer: ["removed_associations"],
            parameters: choice
        ) { centre, ask in try await remove(centre, ask, all: false) },
    ]

    private static func change(
        _ reading: DataReading<[PeopleEdit]>,
        _ centre: any CentreService,
        _ ask: SlurmQuestion
    ) async throws -> SlurmData {
        _ = try await centre.change(reading.request, ask.peer)
        return ask.data.warning(reading.warnings)
    }

    private static func remove(
        _ centre: any CentreService,
        _ ask: SlurmQuestion,
        all: Bool
    ) async throws -> JSONValue {
        // A question that names nobody would remove everybody.
        guard ["account", "user", "id"].contains(where: { ask.parameters[$0] != nil }) else {
            throw RestFailure.query("\"account\", \"user\" or \"id\" is required", "account")
        }
        let people = await centre.people(ask.peer)
        let found = chosen(people, ask)
        guard !found.isEmpty else { return ask.data.nothing("removed_associations") }
        guard all || found.count == 1 else {
            let text = "\(found.count) associations have what is asked for; one is to be removed"
            throw RestFailure.query(text, "account")
        }
        let (edits, texts) = PeopleDescription.removal(of: found, cluster: people.cluster)
        _ = try await centre.change(edits, ask.peer)
        return ask.data.names(texts, as: "removed_associations")
    }

    // MARK: Records

    private static let recordRoutes: [SlurmRoute] = [
        SlurmRoute(
            .slurmdb,
            .get,
            "jobs",
            "The records of jobs",
            answer: ["jobs"],
            cost: .listing,
            parameters: [
                .read("account"), .read("users"), .read("partition"), .read("qos"),
                .read("job_name"), .read("state"), .read("start_time"), .read("end_time"),
                .read("skip_steps"), .read("step"),
            ]
                + Parameter.passed(
                    "association",
                    "cluster",
                    "constraints",
                    "scheduler_unset",
                    "scheduled_on_submit",
                    "scheduled_by_main",
                    "scheduled_by_backfill",
                    "job_started",
                    "job_altered",
                    "exit_code",
                    "show_duplicates",
                    "disable_truncate_usage_time",
                    "whole_hetjob",
                    "disable_whole_hetjob",
                    "disable_wait_for_result",
                    "usage_time_as_submit_time",
                    "show_batch_script",
                    "show_job_environment",
                    "format",
                    "groups",
                    "reason",
                    "reservation",
                    "reservation_id",
                    "node",
                    "wckey"
                )
        ) { centre, ask in try await records(centre, ask) },
        SlurmRoute(
            .slurmdb,
            .get,
            "job/{job_id}",
            "The records of one job, or of an array",
            answer: ["jobs"],
            cost: .lookup
        ) { centre, ask in
            let job = try ask.job()
            var query = AccountingQuery()
            query.ids = [job.jobID]
            var list = try await centre.accounting(query, ask.peer)
            list.records.removeAll { record in
                !job.selects(
                    jobID: record.jobID,
                    arrayJobID: record.arrayJobID,
                    arrayTaskID: record.arrayTaskID
                )
            }
            guard !list.records.isEmpty else { return ask.data.nothing("jobs") }
            return ask.data.records(list)
        },
    ]

    private static func records(
        _ centre: any CentreService,
        _ ask: SlurmQuestion
    ) async throws -> JSONValue {
        var query = AccountingQuery()
        query.users = ask.words("users")
        query.accounts = ask.words("account")
        query.from = try time("start_time", ask)
        query.until = try time("end_time", ask)
        let named = try ask.jobs("step")
        query.ids = named?.selectors.map(\.jobID)
        let states = try ask.words("state").map { words in
            try Set(
                words.map { word in
                    guard let state = JobStates.named(word) else {
                        throw RestFailure.query("\(word.prefix(64)) is no state of a job", "state")
                    }
                    return state
                }
            )
        }
        var list = try await centre.accounting(query, ask.peer)
        let (partitions, qualities) = (ask.choice("partition"), ask.choice("qos"))
        let names = ask.choice("job_name")
        if let named {
            list.records.removeAll { record in
                !named.selects(
                    jobID: record.jobID,
                    arrayJobID: record.arrayJobID,
                    arrayTaskID: record.arrayTaskID
                )
            }
        }
        list.records.removeAll { record in
            !partitions.allows(record.partition) || !qualities.allows(record.qos)
                || !names.allows(record.name) || !(states?.contains(record.state) ?? true)
        }
        return ask.data.records(list, withSteps: !isSet(ask.parameters["skip_steps"]))
    }

    /// A time in the words that the accounts read: Slurm's, or seconds since 1970.
    private static func time(_ name: String, _ ask: SlurmQuestion) throws(RestFailure) -> String? {
        guard let text = ask.parameters[name], !text.isEmpty else { return nil }
        guard let seconds = Int64(text) else { return text }
        guard (0...253_402_300_799).contains(seconds) else {
            throw .query("\(text.prefix(64)) is no time", name)
        }
        return CentreCalendar().text(SimInstant.epoch + SimDuration(seconds: seconds))
    }
}
