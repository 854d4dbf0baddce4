import ArgumentParser
import IndexSets
import SlurmDialect

/// A command that passes words on: options of `yhbatch`, then scripts.
protocol PassingCommand: ParsableCommand {}

extension ParsableCommand {
    /// The long options of the command, with their dashes.
    static var optionNames: [String] {
        let words = helpMessage(columns: 1_000).split { " \n,[]()'=".contains($0) }
        return Set(words.filter { $0.hasPrefix("--") && $0.count > 2 }.map(String.init)).sorted()
    }
}

extension SubmitOption {
    /// The operands among the words that `command` passes on.
    ///
    /// - Throws: `ValidationError` for an option that neither `yhbatch` nor the command has, with those of
    ///   both that may have been meant.
    static func operands(
        of words: [String],
        passedBy command: any PassingCommand.Type
    ) throws -> [String] {
        do throws(OptionRefusal) {
            return try table.parse(words).operands
        } catch {
            var hint = ""
            if case .unrecognized(let option, let similar) = error {
                hint = didYouMean(option, among: Set(similar + command.optionNames).sorted())
            }
            throw ValidationError("\(error)\(hint)")
        }
    }
}
