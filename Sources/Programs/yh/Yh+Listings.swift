import Glibc
import LocalClient
import SlurmDialect
import WireFormats

extension Yh {
    /// `yhqueue`, `squeue`.
    static func queue(name: String, arguments: [String]) throws(CommandFailure) -> Int32 {
        let command = try QueueCommand(
            program: name,
            arguments: arguments,
            variable: Host.variable,
            user: Host.userName(getuid()),
            isUser: Host.isUser
        )
        if let information = command.information {
            return finish(Help.output(.queue, information, name: name))
        }
        let clusters = try knownClusters(command.clusters, name)
        return try iterate(every: command.iterateSeconds) { () throws(CommandFailure) in
            try forEach(of: clusters, command.namesClusters) { names throws(CommandFailure) in
                var query = command.query
                if clusters != nil { query.clusters = names }
                let target = query.target
                let (list, steps) = try ask(name) { client throws(LocalClientFailure) in
                    let list = try client.get(target, as: JobList.self)
                    guard command.showsSteps, !list.jobs.isEmpty else {
                        return (list, AccountingList?.none)
                    }
                    // Of jobs that run the accounts know the steps.
                    var query = AccountingQuery()
                    query.ids = list.jobs.filter { $0.state == "RUNNING" }.map(\.jobID)
                    return (list, try client.get(query.target, as: AccountingList.self))
                }
                return try command.output(list, steps: steps)
            }
        }
    }

    /// `yhinfo`, `sinfo`.
    static func nodes(name: String, arguments: [String]) throws(CommandFailure) -> Int32 {
        let command = try NodeCommand(
            program: name,
            arguments: arguments,
            variable: Host.variable
        )
        if let information = command.information {
            return finish(Help.output(.nodes, information, name: name))
        }
        let clusters = try knownClusters(command.clusters, name)
        if clusters == nil, command.namesPartitions, Dialect(program: name) == .tianhe {
            Host.print(try hints(command, name), to: 2)
        }
        return try iterate(every: command.iterateSeconds) { () throws(CommandFailure) in
            try forEach(of: clusters, command.namesClusters) { names throws(CommandFailure) in
                let (partitions, nodes) = try ask(name) { client throws(LocalClientFailure) in
                    (
                        try client.get(
                            target("/v1/partitions", of: names),
                            as: PartitionList.self
                        ),
                        try client.get(target("/v1/nodes", of: names), as: NodeList.self)
                    )
                }
                let reservations =
                    command.listsReservations
                    ? try ask(name) { client throws(LocalClientFailure) in
                        try client.get("/v1/reservations", as: ReservationList.self)
                    } : nil
                return command.output(partitions, nodes, reservations: reservations)
            }
        }
    }

    /// Which of the partitions that are named are of another cluster than the centre's own.
    private static func hints(
        _ command: NodeCommand,
        _ name: String
    ) throws(CommandFailure) -> [String] {
        let all = try ask(name) { client throws(LocalClientFailure) in
            try client.get(target("/v1/partitions", of: [ClusterWord.all]), as: PartitionList.self)
        }
        return command.partitions(elsewhereIn: all).map { partition in
            "\(name): partition \(partition.name) is of cluster \(partition.cluster): -M \(partition.cluster)"
        }
    }

    /// `yhacct`, `sacct`.
    static func accounting(name: String, arguments: [String]) throws(CommandFailure) -> Int32 {
        let command = try AccountingCommand(
            program: name,
            arguments: arguments,
            variable: Host.variable,
            user: getuid() == 0 ? nil : Host.userName(getuid())
        )
        if let information = command.information {
            return finish(Help.output(.accounting, information, name: name))
        }
        if command.listsFields {
            return finish(CommandOutput(lines: command.fieldList))
        }
        _ = try knownClusters(command.clusters, name)
        let target = command.query.target
        let list = try ask(name) { client throws(LocalClientFailure) in
            try client.get(target, as: AccountingList.self)
        }
        return finish(try command.output(list))
    }

    /// `yhcancel`, `scancel`.
    static func cancel(name: String, arguments: [String]) throws(CommandFailure) -> Int32 {
        let command = try CancelCommand(
            program: name,
            arguments: arguments,
            variable: Host.variable,
            user: Host.userName(getuid()),
            isUser: Host.isUser
        )
        if let information = command.information {
            return finish(Help.output(.cancel, information, name: name))
        }
        var request = command.request
        // A number says of which cluster a job is.
        request.clusters =
            try knownClusters(command.clusters, name)
            ?? (request.jobs.isEmpty ? [ClusterWord.own] : nil)
        let response = try ask(name) { client throws(LocalClientFailure) in
            try client.post("/v1/cancel", request, as: ActionResponse.self)
        }
        return finish(command.output(response))
    }

    /// The clusters that were named, each of which is there; nil when none was.
    static func knownClusters(
        _ names: [String]?,
        _ name: String
    ) throws(CommandFailure) -> [String]? {
        guard let names, !names.isEmpty else { return nil }
        let status = try ask(name) { client throws(LocalClientFailure) in
            try client.get("/v1/status", as: CentreStatus.self)
        }
        if names.contains(ClusterWord.all) { return status.clusters }
        for other in names where !status.clusters.contains(other) {
            throw .error(
                name,
                "No cluster '\(other)' known by database.",
                "'\(other)' can't be reached now, or it is an invalid entry for --cluster.  Use"
                    + " 'sacctmgr list clusters' to see available clusters."
            )
        }
        return names
    }

    /// A request for what is of some clusters.
    static func target(_ path: String, of clusters: [String]) -> String {
        QueryParameters.target(path, [("cluster", clusters.joined(separator: ","))])
    }

    /// Prints a listing of each cluster with the line that Slurm puts above it; without any named the
    /// listing of the centre's own.
    private static func forEach(
        of clusters: [String]?,
        _ namesThem: Bool,
        _ listing: ([String]) throws(CommandFailure) -> CommandOutput
    ) throws(CommandFailure) -> Int32 {
        guard let clusters else { return finish(try listing([ClusterWord.own])) }
        var exitCode: Int32 = 0
        for (index, cluster) in clusters.enumerated() {
            var output = try listing([cluster])
            if namesThem {
                output.lines.insert("CLUSTER: \(cluster)", at: 0)
                if index > 0 { output.lines.insert("", at: 0) }
            }
            exitCode = max(exitCode, finish(output))
        }
        return exitCode
    }
}
