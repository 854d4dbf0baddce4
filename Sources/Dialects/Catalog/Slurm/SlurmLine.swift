/// A line of a configuration of Slurm, or a record that `scontrol show` prints: keys and values.
struct SlurmLine {
    /// The file, as it was named.
    var file: String
    /// Where it begins, from 1.
    var number: Int
    /// What it says, in order.
    var pairs: [(key: String, value: String)]

    /// The value of a key, whatever its case.
    subscript(_ keys: String...) -> String? {
        for key in keys {
            let wanted = key.lowercased()
            if let pair = pairs.first(where: { $0.key.lowercased() == wanted }) {
                return pair.value
            }
        }
        return nil
    }

    /// The lines of a configuration file: comments go, a backslash at the end goes on.
    static func configuration(_ text: String, file: String) -> [SlurmLine] {
        var lines: [SlurmLine] = []
        var begun: (number: Int, text: String)?
        for (index, raw) in text.split(separator: "\n", omittingEmptySubsequences: false)
            .enumerated()
        {
            var line = withoutComment(raw)
            let goesOn = line.hasSuffix("\\")
            if goesOn { line.removeLast() }
            let whole = (begun?.number ?? index + 1, (begun?.text ?? "") + line)
            begun = goesOn ? whole : nil
            if !goesOn { append(whole, file, to: &lines) }
        }
        if let begun { append(begun, file, to: &lines) }
        return lines
    }

    /// The records of `scontrol show node`, `partition`, `config` or `reservation`.
    static func records(_ text: String, file: String) -> [SlurmLine] {
        var lines: [SlurmLine] = []
        var isOpen = false
        for (index, raw) in text.split(separator: "\n", omittingEmptySubsequences: false)
            .enumerated()
        {
            let words = raw.split(separator: " ")
            let begins = words.first.map { word in
                ["NodeName=", "PartitionName=", "ReservationName="].contains { word.hasPrefix($0) }
            }
            guard let begins else {
                isOpen = false
                continue
            }
            if words.count >= 2, words[1] == "=" {
                // `show config`: one key a line.
                let value = words.dropFirst(2).joined(separator: " ")
                lines.append(
                    SlurmLine(file: file, number: index + 1, pairs: [(String(words[0]), value)])
                )
                isOpen = false
            } else if begins || !isOpen {
                lines.append(SlurmLine(file: file, number: index + 1, pairs: pairs(String(raw))))
                isOpen = begins
            } else {
                lines[lines.count - 1].pairs += pairs(String(raw))
            }
        }
        return lines
    }

    private static func append(
        _ line: (number: Int, text: String),
        _ file: String,
        to lines: inout [SlurmLine]
    ) {
        let pairs = pairs(line.text)
        guard !pairs.isEmpty else { return }
        lines.append(SlurmLine(file: file, number: line.number, pairs: pairs))
    }

    private static func withoutComment(_ line: Substring) -> String {
        var text = ""
        var isEscaped = false
        for character in line where character != "\r" {
            if character == "#", !isEscaped { break }
            isEscaped = character == "\\" && !isEscaped
            text.append(character)
        }
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }

    /// `Key=Value Key="a value"`; words without a sign belong to the value before.
    private static func pairs(_ text: String) -> [(key: String, value: String)] {
        var pairs: [(key: String, value: String)] = []
        var word = ""
        var isQuoted = false
        func finish(_ pairs: inout [(key: String, value: String)]) {
            guard !word.isEmpty else { return }
            if let equals = word.firstIndex(of: "="), equals > word.startIndex {
                pairs.append((String(word[..<equals]), String(word[word.index(after: equals)...])))
            } else if pairs.isEmpty {
                pairs.append((word, ""))
            } else {
                pairs[pairs.count - 1].value += " " + word
            }
            word = ""
        }
        for character in text {
            if character == "\"" {
                isQuoted.toggle()
            } else if character.isWhitespace, !isQuoted {
                finish(&pairs)
            } else {
                word.append(character)
            }
        }
        finish(&pairs)
        return pairs
    }
}

/// What became of a line of a site's files.
public struct ImportedLine: Hashable, Sendable {
    /// What became of it.
    public enum Verdict: Int, Hashable, Sendable, CaseIterable {
        /// It is in the machine.
        case used
        /// It changes nothing that is emulated, or cannot be said in a machine file.
        case ignored
        /// It cannot be: the site is not read.
        case refused
    }

    /// The file, as it was named.
    public var file: String
    /// The line, from 1.
    public var line: Int
    /// What became of it.
    public var verdict: Verdict
    /// What was taken or left, and why.
    public var text: String
}
