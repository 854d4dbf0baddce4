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
            the limit. What may be cheaper or sooner, a shorter limit, fewer nodes, another partition or QOS, \
            is rehearsed too, in further centres, and leaves no files where the scripts run. Under a --load \
            starts are told for ten seeds of it. No centre needs to be open. The exit status is 1 when a job did not end well.
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

    @Option(
        help: ArgumentHelp(
            "How many other ways to submit the scripts are rehearsed, cheaper or sooner ones; 0 for none.",
            valueName: "count"
        )
    )
    var alternatives = 4

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
    /// How many scripts are rehearsed at once.
    private static let scriptsMaximum = 10_000
    /// How many other ways are rehearsed.
    private static let alternativesMaximum = 100

    func validate() throws {
        guard (0...Self.alternativesMaximum).contains(alternatives) else {
            throw ValidationError("--alternatives: from 0 to \(Self.alternativesMaximum)")
        }
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
        let opening = CentreOpening(place, ["--rehearsal-wait", "\(wait)"])
        let centre = try opening.open()
        LoadNotice.tell(centre.opening)
        let run = RehearsalRun(centre, isLoaded: place.load != nil)
        var result = RehearsalResult()
        var last: UInt32?
        for (index, path) in scripts.enumerated() {
            var script = RehearsedScript()
            script.path = path
            do throws(CommandFailure) {
                // Of later ones no other ways are tried.
                script.isAsked = index < alternatives
                try submit(options, path, after: last, in: run, &script)
            } catch {
                script.refusal = error.lines.map { $0.replacing("\(Self.name): error: ", with: "") }
                    .joined(separator: " ")
            }
            last = script.job ?? last
            result.scripts.append(script)
        }
        result = try CentreAccess.ask { () throws(LocalClientFailure) in
            try run.letRun()
            return try run.collected(result)
        }
        try addAlternatives(to: &result, opening)
        if place.load != nil {
            try addSpread(to: &result) { offset in
                try opening.open(rehearses: false, seedOffset: offset)
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
        in run: RehearsalRun,
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
        try Self.fit(&command, run)
        script.warnings = command.warnings + ScriptPlace.review(&command)
        for place in command.request.components.indices {
            command.request.components[place].workDirectory = command.request.workDirectory
        }
        let variables = environment.map { "\($0.key)=\($0.value)" }.sorted()
        command.request.environment = command.jobEnvironment(from: variables, login: variables)
        command.request.command = ScriptPlace.absolute(path)
        if let chain, let last {
            command.request.dependencies.append(DependencyRequest(kind: chain, jobID: last))
        }
        let quote = try Self.ask { () throws(LocalClientFailure) in
            try run.quote(command.request)
        }
        script.warnings +=
            quote.warnings
            + PlaceReview.warnings(
                of: command.request,
                quote,
                run.client,
                isLoaded: place.load != nil,
                in: language.words
            )
        script.request = command.request
        // What one component may do without says little of all.
        if !command.components.isEmpty { script.isAsked = false }
        if script.isAsked { script.ways = run.ways(otherThan: command.request, quote) }
        script.job = try Self.ask { () throws(LocalClientFailure) in
            try run.submit(command.request)
        }
    }

    /// Says what times mean now, and on how many nodes tasks have room; of components alike.
    private static func fit(
        _ command: inout SubmitCommand,
        _ run: RehearsalRun
    ) throws(CommandFailure) {
        if command.begin != nil || command.deadline != nil {
            let status: CentreStatus = try ask { () throws(LocalClientFailure) in
                try run.client.get("/v1/status")
            }
            try command.resolveTimes(now: status.now)
        }
        if let warning = command.fitNodesToTasks() { command.warnings.append(warning) }
        for var component in command.components {
            try fit(&component, run)
            command.warnings += component.warnings
            command.request.components.append(component.request.withoutScript)
        }
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
