import Glibc
import IndexSets
import LocalClient
import SlurmDialect
import WireFormats

extension Yh {
    /// `yhcontrol`, `scontrol`.
    static func control(name: String, arguments: [String]) throws(CommandFailure) -> Int32 {
        let command = try ControlCommand(
            program: name,
            arguments: arguments,
            variable: Host.variable
        )
        if let data = command.data, let status = try show(data, command, name) { return status }
        switch command.action {
        case .usage: return finish(Help.output(.control, .usage, name: name))
        case .version: return finish(Help.output(.control, .version, name: name))
        case .print(let lines): return finish(CommandOutput(lines: lines))
        case .ping: return ping()
        case .showJobs(let job): return try showJobs(job, command, name)
        case .showNodes(let nodes): return try showNodes(nodes, command, name)
        case .showConfiguration:
            let status = try ask(name) { client throws(LocalClientFailure) in
                try client.get("/v1/status", as: CentreStatus.self)
            }
            let lines = ControlCommand.configuration(status, host: Host.hostName())
            return finish(CommandOutput(lines: lines))
        case .showPartitions(let partition): return try showPartitions(partition, command, name)
        case .writeScript(let job, let path): return try writeScript(job, path, name)
        case .act(let verb, let targets): return try act(verb, targets, name)
        case .updateJobs(let targets, let changes): return try update(targets, changes, name)
        case .updateNodes(let request):
            return try update("/v1/nodes/update", request)
        case .updatePartition(let request):
            return try update("/v1/partitions/update", request)
        case .showSteps(let job, let step):
            let query = job.map { "?id=\($0)" } ?? ""
            let list = try ask(name) { client throws(LocalClientFailure) in
                try client.get("/v1/accounting\(query)", as: AccountingList.self)
            }
            return finish(try command.steps(list, job: job, step: step))
        case .showAssociations(let filter):
            let people = try ask(name) { client throws(LocalClientFailure) in
                try client.get("/v1/people", as: PeopleList.self)
            }
            return finish(filter.output(people))
        case .listProcesses(let job, let step): return try listProcesses(job, step)
        case .waitJob(let job): return try waitJob(job, name)
        case .explain(let job):
            let explanation = try ask(name) { client throws(LocalClientFailure) in
                try client.get("/v1/jobs/\(job)/explanation", as: JobExplanation.self)
            }
            return finish(
                CommandOutput(lines: explanation.lines(in: MessageLanguage { Host.variable($0) }))
            )
        case .completing: return try listCompleting(name)
        case .showLicenses(let license):
            let status = try ask(name) { client throws(LocalClientFailure) in
                try client.get("/v1/status", as: CentreStatus.self)
            }
            return finish(command.output(status.licenses, name: license))
        case .showReservations(let reservation):
            let list = try ask(name) { client throws(LocalClientFailure) in
                try client.get("/v1/reservations", as: ReservationList.self)
            }
            return finish(command.output(list, name: reservation))
        case .createReservation(let changes): return try create(changes, name)
        case .updateReservation(let changes): return try updateReservation(changes, name)
        case .deleteReservation(let reservation): return try delete(reservation: reservation, name)
        }
    }

    private static func ping() -> Int32 {
        let client = LocalClient()
        let isUp = (try? client.get("/v1/status", as: CentreStatus.self)) != nil
        Host.print(["Slurmctld(primary) at \(Host.hostName()) is \(isUp ? "UP" : "DOWN")"])
        return isUp ? 0 : 1
    }

    /// The processes of a job on this computer: those that find its number in their environment.
    private static func listProcesses(
        _ job: UInt32,
        _ step: String?
    ) throws(CommandFailure) -> Int32 {
        var rows: [String] = []
        var listed: Set<Int32> = []
        let mark = "SLURM_JOB_ID=\(job)"
        for pid in Host.processes() {
            let environment = (Host.read(path: "/proc/\(pid)/environ") ?? []).split(separator: 0)
                .map { String(decoding: $0, as: UTF8.self) }
            guard environment.contains(mark) else { continue }
            func value(_ name: String) -> String? {
                environment.first { $0.hasPrefix(name + "=") }.map {
                    String($0.dropFirst(name.utf8.count + 1))
                }
            }
            let own = value("SLURM_STEP_ID") ?? "batch"
            guard step.map({ $0 == own }) ?? true else { continue }
            // Only a task has a number, not what it started.
            let isTask = Host.parent(of: pid).map { !listed.contains($0) } ?? true
            listed.insert(pid)
            func number(_ name: String) -> String { isTask ? value(name) ?? "-" : "-" }
            rows.append(
                [
                    ("\(pid)", 8), ("\(job)", 8), (own, 8), (number("SLURM_LOCALID"), 7),
                    (number("SLURM_PROCID"), 8),
                ].map { FormatText.fit($0.0, $0.1, right: false) }.joined(separator: " ")
            )
        }
        guard !rows.isEmpty else {
            throw .error("scontrol", "Job \(job) has no processes here")
        }
        Host.print(["PID      JOBID    STEPID   LOCALID GLOBALID"] + rows)
        return 0
    }

    private static func waitJob(_ job: UInt32, _ name: String) throws(CommandFailure) -> Int32 {
        while true {
            let list = try ask(name) { client throws(LocalClientFailure) in
                try client.get("/v1/jobs?ended=1&id=\(job)", as: JobList.self)
            }
            guard let info = list.jobs.first, !JobStates.hasEnded(info.state) else {
                throw CommandFailure(
                    lines: ["\(name): Problem running job \(job)"],
                    exitCode: 1
                )
            }
            if info.start != nil { return 0 }
            usleep(200_000)
        }
    }

    private static func listCompleting(_ name: String) throws(CommandFailure) -> Int32 {
        let list = try ask(name) { client throws(LocalClientFailure) in
            try client.get("/v1/jobs", as: JobList.self)
        }
        let lines = list.jobs.filter { $0.state == "COMPLETING" }.map { job in
            "JobId=\(job.jobID) EndTime=\(CentreCalendar().text(job.end ?? list.now)) CompletingTime=00:00:00"
                + " Nodes(COMPLETING)=\(job.nodeList)"
        }
        Host.print(lines)
        return 0
    }

    private static func show(_ descriptions: [Description], _ command: ControlCommand) -> Int32 {
        Host.print(descriptions.flatMap { $0.text(isOneLine: command.isOneLine) })
        return 0
    }

    private static func showJobs(
        _ job: JobSelector?,
        _ command: ControlCommand,
        _ name: String
    ) throws(CommandFailure) -> Int32 {
        let target = target(job, of: try command.scope(name))
        let list = try ask(name) { client throws(LocalClientFailure) in
            try client.get(target, as: JobList.self)
        }
        let jobs = list.jobs.filter { job?.selects($0) ?? true }
        if jobs.isEmpty {
            guard job != nil else { return finish(CommandOutput(lines: ["No jobs in the system"])) }
            throw CommandFailure(
                lines: ["slurm_load_jobs error: \(SlurmError.invalidJobID.text)"],
                exitCode: 1
            )
        }
        let descriptions = Description.jobs(
            jobs,
            isDetailed: command.isDetailed,
            foldsArrays: job?.arrayTasks == nil,
            isOne: job != nil
        )
        return show(descriptions, command)
    }

    private static func showNodes(
        _ nodes: String?,
        _ command: ControlCommand,
        _ name: String
    ) throws(CommandFailure) -> Int32 {
        let target = target("/v1/nodes", of: try command.scope(name))
        let list = try ask(name) { client throws(LocalClientFailure) in
            try client.get(target, as: NodeList.self)
        }
        guard let nodes else {
            return show(
                list.nodes.map { Description.node($0, isDetailed: command.isDetailed) },
                command
            )
        }
        let names: [String]
        do throws(HostList.Rejection) {
            names = try HostList.expand(nodes)
        } catch {
            throw CommandFailure(lines: ["Invalid hostlist: \(nodes)"], exitCode: 1)
        }
        var exitCode: Int32 = 0
        for name in names {
            if let node = list.nodes.first(where: { $0.name == name }) {
                _ = show([Description.node(node, isDetailed: command.isDetailed)], command)
            } else {
                Host.print(["Node \(name) not found"])
                exitCode = 1
            }
        }
        return exitCode
    }

    private static func showPartitions(
        _ partition: String?,
        _ command: ControlCommand,
        _ name: String
    ) throws(CommandFailure) -> Int32 {
        let target = target("/v1/partitions", of: try command.scope(name))
        let list = try ask(name) { client throws(LocalClientFailure) in
            try client.get(target, as: PartitionList.self)
        }
        let shown = list.partitions.filter { partition == nil || $0.name == partition }
        if let partition, shown.isEmpty {
            return finish(CommandOutput(lines: ["Partition \(partition) not found"], exitCode: 1))
        }
        return show(shown.map(Description.partition), command)
    }

    private static func writeScript(
        _ job: UInt32,
        _ path: String?,
        _ name: String
    ) throws(CommandFailure) -> Int32 {
        let script = try ask(name) { client throws(LocalClientFailure) in
            try client.send("GET", "/v1/jobs/\(job)/script", body: nil)
        }
        guard let path else {
            return Host.write(script, descriptor: 1) ? 0 : 1
        }
        guard Host.write(script, path: path) else {
            throw .error(name, "Can't open `\(path)`: \(String(cString: strerror(errno)))")
        }
        Host.print(["batch script for job \(job) written to \(path)"])
        return 0
    }

    /// The jobs that targets stand for: names are looked up.
    private static func resolve(
        _ targets: [ControlCommand.JobTarget],
        _ name: String
    ) throws(CommandFailure) -> [(selector: JobSelector?, text: String)] {
        var result: [(JobSelector?, String)] = []
        for target in targets {
            switch target {
            case .number(let selector, let text): result.append((selector, text))
            case .unknown(let text): result.append((nil, text))
            case .name(let jobName):
                let list = try ask(name) { client throws(LocalClientFailure) in
                    try client.get("/v1/jobs", as: JobList.self)
                }
                let jobs = list.jobs.filter { $0.name == jobName }
                if jobs.isEmpty { result.append((nil, jobName)) }
                result += jobs.map { (JobSelector(jobID: $0.jobID), "\($0.jobID)") }
            }
        }
        return result
    }

    private static func act(
        _ verb: ControlCommand.JobVerb,
        _ targets: [ControlCommand.JobTarget],
        _ name: String
    ) throws(CommandFailure) -> Int32 {
        // Slurm's hold and release say a failure twice.
        let isHold = [.hold, .uhold, .release].contains(verb)
        var request = JobActionRequest()
        request.isUserHold = verb == .uhold
        request.holdsAfterwards = verb == .requeuehold
        let path =
            switch verb {
            case .hold, .uhold: "hold"
            case .requeue, .requeuehold: "requeue"
            case .release, .suspend, .resume, .top: verb.rawValue
            }
        // Of several the one that is put on top last is the first.
        let inOrder = verb == .top ? targets.reversed() : targets
        let namesFirst = path == "requeue"
        return try apply(
            inOrder,
            path,
            name,
            repeatsError: isHold,
            namesElementsFirst: namesFirst
        ) { selector in
            request.arrayTasks = selector.arrayTasks
            request.component = selector.component
            return request.json
        }
    }

    private static func update(
        _ targets: [ControlCommand.JobTarget],
        _ changes: [ControlCommand.Change],
        _ name: String
    ) throws(CommandFailure) -> Int32 {
        let status = try ask(name) { client throws(LocalClientFailure) in
            try client.get("/v1/status", as: CentreStatus.self)
        }
        var request = try JobUpdateRequest(changes, program: name, now: status.now)
        return try apply(targets, "update", name, repeatsError: false) { selector in
            request.arrayTasks = selector.arrayTasks
            request.component = selector.component
            return request.json
        }
    }

    private static func apply(
        _ targets: [ControlCommand.JobTarget],
        _ path: String,
        _ name: String,
        repeatsError: Bool,
        namesElementsFirst: Bool = false,
        _ body: (JobSelector) -> JSONValue
    ) throws(CommandFailure) -> Int32 {
        var output = CommandOutput()
        func refuse(_ error: ErrorBody, _ job: String) {
            output.errors.append(
                namesElementsFirst && job.contains("_")
                    ? "\(job): \(error.text)" : "\(error.text) for job \(job)"
            )
            if repeatsError { output.errors.append("slurm_suspend error: \(error.text)") }
            output.exitCode = error.exitCode ?? 1
        }
        for (selector, text) in try resolve(targets, name) {
            guard let selector else {
                refuse(SlurmError.invalidJobID.body(), text)
                continue
            }
            let json = Array(body(selector).compactText.utf8)
            do throws(LocalClientFailure) {
                let answer = try LocalClient().send(
                    "POST",
                    "/v1/jobs/\(selector.jobID)/\(path)",
                    body: json
                )
                let response = try? ActionResponse(parsing: answer)
                for outcome in response?.outcomes ?? [] {
                    if let error = outcome.error { refuse(error, text) }
                }
            } catch {
                guard case .refused(_, let body) = error else {
                    throw .error(name, error.description)
                }
                refuse(body, text)
            }
        }
        return finish(output)
    }

    private static func update(
        _ target: String,
        _ request: some WireRecord
    ) throws(CommandFailure) -> Int32 {
        do throws(LocalClientFailure) {
            let body = request.compactBytes
            _ = try LocalClient().send("POST", target, body: body)
            return 0
        } catch {
            throw CommandFailure(
                lines: ["slurm_update error: \(error.description)"],
                exitCode: 1
            )
        }
    }
}

extension Yh {
    /// A request for a job, or all.
    static func target(_ job: JobSelector?, of clusters: [String]) -> String {
        var query = JobQuery()
        query.includesEnded = true
        query.ids = job.map { [$0.jobID] }
        query.clusters = clusters
        return query.target
    }
}

extension ControlCommand {
    /// The clusters that are described: the one named; else all of what has a name, and the centre's own in a
    /// list.
    func scope(_ name: String) throws(CommandFailure) -> [String] {
        if let named = try Yh.knownClusters(clusters, name) { return named }
        switch action {
        case .showJobs(.some), .showNodes(.some), .showPartitions(.some): return [ClusterWord.all]
        default: return [ClusterWord.own]
        }
    }
}
