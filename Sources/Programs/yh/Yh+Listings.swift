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
        let cluster = try checkClusters(command.clusters, name)
        let target = command.query.target
        return try iterate(every: command.iterateSeconds) { () throws(CommandFailure) in
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
            return finish(try command.output(list, steps: steps).of(cluster, command.hasHeader))
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
        let cluster = try checkClusters(command.clusters, name)
        return try iterate(every: command.iterateSeconds) { () throws(CommandFailure) in
            let (partitions, nodes) = try ask(name) { client throws(LocalClientFailure) in
                (
                    try client.get("/v1/partitions", as: PartitionList.self),
                    try client.get("/v1/nodes", as: NodeList.self)
                )
            }
            let reservations =
                command.listsReservations
                ? try ask(name) { client throws(LocalClientFailure) in
                    try client.get("/v1/reservations", as: ReservationList.self)
                } : nil
            let output = command.output(partitions, nodes, reservations: reservations)
            return finish(output.of(cluster, command.hasHeader))
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
        _ = try checkClusters(command.clusters, name)
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
        _ = try checkClusters(command.clusters, name)
        let response = try ask(name) { client throws(LocalClientFailure) in
            try client.post("/v1/cancel", command.request, as: ActionResponse.self)
        }
        return finish(command.output(response))
    }

    /// The centre's name when clusters were named; there is none but it.
    static func checkClusters(
        _ names: [String]?,
        _ name: String
    ) throws(CommandFailure) -> String? {
        guard let names else { return nil }
        let status = try ask(name) { client throws(LocalClientFailure) in
            try client.get("/v1/status", as: CentreStatus.self)
        }
        for other in names where other != "all" && other != status.machine {
            throw .error(
                name,
                "No cluster '\(other)' known by database.",
                "'\(other)' can't be reached now, or it is an invalid entry for --cluster.  Use"
                    + " 'sacctmgr list clusters' to see available clusters."
            )
        }
        return status.machine
    }
}

extension CommandOutput {
    /// The output with the line that Slurm puts above it where clusters were named.
    fileprivate func of(_ cluster: String?, _ hasHeader: Bool) -> CommandOutput {
        guard let cluster, hasHeader else { return self }
        var output = self
        output.lines.insert("CLUSTER: \(cluster)", at: 0)
        return output
    }
}
