import ArgumentParser
import Foundation
import LocalClient
import Quantities
import Reporting
import ScriptChecking
import SlurmDialect
import WireFormats

/// `xinghe quote`: what a job would cost, and when it would start.
struct QuoteCommand: PassingCommand {
    static let configuration = CommandConfiguration(
        commandName: "quote",
        abstract: "Say when a job script would start, and what it would cost after the subsidy.",
        discussion: """
            Takes the options and scripts of yhbatch and submits nothing. The price is that of the \
            whole time limit: a job that runs that long is charged exactly so. Asks the centre that is \
            open, or, with --machine, --start or --load, a private one that is opened for the question. \
            The exit status is 1 when the job would never start.
            """
    )

    @OptionGroup var access: CentreAccess

    @OptionGroup var place: PrivateCentreOptions

    @OptionGroup var language: LanguageOption

    @Flag(help: "Print JSON.")
    var json = false

    @Argument(
        parsing: .captureForPassthrough,
        help: ArgumentHelp("Options of yhbatch, then the script.", valueName: "script")
    )
    var words: [String] = []

    private static let name = "xinghe quote"

    func validate() throws {
        guard access.socket != nil, place.isGiven else { return }
        throw ValidationError("--socket: a private centre (--machine, --start, --load) has its own")
    }

    func run() throws {
        if words == ["--help"] || words == ["-h"] { throw CleanExit.helpRequest(self) }
        _ = try SubmitOption.operands(of: words, passedBy: Self.self)
        let own =
            place.isGiven
            ? try CentreOpening(place).open(rehearses: false) : nil
        own.map { LoadNotice.tell($0.opening) }
        let client = own?.client ?? access.client
        let command: SubmitCommand
        let response: SubmitResponse
        do throws(CommandFailure) {
            command = try self.command(client)
            response = try ask(client) { client throws(LocalClientFailure) in
                try client.post("/v1/jobs", command.request, as: SubmitResponse.self)
            }
        } catch {
            for line in error.lines { StandardOutput.tell(line) }
            // Slurm's 255 for a command line that cannot be read.
            throw error.exitCode == ExitStatus.unreadable
                ? ExitCode.validationFailure : ExitCode(error.exitCode)
        }
        let advice = PlaceReview.warnings(
            of: command.request,
            response,
            client,
            isLoaded: place.load != nil,
            in: language.words
        )
        try report(response, warnings: command.warnings + advice)
        // Ends the private centre, not before.
        withExtendedLifetime(own) {}
    }

    /// The submission that is asked about, with what a begin time means now.
    private func command(_ client: LocalClient) throws(CommandFailure) -> SubmitCommand {
        let environment = ProcessInfo.processInfo.environment
        var command = try SubmitCommand.prepare(
            program: Self.name,
            arguments: words,
            variable: { environment[$0] }
        ) { path throws(CommandFailure) in
            guard let path else {
                return Array(FileHandle.standardInput.readDataToEndOfFile())
            }
            var isFolder: ObjCBool = false
            _ = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
            guard !isFolder.boolValue, let bytes = FileManager.default.contents(atPath: path) else {
                let why = isFolder.boolValue ? ": is a folder" : ""
                throw .error(Self.name, "Unable to open file \(path)\(why)")
            }
            return Array(bytes)
        }
        if command.information != nil {
            throw .error(Self.name, "options that ask for information are those of yhbatch")
        }
        try fit(&command, client)
        command.warnings += ScriptPlace.review(&command)
        for place in command.request.components.indices {
            command.request.components[place].workDirectory = command.request.workDirectory
        }
        command.request.isTestOnly = true
        return command
    }

    /// Says what times mean now, and on how many nodes tasks have room; of components alike.
    private func fit(
        _ command: inout SubmitCommand,
        _ client: LocalClient
    ) throws(CommandFailure) {
        if command.begin != nil || command.deadline != nil {
            let status = try ask(client) { client throws(LocalClientFailure) in
                try client.get("/v1/status", as: CentreStatus.self)
            }
            try command.resolveTimes(now: status.now)
        }
        if let warning = command.fitNodesToTasks() { command.warnings.append(warning) }
        for var component in command.components {
            try fit(&component, client)
            command.warnings += component.warnings
            command.request.components.append(component.request.withoutScript)
        }
    }

    private func ask<Answer>(
        _ client: LocalClient,
        _ question: (LocalClient) throws(LocalClientFailure) -> Answer
    ) throws(CommandFailure) -> Answer {
        do throws(LocalClientFailure) {
            return try question(client)
        } catch {
            guard case .refused(_, let body) = error else {
                throw .error(Self.name, error.description)
            }
            throw .error(Self.name, body.sentence)
        }
    }

    private func report(_ response: SubmitResponse, warnings: [String]) throws {
        for warning in warnings + response.warnings {
            StandardOutput.tell("\(Self.name): warning: \(warning)")
        }
        guard let estimate = response.estimate else { return }
        try json
            ? StandardOutput.print(estimate.json.prettyText, isData: true) : print(estimate)
        if !estimate.mayStart { throw ExitCode.failure }
    }

    private func print(_ estimate: StartEstimate) throws {
        let words = language.words
        let place = words(
            "分区 \(estimate.partition)，\(estimate.cores) 核",
            "\(counted(Int(estimate.cores), "core")) in partition \(estimate.partition)"
        )
        try StandardOutput.print(start(estimate, words) + words("，", ", ") + place)
        guard let price = estimate.price else { return }
        for line in PriceReport.lines(price, in: words) { try StandardOutput.print(line) }
    }

    private func start(_ estimate: StartEstimate, _ words: MessageLanguage) -> String {
        if let start = estimate.start {
            let instant = start.shanghaiText
            return words("启动 \(instant)（Asia/Shanghai）", "Start \(instant) (Asia/Shanghai)")
        }
        if estimate.mayStart {
            return words("依赖满足后启动", "Start when its dependencies allow")
        }
        let reason = estimate.reason ?? "None"
        guard let available = estimate.price?.available.map({ Fen($0).yuanText }) else {
            return words("不会启动：\(reason)", "Would not start: \(reason)")
        }
        return words(
            "不会启动：\(reason)（可用 \(available) 元）",
            "Would not start: \(reason) (available \(available))"
        )
    }
}
