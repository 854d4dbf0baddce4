import ArgumentParser
import Foundation
import LocalClient
import Quantities
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

    func run() throws {
        if words == ["--help"] || words == ["-h"] { throw CleanExit.helpRequest(self) }
        var request = try request()
        request.isTestOnly = true
        let response: SubmitResponse
        do throws(LocalClientFailure) {
            response = try access.client.post("/v1/jobs", request, as: SubmitResponse.self)
        } catch {
            guard case .refused(_, let body) = error else { throw CommandError(error.description) }
            throw CommandError(([body.text] + body.details).joined(separator: ": "))
        }
        guard let estimate = response.estimate else {
            throw CommandError("the centre gave no estimate")
        }
        if json { return try StandardOutput.print(estimate.json.prettyText) }
        for warning in response.warnings { try StandardOutput.print("warning: \(warning)") }
        try StandardOutput.print(
            "Start \(estimate.start.shanghaiText) (Asia/Shanghai), \(estimate.cores) cores"
                + " in partition \(estimate.partition)"
        )
        guard let price = estimate.price else { return }
        for line in PriceReport.lines(price) { try StandardOutput.print(line) }
    }

    private func request() throws -> SubmitRequest {
        let environment = ProcessInfo.processInfo.environment
        do throws(CommandFailure) {
            let command = try SubmitCommand.prepare(
                program: "quote",
                arguments: words,
                variable: { environment[$0] }
            ) { path throws(CommandFailure) in
                guard let path else {
                    return Array(FileHandle.standardInput.readDataToEndOfFile())
                }
                guard let bytes = FileManager.default.contents(atPath: path) else {
                    throw .error("quote", "Unable to open file \(path)")
                }
                return Array(bytes)
            }
            if command.information != nil {
                throw .error("quote", "options that ask for information are those of yhbatch")
            }
            return command.request
        } catch {
            throw CommandError(error.lines.joined(separator: "\n"))
        }
    }
}
