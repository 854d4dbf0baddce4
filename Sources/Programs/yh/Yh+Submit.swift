import Glibc
import LocalClient
import Quantities
import ScriptChecking
import SlurmDialect
import WireFormats

extension Yh {
    /// `yhbatch`, `sbatch`.
    static func submit(name: String, arguments: [String]) throws(CommandFailure) -> Int32 {
        var scriptPath: String?
        var command = try SubmitCommand.prepare(
            program: name,
            arguments: arguments,
            variable: Host.variable
        ) { path throws(CommandFailure) in
            guard let path else { return Host.read(descriptor: 0) }
            let found = find(script: path)
            if Host.isFolder(found) {
                // Slurm reads it as a file without a byte.
                guard Dialect(program: name) == .tianhe else { return [] }
                throw .error(name, "Unable to open file \(path): is a folder")
            }
            guard let bytes = Host.read(path: found) else {
                throw .error(name, "Unable to open file \(path)")
            }
            scriptPath = found
            return bytes
        }
        if let information = command.information {
            let told: QueueCommand.Information =
                switch information {
                case .version: .version
                case .usage: .synopsis
                default: .usage
                }
            return finish(Help.output(.submit, told, name: name))
        }
        Host.print(command.told.map { "\(name): \($0)" }, to: 2)
        let unfit = command.fitNodesToTasks()
        try fillIn(&command, name: name, arguments: arguments, scriptPath: scriptPath)
        let warnings = command.warnings + review(command, name: name)
        if !command.isQuiet {
            Host.print(warnings.map { "\(name): warning: \($0)" }, to: 2)
        }
        if let unfit { Host.print(["\(name): Warning: \(unfit)"], to: 2) }
        if command.isStrict, !warnings.isEmpty || unfit != nil {
            throw .error(
                name,
                "Batch job submission refused: there are warnings, and --strict was given"
            )
        }
        command.request.isStrict = command.isStrict ? true : nil
        let response = try send(command, name: name)
        tell(of: response, name: name, isQuiet: command.isQuiet)
        if let estimate = response.estimate {
            return finish(command.output(response, estimate))
        }
        // Slurm names the cluster where one was asked for.
        let cluster = command.request.clusters == nil ? nil : response.cluster
        if command.isParsable {
            Host.print(["\(response.jobID)" + (cluster.map { ";\($0)" } ?? "")])
        } else if !command.isQuiet {
            let place = cluster.map { " on cluster \($0)" } ?? ""
            Host.print(["Submitted batch job \(response.jobID)\(place)"])
        }
        return command.waits ? try wait(for: response.jobID, name: name) : 0
    }

    /// Tells what the centre has to say of a submission, and why the job could never start.
    static func tell(of response: SubmitResponse, name: String, isQuiet: Bool) {
        Host.print(response.warnings.map { "\(name): \($0)" }, to: 2)
        guard Dialect(program: name) == .tianhe, !isQuiet else { return }
        let words = MessageLanguage { Host.variable($0) }
        Host.print([response.warning(of: name, in: words)].compactMap(\.self), to: 2)
    }

    /// What there is to say of the script. Slurm's own command says nothing that Slurm does not say,
    /// unless it is asked to be strict.
    private static func review(_ command: SubmitCommand, name: String) -> [String] {
        guard command.isStrict || name.hasPrefix("yh") && !command.isQuiet else { return [] }
        let warnings =
            command.review(isFolder: Host.isFolder)
            + InterpreterCheck.warnings(of: command.request.scriptBytes)
        return warnings.sorted().map(\.description)
    }

    /// A name without a slash is looked for in the current folder, then along `PATH`.
    private static func find(script path: String) -> String {
        guard !path.contains("/"), access(path, R_OK) != 0 else { return path }
        for folder in (Host.variable("PATH") ?? "").split(separator: ":") {
            let candidate = "\(folder)/\(path)"
            if access(candidate, R_OK) == 0 { return candidate }
        }
        return path
    }

    /// Who submits, where, and with which environment; each component of a heterogeneous job alike.
    static func fillIn(
        _ command: inout SubmitCommand,
        name: String,
        arguments: [String] = Array(CommandLine.arguments.dropFirst()),
        scriptPath: String? = nil
    ) throws(CommandFailure) {
        if command.begin != nil || command.deadline != nil {
            let status = try ask(name) { client throws(LocalClientFailure) in
                try client.get("/v1/status", as: CentreStatus.self)
            }
            try command.resolveTimes(now: status.now)
        }
        command.request.clusters = try knownClusters(command.request.clusters, name)
        let folder = Host.currentDirectory()
        func absolute(_ path: String) -> String {
            path.hasPrefix("/") ? path : path.isEmpty || path == "." ? folder : "\(folder)/\(path)"
        }
        if let scriptPath {
            let words = [absolute(scriptPath)] + command.request.scriptArguments
            command.request.command = words.joined(separator: " ")
        }
        command.request.submitLine = ([name] + arguments).joined(separator: " ")
        command.request.user = Host.userName(getuid())
        command.request.userID = getuid()
        command.request.group = Host.groupName(getgid())
        command.request.groupID = getgid()
        command.request.workDirectory = absolute(command.request.workDirectory)
        command.request.submitDirectory = folder
        command.request.submitHost = Host.hostName()
        command.request.fileModeMask = Host.fileModeMask()
        var environment = Host.environment()
        if let file = command.exportFile {
            guard let bytes = Host.read(path: file) else {
                throw .error(name, "Could not open user environment file \(file)")
            }
            environment =
                Host.loginEnvironment()
                + bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
        }
        command.request.environment = command.jobEnvironment(
            from: environment,
            login: Host.loginEnvironment()
        )
        for var component in command.components {
            _ = component.fitNodesToTasks()
            // One cluster is chosen for all of them.
            component.request.clusters = nil
            try fillIn(&component, name: name, arguments: arguments, scriptPath: scriptPath)
            command.request.components.append(component.request.withoutScript)
        }
    }

    private static func send(
        _ command: SubmitCommand,
        name: String
    ) throws(CommandFailure) -> SubmitResponse {
        do throws(LocalClientFailure) {
            return try LocalClient().post("/v1/jobs", command.request, as: SubmitResponse.self)
        } catch {
            guard case .refused(_, let body) = error else {
                throw .error(name, error.description)
            }
            throw command.failure(body)
        }
    }

    /// Waits until the job, or every element of the job array, has ended; gives its exit status.
    private static func wait(for id: UInt32, name: String) throws(CommandFailure) -> Int32 {
        var pause: UInt32 = 50_000
        while true {
            let list = try ask(name) { client throws(LocalClientFailure) in
                try client.get("/v1/jobs?ended=1&id=\(id)", as: JobList.self)
            }
            let jobs = list.jobs.filter { $0.jobID == id || $0.arrayJobID == id }
            if jobs.allSatisfy({ JobStates.hasEnded($0.state) }) {
                return jobs.map(SubmitCommand.exitStatus).max() ?? 0
            }
            usleep(pause)
            pause = min(pause * 2, 1_000_000)
        }
    }
}
