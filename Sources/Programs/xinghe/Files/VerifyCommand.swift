import ArgumentParser
import Foundation
import Quantities
import WireFormats

/// `xinghe verify`: makes a result again, and says whether it is the same.
struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Make a result of replay or compare again and say whether it is the same.",
        discussion: """
            A result is what 'xinghe replay --json' or 'xinghe compare --json' printed. Its inputs must \
            have the SHA-256 that it names; then its command line is run again. Everything must be the \
            same but the CPU times. Exit status 1 says that something differs.
            """
    )

    @Argument(help: ArgumentHelp("The result; '-' is standard input.", valueName: "RESULT.json"))
    var result: String

    func run() async throws {
        let old = try Self.object(try readText(result, atMost: 1 << 30), result)
        guard let provenance = old["provenance"], let version = provenance["version"]?.string,
            let words = provenance["command"]?.array?.map(\.string), !words.contains(nil),
            let inputs = provenance["inputs"]?.array
        else { throw Refusal("\(result): has no provenance; it is no JSON of replay or compare") }
        let command = words.compactMap(\.self)
        guard let name = command.first, ["replay", "compare"].contains(name),
            command.contains("--json")
        else { throw Refusal("\(result): its command is not replay or compare with --json") }
        try Self.refuseWriting(command, result)
        for input in inputs { try Self.check(input, result) }
        let new = try Self.object(try Self.output(of: command), "the new result")
        let differences = Self.differences(old, new, at: "")
        for difference in differences.prefix(20) { try StandardOutput.print(difference.printable) }
        if version != Version.text {
            try StandardOutput.print("made by version \(version), made again by \(Version.text)")
        }
        guard differences.isEmpty else {
            throw Refusal("\(result): \(differences.count) figures differ")
        }
        try StandardOutput.print(
            "\(result): the same, made again from \(counted(inputs.count, "input"))"
        )
    }

    private static func object(_ text: String, _ name: String) throws -> JSONValue {
        do throws(JSONValue.Malformed) {
            return try JSONValue(parsing: text)
        } catch {
            throw Refusal("\(name):\(error.line): \(error.problem)")
        }
    }

    /// A result is data from anywhere: nothing that it says may write a file or start a program.
    private static func refuseWriting(_ command: [String], _ result: String) throws {
        let options = [
            "--report", "--jobs-csv", "--swf-out", "--trace-json", "--external",
            "--external-timeout", "--shard", "--shard-out",
        ]
        for word in command {
            if let option = options.first(where: { word == $0 || word.hasPrefix($0 + "=") }) {
                throw Refusal("\(result): was made with \(option), which verify does not run again")
            }
        }
    }

    private static func check(_ input: JSONValue, _ result: String) throws {
        guard let path = input["path"]?.string else {
            throw Refusal("\(result): an input without a path")
        }
        guard path != "-", let wanted = input["sha256"]?.string else {
            throw Refusal("\(result): was made of standard input, which is not there any more")
        }
        guard try Provenance.digest(of: path) == wanted else {
            throw Refusal("\(path): is not the file that \(result) was made of")
        }
    }

    private static func output(of command: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = command
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Refusal("the command failed with exit status \(process.terminationStatus)")
        }
        return String(decoding: data, as: UTF8.self)
    }

    /// Where two results differ, but for CPU times and who made them.
    static func differences(_ old: JSONValue?, _ new: JSONValue?, at place: String) -> [String] {
        if let left = old?.members, let right = new?.members {
            let names =
                left.map(\.name)
                + right.map(\.name).filter { name in !left.contains { $0.name == name } }
            return names.filter { !["cpu_s", "provenance"].contains($0) }.flatMap { name in
                differences(old?[name], new?[name], at: place.isEmpty ? name : "\(place).\(name)")
            }
        }
        if let left = old?.array, let right = new?.array, left.count == right.count {
            return zip(left, right).enumerated().flatMap { index, pair in
                differences(pair.0, pair.1, at: "\(place)[\(index)]")
            }
        }
        guard old != new else { return [] }
        func text(_ value: JSONValue?) -> String { value?.compactText ?? "nothing" }
        return ["\(place): \(text(old)), made again \(text(new))"]
    }
}
