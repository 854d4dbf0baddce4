import Glibc
import LocalClient
import SlurmDialect
import WireFormats

// What tells of people, priorities and use.

extension Yh {
    /// `yhprio`, `sprio`.
    static func priorities(name: String, arguments: [String]) throws(CommandFailure) -> Int32 {
        let command = try PriorityCommand(program: name, arguments: arguments)
        if let information = command.information {
            return finish(Help.output(.priorities, information, name: name))
        }
        let list = try ask(name) { client throws(LocalClientFailure) in
            try client.get("/v1/priorities", as: PriorityList.self)
        }
        return finish(command.output(list))
    }

    /// `yhshare`, `sshare`.
    static func shares(name: String, arguments: [String]) throws(CommandFailure) -> Int32 {
        let command = try ShareCommand(
            program: name,
            arguments: arguments,
            user: Host.userName(getuid())
        )
        if let information = command.information {
            return finish(Help.output(.shares, information, name: name))
        }
        if command.listsFields { return finish(CommandOutput(lines: command.fieldList)) }
        return finish(try command.output(try people(name)))
    }

    private static func people(_ name: String) throws(CommandFailure) -> PeopleList {
        try ask(name) { client throws(LocalClientFailure) in
            try client.get("/v1/people", as: PeopleList.self)
        }
    }

    /// `yhacctmgr`, `sacctmgr`.
    static func accountManager(name: String, arguments: [String]) throws(CommandFailure) -> Int32 {
        let command = try AccountManagerCommand(program: name, arguments: arguments)
        switch command.action {
        case .information(let information):
            return finish(Help.output(.accountManager, information, name: name))
        case .show(let entity):
            return finish(try command.output(entity, try people(name)))
        case .dump: return finish(command.dump(try people(name)))
        case .change(let edit):
            guard try confirms([edit], command) else { return 1 }
            return finish(command.output(edit, try change(edit, name)))
        case .load(let path):
            guard let bytes = Host.read(path: path) else {
                throw .error(name, "Can't open \(path): \(String(cString: strerror(errno)))")
            }
            let text = String(decoding: bytes, as: UTF8.self)
            let edits = try command.edits(of: text, path: path)
            guard try confirms(edits, command) else { return 1 }
            for edit in edits { _ = finish(command.output(edit, try change(edit, name))) }
            return 0
        }
    }

    private static func change(
        _ edit: PeopleEdit,
        _ name: String
    ) throws(CommandFailure) -> PeopleEditResponse {
        do throws(LocalClientFailure) {
            return try LocalClient().post("/v1/people", edit, as: PeopleEditResponse.self)
        } catch {
            guard case .refused(_, let body) = error else { throw .error(name, error.description) }
            throw CommandFailure(lines: [" Error: \(body.text)"], exitCode: 1)
        }
    }

    /// Without `-i` whoever sits at a terminal is asked.
    private static func confirms(
        _ edits: [PeopleEdit],
        _ command: AccountManagerCommand
    ) throws(CommandFailure) -> Bool {
        guard !command.isImmediate, isatty(0) == 1 else { return true }
        Host.print(["Would you like to commit changes? (You have 30 seconds to decide)"])
        Host.print(["(N/y): "])
        var answer = pollfd(fd: 0, events: Int16(POLLIN), revents: 0)
        guard poll(&answer, 1, 30_000) > 0, let line = readLine() else { return false }
        let isMeant = line.lowercased().hasPrefix("y")
        if !isMeant { Host.print(["Changes Discarded"]) }
        return isMeant
    }

    /// `yhreport`, `sreport`.
    static func report(name: String, arguments: [String]) throws(CommandFailure) -> Int32 {
        let command = try ReportCommand(program: name, arguments: arguments)
        if let information = command.information {
            return finish(Help.output(.report, information, name: name))
        }
        let (list, status) = try ask(name) { client throws(LocalClientFailure) in
            (
                try client.get("/v1/accounting", as: AccountingList.self),
                try client.get("/v1/status", as: CentreStatus.self)
            )
        }
        return finish(try command.output(list, status))
    }

    /// `yhstat`, `sstat`.
    static func stepStatistics(name: String, arguments: [String]) throws(CommandFailure) -> Int32 {
        let command = try StepStatisticsCommand(program: name, arguments: arguments)
        if let information = command.information {
            return finish(Help.output(.stepStatistics, information, name: name))
        }
        if command.listsFields { return finish(CommandOutput(lines: command.fieldList)) }
        let ids = command.jobs.map { "\($0.jobID)" }.joined(separator: ",")
        let list = try ask(name) { client throws(LocalClientFailure) in
            try client.get("/v1/accounting?id=\(ids)", as: AccountingList.self)
        }
        return finish(try command.output(list))
    }

    /// `yheff`, `seff`.
    static func efficiency(name: String, arguments: [String]) throws(CommandFailure) -> Int32 {
        guard let word = arguments.first, let job = OptionValues.job(word) else {
            throw CommandFailure(lines: ["Usage: \(name) JOBID"], exitCode: ExitStatus.unknownJob)
        }
        let list = try ask(name) { client throws(LocalClientFailure) in
            try client.get("/v1/accounting?id=\(job.jobID)", as: AccountingList.self)
        }
        let records = list.records.filter { record in
            job.selects(
                jobID: record.jobID,
                arrayJobID: record.arrayJobID,
                arrayTaskID: record.arrayTaskID,
                het: (record.hetJobID, record.hetJobOffset)
            )
        }
        guard let record = records.last else {
            throw CommandFailure(lines: ["Job not found."], exitCode: ExitStatus.unknownJob)
        }
        return finish(CommandOutput(lines: Efficiency.lines(record, cluster: list.cluster)))
    }

    /// `yhdiag`, `sdiag`.
    static func diagnostics(name: String, arguments: [String]) throws(CommandFailure) -> Int32 {
        if ["-V", "--version"].contains(arguments.first) {
            return finish(CommandOutput(lines: [dialectVersion(of: name)]))
        }
        let known = ["all", "reset", "sort-by-id", "sort-by-time", "json", "yaml", "cluster"]
        if let word = arguments.first(where: { word in
            let option = word.dropFirst(2).prefix { $0 != "=" }
            return word.hasPrefix("--") && !known.contains { $0.hasPrefix(option) }
        }) {
            throw CommandFailure(
                lines: [
                    "\(name): unrecognized option '\(word)'",
                    "Try \"\(name) --help\" for more information",
                ],
                exitCode: 1
            )
        }
        let data = try DataFormat(among: arguments, program: name)
        let status = try ask(name) { client throws(LocalClientFailure) in
            try client.get("/v1/status", as: CentreStatus.self)
        }
        guard let data else { return finish(CommandOutput(lines: Diagnostics.lines(status))) }
        let all = SlurmData(data.version, cluster: status.machine, command: [name])
        return finish(data.output(all.diagnostics(status)))
    }
}
