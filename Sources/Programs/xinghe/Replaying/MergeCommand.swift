import ArgumentParser
import WireFormats

/// `xinghe merge`: the parts of a comparison that many processes made, as one result.
struct MergeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "merge",
        abstract: "Put the parts of a comparison together that many processes made.",
        discussion: """
            mpirun -np 8 xinghe compare LOG --shard auto --shard-out parts, then \
            xinghe merge parts/*.json. The result is what one process prints with --json, but for CPU \
            times, whatever the number of processes. A part that is missing is named, with the command \
            that makes it.
            """
    )

    @Argument(help: "The parts.")
    var parts: [String]

    func run() async throws {
        let parts = try self.parts.map { try Part($0) }
        guard let first = parts.first else { throw ValidationError("name the parts") }
        let count = first.count
        for part in parts {
            guard part.count == count, part.command == first.command else {
                throw Refusal(
                    "\(part.path): is not a part of the comparison that \(first.path) is of"
                )
            }
        }
        guard Set(parts.map(\.index)).count == parts.count else {
            throw Refusal("a part is there twice")
        }
        let missing = (1...count).filter { index in !parts.contains { $0.index == index } }
        guard missing.isEmpty else {
            let words = Provenance.shellText(first.command)
            // Those that were written into a folder are told apart by their names there.
            let folder = first.folder.map { " --shard-out " + Provenance.shellText([$0]) } ?? ""
            let lines = missing.map {
                "part \($0) of \(count): xinghe \(words) --shard \($0)/\(count)\(folder)"
            }
            throw Refusal("missing, to be made again:\n" + lines.joined(separator: "\n"))
        }
        let whole = try Self.merged(parts.sorted { $0.index < $1.index })
        try StandardOutput.print(whole.prettyText, isData: true)
    }

    private struct Part {
        let path: String
        let index: Int
        let count: Int
        let numbers: [Int]
        /// Without what says which part it is.
        let command: [String]
        /// The folder into which it was written; nil for one that was printed.
        let folder: String?
        let json: JSONValue

        init(_ path: String) throws {
            do throws(JSONValue.Malformed) {
                json = try JSONValue(parsing: try Self.text(path))
            } catch {
                throw Refusal("\(path):\(error.line): \(error.problem)")
            }
            self.path = path
            let part = json["part"]
            guard let index = part?["index"]?.wholeNumber, let count = part?["of"]?.wholeNumber,
                let numbers = part?["cells"]?.array?.map({ Int($0.wholeNumber ?? -1) }),
                let words = json["provenance"]?["command"]?.array?.compactMap(\.string),
                (1...100_000).contains(count), (1...count).contains(index)
            else { throw Refusal("\(path): is no part of a comparison") }
            self.index = Int(index)
            self.count = Int(count)
            self.numbers = numbers
            command = Self.plain(words)
            folder = Self.value(of: "--shard-out", in: words)
        }

        private static func value(of option: String, in words: [String]) -> String? {
            if let joined = words.last(where: { $0.hasPrefix(option + "=") }) {
                return String(joined.dropFirst(option.count + 1))
            }
            return words.lastIndex(of: option).flatMap {
                $0 + 1 < words.count ? words[$0 + 1] : nil
            }
        }

        private static func text(_ path: String) throws(JSONValue.Malformed) -> String {
            do {
                return try readText(path, atMost: 1 << 30)
            } catch {
                throw JSONValue.Malformed(line: 0, problem: "\(error)")
            }
        }

        private static func plain(_ words: [String]) -> [String] {
            var kept: [String] = []
            var skipsNext = false
            for word in words {
                if skipsNext {
                    skipsNext = false
                } else if word == "--shard" || word == "--shard-out" {
                    skipsNext = true
                } else if !word.hasPrefix("--shard=") && !word.hasPrefix("--shard-out=") {
                    kept.append(word)
                }
            }
            return kept
        }
    }

    private static func merged(_ parts: [Part]) throws -> JSONValue {
        let traces = parts.map { $0.json["traces"]?.array ?? [] }
        guard let model = traces.first, traces.allSatisfy({ $0.count == model.count }) else {
            throw Refusal("the parts are not of the same logs")
        }
        /// The cells of one part, each with its number in the grid.
        var cells: [[(number: Int, json: JSONValue)]] = Array(repeating: [], count: model.count)
        for (part, list) in zip(parts, traces) {
            var numbers = part.numbers[...]
            for (place, trace) in list.enumerated() {
                for cell in trace["cells"]?.array ?? [] {
                    guard let number = numbers.popFirst() else {
                        throw Refusal("\(part.path): has more cells than it says")
                    }
                    cells[place].append((number, cell))
                }
            }
        }
        let whole = zip(model, cells).map { trace, cells in
            let sorted = cells.sorted { $0.number < $1.number }.map(\.json)
            return replaced(trace, "cells", .array(sorted))
        }
        let plain = replaced(parts[0].json, "traces", .array(whole))
        let provenance = replaced(
            plain["provenance"] ?? .null,
            "command",
            .array((parts[0].command + ["--json"]).map { .string($0) })
        )
        let members = (replaced(plain, "provenance", provenance).members ?? []).filter {
            $0.name != "part"
        }
        return .object(members)
    }

    private static func replaced(_ object: JSONValue, _ name: String, _ value: JSONValue)
        -> JSONValue
    {
        .object((object.members ?? []).map { $0.name == name ? .init(name, value) : $0 })
    }
}
