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
        let target = command.query.target
        return try iterate(every: command.iterateSeconds) { () throws(CommandFailure) in
            let list = try ask(name) { client throws(LocalClientFailure) in
                try client.get(target, as: JobList.self)
            }
            return finish(try command.output(list))
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
            return finish(command.output(partitions, nodes, reservations: reservations))
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
        let response = try ask(name) { client throws(LocalClientFailure) in
            try client.post("/v1/cancel", command.request, as: ActionResponse.self)
        }
        return finish(command.output(response))
    }
}
