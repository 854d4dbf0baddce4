import Glibc
public import SlurmDialect

/// Asks the interpreter of a script whether it can read it: `bash -n`, or what another has for that.
///
/// The script is not run. Only the C library is used, so that `yhbatch` starts in a few milliseconds.
public enum InterpreterCheck {
    /// What the interpreter has to say; empty when it has nothing, or when none is known that can be
    /// asked without running the script.
    public static func warnings(of script: [UInt8]) -> [ScriptWarning] {
        guard let interpreter = Interpreter(of: script) else { return [] }
        guard let path = interpreter.path else {
            let text = "bad interpreter: \(interpreter.name) is not here, or cannot be executed"
            return [ScriptWarning(line: 1, text)]
        }
        guard let check = interpreter.check else { return [] }
        guard let answer = complaints(of: [path] + check, about: script) else { return [] }
        return warnings(answer)
    }

    /// The lines of an answer that say where something is wrong, one for each line of the script.
    static func warnings(_ answer: String) -> [ScriptWarning] {
        var warnings: [ScriptWarning] = []
        for line in answer.split(separator: "\n") {
            guard let (number, text) = place(in: line) else { continue }
            // bash shows the line itself in a second one.
            guard warnings.last?.line != number else { continue }
            warnings.append(ScriptWarning(line: number, String(text)))
        }
        return warnings
    }

    /// `bash: line 4: syntax error …`, `sh: 4: Syntax error: …`, `-: 4: …`.
    private static func place(in line: Substring) -> (line: Int, text: Substring)? {
        var rest = line
        while let colon = rest.firstIndex(of: ":") {
            let word = rest[..<colon].drop { $0 == " " }
            let number = word.hasPrefix("line ") ? word.dropFirst(5) : word
            let text = rest[rest.index(after: colon)...].drop { $0 == " " }
            if let number = Int(number), number > 0, !text.isEmpty { return (number, text) }
            rest = rest[rest.index(after: colon)...]
        }
        return nil
    }
}

/// What the first line of a script names.
private struct Interpreter {
    /// As it is written.
    let name: String
    /// Where it is; nil when it is not here.
    let path: String?

    /// Nil when the first line names none.
    init?(of script: [UInt8]) {
        guard script.starts(with: "#!".utf8) else { return nil }
        let line = script.dropFirst(2).prefix { $0 != 0x0A }
        let words = String(decoding: line, as: UTF8.self).split { $0 == " " || $0 == "\t" }
        guard var name = words.first else { return nil }
        let isEnvironment = name.split(separator: "/").last == "env"
        if isEnvironment, let word = words.dropFirst().first(where: { !$0.hasPrefix("-") }) {
            name = word
        }
        self.name = String(name)
        path = Self.find(String(name))
    }

    private static func find(_ name: String) -> String? {
        if name.contains("/") { return access(name, X_OK) == 0 ? name : nil }
        let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"
        return path.split(separator: ":").map { "\($0)/\(name)" }
            .first { access($0, X_OK) == 0 }
    }

    /// The arguments with which it reads a script from standard input and does not run it.
    var check: [String]? {
        switch name.split(separator: "/").last.map(String.init) ?? name {
        case "bash", "sh", "dash", "ksh", "ksh93", "mksh", "zsh": ["-n"]
        case let word where word.hasPrefix("python"): ["-I", "-c", Self.parse]
        default: nil
        }
    }

    private static let parse = """
        import ast, sys
        try: ast.parse(sys.stdin.buffer.read())
        except SyntaxError as error: sys.exit("line %d: %s" % (error.lineno or 1, error.msg))
        except ValueError as error: sys.exit("line 1: %s" % error)
        """
}

// MARK: - Asking

extension InterpreterCheck {
    /// How long an interpreter may take. Unit: ms.
    private static let patience: Int32 = 5_000
    /// How much of what it says is read. Unit: byte.
    private static let answerMaximum = 64 << 10

    /// What a program writes to standard error when it is given the script; nil when it cannot be
    /// started, or takes too long.
    private static func complaints(of words: [String], about script: [UInt8]) -> String? {
        guard let input = file(with: script) else { return nil }
        defer { close(input) }
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return nil }
        defer { close(ends[0]) }
        _ = fcntl(ends[0], F_SETFD, FD_CLOEXEC)
        let process = spawn(words, input: input, errors: ends[1])
        close(ends[1])
        guard let process else { return nil }
        let answer = read(ends[0])
        if answer == nil { kill(process, SIGKILL) }
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        return answer
    }

    /// A file without a name, open at its beginning.
    private static func file(with bytes: [UInt8]) -> Int32? {
        let folder = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var path = Array("\(folder)/xinghe-check-XXXXXX".utf8CString)
        let descriptor = mkstemp(&path)
        guard descriptor >= 0 else { return nil }
        unlink(path)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else {
                close(descriptor)
                return nil
            }
            rest = rest.dropFirst(count)
        }
        lseek(descriptor, 0, SEEK_SET)
        return descriptor
    }

    private static func spawn(_ words: [String], input: Int32, errors: Int32) -> pid_t? {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, input, 0)
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, errors, 2)
        var arguments = words.map { strdup($0) } + [nil]
        // No file of the user's is read first (BASH_ENV, ENV), and messages are English.
        let settings: [String] = ["PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C"]
        var variables = settings.map { strdup($0) } + [nil]
        defer { (arguments + variables).forEach { free($0) } }
        var process: pid_t = 0
        let code = posix_spawn(&process, words[0], &actions, nil, &arguments, &variables)
        return code == 0 ? process : nil
    }

    private static func read(_ descriptor: Int32) -> String? {
        var answer: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4_096)
        while answer.count < answerMaximum {
            var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let ready = poll(&polled, 1, patience)
            if ready < 0, errno == EINTR { continue }
            guard ready > 0 else { return nil }
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            guard count > 0 else { break }
            answer += chunk[..<count]
        }
        return String(decoding: answer, as: UTF8.self)
    }
}
