import ArgumentParser
import Foundation
import IndexSets
import LocalClient
import Quantities
import SlurmDialect
import WireFormats

/// `xinghe rehearse`: will the script work, when would it start, what would it cost.
struct RehearseCommand: PassingCommand {
    static let configuration = CommandConfiguration(
        commandName: "rehearse",
        abstract: "Run job scripts in a centre of one's own, in virtual time.",
        discussion: """
            Opens a private centre, submits the scripts (of a folder, all its *.sh in the order of their \
            names), runs them for real, as you and where you are, with every sleep in the centre's time, \
            and tells how they went: warnings, start, output, end, fee and subsidy. Parallel programs are \
            not run: they take what --comment=step=SECONDS or the machine's software says, or the rest of \
            the limit. Under a --load starts are told for ten seeds of it. No centre needs to be open. The exit status is 1 when a job did not end well.
            """
    )

    @OptionGroup var language: LanguageOption

    @OptionGroup var place: PrivateCentreOptions

    @Option(
        help: ArgumentHelp(
            "Each script waits for the one before: afterok, afterany, afternotok or after.",
            valueName: "dependency"
        )
    )
    var chain: String?

    @Option(
        help: ArgumentHelp(
            "How long a script may compute without a pause.",
            valueName: "seconds"
        )
    )
    var wait: UInt32 = 10

    @Flag(help: "Print JSON.")
    var json = false

    @Argument(
        parsing: .captureForPassthrough,
        help: ArgumentHelp(
            "Options of yhbatch for all scripts, then scripts or folders.",
            valueName: "script"
        )
    )
    var words: [String] = []

    private static let name = "xinghe rehearse"
    /// How much of an output file is shown. Unit: byte.
    private static let outputMaximum = 8 << 10
    /// How many scripts are rehearsed at once.
    private static let scriptsMaximum = 10_000

    func validate() throws {
        let kinds = ["after", "afterany", "afterok", "afternotok"]
        if let chain, !kinds.contains(chain) {
            throw ValidationError(
                "--chain: '\(chain)' is none of \(kinds.joined(separator: ", "))"
                    + didYouMean(chain, among: kinds)
            )
        }
    }

    func run() throws {
        if words == ["--help"] || words == ["-h"] { throw CleanExit.helpRequest(self) }
        let (options, scripts) = try Self.scripts(words)
        // All centres of a rehearsal begin at one time.
        let arguments = place.arguments() + ["--rehearsal-wait", "\(wait)"]
        let firstSeed = place.firstSeed
        let centre = try PrivateCentre(arguments + place.loadArguments(seed: firstSeed))
        var result = RehearsalResult()
        var last: UInt32?
        for path in scripts {
            var script = RehearsedScript()
            script.path = path
            do throws(CommandFailure) {
                try submit(options, path, after: last, to: centre.client, &script)
            } catch {
                script.refusal = error.lines.map { $0.replacing("\(Self.name): error: ", with: "") }
                    .joined(separator: " ")
            }
            last = script.job ?? last
            result.scripts.append(script)
        }
        try letRun(centre.client)
        try collect(centre.client, &result)
        if place.load != nil {
            try addSpread(to: &result) { offset in
                let seed = place.loadArguments(seed: firstSeed &+ offset)
                return try PrivateCentre(arguments + seed, rehearses: false)
            }
        }
        try json
            ? StandardOutput.print(result.json.prettyText, isData: true)
            : StandardOutput.print(result.lines(language.words).joined(separator: "\n"))
        if !result.isFine { throw ExitCode.failure }
    }

    /// The options for all scripts, and the scripts; a folder stands for those in it.
    private static func scripts(_ words: [String]) throws -> (options: [String], paths: [String]) {
        let operands = try SubmitOption.operands(of: words, passedBy: Self.self)
        guard !operands.isEmpty else { throw ValidationError("no script is given") }
        var paths: [String] = []
        for path in operands {
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
                throw Refusal("\(path): there is no such file")
            }
            guard isFolder.boolValue else {
                paths.append(path)
                continue
            }
            let names = try FileManager.default.contentsOfDirectory(atPath: path)
            let own = names.filter { $0.hasSuffix(".sh") }.sorted()
            guard !own.isEmpty else { throw Refusal("\(path): no *.sh is in this folder") }
            paths += own.map { (path.hasSuffix("/") ? path : path + "/") + $0 }
        }
        guard paths.count <= scriptsMaximum else {
            throw Refusal("\(paths.count) scripts: at most \(scriptsMaximum) are rehearsed at once")
        }
        return (words.dropLast(operands.count), paths)
    }
}

// MARK: - Submitting

extension RehearseCommand {
    private func submit(
        _ options: [String],
        _ path: String,
        after last: UInt32?,
        to client: LocalClient,
        _ script: inout RehearsedScript
    ) throws(CommandFailure) {
        let environment = ProcessInfo.processInfo.environment
        var command = try SubmitCommand.prepare(
            program: Self.name,
            arguments: options + [path],
            variable: { environment[$0] }
        ) { path throws(CommandFailure) in
            guard let path, let bytes = FileManager.default.contents(atPath: path) else {
                throw .error(Self.name, "Unable to open file \(path ?? "-")")
            }
            return Array(bytes)
        }
        if command.begin != nil || command.deadline != nil {
            let status: CentreStatus = try Self.ask { () throws(LocalClientFailure) in
                try client.get("/v1/status")
            }
            try command.resolveTimes(now: status.now)
        }
        if let warning = command.fitNodesToTasks() { command.warnings.append(warning) }
        script.warnings = command.warnings + ScriptPlace.review(&command)
        let variables = environment.map { "\($0.key)=\($0.value)" }.sorted()
        command.request.environment = command.jobEnvironment(from: variables, login: variables)
        command.request.command = ScriptPlace.absolute(path)
        if let chain, let last {
            command.request.dependencies.append(DependencyRequest(kind: chain, jobID: last))
        }
        let quote = try Self.quote(command.request, client)
        script.warnings += quote.warnings
        script.alternatives = alternatives(command.request, quote, client)
        let request = command.request
        script.request = request
        let response: SubmitResponse = try Self.ask { () throws(LocalClientFailure) in
            try client.post("/v1/jobs", request)
        }
        script.job = response.jobID
        // Not before it is quiet is the next one submitted: their order is the same each time.
        var stay = ClockAdvanceRequest()
        stay.duration = .zero
        let pause = stay
        _ = try Self.ask { () throws(LocalClientFailure) in
            try client.post("/v1/clock/advance", pause, as: CentreStatus.self)
        }
    }

    private static func quote(
        _ request: SubmitRequest,
        _ client: LocalClient
    ) throws(CommandFailure) -> SubmitResponse {
        var trial = request
        trial.isTestOnly = true
        let question = trial
        return try ask { () throws(LocalClientFailure) in try client.post("/v1/jobs", question) }
    }

    /// Other partitions that would be cheaper, or let the job start sooner.
    private func alternatives(
        _ request: SubmitRequest,
        _ quote: SubmitResponse,
        _ client: LocalClient
    ) -> [RehearsalAlternative] {
        guard let own = quote.estimate, let price = own.price,
            let list = try? client.get("/v1/partitions", as: PartitionList.self)
        else { return [] }
        var found: [RehearsalAlternative] = []
        for partition in list.partitions where partition.name != own.partition {
            guard partition.backend != "local" else { continue }
            var other = request
            other.partitions = [partition.name]
            guard let estimate = try? Self.quote(other, client).estimate, estimate.start != nil,
                let otherPrice = estimate.price
            else { continue }
            let isSooner = own.start.map { estimate.start ?? $0 < $0 } ?? true
            // What costs nothing is priced by what the job does not ask for, such as cards.
            guard otherPrice.gross > 0 || price.gross == 0 else { continue }
            guard isSooner || otherPrice.net < price.net else { continue }
            var alternative = RehearsalAlternative()
            alternative.option = "-p \(partition.name)"
            alternative.start = estimate.start
            alternative.net = otherPrice.net
            alternative.netAsIs = price.net
            found.append(alternative)
        }
        return Array(found.sorted { ($0.net, $0.option) < ($1.net, $1.option) }.prefix(3))
    }

    private static func ask<Answer>(
        _ question: () throws(LocalClientFailure) -> Answer
    ) throws(CommandFailure) -> Answer {
        do throws(LocalClientFailure) {
            return try question()
        } catch {
            guard case .refused(_, let body) = error else {
                throw .error(name, error.description)
            }
            throw .error(name, body.sentence)
        }
    }
}

// MARK: - Running

extension RehearseCommand {
    /// Lets time pass until every job has ended, or none of those that wait can start any more.
    private func letRun(_ client: LocalClient) throws {
        // Whoever still waits when a year has passed in which nothing ran waits for ever.
        var idleDays = 0
        // Beside others, who come all the time, a month will do.
        let patience = place.load == nil ? 366 : 31
        while idleDays < patience {
            let list = try CentreAccess.ask { () throws(LocalClientFailure) in
                try client.get("/v1/jobs?user=\(getuid())", as: JobList.self)
            }
            let active = list.jobs.filter { $0.reason != "DependencyNeverSatisfied" }
            guard !active.isEmpty else { return }
            let running = active.filter { $0.state != "PENDING" }
            idleDays = running.isEmpty ? idleDays + 1 : 0
            let ends = running.map { ($0.end ?? list.now) + SimDuration(seconds: 60) }
            let day = list.now + SimDuration(seconds: 86_400)
            var request = ClockAdvanceRequest()
            request.until = max(ends.max() ?? day, list.now + SimDuration(seconds: 60))
            _ = try CentreAccess.ask { () throws(LocalClientFailure) in
                try client.post("/v1/clock/advance", request, as: CentreStatus.self)
            }
        }
    }

    private func collect(_ client: LocalClient, _ result: inout RehearsalResult) throws {
        let (records, jobs) = try CentreAccess.ask { () throws(LocalClientFailure) in
            (
                try client.get("/v1/accounting?user=\(getuid())", as: AccountingList.self).records,
                try client.get("/v1/jobs?ended=1&user=\(getuid())", as: JobList.self).jobs
            )
        }
        let paths = Dictionary(jobs.map { ($0.jobID, $0.standardOutput) }) { first, _ in first }
        // Of a job that was requeued the last run counts.
        let last = Dictionary(records.map { ($0.jobID, $0) }) { _, last in last }
        for record in last.values.sorted(by: { $0.jobID < $1.jobID }) {
            var job = RehearsedJob(record)
            if let path = paths[record.jobID], record.start != nil { job.output = Self.head(path) }
            result.jobs.append(job)
        }
        for account in Set(records.map(\.account)).sorted() {
            let bill = try CentreAccess.ask { () throws(LocalClientFailure) in
                try client.get("/v1/bill?account=\(account)", as: BillStatement.self)
            }
            result.gross += bill.gross
            result.subsidy += bill.subsidy
            result.net += bill.net
        }
    }

    /// The beginning of a file; empty when it cannot be read.
    private static func head(_ path: String) -> String {
        guard !path.hasPrefix("/dev/"), let file = FileHandle(forReadingAtPath: path) else {
            return ""
        }
        defer { try? file.close() }
        let bytes = (try? file.read(upToCount: outputMaximum + 1)) ?? Data()
        let text = String(decoding: bytes.prefix(outputMaximum), as: UTF8.self)
        let isWhole = text.isEmpty || text.hasSuffix("\n")
        return bytes.count > outputMaximum ? text + "…\n" : isWhole ? text : text + "\n"
    }
}
