import ArgumentParser
import Foundation
import Glibc
import IndexSets
import WireFormats

/// One command for everything that is not Slurm's.
@main
struct Xinghe: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "xinghe",
        abstract: "Emulator of a Tianhe-class supercomputing centre.",
        version: Version.text,
        subcommands: [
            AccountCommand.self,
            AdvanceCommand.self,
            AuditCommand.self,
            BackupCommand.self,
            BillCommand.self,
            CalibrateCommand.self,
            CompareCommand.self,
            DownCommand.self,
            ExportCommand.self,
            ForecastCommand.self,
            GenerateCommand.self,
            ImportCommand.self,
            IngestCommand.self,
            LedgerCommand.self,
            MachinesCommand.self,
            MergeCommand.self,
            OpenCommand.self,
            PoliciesCommand.self,
            PredictCommand.self,
            QuoteCommand.self,
            RehearseCommand.self,
            RepairCommand.self,
            ReplayCommand.self,
            RestoreCommand.self,
            StatusCommand.self,
            SubsidyCommand.self,
            TokenCommand.self,
            TopologyCommand.self,
            UpCommand.self,
            VerifyCommand.self,
            WhatIfCommand.self,
        ]
    )

    /// Parses and runs. What a command refuses while it runs is told with that command's usage, and a
    /// subcommand that is not there with those that may be meant.
    static func main() async {
        var parsed: any ParsableCommand
        let path: String
        do {
            path = try commandPath(CommandLine.arguments.dropFirst())
            parsed = try parseAsRoot()
        } catch {
            exit(withError: error)
        }
        do {
            if var command = parsed as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try parsed.run()
            }
        } catch let error as ValidationError {
            refuse(error, by: type(of: parsed), path)
        } catch {
            exit(withError: printable(error))
        }
    }

    /// What went wrong without what would speak to a terminal: names in messages come from files.
    private static func printable(_ error: any Error) -> any Error {
        guard !(error is ExitCode), exitCode(for: error) == .failure else { return error }
        let lines = message(for: error).split(separator: "\n", omittingEmptySubsequences: false)
        return Refusal(lines.map { String($0).printable }.joined(separator: "\n"))
    }

    /// ArgumentParser knows a command by its own name alone, once it runs.
    private static func refuse(
        _ error: ValidationError,
        by command: any ParsableCommand.Type,
        _ path: String
    ) -> Never {
        let own = name(of: command)
        let text = command.fullMessage(for: error, columns: nil)
            .replacingOccurrences(of: "Usage: \(own) ", with: "Usage: \(path) ")
            .replacingOccurrences(of: "'\(own) --help'", with: "'\(path) --help'")
        FileHandle.standardError.write(Data((text + "\n").utf8))
        Glibc.exit(ExitCode.validationFailure.rawValue)
    }

    /// The words that name a command, such as `xinghe subsidy evaluate`.
    ///
    /// - Throws: a word that names none where one is needed.
    private static func commandPath(_ words: ArraySlice<String>) throws -> String {
        var command: any ParsableCommand.Type = Self.self
        var path = "xinghe"
        for word in words {
            let inner = command.configuration.subcommands
            guard !inner.isEmpty, !word.hasPrefix("-"), word != "help" else { return path }
            guard let next = inner.first(where: { name(of: $0) == word }) else {
                let names = inner.map { name(of: $0) }
                let message =
                    "there is no '\(path) \(word)'\(didYouMean(word, among: names)); there are "
                    + names.joined(separator: ", ")
                throw ValidationError(message)
            }
            command = next
            path += " " + word
        }
        return path
    }

    private static func name(of command: any ParsableCommand.Type) -> String {
        command._commandName
    }
}
