import WireFormats

/// The file of `srun --multi-prog`: which tasks run which program.
///
///     # tasks  program and arguments; %t is the task, %o its place in the list
///     0        master
///     1-2,5    worker --rank %t
///     *        helper
///
/// Source: srun(1) of Slurm 22.05, "MULTIPLE PROGRAM CONFIGURATION".
public enum MultiProgram {
    /// The words of each task's program, by task.
    ///
    /// - Parameters:
    ///   - program: the command's name in messages.
    ///   - path: the file's name in messages.
    /// - Throws: `CommandFailure` that names the line, or the first task without a program.
    public static func commands(
        in text: String,
        path: String,
        tasks: Int,
        program: String
    ) throws(CommandFailure) -> [[String]] {
        var commands = [[String]?](repeating: nil, count: tasks)
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false)
            .enumerated()
        {
            let place = "\(path), line \(index + 1)"
            let words: [String]
            do throws(BatchScript.Refusal) {
                words = try BatchScript.words(line, line: index + 1)
            } catch {
                throw .error(program, "\(place): a quotation mark is not closed")
            }
            guard let list = words.first else { continue }
            guard words.count > 1 else { throw .error(program, "\(place): no program is named") }
            guard let chosen = numbers(list, tasks: tasks, taken: commands) else {
                throw .error(program, "\(place): '\(list)' is no list of tasks")
            }
            for (offset, task) in chosen.enumerated() where task < tasks {
                guard commands[task] == nil else {
                    throw .error(program, "\(place): task \(task) has a program already")
                }
                commands[task] = words.dropFirst().map { word in
                    word.replacing("%t", with: "\(task)").replacing("%o", with: "\(offset)")
                }
            }
        }
        return try commands.enumerated().map { task, words throws(CommandFailure) in
            guard let words else { throw .error(program, "\(path): task \(task) has no program") }
            return words
        }
    }

    /// `0`, `1-2,5`, or `*` for those that have none yet; nil for anything else.
    private static func numbers(_ list: String, tasks: Int, taken: [[String]?]) -> [Int]? {
        if list == "*" { return taken.indices.filter { taken[$0] == nil } }
        guard let array = try? OptionValues.array(list), array.limit == nil else { return nil }
        return array.ranges.flatMap { range in
            stride(from: Int(range.first), through: Int(range.last), by: Int(range.step))
        }
    }
}
