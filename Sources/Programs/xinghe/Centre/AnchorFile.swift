import Foundation
import LiveRuntime
import Persistence
import WireFormats

/// A file of anchors: lines of `CentreAnchor` with a signature in base64, or `-`, as the last field.
struct AnchorFile {
    private let path: String
    private let verifyWith: String?
    private var lines: [(anchor: CentreAnchor, signature: Data?)] = []

    /// Where the books stood, oldest first.
    var anchors: [CentreAnchor] { lines.map(\.anchor) }

    /// Reads a file; one that is not there has no lines yet.
    ///
    /// - Parameter verifyWith: a command that verifies the signature of each line.
    /// - Throws: a refusal by line of what is no anchor, or not signed as it should be.
    init(_ path: String, verifyWith: String?) throws {
        self.path = path
        self.verifyWith = verifyWith
        guard path != "-" else { throw Refusal("--anchor: is a file that stays; '-' is none") }
        guard FileManager.default.fileExists(atPath: path) else { return }
        let text = try readText(path)
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false)
            .enumerated()
        where !(line.isEmpty && index > 0) {
            let place = "\(path):\(index + 1)"
            let cut = line.lastIndex(of: "\t") ?? line.startIndex
            guard let anchor = CentreAnchor(line[..<cut]) else {
                throw Refusal("\(place): is no anchor of a centre")
            }
            let field = line[cut...].dropFirst()
            let signature = field == "-" ? nil : Data(base64Encoded: String(field))
            guard signature != nil || field == "-" else {
                throw Refusal("\(place): field signature: is neither base64 nor '-'")
            }
            if let verifyWith { try Self.verify(anchor, signature, verifyWith, place) }
            lines.append((anchor, signature))
        }
    }

    private static func verify(
        _ anchor: CentreAnchor,
        _ signature: Data?,
        _ command: String,
        _ place: String
    ) throws {
        guard let signature else { throw Refusal("\(place): is not signed") }
        let file = FileManager.default.temporaryDirectory
            .appendingPathComponent("xinghe-\(UUID().uuidString).sig")
        defer { try? FileManager.default.removeItem(at: file) }
        try signature.write(to: file)
        let result = try ShellCommand.run(
            command,
            input: anchor.text + "\n",
            environment: ["XINGHE_SIGNATURE": file.path]
        )
        guard result.status == 0 else {
            throw Refusal("\(place): the signature is not good (\(command): exit \(result.status))")
        }
    }

    /// Adds a line, unless the books have not grown since the last one.
    ///
    /// - Parameters:
    ///   - signWith: a command that prints a signature of what it reads.
    ///   - words: the language of the answer.
    /// - Returns: what was done, in a line.
    func add(
        _ anchor: CentreAnchor,
        signWith: String?,
        in words: MessageLanguage
    ) throws -> String {
        let checked = words(
            "锚点：\(path) 中 \(lines.count) 个，账目都由它们延续而来",
            "anchors   \(lines.count) in \(path), the books have grown from all of them"
        )
        guard anchor != lines.last?.anchor else { return checked + words("；没有新的", "; nothing new") }
        var signature = "-"
        if let signWith {
            let result = try ShellCommand.run(signWith, input: anchor.text + "\n")
            guard result.status == 0, !result.output.isEmpty else {
                throw Refusal("--sign-with: \(signWith): exit \(result.status), no signature")
            }
            // A line that is not accepted later is not written now.
            if let verifyWith { try Self.verify(anchor, result.output, verifyWith, "--sign-with") }
            signature = result.output.base64EncodedString()
        }
        try append(anchor.text + "\t" + signature + "\n")
        return checked + words("；已加入第 \(anchor.batch) 批", "; added batch \(anchor.batch)")
    }

    private func append(_ line: String) throws {
        // A new file of all lines in place of the old one: a reader sees one or the other.
        var text = ""
        for (anchor, signature) in lines {
            text += anchor.text + "\t" + (signature?.base64EncodedString() ?? "-") + "\n"
        }
        try OutputFile.write(text + line, to: path)
    }
}

/// A command of the user's, run by the shell.
enum ShellCommand {
    /// Runs a command with `input` on its standard input; its standard error goes to ours.
    static func run(
        _ command: String,
        input: String,
        environment: [String: String] = [:]
    ) throws -> (status: Int32, output: Data) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", command]
        process.environment = ProcessInfo.processInfo.environment
            .merging(environment) { _, new in new }
        let (toCommand, fromCommand) = (Pipe(), Pipe())
        process.standardInput = toCommand
        process.standardOutput = fromCommand
        try process.run()
        // An anchor is shorter than a pipe, so this never waits; a command may not read it at all.
        signal(SIGPIPE, SIG_IGN)
        try? toCommand.fileHandleForWriting.write(contentsOf: Data(input.utf8))
        try? toCommand.fileHandleForWriting.close()
        let output = try fromCommand.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return (process.terminationStatus, output)
    }
}
