/// Slurm's host list expressions: `cn[0000-0127,0130]` for many node names.
///
/// Source: Slurm 22.05, `hostlist(3)` as used by `scontrol show hostlist/hostnames`.
public enum HostList {
    /// Why an expression is refused.
    public enum Rejection: Error, Hashable, Sendable {
        /// A bracket is opened twice, or not closed, or closed without being opened.
        case unbalancedBrackets(String)
        /// What stands in brackets is not a number or a rising range.
        case badRange(String)
        /// More names than `maximumCount`.
        case tooManyHosts(String)
    }

    /// What one expression may expand to.
    public static let maximumCount = 1 << 20

    /// The names that an expression stands for, in the order written.
    ///
    /// - Parameter maximum: the most names; what would give more is refused before it is expanded.
    /// - Throws: `Rejection`, with the part that is wrong.
    public static func expand(
        _ expression: String,
        atMost maximum: Int = maximumCount
    ) throws(Rejection) -> [String] {
        var names: [String] = []
        for part in try split(expression) {
            try expandPart(part, atMost: maximum, into: &names)
            guard names.count <= maximum else { throw .tooManyHosts(String(part)) }
        }
        return names
    }

    /// The shortest usual expression for `names`: names that differ only in a final number of one
    /// width share a bracket, and numbers in it are in ascending order.
    ///
    /// Groups come in the order in which their first name appears.
    public static func compress(_ names: [String]) -> String {
        /// A name without a number, or a prefix with its numbers.
        var parts: [(text: String, numbers: [Numbered])] = []
        var places: [String: Int] = [:]
        var plain: Set<String> = []
        // Neighbours usually have the same prefix.
        var last: (prefix: String, place: Int)?
        for name in names {
            guard let (prefix, number) = numbered(name) else {
                if plain.insert(name).inserted { parts.append((name, [])) }
                continue
            }
            if last?.prefix != prefix {
                let place = places[prefix, default: parts.count]
                if place == parts.count {
                    places[prefix] = place
                    parts.append((prefix, []))
                }
                last = (prefix, place)
            }
            if let last { parts[last.place].numbers.append(number) }
        }
        return parts.map { part in
            guard !part.numbers.isEmpty else { return part.text }
            let sorted = part.numbers.sorted { ($0.number, $0.width) < ($1.number, $1.width) }
            return part.text + ranges(sorted, joinsEqual: true)
        }.joined(separator: ",")
    }

    /// The expression that gives `names` back in this order, each as often as it stands there:
    /// `cn[3,1-2,1]`.
    public static func compressInOrder(_ names: [String]) -> String {
        var parts: [String] = []
        var prefix = ""
        var numbers: [Numbered] = []
        func close() {
            if !numbers.isEmpty { parts.append(prefix + ranges(numbers, joinsEqual: false)) }
            numbers.removeAll()
        }
        for name in names {
            guard let (next, number) = numbered(name) else {
                close()
                parts.append(name)
                continue
            }
            if next != prefix { close() }
            prefix = next
            numbers.append(number)
        }
        close()
        return parts.joined(separator: ",")
    }

    private typealias Numbered = (number: UInt64, width: Int)

    /// `cn0012` as `cn`, 12 of width 4; nil for a name without a final number.
    private static func numbered(_ name: String) -> (prefix: String, Numbered)? {
        // Bytes and not characters: a list may be of ten thousand names.
        let digits = name.utf8.reversed().prefix { (48...57).contains($0) }.count
        guard digits > 0, digits <= 18 else { return nil }
        let start = name.utf8.index(name.endIndex, offsetBy: -digits)
        let number = name.utf8[start...].reduce(0) { $0 * 10 + UInt64($1 - 48) }
        return (String(name[..<start]), (number, digits))
    }

    /// `[0-3,7]`, or the bare number when there is one only.
    ///
    /// - Parameter joinsEqual: whether a number that is there twice counts once.
    private static func ranges(_ numbers: [Numbered], joinsEqual: Bool) -> String {
        var parts: [String] = []
        var index = 0
        while index < numbers.count {
            var last = index
            while last + 1 < numbers.count,
                follows(numbers[last], numbers[last + 1], joinsEqual: joinsEqual)
            {
                last += 1
            }
            let low = text(numbers[index])
            let isRange = numbers[last].number != numbers[index].number
            parts.append(isRange ? "\(low)-\(text(numbers[last]))" : low)
            index = last + 1
        }
        guard parts.count > 1 || parts.first?.contains("-") == true else {
            return parts.first ?? ""
        }
        return "[" + parts.joined(separator: ",") + "]"
    }

    /// 9 and 10 may share a range when neither is padded; 009 and 010 are both of width 3.
    private static func follows(_ left: Numbered, _ right: Numbered, joinsEqual: Bool) -> Bool {
        guard right.number == left.number + 1 || joinsEqual && right.number == left.number else {
            return false
        }
        if left.width == right.width { return true }
        let isPadded = String(left.number).utf8.count < left.width
        return !isPadded && String(right.number).utf8.count == right.width
    }

    private static func text(_ entry: Numbered) -> String {
        let digits = String(entry.number)
        return String(repeating: "0", count: max(0, entry.width - digits.utf8.count)) + digits
    }

    /// Cuts at the commas that are outside brackets.
    private static func split(_ expression: String) throws(Rejection) -> [Substring] {
        var parts: [Substring] = []
        var start = expression.startIndex
        var depth = 0
        for index in expression.indices {
            switch expression[index] {
            case "[": depth += 1
            case "]": depth -= 1
            case "," where depth == 0:
                parts.append(expression[start..<index])
                start = expression.index(after: index)
            default: break
            }
            guard (0...1).contains(depth) else { throw .unbalancedBrackets(expression) }
        }
        guard depth == 0 else { throw .unbalancedBrackets(expression) }
        parts.append(expression[start...])
        return parts.filter { !$0.isEmpty }
    }

    private static func expandPart(
        _ part: Substring,
        atMost maximum: Int,
        into names: inout [String]
    ) throws(Rejection) {
        guard let open = part.firstIndex(of: "["), let close = part.firstIndex(of: "]") else {
            names.append(String(part))
            return
        }
        let prefix = part[..<open]
        // What follows may hold brackets of its own: `rack[0-1]n[0-2]`. Each is a call of this.
        guard part.utf8.count(where: { $0 == UInt8(ascii: "[") }) <= mostDimensions else {
            throw .tooManyHosts(String(part.prefix(64)))
        }
        var suffixes: [String] = []
        try expandPart(part[part.index(after: close)...], atMost: maximum, into: &suffixes)
        for range in part[part.index(after: open)..<close].split(
            separator: ",",
            omittingEmptySubsequences: false
        ) {
            let ends = range.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
            guard let first = ends.first, let low = number(first),
                let last = ends.last, let high = number(last), low <= high
            else { throw .badRange(String(range)) }
            guard high - low < UInt64(maximum),
                names.count + (Int(high - low) + 1) * suffixes.count <= maximum
            else { throw .tooManyHosts(String(part)) }
            for value in low...high {
                let start = prefix + text((value, first.utf8.count))
                for suffix in suffixes { names.append(start + suffix) }
            }
        }
    }

    /// Brackets in one name, as in Slurm.
    private static let mostDimensions = 5

    private static func number(_ digits: Substring) -> UInt64? {
        // Zeros in front stand in every name of the range.
        guard digits.utf8.count <= 20 else { return nil }
        return digits.utf8.allSatisfy { (48...57).contains($0) } ? UInt64(digits) : nil
    }
}
