import Foundation
import Testing
import WireFormats

/// How a program ended and what it said.
struct ProgramResult {
    var exitCode: Int32
    var output: String
    var errors: String

    /// The one line of JSON that a kernel prints.
    func measurement() throws -> JSONValue {
        let lines = output.split(separator: "\n")
        try #require(lines.count == 1, "one line expected: \(output) \(errors)")
        return try JSONValue(parsing: String(lines[0]))
    }
}

/// The folder that this build puts its programs in: the test program lies there too.
private func programFolder() -> URL {
    let start = URL(fileURLWithPath: CommandLine.arguments[0])
    let candidates = [start, Bundle.main.bundleURL, URL(fileURLWithPath: "/proc/self/exe")]
    for candidate in candidates {
        let folder = candidate.resolvingSymlinksInPath().deletingLastPathComponent()
        let program = folder.appendingPathComponent("xinghe-kernel").path
        if FileManager.default.isExecutableFile(atPath: program) { return folder }
    }
    var root = URL(fileURLWithPath: #filePath)
    for _ in 0..<3 { root.deleteLastPathComponent() }
    return root.appendingPathComponent(".build/debug")
}

/// What a child is to know of this process's environment. A test that started MPI in this process
/// has left the traces of a running rank there.
private func childEnvironment() -> [String: String] {
    var variables = ProcessInfo.processInfo.environment.filter { name, _ in
        !name.hasPrefix("OMPI_") && !name.hasPrefix("PMIX_") && !name.hasPrefix("ORTE_")
    }
    variables["OMPI_ALLOW_RUN_AS_ROOT"] = "1"
    variables["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1"
    variables["XINGHE_MEASURE"] = nil
    return variables
}

/// Runs what blocks on a thread of its own: the threads of Swift's tasks are as few as the cores, and
/// the tests beside this one need them.
func onOwnThread<Value: Sendable>(
    _ body: @escaping @Sendable () throws -> Value
) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result(catching: body)) }
    }
}

/// The most memory that `xinghe-kernel` has had resident at once, run alone. Unit: byte.
///
/// It stops at its end to report to a pipe that nobody has opened yet. Its `rusage` would not do:
/// that has the memory of the process that started it, too.
func peakMemory(_ arguments: [String]) async throws -> Double {
    try await onOwnThread { try measuredPeakMemory(arguments) }
}

private func measuredPeakMemory(_ arguments: [String]) throws -> Double {
    let pipe = FileManager.default.temporaryDirectory
        .appendingPathComponent("xinghe-kernel-\(UUID().uuidString).pipe")
    try #require(mkfifo(pipe.path, 0o600) == 0)
    defer { try? FileManager.default.removeItem(at: pipe) }
    let process = Process()
    process.executableURL = programFolder().appendingPathComponent("xinghe-kernel")
    process.arguments = arguments
    process.environment = childEnvironment().merging(["XINGHE_MEASURE": pipe.path]) { $1 }
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let line = output.fileHandleForReading.availableData
    try #require(!line.isEmpty, "\(arguments) has ended without a line")
    let status = try String(
        contentsOfFile: "/proc/\(process.processIdentifier)/status",
        encoding: .utf8
    )
    _ = try FileHandle(forReadingFrom: pipe).readToEnd()
    process.waitUntilExit()
    let peak = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
    return try #require(Double(peak.split(whereSeparator: \.isWhitespace)[1])) * 1024
}

/// Runs `xinghe-kernel` alone, or under `mpirun` with `ranks` ranks.
func runKernel(
    _ arguments: [String],
    ranks: Int? = nil,
    launcher: [String] = [],
    environment: [String: String] = [:]
) async throws -> ProgramResult {
    let program = programFolder().appendingPathComponent("xinghe-kernel").path
    let launch = ranks.map { ["mpirun", "-np", "\($0)"] + launcher } ?? []
    return try await onOwnThread {
        try runProgram(launch + [program] + arguments, environment: environment)
    }
}

private func runProgram(
    _ command: [String],
    environment: [String: String]
) throws -> ProgramResult {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = command
    process.environment = childEnvironment().merging(environment) { $1 }
    let output = Pipe()
    let errorFile = FileManager.default.temporaryDirectory
        .appendingPathComponent("xinghe-kernel-\(UUID().uuidString).err")
    _ = FileManager.default.createFile(atPath: errorFile.path, contents: nil)
    defer { try? FileManager.default.removeItem(at: errorFile) }
    process.standardOutput = output
    process.standardError = try FileHandle(forWritingTo: errorFile)
    try process.run()
    let printed = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return ProgramResult(
        exitCode: process.terminationStatus,
        output: String(decoding: printed, as: UTF8.self),
        errors: String(decoding: try Data(contentsOf: errorFile), as: UTF8.self)
    )
}
