import Foundation
import Testing

/// A recorded session of a real Slurm: commands, and what they printed.
struct Transcript {
    struct Entry {
        var number: String
        var user: String
        var command: String
        var lines: [String] = []
        var errors: [String] = []
        var exitCode: Int32 = 0

        /// The command's words, without its name.
        var arguments: [String] {
            get throws { Array(try words().dropFirst()) }
        }

        /// The command's name.
        var program: String {
            get throws { try #require(try words().first) }
        }

        private func words() throws -> [String] {
            // A shell's quotation marks are those of directives.
            try shellWords(command)
        }
    }

    var entries: [Entry] = []

    init(_ name: String) throws {
        let url = try #require(
            Bundle.module.url(forResource: name, withExtension: "txt", subdirectory: "Golden")
        )
        let text = try String(contentsOf: url, encoding: .utf8)
        var isError = false
        // The end of the last line begins no other.
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            .dropLast(text.hasSuffix("\n") ? 1 : 0)
        for line in lines.map(String.init) {
            if let entry = Self.head(line) {
                entries.append(entry)
                isError = false
            } else if line == "--- stderr" {
                isError = true
            } else if line.hasPrefix("--- exit "), !entries.isEmpty {
                entries[entries.count - 1].exitCode = try #require(Int32(line.dropFirst(9)))
                isError = true
            } else if !entries.isEmpty {
                if isError {
                    entries[entries.count - 1].errors.append(line)
                } else {
                    entries[entries.count - 1].lines.append(line)
                }
            }
        }
        for index in entries.indices {
            // A blank line separates entries.
            if entries[index].errors.last?.isEmpty == true { entries[index].errors.removeLast() }
        }
    }

    /// `[001] alice$ squeue -l`
    private static func head(_ line: String) -> Entry? {
        guard line.hasPrefix("["), let close = line.firstIndex(of: "]"),
            let dollar = line.range(of: "$ ")
        else { return nil }
        let number = String(line[line.index(after: line.startIndex)..<close])
        guard number.count == 3, Int(number) != nil else { return nil }
        let user = line[line.index(close, offsetBy: 2)..<dollar.lowerBound]
        return Entry(
            number: number,
            user: String(user),
            command: String(line[dollar.upperBound...])
        )
    }

    /// The entry with a number.
    subscript(number: String) -> Entry {
        get throws { try #require(entries.first { $0.number == number }, "no entry \(number)") }
    }
}
