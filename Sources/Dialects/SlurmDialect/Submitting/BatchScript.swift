/// A batch script: what is checked before it is taken, and the options written in it.
///
/// Source: Slurm 22.05, `src/sbatch/opt.c` and `src/common/slurm_opt.c`.
public enum BatchScript {
    /// Why a script is refused.
    public enum Refusal: Error, Hashable, Sendable {
        /// Not one byte.
        case empty
        /// Nothing but spaces and line ends.
        case onlySpace
        /// It does not start with `#!`.
        case noInterpreter
        /// It holds a zero byte.
        case zeroByte
        /// Its lines end as on DOS.
        case dosLineBreaks
        /// A quotation mark in a directive is not closed.
        case openQuote(line: Int)

        /// Slurm's sentences, a line each; without a prefix.
        public var messages: [String] {
            switch self {
            case .empty: ["Batch script is empty!"]
            case .onlySpace: ["Batch script contains only whitespace!"]
            case .noInterpreter:
                [
                    "This does not look like a batch script.  The first",
                    "line must start with #! followed by the path to an interpreter.",
                    "For instance: #!/bin/sh",
                ]
            case .zeroByte:
                [
                    "The SLURM controller does not allow scripts that",
                    "contain a NULL character '\\0'.",
                ]
            case .dosLineBreaks:
                [
                    "Batch script contains DOS line breaks (\\r\\n)",
                    "instead of expected UNIX line breaks (\\n).",
                ]
            case .openQuote(let line): ["line \(line): Missing closing quote"]
            }
        }
    }

    /// Checks that `bytes` can be run as a script.
    public static func check(_ bytes: [UInt8]) throws(Refusal) {
        guard !bytes.isEmpty else { throw .empty }
        let space: Set<UInt8> = [0x20, 0x09, 0x0A, 0x0B, 0x0C, 0x0D]
        guard !bytes.allSatisfy({ space.contains($0) }) else { throw .onlySpace }
        guard bytes.starts(with: "#!".utf8) else { throw .noInterpreter }
        guard !bytes.contains(0) else { throw .zeroByte }
        let hasDOSBreak = zip(bytes, bytes.dropFirst()).contains { $0 == 0x0D && $1 == 0x0A }
        guard !hasDOSBreak else { throw .dosLineBreaks }
    }

    /// The script that `--wrap` makes of a command.
    public static func wrapping(_ command: String) -> String {
        "#!/bin/sh\n# This script was created by sbatch --wrap.\n\n\(command)\n"
    }

    /// The arguments in a script's directives.
    public struct Directives: Hashable, Sendable {
        /// The words of the `#SBATCH` lines of the first component.
        public var sbatch: [String] = []
        /// Those of the others, each behind a line `#SBATCH hetjob`.
        public var components: [[String]] = []
        /// The words of the `#PBS` lines.
        public var pbs: [String] = []
    }

    /// Reads the directives: they count up to the first line that is neither empty nor a comment.
    public static func directives(in script: String) throws(Refusal) -> Directives {
        var directives = Directives()
        for (index, text) in lines(of: script).enumerated() {
            if text.hasPrefix("#SBATCH") {
                let words = try words(text.dropFirst(7), line: index + 1)
                if words == ["hetjob"] || words == ["packjob"] {
                    directives.components.append([])
                } else if directives.components.isEmpty {
                    directives.sbatch += words
                } else {
                    directives.components[directives.components.count - 1] += words
                }
            } else if text.hasPrefix("#PBS") {
                directives.pbs += try words(text.dropFirst(4), line: index + 1)
            } else if let first = text.first(where: { !$0.isWhitespace }), first != "#" {
                break
            }
        }
        return directives
    }

    /// The lines of a script. Bytes are looked at, not characters: a script may hold any text, and
    /// "\r\n" is one character.
    static func lines(of script: String) -> some Sequence<String> {
        script.utf8.split(separator: 0x0A, omittingEmptySubsequences: false).lazy
            .map { String(Substring($0)) }
    }

    /// Cuts a directive into words: quotation marks group, a backslash takes the next character as
    /// it is, and an open `#` starts a comment.
    static func words(_ text: Substring, line: Int) throws(Refusal) -> [String] {
        var words: [String] = []
        var word: String?
        var quote: Character?
        var isEscaped = false
        characters: for character in text {
            if isEscaped {
                word = (word ?? "") + String(character)
                isEscaped = false
                continue
            }
            switch character {
            case "\\":
                isEscaped = true
            case quote:
                quote = nil
            case "\"" where quote == nil, "'" where quote == nil:
                quote = character
                word = word ?? ""
            case "#" where quote == nil:
                break characters
            case _ where character.isWhitespace && quote == nil:
                if let done = word { words.append(done) }
                word = nil
            default:
                word = (word ?? "") + String(character)
            }
        }
        guard quote == nil else { throw .openQuote(line: line) }
        if let done = word { words.append(done) }
        return words
    }
}
