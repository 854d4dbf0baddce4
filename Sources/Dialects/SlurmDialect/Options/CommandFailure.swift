import IndexSets

/// A command that cannot go on: what it prints on standard error, and its exit status.
public struct CommandFailure: Error, Hashable, Sendable {
    /// The lines, with their prefixes.
    public var lines: [String]
    /// The exit status.
    public var exitCode: Int32

    /// Makes a failure.
    public init(lines: [String], exitCode: Int32) {
        self.lines = lines
        self.exitCode = exitCode
    }

    /// `NAME: error: MESSAGE`, once for each message.
    public static func error(_ name: String, _ messages: String..., exitCode: Int32 = 1) -> Self {
        Self(lines: messages.map { "\(name): error: \($0)" }, exitCode: exitCode)
    }

    /// What is printed when options cannot be read.
    public static func usage(_ name: String, _ refusal: OptionRefusal, exitCode: Int32) -> Self {
        // Under Slurm's names, what Slurm prints and no more.
        var hint = ""
        if Dialect(program: name) == .tianhe, case .unrecognized(_, let similar) = refusal {
            hint = didYouMean(similar)
        }
        return Self(
            lines: ["\(name): \(refusal)\(hint)", "Try \"\(name) --help\" for more information"],
            exitCode: exitCode
        )
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
