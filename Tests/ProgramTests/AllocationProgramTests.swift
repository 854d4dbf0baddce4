import Foundation
import TestSupport
import Testing

/// Programs that `yhrun` and `yhalloc` run outside a script, in a centre whose time the test moves.
@Suite("Programs of allocations", .serialized)
struct AllocationProgramTests {
    private let folder: Folder
    private let socket: String

    init() throws {
        folder = try Folder()
        socket = folder.path("s")
        for name in ["yhrun", "yhalloc", "yhcancel", "yhacct", "yhqueue"] {
            try FileManager.default.createSymbolicLink(
                atPath: folder.path(name),
                withDestinationPath: try programFolder() + "/yh"
            )
        }
        let machine = try folder.write(
            "m.yaml",
            """
            machine: m
            title: M
            node_types:
              - name: a
                title: A
                topology: {synthetic: "package:1 [numa(memory=16GiB)] core:4 pu:1"}
                processor: {model: X}
                cores: 4
                memory: 16 GiB
            nodes: [{names: "n[0-3]", type: a}]
            platforms: [{name: p, title: P, key: false}]
            partitions: [{name: q, nodes: ALL, platform: p, sharing: whole-node}]

            """
        )
        // The daemon must not keep open what tells Foundation that its command is over.
        let line =
            "for file in /proc/$$/fd/*; do n=${file##*/}; if [ $n -gt 2 ]; then eval \"exec $n>&-\"; fi; done;"
            + " exec '\(try programFolder())/xinghe' up --state '\(folder.path("state"))' --socket '\(socket)'"
            + " --machine '\(machine)' --time stepped --kill-wait 1 > '\(folder.path("up"))' 2>&1"
        try #require(try Self.shell(line).status == 0)
    }

    /// What a line of the shell prints, and its exit status.
    private static func shell(_ line: String) throws -> (output: String, status: Int32) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/bash")
        process.arguments = ["-c", line]
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (String(decoding: data, as: UTF8.self), process.terminationStatus)
    }

    private var place: [String] { ["--socket", socket] }

    private func down() throws { _ = try xinghe(["down"] + place) }

    /// A command of the centre that goes on beside the test.
    private final class Running {
        private let process = Process()
        private let errors = Pipe()

        init(_ words: [String], folder: Folder, socket: String) throws {
            process.executableURL = URL(fileURLWithPath: folder.path(words[0]))
            process.arguments = Array(words.dropFirst())
            var environment = ProcessInfo.processInfo.environment
            environment["XINGHE_SOCKET"] = socket
            environment["SLURM_JOB_ID"] = nil
            process.environment = environment
            process.standardInput = FileHandle.nullDevice
            process.standardOutput = FileHandle.nullDevice
            process.standardError = errors
            try process.run()
        }

        /// Its exit status and what it said of errors.
        func end() -> (status: Int32, errors: String) {
            let data = errors.fileHandleForReading.readDataToEndOfFile()
            process.waitUntilExit()
            return (process.terminationStatus, String(decoding: data, as: UTF8.self))
        }
    }

    private func start(_ words: String...) throws -> Running {
        try Running(words, folder: folder, socket: socket)
    }

    private func output(_ words: String...) throws -> String {
        let quoted = ([folder.path(words[0])] + words.dropFirst()).map { "'\($0)'" }
        return try Self.shell(
            "XINGHE_SOCKET='\(socket)' exec \(quoted.joined(separator: " "))"
        ).output
    }

    private func isRunning() throws -> Bool {
        let path = folder.path("pid")
        guard let pid = try? String(contentsOfFile: path, encoding: .utf8) else { return false }
        let number = pid.split(separator: "\n").first.flatMap { Int32($0) } ?? 0
        return number > 0 && kill(number, 0) == 0
    }

    @Test("The limit and a cancel end the tasks of yhrun, and what they have started")
    func run() throws {
        defer { try? down() }
        // A shell that waits for a program of its own.
        let words = "echo $$ > \(folder.path("pid")); sleep 1000; exit 0"
        let limited = try start("yhrun", "-p", "q", "-N", "1", "-t", "1", "sh", "-c", words)
        #expect(try eventually { try isRunning() })
        _ = try xinghe(["advance", "2m"] + place)
        let end = limited.end()
        #expect(end.status == 143)
        let lines = end.errors.split(separator: "\n")
        #expect(lines.first == "yhrun: Force Terminated job 1", "\(end.errors)")
        #expect(lines.contains { $0.hasSuffix(" DUE TO TIME LIMIT ***") }, "\(end.errors)")
        #expect(lines.last == "yhrun: error: n0: task 0: Terminated", "\(end.errors)")
        #expect(try !isRunning())
        #expect(try output("yhacct", "-n", "-P", "-X", "-o", "State", "-j", "1") == "TIMEOUT\n")

        // One that does not mind a SIGTERM is killed after the centre's wait.
        let deaf = "trap '' TERM; echo $$ > \(folder.path("pid")); while :; do sleep 1; done"
        let cancelled = try start("yhrun", "-p", "q", "-N", "1", "sh", "-c", deaf)
        #expect(try eventually { try isRunning() })
        _ = try output("yhcancel", "2")
        let killed = cancelled.end()
        #expect(killed.status == 137, "\(killed.errors)")
        #expect(!killed.errors.contains("TIME LIMIT"), "\(killed.errors)")
        #expect(try !isRunning())
    }

    @Test("yhalloc tells that its allocation is gone, and sends its command a signal")
    func allocate() throws {
        defer { try? down() }
        let words =
            "trap 'exit 5' USR1; echo $$ > \(folder.path("pid")); while :; do sleep 0.1; done"
        let held = try start("yhalloc", "-p", "q", "-N", "1", "-K", "sh", "-c", words)
        #expect(try eventually { try isRunning() })
        _ = try output("yhcancel", "1")
        let end = held.end()
        #expect(end.status == 143)
        #expect(
            end.errors.hasSuffix("yhalloc: Job allocation 1 has been revoked.\n"),
            "\(end.errors)"
        )
        #expect(!end.errors.contains("Relinquishing"))
        try FileManager.default.removeItem(atPath: folder.path("pid"))
        let asked = try start(
            "yhalloc",
            "-p",
            "q",
            "-N",
            "1",
            "-t",
            "1",
            "--kill-command=USR1",
            "sh",
            "-c",
            words
        )
        #expect(try eventually { try isRunning() })
        _ = try xinghe(["advance", "2m"] + place)
        let second = asked.end()
        #expect(second.status == 5, "\(second.errors)")
        let sentence = "Job 2 has exceeded its time limit and its allocation has been revoked."
        #expect(second.errors.contains(sentence), "\(second.errors)")
    }
}
