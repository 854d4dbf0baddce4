import Foundation
import Glibc
import Persistence
import WireFormats

/// How a result was made, so that anybody can make it again: version, command line, and the SHA-256 of
/// each file that went in.
struct Provenance {
    /// A file that went in.
    struct Input {
        var path: String
        /// Nil for standard input, which is read once.
        var sha256: String?
    }

    var version = Version.text
    /// What was typed, without the program.
    var command: [String]
    var inputs: [Input]

    /// Looks at the command line of this process.
    ///
    /// - Parameter paths: the files that went in; a name that is no file is a shipped machine, tariff or
    ///   rule, which comes with the version.
    /// - Throws: `Refusal` when a file cannot be read.
    init(of paths: [String]) throws {
        command = Array(CommandLine.arguments.dropFirst())
        inputs = try paths.compactMap { path in
            if path == "-" { return Input(path: path, sha256: nil) }
            var status = stat()
            guard stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFDIR else { return nil }
            return Input(path: path, sha256: try Self.digest(of: path))
        }
    }

    /// The SHA-256 of a file.
    static func digest(of path: String) throws -> String {
        guard let file = fopen(path, "r") else {
            throw Refusal("\(path): open: \(String(cString: strerror(errno)))")
        }
        defer { fclose(file) }
        var digest = FileDigest()
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while case let count = fread(&buffer, 1, buffer.count, file), count > 0 {
            buffer.withUnsafeBytes { digest.update(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
        }
        guard ferror(file) == 0 else { throw Refusal("\(path): cannot be read to its end") }
        return digest.hexText
    }

    /// As a member of a JSON report.
    var member: JSONValue.Member {
        .init(
            "provenance",
            [
                "version": .string(version),
                "command": .array(command.map { .string($0) }),
                "inputs": .array(
                    inputs.map { input in
                        [
                            "path": .string(input.path),
                            "sha256": input.sha256.map { .string($0) } ?? .null,
                        ]
                    }
                ),
            ]
        )
    }

    /// Words of a command as a shell reads them again.
    static func shellText(_ words: [String]) -> String {
        words.map { word in
            let isPlain = word.unicodeScalars.allSatisfy {
                $0.properties.isAlphabetic || ("0"..."9").contains($0)
                    || "-_=./,:+".unicodeScalars.contains($0)
            }
            return isPlain && !word.isEmpty ? word : "'" + word.replacing("'", with: "'\\''") + "'"
        }.joined(separator: " ")
    }

    /// One line for pages and headers.
    var text: String {
        let hashes = inputs.map {
            "\($0.path) \($0.sha256.map { "sha256 \($0)" } ?? "read from a pipe")"
        }
        return "xinghe \(version): xinghe \(Self.shellText(command))"
            + (hashes.isEmpty ? "" : "; of \(hashes.joined(separator: ", "))")
    }
}

extension JSONValue {
    /// The object with a member more.
    func with(_ member: Member) -> JSONValue { .object((members ?? []) + [member]) }
}
