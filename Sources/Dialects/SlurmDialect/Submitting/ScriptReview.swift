/// Reads a script as its author meant it, and says where a centre reads it otherwise.
///
/// Source of what is read: `BatchScript.directives`. What a here-document holds is the text of another
/// file, and is left alone.
enum ScriptReview {
    /// - Parameter tasks: how many tasks the job has; nil when that is not known.
    static func warnings(
        in script: String,
        ignoresPBS: Bool,
        tasks: Int32?
    ) -> [ScriptWarning] {
        var review = Review(ignoresPBS: ignoresPBS, tasks: tasks)
        for (index, line) in BatchScript.lines(of: script).enumerated() {
            review.read(line, number: index + 1)
        }
        return review.warnings.sorted()
    }
}

private struct Review {
    let ignoresPBS: Bool
    let tasks: Int32?
    var warnings: [ScriptWarning] = []
    private var firstCommand: Int?
    private var firstDirective: Int?
    private var firstPBS: Int?
    /// The words that end the here-documents which are open, and whether tabs may stand before them.
    private var hereDocuments: [(end: Substring, isIndented: Bool)] = []

    init(ignoresPBS: Bool, tasks: Int32?) {
        self.ignoresPBS = ignoresPBS
        self.tasks = tasks
    }

    mutating func read(_ line: String, number: Int) {
        if let document = hereDocuments.first {
            let text = document.isIndented ? line[...].drop { $0 == "\t" } : line[...]
            if text == document.end { hereDocuments.removeFirst() }
            return
        }
        let text = line.drop { $0.isWhitespace }
        guard let first = text.first else { return }
        guard first == "#" else {
            firstCommand = firstCommand ?? number
            readCommand(text, number)
            return
        }
        // The first line names the interpreter.
        guard number > 1 || !line.hasPrefix("#!") else { return }
        readComment(line, text, number)
    }

    private mutating func warn(_ number: Int, _ text: String) {
        warnings.append(ScriptWarning(line: number, text))
    }
}

// MARK: - Comments that look like directives

extension Review {
    /// Directives of schedulers that nothing here reads, by how their lines begin.
    private static let others: [(prefix: String, scheduler: String)] = [
        ("#BSUB", "LSF"), ("#$ -", "Grid Engine"), ("#MSUB", "Moab"), ("#COBALT", "Cobalt"),
        ("#DSUB", "Donau"), ("#PJM", "Fujitsu TCS"), ("#OAR", "OAR"), ("#@", "LoadLeveler"),
    ]

    private mutating func readComment(_ line: String, _ text: Substring, _ number: Int) {
        if text.hasPrefix("#SBATCH") {
            readDirective(line, text, number)
        } else if text.hasPrefix("#PBS") {
            readPBS(text, number)
        } else if let word = Self.misspelt(text) {
            warn(
                number,
                "'\(shown(text))' is a comment, and not read: write '#SBATCH', not '\(word)'"
            )
        } else if let other = Self.others.first(where: { text.hasPrefix($0.prefix) }) {
            warn(number, "'\(shown(text))' is a directive of \(other.scheduler), and not read here")
        }
    }

    private mutating func readDirective(_ line: String, _ text: Substring, _ number: Int) {
        if let firstCommand {
            let problem = "comes after the first command (line \(firstCommand)), and is not read"
            warn(number, "'\(shown(text))' \(problem)")
        } else if !line.hasPrefix("#") {
            warn(number, "'\(shown(text))' is not read: nothing may stand before '#SBATCH'")
        } else {
            firstDirective = firstDirective ?? number
            if let firstPBS { warnBoth(firstPBS) }
        }
    }

    private mutating func readPBS(_ text: Substring, _ number: Int) {
        guard firstCommand == nil else { return }
        if ignoresPBS {
            warn(number, "'\(shown(text))' is not read (--ignore-pbs)")
        } else {
            firstPBS = firstPBS ?? number
            if firstDirective != nil { warnBoth(number) }
        }
    }

    private mutating func warnBoth(_ number: Int) {
        let text =
            "'#PBS' lines are read beside '#SBATCH' lines, which count where both say something"
        guard !warnings.contains(where: { $0.text == text }) else { return }
        warn(number, text)
    }

    /// The word that stands where `#SBATCH` was meant: `# SBATCH`, `#sbatch`, `#YHBATCH`.
    private static func misspelt(_ text: Substring) -> Substring? {
        let word = text.dropFirst().drop { $0 == " " || $0 == "\t" }.prefix { !$0.isWhitespace }
        guard ["sbatch", "yhbatch"].contains(word.lowercased()) else { return nil }
        // A sentence about the command has no option after it.
        let rest = text[word.endIndex...].drop { $0.isWhitespace }
        guard rest.first == "-" else { return nil }
        return text[..<word.endIndex]
    }

    private func shown(_ text: Substring) -> String {
        let line = text.prefix(40)
        return line.endIndex == text.endIndex ? String(line) : line + "…"
    }
}

// MARK: - Commands

extension Review {
    private mutating func readCommand(_ text: Substring, _ number: Int) {
        let words = text.split { $0 == " " || $0 == "\t" }
        for (index, word) in words.enumerated() {
            if word.hasPrefix("#") { return }
            openHereDocument(word, next: index + 1 < words.count ? words[index + 1] : nil)
            let program = word.split(separator: "/").last ?? word
            guard Self.launchers.contains(String(program)) else { continue }
            checkTasks(words[(index + 1)...], of: program, number)
        }
    }

    private mutating func openHereDocument(_ word: Substring, next: Substring?) {
        guard let start = word.firstRange(of: "<<"), !word[start.upperBound...].hasPrefix("<")
        else {
            return
        }
        var end = word[start.upperBound...]
        let isIndented = end.hasPrefix("-")
        if isIndented { end = end.dropFirst() }
        if end.isEmpty { end = next ?? "" }
        end = end.prefix { $0 != ";" && $0 != "|" && $0 != ">" && $0 != "&" }
        end = end.trimmingQuotes
        if !end.isEmpty { hereDocuments.append((end, isIndented)) }
    }

    private static let launchers: Set<String> = ["yhrun", "srun", "mpirun", "mpiexec"]
    /// Options of launchers that have no value.
    private static let flags: Set<String> = [
        "-l", "-u", "-v", "-Q", "-K", "-O", "-k", "-E", "-s", "-X", "-Z", "-H",
    ]

    /// Says so when a launcher is asked for more tasks than the job has.
    private mutating func checkTasks(
        _ words: ArraySlice<Substring>,
        of program: Substring,
        _ number: Int
    ) {
        guard let tasks, let asked = Self.tasks(in: words), asked > tasks else { return }
        warn(number, "\(program) asks for \(asked) tasks, and the job has \(tasks)")
    }

    /// What the options before the program's name say of the number of tasks.
    private static func tasks(in words: ArraySlice<Substring>) -> Int32? {
        var rest = words
        while let word = rest.popFirst(), word.hasPrefix("-") {
            let parts = word.split(separator: "=", maxSplits: 1)
            switch parts[0] {
            case "-n", "-np", "--ntasks", "--n", "--np":
                return Int32(parts.count == 2 ? parts[1] : rest.first ?? "")
            case _ where word.hasPrefix("-n") && Int32(word.dropFirst(2)) != nil:
                return Int32(word.dropFirst(2))
            default:
                let hasValue = word.utf8.count == 2 && !flags.contains(String(word))
                if hasValue { _ = rest.popFirst() }
            }
        }
        return nil
    }
}

extension Substring {
    fileprivate var trimmingQuotes: Substring {
        var text = self
        while let first = text.first, "'\"\\".contains(first) { text = text.dropFirst() }
        while let last = text.last, "'\"".contains(last) { text = text.dropLast() }
        return text
    }
}
