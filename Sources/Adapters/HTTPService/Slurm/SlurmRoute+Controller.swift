import HTTPTypes
import IndexSets
import Quantities
import SlurmDialect
import WireFormats

// The controller: how it is, its partitions, nodes and reservations.

extension SlurmRoute {
    /// What Slurm's clients send to get only what is new; a centre of ours always says all.
    private static let news = Parameter.passed("update_time", "flags")

    static let controllerRoutes: [SlurmRoute] = [
        SlurmRoute("ping", "Whether the controller answers", answer: ["pings"]) { centre, ask in
            _ = await centre.status()
            return ask.data.ping(host: centre.hostName)
        },
        SlurmRoute("diag", "How busy the controller is", answer: ["statistics"]) { centre, ask in
            ask.data.diagnostics(await centre.status())
        },
        SlurmRoute(
            "reconfigure",
            "Nothing: a centre reads its files when it is told to"
        ) { _, ask in
            ask.data.warning([RestWarning("Nothing was read again", "reconfigure")]).done()
        },
        SlurmRoute(
            "licenses",
            "Licences and their use",
            answer: ["licenses", "last_update"]
        ) { centre, ask in
            ask.data.licenses(await centre.status())
        },
        SlurmRoute(
            "shares",
            "Shares of accounts and users, and what they used",
            answer: ["shares"],
            cost: .listing,
            parameters: [.read("accounts"), .read("users")]
        ) { centre, ask in
            let people = await centre.people(ask.peer)
            let (accounts, users) = (ask.words("accounts"), ask.words("users"))
            let chosen = people.associations.filter { info in
                (accounts?.contains(info.account) ?? true)
                    && (users.map { info.user.map($0.contains) ?? false } ?? true)
            }
            return ask.data.shares(people, of: chosen)
        },
        SlurmRoute(
            "partitions",
            "The partitions",
            answer: ["partitions", "last_update"],
            parameters: news
        ) { centre, ask in ask.data.partitions(try await centre.partitions(of: [ClusterWord.own]))
        },
        SlurmRoute(
            "partition/{partition_name}",
            "One partition",
            answer: ["partitions", "last_update"],
            parameters: news
        ) { centre, ask in
            var list = try await centre.partitions(of: [ClusterWord.own])
            list.partitions.removeAll { $0.name != ask.path }
            guard !list.partitions.isEmpty else {
                throw RestFailure.query("Unable to find partition \(ask.path)", "partition_name")
            }
            return ask.data.partitions(list)
        },
    ]

    static let nodeRoutes: [SlurmRoute] = [
        SlurmRoute(
            "nodes",
            "The nodes",
            answer: ["nodes", "last_update"],
            cost: .listing,
            parameters: news
        ) { centre, ask in ask.data.nodes(try await centre.nodes(of: [ClusterWord.own], ask.peer))
        },
        SlurmRoute(
            "node/{node_name}",
            "One node, or those of a host list",
            answer: ["nodes", "last_update"],
            cost: .listing,
            parameters: news
        ) { centre, ask in
            var list = try await centre.nodes(of: [ClusterWord.own], ask.peer)
            let names = Set((try? HostList.expand(ask.path)) ?? [])
            list.nodes.removeAll { !names.contains($0.name) }
            guard !names.isEmpty, list.nodes.count == names.count else {
                throw RestFailure(
                    SlurmError.invalidNodeName.body(
                        details: ["Failure to query node \(ask.path)"]
                    ),
                    source: "node_name"
                )
            }
            return ask.data.nodes(list)
        },
        SlurmRoute(
            .slurm,
            .post,
            "node/{node_name}",
            "Changes a node's state or reason",
            body: .node
        ) { centre, ask in
            try await update(centre, ask, NodeDescription.change(ask.body, of: ask.path))
        },
        SlurmRoute(
            .slurm,
            .post,
            "nodes",
            "Changes the nodes that the body names",
            body: .node
        ) { centre, ask in
            try await update(centre, ask, NodeDescription.change(ask.body, of: nil))
        },
    ]

    private static func update(
        _ centre: any CentreService,
        _ ask: SlurmQuestion,
        _ reading: DataReading<NodeUpdateRequest>
    ) async throws -> JSONValue {
        try await centre.update(reading.request, ask.peer)
        return ask.data.warning(reading.warnings).done()
    }

    static let reservationRoutes: [SlurmRoute] = [
        SlurmRoute(
            "reservations",
            "The reservations",
            answer: ["reservations", "last_update"],
            parameters: Parameter.passed("update_time")
        ) { centre, ask in
            let now = await centre.status().now
            return ask.data.reservations(try await centre.reservations(ask.peer), now: now)
        },
        SlurmRoute(
            "reservation/{reservation_name}",
            "One reservation",
            answer: ["reservations", "last_update"],
            parameters: Parameter.passed("update_time")
        ) { centre, ask in
            var list = try await centre.reservations(ask.peer)
            list.reservations.removeAll { $0.name != ask.path }
            guard !list.reservations.isEmpty else {
                let text = "Unable to find reservation \(ask.path)"
                throw RestFailure.query(text, "reservation_name")
            }
            return ask.data.reservations(list, now: await centre.status().now)
        },
        SlurmRoute(
            .slurm,
            .post,
            "reservation",
            "Makes a reservation, or changes the one of that name",
            answer: ["reservations"],
            body: .reservation,
            isIn: { $0.changesReservations }
        ) { centre, ask in
            let reading = try ReservationDescription.reservation(ask.body)
            let name = try await keep(reading.request, centre, ask)
            return ask.data.warning(reading.warnings).reserved([name])
        },
        SlurmRoute(
            .slurm,
            .post,
            "reservations",
            "Makes or changes reservations, one after the other",
            answer: ["reservations"],
            body: .reservations,
            isIn: { $0.changesReservations }
        ) { centre, ask in
            guard let values = ask.body["reservations"]?.array, !values.isEmpty else {
                let text = "Populated \"reservations\" field is required"
                throw RestFailure.query(text, "#/reservations")
            }
            // All are read before the first is made.
            let readings = try values.enumerated().map { index, value in
                try ReservationDescription.reservation(value, at: "#/reservations/\(index)")
            }
            var names: [String] = []
            for reading in readings { names.append(try await keep(reading.request, centre, ask)) }
            return ask.data.warning(readings.flatMap(\.warnings)).reserved(names)
        },
        SlurmRoute(
            .slurm,
            .delete,
            "reservation/{reservation_name}",
            "Ends a reservation"
        ) { centre, ask in
            _ = try await centre.deleteReservation(ReservationName(ask.path), ask.peer)
            return ask.data.done()
        },
    ]

    private static func keep(
        _ request: ReservationRequest,
        _ centre: any CentreService,
        _ ask: SlurmQuestion
    ) async throws -> String {
        let known = try await centre.reservations(ask.peer).reservations
        let isThere = known.contains { $0.name == request.name }
        return isThere
            ? try await centre.changeReservation(request, ask.peer).name
            : try await centre.reserve(request, ask.peer).name
    }
}

extension SlurmRoute {
    /// A question to the controller.
    private init(
        _ path: String,
        _ summary: String,
        answer: [String] = [],
        cost: Cost = .little,
        parameters: [Parameter] = [],
        handler: @escaping Handler
    ) {
        self.init(
            .slurm,
            .get,
            path,
            summary,
            answer: answer,
            cost: cost,
            parameters: parameters,
            handler: handler
        )
    }
}
