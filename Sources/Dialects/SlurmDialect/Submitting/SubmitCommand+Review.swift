import WireFormats

extension SubmitCommand {
    /// What the user should know of the script, and of the folders that it writes into, in the order
    /// of the lines. Call it when the job's folder is filled in.
    ///
    /// - Parameter isFolder: whether there is a folder of this absolute path.
    public func review(isFolder: (String) -> Bool) -> [ScriptWarning] {
        let tasks =
            request.tasks
            ?? request.tasksPerNode.flatMap { perNode in
                request.minimumNodes.map {
                    $0.multipliedReportingOverflow(by: perNode).partialValue
                }
            }
        var warnings =
            wrapped == nil
            ? ScriptReview.warnings(in: request.script, ignoresPBS: ignoresPBS, tasks: tasks) : []
        guard isFolder(request.workDirectory) else {
            let line = directiveLine(naming: ["-D", "--chdir", "--workdir"])
            let text =
                "folder \(request.workDirectory), in which the job is to start, does not exist"
            return (warnings + [ScriptWarning(line: line, text)]).sorted()
        }
        let files = [
            (request.standardOutput, ["-o", "--output"]),
            (request.standardError, ["-e", "--error"]),
        ]
        for (pattern, options) in files {
            guard let pattern, let end = pattern.lastIndex(of: "/") else { continue }
            let name = pattern[..<end]
            // What `%j` and its like become is known when the job starts.
            guard !name.isEmpty, !name.contains("%") else { continue }
            let folder = name.hasPrefix("/") ? String(name) : "\(request.workDirectory)/\(name)"
            guard !isFolder(folder) else { continue }
            let text = "folder \(folder), for the file '\(pattern)', does not exist"
            warnings.append(ScriptWarning(line: directiveLine(naming: options), text))
        }
        return warnings.sorted()
    }

    /// The last directive with one of these options, unless the command line has it too.
    private func directiveLine(naming options: [String]) -> Int? {
        var found: Int?
        for (index, line) in BatchScript.lines(of: request.script).enumerated() {
            guard line.hasPrefix("#SBATCH"),
                let words = try? BatchScript.words(line.dropFirst(7), line: index + 1)
            else { continue }
            let names = words.map { $0.prefix { $0 != "=" } }
            if names.contains(where: { name in options.contains { name.hasPrefix($0) } }) {
                found = index + 1
            }
        }
        return found
    }
}
