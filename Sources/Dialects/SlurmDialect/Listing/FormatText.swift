/// Slurm's output formats: `%.18i %.9P`, and `jobid:.18,partition`.
///
/// A field with a width is cut and padded to it, a dot before the width aligns right, and text
/// between fields is printed as it is.
public struct FormatText: Hashable, Sendable {
    /// One field.
    public struct Field: Hashable, Sendable {
        /// Text before it.
        public var prefix: String
        /// The letter after `%`, or the name of the long form.
        public var key: String
        /// The width; 0 for as wide as needed.
        public var width: Int
        /// Whether it is aligned right.
        public var alignsRight: Bool

        /// Makes a field.
        public init(prefix: String = "", key: String, width: Int = 0, alignsRight: Bool = false) {
            self.prefix = prefix
            self.key = key
            self.width = width
            self.alignsRight = alignsRight
        }
    }

    /// The most characters that a field is padded to.
    static let widthMaximum = 4_096

    /// The fields, in order.
    public var fields: [Field] = []
    /// Text after the last one.
    public var suffix = ""

    /// Reads the short form: `%[[.]width]letter`.
    public init(_ text: String) {
        var rest = text[...]
        var prefix = ""
        while let percent = rest.firstIndex(of: "%") {
            prefix += rest[..<percent]
            rest = rest[rest.index(after: percent)...]
            let alignsRight = rest.first == "."
            if alignsRight { rest.removeFirst() }
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            rest = rest.dropFirst(digits.count)
            // `%%` is a percent sign, and one that ends the format is nothing.
            if rest.first == "%", digits.isEmpty, !alignsRight {
                prefix += "%"
                rest.removeFirst()
                continue
            }
            guard let letter = rest.popFirst() else { break }
            fields.append(
                Field(
                    prefix: prefix,
                    key: String(letter),
                    width: min(Int(digits) ?? 0, Self.widthMaximum),
                    alignsRight: alignsRight
                )
            )
            prefix = ""
        }
        suffix = prefix + rest
    }

    /// Reads the long form: `name[:[.]width],…`; without a width a field is 20 wide.
    public init(long text: String) {
        for item in text.split(separator: ",") {
            let parts = item.split(separator: ":", maxSplits: 1)
            guard let name = parts.first else { continue }
            var size = parts.count > 1 ? parts[1] : "20"
            let alignsRight = size.first == "."
            if alignsRight { size.removeFirst() }
            let digits = size.prefix { $0.isASCII && $0.isNumber }
            fields.append(
                Field(
                    key: name.lowercased(),
                    width: min(Int(digits) ?? 20, Self.widthMaximum),
                    alignsRight: alignsRight
                )
            )
        }
    }

    /// The format without the fields for which `isKept` is false; the text around them stays.
    func keeping(_ isKept: (Field) -> Bool) -> FormatText {
        var kept = self
        kept.fields = []
        var text = ""
        for var field in fields {
            guard isKept(field) else {
                text += field.prefix
                continue
            }
            field.prefix = text + field.prefix
            text = ""
            kept.fields.append(field)
        }
        kept.suffix = text + suffix
        return kept
    }

    /// One line, with the text that `value` gives for each field.
    public func line(_ value: (Field) -> String) -> String {
        lineByPlace { value(fields[$0]) }
    }

    /// One line, with the text that `value` gives for each field by its place.
    func lineByPlace(_ value: (Int) -> String) -> String {
        var line = ""
        for (place, field) in fields.enumerated() {
            line += field.prefix
            Self.append(value(place), field.width, right: field.alignsRight, to: &line)
        }
        return line + suffix
    }

    /// `text` cut and padded to `width` characters; 0 leaves it as it is.
    public static func fit(_ text: String, _ width: Int, right: Bool) -> String {
        var line = ""
        append(text, width, right: right, to: &line)
        return line
    }

    /// Appends `text` as `fit` makes it.
    static func append(_ text: String, _ width: Int, right: Bool, to line: inout String) {
        guard width > 0 else {
            line += text
            return
        }
        var (cut, count) = (text[...], text.utf8.count)
        // A byte is a character, unless it is one of several (or of a line's two ends).
        if !text.utf8.allSatisfy({ $0 < 0x80 && $0 != 0x0D }) {
            cut = text.prefix(width)
            count = cut.count
        } else if count > width {
            cut = text[..<text.utf8.index(text.startIndex, offsetBy: width)]
            count = width
        }
        if !right { line.append(contentsOf: cut) }
        for _ in count..<width { line += " " }
        if right { line.append(contentsOf: cut) }
    }
}

/// A column: its head, and what it says of a row.
struct Column<Row>: Sendable {
    var head: String
    var text: @Sendable (Row) -> String

    init(_ head: String, _ text: @escaping @Sendable (Row) -> String) {
        self.head = head
        self.text = text
    }
}

/// Amounts as Slurm writes them.
enum AmountText {
    /// Memory in MiB with the largest unit that divides it: `16000M`, `250G`, `0`.
    static func memory(mebibytes: Int64) -> String {
        guard mebibytes > 0 else { return "0" }
        var (number, unit) = (mebibytes, 0)
        let units = ["M", "G", "T", "P"]
        while unit + 1 < units.count, number % 1_024 == 0 {
            number /= 1_024
            unit += 1
        }
        return "\(number)\(units[unit])"
    }

    /// `numerator / denominator` with `digits` decimals, rounded half to even, as `printf` writes what
    /// it can hold exactly.
    static func evenRatio(_ numerator: Int64, _ denominator: Int64, digits: Int) -> String {
        let scale = (0..<digits).reduce(Int128(1)) { power, _ in power * 10 }
        let (quotient, rest) = (Int128(numerator) * scale * 2)
            .quotientAndRemainder(dividingBy: 2 * Int128(denominator))
        let isTie = rest == Int128(denominator)
        guard isTie, quotient % 2 == 0, let even = Int64(exactly: quotient) else {
            return ratio(numerator, denominator, digits: digits)
        }
        return ratio(even, (0..<digits).reduce(Int64(1)) { power, _ in power * 10 }, digits: digits)
    }

    /// `numerator / denominator` with `digits` decimals, rounded half up; exact.
    static func ratio(_ numerator: Int64, _ denominator: Int64, digits: Int) -> String {
        let scale = (0..<digits).reduce(Int128(1)) { power, _ in power * 10 }
        let scaled =
            (Int128(numerator) * scale * 2 + Int128(denominator)) / (2 * Int128(denominator))
        let text = String(scaled)
        let padded = String(repeating: "0", count: max(0, digits + 1 - text.utf8.count)) + text
        return digits == 0 ? padded : padded.dropLast(digits) + "." + padded.suffix(digits)
    }
}
