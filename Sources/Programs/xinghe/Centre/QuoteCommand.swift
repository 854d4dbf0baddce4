import ArgumentParser
import Foundation
import LocalClient
import Quantities
import Reporting
import SlurmDialect
import WireFormats

/// `xinghe quote`: what a job would cost, and when it would start.
struct QuoteCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quote",
        abstract: "Say when a job script would start, and what it would cost after the subsidy.",
        discussion: """
            Takes the options and scripts of yhbatch and submits nothing. The price is that of the \
            whole time limit: a job that runs that long is charged exactly so.
            """
    )

    @OptionGroup var access: CentreAccess

    @Flag(help: "Print JSON.")
    var json = false

    @Argument(
        parsing: .captureForPassthrough,
        help: ArgumentHelp("Options of yhbatch, then the script.", valueName: "script")
    )
    var words: [String] = []

    private static let name = "xinghe quote"

    func run() throws {
        if words == ["--help"] || words == ["-h"] { throw CleanExit.helpRequest(self) }
        let command: SubmitCommand
        let response: SubmitResponse
        do throws(CommandFailure) {
            command = try self.command()
            response = try ask(command)
        } catch {
            for line in error.lines { Self.printError(line) }
            throw ExitCode(error.exitCode)
        }
        try report(response, warnings: command.warnings)
    }

    /// The submission that is asked about, with what a begin time means now.
    private func command() throws(CommandFailure) -> SubmitCommand {
        let environment = ProcessInfo.processInfo.environment
        var command = try SubmitCommand.prepare(
            program: Self.name,
            arguments: words,
            variable: { environment[$0] }
        ) { path throws(CommandFailure) in
            guard let path else {
                return Array(FileHandle.standardInput.readDataToEndOfFile())
            }
            guard let bytes = FileManager.default.contents(atPath: path) else {
                throw .error(Self.name, "Unable to open file \(path)")
            }
            return Array(bytes)
        }
        if command.information != nil {
            throw .error(Self.name, "options that ask for information are those of yhbatch")
        }
        if command.begin != nil {
            let status = try ask { client throws(LocalClientFailure) in
                try client.get("/v1/status", as: CentreStatus.self)
            }
            try command.resolveBegin(now: status.now)
        }
        if let warning = command.fitNodesToTasks() { command.warnings.append(warning) }
        command.request.isTestOnly = true
        return command
    }

    private func ask(_ command: SubmitCommand) throws(CommandFailure) -> SubmitResponse {
        try ask { client throws(LocalClientFailure) in
            try client.post("/v1/jobs", command.request, as: SubmitResponse.self)
        }
    }

    private func ask<Answer>(
        _ question: (LocalClient) throws(LocalClientFailure) -> Answer
    ) throws(CommandFailure) -> Answer {
        do throws(LocalClientFailure) {
            return try question(access.client)
        } catch {
            guard case .refused(_, let body) = error else {
                throw .error(Self.name, error.description)
            }
            throw .error(Self.name, ([body.text] + body.details).joined(separator: ": "))
        }
    }

    private func report(_ response: SubmitResponse, warnings: [String]) throws {
        for warning in warnings + response.warnings {
            Self.printError("\(Self.name): warning: \(warning)")
        }
        guard let estimate = response.estimate else { return }
        if json { return try StandardOutput.print(estimate.json.prettyText) }
        let place = "\(counted(Int(estimate.cores), "core")) in partition \(estimate.partition)"
        if let start = estimate.startText(instant: { "\($0.shanghaiText) (Asia/Shanghai)" }) {
            try StandardOutput.print("Start \(start), \(place)")
        } else {
            let available = estimate.price?.available.map { " (available \(Fen($0).yuanText))" }
            let reason = estimate.reason ?? "None"
            try StandardOutput.print("Would not start: \(reason)\(available ?? ""), \(place)")
        }
        guard let price = estimate.price else { return }
        for line in PriceReport.lines(price) { try StandardOutput.print(line) }
    }

    private static func printError(_ line: String) {
        FileHandle.standardError.write(Data((line + "\n").utf8))
    }
}
