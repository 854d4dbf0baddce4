extension String {
    /// The text with lines of at most `width` columns, broken between words and characters of East Asia; what has
    /// no such place stays as it is. Lines go on below their beginning. Without a width nothing changes.
    public func folded(to width: Int?) -> String {
        guard let width, width >= 20 else { return self }
        return split(separator: "\n", omittingEmptySubsequences: false).map { line in
            guard displayWidth(String(line)) > width else { return String(line) }
            // A line over a whole table that was folded.
            if line.allSatisfy({ $0 == "─" }) { return String(line.prefix(width)) }
            let blanks = line.prefix { $0 == " " }.count
            return String(line).foldedLines(to: width, indentation: min(blanks + 2, width / 2))
                .joined(separator: "\n")
        }.joined(separator: "\n")
    }

    /// The lines of one line, all but the first with `indentation` blanks before.
    func foldedLines(to width: Int, indentation: Int) -> [String] {
        var lines: [String] = []
        var line = ""
        var lineWidth = 0
        /// Where the line may end: how many characters of it stay.
        var place: Int?
        let blanks = String(repeating: " ", count: indentation)
        for character in self {
            let own = displayWidth(String(character))
            let hasBegun = line.contains { $0 != " " }
            // A line does not begin with a mark that ends a sentence.
            if own == 2, hasBegun, !"，。、；：！？）》」”".contains(character) { place = line.count }
            if lineWidth + own > width, let end = place, character != " " {
                let rest = line.dropFirst(end).drop { $0 == " " }
                lines.append(String(line.prefix(end)).trimmedEnd)
                line = blanks + rest
                lineWidth = displayWidth(line)
                place = nil
            }
            line.append(character)
            lineWidth += own
            if character == " ", hasBegun { place = line.count }
        }
        lines.append(line.trimmedEnd)
        return lines
    }

    private var trimmedEnd: String {
        var text = self
        while text.hasSuffix(" ") { text.removeLast() }
        return text
    }
}
