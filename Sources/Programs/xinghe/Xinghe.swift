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
            ArchiveCommand.self,
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
        let words = CommandLine.arguments.dropFirst()
        let (command, path) = named(by: words)
        var parsed: any ParsableCommand
        do {
            parsed = try parseAsRoot()
        } catch {
            if exitCode(for: error) == .validationFailure,
                let problem = misspelling(in: words, of: command)
            {
                refuse(problem, by: command, path)
            }
            guard exitCode(for: error) == .validationFailure else { exit(withError: error) }
            StandardOutput.tell(fullMessage(for: error, columns: nil))
            Glibc.exit(ExitCode.validationFailure.rawValue)
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
            guard !(error is ExitCode), exitCode(for: error) == .failure else {
                exit(withError: error)
            }
            StandardOutput.tell("Error: " + message(for: error))
            Glibc.exit(ExitCode.failure.rawValue)
        }
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
        StandardOutput.tell(text)
        Glibc.exit(ExitCode.validationFailure.rawValue)
    }

    /// The command that words name, and its own words, such as `xinghe subsidy evaluate`.
    ///
    /// A word that names none where one is needed is refused.
    private static func named(
        by words: ArraySlice<String>
    ) -> (command: any ParsableCommand.Type, path: String) {
        var command: any ParsableCommand.Type = Self.self
        var path = "xinghe"
        for word in words {
            let inner = command.configuration.subcommands
            guard !inner.isEmpty, !word.hasPrefix("-"), word != "help" else { break }
            guard let next = inner.first(where: { name(of: $0) == word }) else {
                let names = inner.map { name(of: $0) }
                let message =
                    "there is no '\(path) \(word)'\(didYouMean(word, among: names)); there are "
                    + names.joined(separator: ", ")
                refuse(ValidationError(message), by: command, path)
            }
            command = next
            path += " " + word
        }
        return (command, path)
    }

    /// The first option that a command has not; ArgumentParser looks for it last, behind all that would follow
    /// from its absence.
    private static func misspelling(
        in words: ArraySlice<String>,
        of command: any ParsableCommand.Type
    ) -> ValidationError? {
        let known = command.optionNames
        // What is passed on has options of another command.
        guard !known.isEmpty, !(command is any PassingCommand.Type) else { return nil }
        for word in words.prefix(while: { $0 != "--" }) where word.hasPrefix("--") {
            let option = String(word.prefix { $0 != "=" })
            guard !known.contains(option) else { continue }
            return ValidationError(
                "there is no option '\(option)'\(didYouMean(option, among: known))"
            )
        }
        return nil
    }

    private static func name(of command: any ParsableCommand.Type) -> String {
        command._commandName
    }
}
