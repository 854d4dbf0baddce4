import IndexSets
import WireFormats

/// A command that cannot go on: what it prints on standard error, and its exit status.
public struct CommandFailure: Error, Hashable, Sendable {
    /// The lines, with their prefixes.
    public var lines: [String]
    /// The exit status.
    public var exitCode: Int32
    /// What stands behind the first line under a Tianhe name: ` (did you mean 'show'?)`, or nothing.
    public var hint: String

    /// Makes a failure.
    public init(lines: [String], exitCode: Int32, hint: String = "") {
        self.lines = lines
        self.exitCode = exitCode
        self.hint = hint
    }

    /// The lines as `program` prints them: under Slurm's names as they are, under Tianhe's with that
    /// name and the hint.
    public func lines(for program: String) -> [String] {
        guard Dialect(program: program) == .tianhe else { return lines }
        var shown = lines.map { line in
            let own = Self.slurmNames.first { line.hasPrefix("\($0): ") }
            return own.map { program + line.dropFirst($0.count) } ?? line
        }
        if !shown.isEmpty { shown[0] += hint }
        return shown
    }

    private static let slurmNames = Help.Command.allCases.flatMap(\.names)
        .filter { Dialect(program: $0) == .slurm }

    /// `NAME: error: MESSAGE`, once for each message.
    public static func error(
        _ name: String,
        _ messages: String...,
        exitCode: Int32 = ExitStatus.refused
    ) -> Self {
        Self(lines: messages.map { "\(name): error: \($0)" }, exitCode: exitCode)
    }

    /// What is printed when options cannot be read.
    public static func usage(_ name: String, _ refusal: OptionRefusal, exitCode: Int32) -> Self {
        var hint = ""
        if case .unrecognized(_, let similar) = refusal { hint = didYouMean(similar) }
        return Self(
            lines: ["\(name): \(refusal)", "Try \"\(name) --help\" for more information"],
            exitCode: exitCode,
            hint: hint
        )
    }
}

extension ErrorBody {
    /// What `program` prints before the sentence: under Slurm's names what Slurm says and no more.
    func specifics(for program: String) -> [String] {
        (Dialect(program: program) == .tianhe ? specifics : details)
            .map { "\(program): error: \($0)" }
    }
}

extension OptionTable {
    /// Cuts the arguments of `program` into options, in order, and operands.
    ///
    /// - Throws: `CommandFailure`, ready to be printed, for the first argument that cannot be read.
    func parse(
        _ arguments: [String],
        for program: String,
        exitCode: Int32 = 1
    ) throws(CommandFailure) -> (options: [GivenOption<ID>], operands: [String]) {
        do throws(OptionRefusal) {
            return try parse(arguments)
        } catch {
            throw .usage(program, error, exitCode: exitCode)
        }
    }
}
