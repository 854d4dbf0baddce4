import Foundation
import Testing

/// What a run of a program gave.
struct Run {
    var status: Int32
    var output: String
    var errors: String
}

/// A folder of its own that goes when the test ends.
final class Folder {
    private let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent(
            "xinghe-program-\(UUID().uuidString)"
        )
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    func path(_ name: String) -> String { url.appendingPathComponent(name).path }

    func write(_ name: String, _ text: String) throws -> String {
        try text.write(toFile: path(name), atomically: false, encoding: .utf8)
        return path(name)
    }

    func names() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: url.path).sorted()
    }
}

/// Runs the `xinghe` of this build: the test program lies in the same folder.
func xinghe(_ arguments: [String], input: String) throws -> Run {
    try xinghe(arguments, input: Data(input.utf8))
}

/// Runs it with standard output on a file; the answer's output is empty.
func xinghe(
    _ arguments: [String],
    program name: String = "xinghe",
    input: String = "",
    outputPath: String
) throws -> Run {
    let quoted = try ([program(name).path] + arguments).map { "'\($0)'" }.joined(separator: " ")
    return try run(
        URL(fileURLWithPath: "/bin/sh"),
        ["-c", "exec \(quoted) > '\(outputPath)'"],
        input: Data(input.utf8)
    )
}

/// See above.
func xinghe(
    _ arguments: [String],
    program name: String = "xinghe",
    input: Data = Data()
) throws -> Run {
    try run(program(name), arguments, input: input)
}

/// Runs a script of the repository.
func repositoryScript(_ path: String, _ arguments: [String]) throws -> Run {
    try run(repository.appendingPathComponent(path), arguments, input: Data())
}

/// The folder with the programs of this build.
func programFolder() throws -> String { try program().deletingLastPathComponent().path }

/// The root of the repository.
let repository: URL = {
    var root = URL(fileURLWithPath: #filePath)
    for _ in 0..<3 { root.deleteLastPathComponent() }
    return root
}()

private func program(_ name: String = "xinghe") throws -> URL {
    let folder = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        .deletingLastPathComponent()
    let candidates = [folder, repository.appendingPathComponent(".build/debug")]
        .map { $0.appendingPathComponent(name) }
    return try #require(
        candidates.first { FileManager.default.isExecutableFile(atPath: $0.path) }
    )
}

private func run(_ program: URL, _ arguments: [String], input: Data) throws -> Run {
    let process = Process()
    process.executableURL = program
    process.arguments = arguments
    let pipes = (input: Pipe(), output: Pipe(), errors: Pipe())
    process.standardInput = pipes.input
    process.standardOutput = pipes.output
    process.standardError = pipes.errors
    try process.run()
    write(input, to: pipes.input.fileHandleForWriting)
    try pipes.input.fileHandleForWriting.close()
    // What it says about errors is never longer than a pipe holds.
    let output = pipes.output.fileHandleForReading.readDataToEndOfFile()
    let errors = pipes.errors.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return Run(
        status: process.terminationStatus,
        output: String(decoding: output, as: UTF8.self),
        errors: String(decoding: errors, as: UTF8.self)
    )
}

/// Writes to a program that may not read: one that refuses its options never does, which is no failure of the
/// test. What this thread would get for it is taken here: ignoring SIGPIPE would be every other test's too, and
/// that of each program started later.
private func write(_ input: Data, to file: FileHandle) {
    var broken = sigset_t()
    var before = sigset_t()
    sigemptyset(&broken)
    sigaddset(&broken, SIGPIPE)
    pthread_sigmask(SIG_BLOCK, &broken, &before)
    try? file.write(contentsOf: input)
    var atOnce = timespec()
    _ = sigtimedwait(&broken, nil, &atOnce)
    pthread_sigmask(SIG_SETMASK, &before, nil)
}
